// SPDX-License-Identifier: GPL-2.0-only
/*
 * Changes of sets that need no copying: a leg goes, another number is wanted, a
 * set comes or goes itself.
 *
 * A leg goes in these steps:
 *	1. a record without it
 *	2. the lane is drained: a write that was sent to it may take as long as its
 *	   disk does, so nobody who asked waits for that
 *	3. its slot is free
 * The set is @busy until then: no operation begins, and no other change.
 */
#include <linux/delay.h>
#include <linux/device-mapper.h>
#include <linux/jiffies.h>
#include <linux/slab.h>

#include "bio.h"
#include "compat.h"
#include "meta-core.h"
#include "migrate.h"
#include "pool.h"

/* How long those wait who may, for 2 and 3 above. */
#define DROP_WAIT_MS	2000

int ads_set_make(struct ads_pool *pool, u32 seg, struct ads_set *set)
{
	u64 word = READ_ONCE(pool->map[seg]);
	int r;

	lockdep_assert_held(&pool->lock);
	ads_set_init(set, pool, seg);
	set->leg[0].member = ads_word_member(word);
	set->leg[0].chunk = ads_word_chunk(word);
	set->leg[0].state = ADS_LEG_SYNC;
	set->wanted = 1;
	ads_set_image(set, &set->disk, -1, -1);
	set->lost = ads_word_lost(pool, word);
	set->leg[0].slot = !set->lost;
	/* Its member counts it as what it is: the only one. */
	set->owner = set->lost ? -1 : 0;
	r = xa_err(xa_store(&pool->sets.by_seg, seg, set, GFP_NOIO));
	if (r)
		return r;
	pool->sets.nr++;
	/* Pairs with smp_rmb() in map_slow(): who sees SET finds it. */
	smp_store_release(&pool->map[seg],
			  word | ADS_WORD_SET);
	return 0;
}

void ads_set_collapse(struct ads_set *set)
{
	struct ads_pool *pool = set->pool;
	bool plain;
	u64 word;

	mutex_lock(&pool->lock);
	spin_lock_irq(&set->lock);
	plain = set->disk.nr_legs == 1 && set->disk.wanted == 1 &&
		set->wanted == 1 && !set->broken;
	spin_unlock_irq(&set->lock);
	if (plain) {
		word = ads_set_map_word(set) & ~ADS_WORD_SET;
		if (set->lost)
			word |= ADS_WORD_BAD;	/* see ads_word_lost() */
		smp_store_release(&pool->map[set->seg], word);
	} else {
		set->busy = false;
	}
	mutex_unlock(&pool->lock);
	if (!plain)
		return;

	ads_lane_drain(&pool->lanes, set->seg);
	mutex_lock(&pool->lock);
	xa_erase(&pool->sets.by_seg, set->seg);
	pool->sets.nr--;
	mutex_unlock(&pool->lock);
	ads_sets_forget(set);
	kfree(set);
}

void ads_set_free_gone(struct ads_set *set)
{
	struct ads_pool *pool = set->pool;
	unsigned int i;

	lockdep_assert_held(&pool->lock);
	for (i = 0; i < ADS_SET_LEGS; i++) {
		struct ads_set_leg *leg = &set->leg[i];
		struct ads_member *mb = ads_set_member(set, i);

		if (leg->state != ADS_LEG_GONE)
			continue;
		/* A missing one's were never taken. */
		if (leg->slot)
			ads_slot_free(mb, leg->chunk /
				      ads_pool_slot_chunks(pool));
		leg->slot = false;
		spin_lock_irq(&set->lock);
		WRITE_ONCE(leg->state, ADS_LEG_FREE);
		spin_unlock_irq(&set->lock);
	}
}

/*----------------------------------------------------------------*/

/*
 * A change of one set, without copying.
 *
 * @drop:	the leg that goes, or -1
 * @force:	even if it is the one that counts in doubt: its disk is given up
 * @wanted:	0: as it is
 */
struct change {
	struct ads_txn txn;
	struct ads_set *set;
	struct ads_fmt_seg image;
	int drop;
	bool force;
	u8 wanted;
};

/* Can the leg be done without? set->lock held. */
static int may_change(const struct change *c)
{
	const struct ads_set *set = c->set;
	unsigned int i, sync = 0;

	if (c->drop < 0)
		return 0;
	for (i = 0; i < ADS_SET_LEGS; i++)
		sync += i != c->drop && set->leg[i].state == ADS_LEG_SYNC &&
			!ads_set_leg_lost(set, i);
	if (!sync)
		return -ENOTEMPTY;
	return c->drop == set->primary && set->doubt && !c->force ? -EBUSY : 0;
}

static int change_begin(struct ads_txn *txn)
{
	struct change *c = container_of(txn, struct change, txn);
	struct ads_set *set = c->set;
	int r;

	spin_lock_irq(&set->lock);
	r = may_change(c);
	if (!r) {
		ads_set_image(set, &c->image, -1, c->drop);
		if (c->wanted)
			c->image.wanted = c->wanted;
		txn->nr = 1;
		txn->redo[0].type = ADSHARD_ENTRY_SEG;
		txn->redo[0].index = set->seg;
		ads_fmt_seg_encode(&c->image, &txn->redo[0].seg);
		txn->undo[0] = txn->redo[0];
		ads_fmt_seg_encode(&set->disk, &txn->undo[0].seg);
	}
	spin_unlock_irq(&set->lock);
	return r;
}

static int change_apply(struct ads_txn *txn)
{
	struct change *c = container_of(txn, struct change, txn);
	struct ads_set *set = c->set;
	struct ads_pool *pool = set->pool;
	int r;

	mutex_lock(&pool->lock);
	spin_lock_irq(&set->lock);
	/*
	 * While the record was under way the other leg may have failed a write,
	 * or a flush: what is there only now must not go with this one.
	 */
	r = may_change(c);
	if (!r) {
		ads_set_apply(set, &c->image);
		pool->generation++;
	}
	spin_unlock_irq(&set->lock);
	mutex_unlock(&pool->lock);
	return r ? -EIO : 0;
}

static int change_set(struct ads_set *set, int drop, bool force, u8 wanted)
{
	struct change *c = kzalloc(sizeof(*c), GFP_NOIO);
	int r;

	if (!c)
		return -ENOMEM;
	ads_txn_init(&c->txn);
	c->set = set;
	c->drop = drop;
	c->force = force;
	c->wanted = wanted;
	c->txn.begin = change_begin;
	c->txn.apply = change_apply;
	r = ads_meta_commit(set->pool, &c->txn);
	kfree(c);
	/* Writes may wait for the record of a leg that is no more. */
	ads_set_recorded(set, r == -EROFS || r == -EOWNERDEAD);
	return r;
}

/* Nobody else changes it, until collapse(). pool->lock held. */
static int make_busy(struct ads_pool *pool, u32 seg, struct ads_set *set,
		     struct netlink_ext_ack *extack)
{
	if (xa_load(&pool->migs, seg) || (set && set->busy)) {
		NL_SET_ERR_MSG_FMT(extack,
				   "an operation on segment %u is under way",
				   seg);
		return -EBUSY;
	}
	if (set)
		set->busy = true;
	return 0;
}

static void change_failed(struct netlink_ext_ack *extack, u32 seg, u32 member,
			  int r)
{
	if (r == -ENOTEMPTY)
		NL_SET_ERR_MSG_FMT(extack,
				   "the leg of segment %u on member %u is the last one in sync",
				   seg, member);
	else if (r == -EBUSY)
		NL_SET_ERR_MSG_FMT(extack,
				   "segment %u is in doubt, and its leg on member %u the one that counts",
				   seg, member);
	else if (r == -EIO || r == -ECANCELED)
		NL_SET_ERR_MSG_FMT(extack,
				   "another leg of segment %u has just failed: the one on member %u stays",
				   seg, member);
	else if (r)
		NL_SET_ERR_MSG(extack, "the pool takes no metadata changes");
}

/* A leg that is on its way out, and its place. */
struct drop {
	struct work_struct work;
	struct ads_set *set;
	u64 word;
};

/* Steps 2 and 3. The pool was entered for it. */
static void drop_work(struct work_struct *work)
{
	struct drop *d = container_of(work, struct drop, work);
	struct ads_pool *pool = d->set->pool;
	u32 seg = d->set->seg;

	ads_lane_drain(&pool->lanes, seg);
	/* Before its slot can be taken once more. */
	ads_bad_forget(pool, seg, d->word);
	mutex_lock(&pool->lock);
	ads_set_free_gone(d->set);
	mutex_unlock(&pool->lock);
	ads_set_collapse(d->set);
	ads_pool_check_drained(pool, ads_word_member(d->word));
	ads_pool_leave(pool);
	kfree(d);
}

/* Which leg is to go, and whether it can; the set is busy then. */
static int drop_begin(struct ads_pool *pool, u32 seg, u32 member,
		      struct drop *d, struct netlink_ext_ack *extack)
{
	struct ads_set *set;
	int leg = -1, r = 0;

	mutex_lock(&pool->lock);
	set = ads_set_of(pool, seg);
	if (ads_seg_lost(pool, seg)) {
		NL_SET_ERR_MSG_FMT(extack, "segment %u is lost: its members have failed",
				   seg);
		r = -EHOSTDOWN;
	} else if (set) {
		spin_lock_irq(&set->lock);
		leg = ads_set_leg_on(set, member);
		if (leg >= 0)
			d->word = ads_set_word(set, leg);
		spin_unlock_irq(&set->lock);
	} else if (ads_word_member(READ_ONCE(pool->map[seg])) == member) {
		r = -ENOTEMPTY;
		change_failed(extack, seg, member, r);
	}
	if (!r && leg < 0) {
		NL_SET_ERR_MSG_FMT(extack,
				   "segment %u has no leg on member %u", seg,
				   member);
		r = -ENOENT;
	}
	if (!r)
		r = make_busy(pool, seg, set, extack);
	mutex_unlock(&pool->lock);
	d->set = set;
	return r ?: leg;
}

static int drop(struct ads_pool *pool, u32 seg, u32 member, bool force,
		struct netlink_ext_ack *extack)
{
	struct drop *d = kmalloc(sizeof(*d), GFP_NOIO);
	int leg, r;

	if (!d)
		return -ENOMEM;
	INIT_WORK(&d->work, drop_work);
	r = ads_pool_enter(pool);
	if (r) {
		NL_SET_ERR_MSG(extack, "the pool is suspended or not active");
		goto free;
	}
	leg = drop_begin(pool, seg, member, d, extack);
	if (leg < 0) {
		r = leg;
		goto leave;
	}
	/* 1. */
	r = change_set(d->set, leg, force, 0);
	change_failed(extack, seg, member, r);
	if (!r) {
		queue_work(pool->ctl_wq, &d->work);
		return 0;
	}
	ads_set_collapse(d->set);
leave:
	ads_pool_leave(pool);
free:
	kfree(d);
	return r;
}

int ads_set_drop(struct ads_pool *pool, u32 seg, u32 member, bool wait,
		 struct netlink_ext_ack *extack)
{
	unsigned long end = jiffies + msecs_to_jiffies(DROP_WAIT_MS);
	struct ads_set *set;
	bool busy;
	int r;

	r = drop(pool, seg, member, false, extack);
	if (r || !wait)
		return r;
	do {
		mutex_lock(&pool->lock);
		set = ads_set_of(pool, seg);
		busy = set && set->busy;
		mutex_unlock(&pool->lock);
		if (busy)
			usleep_range(500, 2000);
	} while (busy && time_before(jiffies, end));
	return 0;
}

static int set_wanted(struct ads_pool *pool, u32 seg, u8 wanted,
		      struct netlink_ext_ack *extack)
{
	struct ads_set *set, *new = kzalloc(sizeof(*new), GFP_KERNEL);
	int r = 0;

	if (!new)
		return -ENOMEM;
	mutex_lock(&pool->lock);
	set = ads_set_of(pool, seg);
	if (!set && wanted > 1) {
		r = make_busy(pool, seg, NULL, extack);
		if (!r)
			r = ads_set_make(pool, seg, new);
		if (!r) {
			set = new;
			new = NULL;
		}
	}
	if (!r && set)
		r = make_busy(pool, seg, set, extack);
	mutex_unlock(&pool->lock);
	kfree(new);
	if (r || !set)
		return r;
	if (set->disk.wanted != wanted)
		r = change_set(set, -1, false, wanted);
	if (r)
		NL_SET_ERR_MSG(extack, "the pool takes no metadata changes");
	ads_set_collapse(set);
	return r;
}

int ads_set_want(struct ads_pool *pool, u32 seg, u32 count, u8 wanted,
		 struct netlink_ext_ack *extack)
{
	int r = ads_pool_enter(pool);

	if (r) {
		NL_SET_ERR_MSG(extack, "the pool is suspended or not active");
		return r;
	}
	for (; count && !r; count--)
		r = set_wanted(pool, seg++, wanted, extack);
	ads_pool_leave(pool);
	return r;
}

/* Can all legs on @member be done without? pool->lock held. */
static int can_drop_all(struct ads_pool *pool, u16 member)
{
	u32 held = 0, legs = 0;
	struct ads_set *set;
	unsigned long seg;
	bool busy = false;

	xa_for_each(&pool->sets.by_seg, seg, set) {
		unsigned int sync = 0, k;
		int leg;

		if (set->lost)
			continue;
		spin_lock_irq(&set->lock);
		leg = ads_set_leg_on(set, member);
		/* One that is on its way out still has its slot. */
		for (k = 0; k < ADS_SET_LEGS; k++)
			legs += set->leg[k].state == ADS_LEG_GONE &&
				set->leg[k].member == member;
		for (k = 0; k < ADS_SET_LEGS; k++)
			sync += k != leg &&
				set->leg[k].state == ADS_LEG_SYNC &&
				!ads_set_leg_lost(set, k);
		if (leg >= 0) {
			legs++;
			held += !sync;
			busy |= xa_load(&pool->migs, seg) || set->busy;
		}
		spin_unlock_irq(&set->lock);
	}
	/* What is there beside: segments with one leg, or moves to it. */
	if (held || pool->members[member].nr_legs > legs)
		return -ENOTEMPTY;
	return busy ? -EBUSY : 0;
}

int ads_set_drop_all(struct ads_pool *pool, u16 member)
{
	struct ads_set *set;
	unsigned long seg;
	int leg, r;

	mutex_lock(&pool->lock);
	r = can_drop_all(pool, member);
	mutex_unlock(&pool->lock);
	/* They end soon: whoever asks may ask again. */
	if (r == -EBUSY)
		ads_mig_abort(pool, ADS_ALL, member);
	if (r)
		return r;
	for (seg = 0; seg < pool->nr_segments && !r; seg++) {
		mutex_lock(&pool->lock);
		set = ads_set_of(pool, seg);
		leg = -1;
		if (set && !set->lost) {
			spin_lock_irq(&set->lock);
			leg = ads_set_leg_on(set, member);
			spin_unlock_irq(&set->lock);
		}
		mutex_unlock(&pool->lock);
		if (leg >= 0)
			r = drop(pool, seg, member, true, NULL);
		cond_resched();
	}
	return r;
}

/*----------------------------------------------------------------*/

/* Nothing of it is counted any more. set->lock held. */
static void uncount(struct ads_set *set)
{
	struct ads_sets *sets = &set->pool->sets;

	atomic_sub(set->counted_stale, &sets->stale);
	atomic_sub(set->counted_short, &sets->missing);
	atomic_sub(set->counted_doubt, &sets->doubt);
}

void ads_set_cut(struct ads_pool *pool, u32 seg)
{
	struct ads_set *set;
	unsigned int i;

	mutex_lock(&pool->lock);
	WRITE_ONCE(pool->map[seg], ADS_WORD_NONE);
	set = xa_erase(&pool->sets.by_seg, seg);
	pool->sets.nr--;
	spin_lock_irq(&set->lock);
	for (i = 0; i < ADS_SET_LEGS; i++) {
		struct ads_set_leg *leg = &set->leg[i];

		if (set->lost && leg->state == ADS_LEG_SYNC)
			ads_set_member(set, i)->nr_lost--;
		if (leg->slot)
			ads_slot_free(ads_set_member(set, i), leg->chunk /
				      ads_pool_slot_chunks(pool));
		leg->slot = false;
		leg->state = ADS_LEG_FREE;
	}
	pool->nr_lost -= set->lost;
	/* With no leg left it owns nothing. */
	ads_set_account(set);
	uncount(set);
	spin_unlock_irq(&set->lock);
	mutex_unlock(&pool->lock);
	ads_sets_forget(set);
	/* A checkpoint may be looking at it: ads_seg_image(). */
	kfree_rcu(set, rcu);
}

void ads_set_resync_doubt(struct ads_set *set)
{
	struct ads_op op = {
		.kind = ADSHARD_KIND_RESYNC, .seg = set->seg, .own = true,
		.src = ADS_ALL, .dst = ADS_ALL,
	};
	unsigned int i;

	spin_lock_irq(&set->lock);
	if (set->doubt && !set->broken &&
	    !time_before(jiffies, set->resync_after))
		for (i = 0; i < ADS_SET_LEGS; i++)
			if (set->leg[i].state == ADS_LEG_SYNC &&
			    i != set->primary && !(set->aligned & 1U << i))
				op.dst = set->leg[i].member;
	spin_unlock_irq(&set->lock);
	if (op.dst != ADS_ALL)
		ads_mig_queue(set->pool, &op, NULL);
}
