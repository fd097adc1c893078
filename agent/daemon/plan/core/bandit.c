// SPDX-License-Identifier: GPL-2.0-or-later
#include <math.h>

#include "daemon/plan/core/bandit.h"

#define FADE		0.99
#define EXPLORE		0.5
#define LATENCY_WEIGHT	1.0	/* twice the latency is worth all of the speed */

static const float factor[PLAN_BANDIT_ARMS] = { 0.5f, 1, 1.5f, 2 };

static unsigned int bucket(double load)
{
	return load < 0.25 ? 0 : load < 0.6 ? 1 : 2;
}

float plan_bandit_choose(struct plan_bandit *b, double load)
{
	unsigned int best = 1;		/* as set, when nothing is known */
	double all = 0, most = -HUGE_VAL;

	b->load = bucket(load);
	for (int i = 0; i < PLAN_BANDIT_ARMS; i++)
		all += b->tries[b->load][i];
	for (unsigned int i = 0; i < PLAN_BANDIT_ARMS && all > 0; i++) {
		double n = b->tries[b->load][i];
		double bound = n < 0.5 ? HUGE_VAL :
			       b->sum[b->load][i] / n +
			       EXPLORE * sqrt(log(all + 1) / n);

		if (bound > most) {
			most = bound;
			best = i;
		}
	}
	b->arm = best;
	return factor[best];
}

void plan_bandit_learn(struct plan_bandit *b, double mibs, double most,
		       double latency, double usual)
{
	double reward;

	if (!(mibs > 0) || !(most > 0) || !(latency >= 0) || !(usual > 0) ||
	    !isfinite(mibs + most + latency + usual))
		return;
	reward = fmin(mibs / most, 1) -
		 LATENCY_WEIGHT * fmin(fmax(latency / usual - 1, 0), 2);
	for (int i = 0; i < PLAN_BANDIT_ARMS; i++) {
		b->tries[b->load][i] *= FADE;
		b->sum[b->load][i] *= FADE;
	}
	b->tries[b->load][b->arm] += 1;
	b->sum[b->load][b->arm] += reward;
}
