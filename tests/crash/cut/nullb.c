// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "dm.h"
#include "load.h"
#include "nullb.h"

#define CONFIG		"/sys/kernel/config/nullb"

static bool put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool good = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (!good)
		printf("# %s > %s: %s\n", text, path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return good;
}

__attribute__((format(printf, 3, 4)))
static bool set(unsigned int disk, const char *name, const char *fmt, ...)
{
	char path[128], text[64];
	va_list ap;

	snprintf(path, sizeof(path), CONFIG "/member%u/%s", disk, name);
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return put(path, text);
}

static bool power_on(struct disks *d, unsigned int i, uint64_t *rnd)
{
	char name[16], path[64], table[64];
	uint64_t r = random_step(rnd);
	struct stat st;

	/* A small cache writes something back by itself, a large one nothing. */
	if (!set(i, "cache_size", "%u", r % 3 ? 64 : 1) ||
	    !set(i, "irqmode", "%u", d->slow_ns && r >> 8 & 1 ? 2 : 0) ||
	    !set(i, "completion_nsec", "%u", d->slow_ns) || !set(i, "power", "1"))
		return false;
	snprintf(path, sizeof(path), "/dev/member%u", i);
	if (stat(path, &st)) {
		perror(path);
		return false;
	}
	/* The block layer sends no flushes to a disk that says that it has no cache. It still has. */
	if (d->lie && i == r / 1000 % d->nr) {
		snprintf(path, sizeof(path), "/sys/block/member%u/queue/write_cache", i);
		if (!put(path, "write through"))
			return false;
	}
	snprintf(name, sizeof(name), "cut%u", i);
	snprintf(path, sizeof(path), "/dev/cut%u", i);
	snprintf(table, sizeof(table), "%u:%u 0", major(st.st_rdev), minor(st.st_rdev));
	return !dm_create(name, path, &d->dev[i]) &&
	       !dm_load(name, (uint64_t)d->mib * 2048, "linear", table) && !dm_resume(name);
}

bool disks_make(struct disks *d, uint64_t *rnd)
{
	char path[64];

	for (unsigned int i = 0; i < d->nr; i++) {
		snprintf(path, sizeof(path), CONFIG "/member%u", i);
		if (mkdir(path, 0755) || !set(i, "size", "%u", d->mib) ||
		    !set(i, "blocksize", "%u", d->block) || !set(i, "memory_backed", "1") ||
		    !set(i, "discard", "1") || !power_on(d, i, rnd))
			return false;
	}
	return true;
}

void disks_unmake(struct disks *d)
{
	char name[64];

	for (unsigned int i = 0; i < d->nr; i++) {
		snprintf(name, sizeof(name), "cut%u", i);
		dm_remove(name);
		set(i, "power", "0");
		snprintf(name, sizeof(name), CONFIG "/member%u", i);
		if (rmdir(name))
			perror(name);
	}
}

struct freezer {
	pthread_barrier_t *barrier;
	unsigned int disk;
};

static void *freeze(void *arg)
{
	struct freezer *f = arg;
	char name[16];

	snprintf(name, sizeof(name), "cut%u", f->disk);
	pthread_barrier_wait(f->barrier);
	dm_suspend(name);
	return NULL;
}

void disks_freeze(struct disks *d)
{
	struct freezer f[MAX_DISKS];
	pthread_t thread[MAX_DISKS];
	pthread_barrier_t barrier;

	pthread_barrier_init(&barrier, NULL, d->nr);
	for (unsigned int i = 0; i < d->nr; i++) {
		f[i] = (struct freezer){ &barrier, i };
		pthread_create(&thread[i], NULL, freeze, &f[i]);
	}
	for (unsigned int i = 0; i < d->nr; i++)
		pthread_join(thread[i], NULL);
	pthread_barrier_destroy(&barrier);
}

static void write_cache(unsigned int disk)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/dev/member%u", disk);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0 || fsync(fd))
		perror(path);
	if (fd >= 0)
		close(fd);
}

void disks_cut(struct disks *d, enum how_to_cut how, uint64_t *rnd)
{
	unsigned int order[MAX_DISKS];
	char name[16];

	for (unsigned int i = 0; i < d->nr; i++) {
		unsigned int j = random_step(rnd) % (i + 1);

		order[i] = order[j];
		order[j] = i;
	}
	for (unsigned int i = 0; i < d->nr; i++) {
		uint64_t r = random_step(rnd);

		if (how == CUT_AT_ONCE && r % 4 == 0)
			write_cache(order[i]);
		set(order[i], "power", "0");
		if (how == CUT_IN_TURN && i + 1 < d->nr)
			usleep((r >> 8) % 3000);
	}
	/*
	 * What waits in a frozen disk goes to the dead one and fails. Not to an error target: that
	 * takes no flushes, so device-mapper says that they have been done.
	 */
	for (unsigned int i = 0; how == CUT_AT_ONCE && i < d->nr; i++) {
		snprintf(name, sizeof(name), "cut%u", i);
		dm_resume(name);
	}
}

bool disks_power(struct disks *d, uint64_t *rnd)
{
	char name[16];

	for (unsigned int i = 0; i < d->nr; i++) {
		snprintf(name, sizeof(name), "cut%u", i);
		if (dm_remove(name))
			return false;
		disks_fault(d, i, false);
	}
	for (unsigned int i = 0; i < d->nr; i++)
		if (!power_on(d, i, rnd))
			return false;
	return true;
}

void disks_fault(void *arg, unsigned int disk, bool on)
{
	struct disks *d = arg;

	/* In pieces: Linux 6.1 sorts a range of more than 512 sectors wrongly, and then ignores it. */
	for (unsigned int s = 0; s < d->meta_sectors; s += 512)
		set(disk, "badblocks", "%c%u-%u", on ? '+' : '-', s, s + 511);
}
