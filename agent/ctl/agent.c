// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>

#include "agent.h"

#define AGENT_MS	10000

struct json_object *agent_request(const struct ctl *c, const char *cmd)
{
	struct json_object *req = json_object_new_object();

	ads_json_str(req, "cmd", cmd);
	if (c->pool)
		ads_json_str(req, "pool", c->pool);
	return req;
}

int agent_ask(struct ctl *c, struct json_object *request,
	      struct json_object **answer)
{
	struct ads_err err = { "" };
	int rc;

	*answer = NULL;
	rc = ads_agent_ask(request, AGENT_MS, answer, &err);
	json_object_put(request);
	switch (rc) {
	case 0:
		return CTL_OK;
	case -EPERM:
		/* of the socket it means: not root */
		return ctl_fail(c, CTL_UNREACHABLE, "%s", ads_err_text(&err, rc));
	case -EAGAIN:
	case -ESTALE:
		return ctl_fail(c, CTL_BUSY, "%s", ads_err_text(&err, rc));
	case -EALREADY:
	case -EINVAL:
	case -ERANGE:
		return ctl_fail(c, CTL_REFUSED, "%s", ads_err_text(&err, rc));
	default:
		return ctl_fail_err(c, rc, &err);
	}
}

void agent_take(struct ctl *c, struct json_object *answer, const char *key)
{
	struct json_object *o = ads_json_get(answer, key);

	json_object_object_add(c->doc, key, json_object_get(o));
}

size_t agent_count(struct json_object *list)
{
	return json_object_is_type(list, json_type_array) ?
	       json_object_array_length(list) : 0;
}

const char *agent_str(struct json_object *o, const char *key)
{
	const char *s;

	return ads_json_get_str(o, key, &s) ? s : "-";
}

int64_t agent_int(struct json_object *o, const char *key)
{
	int64_t v;

	return ads_json_get_i64(o, key, &v) ? v : 0;
}

double agent_num(struct json_object *o, const char *key)
{
	double v;

	return ads_json_get_double(o, key, &v) ? v : 0;
}
