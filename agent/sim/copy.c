// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Moves: what starts, how fast it goes, what it leaves behind.
 *
 * A member gives moves what its users leave of its bandwidth, but never less than a
 * tenth; moves at once share it. The destination writes and reads back. This is what
 * the kernel's throttle does.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/sim.h"

#define MiB		1048576.0
#define FLOOR		0.1
#define READ_BACK	2	/* what the destination does, of each byte */

int sim_want(struct sim *s, const struct plan_action *a)
{
	if (s->nr_queue == s->cap_queue) {
		size_t cap = s->cap_queue ? s->cap_queue * 2 : 256;
		void *p = realloc(s->queue, cap * sizeof(*s->queue));

		if (!p)
			return -1;
		s->queue = p;
		s->cap_queue = cap;
	}
	s->queue[s->nr_queue++] = *a;
	return 0;
}

/* -- what starts ------------------------------------------------------------------ */

static int leg_at(const struct plan_seg *g, uint16_t member)
{
	for (unsigned int l = 0; l < g->nr_legs; l++)
		if (g->leg[l] == member)
			return (int)l;
	return -1;
}

static void drop_leg(struct sim *s, struct plan_seg *g, int l)
{
	s->s.member[g->leg[l]].used--;
	g->leg[l] = g->leg[--g->nr_legs];
	if (g->extra)
		g->extra--;
}

/* Done at once; returns false if it makes no sense any more. */
static bool at_once(struct sim *s, const struct plan_action *a)
{
	struct plan_seg *g = &s->s.seg[a->segment];

	if (a->what == PLAN_DO_DROP) {
		int l = leg_at(g, a->from);

		if (l < 0 || g->nr_legs < 2)
			return false;
		drop_leg(s, g, l);
		return true;
	}
	for (uint32_t i = 0; i < s->nr_flights; i++) {
		struct sim_flight *f = &s->flight[i];

		if (f->a.segment != a->segment)
			continue;
		s->s.member[f->a.to].used--;
		s->flying[a->segment] = 0;
		*f = s->flight[--s->nr_flights];
		return true;
	}
	return false;
}

static bool makes_sense(const struct sim *s, const struct plan_action *a)
{
	const struct plan_seg *g = &s->s.seg[a->segment];
	const struct plan_member *to = &s->s.member[a->to];

	if (s->flying[a->segment] || !g->nr_legs || leg_at(g, a->to) >= 0 ||
	    to->used >= to->slots || to->state >= PLAN_FAILED)
		return false;
	return a->what != PLAN_DO_MOVE || leg_at(g, a->from) >= 0;
}

static uint32_t on_link(const struct sim *s, const struct plan_action *a,
			int *link)
{
	uint16_t x = s->s.member[a->to].location, y;
	uint32_t n = 0;

	*link = -1;
	y = a->from == PLAN_NONE ? x : s->s.member[a->from].location;
	for (uint32_t i = 0; x != y && i < s->s.nr_links; i++)
		if ((s->link[i].a == x && s->link[i].b == y) ||
		    (s->link[i].a == y && s->link[i].b == x))
			*link = (int)i;
	for (uint32_t i = 0; *link >= 0 && i < s->nr_flights; i++) {
		uint16_t p = s->s.member[s->flight[i].a.from].location;
		uint16_t q = s->s.member[s->flight[i].a.to].location;

		n += (p == x && q == y) || (p == y && q == x);
	}
	return n;
}

/* Pace, for all strategies the same. */
static bool has_pace(const struct sim *s, const struct plan_action *a)
{
	const struct plan_policy *p = &s->policy;
	int link;

	if (a->cause != PLAN_BY_RESCUE && s->nr_flights >= p->pace.pool)
		return false;
	if (s->nr_flights >= SIM_FLIGHTS ||
	    s->m[a->to].flights >= p->pace.member ||
	    (a->from != PLAN_NONE && s->m[a->from].flights >= p->pace.member))
		return false;
	if (on_link(s, a, &link) >= p->pace.link)
		return false;
	return link < 0 || s->link[link].mibs > 0;
}

static void launch(struct sim *s, const struct plan_action *a)
{
	struct sim_flight *f = &s->flight[s->nr_flights++];
	const struct plan_seg *g = &s->s.seg[a->segment];

	*f = (struct sim_flight){
		.a = *a, .began = s->s.now,
		.left = g->flags & PLAN_SEG_BLANK ? 0 :
			(double)s->sc->segment / MiB,
	};
	/* a copy is read from the idlest leg */
	if (f->a.from == PLAN_NONE) {
		for (unsigned int l = 0; l < g->nr_legs; l++)
			if (s->s.member[g->leg[l]].state < PLAN_FAILED &&
			    (f->a.from == PLAN_NONE ||
			     s->m[g->leg[l]].user < s->m[f->a.from].user))
				f->a.from = g->leg[l];
	}
	f->load = fmax(s->m[f->a.from].user, s->m[a->to].user);
	f->generation[0] = s->generation[f->a.from];
	f->generation[1] = s->generation[a->to];
	s->s.member[a->to].used++;
	s->m[a->to].flights++;
	s->m[f->a.from].flights++;
	s->flying[a->segment] = 1;
}

/* A hold that ends when another move does; the others wait for the next plan. */
static bool is_ready(const struct plan_action *a)
{
	return a->hold == PLAN_START || a->hold == PLAN_HOLD_PACE_POOL ||
	       a->hold == PLAN_HOLD_PACE_MEMBER ||
	       a->hold == PLAN_HOLD_PACE_LINK;
}

static void count_flights(struct sim *s)
{
	for (uint32_t i = 0; i < s->s.nr_members; i++)
		s->m[i].flights = 0;
	for (uint32_t i = 0; i < s->nr_flights; i++) {
		s->m[s->flight[i].a.from].flights++;
		s->m[s->flight[i].a.to].flights++;
	}
}

void sim_start(struct sim *s)
{
	size_t n = 0;

	count_flights(s);
	for (size_t i = 0; i < s->nr_queue; i++) {
		const struct plan_action a = s->queue[i];

		if (a.what == PLAN_DO_DROP || a.what == PLAN_DO_ABORT) {
			if (is_ready(&a))
				s->changed |= at_once(s, &a);
			continue;
		}
		if (!makes_sense(s, &a))
			continue;
		if (is_ready(&a) && has_pace(s, &a))
			launch(s, &a);
		else
			s->queue[n++] = a;
	}
	s->nr_queue = n;
}

/* -- how fast ----------------------------------------------------------------------- */

static double available(const struct sim *s, uint16_t member)
{
	const struct sim_member *m = &s->m[member];
	double mibs = (double)s->s.member[member].mibs / m->slow;

	return mibs * fmax(FLOOR, 1 - m->user);
}

static void set_rates(struct sim *s)
{
	count_flights(s);
	for (uint32_t i = 0; i < s->s.nr_members; i++)
		s->m[i].copying = 0;
	for (uint32_t i = 0; i < s->nr_flights; i++) {
		struct sim_flight *f = &s->flight[i];
		const struct sim_member *a = &s->m[f->a.from];
		const struct sim_member *b = &s->m[f->a.to];
		int link;
		uint32_t n = on_link(s, &f->a, &link);

		f->rate = fmin(available(s, f->a.from) / a->flights,
			       available(s, f->a.to) / b->flights / READ_BACK);
		if (link >= 0)
			f->rate = fmin(f->rate, (double)s->link[link].mibs /
						(n ? n : 1));
	}
	for (uint32_t i = 0; i < s->nr_flights; i++) {
		const struct sim_flight *f = &s->flight[i];

		s->m[f->a.from].copying += f->rate * s->m[f->a.from].slow /
					   (double)s->s.member[f->a.from].mibs;
		s->m[f->a.to].copying += READ_BACK * f->rate *
					 s->m[f->a.to].slow /
					 (double)s->s.member[f->a.to].mibs;
	}
}

double sim_next_end(struct sim *s)
{
	double next = HUGE_VAL;

	set_rates(s);
	for (uint32_t i = 0; i < s->nr_flights; i++)
		if (s->flight[i].rate > 0)
			next = fmin(next, s->flight[i].left / s->flight[i].rate);
	return next;
}

/* -- what it leaves behind ------------------------------------------------------------- */

static void account(struct sim *s, const struct sim_flight *f, double mib)
{
	struct metrics *m = &s->metrics;
	double bytes = mib * MiB;
	struct sim_member *from = &s->m[f->a.from];

	m->moved += bytes;
	s->copied += mib;
	switch ((enum plan_cause)f->a.cause) {
	case PLAN_BY_REPLICATE:
		m->moved_replica += bytes;
		break;
	case PLAN_BY_RESCUE:
	case PLAN_BY_PERSON:
	case PLAN_BY_EVACUATE:
		from->moved += (uint64_t)bytes;
		m->moved_risk += bytes;
		break;
	case PLAN_BY_REBUILD:
		m->moved_risk += bytes;
		m->needed += bytes;
		break;
	default:
		m->moved_load += bytes;
	}
}

static void learn(struct sim *s, const struct sim_flight *f)
{
	double n = fmax(s->m[f->a.from].flights, 1);
	struct plan_done d = {
		.from = s->s.member[f->a.from].class,
		.to = s->s.member[f->a.to].class,
		.bytes = (double)s->sc->segment * n, .load = fmin(f->load, 1),
		.seconds = (double)(s->s.now - f->began), .rise_ms = NAN,
	};

	/* those at once share the bandwidth: as if one after the other */
	plan_cost_learn(&s->cost, &d);
}

static void finish(struct sim *s, uint32_t i)
{
	struct sim_flight f = s->flight[i];
	struct plan_seg *g = &s->s.seg[f.a.segment];
	int l = leg_at(g, f.a.from);

	s->flight[i] = s->flight[--s->nr_flights];
	s->flying[f.a.segment] = 0;
	learn(s, &f);
	if (f.a.what == PLAN_DO_REPLICATE) {
		g->leg[g->nr_legs++] = f.a.to;
		g->extra += f.a.cause == PLAN_BY_REPLICATE;
		return;
	}
	if (l < 0) {
		s->s.member[f.a.to].used--;	/* the source is gone */
		return;
	}
	s->s.member[f.a.from].used--;
	g->leg[l] = f.a.to;
	if (f.a.cause >= PLAN_BY_BALANCE)
		g->rest_until = (uint32_t)(s->s.now + s->policy.pace.rest);
}

void sim_advance(struct sim *s, double seconds)
{
	s->t += seconds;
	s->s.now = SIM_EPOCH + (int64_t)s->t;
	for (uint32_t i = s->nr_flights; i--;) {
		struct sim_flight *f = &s->flight[i];
		double mib = fmin(f->rate * seconds, f->left);

		account(s, f, mib);
		f->left -= mib;
		if (f->left < 1e-6)
			finish(s, i);
	}
}

void sim_end_flights_of(struct sim *s, uint32_t member)
{
	for (uint32_t i = s->nr_flights; i--;) {
		struct sim_flight *f = &s->flight[i];

		if (f->a.from != member && f->a.to != member)
			continue;
		s->s.member[f->a.to].used--;
		s->flying[f->a.segment] = 0;
		*f = s->flight[--s->nr_flights];
	}
}
