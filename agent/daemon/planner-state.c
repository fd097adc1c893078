// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How a pool is, in the planner's words.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/cookie.h"
#include "daemon/cycle.h"
#include "daemon/evacuate.h"
#include "daemon/planner-priv.h"
#include "daemon/plan/jobs.h"
#include "daemon/rebuild.h"
#include "daemon/score.h"
#include "daemon/settings.h"
#include "lib/units.h"

/* What such a disk does, where nobody has measured it. */
static const struct plan_class classes[] = {
	{ .name = "nvme", .latency_ms = 0.1f, .mibs = 2000, .iops = 200000 },
	{ .name = "ssd", .latency_ms = 0.3f, .mibs = 500, .iops = 50000 },
	{ .name = "hdd", .latency_ms = 10, .mibs = 180, .iops = 150 },
};

_Static_assert(sizeof(classes) / sizeof(classes[0]) == PLANNER_CLASSES,
	       "one for each that planner_class() knows");

static void *memory(struct planner_state *st, size_t n, size_t size)
{
	void *p = calloc(n + 1, size);

	if (p)
		st->memory[st->nr_memory++] = p;
	return p;
}

void planner_state_free(struct planner_state *st)
{
	for (unsigned int i = 0; i < st->nr_memory; i++)
		free(st->memory[i]);
	st->nr_memory = 0;
}

uint16_t planner_class(const struct member *m)
{
	switch (m->k.class) {
	case ADSHARD_CLASS_NVME:
		return 0;
	case ADSHARD_CLASS_SSD:
		return 1;
	case ADSHARD_CLASS_HDD:
		return 2;
	default:
		return m->dev.rotational ? 2 : 1;
	}
}

static uint16_t location_of(struct plan_state *s, const char *name)
{
	for (uint32_t i = 0; i < s->nr_locations; i++)
		if (!strcmp(s->location[i].name, name))
			return (uint16_t)i;
	snprintf(s->location[s->nr_locations].name, PLAN_NAME, "%s", name);
	return (uint16_t)s->nr_locations++;
}

static uint16_t domain_of(const struct pool *p, const struct member *m)
{
	uint16_t n = 0;

	if (!m->k.domain[0])
		return 0;
	/* the place of the first one of its domain, from 1 */
	for (const struct member *o = p->members; o; o = o->next) {
		n++;
		if (!strcmp(o->k.domain, m->k.domain))
			return n;
	}
	return 0;
}

static uint8_t state_of(const struct member *m)
{
	if (!m->k.present && m->k.state != ADSHARD_MEMBER_FAILED)
		return PLAN_ABSENT;
	switch (m->k.state) {
	case ADSHARD_MEMBER_ONLINE:
		return PLAN_ONLINE;
	case ADSHARD_MEMBER_DRAINING:
		return PLAN_DRAINING;
	case ADSHARD_MEMBER_DRAINED:
		return PLAN_DRAINED;
	default:
		return PLAN_FAILED;
	}
}

/* Has it failed to take what leaves another one, or a copy? */
static bool refuses(const struct pool *p, uint32_t member)
{
	for (const struct member *m = p->members; m; m = m->next)
		if (m->leaving && retries_is_faulty(&m->leaving->retries,
						    (uint16_t)member))
			return true;
	return false;
}

static void add_member(struct plan_state *s, struct pool *p, struct member *m,
		       int64_t now)
{
	struct plan_member *o = &s->member[s->nr_members++];
	int64_t evidence = 0;

	o->index = (uint16_t)m->k.index;
	if (m->dev.name[0])
		snprintf(o->name, sizeof(o->name), "%s", m->dev.name);
	else
		snprintf(o->name, sizeof(o->name), "member %u", m->k.index);
	o->state = state_of(m);
	o->by_agent = m->by_agent;
	o->spare = m->k.spare;
	o->suspect = m->suspect || score_settling(m, now);
	o->slots = m->k.nr_slots;
	o->used = m->k.nr_slots - m->k.nr_free;
	o->parked = !evacuate_busy(m) && m->k.state == ADSHARD_MEMBER_DRAINING;
	o->awaited = rebuild_awaits(m);
	o->refuses = refuses(p, m->k.index);
	o->reserved = planner_incoming(p, m->k.index);
	o->score = (int16_t)cycle_fresh_score(m, now, &evidence);
	o->evidence = evidence;
	o->fails = -1;
	o->hold_until = m->hold_until;
	o->track = m->band;
	o->class = planner_class(m);
	o->location = location_of(s, m->k.location);
	o->domain = domain_of(p, m);
	o->cost = (float)m->k.cost;
	o->weight = m->k.weight ? (float)m->k.weight : 1;
	/* its score falls for it too, but only after days that were judged */
	o->slow = m->slow.verdict != SLOW_NOT;
}

static void add_bad(struct plan_state *s, const struct pool *p)
{
	for (size_t i = 0; i < p->nr_bad; i++)
		if (p->bad[i].segment < s->nr_segs)
			s->seg[p->bad[i].segment].flags |= PLAN_SEG_BAD;
}

uint8_t planner_cause_of(const struct pool *p, uint64_t cookie)
{
	const struct job *j;

	if (cookie_is(cookie, COOKIE_EVACUATE))
		return PLAN_BY_EVACUATE;
	if (cookie_is(cookie, COOKIE_REBUILD))
		return PLAN_BY_REBUILD;
	if (!cookie_is(cookie, COOKIE_PLAN))
		return PLAN_BY_PERSON;
	j = jobs_find(p->daemon->jobs, cookie & 0xffffffffffffULL);
	return j ? job_cause(j->kind) : PLAN_BY_BALANCE;
}

static bool known(const struct planner_state *st, uint32_t member)
{
	return member < PLAN_MEMBERS && st->known[member];
}

static struct plan_flight *add_flight(struct planner_state *st,
				      uint32_t segment, uint16_t from,
				      uint16_t to)
{
	struct plan_state *s = &st->s;

	if (segment >= s->nr_segs || !known(st, to) ||
	    (from != PLAN_NONE && !known(st, from)))
		return NULL;
	s->flight[s->nr_flights] = (struct plan_flight){
		.segment = segment, .from = from, .to = to,
	};
	return &s->flight[s->nr_flights++];
}

static void add_flights(struct planner_state *st, const struct pool *p,
			struct planner *pl)
{
	struct plan_state *s = &st->s;

	for (size_t i = 0; i < p->nr_migrations; i++) {
		const struct ads_migration *g = &p->migrations[i];
		const struct planner_sent *o = planner_find(pl, g->segment);
		struct plan_flight *f = add_flight(st, g->segment,
			g->kind == ADSHARD_KIND_MOVE ? (uint16_t)g->src :
						       PLAN_NONE,
			(uint16_t)g->dst);

		if (!f)
			continue;
		f->cause = o ? o->cause : planner_cause_of(p, g->cookie);
		f->aborting = o && o->aborting;
		f->bytes = p->k.segment_size;
		f->done = (uint64_t)g->chunks_done * p->k.chunk_size;
		f->started = s->now - (int64_t)(g->age_ns / 1000000000);
	}
	/* sent, and not seen in the kernel yet */
	for (size_t i = 0; i < pl->nr_sent; i++) {
		const struct planner_sent *o = &pl->sent[i];
		struct plan_flight *f;

		if (planner_in_view(p, o->segment))
			continue;
		if (o->what == PLAN_DO_DROP && o->segment < s->nr_segs)
			s->seg[o->segment].flags |= PLAN_SEG_BUSY;
		f = add_flight(st, o->segment, o->from, o->to);
		if (!f)
			continue;
		f->cause = o->cause;
		f->bytes = p->k.segment_size;
		f->started = o->started;
		f->aborting = o->aborting;
	}
}

static bool pin_value(const struct plan_state *s, const struct pool *p,
		      const struct pin *pin, uint16_t *value)
{
	*value = 0;
	switch (pin->kind) {
	case PLAN_PIN_CLASS:
		for (uint32_t i = 0; i < s->nr_classes; i++)
			if (!strcmp(s->class[i].name, pin->value)) {
				*value = (uint16_t)i;
				return true;
			}
		return false;
	case PLAN_PIN_LOCATION:
		for (uint32_t i = 0; i < s->nr_locations; i++)
			if (!strcmp(s->location[i].name, pin->value)) {
				*value = (uint16_t)i;
				return true;
			}
		return false;
	case PLAN_PIN_MEMBER:
		for (const struct member *m = p->members; m; m = m->next) {
			char uuid[ADS_UUID_STR];

			ads_format_uuid(m->k.uuid, uuid);
			if (!strcmp(uuid, pin->value)) {
				*value = (uint16_t)m->k.index;
				return true;
			}
		}
		return false;
	default:
		return true;
	}
}

/* Those of a member or a class that is no more stay where they are. */
static void add_pins(struct plan_state *s, const struct pool *p)
{
	const struct pin *pin;
	size_t n;

	pin = settings_pins(p->daemon->settings, &n);
	for (size_t i = 0; i < n; i++) {
		struct plan_pin *o = &s->pin[s->nr_pins];

		if (memcmp(pin[i].pool, p->k.uuid, ADS_UUID_LEN) ||
		    pin[i].first >= s->nr_segs)
			continue;
		o->id = pin[i].id;
		o->first = pin[i].first;
		o->count = pin[i].count < s->nr_segs - pin[i].first ?
			   pin[i].count : s->nr_segs - pin[i].first;
		o->kind = pin_value(s, p, &pin[i], &o->value) ? pin[i].kind :
			  PLAN_PIN_STAY;
		s->nr_pins++;
	}
}

static void add_order(struct plan_state *s, uint8_t cause, uint16_t member,
		      const struct job *j, bool cancelled)
{
	struct plan_order *o = &s->order[s->nr_orders++];

	o->cause = cause;
	o->member = member;
	o->paused = j && j->paused;
	o->cancelled = cancelled;
	if (j && j->priority != JOB_NO_PRIORITY)
		o->priority = (int8_t)((j->priority - 50) / 5);
}

static void add_orders(struct planner_state *st, const struct pool *p)
{
	struct plan_state *s = &st->s;
	static const uint8_t leave[] = {
		PLAN_BY_RESCUE, PLAN_BY_PERSON, PLAN_BY_EVACUATE,
	};

	if (rebuild_is_off(p))
		add_order(s, PLAN_BY_REBUILD, PLAN_NONE, NULL, true);
	for (const struct job *j = p->daemon->jobs->newest; j; j = j->next) {
		if (memcmp(j->pool, p->k.uuid, ADS_UUID_LEN))
			continue;
		/* called off, and not to be begun again for a while */
		if (j->state == JOB_CANCELLED && j->kind != JOB_EVACUATE &&
		    j->kind != JOB_REBUILD && j->finished + p->daemon->config->plan.hold > s->now)
			add_order(s, job_cause(j->kind), PLAN_NONE, j, true);
		if (j->state != JOB_DRAINING)
			continue;
		if (j->kind != JOB_EVACUATE)
			add_order(s, job_cause(j->kind), PLAN_NONE, j, false);
		else if (known(st, j->member))
			for (size_t i = 0; i < sizeof(leave); i++)
				add_order(s, leave[i], (uint16_t)j->member, j,
					  false);
	}
}

/* Its members are not in the view yet: nothing is known of it. */
static void forget_unknown(const struct planner_state *st, struct plan_seg *g)
{
	bool all = true;

	for (unsigned int l = 0; l < g->nr_legs; l++)
		all &= known(st, g->leg[l]);
	for (unsigned int l = 0; l < g->nr_dead; l++)
		all &= known(st, g->dead[l]);
	if (!all)
		g->nr_legs = g->nr_dead = 0;
}

static unsigned int minute_of_day(int64_t now)
{
	time_t t = (time_t)now;
	struct tm tm;

	if (!localtime_r(&t, &tm))
		return 0;
	return (unsigned int)(tm.tm_hour * 60 + tm.tm_min);
}

static size_t count_jobs(const struct jobs *jobs)
{
	size_t n = 0;

	for (const struct job *j = jobs->newest; j; j = j->next)
		n++;
	return n;
}

static size_t count_troubles(const struct pool *p)
{
	size_t n = p->rebuild ? retries_count(&p->rebuild->retries) : 0;

	for (const struct member *m = p->members; m; m = m->next)
		n += m->leaving ? retries_count(&m->leaving->retries) : 0;
	return n;
}

static void add_troubles(struct plan_state *s, const struct pool *p,
			 const struct planner *pl)
{
	size_t n = pl->nr_trouble;

	if (n)
		memcpy(s->trouble, pl->trouble, n * sizeof(*s->trouble));
	for (const struct member *m = p->members; m; m = m->next)
		if (m->leaving)
			n += retries_troubles(&m->leaving->retries, s->now,
					      s->trouble + n);
	if (p->rebuild)
		n += retries_troubles(&p->rebuild->retries, s->now,
				      s->trouble + n);
	s->nr_troubles = (uint32_t)n;
}

static bool allocate(struct planner_state *st, const struct pool *p,
		     const struct planner *pl)
{
	size_t members = 0, pins;

	for (const struct member *m = p->members; m; m = m->next)
		members++;
	settings_pins(p->daemon->settings, &pins);
	st->s.member = memory(st, members, sizeof(*st->s.member));
	st->s.location = memory(st, members + 1, sizeof(*st->s.location));
	st->s.seg = memory(st, pl->nr, sizeof(*st->s.seg));
	st->s.flight = memory(st, p->nr_migrations + pl->nr_sent,
			      sizeof(*st->s.flight));
	st->s.pin = memory(st, pins, sizeof(*st->s.pin));
	st->s.trouble = memory(st, pl->nr_trouble + count_troubles(p),
			       sizeof(*st->s.trouble));
	st->s.order = memory(st, 3 * count_jobs(p->daemon->jobs) + PLAN_CAUSES,
			     sizeof(*st->s.order));
	return st->nr_memory == 7;
}

int planner_state(struct pool *p, struct planner_state *st, struct ads_err *err)
{
	struct planner *pl = p->planner;
	struct plan_state *s = &st->s;
	int64_t now = now_epoch();

	memset(st, 0, sizeof(*st));
	if (!pl || !pl->seg)
		return ads_err(err, -EAGAIN,
			       "the segments are not known yet: try again in a moment");
	if (!allocate(st, p, pl)) {
		planner_state_free(st);
		return -ENOMEM;
	}
	s->now = now;
	s->minute = minute_of_day(now);
	s->segment_size = p->k.segment_size;
	s->spent = pl->day == now / 86400 ? pl->spent : 0;
	s->paused = p->k.paused;
	memcpy(st->class, classes, sizeof(classes));
	s->class = st->class;
	s->nr_classes = PLANNER_CLASSES;
	s->cost = &pl->cost;
	/* "" is where most are, if nobody said where */
	for (struct member *m = p->members; m; m = m->next)
		if (m->k.index < PLAN_MEMBERS) {
			st->known[m->k.index] = true;
			add_member(s, p, m, now);
		}
	planner_loads(s, p);
	memcpy(s->seg, pl->seg, pl->nr * sizeof(*s->seg));
	s->nr_segs = pl->nr;
	for (uint32_t i = 0; i < s->nr_segs; i++)
		forget_unknown(st, &s->seg[i]);
	planner_heat(s, p);
	add_bad(s, p);
	add_flights(st, p, pl);
	add_pins(s, p);
	add_troubles(s, p, pl);
	add_orders(st, p);
	return 0;
}

void planner_policy(const struct pool *p, struct plan_policy *out)
{
	*out = p->daemon->config->policy;
	/* an older kernel: segments have one leg, and there is no way to add one */
	if (!p->k.knows_legs)
		out->replicate.enable = out->rebuild.enable = 0;
}
