/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The agent's socket: newline-delimited JSON, one object in, one object out.
 *
 *	{"cmd":"status"}		everything: members, jobs, warnings
 *	{"cmd":"risk","member":M}	one member explained; M is a device, a
 *					UUID, or an index with "pool":UUID
 *	{"cmd":"history","member":M}	how its score, temperature, counters and
 *					load went
 *	{"cmd":"forecast","pool":P}	how much load is to come, of members and
 *					of groups of segments; without "pool" of all
 *	{"cmd":"jobs"}			jobs, what is begun "by_hand", and what
 *					should be done and is "waiting", with why
 *	{"cmd":"version"}
 *	{"cmd":"cancel","job":N}	root only
 *	{"cmd":"job","job":N,"action":A}	root only; A is cancel, pause, resume,
 *					priority (with "priority": 0..100 or null)
 *	{"cmd":"plan","pool":P}		what the planner would do now; "what_if":
 *					[{"what":"fail","member":M}, {"what":"add",
 *					"class":C,"size":N}, {"what":"score",
 *					"member":M,"score":N}]; "max": actions
 *	{"cmd":"approve","pool":P,"plan":ID}	root only; of "plan"
 *	{"cmd":"policy"}		all settings
 *	{"cmd":"policy-set","set":{NAME:VALUE}}	root only; null: as configured
 *	{"cmd":"pins"}
 *	{"cmd":"pin","pool":P,"first":N,"last":N,"kind":K,"value":V}	root only
 *	{"cmd":"unpin","pin":N}		root only
 *	{"cmd":"reload"}		root only
 *
 * An error is {"error":"a sentence","code":N} with N an errno. A request is
 * bounded in size, a client in time and in what it leaves unread; there is a
 * limit on clients. A client that does not read or write costs nothing but its
 * place.
 */
#ifndef ADSHARDD_API_H
#define ADSHARDD_API_H

#include <stdbool.h>

#include <json-c/json.h>

#include "daemon/ctx.h"
#include "lib/err.h"

struct api;

/* Takes over the path: whoever calls this holds the lock (lock.h). */
int api_new(struct adshardd *d, struct api **out, struct ads_err *err);
void api_free(struct api *a);		/* NULL is fine */

/*
 * The answer to one request (@root: of root); never NULL but for no memory. The
 * caller puts it.
 */
struct json_object *api_answer(struct adshardd *d, const char *line, size_t len,
			       bool root);

/* The document of "status". */
struct json_object *api_status(struct adshardd *d);

#endif
