// SPDX-License-Identifier: GPL-2.0-or-later
#include <math.h>
#include <stdbool.h>

#include "lib/units.h"

#include "chart.h"

#define LABEL	10

char *chart_number(double v, char *buf, size_t size)
{
	snprintf(buf, size, fabs(v) >= 100 || v == floor(v) ? "%.0f" : "%.3g", v);
	return buf;
}

char *chart_size(double v, char *buf, size_t size)
{
	return ads_format_size(v > 0 ? (uint64_t)v : 0, true, buf, size);
}

char *chart_seconds(double v, char *buf, size_t size)
{
	if (v < 1e-3)
		snprintf(buf, size, "%.0fus", v * 1e6);
	else if (v < 1)
		snprintf(buf, size, "%.3gms", v * 1e3);
	else
		snprintf(buf, size, "%.3gs", v);
	return buf;
}

static size_t gather(const double *v, size_t nr, double out[CHART_WIDTH])
{
	size_t n = nr < CHART_WIDTH ? nr : CHART_WIDTH;

	for (size_t i = 0; i < n; i++)
		out[i] = NAN;
	for (size_t i = 0; i < nr; i++) {
		double *o = &out[i * n / nr];

		if (!isnan(v[i]) && !(*o >= v[i]))
			*o = v[i];
	}
	return n;
}

bool chart_print(FILE *f, const char *title, const double *v, size_t nr,
		 double low, double high,
		 char *(*label)(double value, char *buf, size_t size),
		 const char *from, const char *to)
{
	double column[CHART_WIDTH], least = INFINITY, most = -INFINITY;
	size_t n = gather(v, nr, column);
	char text[64];
	int gap;

	for (size_t i = 0; i < n; i++) {
		least = fmin(least, isnan(column[i]) ? INFINITY : column[i]);
		most = fmax(most, isnan(column[i]) ? -INFINITY : column[i]);
	}
	if (!(least <= most))
		return false;
	low = isnan(low) ? least : low;
	high = isnan(high) ? most : fmax(high, most);
	if (!(high > low))
		high = low + 1;
	fprintf(f, "%s\n", title);
	for (int row = CHART_HEIGHT; row > 0; row--) {
		double floor_of = low + (high - low) * (row - 1) / CHART_HEIGHT;
		char line[CHART_WIDTH];
		size_t end = 0;

		fprintf(f, "%*s |", LABEL, row == CHART_HEIGHT ?
			label(high, text, sizeof(text)) :
			row == 1 ? label(low, text, sizeof(text)) : "");
		/* what is known reaches into the lowest row at least */
		for (size_t i = 0; i < n; i++) {
			line[i] = isnan(column[i]) ? ' ' :
				  column[i] > floor_of ? '#' :
				  row == 1 ? '_' : ' ';
			end = line[i] != ' ' ? i + 1 : end;
		}
		fprintf(f, "%.*s\n", (int)end, line);
	}
	gap = (int)n - (int)snprintf(text, sizeof(text), "%s%s", from, to);
	fprintf(f, "%*s  %s%*s%s\n", LABEL, "", from, gap > 1 ? gap : 1, "", to);
	return true;
}
