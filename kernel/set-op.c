// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operations on segments with several legs, as far as they are not what they are
 * on one (migrate.c).
 *
 *	MOVE	of a leg: a new one comes, an old one goes, with one record
 *	ADD	a leg comes. A plain segment becomes a set before that: from the first
 *		write that goes to both, overlapping ones wait for each other.
 *	RESYNC	a stale leg is filled in its own place: its chunks count as clean from
 *		the start, so that it gets every write from then on, but none as
 *		verified: equal is equal, and what differs is copied. Or one of the
 *		legs in sync of a set in doubt: the same, without a record; when
 *		all are done the doubt is over.
 *
 * A leg that is no more by a record keeps its place until the lane was drained:
 * GONE, see set.h.
 */
#include <linux/device-mapper.h>
#include <linux/jiffies.h>
#include <linux/slab.h>

#include "bio.h"
#include "compat.h"
#include "job.h"
#include "migrate.h"
#include "pool.h"

u64 ads_set_map_word(struct ads_set *set)
{
	u64 word = ads_set_word(set, set->primary) | ADS_WORD_SET;

	if (ads_bad_any(&set->pool->bads, set->seg, ADS_BAD_ALL_PLACES))
		word |= ADS_WORD_BAD;
	return word;
}

/*----------------------------------------------------------------*/

/* The destination among the legs. set->lock held. */
static int take_leg(struct ads_mig *m, struct ads_set *set)
{
	unsigned int i;

	if (m->aligns)
		return 0;
	if (m->in_place) {
		if (set->leg[m->dst_leg].state != ADS_LEG_STALE)
			return -ESTALE;
		set->leg[m->dst_leg].stale = true;
		WRITE_ONCE(set->leg[m->dst_leg].state, ADS_LEG_FILLING);
		return 0;
	}
	for (i = 0; i < ADS_SET_LEGS; i++)
		if (set->leg[i].state == ADS_LEG_FREE)
			break;
	if (WARN_ON_ONCE(i == ADS_SET_LEGS))
		return -ENOSPC;
	m->dst_leg = i;
	set->leg[i].member = m->dst;
	set->leg[i].chunk = m->dst_chunk;
	set->leg[i].stale = false;
	set->leg[i].slot = true;
	/* Its place before its state: see in_sync() in set-read.c. */
	smp_store_release(&set->leg[i].state, ADS_LEG_FILLING);
	return 0;
}

static void note_flushes(struct ads_mig *m, struct ads_set *set, unsigned int i)
{
	u32 failed = READ_ONCE(ads_set_member(set, i)->flushes_failed);

	m->src_flushes[i] = failed;
	/* Without an intent nothing was written that was not flushed. */
	if (set->intent == ADS_INTENT_NONE)
		set->leg[i].flushes = failed;
}

int ads_op_track(struct ads_mig *m)
{
	struct ads_pool *pool = m->pool;
	struct ads_set *new = NULL, *set;
	unsigned int i;
	int r = 0;

	if (m->kind == ADSHARD_KIND_ADD) {
		new = kzalloc(sizeof(*new), GFP_NOIO);
		if (!new)
			return -ENOMEM;
	}
	mutex_lock(&pool->lock);
	set = ads_set_of(pool, m->seg);
	if (!set && new) {
		set = new;
		new = NULL;
		r = ads_set_make(pool, m->seg, set);
		if (r) {
			new = set;
			set = NULL;
		}
	} else if (!set) {
		r = -ESTALE;
	}
	if (set) {
		spin_lock_irq(&set->lock);
		r = take_leg(m, set);
		/* From here a flush that fails anywhere counts for the commit. */
		m->src_legs = ads_set_mask(set, ADS_LEG_SYNC);
		for (i = 0; i < ADS_SET_LEGS; i++)
			if (m->src_legs & 1U << i)
				note_flushes(m, set, i);
		m->doubts = set->doubts;
		ads_set_account(set);
		spin_unlock_irq(&set->lock);
		m->set = set;
		/* Pairs with smp_rmb() in map_slow(). */
		smp_store_release(&pool->map[m->seg],
				  ads_set_map_word(set) | ADS_WORD_SLOW);
	}
	mutex_unlock(&pool->lock);
	kfree(new);
	return r;
}

void ads_op_chunks(struct ads_mig *m)
{
	u32 i;

	spin_lock_irq(&m->lock);
	for (i = 0; i < m->nr_chunks; i++) {
		struct ads_chunk *c = &m->chunks[i];

		c->state = ADS_CHUNK_CLEAN;
		c->may_differ = true;
		/* What there is was never copied: it can't be trusted. */
		c->missed = true;
	}
	m->clean = m->nr_chunks;
	spin_unlock_irq(&m->lock);
}

/* Has its member failed a flush since the copying began? */
static bool leg_failed(const struct ads_mig *m, const struct ads_set *set,
		       unsigned int i)
{
	return READ_ONCE(ads_set_member(set, i)->flushes_failed) !=
	       m->src_flushes[i];
}

/*
 * A leg that was read, and has lost what its cache held, may have returned what
 * was there before, and so may the copy. While another one has all, it goes out,
 * to be recorded as stale, and the copy is compared again. True: once more.
 * set->lock held.
 */
static bool legs_lost(struct ads_mig *m, struct ads_set *set)
{
	bool again = false;
	unsigned int i;
	u8 sync, out;

	for (i = 0; i < ADS_SET_LEGS; i++) {
		if (!(m->src_legs & 1U << i) || !leg_failed(m, set, i))
			continue;
		sync = ads_set_mask(set, ADS_LEG_SYNC);
		out = ads_set_leg_lost(set, i) ? sync & 1U << i : 0;
		/* The last one has nobody to be compared with. */
		if (!(sync & ~(1U << i)))
			continue;
		if (out) {
			ads_set_out(set, out);
			ads_set_todo(set);
		}
		m->src_flushes[i] =
			READ_ONCE(ads_set_member(set, i)->flushes_failed);
		again = true;
	}
	return again;
}

int ads_op_image(struct ads_mig *m, struct ads_txn *txn)
{
	struct ads_set *set = m->set;
	unsigned int i;
	int r = 0;
	u8 sync;

	spin_lock_irq(&set->lock);
	if (legs_lost(m, set)) {
		spin_unlock_irq(&set->lock);
		ads_chunks_doubt(m);
		return -EAGAIN;
	}
	/*
	 * The only one that stays may have lost something: the new one may have
	 * it, and they would differ.
	 */
	sync = ads_set_mask(set, ADS_LEG_SYNC);
	if (m->kind == ADSHARD_KIND_MOVE)
		sync &= ~(1U << m->src_leg);
	for (i = 0; i < ADS_SET_LEGS; i++)
		if (sync & 1U << i && leg_failed(m, set, i))
			r = -EIO;
	ads_set_image(set, &m->image, m->dst_leg,
		      m->kind == ADSHARD_KIND_MOVE ? m->src_leg : -1);
	txn->nr = 1;
	txn->redo[0].type = ADSHARD_ENTRY_SEG;
	txn->redo[0].index = m->seg;
	ads_fmt_seg_encode(&m->image, &txn->redo[0].seg);
	txn->undo[0] = txn->redo[0];
	ads_fmt_seg_encode(&set->disk, &txn->undo[0].seg);
	spin_unlock_irq(&set->lock);
	if (r)
		ads_mig_fail(m, r, "a leg can't be flushed");
	return r;
}

int ads_op_apply(struct ads_mig *m)
{
	struct ads_member *dst = &m->pool->members[m->dst];
	struct ads_set *set = m->set;
	bool ok;

	spin_lock_irq(&set->lock);
	spin_lock(&m->lock);
	spin_lock(&dst->flush_lock);
	ok = ads_mig_may_commit(m, dst);
	if (ok) {
		m->committed = true;
		m->window = false;
	}
	spin_unlock(&dst->flush_lock);
	spin_unlock(&m->lock);
	if (ok) {
		ads_set_apply(set, &m->image);
		set->leg[m->dst_leg].flushes = m->dst_flushes;
		m->pool->generation++;
	}
	spin_unlock_irq(&set->lock);
	return ok ? 0 : -EIO;
}

void ads_op_aligned(struct ads_mig *m)
{
	struct ads_set *set = m->set;
	u8 sync;

	spin_lock_irq(&set->lock);
	if (m->doubts == set->doubts)
		set->aligned |= 1U << m->src_leg | 1U << m->align_leg;
	sync = ads_set_mask(set, ADS_LEG_SYNC);
	if (!(sync & ~set->aligned)) {
		WRITE_ONCE(set->doubt, false);
		set->aligned = 0;
	}
	ads_set_account(set);
	spin_unlock_irq(&set->lock);
}

void ads_op_dst_failed(struct ads_mig *m)
{
	struct ads_set *set = m->set;

	if (!m->aligns)
		return;
	spin_lock_irq(&set->lock);
	if (set->leg[m->align_leg].state == ADS_LEG_SYNC &&
	    hweight8(ads_set_mask(set, ADS_LEG_SYNC)) > 1) {
		ads_set_out(set, 1U << m->align_leg);
		ads_set_todo(set);
	}
	spin_unlock_irq(&set->lock);
}

void ads_op_untrack(struct ads_mig *m, bool done)
{
	struct ads_pool *pool = m->pool;
	struct ads_set *set = m->set;

	mutex_lock(&pool->lock);
	spin_lock_irq(&set->lock);
	if (!done && m->dst_leg >= 0 &&
	    set->leg[m->dst_leg].state == ADS_LEG_FILLING)
		WRITE_ONCE(set->leg[m->dst_leg].state,
			   m->in_place ? ADS_LEG_STALE : ADS_LEG_GONE);
	if (!done && m->aligns)
		set->resync_after = jiffies + ADS_RESYNC_PAUSE;
	ads_set_account(set);
	spin_unlock_irq(&set->lock);
	WRITE_ONCE(pool->map[m->seg], ads_set_map_word(set));
	mutex_unlock(&pool->lock);
}

void ads_op_finish(struct ads_mig *m, bool done)
{
	struct ads_pool *pool = m->pool;

	mutex_lock(&pool->lock);
	ads_set_free_gone(m->set);
	if (done && m->kind == ADSHARD_KIND_RESYNC)
		atomic64_add(m->bytes_copied, &pool->sets.resync_bytes);
	mutex_unlock(&pool->lock);
	ads_set_collapse(m->set);
}

/* The leg of those in @mask that is to be read. */
static unsigned int source_leg(struct ads_mig *m, u8 mask)
{
	unsigned int primary = READ_ONCE(m->set->primary);

	/* In doubt the others count only where it has nothing. */
	if (mask & 1U << primary &&
	    (READ_ONCE(m->set->doubt) || m->kind != ADSHARD_KIND_MOVE ||
	     !(mask & 1U << m->src_leg)))
		return primary;
	return mask & 1U << m->src_leg ? m->src_leg : __ffs(mask);
}

static void set_source(struct ads_job *job, unsigned int leg)
{
	job->src_leg = leg;
	job->src = job->m->set->leg[leg].member;
	job->src_chunk = job->m->set->leg[leg].chunk;
}

/* Legs that can be asked for all of the chunk, but those in @asked. */
static u8 sources(struct ads_job *job, u8 asked)
{
	struct ads_mig *m = job->m;
	sector_t first = (sector_t)job->chunk << m->pool->chunk_shift;

	return ads_set_without_bad(m->set, ads_set_readable(m->set) & ~asked,
				   first, 1U << m->pool->chunk_shift);
}

void ads_op_source(struct ads_job *job)
{
	struct ads_mig *m = job->m;
	u8 mask;

	if (!m->set) {
		job->src = m->src;
		job->src_chunk = m->src_chunk;
		return;
	}
	mask = sources(job, job->asked) ?:
	       ads_set_readable(m->set) & ~job->asked ?:
	       ads_set_readable(m->set);
	set_source(job, source_leg(m, mask));
}

bool ads_op_other_source(struct ads_job *job)
{
	/* In doubt only block by block: the others may differ. */
	if (!job->m->set || READ_ONCE(job->m->set->doubt) ||
	    job->asked & 1U << job->src_leg)
		return false;
	job->asked |= 1U << job->src_leg;
	return sources(job, job->asked);
}

bool ads_op_other_block(struct ads_job *job)
{
	u8 mask;

	if (!job->m->set)
		return false;
	job->asked_block |= 1U << job->src_leg;
	mask = sources(job, job->asked_block);
	if (!mask)
		return false;
	set_source(job, __ffs(mask));
	return true;
}
