// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sets of a pool that is being loaded: what a table and records say, and which of
 * the legs are here. See set.h.
 *
 * A leg of a member that is missing, with another one in sync that is here, is
 * out: it misses what is written now, so the first record of its set calls it
 * stale. If nothing is written before its member is back, nothing has happened.
 * One of a member that has failed is none, and the record is to say so.
 */
#include <linux/device-mapper.h>
#include <linux/slab.h>

#include "meta-core.h"
#include "pool.h"

void ads_sets_clear(struct ads_pool *pool)
{
	struct ads_sets *sets = &pool->sets;
	struct ads_set *set;
	unsigned long seg;

	xa_for_each(&sets->by_seg, seg, set) {
		xa_erase(&sets->by_seg, seg);
		kfree(set);
	}
	INIT_LIST_HEAD(&sets->todo);
	INIT_LIST_HEAD(&sets->intents);
	sets->nr_intents = 0;
	sets->nr = 0;
	atomic_set(&sets->stale, 0);
	atomic_set(&sets->missing, 0);
	atomic_set(&sets->doubt, 0);
}

static void take(struct ads_set *set, const struct ads_fmt_seg *s)
{
	unsigned int i;

	memset(set->leg, 0, sizeof(set->leg));
	for (i = 0; i < s->nr_legs; i++) {
		set->leg[i].member = s->leg[i].member;
		set->leg[i].chunk = s->leg[i].chunk;
		set->leg[i].state = s->leg[i].state == ADSHARD_LEG_SYNC ?
				    ADS_LEG_SYNC : ADS_LEG_STALE;
	}
	set->primary = 0;
	set->wanted = s->wanted;
	set->disk = *s;
}

void ads_set_forget(struct ads_pool *pool, u32 seg)
{
	struct ads_set *set = xa_erase(&pool->sets.by_seg, seg);

	if (!set)
		return;
	pool->sets.nr--;
	kfree(set);
}

int ads_set_put(struct ads_pool *pool, u32 seg, const struct ads_fmt_seg *s)
{
	struct ads_set *set = ads_set_of(pool, seg);
	u64 word = ads_word(s->leg[0].member, s->leg[0].chunk);
	int err;

	if (s->nr_legs == 1 && s->wanted == 1) {
		ads_set_forget(pool, seg);
		pool->map[seg] = word;
		return 0;
	}
	if (!set) {
		set = kzalloc(sizeof(*set), GFP_KERNEL);
		if (!set)
			return -ENOMEM;
		ads_set_init(set, pool, seg);
		err = xa_err(xa_store(&pool->sets.by_seg, seg, set,
				      GFP_KERNEL));
		if (err) {
			kfree(set);
			return err;
		}
		pool->sets.nr++;
	}
	take(set, s);
	pool->map[seg] = word | ADS_WORD_SET;
	return 0;
}

/* Which of its legs are here? set->lock held. */
static void find_legs(struct ads_set *set)
{
	unsigned int i;

	for (i = 0; i < ADS_SET_LEGS; i++) {
		struct ads_set_leg *leg = &set->leg[i];
		struct ads_member *mb;

		if (leg->state == ADS_LEG_FREE)
			continue;
		mb = ads_set_member(set, i);
		leg->flushes = mb->flushes_failed;
		leg->slot = mb->bdev && mb->state != ADSHARD_MEMBER_FAILED;
		/* Of those that were counted by their slots. */
		if (leg->slot)
			mb->nr_owned--;
		else if (set->lost)
			continue;
		else if (mb->state == ADSHARD_MEMBER_FAILED)
			leg->state = ADS_LEG_FREE;
		else if (leg->state == ADS_LEG_SYNC)
			leg->state = ADS_LEG_OUT;
	}
}

void ads_sets_attach(struct ads_pool *pool)
{
	struct ads_set *set;
	unsigned long seg, flags;
	u8 sync;

	xa_for_each(&pool->sets.by_seg, seg, set) {
		spin_lock_irqsave(&set->lock, flags);
		find_legs(set);
		sync = ads_set_mask(set, ADS_LEG_SYNC);
		if (!set->lost && !(sync & 1U << set->primary))
			set->primary = __ffs(sync);
		/* Of one alone there is no other that could differ. */
		if (!set->lost && set->disk.intent) {
			set->intent = ADS_INTENT_SET;
			set->doubt = true;
			ads_set_list_intent(set, true);
		}
		ads_set_account(set);
		spin_unlock_irqrestore(&set->lock, flags);
	}
}

void ads_sets_placed(struct ads_pool *pool, u32 seg)
{
	struct ads_set *set = ads_set_of(pool, seg);
	unsigned int i;

	if (!set)
		return;
	spin_lock_irq(&set->lock);
	for (i = 0; i < set->disk.nr_legs; i++)
		set->leg[i].slot = true;
	ads_set_account(set);
	spin_unlock_irq(&set->lock);
}

int ads_sets_welcome(struct ads_pool *pool, u16 member)
{
	struct ads_member *mb = &pool->members[member];
	u32 slot_chunks = ads_pool_slot_chunks(pool);
	struct ads_sets *sets = &pool->sets;
	struct ads_set *set;
	unsigned long seg;
	unsigned int i;
	bool need;
	int err;

	lockdep_assert_held(&pool->lock);
	xa_for_each(&sets->by_seg, seg, set) {
		need = false;
		for (i = 0; i < ADS_SET_LEGS; i++) {
			struct ads_set_leg *leg = &set->leg[i];

			if (leg->state == ADS_LEG_FREE || leg->slot ||
			    leg->member != member)
				continue;
			err = ads_slot_take(mb, leg->chunk / slot_chunks);
			if (err) {
				DMERR("corrupt map: segment %lu: a slot of member %u is taken",
				      seg, member);
				return -EUCLEAN;
			}
			leg->slot = true;
			need |= leg->state == ADS_LEG_OUT;
		}
		/* To be recorded, and then filled, by the work: at the resume. */
		spin_lock_irq(&sets->lock);
		if (need && list_empty(&set->todo))
			list_add_tail(&set->todo, &sets->todo);
		spin_unlock_irq(&sets->lock);
	}
	return 0;
}
