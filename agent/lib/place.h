/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Placement: which member takes which segment.
 *
 * A pure function of its arguments: no I/O, no clock, no random numbers, and
 * the order of the members does not matter (ties go to the lower index), so
 * that the operator's tool and the agent come to the same plan.
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
};

struct ads_place_opts {
	int max_score;			/* destinations above it are refused;
					 * 0: ADS_PLACE_MAX_SCORE */
	const uint32_t *exclude;	/* member indexes never to use */
	size_t nr_exclude;
};

#define ADS_PLACE_MAX_SCORE	50
#define ADS_PLACE_NONE		UINT32_MAX

/*
 * Chooses dst[i], a member index, for every segs[i], in the order given.
 *
 * Returns 0 if all have a destination. -ENOSPC: too little room; dst[] is
 * filled in as far as it went, ADS_PLACE_NONE for the others, and the sentence
 * says what is needed and what there is ("needs 12 slots, 9 free on sdb, sdc").
 * -ENODEV: no member may take anything; the sentence says why for each.
 */
int ads_place(const struct ads_place_member *members, size_t nr_members,
	      const struct ads_place_segment *segs, size_t nr_segs,
	      const struct ads_place_opts *opts_or_null, uint32_t *dst,
	      struct ads_err *err);

/* Free slots on members that ads_place() may use: what a plan may need. */
uint64_t ads_place_room(const struct ads_place_member *members,
			size_t nr_members,
			const struct ads_place_opts *opts_or_null);

#endif
