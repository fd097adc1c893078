// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Emptying members, and single moves that a person asked for.
 *
 * Members go in the order of urgency. Of each, segments without another sound leg
 * go first, and of these the hottest; what was never written goes last. So where
 * not everything fits, what is left is worth least. A leg whose segment has enough
 * others is dropped, which copies nothing. One that is out of date is in the way as
 * well: it goes like the others, but its data comes from elsewhere.
 */
#include <errno.h>
#include <stdlib.h>

#include "daemon/plan/core/priv.h"

struct leaver {
	uint32_t seg;
	uint8_t rank;		/* lower is more critical */
	float heat;
};

/* dropping is done at once, copying a second leg can wait most */
enum { RANK_SINGLE, RANK_DROP, RANK_SECOND, RANK_DEAD, RANK_BLANK };

static int by_value(const void *a, const void *b)
{
	const struct leaver *x = a, *y = b;

	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	if (x->heat != y->heat)
		return x->heat > y->heat ? -1 : 1;
	return (x->seg > y->seg) - (x->seg < y->seg);
}

/* Legs besides that on @index which are whole and on members that stay. */
static unsigned int sound_legs(const struct work *w, const struct plan_seg *g,
			       uint16_t index)
{
	unsigned int n = 0;

	for (unsigned int l = 0; l < g->nr_legs; l++) {
		const struct work_member *m = work_of(w, g->leg[l]);

		n += g->leg[l] != index && m->band < PLAN_EMPTY && !m->leaving;
	}
	return n;
}

static unsigned int wanted_legs(const struct plan_seg *g)
{
	return g->wanted ? g->wanted : 1;
}

static uint8_t rank_of(const struct work *w, const struct plan_seg *g,
		       uint16_t index)
{
	unsigned int sound = sound_legs(w, g, index);

	if (g->flags & PLAN_SEG_BLANK)
		return RANK_BLANK;
	if (!sound)
		return RANK_SINGLE;
	return sound >= wanted_legs(g) ? RANK_DROP : RANK_SECOND;
}

/* Pinned to what it can't have: somewhere else, for the time being. */
static uint16_t any_dest(struct work *w, struct work_ask *a)
{
	const struct plan_pin *pin = work_pin(w, a->seg);
	uint16_t to;

	if (pin && pin->kind == PLAN_PIN_MEMBER && pin->value != a->from) {
		a->only = pin->value;
		to = work_dest(w, a);
		a->only = PLAN_NONE;
		if (to != PLAN_NONE)
			return to;
	}
	to = work_dest(w, a);
	if (!pin || pin->kind == PLAN_PIN_STAY)
		return to;
	if (to == PLAN_NONE) {
		a->pinned = true;
		to = work_dest(w, a);
	} else if (pin->kind != PLAN_PIN_MEMBER) {
		return to;
	}
	if (to != PLAN_NONE)
		work_conflict(w, PLAN_RULE_PIN, a->cause, PLAN_BY_PIN, a->from,
			      a->seg);
	return to;
}

/* Of one size all: if a plain one fits nowhere, no plain one does. */
static bool is_plain(const struct work *w, const struct plan_seg *g,
		     uint32_t seg)
{
	return g->nr_legs == 1 && !work_pin(w, seg) && !w->trouble.nr;
}

/* What became of a member's segments that can't be planned to go. */
struct left {
	bool full;		/* a plain one fits nowhere */
	uint32_t stuck, first;
};

/*
 * Each member that may take data has failed to take this: nobody is left. One that
 * has not is, though it is full now.
 */
static bool is_refused(const struct work *w, const struct work_ask *asked)
{
	struct work_ask ask = *asked, any = *asked;
	bool refused = false;

	any.insist = any.full = true;
	for (uint32_t i = 0; w->trouble.nr && i < w->s->nr_members; i++) {
		const struct work_member *m = &w->m[i];

		if ((m->kind == WORK_LAST && ask.cause != PLAN_BY_RESCUE) ||
		    !work_may(w, &any, m))
			continue;
		if (!work_failed(w, &ask, m))
			return false;
		refused = true;
	}
	return refused;
}

static void leave_one(struct work *w, struct work_member *m, uint32_t seg,
		      struct left *left)
{
	const struct plan_seg *g = &w->s->seg[seg];
	uint16_t index = m->m->index, to = PLAN_NONE;
	struct work_ask ask = {
		.seg = seg, .from = index, .cause = m->cause,
		.only = PLAN_NONE, .group = -1,
	};
	struct plan_action *a;

	if (work_later(w, seg)) {
		w->r->verdict[m - w->m].later++;
		return;
	}
	if (sound_legs(w, g, index) >= wanted_legs(g)) {
		work_act(w, PLAN_DO_DROP, m->cause, seg, index, PLAN_NONE,
			 index);
		return;
	}
	if (!left->full || !is_plain(w, g, seg))
		to = any_dest(w, &ask);
	if (to == PLAN_NONE) {
		if (is_refused(w, &ask)) {
			work_refused(w, seg);
			return;
		}
		left->full |= is_plain(w, g, seg);
		left->first = left->stuck++ ? left->first : seg;
		return;
	}
	a = work_act(w, PLAN_DO_MOVE, m->cause, seg, index, to, index);
	if (!a)
		return;
	a->was = m->m->score;
	a->becomes = work_of(w, to)->m->score;
}

static void leave_member(struct work *w, uint32_t pos)
{
	struct work_member *m = &w->m[pos];
	struct left left = { .first = PLAN_NO_SEG };
	struct leaver *list;
	uint32_t n = 0, job = 0;

	if (!m->legs && !w->nr_dead)
		return;
	list = malloc(((size_t)m->legs + w->nr_dead) * sizeof(*list));
	if (!list) {
		w->error = -ENOMEM;
		return;
	}
	for (uint32_t i = 0; i < m->legs; i++) {
		const struct plan_seg *g = &w->s->seg[m->seg[i]];

		if (!work_taken(w, m->seg[i]))
			list[n++] = (struct leaver){
				m->seg[i], rank_of(w, g, m->m->index),
				work_heat(g),
			};
	}
	for (uint32_t i = 0; i < w->nr_dead; i++)
		if (work_is_dead(&w->s->seg[w->dead[i]], m->m->index) &&
		    !work_taken(w, w->dead[i]))
			list[n++] = (struct leaver){ w->dead[i], RANK_DEAD, 0 };
	if (m->legs || n)
		job = work_job(w, m->cause, m->m->index);
	qsort(list, n, sizeof(*list), by_value);
	for (uint32_t i = 0; i < n && !w->error; i++)
		leave_one(w, m, list[i].seg, &left);
	free(list);
	if (w->error || !left.stuck)
		return;
	w->r->verdict[pos].stuck = left.stuck;
	w->r->job[job].no_room = left.stuck;
	work_problem(w, m->cause, m->m->index, left.first,
		     "%u of %u segments of %s find no place: %s", left.stuck,
		     w->r->verdict[pos].segments, m->m->name,
		     left.full ? "the pool is full; the most valuable go first" :
				 "members that have room are of the same failure domain, pinned elsewhere or refused them");
}

static bool is_leaving(const struct work *w, uint32_t pos)
{
	return w->m[pos].leaving;
}

static void migrate(struct work *w, const struct plan_wish *wish)
{
	const struct plan_seg *g = &w->s->seg[wish->segment];
	struct work_ask ask = {
		.seg = wish->segment, .from = wish->member,
		.cause = PLAN_BY_PERSON, .only = wish->to, .group = -1,
		.pinned = true,
	};
	bool is_there = false;
	uint16_t to;

	if (ask.from == PLAN_NONE && g->nr_legs)
		ask.from = g->leg[0];
	for (unsigned int l = 0; l < g->nr_legs; l++) {
		if (g->leg[l] == wish->to)
			return;		/* it is where it should be */
		is_there |= g->leg[l] == ask.from;
	}
	if (work_taken(w, wish->segment)) {
		work_conflict(w, PLAN_RULE_FLYING, PLAN_BY_PERSON,
			      PLAN_BY_PERSON, wish->to, wish->segment);
		return;
	}
	if (!is_there) {
		work_problem(w, PLAN_BY_PERSON, wish->member, wish->segment,
			     "segment %u has no leg there to move",
			     wish->segment);
		return;
	}
	to = work_dest(w, &ask);
	if (to == PLAN_NONE) {
		work_problem(w, PLAN_BY_PERSON, wish->to, wish->segment,
			     "segment %u can't go to %s: it is full, not in service, unreachable, of the failure domain of another leg, or failed to take it",
			     wish->segment, wish->to == PLAN_NONE ?
			     "any member" : work_of(w, wish->to)->m->name);
		return;
	}
	work_act(w, PLAN_DO_MOVE, PLAN_BY_PERSON, wish->segment, ask.from, to,
		 PLAN_NONE);
}

/* Where a person has put it, it stays, as long as the wish stands. */
void work_wished(struct work *w)
{
	for (uint32_t i = 0; i < w->s->nr_wishes; i++)
		if (w->s->wish[i].kind == PLAN_WISH_MIGRATE)
			work_take(w, w->s->wish[i].segment);
}

void work_leave(struct work *w)
{
	static const uint8_t order[] = {
		PLAN_BY_RESCUE, PLAN_BY_PERSON, PLAN_BY_EVACUATE,
	};

	/* what a person wants of a segment goes before what the band wants */
	for (uint32_t i = 0; i < w->s->nr_wishes; i++)
		if (w->s->wish[i].kind == PLAN_WISH_MIGRATE)
			migrate(w, &w->s->wish[i]);
	if (work_list(w, is_leaving))
		return;
	for (size_t c = 0; c < sizeof(order); c++)
		/* the worst first, that it gets what room there is */
		for (int score = 100; score >= -1; score--)
			for (uint32_t i = 0; i < w->s->nr_members; i++)
				if (w->m[i].leaving && w->m[i].cause == order[c] &&
				    w->m[i].m->score == score && !w->error)
					leave_member(w, i);
	for (uint32_t i = 0; i < w->s->nr_members; i++)
		w->urgent_work |= w->m[i].leaving && w->m[i].legs &&
				  w->m[i].cause == PLAN_BY_RESCUE;
}
