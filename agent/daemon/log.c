// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/log.h"

void log_init(int max_priority)
{
	struct stat st;

	setlogmask(LOG_UPTO(max_priority));
	/*
	 * A journal that waits for a sick disk must not stop the event loop.
	 * Only for sockets: the flag would be shared with whoever else has the
	 * terminal or file.
	 */
	if (fstat(STDERR_FILENO, &st) == 0 && S_ISSOCK(st.st_mode))
		fcntl(STDERR_FILENO, F_SETFL,
		      fcntl(STDERR_FILENO, F_GETFL) | O_NONBLOCK);
}

void log_write(int priority, const char *object, const char *fmt, ...)
{
	char line[1024];
	size_t len = 0;
	ssize_t r;
	va_list ap;
	int n;

	if (!(setlogmask(0) & LOG_MASK(priority)))
		return;
	if (getenv("JOURNAL_STREAM"))
		len = snprintf(line, sizeof(line), "<%d>", priority);
	n = snprintf(line + len, sizeof(line) - len, "%s: ", object);
	len += (size_t)n < sizeof(line) - len ? (size_t)n : sizeof(line) - len - 1;
	va_start(ap, fmt);
	n = vsnprintf(line + len, sizeof(line) - len, fmt, ap);
	va_end(ap);
	len += (size_t)n < sizeof(line) - len ? (size_t)n : sizeof(line) - len - 1;
	if (len > sizeof(line) - 2)
		len = sizeof(line) - 2;
	line[len++] = '\n';
	r = write(STDERR_FILENO, line, len);
	(void)r;
}
