// SPDX-License-Identifier: GPL-2.0-only
/*
 * A place for lost segments. What they held has gone with members that have failed
 * for ever, and that can't leave as long as the map names them.
 *
 * Nothing is made up for it: all of the new place is one bad range, so reads go on
 * failing, and what is written is good.
 *
 *	1. The word of a set says that there are bad ranges, and the lane is
 *	   drained: who finds the segment no more lost must look for them. (That of
 *	   a plain one says so because it is lost.)
 *	2. A slot.
 *	3. A record with the range. It counts for nothing while the segment is not
 *	   there; without it a power cut after 4 would leave a segment that returns
 *	   what the slot held before.
 *	4. A record that has the segment there.
 *	5. Ranges of the place that it had are forgotten.
 *
 * After a crash before 4 the range is removed by the next activation, as those of
 * moves are; after 4 all is as it should be.
 */
#include <linux/device-mapper.h>
#include <linux/netlink.h>
#include <linux/slab.h>

#include "compat.h"
#include "meta-core.h"
#include "migrate.h"
#include "pool.h"

/**
 * struct renew - one segment's
 * @txn:	of 4.
 * @range:	of 3.
 * @pool:	its pool
 * @seg:	its number
 * @dst:	the member that it comes to
 * @chunk:	the place there
 * @old:	its word before
 * @set:	NULL: a plain one. It is @busy
 * @image:	of a set: what the record says
 */
struct renew {
	struct ads_txn txn;
	struct ads_txn range;
	struct ads_pool *pool;
	u32 seg;
	u16 dst;
	u32 chunk;
	u64 old;
	struct ads_set *set;
	struct ads_fmt_seg image;
};

/* A leg that is stale on a member that is here stays what it is. */
static bool stays(const struct ads_set_leg *leg)
{
	return leg->state == ADS_LEG_STALE && leg->slot;
}

/* pool->lock and set->lock held. */
static void apply_set(struct renew *r)
{
	struct ads_pool *pool = r->pool;
	struct ads_set *set = r->set;
	unsigned int i, at = ADS_SET_LEGS;

	for (i = 0; i < ADS_SET_LEGS; i++) {
		struct ads_set_leg *leg = &set->leg[i];

		if (leg->state == ADS_LEG_SYNC)
			ads_set_member(set, i)->nr_lost--;
		if (leg->state != ADS_LEG_FREE && !stays(leg))
			leg->state = ADS_LEG_FREE;
		if (leg->state == ADS_LEG_FREE)
			at = i;
	}
	set->leg[at].member = r->dst;
	set->leg[at].chunk = r->chunk;
	set->leg[at].stale = false;
	set->leg[at].slot = true;
	set->leg[at].flushes = READ_ONCE(pool->members[r->dst].flushes_failed);
	set->leg[at].state = ADS_LEG_SYNC;
	set->primary = at;
	set->intent = ADS_INTENT_NONE;
	set->doubt = false;
	set->disk = r->image;
	/* Pairs with smp_load_acquire() in map_set(): its legs, then this. */
	smp_store_release(&set->lost, false);
	ads_set_account(set);
}

/* 4., in core. */
static int renew_apply(struct ads_txn *txn)
{
	struct renew *r = container_of(txn, struct renew, txn);
	struct ads_pool *pool = r->pool;
	struct ads_member *dst = &pool->members[r->dst];
	int err = 0;

	mutex_lock(&pool->lock);
	if (r->set) {
		spin_lock_irq(&r->set->lock);
		apply_set(r);
		spin_unlock_irq(&r->set->lock);
		/* bads->lock is not taken within set->lock. */
		WRITE_ONCE(pool->map[r->seg],
			   ads_set_map_word(r->set) | ADS_WORD_BAD);
	} else if (READ_ONCE(pool->map[r->seg]) != r->old) {
		err = -ESTALE;
	} else {
		pool->members[ads_word_member(r->old)].nr_lost--;
		spin_lock_irq(&dst->flush_lock);
		dst->nr_owned++;
		spin_unlock_irq(&dst->flush_lock);
		/* Pairs with smp_rmb() in map_slow(): its range is known. */
		smp_store_release(&pool->map[r->seg],
				  ads_word(r->dst, r->chunk) | ADS_WORD_BAD);
	}
	if (!err) {
		pool->nr_lost--;
		pool->generation++;
	}
	mutex_unlock(&pool->lock);
	return err;
}

static void make_image(struct renew *r)
{
	struct ads_set *set = r->set;
	struct ads_fmt_seg *s = &r->image;
	unsigned int i;

	spin_lock_irq(&set->lock);
	s->wanted = set->wanted;
	s->nr_legs = 1;
	s->in_sync = 1;
	s->leg[0].member = r->dst;
	s->leg[0].chunk = r->chunk;
	s->leg[0].state = ADSHARD_LEG_SYNC;
	for (i = 0; i < ADS_SET_LEGS && s->nr_legs < ADSHARD_MAX_LEGS; i++) {
		struct ads_fmt_leg *leg = &s->leg[s->nr_legs];

		if (!stays(&set->leg[i]))
			continue;
		leg->member = set->leg[i].member;
		leg->chunk = set->leg[i].chunk;
		leg->state = ADSHARD_LEG_STALE;
		s->nr_legs++;
	}
	spin_unlock_irq(&set->lock);
}

/*
 * A plain one: somebody else may have renewed it by now, or given it a set. What
 * would be written here, or written back after a refusal, would undo that.
 */
static int renew_begin(struct ads_txn *txn)
{
	struct renew *r = container_of(txn, struct renew, txn);

	return r->set || READ_ONCE(r->pool->map[r->seg]) == r->old ? 0 : -EBUSY;
}

static int commit_place(struct renew *r)
{
	struct ads_txn *txn = &r->txn;

	ads_txn_init(txn);
	txn->nr = 1;
	txn->begin = renew_begin;
	txn->apply = renew_apply;
	ads_txn_place(&txn->redo[0], r->seg, r->dst, r->chunk);
	ads_txn_place(&txn->undo[0], r->seg, ads_word_member(r->old),
		      ads_word_chunk(r->old));
	if (r->set) {
		make_image(r);
		ads_fmt_seg_encode(&r->image, &txn->redo[0].seg);
		ads_fmt_seg_encode(&r->set->disk, &txn->undo[0].seg);
	}
	return ads_meta_commit(r->pool, txn);
}

/* 3. */
static int commit_range(struct renew *r)
{
	struct ads_bads *bads = &r->pool->bads;
	struct ads_range range = {
		.seg = r->seg, .member = r->dst, .chunk = r->chunk,
		.from = ads_word_member(r->old),
	};
	u32 index;
	int err;

	/* What is beyond the end could never be written, and stay bad for ever. */
	range.sectors = min_t(u64, 1ULL << r->pool->segment_shift,
			      r->pool->volume_sectors -
			      ((u64)r->seg << r->pool->segment_shift));
	ads_txn_init(&r->range);
	mutex_lock(&bads->mutex);
	err = ads_bad_reserve(bads, ads_bad_spare(bads), GFP_NOIO, &index);
	if (!err) {
		ads_bad_add(&r->range, index, &range);
		err = ads_bad_commit(r->pool, &r->range);
	}
	mutex_unlock(&bads->mutex);
	return err;
}

/* 2. */
static int take_slot(struct renew *r, struct netlink_ext_ack *extack)
{
	struct ads_pool *pool = r->pool;
	u32 slot;
	int err;

	mutex_lock(&pool->lock);
	err = ads_mig_check_dst(pool, r->dst, extack);
	if (!err) {
		err = ads_slot_alloc(&pool->members[r->dst], &slot);
		if (err)
			NL_SET_ERR_MSG_FMT(extack,
					   "no free slot on member %u", r->dst);
		r->chunk = slot * ads_pool_slot_chunks(pool);
	}
	mutex_unlock(&pool->lock);
	return err;
}

static void give_slot(struct renew *r)
{
	mutex_lock(&r->pool->lock);
	ads_slot_free(&r->pool->members[r->dst],
		      r->chunk / ads_pool_slot_chunks(r->pool));
	mutex_unlock(&r->pool->lock);
}

/* 2. to 5. pool->admin held: the destination remains what it is. */
static int renew(struct renew *r, struct netlink_ext_ack *extack)
{
	int err = take_slot(r, extack);

	if (err)
		return err;
	err = commit_range(r);
	if (err == -ENOSPC)
		NL_SET_ERR_MSG(extack, "too many bad ranges: there is no room to record more");
	if (!err)
		err = commit_place(r);
	if (err == -EBUSY)
		NL_SET_ERR_MSG_FMT(extack, "segment %u is being changed by somebody else",
				   r->seg);
	/* It may be there after the next activation: the slot stays taken. */
	if (err == -EOWNERDEAD)
		return err;
	ads_bad_forget(r->pool, r->seg, err ? ads_word(r->dst, r->chunk) :
		       ads_word_place(r->old));
	if (err)
		give_slot(r);
	return err;
}

/* Is it lost, and nobody else at it? 1., but for the drain. */
static int begin(struct renew *r, struct netlink_ext_ack *extack)
{
	struct ads_pool *pool = r->pool;
	struct ads_set *set;
	int err;

	mutex_lock(&pool->lock);
	set = ads_set_of(pool, r->seg);
	r->old = READ_ONCE(pool->map[r->seg]);
	err = ads_mig_check_dst(pool, r->dst, extack);
	if (err)
		goto out;
	if (!ads_seg_lost(pool, r->seg)) {
		NL_SET_ERR_MSG_FMT(extack, "segment %u is not lost", r->seg);
		err = -EALREADY;
	} else if (set && set->busy) {
		NL_SET_ERR_MSG_FMT(extack, "an operation on segment %u is under way",
				   r->seg);
		err = -EBUSY;
	} else if (set && ads_set_leg_on(set, r->dst) >= 0) {
		NL_SET_ERR_MSG_FMT(extack, "segment %u has a leg on member %u, out of date",
				   r->seg, r->dst);
		err = -EEXIST;
	} else if (set) {
		set->busy = true;
		r->set = set;
		WRITE_ONCE(pool->map[r->seg], r->old | ADS_WORD_BAD);
	}
out:
	mutex_unlock(&pool->lock);
	return err;
}

int ads_seg_renew(struct ads_pool *pool, u32 seg, u32 dst,
		  struct netlink_ext_ack *extack)
{
	struct renew *r = kzalloc(sizeof(*r), GFP_KERNEL);
	int err;

	if (!r)
		return -ENOMEM;
	r->pool = pool;
	r->seg = seg;
	r->dst = dst;
	err = ads_pool_enter(pool);
	if (err) {
		NL_SET_ERR_MSG(extack, "the pool is suspended or not active");
		goto free;
	}
	err = begin(r, extack);
	if (err)
		goto leave;
	if (r->set)
		ads_lane_drain(&pool->lanes, seg);
	mutex_lock(&pool->admin);
	err = renew(r, extack);
	mutex_unlock(&pool->admin);
	if (err == -EROFS || err == -EOWNERDEAD)
		NL_SET_ERR_MSG(extack, "the pool takes no metadata changes");
	if (r->set)
		ads_set_collapse(r->set);
	if (!err)
		DMWARN("segment %u was lost, and is on member %u now, with nothing in it",
		       seg, dst);
leave:
	ads_pool_leave(pool);
free:
	kfree(r);
	return err;
}
