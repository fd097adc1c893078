/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long a move takes, and what it does to the users' latency, learned from
 * moves that are done.
 *
 * For each pair of classes (from, to) the seconds of a GiB are fitted by least
 * squares as a + b x load, where load is that of the busier member when the move
 * began; the milliseconds that latency rose as c x copied MiB/s. Old moves are
 * forgotten slowly. Few moves count little: the fit starts from what the classes'
 * bandwidths say.
 *
 * Plain data: it may be stored and loaded as it is.
 */
#ifndef PLAN_COST_H
#define PLAN_COST_H

#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"

#define PLAN_COST_CLASSES	16	/* classes above share the last one */

struct plan_cost_pair {
	/* sums of weights, of load, of its square; of seconds per GiB, and that
	 * times load */
	double n, x, xx, y, xy;
	double rr, rl;		/* of rate squared, and rate times rise */
};

struct plan_cost {
	struct plan_cost_pair pair[PLAN_COST_CLASSES][PLAN_COST_CLASSES];
};

/* A move that is done. */
struct plan_done {
	uint16_t from, to;	/* classes */
	double bytes, seconds;
	double load;		/* 0..1 of the busier member at its begin, < 0 */
	double rise_ms;		/* of the users' latency during it, NAN unknown */
};

/* What makes no sense is passed over. */
void plan_cost_learn(struct plan_cost *c, const struct plan_done *d);

/*
 * Seconds for @bytes at @load, where the members' bandwidth would allow @mibs;
 * @c may be NULL.
 */
double plan_cost_seconds(const struct plan_cost *c, uint16_t from, uint16_t to,
			 double bytes, double load, double mibs);

/* Milliseconds that latency rises while copying at @mibs; 0 if nobody knows. */
double plan_cost_rise(const struct plan_cost *c, uint16_t from, uint16_t to,
		      double mibs);

#endif
