/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel's log says of disks: links that are reset, commands that time
 * out, media that can't be read. It is read as it is written, from the start of the
 * agent on; who may not read it goes without.
 */
#ifndef ADSHARDD_KERNLOG_H
#define ADSHARDD_KERNLOG_H

#include <stdbool.h>
#include <stddef.h>

#include <systemd/sd-event.h>

enum kernlog_kind {
	KERNLOG_RESET,		/* of a link or controller, or it went down */
	KERNLOG_TIMEOUT,	/* of a command */
	KERNLOG_MEDIUM,		/* could not be read or written: the medium */
	KERNLOG_ERROR,		/* failed otherwise */
	KERNLOG_KINDS
};

struct kernlog_line {
	enum kernlog_kind kind;
	char name[32];		/* "sdb", "nvme0", "ata3" */
};

/* One raw record, "<prio>,<seq>,<usec>,-;text"; false: nothing of disks. */
bool kernlog_parse(const char *record, struct kernlog_line *out);

/* Is it of the disk "sdb" or "nvme0n1" that hangs on port "ata3" (or "")? */
bool kernlog_is_of(const struct kernlog_line *l, const char *disk,
		   const char *port);

struct kernlog;
typedef void (*kernlog_fn)(const struct kernlog_line *l, void *arg);

/* -errno: it can't be read. */
int kernlog_new(sd_event *event, kernlog_fn fn, void *arg,
		struct kernlog **out);
void kernlog_free(struct kernlog *k);	/* NULL is fine */

#endif
