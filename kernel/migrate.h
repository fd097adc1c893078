/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A migration: one segment on its way from one member to another.
 *
 * Steps (design: Documentation/design.rst):
 *	QUEUED	waits for room under the limits; its slot is reserved
 *	TRACK	writes take the slow path; drain; from here every write is
 *		counted by chunk
 *	FILL	chunk by chunk: hold its writes, wait for those in flight, read,
 *		checksum, write, read back, compare; then mirror
 *	VERIFY	flush the destination, compare both legs chunk by chunk
 *	COMMIT	flush, record, flip the word; writes go to both legs all along
 *	RELEASE	drain; the source's slot is free
 *	ABORT	back to the source alone; drain; the destination's slot is free
 */
#ifndef ADS_MIGRATE_H
#define ADS_MIGRATE_H

#include <linux/bio.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include <linux/dm-adshard.h>

#include "set.h"

struct ads_pool;
struct ads_bio;
struct ads_job;
struct ads_member;
struct ads_set;
struct ads_txn;
struct netlink_ext_ack;

enum ads_chunk_state {
	ADS_CHUNK_DIRTY,	/* destination differs: writes to the source only */
	ADS_CHUNK_HELD,		/* a job owns it: new writes wait */
	ADS_CHUNK_CLEAN,	/* legs are equal: writes go to both */
};

/**
 * struct ads_chunk - one chunk of a migrating segment, under m->lock
 * @held:	writes that wait for the job to let go, or for an overlapping
 *		mirrored write to end
 * @mirrored:	mirrored writes in flight (struct ads_bio), for the overlap test
 * @writes:	writes in flight, mirrored or not
 * @verified:	compared equal since it was last copied
 * @may_differ:	a discard went to both legs, or a leg failed: a difference is
 *		no surprise, and not counted as a mismatch
 * @missed:	the destination lacks a write since it was copied
 * @difficult:	a part of it could not be read at first: the others come before
 * @copies:	how often it was copied
 * @bad:	a bit per logical block that has no data on the destination, as it
 *		could not be read; NULL: none
 * @job:	the job that works on it, or NULL
 * @waiting:	@job waits for @writes to become 0
 */
struct ads_chunk {
	struct bio_list held;
	struct list_head mirrored;
	struct ads_job *job;
	unsigned long *bad;
	u32 writes;
	u8 state;			/* enum ads_chunk_state */
	u8 copies;
	bool verified : 1;
	bool may_differ : 1;
	bool waiting : 1;
	bool difficult : 1;
	bool missed : 1;
};

/**
 * struct ads_mig - one migration
 * @node:	in pool->queue or pool->active
 * @lock:	chunks, counters, @window, @stalled; taken in irq context
 * @step:	enum adshard_step; written by the control work only (QUEUED
 *		under pool->lock), read by anyone
 * @txn:	allocated at TRACK: a commit must not fail for want of memory
 * @stop:	abort was asked for; set under pool->lock and m->lock
 * @error, @why: the first reason to fail; under @lock, @why is a constant
 * @aside:	has given its place to others; written under pool->lock and
 *		@lock. This and the next two: aside.c
 * @hard:	does what is difficult; likewise
 * @slow_reads:	so many in a row took too long; under @lock
 * @jobs:	chunk jobs, allocated at TRACK and when it goes on
 * @busy:	jobs that have a chunk; the last one to stop wakes the control
 *		work
 * @clean:	chunks in state CLEAN (a held chunk is not)
 * @unverified:	chunks not @verified
 * @block_shift: log2 of the sectors of a logical block
 * @bad_blocks:	bits set in @bad of all chunks
 * @bad_recorded: they are being made durable, or are: who clears one must see to
 *		its removal (heal.c)
 * @dirtied:	counts chunks that fell back to DIRTY
 * @flushed_at:	@dirtied when the last flush before the commit was sent
 * @dst_flushes:	failed flushes of the destination when the copying began
 * @window:	a commit is under way: a write that failed on a leg must wait for
 *		the outcome on @stalled
 * @window_node, @window_nr: in the destination's list of open windows, under its
 *		flush_lock
 * @dst_lost:	a stalled write failed on the destination
 * @committed:	the destination is authoritative
 * @stuck:	nobody knows which leg is: both are written for ever, and a write
 *		that failed on either has failed
 * @kind:	enum adshard_kind
 * @own:	the kernel's: steps back for others while it is queued
 * @set:	from TRACK on, of a segment with a set; else NULL. So are those that
 *		follow, down to @image:
 * @src_leg:	the leg that goes (MOVE), or the primary
 * @dst_leg:	the leg that is filled, or -1
 * @align_leg:	the leg in sync that is made equal to the primary
 * @in_place:	the destination has its place already: of a stale leg, or @aligns:
 *		of one in sync
 * @src_legs, @src_flushes: legs in sync when it began; and, by leg, failed flushes
 *		then of their members. Under set->lock
 * @doubts:	set->doubts when it began
 * @image:	what the record says
 * @deferred:	writes for the bio worker
 *
 * Lifetime: from ads_mig_queue() to the end of its control work; bios that
 * found it by pool->migs are counted in the segment's lane until they end, and
 * it is freed after a drain.
 */
struct ads_mig {
	struct ads_pool *pool;
	struct list_head node;
	u32 seg;
	u16 src, dst;
	u32 src_chunk, dst_chunk;
	int kind;
	bool own, in_place, aligns;
	struct ads_set *set;
	int src_leg, dst_leg, align_leg;
	u8 src_legs;
	u32 src_flushes[ADS_SET_LEGS];
	u32 doubts;
	struct ads_fmt_seg image;
	u32 priority;
	u64 cookie;
	int step;

	spinlock_t lock;		/* see above; irq-safe */
	bool stop;
	int error;
	const char *why;
	struct ads_chunk *chunks;
	u32 nr_chunks;
	u32 cursor;
	u32 clean;
	u32 unverified;
	u32 bad_blocks;
	u8 block_shift;
	bool bad_recorded;
	u32 dirtied;
	u32 flushed_at;
	u32 dst_flushes;
	bool window, dst_lost, committed, stuck;
	struct list_head window_node;
	u64 window_nr;
	struct bio_list stalled;
	struct bio_list deferred;
	struct work_struct bio_work;

	bool aside, hard;
	u8 slow_reads;
	struct ads_job *jobs;
	unsigned int nr_jobs;
	unsigned int busy;
	struct work_struct ctl_work;

	/* counters; under @lock */
	u64 chunks_verified, chunks_recopied, mismatches, bytes_copied;
	u64 writes_held, hold_max_ns;
	u32 dst_errors;
	u64 start_ns;
	struct ads_mig_txn *txn;
};

/*
 * Queue an operation; a slot that it needs is reserved at once. Process context,
 * no locks held. Errors as in uapi/linux/dm-adshard.h; @extack may be NULL.
 * @src: ADS_ALL: none is named. @dst: of a RESYNC of a set in doubt the leg that
 * is to become as the primary.
 */
struct ads_op {
	int kind;
	bool own;
	u32 seg, src, dst, priority;
	u64 cookie;
};

int ads_mig_queue(struct ads_pool *pool, const struct ads_op *op,
		  struct netlink_ext_ack *extack);

/* May @dst get a new leg? pool->lock held. */
int ads_mig_check_dst(struct ads_pool *pool, u32 dst,
		      struct netlink_ext_ack *extack);
/*
 * Ask migrations to stop: of one segment, of all that touch @member, of all.
 * Returns how many were told, -ENOENT for a segment that has none. pool->lock
 * not held.
 */
#define ADS_ALL	(~0U)
int ads_mig_abort(struct ads_pool *pool, u32 seg, u32 member);

/* Start what the limits allow. pool->lock held. */
void ads_mig_start_queued(struct ads_pool *pool);

/*
 * Stop all copying at the next chunk (sets pool->parked) and wait until no
 * chunk is held and no control step runs. Migrations keep their state: writes
 * go on being tracked and mirrored. pool->lock not held.
 */
void ads_mig_park(struct ads_pool *pool);
/*
 * Let migrations go on as far as the pool is neither parked nor paused: the
 * caller has just cleared one of the two under pool->lock, which it has let go.
 */
void ads_mig_unpark(struct ads_pool *pool);
/* Stop those that go to @member, which takes no new data; pool->lock held. */
void ads_mig_stop_to(struct ads_pool *pool, u16 member);

/* Forget all migrations: no bio is in flight, the pool is suspended. */
void ads_mig_destroy_all(struct ads_pool *pool);

/* Snapshot for netlink; pool->lock held. */
struct ads_mig_info {
	u64 chunks_verified, chunks_recopied, mismatches, bytes_copied;
	u64 writes_held, hold_max_ns, age_ns;
	u64 bad_bytes;
	u32 chunks, chunks_done;
};

void ads_mig_info(struct ads_mig *m, struct ads_mig_info *info);

/* Within the migration code ------------------------------------------------*/

/* The migration can't go on. Any context; the first reason counts. */
void ads_mig_fail(struct ads_mig *m, int err, const char *why);
void __ads_mig_fail(struct ads_mig *m, int err, const char *why); /* m->lock */
bool ads_mig_must_stop(struct ads_mig *m);

/*
 * queue.c; pool->lock held. Do the limits allow to start @m, if @gone had left?
 * And what they count.
 */
bool ads_mig_fits(const struct ads_mig *m, const struct ads_mig *gone);
void ads_mig_enter(struct ads_mig *m);
void ads_mig_leave(struct ads_mig *m);

/* migrate.c */
void ads_mig_set_step(struct ads_mig *m, int step);
void ads_mig_ctl(struct work_struct *work);	/* of m->ctl_work */
void ads_mig_free(struct ads_mig *m);

/* May its record stand? m->lock and @dst->flush_lock held. */
bool ads_mig_may_commit(struct ads_mig *m, struct ads_member *dst);

/*
 * set-op.c: the steps of an operation on a set, where they differ. From its
 * control work, no locks held but where noted.
 */
int ads_op_track(struct ads_mig *m);
/* In place: all chunks are clean, and none is verified. */
void ads_op_chunks(struct ads_mig *m);
/* The record. Metadata lock held. */
int ads_op_image(struct ads_mig *m, struct ads_txn *txn);
/* It is durable. Metadata lock and pool->lock held. -EIO: refused. */
int ads_op_apply(struct ads_mig *m);
/* @aligns, and all is equal. */
void ads_op_aligned(struct ads_mig *m);
/* Writes to the destination fail. */
void ads_op_dst_failed(struct ads_mig *m);
/* No bio is to find @m any more. */
void ads_op_untrack(struct ads_mig *m, bool done);
/* No bio does. m->set may be no more. */
void ads_op_finish(struct ads_mig *m, bool done);
/* Where @job reads its chunk: any leg that has it. */
void ads_op_source(struct ads_job *job);
/* It failed there. True: there is another one; ask ads_op_source(). */
bool ads_op_other_source(struct ads_job *job);
/* A single block did. True: it is to be read from another leg, as is now set. */
bool ads_op_other_block(struct ads_job *job);

/* chunk.c */
int ads_chunks_init(struct ads_mig *m);
void ads_chunks_exit(struct ads_mig *m);
/*
 * Keep new writes off a chunk that @job owns. True if none is in flight;
 * otherwise @job is queued when the last one has ended.
 */
bool ads_chunk_hold(struct ads_mig *m, u32 index, struct ads_job *job);
/* Its waiting writes are dispatched again, as to a DIRTY one; @job keeps it. */
void ads_chunk_unhold(struct ads_mig *m, u32 index);
/* All are to be compared once more, with nothing trusted. */
void ads_chunks_doubt(struct ads_mig *m);
/* Let go of a held chunk, as above. */
void ads_chunk_release(struct ads_mig *m, u32 index, bool clean);

/* mirror.c: end the writes that waited for a commit's outcome. */
void ads_stalled_end(struct ads_mig *m);

/*
 * For writes (mirror.c, set-write.c); m->lock held. It waits for its chunk; it does
 * so no more.
 */
void ads_chunk_queue(struct ads_mig *m, struct bio *bio);
void ads_chunk_hold_end(struct ads_mig *m, struct ads_bio *pb);

/*
 * For writes to a set (set-write.c), whose legs in sync are the source. m->lock
 * held, set->lock around it.
 *
 * Must it wait for its chunk? It is taken then, but if it may not wait.
 */
bool ads_chunk_wait(struct ads_mig *m, struct bio *bio, bool direct);
bool ads_chunk_is_clean(struct ads_mig *m, u32 chunk);
/* @mirrored: it goes to the destination, too. */
void ads_chunk_write_begin(struct ads_mig *m, struct bio *bio, bool mirrored);
/*
 * It has reached both or failed: @src, @dst. True: it was taken, and waits for a
 * commit's outcome; else *@status.
 */
bool ads_chunk_judge(struct ads_mig *m, struct bio *bio, blk_status_t src,
		     blk_status_t dst, blk_status_t *status);
/* @on_dst: the destination has it. @goes_on: it has failed, or is not over. */
void ads_chunk_write_end(struct ads_mig *m, struct bio *bio, bool on_dst,
			 bool goes_on);

/* jobs.c */
int ads_jobs_init(struct ads_mig *m);
void ads_jobs_exit(struct ads_mig *m);
/*
 * Start the idle ones. @if_busy: only if another one runs, so that the control
 * work can't be beyond copying.
 */
void ads_jobs_kick(struct ads_mig *m, bool if_busy);
/* Those that wait for a limit look again: at what to do, and at the limit. */
void ads_jobs_hurry(struct ads_mig *m);
void ads_job_queue(struct ads_job *job);	/* any context */

/* source.c: a write to these sectors of the volume has ended; m->lock held */
void ads_job_stale(struct ads_job *job, sector_t first, sector_t last);

/* aside.c */

/*
 * All jobs of @m are idle, in step FILL. True: it has stepped aside. False: there
 * is work for them. Process context, no locks held.
 */
bool ads_aside_wait(struct ads_mig *m);
/* It is aside no more, or ends; pool->lock held. */
void ads_aside_end(struct ads_mig *m);
/* There may be room for some, or none for others. pool->lock held. */
void ads_aside_go_on(struct ads_pool *pool);
/* Its jobs take no chunk any more; m->lock held. */
bool ads_aside_stops(struct ads_mig *m);
/* A read of the source has returned; no locks held. */
void ads_aside_read_end(struct ads_job *job);
void ads_aside_work(struct work_struct *work);	/* of pool->watch_work */

/* throttle.c: charge both ends; ns to wait before the I/O may start. */
u64 ads_throttle(struct ads_pool *pool, u16 src, u16 dst, u32 bytes);
/* Limits have changed; throttle_lock held. */
void ads_pace_set(struct ads_member *mb);

/* What goes for a member now: [0] as source, [1] as destination. */
struct ads_pace_info {
	u64 floor, latency_ns, now_ns;
	u64 rate[2];
	u32 by[2];			/* enum adshard_rate_by */
};

void ads_pace_get(struct ads_pool *pool, struct ads_member *mb,
		  struct ads_pace_info *info);

#endif /* ADS_MIGRATE_H */
