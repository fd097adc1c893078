/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Disks out of records: what the agent would have thought of each, and when it
 * failed.
 */
#ifndef SIM_SMART_H
#define SIM_SMART_H

#include "sim/sim.h"

struct sim_fleet {
	struct sim_life *life;
	uint32_t nr;
	int64_t known_until;	/* by the model; seconds since the epoch */
};

/*
 * The disks that were seen in [@from, @to), shuffled by @seed, with their scores as
 * the model gives them: on the days for all and whenever a counter changed.
 */
int sim_fleet_read(const char *smart, const char *model, int64_t from,
		   int64_t to, uint64_t seed, uint32_t most,
		   struct sim_fleet *f, struct ads_err *err);
void sim_fleet_free(struct sim_fleet *f);

#endif
