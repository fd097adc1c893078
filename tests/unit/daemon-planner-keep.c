// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the planner remembers: over a restart it is as it was, what is over is not,
 * what makes no sense is gone without, and one pool's is not another's.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon.h"
#include "daemon/ctx.h"
#include "daemon/keep.h"
#include "daemon/log.h"
#include "daemon/plan/jobs.h"
#include "daemon/planner-keep.h"
#include "daemon/planner.h"

#define SEGS	1000

static char dir[] = "/tmp/daemon-planner-keep.XXXXXX";
static struct adshardd d;
static struct config config;
static struct pool pool;
static struct member members[2];

static char *path(void)
{
	static char text[128];

	snprintf(text, sizeof(text), "%s/planner.json", dir);
	return text;
}

static void new_planner(struct pool *p)
{
	p->planner = calloc(1, sizeof(*p->planner));
	p->planner->nr = SEGS;
	p->planner->seg = calloc(SEGS, sizeof(*p->planner->seg));
	p->planner->hands_off = calloc(SEGS, sizeof(*p->planner->hands_off));
}

static void start(void)
{
	d.config = &config;
	d.jobs = jobs_new();
	d.started = now_epoch();
	memset(members, 0, sizeof(members));
	pool.daemon = &d;
	pool.members = &members[0];
	members[0].next = &members[1];
	for (int i = 0; i < 2; i++) {
		members[i].daemon = &d;
		members[i].pool = &pool;
		members[i].k.index = (uint32_t)i;
		members[i].k.uuid[0] = (uint8_t)(i + 1);
		members[i].state_loaded = true;
	}
	new_planner(&pool);
	keep_new(d.event, dir, &d.keep);
	planner_keep_new(&d);
	for (int i = 0; i < 500 && !planner_keep_ready(&d); i++)
		sd_event_run(d.event, 10000);
	planner_keep_restore(&pool);
	for (int i = 0; i < 2; i++)
		planner_keep_member(&members[i]);
}

static void stop(void)
{
	planner_keep_save(&pool, true);
	keep_free(d.keep);
	planner_keep_free(&d);
	planner_free(pool.planner);
	jobs_free(d.jobs);
	pool.planner = NULL;
}

static void test_restart(void)
{
	uint32_t now = (uint32_t)now_epoch();
	struct plan_done done = { .from = 1, .to = 2, .bytes = 1 << 30,
				  .seconds = 10, .load = 0.5, .rise_ms = 1 };
	struct plan_track band = { .band = PLAN_WATCH, .above = 3,
				   .evidence = 4, .since = 5, .quiet = 6,
				   .suspect = 7 };
	double seconds;

	pool.k.uuid[0] = 9;
	start();
	ok(pool.planner->restored && members[0].band_known,
	   "without a file it begins with nothing");
	members[0].band = band;
	members[0].does.mibs = 123.5;
	members[0].does.iops = 456.25;
	for (uint32_t i = 10; i < 20; i++)
		pool.planner->seg[i].rest_until = now + 1000;
	pool.planner->hands_off[15] = now + 500;
	pool.planner->seg[30].extra = 1;
	pool.planner->seg[40].rest_until = now - 1;
	pool.planner->day = 1234;
	pool.planner->spent = 99ULL << 30;
	plan_cost_learn(&pool.planner->cost, &done);
	seconds = plan_cost_seconds(&pool.planner->cost, 1, 2, 1 << 30, 0.5,
				    200);
	planner_keep_save(&pool, true);
	ok(access(path(), F_OK) != 0, "what has not changed is not written");
	pool.planner->dirty = true;
	stop();
	is(access(path(), F_OK), 0, "what has, is");

	start();
	ok(members[0].band.band == band.band &&
	   members[0].band.above == band.above &&
	   members[0].band.evidence == band.evidence &&
	   members[0].band.since == band.since &&
	   members[0].band.quiet == band.quiet &&
	   members[0].band.suspect == band.suspect, "bands, with all that made them");
	is(members[1].band.band, PLAN_OK, "each member's own");
	ok(members[0].does.mibs == 123.5 && members[0].does.iops == 456.25,
	   "what a member can do");
	is(pool.planner->seg[10].rest_until, now + 1000, "rest times");
	is(pool.planner->seg[19].rest_until, now + 1000, "of all segments");
	is(pool.planner->seg[9].rest_until + pool.planner->seg[20].rest_until, 0,
	   "and no others");
	is(pool.planner->hands_off[15], now + 500, "what is the operator's");
	is(pool.planner->hands_off[14], 0, "and no more");
	is(pool.planner->seg[30].extra, 1, "legs that were added");
	is(pool.planner->seg[40].rest_until, 0, "what is over is over");
	ok(pool.planner->day == 1234 && pool.planner->spent == 99ULL << 30,
	   "today's budget");
	ok(plan_cost_seconds(&pool.planner->cost, 1, 2, 1 << 30, 0.5, 200) ==
	   seconds, "what moves cost");
	pool.planner->dirty = true;
	stop();

	/* another pool has none of it, and takes none of it away */
	pool.k.uuid[0] = 8;
	start();
	is(pool.planner->seg[10].rest_until, 0, "another pool knows nothing");
	pool.planner->dirty = true;
	stop();
	pool.k.uuid[0] = 9;
	start();
	is(pool.planner->seg[10].rest_until, now + 1000, "this one still does");
	stop();

	/* the clock was set back by a year */
	config.policy.pace.rest = 10;
	start();
	ok(pool.planner->seg[10].rest_until <= now_epoch() + 10,
	   "no rest is longer than they are");
	stop();
	plan_policy_defaults(&config.policy);
}

static void put(const char *text)
{
	FILE *f = fopen(path(), "w");

	fputs(text, f);
	fclose(f);
}

static void test_damage(void)
{
	static const char *const nonsense[] = {
		"broken", "{}", "[]",
		"{\"schema\":{\"name\":\"adshardd.planner\",\"version\":2},\"pools\":[]}",
		"{\"schema\":{\"name\":\"adshardd.settings\",\"version\":1},\"pools\":[]}",
	};
	char aside[160], text[512];

	snprintf(aside, sizeof(aside), "%s.damaged", path());
	for (size_t i = 0; i < sizeof(nonsense) / sizeof(nonsense[0]); i++) {
		put(nonsense[i]);
		unlink(aside);
		members[0].track.at_risk = 0;
		start();
		is(members[0].band.band, PLAN_OK, "nonsense %zu is nothing", i);
		stop();
		is(access(aside, F_OK), 0, "and goes aside");
	}
	/* parts of it: a run beyond the end, numbers that are none */
	snprintf(text, sizeof(text),
		 "{\"schema\":{\"name\":\"adshardd.planner\",\"version\":1},\"pools\":[{\"pool\":\"09000000-0000-0000-0000-000000000000\",\"members\":[[\"01000000-0000-0000-0000-000000000000\",99,0,0,0,0,0,0,0],7,[]],\"cost\":[],\"segments\":[[990,100,%lld,0,0],[1,-1,5,5,0],[\"x\"],[4294967295,4294967295,1,1,0]]}]}",
		 (long long)now_epoch() + 100);
	put(text);
	start();
	ok(pool.planner->seg[999].rest_until > 0, "runs end with the volume");
	is(members[0].band.band, PLAN_OK, "a band that is none is ok");
	stop();
	unlink(path());
}

/* Without the file: what the history says of a member counts. */
static void test_history(void)
{
	start();
	members[0].band_known = false;
	members[0].track = (struct risk_track){ .at_risk = 77, .above = 5,
						.evidence = 70 };
	planner_keep_member(&members[0]);
	is(members[0].band.band, PLAN_EMPTY, "one at risk is emptied");
	is(members[0].band.since, 77, "as long as it is at risk");
	members[0].band_known = members[0].state_loaded = false;
	members[0].band.band = PLAN_OK;
	planner_keep_member(&members[0]);
	ok(!members[0].band_known, "but not before its history came");
	stop();
}

int main(void)
{
	char command[80];

	if (!mkdtemp(dir))
		return 1;
	log_init(LOG_EMERG);
	config_defaults(&config);
	sd_event_default(&d.event);
	d.view_error = 1;	/* there is no kernel: nothing is carried out */
	test_restart();
	test_damage();
	test_history();
	sd_event_unref(d.event);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command) || done_testing();
}
