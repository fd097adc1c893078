/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a fleet to a model of which of its drives fail.
 */
#ifndef TRAIN_TRAIN_H
#define TRAIN_TRAIN_H

#include "train/fleet.h"
#include "train/gbdt.h"

#define LABEL_DAYS	30	/* what the trees learn to foresee */

struct train_options {
	int64_t until;		/* nothing later is known */
	int history;		/* days before it that count */
	struct gbdt_params trees;
	uint32_t without;	/* index of a model left out, plus one; 0: none */
	/*
	 * Instead of a beginning from nothing: what it says is corrected by what
	 * was seen here, as far as there was enough of it (BASE_FAILURES).
	 */
	const struct ads_model *base;
};

/*
 * Takes only what was known at @until: rows whose next 30 days are over by then,
 * values up to the row's own time. -ENODATA if there are too few failures, unless
 * there is a base.
 */
int train_model(const struct fleet *f, const struct train_options *o,
		struct ads_model **out, struct ads_err *err);

/* A row whose end is known. */
struct seen_row {
	float margin, weight;
	bool fails;
};

/*
 * What is done with a base, by the number of failures that were seen. Fewer say
 * something of hazards of models, but nothing of disks.
 */
#define BASE_FAILURES_SHIFT	5	/* its curves move up or down */
#define BASE_FAILURES_TREES	20	/* trees are added */
#define BASE_FAILURES_CURVES	100	/* curves and states are made anew */
#define BASE_FAILURES_ALONE	500	/* it is no longer needed */

/*
 * Moves a curve by as much as makes it say the share that was seen, less if that
 * is of few. Rows have margins that the curve is of.
 */
void shift_curve(struct ads_model *m, enum ads_model_horizon h,
		 const struct seen_row *rows, size_t nr);

/* Rising curve from margins to logits of a share, out of rows that were seen. */
uint32_t calibrate(struct seen_row *rows, size_t nr,
		   struct ads_model_knot knot[ADS_MODEL_MAX_KNOTS]);

/* A logistic score of states: weights in @cold. */
struct cold_row {
	uint32_t bits;
	float weight;
	bool fails;
};
int cold_fit(struct cold_row *rows, size_t nr,
	     float cold[ADS_COLD_STATES + 1], struct ads_err *err);

#endif
