// SPDX-License-Identifier: GPL-2.0-or-later
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "train/csv.h"

#define TELL_FIRST	5	/* bad lines of a file that are named */

/* Splits in place; quotes around a field go. Number of fields, or -1. */
static int split(char *line, char **field)
{
	int n = 0;

	for (;;) {
		char *out = line;

		if (n == CSV_MAX_FIELDS)
			return -1;
		field[n++] = line;
		if (*line == '"') {
			for (line++; *line; line++) {
				if (*line == '"' && *++line != '"')
					break;
				*out++ = *line;
			}
			if (*line && *line != ',')
				return -1;
		} else {
			out = line += strcspn(line, ",");
		}
		if (!*line) {
			*out = 0;
			return n;
		}
		line++;
		*out = 0;
	}
}

int csv_open(struct csv *c, struct stream *s, struct ads_err *err)
{
	char *line;
	size_t len;
	int r, n;

	memset(c, 0, sizeof(*c));
	c->stream = s;
	r = stream_line(s, &line, &len, err);
	if (r == 0 || r == -EMSGSIZE)
		r = ads_err(err, -EBADMSG, "%s: has no heading line",
			    stream_name(s));
	if (r < 0)
		goto fail;
	if (len >= 3 && !memcmp(line, "\xef\xbb\xbf", 3))
		line += 3;
	n = split(line, c->field);
	if (n < 2) {
		r = ads_err(err, -EBADMSG, "%s: is not a table: its first line has no columns",
			    stream_name(s));
		goto fail;
	}
	for (int i = 0; i < n; i++) {
		c->columns[i] = strdup(c->field[i]);
		if (!c->columns[i]) {
			r = ads_err(err, -ENOMEM, "%s: no memory",
				    stream_name(s));
			goto fail;
		}
		c->nr_columns++;
	}
	return 0;
fail:
	csv_close(c);
	return r;
}

void csv_close(struct csv *c)
{
	for (unsigned int i = 0; i < c->nr_columns; i++)
		free(c->columns[i]);
	c->nr_columns = 0;
	stream_close(c->stream);
	c->stream = NULL;
}

int csv_column(const struct csv *c, const char *name)
{
	for (unsigned int i = 0; i < c->nr_columns; i++)
		if (strcmp(c->columns[i], name) == 0)
			return i;
	return -1;
}

void csv_bad(struct csv *c, const char *why)
{
	if (c->bad++ < TELL_FIRST && !c->quiet)
		fprintf(stderr, "adshard-train: %s:%lu: %s; skipped\n",
			stream_name(c->stream), stream_number(c->stream), why);
}

int csv_next(struct csv *c, struct ads_err *err)
{
	char *line;
	size_t len;
	int r, n;

	for (;;) {
		r = stream_line(c->stream, &line, &len, err);
		if (r == -EMSGSIZE) {
			csv_bad(c, "is too long, or not text");
			continue;
		}
		if (r <= 0)
			return r;
		if (!len)
			continue;
		n = split(line, c->field);
		/* columns at the end may be left empty without a comma */
		if (n < 0 || (unsigned int)n > c->nr_columns) {
			csv_bad(c, "has more fields than the heading, or an open quote");
			continue;
		}
		if ((unsigned int)n < c->nr_columns && n < 2) {
			csv_bad(c, "has too few fields");
			continue;
		}
		for (unsigned int i = n; i < c->nr_columns; i++)
			c->field[i] = line + len;
		c->rows++;
		return 1;
	}
}

bool csv_number(const char *text, double *out)
{
	char *end;
	double v;

	if (!*text || isspace((unsigned char)*text))
		return false;
	v = strtod(text, &end);
	if (*end || !isfinite(v))
		return false;
	*out = v;
	return true;
}

bool csv_integer(const char *text, int64_t *out)
{
	double v;
	char *end;
	long long n;

	errno = 0;
	n = strtoll(text, &end, 10);
	if (*text && !*end && !errno && !isspace((unsigned char)*text)) {
		*out = n;
		return true;
	}
	if (!csv_number(text, &v) || fabs(v) > 9e15 || v != floor(v))
		return false;
	*out = (int64_t)v;
	return true;
}

static int64_t days_of(int64_t y, int64_t m, int64_t d)
{
	/* years begin with March, so that the leap day is the last */
	y -= m <= 2;
	m += m <= 2 ? 9 : -3;
	return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + d -
	       719469;
}

bool csv_date(const char *text, int64_t *seconds)
{
	static const int length[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31,
				      30, 31 };
	int y, m, d, n = 0;

	if (strlen(text) > 19 ||
	    sscanf(text, "%4d-%2d-%2d%n", &y, &m, &d, &n) != 3 ||
	    (text[n] && text[n] != ' ' && text[n] != 'T'))
		return false;
	if (y < 1970 || y > 2999 || m < 1 || m > 12 || d < 1 ||
	    d > length[m - 1] + (m == 2 && y % 4 == 0 &&
				 (y % 100 || y % 400 == 0)))
		return false;
	*seconds = days_of(y, m, d) * 86400;
	return true;
}
