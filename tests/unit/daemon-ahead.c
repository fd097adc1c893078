// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The day to come: a load that comes each morning is known of at night, what was
 * once is not to come; and loads of members out of it.
 */
#include <math.h>
#include <stdlib.h>

#include "daemon.h"
#include "daemon/ctx.h"
#include "daemon/planner-priv.h"
#include "daemon/predict/ahead.h"

#define MiB	1048576.0
#define STEP	1800
#define DAYS	10
#define T0	(86400LL * 19000)

static struct config config;

/* 80 MiB/s from ten to twelve, else 2; of that one in @kib. */
static struct loads mornings(unsigned int steps, double kib)
{
	struct loads l = { .length = 0 };

	for (unsigned int i = 0; i < steps; i++) {
		double mibs = i % 48 >= 20 && i % 48 < 24 ? 80 : 2;
		double v[LOAD_WHAT] = { mibs * MiB, mibs * 1024 / kib, NAN,
					NAN };

		loads_load(&l, T0 + (int64_t)i * STEP, STEP, v);
	}
	l.now = T0 / STEP + steps;
	return l;
}

static double peak(const struct ahead *a, int64_t now, long seconds)
{
	return ahead_peak(a, OUTLOOK_BYTES, now, seconds, &config.policy) / MiB;
}

static void test_ahead(void)
{
	/* it is four in the morning */
	struct loads l = mornings(DAYS * 48 + 8, 64);
	int64_t now = T0 + (DAYS * 48 + 8) * STEP;
	struct ahead a;

	ahead_make(&a, &l, &config);
	is(a.nr[OUTLOOK_BYTES], 48, "a day of steps");
	ok(peak(&a, now, 1800) < 10, "soon it is quiet: %.1f",
	   peak(&a, now, 1800));
	ok(peak(&a, now, 3 * 3600) < 10, "and for three hours");
	ok(peak(&a, now, 86400) > 60 && peak(&a, now, 86400) < 110,
	   "but in the morning it is not: %.1f", peak(&a, now, 86400));
	ok(peak(&a, now, 86400) >= peak(&a, now, 3 * 3600),
	   "further ahead is never less");
	ok(peak(&a, now + 9 * 3600, 9 * 3600) < 10,
	   "what is over by then is not to come");
	ok(ahead_peak(&a, OUTLOOK_REQUESTS, now, 86400, &config.policy) > 600,
	   "requests as well");
	config.policy.balance.quantile = 99;
	a.value[OUTLOOK_BYTES][3] = (float)(50 * MiB);
	a.high[OUTLOOK_BYTES][3] = (float)(150 * MiB);
	ok(peak(&a, now, 3 * 3600) > 150, "the more careful, the more");
	config.policy.balance.quantile = 50;
	ok(peak(&a, now, 3 * 3600) < 51, "and half of the outcomes is the middle");
	plan_policy_defaults(&config.policy);
	loads_free(&l);

	l = mornings(5, 64);
	ahead_make(&a, &l, &config);
	ok(peak(&a, now, 86400) < 0, "five steps tell nothing");
	loads_free(&l);
	l = mornings(30, 64);
	ahead_make(&a, &l, &config);
	is(a.nr[OUTLOOK_BYTES], 6, "half a day tells the next hours");
	loads_free(&l);
	for (unsigned int n = 0; n < 120; n++) {
		l = mornings(n, 64);
		ahead_make(&a, &l, &config);
		for (unsigned int k = 0; k < a.nr[OUTLOOK_BYTES]; k++)
			if (!(a.value[OUTLOOK_BYTES][k] >= 0) ||
			    !(a.high[OUTLOOK_BYTES][k] >=
			      a.value[OUTLOOK_BYTES][k]))
				ok(false, "%u steps: step %u is no number", n, k);
		loads_free(&l);
	}
	memset(&l, 0, sizeof(l));
	ahead_make(&a, &l, &config);
	ok(peak(&a, now, 86400) < 0, "nothing tells nothing");
}

/* -- what the planner makes of it -------------------------------------------------- */

static struct adshardd d;
static struct pool pool;
static struct member members[2];
static struct plan_member state_members[2];
static struct plan_seg segs[4];
static struct heat heat;
static struct heat_segment rates[4];
static struct plan_state s;

static void make_pool(void)
{
	d.config = &config;
	pool.daemon = &d;
	pool.members = &members[0];
	pool.heat = &heat;
	pool.k.heat_sample = 1;
	heat.nr = 4;
	heat.seg = rates;
	s.member = state_members;
	s.nr_members = 2;
	s.seg = segs;
	s.nr_segs = 4;
	for (uint16_t i = 0; i < 2; i++) {
		members[i].pool = &pool;
		members[i].daemon = &d;
		members[i].k.index = state_members[i].index = i;
		state_members[i].class = 2;
	}
	members[0].next = &members[1];
	for (uint16_t i = 0; i < 4; i++) {
		segs[i].nr_legs = 1;
		segs[i].leg[0] = i / 2;
	}
}

static void busy(struct member *m, double load, double mibs, double requests)
{
	m->steady.looks = PLANNER_LOOKS;
	m->steady.weight = 1;
	m->steady.sum = load;
	m->steady.bytes = mibs * MiB;
	m->steady.requests = requests;
}

static void test_loads(void)
{
	struct loads l = mornings(DAYS * 48 + 8, 64);
	double sum;

	s.now = T0 + (DAYS * 48 + 8) * STEP;
	make_pool();
	planner_loads(&s, &pool);
	ok(state_members[0].load[PLAN_NOW] < 0 &&
	   state_members[0].load[PLAN_24H] < 0, "nothing is known of a new one");

	/* at noon: 80 MiB/s made it busy to 80 % */
	busy(&members[0], 0.8, 80, 1280);
	planner_loads(&s, &pool);
	ok(members[0].does.mibs > 99 && members[0].does.mibs < 101,
	   "what it does is seen");
	ok(state_members[1].mibs > 99, "and reckoned for its like");
	/* at night, idle: it is known that the morning comes */
	busy(&members[0], 0.01, 1, 16);
	ahead_make(&members[0].ahead, &l, &config);
	planner_loads(&s, &pool);
	ok(state_members[0].load[PLAN_NOW] < 0.02f, "it is idle now");
	ok(state_members[0].load[PLAN_3H] < 0.1f, "and will be for hours");
	ok(state_members[0].load[PLAN_24H] > 0.6f &&
	   state_members[0].load[PLAN_24H] < 1.2f,
	   "but not until tomorrow: %.2f", (double)state_members[0].load[PLAN_24H]);
	ok(state_members[0].load[PLAN_24H] >= state_members[0].load[PLAN_3H],
	   "further ahead is never less");
	ok(state_members[1].load[PLAN_24H] < 0, "nothing is known of the other");

	/* the heat of the day says which segment it will be */
	rates[0].slow = 90;
	rates[1].slow = 10;
	rates[1].rate = 5;
	planner_heat(&s, &pool);
	sum = (double)(segs[0].mibs_next + segs[1].mibs_next);
	ok(segs[0].mibs_next > 8 * segs[1].mibs_next,
	   "what is hot by day will be asked for");
	ok(sum > 60 && sum < 110, "all together what the member will: %.1f", sum);
	ok(segs[2].mibs_next < 0, "nothing is known of the other's");

	/* in the middle of it what is now counts */
	busy(&members[0], 1.5, 80, 1280);
	members[0].io.known = true;
	members[0].io.read_rate = 1280;
	members[0].io.read_bytes = 80 * MiB;
	planner_loads(&s, &pool);
	planner_heat(&s, &pool);
	ok(segs[1].mibs_next > segs[0].mibs_next,
	   "at its busiest, it is as it is now");
	loads_free(&l);
}

int main(void)
{
	config_defaults(&config);
	plan_policy_defaults(&config.policy);
	test_ahead();
	test_loads();
	return done_testing();
}
