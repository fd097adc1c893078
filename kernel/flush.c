// SPDX-License-Identifier: GPL-2.0-only
/*
 * User's flushes, and the commits that they must not overtake.
 *
 * From the moment its record is sent until the outcome is known, either leg of a
 * migration may turn out to be the one that counts after a crash. A record is
 * sent with a flush of its own. If the destination fails that flush, its cache
 * may be gone, and with it writes that it had acknowledged; the next flush
 * succeeds, and proves nothing. The commit notices and is taken back, but:
 *
 *	the record is durable on another metadata member
 *	a user's flush succeeds on the destination, and is acknowledged
 *	power cut, before the superseding record
 *	activation finds the record: the owner is the leg without the writes
 *
 * So a flush that ends on a destination while a commit is under way waits for
 * the outcome of all commits that were under way there when it ended. "Under way"
 * begins when the commit's turn has come, and it has looked once more whether a
 * flush has failed; so it waits for a record, or two. Nothing that a commit does
 * waits for a user's flush. One that failed waits as well: if the destination
 * holds nothing else, and the commit is taken back, no data is lost with it.
 */
#include <linux/bio.h>

#include "bio.h"
#include "migrate.h"
#include "pool.h"

bool ads_flush_failed(struct ads_pool *pool, struct ads_member *mb)
{
	unsigned long flags;
	bool owned;

	ads_member_error(pool, mb, ADS_ERR_FLUSH);
	spin_lock_irqsave(&mb->flush_lock, flags);
	mb->flushes_failed++;
	owned = mb->nr_owned;
	spin_unlock_irqrestore(&mb->flush_lock, flags);
	return owned;
}

void ads_flush_lost(struct ads_member *mb, bool tell)
{
	unsigned long flags;

	spin_lock_irqsave(&mb->flush_lock, flags);
	mb->flushes_failed++;
	if (tell && mb->nr_owned)
		mb->flush_lost = true;
	spin_unlock_irqrestore(&mb->flush_lock, flags);
}

bool ads_flush_hold(struct ads_member *mb, struct bio *bio)
{
	struct ads_bio *pb = ads_bio(bio);
	unsigned long flags;
	bool hold;

	spin_lock_irqsave(&mb->flush_lock, flags);
	/*
	 * One of our own flushes failed, so that this one proves nothing: told
	 * once, as a disk tells it.
	 */
	if (unlikely(mb->flush_lost)) {
		mb->flush_lost = false;
		bio->bi_status = BLK_STS_IOERR;
	}
	hold = !list_empty(&mb->windows);
	if (hold) {
		/* DM sees it again when it is ended for the second time. */
		pb->kind = ADS_BIO_FLUSHED;
		pb->window = mb->nr_windows;
		bio_list_add(&mb->held, bio);
	}
	spin_unlock_irqrestore(&mb->flush_lock, flags);
	return hold;
}

void ads_window_open(struct ads_mig *m, struct ads_member *dst)
{
	lockdep_assert_held(&dst->flush_lock);
	m->window_nr = ++dst->nr_windows;
	list_add_tail(&m->window_node, &dst->windows);
}

void ads_window_close(struct ads_mig *m, struct ads_member *dst)
{
	struct bio_list done, wait;
	struct ads_mig *oldest;
	struct bio *bio;
	bool lost;

	bio_list_init(&done);
	bio_list_init(&wait);

	spin_lock_irq(&dst->flush_lock);
	/*
	 * Stuck, and a cache was lost meanwhile: a crash may make it the owner,
	 * so it's an error after all, of those that waited or of the next one.
	 */
	lost = m->stuck && dst->flushes_failed != m->dst_flushes;
	if (m->stuck)
		dst->nr_owned++;
	if (lost)
		dst->flush_lost = bio_list_empty(&dst->held);
	list_del(&m->window_node);
	oldest = list_first_entry_or_null(&dst->windows, struct ads_mig,
					  window_node);
	while ((bio = bio_list_pop(&dst->held))) {
		if (lost)
			bio->bi_status = BLK_STS_IOERR;
		if (oldest && oldest->window_nr <= ads_bio(bio)->window)
			bio_list_add(&wait, bio);
		else
			bio_list_add(&done, bio);
	}
	dst->held = wait;
	spin_unlock_irq(&dst->flush_lock);

	while ((bio = bio_list_pop(&done)))
		bio_endio(bio);
}
