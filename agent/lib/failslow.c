// SPDX-License-Identifier: GPL-2.0-or-later
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/failslow.h"

#define ROUNDS		5	/* of fitting and leaving out what is far off */
#define FAR_OFF		2.5	/* standard deviations, estimated by the MAD */
#define MAD_TO_SD	1.4826
/*
 * Three days that just reach the threshold among five are 0.6 of it on average
 * (in logs); what passes by itself looks like that.
 */
#define AVERAGE		0.75

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Of an array that is sorted by this. */
static double median(double *v, size_t nr)
{
	if (!nr)
		return NAN;
	qsort(v, nr, sizeof(*v), compare);
	return nr % 2 ? v[nr / 2] : (v[nr / 2 - 1] + v[nr / 2]) / 2;
}

static bool usable(const struct ads_slow_sample *s)
{
	return isfinite(s->latency) && s->latency > 0 &&
	       isfinite(s->throughput) && s->throughput >= 0;
}

static double x_of(const struct ads_slow_sample *s)
{
	return log1p((double)s->throughput);
}

static double usual(const struct ads_slow_curve *c, double x)
{
	x = x < c->low ? c->low : x > c->high ? c->high : x;
	x = (x - c->middle) / c->scale;
	return c->c[0] + x * (c->c[1] + x * (c->c[2] + x * c->c[3]));
}

/* Least squares by the normal equations; a little ridge for what is all equal. */
static bool cubic(const double *x, const double *y, const bool *in, size_t nr,
		  struct ads_slow_curve *c)
{
	double a[4][5] = { { 0 } };

	for (size_t i = 0; i < nr; i++) {
		double p[4] = { 1 }, z = (x[i] - c->middle) / c->scale;

		if (!in[i])
			continue;
		for (int j = 1; j < 4; j++)
			p[j] = p[j - 1] * z;
		for (int j = 0; j < 4; j++) {
			for (int k = 0; k < 4; k++)
				a[j][k] += p[j] * p[k];
			a[j][4] += p[j] * y[i];
		}
	}
	for (int j = 1; j < 4; j++)
		a[j][j] += 1e-6 * (a[0][0] + 1);
	for (int j = 0; j < 4; j++) {
		if (fabs(a[j][j]) < 1e-12)
			return false;
		for (int k = j + 1; k < 4; k++) {
			double f = a[k][j] / a[j][j];

			for (int l = j; l < 5; l++)
				a[k][l] -= f * a[j][l];
		}
	}
	for (int j = 4; j--;) {
		double sum = a[j][4];

		for (int k = j + 1; k < 4; k++)
			sum -= a[j][k] * c->c[k];
		c->c[j] = sum / a[j][j];
	}
	return isfinite(c->c[0] + c->c[1] + c->c[2] + c->c[3]);
}

static void middle_of(const double *x, size_t nr, struct ads_slow_curve *c)
{
	double sum = 0, square = 0;

	c->low = c->high = x[0];
	for (size_t i = 0; i < nr; i++) {
		sum += x[i];
		c->low = x[i] < c->low ? x[i] : c->low;
		c->high = x[i] > c->high ? x[i] : c->high;
	}
	c->middle = sum / (double)nr;
	for (size_t i = 0; i < nr; i++)
		square += (x[i] - c->middle) * (x[i] - c->middle);
	c->scale = sqrt(square / (double)nr);
	if (!(c->scale > 1e-9))
		c->scale = 1;
}

static bool fit(const struct ads_slow_sample *s, size_t nr, double *x,
		double *y, double *work, bool *in, struct ads_slow_curve *c)
{
	size_t n = 0, left;

	for (size_t i = 0; i < nr; i++) {
		if (!usable(&s[i]))
			continue;
		x[n] = x_of(&s[i]);
		y[n] = log((double)s[i].latency);
		in[n++] = true;
	}
	if (n < ADS_SLOW_MIN_SAMPLES)
		return false;
	memset(c, 0, sizeof(*c));
	c->samples = n;
	middle_of(x, n, c);
	for (int round = 0; round < ROUNDS; round++) {
		double off, spread;

		if (!cubic(x, y, in, n, c))
			return false;
		for (size_t i = 0; i < n; i++)
			work[i] = y[i] - usual(c, x[i]);
		off = median(work, n);
		for (size_t i = 0; i < n; i++)
			work[i] = fabs(y[i] - usual(c, x[i]) - off);
		spread = FAR_OFF * MAD_TO_SD * median(work, n);
		/* all on the line: nothing is far off */
		if (!(spread > 0))
			break;
		left = 0;
		for (size_t i = 0; i < n; i++) {
			in[i] = fabs(y[i] - usual(c, x[i]) - off) <= spread;
			left += in[i];
		}
		if (left < ADS_SLOW_MIN_SAMPLES)
			return false;
	}
	return true;
}

bool ads_slow_fit(const struct ads_slow_sample *s, size_t nr,
		  struct ads_slow_curve *out)
{
	double *x = malloc((3 * nr + 1) * sizeof(*x));
	bool *in = malloc(nr + 1);
	struct ads_slow_curve c;
	bool ok = x && in &&
		  fit(s, nr, x, x + nr, x + 2 * nr, in, &c);

	if (ok)
		*out = c;
	free(x);
	free(in);
	return ok;
}

double ads_slow_ratio(const struct ads_slow_curve *c,
		      const struct ads_slow_sample *s, size_t nr)
{
	double *off = malloc((nr + 1) * sizeof(*off)), m;
	size_t n = 0;

	if (!off)
		return NAN;
	for (size_t i = 0; i < nr; i++)
		if (usable(&s[i]))
			off[n++] = log((double)s[i].latency) -
				   usual(c, x_of(&s[i]));
	m = n < ADS_SLOW_MIN_SAMPLES ? NAN : exp(median(off, n));
	free(off);
	return m;
}

bool ads_slow_day(const struct ads_slow_sample *s, size_t nr,
		  unsigned int disks, double *ratio)
{
	struct ads_slow_sample *one = malloc((nr + 1) * sizeof(*one));
	size_t *count = calloc(disks + 1, sizeof(*count));
	struct ads_slow_curve c;
	unsigned int present = 0;

	for (unsigned int d = 0; d < disks; d++)
		ratio[d] = NAN;
	if (!one || !count) {
		free(one);
		free(count);
		return false;
	}
	for (size_t i = 0; i < nr; i++)
		if (s[i].disk < disks && usable(&s[i]))
			count[s[i].disk]++;
	for (unsigned int d = 0; d < disks; d++)
		present += count[d] >= ADS_SLOW_MIN_SAMPLES;
	if (present > ADS_SLOW_MIN_PEERS && ads_slow_fit(s, nr, &c)) {
		for (unsigned int d = 0; d < disks; d++) {
			size_t n = 0;

			for (size_t i = 0; i < nr; i++)
				if (s[i].disk == d)
					one[n++] = s[i];
			ratio[d] = ads_slow_ratio(&c, one, n);
		}
	}
	free(one);
	free(count);
	return true;
}

int ads_slow_verdict(const double *day, size_t nr, double threshold)
{
	double last[ADS_SLOW_WINDOW];
	size_t known = 0;

	for (size_t i = 0; i < nr; i++) {
		double sum = 0;
		size_t n;
		int slow = 0;

		if (!(day[i] > 0))
			continue;
		last[known++ % ADS_SLOW_WINDOW] = day[i];
		n = known < ADS_SLOW_WINDOW ? known : ADS_SLOW_WINDOW;
		for (size_t k = 0; k < n; k++) {
			slow += last[k] >= threshold;
			sum += log(last[k]);
		}
		if (slow >= ADS_SLOW_DAYS &&
		    sum >= (double)n * AVERAGE * log(threshold))
			return (int)i;
	}
	return -1;
}
