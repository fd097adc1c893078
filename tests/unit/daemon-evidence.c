// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What starts no evacuation: stale evidence, a single sample, samples out of the
 * future, counters that go back, weeks of silence; and what is said of it.
 */
#include <stdlib.h>
#include <unistd.h>

#include "daemon.h"
#include "daemon/cycle.h"
#include "daemon/foresee.h"
#include "daemon/log.h"
#include "daemon/plan/jobs.h"
#include "daemon/score.h"

static struct config config;
static struct adshardd d = { .config = &config, .history_ready = true };
static struct pool pool = { .daemon = &d, .object = "pool test" };
static struct member m;
static char said[16384];

/* What was logged since the last call. */
static const char *log_text(void)
{
	ssize_t n;

	fflush(stderr);
	n = pread(STDERR_FILENO, said, sizeof(said) - 1, 0);
	said[n > 0 ? n : 0] = 0;
	if (ftruncate(STDERR_FILENO, 0))
		abort();
	lseek(STDERR_FILENO, 0, SEEK_SET);
	return said;
}

static struct smart_sample sample = {
	.health = true, .passed = 1, .protocol = SMART_ATA, .rotation = 7200,
	.model = "Made Up", .serial = "1", .temperature = 30,
	.trip = SMART_NONE, .power_on = 1000, .used = SMART_NONE,
	.spare = SMART_NONE, .spare_threshold = SMART_NONE,
	.grown_defects = SMART_NONE, .uncorrected_read = SMART_NONE,
	.uncorrected_write = SMART_NONE, .uncorrected_verify = SMART_NONE,
	.nr_attrs = 3, .attr = { { .id = 5 }, { .id = 187 }, { .id = 197 } },
};

static void begin(void)
{
	struct drive *dr;

	while ((dr = d.drives)) {
		d.drives = dr->next;
		drive_free(dr);
	}
	sd_event_source_disable_unref(m.smart.timer);
	foresee_member_gone(&m);
	m = (struct member){
		.daemon = &d, .pool = &pool, .state_loaded = true,
		.object = "/dev/x (pool test)", .disk = "/dev/x",
		.told_score = -1, .found = now_epoch(),
	};
	risk_init(&m.risk);
	pool.members = &m;
	d.pools = &pool;
	sample.power_on = 1000;
	log_text();
}

static void read_at(int64_t time, uint64_t reallocated, uint64_t pending)
{
	sample.time = time;
	sample.attr[0].raw = reallocated;
	sample.attr[1].raw = pending ? 3 : 0;
	sample.attr[2].raw = pending;
	cycle_sample(&m, &sample);
}

static int fresh(void)
{
	int64_t evidence;

	return cycle_fresh_score(&m, now_epoch(), &evidence);
}

static void test_single(void)
{
	int64_t now = now_epoch();

	begin();
	read_at(now - 20, 0, 0);
	ok(fresh() >= 0 && !m.track.at_risk, "a healthy disk");
	read_at(now - 10, 0, 24);
	ok(fresh() > config.score.urgent, "a sample that is worse than urgent");
	ok(!m.track.at_risk, "alone is no evidence");
	score_member(&m, now);
	score_fleet(&d);
	ok(!m.track.at_risk, "and no more so if it is looked at again");
	read_at(now, 0, 24);
	ok(m.track.at_risk, "the second sample is");
}

static void test_stale(void)
{
	int64_t now = now_epoch(), interval = config.smart.interval;

	begin();
	read_at(now - 2 * interval - config.smart.timeout - 5, 0, 24);
	read_at(now - 2 * interval - config.smart.timeout - 3, 0, 24);
	ok(cycle_stale(&m, now), "after two missed intervals it is stale");
	is(fresh(), -1, "and has no score to act on");
	ok(!m.track.at_risk, "whatever it was");
	ok(m.risk.score > config.score.drain, "but the last one is still shown");
	begin();
	read_at(now - 2 * interval, 0, 0);
	ok(!cycle_stale(&m, now), "two intervals are not yet missed");
}

static void test_clock(void)
{
	int64_t now = now_epoch(), leap;

	begin();
	read_at(now + 400 * RISK_DAY, 0, 24);
	read_at(now + 400 * RISK_DAY + 5, 0, 24);
	ok(cycle_stale(&m, now) && fresh() == -1,
	   "samples of the future are not fresh");
	begin();
	foresee_run(&d);
	is(foresee_clock(&d, &leap), 0, "the clock goes as it should");
}

static void test_lies(void)
{
	int64_t now = now_epoch();

	begin();
	read_at(now - 50, 100, 0);
	read_at(now - 40, 7, 0);
	has(log_text(), "counters of drive 1 went back", "a disk that lies is named");
	is((int)m.drive->series[TRACK_REALLOCATED].value, 7,
	   "counting goes on from there");
	read_at(now - 30, 100, 0);
	read_at(now - 20, 7, 0);
	ok(!strstr(log_text(), "went back"), "once a day, not each time");
	ok(m.drive->nr_days == 1, "its day has one line");
}

static void test_gap(void)
{
	int64_t now = now_epoch();

	begin();
	read_at(now - 60 * RISK_DAY, 0, 0);
	read_at(now, 500, 0);
	ok(!m.track.at_risk && m.risk.score > 0,
	   "what rose in weeks of silence is one sample");
	is(series_grown(&m.drive->series[TRACK_REALLOCATED], now, RISK_DAY), 500,
	   "as if it were of today");
}

static void test_swap(void)
{
	int64_t now = now_epoch();

	begin();
	read_at(now - 30, 0, 24);
	read_at(now - 20, 0, 24);
	ok(m.track.at_risk, "a disk at risk");
	snprintf(sample.serial, sizeof(sample.serial), "2");
	read_at(now - 10, 0, 0);
	has(log_text(), "is another drive now: Made Up 2, was Made Up 1",
	    "is exchanged");
	ok(!m.track.at_risk && m.risk.score < 25, "the new one begins anew");
	snprintf(sample.serial, sizeof(sample.serial), "1");
	read_at(now, 0, 24);
	is(m.drive->series[TRACK_PENDING].nr, 1, "the old one is known again");
	ok(!m.track.at_risk, "and one sample of it is one sample");
}

int main(void)
{
	FILE *f = tmpfile();

	if (!f || dup2(fileno(f), STDERR_FILENO) < 0)
		return 1;
	unsetenv("JOURNAL_STREAM");
	config_defaults(&config);
	config.mode = MODE_OFF;
	log_init(LOG_NOTICE);
	d.jobs = jobs_new();
	sd_event_default(&d.event);
	test_single();
	test_stale();
	test_clock();
	test_lies();
	test_gap();
	test_swap();
	return done_testing();
}
