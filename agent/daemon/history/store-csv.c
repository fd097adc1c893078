// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Tables as CSV and back: RFC 4180, a line of headings first, which says what it
 * is. Times are seconds since the epoch (of days their number, of loads minutes),
 * what is not known is empty, members are their UUID.
 */
#include <errno.h>
#include <json-c/json.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/history/store-priv.h"
#include "lib/units.h"

#define FIELDS		20
#define FIELD_MAX	(256 << 10)	/* bytes of a line */

/* s text, j JSON, i integer, t integer that is a time, u unsigned, d number, m UUID */
static const struct {
	const char *name, *heads, *types, *select;
	const char *before, *insert;	/* both are given all columns */
} kinds[CSV_KINDS] = {
	[CSV_CHANGES] = {
		"changes", "model,serial,protocol,time,attribute,value",
		"ssitiu",
		"SELECT model, serial, protocol, time, attr, value FROM change"
		" JOIN drive ON drive.id = change.drive ORDER BY drive.id, time",
		"INSERT INTO drive(model, serial, protocol, first, last)"
		" VALUES(?1, ?2, ?3, ?4, ?4) ON CONFLICT(model, serial) DO"
		" UPDATE SET first = min(first, excluded.first),"
		" last = max(last, excluded.last)",
		"INSERT OR REPLACE INTO change VALUES((SELECT id FROM drive"
		" WHERE model=?1 AND serial=?2), ?5, ?4, ?6)",
	},
	[CSV_DAYS] = {
		"days", "model,serial,protocol,day,score,temperature,power_on,smart",
		"ssitiiij",
		"SELECT model, serial, protocol, day, score, temperature,"
		" power_on, smart FROM day JOIN drive ON drive.id = day.drive"
		" ORDER BY drive.id, day",
		"INSERT INTO drive(model, serial, protocol, first, last)"
		" VALUES(?1, ?2, ?3, ?4 * 86400, ?4 * 86400)"
		" ON CONFLICT(model, serial) DO UPDATE SET"
		" first = min(first, excluded.first),"
		" last = max(last, excluded.last)",
		"INSERT OR REPLACE INTO day VALUES((SELECT id FROM drive"
		" WHERE model=?1 AND serial=?2), ?4, ?5, ?6, ?7, ?8)",
	},
	[CSV_LOADS] = {
		"loads", "member,minutes,minute,reads_per_second,"
		"writes_per_second,read_bytes_per_second,"
		"write_bytes_per_second,read_wait,write_wait,utilisation,queue,"
		"read_latency,write_latency,read_p99,write_p99,errors",
		"mitddddddddddddd",
		"SELECT uuid, span, time, read_rate, write_rate, read_bytes,"
		" write_bytes, read_wait, write_wait, util, queue,"
		" read_latency, write_latency, read_p99, write_p99, errors"
		" FROM load JOIN member ON member.id = load.member"
		" ORDER BY span, member.id, time",
		"INSERT OR IGNORE INTO member(uuid) VALUES(?1)",
		"INSERT OR REPLACE INTO load VALUES(?2, (SELECT id FROM member"
		" WHERE uuid=?1), ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12,"
		" ?13, ?14, ?15, ?16)",
	},
	[CSV_SCORES] = {
		"scores", "member,time,score,mode,text", "mtiss",
		"SELECT uuid, time, score, mode, text FROM score JOIN member"
		" ON member.id = score.member ORDER BY member.id, time",
		"INSERT OR IGNORE INTO member(uuid) VALUES(?1)",
		"INSERT OR REPLACE INTO score VALUES((SELECT id FROM member"
		" WHERE uuid=?1), ?2, ?3, ?4, ?5)",
	},
	[CSV_SLOW] = {
		"slow", "member,seconds,day,peers,self", "mitdd",
		"SELECT uuid, length, day, peers, self FROM slow JOIN member"
		" ON member.id = slow.member ORDER BY member.id, day",
		"INSERT OR IGNORE INTO member(uuid) VALUES(?1)",
		"INSERT OR REPLACE INTO slow VALUES((SELECT id FROM member"
		" WHERE uuid=?1), ?2, ?3, ?4, ?5)",
	},
	[CSV_FLEET] = { "fleet", "", "", "", "", "" },
};

const char *store_csv_name(enum store_csv kind)
{
	return kinds[kind].name;
}

int store_csv_kind(const char *name)
{
	for (int i = 0; i < CSV_KINDS; i++)
		if (!strcmp(kinds[i].name, name))
			return i;
	return -1;
}

/* -- out -------------------------------------------------------------------------- */

static void put_text(FILE *f, const char *s)
{
	if (!strpbrk(s, ",\"\r\n")) {
		fputs(s, f);
		return;
	}
	putc('"', f);
	for (; *s; s++) {
		if (*s == '"')
			putc('"', f);
		putc(*s, f);
	}
	putc('"', f);
}

static void put_field(FILE *f, sqlite3_stmt *st, int column, char type)
{
	const char *text;
	char uuid[ADS_UUID_STR];

	if (sqlite3_column_type(st, column) == SQLITE_NULL)
		return;
	switch (type) {
	case 'm':
		if (sqlite3_column_bytes(st, column) == ADS_UUID_LEN)
			fputs(ads_format_uuid(sqlite3_column_blob(st, column),
					      uuid), f);
		break;
	case 'd':
		fprintf(f, "%.9g", sqlite3_column_double(st, column));
		break;
	case 'u':
		fprintf(f, "%llu",
			(unsigned long long)sqlite3_column_int64(st, column));
		break;
	case 'i':
	case 't':
		fprintf(f, "%lld",
			(long long)sqlite3_column_int64(st, column));
		break;
	default:
		text = (const char *)sqlite3_column_text(st, column);
		put_text(f, text ? text : "");
	}
}

int store_export(struct store *s, enum store_csv kind, FILE *f, uint64_t *rows,
		 struct ads_err *err)
{
	const char *types = kinds[kind].types;
	sqlite3_stmt *st;
	int r;

	if (kind == CSV_FLEET)
		return store_export_fleet(s, f, rows, err);
	*rows = 0;
	r = store_query(s, &st, err, kinds[kind].select, "");
	if (r)
		return r;
	fprintf(f, "%s\n", kinds[kind].heads);
	while ((r = sqlite3_step(st)) == SQLITE_ROW) {
		for (int i = 0; types[i]; i++) {
			if (i)
				putc(',', f);
			put_field(f, st, i, types[i]);
		}
		putc('\n', f);
		++*rows;
		if (ferror(f))
			break;
	}
	if (ferror(f) || fflush(f))
		r = ads_err(err, -EIO, "can't write: %s", strerror(errno));
	else
		r = store_error(s, r, "read", err);
	sqlite3_finalize(st);
	return r;
}

/* -- in --------------------------------------------------------------------------- */

struct reader {
	FILE *f;
	const char *name;
	uint64_t line;			/* where @field begins */
	uint64_t next;
	char *buf;
	char *field[FIELDS];
	int nr;
};

/*
 * One record into @field: 1, 0 at the end, -EBADMSG if there is a quote that does
 * not end, too many fields, or a line that is too long.
 */
static int next_record(struct reader *r)
{
	bool quoted = false, any = false;
	size_t n = 0;
	int c;

	r->line = r->next;
	r->nr = 1;
	r->field[0] = r->buf;
	while ((c = getc(r->f)) != EOF) {
		any = true;
		if (n + 2 >= FIELD_MAX || !c)
			return -EBADMSG;
		if (c == '\n')
			r->next++;
		if (c == '"') {
			if (!quoted && &r->buf[n] == r->field[r->nr - 1]) {
				quoted = true;
				continue;
			}
			if (!quoted)
				return -EBADMSG;
			c = getc(r->f);
			if (c != '"') {
				quoted = false;
				ungetc(c, r->f);
				continue;
			}
		} else if (!quoted && c == ',') {
			r->buf[n++] = 0;
			if (r->nr == FIELDS)
				return -EBADMSG;
			r->field[r->nr++] = &r->buf[n];
			continue;
		} else if (!quoted && c == '\n') {
			break;
		} else if (!quoted && c == '\r') {
			continue;
		}
		r->buf[n++] = (char)c;
	}
	r->buf[n] = 0;
	return quoted || ferror(r->f) ? -EBADMSG : any;
}

static bool is_object(const char *text)
{
	struct json_object *o = json_tokener_parse(text);
	bool is = json_object_is_type(o, json_type_object);

	json_object_put(o);
	return is;
}

static bool bind(sqlite3_stmt *st, int i, char type, const char *s)
{
	uint8_t uuid[ADS_UUID_LEN];
	unsigned long long u;
	long long n;
	double d;
	char *end;

	/* a second statement may not ask for all of them */
	if (i > sqlite3_bind_parameter_count(st))
		return true;
	errno = 0;
	if (!*s) {
		/* by these a row is found */
		if (strchr("mt", type))
			return false;
		if (type == 's')
			sqlite3_bind_text(st, i, "", 0, SQLITE_STATIC);
		else
			sqlite3_bind_null(st, i);
		return true;
	}
	switch (type) {
	case 'm':
		if (ads_parse_uuid(s, uuid))
			return false;
		sqlite3_bind_blob(st, i, uuid, sizeof(uuid), SQLITE_TRANSIENT);
		return true;
	case 'd':
		d = strtod(s, &end);
		sqlite3_bind_double(st, i, d);
		return !*end && isfinite(d);
	case 'u':
		u = strtoull(s, &end, 10);
		sqlite3_bind_int64(st, i, (sqlite3_int64)u);
		return !*end && !errno && *s != '-';
	case 'i':
	case 't':
		n = strtoll(s, &end, 10);
		sqlite3_bind_int64(st, i, n);
		return !*end && !errno && (type == 'i' || (n >= 0 && n < 1LL << 40));
	case 'j':
		if (!is_object(s))
			return false;
		break;
	}
	sqlite3_bind_text(st, i, s, -1, SQLITE_TRANSIENT);
	return true;
}

/* false: there is a field that makes no sense, *bad. */
static bool take(const struct reader *r, sqlite3_stmt *st, const char *types,
		 int *bad)
{
	sqlite3_reset(st);
	for (*bad = 0; types[*bad]; ++*bad)
		if (!bind(st, *bad + 1, types[*bad], r->field[*bad]))
			return false;
	return true;
}

static int wrong(const struct reader *r, struct ads_err *err, const char *what)
{
	return ads_err(err, -EBADMSG, "%s:%llu: %s", r->name,
		       (unsigned long long)r->line, what);
}

static int find_kind(struct reader *r, enum store_csv *kind,
		     struct ads_err *err)
{
	int e = next_record(r);

	for (int k = 0; e > 0 && k < CSV_FLEET; k++) {
		const char *h = kinds[k].heads;
		int i;

		for (i = 0; i < r->nr && !strncmp(h, r->field[i],
						  strcspn(h, ",")) &&
			    strlen(r->field[i]) == strcspn(h, ","); i++)
			h += strcspn(h, ",") + (h[strcspn(h, ",")] == ',');
		if (i == r->nr && !*h) {
			*kind = k;
			return 0;
		}
	}
	return wrong(r, err, "these headings are none of changes, days, loads, scores, slow");
}

static int take_all(struct store *s, struct reader *r, enum store_csv kind,
		    sqlite3_stmt *before, sqlite3_stmt *insert, uint64_t *rows,
		    struct ads_err *err)
{
	const char *types = kinds[kind].types;
	char text[80];
	int e, bad;

	while ((e = next_record(r)) > 0) {
		if (r->nr == 1 && !r->field[0][0])
			continue;
		if (r->nr != (int)strlen(types)) {
			snprintf(text, sizeof(text), "%d fields, %zu are wanted",
				 r->nr, strlen(types));
			return wrong(r, err, text);
		}
		if (!take(r, before, types, &bad) ||
		    !take(r, insert, types, &bad)) {
			snprintf(text, sizeof(text), "field %d makes no sense",
				 bad + 1);
			return wrong(r, err, text);
		}
		e = sqlite3_step(before);
		if (e == SQLITE_DONE)
			e = sqlite3_step(insert);
		e = store_error(s, e, "import", err);
		if (e)
			return e;
		++*rows;
	}
	return e ? wrong(r, err, "no end of quotes, too long, or a zero byte") :
		   0;
}

int store_import(struct store *s, FILE *f, const char *name, uint64_t *rows,
		 enum store_csv *kind, struct ads_err *err)
{
	struct reader r = { .f = f, .name = name, .next = 1 };
	sqlite3_stmt *before = NULL, *insert = NULL;
	int e;

	*rows = 0;
	r.buf = malloc(FIELD_MAX);
	if (!r.buf)
		return -ENOMEM;
	e = find_kind(&r, kind, err);
	if (!e)
		e = store_query(s, &before, err, kinds[*kind].before, "");
	if (!e)
		e = store_query(s, &insert, err, kinds[*kind].insert, "");
	if (!e)
		e = store_begin(s, err);
	if (!e) {
		e = take_all(s, &r, *kind, before, insert, rows, err);
		/* what is not reset keeps the transaction open */
		sqlite3_reset(before);
		sqlite3_reset(insert);
		e = store_end(s, e, err);
	}
	sqlite3_finalize(before);
	sqlite3_finalize(insert);
	free(r.buf);
	return e;
}
