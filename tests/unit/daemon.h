/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TAP for the daemon's tests: ok(), is(), skip(), done_testing(). */
#ifndef TEST_DAEMON_H
#define TEST_DAEMON_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static unsigned int tap_count, tap_failed;

__attribute__((format(printf, 2, 3), unused))
static bool ok(bool good, const char *fmt, ...)
{
	va_list ap;

	printf("%sok %u - ", good ? "" : "not ", ++tap_count);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	tap_failed += !good;
	return good;
}

__attribute__((format(printf, 3, 4), unused))
static bool is(long long got, long long wanted, const char *fmt, ...)
{
	char name[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(name, sizeof(name), fmt, ap);
	va_end(ap);
	if (ok(got == wanted, "%s", name))
		return true;
	printf("# got %lld, wanted %lld\n", got, wanted);
	return false;
}

__attribute__((unused))
static bool has(const char *text, const char *part, const char *name)
{
	if (ok(text && strstr(text, part), "%s", name))
		return true;
	printf("# got: %s\n# wanted in it: %s\n", text, part);
	return false;
}

__attribute__((unused))
static void skip(const char *name, const char *why)
{
	printf("ok %u - %s # SKIP %s\n", ++tap_count, name, why);
}

__attribute__((unused))
static int done_testing(void)
{
	printf("1..%u\n", tap_count);
	return tap_failed != 0;
}

#endif
