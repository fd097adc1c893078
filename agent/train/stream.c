// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <lzma.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "train/stream.h"

#define IN_SIZE		65536
#define OUT_SIZE	(STREAM_LINE_MAX + 65536)
#define XZ_MEMORY	(256 << 20)	/* more than any preset wants */

enum kind { PLAIN, GZ, XZ };

struct stream {
	char name[256];
	int fd;				/* -1: memory */
	const uint8_t *memory;
	size_t memory_left;

	enum kind kind;
	z_stream gz;
	lzma_stream xz;
	bool in_member;			/* amid compressed data */
	bool in_end, out_end;

	uint8_t in[IN_SIZE];
	size_t in_at, in_len;
	char out[OUT_SIZE + 1];
	size_t out_at, out_len;
	unsigned long number;
	bool skipping;			/* the rest of a line too long */
};

const char *stream_name(const struct stream *s)
{
	return s->name;
}

unsigned long stream_number(const struct stream *s)
{
	return s->number;
}

static int fill(struct stream *s, struct ads_err *err)
{
	ssize_t n;

	if (s->in_at < s->in_len || s->in_end)
		return 0;
	if (s->fd < 0) {
		n = s->memory_left < IN_SIZE ? s->memory_left : IN_SIZE;
		memcpy(s->in, s->memory, n);
		s->memory += n;
		s->memory_left -= n;
	} else {
		do
			n = read(s->fd, s->in, IN_SIZE);
		while (n < 0 && errno == EINTR);
		if (n < 0)
			return ads_err(err, -errno, "%s: %s", s->name,
				       strerror(errno));
	}
	s->in_at = 0;
	s->in_len = n;
	s->in_end = n == 0;
	return 0;
}

static int damaged(struct stream *s, const char *what, struct ads_err *err)
{
	return ads_err(err, -EBADMSG, "%s: is damaged after line %lu: %s",
		       s->name, s->number, what);
}

static int inflate_some(struct stream *s, size_t *n, struct ads_err *err)
{
	size_t room = *n;
	int r;

	if (!s->in_member) {
		/* several members one after the other are one file */
		if (inflateReset(&s->gz) != Z_OK)
			return damaged(s, "zlib", err);
		s->in_member = true;
	}
	s->gz.next_in = s->in + s->in_at;
	s->gz.avail_in = s->in_len - s->in_at;
	s->gz.next_out = (uint8_t *)s->out + s->out_len;
	s->gz.avail_out = room;
	r = inflate(&s->gz, Z_NO_FLUSH);
	s->in_at = s->in_len - s->gz.avail_in;
	*n = room - s->gz.avail_out;
	if (r == Z_STREAM_END)
		s->in_member = false;
	else if (r != Z_OK && !(r == Z_BUF_ERROR && !s->in_end))
		return damaged(s, s->in_end ? "it ends too early" :
			       s->gz.msg ? s->gz.msg : "not gzip", err);
	return 0;
}

static int unxz_some(struct stream *s, size_t *n, struct ads_err *err)
{
	size_t room = *n;
	lzma_ret r;

	s->xz.next_in = s->in + s->in_at;
	s->xz.avail_in = s->in_len - s->in_at;
	s->xz.next_out = (uint8_t *)s->out + s->out_len;
	s->xz.avail_out = room;
	r = lzma_code(&s->xz, s->in_end ? LZMA_FINISH : LZMA_RUN);
	s->in_at = s->in_len - s->xz.avail_in;
	*n = room - s->xz.avail_out;
	if (r == LZMA_STREAM_END)
		s->out_end = true;
	else if (r != LZMA_OK && !(r == LZMA_BUF_ERROR && !s->in_end))
		return damaged(s, s->in_end ? "it ends too early" : "not xz",
			       err);
	return 0;
}

/* Puts more behind out[out_len]; none means the end. */
static int more(struct stream *s, struct ads_err *err)
{
	memmove(s->out, s->out + s->out_at, s->out_len - s->out_at);
	s->out_len -= s->out_at;
	s->out_at = 0;
	while (!s->out_end) {
		size_t n = OUT_SIZE - s->out_len;
		int r = fill(s, err);

		if (r)
			return r;
		if (s->in_end && s->kind != XZ && !s->in_member) {
			s->out_end = true;
			break;
		}
		if (s->kind == GZ) {
			r = inflate_some(s, &n, err);
		} else if (s->kind == XZ) {
			r = unxz_some(s, &n, err);
		} else {
			if (n > s->in_len - s->in_at)
				n = s->in_len - s->in_at;
			memcpy(s->out + s->out_len, s->in + s->in_at, n);
			s->in_at += n;
		}
		s->out_len += n;
		if (r || n)
			return r;
	}
	return 0;
}

static int begin(struct stream *s, struct ads_err *err)
{
	static const uint8_t xz[] = { 0xfd, '7', 'z', 'X', 'Z', 0 };
	int r = fill(s, err);

	if (r)
		return r;
	if (s->in_len >= 2 && s->in[0] == 0x1f && s->in[1] == 0x8b) {
		s->kind = GZ;
		s->in_member = true;
		if (inflateInit2(&s->gz, 16 + MAX_WBITS) != Z_OK)
			return ads_err(err, -ENOMEM, "%s: no memory", s->name);
	} else if (s->in_len >= sizeof(xz) && !memcmp(s->in, xz, sizeof(xz))) {
		s->kind = XZ;
		if (lzma_stream_decoder(&s->xz, XZ_MEMORY, LZMA_CONCATENATED) !=
		    LZMA_OK)
			return ads_err(err, -ENOMEM, "%s: no memory", s->name);
	}
	return 0;
}

static int open_any(struct stream *s, const char *name, struct stream **out,
		    struct ads_err *err)
{
	int r;

	snprintf(s->name, sizeof(s->name), "%s", name);
	r = begin(s, err);
	if (r)
		stream_close(s);
	else
		*out = s;
	return r;
}

int stream_open(const char *path, struct stream **out, struct ads_err *err)
{
	struct stream *s = calloc(1, sizeof(*s));

	if (!s)
		return ads_err(err, -ENOMEM, "%s: no memory", path);
	s->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (s->fd < 0) {
		int r = -errno;

		free(s);
		return ads_err(err, r, "%s: %s", path, strerror(-r));
	}
	return open_any(s, path, out, err);
}

int stream_open_memory(const void *data, size_t size, const char *name,
		       struct stream **out, struct ads_err *err)
{
	struct stream *s = calloc(1, sizeof(*s));

	if (!s)
		return ads_err(err, -ENOMEM, "%s: no memory", name);
	s->fd = -1;
	s->memory = data;
	s->memory_left = size;
	return open_any(s, name, out, err);
}

void stream_close(struct stream *s)
{
	if (!s)
		return;
	if (s->kind == GZ)
		inflateEnd(&s->gz);
	lzma_end(&s->xz);
	if (s->fd >= 0)
		close(s->fd);
	free(s);
}

int stream_line(struct stream *s, char **line, size_t *len,
		struct ads_err *err)
{
	size_t looked = 0;

	for (;;) {
		char *start = s->out + s->out_at;
		size_t have = s->out_len - s->out_at;
		char *end = memchr(start + looked, '\n', have - looked);
		bool whole = end || (s->out_end && have);
		int r;

		if (whole) {
			size_t n = end ? (size_t)(end - start) : have;
			bool skipped = s->skipping;

			s->out_at += n + !!end;
			s->number++;
			s->skipping = false;
			if (n && start[n - 1] == '\r')
				n--;
			start[n] = 0;
			if (skipped || n > STREAM_LINE_MAX ||
			    memchr(start, 0, n))
				return -EMSGSIZE;
			*line = start;
			*len = n;
			return 1;
		}
		if (s->out_end) {
			/* all of a line too long was there is to the last */
			if (!s->skipping)
				return 0;
			s->skipping = false;
			s->number++;
			return -EMSGSIZE;
		}
		if (have > STREAM_LINE_MAX) {
			s->skipping = true;
			s->out_at = s->out_len;
			have = 0;
		}
		looked = have;
		r = more(s, err);
		if (r)
			return r;
	}
}
