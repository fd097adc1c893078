// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The metadata code itself, over devices in memory: made, moved, activated again;
 * members that fail; every allocation failed once; an activation cut off after
 * each of its writes.
 * Checked by leaving out ads_core_free() of a load that failed, and the refusals
 * when a member that matters is missing: each fails here.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <linux/adshard-format.h>

#include "../sim/sim.h"

#define NR	4
#define SECTORS	(24 << 11)

static unsigned int count, failed;
static struct sim_dev *dev[NR];
static uint8_t uuid[16];

static void ok(bool good, const char *name)
{
	printf("%sok %u - %s\n", good ? "" : "not ", ++count, name);
	if (!good && *sim_said())
		printf("# %s", sim_said());
	failed += !good;
	sim_hush();
}

static struct sim_pool *load(int *err)
{
	struct sim_pool *pool = sim_pool_new(dev, NR, uuid, 0);

	*err = sim_pool_load(pool, NULL);
	if (!*err)
		return pool;
	sim_pool_free(pool);
	return NULL;
}

/* A number that two maps share only if they are the same. */
static uint64_t map_sum(const struct sim_pool *pool)
{
	uint64_t sum = 1;
	uint32_t i;

	for (i = 0; i < sim_pool_segments(pool); i++)
		sum = sum * 1099511628211ULL + sim_pool_place(pool, i) * NR +
		      sim_pool_segment(pool, i).member;
	return sum;
}

static void move_some(struct sim_pool *pool, unsigned int n)
{
	while (n--)
		sim_pool_move(pool, (uint32_t)(sim_random() %
					       sim_pool_segments(pool)),
			      (uint16_t)(sim_random() % NR));
}

static void test_life(void)
{
	struct sim_format f = { .name = "x", .segment_shift = 11, .chunk_shift = 7 };
	struct sim_pool *pool = sim_pool_new(dev, NR, NULL, 40 << 11);
	uint64_t sum, seq;
	int err;

	err = sim_pool_load(pool, &f);
	ok(!err && sim_pool_segments(pool) == 40, "a new pool");
	memcpy(uuid, sim_pool_uuid(pool), 16);
	move_some(pool, 1000);
	sum = map_sum(pool);
	seq = sim_pool_seq(pool);
	sim_pool_free(pool);

	pool = load(&err);
	ok(pool && map_sum(pool) == sum && sim_pool_seq(pool) == seq + 1 &&
	   sim_pool_term(pool) == 3, "comes back after moves");
	err = sim_pool_set_member(pool, 1, ADSHARD_MEMBER_FAILED);
	ok(err == -ENOTEMPTY, "a member with segments can't be failed");

	/* Its ring takes nothing: the others go on. */
	sim_dev_fail(dev[2], SIM_WRITE, 0, 1 << 20, ~0U, true);
	move_some(pool, 20);
	ok(sim_pool_member(pool, 2).role == 1 && !sim_pool_readonly(pool),
	   "a member that takes no record is dropped");
	sum = map_sum(pool);
	sim_pool_free(pool);
	sim_dev_fail(dev[2], SIM_WRITE, 0, 0, 0, false);
	pool = load(&err);
	ok(pool && map_sum(pool) == sum && sim_pool_member(pool, 2).role == 2,
	   "and is taken back by the next activation");
	sim_pool_free(pool);
}

static void test_allocations(void)
{
	unsigned long nth = 0;
	struct sim_pool *pool;
	bool good = true;
	int err;

	do {
		sim_fail_alloc(++nth);
		pool = load(&err);
		sim_fail_alloc(0);
		if (pool)
			sim_pool_free(pool);
		good &= pool || err == -ENOMEM;
		good &= !sim_live();
	} while (!pool && good && nth < 10000);
	printf("# %lu allocations\n", nth - 1);
	ok(good && nth > 100, "each allocation of an activation failed once");
}

static void test_cuts(void)
{
	const struct sim_write *w;
	struct sim_pool *pool;
	unsigned int nr, n;
	bool good = true;
	uint64_t sum;
	int err;

	/* One that has work to do: a member lags. */
	pool = load(&err);
	sim_dev_fail(dev[0], SIM_WRITE, 0, 1 << 20, ~0U, false);
	move_some(pool, 5);
	sum = map_sum(pool);
	sim_pool_free(pool);
	sim_dev_fail(dev[0], SIM_WRITE, 0, 0, 0, false);

	sim_record(10000);
	sim_pool_free(load(&err));
	nr = sim_recorded(&w);
	for (n = 0; n < nr; n++) {
		sim_rollback(dev, NR);
		sim_cut_after(n);
		pool = load(&err);
		if (pool)
			sim_pool_free(pool);
		sim_cut_after(SIM_NEVER);
		pool = load(&err);
		good &= pool && map_sum(pool) == sum;
		if (pool)
			sim_pool_free(pool);
	}
	sim_rollback(dev, NR);
	sim_record(0);
	printf("# %u writes\n", nr);
	ok(good && nr > 10, "an activation cut off after each of its writes");
}

int main(void)
{
	static const char *const name[NR] = { "a", "b", "c", "d" };
	struct sim_pool *pool;
	unsigned int i;
	int err;

	for (i = 0; i < NR; i++) {
		dev[i] = sim_dev_new(name[i], SECTORS);
		sim_dev_set_number(dev[i], i);
	}
	test_life();
	test_allocations();
	test_cuts();

	pool = sim_pool_new(dev, NR - 1, uuid, 0);
	err = sim_pool_load(pool, NULL);
	ok(err == -ENODEV && strstr(sim_said(), "is missing"),
	   "refused without a member that matters");
	sim_pool_free(pool);
	ok(!sim_live(), "nothing is leaked");
	for (i = 0; i < NR; i++)
		sim_dev_free(dev[i]);
	printf("1..%u\n", count);
	return failed ? 1 : 0;
}
