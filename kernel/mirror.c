// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writes to a migrating segment.
 *
 * A write (ads_map() has cut it at the chunk's end) does one of four things,
 * decided under m->lock by the state of its chunk:
 *
 *	DIRTY	goes to the source; counted, so that a job can wait for it
 *	CLEAN	goes to both legs and ends when both have it
 *	HELD	waits on chunk->held until the job lets go
 *	CLEAN, and overlaps a mirrored write in flight: waits on chunk->held too.
 *		Two overlapping writes may reach the two legs in different
 *		orders, and each leg would end with another winner.
 *
 * A leg that fails: the other one has the data, but the legs differ.
 *	before the commit	the write ends with the source's status. If it
 *				was the destination's leg, the chunk is DIRTY again
 *				before. If it was the source's only, the chunk
 *				stays CLEAN, to be compared again: the destination
 *				lacks nothing, and may soon be the only one who can
 *				return what else is in the chunk.
 *	during the commit	nobody knows yet which leg will count: the write
 *				waits on m->stalled for the outcome. If the
 *				destination failed, the commit is taken back.
 *				A FUA write waits in any case: it may be a write
 *				and a flush, and what flush.c says holds for it.
 *	after the commit	it ends with the destination's status
 *	stuck (commit unknown)	it ends with the error: a failed write may leave
 *				either content, so both outcomes stay right
 *
 * A discard leaves undefined data: whether a leg failed it says nothing, and the
 * legs may differ afterwards (chunk->may_differ). A secure erase must reach both
 * legs in any state: the destination may hold a copy already.
 */
#include <linux/bio.h>
#include <linux/device-mapper.h>

#include "bio.h"
#include "migrate.h"
#include "pool.h"

static sector_t leg_sector(struct ads_mig *m, unsigned int leg, sector_t volume)
{
	struct ads_pool *pool = m->pool;
	u16 member = leg ? m->dst : m->src;
	u32 chunk = leg ? m->dst_chunk : m->src_chunk;

	return pool->members[member].data_start +
		((sector_t)chunk << pool->chunk_shift) +
		(volume & ((1ULL << pool->segment_shift) - 1));
}

/* Both legs of a mirrored write have completed. Any context. */
static void mirrored_end(struct ads_mig *m, struct bio *bio, struct ads_bio *pb)
{
	blk_status_t src = pb->status[0], dst = pb->status[1], status;
	unsigned long flags;
	bool stalled;

	spin_lock_irqsave(&m->lock, flags);
	list_del(&pb->node);
	stalled = ads_chunk_judge(m, bio, src, dst, &status);
	ads_chunk_write_end(m, bio, !dst || bio_op(bio) == REQ_OP_DISCARD,
			    stalled || status);
	spin_unlock_irqrestore(&m->lock, flags);

	/* The last touch of @m: ending the bio lets a drain go on. */
	if (!stalled) {
		bio->bi_status = status;
		bio_endio(bio);
	}
}

static void leg_end_io(struct bio *clone)
{
	struct ads_leg_bio *lb = container_of(clone, struct ads_leg_bio, bio);
	struct bio *bio = lb->parent;
	struct ads_bio *pb = ads_bio(bio);
	struct ads_mig *m = pb->mig;

	pb->status[lb->leg] = clone->bi_status;
	if (unlikely(clone->bi_status) &&
	    ads_error_counts(clone->bi_opf, clone->bi_status))
		ads_member_error(m->pool,
				 &m->pool->members[lb->leg ? m->dst : m->src],
				 ADS_ERR_WRITE);
	bio_put(clone);

	/* Fully ordered: the last one sees the other's status. */
	if (atomic_dec_and_test(&pb->legs))
		mirrored_end(m, bio, pb);
}

static void legs_free(struct bio *legs[2])
{
	if (legs[0])
		bio_put(legs[0]);
	if (legs[1])
		bio_put(legs[1]);
	legs[0] = NULL;
	legs[1] = NULL;
}

/*
 * Two clones from one pool: two writers that hold one each could wait for each
 * other for ever. Only the bio worker waits (GFP_NOIO), and it is one thread;
 * everybody else gives the first one back.
 */
static int legs_alloc(struct ads_mig *m, struct bio *bio, gfp_t gfp,
		      struct bio *legs[2])
{
	struct ads_pool *pool = m->pool;
	unsigned int i;

	for (i = 0; i < 2; i++) {
		struct ads_member *mb = &pool->members[i ? m->dst : m->src];
		struct ads_leg_bio *lb;

		legs[i] = bio_alloc_clone(mb->bdev, bio, gfp, &pool->leg_bios);
		if (!legs[i]) {
			legs_free(legs);
			return -ENOMEM;
		}
		lb = container_of(legs[i], struct ads_leg_bio, bio);
		lb->parent = bio;
		lb->leg = i;
		legs[i]->bi_end_io = leg_end_io;
		legs[i]->bi_iter.bi_sector =
			leg_sector(m, i, bio->bi_iter.bi_sector);
		/* Nobody polls for a clone, and a leg may not give up. */
		legs[i]->bi_opf &= ~(REQ_POLLED | REQ_NOWAIT);
	}
	return 0;
}

static bool overlaps(struct ads_chunk *c, struct ads_bio *pb)
{
	struct ads_bio *other;

	list_for_each_entry(other, &c->mirrored, node)
		if (pb->first <= other->last && other->first <= pb->last)
			return true;
	return false;
}

/* Both legs? m->lock held. */
static bool wants_both(struct ads_chunk *c, struct bio *bio)
{
	return c->state == ADS_CHUNK_CLEAN ||
	       bio_op(bio) == REQ_OP_SECURE_ERASE;
}

static int would_block(struct bio *bio, struct ads_bio *pb)
{
	pb->kind = ADS_BIO_ENDED;
	bio_wouldblock_error(bio);
	return DM_MAPIO_SUBMITTED;
}

int ads_write_slow(struct ads_mig *m, struct bio *bio, gfp_t gfp)
{
	struct ads_bio *pb = ads_bio(bio);
	struct ads_chunk *c = &m->chunks[pb->chunk];
	struct bio *legs[2] = { NULL, NULL };
	bool nowait = bio->bi_opf & REQ_NOWAIT;
	unsigned long flags;
	bool both;

	/*
	 * A polled write ends only when its submitter looks. A job may wait for
	 * it, and others for the job.
	 */
	bio->bi_opf &= ~REQ_POLLED;
	pb->first = bio->bi_iter.bi_sector;
	pb->last = bio_end_sector(bio) - 1;
again:
	spin_lock_irqsave(&m->lock, flags);
	/*
	 * Behind those that wait already; but not the worker, which brings them
	 * (a direct call of it never has GFP_NOWAIT).
	 */
	if (c->state == ADS_CHUNK_HELD || overlaps(c, pb) ||
	    (!gfpflags_allow_blocking(gfp) && !bio_list_empty(&c->held))) {
		if (!nowait)
			ads_chunk_queue(m, bio);
		spin_unlock_irqrestore(&m->lock, flags);
		legs_free(legs);
		return nowait ? would_block(bio, pb) : DM_MAPIO_SUBMITTED;
	}

	both = wants_both(c, bio);
	if (both && !legs[0]) {
		spin_unlock_irqrestore(&m->lock, flags);
		if (nowait)
			return would_block(bio, pb);
		if (!legs_alloc(m, bio, gfp, legs))
			goto again;
		/* Out of memory in ->map(): leave it to the worker. */
		spin_lock_irqsave(&m->lock, flags);
		bio_list_add(&m->deferred, bio);
		queue_work(m->pool->bio_wq, &m->bio_work);
		spin_unlock_irqrestore(&m->lock, flags);
		return DM_MAPIO_SUBMITTED;
	}

	c->writes++;
	pb->flushes = READ_ONCE(m->pool->members[m->src].flushes_failed);
	ads_chunk_hold_end(m, pb);
	if (both) {
		pb->kind = ADS_BIO_MIRRORED;
		pb->status[0] = BLK_STS_OK;
		pb->status[1] = BLK_STS_OK;
		atomic_set(&pb->legs, 2);
		list_add_tail(&pb->node, &c->mirrored);
		if (bio_op(bio) == REQ_OP_DISCARD)
			c->may_differ = true;
	} else {
		pb->kind = ADS_BIO_TRACKED;
		c->missed = true;
	}
	spin_unlock_irqrestore(&m->lock, flags);

	if (both) {
		dm_submit_bio_remap(bio, legs[0]);
		submit_bio_noacct(legs[1]);
		return DM_MAPIO_SUBMITTED;
	}
	legs_free(legs);
	bio->bi_iter.bi_sector = leg_sector(m, 0, bio->bi_iter.bi_sector);
	bio_set_dev(bio, m->pool->members[m->src].bdev);
	return DM_MAPIO_REMAPPED;
}

void ads_bio_work(struct work_struct *work)
{
	struct ads_mig *m = container_of(work, struct ads_mig, bio_work);
	struct bio_list list;
	struct bio *bio;

	spin_lock_irq(&m->lock);
	list = m->deferred;
	bio_list_init(&m->deferred);
	spin_unlock_irq(&m->lock);

	/* @m outlives the last of them: this work is cancelled before. */
	while ((bio = bio_list_pop(&list))) {
		if (ads_bio(bio)->set)
			ads_set_write(bio, GFP_NOIO);
		else if (ads_write_slow(m, bio, GFP_NOIO) == DM_MAPIO_REMAPPED)
			dm_submit_bio_remap(bio, NULL);
	}
}

/*
 * Of a write to a set: an error if it failed on a leg, and nobody knows whether
 * that counts. Else the legs decide that count now.
 */
static blk_status_t stalled_status(struct ads_mig *m, struct bio *bio, bool lost)
{
	struct ads_bio *pb = ads_bio(bio);
	unsigned int i;

	if (!m->stuck)
		return BLK_STS_OK;
	for (i = 0; i < ADS_SET_LEGS; i++)
		if (pb->targets & 1U << i && pb->status[i])
			return pb->status[i];
	return lost && bio->bi_opf & REQ_FUA ? BLK_STS_IOERR : BLK_STS_OK;
}

void ads_stalled_end(struct ads_mig *m)
{
	struct ads_member *dst = &m->pool->members[m->dst];
	bool lost = READ_ONCE(dst->flushes_failed) != m->dst_flushes;
	struct bio_list list;
	struct bio *bio;

	spin_lock_irq(&m->lock);
	list = m->stalled;
	bio_list_init(&m->stalled);
	spin_unlock_irq(&m->lock);

	while ((bio = bio_list_pop(&list))) {
		struct ads_bio *pb = ads_bio(bio);

		if (pb->set) {
			ads_set_write_decided(bio, stalled_status(m, bio, lost));
			continue;
		}
		if (m->committed)
			bio->bi_status = pb->status[1];
		else if (m->stuck || bio_op(bio) == REQ_OP_SECURE_ERASE)
			bio->bi_status = pb->status[0] ?: pb->status[1];
		else
			bio->bi_status = pb->status[0];
		/* Durable on the source only, and that may not count. */
		if (m->stuck && lost && bio->bi_opf & REQ_FUA)
			bio->bi_status = bio->bi_status ?: BLK_STS_IOERR;
		bio_endio(bio);
	}
}
