// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * commits [--control] [--only HISTORY] TRIALS SEED: power cuts within single changes of metadata.
 *
 * Pools of 1 to 12 members live in memory through random histories of moves,
 * changes of members' states, repairs, activations and failing writes. Each
 * step's writes are kept, and cut off at several places: what was flushed is there, of
 * the rest any sector or none. The kernel's own code has to come up with the map
 * from before the step or the one after it, and after a step that said it was
 * durable with nothing but that. --control: a write that was flushed is missing on
 * all members; some of that must be noticed.
 */
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/adshard-format.h>

#include "../sim/sim.h"
#include "log.h"

#define MAX_DISKS	12
#define MAX_SEGMENTS	128
#define SECTORS		40960
#define STEPS		300
#define CUTS		8

struct view {
	uint32_t nr, members;
	uint64_t at[MAX_SEGMENTS];
	uint16_t on[MAX_SEGMENTS];
	uint8_t state[MAX_DISKS];
};

static struct {
	struct sim_dev *dev[MAX_DISKS];
	unsigned int nr;
	uint8_t uuid[16];
	struct sim_pool *pool;
	uint64_t rnd, history;
	struct sim_write *w;
	unsigned int nr_w;
	bool control;
	unsigned long trials, lost, unassembled, second, steps, records;
} t;

static uint64_t below(uint64_t n)
{
	return rnd_below(&t.rnd, n);
}

static struct view view(const struct sim_pool *pool)
{
	struct view v = { .nr = sim_pool_segments(pool),
			  .members = sim_pool_members(pool) };
	uint32_t i;

	for (i = 0; i < v.nr; i++) {
		v.at[i] = sim_pool_place(pool, i);
		v.on[i] = sim_pool_segment(pool, i).member;
	}
	for (i = 0; i < v.members; i++)
		v.state[i] = sim_pool_member(pool, (uint16_t)i).state;
	return v;
}

static bool same(const struct view *a, const struct view *b)
{
	return !memcmp(a, b, sizeof(*a));
}

/* The pool as it comes up now. */
static bool activated(struct view *v)
{
	struct sim_pool *pool = sim_pool_new(t.dev, t.nr, t.uuid, 0);
	int status;

	sim_hush();
	status = sim_pool_load(pool, NULL);
	/* No sim_run_works() here: the live pool may have one to do. */
	if (!status)
		*v = view(pool);
	sim_pool_free(pool);
	return !status;
}

/*--- the writes of a step ---------------------------------------*/

static void take_writes(void)
{
	const struct sim_write *now;
	unsigned int i;

	t.nr_w = sim_recorded(&now);
	t.w = calloc(t.nr_w + 1, sizeof(*t.w));
	for (i = 0; i < t.nr_w; i++) {
		size_t n = (size_t)now[i].nr * 4096;

		t.w[i] = now[i];
		t.w[i].was = malloc(n);
		t.w[i].is = malloc(n);
		memcpy(t.w[i].was, now[i].was, n);
		memcpy(t.w[i].is, now[i].is, n);
	}
	sim_rollback(t.dev, t.nr);
}

static uint8_t *at(const struct sim_write *w)
{
	return sim_dev_image(t.dev[w->dev]) + w->block * 4096;
}

static void drop_writes(void)
{
	unsigned int i;

	for (i = 0; i < t.nr_w; i++) {
		memcpy(at(&t.w[i]), t.w[i].is, (size_t)t.w[i].nr * 4096);
		free(t.w[i].was);
		free(t.w[i].is);
	}
	free(t.w);
	sim_record(20000);
}

/* Is write @i durable when the first @n were started, and @done say how many waits ended? */
static bool is_safe(unsigned int i, unsigned int n, unsigned int done)
{
	unsigned int k;

	if (t.w[i].wait >= done)
		return false;
	if (t.w[i].fua)
		return true;
	for (k = i + 1; k < n; k++)
		if (t.w[k].dev == t.w[i].dev && t.w[k].preflush &&
		    t.w[k].wait > t.w[i].wait && t.w[k].wait < done)
			return true;
	return false;
}

static void cut(unsigned int n, bool complete)
{
	unsigned int i, s, done = complete ? ~0U : n ? t.w[n - 1].wait : 0;
	unsigned int style = (unsigned int)below(4), missing = ~0U;

	if (t.control && n)
		missing = (unsigned int)below(n);
	for (i = 0; i < n; i++) {
		bool safe = is_safe(i, n, done);

		/* Records and tables are at the same place on all. */
		if (missing != ~0U && safe && t.w[i].block == t.w[missing].block)
			continue;
		for (s = 0; s < t.w[i].nr * 8; s++)
			if (safe || style == 1 || (style > 1 && below(2)))
				memcpy(at(&t.w[i]) + s * 512,
				       t.w[i].is + s * 512, 512);
	}
}

static void uncut(unsigned int n)
{
	while (n--)
		memcpy(at(&t.w[n]), t.w[n].was, (size_t)t.w[n].nr * 4096);
}

/*--- a step -----------------------------------------------------*/

static int do_something(void)
{
	uint16_t member = (uint16_t)below(t.nr);

	switch (below(12)) {
	case 0:
		return sim_pool_set_member(t.pool, member, ADSHARD_MEMBER_DRAINING);
	case 1:
		if (sim_pool_member(t.pool, member).nr_taken)
			return sim_pool_note(t.pool);
		return sim_pool_set_member(t.pool, member, ADSHARD_MEMBER_DRAINED);
	case 2:
	case 3:
		return sim_pool_set_member(t.pool, member, ADSHARD_MEMBER_ONLINE);
	case 4:
		sim_run_works();
		return 0;
	default:
		return sim_pool_move(t.pool, (uint32_t)below(sim_pool_segments(t.pool)),
				     member);
	}
}

static void fault(void)
{
	if (!below(6))
		sim_dev_fail(t.dev[below(t.nr)], SIM_WRITE, 0, 1 << 20,
			     1 + (unsigned int)below(3), below(2));
}

static void no_faults(void)
{
	unsigned int i;

	for (i = 0; i < t.nr; i++)
		sim_dev_fail(t.dev[i], SIM_WRITE, 0, 0, 0, false);
}

static void failed(const char *what, unsigned int n, const struct view *got)
{
	printf("# %s: history %llu, step %lu, after %u of %u writes\n%s", what,
	       (unsigned long long)t.history, t.steps, n, t.nr_w, sim_said());
}

static void one_cut(const struct view *before, const struct view *after, int status)
{
	bool complete = !below(4);
	unsigned int n = complete ? t.nr_w : (unsigned int)below(t.nr_w + 1);
	struct view got, again;
	bool good;

	t.trials++;
	cut(n, complete);
	if (!activated(&got)) {
		t.unassembled++;
		if (!t.control)
			failed("not activated", n, NULL);
	} else {
		good = same(&got, after) || (!complete && same(&got, before));
		/*
		 * It failed: half-way what is taken back may be found, and
		 * what nobody took may be there nevertheless.
		 */
		if (status && (!complete || status == -EOWNERDEAD))
			good = true;
		t.lost += !good;
		if (!good && !t.control)
			failed("another map", n, &got);
		if (good && (!activated(&again) || !same(&got, &again))) {
			t.second++;
			failed("another map the second time", n, &again);
		}
	}
	sim_rollback(t.dev, t.nr);
	uncut(n);
}

static bool step(void)
{
	struct view before = view(t.pool), after;
	unsigned int i;
	int status;

	t.steps++;
	fault();
	status = do_something();
	no_faults();
	after = view(t.pool);
	take_writes();
	t.records += t.nr_w != 0;
	for (i = 0; i < CUTS && t.nr_w; i++)
		one_cut(&before, &after, status);
	drop_writes();
	return !sim_pool_readonly(t.pool);
}

static void new_pool(void)
{
	static const char *const name[MAX_DISKS] = {
		"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"
	};
	struct sim_format f = { .name = "x", .segment_shift = 11, .chunk_shift = 7 };
	unsigned int i;

	t.nr = 1 + (unsigned int)below(MAX_DISKS);
	for (i = 0; i < t.nr; i++) {
		t.dev[i] = sim_dev_new(name[i], SECTORS);
		sim_dev_set_number(t.dev[i], i);
	}
	t.pool = sim_pool_new(t.dev, t.nr, NULL, (uint64_t)t.nr * 10 << 11);
	if (sim_pool_load(t.pool, &f))
		errx(1, "no pool: %s", sim_said());
	memcpy(t.uuid, sim_pool_uuid(t.pool), 16);
}

static void reload(void)
{
	sim_pool_free(t.pool);
	t.pool = sim_pool_new(t.dev, t.nr, t.uuid, 0);
	if (sim_pool_load(t.pool, NULL))
		errx(1, "history %llu: not activated: %s",
		     (unsigned long long)t.history, sim_said());
	sim_run_works();
	sim_record(20000);
}

static void history(unsigned long trials)
{
	unsigned int i, steps = 20 + (unsigned int)below(STEPS);

	sim_seed(t.rnd);
	new_pool();
	sim_record(20000);
	for (i = 0; i < steps && t.trials < trials; i++)
		if (!step() || !below(30))
			reload();
	sim_pool_free(t.pool);
	sim_record(0);
	for (i = 0; i < t.nr; i++)
		sim_dev_free(t.dev[i]);
	sim_hush();
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "control", no_argument, NULL, 'c' },
		{ "only", required_argument, NULL, 'o' },
		{ NULL, 0, NULL, 0 }
	};
	unsigned long trials;
	uint64_t seed, only = 0;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		if (c == 'c')
			t.control = true;
		else if (c == 'o')
			only = strtoull(optarg, NULL, 0);
		else
			return 2;
	}
	if (argc - optind != 2)
		errx(2, "usage: commits [--control] [--only HISTORY] TRIALS SEED");
	trials = strtoul(argv[optind], NULL, 0);
	seed = strtoull(argv[optind + 1], NULL, 0);
	do {
		t.history = only ? only : rnd_next(&seed);
		t.rnd = t.history;
		history(trials);
	} while (t.trials < trials && !only);
	if (t.control) {
		printf("crash.control_commits %lu\n", t.trials);
		printf("crash.control_commits_noticed %lu\n", t.lost + t.unassembled);
		return t.lost + t.unassembled ? 0 : 1;
	}
	printf("crash.commit_trials %lu\n", t.trials);
	printf("crash.commit_lost %lu\n", t.lost);
	printf("crash.unassembled %lu\n", t.unassembled);
	printf("crash.changed_by_second_activation %lu\n", t.second);
	return t.lost + t.unassembled + t.second ? 1 : 0;
}
