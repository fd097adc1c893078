/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * I/O of metadata blocks: bios over memory that was allocated beforehand, one
 * at a time to a buffer set, or one to each of many members at once.
 */
#ifndef ADS_METAIO_H
#define ADS_METAIO_H

#include <linux/bio.h>
#include <linux/bitmap.h>
#include <linux/completion.h>

/* Body blocks of a table that are written at a time, to each member. */
#define ADS_MIO_BATCH	16
/* Blocks that are read at a time: one mebibyte. */
#define ADS_MIO_READ	256
/* Seconds to spend on blocks that can't be read, in one request. */
#define ADS_MIO_PATIENCE	60

/* Waits for any number of ads_mio_start(). */
struct ads_mio_wait {
	atomic_t left;
	struct completion done;
};

/**
 * struct ads_mio - a bio and its blocks, for one device at a time
 * @block:	nr_blocks buffers of ADSHARD_BLOCK_SIZE
 * @error:	of the last request
 * @bad:	of the last ads_mio_read(): a bit for each block not read
 */
struct ads_mio {
	struct bio bio;
	struct ads_mio_wait *wait;
	struct bio_vec *vec;
	void **block;
	unsigned int nr_blocks;
	blk_status_t error;
	DECLARE_BITMAP(bad, ADS_MIO_READ);
};

struct ads_mio *ads_mio_alloc(unsigned int nr_blocks);
void ads_mio_free(struct ads_mio *io);

void ads_mio_wait_init(struct ads_mio_wait *wait);
void ads_mio_wait_for(struct ads_mio_wait *wait);

/*
 * Start reading or writing @nr blocks at block @first of @bdev from or to
 * @io->block[0..]. The caller waits before it touches @io again.
 */
void ads_mio_start(struct ads_mio *io, struct block_device *bdev, u64 first,
		   unsigned int nr, blk_opf_t opf, struct ads_mio_wait *wait);
/* After the wait: 0 or -errno. */
int ads_mio_end(struct ads_mio *io);

/* Both in one. */
int ads_mio_do(struct ads_mio *io, struct block_device *bdev, u64 first,
	       unsigned int nr, blk_opf_t opf);

/*
 * Read @nr blocks, up to ADS_MIO_READ. What can't be read is zero, which is no
 * valid metadata block, is marked in @io->bad, and makes the result -EIO. A disk
 * that takes its time to fail is not asked for every block.
 */
int ads_mio_read(struct ads_mio *io, struct block_device *bdev, u64 first,
		 unsigned int nr);

#endif /* ADS_METAIO_H */
