/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the operator does to a job that runs. Cancelling it is act_cancel().
 */
#ifndef ADSHARDD_JOBCTL_H
#define ADSHARDD_JOBCTL_H

#include "daemon/ctx.h"
#include "lib/err.h"

/*
 * A paused job begins nothing more; what the kernel has of it comes to its end.
 * Kept over a restart. -ENOENT; -EALREADY: it has ended; 0 too if it is so already.
 */
int job_pause(struct adshardd *d, uint64_t job, bool pause,
	      struct ads_err *err);

/*
 * 0..JOB_PRIORITY_MAX, or JOB_NO_PRIORITY: as the score says. Counts for what is
 * begun from now on: the kernel takes the highest of all that waits there.
 */
int job_priority(struct adshardd *d, uint64_t job, int priority,
		 struct ads_err *err);

#endif
