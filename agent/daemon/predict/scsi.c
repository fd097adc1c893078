// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * SCSI and SAS. By analogy to the ATA counters 5, 187 and 197; not measured.
 */
#include <stdio.h>

#include "daemon/predict/predict.h"

#define P_FAILING		0.9	/* "failure prediction threshold" */
#define P_DEFECTS_ROSE		0.10
#define P_DEFECTS_OFTEN		0.20
#define P_UNCORRECTED_ROSE	0.25
#define P_PENDING		0.05
#define P_PENDING_ROSE		0.20

static void value_text(const struct series *s, int64_t now, char *buf,
		       size_t size)
{
	snprintf(buf, size, "%llu, rose by %llu in 30 days",
		 (unsigned long long)s->value,
		 (unsigned long long)series_grown(s, now, 30 * RISK_DAY));
}

/* Blocks that the drive could not read and will reassign when they are written. */
static void pending(struct risk *r, const struct predict_input *in)
{
	const struct series *s = &in->drive->series[TRACK_PENDING_DEFECTS];
	bool rose = series_rises(s, in->now, 7 * RISK_DAY) > 0;
	char value[48];

	if (!s->known || !s->value)
		return;
	value_text(s, in->now, value, sizeof(value));
	risk_add(r, RISK_MEDIA, risk_score_of(rose ? P_PENDING_ROSE : P_PENDING),
		 series_last_rise(s), "pending defects", value, rose ?
		 "pending defects rose in the last 7 days" :
		 "there are pending defects, but not more than before");
}

void predict_scsi(struct risk *r, const struct predict_input *in)
{
	const struct series *defects, *uncorrected;
	unsigned int days;
	char value[48];

	risk_judged(r, RISK_MEDIA, in->sample->time);
	if (in->sample->passed == 0)
		risk_add(r, RISK_MEDIA, risk_score_of(P_FAILING), 0,
			 "SMART status", "FAILED",
			 "the drive says that it is failing");

	defects = &in->drive->series[TRACK_GROWN_DEFECTS];
	days = series_rises(defects, in->now, 30 * RISK_DAY);
	value_text(defects, in->now, value, sizeof(value));
	if (days >= 3)
		risk_add(r, RISK_MEDIA, risk_score_of(P_DEFECTS_OFTEN),
			 series_last_rise(defects), "grown defects", value,
			 "grown defects rose on %u of 30 days", days);
	else if (days)
		risk_add(r, RISK_MEDIA, risk_score_of(P_DEFECTS_ROSE),
			 series_last_rise(defects), "grown defects", value,
			 "grown defects rose in the last 30 days");

	uncorrected = &in->drive->series[TRACK_UNCORRECTED];
	value_text(uncorrected, in->now, value, sizeof(value));
	if (series_rises(uncorrected, in->now, 30 * RISK_DAY))
		risk_add(r, RISK_MEDIA, risk_score_of(P_UNCORRECTED_ROSE),
			 series_last_rise(uncorrected), "uncorrected errors",
			 value, "uncorrected errors rose in the last 30 days");
	pending(r, in);
}
