/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A set: the legs of a segment that has, or should have, more than one.
 *
 * A segment without a set has one leg, which its word in the map names. One with
 * a set has ADS_WORD_SET in its word, and its legs in a struct ads_set, which is
 * found by pool->sets and lives until the lane was drained without the flag.
 *
 * What a leg is, in core:
 *
 *	FREE		no leg
 *	SYNC		has every write that has ended; read and written
 *	OUT		was SYNC, by the last record still is, and has missed a
 *			write: neither read nor written any more. No write that it
 *			missed ends before a record calls it stale.
 *	STALE		by the last record
 *	FILLING		the destination of an operation: written where its chunk
 *			is clean. By the record it is STALE, or nothing.
 *	GONE		no leg any more by the record, but writes that were sent
 *			before may still go there: its place is not free yet
 *
 * Intent: while the record says that more than one leg is in sync, and has no
 * intent, no write is sent. A power cut may leave a write on one leg and not on
 * another, and a reader would get now this, now that.
 *
 *	NONE	the legs are equal, and durably so
 *	SETTING	writes wait for the record
 *	SET	writes go
 *	CLEARING all is flushed; writes wait for the outcome, and ask again
 */
#ifndef ADS_SET_H
#define ADS_SET_H

#include <linux/atomic.h>
#include <linux/bio.h>
#include <linux/list.h>
#include <linux/rcupdate.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "format.h"

struct ads_bio;
struct ads_member;
struct ads_mig;
struct ads_pool;
struct ads_set_txn;
struct netlink_ext_ack;

enum ads_leg_core {
	ADS_LEG_FREE,
	ADS_LEG_SYNC,
	ADS_LEG_OUT,
	ADS_LEG_STALE,
	ADS_LEG_FILLING,
	ADS_LEG_GONE,
};

enum ads_intent {
	ADS_INTENT_NONE,
	ADS_INTENT_SETTING,
	ADS_INTENT_SET,
	ADS_INTENT_CLEARING,
};

/* One more than there are on disk: the destination of a move. */
#define ADS_SET_LEGS	(ADSHARD_MAX_LEGS + 1)

/**
 * struct ads_set_leg - a leg, in a place of the set that it keeps
 * @state:	enum ads_leg_core; written under set->lock. Read without by readers
 *		of data: the place below doesn't change before it is FREE again
 *		and the lane was drained.
 * @stale:	FILLING: by the record it is STALE
 * @slot:	its slot is taken: its member is, or was, here; under pool->lock
 * @flushes:	failed flushes of its member when the last write began that is
 *		known to be durable: another number means that it may have lost
 *		some. Of meaning while there is an intent. Under set->lock
 */
struct ads_set_leg {
	u8 state;
	bool stale;
	bool slot;
	u16 member;
	u32 chunk;
	u32 flushes;
};

/**
 * struct ads_set - the legs of one segment
 * @lock:	all that follows but where noted; irq-safe
 * @primary:	a SYNC leg: the one that is read while in doubt, and the first of
 *		the record. Read without the lock, as @doubt is
 * @intent:	enum ads_intent
 * @doubt:	the SYNC legs may differ in what was being written once
 * @discarded:	some of it was discarded since: a difference is no surprise
 * @lost:	all that were in sync have gone with their members, at activation:
 *		I/O fails, and nothing changes but @wanted, until renew.c
 * @broken:	a record that it needs can't be written: what needs it fails
 * @disk:	what the last record says; written under the metadata lock and
 *		@lock
 * @writes:	in flight (struct ads_bio), for the overlap test
 * @started:	counts writes
 * @last_write:	jiffies
 * @held:	writes that wait for the intent, or for an overlapping one to end
 * @stalled:	writes that a leg has missed: wait until it is recorded as stale
 * @todo:	in sets->todo, under sets->lock
 * @in_intents: in sets->intents, under sets->lock
 * @doubts:	counts what makes it doubtful which legs were compared: @aligned,
 *		a bit each, since then
 * @resync_after: jiffies: no resync of its own before
 * @busy:	is being changed without an operation; under pool->lock
 * @owner:	the only SYNC leg, counted in its member's nr_owned; or -1
 * @counted_stale, @counted_short, @counted_doubt: what of it is in the sums of
 *		struct ads_sets
 */
struct ads_set {
	struct ads_pool *pool;
	u32 seg;

	spinlock_t lock;		/* see above */
	struct ads_set_leg leg[ADS_SET_LEGS];
	u8 primary;
	u8 intent;
	u8 wanted;
	bool lost, doubt, discarded, broken;
	struct ads_fmt_seg disk;

	struct list_head writes;
	u64 started;
	unsigned long last_write;
	struct bio_list held;
	struct bio_list stalled;

	struct list_head todo;
	struct list_head in_intents;

	u32 doubts;
	u8 aligned;
	unsigned long resync_after;
	bool busy;

	struct rcu_head rcu;
	int owner;
	u8 counted_stale;
	bool counted_short, counted_doubt;
};

/**
 * struct ads_sets - all of a pool
 * @by_seg:	struct ads_set by segment; written under pool->lock or while loading
 * @lock:	the lists below; irq-safe, inside of set->lock
 * @todo:	sets whose record should say something else, or who want a resync
 * @intents:	sets with an intent SET
 * @bios:	of users, for the bio worker: writes to be tried again, reads to
 *		be tried on another leg
 * @flushes:	users' flushes that wait until the legs that one has cost are
 *		recorded as stale
 * @record:	for @work's records; @clear for @clear_work's
 * @nr_intents:	how many are in @intents; under @lock
 * @nr:		how many there are; under pool->lock
 * @stale, @missing, @doubt: legs, segments, segments
 */
struct ads_sets {
	struct xarray by_seg;
	spinlock_t lock;		/* see above */
	struct list_head todo;
	struct list_head intents;
	struct bio_list bios;
	struct bio_list flushes;
	struct work_struct work;
	struct work_struct bio_work;
	struct delayed_work clear_work;
	struct mutex record_lock, clear_lock;	/* the works, while they run */
	struct ads_set_txn *record, *clear;
	u32 nr_intents;
	u32 nr;
	atomic_t stale, missing, doubt;
	atomic64_t resync_bytes;
};

/* set-load.c ---------------------------------------------------------------*/

/* Forget all of them; no bio is in flight. */
void ads_sets_clear(struct ads_pool *pool);
/*
 * While loading, or making a pool or more of one: what a table or a record says
 * of @seg. Sets the word. -ENOMEM.
 */
int ads_set_put(struct ads_pool *pool, u32 seg, const struct ads_fmt_seg *s);
/* It has none any more; the word is the caller's. Nobody knows it. */
void ads_set_forget(struct ads_pool *pool, u32 seg);
/* The members are loaded: which legs are here? Counts them. */
void ads_sets_attach(struct ads_pool *pool);
/* A new segment has got places: likewise, if it has a set. pool->lock held. */
void ads_sets_placed(struct ads_pool *pool, u32 seg);
/*
 * A member that was missing is here: its legs, out or stale, take their slots,
 * before anybody else can. They stay what they are until they are filled. The
 * volume is suspended; pool->lock held. -EUCLEAN.
 */
int ads_sets_welcome(struct ads_pool *pool, u16 member);

/* set.c: lookup, and images ------------------------------------------------*/

void ads_sets_init(struct ads_sets *sets);
/* A zeroed one. */
void ads_set_init(struct ads_set *set, struct ads_pool *pool, u32 seg);
/* NULL if it has none. Of a bio: as long as it is counted in its lane. */
struct ads_set *ads_set_of(struct ads_pool *pool, u32 seg);

/* What the last record says of @seg, into a zeroed @d. Metadata lock held. */
void ads_seg_image(struct ads_pool *pool, u32 seg, struct adshard_seg *d);
/* Is a leg in sync of @seg at the place that @word names, by the last record? */
bool ads_seg_is_at(struct ads_pool *pool, u32 seg, u64 word);

/* Is all that was in sync of @seg on members that have failed? Any context. */
bool ads_seg_lost(struct ads_pool *pool, u32 seg);

/* Legs in @state, a bit each. set->lock held. */
u8 ads_set_mask(const struct ads_set *set, enum ads_leg_core state);
/* The leg on @member that is not GONE, -1 if there is none. set->lock held. */
int ads_set_leg_on(const struct ads_set *set, u16 member);
/*
 * What a record should say: legs as they are in core, with leg @add in sync and
 * without leg @drop (-1: none). set->lock held.
 */
void ads_set_image(const struct ads_set *set, struct ads_fmt_seg *s, int add,
		   int drop);
/* The record says @s. Metadata lock and set->lock held. */
void ads_set_apply(struct ads_set *set, const struct ads_fmt_seg *s);
/*
 * For the work that clears intents: it has one. set->lock held, or nobody else
 * knows it any more.
 */
void ads_set_list_intent(struct ads_set *set, bool on);
/* Something above has changed: the sums, and who owns. set->lock held. */
void ads_set_account(struct ads_set *set);

static inline u64 ads_set_word(const struct ads_set *set, unsigned int leg)
{
	return (u64)set->leg[leg].member << 32 | set->leg[leg].chunk;
}

struct ads_member *ads_set_member(const struct ads_set *set, unsigned int leg);
/* The sector of the member where @volume is on @leg. */
sector_t ads_set_sector(const struct ads_set *set, unsigned int leg,
			sector_t volume);
/* May it have lost what it had acknowledged? Any context. */
bool ads_set_leg_lost(const struct ads_set *set, unsigned int leg);

/* set-write.c --------------------------------------------------------------*/

/*
 * A write to @pb->set, counted in its lane, maybe with @pb->mig and then not
 * crossing a chunk. As ads_write_slow().
 */
int ads_set_write(struct bio *bio, gfp_t gfp);
/*
 * A write has ended on all legs that it was sent to: end it, or have it wait for
 * a record. No locks held; any context.
 */
void ads_set_write_end(struct bio *bio);
/*
 * One that has waited for the outcome of a commit goes on: @status, or what the
 * legs that count now say. Process context.
 */
void ads_set_write_decided(struct bio *bio, blk_status_t status);
/*
 * Legs in @mask are out, others in sync are left; ads_set_todo() is the caller's.
 * set->lock held.
 */
void ads_set_out(struct ads_set *set, u8 mask);
/*
 * A record was written, or @failed: those that waited for it look again. Process
 * context.
 */
void ads_set_recorded(struct ads_set *set, bool failed);

/* set-read.c ---------------------------------------------------------------*/

/*
 * A read from @pb->set, in ->map(). DM_MAPIO_REMAPPED, or _SUBMITTED if it is
 * ended: no leg has data there.
 */
int ads_set_read(struct bio *bio);
/*
 * Legs that have all data, a bit each: in sync, with nothing lost; never 0. Any
 * context.
 */
u8 ads_set_readable(const struct ads_set *set);
/* Those of @mask that have no bad range in this part of the segment. */
u8 ads_set_without_bad(struct ads_set *set, u8 mask, sector_t volume,
		       u32 sectors);
/* It has failed. True: it is tried elsewhere, and ends again. */
bool ads_set_read_failed(struct bio *bio, blk_status_t error);
/* From the bio worker: the next try. */
void ads_set_read_again(struct bio *bio);
/* It has ended, by itself or after another try. */
void ads_set_read_done(struct bio *bio);

/* set-op.c -----------------------------------------------------------------*/

/* The word that the map should have. pool->lock held. */
u64 ads_set_map_word(struct ads_set *set);

/* set-change.c -------------------------------------------------------------*/

/*
 * Have a plain segment become a set with one leg, @set, zeroed; the word gets the
 * flag, and bios see it after the next drain. pool->lock held.
 */
int ads_set_make(struct ads_pool *pool, u32 seg, struct ads_set *set);
/*
 * A set that is as good as none goes; else it is @busy no more. The caller keeps
 * others from changing it: by an operation, or @set->busy. Process context, no
 * locks held.
 */
void ads_set_collapse(struct ads_set *set);
/* Slots of legs that no bio knows any more. pool->lock held, lane drained. */
void ads_set_free_gone(struct ads_set *set);
/*
 * A segment is cut off, or was not to be: its set, with all that its legs hold.
 * The volume is suspended; process context, no locks held.
 */
void ads_set_cut(struct ads_pool *pool, u32 seg);
/*
 * Requests: process context, no locks held; errors as in
 * uapi/linux/dm-adshard.h. @wait: a moment, until the slot is free.
 */
int ads_set_drop(struct ads_pool *pool, u32 seg, u32 member, bool wait,
		 struct netlink_ext_ack *extack);
int ads_set_want(struct ads_pool *pool, u32 seg, u32 count, u8 wanted,
		 struct netlink_ext_ack *extack);
/*
 * All legs on @member, if none is the last in sync. pool->admin held. -ENOTEMPTY,
 * -EBUSY.
 */
int ads_set_drop_all(struct ads_pool *pool, u16 member);
/* Queue a resync, if it is in doubt and nothing else is under way. */
void ads_set_resync_doubt(struct ads_set *set);
#define ADS_RESYNC_PAUSE	(30 * HZ)	/* after one that failed */

/* intent.c -----------------------------------------------------------------*/

/* With a pool, and after it. */
int ads_sets_alloc(struct ads_pool *pool);
void ads_sets_free(struct ads_pool *pool);

/*
 * @set is no more to be found: nobody works on it, or will, on return. Process
 * context.
 */
void ads_sets_forget(struct ads_set *set);
/* @set needs a record. set->lock held; any context. */
void ads_set_todo(struct ads_set *set);
/* A bio for the bio worker. Any context. */
void ads_set_defer(struct ads_pool *pool, struct bio *bio);
void ads_set_defer_list(struct ads_pool *pool, struct bio_list *list);
/*
 * A user's flush has ended on a member that some flush has failed on since the
 * last time: end it when all that it cost is recorded. Any context.
 */
void ads_set_flush_wait(struct ads_pool *pool, struct bio *bio);
/* From the work below, which holds record_lock: see settle.c and intent.c. */
void ads_sets_settle(struct ads_pool *pool);
/*
 * Legs that may have lost something are out, and to be recorded as stale, if not
 * all have. True: some have, or all. set->lock held.
 */
bool ads_set_settle(struct ads_set *set);
/* All that is to be recorded. 0: it is. */
int ads_sets_record(struct ads_pool *pool);
/* Work functions of struct ads_sets. */
void ads_sets_work(struct work_struct *work);
void ads_sets_bio_work(struct work_struct *work);
void ads_sets_clear_work(struct work_struct *work);
/* Suspended: no bio is in flight. Clears what can be cleared. */
void ads_sets_suspend(struct ads_pool *pool);
void ads_sets_resume(struct ads_pool *pool);
/*
 * After activation, before the first bio: what has to be recorded at once.
 */
int ads_sets_start(struct ads_pool *pool);

#endif /* ADS_SET_H */
