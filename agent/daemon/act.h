/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is decided of members, and what the operator does to jobs; the order in which
 * each part is asked; the kernel's answers and events, to whom they belong.
 */
#ifndef ADSHARDD_ACT_H
#define ADSHARDD_ACT_H

#include "daemon/ctx.h"
#include "lib/err.h"

/* Decides and moves, for all pools; after each view, sample, event. */
void act_run(struct adshardd *d);

void act_answer(struct adshardd *d, const struct kernel_command *c);
void act_event(struct adshardd *d, const struct ads_event *ev);

/* The member leaves the model. */
void act_member_gone(struct member *m);

/*
 * Cancels a running evacuation: its migrations are aborted, the member takes
 * data again and is left alone for plan.hold. -ENOENT, -EALREADY (has ended).
 */
int act_cancel(struct adshardd *d, uint64_t job, struct ads_err *err);

/* Should a member that is online be emptied, and why is it not? */
struct act_wish {
	bool wanted;
	bool drain;		/* it may, and is going to be */
	bool settling;		/* drives of its model are being asked */
	int score;		/* fresh, -1: no fresh evidence */
	char why[200];		/* why it is not, though wanted */
};
void act_wish(struct member *m, struct act_wish *w);

#endif
