/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Placement: which member takes which segment, and which gives one up.
 *
 * Pure functions of their arguments: no I/O, no clock, no random numbers, and
 * the order of the members does not matter (ties go to the lower index), so
 * that the operator's tool and the agent come to the same plan.
 *
 * Two copies of a segment are never on one member, and not on members of one
 * failure domain (a shelf, a controller): what takes one away would take both.
 * A member without a domain is one by itself.
 */
#ifndef ADS_PLACE_H
#define ADS_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/adshard-format.h>

#include "err.h"

struct ads_place_member {
	uint32_t index;
	const char *name;		/* for sentences: "sdb" */
	const char *domain;		/* failure domain; NULL or "": its own */
	uint32_t state;			/* enum adshard_member_state */
	bool present;			/* has a device */
	uint32_t nr_slots, nr_free;
	uint32_t incoming;		/* moves to here that @nr_free doesn't
					 * count yet */
	int score;			/* 0..100, -1 unknown */
	double load;			/* 0 idle .. 1 saturated, < 0 unknown */
	bool spare;			/* only if no other has room */
};

struct ads_place_segment {
	uint32_t segment;
	uint32_t nr_on;			/* members that it is on or goes to: */
	uint32_t on[ADSHARD_MAX_LEGS];	/* never a destination */
	uint32_t nr_with;		/* of these, those where it stays: nor */
	uint32_t with[ADSHARD_MAX_LEGS];	/* another one of their domains */
};

struct ads_place_opts {
	int max_score;			/* destinations above it are refused;
					 * 0: ADS_PLACE_MAX_SCORE */
	const uint32_t *exclude;	/* member indexes never to use */
	size_t nr_exclude;
	bool same_domain;		/* two copies in one domain if there is
					 * no other way, rather than none */
	const char *same_domain_how;	/* for the sentence: what would set it;
					 * NULL: nothing is said of it */
};

#define ADS_PLACE_MAX_SCORE	50
#define ADS_PLACE_NONE		UINT32_MAX

/*
 * Chooses dst[i], a member index, for every segs[i], in the order given.
 *
 * Returns 0 if all have a destination. -ENOSPC: too little room; dst[] is
 * filled in as far as it went, ADS_PLACE_NONE for the others, and the sentence
 * says what is needed and what there is ("needs 12 slots, 9 free on sdb, sdc").
 * -EXDEV: the same, but there is room: only not in other failure domains.
 * -ENODEV: no member may take anything; the sentence says why for each.
 */
int ads_place(const struct ads_place_member *members, size_t nr_members,
	      const struct ads_place_segment *segs, size_t nr_segs,
	      const struct ads_place_opts *opts_or_null, uint32_t *dst,
	      struct ads_err *err);

/* May a copy be on @member beside those that stay, but for its room? */
bool ads_place_apart(const struct ads_place_member *members, size_t nr_members,
		     const struct ads_place_segment *seg, uint32_t member);

/* Free slots on members that ads_place() may use: what a plan may need. */
uint64_t ads_place_room(const struct ads_place_member *members,
			size_t nr_members,
			const struct ads_place_opts *opts_or_null);

/* A copy that a segment has, for choosing those that go. */
struct ads_place_leg {
	uint32_t member;		/* index */
	bool sync;			/* it has all that was written */
};

/*
 * Which copy is the first to go: the place in @legs of one that is out of date,
 * or else on a member that fails, is being emptied or is missing, or else one
 * that shares a failure domain, or else on the fullest member; of equals the last
 * one. -1: all are needed, for it would be the only one that is in sync and can be
 * read.
 */
int ads_place_drop(const struct ads_place_member *members, size_t nr_members,
		   const struct ads_place_leg *legs, size_t nr_legs,
		   const struct ads_place_opts *opts_or_null);

#endif
