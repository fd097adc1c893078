// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Table areas: headers and body blocks.
 *
 * Input: a byte of flags, two bytes that choose the body block, then the block;
 * what is missing is zero.
 *
 * Options: -max_len=700
 */
#include "format-block.h"
#include "fuzz.h"

#define UNSEALED	1		/* leave the checksum */
#define SECOND		2		/* in area 1 */
#define SMALL		4		/* in a pool with small tables */
#define BODY		8		/* a body block, else the header */

static union {
	struct adshard_table table;
	struct adshard_body body;
} *b;
static struct ads_geometry geos[2];

void fuzz_init(void)
{
	b = aligned_alloc(4096, sizeof(*b));
	must(b);
	geos[0] = geos[1] = test_geo();
	geos[1].max_members = 17;
	geos[1].max_segments = 101;
	geos[1].max_bad_blocks = 2;
}

static void use_header(const struct ads_geometry *geo, unsigned int area,
		       bool seal)
{
	const char *why = NULL;
	struct ads_state st;
	int r;

	if (seal)
		ads_fmt_table_seal(&b->table, geo, uuid_a, area);
	r = ads_fmt_table_check(&b->table, geo, uuid_a, area, &st, &why);
	must(r == 0 || r == -EBADMSG || r == -EOPNOTSUPP || r == -EINVAL);
	must(!!why == !!r);
	if (r)
		return;
	must(st.seq && st.seq <= ADS_FMT_SEQ_MAX && st.meta_active);
	must(st.nr_segments && st.nr_segments <= geo->max_segments);
	must(st.nr_members && st.nr_members <= geo->max_members);
}

static void use_body(const struct ads_geometry *geo, unsigned int area,
		     bool seal, u32 nr)
{
	struct ads_body_at at;
	struct ads_range range;
	struct ads_fmt_seg seg;

	ads_fmt_body_at(geo, nr, &at);
	if (seal)
		ads_fmt_body_seal(&b->body, geo, uuid_a, area, nr);
	if (ads_fmt_body_check(&b->body, geo, uuid_a, area, nr))
		return;
	must(le32toh(b->body.kind) == at.kind);
	for (u32 i = 0; i < at.nr; i++) {
		if (at.kind == ADSHARD_BODY_MEMBERS) {
			must(at.first + i < geo->max_members && i < 15);
			ads_fmt_member_check(&b->body.u.members[i], geo, NULL);
		} else if (at.kind == ADSHARD_BODY_BAD) {
			must(at.first + i < ads_fmt_bad_places(geo) &&
			     i < ADSHARD_BAD_PER_BLOCK);
			ads_fmt_range_decode(&b->body.u.bad[i], geo, &range,
					     NULL);
		} else {
			must(at.first + i < geo->max_segments && i < 100);
			ads_fmt_seg_decode(&b->body.u.segments[i], &seg, NULL);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_in in = { data, size };
	uint8_t flags = fuzz_u8(&in);
	const struct ads_geometry *geo = &geos[!!(flags & SMALL)];
	unsigned int area = !!(flags & SECOND);
	u32 nr = fuzz_u16(&in) % ads_fmt_body_blocks(geo);

	fuzz_take(&in, b, sizeof(*b));
	if (flags & BODY)
		use_body(geo, area, !(flags & UNSEALED), nr);
	else
		use_header(geo, area, !(flags & UNSEALED));
	return 0;
}

static void seed(const char *name, uint8_t flags, u16 nr, const void *block,
		 size_t size)
{
	uint8_t buf[3 + 4096];

	buf[0] = flags;
	memcpy(buf + 1, &nr, 2);
	memcpy(buf + 3, block, size);
	fuzz_seed(name, buf, 3 + size);
}

void fuzz_seeds(void)
{
	struct ads_state st = test_state();
	struct adshard_table t;
	struct adshard_body body;
	char name[24];

	for (int flags = 0; flags < 8; flags++) {
		const struct ads_geometry *geo = &geos[!!(flags & SMALL)];
		u32 last = ads_fmt_member_blocks(geo) +
			   ads_fmt_segment_blocks(geo);

		st.nr_segments = flags & SMALL ? 101 : 300;
		st.volume_sectors = (u64)st.nr_segments << 15;
		ads_fmt_table_init(&t, geo, &st, 1, 2);
		snprintf(name, sizeof(name), "header-%d", flags);
		seed(name, flags, 0, &t, 100);
		ads_fmt_body_init(&body, geo, 0);
		body.u.members[0] = body.u.members[1] = test_member();
		snprintf(name, sizeof(name), "members-%d", flags);
		seed(name, flags | BODY, 0, &body, 96 + 2 * 256);
		ads_fmt_body_init(&body, geo, last - 1);
		ads_fmt_seg_plain(&body.u.segments[0], 2, 64);
		snprintf(name, sizeof(name), "segments-%d", flags);
		seed(name, flags | BODY, last - 1, &body, 96 + 40);
		ads_fmt_body_init(&body, geo, last);
		snprintf(name, sizeof(name), "bad-%d", flags);
		body.u.bad[1].sectors = htole32(8);
		body.u.bad[2].seg = htole32(8);
		seed(name, flags | BODY, last, &body, 96 + 3 * 24);
	}
}
