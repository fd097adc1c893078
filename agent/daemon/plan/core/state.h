/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the planner is told: a pool as it is now, in plain numbers.
 *
 * Whoever calls owns all of it. Nothing is kept from one plan to the next but
 * what is in here, so that a plan can be made again out of a record of its state.
 */
#ifndef PLAN_STATE_H
#define PLAN_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"

#define PLAN_LEGS	4
#define PLAN_MEMBERS	1024
#define PLAN_NONE	UINT16_MAX	/* no member */
#define PLAN_NO_SEG	UINT32_MAX	/* no segment */
#define PLAN_NAME	32

/* How far ahead a load was forecast. */
enum plan_horizon {
	PLAN_NOW, PLAN_30M, PLAN_3H, PLAN_24H, PLAN_HORIZONS
};
extern const long plan_horizon_seconds[PLAN_HORIZONS];

/* In which state the kernel has a member. */
enum plan_member_state {
	PLAN_ONLINE, PLAN_DRAINING, PLAN_DRAINED, PLAN_FAILED,
	PLAN_ABSENT,		/* there is no device */
};

/* What is thought of a member, by its score and what went before. */
enum plan_band {
	PLAN_OK,
	PLAN_WATCH,		/* gets no new data; single segments a copy */
	PLAN_EMPTY,		/* is emptied, as the load allows */
	PLAN_RESCUE,		/* is emptied, whatever the load */
	PLAN_LOST,		/* failed: what it had is rebuilt */
	PLAN_BANDS
};

/* How the band came to be: given back with each plan, handed in with the next. */
struct plan_track {
	uint8_t band;		/* enum plan_band, before this plan */
	uint8_t above;		/* looks above drain, in a row */
	int64_t evidence;	/* time of the last look that counted */
	int64_t since;		/* in this band since */
	int64_t quiet;		/* below release or recover since, 0 */
	int64_t suspect;	/* suspected to be misread since, 0 */
};

struct plan_member {
	uint16_t index;		/* of the kernel; ascending in the array */
	char name[PLAN_NAME];	/* for sentences */
	uint8_t state;		/* enum plan_member_state */
	bool by_agent;		/* draining: the agent said so, not a person */
	bool spare;		/* takes data only if no other has room */
	bool suspect;		/* many drives of its model rose at once */
	bool slow;		/* found fail-slow: not a destination */
	bool refuses;		/* could not take a segment lately: takes others
				 * only if nobody else can */
	bool parked;		/* what is left on it can't or may not be moved:
				 * keeps no other from being emptied */
	bool awaited;		/* absent, and may come back: nothing is done
				 * about its legs yet */
	uint32_t slots;
	uint32_t used;		/* legs here, those being filled too */
	uint32_t reserved;	/* slots that nobody may take */
	int16_t score;		/* 0..100; -1: no fresh evidence */
	int64_t evidence;	/* when what dominates the score was seen */
	float fails;		/* probability within 30 days, < 0: by the score */
	int64_t hold_until;	/* not drained by itself before (a person
				 * cancelled), 0 */
	struct plan_track track;
	uint16_t class;		/* index of plan_state.class */
	uint16_t location;	/* index of plan_state.location */
	uint16_t domain;	/* those of one fail together; 0: alone */
	float cost;		/* of a GiB for a month, any unit */
	float weight;		/* share of data that it should have, 1 usual */
	/*
	 * Busy share 0..1 now, and the quantile of its forecast: the highest
	 * until that horizon. < 0 unknown.
	 */
	float load[PLAN_HORIZONS];
	float mibs, iops;	/* what it can do, 0: as its class */
};

struct plan_class {
	char name[PLAN_NAME];
	float latency_ms;	/* of a small read, without a queue */
	float mibs, iops;	/* of a member of it */
};

struct plan_location {
	char name[PLAN_NAME];
	float rtt_ms;		/* from where the volume is used, 0: there */
};

/* Between two locations, either way. Without a link there is no limit. */
struct plan_link {
	uint16_t a, b;		/* indexes of plan_state.location */
	float mibs;		/* budget; 0: it is down */
	float used;		/* now, by whatever is not a move of ours */
};

/* A segment that is bad can't be read everywhere; one that is blank was never
 * written, so that moving it costs next to nothing. */
#define PLAN_SEG_BAD	0x01
#define PLAN_SEG_BLANK	0x02
#define PLAN_SEG_BUSY	0x04	/* the kernel has it in hand: hands off */

struct plan_seg {
	uint16_t leg[PLAN_LEGS];	/* members that have all of it, by index */
	uint8_t nr_legs;	/* 0: there is no such segment, or it is lost */
	uint16_t dead[PLAN_LEGS];	/* members with a leg that is out of date:
				 * holds a slot, and can't be read */
	uint8_t nr_dead;
	uint8_t wanted;		/* legs it should have, by its owner; 0 is 1 */
	uint8_t extra;		/* legs that the agent added for a risk */
	uint8_t flags;
	float heat_short, heat_long;	/* accesses per second, two half-lives */
	float mibs;		/* of its users, now */
	float mibs_next;	/* quantile of the forecast; < 0: as its member's */
	uint32_t rest_until;	/* seconds since the epoch, 0 */
};

enum plan_pin_kind {
	PLAN_PIN_CLASS,		/* value: index of a class */
	PLAN_PIN_MEMBER,	/* index of a member (kernel's) */
	PLAN_PIN_LOCATION,	/* index of a location */
	PLAN_PIN_STAY,		/* where it is, unless it is at risk */
};

/* Of a segment in several, the last one counts. */
struct plan_pin {
	uint32_t id;
	uint32_t first, count;
	uint8_t kind;
	uint16_t value;
};

/* What a person asked for. */
enum plan_wish_kind {
	PLAN_WISH_EVACUATE,	/* @member */
	PLAN_WISH_MIGRATE,	/* @segment from @member (NONE: any) to @to (NONE: any) */
};

struct plan_wish {
	uint32_t id;
	uint8_t kind;
	uint16_t member, to;
	uint32_t segment;
};

/*
 * Why something is done: in this order, the first wins. It also names the job that
 * an action belongs to, together with the member that it is about.
 */
enum plan_cause {
	PLAN_BY_RESCUE,		/* a member above rescue, or one that failed */
	PLAN_BY_PERSON,
	PLAN_BY_REBUILD,	/* fewer legs than its owner wants */
	PLAN_BY_EVACUATE,
	PLAN_BY_RECOVERED,	/* an extra leg that is needed no more */
	PLAN_BY_REPLICATE,
	PLAN_BY_PIN,
	PLAN_BY_BALANCE,
	PLAN_BY_TIER,
	PLAN_BY_PLACE,
	PLAN_CAUSES
};

/* What the kernel is doing. */
struct plan_flight {
	uint32_t segment;
	uint16_t from;		/* NONE: a copy is added */
	uint16_t to;
	uint8_t cause;		/* PLAN_BY_PERSON if it is not the agent's */
	bool aborting;
	uint64_t bytes, done;
	int64_t started;
};

/* A move that failed: not again before @until. */
struct plan_trouble {
	uint32_t segment;
	uint16_t to;		/* NONE: wherever it goes */
	int64_t until;		/* INT64_MAX: never */
	bool soft;		/* better to another member, but there if need be */
};

/* What a person said of a job, named by cause and member. */
struct plan_order {
	uint8_t cause;
	uint16_t member;	/* NONE: of all jobs of the cause */
	bool paused, cancelled;
	int8_t priority;	/* -10 .. 10, 0 usual: doubles its share at 3 */
};

struct plan_cost;		/* cost.h */

struct plan_state {
	int64_t now;		/* seconds since the epoch */
	unsigned int minute;	/* of the local day */
	uint64_t segment_size;
	uint64_t spent;		/* bytes that could have waited, moved today */
	bool paused;		/* nothing new is started */
	struct plan_member *member;
	uint32_t nr_members;
	struct plan_seg *seg;	/* number i is segment i of the volume */
	uint32_t nr_segs;
	struct plan_class *class;
	uint32_t nr_classes;
	struct plan_location *location;
	uint32_t nr_locations;
	struct plan_link *link;
	uint32_t nr_links;
	struct plan_pin *pin;
	uint32_t nr_pins;
	struct plan_wish *wish;
	uint32_t nr_wishes;
	struct plan_flight *flight;
	uint32_t nr_flights;
	struct plan_trouble *trouble;
	uint32_t nr_troubles;
	struct plan_order *order;
	uint32_t nr_orders;
	const struct plan_cost *cost;	/* what was learned, NULL nothing */
	float pace;		/* factor of pace.pool, 0: 1 (bandit.h) */
};

/*
 * Is every index in its array, every number finite? -EINVAL with a sentence that
 * names what is not. plan_run() asks this first.
 */
int plan_state_check(const struct plan_state *s, struct ads_err *err);

const char *plan_band_name(enum plan_band b);		/* "drain" */
const char *plan_cause_name(enum plan_cause c);		/* "balance" */

#endif
