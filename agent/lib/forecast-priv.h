/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ridge regressions of a forecast, shared by its two files. */
#ifndef ADS_FORECAST_PRIV_H
#define ADS_FORECAST_PRIV_H

#include <stdbool.h>
#include <stddef.h>

#define RIDGE_MAX	12

/* Sums over what was seen; points may be added and old ones forgotten. */
struct ridge {
	unsigned int nr;	/* of regressors */
	double forget;		/* factor for each point that is added, or 1 */
	double pull;		/* towards the mean, relative to the points */
	double weight, sum_y, sum_x[RIDGE_MAX], sum_xy[RIDGE_MAX];
	double sum_xx[RIDGE_MAX][RIDGE_MAX];
	size_t points;
};

void ridge_add(struct ridge *r, const double *x, double y);
/* false: too few points. */
bool ridge_ask(const struct ridge *r, const double *x, double *y);

#endif
