// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * adshardctl plan: what the agent's planner would do now, why, how long it takes
 * and what comes of it; the same if things were otherwise; and the operator's yes.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/units.h"

#include "agent.h"
#include "table.h"
#include "verbs.h"

static const struct ctl_opt opts[] = {
	{ 'w', "what-if", "WHAT", "suppose fail=MEMBER, add=CLASS:SIZE or score=MEMBER:0-100; may be given several times" },
	{ 'a', "all", NULL, "all that is planned, not only what comes first" },
	{ 'A', "approve", NULL, "let it begin, though the mode is advise" },
	{ 0, NULL, NULL, NULL },
};

enum { C_DO, C_SEGMENT, C_FROM, C_TO, C_CAUSE, C_SIZE, C_TIME, C_WHEN, C_WHY };

static const struct table_col cols[] = {
	[C_DO] = { "DO", "move, replicate, drop, abort", 0 },
	[C_SEGMENT] = { "SEGMENT", "of the volume", TABLE_RIGHT },
	[C_FROM] = { "FROM", "member, by index", TABLE_RIGHT },
	[C_TO] = { "TO", "member, by index", TABLE_RIGHT },
	[C_CAUSE] = { "CAUSE", "what it is for", 0 },
	[C_SIZE] = { "SIZE", "bytes to be copied", TABLE_RIGHT },
	[C_TIME] = { "TIME", "that it takes", TABLE_RIGHT },
	[C_WHEN] = { "WHEN", "now, or what it waits for", 0 },
	[C_WHY] = { "WHY", "with the numbers behind it", TABLE_TRUNC },
	{ NULL, NULL, 0 },
};

/* "fail=sdb", "add=ssd:2T", "score=sdb:90" */
static void suppose(struct ctl *c, struct json_object *list, const char *text)
{
	const char *value = strchr(text, '='), *colon;
	struct json_object *o = ads_json_push(list);
	char part[128];

	if (!value || !value[1])
		ctl_usage(c, "--what-if takes fail=MEMBER, add=CLASS:SIZE or score=MEMBER:0-100, not %s",
			  text);
	value++;
	colon = strrchr(value, ':');
	snprintf(part, sizeof(part), "%.*s",
		 colon ? (int)(colon - value) : (int)strlen(value), value);
	if (!strncmp(text, "fail=", 5)) {
		ads_json_str(o, "what", "fail");
		ads_json_str(o, "member", value);
	} else if (!strncmp(text, "add=", 4) && colon) {
		ads_json_str(o, "what", "add");
		ads_json_str(o, "class", part);
		ads_json_u64(o, "size", ctl_parse_size(c, "--what-if add",
						       colon + 1));
	} else if (!strncmp(text, "score=", 6) && colon) {
		ads_json_str(o, "what", "score");
		ads_json_str(o, "member", part);
		ads_json_u64(o, "score", ctl_parse_u64(c, "--what-if score",
						       colon + 1, 100));
	} else {
		ctl_usage(c, "--what-if takes fail=MEMBER, add=CLASS:SIZE or score=MEMBER:0-100, not %s",
			  text);
	}
}

static void index_cell(struct table *t, size_t col, struct json_object *o,
		       const char *key)
{
	if (ads_json_get(o, key))
		table_set(t, col, "%lld", (long long)agent_int(o, key));
	else
		table_set(t, col, "-");
}

static void print_actions(struct ctl *c, struct json_object *list)
{
	size_t n = agent_count(list);
	struct table t;
	char buf[32];

	if (!n)
		return;
	table_init(&t, c, cols);
	for (size_t i = 0; i < n; i++) {
		struct json_object *a = json_object_array_get_idx(list, i);
		bool starts = false;

		ads_json_get_bool(a, "starts", &starts);
		table_row(&t);
		table_set(&t, C_DO, "%s", agent_str(a, "do"));
		index_cell(&t, C_SEGMENT, a, "segment");
		index_cell(&t, C_FROM, a, "from");
		index_cell(&t, C_TO, a, "to");
		table_set(&t, C_CAUSE, "%s", agent_str(a, "cause"));
		table_size(&t, C_SIZE, (uint64_t)agent_int(a, "bytes"));
		table_set(&t, C_TIME, "%s",
			  ads_format_duration(agent_num(a, "seconds"), buf,
					      sizeof(buf)));
		table_set(&t, C_WHEN, "%s", starts ? "now" :
			  agent_str(a, "waits"));
		table_set(&t, C_WHY, "%s", agent_str(a, "why"));
	}
	table_print(&t, "  ");
	table_free(&t);
}

static void print_change(struct json_object *answer)
{
	struct json_object *was = ads_json_get(answer, "before");
	struct json_object *is = ads_json_get(answer, "after");

	printf("  risk: %.3g segments expected to be lost within 30 days, %.3g when it is done\n",
	       agent_num(was, "segments_lost_30_days"),
	       agent_num(is, "segments_lost_30_days"));
	printf("  load: busiest member %.0f%%, then %.0f%%; an access takes %.2f ms, then %.2f ms\n",
	       100 * agent_num(was, "load_max"), 100 * agent_num(is, "load_max"),
	       1000 * agent_num(was, "latency_seconds"),
	       1000 * agent_num(is, "latency_seconds"));
}

/* Members of which there is something to say. */
static void print_members(struct json_object *list)
{
	for (size_t i = 0; i < agent_count(list); i++) {
		struct json_object *m = json_object_array_get_idx(list, i);
		int64_t leaving = agent_int(m, "leaving");
		int64_t arriving = agent_int(m, "arriving");
		int64_t stuck = agent_int(m, "no_place");

		if (!strcmp(agent_str(m, "band"), "ok") && !leaving &&
		    !arriving && !stuck)
			continue;
		printf("member: %lld %s, %lld segments, %lld leave, %lld come",
		       (long long)agent_int(m, "member"), agent_str(m, "why"),
		       (long long)agent_int(m, "segments"), (long long)leaving,
		       (long long)arriving);
		if (stuck)
			printf(", %lld find no place", (long long)stuck);
		putchar('\n');
	}
}

static void print_rest(struct json_object *answer)
{
	struct json_object *list = ads_json_get(answer, "problems");

	for (size_t i = 0; i < agent_count(list); i++)
		printf("  can't: %s\n",
		       agent_str(json_object_array_get_idx(list, i), "text"));
	list = ads_json_get(answer, "conflicts");
	for (size_t i = 0; i < agent_count(list); i++) {
		struct json_object *o = json_object_array_get_idx(list, i);

		printf("  rule: %s (%s before %s", agent_str(o, "rule"),
		       agent_str(o, "winner"), agent_str(o, "loser"));
		if (ads_json_get(o, "segment"))
			printf("; %lld segments, the first is %lld",
			       (long long)agent_int(o, "segments"),
			       (long long)agent_int(o, "segment"));
		printf(")\n");
	}
}

static void print_plan(struct ctl *c, struct json_object *answer, bool supposed)
{
	long long total = agent_int(answer, "actions_total");
	long long shown = agent_count(ads_json_get(answer, "actions"));
	const char *why_not = NULL;
	char size[32], time[32];

	if (agent_int(answer, "segments_lost"))
		printf("  lost: %lld segments have no other copy\n",
		       (long long)agent_int(answer, "segments_lost"));
	if (!total)
		printf("  plan: nothing to do\n");
	else
		printf("  plan: %lld to do, %lld begin now; %s to copy, done in about %s\n",
		       total, (long long)agent_int(answer, "actions_starting"),
		       ads_format_size((uint64_t)agent_int(answer, "bytes"),
				       false, size, sizeof(size)),
		       ads_format_duration(agent_num(answer, "seconds"), time,
					   sizeof(time)));
	if (!supposed && ads_json_get_str(answer, "nothing_begins", &why_not) &&
	    total)
		printf("  hold: what can wait does not begin: %s\n", why_not);
	print_change(answer);
	print_members(ads_json_get(answer, "members"));
	print_rest(answer);
	print_actions(c, ads_json_get(answer, "actions"));
	if (shown < total)
		printf("  ... and %lld more (--all)\n", total - shown);
}

static void to_document(struct ctl *c, struct json_object *answer)
{
	static const char *const keys[] = {
		"pool", "id", "time", "mode", "nothing_begins", "list_age",
		"segments_lost", "before", "after", "bytes", "seconds",
		"members", "jobs", "actions_total", "actions_starting",
		"actions", "problems", "conflicts",
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		agent_take(c, answer, keys[i]);
}

static int approve(struct ctl *c, struct json_object *answer)
{
	struct json_object *req = agent_request(c, "approve"), *yes;
	int rc;

	ads_json_str(req, "pool", agent_str(answer, "pool"));
	ads_json_i64(req, "plan", agent_int(answer, "id"));
	rc = agent_ask(c, req, &yes);
	if (rc)
		return rc;
	if (c->doc)
		ads_json_bool(c->doc, "approved", true);
	ctl_say(c, "approved: what is planned may begin, for a day; 'adshardctl jobs' shows how it goes");
	json_object_put(yes);
	return CTL_OK;
}

static int plan(struct ctl *c, int argc, char **argv)
{
	struct json_object *list = json_object_new_array(), *req, *answer;
	bool all = false, yes = false;
	int val, rc;

	while ((val = ctl_getopt(c, argc, argv)) != -1) {
		if (val == 'w')
			suppose(c, list, optarg);
		all |= val == 'a';
		yes |= val == 'A';
	}
	if (optind < argc)
		ctl_usage(c, "%s: no arguments, please", argv[optind]);
	if (yes && agent_count(list))
		ctl_usage(c, "what is only supposed can't be approved");
	req = agent_request(c, "plan");
	json_object_object_add(req, "what_if", json_object_get(list));
	if (all)
		ads_json_i64(req, "max", 0);
	rc = agent_ask(c, req, &answer);
	if (!rc) {
		if (c->doc) {
			to_document(c, answer);
			if (!yes)
				ads_json_bool(c->doc, "approved", false);
		} else {
			print_plan(c, answer, agent_count(list));
		}
		if (yes)
			rc = approve(c, answer);
	}
	json_object_put(answer);
	json_object_put(list);
	return rc;
}

const struct ctl_cmd ctl_plan = {
	.name = "plan",
	.args = "",
	.summary = "Show what the agent would move now, why, and what comes of it",
	.opts = opts,
	.flags = CTL_TABLE,
	.run = plan,
};
