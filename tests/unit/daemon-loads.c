// SPDX-License-Identifier: GPL-2.0-or-later
/* Steps of load: holes, clocks that jump, bounds; and forecasts of them. */
#include <math.h>
#include <stdlib.h>

#include "daemon.h"
#include "daemon/history/loads.h"
#include "daemon/predict/groups.h"
#include "daemon/predict/outlook.h"

#define STEP	1800L
#define START	(STEP * 900000)

static struct config config;

static bool add(struct loads *l, int64_t time, double bytes)
{
	double v[LOAD_WHAT] = { bytes, 2, NAN, 0.5 };

	return loads_add(l, time, 10, STEP, v);
}

static double bytes(const struct loads *l, unsigned int i)
{
	return (double)l->step[i].v[LOAD_BYTES];
}

static void test_steps(void)
{
	struct loads l = { 0 };
	double v[LOAD_WHAT] = { 8, 2, NAN, 0.5 };

	ok(!add(&l, START, 100) && !add(&l, START + 10, 200) && l.nr == 0,
	   "a step that is not over");
	ok(add(&l, START + STEP, 50), "is over with the next");
	ok(l.nr == 1 && bytes(&l, 0) == 150 &&
	   isnan(l.step[0].v[LOAD_READ_LATENCY]) &&
	   l.step[0].v[LOAD_WRITE_LATENCY] == 0.5F,
	   "and is the mean of what was known");
	add(&l, START + 4 * STEP, 70);
	ok(l.nr == 4 && bytes(&l, 1) == 50 && isnan(bytes(&l, 2)) &&
	   isnan(bytes(&l, 3)), "what was missed is not known");
	add(&l, START + 2 * STEP + 5, 60);
	ok(l.nr == 2 && l.now == START / STEP + 2 && bytes(&l, 1) == 50,
	   "the clock goes back: what is to come is forgotten");
	add(&l, START + 3 * STEP, 60);
	ok(l.nr == 3 && bytes(&l, 2) == 60, "and comes anew");
	add(&l, START - 5 * STEP, 1);
	ok(l.nr == 0 && l.now == START / STEP - 5, "far back: all of it");
	add(&l, START, 1);
	add(&l, START + 20000 * STEP, 1);
	is(l.nr, 0, "a leap over all that is kept");
	for (int i = 0; i < 2000; i++)
		add(&l, START + 20001 * STEP + i * STEP, i);
	ok(l.nr == LOADS_MAX && bytes(&l, LOADS_MAX - 1) == 1998 &&
	   bytes(&l, 0) == 1999 - LOADS_MAX, "no more than is to be kept");
	loads_add(&l, START, 10, 60, v);
	ok(l.nr == 0 && l.length == 60, "steps of another length begin anew");
	loads_free(&l);

	loads_load(&l, START, STEP, v);
	loads_load(&l, START + 2 * STEP, STEP, v);
	loads_load(&l, START + STEP, STEP, v);
	add(&l, START + 3 * STEP, 5);
	ok(l.nr == 3 && bytes(&l, 0) == 8 && isnan(bytes(&l, 1)) &&
	   bytes(&l, 2) == 8, "out of the database, in order");
	loads_free(&l);
}

/* A dump of @nr segments of which @busy has had @n accesses more. */
static int list(struct groups **g, uint32_t nr, uint32_t busy, uint32_t n,
		int64_t now)
{
	static struct ads_segment seg[64];

	for (uint32_t i = 0; i < nr; i++)
		seg[i].index = i;
	seg[busy].reads += n / 2;
	seg[busy].writes += n - n / 2;
	return groups_add(g, seg, nr, nr, 16, (double)now, now, &config);
}

static void test_groups(void)
{
	struct groups *g = NULL;
	struct group *due;
	uint32_t first;
	int n = 0;

	config_defaults(&config);
	config.forecast.groups = 4;
	list(&g, 10, 0, 5000, START);
	is(g->nr, 4, "groups: ten segments in four");
	is(groups_range(g, 3, &first), 1, "groups: the last has what is left");
	is(first, 9, "groups: from there on");
	ok(g->group[0].rate == 0 && !g->group[0].loads.nr,
	   "groups: the first counters are of all times");
	list(&g, 10, 4, 300, START + 60);
	ok(g->group[1].rate == 80, "groups: one in 16 is counted");
	ok(g->group[0].rate == 0 && g->group[2].rate == 0, "groups: and only there");
	list(&g, 10, 4, (uint32_t)-1 - 200, START + 120);
	ok(g->group[1].rate < 1e9, "groups: counters that begin anew");
	ok(!groups_due(g), "groups: no step is whole yet");
	for (int i = 2; i < 60 * 12; i++)
		list(&g, 10, 9, 150, START + i * 60);
	while ((due = groups_due(g)) && n++ < 10)
		groups_foresee(due, &config);
	is(n, 4, "groups: each is due once");
	ok(g->group[3].outlook.range[OUTLOOK_REQUESTS][OUTLOOK_FAR].known &&
	   fabs(g->group[3].outlook.range[OUTLOOK_REQUESTS][OUTLOOK_NEAR].value -
		40) < 4, "groups: the busy one will be busy");
	ok(g->group[2].outlook.range[OUTLOOK_REQUESTS][OUTLOOK_NEAR].value < 0.1,
	   "groups: the idle one idle");
	list(&g, 12, 0, 0, START + 60 * 60 * 12);
	ok(g->nr == 4 && g->nr_segments == 12 && !g->group[3].loads.nr,
	   "groups: a volume of another size begins anew");
	config.forecast.groups = 0;
	list(&g, 12, 0, 0, START + 60 * 60 * 13);
	ok(!g, "groups: none, if none are wanted");
	config.forecast.groups = 256;
	list(&g, 10, 0, 0, START);
	is(g->nr, 10, "groups: as many as segments at most");
	groups_free(g);
}

static void test_outlook(void)
{
	struct loads l = { 0 };
	struct outlook o = { 0 };
	const struct outlook_range *r;

	for (int i = 0; i < 48 * 10; i++) {
		add(&l, START + i * STEP, i % 48 < 24 ? 1000 : 100);
		if (i != 5)
			continue;
		outlook_make(&o, &l, OUTLOOK_BYTES, OUTLOOK_NEAR, &config);
		ok(!o.range[OUTLOOK_BYTES][OUTLOOK_NEAR].known,
		   "too little is known");
	}
	for (int k = 0; k < OUTLOOK_AHEAD; k++)
		outlook_make(&o, &l, OUTLOOK_BYTES, k, &config);
	/* the last step that is known is 478 % 48 = 46: night */
	r = &o.range[OUTLOOK_BYTES][OUTLOOK_NEAR];
	ok(r->known && r->ahead == 1800 && r->low <= r->value &&
	   r->value <= r->high, "a range, in half an hour");
	ok(r->value > 80 && r->value < 130, "night: %g", r->value);
	r = &o.range[OUTLOOK_BYTES][OUTLOOK_MIDDLE];
	ok(r->value > 700 && r->value < 1300, "morning, in three hours: %g",
	   r->value);
	r = &o.range[OUTLOOK_BYTES][OUTLOOK_FAR];
	is(r->ahead, 86400, "tomorrow");
	ok(r->value > 80 && r->value < 130 && r->high < 1000,
	   "is like today: %g", r->value);
	config.forecast.step = 60;
	outlook_make(&o, &l, OUTLOOK_BYTES, OUTLOOK_NEAR, &config);
	ok(!o.range[OUTLOOK_BYTES][OUTLOOK_NEAR].known,
	   "steps of another length are none");
	loads_free(&l);
}

int main(void)
{
	config_defaults(&config);
	test_steps();
	test_outlook();
	test_groups();
	return done_testing();
}
