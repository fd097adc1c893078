/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is remembered of one drive: a series for each counter that tells
 * something of its health. A drive is its model and serial number, wherever it
 * is plugged in.
 *
 * Takes SMART samples (or, after a start, the change log out of the database);
 * gives the series that predict/ reads. Pure.
 */
#ifndef ADSHARDD_DRIVE_H
#define ADSHARDD_DRIVE_H

#include "daemon/collect/smart.h"
#include "daemon/history/series.h"

/* Indexes of struct drive's series. */
enum track {
	TRACK_REALLOCATED,		/* ATA 5 */
	TRACK_SPIN_RETRY,		/* 10 */
	TRACK_END_TO_END,		/* 184 */
	TRACK_UNCORRECTABLE,		/* 187 */
	TRACK_TIMEOUT,			/* 188 */
	TRACK_HIGH_FLY,			/* 189 */
	TRACK_REALLOC_EVENT,		/* 196 */
	TRACK_PENDING,			/* 197 */
	TRACK_OFFLINE,			/* 198 */
	TRACK_CRC,			/* 199 */
	TRACK_MEDIA_ERRORS,		/* NVMe */
	TRACK_SPARE,
	TRACK_USED,			/* of any protocol */
	TRACK_CRITICAL_MINUTES,
	TRACK_GROWN_DEFECTS,		/* SCSI */
	TRACK_UNCORRECTED,
	TRACK_PENDING_DEFECTS,
	TRACK_LINK_ERRORS,		/* SAS */
	TRACK_LINK_RESETS,		/* counted by the agent, out of the */
	TRACK_LOG_TIMEOUTS,		/* kernel's log */
	TRACK_LOG_MEDIUM,
	TRACK_NR
};

struct track_info {
	int code;	/* in the database, never changed: ATA attributes have
			 * their number, NVMe 1000 and up, SCSI 2000 and up,
			 * the kernel's log 3000 and up */
	enum series_kind kind;
	const char *name;	/* "pending sectors (197)" */
};
extern const struct track_info track_info[TRACK_NR];
int track_by_code(int code);	/* -1 unknown */

/* What the day's last reading came to. */
struct drive_day {
	int32_t day;			/* since the epoch */
	int16_t score, temperature;	/* -1: not known */
};
#define DRIVE_DAYS	400
#define DRIVE_COUNTS	(TRACK_NR - TRACK_LINK_RESETS)

struct drive {
	struct drive *next;
	int64_t id;			/* in the database, 0: not there yet */
	char model[64], serial[64];
	enum smart_protocol protocol;
	int64_t power_on;		/* hours at the last reading or
					 * SMART_NONE */
	bool loaded;			/* its log was read from the database */
	int fate;			/* that history knows of, 0: none */
	bool counting;			/* somebody reads the kernel's log */
	bool noted;			/* of the line that is being counted */
	uint64_t counted[DRIVE_COUNTS];
	struct series series[TRACK_NR];
	unsigned int nr_days, cap_days;	/* oldest first */
	struct drive_day *day;
};

struct drive *drive_new(const char *model, const char *serial,
			enum smart_protocol protocol);
void drive_free(struct drive *d);	/* NULL is fine */

struct drive_change {
	enum track track;
	uint64_t value;
};

/* The agent has seen one more; it is in the series with the next sample. */
void drive_count(struct drive *d, enum track t);

/*
 * Adds a sample; @changes gets what changed, returns how many. *reset is set
 * if counters or the power-on hours went down.
 */
unsigned int drive_add(struct drive *d, const struct smart_sample *s,
		       struct drive_change changes[TRACK_NR], bool *reset);

/* The score of a reading; days must not go back: what is later is dropped. */
void drive_note_day(struct drive *d, const struct drive_day *day);

/*
 * Puts a row of the change log in: oldest first, before the first sample.
 */
void drive_load(struct drive *d, enum track track, int64_t time,
		uint64_t value);

#endif
