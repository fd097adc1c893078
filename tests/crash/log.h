/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the parts of the replay tell each other: recorder (host) keeps a log of
 * what happens on all disks, stamper (guest) writes blocks that say what they are and
 * keeps its own account on a disk of the same recorder, replay (host) reads both.
 */
#ifndef CRASH_LOG_H
#define CRASH_LOG_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/*--- the log of the recorder ------------------------------------*/

#define LOG_MAGIC	0x676f6c72	/* "rlog" */
#define LOG_ORACLE	0xff		/* the disk of the account */

enum log_type {
	LOG_WRITE = 1,		/* has arrived; its data follows */
	LOG_DONE,		/* is about to be answered */
	LOG_FLUSH,		/* has arrived */
	LOG_FLUSHED,		/* is about to be answered */
};

/*
 * 32 bytes, aligned to 512 together with the data that follows, if any. @id names a
 * request: DONE and FLUSHED come after the WRITE or FLUSH of the same id. A
 * flush makes durable what was DONE on its disk before it arrived, and is
 * FLUSHED after that. A write without a DONE was in flight to the end.
 */
struct log_entry {
	uint32_t magic;
	uint8_t type, disk;
	uint16_t error;		/* DONE: was answered with an error */
	uint64_t id;
	uint64_t sector;
	uint32_t sectors;
	uint32_t pad;
	uint8_t fill[480];
};

/*
 * A block at CTL_SECTOR of the account's disk makes the next @count writes of
 * @disk that touch @sector.. fail; each has reached the disk or has not.
 */
#define CTL_SECTOR	8
#define CTL_MAGIC	0x006c746366616c74ULL

struct ctl_block {
	uint64_t magic;
	uint64_t disk, sector, sectors, count;
	uint8_t fill[4056];
};

/*--- what the stamper writes ------------------------------------*/

#define STAMP_MAGIC	0x706d617473736461ULL

/* Every sector of 512 bytes. @gen goes up with each write, over all runs. */
struct stamp {
	uint64_t magic;
	uint64_t sector;	/* of the volume */
	uint64_t gen;
	uint64_t sum;		/* of the rest */
	uint64_t fill[60];
};

static inline uint64_t stamp_sum(const struct stamp *s)
{
	uint64_t sum = s->magic ^ s->sector * 0x9e3779b97f4a7c15ULL ^ s->gen;
	unsigned int i;

	for (i = 0; i < 60; i++)
		sum = (sum << 7 | sum >> 57) + s->fill[i];
	return sum;
}

static inline void stamp_make(struct stamp *s, uint64_t sector, uint64_t gen)
{
	unsigned int i;

	s->magic = STAMP_MAGIC;
	s->sector = sector;
	s->gen = gen;
	for (i = 0; i < 60; i++)
		s->fill[i] = (gen + i) * 0xbf58476d1ce4e5b9ULL ^ sector;
	s->sum = stamp_sum(s);
}

/*
 * The account: blocks written to ACCOUNT_SECTOR of its disk, one after the other;
 * the log keeps them all. Generations below @lease may be written from now on; the
 * @nr writes in it are durable, as the volume has said.
 */
#define ACCOUNT_MAGIC	0x746e756f63636164ULL
#define ACCOUNT_SECTOR	16
#define ACCOUNT_WRITES	254

struct account_write {
	uint64_t gen;
	uint32_t sector, sectors;
};

struct account {
	uint64_t magic;
	uint64_t nr;
	uint64_t lease;
	uint64_t pad;
	struct account_write write[ACCOUNT_WRITES];
};

_Static_assert(sizeof(struct log_entry) == 512, "log entry");
_Static_assert(sizeof(struct stamp) == 512, "stamp");
_Static_assert(sizeof(struct account) == 4096, "account");
_Static_assert(sizeof(struct ctl_block) <= 4096, "control");

/*--- states for a guest -----------------------------------------*/

#define STATE_MAGIC	0x0000657461747361ULL

/*
 * The metadata of all disks: this, @nr blocks of 4 KiB that are not zero, and the
 * next one. 4 KiB, and as much more as the index needs.
 */
struct state_head {
	uint64_t magic, nr, disks, blocks;	/* blocks of each disk, in all */
	uint8_t fill[4064];
};

struct state_index {
	uint32_t disk, block;
};

static inline uint64_t state_index_bytes(uint64_t nr)
{
	return (nr * sizeof(struct state_index) + 4095) / 4096 * 4096;
}

_Static_assert(sizeof(struct state_head) == 4096, "state");

/*--- chance, for all --------------------------------------------*/

/* splitmix64 */
static inline uint64_t rnd_next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

static inline uint64_t rnd_below(uint64_t *state, uint64_t n)
{
	return rnd_next(state) % n;
}

#endif
