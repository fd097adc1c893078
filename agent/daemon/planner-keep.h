/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the planner remembers over a restart: bands, until when segments rest or are
 * left to the operator, which legs a risk has added, what moves cost, what members
 * were seen to do. In planner.json in the state directory, for all pools together,
 * written whole a few seconds after something has changed.
 *
 * Nothing is planned before it was read. If it can't be, or makes no sense, it is
 * gone without: bands are made of what the history says of members at risk, and
 * nothing else of it is worth waiting for.
 */
#ifndef ADSHARDD_PLANNER_KEEP_H
#define ADSHARDD_PLANNER_KEEP_H

#include "daemon/ctx.h"

struct planner_keep;

int planner_keep_new(struct adshardd *d);
void planner_keep_free(struct adshardd *d);
/* The file was read, or will not be. */
bool planner_keep_ready(const struct adshardd *d);
/* Now and then: a disk that hangs must not keep members from being emptied. */
void planner_keep_unblock(struct adshardd *d, int64_t now);

/* Of a pool's segments, once they are known; of a member, once its history is. */
void planner_keep_restore(struct pool *p);
void planner_keep_member(struct member *m);

/* If something has changed (pl->dirty), and not all the time. */
void planner_keep_save(struct pool *p, bool at_once);

#endif
