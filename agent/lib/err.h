/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sentence that goes with an errno.
 *
 * Functions of the library return 0 (or a count) or -errno and print nothing.
 * Those that can say more than strerror() take a struct ads_err, which may be
 * NULL; on failure it holds one sentence that names the object first and has
 * no full stop and no newline. On success its text is left as it was.
 */
#ifndef ADS_ERR_H
#define ADS_ERR_H

#include <stdarg.h>

struct ads_err {
	char text[512];
};

/* Sets the sentence and returns @code, so that "return ads_err(...)" works. */
int ads_err(struct ads_err *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Puts "<prefix>: " before the sentence that is there. */
void ads_err_prefix(struct ads_err *err, const char *prefix);

/* The sentence, or strerror(-code) if there is none. Never NULL. */
const char *ads_err_text(const struct ads_err *err, int code);

#endif
