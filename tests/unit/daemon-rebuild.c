// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The agent's rebuilding. A small simulated pool loses members at random while
 * operations fail and answers get lost; no segment may lose its last copy or have
 * two on one member, what is worst off comes first, and it has to end.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "daemon.h"
#include "daemon/plan/jobs.h"
#include "daemon/plan/rebuild.h"

#define SEGS	60
#define MEMBERS	6

static struct config config;

static struct world {
	struct ads_segment seg[SEGS];
	struct ads_place_member m[MEMBERS];
	struct ads_migration op[SEGS];
	size_t nr_op;
	int64_t now;
	uint64_t serial;
	unsigned int seed;
	bool bad;
} w;

static unsigned int below(unsigned int n)
{
	w.seed = w.seed * 1103515245 + 12345;
	return (w.seed >> 8) % n;
}

static void count_free(void)
{
	for (uint32_t i = 0; i < MEMBERS; i++) {
		uint32_t used = 0;

		for (int s = 0; s < SEGS; s++)
			for (uint32_t k = 0; k < w.seg[s].nr_legs; k++)
				used += w.seg[s].leg[k].member == i;
		for (size_t k = 0; k < w.nr_op; k++)
			used += w.op[k].dst == i &&
				w.op[k].kind != ADSHARD_KIND_RESYNC;
		w.bad |= used > w.m[i].nr_slots;
		w.m[i].nr_free = w.m[i].nr_slots - used;
		w.m[i].incoming = 0;
	}
}

static void make_world(unsigned int seed)
{
	memset(&w, 0, sizeof(w));
	w.seed = seed;
	for (uint32_t i = 0; i < MEMBERS; i++)
		w.m[i] = (struct ads_place_member){
			.index = i, .name = "x", .present = true,
			.state = ADSHARD_MEMBER_ONLINE, .nr_slots = SEGS,
			.score = -1, .load = -1 };
	for (uint32_t i = 0; i < SEGS; i++) {
		struct ads_segment *s = &w.seg[i];

		s->index = i;
		s->wanted = s->nr_legs = 1 + i % 3;
		s->reads = below(1000);
		for (uint32_t k = 0; k < s->nr_legs; k++)
			s->leg[k] = (struct ads_leg){ (i + k) % MEMBERS, 0,
						      ADSHARD_LEG_SYNC };
	}
}

/* A member goes, but not with a segment's last copy. */
static void lose(uint32_t member, bool stale)
{
	for (int i = 0; i < SEGS; i++)
		for (uint32_t k = 0; k < w.seg[i].nr_legs; k++)
			if (w.seg[i].leg[k].member == member && stale &&
			    w.seg[i].nr_legs > 1)
				w.seg[i].leg[k].state = ADSHARD_LEG_STALE;
	w.m[member].present = false;
}

static struct rebuild_input input(void)
{
	count_free();
	return (struct rebuild_input){
		.now = ++w.now, .config = &config, .members = w.m,
		.nr_members = MEMBERS, .migrations = w.op,
		.nr_migrations = w.nr_op };
}

static int by_segment(const void *a, const void *b)
{
	const struct ads_migration *x = a, *y = b;

	return (x->segment > y->segment) - (x->segment < y->segment);
}

static void check_step(const struct ads_mend *step)
{
	const struct ads_segment *s = &w.seg[step->segment];
	uint32_t good = ads_mend_good(w.m, MEMBERS, s);

	for (uint32_t k = 0; k < s->nr_legs; k++) {
		if (step->act != ADS_MEND_RESYNC &&
		    s->leg[k].member == step->dst)
			w.bad = true;	/* two on one member */
		if (s->leg[k].member == step->src &&
		    s->leg[k].state == ADSHARD_LEG_SYNC &&
		    w.m[step->src].present && good < 2)
			w.bad = true;	/* the last one */
	}
}

static void start(struct rebuild *r, const struct ads_mend *step)
{
	struct rebuild_input in = input();

	check_step(step);
	if (below(10) == 0) {
		rebuild_answer(r, step->segment, -ENOSPC, "no", ++w.serial,
			       &in);
		return;
	}
	if (step->act == ADS_MEND_DROP) {
		ads_mend_apply(&w.seg[step->segment], step);
		rebuild_answer(r, step->segment, 0, "", ++w.serial, &in);
		return;
	}
	w.op[w.nr_op++] = (struct ads_migration){
		.segment = step->segment, .src = step->src, .dst = step->dst,
		.kind = step->act == ADS_MEND_RESYNC ? ADSHARD_KIND_RESYNC :
			step->act == ADS_MEND_ADD ? ADSHARD_KIND_ADD :
						    ADSHARD_KIND_MOVE };
	qsort(w.op, w.nr_op, sizeof(w.op[0]), by_segment);
	w.seg[step->segment].state = ADSHARD_SEGMENT_MIGRATING;
	rebuild_answer(r, step->segment, 0, "", ++w.serial, &in);
}

/* One of the operations ends; now and then nobody is told. */
static void finish_one(struct rebuild *r)
{
	size_t i = below((unsigned int)w.nr_op);
	struct ads_migration op = w.op[i];
	struct ads_mend step = {
		.act = op.kind == ADSHARD_KIND_MOVE ? ADS_MEND_REPLACE :
						      ADS_MEND_ADD,
		.src = op.src, .dst = op.dst, .segment = op.segment };
	bool well = below(8) != 0, told = below(10) != 0;
	struct rebuild_input in;

	memmove(&w.op[i], &w.op[i + 1], (--w.nr_op - i) * sizeof(op));
	w.seg[op.segment].state = ADSHARD_SEGMENT_STABLE;
	if (well)
		ads_mend_apply(&w.seg[op.segment], &step);
	in = input();
	if (told)
		rebuild_event(r, op.segment, well ? 0 : -EIO, "bad luck", &in);
	else
		r->listed = false;	/* an event is missing: ask anew */
}

static void list(struct rebuild *r)
{
	struct rebuild_input in = input();
	struct ads_segment copy[SEGS];
	struct kernel_segments s = { .segments = copy, .nr = SEGS,
				     .serial = w.serial };

	memcpy(copy, w.seg, sizeof(copy));
	rebuild_list(r, &s, NULL, &in);
}

static size_t lacking(void)
{
	size_t n = 0;

	for (int i = 0; i < SEGS; i++)
		n += ads_mend_good(w.m, MEMBERS, &w.seg[i]) <
		     w.seg[i].wanted;
	return n;
}

static void run(unsigned int seed)
{
	struct rebuild *r = rebuild_new();
	struct ads_mend out[16];
	bool sorted = true;
	int round;

	make_world(seed);
	/* never two without a rebuild between: some have but two copies */
	for (int i = 0; i < SEGS; i++)
		if (w.seg[i].nr_legs == 1)
			w.seg[i].leg[0].member = 5;
	lose(seed % 5, seed & 1);
	if (seed % 3 == 0) {		/* it comes back, with what it missed */
		w.m[seed % 5].present = true;
	}
	for (round = 0; round < 20000; round++) {
		struct rebuild_input in;
		size_t n;

		if (!r->listed)
			list(r);
		in = input();
		n = rebuild_plan(r, &in, out, 16);
		if (!round)
			for (size_t i = 1; i < n; i++)
				sorted &= w.seg[out[i - 1].segment].nr_legs <=
					  w.seg[out[i].segment].nr_legs;
		for (size_t i = 0; i < n; i++)
			start(r, &out[i]);
		if (w.nr_op > (size_t)config.rebuild.window)
			w.bad = true;
		if (w.nr_op)
			finish_one(r);
		else if (!lacking() && !r->nr_sent)
			break;
		if (rebuild_stuck(r))
			break;
	}
	if (w.bad || !sorted || (lacking() && !rebuild_given_up(r)) ||
	    round == 20000)
		ok(false, "seed %u: round %d, %zu lacking, %zu given up%s%s",
		   seed, round, lacking(), rebuild_given_up(r),
		   w.bad ? ", a rule was broken" : "",
		   sorted ? "" : ", not in order");
	rebuild_free(r);
}

static void test_runs(void)
{
	unsigned int before = tap_failed;

	for (unsigned int seed = 1; seed <= 300; seed++)
		run(seed);
	ok(tap_failed == before, "rebuild: 300 pools lose a member");
}

static void test_waiting(void)
{
	struct rebuild *r = rebuild_new();
	uint32_t awaited = 2;
	struct rebuild_input in;
	struct ads_mend out[16];
	size_t n;

	make_world(1);
	for (int i = 0; i < SEGS; i++)
		w.seg[i].wanted = w.seg[i].nr_legs;
	lose(2, false);
	list(r);
	in = input();
	in.awaited = &awaited;
	in.nr_awaited = 1;
	is((long long)rebuild_plan(r, &in, out, 16), 0,
	   "rebuild: one that is missing may come back");
	has(r->note, "wait for a missing member to come back",
	    "rebuild: says so");
	ok(!rebuild_stuck(r), "rebuild: and is not at its end");
	in.nr_awaited = 0;
	n = rebuild_plan(r, &in, out, 16);
	is((long long)n, config.rebuild.window, "rebuild: later it is replaced");
	ok(out[0].act == ADS_MEND_REPLACE && out[0].src == 2,
	   "rebuild: by a copy elsewhere");
	rebuild_free(r);
}

static void test_no_place(void)
{
	struct rebuild *r = rebuild_new();
	struct rebuild_input in;
	struct ads_mend out[16];

	make_world(1);
	lose(0, true);
	for (int i = 0; i < SEGS; i += 3)
		w.seg[i].leg[0].member = 5;
	for (int i = 1; i < MEMBERS; i++)
		w.m[i].state = ADSHARD_MEMBER_DRAINING;
	list(r);
	in = input();
	is((long long)rebuild_plan(r, &in, out, 16), 0,
	   "rebuild: nobody takes anything");
	has(r->note, "no place for", "rebuild: says so");
	has(r->note, "is draining", "rebuild: and why");
	ok(!rebuild_stuck(r), "rebuild: room may come");
	rebuild_free(r);
	/* the only copy was there */
	r = rebuild_new();
	make_world(1);
	w.seg[0].leg[0].member = 3;
	w.seg[0].wanted = 2;
	for (int i = 1; i < SEGS; i++)
		w.seg[i].nr_legs = w.seg[i].wanted = 1,
		w.seg[i].leg[0].member = 1;
	lose(3, false);
	list(r);
	in = input();
	is((long long)rebuild_plan(r, &in, out, 16), 0,
	   "rebuild: nothing to copy from");
	has(r->note, "no copy that can be read", "rebuild: says it");
	ok(rebuild_stuck(r), "rebuild: that is its end");
	rebuild_free(r);
}

static void test_jobs(void)
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

int main(void)
{
	config_defaults(&config);
	test_runs();
	test_waiting();
	test_no_place();
	test_jobs();
	return done_testing();
}
