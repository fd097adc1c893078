// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What befalls the pool: scores, loads, scripted events, failures.
 */
#include <math.h>
#include <stdlib.h>

#include "sim/sim.h"

#define RULE_FIRES	40	/* score of a scripted member, from which a rule
				 * of attributes fires as well */
#define SLOW_FOUND	(3 * 86400)	/* it takes so long to be sure */
#define SLOW_FACTOR	1.5
#define MONTH		(30.44 * 86400)
#define HALF_SHORT	3600.0
#define HALF_LONG	86400.0

/* -- members come and go -------------------------------------------------------------- */

static bool will_fail(const struct sim *s, uint32_t member)
{
	const struct sim_member *m = &s->m[member];

	if (m->life)
		return m->life->dies;
	if (s->generation[member])
		return false;
	for (uint32_t i = 0; i < s->sc->nr_events; i++)
		if (s->sc->event[i].kind == SIM_FAIL &&
		    s->sc->event[i].member == member)
			return true;
	return false;
}

static void close_record(struct sim *s, uint32_t i)
{
	struct sim_member *m = &s->m[i];
	double until = s->t;

	if (m->done)
		return;
	m->done = true;
	if (m->life && until > (double)m->life->end)
		until = (double)m->life->end;
	s->metrics.members_months += fmax(until - (double)m->in_pool, 0) / MONTH;
}

void sim_evacuate(struct sim *s, uint32_t i)
{
	struct sim_member *m = &s->m[i];

	s->s.member[i].state = PLAN_DRAINING;
	s->s.member[i].by_agent = true;
	s->changed = true;
	if (m->evacuating)
		return;
	m->evacuating = true;
	m->moved = 0;
	s->metrics.evacuated++;
	s->metrics.needed += (double)sim_bytes_on(s, i, false);
}

/* It was emptied, or partly, for nothing. */
static void count_needless(struct sim *s, uint32_t i)
{
	if (will_fail(s, i))
		return;
	s->metrics.needless++;
	s->metrics.moved_needless += (double)s->m[i].moved;
}

void sim_keep(struct sim *s, uint32_t i)
{
	s->s.member[i].state = PLAN_ONLINE;
	s->s.member[i].by_agent = false;
	if (s->m[i].evacuating)
		count_needless(s, i);
	s->m[i].evacuating = false;
}

void sim_drained(struct sim *s)
{
	for (uint32_t i = 0; i < s->s.nr_members; i++) {
		struct sim_member *m = &s->m[i];

		if (!m->evacuating || s->s.member[i].used ||
		    s->s.member[i].state != PLAN_DRAINING)
			continue;
		s->s.member[i].state = PLAN_DRAINED;
		m->evacuating = false;
		if (m->life ? m->life->fails : will_fail(s, i)) {
			s->metrics.failures++;
			s->metrics.drained++;
		}
		count_needless(s, i);
		close_record(s, i);
		if (s->sc->replace)
			m->back = (int64_t)s->t + s->sc->replace;
	}
}

/* To segments that nobody else has. */
static double accesses_lost(const struct sim *s, uint32_t member)
{
	double sum = 0;

	for (uint32_t i = 0; i < s->s.nr_segs; i++) {
		const struct plan_seg *g = &s->s.seg[i];

		if (g->nr_legs == 1 && g->leg[0] == member)
			sum += (double)g->heat_long;
	}
	return sum;
}

void sim_fail(struct sim *s, uint32_t i)
{
	struct sim_member *m = &s->m[i];
	double bytes;

	if (s->s.member[i].state == PLAN_FAILED || m->done)
		return;
	bytes = (double)sim_bytes_on(s, i, true);
	s->metrics.failures++;
	s->metrics.at_risk += bytes;
	s->metrics.lost_accesses += accesses_lost(s, i);
	s->metrics.lost_any += bytes > 0;
	/* nothing on it, not even one with legs elsewhere */
	s->metrics.drained += !s->s.member[i].used && m->evacuating;
	sim_end_flights_of(s, i);
	for (uint32_t k = 0; k < s->s.nr_segs; k++) {
		struct plan_seg *g = &s->s.seg[k];

		for (unsigned int l = 0; l < g->nr_legs; l++)
			if (g->leg[l] == i)
				g->leg[l--] = g->leg[--g->nr_legs];
	}
	s->s.member[i].used = 0;
	s->s.member[i].state = PLAN_FAILED;
	close_record(s, i);
	m->evacuating = false;
	if (s->sc->replace)
		m->back = (int64_t)s->t + s->sc->replace;
	s->changed = true;
}

void sim_replace(struct sim *s, uint32_t i)
{
	struct plan_member *p = &s->s.member[i];

	s->generation[i]++;
	s->m[i] = (struct sim_member){ .slow = 1, .in_pool = (int64_t)s->t };
	p->state = PLAN_ONLINE;
	p->by_agent = p->slow = false;
	p->score = 3;
	p->used = 0;
	p->track = (struct plan_track){ .band = PLAN_OK };
	s->changed = true;
}

double sim_next_failure(const struct sim *s)
{
	double next = HUGE_VAL;

	for (uint32_t i = 0; i < s->s.nr_members; i++) {
		const struct sim_life *l = s->m[i].life;

		if (l && l->fails && !s->m[i].done &&
		    s->s.member[i].state != PLAN_FAILED)
			next = fmin(next, (double)l->end);
	}
	return next;
}

/* -- scripted ---------------------------------------------------------------------------- */

static void happen(struct sim *s, const struct sim_event *e)
{
	struct sim_member *m = &s->m[e->member];

	switch (e->kind) {
	case SIM_SCORE:
		m->from = e->a;
		m->to = e->b;
		m->ramp_begin = e->time;
		m->ramp_end = e->time + e->length;
		m->flaps = false;
		break;
	case SIM_FLAP:
		m->from = e->a;
		m->to = e->b;
		m->flaps = true;
		break;
	case SIM_FAIL:
		if (!s->generation[e->member])
			sim_fail(s, e->member);
		break;
	case SIM_SLOW:
		m->slow = e->a > 1 ? e->a : 1;
		m->slow_until = e->length ? e->time + e->length : INT64_MAX;
		m->ramp_begin = m->ramp_begin ? m->ramp_begin : 0;
		break;
	case SIM_STALE:
		m->stale_until = e->time + e->length;
		break;
	case SIM_LINK:
		s->link[e->member].mibs = 0;
		s->link_until[e->member] = e->length ? e->time + e->length :
						       INT64_MAX;
		break;
	case SIM_IMPORT:
		s->imported += (uint32_t)e->a;
		break;
	}
	s->changed = true;
}

static void script(struct sim *s)
{
	for (uint32_t i = 0; i < s->sc->nr_events; i++) {
		const struct sim_event *e = &s->sc->event[i];

		if (e->time <= (int64_t)s->t &&
		    e->time > (int64_t)s->t - s->sc->look)
			happen(s, e);
	}
	for (uint32_t i = 0; i < s->sc->nr_links; i++)
		if (s->link[i].mibs <= 0 && s->link_until[i] <= (int64_t)s->t) {
			s->link[i].mibs = s->sc->link[i].mibs;
			s->changed = true;
		}
}

/* -- scores ------------------------------------------------------------------------------- */

static double scripted_score(const struct sim *s, const struct sim_member *m)
{
	double at;

	if (m->flaps)
		return (int64_t)s->t / s->sc->look % 2 ? m->from : m->to;
	if (!m->ramp_end)
		return 3;
	at = m->ramp_end > m->ramp_begin ?
	     (s->t - (double)m->ramp_begin) /
	     (double)(m->ramp_end - m->ramp_begin) : 1;
	return m->from + (m->to - m->from) * fmin(at, 1);
}

static void score(struct sim *s, uint32_t i)
{
	struct sim_member *m = &s->m[i];
	struct plan_member *p = &s->s.member[i];
	int16_t before = p->score;

	if (m->life) {
		while (m->at_point < m->life->nr &&
		       m->life->point[m->at_point].time <= (int64_t)s->t)
			m->at_point++;
		p->score = m->at_point ? m->life->point[m->at_point - 1].score : 3;
		m->rule = m->at_point && m->life->point[m->at_point - 1].rule;
	} else {
		p->score = (int16_t)lround(scripted_score(s, m));
		m->rule = p->score >= RULE_FIRES;
	}
	p->evidence = s->s.now;
	if (m->stale_until > (int64_t)s->t) {
		p->score = -1;
		p->evidence = SIM_EPOCH + m->stale_until;
	}
	if (m->slow > 1 && m->slow_until <= (int64_t)s->t)
		m->slow = 1;
	p->slow = m->slow >= SLOW_FACTOR &&
		  (m->slow_until - (int64_t)s->t > SLOW_FOUND ||
		   m->slow_until == INT64_MAX);
	/* what matters to no decision is no change */
	if (p->score != before && (p->score > 35 || before > 35))
		s->changed = true;
}

/* -- loads ---------------------------------------------------------------------------------- */

static void load(struct sim *s)
{
	size_t step = (size_t)(s->t / SIM_STEP);
	float keep_short = (float)exp2(-(double)s->sc->look / HALF_SHORT);
	float keep_long = (float)exp2(-(double)s->sc->look / HALF_LONG);

	for (uint32_t i = 0; i < s->s.nr_members; i++)
		s->m[i].user = s->m[i].accesses = 0;
	for (uint32_t v = 0; v < s->volumes->nr; v++) {
		const struct volume *o = &s->volumes->v[v];
		float mibs = (float)volume_now(o, step);

		for (uint32_t k = 0; k < o->count; k++) {
			struct plan_seg *g = &s->s.seg[o->first + k];
			float rate, first = s->t < s->sc->look;

			if (!g->nr_legs)
				continue;
			g->mibs = mibs * o->share[k];
			rate = g->mibs * (float)o->per_mib;
			g->heat_short = first ? rate : rate +
					(g->heat_short - rate) * keep_short;
			g->heat_long = first ? rate : rate +
				       (g->heat_long - rate) * keep_long;
			for (unsigned int l = 0; l < g->nr_legs; l++) {
				struct sim_member *m = &s->m[g->leg[l]];

				m->user += (double)(g->mibs / g->nr_legs);
				m->accesses += (double)(rate / g->nr_legs);
			}
		}
	}
	for (uint32_t i = 0; i < s->s.nr_members; i++)
		s->m[i].user *= s->m[i].slow / (double)s->s.member[i].mibs;
}

/* One after the other, where most room is. */
static void import(struct sim *s)
{
	uint32_t n = s->imported;

	s->imported = 0;
	for (uint32_t i = 0; n && i < s->s.nr_segs; i++) {
		struct plan_seg *g = &s->s.seg[i];
		int best = -1;

		if (g->wanted || g->nr_legs)
			continue;
		for (uint32_t k = 0; k < s->s.nr_members; k++) {
			const struct plan_member *m = &s->s.member[k];

			if (m->state == PLAN_ONLINE && m->used < m->slots &&
			    !m->spare && m->track.band == PLAN_OK &&
			    (best < 0 || m->slots - m->used >
			     s->s.member[best].slots - s->s.member[best].used))
				best = (int)k;
		}
		if (best < 0)
			break;
		g->leg[g->nr_legs++] = (uint16_t)best;
		g->wanted = 1;
		g->mibs_next = -1;
		s->s.member[best].used++;
		n--;
	}
}

void sim_look(struct sim *s)
{
	s->s.minute = (unsigned int)((int64_t)s->t / 60 % 1440);
	script(s);
	if (s->imported)
		import(s);
	for (uint32_t i = 0; i < s->s.nr_members; i++) {
		if (s->m[i].back && s->m[i].back <= (int64_t)s->t)
			sim_replace(s, i);
		if (s->s.member[i].state < PLAN_FAILED)
			score(s, i);
	}
	if (s->volumes->nr)
		load(s);
}
