// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Doing what a plan says: what may begin is sent to the kernel, and remembered until
 * its end is known.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/cookie.h"
#include "daemon/cycle.h"
#include "daemon/evacuate.h"
#include "daemon/history/history.h"
#include "daemon/log.h"
#include "daemon/planner-priv.h"
#include "daemon/plan/jobs.h"
#include "daemon/rebuild.h"
#include "daemon/settings.h"

#define LIST_SLACK	30.0	/* seconds above two intervals: then it is old */
#define APPROVED	86400	/* seconds */

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
	pl->soon = true;
	return 0;
}

static double load_of(const struct plan_state *s, uint16_t index)
{
	for (uint32_t i = 0; i < s->nr_members; i++)
		if (s->member[i].index == index)
			return (double)s->member[i].load[PLAN_NOW];
	return -1;
}

/* The job that an action belongs to, if it may begin anything now. */
static struct job *job_of(struct pool *p, const struct plan_action *a,
			  const char *why)
{
	struct member *from;

	if (planner_leaves(a->cause)) {
		from = model_member(p, a->from);
		return from ? evacuate_job(from) : NULL;
	}
	if (a->cause == PLAN_BY_REBUILD)
		return rebuild_job(p);
	return job_for(p, a->cause, why);
}

static uint64_t tag_of(uint8_t cause)
{
	return planner_leaves(cause) ? COOKIE_EVACUATE :
	       cause == PLAN_BY_REBUILD ? COOKIE_REBUILD : COOKIE_PLAN;
}

static uint32_t priority_of(struct pool *p, const struct plan_action *a,
			    const struct job *j)
{
	if (planner_leaves(a->cause))
		return (uint32_t)evacuate_priority(model_member(p, a->from), j);
	if (a->cause == PLAN_BY_REBUILD)
		return rebuild_priority(j);
	return j->priority == JOB_NO_PRIORITY ? 0 : (uint32_t)j->priority;
}

static void fill_command(struct pool *p, const struct plan_action *a,
			 const struct job *j, struct kernel_command *cmd)
{
	memset(cmd, 0, sizeof(*cmd));
	memcpy(cmd->pool, p->k.uuid, ADS_UUID_LEN);
	cmd->op.segment = a->segment;
	if (a->what == PLAN_DO_DROP) {
		cmd->verb = KERNEL_DROP;
		cmd->member = a->from;
		return;
	}
	cmd->verb = KERNEL_START;
	cmd->op.kind = a->what == PLAN_DO_MOVE ? ADSHARD_KIND_MOVE :
						 ADSHARD_KIND_ADD;
	cmd->op.dst = a->to;
	if (a->what == PLAN_DO_MOVE) {
		cmd->op.has_src = p->k.knows_legs;
		cmd->op.src = a->from;
	}
	cmd->op.priority = priority_of(p, a, j);
	cmd->op.cookie = cookie_make(tag_of(a->cause), j->id);
}

static void tell(struct pool *p, const struct plan_action *a, const char *why)
{
	const struct member *from = model_member(p, a->from);

	if (a->what == PLAN_DO_DROP)
		log_info(p->object, "segment %u: leg on member %u dropped (%s)",
			 a->segment, a->from, plan_cause_name(a->cause));
	else if (a->what == PLAN_DO_REPLICATE)
		log_info(p->object, "segment %u: leg on member %u (%s): %s",
			 a->segment, a->to, plan_cause_name(a->cause), why);
	else if (planner_leaves(a->cause) && from)
		log_debug(from->object, "segment %u to member %u", a->segment,
			  a->to);
	else
		log_info(p->object, "segment %u from member %u to member %u (%s): %s",
			 a->segment, a->from, a->to, plan_cause_name(a->cause),
			 why);
}

/* 1: begun, 0: it may not, -1: nothing can be sent now. */
static int begin(struct pool *p, const struct planner_state *st,
		 const struct plan_policy *policy, const struct plan_action *a)
{
	struct planner *pl = p->planner;
	double x = load_of(&st->s, a->from), y = load_of(&st->s, a->to);
	struct kernel_command cmd;
	struct planner_sent *all;
	char why[300];
	struct job *j;

	plan_action_text(&st->s, policy, a, why, sizeof(why));
	j = job_of(p, a, why);
	if (!j)
		return 0;
	all = reallocarray(pl->sent, pl->nr_sent + 1, sizeof(*all));
	if (!all)
		return -1;
	pl->sent = all;
	fill_command(p, a, j, &cmd);
	if (kernel_do(p->daemon->kernel, &cmd))
		return -1;
	tell(p, a, why);
	all[pl->nr_sent++] = (struct planner_sent){
		.segment = a->segment, .from = a->from, .to = a->to,
		.what = a->what, .started = now_epoch(),
		/* what a person wants is that the member is empty: where to is
		 * not his word, and it may be called back */
		.cause = a->cause == PLAN_BY_PERSON ? PLAN_BY_EVACUATE :
						      a->cause,
		.load = x > y ? x : y,
	};
	return 1;
}

static void call_back(struct pool *p, const struct plan_action *a)
{
	struct kernel_command cmd = {
		.verb = KERNEL_ABORT_SEGMENT,
		.op.segment = a->segment,
	};
	struct planner_sent *o = planner_find(p->planner, a->segment);

	if (!planner_in_view(p, a->segment) || !o || o->aborting)
		return;
	memcpy(cmd.pool, p->k.uuid, ADS_UUID_LEN);
	if (kernel_do(p->daemon->kernel, &cmd))
		return;
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

/* What can wait: is it the operator's, or unsure where it goes? */
static bool may_wait(struct pool *p, const struct plan_action *a, bool asks,
		     int64_t now)
{
	const struct planner *pl = p->planner;

	return (a->to == PLAN_NONE || !is_doubtful(p, a->to, now)) &&
	       pl->hands_off[a->segment] <= now &&
	       (!asks || is_approved(pl, a, now));
}

size_t planner_do(struct pool *p, const struct planner_state *st,
		  const struct plan_policy *policy, const struct plan_result *r)
{
	struct planner *pl = p->planner;
	const char *why_not = forbidden(p);
	bool asks = policy->mode != PLAN_MODE_AUTO;
	size_t begun = 0;
	int done;

	snprintf(pl->why_not, sizeof(pl->why_not), "%s", why_not ? why_not :
		 asks ? "the mode is advise: 'adshardctl plan --approve' lets it begin" :
			"");
	for (size_t i = 0; i < r->nr_start && i < r->nr_actions; i++) {
		const struct plan_action *a = &r->action[i];

		if (a->what == PLAN_DO_ABORT) {
			call_back(p, a);
			continue;
		}
		/* whether a leg may go depends on all others: never by hearsay */
		if (planner_find(pl, a->segment) ||
		    (a->what == PLAN_DO_DROP && !pl->listed) ||
		    (planner_keeps(a->cause) &&
		     (why_not || !may_wait(p, a, asks, st->s.now))))
			continue;
		done = begin(p, st, policy, a);
		if (done < 0)
			break;
		begun += (size_t)done;
	}
	return begun;
}
