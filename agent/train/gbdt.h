/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Gradient-boosted trees by XGBoost: the one place that knows the library.
 */
#ifndef TRAIN_GBDT_H
#define TRAIN_GBDT_H

#include "lib/model-file.h"

struct gbdt_params {
	int rounds, depth, parallel;
	double eta, lambda, gamma, min_weight, columns, rows;
	unsigned int seed;
};
extern const struct gbdt_params gbdt_defaults;

/* @nr rows of ADS_FEAT_NR floats, NaN where nothing is known. */
struct gbdt_data {
	const float *x, *label, *weight;
	const float *margin;	/* what is said before the first tree, or NULL */
	size_t nr;
};

/*
 * Grows trees and puts them into @m (roots, nodes, base). With d->margin they are
 * put behind those that @m has, whose sum these margins are. With @predicted, of
 * @nr numbers, also what the library itself says of the rows.
 */
int gbdt_grow(const struct gbdt_data *d, const struct gbdt_params *p,
	      struct ads_model *m, float *predicted, struct ads_err *err);

/* The trees out of the library's own form, JSON. */
int gbdt_convert(const char *json, size_t len, struct ads_model *m,
		 struct ads_err *err);

#endif
