/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * States of a drive that say something before there is a model of its fleet:
 * "pending sectors rose in the last 7 days". Made of its features.
 */
#ifndef ADS_SMART_COLD_H
#define ADS_SMART_COLD_H

#include <stdint.h>

#include "lib/smart-feat.h"

enum ads_cold_state {
	ADS_COLD_5, ADS_COLD_5_MANY, ADS_COLD_5_ROSE90, ADS_COLD_5_ROSE30,
	ADS_COLD_5_ROSE7, ADS_COLD_5_OFTEN, ADS_COLD_5_GREW,
	ADS_COLD_187, ADS_COLD_187_ROSE90, ADS_COLD_187_ROSE30,
	ADS_COLD_187_ROSE7, ADS_COLD_187_MANY,
	ADS_COLD_188, ADS_COLD_188_ROSE30, ADS_COLD_188_ROSE7,
	ADS_COLD_197, ADS_COLD_197_MANY, ADS_COLD_197_ROSE30,
	ADS_COLD_197_ROSE7, ADS_COLD_197_OFTEN, ADS_COLD_197_FELL,
	ADS_COLD_198_ROSE30, ADS_COLD_198_ROSE7,
	ADS_COLD_10, ADS_COLD_TWO, ADS_COLD_THREE, ADS_COLD_TWO_RISE,
	ADS_COLD_STATES
};

/* A bit for each state. */
uint32_t ads_cold_states(const float feature[ADS_FEAT_NR]);

const char *ads_cold_name(enum ads_cold_state s);

#endif
