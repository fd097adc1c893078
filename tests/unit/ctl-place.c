// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Placement, layout and the verdict on a pool.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/layout.h"
#include "lib/place.h"

#include "ctl/bad.c"
#include "ctl/common.c"
#include "ctl/health.c"
#include "ctl/health-legs.c"

static const struct ads_place_member four[] = {
	{ 0, "sda", NULL, ADSHARD_MEMBER_DRAINING, true, 10, 4, 0, -1, -1, false },
	{ 1, "sdb", NULL, ADSHARD_MEMBER_ONLINE, true, 10, 3, 0, -1, -1, false },
	{ 2, "sdc", NULL, ADSHARD_MEMBER_ONLINE, true, 10, 3, 0, -1, -1, false },
	{ 3, "sdd", NULL, ADSHARD_MEMBER_ONLINE, true, 10, 3, 0, -1, -1, false },
};

static void fill_segs(struct ads_place_segment *s, size_t n, uint32_t on)
{
	for (size_t i = 0; i < n; i++)
		s[i] = (struct ads_place_segment){ .segment = i, .nr_on = 1,
						   .on = { on } };
}

static void spreads(void **state)
{
	struct ads_place_segment s[9];
	uint32_t dst[9], n[4] = { 0 };
	struct ads_err err;

	fill_segs(s, 9, 0);
	assert_int_equal(ads_place(four, 4, s, 9, NULL, dst, &err), 0);
	for (int i = 0; i < 9; i++)
		n[dst[i]]++;
	assert_int_equal(n[0], 0);
	assert_int_equal(n[1], 3);
	assert_int_equal(n[2], 3);
	assert_int_equal(n[3], 3);
	assert_int_equal(dst[0], 1);	/* ties: the lower index */
}

/* A spare only when the others are full, and then before nobody. */
static void spare_is_last(void **state)
{
	struct ads_place_member m[4] = { four[0], four[1], four[2], four[3] };
	struct ads_place_segment s[9];
	uint32_t dst[9], n[4] = { 0 };

	m[2].spare = true;
	m[2].nr_free = 10;
	fill_segs(s, 9, 0);
	assert_int_equal(ads_place_room(m, 4, NULL), 16);
	assert_int_equal(ads_place(m, 4, s, 9, NULL, dst, NULL), 0);
	for (int i = 0; i < 9; i++)
		n[dst[i]]++;
	assert_int_equal(n[1], 3);
	assert_int_equal(n[2], 3);
	assert_int_equal(n[3], 3);
	for (int i = 0; i < 6; i++)
		assert_int_not_equal(dst[i], 2);
}

static void order_of_members(void **state)
{
	struct ads_place_member m[4] = { four[3], four[1], four[0], four[2] };
	struct ads_place_segment s[7];
	uint32_t a[7], b[7];

	fill_segs(s, 7, 0);
	assert_int_equal(ads_place(four, 4, s, 7, NULL, a, NULL), 0);
	assert_int_equal(ads_place(m, 4, s, 7, NULL, b, NULL), 0);
	assert_memory_equal(a, b, sizeof(a));
}

static void too_little(void **state)
{
	struct ads_place_segment s[12];
	uint32_t dst[12], none = 0;
	struct ads_err err;

	fill_segs(s, 12, 0);
	assert_int_equal(ads_place(four, 4, s, 12, NULL, dst, &err), -ENOSPC);
	assert_string_equal(err.text,
			    "needs 12 slots, 9 free on sdb, sdc, sdd");
	for (int i = 0; i < 12; i++)
		none += dst[i] == ADS_PLACE_NONE;
	assert_int_equal(none, 3);
	assert_int_equal(ads_place_room(four, 4, NULL), 9);
}

static void nobody(void **state)
{
	struct ads_place_member m[4];
	struct ads_place_segment s[1];
	uint32_t dst[1], exclude = 3;
	struct ads_place_opts o = { .exclude = &exclude, .nr_exclude = 1 };
	struct ads_err err;

	memcpy(m, four, sizeof(m));
	m[1].state = ADSHARD_MEMBER_FAILED;
	m[2].score = 77;
	fill_segs(s, 1, 0);
	assert_int_equal(ads_place(m, 4, s, 1, &o, dst, &err), -ENODEV);
	assert_string_equal(err.text,
		"no member can take a segment: sda is draining, sdb has failed, sdc has a score of 77 (limit 50), sdd is to be emptied");
	m[3].present = false;
	assert_int_equal(ads_place(m, 4, s, 1, NULL, dst, &err), -ENODEV);
	assert_non_null(strstr(err.text, "sdd is missing"));
}

static void never_where_it_is(void **state)
{
	struct ads_place_segment s = { .segment = 5, .nr_on = 3,
				       .on = { 1, 2, 3 } };
	uint32_t dst;
	struct ads_err err;

	assert_int_equal(ads_place(four, 4, &s, 1, NULL, &dst, &err), -ENOSPC);
	assert_non_null(strstr(err.text, "1 of 1 segments"));
	s.nr_on = 2;
	assert_int_equal(ads_place(four, 4, &s, 1, NULL, &dst, &err), 0);
	assert_int_equal(dst, 3);
}

static void prefers(void **state)
{
	struct ads_place_member m[4];
	struct ads_place_segment s[1];
	uint32_t dst;

	fill_segs(s, 1, 0);
	memcpy(m, four, sizeof(m));
	m[1].score = m[2].score = m[3].score = 0;
	m[1].load = m[2].load = 0.9;
	m[3].load = 0.1;
	ads_place(m, 4, s, 1, NULL, &dst, NULL);
	assert_int_equal(dst, 3);
	m[3].score = 50;		/* allowed, but the last choice */
	m[2].load = 0.5;
	ads_place(m, 4, s, 1, NULL, &dst, NULL);
	assert_int_equal(dst, 2);
	m[2].incoming = 3;		/* full, once all has arrived */
	ads_place(m, 4, s, 1, NULL, &dst, NULL);
	assert_int_equal(dst, 1);
}

/* Two shelves, and a disk that belongs to none. */
static const struct ads_place_member shelves[] = {
	{ 0, "sda", "left", ADSHARD_MEMBER_ONLINE, true, 10, 9, 0, -1, -1,
	  false },
	{ 1, "sdb", "left", ADSHARD_MEMBER_ONLINE, true, 10, 9, 0, -1, -1,
	  false },
	{ 2, "sdc", "right", ADSHARD_MEMBER_ONLINE, true, 10, 2, 0, -1, -1,
	  false },
	{ 3, "sdd", "", ADSHARD_MEMBER_ONLINE, true, 10, 1, 0, -1, -1,
	  false },
};

static void keeps_domains_apart(void **state)
{
	struct ads_place_segment s[4];
	struct ads_place_opts o = { .same_domain_how = "--same-domain" };
	uint32_t dst[4];
	struct ads_err err;

	/* emptier by far, but on the shelf of the copy that stays */
	for (int i = 0; i < 4; i++)
		s[i] = (struct ads_place_segment){ .segment = i, .nr_on = 1,
			.on = { 0 }, .nr_with = 1, .with = { 0 } };
	assert_int_equal(ads_place(shelves, 4, s, 3, &o, dst, &err), 0);
	for (int i = 0; i < 3; i++)
		assert_true(dst[i] == 2 || dst[i] == 3);
	/* a fourth has no such place */
	assert_int_equal(ads_place(shelves, 4, s, 4, &o, dst, &err), -EXDEV);
	assert_int_equal(dst[3], ADS_PLACE_NONE);
	assert_string_equal(err.text,
		"1 of 4 segments have a copy already in every failure domain with room (sda (left), sdb (left)); --same-domain puts two copies into one domain");
	o.same_domain_how = NULL;
	assert_int_equal(ads_place(shelves, 4, s, 4, &o, dst, &err), -EXDEV);
	assert_null(strstr(err.text, "--same-domain"));
	/* unless that is said to be better than none; never on one member */
	o.same_domain = true;
	assert_int_equal(ads_place(shelves, 4, s, 4, &o, dst, &err), 0);
	assert_int_equal(dst[3], 1);
}

static void leaves_its_domain_or_stays(void **state)
{
	/* It leaves 0: no other copy, so the shelf is no matter. */
	struct ads_place_segment s = { .nr_on = 1, .on = { 0 } };
	uint32_t dst;

	assert_int_equal(ads_place(shelves, 4, &s, 1, NULL, &dst, NULL), 0);
	assert_int_equal(dst, 1);
	/* It leaves 0 and has a copy on 2: 1 is still the best place. */
	s = (struct ads_place_segment){ .nr_on = 2, .on = { 0, 2 },
					.nr_with = 1, .with = { 2 } };
	assert_int_equal(ads_place(shelves, 4, &s, 1, NULL, &dst, NULL), 0);
	assert_int_equal(dst, 1);
	/* It leaves 2, with one on 0: only 3 is left. */
	s = (struct ads_place_segment){ .nr_on = 2, .on = { 2, 0 },
					.nr_with = 1, .with = { 0 } };
	assert_int_equal(ads_place(shelves, 4, &s, 1, NULL, &dst, NULL), 0);
	assert_int_equal(dst, 3);
}

static void lets_go(void **state)
{
	struct ads_place_leg legs[4] = { { 0, true }, { 2, true },
					 { 1, true }, { 3, true } };
	struct ads_place_member m[4];

	memcpy(m, shelves, sizeof(m));
	/* sda and sdb share a shelf and are as full: the primary stays */
	assert_int_equal(ads_place_drop(m, 4, legs, 4, NULL), 2);
	/* without the twin: the fullest */
	assert_int_equal(ads_place_drop(m, 4, legs, 2, NULL), 1);
	m[0].score = 90;
	assert_int_equal(ads_place_drop(m, 4, legs, 2, NULL), 0);
	m[0].score = -1;
	m[2].state = ADSHARD_MEMBER_DRAINING;
	assert_int_equal(ads_place_drop(m, 4, legs, 4, NULL), 1);
	m[3].present = false;
	assert_int_equal(ads_place_drop(m, 4, legs, 4, NULL), 3);
	legs[2].sync = false;		/* before all of these */
	assert_int_equal(ads_place_drop(m, 4, legs, 4, NULL), 2);
	/* never the last one that can be read */
	assert_int_equal(ads_place_drop(m, 4, legs, 1, NULL), -1);
	legs[1].sync = false;
	assert_int_equal(ads_place_drop(m, 4, legs, 2, NULL), 1);
	m[0].present = false;
	assert_int_equal(ads_place_drop(m, 4, legs, 2, NULL), -1);
	m[0].present = true;
	m[0].state = ADSHARD_MEMBER_FAILED;
	assert_int_equal(ads_place_drop(m, 4, legs, 1, NULL), -1);
}

static void nothing_to_place(void **state)
{
	assert_int_equal(ads_place(four, 0, NULL, 0, NULL, NULL, NULL), 0);
}

static void layout(void **state)
{
	const uint64_t gib = 1ULL << 30;
	uint64_t dev[4] = { 80ULL << 20, 80ULL << 20, 80ULL << 20,
			    80ULL << 20 };
	struct ads_layout l;

	/* 1024 segments: 1 + 69 + 11 + 64 = 145 blocks; 546 * 4 KiB -> 3 MiB */
	assert_int_equal(ads_layout(10 * gib, gib, &l), 0);
	assert_int_equal(l.nr_segments, 10);
	assert_int_equal(l.max_segments, 1024);
	assert_int_equal(l.table_blocks, 145);
	assert_int_equal(l.data_start, 3 << 20);
	assert_int_equal(ads_layout(10 * gib + 1, gib, &l), 0);
	assert_int_equal(l.nr_segments, 11);
	assert_int_equal(ads_layout(1000 * gib, gib, &l), 0);
	assert_int_equal(l.max_segments, 4000);
	assert_int_equal(ads_layout((1ULL << 24) << 20, 1 << 20, &l), 0);
	assert_int_equal(l.max_segments, 1 << 24);
	assert_int_equal(ads_layout(((1ULL << 24) + 1) << 20, 1 << 20, &l),
			 -EFBIG);
	assert_int_equal(ads_layout(0, gib, &l), -EFBIG);

	assert_int_equal(ads_layout_max_segments(dev, 4, 4 << 20, 1, 0, &l), 76);
	assert_int_equal(ads_layout_slots(&l, dev[0], 4 << 20), 19);
	assert_int_equal(ads_layout_max_segments(dev, 4, 4 << 20, 1, 6, &l), 70);
	assert_int_equal(ads_layout_max_segments(dev, 4, 4 << 20, 1,
						 ADS_RESERVE_AUTO, &l), 57);
	assert_int_equal(ads_layout_max_segments(dev, 1, 4 << 20, 1,
						 ADS_RESERVE_AUTO, &l), 0);
	assert_int_equal(ads_layout_max_segments(dev, 4, gib, 1, 0, &l), 0);
	/* 76 slots: 38 pairs; 57 that may be moved to: 28 of them */
	assert_int_equal(ads_layout_max_segments(dev, 4, 4 << 20, 2, 0, &l),
			 38);
	assert_int_equal(ads_layout_max_segments(dev, 4, 4 << 20, 2,
						 ADS_RESERVE_AUTO, &l), 28);
	assert_int_equal(ads_layout_max_segments(dev, 4, 4 << 20, 4, 0, &l),
			 19);
	assert_int_equal(ads_layout_max_segments(dev, 4, 4 << 20, 4,
						 ADS_RESERVE_AUTO, &l), 0);
	assert_int_equal(ads_layout_max_segments(dev, 2, 4 << 20, 3, 0, &l),
			 0);
	/* a large one is of no use beyond what the others can pair with */
	dev[0] = 800ULL << 20;
	assert_int_equal(ads_layout_max_segments(dev, 2, 4 << 20, 2, 0, &l),
			 19);
	assert_int_equal(ads_layout_max_segments(dev, 3, 4 << 20, 2, 0, &l),
			 38);
	assert_int_equal(ads_layout_max_segments(dev, 3, 4 << 20, 3, 0, &l),
			 19);
	dev[0] = 1 << 20;		/* smaller than the metadata */
	assert_int_equal(ads_layout_slots(&l, dev[0], 4 << 20), 0);
}

static void judge_all(const struct ads_pool *p, const struct ads_member *m,
		      size_t nr, const struct ads_migration *mig, size_t nr_mig,
		      const struct ads_bad *bad, size_t nr_bad,
		      struct health *h)
{
	const struct health_in in = { .pool = p, .m = m, .nr_m = nr,
		.mig = mig, .nr_mig = nr_mig, .bad = bad, .nr_bad = nr_bad };

	health_judge(&in, h);
}

static void judge(const struct ads_pool *p, const struct ads_member *m,
		  size_t nr, const struct ads_migration *mig, size_t nr_mig,
		  const char *want, enum health_level level)
{
	struct health h;

	judge_all(p, m, nr, mig, nr_mig, NULL, 0, &h);
	assert_string_equal(h.state, want);
	assert_int_equal(h.level, level);
	assert_true(h.why[0] && h.action[0]);
}

static void verdicts(void **state)
{
	struct ads_pool p = { .state = ADSHARD_POOL_OK,
			      .segment_size = 1 << 20 };
	struct ads_migration mig = { .src = 1, .dst = 0, .chunks = 10 };
	struct ads_member m[2] = {
		{ .index = 0, .state = ADSHARD_MEMBER_ONLINE, .present = true,
		  .nr_segments = 3 },
		{ .index = 1, .state = ADSHARD_MEMBER_ONLINE, .present = true,
		  .nr_segments = 3 },
	};

	judge(&p, m, 2, NULL, 0, "healthy", HEALTH_OK);
	p.state = ADSHARD_POOL_DEGRADED;
	m[1].meta = 1;
	m[1].present = false;
	m[1].nr_segments = 0;
	judge(&p, m, 2, NULL, 0, "degraded", HEALTH_WARN);
	p.state = ADSHARD_POOL_OK;
	m[1].meta = 2;
	m[1].present = true;
	m[1].nr_segments = 3;
	m[0].write_errors = 1;
	judge(&p, m, 2, NULL, 0, "errors", HEALTH_WARN);
	m[0].write_errors = 0;
	m[1].state = ADSHARD_MEMBER_DRAINING;
	judge(&p, m, 2, &mig, 1, "evacuating", HEALTH_OK);
	judge(&p, m, 2, NULL, 0, "waiting", HEALTH_WARN);
	p.paused = true;
	judge(&p, m, 2, &mig, 1, "waiting", HEALTH_WARN);
	m[1].state = ADSHARD_MEMBER_FAILED;
	judge(&p, m, 2, NULL, 0, "degraded", HEALTH_CRIT);
	m[1].nr_segments = 0;
	judge(&p, m, 2, NULL, 0, "degraded", HEALTH_WARN);
	m[0].present = false;
	judge(&p, m, 2, NULL, 0, "degraded", HEALTH_CRIT);
	p.state = ADSHARD_POOL_READONLY;
	judge(&p, m, 2, NULL, 0, "readonly", HEALTH_CRIT);
	p.state = ADSHARD_POOL_STUCK;
	judge(&p, m, 2, NULL, 0, "stuck", HEALTH_CRIT);
	p.state = 77;
	judge(&p, m, 2, NULL, 0, "unknown", HEALTH_UNKNOWN);
}

/* What was lost is a warning, whatever else is one. */
static void bad_ranges(void **state)
{
	struct ads_pool p = { .state = ADSHARD_POOL_OK, .nr_bad = 2,
			      .bad_bytes = 5632, .segment_size = 1 << 20 };
	struct ads_bad bad[2] = {
		{ .segment = 1, .length = 512, .from = 1 },
		{ .segment = 7, .length = 5120, .from = 1 },
	};
	struct ads_member m = { .state = ADSHARD_MEMBER_ONLINE,
				.present = true, .nr_segments = 3 };
	struct health h;

	judge_all(&p, &m, 1, NULL, 0, bad, 2, &h);
	assert_string_equal(h.state, "bad-ranges");
	assert_int_equal(h.level, HEALTH_WARN);
	assert_string_equal(h.why, "5.5 KiB in 2 ranges could not be read when they were moved (from member 1); reads of them fail");
	assert_non_null(strstr(h.action, "segments --bad --files"));
	m.read_errors = 3;
	judge_all(&p, &m, 1, NULL, 0, bad, 2, &h);
	assert_string_equal(h.state, "bad-ranges");
	m.present = false;
	judge_all(&p, &m, 1, NULL, 0, bad, 2, &h);
	assert_string_equal(h.state, "degraded");
	assert_int_equal(h.level, HEALTH_CRIT);
	m.present = true;
	m.read_errors = 0;
	/* the list has come too late: they have been written */
	judge_all(&p, &m, 1, NULL, 0, bad, 1, &h);
	assert_non_null(strstr(h.why, "512 B in 1 range "));
	p.nr_bad = 0;
	judge_all(&p, &m, 1, NULL, 0, NULL, 0, &h);
	assert_string_equal(h.state, "healthy");
}

/* What is missing of the copies, and why. */
static void copies(void **state)
{
	struct ads_pool p = { .state = ADSHARD_POOL_OK, .name = "tank",
			      .segment_size = 1 << 20, .knows_legs = true };
	struct ads_member m[3] = {
		{ .index = 0, .state = ADSHARD_MEMBER_ONLINE, .present = true,
		  .nr_segments = 3 },
		{ .index = 1, .state = ADSHARD_MEMBER_ONLINE, .present = true,
		  .nr_segments = 2 },
		{ .index = 2, .state = ADSHARD_MEMBER_ONLINE,
		  .nr_segments = 2 },
	};
	struct ads_segment seg[3] = {
		{ .index = 0, .wanted = 2, .nr_legs = 2,
		  .leg = { { 0, 0, ADSHARD_LEG_SYNC },
			   { 1, 0, ADSHARD_LEG_SYNC } } },
		{ .index = 1, .wanted = 2, .nr_legs = 2,
		  .leg = { { 0, 16, ADSHARD_LEG_SYNC },
			   { 2, 0, ADSHARD_LEG_SYNC } } },
		{ .index = 2, .wanted = 3, .nr_legs = 3,
		  .leg = { { 1, 16, ADSHARD_LEG_SYNC },
			   { 0, 32, ADSHARD_LEG_SYNC },
			   { 2, 16, ADSHARD_LEG_STALE } } },
	};
	struct ads_migration mig = { .kind = ADSHARD_KIND_ADD, .dst = 1 };
	struct health_in in = { .pool = &p, .m = m, .nr_m = 3, .seg = seg,
				.nr_seg = 3 };
	struct health h;

	assert_true(health_wants_segments(&p, m, 3));
	assert_false(health_wants_segments(&p, m, 2));
	p.nr_short = 1;
	assert_true(health_wants_segments(&p, m, 2));
	health_judge(&in, &h);
	assert_string_equal(h.state, "short");
	assert_int_equal(h.level, HEALTH_WARN);
	assert_string_equal(h.why, "1 segment has 1 of 2 copies, 1 other lacks one too; of no use are those on member 2 (missing)");
	assert_string_equal(h.action, "'adshardctl rebuild tank' makes them");
	in.mig = &mig;
	in.nr_mig = 1;
	health_judge(&in, &h);
	assert_string_equal(h.state, "rebuilding");
	assert_int_equal(h.level, HEALTH_WARN);
	p.paused = true;
	health_judge(&in, &h);
	assert_string_equal(h.state, "short");
	assert_non_null(strstr(h.action, "adshardctl resume"));
	p.paused = false;
	in.nr_mig = 0;
	/* nobody wants them any more */
	seg[1].wanted = 1;
	seg[2].wanted = 2;
	p.nr_short = 0;
	p.nr_stale = 1;
	health_judge(&in, &h);
	assert_string_equal(h.state, "stale");
	/* not the missing member's last ones */
	p.nr_stale = 0;
	health_judge(&in, &h);
	assert_string_equal(h.state, "degraded");
	assert_int_equal(h.level, HEALTH_WARN);
	m[0].present = false;
	health_judge(&in, &h);
	assert_int_equal(h.level, HEALTH_CRIT);
	assert_string_equal(h.why, "member 0 is missing with the only copy of 1 segment on it");
	m[0].present = m[2].present = true;
	p.nr_doubt = 2;
	seg[2].nr_legs = 2;
	health_judge(&in, &h);
	assert_string_equal(h.state, "resyncing");
	assert_int_equal(h.level, HEALTH_OK);
}

static void migration_share(void **state)
{
	struct ads_migration m = { .chunks = 10, .step = ADSHARD_STEP_FILL };

	assert_int_equal(migration_done_bytes(&m, 1000), 0);
	m.chunks_done = 5;
	assert_int_equal(migration_done_bytes(&m, 1000), 300);
	m.step = ADSHARD_STEP_VERIFY;
	m.chunks_done = 10;
	m.chunks_verified = 5;
	assert_int_equal(migration_done_bytes(&m, 1000), 800);
	m.chunks_verified = 70;		/* compared anew after repairs */
	assert_int_equal(migration_done_bytes(&m, 1000), 1000);
	m.chunks = 0;			/* queued */
	assert_int_equal(migration_done_bytes(&m, 1000), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spreads),
		cmocka_unit_test(spare_is_last),
		cmocka_unit_test(order_of_members),
		cmocka_unit_test(too_little),
		cmocka_unit_test(nobody),
		cmocka_unit_test(never_where_it_is),
		cmocka_unit_test(prefers),
		cmocka_unit_test(keeps_domains_apart),
		cmocka_unit_test(leaves_its_domain_or_stays),
		cmocka_unit_test(lets_go),
		cmocka_unit_test(nothing_to_place),
		cmocka_unit_test(layout),
		cmocka_unit_test(verdicts),
		cmocka_unit_test(bad_ranges),
		cmocka_unit_test(copies),
		cmocka_unit_test(migration_share),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("place", tests, NULL, NULL);
}
