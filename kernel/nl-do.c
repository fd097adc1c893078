// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests that change something: migrate, abort, throttle, state of a member.
 */
#include "migrate.h"
#include "netlink.h"

/* -EINVAL with a sentence if one is missing. */
static int need(struct genl_info *info, int attr, const char *what)
{
	if (!GENL_REQ_ATTR_CHECK(info, attr))
		return 0;
	NL_SET_ERR_MSG_FMT(info->extack, "the request names no %s", what);
	return -EINVAL;
}

static bool get_u32(struct genl_info *info, int attr, u32 *value)
{
	if (!info->attrs[attr])
		return false;
	*value = nla_get_u32(info->attrs[attr]);
	return true;
}

static bool get_u64(struct genl_info *info, int attr, u64 *value)
{
	if (!info->attrs[attr])
		return false;
	*value = nla_get_u64(info->attrs[attr]);
	return true;
}

/* Do they exist? Then they do as long as the pool is alive. */
static int check(struct genl_info *info, const u32 *seg, const u32 *member)
{
	struct ads_pool *pool = ads_nl_pool(info);
	int ret = ads_nl_lock(pool, info->extack);

	if (ret)
		return ret;
	if (seg)
		ret = ads_nl_check_segment(pool, *seg, info->extack);
	if (!ret && member)
		ret = ads_nl_check_member(pool, *member, info->extack);
	mutex_unlock(&pool->lock);
	return ret;
}

/* What all operations have: segment, destination, priority, cookie. */
static int get_op(struct genl_info *info, struct ads_op *op)
{
	int ret = need(info, ADSHARD_A_SEGMENT, "segment");

	if (!ret)
		ret = need(info, ADSHARD_A_DST_MEMBER, "destination");
	if (ret)
		return ret;
	op->seg = nla_get_u32(info->attrs[ADSHARD_A_SEGMENT]);
	op->dst = nla_get_u32(info->attrs[ADSHARD_A_DST_MEMBER]);
	op->src = ADS_ALL;
	get_u32(info, ADSHARD_A_PRIORITY, &op->priority);
	get_u64(info, ADSHARD_A_COOKIE, &op->cookie);
	return check(info, &op->seg, &op->dst);
}

int ads_nl_migrate(struct sk_buff *skb, struct genl_info *info)
{
	struct ads_op op = { .kind = ADSHARD_KIND_MOVE };
	int ret = get_op(info, &op);

	if (!ret && get_u32(info, ADSHARD_A_SRC_MEMBER, &op.src))
		ret = check(info, NULL, &op.src);
	return ret ?: ads_mig_queue(ads_nl_pool(info), &op, info->extack);
}

int ads_nl_replicate(struct sk_buff *skb, struct genl_info *info)
{
	struct ads_op op = { .kind = ADSHARD_KIND_ADD };
	int ret = get_op(info, &op);

	return ret ?: ads_mig_queue(ads_nl_pool(info), &op, info->extack);
}

int ads_nl_drop(struct sk_buff *skb, struct genl_info *info)
{
	u32 seg, member;
	int ret;

	ret = need(info, ADSHARD_A_SEGMENT, "segment");
	if (!ret)
		ret = need(info, ADSHARD_A_MEMBER, "member");
	if (ret)
		return ret;
	seg = nla_get_u32(info->attrs[ADSHARD_A_SEGMENT]);
	member = nla_get_u32(info->attrs[ADSHARD_A_MEMBER]);
	ret = check(info, &seg, &member);
	return ret ?: ads_set_drop(ads_nl_pool(info), seg, member, true,
				   info->extack);
}

int ads_nl_renew(struct sk_buff *skb, struct genl_info *info)
{
	u32 seg, member;
	int ret;

	ret = need(info, ADSHARD_A_SEGMENT, "segment");
	if (!ret)
		ret = need(info, ADSHARD_A_DST_MEMBER, "destination");
	if (ret)
		return ret;
	seg = nla_get_u32(info->attrs[ADSHARD_A_SEGMENT]);
	member = nla_get_u32(info->attrs[ADSHARD_A_DST_MEMBER]);
	ret = check(info, &seg, &member);
	return ret ?: ads_seg_renew(ads_nl_pool(info), seg, member,
				    info->extack);
}

int ads_nl_set_segment(struct sk_buff *skb, struct genl_info *info)
{
	struct ads_pool *pool = ads_nl_pool(info);
	u32 seg, wanted, last, count = 1;
	int ret;

	ret = need(info, ADSHARD_A_SEGMENT, "segment");
	if (!ret)
		ret = need(info, ADSHARD_A_WANTED, "number of legs");
	if (ret)
		return ret;
	seg = nla_get_u32(info->attrs[ADSHARD_A_SEGMENT]);
	wanted = nla_get_u32(info->attrs[ADSHARD_A_WANTED]);
	get_u32(info, ADSHARD_A_COUNT, &count);
	/* The policy has seen to it that it is not 0. */
	last = seg + count - 1;
	if (last < seg)
		last = U32_MAX;
	ret = check(info, &seg, NULL);
	if (!ret)
		ret = check(info, &last, NULL);
	return ret ?: ads_set_want(pool, seg, count, wanted, info->extack);
}

int ads_nl_abort(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *seg_attr = info->attrs[ADSHARD_A_SEGMENT];
	struct nlattr *member_attr = info->attrs[ADSHARD_A_MEMBER];
	u32 seg = ADS_ALL, member = ADS_ALL;
	int ret;

	if (seg_attr && member_attr) {
		NL_SET_ERR_MSG(info->extack,
			       "either a segment or a member, not both");
		return -EINVAL;
	}
	if (seg_attr)
		seg = nla_get_u32(seg_attr);
	if (member_attr)
		member = nla_get_u32(member_attr);
	/* Also keeps ADS_ALL itself out. */
	ret = check(info, seg_attr ? &seg : NULL, member_attr ? &member : NULL);
	if (ret)
		return ret;

	ret = ads_mig_abort(ads_nl_pool(info), seg, member);
	if (ret == -ENOENT)
		NL_SET_ERR_MSG_FMT(info->extack, "segment %u is not migrating",
				   seg);
	return min(ret, 0);
}

/* Limits -------------------------------------------------------------------*/

static void set_member_limits(struct ads_member *mb,
			      const struct ads_limit_change *lim)
{
	int dir;

	for (dir = 0; dir < 2; dir++) {
		if (lim->has_bps[dir])
			mb->limit[dir].bps = lim->bps[dir];
		if (lim->has_active_max[dir])
			mb->limit[dir].active_max = lim->active_max[dir];
	}
	if (lim->has_floor)
		mb->pace.floor = lim->floor;
	if (lim->has_latency)
		WRITE_ONCE(mb->pace.latency_ns, lim->latency_ns);
	if (lim->has_bps[0] || lim->has_bps[1] || lim->has_floor ||
	    lim->has_latency)
		ads_pace_set(mb);
}

/* A guarantee of more than is allowed? */
static int check_floor(struct ads_member *mb, const struct ads_limit_change *lim,
		       struct netlink_ext_ack *extack)
{
	u64 floor = lim->has_floor ? lim->floor : mb->pace.floor;
	u64 bps;
	int dir;

	for (dir = 0; dir < 2; dir++) {
		bps = lim->has_bps[dir] ? lim->bps[dir] : mb->limit[dir].bps;
		if (bps && floor > bps) {
			NL_SET_ERR_MSG_FMT(extack,
					   "member %u: a floor of %llu is above its limit of %llu bytes per second",
					   mb->index, floor, bps);
			return -EINVAL;
		}
	}
	return 0;
}

static int check_limits(struct ads_pool *pool, const struct ads_limit_change *lim,
			struct netlink_ext_ack *extack)
{
	int dir, ret;
	u32 i;

	if (!lim->has_bps[0] && !lim->has_bps[1] &&
	    !lim->has_active_max[0] && !lim->has_active_max[1] &&
	    !lim->has_max_active && !lim->has_paused && !lim->has_slow_ns &&
	    !lim->has_floor && !lim->has_latency) {
		NL_SET_ERR_MSG(extack, "the request changes no limit");
		return -EINVAL;
	}
	if (lim->one && (lim->has_max_active || lim->has_paused ||
			 lim->has_slow_ns)) {
		NL_SET_ERR_MSG(extack,
			       "MAX_ACTIVE, PAUSED and SLOW_NS are of the pool, not of a member");
		return -EINVAL;
	}
	for (dir = 0; dir < 2; dir++)
		if (lim->has_active_max[dir] && !lim->active_max[dir])
			return -ERANGE;
	if (lim->has_max_active && !lim->max_active)
		return -ERANGE;
	ret = lim->one ? ads_nl_check_member(pool, lim->member, extack) : 0;
	if (ret)
		return ret;
	for (i = 0; i < pool->nr_members; i++) {
		if (lim->one && i != lim->member)
			continue;
		ret = check_floor(&pool->members[i], lim, extack);
		if (ret)
			return ret;
	}
	return 0;
}

int ads_limits_set(struct ads_pool *pool, const struct ads_limit_change *lim,
		   struct netlink_ext_ack *extack)
{
	struct ads_mig *m;
	u32 i;
	int ret;

	ret = ads_nl_lock(pool, extack);
	if (ret)
		return ret;
	ret = check_limits(pool, lim, extack);
	if (ret)
		goto out;

	spin_lock(&pool->throttle_lock);
	for (i = 0; i < pool->nr_members; i++)
		if (!lim->one || i == lim->member)
			set_member_limits(&pool->members[i], lim);
	spin_unlock(&pool->throttle_lock);
	if (lim->has_max_active)
		pool->max_active = lim->max_active;
	if (lim->has_slow_ns)
		WRITE_ONCE(pool->slow_ns, lim->slow_ns);
	if (lim->has_paused)
		WRITE_ONCE(pool->paused, lim->paused);

	/* Who waits for an old limit shall ask for the new one. */
	list_for_each_entry(m, &pool->active, node)
		ads_jobs_hurry(m);
	ads_mig_start_queued(pool);
	mutex_unlock(&pool->lock);
	if (lim->has_paused && !lim->paused)
		ads_mig_unpark(pool);
	return 0;
out:
	mutex_unlock(&pool->lock);
	return ret;
}

int ads_nl_throttle(struct sk_buff *skb, struct genl_info *info)
{
	struct ads_limit_change lim = {
		.has_paused = info->attrs[ADSHARD_A_PAUSED],
	};

	lim.one = get_u32(info, ADSHARD_A_MEMBER, &lim.member);
	lim.has_bps[0] = get_u64(info, ADSHARD_A_SRC_BPS, &lim.bps[0]);
	lim.has_bps[1] = get_u64(info, ADSHARD_A_DST_BPS, &lim.bps[1]);
	lim.has_active_max[0] = get_u32(info, ADSHARD_A_SRC_ACTIVE_MAX,
					&lim.active_max[0]);
	lim.has_active_max[1] = get_u32(info, ADSHARD_A_DST_ACTIVE_MAX,
					&lim.active_max[1]);
	lim.has_max_active = get_u32(info, ADSHARD_A_MAX_ACTIVE,
				     &lim.max_active);
	lim.has_slow_ns = get_u64(info, ADSHARD_A_SLOW_NS, &lim.slow_ns);
	lim.has_floor = get_u64(info, ADSHARD_A_FLOOR_BPS, &lim.floor);
	lim.has_latency = get_u64(info, ADSHARD_A_LATENCY_NS, &lim.latency_ns);
	if (lim.has_paused)
		lim.paused = nla_get_u8(info->attrs[ADSHARD_A_PAUSED]);
	return ads_limits_set(ads_nl_pool(info), &lim, info->extack);
}

/* A member ------------------------------------------------------------------*/

static void explain_set_member(struct ads_pool *pool, u32 member, int err,
			       struct netlink_ext_ack *extack)
{
	u32 nr;

	switch (err) {
	case -ENOTEMPTY:
		if (ads_pool_lock(pool))
			break;
		nr = READ_ONCE(pool->members[member].nr_owned);
		mutex_unlock(&pool->lock);
		NL_SET_ERR_MSG_FMT(extack, "member %u holds the only leg in sync of %u segments",
				   member, nr);
		break;
	case -EHOSTDOWN:
		NL_SET_ERR_MSG_FMT(extack, "member %u has failed", member);
		break;
	case -ENODEV:
		NL_SET_ERR_MSG_FMT(extack, "member %u is missing", member);
		break;
	case -EROFS:
	case -EOWNERDEAD:
		NL_SET_ERR_MSG(extack, "the pool takes no metadata changes");
		break;
	case -EBUSY:
		NL_SET_ERR_MSG_FMT(extack,
				   "member %u alone has metadata, or its segments are busy",
				   member);
		break;
	case -EINVAL:
		NL_SET_ERR_MSG_FMT(extack,
				   "member %u can't go from its state to this one",
				   member);
		break;
	}
}

/* NULL without one; an error if it is none. */
static const char *get_label(struct genl_info *info, int attr)
{
	const struct nlattr *nla = info->attrs[attr];

	if (!nla)
		return NULL;
	/* The policy has seen to its end and length. */
	if (ads_label_ok(nla_data(nla)))
		return nla_data(nla);
	NL_SET_ERR_MSG_ATTR(info->extack, nla,
			    "a label is letters, digits and \"-_.+:/\"");
	return ERR_PTR(-EINVAL);
}

static int get_member_change(struct genl_info *info,
			     struct ads_member_change *chg)
{
	struct nlattr **attrs = info->attrs;
	u32 value;

	if (get_u32(info, ADSHARD_A_MEMBER_STATE, &value))
		chg->state = value;
	if (chg->state == ADSHARD_MEMBER_DRAINED) {
		NL_SET_ERR_MSG_ATTR(info->extack, attrs[ADSHARD_A_MEMBER_STATE],
				    "a draining member becomes drained by itself");
		return -EINVAL;
	}
	chg->has_class = get_u32(info, ADSHARD_A_CLASS, &value);
	if (chg->has_class)
		chg->class = value;
	chg->has_cost = get_u32(info, ADSHARD_A_COST, &chg->cost);
	chg->has_weight = get_u32(info, ADSHARD_A_WEIGHT, &chg->weight);
	chg->has_spare = attrs[ADSHARD_A_SPARE];
	if (chg->has_spare)
		chg->spare = nla_get_u8(attrs[ADSHARD_A_SPARE]);
	chg->domain = get_label(info, ADSHARD_A_DOMAIN);
	if (IS_ERR(chg->domain))
		return PTR_ERR(chg->domain);
	chg->location = get_label(info, ADSHARD_A_LOCATION);
	if (IS_ERR(chg->location))
		return PTR_ERR(chg->location);
	if (chg->state || chg->has_class || chg->has_cost || chg->has_weight ||
	    chg->has_spare || chg->domain || chg->location)
		return 0;
	NL_SET_ERR_MSG(info->extack,
		       "the request names no state, nor anything else to set");
	return -EINVAL;
}

int ads_nl_set_member(struct sk_buff *skb, struct genl_info *info)
{
	struct ads_pool *pool = ads_nl_pool(info);
	struct ads_member_change chg = { };
	u32 member;
	int ret;

	ret = need(info, ADSHARD_A_MEMBER, "member");
	if (!ret)
		ret = get_member_change(info, &chg);
	if (ret)
		return ret;
	member = nla_get_u32(info->attrs[ADSHARD_A_MEMBER]);
	ret = check(info, NULL, &member);
	if (ret)
		return ret;
	ret = ads_pool_set_member(pool, member, &chg);
	if (ret)
		explain_set_member(pool, member, ret, info->extack);
	return ret;
}
