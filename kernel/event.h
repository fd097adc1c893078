/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Multicast events, numbered by pool. See uapi/linux/dm-adshard.h.
 */
#ifndef ADS_EVENT_H
#define ADS_EVENT_H

#include <linux/dm-adshard.h>

struct ads_pool;
struct ads_mig;
struct work_struct;

/*
 * All from process context that may sleep (GFP_NOIO inside), holding no
 * spinlock; under pool->lock is fine.
 */
void ads_event_pool(struct ads_pool *pool, enum adshard_event type,
		    const char *text);
void ads_event_member(struct ads_pool *pool, enum adshard_event type,
		      u16 member, const char *text);
void ads_event_leg(struct ads_pool *pool, enum adshard_event type, u32 seg,
		   u16 member);
/* @err: negative errno or 0. */
void ads_event_mig(struct ads_mig *m, enum adshard_event type, int err,
		   const char *text);

/* Number of the last event. Takes a mutex, as the above. */
u64 ads_event_seq(struct ads_pool *pool);

/* Work function of pool->error_work: MEMBER_ERROR events that are due. */
void ads_error_work(struct work_struct *work);

/* Module exit, when there is no pool and no family any more. */
void ads_event_exit(void);

int ads_netlink_init(void);
void ads_netlink_exit(void);

#endif /* ADS_EVENT_H */
