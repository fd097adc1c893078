// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/cycle.h"
#include "daemon/evacuate.h"
#include "daemon/history/history.h"
#include "daemon/log.h"
#include "daemon/plan/jobs.h"
#include "daemon/planner.h"
#include "lib/place.h"
#include "lib/units.h"

static struct job *job_of(const struct member *m)
{
	return jobs_running(m->daemon->jobs, m->k.uuid);
}

static bool ended_with_errors(const struct member *m)
{
	const struct job *j = jobs_last(m->daemon->jobs, m->k.uuid);

	return j && j->state == JOB_WITH_ERRORS;
}

int evacuate_priority(const struct member *m, const struct job *j)
{
	if (j && j->priority != JOB_NO_PRIORITY)
		return j->priority;
	return m->risk.score > 0 ? m->risk.score : 0;
}

/* One that the operator has paused keeps no other from beginning. */
bool evacuate_busy(const struct member *m)
{
	const struct job *j = job_of(m);

	return !(j && j->paused) && m->k.state == ADSHARD_MEMBER_DRAINING &&
	       !(m->leaving && ended_with_errors(m));
}

struct ads_place_member *evacuate_members(const struct pool *p, size_t *n)
{
	struct ads_place_member *list;
	size_t i = 0;

	*n = 0;
	for (struct member *m = p->members; m; m = m->next)
		++*n;
	list = calloc(*n ? *n : 1, sizeof(*list));
	if (!list)
		return NULL;
	for (struct member *m = p->members; m; m = m->next, i++) {
		list[i].index = m->k.index;
		list[i].name = m->dev.path[0] ? m->dev.path : "missing";
		list[i].state = m->k.state;
		list[i].present = m->k.present;
		list[i].spare = m->k.spare;
		list[i].domain = m->k.domain;
		list[i].nr_slots = m->k.nr_slots;
		list[i].nr_free = m->k.nr_free;
		list[i].incoming = planner_incoming(p, m->k.index);
		list[i].score = m->risk.score;
		/* one that is to go next is no place to go to */
		if (m->track.at_risk && list[i].score >= 0)
			list[i].score = 100;
		list[i].load = m->io.known ? m->io.load : -1;
	}
	return list;
}

uint64_t evacuate_room(const struct member *m)
{
	struct ads_place_opts opts = {
		.max_score = m->daemon->config->plan.max_score,
		.exclude = &m->k.index,
		.nr_exclude = 1,
	};
	struct ads_place_member *list;
	uint64_t room;
	size_t n;

	list = evacuate_members(m->pool, &n);
	if (!list)
		return 0;
	room = ads_place_room(list, n, &opts);
	free(list);
	return room;
}

/* -- the job -------------------------------------------------------------------- */

static void end(struct member *m, struct job *j, enum job_state state,
		int priority, const char *text)
{
	job_end(m->daemon->jobs, j, state, now_epoch());
	history_job(m->daemon->history, j);
	log_write(priority, m->object, "job %llu: %s: %llu of %llu segments moved%s%s",
		  (unsigned long long)j->id, job_state_name(j),
		  (unsigned long long)j->segments_done,
		  (unsigned long long)j->segments_total, text[0] ? "; " : "",
		  text);
}

static struct job *adopt(struct member *m)
{
	struct adshardd *d = m->daemon;
	struct job *j = job_of(m);

	if (j && j->started >= d->started)
		return j;
	if (j) {
		log_notice(m->object, "job %llu goes on: %u segments left, %zu on their way",
			   (unsigned long long)j->id, m->k.nr_segments,
			   m->pool->nr_migrations);
		return j;
	}
	j = jobs_add(d->jobs, m->pool->k.uuid, m->k.uuid, m->k.index,
		     m->by_agent ? "found draining" : "set draining by the operator",
		     m->by_agent, now_epoch());
	if (!j)
		return NULL;
	job_progress(j, m->k.nr_segments, m->pool->k.segment_size, 0);
	history_job(d->history, j);
	log_notice(m->object, "is draining: emptying it (job %llu), %u segments",
		   (unsigned long long)j->id, m->k.nr_segments);
	return j;
}

static void progress(struct member *m, struct job *j)
{
	const struct pool *p = m->pool;
	uint64_t copied = 0, one;

	for (size_t i = 0; i < p->nr_migrations; i++) {
		const struct ads_migration *g = &p->migrations[i];

		if (g->kind != ADSHARD_KIND_MOVE || g->src != m->k.index)
			continue;
		one = g->chunks_done * p->k.chunk_size;
		copied += one < p->k.segment_size ? one : p->k.segment_size;
	}
	job_progress(j, m->k.nr_segments, p->k.segment_size, copied);
	if (j->paused)
		snprintf(j->note, sizeof(j->note), "paused by the operator");
	else
		snprintf(j->note, sizeof(j->note), "%s", m->leaving->note);
}

/* "12.0 KiB in 3 ranges could not be read", or "" */
static const char *unread(const struct member *m, char *buf, size_t size)
{
	uint64_t ranges, bytes;
	char text[32];

	model_bad(m, &ranges, &bytes);
	buf[0] = 0;
	if (ranges)
		snprintf(buf, size, "%s in %llu range%s could not be read",
			 ads_format_size(bytes, false, text, sizeof(text)),
			 (unsigned long long)ranges, ranges == 1 ? "" : "s");
	return buf;
}

/* It is empty. What could not be read is lost, but not a reason to stay. */
static void drained(struct member *m, struct job *j)
{
	char text[200];

	if (!unread(m, j->note, sizeof(j->note))[0]) {
		end(m, j, JOB_DRAINED, LOG_NOTICE,
		    "the member may be removed");
		return;
	}
	snprintf(text, sizeof(text), "%.150s; the member may be removed",
		 j->note);
	end(m, j, JOB_WITH_ERRORS, LOG_WARNING, text);
}

/* -- what the plan says ---------------------------------------------------------- */

/* The first segment that finds no place, of those that should leave @m. */
static uint32_t first_stuck(const struct member *m, const struct plan_result *r)
{
	for (size_t i = 0; i < r->nr_problems; i++)
		if (r->problem[i].member == m->k.index &&
		    planner_leaves(r->problem[i].cause))
			return r->problem[i].segment;
	return PLAN_NO_SEG;
}

/*
 * Why it finds none: no member may take anything at all, and why each; or though
 * there is room, none beside its other legs. true: it is a matter of room.
 */
static bool why_stuck(const struct member *m, const struct plan_seg *g,
		      uint32_t segment, struct ads_err *err)
{
	const struct config *c = m->daemon->config;
	struct ads_place_segment what = { .segment = segment };
	struct ads_place_opts opts = {
		.max_score = (int)c->plan.max_score,
		.same_domain = c->plan.same_domain,
		.same_domain_how = "plan.same_domain = yes",
	};
	struct ads_place_member *list;
	uint32_t dst;
	size_t n;
	int r;

	for (unsigned int l = 0; l < g->nr_legs + g->nr_dead; l++) {
		uint16_t on = l < g->nr_legs ? g->leg[l] :
					       g->dead[l - g->nr_legs];

		what.on[what.nr_on++] = on;
		if (on != m->k.index)
			what.with[what.nr_with++] = on;
	}
	list = evacuate_members(m->pool, &n);
	r = list ? ads_place(list, n, &what, 1, &opts, &dst, err) : -ENOMEM;
	free(list);
	if (r != -ENODEV && r != -EXDEV)
		err->text[0] = 0;
	return r != -EXDEV;
}

static void note_stuck(struct member *m, const struct plan_state *s,
		       const struct plan_result *r)
{
	const struct plan_verdict *v = &m->verdict;
	uint32_t segment = first_stuck(m, r);
	struct leaving *l = m->leaving;
	struct ads_err err = { .text = "" };

	if (segment >= s->nr_segs ||
	    why_stuck(m, &s->seg[segment], segment, &err)) {
		l->no_room = v->stuck;
		snprintf(l->note, sizeof(l->note),
			 "no room for %u of %u segments%s%.120s", v->stuck,
			 v->segments, err.text[0] ? ": " : "", err.text);
		return;
	}
	snprintf(l->note, sizeof(l->note), "%u segments wait: %.150s", v->stuck,
		 err.text);
}

/* Nothing of it moves or begins: what for? */
static const char *waits_for(const struct member *m, const struct plan_result *r)
{
	const char *text = "";

	for (size_t i = 0; i < r->nr_jobs; i++) {
		const struct plan_job *j = &r->job[i];

		if (j->member != m->k.index || !planner_leaves(j->cause))
			continue;
		if (j->starting || j->running)
			return "";
		if (j->waiting)
			text = plan_hold_text(j->hold);
	}
	return text;
}

void evacuate_planned(struct member *m, const struct plan_state *s,
		      const struct plan_result *r)
{
	struct leaving *l = m->leaving;
	uint64_t before;
	size_t given_up;

	if (!l)
		return;
	for (size_t i = 0; i < r->nr_refused; i++)
		retries_give_up(&l->retries, r->refused[i]);
	before = l->no_room;
	l->no_room = 0;
	l->note[0] = 0;
	given_up = retries_given_up(&l->retries);
	if (m->verdict.stuck)
		note_stuck(m, s, r);
	else if (given_up)
		snprintf(l->note, sizeof(l->note),
			 "%zu segments could not be moved", given_up);
	else
		snprintf(l->note, sizeof(l->note), "%s", waits_for(m, r));
	/* when room becomes short or shorter, not with each segment that moves */
	if (l->no_room > before)
		log_warn(m->object, "%s", l->note);
}

/* -- running -------------------------------------------------------------------------- */

struct job *evacuate_job(struct member *m)
{
	struct job *j = job_of(m);

	return m->k.state == ADSHARD_MEMBER_DRAINING && m->leaving && j &&
	       !j->paused && !m->pool->k.suspended ? j : NULL;
}

/* Nothing is left but segments that were given up. */
static bool is_stuck(const struct member *m)
{
	const struct retries *r = &m->leaving->retries;
	uint32_t left = 0;

	/* events run ahead of the view, by which progress is counted */
	if (!m->k.nr_segments || retries_given_up(r) < m->k.nr_segments ||
	    planner_leaving(m->pool, m->k.index))
		return false;
	for (size_t i = 0; i < r->nr; i++)
		left += r->retry[i].given_up &&
			planner_is_on(m->pool, r->retry[i].segment,
				      m->k.index);
	return left == m->k.nr_segments;
}

static void empty(struct member *m)
{
	char text[200];
	struct job *j;

	if (!m->leaving) {
		m->leaving = calloc(1, sizeof(*m->leaving));
		if (!m->leaving)
			return;
		j = adopt(m);
		planner_soon(m->pool);
	} else {
		/* given up for good; a restart or a new evacuation tries again */
		if (ended_with_errors(m))
			return;
		j = job_of(m);
		if (!j)
			j = adopt(m);
	}
	if (!j)
		return;
	progress(m, j);
	if (is_stuck(m)) {
		retries_text(&m->leaving->retries, text, sizeof(text));
		snprintf(j->note, sizeof(j->note), "%s", text);
		end(m, j, JOB_WITH_ERRORS, LOG_ERR, text);
	}
}

void evacuate_free(struct member *m)
{
	if (m->leaving)
		retries_free(&m->leaving->retries);
	free(m->leaving);
	m->leaving = NULL;
}

void evacuate_run(struct member *m)
{
	struct job *j;

	if (m->k.state == ADSHARD_MEMBER_DRAINING) {
		empty(m);
		return;
	}
	j = job_of(m);
	if (j) {
		job_progress(j, m->k.nr_segments, m->pool->k.segment_size, 0);
		j->note[0] = 0;
		switch (m->k.state) {
		case ADSHARD_MEMBER_DRAINED:
			drained(m, j);
			break;
		case ADSHARD_MEMBER_FAILED:
			end(m, j, JOB_FAILED, LOG_ERR,
			    "the member has failed");
			break;
		default:
			end(m, j, JOB_CANCELLED, LOG_NOTICE,
			    m->leaving ? "the member was set online" :
				       "the member is not draining");
		}
	}
	evacuate_free(m);
	/* whoever drains it next is not known yet */
	if (m->by_agent && m->k.state == ADSHARD_MEMBER_ONLINE) {
		m->by_agent = false;
		cycle_save(m);
	}
}

/* -- what becomes of a move ------------------------------------------------------------ */

void evacuate_answer(struct member *m, const struct planner_sent *o, int error,
		     const char *why)
{
	const struct config *c = m->daemon->config;
	int64_t now = now_epoch();

	if (error != -EALREADY)
		log_info(m->object, "segment %u to member %u: %s", o->segment,
			 o->to, why);
	if (!m->leaving)
		return;
	switch (error) {
	case -EALREADY:
	case -ENOENT:
		break;		/* the next list says how it is */
	case -EBUSY:
	case -EAGAIN:
	case -EROFS:
	case -EPROTONOSUPPORT:
		retries_postpone(&m->leaving->retries, o->segment, now, c);
		break;
	default:
		retries_failed(&m->leaving->retries, o->segment, o->to, why, now,
			       c);
	}
}

void evacuate_blame(struct pool *p, const struct ads_event *ev)
{
	struct member *dst = model_member(p, ev->dst);

	if (!dst)
		return;
	errors_refused(&dst->errors, now_epoch(), ev->text,
		       p->daemon->config);
	log_warn(dst->object, "segment %u could not be moved to it: %s",
		 ev->segment, ev->text);
}

void evacuate_event(struct member *m, const struct planner_sent *o,
		    const struct ads_event *ev)
{
	const char *why = ev->type == ADSHARD_EVENT_MIGRATION_ABORTED ?
			  "aborted" : ev->has & ADS_EV_TEXT ? ev->text :
			  strerror((int)ev->error);
	struct leaving *l = m->leaving;
	int64_t now = now_epoch();
	char bytes[32];

	if (ev->type == ADSHARD_EVENT_MIGRATION_DONE) {
		if (ev->bad_bytes)
			log_warn(m->object, "segment %u: %s of it could not be read: reads of them fail until they are written",
				 ev->segment,
				 ads_format_size(ev->bad_bytes, false, bytes,
						 sizeof(bytes)));
		if (l)
			retries_forget(&l->retries, ev->segment);
		return;
	}
	log_warn(m->object, "segment %u: not moved: %s", ev->segment, why);
	if (ads_event_blames_dst(ev))
		evacuate_blame(m->pool, ev);
	if (!l)
		return;
	if (ads_event_blames_dst(ev))
		retries_refused(&l->retries, ev->segment, (uint16_t)ev->dst, why,
				now);
	/* called back, it is to go elsewhere, which is not that it failed */
	else if (!o->aborting)
		retries_failed(&l->retries, ev->segment, o->to, why, now,
			       m->daemon->config);
}
