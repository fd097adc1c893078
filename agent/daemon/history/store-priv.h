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

#endif
