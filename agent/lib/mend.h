/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mending: what a segment's copies lack, and the next thing to do about it.
 *
 * Pure, like the placement that it asks for destinations: the operator's tool and
 * the agent do the same. One step at a time, for the kernel does one thing with a
 * segment at a time; whoever has done it asks again.
 */
#ifndef ADS_MEND_H
#define ADS_MEND_H

#include "nl.h"
#include "place.h"

enum ads_mend_act {
	ADS_MEND_NOTHING,	/* it has what it should have, or is being seen to */
	ADS_MEND_RESYNC,	/* fill the stale leg on @dst again, where it is */
	ADS_MEND_ADD,		/* one more leg, on @dst */
	ADS_MEND_REPLACE,	/* the leg on @src, which is of no use, by one on @dst */
	ADS_MEND_DROP,		/* the leg on @src: it is of no use, and not missed */
	ADS_MEND_LOST,		/* no leg can be read: nothing can be done here */
};

struct ads_mend {
	enum ads_mend_act act;
	uint32_t segment;
	uint32_t src, dst;		/* member indexes, or ADS_PLACE_NONE */
};

/* Legs that are in sync and on a member that is there: what can be relied on. */
uint32_t ads_mend_good(const struct ads_place_member *members, size_t nr_members,
		       const struct ads_segment *seg);

/*
 * The next step for @seg. A destination is counted as @incoming; a member that
 * @opts excludes is not filled again, either. An error of ads_place() with its
 * sentence if there is none; *out then says what for.
 */
int ads_mend(struct ads_place_member *members, size_t nr_members,
	     const struct ads_segment *seg, const struct ads_place_opts *opts,
	     struct ads_mend *out, struct ads_err *err);

/* What @seg will be after @m: to plan more than one step. */
void ads_mend_apply(struct ads_segment *seg, const struct ads_mend *m);

/*
 * The leg to be dropped next if @seg is to have only @keep that are good: a member
 * index, ADS_PLACE_NONE if it has no more than that.
 */
uint32_t ads_mend_surplus(const struct ads_place_member *members,
			  size_t nr_members, const struct ads_segment *seg,
			  uint32_t keep);

/*
 * For sorting: what is closest to being lost first, and of what is equally close
 * what is used most. @heat: of any unit.
 */
struct ads_mend_rank {
	uint32_t good, wanted;
	double heat;
	uint32_t segment;
};
int ads_mend_compare(const void *a, const void *b);

#endif
