// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The planner on pools at random: whatever it is told, what it plans keeps the
 * promises of core.h. A thousand pools are planned again and again while what the
 * plans start is carried out.
 */
#include <math.h>

#include "plan.h"

static struct plan_policy policy;
static const char *broken;		/* the first promise that was */

static bool promise(bool kept, const char *what)
{
	if (!kept && !broken)
		broken = what;
	return kept;
}

/* -- a pool ------------------------------------------------------------------------ */

static void random_members(struct pool *p)
{
	for (uint32_t i = 0; i < p->s.nr_members; i++) {
		struct plan_member *m = &p->s.member[i];

		m->index = (uint16_t)(i * 3);
		m->domain = (uint16_t)rnd(5);
		m->class = (uint16_t)rnd(p->s.nr_classes);
		m->location = (uint16_t)rnd(p->s.nr_locations);
		m->state = rnd(12) ? PLAN_ONLINE : (uint8_t)rnd(5);
		m->by_agent = rnd(2);
		m->spare = !rnd(10);
		m->slow = !rnd(15);
		m->suspect = !rnd(15);
		m->refuses = !rnd(15);
		m->parked = !rnd(15);
		m->awaited = m->state == PLAN_ABSENT && rnd(2);
		m->score = (int16_t)(rnd(3) ? rnd(50) : rnd(102)) - 1;
		m->evidence = p->s.now - rnd(100);
		m->track.band = rnd(4) ? PLAN_OK : (uint8_t)rnd(PLAN_BANDS);
		m->track.above = (uint8_t)rnd(3);
		m->reserved = rnd(4) ? 0 : rnd(m->slots);
		m->cost = (float)rnd(10);
		m->mibs = rnd(3) ? 0 : (float)(50 + rnd(500));
		for (int h = 0; h < PLAN_HORIZONS; h++)
			m->load[h] = (float)rnd(140) / 100 - 0.1f;
	}
}

static uint16_t random_index(const struct pool *p)
{
	return p->s.member[rnd(p->s.nr_members)].index;
}

static struct plan_member *find(struct pool *p, uint16_t index)
{
	return &p->s.member[index / 3];
}

static void random_segs(struct pool *p)
{
	for (uint32_t i = 0; i < p->s.nr_segs; i++) {
		struct plan_seg *g = &p->s.seg[i];
		uint32_t legs = rnd(20) ? 1 + !rnd(3) : rnd(PLAN_LEGS + 1);

		for (uint32_t k = 0; k < 2 * legs && g->nr_legs < legs; k++) {
			struct plan_member *m = &p->s.member[
				rnd(p->s.nr_members)];
			bool there = false;

			for (unsigned int l = 0; l < g->nr_legs; l++)
				there |= g->leg[l] == m->index;
			if (there || m->used + m->reserved >= m->slots)
				continue;
			g->leg[g->nr_legs++] = m->index;
			m->used++;
		}
		if (g->nr_legs && !rnd(8)) {
			/* one of them is out of date; maybe it is the only one */
			g->dead[g->nr_dead++] = g->leg[--g->nr_legs];
			g->leg[g->nr_legs] = 0;
		}
		g->wanted = (uint8_t)(rnd(3) ? g->nr_legs : rnd(3));
		g->extra = (uint8_t)(rnd(4) ? 0 : rnd(2));
		g->flags = rnd(10) ? 0 : (uint8_t)rnd(8);
		g->heat_short = (float)rnd(1000) / (float)(1 + rnd(100));
		g->heat_long = rnd(2) ? g->heat_short : (float)rnd(50);
		g->mibs = (float)rnd(100) / 10;
		g->mibs_next = rnd(2) ? -1 : (float)rnd(300) / 10;
		g->rest_until = rnd(5) ? 0 : (uint32_t)p->s.now + rnd(9) * 3600;
	}
}

static void random_rest(struct pool *p)
{
	p->s.nr_links = rnd(4);
	for (uint32_t i = 0; i < p->s.nr_links; i++)
		p->link[i] = (struct plan_link){ (uint16_t)rnd(p->s.nr_locations),
			(uint16_t)rnd(p->s.nr_locations),
			rnd(4) ? (float)rnd(1000) : 0, (float)rnd(100) };
	p->s.nr_pins = rnd(3) ? 0 : rnd(4);
	for (uint32_t i = 0; i < p->s.nr_pins; i++) {
		p->pin[i] = (struct plan_pin){ i, rnd(p->s.nr_segs), rnd(20),
			(uint8_t)rnd(4), 0 };
		if (p->pin[i].kind == PLAN_PIN_MEMBER)
			p->pin[i].value = random_index(p);
	}
	p->s.nr_wishes = rnd(3) ? 0 : rnd(4);
	for (uint32_t i = 0; i < p->s.nr_wishes; i++)
		p->wish[i] = (struct plan_wish){ i, (uint8_t)rnd(2),
			random_index(p), random_index(p), rnd(p->s.nr_segs) };
	p->s.nr_flights = rnd(3) ? 0 : rnd(8);
	for (uint32_t i = 0; i < p->s.nr_flights; i++)
		p->flight[i] = (struct plan_flight){ .segment = rnd(p->s.nr_segs),
			.from = rnd(4) ? random_index(p) : PLAN_NONE,
			.to = random_index(p), .cause = (uint8_t)rnd(PLAN_CAUSES),
			.bytes = GIB, .done = rnd(1 << 30) };
	p->s.nr_troubles = rnd(3) ? 0 : rnd(8);
	for (uint32_t i = 0; i < p->s.nr_troubles; i++)
		p->trouble[i] = (struct plan_trouble){ rnd(p->s.nr_segs),
			rnd(2) ? PLAN_NONE : random_index(p),
			p->s.now + rnd(9) * 3600 - 3600, rnd(2) };
	p->s.nr_orders = rnd(3) ? 0 : rnd(4);
	for (uint32_t i = 0; i < p->s.nr_orders; i++)
		p->order[i] = (struct plan_order){ (uint8_t)rnd(PLAN_CAUSES),
			rnd(2) ? PLAN_NONE : random_index(p), !rnd(3), !rnd(5),
			(int8_t)((int)rnd(21) - 10) };
}

static struct pool *random_pool(void)
{
	struct pool *p = pool_new(1 + rnd(24), 4 + rnd(30), 1 + rnd(200));

	p->s.nr_classes = 1 + rnd(3);
	p->s.nr_locations = 1 + rnd(3);
	for (uint32_t i = 0; i < p->s.nr_classes; i++)
		p->class[i] = (struct plan_class){ "c", (float)rnd(100) / 10,
			(float)(50 + rnd(400)), (float)(100 + rnd(10000)) };
	for (uint32_t i = 0; i < p->s.nr_locations; i++)
		p->location[i] = (struct plan_location){ "l", (float)rnd(30) };
	p->s.minute = rnd(1440);
	random_members(p);
	random_segs(p);
	random_rest(p);
	return p;
}

static void random_policy(struct plan_policy *q)
{
	plan_policy_defaults(q);
	q->evacuate.members = rnd(4);
	q->evacuate.reserve = rnd(20);
	q->evacuate.window = 1 + rnd(9);
	q->evacuate.same_domain = !rnd(9);
	q->rebuild.window = 1 + rnd(9);
	q->replicate.free = rnd(60);
	/* so short that a copy often costs more than it gains */
	q->balance.payback = rnd(2) ? 60 : q->balance.payback;
	q->tier.fill = 20 + rnd(80);
	q->tier.cost = rnd(2) * rnd(1000000);
	q->pace.pool = 1 + rnd(30);
	q->pace.member = 1 + rnd(6);
	q->pace.link = 1 + rnd(3);
	q->pace.rate = rnd(3) ? 0 : 1 << (20 + rnd(10));
	q->pace.daily = rnd(3) ? 0 : 1L << (28 + rnd(10));
	q->pace.quiet_from = rnd(1440);
	q->pace.quiet_to = rnd(2) ? q->pace.quiet_from : (long)rnd(1440);
}

/* -- what is promised ---------------------------------------------------------------- */

static bool flies(const struct pool *p, uint32_t seg)
{
	for (uint32_t i = 0; i < p->s.nr_flights; i++)
		if (p->s.flight[i].segment == seg)
			return true;
	return p->s.seg[seg].flags & PLAN_SEG_BUSY;
}

static bool is_dead(const struct plan_seg *g, uint16_t index)
{
	for (unsigned int l = 0; l < g->nr_dead; l++)
		if (g->dead[l] == index)
			return true;
	return false;
}

static void check_domain(struct pool *p, const struct plan_member *to,
			 uint16_t leg, uint16_t from)
{
	const struct plan_member *m = find(p, leg);

	promise(leg != to->index, "no second leg on one member");
	promise(leg == from || m->state == PLAN_FAILED || !m->domain ||
		m->domain != to->domain, "no second leg in one failure domain");
}

/* Whoever failed to take it for good, or is to be left in peace for now. */
static void check_trouble(const struct pool *p, const struct plan_action *a)
{
	for (uint32_t i = 0; i < p->s.nr_troubles; i++) {
		const struct plan_trouble *t = &p->s.trouble[i];

		if (t->segment == a->segment && t->until > p->s.now)
			promise(t->to != PLAN_NONE &&
				(t->soft || t->to != a->to),
				"not again what has failed");
	}
}

static void check_destination(struct pool *p, const struct plan_policy *q,
			      const struct plan_result *r,
			      const struct plan_action *a)
{
	const struct plan_seg *g = &p->s.seg[a->segment];
	const struct plan_member *to = find(p, a->to);
	const struct plan_verdict *v = &r->verdict[to - p->s.member];

	promise(to->state == PLAN_ONLINE, "only members in service get data");
	promise(v->band < PLAN_EMPTY && !v->drain,
		"no member at risk gets data");
	check_trouble(p, a);
	/* filled again where it is: it had its place before */
	if (is_dead(g, a->to)) {
		promise(a->cause == PLAN_BY_REBUILD &&
			a->what == PLAN_DO_REPLICATE,
			"only a rebuild fills a leg again");
		return;
	}
	promise(v->band == PLAN_OK || a->cause <= PLAN_BY_PERSON,
		"a watched member gets data at most of a rescue or by a person");
	if (q->evacuate.same_domain)
		return;
	for (unsigned int l = 0; l < g->nr_legs; l++)
		check_domain(p, to, g->leg[l], a->from);
	for (unsigned int l = 0; l < g->nr_dead; l++)
		check_domain(p, to, g->dead[l], a->from);
}

static void check_drop(struct pool *p, const struct plan_action *a)
{
	const struct plan_seg *g = &p->s.seg[a->segment];
	unsigned int left = 0;

	for (unsigned int l = 0; l < g->nr_legs; l++)
		left += g->leg[l] != a->from &&
			find(p, g->leg[l])->state < PLAN_FAILED;
	promise(left >= (g->wanted ? g->wanted : 1),
		"no leg is dropped that is wanted");
}

static void check_plan(struct pool *p, const struct plan_policy *q,
		       const struct plan_result *r)
{
	uint32_t *arrive = calloc(p->s.nr_members, sizeof(*arrive));
	uint32_t *at_once = calloc(p->s.nr_members, sizeof(*at_once));
	uint8_t *seen = calloc(p->s.nr_segs, 1);

	for (uint32_t i = 0; i < p->s.nr_flights; i++) {
		if (p->s.flight[i].from != PLAN_NONE)
			at_once[p->s.flight[i].from / 3]++;
		at_once[p->s.flight[i].to / 3]++;
	}
	for (size_t i = 0; i < r->nr_actions; i++) {
		const struct plan_action *a = &r->action[i];
		bool starts = i < r->nr_start, leaves;

		promise(starts == (a->hold == PLAN_START),
			"what starts comes first");
		promise(a->job < r->nr_jobs, "each belongs to a job");
		if (a->what == PLAN_DO_ABORT) {
			promise(flies(p, a->segment), "what is called back flies");
			continue;
		}
		promise(!seen[a->segment]++, "one action for a segment");
		promise(!flies(p, a->segment), "nothing for what is on its way");
		if (a->what == PLAN_DO_DROP) {
			check_drop(p, a);
			continue;
		}
		check_destination(p, q, r, a);
		arrive[a->to / 3] += !is_dead(&p->s.seg[a->segment], a->to);
		if (a->cause >= PLAN_BY_BALANCE)
			promise(a->gain >= a->cost,
				"what can wait gains more than it costs");
		if (!starts)
			continue;
		leaves = a->cause == PLAN_BY_RESCUE ||
			 a->cause == PLAN_BY_PERSON ||
			 a->cause == PLAN_BY_EVACUATE;
		if (a->from != PLAN_NONE)
			promise(++at_once[a->from / 3] <= (leaves ?
				q->evacuate.window : q->pace.member),
				"no more at once than a member may have");
		promise(++at_once[a->to / 3] <= (leaves &&
			q->evacuate.window > q->pace.member ?
			q->evacuate.window : q->pace.member),
			"no more at once than a member may have");
	}
	for (uint32_t i = 0; i < p->s.nr_members; i++) {
		const struct plan_member *m = &p->s.member[i];

		promise(!arrive[i] || m->used + m->reserved + arrive[i] <= m->slots,
			"never over capacity");
	}
	promise(isfinite(r->seconds) && isfinite(r->after.risk) &&
		isfinite(r->after.latency_ms), "figures are numbers");
	free(arrive);
	free(at_once);
	free(seen);
}

static bool same(const struct plan_result *a, const struct plan_result *b)
{
	return a->nr_actions == b->nr_actions && a->nr_jobs == b->nr_jobs &&
	       a->nr_start == b->nr_start &&
	       (!a->nr_actions || !memcmp(a->action, b->action,
					  a->nr_actions * sizeof(*a->action))) &&
	       (!a->nr_jobs || !memcmp(a->job, b->job,
				       a->nr_jobs * sizeof(*a->job))) &&
	       !memcmp(&a->before, &b->before, sizeof(a->before)) &&
	       !memcmp(&a->after, &b->after, sizeof(a->after));
}

/* -- carried out -------------------------------------------------------------------------- */

static void bury(struct plan_seg *g, uint16_t index)
{
	for (unsigned int l = 0; l < g->nr_dead; l++)
		if (g->dead[l] == index)
			g->dead[l--] = g->dead[--g->nr_dead];
}

/* Members by index / 3: carry_out() of plan.h wants them by index. */
static size_t do_it(struct pool *p, const struct plan_result *r, uint16_t *was)
{
	size_t n = 0;

	for (size_t i = 0; i < r->nr_start; i++) {
		const struct plan_action *a = &r->action[i];
		struct plan_seg *g = &p->s.seg[a->segment];
		unsigned int l;

		if (a->what == PLAN_DO_ABORT)
			continue;
		n++;
		for (l = 0; l < g->nr_legs && g->leg[l] != a->from; l++)
			;
		if (a->what == PLAN_DO_REPLICATE) {
			if (is_dead(g, a->to))
				bury(g, a->to);
			else
				find(p, a->to)->used++;
			g->leg[g->nr_legs++] = a->to;
			g->extra += a->cause == PLAN_BY_REPLICATE;
			continue;
		}
		find(p, a->from)->used--;
		if (is_dead(g, a->from)) {
			bury(g, a->from);
			if (a->what == PLAN_DO_MOVE) {
				g->leg[g->nr_legs++] = a->to;
				find(p, a->to)->used++;
			}
			continue;
		}
		if (a->what == PLAN_DO_DROP) {
			g->leg[l] = g->leg[--g->nr_legs];
			g->extra -= g->extra > 0;
			continue;
		}
		g->leg[l] = a->to;
		find(p, a->to)->used++;
		if (a->cause < PLAN_BY_BALANCE)
			continue;
		g->rest_until = (uint32_t)p->s.now + 3600;
		promise(was[a->segment] != a->to, "no ping-pong");
		was[a->segment] = a->from;
	}
	return n;
}

/* Loads of members as their segments make them, so that moving has a result. */
static void real_loads(struct pool *p)
{
	for (uint32_t i = 0; i < p->s.nr_members; i++)
		for (int h = 0; h < PLAN_HORIZONS; h++)
			p->s.member[i].load[h] = 0;
	for (uint32_t i = 0; i < p->s.nr_segs; i++) {
		struct plan_seg *g = &p->s.seg[i];

		g->mibs_next = g->mibs;
		for (unsigned int l = 0; l < g->nr_legs; l++) {
			struct plan_member *m = find(p, g->leg[l]);
			float mibs = m->mibs > 0 ? m->mibs :
				     p->class[m->class].mibs;

			for (int h = 0; h < PLAN_HORIZONS; h++)
				m->load[h] += g->mibs / (float)g->nr_legs / mibs;
		}
	}
}

static bool settles(struct pool *p, const struct plan_policy *q)
{
	uint16_t *was = malloc(p->s.nr_segs * sizeof(*was));
	bool quiet = false;

	memset(was, 0xff, p->s.nr_segs * sizeof(*was));
	p->s.nr_flights = 0;
	for (int round = 0; round < 400 && !quiet && !broken; round++) {
		struct plan_result *r;

		real_loads(p);
		p->s.now += 3601;	/* all have rested */
		r = plan(p, q);
		check_plan(p, q, r);
		for (uint32_t i = 0; i < p->s.nr_members; i++)
			p->s.member[i].track = r->verdict[i].track;
		quiet = !do_it(p, r, was);
		plan_result_free(r);
	}
	free(was);
	return quiet;
}

int main(void)
{
	const char *text = getenv("SEED");
	int pools = 0, unsettled = 0, differ = 0;
	size_t actions = 0, causes[PLAN_CAUSES] = { 0 };
	bool all = true;

	plan_policy_defaults(&policy);
	for (; pools < 1000 && !broken; pools++) {
		struct plan_policy q;
		struct plan_result *a, *b;
		struct pool *p;

		seed = (text ? strtoull(text, NULL, 0) : 12345) + pools * 7919ULL;
		random_policy(&q);
		p = random_pool();
		a = plan(p, &q);
		b = plan(p, &q);
		check_plan(p, &q, a);
		differ += !same(a, b);
		actions += a->nr_actions;
		for (size_t i = 0; i < a->nr_actions; i++)
			causes[a->action[i].cause]++;
		plan_result_free(a);
		plan_result_free(b);
		/* a budget for the day or the wrong hour would stop it for good */
		q.pace.daily = 0;
		q.pace.quiet_from = q.pace.quiet_to;
		p->s.nr_orders = 0;
		unsettled += !settles(p, &q);
		if (broken)
			printf("# pool %d: %s\n", pools, broken);
		pool_free(p);
	}
	ok(!broken, "all promises are kept in %d pools, %zu actions", pools,
	   actions);
	is(differ, 0, "the same state gives the same plan");
	is(unsettled, 0, "carried out, each comes to an end");
	for (int c = 0; c < PLAN_CAUSES; c++)
		if (!causes[c]) {
			printf("# nothing was done by %s\n", plan_cause_name(c));
			all = false;
		}
	ok(all, "and every cause was there");
	return done_testing();
}
