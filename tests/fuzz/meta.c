// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Tables and journal of a member, as the tools read them.
 *
 * Input: a byte that chooses the layout, then blocks: a byte of flags, one that
 * says which, two bytes of length, the content. Blocks that are not there are zero.
 *
 * Options: -max_len=3000
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>

#include "../unit/ctl-format.h"
#include "fuzz.h"
#include "lib/meta.h"

#define FD	12345

#define UNSEALED	1	/* leave the checksum */
#define RING		2	/* a record, where its number says */
#define AREA		4	/* of the second table area, or for a record: off */
#define BROKEN		8	/* can't be read */

#define MAX_BLOCKS	24

static struct {
	uint64_t nr;
	bool broken;
	uint8_t *data;
} block[MAX_BLOCKS];
static unsigned int nr_blocks;
static uint64_t device_end;
static unsigned long reads;
static struct ads_super sb;

ssize_t __wrap_pread64(int fd, void *buf, size_t size, off_t at);
ssize_t __real_pread64(int fd, void *buf, size_t size, off_t at);

ssize_t __wrap_pread64(int fd, void *buf, size_t size, off_t at)
{
	uint64_t first = at / ADSHARD_BLOCK_SIZE;
	uint64_t end = first + size / ADSHARD_BLOCK_SIZE;

	if (fd != FD)
		return __real_pread64(fd, buf, size, at);
	reads++;
	must(at >= 0 && at % ADSHARD_BLOCK_SIZE == 0);
	must(size && size % ADSHARD_BLOCK_SIZE == 0);
	if (first >= device_end)
		return 0;
	if (end > device_end)
		end = device_end;
	size = (end - first) * ADSHARD_BLOCK_SIZE;
	memset(buf, 0, size);
	for (unsigned int i = 0; i < nr_blocks; i++) {
		if (block[i].nr < first || block[i].nr >= end)
			continue;
		if (block[i].broken) {
			errno = EIO;
			return -1;
		}
		memcpy((char *)buf + (block[i].nr - first) * ADSHARD_BLOCK_SIZE,
		       block[i].data, ADSHARD_BLOCK_SIZE);
	}
	return size;
}

void fuzz_init(void)
{
	for (int i = 0; i < MAX_BLOCKS; i++) {
		block[i].data = aligned_alloc(4096, ADSHARD_BLOCK_SIZE);
		must(block[i].data);
	}
	fill_uuid(sb.pool_uuid, 1);
	fill_uuid(sb.member_uuid, 2);
}

static void choose_layout(uint8_t how)
{
	sb.journal_block = 16;
	sb.journal_blocks = how & 1 ? 7 : 8;
	sb.max_members = how & 2 ? 31 : 15;
	sb.max_segments = 100;
	sb.table_blocks = 1 + (sb.max_members + 14) / 15 + 1;
	sb.table_block[0] = sb.journal_block + sb.journal_blocks;
	sb.table_block[1] = sb.table_block[0] + sb.table_blocks;
	/* a device that has become smaller */
	device_end = how & 4 ? 16 + (how >> 3) : 1 << 20;
}

static void put_block(struct fuzz_in *in)
{
	uint8_t flags = fuzz_u8(in), which = fuzz_u8(in);
	size_t n = fuzz_u16(in) % (ADSHARD_BLOCK_SIZE + 1);
	uint8_t *data = block[nr_blocks].data;
	struct adshard_record *r = (void *)data;
	uint64_t nr;

	memset(data, 0, ADSHARD_BLOCK_SIZE);
	fuzz_take(in, data, n);
	if (flags & RING)
		nr = sb.journal_block +
		     (flags & AREA ? which : le64toh(r->state.seq)) %
			sb.journal_blocks;
	else
		nr = sb.table_block[!!(flags & AREA)] +
		     which % sb.table_blocks;
	if (!(flags & UNSEALED))
		r->crc = htole32(ads_block_crc(sb.pool_uuid, sb.member_uuid, nr,
					       data,
					       offsetof(struct adshard_record,
							crc)));
	block[nr_blocks].nr = nr;
	block[nr_blocks++].broken = flags & BROKEN;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_in in = { data, size };
	struct ads_err err = { "" };
	struct ads_meta *m = NULL;
	int r;

	nr_blocks = 0;
	choose_layout(fuzz_u8(&in));
	while (in.left && nr_blocks < MAX_BLOCKS)
		put_block(&in);
	r = ads_meta_read(FD, "/dev/x", &sb, &m, &err);
	must(!r == !!m && reads);
	if (r) {
		must(err.text[0]);
		return 0;
	}
	must(m->nr_members <= ADSHARD_MAX_MEMBERS);
	for (uint32_t i = 0; i < m->nr_members; i++) {
		must(strlen(m->member[i].domain) < ADSHARD_LABEL_SIZE);
		must(strlen(m->member[i].location) < ADSHARD_LABEL_SIZE);
		must(fuzz_printable(m->member[i].domain));
		must(fuzz_printable(m->member[i].location));
	}
	ads_meta_free(m);
	return 0;
}

static size_t add(uint8_t *buf, size_t at, uint8_t flags, uint8_t which,
		  const void *data, uint16_t size)
{
	buf[at] = flags;
	buf[at + 1] = which;
	memcpy(buf + at + 2, &size, 2);
	memcpy(buf + at + 4, data, size);
	return at + 4 + size;
}

void fuzz_seeds(void)
{
	uint8_t buf[8192] = { 0 }, uuid[16];
	struct adshard_body body = { 0 };
	struct adshard_table t = { 0 };
	size_t at = 1;

	t.magic = htole32(ADSHARD_TABLE_MAGIC);
	state_init(&t.state, 4, 8192);
	at = add(buf, at, 0, 0, &t, 128);
	body.magic = htole32(ADSHARD_TABLE_MAGIC);
	body.kind = htole32(ADSHARD_BODY_MEMBERS);
	fill_uuid(uuid, 0x40);
	member_init(&body.u.members[0], uuid, ADSHARD_MEMBER_ONLINE);
	at = add(buf, at, 0, 1, &body, 96 + 120);
	fuzz_seed("table", buf, at);
	for (int i = 5; i < 8; i++) {
		struct adshard_record r = { 0 };
		struct adshard_entry *e = (void *)r.entries;

		r.magic = htole32(ADSHARD_RECORD_MAGIC);
		state_init(&r.state, i, 8192);
		r.nr_entries = htole16(1);
		r.bytes = htole16(sizeof(*e) + sizeof(struct adshard_member));
		e->type = htole16(ADSHARD_ENTRY_MEMBER);
		e->bytes = htole16(sizeof(struct adshard_member));
		member_init((void *)(e + 1), uuid, ADSHARD_MEMBER_DRAINED);
		at = add(buf, at, RING, 0, &r, 128 + 8 + 256);
	}
	fuzz_seed("records", buf, at);
	state_init(&t.state, 6, 8192);
	at = add(buf, at, AREA, 0, &t, 128);
	at = add(buf, at, AREA, 1, &body, 96 + 120);
	fuzz_seed("both", buf, at);
	buf[0] = 0xf4;
	fuzz_seed("small", buf, at);
}
