// SPDX-License-Identifier: GPL-2.0-only
/*
 * The journal ring.
 *
 * A record is one block, written with FUA, so a power cut leaves the old block,
 * the new one, or one that fails its checksum. It carries post-images: applying
 * it to a table that already has it changes nothing.
 *
 * Records form a chain: each names its sequence and the plain checksum of the
 * one before. The second is what makes a member that missed a beat harmless.
 * Say member D alone took record 7 and the pool was activated without seeing it
 * (D's block could not be read just then), so that there is another record 7 on
 * the others. D's ring may go on with 8, 9, ... as everybody's does, but 8 names
 * the other 7, so D's own chain ends at its 7, below the rest, and what it says
 * there is never applied under the records that came after.
 */
#include <linux/blkdev.h>
#include <linux/device-mapper.h>

#include "journal.h"
#include "pool.h"
#include "table.h"

static void add_change(struct adshard_record *rec, const struct ads_change *chg)
{
	const void *payload = &chg->seg;
	u16 bytes = sizeof(chg->seg);

	switch (chg->type) {
	case ADSHARD_ENTRY_MEMBER:
		payload = &chg->member;
		bytes = sizeof(chg->member);
		break;
	case ADSHARD_ENTRY_BAD:
		payload = &chg->bad;
		bytes = sizeof(chg->bad);
		break;
	}
	/* ADS_TXN_MAX of the largest ones fit by far. */
	WARN_ON_ONCE(!ads_fmt_record_add(rec, chg->type, chg->index, payload,
					 bytes));
}

static void add_changes(struct adshard_record *rec, const struct ads_txn *txn,
			bool undo)
{
	unsigned int i;

	for (i = 0; i < txn->nr; i++)
		add_change(rec, undo ? &txn->undo[i] : &txn->redo[i]);
	for (i = 0; i < txn->nr_segs; i++)
		WARN_ON_ONCE(!ads_fmt_record_add(rec, ADSHARD_ENTRY_SEG,
						 txn->segs[i].seg,
						 undo ? &txn->segs[i].undo :
							&txn->segs[i].redo,
						 sizeof(txn->segs[i].redo)));
}

u8 ads_journal_write(struct ads_meta *meta, u8 mask, const struct ads_state *st,
		     const struct ads_txn *txn, bool undo)
{
	u32 before[ADSHARD_META_MEMBERS];
	struct adshard_record *first = NULL;
	unsigned int i, k, try;
	u8 failed = 0, left = mask;
	u64 block;

	BUILD_BUG_ON(ADS_TXN_MAX * (sizeof(struct adshard_entry) +
				    sizeof(struct adshard_member)) >
		     sizeof_field(struct adshard_record, entries));

	for (i = 0; i < ADSHARD_META_MEMBERS; i++) {
		struct adshard_record *rec = meta->slot[i].io->block[0];

		if (!(mask & 1U << i))
			continue;
		if (first) {
			memcpy(rec, first, sizeof(*rec));
		} else {
			first = rec;
			ads_fmt_record_init(rec, st, meta->last_crc);
			add_changes(rec, txn, undo);
			/* The same on all: the block's own crc is not in it. */
			meta->last_crc = ads_fmt_record_sum(rec);
		}
		ads_fmt_record_seal(rec, &meta->geo, meta->slot[i].uuid);
	}

	block = (u64)meta->geo.journal_block +
		ads_fmt_ring_index(&meta->geo, st->seq);
	for (try = 0; left && try < ADS_META_TRIES; try++) {
		ads_meta_count_flushes(meta, left, before);
		k = ads_meta_write(meta, left, block, 1, REQ_FUA);
		failed |= k;
		/* FUA may be a write and a flush, and anybody's flush between. */
		left = ads_meta_flushes_failed(meta, left & ~k, before);
	}
	return failed | left;
}

static void scan_block(const struct ads_geometry *geo, const u8 *uuid,
		       const struct adshard_record *rec, u32 index,
		       struct ads_ring_rec *found)
{
	struct ads_state st = {};
	int err;

	memset(found, 0, sizeof(*found));
	err = ads_fmt_record_check(rec, geo, uuid, index, &st, NULL);
	if (err == -EBADMSG)
		return;			/* never written, torn, or rotten */
	found->at.seq = st.seq;
	found->at.term = st.term;
	found->at.sum = ads_fmt_record_sum(rec);
	found->prev = le32_to_cpu(rec->prev_crc);
	found->usable = !err;
}

void ads_journal_scan(const struct ads_geometry *geo, struct ads_mio *io,
		      struct block_device *bdev, const u8 *uuid,
		      struct ads_ring_rec *ring)
{
	u32 done, nr, i;

	for (done = 0; done < geo->journal_blocks; done += nr) {
		nr = min(geo->journal_blocks - done, io->nr_blocks);
		/* What can't be read has become zero: no record. */
		ads_mio_read(io, bdev, (u64)geo->journal_block + done, nr);
		for (i = 0; i < nr; i++) {
			scan_block(geo, uuid, io->block[i], done + i,
				   &ring[done + i]);
			ring[done + i].unread = test_bit(i, io->bad);
		}
	}
}

void ads_journal_rescan(const struct ads_geometry *geo, struct ads_mio *io,
			struct block_device *bdev, const u8 *uuid,
			struct ads_ring_rec *ring, u32 index)
{
	ads_mio_read(io, bdev, (u64)geo->journal_block + index, 1);
	scan_block(geo, uuid, io->block[0], index, &ring[index]);
	ring[index].unread = test_bit(0, io->bad);
}

const struct ads_ring_rec *ads_journal_next(const struct ads_geometry *geo,
					    const struct ads_ring_rec *ring,
					    const struct ads_link *at)
{
	const struct ads_ring_rec *rec;

	rec = &ring[ads_fmt_ring_index(geo, at->seq + 1)];
	if (rec->at.seq != at->seq + 1 || !rec->usable || rec->prev != at->sum)
		return NULL;
	return rec;
}

int ads_journal_read(const struct ads_geometry *geo, struct ads_mio *io,
		     struct block_device *bdev, const u8 *uuid,
		     const struct ads_link *at, struct ads_state *st)
{
	const struct adshard_record *rec = io->block[0];
	u32 index = ads_fmt_ring_index(geo, at->seq);
	int err;

	err = ads_mio_read(io, bdev, (u64)geo->journal_block + index, 1);
	if (err)
		return err;
	err = ads_fmt_record_check(rec, geo, uuid, index, st, NULL);
	if (err)
		return err;
	/* It may have rotted since the scan, but not turned into another. */
	if (st->seq != at->seq || ads_fmt_record_sum(rec) != at->sum)
		return -EIO;
	return 0;
}

int ads_journal_apply(struct ads_pool *pool, const struct ads_geometry *geo,
		      const struct adshard_record *rec, const char **why)
{
	struct ads_entry e;
	u32 pos = 0;
	int err = 0;

	while (!err && ads_fmt_record_next(rec, &pos, &e)) {
		switch (e.type) {
		case ADSHARD_ENTRY_SEG:
			err = ads_table_put_seg(pool, e.index, e.seg, why);
			break;
		case ADSHARD_ENTRY_BAD:
			err = ads_bad_put(pool, geo, e.index, e.bad, why);
			break;
		default:
			err = ads_table_put_member(pool, geo, e.index, e.member,
						   why);
		}
	}
	return err;
}
