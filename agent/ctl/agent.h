/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Verbs that speak to the agent and not to the kernel.
 */
#ifndef CTL_AGENT_H
#define CTL_AGENT_H

#include "ctl.h"

/* A request with its "cmd", and with "pool" if --pool was given. */
struct json_object *agent_request(const struct ctl *c, const char *cmd);

/*
 * Sends and puts @request, an exit code: what is wrong has been said. *answer is
 * for the caller to put, NULL after an error.
 */
int agent_ask(struct ctl *c, struct json_object *request,
	      struct json_object **answer);

/* Moves what is under @key of the answer into the document; null if it isn't there. */
void agent_take(struct ctl *c, struct json_object *answer, const char *key);

/* Elements of an array, 0 if it is none. */
size_t agent_count(struct json_object *list);

/* Of an object; "-", 0 if it isn't there. */
const char *agent_str(struct json_object *o, const char *key);
int64_t agent_int(struct json_object *o, const char *key);
double agent_num(struct json_object *o, const char *key);

#endif
