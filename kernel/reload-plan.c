// SPDX-License-Identifier: GPL-2.0-only
/*
 * A reload, step 1: who is who, who joins and who leaves. Nothing is changed here.
 */
#include <linux/blkdev.h>
#include <linux/device-mapper.h>

#include "reload.h"

static u16 member_with(const struct ads_pool *pool,
		       const struct block_device *bdev)
{
	u32 i;

	for (i = 0; i < pool->nr_members; i++)
		if (pool->members[i].state && pool->members[i].bdev == bdev)
			return i;
	return ADSHARD_NO_MEMBER;
}

/* Has the table a device for it? */
static bool is_named(const struct ads_reload *p, u16 member)
{
	unsigned int i;

	for (i = 0; i < p->at->nr_devs; i++)
		if (p->as[i] == member)
			return true;
	return false;
}

/* The member that the superblock in @p->sb is of. */
static int find_member(struct ads_reload *p, struct block_device *bdev, u16 *member)
{
	struct ads_pool *pool = p->pool;
	const struct ads_super *s = &p->sb;
	u32 i;

	*member = ADSHARD_NO_MEMBER;
	if (memcmp(s->geo.pool_uuid, pool->uuid.b, ADSHARD_UUID_SIZE)) {
		DMERR("%pg is a member of pool %pUb, not of %pUb", bdev,
		      s->geo.pool_uuid, &pool->uuid);
		return -EINVAL;
	}
	for (i = 0; i < pool->nr_members; i++) {
		const struct adshard_member *disk = &pool->members[i].disk;

		if (!pool->members[i].state ||
		    memcmp(disk->uuid, s->uuid, ADSHARD_UUID_SIZE))
			continue;
		if (bdev_nr_sectors(bdev) < s->sectors ||
		    le64_to_cpu(disk->sectors) != s->sectors ||
		    le64_to_cpu(disk->data_start) != s->data_start ||
		    le32_to_cpu(disk->data_chunks) != s->data_chunks) {
			DMERR("%pg: its size or layout is not that of member %u",
			      bdev, i);
			return -EINVAL;
		}
		*member = i;
		return 0;
	}
	DMWARN("%pg: the pool knows of no member %pUb; not used", bdev, s->uuid);
	return 0;
}

/* Who is device @i, which was not in use so far? */
static int identify(struct ads_reload *p, unsigned int i)
{
	struct block_device *bdev = p->at->devs[i].dev->bdev;
	bool joins = i >= p->at->nr_devs - p->at->nr_join;
	char why[128];
	unsigned int k;
	int err;

	err = ads_super_read(bdev, &p->raw, why, sizeof(why));
	if (err == -ENODATA && joins) {
		p->join[p->nr_join++] = i;
		return 0;
	}
	if (err) {
		DMERR("%pg: %s", bdev, why);
		return err == -ENODATA ? -EINVAL : err;
	}
	ads_fmt_super_decode(&p->raw, &p->sb);
	err = find_member(p, bdev, &p->as[i]);
	if (err)
		return err;
	if (p->as[i] == ADSHARD_NO_MEMBER && joins) {
		DMERR("%pg can't join: it is not blank, but was a member once",
		      bdev);
		return -EEXIST;
	}
	for (k = 0; k < i; k++)
		if (p->as[i] != ADSHARD_NO_MEMBER && p->as[k] == p->as[i]) {
			DMERR("%pg and %pg are the same member %u: is one a copy of the other?",
			      p->at->devs[k].dev->bdev, bdev, p->as[i]);
			return -EEXIST;
		}
	return 0;
}

static int identify_all(struct ads_reload *p)
{
	unsigned int i;
	int err;

	for (i = 0; i < p->at->nr_devs; i++) {
		p->as[i] = member_with(p->pool, p->at->devs[i].dev->bdev);
		if (p->as[i] != ADSHARD_NO_MEMBER)
			continue;
		err = identify(p, i);
		if (err)
			return err;
	}
	return 0;
}

const char *ads_reload_needed(struct ads_pool *pool, u16 member)
{
	const struct ads_member *mb = &pool->members[member];

	if (mb->nr_lost)
		return "segments were on it, which would be on nobody";
	if (mb->nr_legs)
		return "it holds segments, or some are on their way there";
	if (mb->state != ADSHARD_MEMBER_DRAINED &&
	    mb->state != ADSHARD_MEMBER_FAILED)
		return "it is neither drained nor failed";
	if (ads_meta_role(pool, member) == 2)
		return "it holds metadata";
	return NULL;
}

static int add_leaving(struct ads_reload *p, u16 member)
{
	if (p->nr_leave == ADS_TXN_MAX) {
		DMERR("more than %u members leave at once", ADS_TXN_MAX);
		return -E2BIG;
	}
	p->leave[p->nr_leave++] = member;
	return 0;
}

/* Members that had a device and are to have none leave, if they can. */
static int find_leaving(struct ads_reload *p)
{
	struct ads_pool *pool = p->pool;
	const char *why;
	u32 i;
	int err = 0;

	for (i = 0; i < pool->nr_members && !err; i++) {
		struct ads_member *mb = &pool->members[i];

		/* One that is missing since activation has no slots. */
		if (!mb->state || !mb->slots || is_named(p, i))
			continue;
		why = ads_reload_needed(pool, i);
		if (why) {
			DMERR("the table has no device for member %u (%pUb), but %s",
			      i, mb->disk.uuid, why);
			return -EBUSY;
		}
		err = add_leaving(p, i);
	}
	return err;
}

static int find_forgotten(struct ads_reload *p)
{
	struct ads_pool *pool = p->pool;
	const char *why;
	unsigned int k;
	int err = 0;

	for (k = 0; k < p->at->nr_forget && !err; k++) {
		u16 i = p->at->forget[k];

		if (i >= pool->nr_members || !pool->members[i].state) {
			DMERR("no member %u to forget", i);
			return -ENOENT;
		}
		why = is_named(p, i) ? "the table names it" : ads_reload_needed(pool, i);
		if (why) {
			DMERR("member %u can't be forgotten: %s", i, why);
			return -EBUSY;
		}
		/* With slots it was found by find_leaving(). */
		if (!pool->members[i].slots)
			err = add_leaving(p, i);
	}
	return err;
}

/*
 * A free place for one that joins. One that becomes free by this very reload does
 * not count: a record says of each member one thing.
 */
static int find_place(struct ads_reload *p, u16 *member)
{
	struct ads_pool *pool = p->pool;
	u32 i;

	for (i = 0; i < pool->meta->geo.max_members; i++) {
		if (i < pool->nr_members && pool->members[i].state)
			continue;
		if (is_named(p, i))
			continue;
		*member = i;
		p->nr_members = max(p->nr_members, i + 1);
		return 0;
	}
	DMERR("a pool can't have more than %u members",
	      pool->meta->geo.max_members);
	return -ENOSPC;
}

int ads_reload_plan(struct ads_reload *p)
{
	unsigned int k;
	int err;

	p->nr_members = p->pool->nr_members;
	err = identify_all(p);
	if (!err)
		err = find_leaving(p);
	if (!err)
		err = find_forgotten(p);
	for (k = 0; k < p->nr_join && !err; k++)
		err = find_place(p, &p->as[p->join[k]]);
	if (!err && p->nr_join + p->nr_leave > ADS_TXN_MAX) {
		DMERR("more than %u members join or leave at once", ADS_TXN_MAX);
		err = -E2BIG;
	}
	if (!err && p->nr_join + p->nr_leave && ads_meta_readonly(p->pool)) {
		DMERR("the pool takes no metadata changes");
		err = -EROFS;
	}
	return err;
}
