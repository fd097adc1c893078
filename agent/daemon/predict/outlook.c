// SPDX-License-Identifier: GPL-2.0-or-later
#include <math.h>
#include <string.h>

#include "daemon/predict/outlook.h"
#include "lib/forecast.h"

const char *outlook_of_name(enum outlook_of of)
{
	return of == OUTLOOK_BYTES ? "bytes_per_second" : "requests_per_second";
}

static long ahead_of(enum outlook_ahead ahead, const struct config *c)
{
	return ahead == OUTLOOK_NEAR ? c->forecast.near :
	       ahead == OUTLOOK_MIDDLE ? c->forecast.middle : c->forecast.far;
}

bool outlook_due(const struct outlook *o, const struct loads *l)
{
	return l->nr && l->now * l->length != o->time;
}

void outlook_make(struct outlook *o, const struct loads *l, enum outlook_of of,
		  enum outlook_ahead ahead, const struct config *c)
{
	struct outlook_range *r = &o->range[of][ahead];
	enum load_what what = of == OUTLOOK_BYTES ? LOAD_BYTES : LOAD_REQUESTS;
	long steps = ahead_of(ahead, c) / c->forecast.step;
	long season = c->forecast.season / c->forecast.step;
	struct ads_forecast f;
	double y[LOADS_MAX];

	memset(r, 0, sizeof(*r));
	steps = steps > 0 ? steps : 1;
	season = season > 0 ? season : 1;
	if (season > ADS_FC_MAX_SEASON || l->length != c->forecast.step)
		return;
	r->ahead = steps * c->forecast.step;
	for (unsigned int i = 0; i < l->nr; i++)
		y[i] = l->step[i].v[what];
	if (ads_forecast(y, l->nr, season, steps, &f) || isnan(f.value))
		return;
	r->known = true;
	r->low = f.low;
	r->value = f.value;
	r->high = f.high;
	for (int m = 1; m < ADS_FORECASTERS; m++)
		if (f.weight[m] > f.weight[r->best])
			r->best = m;
}
