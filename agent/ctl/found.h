/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A pool as found on the devices: superblocks and metadata put together.
 */
#ifndef CTL_FOUND_H
#define CTL_FOUND_H

#include "lib/meta.h"
#include "lib/scan.h"

#include "ctl.h"

struct found_missing {
	uint32_t index;
	uint32_t state;			/* 0: not known */
};

struct found {
	struct ads_scan_pool *pool;
	struct ads_meta *meta;		/* the newest; NULL if none can be read */
	char no_meta[256];		/* why not */
	/*
	 * By place in pool->dev: why the device is not to be used, or NULL.
	 */
	char **problem;
	struct found_missing *missing;
	size_t nr_missing;
	/* Members that are missing, not drained or failed: an obstacle. */
	size_t nr_needed;
	char volume[128];		/* name of the mapped device, or "" */
};

int found_make(struct ads_scan_pool *pool, struct found *f);
void found_free(struct found *f);

const char *found_name(const struct found *f, char buf[37]);

#endif
