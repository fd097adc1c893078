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

/* The kernel had it in hand at the last view. */
bool planner_in_view(const struct pool *p, uint32_t segment);

/* Moves of whose end no event told; those of an agent before this one. */
void planner_settle(struct pool *p);
void planner_adopt(struct pool *p);

#endif
