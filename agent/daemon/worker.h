/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A thread that does what may block (netlink requests, the history database),
 * one task after the other, so that the event loop never waits for a disk.
 *
 * A task's run() is called in the thread and may touch nothing but the task and
 * what belongs to the worker; done() is called later in the event loop. The
 * task belongs to the worker from worker_submit() until done() or, once the
 * loop has ended, drop().
 */
#ifndef ADSHARDD_WORKER_H
#define ADSHARDD_WORKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <systemd/sd-event.h>

struct task {
	const char *what;		/* for messages: "dump of members" */
	void (*run)(struct task *t, void *private);
	void (*done)(struct task *t);	/* frees the task */
	void (*drop)(struct task *t);	/* frees it without doing anything */
	struct task *next;		/* the worker's */
};

struct worker;

/* @private is handed to every run(). @max: tasks that may wait. */
int worker_new(sd_event *event, const char *name, unsigned int max,
	       void *private, struct worker **out);

/* -EAGAIN if @max tasks wait already: the caller still owns the task. */
int worker_submit(struct worker *w, struct task *t);

/* Seconds that the running task has taken, 0 if none runs. */
double worker_busy(const struct worker *w, const char **what);
unsigned int worker_waiting(const struct worker *w);

/*
 * Waits up to @timeout_ms for all tasks to run, drops them, ends the thread.
 * false if the thread is stuck: it and the memory it uses stay behind, and the
 * process has to leave by _exit().
 */
bool worker_free(struct worker *w, int timeout_ms);	/* NULL is fine */

#endif
