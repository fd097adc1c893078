// SPDX-License-Identifier: GPL-2.0-only
/*
 * Chunks of a migrating segment: what state they are in, which writes are in flight
 * or wait, and what the end of one means. Where writes go: mirror.c.
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

void ads_chunk_hold_end(struct ads_mig *m, struct ads_bio *pb)
{
	u64 ns;

	lockdep_assert_held(&m->lock);
	if (!pb->held_ns)
		return;
	ns = ktime_get_ns() - pb->held_ns;
	pb->held_ns = 0;
	if (ns > m->hold_max_ns)
		m->hold_max_ns = ns;
}

void ads_chunk_queue(struct ads_mig *m, struct bio *bio)
{
	struct ads_bio *pb = ads_bio(bio);

	lockdep_assert_held(&m->lock);
	bio_list_add(&m->chunks[pb->chunk].held, bio);
	if (!pb->held_ns) {
		pb->held_ns = ktime_get_ns();
		m->writes_held++;
	}
}

bool ads_chunk_wait(struct ads_mig *m, struct bio *bio, bool direct)
{
	struct ads_chunk *c = &m->chunks[ads_bio(bio)->chunk];

	lockdep_assert_held(&m->lock);
	if (c->state != ADS_CHUNK_HELD &&
	    (direct || bio_list_empty(&c->held)))
		return false;
	if (!(bio->bi_opf & REQ_NOWAIT))
		ads_chunk_queue(m, bio);
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
	ads_chunk_hold_end(m, pb);
	if (!mirrored)
		c->missed = true;
	if (bio_op(bio) == REQ_OP_DISCARD)
		c->may_differ = true;
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

