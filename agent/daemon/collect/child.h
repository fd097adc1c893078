/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A program run as a child, its output collected.
 *
 * The event loop never waits for it: output comes through a pipe, the end by a
 * pidfd, and one that does not end in time is killed with all it started. A
 * child that sits in the kernel and can't die is left behind: the caller is told
 * at the time limit and the remains are reaped whenever they end.
 */
#ifndef ADSHARDD_CHILD_H
#define ADSHARDD_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <systemd/sd-event.h>

struct child_result {
	int error;		/* 0; -ETIMEDOUT, -EMSGSIZE: killed; -ECANCELED;
				 * -EINTR: died by a signal; or no start */
	int status;		/* exit status if !error */
	const char *output;	/* NUL-terminated, of @len bytes */
	size_t len;
};

/* Called exactly once for each child. */
typedef void (*child_fn)(const struct child_result *result, void *arg);

struct child;

/*
 * Starts @argv[0]. Output beyond @max_output bytes kills it. *out is valid until
 * the process is reaped; child_gone() tells.
 */
int child_start(sd_event *event, char *const argv[], unsigned int timeout,
		size_t max_output, child_fn done, void *arg,
		struct child **out);

/*
 * The process still exists though done() was called: it hangs in the kernel.
 * NULL and a reaped child do not; *c is set to NULL then.
 */
bool child_lingers(struct child **c);

/* The caller is no longer interested: kills it, done() is not called. */
void child_forget(struct child **c);

#endif
