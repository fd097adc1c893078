// SPDX-License-Identifier: GPL-2.0-only
/*
 * Migrations from the outside: queue them, start what the limits allow, stop
 * them, park them for a suspend.
 */
#include <linux/ktime.h>
#include <linux/netlink.h>

#include "bio.h"
#include "compat.h"
#include "event.h"
#include "migrate.h"
#include "pool.h"

bool ads_mig_fits(const struct ads_mig *m, const struct ads_mig *gone)
{
	struct ads_pool *pool = m->pool;
	struct ads_limit *src = &pool->members[m->src].limit[0];
	struct ads_limit *dst = &pool->members[m->dst].limit[1];

	lockdep_assert_held(&pool->lock);
	return pool->nr_active - !!gone < pool->max_active &&
	       src->active - (gone && gone->src == m->src) < src->active_max &&
	       dst->active - (gone && gone->dst == m->dst) < dst->active_max;
}

void ads_mig_enter(struct ads_mig *m)
{
	struct ads_pool *pool = m->pool;

	lockdep_assert_held(&pool->lock);
	pool->nr_active++;
	pool->members[m->src].limit[0].active++;
	pool->members[m->dst].limit[1].active++;
}

void ads_mig_leave(struct ads_mig *m)
{
	struct ads_pool *pool = m->pool;

	lockdep_assert_held(&pool->lock);
	pool->nr_active--;
	pool->members[m->src].limit[0].active--;
	pool->members[m->dst].limit[1].active--;
}

void ads_mig_start_queued(struct ads_pool *pool)
{
	struct ads_mig *m, *tmp;

	lockdep_assert_held(&pool->lock);
	if (pool->parked || pool->paused || pool->suspended)
		return;
	list_for_each_entry_safe(m, tmp, &pool->queue, node) {
		if (pool->nr_active >= pool->max_active)
			break;
		if (!ads_mig_fits(m, NULL))
			continue;
		list_move_tail(&m->node, &pool->active);
		pool->nr_queued--;
		pool->generation++;
		ads_mig_enter(m);
		m->start_ns = ktime_get_ns();
		ads_mig_set_step(m, ADSHARD_STEP_TRACK);
		ads_event_mig(m, ADSHARD_EVENT_MIGRATION_START, 0, NULL);
		queue_work(pool->ctl_wq, &m->ctl_work);
	}
	ads_aside_go_on(pool);
}

static void give_slot(struct ads_pool *pool, struct ads_mig *m)
{
	if (!m->in_place)
		ads_slot_free(&pool->members[m->dst],
			      m->dst_chunk / ads_pool_slot_chunks(pool));
}

/* pool->lock held. */
static void mig_cancel_queued(struct ads_mig *m)
{
	struct ads_pool *pool = m->pool;

	give_slot(pool, m);
	xa_erase(&pool->migs, m->seg);
	list_del(&m->node);
	pool->nr_queued--;
	pool->generation++;
	pool->totals.aborted++;
	ads_event_mig(m, ADSHARD_EVENT_MIGRATION_ABORTED, 0, NULL);
	/* Its word was never SLOW: no bio knows it. */
	kfree(m);
}

int ads_mig_check_dst(struct ads_pool *pool, u32 dst,
		      struct netlink_ext_ack *extack)
{
	struct ads_member *mb;

	if (dst >= pool->nr_members || !pool->members[dst].state) {
		NL_SET_ERR_MSG_FMT(extack, "no member %u", dst);
		return -ENOENT;
	}
	mb = &pool->members[dst];
	if (!mb->bdev || mb->closing || mb->state == ADSHARD_MEMBER_FAILED) {
		NL_SET_ERR_MSG_FMT(extack, "member %u has failed or is missing",
				   dst);
		return -EHOSTDOWN;
	}
	if (mb->state != ADSHARD_MEMBER_ONLINE) {
		NL_SET_ERR_MSG_FMT(extack, "member %u takes no new data (draining or drained)",
				   dst);
		return -EPERM;
	}
	return 0;
}

static int queue_check(struct ads_pool *pool, const struct ads_op *op,
		       struct netlink_ext_ack *extack)
{
	struct ads_set *set;
	struct ads_mig *m;
	int r;

	if (pool->state == ADSHARD_POOL_READONLY ||
	    pool->state == ADSHARD_POOL_STUCK) {
		NL_SET_ERR_MSG(extack, "the pool takes no metadata changes");
		return -EROFS;
	}
	if (op->seg >= pool->nr_segments) {
		NL_SET_ERR_MSG_FMT(extack, "no segment %u: the pool has %u",
				   op->seg, pool->nr_segments);
		return -ENOENT;
	}
	if (ads_seg_lost(pool, op->seg)) {
		NL_SET_ERR_MSG_FMT(extack, "segment %u is lost: its member has failed",
				   op->seg);
		return -EHOSTDOWN;
	}
	r = ads_mig_check_dst(pool, op->dst, extack);
	/* Of a leg that is there it is asked no more than that it is. */
	if (r && !(r == -EPERM && op->kind != ADSHARD_KIND_MOVE))
		return r;
	set = ads_set_of(pool, op->seg);
	m = xa_load(&pool->migs, op->seg);
	if (m && m->own && !op->own &&
	    READ_ONCE(m->step) == ADSHARD_STEP_QUEUED) {
		mig_cancel_queued(m);
		m = NULL;
	}
	if (m || (set && set->busy)) {
		NL_SET_ERR_MSG_FMT(extack, "segment %u is migrating already",
				   op->seg);
		return -EBUSY;
	}
	return 0;
}

/* Which leg goes, and from where to read; a plain segment. pool->lock held. */
static int plan_plain(struct ads_pool *pool, struct ads_mig *m,
		      const struct ads_op *op, struct netlink_ext_ack *extack)
{
	u64 word = READ_ONCE(pool->map[op->seg]);

	m->src = ads_word_member(word);
	m->src_chunk = ads_word_chunk(word);
	if (op->src != ADS_ALL && op->src != m->src) {
		NL_SET_ERR_MSG_FMT(extack, "segment %u has no leg on member %u",
				   op->seg, op->src);
		return -ENOENT;
	}
	if (m->src == op->dst) {
		NL_SET_ERR_MSG_FMT(extack, "segment %u is on member %u already",
				   op->seg, op->dst);
		return -EALREADY;
	}
	return 0;
}

/* set->lock held. */
static int plan_legs(struct ads_set *set, struct ads_mig *m,
		     const struct ads_op *op, struct netlink_ext_ack *extack)
{
	int there = ads_set_leg_on(set, op->dst);
	unsigned int i, legs = 0;

	for (i = 0; i < ADS_SET_LEGS; i++)
		legs += set->leg[i].state != ADS_LEG_FREE &&
			set->leg[i].state != ADS_LEG_GONE;
	m->src_leg = set->primary;
	if (op->kind == ADSHARD_KIND_MOVE) {
		if (op->src == ADS_ALL && legs > 1) {
			NL_SET_ERR_MSG_FMT(extack,
					   "segment %u has %u legs: which one is to go?",
					   op->seg, legs);
			return -EINVAL;
		}
		if (op->src != ADS_ALL)
			m->src_leg = ads_set_leg_on(set, op->src);
		if (m->src_leg < 0) {
			NL_SET_ERR_MSG_FMT(extack,
					   "segment %u has no leg on member %u",
					   op->seg, op->src);
			return -ENOENT;
		}
	} else if (op->own) {
		/* Equal to the primary it is to become, which is another one. */
		if (there < 0 || there == set->primary ||
		    set->leg[there].state != ADS_LEG_SYNC)
			return -ESTALE;
		m->aligns = true;
		m->in_place = true;
		m->align_leg = there;
		m->dst_chunk = set->leg[there].chunk;
	} else if (there >= 0 && set->leg[there].state == ADS_LEG_STALE) {
		m->kind = ADSHARD_KIND_RESYNC;
		m->in_place = true;
		m->dst_leg = there;
		m->dst_chunk = set->leg[there].chunk;
	} else if (there >= 0 && set->leg[there].state == ADS_LEG_OUT) {
		NL_SET_ERR_MSG_FMT(extack,
				   "that the leg of segment %u on member %u is stale is not recorded yet",
				   op->seg, op->dst);
		return -EBUSY;
	}
	m->src = set->leg[m->src_leg].member;
	m->src_chunk = set->leg[m->src_leg].chunk;
	if (m->in_place)
		return 0;
	if (there >= 0) {
		NL_SET_ERR_MSG_FMT(extack, "segment %u is on member %u already",
				   op->seg, op->dst);
		return -EALREADY;
	}
	if (op->kind == ADSHARD_KIND_ADD && legs == ADSHARD_MAX_LEGS) {
		NL_SET_ERR_MSG_FMT(extack, "segment %u has %u legs already",
				   op->seg, legs);
		return -ENOSPC;
	}
	return 0;
}

/* Everything but the place of a new leg. pool->lock held. */
static int plan_op(struct ads_pool *pool, struct ads_mig *m,
		   const struct ads_op *op, struct netlink_ext_ack *extack)
{
	struct ads_set *set = ads_set_of(pool, op->seg);
	int r;

	if (!set)
		return plan_plain(pool, m, op, extack);
	spin_lock_irq(&set->lock);
	r = plan_legs(set, m, op, extack);
	spin_unlock_irq(&set->lock);
	return r;
}

static int take_slot(struct ads_pool *pool, struct ads_mig *m,
		     struct netlink_ext_ack *extack)
{
	u32 slot;
	int r;

	if (m->in_place)
		return 0;
	r = ads_mig_check_dst(pool, m->dst, extack);
	if (r)
		return r;
	r = ads_slot_alloc(&pool->members[m->dst], &slot);
	if (r)
		NL_SET_ERR_MSG_FMT(extack, "member %u has no free slot", m->dst);
	else
		m->dst_chunk = slot * ads_pool_slot_chunks(pool);
	return r;
}

static void queue_insert(struct ads_pool *pool, struct ads_mig *m)
{
	struct ads_mig *pos;

	/* From the tail: a queue of equal priorities is the common case. */
	list_for_each_entry_reverse(pos, &pool->queue, node)
		if (pos->priority >= m->priority)
			break;
	list_add(&m->node, &pos->node);
	pool->nr_queued++;
}

static struct ads_mig *mig_alloc(struct ads_pool *pool, const struct ads_op *op)
{
	struct ads_mig *m = kzalloc(sizeof(*m), GFP_KERNEL);

	if (!m)
		return NULL;
	m->pool = pool;
	m->kind = op->kind;
	m->own = op->own;
	m->seg = op->seg;
	m->dst = op->dst;
	m->priority = op->priority;
	m->cookie = op->cookie;
	m->src_leg = -1;
	m->dst_leg = -1;
	m->align_leg = -1;
	m->step = ADSHARD_STEP_QUEUED;
	spin_lock_init(&m->lock);
	bio_list_init(&m->stalled);
	bio_list_init(&m->deferred);
	INIT_WORK(&m->bio_work, ads_bio_work);
	INIT_WORK(&m->ctl_work, ads_mig_ctl);
	return m;
}

int ads_mig_queue(struct ads_pool *pool, const struct ads_op *op,
		  struct netlink_ext_ack *extack)
{
	struct ads_mig *m;
	sector_t start;
	int r;

	/* Before the lock, which a commit may need: this may reclaim memory. */
	m = mig_alloc(pool, op);
	if (!m)
		return -ENOMEM;

	r = ads_pool_lock(pool);
	if (r) {
		NL_SET_ERR_MSG(extack, "the pool is suspended or not active");
		goto free;
	}
	r = queue_check(pool, op, extack);
	if (!r)
		r = plan_op(pool, m, op, extack);
	if (!r)
		r = take_slot(pool, m, extack);
	if (r)
		goto unlock;
	r = xa_err(xa_store(&pool->migs, op->seg, m, GFP_NOIO));
	if (r) {
		give_slot(pool, m);
		goto unlock;
	}

	m->block_shift = ilog2(pool->logical_block_size) - SECTOR_SHIFT;
	/* The volume may end within its last segment. */
	start = (sector_t)op->seg << pool->segment_shift;
	m->nr_chunks = min_t(sector_t, ads_pool_slot_chunks(pool),
			     DIV_ROUND_UP_ULL(pool->volume_sectors - start,
					      1ULL << pool->chunk_shift));
	queue_insert(pool, m);
	pool->generation++;
	ads_mig_start_queued(pool);
	mutex_unlock(&pool->lock);
	return 0;

unlock:
	mutex_unlock(&pool->lock);
free:
	kfree(m);
	return r;
}

/* pool->lock held. */
static void mig_stop(struct ads_mig *m)
{
	/* Beyond, the control work goes on to other steps meanwhile. */
	if (READ_ONCE(m->step) == ADSHARD_STEP_QUEUED) {
		mig_cancel_queued(m);
		return;
	}
	spin_lock_irq(&m->lock);
	WRITE_ONCE(m->stop, true);
	spin_unlock_irq(&m->lock);
	ads_jobs_hurry(m);
	queue_work(m->pool->ctl_wq, &m->ctl_work);
}

int ads_mig_abort(struct ads_pool *pool, u32 seg, u32 member)
{
	struct ads_mig *m, *tmp;
	int nr = 0;

	mutex_lock(&pool->lock);
	if (!pool->loaded) {
		mutex_unlock(&pool->lock);
		return -ENODEV;
	}
	if (seg != ADS_ALL) {
		m = xa_load(&pool->migs, seg);
		if (m) {
			mig_stop(m);
			nr = 1;
		} else {
			nr = -ENOENT;
		}
	} else {
		list_for_each_entry_safe(m, tmp, &pool->queue, node)
			if (member == ADS_ALL || m->src == member ||
			    m->dst == member) {
				mig_stop(m);
				nr++;
			}
		list_for_each_entry_safe(m, tmp, &pool->active, node)
			if (member == ADS_ALL || m->src == member ||
			    m->dst == member) {
				mig_stop(m);
				nr++;
			}
	}
	mutex_unlock(&pool->lock);
	return nr;
}

void ads_mig_stop_to(struct ads_pool *pool, u16 member)
{
	struct ads_mig *m, *tmp;

	lockdep_assert_held(&pool->lock);
	list_for_each_entry_safe(m, tmp, &pool->queue, node)
		if (m->dst == member)
			mig_stop(m);
	list_for_each_entry_safe(m, tmp, &pool->active, node)
		if (m->dst == member)
			mig_stop(m);
}

/*----------------------------------------------------------------*/

void ads_mig_park(struct ads_pool *pool)
{
	struct ads_mig *m;

	mutex_lock(&pool->lock);
	WRITE_ONCE(pool->parked, true);
	list_for_each_entry(m, &pool->active, node)
		ads_jobs_hurry(m);
	mutex_unlock(&pool->lock);

	/* 1. A control step that runs now may still start jobs ... */
	flush_workqueue(pool->ctl_wq);
	/*
	 * 2. ... which stop at their next chunk. Device-mapper waits for the
	 *    users' I/O only; this is ours, and would go on while the volume
	 *    is suspended, and into pages that a removal frees. ...
	 */
	wait_event(pool->wait, !atomic_read(&pool->busy_jobs));
	/* 3. They have queued the control work, which sees @parked and returns. */
	flush_workqueue(pool->ctl_wq);
}

void ads_mig_unpark(struct ads_pool *pool)
{
	struct ads_mig *m;

	mutex_lock(&pool->lock);
	if (pool->loaded && !pool->parked) {
		/* An abort goes on even if the pool is paused: ads_mig_ctl() looks. */
		list_for_each_entry(m, &pool->active, node) {
			queue_work(pool->ctl_wq, &m->ctl_work);
			if (!pool->paused)
				ads_jobs_kick(m, true);
		}
		ads_mig_start_queued(pool);
	}
	mutex_unlock(&pool->lock);
}

void ads_mig_destroy_all(struct ads_pool *pool)
{
	struct ads_mig *m, *tmp;

	cancel_delayed_work_sync(&pool->watch_work);
	list_splice_init(&pool->active, &pool->queue);
	list_for_each_entry_safe(m, tmp, &pool->queue, node) {
		list_del(&m->node);
		xa_erase(&pool->migs, m->seg);
		cancel_work_sync(&m->ctl_work);
		cancel_work_sync(&m->bio_work);
		ads_mig_free(m);
	}
	pool->nr_active = 0;
	pool->nr_queued = 0;
	pool->nr_aside = 0;
}

void ads_mig_info(struct ads_mig *m, struct ads_mig_info *info)
{
	memset(info, 0, sizeof(*info));
	spin_lock_irq(&m->lock);
	info->chunks_verified = m->chunks_verified;
	info->chunks_recopied = m->chunks_recopied;
	info->mismatches = m->mismatches;
	info->bytes_copied = m->bytes_copied;
	info->writes_held = m->writes_held;
	info->hold_max_ns = m->hold_max_ns;
	info->bad_bytes = (u64)m->bad_blocks << (m->block_shift + SECTOR_SHIFT);
	info->chunks = m->nr_chunks;
	info->chunks_done = m->clean;
	spin_unlock_irq(&m->lock);
	if (m->start_ns)
		info->age_ns = ktime_get_ns() - m->start_ns;
}
