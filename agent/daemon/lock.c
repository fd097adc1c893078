// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/lock.h"

#define TASK_EXITING	0x4	/* PF_EXITING, in the flags of /proc/PID/stat */

static void make_directory(const char *socket)
{
	char *path = strdup(socket);

	/* systemd has made it, others have not */
	if (path)
		mkdir(dirname(path), 0755);
	free(path);
}

/* Has the process been killed, and only not ended? */
static bool is_dying(long pid)
{
	char path[64], line[1024], *rest;
	unsigned long flags;
	char state;
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
	f = fopen(path, "re");
	if (!f)
		return false;
	n = fread(line, 1, sizeof(line) - 1, f);
	fclose(f);
	line[n] = 0;
	/* behind the name, which may hold anything: state ... flags */
	rest = strrchr(line, ')');
	if (!rest || sscanf(rest + 1, " %c %*d %*d %*d %*d %*d %lu", &state,
			    &flags) != 2)
		return false;
	return state == 'Z' || state == 'X' || (flags & TASK_EXITING);
}

static long holder(int fd)
{
	char text[32] = "";

	if (pread(fd, text, sizeof(text) - 1, 0) <= 0)
		return 0;
	return strtol(text, NULL, 10);
}

static void write_pid(int fd)
{
	char text[32];
	int n = snprintf(text, sizeof(text), "%ld\n", (long)getpid());

	if (ftruncate(fd, 0) || pwrite(fd, text, n, 0) != n)
		return;		/* only for people and is_dying() */
}

int lock_take(const char *socket, struct ads_err *err)
{
	char path[256];
	long pid;
	int fd;

	make_directory(socket);
	snprintf(path, sizeof(path), "%s.lock", socket);
	for (int i = 0; i < 10; i++) {
		struct stat mine, there;

		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
		if (fd < 0)
			return ads_err(err, -errno, "%s: %s", path,
				       strerror(errno));
		if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
			/* it may have been replaced under us */
			if (fstat(fd, &mine) == 0 && stat(path, &there) == 0 &&
			    mine.st_ino == there.st_ino) {
				write_pid(fd);
				return fd;
			}
			close(fd);
			continue;
		}
		pid = holder(fd);
		close(fd);
		if (!pid || !is_dying(pid))
			return ads_err(err, -EADDRINUSE,
				       "%s: another adshardd runs (process %ld)",
				       path, pid);
		unlink(path);
	}
	return ads_err(err, -EADDRINUSE, "%s: can't be locked", path);
}
