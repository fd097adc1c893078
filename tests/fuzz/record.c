// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Journal records, and the entries in them.
 *
 * Input: a byte of flags, then the record; what is missing is zero.
 *
 * Options: -max_len=600
 */
#include "format-block.h"
#include "fuzz.h"

#define UNSEALED	1		/* leave the checksum */
#define MISPLACED	2		/* not where its number says */
#define SMALL		4		/* in a pool with small tables */

static struct adshard_record *rec;
static struct ads_geometry geos[2];

void fuzz_init(void)
{
	rec = aligned_alloc(4096, sizeof(*rec));
	must(rec);
	geos[0] = geos[1] = test_geo();
	geos[1].max_members = 3;
	geos[1].max_segments = 5;
	geos[1].journal_blocks = 67;
	geos[1].logical_block_size = 4096;
}

static void check_state(const struct ads_state *st,
			const struct ads_geometry *geo)
{
	struct adshard_state d;
	struct ads_state back;

	must(st->seq && st->seq <= ADS_FMT_SEQ_MAX);
	must(st->nr_segments && st->nr_segments <= geo->max_segments);
	must(st->nr_members && st->nr_members <= geo->max_members);
	must(st->volume_sectors <=
	     (u64)st->nr_segments << geo->segment_shift);
	must(st->meta_active);
	for (int i = 0; i < 8; i++)
		must(st->meta_member[i] < st->nr_members ||
		     (st->meta_member[i] == ADSHARD_NO_MEMBER &&
		      !(st->meta_active & 1 << i)));
	memset(&back, 0, sizeof(back));
	ads_fmt_state_encode(st, &d);
	must(!ads_fmt_state_decode(&d, geo, &back, NULL));
	must(back.seq == st->seq && back.term == st->term);
	must(back.history == st->history && back.time == st->time);
	must(back.volume_sectors == st->volume_sectors);
	must(back.nr_segments == st->nr_segments);
	must(back.nr_members == st->nr_members);
	must(!memcmp(back.meta_member, st->meta_member,
		     sizeof(st->meta_member)));
	must(back.meta_active == st->meta_active);
}

static void use_segment(const struct adshard_seg *d)
{
	const char *why = NULL;
	struct adshard_seg again;
	struct ads_fmt_seg s, back;
	unsigned int sync = 0;
	int r;

	r = ads_fmt_seg_decode(d, &s, &why);
	must(r == 0 || r == -ENOENT || r == -EOPNOTSUPP || r == -EINVAL);
	must(!!why == (r && r != -ENOENT));
	if (r)
		return;
	must(s.nr_legs && s.nr_legs <= 4 && s.wanted && s.wanted <= 4);
	for (unsigned int i = 0; i < s.nr_legs; i++) {
		must(s.leg[i].state == ADSHARD_LEG_SYNC ||
		     (i && s.leg[i].state == ADSHARD_LEG_STALE));
		sync += s.leg[i].state == ADSHARD_LEG_SYNC;
		for (unsigned int k = 0; k < i; k++)
			must(s.leg[k].member != s.leg[i].member);
	}
	must(sync == s.in_sync && (!s.intent || sync > 1));
	ads_fmt_seg_encode(&s, &again);
	must(!ads_fmt_seg_decode(&again, &back, NULL));
	must(!memcmp(&s, &back, sizeof(s)));
}

static void use_member(const struct adshard_member *m,
		       const struct ads_geometry *geo)
{
	u64 start = le64toh(m->data_start), end = le64toh(m->sectors);
	u64 data = (u64)le32toh(m->data_chunks) << geo->chunk_shift;

	if (ads_fmt_member_check(m, geo, NULL) || ads_fmt_member_free(m))
		return;
	must(end <= 1ULL << 54 && start <= end && data <= end - start);
	must(m->state >= 1 && m->state <= 4);
	must(strlen((const char *)m->domain) < sizeof(m->domain));
}

static void use_bad(const struct adshard_bad *d, const struct ads_geometry *geo)
{
	struct adshard_bad again;
	struct ads_range b, back;
	const char *why = NULL;
	int r = ads_fmt_range_decode(d, geo, &b, &why);

	must(r == 0 || r == -EOPNOTSUPP || r == -EINVAL);
	must(!!why == !!r);
	if (r)
		return;
	must((u64)b.first + b.sectors <= 1ULL << geo->segment_shift);
	must(b.sectors % (geo->logical_block_size / 512) == 0);
	must(!b.sectors || b.member < geo->max_members);
	ads_fmt_range_encode(&b, &again);
	must(!memcmp(&again, d, sizeof(again)));
	must(!ads_fmt_range_decode(&again, geo, &back, NULL));
	must(back.seg == b.seg && back.chunk == b.chunk);
	must(back.member == b.member && back.from == b.from);
	must(back.first == b.first && back.sectors == b.sectors);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_in in = { data, size };
	uint8_t flags = fuzz_u8(&in);
	const struct ads_geometry *geo = &geos[!!(flags & SMALL)];
	const char *why = NULL;
	struct ads_entry entry;
	struct ads_state st;
	u32 pos = 0, index;
	unsigned int n = 0;
	int r;

	fuzz_take(&in, rec, sizeof(*rec));
	if (!(flags & UNSEALED))
		ads_fmt_record_seal(rec, geo, uuid_a);
	index = ads_fmt_ring_index(geo, le64toh(rec->state.seq));
	if (flags & MISPLACED) {
		index = (index + 1) % geo->journal_blocks;
		rec->crc = htole32(ads_fmt_seal(geo->pool_uuid, uuid_a,
						record_block(geo, index), rec,
						offsetof(struct adshard_record,
							 crc)));
	}
	memset(&st, 0, sizeof(st));
	r = ads_fmt_record_check(rec, geo, uuid_a, index, &st, &why);
	must(r == 0 || r == -EBADMSG || r == -EOPNOTSUPP || r == -EINVAL);
	must(!!why == !!r);
	if ((flags & MISPLACED) && r != -EOPNOTSUPP && r != -EBADMSG)
		must(r == -EINVAL);
	/* the number counts also if the rest can't be read */
	if (r == -EINVAL || r == -EOPNOTSUPP)
		must(st.seq == le64toh(rec->state.seq));
	if (r)
		return 0;
	check_state(&st, geo);
	while (ads_fmt_record_next(rec, &pos, &entry)) {
		const uint8_t *from = (const void *)entry.seg;

		must(from >= rec->entries &&
		     from < rec->entries + sizeof(rec->entries));
		if (entry.type == ADSHARD_ENTRY_SEG) {
			must(entry.index < st.nr_segments);
			use_segment(entry.seg);
		} else if (entry.type == ADSHARD_ENTRY_BAD) {
			must(entry.index < ads_fmt_bad_places(geo));
			use_bad(entry.bad, geo);
		} else {
			must(entry.index < st.nr_members);
			use_member(entry.member, geo);
		}
		n++;
	}
	must(n == le16toh(rec->nr_entries));
	return 0;
}

void fuzz_seeds(void)
{
	struct adshard_member m = test_member();
	struct ads_state st = test_state();
	struct adshard_record r;
	struct ads_range range = { .seg = 3, .chunk = 32, .member = 2,
				   .from = 1, .first = 8, .sectors = 16 };
	struct adshard_bad bad, none = { 0 };
	struct adshard_seg seg;
	uint8_t buf[1 + 1024];

	ads_fmt_record_init(&r, &st, 0x12345678);
	ads_fmt_seg_plain(&seg, 2, 32);
	for (int n = 0; n < 4; n++) {
		for (int flags = 0; flags < 8; flags++) {
			char name[24];

			ads_fmt_record_seal(&r, &geos[!!(flags & SMALL)],
					    uuid_a);
			buf[0] = flags;
			memcpy(buf + 1, &r, sizeof(buf) - 1);
			snprintf(name, sizeof(name), "%d-%d", n, flags);
			fuzz_seed(name, buf, 1 + 128 + le16toh(r.bytes));
		}
		if (n & 1)
			ads_fmt_record_add(&r, ADSHARD_ENTRY_MEMBER, 1, &m,
					   sizeof(m));
		else
			ads_fmt_record_add(&r, ADSHARD_ENTRY_SEG, 3, &seg,
					   sizeof(seg));
	}
	/* a range that comes, one that goes, one that makes no sense */
	ads_fmt_record_init(&r, &st, 0x12345678);
	ads_fmt_range_encode(&range, &bad);
	ads_fmt_record_add(&r, ADSHARD_ENTRY_BAD, 0, &bad, sizeof(bad));
	ads_fmt_record_add(&r, ADSHARD_ENTRY_BAD, 331, &none, sizeof(none));
	for (int n = 0; n < 2; n++) {
		char name[24];

		ads_fmt_record_seal(&r, &geos[0], uuid_a);
		buf[0] = 0;
		memcpy(buf + 1, &r, sizeof(buf) - 1);
		snprintf(name, sizeof(name), "bad-%d", n);
		fuzz_seed(name, buf, 1 + 128 + le16toh(r.bytes));
		bad.sectors = htole32(1 << 30);
		ads_fmt_record_add(&r, ADSHARD_ENTRY_BAD, 1, &bad, sizeof(bad));
	}
}
