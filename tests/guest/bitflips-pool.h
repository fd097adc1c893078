/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For bitflips.c: the pool, its metadata in memory, what its segments are stamped with, and
 * damage that is done to it and taken back.
 */
#ifndef BITFLIPS_POOL_H
#define BITFLIPS_POOL_H

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "../unit/format-host.h"

#include "../../kernel/format.c"
#undef AT
#include "../../kernel/format-state.c"
#undef AT
#define no_uuid no_uuid_super
#include "../../kernel/format-super.c"
#include "../../kernel/format-seg.c"
#undef no_uuid
#undef AT

#include "bitflips-fields.h"
#include "dm.h"
#include "random.h"

#define BLOCK		4096
#define DEVICES		8
#define SEGMENTS	ADSHARD_SEGMENTS_PER_BLOCK
#define STAMPS		3		/* blocks of a segment */
#define MAX_DAMAGE	32

/* Without padding: compared as bytes. */
struct place {
	uint64_t member;
	uint64_t sector;
};

struct damage {
	unsigned int device;
	uint32_t block;
	uint8_t data[BLOCK];
};

static struct {
	const char *name;
	char **dev;
	unsigned int nr_devs;
	int fd[DEVICES], kmsg;
	char table[4096];
	uint64_t sectors;
	uint64_t rnd;
	struct ads_super sb[DEVICES];
	uint8_t *image[DEVICES];	/* all metadata */
	uint32_t blocks;
	uint8_t *scratch;
	unsigned int area;		/* the newer table */
	uint32_t last, older;		/* ring indices */
	unsigned int nr_segments;
	struct place map[SEGMENTS];
	struct damage damage[MAX_DAMAGE];
	unsigned int nr_damage;
	char what[256];
	unsigned int lines;		/* of the log, in the last activation */
} b;

static struct {
	uint64_t trials, refused, refused_one_block, refused_two_owners, repaired, unnoticed, wrong_data, not_healed, wrote, silent, twice;
	uint64_t forged, forged_refused, forged_accepted, forged_elsewhere, shared, lost;
	uint64_t fields;
} n;

static void die(const char *what)
{
	fprintf(stderr, "bitflips: %s: %s\n", what, strerror(errno));
	exit(2);
}

static void complain(uint64_t *count, const char *what)
{
	if ((*count)++ < 10)
		fprintf(stderr, "bitflips: %s: %s\n", b.what, what);
}

static void *pages(size_t size)
{
	void *p = aligned_alloc(BLOCK, size);

	if (!p)
		die("memory");
	return memset(p, 0, size);
}

/* The kernel's log ----------------------------------------------------------*/

/* How many lines device-mapper has said since the last time. */
static unsigned int log_lines(void)
{
	char line[2048];
	unsigned int found = 0;
	ssize_t len;

	while ((len = read(b.kmsg, line, sizeof(line) - 1)) > 0 || (len < 0 && errno == EPIPE)) {
		line[len < 0 ? 0 : len] = 0;
		found += strstr(line, "device-mapper") != NULL;
	}
	return found;
}

/* Volume ----------------------------------------------------------------------*/

static uint64_t segment_bytes(void)
{
	return 512ULL << b.sb[0].geo.segment_shift;
}

static uint64_t stamp_at(unsigned int seg, unsigned int i)
{
	uint64_t blocks = segment_bytes() / BLOCK;

	return seg * segment_bytes() + (i == 0 ? 0 : i == 1 ? blocks / 3 : blocks - 1) * BLOCK;
}

static void stamp(uint64_t *buf, unsigned int seg, unsigned int i)
{
	uint64_t s = seg * 1000 + i + 1;

	for (unsigned int k = 0; k < BLOCK / 8; k++)
		buf[k] = rnd_next(&s);
}

static void write_stamps(int fd)
{
	uint64_t *buf = pages(BLOCK);

	for (unsigned int seg = 0; seg < b.nr_segments; seg++)
		for (unsigned int i = 0; i < STAMPS; i++) {
			stamp(buf, seg, i);
			if (pwrite(fd, buf, BLOCK, stamp_at(seg, i)) != BLOCK)
				die("stamp");
		}
	free(buf);
}

/* How many are not what was written. */
static unsigned int check_stamps(void)
{
	static uint64_t want[BLOCK / 8];
	uint64_t *buf = (void *)b.scratch;
	int fd = dm_open(b.name, O_RDONLY | O_DIRECT);
	unsigned int bad = 0;

	if (fd < 0)
		return 1;
	for (unsigned int seg = 0; seg < b.nr_segments; seg++)
		for (unsigned int i = 0; i < STAMPS; i++) {
			stamp(want, seg, i);
			bad += pread(fd, buf, BLOCK, stamp_at(seg, i)) != BLOCK || memcmp(buf, want, BLOCK);
		}
	close(fd);
	return bad;
}

static void message(const char *fmt, ...)
{
	char text[128];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (dm_message(b.name, text, NULL, 0))
		die(text);
}

/* False: some segment has no place that can be told. */
static bool read_map(struct place *map)
{
	char text[64], answer[256];

	for (unsigned int seg = 0; seg < b.nr_segments; seg++) {
		unsigned long long member, sector;

		snprintf(text, sizeof(text), "locate %u", seg);
		if (dm_message(b.name, text, answer, sizeof(answer)) ||
		    sscanf(answer, "%llu %*s %llu", &member, &sector) != 2)
			return false;
		map[seg].member = member;
		map[seg].sector = sector;
	}
	return true;
}

static bool shares_a_place(const struct place *map)
{
	for (unsigned int i = 0; i < b.nr_segments; i++)
		for (unsigned int k = 0; k < i; k++)
			if (map[i].member == map[k].member && map[i].sector == map[k].sector)
				return true;
	return false;
}

static int activate(void)
{
	int r;

	log_lines();
	r = dm_table(DM_DEVICE_CREATE, b.name, 0, b.sectors, "adshard", b.table);
	b.lines = log_lines();
	return r;
}

static void deactivate(void)
{
	for (int i = 0; i < 1000 && dm_remove(b.name); i++)
		usleep(10000);
}

/* Metadata --------------------------------------------------------------------*/

static uint8_t *block_of(unsigned int dev, uint32_t block)
{
	return b.image[dev] + (size_t)block * BLOCK;
}

static void put_back(void)
{
	for (unsigned int i = 0; i < b.nr_devs; i++)
		if (pwrite(b.fd[i], b.image[i], (size_t)b.blocks * BLOCK, 0) != (ssize_t)b.blocks * BLOCK)
			die("put back");
	b.nr_damage = 0;
}

/* Is everything on the members as the damage has left it? */
static bool untouched(void)
{
	for (unsigned int i = 0; i < b.nr_devs; i++) {
		if (pread(b.fd[i], b.scratch, (size_t)b.blocks * BLOCK, 0) != (ssize_t)b.blocks * BLOCK)
			die("read");
		/* The last of several to one block counts. */
		for (unsigned int k = 0; k < b.nr_damage; k++)
			if (b.damage[k].device == i)
				memcpy(b.scratch + (size_t)b.damage[k].block * BLOCK, block_of(i, b.damage[k].block), BLOCK);
		if (memcmp(b.scratch, b.image[i], (size_t)b.blocks * BLOCK))
			return false;
	}
	return true;
}

static struct damage *add_damage(unsigned int dev, uint32_t block)
{
	struct damage *d = &b.damage[b.nr_damage++];

	if (b.nr_damage > MAX_DAMAGE)
		abort();
	d->device = dev;
	d->block = block;
	memcpy(d->data, block_of(dev, block), BLOCK);
	return d;
}

static void inflict(void)
{
	for (unsigned int i = 0; i < b.nr_damage; i++) {
		memcpy(b.scratch, b.damage[i].data, BLOCK);
		if (pwrite(b.fd[b.damage[i].device], b.scratch, BLOCK, (off_t)b.damage[i].block * BLOCK) != BLOCK)
			die("damage");
	}
}

static uint32_t header_block(void)
{
	return b.sb[0].geo.table_block[b.area];
}

static uint32_t kind_block(int kind)
{
	const struct ads_geometry *geo = &b.sb[0].geo;

	switch (kind) {
	case SUPER: return ADSHARD_SB_BLOCK0;
	case LAST_RECORD: return geo->journal_block + b.last;
	case OLD_RECORD: return geo->journal_block + b.older;
	case TABLE: return header_block();
	case BODY_MEMBERS: return header_block() + 1;
	default: return header_block() + 1 + ads_fmt_member_blocks(geo);
	}
}

/* Gives it the checksum that it would have had if the kernel had written it. */
static void seal(int kind, struct damage *d)
{
	const struct ads_super *sb = &b.sb[d->device];
	size_t at = kind == SUPER ? offsetof(struct adshard_super, crc) : 4;
	const uint8_t *pool = sb->geo.pool_uuid, *uuid = sb->uuid;
	uint32_t crc;

	if (kind == SUPER) {
		/* A superblock is its own witness. */
		pool = d->data + offsetof(struct adshard_super, pool_uuid);
		uuid = d->data + offsetof(struct adshard_super, member_uuid);
	}
	crc = ads_fmt_seal(pool, uuid, d->block, d->data, at);
	memcpy(d->data + at, &crc, sizeof(crc));
}

/* A forged body needs a header that agrees. */
static void forge_header(unsigned int dev, const struct damage *body)
{
	uint32_t nr = ads_fmt_body_blocks(&b.sb[0].geo), crc = ~0U, i;
	struct damage *d = add_damage(dev, header_block());

	for (i = 0; i < nr; i++) {
		uint32_t at = header_block() + 1 + i;
		const void *data = at == body->block ? body->data : block_of(dev, at);

		crc = ads_fmt_sum_add(crc, ads_fmt_body_sum(data));
	}
	((struct adshard_table *)d->data)->body_crc = cpu_to_le32(crc);
	seal(TABLE, d);
}

static void change(uint8_t *p, unsigned int bytes, unsigned int value)
{
	switch (value) {
	case 0: p[0] ^= 1; break;
	case 1: p[bytes - 1] ^= 0x80; break;
	case 2: memset(p, 0xff, bytes); break;
	default: memset(p, 0, bytes);
	}
}

/* Setting up ------------------------------------------------------------------*/

static void records_of_members(unsigned int pairs)
{
	while (pairs--) {
		message("member %u draining", pairs % b.nr_devs);
		message("member %u online", pairs % b.nr_devs);
	}
}

static void move_segments(unsigned int from, unsigned int to)
{
	unsigned int i;

	for (i = from; i < to; i++) {
		struct place map[SEGMENTS];
		char text[64];

		if (!read_map(map))
			die("map");
		snprintf(text, sizeof(text), "migrate %u %u", i, (unsigned int)(map[i].member + 1) % b.nr_devs);
		dm_message(b.name, text, NULL, 0);
	}
	for (i = 0; i < 2000; i++) {
		char words[1024];
		unsigned int active = 1, queued = 1;

		if (!dm_words(DM_DEVICE_STATUS, b.name, words, sizeof(words), NULL))
			sscanf(words, "%*s %*u %*u %*u %*u %u %u", &active, &queued);
		if (!active && !queued)
			break;
		usleep(10000);
	}
}

/*
 * The ring goes round, so that both tables are checkpoints; the newer one has segments that have
 * moved; and there is one that has moved since.
 */
static void exercise(void)
{
	records_of_members(150);
	move_segments(0, b.nr_segments);
	records_of_members(150);
	move_segments(1, 2);
	records_of_members(2);
}

/* The last record is of a member, the older one the last of a segment: the same on all members. */
static void find_ends(void)
{
	const struct ads_geometry *geo = &b.sb[0].geo;
	uint64_t top = 0, moved = 0, seq, table[2];
	uint32_t i;

	for (i = 0; i < geo->journal_blocks; i++) {
		const struct adshard_record *rec = (void *)block_of(0, geo->journal_block + i);
		const struct adshard_entry *e = (void *)rec->entries;

		seq = le64_to_cpu(rec->state.seq);
		if (le32_to_cpu(rec->magic) != ADSHARD_RECORD_MAGIC)
			continue;
		if (seq > top) {
			top = seq;
			b.last = i;
		}
		if (le16_to_cpu(rec->nr_entries) && le16_to_cpu(e->type) == ADSHARD_ENTRY_SEG && seq > moved) {
			moved = seq;
			b.older = i;
		}
	}
	if (!moved)
		die("no record of a move");
	for (i = 0; i < 2; i++)
		table[i] = le64_to_cpu(((struct adshard_table *)block_of(0, geo->table_block[i]))->state.seq);
	b.area = table[1] > table[0];
}

static void setup(void)
{
	uint8_t *sb = pages(BLOCK);
	const char *why = NULL;
	unsigned int i;
	int fd;

	b.kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
	if (b.kmsg < 0 || dm_words(DM_DEVICE_TABLE, b.name, b.table, sizeof(b.table), &b.sectors))
		die(b.name);
	lseek(b.kmsg, 0, SEEK_END);
	for (i = 0; i < b.nr_devs; i++) {
		b.fd[i] = open(b.dev[i], O_RDWR | O_DIRECT);
		if (b.fd[i] < 0 || pread(b.fd[i], sb, BLOCK, ADSHARD_SB_BLOCK0 * BLOCK) != BLOCK ||
		    ads_fmt_super_check((void *)sb, 0, &why))
			die(b.dev[i]);
		ads_fmt_super_decode((void *)sb, &b.sb[i]);
	}
	b.nr_segments = (b.sectors + (1U << b.sb[0].geo.segment_shift) - 1) >> b.sb[0].geo.segment_shift;
	if (b.nr_segments > SEGMENTS)
		die("too many segments");
	b.blocks = b.sb[0].data_start / ADSHARD_BLOCK_SECTORS;
	b.scratch = pages((size_t)b.blocks * BLOCK);
	exercise();
	fd = dm_open(b.name, O_WRONLY | O_DIRECT);
	if (fd < 0)
		die(b.name);
	write_stamps(fd);
	close(fd);
	if (!read_map(b.map) || check_stamps())
		die("stamps");
	deactivate();
	for (i = 0; i < b.nr_devs; i++) {
		b.image[i] = pages((size_t)b.blocks * BLOCK);
		if (pread(b.fd[i], b.image[i], (size_t)b.blocks * BLOCK, 0) != (ssize_t)b.blocks * BLOCK)
			die("image");
	}
	find_ends();
}

#endif
