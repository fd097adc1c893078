// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lines of the kernel's log.
 *
 * Input: records, each with a NUL behind it; an empty one is a read that fails.
 *
 * Options: -max_len=400
 * Words: agent/lib/kmsg.c
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"
#include "lib/kmsg.h"

#define FD	12345

static struct fuzz_in records;
static unsigned int reads;

ssize_t __wrap_read(int fd, void *buf, size_t size);
int __wrap_close(int fd);
ssize_t __real_read(int fd, void *buf, size_t size);
int __real_close(int fd);

ssize_t __wrap_read(int fd, void *buf, size_t size)
{
	const uint8_t *end;
	size_t n, take;

	if (fd != FD)
		return __real_read(fd, buf, size);
	if (!records.left) {
		errno = EAGAIN;
		return -1;
	}
	end = memchr(records.at, 0, records.left);
	n = end ? (size_t)(end - records.at) : records.left;
	take = n < size ? n : size;
	if (take)
		memcpy(buf, records.at, take);
	records.at += n + !!end;
	records.left -= n + !!end;
	if (take)
		return take;
	errno = ++reads % 3 ? EPIPE : EINTR;
	return -1;
}

int __wrap_close(int fd)
{
	return fd == FD ? 0 : __real_close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size), line[64], *small = malloc(20);
	struct fuzz_in in = { data, size };
	enum ads_kmsg_kind kind;

	kind = ads_kmsg_parse(text, line, sizeof(line));
	if (kind != ADS_KMSG_OTHER)
		must(strlen(line) < sizeof(line) && !strchr(line, '\n'));
	records = in;
	reads = 0;
	if (ads_kmsg_reason(FD, small, 20))
		must(small[0] && strlen(small) < 20);
	else
		must(!small[0]);
	free(small);
	free(text);
	return 0;
}

void fuzz_seeds(void)
{
	static const char *const lines[] = {
		"3,339,5140900,-;device-mapper: adshard: no such member\n",
		"3,339,5140900,-;device-mapper: table: 253:0: adshard: Invalid name (-EINVAL)\n",
		"6,339,5140900,c;device-mapper: adshard: all is well\n",
		"3,1,1,-;device-mapper: table: 253:0: linear: x\n SUBSYSTEM=block\n",
	};
	char all[1024], name[16];
	size_t len = 0;

	for (unsigned int i = 0; i < 4; i++) {
		snprintf(name, sizeof(name), "%u", i);
		fuzz_seed(name, lines[i], strlen(lines[i]));
		memcpy(all + len, lines[i], strlen(lines[i]) + 1);
		len += strlen(lines[i]) + 1;
		all[len++] = 0;
	}
	fuzz_seed("all", all, len);
}
