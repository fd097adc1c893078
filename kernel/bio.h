/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a bio carries through the target, and the two ways it can take.
 */
#ifndef ADS_BIO_H
#define ADS_BIO_H

#include <linux/atomic.h>
#include <linux/bio.h>
#include <linux/blk_types.h>
#include <linux/device-mapper.h>
#include <linux/list.h>

#include "set.h"

struct ads_mig;
struct ads_pool;
struct ads_set;
struct dm_target;

enum ads_bio_kind {
	ADS_BIO_PLAIN,		/* one leg, untracked */
	ADS_BIO_FLUSH,		/* not counted in a lane */
	ADS_BIO_FLUSHED,	/* one that has waited for a commit */
	ADS_BIO_TRACKED,	/* a write to the source of a migration */
	ADS_BIO_MIRRORED,	/* a write to both legs */
	ADS_BIO_SET,		/* a write to the legs of a set */
	ADS_BIO_READ,		/* a read from a set */
	ADS_BIO_READ_AGAIN,	/* one that has failed on a leg */
	ADS_BIO_ENDED,		/* ended by us before it went anywhere */
};

enum ads_bio_heal {
	ADS_HEAL_NONE,
	ADS_HEAL_WANTED,	/* covers bad ranges: see heal.c */
	ADS_HEAL_DONE,		/* they are gone, or its status says why not */
};

/**
 * struct ads_bio - per-bio data, of all bios but plain ones (see ads_plain())
 * @mig:	TRACKED, MIRRORED, SET: the migration, in a set NULL if there is
 *		none; lives as long as the bio is counted in its lane
 * @set:	SET, READ: likewise; NULL for all others
 * @node:	MIRRORED: in chunk->mirrored; SET: in set->writes
 * @start_ns:	ktime of a sampled bio, else 0
 * @held_ns:	since when it waits for its chunk
 * @window:	FLUSHED: the newest commit that it waits for
 * @first, @last: MIRRORED, SET, or a write that heals: sectors of the volume
 * @iter:	READ: as it came, from the sector of the volume on
 * @pos, @piece: READ_AGAIN: where the piece that is being read begins, in sectors
 *		from the start; and its length, 0: all
 * @flushes:	likewise: failed flushes of its member (or the source) before; of a
 *		flush: member->settled, before it ended there
 * @heal:	enum ads_bio_heal
 * @counted:	MIRRORED: still one of its chunk's writes, as it heals
 * @slot:	lane * 2 + epoch, as counted
 * @legs:	MIRRORED, SET: legs still to complete
 * @targets:	SET: legs that it was sent to, a bit each
 * @tried, @failed: READ: legs that the piece was asked of; that any failed on
 * @leg:	READ: the last one
 * @status:	by leg: MIRRORED: 0 the source, 1 the destination; SET
 */
struct ads_bio {
	struct ads_mig *mig;
	struct ads_set *set;
	u64 start_ns;
	union {
		u64 held_ns;
		u64 window;
	};
	union {
		struct {
			struct list_head node;
			sector_t first, last;
		};
		struct {
			struct bvec_iter iter;
			u32 pos, piece;
		};
	};
	u32 flushes;
	u32 chunk;
	u16 member;
	u8 slot;
	u8 kind;			/* enum ads_bio_kind */
	u8 heal;
	bool counted;
	u8 targets;
	u8 tried, failed;
	u8 leg;
	atomic_t legs;
	blk_status_t status[ADS_SET_LEGS];
};

/* The front of a mirrored write's leg; see pool->leg_bios. */
struct ads_leg_bio {
	struct bio *parent;
	unsigned int leg;
	struct bio bio;			/* last */
};

static inline struct ads_bio *ads_bio(struct bio *bio)
{
	return dm_per_bio_data(bio, sizeof(struct ads_bio));
}

/*
 * A plain bio, and nothing else, has a word in ->bi_private: the slot that counts
 * it, ADS_PLAIN, and the member. Its per-bio data is unused. All others have NULL
 * there, which ->map() sees to.
 *
 * Who sets ->bi_end_io owns ->bi_private. That is device mapper, which makes no use
 * of it in a clone, and leaves it to the target. Whoever below wants it for a while
 * (a polled bio's list, in another device mapper device; encryption) puts back what
 * was there before the bio ends.
 */
#define ADS_PLAIN	BIT(8)

/* @word: of its segment, without flags */
static inline void *ads_plain(u64 word, u32 slot)
{
	return (void *)(unsigned long)((word >> 16 & ~0xffffULL) + ADS_PLAIN +
				       slot);
}

static inline bool ads_is_plain(const struct bio *bio)
{
	return (unsigned long)bio->bi_private & ADS_PLAIN;
}

static inline u8 ads_plain_slot(const struct bio *bio)
{
	return (unsigned long)bio->bi_private;
}

static inline u16 ads_plain_member(const struct bio *bio)
{
	return (unsigned long)bio->bi_private >> 16;
}

int ads_map(struct dm_target *ti, struct bio *bio);
int ads_end_io(struct dm_target *ti, struct bio *bio, blk_status_t *error);

/* Does this error say something about the disk? */
static inline bool ads_error_counts(blk_opf_t opf, blk_status_t status)
{
	return status != BLK_STS_OK && status != BLK_STS_NOTSUPP &&
	       status != BLK_STS_TARGET && status != BLK_STS_AGAIN &&
	       status != BLK_STS_NOSPC && !(opf & REQ_RAHEAD);
}

/*
 * A write to a migrating segment, counted in its lane, not crossing a chunk
 * (mirror.c). Maps it, takes it, or puts it off: returns a DM_MAPIO_* value.
 * From ->map() with @gfp GFP_NOWAIT, from the bio worker with GFP_NOIO.
 */
int ads_write_slow(struct ads_mig *m, struct bio *bio, gfp_t gfp);
/* A TRACKED write has ended, or a @counted one. Any context. */
void ads_write_tracked_end(struct ads_mig *m, struct ads_bio *pb);
/* Work function of m->bio_work. */
void ads_bio_work(struct work_struct *work);

#endif /* ADS_BIO_H */
