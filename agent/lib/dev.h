/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Block devices: numbers, paths and what sysfs says of them.
 *
 * ADSHARD_SYSFS in the environment replaces /sys (tests).
 */
#ifndef ADS_DEV_H
#define ADS_DEV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

/* What sysfs knows of a disk or partition; empty strings for what it doesn't. */
struct ads_dev_info {
	uint32_t major, minor;
	char name[64];			/* kernel name, sdb1 */
	char path[128];			/* /dev/sdb1; the mapper name for dm */
	uint64_t size;			/* bytes */
	bool partition;
	bool removable;
	bool rotational;
	bool readonly;
	char parent[64];		/* the whole disk of a partition */
	char model[64], serial[64], wwid[128];	/* of the whole disk */
	char dm_name[128], dm_uuid[160];	/* of a dm device */
};

const char *ads_sysfs(void);		/* "/sys" */

/* Numbers of the block device at @path. -ENOTBLK if it is something else. */
int ads_dev_id(const char *path, uint32_t *major, uint32_t *minor,
	       struct ads_err *err);

/* -ENODEV if there is no such device. */
int ads_dev_info(uint32_t major, uint32_t minor, struct ads_dev_info *info);

/* /dev/NAME of a number, "MAJOR:MINOR" if there is none; always terminated. */
void ads_dev_path(uint32_t major, uint32_t minor, char *buf, size_t size);

/* Size in bytes of an open block device or regular file. */
int ads_dev_size(int fd, uint64_t *size);

/*
 * Reads a one-line attribute, "block/sdb/size" below /sys, without its newline.
 */
int ads_sysfs_read(const char *path, char *buf, size_t size);

#endif
