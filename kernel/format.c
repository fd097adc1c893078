// SPDX-License-Identifier: GPL-2.0-only
/*
 * The codec of the on-disk format: checksums, state, records, tables. The
 * superblock is in format-super.c; the rules are in format.h.
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

AT(struct adshard_leg, chunk, 0);
AT(struct adshard_leg, member, 4);
AT(struct adshard_leg, state, 6);
AT(struct adshard_leg, flags, 7);
static_assert(sizeof(struct adshard_leg) == 8);

AT(struct adshard_seg, kind, 0);
AT(struct adshard_seg, flags, 1);
AT(struct adshard_seg, nr_legs, 2);
AT(struct adshard_seg, reserved, 3);
AT(struct adshard_seg, aux, 4);
AT(struct adshard_seg, leg, 8);
static_assert(sizeof(struct adshard_seg) == 40);

AT(struct adshard_bad, seg, 0);
AT(struct adshard_bad, chunk, 4);
AT(struct adshard_bad, member, 8);
AT(struct adshard_bad, from, 10);
AT(struct adshard_bad, first, 12);
AT(struct adshard_bad, sectors, 16);
AT(struct adshard_bad, reserved, 20);
static_assert(sizeof(struct adshard_bad) == 24);

AT(struct adshard_member, uuid, 0);
AT(struct adshard_member, sectors, 16);
AT(struct adshard_member, data_start, 24);
AT(struct adshard_member, data_chunks, 32);
AT(struct adshard_member, state, 36);
AT(struct adshard_member, class, 37);
AT(struct adshard_member, flags, 38);
AT(struct adshard_member, weight, 40);
AT(struct adshard_member, cost, 44);
AT(struct adshard_member, domain, 48);
AT(struct adshard_member, location, 80);
AT(struct adshard_member, reserved, 112);
static_assert(sizeof(struct adshard_member) == 256);

AT(struct adshard_state, seq, 0);
AT(struct adshard_state, term, 8);
AT(struct adshard_state, history, 16);
AT(struct adshard_state, time, 24);
AT(struct adshard_state, volume_sectors, 32);
AT(struct adshard_state, nr_segments, 40);
AT(struct adshard_state, nr_members, 44);
AT(struct adshard_state, meta_member, 48);
AT(struct adshard_state, meta_active, 64);
AT(struct adshard_state, flags, 65);
AT(struct adshard_state, reserved, 66);
static_assert(sizeof(struct adshard_state) == 80);

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

static const u8 no_uuid[ADSHARD_UUID_SIZE];

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

/* Which of the metadata members is bad, if any. */
static const char *meta_set_wrong(const struct ads_state *st)
{
	unsigned int i, k;

	for (i = 0; i < ADSHARD_META_MEMBERS; i++) {
		if (st->meta_member[i] == ADSHARD_NO_MEMBER) {
			if (st->meta_active & 1U << i)
				return "active metadata member without a number";
			continue;
		}
		if (st->meta_member[i] >= st->nr_members)
			return "metadata member out of range";
		for (k = 0; k < i; k++)
			if (st->meta_member[k] == st->meta_member[i])
				return "metadata member named twice";
	}
	if (!st->meta_active)
		return "no active metadata member";
	return NULL;
}

int ads_fmt_state_decode(const struct adshard_state *d,
			 const struct ads_geometry *geo, struct ads_state *st,
			 const char **why)
{
	u64 segment = 1ULL << geo->segment_shift;
	const char *wrong;
	unsigned int i;

	st->seq = le64_to_cpu(d->seq);
	st->term = le64_to_cpu(d->term);
	st->history = le64_to_cpu(d->history);
	st->time = le64_to_cpu(d->time);
	st->volume_sectors = le64_to_cpu(d->volume_sectors);
	st->nr_segments = le32_to_cpu(d->nr_segments);
	st->nr_members = le32_to_cpu(d->nr_members);
	for (i = 0; i < ADSHARD_META_MEMBERS; i++)
		st->meta_member[i] = le16_to_cpu(d->meta_member[i]);
	st->meta_active = d->meta_active;

	if (d->flags)
		return ads_fmt_bad(why, -EOPNOTSUPP, "unknown flags of the state");
	if (!st->seq || st->seq > ADS_FMT_SEQ_MAX || st->term > ADS_FMT_SEQ_MAX)
		return ads_fmt_bad(why, -EINVAL, "sequence out of range");
	if (!st->nr_segments || st->nr_segments > geo->max_segments ||
	    st->volume_sectors > (u64)st->nr_segments << geo->segment_shift ||
	    st->volume_sectors + segment <=
			(u64)st->nr_segments << geo->segment_shift ||
	    st->volume_sectors % (geo->logical_block_size / 512))
		return ads_fmt_bad(why, -EINVAL, "volume size out of range");
	if (!st->nr_members || st->nr_members > geo->max_members)
		return ads_fmt_bad(why, -EINVAL, "number of members out of range");
	wrong = meta_set_wrong(st);
	return wrong ? ads_fmt_bad(why, -EINVAL, wrong) : 0;
}

void ads_fmt_state_encode(const struct ads_state *st, struct adshard_state *d)
{
	unsigned int i;

	memset(d, 0, sizeof(*d));
	d->seq = cpu_to_le64(st->seq);
	d->term = cpu_to_le64(st->term);
	d->history = cpu_to_le64(st->history);
	d->time = cpu_to_le64(st->time);
	d->volume_sectors = cpu_to_le64(st->volume_sectors);
	d->nr_segments = cpu_to_le32(st->nr_segments);
	d->nr_members = cpu_to_le32(st->nr_members);
	for (i = 0; i < ADSHARD_META_MEMBERS; i++)
		d->meta_member[i] = cpu_to_le16(st->meta_member[i]);
	d->meta_active = st->meta_active;
}

bool ads_fmt_member_free(const struct adshard_member *m)
{
	return !memcmp(m->uuid, no_uuid, sizeof(no_uuid));
}

int ads_fmt_member_check(const struct adshard_member *m,
			 const struct ads_geometry *geo, const char **why)
{
	const char *wrong;

	if (ads_fmt_member_free(m))
		return 0;
	if (m->flags)
		return ads_fmt_bad(why, -EOPNOTSUPP, "unknown flags of a member");
	if (m->state < ADSHARD_MEMBER_ONLINE || m->state > ADSHARD_MEMBER_FAILED)
		return ads_fmt_bad(why, -EOPNOTSUPP, "unknown state of a member");
	if (!memchr(m->domain, 0, sizeof(m->domain)) ||
	    !memchr(m->location, 0, sizeof(m->location)))
		return ads_fmt_bad(why, -EINVAL, "label without an end");
	wrong = ads_fmt_data_area_wrong(geo, le64_to_cpu(m->sectors),
					le64_to_cpu(m->data_start),
					le32_to_cpu(m->data_chunks));
	return wrong ? ads_fmt_bad(why, -EINVAL, wrong) : 0;
}

int ads_fmt_seg_decode(const struct adshard_seg *seg, u16 *member, u32 *chunk,
		       const char **why)
{
	unsigned int i, in_sync = 0;

	if (seg->kind == ADSHARD_SEG_UNUSED)
		return -ENOENT;
	if (seg->kind != ADSHARD_SEG_LEGS)
		return ads_fmt_bad(why, -EOPNOTSUPP, "unknown kind of segment");
	if (seg->flags || seg->aux)
		return ads_fmt_bad(why, -EOPNOTSUPP, "unknown flags of a segment");
	if (!seg->nr_legs || seg->nr_legs > ADSHARD_MAX_LEGS)
		return ads_fmt_bad(why, -EINVAL, "number of legs out of range");
	for (i = 0; i < seg->nr_legs; i++) {
		const struct adshard_leg *leg = &seg->leg[i];

		if (leg->flags)
			return ads_fmt_bad(why, -EOPNOTSUPP, "unknown flags of a leg");
		switch (leg->state) {
		case ADSHARD_LEG_SYNC:
			in_sync++;
			*member = le16_to_cpu(leg->member);
			*chunk = le32_to_cpu(leg->chunk);
			break;
		case ADSHARD_LEG_FILLING:
			break;
		default:
			return ads_fmt_bad(why, -EOPNOTSUPP, "unknown state of a leg");
		}
	}
	/* More copies would have to be written and kept equal: not known yet. */
	if (in_sync != 1)
		return ads_fmt_bad(why, -EOPNOTSUPP, "not exactly one leg in sync");
	return 0;
}

void ads_fmt_seg_encode(struct adshard_seg *seg, u16 member, u32 chunk)
{
	memset(seg, 0, sizeof(*seg));
	seg->kind = ADSHARD_SEG_LEGS;
	seg->nr_legs = 1;
	seg->leg[0].chunk = cpu_to_le32(chunk);
	seg->leg[0].member = cpu_to_le16(member);
	seg->leg[0].state = ADSHARD_LEG_SYNC;
}

int ads_fmt_range_decode(const struct adshard_bad *d,
			 const struct ads_geometry *geo, struct ads_range *r,
			 const char **why)
{
	static const struct adshard_bad none;
	u32 block = geo->logical_block_size / 512;

	r->seg = le32_to_cpu(d->seg);
	r->chunk = le32_to_cpu(d->chunk);
	r->member = le16_to_cpu(d->member);
	r->from = le16_to_cpu(d->from);
	r->first = le32_to_cpu(d->first);
	r->sectors = le32_to_cpu(d->sectors);

	if (!r->sectors)
		return memcmp(d, &none, sizeof(none)) ?
		       ads_fmt_bad(why, -EINVAL, "bad range without a length") :
		       0;
	if (d->reserved)
		return ads_fmt_bad(why, -EOPNOTSUPP,
				   "unknown fields of a bad range");
	if ((u64)r->first + r->sectors > 1ULL << geo->segment_shift ||
	    r->first % block || r->sectors % block)
		return ads_fmt_bad(why, -EINVAL, "bad range out of range");
	if (r->member >= geo->max_members)
		return ads_fmt_bad(why, -EINVAL,
				   "bad range on a member out of range");
	return 0;
}

void ads_fmt_range_encode(const struct ads_range *r, struct adshard_bad *d)
{
	memset(d, 0, sizeof(*d));
	if (!r->sectors)
		return;
	d->seg = cpu_to_le32(r->seg);
	d->chunk = cpu_to_le32(r->chunk);
	d->member = cpu_to_le16(r->member);
	d->from = cpu_to_le16(r->from);
	d->first = cpu_to_le32(r->first);
	d->sectors = cpu_to_le32(r->sectors);
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
