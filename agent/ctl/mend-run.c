// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Mending: having it done, round after round.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mend.h"

#define SETTLE_US	200000	/* for an operation that was told to stop */

static int note_failure(struct mend *m, uint32_t segment, uint32_t dst,
			const char *why, bool for_good)
{
	struct mend_failure *p = reallocarray(m->failed, m->nr_failed + 1,
					      sizeof(*p));

	if (!p)
		return -ENOMEM;
	m->failed = p;
	p += m->nr_failed++;
	p->segment = segment;
	p->dst = dst;
	p->for_good = for_good;
	snprintf(p->why, sizeof(p->why), "%s", why);
	return 0;
}

/*
 * Durable on return. One whose copy is just being made is told to stop that, and
 * is for the next round; as is one that somebody moves, when it has moved. -errno
 * of what can't be helped.
 */
static int drop(struct mend *m, const struct ads_mend *step, bool *again)
{
	const struct ads_migration *op;
	struct job *j = &m->job;
	struct ads_err err = { "" };
	int rc;

	rc = ads_nl_drop(j->c->nl, j->pool.uuid, step->segment, step->src,
			 &err);
	if (!rc) {
		m->dropped++;
		return 0;
	}
	*again |= rc == -EBUSY;
	if (rc == -EBUSY) {
		op = mend_op(m, step->segment);
		if (!op || op->kind != ADSHARD_KIND_MOVE)
			ads_nl_abort_segment(j->c->nl, j->pool.uuid,
					     step->segment, NULL);
		return 0;
	}
	if (rc == -ENOENT)		/* somebody else has */
		return 0;
	return note_failure(m, step->segment, step->src,
			    ads_err_text(&err, rc), true);
}

static void add_job(struct mend *m, const struct ads_mend *step)
{
	struct job *j = &m->job;
	struct job_segment *s = &j->seg[j->nr++];
	const struct ads_segment *seg = mend_segment(m, step->segment);

	memset(s, 0, sizeof(*s));
	s->segment = step->segment;
	s->kind = step->act == ADS_MEND_REPLACE ? ADSHARD_KIND_MOVE :
		  ADSHARD_KIND_ADD;
	s->src = step->src;
	s->dst = step->dst;
	if (seg)
		job_take_legs(s, seg, s->src);
}

static int cmp_job(const void *a, const void *b)
{
	const struct job_segment *x = a, *y = b;

	return x->segment < y->segment ? -1 : x->segment > y->segment;
}

static void adopt(struct mend *m, const struct ads_segment *seg)
{
	const struct ads_migration *op = mend_op(m, seg->index);
	struct job *j = &m->job;
	struct job_segment *s;

	if (!op || op->kind == ADSHARD_KIND_SCRUB ||
	    op->kind == ADSHARD_KIND_REPAIR || op->step == ADSHARD_STEP_ABORT)
		return;
	s = &j->seg[j->nr++];
	memset(s, 0, sizeof(*s));
	s->segment = seg->index;
	s->kind = op->kind;
	s->src = op->src;
	s->dst = op->dst;
	s->state = JOB_PENDING;
	s->adopted = true;
}

/*
 * The first step of each segment, in order of need; the kernel begins with the
 * highest priority. What is under way already is watched, too.
 */
static int make_jobs(struct mend *m)
{
	struct job *j = &m->job;
	uint32_t last = ADS_PLACE_NONE;
	size_t queue = 0, all = 0;

	job_free_segments(j);
	j->seg = calloc(m->nr_step + m->nr + 1, sizeof(*j->seg));
	if (!j->seg)
		return -ENOMEM;
	for (size_t i = 0; i < m->nr_step; i++) {
		if (m->step[i].act == ADS_MEND_DROP)
			continue;
		all++;
		if (m->step[i].segment == last)
			continue;
		last = m->step[i].segment;
		add_job(m, &m->step[i]);
	}
	queue = j->nr;
	for (size_t i = 0; i < queue; i++)
		j->seg[i].priority = (uint32_t)(queue - i);
	/* Not somebody's move of one that has all its copies, and no more. */
	for (size_t i = 0; i < m->nr; i++) {
		const struct ads_mend_rank *r = &m->rank[i];
		const struct ads_segment *s = &m->seg[r->segment];

		if (s->state != ADSHARD_SEGMENT_STABLE &&
		    (r->good < r->wanted || (m->target && r->good > m->target)))
			adopt(m, s);
	}
	qsort(j->seg, j->nr, sizeof(*j->seg), cmp_job);
	j->later = all - queue;
	j->before = m->done;
	return 0;
}

static bool more(struct job *j)
{
	return j->later;
}

/* Takes the results of a round in. */
static int take_results(struct mend *m)
{
	struct job *j = &m->job;
	int rc = 0;

	for (size_t i = 0; !rc && i < j->nr; i++) {
		const struct job_segment *s = &j->seg[i];

		m->done += s->state == JOB_DONE &&
			   !(s->adopted && s->kind == ADSHARD_KIND_MOVE);
		if (s->state == JOB_FAILED || s->state == JOB_ABORTED)
			rc = note_failure(m, s->segment, s->dst, s->why,
					  s->state == JOB_ABORTED);
	}
	return rc;
}

/* Queues in order of need, for what comes first may begin at once. */
static void queue(struct mend *m)
{
	struct job *j = &m->job;
	uint32_t left = ADS_PLACE_NONE;

	for (;;) {
		struct job_segment *next = NULL;

		for (size_t i = 0; i < j->nr; i++)
			if (j->seg[i].state == JOB_PLANNED &&
			    j->seg[i].priority < left &&
			    (!next || j->seg[i].priority > next->priority))
				next = &j->seg[i];
		if (!next)
			return;
		left = next->priority;
		job_queue(j, next, next->priority, 0);
	}
}

/* One round; *again: there may be more to do. */
static int round_of(struct mend *m, bool detach, bool *again)
{
	struct job *j = &m->job;
	int rc = mend_look(m);

	*again = false;
	if (!rc)
		rc = mend_plan(m);
	if (rc)
		return rc;
	for (size_t i = 0; !rc && i < m->nr_step; i++)
		if (m->step[i].act == ADS_MEND_DROP)
			rc = drop(m, &m->step[i], again);
	if (!rc)
		rc = make_jobs(m);
	if (rc)
		return ctl_fail_err(j->c, rc, NULL);
	queue(m);
	if (detach)
		return job_count(j, JOB_FAILED) ? CTL_ERRORS : CTL_OK;
	if (!j->nr) {
		if (*again)
			usleep(SETTLE_US);
		return CTL_OK;
	}
	*again = true;
	rc = job_wait(j, m->what);
	if (rc == CTL_OK || rc == CTL_ERRORS || rc == CTL_UNREAD) {
		int r = take_results(m);

		rc = r ? ctl_fail_err(j->c, r, NULL) : CTL_OK;
	}
	return rc;
}

static void say_left(struct mend *m)
{
	struct job *j = &m->job;
	size_t shown = 0;
	char name[128];

	for (size_t i = 0; i < m->nr_failed; i++) {
		const struct mend_failure *f = &m->failed[i];

		if (shown++ == 5) {
			ctl_warn(j->c, "and %zu more", m->nr_failed - 5);
			break;
		}
		ctl_member_name(j->m, j->nr_m, f->dst, name, sizeof(name));
		ctl_warn(j->c, "segment %u, its copy on %s: %s", f->segment,
			 name, f->why[0] ? f->why : "unknown reason");
	}
	if (m->unplaced)
		ctl_warn(j->c, "%zu cop%s find%s no place: %s", m->unplaced,
			 m->unplaced == 1 ? "y" : "ies",
			 m->unplaced == 1 ? "s" : "",
			 ads_err_text(&m->unplaced_why, -ENOSPC));
	if (m->nr_lost)
		ctl_warn(j->c, "%zu segment%s (the first is %u) %s no copy that can be read: bring the missing member back, or restore the data from a backup",
			 m->nr_lost, m->nr_lost == 1 ? "" : "s", m->first_lost,
			 m->nr_lost == 1 ? "has" : "have");
}

/* How it is in the end, in figures. An exit code. */
static int finish(struct mend *m)
{
	struct job *j = &m->job;
	int rc = mend_look(m);
	struct json_object *o;
	size_t left;

	if (!rc)
		rc = mend_plan(m);
	if (rc)
		return rc;
	/* What went well is counted over all rounds. */
	job_free_segments(j);
	j->moved = m->done;
	if (m->done || j->c->doc)
		job_summary(j, m->what);
	if (m->dropped)
		ctl_say(j->c, "%s: %zu cop%s dropped", m->what, m->dropped,
			m->dropped == 1 ? "y" : "ies");
	o = j->c->doc ? ads_json_get(j->c->doc, "result") : NULL;
	if (o) {
		ads_json_u64(o, "copies_made", m->done);
		ads_json_u64(o, "copies_dropped", m->dropped);
		ads_json_u64(o, "segments_short", m->nr_short);
		ads_json_u64(o, "segments_lost", m->nr_lost);
		ads_json_u64(o, "copies_without_place", m->unplaced);
	}
	left = mend_count(m, ADS_MEND_DROP);
	if (left)
		ctl_warn(j->c, "%zu cop%s could not be dropped, for something is being done with %s: try again later",
			 left, left == 1 ? "y" : "ies",
			 left == 1 ? "its segment" : "their segments");
	if (!m->nr_short && left)
		return CTL_ERRORS;
	if (!m->nr_short) {
		if (!m->done && !m->dropped)
			ctl_say(j->c, "%s: nothing to do: every segment has its copies",
				m->what);
		return CTL_OK;
	}
	say_left(m);
	ctl_say(j->c, "%s: %zu of %zu segments have fewer copies than they should have",
		m->what, m->nr_short, m->nr);
	return CTL_ERRORS;
}

int mend_run(struct mend *m, bool detach)
{
	struct job *j = &m->job;
	bool again = true;
	int rc = CTL_OK;

	j->doing = JOB_COPIES;
	j->more = more;
	for (int i = 0; !rc && again && i < MEND_ROUNDS; i++) {
		rc = round_of(m, detach, &again);
		if (detach)
			break;
	}
	if (rc == CTL_DETACHED && j->later)
		ctl_warn(j->c, "%zu more cop%s then 'adshardctl rebuild', if no agent runs",
			 j->later, j->later == 1 ? "y needs" : "ies need");
	if (!detach)
		return rc ? rc : finish(m);
	ctl_say(j->c, "%s: %zu cop%s on the way%s", m->what,
		job_count(j, JOB_PENDING),
		job_count(j, JOB_PENDING) == 1 ? "y" : "ies",
		j->later ? "; the others need 'adshardctl rebuild' afterwards, if no agent runs" :
		"");
	job_report_failures(j);
	say_left(m);
	return rc ? rc : m->unplaced || m->nr_lost ? CTL_ERRORS : CTL_OK;
}
