/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mapped devices, by libdevmapper.
 *
 * Where no udev runs, libdevmapper makes the nodes in /dev/mapper itself;
 * otherwise calls wait for udev to have finished.
 */
#ifndef ADS_DM_H
#define ADS_DM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

#define ADS_DM_UUID_PREFIX	"ADSHARD-"

struct ads_dm_dev {
	char name[128];
	char uuid[160];
	uint32_t major, minor;
	bool exists;
	bool suspended;
	bool live_table;
	uint32_t open_count;
};

/*
 * Creates @name with one line of the target "adshard" and resumes it. If the
 * kernel refuses, nothing is left behind. @uuid is the DM UUID.
 */
int ads_dm_create(const char *name, const char *uuid, uint64_t sectors,
		  const char *params, bool readonly, struct ads_err *err);
/*
 * Another line for the volume @name, which has the line @old. If it can't be
 * resumed with it, it gets the old one back: its users have waited, no more. The
 * sentence says so if not even that was possible.
 */
struct ads_dm_line {
	uint64_t sectors;
	const char *params;
};

int ads_dm_reload(const char *name, const struct ads_dm_line *line,
		  const struct ads_dm_line *old, struct ads_err *err);
int ads_dm_suspend(const char *name, struct ads_err *err);
int ads_dm_resume(const char *name, struct ads_err *err);
int ads_dm_remove(const char *name, struct ads_err *err); /* -EBUSY if open */

/* *out->exists is false if there is no such device. */
int ads_dm_info(const char *name, struct ads_dm_dev *out, struct ads_err *err);

/* The line after "adshard": for the caller to free(). -ENOENT, -EMEDIUMTYPE. */
int ads_dm_status(const char *name, char **line, struct ads_err *err);
int ads_dm_table(const char *name, char **line, uint64_t *sectors,
		 struct ads_err *err);

/* All devices whose UUID starts with ADS_DM_UUID_PREFIX; free() *out. */
int ads_dm_list(struct ads_dm_dev **out, size_t *n, struct ads_err *err);

/* Is the target known to the kernel? 1, 0 or -errno. */
int ads_dm_target_present(struct ads_err *err);

#endif
