/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel, as the event loop sees it: requests go in, answers come back by
 * callbacks. Two threads talk netlink, one for what only looks and one for what
 * changes something, because a request can wait for a disk. Events are read in
 * the loop.
 *
 * Survives the module's absence, loading and unloading: a view then has an
 * error, and all is well again with a later one.
 */
#ifndef ADSHARDD_KERNEL_H
#define ADSHARDD_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <systemd/sd-event.h>

#include "lib/nl.h"

/* All pools at one moment. */
struct kernel_view {
	int error;			/* 0 or -errno: nothing below is valid */
	struct ads_err err;
	uint64_t serial;		/* commands up to this one are in it */
	struct ads_pool *pools;
	struct ads_member *members;
	struct ads_migration *migrations;
	struct ads_bad *bad;
	size_t nr_pools, nr_members, nr_migrations, nr_bad;
};

struct kernel_segments {
	int error;
	struct ads_err err;
	uint8_t pool[ADS_UUID_LEN];
	bool has_member;		/* only those with a leg on @member */
	uint32_t member;
	uint64_t serial;
	struct ads_segment *segments;
	size_t nr;
};

enum kernel_verb {
	KERNEL_START,
	KERNEL_ABORT_MEMBER,
	KERNEL_ABORT_SEGMENT,
	KERNEL_SET_MEMBER,
	KERNEL_THROTTLE,
	KERNEL_DROP,
};

struct kernel_command {
	enum kernel_verb verb;
	uint8_t pool[ADS_UUID_LEN];
	struct ads_op op;		/* START; DROP, ABORT: its segment */
	uint32_t member;		/* of ABORT, SET and DROP */
	uint32_t state;			/* SET_MEMBER */
	struct ads_throttle throttle;
	/* the answer */
	int error;
	struct ads_err err;
	uint64_t serial;
};

/* Arguments are valid during the call only. */
struct kernel_calls {
	void (*view)(const struct kernel_view *view, void *arg);
	void (*event)(const struct ads_event *event, void *arg);
	void (*segments)(const struct kernel_segments *segments, void *arg);
	void (*done)(const struct kernel_command *command, void *arg);
};

struct kernel;

int kernel_new(sd_event *event, const struct kernel_calls *calls, void *arg,
	       struct kernel **out);

/* false: a thread is stuck in the kernel, see worker_free(). */
bool kernel_free(struct kernel *k);	/* NULL is fine */

/* Asks for a view. Requests that come while one runs become one more. */
void kernel_refresh(struct kernel *k);

/* -EAGAIN if too many wait already. @member: ADSHARD_NO_MEMBER for all. */
int kernel_ask_segments(struct kernel *k, const uint8_t *pool, uint32_t member);
int kernel_do(struct kernel *k, const struct kernel_command *command);

/*
 * Seconds for which the kernel has not answered a request, 0 if it owes no
 * answer; *what says which.
 */
double kernel_silent(const struct kernel *k, const char **what);

#endif
