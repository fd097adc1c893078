// SPDX-License-Identifier: GPL-2.0-or-later
/* The pool under test, and what the kernel and the tools say of it. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools.h"

unsigned int count, failed;
/* in memory: a repair is full of fsyncs */
char dir[64] = "/dev/shm/sim-tools-XXXXXX";
uint8_t uuid[16];
struct sim_dev *dev[NR];
uint8_t *base[NR], *img[NR];	/* the pool as made; as damaged */
uint8_t *snap[SNAPS][NR];
unsigned int nr_snap;
uint64_t map_of[MAX_SEQ];	/* by record */
uint64_t base_seq;
struct sim_segment place[64];	/* in the end */
bool present[NR], lost[NR];
uint64_t size_of[NR];
char out[8 << 20];
char what[128];			/* the case at hand */

bool ok(bool good, const char *name)
{
	printf("%sok %u - %s%s%s\n", good ? "" : "not ", ++count, what,
	       *what ? ": " : "", name);
	if (!good)
		fprintf(stderr, "# %s\n%.2000s\n", sim_said(), out);
	failed += !good;
	return good;
}

/*--- the pool ---------------------------------------------------*/

static uint64_t map_sum(const struct sim_pool *pool)
{
	uint64_t sum = 1;

	for (uint32_t i = 0; i < sim_pool_segments(pool); i++)
		sum = sum * 1099511628211ULL + sim_pool_place(pool, i) * NR +
		      sim_pool_segment(pool, i).member;
	return sum;
}

static void keep(void)
{
	if (nr_snap == SNAPS)
		return;
	for (int i = 0; i < NR; i++) {
		snap[nr_snap][i] = malloc(META);
		memcpy(snap[nr_snap][i], sim_dev_image(dev[i]), META);
	}
	nr_snap++;
}

static void note(struct sim_pool *pool)
{
	if (sim_pool_seq(pool) < MAX_SEQ)
		map_of[sim_pool_seq(pool)] = map_sum(pool);
}

void move_some(struct sim_pool *pool, unsigned int n)
{
	while (n--) {
		sim_pool_move(pool, (uint32_t)(sim_random() %
					       sim_pool_segments(pool)),
			      (uint16_t)(sim_random() % NR));
		note(pool);
	}
}

struct sim_pool *activate(void)
{
	struct sim_pool *pool = sim_pool_new(dev, NR, uuid, 0);

	if (sim_pool_load(pool, NULL)) {
		fprintf(stderr, "%s", sim_said());
		exit(1);
	}
	note(pool);
	return pool;
}

/* Makes the pool, with moves and checkpoints; keeps pictures of its past. */
void make_base(unsigned int moves)
{
	struct sim_format f = { .name = "tank", .segment_shift = 11,
				.chunk_shift = 7 };
	static const char *const name[NR] = { "a", "b", "c", "d" };
	struct sim_pool *pool;

	for (unsigned int s = 0; s < nr_snap; s++)
		for (int i = 0; i < NR; i++)
			free(snap[s][i]);
	nr_snap = 0;
	memset(map_of, 0, sizeof(map_of));
	for (unsigned int i = 0; i < NR; i++) {
		sim_dev_free(dev[i]);
		dev[i] = sim_dev_new(name[i], SECTORS);
	}
	pool = sim_pool_new(dev, NR, NULL, 30 << 11);
	if (sim_pool_load(pool, &f))
		exit(1);
	memcpy(uuid, sim_pool_uuid(pool), 16);
	note(pool);
	for (unsigned int i = 0; i < SNAPS; i++) {
		move_some(pool, moves / SNAPS);
		keep();
		if (i == SNAPS / 2) {
			sim_pool_free(pool);
			pool = activate();
		}
	}
	move_some(pool, 3);
	base_seq = sim_pool_seq(pool);
	for (uint32_t i = 0; i < sim_pool_segments(pool) && i < 64; i++)
		place[i] = sim_pool_segment(pool, i);
	sim_pool_free(pool);
	for (int i = 0; i < NR; i++)
		memcpy(base[i], sim_dev_image(dev[i]), META);
}

void reset(void)
{
	for (int i = 0; i < NR; i++) {
		memcpy(img[i], base[i], META);
		present[i] = true;
		lost[i] = false;
		size_of[i] = SECTORS * 512;
	}
}

/*--- the kernel's word ------------------------------------------*/

/* Loads what is in @img; *map and *seq are those before the activation. */
int kernel(uint64_t *map, uint64_t *seq)
{
	struct sim_dev *d[NR];
	struct sim_pool *pool;
	uint8_t *copy[NR];
	unsigned int n = 0;
	int err;

	for (int i = 0; i < NR; i++) {
		if (!present[i] || lost[i])
			continue;
		copy[n] = calloc(1, size_of[i]);
		memcpy(copy[n], img[i], META);
		d[n] = sim_dev_over("x", copy[n], size_of[i] / 512);
		n++;
	}
	sim_hush();
	err = -ENODEV;
	if (n) {
		pool = sim_pool_new(d, n, uuid, 0);
		err = sim_pool_load(pool, NULL);
		if (!err) {
			*map = map_sum(pool);
			*seq = sim_pool_seq(pool) - 1;
		}
		sim_pool_free(pool);
	}
	while (n--) {
		sim_dev_free(d[n]);
		free(copy[n]);
	}
	return err;
}

/*--- the tool's word --------------------------------------------*/

void path_of(int i, char *path)
{
	sprintf(path, "%s/%d", dir, i);
}

void to_files(void)
{
	char path[128];

	for (int i = 0; i < NR; i++) {
		int fd;

		path_of(i, path);
		unlink(path);
		if (!present[i])
			continue;
		fd = open(path, O_WRONLY | O_CREAT, 0600);
		if (fd < 0 || pwrite(fd, img[i], META, 0) != META ||
		    ftruncate(fd, (off_t)size_of[i]))
			exit(1);
		close(fd);
	}
}

void from_files(void)
{
	char path[128];

	for (int i = 0; i < NR; i++) {
		int fd;

		path_of(i, path);
		fd = open(path, O_RDONLY);
		if (fd < 0)
			continue;
		if (pread(fd, img[i], META, 0) != META)
			exit(1);
		close(fd);
	}
}

/* Runs the tool on all files that are there; its output is in @out. */
int tool(const char *verb, const char *args, bool files)
{
	char cmd[1024], path[128];
	size_t n;
	FILE *p;
	int rc;

	n = (size_t)snprintf(cmd, sizeof(cmd), CTL " %s %s", verb, args);
	for (int i = 0; files && i < NR; i++) {
		path_of(i, path);
		if (!access(path, F_OK))
			n += (size_t)sprintf(cmd + n, " %s", path);
	}
	sprintf(cmd + n, " 2>&1");
	p = popen(cmd, "r");
	if (!p)
		exit(1);
	n = fread(out, 1, sizeof(out) - 1, p);
	out[n] = '\0';
	rc = pclose(p);
	return WIFEXITED(rc) ? WEXITSTATUS(rc) : -1;
}

const char *backup(void)
{
	static char path[128];

	sprintf(path, "%s/bak", dir);
	return path;
}

int repair(const char *more)
{
	char args[256];

	unlink(backup());
	snprintf(args, sizeof(args), "--yes --backup %s %s", backup(), more);
	return tool("repair", args, true);
}
