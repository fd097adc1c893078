/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Small charts of plain characters.
 */
#ifndef CTL_CHART_H
#define CTL_CHART_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define CHART_WIDTH	60
#define CHART_HEIGHT	6

/*
 * @v: oldest first, NaN where nothing is known. More values than columns are
 * gathered, each column showing the highest of its share. @low and @high bound
 * the scale; NaN: what there is. @label writes a value for people. Nothing is
 * printed, and false returned, if nothing is known.
 */
_Bool chart_print(FILE *f, const char *title, const double *v, size_t nr,
		  double low, double high,
		  char *(*label)(double value, char *buf, size_t size),
		  const char *from, const char *to);

char *chart_number(double v, char *buf, size_t size);
char *chart_size(double v, char *buf, size_t size);	/* bytes */
char *chart_seconds(double v, char *buf, size_t size);

#endif
