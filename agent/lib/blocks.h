/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Metadata blocks of one device or image file: read what can be read, and look
 * at it as it would be after changes that have not been written yet.
 */
#ifndef ADS_BLOCKS_H
#define ADS_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

/* One changed block. @phase: those of a lower one must be durable before. */
struct ads_change {
	uint64_t block;
	unsigned int phase;
	void *data;			/* 4 KiB, aligned */
};

struct ads_blocks {
	char *path;
	int fd;
	uint32_t major, minor;		/* 0:0 for a file */
	uint64_t size;			/* bytes */
	uint32_t logical_block_size;	/* 512 for a file */
	struct ads_change *change;	/* what reads show instead */
	size_t nr_change;
};

/* @write: exclusively, so that a device in use is refused with -EBUSY. */
int ads_blocks_open(const char *path, bool write, struct ads_blocks **out,
		    struct ads_err *err);
void ads_blocks_close(struct ads_blocks *b);		/* NULL is fine */

/* 4 KiB-aligned memory, zeroed. Ends the program if there is none. */
void *ads_blocks_alloc(size_t nr);

/*
 * Reads @nr blocks. What can't be read (or lies behind the end) is zero, and
 * its place in @bad, if that is not NULL, true. Returns how many that were.
 */
uint32_t ads_blocks_read(struct ads_blocks *b, uint64_t block, uint32_t nr,
			 void *buf, bool *bad);

/* One block as it is on the device, changes or not; -EIO. */
int ads_blocks_read_device(struct ads_blocks *b, uint64_t block, void *buf);

/* From now on reads show @data (copied) in the place of @block. */
void ads_blocks_change(struct ads_blocks *b, uint64_t block,
		       unsigned int phase, const void *data);
/* Forgets the changes. */
void ads_blocks_revert(struct ads_blocks *b);

/* Writes a block and, with ads_blocks_sync(), has it on stable media. */
int ads_blocks_write(struct ads_blocks *b, uint64_t block, const void *data,
		     struct ads_err *err);
int ads_blocks_sync(struct ads_blocks *b, struct ads_err *err);

#endif
