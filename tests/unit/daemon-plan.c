// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Members that are emptied and copies that are made anew, in small simulated pools:
 * operations fail, events get lost, the agent is killed. Whatever happens, no two
 * legs come on one member, no member gets more than it has room for, no last leg is
 * lost, no more is under way than may be; and it ends, with nothing left but what was
 * given up.
 */
#include <errno.h>
#include <stdint.h>

#include "daemon/plan/retry.h"
#include "plan.h"

#define SEGS	60
#define MEMBERS	6

static struct config config;
static struct plan_policy policy;

static struct world {
	struct pool *p;
	struct plan_flight op[SEGS];	/* the kernel's */
	uint8_t what[SEGS];
	uint32_t nr_op;
	struct plan_trouble trouble[2000];
	struct retries retries;		/* the agent's */
	bool listed;
	struct plan_seg known[SEGS];	/* what it believes */
	unsigned int fail, lose;	/* percent */
	const char *broken;
} w;

static void breaks(bool bad, const char *what)
{
	if (bad && !w.broken)
		w.broken = what;
}

static struct plan_seg *real(uint32_t seg)
{
	return &w.p->s.seg[seg];
}

static void take_out(uint16_t *list, uint8_t *nr, uint16_t member)
{
	for (unsigned int l = 0; l < *nr; l++)
		if (list[l] == member)
			list[l--] = list[--*nr];
}

static void apply(struct plan_seg *g, uint16_t from, uint16_t to)
{
	take_out(g->leg, &g->nr_legs, from);
	take_out(g->dead, &g->nr_dead, from);
	take_out(g->dead, &g->nr_dead, to);
	take_out(g->leg, &g->nr_legs, to);
	if (to != PLAN_NONE)
		g->leg[g->nr_legs++] = to;
}

static bool has_leg(const struct plan_seg *g, uint16_t member)
{
	bool is = false;

	for (unsigned int l = 0; l < g->nr_legs; l++)
		is |= g->leg[l] == member;
	for (unsigned int l = 0; l < g->nr_dead; l++)
		is |= g->dead[l] == member;
	return is;
}

static void count_used(void)
{
	for (uint16_t i = 0; i < MEMBERS; i++) {
		uint32_t n = 0;

		for (uint32_t s = 0; s < SEGS; s++)
			n += has_leg(real(s), i);
		for (uint32_t k = 0; k < w.nr_op; k++)
			n += w.op[k].to == i &&
			     !has_leg(real(w.op[k].segment), i);
		w.p->s.member[i].used = n;
		breaks(n > w.p->s.member[i].slots, "beyond a member's room");
	}
}

static bool flies(uint32_t seg)
{
	for (uint32_t k = 0; k < w.nr_op; k++)
		if (w.op[k].segment == seg)
			return true;
	return false;
}

static unsigned int readable(const struct plan_seg *g)
{
	unsigned int n = 0;

	for (unsigned int l = 0; l < g->nr_legs; l++)
		n += w.p->s.member[g->leg[l]].state < PLAN_FAILED;
	return n;
}

/* The kernel's side: 0 or -errno. */
static int do_one(const struct plan_action *a)
{
	struct plan_seg *g = real(a->segment);
	bool refill = a->what == PLAN_DO_REPLICATE;

	breaks(flies(a->segment), "one that is on its way");
	if (rnd(100) < w.fail / 4)
		return -EBUSY;
	if (a->what == PLAN_DO_DROP) {
		if (!has_leg(g, a->from))
			return -ENOENT;
		apply(g, a->from, PLAN_NONE);
		breaks(!readable(g), "the last leg was dropped");
		return 0;
	}
	if (a->from != PLAN_NONE && !has_leg(g, a->from))
		return -ENOENT;
	breaks(w.p->s.member[a->to].state != PLAN_ONLINE,
	       "to one that takes nothing");
	for (unsigned int l = 0; l < g->nr_legs; l++)
		if (g->leg[l] == a->to)
			return -EALREADY;
	breaks(has_leg(g, a->to) && !refill, "two legs on one member");
	if (!has_leg(g, a->to) &&
	    w.p->s.member[a->to].used >= w.p->s.member[a->to].slots)
		return -ENOSPC;
	w.what[w.nr_op] = a->what;
	w.op[w.nr_op++] = (struct plan_flight){
		.segment = a->segment, .from = a->from, .to = a->to,
		.cause = a->cause, .bytes = GIB,
	};
	count_used();
	return 0;
}

static void begin(const struct plan_action *a)
{
	int r = do_one(a);

	switch (r) {
	case 0:
		if (a->what == PLAN_DO_DROP)
			apply(&w.known[a->segment], a->from, PLAN_NONE);
		break;
	case -EBUSY:
		retries_postpone(&w.retries, a->segment, w.p->s.now, &config);
		break;
	case -ENOENT:
	case -EALREADY:
		w.listed = false;
		break;
	default:
		retries_failed(&w.retries, a->segment, a->to, "no", w.p->s.now,
			       &config);
	}
}

static void end_one(void)
{
	struct plan_flight op;
	bool well, told;
	uint32_t i;

	if (!w.nr_op)
		return;
	i = rnd(w.nr_op);
	op = w.op[i];
	w.op[i] = w.op[--w.nr_op];
	well = rnd(100) >= w.fail;
	told = rnd(100) >= w.lose;
	if (well)
		apply(real(op.segment), op.from, op.to);
	count_used();
	if (!told) {
		w.listed = false;	/* which the event behind it tells */
	} else if (well) {
		apply(&w.known[op.segment], op.from, op.to);
		retries_forget(&w.retries, op.segment);
	} else if (rnd(2)) {
		retries_refused(&w.retries, op.segment, op.to, "fails",
				w.p->s.now);
	} else {
		retries_failed(&w.retries, op.segment, op.to, "bad luck",
			       w.p->s.now, &config);
	}
}

static struct plan_result *look_and_plan(void)
{
	struct pool *p = w.p;
	struct plan_seg kept[SEGS];
	struct plan_result *r;

	if (!w.listed)
		memcpy(w.known, p->s.seg, sizeof(w.known));
	w.listed = true;
	p->s.now += 1;
	for (uint32_t i = 0; i < MEMBERS; i++)
		p->s.member[i].refuses =
			retries_is_faulty(&w.retries, (uint16_t)i);
	p->s.trouble = w.trouble;
	p->s.nr_troubles = (uint32_t)retries_troubles(&w.retries, p->s.now,
						      w.trouble);
	p->s.flight = w.op;
	p->s.nr_flights = w.nr_op;
	/* it plans by what it knows */
	memcpy(kept, p->s.seg, sizeof(kept));
	memcpy(p->s.seg, w.known, sizeof(kept));
	r = plan(p, &policy);
	memcpy(p->s.seg, kept, sizeof(kept));
	for (size_t i = 0; i < r->nr_refused; i++)
		retries_give_up(&w.retries, r->refused[i]);
	return r;
}

/* Rounds until nothing happens any more; 0: it never ended. */
static unsigned int run(bool restarts)
{
	unsigned int round, idle = 0;

	for (round = 1; round < 50000 && idle < 50 && !w.broken; round++) {
		struct plan_result *r;
		uint32_t off[MEMBERS] = { 0 }, rebuilds = 0;

		if (restarts && round % 41 == 0) {
			/* killed: nothing is remembered but by the kernel */
			retries_free(&w.retries);
			w.listed = false;
		}
		r = look_and_plan();
		for (size_t i = 0; i < r->nr_start; i++)
			if (r->action[i].what != PLAN_DO_ABORT)
				begin(&r->action[i]);
		for (uint32_t k = 0; k < w.nr_op; k++) {
			if (w.op[k].from != PLAN_NONE &&
			    w.op[k].cause != PLAN_BY_REBUILD)
				off[w.op[k].from]++;
			rebuilds += w.op[k].cause == PLAN_BY_REBUILD;
		}
		for (uint32_t i = 0; i < MEMBERS; i++)
			breaks(off[i] > policy.evacuate.window,
			       "more off a member than may be");
		breaks(rebuilds > policy.rebuild.window,
		       "more rebuilds than may be");
		/* what waits for its time to come is at work as well */
		idle = r->nr_start || w.nr_op || r->verdict[0].later >
		       retries_given_up(&w.retries) ||
		       r->mending.later > retries_given_up(&w.retries) ?
		       0 : idle + 1;
		plan_result_free(r);
		if (rnd(2))
			end_one();
	}
	return round < 50000 ? round : 0;
}

static void make_world(unsigned int n, uint32_t slots, unsigned int most_legs)
{
	memset(&w, 0, sizeof(w));
	seed = n * 7919ULL + 1;
	w.p = pool_new(MEMBERS, slots, SEGS);
	for (uint32_t i = 0; i < SEGS; i++) {
		unsigned int legs = 1 + i % most_legs;

		for (unsigned int l = 0; l < legs; l++)
			put(w.p, i, (uint16_t)((i + l) % MEMBERS))->wanted =
				(uint8_t)legs;
		real(i)->heat_short = (float)rnd(1000);
	}
	count_used();
}

static void drain(uint16_t member, bool by_agent)
{
	struct plan_member *m = &w.p->s.member[member];

	m->state = PLAN_DRAINING;
	m->by_agent = by_agent;
	m->score = by_agent ? 80 : 3;
	m->track.band = by_agent ? PLAN_EMPTY : PLAN_OK;
}

static void end_world(void)
{
	retries_free(&w.retries);
	pool_free(w.p);
}

static uint32_t lacking(void)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < SEGS; i++)
		n += readable(real(i)) < real(i)->wanted;
	return n;
}

static void worlds(const char *name, unsigned int fail, unsigned int lose,
		   unsigned int legs, bool dies, bool restarts)
{
	unsigned int ended = 0, done = 0, given_up = 0;
	const char *broken = NULL;

	for (unsigned int n = 0; n < 100; n++) {
		bool whole;

		make_world(n, 40, legs);
		w.fail = fail;
		w.lose = lose;
		if (dies) {
			/* with what was nowhere else elsewhere */
			for (uint32_t i = 0; i < SEGS; i++)
				if (real(i)->nr_legs == 1)
					real(i)->leg[0] = 5;
			w.p->s.member[n % 5].state = PLAN_FAILED;
			/* or what it has is out of date */
			for (uint32_t i = 0; n % 2 && i < SEGS; i++)
				if (has_leg(real(i), n % 5)) {
					apply(real(i), n % 5, PLAN_NONE);
					real(i)->dead[real(i)->nr_dead++] =
						(uint16_t)(n % 5);
				}
			if (n % 3 == 0)
				w.p->s.member[n % 5].state = PLAN_ONLINE;
			count_used();
		} else {
			drain(0, n % 2);
		}
		ended += run(restarts) > 0;
		whole = dies ? !lacking() : !w.p->s.member[0].used;
		done += whole;
		given_up += !whole && retries_given_up(&w.retries);
		broken = broken ? broken : w.broken;
		end_world();
	}
	is(ended, 100, "%s: it ends", name);
	ok(!broken, "%s: no rule is broken%s%s", name, broken ? ": " : "",
	   broken ? broken : "");
	is(done + given_up, 100, "%s: all is done, or was given up", name);
	if (fail < 30)
		ok(done > 95, "%s: mostly it is done (%u)", name, done);
	else
		ok(done < 5, "%s: of what always fails nothing is done", name);
}

/* Members with one free slot each: what fits is moved, the hottest of it. */
static void test_full(void)
{
	unsigned int left = 0;
	bool hottest = true;

	for (unsigned int n = 0; n < 20; n++) {
		float cold = 0;

		make_world(n, 11, 1);
		drain(0, true);
		run(false);
		left += w.p->s.member[0].used;
		for (uint32_t i = 0; i < SEGS; i++)
			if (has_leg(real(i), 0) && real(i)->heat_short > cold)
				cold = real(i)->heat_short;
		for (uint32_t i = 0; i < SEGS; i += MEMBERS)
			hottest &= has_leg(real(i), 0) ||
				   real(i)->heat_short >= cold;
		end_world();
	}
	is(left, 20 * 5, "full: what fits is moved");
	ok(hottest, "full: and it was the hottest");
}

/* A destination that can't be written: the others take it all, at once. */
static void test_refused(void)
{
	make_world(1, 40, 1);
	drain(0, true);
	for (uint32_t i = 0; i < SEGS; i += MEMBERS)
		retries_refused(&w.retries, i, 2, "fails", T0);
	run(false);
	is(w.p->s.member[0].used, 0, "refused: the member is empty");
	is(w.p->s.member[2].used, 10, "refused: and nothing went there");
	end_world();

	make_world(1, 40, 1);
	drain(0, true);
	for (uint16_t m = 1; m < MEMBERS; m++)
		retries_refused(&w.retries, 0, m, "fails", T0);
	run(false);
	is(w.p->s.member[0].used, 1, "refused: by all, it stays");
	is((long long)retries_given_up(&w.retries), 1, "refused: and is given up");
	end_world();

	/* a full member is not one that has refused it */
	make_world(1, 40, 1);
	drain(0, true);
	for (uint16_t m = 1; m < MEMBERS - 1; m++)
		retries_refused(&w.retries, 0, m, "fails", T0);
	w.p->s.member[MEMBERS - 1].reserved = 30;
	run(false);
	is((long long)retries_given_up(&w.retries), 0,
	   "refused: it waits for one that is full");
	w.p->s.member[MEMBERS - 1].reserved = 0;
	run(false);
	is(w.p->s.member[0].used, 0, "refused: and goes there");
	end_world();
}

int main(void)
{
	config_defaults(&config);
	plan_policy_defaults(&policy);
	policy.replicate.enable = policy.balance.enable = 0;
	policy.tier.enable = 0;
	config.plan.backoff = 2;
	config.plan.backoff_max = 10;
	worlds("emptied", 0, 0, 1, false, false);
	worlds("with failures", 10, 30, 1, false, true);
	worlds("several legs", 10, 30, 3, false, true);
	worlds("nothing works", 100, 0, 1, false, false);
	worlds("rebuilt", 0, 0, 3, true, false);
	worlds("rebuilt with failures", 10, 30, 3, true, true);
	test_full();
	test_refused();
	return done_testing();
}
