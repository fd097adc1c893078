/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The way of data through the stages: what one gives is handed to the next, in
 * one direction. Everything that happens in the daemon starts here, from a
 * timer, an answer of the kernel or an answer of smartctl.
 */
#ifndef ADSHARDD_CYCLE_H
#define ADSHARDD_CYCLE_H

#include "daemon/ctx.h"

/* Starts polling the kernel. */
int cycle_start(struct adshardd *d);
void cycle_stop(struct adshardd *d);

/* After a reload: what depends on the configuration is set anew. */
void cycle_reconfigure(struct adshardd *d);

/* A SMART sample with health data. */
void cycle_sample(struct member *m, const struct smart_sample *s);
/* smartctl was run or tried, with whatever result. */
void cycle_smart_tried(struct member *m);

/* All members that have a device were asked for SMART data (for --once). */
bool cycle_complete(const struct adshardd *d);

/* Seconds between two lists of all segments. */
double cycle_heat_interval(const struct pool *p);

/* Is the score's SMART evidence too old to act on? */
bool cycle_stale(const struct member *m, int64_t now);

/* The score of fresh evidence, -1: there is none. */
int cycle_fresh_score(const struct member *m, int64_t now, int64_t *evidence);

/* Writes what is kept of a member. */
void cycle_save(struct member *m);

/* The one that is kept by model number and serial, made if need be. */
struct drive *cycle_drive(struct adshardd *d, const char *model,
			  const char *serial, enum smart_protocol protocol);

#endif
