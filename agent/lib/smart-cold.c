// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "lib/smart-cold.h"

/* A state is that a feature is at least so much. */
static const struct {
	const char *feature;
	float least;
	const char *name;
} states[ADS_COLD_STATES] = {
	[ADS_COLD_5] = { "5.value", 1, "reallocated sectors" },
	[ADS_COLD_5_MANY] = { "5.value", 100, "100 reallocated sectors" },
	[ADS_COLD_5_ROSE90] = { "5.grown90", 1, "reallocated in 90 days" },
	[ADS_COLD_5_ROSE30] = { "5.grown30", 1, "reallocated in 30 days" },
	[ADS_COLD_5_ROSE7] = { "5.grown7", 1, "reallocated in 7 days" },
	[ADS_COLD_5_OFTEN] = { "5.rises30", 3,
			       "reallocated on 3 of 30 days" },
	[ADS_COLD_5_GREW] = { "5.grown30", 100,
			      "100 sectors reallocated in 30 days" },
	[ADS_COLD_187] = { "187.value", 1, "uncorrectable errors" },
	[ADS_COLD_187_ROSE90] = { "187.grown90", 1,
				  "uncorrectable errors in 90 days" },
	[ADS_COLD_187_ROSE30] = { "187.grown30", 1,
				  "uncorrectable errors in 30 days" },
	[ADS_COLD_187_ROSE7] = { "187.grown7", 1,
				 "uncorrectable errors in 7 days" },
	[ADS_COLD_187_MANY] = { "187.grown30", 10,
				"10 uncorrectable errors in 30 days" },
	[ADS_COLD_188] = { "188.value", 1, "command timeouts" },
	[ADS_COLD_188_ROSE30] = { "188.grown30", 1,
				  "command timeouts in 30 days" },
	[ADS_COLD_188_ROSE7] = { "188.grown7", 1,
				 "command timeouts in 7 days" },
	[ADS_COLD_197] = { "197.value", 1, "pending sectors" },
	[ADS_COLD_197_MANY] = { "197.value", 16, "16 pending sectors" },
	[ADS_COLD_197_ROSE30] = { "197.grown30", 1,
				  "new pending sectors in 30 days" },
	[ADS_COLD_197_ROSE7] = { "197.grown7", 1,
				 "new pending sectors in 7 days" },
	[ADS_COLD_197_OFTEN] = { "197.rises30", 3,
				 "new pending sectors on 3 of 30 days" },
	[ADS_COLD_197_FELL] = { "197.max30", 1, "pending sectors in 30 days" },
	[ADS_COLD_198_ROSE30] = { "198.grown30", 1,
				  "offline uncorrectable in 30 days" },
	[ADS_COLD_198_ROSE7] = { "198.grown7", 1,
				 "offline uncorrectable in 7 days" },
	[ADS_COLD_10] = { "10.value", 1, "spin retries" },
	[ADS_COLD_TWO] = { "nonzero", 2, "two kinds of errors" },
	[ADS_COLD_THREE] = { "nonzero", 3, "three kinds of errors" },
	[ADS_COLD_TWO_RISE] = { "rising30", 2,
				"two kinds of errors rose in 30 days" },
};

static int index_of(const char *feature)
{
	char name[32];

	for (int i = 0; ads_feat_name(i, name, sizeof(name)); i++)
		if (strcmp(name, feature) == 0)
			return i;
	return -1;
}

uint32_t ads_cold_states(const float feature[ADS_FEAT_NR])
{
	static _Thread_local int at[ADS_COLD_STATES];
	static _Thread_local int known;
	uint32_t bits = 0;

	if (!known) {
		for (int s = 0; s < ADS_COLD_STATES; s++)
			at[s] = index_of(states[s].feature);
		known = 1;
	}
	/* NaN is less than anything */
	for (int s = 0; s < ADS_COLD_STATES; s++)
		if (at[s] >= 0 && feature[at[s]] >= states[s].least)
			bits |= 1U << s;
	return bits;
}

const char *ads_cold_name(enum ads_cold_state s)
{
	return states[s].name;
}
