/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How one counter of a drive came to its value.
 *
 * A series keeps one entry for every day on which the value changed, the last
 * SERIES_MAX of them. Pure: times (seconds since the epoch) are arguments and
 * must not go back; one that does is taken as the last one.
 *
 * A rise is counted once a day however often the drive was asked: the hazard
 * table was measured on daily data.
 */
#ifndef ADSHARDD_SERIES_H
#define ADSHARDD_SERIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SERIES_MAX	128
#define DAY_SECONDS	86400

enum series_kind {
	SERIES_COUNTER,	/* only grows; going down is a reset */
	SERIES_LEVEL,	/* grows and falls: pending sectors */
	SERIES_GAUGE,	/* of interest for its slope: wear, spare */
};

struct series_day {
	int64_t time;		/* of the last change on this day */
	uint64_t value;		/* after it */
	uint64_t grown;		/* sum of all rises of the day */
};

struct series {
	enum series_kind kind;
	bool known;		/* there is a value */
	bool reset;		/* a counter went down at the last reading */
	uint64_t value;
	uint64_t before;	/* value before the last change */
	int64_t first, last;	/* times of the first and last reading */
	unsigned int nr, cap;
	struct series_day *day;	/* oldest first */
};

/* true if the value changed (or is the first). No memory: the entry is lost. */
bool series_add(struct series *s, int64_t time, uint64_t value);
void series_free(struct series *s);

/* Sum of rises in the last @window seconds before @now. */
uint64_t series_grown(const struct series *s, int64_t now, int64_t window);
/* Days with a rise in it. */
unsigned int series_rises(const struct series *s, int64_t now, int64_t window);
/* Time of the last rise, 0: never since the first reading. */
int64_t series_last_rise(const struct series *s);

/*
 * Change per day by the median of the slopes between all pairs of points
 * (Theil-Sen) in the window. NaN with fewer than three points or less than
 * @min_span seconds between the first and the last.
 */
double series_slope(const struct series *s, int64_t now, int64_t window,
		    int64_t min_span);

#endif
