// SPDX-License-Identifier: GPL-2.0-only
/*
 * How fast copying goes, by member and direction.
 *
 * A limit is a point in time up to which the bytes charged so far are paid
 * for. A job that is charged gets the time to wait, and waits as a delayed
 * work, before it holds a chunk: a shared worker never sleeps, and no write of
 * the user ever waits for a limit. (A chunk that is held has been paid for, and
 * goes ahead of all that has not; a DIRTY one is waited for by nobody.)
 *
 * The rate of a direction is
 *
 *	ceiling		bytes a second that the operator has set; 0: none
 *	pace		if the member has a bound for the latency of the users'
 *			I/O: what that leaves, see below; if it is less
 *	floor		but never less than this, whatever the load
 *
 * The pace is found by additive increase and multiplicative decrease: every
 * PACE_NS the users' bios that were sampled on the member since (map.c) are looked
 * at. If they took longer than the bound on the average, the pace is halved, else
 * it grows by a step. It is one pace for both directions, as it is one disk.
 *
 * Nothing here runs by itself: the pace is brought up to date by whoever asks for
 * it. Who halves at each sample would halve many times for one burst of copying,
 * so time counts, not samples.
 *
 * The bound is absolute, and no multiple of what the disk does when it is idle: an
 * evacuation may begin on a pool that has not been idle for weeks, and a failing
 * disk that has become slow by itself would raise its own bar. What an application
 * can bear, its owner knows. A bound that the users' load breaks by itself means
 * that copying goes at the floor.
 *
 * What is sampled are reads and writes that no job can have held: a write that had
 * to wait for a chunk says nothing about the disk.
 */
#include <linux/ktime.h>
#include <linux/math64.h>

#include "migrate.h"
#include "pool.h"

#define PACES		4		/* a second */
#define PACE_NS		(NSEC_PER_SEC / PACES)
/* One bio in 16 is sampled: a silence that is shorter means nothing. */
#define QUIET_NS	(5 * NSEC_PER_SEC)
/* A move has to end some day, floor or none. */
#define PACE_MIN	BIT_ULL(20)
#define PACE_MAX	BIT_ULL(40)
/* Without a ceiling: a sixteenth of this a step. */
#define PACE_SPAN	BIT_ULL(28)

/* The most that the pace is of use for. */
static u64 pace_top(const struct ads_member *mb)
{
	u64 src = mb->limit[0].bps, dst = mb->limit[1].bps;

	return src && dst ? min(max(src, dst), PACE_MAX) : PACE_MAX;
}

static u64 pace_clamp(const struct ads_member *mb, u64 pace)
{
	u64 top = pace_top(mb);

	return min(max3(pace, mb->pace.floor, PACE_MIN), top);
}

static void pace_step(struct ads_member *mb)
{
	struct ads_pace *p = &mb->pace;
	u64 top = pace_top(mb);
	u64 span = top == PACE_MAX ? PACE_SPAN : top;

	/* What nobody makes use of would grow for ever, and take as long to fall. */
	if (top == PACE_MAX && p->charged < p->bps / (2 * PACES))
		return;
	p->bps = pace_clamp(mb, p->bps + span / 16);
}

/* throttle_lock held. */
static void pace_update(struct ads_member *mb, u64 now)
{
	struct ads_pace *p = &mb->pace;
	u64 sum;
	u32 nr;

	if (!p->latency_ns || now - p->checked_ns < PACE_NS)
		return;
	p->checked_ns = now;
	/* A sample may be counted in one and added in the next: no harm. */
	nr = atomic_xchg(&p->samples, 0);
	sum = atomic64_xchg(&p->sum_ns, 0);
	if (nr) {
		p->now_ns = div_u64(sum, nr);
		p->sampled_ns = now;
	}
	if (nr && p->now_ns > p->latency_ns)
		p->bps = pace_clamp(mb, p->bps / 2);
	else if (nr || now - p->sampled_ns > QUIET_NS)
		pace_step(mb);
	if (now - p->sampled_ns > QUIET_NS)
		p->now_ns = 0;
	p->charged = 0;
}

/* throttle_lock held. */
static u64 rate(const struct ads_member *mb, int dir, u32 *by)
{
	u64 bps = mb->limit[dir].bps;

	*by = bps ? ADSHARD_RATE_CEILING : ADSHARD_RATE_NONE;
	if (mb->pace.latency_ns && (!bps || mb->pace.bps < bps)) {
		bps = mb->pace.bps;
		*by = ADSHARD_RATE_LATENCY;
		if (bps <= mb->pace.floor) {
			bps = mb->pace.floor;
			*by = ADSHARD_RATE_FLOOR;
		}
	}
	return bps;
}

void ads_pace_set(struct ads_member *mb)
{
	struct ads_pace *p = &mb->pace;
	u64 now = ktime_get_ns();

	/* What was charged at the old rate is forgotten. */
	mb->limit[0].next_ns = 0;
	mb->limit[1].next_ns = 0;
	/* From below: the users' I/O is what the bound is for. */
	p->bps = pace_clamp(mb, 0);
	p->charged = 0;
	p->checked_ns = now;
	p->sampled_ns = now;
	p->now_ns = 0;
	atomic_set(&p->samples, 0);
	atomic64_set(&p->sum_ns, 0);
}

void ads_pace_get(struct ads_pool *pool, struct ads_member *mb,
		  struct ads_pace_info *info)
{
	int dir;

	spin_lock(&pool->throttle_lock);
	pace_update(mb, ktime_get_ns());
	info->floor = mb->pace.floor;
	info->latency_ns = mb->pace.latency_ns;
	info->now_ns = mb->pace.now_ns;
	for (dir = 0; dir < 2; dir++)
		info->rate[dir] = rate(mb, dir, &info->by[dir]);
	spin_unlock(&pool->throttle_lock);
}

static u64 charge(struct ads_member *mb, int dir, u64 now, u32 bytes)
{
	struct ads_limit *lim = &mb->limit[dir];
	u64 start, bps;
	u32 by;

	pace_update(mb, now);
	mb->pace.charged += bytes;
	bps = rate(mb, dir, &by);
	if (!bps)
		return 0;
	start = max(now, lim->next_ns);
	lim->next_ns = start + div64_u64((u64)bytes * NSEC_PER_SEC, bps);
	return start - now;
}

u64 ads_throttle(struct ads_pool *pool, u16 src, u16 dst, u32 bytes)
{
	u64 now = ktime_get_ns(), wait;

	spin_lock(&pool->throttle_lock);
	wait = max(charge(&pool->members[src], 0, now, bytes),
		   charge(&pool->members[dst], 1, now, bytes));
	spin_unlock(&pool->throttle_lock);
	return wait;
}
