// SPDX-License-Identifier: GPL-2.0-only
/*
 * Chunk jobs: what moves and compares the data of a migration.
 *
 * A job takes a chunk and works on it to the end:
 *
 *	copy		1. pay for the bytes (throttle.c); wait as delayed work
 *	(a DIRTY	2. read the source, as often as it takes (source.c)
 *	 chunk)		3. hold: new writes wait, those in flight end; read again
 *			   what was written since 2
 *			4. checksum (crc32c), write the destination
 *			5. read it back, checksum, compare; else from 2 again,
 *			   and not held
 *			6. release as CLEAN: from here writes are mirrored
 *
 *	compare		1. as above
 *	(an unverified	2. read both legs, compare their checksums; equal is equal,
 *	 chunk, step	   even if writes went on meanwhile
 *	 VERIFY)	3. different, and writes went on: from 2 again, some times
 *			4. still different: hold, and read both again
 *			5. still different: count it, and copy, from 2
 *
 * Each I/O ends by queueing the job again, so that no worker ever waits for a
 * device. A chunk is held to write the destination and to read it back, never for
 * a limit or a pause, which are looked at before, and not for the source, but for
 * what was written there just before: a disk that takes seconds for a read keeps
 * no write waiting.
 */
#include <linux/bitmap.h>
#include <linux/crc32c.h>
#include <linux/device-mapper.h>
#include <linux/highmem.h>
#include <linux/ioprio.h>

#include "job.h"
#include "migrate.h"
#include "pool.h"

#define ADS_TRIES	3
#define ADS_COPIES_MAX	32	/* of one chunk */

u32 ads_job_bytes(struct ads_job *job)
{
	return 1U << (job->m->pool->chunk_shift + SECTOR_SHIFT);
}

void ads_job_endio(struct bio *bio)
{
	ads_job_queue(bio->bi_private);
}

void ads_job_submit(struct ads_job *job, unsigned int leg, enum req_op op,
		    u32 pos, u32 len, enum ads_job_state next)
{
	struct ads_mig *m = job->m;
	struct ads_pool *pool = m->pool;
	struct ads_member *mb = &pool->members[leg ? m->dst : job->src];
	u32 chunk = (leg ? m->dst_chunk : job->src_chunk) + job->chunk;
	u32 at = pos << (m->block_shift + SECTOR_SHIFT);
	u32 left = len << (m->block_shift + SECTOR_SHIFT);
	u32 n;

	bio_init(&job->bio, mb->bdev, job->vecs, job->nr_pages, op);
	job->bio.bi_iter.bi_sector = mb->data_start +
		((sector_t)chunk << pool->chunk_shift) + (at >> SECTOR_SHIFT);
	job->bio.bi_end_io = ads_job_endio;
	job->bio.bi_private = job;
	/* While a chunk is held, the user's writes wait for this I/O. */
	if (job->held) {
		job->bio.bi_opf |= REQ_SYNC | REQ_IDLE;
		job->bio.bi_ioprio = IOPRIO_PRIO_VALUE(IOPRIO_CLASS_BE, 0);
	} else {
		job->bio.bi_ioprio = IOPRIO_PRIO_VALUE(IOPRIO_CLASS_BE, 7);
	}
	for (; left; at += n, left -= n) {
		n = min_t(u32, left, PAGE_SIZE - offset_in_page(at));
		__bio_add_page(&job->bio, job->pages[at >> PAGE_SHIFT], n,
			       offset_in_page(at));
	}
	if (!leg)
		WRITE_ONCE(job->read_at, jiffies | 1);
	WRITE_ONCE(job->state, next);
	submit_bio_noacct(&job->bio);
}

/* All of it. */
static void job_submit(struct ads_job *job, unsigned int leg, enum req_op op,
		       enum ads_job_state next)
{
	ads_job_submit(job, leg, op, 0, ads_job_blocks(job), next);
}

static u32 job_crc(struct ads_job *job)
{
	u32 crc = ~0;
	unsigned int i;

	for (i = 0; i < job->nr_pages; i++) {
		void *p = kmap_local_page(job->pages[i]);

		crc = crc32c(crc, p, PAGE_SIZE);
		kunmap_local(p);
	}
	return crc;
}

/*----------------------------------------------------------------*/

/* Take a chunk that needs work, @difficult or not. m->lock held. */
static bool job_take(struct ads_job *job, bool difficult)
{
	struct ads_mig *m = job->m;
	bool compare = m->step == ADSHARD_STEP_VERIFY;
	u32 i;

	lockdep_assert_held(&m->lock);
	for (i = 0; i < m->nr_chunks; i++) {
		u32 index = m->cursor;
		struct ads_chunk *c = &m->chunks[index];

		if (++m->cursor == m->nr_chunks)
			m->cursor = 0;
		if (c->job || c->difficult != difficult)
			continue;
		if (c->state == ADS_CHUNK_DIRTY || (compare && !c->verified)) {
			c->job = job;
			job->chunk = index;
			job->task = c->state == ADS_CHUNK_DIRTY ?
				    ADS_TASK_COPY : ADS_TASK_COMPARE;
			job->held = false;
			job->tries = 0;
			job->passes = 0;
			job->asked = 0;
			return true;
		}
	}
	return false;
}

static void job_pick(struct ads_job *job)
{
	struct ads_mig *m = job->m;
	bool found;
	u64 wait;

	if (ads_mig_must_stop(m)) {
		ads_job_idle(job);
		return;
	}
	spin_lock_irq(&m->lock);
	/* What can be read gets out first. */
	found = !ads_aside_stops(m) &&
		(job_take(job, false) ||
		 ((m->hard || m->step != ADSHARD_STEP_FILL) &&
		  job_take(job, true)));
	job->delayed = found;
	job->hurry = false;
	spin_unlock_irq(&m->lock);
	if (!found) {
		ads_job_idle(job);
		return;
	}

	wait = ads_throttle(m->pool, m->src, m->dst, ads_job_bytes(job));
	WRITE_ONCE(job->state, ADS_JOB_PAID);
	spin_lock_irq(&m->lock);
	/* Who asks us to stop, or changes the limit, sets it and then hurries. */
	if (job->hurry || ads_mig_must_stop(m))
		wait = 0;
	queue_delayed_work(m->pool->copy_wq, &job->work,
			   wait ? nsecs_to_jiffies(wait) + 1 : 0);
	spin_unlock_irq(&m->lock);
}

void ads_job_done(struct ads_job *job, bool clean)
{
	struct ads_mig *m = job->m;
	struct ads_chunk *c = &m->chunks[job->chunk];

	if (job->held) {
		ads_chunk_release(m, job->chunk, clean);
	} else {
		spin_lock_irq(&m->lock);
		c->job = NULL;
		spin_unlock_irq(&m->lock);
	}
	job->held = false;
	WRITE_ONCE(job->state, ADS_JOB_PICK);
	ads_job_queue(job);
}

void ads_job_fail(struct ads_job *job, int err, const char *why)
{
	ads_mig_fail(job->m, err, why);
	ads_job_done(job, false);
}

void ads_job_hold(struct ads_job *job)
{
	job->held = true;
	WRITE_ONCE(job->state, ADS_JOB_QUIET);
	if (ads_chunk_hold(job->m, job->chunk, job))
		ads_job_queue(job);
}

static void job_paid(struct ads_job *job)
{
	struct ads_mig *m = job->m;
	bool hurry;

	spin_lock_irq(&m->lock);
	hurry = job->hurry;
	job->delayed = false;
	spin_unlock_irq(&m->lock);
	if (hurry || ads_mig_must_stop(m))
		ads_job_done(job, false);
	else
		ads_job_read_source(job);
}

/* Copy it, from the start: writes go on, to the source. */
static void copy_start(struct ads_job *job)
{
	job->task = ADS_TASK_COPY;
	job->passes = 0;
	job->held = false;
	ads_chunk_unhold(job->m, job->chunk);
	ads_job_read_source(job);
}

/*
 * The destination holds what the source gave, and zeroes where it gave nothing:
 * @bad, or NULL, is the chunk's from now on.
 */
static void copy_take(struct ads_job *job, unsigned long *bad)
{
	struct ads_mig *m = job->m;
	struct ads_chunk *c = &m->chunks[job->chunk];
	unsigned int nr = ads_job_blocks(job);
	unsigned long *old;

	spin_lock_irq(&m->lock);
	old = c->bad;
	if (old)
		m->bad_blocks -= bitmap_weight(old, nr);
	c->bad = bad;
	if (bad)
		m->bad_blocks += bitmap_weight(bad, nr);
	spin_unlock_irq(&m->lock);
	kfree(old);
}

static void copy_good(struct ads_job *job)
{
	struct ads_mig *m = job->m;
	struct ads_chunk *c = &m->chunks[job->chunk];
	unsigned int nr = ads_job_blocks(job);
	unsigned long *bad = NULL;

	/* Beyond the end of the volume there is nothing to lose. */
	bitmap_clear(job->skip, ads_job_valid(job), nr - ads_job_valid(job));
	if (!bitmap_empty(job->skip, nr)) {
		bad = kmemdup(job->skip, BITS_TO_LONGS(nr) * sizeof(long),
			      GFP_NOIO);
		if (!bad) {
			ads_job_fail(job, -ENOMEM, "out of memory");
			return;
		}
	}
	copy_take(job, bad);

	spin_lock_irq(&m->lock);
	m->bytes_copied += ads_job_bytes(job);
	if (c->copies)
		m->chunks_recopied++;
	if (++c->copies > ADS_COPIES_MAX)
		__ads_mig_fail(m, -EIO, "the legs of a chunk differ again and again");
	c->missed = false;
	c->may_differ = false;
	if (c->verified) {
		c->verified = false;
		m->unverified++;
	}
	spin_unlock_irq(&m->lock);
	atomic64_add(ads_job_bytes(job), &m->pool->totals.bytes_copied);
	ads_job_done(job, true);
}

static void count_mismatch(struct ads_job *job)
{
	struct ads_mig *m = job->m;

	spin_lock_irq(&m->lock);
	m->mismatches++;
	spin_unlock_irq(&m->lock);
	atomic64_inc(&m->pool->totals.mismatches);
	DMWARN("segment %u: chunk %u differs on the destination, copying it again",
	       m->seg, job->chunk);
}

static void copy_back(struct ads_job *job)
{
	if (job_crc(job) == job->crc) {
		copy_good(job);
		return;
	}
	count_mismatch(job);
	if (++job->tries < ADS_TRIES)
		copy_start(job);
	else
		ads_job_fail(job, -EILSEQ,
			     "the destination returns other data than was written");
}

/*
 * Both legs have been read; the source's checksum is job->crc. If the source
 * could not be read any more, the destination has what was read back when it was
 * copied, and every write since (job_trust()).
 */
static void compare_done(struct ads_job *job)
{
	struct ads_mig *m = job->m;
	struct ads_chunk *c = &m->chunks[job->chunk];
	bool equal = job->trust || job_crc(job) == job->crc;
	bool may_differ, counts = false;

	if (!equal && !job->held) {
		if (ads_job_raced(job))
			ads_job_read_source(job);
		else
			ads_job_hold(job);
		return;
	}

	spin_lock_irq(&m->lock);
	may_differ = c->may_differ;
	/* Not held, a failed write may have made it dirty meanwhile. */
	if (equal && c->state != ADS_CHUNK_DIRTY && !c->verified) {
		c->verified = true;
		m->unverified--;
		m->chunks_verified++;
		counts = true;
	}
	spin_unlock_irq(&m->lock);

	if (equal) {
		if (counts)
			atomic64_inc(&m->pool->totals.chunks_verified);
		ads_job_done(job, true);
		return;
	}
	/* What a discard left may differ: nothing to worry about. */
	if (!may_differ)
		count_mismatch(job);
	copy_start(job);
}

static void copy_write(struct ads_job *job)
{
	job->crc = job_crc(job);
	job_submit(job, 1, REQ_OP_WRITE, ADS_JOB_WRITE);
}

void ads_job_source_read(struct ads_job *job)
{
	switch (job->task) {
	case ADS_TASK_COPY:
		if (job->held)
			copy_write(job);
		else if (!ads_job_read_stale(job))
			ads_job_hold(job);
		break;
	case ADS_TASK_COMPARE:
		job->crc = job_crc(job);
		job_submit(job, 1, REQ_OP_READ, ADS_JOB_BACK);
		break;
	}
}

/*
 * Held, and the source can't be read: what was copied was right, and what was
 * written since is on the destination as well. Unless a write was missed there.
 */
static void job_trust(struct ads_job *job)
{
	struct ads_mig *m = job->m;
	bool missed;

	spin_lock_irq(&m->lock);
	missed = m->chunks[job->chunk].missed;
	spin_unlock_irq(&m->lock);
	if (missed) {
		copy_start(job);
		return;
	}
	DMWARN("segment %u: chunk %u can't be compared: the source has become unreadable",
	       m->seg, job->chunk);
	job_submit(job, 1, REQ_OP_READ, ADS_JOB_BACK);
}

void ads_job_stop(struct ads_job *job)
{
	struct ads_mig *m = job->m;
	bool clean;

	/*
	 * What was compared was a good copy: it may be the only one by now. If
	 * a write failed meanwhile, the next comparison finds out.
	 */
	spin_lock_irq(&m->lock);
	clean = job->task == ADS_TASK_COMPARE && !m->chunks[job->chunk].missed;
	spin_unlock_irq(&m->lock);
	ads_job_done(job, clean);
}

/* An I/O on the destination has failed. */
static void destination_error(struct ads_job *job)
{
	struct ads_mig *m = job->m;
	struct ads_member *mb = &m->pool->members[m->dst];

	ads_member_error(m->pool, mb, ADS_ERR_COPY);
	/* What is there already can't be read: it is to be written anyway. */
	if (m->in_place && job->task == ADS_TASK_COMPARE &&
	    !ads_mig_must_stop(m)) {
		if (job->held)
			copy_start(job);
		else
			ads_job_hold(job);
		return;
	}
	if (++job->tries < ADS_TRIES) {
		if (ads_mig_must_stop(m))
			ads_job_stop(job);
		else if (job->task == ADS_TASK_COMPARE)
			ads_job_read_source(job);
		else if (job->state == ADS_JOB_WRITE)
			copy_write(job);
		else
			job_submit(job, 1, REQ_OP_READ, ADS_JOB_BACK);
		return;
	}
	DMERR("segment %u: copying chunk %u failed on %pg (destination)",
	      m->seg, job->chunk, mb->bdev);
	ads_op_dst_failed(m);
	ads_job_fail(job, blk_status_to_errno(job->bio.bi_status),
		     "the destination fails");
}

void ads_job_work(struct work_struct *work)
{
	struct ads_job *job = container_of(to_delayed_work(work),
					   struct ads_job, work);

	switch (job->state) {
	case ADS_JOB_PICK:
		job_pick(job);
		return;
	case ADS_JOB_PAID:
		job_paid(job);
		return;
	case ADS_JOB_QUIET:
		if (job->trust)
			job_trust(job);
		else if (job->task == ADS_TASK_COMPARE)
			ads_job_read_source(job);
		else if (!ads_job_read_stale(job))
			copy_write(job);
		return;
	case ADS_JOB_SOURCE:
	case ADS_JOB_ALIVE:
		ads_job_source_end(job);
		return;
	}

	if (job->bio.bi_status) {
		destination_error(job);
		return;
	}
	if (job->state == ADS_JOB_WRITE)
		job_submit(job, 1, REQ_OP_READ, ADS_JOB_BACK);
	else if (job->task == ADS_TASK_COPY)
		copy_back(job);
	else
		compare_done(job);
}
