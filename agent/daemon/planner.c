// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/act.h"
#include "daemon/cookie.h"
#include "daemon/cycle.h"
#include "daemon/decisions.h"
#include "daemon/history/history.h"
#include "daemon/log.h"
#include "daemon/planner-keep.h"
#include "daemon/planner-priv.h"
#include "daemon/plan/jobs.h"
#include "daemon/settings.h"

#define EVERY		2.0	/* seconds between two plans, at least */
#define SHARE		20	/* and so many times what one takes */
#define LIST_SLACK	30.0	/* seconds above two intervals: then it is old */
#define APPROVED	86400	/* seconds */

bool planner_executes(uint8_t cause)
{
	return cause >= PLAN_BY_PIN && cause < PLAN_CAUSES;
}

/* -- jobs -------------------------------------------------------------------------------- */

static struct job *job_for(struct pool *p, uint8_t cause, const char *why)
{
	struct adshardd *d = p->daemon;
	enum job_kind kind = job_kind_of(cause);
	struct job *j = jobs_running_pool(d->jobs, kind, p->k.uuid);

	if (j)
		return j;
	j = jobs_add_pool(d->jobs, kind, p->k.uuid, why, true, now_epoch());
	if (j) {
		history_job(d->history, j);
		log_notice(p->object, "job %llu begins: %s: %s",
			   (unsigned long long)j->id, job_kind_name(kind), why);
	}
	return j;
}

static const struct plan_job *planned(const struct plan_result *r,
				      uint8_t cause)
{
	for (size_t i = 0; i < r->nr_jobs; i++)
		if (r->job[i].cause == cause)
			return &r->job[i];
	return NULL;
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

		if (a->cause != cause || a->what != PLAN_DO_MOVE)
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

	for (uint8_t c = PLAN_BY_PIN; c < PLAN_CAUSES; c++) {
		struct job *j = jobs_running_pool(p->daemon->jobs,
						  job_kind_of(c), p->k.uuid);
		const struct plan_job *w = planned(r, c);
		uint64_t left = 0, sent = 0, copied = 0;

		if (!j)
			continue;
		for (size_t i = 0; i < pl->nr_sent; i++)
			sent += pl->sent[i].cause == c;
		for (size_t i = 0; i < p->nr_migrations; i++)
			if (planner_cause_of(p, p->migrations[i].cookie) == c)
				copied += p->migrations[i].chunks_done *
					  p->k.chunk_size;
		if (w)
			left = (uint64_t)w->starting + w->waiting;
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
				 w && w->waiting && !w->starting ?
				 plan_hold_text(w->hold) : "");
		if (!sent && !left && !j->paused)
			end_job(p, j, JOB_DRAINED);
	}
}

void planner_cancel(struct pool *p, uint8_t cause)
{
	struct planner *pl = planner_of(p);

	if (!pl)
		return;
	for (size_t i = 0; i < p->nr_migrations; i++) {
		struct kernel_command cmd = { .verb = KERNEL_ABORT_SEGMENT };

		if (!cookie_is(p->migrations[i].cookie, COOKIE_PLAN) ||
		    planner_cause_of(p, p->migrations[i].cookie) != cause)
			continue;
		memcpy(cmd.pool, p->k.uuid, ADS_UUID_LEN);
		cmd.op.segment = p->migrations[i].segment;
		kernel_do(p->daemon->kernel, &cmd);
	}
}

/* -- doing it ------------------------------------------------------------------------- */

static bool is_approved(const struct planner *pl, const struct plan_action *a,
			int64_t now)
{
	if (now >= pl->approved_until)
		return false;
	for (size_t i = 0; i < pl->nr_approved; i++)
		if (pl->approved[i].segment == a->segment &&
		    pl->approved[i].cause == a->cause)
			return true;
	return false;
}

int planner_approve(struct pool *p, const struct plan_result *r)
{
	struct planner *pl = planner_of(p);
	struct planner_approved *all;

	all = pl ? calloc(r->nr_actions + 1, sizeof(*all)) : NULL;
	if (!all)
		return -ENOMEM;
	free(pl->approved);
	pl->approved = all;
	pl->nr_approved = 0;
	for (size_t i = 0; i < r->nr_actions; i++)
		all[pl->nr_approved++] = (struct planner_approved){
			r->action[i].segment, r->action[i].cause,
		};
	pl->approved_until = now_epoch() + APPROVED;
	pl->ran = 0;
	return 0;
}

static double load_of(const struct plan_state *s, uint16_t index)
{
	for (uint32_t i = 0; i < s->nr_members; i++)
		if (s->member[i].index == index)
			return (double)s->member[i].load[PLAN_NOW];
	return -1;
}

/* false: it can't be sent now. */
static bool begin(struct pool *p, const struct planner_state *st,
		  const struct plan_policy *policy, const struct plan_action *a)
{
	struct planner *pl = p->planner;
	double x = load_of(&st->s, a->from), y = load_of(&st->s, a->to);
	struct kernel_command cmd = {
		.verb = KERNEL_START,
		.op = {
			.kind = ADSHARD_KIND_MOVE,
			.segment = a->segment,
			.dst = a->to,
			.has_src = p->k.knows_legs,
			.src = a->from,
		},
	};
	struct planner_sent *all;
	char why[300];
	struct job *j;

	plan_action_text(&st->s, policy, a, why, sizeof(why));
	j = job_for(p, a->cause, why);
	all = reallocarray(pl->sent, pl->nr_sent + 1, sizeof(*all));
	if (all)
		pl->sent = all;
	if (!j || !all)
		return false;
	cmd.op.cookie = cookie_make(COOKIE_PLAN, j->id);
	cmd.op.priority = j->priority == JOB_NO_PRIORITY ? 0 :
			  (uint32_t)j->priority;
	memcpy(cmd.pool, p->k.uuid, ADS_UUID_LEN);
	if (kernel_do(p->daemon->kernel, &cmd))
		return false;
	log_info(p->object, "segment %u from member %u to member %u (%s): %s",
		 a->segment, a->from, a->to, plan_cause_name(a->cause), why);
	all[pl->nr_sent++] = (struct planner_sent){
		.segment = a->segment, .from = a->from, .to = a->to,
		.cause = a->cause, .started = now_epoch(),
		.load = x > y ? x : y,
	};
	return true;
}

static void call_back(struct pool *p, const struct plan_action *a)
{
	struct kernel_command cmd = {
		.verb = KERNEL_ABORT_SEGMENT,
		.op.segment = a->segment,
	};
	struct planner_sent *o = planner_find(p->planner, a->segment);

	if (!planner_in_view(p, a->segment) || (o && o->aborting) ||
	    (!o && a->cause != PLAN_BY_EVACUATE))
		return;
	memcpy(cmd.pool, p->k.uuid, ADS_UUID_LEN);
	if (kernel_do(p->daemon->kernel, &cmd))
		return;
	/* one of an evacuation is evacuate.c's, which then tries elsewhere */
	if (o)
		o->aborting = true;
	log_notice(p->object, "segment %u: called back from member %u, which turned bad",
		   a->segment, a->to);
}

/* Why nothing that can wait may begin at all; NULL: it may. */
static const char *forbidden(const struct pool *p)
{
	const struct adshardd *d = p->daemon;
	double limit = 2 * cycle_heat_interval(p) + LIST_SLACK;

	if (d->config->policy.mode == PLAN_MODE_OFF)
		return "the mode is off";
	if (settings_doubt(d->settings))
		return settings_doubt(d->settings);
	if (!p->planner->listed || now_mono() - p->planner->listed > limit)
		return "the list of segments is out of date";
	if (p->k.suspended)
		return "the volume is suspended";
	if (p->k.state != ADSHARD_POOL_OK)
		return "the pool is not healthy";
	return NULL;
}

/* What is known of it is old: it may have turned bad since. */
static bool is_doubtful(struct pool *p, uint16_t to, int64_t now)
{
	const struct member *m = model_member(p, to);

	return !m || cycle_stale(m, now);
}

static size_t carry_out(struct pool *p, const struct planner_state *st,
			const struct plan_policy *policy,
			const struct plan_result *r)
{
	struct planner *pl = p->planner;
	const char *why_not = forbidden(p);
	bool asks = policy->mode != PLAN_MODE_AUTO;
	size_t begun = 0;

	snprintf(pl->why_not, sizeof(pl->why_not), "%s", why_not ? why_not :
		 asks ? "the mode is advise: 'adshardctl plan --approve' lets it begin" :
			"");
	for (size_t i = 0; i < r->nr_start && i < r->nr_actions; i++) {
		const struct plan_action *a = &r->action[i];

		if (a->what == PLAN_DO_ABORT)
			call_back(p, a);
		if (a->what != PLAN_DO_MOVE || !planner_executes(a->cause) ||
		    why_not || is_doubtful(p, a->to, st->s.now) || planner_find(pl, a->segment) ||
		    pl->hands_off[a->segment] > st->s.now ||
		    (asks && !is_approved(pl, a, st->s.now)))
			continue;
		if (!begin(p, st, policy, a))
			break;
		begun++;
	}
	return begun;
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
		/* until it is known what it was, it is not what it seems to be */
		if (!m->band_known)
			continue;
		p->planner->dirty |= !same_track(&m->band,
						 &r->verdict[i].track);
		m->band = r->verdict[i].track;
	}
	return news;
}

void planner_run(struct pool *p)
{
	struct planner *pl = planner_of(p);
	struct ads_err err = { .text = "" };
	struct plan_policy policy;
	struct plan_result *r;
	struct planner_state st;
	double now = now_mono();
	size_t begun;
	bool news;

	if (!pl || !pl->seg || !settings_ready(p->daemon->settings) ||
	    !planner_keep_ready(p->daemon) ||
	    (pl->ran && now - pl->ran < EVERY + SHARE * pl->took))
		return;
	if (!pl->restored)
		planner_keep_restore(p);
	for (struct member *m = p->members; m; m = m->next)
		planner_keep_member(m);
	planner_adopt(p);
	planner_settle(p);
	planner_policy(p, &policy);
	pl->ran = now;
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
	news = keep_bands(p, &st, r);
	begun = carry_out(p, &st, &policy, r);
	count_jobs(p, r);
	pl->nr_conflicts = r->nr_conflicts < PLANNER_CONFLICTS ?
			   r->nr_conflicts : PLANNER_CONFLICTS;
	if (pl->nr_conflicts)
		memcpy(pl->conflict, r->conflict,
		       pl->nr_conflicts * sizeof(*pl->conflict));
	if (begun || news)
		decisions_add(p, &st.s, &policy, PLANNER_ACTIONS, r);
	plan_result_free(r);
	planner_state_free(&st);
	planner_keep_save(p, false);
	pl->took = now_mono() - now;
}
