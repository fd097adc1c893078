/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looking for members among the machine's block devices.
 *
 * Devices are read by a child process, 16 KiB each; one that doesn't answer in
 * time is reported and left behind, and the scan goes on.
 */
#ifndef ADS_SCAN_H
#define ADS_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "super.h"

enum ads_scan_verdict {
	ADS_SCAN_MEMBER,	/* a whole superblock */
	ADS_SCAN_NONE,		/* not a member; listed only if asked for by name */
	ADS_SCAN_DAMAGED,	/* a member whose superblock can't be used */
	ADS_SCAN_DUPLICATE,	/* same member UUID as another device */
	ADS_SCAN_ERROR,		/* couldn't be read */
};

struct ads_scan_dev {
	char *path;
	uint32_t major, minor;		/* 0:0 for an image file */
	uint64_t size;
	enum ads_scan_verdict verdict;
	int rc;				/* of reading it; 0 or -errno */
	bool has_super;			/* @sb's identity is valid */
	struct ads_super sb;
	char *problem;			/* a sentence, NULL if all is well */
};

struct ads_scan_pool {
	uint8_t uuid[ADSHARD_UUID_SIZE];
	char name[ADSHARD_NAME_SIZE];
	struct ads_scan_dev **dev;	/* its devices, by member index; points
					 * into ads_scan.dev */
	size_t nr_dev;
	uint64_t segment_size, chunk_size;
	/*
	 * Members that must exist but were not seen: indexes below the highest
	 * one seen. @meta_missing: how many of the metadata members that the
	 * newest superblock names were not seen.
	 */
	uint32_t *missing;
	size_t nr_missing;
	unsigned int meta_missing;
	bool duplicate;			/* some device is ADS_SCAN_DUPLICATE */
};

struct ads_scan {
	struct ads_scan_dev *dev;
	size_t nr_dev;
	struct ads_scan_pool *pool;
	size_t nr_pool;
};

/*
 * Reads the devices (or image files) in @paths, or, with @nr 0, all of the
 * machine's block devices but those that can't be members: no medium, loops
 * without a file, mapped devices that are volumes of adshard. 0 or -errno; a
 * device that fails is part of the result, not an error of the scan.
 */
int ads_scan(const char *const *paths, size_t nr, struct ads_scan **out,
	     struct ads_err *err);
void ads_scan_free(struct ads_scan *s);

/* By UUID as text or by name. -ENOENT; -ENOTUNIQ if two pools share the name. */
int ads_scan_find(struct ads_scan *s, const char *pool,
		  struct ads_scan_pool **out, struct ads_err *err);

#endif
