/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One draining member: its job, and what can't be moved off it. Which segment goes
 * where and when is the planner's; the kernel's state is the truth: what is missing
 * (after a restart, or because the operator set the member draining) is made from it.
 */
#ifndef ADSHARDD_EVACUATE_H
#define ADSHARDD_EVACUATE_H

#include "daemon/ctx.h"
#include "daemon/plan/core/core.h"
#include "daemon/plan/retry.h"

struct job;
struct planner_sent;

/* Of a member that is being emptied. */
struct leaving {
	struct retries retries;
	uint64_t no_room;	/* segments that fit nowhere */
	char note[200];		/* why it does not go on, or "" */
};

/* Adopts, ends: whatever the member's state asks for. */
void evacuate_run(struct member *m);

/* Its job, if segments may be moved off it now; else NULL. */
struct job *evacuate_job(struct member *m);

/* What the plan says of it, and what it could find no place for. */
void evacuate_planned(struct member *m, const struct plan_state *s,
		      const struct plan_result *r);

/* Of its moves: the operator's, or else by the member's score. */
int evacuate_priority(const struct member *m, const struct job *j);

/* It is being emptied, and there is still something to try. */
bool evacuate_busy(const struct member *m);

/* Slots of other members that may take its segments. */
uint64_t evacuate_room(const struct member *m);

/* All members of a pool, for the placement; free() it. */
struct ads_place_member *evacuate_members(const struct pool *p, size_t *n);

/* One of its moves was refused, or has ended. */
void evacuate_answer(struct member *m, const struct planner_sent *o, int error,
		     const char *why);
void evacuate_event(struct member *m, const struct planner_sent *o,
		    const struct ads_event *ev);

/* A destination that can't be written is on its way to failing. */
void evacuate_blame(struct pool *p, const struct ads_event *ev);

/* It is no longer emptied. */
void evacuate_free(struct member *m);

#endif
