// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Relieving members whose load will be too high.
 *
 * How long requests wait rises with load, slowly first and then steeply. A move
 * gains what it takes off the sum of both members' queues, for the time in which it
 * must pay back; it costs what the members are busy with copying. It is made only
 * if it gains more, and each takes the sum down: so it comes to an end, and moving
 * back could only cost.
 */
#include <errno.h>
#include <stdlib.h>

#include "daemon/plan/core/priv.h"

#define APART		0.10f	/* so much idler than the source is the destination
				 * afterwards, if it is not that much below high */
#define MOST_LOAD	0.90f	/* and never busier than this */
#define LEAST		0.01f	/* of a member's load; less is not worth a copy */
#define MOST		512	/* moves of one plan */

struct part {
	uint32_t seg;
	float mibs;
};

static int by_load(const void *a, const void *b)
{
	const struct part *x = a, *y = b;

	if (x->mibs != y->mibs)
		return x->mibs > y->mibs ? -1 : 1;
	return (x->seg > y->seg) - (x->seg < y->seg);
}

static bool is_hot(const struct work *w, uint32_t pos)
{
	const struct work_member *m = &w->m[pos];

	return m->m->state == PLAN_ONLINE && !m->leaving &&
	       m->band < PLAN_EMPTY &&
	       m->load > (float)w->p->balance.high / 100;
}

/* Gain in busy seconds, of a load that goes from one member to another. */
static double gain_of(const struct work *w, const struct work_member *from,
		      const struct work_member *to, float mibs)
{
	double x = mibs * from->per_mib, y = mibs * to->per_mib;

	return (double)w->p->balance.payback *
	       (work_queue(from->load) - work_queue(from->load - x) -
		(work_queue(to->load + y) - work_queue(to->load)));
}

static bool rests(const struct work *w, uint32_t seg)
{
	const struct plan_pin *pin = work_pin(w, seg);

	if (pin && (pin->kind == PLAN_PIN_STAY || pin->kind == PLAN_PIN_MEMBER))
		return true;
	return w->s->seg[seg].rest_until > w->s->now;
}

static bool move_one(struct work *w, struct work_member *m, const struct part *p)
{
	struct work_ask ask = {
		.seg = p->seg, .from = m->m->index, .cause = PLAN_BY_BALANCE,
		.only = PLAN_NONE, .group = m->group,
	};
	uint64_t bytes = w->s->seg[p->seg].flags & PLAN_SEG_BLANK ? 0 :
			 w->s->segment_size;
	float cost, load = m->load, most;
	struct work_member *to;
	struct plan_action *a;
	uint16_t dest;
	double gain;

	dest = work_idlest(w, m->group, &ask);
	if (dest == PLAN_NONE)
		return false;
	to = work_of(w, dest);
	/*
	 * Best where the next plan will not have to relieve that one. In a pool
	 * that is busy all over it is enough that the pair's peak goes down.
	 */
	most = load - p->mibs * m->per_mib - APART;
	most = most < MOST_LOAD ? most : MOST_LOAD;
	if (most < (float)w->p->balance.high / 100 - APART)
		most = (float)w->p->balance.high / 100 - APART;
	if (to->load + p->mibs * to->per_mib > most)
		return true;
	gain = gain_of(w, m, to, p->mibs);
	cost = work_busy(w, m->m->index, dest, bytes);
	if (gain * 100 < cost * (double)w->p->balance.gain)
		return true;
	a = work_act(w, PLAN_DO_MOVE, PLAN_BY_BALANCE, p->seg, m->m->index, dest,
		     m->m->index);
	if (!a)
		return false;
	a->gain = (float)gain;
	a->cost = cost;
	a->was = load;
	a->becomes = to->load;
	return true;
}

static void relieve(struct work *w, struct work_member *m, size_t *left)
{
	float goal = (float)w->p->balance.high / 100;
	struct part *list;
	uint32_t n = 0, resting = 0, first = PLAN_NO_SEG;

	if (!m->legs)
		return;
	list = malloc(m->legs * sizeof(*list));
	if (!list) {
		w->error = -ENOMEM;
		return;
	}
	for (uint32_t i = 0; i < m->legs; i++) {
		const struct plan_seg *g = &w->s->seg[m->seg[i]];
		float mibs = work_mibs(w, g) / (float)g->nr_legs;

		if (work_taken(w, m->seg[i]) || mibs * m->per_mib < LEAST)
			continue;
		if (rests(w, m->seg[i])) {
			first = resting++ ? first : m->seg[i];
			continue;
		}
		list[n++] = (struct part){ m->seg[i], mibs };
	}
	qsort(list, n, sizeof(*list), by_load);
	for (uint32_t i = 0; i < n && *left && m->load > goal && !w->error; i++) {
		size_t before = w->r->nr_actions;

		if (!move_one(w, m, &list[i]))
			break;
		*left -= w->r->nr_actions - before;
	}
	free(list);
	if (resting && m->load > goal)
		work_conflict(w, PLAN_RULE_REST, PLAN_BY_BALANCE,
			      PLAN_BY_BALANCE, m->m->index, first);
}

void work_balance(struct work *w)
{
	uint16_t order[PLAN_MEMBERS];
	uint32_t n = 0;
	size_t left = MOST;

	for (uint32_t i = 0; i < w->s->nr_members; i++) {
		uint32_t at = n;

		if (!is_hot(w, i))
			continue;
		/* the busiest first */
		while (at && w->m[order[at - 1]].load < w->m[i].load) {
			order[at] = order[at - 1];
			at--;
		}
		order[at] = (uint16_t)i;
		n++;
	}
	if (!n || work_list(w, is_hot))
		return;
	for (uint32_t i = 0; i < n && !w->error; i++)
		relieve(w, &w->m[order[i]], &left);
}
