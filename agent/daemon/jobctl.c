// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>

#include "daemon/act.h"
#include "daemon/history/history.h"
#include "daemon/jobctl.h"
#include "daemon/log.h"
#include "daemon/plan/jobs.h"

static const char *object(struct adshardd *d, const struct job *j)
{
	const struct member *m = model_member_by_uuid(d, j->member_uuid);
	const struct pool *p = model_pool(d, j->pool);

	return m ? m->object : p ? p->object : "job";
}

/* One that has not ended; NULL with the error. */
static struct job *running(struct adshardd *d, uint64_t id, int *r,
			   struct ads_err *err)
{
	struct job *j = jobs_find(d->jobs, id);

	*r = 0;
	if (!j)
		*r = ads_err(err, -ENOENT, "there is no job %llu",
			     (unsigned long long)id);
	else if (j->state != JOB_DRAINING)
		*r = ads_err(err, -EALREADY, "job %llu has ended (%s)",
			     (unsigned long long)id, job_state_name(j));
	return *r ? NULL : j;
}

int job_pause(struct adshardd *d, uint64_t id, bool pause,
	      struct ads_err *err)
{
	struct job *j;
	int r;

	j = running(d, id, &r, err);
	if (!j || j->paused == pause)
		return r;
	j->paused = pause;
	history_job(d->history, j);
	log_notice(object(d, j), "job %llu: %s by the operator",
		   (unsigned long long)id, pause ? "paused" : "resumed");
	act_run(d);
	return 0;
}

int job_priority(struct adshardd *d, uint64_t id, int priority,
		 struct ads_err *err)
{
	struct job *j;
	int r;

	if (priority != JOB_NO_PRIORITY &&
	    (priority < 0 || priority > JOB_PRIORITY_MAX))
		return ads_err(err, -EINVAL, "a priority is 0 to %d",
			       JOB_PRIORITY_MAX);
	j = running(d, id, &r, err);
	if (!j)
		return r;
	j->priority = priority;
	history_job(d->history, j);
	if (priority == JOB_NO_PRIORITY)
		log_notice(object(d, j), "job %llu: its priority follows the score",
			   (unsigned long long)id);
	else
		log_notice(object(d, j), "job %llu: has priority %d by the operator",
			   (unsigned long long)id, priority);
	return 0;
}
