/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loads by half hours, made or recorded, and what is forecast of them.
 *
 * A volume is a range of segments whose load rises and falls together; each of its
 * segments has a fixed share of it. A week before the beginning is there too, for
 * the forecasts to have something to go by.
 */
#ifndef SIM_VOLUME_H
#define SIM_VOLUME_H

#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"
#include "sim/scenario.h"

#define SIM_STEP	1800	/* seconds */
#define SIM_DAY_STEPS	48
#define SIM_BEFORE	(7 * SIM_DAY_STEPS)

enum { FORECAST_NEXT, FORECAST_3H, FORECAST_DAY, FORECASTS };

struct volume {
	uint32_t first, count;	/* segments */
	float *share;		/* of each; their sum is 1 */
	double *mibs;		/* per step; [SIM_BEFORE] is the beginning */
	size_t nr;
	double per_mib;		/* accesses of a MiB */
	/* what was foreseen for a step: the middle, and how far up one of ten
	 * goes */
	float *middle[FORECASTS], *up[FORECASTS];
};

struct volumes {
	struct volume *v;
	uint32_t nr;
};

/* Recorded ones, of files in a folder (or one file), scaled to a mean of 1. */
struct traces {
	double **y;
	size_t *nr;
	uint32_t count;
};
int traces_read(const char *path, struct traces *t, struct ads_err *err);
void traces_free(struct traces *t);

/* For @segs segments. @t may be NULL if the scenario wants none. */
int volumes_make(const struct scenario *sc, uint32_t segs,
		 const struct traces *t, struct volumes *v,
		 struct ads_err *err);
void volumes_free(struct volumes *v);

static inline double volume_now(const struct volume *v, size_t step)
{
	step += SIM_BEFORE;
	step = step < v->nr ? step : v->nr - 1;
	return v->mibs[step] > 0 ? v->mibs[step] : 0;	/* NaN too */
}

#endif
