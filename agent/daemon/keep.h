/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Small files in the state directory: what the operator has set, and the record of
 * decisions. The directory may lie on a disk that hangs, even on a pool's own
 * volume; so a thread reads and writes, and the loop never waits for it.
 */
#ifndef ADSHARDD_KEEP_H
#define ADSHARDD_KEEP_H

#include <stdbool.h>
#include <stddef.h>

#include <systemd/sd-event.h>

#include "lib/err.h"

struct keep;

/*
 * 0 or -errno with a sentence. @text: what was read, "" if there is no such file;
 * NULL of a write. Called in the loop; not called for what is dropped at the end.
 */
typedef void (*keep_fn)(int error, const struct ads_err *err, const char *text,
			void *arg);

int keep_new(sd_event *event, const char *dir, struct keep **out);
/* Waits a little for what is queued. false: the thread is stuck. */
bool keep_free(struct keep *k);		/* NULL is fine */

/* All of these copy their arguments. -EAGAIN: too much waits; @done isn't called. */
int keep_read(struct keep *k, const char *name, keep_fn done, void *arg);

/* The whole file, or what was there before, even after a power cut. */
int keep_write(struct keep *k, const char *name, const char *text,
	       keep_fn done, void *arg);

/*
 * A line at the end. A file that grows beyond @max bytes becomes NAME.1, and a new
 * one is begun: so there are never more than twice as many.
 */
int keep_append(struct keep *k, const char *name, const char *line, size_t max,
		keep_fn done, void *arg);

/* A file that makes no sense goes aside, as NAME.damaged. */
int keep_set_aside(struct keep *k, const char *name);

#endif
