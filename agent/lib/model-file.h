/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A trained model of failing disks, as a file that is data and nothing else.
 *
 * The trainer writes it, the agent evaluates it; neither needs the library that
 * grew the trees to read it. All numbers are little endian:
 *
 *	header		struct ads_model_head, with a CRC32C of all behind it
 *	roots		u32 for each tree: its first node
 *	nodes		struct ads_model_node; those of a tree are together, its
 *			root first, children behind their parent
 *	knots		three curves of (margin, logit of a probability)
 *	hazards		struct ads_model_hazard_row, by name
 *	cold		float for each ads_cold_state, and one for all drives
 *
 * A file is believed only as a whole: one wrong byte and it is refused.
 */
#ifndef ADS_MODEL_FILE_H
#define ADS_MODEL_FILE_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/err.h"
#include "lib/smart-cold.h"
#include "lib/smart-feat.h"

#define ADS_MODEL_MAGIC		"ADSMODEL"
#define ADS_MODEL_VERSION	1
#define ADS_MODEL_MAX_SIZE	(16 << 20)
#define ADS_MODEL_MAX_TREES	4096
#define ADS_MODEL_MAX_NODES	500000
#define ADS_MODEL_MAX_KNOTS	64
#define ADS_MODEL_MAX_HAZARDS	10000
#define ADS_MODEL_NAME		64

enum ads_model_horizon {
	ADS_WITHIN_7, ADS_WITHIN_30, ADS_WITHIN_90,
	ADS_HORIZONS
};
extern const int ads_model_days[ADS_HORIZONS];

struct ads_model_node {
	union {
		float threshold;	/* left if the feature is below it */
		float leaf;
	};
	float mean;		/* of the leaves below, as drives were seen there */
	uint32_t left;		/* the right one is behind it; 0: this is a leaf */
	uint16_t feature;
	uint16_t missing_left;
};

struct ads_model_knot {
	float margin, logit;
};

struct ads_model_hazard_row {
	char name[ADS_MODEL_NAME];
	float hazard;		/* log of failures per week that it was seen */
};

struct ads_hazards {
	float fleet;		/* of a drive of a model that nobody knows */
	uint32_t nr;
	struct ads_model_hazard_row *row;	/* sorted by name */
};

struct ads_model {
	uint32_t nr_trees, nr_nodes;
	uint32_t *root;
	struct ads_model_node *node;
	float base;		/* margin before the first tree */
	uint32_t nr_knots[ADS_HORIZONS];
	struct ads_model_knot knot[ADS_HORIZONS][ADS_MODEL_MAX_KNOTS];
	struct ads_hazards hazards;
	float cold[ADS_COLD_STATES + 1];	/* the last is for all drives */
	/* of what it was made, for people */
	int64_t from, until;	/* labels between these times */
	uint64_t drives, failures, rows;
	float monthly;		/* share of the drives that fail in a month */
};

/*
 * Everything is checked. -EBADMSG for what is no model or a damaged one,
 * -EPROTONOSUPPORT for one of another version or of other features, -EFBIG,
 * -ENOMEM, or what reading says; @err names @name.
 */
int ads_model_parse(const void *data, size_t size, const char *name,
		    struct ads_model **out, struct ads_err *err);
int ads_model_read(const char *path, struct ads_model **out,
		   struct ads_err *err);
void ads_model_free(struct ads_model *m);	/* NULL is fine */

/* To a new file beside @path, which then takes its name. */
int ads_model_write(const struct ads_model *m, const char *path,
		    struct ads_err *err);
/* The bytes of it, for free(). */
int ads_model_pack(const struct ads_model *m, void **data, size_t *size,
		   struct ads_err *err);

/*
 * The hazard of a model of drives: of that name, else of the longest name that
 * it begins with ("ST4000DM000" of "ST4000DM000-1F2168"), else of its maker,
 * else of all.
 */
double ads_model_hazard(const struct ads_hazards *h, const char *model);
/* The name under which a maker's hazard is kept. */
char *ads_model_maker(const char *model, char *buf, size_t size);

/* Sum of the trees: log odds, before calibration. */
float ads_model_margin(const struct ads_model *m,
		       const float feature[ADS_FEAT_NR]);
double ads_model_probability(const struct ads_model *m, float margin,
			     enum ads_model_horizon h);
/* One curve by itself, of which the probability is made. */
double ads_model_on_curve(const struct ads_model *m, float margin,
			  enum ads_model_horizon h);
/* P(fails within 30 days) without a history: from its state alone. */
double ads_model_cold(const struct ads_model *m,
		      const float feature[ADS_FEAT_NR]);

/*
 * What each feature adds to the margin on the way down the trees; their sum and
 * *rest are the margin.
 */
void ads_model_explain(const struct ads_model *m,
		       const float feature[ADS_FEAT_NR],
		       double part[ADS_FEAT_NR], double *rest);

#endif
