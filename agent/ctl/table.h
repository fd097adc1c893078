/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tables of text, by libsmartcols. Columns are data; headings consist of
 * letters, digits and "-" only.
 */
#ifndef CTL_TABLE_H
#define CTL_TABLE_H

#include <stdint.h>

#include <libsmartcols.h>

#include "ctl.h"

#define TABLE_RIGHT	0x1
#define TABLE_TRUNC	0x2	/* may be cut on a narrow terminal */
#define TABLE_HIDDEN	0x4	/* only with -o or -O */

struct table_col {
	const char *name, *help;
	unsigned int flags;
};

#define TABLE_MAX_COLS	40

struct table {
	struct ctl *c;
	struct libscols_table *tb;
	struct libscols_line *line;		/* the row being filled */
	const struct table_col *cols;
	size_t nr_cols;
	struct libscols_column *sel[TABLE_MAX_COLS];	/* NULL: not shown */
};

/*
 * Takes the selection from c->table; "-o help" prints the columns and ends the
 * program, an unknown column too. @cols ends with name NULL.
 */
void table_init(struct table *t, struct ctl *c, const struct table_col *cols);
void table_row(struct table *t);
void table_set(struct table *t, size_t col, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void table_size(struct table *t, size_t col, uint64_t bytes);	/* --bytes */
void table_color(struct table *t, size_t col, enum ctl_color color);
void table_print(struct table *t, const char *indent);
void table_free(struct table *t);

#endif
