// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Where everything is: members by index, groups, segments by member.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/plan/core/priv.h"

#define LOAD_LEAST	0.02f	/* less says little */
#define FAR_OFF		50	/* from what the bandwidth says; no further */
#define LOAD_UNKNOWN	0.2f	/* like a middling one, not like an idle one */

/* The highest forecast until the horizon. */
static float load_until(const struct plan_member *m, long horizon)
{
	float load = -1;

	for (int h = 0; h < PLAN_HORIZONS; h++)
		if (plan_horizon_seconds[h] <= horizon && m->load[h] > load)
			load = m->load[h];
	return load < 0 ? LOAD_UNKNOWN : load;
}

static int32_t group_of(struct work *w, const struct plan_member *m)
{
	for (uint32_t i = 0; i < w->nr_groups; i++)
		if (w->group[i].class == m->class &&
		    w->group[i].location == m->location)
			return (int32_t)i;
	w->group[w->nr_groups] = (struct work_group){
		.class = m->class, .location = m->location,
		.latency_ms = w->s->class[m->class].latency_ms +
			      w->s->location[m->location].rtt_ms,
	};
	return (int32_t)w->nr_groups++;
}

static void add_member(struct work *w, uint32_t i)
{
	const struct plan_member *m = &w->s->member[i];
	struct work_member *wm = &w->m[i];
	uint64_t gone = (uint64_t)m->used + m->reserved;
	struct work_group *g;

	wm->m = m;
	wm->group = (uint16_t)group_of(w, m);
	wm->room = gone < m->slots ? (int32_t)(m->slots - gone) : 0;
	wm->reserve = (int32_t)((uint64_t)m->slots *
				(uint64_t)w->p->evacuate.reserve / 100);
	wm->mibs = m->mibs > 0 ? m->mibs : w->s->class[m->class].mibs;
	wm->load = load_until(m, w->p->balance.horizon);
	wm->load_now = m->load[PLAN_NOW] < 0 ? LOAD_UNKNOWN : m->load[PLAN_NOW];
	wm->kind = WORK_NEVER;
	w->pos[m->index] = (uint16_t)i;
	w->soft |= m->refuses;
	g = &w->group[wm->group];
	g->cost += (m->cost - g->cost) / (float)++g->members;
	w->r->verdict[i].load_before = wm->load;
}

static void add_pins(struct work *w)
{
	for (uint32_t i = 0; i < w->s->nr_pins && i < UINT16_MAX; i++) {
		const struct plan_pin *p = &w->s->pin[i];
		uint64_t end = (uint64_t)p->first + p->count;

		for (uint64_t g = p->first; g < end && g < w->s->nr_segs; g++)
			w->pin[g] = (uint16_t)(i + 1);
	}
}

static int by_segment(const void *a, const void *b)
{
	const struct plan_trouble *x = *(const struct plan_trouble *const *)a;
	const struct plan_trouble *y = *(const struct plan_trouble *const *)b;

	if (x->segment != y->segment)
		return x->segment < y->segment ? -1 : 1;
	return (x > y) - (x < y);
}

static void count_legs(struct work *w)
{
	const struct plan_state *s = w->s;

	for (uint32_t i = 0; i < s->nr_segs; i++) {
		for (unsigned int l = 0; l < s->seg[i].nr_legs; l++)
			work_of(w, s->seg[i].leg[l])->legs++;
		for (unsigned int l = 0; l < s->seg[i].nr_dead; l++)
			w->r->verdict[w->pos[s->seg[i].dead[l]]].segments++;
		w->nr_dead += s->seg[i].nr_dead > 0;
	}
	for (uint32_t i = 0; i < s->nr_members; i++)
		w->r->verdict[i].segments += w->m[i].legs;
}

/* They are few, or none. */
static int list_dead(struct work *w)
{
	uint32_t n = 0;

	if (!w->nr_dead)
		return 0;
	w->dead = malloc(w->nr_dead * sizeof(*w->dead));
	if (!w->dead)
		return -ENOMEM;
	for (uint32_t i = 0; i < w->s->nr_segs; i++)
		if (w->s->seg[i].nr_dead)
			w->dead[n++] = i;
	return 0;
}

bool work_is_dead(const struct plan_seg *g, uint16_t index)
{
	for (unsigned int l = 0; l < g->nr_dead; l++)
		if (g->dead[l] == index)
			return true;
	return false;
}

/*
 * How busy a MiB/s makes a member: not what its bandwidth says, as small accesses
 * and a disk that got slow need much more, but what is seen: its load over the sum
 * of what its segments are asked for. Where that says nothing, as much more than its
 * bandwidth says as in its group.
 */
static void measure(struct work *w)
{
	const struct plan_state *s = w->s;
	float mibs[PLAN_MEMBERS] = { 0 };
	float loads[PLAN_MEMBERS] = { 0 }, sums[PLAN_MEMBERS] = { 0 };

	for (uint32_t i = 0; i < s->nr_segs; i++) {
		const struct plan_seg *g = &s->seg[i];

		for (unsigned int l = 0; l < g->nr_legs; l++)
			mibs[w->pos[g->leg[l]]] += work_mibs(w, g) /
						   (float)g->nr_legs;
	}
	for (uint32_t i = 0; i < s->nr_members; i++) {
		struct work_member *m = &w->m[i];
		float usual = 1 / m->mibs, each;

		if (m->m->load[PLAN_NOW] < 0 || m->load < LOAD_LEAST ||
		    mibs[i] * usual < LOAD_LEAST / FAR_OFF)
			continue;
		each = m->load / mibs[i];
		m->per_mib = each < usual / FAR_OFF ? usual / FAR_OFF :
			     each > usual * FAR_OFF ? usual * FAR_OFF : each;
		loads[m->group] += m->load;
		sums[m->group] += mibs[i] * usual;
	}
	for (uint32_t i = 0; i < s->nr_members; i++) {
		struct work_member *m = &w->m[i];

		if (!(m->per_mib > 0))
			m->per_mib = (sums[m->group] > 0 ?
				      loads[m->group] / sums[m->group] : 1) /
				     m->mibs;
	}
}

int work_begin(struct work *w, struct ads_err *err)
{
	const struct plan_state *s = w->s;
	size_t n = s->nr_members + 1;

	w->m = calloc(n, sizeof(*w->m));
	w->group = calloc(n, sizeof(*w->group));
	w->taken = calloc(s->nr_segs / 8 + 1, 1);
	w->link_used = calloc(s->nr_links + 1, sizeof(*w->link_used));
	w->trouble.by_seg = calloc(s->nr_troubles + 1,
				   sizeof(*w->trouble.by_seg));
	w->r->verdict = calloc(n, sizeof(*w->r->verdict));
	if (s->nr_pins)
		w->pin = calloc(s->nr_segs + 1, sizeof(*w->pin));
	if (!w->m || !w->group || !w->taken || !w->link_used ||
	    !w->trouble.by_seg || !w->r->verdict || (s->nr_pins && !w->pin))
		return ads_err(err, -ENOMEM, "planning: no memory");
	memset(w->pos, 0xff, sizeof(w->pos));
	for (uint32_t i = 0; i < s->nr_members; i++)
		add_member(w, i);
	add_pins(w);
	for (uint32_t i = 0; i < s->nr_links; i++)
		w->link_used[i] = s->link[i].used;
	for (uint32_t i = 0; i < s->nr_troubles; i++)
		if (s->trouble[i].until > s->now) {
			w->trouble.by_seg[w->trouble.nr++] = &s->trouble[i];
			w->soft |= s->trouble[i].soft;
		}
	qsort(w->trouble.by_seg, w->trouble.nr, sizeof(*w->trouble.by_seg),
	      by_segment);
	w->quiet = plan_is_quiet(w->p, s->minute);
	count_legs(w);
	measure(w);
	return list_dead(w) ? ads_err(err, -ENOMEM, "planning: no memory") : 0;
}

void work_end(struct work *w)
{
	for (uint32_t i = 0; i < w->nr_groups; i++) {
		for (int k = 0; k < WORK_KINDS; k++)
			free(w->group[i].heap[k]);
		free(w->group[i].idle);
	}
	free(w->m);
	free(w->group);
	free(w->taken);
	free(w->pin);
	free(w->lists);
	free(w->link_used);
	free(w->trouble.by_seg);
	free(w->dead);
}

int work_list(struct work *w, bool (*want)(const struct work *, uint32_t pos))
{
	const struct plan_state *s = w->s;
	size_t all = 0;
	uint32_t *p;

	free(w->lists);
	w->lists = NULL;
	for (uint32_t i = 0; i < s->nr_members; i++) {
		w->m[i].listed = want(w, i);
		w->m[i].seg = NULL;
		all += w->m[i].listed ? w->m[i].legs : 0;
	}
	if (!all)
		return 0;
	p = w->lists = malloc(all * sizeof(*w->lists));
	if (!p) {
		w->error = -ENOMEM;
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < s->nr_members; i++) {
		if (!w->m[i].listed)
			continue;
		w->m[i].seg = p;
		p += w->m[i].legs;
		w->m[i].legs = 0;	/* counted up again below */
	}
	for (uint32_t i = 0; i < s->nr_segs; i++)
		for (unsigned int l = 0; l < s->seg[i].nr_legs; l++) {
			struct work_member *m = work_of(w, s->seg[i].leg[l]);

			if (m->listed)
				m->seg[m->legs++] = i;
		}
	return 0;
}

float work_mibs(const struct work *w, const struct plan_seg *g)
{
	const struct work_member *m;

	if (g->mibs_next >= 0 || !g->nr_legs)
		return g->mibs_next >= 0 ? g->mibs_next : g->mibs;
	/* it grows or shrinks like all that its member does */
	m = work_of(w, g->leg[0]);
	if (m->load_now < 0.01f || m->m->load[PLAN_NOW] < 0)
		return g->mibs;
	return g->mibs * w->r->verdict[m - w->m].load_before / m->load_now;
}

double work_queue(double load)
{
	const double bend = 0.95;

	if (load < 0)
		load = 0;
	if (load < bend)
		return load / (1 - load);
	/* straight on, as steep as it is there */
	return bend / (1 - bend) + (load - bend) / ((1 - bend) * (1 - bend));
}

double work_fails_at(double s)
{
	/* the curve by which scores are made of probabilities, backwards */
	static const struct { double score, p; } at[] = {
		{ 0, 0 }, { 5, .001 }, { 25, .0055 }, { 40, .0116 },
		{ 55, .028 }, { 70, .105 }, { 80, .22 }, { 90, .5 },
		{ 97, .85 }, { 100, .99 },
	};

	for (size_t i = 1; i < sizeof(at) / sizeof(at[0]); i++)
		if (s <= at[i].score)
			return at[i - 1].p + (at[i].p - at[i - 1].p) *
			       (s - at[i - 1].score) /
			       (at[i].score - at[i - 1].score);
	return .99;
}

double work_fails(const struct plan_member *m)
{
	if (m->state == PLAN_FAILED || m->state == PLAN_ABSENT)
		return 1;
	if (m->fails >= 0)
		return (double)(m->fails < 1 ? m->fails : 1);
	return m->score < 0 ? .003 : work_fails_at(m->score);	/* like most */
}
