// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>

#include "err.h"

int ads_err(struct ads_err *err, int code, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return code;
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	return code;
}

void ads_err_prefix(struct ads_err *err, const char *prefix)
{
	char old[sizeof(err->text)];

	if (!err)
		return;
	memcpy(old, err->text, sizeof(old));
	snprintf(err->text, sizeof(err->text), "%s: %.*s", prefix,
		 (int)sizeof(old) - 1, old);
}

const char *ads_err_text(const struct ads_err *err, int code)
{
	if (err && err->text[0])
		return err->text;
	return strerror(code < 0 ? -code : code);
}
