/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lines of a file that is plain, gzip or xz: told by what is in it, not by its
 * name. Nothing is ever held but one line and a buffer.
 */
#ifndef TRAIN_STREAM_H
#define TRAIN_STREAM_H

#include <stddef.h>

#include "lib/err.h"

#define STREAM_LINE_MAX	65536

struct stream;

/* 0 or -errno */
int stream_open(const char *path, struct stream **out, struct ads_err *err);
/* Of bytes in memory, which must stay there. */
int stream_open_memory(const void *data, size_t size, const char *name,
		       struct stream **out, struct ads_err *err);
void stream_close(struct stream *s);	/* NULL is fine */

const char *stream_name(const struct stream *s);
/* Of the line that was given last, from 1. */
unsigned long stream_number(const struct stream *s);

/*
 * The next line, without its end, as a string that may be written to until the
 * next call. 1, 0 at the end, -EMSGSIZE for one that is too long or has a NUL
 * in it (it is passed; go on), or another -errno: it is over, and @err says what
 * is wrong with the file.
 */
int stream_line(struct stream *s, char **line, size_t *len,
		struct ads_err *err);

#endif
