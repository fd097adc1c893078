// SPDX-License-Identifier: GPL-2.0-or-later
/* Bad ranges, as the tools see them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools.h"

/* Of segment @seg where it is, or, with @left, where it was. */
static struct adshard_bad bad_range(uint32_t seg, uint32_t first, bool left)
{
	struct ads_range r = { .seg = seg, .chunk = place[seg].chunk,
			       .member = place[seg].member, .from = 1,
			       .first = first, .sectors = 8 };
	struct adshard_bad d;

	if (left)
		r.chunk += 16 * 5;
	ads_fmt_range_encode(&r, &d);
	return d;
}

/* One more record on all, with these in places 3, 4, ... */
static void record_bad(const struct adshard_bad *bad, uint32_t nr)
{
	struct ads_super s = super_of(0);
	struct adshard_record r, *last =
		(void *)(img[0] + ring_block(0, base_seq) * 4096);
	struct ads_state st;

	if (ads_fmt_state_decode(&last->state, &s.geo, &st, NULL))
		exit(1);
	st.seq = base_seq + 1;
	ads_fmt_record_init(&r, &st, ads_fmt_record_sum(last));
	for (uint32_t i = 0; i < nr; i++)
		ads_fmt_record_add(&r, ADSHARD_ENTRY_BAD, 3 + i, &bad[i],
				   sizeof(*bad));
	for (int i = 0; i < NR; i++) {
		s = super_of(i);
		ads_fmt_record_seal(&r, &s.geo, s.uuid);
		memcpy(img[i] + ring_block(i, st.seq) * 4096, &r, sizeof(r));
	}
	map_of[st.seq] = map_of[base_seq];
}

/* The newest table of all has this one in place @index. */
static void table_bad(const struct adshard_bad *bad, uint32_t index)
{
	for (int i = 0; i < NR; i++) {
		uint64_t at = newest_area(i);
		struct ads_super s = super_of(i);
		struct adshard_table *t = (void *)(img[i] + at * 4096);
		unsigned int area = at == s.geo.table_block[1];
		uint32_t nr = ads_fmt_bad_block(&s.geo, index), crc = ~0U;
		struct adshard_body *b = (void *)(t + 1);

		b[nr].u.bad[index % ADSHARD_BAD_PER_BLOCK] = *bad;
		ads_fmt_body_seal(&b[nr], &s.geo, s.uuid, area, nr);
		for (uint32_t k = 0; k < ads_fmt_body_blocks(&s.geo); k++)
			crc = ads_fmt_sum_add(crc, ads_fmt_body_sum(&b[k]));
		t->body_crc = htole32(crc);
		ads_fmt_table_seal(t, &s.geo, s.uuid, area);
	}
}

void test_bad(void)
{
	struct adshard_bad bad[4];
	struct ads_super s = super_of(2);

	begin("a bad range");
	bad[0] = bad_range(7, 16, false);
	record_bad(bad, 1);
	check_is(0, "4 KiB in 1 range could not be read when its segment");
	ok(!tool("check", "--json", true) &&
	   strstr(out, "\"bad_ranges\": 1,") &&
	   strstr(out, "\"bad_bytes\": 4096,"), "as JSON");
	ok(!tool("dump", "", true) &&
	   strstr(out, "      bad range 3: segment 7 at member") &&
	   strstr(out, "8 sectors from 16 on, unreadable on member 1"), "dump");
	ok(!tool("dump", "--json", true) &&
	   strstr(out, "\"first_sector\": 16,"), "dump, as JSON");
	begin("one, and one of another place");
	bad[1] = bad_range(8, 0, true);
	record_bad(bad, 2);
	check_is(0, "1 bad range is of a place where the segment is not");
	ok(strstr(out, "4 KiB in 1 range could not"), "and the one that counts");
	begin("one that has gone again");
	table_bad(bad, 3);
	memset(&bad[0], 0, sizeof(*bad));
	record_bad(bad, 1);
	check_is(0, "would activate");
	ok(!strstr(out, "bad range") && !strstr(out, "could not be read"),
	   "nothing is said");

	begin("two that overlap");
	bad[0] = bad_range(7, 16, false);
	bad[1] = bad_range(7, 20, false);
	record_bad(bad, 2);
	check_is(9, "overlaps another one");
	begin("two that touch");
	bad[1] = bad_range(7, 24, false);
	record_bad(bad, 2);
	check_is(0, "8 KiB in 2 ranges could not be read when their segment");
	begin("two of different places");
	bad[1] = bad_range(7, 20, true);
	record_bad(bad, 2);
	check_is(0, "of a place where the segment is not");
	begin("from nobody");
	bad[0].from = htole16(77);
	record_bad(bad, 1);
	check_is(9, "comes from a member that does not exist");
	begin("of no segment");
	bad[0] = bad_range(7, 16, false);
	bad[0].seg = htole32(5000);
	record_bad(bad, 1);
	check_is(0, "would activate");
	begin("beyond its segment");
	bad[0] = bad_range(7, 2048, false);
	table_bad(bad, 500);
	/* and the older table leads there, too */
	check_is(9, "bad range out of range");

	/* they are rebuilt like all else */
	begin("bad ranges in a table that is damaged");
	bad[0] = bad_range(7, 16, false);
	bad[1] = bad_range(9, 8, false);
	table_bad(bad, 500);
	record_bad(bad + 1, 1);
	base_seq++;
	flip(2, newest_area(2) + 1 + ads_fmt_bad_block(&s.geo, 500));
	mends(9, "blocks of it are damaged", "");
	begin("bad ranges, and journal and tables of a member");
	table_bad(bad, 500);
	base_seq--;
	record_bad(bad + 1, 1);
	base_seq++;
	zero(2, s.geo.journal_block, BLOCKS - s.geo.journal_block);
	mends(9, "its header is not whole", "");
	to_files();
	ok(!repair(""), "again");
	for (int i = 0; i < NR; i++)
		present[i] = i == 2;
	from_files();
	to_files();
	ok(!tool("dump", "", true) && strstr(out, "    bad range 500: segment 7") &&
	   strstr(out, "      bad range 3: segment 9"), "the member has them");
	base_seq--;
}
