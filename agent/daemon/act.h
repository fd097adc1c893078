/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Carries out what plan/ decides: keeps the jobs, asks the kernel for lists,
 * sends it commands, takes its answers and events in.
 */
#ifndef ADSHARDD_ACT_H
#define ADSHARDD_ACT_H

#include "daemon/ctx.h"
#include "lib/err.h"

/* Decides and moves, for all pools; after each view, sample, event. */
void act_run(struct adshardd *d);

void act_segments(struct adshardd *d, const struct kernel_segments *s);
void act_answer(struct adshardd *d, const struct kernel_command *c);
void act_event(struct adshardd *d, const struct ads_event *ev);

/* The member leaves the model. */
void act_member_gone(struct member *m);

/*
 * Cancels a running evacuation: its migrations are aborted, the member takes
 * data again and is left alone for plan.hold. -ENOENT, -EALREADY (has ended).
 */
int act_cancel(struct adshardd *d, uint64_t job, struct ads_err *err);

/* What plan_decide() would have to say of each member; free() it. */
struct plan_candidate *act_candidates(struct pool *p, size_t *n);

#endif
