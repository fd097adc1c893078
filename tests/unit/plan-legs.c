// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The planner on small pools made by hand: legs that are out of date or on members
 * that are gone, members that failed to take something, and members on their way out.
 */
#include "plan.h"

static struct plan_policy policy;

static size_t count(const struct plan_result *r, int what, int cause)
{
	size_t n = 0;

	for (size_t i = 0; i < r->nr_actions; i++)
		n += r->action[i].what == what && r->action[i].cause == cause;
	return n;
}

static void age(struct pool *p, uint32_t seg, unsigned int leg)
{
	struct plan_seg *g = &p->s.seg[seg];

	g->dead[g->nr_dead++] = g->leg[leg];
	g->leg[leg] = g->leg[--g->nr_legs];
}

/* Four members; segment 0 has legs on 0 and 1 and wants both. */
static struct pool *two_legs(void)
{
	struct pool *p = pool_new(4, 10, 4);

	put(p, 0, 0)->wanted = 2;
	put(p, 0, 1);
	return p;
}

static void test_mending(void)
{
	struct pool *p = two_legs();
	struct plan_result *r = plan(p, &policy);

	is(r->mending.steps, 0, "nothing is to be mended");
	plan_result_free(r);
	age(p, 0, 1);
	r = plan(p, &policy);
	ok(count(r, PLAN_DO_REPLICATE, PLAN_BY_REBUILD) == 1 &&
	   r->action[0].to == 1, "a leg that is out of date is filled where it is");
	plan_result_free(r);
	p->s.nr_troubles = 1;
	p->trouble[0] = (struct plan_trouble){ 0, 1, INT64_MAX, false };
	r = plan(p, &policy);
	ok(count(r, PLAN_DO_MOVE, PLAN_BY_REBUILD) == 1 &&
	   r->action[0].from == 1 && r->action[0].to > 1,
	   "... or replaced, if it can't be");
	plan_result_free(r);
	p->trouble[0] = (struct plan_trouble){ 0, PLAN_NONE, T0 + 60, false };
	r = plan(p, &policy);
	ok(!r->mending.steps && r->mending.later == 1, "... or later, if it failed");
	plan_result_free(r);
	p->s.nr_troubles = 0;
	p->s.member[1].state = PLAN_DRAINING;
	r = plan(p, &policy);
	ok(!count(r, PLAN_DO_REPLICATE, PLAN_BY_REBUILD),
	   "... but not on a member that leaves");
	plan_result_free(r);
	p->s.member[1].state = PLAN_ONLINE;
	p->s.seg[0].wanted = 1;
	r = plan(p, &policy);
	ok(count(r, PLAN_DO_DROP, PLAN_BY_REBUILD) == 1 &&
	   r->action[0].from == 1, "one that nobody wants is dropped");
	plan_result_free(r);
	pool_free(p);

	p = two_legs();
	p->s.member[1].state = PLAN_ABSENT;
	p->s.member[1].awaited = true;
	r = plan(p, &policy);
	ok(!r->mending.steps && r->mending.awaited == 1,
	   "a missing member may come back");
	plan_result_free(r);
	p->s.seg[0].wanted = 1;
	r = plan(p, &policy);
	is(r->mending.steps, 0, "... nor is anything of it dropped");
	plan_result_free(r);
	p->s.seg[0].wanted = 2;
	p->s.member[1].awaited = false;
	r = plan(p, &policy);
	ok(count(r, PLAN_DO_MOVE, PLAN_BY_REBUILD) == 1 &&
	   r->action[0].from == 1, "later its legs are made elsewhere");
	plan_result_free(r);
	p->s.member[2].domain = p->s.member[3].domain =
		p->s.member[0].domain = 1;
	r = plan(p, &policy);
	ok(!r->mending.steps && r->mending.placeless == 1 &&
	   r->mending.first_placeless == 0,
	   "... but not beside the other in one domain");
	plan_result_free(r);
	policy.evacuate.same_domain = 1;
	r = plan(p, &policy);
	is(r->mending.steps, 1, "... unless that is wanted");
	plan_result_free(r);
	policy.evacuate.same_domain = 0;
	p->s.member[0].state = PLAN_FAILED;
	r = plan(p, &policy);
	ok(r->mending.lost == 1 && !r->mending.steps,
	   "without any leg it is lost");
	plan_result_free(r);
	pool_free(p);
}

static void test_rebuilds(void)
{
	struct pool *p = pool_new(6, 100, 40);
	struct plan_policy q = policy;
	struct plan_result *r;

	for (uint32_t i = 0; i < 40; i++)
		put(p, i, (uint16_t)(i % 5))->wanted = (uint8_t)(2 + i % 2);
	for (uint32_t i = 0; i < 40; i += 4)
		put(p, i, 5);
	loads(p);
	q.rebuild.window = 3;
	r = plan(p, &q);
	is(r->mending.steps, 30, "all that lack a leg");
	is((long long)r->nr_start, 3, "as many at once as may be");
	ok(p->s.seg[r->action[0].segment].nr_legs == 1 &&
	   p->s.seg[r->action[0].segment].wanted == 3,
	   "what is worst off goes first");
	plan_result_free(r);
	p->s.nr_orders = 1;
	p->order[0] = (struct plan_order){ .cause = PLAN_BY_REBUILD,
		.member = PLAN_NONE, .cancelled = true };
	r = plan(p, &q);
	is((long long)r->nr_start, 0, "none, if it was called off");
	plan_result_free(r);
	q.rebuild.enable = 0;
	r = plan(p, &q);
	is((long long)r->nr_actions, 0, "nothing, if it is off");
	plan_result_free(r);
	pool_free(p);
}

/* Four members of ten slots, member 0 leaves with four segments. */
static struct pool *leaver(void)
{
	struct pool *p = pool_new(4, 10, 8);

	for (uint32_t i = 0; i < 4; i++)
		put(p, i, 0)->heat_long = (float)i;
	p->s.member[0].state = PLAN_DRAINING;
	p->s.member[0].by_agent = true;
	p->s.member[0].score = 80;
	p->s.member[0].track.band = PLAN_EMPTY;
	p->s.member[0].track.above = 2;
	loads(p);
	return p;
}

static void test_leaving(void)
{
	struct pool *p = leaver();
	struct plan_result *r;

	p->s.member[0].load[PLAN_NOW] = 0.95f;
	r = plan(p, &policy);
	is((long long)r->nr_start, 1,
	   "off a member that is busy goes one at a time");
	plan_result_free(r);
	p->s.nr_flights = 1;
	p->flight[0] = (struct plan_flight){ .segment = 0, .from = 0, .to = 1,
		.cause = PLAN_BY_EVACUATE, .bytes = GIB };
	r = plan(p, &policy);
	is((long long)r->nr_start, 0, "... and no other");
	is(r->action[0].hold, PLAN_HOLD_LOAD, "... as is said");
	plan_result_free(r);
	p->s.nr_flights = 0;
	p->s.member[0].load[PLAN_NOW] = 0.1f;

	/* away for a moment, and here again: nothing is known of its band */
	p->s.member[0].track = (struct plan_track){ .band = PLAN_LOST };
	r = plan(p, &policy);
	ok(!r->verdict[0].release, "who was away is not well because of that");
	is((long long)count(r, PLAN_DO_MOVE, PLAN_BY_EVACUATE), 4,
	   "... and goes on leaving");
	plan_result_free(r);
	p->s.member[0].track = (struct plan_track){ .band = PLAN_OK };
	p->s.member[0].score = 10;
	r = plan(p, &policy);
	ok(r->verdict[0].release, "one that is well is let go");
	plan_result_free(r);
	pool_free(p);

	p = leaver();
	age(p, 3, 0);
	r = plan(p, &policy);
	is((long long)count(r, PLAN_DO_MOVE, PLAN_BY_EVACUATE), 3,
	   "a leg that nobody can read is not copied");
	is(r->verdict[0].stuck, 1, "... and stays");
	plan_result_free(r);
	put(p, 3, 1);
	r = plan(p, &policy);
	is((long long)count(r, PLAN_DO_DROP, PLAN_BY_EVACUATE), 1,
	   "... unless there is another: then it is dropped");
	plan_result_free(r);
	p->s.seg[3].wanted = 2;
	r = plan(p, &policy);
	is((long long)count(r, PLAN_DO_MOVE, PLAN_BY_EVACUATE), 4,
	   "... or, if both are wanted, made anew elsewhere");
	plan_result_free(r);
	pool_free(p);
}

static void test_waiting(void)
{
	struct pool *p = leaver();
	struct plan_policy q = policy;
	struct plan_result *r;
	struct plan_member *m = &p->s.member[1];

	q.evacuate.members = 1;
	put(p, 7, 1);
	m->score = 75;
	m->track = (struct plan_track){ .band = PLAN_EMPTY, .above = 2 };
	r = plan(p, &q);
	ok(!r->verdict[1].drain && r->verdict[1].waits,
	   "another one waits for the first");
	plan_result_free(r);
	p->s.member[0].parked = true;
	r = plan(p, &q);
	ok(r->verdict[1].drain, "... unless that one can't go on");
	plan_result_free(r);
	pool_free(p);
}

static void test_trouble(void)
{
	struct pool *p = leaver();
	struct plan_result *r;
	bool there = false;

	p->s.nr_troubles = 3;
	for (uint16_t i = 0; i < 3; i++)
		p->trouble[i] = (struct plan_trouble){ 2, (uint16_t)(i + 1),
						       INT64_MAX, i > 0 };
	r = plan(p, &policy);
	for (size_t i = 0; i < r->nr_actions; i++)
		there |= r->action[i].segment == 2 && r->action[i].to != 1;
	ok(there, "where it only failed it goes again if need be");
	is((long long)r->nr_refused, 0, "... and nobody has refused it");
	plan_result_free(r);
	p->trouble[1].soft = p->trouble[2].soft = false;
	r = plan(p, &policy);
	ok(r->nr_refused == 1 && r->refused[0] == 2,
	   "one that all have refused is told");
	is((long long)count(r, PLAN_DO_MOVE, PLAN_BY_EVACUATE), 3,
	   "... the others go");
	plan_result_free(r);
	p->s.nr_troubles = 2;
	p->s.member[3].reserved = 10;
	r = plan(p, &policy);
	ok(!r->nr_refused && r->verdict[0].stuck == 1,
	   "... but not if one is only full");
	plan_result_free(r);
	p->s.member[3].reserved = 0;
	p->s.nr_troubles = 3;
	p->trouble[2] = (struct plan_trouble){ 1, PLAN_NONE, T0 + 9, false };
	r = plan(p, &policy);
	ok(r->verdict[0].later == 1 && !r->verdict[0].stuck,
	   "one that failed waits, and is not without a place");
	plan_result_free(r);
	p->s.nr_troubles = 0;
	p->s.member[1].refuses = p->s.member[2].refuses = true;
	r = plan(p, &policy);
	there = true;
	for (size_t i = 0; i < r->nr_actions; i++)
		there &= r->action[i].to == 3;
	ok(r->nr_actions == 4 && there, "whoever failed to take one is avoided");
	plan_result_free(r);
	p->s.member[3].state = PLAN_FAILED;
	r = plan(p, &policy);
	is((long long)r->nr_actions, 4, "... unless nobody else is there");
	plan_result_free(r);
	pool_free(p);
}

int main(void)
{
	plan_policy_defaults(&policy);
	test_mending();
	test_rebuilds();
	test_leaving();
	test_waiting();
	test_trouble();
	return done_testing();
}
