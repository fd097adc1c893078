/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Client of the agent's socket: one JSON object to a line, one answer to a
 * request. Works for everyone; verbs that change something need root.
 */
#ifndef ADS_AGENTSOCK_H
#define ADS_AGENTSOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <json-c/json.h>

#include "err.h"

#define ADS_AGENT_SOCKET	"/run/adshard/control"	/* $ADSHARD_SOCKET */

struct ads_agent_reason {
	char *text;
	double points;
};

/* What the agent thinks of one member. Strings may be NULL. */
struct ads_agent_member {
	char *pool;			/* UUID as text */
	int64_t member;			/* index */
	char *uuid, *device, *model, *serial;
	int score;			/* 0..100, -1 unknown */
	bool stale;			/* from old data */
	char *mode;			/* what dominates the score */
	char *blocked;			/* why it isn't evacuated though it should be */
	struct ads_agent_reason *reasons;
	size_t nr_reasons;
	int64_t smart_age;		/* seconds, -1 never */
};

struct ads_agent_job {
	int64_t id;
	char *kind, *pool, *state, *reason, *note;
	int64_t member;			/* -1: of the whole pool */
	uint64_t segments_total, segments_done, bytes_total, bytes_done;
	uint64_t started, finished;	/* seconds since the epoch, 0 */
	bool paused;			/* by the operator */
	/* of a scrub */
	uint64_t position, undecided;
};

struct ads_agent_status {
	struct ads_agent_member *members;
	size_t nr_members;
	struct ads_agent_job *jobs;
	size_t nr_jobs;
};

const char *ads_agent_socket(void);

/*
 * Sends {"cmd":@cmd} (or @request, if not NULL) and waits up to @timeout_ms for
 * the answer, which the caller puts. -ECONNREFUSED, -ENOENT: no agent runs;
 * -ETIMEDOUT; -EPROTO: not the agent's language; -EREMOTEIO: the agent answered
 * with an error, whose sentence is in @err.
 */
int ads_agent_call(const char *cmd, struct json_object *request,
		   int timeout_ms, struct json_object **answer,
		   struct ads_err *err);

/*
 * The same, but an error of the agent's is its own -errno, and one of getting at
 * it is -ECONNREFUSED: two kinds that a program has to tell apart.
 */
int ads_agent_ask(struct json_object *request, int timeout_ms,
		  struct json_object **answer, struct ads_err *err);

/* "status", decoded. Free with ads_agent_status_free(). */
int ads_agent_status(int timeout_ms, struct ads_agent_status **out,
		     struct ads_err *err);
int ads_agent_status_parse(struct json_object *answer,
			   struct ads_agent_status **out, struct ads_err *err);
void ads_agent_status_free(struct ads_agent_status *st);	/* NULL is fine */

/* NULL if the agent doesn't know the member. */
const struct ads_agent_member *
ads_agent_find(const struct ads_agent_status *st, const uint8_t *pool,
	       uint32_t member);

#endif
