/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Disks that still answer, but slower than their peers, or than they used to.
 *
 * Takes throughput and latency of each member as they are looked at; gives, day
 * by day, how much slower it was than the disks of its model in this host or,
 * where there are fewer than four of these, than itself in the weeks before; and
 * whether it counts as slow (lib/failslow.h has the method and the rule). One
 * slow day warns; only days together are a verdict.
 *
 * Pure: no I/O, no clock.
 */
#ifndef ADSHARDD_SLOW_H
#define ADSHARDD_SLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/config.h"
#include "daemon/history/loads.h"
#include "lib/failslow.h"

#define SLOW_STEPS	288	/* of a day: five minutes */
#define SLOW_KEEP	40	/* days */
#define SLOW_PEERS_MAX	24	/* disks that are compared at a time */

enum slow_op { SLOW_READ, SLOW_WRITE, SLOW_OPS };

struct slow_step {
	float throughput;		/* bytes per second */
	float latency[SLOW_OPS];	/* seconds; 0: too little I/O */
};

struct slow_day {
	int64_t day;		/* its number */
	float peers, self;	/* 1.3: took 30 % longer; NaN: not known */
};

enum slow_verdict { SLOW_NOT, SLOW_OF_PEERS, SLOW_OF_SELF };

struct slow {
	long length;		/* seconds in a day */
	int64_t day;		/* number of the one under way, 0: none */
	unsigned int at;	/* its step under way */
	struct {
		double seconds, bytes, log[SLOW_OPS], n[SLOW_OPS];
	} part;			/* of that */
	struct slow_step *step;	/* SLOW_STEPS of today; NULL: none yet */
	unsigned int nr;	/* days that are over, oldest first */
	struct slow_day past[SLOW_KEEP];
	struct slow_day today;	/* so far */
	bool known[SLOW_OPS];
	struct ads_slow_curve usual[SLOW_OPS];	/* of its own past, the last that
						 * could be made */
	/* made by slow_judge() */
	enum slow_verdict verdict;
	double ratio;		/* of the slow days, geometric mean */
	int64_t since;		/* seconds since the epoch, of the first */
	int64_t evidence;	/* end of the last day that is known */
};

/* Is the day of @s over at @now (or has the clock gone back before it)? */
bool slow_due(const struct slow *s, int64_t now, long length);

/*
 * What was seen in the last @seconds: throughput, and of each operation how many
 * were sampled (0: none) and their geometric mean. @busy: it copies, or something
 * else makes that it can't be compared. No memory: it is not judged.
 */
void slow_add(struct slow *s, int64_t now, long length, double seconds,
	      double throughput, const uint64_t n[SLOW_OPS],
	      const double mean[SLOW_OPS], bool busy);

/*
 * Compares @nr disks of one model. @loads: of each, for its own past, that is
 * looked at where there are too few peers. Sets today.
 */
void slow_compare(struct slow *const *s, const struct loads *const *loads,
		  unsigned int nr);

/* Today becomes the last of the past days; begins the day of @now. */
void slow_next(struct slow *s, int64_t now, long length);

/* A day out of the database, oldest first. */
void slow_load(struct slow *s, const struct slow_day *day, long length);

/* By the past days. */
void slow_judge(struct slow *s, const struct config *c);

void slow_free(struct slow *s);

#endif
