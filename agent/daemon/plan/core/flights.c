// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is on its way already: nobody plans it again, and a move to a member that
 * turned bad since is called back, unless a person wanted it there.
 */
#include "daemon/plan/core/priv.h"

static bool turned_bad(const struct work_member *to)
{
	return to->band >= PLAN_EMPTY || to->leaving ||
	       to->m->state != PLAN_ONLINE;
}

void work_flights(struct work *w)
{
	const struct plan_state *s = w->s;

	for (uint32_t i = 0; i < s->nr_segs; i++)
		if (s->seg[i].flags & PLAN_SEG_BUSY)
			work_take(w, i);
	for (uint32_t i = 0; i < s->nr_flights; i++) {
		const struct plan_flight *f = &s->flight[i];
		struct work_member *to = work_of(w, f->to);
		uint32_t job;

		work_take(w, f->segment);
		if (f->from != PLAN_NONE)
			w->r->verdict[w->pos[f->from]].leaving++;
		w->r->verdict[w->pos[f->to]].arriving++;
		job = work_job(w, f->cause, f->from);
		if (w->error)
			return;
		w->r->job[job].running++;
		w->r->job[job].bytes += f->bytes > f->done ? f->bytes - f->done :
							     0;
		if (f->aborting || !turned_bad(to))
			continue;
		if (f->cause == PLAN_BY_PERSON) {
			work_conflict(w, PLAN_RULE_PERSON, PLAN_BY_PERSON,
				      PLAN_BY_RESCUE, f->to, f->segment);
			continue;
		}
		work_conflict(w, PLAN_RULE_TURNED_BAD, PLAN_BY_RESCUE, f->cause,
			      f->to, f->segment);
		work_act(w, PLAN_DO_ABORT, f->cause, f->segment, f->from, f->to,
			 f->from);
	}
}
