/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Patrol reads: every member's data area is read from end to end, slowly and at
 * idle priority, so that a sector that can't be read is known before it is
 * needed.
 *
 * One io_uring for all, at most one request in flight for a member: a disk that
 * doesn't answer stops its own patrol and no other, and the event loop never.
 * Opening and closing go through the ring as well, for they can hang too.
 */
#ifndef ADSHARDD_PATROL_H
#define ADSHARDD_PATROL_H

#include <stdbool.h>
#include <stdint.h>

#include <systemd/sd-event.h>

#include "daemon/config.h"

struct patrol;		/* the ring */
struct patroller;	/* one member's round */

struct patrol_state {
	uint64_t position;	/* bytes from the start of the device */
	uint64_t bytes;		/* read in this round */
	uint64_t rounds;	/* finished */
	uint64_t errors;	/* reads that failed, since the start */
	uint64_t error_at;	/* where the last one was */
	int error;		/* what it was, positive errno */
	int64_t hung;		/* since when a request is out too long, 0 */
	bool stopped;		/* can't be opened, or the ring is gone */
};

/* -ENOSYS, -EPERM: no io_uring here; the daemon goes on without patrol. */
int patrol_new(sd_event *event, struct patrol **out);
void patrol_free(struct patrol *p);	/* NULL is fine */

/*
 * Starts reading @path (kept) between @start and @end, going on at @position.
 * @config: whatever it points to is asked anew for every read.
 */
int patroller_new(struct patrol *p, const char *path, uint64_t start,
		  uint64_t end, uint64_t position,
		  const struct config *const *config, struct patroller **out);

/* Gives it up; a request that is out may stay so for ever. NULL is fine. */
void patroller_free(struct patroller *r);

/* The member is busy with other things (0..1). To be called now and then: looks
 * whether a request is out too long. */
void patroller_load(struct patroller *r, double load);

const struct patrol_state *patroller_state(const struct patroller *r);

#endif
