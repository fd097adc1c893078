// SPDX-License-Identifier: GPL-2.0-or-later
/* From scores to "at risk": confirmation, staleness, release; drives in step. */
#include <stdint.h>

#include "daemon.h"
#include "daemon/predict/predict.h"

#define DAY	86400LL

static struct config config;

static void test_confirm(void)
{
	struct risk_track t = { 0 };

	is(risk_track(&t, 75, 100, 100, &config), RISK_SAME,
	   "above drain once is not enough");
	is(risk_track(&t, 75, 100, 200, &config), RISK_SAME,
	   "the same evidence does not count twice");
	is(risk_track(&t, -1, 0, 250, &config), RISK_SAME,
	   "stale evidence does not count");
	is(risk_track(&t, 75, 300, 300, &config), RISK_RAISED, "twice is");
	is(risk_track(&t, 75, 400, 400, &config), RISK_SAME, "it is said once");
	ok(t.at_risk == 300, "and since when");

	t = (struct risk_track){ 0 };
	risk_track(&t, 75, 100, 100, &config);
	risk_track(&t, 70, 200, 200, &config);
	is(risk_track(&t, 75, 300, 300, &config), RISK_SAME,
	   "twice means twice in a row, and 70 is not above 70");

	t = (struct risk_track){ 0 };
	is(risk_track(&t, 85, 100, 100, &config), RISK_SAME,
	   "85 is not above 85");
	t = (struct risk_track){ 0 };
	is(risk_track(&t, 100, 100, 100, &config), RISK_SAME,
	   "above urgent once is not enough either");
	config.score.confirm = 5;
	is(risk_track(&t, 86, 200, 200, &config), RISK_RAISED,
	   "but twice is, whatever else it takes");
	t = (struct risk_track){ 0 };
	risk_track(&t, 75, 100, 100, &config);
	is(risk_track(&t, 75, 200, 200, &config), RISK_SAME, "it takes five");
	config.score.confirm = 2;

	t = (struct risk_track){ 0 };
	risk_track(&t, 75, 100 * DAY, 100 * DAY, &config);
	is(risk_track(&t, 75, DAY, DAY, &config), RISK_RAISED,
	   "a clock that was set back does not hide a failing disk");
}

static void test_release(void)
{
	struct risk_track t = { 0 };
	int64_t now = 100;

	risk_track(&t, 90, now - 1, now - 1, &config);
	risk_track(&t, 90, now, now, &config);
	now += DAY;
	is(risk_track(&t, 60, now, now, &config), RISK_SAME, "60 is no release");
	ok(t.at_risk && !t.quiet, "still at risk");
	risk_track(&t, 40, now, now, &config);
	ok(t.quiet, "below 50 it is quiet");
	now += 13 * DAY;
	is(risk_track(&t, 40, now, now, &config), RISK_SAME, "for 13 days");
	is(risk_track(&t, 50, now, now, &config), RISK_SAME, "50 ends the quiet");
	ok(!t.quiet, "and counting starts anew");
	risk_track(&t, 40, now, now, &config);
	now += 14 * DAY - 1;
	is(risk_track(&t, 40, now, now, &config), RISK_SAME, "a second short");
	now++;
	is(risk_track(&t, 40, now, now, &config), RISK_RELEASED,
	   "14 days: released");
	ok(!t.at_risk && !t.above, "all is well");
	risk_track(&t, 90, now + 1, now + 1, &config);
	risk_track(&t, 40, now + 2, now + 2, &config);
	risk_track(&t, -1, 0, now + DAY, &config);
	ok(!t.quiet, "days without evidence are not quiet days");
}

static struct fleet_entry fleet[40];

static unsigned int suspects(unsigned int n)
{
	unsigned int sum = 0;

	fleet_check(fleet, n, &config);
	for (unsigned int i = 0; i < n; i++)
		sum += fleet[i].suspect;
	return sum;
}

static void set_fleet(unsigned int n, unsigned int rising, int64_t apart)
{
	for (unsigned int i = 0; i < n; i++)
		fleet[i] = (struct fleet_entry){
			.model = "A",
			.rose = i < rising ? 1000 + i * apart : 0,
		};
}

static void test_fleet(void)
{
	set_fleet(4, 1, 0);
	is(suspects(4), 0, "one of four is a failing disk");
	set_fleet(4, 2, 0);
	is(suspects(4), 0, "two of four may be");
	set_fleet(4, 3, 60);
	is(suspects(4), 3, "three of four at the same time are not");
	set_fleet(4, 3, 2 * DAY);
	is(suspects(4), 0, "three over a week are");
	set_fleet(40, 3, 60);
	is(suspects(40), 0, "three of forty are");
	set_fleet(40, 9, 60);
	is(suspects(40), 9, "nine of forty are not");
	for (int i = 0; i < 40; i++)
		fleet[i].model = i % 2 ? "A" : "B";
	set_fleet(9, 3, 60);
	for (int i = 0; i < 3; i++)
		fleet[i].model = i ? "B" : "A";
	is(suspects(9), 0, "of different models");
	set_fleet(4, 3, 60);
	for (int i = 0; i < 4; i++)
		fleet[i].model = "";
	is(suspects(4), 0, "without a model nobody is a peer");
	is(suspects(0), 0, "nobody at all");
}

int main(void)
{
	config_defaults(&config);
	test_confirm();
	test_release();
	test_fleet();
	return done_testing();
}
