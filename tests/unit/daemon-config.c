// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The configuration: defaults, drop-ins, every kind of error with its place;
 * and that the shipped file and the manual page tell the truth.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon.h"
#include "daemon/config.h"

static char dir[] = "/tmp/daemon-config.XXXXXX";
static struct ads_err err;
static struct config *c;

static void write_file(const char *name, const char *text)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	fputs(text, f);
	fclose(f);
}

static int load(void)
{
	char path[256];

	free(c);
	c = NULL;
	err.text[0] = 0;
	snprintf(path, sizeof(path), "%s/c.conf", dir);
	return config_load(path, true, &c, &err);
}

static void refuse(const char *text, const char *sentence)
{
	char name[200];
	int r;

	write_file("c.conf", text);
	r = load();
	snprintf(name, sizeof(name), "refused: %.40s", text);
	for (char *p = name; *p; p++)
		if (*p == '\n' || *p == '#')
			*p = ' ';
	ok(r == -EINVAL && !c, "%s", name);
	has(err.text, sentence, "... with its place and reason");
}

static void test_defaults(void)
{
	struct config d;
	bool good = true;

	config_defaults(&d);
	for (const struct config_key *k = config_keys; k->name; k++) {
		long v = *(long *)((char *)&d + k->offset);

		if (k->type != CONFIG_STRING && (v < k->min || v > k->max)) {
			printf("# %s: %ld\n", k->name, v);
			good = false;
		}
	}
	ok(good, "every default is within its bounds");
	ok(d.score.drain == 70 && d.score.urgent == 85 &&
	   d.score.release == 50 && d.score.release_time == 14 * 86400,
	   "the scores that were measured");
	ok(d.mode == MODE_AUTO, "the mode is auto");
	is(config_load("/nonexistent/x.conf", false, &c, &err), 0,
	   "a missing file is no error");
	ok(c && !memcmp(c, &d, sizeof(d)), "and means the defaults");
	free(c);
	c = NULL;
	is(config_load("/nonexistent/x.conf", true, &c, &err), -ENOENT,
	   "unless it was asked for");
	has(err.text, "/nonexistent/x.conf: ", "... by name");
}

static void test_values(void)
{
	write_file("c.conf",
		   "mode = advise # comment\n"
		   "smart { interval = 2h timeout = 5s }\n"
		   "smart {\n\tcommand = \"/x/y\"\n}\n"
		   "patrol { rate = 1G  enable = no }\n"
		   "log_level = debug\n");
	is(load(), 0, "values are taken");
	if (!c)
		return;
	ok(c->mode == MODE_ADVISE && c->log_level == 7 &&
	   c->smart.interval == 7200 && c->smart.timeout == 5 &&
	   !strcmp(c->smart.command, "/x/y") && c->patrol.rate == 1L << 30 &&
	   !c->patrol.enable, "as they were meant");
	ok(c->plan.window == 4, "and the rest stays");
}

static void test_drop_ins(void)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/c.conf.d", dir);
	mkdir(path, 0755);
	write_file("c.conf.d/20-b.conf", "smart { timeout = 20s }\n");
	write_file("c.conf.d/10-a.conf",
		   "smart { timeout = 10s\ninterval = 10m }\n");
	write_file("c.conf.d/30.conf~", "nonsense {\n");
	write_file("c.conf.d/.40.conf", "nonsense {\n");
	write_file("c.conf", "smart { timeout = 1s }\nplan { window = 9 }\n");
	is(load(), 0, "drop-ins are read");
	if (c)
		ok(c->smart.timeout == 20 && c->smart.interval == 600 &&
		   c->plan.window == 9, "in the order of their names");
	write_file("c.conf.d/20-b.conf", "\n\nsmart { time_out = 20s }\n");
	is(load(), -EINVAL, "an error in one counts");
	has(err.text, "c.conf.d/20-b.conf:3: ", "... with its place");
	snprintf(path, sizeof(path), "rm -r %s/c.conf.d", dir);
	ok(!system(path), "without drop-ins again");
}

static void test_errors(void)
{
	refuse("colour = blue\n", "c.conf:1: no such option 'colour'");
	refuse("smart { bar = 2 }\n", "c.conf:1: no such option 'bar'");
	refuse("\n\nsmart {\n interval = soon\n}\n",
	       "c.conf:4: interval: 'soon' is not a time");
	refuse("smart { interval = 0 }", "out of bounds (1s to 7d)");
	refuse("smart { interval = 99999999999999999999d }", "out of bounds");
	refuse("smart { interval = -5 }", "c.conf:1: interval: ");
	refuse("smart { interval = 5 days }", "c.conf:1: ");
	refuse("patrol { rate = 5X }", "is not a size");
	refuse("patrol { block = 5000 }", "not a multiple of 4K");
	refuse("mode = on", "c.conf:1: mode: 'on' is not off, advise or auto");
	refuse("patrol { enable = 7 }", "is not yes or no");
	refuse("socket = control", "is not an absolute path");
	refuse("smart { command = {a, b} }", "c.conf:1: ");
	refuse("smart {\n enable = yes\n", "is not closed");
	refuse("smart { enable = yes }\n}\n", "c.conf:2: ");
	refuse("mode = \"auto", "c.conf:");
	refuse("/* mode = auto\n", "comment is not closed");
	refuse("score { drain = 40 }", "score.release (50)");
	refuse("score { drain = 90 }", "score.urgent (85)");
	refuse("plan { max_score = 80 }", "plan.max_score (80)");
	refuse("plan { backoff = 1h }", "plan.backoff_max");
	write_file("c.conf", "");
	is(load(), 0, "an empty file is fine");
}

static char *slurp(const char *path)
{
	size_t size = 0;
	char *text = NULL;
	FILE *f = fopen(path, "r");

	if (f && getdelim(&text, &size, 0, f) < 0) {
		free(text);
		text = NULL;
	}
	if (f)
		fclose(f);
	return text;
}

/* "key = default" must be in @text, behind its section. */
static bool told(const char *text, const struct config_key *k,
		 const char *heading, const char *prefix)
{
	char line[400], section[64];
	const char *at = text;

	if (k->section) {
		snprintf(section, sizeof(section), heading, k->section);
		at = strstr(text, section);
	}
	snprintf(line, sizeof(line), "\n%s%s = %s%s%s", prefix, k->name,
		 k->type == CONFIG_STRING ? "\"" : "", k->def,
		 k->type == CONFIG_STRING ? "\"" : "");
	if (at && strstr(at, line))
		return true;
	printf("# %s.%s = %s is not there\n", k->section ? k->section : "",
	       k->name, k->def);
	return false;
}

/* The same for a setting of the planner that has no key of its own. */
static bool told_policy(const char *text, const struct plan_setting *s,
			const char *heading, const char *prefix)
{
	bool quoted = s->type == PLAN_SET_CLOCK;
	char section[32], name[32], def[40];
	struct config_key k = {
		.section = section, .name = name, .type = CONFIG_NUMBER,
		.def = def,
	};

	if (config_policy_shared(s->name))
		return true;
	snprintf(section, sizeof(section), "%.*s",
		 (int)strcspn(s->name, "."), s->name);
	snprintf(name, sizeof(name), "%s", strchr(s->name, '.') + 1);
	snprintf(def, sizeof(def), quoted ? "\"%s\"" : "%s", s->def);
	return told(text, &k, heading, prefix);
}

static void test_policy(void)
{
	static const char *const names[] = { "score.drain", "score.rescue" };
	static const char *const up[] = { "95", "97" }, *const bad[] = {
		"97", "96" };
	struct plan_policy p, before;

	write_file("c.conf", "balance { high = 60 horizon = 3h }\n"
		   "pace { quiet_from = \"22:30\" quiet_to = \"6:00\" }\n"
		   "score { drain = 75 watch = 45 }\nplan { evacuations = 3 max_score = 40 }\n");
	is(load(), 0, "settings of the planner are taken");
	if (c)
		ok(c->policy.balance.high == 60 &&
		   c->policy.balance.horizon == 10800 &&
		   c->policy.pace.quiet_from == 22 * 60 + 30 &&
		   c->policy.score.watch == 45, "as they were meant");
	if (c)
		ok(c->policy.score.drain == 75 && c->score.drain == 75 &&
		   c->policy.evacuate.members == 3 &&
		   c->policy.evacuate.max_score == 40,
		   "those with a key of their own are that");
	refuse("balance { high = 101 }", "balance.high: 101 is not between");
	refuse("pace { quiet_from = \"25:00\" }", "22:00");
	refuse("balance { nonsense = 1 }", "c.conf:1: ");
	refuse("score { watch = 70 }", "score.watch (70)");

	plan_policy_defaults(&p);
	before = p;
	is(config_policy_set(&p, names, up, 2, &err), 0,
	   "two that only go together, the wrong one first");
	ok(p.score.drain == 95 && p.score.rescue == 97, "are both set");
	p = before;
	ok(config_policy_set(&p, names, bad, 2, &err) == -EINVAL &&
	   !memcmp(&p, &before, sizeof(p)), "two that never do change nothing");
	has(err.text, "score.", "... and it is said why");
}

static void test_documents(void)
{
	char *shipped = slurp("scripts/systemd/adshardd.conf");
	char *manual = slurp("Documentation/man/adshardd.conf.5.rst");
	bool good = true, active = false;

	if (!shipped || !manual) {
		skip("the shipped file and the manual page",
		     "not run from the top of the tree");
		return;
	}
	for (const struct config_key *k = config_keys; k->name; k++)
		good &= told(shipped, k, "#%s {\n", k->section ? "#\t" : "#");
	for (const struct plan_setting *s = plan_settings; s->name; s++)
		good &= told_policy(shipped, s, "#%s {\n", "#\t");
	ok(good, "the shipped file shows every key with its default");
	for (char *p = shipped; (p = strchr(p, '\n')); p++)
		active |= p[1] && p[1] != '#' && p[1] != '\n';
	ok(!active, "and all of it is commented out");
	good = true;
	for (const struct config_key *k = config_keys; k->name; k++)
		good &= told(manual, k, "\n%s\n==", "");
	for (const struct plan_setting *s = plan_settings; s->name; s++)
		good &= told_policy(manual, s, "\n%s\n==", "");
	ok(good, "the manual page has every key with its default");

	/* without the comment signs it must be what it says */
	for (char *p = shipped; (p = strstr(p, "\n#")); p++)
		if (p[2] == '\t' || p[2] == '}' || (p[2] >= 'a' && p[2] <= 'z'))
			p[1] = ' ';
	write_file("c.conf", shipped);
	if (is(load(), 0, "the shipped file is valid") && c) {
		struct config d;

		config_defaults(&d);
		ok(!memcmp(c, &d, sizeof(d)), "and sets the defaults");
	} else {
		printf("# %s\n", err.text);
	}
	free(shipped);
	free(manual);
}

static void test_print(void)
{
	char path[256];
	struct config d;
	FILE *f;

	write_file("c.conf", "mode = off\nplan { hold = 90s }\n");
	load();
	if (!c)
		return;
	d = *c;
	snprintf(path, sizeof(path), "%s/c.conf", dir);
	f = fopen(path, "w");
	config_print(c, f);
	fclose(f);
	is(load(), 0, "what is printed can be read");
	ok(c && !memcmp(c, &d, sizeof(d)), "and is the same");
}

int main(void)
{
	char command[64];

	if (!mkdtemp(dir))
		return 1;
	test_defaults();
	test_values();
	test_errors();
	test_drop_ins();
	test_print();
	test_policy();
	test_documents();
	free(c);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command) || done_testing();
}
