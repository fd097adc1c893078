// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * faultwindow: for some seconds, a part of what the kernel is asked for fails.
 *
 *	faultwindow KIND PERCENT SECONDS [NAME...]
 *
 * KIND: failslab, fail_page_alloc, fail_make_request. With NAMEs, only in tasks (threads and
 * kernel threads) whose names begin with one; new ones count too if they are children of such.
 * Without, everywhere. Prints how many failures there were; status 77 if the kernel has no such
 * thing.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MANY	100000000

static char folder[256];

/* Again, if that fails, too: that is what this program is about. */
static void put(const char *dir, const char *file, const char *value)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	for (int i = 0; i < 1000; i++) {
		int fd = open(path, O_WRONLY);
		bool good = fd >= 0 && write(fd, value, strlen(value)) > 0;

		if (fd >= 0)
			close(fd);
		if (good || (fd < 0 && errno == ENOENT))
			return;
		usleep(1000);
	}
}

static long get(const char *file)
{
	char path[512], text[64] = "";
	int fd;

	snprintf(path, sizeof(path), "%s/%s", folder, file);
	fd = open(path, O_RDONLY);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		return -1;
	close(fd);
	return atol(text);
}

static bool named(const char *dir, char **names)
{
	char path[512], comm[64] = "";
	int fd;

	snprintf(path, sizeof(path), "%s/comm", dir);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return false;
	if (read(fd, comm, sizeof(comm) - 1) < 0)
		comm[0] = 0;
	close(fd);
	for (; *names; names++)
		if (!strncmp(comm, *names, strlen(*names)))
			return true;
	return false;
}

static void mark_threads(const char *dir, const char *value)
{
	char path[512], task[1024];
	struct dirent *e;
	DIR *d;

	snprintf(path, sizeof(path), "%s/task", dir);
	d = opendir(path);
	while (d && (e = readdir(d)))
		if (e->d_name[0] != '.') {
			snprintf(task, sizeof(task), "%s/%s", path, e->d_name);
			put(task, "make-it-fail", value);
		}
	if (d)
		closedir(d);
}

static void mark(char **names, const char *value)
{
	char path[300];
	struct dirent *e;
	DIR *d = opendir("/proc");

	while (d && (e = readdir(d))) {
		snprintf(path, sizeof(path), "/proc/%s", e->d_name);
		if (e->d_name[0] >= '0' && e->d_name[0] <= '9' && named(path, names))
			mark_threads(path, value);
	}
	if (d)
		closedir(d);
}

int main(int argc, char **argv)
{
	char text[32];
	long left;

	if (argc < 4) {
		fprintf(stderr, "usage: faultwindow KIND PERCENT SECONDS [NAME...]\n");
		return 2;
	}
	snprintf(folder, sizeof(folder), "/sys/kernel/debug/%s", argv[1]);
	if (access(folder, F_OK))
		return 77;
	put(folder, "task-filter", argc > 4 ? "Y" : "N");
	put(folder, "ignore-gfp-wait", "N");
	/* of fail_page_alloc: single pages fail, too, which is most of what is asked for */
	put(folder, "min-order", "0");
	put(folder, "verbose", "0");
	snprintf(text, sizeof(text), "%d", MANY);
	put(folder, "times", text);
	mark(argv + 4, "1");
	put(folder, "probability", argv[2]);
	sleep(atoi(argv[3]));
	put(folder, "probability", "0");
	mark(argv + 4, "0");
	left = get("times");
	printf("faultwindow.%s %ld\n", argv[1], left < 0 ? -1 : MANY - left);
	return left < 0 || left == MANY;
}
