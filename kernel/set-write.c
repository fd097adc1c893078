// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writes to a segment with several legs.
 *
 * A write goes to all legs in sync, and to the destination of an operation if its
 * chunk is clean there: what mirror.c says of it holds for "the source" that the
 * legs in sync are together. It is sent when
 *
 *	1. no write in flight overlaps it: two may reach the legs in different
 *	   orders, and each leg would end with another winner;
 *	2. there is an intent, if the record calls more than one leg in sync;
 *	3. its chunk isn't held by a job.
 *
 * When it has ended on all of them:
 *
 *	it is on no leg in sync	it has failed. What the legs have there may differ
 *				now: the set is in doubt, until a resync.
 *	some have missed it	they are out at once: neither read nor written. It
 *				waits until a record calls them stale. Else a power
 *				cut could bring back the one without the write, which
 *				somebody was told is there.
 *	all have it		it ends, unless a leg is out that no record calls
 *				stale yet, because of a write before: as above.
 *
 * If there is no way to record that, it ends with an error.
 *
 * A discard fails no leg: what is there afterwards is undefined, on each for
 * itself. A secure erase must reach every leg, stale ones too, or it fails.
 */
#include <linux/bio.h>
#include <linux/device-mapper.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>

#include "bio.h"
#include "migrate.h"
#include "pool.h"

static bool overlaps(struct ads_set *set, struct ads_bio *pb)
{
	struct ads_bio *other;

	list_for_each_entry(other, &set->writes, node)
		if (pb->first <= other->last && other->first <= pb->last)
			return true;
	return false;
}

/* Send the waiting writes through ads_set_write() again. set->lock held. */
static void release_held(struct ads_set *set)
{
	lockdep_assert_held(&set->lock);
	/* They would only come back, all of them, with each write that ends. */
	if ((set->intent == ADS_INTENT_SETTING ||
	     set->intent == ADS_INTENT_CLEARING) && !set->broken)
		return;
	if (!bio_list_empty(&set->held))
		ads_set_defer_list(set->pool, &set->held);
}

/* Must it wait for an intent? Sees to it then. set->lock held. */
static bool needs_intent(struct ads_set *set)
{
	switch (set->intent) {
	case ADS_INTENT_SET:
		return false;
	case ADS_INTENT_NONE:
		/* What a power cut would find, not what we know better. */
		if (set->disk.in_sync < 2)
			return false;
		WRITE_ONCE(set->intent, ADS_INTENT_SETTING);
		ads_set_todo(set);
		return true;
	default:
		return true;
	}
}

/* Legs that a write goes to. set->lock and the operation's held. */
static u8 targets(struct ads_set *set, struct ads_mig *m, struct bio *bio)
{
	u8 mask = ads_set_mask(set, ADS_LEG_SYNC);

	if (bio_op(bio) == REQ_OP_SECURE_ERASE)
		mask |= ads_set_mask(set, ADS_LEG_OUT) |
			ads_set_mask(set, ADS_LEG_STALE) |
			ads_set_mask(set, ADS_LEG_FILLING);
	else if (m && ads_chunk_is_clean(m, ads_bio(bio)->chunk))
		mask |= ads_set_mask(set, ADS_LEG_FILLING);
	return mask;
}

/* Does the destination of the operation miss nothing with these? */
static bool to_destination(const struct ads_mig *m, u8 mask)
{
	return m->aligns || (m->dst_leg >= 0 && mask & 1U << m->dst_leg);
}

/*----------------------------------------------------------------*/

static void clones_free(struct bio **clone, u8 keep)
{
	unsigned int i;

	for (i = 0; i < ADS_SET_LEGS; i++) {
		if (!clone[i] || keep & 1U << i)
			continue;
		bio_put(clone[i]);
		clone[i] = NULL;
	}
}

static void clone_end_io(struct bio *clone)
{
	struct ads_leg_bio *lb = container_of(clone, struct ads_leg_bio, bio);
	struct bio *bio = lb->parent;
	struct ads_bio *pb = ads_bio(bio);
	struct ads_set *set = pb->set;

	pb->status[lb->leg] = clone->bi_status;
	if (unlikely(clone->bi_status) &&
	    ads_error_counts(clone->bi_opf, clone->bi_status))
		ads_member_error(set->pool, ads_set_member(set, lb->leg),
				 ADS_ERR_WRITE);
	bio_put(clone);

	/* Fully ordered: the last one sees the others' status. */
	if (atomic_dec_and_test(&pb->legs))
		ads_set_write_end(bio);
}

/* See legs_alloc() in mirror.c for why nobody but the bio worker waits. */
static int clones_alloc(struct ads_set *set, struct bio *bio, gfp_t gfp,
			u8 mask, struct bio **clone)
{
	unsigned int i;

	for (i = 0; i < ADS_SET_LEGS; i++) {
		struct ads_member *mb = ads_set_member(set, i);
		struct ads_leg_bio *lb;

		/* Without a device: an erase, which fails there. */
		if (!(mask & 1U << i) || clone[i] || !mb->bdev)
			continue;
		clone[i] = bio_alloc_clone(mb->bdev, bio, gfp,
					   &set->pool->leg_bios);
		if (!clone[i]) {
			clones_free(clone, 0);
			return -ENOMEM;
		}
		lb = container_of(clone[i], struct ads_leg_bio, bio);
		lb->parent = bio;
		lb->leg = i;
		clone[i]->bi_end_io = clone_end_io;
		clone[i]->bi_iter.bi_sector =
			ads_set_sector(set, i, bio->bi_iter.bi_sector);
		/* Nobody polls for a clone, and a leg may not give up. */
		clone[i]->bi_opf &= ~(REQ_POLLED | REQ_NOWAIT);
	}
	return 0;
}

static void submit(struct ads_set *set, struct bio *bio, struct bio **clone)
{
	bool first = true;
	unsigned int i;

	for (i = 0; i < ADS_SET_LEGS; i++) {
		if (!clone[i])
			continue;
		if (first)
			dm_submit_bio_remap(bio, clone[i]);
		else
			submit_bio_noacct(clone[i]);
		first = false;
	}
}

static int end_now(struct bio *bio, blk_status_t status)
{
	ads_bio(bio)->kind = ADS_BIO_ENDED;
	bio->bi_status = status;
	bio_endio(bio);
	return DM_MAPIO_SUBMITTED;
}

/* Legs in @mask that have a device, and no clone yet. */
static bool lacks_clone(const struct ads_set *set, u8 mask, struct bio **clone)
{
	unsigned int i;

	for (i = 0; i < ADS_SET_LEGS; i++)
		if (mask & 1U << i && !clone[i] && ads_set_member(set, i)->bdev)
			return true;
	return false;
}

/* It is about to be sent. set->lock held. */
static void begin(struct ads_set *set, struct bio *bio, u8 mask,
		  struct bio **clone)
{
	struct ads_bio *pb = ads_bio(bio);
	unsigned int i, n = 0;

	pb->kind = ADS_BIO_SET;
	pb->targets = mask;
	for (i = 0; i < ADS_SET_LEGS; i++) {
		pb->status[i] = BLK_STS_OK;
		if (clone[i])
			n++;
		else if (mask & 1U << i)
			pb->status[i] = BLK_STS_IOERR;
	}
	atomic_set(&pb->legs, n);
	list_add_tail(&pb->node, &set->writes);
	set->started++;
	if (bio_op(bio) == REQ_OP_DISCARD)
		set->discarded = true;
}

/*
 * Must it wait, or has it failed? Then it is taken care of; unless it may not
 * wait. @direct: brought by the worker, so that it is in front of those that
 * wait. set->lock and the operation's held.
 */
enum admission { ADMITTED, TAKEN, WOULD_WAIT, REFUSED };

static enum admission admit(struct ads_set *set, struct bio *bio, bool direct)
{
	struct ads_bio *pb = ads_bio(bio);
	bool nowait = bio->bi_opf & REQ_NOWAIT;
	bool wait = overlaps(set, pb);

	if (!direct && !bio_list_empty(&set->held))
		wait = true;
	if (set->broken && set->intent != ADS_INTENT_SET &&
	    set->disk.in_sync > 1)
		return REFUSED;
	/* Also of one that waits for another: they can share the record. */
	if (needs_intent(set))
		wait = true;
	if (wait) {
		if (!nowait)
			bio_list_add(&set->held, bio);
		return nowait ? WOULD_WAIT : TAKEN;
	}
	if (pb->mig && ads_chunk_wait(pb->mig, bio, direct))
		return nowait ? WOULD_WAIT : TAKEN;
	return ADMITTED;
}

/*
 * If it may go and has its clones, it is in flight from here on; *@mask: the legs
 * that it lacks one for. set->lock and the operation's held.
 */
static enum admission attempt(struct ads_set *set, struct bio *bio, bool direct,
			      struct bio **clone, u8 *mask)
{
	struct ads_mig *m = ads_bio(bio)->mig;
	enum admission admission = admit(set, bio, direct);
	u8 legs;

	*mask = 0;
	if (admission != ADMITTED)
		return admission;
	legs = targets(set, m, bio);
	if (lacks_clone(set, legs, clone)) {
		*mask = legs;
		return admission;
	}
	/* A leg may have gone out since. */
	clones_free(clone, legs);
	begin(set, bio, legs, clone);
	if (m)
		ads_chunk_write_begin(m, bio, to_destination(m, legs));
	return admission;
}

int ads_set_write(struct bio *bio, gfp_t gfp)
{
	struct ads_bio *pb = ads_bio(bio);
	struct ads_set *set = pb->set;
	struct ads_mig *m = pb->mig;
	struct bio *clone[ADS_SET_LEGS] = { NULL };
	bool direct = gfpflags_allow_blocking(gfp);
	enum admission admission;
	unsigned long flags;
	u8 mask;

	bio->bi_opf &= ~REQ_POLLED;
	pb->first = bio->bi_iter.bi_sector;
	pb->last = bio_end_sector(bio) - 1;
again:
	spin_lock_irqsave(&set->lock, flags);
	if (m) {
		spin_lock(&m->lock);
		admission = attempt(set, bio, direct, clone, &mask);
		spin_unlock(&m->lock);
	} else {
		admission = attempt(set, bio, direct, clone, &mask);
	}
	spin_unlock_irqrestore(&set->lock, flags);

	switch (admission) {
	case TAKEN:
		clones_free(clone, 0);
		return DM_MAPIO_SUBMITTED;
	case WOULD_WAIT:
		clones_free(clone, 0);
		return end_now(bio, BLK_STS_AGAIN);
	case REFUSED:
		clones_free(clone, 0);
		return end_now(bio, BLK_STS_IOERR);
	case ADMITTED:
		break;
	}
	if (!mask) {
		submit(set, bio, clone);
		return DM_MAPIO_SUBMITTED;
	}
	if (!clones_alloc(set, bio, gfp, mask, clone))
		goto again;
	if (bio->bi_opf & REQ_NOWAIT)
		return end_now(bio, BLK_STS_AGAIN);
	/* Out of memory in ->map(): leave it to the worker. */
	ads_set_defer(set->pool, bio);
	return DM_MAPIO_SUBMITTED;
}

/*----------------------------------------------------------------*/

/* The first error of the legs in @mask. */
static blk_status_t error_of(const struct ads_bio *pb, u8 mask)
{
	unsigned int i;

	for (i = 0; i < ADS_SET_LEGS; i++)
		if (mask & 1U << i && pb->status[i])
			return pb->status[i];
	return BLK_STS_OK;
}

/* Does any of the legs in @mask not support it? */
static bool unsupported(const struct ads_bio *pb, u8 mask)
{
	unsigned int i;

	for (i = 0; i < ADS_SET_LEGS; i++)
		if (pb->targets & mask & 1U << i &&
		    pb->status[i] == BLK_STS_NOTSUPP)
			return true;
	return false;
}

/* The legs that have it. */
static u8 reached(const struct ads_bio *pb)
{
	unsigned int i;
	u8 mask = 0;

	for (i = 0; i < ADS_SET_LEGS; i++)
		if (pb->targets & 1U << i && !pb->status[i])
			mask |= 1U << i;
	return mask;
}

void ads_set_out(struct ads_set *set, u8 mask)
{
	unsigned int i;
	u8 sync;

	for (i = 0; i < ADS_SET_LEGS; i++)
		if (mask & 1U << i)
			WRITE_ONCE(set->leg[i].state, ADS_LEG_OUT);
	sync = ads_set_mask(set, ADS_LEG_SYNC);
	if (mask & 1U << set->primary) {
		WRITE_ONCE(set->primary, __ffs(sync));
		/* What was made equal was so with another one. */
		set->doubts++;
		set->aligned = 0;
	}
	ads_set_account(set);
}

/*
 * What becomes of a write that has ended on all legs, by what the legs are now.
 * True: it waits for a record. set->lock held.
 */
static bool judge(struct ads_set *set, struct bio *bio, blk_status_t *status)
{
	struct ads_bio *pb = ads_bio(bio);
	u8 sync = ads_set_mask(set, ADS_LEG_SYNC);
	u8 good = reached(pb), missed = sync & ~good;

	lockdep_assert_held(&set->lock);
	*status = BLK_STS_OK;
	if (bio_op(bio) == REQ_OP_SECURE_ERASE) {
		*status = error_of(pb, ~0);
		return false;
	}
	/*
	 * One that a leg doesn't support (zeroes) is no fault of its: the block
	 * layer does it in another way, or nobody does.
	 */
	if (!(good & sync) || (bio_op(bio) != REQ_OP_DISCARD &&
			       unsupported(pb, sync))) {
		*status = unsupported(pb, sync) ? BLK_STS_NOTSUPP :
			  error_of(pb, sync) ?: error_of(pb, ~0) ?:
			  BLK_STS_IOERR;
		/* What nobody supports nobody has done. */
		if (bio_op(bio) != REQ_OP_DISCARD && hweight8(sync) > 1 &&
		    (good || *status != BLK_STS_NOTSUPP)) {
			WRITE_ONCE(set->doubt, true);
			set->doubts++;
			set->aligned = 0;
			ads_set_account(set);
		}
		return false;
	}
	if (bio_op(bio) == REQ_OP_DISCARD)
		return false;
	if (missed)
		ads_set_out(set, missed);
	/* By the record they are in sync, and don't have it. */
	if (!(ads_set_mask(set, ADS_LEG_OUT) & ~good))
		return false;
	if (set->broken) {
		*status = BLK_STS_IOERR;
		return false;
	}
	bio_list_add(&set->stalled, bio);
	ads_set_todo(set);
	return true;
}

/* For mirror.c: what the legs but the operation's destination say together. */
static blk_status_t source_status(struct ads_set *set, struct ads_mig *m,
				  struct bio *bio)
{
	struct ads_bio *pb = ads_bio(bio);
	u8 mask = ads_set_mask(set, ADS_LEG_SYNC) & ~(1U << m->dst_leg);

	if (bio_op(bio) == REQ_OP_SECURE_ERASE)
		return error_of(pb, ~(1U << m->dst_leg));
	return reached(pb) & mask ? BLK_STS_OK :
	       error_of(pb, ~(1U << m->dst_leg));
}

void ads_set_write_end(struct bio *bio)
{
	struct ads_bio *pb = ads_bio(bio);
	struct ads_set *set = pb->set;
	struct ads_mig *m = pb->mig;
	blk_status_t status = BLK_STS_OK, source = BLK_STS_OK;
	bool stalled = false, mirrored, undecided = false;
	unsigned long flags;

	spin_lock_irqsave(&set->lock, flags);
	list_del(&pb->node);
	set->last_write = jiffies;
	if (m) {
		mirrored = m->dst_leg >= 0 && pb->targets & 1U << m->dst_leg;
		if (mirrored)
			source = source_status(set, m, bio);
		spin_lock(&m->lock);
		/* Afterwards it is a leg like any other. */
		if (mirrored && !m->committed)
			undecided = ads_chunk_judge(m, bio, source,
						    pb->status[m->dst_leg],
						    &status);
		if (!undecided && !status)
			stalled = judge(set, bio, &status);
		/* One that waits for a record still is its chunk's, if it heals. */
		ads_chunk_write_end(m, bio,
				    mirrored && !pb->status[m->dst_leg],
				    undecided || status);
		stalled |= undecided;
		spin_unlock(&m->lock);
	} else {
		stalled = judge(set, bio, &status);
	}
	release_held(set);
	spin_unlock_irqrestore(&set->lock, flags);

	/* The last touch of @set and @m: ending the bio lets a drain go on. */
	if (!stalled) {
		bio->bi_status = status;
		bio_endio(bio);
	}
}

void ads_set_write_decided(struct bio *bio, blk_status_t status)
{
	struct ads_set *set = ads_bio(bio)->set;
	unsigned long flags;
	bool stalled = false;

	spin_lock_irqsave(&set->lock, flags);
	if (!status)
		stalled = judge(set, bio, &status);
	spin_unlock_irqrestore(&set->lock, flags);
	if (!stalled) {
		bio->bi_status = status;
		bio_endio(bio);
	}
}

void ads_set_recorded(struct ads_set *set, bool failed)
{
	struct bio_list list, done;
	blk_status_t status;
	unsigned long flags;
	struct bio *bio;

	bio_list_init(&done);
	spin_lock_irqsave(&set->lock, flags);
	if (failed)
		set->broken = true;
	release_held(set);
	list = set->stalled;
	bio_list_init(&set->stalled);
	while ((bio = bio_list_pop(&list))) {
		if (judge(set, bio, &status))
			continue;
		bio->bi_status = status;
		bio_list_add(&done, bio);
	}
	spin_unlock_irqrestore(&set->lock, flags);
	while ((bio = bio_list_pop(&done)))
		bio_endio(bio);
}
