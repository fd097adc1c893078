// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/act.h"
#include "daemon/cycle.h"
#include "daemon/evacuate.h"
#include "daemon/history/history.h"
#include "daemon/log.h"
#include "daemon/plan/jobs.h"
#include "daemon/planner.h"
#include "daemon/rebuild.h"
#include "daemon/score.h"
#include "daemon/settings.h"
#include "lib/units.h"

#define COMMAND_PAUSE	30.0	/* seconds, after a refused one */

static bool fresh_view(const struct member *m)
{
	return !m->commanded && m->pool->view_serial >= m->command_serial;
}

/* false: it can't be sent now. */
static bool set_state(struct member *m, uint32_t state)
{
	struct kernel_command cmd = {
		.verb = KERNEL_SET_MEMBER,
		.member = m->k.index,
		.state = state,
	};

	memcpy(cmd.pool, m->pool->k.uuid, ADS_UUID_LEN);
	if (kernel_do(m->daemon->kernel, &cmd) == 0) {
		m->commanded++;
		/* what is planned next knows of it */
		m->judged = false;
		planner_soon(m->pool);
		return true;
	}
	m->command_again = now_mono() + COMMAND_PAUSE;
	return false;
}

/* -- decisions --------------------------------------------------------------- */

static bool refuse(struct act_wish *w, const char *why)
{
	snprintf(w->why, sizeof(w->why), "%s", why);
	return false;
}

/* What speaks against it, beyond what the planner has weighed. */
static bool may_drain(struct act_wish *w, struct member *m, int64_t now)
{
	const struct config *c = m->daemon->config;
	char span[32];

	if (w->score < 0)
		return refuse(w, "the evidence is stale");
	if (w->score < c->score.release) {
		snprintf(w->why, sizeof(w->why), "its score has fallen to %d",
			 w->score);
		return false;
	}
	if (m->suspect && !m->verdict.drain)
		return refuse(w, "too many drives of its model went bad at the same time: collector or firmware fault?");
	if (w->settling)
		return refuse(w, "its peers are asked first");
	if (m->hold_until > now) {
		ads_format_duration((double)(m->hold_until - now), span,
				    sizeof(span));
		snprintf(w->why, sizeof(w->why),
			 "an evacuation was cancelled: on hold for %s", span);
		return false;
	}
	if (!m->k.present)
		return refuse(w, "the member is missing");
	if (m->k.nr_segments && !evacuate_room(m))
		return refuse(w, "no other member may take its segments");
	if (c->mode == MODE_ADVISE && !m->approved)
		return refuse(w, "the mode is advise: 'adshardctl plan --approve' lets it begin");
	if (c->mode == MODE_OFF)
		return refuse(w, "the mode is off");
	if (m->verdict.waits)
		return refuse(w, "another member is being evacuated");
	return m->verdict.drain || refuse(w, m->verdict.why);
}

void act_wish(struct member *m, struct act_wish *w)
{
	int64_t now = now_epoch(), evidence;

	memset(w, 0, sizeof(*w));
	w->score = cycle_fresh_score(m, now, &evidence);
	w->settling = score_settling(m, now);
	/* commanded: it has been told already */
	if (m->k.state != ADSHARD_MEMBER_ONLINE || m->commanded)
		return;
	w->wanted = m->track.at_risk ||
		    (m->judged && (m->verdict.band == PLAN_EMPTY ||
				   m->verdict.band == PLAN_RESCUE));
	if (!w->wanted)
		return;
	w->drain = m->judged || m->daemon->once ? may_drain(w, m, now) :
		   refuse(w, "its pool is not known yet");
}

/* Why a member at risk stays where it is: once for each reason. */
static void tell_why(struct member *m, const struct act_wish *w)
{
	if (!w->wanted || w->drain) {
		m->told_why[0] = 0;
		return;
	}
	/* a matter of seconds */
	if (w->settling || !m->judged)
		return;
	/* the time left of a hold changes all the time */
	if (strncmp(m->told_why, w->why, 20) == 0)
		return;
	snprintf(m->told_why, sizeof(m->told_why), "%s", w->why);
	log_warn(m->object, "should be evacuated (score %d), but %s", w->score,
		 w->why);
}

static void start_drain(struct member *m)
{
	struct adshardd *d = m->daemon;
	char reason[200];
	struct job *j;

	snprintf(reason, sizeof(reason), "score %d: %s", m->risk.score,
		 m->risk.nr ? m->risk.reason[0].text : "");
	if (!set_state(m, ADSHARD_MEMBER_DRAINING))
		return;
	m->by_agent = true;
	m->approved = false;
	cycle_save(m);
	j = jobs_add(d->jobs, m->pool->k.uuid, m->k.uuid, m->k.index, reason,
		     true, now_epoch());
	if (!j)
		return;
	job_progress(j, m->k.nr_segments, m->pool->k.segment_size, 0);
	history_job(d->history, j);
	log_warn(m->object, "evacuation begins (job %llu): %u segments; %s",
		 (unsigned long long)j->id, m->k.nr_segments, reason);
}

static void decide(struct pool *p)
{
	struct act_wish w;

	for (struct member *m = p->members; m; m = m->next) {
		act_wish(m, &w);
		tell_why(m, &w);
		if (!fresh_view(m) || now_mono() < m->command_again ||
		    !m->judged)
			continue;
		if (w.drain) {
			start_drain(m);
		} else if (m->verdict.release &&
			   m->daemon->config->mode == MODE_AUTO) {
			log_notice(m->object,
				   "is well again: takes data again");
			set_state(m, ADSHARD_MEMBER_ONLINE);
		}
	}
}

/*
 * Whoever has left had nothing left to move. It may have been drained by somebody
 * else, while the agent did not run or between two looks.
 */
static void end_of_left(struct adshardd *d)
{
	for (struct job *j = d->jobs->newest; j; j = j->next) {
		struct pool *p = j->state == JOB_DRAINING &&
				 j->kind == JOB_EVACUATE ?
				 model_pool(d, j->pool) : NULL;

		/* without members: it is being deactivated */
		if (!p || p->k.state == ADSHARD_POOL_LOADING || !p->members ||
		    model_member_by_uuid(d, j->member_uuid))
			continue;
		job_progress(j, 0, p->k.segment_size, 0);
		snprintf(j->note, sizeof(j->note),
			 "the member has left the pool");
		job_end(d->jobs, j, JOB_DRAINED, now_epoch());
		history_job(d->history, j);
		log_notice(p->object, "job %llu: member %u has left the pool",
			   (unsigned long long)j->id, j->member);
		/* the list may have lost others */
		return;
	}
}

void act_run(struct adshardd *d)
{
	if (d->once || !d->history_ready || !settings_ready(d->settings) ||
	    d->view_error ||
	    d->config->mode == MODE_OFF)
		return;
	end_of_left(d);
	for (struct pool *p = d->pools; p; p = p->next) {
		if (p->k.state == ADSHARD_POOL_LOADING)
			continue;
		for (struct member *m = p->members; m; m = m->next)
			if (fresh_view(m))
				evacuate_run(m);
		rebuild_run(p);
		planner_run(p);
		decide(p);
	}
}

/* -- answers ------------------------------------------------------------------ */

static void state_answer(struct member *m, const struct kernel_command *c)
{
	struct adshardd *d = m->daemon;
	struct job *j = jobs_running(d->jobs, m->k.uuid);

	if (m->commanded)
		m->commanded--;
	m->command_serial = c->serial;
	if (!c->error)
		return;
	m->command_again = now_mono() + COMMAND_PAUSE;
	log_error(m->object, "can't be set %s: %s",
		  ads_member_state_name(c->state),
		  ads_err_text(&c->err, c->error));
	if (j && c->state == ADSHARD_MEMBER_DRAINING) {
		snprintf(j->note, sizeof(j->note), "can't be set draining: %s",
			 ads_err_text(&c->err, c->error));
		job_end(d->jobs, j, JOB_FAILED, now_epoch());
		history_job(d->history, j);
	}
}

void act_answer(struct adshardd *d, const struct kernel_command *c)
{
	struct pool *p = model_pool(d, c->pool);
	struct member *m;

	if (!p)
		return;
	switch (c->verb) {
	case KERNEL_START:
		planner_answer(p, c);
		break;
	case KERNEL_DROP:
		planner_answer(p, c);
		kernel_refresh(d->kernel);
		break;
	case KERNEL_SET_MEMBER:
		m = model_member(p, c->member);
		if (m)
			state_answer(m, c);
		kernel_refresh(d->kernel);
		break;
	case KERNEL_ABORT_MEMBER:
	case KERNEL_ABORT_SEGMENT:
		if (c->error && c->error != -ENOENT)
			log_warn(p->object, "abort: %s",
				 ads_err_text(&c->err, c->error));
		kernel_refresh(d->kernel);
		break;
	case KERNEL_THROTTLE:
		break;
	}
}

void act_event(struct adshardd *d, const struct ads_event *ev)
{
	struct pool *p = model_pool(d, ev->pool_uuid);

	if (!p)
		return;
	rebuild_told(p, ev);
	planner_event(p, ev);
	if (ev->type == ADSHARD_EVENT_MEMBER_ERROR ||
	    ev->type == ADSHARD_EVENT_POOL_STATE)
		log_warn(p->object, "%s%s%s", ads_event_name(ev->type),
			 ev->has & ADS_EV_TEXT ? ": " : "",
			 ev->has & ADS_EV_TEXT ? ev->text : "");
}

void act_member_gone(struct member *m)
{
	evacuate_free(m);
}

/* -- the operator ---------------------------------------------------------------- */

static void abort_all(struct member *m)
{
	struct kernel_command cmd = {
		.verb = KERNEL_ABORT_MEMBER,
		.member = m->k.index,
	};

	memcpy(cmd.pool, m->pool->k.uuid, ADS_UUID_LEN);
	kernel_do(m->daemon->kernel, &cmd);
}

/* What can wait: nothing to put back, only nothing more to do. */
static int cancel_pool_job(struct adshardd *d, struct job *j,
			   struct ads_err *err)
{
	struct pool *p = model_pool(d, j->pool);

	if (j->state != JOB_DRAINING)
		return ads_err(err, -EALREADY, "job %llu has ended (%s)",
			       (unsigned long long)j->id, job_state_name(j));
	if (p && j->kind == JOB_REBUILD)
		rebuild_cancel(p);
	else if (p)
		planner_cancel(p, job_cause(j->kind));
	job_end(d->jobs, j, JOB_CANCELLED, now_epoch());
	snprintf(j->note, sizeof(j->note), "cancelled by the operator");
	history_job(d->history, j);
	log_notice(p ? p->object : "job", "job %llu: cancelled by the operator",
		   (unsigned long long)j->id);
	return 0;
}

int act_cancel(struct adshardd *d, uint64_t id, struct ads_err *err)
{
	struct job *j = jobs_find(d->jobs, id);
	struct member *m;
	bool draining;

	if (!j)
		return ads_err(err, -ENOENT, "there is no job %llu",
			       (unsigned long long)id);
	if (j->kind != JOB_EVACUATE)
		return cancel_pool_job(d, j, err);
	m = model_member_by_uuid(d, j->member_uuid);
	draining = m && m->k.state == ADSHARD_MEMBER_DRAINING;
	if (j->state != JOB_DRAINING &&
	    !(j->state == JOB_WITH_ERRORS && draining))
		return ads_err(err, -EALREADY, "job %llu has ended (%s)",
			       (unsigned long long)id,
			       job_state_name(j));
	if (!m)
		return ads_err(err, -ENODEV,
			       "job %llu: its pool is not active",
			       (unsigned long long)id);
	if (!set_state(m, ADSHARD_MEMBER_ONLINE))
		return ads_err(err, -EAGAIN,
			       "the kernel does not answer; try again");
	abort_all(m);
	job_end(d->jobs, j, JOB_CANCELLED, now_epoch());
	snprintf(j->note, sizeof(j->note), "cancelled by the operator");
	history_job(d->history, j);
	evacuate_free(m);
	m->by_agent = false;
	m->hold_until = now_epoch() + d->config->plan.hold;
	cycle_save(m);
	log_notice(m->object, "job %llu: cancelled by the operator",
		   (unsigned long long)id);
	return 0;
}
