// SPDX-License-Identifier: GPL-2.0-only
/*
 * Members: slots and errors; for flushes see flush.c.
 */
#include <linux/bitmap.h>
#include <linux/jiffies.h>
#include <linux/mm.h>

#include "pool.h"

#define ADS_MEMBER_ACTIVE	2	/* migrations, in each direction */

void ads_member_name(const struct ads_member *mb, char *buf, size_t len)
{
	if (mb->bdev)
		snprintf(buf, len, "%pg", mb->bdev);
	else
		snprintf(buf, len, "(missing)");
}

void ads_member_init(struct ads_member *mb, u16 index)
{
	mb->index = index;
	spin_lock_init(&mb->flush_lock);
	INIT_LIST_HEAD(&mb->windows);
	bio_list_init(&mb->held);
}

void ads_member_limits(struct ads_member *mb)
{
	mb->limit[0].active_max = ADS_MEMBER_ACTIVE;
	mb->limit[1].active_max = ADS_MEMBER_ACTIVE;
}

int ads_slots_init(struct ads_member *mb, u32 nr_slots)
{
	mb->slots = kvcalloc(BITS_TO_LONGS((unsigned long)nr_slots),
			     sizeof(long), GFP_KERNEL);
	if (!mb->slots)
		return -ENOMEM;
	mb->nr_slots = nr_slots;
	mb->nr_legs = 0;
	mb->slot_hint = 0;
	return 0;
}

void ads_slots_exit(struct ads_member *mb)
{
	kvfree(mb->slots);
	mb->slots = NULL;
	mb->nr_slots = 0;
	mb->nr_legs = 0;
}

int ads_slot_take(struct ads_member *mb, u32 slot)
{
	if (slot >= mb->nr_slots)
		return -ERANGE;
	if (__test_and_set_bit(slot, mb->slots))
		return -EEXIST;
	/* Read without a lock by flushes: see map_flush(). */
	WRITE_ONCE(mb->nr_legs, mb->nr_legs + 1);
	return 0;
}

int ads_slot_alloc(struct ads_member *mb, u32 *slot)
{
	unsigned long found;

	found = find_next_zero_bit(mb->slots, mb->nr_slots, mb->slot_hint);
	if (found >= mb->nr_slots)
		found = find_first_zero_bit(mb->slots, mb->nr_slots);
	if (found >= mb->nr_slots)
		return -ENOSPC;
	*slot = found;
	mb->slot_hint = found + 1;
	return ads_slot_take(mb, found);
}

void ads_slot_free(struct ads_member *mb, u32 slot)
{
	if (WARN_ON_ONCE(slot >= mb->nr_slots ||
			 !__test_and_clear_bit(slot, mb->slots)))
		return;
	WRITE_ONCE(mb->nr_legs, mb->nr_legs - 1);
	if (slot < mb->slot_hint)
		mb->slot_hint = slot;
}

void ads_member_error(struct ads_pool *pool, struct ads_member *mb,
		      enum ads_error_kind kind)
{
	atomic_long_inc(&mb->errors[kind]);
	if (!test_and_set_bit(kind, &mb->error_pending))
		schedule_work(&pool->error_work);
}
