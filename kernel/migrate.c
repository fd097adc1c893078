// SPDX-License-Identifier: GPL-2.0-only
/*
 * Migrations: the queue, and the steps from one member to another.
 *
 * A migration is driven by its control work, which runs when it is started and
 * whenever its last busy chunk job stops (copy.c). What a crash leaves behind
 * at each step:
 *
 *	up to VERIFY	nothing durable has changed; the source has every
 *			completed write. The copy is lost, and begun again.
 *	COMMIT		the record is on stable media on all active metadata
 *			members, on some, or on none. Writes go to both legs
 *			until the outcome is known, and what was written before
 *			was flushed on the destination before the record was
 *			sent: either leg is right.
 *	RELEASE		the destination is the owner. The source's slot is not
 *			used again before every bio that may read it has ended.
 *
 * Abort is legal at any step before COMMIT, and means: the word back to plain,
 * drain, free the destination's slot.
 */
#include <linux/blkdev.h>
#include <linux/ktime.h>
#include <linux/netlink.h>
#include <linux/sched/mm.h>

#include "bio.h"
#include "compat.h"
#include "event.h"
#include "migrate.h"
#include "pool.h"

struct ads_mig_txn {
	struct ads_txn txn;
	struct ads_mig *m;
};

/*----------------------------------------------------------------*/

void __ads_mig_fail(struct ads_mig *m, int err, const char *why)
{
	lockdep_assert_held(&m->lock);
	if (!m->error) {
		m->error = err;
		m->why = why;
	}
}

void ads_mig_fail(struct ads_mig *m, int err, const char *why)
{
	unsigned long flags;

	spin_lock_irqsave(&m->lock, flags);
	__ads_mig_fail(m, err, why);
	spin_unlock_irqrestore(&m->lock, flags);
}

bool ads_mig_must_stop(struct ads_mig *m)
{
	return READ_ONCE(m->stop) || READ_ONCE(m->error) ||
	       READ_ONCE(m->pool->parked) || READ_ONCE(m->pool->paused);
}

static void set_step(struct ads_mig *m, int step)
{
	spin_lock_irq(&m->lock);
	WRITE_ONCE(m->step, step);
	spin_unlock_irq(&m->lock);
}

static void mig_free(struct ads_mig *m)
{
	ads_jobs_exit(m);
	ads_chunks_exit(m);
	kfree(m->txn);
	kfree(m);
}

/*----------------------------------------------------------------*/

/* The end of RELEASE and ABORT: no bio knows @m any more. */
static void mig_end(struct ads_mig *m, bool done)
{
	struct ads_pool *pool = m->pool;
	struct ads_member *src = &pool->members[m->src];
	struct ads_member *dst = &pool->members[m->dst];
	u16 src_index = m->src;

	mutex_lock(&pool->lock);
	if (done)
		ads_slot_free(src, m->src_chunk / ads_pool_slot_chunks(pool));
	else
		ads_slot_free(dst, m->dst_chunk / ads_pool_slot_chunks(pool));
	xa_erase(&pool->migs, m->seg);
	list_del(&m->node);
	pool->nr_active--;
	src->limit[0].active--;
	dst->limit[1].active--;
	pool->generation++;
	if (done) {
		pool->totals.done++;
		ads_event_mig(m, ADSHARD_EVENT_MIGRATION_DONE, 0, NULL);
	} else if (m->error) {
		pool->totals.failed++;
		DMWARN("segment %u: migration failed: %s", m->seg, m->why);
		ads_event_mig(m, ADSHARD_EVENT_MIGRATION_FAILED, m->error,
			      m->why);
	} else {
		pool->totals.aborted++;
		ads_event_mig(m, ADSHARD_EVENT_MIGRATION_ABORTED, 0, NULL);
	}
	ads_mig_start_queued(pool);
	/*
	 * We are its control work. An abort that came while we ran has queued
	 * us once more; nobody can do so again, now that it is on no list.
	 */
	cancel_work(&m->ctl_work);
	mutex_unlock(&pool->lock);

	mig_free(m);
	if (done)
		ads_pool_check_drained(pool, src_index);
}

/*
 * Wait until no bio knows @m: its segment's word is plain again. Held and
 * deferred writes are counted in the lane, so the worker has nothing to do
 * after the drain, but may still be on its way out.
 */
static void mig_drain(struct ads_mig *m)
{
	ads_lane_drain(&m->pool->lanes, m->seg);
	cancel_work_sync(&m->bio_work);
}

static void mig_abort(struct ads_mig *m)
{
	struct ads_pool *pool = m->pool;

	set_step(m, ADSHARD_STEP_ABORT);
	WRITE_ONCE(pool->map[m->seg], ads_word(m->src, m->src_chunk));
	mig_drain(m);
	mig_end(m, false);
}

/* Step 1: TRACK */
static void mig_track(struct ads_mig *m)
{
	struct ads_pool *pool = m->pool;
	unsigned int noio = memalloc_noio_save();
	int r;

	m->txn = kzalloc(sizeof(*m->txn), GFP_KERNEL);
	r = m->txn ? ads_chunks_init(m) : -ENOMEM;
	if (!r)
		r = ads_jobs_init(m);
	memalloc_noio_restore(noio);
	if (r) {
		ads_mig_fail(m, r, "out of memory");
		mig_abort(m);
		return;
	}

	/* Pairs with smp_rmb() in ads_map(): who sees SLOW sees the chunks. */
	smp_store_release(&pool->map[m->seg],
			  ads_word(m->src, m->src_chunk) | ADS_WORD_SLOW);
	/* Writes that were mapped before, and are counted by nobody, end. */
	ads_lane_drain(&pool->lanes, m->seg);

	set_step(m, ADSHARD_STEP_FILL);
	ads_jobs_kick(m);
}

static bool mig_clean(struct ads_mig *m)
{
	bool clean;

	spin_lock_irq(&m->lock);
	clean = m->clean == m->nr_chunks;
	spin_unlock_irq(&m->lock);
	return clean;
}

static int flush_dst(struct ads_mig *m)
{
	struct ads_member *dst = &m->pool->members[m->dst];
	int r = blkdev_issue_flush(dst->bdev);

	if (r) {
		ads_member_error(m->pool, dst, ADS_ERR_FLUSH);
		ads_mig_fail(m, r, "the destination can't be flushed");
	}
	return r;
}

/* Step 2: FILL, when all jobs have stopped */
static void mig_fill(struct ads_mig *m)
{
	if (mig_clean(m)) {
		/* Compare what is on the medium, not in the disk's cache. */
		if (flush_dst(m)) {
			mig_abort(m);
			return;
		}
		set_step(m, ADSHARD_STEP_VERIFY);
	}
	ads_jobs_kick(m);
}

/* Called under the metadata lock, when the record is durable. */
static int mig_apply(struct ads_txn *txn)
{
	struct ads_mig *m = container_of(txn, struct ads_mig_txn, txn)->m;
	int r = 0;

	spin_lock_irq(&m->lock);
	if (m->dst_lost) {
		/* A write that is not acknowledged yet is on the source only. */
		r = -EIO;
	} else {
		m->committed = true;
		m->window = false;
		WRITE_ONCE(m->pool->map[m->seg],
			   ads_word(m->dst, m->dst_chunk));
	}
	spin_unlock_irq(&m->lock);
	return r;
}

/* Step 5: COMMIT. Nothing is frozen. */
static void mig_commit(struct ads_mig *m)
{
	struct ads_pool *pool = m->pool;
	struct ads_txn *txn = &m->txn->txn;
	u32 dirtied;
	bool ready;
	int r;

	spin_lock_irq(&m->lock);
	dirtied = m->dirtied;
	WRITE_ONCE(m->step, ADSHARD_STEP_COMMIT);
	spin_unlock_irq(&m->lock);

	/*
	 * 1. What the destination has, it has on stable media. Without this a
	 *    power cut after the record would leave the segment with an owner
	 *    that has lost a part of it, flushed by the user long ago.
	 */
	if (flush_dst(m)) {
		mig_abort(m);
		return;
	}

	/*
	 * 2. From here a write that fails on a leg waits for the outcome. If a
	 *    chunk got dirty during the flush, its copy was not flushed.
	 */
	spin_lock_irq(&m->lock);
	ready = !m->stop && !m->error && m->dirtied == dirtied &&
		m->clean == m->nr_chunks;
	if (ready)
		m->window = true;
	else
		WRITE_ONCE(m->step, ADSHARD_STEP_VERIFY);
	spin_unlock_irq(&m->lock);
	if (!ready) {
		queue_work(pool->ctl_wq, &m->ctl_work);
		return;
	}

	/* 3. The record; 4. mig_apply() flips the word once it is durable. */
	ads_txn_init(txn);
	txn->nr = 1;
	ads_txn_place(&txn->redo[0], m->seg, m->dst, m->dst_chunk);
	ads_txn_place(&txn->undo[0], m->seg, m->src, m->src_chunk);
	txn->doomed = m->dst;
	txn->apply = mig_apply;
	m->txn->m = m;
	r = ads_meta_commit(pool, txn);

	spin_lock_irq(&m->lock);
	m->window = false;
	m->stuck = r == -EOWNERDEAD;
	if (r && !m->stuck)
		__ads_mig_fail(m, r, m->dst_lost ?
			       "the destination failed during the commit" :
			       "the change could not be recorded");
	spin_unlock_irq(&m->lock);
	ads_stalled_end(m);

	if (m->stuck) {
		/* Both legs, until somebody deactivates the pool. */
		mutex_lock(&pool->lock);
		ads_pool_set_state(pool, ADSHARD_POOL_STUCK,
				   "the outcome of a commit is unknown");
		mutex_unlock(&pool->lock);
	} else if (r) {
		mig_abort(m);
	} else {
		/* Step 6: RELEASE */
		set_step(m, ADSHARD_STEP_RELEASE);
		mig_drain(m);
		mig_end(m, true);
	}
}

/* Step 3: VERIFY, when all jobs have stopped */
static void mig_verify(struct ads_mig *m)
{
	bool ready;

	spin_lock_irq(&m->lock);
	ready = m->clean == m->nr_chunks && !m->unverified;
	spin_unlock_irq(&m->lock);
	if (ready)
		mig_commit(m);
	else
		ads_jobs_kick(m);
}

static void ctl_work(struct work_struct *work)
{
	struct ads_mig *m = container_of(work, struct ads_mig, ctl_work);
	struct ads_pool *pool = m->pool;
	bool quiet, stop;

	spin_lock_irq(&m->lock);
	quiet = !m->busy && !m->stuck;
	stop = m->stop || m->error;
	spin_unlock_irq(&m->lock);

	/* The last job to stop queues us again, and so does unpark. */
	if (!quiet || READ_ONCE(pool->parked))
		return;
	if (stop) {
		mig_abort(m);
		return;
	}
	if (READ_ONCE(pool->paused))
		return;

	switch (m->step) {
	case ADSHARD_STEP_TRACK:
		mig_track(m);
		break;
	case ADSHARD_STEP_FILL:
		mig_fill(m);
		break;
	case ADSHARD_STEP_VERIFY:
		mig_verify(m);
		break;
	}
}

/*----------------------------------------------------------------*/

static bool limits_allow(struct ads_pool *pool, struct ads_mig *m)
{
	struct ads_limit *src = &pool->members[m->src].limit[0];
	struct ads_limit *dst = &pool->members[m->dst].limit[1];

	return src->active < src->active_max && dst->active < dst->active_max;
}

void ads_mig_start_queued(struct ads_pool *pool)
{
	struct ads_mig *m, *tmp;

	lockdep_assert_held(&pool->lock);
	if (pool->parked || pool->paused || pool->suspended)
		return;
	list_for_each_entry_safe(m, tmp, &pool->queue, node) {
		if (pool->nr_active >= pool->max_active)
			return;
		if (!limits_allow(pool, m))
			continue;
		list_move_tail(&m->node, &pool->active);
		pool->nr_queued--;
		pool->nr_active++;
		pool->members[m->src].limit[0].active++;
		pool->members[m->dst].limit[1].active++;
		m->start_ns = ktime_get_ns();
		set_step(m, ADSHARD_STEP_TRACK);
		ads_event_mig(m, ADSHARD_EVENT_MIGRATION_START, 0, NULL);
		queue_work(pool->ctl_wq, &m->ctl_work);
	}
}

static int queue_check(struct ads_pool *pool, u32 seg, u32 dst,
		       struct netlink_ext_ack *extack)
{
	struct ads_member *mb;

	if (pool->state == ADSHARD_POOL_READONLY ||
	    pool->state == ADSHARD_POOL_STUCK) {
		NL_SET_ERR_MSG(extack, "the pool takes no metadata changes");
		return -EROFS;
	}
	if (seg >= pool->nr_segments) {
		NL_SET_ERR_MSG(extack, "no such segment");
		return -ENOENT;
	}
	if (dst >= pool->nr_members || !pool->members[dst].state) {
		NL_SET_ERR_MSG(extack, "no such member");
		return -ENOENT;
	}
	mb = &pool->members[dst];
	if (!mb->bdev || mb->state == ADSHARD_MEMBER_FAILED) {
		NL_SET_ERR_MSG(extack, "the destination has failed or is missing");
		return -EHOSTDOWN;
	}
	if (mb->state != ADSHARD_MEMBER_ONLINE) {
		NL_SET_ERR_MSG(extack, "the destination takes no new data (draining or drained)");
		return -EPERM;
	}
	if (xa_load(&pool->migs, seg)) {
		NL_SET_ERR_MSG(extack, "the segment is migrating already");
		return -EBUSY;
	}
	if (ads_word_member(READ_ONCE(pool->map[seg])) == dst) {
		NL_SET_ERR_MSG(extack, "the segment is on this member already");
		return -EALREADY;
	}
	return 0;
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

static struct ads_mig *mig_alloc(struct ads_pool *pool, u32 seg, u32 dst,
				 u32 priority, u64 cookie)
{
	struct ads_mig *m = kzalloc(sizeof(*m), GFP_KERNEL);

	if (!m)
		return NULL;
	m->pool = pool;
	m->seg = seg;
	m->dst = dst;
	m->priority = priority;
	m->cookie = cookie;
	m->step = ADSHARD_STEP_QUEUED;
	spin_lock_init(&m->lock);
	bio_list_init(&m->stalled);
	bio_list_init(&m->deferred);
	INIT_WORK(&m->bio_work, ads_bio_work);
	INIT_WORK(&m->ctl_work, ctl_work);
	return m;
}

int ads_mig_queue(struct ads_pool *pool, u32 seg, u32 dst, u32 priority,
		  u64 cookie, struct netlink_ext_ack *extack)
{
	struct ads_mig *m;
	sector_t start;
	u32 slot;
	u64 word;
	int r;

	/* Before the lock, which a commit may need: this may reclaim memory. */
	m = mig_alloc(pool, seg, dst, priority, cookie);
	if (!m)
		return -ENOMEM;

	r = ads_pool_lock(pool);
	if (r) {
		NL_SET_ERR_MSG(extack, "the pool is suspended or not active");
		goto free;
	}
	r = queue_check(pool, seg, dst, extack);
	if (r)
		goto unlock;
	r = ads_slot_alloc(&pool->members[dst], &slot);
	if (r) {
		NL_SET_ERR_MSG(extack, "no free slot on the destination");
		goto unlock;
	}
	r = xa_err(xa_store(&pool->migs, seg, m, GFP_NOIO));
	if (r) {
		ads_slot_free(&pool->members[dst], slot);
		goto unlock;
	}

	word = READ_ONCE(pool->map[seg]);
	m->src = ads_word_member(word);
	m->src_chunk = ads_word_chunk(word);
	m->dst_chunk = slot * ads_pool_slot_chunks(pool);
	/* The volume may end within its last segment. */
	start = (sector_t)seg << pool->segment_shift;
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
static void mig_cancel_queued(struct ads_mig *m)
{
	struct ads_pool *pool = m->pool;

	ads_slot_free(&pool->members[m->dst],
		      m->dst_chunk / ads_pool_slot_chunks(pool));
	xa_erase(&pool->migs, m->seg);
	list_del(&m->node);
	pool->nr_queued--;
	pool->generation++;
	pool->totals.aborted++;
	ads_event_mig(m, ADSHARD_EVENT_MIGRATION_ABORTED, 0, NULL);
	/* Its word was never SLOW: no bio knows it. */
	kfree(m);
}

/* pool->lock held. */
static void mig_stop(struct ads_mig *m)
{
	if (m->step == ADSHARD_STEP_QUEUED) {
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
	/* 2. ... which stop at their next chunk ... */
	wait_event(pool->wait, !atomic_read(&pool->busy_jobs));
	/* 3. ... and queue the control work, which sees @parked and returns. */
	flush_workqueue(pool->ctl_wq);
}

void ads_mig_unpark(struct ads_pool *pool)
{
	struct ads_mig *m;

	mutex_lock(&pool->lock);
	if (pool->loaded && !pool->parked && !pool->paused) {
		list_for_each_entry(m, &pool->active, node)
			queue_work(pool->ctl_wq, &m->ctl_work);
		ads_mig_start_queued(pool);
	}
	mutex_unlock(&pool->lock);
}

void ads_mig_destroy_all(struct ads_pool *pool)
{
	struct ads_mig *m, *tmp;

	list_splice_init(&pool->active, &pool->queue);
	list_for_each_entry_safe(m, tmp, &pool->queue, node) {
		list_del(&m->node);
		xa_erase(&pool->migs, m->seg);
		cancel_work_sync(&m->ctl_work);
		cancel_work_sync(&m->bio_work);
		mig_free(m);
	}
	pool->nr_active = 0;
	pool->nr_queued = 0;
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
	info->chunks = m->nr_chunks;
	info->chunks_done = m->clean;
	spin_unlock_irq(&m->lock);
	if (m->start_ns)
		info->age_ns = ktime_get_ns() - m->start_ns;
}
