/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rules that people use today, to be measured on the same rows.
 */
#ifndef TRAIN_RULES_H
#define TRAIN_RULES_H

#include <stdbool.h>

#include "lib/smart-feat.h"

enum rule {
	RULE_ANY_OF_FIVE,	/* of 5, 187, 188, 197, 198 above zero */
	RULE_ANY_OF_FOUR,	/* without 188 */
	RULE_TWO_OF_FIVE,
	RULE_THREE_OF_FIVE,
	RULE_SCRUTINY,		/* in a range of values of which 10 % fail a year */
	RULES
};
extern const char *const rule_names[RULES];

/* A bit for each rule that fires. Unknown values are zero. */
unsigned int rules_fire(const double value[ADS_FEAT_ATTRS]);

#endif
