// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How long a plan takes: everything at once, so that each part has work. One member
 * of a hundred is at risk, some are watched, some too busy, one has failed; there
 * are three classes, two locations, replicas, pins.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sim/bench.h"
#include "sim/sim.h"

#define ROUNDS	5
#define GiB	(1ULL << 30)

struct bench {
	struct plan_state s;
	struct plan_class class[3];
	struct plan_location location[2];
	struct plan_pin pin;
	uint64_t random;
};

static uint32_t pick(struct bench *b, uint32_t n)
{
	return (uint32_t)(sim_random(&b->random) * n);
}

static void make_members(struct bench *b, uint32_t slots)
{
	for (uint32_t i = 0; i < b->s.nr_members; i++) {
		struct plan_member *m = &b->s.member[i];

		*m = (struct plan_member){
			.index = (uint16_t)i, .slots = slots, .fails = -1,
			.score = (int16_t)(i % 100 == 7 ? 80 :
					   i % 250 == 9 ? 95 :
					   i % 100 == 3 ? 60 : pick(b, 30)),
			.class = (uint16_t)(i % 10 ? 0 : i % 20 ? 1 : 2),
			.location = i % 4 == 0, .weight = 1,
			.domain = (uint16_t)(1 + i / 20), .cost = 1,
			.evidence = b->s.now,
		};
		snprintf(m->name, sizeof(m->name), "m%u", i);
		m->track.above = 2;
		m->track.evidence = b->s.now - 60;
		if (i == 13)
			m->state = PLAN_FAILED;
		for (int h = 0; h < PLAN_HORIZONS; h++)
			m->load[h] = i % 50 == 5 ? 0.85f :
				     (float)(pick(b, 50)) / 100;
	}
}

static void make_segs(struct bench *b)
{
	for (uint32_t i = 0; i < b->s.nr_segs; i++) {
		struct plan_seg *g = &b->s.seg[i];
		uint32_t legs = i % 8 ? 1 : 2;

		g->wanted = (uint8_t)legs;
		for (uint32_t try = 0; try < 40 && g->nr_legs < legs; try++) {
			uint32_t k = pick(b, b->s.nr_members);
			struct plan_member *m = &b->s.member[k];

			if (m->used >= m->slots ||
			    (g->nr_legs && b->s.member[g->leg[0]].domain ==
					   m->domain))
				continue;
			g->leg[g->nr_legs++] = (uint16_t)k;
			m->used++;
		}
		g->heat_long = (float)(sim_random(&b->random) * 10);
		g->heat_short = i % 5 ? g->heat_long : g->heat_long / 4;
		g->mibs = g->heat_short / 16;
		g->mibs_next = -1;
	}
}

static double seconds_now(void)
{
	struct timespec t;

	/* of the processor: what others do at the time is not the plan's */
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void print(const struct plan_result *r, double best, unsigned int members,
		  unsigned int segs)
{
	size_t n[PLAN_CAUSES] = { 0 };

	for (size_t i = 0; i < r->nr_actions; i++)
		n[r->action[i].cause]++;
	printf("# %u members, %u segments: %zu actions in %zu jobs, %zu start now\n",
	       members, segs, r->nr_actions, r->nr_jobs, r->nr_start);
	for (int c = 0; c < PLAN_CAUSES; c++)
		printf("# %-10s %zu\n", plan_cause_name(c), n[c]);
	printf("figure plan.seconds %.3f s\n", best);
	printf("figure plan.actions %zu count\n", r->nr_actions);
}

int sim_bench(unsigned int members, unsigned int segs, struct ads_err *err)
{
	struct plan_policy policy;
	struct plan_result *r = NULL;
	struct bench b = {
		.class = { { "hdd", 8, 200, 150 }, { "ssd", 0.2f, 500, 50000 },
			   { "nvme", 0.1f, 2000, 400000 } },
		.location = { { "here", 0 }, { "there", 5 } },
		.random = 1,
	};
	double best = 1e9;
	int e = 0;

	b.s = (struct plan_state){
		.now = SIM_EPOCH, .segment_size = GiB, .class = b.class,
		.nr_classes = 3, .location = b.location, .nr_locations = 2,
		.pin = &b.pin, .nr_pins = 1, .nr_members = members,
		.nr_segs = segs,
		.member = calloc(members + 1, sizeof(struct plan_member)),
		.seg = calloc(segs + 1, sizeof(struct plan_seg)),
	};
	b.pin = (struct plan_pin){ 1, 0, segs / 100, PLAN_PIN_CLASS, 1 };
	plan_policy_defaults(&policy);
	if (!b.s.member || !b.s.seg)
		e = ads_err(err, -ENOMEM, "bench: no memory");
	if (!e) {
		make_members(&b, (uint32_t)((uint64_t)segs * 3 / 2 / members + 1));
		make_segs(&b);
	}
	for (int i = 0; i < ROUNDS && !e; i++) {
		double begin = seconds_now();

		plan_result_free(r);
		r = NULL;
		e = plan_run(&b.s, &policy, 0, &r, err);
		if (seconds_now() - begin < best)
			best = seconds_now() - begin;
	}
	if (!e)
		print(r, best, members, segs);
	plan_result_free(r);
	free(b.s.member);
	free(b.s.seg);
	return e;
}
