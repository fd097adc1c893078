// SPDX-License-Identifier: GPL-2.0-or-later
/* Steps of load: holes, clocks that jump, bounds; and forecasts of them. */
#include <math.h>
#include <stdlib.h>

#include "daemon.h"
#include "daemon/history/loads.h"
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
	return done_testing();
}
