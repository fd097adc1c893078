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
#include "daemon/planner.h"
#include "daemon/rebuild.h"
#include "lib/place.h"

#define PRIORITY	200	/* before what only makes room, behind nothing */

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

unsigned int rebuild_priority(const struct job *j)
{
	return j->priority < 0 ? PRIORITY : (unsigned int)j->priority;
}

bool rebuild_awaits(const struct member *m)
{
	return m->gone_since && now_mono() - m->gone_since <
				(double)m->daemon->config->rebuild.delay;
}

bool rebuild_is_off(const struct pool *p)
{
	const struct config *c = p->daemon->config;

	return !c->rebuild.enable || c->mode != MODE_AUTO ||
	       p->rebuild_hold > now_epoch();
}

struct job *rebuild_job(struct pool *p)
{
	struct job *j = p->rebuild ? job_of(p) : NULL;

	return j && !j->paused && !p->k.suspended && !rebuild_is_off(p) ? j :
									  NULL;
}

/* -- what the plan says -------------------------------------------------------------- */

/* Why there is no place for the first one that finds none. */
static void why_placeless(const struct pool *p, const struct plan_state *s,
			  uint32_t segment, struct ads_err *err)
{
	const struct plan_seg *g = &s->seg[segment];
	const struct config *c = p->daemon->config;
	struct ads_place_segment what = { .segment = segment };
	struct ads_place_opts opts = {
		.max_score = (int)c->plan.max_score,
		.same_domain = c->plan.same_domain,
		.same_domain_how = "plan.same_domain = yes",
	};
	struct ads_place_member *list;
	uint32_t dst;
	size_t n;

	for (unsigned int l = 0; l < g->nr_legs + g->nr_dead; l++) {
		uint16_t on = l < g->nr_legs ? g->leg[l] :
					       g->dead[l - g->nr_legs];

		what.on[what.nr_on++] = on;
		what.with[what.nr_with++] = on;
	}
	list = evacuate_members(p, &n);
	if (list)
		ads_place(list, n, &what, 1, &opts, &dst, err);
	free(list);
}

void rebuild_planned(struct pool *p, const struct plan_state *s,
		     const struct plan_result *r)
{
	const struct plan_mending *b = &r->mending;
	struct rebuild *t = p->rebuild;
	struct ads_err err = { .text = "" };
	size_t given_up;

	if (!t)
		return;
	t->mending = *b;
	t->planned = true;
	t->note[0] = 0;
	given_up = retries_given_up(&t->retries);
	if (b->lost) {
		snprintf(t->note, sizeof(t->note),
			 "%u segments have no copy that can be read", b->lost);
	} else if (b->placeless) {
		why_placeless(p, s, b->first_placeless, &err);
		snprintf(t->note, sizeof(t->note),
			 "no place for %u copies%s%.150s", b->placeless,
			 err.text[0] ? ": " : "", err.text);
	} else if (given_up) {
		snprintf(t->note, sizeof(t->note), "%zu segments got no copy",
			 given_up);
	} else if (b->awaited) {
		snprintf(t->note, sizeof(t->note),
			 "%u segments wait for a missing member to come back",
			 b->awaited);
	}
}

/* Nothing is left but what can't be helped. */
static bool is_stuck(const struct pool *p)
{
	const struct rebuild *t = p->rebuild;
	const struct plan_mending *b = &t->mending;

	return t->planned && planner_is_current(p) && !b->steps &&
	       !b->awaited && !b->placeless && b->lost + b->later &&
	       retries_given_up(&t->retries) >= b->later &&
	       !planner_is_sent(p, PLAN_BY_REBUILD);
}

/* -- running ---------------------------------------------------------------------------- */

static void mend(struct pool *p, const char *why)
{
	struct job *j;

	if (!p->rebuild) {
		p->rebuild = calloc(1, sizeof(*p->rebuild));
		if (!p->rebuild)
			return;
		j = begin(p, why);
		planner_soon(p);
	} else {
		/* given up: a new reason, or a new start, tries again */
		j = job_of(p);
	}
	if (!j)
		return;
	job_progress(j, p->k.nr_short, p->k.segment_size, 0);
	snprintf(j->note, sizeof(j->note), "%s", j->paused ?
		 "paused by the operator" : p->rebuild->note);
	if (is_stuck(p))
		end(p, JOB_WITH_ERRORS, LOG_ERR, p->rebuild->note);
}

void rebuild_run(struct pool *p)
{
	char why[200];
	bool needed = p->k.knows_legs && wanted(p, why, sizeof(why));

	if (needed && !rebuild_is_off(p)) {
		mend(p, why);
		return;
	}
	if (!needed && p->rebuild && planner_is_sent(p, PLAN_BY_REBUILD))
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
	if (p->rebuild)
		retries_free(&p->rebuild->retries);
	free(p->rebuild);
	p->rebuild = NULL;
}

void rebuild_answer(struct pool *p, const struct planner_sent *o, int error,
		    const char *why)
{
	const struct config *c = p->daemon->config;
	int64_t now = now_epoch();

	if (error != -EALREADY && error != -EBUSY)
		log_info(p->object, "segment %u: %s", o->segment, why);
	if (!p->rebuild)
		return;
	switch (error) {
	case -EALREADY:
	case -ENOENT:
		break;		/* the next list says how it is */
	case -EBUSY:
	case -EAGAIN:
	case -EROFS:
	case -EPROTONOSUPPORT:
		retries_postpone(&p->rebuild->retries, o->segment, now, c);
		break;
	default:
		retries_failed(&p->rebuild->retries, o->segment, o->to, why, now,
			       c);
	}
}

void rebuild_event(struct pool *p, const struct planner_sent *o,
		   const struct ads_event *ev)
{
	const char *why = ev->type == ADSHARD_EVENT_MIGRATION_ABORTED ?
			  "aborted" : ev->has & ADS_EV_TEXT ? ev->text :
			  strerror((int)ev->error);

	if (!p->rebuild)
		return;
	if (ev->type == ADSHARD_EVENT_MIGRATION_DONE)
		retries_forget(&p->rebuild->retries, ev->segment);
	else if (!o->aborting)
		retries_failed(&p->rebuild->retries, ev->segment, o->to, why,
			       now_epoch(), p->daemon->config);
}

void rebuild_told(struct pool *p, const struct ads_event *ev)
{
	if (ev->type != ADSHARD_EVENT_LEG_STALE)
		return;
	log_warn(p->object, "segment %u: its copy on member %u has missed a write",
		 ev->segment, ev->member);
	/* A new reason for what had been given up. */
	if (!job_of(p))
		rebuild_gone(p);
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
