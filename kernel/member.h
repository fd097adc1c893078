/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A member: one backing block device of a pool.
 */
#ifndef ADS_MEMBER_H
#define ADS_MEMBER_H

#include <linux/atomic.h>
#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/spinlock.h>
#include <linux/uuid.h>

#include <linux/adshard-format.h>
#include <linux/dm-adshard.h>

struct ads_mig;
struct ads_pool;

enum ads_error_kind {
	ADS_ERR_READ,
	ADS_ERR_WRITE,
	ADS_ERR_FLUSH,
	ADS_ERR_META,
	ADS_ERR_COPY,
	ADS_ERR_KINDS,
};

/* Limits and load of a member in one direction of copying. */
struct ads_limit {
	u64 bps;		/* bytes per second, 0: none */
	u64 next_ns;		/* when the bytes charged so far are paid for */
	u32 active_max;		/* migrations at once, at least 1 */
	u32 active;		/* now */
};

/**
 * struct ads_pace - what the users' I/O leaves to copying, see throttle.c
 * @floor:	bytes per second in each direction, whatever the load
 * @latency_ns:	bound for the users' I/O; 0: none, and no pace
 * @bps:	the pace
 * @charged:	bytes since @checked_ns
 * @checked_ns:	when the pace was looked at
 * @sampled_ns:	when there was something to look at
 * @now_ns:	the average then; 0: there has been nothing for a while
 * @samples, @sum_ns: of sampled bios since; any context. All else under
 *		pool->throttle_lock
 */
struct ads_pace {
	u64 floor;
	u64 latency_ns;
	u64 bps;
	u64 charged;
	u64 checked_ns;
	u64 sampled_ns;
	u64 now_ns;
	atomic_t samples;
	atomic64_t sum_ns;
};

/**
 * struct ads_member - one member, by its index in the pool
 * @bdev:	its device; NULL if the table doesn't have it (then no segment
 *		has a leg here). Changes only while the volume is suspended, and
 *		under pool->lock.
 * @data_start:	sector of chunk 0
 * @nr_legs:	slots taken: flushes go only to members that hold something.
 *		Written under pool->lock, read without.
 * @nr_lost:	segments that were on it when it failed; under pool->lock
 * @slots:	bitmap of taken slots, under pool->lock
 * @state:	as the last durable record says; written under the metadata
 *		lock *and* pool->lock, read under either
 * @nr_owned:	segments whose only leg, by the last record, is here: a flush
 *		that fails is an error for the user. Before, it is one for the
 *		migrations that come here.
 * @flushes_failed: flushes of any kind that failed
 * @windows:	migrations to it whose commit is under way, oldest first
 * @nr_windows:	how many there were, ever
 * @held:	user's flushes that wait for the outcome of a commit
 * @settled:	of @flushes_failed: whatever these have cost the legs of sets here is
 *		recorded; written by the work that sees to it (settle.c)
 * @settling, @told: for that work. @told: of @flushes_failed: one of these has
 *		cost a set what was on its last leg
 * @flush_lost:	its cache may have been lost, and no user's flush has told yet
 * @closing:	is being declared failed: takes no new leg; under pool->lock
 * @disk:	the durable image; written under the metadata lock
 * @limit:	[0] as source, [1] as destination; under pool->throttle_lock,
 *		but @active, which is under pool->lock
 * @last_event:	jiffies of the last MEMBER_ERROR event
 * @read_ns:	how long reads take, smoothed; a guess, as the next two: to choose
 *		among legs
 * @next_read:	where the last one ended
 * @reads:	of sets, in flight
 */
struct ads_member {
	struct block_device *bdev;
	sector_t data_start;
	unsigned int nr_legs;
	u32 nr_lost;

	u16 index;
	u8 state;			/* enum adshard_member_state */
	u32 nr_slots;
	u32 slot_hint;			/* where the search for a free one starts */
	unsigned long *slots;
	struct adshard_member disk;

	struct ads_limit limit[2];
	struct ads_pace pace;

	spinlock_t flush_lock;		/* down to @flush_lost; irq-safe */
	u32 nr_owned;
	u32 flushes_failed;
	u32 settled;
	u32 settling;
	u32 told;
	struct list_head windows;
	u64 nr_windows;
	struct bio_list held;
	bool flush_lost;
	bool closing;

	atomic_long_t errors[ADS_ERR_KINDS];
	unsigned long last_event;
	unsigned long error_pending;	/* bit per kind, for the event work */
	atomic_long_t hist[2][ADSHARD_HIST_BUCKETS];
	u64 read_ns;
	sector_t next_read;
	atomic_t reads;
};

/* Device name for messages, "(missing)" without a device. Any context. */
void ads_member_name(const struct ads_member *mb, char *buf, size_t len);

/* A zeroed one. */
void ads_member_init(struct ads_member *mb, u16 index);

/* The limits that it begins with. */
void ads_member_limits(struct ads_member *mb);

/* Slots; all under pool->lock. */
int ads_slots_init(struct ads_member *mb, u32 nr_slots);
void ads_slots_exit(struct ads_member *mb);
int ads_slot_take(struct ads_member *mb, u32 slot);	/* -EEXIST: taken */
int ads_slot_alloc(struct ads_member *mb, u32 *slot);	/* -ENOSPC */
void ads_slot_free(struct ads_member *mb, u32 slot);

/*
 * Count an error and have an event sent soon. Any context. Errors that say
 * nothing about the disk (read-ahead, REQ_NOWAIT, not supported) are the
 * caller's to leave out.
 */
void ads_member_error(struct ads_pool *pool, struct ads_member *mb,
		      enum ads_error_kind kind);

/* flush.c; any context but where noted */

/* A flush has failed. Is it an error for the user? */
bool ads_flush_failed(struct ads_pool *pool, struct ads_member *mb);
/*
 * One of our own has, or a write that implies one. @tell: the next user's flush
 * is to fail, if the member owns anything, as its cache may be lost.
 */
void ads_flush_lost(struct ads_member *mb, bool tell);
/*
 * A user's flush has ended, and @bio->bi_status says how. True: it was taken,
 * and is ended later.
 */
bool ads_flush_hold(struct ads_member *mb, struct bio *bio);
/* The record of @m is about to be sent; @dst->flush_lock held. */
void ads_window_open(struct ads_mig *m, struct ads_member *dst);
/*
 * The outcome is known, or m->stuck. Process context, no locks held.
 */
void ads_window_close(struct ads_mig *m, struct ads_member *dst);

#endif /* ADS_MEMBER_H */
