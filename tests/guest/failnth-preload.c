// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * failnth-preload.so: arms fail-nth only while the program is inside the system calls that
 * reach adshard (ioctl for device-mapper, messages for netlink), so that its own start, page
 * faults and output are unharmed.  Preloaded by "failnth exec"; $FAILNTH is the number of the
 * allocation that is to fail, counted over all those calls, and file descriptor $FAILNTH_FD
 * is told how many were left to go at the end.
 *
 * A netlink dump goes on inside recvmsg, hence that one too.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static int nth_fd = -1, report_fd;
static unsigned int to_go;

__attribute__((constructor)) static void start(void)
{
	to_go = atoi(getenv("FAILNTH"));
	report_fd = atoi(getenv("FAILNTH_FD"));
	nth_fd = open("/proc/self/fail-nth", O_RDWR | O_CLOEXEC);
}

__attribute__((destructor)) static void end(void)
{
	dprintf(report_fd, "%u", to_go);
}

static void arm(void)
{
	if (to_go)
		dprintf(nth_fd, "%u", to_go);
}

static void disarm(void)
{
	char text[16] = "";

	if (to_go && pread(nth_fd, text, sizeof(text) - 1, 0) > 0) {
		to_go = strtoul(text, NULL, 10);
		if (pwrite(nth_fd, "0", 1, 0) != 1)
			abort();
	}
}

/* the call that we stand in for; looked up before arming, as that may allocate */
#define CALL(name, type, ...) ({			\
	static type (*real)();				\
	type result;					\
							\
	if (!real)					\
		real = dlsym(RTLD_NEXT, #name);		\
	arm();						\
	result = real(__VA_ARGS__);			\
	disarm();					\
	result;						\
})

int ioctl(int fd, unsigned long request, ...)
{
	va_list list;
	void *argument;

	va_start(list, request);
	argument = va_arg(list, void *);
	va_end(list);
	return CALL(ioctl, int, fd, request, argument);
}

ssize_t sendmsg(int fd, const struct msghdr *msg, int flags)
{
	return CALL(sendmsg, ssize_t, fd, msg, flags);
}

ssize_t sendto(int fd, const void *data, size_t len, int flags, const struct sockaddr *to,
	       socklen_t to_size)
{
	return CALL(sendto, ssize_t, fd, data, len, flags, to, to_size);
}

ssize_t recvmsg(int fd, struct msghdr *msg, int flags)
{
	return CALL(recvmsg, ssize_t, fd, msg, flags);
}
