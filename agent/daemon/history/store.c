// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/history/store-priv.h"

#define APPLICATION_ID	0x61647368	/* "adsh" */

/* What version 2 has more: @span is how many minutes are in a row of loads. */
#define SCHEMA_2 \
	"CREATE TABLE job(" \
	"	id INTEGER PRIMARY KEY, pool BLOB NOT NULL," \
	"	uuid BLOB NOT NULL, member INTEGER NOT NULL," \
	"	state INTEGER NOT NULL, by_agent INTEGER, reason TEXT," \
	"	note TEXT, segments_total INTEGER, segments_done INTEGER," \
	"	bytes_total INTEGER, bytes_done INTEGER, started INTEGER," \
	"	finished INTEGER, paused INTEGER, priority INTEGER," \
	"	kind INTEGER);" \
	"CREATE TABLE load(" \
	"	span INTEGER NOT NULL, member INTEGER NOT NULL," \
	"	time INTEGER NOT NULL, read_rate REAL, write_rate REAL," \
	"	read_bytes REAL, write_bytes REAL, read_wait REAL," \
	"	write_wait REAL, util REAL, queue REAL, read_latency REAL," \
	"	write_latency REAL, read_p99 REAL, write_p99 REAL," \
	"	errors REAL, PRIMARY KEY(span, member, time)) WITHOUT ROWID;" \
	"CREATE TABLE slow(" \
	"	member INTEGER NOT NULL, length INTEGER NOT NULL," \
	"	day INTEGER NOT NULL, peers REAL, self REAL," \
	"	PRIMARY KEY(member, length, day)) WITHOUT ROWID;" \
	"CREATE TABLE fate(" \
	"	drive INTEGER PRIMARY KEY, time INTEGER NOT NULL," \
	"	what INTEGER NOT NULL);" \
	"CREATE TABLE mark(" \
	"	name TEXT PRIMARY KEY, value INTEGER) WITHOUT ROWID;"

/* From version 1, which had but minutes. */
static const char upgrade_1[] =
	"ALTER TABLE load RENAME TO load_1;"
	"ALTER TABLE job RENAME TO job_1;"
	SCHEMA_2
	"INSERT INTO load SELECT 1, member, minute, read_rate, write_rate,"
	" read_bytes, write_bytes, read_wait, write_wait, util, NULL, NULL,"
	" NULL, read_p99, write_p99, errors FROM load_1;"
	"INSERT INTO job SELECT *, 0, -1, 0 FROM job_1;"
	"DROP TABLE load_1; DROP TABLE job_1;";

static const char schema[] =
	"CREATE TABLE drive("
	"	id INTEGER PRIMARY KEY, model TEXT NOT NULL,"
	"	serial TEXT NOT NULL, protocol INTEGER NOT NULL,"
	"	first INTEGER NOT NULL, last INTEGER NOT NULL,"
	"	UNIQUE(model, serial));"
	/* one row for each change of a counter; codes are track_info's */
	"CREATE TABLE change("
	"	drive INTEGER NOT NULL, attr INTEGER NOT NULL,"
	"	time INTEGER NOT NULL, value INTEGER NOT NULL,"
	"	PRIMARY KEY(drive, attr, time)) WITHOUT ROWID;"
	/* one row a day with everything */
	"CREATE TABLE day("
	"	drive INTEGER NOT NULL, day INTEGER NOT NULL, score INTEGER,"
	"	temperature INTEGER, power_on INTEGER, smart TEXT,"
	"	PRIMARY KEY(drive, day)) WITHOUT ROWID;"
	"CREATE TABLE member("
	"	id INTEGER PRIMARY KEY, uuid BLOB NOT NULL UNIQUE,"
	"	above INTEGER, evidence INTEGER, at_risk INTEGER,"
	"	quiet INTEGER, rose INTEGER, patrol INTEGER,"
	"	by_agent INTEGER, hold_until INTEGER);"
	"CREATE TABLE score("
	"	member INTEGER NOT NULL, time INTEGER NOT NULL,"
	"	score INTEGER NOT NULL, mode TEXT, text TEXT,"
	"	PRIMARY KEY(member, time)) WITHOUT ROWID;"
	SCHEMA_2;

int store_error(struct store *s, int code, const char *doing,
		struct ads_err *err)
{
	int e;

	switch (code & 0xff) {
	case SQLITE_OK:
	case SQLITE_DONE:
	case SQLITE_ROW:
		return 0;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	/* of rows that this can't have written */
	case SQLITE_CONSTRAINT:
	case SQLITE_MISMATCH:
		e = -EBADMSG;
		break;
	case SQLITE_FULL:
		e = -ENOSPC;
		break;
	case SQLITE_NOMEM:
		e = -ENOMEM;
		break;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		e = -EBUSY;
		break;
	case SQLITE_READONLY:
	case SQLITE_PERM:
		e = -EROFS;
		break;
	case SQLITE_CANTOPEN:
		e = -ENOENT;
		break;
	default:
		e = -EIO;
	}
	return ads_err(err, e, "%s: %s: %s", s->path, doing,
		       s->db ? sqlite3_errmsg(s->db) : sqlite3_errstr(code));
}

static int prepare(struct store *s, sqlite3_stmt **out, struct ads_err *err,
		   const char *sql, const char *types, va_list ap)
{
	int r, i = 1;

	r = sqlite3_prepare_v2(s->db, sql, -1, out, NULL);
	if (r)
		return store_error(s, r, "statement", err);
	for (; *types; types++, i++) {
		switch (*types) {
		case 'i':
			sqlite3_bind_int64(*out, i, va_arg(ap, int64_t));
			break;
		case 'd':
			sqlite3_bind_double(*out, i, va_arg(ap, double));
			break;
		case 's':
			sqlite3_bind_text(*out, i, va_arg(ap, const char *),
					  -1, SQLITE_TRANSIENT);
			break;
		case 'u':
			sqlite3_bind_blob(*out, i, va_arg(ap, const void *),
					  ADS_UUID_LEN, SQLITE_TRANSIENT);
			break;
		}
	}
	return 0;
}

int store_query(struct store *s, sqlite3_stmt **out, struct ads_err *err,
		const char *sql, const char *types, ...)
{
	va_list ap;
	int r;

	va_start(ap, types);
	r = prepare(s, out, err, sql, types, ap);
	va_end(ap);
	return r;
}

int store_run(struct store *s, struct ads_err *err, const char *sql,
	      const char *types, ...)
{
	sqlite3_stmt *st;
	va_list ap;
	int r;

	va_start(ap, types);
	r = prepare(s, &st, err, sql, types, ap);
	va_end(ap);
	if (r)
		return r;
	do {
		r = sqlite3_step(st);
	} while (r == SQLITE_ROW);
	r = store_error(s, r, "write", err);
	sqlite3_finalize(st);
	return r;
}

int store_number(struct store *s, const char *sql, int64_t *value,
		 struct ads_err *err)
{
	sqlite3_stmt *st;
	int r;

	r = sqlite3_prepare_v2(s->db, sql, -1, &st, NULL);
	if (r)
		return store_error(s, r, sql, err);
	r = sqlite3_step(st);
	*value = r == SQLITE_ROW ? sqlite3_column_int64(st, 0) : 0;
	r = store_error(s, r, sql, err);
	sqlite3_finalize(st);
	return r;
}

/* One or the other, for a power cut. */
static int make_tables(struct store *s, const char *how, struct ads_err *err)
{
	char sql[128];
	int r;

	r = sqlite3_exec(s->db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
	if (!r)
		r = sqlite3_exec(s->db, how, NULL, NULL, NULL);
	snprintf(sql, sizeof(sql),
		 "PRAGMA application_id=%d; PRAGMA user_version=%d; COMMIT",
		 APPLICATION_ID, STORE_VERSION);
	if (!r)
		r = sqlite3_exec(s->db, sql, NULL, NULL, NULL);
	r = store_error(s, r, "making the tables", err);
	if (r)
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	return r;
}

/* How everything in it was made, for sqlite3_free(); what ANALYZE adds is no matter. */
static int describe(sqlite3 *db, char **text)
{
	static const char sql[] =
		"SELECT group_concat(type || name || sql, ';') FROM"
		" (SELECT * FROM sqlite_master WHERE sql NOT NULL AND"
		" (type <> 'table' OR name NOT LIKE 'sqlite_stat_')"
		" ORDER BY name)";
	sqlite3_stmt *st;
	int r;

	r = sqlite3_prepare_v2(db, sql, -1, &st, NULL);
	if (!r)
		r = sqlite3_step(st);
	if (r == SQLITE_ROW) {
		*text = sqlite3_mprintf("%s", sqlite3_column_text(st, 0));
		r = *text ? 0 : SQLITE_NOMEM;
	}
	sqlite3_finalize(st);
	return r;
}

/*
 * The tables are as they were made, and there is nothing else: a trigger or a view
 * could do anything, and run for ever.
 */
static int check_schema(struct store *s)
{
	char *is = NULL, *wanted = NULL;
	sqlite3 *fresh = NULL;
	int r;

	r = sqlite3_open_v2(":memory:", &fresh, SQLITE_OPEN_READWRITE, NULL);
	if (!r)
		r = sqlite3_exec(fresh, schema, NULL, NULL, NULL);
	if (!r)
		r = describe(fresh, &wanted);
	if (!r)
		r = describe(s->db, &is);
	if (!r && strcmp(is, wanted))
		r = SQLITE_CORRUPT;
	sqlite3_free(is);
	sqlite3_free(wanted);
	sqlite3_close(fresh);
	return r;
}

static int check_content(struct store *s)
{
	const char *text;
	sqlite3_stmt *st;
	int r;

	r = sqlite3_prepare_v2(s->db, "PRAGMA integrity_check(1)", -1, &st,
			       NULL);
	if (!r)
		r = sqlite3_step(st);
	if (r == SQLITE_ROW) {
		text = (const char *)sqlite3_column_text(st, 0);
		r = text && strcmp(text, "ok") == 0 ? 0 : SQLITE_CORRUPT;
	}
	sqlite3_finalize(st);
	return r;
}

/* Is it ours and whole? Makes the tables of an empty one. */
static int check(struct store *s, struct ads_err *err)
{
	int64_t id, version, tables;
	int r;

	r = store_number(s, "PRAGMA application_id", &id, err);
	if (!r)
		r = store_number(s, "PRAGMA user_version", &version, err);
	if (!r)
		r = store_number(s, "SELECT count(*) FROM sqlite_master", &tables,
			   err);
	if (r)
		return r;
	if (!tables && !version)
		return make_tables(s, schema, err);
	if (id != APPLICATION_ID)
		return ads_err(err, -EPROTONOSUPPORT,
			       "%s: not a history of adshard", s->path);
	if (version > STORE_VERSION)
		return ads_err(err, -EPROTONOSUPPORT,
			       "%s: written by a later adshard (version %lld, this one knows %d)",
			       s->path, (long long)version, STORE_VERSION);
	if (version == 1)
		make_tables(s, upgrade_1, err);
	/* one that could not be brought up to it is not as it should be */
	r = check_schema(s);
	if (!r)
		r = check_content(s);
	if (r == SQLITE_CORRUPT)
		return ads_err(err, -EBADMSG, "%s: is damaged", s->path);
	return store_error(s, r, "check", err);
}

/*
 * Two numbers in the file say which SQLite may read and write it; one that is
 * too high looks like a typing error in our SQL, or like a file system that is
 * mounted read-only.
 */
static bool is_later(const struct store *s)
{
	int code = sqlite3_extended_errcode(s->db);

	return code == SQLITE_ERROR ||
	       (code == SQLITE_READONLY && !access(s->path, W_OK));
}

static int open_once(struct store *s, struct ads_err *err)
{
	static const char setup[] =
		"PRAGMA auto_vacuum=INCREMENTAL;"
		"PRAGMA journal_mode=WAL;"
		/* a power cut loses the last seconds, not the file */
		"PRAGMA synchronous=NORMAL;"
		"PRAGMA journal_size_limit=4194304;"
		"PRAGMA cache_size=-2048;";
	int r;

	r = sqlite3_open_v2(s->path, &s->db,
			    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
			    SQLITE_OPEN_NOMUTEX, NULL);
	if (!r) {
		sqlite3_extended_result_codes(s->db, 1);
		sqlite3_busy_timeout(s->db, 1000);
		sqlite3_db_config(s->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0,
				  NULL);
		r = sqlite3_exec(s->db, setup, NULL, NULL, NULL);
	}
	if (r)
		r = store_error(s, r, "open", err);
	else
		r = check(s, err);
	if ((r == -EIO || r == -EROFS) && is_later(s))
		r = ads_err(err, -EPROTONOSUPPORT,
			    "%s: in a format that this SQLite does not know",
			    s->path);
	if (r) {
		sqlite3_close(s->db);
		s->db = NULL;
	}
	return r;
}

/* The last damaged one is kept, for whoever wants to look at it. */
static void set_aside(const struct store *s)
{
	static const char *const parts[] = { "", "-wal", "-shm" };
	char from[600], to[600];

	for (int i = 0; i < 3; i++) {
		snprintf(from, sizeof(from), "%s%s", s->path, parts[i]);
		snprintf(to, sizeof(to), "%s.damaged%s", s->path, parts[i]);
		unlink(to);
		rename(from, to);
	}
}

static void tell_aside(const struct store *s, struct ads_err *err)
{
	ads_err(err, 0, "%s: was damaged: set aside as %s.damaged, begun anew",
		s->path, s->path);
}

/* systemd has made it, others (an initramfs) have not. */
static void make_directory(const char *dir)
{
	char path[512];

	snprintf(path, sizeof(path), "%s", dir);
	for (char *p = path + 1; (p = strchr(p, '/')); *p++ = '/') {
		*p = 0;
		mkdir(path, 0755);
	}
	mkdir(path, 0750);
}

int store_open(const char *dir, struct store **out, bool *damaged,
	       struct ads_err *err)
{
	struct store *s = calloc(1, sizeof(*s));
	int r;

	*damaged = false;
	if (!s)
		return -ENOMEM;
	make_directory(dir);
	snprintf(s->path, sizeof(s->path), "%s/history.db", dir);
	r = open_once(s, err);
	if (r == -EBADMSG) {
		*damaged = true;
		set_aside(s);
		r = open_once(s, err);
		if (!r)
			tell_aside(s, err);
	}
	if (r) {
		free(s);
		return r;
	}
	*out = s;
	return 0;
}

int store_open_readonly(const char *dir, struct store **out,
			struct ads_err *err)
{
	struct store *s = calloc(1, sizeof(*s));
	int64_t version = 0;
	int r;

	if (!s)
		return -ENOMEM;
	snprintf(s->path, sizeof(s->path), "%s/history.db", dir);
	r = sqlite3_open_v2(s->path, &s->db, SQLITE_OPEN_READONLY |
			    SQLITE_OPEN_NOMUTEX, NULL);
	r = store_error(s, r, "open", err);
	if (!r) {
		sqlite3_busy_timeout(s->db, 1000);
		sqlite3_db_config(s->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0,
				  NULL);
		r = store_number(s, "PRAGMA user_version", &version, err);
	}
	if (!r && version != STORE_VERSION)
		r = ads_err(err, -EPROTONOSUPPORT,
			    "%s: of version %lld, this one knows %d; the agent brings an older one up to it",
			    s->path, (long long)version, STORE_VERSION);
	if (!r && check_schema(s) == SQLITE_CORRUPT)
		r = ads_err(err, -EBADMSG, "%s: is damaged", s->path);
	if (r) {
		store_close(s);
		return r;
	}
	*out = s;
	return 0;
}

int store_begin_anew(struct store **s, const char *dir, struct ads_err *err)
{
	bool damaged;
	int r;

	sqlite3_close((*s)->db);
	(*s)->db = NULL;
	set_aside(*s);
	store_close(*s);
	*s = NULL;
	r = store_open(dir, s, &damaged, err);
	if (!r)
		tell_aside(*s, err);
	return r;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	sqlite3_close(s->db);
	free(s);
}

int store_begin(struct store *s, struct ads_err *err)
{
	return store_run(s, err, "BEGIN IMMEDIATE", "");
}

int store_end(struct store *s, int r, struct ads_err *err)
{
	if (r) {
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
		return r;
	}
	return store_run(s, err, "COMMIT", "");
}

static int trim_log(struct store *s, int64_t oldest, struct ads_err *err)
{
	int r;

	/* the last row before is where the counter stands */
	r = store_run(s, err, "DELETE FROM change WHERE time < ?1 AND"
		      " time < (SELECT max(time) FROM change c WHERE"
		      " c.drive = change.drive AND c.attr = change.attr)",
		      "i", oldest);
	if (!r)
		r = store_run(s, err, "DELETE FROM day WHERE day < ?", "i",
			      oldest / 86400);
	if (!r)
		r = store_run(s, err, "DELETE FROM score WHERE time < ?", "i",
			      oldest);
	if (!r)
		r = store_run(s, err, "DELETE FROM slow WHERE day * length < ?",
			      "i", oldest);
	if (!r)
		r = store_run(s, err, "DELETE FROM job WHERE finished > 0 AND"
			      " finished < ?", "i", oldest);
	if (!r)
		r = store_run(s, err, "DELETE FROM change WHERE drive IN"
			      " (SELECT id FROM drive WHERE last < ?)", "i",
			      oldest);
	if (!r)
		r = store_run(s, err, "DELETE FROM fate WHERE drive IN"
			      " (SELECT id FROM drive WHERE last < ?)", "i",
			      oldest);
	if (!r)
		r = store_run(s, err, "DELETE FROM drive WHERE last < ?", "i",
			      oldest);
	return r;
}

int store_trim(struct store *s, int64_t now, const struct store_bounds *b,
	       struct ads_err *err)
{
	int64_t pages = 0, free_pages = 0, size = 0;
	int r;

	r = store_roll(s, now, err);
	if (!r)
		r = store_trim_loads(s, now, b, err);
	if (!r)
		r = trim_log(s, now - b->log, err);
	for (int i = 0; !r && i < 100; i++) {
		r = store_run(s, err, "PRAGMA incremental_vacuum", "");
		if (!r)
			r = store_number(s, "PRAGMA page_size", &size, err);
		if (!r)
			r = store_number(s, "PRAGMA page_count", &pages, err);
		if (!r)
			r = store_number(s, "PRAGMA freelist_count",
					 &free_pages, err);
		if (r || (pages - free_pages) * size <= b->size)
			break;
		r = store_shrink(s, err);
	}
	if (!r)
		r = store_run(s, err, "PRAGMA wal_checkpoint(PASSIVE)", "");
	return r;
}
