// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ATA disks with platters: what the trained model says, beside the hazard table.
 *
 * The table knows states; the model knows how much, how often and how long ago,
 * and what became of such disks of that model.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/predict/predict.h"
#include "lib/model-file.h"

#define WORTH_TELLING	0.003	/* of failing in 30 days; most disks are below */
#define REASONS		3
#define REASON_LEAST	0.1	/* in the margin; less is no reason */

/* The series of the agent as the trainer's tracks; for free(). */
static struct ads_point *tracks_of(const struct drive *d,
				   struct ads_feat_in *in)
{
	struct ads_point *all = calloc((size_t)ADS_FEAT_ATTRS * SERIES_MAX,
				       sizeof(*all));

	memset(in->track, 0, sizeof(in->track));
	for (int t = 0; t < TRACK_NR && all; t++) {
		const struct series *s = &d->series[t];
		int attr = ads_feat_attr_of(track_info[t].code);
		struct ads_point *p;

		if (attr < 0 || !s->known)
			continue;
		p = all + (size_t)attr * SERIES_MAX;
		for (unsigned int i = 0; i < s->nr && i < SERIES_MAX; i++)
			p[i] = (struct ads_point){ s->day[i].time,
						   (double)s->day[i].value };
		in->track[attr] = (struct ads_track){ p, s->nr };
	}
	return all;
}

struct reason {
	int feature;
	double part;
};

static int compare(const void *a, const void *b)
{
	const struct reason *x = a, *y = b;

	if (x->part != y->part)
		return x->part < y->part ? 1 : -1;
	return x->feature - y->feature;
}

/* "pending sectors (197): 16 more in 30 days; 2 kinds of errors" */
static void evidence(const struct ads_model *m, const float *x, char *buf,
		     size_t size)
{
	struct reason why[ADS_FEAT_NR];
	double part[ADS_FEAT_NR], rest;
	char text[80];
	size_t n = 0;

	ads_model_explain(m, x, part, &rest);
	for (int i = 0; i < ADS_FEAT_NR; i++)
		why[i] = (struct reason){ i, part[i] };
	qsort(why, ADS_FEAT_NR, sizeof(why[0]), compare);
	buf[0] = 0;
	for (int i = 0; i < REASONS && why[i].part >= REASON_LEAST; i++) {
		ads_feat_text(why[i].feature, x[why[i].feature], text,
			      sizeof(text));
		n += snprintf(buf + n, size - n, "%s%s", n ? "; " : "", text);
		if (n >= size)
			return;
	}
}

/* The last of all changes that it looks at. */
static int64_t last_change(const struct drive *d)
{
	int64_t last = 0, t;

	for (int i = 0; i < TRACK_NR; i++) {
		if (ads_feat_attr_of(track_info[i].code) < 0)
			continue;
		t = series_last_rise(&d->series[i]);
		last = t > last ? t : last;
	}
	return last;
}

void predict_trees(struct risk *r, const struct predict_input *in)
{
	const struct ads_model *m = in->model;
	struct ads_feat_in f;
	struct ads_point *points;
	float x[ADS_FEAT_NR], margin;
	double p[RISK_HORIZONS];
	char value[48], why[160];

	/* it has never seen a disk without platters */
	if (!m || in->sample->rotation == 0)
		return;
	points = tracks_of(in->drive, &f);
	if (!points)
		return;
	f.capacity = in->sample->capacity ? (double)in->sample->capacity : NAN;
	f.hazard = ads_model_hazard(&m->hazards, in->drive->model);
	ads_feat(&f, in->now, x);
	free(points);
	margin = ads_model_margin(m, x);
	p[RISK_7_DAYS] = ads_model_probability(m, margin, ADS_WITHIN_7);
	p[RISK_30_DAYS] = ads_model_probability(m, margin, ADS_WITHIN_30);
	p[RISK_90_DAYS] = ads_model_probability(m, margin, ADS_WITHIN_90);
	risk_likely(r, RISK_MEDIA, p);
	if (p[RISK_30_DAYS] < WORTH_TELLING)
		return;
	snprintf(value, sizeof(value), "%.1f %% in 7 days, %.1f in 30, %.0f in 90",
		 100 * p[RISK_7_DAYS], 100 * p[RISK_30_DAYS],
		 100 * p[RISK_90_DAYS]);
	evidence(m, x, why, sizeof(why));
	risk_add(r, RISK_MEDIA, risk_score_of(p[RISK_30_DAYS]),
		 last_change(in->drive),
		 "trained model", value, "%.1f %% of such drives fail in a month: %s",
		 100 * p[RISK_30_DAYS], why[0] ? why : "nothing in particular");
}
