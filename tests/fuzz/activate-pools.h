/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pools of three members to begin with. Their tables are small, as no tool makes
 * them: a load is then short.
 */
#ifndef ACTIVATE_POOLS_H
#define ACTIVATE_POOLS_H

#include "format-host.h"

#include "../../kernel/format.h"
#include "../sim/sim.h"
#include "fuzz.h"

#define MEMBERS		3
#define SLOTS		6
#define SEGMENTS	9
#define SHIFT		11		/* segments of 1 MiB */
#define CHUNK		7
#define JOURNAL		ADS_FMT_JOURNAL_MIN
#define TABLE		3		/* header, members, segments */
#define AREA0		(16 + JOURNAL)
#define AREA1		(AREA0 + TABLE)
#define META		(AREA1 + TABLE)	/* blocks */
#define DATA		2048		/* its first sector */
#define SECTORS		(DATA + (SLOTS << SHIFT))

#define BASES		6

typedef uint8_t image[META][ADSHARD_BLOCK_SIZE];

static image *base[BASES];		/* of MEMBERS each */
static struct sim_dev *dev[MEMBERS];
static struct ads_geometry geo;
static uint8_t uuid[MEMBERS][16];

static uint8_t *block_of(unsigned int m, unsigned int nr)
{
	return sim_dev_image(dev[m]) + (size_t)nr * ADSHARD_BLOCK_SIZE;
}

static void make_super(unsigned int m)
{
	struct ads_super s = { .geo = geo, .seq = 1, .sectors = SECTORS,
			       .data_start = DATA, .index = m,
			       .data_chunks = SLOTS << (SHIFT - CHUNK),
			       .nr_meta = MEMBERS };

	memcpy(s.uuid, uuid[m], 16);
	memcpy(s.meta_uuid, uuid, sizeof(uuid));
	for (unsigned int copy = 0; copy < 2; copy++) {
		struct adshard_super *sb = (void *)block_of(m, 1 + 2 * copy);

		ads_fmt_super_encode(&s, sb);
		ads_fmt_super_seal(sb, copy);
	}
}

static void make_table(unsigned int m)
{
	struct adshard_table *t = (void *)block_of(m, AREA0);
	struct adshard_body *b = (void *)block_of(m, AREA0 + 1);
	struct ads_state st = { .seq = 1, .term = 1, .history = 99,
				.volume_sectors = SEGMENTS << SHIFT,
				.nr_segments = SEGMENTS,
				.nr_members = MEMBERS, .meta_active = 7 };
	u32 sum;

	for (int i = 0; i < ADSHARD_META_MEMBERS; i++)
		st.meta_member[i] = i < MEMBERS ? i : ADSHARD_NO_MEMBER;
	ads_fmt_body_init(b, &geo, 0);
	for (int i = 0; i < MEMBERS; i++) {
		struct adshard_member *d = &b->u.members[i];

		memcpy(d->uuid, uuid[i], 16);
		d->sectors = htole64(SECTORS);
		d->data_start = htole64(DATA);
		d->data_chunks = htole32(SLOTS << (SHIFT - CHUNK));
		d->state = ADSHARD_MEMBER_ONLINE;
	}
	sum = ads_fmt_sum_add(~0U, ads_fmt_body_sum(b));
	ads_fmt_body_seal(b, &geo, uuid[m], 0, 0);
	b = (void *)block_of(m, AREA0 + 2);
	ads_fmt_body_init(b, &geo, 1);
	for (int i = 0; i < SEGMENTS; i++)
		ads_fmt_seg_plain(&b->u.segments[i], i % MEMBERS,
				   i / MEMBERS << (SHIFT - CHUNK));
	sum = ads_fmt_sum_add(sum, ads_fmt_body_sum(b));
	ads_fmt_body_seal(b, &geo, uuid[m], 0, 1);
	ads_fmt_table_init(t, &geo, &st, sum, 0);
	ads_fmt_table_seal(t, &geo, uuid[m], 0);
}

static struct sim_pool *open_pool(int *err)
{
	struct sim_pool *p = sim_pool_new(dev, MEMBERS, geo.pool_uuid, 0);

	*err = sim_pool_load(p, NULL);
	if (!*err)
		return p;
	sim_pool_free(p);
	return NULL;
}

static void keep_base(unsigned int which)
{
	base[which] = malloc(MEMBERS * sizeof(image));
	must(base[which]);
	for (unsigned int m = 0; m < MEMBERS; m++)
		memcpy(base[which][m], block_of(m, 0), sizeof(image));
}

static void work(struct sim_pool *p, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		sim_pool_move(p, i % SEGMENTS, (i + i / 5) % MEMBERS);
}

/*
 * 0 new, 1 moved about, 2 cut off in a commit, 3 a metadata member was lost,
 * 4 one member drained, 5 so many records that the ring has gone round
 */
static void make_bases(void)
{
	struct sim_pool *p;
	int err;

	keep_base(0);
	p = open_pool(&err);
	must(p);
	work(p, 8);
	sim_pool_free(p);
	keep_base(1);
	p = open_pool(&err);
	sim_cut_after(2);
	work(p, 1);
	sim_cut_after(SIM_NEVER);
	sim_pool_free(p);
	keep_base(2);
	p = open_pool(&err);
	must(p);
	sim_dev_fail(dev[1], SIM_WRITE, 0, META, 3, false);
	work(p, 3);
	sim_dev_fail(dev[1], SIM_WRITE, 0, 0, 0, false);
	sim_run_works();
	sim_pool_free(p);
	keep_base(3);
	for (unsigned int m = 0; m < MEMBERS; m++)
		memcpy(block_of(m, 0), base[1][m], sizeof(image));
	p = open_pool(&err);
	must(p);
	sim_pool_set_member(p, 2, ADSHARD_MEMBER_DRAINING);
	for (unsigned int seg = 0; seg < SEGMENTS; seg++)
		if (sim_pool_segment(p, seg).member == 2)
			sim_pool_move(p, seg, seg % 2);
	sim_pool_set_member(p, 2, ADSHARD_MEMBER_DRAINED);
	sim_pool_free(p);
	keep_base(4);
	p = open_pool(&err);
	must(p);
	sim_pool_set_member(p, 2, ADSHARD_MEMBER_ONLINE);
	work(p, 100);
	sim_pool_free(p);
	keep_base(5);
	sim_hush();
}

static void make_pools(void)
{
	static const char *const names[MEMBERS] = { "a", "b", "c" };

	memcpy(geo.pool_uuid, "the pool's uuid.", 16);
	strcpy(geo.name, "pool");
	geo.logical_block_size = 512;
	geo.journal_block = 16;
	geo.journal_blocks = JOURNAL;
	geo.table_block[0] = AREA0;
	geo.table_block[1] = AREA1;
	geo.table_blocks = TABLE;
	geo.max_members = 5;
	geo.max_segments = 20;
	geo.segment_shift = SHIFT;
	geo.chunk_shift = CHUNK;
	for (unsigned int m = 0; m < MEMBERS; m++) {
		dev[m] = sim_dev_new(names[m], SECTORS);
		sim_dev_set_number(dev[m], m + 1);
		memset(uuid[m], 'a' + m, 16);
	}
	for (unsigned int m = 0; m < MEMBERS; m++) {
		make_super(m);
		make_table(m);
	}
	make_bases();
}

#endif
