// SPDX-License-Identifier: GPL-2.0-only
/*
 * The codec of the on-disk format: checksums, records, tables. What these say
 * is in format-state.c, the superblock in format-super.c; the rules are in
 * format.h.
 */
#ifdef __KERNEL__
#include <linux/build_bug.h>
#include <linux/crc32c.h>
#include <linux/errno.h>
#include <linux/math64.h>
#include <linux/stddef.h>
#include <linux/string.h>
#endif

#include "format.h"

/* Every offset that the format header promises in a comment. */
#define AT(type, field, at)	static_assert(offsetof(type, field) == (at))

AT(struct adshard_record, magic, 0);
AT(struct adshard_record, crc, 4);
AT(struct adshard_record, state, 8);
AT(struct adshard_record, nr_entries, 88);
AT(struct adshard_record, bytes, 90);
AT(struct adshard_record, prev_crc, 92);
AT(struct adshard_record, reserved, 96);
AT(struct adshard_record, entries, 128);
static_assert(sizeof(struct adshard_record) == ADSHARD_BLOCK_SIZE);

AT(struct adshard_entry, type, 0);
AT(struct adshard_entry, bytes, 2);
AT(struct adshard_entry, index, 4);
static_assert(sizeof(struct adshard_entry) == 8);

AT(struct adshard_table, magic, 0);
AT(struct adshard_table, crc, 4);
AT(struct adshard_table, state, 8);
AT(struct adshard_table, body_crc, 88);
AT(struct adshard_table, body_blocks, 92);
AT(struct adshard_table, last_crc, 96);
AT(struct adshard_table, reserved, 100);
static_assert(sizeof(struct adshard_table) == ADSHARD_BLOCK_SIZE);

AT(struct adshard_body, magic, 0);
AT(struct adshard_body, crc, 4);
AT(struct adshard_body, kind, 8);
AT(struct adshard_body, first, 12);
AT(struct adshard_body, reserved, 16);
AT(struct adshard_body, u, 96);
static_assert(sizeof(struct adshard_body) == ADSHARD_BLOCK_SIZE);

/*---------------------------------------------------------------------------*/

u32 ads_fmt_ring_index(const struct ads_geometry *geo, u64 seq)
{
	u32 index;

	div_u64_rem(seq, geo->journal_blocks, &index);
	return index;
}

/* Goes on from @crc over a block whose own checksum counts as zero. */
static u32 sum_from(u32 crc, const void *block, u32 crc_at)
{
	static const __le32 zero;
	u32 after = crc_at + sizeof(zero);

	crc = crc32c(crc, block, crc_at);
	crc = crc32c(crc, &zero, sizeof(zero));
	return crc32c(crc, (const u8 *)block + after,
		      ADSHARD_BLOCK_SIZE - after);
}

u32 ads_fmt_sum(const void *block, u32 crc_at)
{
	return sum_from(~0U, block, crc_at);
}

u32 ads_fmt_seal(const u8 *pool_uuid, const u8 *member_uuid, u64 nr,
		 const void *block, u32 crc_at)
{
	__le64 place = cpu_to_le64(nr);
	u32 crc;

	crc = crc32c(~0U, pool_uuid, ADSHARD_UUID_SIZE);
	crc = crc32c(crc, member_uuid, ADSHARD_UUID_SIZE);
	crc = crc32c(crc, &place, sizeof(place));
	return sum_from(crc, block, crc_at);
}

u32 ads_fmt_sum_add(u32 crc, u32 sum)
{
	__le32 d = cpu_to_le32(sum);

	return crc32c(crc, &d, sizeof(d));
}

/*---------------------------------------------------------------------------*/

static u64 record_block(const struct ads_geometry *geo, u32 ring_index)
{
	return (u64)geo->journal_block + ring_index;
}

/*
 * The entry at *@pos of @bytes, or NULL if it doesn't fit. Reads nothing
 * beyond @bytes; the sums can't overflow, as all terms are 16 bits.
 */
static const struct adshard_entry *entry_at(const struct adshard_record *rec,
					    u32 bytes, u32 *pos)
{
	const struct adshard_entry *e = (const void *)(rec->entries + *pos);
	u32 size;

	if (*pos + sizeof(*e) > bytes)
		return NULL;
	size = sizeof(*e) + ((le16_to_cpu(e->bytes) + 7U) & ~7U);
	if (*pos + size > bytes)
		return NULL;
	*pos += size;
	return e;
}

static int entries_check(const struct adshard_record *rec,
			 const struct ads_geometry *geo,
			 const struct ads_state *st, const char **why)
{
	u32 bytes = le16_to_cpu(rec->bytes), pos = 0;
	u32 n = le16_to_cpu(rec->nr_entries);

	if (bytes > sizeof(rec->entries))
		return ads_fmt_bad(why, -EINVAL, "entries beyond the end of a record");
	for (; n; n--) {
		const struct adshard_entry *e = entry_at(rec, bytes, &pos);

		if (!e)
			return ads_fmt_bad(why, -EINVAL,
					   "entry beyond the end of a record");
		switch (le16_to_cpu(e->type)) {
		case ADSHARD_ENTRY_SEG:
			if (le16_to_cpu(e->bytes) != sizeof(struct adshard_seg) ||
			    le32_to_cpu(e->index) >= st->nr_segments)
				return ads_fmt_bad(why, -EINVAL,
						   "segment entry out of range");
			break;
		case ADSHARD_ENTRY_MEMBER:
			if (le16_to_cpu(e->bytes) !=
					sizeof(struct adshard_member) ||
			    le32_to_cpu(e->index) >= st->nr_members)
				return ads_fmt_bad(why, -EINVAL,
						   "member entry out of range");
			break;
		case ADSHARD_ENTRY_BAD:
			if (le16_to_cpu(e->bytes) != sizeof(struct adshard_bad) ||
			    le32_to_cpu(e->index) >= ads_fmt_bad_places(geo))
				return ads_fmt_bad(why, -EINVAL,
						   "bad range entry out of range");
			break;
		default:
			return ads_fmt_bad(why, -EOPNOTSUPP, "unknown type of entry");
		}
	}
	if (pos != bytes)
		return ads_fmt_bad(why, -EINVAL, "bytes of a record in no entry");
	return 0;
}

int ads_fmt_record_check(const struct adshard_record *rec,
			 const struct ads_geometry *geo, const u8 *member_uuid,
			 u32 ring_index, struct ads_state *st,
			 const char **why)
{
	int err;

	if (le32_to_cpu(rec->magic) != ADSHARD_RECORD_MAGIC ||
	    le32_to_cpu(rec->crc) !=
	    ads_fmt_seal(geo->pool_uuid, member_uuid,
			 record_block(geo, ring_index), rec,
			 offsetof(struct adshard_record, crc)))
		return ads_fmt_bad(why, -EBADMSG, "damaged record");
	err = ads_fmt_state_decode(&rec->state, geo, st, why);
	if (err)
		return err;
	if (ads_fmt_ring_index(geo, st->seq) != ring_index)
		return ads_fmt_bad(why, -EINVAL, "record in another's place");
	return entries_check(rec, geo, st, why);
}

bool ads_fmt_record_next(const struct adshard_record *rec, u32 *pos,
			 struct ads_entry *entry)
{
	const struct adshard_entry *e;

	e = entry_at(rec, le16_to_cpu(rec->bytes), pos);
	if (!e)
		return false;
	entry->type = le16_to_cpu(e->type);
	entry->index = le32_to_cpu(e->index);
	switch (entry->type) {
	case ADSHARD_ENTRY_SEG:
		entry->seg = (const void *)(e + 1);
		break;
	case ADSHARD_ENTRY_BAD:
		entry->bad = (const void *)(e + 1);
		break;
	default:
		entry->member = (const void *)(e + 1);
	}
	return true;
}

void ads_fmt_record_init(struct adshard_record *rec, const struct ads_state *st,
			 u32 prev_crc)
{
	memset(rec, 0, sizeof(*rec));
	rec->magic = cpu_to_le32(ADSHARD_RECORD_MAGIC);
	ads_fmt_state_encode(st, &rec->state);
	rec->prev_crc = cpu_to_le32(prev_crc);
}

bool ads_fmt_record_add(struct adshard_record *rec, u16 type, u32 index,
			const void *payload, u16 bytes)
{
	u32 used = le16_to_cpu(rec->bytes);
	u32 size = sizeof(struct adshard_entry) + ((bytes + 7U) & ~7U);
	struct adshard_entry *e = (void *)(rec->entries + used);

	if (used + size > sizeof(rec->entries))
		return false;
	e->type = cpu_to_le16(type);
	e->bytes = cpu_to_le16(bytes);
	e->index = cpu_to_le32(index);
	memcpy(e + 1, payload, bytes);
	rec->bytes = cpu_to_le16(used + size);
	rec->nr_entries = cpu_to_le16(le16_to_cpu(rec->nr_entries) + 1);
	return true;
}

u32 ads_fmt_record_sum(const struct adshard_record *rec)
{
	return ads_fmt_sum(rec, offsetof(struct adshard_record, crc));
}

void ads_fmt_record_seal(struct adshard_record *rec,
			 const struct ads_geometry *geo, const u8 *member_uuid)
{
	u32 index = ads_fmt_ring_index(geo, le64_to_cpu(rec->state.seq));
	u32 crc = ads_fmt_seal(geo->pool_uuid, member_uuid,
			       record_block(geo, index), rec,
			       offsetof(struct adshard_record, crc));

	rec->crc = cpu_to_le32(crc);
}

/*---------------------------------------------------------------------------*/

int ads_fmt_table_check(const struct adshard_table *t,
			const struct ads_geometry *geo, const u8 *member_uuid,
			unsigned int area, struct ads_state *st,
			const char **why)
{
	if (le32_to_cpu(t->magic) != ADSHARD_TABLE_MAGIC ||
	    le32_to_cpu(t->crc) !=
	    ads_fmt_seal(geo->pool_uuid, member_uuid, geo->table_block[area], t,
			 offsetof(struct adshard_table, crc)))
		return ads_fmt_bad(why, -EBADMSG, "damaged table header");
	if (le32_to_cpu(t->body_blocks) != ads_fmt_body_blocks(geo))
		return ads_fmt_bad(why, -EINVAL, "table of another size");
	return ads_fmt_state_decode(&t->state, geo, st, why);
}

void ads_fmt_table_init(struct adshard_table *t, const struct ads_geometry *geo,
			const struct ads_state *st, u32 body_crc, u32 last_crc)
{
	memset(t, 0, sizeof(*t));
	t->magic = cpu_to_le32(ADSHARD_TABLE_MAGIC);
	ads_fmt_state_encode(st, &t->state);
	t->body_crc = cpu_to_le32(body_crc);
	t->body_blocks = cpu_to_le32(ads_fmt_body_blocks(geo));
	t->last_crc = cpu_to_le32(last_crc);
}

void ads_fmt_table_seal(struct adshard_table *t, const struct ads_geometry *geo,
			const u8 *member_uuid, unsigned int area)
{
	u32 crc = ads_fmt_seal(geo->pool_uuid, member_uuid,
			       geo->table_block[area], t,
			       offsetof(struct adshard_table, crc));

	t->crc = cpu_to_le32(crc);
}

void ads_fmt_body_at(const struct ads_geometry *geo, u32 nr,
		     struct ads_body_at *at)
{
	u32 members = ads_fmt_member_blocks(geo);
	u32 segments = ads_fmt_segment_blocks(geo);
	u32 per, max;

	if (nr < members) {
		at->kind = ADSHARD_BODY_MEMBERS;
		per = ADSHARD_MEMBERS_PER_BLOCK;
		max = geo->max_members;
	} else if (nr < members + segments) {
		nr -= members;
		at->kind = ADSHARD_BODY_SEGMENTS;
		per = ADSHARD_SEGMENTS_PER_BLOCK;
		max = geo->max_segments;
	} else {
		nr -= members + segments;
		at->kind = ADSHARD_BODY_BAD;
		per = ADSHARD_BAD_PER_BLOCK;
		max = ads_fmt_bad_places(geo);
	}
	at->first = nr * per;
	at->nr = max - at->first;
	if (at->nr > per)
		at->nr = per;
}

static u64 body_block(const struct ads_geometry *geo, unsigned int area, u32 nr)
{
	return (u64)geo->table_block[area] + 1 + nr;
}

int ads_fmt_body_check(const struct adshard_body *b,
		       const struct ads_geometry *geo, const u8 *member_uuid,
		       unsigned int area, u32 nr)
{
	struct ads_body_at at;

	ads_fmt_body_at(geo, nr, &at);
	if (le32_to_cpu(b->magic) != ADSHARD_TABLE_MAGIC ||
	    le32_to_cpu(b->crc) !=
	    ads_fmt_seal(geo->pool_uuid, member_uuid,
			 body_block(geo, area, nr), b,
			 offsetof(struct adshard_body, crc)))
		return -EBADMSG;
	if (le32_to_cpu(b->kind) != at.kind ||
	    le32_to_cpu(b->first) != at.first)
		return -EINVAL;
	return 0;
}

void ads_fmt_body_init(struct adshard_body *b, const struct ads_geometry *geo,
		       u32 nr)
{
	struct ads_body_at at;

	ads_fmt_body_at(geo, nr, &at);
	memset(b, 0, sizeof(*b));
	b->magic = cpu_to_le32(ADSHARD_TABLE_MAGIC);
	b->kind = cpu_to_le32(at.kind);
	b->first = cpu_to_le32(at.first);
}

u32 ads_fmt_body_sum(const struct adshard_body *b)
{
	return ads_fmt_sum(b, offsetof(struct adshard_body, crc));
}

void ads_fmt_body_seal(struct adshard_body *b, const struct ads_geometry *geo,
		       const u8 *member_uuid, unsigned int area, u32 nr)
{
	u32 crc = ads_fmt_seal(geo->pool_uuid, member_uuid,
			       body_block(geo, area, nr), b,
			       offsetof(struct adshard_body, crc));

	b->crc = cpu_to_le32(crc);
}
