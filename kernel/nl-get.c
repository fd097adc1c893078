// SPDX-License-Identifier: GPL-2.0-only
/*
 * One pool, segment or migration that is asked for. All of them: nl-dump.c.
 */
#include "migrate.h"
#include "netlink.h"

int ads_nl_look(struct ads_pool *pool, bool loaded,
		struct netlink_ext_ack *extack)
{
	mutex_lock(&pool->lock);
	if (!pool->dead && (pool->loaded || !loaded))
		return 0;
	if (pool->dead) {
		mutex_unlock(&pool->lock);
		NL_SET_ERR_MSG(extack, "the pool has been deactivated");
		return -ENOENT;
	}
	mutex_unlock(&pool->lock);
	NL_SET_ERR_MSG(extack, "the pool is not loaded yet");
	return -EBUSY;
}

static int fill_pool(struct sk_buff *skb, struct genl_info *info)
{
	return ads_nl_put_pool(skb, ads_nl_pool(info));
}

static int fill_segment(struct sk_buff *skb, struct genl_info *info)
{
	u32 seg = nla_get_u32(info->attrs[ADSHARD_A_SEGMENT]);
	struct ads_pool *pool = ads_nl_pool(info);
	struct ads_seg_view view;
	struct nlattr *nest;
	int ret;

	ret = ads_nl_check_segment(pool, seg, info->extack);
	if (ret)
		return ret;
	ads_seg_view(pool, seg, &view);
	if (ads_nl_put_uuid(skb, pool) ||
	    ads_nl_put_u64(skb, ADSHARD_A_GENERATION, pool->generation))
		return -EMSGSIZE;
	nest = nla_nest_start(skb, ADSHARD_A_SEGMENTS);
	if (!nest || ads_nl_put_segment(skb, pool, seg, &view))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int fill_migration(struct sk_buff *skb, struct genl_info *info)
{
	u32 seg = nla_get_u32(info->attrs[ADSHARD_A_SEGMENT]);
	struct ads_pool *pool = ads_nl_pool(info);
	struct ads_mig *m;
	int ret;

	ret = ads_nl_check_segment(pool, seg, info->extack);
	if (ret)
		return ret;
	m = xa_load(&pool->migs, seg);
	if (!m) {
		NL_SET_ERR_MSG_FMT(info->extack, "segment %u is not migrating",
				   seg);
		return -ENOENT;
	}
	return ads_nl_put_migration(skb, pool, m);
}

static int reply(struct genl_info *info, bool loaded,
		 int (*fill)(struct sk_buff *skb, struct genl_info *info))
{
	struct ads_pool *pool = ads_nl_pool(info);
	struct sk_buff *skb;
	int ret = -EMSGSIZE;
	void *hdr;

	skb = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!skb)
		return -ENOMEM;
	hdr = genlmsg_put_reply(skb, info, &ads_genl_family, 0,
				info->genlhdr->cmd);
	if (!hdr)
		goto out;
	ret = ads_nl_look(pool, loaded, info->extack);
	if (ret)
		goto out;
	ret = fill(skb, info);
	mutex_unlock(&pool->lock);
	if (ret)
		goto out;
	genlmsg_end(skb, hdr);
	return genlmsg_reply(skb, info);
out:
	nlmsg_free(skb);
	return ret;
}

int ads_nl_get_pool(struct sk_buff *skb, struct genl_info *info)
{
	return reply(info, false, fill_pool);
}

static int need_segment(struct genl_info *info)
{
	if (!GENL_REQ_ATTR_CHECK(info, ADSHARD_A_SEGMENT))
		return 0;
	NL_SET_ERR_MSG(info->extack, "the request names no segment");
	return -EINVAL;
}

int ads_nl_get_segment(struct sk_buff *skb, struct genl_info *info)
{
	int ret = need_segment(info);

	if (ret)
		return ret;
	if (info->attrs[ADSHARD_A_COUNT] || info->attrs[ADSHARD_A_MEMBER]) {
		NL_SET_ERR_MSG(info->extack,
			       "COUNT and MEMBER are for dumps of segments");
		return -EINVAL;
	}
	return reply(info, true, fill_segment);
}

int ads_nl_get_migration(struct sk_buff *skb, struct genl_info *info)
{
	int ret = need_segment(info);

	return ret ? ret : reply(info, true, fill_migration);
}
