// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/cookie.h"
#include "daemon/cycle.h"
#include "daemon/evacuate.h"
#include "daemon/history/history.h"
#include "daemon/log.h"
#include "daemon/plan/jobs.h"
#include "daemon/plan/rebuild.h"
#include "daemon/rebuild.h"

#define MAX_STEPS	256
#define PRIORITY	200	/* before what only makes room, behind nothing */
#define LIST_AGE	30.0	/* seconds; events tell what happens between */
#define LIST_PAUSE	2.0
#define LIST_LOST	60.0	/* an answer that did not come */

static struct job *job_of(const struct pool *p)
{
	return jobs_running_pool(p->daemon->jobs, JOB_REBUILD, p->k.uuid);
}

static bool is_gone(const struct member *m)
{
	return !m->k.present && m->k.state != ADSHARD_MEMBER_FAILED &&
	       m->k.nr_segments;
}

/* Is there anything to be done, and why? Notes since when members are gone. */
static bool wanted(struct pool *p, char *why, size_t size)
{
	double now = now_mono();
	bool any = false;

	why[0] = 0;
	for (struct member *m = p->members; m; m = m->next) {
		bool dead = m->k.state == ADSHARD_MEMBER_FAILED &&
			    m->k.nr_segments;

		if (!is_gone(m))
			m->gone_since = 0;
		else if (!m->gone_since)
			m->gone_since = now;
		/* Where segments have one copy each it can't be made anew. */
		if ((!is_gone(m) && !dead) || !p->has_copies)
			continue;
		any = true;
		if (!why[0])
			snprintf(why, size, "%.100s %s with %u copies",
				 m->object, dead ? "has failed" : "is missing",
				 m->k.nr_segments);
	}
	if (!p->k.nr_short && !p->k.nr_stale)
		return any;
	if (!why[0])
		snprintf(why, size, "%u segments are short of copies, %u copies are out of date",
			 p->k.nr_short, p->k.nr_stale);
	return true;
}

static void input(const struct pool *p, struct rebuild_input *in)
{
	double now = now_mono();

	memset(in, 0, sizeof(*in));
	in->now = now_epoch();
	in->config = p->daemon->config;
	in->members = evacuate_members(p, &in->nr_members);
	if (!in->members)
		in->nr_members = 0;
	in->migrations = p->migrations;
	in->nr_migrations = p->nr_migrations;
	in->awaited = calloc(in->nr_members + 1, sizeof(*in->awaited));
	for (struct member *m = p->members; in->awaited && m; m = m->next)
		if (m->gone_since && in->nr_awaited < in->nr_members &&
		    now - m->gone_since < (double)in->config->rebuild.delay)
			in->awaited[in->nr_awaited++] = m->k.index;
}

static void input_free(struct rebuild_input *in)
{
	free(in->members);
	free(in->awaited);
}

static void end(struct pool *p, enum job_state state, int priority,
		const char *text)
{
	struct adshardd *d = p->daemon;
	struct job *j = job_of(p);

	if (j) {
		job_end(d->jobs, j, state, now_epoch());
		history_job(d->history, j);
		log_write(priority, p->object,
			  "job %llu: %s: %llu of %llu segments%s%s",
			  (unsigned long long)j->id, job_state_name(j),
			  (unsigned long long)j->segments_done,
			  (unsigned long long)j->segments_total,
			  text[0] ? "; " : "", text);
	}
}

static struct job *begin(struct pool *p, const char *why)
{
	struct adshardd *d = p->daemon;
	struct job *j = job_of(p);

	if (j) {
		log_notice(p->object, "job %llu goes on: copies of segments",
			   (unsigned long long)j->id);
		return j;
	}
	j = jobs_add_pool(d->jobs, JOB_REBUILD, p->k.uuid, why, true,
			  now_epoch());
	if (!j)
		return NULL;
	job_progress(j, p->k.nr_short, p->k.segment_size, 0);
	history_job(d->history, j);
	log_warn(p->object, "rebuild begins (job %llu): %s",
		 (unsigned long long)j->id, why);
	return j;
}

static void ask_list(struct pool *p)
{
	struct rebuild *r = p->rebuild;
	double now = now_mono(), age = now - r->listed_at;
	/* a big list is not made all the time */
	double pause = LIST_PAUSE + (double)p->k.nr_segments / 20000;

	if (r->asked && now - r->asked < LIST_LOST)
		return;
	if (r->listed_at && age < pause)
		return;
	if (r->listed && age < LIST_AGE)
		return;
	if (!kernel_ask_segments(p->daemon->kernel, p->k.uuid,
				 ADSHARD_NO_MEMBER))
		r->asked = now;
}

unsigned int rebuild_priority(const struct job *j)
{
	return j->priority < 0 ? PRIORITY : (unsigned int)j->priority;
}

static void fill_command(const struct pool *p, const struct job *j,
			 const struct ads_mend *s, struct kernel_command *cmd)
{
	memset(cmd, 0, sizeof(*cmd));
	memcpy(cmd->pool, p->k.uuid, ADS_UUID_LEN);
	cmd->op.segment = s->segment;
	if (s->act == ADS_MEND_DROP) {
		cmd->verb = KERNEL_DROP;
		cmd->member = s->src;
		return;
	}
	cmd->verb = KERNEL_START;
	cmd->op.kind = s->act == ADS_MEND_REPLACE ? ADSHARD_KIND_MOVE :
						    ADSHARD_KIND_ADD;
	cmd->op.dst = s->dst;
	cmd->op.has_src = s->act == ADS_MEND_REPLACE;
	cmd->op.src = s->src;
	cmd->op.priority = rebuild_priority(j);
	cmd->op.cookie = cookie_make(COOKIE_REBUILD, j->id);
}

static void send_steps(struct pool *p, const struct job *j)
{
	struct adshardd *d = p->daemon;
	size_t n, max = d->config->rebuild.window;
	struct ads_mend steps[MAX_STEPS];
	struct rebuild_input in;

	if (max > MAX_STEPS)
		max = MAX_STEPS;
	input(p, &in);
	n = in.members ? rebuild_plan(p->rebuild, &in, steps, max) : 0;
	for (size_t i = 0; i < n; i++) {
		struct kernel_command cmd;

		fill_command(p, j, &steps[i], &cmd);
		log_debug(p->object, cmd.verb == KERNEL_DROP ?
			  "segment %u: copy on member %u dropped" :
			  "segment %u: copy on member %u", steps[i].segment,
			  cmd.verb == KERNEL_DROP ? steps[i].src :
			  steps[i].dst);
		if (kernel_do(d->kernel, &cmd))
			rebuild_answer(p->rebuild, steps[i].segment, -EAGAIN,
				       "too many requests wait", 0, &in);
	}
	input_free(&in);
}

static void progress(struct pool *p, struct job *j)
{
	const struct rebuild *r = p->rebuild;

	job_progress(j, r->listed ? r->nr_short : p->k.nr_short,
		     p->k.segment_size, 0);
	snprintf(j->note, sizeof(j->note), "%s", j->paused ?
		 "paused by the operator" : r->note);
}

static void mend(struct pool *p, const char *why)
{
	struct job *j;

	if (!p->rebuild) {
		p->rebuild = rebuild_new();
		if (!p->rebuild)
			return;
		j = begin(p, why);
	} else {
		/* given up: a new reason, or a new start, tries again */
		j = job_of(p);
	}
	if (!j)
		return;
	ask_list(p);
	if (p->rebuild->listed && !p->k.suspended && !j->paused)
		send_steps(p, j);
	progress(p, j);
	if (rebuild_stuck(p->rebuild))
		end(p, JOB_WITH_ERRORS, LOG_ERR, p->rebuild->note);
}

void rebuild_run(struct pool *p)
{
	const struct config *c = p->daemon->config;
	char why[200];
	bool needed = p->k.knows_legs && wanted(p, why, sizeof(why));

	if (needed && c->rebuild.enable && c->mode == MODE_AUTO &&
	    p->rebuild_hold <= now_epoch()) {
		mend(p, why);
		return;
	}
	if (!needed && p->rebuild && p->rebuild->nr_sent)
		return;		/* the last one's event is about to come */
	if (!needed && job_of(p)) {
		struct job *j = job_of(p);

		job_progress(j, 0, p->k.segment_size, 0);
		j->note[0] = 0;
		end(p, JOB_DRAINED, LOG_NOTICE,
		    "every segment has its copies");
	}
	if (!needed)
		rebuild_gone(p);
}

void rebuild_gone(struct pool *p)
{
	rebuild_free(p->rebuild);
	p->rebuild = NULL;
}

void rebuild_segments(struct pool *p, const struct kernel_segments *s)
{
	struct rebuild_input in;

	for (size_t i = 0; i < s->nr && !p->has_copies; i++)
		p->has_copies = s->segments[i].wanted > 1;
	if (!p->rebuild || !p->rebuild->asked)
		return;
	p->rebuild->asked = 0;
	if (s->error)
		return;
	input(p, &in);
	if (!in.members || rebuild_list(p->rebuild, s, p->heat, &in))
		log_error(p->object, "no memory for a list of %zu segments",
			  s->nr);
	input_free(&in);
	p->rebuild->listed_at = now_mono();
}

void rebuild_command(struct pool *p, const struct kernel_command *c)
{
	const char *why = ads_err_text(&c->err, c->error);
	struct rebuild_input in;

	if (!p->rebuild || (c->verb == KERNEL_START &&
			    !cookie_is(c->op.cookie, COOKIE_REBUILD)))
		return;
	if (c->error && c->error != -EALREADY && c->error != -EBUSY)
		log_info(p->object, "segment %u: %s", c->op.segment, why);
	input(p, &in);
	rebuild_answer(p->rebuild, c->op.segment, c->error, why, c->serial,
		       &in);
	input_free(&in);
}

void rebuild_told(struct pool *p, const struct ads_event *ev)
{
	const char *why = ev->has & ADS_EV_TEXT ? ev->text :
			  strerror((int)ev->error);
	struct rebuild_input in;
	int error = 0;

	if (ev->type == ADSHARD_EVENT_LEG_STALE)
		log_warn(p->object, "segment %u: its copy on member %u has missed a write",
			 ev->segment, ev->member);
	/* A new reason for what had been given up. */
	if (ev->type == ADSHARD_EVENT_LEG_STALE && !job_of(p))
		rebuild_gone(p);
	if (!p->rebuild)
		return;
	if (ev->lost || ev->type == ADSHARD_EVENT_LEG_STALE)
		p->rebuild->listed = false;
	if (ev->type == ADSHARD_EVENT_MIGRATION_FAILED)
		error = ev->error ? -(int)ev->error : -EIO;
	else if (ev->type == ADSHARD_EVENT_MIGRATION_ABORTED)
		error = -ECANCELED;
	else if (ev->type != ADSHARD_EVENT_MIGRATION_DONE)
		return;
	/* Somebody else's: there may be something to do, or nothing any more. */
	if (!(ev->has & ADS_EV_COOKIE) || !cookie_is(ev->cookie, COOKIE_REBUILD)) {
		p->rebuild->listed = false;
		return;
	}
	input(p, &in);
	rebuild_event(p->rebuild, ev->segment, error,
		      error == -ECANCELED ? "aborted" : why, &in);
	input_free(&in);
}

void rebuild_cancel(struct pool *p)
{
	struct adshardd *d = p->daemon;

	for (size_t i = 0; i < p->nr_migrations; i++) {
		struct kernel_command cmd = { .verb = KERNEL_ABORT_SEGMENT };

		if (!cookie_is(p->migrations[i].cookie, COOKIE_REBUILD))
			continue;
		memcpy(cmd.pool, p->k.uuid, ADS_UUID_LEN);
		cmd.op.segment = p->migrations[i].segment;
		kernel_do(d->kernel, &cmd);
	}
	p->rebuild_hold = now_epoch() + d->config->plan.hold;
	rebuild_gone(p);
}
