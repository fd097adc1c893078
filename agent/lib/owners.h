/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which files lie in ranges of a device: every file of its file system is asked
 * where it lies (FIEMAP), and what meets a range is kept.
 *
 * Memory goes by what is found, and 16 bytes for each file with more than one
 * name; never by the number of files.
 */
#ifndef ADS_OWNERS_H
#define ADS_OWNERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

#define ADS_OWNER_DIRECTORY	0x1	/* the list of names, not a file's data */
#define ADS_OWNER_SHARED	0x2	/* with other files, or snapshots */
#define ADS_OWNER_UNWRITTEN	0x4	/* set aside: read without the device */

struct ads_owner_range {
	uint64_t start, end;		/* bytes of the device */
};

/* A piece of a file that lies in one of the ranges. */
struct ads_owner {
	uint64_t offset, length;	/* on the device */
	uint64_t file_offset;
	const char *path;
	unsigned int flags;		/* ADS_OWNER_* */
};

struct ads_owners {
	struct ads_owner_range *range;	/* sorted, none touches another one */
	size_t nr_range;
	struct ads_owner *v;		/* after a walk: by offset, then path */
	size_t nr, cap;
	char **path;			/* those that are named in @v */
	size_t nr_path;
	uint64_t files;			/* and directories, that were asked */
	uint64_t failed;		/* that could not be */
	char why[256];			/* the first of these */
	struct {
		uint64_t *ino;
		size_t n, cap;
	} seen;				/* with more than one name */
};

/* Ranges in any order; they may overlap. -ENOMEM. */
int ads_owners_init(struct ads_owners *o, const struct ads_owner_range *r,
		    size_t nr);
void ads_owners_free(struct ads_owners *o);

/*
 * Asks every file below the directory open as @fd, which is on the device, and
 * closes it; @top is its path. Other file systems mounted below are left alone.
 * @stop may end it early: -EINTR. -EOPNOTSUPP: this file system can't say where
 * its files lie.
 */
int ads_owners_walk(struct ads_owners *o, int fd, const char *top,
		    bool (*stop)(void), struct ads_err *err);

/*
 * Every piece of [@start, @end), which is within one of the ranges, in order:
 * with its owner, or NULL for what belongs to no file. What several files share
 * comes once for each of them.
 */
typedef void (*ads_owner_fn)(uint64_t start, uint64_t end,
			     const struct ads_owner *owner, void *arg);
void ads_owners_each(const struct ads_owners *o, uint64_t start, uint64_t end,
		     ads_owner_fn fn, void *arg);

#endif
