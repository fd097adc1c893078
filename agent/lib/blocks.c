// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <linux/adshard-format.h>
#include <linux/fs.h>

#include "blocks.h"
#include "dev.h"

void *ads_blocks_alloc(size_t nr)
{
	size_t size = (nr ? nr : 1) * ADSHARD_BLOCK_SIZE;
	void *p = aligned_alloc(ADSHARD_BLOCK_SIZE, size);

	if (!p)
		abort();
	return memset(p, 0, size);
}

int ads_blocks_open(const char *path, bool write, struct ads_blocks **out,
		    struct ads_err *err)
{
	int flags = (write ? O_RDWR | O_EXCL : O_RDONLY) | O_NONBLOCK |
		    O_CLOEXEC;
	struct ads_blocks *b = calloc(1, sizeof(*b));
	struct stat st;
	int rc, lbs;

	if (!b)
		return -ENOMEM;
	/* O_DIRECT: the page cache may hold what was there before the pool. */
	b->fd = open(path, flags | O_DIRECT);
	if (b->fd < 0 && errno == EINVAL)
		b->fd = open(path, flags);
	if (b->fd < 0) {
		rc = ads_err(err, -errno, "%s: can't be opened: %s", path,
			     errno == EBUSY ? "it is in use" : strerror(errno));
		free(b);
		return rc;
	}
	b->path = strdup(path);
	b->logical_block_size = 512;
	rc = ads_dev_size(b->fd, &b->size);
	if (!rc && !fstat(b->fd, &st) && S_ISBLK(st.st_mode)) {
		b->major = major(st.st_rdev);
		b->minor = minor(st.st_rdev);
		if (!ioctl(b->fd, BLKSSZGET, &lbs) && lbs > 0)
			b->logical_block_size = lbs;
	}
	if (rc) {
		ads_err(err, rc, "%s is neither a block device nor an image",
			path);
		ads_blocks_close(b);
		return rc;
	}
	*out = b;
	return 0;
}

void ads_blocks_close(struct ads_blocks *b)
{
	if (!b)
		return;
	ads_blocks_revert(b);
	close(b->fd);
	free(b->path);
	free(b);
}

/*---------------------------------------------------------------------------*/

static bool read_range(struct ads_blocks *b, uint64_t block, uint32_t nr,
		       void *buf)
{
	size_t have = 0, want = (size_t)nr * ADSHARD_BLOCK_SIZE;

	while (have < want) {
		ssize_t n = pread(b->fd, (char *)buf + have, want - have,
				  (off_t)(block * ADSHARD_BLOCK_SIZE + have));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		have += n;
	}
	return true;
}

/* The first change that is not below @block. */
static size_t find_change(const struct ads_blocks *b, uint64_t block)
{
	size_t low = 0, high = b->nr_change;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (b->change[mid].block < block)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

uint32_t ads_blocks_read(struct ads_blocks *b, uint64_t block, uint32_t nr,
			 void *buf, bool *bad)
{
	bool whole = read_range(b, block, nr, buf);
	size_t k = find_change(b, block);
	uint32_t failed = 0;

	for (uint32_t i = 0; i < nr; i++) {
		char *at = (char *)buf + (size_t)i * ADSHARD_BLOCK_SIZE;
		bool good = whole;

		/* One by one: a bad sector must not hide its neighbours. */
		if (!whole)
			good = read_range(b, block + i, 1, at);
		if (!good)
			memset(at, 0, ADSHARD_BLOCK_SIZE);
		if (k < b->nr_change && b->change[k].block == block + i) {
			memcpy(at, b->change[k++].data, ADSHARD_BLOCK_SIZE);
			good = true;
		}
		failed += !good;
		if (bad)
			bad[i] = !good;
	}
	return failed;
}

int ads_blocks_read_device(struct ads_blocks *b, uint64_t block, void *buf)
{
	if (read_range(b, block, 1, buf))
		return 0;
	memset(buf, 0, ADSHARD_BLOCK_SIZE);
	return -EIO;
}

void ads_blocks_change(struct ads_blocks *b, uint64_t block,
		       unsigned int phase, const void *data)
{
	size_t at = find_change(b, block);
	struct ads_change *c;

	if (at == b->nr_change || b->change[at].block != block) {
		c = reallocarray(b->change, b->nr_change + 1, sizeof(*c));
		if (!c)
			abort();
		b->change = c;
		memmove(c + at + 1, c + at, (b->nr_change - at) * sizeof(*c));
		b->nr_change++;
		c[at].data = ads_blocks_alloc(1);
	}
	c = &b->change[at];
	c->block = block;
	c->phase = phase;
	memcpy(c->data, data, ADSHARD_BLOCK_SIZE);
}

void ads_blocks_revert(struct ads_blocks *b)
{
	for (size_t i = 0; i < b->nr_change; i++)
		free(b->change[i].data);
	free(b->change);
	b->change = NULL;
	b->nr_change = 0;
}

/*---------------------------------------------------------------------------*/

int ads_blocks_write(struct ads_blocks *b, uint64_t block, const void *data,
		     struct ads_err *err)
{
	size_t done = 0;

	while (done < ADSHARD_BLOCK_SIZE) {
		ssize_t n = pwrite(b->fd, (const char *)data + done,
				   ADSHARD_BLOCK_SIZE - done,
				   (off_t)(block * ADSHARD_BLOCK_SIZE + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return ads_err(err, n ? -errno : -EIO,
				       "%s: block %llu can't be written: %s",
				       b->path, (unsigned long long)block,
				       strerror(n ? errno : EIO));
		done += n;
	}
	return 0;
}

int ads_blocks_sync(struct ads_blocks *b, struct ads_err *err)
{
	if (!fsync(b->fd))
		return 0;
	return ads_err(err, -errno, "%s: what was written can't be made durable: %s",
		       b->path, strerror(errno));
}
