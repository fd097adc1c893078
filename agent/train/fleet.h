/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A fleet of drives out of files: what each counter of each drive came to be, and
 * when, and which drives failed.
 *
 * Two forms of tables are known, told by their columns:
 *
 * intervals	serial_number, model, min_date, max_date, min_hours, max_hours,
 *		tstart, tstop, fails, smart_N...: one row for each time in which
 *		nothing changed, in power-on hours; the dates of the drive's first
 *		and last day say what calendar time that was
 * days		date, serial_number, model, failure, smart_N_raw...: one row a day
 *
 * A column evacuated has 1 for a drive that was emptied before it could fail: what
 * would have become of it in its last month is not known.
 *
 * More columns, other orders and missing smart_N are fine.
 */
#ifndef TRAIN_FLEET_H
#define TRAIN_FLEET_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/err.h"
#include "lib/smart-feat.h"
#include "train/csv.h"

#define DAY	86400LL

struct life {
	char *serial;
	uint32_t model;		/* index of fleet.model */
	/*
	 * From its first day to the last second of its last one: it has answered
	 * on that day, and if it failed this was noticed on the next.
	 */
	int64_t first, last;
	bool failed;		/* at @last */
	bool evacuated;		/* at @last: it was believed to fail */
	bool unsorted;
	double capacity;		/* bytes, NaN */
	double hours;		/* power-on hours at @first, NaN */
	double hours_rate;	/* of them per second */
	struct ads_point *point[ADS_FEAT_ATTRS];
	uint32_t nr[ADS_FEAT_ATTRS], cap[ADS_FEAT_ATTRS];
};

struct fleet {
	struct life *life;
	uint32_t nr, cap;
	char **model;
	uint32_t nr_models, cap_models;
	uint32_t *slots, *model_slots;	/* hashes; index + 1 */
	uint32_t nr_slots, nr_model_slots;
	unsigned long rows, bad, dropped;
	uint32_t newest;	/* of drives whose serial number came again */
};

/* Adds a file. Bad lines are counted; 0 or -errno. */
int fleet_read(struct fleet *f, const char *path, struct ads_err *err);
int fleet_read_csv(struct fleet *f, struct csv *c, struct ads_err *err);

/*
 * To be called once, after the last file: sorts, and drops drives whose power-on
 * hours and dates do not go together.
 */
int fleet_finish(struct fleet *f, struct ads_err *err);
void fleet_free(struct fleet *f);

/* The latest time that any drive was seen. */
int64_t fleet_end(const struct fleet *f);

/* What ads_feat() wants of a life, but for the hazard. */
void life_tracks(const struct life *l, struct ads_feat_in *in);
double life_hours(const struct life *l, int64_t t);

#endif
