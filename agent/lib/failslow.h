/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Disks that still answer, but slower than they should.
 *
 * How long a request takes depends on how much is asked for; so latency is
 * compared with what is usual at that throughput. Usual is what the peers do
 * (disks of one kind in one host, on the same day) or, where there are no
 * peers, what the disk itself did in the weeks before. A disk's slowdown of a
 * day is the median of its latencies over what was usual: 1.3 is 30 % slower.
 *
 * One slow day is not a slow disk; ads_slow_verdict() wants several.
 *
 * Pure: no I/O, no clock.
 */
#ifndef ADS_FAILSLOW_H
#define ADS_FAILSLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ads_slow_sample {
	uint32_t disk;		/* 0, 1, ... within the host */
	float throughput;	/* any unit, not negative */
	float latency;		/* any unit, above zero; else passed over */
};

#define ADS_SLOW_MIN_SAMPLES	30	/* of a disk and day, to be judged */
#define ADS_SLOW_MIN_PEERS	3	/* besides itself, to be compared */
#define ADS_SLOW_OF_PEERS	1.16	/* slow, compared with peers */
#define ADS_SLOW_OF_SELF	1.50	/* and with its own past */
#define ADS_SLOW_DAYS		3	/* slow days ... */
#define ADS_SLOW_WINDOW		5	/* ... of the last so many */

/* What is usual: log latency, a cubic in log throughput. */
struct ads_slow_curve {
	double c[4];
	double middle, scale;	/* of log(1 + throughput) */
	double low, high;	/* where it was seen; no further */
	size_t samples;
};

/* false: too few samples, or nothing can be made of them; *out is untouched */
bool ads_slow_fit(const struct ads_slow_sample *s, size_t nr,
		  struct ads_slow_curve *out);

/* Median of latency over usual; NaN with fewer than ADS_SLOW_MIN_SAMPLES. */
double ads_slow_ratio(const struct ads_slow_curve *c,
		      const struct ads_slow_sample *s, size_t nr);

/*
 * One host and day: ratio[disk] for each of @disks, NaN where there are too few
 * samples or peers. false: no memory.
 */
bool ads_slow_day(const struct ads_slow_sample *s, size_t nr,
		  unsigned int disks, double *ratio);

/*
 * By the slowdowns of days, oldest first (NaN: not known): the first of them on
 * which the disk counts as slow, -1: none. It does if it was slow on enough of
 * the last days and on their average: a few days of rebuilding are not that.
 */
int ads_slow_verdict(const double *day, size_t nr, double threshold);

#endif
