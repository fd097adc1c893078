// SPDX-License-Identifier: GPL-2.0-only
/*
 * Activation: members and segments of the state that was found.
 */
#include <linux/blkdev.h>
#include <linux/device-mapper.h>

#include "meta-load.h"
#include "pool.h"

void ads_load_missing(struct ads_load *l, u32 index, const char *because)
{
	const struct ads_pool *pool = l->pool;
	const struct adshard_member *disk;

	if (index >= pool->nr_members) {
		DMERR("member %u is missing, and %s", index, because);
		return;
	}
	disk = &pool->members[index].disk;
	DMERR("member %u (%pUb, %llu sectors%s%s) is missing, and %s", index,
	      disk->uuid, le64_to_cpu(disk->sectors),
	      disk->location[0] ? ", at " : "", disk->location, because);
}

/* The state and the superblock must mean the same member. */
static int check_identity(const struct ads_seen *seen,
			  const struct adshard_member *disk)
{
	const struct ads_super *s = &seen->sb;

	if (memcmp(disk->uuid, s->uuid, ADSHARD_UUID_SIZE)) {
		DMERR("%pg says it is member %u with UUID %pUb, but that has %pUb",
		      seen->bdev, s->index, s->uuid, disk->uuid);
		return -EINVAL;
	}
	if (le64_to_cpu(disk->sectors) != s->sectors ||
	    le64_to_cpu(disk->data_start) != s->data_start ||
	    le32_to_cpu(disk->data_chunks) != s->data_chunks) {
		DMERR("%pg: where member %u has its data is not what its superblock says",
		      seen->bdev, s->index);
		return -EINVAL;
	}
	return 0;
}

int ads_load_members(struct ads_load *l)
{
	struct ads_pool *pool = l->pool;
	struct ads_member *mb;
	unsigned int i;
	int err;
	u32 slots;

	for (i = 0; i < pool->nr_members; i++) {
		mb = &pool->members[i];
		if (ads_fmt_member_free(&mb->disk))
			continue;
		mb->state = mb->disk.state;
		mb->data_start = le64_to_cpu(mb->disk.data_start);
	}
	for (i = 0; i < l->nr; i++) {
		const struct ads_seen *seen = &l->seen[i];
		u16 index = seen->sb.index;

		pool->present_member[i] = ADSHARD_NO_MEMBER;
		if (index >= pool->nr_members ||
		    ads_fmt_member_free(&pool->members[index].disk)) {
			DMWARN("%pg: the pool knows of no member %u; not used",
			       seen->bdev, index);
			continue;
		}
		mb = &pool->members[index];
		err = check_identity(seen, &mb->disk);
		if (err)
			return err;
		/* Its size was checked, so the bitmap is no larger than it. */
		slots = ads_fmt_slots(&l->geo, seen->sb.data_chunks);
		err = ads_slots_init(mb, slots);
		if (err)
			return err;
		mb->bdev = seen->bdev;
		pool->present_member[i] = index;
	}
	return 0;
}

static int check_segment(struct ads_load *l, u32 seg)
{
	struct ads_pool *pool = l->pool;
	unsigned int slot_shift = l->geo.segment_shift - l->geo.chunk_shift;
	u64 word = pool->map[seg];
	u16 index = ads_word_member(word);
	u32 chunk = ads_word_chunk(word);
	struct ads_member *mb;
	int err;

	if (word == ADS_WORD_NONE) {
		DMERR("segment %u has no place", seg);
		return -EUCLEAN;
	}
	if (index >= pool->nr_members ||
	    ads_fmt_member_free(&pool->members[index].disk)) {
		DMERR("segment %u is on member %u, which does not exist", seg,
		      index);
		return -EUCLEAN;
	}
	mb = &pool->members[index];
	if (!mb->bdev) {
		ads_load_missing(l, index, "it holds segments");
		return -ENODEV;
	}
	if (mb->state == ADSHARD_MEMBER_FAILED ||
	    mb->state == ADSHARD_MEMBER_DRAINED) {
		DMERR("segment %u is on member %u (%pg), which is %s", seg,
		      index, mb->bdev,
		      mb->state == ADSHARD_MEMBER_FAILED ? "failed" : "drained");
		return -EUCLEAN;
	}
	err = -ERANGE;
	if (!(chunk & ((1U << slot_shift) - 1)))
		err = ads_slot_take(mb, chunk >> slot_shift);
	if (err == -EEXIST)
		DMERR("corrupt map: segment %u is where another one is (member %u, chunk %u)",
		      seg, index, chunk);
	else if (err)
		DMERR("corrupt map: segment %u is not in a slot (member %u, chunk %u)",
		      seg, index, chunk);
	return err ? -EUCLEAN : 0;
}

int ads_load_segments(struct ads_load *l)
{
	u32 seg;
	int err;

	for (seg = 0; seg < l->pool->nr_segments; seg++) {
		err = check_segment(l, seg);
		if (err)
			return err;
		cond_resched();
	}
	return 0;
}
