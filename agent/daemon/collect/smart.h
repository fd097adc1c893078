/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One SMART reading of one drive, out of smartctl's JSON.
 *
 * Takes the bytes that "smartctl --json" printed (any version from 6.7, any of
 * ATA, NVMe and SCSI, whole or cut short by an error); gives a struct
 * smart_sample in base units. Raw values that pack several numbers are
 * unpacked, counters of more than 64 bits saturate.
 */
#ifndef ADSHARDD_SMART_H
#define ADSHARDD_SMART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"

/* The exit status of smartctl is a set of bits (smartctl(8)). */
#define SMARTCTL_USAGE		0x01	/* the command line did not parse */
#define SMARTCTL_OPEN		0x02	/* the device could not be opened */
#define SMARTCTL_PARTIAL	0x04	/* some command failed */
#define SMARTCTL_FAILING	0x08	/* SMART status: failing */
#define SMARTCTL_PREFAIL	0x10	/* prefail attribute at its threshold */
#define SMARTCTL_PAST		0x20	/* an attribute was at its threshold */
#define SMARTCTL_ERROR_LOG	0x40	/* the error log has entries */
#define SMARTCTL_TEST_LOG	0x80	/* the self-test log has errors */

/*
 * What it is told to return for a drive that sleeps (-n standby,STATUS). As
 * bits these say "could not be opened" and "status: failing", which never come
 * together by themselves.
 */
#define SMARTCTL_ASLEEP		(SMARTCTL_OPEN | SMARTCTL_FAILING | \
				 SMARTCTL_PAST)

enum smart_protocol {
	SMART_UNKNOWN,
	SMART_ATA,
	SMART_NVME,
	SMART_SCSI,
};

#define SMART_MAX_ATTRS		40

struct smart_attr {
	uint8_t id;
	uint8_t value, worst, thresh;	/* normalised */
	bool prefail;			/* the drive calls it a failure sign */
	bool failing;			/* at its threshold now */
	uint64_t raw;			/* unpacked */
};

#define SMART_NONE	INT64_MIN	/* "the drive did not say" */

struct smart_sample {
	int64_t time;			/* seconds since the epoch */
	int exit_status;
	enum smart_protocol protocol;
	char model[64], serial[64], firmware[32];
	uint64_t capacity;		/* bytes, 0 unknown */
	int64_t rotation;		/* rpm, 0 solid state, SMART_NONE */

	bool health;			/* there is health data below */
	int8_t passed;			/* 1, 0, -1: no status */
	int64_t temperature, trip;	/* Celsius, SMART_NONE */
	int64_t power_on;		/* hours, SMART_NONE */
	int64_t power_cycles;		/* SMART_NONE */
	int64_t used;			/* percent of endurance, SMART_NONE; may
					 * be above 100 */
	/* ATA */
	unsigned int nr_attrs;
	struct smart_attr attr[SMART_MAX_ATTRS];
	/* NVMe */
	uint64_t warning;		/* critical_warning */
	int64_t spare, spare_threshold;	/* percent, SMART_NONE */
	uint64_t media_errors, error_entries, unsafe_shutdowns;
	uint64_t written;		/* units of 512,000 bytes */
	uint64_t warning_minutes, critical_minutes;	/* too hot */
	/* SCSI */
	int64_t grown_defects;		/* SMART_NONE */
	int64_t uncorrected_read, uncorrected_write, uncorrected_verify;
	int64_t pending_defects;	/* can't be read, not reassigned yet */
	bool has_links;			/* there is a log of its SAS phys */
	uint64_t link_errors;		/* sum of all phys' counters, since they
					 * have power */
};

/*
 * 0, also when there is nothing in it but an identity or an error (then
 * !out->health), or -EBADMSG if it is not the output of smartctl at all.
 */
int smart_parse(const char *json, size_t len, int64_t time,
		struct smart_sample *out, struct ads_err *err);

/*
 * All numbers, words and switches of @json that smart_parse() makes nothing of, by
 * their path ("ata_sct_status.device_state": "0"), so that what is not understood
 * today is there when it is; not the long lists of logs. A JSON object for free(),
 * or NULL if there is nothing; never more than SMART_MORE_MAX bytes.
 */
char *smart_unknown(const char *json, size_t len);
#define SMART_MORE_MAX	8192

/*
 * The raw value of an attribute for what it counts. What all vendors pack alike is
 * unpacked by ads_smart_unpack(); Seagate has errors above operations in the rates
 * 1, 7 and 195, and SandForce's SSDs the same in 1 and 195.
 */
uint64_t smart_vendor_raw(const char *model, uint8_t id, uint64_t raw);

/* NULL if the drive has no such attribute. */
const struct smart_attr *smart_attr(const struct smart_sample *s, uint8_t id);

/* What the bits of an exit status say, for people. */
char *smart_exit_text(int status, char *buf, size_t size);

#endif
