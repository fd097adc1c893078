// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The pool at a glance, before a plan and after it.
 */
#include <stdlib.h>

#include "daemon/plan/core/priv.h"

#define MOST_QUEUE	20	/* times the latency; a queue is not endless */
#define GiB		1073741824.0

/* The legs once the action on the segment is done. */
static unsigned int legs_after(const struct plan_seg *g,
			       const struct plan_action *a,
			       uint16_t leg[PLAN_LEGS])
{
	unsigned int n = 0;

	for (unsigned int l = 0; l < g->nr_legs; l++) {
		bool goes = a && a->from == g->leg[l] &&
			    (a->what == PLAN_DO_MOVE || a->what == PLAN_DO_DROP);

		if (!goes)
			leg[n++] = g->leg[l];
	}
	if (a && (a->what == PLAN_DO_MOVE || a->what == PLAN_DO_REPLICATE) &&
	    n < PLAN_LEGS)
		leg[n++] = a->to;
	return n;
}

/* What a month costs more once it is done. */
static double cost_of(const struct work *w, const struct plan_action *a)
{
	double gib = (double)w->s->segment_size / GiB, cost = 0;

	if (a->what == PLAN_DO_ABORT)
		return 0;
	if (a->to != PLAN_NONE)
		cost += (double)work_of(w, a->to)->m->cost * gib;
	if (a->what != PLAN_DO_REPLICATE)
		cost -= (double)work_of(w, a->from)->m->cost * gib;
	return cost;
}

void work_figures(const struct work *w, struct plan_figures *f)
{
	const struct plan_state *s = w->s;
	const struct plan_result *r = w->r;
	float fails[PLAN_MEMBERS], latency[PLAN_MEMBERS];
	double heat = 0, wait = 0;
	uint32_t *action = NULL;

	*f = (struct plan_figures){ .risk = 0 };
	if (r->nr_actions) {
		action = calloc(s->nr_segs + 1, sizeof(*action));
		for (size_t i = 0; action && i < r->nr_actions; i++)
			action[r->action[i].segment] = (uint32_t)i + 1;
	}
	for (uint32_t i = 0; i < s->nr_members; i++) {
		const struct work_member *m = &w->m[i];
		double q = work_queue((double)m->load);

		fails[i] = (float)work_fails(m->m);
		latency[i] = w->group[m->group].latency_ms *
			     (float)(1 + (q < MOST_QUEUE ? q : MOST_QUEUE));
		f->load_mean += (double)m->load / s->nr_members;
		if ((double)m->load > f->load_max)
			f->load_max = (double)m->load;
		f->cost += (double)m->m->cost * m->m->used *
			   (double)s->segment_size / GiB;
	}
	for (size_t i = 0; i < r->nr_actions; i++)
		f->cost += cost_of(w, &r->action[i]);
	for (uint32_t i = 0; i < s->nr_segs; i++) {
		const struct plan_seg *g = &s->seg[i];
		const struct plan_action *a = action && action[i] ?
					      &r->action[action[i] - 1] : NULL;
		uint16_t leg[PLAN_LEGS];
		unsigned int n = legs_after(g, a, leg);
		float risk = 1, best = 0, h = g->heat_short + g->heat_long;

		if (!n)
			continue;
		for (unsigned int l = 0; l < n; l++) {
			uint16_t p = w->pos[leg[l]];

			risk *= fails[p];
			if (!l || latency[p] < best)
				best = latency[p];
		}
		f->risk += (double)risk;
		f->single += n == 1 && w->m[w->pos[leg[0]]].band >= PLAN_WATCH;
		heat += (double)h;
		wait += (double)(h * best);
	}
	f->latency_ms = heat > 0 ? wait / heat : 0;
	free(action);
}
