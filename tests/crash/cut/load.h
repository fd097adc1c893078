/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is going on when the power fails: threads that write, zero, discard, flush and read the
 * volume as the oracle remembers it, and one that has segments move back and forth, drains members,
 * and makes metadata writes of a member fail.
 */
#ifndef CUT_LOAD_H
#define CUT_LOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "oracle.h"

#define MAX_THREADS	8

struct load {
	/* given */
	struct oracle *oracle;
	const char *path;		/* of the volume */
	const char *name;		/* its name for device-mapper */
	uint64_t seed;
	unsigned int threads, segments, members;
	bool move;
	bool pretend;			/* negative control: FUA writes that are not sent */
	/* makes metadata writes of the member fail (or succeed again), may be NULL */
	void (*fault)(void *arg, unsigned int member, bool on);
	void *fault_arg;
	/* results */
	bool wrong;			/* a read found what it should not */
	unsigned long drains, fails, faults, aborts;
	/* private */
	int fd;
	volatile bool stop;
	void *threads_data;
};

uint64_t random_step(uint64_t *state);

bool load_start(struct load *l);
void load_stop(struct load *l);		/* tells the threads */
void load_join(struct load *l);

#endif
