/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A tiny formatter: images with a superblock and, if wanted, metadata.
 */
#ifndef CTL_FORMAT_H
#define CTL_FORMAT_H

#include <assert.h>
#include <endian.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/adshard-format.h>

#include "lib/super.h"

#define IMG_SIZE	(16ULL << 20)
#define IMG_TABLE_BLOCKS 145

struct image {
	char path[64];
	uint8_t pool[16], member[16];
	uint16_t index;
	uint64_t sb_seq;
};

static inline void fill_uuid(uint8_t *uuid, uint8_t seed)
{
	for (int i = 0; i < 16; i++)
		uuid[i] = seed + i;
}

static inline void image_write(const char *path, uint64_t block, const void *b)
{
	int fd = open(path, O_WRONLY);

	assert(fd >= 0);
	assert(pwrite(fd, b, 4096, block * 4096) == 4096);
	close(fd);
}

static inline void super_init(struct adshard_super *d, const struct image *im)
{
	memset(d, 0, sizeof(*d));
	memcpy(d->magic, ADSHARD_SB_MAGIC, 8);
	d->version = htole32(1);
	d->sb_seq = htole64(im->sb_seq);
	memcpy(d->pool_uuid, im->pool, 16);
	memcpy(d->member_uuid, im->member, 16);
	strcpy((char *)d->pool_name, "tank");
	d->member_sectors = htole64(IMG_SIZE / 512);
	d->data_start = htole64((3ULL << 20) / 512);
	d->data_chunks = htole32(13 * 16);
	d->member_index = htole16(im->index);
	d->segment_shift = 11;
	d->chunk_shift = 7;
	d->logical_block_size = htole32(512);
	d->journal_block = htole32(16);
	d->journal_blocks = htole32(240);
	d->table_block[0] = htole32(256);
	d->table_block[1] = htole32(256 + IMG_TABLE_BLOCKS);
	d->table_blocks = htole32(IMG_TABLE_BLOCKS);
	d->max_members = htole32(1024);
	d->max_segments = htole32(1024);
	d->max_bad_blocks = htole32(64);
	d->nr_meta = htole16(1);
	memcpy(d->meta_uuid[0], im->member, 16);
}

static inline void super_write(const struct image *im,
			       struct adshard_super *d, uint64_t block)
{
	d->crc = htole32(ads_block_crc(d->pool_uuid, d->member_uuid, block, d,
				       offsetof(struct adshard_super, crc)));
	image_write(im->path, block, d);
}

/* An image with two good copies; the caller unlinks it. */
static inline void image_make(struct image *im, uint8_t pool, uint8_t member,
			      uint16_t index)
{
	struct adshard_super d;
	int fd;

	memset(im, 0, sizeof(*im));
	strcpy(im->path, "/tmp/ctl-img-XXXXXX");
	fd = mkstemp(im->path);
	assert(fd >= 0 && !ftruncate(fd, IMG_SIZE));
	close(fd);
	fill_uuid(im->pool, pool);
	fill_uuid(im->member, member);
	im->index = index;
	im->sb_seq = 1;
	super_init(&d, im);
	super_write(im, &d, 1);
	super_write(im, &d, 3);
}

static inline void block_write(const struct image *im, uint64_t block,
			       void *data)
{
	struct adshard_table *t = data;

	t->crc = htole32(ads_block_crc(im->pool, im->member, block, data,
				       offsetof(struct adshard_table, crc)));
	image_write(im->path, block, data);
}

static inline void state_init(struct adshard_state *s, uint64_t seq,
			      uint64_t sectors)
{
	memset(s, 0, sizeof(*s));
	s->seq = htole64(seq);
	s->volume_sectors = htole64(sectors);
	s->nr_segments = htole32(sectors >> 11);
	s->nr_members = htole32(2);
	for (int i = 0; i < ADSHARD_META_MEMBERS; i++)
		s->meta_member[i] = htole16(i ? ADSHARD_NO_MEMBER : 0);
	s->meta_active = 1;
}

static inline void member_init(struct adshard_member *m, const uint8_t *uuid,
			       uint8_t state)
{
	memset(m, 0, sizeof(*m));
	memcpy(m->uuid, uuid, 16);
	m->state = state;
}

/* Table @area after record @seq: members with UUIDs of seeds 0x40 and 0x60. */
static inline void table_write(const struct image *im, int area, uint64_t seq)
{
	uint64_t at = 256 + (uint64_t)area * IMG_TABLE_BLOCKS;
	struct adshard_table t;
	uint8_t uuid[16];

	for (uint32_t b = 0; b < 69; b++) {
		struct adshard_body body;

		memset(&body, 0, sizeof(body));
		body.magic = htole32(ADSHARD_TABLE_MAGIC);
		body.kind = htole32(ADSHARD_BODY_MEMBERS);
		body.first = htole32(b * ADSHARD_MEMBERS_PER_BLOCK);
		if (!b) {
			fill_uuid(uuid, 0x40);
			member_init(&body.u.members[0], uuid,
				    ADSHARD_MEMBER_ONLINE);
			fill_uuid(uuid, 0x60);
			member_init(&body.u.members[1], uuid,
				    ADSHARD_MEMBER_ONLINE);
		}
		block_write(im, at + 1 + b, &body);
	}
	memset(&t, 0, sizeof(t));
	t.magic = htole32(ADSHARD_TABLE_MAGIC);
	state_init(&t.state, seq, 8192);
	block_write(im, at, &t);
}

/* A record that sets the state of member 1. */
static inline void record_write(const struct image *im, uint64_t seq,
				uint8_t state)
{
	struct adshard_record r;
	struct adshard_entry *e = (void *)r.entries;
	uint8_t uuid[16];

	memset(&r, 0, sizeof(r));
	r.magic = htole32(ADSHARD_RECORD_MAGIC);
	state_init(&r.state, seq, 8192);
	r.nr_entries = htole16(1);
	r.bytes = htole16(sizeof(*e) + sizeof(struct adshard_member));
	e->type = htole16(ADSHARD_ENTRY_MEMBER);
	e->bytes = htole16(sizeof(struct adshard_member));
	e->index = htole32(1);
	fill_uuid(uuid, 0x60);
	member_init((void *)(e + 1), uuid, state);
	block_write(im, 16 + seq % 240, &r);
}

#endif
