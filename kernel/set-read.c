// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads from a segment with several legs.
 *
 * Any leg in sync will do; in doubt only the primary, as the others may differ,
 * and a reader must not get now this, now that. What goes on where another read
 * has ended stays on that disk, else the one that is likely to answer first.
 *
 * One that fails is tried on the other legs, and when all have failed block by
 * block: each may have lost another one. Only what no leg can return is an error.
 * A disk in doubt that can't return a block has no opinion about it: there the
 * others may be asked.
 */
#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/device-mapper.h>
#include <linux/log2.h>

#include "bio.h"
#include "pool.h"

#define WEIGHT_DEFAULT	100

u8 ads_set_readable(const struct ads_set *set)
{
	unsigned int i;
	u8 mask = 0;

	for (i = 0; i < ADS_SET_LEGS; i++) {
		/* Pairs with smp_store_release() in leg_apply(). */
		u8 state = smp_load_acquire(&set->leg[i].state);

		if (state == ADS_LEG_SYNC && !ads_set_leg_lost(set, i))
			mask |= 1U << i;
	}
	/* All of them, but it is the best there is. */
	return mask ?: 1U << READ_ONCE(set->primary);
}

u8 ads_set_without_bad(struct ads_set *set, u8 mask, sector_t volume,
		       u32 sectors)
{
	u32 first = volume & ((1ULL << set->pool->segment_shift) - 1);
	struct ads_range r;
	unsigned int i;

	for (i = 0; i < ADS_SET_LEGS; i++)
		if (mask & 1U << i &&
		    ads_bad_find(&set->pool->bads, set->seg,
				 ads_set_word(set, i), first, sectors, &r))
			mask &= ~(1U << i);
	return mask;
}

/*
 * What a read costs there, in no unit: how long the last ones took, as many as
 * are before it, and on a rotating disk how far the head has to go. Racy: it
 * is a guess.
 */
static u64 cost_of(struct ads_member *mb, sector_t sector)
{
	/* data_race: a guess; a weight that is being changed counts soon */
	u32 weight = le32_to_cpu(data_race(mb->disk.weight)) ?: WEIGHT_DEFAULT;
	/* data_race: likewise */
	u64 cost = data_race(mb->read_ns) + 1000;
	sector_t last = READ_ONCE(mb->next_read);
	u64 distance;

	cost *= atomic_read(&mb->reads) + 1;
	if (!bdev_nonrot(mb->bdev)) {
		distance = sector > last ? sector - last : last - sector;
		/* By MiB, twice as far is a little more. */
		cost *= 4 + ilog2((distance >> 11) + 1);
	}
	return div_u64(cost * WEIGHT_DEFAULT, weight);
}

/* @mask is not 0. */
static unsigned int choose(const struct ads_set *set, u8 mask, sector_t volume)
{
	unsigned int i, best = __ffs(mask);
	u64 cost, least = U64_MAX;

	if (is_power_of_2(mask))
		return best;
	for (i = 0; i < ADS_SET_LEGS; i++) {
		struct ads_member *mb = ads_set_member(set, i);
		sector_t sector;

		if (!(mask & 1U << i))
			continue;
		sector = ads_set_sector(set, i, volume);
		if (READ_ONCE(mb->next_read) == sector)
			return i;
		cost = cost_of(mb, sector);
		if (cost < least) {
			least = cost;
			best = i;
		}
	}
	return best;
}

static void read_from(struct ads_set *set, struct ads_bio *pb, unsigned int leg,
		      sector_t end)
{
	struct ads_member *mb = ads_set_member(set, leg);

	pb->leg = leg;
	pb->tried |= 1U << leg;
	pb->member = mb->index;
	WRITE_ONCE(mb->next_read, end);
	atomic_inc(&mb->reads);
}

int ads_set_read(struct bio *bio)
{
	struct ads_bio *pb = ads_bio(bio);
	struct ads_set *set = pb->set;
	sector_t volume = bio->bi_iter.bi_sector;
	unsigned int leg;
	u8 mask, good;

	/* A polled one could not be tried again. */
	bio->bi_opf &= ~REQ_POLLED;
	mask = ads_set_readable(set);
	if (READ_ONCE(set->doubt))
		mask = 1U << READ_ONCE(set->primary);
	if (READ_ONCE(set->pool->map[set->seg]) & ADS_WORD_BAD) {
		good = ads_set_without_bad(set, ads_set_readable(set), volume,
					   bio_sectors(bio));
		if (good & mask) {
			mask &= good;
		} else if (good) {
			mask = good;
		} else {
			/* Of what none has, or not all of it: up to there. */
			leg = __ffs(mask);
			if (ads_bad_map(set->pool, bio, pb, set->seg, volume,
					ads_set_word(set, leg)))
				return DM_MAPIO_SUBMITTED;
			mask = 1U << leg;
		}
	}
	leg = choose(set, mask, volume);
	pb->kind = ADS_BIO_READ;
	pb->iter = bio->bi_iter;
	pb->pos = 0;
	pb->piece = 0;
	pb->tried = 0;
	pb->failed = 0;
	bio_set_dev(bio, ads_set_member(set, leg)->bdev);
	bio->bi_iter.bi_sector = ads_set_sector(set, leg, volume);
	read_from(set, pb, leg, bio_end_sector(bio));
	return DM_MAPIO_REMAPPED;
}

/* Sectors of the piece that is being read. */
static u32 piece_of(const struct ads_bio *pb)
{
	u32 left = (pb->iter.bi_size >> SECTOR_SHIFT) - pb->pos;

	return pb->piece ? min(pb->piece, left) : left;
}

/* Legs that the piece can still be had from. */
static u8 others(struct ads_set *set, const struct ads_bio *pb)
{
	u8 mask = ads_set_readable(set) & ~pb->tried;

	return ads_set_without_bad(set, mask, pb->iter.bi_sector + pb->pos,
				   piece_of(pb));
}

/* The piece has failed on all legs. True: smaller ones may not. */
static bool smaller(struct ads_set *set, struct ads_bio *pb)
{
	u32 block = set->pool->logical_block_size >> SECTOR_SHIFT;

	if (pb->piece || pb->iter.bi_size >> SECTOR_SHIFT <= block ||
	    is_power_of_2(pb->tried))
		return false;
	pb->piece = block;
	pb->tried = 0;
	return true;
}

bool ads_set_read_failed(struct bio *bio, blk_status_t error)
{
	struct ads_bio *pb = ads_bio(bio);
	struct ads_set *set = pb->set;

	atomic_dec(&ads_set_member(set, pb->leg)->reads);
	/* Only that it would have had to wait. */
	if (error == BLK_STS_AGAIN)
		return false;
	pb->failed |= 1U << pb->leg;
	if (!others(set, pb) && !smaller(set, pb))
		return false;
	pb->kind = ADS_BIO_READ_AGAIN;
	ads_set_defer(set->pool, bio);
	return true;
}

void ads_set_read_done(struct bio *bio)
{
	struct ads_bio *pb = ads_bio(bio);

	atomic_dec(&ads_set_member(pb->set, pb->leg)->reads);
}

static void again_end_io(struct bio *clone)
{
	struct ads_leg_bio *lb = container_of(clone, struct ads_leg_bio, bio);
	struct bio *bio = lb->parent;
	struct ads_bio *pb = ads_bio(bio);
	struct ads_set *set = pb->set;
	struct ads_member *mb = ads_set_member(set, pb->leg);
	blk_status_t status = clone->bi_status;

	atomic_dec(&mb->reads);
	if (status && ads_error_counts(clone->bi_opf, status))
		ads_member_error(set->pool, mb, ADS_ERR_READ);
	bio_put(clone);
	if (status) {
		pb->failed |= 1U << pb->leg;
		if (!others(set, pb) && !smaller(set, pb)) {
			bio->bi_status = status;
			bio_endio(bio);
			return;
		}
	} else {
		pb->pos += piece_of(pb);
		pb->tried = 0;
		if (pb->pos == pb->iter.bi_size >> SECTOR_SHIFT) {
			bio->bi_status = BLK_STS_OK;
			bio_endio(bio);
			return;
		}
	}
	/* An interrupt; and clones come from the worker only. */
	ads_set_defer(set->pool, bio);
}

void ads_set_read_again(struct bio *bio)
{
	struct ads_bio *pb = ads_bio(bio);
	struct ads_set *set = pb->set;
	struct ads_leg_bio *lb;
	struct bio *clone;
	unsigned int leg;
	u8 mask = others(set, pb);

	if (!mask) {
		/* It has gone out meanwhile, or has nothing there. */
		bio->bi_status = BLK_STS_IOERR;
		bio_endio(bio);
		return;
	}
	leg = choose(set, mask, pb->iter.bi_sector + pb->pos);
	/* What was sent before has moved it on. */
	bio->bi_iter = pb->iter;
	clone = bio_alloc_clone(ads_set_member(set, leg)->bdev, bio, GFP_NOIO,
				&set->pool->leg_bios);
	lb = container_of(clone, struct ads_leg_bio, bio);
	lb->parent = bio;
	lb->leg = leg;
	bio_advance(clone, pb->pos << SECTOR_SHIFT);
	clone->bi_iter.bi_size = piece_of(pb) << SECTOR_SHIFT;
	clone->bi_iter.bi_sector = ads_set_sector(set, leg, pb->iter.bi_sector +
						  pb->pos);
	clone->bi_end_io = again_end_io;
	clone->bi_opf &= ~(REQ_POLLED | REQ_NOWAIT);
	read_from(set, pb, leg, bio_end_sector(clone));
	submit_bio_noacct(clone);
}
