/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the parts of the planner share while they make one plan.
 *
 * The parts are asked in the order of enum plan_cause, so that what is more urgent
 * takes room, members and segments first. Each adds actions; whatever an action
 * will change is counted at once, so that the next one is chosen knowing it.
 */
#ifndef PLAN_PRIV_H
#define PLAN_PRIV_H

#include "daemon/plan/core/core.h"
#include "daemon/plan/core/cost.h"

/* Who may be a destination; the later ones only if it can't be helped. */
enum work_kind {
	WORK_NORMAL,
	WORK_SPARE,
	WORK_LAST,		/* watched or slow; for rescues */
	WORK_KINDS,
	WORK_NEVER = WORK_KINDS
};

/* A member while planning; positions are those of plan_state.member. */
struct work_member {
	const struct plan_member *m;
	uint8_t band, kind;
	uint16_t group;
	int32_t room;		/* slots that are left, the reserve too */
	int32_t reserve;	/* of these for emptying members only */
	float mibs, load;	/* load: at the horizon, changing with the plan */
	float load_now;
	float per_mib;		/* busy share that a MiB/s of users makes here */
	uint32_t legs;		/* segments on it */
	uint32_t *seg;		/* of these, numbers; only where asked for */
	bool listed;
	bool leaving;		/* is emptied now */
	uint8_t cause;		/* for which, if so */
	float mark;		/* as a destination; higher is better */
	uint32_t place[2];	/* in its heaps */
};

/* Members of one class in one location. */
struct work_group {
	uint16_t class, location;
	float latency_ms;
	float cost;		/* mean of its members */
	uint32_t members;
	uint64_t room;		/* of normal members, beyond the reserve */
	uint64_t all_room[WORK_KINDS];	/* with the reserve */
	uint64_t slots, used;	/* of normal members */
	uint16_t *heap[WORK_KINDS];	/* by mark; a max-heap of positions */
	uint32_t nr[WORK_KINDS];
	uint16_t *idle;		/* by load, idlest first; normal ones */
	uint32_t nr_idle;
};

struct work {
	const struct plan_state *s;
	const struct plan_policy *p;
	struct plan_result *r;
	size_t max_room;	/* allocated in r->action */
	size_t cap_conflicts, cap_problems;
	int error;
	uint16_t pos[PLAN_MEMBERS];	/* of a member's index, PLAN_NONE */
	struct work_member *m;
	struct work_group *group;
	uint32_t nr_groups;
	uint8_t *taken;		/* bit per segment: in an action or on its way */
	uint16_t *pin;		/* per segment: index + 1; NULL without pins */
	uint32_t *lists;	/* what work_member.seg points into */
	float *link_used;	/* of plan_state.link, changing with the plan */
	struct trouble_index {
		uint32_t nr;
		const struct plan_trouble **by_seg;	/* sorted */
	} trouble;
	bool soft;		/* somebody is only to be asked if nobody else may */
	uint32_t *dead;		/* segments with legs that are out of date */
	uint32_t nr_dead;
	size_t cap_refused;
	uint64_t free, slots;	/* of the pool, for replicate.free */
	bool quiet, urgent_work;
};

/* index.c: fills in the above. */
int work_begin(struct work *w, struct ads_err *err);
void work_end(struct work *w);
/* Lists the segments of the members where @want says so. */
int work_list(struct work *w, bool (*want)(const struct work *, uint32_t pos));

static inline bool work_taken(const struct work *w, uint32_t seg)
{
	return w->taken[seg / 8] & 1U << seg % 8;
}

static inline void work_take(struct work *w, uint32_t seg)
{
	w->taken[seg / 8] |= 1U << seg % 8;
}

static inline struct work_member *work_of(const struct work *w, uint16_t index)
{
	return &w->m[w->pos[index]];
}

static inline const struct plan_pin *work_pin(const struct work *w,
					      uint32_t seg)
{
	return w->pin && w->pin[seg] ? &w->s->pin[w->pin[seg] - 1] : NULL;
}

static inline float work_heat(const struct plan_seg *g)
{
	return g->heat_short > g->heat_long ? g->heat_short : g->heat_long;
}

/* MiB/s of its users at the horizon. */
float work_mibs(const struct work *w, const struct plan_seg *g);

/* -- verdict.c -------------------------------------------------------------- */

/* Bands of all members, and who is emptied. */
void work_verdicts(struct work *w);

/* -- dest.c: choosing a destination ------------------------------------------ */

struct work_ask {
	uint32_t seg;
	uint16_t from;		/* index of the leg that goes; NONE: a copy */
	uint8_t cause;
	uint16_t only;		/* this member and no other, or NONE */
	int32_t group;		/* this group and no other, or -1 */
	bool pinned;		/* its pin may be broken no more */
	bool insist;		/* also where it has failed */
	bool full;		/* also where there is no room */
	/* work_dest()'s own: */
	bool careful;		/* not where it is only better than nothing */
	bool near;		/* in the domain of another leg, too */
};

/* It failed, wherever to: not before a while, or never. */
bool work_later(const struct work *w, uint32_t seg);
/* Has @m failed to take it, as far as that counts? */
bool work_failed(const struct work *w, const struct work_ask *a,
		 const struct work_member *m);
/* Has it a leg there that is out of date? */
bool work_is_dead(const struct plan_seg *g, uint16_t index);

int work_heaps(struct work *w);		/* after the verdicts; 0 or -ENOMEM */

/*
 * The best member for it, or PLAN_NONE. Never one that has a leg, or shares a
 * domain with a leg that stays, is full, unreachable or failed to take it.
 */
uint16_t work_dest(struct work *w, const struct work_ask *a);
/* May @m take it, beyond the question whether it is a good idea? */
bool work_may(const struct work *w, const struct work_ask *a,
	      const struct work_member *m);

/* The member's room or load has changed. */
void work_update(struct work *w, struct work_member *m);

/* The idlest member of a group that may take it, or PLAN_NONE. */
uint16_t work_idlest(struct work *w, uint32_t group, const struct work_ask *a);

/* -- act.c ------------------------------------------------------------------- */

/* Adds an action and counts what it changes. NULL: no memory (w->error). */
struct plan_action *work_act(struct work *w, enum plan_do what,
			     enum plan_cause cause, uint32_t seg, uint16_t from,
			     uint16_t to, uint16_t about);
void work_conflict(struct work *w, enum plan_rule rule, enum plan_cause winner,
		   enum plan_cause loser, uint16_t member, uint32_t seg);
/* No member is left that has not failed to take it. */
void work_refused(struct work *w, uint32_t seg);
struct plan_problem *work_problem(struct work *w, enum plan_cause cause,
				  uint16_t member, uint32_t seg,
				  const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));
/* The job, made if it is not there. */
uint32_t work_job(struct work *w, enum plan_cause cause, uint16_t member);

/* Seconds of copying @bytes from @from (NONE: from the best leg) to @to. */
float work_seconds(const struct work *w, const struct plan_seg *g,
		   uint16_t from, uint16_t to, uint64_t bytes);
/* Busy seconds that the members spend on it. */
float work_busy(const struct work *w, uint16_t from, uint16_t to,
		uint64_t bytes);
/* Is the way between two members open? */
bool work_reachable(const struct work *w, uint16_t from, uint16_t to);
/* The link between two locations: its index, or -1. */
int work_link(const struct work *w, uint16_t a, uint16_t b);

/* -- the parts ---------------------------------------------------------------- */

void work_flights(struct work *w);	/* flights.c */
void work_leave(struct work *w);	/* leave.c: rescue, person, evacuate */
void work_wished(struct work *w);	/* leave.c: from here nobody takes them */
void work_rebuild(struct work *w);	/* mend.c: legs that are missing */
void work_recovered(struct work *w);	/* legs.c */
void work_replicate(struct work *w);	/* legs.c */
void work_pins(struct work *w);		/* pins.c */
void work_balance(struct work *w);	/* balance.c */
void work_tier(struct work *w);		/* tier.c: tiers and places */
void work_pace(struct work *w);		/* pace.c: order, and what starts */
void work_figures(const struct work *w, struct plan_figures *f); /* figures.c */

/* Load at which queues are so long; rises steadily, bends up towards 1. */
double work_queue(double load);

/* How likely a member with that score fails within 30 days. */
double work_fails(const struct plan_member *m);
double work_fails_at(double score);

#endif
