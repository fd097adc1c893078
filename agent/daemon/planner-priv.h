/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the planner's files. */
#ifndef ADSHARDD_PLANNER_PRIV_H
#define ADSHARDD_PLANNER_PRIV_H

#include "daemon/planner.h"

#define PLANNER_CLASSES	3	/* of members: nvme, ssd, hdd */

/* planner-load.c; members first, then segments. */
void planner_loads(struct plan_state *s, struct pool *p);
void planner_heat(struct plan_state *s, struct pool *p);

/* Made if need be; NULL: no memory. */
struct planner *planner_of(struct pool *p);

/* What was sent for a segment, or NULL. */
struct planner_sent *planner_find(struct planner *pl, uint32_t segment);

/* It has lost the leg on @from and got one on @to; PLAN_NONE: it has not. */
void planner_changed(struct planner *pl, uint32_t segment, uint16_t from,
		     uint16_t to);

/* The kernel had it in hand at the last view. */
bool planner_in_view(const struct pool *p, uint32_t segment);

/* Begins what may begin of @r: planner-do.c. How much that was. */
size_t planner_do(struct pool *p, const struct planner_state *st,
		  const struct plan_policy *policy, const struct plan_result *r);

/* Moves of whose end no event told; those of an agent before this one. */
void planner_settle(struct pool *p);
void planner_adopt(struct pool *p);

#endif
