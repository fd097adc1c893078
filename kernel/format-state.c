// SPDX-License-Identifier: GPL-2.0-only
/*
 * The codec of the on-disk format: what records and tables say: the state of the
 * metadata, members, segments, bad ranges. See format.h.
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

AT(struct adshard_leg, chunk, 0);
AT(struct adshard_leg, member, 4);
AT(struct adshard_leg, state, 6);
AT(struct adshard_leg, flags, 7);
static_assert(sizeof(struct adshard_leg) == 8);

AT(struct adshard_seg, kind, 0);
AT(struct adshard_seg, flags, 1);
AT(struct adshard_seg, nr_legs, 2);
AT(struct adshard_seg, wanted, 3);
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

static const u8 no_uuid[ADSHARD_UUID_SIZE];

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
	if (le16_to_cpu(m->flags) & ~ADSHARD_MEMBER_F_KNOWN)
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
