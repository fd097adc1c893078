/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The only file that looks at kernel versions: Linux 6.1 to 6.12.
 */
#ifndef ADS_COMPAT_H
#define ADS_COMPAT_H

#include <linux/blkdev.h>
#include <linux/device-mapper.h>
#include <linux/version.h>
#include <net/genetlink.h>

/* 6.2 split struct genl_ops for ->pre_doit(). */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
#define ads_genl_ops	genl_split_ops
#else
#define ads_genl_ops	genl_ops
#endif

static inline struct nlattr **ads_dump_attrs(struct netlink_callback *cb)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0)
	return genl_info_dump(cb)->attrs;
#else
	return genl_dumpit_info(cb)->attrs;
#endif
}

/* 6.1.68 and 6.6.7 can keep the unprivileged from listening. */
#ifdef GENL_MCAST_CAP_SYS_ADMIN
#define ADS_MCGRP(group)	{ .name = group, \
				  .flags = GENL_MCAST_CAP_SYS_ADMIN }
#else
#define ADS_MCGRP(group)	{ .name = group }
#endif

/* 6.2 gave struct netlink_ext_ack room for a formatted sentence: extack.c */
#ifndef NL_SET_ERR_MSG_FMT
#define ADS_EXTACK_SLOTS	64
__printf(2, 3)
void ads_extack_fmt(struct netlink_ext_ack *extack, const char *fmt, ...);
#define NL_SET_ERR_MSG_FMT(extack, fmt, args...) \
	ads_extack_fmt(extack, fmt, ##args)
#endif

/*
 * Pages under write must not change while they are being mirrored: the legs
 * would differ. 6.1 wants to know in the constructor, 6.12 in ->io_hints().
 */
static inline void ads_ctr_stable_writes(struct dm_target *ti)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 11, 0)
	ti->needs_stable_writes = true;
#endif
}

static inline void ads_hint_stable_writes(struct queue_limits *limits)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 11, 0)
	limits->features |= BLK_FEAT_STABLE_WRITES;
#endif
}

#endif /* ADS_COMPAT_H */
