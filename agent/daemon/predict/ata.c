// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ATA: the hazard table.
 *
 * Each row is a state that a drive may be in and how many of the drives seen in
 * that state failed within 30 days. Measured on 70,000 drives of a public fleet
 * in two periods, 2014-01..2015-08 and 2015-10..2016-08 (weekly states); the
 * probability used is the geometric mean of both, the exceptions say so. The
 * drive's probability is that of its worst state.
 */
#include <math.h>
#include <stdio.h>

#include "daemon/predict/predict.h"

#define DAYS(n)	((n) * RISK_DAY)

/*							  first, second period */
#define P_NOTHING		0.0012			/* .0014 .0010 */
#define P_TIMEOUT_STABLE	0.0062			/* .0067 .0057 */
#define P_TIMEOUT_ROSE		0.0143			/* .012  .017  */
#define P_REALLOC_STABLE	0.0075			/* .0073 .0078 */
/* .123 .086, but most of it is in the rows below: what is left is less */
#define P_REALLOC_ROSE		0.060
#define P_REALLOC_OFTEN		0.103			/* .126  .084  */
#define P_REALLOC_MANY		0.185			/* .220  .155  */
#define P_UNCORR_STABLE		0.033			/* .047  .023  */
#define P_UNCORR_ROSE		0.261			/* .275  .247  */
#define P_PENDING_STABLE	0.061			/* .073  .051  */
#define P_PENDING_MANY		0.243			/* .227  .260  */
#define P_PENDING_ROSE		0.303			/* .260  .352  */
#define P_OFFLINE_ROSE		0.358			/* .322  .397  */
#define P_PENDING_REALLOC	0.356			/* .359  .353  */
#define P_PENDING_UNCORR	0.453			/* .422  .487  */
#define P_TWO_KINDS		0.0765			/* .076  .077  */
#define P_THREE_KINDS		0.190			/* .220  .164  */
#define P_SPIN_RETRY		0.010			/* .020  .000, few */
#define P_FAILING		0.9	/* the drive says so; not measured */

#define PENDING_MANY	16
#define REALLOC_MANY	100

static void hit(struct risk *r, double p, int64_t since, const char *factor,
		const char *value, const char *state)
{
	int percent = (int)lround(p * 100);
	double horizons[RISK_HORIZONS];

	risk_horizons(p, horizons);
	risk_likely(r, RISK_MEDIA, horizons);
	if (percent < 1)
		risk_add(r, RISK_MEDIA, risk_score_of(p), since, factor, value,
			 "%s: fewer than 1 %% of such drives fail in a month",
			 state);
	else
		risk_add(r, RISK_MEDIA, risk_score_of(p), since, factor, value,
			 "%s: %d %% of such drives fail in a month", state,
			 percent);
}

/* A finding about one counter: "24, was 8 a week ago". */
static void hit_track(struct risk *r, const struct predict_input *in, double p,
		      enum track t, const char *what)
{
	const struct series *s = &in->drive->series[t];
	uint64_t grown = series_grown(s, in->now, DAYS(30));
	char state[96], value[48];
	int64_t since = series_last_rise(s);

	if (grown)
		snprintf(value, sizeof(value), "%llu, rose by %llu in 30 days",
			 (unsigned long long)s->value,
			 (unsigned long long)grown);
	else
		snprintf(value, sizeof(value), "%llu",
			 (unsigned long long)s->value);
	snprintf(state, sizeof(state), "%s %s", track_info[t].name, what);
	hit(r, p, since ? since : s->first, track_info[t].name, value, state);
}

static uint64_t value_of(const struct drive *d, enum track t)
{
	return d->series[t].known ? d->series[t].value : 0;
}

static bool rose(const struct predict_input *in, enum track t, int days)
{
	return series_rises(&in->drive->series[t], in->now, DAYS(days)) > 0;
}

static void reallocated(struct risk *r, const struct predict_input *in)
{
	const struct series *s = &in->drive->series[TRACK_REALLOCATED];

	if (series_grown(s, in->now, DAYS(30)) >= REALLOC_MANY)
		hit_track(r, in, P_REALLOC_MANY, TRACK_REALLOCATED,
			  "grew by 100 or more in 30 days");
	else if (series_rises(s, in->now, DAYS(30)) >= 3)
		hit_track(r, in, P_REALLOC_OFTEN, TRACK_REALLOCATED,
			  "rose on 3 or more of 30 days");
	else if (rose(in, TRACK_REALLOCATED, 7))
		hit_track(r, in, P_REALLOC_ROSE, TRACK_REALLOCATED,
			  "rose in the last 7 days");
	else if (s->known && s->value)
		hit_track(r, in, P_REALLOC_STABLE, TRACK_REALLOCATED,
			  "there are, but not more than before");
}

static void pending(struct risk *r, const struct predict_input *in)
{
	uint64_t v = value_of(in->drive, TRACK_PENDING);
	bool rises = rose(in, TRACK_PENDING, 7);

	if (rises && rose(in, TRACK_UNCORRECTABLE, 30))
		hit_track(r, in, P_PENDING_UNCORR, TRACK_PENDING,
			  "rose, and uncorrectable errors too");
	else if (rises && rose(in, TRACK_REALLOCATED, 30))
		hit_track(r, in, P_PENDING_REALLOC, TRACK_PENDING,
			  "rose, and reallocated sectors too");
	else if (rises)
		hit_track(r, in, P_PENDING_ROSE, TRACK_PENDING,
			  "rose in the last 7 days");
	if (v >= PENDING_MANY)
		hit_track(r, in, P_PENDING_MANY, TRACK_PENDING,
			  "are 16 or more");
	else if (v && !rises)
		hit_track(r, in, P_PENDING_STABLE, TRACK_PENDING,
			  "there are, but not more than before");
}

static void others(struct risk *r, const struct predict_input *in)
{
	if (rose(in, TRACK_UNCORRECTABLE, 7))
		hit_track(r, in, P_UNCORR_ROSE, TRACK_UNCORRECTABLE,
			  "rose in the last 7 days");
	else if (value_of(in->drive, TRACK_UNCORRECTABLE))
		hit_track(r, in, P_UNCORR_STABLE, TRACK_UNCORRECTABLE,
			  "there were, but not more than before");
	if (rose(in, TRACK_TIMEOUT, 7))
		hit_track(r, in, P_TIMEOUT_ROSE, TRACK_TIMEOUT,
			  "rose in the last 7 days");
	else if (value_of(in->drive, TRACK_TIMEOUT))
		hit_track(r, in, P_TIMEOUT_STABLE, TRACK_TIMEOUT,
			  "there were, but not more than before");
	if (rose(in, TRACK_OFFLINE, 7))
		hit_track(r, in, P_OFFLINE_ROSE, TRACK_OFFLINE,
			  "rose in the last 7 days");
	if (value_of(in->drive, TRACK_SPIN_RETRY))
		hit_track(r, in, P_SPIN_RETRY, TRACK_SPIN_RETRY, "there were");
}

static void kinds(struct risk *r, const struct predict_input *in)
{
	static const enum track five[] = {
		TRACK_REALLOCATED, TRACK_UNCORRECTABLE, TRACK_TIMEOUT,
		TRACK_PENDING, TRACK_OFFLINE,
	};
	char value[48];
	int n = 0;

	for (unsigned int i = 0; i < sizeof(five) / sizeof(five[0]); i++)
		n += value_of(in->drive, five[i]) > 0;
	if (n < 2)
		return;
	snprintf(value, sizeof(value), "%d of 5", n);
	if (n == 2)
		hit(r, P_TWO_KINDS, 0, "kinds of errors", value,
		    "two of the counters 5, 187, 188, 197, 198 are not zero");
	else
		hit(r, P_THREE_KINDS, 0, "kinds of errors", value,
		    "three or more of the counters 5, 187, 188, 197, 198 are not zero");
}

static void verdict(struct risk *r, const struct predict_input *in)
{
	const struct smart_sample *s = in->sample;
	char factor[48], value[48];

	if (s->passed == 0)
		hit(r, P_FAILING, 0, "SMART status", "FAILED",
		    "the drive says that it is failing");
	for (unsigned int i = 0; i < s->nr_attrs; i++) {
		const struct smart_attr *a = &s->attr[i];

		/* temperatures at their threshold are thermal's */
		if (!a->failing || !a->prefail || a->id == 190 || a->id == 194)
			continue;
		snprintf(factor, sizeof(factor), "attribute %u", a->id);
		snprintf(value, sizeof(value), "%u, threshold %u", a->value,
			 a->thresh);
		hit(r, P_FAILING, 0, factor, value,
		    "a prefail attribute is at its threshold");
	}
}

void predict_ata(struct risk *r, const struct predict_input *in)
{
	double nothing[RISK_HORIZONS];

	risk_judged(r, RISK_MEDIA, in->sample->time);
	r->part[RISK_MEDIA].score = risk_score_of(P_NOTHING);
	risk_horizons(P_NOTHING, nothing);
	risk_likely(r, RISK_MEDIA, nothing);
	verdict(r, in);
	reallocated(r, in);
	pending(r, in);
	others(r, in);
	kinds(r, in);
}
