// SPDX-License-Identifier: GPL-2.0-or-later
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "lib/units.h"

#include "foresight.h"

int foresight_ask(struct ctl *c, const char *cmd, const char *member,
		  struct json_object **answer)
{
	struct json_object *req = agent_request(c, cmd);

	if (member)
		ads_json_str(req, "member", member);
	return agent_ask(c, req, answer);
}

void foresight_copy(struct json_object *to, struct json_object *from,
		    const char *const *keys)
{
	struct json_object *v;

	for (; *keys; keys++)
		if (json_object_object_get_ex(from, *keys, &v))
			json_object_object_add(to, *keys, json_object_get(v));
}

double foresight_number(struct json_object *o, const char *key)
{
	struct json_object *v = ads_json_get(o, key);

	return json_object_is_type(v, json_type_int) ||
	       json_object_is_type(v, json_type_double) ?
	       json_object_get_double(v) : NAN;
}

int64_t foresight_int(struct json_object *o, const char *key)
{
	int64_t v;

	return ads_json_get_i64(o, key, &v) ? v : -1;
}

char *foresight_since(struct json_object *o, const char *key, char *buf,
		      size_t size)
{
	int64_t then = foresight_int(o, key), now = time(NULL);

	if (then <= 0)
		snprintf(buf, size, "-");
	else
		ads_format_duration(now > then ? (double)(now - then) : 0, buf,
				    size);
	return buf;
}

double *foresight_series(struct json_object *list, const char *key, size_t *nr)
{
	size_t n = json_object_is_type(list, json_type_array) ?
		   json_object_array_length(list) : 0;
	double *v = calloc(n + 1, sizeof(*v));

	*nr = v ? n : 0;
	for (size_t i = 0; i < *nr; i++) {
		struct json_object *o = json_object_array_get_idx(list, i);

		if (key)
			v[i] = foresight_number(o, key);
		else
			v[i] = o ? json_object_get_double(o) : NAN;
	}
	return v;
}

char *foresight_day(int64_t t, char *buf, size_t size)
{
	time_t when = t;
	struct tm tm;

	if (!localtime_r(&when, &tm) || !strftime(buf, size, "%Y-%m-%d", &tm))
		snprintf(buf, size, "-");
	return buf;
}
