// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Wear of solid state drives: a straight line through the past, and how many
 * days are left until it meets the limit.
 */
#include <math.h>
#include <stdio.h>

#include "daemon/predict/predict.h"

#define WINDOW		(90 * RISK_DAY)
#define MIN_SPAN	(7 * RISK_DAY)

static void spare(struct risk *r, const struct predict_input *in)
{
	const struct series *s = &in->drive->series[TRACK_SPARE];
	int64_t limit = in->sample->spare_threshold;
	double slope, days;
	char value[48];

	if (!s->known || in->sample->spare == SMART_NONE)
		return;
	risk_judged(r, RISK_WEAR, in->sample->time);
	if (limit == SMART_NONE)
		limit = 0;
	snprintf(value, sizeof(value), "%lld %%, threshold %lld %%",
		 (long long)in->sample->spare, (long long)limit);
	/* drives without spare say 0 of 0 */
	if (in->sample->spare <= limit && limit > 0) {
		risk_add(r, RISK_WEAR, 85, 0, "available spare", value,
			 "the available spare is at its threshold");
		return;
	}
	slope = series_slope(s, in->now, WINDOW, MIN_SPAN);
	if (!(slope < 0))
		return;
	days = (double)(limit - in->sample->spare) / slope;
	if (days < 90)
		risk_add(r, RISK_WEAR, days < 30 ? 75 : 55, s->first,
			 "available spare", value,
			 "the available spare is used up in %.0f days", days);
}

static void used(struct risk *r, const struct predict_input *in)
{
	const struct series *s = &in->drive->series[TRACK_USED];
	double slope, days;
	char value[48];

	if (!s->known || in->sample->used == SMART_NONE)
		return;
	risk_judged(r, RISK_WEAR, in->sample->time);
	snprintf(value, sizeof(value), "%lld %%",
		 (long long)in->sample->used);
	if (in->sample->used >= 100) {
		risk_add(r, RISK_WEAR, 60, series_last_rise(s),
			 "endurance used", value,
			 "the drive has reached its rated endurance");
		return;
	}
	slope = series_slope(s, in->now, WINDOW, MIN_SPAN);
	if (!(slope > 0))
		return;
	days = (double)(100 - in->sample->used) / slope;
	if (days < 30)
		risk_add(r, RISK_WEAR, 55, s->first, "endurance used", value,
			 "the rated endurance is reached in %.0f days", days);
}

void predict_wear(struct risk *r, const struct predict_input *in)
{
	spare(r, in);
	used(r, in);
}
