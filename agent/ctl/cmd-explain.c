// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * adshardctl explain: the signals around an event in their order, and what most
 * likely began it.
 */
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/units.h"

#include "foresight.h"
#include "table.h"
#include "verbs.h"

#define DAY		86400
#define SLOW		1.16		/* times as long, of a day */
#define JUMP		10		/* points of the score, degrees */
#define TOGETHER	DAY		/* what begins within this is one event */

static const struct ctl_opt opts[] = {
	{ 'a', "at", "SECONDS", "when it was, since the epoch [now, or when the job began]" },
	{ 'w', "window", "TIME", "how far to look back [7d]" },
	{ 0, NULL, NULL, NULL },
};

enum kind { MEDIA, WEAR, INTERFACE, THERMAL, ERRORS, SLOWNESS, SCORE, JOB, KINDS };

static const char *const kind_name[KINDS] = {
	"media", "wear", "interface", "thermal", "errors", "fail-slow", "score",
	"job",
};

struct signal {
	int64_t time;
	enum kind kind;
	char text[160];
};

struct story {
	int64_t from, until;
	size_t nr;
	struct signal *list;
	char shared[160];	/* with whom something is shared */
};

enum { C_TIME, C_BEFORE, C_KIND, C_WHAT };

static const struct table_col cols[] = {
	[C_TIME] = { "TIME", "when it was seen", 0 },
	[C_BEFORE] = { "BEFORE", "how long before the event", TABLE_RIGHT },
	[C_KIND] = { "KIND", "of signal", 0 },
	[C_WHAT] = { "WHAT", "was seen", 0 },
	{ NULL, NULL, 0 },
};

static void __attribute__((format(printf, 4, 5)))
add(struct story *s, int64_t time, enum kind kind, const char *fmt, ...)
{
	struct signal *more;
	va_list ap;

	if (time < s->from || time > s->until)
		return;
	more = reallocarray(s->list, s->nr + 1, sizeof(*more));
	if (!more)
		return;
	s->list = more;
	more = &s->list[s->nr++];
	more->time = time;
	more->kind = kind;
	va_start(ap, fmt);
	vsnprintf(more->text, sizeof(more->text), fmt, ap);
	va_end(ap);
}

static int compare(const void *a, const void *b)
{
	const struct signal *x = a, *y = b;

	if (x->time != y->time)
		return x->time < y->time ? -1 : 1;
	return (int)x->kind - (int)y->kind;
}

/* Attributes of ATA have their number, NVMe 1000 and up, the kernel's log 3000. */
static enum kind kind_of(int64_t attribute)
{
	switch (attribute) {
	case 188:
	case 199:
	case 3000:
	case 3001:
		return INTERFACE;
	case 1001:
	case 1002:
		return WEAR;
	case 1003:
		return THERMAL;
	default:
		return MEDIA;
	}
}

static void counters(struct story *s, struct json_object *list)
{
	for (size_t i = 0; i < agent_count(list); i++) {
		struct json_object *k = json_object_array_get_idx(list, i);
		struct json_object *c = ads_json_get(k, "changes");
		int64_t was = -1;

		for (size_t n = 0; n < agent_count(c); n++) {
			struct json_object *o = json_object_array_get_idx(c, n);
			int64_t is = foresight_int(o, "value");

			if (was >= 0 && is != was)
				add(s, foresight_int(o, "time"),
				    kind_of(foresight_int(k, "attribute")),
				    "%s: %lld, was %lld", agent_str(k, "name"),
				    (long long)is, (long long)was);
			was = is;
		}
	}
}

static void days(struct story *s, struct json_object *list)
{
	int64_t score = -1, heat = -1;

	for (size_t i = 0; i < agent_count(list); i++) {
		struct json_object *o = json_object_array_get_idx(list, i);
		int64_t t = foresight_int(o, "time"), v;

		v = foresight_int(o, "score");
		if (v >= 0 && score >= 0 && llabs(v - score) >= JUMP)
			add(s, t + DAY - 1 < s->until ? t + DAY - 1 : s->until,
			    SCORE, "score %lld, was %lld the day before",
			    (long long)v, (long long)score);
		score = v >= 0 ? v : score;
		v = foresight_int(o, "temperature");
		if (v >= 0 && heat >= 0 && v - heat >= JUMP)
			add(s, t, THERMAL, "%lld C, was %lld the day before",
			    (long long)v, (long long)heat);
		heat = v >= 0 ? v : heat;
	}
}

static void slow_days(struct story *s, struct json_object *slow)
{
	struct json_object *list = slow ? ads_json_get(slow, "days") : NULL;

	for (size_t i = 0; i < agent_count(list); i++) {
		struct json_object *o = json_object_array_get_idx(list, i);
		double peers = foresight_number(o, "peers");
		double self = foresight_number(o, "self");

		if (peers >= SLOW)
			add(s, foresight_int(o, "start"), SLOWNESS,
			    "took %.2f times as long as its peers", peers);
		else if (self >= 1.5)
			add(s, foresight_int(o, "start"), SLOWNESS,
			    "took %.2f times as long as it used to", self);
	}
}

static void warnings(struct story *s, struct json_object *list)
{
	for (size_t i = 0; i < agent_count(list); i++) {
		struct json_object *w = json_object_array_get_idx(list, i);
		const char *type = agent_str(w, "type");
		const char *shared = agent_str(w, "shared");
		enum kind kind = !strcmp(type, "wear-out") ? WEAR :
				 !strcmp(type, "io-errors") ? ERRORS : MEDIA;

		for (int k = 0; k < KINDS; k++)
			if (!strcmp(type, kind_name[k]))
				kind = k;
		add(s, foresight_int(w, "since"), kind, "early warning: %s",
		    agent_str(w, "text"));
		if (strcmp(shared, "-"))
			snprintf(s->shared, sizeof(s->shared), "%s", shared);
	}
}

static void jobs(struct story *s, struct json_object *list, int64_t member,
		 const char *pool)
{
	for (size_t i = 0; i < agent_count(list); i++) {
		struct json_object *j = json_object_array_get_idx(list, i);

		if (foresight_int(j, "member") != member ||
		    strcmp(agent_str(j, "pool"), pool))
			continue;
		add(s, foresight_int(j, "started"), JOB, "job %lld began: %s",
		    (long long)foresight_int(j, "id"), agent_str(j, "reason"));
		add(s, foresight_int(j, "finished"), JOB, "job %lld ended: %s",
		    (long long)foresight_int(j, "id"), agent_str(j, "state"));
	}
}

/*
 * What came first; but a medium that fails within a day of it takes links and
 * latencies with it, and what others have as well has its cause out there.
 */
static enum kind judge(const struct story *s)
{
	enum kind first = KINDS;
	int64_t begin = 0;

	for (size_t i = 0; i < s->nr; i++) {
		const struct signal *g = &s->list[i];

		if (g->kind == SCORE || g->kind == JOB)
			continue;
		if (first == KINDS) {
			first = g->kind;
			begin = g->time;
		}
		if (g->kind == MEDIA && first != THERMAL &&
		    g->time - begin <= TOGETHER)
			return MEDIA;
	}
	return first;
}

static const char *verdict(const struct story *s, enum kind *kind)
{
	static const char *const text[KINDS + 1] = {
		[MEDIA] = "the disk's medium: it loses sectors or cells, and the rest follows",
		[WEAR] = "wear: the disk's endurance or spare runs out",
		[INTERFACE] = "the way to the disk: cable, backplane or power, before anything on the disk itself",
		[THERMAL] = "heat: it came before everything else; look at fans and neighbours",
		[ERRORS] = "requests that fail, without a sign in the disk's own data: electronics, firmware, or the way to it",
		[SLOWNESS] = "a disk that has become slow, without errors: it retries, or its firmware is busy",
		[KINDS] = "nothing that is watched says why; four in ten failing disks show no sign",
	};

	*kind = judge(s);
	return text[*kind];
}

static void print(struct ctl *c, struct story *s, struct json_object *m,
		  int64_t event)
{
	char text[64], what[256];
	enum kind kind;
	struct table t;

	snprintf(what, sizeof(what), "%s", verdict(s, &kind));
	if (s->shared[0])
		snprintf(what, sizeof(what), "what several have together (%s): controller, power, cooling, or the host",
			 s->shared);
	if (c->doc) {
		static const char *const keys[] = {
			"pool", "pool_name", "member", "uuid", "device", "score",
			NULL
		};
		struct json_object *list;

		foresight_copy(c->doc, m, keys);
		ads_json_i64(c->doc, "event", event);
		ads_json_i64(c->doc, "from", s->from);
		ads_json_i64(c->doc, "until", s->until);
		list = ads_json_arr(c->doc, "signals");
		for (size_t i = 0; i < s->nr; i++) {
			struct json_object *o = ads_json_push(list);

			ads_json_i64(o, "time", s->list[i].time);
			ads_json_str(o, "kind", kind_name[s->list[i].kind]);
			ads_json_str(o, "text", s->list[i].text);
		}
		ads_json_str(c->doc, "cause", s->shared[0] ? "shared" :
			     kind < KINDS ? kind_name[kind] : NULL);
		ads_json_str(c->doc, "cause_text", what);
		return;
	}
	table_init(&t, c, cols);
	for (size_t i = 0; i < s->nr; i++) {
		int64_t before = event - s->list[i].time;

		table_row(&t);
		table_set(&t, C_TIME, "%s",
			  ads_format_time((uint64_t)s->list[i].time, text,
					  sizeof(text)));
		table_set(&t, C_BEFORE, "%s", before < 0 ? "after" :
			  ads_format_duration((double)before, text,
					      sizeof(text)));
		table_set(&t, C_KIND, "%s", kind_name[s->list[i].kind]);
		table_set(&t, C_WHAT, "%s", s->list[i].text);
	}
	table_print(&t, "");
	table_free(&t);
	ctl_say(c, "%s: most likely %s", agent_str(m, "device"), what);
}

/* "job:3": its member as "pool", "member"; and when it began. */
static int find_job(struct ctl *c, struct json_object *list, const char *what,
		    char uuid[ADS_UUID_STR], int64_t *at)
{
	uint64_t id = ctl_parse_u64(c, "job", what + 4, INT64_MAX);

	for (size_t i = 0; i < agent_count(list); i++) {
		struct json_object *j = json_object_array_get_idx(list, i);

		if ((uint64_t)foresight_int(j, "id") != id)
			continue;
		snprintf(uuid, ADS_UUID_STR, "%s", agent_str(j, "member_uuid"));
		*at = foresight_int(j, "started");
		return CTL_OK;
	}
	return ctl_fail(c, CTL_NOENT, "there is no job %llu",
			(unsigned long long)id);
}

static int explain(struct ctl *c, const char *what, int64_t at, double window)
{
	struct json_object *job = NULL, *risk = NULL, *history = NULL;
	char uuid[ADS_UUID_STR];
	struct story s = { 0 };
	int rc;

	rc = foresight_ask(c, "jobs", NULL, &job);
	if (!rc && !strncmp(what, "job:", 4)) {
		rc = find_job(c, ads_json_get(job, "jobs"), what, uuid,
			      at ? &(int64_t){ 0 } : &at);
		what = uuid;
	}
	if (!rc)
		rc = foresight_ask(c, "risk", what, &risk);
	if (!rc)
		rc = foresight_ask(c, "history", what, &history);
	if (!rc) {
		at = at ? at : (int64_t)time(NULL);
		s.from = at - (int64_t)window;
		s.until = at + DAY;
		counters(&s, ads_json_get(history, "counters"));
		days(&s, ads_json_get(history, "days"));
		slow_days(&s, ads_json_get(risk, "slow"));
		warnings(&s, ads_json_get(risk, "early_warnings"));
		jobs(&s, ads_json_get(job, "jobs"),
		     foresight_int(risk, "member"), agent_str(risk, "pool"));
		if (s.nr)
			qsort(s.list, s.nr, sizeof(*s.list), compare);
		print(c, &s, risk, at);
	}
	free(s.list);
	json_object_put(history);
	json_object_put(risk);
	json_object_put(job);
	return rc;
}

static int run(struct ctl *c, int argc, char **argv)
{
	double window = 7 * DAY;
	int64_t at = 0;
	int val;

	while ((val = ctl_getopt(c, argc, argv)) != -1) {
		if (val == 'a')
			at = (int64_t)ctl_parse_u64(c, "--at", optarg,
						    1ULL << 40);
		else if (val == 'w')
			window = ctl_parse_duration(c, "--window", optarg);
	}
	if (argc - optind != 1)
		ctl_usage(c, "one member, or job:NUMBER");
	return explain(c, argv[optind], at, window);
}

const struct ctl_cmd ctl_explain = {
	.name = "explain",
	.args = "MEMBER|job:NUMBER",
	.summary = "Put the signals around an event in order, name what began it",
	.opts = opts,
	.flags = CTL_TABLE,
	.run = run,
};
