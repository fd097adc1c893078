// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * adshardctl risk: how likely members fail, and what makes the agent think so.
 */
#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/units.h"

#include "chart.h"
#include "foresight.h"
#include "table.h"
#include "verbs.h"

#define CHART_DAYS	60

enum {
	C_MEMBER, C_DEVICE, C_SCORE, C_P7, C_P30, C_P90, C_MODE, C_SINCE,
	C_SERIAL, C_MODEL, C_STALE, C_WHY
};

static const struct table_col cols[] = {
	[C_MEMBER] = { "MEMBER", "index in the pool", TABLE_RIGHT },
	[C_DEVICE] = { "DEVICE", "block device", 0 },
	[C_SCORE] = { "SCORE", "0 healthy .. 100 failing", TABLE_RIGHT },
	[C_P7] = { "7-DAYS", "percent that fail within a week", TABLE_RIGHT },
	[C_P30] = { "30-DAYS", "within a month", TABLE_RIGHT },
	[C_P90] = { "90-DAYS", "within a quarter", TABLE_RIGHT },
	[C_MODE] = { "WARNING", "the early warning that weighs most", 0 },
	[C_SINCE] = { "SINCE", "for how long it has been there", TABLE_RIGHT },
	[C_SERIAL] = { "SERIAL", "of the disk", TABLE_HIDDEN },
	[C_MODEL] = { "MODEL", "of the disk", TABLE_HIDDEN },
	[C_STALE] = { "STALE", "whether the data is too old to act on", TABLE_HIDDEN },
	[C_WHY] = { "WHY", "the strongest reason", TABLE_TRUNC },
	{ NULL, NULL, 0 },
};

enum { F_COUNTED, F_POINTS, F_MODE, F_FACTOR, F_VALUE, F_SINCE, F_WHY };

static const struct table_col factor_cols[] = {
	[F_COUNTED] = { "COUNTED", "points of the score that it makes", TABLE_RIGHT },
	[F_POINTS] = { "POINTS", "what it alone would give", TABLE_RIGHT },
	[F_MODE] = { "MODE", "way of failing that it belongs to", 0 },
	[F_FACTOR] = { "FACTOR", "what was looked at", 0 },
	[F_VALUE] = { "VALUE", "what it was", 0 },
	[F_SINCE] = { "SINCE", "for how long", TABLE_RIGHT },
	[F_WHY] = { "WHY", "what that means", TABLE_TRUNC },
	{ NULL, NULL, 0 },
};

static const char *const brief[] = {
	"pool", "pool_name", "member", "uuid", "device", "model", "serial", "score", "stale",
	"at_risk", "mode", "blocked", "probability", "early_warnings", "reasons",
	NULL
};
static const char *const full[] = {
	"pool", "pool_name", "member", "uuid", "device", "model", "serial", "score", "stale",
	"at_risk", "at_risk_since", "quiet_since", "probability",
	"early_warnings", "modes", "factors", "slow", "forecast", "smart_age",
	"smart_problem", "asleep", "io_errors", NULL
};

static void set_score(struct table *t, size_t col, struct json_object *o)
{
	int64_t score = foresight_int(o, "score");

	if (score < 0)
		table_set(t, col, "-");
	else
		table_set(t, col, "%lld", (long long)score);
	table_color(t, col, score > 70 ? CTL_BAD : score > 50 ? CTL_WARN :
							       CTL_PLAIN);
}

static char *percent(struct json_object *o, const char *key, char *buf,
		     size_t size)
{
	double p = foresight_number(ads_json_get(o, "probability"), key);

	if (isnan(p))
		snprintf(buf, size, "-");
	else
		snprintf(buf, size, p < 0.001 ? "%.2f%%" : p < 0.1 ? "%.1f%%" :
			 "%.0f%%", p * 100);
	return buf;
}

static struct json_object *strongest(struct json_object *list)
{
	struct json_object *best = NULL;

	for (size_t i = 0; json_object_is_type(list, json_type_array) &&
			   i < json_object_array_length(list); i++) {
		struct json_object *w = json_object_array_get_idx(list, i);

		if (!best || foresight_int(w, "points") >
			     foresight_int(best, "points"))
			best = w;
	}
	return best;
}

static void row(struct table *t, struct json_object *m)
{
	struct json_object *w = strongest(ads_json_get(m, "early_warnings"));
	struct json_object *r = strongest(ads_json_get(m, "reasons"));
	char text[64];
	bool stale = false;

	ads_json_get_bool(m, "stale", &stale);
	table_row(t);
	table_set(t, C_MEMBER, "%lld", (long long)foresight_int(m, "member"));
	table_set(t, C_DEVICE, "%s", agent_str(m, "device"));
	set_score(t, C_SCORE, m);
	table_set(t, C_P7, "%s", percent(m, "days_7", text, sizeof(text)));
	table_set(t, C_P30, "%s", percent(m, "days_30", text, sizeof(text)));
	table_set(t, C_P90, "%s", percent(m, "days_90", text, sizeof(text)));
	table_set(t, C_MODE, "%s", w ? agent_str(w, "type") : "-");
	table_set(t, C_SINCE, "%s", w ? foresight_since(w, "since", text,
							sizeof(text)) : "-");
	table_set(t, C_SERIAL, "%s", agent_str(m, "serial"));
	table_set(t, C_MODEL, "%s", agent_str(m, "model"));
	table_set(t, C_STALE, "%s", stale ? "yes" : "no");
	table_set(t, C_WHY, "%s", r ? agent_str(r, "text") : "-");
}

static bool wanted(const struct ctl *c, struct json_object *m)
{
	return !c->pool || !strcmp(c->pool, agent_str(m, "pool")) ||
	       !strcmp(c->pool, agent_str(m, "pool_name"));
}

static void causes(struct ctl *c, struct json_object *answer)
{
	struct json_object *list = ads_json_get(answer, "shared_causes");

	if (c->doc) {
		json_object_object_add(c->doc, "shared_causes",
				       json_object_get(list));
		return;
	}
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *k = json_object_array_get_idx(list, i);

		ctl_say(c, "%s (%s): %s have it together; look for what they share",
			agent_str(k, "type"), agent_str(k, "mode"),
			agent_str(k, "text"));
	}
}

static int show_all(struct ctl *c)
{
	struct json_object *answer, *list, *out = NULL;
	struct table t;
	int rc;

	rc = foresight_ask(c, "status", NULL, &answer);
	if (rc)
		return rc;
	list = ads_json_get(answer, "members");
	if (c->doc)
		out = ads_json_arr(c->doc, "members");
	else
		table_init(&t, c, cols);
	for (size_t i = 0; json_object_is_type(list, json_type_array) &&
			   i < json_object_array_length(list); i++) {
		struct json_object *m = json_object_array_get_idx(list, i);

		if (!wanted(c, m))
			continue;
		if (out)
			foresight_copy(ads_json_push(out), m, brief);
		else
			row(&t, m);
	}
	if (!out) {
		table_print(&t, "");
		table_free(&t);
	}
	causes(c, answer);
	json_object_put(answer);
	return CTL_OK;
}

static void factors(struct ctl *c, struct json_object *m)
{
	struct json_object *list = ads_json_get(m, "factors");
	struct table t;
	char text[64];

	table_init(&t, c, factor_cols);
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *f = json_object_array_get_idx(list, i);

		table_row(&t);
		table_set(&t, F_COUNTED, "%lld",
			  (long long)foresight_int(f, "counted"));
		table_set(&t, F_POINTS, "%lld",
			  (long long)foresight_int(f, "points"));
		table_set(&t, F_MODE, "%s", agent_str(f, "mode"));
		table_set(&t, F_FACTOR, "%s", agent_str(f, "factor"));
		table_set(&t, F_VALUE, "%s", agent_str(f, "value"));
		table_set(&t, F_SINCE, "%s",
			  foresight_since(f, "since", text, sizeof(text)));
		table_set(&t, F_WHY, "%s", agent_str(f, "text"));
	}
	table_print(&t, "  ");
	table_free(&t);
}

static void warnings(struct json_object *m)
{
	struct json_object *list = ads_json_get(m, "early_warnings");
	char since[64];

	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *w = json_object_array_get_idx(list, i);
		const char *shared = agent_str(w, "shared");

		printf("  early warning: %s for %s%s%s%s\n",
		       agent_str(w, "type"),
		       foresight_since(w, "since", since, sizeof(since)),
		       strcmp(shared, "-") ? ", together with " : "",
		       strcmp(shared, "-") ? shared : "",
		       strcmp(shared, "-") ? ": half of it is put down to that" :
		       "");
	}
}

static void forecast(struct json_object *m)
{
	struct json_object *list, *f = ads_json_get(m, "forecast");
	char ahead[32], low[32], value[32], high[32];

	list = f ? ads_json_get(f, "bytes_per_second") : NULL;
	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		struct json_object *r = json_object_array_get_idx(list, i);

		printf("  load in %s: %s/s, nine of ten between %s and %s\n",
		       ads_format_duration(foresight_number(r, "ahead_seconds"),
					   ahead, sizeof(ahead)),
		       chart_size(foresight_number(r, "value"), value,
				  sizeof(value)),
		       chart_size(foresight_number(r, "low"), low, sizeof(low)),
		       chart_size(foresight_number(r, "high"), high,
				  sizeof(high)));
	}
}

static void chart(struct json_object *history)
{
	struct json_object *days = ads_json_get(history, "days");
	size_t nr, skip;
	double *v = foresight_series(days, "score", &nr);
	char from[32], to[32];

	skip = nr > CHART_DAYS ? nr - CHART_DAYS : 0;
	if (nr > 1)
		chart_print(stdout, "  score by day", v + skip, nr - skip, 0,
			    100, chart_number,
			    foresight_day(foresight_int(
				json_object_array_get_idx(days, skip), "time"),
				from, sizeof(from)),
			    foresight_day(foresight_int(
				json_object_array_get_idx(days, nr - 1), "time"),
				to, sizeof(to)));
	free(v);
}

/* Is the mode that the probability is of one that was measured? */
static bool is_measured(struct json_object *m)
{
	struct json_object *list = ads_json_get(m, "modes");
	double best = -1;
	bool measured = false;

	for (size_t i = 0; i < agent_count(list); i++) {
		struct json_object *k = json_object_array_get_idx(list, i);
		double p = foresight_number(ads_json_get(k, "probability"),
					    "days_30");

		if (!(p > best))
			continue;
		best = p;
		ads_json_get_bool(k, "measured", &measured);
	}
	return measured;
}

static void explain(struct ctl *c, struct json_object *m)
{
	int64_t score = foresight_int(m, "score");
	bool stale = false, risk = false;
	char p7[32], p30[32], p90[32], text[64];

	ads_json_get_bool(m, "stale", &stale);
	ads_json_get_bool(m, "at_risk", &risk);
	if (score < 0) {
		ctl_say(c, "%s: not known; %s", agent_str(m, "device"),
			agent_str(m, "smart_problem"));
	} else {
		printf("%s: score %lld of 100%s%s\n",
		       agent_str(m, "device"), (long long)score,
		       risk ? ", at risk for " : "",
		       risk ? foresight_since(m, "at_risk_since", text,
					      sizeof(text)) : "");
		printf("  %s within 7 days: %s, 30 days: %s, 90 days: %s\n",
		       is_measured(m) ? "disks like this fail" :
		       "it is taken to fail (a rule, not measured)",
		       percent(m, "days_7", p7, sizeof(p7)),
		       percent(m, "days_30", p30, sizeof(p30)),
		       percent(m, "days_90", p90, sizeof(p90)));
	}
	if (stale)
		printf("  stale: its SMART data is %s old; nothing is begun on it\n",
		       ads_format_duration((double)foresight_int(m, "smart_age"),
					   text, sizeof(text)));
	factors(c, m);
	warnings(m);
	forecast(m);
}

static int show_one(struct ctl *c, const char *member)
{
	struct json_object *m, *history;
	int rc = foresight_ask(c, "risk", member, &m);

	if (rc)
		return rc;
	rc = foresight_ask(c, "history", member, &history);
	if (rc) {
		json_object_put(m);
		return rc;
	}
	if (c->doc) {
		static const char *const days[] = { "days", NULL };
		struct json_object *o;

		o = ads_json_push(ads_json_arr(c->doc, "members"));
		foresight_copy(o, m, full);
		foresight_copy(o, history, days);
		ads_json_arr(c->doc, "shared_causes");
	} else {
		explain(c, m);
		chart(history);
	}
	json_object_put(history);
	json_object_put(m);
	return CTL_OK;
}

static int run(struct ctl *c, int argc, char **argv)
{
	while (ctl_getopt(c, argc, argv) != -1)
		;
	if (argc - optind > 1)
		ctl_usage(c, "one member at most");
	return optind < argc ? show_one(c, argv[optind]) : show_all(c);
}

const struct ctl_cmd ctl_risk = {
	.name = "risk",
	.args = "[MEMBER]",
	.summary = "Show how likely members fail, or explain one of them",
	.flags = CTL_TABLE,
	.run = run,
};
