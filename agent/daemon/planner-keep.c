// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/act.h"
#include "daemon/keep.h"
#include "daemon/log.h"
#include "daemon/planner-keep.h"
#include "daemon/planner.h"
#include "lib/json.h"
#include "lib/planlog.h"
#include "lib/units.h"

#define FILE_NAME	"planner.json"
#define PATIENCE	20	/* seconds until it is not waited for */
#define EVERY		2.0	/* seconds between two times that it is written */
#define RUNS_A_SECOND	20000	/* and one more for so many runs of segments */
#define POOLS		64	/* those not seen for longest go */

struct planner_keep {
	struct json_object *pools;	/* as in the file, and as saved since */
	bool ready;
	double saved;			/* monotonic */
	size_t runs;			/* that were written then */
	bool told;
};

static bool number(struct json_object *a, size_t i, int64_t least, int64_t most,
		   int64_t *out)
{
	struct json_object *v = json_object_array_get_idx(a, i);

	*out = json_object_get_int64(v);
	return json_object_is_type(v, json_type_int) && *out >= least &&
	       *out <= most;
}

static struct json_object *of_pool(const struct adshardd *d,
				   const uint8_t *uuid, size_t *at)
{
	struct json_object *all = d->planner_keep ? d->planner_keep->pools :
						    NULL;
	uint8_t is[ADS_UUID_LEN];
	const char *text;

	for (size_t i = 0; all && i < json_object_array_length(all); i++) {
		struct json_object *o = json_object_array_get_idx(all, i);

		if (!ads_json_get_str(o, "pool", &text) ||
		    ads_parse_uuid(text, is) || memcmp(is, uuid, ADS_UUID_LEN))
			continue;
		*at = i;
		return o;
	}
	return NULL;
}

/* -- what is kept ------------------------------------------------------------------- */

static struct json_object *of_member(const struct member *m)
{
	struct json_object *a = json_object_new_array();
	const int64_t v[] = {
		m->band.band, m->band.above, m->band.evidence, m->band.since,
		m->band.quiet, m->band.suspect,
	};
	char uuid[ADS_UUID_STR];

	json_object_array_add(a, json_object_new_string(
				ads_format_uuid(m->k.uuid, uuid)));
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++)
		json_object_array_add(a, json_object_new_int64(v[i]));
	json_object_array_add(a, json_object_new_double(m->does.mibs));
	json_object_array_add(a, json_object_new_double(m->does.iops));
	return a;
}

struct run {
	uint32_t first, count, rest, hands_off, extra;
};

static void add_run(struct json_object *list, const struct run *r)
{
	const uint32_t v[] = { r->first, r->count, r->rest, r->hands_off,
			       r->extra };
	struct json_object *a;

	if (!r->count || !(r->rest || r->hands_off || r->extra))
		return;
	a = json_object_new_array();
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++)
		json_object_array_add(a, json_object_new_int64(v[i]));
	json_object_array_add(list, a);
}

/* Neighbours of which the same is known are one run; what is over is not kept. */
static struct json_object *of_segments(const struct planner *pl, int64_t now)
{
	struct json_object *list = json_object_new_array();
	struct run r = { .count = 0 };

	for (uint32_t i = 0; i < pl->nr; i++) {
		const struct plan_seg *g = &pl->seg[i];
		uint32_t rest = g->rest_until > now ? g->rest_until : 0;
		uint32_t hands = pl->hands_off[i] > now ? pl->hands_off[i] : 0;

		if (r.count && r.rest == rest && r.hands_off == hands &&
		    r.extra == g->extra) {
			r.count++;
			continue;
		}
		add_run(list, &r);
		r = (struct run){ i, 1, rest, hands, g->extra };
	}
	add_run(list, &r);
	return list;
}

static struct json_object *encode(struct pool *p)
{
	struct json_object *o = json_object_new_object(), *list;
	const struct planner *pl = p->planner;

	ads_json_uuid(o, "pool", p->k.uuid);
	ads_json_i64(o, "time", now_epoch());
	ads_json_i64(o, "day", pl->day);
	ads_json_u64(o, "spent", pl->spent);
	json_object_object_add(o, "cost", planlog_cost(&pl->cost));
	list = ads_json_arr(o, "members");
	for (const struct member *m = p->members; m; m = m->next)
		if (m->band_known)
			json_object_array_add(list, of_member(m));
	json_object_object_add(o, "segments", of_segments(pl, now_epoch()));
	return o;
}

static void on_written(int error, const struct ads_err *err, const char *text,
		       void *arg)
{
	struct adshardd *d = arg;

	(void)text;
	if (!d->planner_keep)
		return;
	if (error && !d->planner_keep->told)
		log_warn("plan", "what the planner should remember is not kept: %s",
			 ads_err_text(err, error));
	d->planner_keep->told = error != 0;
}

static void forget_oldest(struct json_object *all)
{
	size_t n = json_object_array_length(all), oldest = 0;
	int64_t time, least = INT64_MAX;

	if (n < POOLS)
		return;
	for (size_t i = 0; i < n; i++)
		if (ads_json_get_i64(json_object_array_get_idx(all, i), "time",
				     &time) && time < least) {
			least = time;
			oldest = i;
		}
	json_object_array_del_idx(all, oldest, 1);
}

void planner_keep_save(struct pool *p, bool at_once)
{
	struct planner_keep *k = p->daemon->planner_keep;
	struct planner *pl = p->planner;
	struct json_object *o, *doc;
	double now = now_mono();
	size_t at;

	if (!k || !k->ready || !pl || !pl->seg || !pl->restored || !pl->dirty ||
	    p->daemon->once ||
	    (!at_once && now - k->saved < EVERY + (double)k->runs / RUNS_A_SECOND))
		return;
	pl->dirty = false;
	o = encode(p);
	k->runs = json_object_array_length(ads_json_get(o, "segments"));
	if (of_pool(p->daemon, p->k.uuid, &at)) {
		json_object_array_put_idx(k->pools, at, o);
	} else {
		forget_oldest(k->pools);
		json_object_array_add(k->pools, o);
	}
	k->saved = now;
	doc = ads_json_doc("adshardd.planner", 1);
	json_object_object_add(doc, "pools", json_object_get(k->pools));
	/* it waits behind others? Then the next time */
	if (keep_write(p->daemon->keep, FILE_NAME,
		       json_object_to_json_string_ext(doc,
				JSON_C_TO_STRING_PLAIN |
				JSON_C_TO_STRING_NOSLASHESCAPE),
		       on_written, p->daemon))
		pl->dirty = true;
	json_object_put(doc);
}

/* -- and back ------------------------------------------------------------------------- */

static bool take_run(struct planner *pl, struct json_object *a, int64_t now,
		     long rest)
{
	int64_t v[5], latest = now + rest;

	if (!json_object_is_type(a, json_type_array) ||
	    json_object_array_length(a) != 5)
		return false;
	for (size_t i = 0; i < 4; i++)
		if (!number(a, i, 0, UINT32_MAX, &v[i]))
			return false;
	if (!number(a, 4, 0, PLAN_LEGS, &v[4]) || v[0] + v[1] > UINT32_MAX)
		return false;
	for (int64_t s = v[0]; s < v[0] + v[1] && s < pl->nr; s++) {
		/* a clock that was set back must not make it rest for years */
		pl->seg[s].rest_until = (uint32_t)(v[2] < latest ? v[2] : latest);
		pl->hands_off[s] = (uint32_t)(v[3] < latest ? v[3] : latest);
		pl->seg[s].extra = (uint8_t)v[4];
	}
	return true;
}

void planner_keep_restore(struct pool *p)
{
	struct planner *pl = p->planner;
	struct json_object *o, *list;
	int64_t now = now_epoch(), spent, day;
	bool sense = true;
	size_t at;

	pl->restored = true;
	o = of_pool(p->daemon, p->k.uuid, &at);
	if (!o)
		return;
	if (ads_json_get_i64(o, "day", &day) &&
	    ads_json_get_i64(o, "spent", &spent) && spent >= 0) {
		pl->day = day;
		pl->spent = (uint64_t)spent;
	}
	if (!planlog_cost_take(&pl->cost, ads_json_get(o, "cost"))) {
		memset(&pl->cost, 0, sizeof(pl->cost));
		sense = false;
	}
	list = ads_json_get(o, "segments");
	for (size_t i = 0; json_object_is_type(list, json_type_array) &&
	     i < json_object_array_length(list); i++)
		sense &= take_run(pl, json_object_array_get_idx(list, i), now,
				  p->daemon->config->policy.pace.rest);
	if (!sense)
		log_warn(p->object, "some of what the planner remembered makes no sense, and is forgotten");
}

static bool take_member(struct member *m, struct json_object *a)
{
	int64_t v[6];
	double does[2];

	if (!json_object_is_type(a, json_type_array) ||
	    json_object_array_length(a) != 9 ||
	    !number(a, 1, 0, PLAN_BANDS - 1, &v[0]) ||
	    !number(a, 2, 0, UINT8_MAX, &v[1]))
		return false;
	for (size_t i = 2; i < 6; i++)
		if (!number(a, i + 1, 0, INT64_MAX, &v[i]))
			return false;
	for (size_t i = 0; i < 2; i++) {
		does[i] = json_object_get_double(
				json_object_array_get_idx(a, i + 7));
		if (!isfinite(does[i]) || does[i] < 0)
			return false;
	}
	m->band = (struct plan_track){
		.band = (uint8_t)v[0], .above = (uint8_t)v[1],
		.evidence = v[2], .since = v[3], .quiet = v[4], .suspect = v[5],
	};
	m->does.mibs = does[0];
	m->does.iops = does[1];
	return true;
}

/*
 * One that is at risk by its history is taken for one that is emptied: else an agent
 * that lost the file would take back what it has decided.
 */
static void by_history(struct member *m)
{
	const struct risk_track *t = &m->track;

	m->band = (struct plan_track){
		.band = t->at_risk ? PLAN_EMPTY : PLAN_OK,
		.above = (uint8_t)(t->above < UINT8_MAX ? t->above : UINT8_MAX),
		.evidence = t->evidence, .since = t->at_risk, .quiet = t->quiet,
	};
}

void planner_keep_member(struct member *m)
{
	struct json_object *o, *list;
	uint8_t uuid[ADS_UUID_LEN];
	size_t at;

	if (m->band_known || !m->state_loaded)
		return;
	m->band_known = true;
	o = of_pool(m->daemon, m->pool->k.uuid, &at);
	list = ads_json_get(o, "members");
	for (size_t i = 0; json_object_is_type(list, json_type_array) &&
	     i < json_object_array_length(list); i++) {
		struct json_object *a = json_object_array_get_idx(list, i);
		const char *text = json_object_is_type(a, json_type_array) ?
			json_object_get_string(json_object_array_get_idx(a, 0)) :
			NULL;

		if (text && !ads_parse_uuid(text, uuid) &&
		    !memcmp(uuid, m->k.uuid, ADS_UUID_LEN) && take_member(m, a))
			return;
	}
	by_history(m);
}

/* -- the file ---------------------------------------------------------------------------- */

static struct json_object *take(const char *text)
{
	struct json_object *doc = json_tokener_parse(text), *pools;
	const char *name;
	int64_t version;

	pools = ads_json_get(doc, "pools");
	if (!ads_json_get_str(ads_json_get(doc, "schema"), "name", &name) ||
	    strcmp(name, "adshardd.planner") ||
	    !ads_json_get_i64(ads_json_get(doc, "schema"), "version",
			      &version) || version != 1 ||
	    !json_object_is_type(pools, json_type_array))
		pools = NULL;
	json_object_get(pools);
	json_object_put(doc);
	return pools;
}

static void on_read(int error, const struct ads_err *err, const char *text,
		    void *arg)
{
	struct adshardd *d = arg;
	struct planner_keep *k = d->planner_keep;
	struct json_object *pools = NULL;

	/* it comes too late: what was planned meanwhile is newer */
	if (!k || k->ready)
		return;
	k->ready = true;
	if (error) {
		log_warn("plan", "what the planner remembered can't be read: %s",
			 ads_err_text(err, error));
	} else if (text[0]) {
		pools = take(text);
		if (!pools) {
			log_warn("plan", FILE_NAME " makes no sense, and is set aside");
			if (!d->once)
				keep_set_aside(d->keep, FILE_NAME);
		}
	}
	if (pools) {
		json_object_put(k->pools);
		k->pools = pools;
	}
	act_run(d);
}

bool planner_keep_ready(const struct adshardd *d)
{
	return !d->planner_keep || d->planner_keep->ready;
}

void planner_keep_unblock(struct adshardd *d, int64_t now)
{
	struct planner_keep *k = d->planner_keep;

	if (!k || k->ready || now - d->started < PATIENCE)
		return;
	k->ready = true;
	log_warn("plan", "what the planner remembered can't be read: the disk does not answer");
}

int planner_keep_new(struct adshardd *d)
{
	struct planner_keep *k = calloc(1, sizeof(*k));

	if (!k)
		return -ENOMEM;
	k->pools = json_object_new_array();
	if (!k->pools) {
		free(k);
		return -ENOMEM;
	}
	d->planner_keep = k;
	if (keep_read(d->keep, FILE_NAME, on_read, d))
		k->ready = true;
	return 0;
}

void planner_keep_free(struct adshardd *d)
{
	struct planner_keep *k = d->planner_keep;

	d->planner_keep = NULL;
	if (!k)
		return;
	json_object_put(k->pools);
	free(k);
}
