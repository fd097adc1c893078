// SPDX-License-Identifier: GPL-2.0-only
/*
 * Superblocks: read, write, tell a blank device.
 */
#include <linux/blkdev.h>
#include <linux/device-mapper.h>
#include <linux/sched/mm.h>

#include "meta-core.h"
#include "pool.h"

#define HEAD_BLOCKS	(ADSHARD_BLANK_BYTES / ADSHARD_BLOCK_SIZE)

static const unsigned int sb_block[2] = {
	ADSHARD_SB_BLOCK0, ADSHARD_SB_BLOCK1
};

static bool is_blank(struct ads_mio *io)
{
	unsigned int i;

	for (i = 0; i < HEAD_BLOCKS; i++)
		if (memchr_inv(io->block[i], 0, ADSHARD_BLOCK_SIZE))
			return false;
	return true;
}

/* What to say of two copies that are both not valid. */
static int no_super(struct ads_mio *io, int io_err, int check_err,
		    const char *phrase, char *why, size_t len)
{
	unsigned int i;

	if (check_err == -EOPNOTSUPP || check_err == -EINVAL) {
		snprintf(why, len, "its superblock has %s", phrase);
		return check_err == -EINVAL ? -EUCLEAN : check_err;
	}
	if (io_err) {
		/* What could not be read might be a superblock. */
		snprintf(why, len, "its superblocks can't be read");
		return -EIO;
	}
	if (is_blank(io)) {
		snprintf(why, len, "it is blank, not a member of a pool");
		return -ENODATA;
	}
	for (i = 0; i < 2; i++) {
		if (memcmp(io->block[sb_block[i]], ADSHARD_SB_MAGIC, 8))
			continue;
		snprintf(why, len, "both copies of its superblock are damaged");
		return -EUCLEAN;
	}
	snprintf(why, len, "it is not a member of a pool");
	return -EUCLEAN;
}

static int read_super(struct ads_mio *io, struct block_device *bdev,
		      struct adshard_super *sb, char *why, size_t len)
{
	const struct adshard_super *copy = io->block[0];
	const char *phrase = "", *p = "";
	int io_err, err, worst = 0;
	bool found = false;
	unsigned int i;

	if (bdev_nr_bytes(bdev) < ADSHARD_BLANK_BYTES) {
		snprintf(why, len, "it is too small for a member");
		return -EUCLEAN;
	}
	for (i = 0; i < 2; i++) {
		/* Alone: one of them, or a neighbour, may take its time to fail. */
		ads_mio_read(io, bdev, sb_block[i], 1);
		err = ads_fmt_super_check(copy, i, &p);
		if (err == -EOPNOTSUPP || err == -EINVAL) {
			worst = err;
			phrase = p;
		}
		if (err || (found && le64_to_cpu(copy->sb_seq) <=
				     le64_to_cpu(sb->sb_seq)))
			continue;
		memcpy(sb, copy, sizeof(*sb));
		found = true;
	}
	/*
	 * A copy with features of a later version is newer than its partner
	 * that has none: what they forbid must not be done by way of the old.
	 */
	if (found && worst != -EOPNOTSUPP)
		return 0;
	io_err = ads_mio_read(io, bdev, 0, HEAD_BLOCKS);
	return no_super(io, io_err, worst, phrase, why, len);
}

int ads_super_read(struct block_device *bdev, struct adshard_super *sb,
		   char *why, size_t len)
{
	unsigned int noio = memalloc_noio_save();
	struct ads_mio *io = ads_mio_alloc(HEAD_BLOCKS);
	int err = -ENOMEM;

	if (io)
		err = read_super(io, bdev, sb, why, len);
	else
		snprintf(why, len, "there is no memory to read it");
	ads_mio_free(io);
	memalloc_noio_restore(noio);
	return err;
}

/*
 * Copy 1 is on stable media before copy 0 is touched: a power cut in either
 * write leaves the other copy whole, and a reader takes the newer of two whole
 * ones. Were both in flight at once, it could tear both, and the member would
 * belong to no pool.
 */
int ads_super_write(struct ads_mio *io, struct block_device *bdev,
		    const struct ads_super *s)
{
	int copy, err;

	for (copy = 1; copy >= 0; copy--) {
		ads_fmt_super_encode(s, io->block[0]);
		ads_fmt_super_seal(io->block[0], copy);
		err = ads_mio_do(io, bdev, sb_block[copy], 1,
				 REQ_OP_WRITE | REQ_PREFLUSH | REQ_FUA);
		if (err)
			return err;
	}
	return 0;
}

/*
 * The list in the superblocks is the second witness at activation: it keeps a
 * member that was dropped, and whose last record still calls it active, from
 * speaking for the pool once those that went on without it can't be read any
 * more.
 *
 * A member that leaves is taken off the list after the record that says so: the
 * list may lag, and then names one that is out. A recruit is put on it before
 * the record that calls it active: that record may be on the recruit alone when
 * the power goes, and then nobody else could vouch for it.
 */
void ads_super_name(struct ads_meta *meta, u8 set)
{
	struct ads_super s = { .geo = meta->geo };
	bool same = true;
	unsigned int i;
	int err;

	for (i = 0; i < ADSHARD_META_MEMBERS; i++) {
		const struct ads_meta_slot *slot = &meta->slot[i];
		u16 member = ADSHARD_NO_MEMBER;

		if (set & 1U << i) {
			member = slot->member;
			memcpy(s.meta_uuid[s.nr_meta++], slot->uuid,
			       ADSHARD_UUID_SIZE);
		}
		same &= meta->named[i] == member;
		meta->named[i] = member;
	}
	if (same || !set)
		return;
	s.seq = ++meta->sb_seq;
	for (i = 0; i < ADSHARD_META_MEMBERS; i++) {
		const struct ads_meta_slot *slot = &meta->slot[i];
		const struct adshard_member *disk;

		if (!(set & 1U << i))
			continue;
		disk = &meta->pool->members[slot->member].disk;
		memcpy(s.uuid, slot->uuid, sizeof(s.uuid));
		s.index = slot->member;
		s.sectors = le64_to_cpu(disk->sectors);
		s.data_start = le64_to_cpu(disk->data_start);
		s.data_chunks = le32_to_cpu(disk->data_chunks);
		err = ads_super_write(slot->io, slot->bdev, &s);
		if (!err)
			continue;
		DMWARN("%pg: its superblock can't be written", slot->bdev);
		/* Or it was the flush; only of a bad sector a disk is sure. */
		ads_flush_lost(&meta->pool->members[slot->member],
			       err != -ENODATA);
	}
}
