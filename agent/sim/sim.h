/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A pool in virtual time.
 *
 * The clock goes from event to event: a look (loads, scores and forecasts are
 * brought up to date and the strategy plans), the end of a move, the failure of a
 * member. Between two events everything runs at a constant rate.
 *
 * Everything random comes from one generator that the seed starts, and strategies
 * draw from one of their own: so all of them see the same loads and failures.
 */
#ifndef SIM_SIM_H
#define SIM_SIM_H

#include "daemon/plan/core/bandit.h"
#include "daemon/plan/core/core.h"
#include "daemon/plan/core/cost.h"
#include "sim/metrics.h"
#include "sim/scenario.h"
#include "sim/volume.h"

/* The score of a disk, whose life was recorded, from a time on. */
struct sim_point {
	int64_t time;		/* since the beginning */
	int16_t score;
	bool rule;		/* the scrutiny-like rule fires */
};

struct sim_life {
	struct sim_point *point;
	uint32_t nr;
	int64_t begin, end;	/* in the pool between these times */
	bool fails;		/* at @end */
	bool dies;		/* some day, also after all that is simulated */
};

struct sim_member {
	const struct sim_life *life;	/* NULL: not of a record */
	uint32_t at_point;
	double slow;		/* factor, 1 */
	int64_t slow_until, stale_until;
	double from, to;	/* score, on its way between */
	int64_t ramp_begin, ramp_end;
	bool flaps;
	bool rule;		/* a rule of attributes fires */
	bool bad;		/* it is known that it will fail */
	int64_t back;		/* a new one takes its place then, 0 */
	int64_t in_pool;	/* since */
	/* being emptied */
	bool evacuating;
	uint64_t moved;		/* bytes copied off it since */
	bool done;		/* the record of this disk is closed */
	/* sums of the moment */
	double user;		/* busy share by the users */
	double accesses;	/* per second */
	double copying;		/* and by moves */
	uint32_t flights;
};

struct sim_flight {
	struct plan_action a;
	double left, rate;	/* MiB, MiB/s */
	double load;		/* when it began */
	int64_t began;
	uint32_t generation[2];	/* of source and destination, then */
};

struct sim;
struct sim_strategy {
	const char *name;
	/*
	 * Appends to sim->queue what should be moved now, in this order. Called at
	 * each look; what was queued before is gone.
	 */
	int (*plan)(struct sim *s);
};
extern const struct sim_strategy sim_strategies[];	/* ends with no name */

#define SIM_FLIGHTS	512

struct sim {
	const struct scenario *sc;
	const struct sim_strategy *strategy;
	struct plan_state s;
	struct plan_policy policy;
	struct sim_member *m;
	uint32_t *generation;	/* of the disk in each place */
	const struct sim_life *life;	/* of the members, NULL without records */
	double t;		/* seconds since the beginning */
	uint64_t random;
	struct plan_action *queue;
	size_t nr_queue, cap_queue;
	struct sim_flight flight[SIM_FLIGHTS];
	uint32_t nr_flights;
	struct plan_cost cost;
	struct plan_bandit bandit;
	double seen_accesses, seen_wait, seen_usual;	/* since the last plan */
	double copied;
	struct volumes *volumes;
	uint8_t *flying;	/* per segment */
	struct plan_link link[SIM_LINKS];
	int64_t link_until[SIM_LINKS];
	uint32_t at_event;
	bool changed;		/* since the last plan */
	int64_t planned;	/* when it was last */
	uint32_t imported;	/* segments that wait to be written */
	struct metrics metrics;
};

#define SIM_EPOCH	1700006400LL	/* midnight, when it all begins */

/* Runs one strategy. @lives: of each member, or NULL. 0 or -errno. */
int sim_run(const struct scenario *sc, const struct sim_strategy *strategy,
	    const struct sim_life *lives, struct volumes *v,
	    struct metrics *out, struct ads_err *err);

/* -- parts ---------------------------------------------------------------------- */

double sim_random(uint64_t *state);		/* 0 <= x < 1 */

uint32_t sim_segments(const struct scenario *sc);	/* of the volume */
int sim_world(struct sim *s, struct ads_err *err);	/* world.c: makes it */
void sim_world_free(struct sim *s);
void sim_look(struct sim *s);	/* events.c: scores, loads, scripted events */
void sim_fail(struct sim *s, uint32_t member);
/* It is to be emptied from now on, or not any more. */
void sim_evacuate(struct sim *s, uint32_t member);
void sim_keep(struct sim *s, uint32_t member);
/* Closes the records of members that are empty now. */
void sim_drained(struct sim *s);
/* When the next disk fails by its record; seconds, HUGE_VAL. */
double sim_next_failure(const struct sim *s);
void sim_forecast(struct sim *s);	/* foresee.c: loads of the members */
void sim_replace(struct sim *s, uint32_t member);

/* copy.c: moves. */
void sim_start(struct sim *s);	/* what the queue and the pace allow */
double sim_next_end(struct sim *s);	/* seconds until the first is done */
void sim_advance(struct sim *s, double seconds);
void sim_end_flights_of(struct sim *s, uint32_t member);	/* it failed */

int sim_want(struct sim *s, const struct plan_action *a);

/* Bytes of a member's segments, and without any other leg that can be read. */
uint64_t sim_bytes_on(const struct sim *s, uint32_t member, bool only);

#endif
