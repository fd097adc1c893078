// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the planner keeps of a pool from one plan to the next: where its segments
 * are, what is on its way, and what became of it.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/cookie.h"
#include "daemon/cycle.h"
#include "daemon/history/history.h"
#include "daemon/log.h"
#include "daemon/planner-priv.h"
#include "daemon/plan/jobs.h"

#define LATER		600	/* seconds, after a failure */

void planner_free(struct planner *pl)
{
	if (!pl)
		return;
	free(pl->seg);
	free(pl->hands_off);
	free(pl->trouble);
	free(pl->sent);
	free(pl->approved);
	free(pl);
}

struct planner *planner_of(struct pool *p)
{
	if (!p->planner)
		p->planner = calloc(1, sizeof(*p->planner));
	return p->planner;
}

/* -- what is known of segments ----------------------------------------------------- */

void planner_list(struct pool *p, const struct kernel_segments *s)
{
	struct planner *pl = planner_of(p);
	uint32_t *hands_off;
	struct plan_seg *seg;

	if (!pl || s->error)
		return;
	seg = calloc((size_t)p->k.nr_segments + 1, sizeof(*seg));
	hands_off = calloc((size_t)p->k.nr_segments + 1, sizeof(*hands_off));
	if (!seg || !hands_off) {
		free(seg);
		free(hands_off);
		log_warn(p->object, "no memory to plan for %u segments",
			 p->k.nr_segments);
		return;
	}
	for (size_t i = 0; i < s->nr; i++) {
		const struct ads_segment *from = &s->segments[i];
		struct plan_seg *g;

		if (from->index >= p->k.nr_segments)
			continue;
		g = &seg[from->index];
		for (uint32_t l = 0; l < from->nr_legs; l++)
			if (from->leg[l].state == ADSHARD_LEG_SYNC &&
			    g->nr_legs < PLAN_LEGS)
				g->leg[g->nr_legs++] =
					(uint16_t)from->leg[l].member;
		if (from->state != ADSHARD_SEGMENT_STABLE)
			g->flags |= PLAN_SEG_BUSY;
		if (from->index >= pl->nr)
			continue;
		g->rest_until = pl->seg[from->index].rest_until;
		g->extra = pl->seg[from->index].extra;
		hands_off[from->index] = pl->hands_off[from->index];
	}
	free(pl->seg);
	free(pl->hands_off);
	pl->seg = seg;
	pl->hands_off = hands_off;
	pl->nr = p->k.nr_segments;
	pl->listed = now_mono();
}

static void moved(struct planner *pl, uint32_t segment, uint32_t from,
		  uint32_t to)
{
	struct plan_seg *g;

	if (segment >= pl->nr)
		return;
	g = &pl->seg[segment];
	for (unsigned int l = 0; l < g->nr_legs; l++)
		if (g->leg[l] == from)
			g->leg[l] = (uint16_t)to;
	g->flags &= (uint8_t)~PLAN_SEG_BUSY;
}

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

/* Moves of whose end no event told: the next list says where they are. */
void planner_settle(struct pool *p)
{
	struct planner *pl = p->planner;

	for (size_t i = pl->nr_sent; i--;) {
		struct planner_sent *o = &pl->sent[i];

		if (!o->serial || o->serial > p->view_serial ||
		    planner_in_view(p, o->segment))
			continue;
		/* an event may be on its way */
		if (now_epoch() - o->started < 2 * p->daemon->config->poll.interval + 5)
			continue;
		add_trouble(pl, o->segment, PLAN_NONE, now_epoch() + LATER,
			    now_epoch());
		unsend(pl, o);
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

		if (!cookie_is(g->cookie, COOKIE_PLAN) ||
		    planner_find(pl, g->segment))
			continue;
		all = reallocarray(pl->sent, pl->nr_sent + 1, sizeof(*all));
		if (!all)
			return;
		pl->sent = all;
		all[pl->nr_sent++] = (struct planner_sent){
			.segment = g->segment,
			.from = (uint16_t)g->src, .to = (uint16_t)g->dst,
			.cause = planner_cause_of(p, g->cookie),
			.serial = p->view_serial,
			.started = now_epoch() - (int64_t)(g->age_ns / 1000000000),
			.load = -1,
		};
		log_notice(p->object, "segment %u is on its way to member %u already: goes on",
			   g->segment, g->dst);
	}
}

/* -- what becomes of it ----------------------------------------------------------------- */

void planner_answer(struct pool *p, const struct kernel_command *c)
{
	struct planner_sent *o = planner_find(p->planner, c->op.segment);
	int64_t now = now_epoch();

	if (!o || !cookie_is(c->op.cookie, COOKIE_PLAN))
		return;
	if (!c->error) {
		o->serial = c->serial;
		return;
	}
	/* somebody has it in hand, or it is there: the next list says how it is */
	log_info(p->object, "segment %u to member %u: %s", c->op.segment,
		 c->op.dst, ads_err_text(&c->err, c->error));
	add_trouble(p->planner, o->segment,
		    c->error == -EBUSY || c->error == -EALREADY ? PLAN_NONE :
								  o->to,
		    now + LATER, now);
	unsend(p->planner, o);
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

static void finished(struct pool *p, struct planner_sent *o,
		     const struct ads_event *ev)
{
	struct planner *pl = p->planner;
	struct job *j = jobs_running_pool(p->daemon->jobs,
					  job_kind_of(o->cause), p->k.uuid);
	int64_t now = now_epoch();

	if (pl->day != now / 86400) {
		pl->day = now / 86400;
		pl->spent = 0;
	}
	pl->spent += p->k.segment_size;
	pl->dirty = true;
	learn(p, o, ev);
	if (j) {
		j->segments_done++;
		history_job(p->daemon->history, j);
	}
}

void planner_event(struct pool *p, const struct ads_event *ev)
{
	struct planner *pl = p->planner;
	int64_t now = now_epoch();
	struct planner_sent *o;

	if (!pl)
		return;
	if (ev->lost)
		pl->listed = 0;
	if (ev->type == ADSHARD_EVENT_MIGRATION_DONE &&
	    (ev->has & ADS_EV_SRC) && (ev->has & ADS_EV_DST)) {
		pl->dirty = true;
		moved(pl, ev->segment, ev->src, ev->dst);
		if (!(ev->has & ADS_EV_COOKIE) || !cookie_is_agent(ev->cookie))
			leave_alone(p, ev->segment);
		else if (ev->segment < pl->nr)
			pl->seg[ev->segment].rest_until = (uint32_t)(now +
				p->daemon->config->policy.pace.rest);
	}
	o = planner_find(pl, ev->segment);
	if (!o || !(ev->has & ADS_EV_COOKIE) ||
	    !cookie_is(ev->cookie, COOKIE_PLAN))
		return;
	switch (ev->type) {
	case ADSHARD_EVENT_MIGRATION_DONE:
		finished(p, o, ev);
		break;
	case ADSHARD_EVENT_MIGRATION_FAILED:
		log_warn(p->object, "segment %u: not moved: %s", ev->segment,
			 ev->has & ADS_EV_TEXT ? ev->text :
			 strerror((int)ev->error));
		add_trouble(pl, o->segment, ads_event_blames_dst(ev) ? o->to :
			    PLAN_NONE, now + p->daemon->config->policy.pace.rest,
			    now);
		break;
	case ADSHARD_EVENT_MIGRATION_ABORTED:
		if (o->aborting)
			add_trouble(pl, o->segment, o->to, now + LATER, now);
		else
			leave_alone(p, o->segment);
		break;
	default:
		return;
	}
	unsend(pl, o);
	pl->ran = 0;
}
