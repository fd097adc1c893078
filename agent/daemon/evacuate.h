/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One draining member: its job, its list of segments, the moves that are out.
 * The kernel's state is the truth; what is missing (after a restart, or because
 * the operator set the member draining) is made from it.
 */
#ifndef ADSHARDD_EVACUATE_H
#define ADSHARDD_EVACUATE_H

#include "daemon/ctx.h"

struct job;

/* Adopts, lists, moves, ends: whatever the member's state asks for. */
void evacuate_run(struct member *m);

/* Of its moves: the operator's, or else by the member's score. */
int evacuate_priority(const struct member *m, const struct job *j);

/* It is being emptied, and there is still something to try. */
bool evacuate_busy(const struct member *m);

/* Moves that were sent to the member and that the last view had not seen. */
uint32_t evacuate_incoming(const struct pool *p, uint32_t member);

/* Slots of other members that may take its segments. */
uint64_t evacuate_room(const struct member *m);

/* All members of a pool, for the placement; free() it. */
struct ads_place_member *evacuate_members(const struct pool *p, size_t *n);

void evacuate_list(struct member *m, const struct kernel_segments *s);
void evacuate_answer(struct member *m, const struct kernel_command *c);
void evacuate_event(struct member *m, const struct ads_event *ev);

#endif
