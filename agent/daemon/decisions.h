/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The record of decisions: each plan of which something was begun, or in which a
 * member was judged anew, with all that it was made of. decisions.log in the state
 * directory, bounded; "adshardctl replay" makes them again.
 */
#ifndef ADSHARDD_DECISIONS_H
#define ADSHARDD_DECISIONS_H

#include "daemon/ctx.h"
#include "daemon/plan/core/core.h"

#define DECISIONS_MAX	(16 << 20)	/* bytes, and as many before */

void decisions_add(struct pool *p, const struct plan_state *s,
		   const struct plan_policy *policy, size_t max,
		   const struct plan_result *r);

#endif
