/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The journal ring: one record per change.
 */
#ifndef ADS_JOURNAL_H
#define ADS_JOURNAL_H

#include "meta-core.h"

/* What identifies the state after a record: the record itself. */
struct ads_link {
	u64 seq;
	u64 term;
	u32 sum;			/* plain checksum of the record */
};

/*
 * One place of a member's ring, as found. @at.seq is 0 for none; a record that
 * is whole but not understood has a sequence and is not @usable. @unread: an
 * error of the disk, or one before it took too long: there may be anything.
 */
struct ads_ring_rec {
	struct ads_link at;
	u32 prev;
	bool usable;
	bool unread;
};

/*
 * Build the record of @txn, or of what takes it back, that leads to @st and write
 * it to all members in @mask at once; the caller has flushed them. Returns the
 * mask of those that failed; sets meta->last_crc.
 */
u8 ads_journal_write(struct ads_meta *meta, u8 mask, const struct ads_state *st,
		     const struct ads_txn *txn, bool undo);

/* Read the ring of a member into @ring[geo->journal_blocks]. */
void ads_journal_scan(const struct ads_geometry *geo, struct ads_mio *io,
		      struct block_device *bdev, const u8 *uuid,
		      struct ads_ring_rec *ring);

/* Read one place of a ring again. */
void ads_journal_rescan(const struct ads_geometry *geo, struct ads_mio *io,
			struct block_device *bdev, const u8 *uuid,
			struct ads_ring_rec *ring, u32 index);

/*
 * The record after @at in @ring, NULL if it isn't there: it must have the next
 * sequence and name @at as its predecessor.
 */
const struct ads_ring_rec *ads_journal_next(const struct ads_geometry *geo,
					    const struct ads_ring_rec *ring,
					    const struct ads_link *at);

/* Read the record @at again, into @io->block[0]. -EIO if it isn't that one. */
int ads_journal_read(const struct ads_geometry *geo, struct ads_mio *io,
		     struct block_device *bdev, const u8 *uuid,
		     const struct ads_link *at, struct ads_state *st);

/* Put the entries of a record that was read into the core; not yet shared. */
int ads_journal_apply(struct ads_pool *pool, const struct ads_geometry *geo,
		      const struct adshard_record *rec, const char **why);

#endif /* ADS_JOURNAL_H */
