/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's metadata code on the host: kernel/{meta*,journal,table,super,
 * format*,member,args}.c, unchanged, over devices in memory. What is replaced:
 * the block layer (metaio.c here for kernel/metaio.c), and of kernel/pool.c the
 * state of a pool and its setting of members' states.
 *
 *	struct sim_dev *d[2] = { sim_dev_new("a", 65536), sim_dev_new("b", 65536) };
 *	struct sim_format f = { .segment_shift = 11, .chunk_shift = 7 };
 *	struct sim_pool *p = sim_pool_new(d, 2, NULL, 20480);
 *	if (sim_pool_load(p, &f)) puts(sim_said());
 *	sim_pool_free(p);
 *
 * A pool that exists already: sim_pool_new(d, 2, uuid, 0) and sim_pool_load(p,
 * NULL). One thread. Text of the kernel's is kept since sim_hush().
 */
#ifndef SIM_H
#define SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SIM_NO_MEMBER	0xffff

struct sim_dev;
struct sim_pool;

/*--- devices ----------------------------------------------------*/

enum sim_op { SIM_READ, SIM_WRITE };

/* Zeroes, sparse. @name is not copied. */
struct sim_dev *sim_dev_new(const char *name, uint64_t sectors);
/* Over memory of the caller's, a multiple of 4096 bytes. */
struct sim_dev *sim_dev_over(const char *name, void *image, uint64_t sectors);
void sim_dev_free(struct sim_dev *dev);
uint8_t *sim_dev_image(struct sim_dev *dev);
void sim_dev_set_logical_block_size(struct sim_dev *dev, uint32_t bytes);
/*
 * The next @count operations that touch one of @nr blocks of 4 KiB from @first
 * fail; with @torn a write that fails gets done nevertheless. @nr 0: none does.
 */
void sim_dev_fail(struct sim_dev *dev, enum sim_op op, uint64_t first,
		  uint64_t nr, unsigned int count, bool torn);

/* After @n more writes, to whatever device, every write fails and does nothing. */
#define SIM_NEVER	(~0U)
void sim_cut_after(unsigned int n);

/*
 * A write as it was made. @wait goes up with each wait, for all devices
 * together: writes with the same number were in flight at the same time.
 */
struct sim_write {
	uint64_t block;			/* of 4 KiB */
	unsigned int nr;
	bool preflush, fua;
	unsigned int wait;
	unsigned int dev;		/* from sim_dev_number() */
	uint8_t *was, *is;		/* nr * 4096 bytes */
};

/*
 * Keep all writes to any device from here on, at most @max of them; 0: stop.
 * In order of submission.
 */
void sim_record(unsigned int max);
unsigned int sim_recorded(const struct sim_write **writes);
/* How many waits there were: all with a lower number have completed. */
unsigned int sim_waits(void);
/* Undo all that was recorded and forget it; goes on recording. */
void sim_rollback(struct sim_dev **devs, unsigned int nr);
/* The number that @dev's writes are recorded under, 0 if none is set. */
void sim_dev_set_number(struct sim_dev *dev, unsigned int number);

/*--- pools ------------------------------------------------------*/

struct sim_format {
	uint8_t uuid[16];		/* all zero: a random one */
	const char *name;		/* may be NULL */
	uint8_t segment_shift, chunk_shift;	/* log2 of sectors */
};

struct sim_segment {
	uint16_t member;
	uint32_t chunk;
};

struct sim_member {
	struct sim_dev *dev;		/* NULL: not there */
	uint8_t state;			/* enum adshard_member_state, 0: free */
	uint8_t role;			/* metadata: 0 no, 1 dropped, 2 active */
	uint64_t data_start;		/* sector */
	uint32_t nr_slots, nr_taken;
};

/*
 * @uuid may be NULL if the pool is to be formatted. @sectors: the length of the
 * volume; 0 is what the metadata says, and not for a new pool.
 */
struct sim_pool *sim_pool_new(struct sim_dev **devs, unsigned int nr,
			      const uint8_t *uuid, uint64_t sectors);
/* ads_meta_load(): 0 or -errno. */
int sim_pool_load(struct sim_pool *pool, const struct sim_format *format);
/* ads_meta_unload() too, if it was loaded. */
void sim_pool_free(struct sim_pool *pool);

/* Of a pool that is loaded. */
const uint8_t *sim_pool_uuid(const struct sim_pool *pool);
uint64_t sim_pool_sectors(const struct sim_pool *pool);
uint32_t sim_pool_segments(const struct sim_pool *pool);
uint32_t sim_pool_members(const struct sim_pool *pool);
uint8_t sim_pool_segment_shift(const struct sim_pool *pool);
uint8_t sim_pool_chunk_shift(const struct sim_pool *pool);
struct sim_segment sim_pool_segment(const struct sim_pool *pool, uint32_t seg);
struct sim_member sim_pool_member(const struct sim_pool *pool, uint16_t member);
uint64_t sim_pool_seq(const struct sim_pool *pool);
uint64_t sim_pool_term(const struct sim_pool *pool);
bool sim_pool_readonly(const struct sim_pool *pool);
/* sector of the first byte of @seg on its member */
uint64_t sim_pool_place(const struct sim_pool *pool, uint32_t seg);

/*
 * As a migration commits: @seg is from now on in a free slot of @member. As
 * ads_meta_commit(), or -ENOSPC.
 */
int sim_pool_move(struct sim_pool *pool, uint32_t seg, uint16_t member);
/*
 * How many writes had been recorded when the outcome of the last move was known:
 * from then on users are told of what relies on it.
 */
unsigned int sim_pool_told(const struct sim_pool *pool);
/* ads_pool_set_member(): online, draining, drained or failed. */
int sim_pool_set_member(struct sim_pool *pool, uint16_t member, uint8_t state);
/* A record without a change. */
int sim_pool_note(struct sim_pool *pool);
/* The repair of the set that a commit has asked for; commits don't wait for it. */
void sim_run_works(void);

/*--- table line -------------------------------------------------*/

/* kernel/args.c: 0 or -EINVAL and *@error. Writes to @line. */
int sim_parse_table(char *line, const char **error);

/*--- the rest ---------------------------------------------------*/

void sim_seed(uint64_t seed);
uint64_t sim_random(void);
/* Fail the @nth allocation from here, 0: none. */
void sim_fail_alloc(unsigned long nth);
/* Allocations of the kernel's code that were not freed. */
long sim_live(void);
void sim_hush(void);
/* Lines like "E: a: it is blank, not a member of a pool". */
const char *sim_said(void);

#endif
