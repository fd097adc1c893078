// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The file that keeps what a repair overwrites: a header block, the devices, the
 * index of the blocks in the order in which they are written, then the blocks.
 * Header and index have checksums, each block that of what was there and that
 * of what came.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/super.h"
#include "lib/units.h"

#include "repair.h"

#define MAGIC		"ADSHBAK"	/* with its NUL: 8 bytes */
#define MAX_BLOCKS	(1U << 24)

struct header {
	uint8_t magic[8];
	__le32 crc;		/* of this block, itself taken as zero */
	__le32 version;		/* 1 */
	uint8_t pool_uuid[16];
	__le64 created;
	__le32 nr_dev, nr_block;
	__le32 index_crc;
	uint8_t reserved[4044];
};

struct device {
	uint8_t uuid[16];	/* of the member */
	__le64 size;		/* bytes */
	__le32 member;
	uint8_t reserved[228];
	char path[256];
};

struct block {
	__le64 block;
	__le32 dev;
	__le32 phase;
	__le32 was, is;		/* crc32c */
	__le32 flags;
	__le32 reserved;
};

#define F_UNREADABLE	1	/* what was there could not be read */

static_assert(sizeof(struct header) == ADSHARD_BLOCK_SIZE, "one block");
static_assert(sizeof(struct device) == 512, "eight to a block");
static_assert(sizeof(struct block) == 32, "128 to a block");

struct file {
	struct header *h;
	struct device *dev;
	struct block *block;
	void *index;		/* both of them */
	size_t index_size;
	int fd;
};

static uint32_t sum(const void *data)
{
	return ads_crc32c(~0U, data, ADSHARD_BLOCK_SIZE);
}

static uint32_t header_sum(const struct header *h)
{
	struct header copy = *h;

	copy.crc = 0;
	return sum(&copy);
}

static void lay_out(struct file *f, uint32_t nr_dev, uint32_t nr_block)
{
	size_t size = nr_dev * sizeof(*f->dev) + nr_block * sizeof(*f->block);
	size_t blocks = (size + ADSHARD_BLOCK_SIZE - 1) / ADSHARD_BLOCK_SIZE;

	f->index = ads_blocks_alloc(blocks);
	f->index_size = blocks * ADSHARD_BLOCK_SIZE;
	f->dev = f->index;
	f->block = (void *)(f->dev + nr_dev);
}

static off_t data_at(const struct file *f, uint32_t i)
{
	return (off_t)(ADSHARD_BLOCK_SIZE + f->index_size +
		       (uint64_t)i * ADSHARD_BLOCK_SIZE);
}

static int put(int fd, const void *data, size_t size, off_t at)
{
	while (size) {
		ssize_t n = pwrite(fd, data, size, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		data = (const char *)data + n;
		size -= n;
		at += n;
	}
	return 0;
}

static int get(int fd, void *data, size_t size, off_t at)
{
	while (size) {
		ssize_t n = pread(fd, data, size, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -ENODATA;
		data = (char *)data + n;
		size -= n;
		at += n;
	}
	return 0;
}

static void close_file(struct file *f)
{
	if (f->fd >= 0)
		close(f->fd);
	free(f->h);
	free(f->index);
}

/*---------------------------------------------------------------------------*/

static void fill_device(struct device *o, const struct ads_off_dev *d)
{
	memcpy(o->uuid, d->sb.uuid, sizeof(o->uuid));
	o->size = htole64(d->b->size);
	o->member = htole32(d->sb.index);
	snprintf(o->path, sizeof(o->path), "%s", d->b->path);
}

static int write_all(struct repair *r, struct file *f)
{
	const struct ads_off *o = r->p->off;
	char *was = ads_blocks_alloc(1);
	uint32_t n = 0;
	int rc = 0;

	for (unsigned int phase = 0; phase < REPAIR_PHASES; phase++)
		for (size_t i = 0; i < o->nr; i++) {
			struct ads_blocks *b = o->dev[i]->b;

			for (size_t k = 0; !rc && k < b->nr_change; k++) {
				const struct ads_change *c = &b->change[k];
				struct block *e = &f->block[n];

				if (c->phase != phase)
					continue;
				if (ads_blocks_read_device(b, c->block, was))
					e->flags = htole32(F_UNREADABLE);
				e->block = htole64(c->block);
				e->dev = htole32((uint32_t)i);
				e->phase = htole32(phase);
				e->was = htole32(sum(was));
				e->is = htole32(sum(c->data));
				rc = put(f->fd, was, ADSHARD_BLOCK_SIZE,
					 data_at(f, n++));
			}
		}
	free(was);
	for (size_t i = 0; i < o->nr; i++)
		fill_device(&f->dev[i], o->dev[i]);
	if (!rc)
		rc = put(f->fd, f->index, f->index_size, ADSHARD_BLOCK_SIZE);
	f->h->index_crc = htole32(ads_crc32c(~0U, f->index, f->index_size));
	f->h->crc = htole32(header_sum(f->h));
	if (!rc)
		rc = put(f->fd, f->h, sizeof(*f->h), 0);
	return rc;
}

/* The name must be as durable as what is in the file. */
static int sync_folder(const char *path)
{
	char *copy = strdup(path);
	int fd, rc = 0;

	if (!copy)
		return -ENOMEM;
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd))
		rc = -errno;
	if (fd >= 0)
		close(fd);
	free(copy);
	return rc;
}

int backup_make(struct repair *r, const char *path)
{
	const struct ads_off *o = r->p->off;
	struct file f = { .fd = -1 };
	int rc = 0;

	f.h = ads_blocks_alloc(1);
	memcpy(f.h->magic, MAGIC, sizeof(f.h->magic));
	f.h->version = htole32(1);
	memcpy(f.h->pool_uuid, o->geo.pool_uuid, sizeof(f.h->pool_uuid));
	f.h->created = htole64(time(NULL));
	f.h->nr_dev = htole32((uint32_t)o->nr);
	f.h->nr_block = htole32((uint32_t)r->nr_block);
	lay_out(&f, (uint32_t)o->nr, (uint32_t)r->nr_block);
	f.fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (f.fd < 0)
		rc = -errno;
	if (!rc)
		rc = write_all(r, &f);
	if (!rc && fsync(f.fd))
		rc = -errno;
	if (!rc)
		rc = sync_folder(path);
	close_file(&f);
	if (!rc)
		return CTL_OK;
	return ctl_fail(r->c, rc == -EEXIST ? CTL_REFUSED : CTL_FAILED,
			"the backup %s can't be written: %s; nothing was repaired",
			path, strerror(-rc));
}

/*---------------------------------------------------------------------------*/

static const char *open_file(struct file *f, const char *path)
{
	uint32_t nr_dev, nr_block;

	f->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (f->fd < 0)
		return strerror(errno);
	f->h = ads_blocks_alloc(1);
	if (get(f->fd, f->h, sizeof(*f->h), 0) ||
	    memcmp(f->h->magic, MAGIC, sizeof(f->h->magic)))
		return "it is no backup of a repair";
	if (le32toh(f->h->crc) != header_sum(f->h))
		return "its header is damaged";
	if (le32toh(f->h->version) != 1)
		return "it is of a later version";
	nr_dev = le32toh(f->h->nr_dev);
	nr_block = le32toh(f->h->nr_block);
	if (!nr_dev || nr_dev > ADSHARD_MAX_MEMBERS || nr_block > MAX_BLOCKS)
		return "its header makes no sense";
	lay_out(f, nr_dev, nr_block);
	if (get(f->fd, f->index, f->index_size, ADSHARD_BLOCK_SIZE) ||
	    le32toh(f->h->index_crc) != ads_crc32c(~0U, f->index,
						   f->index_size))
		return "its index is damaged";
	for (uint32_t i = 0; i < nr_block; i++) {
		const struct block *e = &f->block[i];

		if (le32toh(e->dev) >= nr_dev ||
		    le32toh(e->phase) >= REPAIR_PHASES ||
		    le64toh(e->block) >= le64toh(f->dev[le32toh(e->dev)].size) /
					 ADSHARD_BLOCK_SIZE)
			return "its index makes no sense";
	}
	for (uint32_t i = 0; i < nr_dev; i++)
		f->dev[i].path[sizeof(f->dev[i].path) - 1] = '\0';
	return NULL;
}

static bool touched(const struct file *f, uint32_t dev)
{
	for (uint32_t i = 0; i < le32toh(f->h->nr_block); i++)
		if (le32toh(f->block[i].dev) == dev)
			return true;
	return false;
}

/* Every block is as the repair left it, or as it was before. */
static bool fits(const struct file *f, uint32_t dev, struct ads_blocks *b)
{
	char *now = ads_blocks_alloc(1);
	bool good = b->size == le64toh(f->dev[dev].size);

	for (uint32_t i = 0; good && i < le32toh(f->h->nr_block); i++) {
		const struct block *e = &f->block[i];

		if (le32toh(e->dev) != dev)
			continue;
		if (ads_blocks_read_device(b, le64toh(e->block), now))
			good = le32toh(e->flags) & F_UNREADABLE;
		else
			good = sum(now) == le32toh(e->is) ||
			       sum(now) == le32toh(e->was);
	}
	free(now);
	return good;
}

/* The device that was number @dev: where it was, or among those given. */
static int find_device(struct ctl *c, const struct file *f, uint32_t dev,
		       char **argv, int argc, bool force, bool write,
		       struct ads_blocks **out)
{
	const char *was = f->dev[dev].path;
	struct ads_err err = { "" };
	int rc = 0;

	for (int i = 0; i < (argc ? argc : 1); i++) {
		const char *path = argc ? argv[i] : was;
		struct ads_blocks *b;

		rc = ads_blocks_open(path, write, &b, &err);
		if (rc)
			return ctl_fail_err(c, rc, &err);
		if (fits(f, dev, b) || (force && !strcmp(path, was) &&
		    b->size == le64toh(f->dev[dev].size))) {
			*out = b;
			return CTL_OK;
		}
		ads_blocks_close(b);
	}
	return ctl_fail(c, CTL_REFUSED,
			"%s (member %u) is not as the repair left it, or is another device%s",
			was, le32toh(f->dev[dev].member), force ? "" :
			"; --force writes all the same, if it has the same size");
}

static int undo_phase(struct ctl *c, struct file *f, struct ads_blocks **b,
		      unsigned int phase, size_t *lost)
{
	char *was = ads_blocks_alloc(1);
	struct ads_err err = { "" };
	int rc = 0;

	for (uint32_t i = le32toh(f->h->nr_block); !rc && i--;) {
		const struct block *e = &f->block[i];

		if (le32toh(e->phase) != phase)
			continue;
		if (le32toh(e->flags) & F_UNREADABLE) {
			(*lost)++;
			continue;
		}
		rc = get(f->fd, was, ADSHARD_BLOCK_SIZE, data_at(f, i));
		if (!rc)
			rc = ads_blocks_write(b[le32toh(e->dev)],
					      le64toh(e->block), was, &err);
	}
	for (uint32_t i = 0; !rc && i < le32toh(f->h->nr_dev); i++)
		if (b[i])
			rc = ads_blocks_sync(b[i], &err);
	free(was);
	return rc ? ctl_fail_err(c, rc, &err) : CTL_OK;
}

/* The blocks themselves: all must be readable before the first is written. */
static bool data_whole(const struct file *f)
{
	char *was = ads_blocks_alloc(1);
	bool good = true;

	for (uint32_t i = 0; good && i < le32toh(f->h->nr_block); i++)
		good = !get(f->fd, was, ADSHARD_BLOCK_SIZE, data_at(f, i)) &&
		       sum(was) == le32toh(f->block[i].was);
	free(was);
	return good;
}

static int restore(struct ctl *c, struct file *f, char **argv, int argc,
		   bool force, bool dry)
{
	uint32_t nr = le32toh(f->h->nr_dev);
	struct ads_blocks **b = calloc(nr, sizeof(struct ads_blocks *));
	size_t lost = 0;
	int rc = CTL_OK;

	if (!b)
		abort();
	for (uint32_t i = 0; !rc && i < nr; i++)
		if (touched(f, i))
			rc = find_device(c, f, i, argc ? argv : NULL, argc,
					 force, !dry, &b[i]);
	for (unsigned int p = REPAIR_PHASES; !rc && !dry && p--;)
		rc = undo_phase(c, f, b, p, &lost);
	if (!rc)
		ctl_say(c, dry ? "would write back %u blocks; nothing was done" :
			"%u blocks are as they were before the repair",
			le32toh(f->h->nr_block) - (uint32_t)lost);
	if (!rc && lost)
		ctl_warn(c, "%zu block%s could not be read before the repair, and stay%s as repaired",
			 lost, lost == 1 ? "" : "s", lost == 1 ? "s" : "");
	for (uint32_t i = 0; i < nr; i++)
		ads_blocks_close(b[i]);
	free(b);
	return rc;
}

int backup_restore(struct ctl *c, const char *path, char **argv, int argc,
		   bool force, bool dry)
{
	struct file f = { .fd = -1 };
	const char *wrong = open_file(&f, path);
	char volume[128];
	uint64_t seq;
	int rc;

	if (!wrong && !data_whole(&f))
		wrong = "a block in it is damaged";
	if (wrong)
		rc = ctl_fail(c, f.fd < 0 ? CTL_NOENT : CTL_REFUSED, "%s: %s",
			      path, wrong);
	else if (gather_active(c, f.h->pool_uuid, volume, sizeof(volume), &seq))
		rc = ctl_fail(c, CTL_BUSY,
			      "the pool is active%s%s: deactivate it first",
			      volume[0] ? " on " : "", volume);
	else
		rc = restore(c, &f, argv, argc, force, dry);
	if (!rc && c->doc)
		ads_json_u64(c->doc, "blocks", le32toh(f.h->nr_block));
	close_file(&f);
	return rc;
}
