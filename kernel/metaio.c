// SPDX-License-Identifier: GPL-2.0-only
/*
 * I/O of metadata blocks.
 *
 * A commit may be what stands between a dirty page and the free memory that its
 * write-back would give: nothing here allocates once a buffer set exists, and
 * the bios go to the members' own devices, never through the mapped device.
 * Callers hold memalloc_noio_save() for what the layers below allocate.
 */
#include <linux/blkdev.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include <linux/adshard-format.h>

#include "metaio.h"

struct ads_mio *ads_mio_alloc(unsigned int nr_blocks)
{
	struct ads_mio *io = kzalloc(sizeof(*io), GFP_KERNEL);
	unsigned int i;

	if (!io)
		return NULL;
	io->nr_blocks = nr_blocks;
	io->vec = kcalloc(nr_blocks, sizeof(*io->vec), GFP_KERNEL);
	io->block = kcalloc(nr_blocks, sizeof(*io->block), GFP_KERNEL);
	if (!io->vec || !io->block)
		goto fail;
	for (i = 0; i < nr_blocks; i++) {
		/* Aligned to its size, so it never crosses a page. */
		io->block[i] = kmalloc(ADSHARD_BLOCK_SIZE, GFP_KERNEL);
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
	for (i = 0; io->block && i < io->nr_blocks; i++)
		kfree(io->block[i]);
	kfree(io->block);
	kfree(io->vec);
	kfree(io);
}

/*---------------------------------------------------------------------------*/

void ads_mio_wait_init(struct ads_mio_wait *wait)
{
	/* One more, so that it can't come to an end before the last start. */
	atomic_set(&wait->left, 1);
	init_completion(&wait->done);
}

static void put_one(struct ads_mio_wait *wait)
{
	if (atomic_dec_and_test(&wait->left))
		complete(&wait->done);
}

void ads_mio_wait_for(struct ads_mio_wait *wait)
{
	put_one(wait);
	wait_for_completion_io(&wait->done);
}

static void mio_endio(struct bio *bio)
{
	struct ads_mio *io = container_of(bio, struct ads_mio, bio);

	io->error = bio->bi_status;
	put_one(io->wait);
}

static void start(struct ads_mio *io, struct block_device *bdev, u64 first,
		  void **block, unsigned int nr, blk_opf_t opf,
		  struct ads_mio_wait *wait)
{
	struct bio *bio = &io->bio;
	unsigned int i;

	bio_init(bio, bdev, io->vec, io->nr_blocks, opf | REQ_META | REQ_SYNC);
	bio->bi_iter.bi_sector = first * ADSHARD_BLOCK_SECTORS;
	bio->bi_end_io = mio_endio;
	for (i = 0; i < nr; i++)
		__bio_add_page(bio, virt_to_page(block[i]), ADSHARD_BLOCK_SIZE,
			       offset_in_page(block[i]));
	io->wait = wait;
	atomic_inc(&wait->left);
	submit_bio(bio);
}

void ads_mio_start(struct ads_mio *io, struct block_device *bdev, u64 first,
		   unsigned int nr, blk_opf_t opf, struct ads_mio_wait *wait)
{
	start(io, bdev, first, io->block, nr, opf, wait);
}

int ads_mio_end(struct ads_mio *io)
{
	bio_uninit(&io->bio);
	return blk_status_to_errno(io->error);
}

static int do_blocks(struct ads_mio *io, struct block_device *bdev, u64 first,
		     void **block, unsigned int nr, blk_opf_t opf)
{
	struct ads_mio_wait wait;

	ads_mio_wait_init(&wait);
	start(io, bdev, first, block, nr, opf, &wait);
	ads_mio_wait_for(&wait);
	return ads_mio_end(io);
}

int ads_mio_do(struct ads_mio *io, struct block_device *bdev, u64 first,
	       unsigned int nr, blk_opf_t opf)
{
	return do_blocks(io, bdev, first, io->block, nr, opf);
}

int ads_mio_read(struct ads_mio *io, struct block_device *bdev, u64 first,
		 unsigned int nr)
{
	unsigned long end;
	unsigned int i;
	int err = 0;

	bitmap_zero(io->bad, ADS_MIO_READ);
	if (!do_blocks(io, bdev, first, io->block, nr, REQ_OP_READ))
		return 0;
	/*
	 * One bad sector must not hide the 255 good blocks around it; but a disk
	 * that needs half a minute to say so must not hold everybody for hours.
	 */
	end = jiffies + ADS_MIO_PATIENCE * HZ;
	for (i = 0; i < nr; i++) {
		if ((!err || time_before(jiffies, end)) &&
		    !do_blocks(io, bdev, first + i, io->block + i, 1,
			       REQ_OP_READ))
			continue;
		memset(io->block[i], 0, ADSHARD_BLOCK_SIZE);
		__set_bit(i, io->bad);
		err = -EIO;
	}
	return err;
}
