// SPDX-License-Identifier: GPL-2.0-or-later
#include "train/rules.h"

const char *const rule_names[RULES] = {
	[RULE_ANY_OF_FIVE] = "any_of_five",
	[RULE_ANY_OF_FOUR] = "any_of_four",
	[RULE_TWO_OF_FIVE] = "two_of_five",
	[RULE_THREE_OF_FIVE] = "three_of_five",
	[RULE_SCRUTINY] = "scrutiny_like",
};

/*
 * Ranges of critical attributes in which scrutiny (2023) calls a disk failed;
 * what is above them is only a warning there.
 */
static const struct {
	enum ads_feat_attr attr;
	double least, most;
} ranges[] = {
	{ ADS_FEAT_5, 17, 70000 },
	{ ADS_FEAT_10, 1, 80 },
	{ ADS_FEAT_187, 1, 120 },
	{ ADS_FEAT_188, 101, 1e13 },
	{ ADS_FEAT_196, 12, 17 },
	{ ADS_FEAT_196, 28, 45 },
	{ ADS_FEAT_197, 1, 1600 },
	{ ADS_FEAT_198, 1, 16 },
};

unsigned int rules_fire(const double v[ADS_FEAT_ATTRS])
{
	int four = (v[ADS_FEAT_5] > 0) + (v[ADS_FEAT_187] > 0) +
		   (v[ADS_FEAT_197] > 0) + (v[ADS_FEAT_198] > 0);
	int five = four + (v[ADS_FEAT_188] > 0);
	unsigned int bits = 0;

	bits |= (five > 0) << RULE_ANY_OF_FIVE;
	bits |= (four > 0) << RULE_ANY_OF_FOUR;
	bits |= (five > 1) << RULE_TWO_OF_FIVE;
	bits |= (five > 2) << RULE_THREE_OF_FIVE;
	for (unsigned int i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
		if (v[ranges[i].attr] >= ranges[i].least &&
		    v[ranges[i].attr] <= ranges[i].most)
			bits |= 1U << RULE_SCRUTINY;
	return bits;
}
