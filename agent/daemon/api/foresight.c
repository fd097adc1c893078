// SPDX-License-Identifier: GPL-2.0-or-later
#include <math.h>
#include <stdio.h>

#include "daemon/api/foresight.h"
#include "daemon/api/parts.h"
#include "daemon/cycle.h"
#include "daemon/foresee.h"
#include "lib/forecast.h"
#include "lib/json.h"

static void add_number(struct json_object *o, const char *key, double v)
{
	if (isnan(v))
		ads_json_null(o, key);
	else
		ads_json_double(o, key, v);
}

static void add_probability(struct json_object *o, const double *p)
{
	static const char *const key[RISK_HORIZONS] = {
		"days_7", "days_30", "days_90",
	};
	struct json_object *k;

	if (!p) {
		ads_json_null(o, "probability");
		return;
	}
	k = ads_json_obj(o, "probability");
	for (int h = 0; h < RISK_HORIZONS; h++)
		ads_json_double(k, key[h], p[h]);
}

/* Of failing in any way: the likeliest one's. */
static const double *likeliest(const struct risk *r)
{
	const struct risk_part *best = NULL;

	for (int i = 0; i < RISK_MODES; i++)
		if (r->part[i].known && (!best || r->part[i].p[RISK_30_DAYS] >
						  best->p[RISK_30_DAYS]))
			best = &r->part[i];
	return r->score < 0 || !best ? NULL : best->p;
}

static const char *top_reason(const struct risk *r, enum risk_mode mode)
{
	for (unsigned int i = 0; i < r->nr; i++)
		if (r->reason[i].mode == mode)
			return r->reason[i].text;
	return NULL;
}

static void add_warnings(struct json_object *o, const struct member *m)
{
	struct json_object *list = ads_json_arr(o, "early_warnings"), *w;

	for (int i = 0; i < RISK_MODES; i++) {
		const struct risk_part *part = &m->risk.part[i];

		if (!m->warns[i])
			continue;
		w = ads_json_push(list);
		ads_json_str(w, "type", risk_warning_name(i));
		ads_json_i64(w, "points", part->score);
		part_time(w, "since", m->warns[i]);
		part_text(w, "text", top_reason(&m->risk, i));
		part_text(w, "shared", part->shared);
	}
}

static void add_modes(struct json_object *o, const struct member *m)
{
	struct json_object *list = ads_json_arr(o, "modes"), *k;

	for (int i = 0; i < RISK_MODES; i++) {
		const struct risk_part *part = &m->risk.part[i];

		if (!part->known)
			continue;
		k = ads_json_push(list);
		ads_json_str(k, "mode", risk_mode_name(i));
		ads_json_i64(k, "score", part->score);
		part_time(k, "evidence", part->time);
		add_probability(k, part->p);
		ads_json_bool(k, "measured", part->measured);
		ads_json_str(k, "warning", risk_warning_name(i));
		part_time(k, "since", m->warns[i]);
		part_text(k, "shared", part->shared);
	}
}

static void add_factor(struct json_object *list, const struct risk_reason *p)
{
	struct json_object *r = ads_json_push(list);

	ads_json_str(r, "text", p->text);
	ads_json_i64(r, "points", p->points);
	ads_json_i64(r, "counted", p->counted);
	ads_json_str(r, "mode", risk_mode_name(p->mode));
	ads_json_str(r, "factor", p->factor);
	ads_json_str(r, "value", p->value);
	part_time(r, "since", p->since);
}

/* Their "counted" is the score, to the point. */
static void add_factors(struct json_object *o, const struct member *m)
{
	struct json_object *list = ads_json_arr(o, "factors");
	const struct risk *r = &m->risk;
	struct risk_reason base = {
		.mode = r->mode, .points = r->base, .counted = r->base,
		.factor = "base rate", .value = "-",
		.text = "what disks without any finding are worth: some of them fail as well",
	};

	for (unsigned int i = 0; i < r->nr; i++)
		add_factor(list, &r->reason[i]);
	if (r->base)
		add_factor(list, &base);
}

static void add_slow(struct json_object *o, const struct member *m, bool full)
{
	static const char *const verdict[] = {
		[SLOW_NOT] = "no", [SLOW_OF_PEERS] = "peers",
		[SLOW_OF_SELF] = "self",
	};
	const struct slow *s = &m->slow;
	struct json_object *k = ads_json_obj(o, "slow"), *list, *day;

	ads_json_str(k, "verdict", verdict[s->verdict]);
	add_number(k, "ratio", s->verdict ? s->ratio : NAN);
	part_time(k, "since", s->verdict ? s->since : 0);
	add_number(k, "today_peers", s->day ? (double)s->today.peers : NAN);
	add_number(k, "today_self", s->day ? (double)s->today.self : NAN);
	if (!full)
		return;
	list = ads_json_arr(k, "days");
	for (unsigned int i = 0; i < s->nr; i++) {
		day = ads_json_push(list);
		ads_json_i64(day, "start", s->past[i].day * s->length);
		add_number(day, "peers", (double)s->past[i].peers);
		add_number(day, "self", (double)s->past[i].self);
	}
}

void api_outlook(struct json_object *o, const struct outlook *f,
		 enum outlook_of first)
{
	struct json_object *k, *list, *r;

	if (!f->time) {
		ads_json_null(o, "forecast");
		return;
	}
	k = ads_json_obj(o, "forecast");
	ads_json_i64(k, "from", f->time);
	for (int of = first; of < OUTLOOK_OF; of++) {
		list = ads_json_arr(k, outlook_of_name(of));
		for (int i = 0; i < OUTLOOK_AHEAD; i++) {
			const struct outlook_range *g = &f->range[of][i];

			if (!g->known)
				continue;
			r = ads_json_push(list);
			ads_json_i64(r, "ahead_seconds", g->ahead);
			ads_json_double(r, "low", g->low);
			ads_json_double(r, "value", g->value);
			ads_json_double(r, "high", g->high);
			ads_json_str(r, "method",
				     ads_forecaster_name(g->best));
		}
	}
}

void api_foresight(struct json_object *o, const struct member *m, bool full)
{
	add_probability(o, likeliest(&m->risk));
	add_warnings(o, m);
	add_slow(o, m, full);
	api_outlook(o, &m->outlook, OUTLOOK_BYTES);
	if (!full)
		return;
	add_modes(o, m);
	add_factors(o, m);
}

void api_host(struct json_object *o, const struct adshardd *d)
{
	const struct host *h = foresee_host(d);
	struct json_object *k, *w;

	if (!h || !h->known) {
		ads_json_null(o, "host");
		return;
	}
	k = ads_json_obj(o, "host");
	ads_json_double(k, "busy", h->busy);
	ads_json_double(k, "iowait", h->iowait);
	ads_json_double(k, "steal", h->steal);
	add_number(k, "memory_available", h->available < 0 ? NAN : h->available);
	for (int i = 0; i < HOST_WHAT; i++) {
		char key[32];

		snprintf(key, sizeof(key), "%s_pressure", host_what_name(i));
		if (!h->pressure) {
			ads_json_null(k, key);
			continue;
		}
		w = ads_json_obj(k, key);
		ads_json_double(w, "some", h->some[i]);
		ads_json_double(w, "full", h->full[i]);
	}
}

void api_causes(struct json_object *o, const struct adshardd *d)
{
	struct json_object *list = ads_json_arr(o, "shared_causes"), *k;
	const struct shared_cause *cause;
	unsigned int n = foresee_causes(d, &cause);
	char text[160];

	for (unsigned int i = 0; i < n; i++) {
		k = ads_json_push(list);
		ads_json_str(k, "type", shared_warning_name(cause[i].by));
		ads_json_str(k, "mode", risk_mode_name(cause[i].mode));
		part_text(k, "key", cause[i].key);
		ads_json_i64(k, "disks_raised", cause[i].raised);
		ads_json_i64(k, "disks", cause[i].of);
		part_time(k, "since", cause[i].since);
		ads_json_str(k, "text",
			     shared_text(&cause[i], text, sizeof(text)));
	}
}

/* -- how it went ------------------------------------------------------------------ */

static void add_days(struct json_object *o, const struct drive *d)
{
	struct json_object *list = ads_json_arr(o, "days"), *k;

	for (unsigned int i = 0; d && i < d->nr_days; i++) {
		k = ads_json_push(list);
		ads_json_i64(k, "time", d->day[i].day * RISK_DAY);
		if (d->day[i].score < 0)
			ads_json_null(k, "score");
		else
			ads_json_i64(k, "score", d->day[i].score);
		if (d->day[i].temperature < 0)
			ads_json_null(k, "temperature");
		else
			ads_json_i64(k, "temperature", d->day[i].temperature);
	}
}

static void add_counters(struct json_object *o, const struct drive *d)
{
	struct json_object *list = ads_json_arr(o, "counters"), *k, *days, *v;

	for (int t = 0; d && t < TRACK_NR; t++) {
		const struct series *s = &d->series[t];

		if (!s->known)
			continue;
		k = ads_json_push(list);
		ads_json_str(k, "name", track_info[t].name);
		ads_json_i64(k, "attribute", track_info[t].code);
		ads_json_u64(k, "value", s->value);
		part_time(k, "first_seen", s->first);
		part_time(k, "last_rise", series_last_rise(s));
		days = ads_json_arr(k, "changes");
		for (unsigned int i = 0; i < s->nr; i++) {
			v = ads_json_push(days);
			ads_json_i64(v, "time", s->day[i].time);
			ads_json_u64(v, "value", s->day[i].value);
		}
	}
}

static void add_loads(struct json_object *o, const struct loads *l)
{
	static const char *const name[LOAD_WHAT] = {
		[LOAD_BYTES] = "bytes_per_second",
		[LOAD_REQUESTS] = "requests_per_second",
		[LOAD_READ_LATENCY] = "read_latency",
		[LOAD_WRITE_LATENCY] = "write_latency",
	};
	struct json_object *k = ads_json_obj(o, "load"), *list;

	ads_json_i64(k, "step_seconds", l->length);
	part_time(k, "start", ((int64_t)l->now - l->nr) * l->length);
	for (int i = 0; i < LOAD_WHAT; i++) {
		list = ads_json_arr(k, name[i]);
		for (unsigned int n = 0; n < l->nr; n++) {
			float v = l->step[n].v[i];

			json_object_array_add(list, isnan(v) ? NULL :
					      json_object_new_double((double)v));
		}
	}
}

struct json_object *api_history(const struct member *m)
{
	struct json_object *o = ads_json_doc("adshardd.history", 1);

	if (!o)
		return NULL;
	ads_json_uuid(o, "pool", m->pool->k.uuid);
	ads_json_i64(o, "member", m->k.index);
	ads_json_uuid(o, "uuid", m->k.uuid);
	part_text(o, "pool_name", m->pool->k.name);
	part_text(o, "device", m->dev.path);
	add_days(o, m->drive);
	add_counters(o, m->drive);
	add_loads(o, &m->loads);
	return o;
}
