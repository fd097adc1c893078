// SPDX-License-Identifier: GPL-2.0-or-later
/* What several disks have in common, the score as a sum, and probabilities. */
#include <math.h>
#include <stdlib.h>

#include "daemon.h"
#include "daemon/predict/predict.h"
#include "daemon/predict/shared.h"

#define N	8
#define T	1000000

static struct config config;
static struct shared_disk disk[N];
static struct shared_member out[N];
static struct shared_cause cause[SHARED_CAUSES];

static void reset(void)
{
	static const char *const name[N] = { "a", "b", "c", "d", "e", "f", "g", "h" };

	memset(disk, 0, sizeof(disk));
	for (int i = 0; i < N; i++) {
		disk[i].disk = name[i];
		disk[i].controller = i < 4 ? "0000:01:00.0" : "0000:02:00.0";
	}
}

static unsigned int check(void)
{
	return shared_check(disk, N, &config, out, cause);
}

static void test_causes(void)
{
	char text[120];

	reset();
	is(check(), 0, "nobody has anything");
	disk[0].since[RISK_ERRORS] = disk[1].since[RISK_ERRORS] = T;
	is(check(), 0, "two are chance");
	disk[2].since[RISK_ERRORS] = T + 3600;
	is(check(), 1, "three of the four of a controller are not");
	ok(cause[0].by == SHARED_CONTROLLER && cause[0].raised == 3 &&
	   cause[0].of == 4 && cause[0].since == T &&
	   !strcmp(cause[0].key, "0000:01:00.0"), "it is the controller's");
	has(shared_text(&cause[0], text, sizeof(text)),
	    "3 of 4 disks of controller 0000:01:00.0", "as it is told");
	ok(out[0].cause[RISK_ERRORS] == 1 && out[2].cause[RISK_ERRORS] == 1 &&
	   !out[3].cause[RISK_ERRORS] && !out[0].cause[RISK_THERMAL],
	   "of those that have it");
	disk[1].disk = "a";
	is(check(), 0, "two members of one disk are one disk");

	reset();
	for (int i = 0; i < 4; i++)
		disk[i].since[RISK_ERRORS] = T + i * 2 * config.fleet.window;
	is(check(), 0, "one after the other is not together");

	reset();
	for (int i = 1; i < 6; i++)
		disk[i].since[RISK_THERMAL] = T;
	is(check(), 2, "heat of three of one, two of the other");
	ok(cause[1].by == SHARED_HOST && cause[1].raised == 5 &&
	   out[5].cause[RISK_THERMAL] == 2 && out[1].cause[RISK_THERMAL] == 1,
	   "is the host's");
	disk[5].since[RISK_THERMAL] = disk[4].since[RISK_THERMAL] = 0;
	is(check(), 1, "but not if one controller has it all");

	reset();
	for (int i = 0; i < N; i++)
		disk[i].since[RISK_MEDIA] = disk[i].since[RISK_WEAR] = T;
	is(check(), 0, "bad media are bad, however many");
	reset();
	for (int i = 0; i < N; i++) {
		disk[i].controller = "";
		disk[i].since[RISK_SLOW] = T;
	}
	is(check(), 1, "without controllers it is the host");
	for (int i = 0; i < N; i++)
		disk[i].disk = "";
	is(check(), 0, "and without disks nothing");
}

static void test_blame(void)
{
	struct shared_cause c = { .mode = RISK_ERRORS, .raised = 3, .of = 4 };
	struct shared_member m = { 0 };
	struct risk r;

	risk_init(&r);
	risk_judged(&r, RISK_ERRORS, T);
	risk_judged(&r, RISK_MEDIA, T);
	risk_add(&r, RISK_ERRORS, 80, 0, "failed I/O", "9", "failed");
	risk_add(&r, RISK_MEDIA, 20, 0, "x", "1", "x");
	predict_fuse(&r);
	is(r.score, 80, "alone it is to blame");
	m.cause[RISK_ERRORS] = 1;
	shared_relieve(&r, &m, &c);
	predict_fuse(&r);
	ok(r.score == 40 && r.reason[0].counted == 40, "with others by half");
	shared_relieve(&r, &m, &c);
	predict_fuse(&r);
	is(r.score, 40, "once");
	has(r.part[RISK_ERRORS].shared, "3 of 4", "and it says so");
	is(r.part[RISK_MEDIA].score, 20, "what is not shared stays");
}

static void test_sum(void)
{
	struct risk r;
	int sum;

	for (int kind = 0; kind < 4; kind++) {
		risk_init(&r);
		for (int m = 0; m < RISK_MODES; m++)
			risk_judged(&r, m, T);
		r.part[RISK_MEDIA].score = 7;
		if (kind > 0)
			risk_add(&r, RISK_MEDIA, kind == 3 ? 98 : 75, 0, "a",
				 "", "a");
		if (kind > 1) {
			risk_add(&r, RISK_MEDIA, 60, 0, "b", "", "b");
			risk_add(&r, RISK_ERRORS, 60, 0, "c", "", "c");
			risk_add(&r, RISK_WEAR, 55, 0, "d", "", "d");
			risk_add(&r, RISK_THERMAL, 45, 0, "e", "", "e");
		}
		risk_fuse(&r);
		sum = r.base;
		for (unsigned int i = 0; i < r.nr; i++)
			sum += r.reason[i].counted;
		is(sum, r.score, "every point of %d is accounted for", r.score);
	}
	is(r.score, 100, "up to a hundred");
	is(r.base, 0, "a finding takes the place of the base rate");
}

static void test_probability(void)
{
	double p[RISK_HORIZONS], before = 0;
	unsigned int good = 0;
	struct risk r;

	for (int i = 0; i <= 100; i++)
		good += abs(risk_score_of(risk_p_of(i)) - i) <= 1;
	is(good, 101, "points, probability, points");
	good = 0;
	for (int i = 0; i <= 1000; i++) {
		risk_horizons(i / 1000.0, p);
		good += p[RISK_7_DAYS] >= 0 && p[RISK_7_DAYS] <= p[RISK_30_DAYS] &&
			p[RISK_30_DAYS] <= p[RISK_90_DAYS] &&
			p[RISK_90_DAYS] <= 1 && p[RISK_90_DAYS] >= before;
		before = p[RISK_90_DAYS];
	}
	is(good, 1001, "a week, a month, a quarter: in order, and monotone");
	risk_horizons(0.105, p);
	ok(p[RISK_7_DAYS] > 0.02 && p[RISK_7_DAYS] < 0.05 &&
	   p[RISK_90_DAYS] > 0.2 && p[RISK_90_DAYS] < 0.35,
	   "one in ten in a month: %.3f in a week, %.3f in a quarter",
	   p[RISK_7_DAYS], p[RISK_90_DAYS]);
	risk_init(&r);
	risk_judged(&r, RISK_MEDIA, T);
	risk_judged(&r, RISK_THERMAL, T);
	risk_likely(&r, RISK_MEDIA, (double[]){ .1, .2, .3 });
	risk_likely(&r, RISK_MEDIA, (double[]){ .05, .25, .3 });
	risk_add(&r, RISK_THERMAL, 60, 0, "a", "", "a");
	risk_fuse(&r);
	ok(r.part[RISK_MEDIA].measured && r.part[RISK_MEDIA].p[0] == .1 &&
	   r.part[RISK_MEDIA].p[1] == .25, "what was measured, the most of it");
	ok(!r.part[RISK_THERMAL].measured &&
	   fabs(r.part[RISK_THERMAL].p[1] - risk_p_of(60)) < 1e-9,
	   "else what the points would mean");
}

int main(void)
{
	config_defaults(&config);
	test_causes();
	test_blame();
	test_sum();
	test_probability();
	return done_testing();
}
