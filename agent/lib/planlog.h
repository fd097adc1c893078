/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A decision of the planner as one line of JSON: with everything that it was made
 * of, so that it can be made again, and what it was. Pure.
 */
#ifndef ADS_PLANLOG_H
#define ADS_PLANLOG_H

#include <json-c/json.h>

#include "daemon/plan/core/core.h"
#include "daemon/plan/core/cost.h"
#include "err.h"

/* A pool with more segments is recorded without them: it can't be replayed. */
#define PLANLOG_SEGMENTS	65536

/* What is the same in two plans that do the same. */
uint64_t planlog_id(const struct plan_state *s, const struct plan_result *r);

/* NULL: no memory. @pool: its UUID. @max: of plan_run(). */
struct json_object *planlog_encode(const uint8_t *pool,
				   const struct plan_state *s,
				   const struct plan_policy *p, size_t max,
				   const struct plan_result *r);

/* One that was read. */
struct planlog {
	struct plan_state s;
	struct plan_policy policy;
	size_t max;
	uint64_t id;			/* of what was decided then */
	int64_t time;
	char pool[40];
	struct json_object *decided;	/* "decided", of the line */
	struct json_object *line;
};

/*
 * 0, or with a sentence: -EBADMSG: no such line, or out of its senses; -ENODATA: it
 * was recorded without its segments. *out is to be freed after success.
 */
int planlog_decode(const char *line, struct planlog *out, struct ads_err *err);
void planlog_free(struct planlog *l);

/* What moves cost; and back: false, it makes no sense. NULL: nothing is known. */
struct json_object *planlog_cost(const struct plan_cost *c);
bool planlog_cost_take(struct plan_cost *c, struct json_object *list);

/* The actions of a plan, at most @max: as they stand in "decided". */
struct json_object *planlog_actions(const struct plan_state *s,
				    const struct plan_policy *p,
				    const struct plan_result *r, size_t max);

#endif
