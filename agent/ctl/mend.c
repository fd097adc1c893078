// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Mending: what there is, and what to do about it.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mend.h"

#define TRIES		3	/* destinations of a segment */
#define SETTLE_TRIES	50	/* for an operation that was told to stop */
#define SETTLE_US	100000

void mend_take_pool(struct ctl *c, int argc, char **argv)
{
	const char *s = optind < argc ? argv[optind] : NULL;

	if (!s || !strcmp(s, "all") || s[strspn(s, "0123456789,-")] == '\0')
		return;
	if (c->pool)
		ctl_usage(c, "%s: the pool is %s already", s, c->pool);
	c->pool = s;
	optind++;
}

size_t mend_count(const struct mend *m, enum ads_mend_act act)
{
	size_t n = 0;

	for (size_t i = 0; i < m->nr_step; i++)
		n += m->step[i].act == act;
	return n;
}

const struct ads_migration *mend_op(const struct mend *m, uint32_t segment)
{
	for (size_t i = 0; i < m->nr_op; i++)
		if (m->op[i].segment == segment)
			return &m->op[i];
	return NULL;
}

/*---------------------------------------------------------------------------*/

static int cmp_segment(const void *a, const void *b)
{
	const struct ads_segment *x = a, *y = b;

	return x->index < y->index ? -1 : x->index > y->index;
}

const struct ads_segment *mend_segment(const struct mend *m, uint32_t segment)
{
	const struct ads_segment key = { .index = segment };

	return m->nr ? bsearch(&key, m->seg, m->nr, sizeof(key), cmp_segment) :
		       NULL;
}

/* Only those that were asked for, which must exist. */
static int select_wanted(struct mend *m)
{
	size_t n = 0;

	qsort(m->seg, m->nr, sizeof(*m->seg), cmp_segment);
	if (!m->want)
		return CTL_OK;
	for (size_t i = 0; i < m->nr_want; i++) {
		if (m->want[i] >= m->job.pool.nr_segments)
			return ctl_fail(m->job.c, CTL_NOENT,
					"the pool has no segment %u: they are 0 to %u",
					m->want[i],
					m->job.pool.nr_segments - 1);
		for (size_t k = n; k < m->nr; k++) {
			if (m->seg[k].index != m->want[i])
				continue;
			m->seg[n++] = m->seg[k];
			break;
		}
	}
	m->nr = n;
	return CTL_OK;
}

static int look(struct mend *m, struct ads_err *err)
{
	struct job *j = &m->job;
	struct ads_member *members;
	size_t nr_m;
	int rc;

	free(m->seg);
	free(m->op);
	m->seg = NULL;
	m->op = NULL;
	m->nr = m->nr_op = 0;
	rc = ads_nl_members(j->c->nl, j->pool.uuid, &members, &nr_m, err);
	if (rc)
		return rc;
	free(j->m);
	j->m = members;
	j->nr_m = nr_m;
	rc = ads_nl_segments(j->c->nl, j->pool.uuid, NULL, &m->seg, &m->nr,
			     err);
	if (!rc)
		rc = ads_nl_migrations(j->c->nl, j->pool.uuid, &m->op,
				       &m->nr_op, err);
	return rc;
}

/* The map and what is under way are two answers; see evac_collect(). */
int mend_look(struct mend *m)
{
	struct job *j = &m->job;
	struct ads_pool before;
	struct ads_err err = { "" };
	int rc;

	for (unsigned int try = 0; ; try++) {
		rc = ads_nl_pool(j->c->nl, j->pool.uuid, &before, &err);
		if (!rc)
			rc = look(m, &err);
		if (!rc)
			rc = ads_nl_pool(j->c->nl, j->pool.uuid, &j->pool,
					 &err);
		if (rc)
			return ctl_fail_err(j->c, rc, &err);
		if (before.generation == j->pool.generation || try == 20)
			return select_wanted(m);
		usleep(10000);
	}
}

/*---------------------------------------------------------------------------*/

static bool given_up(const struct mend *m, uint32_t segment)
{
	unsigned int n = 0;

	for (size_t i = 0; i < m->nr_failed; i++) {
		if (m->failed[i].segment != segment)
			continue;
		if (m->failed[i].for_good || ++n == TRIES)
			return true;
	}
	return false;
}

static int add_step(struct mend *m, const struct ads_mend *s)
{
	struct ads_mend *p = reallocarray(m->step, m->nr_step + 1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	m->step = p;
	p[m->nr_step++] = *s;
	return 0;
}

/* The copies that one has too many of; not what is being made just now. */
static int plan_drops(struct mend *m, const struct ads_place_member *pm,
		      struct ads_segment *s)
{
	int rc = 0;

	while (!rc && m->target) {
		struct ads_mend step = { .act = ADS_MEND_DROP,
					 .segment = s->index,
					 .dst = ADS_PLACE_NONE };

		step.src = ads_mend_surplus(pm, m->job.nr_m, s, m->target);
		if (step.src == ADS_PLACE_NONE)
			break;
		rc = add_step(m, &step);
		ads_mend_apply(s, &step);
	}
	return rc;
}

static uint32_t wanted(const struct mend *m, const struct ads_segment *s)
{
	return m->target ? m->target : s->wanted;
}

static int plan_segment(struct mend *m, struct ads_place_member *pm,
			const struct ads_segment *from)
{
	uint32_t exclude[TRIES];
	struct ads_place_opts o = {
		.exclude = exclude,
		.same_domain = m->job.same_domain,
		.same_domain_how = "--same-domain",
	};
	const struct ads_migration *op = mend_op(m, from->index);
	struct ads_segment s = *from;
	struct ads_mend step;
	int rc;

	s.wanted = wanted(m, from);

	/* A scrub makes way, and a queued operation is one that is under way. */
	if (op && (op->kind == ADSHARD_KIND_SCRUB ||
		   op->kind == ADSHARD_KIND_REPAIR))
		s.state = ADSHARD_SEGMENT_STABLE;
	if (ads_mend_good(pm, m->job.nr_m, &s) < s.wanted)
		m->nr_short++;
	for (size_t i = 0; i < m->nr_failed && o.nr_exclude < TRIES; i++)
		if (m->failed[i].segment == s.index)
			exclude[o.nr_exclude++] = m->failed[i].dst;
	rc = plan_drops(m, pm, &s);
	while (!rc && !given_up(m, s.index)) {
		struct ads_err err = { "" };

		rc = ads_mend(pm, m->job.nr_m, &s, &o, &step, &err);
		if (rc && rc != -ENOMEM) {
			if (!m->unplaced)
				m->unplaced_why = err;
			m->unplaced += s.wanted -
				       ads_mend_good(pm, m->job.nr_m, &s);
			return 0;
		}
		if (rc || step.act == ADS_MEND_NOTHING)
			break;
		if (step.act == ADS_MEND_LOST) {
			if (!m->nr_lost++)
				m->first_lost = s.index;
			break;
		}
		rc = add_step(m, &step);
		ads_mend_apply(&s, &step);
	}
	return rc;
}

int mend_plan(struct mend *m)
{
	struct ads_place_member *pm = job_place_members(&m->job, m->agent);
	int rc = pm ? 0 : -ENOMEM;

	free(m->step);
	free(m->rank);
	m->step = NULL;
	m->nr_step = m->nr_short = m->nr_lost = m->unplaced = 0;
	m->rank = calloc(m->nr + 1, sizeof(*m->rank));
	if (!m->rank)
		rc = -ENOMEM;
	for (size_t i = 0; !rc && i < m->nr; i++) {
		const struct ads_segment *s = &m->seg[i];

		m->rank[i] = (struct ads_mend_rank){
			.good = ads_mend_good(pm, m->job.nr_m, s),
			.wanted = wanted(m, s),
			.heat = (double)s->reads + s->writes,
			.segment = (uint32_t)i,	/* its place, for now */
		};
	}
	if (!rc && m->nr)
		qsort(m->rank, m->nr, sizeof(*m->rank), ads_mend_compare);
	for (size_t i = 0; !rc && i < m->nr; i++)
		rc = plan_segment(m, pm, &m->seg[m->rank[i].segment]);
	job_place_free(pm, m->job.nr_m);
	return rc ? ctl_fail_err(m->job.c, rc, NULL) : CTL_OK;
}

/* Runs of segments that follow each other, one request each. */
int mend_set_wanted(struct mend *m, const struct ads_segment *seg, size_t nr,
		    uint32_t want, struct ads_err *err)
{
	struct job *j = &m->job;
	size_t i = 0;
	int rc = 0;

	while (!rc && i < nr) {
		uint32_t first = seg[i].index, count = 0;

		while (i < nr && seg[i].index == first + count &&
		       seg[i].wanted != want) {
			count++;
			i++;
		}
		if (count)
			rc = ads_nl_set_wanted(j->c->nl, j->pool.uuid, first,
					       count, want, err);
		else
			i++;
	}
	return rc;
}

/* What is being copied or compared for another purpose than that of now. */
void mend_call_off(struct mend *m)
{
	for (size_t i = 0; i < m->nr_op; i++)
		if (m->op[i].kind != ADSHARD_KIND_MOVE &&
		    mend_segment(m, m->op[i].segment))
			ads_nl_abort_segment(m->job.c->nl, m->job.pool.uuid,
					     m->op[i].segment, NULL);
}

int mend_set_target(struct mend *m)
{
	struct ads_err err;
	int rc = CTL_OK;

	for (int try = 0; !rc; try++) {
		err.text[0] = '\0';
		rc = mend_set_wanted(m, m->seg, m->nr, m->target, &err);
		if (rc != -EBUSY || try == SETTLE_TRIES)
			return rc ? ctl_fail_err(m->job.c, rc, &err) : CTL_OK;
		mend_call_off(m);
		usleep(SETTLE_US);
		/* (some may have it by now) */
		rc = mend_look(m);
	}
	return rc;
}

void mend_free(struct mend *m)
{
	ads_agent_status_free(m->agent);
	free(m->want);
	free(m->seg);
	free(m->op);
	free(m->rank);
	free(m->step);
	free(m->failed);
	job_free(&m->job);
}
