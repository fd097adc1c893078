/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is going on when the power fails: threads that write, zero, discard, flush and read the
 * volume as the oracle remembers it, and one that has segments move back and forth, drains members,
 * and makes metadata writes of a member fail. With several legs it also has legs come and go, and a
 * member fail all writes.
 */
#ifndef CUT_LOAD_H
#define CUT_LOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "oracle.h"

#define MAX_THREADS	8

enum fault { FAULT_NONE, FAULT_METADATA, FAULT_WRITES };

struct load {
	/* given */
	struct oracle *oracle;
	const char *path;		/* of the volume */
	const char *name;		/* its name for device-mapper */
	uint64_t seed;
	unsigned int threads, segments, members;
	unsigned int legs;		/* that a segment should have; 0 means 1 */
	const uint8_t *pool;		/* its UUID, if there are several */
	bool move;
	bool pretend;			/* negative control: FUA writes that are not sent */
	/* makes I/O of the member fail (or succeed again), may be NULL */
	void (*fault)(void *arg, unsigned int member, enum fault fault);
	void *fault_arg;
	/* results */
	bool wrong;			/* a read found what it should not */
	unsigned long drains, fails, faults, aborts, comes, goes;
	/* private */
	int fd;
	volatile bool stop;
	void *threads_data;
};

uint64_t random_step(uint64_t *state);

/* mover.c: the thread that has segments move. */
struct mover {
	struct load *load;
	uint64_t rnd;
};
void *mover(void *arg);

bool load_start(struct load *l);
void load_stop(struct load *l);		/* tells the threads */
void load_join(struct load *l);

#endif
