// SPDX-License-Identifier: GPL-2.0-only
/*
 * Another length of the volume, in ->preresume as in reload.c.
 *
 * It grows in these steps, and a crash before the last one finds the old length:
 *	1. the new segments have places in core, beyond the end
 *	2. both table areas of every metadata member have them, too: whoever loads
 *	   a table takes as many entries as the last record has segments
 *	3. one record: the volume is longer
 * The other way around, the record could be there, and a table from before be the
 * only one that can be read: segments without a place.
 *
 * It shrinks with one record. What is cut off is in the tables until they are
 * written again, where nobody looks at it.
 */
#include <linux/bitmap.h>
#include <linux/device-mapper.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "event.h"
#include "meta-core.h"
#include "migrate.h"
#include "pool.h"
#include "table.h"
#include "target.h"

/* The map for @nr segments; what is new has no place. */
static int resize_core(struct ads_pool *pool, u32 nr)
{
	u32 keep = min(nr, pool->nr_segments), i;
	struct ads_heat *heat;
	u64 *map;

	map = kvcalloc(nr, sizeof(*map), GFP_KERNEL);
	heat = kvcalloc(nr, sizeof(*heat), GFP_KERNEL);
	if (!map || !heat) {
		kvfree(map);
		kvfree(heat);
		return -ENOMEM;
	}
	for (i = keep; i < nr; i++)
		map[i] = ADS_WORD_NONE;
	mutex_lock(&pool->lock);
	memcpy(map, pool->map, keep * sizeof(*map));
	memcpy(heat, pool->heat, keep * sizeof(*heat));
	swap(pool->map, map);
	swap(pool->heat, heat);
	pool->nr_segments = keep;
	pool->nr_map = nr;
	mutex_unlock(&pool->lock);
	kvfree(map);
	kvfree(heat);
	return 0;
}

/*
 * Is a segment from @first on being moved? Its migration knows how long it is.
 * pool->lock held.
 */
static bool is_moving(struct ads_pool *pool, u32 first, u32 *seg)
{
	unsigned long index = first;

	if (!xa_find(&pool->migs, &index, ULONG_MAX, XA_PRESENT))
		return false;
	*seg = index;
	return true;
}

/* Nobody moves what is cut off, or what gets longer or shorter. */
static int check_moving(struct ads_pool *pool, u32 nr)
{
	u32 seg, last = min(nr, pool->nr_segments) - 1;

	if (!is_moving(pool, last, &seg))
		return 0;
	DMERR("segment %u is migrating: the volume can't get another length before it has ended",
	      seg);
	return -EBUSY;
}

/* Growing ------------------------------------------------------------------*/

static u32 free_slots(const struct ads_member *mb)
{
	bool spare = le16_to_cpu(mb->disk.flags) & ADSHARD_MEMBER_F_SPARE;

	if (mb->state != ADSHARD_MEMBER_ONLINE || !mb->bdev || spare)
		return 0;
	return mb->nr_slots - mb->nr_legs;
}

static bool has_leg(const struct ads_fmt_seg *s, u16 member)
{
	unsigned int i;

	for (i = 0; i < s->nr_legs; i++)
		if (s->leg[i].member == member)
			return true;
	return false;
}

/*
 * The one with the most room that @s has no leg on, so that neighbours are on
 * different disks. Always taking that, the last segments find room on different
 * ones, too, if check_room() has said so.
 */
static struct ads_member *emptiest(struct ads_pool *pool,
				   const struct ads_fmt_seg *s)
{
	struct ads_member *best = NULL;
	u32 i;

	for (i = 0; i < pool->nr_members; i++) {
		struct ads_member *mb = &pool->members[i];

		if (free_slots(mb) && !has_leg(s, i) &&
		    (!best || free_slots(mb) > free_slots(best)))
			best = mb;
	}
	return best;
}

/* Legs that each new segment gets: as many as the one before them should have. */
static u8 wanted_of(struct ads_pool *pool)
{
	struct ads_set *set = ads_set_of(pool, pool->nr_segments - 1);

	return set ? set->wanted : 1;
}

static int check_room(struct ads_pool *pool, u32 nr)
{
	u32 max = pool->meta->geo.max_segments, more = 0, i;
	u8 wanted = wanted_of(pool);
	u64 have = 0;

	if (nr > max) {
		DMERR("pool %s: %u segments are too many: its metadata has room for %u",
		      pool->name, nr, max);
		return -E2BIG;
	}
	if (nr > pool->nr_segments)
		more = nr - pool->nr_segments;
	/* No two legs of one on one member: who has more room has it in vain. */
	for (i = 0; i < pool->nr_members; i++)
		have += wanted > 1 ? min(free_slots(&pool->members[i]), more) :
			free_slots(&pool->members[i]);
	if (have >= (u64)more * wanted)
		return 0;
	DMERR("pool %s: %u more segments of %u legs are needed, %llu fit on members that take data",
	      pool->name, more, wanted, have / wanted);
	return -ENOSPC;
}

/* A place for one more leg of @s; pool->lock held. */
static int place_leg(struct ads_pool *pool, struct ads_fmt_seg *s)
{
	struct ads_member *mb = emptiest(pool, s);
	u32 slot;

	if (WARN_ON_ONCE(!mb || ads_slot_alloc(mb, &slot)))
		return -ENOSPC;
	s->leg[s->nr_legs].member = mb->index;
	s->leg[s->nr_legs].chunk = slot * ads_pool_slot_chunks(pool);
	s->leg[s->nr_legs].state = ADSHARD_LEG_SYNC;
	s->nr_legs++;
	s->in_sync++;
	return 0;
}

static void unplace_legs(struct ads_pool *pool, const struct ads_fmt_seg *s)
{
	unsigned int i;

	for (i = 0; i < s->nr_legs; i++)
		ads_slot_free(&pool->members[s->leg[i].member],
			      s->leg[i].chunk / ads_pool_slot_chunks(pool));
}

static int place_segment(struct ads_pool *pool, u32 seg, u8 wanted)
{
	struct ads_fmt_seg s = { .wanted = wanted };
	int err = 0;

	while (!err && s.nr_legs < wanted)
		err = place_leg(pool, &s);
	if (!err)
		err = ads_set_put(pool, seg, &s);
	if (err)
		unplace_legs(pool, &s);
	else
		ads_sets_placed(pool, seg);
	return err;
}

/* Step 1; there is room. */
static int place_new(struct ads_pool *pool, u32 nr, u8 wanted)
{
	int err = 0;
	u32 seg;

	for (seg = pool->nr_segments; seg < nr && !err; seg++) {
		mutex_lock(&pool->lock);
		err = place_segment(pool, seg, wanted);
		mutex_unlock(&pool->lock);
		cond_resched();
	}
	return err;
}

/* Take back the places of segments from @first up to @end. */
static void unplace(struct ads_pool *pool, u32 first, u32 end)
{
	u32 seg;

	for (seg = first; seg < end; seg++) {
		u64 word;

		word = READ_ONCE(pool->map[seg]);
		if (word != ADS_WORD_NONE && word & ADS_WORD_SET) {
			ads_set_cut(pool, seg);
			continue;
		}
		mutex_lock(&pool->lock);
		if (word != ADS_WORD_NONE && ads_word_lost(pool, word)) {
			pool->members[ads_word_member(word)].nr_lost--;
			pool->nr_lost--;
		} else if (word != ADS_WORD_NONE)
			ads_slot_free(&pool->members[ads_word_member(word)],
				      ads_word_chunk(word) /
				      ads_pool_slot_chunks(pool));
		WRITE_ONCE(pool->map[seg], ADS_WORD_NONE);
		mutex_unlock(&pool->lock);
		cond_resched();
	}
}

/* Step 2 */
static int write_tables(struct ads_pool *pool, u32 nr)
{
	struct ads_meta *meta = pool->meta;
	unsigned int i;
	u32 seg;
	int err = 0;

	mutex_lock(&meta->lock);
	if (meta->readonly)
		err = -EROFS;
	for (seg = pool->nr_segments; seg < nr; seg++)
		ads_table_mark(meta, ADSHARD_ENTRY_SEG, seg);
	for (i = 0; i < 2 && !err; i++)
		err = ads_table_checkpoint(meta);
	ads_meta_unlock(meta);
	return err;
}

/* Step 3, or all that shrinking is. */
static int write_length(struct ads_pool *pool, u32 nr, sector_t len)
{
	struct ads_txn *txn = kzalloc(sizeof(*txn), GFP_KERNEL);
	int err;

	if (!txn)
		return -ENOMEM;
	ads_txn_init(txn);
	txn->nr_segments = nr;
	txn->volume_sectors = len;
	err = ads_meta_commit(pool, txn);
	kfree(txn);
	return err;
}

static void own(struct ads_member *mb, int n)
{
	spin_lock_irq(&mb->flush_lock);
	mb->nr_owned += n;
	spin_unlock_irq(&mb->flush_lock);
}

static int grow(struct ads_pool *pool, u32 nr, sector_t len)
{
	u32 old = pool->nr_segments, seg;
	u8 wanted = wanted_of(pool);
	int err;

	err = check_room(pool, nr);
	if (!err && nr > old)
		err = resize_core(pool, nr);
	if (err)
		return err;
	if (nr > old)
		err = place_new(pool, nr, wanted);
	if (!err && nr > old)
		err = write_tables(pool, nr);
	if (!err)
		err = write_length(pool, nr, len);
	/* Unknown, for all that is to come: nobody else gets these places. */
	if (err == -EOWNERDEAD)
		return err;
	if (err) {
		unplace(pool, old, nr);
		return err;
	}
	/* Those with a set have told of their own: ads_set_account(). */
	for (seg = old; seg < nr; seg++)
		if (!(pool->map[seg] & ADS_WORD_SET))
			own(&pool->members[ads_word_member(pool->map[seg])], 1);
	mutex_lock(&pool->lock);
	pool->nr_segments = nr;
	pool->volume_sectors = len;
	mutex_unlock(&pool->lock);
	return 0;
}

/*----------------------------------------------------------------*/

static int shrink(struct ads_pool *pool, u32 nr, sector_t len)
{
	u32 old = pool->nr_segments, seg;
	int err;

	err = write_length(pool, nr, len);
	if (err)
		return err;
	for (seg = nr; seg < old; seg++)
		if (!(pool->map[seg] & ADS_WORD_SET) &&
		    !ads_word_lost(pool, pool->map[seg]))
			own(&pool->members[ads_word_member(pool->map[seg])], -1);
	mutex_lock(&pool->lock);
	pool->nr_segments = nr;
	pool->volume_sectors = len;
	mutex_unlock(&pool->lock);
	unplace(pool, nr, old);
	ads_bad_forget_gone(pool, ADSHARD_NO_MEMBER, nr);
	/* Best effort: without it there is memory for what is gone. */
	resize_core(pool, nr);
	return 0;
}

static u64 segments_of(const struct ads_pool *pool, sector_t len)
{
	return ((u64)len + (1ULL << pool->segment_shift) - 1) >>
	       pool->segment_shift;
}

int ads_pool_may_resize(struct ads_pool *pool, const struct ads_target *at,
			sector_t len)
{
	u64 nr = segments_of(pool, len);
	int err;

	lockdep_assert_held(&pool->lock);
	if (len & (pool->logical_block_size / SECTOR_SIZE - 1)) {
		DMERR("pool %s: %llu sectors are no multiple of %u bytes, the logical block size",
		      pool->name, (u64)len, pool->logical_block_size);
		return -EINVAL;
	}
	if (nr > ADSHARD_MAX_SEGMENTS) {
		DMERR("pool %s: %llu segments are too many", pool->name, nr);
		return -E2BIG;
	}
	/* What is cut off is gone, and a wrong number is easily typed. */
	if (len < pool->volume_sectors &&
	    at->shrink_from != pool->volume_sectors) {
		DMERR("pool %s has %llu sectors, the table %llu: to cut it off,",
		      pool->name, (u64)pool->volume_sectors, (u64)len);
		DMERR("the table has to say \"shrink_from %llu\"",
		      (u64)pool->volume_sectors);
		return -EINVAL;
	}
	err = check_moving(pool, nr);
	if (!err && len > pool->volume_sectors && !at->nr_join)
		err = check_room(pool, nr);
	return err;
}

int ads_pool_resize(struct ads_pool *pool, struct ads_target *at, sector_t len)
{
	u64 nr = segments_of(pool, len);
	sector_t old = pool->volume_sectors;
	int err;

	mutex_lock(&pool->lock);
	err = ads_pool_may_resize(pool, at, len);
	mutex_unlock(&pool->lock);
	if (!err)
		err = len > old ? grow(pool, nr, len) : shrink(pool, nr, len);
	if (err) {
		DMERR("pool %s: %llu sectors it has, and not %llu", pool->name,
		      (u64)old, (u64)len);
		return err;
	}
	at->shrink_from = 0;
	mutex_lock(&pool->lock);
	pool->generation++;
	mutex_unlock(&pool->lock);
	DMINFO("pool %s: %llu sectors, had %llu", pool->name, (u64)len,
	       (u64)old);
	ads_event_pool(pool, ADSHARD_EVENT_POOL_RESIZED, NULL);
	return 0;
}
