// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Adding to the result, and counting what an action will change.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/plan/core/priv.h"

#define MiB	1048576.0

static void *more(struct work *w, void *array, size_t nr, size_t *cap,
		  size_t size)
{
	size_t n = *cap ? *cap * 2 : 64;
	void *p;

	if (nr < *cap)
		return array;
	p = realloc(array, n * size);
	if (!p) {
		w->error = -ENOMEM;
		return NULL;
	}
	*cap = n;
	return p;
}

int work_link(const struct work *w, uint16_t a, uint16_t b)
{
	for (uint32_t i = 0; a != b && i < w->s->nr_links; i++) {
		const struct plan_link *l = &w->s->link[i];

		if ((l->a == a && l->b == b) || (l->a == b && l->b == a))
			return (int)i;
	}
	return -1;
}

bool work_reachable(const struct work *w, uint16_t from, uint16_t to)
{
	int l = work_link(w, work_of(w, from)->m->location,
			  work_of(w, to)->m->location);

	return l < 0 || w->s->link[l].mibs > 0;
}

/* The leg that it would be read from. */
static uint16_t source_of(const struct work *w, const struct plan_seg *g,
			  uint16_t from, uint16_t to)
{
	uint16_t best = from;

	if (from != PLAN_NONE && work_of(w, from)->band != PLAN_LOST)
		return from;
	for (unsigned int l = 0; l < g->nr_legs; l++) {
		const struct work_member *m = work_of(w, g->leg[l]);

		if (m->band == PLAN_LOST || (to != PLAN_NONE &&
					     !work_reachable(w, g->leg[l], to)))
			continue;
		if (best == PLAN_NONE || work_of(w, best)->band == PLAN_LOST ||
		    m->load_now < work_of(w, best)->load_now)
			best = g->leg[l];
	}
	return best;
}

float work_seconds(const struct work *w, const struct plan_seg *g,
		   uint16_t from, uint16_t to, uint64_t bytes)
{
	const struct work_member *a, *b;
	float mibs, load;
	int l;

	from = source_of(w, g, from, to);
	if (!bytes || from == PLAN_NONE || to == PLAN_NONE)
		return 0;
	a = work_of(w, from);
	b = work_of(w, to);
	mibs = a->mibs < b->mibs ? a->mibs : b->mibs;
	l = work_link(w, a->m->location, b->m->location);
	if (l >= 0 && w->s->link[l].mibs < mibs)
		mibs = w->s->link[l].mibs;
	load = a->load_now > b->load_now ? a->load_now : b->load_now;
	return (float)plan_cost_seconds(w->s->cost, a->m->class, b->m->class,
					(double)bytes, load, mibs);
}

/* The source is read once; the destination is written and read back. */
float work_busy(const struct work *w, uint16_t from, uint16_t to,
		uint64_t bytes)
{
	float mib = (float)((double)bytes / MiB), busy = 0;

	if (from != PLAN_NONE)
		busy += mib / work_of(w, from)->mibs;
	if (to != PLAN_NONE)
		busy += 2 * mib / work_of(w, to)->mibs;
	return busy;
}

uint32_t work_job(struct work *w, enum plan_cause cause, uint16_t member)
{
	struct plan_result *r = w->r;
	struct plan_job *j;

	for (size_t i = 0; i < r->nr_jobs; i++)
		if (r->job[i].cause == cause && r->job[i].member == member)
			return (uint32_t)i;
	/* they are few: one per member and cause at most */
	j = realloc(r->job, (r->nr_jobs + 1) * sizeof(*j));
	if (!j) {
		w->error = -ENOMEM;
		return 0;
	}
	r->job = j;
	j[r->nr_jobs] = (struct plan_job){ .cause = (uint8_t)cause,
					   .member = member };
	for (uint32_t i = 0; i < w->s->nr_orders; i++) {
		const struct plan_order *o = &w->s->order[i];

		if (o->cause != cause ||
		    (o->member != member && o->member != PLAN_NONE))
			continue;
		j[r->nr_jobs].paused = o->paused;
		j[r->nr_jobs].priority = o->priority;
	}
	return (uint32_t)r->nr_jobs++;
}

/* The load goes with the segment: reads to the leg that is there, writes to all. */
static void count(struct work *w, const struct plan_action *a)
{
	const struct plan_seg *g = &w->s->seg[a->segment];
	float mibs = work_mibs(w, g), share;
	unsigned int legs = g->nr_legs;

	share = legs ? mibs / (float)legs : mibs;
	if (a->what == PLAN_DO_REPLICATE)
		share = mibs / (float)(legs + 1);
	if (a->from != PLAN_NONE && a->what != PLAN_DO_REPLICATE) {
		struct work_member *m = work_of(w, a->from);

		/* nobody reads or writes a leg that is out of date */
		if (!work_is_dead(g, a->from))
			m->load -= share * m->per_mib;
		if (m->load < 0)
			m->load = 0;
		w->r->verdict[m - w->m].leaving++;
		work_update(w, m);
	}
	if (a->to != PLAN_NONE) {
		struct work_member *m = work_of(w, a->to);
		struct work_group *grp = &w->group[m->group];

		m->load += share * m->per_mib;
		if (work_is_dead(g, a->to)) {
			/* its slot is there */
			w->r->verdict[m - w->m].arriving++;
			work_update(w, m);
			return;
		}
		if (m->kind == WORK_NORMAL) {
			w->free -= m->room > 0 && w->free;
			if (m->room > m->reserve && grp->room)
				grp->room--;
			grp->used++;
		}
		if (m->kind < WORK_KINDS && grp->all_room[m->kind])
			grp->all_room[m->kind]--;
		m->room--;
		w->r->verdict[m - w->m].arriving++;
		work_update(w, m);
	}
}

struct plan_action *work_act(struct work *w, enum plan_do what,
			     enum plan_cause cause, uint32_t seg, uint16_t from,
			     uint16_t to, uint16_t about)
{
	const struct plan_seg *g = &w->s->seg[seg];
	struct plan_result *r = w->r;
	struct plan_action *a;
	void *p = more(w, r->action, r->nr_actions, &w->max_room,
		       sizeof(*r->action));

	if (!p)
		return NULL;
	r->action = p;
	a = &r->action[r->nr_actions++];
	*a = (struct plan_action){
		.what = (uint8_t)what, .cause = (uint8_t)cause,
		.segment = seg, .from = from, .to = to, .heat = work_heat(g),
		.job = work_job(w, cause, about),
	};
	work_take(w, seg);
	if (what == PLAN_DO_ABORT)
		return a;
	if (to != PLAN_NONE && !(g->flags & PLAN_SEG_BLANK))
		a->bytes = w->s->segment_size;
	a->seconds = work_seconds(w, g, from, to, a->bytes);
	a->cost = work_busy(w, from, to, a->bytes);
	count(w, a);
	return a;
}

void work_conflict(struct work *w, enum plan_rule rule, enum plan_cause winner,
		   enum plan_cause loser, uint16_t member, uint32_t seg)
{
	struct plan_result *r = w->r;
	void *p;

	for (size_t i = 0; i < r->nr_conflicts; i++) {
		struct plan_conflict *c = &r->conflict[i];

		if (c->rule == rule && c->winner == winner &&
		    c->loser == loser && c->member == member) {
			c->count++;
			return;
		}
	}
	p = more(w, r->conflict, r->nr_conflicts, &w->cap_conflicts,
		 sizeof(*r->conflict));
	if (!p)
		return;
	r->conflict = p;
	r->conflict[r->nr_conflicts++] = (struct plan_conflict){
		.rule = (uint8_t)rule, .winner = (uint8_t)winner,
		.loser = (uint8_t)loser, .member = member, .segment = seg,
		.count = 1,
	};
}

void work_refused(struct work *w, uint32_t seg)
{
	void *p = more(w, w->r->refused, w->r->nr_refused, &w->cap_refused,
		       sizeof(*w->r->refused));

	if (!p)
		return;
	w->r->refused = p;
	w->r->refused[w->r->nr_refused++] = seg;
}

struct plan_problem *work_problem(struct work *w, enum plan_cause cause,
				  uint16_t member, uint32_t seg,
				  const char *fmt, ...)
{
	struct plan_result *r = w->r;
	struct plan_problem *b;
	va_list ap;
	void *p = more(w, r->problem, r->nr_problems, &w->cap_problems,
		       sizeof(*r->problem));

	if (!p)
		return NULL;
	r->problem = p;
	b = &r->problem[r->nr_problems++];
	*b = (struct plan_problem){ .cause = (uint8_t)cause, .member = member,
				    .segment = seg, .count = 1 };
	va_start(ap, fmt);
	vsnprintf(b->text, sizeof(b->text), fmt, ap);
	va_end(ap);
	return b;
}
