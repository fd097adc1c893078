// SPDX-License-Identifier: GPL-2.0-or-later
/* What goes into the tables and comes out of them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/history/store-priv.h"

/* -1 stands for "there is none": SMART_NONE is nothing for SQL. */
static int64_t or_minus(int64_t v)
{
	return v == SMART_NONE ? -1 : v;
}

int store_sample(struct store *s, const struct store_sample *row,
		 struct ads_err *err)
{
	static const char drive[] =
		"(SELECT id FROM drive WHERE model=?1 AND serial=?2)";
	char sql[256];
	int r = store_begin(s, err);

	if (r)
		return r;
	r = store_run(s, err, "INSERT INTO drive(model, serial, protocol,"
		      " first, last) VALUES(?1, ?2, ?3, ?4, ?4) ON CONFLICT"
		      " DO UPDATE SET last=max(last, excluded.last)", "ssii",
		      row->model, row->serial, (int64_t)row->protocol,
		      row->time);
	snprintf(sql, sizeof(sql), "INSERT OR REPLACE INTO change(drive, attr,"
		 " time, value) VALUES(%s, ?3, ?4, ?5)", drive);
	for (unsigned int i = 0; !r && i < row->nr; i++)
		r = store_run(s, err, sql, "ssiii", row->model, row->serial,
			      (int64_t)track_info[row->change[i].track].code,
			      row->time, (int64_t)row->change[i].value);
	snprintf(sql, sizeof(sql), "INSERT OR REPLACE INTO day(drive, day,"
		 " score, temperature, power_on, smart)"
		 " VALUES(%s, ?3, ?4, ?5, ?6, ?7)", drive);
	if (!r)
		r = store_run(s, err, sql, "ssiiiis", row->model, row->serial,
			      row->time / 86400, (int64_t)row->score,
			      or_minus(row->temperature),
			      or_minus(row->power_on), row->smart);
	return store_end(s, r, err);
}

int store_load_drive(struct store *s, const char *model, const char *serial,
		     struct store_row **rows, size_t *n, int64_t *power_on,
		     struct ads_err *err)
{
	struct store_row *list = NULL;
	size_t nr = 0, cap = 0;
	sqlite3_stmt *st;
	int r;

	*power_on = SMART_NONE;
	r = store_query(s, &st, err, "SELECT power_on FROM day WHERE drive ="
			" (SELECT id FROM drive WHERE model=?1 AND serial=?2)"
			" ORDER BY day DESC LIMIT 1", "ss", model, serial);
	if (r)
		return r;
	if (sqlite3_step(st) == SQLITE_ROW && sqlite3_column_int64(st, 0) >= 0)
		*power_on = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);

	r = store_query(s, &st, err, "SELECT attr, time, value FROM change"
			" WHERE drive = (SELECT id FROM drive WHERE model=?1"
			" AND serial=?2) ORDER BY time", "ss", model, serial);
	if (r)
		return r;
	while ((r = sqlite3_step(st)) == SQLITE_ROW) {
		int track = track_by_code(sqlite3_column_int(st, 0));

		if (track < 0)
			continue;
		if (nr == cap) {
			struct store_row *more;

			cap = cap ? cap * 2 : 64;
			more = realloc(list, cap * sizeof(*list));
			if (!more) {
				r = SQLITE_NOMEM;
				break;
			}
			list = more;
		}
		list[nr++] = (struct store_row){
			.track = track,
			.time = sqlite3_column_int64(st, 1),
			.value = (uint64_t)sqlite3_column_int64(st, 2),
		};
	}
	r = store_error(s, r, "read", err);
	sqlite3_finalize(st);
	if (r) {
		free(list);
		return r;
	}
	*rows = list;
	*n = nr;
	return 0;
}

int store_load_days(struct store *s, const char *model, const char *serial,
		    int64_t since, struct drive_day *days, size_t max,
		    size_t *n, struct ads_err *err)
{
	sqlite3_stmt *st;
	size_t nr = 0;
	int r;

	r = store_query(s, &st, err, "SELECT * FROM (SELECT day, score,"
			" temperature FROM day WHERE drive = (SELECT id FROM"
			" drive WHERE model=?1 AND serial=?2) AND day >= ?3"
			" ORDER BY day DESC LIMIT ?4) ORDER BY day", "ssii",
			model, serial, since / 86400, (int64_t)max);
	if (r)
		return r;
	while (nr < max && (r = sqlite3_step(st)) == SQLITE_ROW)
		days[nr++] = (struct drive_day){
			.day = sqlite3_column_int(st, 0),
			.score = (int16_t)sqlite3_column_int(st, 1),
			.temperature = (int16_t)sqlite3_column_int(st, 2),
		};
	*n = nr;
	r = store_error(s, r, "read", err);
	sqlite3_finalize(st);
	return r;
}

int store_load_member(struct store *s, struct store_member *m,
		      struct ads_err *err)
{
	sqlite3_stmt *st;
	int r;

	r = store_query(s, &st, err, "SELECT above, evidence, at_risk, quiet,"
			" rose, patrol, by_agent, hold_until FROM member"
			" WHERE uuid=?", "u", m->uuid);
	if (r)
		return r;
	r = sqlite3_step(st);
	if (r == SQLITE_ROW) {
		m->track.above = sqlite3_column_int(st, 0);
		m->track.evidence = sqlite3_column_int64(st, 1);
		m->track.at_risk = sqlite3_column_int64(st, 2);
		m->track.quiet = sqlite3_column_int64(st, 3);
		m->track.rose = sqlite3_column_int64(st, 4);
		m->patrol = (uint64_t)sqlite3_column_int64(st, 5);
		m->by_agent = sqlite3_column_int(st, 6);
		m->hold_until = sqlite3_column_int64(st, 7);
	}
	sqlite3_finalize(st);
	return r == SQLITE_DONE ? -ENOENT : store_error(s, r, "read", err);
}

int store_member(struct store *s, const struct store_member *m,
		 struct ads_err *err)
{
	return store_run(s, err, "INSERT INTO member(uuid, above, evidence,"
			 " at_risk, quiet, rose, patrol, by_agent, hold_until)"
			 " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
			 " ON CONFLICT(uuid) DO UPDATE SET above=?2,"
			 " evidence=?3, at_risk=?4, quiet=?5, rose=?6,"
			 " patrol=?7, by_agent=?8, hold_until=?9",
			 "uiiiiiiii", m->uuid, (int64_t)m->track.above,
			 m->track.evidence, m->track.at_risk, m->track.quiet,
			 m->track.rose, (int64_t)m->patrol,
			 (int64_t)m->by_agent, m->hold_until);
}

/* Series refer to a member by a number, so it has to have one. */
int store_know(struct store *s, const uint8_t *uuid, struct ads_err *err)
{
	return store_run(s, err, "INSERT OR IGNORE INTO member(uuid) VALUES(?)",
			 "u", uuid);
}

int store_score(struct store *s, const struct store_score *row,
		struct ads_err *err)
{
	int r = store_begin(s, err);

	if (r)
		return r;
	r = store_know(s, row->uuid, err);
	if (!r)
		r = store_run(s, err, "INSERT OR REPLACE INTO score VALUES("
			      "(SELECT id FROM member WHERE uuid=?1), ?2, ?3,"
			      " ?4, ?5)", "uiiss", row->uuid, row->time,
			      (int64_t)row->score, row->mode, row->text);
	return store_end(s, r, err);
}

int store_job(struct store *s, const struct job *j, struct ads_err *err)
{
	return store_run(s, err, "INSERT OR REPLACE INTO job VALUES(?1, ?2, ?3,"
			 " ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15,"
			 " ?16, ?17)", "iuuiiissiiiiiiiii", (int64_t)j->id, j->pool,
			 j->member_uuid, (int64_t)j->member, (int64_t)j->state,
			 (int64_t)j->by_agent, j->reason, j->note,
			 (int64_t)j->segments_total, (int64_t)j->segments_done,
			 (int64_t)j->bytes_total, (int64_t)j->bytes_done,
			 j->started, j->finished, (int64_t)j->paused,
			 (int64_t)j->priority, (int64_t)j->kind);
}

static void take_text(char *buf, size_t size, sqlite3_stmt *st, int column)
{
	const char *s = (const char *)sqlite3_column_text(st, column);

	snprintf(buf, size, "%s", s ? s : "");
}

static bool take_uuid(uint8_t *uuid, sqlite3_stmt *st, int column)
{
	const void *p = sqlite3_column_blob(st, column);

	if (!p || sqlite3_column_bytes(st, column) != ADS_UUID_LEN)
		return false;
	memcpy(uuid, p, ADS_UUID_LEN);
	return true;
}

int store_load_jobs(struct store *s, unsigned int max, struct job **jobs,
		    size_t *n, struct ads_err *err)
{
	struct job *list = calloc(max ? max : 1, sizeof(*list));
	sqlite3_stmt *st;
	size_t nr = 0;
	int r;

	if (!list)
		return -ENOMEM;
	r = store_query(s, &st, err, "SELECT * FROM job ORDER BY id DESC"
			" LIMIT ?", "i", (int64_t)max);
	if (r) {
		free(list);
		return r;
	}
	while (nr < max && (r = sqlite3_step(st)) == SQLITE_ROW) {
		struct job *j = &list[nr];
		int64_t state = sqlite3_column_int64(st, 4);

		if (!take_uuid(j->pool, st, 1) ||
		    !take_uuid(j->member_uuid, st, 2) || state < 0 ||
		    state > JOB_WITH_ERRORS ||
		    !job_kind_known(sqlite3_column_int64(st, 16)))
			continue;
		j->kind = sqlite3_column_int(st, 16);
		j->id = (uint64_t)sqlite3_column_int64(st, 0);
		j->member = sqlite3_column_int(st, 3);
		j->state = state;
		j->by_agent = sqlite3_column_int(st, 5);
		take_text(j->reason, sizeof(j->reason), st, 6);
		take_text(j->note, sizeof(j->note), st, 7);
		j->segments_total = (uint64_t)sqlite3_column_int64(st, 8);
		j->segments_done = (uint64_t)sqlite3_column_int64(st, 9);
		j->bytes_total = (uint64_t)sqlite3_column_int64(st, 10);
		j->bytes_done = (uint64_t)sqlite3_column_int64(st, 11);
		j->started = sqlite3_column_int64(st, 12);
		j->finished = sqlite3_column_int64(st, 13);
		j->paused = sqlite3_column_int(st, 14);
		j->priority = sqlite3_column_int(st, 15);
		nr++;
	}
	r = store_error(s, r, "read", err);
	sqlite3_finalize(st);
	if (r) {
		free(list);
		return r;
	}
	*jobs = list;
	*n = nr;
	return 0;
}
