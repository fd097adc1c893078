/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How many moves at once are best: tried out, within safe bounds.
 *
 * pace.pool is multiplied by one of a few factors. What came of it, in bytes that
 * were copied and in what it did to the users' latency, is kept for each factor and
 * for pools that are idle, used or busy; the factor that may be best is tried next
 * (the upper confidence bound). Old experience fades. Off unless pace.bandit is set.
 *
 * Pure, and plain data: it may be stored and loaded as it is.
 */
#ifndef PLAN_BANDIT_H
#define PLAN_BANDIT_H

#define PLAN_BANDIT_ARMS	4
#define PLAN_BANDIT_LOADS	3

struct plan_bandit {
	double tries[PLAN_BANDIT_LOADS][PLAN_BANDIT_ARMS];
	double sum[PLAN_BANDIT_LOADS][PLAN_BANDIT_ARMS];	/* of rewards */
	unsigned int arm, load;		/* that was chosen last */
};

/* The factor for plan_state.pace, at that mean load (0..1) of the pool. */
float plan_bandit_choose(struct plan_bandit *b, double load);

/*
 * What came of the last choice: @mibs a second were copied, where @most is what
 * the members could; users waited @latency, and @usual without moves. Nothing is
 * learned of a time in which nothing was there to be copied.
 */
void plan_bandit_learn(struct plan_bandit *b, double mibs, double most,
		       double latency, double usual);

#endif
