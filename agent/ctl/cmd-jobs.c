// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * adshardctl jobs, job: what the agent does, what waits for what, and the
 * operator's say in it.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/units.h"

#include "agent.h"
#include "table.h"
#include "verbs.h"

static const struct ctl_opt jobs_opts[] = {
	{ 'a', "all", NULL, "those that have ended, too" },
	{ 0, NULL, NULL, NULL },
};

enum {
	C_JOB, C_KIND, C_WHAT, C_STATE, C_PRIORITY, C_DONE, C_SEGMENTS,
	C_RATE, C_ETA, C_WHY, C_POOL, C_BY
};

static const struct table_col cols[] = {
	[C_JOB] = { "JOB", "its number, - for what is not a job of the agent", TABLE_RIGHT },
	[C_KIND] = { "KIND", "evacuate, migrate", 0 },
	[C_WHAT] = { "WHAT", "which member, or the pool", 0 },
	[C_STATE] = { "STATE", "draining, paused, waiting, moving, or how it has ended", 0 },
	[C_PRIORITY] = { "PRIO", "0 to 100, the highest goes first; * if it was given", TABLE_RIGHT },
	[C_DONE] = { "DONE", "share of the bytes", TABLE_RIGHT },
	[C_SEGMENTS] = { "SEGMENTS", "done, and how many there are", TABLE_RIGHT },
	[C_RATE] = { "RATE", "bytes per second at the moment", TABLE_RIGHT },
	[C_ETA] = { "ETA", "time left at that rate", TABLE_RIGHT },
	[C_WHY] = { "WHY", "why it is done, and why it does not go on", TABLE_TRUNC },
	[C_POOL] = { "POOL", "UUID of the pool", TABLE_HIDDEN },
	[C_BY] = { "BY", "agent or operator", TABLE_HIDDEN },
	{ NULL, NULL, 0 },
};

static bool has_ended(struct json_object *job)
{
	return ads_json_get(job, "finished");
}

static void job_row(struct table *t, struct json_object *job)
{
	const char *state = agent_str(job, "state"), *reason, *note = "";
	uint64_t total = (uint64_t)agent_int(job, "bytes_total");
	uint64_t done = (uint64_t)agent_int(job, "bytes_done");
	bool paused = false, given = false, by_agent = false;
	char buf[32];
	double eta;

	ads_json_get_bool(job, "paused", &paused);
	ads_json_get_bool(job, "priority_is_given", &given);
	ads_json_get_bool(job, "by_agent", &by_agent);
	ads_json_get_str(job, "note", &note);
	reason = agent_str(job, "reason");
	table_row(t);
	table_set(t, C_JOB, "%lld", (long long)agent_int(job, "id"));
	table_set(t, C_KIND, "%s", agent_str(job, "kind"));
	if (ads_json_get(job, "member"))
		table_set(t, C_WHAT, "member %lld",
			  (long long)agent_int(job, "member"));
	else
		table_set(t, C_WHAT, "pool");
	if (has_ended(job))
		paused = false;
	table_set(t, C_STATE, "%s", paused ? "paused" : state);
	if (paused)
		table_color(t, C_STATE, CTL_WARN);
	table_set(t, C_PRIORITY, "%lld%s",
		  (long long)agent_int(job, "priority"), given ? "*" : "");
	/* Until it has ended it isn't finished. */
	if (done && done >= total && !has_ended(job))
		done = total - 1;
	table_set(t, C_DONE, "%s", ads_format_percent(done, total, buf,
						      sizeof(buf)));
	table_set(t, C_SEGMENTS, "%lld of %lld",
		  (long long)agent_int(job, "segments_done"),
		  (long long)agent_int(job, "segments_total"));
	if (has_ended(job))
		table_set(t, C_RATE, "-");
	else
		table_size(t, C_RATE, (uint64_t)agent_num(job, "rate"));
	if (!ads_json_get_double(job, "eta", &eta))
		eta = -1;
	table_set(t, C_ETA, "%s", ads_format_duration(eta, buf, sizeof(buf)));
	table_set(t, C_WHY, "%s%s%s", reason, *note ? "; " : "", note);
	table_set(t, C_POOL, "%s", agent_str(job, "pool"));
	table_set(t, C_BY, "%s", by_agent ? "agent" : "operator");
}

static void none(struct table *t)
{
	table_set(t, C_JOB, "-");
	table_set(t, C_PRIORITY, "-");
	table_set(t, C_DONE, "-");
	table_set(t, C_SEGMENTS, "-");
	table_set(t, C_RATE, "-");
	table_set(t, C_ETA, "-");
}

static void by_hand_row(struct table *t, struct json_object *o)
{
	char buf[32];

	table_row(t);
	none(t);
	table_set(t, C_KIND, "migrate");
	table_set(t, C_WHAT, "pool");
	table_set(t, C_STATE, "moving");
	table_set(t, C_DONE, "%s",
		  ads_format_percent((uint64_t)agent_int(o, "bytes_done"),
				     (uint64_t)agent_int(o, "bytes_total"),
				     buf, sizeof(buf)));
	table_set(t, C_SEGMENTS, "%lld on their way",
		  (long long)agent_int(o, "segments"));
	table_set(t, C_WHY, "begun without the agent; it goes before what the agent wants");
	table_set(t, C_POOL, "%s", agent_str(o, "pool"));
	table_set(t, C_BY, "operator");
}

static void waiting_row(struct table *t, struct json_object *o)
{
	table_row(t);
	none(t);
	table_set(t, C_KIND, "%s", agent_str(o, "kind"));
	table_set(t, C_WHAT, "member %lld", (long long)agent_int(o, "member"));
	table_set(t, C_STATE, "waiting");
	table_color(t, C_STATE, CTL_WARN);
	table_set(t, C_WHY, "%s", agent_str(o, "why"));
	table_set(t, C_POOL, "%s", agent_str(o, "pool"));
	table_set(t, C_BY, "agent");
}

/* Of the wanted pool, by UUID; no pool is all of them. */
static bool is_of(struct json_object *o, const char *pool)
{
	return !pool || !strcmp(agent_str(o, "pool"), pool);
}

/* Below the table: by which rule one wish went before another. */
static void print_conflicts(struct json_object *answer, const char *pool)
{
	struct json_object *list = ads_json_get(answer, "conflicts");

	for (size_t i = 0; i < agent_count(list); i++) {
		struct json_object *o = json_object_array_get_idx(list, i);

		if (!is_of(o, pool))
			continue;
		printf("rule: %s (%s before %s", agent_str(o, "rule"),
		       agent_str(o, "winner"), agent_str(o, "loser"));
		if (ads_json_get(o, "member"))
			printf("; member %lld",
			       (long long)agent_int(o, "member"));
		if (ads_json_get(o, "segment"))
			printf("; %lld segments, the first is %lld",
			       (long long)agent_int(o, "segments"),
			       (long long)agent_int(o, "segment"));
		puts(")");
	}
}

typedef void (*row_fn)(struct table *t, struct json_object *o);

static size_t show(struct ctl *c, struct table *t, struct json_object *answer,
		   const char *key, const char *pool, bool all, row_fn row)
{
	struct json_object *list = ads_json_get(answer, key), *out = NULL;
	size_t n = agent_count(list), shown = 0;

	if (c->doc)
		out = ads_json_arr(c->doc, key);
	for (size_t i = 0; i < n; i++) {
		struct json_object *o = json_object_array_get_idx(list, i);

		if (!is_of(o, pool) || (!all && has_ended(o)))
			continue;
		shown++;
		if (out)
			json_object_array_add(out, json_object_get(o));
		else
			row(t, o);
	}
	return shown;
}

/* --pool takes a name too, which only the kernel knows. */
static int pool_uuid(struct ctl *c, char uuid[ADS_UUID_STR])
{
	struct ads_pool p;
	int rc = ctl_load_pool(c, &p, NULL, NULL);

	if (!rc)
		ads_format_uuid(p.uuid, uuid);
	return rc;
}

static int jobs(struct ctl *c, int argc, char **argv)
{
	struct json_object *answer;
	char uuid[ADS_UUID_STR];
	const char *pool = NULL;
	struct table t;
	bool all = false;
	size_t n;
	int val, rc;

	while ((val = ctl_getopt(c, argc, argv)) != -1)
		all |= val == 'a';
	if (optind < argc)
		ctl_usage(c, "%s: no arguments, please", argv[optind]);
	if (c->pool) {
		rc = pool_uuid(c, uuid);
		if (rc)
			return rc;
		pool = uuid;
	}
	rc = agent_ask(c, agent_request(c, "jobs"), &answer);
	if (rc)
		return rc;
	if (!c->doc)
		table_init(&t, c, cols);
	n = show(c, &t, answer, "jobs", pool, all, job_row);
	n += show(c, &t, answer, "by_hand", pool, all, by_hand_row);
	n += show(c, &t, answer, "waiting", pool, all, waiting_row);
	if (c->doc)
		show(c, NULL, answer, "conflicts", pool, true, NULL);
	if (!c->doc) {
		if (n)
			table_print(&t, "");
		else
			ctl_say(c, "nothing is being done%s", all ?
				", and nothing has been" : "");
		table_free(&t);
		print_conflicts(answer, pool);
	}
	json_object_put(answer);
	return CTL_OK;
}

/* -- one job --------------------------------------------------------------------- */

static int job(struct ctl *c, int argc, char **argv)
{
	static const struct {
		const char *name, *done;
	} actions[] = {
		{ "cancel", "cancelled; what has moved stays where it is, and the agent leaves the rest alone for some days" },
		{ "pause", "paused: nothing more of it is begun until 'adshardctl job resume'" },
		{ "resume", "goes on" },
		{ "priority", "has its new priority" },
	};
	size_t n = sizeof(actions) / sizeof(actions[0]), i;
	struct json_object *req, *answer;
	uint64_t id;
	int rc;

	while (ctl_getopt(c, argc, argv) != -1)
		;
	if (optind == argc)
		ctl_usage(c, "what to do? cancel, pause, resume or priority");
	for (i = 0; i < n && strcmp(actions[i].name, argv[optind]); i++)
		;
	if (i == n)
		ctl_usage(c, "a job can't be told to %s: only cancel, pause, resume, priority",
			  argv[optind]);
	if (optind + 1 == argc)
		ctl_usage(c, "which job? ('adshardctl jobs' has their numbers)");
	id = ctl_parse_u64(c, "the job", argv[optind + 1], INT64_MAX);
	if (argc - optind != (i == 3 ? 3 : 2))
		ctl_usage(c, i == 3 ? "which priority? 0 to 100, or auto" :
			  "one job at a time");
	req = agent_request(c, "job");
	ads_json_u64(req, "job", id);
	ads_json_str(req, "action", actions[i].name);
	if (i == 3 && strcmp(argv[optind + 2], "auto"))
		ads_json_u64(req, "priority",
			     ctl_parse_u64(c, "the priority", argv[optind + 2],
					   100));
	rc = agent_ask(c, req, &answer);
	if (rc)
		return rc;
	json_object_put(answer);
	if (c->doc) {
		ads_json_u64(c->doc, "job", id);
		ads_json_str(c->doc, "action", actions[i].name);
	}
	ctl_say(c, "job %llu %s", (unsigned long long)id, actions[i].done);
	return CTL_OK;
}

const struct ctl_cmd ctl_jobs = {
	.name = "jobs",
	.args = "",
	.summary = "Show the agent's jobs, and what waits for what",
	.opts = jobs_opts,
	.flags = CTL_TABLE,
	.run = jobs,
};

const struct ctl_cmd ctl_job = {
	.name = "job",
	.args = "cancel|pause|resume JOB | priority JOB 0-100|auto",
	.summary = "Cancel, pause, resume a job, or set its priority",
	.flags = CTL_NO_POOL,
	.run = job,
};
