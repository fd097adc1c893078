// SPDX-License-Identifier: GPL-2.0-only
/*
 * Limits of copying, by member and direction.
 *
 * A limit is a point in time up to which the bytes charged so far are paid
 * for. A job that is charged gets the time to wait, and waits as a delayed
 * work, before it holds a chunk: a shared worker never sleeps, and no write of
 * the user ever waits for a limit.
 */
#include <linux/ktime.h>
#include <linux/math64.h>

#include "migrate.h"
#include "pool.h"

static u64 charge(struct ads_limit *lim, u64 now, u32 bytes)
{
	u64 start;

	if (!lim->bps)
		return 0;
	start = max(now, lim->next_ns);
	lim->next_ns = start + div64_u64((u64)bytes * NSEC_PER_SEC, lim->bps);
	return start - now;
}

u64 ads_throttle(struct ads_pool *pool, u16 src, u16 dst, u32 bytes)
{
	u64 now = ktime_get_ns(), wait;

	spin_lock(&pool->throttle_lock);
	wait = max(charge(&pool->members[src].limit[0], now, bytes),
		   charge(&pool->members[dst].limit[1], now, bytes));
	spin_unlock(&pool->throttle_lock);
	return wait;
}
