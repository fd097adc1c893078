// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a segment's copies lack, and what is done about it.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/mend.h"

#define SYNC	ADSHARD_LEG_SYNC
#define STALE	ADSHARD_LEG_STALE

static const struct ads_place_member fresh[4] = {
	{ .index = 0, .name = "sda", .state = ADSHARD_MEMBER_ONLINE,
	  .present = true, .nr_slots = 10, .nr_free = 5, .score = -1,
	  .load = -1 },
	{ .index = 1, .name = "sdb", .state = ADSHARD_MEMBER_ONLINE,
	  .present = true, .nr_slots = 10, .nr_free = 5, .score = -1,
	  .load = -1 },
	{ .index = 2, .name = "sdc", .state = ADSHARD_MEMBER_ONLINE,
	  .present = true, .nr_slots = 10, .nr_free = 2, .score = -1,
	  .load = -1 },
	{ .index = 3, .name = "sdd", .state = ADSHARD_MEMBER_ONLINE,
	  .present = true, .nr_slots = 10, .nr_free = 1, .score = -1,
	  .load = -1 },
};

static struct ads_place_member m[4];

static int reset(void **state)
{
	memcpy(m, fresh, sizeof(m));
	return 0;
}

static struct ads_segment seg(uint32_t wanted, uint32_t n, ...)
{
	struct ads_segment s = { .index = 7, .wanted = wanted };
	va_list ap;

	va_start(ap, n);
	for (uint32_t i = 0; i < n; i++) {
		s.leg[i].member = va_arg(ap, int);
		s.leg[i].state = va_arg(ap, int);
	}
	va_end(ap);
	s.nr_legs = n;
	return s;
}

static void expect(struct ads_segment s, enum ads_mend_act act, uint32_t src,
		   uint32_t dst)
{
	struct ads_mend out;

	assert_int_equal(ads_mend(m, 4, &s, NULL, &out, NULL), 0);
	assert_int_equal(out.act, act);
	assert_int_equal(out.src, src);
	assert_int_equal(out.dst, dst);
	assert_int_equal(out.segment, 7);
}

#define NONE	ADS_PLACE_NONE

static void whole(void **state)
{
	struct ads_segment s = seg(2, 2, 0, SYNC, 1, SYNC);

	expect(s, ADS_MEND_NOTHING, NONE, NONE);
	/* more than it should have is no damage */
	s.wanted = 1;
	expect(s, ADS_MEND_NOTHING, NONE, NONE);
	/* but what is of no use takes room for nothing */
	s.leg[1].state = STALE;
	expect(s, ADS_MEND_DROP, 1, NONE);
	s.leg[1].state = SYNC;
	m[1].present = false;
	expect(s, ADS_MEND_DROP, 1, NONE);
}

static void stale(void **state)
{
	struct ads_segment s = seg(2, 2, 0, SYNC, 1, STALE);

	expect(s, ADS_MEND_RESYNC, NONE, 1);
	/* not where it would have to leave at once */
	m[1].state = ADSHARD_MEMBER_DRAINING;
	expect(s, ADS_MEND_REPLACE, 1, 2);
	m[1].state = ADSHARD_MEMBER_FAILED;
	expect(s, ADS_MEND_REPLACE, 1, 2);
	/* two are filled by now: the room of sdc is used up */
	expect(s, ADS_MEND_REPLACE, 1, 3);
	/* somebody sees to it */
	s.state = ADSHARD_SEGMENT_MIGRATING;
	expect(s, ADS_MEND_NOTHING, NONE, NONE);
}

static void missing(void **state)
{
	struct ads_segment s = seg(2, 2, 0, SYNC, 1, SYNC);

	/* nothing was written since it is gone: not even stale */
	m[1].present = false;
	expect(s, ADS_MEND_REPLACE, 1, 2);
	s = seg(3, 1, 0, SYNC);
	expect(s, ADS_MEND_ADD, NONE, 2);
	m[0].present = false;
	expect(s, ADS_MEND_LOST, NONE, NONE);
	expect(seg(2, 2, 0, STALE, 2, SYNC), ADS_MEND_REPLACE, 0, 3);
}

static void no_room(void **state)
{
	struct ads_segment s = seg(2, 2, 0, SYNC, 1, STALE);
	struct ads_place_opts o = { .same_domain_how = "--same-domain" };
	struct ads_mend out;
	struct ads_err err;

	m[1].state = ADSHARD_MEMBER_FAILED;
	m[2].nr_free = m[3].nr_free = 0;
	assert_int_equal(ads_mend(m, 4, &s, &o, &out, &err), -ENOSPC);
	assert_int_equal(out.act, ADS_MEND_REPLACE);
	assert_int_equal(out.dst, NONE);
	/* room on the shelf of the copy that is left */
	m[0].domain = m[3].domain = "shelf";
	m[3].nr_free = 1;
	assert_int_equal(ads_mend(m, 4, &s, &o, &out, &err), -EXDEV);
	assert_non_null(strstr(err.text, "--same-domain"));
	/* the shelf of one that goes is no matter */
	m[0].domain = NULL;
	m[1].domain = "shelf";
	assert_int_equal(ads_mend(m, 4, &s, &o, &out, &err), 0);
	assert_int_equal(out.dst, 3);
}

static void several_steps(void **state)
{
	struct ads_segment s = seg(4, 2, 3, SYNC, 1, STALE);
	struct ads_mend out;
	int steps = 0;

	for (;; steps++) {
		assert_int_equal(ads_mend(m, 4, &s, NULL, &out, NULL), 0);
		if (out.act == ADS_MEND_NOTHING)
			break;
		ads_mend_apply(&s, &out);
	}
	assert_int_equal(steps, 3);
	assert_int_equal(s.nr_legs, 4);
	assert_int_equal(ads_mend_good(m, 4, &s), 4);
	/* and down again */
	for (uint32_t keep = 3; keep; keep--) {
		out = (struct ads_mend){ .act = ADS_MEND_DROP,
			.src = ads_mend_surplus(m, 4, &s, keep) };
		assert_int_not_equal(out.src, NONE);
		ads_mend_apply(&s, &out);
		assert_int_equal(ads_mend_surplus(m, 4, &s, keep), NONE);
		assert_int_equal(s.nr_legs, keep);
	}
	/* one of the two emptiest keeps it: the first that is in the list */
	assert_int_equal(s.leg[0].member, 1);
	/* never below what is kept, whatever is stale */
	s = seg(1, 2, 0, STALE, 1, SYNC);
	assert_int_equal(ads_mend_surplus(m, 4, &s, 1), 0);
	assert_int_equal(ads_mend_surplus(m, 4, &s, 2), NONE);
	m[1].present = false;
	assert_int_equal(ads_mend_surplus(m, 4, &s, 1), NONE);
}

static void order(void **state)
{
	struct ads_mend_rank r[] = {
		{ 2, 3, 900, 0 }, { 1, 2, 1, 1 }, { 1, 3, 0, 2 },
		{ 1, 2, 5, 3 }, { 1, 2, 1, 4 },
	};
	static const uint32_t want[] = { 2, 3, 1, 4, 0 };

	qsort(r, 5, sizeof(*r), ads_mend_compare);
	for (int i = 0; i < 5; i++)
		assert_int_equal(r[i].segment, want[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(whole, reset),
		cmocka_unit_test_setup(stale, reset),
		cmocka_unit_test_setup(missing, reset),
		cmocka_unit_test_setup(no_room, reset),
		cmocka_unit_test_setup(several_steps, reset),
		cmocka_unit_test_setup(order, reset),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("mend", tests, NULL, NULL);
}
