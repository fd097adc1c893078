// SPDX-License-Identifier: GPL-2.0-only
/*
 * What there is, all of it: pools, members, segments, migrations, bad ranges.
 *
 * A dump takes pool->lock anew for each buffer that it fills and goes on at an
 * index, so that it neither holds up migrations nor trips over one that ends.
 * Each object that exists all the time is in it once. If a segment moved in
 * between, pool->generation has changed, and the core marks the messages after
 * it with NLM_F_DUMP_INTR.
 */
#include <linux/sched.h>

#include "migrate.h"
#include "netlink.h"

/* Segments that are looked at under one hold of pool->lock. */
#define SCAN_BATCH	4096

/**
 * struct dump - in cb->ctx
 * @pool:	where the dump is, with a reference; NULL at the end
 * @one:	the request named the pool: no others follow
 * @filter:	segments: only those with a leg on ...
 * @member:	... this one
 * @next:	index in @pool to go on with
 * @first:	bad ranges: of segments from here on
 * @end:	segments, bad ranges: first index not to dump
 */
struct dump {
	struct ads_pool *pool;
	bool one;
	bool filter;
	u32 member;
	u32 next;
	u32 first;
	u32 end;
};

static struct dump *dump_of(struct netlink_callback *cb)
{
	BUILD_BUG_ON(sizeof(struct dump) > sizeof(cb->ctx));
	return (struct dump *)cb->ctx;
}

/* Under pool->lock. Never 0, which the core takes for "no dump yet". */
static void dump_stamp(struct netlink_callback *cb, struct ads_pool *pool,
		       void *hdr)
{
	cb->seq = lower_32_bits(pool->generation) << 1 | 1;
	genl_dump_check_consistent(cb, hdr);
}

int ads_nl_dump_start(struct netlink_callback *cb)
{
	struct nlattr **attrs = ads_dump_attrs(cb);
	struct dump *d = dump_of(cb);
	struct ads_pool *pool;
	int ret;

	memset(d, 0, sizeof(*d));
	ret = ads_nl_permitted(cb->skb, cb->extack);
	if (ret)
		return ret;
	if (!attrs[ADSHARD_A_POOL_UUID]) {
		d->pool = ads_pool_next(NULL);
		return 0;
	}
	pool = ads_nl_find_pool(attrs, cb->extack);
	if (IS_ERR(pool))
		return PTR_ERR(pool);
	d->pool = pool;
	d->one = true;
	return 0;
}

int ads_nl_dump_start_migrations(struct netlink_callback *cb)
{
	struct nlattr *seg = ads_dump_attrs(cb)[ADSHARD_A_SEGMENT];

	if (!seg)
		return ads_nl_dump_start(cb);
	NL_SET_ERR_MSG_ATTR(cb->extack, seg,
			    "a dump of migrations takes no segment");
	return -EINVAL;
}

/* Which segments: from @d->next up to @d->end. pool->lock held. */
static int dump_range(struct dump *d, struct nlattr **attrs,
		      struct netlink_ext_ack *extack)
{
	struct ads_pool *pool = d->pool;
	int ret;

	if (attrs[ADSHARD_A_SEGMENT]) {
		d->next = nla_get_u32(attrs[ADSHARD_A_SEGMENT]);
		ret = ads_nl_check_segment(pool, d->next, extack);
		if (ret)
			return ret;
	}
	d->end = pool->nr_segments;
	if (attrs[ADSHARD_A_COUNT])
		d->end = min_t(u64, d->end, (u64)d->next +
			       nla_get_u32(attrs[ADSHARD_A_COUNT]));
	if (!attrs[ADSHARD_A_MEMBER])
		return 0;
	d->filter = true;
	d->member = nla_get_u32(attrs[ADSHARD_A_MEMBER]);
	return ads_nl_check_member(pool, d->member, extack);
}

int ads_nl_dump_start_segments(struct netlink_callback *cb)
{
	struct nlattr **attrs = ads_dump_attrs(cb);
	struct dump *d = dump_of(cb);
	int ret;

	ret = ads_nl_dump_start(cb);
	if (ret)
		return ret;
	ret = -EINVAL;
	if (!d->one) {
		NL_SET_ERR_MSG(cb->extack, "the request names no pool");
		goto fail;
	}
	ret = ads_nl_look(d->pool, true, cb->extack);
	if (ret)
		goto fail;
	ret = dump_range(d, attrs, cb->extack);
	mutex_unlock(&d->pool->lock);
	if (!ret)
		return 0;
fail:
	/* There is no ->done() for a dump that didn't start. */
	ads_nl_dump_done(cb);
	return ret;
}

int ads_nl_dump_start_bad(struct netlink_callback *cb)
{
	int ret = ads_nl_dump_start_segments(cb);
	struct dump *d = dump_of(cb);

	/* What follows is not by segment, but by place in the table. */
	d->first = d->next;
	d->next = 0;
	return ret;
}

int ads_nl_dump_done(struct netlink_callback *cb)
{
	struct dump *d = dump_of(cb);

	if (d->pool)
		ads_pool_put(d->pool);
	d->pool = NULL;
	return 0;
}

static void dump_next_pool(struct netlink_callback *cb)
{
	struct dump *d = dump_of(cb);

	if (d->one)
		ads_nl_dump_done(cb);
	else
		d->pool = ads_pool_next(d->pool);
	d->next = 0;
	/* Each pool has a generation of its own. */
	cb->prev_seq = 0;
	cb->seq = 0;
}

/*
 * Calls @fill for each pool of the dump. It puts messages from d->next on, under
 * pool->lock, and returns 0 if the pool is finished or -EMSGSIZE.
 */
static int dump_pools(struct sk_buff *skb, struct netlink_callback *cb,
		      bool loaded,
		      int (*fill)(struct sk_buff *skb,
				  struct netlink_callback *cb))
{
	struct dump *d = dump_of(cb);
	int ret;

	while (d->pool) {
		ret = ads_nl_look(d->pool, loaded, d->one ? cb->extack : NULL);
		if (!ret) {
			ret = fill(skb, cb);
			mutex_unlock(&d->pool->lock);
			if (ret == -EMSGSIZE && skb->len)
				return skb->len;
		} else if (!d->one) {
			ret = 0;
		}
		if (ret)
			return ret;
		dump_next_pool(cb);
	}
	return 0;
}

static bool has_leg_on(const struct ads_seg_view *view, u32 member)
{
	unsigned int i;

	for (i = 0; i < view->nr_legs; i++)
		if (view->leg[i].member == member)
			return true;
	return false;
}

static void *dump_put(struct sk_buff *skb, struct netlink_callback *cb, u8 cmd)
{
	return genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
			   &ads_genl_family, NLM_F_MULTI, cmd);
}

static int fill_pools(struct sk_buff *skb, struct netlink_callback *cb)
{
	void *hdr = dump_put(skb, cb, ADSHARD_CMD_GET_POOL);

	if (!hdr)
		return -EMSGSIZE;
	if (ads_nl_put_pool(skb, dump_of(cb)->pool)) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return 0;
}

int ads_nl_dump_pools(struct sk_buff *skb, struct netlink_callback *cb)
{
	return dump_pools(skb, cb, false, fill_pools);
}

static int fill_members(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct dump *d = dump_of(cb);
	struct ads_pool *pool = d->pool;
	struct ads_member *mb;
	void *hdr;

	for (; d->next < pool->nr_members; d->next++) {
		mb = &pool->members[d->next];
		if (!ads_member_exists(mb))
			continue;
		hdr = dump_put(skb, cb, ADSHARD_CMD_GET_MEMBER);
		if (!hdr)
			return -EMSGSIZE;
		if (ads_nl_put_member(skb, pool, mb)) {
			genlmsg_cancel(skb, hdr);
			return -EMSGSIZE;
		}
		dump_stamp(cb, pool, hdr);
		genlmsg_end(skb, hdr);
	}
	return 0;
}

int ads_nl_dump_members(struct sk_buff *skb, struct netlink_callback *cb)
{
	return dump_pools(skb, cb, true, fill_members);
}

static int fill_migrations(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct dump *d = dump_of(cb);
	struct ads_pool *pool = d->pool;
	struct ads_mig *m;
	unsigned long seg;
	void *hdr;

	xa_for_each_start(&pool->migs, seg, m, d->next) {
		d->next = seg;
		hdr = dump_put(skb, cb, ADSHARD_CMD_GET_MIGRATION);
		if (!hdr)
			return -EMSGSIZE;
		if (ads_nl_put_migration(skb, pool, m)) {
			genlmsg_cancel(skb, hdr);
			return -EMSGSIZE;
		}
		dump_stamp(cb, pool, hdr);
		genlmsg_end(skb, hdr);
	}
	return 0;
}

int ads_nl_dump_migrations(struct sk_buff *skb, struct netlink_callback *cb)
{
	return dump_pools(skb, cb, true, fill_migrations);
}

static int fill_bad(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct dump *d = dump_of(cb);
	struct ads_pool *pool = d->pool;
	struct ads_range r;
	void *hdr;
	int ret;

	for (;; d->next++) {
		ret = ads_bad_get(pool, d->next, &r);
		if (ret == -ERANGE)
			return 0;
		if (ret || r.seg < d->first || r.seg >= d->end)
			continue;
		hdr = dump_put(skb, cb, ADSHARD_CMD_GET_BAD);
		if (!hdr)
			return -EMSGSIZE;
		if (ads_nl_put_bad(skb, pool, &r)) {
			genlmsg_cancel(skb, hdr);
			return -EMSGSIZE;
		}
		dump_stamp(cb, pool, hdr);
		genlmsg_end(skb, hdr);
	}
}

int ads_nl_dump_bad(struct sk_buff *skb, struct netlink_callback *cb)
{
	return dump_pools(skb, cb, true, fill_bad);
}

/*
 * Puts the segments of one batch. Returns how many, with @full if there was no
 * room for the next one.
 */
static unsigned int fill_batch(struct sk_buff *skb, struct dump *d, bool *full)
{
	u32 end = min_t(u64, d->end, (u64)d->next + SCAN_BATCH);
	struct ads_seg_view view;
	unsigned int nr = 0;

	for (; d->next < end; d->next++) {
		ads_seg_view(d->pool, d->next, &view);
		if (d->filter && !has_leg_on(&view, d->member))
			continue;
		if (ads_nl_put_segment(skb, d->pool, d->next, &view)) {
			*full = true;
			break;
		}
		nr++;
	}
	return nr;
}

/*
 * One message that fills the buffer. pool->lock is held by the batch: with a
 * filter many segments may have to be looked at for a few.
 */
int ads_nl_dump_segments(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct dump *d = dump_of(cb);
	struct ads_pool *pool = d->pool;
	struct nlattr *nest = NULL;
	unsigned int nr = 0;
	bool full = false;
	void *hdr;
	int ret;

	if (d->next >= d->end)
		return 0;
	hdr = dump_put(skb, cb, ADSHARD_CMD_GET_SEGMENT);
	if (!hdr)
		return -EMSGSIZE;
	do {
		ret = ads_nl_look(pool, true, cb->extack);
		if (ret)
			goto cancel;
		dump_stamp(cb, pool, hdr);
		if (!nest) {
			ret = -EMSGSIZE;
			if (ads_nl_put_uuid(skb, pool) ||
			    ads_nl_put_u64(skb, ADSHARD_A_GENERATION,
					   pool->generation))
				goto unlock;
			nest = nla_nest_start(skb, ADSHARD_A_SEGMENTS);
			if (!nest)
				goto unlock;
		}
		nr += fill_batch(skb, d, &full);
		mutex_unlock(&pool->lock);
		cond_resched();
	} while (!full && d->next < d->end);

	ret = full ? -EMSGSIZE : 0;
	/* An empty message may still have to say that the map has changed. */
	if (!nr && (full || !(genlmsg_nlhdr(hdr)->nlmsg_flags &
			      NLM_F_DUMP_INTR)))
		goto cancel;
	nla_nest_end(skb, nest);
	genlmsg_end(skb, hdr);
	return skb->len;
unlock:
	mutex_unlock(&pool->lock);
cancel:
	genlmsg_cancel(skb, hdr);
	return ret;
}
