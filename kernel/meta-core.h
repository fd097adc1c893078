/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The inside of the metadata: shared by meta*.c, journal.c, table.c, super.c.
 */
#ifndef ADS_META_CORE_H
#define ADS_META_CORE_H

#include <linux/mutex.h>

#include "format.h"
#include "meta.h"
#include "metaio.h"

struct ads_pool;

/* A word that is no place: a segment that the table being read left out. */
#define ADS_WORD_NONE	(~0ULL)

/*
 * Records that a commit may write after it has looked at the ring: one for each
 * metadata member that it loses on the way, and two that everybody takes (redo
 * and undo).
 */
#define ADS_META_SPARE	(ADSHARD_META_MEMBERS + 2)

/**
 * struct ads_meta_slot - place i of the metadata set, as in state.meta_member
 * @member:	ADSHARD_NO_MEMBER: empty
 * @io:		ADS_MIO_BATCH blocks: the checksum makes every member's differ
 */
struct ads_meta_slot {
	u16 member;
	struct block_device *bdev;
	u8 uuid[ADSHARD_UUID_SIZE];
	struct ads_mio *io;
};

/**
 * struct ads_meta - the metadata of a loaded pool
 * @lock:	one commit at a time; all below but @geo and where noted
 * @st:		what the last record says that is durable everywhere
 * @seq:	the last sequence that was used, successfully or not; read without
 *		the lock for status
 * @last_crc:	plain checksum of the last record written
 * @active:	bit i: slot[i] takes records. A member that failed is out at once,
 *		before the record that says so; status reads it without the lock.
 * @readonly:	no member takes records any more
 * @area:	the table area written last, the same one on all active members
 * @table_seq:	the least sequence that it has on any of them
 * @dirty:	by area, a bit per body block: changed since that area was written
 * @sums:	plain checksum of the image of every body block not dirty in both
 * @sb_seq:	highest superblock sequence
 * @named:	by place, whom the superblocks name; see super.c
 * @lost:	members dropped in the current commit, to be reported by its end
 */
struct ads_meta {
	struct mutex lock;		/* see @lock above */
	struct ads_pool *pool;
	struct ads_geometry geo;
	struct ads_state st;
	u64 seq;
	u32 last_crc;
	u8 active;
	bool readonly;
	struct ads_meta_slot slot[ADSHARD_META_MEMBERS];

	unsigned int area;
	u64 table_seq;
	u32 nr_body;
	unsigned long *dirty[2];
	u32 *sums;

	u64 sb_seq;
	u16 named[ADSHARD_META_MEMBERS];
	u16 lost[ADSHARD_META_MEMBERS];
	unsigned int nr_lost;
};

/* meta.c */

/* Everything that depends on the geometry only. */
struct ads_meta *ads_meta_alloc(struct ads_pool *pool,
				const struct ads_geometry *geo);
void ads_meta_free(struct ads_meta *meta);
/* pool->map, heat, members for @st and what may join; and back. */
int ads_core_alloc(struct ads_pool *pool, const struct ads_geometry *geo,
		   const struct ads_state *st);
void ads_core_free(struct ads_pool *pool);
/* Put @member in place @i, inactive; ADSHARD_NO_MEMBER empties it. */
void ads_meta_seat(struct ads_meta *meta, unsigned int i, u16 member);
/* No more records for the members in @failed; lock held (or not yet shared). */
void ads_meta_drop(struct ads_meta *meta, u8 failed);
/*
 * Room in the ring for a whole commit; lock held. -EROFS: no member takes
 * records any more, and nothing was written that counts.
 */
int ads_meta_make_room(struct ads_meta *meta);
/*
 * A record without changes, of a set that has changed or of a term that begins
 * (@terms above the last); lock held, room made. As ads_meta_commit().
 */
int ads_meta_note(struct ads_meta *meta, u64 terms);
/* The same, with the changes in @txn, and the first one of another history. */
int ads_meta_new_history(struct ads_meta *meta, u64 terms,
			 const struct ads_txn *txn);
/*
 * Have the superblocks say what the set is now, unlock, and tell of what happened
 * under the lock.
 */
void ads_meta_unlock(struct ads_meta *meta);
/* Recruit members in place of lost ones; best effort, no locks held. */
void ads_meta_repair(struct ads_pool *pool);

/* meta-format.c: write a new pool to pool->present[]. */
int ads_meta_format(struct ads_pool *pool, const struct ads_format *format);

/*
 * Write @nr blocks of every slot's @io in @mask to @first, and wait for all.
 * Returns the mask of those that failed. (metaio knows nothing of slots.)
 */
u8 ads_meta_write(struct ads_meta *meta, u8 mask, u64 first, unsigned int nr,
		  blk_opf_t opf);
/* Flush the caches of those in @mask. Returns the mask of those that failed. */
u8 ads_meta_flush(struct ads_meta *meta, u8 mask);
/*
 * Of the members in @mask: how many flushes have failed so far, whoever sent
 * them; and for whom that is more than @before. A cache that was lost between a
 * write and its flush makes the flush worthless.
 */
void ads_meta_count_flushes(const struct ads_meta *meta, u8 mask, u32 *count);
u8 ads_meta_flushes_failed(const struct ads_meta *meta, u8 mask,
			   const u32 *before);

/* How often to write again what such a flush has made doubtful. */
#define ADS_META_TRIES	3

/* Slots of a device of @sectors with data from @start: as many as its entry may say. */
u32 ads_layout_slots(const struct ads_geometry *geo, u64 start, u64 sectors);

/* super.c */

/* Both copies, durably, in the order that never leaves none. */
int ads_super_write(struct ads_mio *io, struct block_device *bdev,
		    const struct ads_super *s);
/*
 * Have the superblocks of the members in @set name them as the metadata members,
 * unless they do. Best effort; lock held.
 */
void ads_super_name(struct ads_meta *meta, u8 set);

#endif /* ADS_META_CORE_H */
