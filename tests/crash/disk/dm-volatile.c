// SPDX-License-Identifier: GPL-2.0-only
/*
 * A disk in memory with a volatile write cache, for tests. All disks lose their power at one
 * instant. (null_blk's cache is no use: what overwrites a flushed block bypasses it.)
 *
 *	table		volatile <microseconds>		latency: up to so much, at random
 *	messages	cut <seed>	power off, of all: a random part of what was not flushed is
 *					written, the rest is lost; from here I/O waits
 *			off <seed>	the same of this disk alone, and its I/O fails at once
 *			fail		what waits fails, and what comes
 *			power		all disks serve again
 *			bad <n>		the first n sectors can't be written or read; 0: they can
 *			unwritable <n>	the first n sectors can't be written; 0: they can. A discard can
 *					be done: one that fails may leave copies different
 *			lie <0|1>	flushes and FUA are said to be done, and are not
 *
 * A disk takes one bio after the other, in the order in which they come, and ends it when what it
 * asks for is done. Sectors of 512 bytes are written as a whole or not at all.
 */
#include <linux/bio.h>
#include <linux/bitmap.h>
#include <linux/delay.h>
#include <linux/device-mapper.h>
#include <linux/module.h>
#include <linux/rwsem.h>
#include <linux/vmalloc.h>
#include <linux/workqueue.h>

#ifndef module_dm
#define module_dm(name) \
static int __init dm_##name##_init(void) \
{ \
	return dm_register_target(&name##_target); \
} \
module_init(dm_##name##_init); \
static void __exit dm_##name##_exit(void) \
{ \
	dm_unregister_target(&name##_target); \
} \
module_exit(dm_##name##_exit)
#endif

enum power { ON, WAITING, FAILING };

struct vdisk {
	struct list_head node;
	char *stable, *cached;
	unsigned long *dirty;		/* a bit for each sector */
	sector_t sectors, bad, unwritable;
	bool lies;
	unsigned int latency;
	enum power power;
	u64 rnd;
	spinlock_t lock;
	struct bio_list bios;		/* under the lock */
	struct workqueue_struct *wq;
	struct work_struct work;
};

/*
 * Readers serve a bio, the writer changes the power: a cut is one instant for all disks. Also
 * protects the list.
 */
static DECLARE_RWSEM(power_sem);
static LIST_HEAD(disks);

static u64 next_random(u64 *s)
{
	u64 z = *s += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

static void harden(struct vdisk *d, sector_t s)
{
	memcpy(d->stable + (s << SECTOR_SHIFT), d->cached + (s << SECTOR_SHIFT), SECTOR_SIZE);
	__clear_bit(s, d->dirty);
}

static void flush(struct vdisk *d)
{
	unsigned long s;

	if (!d->lies)
		for_each_set_bit(s, d->dirty, d->sectors)
			harden(d, s);
}

static void written(struct vdisk *d, sector_t s, sector_t nr, bool fua)
{
	for (; nr; s++, nr--) {
		__set_bit(s, d->dirty);
		if (fua && !d->lies)
			harden(d, s);
	}
}

static blk_status_t serve(struct vdisk *d, struct bio *bio)
{
	sector_t first = bio->bi_iter.bi_sector, s = first;
	struct bvec_iter iter;
	struct bio_vec bv;

	if (bio->bi_opf & REQ_PREFLUSH)
		flush(d);
	if (!bio_sectors(bio))
		return BLK_STS_OK;
	if (first < d->bad || (bio_op(bio) == REQ_OP_WRITE && first < d->unwritable))
		return BLK_STS_IOERR;
	switch (bio_op(bio)) {
	case REQ_OP_READ:
		bio_for_each_segment(bv, bio, iter) {
			memcpy_to_bvec(&bv, d->cached + (s << SECTOR_SHIFT));
			s += bv.bv_len >> SECTOR_SHIFT;
		}
		return BLK_STS_OK;
	case REQ_OP_WRITE:
		bio_for_each_segment(bv, bio, iter) {
			memcpy_from_bvec(d->cached + (s << SECTOR_SHIFT), &bv);
			s += bv.bv_len >> SECTOR_SHIFT;
		}
		written(d, first, s - first, bio->bi_opf & REQ_FUA);
		return BLK_STS_OK;
	case REQ_OP_DISCARD:
		memset(d->cached + (first << SECTOR_SHIFT), 0, bio->bi_iter.bi_size);
		written(d, first, bio_sectors(bio), false);
		return BLK_STS_OK;
	default:
		return BLK_STS_NOTSUPP;
	}
}

static void disk_work(struct work_struct *work)
{
	struct vdisk *d = container_of(work, struct vdisk, work);
	blk_status_t status;
	struct bio *bio;

	for (;;) {
		if (d->latency)
			usleep_range(1, 1 + d->latency);
		down_read(&power_sem);
		spin_lock_irq(&d->lock);
		bio = d->power == WAITING ? NULL : bio_list_pop(&d->bios);
		spin_unlock_irq(&d->lock);
		status = bio && d->power == ON ? serve(d, bio) : BLK_STS_IOERR;
		up_read(&power_sem);
		if (!bio)
			return;
		bio->bi_status = status;
		bio_endio(bio);
	}
}

static int volatile_map(struct dm_target *ti, struct bio *bio)
{
	struct vdisk *d = ti->private;
	unsigned long flags;

	bio->bi_iter.bi_sector = dm_target_offset(ti, bio->bi_iter.bi_sector);
	spin_lock_irqsave(&d->lock, flags);
	bio_list_add(&d->bios, bio);
	spin_unlock_irqrestore(&d->lock, flags);
	queue_work(d->wq, &d->work);
	return DM_MAPIO_SUBMITTED;
}

/* power_sem held for writing. */
static void lose(struct vdisk *d, u64 seed)
{
	static const u8 pieces[] = { 1, 1, 8, 128 };
	unsigned int kind, piece;
	bool keep = false;
	u64 rnd = seed;
	sector_t s;

	kind = next_random(&rnd) % 8;
	piece = pieces[next_random(&rnd) % ARRAY_SIZE(pieces)];
	for (s = 0; s < d->sectors; s++) {

		if (!(s % piece))
			keep = kind == 0 ? false : kind == 1 ? true : next_random(&rnd) & 1;
		if (!test_bit(s, d->dirty))
			continue;
		if (keep)
			harden(d, s);
		else
			memcpy(d->cached + (s << SECTOR_SHIFT), d->stable + (s << SECTOR_SHIFT),
			       SECTOR_SIZE);
	}
	bitmap_zero(d->dirty, d->sectors);
}

static void set_power(enum power power, u64 seed, bool cut)
{
	struct vdisk *d;

	down_write(&power_sem);
	list_for_each_entry(d, &disks, node) {
		if (cut)
			lose(d, next_random(&seed));
		d->power = power;
		queue_work(d->wq, &d->work);
	}
	up_write(&power_sem);
}

static int volatile_message(struct dm_target *ti, unsigned int argc, char **argv, char *result,
			    unsigned int maxlen)
{
	struct vdisk *d = ti->private;
	u64 n = 0;

	if (argc == 2 && kstrtou64(argv[1], 10, &n))
		return -EINVAL;
	if (argc == 2 && !strcmp(argv[0], "cut")) {
		set_power(WAITING, n, true);
	} else if (argc == 1 && !strcmp(argv[0], "fail")) {
		set_power(FAILING, 0, false);
	} else if (argc == 1 && !strcmp(argv[0], "power")) {
		set_power(ON, 0, false);
	} else {
		if (argc != 2)
			return -EINVAL;
		down_write(&power_sem);
		if (!strcmp(argv[0], "off")) {
			lose(d, n);
			d->power = FAILING;
			queue_work(d->wq, &d->work);
		} else if (!strcmp(argv[0], "bad")) {
			d->bad = n;
		} else if (!strcmp(argv[0], "unwritable")) {
			d->unwritable = n;
		} else if (!strcmp(argv[0], "lie")) {
			d->lies = n;
		}
		up_write(&power_sem);
	}
	return 0;
}

static void disk_free(struct vdisk *d)
{
	if (d->wq)
		destroy_workqueue(d->wq);
	vfree(d->stable);
	vfree(d->cached);
	vfree(d->dirty);
	kfree(d);
}

static int volatile_ctr(struct dm_target *ti, unsigned int argc, char **argv)
{
	struct vdisk *d = kzalloc(sizeof(*d), GFP_KERNEL);

	if (!d)
		return -ENOMEM;
	d->sectors = ti->len;
	d->stable = vzalloc(ti->len << SECTOR_SHIFT);
	d->cached = vzalloc(ti->len << SECTOR_SHIFT);
	d->dirty = vzalloc(BITS_TO_LONGS(ti->len) * sizeof(long));
	d->wq = alloc_ordered_workqueue("dm-volatile", WQ_MEM_RECLAIM);
	if (argc != 1 || kstrtouint(argv[0], 10, &d->latency) || !d->stable || !d->cached ||
	    !d->dirty || !d->wq) {
		ti->error = "A latency is wanted, and memory";
		disk_free(d);
		return -EINVAL;
	}
	spin_lock_init(&d->lock);
	bio_list_init(&d->bios);
	INIT_WORK(&d->work, disk_work);
	down_write(&power_sem);
	list_add_tail(&d->node, &disks);
	up_write(&power_sem);
	ti->private = d;
	ti->num_flush_bios = 1;
	ti->flush_supported = true;
	ti->num_discard_bios = 1;
	ti->discards_supported = true;
	return 0;
}

static void volatile_dtr(struct dm_target *ti)
{
	struct vdisk *d = ti->private;

	down_write(&power_sem);
	list_del(&d->node);
	up_write(&power_sem);
	disk_free(d);
}

static void volatile_io_hints(struct dm_target *ti, struct queue_limits *limits)
{
	limits->max_discard_sectors = UINT_MAX;
	limits->max_hw_discard_sectors = UINT_MAX;
	limits->discard_granularity = SECTOR_SIZE;
}

static struct target_type volatile_target = {
	.name = "volatile",
	.version = { 1, 0, 0 },
	.module = THIS_MODULE,
	.ctr = volatile_ctr,
	.dtr = volatile_dtr,
	.map = volatile_map,
	.message = volatile_message,
	.io_hints = volatile_io_hints,
};

module_dm(volatile);

MODULE_DESCRIPTION("disk in memory that loses what was not flushed, for tests");
MODULE_LICENSE("GPL");
