// SPDX-License-Identifier: GPL-2.0-only
/*
 * The metadata set: who is in it, who joins; its memory.
 */
#include <linux/bitmap.h>
#include <linux/blkdev.h>
#include <linux/device-mapper.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "journal.h"
#include "meta-core.h"
#include "pool.h"
#include "table.h"

struct ads_meta *ads_meta_alloc(struct ads_pool *pool,
				const struct ads_geometry *geo)
{
	struct ads_meta *meta = kzalloc(sizeof(*meta), GFP_KERNEL);
	size_t longs;
	unsigned int i;

	if (!meta)
		return NULL;
	mutex_init(&meta->lock);
	meta->pool = pool;
	meta->geo = *geo;
	meta->nr_body = ads_fmt_body_blocks(geo);
	meta->sums = kvcalloc(meta->nr_body, sizeof(*meta->sums), GFP_KERNEL);
	if (!meta->sums)
		goto fail;
	longs = BITS_TO_LONGS(meta->nr_body);
	for (i = 0; i < 2; i++) {
		meta->dirty[i] = kvcalloc(longs, sizeof(long), GFP_KERNEL);
		if (!meta->dirty[i])
			goto fail;
		/* What the areas hold is never assumed, only what was written. */
		bitmap_fill(meta->dirty[i], meta->nr_body);
	}
	/* For all places, so that recruiting under memory pressure can work. */
	for (i = 0; i < ADSHARD_META_MEMBERS; i++) {
		meta->slot[i].member = ADSHARD_NO_MEMBER;
		meta->slot[i].io = ads_mio_alloc(ADS_MIO_BATCH);
		if (!meta->slot[i].io)
			goto fail;
	}
	return meta;
fail:
	ads_meta_free(meta);
	return NULL;
}

void ads_meta_free(struct ads_meta *meta)
{
	unsigned int i;

	if (!meta)
		return;
	for (i = 0; i < ADSHARD_META_MEMBERS; i++)
		ads_mio_free(meta->slot[i].io);
	kvfree(meta->dirty[0]);
	kvfree(meta->dirty[1]);
	kvfree(meta->sums);
	mutex_destroy(&meta->lock);
	kfree(meta);
}

int ads_core_alloc(struct ads_pool *pool, const struct ads_geometry *geo,
		   const struct ads_state *st)
{
	u32 i;

	pool->nr_segments = st->nr_segments;
	pool->nr_map = st->nr_segments;
	pool->nr_lost = 0;
	pool->nr_members = st->nr_members;
	pool->map = kvcalloc(st->nr_segments, sizeof(*pool->map), GFP_KERNEL);
	pool->heat = kvcalloc(st->nr_segments, sizeof(*pool->heat), GFP_KERNEL);
	/* All there can be: bios, works and readers point into it. */
	pool->members = kvcalloc(geo->max_members, sizeof(*pool->members),
				 GFP_KERNEL);
	if (!pool->map || !pool->heat || !pool->members) {
		ads_core_free(pool);
		return -ENOMEM;
	}
	for (i = 0; i < st->nr_segments; i++)
		pool->map[i] = ADS_WORD_NONE;
	for (i = 0; i < st->nr_members; i++)
		ads_member_init(&pool->members[i], i);
	return 0;
}

void ads_core_free(struct ads_pool *pool)
{
	u32 i;

	for (i = 0; pool->members && i < pool->nr_members; i++)
		ads_slots_exit(&pool->members[i]);
	ads_bad_exit(&pool->bads);
	ads_sets_clear(pool);
	kvfree(pool->members);
	kvfree(pool->heat);
	kvfree(pool->map);
	pool->members = NULL;
	pool->heat = NULL;
	pool->map = NULL;
	pool->nr_members = 0;
	pool->nr_segments = 0;
}

void ads_meta_unload(struct ads_pool *pool)
{
	ads_meta_free(pool->meta);
	pool->meta = NULL;
	ads_core_free(pool);
}

/*---------------------------------------------------------------------------*/

/* A place for @member: an empty one, else that of a member that was dropped. */
static int find_seat(const struct ads_meta *meta, u16 member)
{
	int i, seat = -1;

	for (i = 0; i < ADSHARD_META_MEMBERS; i++) {
		if (meta->slot[i].member == member)
			return i;
		if (meta->active & 1U << i)
			continue;
		if (seat < 0 || (meta->slot[i].member == ADSHARD_NO_MEMBER &&
				 meta->slot[seat].member != ADSHARD_NO_MEMBER))
			seat = i;
	}
	return seat;
}

/*
 * The tables go first, both areas, so that what the two dirty bitmaps know of
 * the others holds for the new one. It is nobody until the record that calls it
 * active, and that record is complete only when the new one has it as well: a
 * crash before leaves a member with valid tables of its own past, below the
 * highest record, that nothing calls active.
 */
static int recruit(struct ads_meta *meta, u16 member)
{
	struct ads_member *mb = &meta->pool->members[member];
	int seat = find_seat(meta, member);
	unsigned int i;
	u16 old;
	int err;

	if (meta->readonly)
		return -EROFS;
	if (seat < 0 || meta->active & 1U << seat)
		return 0;
	if (!mb->bdev || mb->state == ADSHARD_MEMBER_FAILED ||
	    mb->state == ADSHARD_MEMBER_DRAINED)
		return -EHOSTDOWN;
	err = ads_meta_make_room(meta);
	if (err)
		return err;

	old = meta->slot[seat].member;
	ads_meta_seat(meta, seat, member);
	for (i = 0; i < 2; i++) {
		if (!ads_table_write(meta, 1U << seat, meta->area ^ !i, NULL))
			continue;
		ads_member_error(meta->pool, mb, ADS_ERR_META);
		ads_meta_seat(meta, seat, old);
		return -EIO;
	}
	ads_super_name(meta, meta->active | 1U << seat);
	WRITE_ONCE(meta->active, meta->active | 1U << seat);
	err = ads_meta_note(meta, 0);
	if (!err && !(meta->active & 1U << seat))
		err = -EIO;
	return err;
}

int ads_meta_recruit(struct ads_pool *pool, u16 member)
{
	struct ads_meta *meta = pool->meta;
	unsigned int noio = memalloc_noio_save();
	int err;

	mutex_lock(&meta->lock);
	err = recruit(meta, member);
	ads_meta_unlock(meta);
	memalloc_noio_restore(noio);
	return err;
}

int ads_meta_new_super(struct ads_pool *pool, struct block_device *bdev,
		       u16 index, const struct adshard_member *disk)
{
	struct ads_meta *meta = pool->meta;
	struct ads_mio *io = ads_mio_alloc(1);
	struct ads_super s = { .geo = meta->geo };
	unsigned int i;
	int err;

	if (!io)
		return -ENOMEM;
	memcpy(s.uuid, disk->uuid, sizeof(s.uuid));
	s.index = index;
	s.sectors = le64_to_cpu(disk->sectors);
	s.data_start = le64_to_cpu(disk->data_start);
	s.data_chunks = le32_to_cpu(disk->data_chunks);
	mutex_lock(&meta->lock);
	/* No later than what the metadata members have: it is no witness. */
	s.seq = meta->sb_seq;
	for (i = 0; i < ADSHARD_META_MEMBERS; i++)
		if (meta->active & 1U << i)
			memcpy(s.meta_uuid[s.nr_meta++], meta->slot[i].uuid,
			       ADSHARD_UUID_SIZE);
	mutex_unlock(&meta->lock);
	err = s.nr_meta ? ads_super_write(io, bdev, &s) : -EROFS;
	if (err)
		DMERR("%pg: its superblock can't be written", bdev);
	ads_mio_free(io);
	return err;
}

int ads_meta_wipe_super(struct ads_pool *pool, struct block_device *bdev)
{
	const unsigned int nr = ADSHARD_BLANK_BYTES / ADSHARD_BLOCK_SIZE;
	struct ads_mio *io = ads_mio_alloc(nr);
	unsigned int i;
	int err;

	if (!io)
		return -ENOMEM;
	/* All that makes a device look used: it may join a pool again. */
	for (i = 0; i < nr; i++)
		memset(io->block[i], 0, ADSHARD_BLOCK_SIZE);
	err = ads_mio_do(io, bdev, 0, nr, REQ_OP_WRITE | REQ_FUA);
	ads_mio_free(io);
	return err;
}

void ads_meta_rebind(struct ads_pool *pool)
{
	struct ads_meta *meta = pool->meta;
	unsigned int i;

	mutex_lock(&meta->lock);
	for (i = 0; i < ADSHARD_META_MEMBERS; i++) {
		u16 member = meta->slot[i].member;

		/* It took no records, or it could not have left. */
		if (member != ADSHARD_NO_MEMBER && !pool->members[member].state)
			member = ADSHARD_NO_MEMBER;
		ads_meta_seat(meta, i, member);
	}
	mutex_unlock(&meta->lock);
}

/* A member that could take a lost one's place, ADSHARD_NO_MEMBER if none. */
static u16 candidate(const struct ads_meta *meta)
{
	const struct ads_pool *pool = meta->pool;
	unsigned int i, k;

	if (meta->readonly || meta->active == 0xff)
		return ADSHARD_NO_MEMBER;
	for (i = 0; i < pool->nr_members; i++) {
		const struct ads_member *mb = &pool->members[i];

		/* One that failed since activation gets no second chance. */
		if (!mb->bdev || mb->state != ADSHARD_MEMBER_ONLINE ||
		    atomic_long_read(&mb->errors[ADS_ERR_META]))
			continue;
		for (k = 0; k < ADSHARD_META_MEMBERS; k++)
			if (meta->active & 1U << k && meta->slot[k].member == i)
				break;
		if (k == ADSHARD_META_MEMBERS)
			return i;
	}
	return ADSHARD_NO_MEMBER;
}

void ads_meta_repair(struct ads_pool *pool)
{
	struct ads_meta *meta = pool->meta;
	u16 member;

	/*
	 * Ends: each turn either fills a place or gives a member an error that
	 * rules it out.
	 */
	do {
		mutex_lock(&meta->lock);
		member = candidate(meta);
		if (member != ADSHARD_NO_MEMBER && !recruit(meta, member))
			DMINFO("%pg: member %u now holds metadata",
			       pool->members[member].bdev, member);
		ads_meta_unlock(meta);
	} while (member != ADSHARD_NO_MEMBER);
}

/*---------------------------------------------------------------------------*/

u64 ads_meta_seq(struct ads_pool *pool)
{
	return pool->meta ? READ_ONCE(pool->meta->seq) : 0;
}

u64 ads_meta_term(struct ads_pool *pool)
{
	/* Copied with the rest of the state, and the same all along. */
	return pool->meta ? data_race(pool->meta->st.term) : 0;
}

unsigned int ads_meta_role(struct ads_pool *pool, u16 member)
{
	const struct ads_meta *meta = pool->meta;
	unsigned int i;

	for (i = 0; meta && i < ADSHARD_META_MEMBERS; i++)
		if (READ_ONCE(meta->slot[i].member) == member)
			return READ_ONCE(meta->active) & 1U << i ? 2 : 1;
	return 0;
}

bool ads_meta_readonly(struct ads_pool *pool)
{
	return READ_ONCE(pool->meta->readonly);
}

void ads_meta_repair_work(struct work_struct *work)
{
	ads_meta_repair(container_of(work, struct ads_pool, repair_work));
}

bool ads_meta_wanting(struct ads_pool *pool)
{
	return READ_ONCE(pool->meta->active) != 0xff;
}

bool ads_meta_degraded(struct ads_pool *pool)
{
	const struct ads_meta *meta = pool->meta;
	unsigned int i;

	for (i = 0; meta && i < ADSHARD_META_MEMBERS; i++)
		if (READ_ONCE(meta->slot[i].member) != ADSHARD_NO_MEMBER &&
		    !(READ_ONCE(meta->active) & 1U << i))
			return true;
	return false;
}
