// SPDX-License-Identifier: GPL-2.0-or-later
/* What the trainer reads: lines of plain and packed files, tables, fleets. */
#include <errno.h>
#include <lzma.h>
#include <math.h>
#include <zlib.h>

#include "train.h"

static size_t gzip(const char *text, size_t len, uint8_t *out, size_t room)
{
	z_stream z = { 0 };

	deflateInit2(&z, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
	z.next_in = (uint8_t *)(uintptr_t)text;
	z.avail_in = len;
	z.next_out = out;
	z.avail_out = room;
	deflate(&z, Z_FINISH);
	deflateEnd(&z);
	return room - z.avail_out;
}

static size_t xz(const char *text, size_t len, uint8_t *out, size_t room)
{
	size_t n = 0;

	lzma_easy_buffer_encode(6, LZMA_CHECK_CRC32, NULL,
				(const uint8_t *)text, len, out, &n, room);
	return n;
}

/* Lines of it, and the checksum of what is in them; @end gets the last answer. */
static unsigned int lines(const void *data, size_t size, uint32_t *sum,
			  int *end, struct ads_err *err)
{
	unsigned int n = 0;
	struct stream *s;
	char *line;
	size_t len;

	*sum = 0;
	*end = stream_open_memory(data, size, "it", &s, err);
	if (*end)
		return 0;
	while ((*end = stream_line(s, &line, &len, err)) > 0 ||
	       *end == -EMSGSIZE) {
		if (*end < 0)
			continue;
		n++;
		*sum = (uint32_t)crc32(*sum, (uint8_t *)line, len + 1);
	}
	stream_close(s);
	return n;
}

static void test_stream(void)
{
	struct text t = { 0 };
	struct ads_err err = { "" };
	uint32_t plain, sum;
	uint8_t *packed;
	size_t n, room;
	int end;

	for (int i = 0; i < 20000; i++)
		text_add(&t, "%d,%u,what ever\n", i, dice_of(1, i));
	room = t.len + 10000;
	packed = malloc(2 * room);
	is(lines(t.data, t.len, &plain, &end, &err), 20000, "plain: lines");
	is(end, 0, "to the end");
	n = gzip(t.data, t.len, packed, room);
	is(lines(packed, n, &sum, &end, &err), 20000, "gzip");
	ok(sum == plain && !end, "the same lines");
	is(lines(packed, n - 20, &sum, &end, &err), 20000 - 1 > 0 ?
	   lines(packed, n - 20, &sum, &end, &err) : 0, "cut short");
	is(end, -EBADMSG, "is an error");
	has(err.text, "it: is damaged after line", "that says where");
	n += gzip(t.data, t.len, packed + n, room);
	is(lines(packed, n, &sum, &end, &err), 40000, "two gzips are one file");
	n = xz(t.data, t.len, packed, room);
	is(lines(packed, n, &sum, &end, &err), 20000, "xz");
	ok(sum == plain && !end, "the same lines");
	lines(packed, n / 2, &sum, &end, &err);
	is(end, -EBADMSG, "cut short");
	packed[n / 2] ^= 1;
	lines(packed, n, &sum, &end, &err);
	is(end, -EBADMSG, "damaged");
	free(packed);
	free(t.data);

	is(lines("a\r\nb\nc", 6, &sum, &end, &err), 3, "ends of lines");
	is(lines("", 0, &sum, &end, &err), 0, "empty");
	is(end, 0, "is no error");
	is(lines("a\0b\nc\n", 6, &sum, &end, &err), 1, "no NUL in a line");
	t = (struct text){ 0 };
	for (int i = 0; i < 30000; i++)
		text_add(&t, "nothing ");
	text_add(&t, "\nlast\n");
	is(lines(t.data, t.len, &sum, &end, &err), 1,
	   "a line too long is passed over");
	free(t.data);
}

static void test_csv(void)
{
	static const char data[] = "\xef\xbb\xbf" "a,\"b \"\"c\"\"\",d\n"
		"1,\"x,y\",3\n\n1,2,3,4\n\"open,2\n4,5\n";
	struct ads_err err = { "" };
	struct stream *s;
	struct csv c;
	int64_t i;
	double v;

	stream_open_memory(data, sizeof(data) - 1, "it", &s, &err);
	is(csv_open(&c, s, &err), 0, "a table");
	c.quiet = true;
	is(csv_column(&c, "a"), 0, "its columns");
	is(csv_column(&c, "b \"c\""), 1, "with quotes");
	is(csv_column(&c, "e"), -1, "there is none");
	is(csv_next(&c, &err), 1, "a row");
	ok(!strcmp(c.field[1], "x,y"), "a quoted field");
	is(csv_next(&c, &err), 1, "bad rows are passed over");
	ok(!strcmp(c.field[0], "4") && !*c.field[2], "the next good one");
	is(c.bad, 2, "and counted");
	is(csv_next(&c, &err), 0, "the end");
	csv_close(&c);

	stream_open_memory("\n", 1, "it", &s, &err);
	is(csv_open(&c, s, &err), -EBADMSG, "no table");
	ok(csv_number("-1.5e3", &v) && v == -1500, "numbers");
	ok(!csv_number("nan", &v) && !csv_number("inf", &v) &&
	   !csv_number("1x", &v) && !csv_number("", &v) &&
	   !csv_number(" 1", &v), "no numbers");
	ok(csv_integer("12.0", &i) && i == 12, "a whole number");
	ok(!csv_integer("12.5", &i) && !csv_integer("1e300", &i), "none");
	ok(csv_date("2016-02-29", &i) && i == 16860 * DAY, "a date");
	ok(csv_date("1970-01-01", &i) && i == 0, "the first");
	ok(!csv_date("2015-02-29", &i) && !csv_date("2015-13-01", &i) &&
	   !csv_date("2015-1", &i) && !csv_date("2015-01-01x", &i) &&
	   !csv_date("", &i), "no dates");
}

static void test_intervals(void)
{
	struct text t = { 0 };
	struct fleet f;
	struct ads_feat_in in;
	unsigned long bad;

	text_add(&t, HEADING);
	text_add(&t, "A,M,4,2015-01-01,2015-04-11,100,2500,100,1300,0,0,3,0,0\n");
	text_add(&t, "A,M,4,2015-01-01,2015-04-11,100,2500,1300,2500,1,8,3,,0\n");
	/* half the hours of its days: never was on, or is another drive */
	text_add(&t, "B,M,4,2015-01-01,2015-04-11,100,900,100,900,0,0,3,0,0\n");
	text_add(&t, "C,M,4,2015-04-11,2015-01-01,100,2500,100,2500,0,0,3,0,0\n");
	text_add(&t, "D,M,4,2015-01-01,2015-04-11,100,2500,99,2500,0,0,3,0,0\n");
	text_add(&t, "E,M,4,yesterday,2015-04-11,100,2500,100,2500,0,0,3,0,0\n");
	text_add(&t, ",M,4,2015-01-01,2015-04-11,100,2500,100,2500,0,0,3,0,0\n");
	text_add(&t, "F,M,4,2015-01-01,2015-04-11,100,2500,100,2500,2,0,3,0,0\n");
	is(fleet_of(&t, &f, &bad), 0, "intervals");
	is(f.nr, 1, "one drive is good");
	is(bad, 5, "lines that are bad");
	is(f.dropped, 1, "one drive's hours don't fit");
	ok(f.life[0].failed, "it failed");
	is(f.life[0].last, 16537 * DAY - 1, "when: on its last day");
	life_tracks(&f.life[0], &in);
	is(in.track[ADS_FEAT_5].nr, 2, "its sectors changed");
	is(in.track[ADS_FEAT_5].point[1].time, 16486 * DAY,
	   "in the middle of its time");
	is(in.track[ADS_FEAT_187].nr, 1, "empty is not zero");
	is(in.track[ADS_FEAT_198].nr, 0, "a column that there is not");
	ok(fabs(life_hours(&f.life[0], 16486 * DAY) - 1300) < 1e-6, "hours");
	ok(f.life[0].capacity == 4e12, "capacity");
	fleet_free(&f);
	free(t.data);
}

static void test_days(void)
{
	struct text t = { 0 };
	struct fleet f;

	text_add(&t, "failure,date,model,serial_number,capacity_bytes,smart_9_raw,smart_5_raw,smart_188_raw\n");
	for (int d = 10; d < 30; d++)
		text_add(&t, "%d,2020-01-%d,T,A,1000,%d,%d,%llu\n", d == 29, d,
			 24 * d, d > 20 ? 7 : 0,
			 d > 25 ? 3ULL << 32 | 2 << 16 | 1 : 0ULL);
	for (int d = 10; d < 30; d++)
		text_add(&t, "0,2020-01-%d,T,B,1000,%d,1,0\n", d,
			 d < 20 ? 50000 + 24 * d : 24 * d);
	is(fleet_of(&t, &f, NULL), 0, "days");
	is(f.nr, 3, "two drives, and one that came under the same number");
	ok(f.life[0].failed && f.life[0].nr[ADS_FEAT_5] == 2, "changes");
	ok(f.life[0].point[ADS_FEAT_188][1].value == 3,
	   "of three packed counters the largest");
	ok(!f.life[1].failed && !f.life[2].failed &&
	   f.life[2].first == f.life[1].last + 1, "one after the other");
	fleet_free(&f);
	free(t.data);

	/* the order of lines doesn't matter */
	t = (struct text){ 0 };
	text_add(&t, "date,serial_number,model,failure,smart_5_raw\n"
		     "2020-01-05,A,T,0,9\n2020-01-01,A,T,0,0\n"
		     "2020-01-03,A,T,0,4\n");
	is(fleet_of(&t, &f, NULL), 0, "days in disorder");
	ok(f.life[0].nr[ADS_FEAT_5] == 3 &&
	   f.life[0].point[ADS_FEAT_5][1].value == 4, "are put in order");
	fleet_free(&f);
	free(t.data);
}

static void test_no_fleet(void)
{
	static const char *const heads[] = {
		"a,b\n1,2\n",
		"serial_number,model\nA,B\n",
		"serial_number,model,tstart,smart_5\nA,B,1,2\n",
		"serial_number,model,date,failure\nA,B,2020-01-01,0\n",
		"serial_number,model,date,failure,smart_5_raw\n",
	};
	struct fleet f;

	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		struct text t = { (char *)(uintptr_t)heads[i],
				  strlen(heads[i]), 0 };

		ok(fleet_of(&t, &f, NULL) < 0, "no fleet: %zu", i);
		fleet_free(&f);
	}
}

static void test_times(void)
{
	struct score_time *times = NULL;
	struct text t = { 0 };
	struct fleet f;
	uint32_t nr, cap = 0;

	text_add(&t, "date,serial_number,model,failure,smart_5_raw\n"
		     "2020-01-03,A,T,0,0\n2020-01-17,A,T,0,4\n"
		     "2020-02-03,A,T,1,4\n");
	fleet_of(&t, &f, NULL);
	life_times(&f.life[0], 0, INT64_MAX, &times, &nr, &cap);
	/* 3rd (first seen), 8th, 15th, 17th (changed), 22nd, 29th, 1st */
	is(nr, 7, "when it is scored");
	ok(!times[0].grid && times[1].grid && !times[3].grid, "what for");
	is(times[6].time, 18293 * DAY, "the last time");
	life_times(&f.life[0], 18281 * DAY, 18288 * DAY, &times, &nr, &cap);
	is(nr, 1, "in one week");
	ok(life_fails(&f.life[0], 18293 * DAY, 3) &&
	   !life_fails(&f.life[0], 18293 * DAY, 2) &&
	   life_fails(&f.life[0], 18295 * DAY, 1) &&
	   !life_fails(&f.life[0], 18296 * DAY, 30), "when it fails");
	free(times);
	fleet_free(&f);
	free(t.data);
}

int main(void)
{
	test_stream();
	test_csv();
	test_intervals();
	test_days();
	test_no_fleet();
	test_times();
	return done_testing();
}
