/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where things lie on a member: the one place in user space that knows how the
 * kernel lays out a new pool.
 */
#ifndef ADS_LAYOUT_H
#define ADS_LAYOUT_H

#include <stdint.h>

#include "err.h"

#define ADS_LAYOUT_MAX_MEMBERS		1024
#define ADS_LAYOUT_BAD_BLOCKS		64

struct ads_layout {
	uint32_t nr_segments;		/* of the volume */
	uint32_t max_segments;		/* room in the tables */
	uint32_t table_blocks;		/* of one table area */
	uint64_t data_start;		/* bytes */
};

/* Layout of a volume of @size bytes. -EFBIG beyond 2^24 segments. */
int ads_layout(uint64_t size, uint64_t segment_size, struct ads_layout *out);

/* Slots of a member of @dev_size bytes. */
uint32_t ads_layout_slots(const struct ads_layout *l, uint64_t dev_size,
			  uint64_t segment_size);

/*
 * The largest volume in segments that, with @copies of each on as many devices,
 * fits the given ones and leaves @reserve slots free; UINT32_MAX as reserve means
 * "what lets any one member be evacuated". 0 if not a single segment fits. *layout
 * is that of the result.
 */
uint32_t ads_layout_max_segments(const uint64_t *dev_size, unsigned int nr,
				 uint64_t segment_size, unsigned int copies,
				 uint32_t reserve, struct ads_layout *layout);

#define ADS_RESERVE_AUTO	UINT32_MAX

#endif
