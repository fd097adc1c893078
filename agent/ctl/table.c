// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/units.h"

#include "table.h"

static int find_col(const struct table *t, const char *name, size_t len)
{
	for (size_t i = 0; i < t->nr_cols; i++)
		if (strlen(t->cols[i].name) == len &&
		    !strncasecmp(t->cols[i].name, name, len))
			return i;
	return -1;
}

static void list_columns(const struct table *t)
{
	puts("Columns:");
	for (size_t i = 0; i < t->nr_cols; i++)
		printf("  %-12s %s\n", t->cols[i].name, t->cols[i].help);
	exit(fflush(stdout) ? CTL_FAILED : CTL_OK);
}

/* Fills @order with the columns wanted and returns how many they are. */
static size_t select_columns(const struct table *t, int *order)
{
	const char *s = t->c->table.columns;
	size_t n = 0;

	if (s && !strcmp(s, "help"))
		list_columns(t);
	for (size_t i = 0; i < t->nr_cols; i++)
		if (t->c->table.all || ((!s || s[0] == '+' || s[0] == '-') &&
					!(t->cols[i].flags & TABLE_HIDDEN)))
			order[n++] = i;
	while (s && *s) {
		size_t len = strcspn(s, ","), k;
		const char *name = s;
		bool minus = *s == '-';
		int col;

		if (*name == '+' || *name == '-')
			name++;
		col = find_col(t, name, len - (name - s));
		if (col < 0)
			ctl_usage(t->c, "there is no column %.*s (-o help lists them)",
				  (int)(len - (name - s)), name);
		for (k = 0; k < n && order[k] != col; k++)
			;
		if (minus && k < n)
			memmove(&order[k], &order[k + 1],
				(--n - k) * sizeof(*order));
		else if (!minus && k == n)
			order[n++] = col;
		s += len + (s[len] == ',');
	}
	return n;
}

void table_init(struct table *t, struct ctl *c, const struct table_col *cols)
{
	int order[TABLE_MAX_COLS];
	size_t n;

	memset(t, 0, sizeof(*t));
	t->c = c;
	t->cols = cols;
	while (t->nr_cols < TABLE_MAX_COLS && cols[t->nr_cols].name)
		t->nr_cols++;
	n = select_columns(t, order);
	t->tb = scols_new_table();
	if (!t->tb)
		abort();
	scols_table_enable_noheadings(t->tb, c->table.noheadings);
	scols_table_enable_raw(t->tb, c->table.raw);
	scols_table_enable_colors(t->tb, c->color && !c->table.raw);
	for (size_t i = 0; i < n; i++) {
		const struct table_col *col = &cols[order[i]];
		int flags = 0;

		if (col->flags & TABLE_RIGHT)
			flags |= SCOLS_FL_RIGHT;
		if (col->flags & TABLE_TRUNC)
			flags |= SCOLS_FL_TRUNC;
		t->sel[order[i]] = scols_table_new_column(t->tb, col->name, 0,
							  flags);
	}
}

void table_row(struct table *t)
{
	t->line = scols_table_new_line(t->tb, NULL);
	if (!t->line)
		abort();
}

void table_set(struct table *t, size_t col, const char *fmt, ...)
{
	char *text;
	va_list ap;

	if (!t->sel[col])
		return;
	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		abort();
	va_end(ap);
	scols_line_refer_column_data(t->line, t->sel[col], text);
}

void table_size(struct table *t, size_t col, uint64_t bytes)
{
	char text[32];

	if (t->c->table.bytes)
		table_set(t, col, "%llu", (unsigned long long)bytes);
	else
		table_set(t, col, "%s", ads_format_size(bytes, true, text,
							sizeof(text)));
}

void table_color(struct table *t, size_t col, enum ctl_color color)
{
	const char *seq = color == CTL_PLAIN ? "" : ctl_color(t->c, color);

	if (t->sel[col] && *seq)
		scols_cell_set_color(scols_line_get_column_cell(t->line,
								t->sel[col]),
				     seq);
}

void table_print(struct table *t, const char *indent)
{
	char *text, *line, *save;

	if (!*indent) {
		scols_print_table(t->tb);
		return;
	}
	if (scols_print_table_to_string(t->tb, &text))
		abort();
	for (line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save))
		printf("%s%s\n", indent, line);
	free(text);
}

void table_free(struct table *t)
{
	scols_unref_table(t->tb);
}
