// SPDX-License-Identifier: GPL-2.0-only
/*
 * What writes to sets wait for: records of intents, and of legs that are stale.
 *
 * A work of its own (on set_wq, one thread) takes all sets whose record should
 * say something else, and writes one record for as many of them as fit. Another
 * takes intents back, by and by: intent-clear.c.
 */
#include <linux/device-mapper.h>
#include <linux/jiffies.h>
#include <linux/slab.h>

#include "bio.h"
#include "event.h"
#include "intent.h"
#include "migrate.h"
#include "pool.h"

#define IDLE		(5 * HZ)	/* without a write, before it is cleared */
#define CLEAR_PERIOD	HZ

static struct ads_set_txn *txn_alloc(struct ads_pool *pool)
{
	struct ads_set_txn *t = kvzalloc(sizeof(*t), GFP_KERNEL);

	if (t)
		t->pool = pool;
	return t;
}

int ads_sets_alloc(struct ads_pool *pool)
{
	struct ads_sets *sets = &pool->sets;

	mutex_init(&sets->record_lock);
	mutex_init(&sets->clear_lock);
	INIT_WORK(&sets->work, ads_sets_work);
	INIT_WORK(&sets->bio_work, ads_sets_bio_work);
	INIT_DELAYED_WORK(&sets->clear_work, ads_sets_clear_work);
	/* Writes wait for these records: not to be allocated then. */
	sets->record = txn_alloc(pool);
	sets->clear = txn_alloc(pool);
	return sets->record && sets->clear ? 0 : -ENOMEM;
}

void ads_sets_free(struct ads_pool *pool)
{
	kvfree(pool->sets.record);
	kvfree(pool->sets.clear);
	xa_destroy(&pool->sets.by_seg);
}

void ads_set_todo(struct ads_set *set)
{
	struct ads_pool *pool = set->pool;
	unsigned long flags;

	lockdep_assert_held(&set->lock);
	spin_lock_irqsave(&pool->sets.lock, flags);
	if (list_empty(&set->todo))
		list_add_tail(&set->todo, &pool->sets.todo);
	queue_work(pool->set_wq, &pool->sets.work);
	spin_unlock_irqrestore(&pool->sets.lock, flags);
}

/*----------------------------------------------------------------*/

/* What the record is to say of @set. False: nothing new. set->lock held. */
static bool image_of(struct ads_set_txn *t, unsigned int nr,
		     struct ads_fmt_seg *s)
{
	struct ads_set *set = t->set[nr];
	unsigned int i;

	ads_set_image(set, s, -1, -1);
	if (t->clear) {
		if (set->intent != ADS_INTENT_CLEARING)
			return false;
		/* One that has come since has not been flushed. */
		if (ads_set_mask(set, ADS_LEG_SYNC) & ~t->flushed[nr])
			return false;
		for (i = 0; i < ADS_SET_LEGS; i++)
			if (set->leg[i].state == ADS_LEG_SYNC &&
			    ads_set_leg_lost(set, i))
				return false;
		s->intent = false;
	}
	return memcmp(s, &set->disk, sizeof(*s));
}

static int txn_begin(struct ads_txn *txn)
{
	struct ads_set_txn *t = container_of(txn, struct ads_set_txn, txn);
	unsigned int i;

	for (i = 0; i < t->nr; i++) {
		struct ads_seg_change *chg = &t->change[txn->nr_segs];
		struct ads_fmt_seg *s = &t->image[txn->nr_segs];
		struct ads_set *set = t->set[i];

		spin_lock_irq(&set->lock);
		if (image_of(t, i, s)) {
			chg->seg = set->seg;
			ads_fmt_seg_encode(s, &chg->redo);
			ads_fmt_seg_encode(&set->disk, &chg->undo);
			t->which[txn->nr_segs++] = i;
		}
		spin_unlock_irq(&set->lock);
	}
	return txn->nr_segs ? 0 : -EALREADY;
}

/* Which legs @s calls stale, and the last record didn't. */
static void note_stale(struct ads_set_txn *t, const struct ads_set *set,
		       const struct ads_fmt_seg *s)
{
	unsigned int i, k;

	for (i = 0; i < s->nr_legs; i++)
		for (k = 0; k < set->disk.nr_legs; k++)
			if (set->disk.leg[k].member == s->leg[i].member &&
			    set->disk.leg[k].state == ADSHARD_LEG_SYNC &&
			    s->leg[i].state == ADSHARD_LEG_STALE)
				t->stale[t->nr_stale++] = (struct stale_leg){
					set->seg, s->leg[i].member };
}

static int txn_apply(struct ads_txn *txn)
{
	struct ads_set_txn *t = container_of(txn, struct ads_set_txn, txn);
	unsigned int i;

	mutex_lock(&t->pool->lock);
	for (i = 0; i < txn->nr_segs; i++) {
		struct ads_set *set = t->set[t->which[i]];

		spin_lock_irq(&set->lock);
		note_stale(t, set, &t->image[i]);
		ads_set_apply(set, &t->image[i]);
		spin_unlock_irq(&set->lock);
	}
	if (t->nr_stale)
		t->pool->generation++;
	mutex_unlock(&t->pool->lock);
	return 0;
}

int ads_set_txn_commit(struct ads_set_txn *t)
{
	unsigned int i;
	int r;

	ads_txn_init(&t->txn);
	t->txn.segs = t->change;
	t->txn.begin = txn_begin;
	t->txn.apply = txn_apply;
	t->nr_stale = 0;
	r = ads_meta_commit(t->pool, &t->txn);
	for (i = 0; i < t->nr_stale; i++) {
		DMWARN("segment %u: its leg on member %u is stale",
		       t->stale[i].seg, t->stale[i].member);
		if (READ_ONCE(t->pool->loaded))
			ads_event_leg(t->pool, ADSHARD_EVENT_LEG_STALE,
				      t->stale[i].seg, t->stale[i].member);
	}
	return r == -EALREADY ? 0 : r;
}

/* Up to so many sets from the list. */
static void take_todo(struct ads_set_txn *t)
{
	struct ads_sets *sets = &t->pool->sets;

	t->nr = 0;
	spin_lock_irq(&sets->lock);
	while (t->nr < ADS_TXN_SEGS && !list_empty(&sets->todo)) {
		struct ads_set *set = list_first_entry(&sets->todo,
						       struct ads_set, todo);

		list_del_init(&set->todo);
		t->set[t->nr++] = set;
	}
	spin_unlock_irq(&sets->lock);
}

int ads_sets_record(struct ads_pool *pool)
{
	struct ads_set_txn *t = pool->sets.record;
	unsigned int i;
	int r, ret = 0;

	for (;;) {
		take_todo(t);
		if (!t->nr)
			return ret;
		r = ads_set_txn_commit(t);
		if (r)
			ret = r;
		for (i = 0; i < t->nr; i++)
			ads_set_recorded(t->set[i], r);
	}
}

/*----------------------------------------------------------------*/

void ads_sets_work(struct work_struct *work)
{
	struct ads_sets *sets = container_of(work, struct ads_sets, work);
	struct ads_pool *pool = container_of(sets, struct ads_pool, sets);

	mutex_lock(&sets->record_lock);
	ads_sets_settle(pool);
	ads_sets_record(pool);
	mutex_unlock(&sets->record_lock);
	ads_intents_clear_later(pool);
}

void ads_sets_forget(struct ads_set *set)
{
	struct ads_sets *sets = &set->pool->sets;

	/* Who has it from a list, or from the array, lets go of it first. */
	mutex_lock(&sets->record_lock);
	mutex_lock(&sets->clear_lock);
	ads_set_list_intent(set, false);
	spin_lock_irq(&sets->lock);
	list_del_init(&set->todo);
	spin_unlock_irq(&sets->lock);
	mutex_unlock(&sets->clear_lock);
	mutex_unlock(&sets->record_lock);
}

/*----------------------------------------------------------------*/

void ads_sets_resume(struct ads_pool *pool)
{
	queue_work(pool->set_wq, &pool->sets.work);
}

/* Does the record name a leg on a member that has failed? set->lock held. */
static bool names_failed(const struct ads_set *set)
{
	const struct ads_member *members = set->pool->members;
	unsigned int i;

	for (i = 0; i < set->disk.nr_legs; i++)
		if (members[set->disk.leg[i].member].state ==
		    ADSHARD_MEMBER_FAILED)
			return !set->lost;
	return false;
}

int ads_sets_start(struct ads_pool *pool)
{
	struct ads_set *set;
	unsigned long seg;

	/*
	 * In doubt, and what was read the last time is missing: another one is
	 * read from now on, and then the other must not come back.
	 */
	xa_for_each(&pool->sets.by_seg, seg, set) {
		spin_lock_irq(&set->lock);
		if (names_failed(set) ||
		    (set->doubt && set->disk.leg[0].member !=
				   set->leg[set->primary].member))
			list_add_tail(&set->todo, &pool->sets.todo);
		spin_unlock_irq(&set->lock);
	}
	return ads_sets_record(pool);
}

/*----------------------------------------------------------------*/

void ads_set_defer_list(struct ads_pool *pool, struct bio_list *list)
{
	unsigned long flags;

	spin_lock_irqsave(&pool->sets.lock, flags);
	bio_list_merge(&pool->sets.bios, list);
	bio_list_init(list);
	queue_work(pool->bio_wq, &pool->sets.bio_work);
	spin_unlock_irqrestore(&pool->sets.lock, flags);
}

void ads_set_defer(struct ads_pool *pool, struct bio *bio)
{
	struct bio_list list;

	bio_list_init(&list);
	bio_list_add(&list, bio);
	ads_set_defer_list(pool, &list);
}

void ads_sets_bio_work(struct work_struct *work)
{
	struct ads_sets *sets = container_of(work, struct ads_sets, bio_work);
	struct bio_list list;
	struct bio *bio;

	spin_lock_irq(&sets->lock);
	list = sets->bios;
	bio_list_init(&sets->bios);
	spin_unlock_irq(&sets->lock);

	while ((bio = bio_list_pop(&list)))
		if (op_is_write(bio_op(bio)))
			ads_set_write(bio, GFP_NOIO);
		else
			ads_set_read_again(bio);
}
