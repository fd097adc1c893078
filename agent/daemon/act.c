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
		return true;
	}
	m->command_again = now_mono() + COMMAND_PAUSE;
	return false;
}

/* -- decisions --------------------------------------------------------------- */

struct plan_candidate *act_candidates(struct pool *p, size_t *n)
{
	const struct config *config = p->daemon->config;
	int64_t now = now_epoch(), evidence;
	struct plan_candidate *c;
	size_t i = 0;

	*n = 0;
	for (struct member *m = p->members; m; m = m->next)
		++*n;
	c = calloc(*n ? *n : 1, sizeof(*c));
	if (!c)
		return NULL;
	for (struct member *m = p->members; m; m = m->next, i++) {
		c[i].state = m->k.state;
		c[i].present = m->k.present;
		c[i].at_risk = m->track.at_risk;
		c[i].score = cycle_fresh_score(m, now, &evidence);
		c[i].suspect = m->suspect;
		c[i].settling = score_settling(m, now);
		c[i].by_agent = m->by_agent;
		c[i].approved = m->approved;
		c[i].busy = evacuate_busy(m) || m->commanded;
		c[i].hold_until = m->hold_until;
		c[i].nr_segments = m->k.nr_segments;
		c[i].room = evacuate_room(m);
	}
	plan_decide(c, *n, now, config);
	return c;
}

/* Why a member at risk stays where it is: once for each reason. */
static void tell_why(struct member *m, const struct plan_candidate *c)
{
	if (!c->wanted || c->act != DECIDE_NOTHING) {
		m->told_why[0] = 0;
		return;
	}
	/* a matter of seconds */
	if (c->settling)
		return;
	/* the time left of a hold changes all the time */
	if (strncmp(m->told_why, c->why, 20) == 0)
		return;
	snprintf(m->told_why, sizeof(m->told_why), "%s", c->why);
	log_warn(m->object, "should be evacuated (score %d), but %s", c->score,
		 c->why);
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
	struct plan_candidate *c;
	size_t n, i = 0;

	c = act_candidates(p, &n);
	if (!c)
		return;
	for (struct member *m = p->members; m; m = m->next, i++) {
		tell_why(m, &c[i]);
		if (!fresh_view(m) || now_mono() < m->command_again)
			continue;
		switch (c[i].act) {
		case DECIDE_DRAIN:
			start_drain(m);
			break;
		case DECIDE_ONLINE:
			log_notice(m->object,
				   "is well again: takes data again");
			set_state(m, ADSHARD_MEMBER_ONLINE);
			break;
		case DECIDE_NOTHING:
			break;
		}
	}
	free(c);
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
		decide(p);
		for (struct member *m = p->members; m; m = m->next)
			if (fresh_view(m))
				evacuate_run(m);
		rebuild_run(p);
		planner_run(p);
	}
}

/* -- answers ------------------------------------------------------------------ */

void act_segments(struct adshardd *d, const struct kernel_segments *s)
{
	struct pool *p = model_pool(d, s->pool);
	struct member *m = p ? model_member(p, s->member) : NULL;

	if (!m || !m->drain)
		return;
	evacuate_list(m, s);
	act_run(d);
}

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
		for (m = p->members; m; m = m->next)
			if (m->drain && c->op.kind == ADSHARD_KIND_MOVE)
				evacuate_answer(m, c);
		rebuild_command(p, c);
		planner_answer(p, c);
		break;
	case KERNEL_DROP:
		rebuild_command(p, c);
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
	for (struct member *m = p->members; m; m = m->next)
		if (m->drain)
			evacuate_event(m, ev);
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
	drain_free(m->drain);
	m->drain = NULL;
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
	drain_free(m->drain);
	m->drain = NULL;
	m->by_agent = false;
	m->hold_until = now_epoch() + d->config->plan.hold;
	cycle_save(m);
	log_notice(m->object, "job %llu: cancelled by the operator",
		   (unsigned long long)id);
	return 0;
}
