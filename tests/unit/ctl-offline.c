// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * check's judgement of the map, of segments with several copies: pools of more than
 * eight members can do without some of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/offline.h"

#define SEGS	3
#define MEMBERS	4

#define SYNC	ADSHARD_LEG_SYNC
#define STALE	ADSHARD_LEG_STALE

static struct ads_off *o;
static struct ads_off_dev dev[MEMBERS];
static struct ads_off_dev *devs[MEMBERS];
static struct adshard_member member[MEMBERS];
static struct ads_fmt_seg seg[SEGS];
static struct ads_off off;

static struct ads_fmt_seg two(uint16_t a, uint32_t chunk_a, uint16_t b,
			      uint32_t chunk_b)
{
	return (struct ads_fmt_seg){ .nr_legs = 2, .in_sync = 2, .wanted = 2,
		.leg = { { chunk_a, a, SYNC }, { chunk_b, b, SYNC } } };
}

/* Four members, metadata on the first; segments on 0+1, 1+2 and 2+3. */
static int setup(void **state)
{
	memset(&off, 0, sizeof(off));
	memset(dev, 0, sizeof(dev));
	memset(member, 0, sizeof(member));
	o = &off;
	o->geo.segment_shift = 14;
	o->geo.chunk_shift = 10;	/* slots of 16 chunks */
	o->st.nr_segments = SEGS;
	o->st.nr_members = MEMBERS;
	o->st.meta_active = 1;
	for (int i = 1; i < ADSHARD_META_MEMBERS; i++)
		o->st.meta_member[i] = ADSHARD_NO_MEMBER;
	o->seg = seg;
	o->member = member;
	o->dev = devs;
	o->nr = MEMBERS;
	for (int i = 0; i < MEMBERS; i++) {
		devs[i] = &dev[i];
		dev[i].has_sb = true;
		dev[i].sb.index = i;
		member[i].uuid[0] = 1 + i;
		member[i].state = ADSHARD_MEMBER_ONLINE;
		member[i].data_chunks = htole32(64);
	}
	seg[0] = two(0, 0, 1, 0);
	seg[1] = two(1, 16, 2, 0);
	seg[2] = two(2, 16, 3, 0);
	return 0;
}

static int teardown(void **state)
{
	for (size_t i = 0; i < off.nr_finding; i++)
		free(off.finding[i].text);
	free(off.finding);
	return 0;
}

static bool says(enum ads_off_level level, const char *text)
{
	for (size_t i = 0; i < off.nr_finding; i++)
		if (off.finding[i].level == level &&
		    strstr(off.finding[i].text, text))
			return true;
	return false;
}

static void whole(void **state)
{
	ads_off_check_segments(o);
	assert_int_equal(off.nr_finding, 0);
}

static void missing(void **state)
{
	dev[3].has_sb = false;
	ads_off_check_segments(o);
	assert_int_equal(off.worst, ADS_OFF_NOTE);
	assert_true(says(ADS_OFF_NOTE, "member 3 is missing; the 1 segment with a copy on it has others"));
	assert_true(says(ADS_OFF_NOTE, "1 segment has fewer copies than it should have"));
}

static void both_missing(void **state)
{
	dev[2].has_sb = dev[3].has_sb = false;
	ads_off_check_segments(o);
	assert_true(says(ADS_OFF_FATAL, "member 2 (0 sectors) is missing, and holds segments"));
	assert_true(says(ADS_OFF_FATAL, "member 3 (0 sectors) is missing, and holds segments"));
}

static void stale_does_not_count(void **state)
{
	seg[2].leg[1].state = STALE;
	seg[2].in_sync = 1;
	ads_off_check_segments(o);
	assert_int_equal(off.worst, ADS_OFF_NOTE);
	assert_true(says(ADS_OFF_NOTE, "1 copy of segments is out of date"));
	teardown(NULL);
	off.finding = NULL;
	off.nr_finding = 0;
	/* the one in sync is gone: the stale one is no help */
	dev[2].has_sb = false;
	ads_off_check_segments(o);
	assert_true(says(ADS_OFF_FATAL, "member 2 (0 sectors) is missing, and holds segments"));
	assert_false(says(ADS_OFF_FATAL, "member 3"));
}

static void intent(void **state)
{
	seg[1].intent = true;
	ads_off_check_segments(o);
	assert_int_equal(off.worst, ADS_OFF_NOTE);
	assert_true(says(ADS_OFF_NOTE, "1 segment has a write intent"));
}

static void metadata_is_needed(void **state)
{
	dev[0].has_sb = false;
	ads_off_check_segments(o);
	assert_true(says(ADS_OFF_FATAL, "member 0 (0 sectors) is missing, and holds metadata"));
}

static void wrong_places(void **state)
{
	seg[0] = two(0, 0, 9, 0);
	seg[1] = two(1, 16, 2, 16);	/* where segment 2 has one */
	seg[2].leg[1].chunk = 8;
	ads_off_check_segments(o);
	assert_true(says(ADS_OFF_FATAL, "segment 0 is on a member that does not exist (member 9, chunk 0)"));
	assert_true(says(ADS_OFF_FATAL, "segment 2 is where another one is (member 2, chunk 16)"));
	assert_true(says(ADS_OFF_FATAL, "segment 2 is not in a slot (member 3, chunk 8)"));
	teardown(NULL);
	off.finding = NULL;
	off.nr_finding = 0;
	memset(&seg[0], 0, sizeof(seg[0]));
	member[1].state = ADSHARD_MEMBER_DRAINED;
	ads_off_check_segments(o);
	assert_true(says(ADS_OFF_FATAL, "segment 0 has no place"));
	assert_true(says(ADS_OFF_FATAL, "segment 1 is on a member that is drained (member 1, chunk 16)"));
}

/* Lost is what was nowhere else, whether or not the disk is there. */
static void lost(void **state)
{
	member[3].state = ADSHARD_MEMBER_FAILED;
	ads_off_check_segments(o);
	assert_int_equal(off.worst, ADS_OFF_NOTE);
	assert_false(says(ADS_OFF_NOTE, "lost"));
	assert_true(says(ADS_OFF_NOTE, "1 segment has fewer copies than it should have"));
	teardown(NULL);
	off.finding = NULL;
	off.nr_finding = 0;
	member[2].state = ADSHARD_MEMBER_FAILED;
	dev[2].has_sb = false;
	ads_off_check_segments(o);
	assert_int_equal(off.worst, ADS_OFF_NOTE);
	assert_true(says(ADS_OFF_NOTE, "1 segment is lost: it was on member 2, which has failed"));
	assert_true(says(ADS_OFF_NOTE, "1 segment is lost: it was on member 3, which has failed"));
	teardown(NULL);
	off.finding = NULL;
	off.nr_finding = 0;
	/* one of the two may yet be found */
	member[2].state = ADSHARD_MEMBER_ONLINE;
	ads_off_check_segments(o);
	assert_false(says(ADS_OFF_NOTE, "lost"));
	assert_true(says(ADS_OFF_FATAL, "member 2 (0 sectors) is missing, and holds segments"));
}

/* A range counts for the copy that it was found on. */
static void bad_ranges(void **state)
{
	struct ads_range r = { .seg = 1, .member = 2, .chunk = 0,
			       .sectors = 8 };

	assert_true(ads_off_bad_counts(o, &r));
	r.member = 1;
	assert_false(ads_off_bad_counts(o, &r));
	r.chunk = 16;
	assert_true(ads_off_bad_counts(o, &r));
	r.seg = 3;
	assert_false(ads_off_bad_counts(o, &r));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(whole, setup, teardown),
		cmocka_unit_test_setup_teardown(missing, setup, teardown),
		cmocka_unit_test_setup_teardown(both_missing, setup, teardown),
		cmocka_unit_test_setup_teardown(stale_does_not_count, setup,
						teardown),
		cmocka_unit_test_setup_teardown(intent, setup, teardown),
		cmocka_unit_test_setup_teardown(metadata_is_needed, setup,
						teardown),
		cmocka_unit_test_setup_teardown(wrong_places, setup, teardown),
		cmocka_unit_test_setup_teardown(lost, setup, teardown),
		cmocka_unit_test_setup_teardown(bad_ranges, setup, teardown),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("offline", tests, NULL, NULL);
}
