// SPDX-License-Identifier: GPL-2.0-only
/*
 * The generic netlink family: who may ask, and for what.
 *
 * Each command has a policy of its own, so that the core refuses an attribute
 * that the command doesn't take. Members and segments have no ranges there: one
 * that doesn't exist is ENOENT, whatever its number.
 */
#include <linux/capability.h>
#include <linux/module.h>

#include "event.h"
#include "netlink.h"

#define POOL_UUID	NLA_POLICY_EXACT_LEN(ADSHARD_UUID_SIZE)
#define LABEL		{ .type = NLA_NUL_STRING, .len = ADSHARD_LABEL_SIZE - 1 }

static const struct nla_policy pool_policy[] = {
	[ADSHARD_A_POOL_UUID]		= POOL_UUID,
};

static const struct nla_policy segment_policy[] = {
	[ADSHARD_A_POOL_UUID]		= POOL_UUID,
	[ADSHARD_A_MEMBER]		= { .type = NLA_U32 },
	[ADSHARD_A_SEGMENT]		= { .type = NLA_U32 },
	[ADSHARD_A_COUNT]		= NLA_POLICY_MIN(NLA_U32, 1),
};

static const struct nla_policy bad_policy[] = {
	[ADSHARD_A_POOL_UUID]		= POOL_UUID,
	[ADSHARD_A_SEGMENT]		= { .type = NLA_U32 },
	[ADSHARD_A_COUNT]		= NLA_POLICY_MIN(NLA_U32, 1),
};

static const struct nla_policy migration_policy[] = {
	[ADSHARD_A_POOL_UUID]		= POOL_UUID,
	[ADSHARD_A_SEGMENT]		= { .type = NLA_U32 },
};

static const struct nla_policy migrate_policy[] = {
	[ADSHARD_A_POOL_UUID]		= POOL_UUID,
	[ADSHARD_A_SEGMENT]		= { .type = NLA_U32 },
	[ADSHARD_A_SRC_MEMBER]		= { .type = NLA_U32 },
	[ADSHARD_A_DST_MEMBER]		= { .type = NLA_U32 },
	[ADSHARD_A_PRIORITY]		= { .type = NLA_U32 },
	[ADSHARD_A_COOKIE]		= { .type = NLA_U64 },
};

static const struct nla_policy replicate_policy[] = {
	[ADSHARD_A_POOL_UUID]		= POOL_UUID,
	[ADSHARD_A_SEGMENT]		= { .type = NLA_U32 },
	[ADSHARD_A_DST_MEMBER]		= { .type = NLA_U32 },
	[ADSHARD_A_PRIORITY]		= { .type = NLA_U32 },
	[ADSHARD_A_COOKIE]		= { .type = NLA_U64 },
};

static const struct nla_policy drop_policy[] = {
	[ADSHARD_A_POOL_UUID]		= POOL_UUID,
	[ADSHARD_A_MEMBER]		= { .type = NLA_U32 },
	[ADSHARD_A_SEGMENT]		= { .type = NLA_U32 },
};

static const struct nla_policy renew_policy[] = {
	[ADSHARD_A_POOL_UUID]		= POOL_UUID,
	[ADSHARD_A_SEGMENT]		= { .type = NLA_U32 },
	[ADSHARD_A_DST_MEMBER]		= { .type = NLA_U32 },
};

static const struct nla_policy set_segment_policy[] = {
	[ADSHARD_A_POOL_UUID]		= POOL_UUID,
	[ADSHARD_A_SEGMENT]		= { .type = NLA_U32 },
	[ADSHARD_A_COUNT]		= NLA_POLICY_MIN(NLA_U32, 1),
	[ADSHARD_A_WANTED]		= NLA_POLICY_RANGE(NLA_U32, 1,
							   ADSHARD_MAX_LEGS),
};

static const struct nla_policy abort_policy[] = {
	[ADSHARD_A_POOL_UUID]		= POOL_UUID,
	[ADSHARD_A_MEMBER]		= { .type = NLA_U32 },
	[ADSHARD_A_SEGMENT]		= { .type = NLA_U32 },
};

static const struct nla_policy throttle_policy[] = {
	[ADSHARD_A_POOL_UUID]		= POOL_UUID,
	[ADSHARD_A_PAUSED]		= NLA_POLICY_MAX(NLA_U8, 1),
	[ADSHARD_A_MAX_ACTIVE]		= NLA_POLICY_MIN(NLA_U32, 1),
	[ADSHARD_A_MEMBER]		= { .type = NLA_U32 },
	[ADSHARD_A_SRC_BPS]		= { .type = NLA_U64 },
	[ADSHARD_A_DST_BPS]		= { .type = NLA_U64 },
	[ADSHARD_A_SRC_ACTIVE_MAX]	= NLA_POLICY_MIN(NLA_U32, 1),
	[ADSHARD_A_DST_ACTIVE_MAX]	= NLA_POLICY_MIN(NLA_U32, 1),
	[ADSHARD_A_SLOW_NS]		= { .type = NLA_U64 },
	[ADSHARD_A_FLOOR_BPS]		= { .type = NLA_U64 },
	[ADSHARD_A_LATENCY_NS]		= { .type = NLA_U64 },
};

static const struct nla_policy set_member_policy[] = {
	[ADSHARD_A_POOL_UUID]		= POOL_UUID,
	[ADSHARD_A_MEMBER]		= { .type = NLA_U32 },
	[ADSHARD_A_MEMBER_STATE]	= NLA_POLICY_RANGE(NLA_U32,
							   ADSHARD_MEMBER_ONLINE,
							   ADSHARD_MEMBER_FAILED),
	[ADSHARD_A_CLASS]		= NLA_POLICY_MAX(NLA_U32,
							 ADSHARD_CLASS_HDD),
	[ADSHARD_A_DOMAIN]		= LABEL,
	[ADSHARD_A_LOCATION]		= LABEL,
	[ADSHARD_A_COST]		= { .type = NLA_U32 },
	[ADSHARD_A_WEIGHT]		= { .type = NLA_U32 },
	[ADSHARD_A_SPARE]		= NLA_POLICY_MAX(NLA_U8, 1),
};

static const struct genl_ops ops[] = {
	{
		.cmd = ADSHARD_CMD_GET_POOL,
		.policy = pool_policy,
		.maxattr = ARRAY_SIZE(pool_policy) - 1,
		.doit = ads_nl_get_pool,
		.start = ads_nl_dump_start,
		.dumpit = ads_nl_dump_pools,
		.done = ads_nl_dump_done,
	}, {
		.cmd = ADSHARD_CMD_GET_MEMBER,
		.policy = pool_policy,
		.maxattr = ARRAY_SIZE(pool_policy) - 1,
		.start = ads_nl_dump_start,
		.dumpit = ads_nl_dump_members,
		.done = ads_nl_dump_done,
	}, {
		.cmd = ADSHARD_CMD_GET_SEGMENT,
		.policy = segment_policy,
		.maxattr = ARRAY_SIZE(segment_policy) - 1,
		.doit = ads_nl_get_segment,
		.start = ads_nl_dump_start_segments,
		.dumpit = ads_nl_dump_segments,
		.done = ads_nl_dump_done,
	}, {
		.cmd = ADSHARD_CMD_GET_MIGRATION,
		.policy = migration_policy,
		.maxattr = ARRAY_SIZE(migration_policy) - 1,
		.doit = ads_nl_get_migration,
		.start = ads_nl_dump_start_migrations,
		.dumpit = ads_nl_dump_migrations,
		.done = ads_nl_dump_done,
	}, {
		.cmd = ADSHARD_CMD_GET_BAD,
		.policy = bad_policy,
		.maxattr = ARRAY_SIZE(bad_policy) - 1,
		.start = ads_nl_dump_start_bad,
		.dumpit = ads_nl_dump_bad,
		.done = ads_nl_dump_done,
	}, {
		.cmd = ADSHARD_CMD_MIGRATE,
		.policy = migrate_policy,
		.maxattr = ARRAY_SIZE(migrate_policy) - 1,
		.doit = ads_nl_migrate,
	}, {
		.cmd = ADSHARD_CMD_ABORT,
		.policy = abort_policy,
		.maxattr = ARRAY_SIZE(abort_policy) - 1,
		.doit = ads_nl_abort,
	}, {
		.cmd = ADSHARD_CMD_THROTTLE,
		.policy = throttle_policy,
		.maxattr = ARRAY_SIZE(throttle_policy) - 1,
		.doit = ads_nl_throttle,
	}, {
		.cmd = ADSHARD_CMD_SET_MEMBER,
		.policy = set_member_policy,
		.maxattr = ARRAY_SIZE(set_member_policy) - 1,
		.doit = ads_nl_set_member,
	}, {
		.cmd = ADSHARD_CMD_REPLICATE,
		.policy = replicate_policy,
		.maxattr = ARRAY_SIZE(replicate_policy) - 1,
		.doit = ads_nl_replicate,
	}, {
		.cmd = ADSHARD_CMD_DROP,
		.policy = drop_policy,
		.maxattr = ARRAY_SIZE(drop_policy) - 1,
		.doit = ads_nl_drop,
	}, {
		.cmd = ADSHARD_CMD_SET_SEGMENT,
		.policy = set_segment_policy,
		.maxattr = ARRAY_SIZE(set_segment_policy) - 1,
		.doit = ads_nl_set_segment,
	}, {
		.cmd = ADSHARD_CMD_RENEW,
		.policy = renew_policy,
		.maxattr = ARRAY_SIZE(renew_policy) - 1,
		.doit = ads_nl_renew,
	},
};

static const struct genl_multicast_group mcgrps[] = {
	[ADS_MCGRP_EVENTS] = ADS_MCGRP(ADSHARD_GENL_EVENTS),
};

/*
 * Not GENL_ADMIN_PERM, which is CAP_NET_ADMIN: whoever may change a mapped
 * device has CAP_SYS_ADMIN. Beside the caller this asks whether the one who
 * opened the socket had it, so that a privileged program can't be made to send
 * for another.
 */
int ads_nl_permitted(struct sk_buff *request, struct netlink_ext_ack *extack)
{
	if (netlink_capable(request, CAP_SYS_ADMIN))
		return 0;
	NL_SET_ERR_MSG(extack,
		       "needs CAP_SYS_ADMIN in the initial user namespace");
	return -EPERM;
}

struct ads_pool *ads_nl_find_pool(struct nlattr **attrs,
				  struct netlink_ext_ack *extack)
{
	const struct nlattr *uuid = attrs[ADSHARD_A_POOL_UUID];
	struct ads_pool *pool = ads_pool_get(nla_data(uuid));

	if (pool)
		return pool;
	NL_SET_ERR_MSG_ATTR(extack, uuid, "no active pool has this UUID");
	return ERR_PTR(-ENOENT);
}

int ads_nl_lock(struct ads_pool *pool, struct netlink_ext_ack *extack)
{
	int ret = ads_pool_lock(pool);

	if (ret == -ENODEV) {
		NL_SET_ERR_MSG(extack, "the pool has been deactivated");
		ret = -ENOENT;
	} else if (ret == -EBUSY) {
		NL_SET_ERR_MSG(extack, "the pool is suspended or not loaded yet");
	}
	return ret;
}

int ads_nl_check_segment(struct ads_pool *pool, u32 seg,
			 struct netlink_ext_ack *extack)
{
	if (seg < pool->nr_segments)
		return 0;
	NL_SET_ERR_MSG_FMT(extack, "no segment %u: the pool has %u", seg,
			   pool->nr_segments);
	return -ENOENT;
}

int ads_nl_check_member(struct ads_pool *pool, u32 member,
			struct netlink_ext_ack *extack)
{
	if (member < pool->nr_members &&
	    ads_member_exists(&pool->members[member]))
		return 0;
	NL_SET_ERR_MSG_FMT(extack, "no member %u", member);
	return -ENOENT;
}

static int pre_doit(const struct ads_genl_ops *op, struct sk_buff *skb,
		    struct genl_info *info)
{
	struct ads_pool *pool;
	int ret = ads_nl_permitted(skb, info->extack);

	if (ret)
		return ret;
	if (GENL_REQ_ATTR_CHECK(info, ADSHARD_A_POOL_UUID)) {
		NL_SET_ERR_MSG(info->extack, "the request names no pool");
		return -EINVAL;
	}
	pool = ads_nl_find_pool(info->attrs, info->extack);
	if (IS_ERR(pool))
		return PTR_ERR(pool);
	info->user_ptr[0] = pool;
	return 0;
}

static void post_doit(const struct ads_genl_ops *op, struct sk_buff *skb,
		      struct genl_info *info)
{
	ads_pool_put(ads_nl_pool(info));
}

struct genl_family ads_genl_family __ro_after_init = {
	.name		= ADSHARD_GENL_NAME,
	.version	= ADSHARD_GENL_VERSION,
	.module		= THIS_MODULE,
	.maxattr	= ADSHARD_A_MAX,
	.netnsok	= false,
	.parallel_ops	= true,
	.pre_doit	= pre_doit,
	.post_doit	= post_doit,
	.ops		= ops,
	.n_ops		= ARRAY_SIZE(ops),
	.mcgrps		= mcgrps,
	.n_mcgrps	= ARRAY_SIZE(mcgrps),
};

int __init ads_netlink_init(void)
{
	return genl_register_family(&ads_genl_family);
}

void ads_netlink_exit(void)
{
	genl_unregister_family(&ads_genl_family);
	ads_event_exit();
}

MODULE_ALIAS_GENL_FAMILY(ADSHARD_GENL_NAME);
