// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The history's database, damaged, made up or from another version: it is refused
 * or set aside with a message, and whatever is opened can be used.
 *
 * Input: a byte that says what follows,
 *	0	the file
 *	1, 2	changes to a good one: page, offset (2), length, the bytes; with 2
 *		there is a write-ahead log and the changes are to it
 *	3	SQL that somebody else has run on a good one
 *
 * SQLite itself is not instrumented, so coverage is that of its user.
 *
 * Options: -max_len=2000
 * Words: agent/daemon/history/store.c agent/daemon/history/rows.c
 */
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/history/store.h"
#include "fuzz.h"

#define NOW	1700000000LL

static char dir[64];
static struct {
	uint8_t *data;
	size_t size;
} good, wal;

static const char *path_of(const char *tail)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/history.db%s", dir, tail);
	return path;
}

static void write_file(const char *tail, const void *data, size_t size)
{
	int fd = open(path_of(tail), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	must(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	close(fd);
}

static void read_file(const char *tail, uint8_t **data, size_t *size)
{
	int fd = open(path_of(tail), O_RDONLY);
	struct stat st;

	must(fd >= 0 && !fstat(fd, &st));
	*size = st.st_size;
	*data = malloc(st.st_size);
	must(read(fd, *data, *size) == st.st_size);
	close(fd);
}

static void clean(void)
{
	static const char *const tails[] = {
		"", "-wal", "-shm", "-journal", ".damaged", ".damaged-wal",
		".damaged-shm",
	};

	for (int i = 0; i < 7; i++)
		unlink(path_of(tails[i]));
}

static void remove_dir(void)
{
	clean();
	rmdir(dir);
}

/*--- what the daemon does with it ------------------------------------------*/

static int put(struct store *s, int64_t time, uint64_t value, struct ads_err *err)
{
	struct store_sample row = {
		.model = "M", .serial = "S", .protocol = SMART_ATA, .time = time,
		.temperature = 30, .power_on = 77, .score = 5, .nr = 2,
		.smart = (char *)"{}",
		.change = { { TRACK_PENDING, value }, { TRACK_CRC, 1 } },
	};
	struct store_member m = { .uuid = { 1, 2 }, .patrol = value };
	struct store_load l = { .uuid = { 1, 2 }, .minute = time / 60 };
	struct store_slow slow = { .uuid = { 1, 2 },
				   .day = { time / 86400, 1.5F, 1 } };
	struct store_score sc = { .uuid = { 3 }, .time = time, .score = 5,
				  .mode = "media", .text = "t" };
	struct job j = { .id = 7 + value, .pool = { 9 }, .member_uuid = { 1 },
			 .reason = "r", .started = time };
	int r;

	r = store_sample(s, &row, err);
	if (!r)
		r = store_member(s, &m, err);
	if (!r)
		r = store_load_row(s, &l, err);
	if (!r)
		r = store_slow(s, &slow, 86400, err);
	if (!r)
		r = store_score(s, &sc, err);
	if (!r)
		r = store_job(s, &j, err);
	return r;
}

static int get(struct store *s, struct ads_err *err)
{
	struct store_member m = { .uuid = { 1, 2 } };
	struct store_row *rows = NULL;
	struct job *jobs = NULL;
	struct drive *d = drive_new("M", "S", SMART_ATA);
	struct store_loads l = { .uuid = { 1, 2 } };
	struct drive_day days[20];
	int64_t power_on;
	size_t n = 0;
	int r;

	r = store_load_drive(s, "M", "S", &rows, &n, &power_on, err);
	for (size_t i = 0; !r && i < n; i++) {
		must(rows[i].track >= 0 && rows[i].track < TRACK_NR);
		drive_load(d, rows[i].track, rows[i].time, rows[i].value);
	}
	drive_free(d);
	free(rows);
	if (!r)
		r = store_load_member(s, &m, err);
	if (!r || r == -ENOENT)
		r = store_load_jobs(s, 20, &jobs, &n, err);
	for (size_t i = 0; !r && i < n; i++) {
		must(n <= 20 && jobs[i].state <= JOB_WITH_ERRORS);
		must(strlen(jobs[i].reason) < sizeof(jobs[i].reason));
	}
	free(jobs);
	if (!r)
		r = store_load_loads(s, &l, NOW - 86400 * 30, 1800, 86400, err);
	must(l.nr_days <= SLOW_KEEP);
	free(l.row);
	free(l.day);
	if (!r)
		r = store_load_days(s, "M", "S", 0, days, 20, &n, err);
	must(n <= 20);
	return r;
}

static int use(struct store *s, struct ads_err *err)
{
	static const struct store_bounds bounds = {
		.log = 86400 * 30, .minutes = 86400, .tens = 86400,
		.hours = 86400, .size = 1 << 20,
	};
	int r = get(s, err);

	if (!r)
		r = put(s, NOW, 5, err);
	if (!r)
		r = store_trim(s, NOW + 86400, &bounds, err);
	return r;
}

void fuzz_init(void)
{
	struct ads_err err = { "" };
	struct store *s;
	bool damaged;

	snprintf(dir, sizeof(dir), "%s/history.%d", fuzz_dir(), (int)getpid());
	must(!mkdir(dir, 0700));
	atexit(remove_dir);
	must(!store_open(dir, &s, &damaged, &err));
	for (int i = 0; i < 40; i++)
		must(!put(s, NOW - 86400 * 20 + i * 40000, i, &err));
	store_close(s);
	read_file("", &good.data, &good.size);
	must(!store_open(dir, &s, &damaged, &err));
	for (int i = 0; i < 3; i++)
		must(!put(s, NOW - 1000 + i, i, &err));
	/* while it is open there is a log, which is lost when it is closed */
	read_file("-wal", &wal.data, &wal.size);
	store_close(s);
	clean();
}

/*--- what somebody else did to it ------------------------------------------*/

static void write_changed(struct fuzz_in *in, const uint8_t *data, size_t size,
			  const char *tail)
{
	uint8_t *copy = malloc(size);

	memcpy(copy, data, size);
	while (in->left) {
		size_t at = (size_t)fuzz_u8(in) * 4096, n;

		at = (at + fuzz_u16(in) % 4096) % size;
		n = fuzz_u8(in) % 64;
		/* it ends here */
		if (n == 63) {
			size = at ? at : 1;
			continue;
		}
		fuzz_take(in, copy + at, n < size - at ? n : size - at);
	}
	write_file(tail, copy, size);
	free(copy);
}

static int only_here(void *arg, int action, const char *a, const char *b,
		     const char *c, const char *e)
{
	return action == SQLITE_ATTACH ? SQLITE_DENY : SQLITE_OK;
}

static int too_long(void *arg)
{
	return 1;
}

static void run_sql(struct fuzz_in *in)
{
	char *sql = fuzz_text(in->at, in->left);
	sqlite3 *db;

	write_file("", good.data, good.size);
	must(!sqlite3_open(path_of(""), &db));
	sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 0, NULL);
	sqlite3_exec(db, "PRAGMA writable_schema=ON", NULL, NULL, NULL);
	sqlite3_set_authorizer(db, only_here, NULL);
	sqlite3_limit(db, SQLITE_LIMIT_LENGTH, 100000);
	sqlite3_progress_handler(db, 20000, too_long, NULL);
	sqlite3_exec(db, sql, NULL, NULL, NULL);
	sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
	sqlite3_close(db);
	free(sql);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_in in = { data, size };
	struct ads_err err = { "" };
	struct store *s = NULL;
	bool damaged;
	int r;

	switch (fuzz_u8(&in) % 4) {
	case 0:
		write_file("", in.at, in.left);
		break;
	case 1:
		write_changed(&in, good.data, good.size, "");
		break;
	case 2:
		write_file("", good.data, good.size);
		write_changed(&in, wal.data, wal.size, "-wal");
		break;
	case 3:
		run_sql(&in);
		break;
	}
	r = store_open(dir, &s, &damaged, &err);
	must(r == 0 || r == -EPROTONOSUPPORT);
	must(!r == !!s && (!r || err.text[0]));
	if (damaged)
		must(strstr(err.text, "set aside") &&
		     !access(path_of(".damaged"), F_OK));
	if (!r) {
		r = use(s, &err);
		/* found while it is used */
		if (r) {
			must(r == -EBADMSG && !damaged);
			must(!store_begin_anew(&s, dir, &err));
			must(strstr(err.text, "set aside"));
			must(!use(s, &err));
		}
		store_close(s);
	}
	clean();
	return 0;
}

static void seed_sql(const char *name, const char *sql)
{
	char buf[500] = { 3 };

	strcpy(buf + 1, sql);
	fuzz_seed(name, buf, 1 + strlen(sql));
}

void fuzz_seeds(void)
{
	static const char patch[] = "\x01\x00\x00\x00\x10no database here"
				    "\x03\x10\x00\x08\xff\xff\xff\xff\xff\xff\xff\xff";

	fuzz_seed("nothing", "", 0);
	fuzz_seed("text", "\0not a database", 15);
	fuzz_seed("good", "\x01", 1);
	fuzz_seed("patch", patch, sizeof(patch) - 1);
	fuzz_seed("log", "\x02\x01\x00\x10\x02xx", 7);
	fuzz_seed("later-writer", "\x01\x00\x12\x00\x01\x03", 6);
	fuzz_seed("later-reader", "\x01\x00\x12\x00\x02\x03\x03", 7);
	fuzz_seed("later-schema", "\x01\x00\x2f\x00\x01\x09", 6);
	fuzz_seed("short", "\x01\x02\x10\x00\x3f", 5);
	seed_sql("future", "PRAGMA user_version=2");
	seed_sql("other", "PRAGMA application_id=5");
	seed_sql("no-table", "DROP TABLE change");
	seed_sql("types", "UPDATE change SET value='x', time=1e300; UPDATE job SET "
		 "pool='x', state=99, reason=x'00'");
	seed_sql("null", "UPDATE day SET smart=NULL, power_on=NULL; UPDATE member "
		 "SET above=NULL, patrol='a'");
	seed_sql("column", "ALTER TABLE job DROP COLUMN note");
	seed_sql("trigger", "CREATE TRIGGER t AFTER INSERT ON job BEGIN "
		 "INSERT INTO score SELECT a.member, a.time+b.time, 1, '', '' FROM "
		 "score a, score b, score c, score d; END");
	seed_sql("view", "DROP TABLE job; CREATE VIEW job AS WITH RECURSIVE r(i) AS "
		 "(SELECT 1 UNION ALL SELECT i+1 FROM r) SELECT i FROM r");
}
