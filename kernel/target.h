/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The device-mapper side: one per table.
 */
#ifndef ADS_TARGET_H
#define ADS_TARGET_H

#include <linux/device-mapper.h>

#include "meta.h"

struct ads_pool;

/**
 * struct ads_dev - one device of the table line
 * @data_start, @data_len: sectors that segments may use; what ->map() sends
 */
struct ads_dev {
	struct dm_dev *dev;
	sector_t data_start;
	sector_t data_len;
};

/**
 * struct ads_args - a parsed table line
 * @create:	"-": format blank members
 * @format:	for @create; the UUID of the pool in any case
 * @nr_join:	so many of the last devices are blank, and join the pool
 * @nr_spares:	so many of the last of these, as spares
 * @forget:	members without a device that leave it
 * @degraded:	activate without members that are missing and needed
 * @shrink_from: the length that the volume has, which gets shorter; 0: it doesn't
 */
struct ads_args {
	bool create;
	struct ads_format format;
	unsigned int nr_join, nr_spares;
	unsigned int nr_forget;
	u16 forget[ADS_TXN_MAX];
	u64 shrink_from;
	bool degraded;
	unsigned int nr_devs;
	char **devs;
};

/**
 * struct ads_target - a table
 * @node:	in pool->tables
 * @data_start:	where the pool's members have their data
 * @nr_join, @nr_spares, @nr_forget, @forget, @shrink_from: as in struct ads_args; 0 once it
 *		has happened
 */
struct ads_target {
	struct ads_pool *pool;
	struct list_head node;
	struct ads_format format;
	bool create;
	bool degraded;
	unsigned int nr_join, nr_spares;
	unsigned int nr_forget;
	u16 forget[ADS_TXN_MAX];
	u64 shrink_from;
	sector_t data_start;
	unsigned int logical_block_size;	/* as the members' superblocks say */
	unsigned int nr_devs;
	struct ads_dev devs[];
};

/* args.c: sets ti->error. Points into @argv. */
int ads_args_parse(struct dm_target *ti, unsigned int argc, char **argv,
		   struct ads_args *args);

#endif /* ADS_TARGET_H */
