// SPDX-License-Identifier: GPL-2.0-or-later
/* What the planner would do, also if things were otherwise; the operator's yes. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/act.h"
#include "daemon/api/parts.h"
#include "daemon/cycle.h"
#include "daemon/log.h"
#include "daemon/planner.h"
#include "daemon/settings.h"
#include "lib/json.h"
#include "lib/planlog.h"

#define SHOWN	100		/* actions, unless more are asked for */

struct answer {
	struct pool *p;
	struct planner_state st;
	struct plan_policy policy;
	struct plan_result *r;
	struct plan_member *member;	/* with one more, of a what-if */
	uint64_t lost;		/* segments, of a what-if */
};

static void answer_free(struct answer *a)
{
	plan_result_free(a->r);
	planner_state_free(&a->st);
	free(a->member);
}

/* -- what if ------------------------------------------------------------------------ */

static struct plan_member *state_member(struct plan_state *s, uint32_t index)
{
	for (uint32_t i = 0; i < s->nr_members; i++)
		if (s->member[i].index == index)
			return &s->member[i];
	return NULL;
}

/* "member" of the wish, by whatever name, in the state. */
static struct plan_member *wished_member(struct answer *a,
					 struct json_object *wish)
{
	struct json_object *req = json_object_new_object();
	char uuid[ADS_UUID_STR];
	struct member *m;

	ads_json_str(req, "pool", ads_format_uuid(a->p->k.uuid, uuid));
	json_object_object_add(req, "member",
			       json_object_get(ads_json_get(wish, "member")));
	m = part_member(a->p->daemon, req);
	json_object_put(req);
	return m && m->pool == a->p ? state_member(&a->st.s, m->k.index) : NULL;
}

/* A member that fails takes with it what is nowhere else. */
static void fail_member(struct answer *a, struct plan_member *m)
{
	struct plan_state *s = &a->st.s;

	m->state = PLAN_FAILED;
	for (uint32_t i = 0; i < s->nr_segs; i++) {
		struct plan_seg *g = &s->seg[i];
		unsigned int n = 0;

		for (unsigned int l = 0; l < g->nr_legs; l++)
			if (g->leg[l] != m->index)
				g->leg[n++] = g->leg[l];
		a->lost += g->nr_legs && !n;
		g->nr_legs = (uint8_t)n;
	}
	/* what was on its way from or to it is not */
	for (uint32_t i = s->nr_flights; i--;)
		if (s->flight[i].from == m->index ||
		    s->flight[i].to == m->index)
			s->flight[i] = s->flight[--s->nr_flights];
}

static int add_one(struct answer *a, struct json_object *wish,
		   struct ads_err *err)
{
	struct plan_state *s = &a->st.s;
	struct plan_member *all, *m;
	const char *class = "";
	int64_t size = 0;
	uint32_t c;

	ads_json_get_str(wish, "class", &class);
	ads_json_get_i64(wish, "size", &size);
	for (c = 0; c < s->nr_classes && strcmp(s->class[c].name, class); c++)
		;
	if (c == s->nr_classes)
		return ads_err(err, -EINVAL, "a class is nvme, ssd or hdd, not %s",
			       class);
	if (size < (int64_t)s->segment_size)
		return ads_err(err, -EINVAL,
			       "a disk of that size has no room for a segment");
	if (s->nr_members == PLAN_MEMBERS)
		return ads_err(err, -ENOSPC, "a pool has no more members");
	all = calloc(s->nr_members + 1, sizeof(*all));
	if (!all)
		return -ENOMEM;
	memcpy(all, s->member, s->nr_members * sizeof(*all));
	free(a->member);
	a->member = s->member = all;
	m = &all[s->nr_members];
	m->index = s->nr_members ? m[-1].index + 1 : 0;
	snprintf(m->name, sizeof(m->name), "new %s", class);
	m->slots = (uint32_t)((uint64_t)size / s->segment_size);
	m->class = (uint16_t)c;
	m->fails = -1;
	m->weight = 1;
	m->evidence = s->now;
	if (m->index >= PLAN_MEMBERS)
		return ads_err(err, -ENOSPC, "a pool has no more members");
	s->nr_members++;
	return 0;
}

static int suppose(struct answer *a, struct json_object *wish,
		   struct ads_err *err)
{
	struct plan_member *m;
	const char *what = "";
	int64_t score = -1;

	ads_json_get_str(wish, "what", &what);
	if (!strcmp(what, "add"))
		return add_one(a, wish, err);
	if (strcmp(what, "fail") && strcmp(what, "score"))
		return ads_err(err, -EINVAL,
			       "\"what\" is fail, add or score");
	m = wished_member(a, wish);
	if (!m)
		return ads_err(err, -ENOENT,
			       "there is no such member (or several): give its device or UUID");
	if (!strcmp(what, "fail")) {
		fail_member(a, m);
		return 0;
	}
	if (!ads_json_get_i64(wish, "score", &score) || score < 0 ||
	    score > 100)
		return ads_err(err, -EINVAL, "a score is 0 to 100");
	m->score = (int16_t)score;
	m->evidence = a->st.s.now;
	/* as if it had been seen often enough */
	m->track.above = score > a->policy.score.drain ? UINT8_MAX - 1 : 0;
	m->suspect = false;
	return 0;
}

/* 0, or an error with its sentence; then there is nothing to free. */
static int make(struct adshardd *d, struct json_object *req, struct answer *a,
		struct ads_err *err)
{
	struct json_object *list = ads_json_get(req, "what_if");
	int r;

	memset(a, 0, sizeof(*a));
	a->p = part_pool(d, req);
	if (!a->p)
		return ads_err(err, -ENOENT, d->pools ? "which pool? (--pool)" :
			       "no pool is active");
	if (!settings_ready(d->settings))
		return ads_err(err, -EAGAIN,
			       "the agent has just started: try again in a moment");
	r = planner_state(a->p, &a->st, err);
	if (r)
		return r;
	planner_policy(a->p, &a->policy);
	/* with "off" nothing is planned, but one may ask */
	if (a->policy.mode == PLAN_MODE_OFF)
		a->policy.mode = PLAN_MODE_ADVISE;
	if (json_object_is_type(list, json_type_array))
		for (size_t i = 0; !r && i < json_object_array_length(list); i++)
			r = suppose(a, json_object_array_get_idx(list, i), err);
	if (!r)
		r = plan_run(&a->st.s, &a->policy, PLANNER_ACTIONS, &a->r, err);
	if (r)
		answer_free(a);
	return r;
}

/* -- telling ---------------------------------------------------------------------------- */

static void add_figures(struct json_object *o, const char *key,
			const struct plan_figures *f)
{
	struct json_object *e = ads_json_obj(o, key);

	ads_json_double(e, "segments_lost_30_days", f->risk);
	ads_json_double(e, "segments_single_at_risk", f->single);
	ads_json_double(e, "latency_seconds", f->latency_ms / 1000);
	ads_json_double(e, "load_max", f->load_max);
	ads_json_double(e, "load_mean", f->load_mean);
	ads_json_double(e, "cost", f->cost);
}

static void add_index(struct json_object *o, const char *key, uint16_t index)
{
	if (index == PLAN_NONE)
		ads_json_null(o, key);
	else
		ads_json_i64(o, key, index);
}

static void add_segment(struct json_object *o, uint32_t segment)
{
	if (segment == PLAN_NO_SEG)
		ads_json_null(o, "segment");
	else
		ads_json_i64(o, "segment", segment);
}

static void add_members(struct json_object *o, const struct answer *a)
{
	struct json_object *list = ads_json_arr(o, "members"), *e;

	for (uint32_t i = 0; i < a->st.s.nr_members; i++) {
		const struct plan_member *m = &a->st.s.member[i];
		const struct plan_verdict *v = &a->r->verdict[i];

		e = ads_json_push(list);
		ads_json_i64(e, "member", m->index);
		ads_json_str(e, "name", m->name);
		ads_json_str(e, "band", plan_band_name(v->band));
		if (m->score < 0)
			ads_json_null(e, "score");
		else
			ads_json_i64(e, "score", m->score);
		ads_json_bool(e, "drain", v->drain);
		ads_json_bool(e, "release", v->release);
		ads_json_bool(e, "waits", v->waits);
		ads_json_i64(e, "segments", v->segments);
		ads_json_i64(e, "leaving", v->leaving);
		ads_json_i64(e, "arriving", v->arriving);
		ads_json_i64(e, "no_place", v->stuck);
		if (m->load[PLAN_NOW] < 0)
			ads_json_null(e, "load");
		else
			ads_json_double(e, "load", (double)m->load[PLAN_NOW]);
		ads_json_double(e, "load_before", (double)v->load_before);
		ads_json_double(e, "load_after", (double)v->load_after);
		ads_json_str(e, "why", v->why);
	}
}

static void add_jobs(struct json_object *o, const struct answer *a)
{
	struct json_object *list = ads_json_arr(o, "jobs"), *e;

	for (size_t i = 0; i < a->r->nr_jobs; i++) {
		const struct plan_job *j = &a->r->job[i];

		e = ads_json_push(list);
		ads_json_str(e, "cause", plan_cause_name(j->cause));
		add_index(e, "member", j->member);
		ads_json_bool(e, "paused", j->paused);
		ads_json_i64(e, "running", j->running);
		ads_json_i64(e, "starting", j->starting);
		ads_json_i64(e, "waiting", j->waiting);
		ads_json_i64(e, "no_place", j->no_room);
		ads_json_u64(e, "bytes", j->bytes);
		ads_json_double(e, "seconds", (double)j->seconds);
		ads_json_str(e, "waits", j->waiting ? plan_hold_text(j->hold) :
			     NULL);
	}
}

void part_conflict(struct json_object *e, const struct plan_conflict *c)
{
	ads_json_str(e, "rule", plan_rule_text(c->rule));
	ads_json_str(e, "winner", plan_cause_name(c->winner));
	ads_json_str(e, "loser", plan_cause_name(c->loser));
	add_index(e, "member", c->member);
	add_segment(e, c->segment);
	ads_json_i64(e, "segments", c->count);
}

static void add_trouble(struct json_object *o, const struct answer *a)
{
	struct json_object *list = ads_json_arr(o, "problems"), *e;

	for (size_t i = 0; i < a->r->nr_problems; i++) {
		const struct plan_problem *p = &a->r->problem[i];

		e = ads_json_push(list);
		ads_json_str(e, "cause", plan_cause_name(p->cause));
		add_index(e, "member", p->member);
		add_segment(e, p->segment);
		ads_json_i64(e, "segments", p->count);
		ads_json_str(e, "text", p->text);
	}
	list = ads_json_arr(o, "conflicts");
	for (size_t i = 0; i < a->r->nr_conflicts; i++)
		part_conflict(ads_json_push(list), &a->r->conflict[i]);
}

static const char *mode_name(long mode)
{
	return mode == PLAN_MODE_AUTO ? "auto" :
	       mode == PLAN_MODE_ADVISE ? "advise" : "off";
}

struct json_object *answer_plan(struct adshardd *d, struct json_object *req)
{
	struct ads_err err = { .text = "" };
	const struct planner *pl;
	int64_t max = SHOWN;
	struct json_object *o;
	struct answer a;
	int r;

	r = make(d, req, &a, &err);
	if (r)
		return part_error(r, ads_err_text(&err, r));
	pl = a.p->planner;
	ads_json_get_i64(req, "max", &max);
	o = ads_json_doc("adshardd.plan", 1);
	ads_json_uuid(o, "pool", a.p->k.uuid);
	ads_json_u64(o, "id", planlog_id(&a.st.s, a.r));
	ads_json_i64(o, "time", a.st.s.now);
	ads_json_str(o, "mode", mode_name(d->config->policy.mode));
	part_text(o, "nothing_begins", pl->why_not);
	if (pl->listed)
		ads_json_double(o, "list_age", now_mono() - pl->listed);
	else
		ads_json_null(o, "list_age");
	ads_json_u64(o, "segments_lost", a.lost);
	add_figures(o, "before", &a.r->before);
	add_figures(o, "after", &a.r->after);
	ads_json_u64(o, "bytes", a.r->bytes);
	ads_json_double(o, "seconds", a.r->seconds);
	add_members(o, &a);
	add_jobs(o, &a);
	ads_json_u64(o, "actions_total", a.r->nr_all);
	ads_json_u64(o, "actions_starting", a.r->nr_start);
	json_object_object_add(o, "actions",
			       planlog_actions(&a.st.s, &a.policy, a.r,
					       max > 0 ? (size_t)max : SIZE_MAX));
	add_trouble(o, &a);
	answer_free(&a);
	return o;
}

struct json_object *answer_approve(struct adshardd *d, struct json_object *req)
{
	struct ads_err err = { .text = "" };
	struct json_object *o;
	uint64_t id, n = 0;
	struct answer a;
	int64_t wanted;
	int r;

	if (!ads_json_get_i64(req, "plan", &wanted))
		return part_error(EINVAL, "which plan? (\"plan\": its \"id\")");
	json_object_object_del(req, "what_if");
	r = make(d, req, &a, &err);
	if (r)
		return part_error(r, ads_err_text(&err, r));
	id = planlog_id(&a.st.s, a.r);
	if (id != (uint64_t)wanted) {
		answer_free(&a);
		return part_error(ESTALE, "the plan has changed since it was shown: look at it again");
	}
	r = planner_approve(a.p, a.r);
	for (uint32_t i = 0; !r && i < a.st.s.nr_members; i++) {
		struct member *m = model_member(a.p, a.st.s.member[i].index);

		if (m && (a.r->verdict[i].drain || a.r->verdict[i].waits)) {
			m->approved = true;
			n++;
		}
	}
	if (!r)
		log_notice(a.p->object, "the operator approves of %zu moves, and of emptying %llu members",
			   a.r->nr_actions, (unsigned long long)n);
	o = r ? part_error(r, "no memory") : ads_json_doc("adshardd.approve", 1);
	if (!r) {
		ads_json_u64(o, "plan", id);
		ads_json_u64(o, "actions", a.r->nr_actions);
		ads_json_u64(o, "members", n);
	}
	answer_free(&a);
	if (!r)
		act_run(d);
	return o;
}
