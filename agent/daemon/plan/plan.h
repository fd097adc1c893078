/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stage "plan": what to do about members at risk, and which segment goes where.
 *
 * Takes	scores, the kernel's view of members and migrations, the segments
 *		of a draining member, their heat, the time;
 * gives	members to drain or to release (plan_decide), moves to queue
 *		(plan_moves), what can't be moved and why.
 *
 * Pure: no I/O, no clock. The kernel holds the truth: after a restart, or if
 * somebody else moved something, the next list puts everything right.
 */
#ifndef ADSHARDD_PLAN_H
#define ADSHARDD_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/collect/kernel.h"
#include "daemon/config.h"
#include "lib/nl.h"
#include "lib/place.h"

/* -- heat: accesses per second and segment, smoothed ----------------------- */

struct heat {
	uint32_t nr;
	double time;		/* of the last counters, monotonic seconds */
	struct heat_segment {
		uint32_t reads, writes;	/* counters as last seen */
		float rate;
		float slow;	/* the same, with HEAT_SLOW half-lives for one */
	} *seg;
};

#define HEAT_SLOW	24

/*
 * Takes the counters of a dump of all segments. They wrap around; a first dump
 * gives no rates. -ENOMEM.
 */
int heat_update(struct heat **h, const struct ads_segment *segs, size_t n,
		uint32_t nr_segments, double now, long half_life);
void heat_free(struct heat *h);		/* NULL is fine */

/*
 * For ordering: the rate, and as long as there is none a trace of the bare
 * counters of @seg.
 */
double heat_of(const struct heat *h, const struct ads_segment *seg);

/* Sampled accesses per second, by the one and the other half-life; 0 unknown. */
double heat_rate(const struct heat *h, uint32_t segment);
double heat_slow(const struct heat *h, uint32_t segment);

/* -- deciding -------------------------------------------------------------- */

enum plan_act {
	DECIDE_NOTHING,
	DECIDE_DRAIN,
	DECIDE_ONLINE,		/* it was a false alarm: takes data again */
};

struct plan_candidate {
	/* in */
	uint32_t state;		/* enum adshard_member_state */
	bool present;
	bool at_risk;		/* risk_track */
	int score;		/* fresh, -1: no fresh evidence */
	bool settling;		/* drives of its model are being asked */
	bool suspect;		/* fleet_check() */
	bool by_agent;		/* we set it draining */
	bool approved;		/* the operator said yes, though the mode asks */
	bool busy;		/* is being emptied right now */
	int64_t hold_until;
	uint64_t room;		/* slots on other members that may take */
	uint32_t nr_segments;
	/* out */
	enum plan_act act;
	bool wanted;		/* should be drained, whether it is or not */
	char why[160];		/* why @act is not DECIDE_DRAIN though @wanted */
};

/* All members of one pool. At most plan.evacuations are busy at once; the
 * highest score goes first. */
void plan_decide(struct plan_candidate *c, size_t n, int64_t now,
		 const struct config *config);

/* -- emptying a member ----------------------------------------------------- */

struct plan_segment {
	uint32_t index;
	uint32_t state;		/* enum adshard_segment_state */
	bool gone;		/* an event said so since the list was made */
	double heat;
	uint32_t nr_on;
	uint32_t on[ADSHARD_MAX_LEGS];
};

/* A move that was queued and of whose end we don't know. */
struct plan_sent {
	uint32_t segment, dst;
	uint64_t serial;	/* of the command; 0: not answered yet */
};

/* A segment that could not be moved. */
struct plan_retry {
	uint32_t segment;
	unsigned int attempts;
	int64_t next;		/* not before */
	uint32_t bad[4];	/* destinations of the last attempts */
	unsigned int nr_bad;
	uint8_t refused[ADSHARD_MAX_MEMBERS / 8];	/* could not take it: never
							 * again */
	unsigned int nr_refused;
	bool given_up;
	char why[128];
};

struct drain {
	bool listed;
	uint64_t serial;	/* of the list */
	struct plan_segment *seg;	/* hottest first */
	size_t nr, nr_gone;
	struct plan_sent *sent;
	size_t nr_sent, cap_sent;
	struct plan_retry *retry;	/* by segment */
	size_t nr_retry, cap_retry;
	uint32_t faults[ADSHARD_MAX_MEMBERS];	/* segments that could not be
						 * written to this member */
	unsigned int nr_faulty;		/* members with such */
	/* set by plan_moves() */
	uint64_t no_room;	/* segments that fit nowhere */
	char note[200];		/* why it does not go on, or "" */
	/* the caller's, monotonic seconds */
	double asked;		/* for a list, 0: not waiting for one */
	double listed_at;
};

struct drain *drain_new(void);
void drain_free(struct drain *d);	/* NULL is fine */

/*
 * Takes a dump of the segments with a leg on the member. Moves that were sent
 * before it was made and are neither on their way nor done have failed.
 */
int drain_list(struct drain *d, const struct kernel_segments *s,
	       const struct heat *heat, int64_t now, const struct config *c);

/* The answer to a queued move. */
void drain_answer(struct drain *d, uint32_t segment, int error,
		  const char *why, uint64_t serial, int64_t now,
		  const struct config *c);
/*
 * What an event says of one: @error 0 is done. @blame: the destination, if it
 * could not be written, else ADS_PLACE_NONE. Such a segment goes elsewhere at
 * once, to each member at most once; what fails otherwise is tried again later.
 */
void drain_event(struct drain *d, uint32_t segment, int error, const char *why,
		 uint32_t blame, int64_t now, const struct config *c);

size_t drain_left(const struct drain *d);	/* segments still there */
size_t drain_given_up(const struct drain *d);	/* of these */
/* Nothing is left but segments that were given up. */
bool drain_stuck(const struct drain *d);

struct plan_input {
	int64_t now;
	const struct config *config;
	uint32_t source;			/* member index */
	struct ads_place_member *members;	/* incoming is counted up */
	size_t nr_members;
	const struct ads_migration *migrations;	/* of this pool, by segment */
	size_t nr_migrations;
};

struct plan_move {
	uint32_t segment, dst;
};

/*
 * Fills the member's window with the hottest segments that fit; the moves count
 * as sent from here on. Returns how many there are in @out.
 */
size_t plan_moves(struct drain *d, const struct plan_input *in,
		  struct plan_move *out, size_t max);

#endif
