/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How well failures are foreseen, month by month, without a look ahead.
 *
 * For each month of the calendar a drive that fails in it is detected if a score
 * of that month, from before it failed, reaches the threshold. A drive-month is a
 * false alarm if a score reaches it and the drive does not fail until 30 days
 * after the month. Months of drives that fail in these 30 days count neither way.
 * Drives are scored as rows.h says. Each month is judged by a model that was made
 * of what was known when it began: labels are closed 30 days before.
 */
#ifndef TRAIN_EVALUATE_H
#define TRAIN_EVALUATE_H

#include <stdio.h>

#include "train/rules.h"
#include "train/train.h"

struct evaluate_options {
	int64_t from, to;		/* the first second, and that after */
	int64_t train_until;		/* one model for all; 0: one each month */
	const struct ads_model *model;	/* a given one instead, or NULL */
	struct train_options train;	/* but for .until */
	/*
	 * Each model of drives of which enough fail is judged by itself, by what
	 * was made of all others.
	 */
	bool leave_family_out;
	bool few;	/* that nothing fails is no error */
	bool verbose;			/* what goes on, to stderr */
};

#define EVALUATE_RATES	5
extern const double evaluate_rates[EVALUATE_RATES];	/* .001 ... .02 */
#define EVALUATE_BINS	10
#define EVALUATE_FAMILIES	32

struct family {
	char name[64];		/* with _ for spaces */
	size_t first_case;
	unsigned long failures, good;
	double fdr[EVALUATE_RATES];
};

struct at_rate {
	double fdr, far, threshold;
	double lead;		/* median, days, of those detected; NaN */
	double early;		/* share of them at least 3 days before */
};

struct evaluation {
	unsigned long failures, good;		/* drive-months */
	struct at_rate trees[EVALUATE_RATES], cold[EVALUATE_RATES];
	struct at_rate score70;			/* at the score that drains */
	struct { double fdr, far; } either70;	/* by the trees or the states */
	struct { double fdr, far; } rule[RULES];
	struct {
		double predicted, observed;
		unsigned long nr;
	} bin[EVALUATE_BINS];
	double brier, brier_base;
	double log_loss;	/* of rows of the fixed days */
	double worst_bin;	/* relative, of bins above 0.01 with 10 failures */
	/* at score 70, over the whole period */
	double migrated;	/* of drives that failed: alarm was early enough
				 * to empty them at 50 MB/s */
	double migrated_in_vain;	/* of those that did not */
	double auc;
	unsigned int models;	/* that were trained */
	unsigned int models_based;	/* of these on that of another fleet */
	struct family family[EVALUATE_FAMILIES];
	unsigned int families;
	double training_seconds;
	unsigned long scored;	/* times that a drive was, in these seconds */
	double scoring_seconds;
};

int evaluate(const struct fleet *f, const struct evaluate_options *o,
	     struct evaluation *e, struct ads_err *err);
void evaluation_print(const struct evaluation *e, FILE *out);

#endif
