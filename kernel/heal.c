// SPDX-License-Identifier: GPL-2.0-only
/*
 * I/O to a segment that has bad ranges.
 *
 * A read is cut where a range begins or ends; what lies in one fails, and no
 * disk is asked: on the disk there is something else.
 *
 * A write goes where it would go anyway, and ends when
 *	1. it has ended on the disk(s),
 *	2. they have flushed it,
 *	3. what it covers is out of the ranges, durably.
 * Without 2 a power cut after 3 would leave a sector that is good by the record
 * and holds what was there before the segment came. Without 3 before its end, a
 * power cut would make a write that was acknowledged an error again.
 *
 * A write to a migrating segment stays one of its chunk's writes until then
 * (struct ads_chunk, @writes): a job that copied the chunk in between would take
 * for bad what is good on both legs. But for one that has waited for a commit's
 * outcome: there is no job any more.
 *
 * If the table is full, a write into the middle of a range, which makes two of
 * it, fails.
 */
#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/device-mapper.h>
#include <linux/slab.h>

#include "bio.h"
#include "migrate.h"
#include "pool.h"

bool ads_bad_map(struct ads_pool *pool, struct bio *bio, struct ads_bio *pb,
		 u32 seg, sector_t off, u64 word)
{
	u32 first = off & ((1ULL << pool->segment_shift) - 1);
	u32 sectors = bio_sectors(bio);
	struct ads_range r;

	if (!sectors ||
	    !ads_bad_find(&pool->bads, seg, word, first, sectors, &r))
		return false;
	if (op_is_write(bio_op(bio))) {
		pb->heal = ADS_HEAL_WANTED;
		pb->first = off;
		pb->last = off + sectors - 1;
		pb->flushes = READ_ONCE(pool->members[pb->member].flushes_failed);
		return false;
	}

	/* One that is polled for can't be cut. */
	bio->bi_opf &= ~REQ_POLLED;
	if (r.first > first) {
		dm_accept_partial_bio(bio, r.first - first);
		return false;
	}
	if (r.first + r.sectors < first + sectors)
		dm_accept_partial_bio(bio, r.first + r.sectors - first);
	pb->kind = ADS_BIO_ENDED;
	bio->bi_status = BLK_STS_MEDIUM;
	bio_endio(bio);
	return true;
}

/*
 * Are the writes to @mb that ended before on its medium? A flush of anybody's
 * that failed since they were sent, @before, may have cost them.
 */
static bool flushed(struct ads_pool *pool, struct ads_member *mb, u32 before)
{
	if (blkdev_issue_flush(mb->bdev)) {
		ads_member_error(pool, mb, ADS_ERR_FLUSH);
		ads_flush_lost(mb, true);
	}
	return READ_ONCE(mb->flushes_failed) == before;
}

/*
 * On all legs in sync. One that was lost is as good as out, and the write has not
 * ended if a record must say so first.
 */
static bool set_flushed(struct ads_pool *pool, struct ads_set *set)
{
	struct ads_set_leg leg[ADS_SET_LEGS];
	unsigned int i;

	spin_lock_irq(&set->lock);
	memcpy(leg, set->leg, sizeof(leg));
	spin_unlock_irq(&set->lock);
	for (i = 0; i < ADS_SET_LEGS; i++)
		if (leg[i].state == ADS_LEG_SYNC &&
		    !flushed(pool, &pool->members[leg[i].member],
			     set->intent == ADS_INTENT_NONE ?
			     READ_ONCE(pool->members[leg[i].member].flushes_failed) :
			     leg[i].flushes))
			return false;
	return true;
}

/* Step 2. */
static bool write_flushed(struct ads_pool *pool, struct ads_bio *pb)
{
	struct ads_mig *m = pb->mig;
	bool counts;

	if (pb->set)
		return set_flushed(pool, pb->set);
	if (pb->kind == ADS_BIO_PLAIN)
		return flushed(pool, &pool->members[pb->member], pb->flushes);
	/* Until the move is recorded the source counts ... */
	if (pb->kind == ADS_BIO_TRACKED)
		return flushed(pool, &pool->members[m->src], pb->flushes);
	if (flushed(pool, &pool->members[m->dst], m->dst_flushes)) {
		spin_lock_irq(&m->lock);
		counts = !m->committed || m->stuck;
		spin_unlock_irq(&m->lock);
		return !counts ||
		       flushed(pool, &pool->members[m->src], pb->flushes);
	}
	/* ... and after such a failure it won't be. */
	spin_lock_irq(&m->lock);
	counts = m->committed || m->stuck;
	spin_unlock_irq(&m->lock);
	return !counts && flushed(pool, &pool->members[m->src], pb->flushes);
}

static void heal(struct ads_pool *pool, struct bio *bio)
{
	struct ads_bio *pb = ads_bio(bio);
	u32 seg = pb->first >> pool->segment_shift;
	u32 first = pb->first & ((1ULL << pool->segment_shift) - 1);
	int r = -EIO;

	if (write_flushed(pool, pb))
		r = ads_bad_heal(pool, pool->heals.txn, seg, first,
				 pb->last - pb->first + 1);
	if (r)
		bio->bi_status = errno_to_blk_status(r == -ENOSPC ? r : -EIO);

	/*
	 * The last range of the segment: back to the fast path, unless a
	 * migration is about to write its word.
	 */
	mutex_lock(&pool->lock);
	if (!xa_load(&pool->migs, seg)) {
		u64 word = READ_ONCE(pool->map[seg]);

		if (!ads_bad_any(&pool->bads, seg, pb->set ?
				 ADS_BAD_ALL_PLACES : word))
			WRITE_ONCE(pool->map[seg], word & ~ADS_WORD_BAD);
	}
	mutex_unlock(&pool->lock);
	bio_endio(bio);
}

static void heal_work(struct work_struct *work)
{
	struct ads_heals *heals = container_of(work, struct ads_heals, work);
	struct ads_pool *pool = container_of(heals, struct ads_pool, heals);
	struct bio_list list;
	struct bio *bio;

	spin_lock_irq(&heals->lock);
	list = heals->list;
	bio_list_init(&heals->list);
	spin_unlock_irq(&heals->lock);

	while ((bio = bio_list_pop(&list)))
		heal(pool, bio);
}

void ads_heal_queue(struct ads_pool *pool, struct bio *bio)
{
	struct ads_heals *heals = &pool->heals;
	unsigned long flags;

	spin_lock_irqsave(&heals->lock, flags);
	bio_list_add(&heals->list, bio);
	queue_work(pool->heal_wq, &heals->work);
	spin_unlock_irqrestore(&heals->lock, flags);
}

int ads_heals_init(struct ads_heals *heals)
{
	/* A write waits for it: not to be allocated then. */
	heals->txn = kzalloc(sizeof(*heals->txn), GFP_KERNEL);
	spin_lock_init(&heals->lock);
	bio_list_init(&heals->list);
	INIT_WORK(&heals->work, heal_work);
	return heals->txn ? 0 : -ENOMEM;
}
