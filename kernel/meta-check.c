// SPDX-License-Identifier: GPL-2.0-only
/*
 * Activation: can the state that was found be relied upon, and is all that it
 * names here? Metadata members first, then members and segments.
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

void ads_load_gone(struct ads_load *l, u32 index)
{
	if (__test_and_set_bit(index, l->gone))
		return;
	l->nr_gone++;
	DMWARN("member %u (%pUb) is missing, and has failed from now on", index,
	       l->pool->members[index].disk.uuid);
}

/*
 * One that left, or that was to join when the power went: another one may have
 * its number by now.
 */
static bool is_stranger(const struct ads_pool *pool, const struct ads_super *s)
{
	return s->index >= pool->nr_members ||
	       ads_fmt_member_free(&pool->members[s->index].disk) ||
	       memcmp(pool->members[s->index].disk.uuid, s->uuid,
		      ADSHARD_UUID_SIZE);
}

/* The state and the superblock must mean the same place. */
static int check_identity(const struct ads_seen *seen,
			  const struct adshard_member *disk)
{
	const struct ads_super *s = &seen->sb;

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
		if (is_stranger(pool, &seen->sb)) {
			DMWARN("%pg: the pool knows of no member %u (%pUb); not used",
			       seen->bdev, index, seen->sb.uuid);
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

/*
 * One that has failed, by an activation that was told to go on without it: an
 * earlier one, or this.
 */
static bool has_gone(const struct ads_load *l, const struct ads_member *mb)
{
	return mb->state == ADSHARD_MEMBER_FAILED || (!mb->bdev && l->degraded);
}

/* A leg of @seg. *@here: it can be read, or will be once its member is back. */
static int check_leg(struct ads_load *l, u32 seg, u16 index, u32 chunk,
		     bool *here)
{
	struct ads_pool *pool = l->pool;
	unsigned int slot_shift = l->geo.segment_shift - l->geo.chunk_shift;
	struct ads_member *mb;
	int err;

	*here = false;
	if (index >= pool->nr_members ||
	    ads_fmt_member_free(&pool->members[index].disk)) {
		DMERR("segment %u is on member %u, which does not exist", seg,
		      index);
		return -EUCLEAN;
	}
	mb = &pool->members[index];
	if (mb->state == ADSHARD_MEMBER_DRAINED) {
		DMERR("segment %u is on member %u, which is drained", seg,
		      index);
		return -EUCLEAN;
	}
	if (has_gone(l, mb) || !mb->bdev)
		return 0;
	*here = true;
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

/* A leg that is in sync, of a segment none of which is here. */
static void lose_leg(struct ads_load *l, u16 index)
{
	struct ads_member *mb = &l->pool->members[index];

	if (mb->state != ADSHARD_MEMBER_FAILED)
		ads_load_gone(l, index);
	mb->nr_lost++;
}

static void miss_leg(struct ads_load *l, u16 index, bool only)
{
	if (l->pool->members[index].state != ADSHARD_MEMBER_FAILED &&
	    !__test_and_set_bit(index, l->gone))
		ads_load_missing(l, index, only ? "it holds segments" :
				 "it holds segments of which there is no other copy here");
}

static int check_plain(struct ads_load *l, u32 seg)
{
	struct ads_pool *pool = l->pool;
	u64 word = pool->map[seg];
	u16 index = ads_word_member(word);
	bool here;
	int err;

	err = check_leg(l, seg, index, ads_word_chunk(word), &here);
	if (err || here)
		return err;
	if (has_gone(l, &pool->members[index])) {
		lose_leg(l, index);
		pool->nr_lost++;
		pool->map[seg] |= ADS_WORD_BAD;
	} else {
		miss_leg(l, index, true);
		l->unreadable++;
	}
	return 0;
}

/*
 * One leg in sync is enough, wherever in the record it stands. Without one the
 * segment is lost if all that are in sync have gone for ever; while one of them
 * is only missing it is not.
 */
static int check_set(struct ads_load *l, struct ads_set *set)
{
	struct ads_pool *pool = l->pool;
	bool here, any = false, lost = true;
	unsigned int i;
	int err;

	for (i = 0; i < set->disk.nr_legs; i++) {
		const struct ads_fmt_leg *leg = &set->disk.leg[i];

		err = check_leg(l, set->seg, leg->member, leg->chunk, &here);
		if (err)
			return err;
		if (leg->state != ADSHARD_LEG_SYNC)
			continue;
		any |= here;
		lost &= has_gone(l, &pool->members[leg->member]);
	}
	if (any)
		return 0;
	for (i = 0; i < set->disk.nr_legs; i++) {
		const struct ads_fmt_leg *leg = &set->disk.leg[i];

		if (leg->state != ADSHARD_LEG_SYNC)
			continue;
		if (lost)
			lose_leg(l, leg->member);
		else
			miss_leg(l, leg->member, false);
	}
	set->lost = lost;
	pool->nr_lost += lost;
	l->unreadable += !lost;
	return 0;
}

static int check_segment(struct ads_load *l, u32 seg)
{
	u64 word = l->pool->map[seg];

	if (word == ADS_WORD_NONE) {
		DMERR("segment %u has no place", seg);
		return -EUCLEAN;
	}
	if (word & ADS_WORD_SET)
		return check_set(l, ads_set_of(l->pool, seg));
	return check_plain(l, seg);
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
	if (!l->unreadable)
		return 0;
	DMERR("%u of %u segments are out of reach without what is missing;",
	      l->unreadable, l->pool->nr_segments);
	DMERR("\"degraded\" would go on without it for ever");
	return -ENODEV;
}

/*---------------------------------------------------------------------------*/

struct ads_seen *ads_load_find(struct ads_load *l, u16 index)
{
	unsigned int i;

	/* Not by number: one that is no member may claim the same. */
	for (i = 0; i < l->nr; i++)
		if (l->seen[i].bdev == l->pool->members[index].bdev)
			return &l->seen[i];
	return NULL;
}

/* Has it got the last record or a table that contains it, by itself? */
static bool has_last(const struct ads_load *l, const struct ads_seen *seen)
{
	unsigned int area;
	u32 i;

	for (area = 0; area < 2; area++)
		if (seen->try[area].valid &&
		    ads_load_chosen(l, &seen->try[area].table))
			return true;
	if (!seen->ring)
		return false;
	i = ads_fmt_ring_index(&l->geo, l->end.seq);
	return seen->ring[i].usable && ads_load_chosen(l, &seen->ring[i].at);
}

/*
 * An active member has every record but those of the commit that was cut off.
 * One that is further behind is an old copy, put in the place of the disk that
 * took part: its data is as old. One without any table or any record has lost its
 * metadata, which says nothing of its data.
 */
static int check_lag(const struct ads_load *l, const struct ads_seen *seen)
{
	u64 table = 0, record = 0, last;
	u32 i;

	for (i = 0; i < 2; i++)
		if (seen->try[i].valid)
			table = max(table, seen->try[i].table.seq);
	for (i = 0; seen->ring && i < l->geo.journal_blocks; i++)
		record = max(record, seen->ring[i].at.seq);
	last = max(table, record);
	i = ads_fmt_ring_index(&l->geo, last + 1);
	/* What could not be read may be what it seems to lack. */
	if (seen->ring && seen->ring[i].unread)
		return 0;
	if (!table || !record || last + ADS_META_SPARE >= l->end.seq)
		return 0;
	DMERR("%pg is stale: the metadata of member %u ends at record %llu, the pool's at %llu",
	      seen->bdev, seen->sb.index, last, l->end.seq);
	return -ESTALE;
}

static const struct ads_seen *newest_super(const struct ads_load *l)
{
	const struct ads_seen *newest = &l->seen[0];
	unsigned int i;

	for (i = 1; i < l->nr; i++)
		if (l->seen[i].sb.seq > newest->sb.seq)
			newest = &l->seen[i];
	return newest;
}

/* Does the superblock of @by call @seen a metadata member? */
static bool names(const struct ads_seen *by, const struct ads_seen *seen)
{
	unsigned int k;

	for (k = 0; k < by->sb.nr_meta; k++)
		if (!memcmp(by->sb.meta_uuid[k], seen->sb.uuid,
			    ADSHARD_UUID_SIZE))
			return true;
	return false;
}

/*
 * Does the newest superblock call @seen a metadata member? There may be two that
 * differ: one activation was cut off while it wrote them, and the next one was
 * not given those that it had written. Then only whom both name.
 */
static bool is_named(const struct ads_load *l, const struct ads_seen *newest,
		     const struct ads_seen *seen)
{
	unsigned int i;

	for (i = 0; i < l->nr; i++)
		if (l->seen[i].sb.seq == newest->sb.seq &&
		    !names(&l->seen[i], seen))
			return false;
	return true;
}

/*
 * The end that was found is the end only if somebody can say that no record
 * follows it. If the place where it would be can't be read on any active member,
 * the last change may be hidden there; what it freed may hold something else by
 * now, so going on without it is not an option. Who was dropped by that very
 * record is no witness: it never got it. (With one metadata member, and a disk
 * that can't read what a power cut has torn, this needs help: see the
 * administrator's guide.)
 */
int ads_load_check_end(struct ads_load *l)
{
	u32 next = ads_fmt_ring_index(&l->geo, l->end.seq + 1);
	const struct ads_seen *newest = newest_super(l), *blind = NULL, *seen;
	unsigned int i;

	for (i = 0; i < ADSHARD_META_MEMBERS; i++) {
		if (!(l->st.meta_active & 1U << i))
			continue;
		seen = ads_load_find(l, l->st.meta_member[i]);
		if (!seen || !is_named(l, newest, seen))
			continue;
		if (seen->ring && !seen->ring[next].unread)
			return 0;
		blind = seen;
	}
	DMERR("%pg: block %u can't be read, nor on any other metadata member:",
	      blind->bdev, l->geo.journal_block + next);
	DMERR("there may be a record after %llu", l->end.seq);
	return -EIO;
}

/*
 * Nobody of those that an activation went on without is here again, with what he
 * knew then.
 */
static int check_histories(const struct ads_load *l)
{
	unsigned int i, k;

	for (i = 0; i < l->nr; i++) {
		const struct ads_seen *seen = &l->seen[i];
		u16 index = l->pool->present_member[i];

		if (index == ADSHARD_NO_MEMBER ||
		    l->pool->members[index].state != ADSHARD_MEMBER_FAILED)
			continue;
		for (k = 0; k < 2; k++) {
			if (!seen->try[k].valid ||
			    seen->try[k].history == l->st.history)
				continue;
			DMERR("%pg (member %u) belongs to a history before a degraded activation:",
			      seen->bdev, index);
			DMERR("leave it out, or erase it and add it anew (member add --reuse)");
			return -ESTALE;
		}
	}
	return 0;
}

/*
 * Who must be here, is here. The last check is the veto: the newest
 * superblock names the metadata members of a time after which only those can
 * know the end. If none of them has what was chosen, it comes from members that
 * were dropped, and what the others have written since can't be read.
 */
int ads_load_check_set(struct ads_load *l)
{
	const struct ads_seen *newest = newest_super(l), *seen;
	bool vouched = false;
	unsigned int i, k;
	int err;

	err = check_histories(l);
	if (err)
		return err;
	for (i = 0; i < ADSHARD_META_MEMBERS; i++) {
		u16 index = l->st.meta_member[i];

		if (!(l->st.meta_active & 1U << i))
			continue;
		if (!l->pool->members[index].bdev && l->degraded) {
			ads_load_gone(l, index);
			continue;
		}
		if (!l->pool->members[index].bdev) {
			ads_load_missing(l, index, "it holds metadata");
			DMERR("it may know the last changes; \"degraded\" goes on without it");
			return -ENODEV;
		}
		seen = ads_load_find(l, index);
		for (k = 0; k < 2; k++) {
			/* Or the history changed since, on the way to the end. */
			if (!seen->try[k].valid ||
			    seen->try[k].history == l->st.history ||
			    ads_load_chosen(l, &seen->try[k].end))
				continue;
			DMERR("%pg: member %u went on by itself in another history of the pool",
			      seen->bdev, index);
			return -EINVAL;
		}
		err = check_lag(l, seen);
		if (err)
			return err;
		if (!has_last(l, seen))
			continue;
		vouched |= is_named(l, newest, seen);
	}
	if (vouched)
		return 0;
	DMERR("record %llu is the highest found, but none of the metadata members",
	      l->end.seq);
	DMERR("that the superblock of %pg names has it: theirs can't be read",
	      newest->bdev);
	return -EUCLEAN;
}
