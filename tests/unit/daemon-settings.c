// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the operator sets and pins, and its file: kept, found again, never half,
 * never taken when it makes no sense. And decisions: what is recorded can be made
 * again, and comes out the same.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon.h"
#include "daemon/ctx.h"
#include "daemon/keep.h"
#include "daemon/log.h"
#include "daemon/plan/jobs.h"
#include "daemon/settings.h"
#include "daemon/plan/core/cost.h"
#include "lib/planlog.h"

static char dir[] = "/tmp/daemon-settings.XXXXXX";
static struct ads_err err;
static struct adshardd d;
static struct config file;

static const char *slurp(const char *name)
{
	static char text[65536];
	char path[256];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_RDONLY);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (fd >= 0)
		close(fd);
	text[n < 0 ? 0 : n] = 0;
	return n < 0 ? NULL : text;
}

static void write_file(const char *name, const char *text)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	fputs(text, f);
	fclose(f);
}

static void loop(bool (*until)(void))
{
	for (int i = 0; i < 500 && !until(); i++)
		sd_event_run(d.event, 10000);
}

static bool is_ready(void)
{
	return settings_ready(d.settings);
}

static bool is_saved(void)
{
	return settings_saved(d.settings) || settings_problem(d.settings);
}

static void start(void)
{
	struct config *c = malloc(sizeof(*c));

	*c = file;
	d.config = c;
	d.jobs = jobs_new();
	keep_new(d.event, dir, &d.keep);
	settings_new(&d, &file);
	ok(!settings_ready(d.settings), "nothing is decided before the file was read");
	loop(is_ready);
}

static void stop(void)
{
	keep_free(d.keep);
	settings_free(d.settings);
	jobs_free(d.jobs);
	free((void *)d.config);
	d.keep = NULL;
	d.settings = NULL;
}

static int set(const char *name, const char *value)
{
	err.text[0] = 0;
	return settings_set(&d, &name, &value, 1, &err);
}

static void test_set(void)
{
	struct pin pin = { .pool = { 7 }, .first = 3, .count = 4,
			   .kind = PLAN_PIN_CLASS, .value = "ssd" }, two = pin;
	const struct pin *p;
	struct config *over;
	size_t n;

	start();
	ok(!settings_doubt(d.settings) && d.config->score.drain == 70,
	   "without a file it is as configured");
	is(set("score.drain", "65"), 0, "a setting");
	ok(d.config->score.drain == 65 && d.config->policy.score.drain == 65,
	   "counts at once, for those who read the key too");
	is(set("mode", "advise"), 0, "the mode");
	is(d.config->mode, MODE_ADVISE, "is that of the agent");
	is(set("score.drain", "101"), -ERANGE, "out of bounds");
	has(err.text, "score.drain: 101 is not between", "... and why");
	is(set("score.drain", "40"), -EINVAL, "one that contradicts another");
	is(set("score.urgent", "40"), -ENOENT, "one that there is not");
	is(d.config->score.drain, 65, "changes nothing");
	is(settings_pin(&d, &pin, &err), 0, "a pin");
	is(settings_pin(&d, &two, &err), 0, "another");
	ok(pin.id == 1 && two.id == 2, "with numbers");
	loop(is_saved);
	ok(settings_saved(d.settings), "it is kept");
	ok(settings_is_set(d.settings, "score.drain") &&
	   !settings_is_set(d.settings, "score.watch"), "and known who set it");
	is(settings_unpin(&d, 1, &err), 0, "the first pin goes");
	is(settings_unpin(&d, 1, &err), -ENOENT, "only once");
	loop(is_saved);
	stop();

	start();
	ok(d.config->score.drain == 65 && d.config->mode == MODE_ADVISE,
	   "it is there again after a restart");
	p = settings_pins(d.settings, &n);
	ok(n == 1 && p->id == 2 && p->pool[0] == 7 && p->first == 3 &&
	   p->count == 4 && p->kind == PLAN_PIN_CLASS &&
	   !strcmp(p->value, "ssd"), "pins too");
	settings_pin(&d, &pin, &err);
	is(pin.id, 3, "a number is not given twice");
	is(set("score.drain", NULL), 0, "back to the file's");
	is(d.config->score.drain, 70, "which counts again");

	/* a reload of the configuration */
	file.score.drain = 80;
	config_policy_from_keys(&file);
	over = settings_over(d.settings, &file);
	ok(over && over->score.drain == 80 && over->mode == MODE_ADVISE,
	   "a reload keeps what was set, over what the file says now");
	free(over);
	file.score.drain = 70;
	config_policy_from_keys(&file);
	loop(is_saved);
	stop();
}

static void test_damage(void)
{
	static const char *const bad[] = {
		"x", "{", "[]", "{}", "{\"schema\":{\"name\":\"adshardd.settings\",\"version\":2},\"policy\":{},\"pins\":[]}",
		"{\"schema\":{\"name\":\"adshardd.settings\",\"version\":1},\"policy\":{\"nonsense\":\"1\"},\"pins\":[]}",
		"{\"schema\":{\"name\":\"adshardd.settings\",\"version\":1},\"policy\":{\"score.drain\":60},\"pins\":[]}",
		"{\"schema\":{\"name\":\"adshardd.settings\",\"version\":1},\"policy\":{},\"pins\":[{\"id\":1}]}",
	};
	unsigned int good = 0, n = sizeof(bad) / sizeof(bad[0]);

	for (unsigned int i = 0; i < n; i++) {
		write_file("settings.json", bad[i]);
		start();
		good += settings_doubt(d.settings) &&
			d.config->score.drain == 70;
		stop();
	}
	is(good, n, "a file that makes no sense is no settings, and is told of");
	ok(slurp("settings.json.damaged"), "it is kept aside");
	write_file("settings.json", "{\"schema\":{\"name\":\"adshardd.settings\",\"version\":1},"
		   "\"policy\":{\"score.drain\":\"80\",\"score.rescue\":\"75\"},\"pins\":[]}");
	start();
	ok(settings_doubt(d.settings), "settings that contradict each other, too");
	is(d.config->score.drain, 70, "and do not count");
	is(set("score.rescue", "88"), 0, "to set one right");
	ok(!settings_doubt(d.settings) && d.config->score.drain == 80,
	   "takes the doubt away");
	loop(is_saved);
	stop();

	/* a directory that can't be written */
	write_file("settings.json", "");
	start();
	chmod(dir, 0500);
	if (geteuid()) {
		set("score.drain", "60");
		loop(is_saved);
		ok(settings_problem(d.settings), "what can't be kept is told of");
	}
	chmod(dir, 0700);
	stop();
}

/* -- the record of decisions ---------------------------------------------------------- */

static unsigned int written;

static void on_written(int error, const struct ads_err *e, const char *text,
		       void *arg)
{
	(void)e, (void)text, (void)arg;
	written += !error;
}

static bool all_written(void)
{
	return written == 8;
}

static void test_append(void)
{
	struct stat st;
	char path[256];

	keep_new(d.event, dir, &d.keep);
	for (int i = 0; i < 8; i++)
		keep_append(d.keep, "log", "0123456789", 40, on_written, NULL);
	loop(all_written);
	is(written, 8, "lines are appended");
	snprintf(path, sizeof(path), "%s/log.1", dir);
	ok(!stat(path, &st) && st.st_size == 44, "a full file goes aside");
	snprintf(path, sizeof(path), "%s/log", dir);
	ok(!stat(path, &st) && st.st_size == 44, "and is begun anew");
	keep_free(d.keep);
	d.keep = NULL;
}

#define SEGS	64

static struct plan_member members[5];
static struct plan_seg segs[SEGS];
static struct plan_class classes[2] = {
	{ "ssd", 0.3f, 500, 50000 }, { "hdd", 10, 180, 150 },
};
static struct plan_location locations[1];
static struct plan_pin pins[1] = { { 1, 5, 3, PLAN_PIN_CLASS, 0 } };
static struct plan_flight flights[1] = { { 2, 2, 4, PLAN_BY_PERSON, false,
					   1 << 30, 12345, 999000 } };
static struct plan_trouble troubles[1] = { { 9, 4, INT64_MAX, true } };
static struct plan_order orders[1] = { { PLAN_BY_TIER, PLAN_NONE, true, false,
					 -5 } };
static struct plan_cost cost;

static void make_state(struct plan_state *s)
{
	*s = (struct plan_state){
		.now = 1000000, .minute = 600, .segment_size = 1 << 30,
		.member = members, .nr_members = 5, .seg = segs,
		.nr_segs = SEGS, .class = classes, .nr_classes = 2,
		.location = locations, .nr_locations = 1, .pin = pins,
		.nr_pins = 1, .flight = flights, .nr_flights = 1,
		.trouble = troubles, .nr_troubles = 1, .order = orders,
		.nr_orders = 1, .cost = &cost, .spent = 77,
	};
	cost.pair[0][1] = (struct plan_cost_pair){ 3.25, 1.0 / 3, 0.1, 9, 2.5,
						   0, 0 };
	for (unsigned int i = 0; i < 5; i++) {
		struct plan_member *m = &members[i];

		*m = (struct plan_member){
			.index = (uint16_t)(2 * i), .slots = 100, .used = 13,
			.score = i == 1 ? 95 : 7, .evidence = 999990,
			.fails = -1, .class = i > 2, .weight = 1,
			.load = { 0.1f * (float)i, -1, -1, -1 },
		};
		snprintf(m->name, sizeof(m->name), "sd%c \"%u\"", 'b' + (int)i,
			 i);
		m->track.above = i == 1;
	}
	for (unsigned int i = 0; i < SEGS; i++)
		segs[i] = (struct plan_seg){
			.leg = { (uint16_t)(2 * (i % 5)) }, .nr_legs = 1,
			.heat_short = (float)i / 7, .heat_long = (float)i / 9,
			.mibs = (float)i / 3, .mibs_next = -1,
			.rest_until = i == 4 ? 2000000 : 0,
		};
	/* it is on its way from there */
	segs[2].leg[0] = 2;
}

static char *record(const struct plan_state *s, const struct plan_policy *p,
		    uint64_t *id)
{
	static const uint8_t pool[16] = { 0xab };
	struct plan_result *r = NULL;
	struct json_object *o;
	char *line;

	if (plan_run(s, p, 100, &r, &err)) {
		printf("# %s\n", err.text);
		exit(1);
	}
	*id = planlog_id(s, r);
	ok(r->nr_actions > 5, "there is something to decide");
	o = planlog_encode(pool, s, p, 100, r);
	line = strdup(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));
	json_object_put(o);
	plan_result_free(r);
	return line;
}

static void test_replay(void)
{
	struct plan_policy policy;
	struct plan_result *r = NULL;
	struct plan_state s;
	struct planlog l;
	uint64_t id;
	char *line, *cut;

	plan_policy_defaults(&policy);
	plan_policy_set(&policy, "pace.quiet_from", "09:00", NULL);
	plan_policy_set(&policy, "pace.quiet_to", "11:30", NULL);
	plan_policy_set(&policy, "score.rescue", "97", NULL);
	plan_policy_set(&policy, "score.drain", "94", NULL);
	make_state(&s);
	line = record(&s, &policy, &id);
	if (!is(planlog_decode(line, &l, &err), 0, "a record is read")) {
		printf("# %s\n", err.text);
		return;
	}
	ok(!memcmp(&l.policy, &policy, sizeof(policy)), "the policy is the same");
	ok(l.s.nr_segs == SEGS && !memcmp(l.s.seg, segs, sizeof(segs)),
	   "segments to the last bit");
	ok(l.s.nr_members == 5 && !memcmp(l.s.member, members, sizeof(members)),
	   "members too");
	ok(!memcmp(l.s.cost, &cost, sizeof(cost)), "and what moves cost");
	ok(l.id == id && l.time == 1000000 && !strncmp(l.pool, "ab00", 4),
	   "what was decided, when and where");
	is(plan_run(&l.s, &l.policy, l.max, &r, &err), 0, "it is decided again");
	ok(planlog_id(&l.s, r) == id, "the same");
	plan_result_free(r);
	/* were it otherwise, it would show */
	l.s.member[1].score = 3;
	plan_run(&l.s, &l.policy, l.max, &r, &err);
	ok(planlog_id(&l.s, r) != id, "from another state something else comes");
	plan_result_free(r);
	planlog_free(&l);

	is(planlog_decode("{}", &l, &err), -EBADMSG, "what is no record");
	is(planlog_decode("", &l, &err), -EBADMSG, "nothing");
	for (size_t n = 0; n < strlen(line); n += 37) {
		cut = strndup(line, n);
		if (!planlog_decode(cut, &l, &err)) {
			ok(false, "a record that was cut at %zu", n);
			planlog_free(&l);
		}
		free(cut);
	}
	cut = strstr(line, "\"segments\":[[");
	cut[strlen("\"segments\":[[")] = '"';
	is(planlog_decode(line, &l, &err), -EBADMSG, "a number that is none");
	free(line);

	s.nr_segs = PLANLOG_SEGMENTS + 1;
	s.seg = calloc(s.nr_segs, sizeof(*s.seg));
	memcpy(s.seg, segs, sizeof(segs));
	line = record(&s, &policy, &id);
	is(planlog_decode(line, &l, &err), -ENODATA, "too many segments");
	has(err.text, "too many", "... are said to be that");
	free(line);
	free(s.seg);
}

int main(void)
{
	char command[64];

	if (!mkdtemp(dir))
		return 1;
	log_init(LOG_EMERG);
	config_defaults(&file);
	sd_event_default(&d.event);
	d.history_ready = true;
	d.view_error = 1;	/* there is no kernel: nothing is carried out */
	test_set();
	test_damage();
	test_append();
	test_replay();
	sd_event_unref(d.event);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command) || done_testing();
}
