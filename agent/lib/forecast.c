// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/forecast-priv.h"
#include "lib/forecast.h"

#define CLIP		1.2	/* of the most that was seen */
#define SHARPNESS	8	/* how much better forecasters count more */
#define SOFTEN		0.05	/* of the usual error: none of them is perfect */
#define LOOK_BACK	2	/* days by which forecasters are judged */
#define FEWEST_SEEN	10	/* of its forecasts, before a range is known */

const char *ads_forecaster_name(enum ads_forecaster f)
{
	static const char *const names[ADS_FORECASTERS] = {
		[ADS_FC_NAIVE] = "naive", [ADS_FC_FAST] = "ewma-fast",
		[ADS_FC_LEVEL] = "ewma", [ADS_FC_SLOW] = "ewma-slow",
		[ADS_FC_DAY] = "seasonal-naive", [ADS_FC_DAYS] = "time-of-day",
		[ADS_FC_WEEK] = "weekly", [ADS_FC_WINTERS] = "holt-winters",
		[ADS_FC_REGRESSION] = "seasonal-ar",
		[ADS_FC_RECENT] = "seasonal-ar-recent",
		[ADS_FC_CHANGES] = "arima", [ADS_FC_MIDDLE] = "median",
	};

	return names[f];
}

/* What is kept while the series is walked through once. */
struct walk {
	const double *y;
	size_t nr;
	unsigned int season, horizon;
	double *z;		/* log(1 + y), gaps filled with what was before */
	double *sum;		/* of z[0..i) */
	double *sorted;		/* the z so far */
	double *year;		/* Holt-Winters: by time of day */
	double most, usual;	/* of y so far; mean step from one to the next */
	double average[3], level, trend;
	struct ridge ridge[3];
	size_t start;		/* first origin that is forecast */
	double (*said)[ADS_FORECASTERS];	/* [origin - start], in logs */
	double *blend;		/* what became of it */
	double *limit;
};

static const double forget[3] = { 0.5, 0.3, 0.1 };

static double mean_of(const struct walk *w, size_t end, size_t n)
{
	n = n < end ? n : end;
	return n ? (w->sum[end] - w->sum[end - n]) / (double)n : 0;
}

/* The last known step of the time of day that step @target is of. */
static bool same_time(const struct walk *w, size_t known, size_t target,
		      unsigned int period, size_t *at)
{
	size_t back = ((target - known) / period + 1) * period;

	if (target < back)
		return false;
	*at = target - back;
	return true;
}

/*
 * What a regression is told at origin @t (z[0..t) is known) of step @target: the
 * last hours, and the time of day in the days before. Those of differences get
 * all of it relative to now.
 */
static bool regressors(const struct walk *w, size_t t, double x[RIDGE_MAX])
{
	size_t target = t + w->horizon - 1, day, n = 0;

	if (t < 4 || !same_time(w, t, target, w->season, &day))
		return false;
	for (size_t i = 1; i <= 4; i++)
		x[n++] = w->z[t - i];
	x[n++] = mean_of(w, t, w->season / 8 ? w->season / 8 : 1);
	x[n++] = mean_of(w, t, w->season / 4 ? w->season / 4 : 1);
	x[n++] = mean_of(w, t, w->season);
	x[n++] = w->z[day ? day - 1 : day];
	x[n++] = w->z[day];
	x[n++] = w->z[day + 1 < t ? day + 1 : day];
	x[n++] = w->z[day >= w->season ? day - w->season : day];
	return true;
}

static void relative(double x[RIDGE_MAX], unsigned int nr, double now)
{
	for (unsigned int i = 0; i < nr; i++)
		x[i] -= now;
	/* the first one is now itself: how high it is pulls it back */
	x[0] = now;
}

/* Step @t - 1 has become known: what was it that foretold it? */
static void learn(struct walk *w, size_t t)
{
	double x[RIDGE_MAX] = { 0 }, now;
	size_t origin;

	if (t < w->horizon + 1 || isnan(w->y[t - 1]))
		return;
	origin = t - w->horizon;
	if (!regressors(w, origin, x))
		return;
	ridge_add(&w->ridge[0], x, w->z[t - 1]);
	ridge_add(&w->ridge[1], x, w->z[t - 1]);
	now = w->z[origin - 1];
	relative(x, w->ridge[2].nr, now);
	ridge_add(&w->ridge[2], x, w->z[t - 1] - now);
}

static void winters(struct walk *w, size_t i)
{
	double was = w->level, *year = &w->year[i % w->season], z = w->z[i];

	if (i < w->season) {
		/* the first day tells the level, and then the time of day */
		w->level = mean_of(w, i + 1, i + 1);
		if (i == w->season - 1)
			for (size_t k = 0; k < w->season; k++)
				w->year[k] = w->z[k] - w->level;
		return;
	}
	w->level = 0.25 * (z - *year) + 0.75 * (w->level + 0.9 * w->trend);
	w->trend = 0.02 * (w->level - was) + 0.98 * 0.9 * w->trend;
	*year = 0.2 * (z - w->level) + 0.8 * *year;
}

/* Takes in y[i]. */
static void see(struct walk *w, size_t i)
{
	double z, step = i ? fabs(w->y[i] - w->y[i - 1]) : NAN;
	size_t low = 0, high = i;

	z = !isnan(w->y[i]) ? log1p(w->y[i]) : i ? w->z[i - 1] : 0;
	w->z[i] = z;
	w->sum[i + 1] = w->sum[i] + z;
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (w->sorted[mid] < z)
			low = mid + 1;
		else
			high = mid;
	}
	memmove(w->sorted + low + 1, w->sorted + low,
		(i - low) * sizeof(*w->sorted));
	w->sorted[low] = z;
	if (w->y[i] > w->most)
		w->most = w->y[i];
	if (!isnan(step))
		w->usual += (step - w->usual) / (double)(i + 1);
	for (int a = 0; a < 3; a++)
		w->average[a] = i ? w->average[a] +
				    forget[a] * (z - w->average[a]) : z;
	winters(w, i);
	learn(w, i + 1);
}

/* All days, a little of the steps around, each day counting less. */
static double days(const struct walk *w, size_t t, size_t day)
{
	static const double around[] = { 0.4, 0.7, 1, 0.7, 0.4 };
	double sum = 0, weight = 0, fade = 1;

	for (;;) {
		for (int i = -2; i <= 2; i++) {
			size_t at = day + i;

			if ((i < 0 && day < (size_t)-i) || at >= t)
				continue;
			sum += fade * around[i + 2] * w->z[at];
			weight += fade * around[i + 2];
		}
		if (day < w->season || fade < 0.01)
			return sum / weight;
		day -= w->season;
		fade *= 0.7;
	}
}

/* What each forecaster says at origin @t, in logs. */
static void ask(struct walk *w, size_t t, double out[ADS_FORECASTERS])
{
	size_t target = t + w->horizon - 1, day, week;
	double x[RIDGE_MAX] = { 0 }, now = w->z[t - 1], damp = 1, drift = 0;

	for (int m = 0; m < ADS_FORECASTERS; m++)
		out[m] = NAN;
	out[ADS_FC_NAIVE] = now;
	for (int a = 0; a < 3; a++)
		out[ADS_FC_FAST + a] = w->average[a];
	out[ADS_FC_MIDDLE] = t % 2 ? w->sorted[t / 2] :
			     (w->sorted[t / 2 - 1] + w->sorted[t / 2]) / 2;
	if (same_time(w, t, target, w->season, &day)) {
		out[ADS_FC_DAY] = w->z[day];
		out[ADS_FC_DAYS] = days(w, t, day);
	}
	if (same_time(w, t, target, 7 * w->season, &week))
		out[ADS_FC_WEEK] = w->z[week];
	if (t > w->season) {
		for (unsigned int i = 0; i < w->horizon && damp > 1e-6; i++) {
			damp *= 0.9;
			drift += damp * w->trend;
		}
		out[ADS_FC_WINTERS] = w->level + drift +
				      w->year[target % w->season];
	}
	if (regressors(w, t, x)) {
		double v;

		for (int i = 0; i < 2; i++)
			if (ridge_ask(&w->ridge[i], x, &v))
				out[ADS_FC_REGRESSION + i] = v;
		relative(x, w->ridge[2].nr, now);
		if (ridge_ask(&w->ridge[2], x, &v))
			out[ADS_FC_CHANGES] = now + v;
	}
	for (int m = 0; m < ADS_FORECASTERS; m++)
		if (!isnan(out[m]))
			out[m] = fmin(fmax(out[m], 0), log1p(CLIP * w->most));
}

/* How far off each was, of the forecasts whose step is known at @t. */
static void errors(const struct walk *w, size_t t, double out[ADS_FORECASTERS])
{
	size_t back = (size_t)LOOK_BACK * w->season;
	size_t first = t > back ? t - back : 0;

	if (first < w->start)
		first = w->start;
	for (int m = 0; m < ADS_FORECASTERS; m++) {
		double sum = 0, weight = 0;

		for (size_t u = first; u + w->horizon <= t; u++) {
			double y = w->y[u + w->horizon - 1], f;
			double said = w->said[u - w->start][m];

			if (isnan(y) || isnan(said))
				continue;
			f = exp2(-(double)(t - u - w->horizon) / (double)back);
			sum += f * fabs(expm1(said) - y);
			weight += f;
		}
		out[m] = weight > 0 ? sum / weight : NAN;
	}
}

static void blend(struct walk *w, size_t t, struct ads_forecast *out)
{
	const double *said = w->said[t - w->start];
	double off[ADS_FORECASTERS], best = INFINITY, sum = 0, all = 0, soft;

	errors(w, t, off);
	for (int m = 0; m < ADS_FORECASTERS; m++)
		if (!isnan(said[m]) && off[m] < best)
			best = off[m];
	soft = SOFTEN * (w->usual > 0 ? w->usual : 1);
	for (int m = 0; m < ADS_FORECASTERS; m++) {
		double weight = 0;

		if (isinf(best))
			weight = !isnan(said[m]);
		else if (!isnan(said[m]) && !isnan(off[m]))
			weight = pow((best + soft) / (off[m] + soft), SHARPNESS);
		out->weight[m] = weight;
		all += weight;
		if (weight > 0)
			sum += weight * said[m];
	}
	for (int m = 0; m < ADS_FORECASTERS; m++) {
		out->weight[m] /= all;
		out->member[m] = isnan(said[m]) ? NAN : expm1(said[m]);
	}
	w->blend[t - w->start] = sum / all;
	out->value = expm1(sum / all);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* By how far off its own forecasts were. */
static void range(const struct walk *w, size_t t, double *off,
		  struct ads_forecast *out)
{
	size_t back = (size_t)LOOK_BACK * w->season, n = 0;
	size_t first = t > back ? t - back : 0;
	double z = w->blend[t - w->start];

	if (first < w->start)
		first = w->start;
	for (size_t u = first; u + w->horizon <= t; u++)
		if (!isnan(w->y[u + w->horizon - 1]))
			off[n++] = w->z[u + w->horizon - 1] -
				   w->blend[u - w->start];
	if (n < FEWEST_SEEN) {
		out->low = 0;
		out->high = CLIP * w->most;
		return;
	}
	qsort(off, n, sizeof(*off), compare);
	out->low = fmin(expm1(fmax(z + off[n / 10], 0)), out->value);
	out->high = fmin(expm1(z + off[n - 1 - n / 10]), CLIP * w->most);
	out->high = fmax(out->high, out->value);
}

static bool room(struct walk *w)
{
	size_t origins = w->nr + 1 - w->start;

	w->z = calloc(w->nr + 1, sizeof(*w->z));
	w->sum = calloc(w->nr + 2, sizeof(*w->sum));
	w->sorted = calloc(w->nr + 2, sizeof(*w->sorted));
	w->year = calloc(w->season, sizeof(*w->year));
	w->said = calloc(origins, sizeof(*w->said));
	w->blend = calloc(origins, sizeof(*w->blend));
	w->limit = calloc(origins, sizeof(*w->limit));
	return w->z && w->sum && w->sorted && w->year && w->said && w->blend &&
	       w->limit;
}

int ads_forecast_rolling(const double *y, size_t nr, unsigned int season,
			 unsigned int horizon, size_t from,
			 struct ads_forecast *out)
{
	struct walk w = {
		.y = y, .nr = nr, .season = season, .horizon = horizon,
		.ridge = {
			{ .nr = 11, .forget = 1, .pull = 0.1 },
			{ .nr = 11, .forget = exp2(-1.0 / (2.0 * season)),
			  .pull = 0.3 },
			{ .nr = 11, .forget = 1, .pull = 0.3 },
		},
	};
	size_t back = 2 * (size_t)LOOK_BACK * season + 2 * (size_t)horizon;
	int r = 0;

	if (!season || season > ADS_FC_MAX_SEASON || !horizon || from > nr)
		return -EINVAL;
	if (from < ADS_FC_MIN_POINTS)
		return -ENODATA;
	for (size_t i = 0; i < nr; i++)
		if (y[i] < 0 || isinf(y[i]))
			return -EINVAL;
	w.start = from > back + ADS_FC_MIN_POINTS ? from - back :
						   ADS_FC_MIN_POINTS;
	if (!room(&w))
		r = -ENOMEM;
	for (size_t t = 1; t <= nr && !r; t++) {
		struct ads_forecast f;

		see(&w, t - 1);
		if (t < w.start)
			continue;
		ask(&w, t, w.said[t - w.start]);
		blend(&w, t, &f);
		if (t < from)
			continue;
		range(&w, t, w.limit, &f);
		out[t - from] = f;
	}
	free(w.z);
	free(w.sum);
	free(w.sorted);
	free(w.year);
	free(w.said);
	free(w.blend);
	free(w.limit);
	return r;
}

int ads_forecast(const double *y, size_t nr, unsigned int season,
		 unsigned int horizon, struct ads_forecast *out)
{
	return ads_forecast_rolling(y, nr, season, horizon, nr, out);
}
