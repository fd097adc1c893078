// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading a chunk of the source, of which parts may be unreadable.
 *
 * With the chunk not held, as a disk may take many seconds, and users' writes
 * must not wait for it:
 *
 *	1. In one piece. It is what happens to all but a few chunks. If it fails
 *	   twice, the chunk is let go as difficult: it is taken up again when no
 *	   other chunk is left, of other segments either (aside.c), as it may take
 *	   minutes.
 *	2. Difficult: a piece that fails is halved, down to the logical block, and
 *	   what fails twice then has no data; a piece that can be read makes the
 *	   next one twice as long.
 *	3. An error that does not name the medium may be the disk's, or its link's:
 *	   does it still give us one of its superblocks? Else the migration fails,
 *	   and nothing is called bad.
 *	4. What writes went over meanwhile (job->stale) is read again, in up to
 *	   PASSES_MAX passes, each of which leaves less.
 *
 * Then it is held, and when the writes in flight have ended, what they went over
 * is read once more: a few blocks that were written just now, and mostly none.
 *
 * Why that is all that may differ: a write that is neither seen by a read nor
 * marked in job->stale would have ended before the read was sent, and then the
 * read sees it, or end after the last look at job->stale, and then it was in
 * flight when the chunk was held. Writes are marked when they end, not when they
 * begin: those which were under way when the job took the chunk count, too.
 *
 * With several legs in sync the source is any of them: what one can't return is
 * asked of the others, at first all of the chunk, in the end block by block.
 *
 * Blocks that are bad at the source already are never asked for: there is
 * something else on the disk. All that has no data becomes zero, and is the
 * chunk's bad blocks when it has been copied (struct ads_chunk).
 */
#include <linux/bitmap.h>
#include <linux/device-mapper.h>
#include <linux/highmem.h>

#include "job.h"
#include "migrate.h"
#include "pool.h"

#define PIECE_TRIES	2
#define PASSES_MAX	3	/* without holding the chunk */

u32 ads_job_blocks(struct ads_job *job)
{
	return 1U << (job->m->pool->chunk_shift - job->m->block_shift);
}

u32 ads_job_valid(struct ads_job *job)
{
	const struct ads_mig *m = job->m;
	const struct ads_pool *pool = m->pool;
	sector_t start = ((sector_t)m->seg << pool->segment_shift) +
			 ((sector_t)job->chunk << pool->chunk_shift);

	return min_t(sector_t, ads_job_blocks(job),
		     (pool->volume_sectors - start) >> m->block_shift);
}

/* Blocks of job->todo that are bad at the source already, into job->skip. */
static void skip_known(struct ads_job *job)
{
	struct ads_mig *m = job->m;
	struct ads_pool *pool = m->pool;
	u64 src = ads_word(job->src, job->src_chunk);
	u32 first = job->chunk << pool->chunk_shift;
	u32 end = first + (1U << pool->chunk_shift), pos = first;
	struct ads_range r;
	u32 from, to;

	while (pos < end &&
	       ads_bad_find(&pool->bads, m->seg, src, pos, end - pos, &r)) {
		from = (max(r.first, first) - first) >> m->block_shift;
		to = (min(r.first + r.sectors, end) - first) >> m->block_shift;
		for (; from < to; from++)
			if (__test_and_clear_bit(from, job->todo))
				__set_bit(from, job->skip);
		pos = r.first + r.sectors;
	}
}

/* The next piece, or the end. */
static void read_piece(struct ads_job *job)
{
	unsigned int nr = ads_job_blocks(job), end;

	job->pos = find_next_bit(job->todo, nr, job->pos);
	if (job->pos >= nr) {
		unsigned int bit;

		for_each_set_bit(bit, job->skip, nr) {
			u32 at = bit << (job->m->block_shift + SECTOR_SHIFT);

			memzero_page(job->pages[at >> PAGE_SHIFT],
				     offset_in_page(at),
				     1U << (job->m->block_shift + SECTOR_SHIFT));
		}
		ads_job_source_read(job);
		return;
	}
	end = find_next_zero_bit(job->todo, nr, job->pos);
	job->len = min(job->len, end - job->pos);
	ads_job_submit(job, 0, REQ_OP_READ, job->pos, job->len, ADS_JOB_SOURCE);
}

/* What is in job->todo. */
static void read_todo(struct ads_job *job)
{
	job->passes++;
	job->pos = 0;
	job->len = ads_job_blocks(job);
	job->fails = 0;
	read_piece(job);
}

void ads_job_read_source(struct ads_job *job)
{
	struct ads_mig *m = job->m;
	struct ads_chunk *c = &m->chunks[job->chunk];
	unsigned int nr = ads_job_blocks(job), valid = ads_job_valid(job);

	ads_op_source(job);
	job->asked_block = 0;
	job->trust = false;
	bitmap_fill(job->todo, nr);
	bitmap_zero(job->skip, nr);
	spin_lock_irq(&m->lock);
	/* What has ended by now, we'll read. */
	bitmap_zero(job->stale, nr);
	/* COMPARE: both legs have data but there: equal is equal. */
	if (job->task == ADS_TASK_COMPARE && c->bad)
		bitmap_copy(job->skip, c->bad, nr);
	spin_unlock_irq(&m->lock);
	/* Beyond the end of the volume there is nothing. */
	bitmap_set(job->skip, valid, nr - valid);
	bitmap_andnot(job->todo, job->todo, job->skip, nr);
	if (job->task == ADS_TASK_COPY)
		skip_known(job);
	read_todo(job);
}

bool ads_job_raced(struct ads_job *job)
{
	struct ads_mig *m = job->m;
	bool raced;

	spin_lock_irq(&m->lock);
	raced = m->chunks[job->chunk].writes ||
		!bitmap_empty(job->stale, ads_job_blocks(job));
	spin_unlock_irq(&m->lock);
	return raced && job->passes < PASSES_MAX;
}

bool ads_job_read_stale(struct ads_job *job)
{
	unsigned int nr = ads_job_blocks(job);
	struct ads_mig *m = job->m;
	bool none;

	if (!job->held && job->passes >= PASSES_MAX)
		return false;
	spin_lock_irq(&m->lock);
	none = bitmap_empty(job->stale, nr);
	bitmap_copy(job->todo, job->stale, nr);
	bitmap_zero(job->stale, nr);
	spin_unlock_irq(&m->lock);
	if (none)
		return false;
	/*
	 * A write makes good what could not be read, and what was bad before: the
	 * removal of the range comes first, and then the write's end, which brings
	 * us here. Only these blocks: another one may be out of its range already,
	 * and we have not read it.
	 */
	bitmap_andnot(job->skip, job->skip, job->todo, nr);
	/* The leg that was read may have missed these writes, and be out. */
	ads_op_source(job);
	job->asked_block = 0;
	skip_known(job);
	read_todo(job);
	return true;
}

void ads_job_stale(struct ads_job *job, sector_t first, sector_t last)
{
	struct ads_mig *m = job->m;
	u32 mask = (1U << m->pool->chunk_shift) - 1;
	u32 from = (first & mask) >> m->block_shift;
	u32 to = (last & mask) >> m->block_shift;

	lockdep_assert_held(&m->lock);
	bitmap_set(job->stale, from, to - from + 1);
}

/* On from the end of the piece. */
static void next_piece(struct ads_job *job, u32 len)
{
	job->pos += job->len;
	job->len = len;
	job->fails = 0;
	/* What this one could not return was that block, no more is known. */
	if (job->asked_block) {
		job->asked_block = 0;
		ads_op_source(job);
	}
	read_piece(job);
}

/* One that is as small as can be has failed for good. */
static void block_unread(struct ads_job *job)
{
	struct ads_mig *m = job->m;
	struct ads_member *mb = &m->pool->members[job->src];
	u32 chunk = job->src_chunk + job->chunk;

	DMERR_LIMIT("segment %u: %pg can't read sector %llu", m->seg, mb->bdev,
		    (u64)mb->data_start +
		    ((u64)chunk << m->pool->chunk_shift) +
		    (job->pos << m->block_shift));
	__set_bit(job->pos, job->skip);
	next_piece(job, 1);
}

/* Is it the disk? Ask for a superblock, @copy 0 or 1. */
static void ask_alive(struct ads_job *job, unsigned int copy)
{
	struct ads_mig *m = job->m;

	job->fails = copy;
	bio_init(&job->bio, m->pool->members[job->src].bdev, job->vecs,
		 job->nr_pages, REQ_OP_READ);
	job->bio.bi_iter.bi_sector = ADSHARD_BLOCK_SECTORS *
		(copy ? ADSHARD_SB_BLOCK1 : ADSHARD_SB_BLOCK0);
	job->bio.bi_end_io = ads_job_endio;
	job->bio.bi_private = job;
	__bio_add_page(&job->bio, job->page, ADSHARD_BLOCK_SIZE, 0);
	WRITE_ONCE(job->read_at, jiffies | 1);
	WRITE_ONCE(job->state, ADS_JOB_ALIVE);
	submit_bio_noacct(&job->bio);
}

static void alive_end(struct ads_job *job)
{
	if (!job->bio.bi_status)
		block_unread(job);
	else if (!job->fails)
		ask_alive(job, 1);
	else
		ads_job_fail(job, -EIO, "the source does not answer any more");
}

/*
 * Errors that a medium may have. All others, for want of memory, of a path or of
 * patience, say nothing about what is on it.
 */
static bool may_be_medium(blk_status_t status)
{
	return status == BLK_STS_MEDIUM || status == BLK_STS_PROTECTION ||
	       status == BLK_STS_IOERR || status == BLK_STS_TIMEOUT;
}

/* A block, the second time. */
static void block_error(struct ads_job *job)
{
	if (ads_op_other_block(job)) {
		job->fails = 0;
		read_piece(job);
		return;
	}
	if (job->bio.bi_status == BLK_STS_MEDIUM)
		block_unread(job);
	else if (may_be_medium(job->bio.bi_status))
		ask_alive(job, 0);
	else
		ads_job_fail(job, blk_status_to_errno(job->bio.bi_status),
			     "the source can't be read");
}

/* COMPARE: is what was copied still there? It need not be. */
static void compare_error(struct ads_job *job)
{
	job->trust = true;
	if (!job->held) {
		ads_job_hold(job);
	} else {
		WRITE_ONCE(job->state, ADS_JOB_QUIET);
		ads_job_queue(job);
	}
}

static void piece_error(struct ads_job *job)
{
	struct ads_mig *m = job->m;
	struct ads_chunk *c = &m->chunks[job->chunk];
	bool difficult;

	ads_member_error(m->pool, &m->pool->members[job->src], ADS_ERR_COPY);
	if (ads_mig_must_stop(m) || READ_ONCE(m->aside)) {
		ads_job_stop(job);
		return;
	}
	if (ads_op_other_source(job)) {
		ads_job_read_source(job);
		return;
	}
	if (job->task == ADS_TASK_COMPARE) {
		if (++job->fails < PIECE_TRIES)
			ads_job_submit(job, 0, REQ_OP_READ, job->pos, job->len,
				       ADS_JOB_SOURCE);
		else
			compare_error(job);
		return;
	}
	spin_lock_irq(&m->lock);
	difficult = c->difficult;
	if (job->fails)
		c->difficult = true;
	spin_unlock_irq(&m->lock);
	if (!difficult) {
		if (job->fails++)
			ads_job_done(job, false);
		else
			read_piece(job);
		return;
	}
	if (job->len > 1) {
		job->len /= 2;
		job->fails = 0;
		read_piece(job);
	} else if (++job->fails < PIECE_TRIES) {
		read_piece(job);
	} else {
		block_error(job);
	}
}

void ads_job_source_end(struct ads_job *job)
{
	ads_aside_read_end(job);
	if (job->state == ADS_JOB_ALIVE) {
		alive_end(job);
	} else if (job->bio.bi_status) {
		piece_error(job);
	} else {
		/* What was read is of no use without the copy. */
		if (ads_mig_must_stop(job->m))
			ads_job_stop(job);
		else
			next_piece(job, job->len * 2);
	}
}
