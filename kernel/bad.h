/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bad ranges: what no disk could return when its segment was moved.
 *
 * An entry says "these sectors of that segment, while it is at that place". So
 * nothing has to happen at once when a segment is moved: the ranges of its new
 * place are recorded before the move (bad-record.c), count from the moment its
 * word says so, and those of the place that it left are removed afterwards.
 * Reads of a range fail; a write takes what it covers out of it (heal.c).
 */
#ifndef ADS_BAD_H
#define ADS_BAD_H

#include <linux/bio.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "format.h"

struct ads_bio;
struct ads_mig;
struct ads_pool;
struct ads_txn;

#define ADS_BAD_BUCKETS	256

/**
 * struct ads_bad - a place for a range
 * @next:	in its bucket, if @r has a length
 * @r:		what the last record says; no length: reserved for one to come
 */
struct ads_bad {
	struct ads_bad *next;
	struct ads_range r;
};

/**
 * struct ads_bads - all of a pool
 * @mutex:	held by whoever changes them durably, around his commits
 * @lock:	the buckets and what is in them; written under the metadata lock,
 *		too. Innermost.
 * @place:	by number in the table; NULL until the first one is needed.
 *		Written under @mutex and @lock
 * @used:	places that are not NULL; likewise
 * @hint:	where the search for a free one begins; under @mutex
 */
struct ads_bads {
	struct mutex mutex;		/* see above */
	spinlock_t lock;		/* see @lock above; irq-safe */
	struct ads_bad **place;
	u32 nr_places;
	u32 used;
	u32 hint;
	struct ads_bad *bucket[ADS_BAD_BUCKETS];
};

/**
 * struct ads_heals - writes that wait until a range is no more
 * @lock:	the list; irq-safe
 * @txn:	for the one that is being healed
 */
struct ads_heals {
	spinlock_t lock;		/* see @lock above */
	struct bio_list list;
	struct ads_txn *txn;
	struct work_struct work;
};

/* bad.c */
void ads_bad_init(struct ads_bads *bads);
void ads_bad_exit(struct ads_bads *bads);	/* all are forgotten */
/*
 * While loading: what a table or a record says of place @index. -EINVAL,
 * -EOPNOTSUPP: with *@why, said with its number; -ENOMEM.
 */
int ads_bad_put(struct ads_pool *pool, const struct ads_geometry *geo,
		u32 index, const struct adshard_bad *d, const char **why);
/* The map is loaded: flag the words of segments that have some. */
void ads_bad_attach(struct ads_pool *pool, const struct ads_geometry *geo);
/* For the table: the image of place @index. Metadata lock held. */
void ads_bad_image(struct ads_bads *bads, u32 index, struct adshard_bad *d);
/* For the commit: @d has become durable in a place that is reserved or taken. */
void ads_bad_apply(struct ads_bads *bads, const struct ads_geometry *geo,
		   u32 index, const struct adshard_bad *d);
/*
 * Reserve a place. @spare: leave so many for those who must have one. -ENOSPC,
 * -ENOMEM. @bads->mutex held; process context, no I/O to wait for.
 */
int ads_bad_reserve(struct ads_bads *bads, u32 spare, gfp_t gfp, u32 *index);

/*
 * What all but writes leave: one into the middle of a range makes two of it, and
 * can't wait until there is room.
 */
static inline u32 ads_bad_spare(const struct ads_bads *bads)
{
	return bads->nr_places / 8;
}

/* A place that was reserved, and is not needed. @bads->mutex held. */
void ads_bad_drop(struct ads_bads *bads, u32 index);
/*
 * The first range of @seg, at the place that @word names, that has something in
 * common with these sectors of it. Any context.
 */
bool ads_bad_find(struct ads_bads *bads, u32 seg, u64 word, u32 first,
		  u32 sectors, struct ads_range *found);
/* Is there any? Any context. */
bool ads_bad_any(struct ads_bads *bads, u32 seg, u64 word);
/*
 * Number and range of up to @max entries of @seg that overlap these sectors,
 * @word: at this place only, or ADS_BAD_ALL_PLACES. @bads->mutex held.
 */
#define ADS_BAD_ALL_PLACES	(~0ULL)
unsigned int ads_bad_list(struct ads_bads *bads, u32 seg, u64 word, u32 first,
			  u32 sectors, u32 *index, struct ads_range *r,
			  unsigned int max);
/*
 * For dumps: what place @index says, if that counts now. -ENOENT: it doesn't;
 * -ERANGE: there is no such place. pool->lock held.
 */
int ads_bad_get(struct ads_pool *pool, u32 index, struct ads_range *r);
/* For status: those that count now. */
void ads_bad_count(struct ads_pool *pool, u32 *nr, u64 *sectors, u32 *free);

/* bad-move.c; process context, no locks held */

/*
 * Before a move is recorded: what @m could not read, at its destination. 0, or
 * a negative error, with a reason in m->why.
 */
int ads_bad_record(struct ads_mig *m);

/* bad-record.c: durable changes; process context, no locks held */

/* Remove those of @seg at the place that @word names. */
int ads_bad_forget(struct ads_pool *pool, u32 seg, u64 word);
/* Remove those of all places that no segment is at: after activation. */
void ads_bad_forget_leftovers(struct ads_pool *pool);
/*
 * Remove those of places on @member, which is to leave (or ADSHARD_NO_MEMBER),
 * and those of segments from @first_seg on, which are no more. The volume is
 * suspended.
 */
void ads_bad_forget_gone(struct ads_pool *pool, u16 member, u32 first_seg);
/*
 * These sectors of @seg have data again; with @txn, as a write waits for it.
 * -ENOSPC, -ENOMEM: a range would have to be two.
 */
int ads_bad_heal(struct ads_pool *pool, struct ads_txn *txn, u32 seg, u32 first,
		 u32 sectors);

/*
 * Of use to those who hold @bads->mutex. The range of place @index becomes @r,
 * which may have no length; up to ADS_TXN_MAX of these in @txn. Commit: empties
 * @txn; what a failed one leaves reserved is of no use any more (readonly).
 */
void ads_bad_add(struct ads_txn *txn, u32 index, const struct ads_range *r);
int ads_bad_commit(struct ads_pool *pool, struct ads_txn *txn);
int ads_bad_forget_all(struct ads_pool *pool, struct ads_txn *txn, u32 seg,
		       u64 word);

/* heal.c */

/*
 * For a bio whose segment has bad ranges, in ->map(). Returns true if it is
 * ended (with an error: it begins in a range). May make it shorter.
 */
bool ads_bad_map(struct ads_pool *pool, struct bio *bio, struct ads_bio *pb,
		 u32 seg, sector_t off, u64 word);
/* A write that covers ranges has ended well; ends it again when they are gone. */
void ads_heal_queue(struct ads_pool *pool, struct bio *bio);
int ads_heals_init(struct ads_heals *heals);	/* free @txn after it */

#endif /* ADS_BAD_H */
