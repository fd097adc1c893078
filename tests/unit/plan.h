/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pools for the planner's tests: made by hand or at random, and moved on. */
#ifndef TEST_PLAN_H
#define TEST_PLAN_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon.h"
#include "daemon/plan/core/core.h"
#include "daemon/plan/core/cost.h"

#define GIB	(1ULL << 30)
#define T0	1700000000LL

static uint64_t seed = 1;

__attribute__((unused))
static uint32_t rnd(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return n ? (uint32_t)((seed >> 16) % n) : 0;
}

struct pool {
	struct plan_state s;
	struct plan_class class[4];
	struct plan_location location[3];
	struct plan_link link[3];
	struct plan_pin pin[4];
	struct plan_wish wish[4];
	struct plan_flight flight[8];
	struct plan_trouble trouble[8];
	struct plan_order order[4];
};

/* Idle, empty, well; one class, one place. */
__attribute__((unused))
static struct pool *pool_new(uint32_t members, uint32_t slots, uint32_t segs)
{
	struct pool *p = calloc(1, sizeof(*p));

	p->s = (struct plan_state){
		.now = T0, .minute = 720, .segment_size = GIB,
		.member = calloc(members + 1, sizeof(struct plan_member)),
		.nr_members = members,
		.seg = calloc(segs + 1, sizeof(struct plan_seg)),
		.nr_segs = segs,
		.class = p->class, .nr_classes = 1,
		.location = p->location, .nr_locations = 1,
		.link = p->link, .pin = p->pin, .wish = p->wish,
		.flight = p->flight, .trouble = p->trouble, .order = p->order,
	};
	p->class[0] = (struct plan_class){ "hdd", 8, 200, 150 };
	strcpy(p->location[0].name, "here");
	for (uint32_t i = 0; i < members; i++) {
		struct plan_member *m = &p->s.member[i];

		*m = (struct plan_member){
			.index = (uint16_t)i, .slots = slots, .score = 3,
			.evidence = T0, .fails = -1, .weight = 1,
			.mibs = 200,
		};
		snprintf(m->name, sizeof(m->name), "sd%u", i);
	}
	for (uint32_t i = 0; i < segs; i++)
		p->s.seg[i].mibs_next = -1;
	return p;
}

__attribute__((unused))
static void pool_free(struct pool *p)
{
	free(p->s.member);
	free(p->s.seg);
	free(p);
}

__attribute__((unused))
static struct plan_seg *put(struct pool *p, uint32_t seg, uint16_t member)
{
	struct plan_seg *g = &p->s.seg[seg];

	g->leg[g->nr_legs++] = member;
	p->s.member[member].used++;
	return g;
}

/* All members look at it once more: their evidence is new. */
__attribute__((unused))
static void look(struct pool *p, int64_t seconds)
{
	p->s.now += seconds;
	for (uint32_t i = 0; i < p->s.nr_members; i++)
		p->s.member[i].evidence = p->s.now;
}

/* Takes over what the plan thinks of the members. */
__attribute__((unused))
static void follow(struct pool *p, const struct plan_result *r)
{
	for (uint32_t i = 0; i < p->s.nr_members; i++) {
		struct plan_member *m = &p->s.member[i];

		m->track = r->verdict[i].track;
		if (r->verdict[i].drain) {
			m->state = PLAN_DRAINING;
			m->by_agent = true;
		} else if (r->verdict[i].release) {
			m->state = PLAN_ONLINE;
			m->by_agent = false;
		}
	}
}

/* Loads as its segments make them. */
__attribute__((unused))
static void loads(struct pool *p)
{
	for (uint32_t i = 0; i < p->s.nr_members; i++)
		for (int h = 0; h < PLAN_HORIZONS; h++)
			p->s.member[i].load[h] = 0;
	for (uint32_t i = 0; i < p->s.nr_segs; i++) {
		const struct plan_seg *g = &p->s.seg[i];

		for (unsigned int l = 0; l < g->nr_legs; l++) {
			struct plan_member *m = &p->s.member[g->leg[l]];

			for (int h = 0; h < PLAN_HORIZONS; h++)
				m->load[h] += g->mibs / (float)g->nr_legs /
					      m->mibs;
		}
	}
}

/* What starts is done at once. Returns how much that was. */
__attribute__((unused))
static size_t carry_out(struct pool *p, const struct plan_result *r)
{
	for (size_t i = 0; i < r->nr_start; i++) {
		const struct plan_action *a = &r->action[i];
		struct plan_seg *g = &p->s.seg[a->segment];
		unsigned int l;

		if (a->what == PLAN_DO_REPLICATE) {
			put(p, a->segment, a->to);
			g->extra += a->cause == PLAN_BY_REPLICATE;
			continue;
		}
		for (l = 0; l < g->nr_legs && g->leg[l] != a->from; l++)
			;
		if (l == g->nr_legs || a->what == PLAN_DO_ABORT)
			continue;
		p->s.member[a->from].used--;
		if (a->what == PLAN_DO_MOVE) {
			g->leg[l] = a->to;
			p->s.member[a->to].used++;
			if (a->cause >= PLAN_BY_PIN)
				g->rest_until = (uint32_t)p->s.now + 86400;
			continue;
		}
		g->leg[l] = g->leg[--g->nr_legs];
		g->extra -= g->extra > 0;
	}
	return r->nr_start;
}

__attribute__((unused))
static struct plan_result *plan(struct pool *p, const struct plan_policy *policy)
{
	struct ads_err err = { .text = "" };
	struct plan_result *r = NULL;

	if (plan_run(&p->s, policy, 0, &r, &err)) {
		printf("# %s\n", err.text);
		ok(false, "a plan is made");
		exit(1);
	}
	return r;
}

#endif
