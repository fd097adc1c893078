// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/cycle.h"
#include "daemon/decisions.h"
#include "daemon/evacuate.h"
#include "daemon/history/history.h"
#include "daemon/log.h"
#include "daemon/planner-keep.h"
#include "daemon/planner-priv.h"
#include "daemon/plan/jobs.h"
#include "daemon/rebuild.h"
#include "daemon/settings.h"

#define EVERY		2.0	/* seconds between two plans, at least */
#define SHARE		20	/* and so many times what one takes */
#define AGAIN		5	/* if something has changed, so many times */
#define LIST_AGE	30.0	/* seconds; events tell what happens between */
#define LIST_PAUSE	2.0

/* -- jobs -------------------------------------------------------------------------------- */

/* All jobs of the cause together: it has one for each member that it is about. */
static bool planned(const struct plan_result *r, uint8_t cause,
		    struct plan_job *sum)
{
	memset(sum, 0, sizeof(*sum));
	for (size_t i = 0; i < r->nr_jobs; i++) {
		if (r->job[i].cause != cause)
			continue;
		sum->starting += r->job[i].starting;
		if (r->job[i].waiting && !sum->waiting)
			sum->hold = r->job[i].hold;
		sum->waiting += r->job[i].waiting;
	}
	return sum->starting + sum->waiting > 0;
}

static void end_job(struct pool *p, struct job *j, enum job_state state)
{
	job_end(p->daemon->jobs, j, state, now_epoch());
	history_job(p->daemon->history, j);
	log_notice(p->object, "job %llu: %s: %llu segments moved%s%s",
		   (unsigned long long)j->id, job_state_name(j),
		   (unsigned long long)j->segments_done, j->note[0] ? "; " : "",
		   j->note);
}

/* Nothing of it could begin but for the operator's word? */
static bool by_hand(const struct planner *pl, const struct plan_result *r,
		    uint8_t cause)
{
	bool any = false;

	for (size_t i = 0; i < r->nr_start && i < r->nr_actions; i++) {
		const struct plan_action *a = &r->action[i];

		if (a->cause != cause || a->what == PLAN_DO_ABORT)
			continue;
		if (pl->hands_off[a->segment] <= now_epoch())
			return false;
		any = true;
	}
	return any;
}

/* Totals are what is done, what is under way and what is still planned. */
static void count_jobs(struct pool *p, const struct plan_result *r)
{
	struct planner *pl = p->planner;

	for (uint8_t c = 0; c < PLAN_CAUSES; c++) {
		struct job *j = planner_keeps(c) ?
			jobs_running_pool(p->daemon->jobs, job_kind_of(c),
					  p->k.uuid) : NULL;
		uint64_t left = 0, sent = 0, copied = 0;
		struct plan_job w;

		if (!j)
			continue;
		if (planned(r, c, &w))
			left = (uint64_t)w.starting + w.waiting;
		for (size_t i = 0; i < pl->nr_sent; i++)
			sent += pl->sent[i].cause == c;
		for (size_t i = 0; i < p->nr_migrations; i++)
			if (planner_cause_of(p, p->migrations[i].cookie) == c)
				copied += p->migrations[i].chunks_done *
					  p->k.chunk_size;
		j->segments_total = j->segments_done + sent + left;
		j->bytes_total = j->segments_total * p->k.segment_size;
		j->bytes_done = j->segments_done * p->k.segment_size + copied;
		if (j->paused)
			snprintf(j->note, sizeof(j->note),
				 "paused by the operator");
		else if (!sent && left && by_hand(pl, r, c))
			snprintf(j->note, sizeof(j->note),
				 "what is left was moved or called off by hand: it is left alone for pace.rest");
		else if (!sent && left && pl->why_not[0])
			snprintf(j->note, sizeof(j->note), "%s", pl->why_not);
		else
			snprintf(j->note, sizeof(j->note), "%s",
				 w.waiting && !w.starting ?
				 plan_hold_text(w.hold) : "");
		if (!sent && !left && !j->paused)
			end_job(p, j, JOB_DRAINED);
	}
}

static bool same_track(const struct plan_track *a, const struct plan_track *b)
{
	return a->band == b->band && a->above == b->above &&
	       a->evidence == b->evidence && a->since == b->since &&
	       a->quiet == b->quiet && a->suspect == b->suspect;
}

/* Bands are the planner's memory: handed in again with the next state. */
static bool keep_bands(struct pool *p, const struct planner_state *st,
		       const struct plan_result *r)
{
	bool news = false;

	for (uint32_t i = 0; i < st->s.nr_members; i++) {
		struct member *m = model_member(p, st->s.member[i].index);

		if (!m)
			continue;
		news |= m->band.band != r->verdict[i].track.band;
		p->planner->dirty |= !same_track(&m->band,
						 &r->verdict[i].track);
		m->band = r->verdict[i].track;
	}
	return news;
}

/* What the plan says of members, for those who ask until the next one. */
static void keep_verdicts(struct pool *p, const struct planner_state *st,
			  const struct plan_result *r)
{
	for (uint32_t i = 0; i < st->s.nr_members; i++) {
		struct member *m = model_member(p, st->s.member[i].index);

		if (!m)
			continue;
		m->verdict = r->verdict[i];
		m->judged = true;
		evacuate_planned(m, &st->s, r);
	}
	rebuild_planned(p, &st->s, r);
}

void planner_soon(struct pool *p)
{
	if (p->planner)
		p->planner->soon = true;
}

bool planner_is_current(const struct pool *p)
{
	return p->planner && p->planner->listed && !p->planner->soon;
}

/* A list that what is urgent waits for; all others come as heat does. */
static void ask_list(struct pool *p)
{
	struct planner *pl = p->planner;
	double now = now_mono(), age = now - pl->listed;
	bool urgent = p->rebuild && jobs_running_pool(p->daemon->jobs,
						      JOB_REBUILD, p->k.uuid);

	for (const struct member *m = p->members; m; m = m->next)
		urgent |= m->leaving && evacuate_busy(m);
	/* a big list is not made all the time */
	if (!urgent || (pl->listed && age < LIST_AGE) ||
	    now - pl->asked < LIST_PAUSE + (double)pl->nr / 20000)
		return;
	if (!kernel_ask_segments(p->daemon->kernel, p->k.uuid,
				 ADSHARD_NO_MEMBER))
		pl->asked = now;
}

static bool is_time(const struct planner *pl, double now)
{
	double pause = pl->soon ? AGAIN * pl->took : EVERY + SHARE * pl->took;

	return !pl->ran || now - pl->ran >= pause;
}

static void finish(struct pool *p, const struct planner_state *st,
		   const struct plan_policy *policy, const struct plan_result *r)
{
	struct planner *pl = p->planner;
	bool news = keep_bands(p, st, r);
	size_t begun;

	keep_verdicts(p, st, r);
	begun = planner_do(p, st, policy, r);
	count_jobs(p, r);
	pl->nr_conflicts = r->nr_conflicts < PLANNER_CONFLICTS ?
			   r->nr_conflicts : PLANNER_CONFLICTS;
	if (pl->nr_conflicts)
		memcpy(pl->conflict, r->conflict,
		       pl->nr_conflicts * sizeof(*pl->conflict));
	if (begun || news)
		decisions_add(p, &st->s, policy, PLANNER_ACTIONS, r);
}

void planner_run(struct pool *p)
{
	struct planner *pl = planner_of(p);
	struct ads_err err = { .text = "" };
	struct plan_policy policy;
	struct planner_state st;
	struct plan_result *r;
	double now = now_mono();

	if (!pl || !pl->seg || !settings_ready(p->daemon->settings) ||
	    !planner_keep_ready(p->daemon))
		return;
	ask_list(p);
	if (!is_time(pl, now))
		return;
	if (!pl->restored)
		planner_keep_restore(p);
	/* of one whose history has not come yet nobody knows what was thought: it
	 * would seem to be well, and what was done for it be taken back */
	for (struct member *m = p->members; m; m = m->next) {
		planner_keep_member(m);
		if (!m->band_known)
			return;
	}
	planner_adopt(p);
	planner_settle(p);
	planner_policy(p, &policy);
	pl->ran = now;
	pl->soon = false;
	pl->error = planner_state(p, &st, &err);
	if (pl->error)
		return;
	pl->error = plan_run(&st.s, &policy, PLANNER_ACTIONS, &r, &err);
	if (pl->error) {
		if (strcmp(pl->problem, err.text))
			log_error(p->object, "can't plan: %s",
				  ads_err_text(&err, pl->error));
		snprintf(pl->problem, sizeof(pl->problem), "%.190s",
			 ads_err_text(&err, pl->error));
		planner_state_free(&st);
		return;
	}
	pl->problem[0] = 0;
	finish(p, &st, &policy, r);
	plan_result_free(r);
	planner_state_free(&st);
	planner_keep_save(p, false);
	pl->took = now_mono() - now;
}
