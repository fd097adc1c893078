// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>

#include "daemon/api/foresight.h"
#include "daemon/api/parts.h"
#include "lib/json.h"

static void add_member(struct json_object *list, const struct member *m)
{
	struct json_object *o = ads_json_push(list);

	ads_json_i64(o, "member", m->k.index);
	ads_json_uuid(o, "uuid", m->k.uuid);
	part_text(o, "device", m->dev.path);
	if (m->io.known) {
		ads_json_double(o, "bytes_per_second",
				m->io.read_bytes + m->io.write_bytes);
		ads_json_double(o, "requests_per_second",
				m->io.read_rate + m->io.write_rate);
	} else {
		ads_json_null(o, "bytes_per_second");
		ads_json_null(o, "requests_per_second");
	}
	api_outlook(o, &m->outlook, OUTLOOK_BYTES);
}

static void add_group(struct json_object *list, const struct groups *g,
		      uint32_t i)
{
	struct json_object *o = ads_json_push(list);
	uint32_t first, count = groups_range(g, i, &first);

	ads_json_i64(o, "first", first);
	ads_json_i64(o, "last", first + count - 1);
	ads_json_double(o, "requests_per_second", g->group[i].rate);
	api_outlook(o, &g->group[i].outlook, OUTLOOK_REQUESTS);
}

static void add_pool(struct json_object *list, const struct pool *p)
{
	struct json_object *o = ads_json_push(list), *sub;

	ads_json_uuid(o, "pool", p->k.uuid);
	part_text(o, "pool_name", p->k.name);
	sub = ads_json_arr(o, "members");
	for (const struct member *m = p->members; m; m = m->next)
		add_member(sub, m);
	sub = ads_json_arr(o, "groups");
	for (uint32_t i = 0; p->groups && i < p->groups->nr; i++)
		add_group(sub, p->groups, i);
}

struct json_object *answer_forecast(struct adshardd *d,
				    struct json_object *req)
{
	const struct pool *only = part_pool(d, req);
	struct json_object *o, *list;

	if (!only && ads_json_get(req, "pool"))
		return part_error(ENOENT, "there is no such pool");
	o = ads_json_doc("adshardd.forecast", 1);
	if (!o)
		return NULL;
	list = ads_json_arr(o, "pools");
	for (const struct pool *p = d->pools; p; p = p->next)
		if (!only || p == only)
			add_pool(list, p);
	return o;
}
