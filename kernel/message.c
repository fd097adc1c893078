// SPDX-License-Identifier: GPL-2.0-only
/*
 * Messages: the commonest requests for those without the tools.
 */
#include <linux/device-mapper.h>
#include <linux/kstrtox.h>

#include "message.h"
#include "migrate.h"
#include "netlink.h"

/* ads_pool_lock(), but a message says -EAGAIN to "not now". */
static int lock(struct ads_pool *pool)
{
	int ret = ads_pool_lock(pool);

	return ret == -EBUSY ? -EAGAIN : ret;
}

/* Numbers of what exists; -EAGAIN if there is no telling now. */
static int parse(struct ads_pool *pool, const char *seg_arg, u32 *seg,
		 const char *member_arg, u32 *member)
{
	int ret = 0;

	if (seg_arg)
		ret = kstrtou32(seg_arg, 10, seg);
	if (!ret && member_arg)
		ret = kstrtou32(member_arg, 10, member);
	if (!ret)
		ret = lock(pool);
	if (ret)
		return ret;
	if (seg_arg)
		ret = ads_nl_check_segment(pool, *seg, NULL);
	if (!ret && member_arg)
		ret = ads_nl_check_member(pool, *member, NULL);
	mutex_unlock(&pool->lock);
	return ret;
}

static int msg_migrate(struct ads_pool *pool, char **argv)
{
	struct ads_op op = { .kind = ADSHARD_KIND_MOVE, .src = ADS_ALL };
	int ret = parse(pool, argv[1], &op.seg, argv[2], &op.dst);

	return ret ? ret : ads_mig_queue(pool, &op, NULL);
}

static int msg_replicate(struct ads_pool *pool, char **argv)
{
	struct ads_op op = { .kind = ADSHARD_KIND_ADD, .src = ADS_ALL };
	int ret = parse(pool, argv[1], &op.seg, argv[2], &op.dst);

	return ret ? ret : ads_mig_queue(pool, &op, NULL);
}

/* Waits for the record, but not for the I/O to the leg that goes. */
static int msg_drop(struct ads_pool *pool, char **argv)
{
	u32 seg, member;
	int ret = parse(pool, argv[1], &seg, argv[2], &member);

	return ret ? ret : ads_set_drop(pool, seg, member, false, NULL);
}

static int msg_abort(struct ads_pool *pool, char **argv)
{
	u32 seg = ADS_ALL;
	int ret;

	ret = parse(pool, strcasecmp(argv[1], "all") ? argv[1] : NULL, &seg,
		    NULL, NULL);
	if (ret)
		return ret;
	return min(ads_mig_abort(pool, seg, ADS_ALL), 0);
}

static int set_limits(struct ads_pool *pool, const struct ads_limit_change *lim)
{
	int ret = ads_limits_set(pool, lim, NULL);

	return ret == -EBUSY ? -EAGAIN : ret;
}

static int msg_throttle(struct ads_pool *pool, char **argv)
{
	struct ads_limit_change lim = { .has_bps = { true, true } };
	int ret = kstrtou64(argv[1], 10, &lim.bps[0]);

	lim.bps[1] = lim.bps[0];
	return ret ? ret : set_limits(pool, &lim);
}

static int msg_pause(struct ads_pool *pool, char **argv)
{
	struct ads_limit_change lim = { .has_paused = true, .paused = true };

	return set_limits(pool, &lim);
}

static int msg_resume(struct ads_pool *pool, char **argv)
{
	struct ads_limit_change lim = { .has_paused = true, .paused = false };

	return set_limits(pool, &lim);
}

/* Waits for the record on the metadata members, not for I/O of the volume. */
static int msg_member(struct ads_pool *pool, char **argv)
{
	struct ads_member_change chg = { };
	u32 member;
	int ret;

	if (!strcasecmp(argv[2], "online"))
		chg.state = ADSHARD_MEMBER_ONLINE;
	else if (!strcasecmp(argv[2], "draining"))
		chg.state = ADSHARD_MEMBER_DRAINING;
	else if (!strcasecmp(argv[2], "failed"))
		chg.state = ADSHARD_MEMBER_FAILED;
	else
		return -EINVAL;
	ret = parse(pool, NULL, NULL, argv[1], &member);
	return ret ? ret : ads_pool_set_member(pool, member, &chg);
}

static int msg_locate(struct ads_pool *pool, char **argv, char *result,
		      unsigned int maxlen)
{
	struct ads_seg_view view;
	char name[BDEVNAME_SIZE];
	struct ads_member *mb;
	unsigned int i, sz = 0;
	u32 seg;
	int ret;

	ret = parse(pool, argv[1], &seg, NULL, NULL);
	if (!ret)
		ret = lock(pool);
	if (ret)
		return ret;
	ads_seg_view(pool, seg, &view);
	for (i = 0; i < view.nr_legs; i++) {
		mb = &pool->members[view.leg[i].member];
		ads_member_name(mb, name, sizeof(name));
		DMEMIT("%s%u %s %llu", i ? " " : "", view.leg[i].member, name,
		       (u64)mb->data_start +
		       ((u64)view.leg[i].chunk << pool->chunk_shift));
	}
	mutex_unlock(&pool->lock);
	return 1;
}

static const struct {
	const char *name;
	unsigned int argc;
	int (*fn)(struct ads_pool *pool, char **argv);
} messages[] = {
	{ "migrate", 3, msg_migrate },
	{ "replicate", 3, msg_replicate },
	{ "drop", 3, msg_drop },
	{ "abort", 2, msg_abort },
	{ "throttle", 2, msg_throttle },
	{ "pause", 1, msg_pause },
	{ "resume", 1, msg_resume },
	{ "member", 3, msg_member },
};

int ads_message(struct ads_pool *pool, unsigned int argc, char **argv,
		char *result, unsigned int maxlen)
{
	int i;

	if (argc == 2 && !strcasecmp(argv[0], "locate"))
		return msg_locate(pool, argv, result, maxlen);
	for (i = 0; i < ARRAY_SIZE(messages); i++)
		if (argc == messages[i].argc &&
		    !strcasecmp(argv[0], messages[i].name))
			return messages[i].fn(pool, argv);
	DMWARN("unknown message or wrong number of arguments: %s", argv[0]);
	return -EINVAL;
}
