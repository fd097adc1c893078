// SPDX-License-Identifier: GPL-2.0-only
/*
 * dm-adshard: the device-mapper target.
 */
#include <linux/device-mapper.h>
#include <linux/module.h>
#include <linux/sched/mm.h>

#include "bio.h"
#include "compat.h"
#include "event.h"
#include "format.h"
#include "message.h"
#include "migrate.h"
#include "pool.h"
#include "target.h"

static void put_devices(struct dm_target *ti, struct ads_target *at)
{
	while (at->nr_devs)
		dm_put_device(ti, at->devs[--at->nr_devs].dev);
}

static int get_devices(struct dm_target *ti, struct ads_target *at,
		       const struct ads_args *args)
{
	unsigned int i, k;
	int r;

	for (i = 0; i < args->nr_devs; i++) {
		r = dm_get_device(ti, args->devs[i],
				  dm_table_get_mode(ti->table),
				  &at->devs[i].dev);
		if (r) {
			DMERR("%s: cannot open: %d", args->devs[i], r);
			ti->error = "A member cannot be opened";
			return r;
		}
		at->nr_devs++;
		for (k = 0; k < i; k++)
			if (at->devs[k].dev->bdev == at->devs[i].dev->bdev) {
				DMERR("%s: named twice", args->devs[i]);
				ti->error = "A member is named twice";
				return -EINVAL;
			}
	}
	return 0;
}

/* Of any member: all of a pool have the same. */
static void take_layout(struct ads_target *at, const struct adshard_super *sb)
{
	struct ads_super s;

	ads_fmt_super_decode(sb, &s);
	at->data_start = ads_fmt_data_start(&s.geo);
	at->format.segment_shift = s.geo.segment_shift;
}

/* A blank device that is to join; those that are members came before. */
static int check_joining(struct dm_target *ti, struct ads_target *at,
			 struct ads_dev *d)
{
	struct block_device *bdev = d->dev->bdev;
	sector_t size = bdev_nr_sectors(bdev);
	sector_t segment = 1ULL << at->format.segment_shift;

	if (size < at->data_start + segment) {
		DMERR("%pg: too small for metadata and one segment: %llu sectors, needs %llu",
		      bdev, (u64)size, (u64)(at->data_start + segment));
		ti->error = "A member is too small (the kernel log says which)";
		return -ENOSPC;
	}
	if (bdev_logical_block_size(bdev) > at->logical_block_size) {
		DMERR("%pg: logical block size %u is larger than the pool's, %u",
		      bdev, bdev_logical_block_size(bdev),
		      at->logical_block_size);
		ti->error = "A device's blocks are too large (the kernel log says which)";
		return -EINVAL;
	}
	d->data_start = at->data_start;
	d->data_len = round_down(size - at->data_start, segment);
	return 0;
}

/*
 * Look at a member before anything is built on it. What counts is what
 * ->preresume reads: between here and there a table may be live that writes.
 */
static int check_member(struct dm_target *ti, struct ads_target *at,
			struct ads_dev *d, const struct ads_args *args)
{
	struct block_device *bdev = d->dev->bdev;
	struct adshard_super *sb = kmalloc(sizeof(*sb), GFP_KERNEL);
	char why[128];
	u32 nr_segments;
	int r;

	if (!sb) {
		ti->error = "Out of memory";
		return -ENOMEM;
	}
	r = ads_super_read(bdev, sb, why, sizeof(why));
	if (args->create) {
		if (r == -ENODATA)
			goto blank;
		DMERR("%pg: not blank: %s", bdev, why);
		ti->error = "A member is not blank (the kernel log says which)";
		r = r && r != -EUCLEAN && r != -EOPNOTSUPP ? r : -EEXIST;
		goto out;
	}
	if (r == -ENODATA && d >= at->devs + at->nr_devs - at->nr_join) {
		r = check_joining(ti, at, d);
		goto out;
	}
	if (r) {
		DMERR("%pg: %s", bdev, why);
		ti->error = "A device is no member of the pool (the kernel log says which)";
		r = r == -ENODATA ? -EINVAL : r;
		goto out;
	}
	if (memcmp(sb->pool_uuid, &args->format.uuid, sizeof(sb->pool_uuid))) {
		DMERR("%pg: a member of pool %pUb (%s), not of %pUb", bdev,
		      sb->pool_uuid, sb->pool_name, &args->format.uuid);
		ti->error = "A device is a member of another pool (the kernel log says which)";
		r = -EINVAL;
		goto out;
	}
	take_layout(at, sb);
	d->data_start = le64_to_cpu(sb->data_start);
	d->data_len = (sector_t)le32_to_cpu(sb->data_chunks) << sb->chunk_shift;
	if (bdev_nr_sectors(bdev) < le64_to_cpu(sb->member_sectors)) {
		DMERR("%pg: has %llu sectors, had %llu when it was formatted",
		      bdev, (unsigned long long)bdev_nr_sectors(bdev),
		      (unsigned long long)le64_to_cpu(sb->member_sectors));
		ti->error = "A member has a wrong size (the kernel log says which)";
		r = -EINVAL;
		goto out;
	}
	at->logical_block_size = max(at->logical_block_size,
				     le32_to_cpu(sb->logical_block_size));
	r = dm_set_target_max_io_len(ti, 1U << sb->segment_shift);
	goto out;

blank:
	nr_segments = DIV_ROUND_UP_ULL(ti->len,
				       1ULL << args->format.segment_shift);
	d->data_start = ads_layout_data_start(nr_segments);
	if (bdev_nr_sectors(bdev) <= d->data_start +
	    (1ULL << args->format.segment_shift)) {
		DMERR("%pg: too small for metadata and one segment", bdev);
		ti->error = "A member is too small (the kernel log says which)";
		r = -ENOSPC;
		goto out;
	}
	d->data_len = round_down(bdev_nr_sectors(bdev) - d->data_start,
				 1ULL << args->format.segment_shift);
	r = dm_set_target_max_io_len(ti, 1U << args->format.segment_shift);
out:
	kfree(sb);
	return r;
}

static int adshard_ctr(struct dm_target *ti, unsigned int argc, char **argv)
{
	struct ads_target *at;
	struct ads_args args;
	unsigned int i;
	int r;

	r = ads_args_parse(ti, argc, argv, &args);
	if (r)
		return r;
	if (DIV_ROUND_UP_ULL(ti->len, 1ULL << args.format.segment_shift) >
	    ADSHARD_MAX_SEGMENTS && args.create) {
		ti->error = "Too many segments: use a greater segment_size";
		return -EINVAL;
	}

	at = kzalloc(struct_size(at, devs, args.nr_devs), GFP_KERNEL);
	if (!at) {
		ti->error = "Out of memory";
		return -ENOMEM;
	}
	at->create = args.create;
	at->format = args.format;
	at->nr_join = args.nr_join;
	at->nr_spares = args.nr_spares;
	at->nr_forget = args.nr_forget;
	at->shrink_from = args.shrink_from;
	at->degraded = args.degraded;
	memcpy(at->forget, args.forget, sizeof(at->forget));

	r = get_devices(ti, at, &args);
	if (r)
		goto bad;
	/* First, so that a pool in use is called just that. */
	at->pool = ads_pool_attach(ti, &args, at);
	r = PTR_ERR_OR_ZERO(at->pool);
	if (r)
		goto bad;
	for (i = 0; i < at->nr_devs; i++) {
		r = check_member(ti, at, &at->devs[i], &args);
		if (r)
			goto bad_pool;
	}
	r = ads_pool_may_reload(ti, at);
	if (r)
		goto bad_pool;

	ti->private = at;
	ti->num_flush_bios = at->nr_devs;	/* ads_map(): one for each */
	ti->flush_supported = true;
	/* One clone each: they are cut by dm_accept_partial_bio(). */
	ti->num_discard_bios = 1;
	ti->num_secure_erase_bios = 1;
	ti->num_write_zeroes_bios = 1;
	ti->per_io_data_size = sizeof(struct ads_bio);
	ti->accounts_remapped_io = true;	/* dm_submit_bio_remap() */
	ti->limit_swap_bios = true;
	ads_ctr_stable_writes(ti);
	return 0;

bad_pool:
	ads_pool_detach(at->pool, ti, at);
bad:
	put_devices(ti, at);
	kfree(at);
	return r;
}

static void adshard_dtr(struct dm_target *ti)
{
	struct ads_target *at = ti->private;

	/* No device may go while the pool can still write to it. */
	ads_pool_detach(at->pool, ti, at);
	put_devices(ti, at);
	kfree(at);
}

static int adshard_preresume(struct dm_target *ti)
{
	struct ads_target *at = ti->private;

	return ads_pool_load(at->pool, at, ti->len);
}

static void adshard_resume(struct dm_target *ti)
{
	struct ads_target *at = ti->private;

	ads_pool_resume(at->pool, ti);
}

/*
 * I/O still flows: a held write must go on, so jobs finish their chunk, and
 * control steps (which may wait for bios) end.
 */
static void adshard_presuspend(struct dm_target *ti)
{
	struct ads_target *at = ti->private;

	ads_mig_park(at->pool);
}

static void adshard_presuspend_undo(struct dm_target *ti)
{
	struct ads_target *at = ti->private;
	struct ads_pool *pool = at->pool;

	mutex_lock(&pool->lock);
	WRITE_ONCE(pool->parked, false);
	mutex_unlock(&pool->lock);
	ads_mig_unpark(pool);
}

static void adshard_postsuspend(struct dm_target *ti)
{
	struct ads_target *at = ti->private;

	ads_pool_postsuspend(at->pool);
}

static const char *state_name(int state)
{
	static const char * const names[] = {
		[ADSHARD_POOL_LOADING] = "loading",
		[ADSHARD_POOL_OK] = "ok",
		[ADSHARD_POOL_DEGRADED] = "degraded",
		[ADSHARD_POOL_READONLY] = "readonly",
		[ADSHARD_POOL_STUCK] = "stuck",
	};

	return names[state];
}

static void status_info(struct ads_pool *pool, char *result,
			unsigned int maxlen)
{
	unsigned int sz = 0, online = 0;
	u32 i, nr_bad, nr_free;
	u64 bad;

	mutex_lock(&pool->lock);
	if (!pool->loaded) {
		DMEMIT("%s", state_name(ADSHARD_POOL_LOADING));
		mutex_unlock(&pool->lock);
		return;
	}
	for (i = 0; i < pool->nr_members; i++)
		online += pool->members[i].state == ADSHARD_MEMBER_ONLINE;
	DMEMIT("%s %u %llu %u %u ", state_name(pool->state), pool->nr_segments,
	       1ULL << pool->segment_shift, pool->nr_members, online);
	DMEMIT("%u %u %llu %llu %llu ", pool->nr_active, pool->nr_queued,
	       pool->totals.done, pool->totals.failed, pool->totals.aborted);
	DMEMIT("%lld %lld %lld ",
	       (long long)atomic64_read(&pool->totals.bytes_copied),
	       (long long)atomic64_read(&pool->totals.chunks_verified),
	       (long long)atomic64_read(&pool->totals.mismatches));
	ads_bad_count(pool, &nr_bad, &bad, &nr_free);
	DMEMIT("%llu %llu %u %u %llu ", ads_meta_seq(pool),
	       READ_ONCE(pool->event_seq), ads_pool_bytes_per_segment(),
	       nr_bad, bad);
	DMEMIT("%u %d %d %d", pool->nr_lost, atomic_read(&pool->sets.stale),
	       atomic_read(&pool->sets.missing),
	       atomic_read(&pool->sets.doubt));
	mutex_unlock(&pool->lock);
}

static void adshard_status(struct dm_target *ti, status_type_t type,
			   unsigned int status_flags, char *result,
			   unsigned int maxlen)
{
	struct ads_target *at = ti->private;
	unsigned int sz = 0, i;

	switch (type) {
	case STATUSTYPE_INFO:
		status_info(at->pool, result, maxlen);
		break;
	case STATUSTYPE_TABLE:
		DMEMIT("%pUb %u", &at->pool->uuid, at->nr_devs);
		for (i = 0; i < at->nr_devs; i++)
			DMEMIT(" %s", at->devs[i].dev->name);
		break;
	case STATUSTYPE_IMA:
		DMEMIT_TARGET_NAME_VERSION(ti->type);
		DMEMIT(",pool_uuid=%pUb,nr_members=%u", &at->pool->uuid,
		       at->nr_devs);
		for (i = 0; i < at->nr_devs; i++)
			DMEMIT(",member_%u=%s", i, at->devs[i].dev->name);
		DMEMIT(";");
		break;
	}
}

static int adshard_message(struct dm_target *ti, unsigned int argc, char **argv,
			   char *result, unsigned int maxlen)
{
	struct ads_target *at = ti->private;
	unsigned int noio;
	int r;

	/*
	 * A suspend may be waiting for this very call (SRCU), with I/O blocked
	 * already: reclaim must not wait for a write to us.
	 */
	noio = memalloc_noio_save();
	r = ads_message(at->pool, argc, argv, result, maxlen);
	memalloc_noio_restore(noio);
	return r;
}

static int adshard_iterate_devices(struct dm_target *ti,
				   iterate_devices_callout_fn fn, void *data)
{
	struct ads_target *at = ti->private;
	unsigned int i;
	int r = 0;

	/* All of them: any may become the destination of a write. */
	for (i = 0; !r && i < at->nr_devs; i++)
		r = fn(ti, at->devs[i].dev, at->devs[i].data_start,
		       at->devs[i].data_len, data);
	return r;
}

static void adshard_io_hints(struct dm_target *ti, struct queue_limits *limits)
{
	struct ads_target *at = ti->private;

	/* A member that is away today may come back with greater blocks. */
	if (limits->logical_block_size < at->logical_block_size) {
		limits->logical_block_size = at->logical_block_size;
		limits->physical_block_size = max(limits->physical_block_size,
						  limits->logical_block_size);
		limits->io_min = max(limits->io_min,
				     limits->physical_block_size);
	}
	ads_hint_stable_writes(limits);
}

static struct target_type adshard_target = {
	.name		= "adshard",
	.version	= { 1, 0, 0 },
	.features	= DM_TARGET_SINGLETON | DM_TARGET_ALWAYS_WRITEABLE |
			  DM_TARGET_NOWAIT,
	.module		= THIS_MODULE,
	.ctr		= adshard_ctr,
	.dtr		= adshard_dtr,
	.map		= ads_map,
	.end_io		= ads_end_io,
	.preresume	= adshard_preresume,
	.resume		= adshard_resume,
	.presuspend	= adshard_presuspend,
	.presuspend_undo = adshard_presuspend_undo,
	.postsuspend	= adshard_postsuspend,
	.status		= adshard_status,
	.message	= adshard_message,
	.iterate_devices = adshard_iterate_devices,
	.io_hints	= adshard_io_hints,
};

static int __init dm_adshard_init(void)
{
	int r = ads_netlink_init();

	if (r)
		return r;
	r = dm_register_target(&adshard_target);
	if (r)
		ads_netlink_exit();
	return r;
}

/* No pool is left: each table holds a reference to the module. */
static void __exit dm_adshard_exit(void)
{
	ads_netlink_exit();
	dm_unregister_target(&adshard_target);
}

module_init(dm_adshard_init);
module_exit(dm_adshard_exit);

MODULE_DESCRIPTION(DM_NAME " adaptive sharding target");
MODULE_LICENSE("GPL");
MODULE_SOFTDEP("pre: libcrc32c");
