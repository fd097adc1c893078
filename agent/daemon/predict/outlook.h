/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What will be asked of a member, or of a group of segments: in half an hour, in three
 * hours, tomorrow.
 *
 * Takes the steps that were (history/loads.h); gives the middle and the range of
 * what is to come, for the planner and for people. Pure.
 */
#ifndef ADSHARDD_OUTLOOK_H
#define ADSHARDD_OUTLOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/config.h"
#include "daemon/history/loads.h"

enum outlook_of { OUTLOOK_BYTES, OUTLOOK_REQUESTS, OUTLOOK_OF };
enum outlook_ahead { OUTLOOK_NEAR, OUTLOOK_MIDDLE, OUTLOOK_FAR, OUTLOOK_AHEAD };

struct outlook {
	int64_t time;		/* when it was made, 0: there is none yet */
	struct outlook_range {
		bool known;
		long ahead;	/* seconds */
		double low, value, high;	/* per second; nine of ten are
						 * above @low, below @high */
		int best;	/* enum ads_forecaster that counts most */
	} range[OUTLOOK_OF][OUTLOOK_AHEAD];
};

const char *outlook_of_name(enum outlook_of of);

/* Another step is under way than when it was made. */
bool outlook_due(const struct outlook *o, const struct loads *l);

/* The forecast of one of them; a few milliseconds. */
void outlook_make(struct outlook *o, const struct loads *l, enum outlook_of of,
		  enum outlook_ahead ahead, const struct config *c);

#endif
