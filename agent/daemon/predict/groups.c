// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "daemon/predict/groups.h"

void groups_free(struct groups *g)
{
	if (!g)
		return;
	for (uint32_t i = 0; g->group && i < g->nr; i++)
		loads_free(&g->group[i].loads);
	free(g->group);
	free(g->counted);
	free(g);
}

static struct groups *groups_new(uint32_t nr_segments, uint32_t per)
{
	struct groups *g = calloc(1, sizeof(*g));

	if (!g)
		return NULL;
	g->nr_segments = nr_segments;
	g->per = per;
	g->nr = (nr_segments + per - 1) / per;
	g->counted = calloc(nr_segments, sizeof(*g->counted));
	g->group = calloc(g->nr, sizeof(*g->group));
	if (!g->counted || !g->group) {
		groups_free(g);
		return NULL;
	}
	return g;
}

/* What was counted since the last list, by group; it was not seen then: nothing. */
static void count(struct groups *g, const struct ads_segment *segs, size_t n)
{
	for (uint32_t i = 0; i < g->nr; i++)
		g->group[i].rate = 0;
	for (size_t i = 0; i < n; i++) {
		uint32_t now = segs[i].reads + segs[i].writes, more;

		if (segs[i].index >= g->nr_segments)
			continue;
		/* unsigned: right over the wrap, of either of the two */
		more = now - g->counted[segs[i].index];
		/* less than before: the kernel counts anew */
		if (more > INT32_MAX)
			more = now;
		g->group[segs[i].index / g->per].rate += more;
		g->counted[segs[i].index] = now;
	}
}

int groups_add(struct groups **gp, const struct ads_segment *segs, size_t n,
	       uint32_t nr_segments, uint32_t sample, double mono, int64_t now,
	       const struct config *c)
{
	uint32_t most = (uint32_t)c->forecast.groups, per;
	double dt, v[LOAD_WHAT] = { NAN, NAN, NAN, NAN };
	struct groups *g = *gp;

	if (!most || !nr_segments) {
		groups_free(g);
		*gp = NULL;
		return 0;
	}
	per = (nr_segments + most - 1) / most;
	if (!g || g->nr_segments != nr_segments || g->per != per) {
		groups_free(g);
		g = *gp = groups_new(nr_segments, per);
		if (!g)
			return -ENOMEM;
	}
	dt = mono - g->time;
	if (g->time && dt <= 0)
		return 0;
	count(g, segs, n);
	for (uint32_t i = 0; i < g->nr; i++) {
		/* the first counters are of all times */
		if (!g->time) {
			g->group[i].rate = 0;
			continue;
		}
		g->group[i].rate *= (sample ? sample : 1) / dt;
		v[LOAD_REQUESTS] = g->group[i].rate;
		loads_add(&g->group[i].loads, now, dt, c->forecast.step, v);
	}
	g->time = mono;
	return 0;
}

struct group *groups_due(struct groups *g)
{
	for (uint32_t i = 0; g && i < g->nr; i++)
		if (outlook_due(&g->group[i].outlook, &g->group[i].loads))
			return &g->group[i];
	return NULL;
}

void groups_foresee(struct group *g, const struct config *c)
{
	for (int k = 0; k < OUTLOOK_AHEAD; k++)
		outlook_make(&g->outlook, &g->loads, OUTLOOK_REQUESTS, k, c);
	g->outlook.time = g->loads.now * g->loads.length;
}

uint32_t groups_range(const struct groups *g, uint32_t i, uint32_t *first)
{
	*first = i * g->per;
	return g->nr_segments - *first < g->per ? g->nr_segments - *first :
						  g->per;
}
