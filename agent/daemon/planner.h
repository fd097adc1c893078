/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The planner of one pool: tells plan/core/ how things are, and has done what it
 * answers.
 *
 * What empties members and makes copies anew belongs to jobs of evacuate.c and
 * rebuild.c, which also keep what failed. What can wait (copies of what is at risk,
 * pins, balance, tiers, places) is not begun unless all of these hold: the list of
 * segments and the view of the kernel are fresh; the loads were seen several times;
 * the operator's settings could be read; the mode is auto, or the operator has
 * approved that very action. A segment that the operator moves by hand is left
 * alone, and what he calls off is not begun again before it has rested.
 */
#ifndef ADSHARDD_PLANNER_H
#define ADSHARDD_PLANNER_H

#include "daemon/ctx.h"
#include "daemon/plan/core/core.h"
#include "daemon/plan/core/cost.h"

#define PLANNER_ACTIONS	512	/* of a plan that are looked at */
#define PLANNER_CONFLICTS 16	/* that are kept, of the last plan */
#define PLANNER_LOOKS	5	/* at a load, before anything is made of it */

/* Something that was sent, and of whose end nothing is known yet. */
struct planner_sent {
	uint32_t segment;
	uint16_t from, to;		/* PLAN_NONE: of a copy; of a drop */
	uint8_t what;			/* enum plan_do */
	uint8_t cause;			/* enum plan_cause */
	uint64_t serial;		/* of the command; 0: not answered yet */
	int64_t started;
	double load;			/* of the busier member, at its begin */
	bool aborting;			/* by us: its destination turned bad */
};

struct planner_approved {
	uint32_t segment;
	uint8_t cause;
};

struct planner {
	/* segments, as of the last list and the events since; NULL: none yet */
	struct plan_seg *seg;
	uint32_t nr;
	uint32_t *hands_off;		/* of each: what can wait leaves it alone
					 * until then, for the operator has moved
					 * it or called a move off; seconds */
	double listed;			/* monotonic, 0: they are out of date */
	bool restored;			/* with what was known before a restart */
	bool dirty;			/* something is to be kept */
	/* kept from one plan to the next */
	struct plan_trouble *trouble;
	size_t nr_trouble;
	struct plan_cost cost;
	uint64_t spent;			/* bytes that could have waited, on @day */
	int64_t day;
	/* under way */
	struct planner_sent *sent;
	size_t nr_sent;
	struct planner_approved *approved;
	size_t nr_approved;
	int64_t approved_until;
	/* the last plan */
	bool soon;			/* something has changed since */
	double asked;			/* for a list that can't wait, monotonic */
	double ran, took;		/* monotonic; seconds */
	char why_not[200];		/* nothing is begun, or "" */
	struct plan_conflict conflict[PLANNER_CONFLICTS];
	size_t nr_conflicts;
	int error;			/* of the last, or 0 */
	char problem[200];
};

/* A state with all that it points to. */
struct planner_state {
	struct plan_state s;
	struct plan_class class[4];
	bool known[PLAN_MEMBERS];	/* member indexes */
	void *memory[12];		/* to be freed */
	unsigned int nr_memory;
};

/* After each view and event: plans if it is time, and begins what may begin. */
void planner_run(struct pool *p);

/* How the pool is. -EAGAIN: its segments are not known yet; -ENOMEM. */
int planner_state(struct pool *p, struct planner_state *out,
		  struct ads_err *err);
void planner_state_free(struct planner_state *st);

/* enum plan_cause of a migration, by its cookie; its member's class. */
uint8_t planner_cause_of(const struct pool *p, uint64_t cookie);
uint16_t planner_class(const struct member *m);

/* The policy in effect, less what the kernel can't do. */
void planner_policy(const struct pool *p, struct plan_policy *out);

/* A list of all segments has come; answers and events of whatever. */
void planner_list(struct pool *p, const struct kernel_segments *s);
void planner_answer(struct pool *p, const struct kernel_command *c);
void planner_event(struct pool *p, const struct ads_event *ev);
void planner_free(struct planner *pl);		/* NULL is fine */

/* What goes to the member that the last view had not seen. */
uint32_t planner_incoming(const struct pool *p, uint32_t member);
/* What was sent to leave the member and has not ended. */
uint32_t planner_leaving(const struct pool *p, uint32_t member);
/* Has anything of that cause been sent and not ended? */
bool planner_is_sent(const struct pool *p, uint8_t cause);
/* Has the segment a leg there, as far as is known? */
bool planner_is_on(const struct pool *p, uint32_t segment, uint32_t member);

/* Something has changed: plan at the next occasion, not when it is time. */
void planner_soon(struct pool *p);
/* The last plan was made of all that is known. */
bool planner_is_current(const struct pool *p);

/* Causes by which a member is emptied. */
static inline bool planner_leaves(uint8_t cause)
{
	return cause == PLAN_BY_RESCUE || cause == PLAN_BY_PERSON ||
	       cause == PLAN_BY_EVACUATE;
}

/* Of a job of the pool, that the planner keeps itself. */
static inline bool planner_keeps(uint8_t cause)
{
	return cause >= PLAN_BY_RECOVERED && cause < PLAN_CAUSES;
}

/* The operator has a newer wish (a pin) than what he moved by hand. */
void planner_wish(struct pool *p);

/*
 * Everything that is in @r may begin, though the mode is advise. For a day.
 * Members that it would drain are approved with it.
 */
int planner_approve(struct pool *p, const struct plan_result *r);

/*
 * The job of a cause was called off: its moves are aborted. As long as the job is
 * known, and for plan.hold, none is begun (planner_state() sees to that).
 */
void planner_cancel(struct pool *p, uint8_t cause);

#endif
