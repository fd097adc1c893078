// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * More legs and fewer: those that a risk asks for, and those that are needed no more.
 */
#include <errno.h>
#include <stdlib.h>

#include "daemon/plan/core/priv.h"

#define UNCONFIRMED	0.25

static unsigned int wanted_legs(const struct plan_seg *g)
{
	return g->wanted ? g->wanted : 1;
}

/* Legs on members of at most that band. */
static unsigned int legs_in(const struct work *w, const struct plan_seg *g,
			    uint8_t band)
{
	unsigned int n = 0;

	for (unsigned int l = 0; l < g->nr_legs; l++) {
		const struct work_member *m = work_of(w, g->leg[l]);

		n += m->band <= band && !(m->leaving && band < PLAN_EMPTY);
	}
	return n;
}

static struct plan_action *replicate(struct work *w, uint32_t seg,
				     enum plan_cause cause, uint16_t about)
{
	struct work_ask ask = { .seg = seg, .from = PLAN_NONE, .cause = cause,
				.only = PLAN_NONE, .group = -1 };
	uint16_t to = work_dest(w, &ask);

	if (to == PLAN_NONE && work_pin(w, seg)) {
		ask.pinned = true;
		to = work_dest(w, &ask);
	}
	return to == PLAN_NONE ? NULL :
	       work_act(w, PLAN_DO_REPLICATE, cause, seg, PLAN_NONE, to, about);
}

struct wants {
	uint32_t seg;
	float heat;
	uint8_t left;		/* sound legs that it has */
};

static int by_need(const void *a, const void *b)
{
	const struct wants *x = a, *y = b;

	if (x->left != y->left)
		return x->left < y->left ? -1 : 1;
	if (x->heat != y->heat)
		return x->heat > y->heat ? -1 : 1;
	return (x->seg > y->seg) - (x->seg < y->seg);
}

/* -- those that are needed no more ------------------------------------------------ */

/* All its members are well again: the leg to drop, the fullest member first. */
static uint16_t needless(const struct work *w, const struct plan_seg *g)
{
	uint16_t best = PLAN_NONE;
	float best_left = 2;

	if (!g->extra || g->nr_dead || g->nr_legs <= wanted_legs(g) ||
	    legs_in(w, g, PLAN_OK) != g->nr_legs)
		return PLAN_NONE;
	for (unsigned int l = 0; l < g->nr_legs; l++) {
		const struct work_member *m = work_of(w, g->leg[l]);
		float left = (float)m->room / (float)(m->m->slots ?
						      m->m->slots : 1);

		if (left < best_left) {
			best_left = left;
			best = g->leg[l];
		}
	}
	return best;
}

void work_recovered(struct work *w)
{
	for (uint32_t i = 0; i < w->s->nr_segs && !w->error; i++) {
		uint16_t from;

		if (!w->s->seg[i].extra || work_taken(w, i))
			continue;
		from = needless(w, &w->s->seg[i]);
		if (from != PLAN_NONE)
			work_act(w, PLAN_DO_DROP, PLAN_BY_RECOVERED, i, from,
				 PLAN_NONE, from);
	}
}

/* -- those that a risk asks for ----------------------------------------------------- */

static bool is_watched(const struct work *w, uint32_t pos)
{
	return w->m[pos].band == PLAN_WATCH && !w->m[pos].leaving &&
	       w->m[pos].m->state == PLAN_ONLINE;
}

/*
 * How many of its segments get a second leg: replicate.share if it is as likely to
 * fail as one that is emptied, and fewer the less likely that is. All at once would
 * copy much for disks that never fail; the hottest are worth most. One look above that
 * says little.
 */
static uint32_t how_many(const struct work *w, const struct work_member *m)
{
	const struct plan_policy *p = w->p;
	double low = work_fails_at((double)p->score.watch);
	double high = work_fails_at((double)p->score.drain);
	double part = (work_fails_at(m->m->score) - low) / (high - low);

	if (m->m->score > p->score.drain)
		part = m->m->suspect ? 1 : UNCONFIRMED;
	part *= (double)p->replicate.share / 100;
	return part > 0 ? (uint32_t)(part * m->legs + 0.5) : 0;
}

static void replicate_member(struct work *w, struct work_member *m)
{
	struct wants *list;
	uint32_t n = 0, have = 0, most, stuck = 0;
	uint64_t keep = w->slots * (uint64_t)w->p->replicate.free / 100;
	bool full = false;

	if (!m->legs)
		return;
	list = malloc(m->legs * sizeof(*list));
	if (!list) {
		w->error = -ENOMEM;
		return;
	}
	for (uint32_t i = 0; i < m->legs; i++) {
		const struct plan_seg *g = &w->s->seg[m->seg[i]];

		if (g->flags & PLAN_SEG_BLANK || legs_in(w, g, PLAN_OK) ||
		    work_taken(w, m->seg[i]))
			have++;
		else if (g->nr_legs + g->nr_dead < PLAN_LEGS)
			list[n++] = (struct wants){ m->seg[i], work_heat(g), 1 };
	}
	qsort(list, n, sizeof(*list), by_need);
	most = how_many(w, m);
	most = most > have ? most - have : 0;
	n = n < most ? n : most;
	for (uint32_t i = 0; i < n && !w->error; i++) {
		full |= w->free <= keep;
		if (full || !replicate(w, list[i].seg, PLAN_BY_REPLICATE,
				       m->m->index))
			stuck++;
	}
	free(list);
	if (stuck && !w->error) {
		uint32_t job = work_job(w, PLAN_BY_REPLICATE, m->m->index);
		struct plan_problem *b =
			work_problem(w, PLAN_BY_REPLICATE, m->m->index,
				     PLAN_NO_SEG,
				     "%u single segments of %s get no second leg: %s",
				     stuck, m->m->name,
				     full ? "replicate.free percent of the pool stays free" :
					    "no member may take them");

		w->r->job[job].no_room = stuck;
		if (b)
			b->count = stuck;
	}
}

void work_replicate(struct work *w)
{
	bool any = false;

	for (uint32_t i = 0; i < w->s->nr_members; i++)
		any |= is_watched(w, i);
	if (!any || work_list(w, is_watched))
		return;
	for (int score = 100; score >= -1; score--)
		for (uint32_t i = 0; i < w->s->nr_members; i++)
			if (is_watched(w, i) && w->m[i].m->score == score &&
			    !w->error)
				replicate_member(w, &w->m[i]);
}
