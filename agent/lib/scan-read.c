// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The reading is done by a child (of a child, so that nobody has to wait for
 * it): a device that hangs in the kernel hangs its reader, beyond any signal. The
 * parent then leaves that one behind and starts another behind the device.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dev.h"
#include "progress.h"
#include "scan-priv.h"

#define ANSWER_SECONDS	8.0	/* for one device */

/* What the reader says of one device: less than PIPE_BUF, so never in pieces. */
struct answer {
	uint32_t index;
	pid_t reader;
	int rc;
	uint32_t major, minor;
	uint64_t size;
	struct ads_super sb;
	char text[512];
};

_Static_assert(sizeof(struct answer) <= PIPE_BUF, "answers go in one piece");

static void read_one(const char *path, struct answer *a)
{
	struct ads_err err = { "" };
	struct stat st;
	int fd;

	/* O_DIRECT: the page cache may hold what was there before the pool. */
	fd = open(path, O_RDONLY | O_NONBLOCK | O_DIRECT | O_CLOEXEC);
	if (fd < 0 && errno == EINVAL)
		fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0) {
		a->rc = -errno;
		snprintf(a->text, sizeof(a->text), "%s: can't be opened: %s",
			 path, strerror(errno));
		return;
	}
	if (!fstat(fd, &st) && S_ISBLK(st.st_mode)) {
		a->major = major(st.st_rdev);
		a->minor = minor(st.st_rdev);
	}
	a->rc = ads_dev_size(fd, &a->size);
	if (a->rc)
		snprintf(a->text, sizeof(a->text),
			 "%s is neither a block device nor an image", path);
	else
		a->rc = ads_super_read(fd, path, &a->sb, &err);
	if (err.text[0])
		snprintf(a->text, sizeof(a->text), "%s", err.text);
	close(fd);
}

static void reader(const struct ads_scan_dev *dev, size_t nr, size_t first,
		   int fd)
{
	for (size_t i = first; i < nr; i++) {
		struct answer a;

		memset(&a, 0, sizeof(a));
		a.index = i;
		a.reader = getpid();
		/* First who reads what: the parent may have to leave us. */
		a.rc = -EINPROGRESS;
		if (write(fd, &a, sizeof(a)) != sizeof(a))
			break;
		a.rc = 0;
		read_one(dev[i].path, &a);
		if (write(fd, &a, sizeof(a)) != sizeof(a))
			break;
	}
	_exit(0);
}

/* Returns the end to read the answers from. */
static int start_reader(const struct ads_scan_dev *dev, size_t nr,
			size_t first)
{
	int fd[2], status;
	pid_t pid;

	if (pipe2(fd, O_CLOEXEC))
		return -errno;
	pid = fork();
	if (pid < 0) {
		int rc = -errno;

		close(fd[0]);
		close(fd[1]);
		return rc;
	}
	if (!pid) {
		signal(SIGPIPE, SIG_IGN);
		close(fd[0]);
		if (!fork())
			reader(dev, nr, first, fd[1]);
		_exit(0);
	}
	close(fd[1]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return fd[0];
}

static void take(struct ads_scan_dev *d, const struct answer *a)
{
	d->major = a->major;
	d->minor = a->minor;
	d->size = a->size;
	d->sb = a->sb;
	d->rc = a->rc;
	switch (a->rc) {
	case 0:
		d->verdict = ADS_SCAN_MEMBER;
		d->has_super = true;
		break;
	case -ENODATA:
	case -ENOTBLK:
		d->verdict = ADS_SCAN_NONE;
		break;
	case -EINVAL:
	case -EPROTONOSUPPORT:
	case -ENOSPC:
		d->has_super = true;
		/* fallthrough */
	case -EBADMSG:
		d->verdict = ADS_SCAN_DAMAGED;
		break;
	default:
		d->verdict = ADS_SCAN_ERROR;
		break;
	}
	if (a->rc && a->text[0])
		ads_scan_problem(d, "%s", a->text);
	else if (!a->rc && a->sb.copies != 3)
		ads_scan_problem(d,
			    "%s: copy %d of its superblock is damaged; the other one is used",
			    d->path, a->sb.copies == 1 ? 1 : 0);
}

int ads_scan_read(struct ads_scan_dev *dev, size_t nr, struct ads_err *err)
{
	size_t next = 0;

	while (next < nr) {
		int fd = start_reader(dev, nr, next);
		pid_t pid = 0;

		if (fd < 0)
			return ads_err(err, fd, "can't start a reader: %s",
				       strerror(-fd));
		while (next < nr) {
			struct pollfd p = { .fd = fd, .events = POLLIN };
			double end = ads_now() + ANSWER_SECONDS;
			struct answer a;
			ssize_t n = -1;
			int ready;

			do {
				double left = end - ads_now();

				ready = poll(&p, 1, left > 0 ?
					     (int)(left * 1000) + 1 : 0);
			} while (ready < 0 && errno == EINTR);
			if (ready > 0)
				n = read(fd, &a, sizeof(a));
			if (n == sizeof(a) && a.index == next) {
				pid = a.reader;
				if (a.rc != -EINPROGRESS)
					take(&dev[next++], &a);
				continue;
			}
			/* Silence, or the reader has died of this device. */
			dev[next].verdict = ADS_SCAN_ERROR;
			dev[next].rc = -ETIMEDOUT;
			if (asprintf(&dev[next].problem,
				     ready ? "%s: its reader died" :
				     "%s: does not answer", dev[next].path) < 0)
				dev[next].problem = NULL;
			if (!ready && pid > 0)
				kill(pid, SIGKILL);
			next++;
			break;
		}
		close(fd);
	}
	return 0;
}
