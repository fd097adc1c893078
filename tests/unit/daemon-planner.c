// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The agent's planner with all that belongs to it, on a kernel that is made up:
 * members are emptied, copies made, by jobs that say how it goes; destinations fail,
 * the operator cancels and pauses, the agent is killed.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "daemon.h"
#include "daemon/act.h"
#include "daemon/collect/kernel.h"
#include "daemon/cookie.h"
#include "daemon/evacuate.h"
#include "daemon/jobctl.h"
#include "daemon/keep.h"
#include "daemon/log.h"
#include "daemon/plan/jobs.h"
#include "daemon/planner.h"
#include "daemon/rebuild.h"

#define MEMBERS	4
#define SEGS	24
#define QUEUE	256

static const uint8_t pool_uuid[ADS_UUID_LEN] = { 7 };

/* -- the kernel ---------------------------------------------------------------------- */

static struct fake {
	struct ads_pool pool;
	struct ads_member m[MEMBERS];
	struct ads_segment seg[SEGS];
	struct ads_migration op[SEGS];
	size_t nr_op;
	struct kernel_command done[QUEUE];
	size_t nr_done;
	struct ads_event event[QUEUE];
	size_t nr_event;
	uint64_t serial;
	bool list;			/* was asked for */
	int refuses;			/* member that can't be written, -1 */
	bool frozen;			/* nothing comes to its end */
	unsigned int most;		/* at once off a member */
	int score[MEMBERS];
	int64_t evidence;
	uint32_t first[4];		/* segments that were asked for first */
	unsigned int nr_first;
} k;

static bool on(uint32_t seg, uint32_t member)
{
	for (uint32_t l = 0; l < k.seg[seg].nr_legs; l++)
		if (k.seg[seg].leg[l].member == member)
			return true;
	return false;
}

static void count(void)
{
	k.pool.nr_short = k.pool.nr_stale = 0;
	for (uint32_t i = 0; i < MEMBERS; i++) {
		k.m[i].nr_segments = 0;
		for (uint32_t s = 0; s < SEGS; s++)
			k.m[i].nr_segments += on(s, i);
		k.m[i].nr_free = k.m[i].nr_slots - k.m[i].nr_segments;
		for (size_t n = 0; n < k.nr_op; n++)
			k.m[i].nr_free -= k.op[n].dst == i &&
					  !on(k.op[n].segment, i);
		if (k.m[i].state == ADSHARD_MEMBER_DRAINING &&
		    !k.m[i].nr_segments)
			k.m[i].state = ADSHARD_MEMBER_DRAINED;
	}
	for (uint32_t s = 0; s < SEGS; s++) {
		uint32_t good = 0;

		for (uint32_t l = 0; l < k.seg[s].nr_legs; l++) {
			bool sync = k.seg[s].leg[l].state == ADSHARD_LEG_SYNC;

			good += sync;
			k.pool.nr_stale += !sync;
		}
		k.pool.nr_short += good < k.seg[s].wanted;
	}
}

static void lose_leg(uint32_t seg, uint32_t member)
{
	struct ads_segment *s = &k.seg[seg];

	for (uint32_t l = 0; l < s->nr_legs; l++)
		if (s->leg[l].member == member)
			s->leg[l--] = s->leg[--s->nr_legs];
}

static void tell(const struct ads_migration *op, uint32_t type)
{
	struct ads_event *e = &k.event[k.nr_event++];

	*e = (struct ads_event){
		.type = type, .segment = op->segment, .src = op->src,
		.dst = op->dst, .cookie = op->cookie, .kind = op->kind,
		.has = ADS_EV_SEGMENT | ADS_EV_DST | ADS_EV_COOKIE | ADS_EV_KIND |
		       (op->kind == ADSHARD_KIND_MOVE ? ADS_EV_SRC : 0),
	};
	memcpy(e->pool_uuid, pool_uuid, ADS_UUID_LEN);
	if (type == ADSHARD_EVENT_MIGRATION_FAILED) {
		e->error = EIO;
		e->has |= ADS_EV_ERROR | ADS_EV_TEXT;
		snprintf(e->text, sizeof(e->text),
			 "the destination can't be written");
	}
}

static void end_op(size_t i, uint32_t type)
{
	struct ads_migration op = k.op[i];
	struct ads_segment *s = &k.seg[op.segment];

	k.op[i] = k.op[--k.nr_op];
	s->state = ADSHARD_SEGMENT_STABLE;
	if (type == ADSHARD_EVENT_MIGRATION_DONE) {
		if (op.kind == ADSHARD_KIND_MOVE)
			lose_leg(op.segment, op.src);
		lose_leg(op.segment, op.dst);
		s->leg[s->nr_legs++] = (struct ads_leg){
			.member = op.dst, .state = ADSHARD_LEG_SYNC };
	}
	tell(&op, type);
	count();
}

static int start_op(const struct ads_op *o)
{
	unsigned int off = 0;

	if (k.seg[o->segment].state != ADSHARD_SEGMENT_STABLE)
		return -EBUSY;
	if (o->kind == ADSHARD_KIND_MOVE &&
	    (!on(o->segment, o->src) || on(o->segment, o->dst)))
		return -ENOENT;
	if (k.m[o->dst].state != ADSHARD_MEMBER_ONLINE)
		return -EINVAL;
	if (!on(o->segment, o->dst) && !k.m[o->dst].nr_free)
		return -ENOSPC;
	if (k.nr_first < 4)
		k.first[k.nr_first++] = o->segment;
	k.seg[o->segment].state = ADSHARD_SEGMENT_MIGRATING;
	k.op[k.nr_op++] = (struct ads_migration){
		.segment = o->segment, .src = o->src, .dst = o->dst,
		.kind = o->kind, .cookie = o->cookie, .priority = o->priority,
		.step = ADSHARD_STEP_QUEUED, .age_ns = 1,
	};
	memcpy(k.op[k.nr_op - 1].pool_uuid, pool_uuid, ADS_UUID_LEN);
	for (size_t i = 0; i < k.nr_op; i++)
		off += k.op[i].kind == ADSHARD_KIND_MOVE &&
		       k.op[i].src == o->src;
	k.most = off > k.most ? off : k.most;
	count();
	return 0;
}

static void abort_ops(uint32_t member, uint32_t segment)
{
	for (size_t i = k.nr_op; i--;)
		if (k.op[i].segment == segment ||
		    (k.op[i].kind == ADSHARD_KIND_MOVE && k.op[i].src == member))
			end_op(i, ADSHARD_EVENT_MIGRATION_ABORTED);
}

int kernel_do(struct kernel *kernel, const struct kernel_command *command)
{
	struct kernel_command *c = &k.done[k.nr_done];

	(void)kernel;
	if (k.nr_done == QUEUE)
		return -EAGAIN;
	k.nr_done++;
	*c = *command;
	c->serial = ++k.serial;
	switch (c->verb) {
	case KERNEL_START:
		c->error = start_op(&c->op);
		break;
	case KERNEL_DROP:
		c->error = on(c->op.segment, c->member) ?
			   k.seg[c->op.segment].nr_legs < 2 ? -ENOTEMPTY : 0 :
			   -ENOENT;
		if (!c->error)
			lose_leg(c->op.segment, c->member);
		break;
	case KERNEL_SET_MEMBER:
		k.m[c->member].state = c->state;
		break;
	case KERNEL_ABORT_MEMBER:
		abort_ops(c->member, UINT32_MAX);
		break;
	case KERNEL_ABORT_SEGMENT:
		abort_ops(UINT32_MAX, c->op.segment);
		break;
	case KERNEL_THROTTLE:
		break;
	}
	count();
	return 0;
}

int kernel_ask_segments(struct kernel *kernel, const uint8_t *pool,
			uint32_t member)
{
	(void)kernel;
	(void)pool;
	k.list |= member == ADSHARD_NO_MEMBER;
	return 0;
}

void kernel_refresh(struct kernel *kernel)
{
	(void)kernel;
}

double kernel_silent(const struct kernel *kernel, const char **what)
{
	(void)kernel;
	*what = "";
	return 0;
}

int kernel_new(sd_event *event, const struct kernel_calls *calls, void *arg,
	       struct kernel **out)
{
	(void)event;
	(void)calls;
	(void)arg;
	*out = NULL;
	return 0;
}

bool kernel_free(struct kernel *kernel)
{
	return !kernel;
}

/* -- the agent ---------------------------------------------------------------------------- */

static struct adshardd d;
static struct config config;
static char dir[] = "/tmp/daemon-planner.XXXXXX";

static bool unknown;		/* the history of member 1 has not come */

static void nothing_of_pool(struct pool *p)
{
	(void)p;
}

static void pool_gone(struct pool *p)
{
	rebuild_gone(p);
	planner_free(p->planner);
	p->planner = NULL;
}

static void nothing_of_member(struct member *m)
{
	m->state_loaded = !unknown || m->k.index != 1;
}

static const struct model_calls calls = {
	.pool_new = nothing_of_pool, .pool_gone = pool_gone,
	.member_new = nothing_of_member, .member_gone = act_member_gone,
	.member_device = nothing_of_member,
};

static struct member *member(uint32_t i)
{
	return d.pools ? model_member(d.pools, i) : NULL;
}

static void look(void)
{
	struct kernel_view v = {
		.serial = k.serial, .pools = &k.pool, .members = k.m,
		.migrations = k.op, .nr_pools = 1, .nr_members = MEMBERS,
		.nr_migrations = k.nr_op,
	};

	model_take(&d, &v, &calls);
	for (uint32_t i = 0; i < MEMBERS; i++) {
		struct member *m = member(i);

		/* each look is evidence of its own */
		m->risk.score = k.score[i];
		m->risk.part[RISK_MEDIA].known = true;
		m->risk.part[RISK_MEDIA].score = k.score[i];
		m->risk.part[RISK_MEDIA].time = k.evidence;
	}
}

static void list(void)
{
	struct ads_segment copy[SEGS];
	struct kernel_segments s = { .serial = k.serial, .segments = copy,
				     .nr = SEGS };

	memcpy(copy, k.seg, sizeof(copy));
	k.list = false;
	heat_update(&d.pools->heat, copy, SEGS, SEGS, now_mono(), 60);
	planner_list(d.pools, &s);
}

static void step(void)
{
	k.evidence++;
	if (k.nr_op && !k.frozen)
		end_op(0, (int)k.op[0].dst == k.refuses ?
		       ADSHARD_EVENT_MIGRATION_FAILED :
		       ADSHARD_EVENT_MIGRATION_DONE);
	for (size_t i = 0; i < k.nr_done; i++) {
		struct kernel_command c = k.done[i];

		act_answer(&d, &c);
	}
	k.nr_done = 0;
	for (size_t i = 0; i < k.nr_event; i++)
		act_event(&d, &k.event[i]);
	k.nr_event = 0;
	look();
	if (k.list || !d.pools->planner || !d.pools->planner->seg)
		list();
	planner_soon(d.pools);
	/* it takes a rest after each plan, which is longer on a busy machine */
	for (int i = 0; i < 20000 && d.pools->planner->soon; i++) {
		act_run(&d);
		usleep(500);
	}
}

static void start(void)
{
	memset(&d, 0, sizeof(d));
	d.config = &config;
	d.jobs = jobs_new();
	d.history_ready = true;
	d.lock = -1;
	sd_event_default(&d.event);
	keep_new(d.event, dir, &d.keep);
	k.nr_done = k.nr_event = 0;
	look();
}

static void stop(void)
{
	model_free(&d, &calls);
	keep_free(d.keep);
	jobs_free(d.jobs);
	sd_event_unref(d.event);
}

static void make(uint32_t slots, uint32_t legs)
{
	memset(&k, 0, sizeof(k));
	k.refuses = -1;
	k.evidence = now_epoch() - 1000;
	k.serial = 1;
	memcpy(k.pool.uuid, pool_uuid, ADS_UUID_LEN);
	snprintf(k.pool.name, sizeof(k.pool.name), "tank");
	k.pool.state = ADSHARD_POOL_OK;
	k.pool.segment_size = 1 << 30;
	k.pool.chunk_size = 1 << 20;
	k.pool.nr_segments = SEGS;
	k.pool.nr_members = MEMBERS;
	k.pool.heat_sample = 1;
	k.pool.knows_legs = true;
	for (uint32_t i = 0; i < MEMBERS; i++) {
		k.m[i] = (struct ads_member){
			.index = i, .present = true, .nr_slots = slots,
			.state = ADSHARD_MEMBER_ONLINE, .major = 4000,
			.minor = i, .class = ADSHARD_CLASS_HDD,
		};
		memcpy(k.m[i].pool_uuid, pool_uuid, ADS_UUID_LEN);
		k.m[i].uuid[0] = (uint8_t)(i + 1);
		k.score[i] = 3;
	}
	for (uint32_t i = 0; i < SEGS; i++) {
		k.seg[i] = (struct ads_segment){
			.index = i, .wanted = legs, .nr_legs = legs,
			.reads = i * 7 % SEGS + 1,
		};
		for (uint32_t l = 0; l < legs; l++)
			k.seg[i].leg[l] = (struct ads_leg){
				.member = (i + l) % MEMBERS,
				.state = ADSHARD_LEG_SYNC };
	}
	count();
}

static bool until(bool (*is)(void), int steps)
{
	for (int i = 0; i < steps && !is(); i++)
		step();
	return is();
}

static struct job *job(void)
{
	return d.jobs->newest;
}

static bool is_draining(void)
{
	return k.m[1].state != ADSHARD_MEMBER_ONLINE;
}

static bool is_drained(void)
{
	return k.m[1].state == ADSHARD_MEMBER_DRAINED && job() &&
	       job()->state != JOB_DRAINING;
}

static bool has_ended(void)
{
	return job() && job()->state != JOB_DRAINING;
}

static void steps(int n)
{
	for (int i = 0; i < n; i++)
		step();
}

/* -- tests ------------------------------------------------------------------------------ */

static void test_evacuate(void)
{
	make(20, 1);
	start();
	steps(5);
	ok(!job() && !k.nr_op, "nothing is done without a reason");
	k.score[1] = 80;
	step();
	step();
	k.score[1] = 3;
	steps(3);
	ok(!is_draining() || k.m[1].state, "one look is none");
	k.score[1] = 80;
	ok(until(is_draining, 30), "at 80 it is set draining");
	ok(until(is_drained, 200), "and emptied");
	ok(job()->kind == JOB_EVACUATE && job()->state == JOB_DRAINED &&
	   job()->by_agent, "by a job of the agent's");
	is((long long)job()->segments_total, 6, "of all its segments");
	is((long long)job()->segments_done, 6, "that are done");
	has(job()->reason, "score 80", "which says why");
	ok(k.most && k.most <= (unsigned int)config.plan.window,
	   "no more at once than may be (%u)", k.most);
	ok(k.seg[k.first[0]].reads > k.seg[k.first[3]].reads,
	   "the hottest first");
	is((long long)d.pools->planner->nr_sent, 0, "nothing is forgotten");
	stop();
}

/* What was thought of one is not known yet: nothing is concluded. */
static void test_unknown(void)
{
	unknown = true;
	make(20, 1);
	start();
	k.score[2] = 80;
	for (int i = 0; i < 10; i++) {
		k.evidence++;
		look();
		if (!d.pools->planner)
			planner_run(d.pools);
		list();
		act_run(&d);
	}
	ok(!job() && !k.nr_op && !k.nr_done,
	   "before all histories have come nothing is done");
	unknown = false;
	for (uint32_t i = 0; i < MEMBERS; i++)
		member(i)->state_loaded = true;
	steps(10);
	ok(job() && job()->member == 2, "and then it is");
	stop();
}

static void test_one_at_a_time(void)
{
	make(20, 1);
	start();
	k.frozen = true;
	k.score[1] = k.score[2] = 80;
	steps(40);
	is((k.m[1].state == ADSHARD_MEMBER_DRAINING) +
	   (k.m[2].state == ADSHARD_MEMBER_DRAINING), 1,
	   "two at risk: one waits for the other");
	struct act_wish w;

	act_wish(member(k.m[1].state == ADSHARD_MEMBER_ONLINE ? 1 : 2), &w);
	ok(w.wanted && !w.drain, "it is wanted");
	has(w.why, "another member is being evacuated", "and is said why not");
	is(job_pause(&d, job()->id, true, NULL), 0, "the first one paused");
	steps(20);
	ok(k.m[1].state == ADSHARD_MEMBER_DRAINING &&
	   k.m[2].state == ADSHARD_MEMBER_DRAINING, "it makes room for the other");
	stop();
}

static void test_refused(void)
{
	make(20, 1);
	start();
	k.refuses = 2;
	k.score[1] = 80;
	ok(until(is_drained, 200), "a destination fails: it is emptied even so");
	is(job()->state, JOB_DRAINED, "without errors");
	is(k.m[2].nr_segments, 6, "nothing went there");
	stop();

	make(20, 1);
	start();
	k.refuses = 2;
	k.score[0] = k.score[3] = 60;
	k.score[1] = 80;
	ok(until(has_ended, 400), "all destinations fail: the job ends");
	is(job()->state, JOB_WITH_ERRORS, "with errors");
	has(job()->note, "can't be moved: ", "that are named");
	has(job()->note, "the destination", "with the reason");
	is(k.m[1].nr_segments, 6, "nothing is lost");
	stop();
}

static void test_full(void)
{
	make(7, 1);
	start();
	k.score[1] = 80;
	steps(60);
	is(job()->state, JOB_DRAINING, "a full pool: it is not over");
	has(job()->note, "no room for 3 of 3 segments", "and why");
	is(k.m[1].nr_segments, 3, "what fits is moved");
	stop();
}

static void test_operator(void)
{
	struct act_wish w;
	struct ads_err err;
	uint64_t id;

	make(20, 1);
	start();
	k.frozen = true;
	k.score[1] = 80;
	until(is_draining, 30);
	steps(3);
	ok(k.nr_op > 0, "it is under way");
	id = job()->id;
	is(act_cancel(&d, id, &err), 0, "cancelled");
	steps(3);
	ok(k.m[1].state == ADSHARD_MEMBER_ONLINE && !k.nr_op,
	   "it takes data again, and what was under way is aborted");
	is(job()->state, JOB_CANCELLED, "the job is cancelled");
	steps(20);
	ok(!k.nr_op && k.m[1].state == ADSHARD_MEMBER_ONLINE,
	   "and not begun again");
	act_wish(member(1), &w);
	ok(w.wanted && !w.drain, "though it is wanted");
	has(w.why, "cancelled: on hold for", "as is said");
	/* the operator wants it emptied after all */
	k.frozen = false;
	k.m[1].state = ADSHARD_MEMBER_DRAINING;
	ok(until(is_drained, 200), "set draining by hand it is emptied");
	ok(!job()->by_agent && job()->id != id, "by another job, the operator's");
	k.score[1] = 3;
	steps(10);
	is(k.m[1].state, ADSHARD_MEMBER_DRAINED, "which the agent does not undo");
	stop();
}

static void test_restart(void)
{
	make(20, 1);
	start();
	k.frozen = true;
	k.score[1] = 80;
	until(is_draining, 30);
	steps(5);
	ok(k.nr_op == 2, "two are under way");
	stop();
	k.frozen = false;
	start();
	step();
	ok(job() && job()->state == JOB_DRAINING && job()->member == 1,
	   "killed and started again: it goes on");
	ok(until(is_drained, 200), "to its end");
	is((long long)d.pools->planner->nr_sent, 0, "nothing is forgotten");
	stop();
}

static bool is_whole(void)
{
	return !k.pool.nr_short && !k.pool.nr_stale && has_ended();
}

static void test_rebuild(void)
{
	make(20, 2);
	start();
	steps(5);
	for (uint32_t i = 0; i < SEGS; i++)
		for (uint32_t l = 0; l < 2; l++)
			if (k.seg[i].leg[l].member == 1)
				k.seg[i].leg[l].state = ADSHARD_LEG_STALE;
	count();
	tell(&(struct ads_migration){ .dst = 1 }, ADSHARD_EVENT_LEG_STALE);
	ok(until(is_whole, 300), "legs that are out of date are filled");
	ok(job()->kind == JOB_REBUILD && job()->state == JOB_DRAINED,
	   "by a job of its own");
	is((long long)job()->segments_done, 12, "with its figures");
	is(k.m[1].nr_segments, 12, "where they were");

	k.m[1].state = ADSHARD_MEMBER_FAILED;
	for (uint32_t i = 0; i < SEGS; i++)
		for (uint32_t l = 0; l < 2; l++)
			if (k.seg[i].leg[l].member == 1)
				k.seg[i].leg[l].state = ADSHARD_LEG_STALE;
	count();
	tell(&(struct ads_migration){ .dst = 1 }, ADSHARD_EVENT_LEG_STALE);
	step();
	ok(until(is_whole, 300), "a member has failed: made anew elsewhere");
	is(k.m[1].nr_segments, 0, "nothing is left of it there");
	stop();
}

static bool has_doubled(void)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < SEGS; i++)
		n += k.seg[i].nr_legs == 2 && on(i, 1);
	return n >= 3;
}

static bool is_single(void)
{
	for (uint32_t i = 0; i < SEGS; i++)
		if (k.seg[i].nr_legs != 1)
			return false;
	return true;
}

static void test_replicate(void)
{
	make(40, 1);
	config.policy.replicate.enable = 1;
	config.policy.score.recover_time = 0;
	start();
	k.score[1] = 70;
	ok(until(has_doubled, 100), "a watched member: its segments get a copy");
	steps(5);
	ok(job()->kind == JOB_REPLICATE && job()->state == JOB_DRAINED,
	   "as a job that ends");
	is(k.m[1].state, ADSHARD_MEMBER_ONLINE, "it stays in service");
	k.score[1] = 3;
	ok(until(is_single, 100), "it is well again: they are dropped");
	steps(5);
	ok(job()->kind == JOB_RECOVERED && job()->state == JOB_DRAINED,
	   "as a job that ends");
	/* of what has a copy nothing is copied when it is emptied */
	k.score[1] = 70;
	until(has_doubled, 100);
	steps(5);
	k.nr_first = 0;
	k.score[1] = 80;
	ok(until(is_drained, 200), "it gets worse: it is emptied");
	is(k.nr_first, 3, "and only what has no copy is copied");
	stop();
	config.policy.replicate.enable = 0;
}

int main(void)
{
	char command[64];

	if (!mkdtemp(dir))
		return 1;
	log_init(getenv("DEBUG") ? LOG_DEBUG : LOG_EMERG);
	config_defaults(&config);
	config.plan.window = config.policy.evacuate.window = 2;
	config.plan.backoff = config.plan.backoff_max = 0;
	config.plan.retries = 3;
	config.smart.enable = 0;
	config.rebuild.delay = 0;
	config.policy.replicate.enable = config.policy.tier.enable = 0;
	config.policy.balance.enable = 0;
	if (!getenv("ONE"))
	test_evacuate();
	test_unknown();
	test_one_at_a_time();
	test_refused();
	test_full();
	test_operator();
	test_restart();
	test_rebuild();
	test_replicate();
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command) || done_testing();
}
