/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a model of failing disks is told of a drive: a row of numbers made of how
 * its SMART counters came to their values.
 *
 * Neither age nor power cycles are among them: they tell the time in a fleet, not
 * the state of a disk, and other sites switch off at night.
 *
 * The one place that knows how: the trainer makes its rows with it and the agent
 * its questions, so that a model is never asked something it was not taught.
 *
 * Pure. Nothing that is later than @now is looked at, whatever the caller's
 * tracks hold: a row made of a whole life is the row that the day itself would
 * have given.
 */
#ifndef ADS_SMART_FEAT_H
#define ADS_SMART_FEAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ads_feat_attr {
	ADS_FEAT_5, ADS_FEAT_10, ADS_FEAT_187, ADS_FEAT_188,
	ADS_FEAT_189, ADS_FEAT_196, ADS_FEAT_197, ADS_FEAT_198,
	ADS_FEAT_ATTRS
};

struct ads_feat_attr_info {
	uint8_t id;		/* of ATA */
	bool critical;		/* its rises are looked at one by one */
	bool level;		/* goes down in good health: pending sectors */
};
extern const struct ads_feat_attr_info ads_feat_attrs[ADS_FEAT_ATTRS];

/* -1: none of them */
int ads_feat_attr_of(unsigned int id);

/*
 * The number in a raw value of 48 bits: some vendors pack several into it. 188
 * is three counters of 16 bits, of which the largest counts; 5 and 196 may have
 * averages above their counter; 190 and 194 extremes above the temperature; 9
 * and 240 minutes above the hours.
 */
uint64_t ads_smart_unpack(unsigned int id, uint64_t raw);

/* Values at the times they were first seen, oldest first. */
struct ads_point {
	int64_t time;		/* seconds since the epoch */
	double value;
};

struct ads_track {
	const struct ads_point *point;
	unsigned int nr;	/* 0: the drive has no such attribute */
};

struct ads_feat_in {
	struct ads_track track[ADS_FEAT_ATTRS];
	double capacity;		/* bytes, NaN unknown */
	double hazard;		/* of its model, see ads_model_hazard() */
};

#define ADS_FEAT_NR	73

/* NaN where nothing is known. */
void ads_feat(const struct ads_feat_in *in, int64_t now,
	      float out[ADS_FEAT_NR]);

/* "197.grown30"; NULL for @i >= ADS_FEAT_NR. */
const char *ads_feat_name(unsigned int i, char *buf, size_t size);

/* "pending sectors (197): 16 more in 30 days", for people. */
char *ads_feat_text(unsigned int i, float value, char *buf, size_t size);

/*
 * Changes with the names, their order and what is behind them: a model fits
 * the features it was made with and no others.
 */
uint32_t ads_feat_schema(void);

#endif
