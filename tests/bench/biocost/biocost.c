// SPDX-License-Identifier: GPL-2.0-only
/*
 * biocost: what one bio costs on a block device, measured from inside the kernel.
 *
 *	echo "/dev/x read 2000 50 1" > /sys/kernel/debug/biocost  # 50 batches of 2000 bios
 *	cat /sys/kernel/debug/biocost				# min and median, ns per bio
 *
 * read, write, discard or flush (which has no data), of so many pages (up to 256, a
 * power of two), at random places, at most DEPTH in flight, from one thread.  fio would
 * measure the system calls along with it, which cost more than device-mapper does.  Under QEMU's
 * instruction counting a nanosecond is an instruction.  Any disturbance adds to a batch and
 * none takes away from it: hence many short ones, and the minimum.
 */
#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

#define DEPTH 32
#define MAX_PAGES BIO_MAX_VECS

struct run {
	struct block_device *bdev;
	blk_opf_t op;
	unsigned int pages;
	unsigned int vecs;	/* pages that a bio carries: none, or all of them */
	unsigned int bios;
	u64 slots;
	u64 random;
	atomic_t inflight;
	atomic_t errors;
	wait_queue_head_t wait;
};

static struct bio_set bios;
static struct page *data[MAX_PAGES];
static struct dentry *file;
/* one run at a time; also protects the result */
static DEFINE_MUTEX(lock);
static char result[128];

static void done(struct bio *bio)
{
	struct run *run = bio->bi_private;

	if (bio->bi_status)
		atomic_inc(&run->errors);
	bio_put(bio);
	if (atomic_dec_return(&run->inflight) < DEPTH && wq_has_sleeper(&run->wait))
		wake_up(&run->wait);
}

static void submit_one(struct run *run)
{
	struct bio *bio = bio_alloc_bioset(run->bdev, run->vecs, run->op, GFP_NOIO, &bios);
	unsigned int i;

	/* Knuth's linear congruence: a generator cheaper than what is measured */
	run->random = run->random * 6364136223846793005ULL + 1442695040888963407ULL;
	/* scaled, not divided, so that the cost does not depend on the size */
	if (run->pages)
		bio->bi_iter.bi_sector = mul_u64_u64_shr(run->random, run->slots, 64) *
					 (run->pages << PAGE_SECTORS_SHIFT);
	bio->bi_private = run;
	bio->bi_end_io = done;
	for (i = 0; i < run->vecs; i++)
		__bio_add_page(bio, data[i], PAGE_SIZE, 0);
	if (!run->vecs)
		bio->bi_iter.bi_size = run->pages << PAGE_SHIFT;
	atomic_inc(&run->inflight);
	submit_bio(bio);
}

/* nanoseconds per bio, times 100 */
static u64 batch(struct run *run)
{
	u64 start = ktime_get_ns();
	unsigned int i;

	for (i = 0; i < run->bios; i++) {
		submit_one(run);
		if (atomic_read(&run->inflight) >= DEPTH)
			wait_event(run->wait, atomic_read(&run->inflight) < DEPTH);
	}
	wait_event(run->wait, !atomic_read(&run->inflight));
	return div_u64((ktime_get_ns() - start) * 100, run->bios);
}

static int compare(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

static const struct {
	const char *name;
	blk_opf_t op;
	bool place, data;
} ops[] = {
	{ "read", REQ_OP_READ, true, true },
	{ "write", REQ_OP_WRITE, true, true },
	{ "discard", REQ_OP_DISCARD, true, false },
	{ "flush", REQ_OP_WRITE | REQ_PREFLUSH, false, false },
};

static int measure(const char *path, const char *op, unsigned int nbios, unsigned int batches,
		   unsigned int pages)
{
	struct run run = {
		.bios = nbios,
		.random = 1,
	};
	struct file *dev;
	unsigned int i;
	u64 *cost;
	int r = 0;

	for (i = 0; i < ARRAY_SIZE(ops) && strcmp(op, ops[i].name); i++)
		;
	if (i == ARRAY_SIZE(ops))
		return -EINVAL;
	run.op = ops[i].op;
	run.pages = ops[i].place ? pages : 0;
	run.vecs = ops[i].data ? pages : 0;

	dev = filp_open(path, O_RDWR | O_LARGEFILE, 0);
	if (IS_ERR(dev))
		return PTR_ERR(dev);
	cost = kcalloc(batches, sizeof(*cost), GFP_KERNEL);
	if (!cost) {
		r = -ENOMEM;
		goto out;
	}
	run.bdev = I_BDEV(dev->f_mapping->host);
	if (run.pages)
		run.slots = div_u64(bdev_nr_sectors(run.bdev), run.pages << PAGE_SECTORS_SHIFT);
	init_waitqueue_head(&run.wait);

	for (i = 0; i < batches; i++)
		cost[i] = batch(&run);
	sort(cost, batches, sizeof(*cost), compare, NULL);
	scnprintf(result, sizeof(result), "%llu.%02llu %llu.%02llu\n", cost[0] / 100, cost[0] % 100,
		  cost[batches / 2] / 100, cost[batches / 2] % 100);
	if (atomic_read(&run.errors))
		r = -EIO;
	kfree(cost);
out:
	filp_close(dev, NULL);
	return r;
}

static ssize_t biocost_write(struct file *f, const char __user *from, size_t count, loff_t *pos)
{
	unsigned int nbios, batches, pages;
	char text[160], path[128], op[8];
	int r;

	if (count >= sizeof(text))
		return -EINVAL;
	if (copy_from_user(text, from, count))
		return -EFAULT;
	text[count] = '\0';
	if (sscanf(text, "%127s %7s %u %u %u", path, op, &nbios, &batches, &pages) != 5 ||
	    !nbios || !batches || !pages || pages > MAX_PAGES)
		return -EINVAL;

	mutex_lock(&lock);
	r = measure(path, op, nbios, batches, pages);
	mutex_unlock(&lock);
	return r ?: count;
}

static ssize_t biocost_read(struct file *f, char __user *to, size_t count, loff_t *pos)
{
	ssize_t r;

	mutex_lock(&lock);
	r = simple_read_from_buffer(to, count, pos, result, strlen(result));
	mutex_unlock(&lock);
	return r;
}

static const struct file_operations biocost_fops = {
	.owner = THIS_MODULE,
	.read = biocost_read,
	.write = biocost_write,
};

static void free_data(void)
{
	unsigned int i;

	for (i = 0; i < MAX_PAGES && data[i]; i++)
		__free_page(data[i]);
}

static int __init biocost_init(void)
{
	int r = bioset_init(&bios, DEPTH, 0, BIOSET_NEED_BVECS);
	unsigned int i;

	if (r)
		return r;
	for (i = 0; i < MAX_PAGES; i++) {
		data[i] = alloc_page(GFP_KERNEL | __GFP_ZERO);
		if (!data[i]) {
			free_data();
			bioset_exit(&bios);
			return -ENOMEM;
		}
	}
	file = debugfs_create_file("biocost", 0600, NULL, NULL, &biocost_fops);
	return 0;
}

static void __exit biocost_exit(void)
{
	debugfs_remove(file);
	free_data();
	bioset_exit(&bios);
}

module_init(biocost_init);
module_exit(biocost_exit);

MODULE_DESCRIPTION("cost of a bio on a block device");
MODULE_LICENSE("GPL");
