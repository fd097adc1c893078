/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The agent's jobs: those that run, and those that have ended lately.
 * A list and its bookkeeping; pure. What a job has done is computed from what
 * is left on the member, so that nothing has to be kept for it to be right after
 * a restart.
 */
#ifndef ADSHARDD_JOBS_H
#define ADSHARDD_JOBS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/nl.h"

/* Numbers are kept in the history. */
enum job_kind {
	JOB_EVACUATE	= 0,	/* of a member, all others are of a pool */
	JOB_REBUILD	= 1,
	JOB_PIN		= 10,
	JOB_BALANCE	= 11,
	JOB_TIER	= 12,
	JOB_PLACE	= 13,
	JOB_REPLICATE	= 14,
	JOB_RECOVERED	= 15,
};

/* Each kind has its own words for them: job_state_name(). */
enum job_state {
	JOB_DRAINING,		/* it runs */
	JOB_DRAINED,		/* ended well */
	JOB_FAILED,		/* the member failed before it was empty */
	JOB_CANCELLED,
	JOB_WITH_ERRORS,	/* some segments could not be moved, or not
				 * all of them could be read */
};

#define JOB_PRIORITY_MAX	100
#define JOB_NO_PRIORITY		-1	/* none was given: by the score */

struct job {
	struct job *next;		/* older */
	uint64_t id;
	uint8_t pool[ADS_UUID_LEN];
	enum job_kind kind;
	uint8_t member_uuid[ADS_UUID_LEN];	/* of an evacuation, else zero */
	uint32_t member;		/* index, or ADSHARD_NO_MEMBER */
	enum job_state state;
	bool by_agent;			/* not by the operator */
	char reason[200];		/* why it was started */
	char note[200];			/* why it does not go on, or "" */
	uint64_t segments_total, segments_done;
	uint64_t bytes_total, bytes_done;
	int64_t started, finished;	/* seconds since the epoch, 0 */
	bool paused;			/* by the operator: nothing is begun */
	int priority;			/* 0..JOB_PRIORITY_MAX, higher first */
};

#define JOBS_KEEP	64		/* that have ended */

struct jobs {
	struct job *newest;
	uint64_t next_id;
};

const char *job_state_name(const struct job *j);
const char *job_kind_name(enum job_kind kind);
bool job_kind_known(int64_t kind);

/* Of a job's kind: enum plan_cause; and back, JOB_EVACUATE for all that empty. */
uint8_t job_cause(enum job_kind kind);
enum job_kind job_kind_of(uint8_t cause);

struct jobs *jobs_new(void);
void jobs_free(struct jobs *jobs);	/* NULL is fine */

/* A new job in state draining. NULL: no memory. */
struct job *jobs_add(struct jobs *jobs, const uint8_t *pool,
		     const uint8_t *member_uuid, uint32_t member,
		     const char *reason, bool by_agent, int64_t now);

/* The same of a pool. */
struct job *jobs_add_pool(struct jobs *jobs, enum job_kind kind,
			  const uint8_t *pool, const char *reason,
			  bool by_agent, int64_t now);
/* The one of this kind and pool that has not ended, or NULL. */
struct job *jobs_running_pool(struct jobs *jobs, enum job_kind kind,
			      const uint8_t *pool);

/* One out of history; those that had not ended wait to be adopted. */
void jobs_load(struct jobs *jobs, const struct job *from);

struct job *jobs_find(struct jobs *jobs, uint64_t id);
/* The evacuation of this member that has not ended, or NULL. */
struct job *jobs_running(struct jobs *jobs, const uint8_t *member_uuid);
/* The last one of this member, ended or not, or NULL. */
struct job *jobs_last(struct jobs *jobs, const uint8_t *member_uuid);

/*
 * @left segments of @segment_size bytes are still there, @copied bytes of them
 * have been copied ahead. The total grows if there are more than there were.
 */
void job_progress(struct job *j, uint64_t left, uint64_t segment_size,
		  uint64_t copied);

void job_end(struct jobs *jobs, struct job *j, enum job_state state,
	     int64_t now);

#endif
