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
#include <stdio.h>

#include "daemon/history/drive.h"
#include "daemon/history/loads.h"
#include "daemon/plan/jobs.h"
#include "daemon/predict/predict.h"
#include "lib/err.h"

#define STORE_VERSION	2	/* older ones are brought up to it */

struct store;

/* *damaged is set if an old file was set aside; @err then says so. */
int store_open(const char *dir, struct store **out, bool *damaged,
	       struct ads_err *err);
/* To look at it, also while the agent uses it; nothing is changed. */
int store_open_readonly(const char *dir, struct store **out,
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
/* Its days since @since, oldest first, at most @max; *n of them. */
int store_load_days(struct store *s, const char *model, const char *serial,
		    int64_t since, struct drive_day *days, size_t max,
		    size_t *n, struct ads_err *err);

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

/* Of one minute, or the means of ten or sixty of them. */
struct load_values {
	double read_rate, write_rate, read_bytes, write_bytes;
	double read_wait, write_wait, util, queue;
	double read_latency, write_latency;	/* seconds, geometric mean of the
						 * kernel's; 0: no I/O */
	double read_p99, write_p99;	/* seconds, 0 none */
	double errors;			/* failed I/O, total */
};

struct store_load {
	uint8_t uuid[ADS_UUID_LEN];
	int64_t minute;
	struct load_values load;
};
int store_load_row(struct store *s, const struct store_load *row,
		   struct ads_err *err);

/* What a member is given back of its loads and comparisons, oldest first. */
struct store_loads {
	uint8_t uuid[ADS_UUID_LEN];
	size_t nr, nr_days;
	struct store_step {
		int64_t start;		/* of the step */
		double v[LOAD_WHAT];
	} *row;				/* both for free() */
	struct slow_day *day;
};
/* Since @since; @step: seconds of a step, @length: of a day of comparison. */
int store_load_loads(struct store *s, struct store_loads *l, int64_t since,
		     long step, long length, struct ads_err *err);

/* How a member compared on one day of @length seconds. */
struct store_slow {
	uint8_t uuid[ADS_UUID_LEN];
	struct slow_day day;
};
int store_slow(struct store *s, const struct store_slow *row, long length,
	       struct ads_err *err);

/* What became of a drive: the label of its past, for training. */
struct store_fate {
	char model[64], serial[64];
	int64_t time;
	enum { FATE_FAILED = 1, FATE_EVACUATED } what;
};
int store_fate(struct store *s, const struct store_fate *row,
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

/* How long what is kept, seconds, and bytes of the file. */
struct store_bounds {
	int64_t log;			/* changes, days, scores, jobs */
	int64_t minutes, tens, hours;	/* loads of so many minutes */
	int64_t size;
};

/*
 * Makes rows of ten minutes and of hours out of those of minutes, removes what is
 * older than allowed, and the oldest loads, then days, while the file is too
 * large.
 */
int store_trim(struct store *s, int64_t now, const struct store_bounds *b,
	       struct ads_err *err);

/* -- CSV -- */

enum store_csv {
	CSV_CHANGES,	/* each change of a SMART counter */
	CSV_DAYS,	/* all that a drive said, once a day */
	CSV_LOADS,
	CSV_SCORES,
	CSV_SLOW,	/* how members compared */
	CSV_FLEET,	/* days of ATA disks and what became of them, as
			 * adshard-train reads them; out only */
	CSV_KINDS
};
const char *store_csv_name(enum store_csv kind);	/* "changes" */
int store_csv_kind(const char *name);			/* -1: none */

/* With a line of headings. *rows: how many. */
int store_export(struct store *s, enum store_csv kind, FILE *f, uint64_t *rows,
		 struct ads_err *err);
/*
 * What the headings say it is. All of it or, if a line is wrong (-EBADMSG, @err
 * has its number), nothing. What is there already under the same time is replaced.
 */
int store_import(struct store *s, FILE *f, const char *name, uint64_t *rows,
		 enum store_csv *kind, struct ads_err *err);

#endif
