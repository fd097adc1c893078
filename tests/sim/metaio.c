// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kernel/metaio.c over devices in memory. A write is there as soon as it is
 * started; what a power cut may leave of it follows from the record of writes.
 */
#include <sys/mman.h>

#include "../../kernel/meta.h"
#include "../../kernel/metaio.h"
#include "sim.h"

struct fault {
	u64 first, nr;
	unsigned int left;
	bool torn;
};

struct sim_dev {
	struct block_device bdev;	/* first */
	u8 *image;
	bool ours;
	unsigned int number;
	struct fault fault[2];
};

static unsigned int writes_left = SIM_NEVER;

static struct {
	struct sim_write *write;
	unsigned int nr, max, waits;
} record;

struct sim_dev *sim_dev_over(const char *name, void *image, uint64_t sectors)
{
	struct sim_dev *dev = calloc(1, sizeof(*dev));

	assert(dev);
	dev->bdev.name = name;
	dev->bdev.sectors = sectors;
	dev->bdev.logical_block_size = 512;
	dev->image = image;
	return dev;
}

static size_t image_size(const struct sim_dev *dev)
{
	return ((dev->bdev.sectors << 9) + 4095) & ~4095ULL;
}

struct sim_dev *sim_dev_new(const char *name, uint64_t sectors)
{
	struct sim_dev *dev = sim_dev_over(name, NULL, sectors);

	dev->ours = true;
	dev->image = mmap(NULL, image_size(dev) + 4096, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	assert(dev->image != MAP_FAILED);
	return dev;
}

void sim_dev_free(struct sim_dev *dev)
{
	if (dev->ours)
		munmap(dev->image, image_size(dev) + 4096);
	free(dev);
}

uint8_t *sim_dev_image(struct sim_dev *dev)
{
	return dev->image;
}

void sim_dev_set_logical_block_size(struct sim_dev *dev, uint32_t bytes)
{
	dev->bdev.logical_block_size = bytes;
}

void sim_dev_set_number(struct sim_dev *dev, unsigned int number)
{
	dev->number = number;
}

void sim_dev_fail(struct sim_dev *dev, enum sim_op op, uint64_t first,
		  uint64_t nr, unsigned int count, bool torn)
{
	dev->fault[op] = (struct fault){ first, nr, count, torn };
}

void sim_cut_after(unsigned int n)
{
	writes_left = n;
}

static bool is_cut(void)
{
	if (writes_left && writes_left != SIM_NEVER)
		writes_left--;
	else if (!writes_left)
		return true;
	return false;
}

static bool fails(struct sim_dev *dev, enum sim_op op, u64 first, u64 nr)
{
	struct fault *f = &dev->fault[op];

	if (!f->left || first >= f->first + f->nr || f->first >= first + nr)
		return false;
	f->left--;
	return true;
}

/*----------------------------------------------------------------*/

static void forget(void)
{
	while (record.nr) {
		struct sim_write *w = &record.write[--record.nr];

		free(w->was);
		free(w->is);
	}
}

void sim_record(unsigned int max)
{
	forget();
	free(record.write);
	record.write = max ? calloc(max, sizeof(*record.write)) : NULL;
	record.max = max;
	record.waits = 0;
	assert(!max || record.write);
}

unsigned int sim_recorded(const struct sim_write **writes)
{
	*writes = record.write;
	return record.nr;
}

unsigned int sim_waits(void)
{
	return record.waits;
}

void sim_rollback(struct sim_dev **devs, unsigned int nr)
{
	unsigned int i, d;

	for (i = record.nr; i--;) {
		const struct sim_write *w = &record.write[i];

		for (d = 0; d < nr; d++)
			if (devs[d]->number == w->dev)
				memcpy(devs[d]->image + (w->block << 12),
				       w->was, (size_t)w->nr << 12);
	}
	forget();
	record.waits = 0;
}

static void keep(struct sim_dev *dev, struct ads_mio *io, u64 first,
		 unsigned int nr, blk_opf_t opf)
{
	struct sim_write *w = &record.write[record.nr++];
	unsigned int i;

	assert(record.nr <= record.max);
	*w = (struct sim_write){
		.block = first, .nr = nr, .dev = dev->number,
		.preflush = opf & REQ_PREFLUSH, .fua = opf & REQ_FUA,
		.wait = record.waits,
		.was = malloc((size_t)nr << 12), .is = malloc((size_t)nr << 12),
	};
	assert(w->was && w->is);
	memcpy(w->was, dev->image + (first << 12), (size_t)nr << 12);
	for (i = 0; i < nr; i++)
		memcpy(w->is + ((size_t)i << 12), io->block[i], 4096);
}

/*--- the seam ---------------------------------------------------*/

struct ads_mio *ads_mio_alloc(unsigned int nr_blocks)
{
	struct ads_mio *io = kzalloc(sizeof(*io), GFP_KERNEL);
	unsigned int i;

	if (!io)
		return NULL;
	io->nr_blocks = nr_blocks;
	io->block = kcalloc(nr_blocks, sizeof(*io->block), GFP_KERNEL);
	if (!io->block)
		goto fail;
	for (i = 0; i < nr_blocks; i++) {
		io->block[i] = sim_block_alloc();
		if (!io->block[i])
			goto fail;
	}
	return io;
fail:
	ads_mio_free(io);
	return NULL;
}

void ads_mio_free(struct ads_mio *io)
{
	unsigned int i;

	if (!io)
		return;
	assert(!io->wait);
	for (i = 0; io->block && i < io->nr_blocks; i++)
		sim_block_free(io->block[i]);
	kfree(io->block);
	kfree(io);
}

void ads_mio_wait_init(struct ads_mio_wait *wait)
{
	wait->left.n = 1;
}

void ads_mio_wait_for(struct ads_mio_wait *wait)
{
	assert(wait->left.n >= 1);
	wait->left.n = 0;
	record.waits++;
}

static blk_status_t transfer(struct sim_dev *dev, struct ads_mio *io, u64 first,
			     unsigned int nr, blk_opf_t opf)
{
	u64 blocks = dev->bdev.sectors / ADSHARD_BLOCK_SECTORS;
	enum sim_op op = opf & REQ_OP_WRITE ? SIM_WRITE : SIM_READ;
	bool bad = fails(dev, op, first, nr);
	unsigned int i;

	/* The block layer refuses what is beyond the end. */
	if (first > blocks || nr > blocks - first)
		return 1;
	if (bad && !(op == SIM_WRITE && dev->fault[op].torn))
		return 1;
	if (op == SIM_WRITE && is_cut())
		return 1;
	if (op == SIM_WRITE && record.max)
		keep(dev, io, first, nr, opf);
	for (i = 0; i < nr; i++) {
		u8 *at = dev->image + ((first + i) << 12);

		if (op == SIM_WRITE)
			memcpy(at, io->block[i], ADSHARD_BLOCK_SIZE);
		else
			memcpy(io->block[i], at, ADSHARD_BLOCK_SIZE);
	}
	return bad;
}

void ads_mio_start(struct ads_mio *io, struct block_device *bdev, u64 first,
		   unsigned int nr, blk_opf_t opf, struct ads_mio_wait *wait)
{
	/* Of no blocks: a flush. */
	assert(!io->wait && (nr || opf & REQ_PREFLUSH) && nr <= io->nr_blocks &&
	       wait->left.n >= 1);
	io->wait = wait;
	wait->left.n++;
	io->error = transfer((struct sim_dev *)bdev, io, first, nr, opf);
}

int ads_mio_end(struct ads_mio *io)
{
	/* Waited for, and not yet looked at. */
	assert(io->wait && !io->wait->left.n);
	io->wait = NULL;
	return io->error ? -EIO : 0;
}

int ads_mio_do(struct ads_mio *io, struct block_device *bdev, u64 first,
	       unsigned int nr, blk_opf_t opf)
{
	struct ads_mio_wait wait;

	ads_mio_wait_init(&wait);
	ads_mio_start(io, bdev, first, nr, opf, &wait);
	ads_mio_wait_for(&wait);
	return ads_mio_end(io);
}

int ads_mio_read(struct ads_mio *io, struct block_device *bdev, u64 first,
		 unsigned int nr)
{
	struct sim_dev *dev = (struct sim_dev *)bdev;
	unsigned int i;
	int err = 0;

	assert(!io->wait && nr && nr <= io->nr_blocks);
	bitmap_zero(io->bad, ADS_MIO_READ);
	if (!transfer(dev, io, first, nr, REQ_OP_READ))
		return 0;
	for (i = 0; i < nr; i++) {
		void *block = io->block[0];
		bool bad;

		io->block[0] = io->block[i];
		bad = transfer(dev, io, first + i, 1, REQ_OP_READ);
		io->block[0] = block;
		if (!bad)
			continue;
		memset(io->block[i], 0, ADSHARD_BLOCK_SIZE);
		__set_bit(i, io->bad);
		err = -EIO;
	}
	return err;
}
