/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A table with a heading line: columns by name, bad lines named and passed.
 */
#ifndef TRAIN_CSV_H
#define TRAIN_CSV_H

#include <stdbool.h>
#include <stdint.h>

#include "train/stream.h"

#define CSV_MAX_FIELDS	512

struct csv {
	struct stream *stream;
	unsigned int nr_columns;
	char *columns[CSV_MAX_FIELDS];
	char *field[CSV_MAX_FIELDS];	/* of the row that was read last */
	unsigned long rows, bad;
	bool quiet;			/* bad lines are counted only */
};

/* Reads the heading. The stream is closed with it, also on error. */
int csv_open(struct csv *c, struct stream *s, struct ads_err *err);
void csv_close(struct csv *c);

int csv_column(const struct csv *c, const char *name);	/* -1: not there */

/*
 * The next good row into c->field. 1, 0 at the end, or -errno if the rest can't
 * be read.
 */
int csv_next(struct csv *c, struct ads_err *err);

/* The row was bad after all: says where and why (the first few times). */
void csv_bad(struct csv *c, const char *why);

/* Numbers and dates out of fields. false: it is none. */
bool csv_number(const char *text, double *out);	/* finite */
bool csv_integer(const char *text, int64_t *out);	/* "12" and "12.0" */
bool csv_date(const char *text, int64_t *seconds);	/* 2015-10-31 */

#endif
