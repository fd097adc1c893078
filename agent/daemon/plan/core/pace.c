// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One queue for everything, and how much of it starts now.
 *
 * Rescues, what a person asked for and rebuilds go first, in that order. The other
 * jobs share what is left: each time the one goes next that has had least, for its
 * share; one that is waiting for something lets the others go by. Then everything
 * in this order starts that finds its members, links and budgets free.
 */
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/plan/core/priv.h"

#define STRICT		3	/* causes that go strictly first */
#define MiB		1048576.0

struct queue {
	uint32_t head;		/* next action of the job, + 1; 0: none */
	uint32_t tail;
	double had, step;	/* share so far, of each action */
	bool paused;
};

struct pace {
	struct queue *q;	/* per job */
	uint32_t *next;		/* per action: the next of its job, + 1 */
	uint32_t *order;	/* action numbers */
	uint32_t *heap;		/* of jobs, least had first */
	uint32_t nr_heap;
	uint32_t *member;	/* moves at once, per position */
	bool *busy;		/* its bandwidth is counted in @rate */
	uint32_t *link;
	double *link_rate;
	double *done;		/* seconds of work, per position */
	double rate;		/* bytes per second of all together */
	double work;		/* seconds, of all */
	uint64_t daily;
	long pool, rebuilds;
};

static bool can_wait(uint8_t cause)
{
	return cause >= PLAN_BY_PIN;
}

static double share_of(const struct plan_policy *p, uint8_t cause)
{
	switch (cause) {
	case PLAN_BY_EVACUATE:
		return (double)p->share.evacuate;
	case PLAN_BY_REPLICATE:
	case PLAN_BY_RECOVERED:
		return (double)p->share.replicate;
	case PLAN_BY_PIN:
		return (double)p->share.pin;
	case PLAN_BY_BALANCE:
		return (double)p->share.balance;
	default:
		return (double)p->share.tier;
	}
}

/* -- the order -------------------------------------------------------------------- */

static bool goes_before(const struct pace *c, uint32_t a, uint32_t b)
{
	if (c->q[a].had != c->q[b].had)
		return c->q[a].had < c->q[b].had;
	return a < b;
}

static void settle(struct pace *c, uint32_t i)
{
	for (;;) {
		uint32_t best = i, t;

		for (uint32_t k = 2 * i + 1; k <= 2 * i + 2 && k < c->nr_heap;
		     k++)
			if (goes_before(c, c->heap[k], c->heap[best]))
				best = k;
		if (best == i)
			return;
		t = c->heap[i];
		c->heap[i] = c->heap[best];
		c->heap[best] = t;
		i = best;
	}
}

/* Jobs of strict causes, the more urgent first; by priority within one. */
static int strict_key(const struct plan_job *j)
{
	return j->cause < STRICT ? j->cause * 256 - j->priority : 1 << 20;
}

static uint32_t take(struct pace *c, uint32_t job)
{
	uint32_t a = c->q[job].head - 1;

	c->q[job].head = c->next[a];
	return a;
}

static void order_all(const struct work *w, struct pace *c)
{
	const struct plan_result *r = w->r;
	uint32_t n = 0;
	int from = INT_MIN;

	for (size_t i = 0; i < r->nr_actions; i++) {
		struct queue *q = &c->q[r->action[i].job];

		/* calling back is first of all: it makes room */
		if (r->action[i].what == PLAN_DO_ABORT) {
			c->order[n++] = (uint32_t)i;
			continue;
		}
		if (q->head)
			c->next[q->tail - 1] = (uint32_t)i + 1;
		else
			q->head = (uint32_t)i + 1;
		q->tail = (uint32_t)i + 1;
	}
	for (;;) {
		int next = 1 << 20;

		for (size_t j = 0; j < r->nr_jobs; j++) {
			int key = strict_key(&r->job[j]);

			if (key > from && key < next)
				next = key;
		}
		if (next == 1 << 20)
			break;
		for (size_t j = 0; j < r->nr_jobs; j++)
			while (strict_key(&r->job[j]) == next && c->q[j].head)
				c->order[n++] = take(c, (uint32_t)j);
		from = next;
	}
	for (size_t j = 0; j < r->nr_jobs; j++)
		if (c->q[j].head)
			c->heap[c->nr_heap++] = (uint32_t)j;
	for (uint32_t i = c->nr_heap; i--;)
		settle(c, i);
	while (c->nr_heap) {
		struct queue *q = &c->q[c->heap[0]];

		c->order[n++] = take(c, c->heap[0]);
		q->had += q->step;
		if (!q->head)
			c->heap[0] = c->heap[--c->nr_heap];
		settle(c, 0);
	}
}

/* -- what starts --------------------------------------------------------------------- */

static int link_of(const struct work *w, uint16_t from, uint16_t to)
{
	return from == PLAN_NONE || to == PLAN_NONE ? -1 :
	       work_link(w, work_of(w, from)->m->location,
			 work_of(w, to)->m->location);
}

static double rate_of(const struct work *w, uint16_t from, uint16_t to)
{
	double a = from == PLAN_NONE ? HUGE_VAL : (double)work_of(w, from)->mibs;
	double b = (double)work_of(w, to)->mibs;

	return (a < b ? a : b) * MiB;
}

/* A move that runs or starts: counts what it takes. */
static void occupy(const struct work *w, struct pace *c, uint8_t cause,
		   uint16_t from, uint16_t to, double rate)
{
	int l = link_of(w, from, to);
	uint32_t f = from == PLAN_NONE ? w->pos[to] : w->pos[from];

	if (from != PLAN_NONE)
		c->member[w->pos[from]]++;
	c->member[w->pos[to]]++;
	/* several from one member share its bandwidth */
	if (!c->busy[f])
		c->rate += rate;
	c->busy[f] = true;
	if (cause != PLAN_BY_RESCUE)
		c->pool--;
	c->rebuilds -= cause == PLAN_BY_REBUILD;
	if (l >= 0) {
		c->link[l]++;
		if (c->link[l] == 1)
			c->link_rate[l] += rate / MiB;
	}
}

static bool too_busy(const struct work *w, const struct plan_action *a)
{
	float max = (float)w->p->evacuate.max_load / 100;

	if (a->cause <= PLAN_BY_REBUILD)
		return false;
	/* balance is there to take load off the source */
	if (a->cause != PLAN_BY_BALANCE && a->from != PLAN_NONE &&
	    work_of(w, a->from)->load_now > max)
		return true;
	return work_of(w, a->to)->load_now > max;
}

/* One at a time goes even so: a member that is always busy would stay for good. */
static bool trickles(const struct work *w, const struct pace *c,
		     const struct plan_action *a)
{
	return a->cause == PLAN_BY_EVACUATE && a->from != PLAN_NONE &&
	       !c->member[w->pos[a->from]];
}

/* Off a member that is emptied more may go, and so to where they go. */
static uint32_t most_of(const struct work *w, const struct plan_action *a,
			bool is_source)
{
	uint32_t most = (uint32_t)w->p->pace.member;
	uint32_t window = (uint32_t)w->p->evacuate.window;

	if (a->cause != PLAN_BY_RESCUE && a->cause != PLAN_BY_PERSON &&
	    a->cause != PLAN_BY_EVACUATE)
		return most;
	return is_source || window > most ? window : most;
}

static bool no_pace(const struct work *w, const struct pace *c,
		    const struct plan_action *a)
{
	return (a->from != PLAN_NONE &&
		c->member[w->pos[a->from]] >= most_of(w, a, true)) ||
	       c->member[w->pos[a->to]] >= most_of(w, a, false);
}

/* The links that a copy goes over has to have room for it. */
static bool link_full(const struct work *w, const struct pace *c,
		      const struct plan_action *a)
{
	int l = link_of(w, a->from, a->to);
	double room;

	if (l < 0)
		return false;
	room = (double)(w->s->link[l].mibs - w->s->link[l].used) -
	       c->link_rate[l];
	return c->link[l] >= (uint32_t)w->p->pace.link ||
	       (!c->link[l] && room < 0.1 * (double)w->s->link[l].mibs);
}

static enum plan_hold hold_of(const struct work *w, const struct pace *c,
			      const struct plan_action *a)
{
	const struct plan_policy *p = w->p;
	bool urgent = a->cause == PLAN_BY_BALANCE &&
		      a->was * 100 > (float)p->balance.urgent;

	if (w->s->paused || c->q[a->job].paused)
		return PLAN_HOLD_PAUSED;
	if (a->what == PLAN_DO_ABORT || a->what == PLAN_DO_DROP)
		return PLAN_START;
	if (can_wait(a->cause) && !urgent) {
		if (!w->quiet)
			return PLAN_HOLD_QUIET;
		if (w->urgent_work)
			return PLAN_HOLD_REBUILD;
	}
	if (can_wait(a->cause) && p->pace.daily &&
	    w->s->spent + c->daily + a->bytes > (uint64_t)p->pace.daily)
		return PLAN_HOLD_DAILY;
	if (too_busy(w, a) && !trickles(w, c, a))
		return PLAN_HOLD_LOAD;
	if (c->pool <= 0 && a->cause != PLAN_BY_RESCUE)
		return PLAN_HOLD_PACE_POOL;
	if (no_pace(w, c, a))
		return PLAN_HOLD_PACE_MEMBER;
	if (a->cause == PLAN_BY_REBUILD && c->rebuilds <= 0)
		return PLAN_HOLD_PACE_POOL;
	if (link_full(w, c, a))
		return PLAN_HOLD_PACE_LINK;
	if (p->pace.rate && a->cause != PLAN_BY_RESCUE && c->rate > 0 &&
	    c->rate + rate_of(w, a->from, a->to) > (double)p->pace.rate)
		return PLAN_HOLD_RATE;
	return PLAN_START;
}

static double add_work(const struct work *w, struct pace *c, uint16_t from,
		       uint16_t to, double seconds)
{
	double until;

	c->work += seconds;
	until = c->work / (double)w->p->pace.pool;
	if (from != PLAN_NONE) {
		c->done[w->pos[from]] += seconds;
		until = fmax(until, c->done[w->pos[from]]);
	}
	if (to != PLAN_NONE) {
		c->done[w->pos[to]] += seconds;
		until = fmax(until, c->done[w->pos[to]]);
	}
	return until;
}

static void start_one(struct work *w, struct pace *c, struct plan_action *a)
{
	struct plan_job *j = &w->r->job[a->job];
	double until;

	a->hold = hold_of(w, c, a);
	if (a->hold == PLAN_START && a->to != PLAN_NONE &&
	    a->what != PLAN_DO_ABORT) {
		occupy(w, c, a->cause, a->from, a->to,
		       rate_of(w, a->from, a->to));
		c->daily += can_wait(a->cause) ? a->bytes : 0;
	}
	if (a->hold == PLAN_START) {
		j->starting++;
	} else {
		if (!j->waiting++)
			j->hold = a->hold;
		if (a->hold == PLAN_HOLD_REBUILD)
			work_conflict(w, PLAN_RULE_REBUILD, PLAN_BY_REBUILD,
				      a->cause, PLAN_NONE, a->segment);
	}
	j->bytes += a->bytes;
	w->r->bytes += a->bytes;
	until = add_work(w, c, a->from, a->to, (double)a->seconds);
	j->seconds = fmaxf(j->seconds, (float)until);
	w->r->seconds = fmax(w->r->seconds, until);
}

static void count_flights(struct work *w, struct pace *c)
{
	for (uint32_t i = 0; i < w->s->nr_flights; i++) {
		const struct plan_flight *f = &w->s->flight[i];
		const struct plan_seg *g = &w->s->seg[f->segment];
		uint64_t left = f->bytes > f->done ? f->bytes - f->done : 0;
		struct plan_job *j = &w->r->job[work_job(w, f->cause, f->from)];
		double until;

		occupy(w, c, f->cause, f->from, f->to,
		       rate_of(w, f->from, f->to));
		until = add_work(w, c, f->from, f->to,
				 (double)work_seconds(w, g, f->from, f->to,
						      left));
		j->seconds = fmaxf(j->seconds, (float)until);
		w->r->bytes += left;
		w->r->seconds = fmax(w->r->seconds, until);
		if (f->cause <= PLAN_BY_REBUILD && f->cause != PLAN_BY_PERSON)
			w->urgent_work = true;
	}
}

static void make_queues(const struct work *w, struct pace *c)
{
	for (size_t i = 0; i < w->r->nr_jobs; i++) {
		const struct plan_job *j = &w->r->job[i];
		struct queue *q = &c->q[i];

		q->paused = j->paused;
		q->step = 1 / (share_of(w->p, j->cause) *
			       exp2(j->priority / 3.0));
		q->had = j->running * q->step;
	}
	for (uint32_t i = 0; i < w->s->nr_orders; i++) {
		const struct plan_order *o = &w->s->order[i];

		for (size_t k = 0; k < w->r->nr_jobs; k++)
			if (w->r->job[k].cause == o->cause && o->cancelled &&
			    (w->r->job[k].member == o->member ||
			     o->member == PLAN_NONE))
				c->q[k].paused = true;
	}
}

/* In the order of the queue; those that start come first. */
static int reorder(struct work *w, const struct pace *c)
{
	struct plan_result *r = w->r;
	struct plan_action *a;
	size_t n = 0;

	if (!r->nr_actions)
		return 0;
	a = malloc(r->nr_actions * sizeof(*a));
	if (!a)
		return -ENOMEM;
	for (size_t i = 0; i < r->nr_actions; i++)
		if (r->action[c->order[i]].hold == PLAN_START)
			a[n++] = r->action[c->order[i]];
	r->nr_start = n;
	for (size_t i = 0; i < r->nr_actions; i++)
		if (r->action[c->order[i]].hold != PLAN_START)
			a[n++] = r->action[c->order[i]];
	free(r->action);
	r->action = a;
	return 0;
}

void work_pace(struct work *w)
{
	size_t actions = w->r->nr_actions + 1, jobs = w->r->nr_jobs + 1;
	size_t members = w->s->nr_members + 1, links = w->s->nr_links + 1;
	struct pace c = {
		.q = calloc(jobs, sizeof(*c.q)),
		.next = calloc(actions, sizeof(*c.next)),
		.order = calloc(actions, sizeof(*c.order)),
		.heap = calloc(jobs, sizeof(*c.heap)),
		.member = calloc(members, sizeof(*c.member)),
		.busy = calloc(members, sizeof(*c.busy)),
		.link = calloc(links, sizeof(*c.link)),
		.link_rate = calloc(links, sizeof(*c.link_rate)),
		.done = calloc(members, sizeof(*c.done)),
		.rebuilds = w->p->rebuild.window,
		.pool = lround((double)w->p->pace.pool *
			       (double)(w->s->pace > 0 ? w->s->pace : 1)),
	};

	if (!c.q || !c.next || !c.order || !c.heap || !c.member || !c.busy ||
	    !c.link || !c.link_rate || !c.done) {
		w->error = -ENOMEM;
	} else {
		make_queues(w, &c);
		count_flights(w, &c);
		order_all(w, &c);
		for (size_t i = 0; i < w->r->nr_actions && !w->error; i++)
			start_one(w, &c, &w->r->action[c.order[i]]);
		if (!w->error)
			w->error = reorder(w, &c);
	}
	free(c.q);
	free(c.next);
	free(c.order);
	free(c.heap);
	free(c.member);
	free(c.busy);
	free(c.link);
	free(c.link_rate);
	free(c.done);
}
