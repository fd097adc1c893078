// SPDX-License-Identifier: GPL-2.0-or-later
/* The database: what goes in comes out, damage, other versions, bounds. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon.h"
#include "daemon/history/store.h"

#define DAY	86400LL
#define START	(20000 * DAY)

static char dir[] = "/tmp/daemon-history.XXXXXX";
static struct ads_err err;
static bool damaged;

static struct store *reopen(struct store *s)
{
	struct store *n = NULL;
	int r;

	store_close(s);
	err.text[0] = 0;
	r = store_open(dir, &n, &damaged, &err);
	if (r)
		printf("# open: %d %s\n", r, err.text);
	return n;
}

static void in_dir(const char *name, char *buf, size_t size)
{
	snprintf(buf, size, "%s/%s", dir, name);
}

static int add(struct store *s, const char *serial, int64_t time, uint64_t v)
{
	struct store_sample row = {
		.model = "M", .protocol = SMART_ATA, .time = time,
		.temperature = 30, .power_on = 77, .score = 5, .nr = 1,
		.smart = strdup("{}"),
		.change = { { TRACK_PENDING, v } },
	};
	int r;

	snprintf(row.serial, sizeof(row.serial), "%s", serial);
	r = store_sample(s, &row, &err);
	free(row.smart);
	return r;
}

static size_t rows_of(struct store *s, const char *serial)
{
	struct store_row *rows = NULL;
	int64_t power_on;
	size_t n = 0;

	store_load_drive(s, "M", serial, &rows, &n, &power_on, &err);
	free(rows);
	return n;
}

static struct store *test_rows(struct store *s)
{
	struct store_row *rows = NULL;
	struct store_member m = {
		.uuid = { 1, 2, 3 },
		.track = { .above = 1, .evidence = 2, .at_risk = 3, .quiet = 4,
			   .rose = 5 },
		.patrol = 1ULL << 63, .by_agent = true, .hold_until = 9,
	}, back = { .uuid = { 1, 2, 3 } };
	struct job j = { .id = 7, .pool = { 9 }, .member_uuid = { 8 },
			 .member = 3, .state = JOB_WITH_ERRORS,
			 .by_agent = true, .reason = "it's", .note = "n",
			 .segments_total = 10, .segments_done = 4,
			 .bytes_total = 1000, .bytes_done = 400,
			 .started = 5, .finished = 6, .paused = true,
			 .priority = 42 }, *jobs = NULL;
	int64_t power_on;
	size_t n = 0;

	is(add(s, "A", START, 3), 0, "a sample goes in");
	is(add(s, "A", START + DAY, UINT64_MAX), 0, "and another");
	is(store_member(s, &m, &err), 0, "a member goes in");
	is(store_job(s, &j, &err), 0, "a job goes in");
	s = reopen(s);
	ok(s && !damaged, "it can be opened again");
	if (!s)
		exit(1);
	is(store_load_drive(s, "M", "A", &rows, &n, &power_on, &err), 0,
	   "the drive comes out");
	ok(n == 2 && rows[0].track == TRACK_PENDING && rows[0].value == 3 &&
	   rows[1].time == START + DAY && rows[1].value == UINT64_MAX &&
	   power_on == 77, "as it went in, oldest first");
	free(rows);
	is(rows_of(s, "B"), 0, "another drive is unknown");
	is(store_load_member(s, &back, &err), 0, "the member comes out");
	ok(!memcmp(&back, &m, sizeof(m)), "as it went in");
	back.uuid[0] = 99;
	is(store_load_member(s, &back, &err), -ENOENT, "another is unknown");
	is(store_load_jobs(s, 10, &jobs, &n, &err), 0, "the job comes out");
	ok(n == 1 && !memcmp(jobs, &j, sizeof(j)), "as it went in");
	free(jobs);
	return s;
}

static struct store *test_damage(struct store *s)
{
	char path[256], aside[256];
	struct stat st;
	int fd;

	in_dir("history.db", path, sizeof(path));
	in_dir("history.db.damaged", aside, sizeof(aside));
	store_close(s);
	fd = open(path, O_WRONLY);
	if (pwrite(fd, "this is no database at all", 26, 0) != 26)
		exit(1);
	close(fd);
	s = reopen(NULL);
	ok(s && damaged, "a damaged file does not stop it");
	has(err.text, "set aside", "... and is told of");
	ok(stat(aside, &st) == 0, "the old one is kept");
	is(rows_of(s, "A"), 0, "the new one is empty");
	is(add(s, "A", START, 1), 0, "and works");

	/* in the middle, where only a check finds it */
	for (int i = 0; i < 2000; i++)
		add(s, "A", START + i * 60, i);
	store_close(s);
	fd = open(path, O_RDWR);
	fstat(fd, &st);
	for (off_t at = 8192; at < st.st_size; at += 4096)
		if (pwrite(fd, "\xff\xff\xff\xff\xff\xff\xff\xff", 8, at) != 8)
			exit(1);
	close(fd);
	s = reopen(NULL);
	ok(s && damaged, "damage in the middle is found");
	return s;
}

static struct store *test_versions(struct store *s)
{
	char path[256];
	sqlite3 *db;

	in_dir("history.db", path, sizeof(path));
	store_close(s);
	sqlite3_open(path, &db);
	sqlite3_exec(db, "PRAGMA user_version=2", NULL, NULL, NULL);
	sqlite3_close(db);
	s = NULL;
	is(store_open(dir, &s, &damaged, &err), -EPROTONOSUPPORT,
	   "one of a later version is refused");
	has(err.text, "later adshard", "... and is told of");
	ok(access(path, F_OK) == 0 && !damaged, "and is left alone");
	unlink(path);
	sqlite3_open(path, &db);
	sqlite3_exec(db, "CREATE TABLE mine(a)", NULL, NULL, NULL);
	sqlite3_close(db);
	is(store_open(dir, &s, &damaged, &err), -EPROTONOSUPPORT,
	   "one of something else is refused");
	unlink(path);
	is(store_open("/proc/nothing/here", &s, &damaged, &err), -ENOENT,
	   "a place that there is not");
	return reopen(NULL);
}

static void test_trim(struct store *s)
{
	struct store_load l = { .uuid = { 1 } };
	struct store_score sc = { .uuid = { 1 }, .score = 5 };
	char path[256];
	struct stat st;

	for (int i = 0; i < 10; i++)
		add(s, "A", START + i * DAY, i);
	add(s, "OLD", START, 1);
	for (int i = 0; i < 20000; i++) {
		l.minute = START / 60 + i;
		store_load_row(s, &l, &err);
	}
	sc.time = START;
	store_score(s, &sc, &err);
	is(store_trim(s, START + 10 * DAY, 5 * DAY, DAY, 1 << 30, &err), 0,
	   "old rows are removed");
	is(rows_of(s, "A"), 5, "what is young enough stays");
	is(rows_of(s, "OLD"), 0, "a drive that is long gone goes");
	is(store_trim(s, START + 100 * DAY, 98 * DAY, 100 * DAY, 1 << 30, &err),
	   0, "later");
	is(rows_of(s, "A"), 5, "nothing more than need be");
	for (int i = 0; i < 20000; i++) {
		l.minute = START / 60 + i;
		store_load_row(s, &l, &err);
	}
	is(store_trim(s, START + 11 * DAY, 98 * DAY, 98 * DAY, 400000, &err), 0,
	   "a file that is too large is made smaller");
	store_close(s);
	in_dir("history.db", path, sizeof(path));
	stat(path, &st);
	ok(st.st_size <= 500000, "%lld bytes", (long long)st.st_size);
}

int main(void)
{
	char command[64];
	struct store *s;

	if (!mkdtemp(dir))
		return 1;
	s = reopen(NULL);
	if (!ok(s != NULL, "a new one is made"))
		return 1;
	s = test_rows(s);
	s = test_damage(s);
	s = test_versions(s);
	test_trim(s);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command) || done_testing();
}
