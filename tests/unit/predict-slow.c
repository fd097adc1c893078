// SPDX-License-Identifier: GPL-2.0-or-later
/* Disks that are slower than their peers or than they were; one day is not enough. */
#include <math.h>
#include <stdlib.h>

#include "daemon.h"
#include "daemon/predict/predict.h"

#define DAY	86400LL
#define START	(20000 * DAY)
#define DISKS	6

static struct config config;
static struct slow slow[DISKS];
static struct loads loads[DISKS];
static unsigned int seed;

static double noise(void)
{
	seed = seed * 1103515245 + 12345;
	return (double)(seed >> 8 & 0xffff) / 65536;
}

/* One day of @n disks; @factor: how much longer the first of them takes. */
static void run_day(int day, unsigned int n, double factor, bool busy)
{
	struct slow *s[DISKS];
	const struct loads *l[DISKS];
	int64_t start = START + day * DAY;

	for (int i = 0; i < 288; i++)
		for (unsigned int d = 0; d < n; d++) {
			double bytes = 1e6 + 5e7 * noise();
			double v[LOAD_WHAT] = { bytes, bytes / 4096 };
			double mean[SLOW_OPS];
			uint64_t count[SLOW_OPS] = { 50, i % 2 ? 20 : 0 };

			mean[SLOW_READ] = (0.002 + bytes / 1e10) *
					  (0.9 + 0.2 * noise());
			if (!d)
				mean[SLOW_READ] *= factor;
			mean[SLOW_WRITE] = 0.001 * (0.9 + 0.2 * noise());
			v[LOAD_READ_LATENCY] = mean[SLOW_READ];
			v[LOAD_WRITE_LATENCY] = mean[SLOW_WRITE];
			loads_add(&loads[d], start + i * 300, 300, 1800, v);
			slow_add(&slow[d], start + i * 300, DAY, 300, bytes,
				 count, mean, busy);
		}
	for (unsigned int d = 0; d < n; d++) {
		s[d] = &slow[d];
		l[d] = &loads[d];
	}
	slow_compare(s, l, n);
	for (unsigned int d = 0; d < n; d++) {
		slow_next(&slow[d], start + DAY, DAY);
		slow_judge(&slow[d], &config);
	}
}

static void begin(void)
{
	for (int d = 0; d < DISKS; d++) {
		slow_free(&slow[d]);
		loads_free(&loads[d]);
	}
}

static double last(unsigned int d, bool peers)
{
	const struct slow_day *day = &slow[d].past[slow[d].nr - 1];

	return !slow[d].nr ? NAN : (double)(peers ? day->peers : day->self);
}

static void test_peers(void)
{
	struct slow kept;

	begin();
	for (int day = 0; day < 3; day++)
		run_day(day, DISKS, 1, false);
	ok(fabs(last(0, true) - 1) < 0.05 && fabs(last(5, true) - 1) < 0.05,
	   "all of them are alike: %.3f %.3f", last(0, true), last(5, true));
	is(slow[0].verdict, SLOW_NOT, "and none is slow");
	run_day(3, DISKS, 1.4, false);
	ok(fabs(last(0, true) - 1.4) < 0.07, "one takes longer: %.3f",
	   last(0, true));
	is(slow[0].verdict, SLOW_NOT, "one day is not enough");
	run_day(4, DISKS, 1.4, false);
	is(slow[0].verdict, SLOW_NOT, "nor are two");
	run_day(5, DISKS, 1.4, false);
	is(slow[0].verdict, SLOW_OF_PEERS, "three are");
	is(slow[0].since, START + 3 * DAY, "since the first of them");
	ok(fabs(slow[0].ratio - 1.4) < 0.07, "by %.3f", slow[0].ratio);
	is(slow[0].evidence, START + 6 * DAY, "known at the end of the day");
	is(slow[1].verdict, SLOW_NOT, "the others are not");
	kept = slow[0];
	kept.step = NULL;
	kept.nr = 0;
	for (unsigned int i = 0; i < slow[0].nr; i++)
		slow_load(&kept, &slow[0].past[i], DAY);
	kept.verdict = SLOW_NOT;
	slow_judge(&kept, &config);
	is(kept.verdict, SLOW_OF_PEERS, "it is so after a restart");
	for (int day = 6; day < 9; day++)
		run_day(day, DISKS, 1, false);
	is(slow[0].verdict, SLOW_NOT, "three good days and it is over");
	slow_next(&slow[0], START + 40 * DAY, DAY);
	slow_judge(&slow[0], &config);
	ok(!slow[0].evidence, "of weeks ago nothing is known");
}

static void test_busy(void)
{
	begin();
	for (int day = 0; day < 5; day++)
		run_day(day, DISKS, 3, true);
	ok(!slow[0].nr && slow[0].verdict == SLOW_NOT,
	   "a disk that copies is not compared");
}

static void test_self(void)
{
	begin();
	for (int day = 0; day < 14; day++)
		run_day(day, 2, 1, false);
	ok(isnan(last(0, true)), "two have too few peers");
	ok(fabs(last(0, false) - 1) < 0.05, "but a past: %.3f", last(0, false));
	run_day(14, 2, 1.4, false);
	run_day(15, 2, 1.4, false);
	run_day(16, 2, 1.4, false);
	is(slow[0].verdict, SLOW_NOT, "that may change by 40 %%");
	for (int day = 17; day < 20; day++)
		run_day(day, 2, 2, false);
	is(slow[0].verdict, SLOW_OF_SELF, "but not twice as long");
	for (int day = 20; day < 50; day++)
		run_day(day, 2, 2, false);
	is(slow[0].verdict, SLOW_OF_SELF, "and not even if it stays so");
	is(slow[1].verdict, SLOW_NOT, "the other one is as it was");
}

static void test_clock(void)
{
	begin();
	for (int day = 0; day < 6; day++)
		run_day(day, DISKS, 1.4, false);
	is(slow[0].nr, 6, "six days");
	slow_next(&slow[0], START + 2 * DAY, DAY);
	ok(slow[0].nr == 2 && slow[0].day == START / DAY + 2,
	   "the clock was set back: days to come are no past");
	slow_next(&slow[0], START + 900 * DAY, DAY);
	slow_judge(&slow[0], &config);
	is(slow[0].verdict, SLOW_NOT, "set forward: what was is long ago");
}

static const struct risk_reason *reason(struct risk *r)
{
	static struct errors errors = { .known = true };

	predict(&(struct predict_input){
		.now = START + 7 * DAY, .config = &config, .peers = NAN,
		.errors = &errors, .slow = &slow[0],
	}, r);
	for (unsigned int i = 0; i < r->nr; i++)
		if (r->reason[i].mode == RISK_SLOW)
			return &r->reason[i];
	return NULL;
}

static void test_points(void)
{
	const struct risk_reason *why;
	struct risk r;
	int64_t oldest[RISK_MODES] = { 0 }, evidence;

	begin();
	ok(!reason(&r), "nothing known, nothing said");
	for (int day = 0; day < 6; day++)
		run_day(day, DISKS, day < 2 ? 1 : 1.2, false);
	why = reason(&r);
	ok(why && why->points > 50 && why->points <= 70,
	   "a little slower: no new data");
	for (int day = 6; day < 9; day++)
		run_day(day, DISKS, 2, false);
	why = reason(&r);
	ok(why && why->points > 70, "twice as long: to be emptied");
	has(why ? why->text : "", "slower than the other disks", "and why");
	is(r.part[RISK_SLOW].time, START + 9 * DAY, "by days that are over");
	oldest[RISK_SLOW] = START + 10 * DAY;
	ok(risk_fresh(&r, oldest, &evidence) < 70,
	   "which must not be too long ago");
	begin();
	slow[0].length = DAY;
	slow[0].day = START / DAY + 6;
	slow[0].today = (struct slow_day){ slow[0].day, 5, NAN };
	why = reason(&r);
	ok(why && why->points < 50, "one day warns, and no more");
	ok(r.part[RISK_SLOW].p[RISK_7_DAYS] <= r.part[RISK_SLOW].p[RISK_30_DAYS] &&
	   r.part[RISK_SLOW].p[RISK_30_DAYS] < 0.03 &&
	   !r.part[RISK_SLOW].measured, "its probability is no measurement");
}

int main(void)
{
	config_defaults(&config);
	test_peers();
	test_busy();
	test_self();
	test_clock();
	test_points();
	begin();
	return done_testing();
}
