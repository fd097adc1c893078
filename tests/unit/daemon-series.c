// SPDX-License-Identifier: GPL-2.0-or-later
/* What is remembered of a counter, and of a drive. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "daemon.h"
#include "daemon/history/drive.h"

#define DAY	86400LL
#define START	(20000 * DAY)

static void test_counter(void)
{
	struct series s = { .kind = SERIES_COUNTER };

	ok(series_add(&s, START, 10), "the first value is a change");
	ok(!series_add(&s, START + 60, 10), "the same again is none");
	is(series_grown(&s, START + 60, DAY), 0, "the first value is no rise");
	ok(series_add(&s, START + 2 * DAY, 12), "a rise");
	series_add(&s, START + 2 * DAY + 60, 15);
	is(series_grown(&s, START + 3 * DAY, 7 * DAY), 5, "by how much");
	is(series_rises(&s, START + 3 * DAY, 7 * DAY), 1, "on one day");
	is(s.nr, 2, "one entry for one day");
	series_add(&s, START + 5 * DAY, 16);
	is(series_rises(&s, START + 5 * DAY, 7 * DAY), 2, "on two days");
	is(series_rises(&s, START + 8 * DAY, 5 * DAY), 1, "window");
	is(series_last_rise(&s), START + 5 * DAY, "the last one");
	is(series_grown(&s, START + 100 * DAY, 90 * DAY), 0, "long ago");

	ok(series_add(&s, START + 6 * DAY, 3), "down");
	ok(s.reset, "is a reset");
	is(series_grown(&s, START + 6 * DAY, DAY / 2), 0, "and no rise");
	series_add(&s, START + 7 * DAY, 4);
	is(series_grown(&s, START + 7 * DAY, DAY / 2), 1, "counting goes on");
	ok(!s.reset, "the reset is over");
	series_add(&s, START - 5 * DAY, 5);
	is(s.last, START + 7 * DAY, "time does not go back");
	series_free(&s);
	ok(!s.known && s.kind == SERIES_COUNTER, "freed");
}

static void test_glitch(void)
{
	struct series s = { .kind = SERIES_COUNTER };

	series_add(&s, START, 10);
	series_add(&s, START + DAY, 65535);
	is(series_rises(&s, START + DAY, 7 * DAY), 1, "a huge rise");
	series_add(&s, START + DAY + 60, 10);
	is(series_rises(&s, START + DAY + 60, 7 * DAY), 0,
	   "that is gone at the next reading was none");
	ok(!s.reset, "and no reset");
	series_free(&s);

	s.kind = SERIES_LEVEL;
	series_add(&s, START, 0);
	series_add(&s, START + DAY, 8);
	series_add(&s, START + DAY + 60, 0);
	is(series_rises(&s, START + DAY + 60, 7 * DAY), 1,
	   "a level rose though it fell again");
	ok(!s.reset, "which is no reset");
	series_free(&s);
}

static void test_bounds(void)
{
	struct series s = { .kind = SERIES_COUNTER };

	for (int i = 0; i < 1000; i++)
		series_add(&s, START + i * DAY, i);
	is(s.nr, SERIES_MAX, "bounded");
	is(series_rises(&s, START + 999 * DAY, 30 * DAY), 30, "the newest stay");
	series_add(&s, START + 1000 * DAY, UINT64_MAX);
	series_add(&s, START + 1001 * DAY, 0);
	series_add(&s, START + 1002 * DAY, UINT64_MAX);
	ok(series_grown(&s, START + 1002 * DAY, 90 * DAY) == UINT64_MAX,
	   "sums saturate");
	series_free(&s);
}

static void test_slope(void)
{
	struct series s = { .kind = SERIES_GAUGE };

	series_add(&s, START, 100);
	ok(isnan(series_slope(&s, START, 90 * DAY, 0)), "one point: no slope");
	for (int i = 1; i <= 20; i++)
		series_add(&s, START + i * DAY, 100 - 2 * i);
	ok(fabs(series_slope(&s, START + 20 * DAY, 90 * DAY, 7 * DAY) + 2) <
	   1e-9, "2 a day");
	ok(isnan(series_slope(&s, START + 20 * DAY, 90 * DAY, 30 * DAY)),
	   "too short a time");
	series_add(&s, START + 21 * DAY, 5);
	ok(fabs(series_slope(&s, START + 21 * DAY, 90 * DAY, 7 * DAY) + 2) <
	   0.01, "one outlier changes nothing");
	series_free(&s);
}

static void test_drive(void)
{
	struct drive *d = drive_new("M", "S", SMART_ATA);
	struct drive_change c[TRACK_NR];
	struct smart_sample s = { .time = START, .protocol = SMART_ATA,
		.used = SMART_NONE, .spare = SMART_NONE,
		.grown_defects = SMART_NONE, .power_on = 100,
		.uncorrected_read = SMART_NONE,
		.uncorrected_write = SMART_NONE };
	bool reset;

	is(drive_add(d, &s, c, &reset), 0, "drive: no health, no change");
	s.health = true;
	s.nr_attrs = 2;
	s.attr[0] = (struct smart_attr){ .id = 5, .raw = 7 };
	s.attr[1] = (struct smart_attr){ .id = 1, .raw = 99 };
	is(drive_add(d, &s, c, &reset), 1, "drive: one counter that is kept");
	ok(c[0].track == TRACK_REALLOCATED && c[0].value == 7, "drive: 5");
	is(drive_add(d, &s, c, &reset), 0, "drive: nothing new");
	s.attr[0].raw = 9;
	s.time += DAY;
	is(drive_add(d, &s, c, &reset), 1, "drive: a change");
	ok(!reset, "drive: no reset");
	s.attr[0].raw = 0;
	s.power_on = 5;
	s.time += DAY;
	drive_add(d, &s, c, &reset);
	ok(reset, "drive: counters and hours went back");
	drive_free(d);

	d = drive_new("M", "S", SMART_ATA);
	drive_load(d, TRACK_PENDING, START, 0);
	drive_load(d, TRACK_PENDING, START + DAY, 5);
	is(series_rises(&d->series[TRACK_PENDING], START + 2 * DAY, 7 * DAY), 1,
	   "drive: its log is its history");
	is(track_by_code(197), TRACK_PENDING, "drive: code");
	is(track_by_code(1), -1, "drive: unknown code");
	drive_free(d);
}

int main(void)
{
	test_counter();
	test_glitch();
	test_bounds();
	test_slope();
	test_drive();
	return done_testing();
}
