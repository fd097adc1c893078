/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a sample to a score: identifies the drive, lets history remember it, has
 * predict/ judge it and keeps whether the member is at risk.
 */
#ifndef ADSHARDD_SCORE_H
#define ADSHARDD_SCORE_H

#include "daemon/ctx.h"
#include "daemon/history/history.h"

/*
 * Judges anew by what is known; also as time goes by without a sample. It counts
 * from score_fleet() on, that knows what is the others'.
 */
void score_member(struct member *m, int64_t now);

/* After members were judged: who has what together? Then who is at risk. */
void score_fleet(struct adshardd *d);

/*
 * The member has risen a moment ago, and not all drives of its model have been
 * asked since: whether it is the drive or all of them is not known yet.
 */
bool score_settling(const struct member *m, int64_t now);

/* Goes on without what history has owed for too long. */
void score_unblock(struct adshardd *d, int64_t now);

/* Answers of history. */
extern const struct history_calls score_history_calls;

#endif
