// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/plan/heat.h"

/* Makes bare counters order segments without outweighing any real rate. */
#define TRACE	1e-12

static struct heat *heat_new(uint32_t nr)
{
	struct heat *h = calloc(1, sizeof(*h));

	if (!h)
		return NULL;
	h->nr = nr;
	h->seg = calloc(nr ? nr : 1, sizeof(*h->seg));
	if (!h->seg) {
		free(h);
		return NULL;
	}
	return h;
}

int heat_update(struct heat **hp, const struct ads_segment *segs, size_t n,
		uint32_t nr_segments, double now, long half_life)
{
	struct heat *h = *hp;
	double dt, weight, slowly;
	bool first;

	if (!h || h->nr != nr_segments) {
		heat_free(h);
		h = *hp = heat_new(nr_segments);
		if (!h)
			return -ENOMEM;
	}
	first = h->time == 0;
	dt = now - h->time;
	if (!first && dt <= 0)
		return 0;
	weight = 1 - exp2(-dt / (double)half_life);
	slowly = 1 - exp2(-dt / (double)half_life / HEAT_SLOW);
	for (size_t i = 0; i < n; i++) {
		struct heat_segment *s;
		uint32_t more;

		if (segs[i].index >= h->nr)
			continue;
		s = &h->seg[segs[i].index];
		/* unsigned: right over the wrap */
		more = segs[i].reads - s->reads;
		more += segs[i].writes - s->writes;
		if (!first) {
			s->rate += (float)(weight *
					   ((double)more / dt - s->rate));
			s->slow += (float)(slowly *
					   ((double)more / dt - s->slow));
		}
		s->reads = segs[i].reads;
		s->writes = segs[i].writes;
	}
	h->time = now;
	return 0;
}

void heat_free(struct heat *h)
{
	if (!h)
		return;
	free(h->seg);
	free(h);
}

double heat_rate(const struct heat *h, uint32_t segment)
{
	const struct heat_segment *s;

	if (!h || segment >= h->nr)
		return 0;
	s = &h->seg[segment];
	return (double)s->rate + TRACE * ((double)s->reads + (double)s->writes);
}

double heat_slow(const struct heat *h, uint32_t segment)
{
	return h && segment < h->nr ? (double)h->seg[segment].slow : 0;
}
