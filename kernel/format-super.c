// SPDX-License-Identifier: GPL-2.0-only
/*
 * The codec of the on-disk format: superblock and layout. See format.h.
 */
#ifdef __KERNEL__
#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/stddef.h>
#include <linux/string.h>
#endif

#include "format.h"

/* Every offset that the format header promises in a comment. */
#define AT(type, field, at)	static_assert(offsetof(type, field) == (at))

AT(struct adshard_super, magic, 0);
AT(struct adshard_super, crc, 8);
AT(struct adshard_super, version, 12);
AT(struct adshard_super, compat, 16);
AT(struct adshard_super, ro_compat, 24);
AT(struct adshard_super, incompat, 32);
AT(struct adshard_super, sb_seq, 40);
AT(struct adshard_super, pool_uuid, 48);
AT(struct adshard_super, member_uuid, 64);
AT(struct adshard_super, pool_name, 80);
AT(struct adshard_super, created, 144);
AT(struct adshard_super, member_sectors, 152);
AT(struct adshard_super, data_start, 160);
AT(struct adshard_super, data_chunks, 168);
AT(struct adshard_super, member_index, 172);
AT(struct adshard_super, segment_shift, 174);
AT(struct adshard_super, chunk_shift, 175);
AT(struct adshard_super, logical_block_size, 176);
AT(struct adshard_super, journal_block, 180);
AT(struct adshard_super, journal_blocks, 184);
AT(struct adshard_super, table_block, 188);
AT(struct adshard_super, table_blocks, 196);
AT(struct adshard_super, max_members, 200);
AT(struct adshard_super, max_segments, 204);
AT(struct adshard_super, max_bad_blocks, 208);
AT(struct adshard_super, nr_meta, 212);
AT(struct adshard_super, reserved0, 214);
AT(struct adshard_super, meta_uuid, 216);
AT(struct adshard_super, reserved, 344);
static_assert(sizeof(struct adshard_super) == ADSHARD_BLOCK_SIZE);

static_assert(sizeof(ADSHARD_SB_MAGIC) ==
	      sizeof_field(struct adshard_super, magic));

static const u8 no_uuid[ADSHARD_UUID_SIZE];

static u64 super_block(unsigned int copy)
{
	return copy ? ADSHARD_SB_BLOCK1 : ADSHARD_SB_BLOCK0;
}

static bool is_power_of_two(u32 n)
{
	return n && !(n & (n - 1));
}

/*
 * The data area of a member: between the tables and the member's end. In this
 * order no sum or shift can overflow: @sectors is below 2^54, and so is
 * @data_start before it is added to.
 */
const char *ads_fmt_data_area_wrong(const struct ads_geometry *geo, u64 sectors,
				    u64 data_start, u32 data_chunks)
{
	u64 tables_end = ((u64)geo->table_block[1] + geo->table_blocks) *
			 ADSHARD_BLOCK_SECTORS;

	if (sectors > ADS_FMT_SECTORS_MAX)
		return "member size out of range";
	if (data_start < tables_end || data_start > sectors ||
	    data_start % ADSHARD_BLOCK_SECTORS)
		return "data start out of range";
	if ((u64)data_chunks << geo->chunk_shift > sectors - data_start)
		return "data area beyond the end";
	/* Bounds the bitmap of slots, whatever the size of a thin device. */
	if (ads_fmt_slots(geo, data_chunks) > ADSHARD_MAX_SEGMENTS)
		return "too many slots";
	return NULL;
}

static const char *geometry_wrong(const struct ads_geometry *geo)
{
	u64 body;

	if (!memcmp(geo->pool_uuid, no_uuid, sizeof(no_uuid)))
		return "no pool UUID";
	if (geo->segment_shift < ADSHARD_SEGMENT_SHIFT_MIN ||
	    geo->segment_shift > ADSHARD_SEGMENT_SHIFT_MAX)
		return "segment size out of range";
	if (geo->chunk_shift < ADSHARD_CHUNK_SHIFT_MIN ||
	    geo->chunk_shift > ADSHARD_CHUNK_SHIFT_MAX ||
	    geo->chunk_shift > geo->segment_shift)
		return "chunk size out of range";
	/* Metadata blocks and positions of chunks must be aligned to it. */
	if (!is_power_of_two(geo->logical_block_size) ||
	    geo->logical_block_size < 512 ||
	    geo->logical_block_size > ADSHARD_BLOCK_SIZE)
		return "logical block size out of range";
	if (geo->journal_block < ADSHARD_HEAD_BYTES / ADSHARD_BLOCK_SIZE ||
	    geo->journal_blocks < ADS_FMT_JOURNAL_MIN ||
	    geo->journal_blocks > ADS_FMT_JOURNAL_MAX)
		return "journal out of range";
	if (!geo->max_members || geo->max_members > ADSHARD_MAX_MEMBERS ||
	    !geo->max_segments || geo->max_segments > ADSHARD_MAX_SEGMENTS ||
	    geo->max_bad_blocks > ADS_FMT_BAD_MAX)
		return "table size out of range";
	body = ads_fmt_body_blocks(geo);
	if (geo->table_blocks < 1 + body)
		return "tables too small";
	if ((u64)geo->journal_block + geo->journal_blocks >
			geo->table_block[0] ||
	    (u64)geo->table_block[0] + geo->table_blocks >
			geo->table_block[1])
		return "areas overlap";
	return NULL;
}

int ads_fmt_super_check(const struct adshard_super *sb, unsigned int copy,
			const char **why)
{
	struct ads_super s;
	const char *wrong;

	if (memcmp(sb->magic, ADSHARD_SB_MAGIC, sizeof(sb->magic)) ||
	    le32_to_cpu(sb->crc) !=
	    ads_fmt_seal(sb->pool_uuid, sb->member_uuid, super_block(copy), sb,
			 offsetof(struct adshard_super, crc)))
		return ads_fmt_bad(why, -EBADMSG, "damaged superblock");
	if (le32_to_cpu(sb->version) != ADSHARD_FORMAT_VERSION)
		return ads_fmt_bad(why, -EOPNOTSUPP, "unknown format version");
	if (le64_to_cpu(sb->incompat) & ~ADSHARD_INCOMPAT_KNOWN)
		return ads_fmt_bad(why, -EOPNOTSUPP, "unknown incompatible features");
	if (le64_to_cpu(sb->ro_compat) & ~ADSHARD_RO_COMPAT_KNOWN)
		return ads_fmt_bad(why, -EOPNOTSUPP,
				   "unknown features that forbid writing");
	if (!memchr(sb->pool_name, 0, sizeof(sb->pool_name)))
		return ads_fmt_bad(why, -EINVAL, "pool name without an end");

	ads_fmt_super_decode(sb, &s);
	wrong = geometry_wrong(&s.geo);
	if (!wrong)
		wrong = ads_fmt_data_area_wrong(&s.geo, s.sectors,
						s.data_start, s.data_chunks);
	if (!wrong && !memcmp(s.uuid, no_uuid, sizeof(no_uuid)))
		wrong = "no member UUID";
	if (!wrong && s.index >= s.geo.max_members)
		wrong = "member index out of range";
	if (!wrong && (!s.nr_meta || s.nr_meta > ADSHARD_META_MEMBERS))
		wrong = "number of metadata members out of range";
	if (!wrong && s.seq > ADS_FMT_SEQ_MAX)
		wrong = "superblock sequence out of range";
	return wrong ? ads_fmt_bad(why, -EINVAL, wrong) : 0;
}

void ads_fmt_super_decode(const struct adshard_super *sb, struct ads_super *s)
{
	struct ads_geometry *geo = &s->geo;
	unsigned int i;

	/* Padding too: geometries are compared as memory. */
	memset(s, 0, sizeof(*s));
	memcpy(geo->pool_uuid, sb->pool_uuid, sizeof(geo->pool_uuid));
	for (i = 0; i < sizeof(geo->name) - 1 && sb->pool_name[i]; i++)
		geo->name[i] = sb->pool_name[i];
	geo->created = le64_to_cpu(sb->created);
	geo->logical_block_size = le32_to_cpu(sb->logical_block_size);
	geo->journal_block = le32_to_cpu(sb->journal_block);
	geo->journal_blocks = le32_to_cpu(sb->journal_blocks);
	geo->table_block[0] = le32_to_cpu(sb->table_block[0]);
	geo->table_block[1] = le32_to_cpu(sb->table_block[1]);
	geo->table_blocks = le32_to_cpu(sb->table_blocks);
	geo->max_members = le32_to_cpu(sb->max_members);
	geo->max_segments = le32_to_cpu(sb->max_segments);
	geo->max_bad_blocks = le32_to_cpu(sb->max_bad_blocks);
	geo->segment_shift = sb->segment_shift;
	geo->chunk_shift = sb->chunk_shift;

	s->seq = le64_to_cpu(sb->sb_seq);
	s->sectors = le64_to_cpu(sb->member_sectors);
	s->data_start = le64_to_cpu(sb->data_start);
	s->data_chunks = le32_to_cpu(sb->data_chunks);
	s->index = le16_to_cpu(sb->member_index);
	s->nr_meta = le16_to_cpu(sb->nr_meta);
	memcpy(s->uuid, sb->member_uuid, sizeof(s->uuid));
	memcpy(s->meta_uuid, sb->meta_uuid, sizeof(s->meta_uuid));
}

void ads_fmt_super_encode(const struct ads_super *s, struct adshard_super *sb)
{
	const struct ads_geometry *geo = &s->geo;

	memset(sb, 0, sizeof(*sb));
	memcpy(sb->magic, ADSHARD_SB_MAGIC, sizeof(sb->magic));
	sb->version = cpu_to_le32(ADSHARD_FORMAT_VERSION);
	memcpy(sb->pool_uuid, geo->pool_uuid, sizeof(sb->pool_uuid));
	memcpy(sb->pool_name, geo->name, sizeof(sb->pool_name));
	sb->created = cpu_to_le64(geo->created);
	sb->logical_block_size = cpu_to_le32(geo->logical_block_size);
	sb->journal_block = cpu_to_le32(geo->journal_block);
	sb->journal_blocks = cpu_to_le32(geo->journal_blocks);
	sb->table_block[0] = cpu_to_le32(geo->table_block[0]);
	sb->table_block[1] = cpu_to_le32(geo->table_block[1]);
	sb->table_blocks = cpu_to_le32(geo->table_blocks);
	sb->max_members = cpu_to_le32(geo->max_members);
	sb->max_segments = cpu_to_le32(geo->max_segments);
	sb->max_bad_blocks = cpu_to_le32(geo->max_bad_blocks);
	sb->segment_shift = geo->segment_shift;
	sb->chunk_shift = geo->chunk_shift;

	sb->sb_seq = cpu_to_le64(s->seq);
	sb->member_sectors = cpu_to_le64(s->sectors);
	sb->data_start = cpu_to_le64(s->data_start);
	sb->data_chunks = cpu_to_le32(s->data_chunks);
	sb->member_index = cpu_to_le16(s->index);
	sb->nr_meta = cpu_to_le16(s->nr_meta);
	memcpy(sb->member_uuid, s->uuid, sizeof(sb->member_uuid));
	memcpy(sb->meta_uuid, s->meta_uuid, sizeof(sb->meta_uuid));
}

void ads_fmt_super_seal(struct adshard_super *sb, unsigned int copy)
{
	u32 crc = ads_fmt_seal(sb->pool_uuid, sb->member_uuid,
			       super_block(copy), sb,
			       offsetof(struct adshard_super, crc));

	sb->crc = cpu_to_le32(crc);
}

u64 ads_fmt_data_start(const struct ads_geometry *geo)
{
	/* At a full MiB: aligned to whatever the disk prefers. */
	u64 end = ((u64)geo->table_block[1] + geo->table_blocks) *
		  ADSHARD_BLOCK_SECTORS;

	return (end + 2047) & ~2047ULL;
}

u64 ads_fmt_layout(struct ads_geometry *geo, u32 nr_segments)
{
	if (!nr_segments || nr_segments > ADSHARD_MAX_SEGMENTS)
		return 0;
	geo->journal_block = ADSHARD_JOURNAL_BLOCK;
	geo->journal_blocks = ADSHARD_JOURNAL_BLOCKS;
	geo->max_members = ADSHARD_MAX_MEMBERS;
	/* Room to grow to four times its size, and never less than 1024. */
	geo->max_segments = nr_segments > ADSHARD_MAX_SEGMENTS / 4 ?
			    ADSHARD_MAX_SEGMENTS : 4 * nr_segments;
	if (geo->max_segments < 1024)
		geo->max_segments = 1024;
	geo->max_bad_blocks = 64;
	geo->table_blocks = 1 + ads_fmt_body_blocks(geo);
	geo->table_block[0] = geo->journal_block + geo->journal_blocks;
	geo->table_block[1] = geo->table_block[0] + geo->table_blocks;
	return ads_fmt_data_start(geo);
}
