// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One damaged block of one member, whatever is in it now: everything is there more than
 * once, so the pool activates with the same map. As guest/bitflips-long, with more trials, and no data.
 *
 *	sim-flips [TRIALS [SEED]]
 *
 * But for one case: a member's first superblock is whole, and another member's. A superblock
 * has no other witness, and a disk that carries two members' is what a disk looks like over
 * which another one has begun to be copied. To choose is not for us; it is refused, and said which two.
 *
 * Checked by a second copy of the superblock that is not read: fails here.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format-host.h"
#include "../../kernel/format.h"
#include "../sim/sim.h"

#define NR	4
#define SECTORS	(24ULL << 11)
#define META	(3 << 20)		/* bytes before the data */

static unsigned int count, failed;
static struct sim_dev *dev[NR];
static uint8_t *image[NR], uuid[16];
static struct ads_super sb;

static void ok(bool good, const char *name)
{
	printf("%sok %u - %s\n", good ? "" : "not ", ++count, name);
	failed += !good;
}

static uint64_t map_sum(const struct sim_pool *pool)
{
	uint64_t sum = 1;

	for (uint32_t i = 0; i < sim_pool_segments(pool); i++)
		sum = sum * 1099511628211ULL + sim_pool_place(pool, i) * NR +
		      sim_pool_segment(pool, i).member;
	return sum;
}

static unsigned int below(unsigned int n)
{
	return (unsigned int)(sim_random() % n);
}

static uint64_t make(void)
{
	struct sim_format f = { .name = "x", .segment_shift = 11, .chunk_shift = 7 };
	static const char *const name[NR] = { "a", "b", "c", "d" };
	struct sim_pool *pool;
	uint64_t sum;

	for (unsigned int i = 0; i < NR; i++)
		dev[i] = sim_dev_new(name[i], SECTORS);
	pool = sim_pool_new(dev, NR, NULL, 40 << 11);
	if (sim_pool_load(pool, &f))
		exit(1);
	memcpy(uuid, sim_pool_uuid(pool), 16);
	/* the ring goes round */
	for (unsigned int n = 0; n < 1500; n++)
		sim_pool_move(pool, below(40), (uint16_t)below(NR));
	sum = map_sum(pool);
	sim_pool_free(pool);
	for (unsigned int i = 0; i < NR; i++) {
		image[i] = malloc(META);
		memcpy(image[i], sim_dev_image(dev[i]), META);
	}
	ads_fmt_super_decode((void *)(image[0] + 4096 * ADSHARD_SB_BLOCK0), &sb);
	return sum;
}

static unsigned int any_block(void)
{
	unsigned int r = below(10);

	if (r < 2)
		return r ? ADSHARD_SB_BLOCK0 : ADSHARD_SB_BLOCK1;
	if (r < 5)
		return sb.geo.journal_block + below(sb.geo.journal_blocks);
	/* the first blocks of a table are the ones in use */
	return sb.geo.table_block[r % 2] + below(r < 9 ? 4 : sb.geo.table_blocks);
}

/* True if it is the case that may be refused. */
static bool damage(void)
{
	unsigned int d = below(NR), kind = below(8), nr = any_block(), other;
	uint8_t *block = sim_dev_image(dev[d]) + 4096 * (size_t)nr;

	switch (kind) {
	case 0 ... 3:
		for (unsigned int i = 0; i <= kind; i++)
			block[below(4096)] ^= 1U << below(8);
		break;
	case 4:
		for (unsigned int i = 0; i < 4096; i++)
			block[i] = (uint8_t)sim_random();
		break;
	case 5:
		memset(block, 0, 4096);
		break;
	case 6:
		other = any_block();
		memcpy(block, image[d] + 4096 * (size_t)other, 4096);
		break;
	default:
		memcpy(block, image[(d + 1) % NR] + 4096 * (size_t)nr, 4096);
		return nr == ADSHARD_SB_BLOCK0;
	}
	return false;
}

int main(int argc, char **argv)
{
	unsigned int trials = argc > 1 ? (unsigned int)atoi(argv[1]) : 1000;
	unsigned int refused = 0, doubles = 0, taken = 0, wrong = 0;
	uint64_t seed = argc > 2 ? (uint64_t)atoll(argv[2]) : 1, sum = make();

	for (unsigned int n = 0; n < trials; n++) {
		struct sim_pool *pool;
		bool twice;

		sim_seed(seed + n);
		twice = damage();
		doubles += twice;
		pool = sim_pool_new(dev, NR, uuid, 0);
		sim_hush();
		if (!sim_pool_load(pool, NULL)) {
			wrong += map_sum(pool) != sum;
			taken += twice;
		} else if (!twice) {
			refused++;
			printf("# seed %llu: %s", (unsigned long long)(seed + n), sim_said());
		} else {
			taken += !strstr(sim_said(), "is one a copy of the other?");
		}
		sim_pool_free(pool);
		for (unsigned int i = 0; i < NR; i++)
			memcpy(sim_dev_image(dev[i]), image[i], META);
	}
	printf("# flips.trials %u\n# flips.refused %u\n# flips.two_owners %u\n", trials,
	       refused, doubles);
	ok(!refused, "one damaged block: never refused");
	ok(!wrong, "and always the same map");
	ok(!taken && (doubles || trials < 500), "a disk with two members' superblocks: refused, and said which");
	for (unsigned int i = 0; i < NR; i++) {
		sim_dev_free(dev[i]);
		free(image[i]);
	}
	printf("1..%u\n", count);
	return failed ? 1 : 0;
}
