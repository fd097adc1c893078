// SPDX-License-Identifier: GPL-2.0-only
/*
 * Answers, object by object: a pool, a member, a segment, a migration. All
 * under pool->lock. With -EMSGSIZE the message or nest that the caller has
 * begun is to be cancelled.
 */
#include <linux/device-mapper.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>

#include "event.h"
#include "migrate.h"
#include "netlink.h"

int ads_nl_put_uuid(struct sk_buff *skb, const struct ads_pool *pool)
{
	return nla_put(skb, ADSHARD_A_POOL_UUID, ADSHARD_UUID_SIZE,
		       pool->uuid.b);
}

static int put_dev(struct sk_buff *skb, dev_t dev)
{
	return nla_put_u32(skb, ADSHARD_A_DEV_MAJOR, MAJOR(dev)) ||
	       nla_put_u32(skb, ADSHARD_A_DEV_MINOR, MINOR(dev));
}

/* Pools --------------------------------------------------------------------*/

/* All that is known of a pool before it is loaded. */
static int put_identity(struct sk_buff *skb, struct ads_pool *pool)
{
	return ads_nl_put_uuid(skb, pool) ||
	       nla_put_string(skb, ADSHARD_A_POOL_NAME, pool->name) ||
	       put_dev(skb, disk_devt(dm_disk(pool->md))) ||
	       nla_put_u32(skb, ADSHARD_A_POOL_STATE,
			   pool->loaded ? pool->state : ADSHARD_POOL_LOADING) ||
	       nla_put_u8(skb, ADSHARD_A_SUSPENDED, pool->suspended) ||
	       nla_put_u8(skb, ADSHARD_A_PAUSED, pool->paused);
}

static int put_geometry(struct sk_buff *skb, struct ads_pool *pool)
{
	return ads_nl_put_u64(skb, ADSHARD_A_SIZE,
			      (u64)pool->volume_sectors << SECTOR_SHIFT) ||
	       ads_nl_put_u64(skb, ADSHARD_A_SEGMENT_SIZE,
			      1ULL << (pool->segment_shift + SECTOR_SHIFT)) ||
	       ads_nl_put_u64(skb, ADSHARD_A_CHUNK_SIZE,
			      1ULL << (pool->chunk_shift + SECTOR_SHIFT)) ||
	       nla_put_u32(skb, ADSHARD_A_NR_SEGMENTS, pool->nr_segments) ||
	       nla_put_u32(skb, ADSHARD_A_NR_MEMBERS, pool->nr_members) ||
	       ads_nl_put_u64(skb, ADSHARD_A_SEQ, ads_meta_seq(pool)) ||
	       ads_nl_put_u64(skb, ADSHARD_A_TERM, ads_meta_term(pool)) ||
	       ads_nl_put_u64(skb, ADSHARD_A_EVENT_SEQ, ads_event_seq(pool)) ||
	       ads_nl_put_u64(skb, ADSHARD_A_GENERATION, pool->generation) ||
	       nla_put_u32(skb, ADSHARD_A_HEAT_SAMPLE, ADS_HEAT_SAMPLE) ||
	       nla_put_u32(skb, ADSHARD_A_BYTES_PER_SEGMENT,
			   ads_pool_bytes_per_segment());
}

static int put_bad_count(struct sk_buff *skb, struct ads_pool *pool)
{
	u32 nr, nr_free;
	u64 sectors;

	ads_bad_count(pool, &nr, &sectors, &nr_free);
	return nla_put_u32(skb, ADSHARD_A_NR_BAD, nr) ||
	       nla_put_u32(skb, ADSHARD_A_NR_LOST, pool->nr_lost) ||
	       nla_put_u32(skb, ADSHARD_A_NR_BAD_FREE, nr_free) ||
	       ads_nl_put_u64(skb, ADSHARD_A_BAD_BYTES, sectors << SECTOR_SHIFT);
}

static int put_totals(struct sk_buff *skb, struct ads_pool *pool)
{
	struct ads_totals *t = &pool->totals;

	return nla_put_u32(skb, ADSHARD_A_NR_ACTIVE, pool->nr_active) ||
	       nla_put_u32(skb, ADSHARD_A_NR_QUEUED, pool->nr_queued) ||
	       nla_put_u32(skb, ADSHARD_A_MAX_ACTIVE, pool->max_active) ||
	       ads_nl_put_u64(skb, ADSHARD_A_SLOW_NS, pool->slow_ns) ||
	       ads_nl_put_u64(skb, ADSHARD_A_NR_DONE, t->done) ||
	       ads_nl_put_u64(skb, ADSHARD_A_NR_FAILED, t->failed) ||
	       ads_nl_put_u64(skb, ADSHARD_A_NR_ABORTED, t->aborted) ||
	       ads_nl_put_u64(skb, ADSHARD_A_BYTES_COPIED,
			      atomic64_read(&t->bytes_copied)) ||
	       ads_nl_put_u64(skb, ADSHARD_A_CHUNKS_VERIFIED,
			      atomic64_read(&t->chunks_verified)) ||
	       ads_nl_put_u64(skb, ADSHARD_A_MISMATCHES,
			      atomic64_read(&t->mismatches));
}

static int put_sets(struct sk_buff *skb, struct ads_pool *pool)
{
	struct ads_sets *sets = &pool->sets;

	return nla_put_u32(skb, ADSHARD_A_NR_STALE,
			   atomic_read(&sets->stale)) ||
	       nla_put_u32(skb, ADSHARD_A_NR_SHORT,
			   atomic_read(&sets->missing)) ||
	       nla_put_u32(skb, ADSHARD_A_NR_DOUBT,
			   atomic_read(&sets->doubt)) ||
	       ads_nl_put_u64(skb, ADSHARD_A_RESYNC_BYTES,
			      atomic64_read(&sets->resync_bytes));
}

int ads_nl_put_pool(struct sk_buff *skb, struct ads_pool *pool)
{
	if (put_identity(skb, pool))
		return -EMSGSIZE;
	if (!pool->loaded)
		return 0;
	if (put_geometry(skb, pool) || put_totals(skb, pool) ||
	    put_bad_count(skb, pool) || put_sets(skb, pool))
		return -EMSGSIZE;
	return 0;
}

/* Members ------------------------------------------------------------------*/

static int put_limits(struct sk_buff *skb, struct ads_pool *pool,
		      struct ads_member *mb)
{
	struct ads_limit src, dst;

	spin_lock(&pool->throttle_lock);
	src = mb->limit[0];
	dst = mb->limit[1];
	spin_unlock(&pool->throttle_lock);

	return ads_nl_put_u64(skb, ADSHARD_A_SRC_BPS, src.bps) ||
	       ads_nl_put_u64(skb, ADSHARD_A_DST_BPS, dst.bps) ||
	       nla_put_u32(skb, ADSHARD_A_SRC_ACTIVE_MAX, src.active_max) ||
	       nla_put_u32(skb, ADSHARD_A_DST_ACTIVE_MAX, dst.active_max) ||
	       nla_put_u32(skb, ADSHARD_A_SRC_ACTIVE, src.active) ||
	       nla_put_u32(skb, ADSHARD_A_DST_ACTIVE, dst.active);
}

static int put_pace(struct sk_buff *skb, struct ads_pool *pool,
		    struct ads_member *mb)
{
	struct ads_pace_info info;

	ads_pace_get(pool, mb, &info);
	return ads_nl_put_u64(skb, ADSHARD_A_FLOOR_BPS, info.floor) ||
	       ads_nl_put_u64(skb, ADSHARD_A_LATENCY_NS, info.latency_ns) ||
	       ads_nl_put_u64(skb, ADSHARD_A_LATENCY_NOW_NS, info.now_ns) ||
	       ads_nl_put_u64(skb, ADSHARD_A_SRC_RATE, info.rate[0]) ||
	       ads_nl_put_u64(skb, ADSHARD_A_DST_RATE, info.rate[1]) ||
	       nla_put_u32(skb, ADSHARD_A_SRC_RATE_BY, info.by[0]) ||
	       nla_put_u32(skb, ADSHARD_A_DST_RATE_BY, info.by[1]);
}

static int put_errors(struct sk_buff *skb, struct ads_member *mb)
{
	static const int attrs[ADS_ERR_KINDS] = {
		[ADS_ERR_READ]	= ADSHARD_A_READ_ERRORS,
		[ADS_ERR_WRITE]	= ADSHARD_A_WRITE_ERRORS,
		[ADS_ERR_FLUSH]	= ADSHARD_A_FLUSH_ERRORS,
		[ADS_ERR_META]	= ADSHARD_A_META_ERRORS,
		[ADS_ERR_COPY]	= ADSHARD_A_COPY_ERRORS,
	};
	int i;

	for (i = 0; i < ADS_ERR_KINDS; i++)
		if (ads_nl_put_u64(skb, attrs[i],
				   atomic_long_read(&mb->errors[i])))
			return -EMSGSIZE;
	return 0;
}

static int put_hist(struct sk_buff *skb, int attr, const atomic_long_t *hist)
{
	u64 buckets[ADSHARD_HIST_BUCKETS];
	int i;

	for (i = 0; i < ADSHARD_HIST_BUCKETS; i++)
		buckets[i] = atomic_long_read(&hist[i]);
	return nla_put_64bit(skb, attr, sizeof(buckets), buckets,
			     ADSHARD_A_PAD);
}

static int put_label(struct sk_buff *skb, int attr, const u8 *label)
{
	return *label ? nla_put_string(skb, attr, label) : 0;
}

static int put_attributes(struct sk_buff *skb, const struct adshard_member *disk)
{
	bool spare = le16_to_cpu(disk->flags) & ADSHARD_MEMBER_F_SPARE;

	return nla_put_u32(skb, ADSHARD_A_CLASS, disk->class) ||
	       put_label(skb, ADSHARD_A_DOMAIN, disk->domain) ||
	       put_label(skb, ADSHARD_A_LOCATION, disk->location) ||
	       nla_put_u32(skb, ADSHARD_A_COST, le32_to_cpu(disk->cost)) ||
	       nla_put_u32(skb, ADSHARD_A_WEIGHT, le32_to_cpu(disk->weight)) ||
	       nla_put_u8(skb, ADSHARD_A_SPARE, spare);
}

int ads_nl_put_member(struct sk_buff *skb, struct ads_pool *pool,
		      struct ads_member *mb)
{
	const struct adshard_member *disk = &mb->disk;
	u64 size = le64_to_cpu(disk->sectors) << SECTOR_SHIFT;
	u64 start = le64_to_cpu(disk->data_start) << SECTOR_SHIFT;

	if (mb->bdev) {
		size = bdev_nr_bytes(mb->bdev);
		if (put_dev(skb, mb->bdev->bd_dev))
			return -EMSGSIZE;
	}
	if (ads_nl_put_uuid(skb, pool) ||
	    nla_put_u32(skb, ADSHARD_A_MEMBER, mb->index) ||
	    nla_put(skb, ADSHARD_A_MEMBER_UUID, ADSHARD_UUID_SIZE,
		    disk->uuid) ||
	    nla_put_u32(skb, ADSHARD_A_MEMBER_STATE, mb->state) ||
	    nla_put_u8(skb, ADSHARD_A_META, ads_meta_role(pool, mb->index)) ||
	    ads_nl_put_u64(skb, ADSHARD_A_SIZE, size) ||
	    ads_nl_put_u64(skb, ADSHARD_A_DATA_START, start) ||
	    nla_put_u32(skb, ADSHARD_A_NR_SLOTS, mb->nr_slots) ||
	    nla_put_u32(skb, ADSHARD_A_NR_FREE, mb->nr_slots - mb->nr_legs) ||
	    nla_put_u32(skb, ADSHARD_A_NR_SEGMENTS, mb->nr_legs) ||
	    nla_put_u32(skb, ADSHARD_A_NR_LOST, mb->nr_lost) ||
	    put_attributes(skb, disk) ||
	    put_limits(skb, pool, mb) ||
	    put_pace(skb, pool, mb) ||
	    put_errors(skb, mb) ||
	    put_hist(skb, ADSHARD_A_READ_HIST, mb->hist[0]) ||
	    put_hist(skb, ADSHARD_A_WRITE_HIST, mb->hist[1]))
		return -EMSGSIZE;
	return 0;
}

/* Segments -----------------------------------------------------------------*/

static void view_leg(const struct ads_set *set, unsigned int i,
		     struct ads_seg_view *view)
{
	static const u8 states[] = {
		[ADS_LEG_SYNC] = ADSHARD_LEG_SYNC,
		[ADS_LEG_OUT] = ADSHARD_LEG_STALE,
		[ADS_LEG_STALE] = ADSHARD_LEG_STALE,
		[ADS_LEG_FILLING] = ADSHARD_LEG_FILLING,
	};
	const struct ads_set_leg *leg = &set->leg[i];

	if (leg->state == ADS_LEG_FREE || leg->state == ADS_LEG_GONE)
		return;
	view->leg[view->nr_legs].member = leg->member;
	view->leg[view->nr_legs].chunk = leg->chunk;
	view->leg[view->nr_legs++].state = states[leg->state];
}

static void view_set(struct ads_set *set, struct ads_seg_view *view)
{
	unsigned int i;

	spin_lock_irq(&set->lock);
	view->wanted = set->wanted;
	view->intent = set->doubt ? 2 : set->disk.intent;
	view->nr_legs = 0;
	view_leg(set, set->primary, view);
	for (i = 0; i < ADS_SET_LEGS; i++)
		if (i != set->primary)
			view_leg(set, i, view);
	spin_unlock_irq(&set->lock);
}

void ads_seg_view(struct ads_pool *pool, u32 seg, struct ads_seg_view *view)
{
	u64 word = READ_ONCE(pool->map[seg]);
	struct ads_mig *m = xa_load(&pool->migs, seg);
	int step = m ? READ_ONCE(m->step) : ADSHARD_STEP_QUEUED;
	struct ads_set *set = NULL;

	if (word & ADS_WORD_SET)
		set = ads_set_of(pool, seg);
	if (set) {
		view_set(set, view);
		view->state = set->lost ? ADSHARD_SEGMENT_LOST :
			      !m ? ADSHARD_SEGMENT_STABLE :
			      step == ADSHARD_STEP_QUEUED ?
			      ADSHARD_SEGMENT_QUEUED : ADSHARD_SEGMENT_MIGRATING;
		return;
	}
	view->wanted = 1;
	view->intent = 0;
	view->leg[0].member = ads_word_member(word);
	view->leg[0].chunk = ads_word_chunk(word);
	view->leg[0].state = ADSHARD_LEG_SYNC;
	view->nr_legs = 1;
	if (ads_word_lost(pool, word)) {
		view->leg[0].state = ADSHARD_LEG_STALE;
		view->state = ADSHARD_SEGMENT_LOST;
		return;
	}
	if (!m) {
		view->state = ADSHARD_SEGMENT_STABLE;
		return;
	}
	if (step == ADSHARD_STEP_QUEUED) {
		view->state = ADSHARD_SEGMENT_QUEUED;
		return;
	}
	view->state = ADSHARD_SEGMENT_MIGRATING;
	/* The other one is no leg any more: after the commit, or given up. */
	if (step == ADSHARD_STEP_ABORT ||
	    (view->leg[0].member == m->dst &&
	     view->leg[0].chunk == m->dst_chunk))
		return;
	view->leg[1].member = m->dst;
	view->leg[1].chunk = m->dst_chunk;
	view->leg[1].state = ADSHARD_LEG_FILLING;
	view->nr_legs = 2;
}

static int put_legs(struct sk_buff *skb, const struct ads_seg_view *view)
{
	struct nlattr *legs, *leg;
	unsigned int i;

	legs = nla_nest_start(skb, ADSHARD_SEG_A_LEGS);
	if (!legs)
		return -EMSGSIZE;
	for (i = 0; i < view->nr_legs; i++) {
		leg = nla_nest_start(skb, i + 1);
		if (!leg ||
		    nla_put_u32(skb, ADSHARD_LEG_A_MEMBER,
				view->leg[i].member) ||
		    nla_put_u32(skb, ADSHARD_LEG_A_CHUNK, view->leg[i].chunk) ||
		    nla_put_u32(skb, ADSHARD_LEG_A_STATE, view->leg[i].state))
			return -EMSGSIZE;
		nla_nest_end(skb, leg);
	}
	nla_nest_end(skb, legs);
	return 0;
}

static int put_heat(struct sk_buff *skb, struct ads_heat *heat)
{
	u32 last = READ_ONCE(heat->last);
	u32 now = ktime_get_seconds();

	if (nla_put_u32(skb, ADSHARD_SEG_A_READS, READ_ONCE(heat->reads)) ||
	    nla_put_u32(skb, ADSHARD_SEG_A_WRITES, READ_ONCE(heat->writes)))
		return -EMSGSIZE;
	if (!last)
		return 0;
	return nla_put_u32(skb, ADSHARD_SEG_A_LAST,
			   time_after32(now, last) ? now - last : 0);
}

int ads_nl_put_segment(struct sk_buff *skb, struct ads_pool *pool, u32 seg,
		       const struct ads_seg_view *view)
{
	struct nlattr *nest = nla_nest_start(skb, 1);

	if (!nest)
		return -EMSGSIZE;
	if (nla_put_u32(skb, ADSHARD_SEG_A_INDEX, seg) ||
	    nla_put_u32(skb, ADSHARD_SEG_A_STATE, view->state) ||
	    put_heat(skb, &pool->heat[seg]) ||
	    put_legs(skb, view) ||
	    nla_put_u32(skb, ADSHARD_SEG_A_WANTED, view->wanted) ||
	    nla_put_u8(skb, ADSHARD_SEG_A_INTENT, view->intent)) {
		nla_nest_cancel(skb, nest);
		return -EMSGSIZE;
	}
	nla_nest_end(skb, nest);
	return 0;
}

/* Migrations ---------------------------------------------------------------*/

int ads_nl_put_migration(struct sk_buff *skb, struct ads_pool *pool,
			 struct ads_mig *m)
{
	struct ads_mig_info info;

	ads_mig_info(m, &info);
	if (ads_nl_put_uuid(skb, pool) ||
	    nla_put_u32(skb, ADSHARD_A_SEGMENT, m->seg) ||
	    nla_put_u32(skb, ADSHARD_A_SRC_MEMBER, m->src) ||
	    nla_put_u32(skb, ADSHARD_A_DST_MEMBER, m->dst) ||
	    nla_put_u32(skb, ADSHARD_A_STEP, READ_ONCE(m->step)) ||
	    nla_put_u32(skb, ADSHARD_A_PRIORITY, m->priority) ||
	    ads_nl_put_u64(skb, ADSHARD_A_COOKIE, m->cookie) ||
	    nla_put_u32(skb, ADSHARD_A_CHUNKS, info.chunks) ||
	    nla_put_u32(skb, ADSHARD_A_CHUNKS_DONE, info.chunks_done) ||
	    ads_nl_put_u64(skb, ADSHARD_A_CHUNKS_VERIFIED,
			   info.chunks_verified) ||
	    ads_nl_put_u64(skb, ADSHARD_A_CHUNKS_RECOPIED,
			   info.chunks_recopied) ||
	    ads_nl_put_u64(skb, ADSHARD_A_MISMATCHES, info.mismatches) ||
	    ads_nl_put_u64(skb, ADSHARD_A_BYTES_COPIED, info.bytes_copied) ||
	    ads_nl_put_u64(skb, ADSHARD_A_WRITES_HELD, info.writes_held) ||
	    ads_nl_put_u64(skb, ADSHARD_A_HOLD_MAX_NS, info.hold_max_ns) ||
	    ads_nl_put_u64(skb, ADSHARD_A_AGE_NS, info.age_ns) ||
	    ads_nl_put_u64(skb, ADSHARD_A_BAD_BYTES, info.bad_bytes) ||
	    nla_put_u8(skb, ADSHARD_A_ASIDE, m->aside) ||
	    nla_put_u32(skb, ADSHARD_A_KIND, m->kind))
		return -EMSGSIZE;
	return 0;
}

/* Bad ranges ---------------------------------------------------------------*/

int ads_nl_put_bad(struct sk_buff *skb, struct ads_pool *pool,
		   const struct ads_range *r)
{
	if (ads_nl_put_uuid(skb, pool) ||
	    nla_put_u32(skb, ADSHARD_A_SEGMENT, r->seg) ||
	    ads_nl_put_u64(skb, ADSHARD_A_OFFSET,
			   (u64)r->first << SECTOR_SHIFT) ||
	    ads_nl_put_u64(skb, ADSHARD_A_LENGTH,
			   (u64)r->sectors << SECTOR_SHIFT) ||
	    nla_put_u32(skb, ADSHARD_A_SRC_MEMBER, r->from))
		return -EMSGSIZE;
	return 0;
}
