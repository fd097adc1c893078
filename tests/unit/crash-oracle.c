// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The oracle of the power cuts: what it must let pass, and what it must not. Checked by taking out
 * one condition of it after the other.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../crash/cut/oracle.c"

#define BLOCKS	8

/* The volume as it is found after the cut. */
static char volume[BLOCKS][BLOCK];

static int setup(void **state)
{
	struct oracle *o = calloc(1, sizeof(*o));

	oracle_init(o, 42, BLOCKS);
	memset(volume, 0, sizeof(volume));
	*state = o;
	return 0;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

static int change(struct oracle *o, enum kind kind, uint32_t block, bool fua)
{
	int op = oracle_intend(o, kind, block, 1, fua);

	oracle_acked(o, op);
	return op;
}

static void put(struct oracle *o, int op, uint32_t block)
{
	oracle_fill(o, op, block, volume[block]);
}

static void flush(struct oracle *o)
{
	oracle_flushed(o, oracle_flush_begin(o));
}

static bool found(struct oracle *o, struct verdict *v)
{
	oracle_check_begin(o, v);
	for (uint32_t b = 0; b < BLOCKS; b++)
		oracle_check(o, v, b, volume[b]);
	return oracle_check_end(o, v, true);
}

static void test_unflushed(void **state)
{
	struct oracle *o = *state;
	struct verdict v;
	int op = change(o, OP_WRITE, 1, false);

	/* neither way is wrong */
	assert_true(found(o, &v));
	assert_int_equal(v.stale, 1);
	op = change(o, OP_WRITE, 1, false);
	put(o, op, 1);
	assert_true(found(o, &v));
	assert_int_equal(v.stale, 0);
	/* a sector of the one, the rest of the other */
	op = change(o, OP_WRITE, 1, false);
	{
		char new[BLOCK];

		oracle_fill(o, op, 1, new);
		memcpy(volume[1] + SECTOR, new + SECTOR, SECTOR);
	}
	assert_true(found(o, &v));
	/* and that is what stays from here on */
	assert_true(found(o, &v));
	memset(volume[1], 0, SECTOR);
	assert_false(found(o, &v));
	assert_int_equal(v.lost, 1);
}

static void test_flushed(void **state)
{
	struct oracle *o = *state;
	struct verdict v;
	int first = change(o, OP_WRITE, 2, false), second;

	flush(o);
	assert_false(found(o, &v));
	assert_int_equal(v.lost, SECTORS);
	put(o, first, 2);
	second = change(o, OP_WRITE, 2, false);
	/* the flush was before the second */
	assert_true(found(o, &v));
	second = change(o, OP_WRITE, 2, true);
	assert_false(found(o, &v));
	put(o, second, 2);
	assert_true(found(o, &v));
}

/* What is acknowledged while a flush is under way is not covered by it. */
static void test_flush_begun_before(void **state)
{
	struct oracle *o = *state;
	uint32_t mark = oracle_flush_begin(o);
	struct verdict v;

	change(o, OP_WRITE, 3, false);
	oracle_flushed(o, mark);
	assert_true(found(o, &v));
}

static void test_not_acknowledged(void **state)
{
	struct oracle *o = *state;
	int op = oracle_intend(o, OP_WRITE, 3, 1, true);
	struct verdict v;

	oracle_failed(o, op);
	put(o, op, 3);
	assert_true(found(o, &v));
	/* found once, it is what is there */
	memset(volume[3], 0, BLOCK);
	assert_false(found(o, &v));
}

static void test_zero_and_discard(void **state)
{
	struct oracle *o = *state;
	int op = change(o, OP_WRITE, 4, true);
	struct verdict v;

	put(o, op, 4);
	assert_true(found(o, &v));
	change(o, OP_ZERO, 4, false);
	flush(o);
	assert_false(found(o, &v));
	memset(volume[4], 0, BLOCK);
	assert_true(found(o, &v));
	op = change(o, OP_WRITE, 4, true);
	put(o, op, 4);
	assert_true(found(o, &v));
	/* anything that the block held before, but not another's */
	change(o, OP_DISCARD, 4, false);
	flush(o);
	assert_true(found(o, &v));
	op = change(o, OP_WRITE, 5, true);
	put(o, op, 5);
	change(o, OP_DISCARD, 4, false);
	memcpy(volume[4], volume[5], BLOCK);
	assert_false(found(o, &v));
	assert_int_equal(v.foreign, SECTORS);
}

static void test_impossible(void **state)
{
	struct oracle *o = *state;
	int op = change(o, OP_WRITE, 6, true);
	struct verdict v;

	put(o, op, 6);
	assert_true(found(o, &v));
	/* never sent */
	oracle_fill(o, 5, 6, volume[6]);
	assert_false(found(o, &v));
	assert_int_equal(v.future, SECTORS);
	/* a damaged sector */
	op = change(o, OP_WRITE, 6, true);
	put(o, op, 6);
	volume[6][3 * SECTOR + 400] ^= 1;
	assert_false(found(o, &v));
	assert_int_equal(v.torn, 1);
	/* another pool's */
	o->seed++;
	put(o, op, 6);
	o->seed--;
	assert_false(found(o, &v));
	assert_int_equal(v.torn, SECTORS);
}

static void test_live(void **state)
{
	struct oracle *o = *state;
	int op = change(o, OP_WRITE, 7, false);

	/* in the middle of a life nothing may be missing, flushed or not */
	assert_false(oracle_check_live(o, 7, volume[7]));
	put(o, op, 7);
	assert_true(oracle_check_live(o, 7, volume[7]));
	change(o, OP_ZERO, 7, false);
	assert_false(oracle_check_live(o, 7, volume[7]));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_unflushed),
		TEST(test_flushed),
		TEST(test_flush_begun_before),
		TEST(test_not_acknowledged),
		TEST(test_zero_and_discard),
		TEST(test_impossible),
		TEST(test_live),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
