// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Planning. A small simulated pool is emptied member by member with failures,
 * lost answers and lack of room at random; whatever happens, no move may go to
 * the source or beyond a member's room, and it has to end.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "daemon.h"
#include "daemon/plan/plan.h"
#include "daemon/plan/jobs.h"

#define MAX_SEGS	200
#define MEMBERS		5

static struct config config;

/* -- heat ---------------------------------------------------------------------- */

static void test_heat(void)
{
	struct ads_segment seg[3] = {
		{ .index = 0, .reads = 100 }, { .index = 1 },
		{ .index = 2, .reads = UINT32_MAX - 9, .writes = 5 },
	};
	struct heat *h = NULL;

	ok(heat_of(NULL, &seg[2]) > heat_of(NULL, &seg[0]) &&
	   heat_of(NULL, &seg[0]) > heat_of(NULL, &seg[1]),
	   "heat: bare counters give an order");
	heat_update(&h, seg, 3, 3, 1000, 60);
	ok(heat_of(h, &seg[0]) < 1e-6, "heat: a first look gives no rate");
	seg[1].writes = 600;
	seg[2].reads += 610;
	heat_update(&h, seg, 3, 3, 1060, 60);
	ok(heat_of(h, &seg[1]) > 4.9 && heat_of(h, &seg[1]) < 5.1,
	   "heat: half of 10 a second after one half-life");
	ok(heat_of(h, &seg[2]) > 5 && heat_of(h, &seg[2]) < 5.2,
	   "heat: right over the wrap of a counter");
	heat_update(&h, seg, 3, 3, 1120, 60);
	ok(heat_of(h, &seg[1]) > 2.4 && heat_of(h, &seg[1]) < 2.6,
	   "heat: halves when nobody comes");
	seg[0].index = 99;
	is(heat_update(&h, seg, 3, 3, 1180, 60), 0, "heat: beyond the end");
	heat_update(&h, seg, 3, 7, 1240, 60);
	is(h->nr, 7, "heat: a volume of another size starts anew");
	heat_free(h);
}

/* -- deciding --------------------------------------------------------------------- */

static struct plan_candidate risky(int score)
{
	return (struct plan_candidate){
		.state = ADSHARD_MEMBER_ONLINE, .present = true,
		.at_risk = true, .score = score, .room = 10,
		.nr_segments = 5,
	};
}

static void decide(struct plan_candidate *c, size_t n)
{
	plan_decide(c, n, 1000, &config);
}

static void test_decide(void)
{
	struct plan_candidate c[3] = { risky(80), risky(90), risky(75) };

	decide(c, 3);
	ok(c[1].act == DECIDE_DRAIN && c[0].act == DECIDE_NOTHING &&
	   c[2].act == DECIDE_NOTHING, "decide: the worst one, one at a time");
	has(c[0].why, "another member", "decide: says why not the others");
	c[0] = risky(80);
	c[0].at_risk = false;
	decide(c, 1);
	ok(c[0].act == DECIDE_NOTHING && !c[0].wanted, "decide: not at risk");
	c[0] = risky(-1);
	decide(c, 1);
	has(c[0].why, "stale", "decide: never on stale evidence");
	c[0] = risky(90);
	c[0].suspect = true;
	decide(c, 1);
	has(c[0].why, "at the same time", "decide: not when all rose together");
	c[0] = risky(90);
	c[0].settling = true;
	decide(c, 1);
	has(c[0].why, "asked first", "decide: not before its peers were asked");
	c[0] = risky(90);
	c[0].hold_until = 1001;
	decide(c, 1);
	has(c[0].why, "on hold", "decide: not after a cancel");
	c[0].hold_until = 1000;
	decide(c, 1);
	is(c[0].act, DECIDE_DRAIN, "decide: but later");
	c[0] = risky(90);
	c[0].room = 0;
	decide(c, 1);
	has(c[0].why, "no other member", "decide: not where there is no room");
	c[0].nr_segments = 0;
	decide(c, 1);
	is(c[0].act, DECIDE_DRAIN, "decide: an empty one needs none");
	config.mode = MODE_ADVISE;
	c[0] = risky(90);
	decide(c, 1);
	ok(c[0].act == DECIDE_NOTHING && c[0].wanted, "decide: advice only");
	config.mode = MODE_AUTO;

	c[0] = risky(20);
	c[0].state = ADSHARD_MEMBER_DRAINED;
	c[0].at_risk = false;
	c[0].by_agent = true;
	decide(c, 1);
	is(c[0].act, DECIDE_ONLINE, "decide: a false alarm is taken back");
	c[0].by_agent = false;
	decide(c, 1);
	is(c[0].act, DECIDE_NOTHING, "decide: the operator's drain is not");
	c[0].by_agent = true;
	c[0].at_risk = true;
	decide(c, 1);
	is(c[0].act, DECIDE_NOTHING, "decide: not while it is at risk");
	c[0] = risky(90);
	c[0].state = ADSHARD_MEMBER_FAILED;
	decide(c, 1);
	ok(!c[0].wanted, "decide: one that has failed is nobody's job");
}

/* -- moving: a simulated pool --------------------------------------------------------- */

static struct world {
	uint32_t on[MAX_SEGS];
	struct ads_migration mig[MAX_SEGS];
	size_t nr_mig;
	unsigned int nr;		/* segments */
	uint32_t slots[MEMBERS];
	uint32_t state[MEMBERS];
	int64_t now;
	uint64_t serial;
	unsigned int seed;
	bool bad;			/* a rule was broken */
} w;

static unsigned int random_below(unsigned int n)
{
	w.seed = w.seed * 1103515245 + 12345;
	return (w.seed >> 8) % n;
}

static uint32_t used(uint32_t member)
{
	uint32_t n = 0;

	for (unsigned int i = 0; i < w.nr; i++)
		n += w.on[i] == member;
	for (size_t i = 0; i < w.nr_mig; i++)
		n += w.mig[i].dst == member;
	return n;
}

static void get_members(struct ads_place_member *m)
{
	for (uint32_t i = 0; i < MEMBERS; i++)
		m[i] = (struct ads_place_member){
			.index = i, .name = "x", .state = w.state[i],
			.present = true, .nr_slots = w.slots[i],
			.nr_free = w.slots[i] - used(i), .score = 0,
			.load = 0,
		};
}

static bool is_migrating(uint32_t segment)
{
	for (size_t i = 0; i < w.nr_mig; i++)
		if (w.mig[i].segment == segment)
			return true;
	return false;
}

static void give_list(struct drain *d, uint32_t source)
{
	struct ads_segment *seg = calloc(w.nr + 1, sizeof(*seg));
	struct kernel_segments s = { .serial = w.serial, .segments = seg };

	for (unsigned int i = w.nr; i--;) {
		if (w.on[i] != source)
			continue;
		seg[s.nr].index = i;
		seg[s.nr].reads = (i * 7919) % 1000;
		seg[s.nr].nr_legs = 1;
		seg[s.nr].leg[0].member = source;
		seg[s.nr].state = is_migrating(i) ? ADSHARD_SEGMENT_MIGRATING :
						    ADSHARD_SEGMENT_STABLE;
		s.nr++;
	}
	drain_list(d, &s, NULL, w.now, &config);
	free(seg);
}

static int compare(const void *a, const void *b)
{
	const struct ads_migration *x = a, *y = b;

	return (int)x->segment - (int)y->segment;
}

/* The kernel's side of one move. */
static int take_move(uint32_t source, const struct plan_move *m)
{
	if (m->dst == source || w.on[m->segment] != source ||
	    w.state[m->dst] != ADSHARD_MEMBER_ONLINE ||
	    is_migrating(m->segment))
		w.bad = true;
	if (used(m->dst) >= w.slots[m->dst])
		return -ENOSPC;
	w.mig[w.nr_mig++] = (struct ads_migration){
		.segment = m->segment, .src = source, .dst = m->dst,
	};
	return 0;
}

static void end_one(struct drain *d, unsigned int fail, unsigned int lose)
{
	struct ads_migration m;
	unsigned int i;
	bool failed;

	if (!w.nr_mig)
		return;
	i = random_below(w.nr_mig);
	m = w.mig[i];
	w.mig[i] = w.mig[--w.nr_mig];
	failed = random_below(100) < fail;
	if (!failed)
		w.on[m.segment] = m.dst;
	if (random_below(100) >= lose)
		drain_event(d, m.segment, failed ? -EIO : 0, "simulated",
			    ADS_PLACE_NONE, w.now, &config);
}

/* Returns how many rounds it took, 0 if it never ended. */
static unsigned int empty(uint32_t source, unsigned int fail, unsigned int lose,
			  bool restart)
{
	struct drain *d = drain_new();
	struct ads_place_member members[MEMBERS];
	struct plan_move moves[64];
	size_t n, window = 0;
	unsigned int round;

	for (round = 1; round < 100000; round++) {
		struct plan_input in = {
			.now = ++w.now, .config = &config, .source = source,
			.members = members, .nr_members = MEMBERS,
			.migrations = w.mig, .nr_migrations = w.nr_mig,
		};

		if (restart && round % 17 == 0) {
			/* killed: nothing is remembered but by the kernel */
			drain_free(d);
			d = drain_new();
		}
		if (!d->listed || round % 7 == 0)
			give_list(d, source);
		qsort(w.mig, w.nr_mig, sizeof(w.mig[0]), compare);
		get_members(members);
		n = plan_moves(d, &in, moves, 64);
		for (size_t i = 0; i < n; i++) {
			int r = random_below(100) < fail / 4 ? -EBUSY :
				take_move(source, &moves[i]);

			drain_answer(d, moves[i].segment, r, "simulated",
				     ++w.serial, w.now, &config);
		}
		window = w.nr_mig > window ? w.nr_mig : window;
		if (window > (size_t)config.plan.window)
			w.bad = true;
		for (uint32_t i = 0; i < MEMBERS; i++)
			if (used(i) > w.slots[i])
				w.bad = true;
		if (random_below(3) == 0)
			end_one(d, fail, lose);
		if (!w.nr_mig && d->listed &&
		    (!drain_left(d) || drain_stuck(d) ||
		     (d->no_room == drain_left(d) - drain_given_up(d) &&
		      !d->nr_sent)))
			break;
	}
	drain_free(d);
	return round < 100000 ? round : 0;
}

static void make_world(unsigned int seed, unsigned int slots)
{
	memset(&w, 0, sizeof(w));
	w.seed = seed;
	w.now = 1000;
	w.serial = 1;
	w.nr = 60;
	for (uint32_t i = 0; i < MEMBERS; i++) {
		w.slots[i] = slots;
		w.state[i] = ADSHARD_MEMBER_ONLINE;
	}
	for (unsigned int i = 0; i < w.nr; i++)
		w.on[i] = i % MEMBERS;
	w.state[0] = ADSHARD_MEMBER_DRAINING;
}

static void test_moves(void)
{
	unsigned int ended = 0, emptied = 0, filled = 0;
	bool bad = false;

	for (unsigned int seed = 0; seed < 100; seed++) {
		make_world(seed, 40);
		ended += empty(0, 0, 0, false) > 0;
		emptied += used(0) == 0;
		bad |= w.bad;
	}
	is(ended, 100, "moves: it ends");
	is(emptied, 100, "moves: the member is empty");
	ok(!bad, "moves: never to the source, beyond a member's room or the window");

	ended = emptied = 0;
	for (unsigned int seed = 0; seed < 100; seed++) {
		make_world(seed, 40);
		ended += empty(0, 20, 30, true) > 0;
		emptied += used(0) == 0;
		bad |= w.bad;
	}
	is(ended, 100, "moves: with failures, lost events and restarts it ends");
	is(emptied, 100, "moves: and the member is empty");
	ok(!bad, "moves: with them no rule is broken either");

	ended = 0;
	for (unsigned int seed = 0; seed < 20; seed++) {
		make_world(seed, 40);
		ended += empty(0, 100, 50, false) > 0;
		ended += used(0) == 12;
	}
	is(ended, 40, "moves: if all fail, it ends, and nothing was moved");

	ended = 0;
	for (unsigned int seed = 0; seed < 20; seed++) {
		/* 4 members with one free slot each for 12 segments */
		make_world(seed, 13);
		ended += empty(0, 0, 0, false) > 0;
		filled += used(0) == 8;
	}
	is(ended, 20, "moves: without room it ends");
	is(filled, 20, "moves: and what fits has been moved");
}

static void test_order(void)
{
	struct ads_place_member members[MEMBERS];
	struct plan_move a[64], b[64];
	struct plan_input in = {
		.now = 1, .config = &config, .members = members,
		.nr_members = MEMBERS,
	};
	struct drain *d = drain_new(), *e = drain_new();
	bool same, sorted = true;
	size_t n;

	config.plan.window = 64;
	make_world(1, 40);
	give_list(d, 0);
	give_list(e, 0);
	get_members(members);
	n = plan_moves(d, &in, a, 64);
	is(n, 12, "order: all of them");
	for (size_t i = 1; i < n; i++)
		sorted &= (a[i - 1].segment * 7919) % 1000 >=
			  (a[i].segment * 7919) % 1000;
	ok(sorted, "order: hottest first");
	get_members(members);
	same = plan_moves(e, &in, b, 64) == n && !memcmp(a, b, n * sizeof(a[0]));
	ok(same, "order: the same again for the same input");
	get_members(members);
	is(plan_moves(d, &in, a, 64), 0, "order: nothing twice");
	drain_free(d);
	drain_free(e);

	/* room for the hottest only */
	d = drain_new();
	make_world(1, 13);
	give_list(d, 0);
	get_members(members);
	n = plan_moves(d, &in, a, 64);
	is(n, 4, "order: as many as fit");
	is(d->no_room, 8, "order: knows what is left");
	has(d->note, "no room for 8 of 12 segments", "order: and says so");
	drain_free(d);
	config.plan.window = 4;
}

static void test_retry(void)
{
	struct ads_place_member members[MEMBERS];
	struct plan_move m[64];
	struct plan_input in = {
		.now = 1000, .config = &config, .members = members,
		.nr_members = MEMBERS,
	};
	struct drain *d = drain_new();
	uint32_t first, tried = 0;

	make_world(1, 40);
	w.nr = 1;
	give_list(d, 0);
	get_members(members);
	is(plan_moves(d, &in, m, 64), 1, "retry: one segment");
	first = m[0].dst;
	drain_answer(d, 0, 0, "", 5, in.now, &config);
	drain_event(d, 0, -EIO, "bad", ADS_PLACE_NONE, in.now, &config);
	is(plan_moves(d, &in, m, 64), 0, "retry: not at once");
	in.now += config.plan.backoff;
	is(plan_moves(d, &in, m, 64), 1, "retry: later");
	ok(m[0].dst != first, "retry: elsewhere");
	for (int i = 1; i < config.plan.retries; i++) {
		drain_event(d, 0, -EIO, "bad", ADS_PLACE_NONE, in.now, &config);
		in.now += config.plan.backoff_max;
		get_members(members);
		tried += plan_moves(d, &in, m, 64);
	}
	is(tried, config.plan.retries - 2, "retry: so often and no more");
	is(drain_given_up(d), 1, "retry: given up");
	ok(drain_stuck(d), "retry: which is the end");
	has(d->note, "could not be moved", "retry: and is said");
	drain_free(d);

	d = drain_new();
	give_list(d, 0);
	in.now = 1000;
	get_members(members);
	plan_moves(d, &in, m, 64);
	for (int i = 0; i < 100; i++) {
		drain_answer(d, 0, -EBUSY, "suspended", 1, in.now, &config);
		in.now += config.plan.backoff;
		give_list(d, 0);
		plan_moves(d, &in, m, 64);
	}
	is(drain_given_up(d), 0, "retry: a suspended pool is nobody's fault");
	drain_free(d);
}

/* Destinations that can't be written: each at most once, and none twice. */
static void test_refused(void)
{
	struct ads_place_member members[MEMBERS];
	struct plan_move m[64];
	struct plan_input in = {
		.now = 1000, .config = &config, .members = members,
		.nr_members = MEMBERS,
	};
	struct drain *d = drain_new();
	bool tried[MEMBERS] = { false }, twice = false;
	size_t n = 0;

	make_world(1, 40);
	w.nr = 1;
	give_list(d, 0);
	for (int i = 0; i < 100; i++) {
		get_members(members);
		if (!plan_moves(d, &in, m, 64))
			break;
		n++;
		twice |= tried[m[0].dst];
		tried[m[0].dst] = true;
		drain_answer(d, 0, 0, "", 5, in.now, &config);
		drain_event(d, 0, -EIO, "the destination fails", m[0].dst,
			    in.now, &config);
	}
	is(n, MEMBERS - 1, "refused: every other member, at once");
	ok(!twice, "refused: none of them twice");
	ok(n > 4 || config.plan.retries > 4, "refused: more than other failures");
	ok(drain_given_up(d) == 1 && drain_stuck(d), "refused: then it ends");
	drain_free(d);

	/* others avoid whoever could not take one, as long as they can */
	d = drain_new();
	make_world(1, 40);
	config.plan.window = 64;
	give_list(d, 0);
	for (uint32_t i = 1; i < MEMBERS - 1; i++)
		d->nr_faulty += !d->faults[i]++;
	get_members(members);
	n = plan_moves(d, &in, m, 64);
	is(n, 12, "refused: all segments find a place");
	for (size_t i = 0; i < n; i++)
		twice |= m[i].dst != MEMBERS - 1;
	ok(!twice, "refused: on the one that has not failed");
	drain_free(d);
	d = drain_new();
	make_world(1, 40);
	give_list(d, 0);
	for (uint32_t i = 1; i < MEMBERS; i++)
		d->nr_faulty += !d->faults[i]++;
	get_members(members);
	is(plan_moves(d, &in, m, 64), 12, "refused: or somewhere, if all have");
	drain_free(d);
	config.plan.window = 4;

	/* a full member is not one that was tried */
	d = drain_new();
	make_world(1, 40);
	w.nr = 1;
	give_list(d, 0);
	for (uint32_t i = 1; i < MEMBERS - 1; i++)
		drain_event(d, 0, -EIO, "the destination fails", i, in.now,
			    &config);
	get_members(members);
	members[MEMBERS - 1].nr_free = 0;
	is(plan_moves(d, &in, m, 64), 0, "refused: a full one takes nothing");
	is(drain_given_up(d), 0, "refused: it waits for that");
	get_members(members);
	is(plan_moves(d, &in, m, 64), 1, "refused: and goes there");
	drain_free(d);
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

/* One of two copies leaves: never to where the other is, or what fails with it. */
static void test_copies(void)
{
	struct ads_place_member members[4] = {
		{ .index = 0, .name = "a", .domain = "left", .present = true,
		  .state = ADSHARD_MEMBER_DRAINING, .nr_slots = 9,
		  .nr_free = 5 },
		{ .index = 1, .name = "b", .domain = "right", .present = true,
		  .state = ADSHARD_MEMBER_ONLINE, .nr_slots = 9,
		  .nr_free = 5 },
		{ .index = 2, .name = "c", .domain = "right", .present = true,
		  .state = ADSHARD_MEMBER_ONLINE, .nr_slots = 9,
		  .nr_free = 5 },
		{ .index = 3, .name = "d", .domain = "left", .present = true,
		  .state = ADSHARD_MEMBER_ONLINE, .nr_slots = 9,
		  .nr_free = 1 },
	};
	struct ads_segment seg[2] = {
		{ .index = 0, .wanted = 2, .nr_legs = 2,
		  .leg = { { 0, 0, ADSHARD_LEG_SYNC },
			   { 1, 0, ADSHARD_LEG_SYNC } } },
		{ .index = 1, .wanted = 2, .nr_legs = 2,
		  .leg = { { 1, 1, ADSHARD_LEG_SYNC },
			   { 0, 1, ADSHARD_LEG_STALE } } },
	};
	struct kernel_segments list = { .segments = seg, .nr = 2 };
	struct plan_input in = {
		.now = 1000, .config = &config, .source = 0,
		.members = members, .nr_members = 4,
	};
	struct drain *d = drain_new();
	struct plan_move m[4];

	drain_list(d, &list, NULL, 1000, &config);
	is((long long)plan_moves(d, &in, m, 4), 1,
	   "copies: one finds a place in a domain of its own");
	is(m[0].dst, 3, "copies: that one");
	has(d->note, "1 segments wait: ", "copies: the other waits");
	has(d->note, "every failure domain with room",
	    "copies: and it is said why");
	config.plan.same_domain = 1;
	is((long long)plan_moves(d, &in, m, 4), 1,
	   "copies: unless it is allowed");
	is(m[0].dst, 2, "copies: but never on the same member");
	config.plan.same_domain = 0;
	drain_free(d);
}

int main(void)
{
	config_defaults(&config);
	test_heat();
	test_decide();
	test_moves();
	test_order();
	test_retry();
	test_refused();
	test_jobs();
	test_copies();
	return done_testing();
}
