// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdbool.h>

#include <linux/adshard-format.h>

#include "layout.h"

#define MIB	(1ULL << 20)

static uint64_t div_up(uint64_t a, uint64_t b)
{
	return a / b + !!(a % b);
}

int ads_layout(uint64_t size, uint64_t segment_size, struct ads_layout *l)
{
	uint64_t segments = div_up(size, segment_size), max, blocks;

	if (!segments || segments > ADSHARD_MAX_SEGMENTS)
		return -EFBIG;
	max = 4 * segments;
	if (max < 1024)
		max = 1024;
	if (max > ADSHARD_MAX_SEGMENTS)
		max = ADSHARD_MAX_SEGMENTS;
	l->nr_segments = segments;
	l->max_segments = max;
	l->table_blocks = 1 + div_up(ADS_LAYOUT_MAX_MEMBERS,
				     ADSHARD_MEMBERS_PER_BLOCK) +
			  div_up(max, ADSHARD_SEGMENTS_PER_BLOCK) +
			  ADS_LAYOUT_BAD_BLOCKS;
	blocks = ADSHARD_JOURNAL_BLOCK + ADSHARD_JOURNAL_BLOCKS +
		 2 * (uint64_t)l->table_blocks;
	l->data_start = div_up(blocks * ADSHARD_BLOCK_SIZE, MIB) * MIB;
	return 0;
}

uint32_t ads_layout_slots(const struct ads_layout *l, uint64_t dev_size,
			  uint64_t segment_size)
{
	uint64_t slots;

	if (dev_size <= l->data_start)
		return 0;
	slots = (dev_size - l->data_start) / segment_size;
	return slots > ADSHARD_MAX_SEGMENTS ? ADSHARD_MAX_SEGMENTS : slots;
}

/*
 * Do the devices carry @segments and leave the reserve free? No device has more than
 * one copy of a segment, so what it has beyond one slot for each is of no use; and
 * that is all there is to it: filled one after the other, going round, no two copies
 * of a segment meet.
 */
static bool fits(const uint64_t *dev_size, unsigned int nr,
		 uint64_t segment_size, unsigned int copies, uint32_t reserve,
		 uint64_t segments, struct ads_layout *l)
{
	uint64_t total = 0, useful = 0, largest = 0;

	if (ads_layout(segments * segment_size, segment_size, l))
		return false;
	for (unsigned int i = 0; i < nr; i++) {
		uint64_t slots = ads_layout_slots(l, dev_size[i],
						  segment_size);
		uint64_t some = slots < segments ? slots : segments;

		total += slots;
		useful += some;
		if (some > largest)
			largest = some;
	}
	if (reserve == ADS_RESERVE_AUTO)
		return copies * segments + largest <= useful;
	return copies * segments <= useful &&
	       copies * segments + reserve <= total;
}

uint32_t ads_layout_max_segments(const uint64_t *dev_size, unsigned int nr,
				 uint64_t segment_size, unsigned int copies,
				 uint32_t reserve, struct ads_layout *l)
{
	uint64_t low = 0, high = ADSHARD_MAX_SEGMENTS;

	/* More segments need larger tables and leave fewer slots: bisect. */
	while (low < high) {
		uint64_t mid = low + (high - low + 1) / 2;

		if (fits(dev_size, nr, segment_size, copies, reserve, mid, l))
			low = mid;
		else
			high = mid - 1;
	}
	if (low)
		fits(dev_size, nr, segment_size, copies, reserve, low, l);
	return low;
}
