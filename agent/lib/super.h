/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Superblocks of members (uapi/linux/adshard-format.h).
 */
#ifndef ADS_SUPER_H
#define ADS_SUPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/adshard-format.h>

#include "err.h"

/* Bytes from the start of the device that hold both copies. */
#define ADS_SUPER_BYTES		((ADSHARD_SB_BLOCK1 + 1) * ADSHARD_BLOCK_SIZE)

/* A superblock in the host's byte order; names as in struct adshard_super. */
struct ads_super {
	uint32_t version;
	uint64_t compat, ro_compat, incompat;
	uint64_t sb_seq;
	uint8_t pool_uuid[ADSHARD_UUID_SIZE];
	uint8_t member_uuid[ADSHARD_UUID_SIZE];
	char pool_name[ADSHARD_NAME_SIZE];	/* may be empty */
	uint64_t created;			/* seconds since the epoch */
	uint64_t member_sectors;
	uint64_t data_start;			/* sector */
	uint32_t data_chunks;
	uint32_t member_index;
	unsigned int segment_shift, chunk_shift;	/* log2 of sectors */
	uint32_t logical_block_size;
	uint32_t journal_block, journal_blocks;
	uint32_t table_block[2], table_blocks;
	uint32_t max_members, max_segments, max_bad_blocks;
	uint32_t nr_meta;
	uint8_t meta_uuid[ADSHARD_META_MEMBERS][ADSHARD_UUID_SIZE];
	unsigned int copies;		/* bit 0, 1: which copies are valid */
};

/*
 * crc32c as in the format: reflected, no final inversion; start with ~0.
 * "123456789" gives 0x1cf96d7c.
 */
uint32_t ads_crc32c(uint32_t crc, const void *buf, size_t len);

/*
 * Checksum of one metadata block with its seed; the 4 bytes at @crc_offset are
 * taken as zero.
 */
uint32_t ads_block_crc(const uint8_t *pool_uuid, const uint8_t *member_uuid,
		       uint64_t block, const void *data, size_t crc_offset);

/*
 * Parses the first ADS_SUPER_BYTES of a device of @dev_size bytes. @dev is its
 * name, for the sentence.
 *
 *	0		*sb is filled in
 *	-ENODATA	no copy has the magic: not a member
 *	-EBADMSG	a member, but no copy is whole
 *	-EPROTONOSUPPORT	version or incompatible feature of a later adshard
 *	-EINVAL		the checksum is right but a field makes no sense
 *	-ENOSPC		the device is smaller than when it was formatted
 *
 * With the last three *sb is filled in as well (identity is valid).
 */
int ads_super_parse(const void *head, uint64_t dev_size, const char *dev,
		    struct ads_super *sb, struct ads_err *err);

/* The same, reading from an open device or image; -EIO if that fails. */
int ads_super_read(int fd, const char *dev, struct ads_super *sb,
		   struct ads_err *err);

#endif
