// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Records that an activation could not read: what tests/model/records.pml found, done with
 * the metadata code itself.
 * Checked by an activation that always takes the next term, by superblocks that are
 * written when a commit's outcome has been told, by a recruit that goes on alone, and
 * by asking the first of the newest superblocks: each fails here.
 */
#include <errno.h>
#include <endian.h>
#include <stdio.h>
#include <string.h>

#include <linux/adshard-format.h>

#include "../sim/sim.h"

#define NR	2
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

/* With the first @nr members. */
static struct sim_pool *load_some(unsigned int nr, int *err)
{
	struct sim_pool *pool = sim_pool_new(dev, nr, uuid, 0);

	*err = sim_pool_load(pool, NULL);
	if (!*err)
		return pool;
	sim_pool_free(pool);
	return NULL;
}

static struct sim_pool *load(int *err)
{
	return load_some(NR, err);
}

static struct sim_pool *make(void)
{
	struct sim_format f = { .name = "x", .segment_shift = 11, .chunk_shift = 7 };
	static const char *const name[NR] = { "a", "b" };
	struct sim_pool *pool;

	for (unsigned int i = 0; i < NR; i++) {
		dev[i] = sim_dev_new(name[i], SECTORS);
		sim_dev_set_number(dev[i], i + 1);
	}
	pool = sim_pool_new(dev, NR, NULL, 8 << 11);
	if (sim_pool_load(pool, &f)) {
		sim_pool_free(pool);
		return NULL;
	}
	memcpy(uuid, sim_pool_uuid(pool), 16);
	return pool;
}

static void unmake(void)
{
	for (unsigned int i = 0; i < NR; i++)
		sim_dev_free(dev[i]);
}

/* The block where a member has record @seq. */
static uint64_t place_of(uint64_t seq)
{
	const struct adshard_super *sb = (const void *)(sim_dev_image(dev[0]) +
			ADSHARD_SB_BLOCK0 * ADSHARD_BLOCK_SIZE);

	return le32toh(sb->journal_block) + seq % le32toh(sb->journal_blocks);
}

static bool has_record(unsigned int d, uint64_t seq)
{
	const struct adshard_record *rec = (const void *)(sim_dev_image(dev[d]) +
			place_of(seq) * ADSHARD_BLOCK_SIZE);

	return le64toh(rec->state.seq) == seq;
}

/* A place that can neither be read nor written, for a while. */
static void bad_place(unsigned int d, uint64_t seq)
{
	sim_dev_fail(dev[d], SIM_READ, place_of(seq), 1, ~0U, false);
	sim_dev_fail(dev[d], SIM_WRITE, place_of(seq), 1, ~0U, false);
}

static void well_again(unsigned int d)
{
	sim_dev_fail(dev[d], SIM_READ, 0, 0, 0, false);
	sim_dev_fail(dev[d], SIM_WRITE, 0, 0, 0, false);
}

/*
 * An activation is cut off when its first record is on one member alone. The next
 * one can't read it there, nor go over it, and goes on without that member. Then
 * there are two records after the same one, of two activations that both thought
 * that they were the first; that must not look like two hosts.
 */
static void test_hidden(void)
{
	struct sim_pool *pool = make();
	uint64_t seq = sim_pool_seq(pool) + 1, term = sim_pool_term(pool);
	unsigned int n = 0;
	int err;

	sim_pool_free(pool);
	do {
		sim_cut_after(n++);
		pool = load(&err);
		sim_cut_after(SIM_NEVER);
	} while (!pool && !has_record(0, seq) && n < 100);
	ok(!pool && has_record(0, seq) && !has_record(1, seq),
	   "cut off with the record of a new term on one member");

	bad_place(0, seq);
	pool = load(&err);
	ok(pool && sim_pool_member(pool, 0).role == 1 &&
	   sim_pool_term(pool) > term + 1,
	   "which the next activation can't read, and drops the member");
	if (pool)
		sim_pool_free(pool);
	well_again(0);
	ok(has_record(0, seq) && has_record(1, seq), "two records, one number");
	sim_hush();
	pool = load(&err);
	ok(pool && sim_pool_member(pool, 0).role == 2,
	   "and all can be read again: activates with both");
	if (pool)
		sim_pool_free(pool);
	unmake();
}

/* Those from @first on have not been made. */
static void cut_back(unsigned int first)
{
	const struct sim_write *w;
	unsigned int nr = sim_recorded(&w);

	while (nr-- > first)
		memcpy(sim_dev_image(dev[w[nr].dev - 1]) + (w[nr].block << 12),
		       w[nr].was, (size_t)w[nr].nr << 12);
}

/*
 * The destination of a move can't take its record, so another one takes the move
 * back. Who relies on that is told, and the power goes. If then the only member
 * that has the second record can't be read there, the destination must not
 * vouch for the first.
 */
static void test_witness(void)
{
	struct sim_pool *pool = make();
	uint64_t seq = sim_pool_seq(pool) + 1;
	struct sim_segment at = { .member = 1 }, now;
	uint32_t seg;
	int err;

	for (seg = 0; at.member; seg++)
		at = sim_pool_segment(pool, seg);
	seg--;
	sim_record(1000);
	sim_dev_fail(dev[1], SIM_WRITE, place_of(seq), 1, ~0U, false);
	err = sim_pool_move(pool, seg, 1);
	ok(err == -ECANCELED && has_record(0, seq) && has_record(0, seq + 1) &&
	   !has_record(1, seq), "a move is taken back with its destination");
	cut_back(sim_pool_told(pool));
	sim_record(0);
	sim_pool_free(pool);
	well_again(1);
	ok(has_record(0, seq + 1), "that was durable when it was told");

	sim_dev_fail(dev[0], SIM_READ, place_of(seq + 1), 1, ~0U, false);
	sim_hush();
	pool = load(&err);
	ok(!pool && err == -EIO && strstr(sim_said(), "can't be read"),
	   "and can't be read: refused, not what was taken back");
	if (pool)
		sim_pool_free(pool);
	well_again(0);
	pool = load(&err);
	now = pool ? sim_pool_segment(pool, seg) : at;
	ok(pool && now.member == at.member && now.chunk == at.chunk,
	   "can be read again: where it was");
	if (pool)
		sim_pool_free(pool);
	unmake();
}

/*
 * The only metadata member there is fails to take the record that calls a recruit
 * active. It does not know that it is not enough by itself, so nothing may be
 * changed that it then would not know either.
 */
static void test_recruit(void)
{
	struct sim_pool *pool = make();
	struct sim_segment at, now = { .member = 0 };
	unsigned int moved = 0;
	uint64_t seq;
	int err;

	for (uint32_t seg = 0; seg < sim_pool_segments(pool); seg++)
		if (sim_pool_segment(pool, seg).member)
			moved += !sim_pool_move(pool, seg, 0);
	sim_dev_fail(dev[1], SIM_WRITE, 0, 1 << 20, ~0U, false);
	sim_pool_note(pool);
	ok(moved && sim_pool_member(pool, 1).role == 1, "one metadata member is left");
	seq = sim_pool_seq(pool);
	sim_pool_free(pool);
	well_again(1);

	/* The new term is the first record, and the other one is back by the second. */
	sim_dev_fail(dev[0], SIM_WRITE, place_of(seq + 2), 1, ~0U, false);
	pool = load(&err);
	ok(pool && sim_pool_readonly(pool), "that fails when another one is to join");
	at = pool ? sim_pool_segment(pool, 0) : (struct sim_segment){ .member = 0 };
	ok(pool && sim_pool_move(pool, 0, 1) == -EROFS, "nothing is changed any more");
	if (pool)
		sim_pool_free(pool);
	well_again(0);
	sim_hush();
	pool = load_some(1, &err);
	if (pool)
		now = sim_pool_segment(pool, 0);
	ok(pool && now.member == at.member && now.chunk == at.chunk,
	   "by itself it has the last state");
	if (pool)
		sim_pool_free(pool);
	pool = load(&err);
	ok(pool && sim_pool_member(pool, 1).role == 2, "and the other one joins later");
	if (pool)
		sim_pool_free(pool);
	unmake();
}

/*
 * Superblocks of one sequence that name different members: one was written when both
 * took part, the other one without a look at the first. Whoever went on can't be
 * read; the other one must not be believed.
 */
static void test_veto(void)
{
	struct sim_pool *pool = make();
	struct sim_dev *turned[NR];
	unsigned int left = 0;
	uint64_t seq;
	int err;

	for (uint32_t seg = 0; seg < sim_pool_segments(pool); seg++)
		if (sim_pool_segment(pool, seg).member)
			sim_pool_move(pool, seg, 0);
	sim_pool_free(pool);
	/* only the second one's superblock is written; then it is dropped */
	sim_dev_fail(dev[0], SIM_WRITE, 0, 4, ~0U, false);
	pool = load(&err);
	seq = sim_pool_seq(pool) + 1;
	sim_dev_fail(dev[1], SIM_WRITE, place_of(seq), 1, ~0U, false);
	sim_pool_note(pool);
	for (uint16_t m = 0; m < NR; m++)
		left += sim_pool_member(pool, m).role == 2;
	sim_pool_free(pool);
	well_again(0);
	well_again(1);
	pool = load_some(1, &err);
	ok(left == 1 && pool && !sim_pool_move(pool, 0, 0), "the first one goes on alone");
	if (pool)
		sim_pool_free(pool);

	sim_dev_fail(dev[0], SIM_READ, 16, 1 << 20, ~0U, false);
	turned[0] = dev[1];
	turned[1] = dev[0];
	pool = sim_pool_new(turned, NR, uuid, 0);
	sim_hush();
	err = sim_pool_load(pool, NULL);
	ok(err && strstr(sim_said(), "can't be read"), "and without what it has, the pool is refused");
	sim_pool_free(pool);
	well_again(0);
	unmake();
}

int main(void)
{
	test_hidden();
	test_witness();
	test_recruit();
	test_veto();
	ok(!sim_live(), "nothing is leaked");
	printf("1..%u\n", count);
	return failed ? 1 : 0;
}
