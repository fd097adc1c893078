// SPDX-License-Identifier: GPL-2.0-or-later
#include <math.h>

#include "daemon/plan/core/cost.h"

#define GiB		1073741824.0
#define MiB		1048576.0
#define FORGET		0.995	/* of what was known, with each move */
#define PRIOR		4	/* moves that the bandwidth is worth */
#define LEAST		64	/* MiB; less says nothing about speed */

static unsigned int class_of(uint16_t c)
{
	return c < PLAN_COST_CLASSES ? c : PLAN_COST_CLASSES - 1;
}

void plan_cost_learn(struct plan_cost *c, const struct plan_done *d)
{
	struct plan_cost_pair *p = &c->pair[class_of(d->from)][class_of(d->to)];
	double load = d->load, y, rate;

	if (!isfinite(d->bytes) || !isfinite(d->seconds) || !isfinite(load) ||
	    d->bytes < LEAST * MiB || d->seconds <= 0 || load > 1)
		return;
	if (load < 0)
		load = 0;
	y = d->seconds / (d->bytes / GiB);
	p->n = FORGET * p->n + 1;
	p->x = FORGET * p->x + load;
	p->xx = FORGET * p->xx + load * load;
	p->y = FORGET * p->y + y;
	p->xy = FORGET * p->xy + load * y;
	if (!isfinite(d->rise_ms))
		return;
	rate = d->bytes / MiB / d->seconds;
	p->rr = FORGET * p->rr + rate * rate;
	p->rl = FORGET * p->rl + rate * d->rise_ms;
}

/*
 * The prior is a number of moves at both ends of the load, which took as long
 * as the bandwidth says: idle all of it, busy what is left.
 */
double plan_cost_seconds(const struct plan_cost *c, uint16_t from, uint16_t to,
			 double bytes, double load, double mibs)
{
	double idle = 1024 / (mibs > 1 ? mibs : 1), busy = 4 * idle;
	double n = PRIOR, x = PRIOR / 2.0, xx = PRIOR / 2.0;
	double y = PRIOR / 2.0 * (idle + busy), xy = PRIOR / 2.0 * busy;
	double det, a, b, each;

	if (c) {
		const struct plan_cost_pair *p =
			&c->pair[class_of(from)][class_of(to)];

		n += p->n;
		x += p->x;
		xx += p->xx;
		y += p->y;
		xy += p->xy;
	}
	if (!(load > 0))
		load = 0;
	if (load > 1)
		load = 1;
	det = n * xx - x * x;
	b = (n * xy - x * y) / det;	/* the prior keeps det above zero */
	a = (y - b * x) / n;
	each = a + b * load;
	/* never faster than a tenth of what idle members were seen to need */
	if (each < 0.1 * y / n)
		each = 0.1 * y / n;
	return bytes / GiB * each;
}

double plan_cost_rise(const struct plan_cost *c, uint16_t from, uint16_t to,
		      double mibs)
{
	const struct plan_cost_pair *p;

	if (!c)
		return 0;
	p = &c->pair[class_of(from)][class_of(to)];
	return p->rr > 0 && p->rl > 0 ? mibs * p->rl / p->rr : 0;
}
