// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How busy members are and will be, and what of it is which segment's.
 */
#include <math.h>

#include "daemon/cycle.h"
#include "daemon/planner-priv.h"

/* Busier than that, what it does says what it can do. */
#define TELLING		0.05
#define LEAST_MIBS	0.25
#define FORGOTTEN	(14 * 86400.0)	/* half of what it once did */
#define MOST_LOAD	2.0f	/* more is but a guess at what it can do */
#define MiB		1048576.0

static double busy(const struct member *m)
{
	return m->steady.looks >= PLANNER_LOOKS ?
	       m->steady.sum / m->steady.weight : -1;
}

static double measured(const struct member *m)
{
	double load = busy(m), mibs;

	if (load < TELLING)
		return 0;
	mibs = m->steady.bytes / m->steady.weight / MiB;
	return mibs < LEAST_MIBS * load ? 0 : mibs / load;
}

/*
 * The most that it did of either, for the time it was busy. By large accesses it does
 * the most bytes, by small ones the most requests: whatever is to come takes at least
 * as long as either of them says.
 */
static void note_does(struct member *m)
{
	double now = now_mono(), load = busy(m), keep;

	keep = m->does.time > 0 ? exp2((m->does.time - now) / FORGOTTEN) : 1;
	m->does.time = now;
	m->does.mibs = fmax(m->does.mibs * keep, measured(m));
	m->does.iops *= keep;
	if (load >= TELLING)
		m->does.iops = fmax(m->does.iops, m->steady.requests /
				    m->steady.weight / load);
}

/*
 * What a member can do with the load that it has, random or not; of one that is idle
 * what it did, or what the others of its class do, or else what such a disk does.
 */
static void add_capacity(struct plan_state *s, struct pool *p)
{
	double sum[PLANNER_CLASSES] = { 0 };
	unsigned int n[PLANNER_CLASSES] = { 0 };

	for (uint32_t i = 0; i < s->nr_members; i++) {
		const struct member *m = model_member(p, s->member[i].index);
		double mibs = m ? measured(m) : 0;

		s->member[i].mibs = (float)mibs;
		if (mibs > 0) {
			sum[s->member[i].class] += mibs;
			n[s->member[i].class]++;
		} else if (m) {
			s->member[i].mibs = (float)m->does.mibs;
		}
	}
	for (uint32_t i = 0; i < s->nr_members; i++) {
		uint16_t c = s->member[i].class;

		if (s->member[i].mibs <= 0 && n[c])
			s->member[i].mibs = (float)(sum[c] / n[c]);
	}
}

/* The highest until each horizon, as a share of what it can do. */
static void add_forecast(struct plan_member *o, const struct member *m,
			 int64_t now, const struct plan_policy *policy)
{
	for (int h = PLAN_30M; h < PLAN_HORIZONS; h++) {
		long until = plan_horizon_seconds[h];
		double bytes = ahead_peak(&m->ahead, OUTLOOK_BYTES, now, until,
					  policy);
		double requests = ahead_peak(&m->ahead, OUTLOOK_REQUESTS, now,
					     until, policy);
		double load = -1;

		if (bytes >= 0 && m->does.mibs > 0)
			load = bytes / MiB / m->does.mibs;
		if (requests >= 0 && m->does.iops > 0)
			load = fmax(load, requests / m->does.iops);
		o->load[h] = fminf((float)load, MOST_LOAD);
	}
}

void planner_loads(struct plan_state *s, struct pool *p)
{
	const struct plan_policy *policy = &p->daemon->config->policy;

	for (uint32_t i = 0; i < s->nr_members; i++) {
		struct plan_member *o = &s->member[i];
		struct member *m = model_member(p, o->index);

		for (int h = 0; h < PLAN_HORIZONS; h++)
			o->load[h] = -1;
		if (!m)
			continue;
		o->load[PLAN_NOW] = (float)busy(m);
		note_does(m);
		add_forecast(o, m, s->now, policy);
	}
	add_capacity(s, p);
}

/* Bytes of a mean request there, 0: nobody has seen one. */
static double request_bytes(const struct member *m)
{
	double rate = m->io.read_rate + m->io.write_rate;

	return m->io.known && rate > 0 ?
	       (m->io.read_bytes + m->io.write_bytes) / rate : 0;
}

/* MiB/s at a member's busiest. */
enum { PEAK_UNKNOWN = -1, PEAK_NOW = -2 };

static void add_peaks(const struct plan_state *s, struct pool *p,
		      double peak[PLAN_MEMBERS])
{
	const struct plan_policy *policy = &p->daemon->config->policy;
	long horizon = policy->balance.horizon;

	for (uint32_t i = 0; i < s->nr_members; i++) {
		const struct plan_member *o = &s->member[i];
		const struct member *m = model_member(p, o->index);
		float now = o->load[PLAN_NOW], most = now;
		double bytes;

		for (int h = PLAN_30M; h < PLAN_HORIZONS; h++)
			if (plan_horizon_seconds[h] <= horizon)
				most = fmaxf(most, o->load[h]);
		peak[o->index] = PEAK_UNKNOWN;
		bytes = m ? ahead_peak(&m->ahead, OUTLOOK_BYTES, s->now, horizon,
				       policy) : -1;
		if (most > now && bytes >= 0)
			peak[o->index] = bytes / MiB;
		else if (now >= 0)
			peak[o->index] = PEAK_NOW;
	}
}

/*
 * What is to come is its segments' by their heat, that of the last hour or of the
 * last day: one that is idle now may be what makes the member busy each morning.
 * Where it is at its busiest now, it is as it is now.
 */
static void share_out(struct plan_state *s, const double peak[PLAN_MEMBERS])
{
	double all[PLAN_MEMBERS] = { 0 };

	for (uint32_t i = 0; i < s->nr_segs; i++) {
		const struct plan_seg *g = &s->seg[i];

		for (unsigned int l = 0; l < g->nr_legs; l++)
			all[g->leg[l]] += (double)fmaxf(g->heat_short,
							g->heat_long) /
					  g->nr_legs;
	}
	for (uint32_t i = 0; i < s->nr_segs; i++) {
		struct plan_seg *g = &s->seg[i];
		double heat = (double)fmaxf(g->heat_short, g->heat_long), sum = 0;
		bool known = g->nr_legs > 0;

		for (unsigned int l = 0; l < g->nr_legs; l++) {
			double most = peak[g->leg[l]];

			if (most == PEAK_NOW)
				sum += (double)g->mibs / g->nr_legs;
			else if (most >= 0 && all[g->leg[l]] > 0)
				sum += most * heat / g->nr_legs /
				       all[g->leg[l]];
			else
				known = false;
		}
		g->mibs_next = known ? (float)sum : -1;
	}
}

void planner_heat(struct plan_state *s, struct pool *p)
{
	double size[PLAN_MEMBERS] = { 0 }, peak[PLAN_MEMBERS] = { 0 };
	uint32_t sample = p->k.heat_sample ? p->k.heat_sample : 1;

	for (const struct member *m = p->members; m; m = m->next)
		if (m->k.index < PLAN_MEMBERS)
			size[m->k.index] = request_bytes(m);
	for (uint32_t i = 0; i < s->nr_segs; i++) {
		struct plan_seg *g = &s->seg[i];
		double rate = heat_rate(p->heat, i) * sample;

		g->heat_short = (float)rate;
		g->heat_long = (float)(heat_slow(p->heat, i) * sample);
		if (g->nr_legs)
			g->mibs = (float)(rate * size[g->leg[0]] / MiB);
	}
	add_peaks(s, p, peak);
	share_out(s, peak);
}
