/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is on a device before it becomes a member.
 */
#ifndef ADS_BLANK_H
#define ADS_BLANK_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"

enum ads_blank_verdict {
	ADS_BLANK_CLEAN,	/* nothing found, the head is all zero */
	ADS_BLANK_DIRTY,	/* something that --wipe may remove */
	ADS_BLANK_BUSY,		/* in use: not even --wipe */
};

struct ads_blank {
	enum ads_blank_verdict verdict;
	uint64_t size;			/* bytes */
	uint32_t logical_block_size;
	char what[384];			/* "holds an ext4 file system 'data'" */
};

/*
 * Looks at signatures, partition tables, the first 128 KiB, holders and whether
 * the device can be opened exclusively. -errno only if it can't be looked at.
 */
int ads_blank_check(const char *dev, struct ads_blank *out,
		    struct ads_err *err);

/* Erases every signature and zeroes the first 128 KiB. -EBUSY if it is in use. */
int ads_blank_wipe(const char *dev, struct ads_err *err);

#endif
