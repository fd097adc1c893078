// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What comes back on the agent's socket.
 *
 * Input: a byte of how it comes (in pieces, late, not at all), then the bytes.
 *
 * Options: -max_len=2000
 * Words: agent/lib/agentsock.c agent/daemon/api/answer.c
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fuzz.h"
#include "lib/agentsock.h"

#define FD	12345

static struct fuzz_in in;
static unsigned int piece, stalls, sent;

int __wrap_socket(int domain, int type, int protocol);
int __wrap_connect(int fd, const struct sockaddr *sa, socklen_t len);
ssize_t __wrap_send(int fd, const void *buf, size_t size, int flags);
ssize_t __wrap_recv(int fd, void *buf, size_t size, int flags);
int __wrap_poll(struct pollfd *p, nfds_t n, int timeout);
int __wrap_close(int fd);
int __real_close(int fd);

int __wrap_socket(int domain, int type, int protocol)
{
	return FD;
}

int __wrap_connect(int fd, const struct sockaddr *sa, socklen_t len)
{
	return 0;
}

ssize_t __wrap_send(int fd, const void *buf, size_t size, int flags)
{
	if (!(++sent & 3)) {
		errno = EAGAIN;
		return -1;
	}
	return size > piece ? piece : size;
}

ssize_t __wrap_recv(int fd, void *buf, size_t size, int flags)
{
	size_t n = in.left < size ? in.left : size;

	if (stalls) {
		stalls--;
		errno = EAGAIN;
		return -1;
	}
	return fuzz_take(&in, buf, n < piece ? n : piece);
}

int __wrap_poll(struct pollfd *p, nfds_t n, int timeout)
{
	must(n == 1 && p->fd == FD && timeout > 0);
	return 1;
}

int __wrap_close(int fd)
{
	return fd == FD ? 0 : __real_close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t uuid[16] = { 1 };
	struct ads_agent_status *st = NULL;
	struct ads_err err = { "" };
	uint8_t how;
	int r;

	in = (struct fuzz_in){ data, size };
	how = fuzz_u8(&in);
	piece = how & 15 ? (how & 15) * 16 : UINT32_MAX;
	stalls = how >> 6;
	sent = 0;
	r = ads_agent_status(1000, &st, &err);
	must(!r == !!st && r <= 0 && !!r == !!err.text[0]);
	if (r)
		return 0;
	ads_agent_find(st, uuid, 0);
	for (size_t i = 0; i < st->nr_members; i++) {
		must(st->members[i].score >= -1 && st->members[i].score <= 100);
		for (size_t k = 0; k < st->members[i].nr_reasons; k++)
			must(st->members[i].reasons[k].text);
	}
	ads_agent_status_free(st);
	return 0;
}

void fuzz_seeds(void)
{
	static const char status[] = "\x05"
		"{\"schema\":{\"name\":\"adshardd.status\",\"version\":1},"
		"\"agent_mode\":\"auto\",\"started\":1700000000,\"members\":["
		"{\"pool\":\"01000000-0000-0000-0000-000000000000\","
		"\"member\":0,\"uuid\":\"x\",\"device\":\"/dev/sda\","
		"\"model\":\"M\",\"serial\":null,\"score\":95,\"stale\":false,"
		"\"mode\":\"media\",\"reasons\":[{\"text\":\"t\","
		"\"points\":9.5},{\"points\":1},7],\"smart_age\":77},{}],"
		"\"jobs\":[{\"id\":1,\"kind\":\"evacuate\",\"pool\":\"p\","
		"\"member\":1,\"state\":\"draining\",\"reason\":\"r\","
		"\"segments_total\":10,\"segments_done\":1.0,\"bytes_total\":"
		"18446744073709551615,\"started\":-1}],\"warnings\":[]}\n";
	static const char error[] = "\x40"
		"{\"error\":\"no such command\",\"code\":22}\n";

	fuzz_seed("status", status, sizeof(status) - 1);
	fuzz_seed("error", error, sizeof(error) - 1);
	fuzz_seed("cut", status, 300);
}
