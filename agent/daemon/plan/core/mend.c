// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Legs that are missing are made anew, and those of no use go: what is closest to
 * being lost first. One step at a time for each segment:
 *
 * 1. has it as many as it should, the first leg of no use is dropped;
 * 2. else one that is out of date, on a member that stays, is filled where it is;
 * 3. else one of no use is replaced by one elsewhere;
 * 4. else one is added.
 *
 * A member that is missing may come back: what it has is of no use only after that.
 */
#include <errno.h>
#include <stdlib.h>

#include "daemon/plan/core/priv.h"

struct short_of {
	uint32_t seg;
	float heat;
	uint8_t good, wanted;
};

static unsigned int wanted_legs(const struct plan_seg *g)
{
	return g->wanted ? g->wanted : 1;
}

static unsigned int good_legs(const struct work *w, const struct plan_seg *g)
{
	unsigned int n = 0;

	for (unsigned int l = 0; l < g->nr_legs; l++)
		n += work_of(w, g->leg[l])->band != PLAN_LOST;
	return n;
}

static int by_need(const void *a, const void *b)
{
	const struct short_of *x = a, *y = b;

	if (x->good != y->good)
		return x->good < y->good ? -1 : 1;
	/* one of three is worse off than one of two */
	if (x->wanted != y->wanted)
		return x->wanted > y->wanted ? -1 : 1;
	if (x->heat != y->heat)
		return x->heat > y->heat ? -1 : 1;
	return (x->seg > y->seg) - (x->seg < y->seg);
}

/* The first leg of no use, or PLAN_NONE. */
static uint16_t useless(const struct work *w, const struct plan_seg *g)
{
	if (g->nr_dead)
		return g->dead[0];
	for (unsigned int l = 0; l < g->nr_legs; l++)
		if (work_of(w, g->leg[l])->band == PLAN_LOST)
			return g->leg[l];
	return PLAN_NONE;
}

/* One that is out of date where it may be filled again, or PLAN_NONE. */
static uint16_t refillable(const struct work *w, const struct plan_seg *g,
			   uint32_t seg)
{
	struct work_ask ask = { .seg = seg, .from = PLAN_NONE };

	for (unsigned int l = 0; l < g->nr_dead; l++) {
		const struct work_member *m = work_of(w, g->dead[l]);

		if (m->m->state == PLAN_ONLINE && !m->leaving &&
		    m->band < PLAN_EMPTY &&
		    !work_failed(w, &ask, m))
			return g->dead[l];
	}
	return PLAN_NONE;
}

static uint16_t dest(struct work *w, uint32_t seg, uint16_t from)
{
	struct work_ask ask = { .seg = seg, .from = from,
				.cause = PLAN_BY_REBUILD,
				.only = PLAN_NONE, .group = -1 };
	uint16_t to = work_dest(w, &ask);

	if (to == PLAN_NONE && work_pin(w, seg)) {
		ask.pinned = true;
		to = work_dest(w, &ask);
	}
	return to;
}

static void act(struct work *w, enum plan_do what, uint32_t seg, uint16_t from,
		uint16_t to)
{
	w->r->mending.steps++;
	work_act(w, what, PLAN_BY_REBUILD, seg, from, to, PLAN_NONE);
}

static void step(struct work *w, const struct short_of *o)
{
	const struct plan_seg *g = &w->s->seg[o->seg];
	struct plan_mending *b = &w->r->mending;
	uint16_t from = useless(w, g), to;

	if (work_later(w, o->seg)) {
		b->later++;
		return;
	}
	to = refillable(w, g, o->seg);
	if (o->good < o->wanted && to != PLAN_NONE) {
		act(w, PLAN_DO_REPLICATE, o->seg, PLAN_NONE, to);
		return;
	}
	if (from != PLAN_NONE && work_of(w, from)->m->awaited) {
		b->awaited++;
		return;
	}
	if (o->good >= o->wanted) {
		act(w, PLAN_DO_DROP, o->seg, from, PLAN_NONE);
		return;
	}
	to = dest(w, o->seg, from);
	/* no more legs than the format has places for */
	if (to == PLAN_NONE ||
	    (from == PLAN_NONE && g->nr_legs + g->nr_dead >= PLAN_LEGS)) {
		b->first_placeless = b->placeless++ ? b->first_placeless : o->seg;
		return;
	}
	act(w, from == PLAN_NONE ? PLAN_DO_REPLICATE : PLAN_DO_MOVE, o->seg, from,
	    to);
}

static void tell(struct work *w, uint32_t first_lost)
{
	const struct plan_mending *b = &w->r->mending;
	struct plan_problem *p;

	if (b->lost) {
		p = work_problem(w, PLAN_BY_REBUILD, PLAN_NONE, first_lost,
				 "%u segments have no leg that can be read: the members with them are missing or have failed",
				 b->lost);
		if (p)
			p->count = b->lost;
	}
	if (b->placeless) {
		p = work_problem(w, PLAN_BY_REBUILD, PLAN_NONE,
				 b->first_placeless,
				 "%u segments have fewer legs than they should and find no place for another",
				 b->placeless);
		if (p)
			p->count = b->placeless;
	}
}

static bool is_off(const struct work *w)
{
	for (uint32_t i = 0; i < w->s->nr_orders; i++)
		if (w->s->order[i].cause == PLAN_BY_REBUILD &&
		    (w->s->order[i].cancelled || w->s->order[i].paused))
			return true;
	return false;
}

void work_rebuild(struct work *w)
{
	const struct plan_state *s = w->s;
	uint32_t n = 0, nr = 0, first = PLAN_NO_SEG;
	struct plan_mending *b = &w->r->mending;
	struct short_of *list;

	b->first_placeless = PLAN_NO_SEG;
	for (uint32_t i = 0; i < s->nr_segs; i++) {
		const struct plan_seg *g = &s->seg[i];
		unsigned int good = good_legs(w, g);

		if (!good && g->nr_legs + g->nr_dead)
			first = b->lost++ ? first : i;
		n += good && (good < wanted_legs(g) ||
			      useless(w, g) != PLAN_NONE);
	}
	list = n ? malloc(n * sizeof(*list)) : NULL;
	if (n && !list) {
		w->error = -ENOMEM;
		return;
	}
	for (uint32_t i = 0; i < s->nr_segs && nr < n; i++) {
		const struct plan_seg *g = &s->seg[i];
		unsigned int good = good_legs(w, g), wanted = wanted_legs(g);

		if (!good || (good >= wanted && useless(w, g) == PLAN_NONE))
			continue;
		n -= work_taken(w, i);
		if (!work_taken(w, i))
			list[nr++] = (struct short_of){
				i, work_heat(g), (uint8_t)good, (uint8_t)wanted,
			};
	}
	if (nr)
		qsort(list, nr, sizeof(*list), by_need);
	for (uint32_t i = 0; i < nr && !w->error; i++)
		step(w, &list[i]);
	free(list);
	w->urgent_work |= b->steps && !is_off(w);
	tell(w, first);
}
