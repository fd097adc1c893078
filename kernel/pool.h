/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A pool: the set of members that together carry one volume. Shared by the
 * tables of one mapped device (old and new one during a reload), so that
 * there is never a second opinion about where a segment lives.
 *
 * Locks, outermost first:
 *	ads_registry.lock	mutex: the list of pools
 *	pool->admin		mutex: one change of a member's state at a time
 *	pool->bads.mutex	mutex: one change of the bad ranges at a time
 *	pool->meta lock		mutex in struct ads_meta: one commit at a time
 *	pool->lock		mutex: slots, queue of migrations, states
 *	set->lock		spinlock (irq): legs of one segment
 *	m->lock			spinlock (irq): chunks of one migration
 *	member->flush_lock	spinlock (irq)
 *	pool->bads.lock		spinlock (irq): lookups of bad ranges
 *	pool->throttle_lock	spinlock
 *	pool->heals.lock	spinlock (irq)
 *	pool->sets.lock		spinlock (irq)
 * A bio's path takes m->lock only if its segment migrates, set->lock only if it
 * has several legs, bads.lock and heals.lock only if it has bad ranges, and a
 * flush's end the flush_lock. bads.lock is taken under none of them, and
 * set->lock under it by who counts ranges.
 */
#ifndef ADS_POOL_H
#define ADS_POOL_H

#include <linux/bio.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/uuid.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include <linux/dm-adshard.h>

#include "bad.h"
#include "map.h"
#include "member.h"
#include "meta.h"
#include "set.h"

#define DM_MSG_PREFIX	"adshard"

struct ads_args;
struct ads_target;
struct dm_target;
struct mapped_device;
struct netlink_ext_ack;

#define ADS_HEAT_SAMPLE	16		/* a power of two */

/* Counters since activation. */
struct ads_totals {
	atomic64_t bytes_copied;
	atomic64_t chunks_verified;
	atomic64_t mismatches;
	u64 done, failed, aborted;	/* under pool->lock */
};

/**
 * struct ads_pool - see above
 * @map:	words of all segments; READ_ONCE/WRITE_ONCE only
 * @members:	by index, with room for all that may join: it never moves. An
 *		entry without a device has no bdev, one that is free no state.
 * @present:	the table's devices in the table's order; @present_member[i]
 *		is the index of the i-th one. As @map, @heat and their number,
 *		changed only while the volume is suspended, under @lock.
 * @tables:	struct ads_target of all tables, live or not; under
 *		ads_registry.lock
 * @nr_map:	entries of @map: those beyond @nr_segments are of a growth, and no
 *		record knows them yet; under @lock and the metadata lock
 * @nr_lost:	segments on failed members: see ads_word_lost(); under @lock
 * @bound:	the table that @present is of; NULL if a reload has failed; under
 *		@lock
 * @md:		the mapped device that owns the pool: its identity
 * @state:	enum adshard_pool_state; under @lock, read without for status
 * @loaded:	geometry, map and members are valid; under @lock
 * @suspended:	between postsuspend and resume, and before the first resume;
 *		no device may be touched; under @lock
 * @dead:	the last table is gone; under @lock. A netlink request may still
 *		hold a reference.
 * @parked:	copying stops at the next chunk, see ads_pool_park(); under @lock
 * @paused:	likewise, by the operator; under @lock
 * @generation:	changes whenever a segment's place or leg does; under @lock
 * @migs:	struct ads_mig by segment, queued or running
 * @queue:	migrations in step QUEUED by priority, then age; under @lock
 * @active:	those beyond; under @lock
 * @users:	requests that work on the devices (ads_pool_enter()); a suspend
 *		waits for them; under @lock
 * @ti:		the live table's target, for dm_table_event(); under @lock
 * @event_seq:	last event sent, under @event_lock
 */
struct ads_pool {
	/* every bio reads these; constant but while the volume is suspended */
	u64 *map;
	struct ads_heat *heat;
	struct ads_member *members;
	u8 segment_shift;
	u8 chunk_shift;
	u32 segment_mask;		/* of sectors */
	u32 nr_segments;
	u32 __percpu *tick;
	struct ads_lanes lanes;

	/* geometry and identity */
	sector_t volume_sectors;
	u32 nr_members;			/* highest index + 1 */
	u32 nr_map;
	u32 nr_lost;
	u32 logical_block_size;
	uuid_t uuid;
	char name[ADSHARD_NAME_SIZE];
	struct block_device **present;
	u16 *present_member;
	unsigned int nr_present;

	struct kref ref;
	u64 id;				/* goes up with each pool */
	struct list_head node;
	struct mapped_device *md;
	struct dm_target *ti;
	struct list_head tables;
	struct ads_target *bound;

	struct mutex admin;		/* one change of a member at a time */
	struct mutex lock;		/* see above */
	int state;
	bool loaded, suspended, dead, parked, paused;
	unsigned int users;
	u64 generation;
	u32 max_active;
	struct xarray migs;
	struct list_head queue;
	struct list_head active;
	u32 nr_active, nr_queued;
	u32 nr_aside;			/* of @nr_queued; these are in @active */
	u64 slow_ns;			/* a read that takes longer; 0: none does */
	struct delayed_work watch_work;
	atomic_t busy_jobs;
	wait_queue_head_t wait;		/* @busy_jobs or @users became 0 */
	struct ads_totals totals;

	spinlock_t throttle_lock;	/* limits of all members */

	struct ads_meta *meta;
	struct ads_bads bads;
	struct ads_heals heals;
	struct ads_sets sets;

	struct mutex event_lock;	/* @event_seq: order is number */
	u64 event_seq;
	struct work_struct error_work;	/* sends MEMBER_ERROR events */
	struct work_struct repair_work;	/* metadata members, on @ctl_wq */
	struct work_struct table_work;	/* dm_table_event(), never from a bio */

	struct workqueue_struct *heal_wq;	/* writes over bad ranges */
	struct workqueue_struct *set_wq;	/* records that writes wait for */
	struct workqueue_struct *bio_wq;	/* held and deferred user bios */
	struct workqueue_struct *copy_wq;	/* chunk jobs */
	struct workqueue_struct *ctl_wq;	/* steps that commit or drain */
	struct bio_set leg_bios;
};

/*
 * The member that a segment without a set was on has failed: I/O to it fails. It
 * comes from an activation without that member, and its word has ADS_WORD_BAD,
 * so that plain segments need not ask. Any context. See ads_seg_lost().
 */
static inline bool ads_word_lost(const struct ads_pool *pool, u64 word)
{
	return READ_ONCE(pool->members[ads_word_member(word)].state) ==
	       ADSHARD_MEMBER_FAILED;
}

/*
 * renew.c: have a lost segment be on @dst, with nothing in it that could be read.
 * Process context, no locks held; errors as in uapi/linux/dm-adshard.h.
 */
int ads_seg_renew(struct ads_pool *pool, u32 seg, u32 dst,
		  struct netlink_ext_ack *extack);

/* The registry; lookups for netlink. */
struct ads_pool *ads_pool_get(const u8 uuid[ADSHARD_UUID_SIZE]);
/* The pool after @prev in a stable order (by creation), NULL at the end;
 * drops @prev's reference.
 */
struct ads_pool *ads_pool_next(struct ads_pool *prev);
void ads_pool_put(struct ads_pool *pool);

/*
 * Take pool->lock if the pool can work now: loaded, not suspended, not dead.
 * Otherwise -EBUSY (suspended, loading) or -ENODEV (dead) without the lock.
 */
int ads_pool_lock(struct ads_pool *pool);

/*
 * Work on the devices outside of pool->lock: a suspend waits until
 * ads_pool_leave(). Errors as ads_pool_lock().
 */
int ads_pool_enter(struct ads_pool *pool);
void ads_pool_leave(struct ads_pool *pool);

/* Kernel memory of one plain segment, bytes. */
static inline u32 ads_pool_bytes_per_segment(void)
{
	return sizeof(u64) + sizeof(struct ads_heat);
}

static inline u32 ads_pool_slot_chunks(const struct ads_pool *pool)
{
	return 1U << (pool->segment_shift - pool->chunk_shift);
}

/* member-set.c */

/**
 * struct ads_member_change - a change of a member
 * @state:	enum adshard_member_state, 0: stays as it is
 * @domain, @location: NULL: stay as they are; see ads_label_ok()
 */
struct ads_member_change {
	u8 state;
	bool has_class, has_cost, has_weight, has_spare;
	u8 class;			/* enum adshard_member_class */
	bool spare;
	u32 cost;
	u32 weight;
	const char *domain;
	const char *location;
};

/* May a label of a member be that? */
bool ads_label_ok(const char *label);
/*
 * Change a member, durably, all of it or nothing (netlink and dm message).
 * Process context, no locks held. -EINVAL, -ENOTEMPTY, or as ads_meta_commit().
 */
int ads_pool_set_member(struct ads_pool *pool, u16 member,
			const struct ads_member_change *chg);
/* If @member is draining and empty: make it drained. No locks held. */
void ads_pool_check_drained(struct ads_pool *pool, u16 member);

/* State and event; pool->lock held. */
void ads_pool_set_state(struct ads_pool *pool, int state, const char *why);

/*
 * For target.c. Attach a table, with its devices, to the pool of its mapped
 * device, a new one if there is none; ti->error is set on failure.
 */
struct ads_pool *ads_pool_attach(struct dm_target *ti,
				 const struct ads_args *args,
				 struct ads_target *at);
void ads_pool_detach(struct ads_pool *pool, struct dm_target *ti,
		     struct ads_target *at);
/* ->preresume, ->resume, ->presuspend(_undo), ->postsuspend. */
int ads_pool_load(struct ads_pool *pool, struct ads_target *at, sector_t len);
void ads_pool_resume(struct ads_pool *pool, struct dm_target *ti);
void ads_pool_postsuspend(struct ads_pool *pool);

/* reload.c: a table for a pool that is loaded */

/*
 * As things are, could the table go live? ti->error is set if not, and the log
 * names the member. What counts is what ads_pool_reload() finds.
 */
int ads_pool_may_reload(struct dm_target *ti, struct ads_target *at);
/* ->preresume: have the pool be what the table says. */
int ads_pool_reload(struct ads_pool *pool, struct ads_target *at, sector_t len);
/* @at's devices into pool->present. */
int ads_pool_present(struct ads_pool *pool, const struct ads_target *at);

/* resize.c: another length */

/* As things are, could it get that? If not, the log says why. pool->lock held. */
int ads_pool_may_resize(struct ads_pool *pool, const struct ads_target *at,
			sector_t len);
/* ->preresume */
int ads_pool_resize(struct ads_pool *pool, struct ads_target *at, sector_t len);

#endif /* ADS_POOL_H */
