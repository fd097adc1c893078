/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What could not be moved or copied, and what follows from it: later or elsewhere,
 * and when it is given up. The planner is told of it as troubles. Pure.
 *
 * What failed for whatever reason is tried again after plan.backoff, twice that and
 * so on, elsewhere if possible, plan.retries times. What its destination could not
 * take is tried elsewhere at once, at each member at most once.
 */
#ifndef ADSHARDD_RETRY_H
#define ADSHARDD_RETRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/config.h"
#include "daemon/plan/core/state.h"

#define RETRY_BAD	8

struct retry {
	uint32_t segment;
	unsigned int attempts;
	int64_t next;			/* not before */
	uint16_t bad[RETRY_BAD];	/* destinations of the last attempts */
	unsigned int nr_bad;
	uint8_t refused[PLAN_MEMBERS / 8];	/* could not take it: never again */
	unsigned int nr_refused;
	bool given_up;
	char why[128];
};

/* Zeroed is empty. */
struct retries {
	struct retry *retry;		/* by segment */
	size_t nr, cap;
	uint8_t faulty[PLAN_MEMBERS / 8];	/* have refused any */
};

void retries_free(struct retries *r);	/* what is in it */

/* @to may be PLAN_NONE. */
void retries_failed(struct retries *r, uint32_t segment, uint16_t to,
		    const char *why, int64_t now, const struct config *c);
/* The destination could not take it. */
void retries_refused(struct retries *r, uint32_t segment, uint16_t to,
		     const char *why, int64_t now);
/* Nobody's fault (the pool is suspended): later, as if it had not been tried. */
void retries_postpone(struct retries *r, uint32_t segment, int64_t now,
		      const struct config *c);
/* It went well, or is none of ours any more. */
void retries_forget(struct retries *r, uint32_t segment);
/* Nobody is left who has not refused it. false: it is not in here. */
bool retries_give_up(struct retries *r, uint32_t segment);

const struct retry *retries_find(const struct retries *r, uint32_t segment);
size_t retries_given_up(const struct retries *r);
/* "can't be moved: 3, 7 (why the first one)", or "" */
void retries_text(const struct retries *r, char *buf, size_t size);

/* How many retries_troubles() gives at most, and they. */
size_t retries_count(const struct retries *r);
size_t retries_troubles(const struct retries *r, int64_t now,
			struct plan_trouble *out);

static inline bool retries_is_faulty(const struct retries *r, uint16_t member)
{
	return member < PLAN_MEMBERS &&
	       r->faulty[member / 8] & 1U << member % 8;
}

#endif
