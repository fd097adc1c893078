/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The codec of the on-disk format: from blocks to host-order structs and back.
 *
 * Knows no pool, no device and no lock; builds in user space too (tests,
 * fuzzing), after tests/unit/format-host.h.
 *
 * A block comes from a disk, so it may say anything, with a right checksum too:
 * crc32c is no signature. Every ads_fmt_*_check() has therefore looked at every
 * field before anyone may use it as an index, a shift, a size or a divisor.
 */
#ifndef ADS_FORMAT_H
#define ADS_FORMAT_H

#ifdef __KERNEL__
#include <linux/types.h>

#include <asm/byteorder.h>
#endif

#include <linux/adshard-format.h>

/*
 * A ring must hold the records of one commit that loses member after member
 * (see meta.c) and still be worth its checkpoints; one mebibyte is the usual.
 */
#define ADS_FMT_JOURNAL_MIN	64
#define ADS_FMT_JOURNAL_MAX	4096
#define ADS_FMT_BAD_MAX		4096

/*
 * Nothing that counts up by one may be near its end: whoever adds to a number
 * read from a disk need not think of overflow.
 */
#define ADS_FMT_SEQ_MAX		0x4000000000000000ULL
/* 2^54: byte addresses of a member fit a loff_t. */
#define ADS_FMT_SECTORS_MAX	0x40000000000000ULL

/* What all members of a pool agree on. */
struct ads_geometry {
	u8 pool_uuid[ADSHARD_UUID_SIZE];
	char name[ADSHARD_NAME_SIZE];
	u64 created;
	u32 logical_block_size;
	u32 journal_block;
	u32 journal_blocks;
	u32 table_block[2];
	u32 table_blocks;
	u32 max_members;
	u32 max_segments;
	u32 max_bad_blocks;
	u8 segment_shift;
	u8 chunk_shift;
};

/* A superblock in host order. */
struct ads_super {
	struct ads_geometry geo;
	u64 seq;
	u64 sectors;
	u64 data_start;
	u32 data_chunks;
	u16 index;
	u16 nr_meta;
	u8 uuid[ADSHARD_UUID_SIZE];
	u8 meta_uuid[ADSHARD_META_MEMBERS][ADSHARD_UUID_SIZE];
};

/* struct adshard_state in host order. */
struct ads_state {
	u64 seq;
	u64 term;
	u64 history;
	u64 time;
	u64 volume_sectors;
	u32 nr_segments;
	u32 nr_members;
	u16 meta_member[ADSHARD_META_MEMBERS];
	u8 meta_active;
};

/* One entry of a record that has been checked. */
struct ads_entry {
	u16 type;
	u32 index;
	union {
		const struct adshard_seg *seg;
		const struct adshard_member *member;
		const struct adshard_bad *bad;
	};
};

/* struct adshard_leg in host order; @state SYNC or STALE */
struct ads_fmt_leg {
	u32 chunk;
	u16 member;
	u8 state;
};

/* struct adshard_seg in host order; the first leg is in sync. */
struct ads_fmt_seg {
	u8 nr_legs;
	u8 in_sync;
	u8 wanted;			/* never 0 */
	bool intent;
	struct ads_fmt_leg leg[ADSHARD_MAX_LEGS];
};

/* struct adshard_bad in host order; @sectors 0: a free place. */
struct ads_range {
	u32 seg;
	u32 chunk;
	u16 member;
	u16 from;
	u32 first;
	u32 sectors;
};

/* Body blocks of a table area, by kind: see ads_fmt_body_at(). */
static inline u32 ads_fmt_member_blocks(const struct ads_geometry *geo)
{
	return (geo->max_members + ADSHARD_MEMBERS_PER_BLOCK - 1) /
	       ADSHARD_MEMBERS_PER_BLOCK;
}

static inline u32 ads_fmt_segment_blocks(const struct ads_geometry *geo)
{
	return (geo->max_segments + ADSHARD_SEGMENTS_PER_BLOCK - 1) /
	       ADSHARD_SEGMENTS_PER_BLOCK;
}

static inline u32 ads_fmt_body_blocks(const struct ads_geometry *geo)
{
	return ads_fmt_member_blocks(geo) + ads_fmt_segment_blocks(geo) +
	       geo->max_bad_blocks;
}

/* The body block that holds segment or member @index. */
static inline u32 ads_fmt_segment_block(const struct ads_geometry *geo,
					u32 index)
{
	return ads_fmt_member_blocks(geo) + index / ADSHARD_SEGMENTS_PER_BLOCK;
}

static inline u32 ads_fmt_bad_block(const struct ads_geometry *geo, u32 index)
{
	return ads_fmt_member_blocks(geo) + ads_fmt_segment_blocks(geo) +
	       index / ADSHARD_BAD_PER_BLOCK;
}

/* Places for bad ranges. */
static inline u32 ads_fmt_bad_places(const struct ads_geometry *geo)
{
	return geo->max_bad_blocks * ADSHARD_BAD_PER_BLOCK;
}

static inline u32 ads_fmt_member_block(u32 index)
{
	return index / ADSHARD_MEMBERS_PER_BLOCK;
}

/* Where in the ring record @seq has its place. */
u32 ads_fmt_ring_index(const struct ads_geometry *geo, u64 seq);

/*
 * Checksums. The plain one is that of the content: equal on all members. The
 * sealing one also has the place in it. @crc_at is the offset of the block's
 * own checksum, which counts as zero.
 */
u32 ads_fmt_sum(const void *block, u32 crc_at);
u32 ads_fmt_seal(const u8 *pool_uuid, const u8 *member_uuid, u64 nr,
		 const void *block, u32 crc_at);
/* Checksum of a series of plain checksums; start with ~0. */
u32 ads_fmt_sum_add(u32 crc, u32 sum);

/*
 * All checks: 0 or
 *	-EBADMSG	not such a block, or damaged (magic, checksum)
 *	-EOPNOTSUPP	of a version or with a feature that is not known
 *	-EINVAL		the checksum is right, but a field is not
 * and *@why, if @why is not NULL, gets a phrase for the last two.
 */

/* Says why, if anybody wants to know. */
static inline int ads_fmt_bad(const char **why, int err, const char *phrase)
{
	if (why)
		*why = phrase;
	return err;
}

/* @copy: 0 or 1, see the format */
int ads_fmt_super_check(const struct adshard_super *sb, unsigned int copy,
			const char **why);
/* Only after the check. */
void ads_fmt_super_decode(const struct adshard_super *sb, struct ads_super *s);
void ads_fmt_super_encode(const struct ads_super *s, struct adshard_super *sb);
void ads_fmt_super_seal(struct adshard_super *sb, unsigned int copy);

/* The layout of a new pool: everything in @geo that follows from the number of
 * segments. Returns the first sector of data, 0 if there are too many.
 */
u64 ads_fmt_layout(struct ads_geometry *geo, u32 nr_segments);
/* First sector of data on members that are formatted for @geo. */
u64 ads_fmt_data_start(const struct ads_geometry *geo);

int ads_fmt_state_decode(const struct adshard_state *d,
			 const struct ads_geometry *geo, struct ads_state *st,
			 const char **why);
void ads_fmt_state_encode(const struct ads_state *st, struct adshard_state *d);

/* NULL, or what is wrong with the place of a member's data. */
const char *ads_fmt_data_area_wrong(const struct ads_geometry *geo, u64 sectors,
				    u64 data_start, u32 data_chunks);

/*
 * A member's entry, in itself: no arithmetic on it can overflow, and its data
 * area fits between the tables and its end. Free places (all-zero UUID) pass.
 */
int ads_fmt_member_check(const struct adshard_member *m,
			 const struct ads_geometry *geo, const char **why);
bool ads_fmt_member_free(const struct adshard_member *m);
static inline u32 ads_fmt_slots(const struct ads_geometry *geo,
				u32 data_chunks)
{
	return data_chunks >> (geo->segment_shift - geo->chunk_shift);
}

/*
 * A segment (format-seg.c), in itself: at least one leg in sync, the first; no
 * two on one member. Filling ones are thrown away. -ENOENT: the entry is unused.
 */
int ads_fmt_seg_decode(const struct adshard_seg *d, struct ads_fmt_seg *s,
		       const char **why);
void ads_fmt_seg_encode(const struct ads_fmt_seg *s, struct adshard_seg *d);
/* One with one leg, and that is all. */
void ads_fmt_seg_plain(struct adshard_seg *d, u16 member, u32 chunk);

/*
 * A bad range, in itself: within a segment, of whole logical blocks. Whether
 * there is such a segment and such a place is not known here.
 */
int ads_fmt_range_decode(const struct adshard_bad *d,
			 const struct ads_geometry *geo, struct ads_range *r,
			 const char **why);
void ads_fmt_range_encode(const struct ads_range *r, struct adshard_bad *d);

/* @ring_index: where it was read. *@st is valid with 0, its @seq also with
 * -EINVAL and -EOPNOTSUPP: a record that can't be read must not be taken for
 * one that isn't there.
 */
int ads_fmt_record_check(const struct adshard_record *rec,
			 const struct ads_geometry *geo, const u8 *member_uuid,
			 u32 ring_index, struct ads_state *st,
			 const char **why);
/* The entry at *@pos (start with 0) of a checked record; false at the end. */
bool ads_fmt_record_next(const struct adshard_record *rec, u32 *pos,
			 struct ads_entry *entry);
void ads_fmt_record_init(struct adshard_record *rec, const struct ads_state *st,
			 u32 prev_crc);
/* False: no room. */
bool ads_fmt_record_add(struct adshard_record *rec, u16 type, u32 index,
			const void *payload, u16 bytes);
u32 ads_fmt_record_sum(const struct adshard_record *rec);
void ads_fmt_record_seal(struct adshard_record *rec,
			 const struct ads_geometry *geo, const u8 *member_uuid);

int ads_fmt_table_check(const struct adshard_table *t,
			const struct ads_geometry *geo, const u8 *member_uuid,
			unsigned int area, struct ads_state *st,
			const char **why);
void ads_fmt_table_init(struct adshard_table *t, const struct ads_geometry *geo,
			const struct ads_state *st, u32 body_crc, u32 last_crc);
void ads_fmt_table_seal(struct adshard_table *t, const struct ads_geometry *geo,
			const u8 *member_uuid, unsigned int area);

/* What body block @nr holds. */
struct ads_body_at {
	u32 kind;			/* enum adshard_body_kind */
	u32 first;			/* index of its first entry */
	u32 nr;				/* entries */
};

void ads_fmt_body_at(const struct ads_geometry *geo, u32 nr,
		     struct ads_body_at *at);
/* Only that it is body block @nr of @area: its entries are not looked at. */
int ads_fmt_body_check(const struct adshard_body *b,
		       const struct ads_geometry *geo, const u8 *member_uuid,
		       unsigned int area, u32 nr);
/* An empty one; then fill in the entries, take the sum, seal for each member. */
void ads_fmt_body_init(struct adshard_body *b, const struct ads_geometry *geo,
		       u32 nr);
u32 ads_fmt_body_sum(const struct adshard_body *b);
void ads_fmt_body_seal(struct adshard_body *b, const struct ads_geometry *geo,
		       const u8 *member_uuid, unsigned int area, u32 nr);

#endif /* ADS_FORMAT_H */
