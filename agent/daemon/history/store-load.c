// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The series of loads: minutes, of which rows of ten minutes and of hours are
 * made before they go.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/history/store-priv.h"

#define TENS	10
#define HOURS	60
/* Minutes that are summed up again each time: the clock may have been set back. */
#define AGAIN	120

int store_load_row(struct store *s, const struct store_load *row,
		   struct ads_err *err)
{
	const struct load_values *v = &row->load;
	int r = store_begin(s, err);

	if (r)
		return r;
	r = store_know(s, row->uuid, err);
	if (!r)
		r = store_run(s, err, "INSERT OR REPLACE INTO load VALUES(1,"
			      "(SELECT id FROM member WHERE uuid=?1), ?2, ?3,"
			      " ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13,"
			      " ?14, ?15)", "uiddddddddddddd", row->uuid,
			      row->minute, v->read_rate, v->write_rate,
			      v->read_bytes, v->write_bytes, v->read_wait,
			      v->write_wait, v->util, v->queue,
			      v->read_latency, v->write_latency, v->read_p99,
			      v->write_p99, v->errors);
	return store_end(s, r, err);
}

int store_slow(struct store *s, const struct store_slow *row, long length,
	       struct ads_err *err)
{
	int r = store_begin(s, err);

	if (r)
		return r;
	r = store_know(s, row->uuid, err);
	/* NaN is NULL for SQL */
	if (!r)
		r = store_run(s, err, "INSERT OR REPLACE INTO slow VALUES("
			      "(SELECT id FROM member WHERE uuid=?1), ?2, ?3,"
			      " ?4, ?5)", "uiidd", row->uuid, (int64_t)length,
			      row->day.day, (double)row->day.peers,
			      (double)row->day.self);
	return store_end(s, r, err);
}

static double number(sqlite3_stmt *st, int column)
{
	return sqlite3_column_type(st, column) == SQLITE_NULL ? NAN :
	       sqlite3_column_double(st, column);
}

static int load_steps(struct store *s, struct store_loads *l, int64_t since,
		      long step, struct ads_err *err)
{
	/* minutes for what is not summed up, or for steps that are too short */
	static const char sql[] =
		"SELECT time * 60 / ?3, avg(b), avg(r), avg(nullif(x, 0)),"
		" avg(nullif(y, 0)) FROM (SELECT time, read_bytes +"
		" write_bytes AS b, read_rate + write_rate AS r, read_latency"
		" AS x, write_latency AS y FROM load WHERE span=10 AND"
		" member = (SELECT id FROM member WHERE uuid=?1) AND"
		" time >= ?2 AND time < ?4 UNION ALL SELECT time, read_bytes +"
		" write_bytes, read_rate + write_rate, read_latency,"
		" write_latency FROM load WHERE span=1 AND member = (SELECT id"
		" FROM member WHERE uuid=?1) AND time >= max(?2, ?4))"
		" GROUP BY 1 ORDER BY 1";
	sqlite3_stmt *st;
	int64_t mark = 0;
	size_t cap = 0;
	int r;

	if (step % (TENS * 60) == 0)
		r = store_number(s, "SELECT value FROM mark WHERE name='tens'",
				 &mark, err);
	else
		r = 0;
	if (!r)
		r = store_query(s, &st, err, sql, "uiii", l->uuid, since / 60,
				(int64_t)step, mark);
	if (r)
		return r;
	while ((r = sqlite3_step(st)) == SQLITE_ROW) {
		if (l->nr == cap) {
			struct store_step *more;

			cap = cap ? cap * 2 : 256;
			more = realloc(l->row, cap * sizeof(*more));
			if (!more) {
				r = SQLITE_NOMEM;
				break;
			}
			l->row = more;
		}
		l->row[l->nr].start = sqlite3_column_int64(st, 0) * step;
		for (int i = 0; i < LOAD_WHAT; i++)
			l->row[l->nr].v[i] = number(st, 1 + i);
		l->nr++;
	}
	r = store_error(s, r, "read", err);
	sqlite3_finalize(st);
	return r;
}

static int load_days(struct store *s, struct store_loads *l, long length,
		     struct ads_err *err)
{
	sqlite3_stmt *st;
	int r;

	l->day = calloc(SLOW_KEEP, sizeof(*l->day));
	if (!l->day)
		return -ENOMEM;
	r = store_query(s, &st, err, "SELECT * FROM (SELECT day, peers, self"
			" FROM slow WHERE member = (SELECT id FROM member WHERE"
			" uuid=?1) AND length = ?2 ORDER BY day DESC LIMIT ?3)"
			" ORDER BY day", "uii", l->uuid, (int64_t)length,
			(int64_t)SLOW_KEEP);
	if (r)
		return r;
	while (l->nr_days < SLOW_KEEP && (r = sqlite3_step(st)) == SQLITE_ROW)
		l->day[l->nr_days++] = (struct slow_day){
			.day = sqlite3_column_int64(st, 0),
			.peers = (float)number(st, 1),
			.self = (float)number(st, 2),
		};
	r = store_error(s, r, "read", err);
	sqlite3_finalize(st);
	return r;
}

int store_load_loads(struct store *s, struct store_loads *l, int64_t since,
		     long step, long length, struct ads_err *err)
{
	int r = load_steps(s, l, since, step, err);

	return r ? r : load_days(s, l, length, err);
}

/* -- rolling up ---------------------------------------------------------------- */

/* Waits are means of requests, the others of time; of nothing it is nothing. */
#define SUMS \
	" avg(read_rate), avg(write_rate), avg(read_bytes), avg(write_bytes)," \
	" sum(read_wait * read_rate) / nullif(sum(read_rate), 0)," \
	" sum(write_wait * write_rate) / nullif(sum(write_rate), 0)," \
	" avg(util), avg(queue), avg(nullif(read_latency, 0))," \
	" avg(nullif(write_latency, 0)), max(read_p99), max(write_p99)," \
	" max(errors) FROM load"

static int roll(struct store *s, int64_t member, int64_t from, int64_t to,
		int64_t into, struct ads_err *err)
{
	return store_run(s, err, "INSERT OR REPLACE INTO load SELECT ?1,"
			 " member, time / ?1 * ?1," SUMS " WHERE span=1 AND"
			 " member=?2 AND time >= ?3 AND time < ?4"
			 " GROUP BY time / ?1", "iiii", into, member, from, to);
}

/* All members, into a list that is ended by 0; for free(). */
static int members(struct store *s, int64_t **list, struct ads_err *err)
{
	sqlite3_stmt *st;
	int64_t count = 0;
	size_t n = 0;
	int r;

	r = store_number(s, "SELECT count(*) FROM member", &count, err);
	if (r)
		return r;
	*list = calloc((size_t)count + 1, sizeof(**list));
	if (!*list)
		return -ENOMEM;
	r = store_query(s, &st, err, "SELECT id FROM member WHERE id > 0", "");
	if (r)
		return r;
	while (n < (size_t)count && (r = sqlite3_step(st)) == SQLITE_ROW)
		(*list)[n++] = sqlite3_column_int64(st, 0);
	r = store_error(s, r, "read", err);
	sqlite3_finalize(st);
	return r;
}

/*
 * Whole hours only: so a row is never made of half of its minutes, unless these
 * are all that there will be.
 */
int store_roll(struct store *s, int64_t now, struct ads_err *err)
{
	int64_t to = now / 3600 * 60, from = 0, *list = NULL;
	int r;

	r = store_number(s, "SELECT value FROM mark WHERE name='tens'", &from,
			 err);
	if (from > to - AGAIN)
		from = to - AGAIN;
	if (!r)
		r = store_begin(s, err);
	if (r)
		return r;
	r = members(s, &list, err);
	for (size_t i = 0; !r && list[i]; i++) {
		r = roll(s, list[i], from, to, TENS, err);
		if (!r)
			r = roll(s, list[i], from, to, HOURS, err);
	}
	free(list);
	if (!r)
		r = store_run(s, err, "INSERT OR REPLACE INTO mark"
			      " VALUES('tens', ?)", "i", to);
	return store_end(s, r, err);
}

int store_trim_loads(struct store *s, int64_t now,
		     const struct store_bounds *b, struct ads_err *err)
{
	const struct { int64_t span, keep; } spans[] = {
		{ 1, b->minutes }, { TENS, b->tens }, { HOURS, b->hours },
	};
	int64_t *list = NULL;
	int r = store_begin(s, err);

	if (r)
		return r;
	r = members(s, &list, err);
	for (size_t i = 0; !r && list[i]; i++)
		for (int k = 0; !r && k < 3; k++)
			r = store_run(s, err, "DELETE FROM load WHERE span=?1"
				      " AND member=?2 AND time < ?3", "iii",
				      spans[k].span, list[i],
				      (now - spans[k].keep) / 60);
	free(list);
	return store_end(s, r, err);
}

int store_shrink(struct store *s, struct ads_err *err)
{
	static const int64_t spans[] = { 1, TENS, HOURS };
	int64_t left = 0;
	int r;

	r = store_number(s, "SELECT count(*) FROM (SELECT 1 FROM load LIMIT 1)",
			 &left, err);
	for (int k = 0; !r && left && k < 3; k++)
		r = store_run(s, err, "DELETE FROM load WHERE span = ?1 AND"
			      " time <= (SELECT min(time) + (max(time) -"
			      " min(time)) / 20 FROM load WHERE span = ?1)",
			      "i", spans[k]);
	if (r || left)
		return r;
	r = store_run(s, err, "DELETE FROM day WHERE day <= (SELECT min(day) +"
		      " (max(day) - min(day)) / 20 FROM day)", "");
	if (!r)
		r = store_run(s, err, "DELETE FROM score WHERE time <= (SELECT"
			      " min(time) + (max(time) - min(time)) / 20"
			      " FROM score)", "");
	return r;
}
