/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of the program share. */
#ifndef TRAIN_VERBS_H
#define TRAIN_VERBS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/model-file.h"

#define TRAIN_MAX_FILES	1000

enum {
	TRAIN_OK, TRAIN_FAILED, TRAIN_USAGE,
};

struct train_args {
	const char *data[TRAIN_MAX_FILES];
	unsigned int nr_data;
	const char *out, *model, *labels;
	int64_t until, from, to, train_until;	/* 0: not given */
	int history;
	bool failslow, load, verbose;
};

/* What is in a model, for people. */
void model_print(const struct ads_model *m, FILE *out);

#endif
