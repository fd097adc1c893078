// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * adshardctl: the operator's tool.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl.h"
#include "verbs.h"

const struct ctl_cmd *const ctl_cmds[] = {
	&ctl_status, &ctl_create, &ctl_scan, &ctl_activate, &ctl_deactivate,
	&ctl_segments, &ctl_locate, &ctl_migrate, &ctl_evacuate,
	&ctl_replicas, &ctl_rebuild, &ctl_renew, &ctl_abort,
	&ctl_pause, &ctl_resume, &ctl_throttle, &ctl_plan, &ctl_jobs, &ctl_job,
	&ctl_policy, &ctl_pin, &ctl_unpin, &ctl_replay,
	&ctl_member, &ctl_resize, &ctl_events,
	&ctl_risk, &ctl_history, &ctl_explain, &ctl_forecast, &ctl_wait,
	&ctl_probe, &ctl_check, &ctl_dump, &ctl_repair, &ctl_complete, NULL,
};

static const struct ctl_cmd *find(const char *name)
{
	for (int i = 0; ctl_cmds[i]; i++)
		if (!strcmp(ctl_cmds[i]->name, name))
			return ctl_cmds[i];
	return NULL;
}

static void help(void)
{
	puts("Usage: adshardctl [VERB] [OPTION...] [ARGUMENT...]\n\n"
	     "Creates, watches and changes adshard pools. Without a verb: status.\n\n"
	     "Verbs:");
	for (int i = 0; ctl_cmds[i]; i++)
		if (!(ctl_cmds[i]->flags & CTL_HIDDEN))
			printf("  %-12s %s\n", ctl_cmds[i]->name,
			       ctl_cmds[i]->summary);
	puts("\n  -h, --help     this text; after a verb: its options\n"
	     "  -V, --version  the version\n\n"
	     "Exit codes: 0 ok, 1 failed, 2 usage, 3 module or agent not reachable,\n"
	     "4 no such object, 5 refused (not safe), 6 busy, 7 interrupted (the job\n"
	     "goes on), 8 the job has ended with errors, 9 metadata is damaged but serves,\n"
	     "10 the pool would not activate, 11 all has moved, but not all could be read.\n\n"
	     "adshardctl(8) has the details and examples.");
}

static int run(const struct ctl_cmd *cmd, int argc, char **argv)
{
	struct ctl c = { .cmd = cmd };
	int rc;

	c.color = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
	rc = cmd->run(&c, argc, argv);
	if (c.doc) {
		printf("%s\n", json_object_to_json_string_ext(c.doc,
			JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
			JSON_C_TO_STRING_NOSLASHESCAPE));
		json_object_put(c.doc);
	}
	ads_nl_close(c.nl);
	free(c.longopts);
	free(c.shortopts);
	return rc;
}

/* A full disk behind stdout is an error of ours, not of nobody. */
static int flush_out(int rc)
{
	if (ferror(stdout) | fflush(stdout)) {
		fprintf(stderr, "adshardctl: can't write the output: %s\n",
			strerror(errno));
		return rc ? rc : CTL_FAILED;
	}
	return rc;
}

int main(int argc, char **argv)
{
	const struct ctl_cmd *cmd;

	if (argc > 1 && (!strcmp(argv[1], "-h") ||
			 !strcmp(argv[1], "--help") ||
			 !strcmp(argv[1], "help"))) {
		help();
		return flush_out(CTL_OK);
	}
	if (argc > 1 && (!strcmp(argv[1], "-V") ||
			 !strcmp(argv[1], "--version"))) {
		puts("adshardctl " ADSHARD_VERSION);
		return flush_out(CTL_OK);
	}
	/* "adshardctl --json": the options are those of status. */
	if (argc < 2 || argv[1][0] == '-')
		return flush_out(run(&ctl_status, argc, argv));
	cmd = find(argv[1]);
	if (!cmd) {
		fprintf(stderr,
			"adshardctl: there is no verb %s (adshardctl --help lists them)\n",
			argv[1]);
		return CTL_USAGE;
	}
	return flush_out(run(cmd, argc - 1, argv + 1));
}
