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
};

/*
 * Takes only what was known at @until: rows whose next 30 days are over by then,
 * values up to the row's own time. -ENODATA if there are too few failures.
 */
int train_model(const struct fleet *f, const struct train_options *o,
		struct ads_model **out, struct ads_err *err);

/* Rising curve from margins to logits of a share, out of rows that were seen. */
struct seen_row {
	float margin, weight;
	bool fails;
};
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
