// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Forecasts of members out of those of volumes: a member will be as busy as what is
 * on it by then. Peaks at different hours don't add up, so each of the next 48 half
 * hours is looked at by itself.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/sim.h"

#define IS_NOW	255	/* it will not be busier than it is now */

static double at_step(const struct volume *v, size_t now, unsigned int ahead,
		      double *up)
{
	int h = ahead < 1 ? FORECAST_NEXT : ahead < 6 ? FORECAST_3H :
							FORECAST_DAY;
	size_t at = SIM_BEFORE + now + ahead;

	if (at >= v->nr + SIM_DAY_STEPS)
		at = v->nr + SIM_DAY_STEPS - 1;
	*up = (double)v->up[h][at];
	return (double)v->middle[h][at];
}

/* Shares of each volume that are on each member: member x volume. */
static float *shares(const struct sim *s)
{
	uint32_t nv = s->volumes->nr;
	float *a = calloc((size_t)s->s.nr_members * nv + 1, sizeof(*a));

	for (uint32_t v = 0; a && v < nv; v++) {
		const struct volume *o = &s->volumes->v[v];

		for (uint32_t k = 0; k < o->count; k++) {
			const struct plan_seg *g = &s->s.seg[o->first + k];

			for (unsigned int l = 0; l < g->nr_legs; l++)
				a[(size_t)g->leg[l] * nv + v] +=
					o->share[k] / (float)g->nr_legs;
		}
	}
	return a;
}

void sim_forecast(struct sim *s)
{
	uint32_t nv = s->volumes->nr;
	size_t now = (size_t)(s->t / SIM_STEP);
	uint8_t *when = calloc(s->s.nr_members + 1, 1);
	float *a = shares(s);

	for (uint32_t i = 0; a && when && i < s->s.nr_members; i++) {
		struct plan_member *m = &s->s.member[i];
		double f = s->m[i].slow / (double)m->mibs;

		m->load[PLAN_NOW] = (float)s->m[i].user;
		when[i] = IS_NOW;
		for (int h = PLAN_30M; h < PLAN_HORIZONS; h++)
			m->load[h] = -1;
		for (unsigned int k = 0; k < SIM_DAY_STEPS; k++) {
			float most = fmaxf(m->load[PLAN_NOW], m->load[PLAN_24H]);
			double sum = 0, square = 0, load;

			for (uint32_t v = 0; v < nv; v++) {
				double share = (double)a[(size_t)i * nv + v], up;
				double mid = at_step(&s->volumes->v[v], now, k,
						     &up);

				sum += share * mid;
				square += share * up * share * up;
			}
			load = f * plan_quantile(&s->policy, sum,
						 sum + sqrt(square));
			for (int h = PLAN_30M; h < PLAN_HORIZONS; h++)
				if ((long)k * SIM_STEP <
				    plan_horizon_seconds[h] &&
				    load > (double)m->load[h])
					m->load[h] = (float)load;
			if (load > (double)most)
				when[i] = (uint8_t)k;
		}
	}
	/* of a segment counts what it does when its member is busiest */
	for (uint32_t v = 0; when && v < nv; v++) {
		const struct volume *o = &s->volumes->v[v];

		for (uint32_t k = 0; k < o->count; k++) {
			struct plan_seg *g = &s->s.seg[o->first + k];
			double up;

			if (!g->nr_legs)
				continue;
			g->mibs_next = when[g->leg[0]] == IS_NOW ? g->mibs :
				       (float)at_step(o, now, when[g->leg[0]],
						      &up) * o->share[k];
		}
	}
	free(a);
	free(when);
}
