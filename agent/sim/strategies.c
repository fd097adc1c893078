// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The planner, and what people do without it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sim/sim.h"

/* -- the planner ------------------------------------------------------------------------ */

static void set_flights(struct sim *s)
{
	s->s.nr_flights = s->nr_flights;
	for (uint32_t i = 0; i < s->nr_flights; i++) {
		const struct sim_flight *f = &s->flight[i];

		s->s.flight[i] = (struct plan_flight){
			.segment = f->a.segment, .to = f->a.to,
			.from = f->a.what == PLAN_DO_REPLICATE ? PLAN_NONE :
								 f->a.from,
			.cause = f->a.cause, .bytes = s->sc->segment,
			.done = s->sc->segment -
				(uint64_t)(f->left * 1048576.0),
			.started = f->began,
		};
	}
}

static void follow(struct sim *s, const struct plan_result *r)
{
	for (uint32_t i = 0; i < s->s.nr_members; i++) {
		s->s.member[i].track = r->verdict[i].track;
		if (r->verdict[i].drain)
			sim_evacuate(s, i);
		else if (r->verdict[i].release && !s->m[i].done)
			sim_keep(s, i);
	}
}

static double seconds_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* It looks again when there is something to see. */
static bool due(const struct sim *s)
{
	return s->changed || s->nr_flights || s->nr_queue || s->volumes->nr ||
	       s->s.now - s->planned >= 86400;
}

/* What the number of moves at once did since the last plan, and the next one. */
static void try_pace(struct sim *s)
{
	double load = 0, most = 0;

	for (uint32_t i = 0; i < s->s.nr_members; i++) {
		load += s->m[i].user / s->s.nr_members;
		most += (double)s->s.member[i].mibs / 3;
	}
	if (s->seen_accesses > 0)
		plan_bandit_learn(&s->bandit, s->copied / (double)s->sc->look,
				  most, s->seen_wait / s->seen_accesses,
				  s->seen_usual / s->seen_accesses);
	s->copied = s->seen_accesses = s->seen_wait = s->seen_usual = 0;
	s->s.pace = plan_bandit_choose(&s->bandit, load);
}

static int plan_adshard(struct sim *s)
{
	struct plan_result *r;
	struct ads_err err;
	double begin, took;
	int e;

	if (!due(s))
		return 0;
	if (s->volumes->nr)
		sim_forecast(s);
	if (s->policy.pace.bandit)
		try_pace(s);
	set_flights(s);
	begin = seconds_now();
	e = plan_run(&s->s, &s->policy, 0, &r, &err);
	if (e)
		return e;
	took = seconds_now() - begin;
	s->metrics.plans++;
	s->metrics.plan_seconds += took;
	if (took > s->metrics.plan_worst)
		s->metrics.plan_worst = took;
	s->changed = false;
	s->planned = s->s.now;
	follow(s, r);
	s->nr_queue = 0;
	for (size_t i = 0; i < r->nr_actions && !e; i++)
		e = sim_want(s, &r->action[i]);
	plan_result_free(r);
	return e ? -ENOMEM : 0;
}

/* -- what the others share ----------------------------------------------------------------- */

enum choice { LEAST_USED, BY_CHANCE };

static bool may_take(const struct sim *s, const struct plan_seg *g,
		     uint16_t from, uint32_t to)
{
	const struct plan_member *m = &s->s.member[to];

	if (m->state != PLAN_ONLINE || m->used >= m->slots)
		return false;
	for (unsigned int l = 0; l < g->nr_legs; l++) {
		const struct plan_member *o = &s->s.member[g->leg[l]];

		if (g->leg[l] == to || (g->leg[l] != from && m->domain &&
					m->domain == o->domain))
			return false;
	}
	return true;
}

static uint16_t choose(struct sim *s, const struct plan_seg *g, uint16_t from,
		       enum choice how, const uint32_t *coming)
{
	uint32_t n = s->s.nr_members, start = 0;
	uint16_t best = PLAN_NONE;
	double least = 2;

	if (how == BY_CHANCE)
		start = (uint32_t)(sim_random(&s->random) * n);
	for (uint32_t k = 0; k < n; k++) {
		uint32_t i = (start + k) % n;
		const struct plan_member *m = &s->s.member[i];
		double used = (double)(m->used + coming[i]) /
			      (m->slots ? m->slots : 1);

		if (used >= 1 || !may_take(s, g, from, i))
			continue;
		if (how == BY_CHANCE)
			return (uint16_t)i;
		if (used < least) {
			least = used;
			best = (uint16_t)i;
		}
	}
	return best;
}

static int want(struct sim *s, uint8_t what, uint8_t cause, uint32_t seg,
		uint16_t from, enum choice how, uint32_t *coming)
{
	const struct plan_seg *g = &s->s.seg[seg];
	struct plan_action a = { .what = what, .cause = cause, .segment = seg,
				 .from = from };

	if (s->flying[seg])
		return 0;
	a.to = choose(s, g, from, how, coming);
	if (a.to == PLAN_NONE)
		return 0;
	coming[a.to]++;
	return sim_want(s, &a);
}

static int rebuild(struct sim *s, enum choice how, uint32_t *coming)
{
	int r = 0;

	for (uint32_t i = 0; i < s->s.nr_segs && !r; i++) {
		const struct plan_seg *g = &s->s.seg[i];

		if (g->nr_legs && g->nr_legs < g->wanted)
			r = want(s, PLAN_DO_REPLICATE, PLAN_BY_REBUILD, i,
				 PLAN_NONE, how, coming);
	}
	return r;
}

/* All that is on members that are being emptied, in the order of the volume. */
static int evacuate(struct sim *s, enum choice how, uint32_t *coming)
{
	int r = 0;

	for (uint32_t i = 0; i < s->s.nr_segs && !r; i++) {
		const struct plan_seg *g = &s->s.seg[i];

		for (unsigned int l = 0; l < g->nr_legs && !r; l++)
			if (s->s.member[g->leg[l]].state == PLAN_DRAINING) {
				r = want(s, PLAN_DO_MOVE, PLAN_BY_EVACUATE, i,
					 g->leg[l], how, coming);
				break;
			}
	}
	return r;
}

static int relieve(struct sim *s, enum choice how, uint32_t *coming)
{
	double high = (double)s->policy.balance.high / 100;
	int r = 0;

	for (uint32_t i = 0; i < s->s.nr_members && !r; i++) {
		double load = s->m[i].user;

		/* the hottest segment that is still there, until it is below */
		while (load > high && s->s.member[i].state == PLAN_ONLINE) {
			uint32_t best = PLAN_NO_SEG;
			float most = 0;

			for (uint32_t k = 0; k < s->s.nr_segs; k++) {
				const struct plan_seg *g = &s->s.seg[k];
				bool here = false;

				for (unsigned int l = 0; l < g->nr_legs; l++)
					here |= g->leg[l] == i;
				if (here && !s->flying[k] && g->mibs > most) {
					most = g->mibs;
					best = k;
				}
			}
			if (best == PLAN_NO_SEG)
				break;
			r = want(s, PLAN_DO_MOVE, PLAN_BY_BALANCE, best,
				 (uint16_t)i, how, coming);
			/* not again in this look */
			s->flying[best] |= 2;
			load -= (double)most * s->m[i].slow /
				(double)s->s.member[i].mibs;
		}
	}
	for (uint32_t k = 0; k < s->s.nr_segs; k++)
		s->flying[k] &= 1;
	return r;
}

static bool rule_fires(const struct sim *s, uint32_t i)
{
	return s->m[i].rule;
}

static bool score_is_high(const struct sim *s, uint32_t i)
{
	return s->s.member[i].score > s->policy.score.drain;
}

/* At once, and back as soon as it looks well. */
static void judge(struct sim *s, bool (*bad)(const struct sim *, uint32_t),
		  bool back)
{
	for (uint32_t i = 0; i < s->s.nr_members; i++) {
		const struct plan_member *m = &s->s.member[i];

		if (m->state == PLAN_ONLINE && bad(s, i))
			sim_evacuate(s, i);
		else if (back && m->state == PLAN_DRAINING && !bad(s, i))
			sim_keep(s, i);
	}
}

static int plan_others(struct sim *s,
		       bool (*bad)(const struct sim *, uint32_t), bool back,
		       bool balance, enum choice how)
{
	uint32_t *coming;
	int r;

	if (bad)
		judge(s, bad, back);
	if (!s->changed && !s->nr_queue && !s->volumes->nr)
		return 0;
	coming = calloc(s->s.nr_members + 1, sizeof(*coming));
	if (!coming)
		return -ENOMEM;
	s->changed = false;
	s->nr_queue = 0;
	r = rebuild(s, how, coming);
	if (!r && bad)
		r = evacuate(s, how, coming);
	if (!r && balance && s->volumes->nr)
		r = relieve(s, how, coming);
	free(coming);
	return r ? -ENOMEM : 0;
}

static int plan_react(struct sim *s)
{
	return plan_others(s, NULL, false, false, LEAST_USED);
}

static int plan_scrutiny(struct sim *s)
{
	return plan_others(s, rule_fires, false, false, LEAST_USED);
}

static int plan_greedy(struct sim *s)
{
	return plan_others(s, score_is_high, true, true, LEAST_USED);
}

static int plan_random(struct sim *s)
{
	return plan_others(s, score_is_high, true, true, BY_CHANCE);
}

const struct sim_strategy sim_strategies[] = {
	{ .name = "adshard", .plan = plan_adshard },
	{ .name = "react", .plan = plan_react },
	{ .name = "scrutiny", .plan = plan_scrutiny },
	{ .name = "greedy", .plan = plan_greedy },
	{ .name = "random", .plan = plan_random },
	{ .name = NULL },
};
