/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The header of a model's file, shared by its reader and writer. */
#ifndef ADS_MODEL_PRIV_H
#define ADS_MODEL_PRIV_H

#include <string.h>

#include "lib/model-file.h"

struct ads_model_head {
	char magic[8];
	uint32_t version;
	uint32_t crc;		/* of everything behind it */
	uint64_t size;		/* of the file */
	uint32_t schema, nr_features, nr_cold;
	uint32_t nr_trees, nr_nodes, nr_knots[ADS_HORIZONS], nr_hazards;
	uint32_t base, fleet, monthly;	/* floats */
	uint64_t from, until, drives, failures, rows;
};

_Static_assert(sizeof(struct ads_model_head) == 112, "no holes in it");

static inline float ads_model_float(uint32_t le)
{
	uint32_t v = le32toh(le);
	float f;

	memcpy(&f, &v, sizeof(f));
	return f;
}

static inline uint32_t ads_model_u32(float f)
{
	uint32_t v;

	memcpy(&v, &f, sizeof(v));
	return htole32(v);
}

#endif
