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

/* What a pool is judged by. */
struct health_in {
	const struct ads_pool *pool;
	const struct ads_member *m;
	size_t nr_m;
	const struct ads_migration *mig;
	size_t nr_mig;
	const struct ads_bad *bad;
	size_t nr_bad;
	const struct ads_segment *seg;	/* see health_wants_segments() */
	size_t nr_seg;
	const struct ads_agent_status *agent;	/* may be NULL */
};

void health_judge(const struct health_in *in, struct health *out);

/* Is there more to be said than the pool's counters can? Then @seg are all. */
bool health_wants_segments(const struct ads_pool *p, const struct ads_member *m,
			   size_t nr);

/*
 * health-legs.c: copies. What is missing of them, and of which member they are;
 * segments without any that can be read.
 */
struct health_legs {
	size_t nr_short;
	uint32_t good, wanted;		/* of the worst off */
	size_t nr_worst;		/* that are as badly off */
	size_t nr_lost;
	uint32_t first_lost;
	char members[200];		/* "/dev/sdb, member 3 (missing)" */
};
void health_count_legs(const struct health_in *in, struct health_legs *out);
/* Of the segments on @member: those with no other copy that can be read. */
size_t health_only_there(const struct health_in *in, uint32_t member);
bool health_verdict(struct health *h, enum health_level level,
		    const char *state);
void health_judge_legs(const struct health_in *in, struct health *h);

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
