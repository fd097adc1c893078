/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pieces of answers, shared by the files that make them. */
#ifndef ADSHARDD_API_PARTS_H
#define ADSHARDD_API_PARTS_H

#include <json-c/json.h>

#include "daemon/ctx.h"
#include "daemon/plan/core/core.h"
#include "lib/units.h"

/* {"error":@text,"code":|@code|} */
struct json_object *part_error(int code, const char *text);

/* null for 0, and for "" or NULL */
void part_time(struct json_object *o, const char *key, int64_t t);
void part_text(struct json_object *o, const char *key, const char *s);

/* "pool" of a request: a UUID or a name. NULL if there is none, or not one. */
struct pool *part_pool(struct adshardd *d, struct json_object *req);

/*
 * By device path, kernel name, UUID; or by index, in "pool" if there are more.
 * NULL: none, or several.
 */
struct member *part_member(struct adshardd *d, struct json_object *req);

/* The array "jobs". */
void part_jobs(struct json_object *o, struct adshardd *d);

struct json_object *answer_jobs(struct adshardd *d);
struct json_object *answer_job(struct adshardd *d, struct json_object *req);

/* A conflict of a plan, and by which rule it was settled. */
void part_conflict(struct json_object *e, const struct plan_conflict *c);

struct json_object *answer_plan(struct adshardd *d, struct json_object *req);
struct json_object *answer_approve(struct adshardd *d,
				   struct json_object *req);

struct json_object *answer_policy(struct adshardd *d);
struct json_object *answer_policy_set(struct adshardd *d,
				      struct json_object *req);
struct json_object *answer_pins(struct adshardd *d);
struct json_object *answer_pin(struct adshardd *d, struct json_object *req);
struct json_object *answer_unpin(struct adshardd *d, struct json_object *req);

#endif
