// SPDX-License-Identifier: GPL-2.0-only
/*
 * Intents are taken back, by and by, on ctl_wq. For some of the sets that have one
 * at a time, and for each of them once in a round:
 *
 *	1. find those that nobody writes to, and has not for a while
 *	2. flush the members of their legs
 *	3. if still nobody has written, and no flush has failed there since the
 *	   intent was set: CLEARING, and a record
 *	4. writes that came meanwhile go on, and ask for the intent again
 *
 * Without 2, or if a flush has failed, a power cut after 3 could leave the legs
 * different with nothing that says so. A leg that such a flush, or one before, may
 * have cost something goes out and is recorded as stale, as after a user's
 * (settle.c): nothing would tell of it before somebody flushes. If it is the last
 * one, the intent stays, and the user's next flush tells him.
 */
#include <linux/blkdev.h>
#include <linux/device-mapper.h>
#include <linux/jiffies.h>

#include "intent.h"
#include "pool.h"

#define IDLE		(3 * HZ)	/* without a write, before it is cleared */
#define CLEAR_PERIOD	HZ

void ads_intents_clear_later(struct ads_pool *pool)
{
	if (READ_ONCE(pool->sets.nr_intents))
		queue_delayed_work(pool->ctl_wq, &pool->sets.clear_work,
				   CLEAR_PERIOD);
}

/* Nobody writes, and what was written waits for nothing. set->lock held. */
static bool is_idle(const struct ads_set *set, bool now)
{
	return set->intent == ADS_INTENT_SET && !set->doubt &&
	       list_empty(&set->writes) && bio_list_empty(&set->held) &&
	       bio_list_empty(&set->stalled) &&
	       !ads_set_mask(set, ADS_LEG_OUT) &&
	       (now || time_after(jiffies, set->last_write + IDLE));
}

/*
 * The next ones of the list, up to @max, which go to its end. They are there as
 * long as we hold clear_lock: see ads_sets_forget().
 */
static unsigned int take_some(struct ads_set_txn *t, unsigned int max)
{
	struct ads_sets *sets = &t->pool->sets;

	t->nr = 0;
	spin_lock_irq(&sets->lock);
	while (t->nr < min_t(unsigned int, max, ADS_TXN_SEGS) &&
	       !list_empty(&sets->intents)) {
		struct ads_set *set = list_first_entry(&sets->intents,
						       struct ads_set,
						       in_intents);

		list_move_tail(&set->in_intents, &sets->intents);
		t->set[t->nr++] = set;
	}
	spin_unlock_irq(&sets->lock);
	return t->nr;
}

/* Step 1; @now: whenever they were written. */
static void keep_idle(struct ads_set_txn *t, bool now)
{
	unsigned int i, k, n = 0;

	bitmap_zero(t->members, ADSHARD_MAX_MEMBERS);
	for (i = 0; i < t->nr; i++) {
		struct ads_set *set = t->set[i];

		spin_lock_irq(&set->lock);
		if (!ads_set_settle(set) && is_idle(set, now)) {
			t->started[n] = set->started;
			t->flushed[n] = ads_set_mask(set, ADS_LEG_SYNC);
			t->set[n++] = set;
			for (k = 0; k < ADS_SET_LEGS; k++)
				if (set->leg[k].state == ADS_LEG_SYNC)
					__set_bit(set->leg[k].member,
						  t->members);
		}
		spin_unlock_irq(&set->lock);
	}
	t->nr = n;
}

/* Step 2 */
static void flush_members(struct ads_set_txn *t)
{
	unsigned int i;

	for_each_set_bit(i, t->members, ADSHARD_MAX_MEMBERS) {
		struct ads_member *mb = &t->pool->members[i];

		if (!blkdev_issue_flush(mb->bdev))
			continue;
		ads_member_error(t->pool, mb, ADS_ERR_FLUSH);
		ads_flush_lost(mb, true);
	}
}

/* Step 3 */
static void begin_clearing(struct ads_set_txn *t, bool now)
{
	unsigned int i, n = 0;

	for (i = 0; i < t->nr; i++) {
		struct ads_set *set = t->set[i];

		spin_lock_irq(&set->lock);
		if (!ads_set_settle(set) && is_idle(set, now) &&
		    set->started == t->started[i]) {
			WRITE_ONCE(set->intent, ADS_INTENT_CLEARING);
			t->flushed[n] = t->flushed[i];
			t->set[n++] = set;
		}
		spin_unlock_irq(&set->lock);
	}
	t->nr = n;
}

/* Step 4 */
static void end_clearing(struct ads_set_txn *t)
{
	unsigned int i;

	for (i = 0; i < t->nr; i++) {
		struct ads_set *set = t->set[i];

		spin_lock_irq(&set->lock);
		if (set->intent == ADS_INTENT_CLEARING)
			WRITE_ONCE(set->intent, ADS_INTENT_SET);
		spin_unlock_irq(&set->lock);
		ads_set_recorded(set, false);
	}
}

/* Those in doubt, as far as nothing else goes on there. */
static void resync_some(struct ads_set_txn *t)
{
	unsigned int i;

	for (i = 0; i < t->nr; i++)
		if (READ_ONCE(t->set[i]->doubt) &&
		    !xa_load(&t->pool->migs, t->set[i]->seg))
			ads_set_resync_doubt(t->set[i]);
}

/* A round. @now: the volume is suspended, and what can go goes. */
static void clear_all(struct ads_pool *pool, bool now)
{
	struct ads_set_txn *t = pool->sets.clear;
	u32 left = READ_ONCE(pool->sets.nr_intents);

	t->clear = true;
	for (; left && take_some(t, left); cond_resched()) {
		left -= t->nr;
		if (!now)
			resync_some(t);
		keep_idle(t, now);
		if (!t->nr)
			continue;
		flush_members(t);
		begin_clearing(t, now);
		if (!t->nr)
			continue;
		ads_set_txn_commit(t);
		end_clearing(t);
	}
}

void ads_sets_clear_work(struct work_struct *work)
{
	struct ads_sets *sets = container_of(to_delayed_work(work),
					     struct ads_sets, clear_work);
	struct ads_pool *pool = container_of(sets, struct ads_pool, sets);

	if (ads_pool_enter(pool))
		return;			/* ads_sets_resume() sees to it */
	mutex_lock(&sets->clear_lock);
	clear_all(pool, false);
	mutex_unlock(&sets->clear_lock);
	ads_pool_leave(pool);
	ads_intents_clear_later(pool);
}

void ads_sets_suspend(struct ads_pool *pool)
{
	struct ads_sets *sets = &pool->sets;

	cancel_delayed_work_sync(&sets->clear_work);
	flush_work(&sets->work);
	/* Which that work has queued. */
	cancel_delayed_work_sync(&sets->clear_work);
	if (!pool->loaded)
		return;
	mutex_lock(&sets->clear_lock);
	clear_all(pool, true);
	mutex_unlock(&sets->clear_lock);
	/* Legs that have gone out with it are recorded now, or at the resume. */
	flush_work(&sets->work);
	cancel_delayed_work_sync(&sets->clear_work);
}
