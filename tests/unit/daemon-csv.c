// SPDX-License-Identifier: GPL-2.0-or-later
/* The database as CSV: what goes out comes in again; what is wrong changes nothing. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "daemon.h"
#include "daemon/history/store.h"

#define DAY	86400LL
#define START	(20000 * DAY)

static char dir[2][32] = { "/tmp/daemon-csv.a.XXXXXX", "/tmp/daemon-csv.b.XXXXXX" };
static struct store *from, *to;
static struct ads_err err;

static struct store *make(char *path)
{
	struct store *s = NULL;
	bool damaged;

	if (!mkdtemp(path) || store_open(path, &s, &damaged, &err))
		abort();
	return s;
}

static void fill(void)
{
	struct store_sample row = {
		.model = "Made, \"Up\"", .serial = "A\n1", .protocol = SMART_ATA,
		.time = START, .temperature = SMART_NONE, .power_on = 77,
		.score = 5, .nr = 2,
		.smart = (char *)"{\"5\":[1,\"x\"]}",
		.change = { { TRACK_PENDING, 3 }, { TRACK_CRC, UINT64_MAX } },
	};
	struct store_load l = { .uuid = { 1 }, .minute = START / 60,
				.load = { .read_rate = 0.1, .read_bytes = 1e12 } };
	struct store_score sc = { .uuid = { 2 }, .time = START, .score = 9,
				  .mode = "media", .text = "one, \"two\"" };
	struct store_slow slow = { .uuid = { 1 }, .day = { 7, 1.5F, NAN } };

	store_sample(from, &row, &err);
	row.time += DAY;
	store_sample(from, &row, &err);
	store_load_row(from, &l, &err);
	store_score(from, &sc, &err);
	store_slow(from, &slow, DAY, &err);
}

static char *text_of(struct store *s, enum store_csv kind)
{
	char *buf = NULL;
	uint64_t rows;
	size_t size;
	FILE *f = open_memstream(&buf, &size);

	if (store_export(s, kind, f, &rows, &err))
		printf("# %s\n", err.text);
	fclose(f);
	return buf;
}

static int import(const char *text, uint64_t *rows)
{
	FILE *f = fmemopen((void *)text, strlen(text), "r");
	enum store_csv kind;
	int r = store_import(to, f, "file", rows, &kind, &err);

	fclose(f);
	return r;
}

static void test_round(void)
{
	static const uint64_t wanted[CSV_KINDS] = { 4, 2, 1, 1, 1 };

	for (int kind = 0; kind < CSV_FLEET; kind++) {
		char *out = text_of(from, kind), *back;
		uint64_t rows = 0;

		is(import(out, &rows), 0, "%s go in", store_csv_name(kind));
		is((long long)rows, (long long)wanted[kind], "all of them");
		back = text_of(to, kind);
		ok(!strcmp(out, back), "and come out as they were");
		is(import(out, &rows), 0, "again");
		free(back);
		back = text_of(to, kind);
		ok(!strcmp(out, back), "and nothing is there twice");
		is(store_csv_kind(store_csv_name(kind)), kind, "its name");
		free(out);
		free(back);
	}
	is(store_csv_kind("nothing"), -1, "no such kind");
}

static void test_wrong(void)
{
	static const char slow[] = "member,seconds,day,peers,self\n";
	static const char good[] =
		"01000000-0000-0000-0000-000000000000,86400,9,1.2,\r\n\r\n";
	static const struct { const char *text, *what; } wrong[] = {
		{ "", "headings" }, { "\n", "headings" },
		{ "member,seconds,day,peers\n", "headings" },
		{ "member,seconds,day,peers,selfish\n", "headings" },
		{ "GOODx,86400,9,1,1\n", "file:4: field 1 makes no sense" },
		{ "GOOD,86400,9,1,1\n", "file:4: field 1 makes no sense" },
		{ "GOOD01000000-0000-0000-0000-000000000000,86400,-9,1,1\n", "field 3" },
		{ "GOOD01000000-0000-0000-0000-000000000000,86400,,1,1\n", "field 3" },
		{ "GOOD01000000-0000-0000-0000-000000000000,86400,9x,1,1\n", "field 3" },
		{ "GOOD01000000-0000-0000-0000-000000000000,86400,99999999999999999999,1,1\n", "field 3" },
		{ "GOOD01000000-0000-0000-0000-000000000000,86400,9,nan,1\n", "field 4" },
		{ "GOOD01000000-0000-0000-0000-000000000000,86400,9,1\n", "4 fields, 5 are wanted" },
		{ "GOOD1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21\n", "file:4" },
		{ "GOOD\"01000000-0000-0000-0000-000000000000,86400,9,1,1\n", "no end" },
		{ "GOOD01\"00,86400,9,1,1\n", "no end" },
		{ "model,serial,protocol,day,score,temperature,power_on,smart\n"
		  "M,S,1,5,5,30,7,[1]\n", "file:2: field 8" },
	};
	char *before = text_of(to, CSV_SLOW), *after, *text;
	uint64_t rows;

	for (unsigned int i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		const char *w = wrong[i].text;

		if (strncmp(w, "GOOD", 4))
			text = strdup(w);
		else if (asprintf(&text, "%s%s%s", slow, good, w + 4) < 0)
			abort();
		err.text[0] = 0;
		/* fmemopen() knows no empty file */
		if (!*text) {
			free(text);
			continue;
		}
		is(import(text, &rows), -EBADMSG, "wrong: %u", i);
		has(err.text, wrong[i].what, "and why");
		free(text);
	}
	after = text_of(to, CSV_SLOW);
	ok(!strcmp(before, after), "and not even what is right before it is taken");
	free(before);
	free(after);
	/* a line that does not end */
	text = malloc(600 << 10);
	memset(text, 'x', 600 << 10);
	text[(600 << 10) - 1] = 0;
	memcpy(text, slow, strlen(slow));
	is(import(text, &rows), -EBADMSG, "a line without an end");
	free(text);
	is(import(slow, &rows), 0, "headings alone are an empty table");
	is((long long)rows, 0, "of nothing");
}

/* As the trainer reads it. */
static void test_fleet(void)
{
	struct store_fate f = { .model = "Made, \"Up\"", .serial = "A\n1",
				.time = START + DAY, .what = FATE_FAILED };
	struct store_sample row = {
		.model = "M", .serial = "B", .protocol = SMART_ATA,
		.time = START, .temperature = SMART_NONE,
		.power_on = SMART_NONE, .smart = (char *)"{\"197\":[1,1,24]}",
	};
	char *out;

	store_sample(from, &row, &err);
	is(store_fate(from, &f, &err), 0, "a drive has failed");
	f.what = FATE_EVACUATED;
	is(store_fate(from, &f, &err), 0, "and was then evacuated");
	snprintf(f.model, sizeof(f.model), "M");
	snprintf(f.serial, sizeof(f.serial), "B");
	is(store_fate(from, &f, &err), 0, "another was evacuated only");
	out = text_of(from, CSV_FLEET);
	ok(!strcmp(out, "date,serial_number,model,failure,evacuated,smart_5_raw,"
		   "smart_10_raw,smart_187_raw,smart_188_raw,smart_189_raw,"
		   "smart_196_raw,smart_197_raw,smart_198_raw\n"
		   "2024-10-04,A_1,Made_ _Up_,0,0,,,,,,,,\n"
		   "2024-10-05,A_1,Made_ _Up_,1,0,,,,,,,,\n"
		   "2024-10-04,B,M,0,1,,,,,,,24,\n"),
	   "as its last day says");
	if (tap_failed)
		printf("# %s\n", out);
	free(out);
}

static void test_readonly(void)
{
	struct store *s = NULL;
	char *a, *b;

	is(store_open_readonly(dir[0], &s, &err), 0, "beside who writes to it");
	a = text_of(from, CSV_DAYS);
	b = text_of(s, CSV_DAYS);
	ok(!strcmp(a, b), "it is what it is");
	ok(store_export(s, CSV_LOADS, stderr, &(uint64_t){ 0 }, &err) == 0 &&
	   store_slow(s, &(struct store_slow){ .uuid = { 1 } }, 1, &err),
	   "and nothing is written");
	store_close(s);
	ok(store_open_readonly("/nonexistent", &s, &err) < 0, "one that is not there");
	free(a);
	free(b);
}

int main(void)
{
	char command[128];

	from = make(dir[0]);
	to = make(dir[1]);
	fill();
	test_round();
	test_wrong();
	test_readonly();
	test_fleet();
	store_close(from);
	store_close(to);
	snprintf(command, sizeof(command), "rm -rf %s %s", dir[0], dir[1]);
	return system(command) || done_testing();
}
