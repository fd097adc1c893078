// SPDX-License-Identifier: GPL-2.0-or-later
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/plan/core/policy.h"
#include "daemon/predict/ahead.h"
#include "lib/forecast.h"

#define NEAR	1	/* steps; the first one is forecast as the next */
#define SOON	6	/* the others until there as so far ahead */

/*
 * Steps @first to @end - 1 behind the last one, each as it was forecast @horizon
 * steps before it: so that one walk through the series tells them all. false: too
 * little is known for that.
 */
static bool make(struct ahead *a, enum outlook_of of, const double *y,
		 unsigned int nr, unsigned int season, unsigned int first,
		 unsigned int end, unsigned int horizon)
{
	struct ads_forecast f[AHEAD_STEPS];
	size_t from = (size_t)nr + first + 1;

	if (from < (size_t)horizon + ADS_FC_MIN_POINTS || first >= end)
		return first >= end;
	from -= horizon;
	/* the walk goes on to the last origin; no more than these are wanted */
	if (ads_forecast_rolling(y, from + (end - first) - 1, season, horizon,
				 from, f))
		return false;
	for (unsigned int k = first; k < end; k++) {
		const struct ads_forecast *g = &f[k - first];

		if (isnan(g->value) || isnan(g->high))
			return false;
		a->value[of][k] = (float)g->value;
		a->high[of][k] = (float)g->high;
		a->nr[of] = k + 1;
	}
	return true;
}

void ahead_make(struct ahead *a, const struct loads *l, const struct config *c)
{
	static const enum load_what what[OUTLOOK_OF] = {
		[OUTLOOK_BYTES] = LOAD_BYTES, [OUTLOOK_REQUESTS] = LOAD_REQUESTS,
	};
	long season = c->forecast.season / c->forecast.step;
	unsigned int n, soon;
	double y[LOADS_MAX];

	memset(a, 0, sizeof(*a));
	a->length = l->length;
	a->time = l->now * l->length;
	season = season > 0 ? season : 1;
	if (season > ADS_FC_MAX_SEASON || l->length != c->forecast.step)
		return;
	n = season < AHEAD_STEPS ? (unsigned int)season : AHEAD_STEPS;
	soon = n < SOON ? n : SOON;
	for (int of = 0; of < OUTLOOK_OF; of++) {
		for (unsigned int i = 0; i < l->nr; i++)
			y[i] = (double)l->step[i].v[what[of]];
		if (make(a, of, y, l->nr, (unsigned int)season, 0, NEAR, NEAR) &&
		    make(a, of, y, l->nr, (unsigned int)season, NEAR, soon,
			 soon))
			make(a, of, y, l->nr, (unsigned int)season, soon, n, n);
	}
}

double ahead_peak(const struct ahead *a, enum outlook_of of, int64_t now,
		  long seconds, const struct plan_policy *policy)
{
	double most = -1;

	for (unsigned int k = 0; a->time && k < a->nr[of]; k++) {
		int64_t begin = a->time + (int64_t)k * a->length;
		double v;

		/* what is over is not to come, and the rest is too far off */
		if (begin + a->length <= now || begin >= now + seconds)
			continue;
		v = plan_quantile(policy, (double)a->value[of][k],
				  (double)a->high[of][k]);
		most = v > most ? v : most;
	}
	return most;
}
