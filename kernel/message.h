/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Messages of the device-mapper target, see uapi/linux/dm-adshard.h.
 */
#ifndef ADS_MESSAGE_H
#define ADS_MESSAGE_H

struct ads_pool;

/*
 * As ->message() of a target: runs under DM's SRCU lock, which a suspend waits
 * for; so it starts work and never waits for a bio of the pool. -EAGAIN if the
 * pool is suspended or not loaded. Returns 1 with an answer in @result.
 */
int ads_message(struct ads_pool *pool, unsigned int argc, char **argv,
		char *result, unsigned int maxlen);

#endif /* ADS_MESSAGE_H */
