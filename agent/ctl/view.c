// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/dev.h"
#include "lib/units.h"

#include "bad.h"
#include "job.h"
#include "limits.h"
#include "view.h"

const char *view_meta_name(uint8_t meta)
{
	return meta == 2 ? "active" : meta == 1 ? "dropped" : "none";
}

int view_load(struct ctl *c, struct ads_pool *p,
	      const struct ads_agent_status *agent, struct view *v,
	      struct ads_err *err)
{
	int rc;

	memset(v, 0, sizeof(*v));
	v->pool = p;
	v->agent = agent;
	rc = ads_nl_members(c->nl, p->uuid, &v->m, &v->nr_m, err);
	if (!rc)
		rc = ads_nl_migrations(c->nl, p->uuid, &v->mig, &v->nr_mig,
				       err);
	if (!rc && p->nr_bad)
		rc = ads_nl_bad(c->nl, p->uuid, NULL, &v->bad, &v->nr_bad,
				err);
	if (!rc && health_wants_segments(p, v->m, v->nr_m))
		rc = ads_nl_segments(c->nl, p->uuid, NULL, &v->seg, &v->nr_seg,
				     err);
	if (!rc)
		health_judge(&(struct health_in){
				.pool = p, .m = v->m, .nr_m = v->nr_m,
				.mig = v->mig, .nr_mig = v->nr_mig,
				.bad = v->bad, .nr_bad = v->nr_bad,
				.seg = v->seg, .nr_seg = v->nr_seg,
				.agent = agent }, &v->health);
	if (rc)
		view_free(v);
	return rc;
}

void view_free(struct view *v)
{
	free(v->m);
	free(v->mig);
	free(v->bad);
	free(v->seg);
	v->seg = NULL;
	v->m = NULL;
	v->mig = NULL;
	v->bad = NULL;
}

/*
 * An evacuation that somebody has begun by hand: the agent has no job for it,
 * but its migrations' cookies tell how many segments there were.
 */
static bool by_hand(const struct view *v, const struct ads_member *m,
		    struct ads_agent_job *j)
{
	uint64_t seg = v->pool->segment_size;

	memset(j, 0, sizeof(*j));
	if (m->state != ADSHARD_MEMBER_DRAINING || !m->nr_segments)
		return false;
	for (size_t i = 0; i < v->nr_mig; i++) {
		const struct ads_migration *g = &v->mig[i];
		uint64_t part = migration_done_bytes(g, seg);

		if (g->kind != ADSHARD_KIND_MOVE || g->src != m->index ||
		    !JOB_COOKIE_IS(g->cookie))
			continue;
		if (JOB_COOKIE_TOTAL(g->cookie) > j->segments_total)
			j->segments_total = JOB_COOKIE_TOTAL(g->cookie);
		j->bytes_done += part < seg ? part : seg - 1;
	}
	if (j->segments_total < m->nr_segments)
		return false;
	j->id = -1;
	j->member = m->index;
	j->kind = (char *)"evacuate";
	j->state = (char *)"draining";
	j->segments_done = j->segments_total - m->nr_segments;
	j->bytes_total = j->segments_total * seg;
	j->bytes_done += j->segments_done * seg;
	return true;
}

/* Calls @fn for the agent's jobs of the pool and for those begun by hand. */
void view_each_job(const struct view *v,
		     view_job_fn fn,
		     void *arg)
{
	char uuid[ADS_UUID_STR];

	ads_format_uuid(v->pool->uuid, uuid);
	for (size_t i = 0; v->agent && i < v->agent->nr_jobs; i++) {
		const struct ads_agent_job *j = &v->agent->jobs[i];

		if (j->pool && !strcmp(j->pool, uuid))
			fn(v, j, arg);
	}
	for (size_t i = 0; i < v->nr_m; i++) {
		struct ads_agent_job j;

		if (by_hand(v, &v->m[i], &j))
			fn(v, &j, arg);
	}
}

/*
 * Bytes still to move: the jobs' and, of what is on its way, that of no job. An
 * agent queues but a few segments of its job at a time.
 */
struct left {
	uint64_t bytes;
	bool of_job[ADSHARD_MAX_MEMBERS];
};

static void add_left(const struct view *v, const struct ads_agent_job *j,
		     void *arg)
{
	struct left *l = arg;

	if (!j->state || strcmp(j->state, "draining") || j->member < 0 ||
	    j->member >= ADSHARD_MAX_MEMBERS || l->of_job[j->member])
		return;
	l->of_job[j->member] = true;
	if (j->bytes_total > j->bytes_done)
		l->bytes += j->bytes_total - j->bytes_done;
}

double view_time_left(const struct view *v, double *rate)
{
	uint64_t seg = v->pool->segment_size;
	struct left left = { 0 };

	*rate = 0;
	view_each_job(v, add_left, &left);
	for (size_t i = 0; i < v->nr_mig; i++) {
		if (v->mig[i].src >= ADSHARD_MAX_MEMBERS ||
		    !left.of_job[v->mig[i].src])
			left.bytes += seg - migration_done_bytes(&v->mig[i],
								 seg);
		*rate += migration_rate(&v->mig[i], seg);
	}
	if (!v->nr_mig || *rate < 1024 || v->pool->paused)
		return -1;
	return (double)left.bytes / *rate;
}

static void json_member(struct json_object *o, const struct view *v,
			const struct ads_member *m)
{
	const struct ads_agent_member *a = ads_agent_find(v->agent,
							  m->pool_uuid,
							  m->index);
	struct json_object *list;
	char path[128];

	ads_json_u64(o, "member", m->index);
	ads_json_uuid(o, "uuid", m->uuid);
	if (m->present) {
		ads_dev_path(m->major, m->minor, path, sizeof(path));
		ads_json_str(o, "device", path);
	} else {
		ads_json_null(o, "device");
	}
	ads_json_str(o, "state", ads_member_state_name(m->state));
	ads_json_bool(o, "spare", m->spare);
	ads_json_str(o, "class", ads_class_name(m->class));
	ads_json_str(o, "domain", m->domain[0] ? m->domain : NULL);
	ads_json_str(o, "location", m->location[0] ? m->location : NULL);
	ads_json_u64(o, "cost", m->cost);
	ads_json_u64(o, "weight", m->weight);
	ads_json_str(o, "metadata", view_meta_name(m->meta));
	ads_json_u64(o, "size", m->size);
	ads_json_u64(o, "slots", m->nr_slots);
	ads_json_u64(o, "free_slots", m->nr_free);
	ads_json_u64(o, "free", (uint64_t)m->nr_free * v->pool->segment_size);
	ads_json_u64(o, "segments", m->nr_segments);
	ads_json_u64(o, "lost_segments", m->nr_lost);
	ads_json_u64(o, "read_errors", m->read_errors);
	ads_json_u64(o, "write_errors", m->write_errors);
	ads_json_u64(o, "flush_errors", m->flush_errors);
	ads_json_u64(o, "metadata_errors", m->meta_errors);
	ads_json_u64(o, "copy_errors", m->copy_errors);
	if (a && a->score >= 0)
		ads_json_i64(o, "score", a->score);
	else
		ads_json_null(o, "score");
	if (a)
		ads_json_bool(o, "score_stale", a->stale);
	else
		ads_json_null(o, "score_stale");
	ads_json_str(o, "model", a ? a->model : NULL);
	ads_json_str(o, "serial", a ? a->serial : NULL);
	ads_json_str(o, "blocked", a ? a->blocked : NULL);
	limits_json(ads_json_obj(o, "copying"), m);
	list = ads_json_arr(o, "reasons");
	for (size_t i = 0; a && i < a->nr_reasons; i++) {
		struct json_object *r = ads_json_push(list);

		ads_json_str(r, "text", a->reasons[i].text);
		ads_json_double(r, "points", a->reasons[i].points);
	}
}

static void json_job(const struct view *v, const struct ads_agent_job *j,
		     void *arg)
{
	struct json_object *e = ads_json_push(arg);

	if (j->id < 0)
		ads_json_null(e, "id");
	else
		ads_json_i64(e, "id", j->id);
	ads_json_str(e, "kind", j->kind);
	if (j->member < 0)
		ads_json_null(e, "member");
	else
		ads_json_i64(e, "member", j->member);
	ads_json_str(e, "state", j->state);
	ads_json_str(e, "reason", j->reason);
	ads_json_str(e, "note", j->note);
	ads_json_u64(e, "segments_total", j->segments_total);
	ads_json_u64(e, "segments_done", j->segments_done);
	ads_json_u64(e, "bytes_total", j->bytes_total);
	ads_json_u64(e, "bytes_done", j->bytes_done);
	if (j->started)
		ads_json_u64(e, "started", j->started);
	else
		ads_json_null(e, "started");
}

static bool is_from(const struct ads_bad *b, void *arg)
{
	return b->from == *(const uint32_t *)arg;
}

void view_json(struct json_object *o, const struct view *v)
{
	static const char *const levels[] = { "ok", "warn", "crit", "unknown" };
	struct json_object *list;
	double rate, left;
	char dev[128];

	ctl_json_pool(o, v->pool);
	ads_dev_path(v->pool->major, v->pool->minor, dev, sizeof(dev));
	ads_json_str(o, "device", dev);
	ads_json_str(o, "state", v->health.state);
	ads_json_str(o, "level", levels[v->health.level]);
	ads_json_str(o, "why", v->health.why);
	ads_json_str(o, "action", v->health.action);
	left = view_time_left(v, &rate);
	ads_json_u64(o, "rate", (uint64_t)rate);
	if (left < 0)
		ads_json_null(o, "seconds_left");
	else
		ads_json_double(o, "seconds_left", left);
	/* ctl_json_pool() has how many bad ranges there are. */
	list = ads_json_arr(o, "bad_from");
	for (size_t i = 0; i < v->nr_m; i++) {
		struct bad_sum sum = bad_add_up(v->bad, v->nr_bad, is_from,
						&v->m[i].index);
		struct json_object *e;

		if (!sum.ranges)
			continue;
		e = ads_json_push(list);
		ads_json_u64(e, "member", v->m[i].index);
		ads_json_u64(e, "ranges", sum.ranges);
		ads_json_u64(e, "bytes", sum.bytes);
	}
	list = ads_json_arr(o, "members");
	for (size_t i = 0; i < v->nr_m; i++)
		json_member(ads_json_push(list), v, &v->m[i]);
	list = ads_json_arr(o, "migrations");
	for (size_t i = 0; i < v->nr_mig; i++)
		ctl_json_migration(ads_json_push(list), &v->mig[i]);
	view_each_job(v, json_job, ads_json_arr(o, "jobs"));
}
