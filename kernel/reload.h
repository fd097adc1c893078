/* SPDX-License-Identifier: GPL-2.0-only */
/* A reload while it goes on; its steps are told at the top of reload.c. */
#ifndef ADS_RELOAD_H
#define ADS_RELOAD_H

#include "meta-core.h"
#include "pool.h"
#include "target.h"

/*
 * What a table makes of the pool
 * @as:		by device: the member that it is, or ADSHARD_NO_MEMBER
 * @nr_members:	of the pool, after it
 * @join, @nr_join: the devices that join; @as says as what
 * @leave, @nr_leave: members
 */
struct ads_reload {
	struct ads_pool *pool;
	struct ads_target *at;
	u16 *as;
	u32 nr_members;
	unsigned int join[ADS_TXN_MAX], nr_join;
	u16 leave[ADS_TXN_MAX];
	unsigned int nr_leave;
	struct ads_txn txn;
	struct adshard_super raw;
	struct ads_super sb;
};

/*
 * Step 1: fills @p from its pool and its table. In ->preresume; changes nothing.
 * -E* after a message that names the device or the member.
 */
int ads_reload_plan(struct ads_reload *p);

/*
 * Why a member can't do without a device, or leave; NULL: it can. The pool's lock,
 * or in ->preresume.
 */
const char *ads_reload_needed(struct ads_pool *pool, u16 member);

#endif
