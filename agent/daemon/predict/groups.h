/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What will be asked of parts of a volume.
 *
 * Neighbouring segments are a group, and a group has a series of load and a forecast
 * as a member has (predict/outlook.h); but it is the data's, and goes with it from disk
 * to disk. Takes the counters of all segments each time that they are listed; gives
 * accesses per second of each group, step by step, and what is to come.
 *
 * Pure: no I/O, no clock. With a volume of another size, or another number of groups,
 * it begins anew.
 */
#ifndef ADSHARDD_GROUPS_H
#define ADSHARDD_GROUPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/config.h"
#include "daemon/history/loads.h"
#include "daemon/predict/outlook.h"
#include "lib/nl.h"

struct groups {
	uint32_t nr_segments;
	uint32_t per;		/* segments of a group; the last has what is left */
	uint32_t nr;
	double time;		/* of the last list, monotonic; 0: none yet */
	uint32_t *counted;	/* of each segment, as last seen; they wrap */
	struct group {
		double rate;	/* accesses per second, between the last two */
		struct loads loads;	/* LOAD_REQUESTS; nothing else is known */
		struct outlook outlook;	/* likewise */
	} *group;
};

/*
 * A list of all segments, made at @mono (monotonic seconds) and @now. One access in
 * @sample was counted. forecast.groups 0: *g is freed. -ENOMEM.
 */
int groups_add(struct groups **g, const struct ads_segment *segs, size_t n,
	       uint32_t nr_segments, uint32_t sample, double mono, int64_t now,
	       const struct config *c);

/* The first whose forecast is of an older step than its load, or NULL. */
struct group *groups_due(struct groups *g);

/* Makes all forecasts of it; some milliseconds each. */
void groups_foresee(struct group *g, const struct config *c);

/* Segments from @first on of which number @i is made. */
uint32_t groups_range(const struct groups *g, uint32_t i, uint32_t *first);

void groups_free(struct groups *g);	/* NULL is fine */

#endif
