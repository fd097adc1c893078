// SPDX-License-Identifier: GPL-2.0-or-later
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <isa-l/crc.h>

#include "dev.h"
#include "super.h"
#include "text.h"

/*
 * crc32_iscsi() neither inverts its initial value nor its result, which is what
 * the format wants. Its length is an int; blocks are small.
 */
uint32_t ads_crc32c(uint32_t crc, const void *buf, size_t len)
{
	return crc32_iscsi((unsigned char *)(uintptr_t)buf, (int)len, crc);
}

uint32_t ads_block_crc(const uint8_t *pool_uuid, const uint8_t *member_uuid,
		       uint64_t block, const void *data, size_t crc_offset)
{
	static const uint8_t zero[4];
	const uint8_t *d = data;
	uint64_t le = htole64(block);
	uint32_t crc = ~0U;

	crc = ads_crc32c(crc, pool_uuid, ADSHARD_UUID_SIZE);
	crc = ads_crc32c(crc, member_uuid, ADSHARD_UUID_SIZE);
	crc = ads_crc32c(crc, &le, sizeof(le));
	crc = ads_crc32c(crc, d, crc_offset);
	crc = ads_crc32c(crc, zero, sizeof(zero));
	return ads_crc32c(crc, d + crc_offset + 4,
			  ADSHARD_BLOCK_SIZE - crc_offset - 4);
}

static bool has_magic(const struct adshard_super *d)
{
	return !memcmp(d->magic, ADSHARD_SB_MAGIC, sizeof(d->magic));
}

static bool copy_valid(const struct adshard_super *d, uint64_t block)
{
	return has_magic(d) &&
	       le32toh(d->crc) == ads_block_crc(d->pool_uuid, d->member_uuid,
						block, d,
						offsetof(struct adshard_super,
							 crc));
}

static void decode(const struct adshard_super *d, struct ads_super *sb)
{
	memset(sb, 0, sizeof(*sb));
	sb->version = le32toh(d->version);
	sb->compat = le64toh(d->compat);
	sb->ro_compat = le64toh(d->ro_compat);
	sb->incompat = le64toh(d->incompat);
	sb->sb_seq = le64toh(d->sb_seq);
	memcpy(sb->pool_uuid, d->pool_uuid, sizeof(sb->pool_uuid));
	memcpy(sb->member_uuid, d->member_uuid, sizeof(sb->member_uuid));
	memcpy(sb->pool_name, d->pool_name, sizeof(sb->pool_name));
	sb->pool_name[sizeof(sb->pool_name) - 1] = '\0';
	ads_text_clean(sb->pool_name);
	sb->created = le64toh(d->created);
	sb->member_sectors = le64toh(d->member_sectors);
	sb->data_start = le64toh(d->data_start);
	sb->data_chunks = le32toh(d->data_chunks);
	sb->member_index = le16toh(d->member_index);
	sb->segment_shift = d->segment_shift;
	sb->chunk_shift = d->chunk_shift;
	sb->logical_block_size = le32toh(d->logical_block_size);
	sb->journal_block = le32toh(d->journal_block);
	sb->journal_blocks = le32toh(d->journal_blocks);
	sb->table_block[0] = le32toh(d->table_block[0]);
	sb->table_block[1] = le32toh(d->table_block[1]);
	sb->table_blocks = le32toh(d->table_blocks);
	sb->max_members = le32toh(d->max_members);
	sb->max_segments = le32toh(d->max_segments);
	sb->max_bad_blocks = le32toh(d->max_bad_blocks);
	sb->nr_meta = le16toh(d->nr_meta);
	memcpy(sb->meta_uuid, d->meta_uuid, sizeof(sb->meta_uuid));
}

/* The bounds of the kernel, see kernel/format.h there. */
#define JOURNAL_MIN	64
#define JOURNAL_MAX	4096
#define BAD_BLOCKS_MAX	4096
#define SEQ_MAX		0x4000000000000000ULL
#define SECTORS_MAX	0x40000000000000ULL	/* bytes fit a loff_t */

static uint64_t div_up(uint64_t a, uint64_t b)
{
	return a / b + !!(a % b);
}

static bool layout_fits(const struct ads_super *sb)
{
	uint64_t area = sb->table_blocks;
	uint64_t body = div_up(sb->max_members, ADSHARD_MEMBERS_PER_BLOCK) +
			div_up(sb->max_segments, ADSHARD_SEGMENTS_PER_BLOCK) +
			sb->max_bad_blocks;

	return sb->journal_block >= ADSHARD_HEAD_BYTES / ADSHARD_BLOCK_SIZE &&
	       sb->journal_blocks >= JOURNAL_MIN &&
	       sb->journal_blocks <= JOURNAL_MAX && area > body &&
	       (uint64_t)sb->journal_block + sb->journal_blocks <=
			sb->table_block[0] &&
	       sb->table_block[0] + area <= sb->table_block[1] &&
	       (sb->table_block[1] + area) * ADSHARD_BLOCK_SECTORS <=
			sb->data_start;
}

/* In this order no sum can overflow: the size is known to be small. */
static bool data_fits(const struct ads_super *sb)
{
	return sb->data_start <= sb->member_sectors &&
	       sb->data_start % ADSHARD_BLOCK_SECTORS == 0 &&
	       (uint64_t)sb->data_chunks << sb->chunk_shift <=
			sb->member_sectors - sb->data_start &&
	       sb->data_chunks >> (sb->segment_shift - sb->chunk_shift) <=
			ADSHARD_MAX_SEGMENTS;
}

/* NULL, or the name of the first field that makes no sense. */
static const char *senseless(const struct ads_super *sb)
{
	static const uint8_t no_uuid[ADSHARD_UUID_SIZE];
	uint32_t lbs = sb->logical_block_size;

	if (!memcmp(sb->pool_uuid, no_uuid, sizeof(no_uuid)) ||
	    !memcmp(sb->member_uuid, no_uuid, sizeof(no_uuid)))
		return "UUID";
	if (sb->segment_shift < ADSHARD_SEGMENT_SHIFT_MIN ||
	    sb->segment_shift > ADSHARD_SEGMENT_SHIFT_MAX)
		return "segment size";
	if (sb->chunk_shift < ADSHARD_CHUNK_SHIFT_MIN ||
	    sb->chunk_shift > ADSHARD_CHUNK_SHIFT_MAX ||
	    sb->chunk_shift > sb->segment_shift)
		return "chunk size";
	if (lbs < 512 || lbs > ADSHARD_BLOCK_SIZE || (lbs & (lbs - 1)))
		return "logical block size";
	if (!sb->max_members || sb->max_members > ADSHARD_MAX_MEMBERS ||
	    !sb->max_segments || sb->max_segments > ADSHARD_MAX_SEGMENTS ||
	    sb->max_bad_blocks > BAD_BLOCKS_MAX)
		return "table size";
	if (sb->member_index >= sb->max_members)
		return "member index";
	if (sb->nr_meta < 1 || sb->nr_meta > ADSHARD_META_MEMBERS)
		return "number of metadata members";
	if (sb->sb_seq > SEQ_MAX)
		return "sequence";
	if (sb->member_sectors > SECTORS_MAX)
		return "size";
	if (!layout_fits(sb))
		return "layout";
	if (!data_fits(sb))
		return "data area";
	return NULL;
}

int ads_super_parse(const void *head, uint64_t dev_size, const char *dev,
		    struct ads_super *sb, struct ads_err *err)
{
	const struct adshard_super *copy[2] = {
		(const void *)((const char *)head +
			       ADSHARD_SB_BLOCK0 * ADSHARD_BLOCK_SIZE),
		(const void *)((const char *)head +
			       ADSHARD_SB_BLOCK1 * ADSHARD_BLOCK_SIZE),
	};
	static const uint64_t block[2] = { ADSHARD_SB_BLOCK0,
					   ADSHARD_SB_BLOCK1 };
	const struct adshard_super *best = NULL;
	unsigned int copies = 0;
	const char *field;

	for (int i = 0; i < 2; i++) {
		if (!copy_valid(copy[i], block[i]))
			continue;
		copies |= 1U << i;
		if (!best || le64toh(copy[i]->sb_seq) > le64toh(best->sb_seq))
			best = copy[i];
	}
	if (!best) {
		if (!has_magic(copy[0]) && !has_magic(copy[1]))
			return ads_err(err, -ENODATA,
				       "%s has no adshard superblock", dev);
		return ads_err(err, -EBADMSG,
			       "%s: both copies of the adshard superblock are damaged (wrong checksum)",
			       dev);
	}
	decode(best, sb);
	sb->copies = copies;
	if (sb->incompat & ~ADSHARD_INCOMPAT_KNOWN)
		return ads_err(err, -EPROTONOSUPPORT,
			       "%s uses features of a later adshard (incompatible 0x%llx)",
			       dev, (unsigned long long)
			       (sb->incompat & ~ADSHARD_INCOMPAT_KNOWN));
	if (sb->version != ADSHARD_FORMAT_VERSION)
		return ads_err(err, -EPROTONOSUPPORT,
			       "%s has on-disk format version %u; this adshard knows %u",
			       dev, sb->version, ADSHARD_FORMAT_VERSION);
	field = senseless(sb);
	if (field)
		return ads_err(err, -EINVAL,
			       "%s: the %s in the adshard superblock makes no sense",
			       dev, field);
	if (dev_size < sb->member_sectors * 512)
		return ads_err(err, -ENOSPC,
			       "%s has %llu bytes, but had %llu when it became a member",
			       dev, (unsigned long long)dev_size,
			       (unsigned long long)sb->member_sectors * 512);
	return 0;
}

int ads_super_read(int fd, const char *dev, struct ads_super *sb,
		   struct ads_err *err)
{
	static const size_t want = ADS_SUPER_BYTES;
	char head[ADS_SUPER_BYTES] __attribute__((aligned(4096)));
	size_t have = 0;
	uint64_t size;
	int rc;

	rc = ads_dev_size(fd, &size);
	if (rc)
		return ads_err(err, rc, "%s: can't get its size: %s", dev,
			       strerror(-rc));
	while (have < want) {
		ssize_t n = pread(fd, head + have, want - have, have);

		if (n < 0 && errno == EINTR)
			continue;
		/* Not errno: a medium error is ENODATA, which is no member. */
		if (n < 0)
			return ads_err(err, -EIO, "%s: can't be read: %s",
				       dev, strerror(errno));
		if (!n)
			return ads_err(err, -ENODATA,
				       "%s is too small for an adshard superblock",
				       dev);
		have += n;
	}
	return ads_super_parse(head, size, dev, sb, err);
}
