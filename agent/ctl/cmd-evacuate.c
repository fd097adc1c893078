// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * adshardctl evacuate: every segment off a member.
 *
 * The member becomes draining, all its segments are queued in the kernel,
 * hottest first, and this command only watches. If it is killed the kernel goes
 * on; called again it adopts what is queued and plans the rest.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/units.h"

#include "evacuate.h"
#include "verbs.h"

#define AGENT_MS	2000

static const struct ctl_opt opts[] = {
	{ 'w', "wait", NULL, "wait until it is empty and show progress (default)" },
	{ 'd', "detach", NULL, "return once everything is queued" },
	{ 'c', "cancel", NULL, "stop emptying it: what has moved stays where it is" },
	{ 'N', "dry-run", NULL, "only say what would be done" },
	{ 'S', "same-domain", NULL, "two copies into one failure domain, if there is no other way" },
	{ 0, NULL, NULL, NULL },
};

static int find_members(struct evac *e, char **argv, int argc)
{
	struct job *j = &e->job;

	e->from = calloc(argc, sizeof(*e->from));
	if (!e->from)
		return ctl_fail_err(j->c, -ENOMEM, NULL);
	for (int i = 0; i < argc; i++) {
		struct ads_err err = { "" };
		int at = ads_find_member(j->m, j->nr_m, argv[i], &err);
		bool twice = false;

		if (at < 0)
			return ctl_fail_err(j->c, at, &err);
		for (size_t k = 0; k < e->nr_from; k++)
			twice |= e->from[k] == j->m[at].index;
		if (!twice)
			e->from[e->nr_from++] = j->m[at].index;
	}
	return CTL_OK;
}

static int set_state(struct evac *e, uint32_t state)
{
	struct job *j = &e->job;

	for (size_t i = 0; i < e->nr_from; i++) {
		int at = ads_member_by_index(j->m, j->nr_m, e->from[i]);
		struct ads_err err = { "" };
		char name[128];
		int rc;

		/* The kernel made it drained already: not to be undone. */
		if (j->m[at].state == state ||
		    (state == ADSHARD_MEMBER_DRAINING &&
		     j->m[at].state == ADSHARD_MEMBER_DRAINED))
			continue;
		rc = ads_nl_set_member(j->c->nl, j->pool.uuid, e->from[i],
				       state, &err);
		ads_member_name(&j->m[at], name, sizeof(name));
		if (rc) {
			if (!err.text[0])
				ads_err(&err, 0, "%s", strerror(-rc));
			ads_err_prefix(&err, name);
			return ctl_fail_err(j->c, rc, &err);
		}
		j->m[at].state = state;
	}
	return CTL_OK;
}

/*
 * The agent's job, if it has one: cancelled there, it holds off for some days.
 * Otherwise it would begin again at its next look.
 */
static void cancel_job(struct evac *e, uint32_t member)
{
	const struct ads_agent_status *st = e->agent;
	char uuid[ADS_UUID_STR];

	ads_format_uuid(e->job.pool.uuid, uuid);
	for (size_t i = 0; st && i < st->nr_jobs; i++) {
		const struct ads_agent_job *a = &st->jobs[i];
		struct json_object *req, *answer;
		struct ads_err err = { "" };

		if (a->member != member || !a->pool || strcmp(a->pool, uuid) ||
		    !a->state || (strcmp(a->state, "draining") &&
				  strcmp(a->state, "drained-with-errors")))
			continue;
		req = json_object_new_object();
		ads_json_str(req, "cmd", "cancel");
		ads_json_i64(req, "job", a->id);
		if (!ads_agent_call(NULL, req, AGENT_MS, &answer, &err))
			json_object_put(answer);
		else if (strcmp(a->state, "drained-with-errors"))
			ctl_warn(e->job.c, "the agent's job %lld can't be cancelled, so it may begin again: %s",
				 (long long)a->id, err.text);
		json_object_put(req);
	}
}

static int cancel(struct evac *e)
{
	struct job *j = &e->job;
	struct ads_err err = { "" };
	int rc;

	ads_agent_status(AGENT_MS, &e->agent, NULL);
	for (size_t i = 0; i < e->nr_from; i++)
		cancel_job(e, e->from[i]);

	/* First the state: a waiting "evacuate" would queue everything again. */
	rc = set_state(e, ADSHARD_MEMBER_ONLINE);
	for (size_t i = 0; !rc && i < e->nr_from; i++) {
		rc = ads_nl_abort_member(j->c->nl, j->pool.uuid, e->from[i],
					 &err);
		if (rc == -ENOENT)
			rc = 0;
		if (rc)
			rc = ctl_fail_err(j->c, rc, &err);
	}
	if (!rc)
		ctl_say(j->c, "%s: online again; what has moved stays where it is",
			e->what);
	return rc;
}

static const char *rebuild_hint(const struct job *j)
{
	return j->pool.nr_short || j->pool.nr_stale ?
	       " (adshardctl rebuild makes anew the copies that others have)" :
	       "";
}

/* FAILED and missing members can't be read: there is nothing to move. */
static int refuse_dead(struct evac *e)
{
	struct job *j = &e->job;

	for (size_t i = 0; i < e->nr_from; i++) {
		int at = ads_member_by_index(j->m, j->nr_m, e->from[i]);
		const struct ads_member *m = &j->m[at];
		char name[128];

		ads_member_name(m, name, sizeof(name));
		if (m->state == ADSHARD_MEMBER_FAILED)
			return ctl_fail(j->c, CTL_REFUSED,
					"%s has failed: it is never read again, so nothing can be moved off it%s",
					name, rebuild_hint(j));
		if (!m->present)
			return ctl_fail(j->c, CTL_REFUSED,
					"%s: nothing can be moved off it%s",
					name, rebuild_hint(j));
	}
	return CTL_OK;
}

static bool all_drained(const struct evac *e)
{
	const struct job *j = &e->job;

	for (size_t i = 0; i < e->nr_from; i++) {
		int at = ads_member_by_index(j->m, j->nr_m, e->from[i]);

		if (at >= 0 && j->m[at].state != ADSHARD_MEMBER_DRAINED)
			return false;
	}
	return true;
}

/* Ends the waiting if somebody has called the evacuation off. */
static int check(struct job *j)
{
	struct evac *e = (struct evac *)j;

	for (size_t i = 0; i < e->nr_from; i++) {
		int at = ads_member_by_index(j->m, j->nr_m, e->from[i]);
		char name[128];

		if (at < 0 || (j->m[at].state != ADSHARD_MEMBER_ONLINE &&
			       j->m[at].state != ADSHARD_MEMBER_FAILED))
			continue;
		ads_progress_clear(&j->progress);
		ads_member_name(&j->m[at], name, sizeof(name));
		return ctl_fail(j->c, CTL_ERRORS,
				"%s is %s now: its evacuation has ended", name,
				ads_member_state_name(j->m[at].state));
	}
	return 0;
}

/* What was past its commit towards us when we began to drain. */
static bool more(struct job *j)
{
	return j->rounds <= EVAC_ROUNDS && !all_drained((struct evac *)j);
}

/* What could not be read is lost, but not a reason to stay. */
static int report_bad(struct evac *e)
{
	struct job *j = &e->job;

	return bad_report(j->c, NULL, e->what, all_drained(e) ? "drained" :
			  "moved", j->bad, all_drained(e) ?
			  "; may be pulled" : "");
}

static int finish(struct evac *e, int rc)
{
	struct job *j = &e->job;

	if (rc == CTL_OK || rc == CTL_ERRORS || rc == CTL_UNREAD) {
		job_summary(j, e->what);
		evac_report_faults(e);
	}
	if (rc == CTL_ERRORS) {
		job_report_failures(j);
		report_bad(e);
	}
	if (rc && rc != CTL_UNREAD)
		return rc;
	if (!all_drained(e))
		ctl_warn(j->c, "%s: empty, but not marked drained yet (adshardctl status)",
			 e->what);
	if (rc)
		return report_bad(e);
	if (all_drained(e))
		ctl_say(j->c, "%s: drained; may be pulled", e->what);
	return CTL_OK;
}

/* Nothing to do; but what was lost by then is worth the same words. */
static int drained_already(struct evac *e)
{
	struct job *j = &e->job;
	struct ads_err err = { "" };
	int rc = job_count_bad(j, &err);

	if (rc)
		return ctl_fail_err(j->c, rc, &err);
	if (j->c->doc) {
		job_summary(j, e->what);
		evac_report_faults(e);
	}
	if (j->bad.ranges)
		return report_bad(e);
	ctl_say(j->c, "%s: drained already; may be pulled", e->what);
	return CTL_OK;
}

static int evacuate(struct evac *e, bool detach, bool dry)
{
	struct job *j = &e->job;
	int rc;

	rc = evac_collect(e);
	if (!rc)
		rc = evac_plan(e);
	if (rc)
		return rc;
	if (dry)
		return evac_show_plan(e);
	if (!j->nr && all_drained(e))
		return drained_already(e);
	/* From here on an interrupt ends the watching only. */
	ctl_catch_signals();
	rc = set_state(e, ADSHARD_MEMBER_DRAINING);
	if (rc)
		return rc;
	evac_queue(e);
	ctl_say(j->c, "%s: %zu segment%s to move%s", e->what, j->nr,
		j->nr == 1 ? "" : "s", e->adopted ?
		", some of them on the way already" : "");
	if (detach) {
		job_report_failures(j);
		return job_count(j, JOB_FAILED) ? CTL_ERRORS : CTL_OK;
	}
	j->again = evac_again;
	j->check = check;
	j->more = more;
	for (;;) {
		rc = job_wait(j, e->what);
		if (rc || !more(j))
			return finish(e, rc);
		rc = evac_more(e);
		if (rc)
			return rc;
		/* Empty: the kernel is about to say so. */
		if (!j->nr)
			usleep(250000);
	}
}

/* Not to those that are emptied, nor, with @only, to any other. */
static int forbid(struct evac *e, uint32_t only)
{
	const struct job *j = &e->job;

	e->not_to = calloc(e->nr_from + j->nr_m + 1, sizeof(*e->not_to));
	if (!e->not_to)
		return ctl_fail_err(j->c, -ENOMEM, NULL);
	for (size_t i = 0; i < e->nr_from; i++)
		e->not_to[e->nr_not_to++] = e->from[i];
	for (size_t i = 0; only != ADS_PLACE_NONE && i < j->nr_m; i++)
		if (j->m[i].index != only)
			e->not_to[e->nr_not_to++] = j->m[i].index;
	return CTL_OK;
}

int evac_main(struct ctl *c, const struct evac_args *a)
{
	struct ads_err err = { "" };
	struct evac e = { .job = { .c = c, .same_domain = a->same_domain } };
	int rc;

	rc = ctl_load_pool(c, &e.job.pool, &e.job.m, &e.job.nr_m);
	if (!rc)
		rc = find_members(&e, a->members, a->nr);
	if (!rc)
		rc = forbid(&e, a->only);
	if (!rc)
		evac_name(&e);
	if (!rc)
		rc = a->cancel ? cancel(&e) : refuse_dead(&e);
	if (!rc && !a->cancel) {
		rc = ads_nl_subscribe(c->nl, &err);
		if (rc)
			rc = ctl_fail_err(c, rc, &err);
	}
	if (!rc && !a->cancel) {
		ads_agent_status(AGENT_MS, &e.agent, NULL);
		rc = evacuate(&e, a->detach, a->dry);
		if (c->doc && !a->dry)
			job_json_segments(&e.job, c->doc);
	}
	evac_free(&e);
	return rc;
}

static int run(struct ctl *c, int argc, char **argv)
{
	struct evac_args a = { .only = ADS_PLACE_NONE };
	bool wait = false;
	int val;

	while ((val = ctl_getopt(c, argc, argv)) != -1) {
		wait |= val == 'w';
		a.detach |= val == 'd';
		a.cancel |= val == 'c';
		a.dry |= val == 'N';
		a.same_domain |= val == 'S';
	}
	if (wait + a.detach + a.cancel + a.dry > 1)
		ctl_usage(c, "only one of --wait, --detach, --cancel and --dry-run");
	if (optind == argc)
		ctl_usage(c, "which member? (index, device or UUID)");
	a.members = argv + optind;
	a.nr = argc - optind;
	return evac_main(c, &a);
}

const struct ctl_cmd ctl_evacuate = {
	.name = "evacuate",
	.args = "MEMBER...",
	.summary = "Move every segment off members, so that they may be pulled",
	.opts = opts,
	.flags = CTL_PROGRESS,
	.run = run,
};
