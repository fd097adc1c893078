// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * NVMe. By the specification and reports, not measured. The SMART status that
 * smartctl prints is derived from the critical warning, so it is not looked at:
 * the bits say more. The number of error log entries and unsafe shutdowns never
 * count; healthy drives have them.
 */
#include <stdio.h>

#include "daemon/predict/predict.h"

#define WARN_SPARE		0x01
#define WARN_TEMPERATURE	0x02
#define WARN_RELIABILITY	0x04
#define WARN_READ_ONLY		0x08
#define WARN_BACKUP		0x10

static const char factor[] = "critical warning";

static void warnings(struct risk *r, const struct smart_sample *s)
{
	char value[48];
	bool worn;

	snprintf(value, sizeof(value), "0x%02x", (unsigned int)s->warning);
	if (s->warning & WARN_READ_ONLY)
		risk_add(r, RISK_MEDIA, 95, 0, factor, value,
			 "the drive has made itself read-only");
	if (s->warning & WARN_BACKUP)
		risk_add(r, RISK_MEDIA, 95, 0, factor, value,
			 "the backup of the drive's volatile memory has failed");
	if (s->warning & WARN_RELIABILITY) {
		/* many set the bit when they reach 100 %, in full health */
		worn = s->used >= 100 && s->media_errors == 0 &&
		       s->spare > s->spare_threshold;
		if (worn)
			risk_add(r, RISK_WEAR, 55, 0, factor, value,
				 "the drive calls itself unreliable, but for no other reason than its age");
		else
			risk_add(r, RISK_MEDIA, 85, 0, factor, value,
				 "the drive calls itself unreliable");
	}
	if (s->warning & WARN_SPARE)
		risk_add(r, RISK_WEAR, 85, 0, factor, value,
			 "the available spare is below its threshold");
	if (s->warning & WARN_TEMPERATURE)
		risk_add(r, RISK_THERMAL, 60, 0, factor, value,
			 "the drive is outside of its temperature limits");
}

static void media_errors(struct risk *r, const struct predict_input *in)
{
	const struct series *s = &in->drive->series[TRACK_MEDIA_ERRORS];
	unsigned int month = series_rises(s, in->now, 30 * RISK_DAY);
	char value[48];

	snprintf(value, sizeof(value), "%llu, rose by %llu in 30 days",
		 (unsigned long long)s->value,
		 (unsigned long long)series_grown(s, in->now, 30 * RISK_DAY));
	if (month >= 2)
		risk_add(r, RISK_MEDIA, 75, series_last_rise(s), "media errors",
			 value, "media errors rose on %u of 30 days", month);
	else if (series_rises(s, in->now, 7 * RISK_DAY))
		risk_add(r, RISK_MEDIA, 60, series_last_rise(s), "media errors",
			 value, "media errors rose in the last 7 days");
}

void predict_nvme(struct risk *r, const struct predict_input *in)
{
	risk_judged(r, RISK_MEDIA, in->sample->time);
	warnings(r, in->sample);
	media_errors(r, in);
}
