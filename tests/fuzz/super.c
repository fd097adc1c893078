// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Superblocks, as the kernel and as the tools see them: they take the same ones,
 * and understand the same.
 *
 * Input: a byte of flags, then the superblock; what is missing is zero.
 *
 * Options: -max_len=400
 */
#define ads_super kernel_super		/* both have a struct of this name */
#include "format-block.h"
#undef ads_super

#include "fuzz.h"
#include "lib/super.h"

#define UNSEALED	1		/* leave the checksum */
#define SECOND		2		/* it is copy 1 */
#define BOTH		4		/* it is in both places */
#define SMALL		8		/* on a device that is too small */

/* What the rest of the kernel takes for granted. */
static void check_safe(const struct kernel_super *s)
{
	const struct ads_geometry *g = &s->geo;
	u64 journal_end = (u64)g->journal_block + g->journal_blocks;
	u64 end0 = (u64)g->table_block[0] + g->table_blocks;
	u64 end1 = (u64)g->table_block[1] + g->table_blocks;

	must(g->segment_shift <= 25 && g->chunk_shift >= 7);
	must(g->chunk_shift <= g->segment_shift);
	must(g->journal_block >= 16 && g->journal_blocks >= 64);
	must(g->journal_blocks <= ADS_FMT_JOURNAL_MAX);
	must(journal_end <= g->table_block[0] && end0 <= g->table_block[1]);
	must(end1 * 8 <= s->data_start && s->data_start <= s->sectors);
	must(s->sectors <= 1ULL << 54);
	must(s->sectors - s->data_start >= (u64)s->data_chunks << g->chunk_shift);
	must(g->max_segments <= 1U << 24 && g->max_members <= 1024);
	must((u64)ads_fmt_body_blocks(g) + 1 <= g->table_blocks);
	must(ads_fmt_slots(g, s->data_chunks) <= 1U << 24);
	must(s->index < g->max_members);
	must(s->nr_meta >= 1 && s->nr_meta <= 8);
}

/* What was decoded and encoded again is what was decoded. */
static void check_round_trip(const struct kernel_super *s, unsigned int copy)
{
	struct adshard_super sb;
	struct kernel_super back;

	ads_fmt_super_encode(s, &sb);
	ads_fmt_super_seal(&sb, copy);
	must(!ads_fmt_super_check(&sb, copy, NULL));
	ads_fmt_super_decode(&sb, &back);
	must(!memcmp(s, &back, sizeof(back)));
}

static void check_same(const struct kernel_super *k, const struct ads_super *a)
{
	const struct ads_geometry *g = &k->geo;

	must(!memcmp(a->pool_uuid, g->pool_uuid, 16));
	must(!memcmp(a->member_uuid, k->uuid, 16));
	must(strlen(a->pool_name) == strlen(g->name));
	if (fuzz_printable(g->name))
		must(!strcmp(a->pool_name, g->name));
	must(a->sb_seq == k->seq && a->member_sectors == k->sectors);
	must(a->data_start == k->data_start);
	must(a->data_chunks == k->data_chunks);
	must(a->member_index == k->index && a->nr_meta == k->nr_meta);
	must(a->segment_shift == g->segment_shift);
	must(a->chunk_shift == g->chunk_shift);
	must(a->logical_block_size == g->logical_block_size);
	must(a->journal_block == g->journal_block);
	must(a->journal_blocks == g->journal_blocks);
	must(a->table_block[0] == g->table_block[0]);
	must(a->table_block[1] == g->table_block[1]);
	must(a->table_blocks == g->table_blocks);
	must(a->max_members == g->max_members);
	must(a->max_segments == g->max_segments);
	must(a->max_bad_blocks == g->max_bad_blocks);
}

static uint8_t *head;

void fuzz_init(void)
{
	head = aligned_alloc(4096, ADS_SUPER_BYTES);
	must(head);
	memset(head, 0, ADS_SUPER_BYTES);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_in in = { data, size };
	uint8_t flags = fuzz_u8(&in);
	unsigned int copy = !!(flags & SECOND);
	struct adshard_super *sb[2] = {
		(void *)(head + ADSHARD_SB_BLOCK0 * ADSHARD_BLOCK_SIZE),
		(void *)(head + ADSHARD_SB_BLOCK1 * ADSHARD_BLOCK_SIZE),
	};
	struct ads_err err = { "" };
	struct kernel_super k;
	const char *why = NULL;
	struct ads_super a;
	uint64_t dev;
	int r, ra;

	fuzz_take(&in, sb[copy], sizeof(**sb));
	memset(sb[!copy], 0, sizeof(**sb));
	if (!(flags & UNSEALED))
		ads_fmt_super_seal(sb[copy], copy);
	if (flags & BOTH) {
		*sb[!copy] = *sb[copy];
		if (!(flags & UNSEALED))
			ads_fmt_super_seal(sb[!copy], !copy);
	}
	r = ads_fmt_super_check(sb[copy], copy, &why);
	must(r == 0 || r == -EBADMSG || r == -EOPNOTSUPP || r == -EINVAL);
	must(!!why == !!r);
	dev = flags & SMALL ? fuzz_u64(&in) : UINT64_MAX;
	ra = ads_super_parse(head, dev, "/dev/x", &a, &err);
	must(!!err.text[0] == !!ra);
	if (ra == 0)
		must(a.member_sectors <= dev / 512 &&
		     fuzz_printable(a.pool_name));
	if (!r) {
		ads_fmt_super_decode(sb[copy], &k);
		check_safe(&k);
		check_round_trip(&k, copy);
		must(ra == 0 || (ra == -ENOSPC && dev / 512 < k.sectors));
		check_same(&k, &a);
	}
	/* The tools may look at what they may not write. */
	if (!ra && r && !(flags & UNSEALED))
		must(a.ro_compat || !memchr(sb[copy]->pool_name, 0,
					    sizeof(sb[copy]->pool_name)));
	return 0;
}

void fuzz_seeds(void)
{
	struct kernel_super s = test_super();
	uint8_t buf[1 + 360];
	struct adshard_super sb;

	ads_fmt_super_encode(&s, &sb);
	ads_fmt_super_seal(&sb, 0);
	memcpy(buf + 1, &sb, sizeof(buf) - 1);
	for (int flags = 0; flags < 16; flags++) {
		char name[16];

		buf[0] = flags;
		snprintf(name, sizeof(name), "flags-%d", flags);
		fuzz_seed(name, buf, sizeof(buf));
	}
}
