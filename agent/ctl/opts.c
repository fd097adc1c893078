// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Options as data: parsing, help, and the list of them for the completion.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/units.h"

#include "ctl.h"
#include "verbs.h"

#define COMPLETE_MS	1000

enum {
	O_COLOR = 1000,
	O_PROGRESS,
};

static const struct ctl_opt common[] = {
	{ 'p', "pool", "POOL", "the pool: UUID, name or device" },
	{ 'j', "json", "[=VERSION]", "print JSON" },
	{ O_PROGRESS, "progress", "HOW", "auto, tty, plain, json or none" },
	{ 'o', "output", "COLUMNS", "columns to print; +COL, -COL; help lists them" },
	{ 'O', "output-all", NULL, "print all columns" },
	{ 'n', "noheadings", NULL, "don't print headings" },
	{ 'b', "bytes", NULL, "print sizes in bytes" },
	{ 'r', "raw", NULL, "print columns separated by one blank" },
	{ O_COLOR, "color", "WHEN", "auto, always or never" },
	{ 'h', "help", NULL, "print this text" },
	{ 0, NULL, NULL, NULL },
};

static bool has_common(const struct ctl_cmd *cmd, const struct ctl_opt *o)
{
	switch (o->val) {
	case 'p':
		return !(cmd->flags & CTL_NO_POOL);
	case 'j':
		return !(cmd->flags & CTL_NO_JSON);
	case O_PROGRESS:
		return cmd->flags & CTL_PROGRESS;
	case 'o':
	case 'O':
	case 'n':
	case 'b':
	case 'r':
		return cmd->flags & CTL_TABLE;
	default:
		return true;
	}
}

/* Calls @fn for every option of the verb, its own ones first. */
static void each_option(const struct ctl_cmd *cmd,
			void (*fn)(const struct ctl_opt *o, void *arg),
			void *arg)
{
	for (const struct ctl_opt *o = cmd->opts; o && o->name; o++)
		fn(o, arg);
	for (const struct ctl_opt *o = common; o->name; o++)
		if (has_common(cmd, o))
			fn(o, arg);
}

struct build {
	struct option *longs;
	size_t n;
	char *shorts;
	size_t len;
};

static void add_option(const struct ctl_opt *o, void *arg)
{
	struct build *b = arg;
	int has = !o->arg ? no_argument :
		  o->arg[0] == '[' ? optional_argument : required_argument;

	b->longs[b->n++] = (struct option){ o->name, has, NULL, o->val };
	if (o->val > 255)
		return;
	b->shorts[b->len++] = o->val;
	for (int i = 0; i < has; i++)
		b->shorts[b->len++] = ':';
}

static void build(struct ctl *c)
{
	struct build b = { 0 };

	b.longs = calloc(64, sizeof(*b.longs));
	b.shorts = calloc(64, 4);
	if (!b.longs || !b.shorts)
		abort();
	each_option(c->cmd, add_option, &b);
	c->longopts = b.longs;
	c->shortopts = b.shorts;
	optind = 1;
	opterr = 0;
}

static void print_option(const struct ctl_opt *o, void *arg)
{
	char text[64];
	int n = 0;

	if (o->val > 255)
		n += snprintf(text + n, sizeof(text) - n, "      --%s",
			      o->name);
	else
		n += snprintf(text + n, sizeof(text) - n, "  -%c, --%s",
			      o->val, o->name);
	if (o->arg)
		snprintf(text + n, sizeof(text) - n, "%s%s",
			 o->arg[0] == '[' ? "" : " ", o->arg);
	if (strlen(text) > 28)
		printf("%s\n%30s%s\n", text, "", o->help);
	else
		printf("%-30s%s\n", text, o->help);
}

static void help(const struct ctl_cmd *cmd)
{
	printf("Usage: adshardctl %s [OPTION...]%s%s\n\n%s.\n\nOptions:\n",
	       cmd->name, cmd->args[0] ? " " : "", cmd->args, cmd->summary);
	each_option(cmd, print_option, NULL);
}

void ctl_usage(struct ctl *c, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "adshardctl %s: ", c->cmd->name);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, " (adshardctl %s --help)\n", c->cmd->name);
	exit(CTL_USAGE);
}

static void take_json(struct ctl *c, const char *arg)
{
	char schema[64];

	if (arg && strcmp(arg, "1"))
		ctl_usage(c, "there is no version %s of the JSON, only 1", arg);
	if (c->json)
		return;
	c->json = true;
	snprintf(schema, sizeof(schema), "adshardctl.%s", c->cmd->name);
	c->doc = ads_json_doc(schema, 1);
	c->warnings = ads_json_arr(c->doc, "warnings");
	ads_json_null(c->doc, "error");
}

static void take_color(struct ctl *c, const char *arg)
{
	if (!strcmp(arg, "always"))
		c->color = 1;
	else if (!strcmp(arg, "never"))
		c->color = 0;
	else if (strcmp(arg, "auto"))
		ctl_usage(c, "--color takes auto, always or never, not %s",
			  arg);
}

int ctl_getopt(struct ctl *c, int argc, char **argv)
{
	if (!c->longopts)
		build(c);
	for (;;) {
		int val = getopt_long(argc, argv, c->shortopts, c->longopts,
				      NULL);

		switch (val) {
		case '?':
		case ':':
			/* optopt is 0 for an unknown long option */
			ctl_usage(c, "%s is not an option of this verb, or misused",
				  argv[optind - 1]);
		case 'h':
			help(c->cmd);
			exit(fflush(stdout) ? CTL_FAILED : CTL_OK);
		case 'p':
			c->pool = optarg;
			break;
		case 'j':
			take_json(c, optarg);
			break;
		case O_COLOR:
			take_color(c, optarg);
			break;
		case O_PROGRESS:
			if (ads_progress_parse(optarg, &c->progress))
				ctl_usage(c, "--progress takes auto, tty, plain, json or none, not %s",
					  optarg);
			break;
		case 'o':
			c->table.columns = optarg;
			break;
		case 'O':
			c->table.all = true;
			break;
		case 'n':
			c->table.noheadings = true;
			break;
		case 'b':
			c->table.bytes = true;
			break;
		case 'r':
			c->table.raw = true;
			break;
		default:
			return val;
		}
	}
}

uint64_t ctl_parse_size(struct ctl *c, const char *what, const char *s)
{
	uint64_t v;

	if (ads_parse_size(s, &v))
		ctl_usage(c, "%s: %s is not a size (4096, 64K, 1.5G)", what, s);
	return v;
}

uint64_t ctl_parse_u64(struct ctl *c, const char *what, const char *s,
		       uint64_t max)
{
	uint64_t v;

	if (ads_parse_u64(s, max, &v))
		ctl_usage(c, "%s: %s is not a number from 0 to %llu", what, s,
			  (unsigned long long)max);
	return v;
}

double ctl_parse_duration(struct ctl *c, const char *what, const char *s)
{
	double v;

	if (ads_parse_duration(s, &v))
		ctl_usage(c, "%s: %s is not a duration (90, 90s, 5m, 2h, 20ms)",
			  what, s);
	return v;
}

static int cmp_u32(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

int ctl_parse_segments(struct ctl *c, char **argv, int argc, uint32_t **out,
		       size_t *nr)
{
	uint32_t *v = NULL;
	size_t n = 0, k = 0;

	for (int i = 0; i < argc; i++) {
		char *copy = strdup(argv[i]), *save, *tok;

		if (!copy)
			return -ENOMEM;
		for (tok = strtok_r(copy, ",", &save); tok;
		     tok = strtok_r(NULL, ",", &save)) {
			char *dash = strchr(tok, '-');
			uint64_t first, last;
			uint32_t *p;

			if (dash)
				*dash = '\0';
			first = ctl_parse_u64(c, "segment", tok,
					      ADSHARD_MAX_SEGMENTS - 1);
			last = dash ? ctl_parse_u64(c, "segment", dash + 1,
						    ADSHARD_MAX_SEGMENTS - 1) :
				      first;
			if (last < first)
				ctl_usage(c, "%llu-%llu is not a range of segments",
					  (unsigned long long)first,
					  (unsigned long long)last);
			p = reallocarray(v, n + last - first + 1, sizeof(*v));
			if (!p) {
				free(copy);
				free(v);
				return -ENOMEM;
			}
			v = p;
			while (first <= last)
				v[n++] = first++;
		}
		free(copy);
	}
	if (!n)
		ctl_usage(c, "which segment? (5 or 5,7-12)");
	qsort(v, n, sizeof(*v), cmp_u32);
	for (size_t i = 0; i < n; i++)
		if (!k || v[k - 1] != v[i])
			v[k++] = v[i];
	*out = v;
	*nr = k;
	return 0;
}

static void complete_option(const struct ctl_opt *o, void *arg)
{
	printf("--%s%s\n", o->name, o->arg && o->arg[0] != '[' ? "=" : "");
}

/* Numbers of those that run. */
static void complete_jobs(void)
{
	struct ads_agent_status *st = NULL;

	if (ads_agent_status(COMPLETE_MS, &st, NULL))
		return;
	for (size_t i = 0; i < st->nr_jobs; i++)
		if (!st->jobs[i].finished)
			printf("%lld\n", (long long)st->jobs[i].id);
	ads_agent_status_free(st);
}

/* Field @key of what the agent answers to @cmd, in its array @list. */
static void complete_asked(const char *cmd, const char *list, const char *key,
			   const char *suffix)
{
	struct json_object *answer, *a;

	if (ads_agent_call(cmd, NULL, COMPLETE_MS, &answer, NULL))
		return;
	a = ads_json_get(answer, list);
	for (size_t i = 0; json_object_is_type(a, json_type_array) &&
			   i < json_object_array_length(a); i++)
		printf("%s%s\n", json_object_get_string(ads_json_get(
				json_object_array_get_idx(a, i), key)), suffix);
	json_object_put(answer);
}

/*
 * adshardctl __complete verbs | options VERB | pools | members | jobs |
 * settings | pins: what the
 * shell's completion asks for. It never fails and never says anything else.
 */
static int complete(struct ctl *c, int argc, char **argv)
{
	struct ads_member *m;
	struct ads_pool *p;
	char name[128];
	size_t n;

	if (argc < 2)
		return CTL_USAGE;
	if (!strcmp(argv[1], "verbs")) {
		for (int i = 0; ctl_cmds[i]; i++)
			if (!(ctl_cmds[i]->flags & CTL_HIDDEN))
				puts(ctl_cmds[i]->name);
	} else if (!strcmp(argv[1], "options") && argc > 2) {
		for (int i = 0; ctl_cmds[i]; i++)
			if (!strcmp(ctl_cmds[i]->name, argv[2]))
				each_option(ctl_cmds[i], complete_option, NULL);
	} else if (!strcmp(argv[1], "pools")) {
		if (ads_nl_open(&c->nl, NULL) ||
		    ads_nl_pools(c->nl, &p, &n, NULL))
			return CTL_OK;
		for (size_t i = 0; i < n; i++)
			puts(ctl_pool_name(&p[i], name));
		free(p);
	} else if (!strcmp(argv[1], "members")) {
		if (ads_nl_open(&c->nl, NULL) ||
		    ads_nl_members(c->nl, NULL, &m, &n, NULL))
			return CTL_OK;
		for (size_t i = 0; i < n; i++) {
			if (!m[i].present)
				continue;
			ads_member_name(&m[i], name, sizeof(name));
			puts(name);
		}
		free(m);
	} else if (!strcmp(argv[1], "jobs")) {
		complete_jobs();
	} else if (!strcmp(argv[1], "settings")) {
		complete_asked("policy", "settings", "name", "=");
	} else if (!strcmp(argv[1], "pins")) {
		complete_asked("pins", "pins", "id", "");
	}
	return CTL_OK;
}

const struct ctl_cmd ctl_complete = {
	.name = "__complete",
	.args = "WHAT",
	.summary = "Words for the shell's completion",
	.flags = CTL_HIDDEN | CTL_NO_POOL | CTL_NO_JSON,
	.run = complete,
};
