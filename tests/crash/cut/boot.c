// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One boot of many, on disks that lose what was not flushed. The oracle is in memory that outlives
 * the guest: a device with shared memory (ivshmem) of the emulated machine.
 *
 *	check	what the last life has left, and prints a sum of it for the next
 *	sum	the same sum
 *	load	the next life; ends with the power
 *	figures	of all lives
 */
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "dm.h"
#include "load.h"
#include "main.h"
#include "volume.h"

#define NAME	"vault"
#define PATH	"/dev/mapper/" NAME

static struct oracle *map_oracle(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	void *p = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof(struct oracle), PROT_READ | PROT_WRITE,
					     MAP_SHARED, fd, 0);

	if (p == MAP_FAILED)
		perror(path);
	if (fd >= 0)
		close(fd);
	return p == MAP_FAILED ? NULL : p;
}

static uint64_t hash_map(const struct volume *v, uint64_t sum)
{
	for (unsigned int i = 0; i < v->segments; i++)
		sum = (sum ^ v->seg[i].leg[0].member ^ (uint64_t)v->seg[i].leg[0].chunk << 32) *
		      0x9e3779b97f4a7c15;
	return sum;
}

static int start(struct oracle *o, const struct options *opt)
{
	int fd = open(PATH, O_RDONLY | O_CLOEXEC);
	uint64_t size;

	if (fd < 0 || ioctl(fd, BLKGETSIZE64, &size) || size / BLOCK > MAX_BLOCKS) {
		perror(PATH);
		return 2;
	}
	close(fd);
	oracle_init(o, opt->seed, (uint32_t)(size / BLOCK));
	return 0;
}

static int check(struct oracle *o, struct volume *v, bool again)
{
	uint32_t wrong;
	uint64_t sum;

	if (!volume_owners(v)) {
		printf("boot.owners_wrong 1\n");
		return 1;
	}
	if (!(again ? volume_sum(PATH, o->nr_blocks, &sum) :
		      volume_check(PATH, o, true, &sum, &wrong))) {
		printf("boot.lost 1\n");
		return 1;
	}
	printf("sum %016llx\n", (unsigned long long)hash_map(v, sum));
	return 0;
}

static int load(struct oracle *o, struct volume *v, const struct options *opt)
{
	struct load load = {
		.oracle = o, .path = PATH, .name = NAME, .seed = opt->seed, .threads = 4,
		.segments = v->segments, .members = opt->members, .move = true,
		.pretend = opt->pretend,
	};
	uint32_t steps[STEPS];

	if (!load_start(&load))
		return 2;
	__atomic_store_n(&o->phase, 1, __ATOMIC_RELEASE);
	printf("loading\n");
	/* The host reads the steps out of the shared memory, and cuts when it sees what it wants. */
	while (!load.wrong && o->nr_ops < MAX_OPS) {
		if (volume_steps(v, steps))
			memcpy((void *)o->steps, steps, sizeof(steps));
		usleep(300);
	}
	load_join(&load);
	printf(load.wrong ? "boot.reads_wrong 1\n" : "# the oracle is full\n");
	return load.wrong;
}

static void figures(const struct oracle *o)
{
	printf("reboots.lives %u\n", o->lives);
	printf("reboots.writes %llu\n", (unsigned long long)o->writes);
	printf("reboots.fua_writes %llu\n", (unsigned long long)o->fuas);
	printf("reboots.zeroes %llu\n", (unsigned long long)o->zeroes);
	printf("reboots.discards %llu\n", (unsigned long long)o->discards);
	printf("reboots.flushes %llu\n", (unsigned long long)o->flushes);
	printf("reboots.failed_changes %llu\n", (unsigned long long)o->errors);
	printf("reboots.blocks_checked %llu\n", (unsigned long long)o->checked);
	printf("reboots.unflushed_lost %llu\n", (unsigned long long)o->lost_blocks);
}

int cut_boot(const struct options *opt, const char *what)
{
	struct oracle *o = opt->memory ? map_oracle(opt->memory) : NULL;
	struct volume v = { 0 };

	if (!o || dm_open() || !volume_open(&v))
		return 2;
	if (!oracle_valid(o) && start(o, opt))
		return 2;
	if (!strcmp(what, "check"))
		return check(o, &v, false);
	if (!strcmp(what, "sum"))
		return check(o, &v, true);
	if (!strcmp(what, "load"))
		return load(o, &v, opt);
	figures(o);
	return 0;
}
