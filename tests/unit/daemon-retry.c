// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the planner's surroundings keep: heat, jobs, and what could not be moved.
 */
#include <stdint.h>
#include <stdlib.h>

#include "daemon.h"
#include "daemon/plan/heat.h"
#include "daemon/plan/jobs.h"
#include "daemon/plan/retry.h"

static struct config config;

static void test_heat(void)
{
	struct ads_segment seg[3] = {
		{ .index = 0, .reads = 100 }, { .index = 1 },
		{ .index = 2, .reads = UINT32_MAX - 9, .writes = 5 },
	};
	struct heat *h = NULL;

	ok(heat_rate(NULL, 2) == 0, "heat: nothing is known");
	heat_update(&h, seg, 3, 3, 1000, 60);
	ok(heat_rate(h, 2) > heat_rate(h, 0) &&
	   heat_rate(h, 0) > heat_rate(h, 1),
	   "heat: bare counters give an order");
	ok(heat_rate(h, 0) < 1e-6, "heat: a first look gives no rate");
	seg[1].writes = 600;
	seg[2].reads += 610;
	heat_update(&h, seg, 3, 3, 1060, 60);
	ok(heat_rate(h, 1) > 4.9 && heat_rate(h, 1) < 5.1,
	   "heat: half of 10 a second after one half-life");
	ok(heat_rate(h, 2) > 5 && heat_rate(h, 2) < 5.2,
	   "heat: right over the wrap of a counter");
	heat_update(&h, seg, 3, 3, 1120, 60);
	ok(heat_rate(h, 1) > 2.4 && heat_rate(h, 1) < 2.6,
	   "heat: halves when nobody comes");
	seg[0].index = 99;
	is(heat_update(&h, seg, 3, 3, 1180, 60), 0, "heat: beyond the end");
	heat_update(&h, seg, 3, 7, 1240, 60);
	is(h->nr, 7, "heat: a volume of another size starts anew");
	heat_free(h);
}

static size_t troubles(const struct retries *r, int64_t now,
		       struct plan_trouble *t)
{
	size_t n = retries_troubles(r, now, t);

	ok(n <= retries_count(r), "retry: no more than was said");
	return n;
}

static void test_retry(void)
{
	struct retries r = { .nr = 0 };
	struct plan_trouble t[64];
	char text[200];
	int64_t now = 1000;

	retries_failed(&r, 7, 3, "bad", now, &config);
	is((long long)troubles(&r, now, t), 1, "retry: it is known");
	ok(t[0].segment == 7 && t[0].to == PLAN_NONE &&
	   t[0].until == now + config.plan.backoff, "retry: not at once");
	now += config.plan.backoff;
	is((long long)troubles(&r, now, t), 1, "retry: later");
	ok(t[0].to == 3 && t[0].soft, "retry: elsewhere, if possible");
	retries_failed(&r, 7, PLAN_NONE, "bad", now, &config);
	is(retries_find(&r, 7)->next, now + 2 * config.plan.backoff,
	   "retry: each time it takes longer");
	for (int i = 2; i < config.plan.retries; i++) {
		ok(!retries_find(&r, 7)->given_up, "retry: not yet given up");
		now += config.plan.backoff_max;
		retries_failed(&r, 7, (uint16_t)i, "worse", now, &config);
		ok(retries_find(&r, 7)->next <= now + config.plan.backoff_max,
		   "retry: but no longer than that");
	}
	is((long long)retries_given_up(&r), 1, "retry: so often and no more");
	retries_text(&r, text, sizeof(text));
	has(text, "can't be moved: 7 (worse)", "retry: and is said");
	is((long long)troubles(&r, INT64_MAX - 1, t), 1, "retry: one trouble");
	ok(t[0].to == PLAN_NONE && t[0].until == INT64_MAX, "retry: for good");
	retries_forget(&r, 7);
	is((long long)retries_count(&r), 0, "retry: unless it is over");

	for (int i = 0; i < 100; i++) {
		retries_postpone(&r, 9, now, &config);
		now += config.plan.backoff;
	}
	is((long long)retries_given_up(&r), 0,
	   "retry: a suspended pool is nobody's fault");
	retries_free(&r);

	/* more than are remembered */
	for (uint16_t i = 0; i < 3 * RETRY_BAD; i++)
		retries_failed(&r, 1, i, "bad", now, &config);
	is(retries_find(&r, 1)->nr_bad, RETRY_BAD, "retry: the last ones");
	is(retries_find(&r, 1)->bad[0], 2 * RETRY_BAD, "retry: of many");
	retries_free(&r);

	/* in order, whatever comes when */
	for (uint32_t i = 0; i < 50; i++)
		retries_postpone(&r, i * 37 % 50, now, &config);
	for (uint32_t i = 0; i < 50; i += 2)
		retries_forget(&r, i);
	is((long long)r.nr, 25, "retry: half of them");
	for (uint32_t i = 0; i < 50; i++)
		if (!retries_find(&r, i) != !(i % 2))
			ok(false, "retry: segment %u", i);
	retries_free(&r);
}

/* Destinations that can't be written: each at most once. */
static void test_refused(void)
{
	struct retries r = { .nr = 0 };
	struct plan_trouble t[64];
	char text[64];

	retries_refused(&r, 5, 2, "the destination fails", 100);
	retries_refused(&r, 5, 2, "the destination fails", 100);
	retries_refused(&r, 5, 1023, "the destination fails", 100);
	retries_refused(&r, 5, 1024, "nobody", 100);
	is((long long)troubles(&r, 100, t), 2, "refused: both members");
	ok(t[0].to == 2 && t[1].to == 1023 && !t[0].soft && !t[1].soft &&
	   t[0].until == INT64_MAX, "refused: never again, and at once elsewhere");
	ok(retries_is_faulty(&r, 2) && retries_is_faulty(&r, 1023) &&
	   !retries_is_faulty(&r, 3) && !retries_is_faulty(&r, 1024),
	   "refused: others avoid them, too");
	ok(!retries_find(&r, 5)->given_up, "refused: others may take it");
	ok(retries_give_up(&r, 5) && !retries_give_up(&r, 6),
	   "refused: until nobody is left");
	is((long long)retries_given_up(&r), 1, "refused: then it is given up");
	retries_forget(&r, 5);
	ok(retries_is_faulty(&r, 2), "refused: they stay faulty");
	for (uint32_t i = 0; i < 9; i++)
		retries_give_up(&r, (retries_refused(&r, i, 1, "", 0), i));
	retries_text(&r, text, sizeof(text));
	has(text, "4, ...", "refused: not all of many are named");
	retries_free(&r);
}

static void test_jobs(void)
{
	uint8_t a[16] = { 1 }, b[16] = { 2 };
	struct jobs *jobs = jobs_new();
	struct job *j = jobs_add(jobs, a, b, 3, "because", true, 100), old;

	job_progress(j, 10, 1000, 0);
	is(j->segments_total, 10, "jobs: total");
	job_progress(j, 7, 1000, 500);
	ok(j->segments_done == 3 && j->bytes_done == 3500, "jobs: progress");
	job_progress(j, 12, 1000, 0);
	ok(j->segments_total == 12 && j->segments_done == 0,
	   "jobs: what came later counts");
	job_progress(j, 0, 1000, 99999);
	ok(j->bytes_done == j->bytes_total, "jobs: never above 100 %%");
	ok(jobs_running(jobs, b) == j && !jobs_running(jobs, a),
	   "jobs: by member");
	job_end(jobs, j, JOB_DRAINED, 200);
	ok(!jobs_running(jobs, b) && jobs_last(jobs, b) == j, "jobs: ended");
	for (int i = 0; i < 500; i++) {
		j = jobs_add(jobs, a, a, 1, "x", false, 300);
		job_end(jobs, j, JOB_FAILED, 300);
	}
	ok(!jobs_find(jobs, 1) && jobs_find(jobs, 501), "jobs: old ones go");
	old = *j;
	old.id = 9000;
	jobs_load(jobs, &old);
	jobs_load(jobs, &old);
	is(jobs_add(jobs, a, a, 1, "x", false, 300)->id, 9001,
	   "jobs: numbers go on after a restart");
	jobs_free(jobs);
}

static void test_pool_jobs(void)
{
	static const uint8_t pool[ADS_UUID_LEN] = { 1 }, zero[ADS_UUID_LEN];
	struct jobs *jobs = jobs_new();
	struct job *j = jobs_add_pool(jobs, JOB_REBUILD, pool, "x", true, 1);

	ok(jobs_running_pool(jobs, JOB_REBUILD, pool) == j &&
	   !jobs_running_pool(jobs, JOB_REBUILD, zero),
	   "jobs: found by kind and pool");
	ok(!jobs_running(jobs, zero) && !jobs_last(jobs, zero),
	   "jobs: and by no member");
	has(job_state_name(j), "rebuilding", "jobs: its own words");
	job_end(jobs, j, JOB_WITH_ERRORS, 2);
	has(job_state_name(j), "rebuilt-with-errors", "jobs: its own end");
	ok(!jobs_running_pool(jobs, JOB_REBUILD, pool), "jobs: ended");
	jobs_free(jobs);
}

/* Each kind is its cause's, and back. */
static void test_kinds(void)
{
	static const enum job_kind kinds[] = {
		JOB_EVACUATE, JOB_REBUILD, JOB_PIN, JOB_BALANCE, JOB_TIER,
		JOB_PLACE, JOB_REPLICATE, JOB_RECOVERED,
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		ok(job_kind_known(kinds[i]) &&
		   job_kind_of(job_cause(kinds[i])) == kinds[i],
		   "jobs: %s is one cause's", job_kind_name(kinds[i]));
		for (size_t k = 0; k < i; k++)
			if (job_cause(kinds[i]) == job_cause(kinds[k]))
				ok(false, "jobs: and no other's");
	}
	ok(!job_kind_known(2) && !job_kind_known(-1) && !job_kind_known(16),
	   "jobs: others are not known");
}

int main(void)
{
	config_defaults(&config);
	test_heat();
	test_retry();
	test_refused();
	test_jobs();
	test_pool_jobs();
	test_kinds();
	return done_testing();
}
