/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Records of many sets: shared by intent.c, which sets intents and calls legs
 * stale, and intent-clear.c.
 */
#ifndef ADS_INTENT_H
#define ADS_INTENT_H

#include <linux/bitmap.h>

#include "meta.h"
#include "set.h"

/* A leg that has become stale with a record. */
struct stale_leg {
	u32 seg;
	u16 member;
};

/*
 * Records of many sets.
 *
 * @set, @nr:	whom it is about
 * @image, @which: what the record says of @set[@which[i]]; as many as txn.nr_segs
 * @started:	of @set: set->started when it was looked at
 * @flushed:	of @set: legs whose members have been flushed since, a bit each
 * @clear:	intents are to go
 * @members:	to be flushed before that
 */
struct ads_set_txn {
	struct ads_txn txn;
	struct ads_pool *pool;
	bool clear;
	unsigned int nr, nr_stale;
	struct ads_set *set[ADS_TXN_SEGS];
	u64 started[ADS_TXN_SEGS];
	u8 flushed[ADS_TXN_SEGS];
	struct ads_fmt_seg image[ADS_TXN_SEGS];
	u8 which[ADS_TXN_SEGS];
	struct ads_seg_change change[ADS_TXN_SEGS];
	struct stale_leg stale[ADS_TXN_SEGS * ADSHARD_MAX_LEGS];
	DECLARE_BITMAP(members, ADSHARD_MAX_MEMBERS);
};

/* 0: the record says what it should. Process context, no locks held. */
int ads_set_txn_commit(struct ads_set_txn *t);

/* As long as there are any: look whether they can go. Process context. */
void ads_intents_clear_later(struct ads_pool *pool);

#endif /* ADS_INTENT_H */
