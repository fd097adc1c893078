// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A thousand members, with all the past that is kept of each: how long a scoring of
 * all takes, and how much memory they are.
 */
#include <math.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "daemon.h"
#include "daemon/cycle.h"
#include "daemon/foresee.h"
#include "daemon/log.h"
#include "daemon/predict/outlook.h"
#include "daemon/predict/predict.h"
#include "daemon/predict/shared.h"
#include "daemon/score.h"
#include "lib/model-file.h"

#define MEMBERS	1000
#define DAY	86400LL
#define NOW	(20000 * DAY)

static struct config config;
static unsigned int seed = 1;

static struct one {
	struct drive *drive;
	struct smart_sample sample;
	struct slow slow;
	struct loads loads;
	struct outlook outlook;
	struct errors errors;
	struct risk risk;
	struct shared_member shared;
} all[MEMBERS];

static double noise(void)
{
	seed = seed * 1103515245 + 12345;
	return (double)(seed >> 8 & 0xffff) / 65536;
}

static double cpu(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void make(struct one *m, int n)
{
	struct drive_change changes[TRACK_NR];
	static const uint8_t ids[] = { 5, 10, 184, 187, 188, 189, 196, 197, 198, 199 };
	char serial[16];
	bool reset;

	snprintf(serial, sizeof(serial), "%d", n);
	m->drive = drive_new("Made Up", serial, SMART_ATA);
	m->sample = (struct smart_sample){
		.protocol = SMART_ATA, .health = true, .passed = 1,
		.rotation = 7200, .temperature = 30 + n % 20,
		.trip = SMART_NONE, .power_on = 1000, .used = SMART_NONE,
		.spare = SMART_NONE, .spare_threshold = SMART_NONE,
		.grown_defects = SMART_NONE, .uncorrected_read = SMART_NONE,
		.uncorrected_write = SMART_NONE,
		.uncorrected_verify = SMART_NONE,
		.nr_attrs = sizeof(ids),
	};
	for (unsigned int i = 0; i < sizeof(ids); i++)
		m->sample.attr[i].id = ids[i];
	/* each counter changed on as many days as are kept */
	for (int day = 0; day < SERIES_MAX + 2; day++) {
		m->sample.time = NOW - (SERIES_MAX + 2 - day) * DAY;
		for (unsigned int i = 0; i < sizeof(ids); i++)
			m->sample.attr[i].raw += n % 3 ? 1 : 0;
		drive_add(m->drive, &m->sample, changes, &reset);
		drive_note_day(m->drive, &(struct drive_day){ .day = day });
	}
	for (int i = 0; i <= LOADS_MAX; i++) {
		double v[LOAD_WHAT] = { 1e6 * noise(), 100, 0.01, 0.02 };

		loads_add(&m->loads, NOW + i * 1800, 1800, 1800, v);
	}
	for (int i = 0; i < SLOW_STEPS; i++)
		slow_add(&m->slow, NOW + i * 300, DAY, 300, 1e6 * noise(),
			 (uint64_t[]){ 9, 9 }, (double[]){ 0.01, 0.02 }, false);
}

static void score(const struct ads_model *model)
{
	static struct shared_disk disk[MEMBERS];
	static struct shared_member out[MEMBERS];
	struct shared_cause cause[SHARED_CAUSES];

	for (int i = 0; i < MEMBERS; i++) {
		predict(&(struct predict_input){
			.now = NOW, .config = &config, .drive = all[i].drive,
			.sample = &all[i].sample, .peers = 35,
			.errors = &all[i].errors, .model = model,
			.slow = &all[i].slow,
		}, &all[i].risk);
		disk[i].disk = all[i].drive->serial;
		disk[i].controller = i % 2 ? "0000:01:00.0" : "0000:02:00.0";
		disk[i].since[RISK_THERMAL] = NOW - i;
	}
	shared_check(disk, MEMBERS, &config, out, cause);
	for (int i = 0; i < MEMBERS; i++) {
		shared_relieve(&all[i].risk, &out[i], cause);
		predict_fuse(&all[i].risk);
	}
}

/* The same as the daemon does it, with all that belongs to it. */
static double daemon_way(struct ads_model *model)
{
	static struct member member[MEMBERS];
	struct adshardd d = { .config = &config, .trained = model,
			      .history_ready = true };
	struct pool pool = { .daemon = &d, .object = "pool x",
			     .members = member };
	int64_t now = now_epoch();
	double start;

	config.mode = MODE_OFF;
	sd_event_default(&d.event);
	d.pools = &pool;
	log_init(LOG_EMERG);
	for (int i = 0; i < MEMBERS; i++) {
		struct member *m = &member[i];

		*m = (struct member){
			.daemon = &d, .pool = &pool, .state_loaded = true,
			.next = i + 1 < MEMBERS ? m + 1 : NULL,
			.drive = all[i].drive, .told_score = -1,
			.dev.rotational = true,
			.smart.sample = all[i].sample,
			.smart.tried = now,
		};
		m->smart.sample.time = now - i % 60;
		snprintf(m->disk, sizeof(m->disk), "/dev/sd%d", i);
		snprintf(m->smart.sample.model, sizeof(m->smart.sample.model),
			 "Made Up %d", i % 20);
	}
	score_fleet(&d);
	start = cpu();
	for (int i = 0; i < MEMBERS; i++)
		score_member(&member[i], now);
	score_fleet(&d);
	start = cpu() - start;
	for (int i = 0; i < MEMBERS; i++)
		foresee_member_gone(&member[i]);
	foresee_free(&d);
	return start;
}

int main(void)
{
	struct ads_model *model = NULL;
	struct ads_err err = { "" };
	double start, seconds = INFINITY, forecasts;
	struct rusage use;
	long before;

	config_defaults(&config);
	ads_model_read("agent/train/smart.model", &model, &err);
	getrusage(RUSAGE_SELF, &use);
	before = use.ru_maxrss;
	for (int i = 0; i < MEMBERS; i++)
		make(&all[i], i);
	getrusage(RUSAGE_SELF, &use);
	for (int i = 0; i < 3; i++) {
		start = cpu();
		score(model);
		seconds = fmin(seconds, cpu() - start);
	}
	ok(all[1].risk.score > 0, "they have scores, such as %d",
	   all[1].risk.score);
	printf("# figure predict.score_1000_members %.4f s\n", seconds);
	ok(seconds < 0.2, "%s the trained model: less than 0.2 s",
	   model ? "with" : "without");
	seconds = daemon_way(model);
	printf("# figure predict.agent_1000_members %.4f s\n", seconds);
	ok(seconds < 0.2, "and so in the agent");
	printf("# figure predict.memory_1000_members %ld MiB\n",
	       (use.ru_maxrss - before) / 1024);
	ok(use.ru_maxrss - before < 128 << 10, "less than 128 MiB");
	start = cpu();
	for (int of = 0; of < OUTLOOK_OF; of++)
		for (int k = 0; k < OUTLOOK_AHEAD; k++)
			outlook_make(&all[0].outlook, &all[0].loads, of, k,
				     &config);
	forecasts = cpu() - start;
	printf("# figure predict.forecasts_of_a_member %.4f s\n", forecasts);
	ok(forecasts < 0.5 && all[0].outlook.range[0][0].known,
	   "forecasts of one hold nothing up");
	ads_model_free(model);
	for (int i = 0; i < MEMBERS; i++) {
		drive_free(all[i].drive);
		slow_free(&all[i].slow);
		loads_free(&all[i].loads);
	}
	return done_testing();
}
