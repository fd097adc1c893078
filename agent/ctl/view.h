/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Everything that status shows of one pool.
 */
#ifndef CTL_VIEW_H
#define CTL_VIEW_H

#include "health.h"

struct view {
	struct ads_pool *pool;
	struct ads_member *m;
	size_t nr_m;
	struct ads_migration *mig;
	size_t nr_mig;
	struct ads_bad *bad;
	size_t nr_bad;
	struct ads_segment *seg;	/* if the health wants them */
	size_t nr_seg;
	const struct ads_agent_status *agent;	/* NULL: doesn't answer */
	struct health health;
};

int view_load(struct ctl *c, struct ads_pool *p,
	      const struct ads_agent_status *agent, struct view *v,
	      struct ads_err *err);
void view_free(struct view *v);

typedef void (*view_job_fn)(const struct view *v,
			    const struct ads_agent_job *j, void *arg);

/* The agent's jobs of the pool, and those begun by hand (id -1). */
void view_each_job(const struct view *v, view_job_fn fn, void *arg);

/*
 * Seconds until all that is to be moved has been, as far as that is known: the rest
 * of the jobs, and what moves for no job. Negative if it can't be told. *@rate: bytes
 * per second.
 */
double view_time_left(const struct view *v, double *rate);

void view_json(struct json_object *o, const struct view *v);

const char *view_meta_name(uint8_t meta);

#endif
