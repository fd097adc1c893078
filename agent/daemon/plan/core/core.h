/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The planner: from a pool's state to what to move, and why.
 *
 * Takes	struct plan_state (state.h) and struct plan_policy (policy.h);
 * gives	struct plan_result: what is thought of each member, what to do in
 *		which order and what of it to start now, what can't be done, and by
 *		which rule wishes that contradict each other were settled.
 *
 * Pure: no I/O, no clock, no random numbers, no memory of its own. The same state
 * and policy give the same plan, byte for byte. It always ends, and in every plan:
 *
 * - no two legs of a segment are in one failure domain that were not before,
 *   unless evacuate.same_domain says that this is better than none;
 * - no member gets more than it has room for, counting what is on its way;
 * - a segment is in one action at most, and in none while it is on its way
 *   (but for an abort);
 * - actions that can wait are only planned if they gain more than they cost.
 */
#ifndef PLAN_CORE_H
#define PLAN_CORE_H

#include "daemon/plan/core/policy.h"
#include "daemon/plan/core/state.h"

enum plan_do {
	PLAN_DO_MOVE,
	PLAN_DO_REPLICATE,	/* a leg more, at @to */
	PLAN_DO_DROP,		/* the leg at @from */
	PLAN_DO_ABORT,		/* the running move to @to */
};

/* Why an action does not start now. */
enum plan_hold {
	PLAN_START,		/* it does */
	PLAN_HOLD_PACE_POOL, PLAN_HOLD_PACE_MEMBER, PLAN_HOLD_PACE_LINK,
	PLAN_HOLD_LOAD,		/* source or destination are too busy */
	PLAN_HOLD_QUIET,	/* for the quiet hours */
	PLAN_HOLD_DAILY,	/* today's budget is spent */
	PLAN_HOLD_REBUILD,	/* yields to what is urgent on a member */
	PLAN_HOLD_PAUSED,
	PLAN_HOLD_RATE,		/* the pool's bytes per second are used up */
	PLAN_HOLDS
};

struct plan_action {
	uint8_t what;		/* enum plan_do */
	uint8_t cause;		/* enum plan_cause */
	uint8_t hold;		/* enum plan_hold */
	uint32_t job;		/* index of plan_result.job */
	uint32_t segment;
	uint16_t from, to;	/* PLAN_NONE */
	uint64_t bytes;		/* to be copied */
	float seconds;		/* that it will take, at the rate to be expected */
	float gain, cost;	/* busy seconds of members, within the payback */
	float heat;		/* accesses per second that it was ordered by */
	float was, becomes;	/* evacuate: scores of source and destination;
				 * balance: the source's load; tier, place: ms */
};

struct plan_job {
	uint8_t cause;
	uint16_t member;	/* that it is about, PLAN_NONE */
	int8_t priority;
	bool paused;
	uint32_t running;	/* on their way */
	uint32_t starting;	/* actions to be started now */
	uint32_t waiting;	/* the others */
	uint32_t no_room;	/* segments that find no place */
	uint64_t bytes;		/* left to copy */
	float seconds;		/* until it is done; the pace and what goes before
				 * it in the queue counted */
	uint8_t hold;		/* of the first that waits */
};

struct plan_verdict {
	struct plan_track track;	/* to be handed in next time */
	uint8_t band;		/* enum plan_band */
	bool drain;		/* should be set draining now */
	bool release;		/* should be set online again */
	bool waits;		/* should drain, but may not yet: @why */
	uint32_t segments;	/* legs on it */
	uint32_t leaving;	/* of these on their way or planned to go */
	uint32_t arriving;
	uint32_t stuck;		/* should go, find no place */
	uint32_t later;		/* should go, failed, are to be tried again later */
	float load_before, load_after;	/* at the horizon of balance */
	char why[200];		/* a sentence */
};

/* Rules by which wishes that contradict each other are settled. */
enum plan_rule {
	PLAN_RULE_PERSON,	/* a person's own move goes before the planner's */
	PLAN_RULE_FLYING,	/* what is on its way is not planned again */
	PLAN_RULE_TURNED_BAD,	/* a move to a member that turned bad is aborted */
	PLAN_RULE_PIN,		/* data at risk leaves its pin until there is room */
	PLAN_RULE_REST,		/* a segment rests after a move */
	PLAN_RULE_REBUILD,	/* what can wait yields to rebuild and rescue */
	PLAN_RULE_SUSPECT,	/* many of one model at once: watched, not drained */
	PLAN_RULE_HOLD,		/* a person cancelled: not drained for a while */
	PLAN_RULES
};
const char *plan_rule_text(enum plan_rule r);

struct plan_conflict {
	uint8_t rule;
	uint8_t winner, loser;	/* enum plan_cause */
	uint16_t member;	/* or PLAN_NONE */
	uint32_t segment;	/* the first one, or PLAN_NO_SEG */
	uint32_t count;		/* of segments */
};

struct plan_problem {
	uint8_t cause;
	uint16_t member;	/* or PLAN_NONE */
	uint32_t segment;	/* the first one, or PLAN_NO_SEG */
	uint32_t count;
	char text[200];		/* a sentence */
};

/* Segments with fewer legs than they should have, or with useless ones. */
struct plan_mending {
	uint32_t steps;		/* of them planned */
	uint32_t lost;		/* without any leg that can be read */
	uint32_t placeless;	/* no member may take a leg of them */
	uint32_t awaited;	/* for a missing member to come back */
	uint32_t later;		/* failed, to be tried again later or not at all */
	uint32_t first_placeless;	/* PLAN_NO_SEG */
};

/* The pool at a glance. */
struct plan_figures {
	double risk;		/* segments expected to be lost within 30 days */
	double single;		/* segments with one leg, on members at risk */
	double latency_ms;	/* mean, of an access */
	double load_max, load_mean;	/* of members, at the horizon */
	double cost;		/* a month */
};

struct plan_result {
	struct plan_action *action;	/* in the order of the queue */
	size_t nr_actions;
	size_t nr_start;		/* of these to start now */
	size_t nr_all;			/* that there would be without @max */
	struct plan_job *job;		/* most urgent first */
	size_t nr_jobs;
	struct plan_verdict *verdict;	/* for plan_state.member[i] */
	struct plan_problem *problem;
	size_t nr_problems;
	struct plan_conflict *conflict;
	size_t nr_conflicts;
	uint32_t *refused;		/* segments that every member which may
					 * take data has failed to take */
	size_t nr_refused;
	struct plan_mending mending;
	struct plan_figures before, after;
	uint64_t bytes;			/* of all actions */
	double seconds;			/* until all of them are done */
	int64_t next;			/* nothing changes by itself before */
};

/*
 * At most @max actions are listed, 0: all. 0, -EINVAL (a state that makes no sense)
 * or -ENOMEM; then *out is untouched.
 */
int plan_run(const struct plan_state *s, const struct plan_policy *p, size_t max,
	     struct plan_result **out, struct ads_err *err);
void plan_result_free(struct plan_result *r);	/* NULL is fine */

/*
 * "sdb fails: score 91; to sdd (score 3, 41% full)": why, with the numbers behind
 * it. Returns @buf.
 */
char *plan_action_text(const struct plan_state *s, const struct plan_policy *p,
		       const struct plan_action *a, char *buf, size_t size);

const char *plan_do_name(enum plan_do d);		/* "move" */
const char *plan_hold_text(enum plan_hold h);		/* "waits for quiet hours" */

#endif
