// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lanes: counting the bios in flight without a locked instruction.
 *
 * A segment belongs to a lane (its number modulo 64). A lane has an epoch, 0
 * or 1, and two counters per CPU, one for each epoch.
 *
 *	bio (ads_map)				drainer (ads_lane_drain)
 *	-------------				------------------------
 *	rcu_read_lock_sched()			(0) map[seg] = new
 *	(a) e = load_acquire(epoch)		(1) store_release(epoch, !old)
 *	(b) this_cpu_inc(n[e])			(2) synchronize_rcu()
 *	(c) w = READ_ONCE(map[seg])		(3) poll: sum of n[old] == 0
 *	rcu_read_unlock_sched()			(4) smp_rmb()
 *	... I/O ...
 *	smp_wmb()
 *	this_cpu_dec(n[e])
 *
 * Claim: when the drain returns, every bio that used the old word has ended,
 * and what its completion wrote is visible to the drainer.
 *
 *  - A bio that saw the new epoch in (a) sees the new word in (c): (0) comes
 *    before the release of (1), and (c) after the acquire of (a) that read it.
 *    So every bio that used the old word is counted in n[old].
 *  - (2) waits for every read section that began before it; one that begins
 *    later sees (1). So after (2) no bio is between its (a) with the old epoch
 *    and its (b): n[old] is complete, and only falls from here.
 *  - A slot may wrap below zero (a bio ends on another CPU than it began on);
 *    the sum modulo 2^64 is right. The sum in (3) is not a snapshot, but as
 *    n[old] as a whole only falls, and every decrement that is read belongs to
 *    an increment that is read too (all increments came before (2)), the sum is
 *    never below the number of bios in flight at the end of the scan: 0 is 0.
 *  - smp_wmb() and smp_rmb() pair: a decrement that was read makes visible
 *    what the completion wrote before it.
 *  - One flip is enough, unlike in SRCU, whose readers may be delayed between
 *    reading the index and the increment for longer than a grace period: (2)
 *    excludes that. The next drain of the lane begins with n[old] at 0, and
 *    flips back; the mutex keeps it from starting earlier.
 *
 * Polling, not waking: a wake-up test on every completion would cost a full
 * barrier there, for something that is needed once per step of a migration.
 *
 * A bio that ends without ->end_io (DM_MAPIO_KILL, DM_MAPIO_REQUEUE) must
 * never have been counted. A write that is held back stays counted: holds are
 * short and wait for nobody who drains.
 */
#include <linux/delay.h>
#include <linux/rcupdate.h>

#include "map.h"

int ads_lanes_init(struct ads_lanes *lanes)
{
	int i;

	lanes->inflight = alloc_percpu(struct ads_inflight);
	if (!lanes->inflight)
		return -ENOMEM;
	for (i = 0; i < ADS_LANES; i++) {
		lanes->slot[i] = i * 2;
		mutex_init(&lanes->drain[i]);
	}
	return 0;
}

void ads_lanes_exit(struct ads_lanes *lanes)
{
	int i;

	if (!lanes->inflight)
		return;
	for (i = 0; i < ADS_LANES; i++)
		mutex_destroy(&lanes->drain[i]);
	free_percpu(lanes->inflight);
	lanes->inflight = NULL;
}

static unsigned long inflight_sum(struct ads_lanes *lanes, u32 slot)
{
	unsigned long sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu_ptr(lanes->inflight, cpu)->n[slot]);
	return sum;
}

void ads_lane_drain(struct ads_lanes *lanes, u32 seg)
{
	unsigned int lane = ads_lane(seg);
	u32 old;

	might_sleep();
	mutex_lock(&lanes->drain[lane]);
	old = lanes->slot[lane];
	/* Pairs with smp_load_acquire() in ads_map(). */
	smp_store_release(&lanes->slot[lane], old ^ 1);
	synchronize_rcu_expedited();
	while (inflight_sum(lanes, old))
		usleep_range(200, 1000);
	/* Pairs with smp_wmb() in ads_end_io(). */
	smp_rmb();
	mutex_unlock(&lanes->drain[lane]);
}
