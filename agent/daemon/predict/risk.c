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

void risk_fuse(struct risk *r)
{
	r->score = fuse(r, NULL, &r->mode);
	qsort(r->reason, r->nr, sizeof(r->reason[0]), compare);
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
int risk_score_of(double p)
{
	static const struct { double p, score; } knot[] = {
		{ .001, 5 }, { .0055, 25 }, { .0116, 40 }, { .028, 55 },
		{ .105, 70 }, { .22, 80 }, { .5, 90 }, { .85, 97 },
		{ .99, 100 },
	};
	const int n = sizeof(knot) / sizeof(knot[0]);
	double x, a, b;

	if (!(p > 0))
		return 0;
	if (p <= knot[0].p)
		return (int)lround(knot[0].score * p / knot[0].p);
	if (p >= knot[n - 1].p)
		return 100;
	x = log(p / (1 - p));
	for (int i = 1; i < n; i++) {
		if (p > knot[i].p)
			continue;
		a = log(knot[i - 1].p / (1 - knot[i - 1].p));
		b = log(knot[i].p / (1 - knot[i].p));
		return (int)lround(knot[i - 1].score + (x - a) / (b - a) *
				   (knot[i].score - knot[i - 1].score));
	}
	return 100;
}
