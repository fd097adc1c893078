// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The superblock: round trip, every bit flipped, every field out of range, and
 * what the checks let through of blocks that are random but rightly sealed.
 */
#include "format-block.h"

static struct adshard_super sealed(const struct ads_super *s, unsigned int copy)
{
	struct adshard_super sb;

	ads_fmt_super_encode(s, &sb);
	ads_fmt_super_seal(&sb, copy);
	return sb;
}

static void test_round_trip(void)
{
	struct ads_super s = test_super(), back;
	struct adshard_super sb;
	bool good = true;

	for (unsigned int copy = 0; copy < 2; copy++) {
		sb = sealed(&s, copy);
		good &= !ads_fmt_super_check(&sb, copy, NULL);
		good &= ads_fmt_super_check(&sb, !copy, NULL) == -EBADMSG;
		ads_fmt_super_decode(&sb, &back);
		good &= !memcmp(&s, &back, sizeof(s));
	}
	ok(good, "round trip, and a copy passes in its own place only");
}

static void test_bits(void)
{
	struct ads_super s = test_super();
	struct adshard_super sb = sealed(&s, 0);
	unsigned char *raw = (unsigned char *)&sb;
	bool good = true;

	for (size_t bit = 0; bit < 8 * sizeof(sb); bit++) {
		raw[bit / 8] ^= 1 << bit % 8;
		good &= ads_fmt_super_check(&sb, 0, NULL) == -EBADMSG;
		raw[bit / 8] ^= 1 << bit % 8;
	}
	ok(good && !ads_fmt_super_check(&sb, 0, NULL),
	   "no flipped bit goes unnoticed");
}

/* One field of a good superblock replaced, sealed again. */
#define FIELD(field, value, want) do {					\
	struct ads_super s_ = test_super();				\
	struct adshard_super sb_;					\
	const char *why_ = NULL;					\
									\
	ads_fmt_super_encode(&s_, &sb_);				\
	sb_.field = (value);						\
	ads_fmt_super_seal(&sb_, 0);					\
	ok(ads_fmt_super_check(&sb_, 0, &why_) == (want) &&		\
	   !!why_ == !!(want), #field " = " #value);			\
} while (0)

static void test_fields(void)
{
	FIELD(magic[0], 'B', -EBADMSG);
	FIELD(version, cpu_to_le32(2), -EOPNOTSUPP);
	FIELD(version, 0, -EOPNOTSUPP);
	FIELD(compat, cpu_to_le64(1), 0);
	FIELD(ro_compat, cpu_to_le64(1), -EOPNOTSUPP);
	FIELD(incompat, cpu_to_le64(1ULL << 63), -EOPNOTSUPP);
	FIELD(sb_seq, ~0ULL, -EINVAL);
	FIELD(member_sectors, ~0ULL, -EINVAL);
	FIELD(member_sectors, 0, -EINVAL);
	FIELD(member_sectors, cpu_to_le64(1ULL << 54), 0);
	FIELD(member_sectors, cpu_to_le64((1ULL << 54) + 1), -EINVAL);
	FIELD(data_start, 0, -EINVAL);
	FIELD(data_start, ~0ULL, -EINVAL);
	FIELD(data_start, cpu_to_le64(test_super().data_start + 1), -EINVAL);
	FIELD(data_start, cpu_to_le64(test_super().sectors + 1), -EINVAL);
	FIELD(data_chunks, ~0U, -EINVAL);
	FIELD(data_chunks, cpu_to_le32(test_super().data_chunks + 1), -EINVAL);
	FIELD(data_chunks, 0, 0);
	FIELD(member_index, cpu_to_le16(1024), -EINVAL);
	FIELD(member_index, 0xffff, -EINVAL);
	FIELD(segment_shift, 10, -EINVAL);
	FIELD(segment_shift, 26, -EINVAL);
	FIELD(segment_shift, 255, -EINVAL);
	FIELD(chunk_shift, 6, -EINVAL);
	FIELD(chunk_shift, 12, -EINVAL);
	FIELD(chunk_shift, 64, -EINVAL);
	FIELD(logical_block_size, 0, -EINVAL);
	FIELD(logical_block_size, cpu_to_le32(1000), -EINVAL);
	FIELD(logical_block_size, cpu_to_le32(256), -EINVAL);
	FIELD(logical_block_size, cpu_to_le32(8192), -EINVAL);
	FIELD(logical_block_size, cpu_to_le32(4096), 0);
	FIELD(journal_block, 0, -EINVAL);
	FIELD(journal_block, cpu_to_le32(17), -EINVAL);
	FIELD(journal_block, ~0U, -EINVAL);
	FIELD(journal_blocks, 0, -EINVAL);
	FIELD(journal_blocks, cpu_to_le32(63), -EINVAL);
	FIELD(journal_blocks, cpu_to_le32(241), -EINVAL);
	FIELD(journal_blocks, ~0U, -EINVAL);
	FIELD(table_block[0], 0, -EINVAL);
	FIELD(table_block[0], ~0U, -EINVAL);
	FIELD(table_block[1], test_geo().table_block[0], -EINVAL);
	FIELD(table_block[1], ~0U, -EINVAL);
	FIELD(table_blocks, 0, -EINVAL);
	FIELD(table_blocks, ~0U, -EINVAL);
	FIELD(table_blocks, cpu_to_le32(test_geo().table_blocks - 1), -EINVAL);
	FIELD(max_members, 0, -EINVAL);
	FIELD(max_members, cpu_to_le32(1025), -EINVAL);
	FIELD(max_members, ~0U, -EINVAL);
	FIELD(max_segments, 0, -EINVAL);
	FIELD(max_segments, cpu_to_le32((1U << 24) + 1), -EINVAL);
	FIELD(max_segments, ~0U, -EINVAL);
	FIELD(max_bad_blocks, ~0U, -EINVAL);
	FIELD(nr_meta, 0, -EINVAL);
	FIELD(nr_meta, cpu_to_le16(9), -EINVAL);
}

static void test_names(void)
{
	struct ads_super s = test_super();
	struct adshard_super sb;

	ads_fmt_super_encode(&s, &sb);
	memset(sb.pool_name, 'x', sizeof(sb.pool_name));
	ads_fmt_super_seal(&sb, 0);
	ok(ads_fmt_super_check(&sb, 0, NULL) == -EINVAL,
	   "a name without an end");
	ads_fmt_super_encode(&s, &sb);
	memset(sb.member_uuid, 0, sizeof(sb.member_uuid));
	ads_fmt_super_seal(&sb, 0);
	ok(ads_fmt_super_check(&sb, 0, NULL) == -EINVAL, "no member UUID");
	ads_fmt_super_encode(&s, &sb);
	memset(sb.pool_uuid, 0, sizeof(sb.pool_uuid));
	ads_fmt_super_seal(&sb, 0);
	ok(ads_fmt_super_check(&sb, 0, NULL) == -EINVAL, "no pool UUID");
	strcpy(s.geo.name, "name");
	ads_fmt_super_encode(&s, &sb);
	sb.pool_name[10] = 'x';
	ads_fmt_super_decode(&sb, &s);
	ok(!s.geo.name[10], "nothing of what follows the end of a name");
}

/*
 * Whatever passes must be safe to compute with: what the rest of the kernel
 * takes for granted, on superblocks whose fields are random.
 */
static bool is_safe(const struct ads_super *s)
{
	const struct ads_geometry *g = &s->geo;
	__uint128_t journal_end, end[2], data_end;

	journal_end = (__uint128_t)g->journal_block + g->journal_blocks;
	end[0] = (__uint128_t)g->table_block[0] + g->table_blocks;
	end[1] = (__uint128_t)g->table_block[1] + g->table_blocks;
	data_end = s->data_start +
		   ((__uint128_t)s->data_chunks << g->chunk_shift);
	return g->journal_block >= 16 && g->journal_blocks >= 64 &&
	       journal_end <= g->table_block[0] &&
	       end[0] <= g->table_block[1] && end[1] * 8 <= s->data_start &&
	       data_end <= s->sectors && s->sectors <= 1ULL << 54 &&
	       g->chunk_shift <= g->segment_shift && g->segment_shift <= 25 &&
	       g->max_segments <= 1U << 24 && g->max_members <= 1024 &&
	       (u64)ads_fmt_body_blocks(g) + 1 <= g->table_blocks &&
	       ads_fmt_slots(g, s->data_chunks) <= 1U << 24 &&
	       s->index < g->max_members && s->nr_meta <= 8;
}

static void test_random(void)
{
	unsigned int passed = 0;
	bool good = true;

	for (unsigned int i = 0; i < 200000; i++) {
		struct ads_super s = test_super(), back;
		struct adshard_super sb;
		unsigned char *raw = (unsigned char *)&sb;

		ads_fmt_super_encode(&s, &sb);
		for (unsigned int n = rnd() % 4 + 1; n; n--) {
			/* from member_sectors to reserved0 */
			unsigned int at = 152 + rnd() % (216 - 152);

			if (rnd() & 1)
				raw[at] = rnd();
			else
				raw[at] ^= 1 << rnd() % 8;
		}
		ads_fmt_super_seal(&sb, 0);
		if (ads_fmt_super_check(&sb, 0, NULL))
			continue;
		passed++;
		ads_fmt_super_decode(&sb, &back);
		good &= is_safe(&back);
	}
	ok(good && passed > 1000, "whatever passes is safe to compute with");
}

static void test_layout(void)
{
	struct ads_geometry geo;
	bool good = true;
	u64 start;

	start = ads_fmt_layout(&geo, 1);
	ok(geo.journal_block == 16 && geo.journal_blocks == 240 &&
	   geo.table_block[0] == 256 && geo.table_blocks == 145 &&
	   geo.table_block[1] == 401 && start == 3 * 2048,
	   "the smallest layout");
	for (u32 nr = 1; nr <= 1U << 24; nr += nr / 3 + 1) {
		struct ads_super s = test_super();
		struct adshard_super sb;

		s.data_start = ads_fmt_layout(&s.geo, nr);
		s.data_chunks = 16;
		s.sectors = s.data_start + (1 << 15);
		good &= s.data_start && s.geo.max_segments >= nr;
		sb = sealed(&s, 1);
		good &= !ads_fmt_super_check(&sb, 1, NULL);
	}
	ok(good, "every layout passes the check");
	ok(!ads_fmt_layout(&geo, 0) && !ads_fmt_layout(&geo, (1U << 24) + 1),
	   "no layout for nothing or too much");
}

int main(void)
{
	ok(crc32c(~0U, "123456789", 9) == 0x1cf96d7c, "crc32c check value");
	test_round_trip();
	test_bits();
	test_fields();
	test_names();
	test_random();
	test_layout();
	return done_testing();
}
