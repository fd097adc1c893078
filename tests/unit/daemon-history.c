// SPDX-License-Identifier: GPL-2.0-or-later
/* The database: what goes in comes out, damage, other versions, bounds. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
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
	sqlite3_exec(db, "PRAGMA user_version=3", NULL, NULL, NULL);
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

/* As the first version made it: its loads are still there afterwards. */
static void test_upgrade(void)
{
	static const char old[] =
		"CREATE TABLE drive("
		"	id INTEGER PRIMARY KEY, model TEXT NOT NULL,"
		"	serial TEXT NOT NULL, protocol INTEGER NOT NULL,"
		"	first INTEGER NOT NULL, last INTEGER NOT NULL,"
		"	UNIQUE(model, serial));"
		"CREATE TABLE change("
		"	drive INTEGER NOT NULL, attr INTEGER NOT NULL,"
		"	time INTEGER NOT NULL, value INTEGER NOT NULL,"
		"	PRIMARY KEY(drive, attr, time)) WITHOUT ROWID;"
		"CREATE TABLE day("
		"	drive INTEGER NOT NULL, day INTEGER NOT NULL, score INTEGER,"
		"	temperature INTEGER, power_on INTEGER, smart TEXT,"
		"	PRIMARY KEY(drive, day)) WITHOUT ROWID;"
		"CREATE TABLE member("
		"	id INTEGER PRIMARY KEY, uuid BLOB NOT NULL UNIQUE,"
		"	above INTEGER, evidence INTEGER, at_risk INTEGER,"
		"	quiet INTEGER, rose INTEGER, patrol INTEGER,"
		"	by_agent INTEGER, hold_until INTEGER);"
		"CREATE TABLE load("
		"	member INTEGER NOT NULL, minute INTEGER NOT NULL,"
		"	read_rate REAL, write_rate REAL, read_bytes REAL,"
		"	write_bytes REAL, read_wait REAL, write_wait REAL, util REAL,"
		"	read_p99 REAL, write_p99 REAL, errors INTEGER,"
		"	PRIMARY KEY(minute, member)) WITHOUT ROWID;"
		"CREATE TABLE score("
		"	member INTEGER NOT NULL, time INTEGER NOT NULL,"
		"	score INTEGER NOT NULL, mode TEXT, text TEXT,"
		"	PRIMARY KEY(member, time)) WITHOUT ROWID;"
		"CREATE TABLE job("
		"	id INTEGER PRIMARY KEY, pool BLOB NOT NULL,"
		"	uuid BLOB NOT NULL, member INTEGER NOT NULL,"
		"	state INTEGER NOT NULL, by_agent INTEGER, reason TEXT,"
		"	note TEXT, segments_total INTEGER, segments_done INTEGER,"
		"	bytes_total INTEGER, bytes_done INTEGER, started INTEGER,"
		"	finished INTEGER);"
		"INSERT INTO member(id, uuid) VALUES(1,"
		" x'01000000000000000000000000000000');"
		"INSERT INTO load VALUES(1, 28800000, 1, 2, 300, 400, 0, 0, 0.5,"
		" 0, 0, 7);"
		"PRAGMA application_id=1633973096; PRAGMA user_version=1;";
	struct store_loads l = { .uuid = { 1 } };
	char path[256];
	struct store *s;
	sqlite3 *db;

	in_dir("history.db", path, sizeof(path));
	unlink(path);
	sqlite3_open(path, &db);
	sqlite3_exec(db, "PRAGMA auto_vacuum=INCREMENTAL", NULL, NULL, NULL);
	is(sqlite3_exec(db, old, NULL, NULL, NULL), 0, "one of version 1");
	sqlite3_close(db);
	s = reopen(NULL);
	ok(s && !damaged, "is brought up to this one");
	is(store_load_loads(s, &l, 0, 60, DAY, &err), 0, "its loads");
	ok(l.nr == 1 && l.row[0].start == 28800000LL * 60 &&
	   l.row[0].v[LOAD_BYTES] == 700, "are what they were");
	free(l.row);
	free(l.day);
	store_close(s);
	unlink(path);
}

static int64_t count(const char *sql)
{
	char path[256];
	sqlite3_stmt *st;
	int64_t n = -1;
	sqlite3 *db;

	in_dir("history.db", path, sizeof(path));
	sqlite3_open(path, &db);
	sqlite3_prepare_v2(db, sql, -1, &st, NULL);
	if (sqlite3_step(st) == SQLITE_ROW)
		n = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	sqlite3_close(db);
	return n;
}

static const struct store_bounds wide = {
	.log = 5 * DAY, .minutes = DAY, .tens = 3 * DAY, .hours = 10 * DAY,
	.size = 1 << 30,
};

static void test_roll(struct store *s)
{
	struct store_load l = { .uuid = { 1 } };
	struct store_loads back = { .uuid = { 1 } };
	struct store_slow slow = { .uuid = { 1 }, .day = { 5, 1.25F, NAN } };
	int64_t start = START / 60;

	for (int i = 0; i < 4 * 1440; i++) {
		l.minute = start + i;
		l.load = (struct load_values){
			.read_bytes = i % 10, .read_rate = i % 2,
			.read_wait = i % 2 ? 0.5 : 99, .read_p99 = i % 10,
			.read_latency = i % 2 ? 0.25 : 0, .errors = i,
		};
		store_load_row(s, &l, &err);
	}
	is(store_trim(s, START + 4 * DAY + 60, &wide, &err), 0, "trimmed");
	is(count("SELECT count(*) FROM load WHERE span=1"), 1439,
	   "minutes of a day stay");
	is(count("SELECT count(*) FROM load WHERE span=10"), 3 * 144 - 1,
	   "ten minutes of three days");
	is(count("SELECT count(*) FROM load WHERE span=60"), 4 * 24,
	   "and hours of all four");
	is(count("SELECT read_bytes * 10 FROM load WHERE span=60"), 45,
	   "means of what was asked");
	is(count("SELECT read_wait * 10 FROM load WHERE span=10"), 5,
	   "waits of those who waited");
	is(count("SELECT read_latency * 100 FROM load WHERE span=60"), 25,
	   "latencies of what there was");
	is(count("SELECT read_p99 FROM load WHERE span=60"), 9, "the worst");
	is(count("SELECT max(errors) FROM load WHERE span=60"), 4 * 1440 - 1,
	   "what grows has grown");
	is(store_trim(s, START + 4 * DAY + 60, &wide, &err), 0, "and again");
	is(count("SELECT count(*) FROM load WHERE span=60"), 4 * 24,
	   "changes nothing");
	is(store_slow(s, &slow, DAY, &err), 0, "a comparison goes in");
	is(store_load_loads(s, &back, START, 1800, DAY, &err), 0,
	   "half-hours come out");
	is(back.nr, 3 * 48, "of what is left");
	ok(back.nr && back.row[0].v[LOAD_BYTES] == 4.5 &&
	   back.row[0].v[LOAD_READ_LATENCY] == 0.25 &&
	   isnan(back.row[0].v[LOAD_WRITE_LATENCY]), "as they went in");
	ok(back.nr_days == 1 && back.day[0].day == 5 &&
	   back.day[0].peers == 1.25F && isnan(back.day[0].self),
	   "so does the comparison");
	free(back.row);
	free(back.day);
	/* the clock was far ahead, and is right again */
	is(store_trim(s, START + 9 * DAY, &wide, &err), 0, "in the future");
	for (int i = 0; i < 120; i++) {
		l.minute = start + 4 * 1440 + i;
		store_load_row(s, &l, &err);
	}
	is(store_trim(s, START + 4 * DAY + 2 * 3600, &wide, &err), 0,
	   "and back");
	is(count("SELECT count(*) FROM load WHERE span=60 AND time >= (SELECT"
		 " max(time) - 119 FROM load WHERE span=1)"), 2,
	   "what comes then is summed up as well");
}

static void test_trim(struct store *s)
{
	struct store_load l = { .uuid = { 1 } };
	struct store_score sc = { .uuid = { 1 }, .score = 5 };
	struct store_bounds b = wide;
	struct drive_day days[10];
	char path[256];
	struct stat st;
	size_t n = 0;

	for (int i = 0; i < 10; i++)
		add(s, "A", START + i * DAY, i);
	add(s, "OLD", START, 1);
	for (int i = 0; i < 20000; i++) {
		l.minute = START / 60 + i;
		store_load_row(s, &l, &err);
	}
	sc.time = START;
	store_score(s, &sc, &err);
	is(store_trim(s, START + 10 * DAY, &b, &err), 0, "old rows are removed");
	is(rows_of(s, "A"), 5, "what is young enough stays");
	is(rows_of(s, "OLD"), 0, "a drive that is long gone goes");
	is(store_load_days(s, "M", "A", 0, days, 3, &n, &err), 0, "its days");
	ok(n == 3 && days[2].day == (START + 9 * DAY) / DAY &&
	   days[0].day == days[2].day - 2 && days[1].score == 5 &&
	   days[1].temperature == 30, "the last of them, oldest first");
	b.log = 98 * DAY;
	is(store_trim(s, START + 100 * DAY, &b, &err), 0, "later");
	is(rows_of(s, "A"), 5, "nothing more than need be");
	for (int i = 0; i < 20000; i++) {
		l.minute = START / 60 + i;
		store_load_row(s, &l, &err);
	}
	b = (struct store_bounds){ 98 * DAY, 98 * DAY, 98 * DAY, 98 * DAY,
				   400000 };
	is(store_trim(s, START + 11 * DAY, &b, &err), 0,
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
	store_close(s);
	test_upgrade();
	s = reopen(NULL);
	test_roll(s);
	store_close(s);
	snprintf(command, sizeof(command), "rm -f %s/*", dir);
	if (system(command))
		return 1;
	s = reopen(NULL);
	test_trim(s);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command) || done_testing();
}
