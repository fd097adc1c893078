/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a strategy is judged by.
 */
#ifndef SIM_METRICS_H
#define SIM_METRICS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define METRICS_BINS	400	/* of latency, 20 to a factor of two, from 10 us */

struct metrics {
	double members_months;	/* of disks in service */
	uint32_t failures;
	uint32_t drained;	/* of these: nothing was on them any more */
	uint32_t lost_any;	/* of these: data was lost with it */
	double at_risk;		/* bytes on failing members without another leg,
				 * when they failed */
	double lost_accesses;	/* that there were to it, per second */
	uint32_t evacuated;	/* members emptied, or begun with */
	uint32_t needless;	/* of these: would not have failed */
	double moved;		/* bytes copied, of all causes */
	double needed;		/* of them: what was on members when they were
				 * emptied, legs that were missing */
	double moved_risk;	/* bytes copied for members at risk */
	double moved_needless;	/* of members that would not have failed */
	double moved_replica;	/* second legs for watched members */
	double moved_load;	/* for balance, tier and place */
	double latency[METRICS_BINS];	/* accesses, by how long they took */
	double accesses;
	double load_time, load_max, load_spread;	/* integrals over time */
	double day_peak, days, peak_sum, peak;	/* highest load of each day */
	uint32_t plans;
	double plan_seconds, plan_worst;	/* real ones; not printed as
						 * figures: they are not the same
						 * each time */
};

void metrics_latency(struct metrics *m, double ms, double accesses);
double metrics_quantile(const struct metrics *m, double q);	/* ms */

/* Adds up two runs: pools of one fleet. */
void metrics_add(struct metrics *sum, const struct metrics *m);

/* Lines "figure sim.<prefix><strategy>.<name> <value> <unit>". */
void metrics_print(const struct metrics *m, const char *prefix,
		   const char *strategy, FILE *out);

#endif
