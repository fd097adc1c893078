/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The generic netlink family "adshard": what its files share. The protocol is
 * specified in uapi/linux/dm-adshard.h.
 *
 * A request's handler runs in the caller's context, in parallel with others.
 * It finds the pool in info->user_ptr[0], with a reference that the core's
 * post_doit drops: the pool may be dead, so look under pool->lock. Nothing is
 * allocated under that lock: reclaim may write to the pool, and that write may
 * wait for a commit that needs the lock.
 */
#ifndef ADS_NETLINK_H
#define ADS_NETLINK_H

#include <linux/string.h>
#include <net/genetlink.h>

#include "compat.h"
#include "pool.h"

enum ads_mcgrp {
	ADS_MCGRP_EVENTS,
};

struct ads_mig;

extern struct genl_family ads_genl_family;

static inline struct ads_pool *ads_nl_pool(struct genl_info *info)
{
	return info->user_ptr[0];
}

/* Indexes of members may have holes. */
static inline bool ads_member_exists(const struct ads_member *mb)
{
	return memchr_inv(mb->disk.uuid, 0, ADSHARD_UUID_SIZE);
}

static inline int ads_nl_put_u64(struct sk_buff *skb, int attr, u64 value)
{
	return nla_put_u64_64bit(skb, attr, value, ADSHARD_A_PAD);
}

/* netlink.c: 0, or -EPERM without CAP_SYS_ADMIN in the initial namespace. */
int ads_nl_permitted(struct sk_buff *request, struct netlink_ext_ack *extack);
/* The pool of @attrs with a reference, or ERR_PTR(-ENOENT). */
struct ads_pool *ads_nl_find_pool(struct nlattr **attrs,
				  struct netlink_ext_ack *extack);
/* ads_pool_lock() with a sentence; -EBUSY, or -ENOENT for a dead pool. */
int ads_nl_lock(struct ads_pool *pool, struct netlink_ext_ack *extack);
/* Is there such a one? -ENOENT with a sentence. pool->lock held, loaded. */
int ads_nl_check_segment(struct ads_pool *pool, u32 seg,
			 struct netlink_ext_ack *extack);
int ads_nl_check_member(struct ads_pool *pool, u32 member,
			struct netlink_ext_ack *extack);

/* nl-put.c: pool->lock held, for all but the pool itself with it loaded. */
/* A segment as the outside sees it. */
struct ads_seg_view {
	u32 state;			/* enum adshard_segment_state */
	u8 wanted;
	u8 intent;			/* 0 none, 1 recorded, 2 and in doubt */
	unsigned int nr_legs;
	struct {
		u16 member;
		u8 state;		/* enum adshard_leg_state */
		u32 chunk;
	} leg[ADS_SET_LEGS];
};

void ads_seg_view(struct ads_pool *pool, u32 seg, struct ads_seg_view *view);
int ads_nl_put_uuid(struct sk_buff *skb, const struct ads_pool *pool);
int ads_nl_put_pool(struct sk_buff *skb, struct ads_pool *pool);
int ads_nl_put_member(struct sk_buff *skb, struct ads_pool *pool,
		      struct ads_member *mb);
int ads_nl_put_segment(struct sk_buff *skb, struct ads_pool *pool, u32 seg,
		       const struct ads_seg_view *view);
int ads_nl_put_migration(struct sk_buff *skb, struct ads_pool *pool,
			 struct ads_mig *m);
int ads_nl_put_bad(struct sk_buff *skb, struct ads_pool *pool,
		   const struct ads_range *r);

/*
 * nl-get.c: pool->lock, to look at the pool: not if it is dead, or @loaded and it
 * isn't.
 */
int ads_nl_look(struct ads_pool *pool, bool loaded,
		struct netlink_ext_ack *extack);
int ads_nl_get_pool(struct sk_buff *skb, struct genl_info *info);
int ads_nl_get_segment(struct sk_buff *skb, struct genl_info *info);
int ads_nl_get_migration(struct sk_buff *skb, struct genl_info *info);

/* nl-dump.c */
int ads_nl_dump_start(struct netlink_callback *cb);
int ads_nl_dump_start_segments(struct netlink_callback *cb);
int ads_nl_dump_start_migrations(struct netlink_callback *cb);
int ads_nl_dump_start_bad(struct netlink_callback *cb);
int ads_nl_dump_done(struct netlink_callback *cb);
int ads_nl_dump_pools(struct sk_buff *skb, struct netlink_callback *cb);
int ads_nl_dump_members(struct sk_buff *skb, struct netlink_callback *cb);
int ads_nl_dump_segments(struct sk_buff *skb, struct netlink_callback *cb);
int ads_nl_dump_bad(struct sk_buff *skb, struct netlink_callback *cb);
int ads_nl_dump_migrations(struct sk_buff *skb, struct netlink_callback *cb);

/* nl-do.c */
int ads_nl_migrate(struct sk_buff *skb, struct genl_info *info);
int ads_nl_replicate(struct sk_buff *skb, struct genl_info *info);
int ads_nl_drop(struct sk_buff *skb, struct genl_info *info);
int ads_nl_renew(struct sk_buff *skb, struct genl_info *info);
int ads_nl_set_segment(struct sk_buff *skb, struct genl_info *info);
int ads_nl_abort(struct sk_buff *skb, struct genl_info *info);
int ads_nl_throttle(struct sk_buff *skb, struct genl_info *info);
int ads_nl_set_member(struct sk_buff *skb, struct genl_info *info);

/**
 * struct ads_limit_change - a change of limits
 * @member:	of this member only, if @one
 * @has_bps, @has_active_max: [0] as source, [1] as destination
 */
struct ads_limit_change {
	bool one;
	bool has_bps[2], has_active_max[2], has_max_active, has_paused;
	bool has_slow_ns, has_floor, has_latency;
	bool paused;
	u32 member;
	u32 active_max[2];
	u32 max_active;
	u64 bps[2];
	u64 slow_ns, floor, latency_ns;
};

/*
 * All of it or nothing: an error leaves everything as it was. Process context,
 * no locks held; @extack may be NULL.
 */
int ads_limits_set(struct ads_pool *pool, const struct ads_limit_change *lim,
		   struct netlink_ext_ack *extack);

#endif /* ADS_NETLINK_H */
