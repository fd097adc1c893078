// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Five disks of one model on their way through all stages: what the socket says of
 * one that loses sectors, of one that is slow, and of one whose cable is bad.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "daemon.h"
#include "daemon/api/api.h"
#include "daemon/cycle.h"
#include "daemon/foresee.h"
#include "daemon/log.h"
#include "daemon/plan/jobs.h"
#include "daemon/score.h"
#include "lib/json.h"

#define DISKS	5

static struct config config;
static struct adshardd d = { .config = &config, .history_ready = true };
static struct pool pool = { .daemon = &d, .object = "pool tank" };
static struct member m[DISKS];
static int64_t now;

static struct smart_sample sample = {
	.health = true, .passed = 1, .protocol = SMART_ATA, .rotation = 7200,
	.model = "Made Up", .temperature = 30, .trip = SMART_NONE,
	.power_on = 1000, .used = SMART_NONE, .spare = SMART_NONE,
	.spare_threshold = SMART_NONE, .grown_defects = SMART_NONE,
	.uncorrected_read = SMART_NONE, .uncorrected_write = SMART_NONE,
	.uncorrected_verify = SMART_NONE,
	.nr_attrs = 3, .attr = { { .id = 5 }, { .id = 197 }, { .id = 199 } },
};

static void read_disk(int i, int64_t time, int days_ago)
{
	snprintf(sample.serial, sizeof(sample.serial), "S%d", i);
	sample.time = time;
	/* 1 loses three sectors a day since a week, 2 has a bad cable */
	sample.attr[1].raw = i == 1 && days_ago < 8 ? (10 - days_ago) * 3 : 0;
	sample.attr[2].raw = i == 2 ? 400 - days_ago * 10 : 0;
	cycle_sample(&m[i], &sample);
}

/* Days of a minute each, of which the disk 0 is slow. */
static void run_days(void)
{
	struct slow *s[DISKS];
	const struct loads *l[DISKS];

	for (int i = 0; i < DISKS; i++) {
		s[i] = &m[i].slow;
		l[i] = &m[i].loads;
	}
	for (int64_t t = now - 600; t <= now; t++) {
		if (slow_due(s[0], t, 60)) {
			slow_compare(s, l, DISKS);
			for (int i = 0; i < DISKS; i++) {
				slow_next(s[i], t, 60);
				slow_judge(s[i], &config);
			}
		}
		for (int i = 0; i < DISKS; i++) {
			double v[LOAD_WHAT] = {
				1e6 + 1e5 * (double)(t % 50), 100, 0.002, NAN,
			};
			double mean[SLOW_OPS] = {
				(i ? 0.002 : 0.006) * (1 + 0.05 * (double)(t % 7)),
			};

			loads_add(&m[i].loads, t, 1, 5, v);
			slow_add(&m[i].slow, t, 60, 1, v[LOAD_BYTES],
				 (uint64_t[SLOW_OPS]){ 50 }, mean, false);
		}
	}
}

static void make(void)
{
	now = now_epoch();
	config.mode = MODE_OFF;
	config.smart.enable = 0;
	config.slow.day = 60;
	config.forecast.step = config.forecast.near = 5;
	config.forecast.middle = 15;
	config.forecast.season = config.forecast.far = 50;
	strcpy(pool.k.name, "tank");
	d.pools = &pool;
	pool.members = m;
	for (int i = 0; i < DISKS; i++) {
		m[i] = (struct member){
			.daemon = &d, .pool = &pool, .state_loaded = true,
			.told_score = -1, .found = now,
			.next = i + 1 < DISKS ? &m[i + 1] : NULL,
		};
		m[i].k.index = i;
		memset(m[i].k.uuid, i + 1, ADS_UUID_LEN);
		snprintf(m[i].dev.path, sizeof(m[i].dev.path), "/dev/sd%c",
			 'a' + i);
		strcpy(m[i].disk, m[i].dev.path);
		risk_init(&m[i].risk);
	}
	for (int i = 0; i < DISKS; i++) {
		for (int day = 40; day; day--)
			read_disk(i, now - day * RISK_DAY, day);
		read_disk(i, now - 5, 0);
		read_disk(i, now, 0);
	}
	run_days();
	for (int i = 0; i < DISKS; i++)
		score_member(&m[i], now);
	score_fleet(&d);
	/* the timer makes one member's forecasts at a time */
	for (int i = 0; i < 2 * DISKS; i++)
		sd_event_run(d.event, 100000);
}

static struct json_object *ask(const char *cmd, int member)
{
	struct json_object *o;
	char line[80];

	snprintf(line, sizeof(line), "{\"cmd\":\"%s\",\"member\":%d,\"pool\":\"tank\"}",
		 cmd, member);
	o = api_answer(&d, line, strlen(line), false);
	if (ads_json_get(o, "error"))
		printf("# %s\n", ads_json_line(o));
	return o;
}

static int64_t number(struct json_object *o, const char *key)
{
	int64_t v;

	return ads_json_get_i64(o, key, &v) ? v : -1;
}

static bool warns(struct json_object *o, const char *type)
{
	struct json_object *list = ads_json_get(o, "early_warnings");
	const char *s;

	for (size_t i = 0; i < json_object_array_length(list); i++)
		if (ads_json_get_str(json_object_array_get_idx(list, i), "type",
				     &s) && !strcmp(s, type))
			return true;
	return false;
}

static int64_t counted(struct json_object *o)
{
	struct json_object *list = ads_json_get(o, "factors");
	int64_t sum = 0;

	for (size_t i = 0; i < json_object_array_length(list); i++)
		sum += number(json_object_array_get_idx(list, i), "counted");
	return sum;
}

static double probability(struct json_object *o, const char *key)
{
	double p = NAN;

	ads_json_get_double(ads_json_get(o, "probability"), key, &p);
	return p;
}

static void test_risk(void)
{
	static const char *const type[DISKS] = {
		"fail-slow", "media", "interface", NULL, NULL,
	};
	struct json_object *o, *slow, *list;
	const char *s = "";

	for (int i = 0; i < DISKS; i++) {
		o = ask("risk", i);
		ok(number(o, "score") >= 0 && counted(o) == number(o, "score"),
		   "disk %d: every point of %lld is accounted for", i,
		   (long long)number(o, "score"));
		ok(probability(o, "days_7") <= probability(o, "days_30") &&
		   probability(o, "days_30") <= probability(o, "days_90") &&
		   probability(o, "days_7") > 0, "its probabilities rise");
		if (type[i])
			ok(warns(o, type[i]), "its warning is %s", type[i]);
		else
			ok(json_object_array_length(ads_json_get(o,
					"early_warnings")) == 0, "no warning");
		list = ads_json_get(ads_json_get(o, "forecast"),
				    "bytes_per_second");
		is(list ? (int)json_object_array_length(list) : 0, 3,
		   "three horizons of its load");
		json_object_put(o);
	}
	o = ask("risk", 0);
	slow = ads_json_get(o, "slow");
	ok(ads_json_get_str(slow, "verdict", &s) && !strcmp(s, "peers"),
	   "slower than its peers");
	ok(json_object_get_double(ads_json_get(slow, "ratio")) > 2.8 &&
	   json_object_get_double(ads_json_get(slow, "ratio")) < 3.2,
	   "three times as long");
	ok(m[0].track.above == 0 && !m[0].track.at_risk,
	   "but days are one piece of evidence, not two");
	json_object_put(o);
	ok(m[1].track.at_risk, "sectors were read twice");
}

/* Two groups of four segments; the second is used. */
static void make_groups(void)
{
	struct ads_segment seg[8] = { 0 };

	pool.k.nr_segments = 8;
	pool.k.heat_sample = 16;
	config.forecast.groups = 2;
	for (int i = 0; i < 100; i++) {
		struct kernel_segments s = { .segments = seg, .nr = 8 };

		for (uint32_t k = 0; k < 8; k++) {
			seg[k].index = k;
			seg[k].reads += k < 4 ? 0 : 5;
		}
		groups_add(&pool.groups, s.segments, s.nr, 8, 16, 1 + i,
			   now + i, &config);
	}
	foresee_run(&d);
	for (int i = 0; i < 20; i++)
		sd_event_run(d.event, 100000);
}

static void test_forecast(void)
{
	struct json_object *o = ask("forecast", 0), *p, *g, *list;

	p = json_object_array_get_idx(ads_json_get(o, "pools"), 0);
	list = ads_json_get(p, "members");
	is((int)json_object_array_length(list), DISKS, "forecast: all members");
	list = ads_json_get(json_object_array_get_idx(list, 1), "forecast");
	is((int)json_object_array_length(ads_json_get(list,
			"requests_per_second")), 3, "forecast: of a member");
	list = ads_json_get(p, "groups");
	is((int)json_object_array_length(list), 2, "forecast: groups");
	g = json_object_array_get_idx(list, 1);
	ok(number(g, "first") == 4 && number(g, "last") == 7,
	   "forecast: which segments");
	ok(json_object_get_double(ads_json_get(g, "requests_per_second")) == 320,
	   "forecast: its load now");
	list = ads_json_get(ads_json_get(g, "forecast"), "requests_per_second");
	is((int)json_object_array_length(list), 3, "forecast: of a group");
	g = json_object_array_get_idx(list, 0);
	ok(fabs(json_object_get_double(ads_json_get(g, "value")) - 320) < 16,
	   "forecast: it goes on like that");
	json_object_put(o);
	o = api_answer(&d, "{\"cmd\":\"forecast\",\"pool\":\"pond\"}", 33,
		       false);
	is(number(o, "code"), ENOENT, "forecast: no such pool");
	json_object_put(o);
	groups_free(pool.groups);
}

static void test_history(void)
{
	struct json_object *o = ask("history", 1), *list, *k;
	int64_t value = -1;

	list = ads_json_get(o, "days");
	is((int)json_object_array_length(list), 41, "a line for each day");
	k = json_object_array_get_idx(list, 40);
	ok(number(k, "score") > 70 && number(k, "temperature") == 30,
	   "the last of them");
	list = ads_json_get(o, "counters");
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		k = json_object_array_get_idx(list, i);
		if (number(k, "attribute") == 197)
			value = number(k, "value");
	}
	is(value, 30, "its counters");
	list = ads_json_get(ads_json_get(o, "load"), "bytes_per_second");
	is((int)json_object_array_length(list), (int)m[1].loads.nr, "its load");
	json_object_put(o);
}

int main(void)
{
	struct drive *dr;

	config_defaults(&config);
	log_init(LOG_EMERG);
	d.jobs = jobs_new();
	sd_event_default(&d.event);
	make();
	test_risk();
	test_history();
	make_groups();
	test_forecast();
	for (int i = 0; i < DISKS; i++)
		foresee_member_gone(&m[i]);
	foresee_free(&d);
	while ((dr = d.drives)) {
		d.drives = dr->next;
		drive_free(dr);
	}
	return done_testing();
}
