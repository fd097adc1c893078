// SPDX-License-Identifier: GPL-2.0-or-later
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/sim.h"

#define MOST_QUEUE	20
#define DAY_SECONDS	86400

/* What users see in the next @seconds, and how the load is spread. */
static void measure(struct sim *s, double seconds)
{
	struct metrics *m = &s->metrics;
	double most = 0, sum = 0;
	uint32_t n = 0;

	if (!s->volumes->nr)
		return;
	for (uint32_t i = 0; i < s->s.nr_members; i++) {
		const struct sim_member *o = &s->m[i];
		const struct plan_member *p = &s->s.member[i];
		double busy, queue, ms;

		if (p->state >= PLAN_FAILED)
			continue;
		/* the throttle gives way: half of what copying takes is felt */
		busy = fmin(o->user + o->copying / 2, 0.99);
		queue = fmin(busy / (1 - busy), MOST_QUEUE);
		/* what can't be done at all waits for what can't either */
		if (o->user > 1)
			queue = MOST_QUEUE * o->user;
		ms = (double)s->s.class[p->class].latency_ms * o->slow *
		     (1 + queue) + (double)s->s.location[p->location].rtt_ms;
		metrics_latency(m, ms, o->accesses * seconds);
		s->seen_accesses += o->accesses * seconds;
		s->seen_wait += ms * o->accesses * seconds;
		s->seen_usual += o->accesses * seconds *
				 (double)s->s.class[p->class].latency_ms *
				 (1 + fmin(o->user / fmax(1 - o->user, 0.01),
					   MOST_QUEUE));
		most = fmax(most, o->user);
		sum += o->user;
		n++;
	}
	m->load_time += seconds;
	m->load_max += most * seconds;
	m->load_spread += (most - sum / (n ? n : 1)) * seconds;
	m->day_peak = fmax(m->day_peak, most);
	m->peak = fmax(m->peak, most);
}

static void end_day(struct sim *s)
{
	if (fmod(s->t, DAY_SECONDS) >= (double)s->sc->look)
		return;
	if (s->t >= DAY_SECONDS) {
		s->metrics.peak_sum += s->metrics.day_peak;
		s->metrics.days++;
	}
	s->metrics.day_peak = 0;
}

/* Until the next look: moves end, others start, disks fail. */
static void until(struct sim *s, double end)
{
	double fails = sim_next_failure(s);

	while (s->t < end) {
		double next;

		sim_start(s);
		next = fmin(s->t + sim_next_end(s), fmin(end, fails));
		if (next > s->t) {
			measure(s, next - s->t);
			sim_advance(s, next - s->t);
		} else {
			sim_advance(s, 0);
		}
		sim_drained(s);
		if (fails <= s->t) {
			for (uint32_t i = 0; i < s->s.nr_members; i++) {
				const struct sim_life *l = s->m[i].life;

				if (l && l->fails && !s->m[i].done &&
				    (double)l->end <= s->t)
					sim_fail(s, i);
			}
			fails = sim_next_failure(s);
		}
	}
}

static void close_all(struct sim *s)
{
	for (uint32_t i = 0; i < s->s.nr_members; i++) {
		struct sim_member *m = &s->m[i];

		if (m->evacuating)	/* neither in time nor for nothing yet */
			sim_keep(s, i);
		if (!m->done) {
			double t = s->t;

			if (m->life && t > (double)m->life->end)
				t = (double)m->life->end;
			s->metrics.members_months +=
				fmax(t - (double)m->in_pool, 0) / (30.44 * 86400);
		}
	}
}

int sim_run(const struct scenario *sc, const struct sim_strategy *strategy,
	    const struct sim_life *lives, struct volumes *v,
	    struct metrics *out, struct ads_err *err)
{
	struct sim *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return ads_err(err, -12, "simulating: no memory");
	s->sc = sc;
	s->strategy = strategy;
	s->volumes = v;
	s->life = lives;
	s->changed = true;
	r = sim_world(s, err);
	while (!r && s->t < (double)sc->length) {
		end_day(s);
		sim_look(s);
		r = strategy->plan(s);
		if (r)
			ads_err(err, r, "%s: planning failed", strategy->name);
		else
			until(s, fmin(s->t + (double)sc->look,
				      (double)sc->length));
	}
	if (!r) {
		close_all(s);
		*out = s->metrics;
	}
	sim_world_free(s);
	free(s);
	return r;
}
