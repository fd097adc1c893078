// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * adshardctl history: how scores, temperatures, counters and loads went; and the
 * way out of the agent's database and into it, as CSV.
 */
#include <errno.h>
#include <getopt.h>
#include <libgen.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/units.h"

#include "chart.h"
#include "foresight.h"
#include "table.h"
#include "verbs.h"

static const struct ctl_opt opts[] = {
	{ 'w', "what", "WHAT", "score, temperature, load, latency or counters [all]" },
	{ 'd', "days", "NUMBER", "of the last so many days [30]" },
	{ 'e', "export", "KIND", "print CSV of the database: changes, days, loads, scores, slow or fleet" },
	{ 'i', "import", "FILE", "take CSV into the database (- for stdin); the agent must not run" },
	{ 0, NULL, NULL, NULL },
};

enum { C_NAME, C_VALUE, C_MONTH, C_CHANGES, C_RISE, C_FIRST };

static const struct table_col cols[] = {
	[C_NAME] = { "COUNTER", "what the drive counts", 0 },
	[C_VALUE] = { "VALUE", "where it stands", TABLE_RIGHT },
	[C_MONTH] = { "THEN", "where it stood when the time shown begins", TABLE_RIGHT },
	[C_CHANGES] = { "CHANGES", "days on which it changed", TABLE_RIGHT },
	[C_RISE] = { "LAST-RISE", "how long ago", TABLE_RIGHT },
	[C_FIRST] = { "KNOWN", "for how long", TABLE_RIGHT },
	{ NULL, NULL, 0 },
};

enum { SCORE = 1, TEMPERATURE = 2, LOAD = 4, LATENCY = 8, COUNTERS = 16 };

struct options {
	unsigned int what;
	uint64_t days;
	const char *export, *import;
};

static unsigned int parse_what(struct ctl *c, const char *s)
{
	static const char *const names[] = {
		"score", "temperature", "load", "latency", "counters",
	};

	for (int i = 0; i < 5; i++)
		if (!strcmp(s, names[i]))
			return 1U << i;
	ctl_usage(c, "--what %s: score, temperature, load, latency or counters",
		  s);
}

/* Days that are not older than @days are behind the returned index. */
static size_t first_day(struct json_object *list, int64_t oldest)
{
	size_t n = json_object_array_length(list), i;

	for (i = 0; i < n; i++)
		if (foresight_int(json_object_array_get_idx(list, i), "time") >=
		    oldest)
			break;
	return i;
}

static void by_day(struct json_object *days, size_t from, const char *key,
		   const char *title, double low, double high)
{
	size_t nr;
	double *v = foresight_series(days, key, &nr);
	char a[32], b[32];

	if (nr > from)
		chart_print(stdout, title, v + from, nr - from, low, high,
			    chart_number,
			    foresight_day(foresight_int(
				json_object_array_get_idx(days, from), "time"),
				a, sizeof(a)),
			    foresight_day(foresight_int(
				json_object_array_get_idx(days, nr - 1), "time"),
				b, sizeof(b)));
	free(v);
}

static void by_step(struct json_object *load, const char *key,
		    const char *title, int64_t oldest,
		    char *(*label)(double v, char *buf, size_t size))
{
	int64_t start = foresight_int(load, "start");
	int64_t step = foresight_int(load, "step_seconds"), skip;
	size_t nr;
	double *v = foresight_series(ads_json_get(load, key), NULL, &nr);
	char a[32], b[32];

	skip = step > 0 && oldest > start ? (oldest - start) / step : 0;
	if (step > 0 && (size_t)skip < nr)
		chart_print(stdout, title, v + skip, nr - skip, 0, NAN, label,
			    ads_format_time(start + skip * step, a, sizeof(a)),
			    ads_format_time(start + (int64_t)nr * step, b,
					    sizeof(b)));
	free(v);
}

static void counter(struct table *t, struct json_object *k, int64_t oldest)
{
	struct json_object *list = ads_json_get(k, "changes");
	size_t n = json_object_array_length(list), recent = 0;
	int64_t then = -1;
	char text[64];

	for (size_t i = 0; i < n; i++) {
		struct json_object *o = json_object_array_get_idx(list, i);

		if (foresight_int(o, "time") < oldest || then < 0)
			then = foresight_int(o, "value");
		recent += foresight_int(o, "time") >= oldest;
	}
	table_row(t);
	table_set(t, C_NAME, "%s", agent_str(k, "name"));
	table_set(t, C_VALUE, "%lld", (long long)foresight_int(k, "value"));
	table_set(t, C_MONTH, "%lld", (long long)then);
	table_set(t, C_CHANGES, "%zu", recent);
	table_set(t, C_RISE, "%s",
		  foresight_since(k, "last_rise", text, sizeof(text)));
	table_set(t, C_FIRST, "%s",
		  foresight_since(k, "first_seen", text, sizeof(text)));
}

static void counters(struct ctl *c, struct json_object *list, int64_t oldest)
{
	struct table t;

	table_init(&t, c, cols);
	for (size_t i = 0; i < json_object_array_length(list); i++)
		counter(&t, json_object_array_get_idx(list, i), oldest);
	table_print(&t, "");
	table_free(&t);
}

static int show(struct ctl *c, const struct options *o, const char *member)
{
	static const char *const keys[] = {
		"pool", "pool_name", "member", "uuid", "device", "days", "counters", "load",
		NULL
	};
	int64_t oldest = (int64_t)time(NULL) - (int64_t)o->days * 86400;
	struct json_object *h, *days, *load;
	size_t from;
	int rc = foresight_ask(c, "history", member, &h);

	if (rc)
		return rc;
	if (c->doc) {
		foresight_copy(c->doc, h, keys);
		json_object_put(h);
		return CTL_OK;
	}
	days = ads_json_get(h, "days");
	load = ads_json_get(h, "load");
	from = first_day(days, oldest - oldest % 86400);
	if (o->what & SCORE)
		by_day(days, from, "score", "score", 0, 100);
	if (o->what & TEMPERATURE)
		by_day(days, from, "temperature", "temperature (C)", NAN, NAN);
	if (o->what & LOAD) {
		by_step(load, "bytes_per_second", "bytes per second", oldest,
			chart_size);
		by_step(load, "requests_per_second", "requests per second",
			oldest, chart_number);
	}
	if (o->what & LATENCY) {
		by_step(load, "read_latency", "latency of reads", oldest,
			chart_seconds);
		by_step(load, "write_latency", "latency of writes", oldest,
			chart_seconds);
	}
	if (o->what & COUNTERS)
		counters(c, ads_json_get(h, "counters"), oldest);
	json_object_put(h);
	return CTL_OK;
}

/* The database is the agent's, and so is the program that knows it. */
static int hand_over(struct ctl *c, const char *option, const char *arg)
{
	char self[PATH_MAX], path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (n > 0) {
		self[n] = 0;
		snprintf(path, sizeof(path), "%s/adshardd", dirname(self));
		execl(path, "adshardd", option, arg, NULL);
	}
	execlp("adshardd", "adshardd", option, arg, NULL);
	return ctl_fail(c, CTL_FAILED, "adshardd can't be run: %s",
			strerror(errno));
}

static int run(struct ctl *c, int argc, char **argv)
{
	struct options o = { .what = ~0U, .days = 30 };
	int val;

	while ((val = ctl_getopt(c, argc, argv)) != -1) {
		switch (val) {
		case 'w':
			o.what = parse_what(c, optarg);
			break;
		case 'd':
			o.days = ctl_parse_u64(c, "--days", optarg, 100000);
			break;
		case 'e':
			o.export = optarg;
			break;
		case 'i':
			o.import = optarg;
			break;
		}
	}
	if (o.export || o.import) {
		if (c->doc || optind < argc || (o.export && o.import))
			ctl_usage(c, "--export and --import go with nothing else");
		return o.export ? hand_over(c, "--export", o.export) :
				  hand_over(c, "--import", o.import);
	}
	if (argc - optind != 1)
		ctl_usage(c, "one member");
	return show(c, &o, argv[optind]);
}

const struct ctl_cmd ctl_history = {
	.name = "history",
	.args = "MEMBER",
	.summary = "Show how scores, counters and loads went; export, import",
	.opts = opts,
	.flags = CTL_TABLE,
	.run = run,
};
