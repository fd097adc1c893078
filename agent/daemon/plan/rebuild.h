/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stage "plan": the copies that a pool's segments should have and don't.
 *
 * Takes	the segments that lack some, their heat, the members, the time;
 * gives	the next steps, what is closest to being lost first (lib/mend.h).
 *
 * Pure, and as with a member that is emptied the kernel's next list puts right
 * whatever was wrong.
 */
#ifndef ADSHARDD_PLAN_REBUILD_H
#define ADSHARDD_PLAN_REBUILD_H

#include "daemon/plan/plan.h"
#include "lib/mend.h"

#define REBUILD_BAD	8

/* A segment whose copy could not be made. */
struct rebuild_retry {
	uint32_t segment;
	unsigned int attempts;
	int64_t next;			/* not before */
	uint32_t bad[REBUILD_BAD];	/* where it failed */
	unsigned int nr_bad;
	bool given_up;
	char why[128];
};

/* A step that was sent and of whose end we don't know. */
struct rebuild_sent {
	struct ads_mend step;
	uint64_t serial;		/* of the command; 0: not answered yet */
};

struct rebuild {
	bool listed;
	uint64_t serial;		/* of the list */
	struct ads_segment *seg;	/* that lack something, by need */
	size_t nr;
	struct rebuild_sent *sent;
	size_t nr_sent, cap_sent;
	struct rebuild_retry *retry;
	size_t nr_retry, cap_retry;
	size_t nr_short;		/* of the list */
	/* set by rebuild_plan() */
	size_t nr_waiting;		/* for a member that may come back */
	size_t nr_placeless, nr_lost;
	char note[200];			/* why it does not go on, or "" */
	/* the caller's, monotonic seconds */
	double asked;			/* for a list, 0: not waiting for one */
	double listed_at;
};

struct rebuild *rebuild_new(void);
void rebuild_free(struct rebuild *r);	/* NULL is fine */

struct rebuild_input {
	int64_t now;
	const struct config *config;
	struct ads_place_member *members;	/* incoming is counted up */
	size_t nr_members;
	uint32_t *awaited;			/* members that may come back */
	size_t nr_awaited;
	const struct ads_migration *migrations;	/* of this pool, by segment */
	size_t nr_migrations;
};

/* Takes a dump of all segments and keeps what lacks something. -ENOMEM. */
int rebuild_list(struct rebuild *r, const struct kernel_segments *s,
		 const struct heat *heat, const struct rebuild_input *in);

/*
 * Fills the window with the next steps; they count as sent from here on. Returns
 * how many there are in @out.
 */
size_t rebuild_plan(struct rebuild *r, const struct rebuild_input *in,
		    struct ads_mend *out, size_t max);

/* The answer to a step that was sent. */
void rebuild_answer(struct rebuild *r, uint32_t segment, int error,
		    const char *why, uint64_t serial,
		    const struct rebuild_input *in);
/* What an event says of one; @error 0 is done. */
void rebuild_event(struct rebuild *r, uint32_t segment, int error,
		   const char *why, const struct rebuild_input *in);

size_t rebuild_given_up(const struct rebuild *r);
/* Nothing is left but what can't be helped. */
bool rebuild_stuck(const struct rebuild *r);

#endif
