/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stage "collect": looks at disks.
 *
 * Takes	the members that the kernel reports;
 * gives	SMART samples (cycle_sample()), load, latency, counts of failed
 *		I/O, patrol results, all kept in struct member.
 *
 * Nothing here waits for a disk: SMART is a child process for each member, the
 * patrol is io_uring, the kernel is asked by threads.
 */
#ifndef ADSHARDD_COLLECT_H
#define ADSHARDD_COLLECT_H

#include "daemon/ctx.h"

/* -- SMART ----------------------------------------------------------------- */

/*
 * Asks the member's drive now and then every smart.interval. Members are
 * spread a little in time; one whose smartctl hangs delays no other. A member
 * without a device is left alone.
 */
void smart_start(struct member *m);
void smart_stop(struct member *m);

/* Asks again in a moment, for a second reading of what was remarkable. */
void smart_again(struct member *m);

/* Seconds since the last sample with health data, -1: there is none. */
int64_t smart_age(const struct member *m, int64_t now);

/* Older samples start no evacuation: they are this old or older at @now. */
int64_t smart_oldest(const struct adshardd *d, int64_t now);

/* -- patrol and counters ---------------------------------------------------- */

void patrol_start(struct member *m);	/* also goes on after a device change */
void patrol_stop(struct member *m);

/* Takes the member's counters out of the last view and out of /sys. */
void collect_counters(struct member *m, int64_t now);

/* The minute that is over, if one is: 1 and *row is filled in, else 0. */
int collect_minute(struct member *m, int64_t now, struct load_minute *row);

#endif
