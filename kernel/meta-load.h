/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The inside of an activation: meta-scan.c looks at the devices, meta-state.c
 * finds the state, meta-check.c judges whether it can be relied upon and served,
 * meta-load.c drives them and takes over.
 */
#ifndef ADS_META_LOAD_H
#define ADS_META_LOAD_H

#include "journal.h"
#include "meta-core.h"

/**
 * struct ads_try - a table area of a device
 * @table:	the record that its header stands for
 * @end:	where the records lead from there, on all members together
 * @broken:	it was tried and is not whole
 */
struct ads_try {
	bool valid, tried, broken;
	u64 history;
	struct ads_link table;
	struct ads_link end;
};

/**
 * struct ads_seen - a device of the table line
 * @ring:	what is in its ring; NULL if nobody thinks it has one
 * @rescans:	places of the ring that could not be read at a second try either
 */
struct ads_seen {
	struct block_device *bdev;
	struct ads_super sb;
	bool probe;
	struct ads_try try[2];
	struct ads_ring_rec *ring;
	unsigned int rescans;
};

/**
 * struct ads_load - an activation under way
 * @degraded:	go on without what is missing
 * @gone:	by member: missing and needed, so it fails; NULL without @degraded
 * @nr_gone:	how many
 * @unreadable:	segments on missing members
 * @top:	highest sequence seen in any header or record
 * @forked:	two members have different records of one sequence and term
 * @st:		the state that was chosen, after record @end
 * @chosen:	the member whose table in @area it was loaded from
 */
struct ads_load {
	struct ads_pool *pool;
	struct ads_meta *meta;
	struct ads_geometry geo;
	struct ads_mio *io;
	struct ads_seen *seen;
	unsigned int nr;

	bool degraded;
	unsigned long *gone;
	u32 nr_gone;
	u32 unreadable;
	u64 top;
	bool forked;
	struct ads_state st;
	struct ads_link end;
	struct ads_seen *chosen;
	unsigned int area;

	struct adshard_super raw;
};

/* Does @at say the same as what was chosen? */
static inline bool ads_load_chosen(const struct ads_load *l,
				   const struct ads_link *at)
{
	return at->seq == l->end.seq && at->sum == l->end.sum;
}

/* Fill in @seen and @top. */
int ads_load_devices(struct ads_load *l);
/* Choose the state: @st, @end, @chosen, @area; the map and the members in core. */
int ads_load_state(struct ads_load *l);
/* The end of the chain from @at on @only (NULL: on all members together). */
struct ads_link ads_load_chain_end(const struct ads_load *l,
				   const struct ads_seen *only,
				   struct ads_link at);
/* The device of member @index, NULL if it was not given. */
struct ads_seen *ads_load_find(struct ads_load *l, u16 index);
/* Every metadata member is here, and took part in all that was found. */
int ads_load_check_set(struct ads_load *l);
/* Nothing can follow the end that was found. */
int ads_load_check_end(struct ads_load *l);
/* With l->degraded: it is missing, and fails. */
void ads_load_gone(struct ads_load *l, u32 index);
/* Say that member @index is missing and why that matters. */
void ads_load_missing(struct ads_load *l, u32 index, const char *because);
/* The devices into pool->members[]: who is who, and what fits. */
int ads_load_members(struct ads_load *l);
/* Every segment has a place, on a device that is here, and no other has it. */
int ads_load_segments(struct ads_load *l);

#endif /* ADS_META_LOAD_H */
