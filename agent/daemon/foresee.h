/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is foreseen of many members together: who is slow among its peers, what
 * several have in common, how much load is to come. score.h's for one.
 */
#ifndef ADSHARDD_FORESEE_H
#define ADSHARDD_FORESEE_H

#include "daemon/collect/host.h"
#include "daemon/ctx.h"
#include "daemon/history/history.h"

/*
 * After each look at the members' counters: days are closed and compared, steps
 * of load are finished, forecasts made as they get due, a few at a time.
 */
void foresee_run(struct adshardd *d);

/* Which causes do the members' scores have in common? Sets m->shared. */
void foresee_shared(struct adshardd *d);

/* The causes; their number. */
unsigned int foresee_causes(const struct adshardd *d,
			    const struct shared_cause **cause);

/* When the clock leapt in the last day, and by how much (seconds); 0: never. */
int64_t foresee_clock(const struct adshardd *d, int64_t *leap);

/* The kernel's log is read, so that what it says can be counted. */
bool foresee_counts(const struct adshardd *d);

/* How busy the host was at the last look; NULL: not known. */
const struct host *foresee_host(const struct adshardd *d);

/* A list of all segments: what was asked of each group of them. */
void foresee_segments(struct pool *p, const struct kernel_segments *s);

/* Out of the history: steps of load and days of comparison. */
void foresee_loads(struct member *m, const struct store_loads *l);

/* Of a member that leaves. */
void foresee_member_gone(struct member *m);
void foresee_free(struct adshardd *d);

#endif
