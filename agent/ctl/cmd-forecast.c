// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * adshardctl forecast: how much will be asked of members, and of which segments.
 */
#include <getopt.h>
#include <math.h>

#include "lib/units.h"

#include "chart.h"
#include "foresight.h"
#include "table.h"
#include "verbs.h"

enum { C_POOL, C_OF, C_NOW, C_NEAR, C_MIDDLE, C_FAR, C_METHOD };
#define AHEAD	3

static const struct table_col cols[] = {
	[C_POOL] = { "POOL", "pool that it belongs to", TABLE_HIDDEN },
	[C_OF] = { "OF", "member, or group of segments", 0 },
	[C_NOW] = { "NOW", "at the last look, a second", TABLE_RIGHT },
	[C_NEAR] = { "NEAR", "at the first horizon; in brackets, what nine of ten are above and below", TABLE_RIGHT },
	[C_MIDDLE] = { "MIDDLE", "at the second", TABLE_RIGHT },
	[C_FAR] = { "FAR", "at the third", TABLE_RIGHT },
	[C_METHOD] = { "METHOD", "the forecaster that counts most for the first", TABLE_HIDDEN },
	{ NULL, NULL, 0 },
};

static const struct ctl_opt opts[] = {
	{ 'a', "all", NULL, "idle groups of segments, too" },
	{ 0, NULL, NULL, NULL }
};

static char *rate(double v, bool bytes, char *buf, size_t size)
{
	char number[32];

	if (isnan(v))
		snprintf(buf, size, "-");
	else if (bytes)
		snprintf(buf, size, "%s/s", chart_size(v, number, sizeof(number)));
	else
		snprintf(buf, size, v < 10 ? "%.1f" : "%.0f", v);
	return buf;
}

static const char *key_of(bool bytes)
{
	return bytes ? "bytes_per_second" : "requests_per_second";
}

/* The horizons of one of them; NULL: there is no forecast yet. */
static struct json_object *horizons(struct json_object *o, bool bytes)
{
	struct json_object *list;

	list = ads_json_get(ads_json_get(o, "forecast"), key_of(bytes));
	return agent_count(list) ? list : NULL;
}

static void row(struct table *t, const char *pool, const char *of,
		struct json_object *o, bool bytes)
{
	struct json_object *list = horizons(o, bytes);
	char value[48], low[48], high[48];

	table_row(t);
	table_set(t, C_POOL, "%s", pool);
	table_set(t, C_OF, "%s", of);
	table_set(t, C_NOW, "%s", rate(foresight_number(o, key_of(bytes)), bytes,
				       value, sizeof(value)));
	for (size_t i = 0; i < AHEAD; i++) {
		struct json_object *r = list ?
			json_object_array_get_idx(list, i) : NULL;

		if (!r) {
			table_set(t, C_NEAR + i, "-");
			continue;
		}
		table_set(t, C_NEAR + i, "%s (%s-%s)",
			  rate(foresight_number(r, "value"), bytes, value,
			       sizeof(value)),
			  rate(foresight_number(r, "low"), bytes, low,
			       sizeof(low)),
			  rate(foresight_number(r, "high"), bytes, high,
			       sizeof(high)));
	}
	table_set(t, C_METHOD, "%s", list ?
		  agent_str(json_object_array_get_idx(list, 0), "method") : "-");
}

/* Nothing is asked of it, nor will be. */
static bool is_idle(struct json_object *g)
{
	struct json_object *list = horizons(g, false);
	double most = foresight_number(g, key_of(false));

	for (size_t i = 0; i < agent_count(list); i++)
		most = fmax(most, foresight_number(
				json_object_array_get_idx(list, i), "value"));
	return !(most >= 0.05);
}

static void groups(struct table *t, struct json_object *pool, bool all,
		   size_t *idle)
{
	struct json_object *list = ads_json_get(pool, "groups");
	char of[64];

	for (size_t i = 0; i < agent_count(list); i++) {
		struct json_object *g = json_object_array_get_idx(list, i);

		if (!all && is_idle(g)) {
			++*idle;
			continue;
		}
		snprintf(of, sizeof(of), "segments %lld-%lld",
			 (long long)foresight_int(g, "first"),
			 (long long)foresight_int(g, "last"));
		row(t, agent_str(pool, "pool_name"), of, g, false);
	}
}

static void members(struct table *t, struct json_object *pool, bool bytes)
{
	struct json_object *list = ads_json_get(pool, "members");
	char of[160];

	for (size_t i = 0; i < agent_count(list); i++) {
		struct json_object *m = json_object_array_get_idx(list, i);

		snprintf(of, sizeof(of), "%s%s", agent_str(m, "device"),
			 bytes ? ", bytes" : "");
		row(t, agent_str(pool, "pool_name"), of, m, bytes);
	}
}

/* "tank: load in 30 minutes, 3 hours and 1 day"; of whatever has a forecast. */
static void heading(struct ctl *c, struct json_object *pool)
{
	struct json_object *m = ads_json_get(pool, "members"), *list = NULL;
	char ahead[AHEAD][32];

	for (size_t i = 0; !list && i < agent_count(m); i++)
		list = horizons(json_object_array_get_idx(m, i), true);
	if (agent_count(list) < AHEAD) {
		ctl_say(c, "%s: no forecast yet: it takes eight steps (forecast.step) of load",
			agent_str(pool, "pool_name"));
		return;
	}
	for (size_t i = 0; i < AHEAD; i++)
		ads_format_duration(foresight_number(
			json_object_array_get_idx(list, i), "ahead_seconds"),
			ahead[i], sizeof(ahead[i]));
	ctl_say(c, "%s: requests a second, in %s (near), %s (middle) and %s (far)",
		agent_str(pool, "pool_name"), ahead[0], ahead[1], ahead[2]);
}

static void show(struct ctl *c, struct json_object *pool, bool all)
{
	struct table t;
	size_t idle = 0;

	heading(c, pool);
	table_init(&t, c, cols);
	members(&t, pool, true);
	members(&t, pool, false);
	groups(&t, pool, all, &idle);
	table_print(&t, "  ");
	table_free(&t);
	if (idle)
		ctl_say(c, "  %zu group%s of segments %s idle and will be (--all)",
			idle, idle == 1 ? "" : "s", idle == 1 ? "is" : "are");
}

static int run(struct ctl *c, int argc, char **argv)
{
	struct json_object *req, *answer, *list;
	bool all = false;
	int val, rc;

	while ((val = ctl_getopt(c, argc, argv)) != -1)
		all |= val == 'a';
	if (argc - optind > (c->pool ? 0 : 1))
		ctl_usage(c, "one pool at most");
	req = agent_request(c, "forecast");
	if (optind < argc)
		ads_json_str(req, "pool", argv[optind]);
	rc = agent_ask(c, req, &answer);
	if (rc)
		return rc;
	list = ads_json_get(answer, "pools");
	if (c->doc)
		agent_take(c, answer, "pools");
	else if (!agent_count(list))
		ctl_say(c, "no pool is active");
	for (size_t i = 0; !c->doc && i < agent_count(list); i++)
		show(c, json_object_array_get_idx(list, i), all);
	json_object_put(answer);
	return CTL_OK;
}

const struct ctl_cmd ctl_forecast = {
	.name = "forecast",
	.args = "[POOL]",
	.summary = "Show how much load is to come, of members and of segments",
	.opts = opts,
	.flags = CTL_TABLE,
	.run = run,
};
