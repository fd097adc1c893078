// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The planner on small pools made by hand: each decision, and each rule.
 */
#include <errno.h>
#include <math.h>

#include "daemon/plan/core/bandit.h"
#include "plan.h"

static struct plan_policy policy;

/* Two looks at member 0 with that score: what the second plan says. */
static struct plan_result *scored(struct pool *p, int score)
{
	struct plan_result *r;

	p->s.member[0].score = (int16_t)score;
	look(p, 60);
	r = plan(p, &policy);
	follow(p, r);
	plan_result_free(r);
	look(p, 60);
	r = plan(p, &policy);
	follow(p, r);
	return r;
}

static size_t count(const struct plan_result *r, int what, int cause)
{
	size_t n = 0;

	for (size_t i = 0; i < r->nr_actions; i++)
		n += r->action[i].what == what && r->action[i].cause == cause;
	return n;
}

static bool conflict(const struct plan_result *r, int rule)
{
	for (size_t i = 0; i < r->nr_conflicts; i++)
		if (r->conflict[i].rule == rule)
			return true;
	return false;
}

/* Four members of ten slots, member 0 with four segments. */
static struct pool *four(void)
{
	struct pool *p = pool_new(4, 10, 8);

	for (uint32_t i = 0; i < 4; i++)
		put(p, i, 0)->heat_long = (float)i;
	loads(p);
	return p;
}

static void test_bands(void)
{
	struct pool *p = four();
	struct plan_result *r = scored(p, 20);

	is(r->verdict[0].band, PLAN_OK, "a low score: ok");
	is(r->nr_actions, 0, "... and nothing is done");
	plan_result_free(r);
	r = scored(p, 60);
	is(r->verdict[0].band, PLAN_WATCH, "60: watched");
	is(count(r, PLAN_DO_REPLICATE, PLAN_BY_REPLICATE), 1,
	   "... and some of its single segments get a copy");
	is(r->action[0].segment, 3, "... the hottest");
	plan_result_free(r);
	r = scored(p, 70);
	is(count(r, PLAN_DO_REPLICATE, PLAN_BY_REPLICATE), 2,
	   "... half of them when it is nearly emptied");
	plan_result_free(r);
	pool_free(p);

	p = four();
	p->s.member[0].score = 99;
	look(p, 60);
	r = plan(p, &policy);
	is(r->verdict[0].band, PLAN_WATCH, "one look at 99 only watches");
	is(count(r, PLAN_DO_MOVE, PLAN_BY_RESCUE), 0, "... and empties nothing");
	follow(p, r);
	plan_result_free(r);
	p->s.now += 60;			/* the same evidence again */
	r = plan(p, &policy);
	is(r->verdict[0].band, PLAN_WATCH, "the same look twice is one");
	follow(p, r);
	plan_result_free(r);
	p->s.member[0].score = -1;
	look(p, 60);
	r = plan(p, &policy);
	is(r->verdict[0].band, PLAN_WATCH, "stale evidence changes nothing");
	plan_result_free(r);
	p->s.member[0].score = 99;
	r = plan(p, &policy);
	is(r->verdict[0].band, PLAN_RESCUE, "a second look at 99: rescue");
	is(r->verdict[0].drain, 1, "... it is set draining");
	is(count(r, PLAN_DO_MOVE, PLAN_BY_RESCUE), 4, "... all of it moves");
	is(r->action[0].segment, 3, "... the hottest first");
	plan_result_free(r);
	pool_free(p);
}

static void test_flapping(void)
{
	struct pool *p = four();
	struct plan_result *r = scored(p, 80);
	size_t changes = 0;
	int band;

	is(r->verdict[0].band, PLAN_EMPTY, "80 twice: emptied");
	band = r->verdict[0].band;
	plan_result_free(r);
	for (int i = 0; i < 200; i++) {
		p->s.member[0].score = i % 2 ? 80 : 30;
		look(p, 3600);
		r = plan(p, &policy);
		changes += r->verdict[0].band != band;
		band = r->verdict[0].band;
		follow(p, r);
		plan_result_free(r);
	}
	is(changes, 0, "a score that flaps changes no band");
	p->s.member[0].score = 30;
	for (int i = 0; i < 15 * 24; i++) {
		look(p, 3600);
		r = plan(p, &policy);
		band = r->verdict[0].band;
		follow(p, r);
		plan_result_free(r);
	}
	is(band, PLAN_OK, "two quiet weeks: well again");
	is(p->s.member[0].state, PLAN_ONLINE, "... and in service again");
	pool_free(p);
}

/* A small risk that stays adds up. */
static void test_patience(void)
{
	struct pool *p = four();
	struct plan_result *r = scored(p, 60);

	plan_result_free(r);
	look(p, policy.score.patience - 3600);
	r = plan(p, &policy);
	is(r->verdict[0].band, PLAN_WATCH, "watched for long: still watched");
	follow(p, r);
	plan_result_free(r);
	p->s.member[0].score = -1;
	look(p, 7200);
	r = plan(p, &policy);
	is(r->verdict[0].band, PLAN_WATCH, "... without evidence, too");
	plan_result_free(r);
	p->s.member[0].score = 60;
	r = plan(p, &policy);
	is(r->verdict[0].band, PLAN_EMPTY, "... for too long: emptied");
	has(r->verdict[0].why, "watched", "... and it says why");
	plan_result_free(r);
	pool_free(p);
}

static void test_who_waits(void)
{
	struct pool *p = pool_new(8, 10, 8);
	struct plan_result *r = NULL;
	size_t drains = 0, waits = 0;

	for (uint32_t i = 0; i < 8; i++)
		put(p, i, (uint16_t)i);
	loads(p);
	for (int k = 0; k < 2; k++) {
		for (int i = 0; i < 6; i++)
			p->s.member[i].score = (int16_t)(75 + i);
		look(p, 60);
		if (r)
			follow(p, r);
		plan_result_free(r);
		r = plan(p, &policy);
	}
	for (int i = 0; i < 8; i++) {
		drains += r->verdict[i].drain;
		waits += r->verdict[i].waits;
	}
	is(drains, policy.evacuate.members, "as many as allowed are emptied");
	is(waits, 2, "... the others wait");
	is(r->verdict[5].drain && !r->verdict[0].drain, 1, "... worst first");
	has(r->verdict[0].why, "waits", "... and says so");
	plan_result_free(r);
	pool_free(p);
}

static void test_full(void)
{
	struct pool *p = pool_new(2, 4, 7);
	struct plan_result *r;

	for (uint32_t i = 0; i < 4; i++)
		put(p, i, 0)->heat_long = (float)i;
	for (uint32_t i = 4; i < 6; i++)
		put(p, i, 1);
	loads(p);
	r = scored(p, 95);
	is(count(r, PLAN_DO_MOVE, PLAN_BY_RESCUE), 2,
	   "a full pool: what fits is moved");
	is(r->action[0].segment + r->action[1].segment, 5, "... the hottest");
	is(r->verdict[0].stuck, 2, "... and it says what is left");
	is(r->nr_problems, 1, "... as a problem");
	has(r->problem[0].text, "2 of 4 segments of sd0", "... in a sentence");
	plan_result_free(r);
	pool_free(p);
}

static void test_domains(void)
{
	struct pool *p = pool_new(4, 10, 2);
	struct plan_result *r;

	p->s.member[1].domain = p->s.member[2].domain = 7;
	put(p, 0, 0);
	put(p, 0, 1);
	p->s.seg[0].wanted = 2;
	p->s.member[3].used = 8;		/* the worse choice but for the domain */
	loads(p);
	r = scored(p, 80);
	is(r->nr_actions, 1, "one leg has to go");
	is(r->action[0].to, 3, "... not into the domain of the other");
	plan_result_free(r);
	p->s.member[3].used = 10;
	r = plan(p, &policy);
	is(r->nr_actions, 0, "no place: rather nowhere");
	is(r->verdict[0].stuck, 1, "... and it is said");
	plan_result_free(r);
	pool_free(p);
}

static void test_legs(void)
{
	struct pool *p = pool_new(4, 10, 3);
	struct plan_result *r;

	put(p, 0, 0);
	put(p, 0, 1)->extra = 1;
	put(p, 1, 0);
	put(p, 1, 1)->wanted = 2;
	loads(p);
	r = plan(p, &policy);
	is(count(r, PLAN_DO_DROP, PLAN_BY_RECOVERED), 1,
	   "an extra leg goes when all are well");
	is(r->action[0].segment, 0, "... and no other");
	plan_result_free(r);
	r = scored(p, 80);
	is(count(r, PLAN_DO_DROP, PLAN_BY_EVACUATE), 1,
	   "a leg that others stand in for is dropped");
	is(count(r, PLAN_DO_MOVE, PLAN_BY_EVACUATE), 1,
	   "... one that is wanted moves");
	plan_result_free(r);
	p->s.member[0].state = PLAN_FAILED;
	r = plan(p, &policy);
	is(r->verdict[0].band, PLAN_LOST, "a failed member is lost");
	is(count(r, PLAN_DO_MOVE, PLAN_BY_REBUILD), 1,
	   "... what it had is rebuilt elsewhere");
	is(count(r, PLAN_DO_DROP, PLAN_BY_REBUILD), 1,
	   "... and where nothing is missing, dropped");
	plan_result_free(r);
	pool_free(p);
}

static void test_rules(void)
{
	struct pool *p = four();
	struct plan_result *r;

	p->s.nr_flights = 2;
	p->flight[0] = (struct plan_flight){ .segment = 1, .from = 1, .to = 0,
		.cause = PLAN_BY_BALANCE, .bytes = GIB };
	p->flight[1] = (struct plan_flight){ .segment = 2, .from = 1, .to = 0,
		.cause = PLAN_BY_PERSON, .bytes = GIB };
	r = scored(p, 95);
	is(r->action[0].what, PLAN_DO_ABORT, "a move to it is called back");
	is(r->action[0].segment, 1, "... the planner's");
	is(count(r, PLAN_DO_ABORT, PLAN_BY_PERSON), 0, "... not a person's");
	is(conflict(r, PLAN_RULE_TURNED_BAD) && conflict(r, PLAN_RULE_PERSON), 1,
	   "... by rules that it names");
	is(r->nr_actions, 3, "what is on its way is not planned again");
	plan_result_free(r);
	pool_free(p);

	p = four();
	p->s.member[0].hold_until = T0 + 86400;
	r = scored(p, 80);
	is(r->nr_actions, 0, "cancelled by a person: held");
	has(r->verdict[0].why, "cancelled", "... and says so");
	plan_result_free(r);
	pool_free(p);

	p = four();
	p->s.member[0].suspect = true;
	r = scored(p, 80);
	is(r->verdict[0].band, PLAN_WATCH, "many at once: watched");
	plan_result_free(r);
	look(p, policy.score.suspect_time);
	r = plan(p, &policy);
	is(r->verdict[0].band, PLAN_EMPTY, "... and believed after a while");
	plan_result_free(r);
	pool_free(p);
}

static void test_person(void)
{
	struct pool *p = four();
	struct plan_result *r;

	p->s.nr_wishes = 2;
	p->wish[0] = (struct plan_wish){ .kind = PLAN_WISH_MIGRATE, .segment = 2,
		.member = PLAN_NONE, .to = 3 };
	p->wish[1] = (struct plan_wish){ .kind = PLAN_WISH_MIGRATE, .segment = 3,
		.member = PLAN_NONE, .to = 0 };
	r = scored(p, 95);
	is(count(r, PLAN_DO_MOVE, PLAN_BY_PERSON), 1, "a person's move is made");
	for (size_t i = 0; i < r->nr_actions; i++)
		if (r->action[i].segment == 2)
			is(r->action[i].to, 3, "... to where it should go");
	plan_result_free(r);
	p->s.member[0].score = 0;
	p->s.nr_wishes = 1;
	p->wish[0] = (struct plan_wish){ .kind = PLAN_WISH_EVACUATE,
		.member = 0, .to = PLAN_NONE };
	p->s.member[0].track = (struct plan_track){ .band = PLAN_OK };
	p->s.member[0].state = PLAN_ONLINE;
	r = plan(p, &policy);
	is(count(r, PLAN_DO_MOVE, PLAN_BY_PERSON), 4, "a person empties one");
	plan_result_free(r);
	p->s.nr_wishes = 0;
	p->s.nr_pins = 1;
	p->pin[0] = (struct plan_pin){ 1, 0, 2, PLAN_PIN_MEMBER, 2 };
	r = plan(p, &policy);
	is(count(r, PLAN_DO_MOVE, PLAN_BY_PIN), 2, "pinned segments go there");
	is(r->action[0].to, 2, "... and nowhere else");
	plan_result_free(r);
	pool_free(p);
}

static void test_balance(void)
{
	struct pool *p = pool_new(3, 100, 60);
	struct plan_result *r;
	size_t moves = 0, rounds = 0;

	for (uint32_t i = 0; i < 60; i++)
		put(p, i, i < 40 ? 0 : 1)->mibs = i < 40 ? 5 : 2;
	loads(p);
	r = plan(p, &policy);
	ok(count(r, PLAN_DO_MOVE, PLAN_BY_BALANCE) > 0,
	   "a member that will be too busy is relieved");
	ok(r->after.load_max < 0.7 && r->before.load_max > 0.9,
	   "... until it is not");
	ok(r->action[0].gain > r->action[0].cost, "... each gains");
	plan_result_free(r);
	for (; rounds < 1000; rounds++) {
		size_t n;

		p->s.now += 2 * 86400;	/* nothing rests */
		loads(p);
		r = plan(p, &policy);
		n = carry_out(p, r);
		plan_result_free(r);
		moves += n;
		if (!n)
			break;
	}
	ok(rounds < 100 && moves < 20, "it comes to rest: %zu moves in %zu rounds",
	   moves, rounds);
	pool_free(p);
}

static void test_tier(void)
{
	struct pool *p = pool_new(4, 10, 20);
	struct plan_result *r;
	bool right = true;

	p->s.nr_classes = 2;
	p->class[1] = (struct plan_class){ "ssd", 0.2f, 500, 50000 };
	p->s.member[2].class = p->s.member[3].class = 1;
	for (uint32_t i = 0; i < 15; i++) {
		struct plan_seg *g = put(p, i, i < 8 ? 0 : 1);

		g->heat_short = g->heat_long = i < 3 ? 50 : 0.0001f;
	}
	p->s.seg[4].heat_short = 50;		/* a burst */
	loads(p);
	r = plan(p, &policy);
	is(count(r, PLAN_DO_MOVE, PLAN_BY_TIER), 3, "the hot ones go up");
	for (size_t i = 0; i < r->nr_actions; i++)
		right &= r->action[i].segment < 3 && r->action[i].to >= 2;
	ok(right, "... and no others, not for a burst");
	ok(r->after.latency_ms < r->before.latency_ms / 2,
	   "... and access becomes faster");
	plan_result_free(r);
	pool_free(p);
}

static void test_quiet(void)
{
	struct pool *p = pool_new(3, 100, 40);
	struct plan_policy q = policy;
	struct plan_result *r;

	for (uint32_t i = 0; i < 40; i++)
		put(p, i, 0)->mibs = 4;
	loads(p);
	plan_policy_set(&q, "pace.quiet_from", "22:00", NULL);
	plan_policy_set(&q, "pace.quiet_to", "06:00", NULL);
	r = plan(p, &q);
	is(r->nr_start, 0, "at noon: waits for the quiet hours");
	is(r->action[0].hold, PLAN_HOLD_QUIET, "... and says so");
	plan_result_free(r);
	p->s.minute = 23 * 60;
	r = plan(p, &q);
	ok(r->nr_start > 0, "at night it starts");
	plan_result_free(r);
	for (uint32_t i = 0; i < 40; i++)
		p->s.seg[i].mibs = 6;
	loads(p);
	p->s.minute = 720;
	r = plan(p, &q);
	ok(r->nr_start > 0, "what is urgent does not wait");
	plan_result_free(r);
	pool_free(p);
}

static void test_pace(void)
{
	struct pool *p = pool_new(10, 100, 100);
	struct plan_policy q = policy;
	struct plan_result *r;

	for (uint32_t i = 0; i < 50; i++)
		put(p, i, 0);
	loads(p);
	q.evacuate.window = 3;
	r = scored(p, 80);
	plan_result_free(r);
	r = plan(p, &q);
	is(r->nr_actions, 50, "all are planned");
	is(r->nr_start, 3, "... as many start as a member may have");
	is(r->action[3].hold, PLAN_HOLD_PACE_MEMBER, "... the next one waits");
	ok(r->seconds > 200 && r->seconds < 1000, "... and how long it takes: %.0f s",
	   r->seconds);
	plan_result_free(r);
	p->s.nr_orders = 1;
	p->order[0] = (struct plan_order){ .cause = PLAN_BY_EVACUATE,
		.member = 0, .paused = true };
	r = plan(p, &q);
	is(r->nr_start, 0, "a paused job starts nothing");
	is(r->job[0].paused, 1, "... and says so");
	plan_result_free(r);
	pool_free(p);
}

static void test_cost(void)
{
	struct plan_cost c;
	double before, after;

	memset(&c, 0, sizeof(c));
	before = plan_cost_seconds(&c, 0, 0, 1e9, 0, 200);
	ok(before > 4 && before < 6, "without moves: by the bandwidth (%.1f s)",
	   before);
	for (int i = 0; i < 400; i++) {
		double load = i % 10 / 10.0;
		struct plan_done d = { 0, 0, 1 << 30, 10 + 20 * load, load, 2 };

		plan_cost_learn(&c, &d);
	}
	after = plan_cost_seconds(&c, 0, 0, 1 << 30, 0.5, 200);
	ok(after > 18 && after < 22, "then as it was: %.1f s", after);
	after = plan_cost_seconds(&c, 0, 0, 1 << 30, 0, 200);
	ok(after > 9 && after < 12, "also without load: %.1f s", after);
	ok(plan_cost_rise(&c, 0, 0, 100) > 0, "and what it does to latency");
	plan_cost_learn(&c, &(struct plan_done){ 0, 0, NAN, 1, 0, 0 });
	plan_cost_learn(&c, &(struct plan_done){ 0, 0, 1e9, -1, 0, 0 });
	ok(fabs(plan_cost_seconds(&c, 0, 0, 1 << 30, 0, 200) - after) < 1e-9,
	   "nonsense teaches nothing");
}

/* Twice as many are best when idle, half as many when busy. */
static void test_bandit(void)
{
	struct plan_bandit b;
	int idle = 0, busy = 0;

	memset(&b, 0, sizeof(b));
	ok(plan_bandit_choose(&b, 0.1) == 1, "bandit: as set, at first");
	for (int i = 0; i < 400; i++) {
		double load = i % 2 ? 0.1 : 0.8;
		float f = plan_bandit_choose(&b, load);

		if (i >= 200) {
			idle += i % 2 && f == 2;
			busy += !(i % 2) && f == 0.5f;
		}
		plan_bandit_learn(&b, 100 * (double)f, 200, 5,
				  load > 0.5 ? 5 / (0.5 + (double)f) : 5);
	}
	ok(idle > 60 && busy > 60, "bandit: finds out (%d, %d of 100)", idle,
	   busy);
	plan_bandit_learn(&b, NAN, 1, 1, 1);
	ok(isfinite(b.sum[0][0] + b.sum[2][3]), "bandit: nonsense is passed over");
}

static void test_bad_input(void)
{
	struct plan_result *r = NULL;
	struct ads_err err;
	struct pool *p = four();

	p->s.seg[2].leg[0] = 77;
	is(plan_run(&p->s, &policy, 0, &r, &err), -EINVAL,
	   "a leg on no member is refused");
	has(err.text, "segment 2", "... by its name");
	p->s.seg[2].leg[0] = 0;
	p->s.member[1].load[0] = NAN;
	is(plan_run(&p->s, &policy, 0, &r, &err), -EINVAL, "so is a NaN");
	ok(!r, "... and nothing is given");
	pool_free(p);
}

int main(void)
{
	plan_policy_defaults(&policy);
	test_bands();
	test_flapping();
	test_patience();
	test_who_waits();
	test_full();
	test_domains();
	test_legs();
	test_rules();
	test_person();
	test_balance();
	test_tier();
	test_quiet();
	test_pace();
	test_cost();
	test_bandit();
	test_bad_input();
	return done_testing();
}
