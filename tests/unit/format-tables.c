// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * State, records, tables: round trips, every bit flipped, hostile fields in
 * blocks that are rightly sealed.
 */
#include "format-block.h"

static struct ads_geometry geo;

static bool same_state(const struct ads_state *a, const struct ads_state *b)
{
	return a->seq == b->seq && a->term == b->term &&
	       a->history == b->history && a->time == b->time &&
	       a->volume_sectors == b->volume_sectors &&
	       a->nr_segments == b->nr_segments &&
	       a->nr_members == b->nr_members &&
	       a->meta_active == b->meta_active &&
	       !memcmp(a->meta_member, b->meta_member, sizeof(a->meta_member));
}

static struct adshard_record a_record(void)
{
	struct ads_state st = test_state();
	struct adshard_member m = test_member();
	struct adshard_record rec;
	struct adshard_seg seg;

	ads_fmt_seg_plain(&seg, 3, 32);
	ads_fmt_record_init(&rec, &st, 0x12345678);
	ads_fmt_record_add(&rec, ADSHARD_ENTRY_SEG, 17, &seg, sizeof(seg));
	ads_fmt_record_add(&rec, ADSHARD_ENTRY_MEMBER, 2, &m, sizeof(m));
	ads_fmt_record_seal(&rec, &geo, uuid_a);
	return rec;
}

static int check(const struct adshard_record *rec)
{
	struct ads_state st;

	return ads_fmt_record_check(rec, &geo, uuid_a, 1000 % 240, &st, NULL);
}

static void test_bad(void)
{
	static const struct {
		struct ads_range r;
		int err;
		const char *name;
	} range[] = {
		{ { 5, 32, 1, 2, 8, 8 }, 0, "a bad range" },
		{ { 5, 32, 1, 2, 0, 1 << 15 }, 0, "a whole segment" },
		{ { 5, 32, 1, 2, 8, 1 << 15 }, -EINVAL, "beyond its segment" },
		{ { 5, 32, 1, 2, ~7U, 16 }, -EINVAL, "with an overflow" },
		{ { 5, 32, 1, 2, 4, 8 }, -EINVAL, "not of whole blocks" },
		{ { 5, 32, 1, 2, 8, 4 }, -EINVAL, "with a part of one" },
		{ { 5, 32, 5000, 2, 8, 8 }, -EINVAL, "on no member" },
	};
	struct ads_geometry large = geo;
	struct adshard_record rec;
	struct ads_state st = test_state();
	struct adshard_bad d;
	struct ads_range back;
	struct ads_entry e;
	struct ads_body_at at;
	const char *why;
	u32 pos = 0;

	large.logical_block_size = 4096;
	for (unsigned int i = 0; i < sizeof(range) / sizeof(*range); i++) {
		ads_fmt_range_encode(&range[i].r, &d);
		why = NULL;
		ok(ads_fmt_range_decode(&d, &large, &back, &why) ==
		   range[i].err && !!why == !!range[i].err &&
		   (why || !memcmp(&back, &range[i].r, sizeof(back))),
		   range[i].name);
	}
	memset(&d, 0, sizeof(d));
	ok(!ads_fmt_range_decode(&d, &geo, &back, NULL) && !back.sectors,
	   "a free place");
	d.chunk = htole32(1);
	ok(ads_fmt_range_decode(&d, &geo, &back, NULL) == -EINVAL,
	   "one that is not all zero");
	ads_fmt_range_encode(&range[0].r, &d);
	d.reserved = htole32(1);
	ok(ads_fmt_range_decode(&d, &geo, &back, NULL) == -EOPNOTSUPP,
	   "a field of a later version");

	ads_fmt_range_encode(&range[0].r, &d);
	ads_fmt_record_init(&rec, &st, 0x12345678);
	ads_fmt_record_add(&rec, ADSHARD_ENTRY_BAD, 7, &d, sizeof(d));
	ads_fmt_record_seal(&rec, &geo, uuid_a);
	ok(!check(&rec) && ads_fmt_record_next(&rec, &pos, &e) &&
	   e.type == ADSHARD_ENTRY_BAD && e.index == 7 &&
	   !memcmp(e.bad, &d, sizeof(d)), "an entry of a record");
	ads_fmt_record_init(&rec, &st, 0x12345678);
	ads_fmt_record_add(&rec, ADSHARD_ENTRY_BAD, ads_fmt_bad_places(&geo),
			   &d, sizeof(d));
	ads_fmt_record_seal(&rec, &geo, uuid_a);
	ok(check(&rec) == -EINVAL, "of a place that the table has not");
	ads_fmt_record_init(&rec, &st, 0x12345678);
	ads_fmt_record_add(&rec, ADSHARD_ENTRY_BAD, 0, &d, sizeof(d) - 8);
	ads_fmt_record_seal(&rec, &geo, uuid_a);
	ok(check(&rec) == -EINVAL, "too short a one");
	ads_fmt_body_at(&geo, ads_fmt_bad_block(&geo, ADSHARD_BAD_PER_BLOCK),
			&at);
	ok(at.kind == ADSHARD_BODY_BAD && at.first == ADSHARD_BAD_PER_BLOCK &&
	   at.nr == ADSHARD_BAD_PER_BLOCK, "the second block of them");
	ads_fmt_body_at(&geo, ads_fmt_body_blocks(&geo) - 1, &at);
	ok(at.kind == ADSHARD_BODY_BAD &&
	   at.first + at.nr == ads_fmt_bad_places(&geo), "the last one");
}

static void test_record(void)
{
	struct adshard_record rec = a_record(), other;
	struct ads_state st = test_state(), back;
	struct ads_entry e;
	struct ads_fmt_seg s;
	u32 pos = 0;
	bool good;

	good = !ads_fmt_record_check(&rec, &geo, uuid_a, 1000 % 240, &back,
				     NULL);
	ok(good && same_state(&st, &back), "a record's state");
	good = ads_fmt_record_next(&rec, &pos, &e) &&
	       e.type == ADSHARD_ENTRY_SEG && e.index == 17 &&
	       !ads_fmt_seg_decode(e.seg, &s, NULL) &&
	       s.nr_legs == 1 && s.leg[0].member == 3 &&
	       s.leg[0].chunk == 32;
	ok(good, "its first entry");
	good = ads_fmt_record_next(&rec, &pos, &e) &&
	       e.type == ADSHARD_ENTRY_MEMBER && e.index == 2 &&
	       !ads_fmt_member_check(e.member, &geo, NULL) &&
	       !memcmp(e.member->uuid, uuid_a, 16);
	ok(good && !ads_fmt_record_next(&rec, &pos, &e), "and the second");

	ok(ads_fmt_record_check(&rec, &geo, uuid_b, 1000 % 240, &back, NULL) ==
	   -EBADMSG, "not on another member");
	ok(ads_fmt_record_check(&rec, &geo, uuid_a, 1000 % 240 + 1, &back,
				NULL) == -EBADMSG, "not in another place");
	other = rec;
	ads_fmt_record_seal(&other, &geo, uuid_b);
	ok(rec.crc != other.crc &&
	   ads_fmt_record_sum(&rec) == ads_fmt_record_sum(&other),
	   "the plain checksum is equal on all members");
}

static void test_record_bits(void)
{
	struct adshard_record rec = a_record();
	unsigned char *raw = (unsigned char *)&rec;
	bool good = true;

	for (size_t bit = 0; bit < 8 * sizeof(rec); bit++) {
		raw[bit / 8] ^= 1 << bit % 8;
		good &= check(&rec) == -EBADMSG;
		raw[bit / 8] ^= 1 << bit % 8;
	}
	ok(good && !check(&rec), "no flipped bit of a record goes unnoticed");
}

#define FIELD(field, value, want) do {					\
	struct adshard_record rec_ = a_record();			\
	u32 at_;							\
	struct ads_state st_;						\
									\
	rec_.field = (value);						\
	ads_fmt_record_seal(&rec_, &geo, uuid_a);			\
	at_ = ads_fmt_ring_index(&geo, le64_to_cpu(rec_.state.seq));	\
	ok(ads_fmt_record_check(&rec_, &geo, uuid_a, at_, &st_, NULL) ==	\
	   (want), "record: " #field " = " #value);			\
} while (0)

static void test_record_fields(void)
{
	struct adshard_record rec;
	struct ads_state st;

	FIELD(magic, 0, -EBADMSG);
	FIELD(state.seq, 0, -EINVAL);
	FIELD(state.seq, ~0ULL, -EINVAL);
	FIELD(state.term, ~0ULL, -EINVAL);
	FIELD(state.volume_sectors, 0, -EINVAL);
	FIELD(state.volume_sectors, ~0ULL, -EINVAL);
	FIELD(state.volume_sectors, cpu_to_le64(300ULL << 15), 0);
	FIELD(state.volume_sectors, cpu_to_le64((300ULL << 15) + 1), -EINVAL);
	FIELD(state.volume_sectors, cpu_to_le64(299ULL << 15), -EINVAL);
	FIELD(state.volume_sectors, cpu_to_le64((299ULL << 15) + 1), 0);
	FIELD(state.nr_segments, 0, -EINVAL);
	FIELD(state.nr_segments, ~0U, -EINVAL);
	FIELD(state.nr_members, 0, -EINVAL);
	FIELD(state.nr_members, cpu_to_le32(3), -EINVAL);	/* metadata on 3 */
	FIELD(state.nr_members, cpu_to_le32(1025), -EINVAL);
	FIELD(state.meta_member[0], cpu_to_le16(3), -EINVAL);	/* twice */
	FIELD(state.meta_member[0], cpu_to_le16(4), -EINVAL);
	FIELD(state.meta_member[0], 0xffff, -EINVAL);		/* but active */
	FIELD(state.meta_member[7], cpu_to_le16(1), 0);
	FIELD(state.meta_active, 0, -EINVAL);
	FIELD(state.meta_active, 2, -EINVAL);
	FIELD(state.meta_active, 255, -EINVAL);
	FIELD(state.flags, 1, -EOPNOTSUPP);
	FIELD(nr_entries, 0, -EINVAL);
	FIELD(nr_entries, cpu_to_le16(1), -EINVAL);
	FIELD(nr_entries, cpu_to_le16(3), -EINVAL);
	FIELD(nr_entries, 0xffff, -EINVAL);
	FIELD(bytes, 0, -EINVAL);
	FIELD(bytes, 0xffff, -EINVAL);
	FIELD(bytes, cpu_to_le16(3968), -EINVAL);
	FIELD(entries[0], 0, -EOPNOTSUPP);		/* type */
	FIELD(entries[0], 3, -EINVAL);			/* of another size */
	FIELD(entries[0], 4, -EOPNOTSUPP);
	FIELD(entries[2], 0, -EINVAL);			/* bytes */
	FIELD(entries[3], 0xff, -EINVAL);
	FIELD(entries[5], 0xff, -EINVAL);		/* index */

	/* Sealed for one place, standing in another: the sequence tells. */
	rec = a_record();
	rec.state.seq = cpu_to_le64(1001);
	rec.crc = cpu_to_le32(ads_fmt_seal(geo.pool_uuid, uuid_a,
					   16 + 1000 % 240, &rec, 4));
	ok(check(&rec) == -EINVAL, "a record in another's place");
	rec = a_record();
	ads_fmt_record_check(&rec, &geo, uuid_a, 1000 % 240, &st, NULL);
	rec.entries[0] = 9;
	ads_fmt_record_seal(&rec, &geo, uuid_a);
	st.seq = 0;
	ok(ads_fmt_record_check(&rec, &geo, uuid_a, 1000 % 240, &st, NULL) ==
	   -EOPNOTSUPP && st.seq == 1000,
	   "a record that is not understood still has its sequence");
}

static void test_record_full(void)
{
	struct ads_state st = test_state();
	struct adshard_member m = test_member();
	struct adshard_record rec;
	unsigned int n = 0, seen = 0;
	struct ads_entry e;
	u32 pos = 0;

	ads_fmt_record_init(&rec, &st, 0);
	while (ads_fmt_record_add(&rec, ADSHARD_ENTRY_MEMBER, 1, &m, sizeof(m)))
		n++;
	ads_fmt_record_seal(&rec, &geo, uuid_a);
	while (ads_fmt_record_next(&rec, &pos, &e))
		seen++;
	ok(n == 3968 / 264 && n == seen && !check(&rec),
	   "as many entries as fit, and no more");
}

/* Random entries: nothing beyond the block is read (run with sanitizers). */
static void test_record_random(void)
{
	struct adshard_record *rec = malloc(sizeof(*rec));
	unsigned int passed = 0;
	bool good = true;

	for (unsigned int i = 0; rec && i < 200000; i++) {
		unsigned char *raw = (unsigned char *)rec;
		struct ads_entry e;
		struct ads_state st;
		struct ads_fmt_seg s;
		u32 pos = 0;

		*rec = a_record();
		for (unsigned int n = rnd() % 3 + 1; n; n--)
			raw[88 + (rnd() & 1 ? rnd() % 6 : rnd() % 360)] = rnd();
		if (!(rnd() % 4))
			rec->bytes = cpu_to_le16(rnd());
		ads_fmt_record_seal(rec, &geo, uuid_a);
		if (ads_fmt_record_check(rec, &geo, uuid_a, 1000 % 240, &st,
					 NULL))
			continue;
		passed++;
		while (ads_fmt_record_next(rec, &pos, &e)) {
			const u8 *p = (const void *)e.seg;
			size_t size = sizeof(*e.seg);

			if (e.type == ADSHARD_ENTRY_SEG) {
				good &= e.index < st.nr_segments;
				ads_fmt_seg_decode(e.seg, &s, NULL);
			} else {
				good &= e.type == ADSHARD_ENTRY_MEMBER &&
					e.index < st.nr_members;
				ads_fmt_member_check(e.member, &geo, NULL);
				size = sizeof(*e.member);
			}
			good &= p >= rec->entries &&
				p + size <= (const u8 *)(rec + 1);
		}
	}
	free(rec);
	ok(good && passed > 1000, "entries of what passes are inside the block");
}

static int seg_err(const struct adshard_seg *d, const char **why)
{
	struct ads_fmt_seg s;

	return ads_fmt_seg_decode(d, &s, why);
}

static void test_seg(void)
{
	struct adshard_seg d;
	struct ads_fmt_seg s;
	const char *why = NULL;

	memset(&d, 0, sizeof(d));
	ok(seg_err(&d, &why) == -ENOENT, "an unused segment");
	ads_fmt_seg_plain(&d, 0xfffe, 0xffffffff);
	ok(!ads_fmt_seg_decode(&d, &s, &why) && s.nr_legs == 1 &&
	   s.in_sync == 1 && s.wanted == 1 && !s.intent &&
	   s.leg[0].member == 0xfffe && s.leg[0].chunk == 0xffffffff,
	   "a segment's round trip");
	d.nr_legs = 2;
	d.leg[1].state = ADSHARD_LEG_FILLING;
	ok(!ads_fmt_seg_decode(&d, &s, &why) && s.nr_legs == 1 &&
	   s.leg[0].member == 0xfffe, "a filling leg is thrown away");
	d.leg[0].state = ADSHARD_LEG_FILLING;
	ok(seg_err(&d, &why) == -EINVAL, "no leg in sync");
	d.leg[1].state = ADSHARD_LEG_SYNC;
	ok(!ads_fmt_seg_decode(&d, &s, &why) && s.nr_legs == 1 &&
	   !s.leg[0].member, "the filling one may be the first");
	d.leg[0].state = ADSHARD_LEG_STALE;
	ok(seg_err(&d, &why) == -EINVAL, "a stale one may not");
	d.leg[0].state = ADSHARD_LEG_LAGGING;
	ok(seg_err(&d, &why) == -EOPNOTSUPP, "a lagging one");
	d.leg[0].state = ADSHARD_LEG_SYNC;
	d.leg[1].member = htole16(0xfffe);
	ok(seg_err(&d, &why) == -EINVAL, "two legs on one member");
	d.nr_legs = 5;
	ok(seg_err(&d, &why) == -EINVAL, "five legs");
	d.nr_legs = 0;
	ok(seg_err(&d, &why) == -EINVAL, "no leg");
	ads_fmt_seg_plain(&d, 1, 1);
	d.flags = ADSHARD_SEG_F_UNWRITTEN;
	ok(seg_err(&d, &why) == -EOPNOTSUPP, "reserved flags");
	d.flags = ADSHARD_SEG_F_INTENT;
	ok(!ads_fmt_seg_decode(&d, &s, &why) && !s.intent,
	   "an intent of one leg means nothing");
	d.flags = 0;
	d.wanted = 5;
	ok(seg_err(&d, &why) == -EINVAL, "five legs wanted");
	d.wanted = 0;
	d.kind = ADSHARD_SEG_SPLIT;
	ok(seg_err(&d, &why) == -EOPNOTSUPP, "a split segment");
}

static void test_seg_legs(void)
{
	struct ads_fmt_seg s = {
		.nr_legs = 4, .in_sync = 3, .wanted = 4, .intent = true,
		.leg = { { 5, 9, ADSHARD_LEG_SYNC },
			 { 7, 2, ADSHARD_LEG_STALE },
			 { 5, 3, ADSHARD_LEG_SYNC },
			 { 0xffffffff, 0xfffe, ADSHARD_LEG_SYNC } },
	}, back;
	struct adshard_seg d, again;

	ads_fmt_seg_encode(&s, &d);
	ok(d.wanted == 4 && d.flags == ADSHARD_SEG_F_INTENT &&
	   d.nr_legs == 4, "four legs on disk");
	ok(!ads_fmt_seg_decode(&d, &back, NULL) && back.nr_legs == 4 &&
	   back.in_sync == 3 && back.intent, "and back");
	ads_fmt_seg_encode(&back, &again);
	ok(!memcmp(&d, &again, sizeof(d)), "and there again");
}

static void test_member_entry(void)
{
	struct adshard_member m = test_member();

	ok(!ads_fmt_member_check(&m, &geo, NULL), "a member");
	m.state = 5;
	ok(ads_fmt_member_check(&m, &geo, NULL) == -EOPNOTSUPP,
	   "in an unknown state");
	m.state = 0;
	ok(ads_fmt_member_check(&m, &geo, NULL) == -EOPNOTSUPP, "in none");
	m = test_member();
	m.data_chunks = ~0U;
	ok(ads_fmt_member_check(&m, &geo, NULL) == -EINVAL, "data past its end");
	m = test_member();
	m.data_start = ~0ULL;
	ok(ads_fmt_member_check(&m, &geo, NULL) == -EINVAL, "far past it");
	m = test_member();
	memset(m.domain, 'x', sizeof(m.domain));
	ok(ads_fmt_member_check(&m, &geo, NULL) == -EINVAL,
	   "a label without an end");
	memset(m.uuid, 0, sizeof(m.uuid));
	ok(!ads_fmt_member_check(&m, &geo, NULL) && ads_fmt_member_free(&m),
	   "a free place may hold anything");
}

static void test_table(void)
{
	struct ads_state st = test_state(), back;
	struct adshard_table t, keep;
	unsigned char *raw = (unsigned char *)&t;
	bool good = true;

	ads_fmt_table_init(&t, &geo, &st, 1, 2);
	ads_fmt_table_seal(&t, &geo, uuid_a, 1);
	keep = t;
	ok(!ads_fmt_table_check(&t, &geo, uuid_a, 1, &back, NULL) &&
	   same_state(&st, &back), "a table header");
	ok(ads_fmt_table_check(&t, &geo, uuid_a, 0, &back, NULL) == -EBADMSG &&
	   ads_fmt_table_check(&t, &geo, uuid_b, 1, &back, NULL) == -EBADMSG,
	   "not in the other area, not on another member");
	for (size_t bit = 0; bit < 8 * sizeof(t); bit++) {
		raw[bit / 8] ^= 1 << bit % 8;
		good &= ads_fmt_table_check(&t, &geo, uuid_a, 1, &back, NULL) ==
			-EBADMSG;
		raw[bit / 8] ^= 1 << bit % 8;
	}
	ok(good && !memcmp(&t, &keep, sizeof(t)),
	   "no flipped bit of a header goes unnoticed");
	t.body_blocks = cpu_to_le32(ads_fmt_body_blocks(&geo) + 1);
	ads_fmt_table_seal(&t, &geo, uuid_a, 1);
	ok(ads_fmt_table_check(&t, &geo, uuid_a, 1, &back, NULL) == -EINVAL,
	   "a table of another size");
}

static void test_body(void)
{
	u32 blocks = ads_fmt_body_blocks(&geo), members = 0, segments = 0;
	u32 bad = 0;
	struct adshard_body b;
	struct ads_body_at at;
	bool good = true;

	for (u32 nr = 0; nr < blocks; nr++) {
		ads_fmt_body_at(&geo, nr, &at);
		if (at.kind == ADSHARD_BODY_MEMBERS) {
			good &= at.first == members && at.nr &&
				ads_fmt_member_block(at.first) == nr &&
				ads_fmt_member_block(at.first + at.nr - 1) == nr;
			members += at.nr;
		} else if (at.kind == ADSHARD_BODY_SEGMENTS) {
			good &= at.first == segments && at.nr &&
				ads_fmt_segment_block(&geo, at.first) == nr &&
				ads_fmt_segment_block(&geo, at.first + at.nr -
						      1) == nr;
			segments += at.nr;
		} else {
			good &= at.first == bad && at.nr &&
				ads_fmt_bad_block(&geo, at.first) == nr &&
				ads_fmt_bad_block(&geo, at.first + at.nr -
						  1) == nr;
			bad += at.nr;
		}
		ads_fmt_body_init(&b, &geo, nr);
		ads_fmt_body_seal(&b, &geo, uuid_a, 0, nr);
		good &= !ads_fmt_body_check(&b, &geo, uuid_a, 0, nr) &&
			ads_fmt_body_check(&b, &geo, uuid_a, 1, nr) &&
			ads_fmt_body_check(&b, &geo, uuid_b, 0, nr) &&
			ads_fmt_body_check(&b, &geo, uuid_a, 0, nr ^ 1);
	}
	ok(good && members == geo.max_members && segments == geo.max_segments &&
	   bad == ads_fmt_bad_places(&geo),
	   "every entry has its place in the body, once");

	/* Another block's content, sealed for this place. */
	ads_fmt_body_init(&b, &geo, 5);
	ads_fmt_body_seal(&b, &geo, uuid_a, 0, 6);
	ok(ads_fmt_body_check(&b, &geo, uuid_a, 0, 6) == -EINVAL,
	   "a body block for another place");
	ok(ads_fmt_sum_add(ads_fmt_sum_add(~0U, 1), 2) !=
	   ads_fmt_sum_add(ads_fmt_sum_add(~0U, 2), 1), "the order counts");
}

int main(void)
{
	geo = test_geo();
	test_record();
	test_bad();
	test_record_bits();
	test_record_fields();
	test_record_full();
	test_record_random();
	test_seg();
	test_seg_legs();
	test_member_entry();
	test_table();
	test_body();
	return done_testing();
}
