// SPDX-License-Identifier: GPL-2.0-or-later
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/history/series.h"

static struct series_day *last_day(const struct series *s)
{
	return s->nr ? &s->day[s->nr - 1] : NULL;
}

static struct series_day *new_day(struct series *s)
{
	if (s->nr == SERIES_MAX) {
		memmove(s->day, s->day + 1, (s->nr - 1) * sizeof(*s->day));
		s->nr--;
	} else if (s->nr == s->cap) {
		unsigned int cap = s->cap ? s->cap * 2 : 2;
		struct series_day *d = realloc(s->day, cap * sizeof(*d));

		if (!d)
			return NULL;
		s->day = d;
		s->cap = cap;
	}
	return &s->day[s->nr++];
}

/*
 * A counter that went up and comes straight back was misread: the rise is
 * taken out again. Any other way down is a reset (another drive in the same
 * enclosure, new firmware): the new value is where counting goes on.
 */
static void counter_fell(struct series *s, struct series_day *d, uint64_t value)
{
	uint64_t rise = s->value - s->before;

	s->reset = true;
	if (d && s->value > s->before && value >= s->before &&
	    d->grown >= rise && d->value == s->value) {
		d->grown -= rise;
		s->reset = false;
	}
}

bool series_add(struct series *s, int64_t time, uint64_t value)
{
	struct series_day *d = last_day(s);

	s->reset = false;
	if (!s->known) {
		s->known = true;
		s->first = s->last = time;
		s->value = s->before = value;
		d = new_day(s);
		if (d)
			*d = (struct series_day){ time, value, 0 };
		return true;
	}
	if (time < s->last)
		time = s->last;
	s->last = time;
	if (value == s->value)
		return false;
	if (s->kind == SERIES_COUNTER && value < s->value)
		counter_fell(s, d, value);
	if (!d || d->time / DAY_SECONDS != time / DAY_SECONDS) {
		d = new_day(s);
		if (d)
			d->grown = 0;
	}
	if (d) {
		d->time = time;
		if (value > s->value)
			d->grown += value - s->value;
		d->value = value;
	}
	s->before = s->value;
	s->value = value;
	return true;
}

void series_free(struct series *s)
{
	enum series_kind kind = s->kind;

	free(s->day);
	memset(s, 0, sizeof(*s));
	s->kind = kind;
}

uint64_t series_grown(const struct series *s, int64_t now, int64_t window)
{
	uint64_t sum = 0;

	for (unsigned int i = s->nr; i-- && s->day[i].time > now - window;)
		if (__builtin_add_overflow(sum, s->day[i].grown, &sum))
			return UINT64_MAX;
	return sum;
}

unsigned int series_rises(const struct series *s, int64_t now, int64_t window)
{
	unsigned int n = 0;

	for (unsigned int i = s->nr; i-- && s->day[i].time > now - window;)
		n += s->day[i].grown > 0;
	return n;
}

int64_t series_last_rise(const struct series *s)
{
	for (unsigned int i = s->nr; i--;)
		if (s->day[i].grown)
			return s->day[i].time;
	return 0;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double series_slope(const struct series *s, int64_t now, int64_t window,
		    int64_t min_span)
{
	struct { double t, v; } p[SERIES_MAX + 1];
	unsigned int n = 0, m = 0;
	double *slope, result;

	for (unsigned int i = 0; i < s->nr; i++) {
		if (s->day[i].time <= now - window)
			continue;
		p[n].t = (double)s->day[i].time / DAY_SECONDS;
		p[n++].v = (double)s->day[i].value;
	}
	/* that it has not changed since is a point too */
	if (n && s->last - s->day[s->nr - 1].time >= DAY_SECONDS) {
		p[n].t = (double)s->last / DAY_SECONDS;
		p[n++].v = (double)s->value;
	}
	if (n < 3 || (p[n - 1].t - p[0].t) * DAY_SECONDS < (double)min_span)
		return NAN;
	slope = malloc(n * (n - 1) / 2 * sizeof(*slope));
	if (!slope)
		return NAN;
	for (unsigned int i = 0; i < n; i++)
		for (unsigned int j = i + 1; j < n; j++)
			if (p[j].t > p[i].t)
				slope[m++] = (p[j].v - p[i].v) /
					     (p[j].t - p[i].t);
	qsort(slope, m, sizeof(*slope), compare);
	result = !m ? NAN : m % 2 ? slope[m / 2] :
		 (slope[m / 2 - 1] + slope[m / 2]) / 2;
	free(slope);
	return result;
}
