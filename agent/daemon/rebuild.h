/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Copies of a pool's segments that are missing: the job, and what could not be made.
 * What is made where, and when, is the planner's.
 */
#ifndef ADSHARDD_REBUILD_H
#define ADSHARDD_REBUILD_H

#include "daemon/ctx.h"
#include "daemon/plan/core/core.h"
#include "daemon/plan/retry.h"

struct job;
struct planner_sent;

struct rebuild {
	struct retries retries;
	struct plan_mending mending;	/* of the last plan */
	bool planned;		/* there was one since it began */
	char note[200];		/* why it does not go on, or "" */
};

/* After each view: begins, goes on, ends. */
void rebuild_run(struct pool *p);

/* The job, if copies may be made now; else NULL. */
struct job *rebuild_job(struct pool *p);
/* It was called off, and is not to be begun again yet. */
bool rebuild_is_off(const struct pool *p);
/* Is it missing, and may it come back? */
bool rebuild_awaits(const struct member *m);

/* What the plan says of it. */
void rebuild_planned(struct pool *p, const struct plan_state *s,
		     const struct plan_result *r);

unsigned int rebuild_priority(const struct job *j);

/* A step of it was refused, or has ended. */
void rebuild_answer(struct pool *p, const struct planner_sent *o, int error,
		    const char *why);
void rebuild_event(struct pool *p, const struct planner_sent *o,
		   const struct ads_event *ev);
/* Any event: a copy that has missed a write is a new reason. */
void rebuild_told(struct pool *p, const struct ads_event *ev);

void rebuild_cancel(struct pool *p);
void rebuild_gone(struct pool *p);

#endif
