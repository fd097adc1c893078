/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When a drive is scored, and what is then known of it.
 *
 * On the 1st, 8th, 15th, 22nd and 29th of each month, for all drives alike, and
 * whenever one of its counters has changed.
 */
#ifndef TRAIN_ROWS_H
#define TRAIN_ROWS_H

#include "lib/model-file.h"
#include "train/fleet.h"

/* A month of the calendar: its first second, and that of the next. */
struct month {
	int64_t begin, end;
};
struct month month_of(int64_t t);
char *date_of(int64_t t, char buf[16]);		/* 2015-10-31 */

struct score_time {
	int64_t time;
	bool grid;		/* one of the days for all, not of a change */
};

/*
 * Of one drive in [@from, @to), while it is there and has not failed: *nr of
 * them in *times, which is grown as needed. 0 or -ENOMEM.
 */
int life_times(const struct life *l, int64_t from, int64_t to,
	       struct score_time **times, uint32_t *nr, uint32_t *cap);

/* The row of features; a model's hazard is looked up in @h. */
void life_features(const struct fleet *f, const struct life *l, int64_t t,
		   const struct ads_hazards *h, float out[ADS_FEAT_NR]);

/* It fails in (t, t + @days]. Whether that can be known is the caller's care. */
static inline bool life_fails(const struct life *l, int64_t t, int days)
{
	return l->failed && l->last > t && l->last <= t + days * DAY;
}

/* Whether it fails in these days can't be known: its data were taken off it. */
static inline bool life_censored(const struct life *l, int64_t t, int days)
{
	return l->evacuated && !l->failed && l->last <= t + days * DAY;
}

/*
 * Hazards of models by what was seen at times in [@from, @to), smoothed towards
 * those of their makers, and these towards all; with @base towards those that it
 * has, and those of models that are not in the fleet are taken from there.
 * @without: index of a model that is not looked at, plus one; 0: none.
 */
struct hazard_source {
	int64_t from, to;
	uint32_t without;
	const struct ads_hazards *base;
};
int hazards_make(const struct fleet *f, const struct hazard_source *s,
		 struct ads_hazards *h, struct ads_err *err);

#endif
