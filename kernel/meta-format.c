// SPDX-License-Identifier: GPL-2.0-only
/*
 * Making a new pool.
 *
 * The table is durable on all metadata members before the first superblock is
 * written: a device with a superblock belongs to a pool that can be read. A
 * crash in between leaves some devices blank and some not, and the blank ones
 * are refused as members while the others are refused for a new pool, so nobody
 * takes the half for the whole.
 */
#include <linux/blkdev.h>
#include <linux/device-mapper.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/random.h>
#include <linux/slab.h>

#include "meta-core.h"
#include "pool.h"
#include "table.h"

sector_t ads_layout_data_start(u32 nr_segments)
{
	struct ads_geometry geo;

	return ads_fmt_layout(&geo, nr_segments);
}

u32 ads_layout_slots(const struct ads_geometry *geo, u64 start, u64 sectors)
{
	unsigned int slot_shift = geo->segment_shift - geo->chunk_shift;
	u64 slots;

	if (sectors <= start)
		return 0;
	slots = (sectors - start) >> geo->segment_shift;
	slots = min_t(u64, slots, ADSHARD_MAX_SEGMENTS);
	/* Positions are 32-bit numbers of chunks. */
	return min_t(u64, slots, U32_MAX >> slot_shift);
}

/* Every device is blank and fits; the geometry that follows from them. */
static int plan(struct ads_pool *pool, const struct ads_format *format,
		struct ads_geometry *geo, u64 *start)
{
	u64 nr_segments = (pool->volume_sectors +
			   (1ULL << format->segment_shift) - 1) >>
			  format->segment_shift;
	unsigned int i;

	memset(geo, 0, sizeof(*geo));
	memcpy(geo->pool_uuid, format->uuid.b, sizeof(geo->pool_uuid));
	strscpy(geo->name, format->name, sizeof(geo->name));
	geo->created = ktime_get_real_seconds();
	geo->segment_shift = format->segment_shift;
	geo->chunk_shift = format->chunk_shift;
	*start = 0;
	if (nr_segments <= ADSHARD_MAX_SEGMENTS)
		*start = ads_fmt_layout(geo, nr_segments);
	if (!*start) {
		DMERR("a pool can't have %llu segments", nr_segments);
		return -EINVAL;
	}
	for (i = 0; i < pool->nr_present; i++)
		geo->logical_block_size =
			max(geo->logical_block_size,
			    bdev_logical_block_size(pool->present[i]));
	if (geo->logical_block_size > ADSHARD_BLOCK_SIZE) {
		DMERR("logical blocks of %u bytes are too large",
		      geo->logical_block_size);
		return -EINVAL;
	}
	if (pool->volume_sectors & (geo->logical_block_size / 512 - 1)) {
		DMERR("the volume's length is no multiple of %u bytes, the logical block size",
		      geo->logical_block_size);
		return -EINVAL;
	}
	return 0;
}

static int check_blank(struct ads_pool *pool)
{
	struct adshard_super *sb = kmalloc(sizeof(*sb), GFP_KERNEL);
	unsigned int i;
	char why[128];
	int err = 0;

	if (!sb)
		return -ENOMEM;
	for (i = 0; i < pool->nr_present && !err; i++) {
		err = ads_super_read(pool->present[i], sb, why, sizeof(why));
		if (err == -ENODATA) {
			err = 0;
			continue;
		}
		if (!err)
			DMERR("%pg is a member of pool %pUb \"%s\" already",
			      pool->present[i], sb->pool_uuid, sb->pool_name);
		else
			DMERR("%pg is not blank: %s", pool->present[i], why);
		err = err ?: -EEXIST;
	}
	kfree(sb);
	return err;
}

/*---------------------------------------------------------------------------*/

/* Legs that a member can take: of each segment no more than one. */
static u64 room_of(const struct ads_geometry *geo, u64 start,
		   struct ads_pool *pool, u32 i, unsigned int replicas)
{
	u64 slots = ads_layout_slots(geo, start,
				     bdev_nr_sectors(pool->present[i]));

	return replicas > 1 ? min_t(u64, slots, pool->nr_segments) : slots;
}

/* How many legs each member gets: in proportion to its slots. */
static int quotas(const struct ads_geometry *geo, u64 start,
		  struct ads_pool *pool, unsigned int replicas, u32 *quota)
{
	u64 needed = (u64)pool->nr_segments * replicas, given = 0;
	u64 total = 0, rest, largest, slots;
	u32 n = pool->nr_present, i, best;

	if (n < replicas) {
		DMERR("%u legs of each segment need as many members, not %u",
		      replicas, n);
		return -EINVAL;
	}
	for (i = 0; i < n; i++)
		total += room_of(geo, start, pool, i, replicas);
	if (total < needed) {
		DMERR("%llu slots are needed, but the members have %llu",
		      needed, total);
		return -ENOSPC;
	}
	for (i = 0; i < n; i++) {
		slots = room_of(geo, start, pool, i, replicas);
		quota[i] = div64_u64(slots * needed, total);
		given += quota[i];
	}
	/*
	 * What rounding down has left, one each to the largest remainders; it
	 * is less than n. A remainder that is not zero means a quota below the
	 * member's slots, so there is room for one more.
	 */
	while (given < needed) {
		largest = 0;
		best = 0;
		for (i = 0; i < n; i++) {
			slots = room_of(geo, start, pool, i, replicas);
			rest = slots * needed - quota[i] * total;
			/* Below zero for those that have theirs. */
			if ((s64)rest > (s64)largest) {
				largest = rest;
				best = i;
			}
		}
		quota[best]++;
		given++;
	}
	return 0;
}

/*
 * The member for the next leg of a segment, after @member: round-robin, so that
 * neighbours are on different disks. But of @segs_left segments a member that has
 * to take as many legs must take one of each: it comes first. (If nobody has to
 * take more, and all together exactly what there is, it always works out.)
 */
static u32 pick(const struct ads_pool *pool, const u32 *left, u32 segs_left,
		const struct ads_fmt_seg *s, u32 member)
{
	u32 n = pool->nr_members, i, k, found = n;
	unsigned int used;

	for (i = 0; i < n; i++) {
		k = (member + i) % n;
		for (used = 0; used < s->nr_legs; used++)
			if (s->leg[used].member == k)
				break;
		if (used < s->nr_legs || !left[k])
			continue;
		if (left[k] >= segs_left && s->wanted > 1)
			return k;
		if (found == n)
			found = k;
		if (s->wanted == 1)
			break;
	}
	return found;
}

static int place_all(struct ads_pool *pool, const struct ads_geometry *geo,
		     unsigned int replicas, u32 *left)
{
	unsigned int slot_shift = geo->segment_shift - geo->chunk_shift;
	u32 seg, member = 0, k;
	int err = 0;

	for (seg = 0; seg < pool->nr_segments && !err; seg++) {
		struct ads_fmt_seg s = { .wanted = replicas };

		while (s.nr_legs < replicas) {
			k = pick(pool, left, pool->nr_segments - seg, &s,
				 member);
			if (WARN_ON_ONCE(k == pool->nr_members))
				return -ENOSPC;
			s.leg[s.nr_legs].member = k;
			/* nr_legs only counts here: the next free slot. */
			s.leg[s.nr_legs].chunk =
				pool->members[k].nr_legs++ << slot_shift;
			s.leg[s.nr_legs++].state = ADSHARD_LEG_SYNC;
			s.in_sync++;
			left[k]--;
			if (s.nr_legs == 1)
				member = (k + 1) % pool->nr_members;
		}
		err = ads_set_put(pool, seg, &s);
		cond_resched();
	}
	return err;
}

static void fill_member(struct ads_pool *pool, const struct ads_geometry *geo,
			u64 start, unsigned int i)
{
	u64 sectors = bdev_nr_sectors(pool->present[i]);
	struct ads_member *mb = &pool->members[i];
	struct adshard_member *disk = &mb->disk;
	u32 slots = ads_layout_slots(geo, start, sectors);

	mb->bdev = pool->present[i];
	generate_random_uuid(disk->uuid);
	disk->sectors = cpu_to_le64(sectors);
	disk->data_start = cpu_to_le64(start);
	disk->data_chunks = cpu_to_le32(slots << (geo->segment_shift -
						  geo->chunk_shift));
	disk->state = ADSHARD_MEMBER_ONLINE;
}

static int write_supers(struct ads_pool *pool, struct ads_meta *meta, u64 start)
{
	struct ads_super s = { .geo = meta->geo, .seq = 1 };
	unsigned int i;
	int err = 0;

	for (i = 0; i < ADSHARD_META_MEMBERS; i++)
		if (meta->active & 1U << i)
			memcpy(s.meta_uuid[s.nr_meta++], meta->slot[i].uuid,
			       ADSHARD_UUID_SIZE);
	for (i = 0; i < pool->nr_members && !err; i++) {
		const struct adshard_member *disk = &pool->members[i].disk;

		memcpy(s.uuid, disk->uuid, sizeof(s.uuid));
		s.index = i;
		s.sectors = le64_to_cpu(disk->sectors);
		s.data_start = start;
		s.data_chunks = le32_to_cpu(disk->data_chunks);
		err = ads_super_write(meta->slot[0].io, pool->present[i], &s);
		if (err)
			DMERR("%pg: its superblock can't be written",
			      pool->present[i]);
	}
	return err;
}

static int build(struct ads_pool *pool, struct ads_meta *meta, u64 start,
		 unsigned int replicas)
{
	unsigned int nr_meta = min_t(u32, pool->nr_members,
				     ADSHARD_META_MEMBERS);
	unsigned int i;
	u32 *quota;
	u8 failed;
	int err;

	quota = kvcalloc(pool->nr_members, sizeof(*quota), GFP_KERNEL);
	if (!quota)
		return -ENOMEM;
	err = quotas(&meta->geo, start, pool, replicas, quota);
	if (!err)
		err = place_all(pool, &meta->geo, replicas, quota);
	kvfree(quota);
	if (err)
		return err;

	for (i = 0; i < pool->nr_members; i++)
		fill_member(pool, &meta->geo, start, i);
	/* Spread over the members: neighbours often share a cable. */
	for (i = 0; i < nr_meta; i++) {
		ads_meta_seat(meta, i, i * pool->nr_members / nr_meta);
		meta->st.meta_member[i] = meta->slot[i].member;
		meta->active |= 1U << i;
	}
	meta->st.meta_active = meta->active;

	failed = ads_table_write(meta, meta->active, 0, NULL);
	if (failed) {
		DMERR("%pg: its metadata can't be written",
		      meta->slot[__ffs(failed)].bdev);
		return -EIO;
	}
	return write_supers(pool, meta, start);
}

int ads_meta_format(struct ads_pool *pool, const struct ads_format *format)
{
	struct ads_state *st;
	struct ads_geometry geo;
	struct ads_meta *meta;
	u64 start;
	int err;

	err = plan(pool, format, &geo, &start);
	if (!err)
		err = check_blank(pool);
	if (err)
		return err;
	meta = ads_meta_alloc(pool, &geo);
	if (!meta)
		return -ENOMEM;

	st = &meta->st;
	st->seq = 1;
	st->term = 1;
	st->history = get_random_u64();
	st->time = geo.created;
	st->volume_sectors = pool->volume_sectors;
	st->nr_segments = (pool->volume_sectors +
			   (1ULL << geo.segment_shift) - 1) >> geo.segment_shift;
	st->nr_members = pool->nr_present;
	memset(st->meta_member, 0xff, sizeof(st->meta_member));
	err = ads_core_alloc(pool, &geo, st);
	if (!err) {
		err = build(pool, meta, start, max_t(u8, format->replicas, 1));
		ads_core_free(pool);
	}
	ads_meta_free(meta);
	return err;
}
