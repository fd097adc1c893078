// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * adshardctl pin, unpin: where the operator wants segments to be.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"
#include "table.h"
#include "verbs.h"

enum { O_CLASS = 256, O_LOCATION };

static const struct ctl_opt opts[] = {
	{ O_CLASS, "class", "CLASS", "to members of this class: nvme, ssd, hdd" },
	{ 'm', "member", "MEMBER", "to this member" },
	{ O_LOCATION, "location", "LABEL", "to members at this location" },
	{ 's', "stay", NULL, "where they are" },
	{ 0, NULL, NULL, NULL },
};

static const struct ctl_opt unpin_opts[] = {
	{ 'a', "all", NULL, "all pins" },
	{ 0, NULL, NULL, NULL },
};

enum { C_PIN, C_FIRST, C_LAST, C_KIND, C_VALUE, C_POOL };

static const struct table_col cols[] = {
	[C_PIN] = { "PIN", "its number", TABLE_RIGHT },
	[C_FIRST] = { "FIRST", "segment", TABLE_RIGHT },
	[C_LAST] = { "LAST", "segment", TABLE_RIGHT },
	[C_KIND] = { "TO", "class, member, location, or stay", 0 },
	[C_VALUE] = { "WHICH", "of these; a member's UUID", 0 },
	[C_POOL] = { "POOL", "UUID of the pool", TABLE_HIDDEN },
	{ NULL, NULL, 0 },
};

static void print(struct ctl *c, struct json_object *answer)
{
	struct json_object *list = ads_json_get(answer, "pins");
	size_t n = agent_count(list);
	struct table t;

	if (c->doc) {
		agent_take(c, answer, "pins");
		return;
	}
	if (!n) {
		ctl_say(c, "nothing is pinned");
		return;
	}
	table_init(&t, c, cols);
	for (size_t i = 0; i < n; i++) {
		struct json_object *p = json_object_array_get_idx(list, i);

		table_row(&t);
		table_set(&t, C_PIN, "%lld", (long long)agent_int(p, "id"));
		table_set(&t, C_FIRST, "%lld", (long long)agent_int(p, "first"));
		table_set(&t, C_LAST, "%lld", (long long)agent_int(p, "last"));
		table_set(&t, C_KIND, "%s", agent_str(p, "kind"));
		table_set(&t, C_VALUE, "%s", agent_str(p, "value"));
		table_set(&t, C_POOL, "%s", agent_str(p, "pool"));
	}
	table_print(&t, "");
	table_free(&t);
}

static void warn_unsaved(struct ctl *c, struct json_object *answer)
{
	const char *text;

	if (ads_json_get_str(answer, "problem", &text))
		ctl_warn(c, "it is in effect, but lost with the next start of the agent: %s",
			 text);
}

/* "5" or "7-12" */
static void range(struct ctl *c, const char *text, struct json_object *req)
{
	char *dash = strchr(text, '-'), first[32];
	uint64_t from, to;

	snprintf(first, sizeof(first), "%.*s",
		 dash ? (int)(dash - text) : (int)strlen(text), text);
	from = ctl_parse_u64(c, "the segment", first, UINT32_MAX - 1);
	to = dash ? ctl_parse_u64(c, "the segment", dash + 1, UINT32_MAX - 1) :
		    from;
	if (to < from)
		ctl_usage(c, "%s: the range ends before it begins", text);
	ads_json_u64(req, "first", from);
	ads_json_u64(req, "last", to);
}

static int pin(struct ctl *c, int argc, char **argv)
{
	const char *kind = NULL, *value = NULL;
	struct json_object *req, *answer;
	unsigned int given = 0;
	int val, rc;

	while ((val = ctl_getopt(c, argc, argv)) != -1) {
		given++;
		kind = val == O_CLASS ? "class" : val == 'm' ? "member" :
		       val == O_LOCATION ? "location" : "stay";
		value = optarg;
	}
	if (given > 1)
		ctl_usage(c, "only one of --class, --member, --location and --stay");
	if (optind == argc && !given) {
		rc = agent_ask(c, agent_request(c, "pins"), &answer);
		if (!rc)
			print(c, answer);
		json_object_put(answer);
		return rc;
	}
	if (argc - optind != 1)
		ctl_usage(c, "which segments? (5 or 7-12)");
	if (!given)
		ctl_usage(c, "to what? --class, --member, --location or --stay");
	req = agent_request(c, "pin");
	range(c, argv[optind], req);
	ads_json_str(req, "kind", kind);
	if (strcmp(kind, "stay"))
		ads_json_str(req, "value", value);
	rc = agent_ask(c, req, &answer);
	if (!rc) {
		print(c, answer);
		warn_unsaved(c, answer);
	}
	json_object_put(answer);
	return rc;
}

static int unpin_one(struct ctl *c, uint64_t id, struct json_object *done)
{
	struct json_object *req = agent_request(c, "unpin"), *answer;
	int rc;

	ads_json_u64(req, "pin", id);
	rc = agent_ask(c, req, &answer);
	if (rc)
		return rc;
	warn_unsaved(c, answer);
	json_object_put(answer);
	if (done)
		json_object_array_add(done, json_object_new_int64((int64_t)id));
	ctl_say(c, "pin %llu is gone; the segments stay where they are until there is a reason to move them",
		(unsigned long long)id);
	return CTL_OK;
}

static int unpin_all(struct ctl *c, struct json_object *done)
{
	struct json_object *answer, *list;
	int rc = agent_ask(c, agent_request(c, "pins"), &answer);

	list = ads_json_get(answer, "pins");
	for (size_t i = 0; !rc && i < agent_count(list); i++)
		rc = unpin_one(c, (uint64_t)agent_int(
				json_object_array_get_idx(list, i), "id"), done);
	if (!rc && !agent_count(list))
		ctl_say(c, "nothing is pinned");
	json_object_put(answer);
	return rc;
}

static int unpin(struct ctl *c, int argc, char **argv)
{
	struct json_object *done = NULL;
	bool all = false;
	int val, rc = CTL_OK;

	while ((val = ctl_getopt(c, argc, argv)) != -1)
		all |= val == 'a';
	if (all != (optind == argc))
		ctl_usage(c, "which pin? (numbers, see 'adshardctl pin', or --all)");
	for (int i = optind; i < argc; i++)
		ctl_parse_u64(c, "the pin", argv[i], UINT32_MAX);
	if (c->doc)
		done = ads_json_arr(c->doc, "unpinned");
	if (all)
		return unpin_all(c, done);
	for (int i = optind; !rc && i < argc; i++)
		rc = unpin_one(c, ctl_parse_u64(c, "the pin", argv[i],
						UINT32_MAX), done);
	return rc;
}

const struct ctl_cmd ctl_pin = {
	.name = "pin",
	.args = "[SEGMENT[-LAST] --class|--member|--location=WHICH | --stay]",
	.summary = "Show pins, or pin segments to a class, member or location",
	.opts = opts,
	.flags = CTL_TABLE,
	.run = pin,
};

const struct ctl_cmd ctl_unpin = {
	.name = "unpin",
	.args = "PIN... | --all",
	.summary = "Take pins away",
	.opts = unpin_opts,
	.flags = CTL_NO_POOL,
	.run = unpin,
};
