/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The day to come, step by step: when a member will be busiest, and how busy. What
 * balance acts upon; outlook.h is for people.
 *
 * Takes the member's steps (history/loads.h); gives for each of the next ones the
 * middle and what nine of ten outcomes are below. Pure.
 */
#ifndef ADSHARDD_AHEAD_H
#define ADSHARDD_AHEAD_H

#include "daemon/predict/outlook.h"

#define AHEAD_STEPS	48

struct plan_policy;

struct ahead {
	int64_t time;			/* when the first step begins, 0: not yet made */
	long length;			/* of a step, seconds */
	unsigned int nr[OUTLOOK_OF];	/* steps that are known */
	float value[OUTLOOK_OF][AHEAD_STEPS], high[OUTLOOK_OF][AHEAD_STEPS];
};

/* Another step is under way than when it was made. */
static inline bool ahead_due(const struct ahead *a, const struct loads *l)
{
	return l->nr && l->now * l->length != a->time;
}

/*
 * One season ahead, AHEAD_STEPS at most; fewer as long as little is known. Some ten
 * milliseconds.
 */
void ahead_make(struct ahead *a, const struct loads *l, const struct config *c);

/*
 * The most, per second, in the steps that begin within @seconds of @now: of each
 * step what balance.quantile of a hundred outcomes are below. < 0: not known.
 */
double ahead_peak(const struct ahead *a, enum outlook_of of, int64_t now,
		  long seconds, const struct plan_policy *policy);

#endif
