/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The database of the history: SQLite, write-ahead log, in the state directory.
 *
 * All of it may block; it is called in the history's thread (and by tests). Every
 * function returns 0 or -errno with a sentence in @err. A damaged file is set
 * aside under the name *.damaged and a new one begun; one of a later version, or
 * of something else, is left alone and refused with -EPROTONOSUPPORT.
 */
#ifndef ADSHARDD_STORE_H
#define ADSHARDD_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/history/drive.h"
#include "daemon/plan/jobs.h"
#include "daemon/predict/predict.h"
#include "lib/err.h"

#define STORE_VERSION	1

struct store;

/* *damaged is set if an old file was set aside; @err then says so. */
int store_open(const char *dir, struct store **out, bool *damaged,
	       struct ads_err *err);
void store_close(struct store *s);	/* NULL is fine */
/*
 * For one that proves to be damaged while it is used (-EBADMSG): it is set aside
 * and a new one begun, and @err says so. *s is NULL on error.
 */
int store_begin_anew(struct store **s, const char *dir, struct ads_err *err);

/* One reading: the changes, and the row of the day with all of it. */
struct store_sample {
	char model[64], serial[64];
	int protocol;
	int64_t time;
	int64_t temperature, power_on;	/* SMART_NONE */
	int score;
	char *smart;			/* JSON, owned */
	unsigned int nr;
	struct drive_change change[TRACK_NR];
};
int store_sample(struct store *s, const struct store_sample *row,
		 struct ads_err *err);

struct store_row {
	int track;
	int64_t time;
	uint64_t value;
};
/* The change log of a drive, oldest first; *rows is for the caller to free(). */
int store_load_drive(struct store *s, const char *model, const char *serial,
		     struct store_row **rows, size_t *n, int64_t *power_on,
		     struct ads_err *err);

/* What is kept of a member. */
struct store_member {
	uint8_t uuid[ADS_UUID_LEN];
	struct risk_track track;
	uint64_t patrol;		/* position in bytes */
	bool by_agent;
	int64_t hold_until;
};
/* -ENOENT if it is not known. */
int store_load_member(struct store *s, struct store_member *m,
		      struct ads_err *err);
int store_member(struct store *s, const struct store_member *m,
		 struct ads_err *err);

struct store_load {
	uint8_t uuid[ADS_UUID_LEN];
	int64_t minute;
	double read_rate, write_rate, read_bytes, write_bytes;
	double read_wait, write_wait, util;
	double read_p99, write_p99;	/* seconds, 0 none */
	uint64_t errors;		/* failed I/O, total */
};
int store_load_row(struct store *s, const struct store_load *row,
		   struct ads_err *err);

struct store_score {
	uint8_t uuid[ADS_UUID_LEN];
	int64_t time;
	int score;
	char mode[16], text[200];
};
int store_score(struct store *s, const struct store_score *row,
		struct ads_err *err);

int store_job(struct store *s, const struct job *j, struct ads_err *err);
/* The last @max jobs, newest first; *jobs is for the caller to free(). */
int store_load_jobs(struct store *s, unsigned int max, struct job **jobs,
		    size_t *n, struct ads_err *err);

/*
 * Removes what is older than allowed (seconds), and the oldest of the load
 * series while the file is larger than @max_size bytes.
 */
int store_trim(struct store *s, int64_t now, int64_t keep_log,
	       int64_t keep_load, int64_t max_size, struct ads_err *err);

#endif
