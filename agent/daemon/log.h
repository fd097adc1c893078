/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages. Every line starts with the object that it is about ("/dev/sdb",
 * "pool tank", "config"). Written to stderr in one piece; under systemd with
 * the priority that the journal understands. Never blocks: if the journal does
 * not take a line, the line is lost.
 */
#ifndef ADSHARDD_LOG_H
#define ADSHARDD_LOG_H

#include <stdbool.h>
#include <syslog.h>

/* Which lines are written: LOG_ERR, LOG_WARNING, LOG_NOTICE, LOG_INFO or
 * LOG_DEBUG and what is graver. Kept by libc (setlogmask). */
void log_init(int max_priority);

void log_write(int priority, const char *object, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#define log_error(object, ...)	log_write(LOG_ERR, object, __VA_ARGS__)
#define log_warn(object, ...)	log_write(LOG_WARNING, object, __VA_ARGS__)
#define log_notice(object, ...)	log_write(LOG_NOTICE, object, __VA_ARGS__)
#define log_info(object, ...)	log_write(LOG_INFO, object, __VA_ARGS__)
#define log_debug(object, ...)	log_write(LOG_DEBUG, object, __VA_ARGS__)

#endif
