/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of the program share. */
#ifndef TRAIN_VERBS_H
#define TRAIN_VERBS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/err.h"
#include "lib/model-file.h"

#define TRAIN_MAX_DATA	1000
#define TRAIN_MAX_FILES	20000

struct fleet;

enum {
	TRAIN_OK, TRAIN_FAILED, TRAIN_USAGE,
};

struct train_args {
	const char *data[TRAIN_MAX_DATA];	/* as named */
	unsigned int nr_data;
	char *file[TRAIN_MAX_FILES];		/* those in folders, too */
	unsigned int nr_files;
	const char *out, *model, *labels, *base;
	int64_t until, from, to, train_until;	/* 0: not given */
	int history, keep;
	bool failslow, load, verbose, families, rollback;
};

/* Fills a->file: what was named, and in place of a folder the tables in it. */
int files_find(struct train_args *a, struct ads_err *err);
void files_forget(struct train_args *a);

/* The model that comes with the program, NULL if it is not there. */
const char *model_shipped(void);

/* All files, told what was in them. */
int read_fleet(const struct train_args *a, struct fleet *f,
	       struct ads_err *err);

/* retrain */
int verb_retrain(const struct train_args *a, struct ads_err *err);

/* What is in a model, for people. */
void model_print(const struct ads_model *m, FILE *out);

#endif
