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
#include <linux/ktime.h>

#include "bio.h"
#include "migrate.h"
#include "pool.h"

/* More failed mirrored writes than this: the destination is no good. */
#define ADS_DST_ERRORS_MAX	8

int ads_chunks_init(struct ads_mig *m)
{
	u32 i;

	m->chunks = kvcalloc(m->nr_chunks, sizeof(*m->chunks), GFP_KERNEL);
	if (!m->chunks)
		return -ENOMEM;
	for (i = 0; i < m->nr_chunks; i++) {
		bio_list_init(&m->chunks[i].held);
		INIT_LIST_HEAD(&m->chunks[i].mirrored);
		m->chunks[i].state = ADS_CHUNK_DIRTY;
	}
	m->unverified = m->nr_chunks;
	return 0;
}

void ads_chunks_exit(struct ads_mig *m)
{
	u32 i;

	for (i = 0; m->chunks && i < m->nr_chunks; i++)
		kfree(m->chunks[i].bad);
	kvfree(m->chunks);
	m->chunks = NULL;
}

static sector_t leg_sector(struct ads_mig *m, unsigned int leg, sector_t volume)
{
	struct ads_pool *pool = m->pool;
	u16 member = leg ? m->dst : m->src;
	u32 chunk = leg ? m->dst_chunk : m->src_chunk;

	return pool->members[member].data_start +
		((sector_t)chunk << pool->chunk_shift) +
		(volume & ((1ULL << pool->segment_shift) - 1));
}

/* Send the waiting writes through ads_write_slow() again. m->lock held. */
static void release_held(struct ads_mig *m, struct ads_chunk *c)
{
	lockdep_assert_held(&m->lock);
	if (bio_list_empty(&c->held))
		return;
	bio_list_merge(&m->deferred, &c->held);
	bio_list_init(&c->held);
	queue_work(m->pool->bio_wq, &m->bio_work);
}

/* A write of @c has ended, well or not. m->lock held. */
static void write_done(struct ads_mig *m, struct ads_chunk *c,
		       struct ads_bio *pb)
{
	lockdep_assert_held(&m->lock);
	if (c->job)
		ads_job_stale(c->job, pb->first, pb->last);
	if (!--c->writes && c->waiting) {
		c->waiting = false;
		ads_job_queue(c->job);
	}
}

void ads_write_tracked_end(struct ads_mig *m, struct ads_bio *pb)
{
	struct ads_chunk *c = &m->chunks[pb->chunk];
	unsigned long flags;

	spin_lock_irqsave(&m->lock, flags);
	write_done(m, c, pb);
	spin_unlock_irqrestore(&m->lock, flags);
}

/* The legs of @c differ; @missed: by what the destination lacks. m->lock held. */
static void chunk_differs(struct ads_mig *m, struct ads_chunk *c, bool missed)
{
	lockdep_assert_held(&m->lock);
	m->dirtied++;
	c->may_differ = true;
	if (c->verified) {
		c->verified = false;
		m->unverified++;
	}
	if (!missed)
		return;
	c->missed = true;
	/* A HELD chunk is in the hands of a job, which copies or compares. */
	if (c->state == ADS_CHUNK_CLEAN) {
		c->state = ADS_CHUNK_DIRTY;
		m->clean--;
	}
}

/* The destination has data where @pb wrote. m->lock held. */
static void chunk_healed(struct ads_mig *m, struct ads_chunk *c,
			 struct ads_bio *pb)
{
	u32 mask = (1U << m->pool->chunk_shift) - 1;
	u32 bit = (pb->first & mask) >> m->block_shift;
	u32 last = (pb->last & mask) >> m->block_shift;

	lockdep_assert_held(&m->lock);
	for (; bit <= last; bit++)
		m->bad_blocks -= __test_and_clear_bit(bit, c->bad);
}

bool ads_chunk_judge(struct ads_mig *m, struct bio *bio, blk_status_t src,
		     blk_status_t dst, blk_status_t *status)
{
	struct ads_chunk *c = &m->chunks[ads_bio(bio)->chunk];
	bool stalled = false;

	lockdep_assert_held(&m->lock);
	*status = BLK_STS_OK;
	if (bio_op(bio) == REQ_OP_DISCARD) {
		*status = m->committed ? dst : src;
	} else if (unlikely(m->window && bio->bi_opf & REQ_FUA)) {
		if (dst)
			m->dst_lost = true;
		bio_list_add(&m->stalled, bio);
		stalled = true;
	} else if (unlikely(src || dst)) {
		if (m->committed) {
			*status = dst;
		} else if (m->stuck) {
			*status = src ?: dst;
		} else if (m->window) {
			if (dst)
				m->dst_lost = true;
			bio_list_add(&m->stalled, bio);
			stalled = true;
		} else {
			/* An erase that missed a leg did not happen. */
			*status = src;
			if (bio_op(bio) == REQ_OP_SECURE_ERASE)
				*status = src ?: dst;
			chunk_differs(m, c, dst);
			if (dst && ++m->dst_errors > ADS_DST_ERRORS_MAX)
				__ads_mig_fail(m, -EIO,
					       "writes to the destination fail");
		}
	}
	return stalled;
}

void ads_chunk_write_end(struct ads_mig *m, struct bio *bio, bool on_dst,
			 bool goes_on)
{
	struct ads_bio *pb = ads_bio(bio);
	struct ads_chunk *c = &m->chunks[pb->chunk];

	lockdep_assert_held(&m->lock);
	/*
	 * Bad at the destination only, and maybe recorded already; what is bad at
	 * the source, too, was seen when it was mapped.
	 */
	if (unlikely(c->bad) && on_dst) {
		chunk_healed(m, c, pb);
		/*
		 * Whoever writes there, not only the first: his bits may be
		 * gone, and the record not, or its removal may have failed.
		 */
		if (m->bad_recorded)
			pb->heal = ADS_HEAL_WANTED;
	}
	if (unlikely(pb->heal == ADS_HEAL_WANTED) && !goes_on)
		pb->counted = true;
	else
		write_done(m, c, pb);
	/* Those that overlapped may go now, unless a job has the chunk. */
	if (c->state != ADS_CHUNK_HELD)
		release_held(m, c);
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

/* m->lock held. */
static void note_hold_end(struct ads_mig *m, struct ads_bio *pb)
{
	u64 ns;

	if (!pb->held_ns)
		return;
	ns = ktime_get_ns() - pb->held_ns;
	pb->held_ns = 0;
	if (ns > m->hold_max_ns)
		m->hold_max_ns = ns;
}

bool ads_chunk_wait(struct ads_mig *m, struct bio *bio, bool direct)
{
	struct ads_bio *pb = ads_bio(bio);
	struct ads_chunk *c = &m->chunks[pb->chunk];

	lockdep_assert_held(&m->lock);
	if (c->state != ADS_CHUNK_HELD &&
	    (direct || bio_list_empty(&c->held)))
		return false;
	if (bio->bi_opf & REQ_NOWAIT)
		return true;
	bio_list_add(&c->held, bio);
	if (!pb->held_ns) {
		pb->held_ns = ktime_get_ns();
		m->writes_held++;
	}
	return true;
}

bool ads_chunk_is_clean(struct ads_mig *m, u32 chunk)
{
	return m->chunks[chunk].state == ADS_CHUNK_CLEAN;
}

void ads_chunk_write_begin(struct ads_mig *m, struct bio *bio, bool mirrored)
{
	struct ads_bio *pb = ads_bio(bio);
	struct ads_chunk *c = &m->chunks[pb->chunk];

	lockdep_assert_held(&m->lock);
	c->writes++;
	note_hold_end(m, pb);
	if (!mirrored)
		c->missed = true;
	if (bio_op(bio) == REQ_OP_DISCARD)
		c->may_differ = true;
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
		if (!nowait) {
			bio_list_add(&c->held, bio);
			if (!pb->held_ns) {
				pb->held_ns = ktime_get_ns();
				m->writes_held++;
			}
		}
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
	note_hold_end(m, pb);
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

bool ads_chunk_hold(struct ads_mig *m, u32 index, struct ads_job *job)
{
	struct ads_chunk *c = &m->chunks[index];
	bool quiet;

	spin_lock_irq(&m->lock);
	if (c->state == ADS_CHUNK_CLEAN)
		m->clean--;
	c->state = ADS_CHUNK_HELD;
	quiet = !c->writes;
	c->waiting = !quiet;
	spin_unlock_irq(&m->lock);
	return quiet;
}

void ads_chunks_doubt(struct ads_mig *m)
{
	u32 i;

	spin_lock_irq(&m->lock);
	for (i = 0; i < m->nr_chunks; i++) {
		struct ads_chunk *c = &m->chunks[i];

		c->verified = false;
		c->may_differ = true;
		c->missed = true;
	}
	m->unverified = m->nr_chunks;
	spin_unlock_irq(&m->lock);
}

void ads_chunk_unhold(struct ads_mig *m, u32 index)
{
	struct ads_chunk *c = &m->chunks[index];

	spin_lock_irq(&m->lock);
	c->state = ADS_CHUNK_DIRTY;
	release_held(m, c);
	spin_unlock_irq(&m->lock);
}

void ads_chunk_release(struct ads_mig *m, u32 index, bool clean)
{
	struct ads_chunk *c = &m->chunks[index];

	spin_lock_irq(&m->lock);
	c->job = NULL;
	if (clean) {
		c->state = ADS_CHUNK_CLEAN;
		m->clean++;
	} else {
		c->state = ADS_CHUNK_DIRTY;
	}
	release_held(m, c);
	spin_unlock_irq(&m->lock);
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
