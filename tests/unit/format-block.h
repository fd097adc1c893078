/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For the tests of the on-disk format: the codec itself, a small TAP, and a
 * pool to make blocks of. Each test program compiles the kernel's codec in.
 */
#ifndef FORMAT_BLOCK_H
#define FORMAT_BLOCK_H

#include <stdio.h>
#include <stdlib.h>

#include "format-host.h"

#include "../../kernel/format.c"
#undef AT
#include "../../kernel/format-state.c"
#undef AT
#define no_uuid no_uuid_super
#include "../../kernel/format-super.c"
#include "../../kernel/format-seg.c"
#undef no_uuid
#undef AT

static unsigned int tap_count, tap_failed;

static inline bool ok(bool good, const char *name)
{
	printf("%sok %u - %s\n", good ? "" : "not ", ++tap_count, name);
	tap_failed += !good;
	return good;
}

static inline int done_testing(void)
{
	printf("1..%u\n", tap_count);
	return tap_failed ? 1 : 0;
}

/* A generator that gives the same on every run. */
static inline u64 rnd(void)
{
	static u64 s = 0x9e3779b97f4a7c15ULL;

	s ^= s << 13;
	s ^= s >> 7;
	s ^= s << 17;
	return s;
}

static const u8 uuid_a[16] = "member A's uuid.";
static const u8 uuid_b[16] = "member B's uuid.";

static inline struct ads_geometry test_geo(void)
{
	struct ads_geometry geo;

	memset(&geo, 0, sizeof(geo));
	memcpy(geo.pool_uuid, "the pool's uuid.", 16);
	strcpy(geo.name, "test");
	geo.created = 1700000000;
	geo.logical_block_size = 512;
	geo.segment_shift = 15;
	geo.chunk_shift = 11;
	ads_fmt_layout(&geo, 300);
	return geo;
}

static inline struct ads_super test_super(void)
{
	struct ads_super s;

	memset(&s, 0, sizeof(s));
	s.geo = test_geo();
	s.seq = 7;
	s.data_start = ads_fmt_layout(&s.geo, 300);
	s.data_chunks = 100 << 4;
	s.sectors = s.data_start + (100 << 15) + 17;
	s.index = 3;
	s.nr_meta = 2;
	memcpy(s.uuid, uuid_a, 16);
	memcpy(s.meta_uuid[0], uuid_a, 16);
	memcpy(s.meta_uuid[1], uuid_b, 16);
	return s;
}

static inline struct ads_state test_state(void)
{
	struct ads_state st;

	memset(&st, 0, sizeof(st));
	st.seq = 1000;
	st.term = 5;
	st.history = 0x1122334455667788ULL;
	st.time = 1700000001;
	st.nr_segments = 300;
	st.volume_sectors = (300ULL << 15) - 8;
	st.nr_members = 4;
	memset(st.meta_member, 0xff, sizeof(st.meta_member));
	st.meta_member[0] = 0;
	st.meta_member[2] = 3;
	st.meta_active = 1 | 4;
	return st;
}

static inline struct adshard_member test_member(void)
{
	struct ads_super s = test_super();
	struct adshard_member m;

	memset(&m, 0, sizeof(m));
	memcpy(m.uuid, s.uuid, 16);
	m.sectors = cpu_to_le64(s.sectors);
	m.data_start = cpu_to_le64(s.data_start);
	m.data_chunks = cpu_to_le32(s.data_chunks);
	m.state = ADSHARD_MEMBER_ONLINE;
	return m;
}

#endif
