/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The copies of one pool's segments: its job, its list, the operations that are out.
 * The kernel's state is the truth; what is missing is made from it.
 */
#ifndef ADSHARDD_REBUILD_H
#define ADSHARDD_REBUILD_H

#include "daemon/ctx.h"

/* Begins, lists, sends, ends: whatever the pool's state asks for. */
void rebuild_run(struct pool *p);

/* A list of all segments has come, for whatever reason. */
void rebuild_segments(struct pool *p, const struct kernel_segments *s);
void rebuild_command(struct pool *p, const struct kernel_command *c);
void rebuild_told(struct pool *p, const struct ads_event *ev);

/* What its operations have in the kernel's queue. */
unsigned int rebuild_priority(const struct job *j);

/* By the operator: what is queued is aborted; off for plan.hold. */
void rebuild_cancel(struct pool *p);
void rebuild_gone(struct pool *p);

#endif
