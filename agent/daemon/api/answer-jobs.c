// SPDX-License-Identifier: GPL-2.0-or-later
/* What runs, what waits and why, and what the operator does to it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/act.h"
#include "daemon/api/parts.h"
#include "daemon/cookie.h"
#include "daemon/cycle.h"
#include "daemon/evacuate.h"
#include "daemon/jobctl.h"
#include "daemon/planner.h"
#include "daemon/plan/jobs.h"
#include "daemon/rebuild.h"
#include "lib/json.h"

#define RATE_FLOOR	1024.0	/* below it there is no saying when */

/* Of a member's last job, as it is now: what is written meanwhile is good. */
static void add_unread(struct json_object *o, struct adshardd *d,
		       const struct job *j)
{
	const struct member *m = model_member_by_uuid(d, j->member_uuid);
	uint64_t ranges, bytes;

	if (j->kind != JOB_EVACUATE || !m ||
	    jobs_last(d->jobs, j->member_uuid) != j) {
		ads_json_null(o, "bad_ranges");
		ads_json_null(o, "bad_bytes");
		return;
	}
	model_bad(m, &ranges, &bytes);
	ads_json_u64(o, "bad_ranges", ranges);
	ads_json_u64(o, "bad_bytes", bytes);
}

/* Bytes per second of the job's migrations. */
static double rate_of(struct adshardd *d, const struct job *j)
{
	const struct pool *p = model_pool(d, j->pool);
	double sum = 0;

	if (!p || j->state != JOB_DRAINING)
		return 0;
	for (size_t i = 0; i < p->nr_migrations; i++) {
		const struct ads_migration *g = &p->migrations[i];
		bool is = j->kind == JOB_EVACUATE ? g->src == j->member :
			  cookie_is(g->cookie, COOKIE_PLAN) &&
			  planner_cause_of(p, g->cookie) == job_cause(j->kind);

		if (is && g->age_ns)
			sum += (double)g->bytes_copied /
			       ((double)g->age_ns / 1e9);
	}
	return sum;
}

static void add_speed(struct json_object *o, struct adshardd *d,
		      const struct job *j)
{
	const struct member *m = j->kind == JOB_EVACUATE ?
		model_member_by_uuid(d, j->member_uuid) : NULL;
	double rate = rate_of(d, j);

	ads_json_double(o, "rate", rate);
	if (rate >= RATE_FLOOR && !j->paused && j->bytes_total > j->bytes_done)
		ads_json_double(o, "eta",
				(double)(j->bytes_total - j->bytes_done) /
				rate);
	else
		ads_json_null(o, "eta");
	ads_json_bool(o, "paused", j->paused);
	ads_json_i64(o, "priority", m ? evacuate_priority(m, j) :
		     j->kind == JOB_REBUILD ? (int64_t)rebuild_priority(j) :
		     j->priority < 0 ? 0 : j->priority);
	ads_json_bool(o, "priority_is_given", j->priority != JOB_NO_PRIORITY);
	ads_json_bool(o, "by_agent", j->by_agent);
}

void part_jobs(struct json_object *o, struct adshardd *d)
{
	struct json_object *list = ads_json_arr(o, "jobs"), *job;

	for (const struct job *j = d->jobs->newest; j; j = j->next) {
		job = ads_json_push(list);
		ads_json_u64(job, "id", j->id);
		ads_json_str(job, "kind", job_kind_name(j->kind));
		ads_json_uuid(job, "pool", j->pool);
		if (j->kind == JOB_EVACUATE) {
			ads_json_i64(job, "member", j->member);
			ads_json_uuid(job, "member_uuid", j->member_uuid);
		} else {
			ads_json_null(job, "member");
			ads_json_null(job, "member_uuid");
		}
		ads_json_str(job, "state", job_state_name(j));
		ads_json_str(job, "reason", j->reason);
		part_text(job, "note", j->note);
		ads_json_u64(job, "segments_total", j->segments_total);
		ads_json_u64(job, "segments_done", j->segments_done);
		ads_json_u64(job, "bytes_total", j->bytes_total);
		ads_json_u64(job, "bytes_done", j->bytes_done);
		ads_json_i64(job, "started", j->started);
		add_unread(job, d, j);
		part_time(job, "finished", j->finished);
		add_speed(job, d, j);
	}
}

/* What the operator has begun without the agent: that goes before its wishes. */
static void add_by_hand(struct json_object *o, struct adshardd *d)
{
	struct json_object *list = ads_json_arr(o, "by_hand"), *e;

	for (const struct pool *p = d->pools; p; p = p->next) {
		uint64_t n = 0, active = 0, bytes = 0;

		for (size_t i = 0; i < p->nr_migrations; i++) {
			const struct ads_migration *g = &p->migrations[i];

			if (cookie_is_agent(g->cookie))
				continue;
			n++;
			active += g->step != ADSHARD_STEP_QUEUED;
			bytes += g->bytes_copied;
		}
		if (!n)
			continue;
		e = ads_json_push(list);
		ads_json_uuid(e, "pool", p->k.uuid);
		ads_json_u64(e, "segments", n);
		ads_json_u64(e, "active", active);
		ads_json_u64(e, "bytes_done", bytes);
		ads_json_u64(e, "bytes_total", n * p->k.segment_size);
	}
}

/* What should be done, and why it isn't. */
static void add_waiting(struct json_object *o, struct adshardd *d)
{
	struct json_object *list = ads_json_arr(o, "waiting"), *e;

	for (struct pool *p = d->pools; p; p = p->next)
		for (struct member *m = p->members; m; m = m->next) {
			struct act_wish w;

			act_wish(m, &w);
			if (!w.wanted || w.drain)
				continue;
			e = ads_json_push(list);
			ads_json_str(e, "kind", "evacuate");
			ads_json_uuid(e, "pool", p->k.uuid);
			ads_json_i64(e, "member", m->k.index);
			part_text(e, "device", m->dev.path);
			ads_json_str(e, "why", w.why);
		}
}

/* Wishes that contradicted each other in the last plan, and who won. */
static void add_conflicts(struct json_object *o, struct adshardd *d)
{
	struct json_object *list = ads_json_arr(o, "conflicts"), *e;

	for (const struct pool *p = d->pools; p; p = p->next)
		for (size_t i = 0; p->planner && i < p->planner->nr_conflicts;
		     i++) {
			e = ads_json_push(list);
			ads_json_uuid(e, "pool", p->k.uuid);
			part_conflict(e, &p->planner->conflict[i]);
		}
}

struct json_object *answer_jobs(struct adshardd *d)
{
	struct json_object *o = ads_json_doc("adshardd.jobs", 1);

	if (o) {
		part_jobs(o, d);
		add_by_hand(o, d);
		add_waiting(o, d);
		add_conflicts(o, d);
	}
	return o;
}

struct json_object *answer_job(struct adshardd *d, struct json_object *req)
{
	struct ads_err err = { .text = "" };
	int64_t id, priority = JOB_NO_PRIORITY;
	const char *action = "";
	struct json_object *o;
	int r;

	if (!ads_json_get_i64(req, "job", &id) || id < 1)
		return part_error(EINVAL, "which job? (\"job\": number)");
	ads_json_get_str(req, "action", &action);
	if (!strcmp(action, "cancel")) {
		r = act_cancel(d, (uint64_t)id, &err);
	} else if (!strcmp(action, "pause") || !strcmp(action, "resume")) {
		r = job_pause(d, (uint64_t)id, action[0] == 'p', &err);
	} else if (!strcmp(action, "priority")) {
		/* null or none: as the score says */
		if (ads_json_get(req, "priority") &&
		    !ads_json_get_i64(req, "priority", &priority))
			return part_error(EINVAL, "\"priority\" is a number or null");
		if (priority < JOB_NO_PRIORITY || priority > JOB_PRIORITY_MAX)
			priority = JOB_PRIORITY_MAX + 1;
		r = job_priority(d, (uint64_t)id, (int)priority, &err);
	} else {
		return part_error(EINVAL, "\"action\" is cancel, pause, resume or priority");
	}
	if (r)
		return part_error(r, ads_err_text(&err, r));
	o = ads_json_doc("adshardd.job", 1);
	if (o) {
		ads_json_i64(o, "job", id);
		ads_json_str(o, "action", action);
	}
	return o;
}
