// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * daemonask [-u UID] SOCKET REQUEST: sends one line to the agent, prints the
 * line that comes back. Status 1 without an answer within 5 seconds.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

static int fail(const char *what)
{
	perror(what);
	return 1;
}

int main(int argc, char **argv)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct timeval limit = { .tv_sec = 5 };
	char buf[65536];
	ssize_t n;
	FILE *in;
	int fd;

	if (argc > 3 && strcmp(argv[1], "-u") == 0) {
		if (setuid((uid_t)atoi(argv[2])))
			return fail("setuid");
		argv += 2;
		argc -= 2;
	}
	if (argc != 3) {
		fprintf(stderr, "usage: daemonask [-u UID] SOCKET REQUEST\n");
		return 2;
	}
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", argv[1]);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&addr, sizeof(addr)))
		return fail(argv[1]);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	n = snprintf(buf, sizeof(buf), "%s\n", argv[2]);
	if (write(fd, buf, n) != n)
		return fail("write");
	in = fdopen(fd, "r");
	if (!in || !fgets(buf, sizeof(buf), in))
		return fail("no answer");
	fputs(buf, stdout);
	return 0;
}
