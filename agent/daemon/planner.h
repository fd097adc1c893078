/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The planner of one pool: tells plan/core/ how things are, and has done what it
 * answers.
 *
 * Members that fail are emptied by evacuate.c; this moves what can wait: pins,
 * balance, tiers, places. It moves nothing unless all of these hold: the list of
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

/* A move that was sent, and of whose end nothing is known yet. */
struct planner_sent {
	uint32_t segment;
	uint16_t from, to;
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

/* A list of all segments has come; answers and events of any move. */
void planner_list(struct pool *p, const struct kernel_segments *s);
void planner_answer(struct pool *p, const struct kernel_command *c);
void planner_event(struct pool *p, const struct ads_event *ev);
void planner_free(struct planner *pl);		/* NULL is fine */

/* Moves to the member that the last view had not seen. */
uint32_t planner_incoming(const struct pool *p, uint32_t member);

/* Is it for us to do? What empties members is evacuate.c's. */
bool planner_executes(uint8_t cause);

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
