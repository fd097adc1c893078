// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * replay [--control] [--only INDEX:SEED] [--export NAME] LOG DISKS SECTORS TRIALS
 * SEED: builds what a power cut may have left at TRIALS points of a recorded log, has the kernel's own
 * code activate it, and checks what comes out.
 *
 * Points are after each record of metadata has arrived, was answered or flushed,
 * as far as TRIALS goes, and a third of them anywhere. What is not flushed is
 * there or not, whole or torn, at random. Every eighth state gets the thorough
 * checks: its activation cut off, subsets and orders of the members.
 * INDEX:SEED is what a failure prints; --control damages states on purpose, and
 * fails if that isn't noticed. --export NAME: no checks; NAME.states gets what is
 * on the disks, for unpack, and NAME.maps what the kernel's code makes of it here.
 */
#include <err.h>
#include <getopt.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#include <linux/adshard-format.h>

#include "replay.h"

#define THOROUGH	8

static void open_all(struct replay *r, const char *log, unsigned int nr,
		     uint64_t sectors)
{
	static const char *const name[MAX_DISKS] = {
		"m0", "m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8", "m9",
		"m10", "m11", "m12", "m13", "m14", "m15"
	};
	unsigned int i;

	if (!nr || nr > MAX_DISKS)
		errx(2, "1 to %u disks", MAX_DISKS);
	image_open(&r->im, log, nr, sectors);
	for (i = 0; i < nr; i++) {
		r->dev[i] = sim_dev_over(name[i], r->im.disk[i].bytes, sectors);
		sim_dev_set_number(r->dev[i], i);
	}
	sim_record(100000);
}

static void close_all(struct replay *r)
{
	unsigned int i;

	sim_record(0);
	for (i = 0; i < r->im.nr_disks; i++)
		sim_dev_free(r->dev[i]);
	image_close(&r->im);
}

/* Index of the first point, when the volume is in use. */
static uint64_t find_start(struct replay *r)
{
	uint64_t i;

	for (i = 0; i < r->im.nr_entries; i++) {
		const struct log_entry *e = r->im.entry[i];
		const struct adshard_super *sb = (const void *)(e + 1);

		if (e->type != LOG_WRITE)
			continue;
		if (e->disk == 0 && e->sector == 8 && e->sectors == 8 &&
		    !memcmp(sb->magic, ADSHARD_SB_MAGIC, 8)) {
			memcpy(r->uuid, sb->pool_uuid, 16);
			r->data_start = sb->data_start;
		}
		if (e->disk == LOG_ORACLE && e->sector == ACCOUNT_SECTOR &&
		    r->data_start)
			return i + 1;
	}
	errx(1, "the log has no pool in it");
}

/*--- points -----------------------------------------------------*/

static int by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static bool is_record(const struct replay *r, const struct log_entry *e)
{
	return e->type == LOG_WRITE && e->disk != LOG_ORACLE &&
	       e->sector >= ADSHARD_JOURNAL_BLOCK * 8 &&
	       e->sector < (ADSHARD_JOURNAL_BLOCK + ADSHARD_JOURNAL_BLOCKS) * 8;
}

/* After entry @i: it has arrived, was answered, or is flushed. */
static uint64_t moment(const struct replay *r, uint64_t i, uint64_t *rnd)
{
	const struct log_entry *e = r->im.entry[i];
	uint64_t k, which = rnd_below(rnd, 4);

	if (!which)
		return i + 1;
	for (k = i; k < r->im.nr_entries && k < i + 2000; k++) {
		const struct log_entry *n = r->im.entry[k];

		if (which == 1 && n->type == LOG_DONE && n->id == e->id)
			return k + 1;
		if (which > 1 && n->type == LOG_FLUSHED && n->disk == e->disk)
			return k + which - 1;
	}
	return i + 1;
}

static uint64_t *choose(struct replay *r, uint64_t start, unsigned int trials,
			uint64_t *rnd)
{
	uint64_t *points = calloc(trials + 1, sizeof(*points));
	uint64_t i, n = 0, nr_records = 0, budget = trials - trials / 3, done = 0;
	uint64_t span = r->im.nr_entries - start;

	if (!points || !span)
		errx(1, "nothing to choose from");
	for (i = start; i < r->im.nr_entries; i++)
		nr_records += is_record(r, r->im.entry[i]);
	for (i = start; i < r->im.nr_entries; i++) {
		if (!is_record(r, r->im.entry[i]))
			continue;
		/* Evenly: as many of the first so many as of all. */
		done++;
		while (n < budget && n * nr_records < done * budget)
			points[n++] = moment(r, i, rnd);
	}
	printf("crash.records %llu\n", (unsigned long long)nr_records);
	printf("crash.records_covered %llu\n",
	       (unsigned long long)(nr_records < budget ? nr_records : n));
	while (n < trials)
		points[n++] = start + rnd_below(rnd, span);
	qsort(points, n, sizeof(*points), by_number);
	return points;
}

/*--- outcomes ---------------------------------------------------*/

/* What of the pending writes has reached the disks. */
static void make_state(struct replay *r, uint64_t *rnd)
{
	uint64_t kind = rnd_below(rnd, 8), from, lucky;
	unsigned int i;
	uint32_t s;

	from = r->im.nr_pending ? rnd_below(rnd, r->im.nr_pending) : 0;
	lucky = rnd_below(rnd, r->im.nr_disks);
	for (i = 0; i < r->im.nr_pending; i++) {
		const struct write *w = &r->im.pending[i];
		bool bit[65536];

		switch (kind) {
		case 0:				/* nothing */
			continue;
		case 1:				/* all */
			break;
		case 2:				/* what came first */
			if (i >= from)
				continue;
			break;
		case 3:				/* what came last */
			if (i < from)
				continue;
			break;
		case 4:				/* one disk is faster */
			if (w->disk != lucky)
				continue;
			break;
		case 5:				/* any */
			if (rnd_below(rnd, 2))
				continue;
			break;
		default:			/* any, and torn */
			if (!rnd_below(rnd, 3))
				continue;
			if (!rnd_below(rnd, 3))
				break;
			for (s = 0; s < w->sectors; s++)
				bit[s] = rnd_below(rnd, 2);
			image_keep(&r->im, w, bit);
			continue;
		}
		image_keep(&r->im, w, NULL);
	}
}

static bool trial(struct replay *r, uint64_t at, uint64_t seed, bool thorough)
{
	uint64_t rnd = seed;
	bool good;

	image_to(&r->im, at);
	sim_seed(seed);
	make_state(r, &rnd);
	good = check_state(r, rnd, thorough);
	image_undo(&r->im, 0);
	return good;
}

static unsigned long failures(const struct figures *f)
{
	return f->lost + f->future + f->foreign + f->owners + f->unassembled +
	       f->second + f->stray + f->cut + f->subset;
}

static void print(const struct figures *f)
{
	printf("crash.trials %lu\n", f->trials);
	printf("crash.lost_writes %lu\n", f->lost);
	printf("crash.future_writes %lu\n", f->future);
	printf("crash.foreign_data %lu\n", f->foreign);
	printf("crash.double_owners %lu\n", f->owners);
	printf("crash.unassembled %lu\n", f->unassembled);
	printf("crash.changed_by_second_activation %lu\n", f->second);
	printf("crash.changed_by_cut_activation %lu\n", f->cut);
	printf("crash.stray_writes %lu\n", f->stray);
	printf("crash.wrong_subsets %lu\n", f->subset);
	printf("crash.subsets %lu\n", f->subsets);
	printf("crash.subsets_served %lu\n", f->subsets_served);
	printf("crash.activations %lu\n", f->activations);
}

static void run(struct replay *r, char **arg, const uint64_t *points,
		unsigned int trials, uint64_t seed)
{
	unsigned int i, shown = 0;

	for (i = 0; i < trials; i++) {
		uint64_t rnd = seed + i, own = rnd_next(&rnd) >> 16;

		if (trial(r, points[i], own, own % THOROUGH == 0) ||
		    shown++ > 20)
			continue;
		printf("# failed: %s\n", r->why);
		printf("#   tests/crash/replay --only %llu:%llu %s %s %s\n",
		       (unsigned long long)points[i], (unsigned long long)own,
		       arg[0], arg[1], arg[2]);
		fflush(stdout);
	}
	print(&r->f);
}

static void put_state(struct replay *r, FILE *to)
{
	uint64_t blocks = r->data_start / 8, k;
	struct state_index *index = calloc(1, state_index_bytes(r->im.nr_disks * blocks));
	struct state_head head = { .magic = STATE_MAGIC, .disks = r->im.nr_disks,
				   .blocks = blocks };
	static const uint8_t zero[4096];
	unsigned int d;

	for (d = 0; d < r->im.nr_disks; d++)
		for (k = 0; k < blocks; k++)
			if (memcmp(r->im.disk[d].bytes + k * 4096, zero, 4096))
				index[head.nr++] = (struct state_index){ d, (uint32_t)k };
	fwrite(&head, sizeof(head), 1, to);
	fwrite(index, 1, state_index_bytes(head.nr), to);
	for (k = 0; k < head.nr; k++)
		fwrite(r->im.disk[index[k].disk].bytes + index[k].block * 4096ULL,
		       4096, 1, to);
	free(index);
}

static void print_pool(const struct replay *r, uint64_t sectors)
{
	unsigned int i;

	printf("pool ");
	for (i = 0; i < 16; i++)
		printf("%s%02x", i >= 4 && i <= 10 && !(i % 2) ? "-" : "",
		       r->uuid[i]);
	printf(" %llu\n", (unsigned long long)sectors);
}

static bool export(struct replay *r, const char *name, const uint64_t *points,
		   unsigned int trials, uint64_t seed)
{
	char path[4096];
	FILE *states, *maps;
	unsigned int i, s;

	snprintf(path, sizeof(path), "%s.states", name);
	states = fopen(path, "w");
	snprintf(path, sizeof(path), "%s.maps", name);
	maps = fopen(path, "w");
	if (!states || !maps)
		err(1, "%s", path);
	for (i = 0; i < trials; i++) {
		uint64_t rnd = seed + i;
		struct layout l;

		image_to(&r->im, points[i]);
		make_state(r, &rnd);
		put_state(r, states);
		if (!activate_all(r, &l)) {
			fprintf(maps, "%u refused\n", i);
		} else {
			if (!i)
				print_pool(r, l.sectors);
			for (s = 0; s < l.nr; s++)
				fprintf(maps, "%u %u %u %llu\n", i, s, l.member[s],
					(unsigned long long)l.sector[s] * 512);
		}
		sim_rollback(r->dev, r->im.nr_disks);
		image_undo(&r->im, 0);
	}
	return !fclose(states) && !fclose(maps);
}

static void only(struct replay *r, const char *which)
{
	unsigned long long at, seed;

	if (sscanf(which, "%llu:%llu", &at, &seed) != 2)
		errx(2, "--only INDEX:SEED");
	if (!trial(r, at, seed, seed % THOROUGH == 0))
		printf("# failed: %s\n", r->why);
	printf("%s", sim_said());
	print(&r->f);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "only", required_argument, NULL, 'o' },
		{ "control", no_argument, NULL, 'c' },
		{ "export", required_argument, NULL, 'e' },
		{ NULL, 0, NULL, 0 }
	};
	static struct replay r;
	const char *which = NULL, *name = NULL;
	bool control = false, good = true;
	uint64_t seed = 1, rnd, start, *points;
	unsigned int trials = 0;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		if (c == 'o')
			which = optarg;
		else if (c == 'c')
			control = true;
		else if (c == 'e')
			name = optarg;
		else
			return 2;
	}
	argv += optind;
	argc -= optind;
	if (argc < 3 || (!which && argc != 5))
		errx(2, "replay [--control] [--only INDEX:SEED] LOG DISKS SECTORS TRIALS SEED");
	/* Each activation takes and gives back some megabytes: keep them. */
	mallopt(M_MMAP_THRESHOLD, 1 << 30);
	mallopt(M_TRIM_THRESHOLD, 1 << 30);
	open_all(&r, argv[0], (unsigned int)atoi(argv[1]),
		 strtoull(argv[2], NULL, 0));
	start = find_start(&r);
	if (which) {
		only(&r, which);
	} else {
		trials = (unsigned int)atoi(argv[3]);
		seed = rnd = strtoull(argv[4], NULL, 0);
		points = choose(&r, start, trials, &rnd);
		if (name)
			good = export(&r, name, points, trials, seed);
		else if (control)
			good = controls(&r, points, trials, seed);
		else
			run(&r, argv, points, trials, seed);
		free(points);
	}
	good = good && !failures(&r.f);
	close_all(&r);
	return good ? 0 : 1;
}
