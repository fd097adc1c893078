// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Hot segments to where access is fast, cold ones to where room is cheap.
 *
 * Groups of members (a class in a location) are put in the order of their latency,
 * the way there included. The hottest segments that fill the first group to
 * tier.fill belong there, the next ones into the second, and so on: that gives a
 * border between any two. A segment crosses one only if both its heats say so, by
 * a margin: that of the short half-life alone is a burst, that of the long one
 * alone is the past. It moves if that gains more than it costs, in seconds of
 * waiting; a colder one makes room where there is none.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/plan/core/priv.h"

#define BINS		1024	/* of the logarithm of heat */
#define BINS_PER_2	16.0f
#define COLDEST		-32.0f	/* log2 of accesses per second */
#define MOST		1024	/* moves of one plan, to either side */
#define GAIN		1.5f	/* of what it costs */
#define MONTH		2592000.0
#define GiB		1073741824.0

struct crossing {
	uint32_t seg;
	uint16_t from;		/* leg that goes */
	uint16_t to;		/* rank of the group */
	double gain;		/* seconds of waiting, within the payback */
	float cost;
};

struct tiers {
	uint32_t rank[PLAN_MEMBERS];	/* of a group; 0 is the fastest */
	uint32_t group[PLAN_MEMBERS];	/* of a rank */
	float border[PLAN_MEMBERS];	/* lowest heat that belongs to a rank */
	struct crossing *up, *down;
	size_t nr_up, nr_down, cap_up, cap_down;
};

static unsigned int bin_of(float heat)
{
	float b = heat > 0 ? (log2f(heat) - COLDEST) * BINS_PER_2 : 0;

	return b < 0 ? 0 : b >= BINS ? BINS - 1 : (unsigned int)b;
}

static float heat_of_bin(unsigned int b)
{
	return b ? exp2f((float)b / BINS_PER_2 + COLDEST) : 0;
}

static void rank_groups(const struct work *w, struct tiers *t)
{
	for (uint32_t i = 0; i < w->nr_groups; i++) {
		uint32_t at = i;

		while (at && w->group[t->group[at - 1]].latency_ms >
			     w->group[i].latency_ms) {
			t->group[at] = t->group[at - 1];
			at--;
		}
		t->group[at] = i;
	}
	for (uint32_t i = 0; i < w->nr_groups; i++)
		t->rank[t->group[i]] = i;
}

static void find_borders(const struct work *w, struct tiers *t)
{
	uint32_t count[BINS] = { 0 };
	unsigned int bin = BINS;
	uint64_t sum = 0, room = 0;

	for (uint32_t i = 0; i < w->s->nr_segs; i++)
		if (w->s->seg[i].nr_legs)
			count[bin_of(w->s->seg[i].heat_long)]++;
	for (uint32_t r = 0; r < w->nr_groups; r++) {
		room += w->group[t->group[r]].slots *
			(uint64_t)w->p->tier.fill / 100;
		while (bin && sum + count[bin - 1] <= room)
			sum += count[--bin];
		t->border[r] = bin ? heat_of_bin(bin) : -1;
	}
	if (w->nr_groups)
		t->border[w->nr_groups - 1] = -1;	/* the rest */
}

/* The rank that a heat belongs to. */
static uint32_t rank_of(const struct work *w, const struct tiers *t, float heat)
{
	uint32_t r = 0;

	while (r + 1 < w->nr_groups && heat < t->border[r])
		r++;
	return r;
}

/* Seconds that accesses wait less, and what room costs less, in the payback. */
static double gain_of(const struct work *w, double heat,
		      const struct work_group *from, const struct work_group *to)
{
	double time = (double)w->p->tier.payback;
	double size = (double)w->s->segment_size / GiB;

	return time * heat *
	       (double)(from->latency_ms - to->latency_ms) / 1000 +
	       (double)(from->cost - to->cost) * size * time / MONTH *
	       (double)w->p->tier.cost;
}

static int add(struct crossing **list, size_t *nr, size_t *cap,
	       const struct crossing *c)
{
	if (*nr == *cap) {
		size_t n = *cap ? *cap * 2 : 256;
		void *p = realloc(*list, n * sizeof(*c));

		if (!p)
			return -ENOMEM;
		*list = p;
		*cap = n;
	}
	(*list)[(*nr)++] = *c;
	return 0;
}

static void look_at(struct work *w, struct tiers *t, uint32_t seg)
{
	const struct plan_seg *g = &w->s->seg[seg];
	float margin = (float)w->p->tier.margin / 100;
	float low = fminf(g->heat_short, g->heat_long);
	float high = fmaxf(g->heat_short, g->heat_long);
	uint32_t best = UINT32_MAX, worst = 0, up, down;
	struct crossing c = { .seg = seg };
	uint16_t fast = PLAN_NONE, slow = PLAN_NONE;

	for (unsigned int l = 0; l < g->nr_legs; l++) {
		const struct work_member *m = work_of(w, g->leg[l]);
		uint32_t r = t->rank[m->group];

		if (m->band >= PLAN_EMPTY || m->leaving)
			return;
		if (fast == PLAN_NONE || r < best) {
			best = r;
			fast = g->leg[l];
		}
		if (slow == PLAN_NONE || r >= worst) {
			worst = r;
			slow = g->leg[l];
		}
	}
	up = rank_of(w, t, low * (1 - margin));
	down = rank_of(w, t, high * (1 + margin));
	if (best > up) {
		c.to = (uint16_t)up;
		c.from = slow;
	} else if (best < down) {
		c.to = (uint16_t)down;
		c.from = fast;
	} else {
		return;
	}
	/* the heat that is sure */
	c.gain = gain_of(w, (double)(best > up ? low : high),
			 &w->group[work_of(w, c.from)->group],
			 &w->group[t->group[c.to]]);
	c.cost = g->flags & PLAN_SEG_BLANK ? 0 :
		 3 * (float)((double)w->s->segment_size / 1048576) /
		 work_of(w, c.from)->mibs;
	if (best > up ? add(&t->up, &t->nr_up, &t->cap_up, &c) :
			add(&t->down, &t->nr_down, &t->cap_down, &c))
		w->error = -ENOMEM;
}

static int by_gain(const void *a, const void *b)
{
	const struct crossing *x = a, *y = b;

	if (x->gain != y->gain)
		return x->gain > y->gain ? -1 : 1;
	return (x->seg > y->seg) - (x->seg < y->seg);
}

/* @gain: of it, and of what it makes possible. */
static bool cross(struct work *w, const struct tiers *t,
		  const struct crossing *c, double gain)
{
	const struct work_member *from = work_of(w, c->from);
	struct work_ask ask = {
		.seg = c->seg, .from = c->from, .cause = PLAN_BY_TIER,
		.only = PLAN_NONE, .group = (int32_t)t->group[c->to],
	};
	enum plan_cause cause = w->group[t->group[c->to]].class ==
				from->m->class ? PLAN_BY_PLACE : PLAN_BY_TIER;
	uint64_t bytes = w->s->seg[c->seg].flags & PLAN_SEG_BLANK ? 0 :
			 w->s->segment_size;
	struct plan_action *a;
	uint16_t to;

	if (work_taken(w, c->seg))
		return false;
	to = work_dest(w, &ask);
	if (to == PLAN_NONE ||
	    gain < GAIN * (double)work_busy(w, c->from, to, bytes))
		return false;
	a = work_act(w, PLAN_DO_MOVE, cause, c->seg, c->from, to, PLAN_NONE);
	if (!a)
		return false;
	a->gain = (float)gain;
	a->was = w->group[from->group].latency_ms;
	a->becomes = w->group[t->group[c->to]].latency_ms;
	return true;
}

/* May one more go in, without filling the group beyond tier.fill? */
static bool has_fill(const struct work *w, const struct work_group *g)
{
	return g->used * 100 < g->slots * (uint64_t)w->p->tier.fill;
}

/* The next colder one of that group, to make room: its index, or -1. */
static int next_down(const struct work *w, const struct tiers *t, size_t *at,
		     uint32_t group)
{
	for (; *at < t->nr_down; ++*at)
		if (work_of(w, t->down[*at].from)->group == group &&
		    !work_taken(w, t->down[*at].seg))
			return (int)*at;
	return -1;
}

static void make_moves(struct work *w, struct tiers *t)
{
	size_t moves = 0, at[PLAN_MEMBERS] = { 0 };

	/* first what pays by itself */
	for (size_t i = 0; i < t->nr_down && moves < MOST; i++)
		moves += cross(w, t, &t->down[i], t->down[i].gain);
	for (size_t i = 0; i < t->nr_up && moves < 2 * MOST && !w->error; i++) {
		const struct crossing *c = &t->up[i], *other;
		uint32_t rank = c->to, g = t->group[rank];
		double rest;
		int d;

		if (has_fill(w, &w->group[g])) {
			moves += cross(w, t, c, c->gain);
			continue;
		}
		d = next_down(w, t, &at[rank], g);
		if (d < 0)
			continue;
		/* what makes room must not lose what is gained; the room is
		 * there when that one is done: for the next plan */
		other = &t->down[d];
		rest = c->gain + other->gain - (double)(GAIN * c->cost);
		at[rank]++;
		moves += rest > 0 && cross(w, t, other, rest);
	}
}

void work_tier(struct work *w)
{
	struct tiers t;

	if (w->nr_groups < 2)
		return;
	memset(&t, 0, sizeof(t));
	rank_groups(w, &t);
	find_borders(w, &t);
	for (uint32_t i = 0; i < w->s->nr_segs && !w->error; i++) {
		const struct plan_seg *g = &w->s->seg[i];

		if (g->nr_legs && !work_taken(w, i) && !work_pin(w, i) &&
		    g->rest_until <= w->s->now)
			look_at(w, &t, i);
	}
	/* those that lose least, or gain most, first */
	if (t.nr_up)
		qsort(t.up, t.nr_up, sizeof(*t.up), by_gain);
	if (t.nr_down)
		qsort(t.down, t.nr_down, sizeof(*t.down), by_gain);
	if (!w->error)
		make_moves(w, &t);
	free(t.up);
	free(t.down);
}
