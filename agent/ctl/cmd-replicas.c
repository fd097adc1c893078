// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * adshardctl replicas: how many copies segments have, changed while they are in use.
 *
 * What they should have is recorded first; then copies are made or dropped. If this
 * command is killed the rest shows as "short", and rebuild (or the agent) does it.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mend.h"
#include "verbs.h"

#define AGENT_MS	2000
#define CANCEL_TRIES	100
#define CANCEL_US	100000

static const struct ctl_opt opts[] = {
	{ 'w', "wait", NULL, "wait until they have them and show progress (default)" },
	{ 'd', "detach", NULL, "return once everything is queued" },
	{ 'c', "cancel", NULL, "stop making copies: what segments have is what they should have" },
	{ 'S', "same-domain", NULL, "two copies into one failure domain, if there is no other way" },
	{ 'N', "dry-run", NULL, "only say what would be done" },
	{ 0, NULL, NULL, NULL },
};

/* Each should have what it has, and no more. -errno. */
static int want_what_is(struct mend *m, struct ads_err *err)
{
	struct ads_place_member *pm = job_place_members(&m->job, NULL);
	struct ads_segment *some = calloc(m->nr + 1, sizeof(*some));
	int rc = pm && some ? 0 : -ENOMEM;

	for (uint32_t good = 1; !rc && good < ADSHARD_MAX_LEGS; good++) {
		size_t n = 0;

		for (size_t i = 0; i < m->nr; i++)
			if (ads_mend_good(pm, m->job.nr_m, &m->seg[i]) == good &&
			    m->seg[i].wanted > good)
				some[n++] = m->seg[i];
		rc = mend_set_wanted(m, some, n, good, err);
	}
	job_place_free(pm, m->job.nr_m);
	free(some);
	return rc;
}

/* Copies that are being made. */
static size_t being_made(const struct mend *m)
{
	size_t n = 0;

	for (size_t i = 0; i < m->nr_op; i++)
		n += (m->op[i].kind == ADSHARD_KIND_ADD ||
		      m->op[i].kind == ADSHARD_KIND_RESYNC) &&
		     mend_segment(m, m->op[i].segment);
	return n;
}

/*
 * What is being made is called off, and as soon as it is off nobody wants it any
 * more; until then an agent may begin again.
 */
static int cancel(struct mend *m)
{
	struct job *j = &m->job;
	struct ads_err err = { "" };
	size_t told = 0;
	int rc;

	for (int try = 0; ; try++) {
		rc = mend_look(m);
		if (rc)
			return rc;
		if (being_made(m) > told)
			told = being_made(m);
		mend_call_off(m);
		err.text[0] = '\0';
		rc = want_what_is(m, &err);
		if (rc != -EBUSY || try == CANCEL_TRIES)
			break;
		usleep(CANCEL_US);
	}
	if (rc)
		return ctl_fail_err(j->c, rc, &err);
	ctl_say(j->c, "%s: %zu cop%s told to stop; what segments have now is what they should have",
		m->what, told, told == 1 ? "y" : "ies");
	return CTL_OK;
}

static int refuse(struct mend *m)
{
	size_t placed = mend_count(m, ADS_MEND_ADD) +
			mend_count(m, ADS_MEND_REPLACE);

	return ctl_fail(m->job.c, CTL_REFUSED,
			"can't give %zu segment%s %u copies each: %zu more are needed, of which %zu find a place; the first that doesn't: %s; nothing was done",
			m->nr, m->nr == 1 ? "" : "s", m->target,
			placed + m->unplaced, placed,
			ads_err_text(&m->unplaced_why, -ENOSPC));
}

static int change(struct mend *m, bool detach, bool dry)
{
	struct job *j = &m->job;
	int rc;

	if (!j->pool.knows_legs && m->target > 1)
		return ctl_fail(j->c, CTL_FAILED,
				"the kernel module is older than these tools: it knows one copy only");
	rc = mend_look(m);
	if (!rc)
		rc = mend_plan(m);
	if (rc)
		return rc;
	if (dry)
		mend_show_plan(m);
	if (m->unplaced)
		return refuse(m);
	if (dry)
		return CTL_OK;
	if (m->nr_lost)
		return ctl_fail(j->c, CTL_REFUSED,
				"segment %u has no copy that can be read: nothing was done",
				m->first_lost);
	/* From here on an interrupt ends the watching only. */
	ctl_catch_signals();
	rc = mend_set_target(m);
	return rc ? rc : mend_run(m, detach);
}

static int parse(struct mend *m, int argc, char **argv, bool undo)
{
	struct ctl *c = m->job.c;
	int last = argc - !undo, rc;

	mend_take_pool(c, argc, argv);
	if (!undo && argc - optind < 2)
		ctl_usage(c, "which segments (5,7-12 or all), and how many copies of each?");
	if (undo && optind == argc)
		ctl_usage(c, "which segments? (5,7-12 or all)");
	if (!undo) {
		m->target = ctl_parse_u64(c, "copies", argv[last],
					  UINT32_MAX);
		if (!m->target || m->target > ADSHARD_MAX_LEGS)
			ctl_usage(c, "a segment has 1 to %d copies, not %s",
				  ADSHARD_MAX_LEGS, argv[last]);
	}
	if (last - optind == 1 && !strcmp(argv[optind], "all"))
		return CTL_OK;
	rc = ctl_parse_segments(c, argv + optind, last - optind, &m->want,
				&m->nr_want);
	return rc ? ctl_fail_err(c, rc, NULL) : CTL_OK;
}

static int run(struct ctl *c, int argc, char **argv)
{
	bool detach = false, undo = false, dry = false, wait = false;
	struct mend m = { .job = { .c = c } };
	struct ads_err err = { "" };
	char uuid[37];
	int val, rc;

	while ((val = ctl_getopt(c, argc, argv)) != -1) {
		wait |= val == 'w';
		detach |= val == 'd';
		undo |= val == 'c';
		dry |= val == 'N';
		m.job.same_domain |= val == 'S';
	}
	if (wait + detach + undo + dry > 1)
		ctl_usage(c, "only one of --wait, --detach, --cancel and --dry-run");
	rc = parse(&m, argc, argv, undo);
	if (!rc)
		rc = ctl_load_pool(c, &m.job.pool, &m.job.m, &m.job.nr_m);
	if (!rc) {
		snprintf(m.what, sizeof(m.what), "replicas %.50s",
			 ctl_pool_name(&m.job.pool, uuid));
		rc = ads_nl_subscribe(c->nl, &err);
		if (rc)
			rc = ctl_fail_err(c, rc, &err);
	}
	if (!rc) {
		ads_agent_status(AGENT_MS, &m.agent, NULL);
		rc = undo ? cancel(&m) : change(&m, detach, dry);
	}
	mend_free(&m);
	return rc;
}

const struct ctl_cmd ctl_replicas = {
	.name = "replicas",
	.args = "[POOL] SEGMENT...|all NUMBER",
	.summary = "Change how many copies segments have, while they are in use",
	.opts = opts,
	.flags = CTL_PROGRESS,
	.run = run,
};
