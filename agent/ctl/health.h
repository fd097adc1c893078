/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The verdict on a pool in plain words: state, why, what to do.
 */
#ifndef CTL_HEALTH_H
#define CTL_HEALTH_H

#include "ctl.h"

/* Monitoring's levels; also the exit codes of status --check. */
enum health_level {
	HEALTH_OK	= 0,
	HEALTH_WARN	= 1,
	HEALTH_CRIT	= 2,
	HEALTH_UNKNOWN	= 3,
};

struct health {
	enum health_level level;
	const char *state;	/* one word */
	char why[512];
	char action[512];
};

/* A member whose score is above these is worth a word, is about to fail. */
#define HEALTH_SCORE_WARN	50
#define HEALTH_SCORE_CRIT	70

/* @agent may be NULL. */
void health_judge(const struct ads_pool *p, const struct ads_member *m,
		  size_t nr, const struct ads_migration *mig, size_t nr_mig,
		  const struct ads_bad *bad, size_t nr_bad,
		  const struct ads_agent_status *agent, struct health *out);

uint64_t health_errors(const struct ads_member *m);

/*
 * Bytes a running migration still has to copy and compare, of @segment_size,
 * and how far it is; copying counts for three fifths, comparing for two.
 */
uint64_t migration_done_bytes(const struct ads_migration *m,
			      uint64_t segment_size);

/* Bytes a second since it was started; 0 if it wasn't. */
double migration_rate(const struct ads_migration *m, uint64_t segment_size);

#endif
