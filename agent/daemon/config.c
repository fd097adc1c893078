// SPDX-License-Identifier: GPL-2.0-or-later
#include <confuse.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "daemon/collect/smart-scan.h"
#include "daemon/config.h"
#include "lib/forecast.h"
#include "lib/units.h"

static const char *const mode_names[] = { "off", "advise", "auto", NULL };
static const char *const level_names[] = {
	"emerg", "alert", "crit", "error", "warning", "notice", "info", "debug",
	NULL
};
static const char *const bool_names[] = {
	"no", "yes", "false", "true", "off", "on", NULL
};

static int word(const char *const *names, const char *s)
{
	for (int i = 0; names[i]; i++)
		if (strcmp(names[i], s) == 0)
			return i;
	return -EINVAL;
}

static const char *type_wants(enum config_type type)
{
	switch (type) {
	case CONFIG_SECONDS:
		return "a time like 90s, 30m, 2h or 14d";
	case CONFIG_SIZE:
		return "a size like 512K, 4M or 1G";
	case CONFIG_NUMBER:
		return "a number";
	case CONFIG_BOOL:
		return "yes or no";
	case CONFIG_MODE:
		return "off, advise or auto";
	case CONFIG_LEVEL:
		return "error, warning, notice, info or debug";
	case CONFIG_STRING:
		break;
	}
	return "a word";
}

static int parse_number(const struct config_key *key, const char *s, long *out)
{
	uint64_t u = 0;
	double d;
	int r = 0;

	switch (key->type) {
	case CONFIG_SECONDS:
		r = ads_parse_duration(s, &d);
		if (r == 0 && !(d >= 0 && d < 1e12))
			r = -ERANGE;
		*out = r ? 0 : (long)(d + 0.5);
		return r;
	case CONFIG_SIZE:
		r = ads_parse_size(s, &u);
		break;
	case CONFIG_NUMBER:
		r = ads_parse_u64(s, INT64_MAX, &u);
		break;
	case CONFIG_BOOL:
		r = word(bool_names, s);
		*out = r & 1;
		return r < 0 ? r : 0;
	case CONFIG_MODE:
		r = word(mode_names, s);
		*out = r;
		return r < 0 ? r : 0;
	case CONFIG_LEVEL:
		r = word(level_names, s);
		*out = r;
		return r < 0 ? r : 0;
	case CONFIG_STRING:
		return -EINVAL;
	}
	if (r == 0 && u > INT64_MAX)
		r = -ERANGE;
	*out = r ? 0 : (long)u;
	return r;
}

static void format_number(const struct config_key *key, long v, char *buf,
			  size_t size)
{
	static const struct { long n; char c; } sizes[] = {
		{ 1L << 30, 'G' }, { 1L << 20, 'M' }, { 1L << 10, 'K' },
	}, times[] = { { 86400, 'd' }, { 3600, 'h' }, { 60, 'm' }, };

	switch (key->type) {
	case CONFIG_BOOL:
		snprintf(buf, size, "%s", bool_names[!!v]);
		return;
	case CONFIG_MODE:
		snprintf(buf, size, "%s", mode_names[v]);
		return;
	case CONFIG_LEVEL:
		snprintf(buf, size, "%s", level_names[v]);
		return;
	case CONFIG_SECONDS:
		for (int i = 0; i < 3; i++) {
			if (v && v % times[i].n == 0) {
				snprintf(buf, size, "%ld%c", v / times[i].n,
					 times[i].c);
				return;
			}
		}
		snprintf(buf, size, "%lds", v);
		return;
	case CONFIG_SIZE:
		for (int i = 0; i < 3; i++) {
			if (v && v % sizes[i].n == 0) {
				snprintf(buf, size, "%ld%c", v / sizes[i].n,
					 sizes[i].c);
				return;
			}
		}
		break;
	default:
		break;
	}
	snprintf(buf, size, "%ld", v);
}

static bool same_section(const struct config_key *key, const char *section)
{
	return key->section ? section && strcmp(key->section, section) == 0 :
			      !section;
}

static const struct config_key *find_key(cfg_t *cfg, const cfg_opt_t *opt)
{
	const char *section = strcmp(cfg_name(cfg), "root") ? cfg_name(cfg) :
							      NULL;

	for (const struct config_key *k = config_keys; k->name; k++)
		if (same_section(k, section) && strcmp(k->name, opt->name) == 0)
			return k;
	return NULL;
}

static int on_value(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result)
{
	const struct config_key *key = find_key(cfg, opt);
	char min[32], max[32];
	long v;
	int r;

	r = parse_number(key, value, &v);
	if (r == -EINVAL) {
		cfg_error(cfg, "%s: '%s' is not %s", opt->name, value,
			  type_wants(key->type));
		return -1;
	}
	if (r || v < key->min || v > key->max) {
		format_number(key, key->min, min, sizeof(min));
		format_number(key, key->max, max, sizeof(max));
		cfg_error(cfg, "%s: %s is out of bounds (%s to %s)", opt->name,
			  value, min, max);
		return -1;
	}
	*(long *)result = v;
	return 0;
}

static int on_string(cfg_t *cfg, cfg_opt_t *opt)
{
	const struct config_key *key = find_key(cfg, opt);
	const char *s = cfg_opt_getstr(opt);

	/* all but one are paths */
	if (!s || (s[0] != '/' && strcmp(opt->name, "devices"))) {
		cfg_error(cfg, "%s: '%s' is not an absolute path", opt->name,
			  s ? s : "");
		return -1;
	}
	if (strlen(s) >= (size_t)key->max) {
		cfg_error(cfg, "%s: path of more than %ld bytes", opt->name,
			  key->max - 1);
		return -1;
	}
	return 0;
}

/*
 * libconfuse's error function is given the section it is at and no pointer of
 * ours. So every section has one more option, under a name that nobody writes,
 * whose "simple value" is that pointer.
 */
#define FILE_OPT	"\001file"
/* Set behind the end of every file: fails if a section is still open there. */
#define END_OPT		"end-of-file"

struct file {
	const char *path;
	struct ads_err err;
};

__attribute__((format(printf, 2, 0)))
static void on_error(cfg_t *cfg, const char *fmt, va_list ap)
{
	cfg_opt_t *opt = cfg_getopt(cfg, FILE_OPT);
	struct file *file = opt ? (void *)opt->simple_value.number : NULL;
	char text[300];

	if (!file || file->err.text[0])
		return;		/* the first one is the cause */
	vsnprintf(text, sizeof(text), fmt, ap);
	if (strstr(text, END_OPT))
		snprintf(text, sizeof(text), "a section is not closed by '}'");
	ads_err(&file->err, -EINVAL, "%s:%d: %s", file->path, cfg->line, text);
}

/* A setting of the planner that this section has, and no key of ours. */
static bool in_section(const struct plan_setting *s, const char *section)
{
	size_t n = section ? strlen(section) : 0;

	return section && strncmp(s->name, section, n) == 0 &&
	       s->name[n] == '.' && !config_policy_shared(s->name);
}

static void fill_opts(cfg_opt_t *opts, const char *section,
		      struct file *file)
{
	for (const struct config_key *k = config_keys; k->name; k++) {
		if (!same_section(k, section))
			continue;
		if (k->type == CONFIG_STRING)
			*opts++ = (cfg_opt_t)CFG_STR(k->name, k->def, CFGF_NONE);
		else
			*opts++ = (cfg_opt_t)CFG_INT_CB(k->name, 0, CFGF_NONE,
							on_value);
	}
	for (const struct plan_setting *s = plan_settings; s->name; s++)
		if (in_section(s, section))
			*opts++ = (cfg_opt_t)CFG_STR(strchr(s->name, '.') + 1,
						     NULL, CFGF_NONE);
	*opts++ = (cfg_opt_t)CFG_SIMPLE_INT(FILE_OPT, (long *)file);
	*opts = (cfg_opt_t)CFG_END();
}

#define MAX_SECTIONS	32
#define MAX_OPTS	24

struct grammar {
	cfg_opt_t root[MAX_OPTS + MAX_SECTIONS];
	cfg_opt_t sub[MAX_SECTIONS][MAX_OPTS];
	char section[MAX_SECTIONS][24];
	int nr;
};

static void add_section(struct grammar *g, cfg_opt_t **o, const char *name,
			size_t len, struct file *file)
{
	char section[24];

	snprintf(section, sizeof(section), "%.*s", (int)len, name);
	for (int i = 0; i < g->nr; i++)
		if (strcmp(g->section[i], section) == 0)
			return;
	memcpy(g->section[g->nr], section, sizeof(section));
	fill_opts(g->sub[g->nr], section, file);
	*(*o)++ = (cfg_opt_t)CFG_SEC(g->section[g->nr], g->sub[g->nr],
				     CFGF_NONE);
	g->nr++;
}

static void make_grammar(struct grammar *g, struct file *file)
{
	cfg_opt_t *o = g->root;

	fill_opts(o, NULL, file);
	while (o->name)
		o++;
	*o++ = (cfg_opt_t)CFG_INT(END_OPT, 0, CFGF_NONE);
	for (const struct config_key *k = config_keys; k->name; k++)
		if (k->section)
			add_section(g, &o, k->section, strlen(k->section), file);
	for (const struct plan_setting *s = plan_settings; s->name; s++)
		if (strchr(s->name, '.'))
			add_section(g, &o, s->name, strcspn(s->name, "."), file);
	*o = (cfg_opt_t)CFG_END();
}

static void set_key(struct config *c, const struct config_key *key, long number,
		    const char *string)
{
	char *at = (char *)c + key->offset;

	if (key->type == CONFIG_STRING)
		snprintf(at, key->max, "%s", string);
	else
		*(long *)at = number;
}

static void take_values(struct config *c, cfg_t *cfg, const char *section)
{
	for (const struct config_key *k = config_keys; k->name; k++) {
		cfg_opt_t *opt;

		if (!same_section(k, section))
			continue;
		opt = cfg_getopt(cfg, k->name);
		if (!opt || !(opt->flags & CFGF_MODIFIED))
			continue;
		if (k->type == CONFIG_STRING)
			set_key(c, k, 0, cfg_opt_getstr(opt));
		else
			set_key(c, k, cfg_opt_getnint(opt, 0), NULL);
	}
}

/* What the file says of the planner; it was not there, or it is whole. */
static int take_policy(struct config *c, cfg_t *cfg, const char *path,
		       struct ads_err *err)
{
	const char *names[CONFIG_POLICY_MAX], *values[CONFIG_POLICY_MAX];
	struct ads_err why = { .text = "" };
	size_t n = 0;
	int r;

	for (const struct plan_setting *s = plan_settings; s->name; s++) {
		char section[24];
		cfg_opt_t *opt;

		if (!strchr(s->name, '.') || config_policy_shared(s->name))
			continue;
		snprintf(section, sizeof(section), "%.*s",
			 (int)strcspn(s->name, "."), s->name);
		opt = cfg_getopt(cfg_getsec(cfg, section),
				 strchr(s->name, '.') + 1);
		if (!opt || !(opt->flags & CFGF_MODIFIED) ||
		    n == CONFIG_POLICY_MAX)
			continue;
		names[n] = s->name;
		values[n++] = cfg_opt_getstr(opt);
	}
	config_policy_from_keys(c);
	r = config_policy_set(&c->policy, names, values, n, &why);
	return r ? ads_err(err, -EINVAL, "%s: %s", path,
			   ads_err_text(&why, r)) : 0;
}

/* The whole file with END_OPT behind it, for the caller to free(). */
static int read_file(const char *path, char **out, struct ads_err *err)
{
	char *text = NULL;
	size_t len = 0;
	int r = 0;
	FILE *f;

	f = fopen(path, "re");
	if (!f) {
		r = -errno;
		return ads_err(err, r, "%s: %s", path, strerror(-r));
	}
	/* no NUL in a text file: the delimiter never comes */
	if (getdelim(&text, &len, 0, f) < 0) {
		if (ferror(f))
			r = ads_err(err, -EIO, "%s: can't be read", path);
		else if (text)
			text[0] = 0;
	} else if (!feof(f)) {
		r = ads_err(err, -EINVAL, "%s: not a text file", path);
	}
	if (r == 0 && asprintf(out, "%s\n" END_OPT " = 1\n",
			       text ? text : "") < 0)
		r = -ENOMEM;
	free(text);
	fclose(f);
	return r;
}

/*
 * Each file gets a tree of its own, and what it sets is laid over @c: with one
 * tree for all, what a file resets could not be told from what it leaves.
 */
static int parse_file(struct config *c, const char *path, struct ads_err *err)
{
	struct file file = { .path = path };
	struct grammar *g = NULL;
	char *text = NULL;
	cfg_t *cfg = NULL;
	int r;

	r = read_file(path, &text, err);
	if (r)
		return r;
	r = -ENOMEM;
	g = calloc(1, sizeof(*g));
	if (!g)
		goto out;
	make_grammar(g, &file);
	cfg = cfg_init(g->root, CFGF_NONE);
	if (!cfg)
		goto out;
	cfg_set_error_function(cfg, on_error);
	for (const struct config_key *k = config_keys; k->name; k++) {
		char name[64];

		if (k->type != CONFIG_STRING)
			continue;
		snprintf(name, sizeof(name), "%s%s%s",
			 k->section ? k->section : "", k->section ? "|" : "",
			 k->name);
		cfg_set_validate_func(cfg, name, on_string);
	}
	r = cfg_parse_buf(cfg, text);
	if (r) {
		r = ads_err(err, -EINVAL, "%s", file.err.text[0] ?
			    file.err.text : "not a configuration file");
		goto out;
	}
	if (!(cfg_getopt(cfg, END_OPT)->flags & CFGF_MODIFIED)) {
		r = ads_err(err, -EINVAL, "%s: a comment is not closed", path);
		goto out;
	}
	take_values(c, cfg, NULL);
	for (int i = 0; i < g->nr; i++)
		take_values(c, cfg_getsec(cfg, g->section[i]), g->section[i]);
	r = take_policy(c, cfg, path, err);
out:
	cfg_free(cfg);
	free(text);
	free(g);
	return r;
}

static int is_conf(const struct dirent *d)
{
	size_t n = strlen(d->d_name);

	return d->d_name[0] != '.' && n > 5 &&
	       strcmp(d->d_name + n - 5, ".conf") == 0;
}

static int parse_drop_ins(struct config *c, const char *path,
			  struct ads_err *err)
{
	char dir[4096], file[8192];
	struct dirent **list;
	int n, r = 0;

	snprintf(dir, sizeof(dir), "%s.d", path);
	n = scandir(dir, &list, is_conf, alphasort);
	if (n < 0)
		return errno == ENOENT ? 0 :
		       ads_err(err, -errno, "%s: %s", dir, strerror(errno));
	for (int i = 0; i < n; i++) {
		snprintf(file, sizeof(file), "%s/%s", dir, list[i]->d_name);
		if (r == 0)
			r = parse_file(c, file, err);
		free(list[i]);
	}
	free(list);
	return r;
}

int config_check(const struct config *c, const char *path,
		 struct ads_err *err)
{
	struct ads_err why = { .text = "" };
	char word[80];

	if (c->score.release >= c->score.drain)
		return ads_err(err, -EINVAL,
			       "%s: score.release (%ld) must be below score.drain (%ld)",
			       path, c->score.release, c->score.drain);
	if (c->score.urgent < c->score.drain)
		return ads_err(err, -EINVAL,
			       "%s: score.urgent (%ld) is below score.drain (%ld)",
			       path, c->score.urgent, c->score.drain);
	if (c->plan.max_score > c->score.drain)
		return ads_err(err, -EINVAL,
			       "%s: plan.max_score (%ld) is above score.drain (%ld): segments would go to members that are drained next",
			       path, c->plan.max_score, c->score.drain);
	if (c->plan.backoff_max < c->plan.backoff)
		return ads_err(err, -EINVAL,
			       "%s: plan.backoff_max is less than plan.backoff",
			       path);
	if ((c->throttle.source_rate &&
	     c->throttle.floor > c->throttle.source_rate) ||
	    (c->throttle.destination_rate &&
	     c->throttle.floor > c->throttle.destination_rate))
		return ads_err(err, -EINVAL,
			       "%s: throttle.floor is above one of the rates",
			       path);
	if (!smart_devices_check(c->smart.devices, word, sizeof(word)))
		return ads_err(err, -EINVAL,
			       "%s: smart.devices: %s is not DISK=TYPE[@/DEVICE]",
			       path, word);
	if (c->forecast.season / c->forecast.step > ADS_FC_MAX_SEASON)
		return ads_err(err, -EINVAL,
			       "%s: forecast.season is more than %d of forecast.step",
			       path, ADS_FC_MAX_SEASON);
	if (c->patrol.block % 4096)
		return ads_err(err, -EINVAL,
			       "%s: patrol.block is not a multiple of 4K", path);
	if (plan_policy_check(&c->policy, &why))
		return ads_err(err, -EINVAL, "%s: %s", path, why.text);
	return 0;
}

void config_defaults(struct config *c)
{
	long v;

	memset(c, 0, sizeof(*c));
	for (const struct config_key *k = config_keys; k->name; k++) {
		v = 0;
		if (k->type != CONFIG_STRING)
			parse_number(k, k->def, &v);
		set_key(c, k, v, k->def);
	}
	plan_policy_defaults(&c->policy);
	config_policy_from_keys(c);
}

int config_load(const char *path, bool must_exist, struct config **out,
		struct ads_err *err)
{
	struct config *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return -ENOMEM;
	config_defaults(c);
	r = parse_file(c, path, err);
	if (r == -ENOENT && !must_exist) {
		if (err)
			err->text[0] = 0;
		r = 0;
	}
	if (r == 0)
		r = parse_drop_ins(c, path, err);
	if (r == 0)
		r = config_check(c, path, err);
	if (r) {
		free(c);
		return r;
	}
	*out = c;
	return 0;
}

static void print_section(const struct config *c, const char *section, FILE *f)
{
	char value[32];

	for (const struct config_key *k = config_keys; k->name; k++) {
		const char *at = (const char *)c + k->offset;

		if (!same_section(k, section))
			continue;
		if (k->type == CONFIG_STRING) {
			fprintf(f, "%s%s = \"%s\"\n", section ? "\t" : "",
				k->name, at);
			continue;
		}
		format_number(k, *(const long *)at, value, sizeof(value));
		fprintf(f, "%s%s = %s\n", section ? "\t" : "", k->name, value);
	}
	for (const struct plan_setting *s = plan_settings; s->name; s++)
		if (in_section(s, section))
			fprintf(f, s->type == PLAN_SET_CLOCK ?
				"\t%s = \"%s\"\n" : "\t%s = %s\n",
				strchr(s->name, '.') + 1,
				plan_policy_get(&c->policy, s, value,
						sizeof(value)));
}

void config_print(const struct config *c, FILE *f)
{
	struct grammar *g = calloc(1, sizeof(*g));

	if (!g)
		return;
	make_grammar(g, NULL);
	print_section(c, NULL, f);
	for (int i = 0; i < g->nr; i++) {
		fprintf(f, "\n%s {\n", g->section[i]);
		print_section(c, g->section[i], f);
		fputs("}\n", f);
	}
	free(g);
}
