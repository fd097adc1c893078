// SPDX-License-Identifier: GPL-2.0-only
/*
 * Users' flushes that a leg of a set has failed.
 *
 * A flush that fails may have cost a leg what it had acknowledged. Other legs have
 * it; so the user's flush ends well when a record calls those legs stale: of all
 * sets with an intent, as without one everything was flushed before. If no other
 * leg in sync is left, it is an error.
 *
 *	1. how many flushes each member has failed by now
 *	2. legs for which that is more than when they were last known to be whole
 *	   are out
 *	3. records: they are stale
 *	4. what was counted in 1 is settled: flushes that end well from now on need
 *	   not come here
 *	5. the flushes that have waited end
 *
 * A flush is told of what 2 finds on its member, whether it had come by then or
 * not: one that fails just now is counted, and found, before it is in the list.
 * So what counts is what was settled when it ended on its member, and not in
 * which round it is here. (There is no test of that: the window is a moment.)
 */
#include <linux/device-mapper.h>

#include "bio.h"
#include "pool.h"

/* Legs in sync that may have lost something, a bit each. set->lock held. */
static u8 lost_legs(const struct ads_set *set)
{
	unsigned int i;
	u8 lost = 0;

	/* Nothing was written to one that is lost as a whole. */
	for (i = 0; !set->lost && i < ADS_SET_LEGS; i++)
		if (set->leg[i].state == ADS_LEG_SYNC && ads_set_leg_lost(set, i))
			lost |= 1U << i;
	return lost;
}

bool ads_set_settle(struct ads_set *set)
{
	u8 lost = lost_legs(set);

	lockdep_assert_held(&set->lock);
	if (lost && lost != ads_set_mask(set, ADS_LEG_SYNC)) {
		ads_set_out(set, lost);
		ads_set_todo(set);
	}
	return lost;
}

/* Which legs have lost something is known now, and told to their set. */
static void settle_set(struct ads_set *set)
{
	unsigned int i;
	u8 lost;

	spin_lock_irq(&set->lock);
	ads_set_settle(set);
	/* What is left: all have. It can't get better, but the user must know. */
	lost = lost_legs(set);
	for (i = 0; i < ADS_SET_LEGS; i++) {
		struct ads_member *mb = ads_set_member(set, i);

		if (!(lost & 1U << i))
			continue;
		set->leg[i].flushes = READ_ONCE(mb->flushes_failed);
		mb->told = set->leg[i].flushes;
	}
	if (hweight8(lost) > 1)
		WRITE_ONCE(set->doubt, true);
	ads_set_account(set);
	spin_unlock_irq(&set->lock);
}

void ads_sets_settle(struct ads_pool *pool)
{
	struct ads_sets *sets = &pool->sets;
	struct bio_list list;
	struct ads_set *set;
	unsigned long seg;
	struct bio *bio;
	u32 i;
	int r;

	spin_lock_irq(&sets->lock);
	list = sets->flushes;
	bio_list_init(&sets->flushes);
	spin_unlock_irq(&sets->lock);
	if (bio_list_empty(&list))
		return;

	/* Before the sets: what fails while they are looked at counts anew. */
	for (i = 0; i < pool->nr_members; i++)
		pool->members[i].settling =
			READ_ONCE(pool->members[i].flushes_failed);
	/* Read before what it says of the legs. */
	smp_mb();
	xa_for_each(&sets->by_seg, seg, set)
		settle_set(set);
	r = ads_sets_record(pool);
	/*
	 * Only now. Another flush of the same disk, which ends well before the
	 * records are durable, would be acknowledged: after a power cut the leg
	 * without what it stands for would still be in sync, and be read.
	 */
	for (i = 0; !r && i < pool->nr_members; i++)
		WRITE_ONCE(pool->members[i].settled,
			   pool->members[i].settling);
	while ((bio = bio_list_pop(&list))) {
		struct ads_member *mb = &pool->members[ads_bio(bio)->member];

		if (r || (s32)(mb->told - ads_bio(bio)->flushes) > 0)
			bio->bi_status = bio->bi_status ?: BLK_STS_IOERR;
		if (!ads_flush_hold(mb, bio))
			bio_endio(bio);
	}
}

void ads_set_flush_wait(struct ads_pool *pool, struct bio *bio)
{
	unsigned long flags;

	/* DM sees it again when it is ended for the second time. */
	ads_bio(bio)->kind = ADS_BIO_FLUSHED;
	spin_lock_irqsave(&pool->sets.lock, flags);
	bio_list_add(&pool->sets.flushes, bio);
	queue_work(pool->set_wq, &pool->sets.work);
	spin_unlock_irqrestore(&pool->sets.lock, flags);
}
