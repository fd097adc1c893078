// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * adshardctl policy: the planner's settings, shown with what they mean, and set
 * while the agent runs.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent.h"
#include "table.h"
#include "verbs.h"

#define SAVE_TRIES	20	/* of SAVE_USEC each, until it is on the disk */
#define SAVE_USEC	100000

enum { C_NAME, C_VALUE, C_DEFAULT, C_SET, C_TEXT, C_CONFIGURED };

static const struct table_col cols[] = {
	[C_NAME] = { "SETTING", "its name", 0 },
	[C_VALUE] = { "VALUE", "in effect", TABLE_RIGHT },
	[C_DEFAULT] = { "DEFAULT", "without file and operator", TABLE_RIGHT },
	[C_SET] = { "FROM", "who says so: default, file, operator", 0 },
	[C_TEXT] = { "MEANING", "what it does", TABLE_TRUNC },
	[C_CONFIGURED] = { "FILE", "what the configuration says", TABLE_HIDDEN | TABLE_RIGHT },
	{ NULL, NULL, 0 },
};

static const char *who(struct json_object *s)
{
	bool set = false;

	ads_json_get_bool(s, "set", &set);
	return set ? "operator" :
	       strcmp(agent_str(s, "configured"), agent_str(s, "default")) ?
	       "file" : "default";
}

static void say_doubts(struct ctl *c, struct json_object *answer)
{
	const char *text;

	if (ads_json_get_str(answer, "problem", &text))
		ctl_warn(c, "what was set is not kept: %s", text);
	if (ads_json_get_str(answer, "doubt", &text))
		ctl_warn(c, "%s: nothing that can wait is moved", text);
}

static bool is_asked_for(const char *name, char **argv, int argc)
{
	for (int i = 0; i < argc; i++) {
		size_t n = strlen(argv[i]);

		/* a whole section, too */
		if (!strcmp(name, argv[i]) ||
		    (!strncmp(name, argv[i], n) && name[n] == '.'))
			return true;
	}
	return !argc;
}

static int show(struct ctl *c, struct json_object *answer, char **argv,
		int argc)
{
	struct json_object *list = ads_json_get(answer, "settings"), *out = NULL;
	size_t n = agent_count(list), shown = 0;
	struct table t;

	if (c->doc) {
		agent_take(c, answer, "saved");
		out = ads_json_arr(c->doc, "settings");
	} else {
		table_init(&t, c, cols);
	}
	for (size_t i = 0; i < n; i++) {
		struct json_object *s = json_object_array_get_idx(list, i);

		if (!is_asked_for(agent_str(s, "name"), argv, argc))
			continue;
		shown++;
		if (out) {
			json_object_array_add(out, json_object_get(s));
			continue;
		}
		table_row(&t);
		table_set(&t, C_NAME, "%s", agent_str(s, "name"));
		table_set(&t, C_VALUE, "%s", agent_str(s, "value"));
		table_set(&t, C_DEFAULT, "%s", agent_str(s, "default"));
		table_set(&t, C_SET, "%s", who(s));
		table_set(&t, C_TEXT, "%s", agent_str(s, "text"));
		table_set(&t, C_CONFIGURED, "%s", agent_str(s, "configured"));
	}
	if (!c->doc) {
		if (shown)
			table_print(&t, "");
		table_free(&t);
	}
	if (!shown)
		return ctl_fail(c, CTL_NOENT, "there is no setting %s ('adshardctl policy' lists them)",
				argv[0]);
	return CTL_OK;
}

/* The agent's thread writes it: wait until it has, or say why not. */
static int wait_saved(struct ctl *c, struct json_object **answer)
{
	for (int i = 0; i < SAVE_TRIES; i++) {
		const char *text;
		bool saved = false;
		int rc;

		if (ads_json_get_bool(*answer, "saved", &saved) && saved)
			return CTL_OK;
		if (ads_json_get_str(*answer, "problem", &text))
			return ctl_fail(c, CTL_FAILED,
					"it is in effect, but lost with the next start of the agent: %s",
					text);
		usleep(SAVE_USEC);
		json_object_put(*answer);
		rc = agent_ask(c, agent_request(c, "policy"), answer);
		if (rc)
			return rc;
	}
	ctl_warn(c, "in effect, but not on the disk yet");
	return CTL_OK;
}

static int set(struct ctl *c, int argc, char **argv)
{
	struct json_object *req = agent_request(c, "policy-set"), *answer;
	struct json_object *values = ads_json_obj(req, "set");
	int rc;

	if (!argc)
		ctl_usage(c, "what? policy set NAME=VALUE...");
	for (int i = 0; i < argc; i++) {
		char *value = strchr(argv[i], '=');

		if (!value || value == argv[i])
			ctl_usage(c, "%s: that is no NAME=VALUE", argv[i]);
		*value++ = '\0';
		/* nothing: as the file says */
		if (*value)
			ads_json_str(values, argv[i], value);
		else
			ads_json_null(values, argv[i]);
	}
	rc = agent_ask(c, req, &answer);
	if (rc)
		return rc;
	rc = wait_saved(c, &answer);
	if (answer) {
		say_doubts(c, answer);
		if (!rc)
			rc = show(c, answer, argv, argc);
	}
	json_object_put(answer);
	return rc;
}

static int policy(struct ctl *c, int argc, char **argv)
{
	struct json_object *answer;
	int rc;

	while (ctl_getopt(c, argc, argv) != -1)
		;
	argc -= optind;
	argv += optind;
	if (argc && !strcmp(argv[0], "set"))
		return set(c, argc - 1, argv + 1);
	if (argc && !strcmp(argv[0], "show")) {
		argc--;
		argv++;
	}
	rc = agent_ask(c, agent_request(c, "policy"), &answer);
	if (rc)
		return rc;
	say_doubts(c, answer);
	rc = show(c, answer, argv, argc);
	json_object_put(answer);
	return rc;
}

const struct ctl_cmd ctl_policy = {
	.name = "policy",
	.args = "[show [NAME...]] | set NAME=[VALUE]...",
	.summary = "Show or set what the agent's planner goes by",
	.flags = CTL_TABLE | CTL_NO_POOL,
	.run = policy,
};
