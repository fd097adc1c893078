// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Activation: the kernel's ads_meta_load() and all that it calls, over members
 * whose metadata is damaged, mixed from different times, made up, or can't be
 * read. What it takes must be sound, and must be the same when it is taken again;
 * what it refuses it must not have written to, and it must say why.
 *
 * Input: a byte that chooses the pool, one of flags, then changes to blocks:
 * see change().
 *
 * Options: -max_len=600 -detect_leaks=0
 */
#include <stdio.h>
#include <stdlib.h>

#include "activate-pools.h"

/* flags of an input */
#define CHAIN		1		/* make chains and sums right again */
#define LEAVE_OUT	2		/* only the first two members */
#define TURN		4		/* in another order */
#define SAME_TWICE	8
#define NO_WORK		16		/* nothing is done between two loads */
#define FAULTS		32		/* changes may be faults of a device */

static unsigned int now;		/* which base is on the devices */
static bool touched[MEMBERS][META];

void fuzz_init(void)
{
	make_pools();
	now = BASES;
	sim_record(8192);
}

/*--- what is done to them --------------------------------------------------*/

static void touch(unsigned int m, unsigned int nr)
{
	touched[m][nr] = true;
}

static void restore(void)
{
	for (unsigned int m = 0; m < MEMBERS; m++) {
		for (unsigned int nr = 0; nr < META; nr++) {
			if (!touched[m][nr])
				continue;
			memcpy(block_of(m, nr), base[now][m][nr],
			       ADSHARD_BLOCK_SIZE);
			touched[m][nr] = false;
		}
	}
}

static void choose_base(unsigned int which)
{
	if (which == now)
		return;
	now = which;
	for (unsigned int m = 0; m < MEMBERS; m++)
		memcpy(block_of(m, 0), base[now][m], sizeof(image));
}

static void seal(unsigned int m, unsigned int nr)
{
	const struct adshard_super *sb = (void *)block_of(m, 1);
	uint8_t *b = block_of(m, nr);
	uint32_t at = 4, crc;

	if (nr == 1 || nr == 3) {
		sb = (void *)b;
		at = offsetof(struct adshard_super, crc);
	}
	crc = htole32(ads_fmt_seal(sb->pool_uuid, sb->member_uuid, nr, b, at));
	memcpy(b + at, &crc, sizeof(crc));
}

/*
 * The sum of a table's body, and from the table on the records' chain: so that
 * what was changed in them is looked at.
 */
static void seal_chain(unsigned int m)
{
	for (unsigned int area = 0; area < 2; area++) {
		unsigned int nr = geo.table_block[area];
		struct adshard_table *t = (void *)block_of(m, nr);
		struct ads_state st;
		uint64_t seq;
		uint32_t sum = ~0U;

		for (unsigned int i = 1; i < TABLE; i++)
			sum = ads_fmt_sum_add(sum, ads_fmt_body_sum(
					(void *)block_of(m, nr + i)));
		t->body_crc = htole32(sum);
		touch(m, nr);
		seal(m, nr);
		if (ads_fmt_state_decode(&t->state, &geo, &st, NULL))
			continue;
		sum = le32toh(t->last_crc);
		for (seq = st.seq + 1; seq < st.seq + JOURNAL; seq++) {
			unsigned int at = 16 + seq % JOURNAL;
			struct adshard_record *r = (void *)block_of(m, at);

			if (le64toh(r->state.seq) != seq)
				break;
			r->prev_crc = htole32(sum);
			sum = ads_fmt_record_sum(r);
			touch(m, at);
			seal(m, at);
		}
	}
}

/* Small numbers are superblocks and tables, the rest the ring. */
static unsigned int which_block(uint8_t v)
{
	static const uint8_t special[8] = {
		1, 3, AREA0, AREA0 + 1, AREA0 + 2, AREA1, AREA1 + 1, AREA1 + 2,
	};

	return v < 128 ? special[v % 8] : 16 + v % JOURNAL;
}

/*
 * Bytes: what (and, in the high bits, whom), the block, then
 *	0	offset (2), length - 1, that many bytes
 *	1	the same, and the block is sealed
 *	2	a member: its block comes here and is sealed
 *	3	a pool: as the block is there; and a member
 *	4	nothing: zero
 *	5	a new number (8) for a record, and where it belongs; sealed
 *	6	a fault: read or write, how many blocks, how often
 *	7	a bit (2) flipped, sealed
 */
static void change(struct fuzz_in *in, bool faults)
{
	uint8_t what = fuzz_u8(in), which = fuzz_u8(in);
	unsigned int m = (what >> 3) % MEMBERS, nr = which_block(which), at, n;
	uint8_t *b = block_of(m, nr);
	uint64_t seq;

	touch(m, nr);
	switch (what % 8) {
	case 0:
	case 1:
		at = fuzz_u16(in) % ADSHARD_BLOCK_SIZE;
		n = fuzz_u8(in) + 1;
		if (n > ADSHARD_BLOCK_SIZE - at)
			n = ADSHARD_BLOCK_SIZE - at;
		if (n > in->left)
			n = in->left;
		fuzz_take(in, b + at, n);
		if (what % 8)
			seal(m, nr);
		break;
	case 2:
		memmove(b, block_of(fuzz_u8(in) % MEMBERS, nr),
			ADSHARD_BLOCK_SIZE);
		seal(m, nr);
		break;
	case 3:
		n = fuzz_u8(in) % BASES;
		memcpy(b, base[n][fuzz_u8(in) % MEMBERS][nr],
		       ADSHARD_BLOCK_SIZE);
		break;
	case 4:
		memset(b, 0, ADSHARD_BLOCK_SIZE);
		break;
	case 5:
		seq = fuzz_u64(in);
		if (!(seq >> 32 & 0xff00))
			seq &= 0xff;
		at = 16 + seq % JOURNAL;
		touch(m, at);
		memmove(block_of(m, at), b, ADSHARD_BLOCK_SIZE);
		seq = htole64(seq);
		memcpy(block_of(m, at) + 8, &seq, sizeof(seq));
		seal(m, at);
		break;
	case 6:
		what = fuzz_u8(in);
		n = fuzz_u8(in);
		if (faults)
			sim_dev_fail(dev[m], what & 1 ? SIM_WRITE : SIM_READ,
				     nr, n % 8 + 1, n / 8 + 1, what & 2);
		break;
	case 7:
		at = fuzz_u16(in) % (8 * ADSHARD_BLOCK_SIZE);
		b[at / 8] ^= 1 << at % 8;
		seal(m, nr);
		break;
	}
}

/*--- what must hold --------------------------------------------------------*/

struct view {
	uint32_t nr;
	uint64_t seq, term, sectors;
	struct sim_segment at[SEGMENTS + 12];
};

static bool is_lost(const struct sim_pool *p, const struct view *v, uint32_t seg)
{
	return sim_pool_member(p, v->at[seg].member).state ==
	       ADSHARD_MEMBER_FAILED;
}

/* Each segment has one owner, each slot one segment. */
static void look(const struct sim_pool *p, struct view *v)
{
	unsigned int slot_shift = sim_pool_segment_shift(p) -
				  sim_pool_chunk_shift(p);
	uint32_t taken[8] = { 0 };

	v->nr = sim_pool_segments(p);
	v->seq = sim_pool_seq(p);
	v->term = sim_pool_term(p);
	v->sectors = sim_pool_sectors(p);
	must(v->nr && v->nr <= 20 && sim_pool_members(p) <= 5);
	must(v->sectors <= (uint64_t)v->nr << sim_pool_segment_shift(p));
	for (uint32_t i = 0; i < v->nr; i++) {
		struct sim_segment s = sim_pool_segment(p, i);
		struct sim_member m;

		must(s.member < sim_pool_members(p));
		m = sim_pool_member(p, s.member);
		v->at[i] = s;
		/* Lost: an activation went on without it. Nobody looks there. */
		if (is_lost(p, v, i))
			continue;
		must(m.dev && m.state != ADSHARD_MEMBER_DRAINED && m.state);
		must(s.chunk % (1U << slot_shift) == 0);
		must(s.chunk >> slot_shift < m.nr_slots);
		must(sim_pool_place(p, i) >= META * 8);
		must(sim_pool_place(p, i) +
		     (1ULL << sim_pool_segment_shift(p)) <= SECTORS);
		for (uint32_t k = 0; k < i; k++)
			must(v->at[k].member != s.member ||
			     v->at[k].chunk != s.chunk);
		taken[s.member]++;
	}
	for (uint16_t i = 0; i < sim_pool_members(p); i++)
		must(sim_pool_member(p, i).nr_taken == taken[i]);
}

static void same(const struct view *a, const struct view *b)
{
	must(a->nr == b->nr && a->sectors == b->sectors);
	must(!memcmp(a->at, b->at, a->nr * sizeof(*a->at)));
	must(b->term > a->term && b->seq > a->seq);
}

/* Members in the order that the flags ask for. */
static unsigned int line_up(uint8_t flags, struct sim_dev **line)
{
	unsigned int nr = flags & LEAVE_OUT ? 2 : MEMBERS;

	for (unsigned int i = 0; i < nr; i++)
		line[i] = dev[flags & TURN ? (i + 1) % MEMBERS : i];
	if (flags & SAME_TWICE)
		line[nr - 1] = line[0];
	return nr;
}

static void no_faults(void)
{
	for (unsigned int m = 0; m < MEMBERS; m++) {
		sim_dev_fail(dev[m], SIM_READ, 0, 0, 0, false);
		sim_dev_fail(dev[m], SIM_WRITE, 0, 0, 0, false);
	}
}

/* Takes the pool; *@v is what it is like in the end. */
static int take(struct sim_dev **line, unsigned int nr, bool busy,
		struct view *v)
{
	struct sim_pool *p = sim_pool_new(line, nr, geo.pool_uuid, 0);
	const struct sim_write *writes;
	int err;

	sim_hush();
	err = sim_pool_load(p, NULL);
	must(err <= 0 && err >= -4095);
	if (err)
		must(sim_said()[0] && (err == -EROFS || err == -EIO ||
				       !sim_recorded(&writes)));
	else
		look(p, v);
	if (!err && busy) {
		for (uint16_t m = 0; m < sim_pool_members(p); m++)
			if (sim_pool_member(p, m).state == ADSHARD_MEMBER_ONLINE &&
			    !is_lost(p, v, m % v->nr))
				sim_pool_move(p, m % v->nr, m);
		sim_pool_note(p);
		sim_run_works();
		look(p, v);
	}
	sim_pool_free(p);
	return err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_in in = { data, size };
	struct sim_dev *line[MEMBERS];
	struct view first, again;
	long live = sim_live();
	unsigned int nr, changes = 0;
	uint8_t flags;
	int err;

	sim_seed(1);
	choose_base(fuzz_u8(&in) % BASES);
	flags = fuzz_u8(&in);
	while (in.left && changes++ < 16)
		change(&in, flags & FAULTS);
	for (unsigned int m = 0; (flags & CHAIN) && m < MEMBERS; m++)
		seal_chain(m);
	nr = line_up(flags, line);
	err = take(line, nr, !(flags & NO_WORK), &first);
	no_faults();
	if (!err && !(flags & FAULTS)) {
		must(!take(line, nr, false, &again));
		same(&first, &again);
	} else if (!err) {
		take(line, nr, false, &again);
	}
	must(sim_live() == live);	/* no leak */
	sim_rollback(dev, MEMBERS);
	restore();
	return 0;
}

/* The same @size bytes at @at of a block, on all members, sealed. */
static void seed_patch(const char *name, uint8_t which, uint16_t at,
		       const void *data, uint8_t size)
{
	uint8_t buf[256] = { 0, CHAIN };
	size_t n = 2;

	for (unsigned int m = 0; m < MEMBERS; m++) {
		buf[n++] = 1 | m << 3;
		buf[n++] = which;
		memcpy(buf + n, &at, 2);
		buf[n + 2] = size - 1;
		memcpy(buf + n + 3, data, size);
		n += 3 + size;
	}
	fuzz_seed(name, buf, n);
}

/* Of a new pool, each refused for a reason of its own. */
static void seed_maps(void)
{
	enum { MEMBERS_BLOCK = 3, SEGMENTS_BLOCK = 4 };
	const uint16_t segment1 = offsetof(struct adshard_body, u) +
				  sizeof(struct adshard_seg) +
				  offsetof(struct adshard_seg, leg);
	const uint16_t member1 = offsetof(struct adshard_body, u) +
				 sizeof(struct adshard_member);
	struct adshard_leg leg = { .state = ADSHARD_LEG_SYNC };
	uint8_t state = ADSHARD_MEMBER_FAILED;

	seed_patch("taken", SEGMENTS_BLOCK, segment1, &leg, sizeof(leg));
	leg.chunk = htole32(5 << (SHIFT - CHUNK));
	seed_patch("moved", SEGMENTS_BLOCK, segment1, &leg, sizeof(leg));
	leg.chunk = htole32(SLOTS << (SHIFT - CHUNK));
	seed_patch("beyond", SEGMENTS_BLOCK, segment1, &leg, sizeof(leg));
	leg.chunk = htole32((5 << (SHIFT - CHUNK)) + 1);
	seed_patch("between", SEGMENTS_BLOCK, segment1, &leg, sizeof(leg));
	leg.member = htole16(3);
	seed_patch("nobody", SEGMENTS_BLOCK, segment1, &leg, sizeof(leg));
	seed_patch("failed", MEMBERS_BLOCK, member1 +
		   offsetof(struct adshard_member, state), &state, 1);
	leg.chunk = htole32(1 << 30);
	seed_patch("large", MEMBERS_BLOCK, member1 +
		   offsetof(struct adshard_member, data_chunks), &leg, 4);
}

void fuzz_seeds(void)
{
	static const char *const changes[] = {
		"", "\x04\x00", "\x04\x02", "\x0c\x02\x04\x0a",
		"\x07\x02\x40\x00", "\x07\x83\x00\x02", "\x1b\x02\x01\x01",
		"\x0a\x03\x01", "\x05\x81\x20\0\0\0\0\0\0\0",
		"\x06\x02\x01\x0f", "\x01\x04\x64\x00\x03\x01\x02\x03\x04",
	};
	static const unsigned int length[] = { 0, 2, 2, 4, 4, 4, 4, 3, 10, 4, 9 };
	char buf[32], name[24];

	seed_maps();
	for (unsigned int b = 0; b < BASES; b++) {
		for (unsigned int i = 0; i < 11; i++) {
			buf[0] = b;
			buf[1] = i == 9 ? FAULTS : i % 8 ? CHAIN : 0;
			memcpy(buf + 2, changes[i], length[i]);
			snprintf(name, sizeof(name), "%u-%u", b, i);
			fuzz_seed(name, buf, 2 + length[i]);
		}
	}
}
