/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between scoring drives and making figures of it. */
#ifndef TRAIN_EVALUATE_PRIV_H
#define TRAIN_EVALUATE_PRIV_H

#include "train/evaluate.h"
#include "train/rows.h"

/* A drive in a month. */
struct case_ {
	float trees, cold;	/* the highest score */
	unsigned int rules;
	uint32_t life;
	bool fails;
};

/* A score of a drive that fails in the period, for lead times. */
struct mark {
	uint32_t life;
	int64_t time;
	float trees, cold;
};

struct judge {
	const struct fleet *f;
	const struct evaluate_options *o;
	struct case_ *cases;
	struct mark *marks;
	size_t nr, cap, nr_marks, cap_marks;
	float *highest;			/* of each drive, in the period */
	double bin_p[EVALUATE_BINS], bin_y[EVALUATE_BINS];
	unsigned long bin_n[EVALUATE_BINS];
	double square, rows, failing, log_loss;
	struct score_time *times;
	uint32_t cap_times;
	int64_t end;			/* of what is known at all */
	unsigned long scored;
};

/* It fails in the time that is judged. */
static inline bool in_period(const struct judge *j, const struct life *l)
{
	return l->failed && l->last >= j->o->from && l->last < j->o->to;
}

/* The edges of the bins of probabilities. */
extern const double evaluate_edges[EVALUATE_BINS + 1];

/* Of the cases from k->first_case on. */
void evaluate_family(struct judge *j, struct family *k);

/* All figures of what was scored; the cases are put in order. */
void evaluate_sum(struct judge *j, struct evaluation *e);

#endif
