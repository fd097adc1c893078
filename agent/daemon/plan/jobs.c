// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/plan/core/state.h"
#include "daemon/plan/jobs.h"

const char *job_state_name(const struct job *j)
{
	static const char *const leave[] = {
		[JOB_DRAINING] = "draining",
		[JOB_DRAINED] = "drained",
		[JOB_FAILED] = "failed",
		[JOB_CANCELLED] = "cancelled",
		[JOB_WITH_ERRORS] = "drained-with-errors",
	}, *const make[] = {
		[JOB_DRAINING] = "rebuilding",
		[JOB_DRAINED] = "rebuilt",
		[JOB_FAILED] = "failed",
		[JOB_CANCELLED] = "cancelled",
		[JOB_WITH_ERRORS] = "rebuilt-with-errors",
	}, *const move[] = {
		[JOB_DRAINING] = "moving",
		[JOB_DRAINED] = "done",
		[JOB_FAILED] = "failed",
		[JOB_CANCELLED] = "cancelled",
		[JOB_WITH_ERRORS] = "done-with-errors",
	};

	return j->kind == JOB_EVACUATE ? leave[j->state] :
	       j->kind == JOB_REBUILD ? make[j->state] : move[j->state];
}

bool job_kind_known(int64_t kind)
{
	return kind == JOB_EVACUATE || kind == JOB_REBUILD ||
	       (kind >= JOB_PIN && kind <= JOB_RECOVERED);
}

uint8_t job_cause(enum job_kind kind)
{
	switch (kind) {
	case JOB_REBUILD:
		return PLAN_BY_REBUILD;
	case JOB_REPLICATE:
		return PLAN_BY_REPLICATE;
	case JOB_RECOVERED:
		return PLAN_BY_RECOVERED;
	case JOB_PIN:
		return PLAN_BY_PIN;
	case JOB_BALANCE:
		return PLAN_BY_BALANCE;
	case JOB_TIER:
		return PLAN_BY_TIER;
	case JOB_PLACE:
		return PLAN_BY_PLACE;
	default:
		return PLAN_BY_EVACUATE;
	}
}

enum job_kind job_kind_of(uint8_t cause)
{
	switch (cause) {
	case PLAN_BY_REBUILD:
		return JOB_REBUILD;
	case PLAN_BY_REPLICATE:
		return JOB_REPLICATE;
	case PLAN_BY_RECOVERED:
		return JOB_RECOVERED;
	case PLAN_BY_PIN:
		return JOB_PIN;
	case PLAN_BY_BALANCE:
		return JOB_BALANCE;
	case PLAN_BY_TIER:
		return JOB_TIER;
	case PLAN_BY_PLACE:
		return JOB_PLACE;
	default:
		return JOB_EVACUATE;
	}
}

const char *job_kind_name(enum job_kind kind)
{
	return plan_cause_name(job_cause(kind));
}

struct jobs *jobs_new(void)
{
	struct jobs *jobs = calloc(1, sizeof(*jobs));

	if (jobs)
		jobs->next_id = 1;
	return jobs;
}

void jobs_free(struct jobs *jobs)
{
	struct job *j, *next;

	if (!jobs)
		return;
	for (j = jobs->newest; j; j = next) {
		next = j->next;
		free(j);
	}
	free(jobs);
}

/* The oldest of those that have ended go. */
static void trim(struct jobs *jobs)
{
	struct job **p = &jobs->newest, *j;
	unsigned int ended = 0;

	while ((j = *p)) {
		if (j->state != JOB_DRAINING && ++ended > JOBS_KEEP) {
			*p = j->next;
			free(j);
		} else {
			p = &j->next;
		}
	}
}

struct job *jobs_add(struct jobs *jobs, const uint8_t *pool,
		     const uint8_t *member_uuid, uint32_t member,
		     const char *reason, bool by_agent, int64_t now)
{
	struct job *j = calloc(1, sizeof(*j));

	if (!j)
		return NULL;
	j->id = jobs->next_id++;
	memcpy(j->pool, pool, ADS_UUID_LEN);
	memcpy(j->member_uuid, member_uuid, ADS_UUID_LEN);
	j->member = member;
	j->by_agent = by_agent;
	j->priority = JOB_NO_PRIORITY;
	j->started = now;
	snprintf(j->reason, sizeof(j->reason), "%s", reason);
	j->next = jobs->newest;
	jobs->newest = j;
	trim(jobs);
	return j;
}

struct job *jobs_add_pool(struct jobs *jobs, enum job_kind kind,
			  const uint8_t *pool, const char *reason,
			  bool by_agent, int64_t now)
{
	static const uint8_t nobody[ADS_UUID_LEN];
	struct job *j = jobs_add(jobs, pool, nobody, ADSHARD_NO_MEMBER, reason,
				 by_agent, now);

	if (j)
		j->kind = kind;
	return j;
}

struct job *jobs_running_pool(struct jobs *jobs, enum job_kind kind,
			      const uint8_t *pool)
{
	struct job *j;

	for (j = jobs->newest; j; j = j->next)
		if (j->state == JOB_DRAINING && j->kind == kind &&
		    memcmp(j->pool, pool, ADS_UUID_LEN) == 0)
			break;
	return j;
}

void jobs_load(struct jobs *jobs, const struct job *from)
{
	struct job **p, *j;

	if (jobs_find(jobs, from->id))
		return;
	j = malloc(sizeof(*j));
	if (!j)
		return;
	*j = *from;
	for (p = &jobs->newest; *p && (*p)->id > j->id; p = &(*p)->next)
		;
	j->next = *p;
	*p = j;
	if (jobs->next_id <= j->id)
		jobs->next_id = j->id + 1;
	trim(jobs);
}

struct job *jobs_find(struct jobs *jobs, uint64_t id)
{
	struct job *j;

	for (j = jobs->newest; j; j = j->next)
		if (j->id == id)
			break;
	return j;
}

struct job *jobs_last(struct jobs *jobs, const uint8_t *member_uuid)
{
	struct job *j;

	for (j = jobs->newest; j; j = j->next)
		if (j->kind == JOB_EVACUATE &&
		    memcmp(j->member_uuid, member_uuid, ADS_UUID_LEN) == 0)
			break;
	return j;
}

struct job *jobs_running(struct jobs *jobs, const uint8_t *member_uuid)
{
	struct job *j;

	for (j = jobs->newest; j; j = j->next)
		if (j->state == JOB_DRAINING && j->kind == JOB_EVACUATE &&
		    memcmp(j->member_uuid, member_uuid, ADS_UUID_LEN) == 0)
			break;
	return j;
}

void job_progress(struct job *j, uint64_t left, uint64_t segment_size,
		  uint64_t copied)
{
	if (left > j->segments_total)
		j->segments_total = left;
	j->segments_done = j->segments_total - left;
	j->bytes_total = j->segments_total * segment_size;
	j->bytes_done = j->segments_done * segment_size + copied;
	if (j->bytes_done > j->bytes_total)
		j->bytes_done = j->bytes_total;
}

void job_end(struct jobs *jobs, struct job *j, enum job_state state,
	     int64_t now)
{
	j->state = state;
	j->finished = now;
	trim(jobs);
}
