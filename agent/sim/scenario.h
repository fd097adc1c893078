/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is simulated: a pool, its load, and what befalls it. Read from a file, see
 * adshard-sim(1). Times are seconds since the beginning.
 */
#ifndef SIM_SCENARIO_H
#define SIM_SCENARIO_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/plan/core/policy.h"
#include "daemon/plan/core/state.h"
#include "lib/err.h"

#define SIM_CLASSES	8
#define SIM_LOCATIONS	8
#define SIM_LINKS	16
#define SIM_GROUPS	16
#define SIM_LOADS	16
#define SIM_EVENTS	256

/* Members of one kind. */
struct sim_group {
	uint32_t count;
	uint16_t class, location;
	uint64_t size;
	uint32_t per_domain;	/* so many share a failure domain, 0 none do */
	float cost;
	bool spare;
};

enum sim_shape {
	SIM_FLAT,
	SIM_DAY,		/* low, and a peak each day around an hour */
	SIM_TRACE,		/* as volumes that were recorded, see --load */
};

struct sim_load {
	double first, last;	/* share of the volume, 0..1 */
	enum sim_shape shape;
	double mibs, low;	/* at the peak (or the mean, of traces), and else */
	double peak, width;	/* seconds of the day */
	double zipf;		/* exponent of how unequal its segments are */
	double noise;		/* standard deviation of the logarithm */
	double kib;		/* of an access */
};

enum sim_event_kind {
	SIM_SCORE,		/* member's score from @a to @b within @length */
	SIM_FAIL,
	SIM_SLOW,		/* by the factor @a, for @length (0: for good) */
	SIM_STALE,		/* no evidence for @length */
	SIM_LINK,		/* @member is its number; down for @length */
	SIM_IMPORT,		/* @a more segments are written, one a time */
	SIM_FLAP,		/* score changes between @a and @b each look */
};

struct sim_event {
	int64_t time, length;
	enum sim_event_kind kind;
	uint32_t member;
	double a, b;
};

struct scenario {
	char name[64];
	uint64_t seed;
	int64_t length, look;	/* @look: seconds between plans */
	uint64_t segment;
	double fill;		/* share of the room that is used at first */
	uint32_t legs;
	bool sequential;	/* one member after the other is filled */
	int64_t replace;	/* a failed or emptied member, after so long */
	struct plan_class class[SIM_CLASSES];
	uint32_t nr_classes;
	struct plan_location location[SIM_LOCATIONS];
	uint32_t nr_locations;
	struct plan_link link[SIM_LINKS];
	uint32_t nr_links;
	struct sim_group group[SIM_GROUPS];
	uint32_t nr_groups;
	struct sim_load load[SIM_LOADS];
	uint32_t nr_loads;
	struct sim_event event[SIM_EVENTS];
	uint32_t nr_events;
	struct plan_policy policy;
};

/* 0 or -errno; @err says "file:line: what is wrong". */
int scenario_read(const char *path, struct scenario *s, struct ads_err *err);

/* Does it need recorded loads? */
bool scenario_wants_traces(const struct scenario *s);

#endif
