// SPDX-License-Identifier: GPL-2.0-only
/*
 * A table for a pool that is loaded: members join and leave, devices come and go.
 *
 * All of it happens in ->preresume: device-mapper has waited for every bio, runs
 * none before we return, and what works by itself is parked (ads_mig_park()) or
 * has been waited for (ads_pool_postsuspend()). What is left are those who look:
 * netlink and status, under pool->lock.
 *
 * In these steps, and a crash after each of them finds:
 *	1. who is who: every device of the table is a member or is blank and joins;
 *	   every member that is needed has one (reload-plan.c)
 *	2. a superblock on each that joins, on stable media
 *		one that no record knows: not a member
 *	3. one record: who joins is a member, who leaves is none
 *		the new members; one that left has a superblock that no record knows
 *	4. those are wiped, as far as they can be
 *
 * If anything fails, device-mapper has the new table nevertheless, but it stays
 * suspended, and the devices that only the old one named are closed. So the
 * members get the devices of the new table in any case, and none for which it
 * has none; whoever loads the old table again then finds all as it was.
 */
#include <linux/blkdev.h>
#include <linux/device-mapper.h>
#include <linux/random.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "event.h"
#include "migrate.h"
#include "reload.h"

/* What the table is to say of the @k-th device that joins. */
static int fill_member(struct ads_reload *p, unsigned int k,
		       struct adshard_member *disk)
{
	const struct ads_geometry *geo = &p->pool->meta->geo;
	unsigned int i = p->join[k];
	struct block_device *bdev = p->at->devs[i].dev->bdev;
	u64 start = ads_fmt_data_start(geo), sectors = bdev_nr_sectors(bdev);
	unsigned int slot_shift = geo->segment_shift - geo->chunk_shift;
	u32 slots;

	if (bdev_logical_block_size(bdev) > geo->logical_block_size) {
		DMERR("%pg: logical block size %u is larger than the pool's, %u",
		      bdev, bdev_logical_block_size(bdev),
		      geo->logical_block_size);
		return -EINVAL;
	}
	slots = ads_layout_slots(geo, start, sectors);
	if (!slots) {
		DMERR("%pg: too small for metadata and one segment", bdev);
		return -ENOSPC;
	}
	memset(disk, 0, sizeof(*disk));
	generate_random_uuid(disk->uuid);
	disk->sectors = cpu_to_le64(sectors);
	disk->data_start = cpu_to_le64(start);
	disk->data_chunks = cpu_to_le32(slots << slot_shift);
	disk->state = ADSHARD_MEMBER_ONLINE;
	if (i >= p->at->nr_devs - p->at->nr_spares)
		disk->flags = cpu_to_le16(ADSHARD_MEMBER_F_SPARE);
	return 0;
}

static int commit_plan(struct ads_reload *p)
{
	struct ads_pool *pool = p->pool;
	struct ads_txn *txn = &p->txn;
	struct ads_change *chg;
	unsigned int k;
	int err;

	ads_txn_init(txn);
	txn->nr_members = p->nr_members;
	for (k = 0; k < p->nr_join; k++) {
		struct block_device *bdev = p->at->devs[p->join[k]].dev->bdev;

		chg = &txn->redo[txn->nr++];
		chg->type = ADSHARD_ENTRY_MEMBER;
		chg->index = p->as[p->join[k]];
		err = fill_member(p, k, &chg->member);
		/*
		 * 2. Before the record: a member whose superblock is not there
		 *    can't be found at activation, and could hold data.
		 */
		if (!err)
			err = ads_meta_new_super(pool, bdev, chg->index,
						 &chg->member);
		if (err)
			return err;
		ads_member_init(&pool->members[chg->index], chg->index);
	}
	for (k = 0; k < p->nr_leave; k++) {
		chg = &txn->redo[txn->nr++];
		chg->type = ADSHARD_ENTRY_MEMBER;
		chg->index = p->leave[k];
		memset(&chg->member, 0, sizeof(chg->member));
		/* Nothing may name its place once somebody else has it. */
		ads_bad_forget_gone(pool, p->leave[k], U32_MAX);
	}
	if (!txn->nr)
		return 0;
	/* 3. */
	return ads_meta_commit(pool, txn);
}

/* Into core what is durable: the slots of new members, and no trace of old. */
static int apply_plan(struct ads_reload *p)
{
	struct ads_pool *pool = p->pool;
	unsigned int k;
	int err;

	for (k = 0; k < p->nr_leave; k++) {
		struct ads_member *mb = &pool->members[p->leave[k]];

		DMINFO("pool %s: member %u has left", pool->name, p->leave[k]);
		/* 4. */
		if (mb->bdev && ads_meta_wipe_super(pool, mb->bdev))
			DMWARN("%pg: its superblock can't be wiped", mb->bdev);
		mutex_lock(&pool->lock);
		ads_slots_exit(mb);
		memset(mb, 0, sizeof(*mb));
		ads_member_init(mb, p->leave[k]);
		mutex_unlock(&pool->lock);
	}
	for (k = 0; k < p->nr_join; k++) {
		u16 member = p->as[p->join[k]];
		struct ads_member *mb = &pool->members[member];
		u32 slots = ads_fmt_slots(&pool->meta->geo,
					  le32_to_cpu(mb->disk.data_chunks));

		mb->data_start = le64_to_cpu(mb->disk.data_start);
		ads_member_limits(mb);
		err = ads_slots_init(mb, slots);
		if (err) {
			/* A member it is, and has no room until it is loaded. */
			DMWARN("member %u: no memory for its %u slots", member,
			       slots);
			return err;
		}
		DMINFO("%pg: member %u of pool %s", p->at->devs[p->join[k]].dev->bdev,
		       member, pool->name);
	}
	mutex_lock(&pool->lock);
	pool->nr_members = p->nr_members;
	pool->generation++;
	mutex_unlock(&pool->lock);
	return 0;
}

/*----------------------------------------------------------------*/

int ads_pool_present(struct ads_pool *pool, const struct ads_target *at)
{
	struct block_device **present;
	u16 *member;
	unsigned int i;

	present = kcalloc(at->nr_devs, sizeof(*present), GFP_KERNEL);
	member = kcalloc(at->nr_devs, sizeof(*member), GFP_KERNEL);
	if (!present || !member) {
		kfree(present);
		kfree(member);
		return -ENOMEM;
	}
	for (i = 0; i < at->nr_devs; i++) {
		present[i] = at->devs[i].dev->bdev;
		member[i] = ADSHARD_NO_MEMBER;
	}
	mutex_lock(&pool->lock);
	swap(pool->present, present);
	swap(pool->present_member, member);
	pool->nr_present = at->nr_devs;
	mutex_unlock(&pool->lock);
	kfree(present);
	kfree(member);
	return 0;
}

/*
 * The members get the devices of the table, and nothing else: what it does not
 * name may be closed at any time.
 */
static int bind(struct ads_reload *p)
{
	struct ads_pool *pool = p->pool;
	unsigned int i;
	int err;

	err = ads_pool_present(pool, p->at);
	mutex_lock(&pool->lock);
	for (i = 0; i < pool->nr_members; i++)
		pool->members[i].bdev = NULL;
	for (i = 0; i < p->at->nr_devs; i++) {
		u16 member = p->as[i];

		if (member == ADSHARD_NO_MEMBER || member >= pool->nr_members ||
		    !pool->members[member].state)
			continue;
		pool->members[member].bdev = p->at->devs[i].dev->bdev;
		if (!err)
			pool->present_member[i] = member;
	}
	mutex_unlock(&pool->lock);
	ads_meta_rebind(pool);
	return err;
}

/* A member that was missing has come back: it holds stale legs, if any. */
static int welcome(struct ads_reload *p)
{
	struct ads_pool *pool = p->pool;
	unsigned int i;
	u32 slots;
	int err;

	for (i = 0; i < p->at->nr_devs; i++) {
		struct ads_member *mb;

		if (p->as[i] == ADSHARD_NO_MEMBER)
			continue;
		mb = &pool->members[p->as[i]];
		if (mb->slots)
			continue;
		slots = ads_fmt_slots(&pool->meta->geo,
				      le32_to_cpu(mb->disk.data_chunks));
		err = ads_slots_init(mb, slots);
		if (err)
			return err;
		mutex_lock(&pool->lock);
		err = ads_sets_welcome(pool, p->as[i]);
		mutex_unlock(&pool->lock);
		if (err)
			return err;
		ads_member_limits(mb);
	}
	return 0;
}

static void tell(struct ads_reload *p)
{
	struct ads_pool *pool = p->pool;
	unsigned int k;

	mutex_lock(&pool->lock);
	for (k = 0; k < p->nr_leave; k++)
		ads_event_member(pool, ADSHARD_EVENT_MEMBER_LEFT, p->leave[k],
				 NULL);
	for (k = 0; k < p->nr_join; k++)
		ads_event_member(pool, ADSHARD_EVENT_MEMBER_JOINED,
				 p->as[p->join[k]], NULL);
	mutex_unlock(&pool->lock);
}

static int reload(struct ads_reload *p)
{
	int err, bound;

	err = ads_reload_plan(p);
	if (!err)
		err = commit_plan(p);
	if (!err)
		err = apply_plan(p);
	bound = bind(p);
	if (!err)
		err = bound;
	if (!err)
		err = welcome(p);
	if (err)
		return err;
	tell(p);
	/* Done: the next resume of this very table has nothing to do. */
	p->at->nr_join = 0;
	p->at->nr_spares = 0;
	p->at->nr_forget = 0;
	return 0;
}

int ads_pool_reload(struct ads_pool *pool, struct ads_target *at, sector_t len)
{
	/* The volume is suspended: memory must not wait for it. */
	unsigned int noio = memalloc_noio_save();
	struct ads_reload *p;
	int err = 0;

	if (pool->bound == at)
		goto resize;
	p = kvzalloc(sizeof(*p), GFP_KERNEL);
	err = -ENOMEM;
	if (!p)
		goto out;
	p->pool = pool;
	p->at = at;
	p->as = kvcalloc(at->nr_devs, sizeof(*p->as), GFP_KERNEL);
	if (p->as) {
		memset(p->as, 0xff, at->nr_devs * sizeof(*p->as));
		err = reload(p);
	}
	mutex_lock(&pool->lock);
	pool->bound = err ? NULL : at;
	mutex_unlock(&pool->lock);
	kvfree(p->as);
	kvfree(p);
resize:
	if (!err && pool->volume_sectors != len)
		err = ads_pool_resize(pool, at, len);
out:
	memalloc_noio_restore(noio);
	if (err)
		DMERR("%s: stays suspended (%d): load the table that it had, and resume it",
		      dm_device_name(pool->md), err);
	return err;
}

int ads_pool_may_reload(struct dm_target *ti, struct ads_target *at)
{
	struct ads_pool *pool = at->pool;
	const char *why = NULL;
	unsigned int i;
	int err = 0;
	u32 m;

	mutex_lock(&pool->lock);
	for (m = 0; pool->loaded && m < pool->nr_members && !why; m++) {
		struct ads_member *mb = &pool->members[m];

		if (!mb->state || !mb->bdev)
			continue;
		for (i = 0; i < at->nr_devs; i++)
			if (at->devs[i].dev->bdev == mb->bdev)
				break;
		if (i == at->nr_devs)
			why = ads_reload_needed(pool, m);
		if (why)
			DMERR("the table leaves out %pg, member %u, but %s",
			      mb->bdev, m, why);
	}
	if (pool->loaded && !why && ti->len != pool->volume_sectors)
		err = ads_pool_may_resize(pool, at, ti->len);
	mutex_unlock(&pool->lock);
	if (err)
		ti->error = "The volume can't get this length (the kernel log says why)";
	if (!why)
		return err;
	ti->error = "A reload must name every member in use (the kernel log says which)";
	return -EBUSY;
}
