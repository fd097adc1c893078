// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What became of drives, and all their days in the form that adshard-train reads:
 * the data of a site's own model.
 */
#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/history/store-priv.h"
#include "lib/json.h"
#include "lib/smart-feat.h"

int store_fate(struct store *s, const struct store_fate *row,
	       struct ads_err *err)
{
	/* one that failed after it was evacuated has failed */
	return store_run(s, err, "INSERT INTO fate SELECT id, ?3, ?4 FROM drive"
			 " WHERE model=?1 AND serial=?2 ON CONFLICT(drive) DO"
			 " UPDATE SET time=excluded.time, what=excluded.what"
			 " WHERE what > excluded.what", "ssii", row->model,
			 row->serial, row->time, (int64_t)row->what);
}

static void put_name(FILE *f, const char *s)
{
	/* neither has commas or quotes but in malice */
	for (; s && *s; s++)
		putc(strchr(",\"\r\n", *s) ? '_' : *s, f);
}

/* "5": [value, worst, raw] */
static void put_attribute(FILE *f, struct json_object *smart, unsigned int id)
{
	struct json_object *a, *raw;
	char key[8];

	putc(',', f);
	snprintf(key, sizeof(key), "%u", id);
	a = smart ? ads_json_get(smart, key) : NULL;
	raw = json_object_is_type(a, json_type_array) ?
	      json_object_array_get_idx(a, 2) : NULL;
	if (json_object_is_type(raw, json_type_int))
		fprintf(f, "%llu",
			(unsigned long long)json_object_get_uint64(raw));
}

static void put_day(FILE *f, sqlite3_stmt *st)
{
	const char *text = (const char *)sqlite3_column_text(st, 3);
	struct json_object *smart = text ? json_tokener_parse(text) : NULL;
	time_t t = sqlite3_column_int64(st, 0) * 86400;
	bool last = sqlite3_column_int(st, 4);
	int fate = last ? sqlite3_column_int(st, 5) : 0;
	char date[32];
	struct tm tm;

	if (!json_object_is_type(smart, json_type_object)) {
		json_object_put(smart);
		smart = NULL;
	}
	strftime(date, sizeof(date), "%Y-%m-%d", gmtime_r(&t, &tm));
	fprintf(f, "%s,", date);
	put_name(f, (const char *)sqlite3_column_text(st, 1));
	putc(',', f);
	put_name(f, (const char *)sqlite3_column_text(st, 2));
	fprintf(f, ",%d,%d", fate == FATE_FAILED, fate == FATE_EVACUATED);
	for (int i = 0; i < ADS_FEAT_ATTRS; i++)
		put_attribute(f, smart, ads_feat_attrs[i].id);
	putc('\n', f);
	json_object_put(smart);
}

int store_export_fleet(struct store *s, FILE *f, uint64_t *rows,
		       struct ads_err *err)
{
	sqlite3_stmt *st;
	int r;

	*rows = 0;
	r = store_query(s, &st, err, "SELECT day, serial, model, smart, day ="
			" (SELECT max(day) FROM day l WHERE l.drive ="
			" day.drive), what FROM day JOIN drive ON drive.id ="
			" day.drive LEFT JOIN fate ON fate.drive = day.drive"
			" WHERE protocol = ?1 AND day BETWEEN 0 AND 2932896"
			" ORDER BY day.drive, day", "i", (int64_t)SMART_ATA);
	if (r)
		return r;
	fputs("date,serial_number,model,failure,evacuated", f);
	for (int i = 0; i < ADS_FEAT_ATTRS; i++)
		fprintf(f, ",smart_%u_raw", ads_feat_attrs[i].id);
	putc('\n', f);
	while ((r = sqlite3_step(st)) == SQLITE_ROW && !ferror(f)) {
		put_day(f, st);
		++*rows;
	}
	if (ferror(f) || fflush(f))
		r = ads_err(err, -EIO, "can't write: %s", strerror(errno));
	else
		r = store_error(s, r, "read", err);
	sqlite3_finalize(st);
	return r;
}
