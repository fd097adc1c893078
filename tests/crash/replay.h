/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parts of the replay, see replay-main.c. */
#ifndef CRASH_REPLAY_H
#define CRASH_REPLAY_H

#include "../sim/sim.h"
#include "image.h"

#define MAX_SEGMENTS	1024

/* What may be wrong with a state. */
struct figures {
	unsigned long trials;
	unsigned long lost, future, foreign;	/* contents */
	unsigned long owners;			/* a slot with two segments */
	unsigned long unassembled;
	unsigned long second;			/* changed by a second activation */
	unsigned long stray;			/* an activation wrote what it must not */
	unsigned long cut;			/* an activation cut off changed something */
	unsigned long subset;			/* some of the members, wrongly served */
	unsigned long subsets, subsets_served, activations;
};

struct replay {
	struct image im;
	struct sim_dev *dev[MAX_DISKS];
	uint8_t uuid[16];
	uint64_t data_start;
	struct figures f;
	char why[512];			/* of the last state that failed */
};

/* Where everything is, by a pool that was activated. */
struct layout {
	uint32_t nr;
	uint64_t sector[MAX_SEGMENTS];
	uint16_t member[MAX_SEGMENTS];
	uint8_t disk[MAX_SEGMENTS];
	uint8_t shift;
	uint8_t state[MAX_DISKS], role[MAX_DISKS];
	uint64_t sectors;
};

/* @why gets a sentence; the first one stays. */
__attribute__((format(printf, 2, 3)))
void blame(struct replay *r, const char *fmt, ...);

/*
 * Activate the disks in @order, @nr of them. False: refused, what it said is in
 * sim_said(). Its writes are recorded.
 */
bool activate(struct replay *r, const uint8_t *order, unsigned int nr,
	      struct layout *l);
/* All of them. */
bool activate_all(struct replay *r, struct layout *l);
bool same_layout(const struct layout *a, const struct layout *b);

/* Is what @l says right, and all there that has to be? Counts what isn't. */
bool check_contents(struct replay *r, const struct layout *l);
/* The disks are as some power cut left them; all checks, and back. */
bool check_state(struct replay *r, uint64_t rnd, bool thorough);

/* replay-control.c: is damage noticed? False: some kind never was. */
bool controls(struct replay *r, uint64_t *points, unsigned int nr, uint64_t seed);

#endif
