/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a volume may contain after a power cut, kept outside of the volume.
 *
 * The volume is divided into blocks of 4 KiB. Nobody changes a block while
 * another change of it is under way, so the changes of one block are in order.
 * Each change gets a generation, and stamps every sector with it. A *life* is
 * what happens between two cuts. After a cut, a sector must hold
 *
 *  - the newest change of its block that is durable: it was acknowledged, with
 *    FUA or before a flush was sent that was acknowledged; or
 *  - a change after that one, acknowledged or not.
 *
 * Each sector by itself: a sector of 512 bytes is assumed to be written as a
 * whole or not at all, a block is not. After a discard the block may hold
 * zeroes or anything that it held before, but no other block's data.
 *
 * The oracle is plain memory without pointers, and whole at every moment if
 * stores become visible in order: it may lie in memory that outlives the guest.
 */
#ifndef CUT_ORACLE_H
#define CUT_ORACLE_H

#include <stdbool.h>
#include <stdint.h>

#define BLOCK		4096
#define SECTOR		512
#define SECTORS		(BLOCK / SECTOR)
#define MAX_BLOCKS	16384		/* 64 MiB */
#define MAX_OPS		65536
#define MAX_RUN		16		/* blocks that one operation changes */

enum kind { OP_WRITE, OP_ZERO, OP_DISCARD };

struct op {
	uint32_t block;
	uint8_t nr, kind, fua;
	uint8_t failed;
	uint32_t acked;			/* place in the order of acknowledgments, 0: none */
};

struct oracle {
	uint64_t magic;
	uint64_t seed;
	/*
	 * At this place for whoever cuts from outside: the load has begun; how many migrations are
	 * in which step; acknowledgments of this life.
	 */
	uint32_t phase;
	uint32_t steps[8];
	uint32_t acks;
	uint32_t nr_blocks;
	uint32_t lives;
	/* this life */
	uint32_t first_gen;		/* of op[0] */
	uint32_t nr_ops;
	uint32_t durable;		/* what was acknowledged up to here was flushed */
	/* counted since the beginning */
	uint64_t writes, flushes, fuas, zeroes, discards, errors;
	uint64_t checked;		/* blocks compared after a cut */
	uint64_t lost_blocks;		/* unflushed changes that were found missing */
	uint32_t base[MAX_BLOCKS * SECTORS];	/* generations found by the last check, 0: zeroes */
	struct op op[MAX_OPS];
};

void oracle_init(struct oracle *o, uint64_t seed, uint32_t nr_blocks);
bool oracle_valid(const struct oracle *o);

/*
 * Before a change is sent: returns its number, or -1 if there have been too many. Changes of the
 * same block must not overlap, and must be announced in the order in which they are sent.
 */
int oracle_intend(struct oracle *o, enum kind kind, uint32_t block, uint32_t nr, bool fua);
void oracle_acked(struct oracle *o, int op);
void oracle_failed(struct oracle *o, int op);
/* Before a flush is sent, and when it has been acknowledged. */
uint32_t oracle_flush_begin(const struct oracle *o);
void oracle_flushed(struct oracle *o, uint32_t mark);

/* The content of a block after the change. */
void oracle_fill(const struct oracle *o, int op, uint32_t block, void *buf);

/*
 * Is @buf what the volume may contain? In the middle of a life: nothing may be lost, flushed or
 * not. Prints what is wrong.
 */
bool oracle_check_live(struct oracle *o, uint32_t block, const void *buf);

/* After a cut: begin, every block once, end. End begins the next life if all was right. */
struct verdict {
	uint32_t wrong, lost, future, foreign, torn, stale;
	uint32_t wrong_block;			/* the first */
	/* private */
	struct op_ref *ref;
	uint32_t *head, *found;
};
void oracle_check_begin(struct oracle *o, struct verdict *v);
void oracle_check(struct oracle *o, struct verdict *v, uint32_t block, const void *buf);
bool oracle_check_end(struct oracle *o, struct verdict *v, bool next_life);

/* Does @buf hold sectors of the block? Of what generation is the first such (0: none)? */
uint32_t oracle_find(const struct oracle *o, uint32_t block, const void *buf);

#endif
