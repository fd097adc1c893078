// SPDX-License-Identifier: GPL-2.0-only
/*
 * Migrations: the steps from one member to another.
 *
 * A migration is driven by its control work, which runs when it is started and
 * whenever its last busy chunk job stops (jobs.c). What a crash leaves behind
 * at each step:
 *
 *	up to VERIFY	nothing durable has changed; the source has every
 *			completed write. The copy is lost, and begun again.
 *	bad ranges	what could not be read is recorded for the destination,
 *			and counts only there: see bad.h.
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
#include <linux/sched/mm.h>

#include "bio.h"
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

void ads_mig_set_step(struct ads_mig *m, int step)
{
	spin_lock_irq(&m->lock);
	WRITE_ONCE(m->step, step);
	spin_unlock_irq(&m->lock);
}

void ads_mig_free(struct ads_mig *m)
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
	u16 left = done && m->kind == ADSHARD_KIND_MOVE ? m->src : m->dst;

	mutex_lock(&pool->lock);
	if (m->set) {
		/* ads_op_finish() has done it, and it may be no more. */
	} else if (done) {
		spin_lock_irq(&src->flush_lock);
		src->nr_owned--;
		spin_unlock_irq(&src->flush_lock);
		ads_slot_free(src, m->src_chunk / ads_pool_slot_chunks(pool));
	} else if (!m->in_place) {
		ads_slot_free(dst, m->dst_chunk / ads_pool_slot_chunks(pool));
	}
	xa_erase(&pool->migs, m->seg);
	list_del(&m->node);
	if (m->aside)
		ads_aside_end(m);
	else
		ads_mig_leave(m);
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

	ads_mig_free(m);
	ads_pool_check_drained(pool, left);
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

/* The word of its segment at this place, but for ADS_WORD_SLOW. */
static u64 word_at(struct ads_mig *m, u16 member, u32 chunk)
{
	u64 word = ads_word(member, chunk);

	if (ads_bad_any(&m->pool->bads, m->seg, word))
		word |= ADS_WORD_BAD;
	return word;
}

static void mig_abort(struct ads_mig *m)
{
	struct ads_pool *pool = m->pool;

	ads_mig_set_step(m, ADSHARD_STEP_ABORT);
	if (m->set)
		ads_op_untrack(m, false);
	else if (!(READ_ONCE(pool->map[m->seg]) & ADS_WORD_SET))
		WRITE_ONCE(pool->map[m->seg],
			   word_at(m, m->src, m->src_chunk));
	mig_drain(m);
	/* Before its slot can be taken once more, and by the same segment. */
	if (m->bad_recorded)
		ads_bad_forget(pool, m->seg, ads_word(m->dst, m->dst_chunk));
	if (m->set)
		ads_op_finish(m, false);
	mig_end(m, false);
}

/* Buffers for the jobs, and at first all else. True if there is memory for it. */
static bool mig_alloc(struct ads_mig *m)
{
	unsigned int noio = memalloc_noio_save();
	int r = 0;

	if (!m->txn) {
		m->txn = kzalloc(sizeof(*m->txn), GFP_KERNEL);
		r = m->txn ? ads_chunks_init(m) : -ENOMEM;
	}
	if (!r && !m->jobs)
		r = ads_jobs_init(m);
	if (!r && m->in_place)
		ads_op_chunks(m);
	memalloc_noio_restore(noio);
	if (r) {
		ads_mig_fail(m, r, "out of memory");
		mig_abort(m);
	}
	return !r;
}

/* Step 1: TRACK */
static void mig_track(struct ads_mig *m)
{
	struct ads_pool *pool = m->pool;
	int r;

	if (!mig_alloc(m))
		return;

	m->dst_flushes = READ_ONCE(pool->members[m->dst].flushes_failed);
	if (m->kind != ADSHARD_KIND_MOVE ||
	    READ_ONCE(pool->map[m->seg]) & ADS_WORD_SET) {
		r = ads_op_track(m);
		if (r) {
			ads_mig_fail(m, r, "the leg can't be filled");
			mig_abort(m);
			return;
		}
		goto tracked;
	}
	/* Pairs with smp_rmb() in ads_map(): who sees SLOW sees the chunks. */
	smp_store_release(&pool->map[m->seg],
			  word_at(m, m->src, m->src_chunk) | ADS_WORD_SLOW);
tracked:
	/* Writes that were mapped before, and are counted by nobody, end. */
	ads_lane_drain(&pool->lanes, m->seg);

	ads_mig_set_step(m, m->in_place ? ADSHARD_STEP_VERIFY :
			 ADSHARD_STEP_FILL);
	ads_jobs_kick(m, false);
}

static bool mig_clean(struct ads_mig *m)
{
	bool clean;

	spin_lock_irq(&m->lock);
	clean = m->clean == m->nr_chunks;
	spin_unlock_irq(&m->lock);
	return clean;
}

/*
 * Any flush of the destination that failed since the copying began, anybody's,
 * may have thrown away what its cache held; that the next one succeeds proves
 * nothing.
 */
static int flush_dst(struct ads_mig *m)
{
	struct ads_member *dst = &m->pool->members[m->dst];
	int r = blkdev_issue_flush(dst->bdev);

	if (r) {
		ads_member_error(m->pool, dst, ADS_ERR_FLUSH);
		ads_flush_lost(dst, true);
	} else if (READ_ONCE(dst->flushes_failed) != m->dst_flushes) {
		r = -EIO;
	}
	if (r)
		ads_mig_fail(m, r, "the destination can't be flushed");
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
		ads_mig_set_step(m, ADSHARD_STEP_VERIFY);
	} else if (ads_aside_wait(m) || !mig_alloc(m)) {
		return;
	}
	ads_jobs_kick(m, false);
}

/*
 * COMMIT, 2: under the metadata lock, so that no flush of another commit is under
 * way whose failure is not counted yet. From here a crash may find the record,
 * and make the destination the owner: a write that fails on a leg waits for the
 * outcome, and so does any user's flush, see flush.c. If a chunk got dirty since
 * the flush, its copy was not flushed.
 */
static int mig_begin(struct ads_txn *txn)
{
	struct ads_mig *m = container_of(txn, struct ads_mig_txn, txn)->m;
	struct ads_member *dst = &m->pool->members[m->dst];
	bool ready;

	if (m->set && ads_op_image(m, txn))
		return -EAGAIN;
	spin_lock_irq(&m->lock);
	spin_lock(&dst->flush_lock);
	ready = !m->stop && !m->error && m->dirtied == m->flushed_at &&
		m->clean == m->nr_chunks &&
		dst->flushes_failed == m->dst_flushes;
	if (ready) {
		m->window = true;
		ads_window_open(m, dst);
	}
	spin_unlock(&dst->flush_lock);
	spin_unlock_irq(&m->lock);
	return ready ? 0 : -EAGAIN;
}

/*
 * Not if a write that is not acknowledged yet is on the source only, or one that
 * is was in a cache that is lost.
 */
bool ads_mig_may_commit(struct ads_mig *m, struct ads_member *dst)
{
	lockdep_assert_held(&m->lock);
	lockdep_assert_held(&dst->flush_lock);
	return !m->dst_lost && dst->flushes_failed == m->dst_flushes &&
	       dst->state != ADSHARD_MEMBER_FAILED;
}

/* COMMIT, 4: under the metadata lock, when the record is durable. */
static int mig_apply(struct ads_txn *txn)
{
	struct ads_mig *m = container_of(txn, struct ads_mig_txn, txn)->m;
	struct ads_pool *pool = m->pool;
	struct ads_member *dst = &pool->members[m->dst];
	int r = 0;
	u64 word;

	mutex_lock(&pool->lock);
	if (m->set) {
		r = ads_op_apply(m);
		mutex_unlock(&pool->lock);
		return r;
	}
	/* Takes bads.lock, which is taken under none of these. */
	word = word_at(m, m->dst, m->dst_chunk);
	spin_lock_irq(&m->lock);
	spin_lock(&dst->flush_lock);
	if (!ads_mig_may_commit(m, dst)) {
		r = -EIO;
	} else {
		m->committed = true;
		m->window = false;
		dst->nr_owned++;
		/* Pairs with smp_rmb() in map_slow(): its bad ranges are known. */
		smp_store_release(&pool->map[m->seg], word);
		pool->generation++;
	}
	spin_unlock(&dst->flush_lock);
	spin_unlock_irq(&m->lock);
	mutex_unlock(&pool->lock);
	return r;
}

/*
 * COMMIT, 5: under the metadata lock, when the outcome is known, or it is known
 * that it won't be. All who waited for it go on; taken back or never written,
 * the destination is a mere destination again.
 */
static void mig_outcome(struct ads_txn *txn, int r)
{
	struct ads_mig *m = container_of(txn, struct ads_mig_txn, txn)->m;

	spin_lock_irq(&m->lock);
	m->window = false;
	m->stuck = r == -EOWNERDEAD;
	spin_unlock_irq(&m->lock);
	ads_window_close(m, &m->pool->members[m->dst]);
	ads_stalled_end(m);
}

static void mig_release(struct ads_mig *m)
{
	ads_mig_set_step(m, ADSHARD_STEP_RELEASE);
	if (m->set)
		ads_op_untrack(m, true);
	mig_drain(m);
	if (m->bad_blocks)
		DMWARN("segment %u: %llu bytes could not be read from member %u, and are bad",
		       m->seg,
		       (u64)m->bad_blocks << (m->block_shift + SECTOR_SHIFT),
		       m->src);
	if (m->kind == ADSHARD_KIND_MOVE)
		ads_bad_forget(m->pool, m->seg,
			       ads_word(m->src, m->src_chunk));
	if (m->set)
		ads_op_finish(m, true);
	mig_end(m, true);
}

/* Step 5: COMMIT. Nothing is frozen. */
static void mig_commit(struct ads_mig *m)
{
	struct ads_pool *pool = m->pool;
	struct ads_txn *txn = &m->txn->txn;
	int r;

	spin_lock_irq(&m->lock);
	m->flushed_at = m->dirtied;
	WRITE_ONCE(m->step, ADSHARD_STEP_COMMIT);
	spin_unlock_irq(&m->lock);

	/* 0. What it has not, it is known not to have. */
	if (m->in_place && !m->aligns)
		ads_bad_forget(pool, m->seg, ads_word(m->dst, m->dst_chunk));
	if (ads_bad_record(m)) {
		mig_abort(m);
		return;
	}

	/*
	 * 1. What the destination has, it has on stable media. Without this a
	 *    power cut after the record would leave the segment with an owner
	 *    that has lost a part of it, flushed by the user long ago.
	 */
	if (flush_dst(m)) {
		mig_abort(m);
		return;
	}

	/* It is called in sync already. */
	if (m->aligns) {
		ads_op_aligned(m);
		mig_release(m);
		return;
	}

	/* 2. Ready? 3. The record. 4. The word. 5. Everybody goes on. */
	ads_txn_init(txn);
	txn->nr = 1;
	/* Of a set: ads_op_image(). */
	ads_txn_place(&txn->redo[0], m->seg, m->dst, m->dst_chunk);
	ads_txn_place(&txn->undo[0], m->seg, m->src, m->src_chunk);
	txn->doomed = m->dst;
	txn->begin = mig_begin;
	txn->apply = mig_apply;
	txn->end = mig_outcome;
	m->txn->m = m;
	r = ads_meta_commit(pool, txn);

	switch (r) {
	case 0:
		mig_release(m);
		break;
	case -EAGAIN:
		/* Not ready, nothing is written: verify the rest, or stop. */
		ads_mig_set_step(m, ADSHARD_STEP_VERIFY);
		queue_work(pool->ctl_wq, &m->ctl_work);
		break;
	case -EOWNERDEAD:
		/* Both legs, until somebody deactivates the pool. */
		mutex_lock(&pool->lock);
		ads_pool_set_state(pool, ADSHARD_POOL_STUCK,
				   "the outcome of a commit is unknown");
		mutex_unlock(&pool->lock);
		break;
	default:
		ads_mig_fail(m, r, r == -EIO || r == -ECANCELED ?
			     "the destination failed during the commit" :
			     "the change could not be recorded");
		mig_abort(m);
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
		ads_jobs_kick(m, false);
}

void ads_mig_ctl(struct work_struct *work)
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
	if (READ_ONCE(m->aside)) {
		/* Only we start jobs that are all idle, so nobody will now. */
		ads_jobs_exit(m);
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
