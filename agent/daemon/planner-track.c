// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is on its way, and what becomes of it.
 */
#include <errno.h>
#include <math.h>
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

#define LATER		600	/* seconds, after a failure */

/* It was moved, or a move of it called off, by the operator: his word is newer. */
static void leave_alone(struct pool *p, uint32_t segment)
{
	struct planner *pl = p->planner;

	pl->dirty = true;
	if (segment < pl->nr)
		pl->hands_off[segment] = pl->seg[segment].rest_until =
			(uint32_t)(now_epoch() +
				   p->daemon->config->policy.pace.rest);
}

void planner_wish(struct pool *p)
{
	struct planner *pl = p->planner;

	if (!pl || !pl->hands_off)
		return;
	memset(pl->hands_off, 0, pl->nr * sizeof(*pl->hands_off));
	pl->dirty = true;
}

static void add_trouble(struct planner *pl, uint32_t segment, uint16_t to,
			int64_t until, int64_t now)
{
	struct plan_trouble *all;
	size_t n = 0;

	/* what is over goes first */
	for (size_t i = 0; i < pl->nr_trouble; i++)
		if (pl->trouble[i].until > now)
			pl->trouble[n++] = pl->trouble[i];
	pl->nr_trouble = n;
	all = reallocarray(pl->trouble, n + 1, sizeof(*all));
	if (!all)
		return;
	pl->trouble = all;
	all[pl->nr_trouble++] = (struct plan_trouble){
		.segment = segment, .to = to, .until = until,
	};
}

/* -- what is under way --------------------------------------------------------------- */

struct planner_sent *planner_find(struct planner *pl, uint32_t segment)
{
	for (size_t i = 0; pl && i < pl->nr_sent; i++)
		if (pl->sent[i].segment == segment)
			return &pl->sent[i];
	return NULL;
}

static void unsend(struct planner *pl, struct planner_sent *o)
{
	*o = pl->sent[--pl->nr_sent];
}

bool planner_in_view(const struct pool *p, uint32_t segment)
{
	for (size_t i = 0; i < p->nr_migrations; i++)
		if (p->migrations[i].segment == segment)
			return true;
	return false;
}

uint32_t planner_leaving(const struct pool *p, uint32_t member)
{
	const struct planner *pl = p->planner;
	uint32_t n = 0;

	for (size_t i = 0; pl && i < pl->nr_sent; i++)
		n += pl->sent[i].from == member;
	return n;
}

bool planner_is_sent(const struct pool *p, uint8_t cause)
{
	const struct planner *pl = p->planner;

	for (size_t i = 0; pl && i < pl->nr_sent; i++)
		if (pl->sent[i].cause == cause)
			return true;
	return false;
}

uint32_t planner_incoming(const struct pool *p, uint32_t member)
{
	const struct planner *pl = p->planner;
	uint32_t n = 0;

	for (size_t i = 0; pl && i < pl->nr_sent; i++)
		n += pl->sent[i].to == member &&
		     (!pl->sent[i].serial ||
		      pl->sent[i].serial > p->view_serial) &&
		     !planner_in_view(p, pl->sent[i].segment);
	return n;
}

/* What has failed, for whoever keeps account of it. */
static void has_failed(struct pool *p, const struct planner_sent *o, int error,
		       const char *why)
{
	struct member *from = model_member(p, o->from);
	int64_t now = now_epoch();

	if (planner_leaves(o->cause) && from)
		evacuate_answer(from, o, error, why);
	else if (o->cause == PLAN_BY_REBUILD)
		rebuild_answer(p, o, error, why);
	else if (planner_keeps(o->cause))
		/* somebody has it in hand, or it is there: the next list tells */
		add_trouble(p->planner, o->segment, error == -EBUSY ||
			    error == -EALREADY ? PLAN_NONE : o->to,
			    now + LATER, now);
}

/* Those of whose end no event told: the next list says where they are. */
void planner_settle(struct pool *p)
{
	struct planner *pl = p->planner;

	for (size_t i = pl->nr_sent; i--;) {
		struct planner_sent one = pl->sent[i];

		if (!one.serial || one.serial > p->view_serial ||
		    planner_in_view(p, one.segment))
			continue;
		/* an event may be on its way */
		if (now_epoch() - one.started < 2 * p->daemon->config->poll.interval + 5)
			continue;
		unsend(pl, &pl->sent[i]);
		has_failed(p, &one, -EBUSY, "ended without a result");
		pl->listed = 0;
	}
}

/* After a restart: ours are those that carry our cookies. */
void planner_adopt(struct pool *p)
{
	struct planner *pl = p->planner;

	for (size_t i = 0; i < p->nr_migrations; i++) {
		const struct ads_migration *g = &p->migrations[i];
		struct planner_sent *all;

		if (!cookie_is_agent(g->cookie) || planner_find(pl, g->segment))
			continue;
		all = reallocarray(pl->sent, pl->nr_sent + 1, sizeof(*all));
		if (!all)
			return;
		pl->sent = all;
		all[pl->nr_sent++] = (struct planner_sent){
			.segment = g->segment,
			.from = g->kind == ADSHARD_KIND_MOVE ?
				(uint16_t)g->src : PLAN_NONE,
			.to = (uint16_t)g->dst,
			.what = g->kind == ADSHARD_KIND_MOVE ? PLAN_DO_MOVE :
							       PLAN_DO_REPLICATE,
			.cause = planner_cause_of(p, g->cookie),
			.serial = p->view_serial,
			.started = now_epoch() - (int64_t)(g->age_ns / 1000000000),
			.load = -1,
		};
		if (cookie_is(g->cookie, COOKIE_PLAN))
			log_notice(p->object, "segment %u is on its way to member %u already: goes on",
				   g->segment, g->dst);
	}
}

static void count_done(struct pool *p, uint8_t cause)
{
	struct job *j = jobs_running_pool(p->daemon->jobs, job_kind_of(cause),
					  p->k.uuid);

	if (!j)
		return;
	j->segments_done++;
	history_job(p->daemon->history, j);
}

/* -- what becomes of it ----------------------------------------------------------------- */

/* A drop is done with its answer. */
static void dropped(struct pool *p, const struct planner_sent *o)
{
	struct planner *pl = p->planner;

	planner_changed(pl, o->segment, o->from, PLAN_NONE);
	if (o->segment < pl->nr && pl->seg[o->segment].extra &&
	    (o->cause == PLAN_BY_RECOVERED || planner_leaves(o->cause)))
		pl->seg[o->segment].extra--;
	if (o->cause == PLAN_BY_RECOVERED)
		count_done(p, o->cause);
	pl->dirty = pl->soon = true;
}

void planner_answer(struct pool *p, const struct kernel_command *c)
{
	struct planner *pl = p->planner;
	struct planner_sent *o = planner_find(pl, c->op.segment), one;
	bool drop = c->verb == KERNEL_DROP;

	if (!o || drop != (o->what == PLAN_DO_DROP) ||
	    (!drop && !cookie_is_agent(c->op.cookie)))
		return;
	one = *o;
	if (!c->error && !drop) {
		o->serial = c->serial;
		return;
	}
	unsend(pl, o);
	if (!c->error) {
		dropped(p, &one);
		return;
	}
	if (planner_keeps(one.cause))
		log_info(p->object, "segment %u%s: %s", one.segment,
			 drop ? ": leg not dropped" : "",
			 ads_err_text(&c->err, c->error));
	has_failed(p, &one, c->error, ads_err_text(&c->err, c->error));
	/* what is known of it is not how it is */
	pl->listed = 0;
	pl->soon = true;
}

/* What a move cost, for the next ones. */
static void learn(struct pool *p, const struct planner_sent *o,
		  const struct ads_event *ev)
{
	const struct member *from = model_member(p, o->from);
	const struct member *to = model_member(p, o->to);
	struct plan_done done = {
		.bytes = (double)p->k.segment_size, .load = o->load,
		.seconds = (double)ev->age_ns / 1e9, .rise_ms = NAN,
	};

	if (!(ev->has & ADS_EV_COUNTERS) || !from || !to)
		return;
	done.from = planner_class(from);
	done.to = planner_class(to);
	plan_cost_learn(&p->planner->cost, &done);
}

static void finished(struct pool *p, const struct planner_sent *o,
		     const struct ads_event *ev)
{
	struct planner *pl = p->planner;
	int64_t now = now_epoch();

	if (o->cause >= PLAN_BY_PIN) {
		if (pl->day != now / 86400) {
			pl->day = now / 86400;
			pl->spent = 0;
		}
		pl->spent += p->k.segment_size;
	}
	if (o->cause == PLAN_BY_REPLICATE && o->segment < pl->nr)
		pl->seg[o->segment].extra++;
	if (planner_keeps(o->cause))
		count_done(p, o->cause);
	learn(p, o, ev);
}

static void failed(struct pool *p, const struct planner_sent *o,
		   const struct ads_event *ev)
{
	int64_t now = now_epoch();

	log_warn(p->object, "segment %u: not moved: %s", ev->segment,
		 ev->has & ADS_EV_TEXT ? ev->text : strerror((int)ev->error));
	if (ads_event_blames_dst(ev))
		evacuate_blame(p, ev);
	add_trouble(p->planner, o->segment,
		    ads_event_blames_dst(ev) ? o->to : PLAN_NONE,
		    now + p->daemon->config->policy.pace.rest, now);
}

static void called_off(struct pool *p, const struct planner_sent *o)
{
	int64_t now = now_epoch();

	if (o->aborting)
		add_trouble(p->planner, o->segment, o->to, now + LATER, now);
	else
		leave_alone(p, o->segment);
}

/* Somebody's move of whatever kind is over: where it is now, and whose it is. */
static void note_place(struct pool *p, const struct ads_event *ev)
{
	struct planner *pl = p->planner;
	bool move = ev->kind == ADSHARD_KIND_MOVE && (ev->has & ADS_EV_SRC);
	int64_t now = now_epoch();

	if (!(ev->has & ADS_EV_DST)) {
		pl->listed = 0;
		return;
	}
	planner_changed(pl, ev->segment, move ? (uint16_t)ev->src : PLAN_NONE,
		(uint16_t)ev->dst);
	pl->dirty = true;
	if (!move)
		return;
	if (!(ev->has & ADS_EV_COOKIE) || !cookie_is_agent(ev->cookie))
		leave_alone(p, ev->segment);
	else if (ev->segment < pl->nr)
		pl->seg[ev->segment].rest_until =
			(uint32_t)(now + p->daemon->config->policy.pace.rest);
}

/* One off a member that is emptied, by whoever's hand. */
static void leaver_told(struct pool *p, const struct planner_sent *o,
			const struct ads_event *ev)
{
	struct planner_sent by_hand = { .segment = ev->segment,
					.to = (uint16_t)ev->dst };
	struct member *from = ev->has & ADS_EV_SRC ?
			      model_member(p, ev->src) : NULL;

	if (from && ev->kind == ADSHARD_KIND_MOVE &&
	    (from->leaving || (o && planner_leaves(o->cause))))
		evacuate_event(from, o ? o : &by_hand, ev);
}

void planner_event(struct pool *p, const struct ads_event *ev)
{
	struct planner *pl = p->planner;
	struct planner_sent *o, one;

	if (!pl)
		return;
	if (ev->lost || ev->type == ADSHARD_EVENT_LEG_STALE) {
		pl->listed = 0;
		pl->soon = true;
	}
	if (ev->type != ADSHARD_EVENT_MIGRATION_DONE &&
	    ev->type != ADSHARD_EVENT_MIGRATION_FAILED &&
	    ev->type != ADSHARD_EVENT_MIGRATION_ABORTED)
		return;
	pl->soon = true;
	if (ev->type == ADSHARD_EVENT_MIGRATION_DONE)
		note_place(p, ev);
	o = (ev->has & ADS_EV_COOKIE) && cookie_is_agent(ev->cookie) ?
	    planner_find(pl, ev->segment) : NULL;
	if (o) {
		one = *o;
		unsend(pl, o);
		o = &one;
	}
	leaver_told(p, o, ev);
	if (!o)
		return;
	if (o->cause == PLAN_BY_REBUILD)
		rebuild_event(p, o, ev);
	if (ev->type == ADSHARD_EVENT_MIGRATION_DONE)
		finished(p, o, ev);
	else if (planner_keeps(o->cause) &&
		 ev->type == ADSHARD_EVENT_MIGRATION_FAILED)
		failed(p, o, ev);
	else if (planner_keeps(o->cause))
		called_off(p, o);
}
