// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Choosing destinations.
 *
 * Members of one class and location differ as destinations by things that do not
 * depend on the segment: room, score, load, weight. These make a mark, and a heap
 * for each group keeps the best on top while the plan fills the members. What does
 * depend on the segment (where it is now, its heat, its pin) is the same for all
 * members of a group. So the best of all is the best top of a few heaps:
 *
 *	mark = share of room left x weight - 0.3 x load - 0.5 x score / 100
 *
 * An unknown load or score counts like a middling one.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "daemon/plan/core/priv.h"

#define LOAD_WEIGHT	0.3f
#define SCORE_WEIGHT	0.5f
#define UNKNOWN_SCORE	10
#define OTHER_CLASS	0.10f	/* what going to a group of another class costs */
#define SLOWER_CLASS	0.15f	/* and if it is slower, besides */
#define OTHER_LOCATION	0.25f
#define FURTHER		0.25f	/* and if it is further away */
#define LAST_MARGIN	20	/* a rescue goes to who is better by so much */

static uint8_t kind_of(const struct work *w, const struct work_member *wm)
{
	const struct plan_member *m = wm->m;

	if (m->state != PLAN_ONLINE || wm->leaving ||
	    wm->band >= PLAN_EMPTY)
		return WORK_NEVER;
	if (wm->band == PLAN_WATCH || m->slow ||
	    m->score > w->p->evacuate.max_score)
		return WORK_LAST;
	return m->spare ? WORK_SPARE : WORK_NORMAL;
}

static float mark_of(const struct work_member *wm)
{
	const struct plan_member *m = wm->m;
	float score = m->score < 0 ? UNKNOWN_SCORE : m->score;
	float left = (float)wm->room / (float)(m->slots ? m->slots : 1);
	float weight = m->weight > 0 ? m->weight : 1;
	float load = wm->load < 2 ? wm->load : 2;

	/* twice the weight is half the share that is used */
	return 1 - (1 - left) / weight - LOAD_WEIGHT * load -
	       SCORE_WEIGHT * score / 100;
}

/* -- two heaps with one set of routines ---------------------------------------- */

enum { BY_MARK, BY_LOAD };

static bool before(const struct work *w, int by, uint16_t a, uint16_t b)
{
	const struct work_member *x = &w->m[a], *y = &w->m[b];

	if (by == BY_MARK && x->mark != y->mark)
		return x->mark > y->mark;
	if (by == BY_LOAD && x->load != y->load)
		return x->load < y->load;
	return a < b;
}

static void sift(struct work *w, int by, uint16_t *h, uint32_t nr, uint32_t i)
{
	while (i && before(w, by, h[i], h[(i - 1) / 2])) {
		uint16_t t = h[i];

		h[i] = h[(i - 1) / 2];
		h[(i - 1) / 2] = t;
		w->m[h[i]].place[by] = i;
		i = (i - 1) / 2;
	}
	for (;;) {
		uint32_t best = i;
		uint16_t t;

		for (uint32_t c = 2 * i + 1; c <= 2 * i + 2 && c < nr; c++)
			if (before(w, by, h[c], h[best]))
				best = c;
		if (best == i)
			break;
		t = h[i];
		h[i] = h[best];
		h[best] = t;
		w->m[h[i]].place[by] = i;
		i = best;
	}
	w->m[h[i]].place[by] = i;
}

static bool best_heap(struct work *w, struct work_group *g, uint8_t kind)
{
	uint32_t n = g->nr[kind];

	for (uint32_t i = 0; i < n; i++)
		w->m[g->heap[kind][i]].place[BY_MARK] = i;
	for (uint32_t i = n; i--;)
		sift(w, BY_MARK, g->heap[kind], n, i);
	if (kind != WORK_NORMAL)
		return true;
	for (uint32_t i = 0; i < g->nr_idle; i++)
		w->m[g->idle[i]].place[BY_LOAD] = i;
	for (uint32_t i = g->nr_idle; i--;)
		sift(w, BY_LOAD, g->idle, g->nr_idle, i);
	return true;
}

static int32_t beyond_reserve(const struct work_member *m)
{
	return m->room > m->reserve ? m->room - m->reserve : 0;
}

int work_heaps(struct work *w)
{
	for (uint32_t i = 0; i < w->nr_groups; i++) {
		struct work_group *g = &w->group[i];

		for (int k = 0; k < WORK_KINDS; k++) {
			g->heap[k] = calloc(g->members, sizeof(*g->heap[k]));
			if (!g->heap[k])
				return -ENOMEM;
		}
		g->idle = calloc(g->members, sizeof(*g->idle));
		if (!g->idle)
			return -ENOMEM;
	}
	for (uint32_t i = 0; i < w->s->nr_members; i++) {
		struct work_member *m = &w->m[i];
		struct work_group *g = &w->group[m->group];

		m->kind = kind_of(w, m);
		m->mark = mark_of(m);
		if (m->kind == WORK_NEVER)
			continue;
		g->heap[m->kind][g->nr[m->kind]++] = (uint16_t)i;
		g->all_room[m->kind] += (uint64_t)m->room;
		if (m->kind != WORK_NORMAL)
			continue;
		g->idle[g->nr_idle++] = (uint16_t)i;
		g->room += (uint64_t)beyond_reserve(m);
		g->slots += m->m->slots - (m->m->reserved < m->m->slots ?
					   m->m->reserved : m->m->slots);
		g->used += m->m->used;
		w->free += (uint64_t)m->room;
		w->slots += m->m->slots;
	}
	for (uint32_t i = 0; i < w->nr_groups; i++)
		for (uint8_t k = 0; k < WORK_KINDS; k++)
			best_heap(w, &w->group[i], k);
	return 0;
}

void work_update(struct work *w, struct work_member *m)
{
	struct work_group *g = &w->group[m->group];

	m->mark = mark_of(m);
	if (m->kind == WORK_NEVER)
		return;
	sift(w, BY_MARK, g->heap[m->kind], g->nr[m->kind], m->place[BY_MARK]);
	if (m->kind == WORK_NORMAL)
		sift(w, BY_LOAD, g->idle, g->nr_idle, m->place[BY_LOAD]);
}

/* -- who may -------------------------------------------------------------------- */

enum trouble { TROUBLE_NONE, TROUBLE_SOFT, TROUBLE_HARD };

static enum trouble in_trouble(const struct work *w, uint32_t seg, uint16_t to)
{
	enum trouble found = TROUBLE_NONE;
	uint32_t low = 0, high = w->trouble.nr;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (w->trouble.by_seg[mid]->segment < seg)
			low = mid + 1;
		else
			high = mid;
	}
	for (; low < w->trouble.nr && w->trouble.by_seg[low]->segment == seg;
	     low++)
		if (w->trouble.by_seg[low]->to == to &&
		    found < TROUBLE_HARD)
			found = w->trouble.by_seg[low]->soft ? TROUBLE_SOFT :
							       TROUBLE_HARD;
	return found;
}

bool work_later(const struct work *w, uint32_t seg)
{
	return w->trouble.nr && in_trouble(w, seg, PLAN_NONE);
}

bool work_failed(const struct work *w, const struct work_ask *a,
		 const struct work_member *m)
{
	enum trouble t = w->trouble.nr && !a->insist ?
			 in_trouble(w, a->seg, m->m->index) : TROUBLE_NONE;

	if (a->careful && (m->m->refuses || t != TROUBLE_NONE))
		return true;
	return t == TROUBLE_HARD;
}

/* Does another leg, that stays, share its domain? */
static bool is_near(const struct work *w, const struct work_ask *a,
		    const struct work_member *m, uint16_t leg)
{
	const struct plan_member *o = work_of(w, leg)->m;

	/* the leg that goes leaves its domain free; one that is lost for good too,
	 * but one that is missing may come back */
	if (leg == a->from || o->state == PLAN_FAILED)
		return false;
	return o->domain && o->domain == m->m->domain;
}

bool work_may(const struct work *w, const struct work_ask *a,
	      const struct work_member *m)
{
	const struct plan_seg *g = &w->s->seg[a->seg];
	bool readable = false;

	if (m->kind == WORK_NEVER || (m->room <= 0 && !a->full) ||
	    work_is_dead(g, m->m->index))
		return false;
	for (unsigned int l = 0; l < g->nr_legs; l++) {
		if (g->leg[l] == m->m->index)
			return false;
		readable |= work_of(w, g->leg[l])->band != PLAN_LOST &&
			    work_reachable(w, g->leg[l], m->m->index);
		if (!a->near && is_near(w, a, m, g->leg[l]))
			return false;
	}
	for (unsigned int l = 0; l < g->nr_dead; l++)
		if (!a->near && is_near(w, a, m, g->dead[l]))
			return false;
	return readable && !work_failed(w, a, m);
}

/* -- the best one ------------------------------------------------------------------ */

/* How strictly: each time a little less. */
enum pass { PASS_NORMAL, PASS_SPARE, PASS_RESERVE, PASS_LAST, PASSES };

static bool enough(const struct work_member *m, enum pass pass)
{
	return pass == PASS_NORMAL ? beyond_reserve(m) > 0 : m->room > 0;
}

/*
 * The first in the order of the heap that may take it: walks down from the top,
 * the best of what is open next. Whoever may not opens its two children.
 */
static uint16_t top_of(struct work *w, const uint16_t *h, uint32_t nr, int by,
		       const struct work_ask *a, enum pass pass,
		       bool (*fits)(const struct work *, const struct work_ask *,
				    const struct work_member *))
{
	uint32_t open[PLAN_MEMBERS + 2], n = 0;

	if (nr)
		open[n++] = 0;
	while (n) {
		uint32_t best = 0, at;

		for (uint32_t i = 1; i < n; i++)
			if (before(w, by, h[open[i]], h[open[best]]))
				best = i;
		at = open[best];
		open[best] = open[--n];
		if (enough(&w->m[h[at]], pass) && work_may(w, a, &w->m[h[at]]) &&
		    (!fits || fits(w, a, &w->m[h[at]])))
			return h[at];
		for (uint32_t c = 2 * at + 1; c <= 2 * at + 2 && c < nr; c++)
			open[n++] = c;
	}
	return PLAN_NONE;
}

/* What going to that group costs a segment that comes from @from. */
static float penalty(const struct work *w, const struct work_group *from,
		     const struct work_group *to)
{
	const struct plan_state *s = w->s;
	float p = 0;

	if (from->class != to->class) {
		p += OTHER_CLASS;
		if (s->class[to->class].latency_ms >
		    s->class[from->class].latency_ms)
			p += SLOWER_CLASS;
	}
	if (from->location != to->location) {
		p += OTHER_LOCATION;
		if (s->location[to->location].rtt_ms >
		    s->location[from->location].rtt_ms)
			p += FURTHER;
	}
	return p;
}

static bool pin_allows(const struct plan_pin *p, const struct work_member *m,
		       const struct work_ask *a)
{
	if (!p || a->pinned)
		return true;
	switch (p->kind) {
	case PLAN_PIN_CLASS:
		return m->m->class == p->value;
	case PLAN_PIN_MEMBER:
		return m->m->index == p->value;
	case PLAN_PIN_LOCATION:
		return m->m->location == p->value;
	default:
		return true;
	}
}

static bool is_better_than_source(const struct work *w, const struct work_ask *a,
				  const struct work_member *m)
{
	return a->from == PLAN_NONE ||
	       m->m->score + LAST_MARGIN <= work_of(w, a->from)->m->score;
}

static uint16_t best_of_pass(struct work *w, const struct work_ask *a,
			     const struct work_group *home, enum pass pass)
{
	uint8_t kind = pass == PASS_SPARE ? WORK_SPARE :
		       pass == PASS_LAST ? WORK_LAST : WORK_NORMAL;
	const struct plan_pin *pin = work_pin(w, a->seg);
	uint16_t best = PLAN_NONE;
	float best_mark = 0;

	for (uint32_t i = 0; i < w->nr_groups; i++) {
		struct work_group *g = &w->group[i];
		uint16_t at;
		float mark;

		if (!g->nr[kind] || (a->group >= 0 && (uint32_t)a->group != i))
			continue;
		if (pin && pin->kind != PLAN_PIN_MEMBER &&
		    !pin_allows(pin, &w->m[g->heap[kind][0]], a))
			continue;
		/* a full group is not searched member by member */
		if (pass == PASS_NORMAL ? !g->room : !g->all_room[kind])
			continue;
		at = top_of(w, g->heap[kind], g->nr[kind], BY_MARK, a, pass,
			    pass == PASS_LAST ? is_better_than_source : NULL);
		if (at == PLAN_NONE)
			continue;
		mark = w->m[at].mark - (home ? penalty(w, home, g) : 0);
		if (best == PLAN_NONE || mark > best_mark) {
			best = at;
			best_mark = mark;
		}
	}
	return best;
}

static enum pass last_pass(enum plan_cause c)
{
	switch (c) {
	case PLAN_BY_RESCUE:
		return PASS_LAST;
	case PLAN_BY_PERSON:
	case PLAN_BY_REBUILD:
	case PLAN_BY_EVACUATE:
		return PASS_RESERVE;
	default:
		return PASS_NORMAL;
	}
}

/* One member and no other. */
static uint16_t dest_only(struct work *w, const struct work_ask *a,
			  enum pass last)
{
	uint16_t at = w->pos[a->only];

	/* a person may insist on a member that is watched */
	return at != PLAN_NONE && work_may(w, a, &w->m[at]) &&
	       enough(&w->m[at], last) &&
	       (w->m[at].kind != WORK_LAST || a->cause <= PLAN_BY_PERSON) ?
	       a->only : PLAN_NONE;
}

uint16_t work_dest(struct work *w, const struct work_ask *asked)
{
	const struct plan_seg *g = &w->s->seg[asked->seg];
	const struct work_group *home = NULL;
	enum pass last = last_pass(asked->cause);
	struct work_ask a = *asked;
	bool urgent = a.cause <= PLAN_BY_EVACUATE;
	uint16_t at;

	if (work_later(w, a.seg))
		return PLAN_NONE;
	if (a.only != PLAN_NONE)
		return dest_only(w, &a, last);
	if (a.from != PLAN_NONE)
		home = &w->group[work_of(w, a.from)->group];
	else if (g->nr_legs)
		home = &w->group[work_of(w, g->leg[0])->group];
	/* what can wait is not tried where others have failed */
	for (int careful = w->soft || !urgent; careful >= 0; careful--) {
		a.careful = careful;
		for (int near = 0; near <= (urgent &&
					    w->p->evacuate.same_domain); near++) {
			a.near = near;
			for (enum pass pass = PASS_NORMAL; pass <= last; pass++) {
				at = best_of_pass(w, &a, home, pass);
				if (at != PLAN_NONE)
					return w->m[at].m->index;
			}
		}
		if (!urgent)
			break;
	}
	return PLAN_NONE;
}

uint16_t work_idlest(struct work *w, uint32_t group, const struct work_ask *asked)
{
	struct work_group *g = &w->group[group];
	struct work_ask a = *asked;
	uint16_t at;

	if (work_later(w, a.seg))
		return PLAN_NONE;
	a.careful = true;
	at = top_of(w, g->idle, g->nr_idle, BY_LOAD, &a, PASS_NORMAL, NULL);
	return at == PLAN_NONE ? PLAN_NONE : w->m[at].m->index;
}
