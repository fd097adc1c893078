// SPDX-License-Identifier: GPL-2.0-or-later
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/predict/risk.h"

const char *risk_mode_name(enum risk_mode mode)
{
	static const char *const names[RISK_MODES] = {
		[RISK_MEDIA] = "media",
		[RISK_WEAR] = "wear",
		[RISK_INTERFACE] = "interface",
		[RISK_THERMAL] = "thermal",
		[RISK_ERRORS] = "errors",
		[RISK_SLOW] = "fail-slow",
	};

	return names[mode];
}

const char *risk_warning_name(enum risk_mode mode)
{
	static const char *const names[RISK_MODES] = {
		[RISK_MEDIA] = "media",
		[RISK_WEAR] = "wear-out",
		[RISK_INTERFACE] = "interface",
		[RISK_THERMAL] = "thermal",
		[RISK_ERRORS] = "io-errors",
		[RISK_SLOW] = "fail-slow",
	};

	return names[mode];
}

void risk_init(struct risk *r)
{
	memset(r, 0, sizeof(*r));
	r->score = -1;
}

void risk_judged(struct risk *r, enum risk_mode mode, int64_t time)
{
	r->part[mode].known = true;
	r->part[mode].time = time;
}

static struct risk_reason *place_for(struct risk *r, int points)
{
	struct risk_reason *least = &r->reason[0];

	if (r->nr < RISK_MAX_REASONS)
		return &r->reason[r->nr++];
	for (unsigned int i = 1; i < r->nr; i++)
		if (r->reason[i].points < least->points)
			least = &r->reason[i];
	return least->points < points ? least : NULL;
}

void risk_add(struct risk *r, enum risk_mode mode, int points, int64_t since,
	      const char *factor, const char *value, const char *text, ...)
{
	struct risk_reason *p = place_for(r, points);
	va_list ap;

	if (points > r->part[mode].score)
		r->part[mode].score = points;
	if (!p)
		return;
	memset(p, 0, sizeof(*p));
	p->mode = mode;
	p->points = points;
	p->since = since;
	snprintf(p->factor, sizeof(p->factor), "%s", factor);
	snprintf(p->value, sizeof(p->value), "%s", value);
	va_start(ap, text);
	vsnprintf(p->text, sizeof(p->text), text, ap);
	va_end(ap);
}

void risk_cap(struct risk *r, enum risk_mode mode, int cap)
{
	if (r->part[mode].score > cap)
		r->part[mode].score = cap;
	for (unsigned int i = 0; i < r->nr; i++)
		if (r->reason[i].mode == mode && r->reason[i].points > cap)
			r->reason[i].points = cap;
}

void risk_likely(struct risk *r, enum risk_mode mode,
		 const double p[RISK_HORIZONS])
{
	struct risk_part *part = &r->part[mode];

	part->measured = true;
	for (int h = 0; h < RISK_HORIZONS; h++)
		if (p[h] > part->p[h])
			part->p[h] = p[h];
}

void risk_share(struct risk *r, enum risk_mode mode, int percent,
		const char *what)
{
	struct risk_part *part = &r->part[mode];

	snprintf(part->shared, sizeof(part->shared), "%s", what);
	part->score = part->score * percent / 100;
	for (int h = 0; h < RISK_HORIZONS; h++)
		part->p[h] = part->p[h] * percent / 100;
	for (unsigned int i = 0; i < r->nr; i++)
		if (r->reason[i].mode == mode)
			r->reason[i].points = r->reason[i].points * percent /
					      100;
}

static int compare(const void *a, const void *b)
{
	const struct risk_reason *x = a, *y = b;

	if (x->points != y->points)
		return y->points - x->points;
	if (x->mode != y->mode)
		return (int)x->mode - (int)y->mode;
	return strcmp(x->factor, y->factor);
}

static int fuse(const struct risk *r, const int64_t *oldest,
		enum risk_mode *mode)
{
	int score = -1, more = 0;

	for (int m = 0; m < RISK_MODES; m++) {
		const struct risk_part *p = &r->part[m];

		if (!p->known || (oldest && p->time < oldest[m]))
			continue;
		more += p->score >= 50;
		if (p->score > score) {
			score = p->score;
			*mode = m;
		}
	}
	if (more > 1)
		score += 3 * (more - 1);
	return score > 100 ? 100 : score;
}

/* The score as a sum: the strongest finding, and 3 for each further mode. */
static void account(struct risk *r)
{
	int left = r->score > 0 ? r->score : 0;

	for (unsigned int i = 0; i < r->nr; i++)
		r->reason[i].counted = 0;
	for (unsigned int i = 0; i < r->nr; i++) {
		struct risk_reason *p = &r->reason[i];
		const struct risk_part *part = &r->part[p->mode];
		bool first = true;
		int n;

		for (unsigned int k = 0; k < i; k++)
			first &= r->reason[k].mode != p->mode;
		if (!first || !part->known || p->points < part->score)
			continue;
		n = p->mode == r->mode ? part->score : part->score >= 50 ? 3 : 0;
		p->counted = n < left ? n : left;
		left -= p->counted;
	}
	r->base = left;
}

void risk_fuse(struct risk *r)
{
	r->score = fuse(r, NULL, &r->mode);
	qsort(r->reason, r->nr, sizeof(r->reason[0]), compare);
	account(r);
	for (int m = 0; m < RISK_MODES; m++)
		if (r->part[m].known && !r->part[m].measured)
			risk_horizons(risk_p_of(r->part[m].score),
				      r->part[m].p);
}

int risk_fresh(const struct risk *r, const int64_t oldest[RISK_MODES],
	       int64_t *evidence)
{
	enum risk_mode mode = RISK_MEDIA;
	const struct risk_part *media = &r->part[RISK_MEDIA];
	int score = fuse(r, oldest, &mode);

	/* that no I/O fails says nothing of a drive that was not asked */
	if (score == 0 && (!media->known || media->time < oldest[RISK_MEDIA]))
		score = -1;
	*evidence = score < 0 ? 0 : r->part[mode].time;
	return score;
}

/*
 * Straight lines in logit(p) between the knots. What a score means follows: of
 * drives above 70, 41 % of those that fail in a month are caught at 0.2 % false
 * alarms a drive-month.
 */
static const struct { double p, score; } knot[] = {
	{ .001, 5 }, { .0055, 25 }, { .0116, 40 }, { .028, 55 },
	{ .105, 70 }, { .22, 80 }, { .5, 90 }, { .85, 97 }, { .99, 100 },
};
#define KNOTS	(int)(sizeof(knot) / sizeof(knot[0]))

static double logit(double p)
{
	return log(p / (1 - p));
}

/* Where @x is between @a and @b, on the way from @from to @to. */
static double between(double x, double a, double b, double from, double to)
{
	return from + (x - a) / (b - a) * (to - from);
}

int risk_score_of(double p)
{
	if (!(p > 0))
		return 0;
	if (p <= knot[0].p)
		return (int)lround(knot[0].score * p / knot[0].p);
	for (int i = 1; i < KNOTS; i++)
		if (p <= knot[i].p)
			return (int)lround(between(logit(p),
						   logit(knot[i - 1].p),
						   logit(knot[i].p),
						   knot[i - 1].score,
						   knot[i].score));
	return 100;
}

double risk_p_of(int score)
{
	if (score <= knot[0].score)
		return score > 0 ? knot[0].p * score / knot[0].score : 0;
	for (int i = 1; i < KNOTS; i++)
		if (score <= knot[i].score)
			return 1 / (1 + exp(-between(score, knot[i - 1].score,
						     knot[i].score,
						     logit(knot[i - 1].p),
						     logit(knot[i].p))));
	return knot[KNOTS - 1].p;
}

/*
 * Measured on the fleet that the model was trained with: disks that are about to
 * fail do so soon, while healthy ones take their time.
 */
void risk_horizons(double p30, double p[RISK_HORIZONS])
{
	static const double as[][RISK_HORIZONS] = {
		{ .00006, .0003, .0008 }, { .0003, .0015, .0053 },
		{ .0008, .0043, .0103 }, { .0025, .0119, .0403 },
		{ .0086, .0327, .086 }, { .0206, .0767, .197 },
		{ .0569, .1695, .357 }, { .118, .325, .497 },
		{ .239, .532, .60 }, { .473, .710, .75 }, { .642, .904, .93 },
	};
	const int n = sizeof(as) / sizeof(as[0]);
	int i = 1;

	for (int h = 0; h < RISK_HORIZONS; h++)
		p[h] = 0;
	if (!(p30 > 0))
		return;
	if (p30 > .999)
		p30 = .999;
	while (i < n - 1 && p30 > as[i][RISK_30_DAYS])
		i++;
	for (int h = 0; h < RISK_HORIZONS; h++) {
		double x = between(logit(p30), logit(as[i - 1][RISK_30_DAYS]),
				   logit(as[i][RISK_30_DAYS]),
				   logit(as[i - 1][h]), logit(as[i][h]));

		p[h] = 1 / (1 + exp(-x));
	}
	p[RISK_30_DAYS] = p30;
	/* beyond the ends the lines may cross */
	p[RISK_7_DAYS] = fmin(p[RISK_7_DAYS], p30);
	p[RISK_90_DAYS] = fmax(p[RISK_90_DAYS], p30);
}
