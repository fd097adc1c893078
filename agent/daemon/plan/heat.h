/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Heat: how often each segment is accessed, smoothed. Pure: no I/O, no clock.
 */
#ifndef ADSHARDD_HEAT_H
#define ADSHARDD_HEAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/nl.h"

struct heat {
	uint32_t nr;
	double time;		/* of the last counters, monotonic seconds */
	struct heat_segment {
		uint32_t reads, writes;	/* counters as last seen */
		float rate;
		float slow;	/* the same, with HEAT_SLOW half-lives for one */
	} *seg;
};

#define HEAT_SLOW	24

/*
 * Takes the counters of a dump of all segments. They wrap around; a first dump
 * gives no rates. -ENOMEM.
 */
int heat_update(struct heat **h, const struct ads_segment *segs, size_t n,
		uint32_t nr_segments, double now, long half_life);
void heat_free(struct heat *h);		/* NULL is fine */

/*
 * Sampled accesses per second, by the one and the other half-life. In the first one
 * is a trace of the bare counters, so that there is an order before there are rates.
 */
double heat_rate(const struct heat *h, uint32_t segment);
double heat_slow(const struct heat *h, uint32_t segment);

#endif
