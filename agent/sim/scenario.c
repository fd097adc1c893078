// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/units.h"
#include "sim/scenario.h"

#define WORDS	32

struct line {
	struct scenario *s;
	const char *path;
	unsigned int number;
	char *word[WORDS];
	unsigned int nr, at;
	struct ads_err *err;
};

static int bad(struct line *l, const char *what)
{
	return ads_err(l->err, -EINVAL, "%s:%u: %s", l->path, l->number, what);
}

static const char *next(struct line *l)
{
	return l->at < l->nr ? l->word[l->at++] : NULL;
}

static bool take(struct line *l, const char *word)
{
	if (l->at >= l->nr || strcmp(l->word[l->at], word))
		return false;
	l->at++;
	return true;
}

static int number(struct line *l, double *out)
{
	const char *w = next(l);
	char *end;

	if (!w)
		return bad(l, "a number is missing");
	*out = strtod(w, &end);
	if (end != w && !strcmp(end, "%"))
		*out /= 100;
	else if (end == w || *end)
		return bad(l, "what should be a number is none");
	if (!(*out >= 0 && *out < 1e15))
		return bad(l, "a number is too small or too large");
	return 0;
}

static int whole(struct line *l, uint32_t *out, uint32_t most)
{
	double d;
	int r = number(l, &d);

	if (r)
		return r;
	if (d > most || d != (uint32_t)d)
		return bad(l, "a number is too large or not whole");
	*out = (uint32_t)d;
	return 0;
}

static int duration(struct line *l, int64_t *out)
{
	const char *w = next(l);
	double d;

	if (!w || ads_parse_duration(w, &d) || d > 1e10)
		return bad(l, "a time like 10d is missing");
	*out = (int64_t)d;
	return 0;
}

static int size(struct line *l, uint64_t *out)
{
	const char *w = next(l);

	if (!w || ads_parse_size(w, out) || !*out)
		return bad(l, "a size like 4T is missing");
	return 0;
}

static int clock_of(struct line *l, double *out)
{
	const char *w = next(l);
	unsigned int h, m;

	if (!w || sscanf(w, "%2u:%2u", &h, &m) != 2 || h > 23 || m > 59)
		return bad(l, "a time of the day like 14:00 is missing");
	*out = h * 3600.0 + m * 60.0;
	return 0;
}

static int find_class(struct line *l, uint16_t *out)
{
	const char *w = next(l);

	for (uint32_t i = 0; w && i < l->s->nr_classes; i++)
		if (!strcmp(l->s->class[i].name, w)) {
			*out = (uint16_t)i;
			return 0;
		}
	return bad(l, "there is no such class (they come first)");
}

static int find_location(struct line *l, uint16_t *out)
{
	const char *w = next(l);

	for (uint32_t i = 0; w && i < l->s->nr_locations; i++)
		if (!strcmp(l->s->location[i].name, w)) {
			*out = (uint16_t)i;
			return 0;
		}
	return bad(l, "there is no such location (they come first)");
}

static int name_into(struct line *l, char *out, size_t room)
{
	const char *w = next(l);

	if (!w || strlen(w) >= room)
		return bad(l, "a name is missing or too long");
	strcpy(out, w);
	return 0;
}

/* -- lines ---------------------------------------------------------------------- */

/* class NAME latency MS mibs N iops N */
static int class(struct line *l)
{
	struct plan_class *c = &l->s->class[l->s->nr_classes];
	double v;
	int r;

	if (l->s->nr_classes == SIM_CLASSES)
		return bad(l, "too many classes");
	*c = (struct plan_class){ .latency_ms = 8, .mibs = 200, .iops = 150 };
	r = name_into(l, c->name, sizeof(c->name));
	while (!r && l->at < l->nr) {
		float *to = take(l, "latency") ? &c->latency_ms :
			    take(l, "mibs") ? &c->mibs :
			    take(l, "iops") ? &c->iops : NULL;

		if (!to)
			return bad(l, "class: latency, mibs or iops");
		r = number(l, &v);
		*to = (float)v;
	}
	l->s->nr_classes++;
	return r;
}

/* location NAME [rtt MS] */
static int location(struct line *l)
{
	struct plan_location *o = &l->s->location[l->s->nr_locations];
	double v = 0;
	int r;

	if (l->s->nr_locations == SIM_LOCATIONS)
		return bad(l, "too many locations");
	r = name_into(l, o->name, sizeof(o->name));
	if (!r && take(l, "rtt"))
		r = number(l, &v);
	o->rtt_ms = (float)v;
	l->s->nr_locations++;
	return r;
}

/* link A B mibs N */
static int link_line(struct line *l)
{
	struct plan_link *k = &l->s->link[l->s->nr_links];
	double v = 0;
	int r;

	if (l->s->nr_links == SIM_LINKS)
		return bad(l, "too many links");
	r = find_location(l, &k->a);
	if (!r)
		r = find_location(l, &k->b);
	if (!r && !take(l, "mibs"))
		return bad(l, "link: mibs is missing");
	if (!r)
		r = number(l, &v);
	k->mibs = (float)v;
	l->s->nr_links++;
	return r;
}

/* members N class C size S [location L] [domain N] [cost X] [spare] */
static int members(struct line *l)
{
	struct sim_group *g = &l->s->group[l->s->nr_groups];
	double v;
	int r;

	if (l->s->nr_groups == SIM_GROUPS)
		return bad(l, "too many lines of members");
	*g = (struct sim_group){ .cost = 1, .size = 4ULL << 40 };
	r = whole(l, &g->count, PLAN_MEMBERS);
	while (!r && l->at < l->nr) {
		if (take(l, "class")) {
			r = find_class(l, &g->class);
		} else if (take(l, "location")) {
			r = find_location(l, &g->location);
		} else if (take(l, "size")) {
			r = size(l, &g->size);
		} else if (take(l, "domain")) {
			r = whole(l, &g->per_domain, PLAN_MEMBERS);
		} else if (take(l, "cost")) {
			r = number(l, &v);
			g->cost = (float)v;
		} else if (take(l, "spare")) {
			g->spare = true;
		} else {
			return bad(l, "members: class, location, size, domain, cost or spare");
		}
	}
	l->s->nr_groups++;
	return r;
}

/* load FIRST LAST flat|day|trace [mibs N] [low N] [peak HH:MM] [width T]... */
static int load(struct line *l)
{
	struct sim_load *o = &l->s->load[l->s->nr_loads];
	int64_t t;
	int r;

	if (l->s->nr_loads == SIM_LOADS)
		return bad(l, "too many loads");
	*o = (struct sim_load){ .mibs = 10, .peak = 50400, .width = 14400,
				.kib = 64 };
	r = number(l, &o->first);
	if (!r)
		r = number(l, &o->last);
	if (!r && (o->last > 1 || o->first >= o->last))
		return bad(l, "load: two shares of the volume, the lower first");
	if (take(l, "day"))
		o->shape = SIM_DAY;
	else if (take(l, "trace"))
		o->shape = SIM_TRACE;
	else if (!take(l, "flat"))
		return bad(l, "load: flat, day or trace");
	while (!r && l->at < l->nr) {
		if (take(l, "mibs")) {
			r = number(l, &o->mibs);
		} else if (take(l, "low")) {
			r = number(l, &o->low);
		} else if (take(l, "zipf")) {
			r = number(l, &o->zipf);
		} else if (take(l, "noise")) {
			r = number(l, &o->noise);
		} else if (take(l, "kib")) {
			r = number(l, &o->kib);
		} else if (take(l, "peak")) {
			r = clock_of(l, &o->peak);
		} else if (take(l, "width")) {
			r = duration(l, &t);
			o->width = r ? 0 : (double)t;
		} else {
			return bad(l, "load: mibs, low, zipf, noise, kib, peak or width");
		}
	}
	if (!r && (o->kib <= 0 || o->zipf > 4 || o->noise > 4 || o->width <= 0))
		return bad(l, "load: kib and width are above zero, zipf and noise at most 4");
	l->s->nr_loads++;
	return r;
}

/* at T fail|score|slow|stale|link|import|flap ... */
static int event(struct line *l)
{
	struct sim_event *e = &l->s->event[l->s->nr_events];
	int r;

	if (l->s->nr_events == SIM_EVENTS)
		return bad(l, "too many events");
	*e = (struct sim_event){ .time = 0 };
	r = duration(l, &e->time);
	if (r)
		return r;
	if (take(l, "import")) {
		e->kind = SIM_IMPORT;
		r = number(l, &e->a);
		goto end;
	}
	e->kind = take(l, "fail") ? SIM_FAIL : take(l, "score") ? SIM_SCORE :
		  take(l, "slow") ? SIM_SLOW : take(l, "stale") ? SIM_STALE :
		  take(l, "flap") ? SIM_FLAP : SIM_LINK;
	if (e->kind == SIM_LINK && !take(l, "link"))
		return bad(l, "at: fail, score, slow, stale, flap, link or import");
	r = whole(l, &e->member, PLAN_MEMBERS);
	while (!r && l->at < l->nr) {
		if (take(l, "from") || take(l, "by"))
			r = number(l, &e->a);
		else if (take(l, "to"))
			r = number(l, &e->b);
		else if (take(l, "within") || take(l, "for"))
			r = duration(l, &e->length);
		else
			return bad(l, "at: from, to, by, within or for");
	}
end:
	l->s->nr_events++;
	return r;
}

static int parse(struct line *l)
{
	struct scenario *s = l->s;
	const char *value, *key = next(l);
	int r;

	if (!strcmp(key, "class"))
		return class(l);
	if (!strcmp(key, "location"))
		return location(l);
	if (!strcmp(key, "link"))
		return link_line(l);
	if (!strcmp(key, "members"))
		return members(l);
	if (!strcmp(key, "load"))
		return load(l);
	if (!strcmp(key, "at"))
		return event(l);
	if (!strcmp(key, "policy")) {
		struct ads_err err;

		key = next(l);
		value = next(l);
		if (!value)
			return bad(l, "policy: a name and a value");
		r = plan_policy_set(&s->policy, key, value, &err);
		return r ? bad(l, err.text) : 0;
	}
	if (!strcmp(key, "name"))
		return name_into(l, s->name, sizeof(s->name));
	if (!strcmp(key, "length"))
		return duration(l, &s->length);
	if (!strcmp(key, "look"))
		return duration(l, &s->look);
	if (!strcmp(key, "replace"))
		return duration(l, &s->replace);
	if (!strcmp(key, "segment"))
		return size(l, &s->segment);
	if (!strcmp(key, "fill"))
		return number(l, &s->fill);
	if (!strcmp(key, "place")) {
		s->sequential = take(l, "sequential");
		return s->sequential || take(l, "spread") ? 0 :
		       bad(l, "place: spread or sequential");
	}
	if (!strcmp(key, "legs"))
		return whole(l, &s->legs, PLAN_LEGS);
	if (!strcmp(key, "seed")) {
		uint32_t seed;

		r = whole(l, &seed, 1U << 31);
		s->seed = r ? 0 : seed;
		return r;
	}
	return bad(l, "there is no such line");
}

static int check(const struct scenario *s, const char *path,
		 struct ads_err *err)
{
	uint64_t all = 0;

	for (uint32_t i = 0; i < s->nr_groups; i++) {
		all += s->group[i].count;
		if (s->group[i].size / s->segment > 1 << 20)
			return ads_err(err, -EINVAL,
				       "%s: a member has more than a million segments",
				       path);
	}
	if (!s->nr_classes || !all || all > PLAN_MEMBERS)
		return ads_err(err, -EINVAL,
			       "%s: there must be a class, and 1 to %d members",
			       path, PLAN_MEMBERS);
	if (!s->legs || s->fill > 1 || s->look < 1 || s->length < s->look)
		return ads_err(err, -EINVAL,
			       "%s: legs are 1 to %d, fill at most 100%%, look at most length",
			       path, PLAN_LEGS);
	for (uint32_t i = 0; i < s->nr_events; i++)
		if (s->event[i].kind == SIM_LINK ?
		    s->event[i].member >= s->nr_links :
		    s->event[i].kind != SIM_IMPORT && s->event[i].member >= all)
			return ads_err(err, -EINVAL,
				       "%s: an event is about member or link %u, which there is not",
				       path, s->event[i].member);
	return 0;
}

int scenario_read(const char *path, struct scenario *s, struct ads_err *err)
{
	struct line l = { .s = s, .path = path, .err = err };
	char text[1024], *save, *w;
	FILE *f = fopen(path, "r");
	int r = 0;

	if (!f)
		return ads_err(err, -errno, "%s: %s", path, strerror(errno));
	*s = (struct scenario){ .seed = 1, .length = 86400, .look = 1800,
				.segment = 1ULL << 30, .fill = 0.5, .legs = 1 };
	plan_policy_defaults(&s->policy);
	while (!r && fgets(text, sizeof(text), f)) {
		l.number++;
		l.nr = l.at = 0;
		text[strcspn(text, "#\n")] = 0;
		for (w = strtok_r(text, " \t", &save); w && l.nr < WORDS;
		     w = strtok_r(NULL, " \t", &save))
			l.word[l.nr++] = w;
		if (!l.nr)
			continue;
		r = parse(&l);
		if (!r && l.at < l.nr)
			r = bad(&l, "there is more than it takes");
	}
	fclose(f);
	if (!s->nr_locations) {
		strcpy(s->location[0].name, "here");
		s->nr_locations = 1;
	}
	return r ? r : check(s, path, err);
}

bool scenario_wants_traces(const struct scenario *s)
{
	for (uint32_t i = 0; i < s->nr_loads; i++)
		if (s->load[i].shape == SIM_TRACE)
			return true;
	return false;
}
