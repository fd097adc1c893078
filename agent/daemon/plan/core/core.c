// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>

#include "daemon/plan/core/priv.h"

void plan_result_free(struct plan_result *r)
{
	if (!r)
		return;
	free(r->action);
	free(r->job);
	free(r->verdict);
	free(r->problem);
	free(r->conflict);
	free(r->refused);
	free(r);
}

static int make(struct work *w)
{
	const struct plan_policy *p = w->p;

	work_verdicts(w);
	if (work_heaps(w))
		return -ENOMEM;
	work_figures(w, &w->r->before);
	work_flights(w);
	work_leave(w);
	if (p->rebuild.enable)
		work_rebuild(w);
	work_recovered(w);
	if (p->replicate.enable)
		work_replicate(w);
	work_wished(w);
	work_pins(w);
	if (p->balance.enable)
		work_balance(w);
	if (p->tier.enable)
		work_tier(w);
	if (!w->error)
		work_figures(w, &w->r->after);
	return w->error;
}

static void look_at_members(struct work *w)
{
	for (uint32_t i = 0; i < w->s->nr_members; i++)
		w->r->verdict[i].load_after = w->m[i].load;
}

/* When something may change that no event tells. */
static int64_t next_time(const struct work *w)
{
	int64_t next = w->s->now + 86400;

	for (uint32_t i = 0; i < w->s->nr_troubles; i++) {
		int64_t t = w->s->trouble[i].until;

		if (t > w->s->now && t < next)
			next = t;
	}
	for (size_t i = 0; i < w->r->nr_actions; i++)
		if (w->r->action[i].hold != PLAN_START)
			return w->s->now + 60;
	return next;
}

int plan_run(const struct plan_state *s, const struct plan_policy *p, size_t max,
	     struct plan_result **out, struct ads_err *err)
{
	struct work w = { .s = s, .p = p };
	int r = plan_state_check(s, err);

	if (!r)
		r = plan_policy_check(p, err);
	if (r)
		return r;
	w.r = calloc(1, sizeof(*w.r));
	if (!w.r)
		return ads_err(err, -ENOMEM, "planning: no memory");
	r = work_begin(&w, err);
	if (!r && p->mode != PLAN_MODE_OFF)
		r = make(&w);
	else if (!r)
		work_verdicts(&w);
	if (!r) {
		look_at_members(&w);
		work_pace(&w);
		w.r->next = next_time(&w);
		r = w.error;
	}
	work_end(&w);
	if (r) {
		plan_result_free(w.r);
		return ads_err(err, r, "planning: no memory");
	}
	w.r->nr_all = w.r->nr_actions;
	if (max && w.r->nr_actions > max)
		w.r->nr_actions = max;
	*out = w.r;
	return 0;
}
