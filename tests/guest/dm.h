/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Device-mapper calls for test programs: 0 or an errno. libdevmapper has one
 * state for all threads, so one thread of a process may use these.
 */
#ifndef GUEST_DM_H
#define GUEST_DM_H

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <libdevmapper.h>

static inline void dm_silent(int level, const char *file, int line, int err,
			     const char *fmt, ...)
{
}

/* Refusals are what is looked for, so the library need not print them. */
static inline void dm_quiet(void)
{
	dm_log_with_errno_init(dm_silent);
}

static inline struct dm_task *dm_begin(int type, const char *name)
{
	struct dm_task *t = dm_task_create(type);

	if (t && !dm_task_set_name(t, name)) {
		dm_task_destroy(t);
		t = NULL;
	}
	return t;
}

static inline int dm_end(struct dm_task *t)
{
	int r = 0;

	if (!t)
		return ENOMEM;
	if (!dm_task_run(t)) {
		r = dm_task_get_errno(t);
		if (!r)
			r = EIO;
	}
	dm_task_destroy(t);
	return r;
}

static inline int dm_simple(int type, const char *name)
{
	return dm_end(dm_begin(type, name));
}

/* DM_DEVICE_CREATE: with this table, active at once. DM_DEVICE_RELOAD: loaded only. */
static inline int dm_table(int type, const char *name, uint64_t start,
			   uint64_t sectors, const char *target,
			   const char *params)
{
	struct dm_task *t = dm_begin(type, name);

	if (t && !dm_task_add_target(t, start, sectors, target, params)) {
		dm_task_destroy(t);
		t = NULL;
	}
	return dm_end(t);
}

static inline int dm_suspend(const char *name, bool noflush, bool nolockfs)
{
	struct dm_task *t = dm_begin(DM_DEVICE_SUSPEND, name);

	if (t && noflush)
		dm_task_no_flush(t);
	if (t && nolockfs)
		dm_task_skip_lockfs(t);
	return dm_end(t);
}

static inline int dm_resume(const char *name)
{
	return dm_simple(DM_DEVICE_RESUME, name);
}

static inline int dm_remove(const char *name)
{
	return dm_simple(DM_DEVICE_REMOVE, name);
}

static inline int dm_clear(const char *name)
{
	return dm_simple(DM_DEVICE_CLEAR, name);
}

/* The answer, if there is one and @answer is not NULL, goes there. */
static inline int dm_message(const char *name, const char *text, char *answer,
			     size_t size)
{
	struct dm_task *t = dm_begin(DM_DEVICE_TARGET_MSG, name);
	const char *got;
	int r = 0;

	if (!t || !dm_task_set_sector(t, 0) || !dm_task_set_message(t, text))
		r = ENOMEM;
	else if (!dm_task_run(t))
		r = dm_task_get_errno(t) ? dm_task_get_errno(t) : EIO;
	if (answer) {
		got = r ? NULL : dm_task_get_message_response(t);
		snprintf(answer, size, "%s", got ? got : "");
	}
	if (t)
		dm_task_destroy(t);
	return r;
}

/* DM_DEVICE_STATUS or DM_DEVICE_TABLE: the target's words; also its length. */
static inline int dm_words(int type, const char *name, char *words, size_t size,
			   uint64_t *sectors)
{
	struct dm_task *t = dm_begin(type, name);
	char *target = NULL, *params = NULL;
	uint64_t start, length = 0;
	int r = 0;

	if (!t)
		return ENOMEM;
	if (dm_task_run(t))
		dm_get_next_target(t, NULL, &start, &length, &target, &params);
	else
		r = dm_task_get_errno(t) ? dm_task_get_errno(t) : EIO;
	if (!r && !params)
		r = ENODATA;
	snprintf(words, size, "%s", params ? params : "");
	if (sectors)
		*sectors = length;
	dm_task_destroy(t);
	return r;
}

/* The kernel's own node, which needs no udev. */
static inline int dm_open(const char *name, int flags)
{
	struct dm_task *t = dm_begin(DM_DEVICE_INFO, name);
	struct dm_info info = { 0 };
	char path[64];

	if (t) {
		if (dm_task_run(t))
			dm_task_get_info(t, &info);
		dm_task_destroy(t);
	}
	if (!info.exists) {
		errno = ENXIO;
		return -1;
	}
	snprintf(path, sizeof(path), "/dev/dm-%u", info.minor);
	return open(path, flags);
}

#endif
