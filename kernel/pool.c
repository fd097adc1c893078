// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pools: the registry, life and death, members' states.
 */
#include <linux/device-mapper.h>
#include <linux/mm.h>
#include <linux/module.h>

#include "bio.h"
#include "event.h"
#include "migrate.h"
#include "netlink.h"
#include "pool.h"
#include "target.h"

#define ADS_MAX_ACTIVE		8	/* migrations of a pool at once */
#define ADS_SLOW_NS		NSEC_PER_SEC	/* for a read of a source */
#define ADS_LEG_BIOS		64	/* reserve for mirrored writes */

/* The one list of the module, for netlink and against double use. */
static struct {
	struct mutex lock;		/* the list, and that of tables of all */
	struct list_head pools;		/* by creation, that is by id */
	u64 last_id;
} ads_registry = {
	.lock = __MUTEX_INITIALIZER(ads_registry.lock),
	.pools = LIST_HEAD_INIT(ads_registry.pools),
};

static void table_work(struct work_struct *work)
{
	struct ads_pool *pool = container_of(work, struct ads_pool, table_work);

	mutex_lock(&pool->lock);
	if (pool->ti)
		dm_table_event(pool->ti->table);
	mutex_unlock(&pool->lock);
}

static void pool_free(struct ads_pool *pool)
{
	if (pool->set_wq)
		destroy_workqueue(pool->set_wq);
	if (pool->heal_wq)
		destroy_workqueue(pool->heal_wq);
	if (pool->bio_wq)
		destroy_workqueue(pool->bio_wq);
	if (pool->copy_wq)
		destroy_workqueue(pool->copy_wq);
	if (pool->ctl_wq)
		destroy_workqueue(pool->ctl_wq);
	kfree(pool->heals.txn);
	ads_sets_free(pool);
	bioset_exit(&pool->leg_bios);
	ads_lanes_exit(&pool->lanes);
	free_percpu(pool->tick);
	xa_destroy(&pool->migs);
	kfree(pool->present);
	kfree(pool->present_member);
	kfree(pool);
}

static struct ads_pool *pool_alloc(struct mapped_device *md)
{
	struct ads_pool *pool = kzalloc(sizeof(*pool), GFP_KERNEL);
	const char *name;

	if (!pool)
		return NULL;
	kref_init(&pool->ref);
	INIT_LIST_HEAD(&pool->node);
	INIT_LIST_HEAD(&pool->tables);
	pool->md = md;
	mutex_init(&pool->admin);
	mutex_init(&pool->lock);
	mutex_init(&pool->event_lock);
	pool->state = ADSHARD_POOL_LOADING;
	pool->suspended = true;
	pool->max_active = ADS_MAX_ACTIVE;
	pool->slow_ns = ADS_SLOW_NS;
	xa_init(&pool->migs);
	INIT_LIST_HEAD(&pool->queue);
	INIT_LIST_HEAD(&pool->active);
	init_waitqueue_head(&pool->wait);
	spin_lock_init(&pool->throttle_lock);
	ads_bad_init(&pool->bads);
	INIT_DELAYED_WORK(&pool->watch_work, ads_aside_work);
	ads_sets_init(&pool->sets);
	INIT_WORK(&pool->error_work, ads_error_work);
	INIT_WORK(&pool->repair_work, ads_meta_repair_work);
	INIT_WORK(&pool->table_work, table_work);

	pool->tick = alloc_percpu(u32);
	if (!pool->tick || ads_heals_init(&pool->heals) ||
	    ads_sets_alloc(pool) || ads_lanes_init(&pool->lanes) ||
	    bioset_init(&pool->leg_bios, ADS_LEG_BIOS,
			offsetof(struct ads_leg_bio, bio), 0))
		goto bad;

	/*
	 * Five, because each waits for the next: a commit (ctl) may wait for
	 * nothing but devices, a chunk (copy) is waited for by held writes, and
	 * those (bio, one thread: see legs_alloc()) are waited for by drains
	 * (ctl), and so are writes that heal, and writes to sets (set): both
	 * wait for commits of their own, a heal for one that set has made.
	 */
	name = dm_device_name(md);
	pool->set_wq = alloc_ordered_workqueue("adshard-set-%s",
					       WQ_MEM_RECLAIM, name);
	pool->heal_wq = alloc_ordered_workqueue("adshard-heal-%s",
						WQ_MEM_RECLAIM, name);
	pool->bio_wq = alloc_ordered_workqueue("adshard-bio-%s",
					       WQ_MEM_RECLAIM, name);
	pool->copy_wq = alloc_workqueue("adshard-copy-%s",
					WQ_MEM_RECLAIM | WQ_UNBOUND, 0, name);
	pool->ctl_wq = alloc_workqueue("adshard-ctl-%s",
				       WQ_MEM_RECLAIM | WQ_UNBOUND, 0, name);
	if (!pool->set_wq || !pool->heal_wq || !pool->bio_wq || !pool->copy_wq || !pool->ctl_wq)
		goto bad;
	return pool;
bad:
	pool_free(pool);
	return NULL;
}

static void pool_release(struct kref *ref)
{
	pool_free(container_of(ref, struct ads_pool, ref));
}

void ads_pool_put(struct ads_pool *pool)
{
	kref_put(&pool->ref, pool_release);
}

/*----------------------------------------------------------------*/

/* Does a table of @pool, live or not, name this device? */
static bool has_dev(const struct ads_pool *pool, const struct block_device *bdev)
{
	const struct ads_target *at;
	unsigned int i;

	list_for_each_entry(at, &pool->tables, node)
		for (i = 0; i < at->nr_devs; i++)
			if (at->devs[i].dev->bdev == bdev)
				return true;
	return false;
}

static bool shares_dev(const struct ads_pool *pool, const struct ads_target *at)
{
	unsigned int i;

	for (i = 0; i < at->nr_devs; i++)
		if (has_dev(pool, at->devs[i].dev->bdev))
			return true;
	return false;
}

/* May the table join @pool, which it has something in common with? */
static int may_join(struct ads_pool *pool, struct dm_target *ti,
		    const struct ads_args *args)
{
	if (pool->md != dm_table_get_md(ti->table)) {
		DMERR("%s: members or pool %pUb are in use by %s",
		      dm_device_name(dm_table_get_md(ti->table)), &pool->uuid,
		      dm_device_name(pool->md));
		ti->error = "Another adshard device uses these members or this pool";
		return -EBUSY;
	}
	if (args->create || !uuid_equal(&pool->uuid, &args->format.uuid)) {
		ti->error = "The members carry another pool: use its UUID";
		return -EINVAL;
	}
	return 0;
}

/*
 * Device-mapper opens members with a holder that all its devices share, so
 * nobody else keeps two tables off one disk.
 */
struct ads_pool *ads_pool_attach(struct dm_target *ti,
				 const struct ads_args *args,
				 struct ads_target *at)
{
	struct mapped_device *md = dm_table_get_md(ti->table);
	struct ads_pool *pool;
	int r;

	mutex_lock(&ads_registry.lock);
	list_for_each_entry(pool, &ads_registry.pools, node) {
		if (!shares_dev(pool, at) &&
		    !uuid_equal(&pool->uuid, &args->format.uuid))
			continue;
		r = may_join(pool, ti, args);
		if (r) {
			pool = ERR_PTR(r);
			goto unlock;
		}
		goto add;
	}

	pool = pool_alloc(md);
	if (!pool) {
		ti->error = "Cannot allocate the pool";
		pool = ERR_PTR(-ENOMEM);
		goto unlock;
	}
	uuid_copy(&pool->uuid, &args->format.uuid);
	pool->id = ++ads_registry.last_id;
	list_add_tail(&pool->node, &ads_registry.pools);
add:
	list_add_tail(&at->node, &pool->tables);
unlock:
	mutex_unlock(&ads_registry.lock);
	return pool;
}

/* The last table has gone: nothing is in flight, nobody may start anything. */
static void pool_unload(struct ads_pool *pool)
{
	bool loaded;

	mutex_lock(&pool->lock);
	loaded = pool->loaded;
	if (loaded)
		ads_event_pool(pool, ADSHARD_EVENT_POOL_GONE, NULL);
	pool->dead = true;
	pool->loaded = false;
	pool->suspended = true;
	mutex_unlock(&pool->lock);

	if (loaded) {
		ads_mig_destroy_all(pool);
		cancel_delayed_work_sync(&pool->sets.clear_work);
		cancel_work_sync(&pool->sets.work);
		cancel_delayed_work_sync(&pool->sets.clear_work);
		cancel_work_sync(&pool->repair_work);
	}
	/* After the last that could send an event. */
	cancel_work_sync(&pool->error_work);
	cancel_work_sync(&pool->table_work);
	if (loaded)
		ads_meta_unload(pool);
}

void ads_pool_detach(struct ads_pool *pool, struct dm_target *ti,
		     struct ads_target *at)
{
	bool last;

	mutex_lock(&pool->lock);
	if (pool->ti == ti)
		pool->ti = NULL;
	if (pool->bound == at)
		pool->bound = NULL;
	mutex_unlock(&pool->lock);

	mutex_lock(&ads_registry.lock);
	list_del(&at->node);
	last = list_empty(&pool->tables);
	if (last) {
		list_del_init(&pool->node);
		/* Under the lock: a new table must not find half of it gone. */
		pool_unload(pool);
	}
	mutex_unlock(&ads_registry.lock);
	if (last)
		ads_pool_put(pool);
}

struct ads_pool *ads_pool_get(const u8 uuid[ADSHARD_UUID_SIZE])
{
	struct ads_pool *pool;

	mutex_lock(&ads_registry.lock);
	list_for_each_entry(pool, &ads_registry.pools, node)
		if (!memcmp(&pool->uuid, uuid, ADSHARD_UUID_SIZE)) {
			kref_get(&pool->ref);
			goto unlock;
		}
	pool = NULL;
unlock:
	mutex_unlock(&ads_registry.lock);
	return pool;
}

struct ads_pool *ads_pool_next(struct ads_pool *prev)
{
	struct ads_pool *pool;

	mutex_lock(&ads_registry.lock);
	/* By number, not by place: @prev may be on the list no more. */
	list_for_each_entry(pool, &ads_registry.pools, node)
		if (!prev || pool->id > prev->id) {
			kref_get(&pool->ref);
			goto unlock;
		}
	pool = NULL;
unlock:
	mutex_unlock(&ads_registry.lock);
	if (prev)
		ads_pool_put(prev);
	return pool;
}

/*----------------------------------------------------------------*/

int ads_pool_lock(struct ads_pool *pool)
{
	int r;

	mutex_lock(&pool->lock);
	if (pool->loaded && !pool->suspended)
		return 0;
	r = pool->dead ? -ENODEV : -EBUSY;
	mutex_unlock(&pool->lock);
	return r;
}

int ads_pool_enter(struct ads_pool *pool)
{
	int r = ads_pool_lock(pool);

	if (r)
		return r;
	pool->users++;
	mutex_unlock(&pool->lock);
	return 0;
}

void ads_pool_leave(struct ads_pool *pool)
{
	mutex_lock(&pool->lock);
	if (!--pool->users)
		wake_up_all(&pool->wait);
	mutex_unlock(&pool->lock);
}

void ads_pool_set_state(struct ads_pool *pool, int state, const char *why)
{
	lockdep_assert_held(&pool->lock);
	/* It only gets worse, until the next activation. */
	if (state <= pool->state)
		return;
	pool->state = state;
	DMWARN("%s: pool %s: %s", dm_device_name(pool->md), pool->name, why);
	ads_event_pool(pool, ADSHARD_EVENT_POOL_STATE, why);
}

/*----------------------------------------------------------------*/

static void init_members(struct ads_pool *pool)
{
	bool degraded = ads_meta_degraded(pool);
	u32 i;

	for (i = 0; i < pool->nr_members; i++) {
		struct ads_member *mb = &pool->members[i];

		mb->nr_owned += mb->nr_legs;
		ads_member_limits(mb);
		if (mb->state == ADSHARD_MEMBER_FAILED)
			degraded = true;
	}
	pool->state = degraded ? ADSHARD_POOL_DEGRADED : ADSHARD_POOL_OK;
	if (ads_meta_readonly(pool))
		pool->state = ADSHARD_POOL_READONLY;
}

int ads_pool_load(struct ads_pool *pool, struct ads_target *at, sector_t len)
{
	int r;

	if (pool->loaded)
		return ads_pool_reload(pool, at, len);
	if (at->nr_join || at->nr_forget || at->shrink_from) {
		DMERR("%s: members join and leave a pool that is active",
		      dm_device_name(pool->md));
		return -EINVAL;
	}
	r = ads_pool_present(pool, at);
	if (r)
		return r;

	/* The metadata must agree; with a new pool it is what it gets. */
	pool->volume_sectors = len;
	r = ads_meta_load(pool, at->create ? &at->format : NULL, at->degraded);
	if (r)
		return r;
	init_members(pool);
	r = ads_sets_start(pool);
	if (r) {
		DMERR("%s: pool %s: legs that are missing could not be recorded as stale",
		      dm_device_name(pool->md), pool->name);
		ads_meta_unload(pool);
		return r;
	}
	mutex_lock(&pool->lock);
	pool->bound = at;
	pool->loaded = true;
	mutex_unlock(&pool->lock);
	ads_event_pool(pool, ADSHARD_EVENT_POOL_ACTIVE, NULL);
	return 0;
}

void ads_pool_resume(struct ads_pool *pool, struct dm_target *ti)
{
	u32 i;

	mutex_lock(&pool->lock);
	pool->ti = ti;
	pool->suspended = false;
	WRITE_ONCE(pool->parked, false);
	mutex_unlock(&pool->lock);
	ads_mig_unpark(pool);
	ads_sets_resume(pool);
	if (ads_meta_wanting(pool))
		queue_work(pool->ctl_wq, &pool->repair_work);
	/* A move may have ended as the pool was being suspended. */
	for (i = 0; i < pool->nr_members; i++)
		ads_pool_check_drained(pool, i);
}

void ads_pool_postsuspend(struct ads_pool *pool)
{
	mutex_lock(&pool->lock);
	pool->suspended = true;
	mutex_unlock(&pool->lock);
	wait_event(pool->wait, !READ_ONCE(pool->users));
	/* It writes to members; ads_pool_resume() sees to it again. */
	cancel_work_sync(&pool->repair_work);
	ads_sets_suspend(pool);
}
