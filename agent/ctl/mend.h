/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Segments that get the copies that they should have, and lose those that they
 * should not: what "replicas" and "rebuild" have in common.
 *
 * In rounds, because the kernel does one thing with a segment at a time. Each round
 * looks at the map anew; whatever was done by then is not done again, so that a
 * command which was interrupted, or failed in part, is simply given again.
 */
#ifndef CTL_MEND_H
#define CTL_MEND_H

#include "lib/mend.h"

#include "job.h"

#define MEND_ROUNDS	16

struct mend_failure {
	uint32_t segment, dst;
	bool for_good;			/* aborted by hand: not tried elsewhere */
	char why[160];
};

struct mend {
	struct job job;			/* first: its callbacks cast back */
	uint32_t *want;			/* segments, ascending; NULL: all */
	size_t nr_want;
	uint32_t target;		/* copies that each gets; 0: as recorded */
	char what[64];			/* "rebuild tank" */
	struct ads_agent_status *agent;	/* NULL: doesn't answer */

	struct ads_segment *seg;	/* those wanted, as they are */
	size_t nr;
	struct ads_migration *op;
	size_t nr_op;

	/* the plan: made by mend_plan() */
	struct ads_mend_rank *rank;	/* of @nr: who comes first */
	struct ads_mend *step;		/* all steps, those of a segment in order */
	size_t nr_step;
	size_t nr_short;		/* segments with fewer than they should have */
	size_t nr_lost;			/* and of these with none that can be read */
	uint32_t first_lost;
	size_t unplaced;		/* copies that find no place */
	struct ads_err unplaced_why;

	size_t dropped;			/* copies, so far */
	size_t done;			/* operations that have ended well */
	struct mend_failure *failed;
	size_t nr_failed;
};

/* All return an exit code and have reported what is wrong. */

/* What there is, of one moment. */
int mend_look(struct mend *m);
/* What to do about it. What can't be done is counted, and no error here. */
int mend_plan(struct mend *m);
int mend_show_plan(struct mend *m);
/*
 * Makes m->target what they should have, durably. Waits for what is being done with
 * a segment, but for moves has it stop.
 */
int mend_set_target(struct mend *m);
/* The same of some, once. -errno; -EBUSY: something is being done with one. */
int mend_set_wanted(struct mend *m, const struct ads_segment *seg, size_t nr,
		    uint32_t want, struct ads_err *err);
void mend_call_off(struct mend *m);
/* Drops, queues and, unless @detach, waits until nothing is left to be done. */
int mend_run(struct mend *m, bool detach);
void mend_free(struct mend *m);

/* What is under way with a segment; NULL: nothing. */
const struct ads_migration *mend_op(const struct mend *m, uint32_t segment);
/* A segment of those that are looked at, or NULL. */
const struct ads_segment *mend_segment(const struct mend *m, uint32_t segment);
/* Steps of the plan that do this. */
size_t mend_count(const struct mend *m, enum ads_mend_act act);

/*
 * "[POOL] SEGMENT...": takes the pool, if the next argument is one and not
 * segments or "all". A pool whose name looks like segments needs --pool.
 */
void mend_take_pool(struct ctl *c, int argc, char **argv);

#endif
