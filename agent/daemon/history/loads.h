/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What was asked of a member, step by step (half-hours), for four weeks: what
 * forecasts and the own baseline of latency are made of.
 *
 * Takes rates and latencies as they are looked at, or steps out of the database;
 * gives series without holes in time, NaN where nothing is known. Pure: times
 * (seconds since the epoch) are arguments. Where the clock goes back, what it has
 * not reached again is forgotten; where it leaps, there is a gap.
 */
#ifndef ADSHARDD_LOADS_H
#define ADSHARDD_LOADS_H

#include <stdbool.h>
#include <stdint.h>

#define LOADS_MAX	1344	/* steps: 28 days of 48 */

enum load_what {
	LOAD_BYTES,		/* per second, both directions */
	LOAD_REQUESTS,
	LOAD_READ_LATENCY,	/* seconds, geometric mean; NaN without I/O */
	LOAD_WRITE_LATENCY,
	LOAD_WHAT
};

struct load_step {
	float v[LOAD_WHAT];
};

struct loads {
	long length;		/* seconds in a step */
	int64_t now;		/* number of the step under way, 0: none */
	struct {
		double sum, weight;
	} part[LOAD_WHAT];	/* of it */
	unsigned int nr, cap;	/* whole steps; the last is @now - 1 */
	struct load_step *step;	/* oldest first */
};

/*
 * @v was so for @seconds until @time (NaN: not known). Steps of another length
 * than before forget all. true if at least one step has become whole.
 */
bool loads_add(struct loads *l, int64_t time, double seconds, long length,
	       const double v[LOAD_WHAT]);

/*
 * A whole step out of the database, oldest first; those that begin at or after
 * the one under way are passed over, and so are those before what is there.
 */
void loads_load(struct loads *l, int64_t start, long length,
		const double v[LOAD_WHAT]);

void loads_free(struct loads *l);

#endif
