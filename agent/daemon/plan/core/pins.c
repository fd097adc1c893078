// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Segments that are not where their pin wants them.
 */
#include "daemon/plan/core/priv.h"

/* The leg that has to go, PLAN_NONE if all is well. */
static uint16_t misplaced(const struct work *w, const struct plan_seg *g,
			  const struct plan_pin *p)
{
	uint16_t leg = PLAN_NONE;

	for (unsigned int l = 0; l < g->nr_legs; l++) {
		const struct work_member *m = work_of(w, g->leg[l]);
		bool is_right = p->kind == PLAN_PIN_CLASS ?
				m->m->class == p->value :
				p->kind == PLAN_PIN_LOCATION ?
				m->m->location == p->value :
				m->m->index == p->value;

		/* of a class are all legs, in a location or on a member one is enough */
		if (is_right && p->kind != PLAN_PIN_CLASS)
			return PLAN_NONE;
		if (!is_right && m->band != PLAN_LOST && !m->leaving)
			leg = g->leg[l];
	}
	return leg;
}

void work_pins(struct work *w)
{
	uint32_t stuck = 0, first = PLAN_NO_SEG;

	for (uint32_t i = 0; w->pin && i < w->s->nr_segs && !w->error; i++) {
		const struct plan_pin *p = work_pin(w, i);
		struct work_ask ask = { .seg = i, .cause = PLAN_BY_PIN,
					.only = PLAN_NONE, .group = -1 };
		uint16_t to;

		if (!p || p->kind == PLAN_PIN_STAY || work_taken(w, i))
			continue;
		ask.from = misplaced(w, &w->s->seg[i], p);
		if (ask.from == PLAN_NONE)
			continue;
		if (p->kind == PLAN_PIN_MEMBER)
			ask.only = p->value;
		to = work_dest(w, &ask);
		if (to != PLAN_NONE) {
			work_act(w, PLAN_DO_MOVE, PLAN_BY_PIN, i, ask.from, to,
				 PLAN_NONE);
			continue;
		}
		if (!stuck++)
			first = i;
	}
	if (stuck && !w->error) {
		struct plan_problem *b =
			work_problem(w, PLAN_BY_PIN, PLAN_NONE, first,
				     "%u segments can't go where they are pinned: no room there, or it is at risk",
				     stuck);

		if (b)
			b->count = stuck;
	}
}
