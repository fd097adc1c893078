/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the store's files. */
#ifndef ADSHARDD_STORE_PRIV_H
#define ADSHARDD_STORE_PRIV_H

#include <sqlite3.h>

#include "daemon/history/store.h"

struct store {
	sqlite3 *db;
	char path[512];
};

/* What SQLite has to say, as -errno. */
int store_error(struct store *s, int code, const char *doing,
		struct ads_err *err);

/* Prepares; @types: i int64, d double, s string, u a UUID, as arguments. */
int store_query(struct store *s, sqlite3_stmt **out, struct ads_err *err,
		const char *sql, const char *types, ...);
/* The same, run to its end. */
int store_run(struct store *s, struct ads_err *err, const char *sql,
	      const char *types, ...);

/* One number out of the database, @value 0 if there is none. */
int store_number(struct store *s, const char *sql, int64_t *value,
		 struct ads_err *err);

/* BEGIN, and COMMIT or (@r) ROLLBACK; end returns @r. */
int store_begin(struct store *s, struct ads_err *err);
int store_end(struct store *s, int r, struct ads_err *err);

/* The member has a row that others refer to from now on. */
int store_know(struct store *s, const uint8_t *uuid, struct ads_err *err);

int store_export_fleet(struct store *s, FILE *f, uint64_t *rows,
		       struct ads_err *err);

/* Of loads: the sums of what was not summed up, and what is too old. */
int store_roll(struct store *s, int64_t now, struct ads_err *err);
int store_trim_loads(struct store *s, int64_t now,
		     const struct store_bounds *b, struct ads_err *err);
/* The oldest twentieth of the time that is covered; of loads, else of days. */
int store_shrink(struct store *s, struct ads_err *err);

#endif
