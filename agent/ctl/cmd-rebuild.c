// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * adshardctl rebuild: the copies that segments should have and don't.
 *
 * What is closest to being lost comes first. Unlike a change of what segments
 * should have it does what it can: a copy that has a place is not kept waiting for
 * one that has none.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mend.h"
#include "verbs.h"

#define AGENT_MS	2000

static const struct ctl_opt opts[] = {
	{ 'w', "wait", NULL, "wait until they have them and show progress (default)" },
	{ 'd', "detach", NULL, "return once everything is queued" },
	{ 'S', "same-domain", NULL, "two copies into one failure domain, if there is no other way" },
	{ 'N', "dry-run", NULL, "only say what would be done" },
	{ 0, NULL, NULL, NULL },
};

static int rebuild(struct mend *m, bool detach, bool dry)
{
	struct job *j = &m->job;
	int rc = mend_look(m);

	if (!rc)
		rc = mend_plan(m);
	if (rc)
		return rc;
	if (dry)
		return mend_show_plan(m);
	/* Nothing can be done at all: the reason is the command's. */
	if (m->unplaced && !m->nr_step && !m->nr_op)
		return ctl_fail(j->c, CTL_REFUSED,
				"%zu of %zu segments have too few copies, and there is no place for one: %s",
				m->nr_short, m->nr,
				ads_err_text(&m->unplaced_why, -ENOSPC));
	ctl_catch_signals();
	return mend_run(m, detach);
}

static int run(struct ctl *c, int argc, char **argv)
{
	bool detach = false, dry = false, wait = false;
	struct mend m = { .job = { .c = c } };
	struct ads_err err = { "" };
	char uuid[37];
	int val, rc = CTL_OK;

	while ((val = ctl_getopt(c, argc, argv)) != -1) {
		wait |= val == 'w';
		detach |= val == 'd';
		dry |= val == 'N';
		m.job.same_domain |= val == 'S';
	}
	if (wait + detach + dry > 1)
		ctl_usage(c, "only one of --wait, --detach and --dry-run");
	mend_take_pool(c, argc, argv);
	if (argc - optind == 1 && !strcmp(argv[optind], "all"))
		optind++;
	if (optind < argc) {
		rc = ctl_parse_segments(c, argv + optind, argc - optind,
					&m.want, &m.nr_want);
		if (rc)
			rc = ctl_fail_err(c, rc, NULL);
	}
	if (!rc)
		rc = ctl_load_pool(c, &m.job.pool, &m.job.m, &m.job.nr_m);
	if (!rc) {
		snprintf(m.what, sizeof(m.what), "rebuild %.50s",
			 ctl_pool_name(&m.job.pool, uuid));
		rc = ads_nl_subscribe(c->nl, &err);
		if (rc)
			rc = ctl_fail_err(c, rc, &err);
	}
	if (!rc) {
		ads_agent_status(AGENT_MS, &m.agent, NULL);
		rc = rebuild(&m, detach, dry);
	}
	mend_free(&m);
	return rc;
}

const struct ctl_cmd ctl_rebuild = {
	.name = "rebuild",
	.args = "[POOL] [SEGMENT...]",
	.summary = "Make the copies that segments should have and don't",
	.opts = opts,
	.flags = CTL_PROGRESS,
	.run = run,
};
