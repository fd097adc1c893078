// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * adshardctl replay: the agent's decisions once more, out of its record of them, by
 * the same planner. What comes out otherwise was decided by another version.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/planlog.h"

#include "table.h"
#include "verbs.h"

static const struct ctl_opt opts[] = {
	{ 'd', "different", NULL, "only those that come out otherwise" },
	{ 0, NULL, NULL, NULL },
};

enum { C_LINE, C_TIME, C_STARTED, C_RESULT, C_WHY };

static const struct table_col cols[] = {
	[C_LINE] = { "LINE", "of the file", TABLE_RIGHT },
	[C_TIME] = { "TIME", "when it was decided", 0 },
	[C_STARTED] = { "BEGUN", "moves that were begun", TABLE_RIGHT },
	[C_RESULT] = { "REPLAY", "same, different, skipped", 0 },
	[C_WHY] = { "WHY", "the first move's reason, or what is wrong", TABLE_TRUNC },
	{ NULL, NULL, 0 },
};

struct counts {
	uint64_t same, different, skipped;
};

struct outcome {
	const char *result;
	char why[300];
	struct json_object *now;	/* what would begin, if different */
};

static void first_reason(const struct planlog *l, char *buf, size_t size)
{
	struct json_object *list = ads_json_get(l->decided, "started"), *a;
	const char *why = "judged members, began nothing";

	a = json_object_is_type(list, json_type_array) ?
	    json_object_array_get_idx(list, 0) : NULL;
	if (a)
		ads_json_get_str(a, "why", &why);
	snprintf(buf, size, "%s", why);
}

static void decide_again(struct planlog *l, struct outcome *o)
{
	struct ads_err err = { "" };
	struct plan_result *r;
	int rc;

	rc = plan_run(&l->s, &l->policy, l->max, &r, &err);
	if (rc) {
		o->result = "different";
		snprintf(o->why, sizeof(o->why), "can't be planned: %.250s",
			 ads_err_text(&err, rc));
		return;
	}
	first_reason(l, o->why, sizeof(o->why));
	if (planlog_id(&l->s, r) == l->id) {
		o->result = "same";
	} else {
		o->result = "different";
		o->now = planlog_actions(&l->s, &l->policy, r, r->nr_start);
	}
	plan_result_free(r);
}

static void row(struct ctl *c, struct table *t, struct json_object *list,
		uint64_t line, const struct planlog *l,
		const struct outcome *o)
{
	struct json_object *e, *started = l ? ads_json_get(l->decided,
							   "started") : NULL;
	size_t n = json_object_is_type(started, json_type_array) ?
		   json_object_array_length(started) : 0;
	time_t when = l ? (time_t)l->time : 0;
	char text[32] = "-";
	struct tm tm;

	if (c->doc) {
		e = ads_json_push(list);
		ads_json_u64(e, "line", line);
		if (when)
			ads_json_i64(e, "time", when);
		else
			ads_json_null(e, "time");
		ads_json_str(e, "pool", l && l->pool[0] ? l->pool : NULL);
		ads_json_u64(e, "begun", n);
		ads_json_str(e, "result", o->result);
		ads_json_str(e, "why", o->why);
		json_object_object_add(e, "now", json_object_get(o->now));
		return;
	}
	if (when && localtime_r(&when, &tm))
		strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm);
	table_row(t);
	table_set(t, C_LINE, "%llu", (unsigned long long)line);
	table_set(t, C_TIME, "%s", text);
	table_set(t, C_STARTED, "%zu", n);
	table_set(t, C_RESULT, "%s", o->result);
	table_color(t, C_RESULT, !strcmp(o->result, "same") ? CTL_GOOD :
		    !strcmp(o->result, "skipped") ? CTL_WARN : CTL_BAD);
	table_set(t, C_WHY, "%s", o->why);
}

static void replay_line(struct ctl *c, struct table *t,
			struct json_object *list, const char *text,
			uint64_t line, bool only, struct counts *n)
{
	struct outcome o = { .result = "skipped" };
	struct ads_err err = { "" };
	struct planlog l;
	int rc = planlog_decode(text, &l, &err);

	if (rc)
		snprintf(o.why, sizeof(o.why), "%.290s", ads_err_text(&err, rc));
	else
		decide_again(&l, &o);
	n->same += !strcmp(o.result, "same");
	n->different += !strcmp(o.result, "different");
	n->skipped += !strcmp(o.result, "skipped");
	if (!only || strcmp(o.result, "same"))
		row(c, t, list, line, rc ? NULL : &l, &o);
	json_object_put(o.now);
	if (!rc)
		planlog_free(&l);
}

static int replay(struct ctl *c, int argc, char **argv)
{
	struct json_object *list = NULL;
	struct counts n = { 0 };
	char *text = NULL;
	size_t size = 0;
	uint64_t line = 0;
	bool only = false;
	struct table t;
	ssize_t len;
	int val;
	FILE *f;

	while ((val = ctl_getopt(c, argc, argv)) != -1)
		only |= val == 'd';
	if (argc - optind != 1)
		ctl_usage(c, "which file? (/var/lib/adshard/decisions.log)");
	f = fopen(argv[optind], "re");
	if (!f)
		return ctl_fail(c, errno == ENOENT ? CTL_NOENT : CTL_FAILED,
				"%s: %s", argv[optind], strerror(errno));
	if (c->doc)
		list = ads_json_arr(c->doc, "decisions");
	else
		table_init(&t, c, cols);
	while ((len = getline(&text, &size, f)) > 0) {
		if (text[len - 1] == '\n')
			text[len - 1] = '\0';
		replay_line(c, &t, list, text, ++line, only, &n);
	}
	free(text);
	fclose(f);
	if (c->doc) {
		ads_json_u64(c->doc, "same", n.same);
		ads_json_u64(c->doc, "different", n.different);
		ads_json_u64(c->doc, "skipped", n.skipped);
	} else {
		if (n.different || n.skipped || (n.same && !only))
			table_print(&t, "");
		table_free(&t);
		ctl_say(c, "%llu decided the same, %llu otherwise, %llu can't be decided again",
			(unsigned long long)n.same,
			(unsigned long long)n.different,
			(unsigned long long)n.skipped);
	}
	if (n.different)
		return ctl_fail(c, CTL_ERRORS,
				"%llu of the decisions come out otherwise: they were made by another version, or the record is not what was decided by",
				(unsigned long long)n.different);
	return CTL_OK;
}

const struct ctl_cmd ctl_replay = {
	.name = "replay",
	.args = "FILE",
	.summary = "Make the agent's decisions again, out of its record of them",
	.opts = opts,
	.flags = CTL_TABLE | CTL_NO_POOL,
	.run = replay,
};
