// SPDX-License-Identifier: GPL-2.0-or-later
#include <math.h>

#include "lib/forecast-priv.h"

#define MIN_POINTS	24

void ridge_add(struct ridge *r, const double *x, double y)
{
	if (r->forget < 1) {
		r->weight *= r->forget;
		r->sum_y *= r->forget;
		for (unsigned int i = 0; i < r->nr; i++) {
			r->sum_x[i] *= r->forget;
			r->sum_xy[i] *= r->forget;
			for (unsigned int j = 0; j <= i; j++)
				r->sum_xx[i][j] *= r->forget;
		}
	}
	r->weight++;
	r->points++;
	r->sum_y += y;
	for (unsigned int i = 0; i < r->nr; i++) {
		r->sum_x[i] += x[i];
		r->sum_xy[i] += x[i] * y;
		for (unsigned int j = 0; j <= i; j++)
			r->sum_xx[i][j] += x[i] * x[j];
	}
}

/* Solves a b = b in place, by Cholesky; the lower half of a counts. */
static bool solve(double a[RIDGE_MAX][RIDGE_MAX], double *b, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		for (unsigned int j = 0; j <= i; j++) {
			double sum = a[i][j];

			for (unsigned int k = 0; k < j; k++)
				sum -= a[i][k] * a[j][k];
			if (i == j && !(sum > 1e-12))
				return false;
			a[i][j] = i == j ? sqrt(sum) : sum / a[j][j];
		}
	}
	for (unsigned int i = 0; i < n; i++) {
		for (unsigned int k = 0; k < i; k++)
			b[i] -= a[i][k] * b[k];
		b[i] /= a[i][i];
	}
	for (unsigned int i = n; i--;) {
		for (unsigned int k = i + 1; k < n; k++)
			b[i] -= a[k][i] * b[k];
		b[i] /= a[i][i];
	}
	return true;
}

bool ridge_ask(const struct ridge *r, const double *x, double *y)
{
	double a[RIDGE_MAX][RIDGE_MAX], b[RIDGE_MAX], mean[RIDGE_MAX];
	double sd[RIDGE_MAX], my;

	if (r->points < MIN_POINTS)
		return false;
	my = r->sum_y / r->weight;
	for (unsigned int i = 0; i < r->nr; i++) {
		double v;

		mean[i] = r->sum_x[i] / r->weight;
		v = r->sum_xx[i][i] / r->weight - mean[i] * mean[i];
		/* a regressor that never changes says nothing */
		sd[i] = v > 1e-9 ? sqrt(v) : 1;
	}
	for (unsigned int i = 0; i < r->nr; i++) {
		b[i] = (r->sum_xy[i] / r->weight - mean[i] * my) / sd[i];
		for (unsigned int j = 0; j <= i; j++)
			a[i][j] = (r->sum_xx[i][j] / r->weight -
				   mean[i] * mean[j]) / (sd[i] * sd[j]);
		a[i][i] += r->pull;
	}
	if (!solve(a, b, r->nr))
		return false;
	*y = my;
	for (unsigned int i = 0; i < r->nr; i++)
		*y += b[i] * (x[i] - mean[i]) / sd[i];
	return isfinite(*y);
}
