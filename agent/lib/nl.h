/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Client of the kernel's generic netlink family "adshard".
 *
 * uapi/linux/dm-adshard.h is the specification. Everything here is plain data
 * in base units (bytes, nanoseconds); what the kernel left out is zero, or as
 * the field's comment says. UUIDs are 16 raw bytes.
 *
 * Error codes (negative) beside the kernel's own:
 *
 *	EPROTONOSUPPORT	the module is not loaded (or was unloaded)
 *	EACCES		not root (EPERM is the kernel's own, of a member)
 *	EAGAIN		a dump was interrupted by changes again and again
 *
 * The kernel's extended acknowledgement is put into the struct ads_err.
 * A handle belongs to one thread. It has one socket for requests (blocking:
 * the kernel answers while it sends) and, once subscribed, one non-blocking
 * socket for events whose fd goes into the caller's poll loop.
 */
#ifndef ADS_NL_H
#define ADS_NL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/adshard-format.h>
#include <linux/dm-adshard.h>

#include "err.h"

#define ADS_UUID_LEN	16

struct ads_pool {
	uint8_t uuid[ADS_UUID_LEN];
	char name[ADSHARD_NAME_SIZE];
	uint32_t major, minor;		/* of the volume */
	uint32_t state;			/* enum adshard_pool_state */
	bool suspended;
	bool paused;			/* copying is paused */
	uint64_t size;
	uint64_t segment_size, chunk_size;
	uint32_t nr_segments, nr_members;
	uint64_t seq, term;		/* of the last record */
	uint64_t event_seq;		/* of the last event */
	uint64_t generation;		/* changes whenever a segment moved */
	uint32_t nr_active, nr_queued;	/* migrations */
	uint64_t nr_done, nr_failed, nr_aborted;	/* since activation */
	uint64_t bytes_copied, chunks_verified, mismatches;
	uint32_t max_active;
	uint64_t slow_ns;		/* for a read of a source; 0: no limit */
	uint32_t heat_sample;		/* 1 bio in so many is sampled */
	uint32_t bytes_per_segment;	/* kernel memory */
	bool knows_bad;			/* false: a module without bad ranges */
	uint32_t nr_bad, nr_bad_free;	/* bad ranges, and room for more */
	uint64_t bad_bytes;
	uint32_t nr_lost;		/* segments, with members that failed */
	bool knows_legs;		/* false: a module with one leg each */
	uint32_t nr_stale;		/* legs */
	uint32_t nr_short;		/* segments with fewer legs in sync than
					 * they should have */
	uint32_t nr_doubt;		/* whose legs may differ */
	uint64_t resync_bytes, scrub_mismatches, read_repairs;
};

struct ads_member {
	uint8_t pool_uuid[ADS_UUID_LEN];
	uint32_t index;
	uint8_t uuid[ADS_UUID_LEN];
	bool present;			/* false: missing or pulled */
	uint32_t major, minor;
	uint32_t state;			/* enum adshard_member_state */
	uint8_t meta;			/* 0 none, 1 dropped, 2 active */
	uint64_t size;
	uint32_t nr_slots, nr_free;
	uint32_t nr_segments;		/* with a leg here, stale ones too */
	uint32_t nr_lost;		/* that were here when it failed */
	uint64_t data_start;
	uint32_t class;			/* enum adshard_member_class */
	char domain[ADSHARD_LABEL_SIZE];
	char location[ADSHARD_LABEL_SIZE];
	uint32_t cost, weight;
	bool spare;			/* takes data by name or as a last resort */
	uint64_t src_bps, dst_bps;	/* limits, 0 = none */
	uint32_t src_active_max, dst_active_max;
	uint32_t src_active, dst_active;
	uint64_t floor_bps;		/* copying gets this, whatever the load */
	uint64_t latency_ns;		/* bound for the users' I/O; 0: none */
	uint64_t latency_now_ns;	/* 0: nothing was sampled */
	uint64_t src_rate, dst_rate;	/* copying may reach now, 0 = any */
	uint32_t src_rate_by, dst_rate_by;	/* enum adshard_rate_by */
	uint64_t read_errors, write_errors, flush_errors;
	uint64_t meta_errors, copy_errors;
	uint64_t read_hist[ADSHARD_HIST_BUCKETS];	/* sampled */
	uint64_t write_hist[ADSHARD_HIST_BUCKETS];
};

struct ads_leg {
	uint32_t member;
	uint32_t chunk;			/* position in chunks */
	uint32_t state;			/* enum adshard_leg_state */
};

struct ads_segment {
	uint32_t index;
	uint32_t state;			/* enum adshard_segment_state */
	uint32_t reads, writes;		/* sampled; they wrap around */
	int64_t last;			/* seconds since last access, -1 never */
	uint32_t nr_legs;
	struct ads_leg leg[ADSHARD_MAX_LEGS];	/* the primary first */
	uint32_t wanted;		/* legs that it should have, 1..4 */
	uint8_t intent;			/* 0 none, 1 recorded, 2 and in doubt */
};

struct ads_migration {
	uint8_t pool_uuid[ADS_UUID_LEN];
	uint32_t segment;
	uint32_t src, dst;		/* member indexes */
	uint32_t step;			/* enum adshard_step */
	uint32_t priority;
	uint64_t cookie;
	uint32_t chunks, chunks_done;
	uint64_t chunks_verified, chunks_recopied, mismatches;
	uint64_t bytes_copied;
	uint64_t writes_held, hold_max_ns;
	uint64_t age_ns;		/* 0: queued */
	uint64_t bad_bytes;		/* can't be read so far */
	bool aside;			/* lets others go before it */
	uint32_t kind;			/* enum adshard_kind */
	uint32_t percent;		/* of the reads, in step SHIFT */
};

/* What nobody could read when its segment was moved, and nobody wrote since. */
struct ads_bad {
	uint8_t pool_uuid[ADS_UUID_LEN];
	uint32_t segment;
	uint64_t offset, length;	/* in the segment */
	uint32_t from;			/* member that could not read it */
};

/* Bits of ads_event.has: which of the optional fields the event carries. */
#define ADS_EV_SEGMENT		0x001
#define ADS_EV_SRC		0x002
#define ADS_EV_DST		0x004
#define ADS_EV_COOKIE		0x008
#define ADS_EV_ERROR		0x010
#define ADS_EV_MEMBER		0x020
#define ADS_EV_MEMBER_STATE	0x040
#define ADS_EV_TEXT		0x080
#define ADS_EV_COUNTERS		0x100	/* the copying counters */
#define ADS_EV_BAD		0x200	/* the move left bad ranges */
#define ADS_EV_KIND		0x400
#define ADS_EV_OFFSET		0x800

struct ads_event {
	uint8_t pool_uuid[ADS_UUID_LEN];
	uint64_t seq;
	uint32_t type;			/* enum adshard_event */
	uint64_t time_ns;		/* since the epoch */
	unsigned int has;		/* ADS_EV_* */
	uint32_t segment, src, dst;
	uint64_t cookie;
	uint32_t error;			/* positive errno */
	uint32_t member, member_state;
	char text[256];
	uint64_t bytes_copied, chunks_verified, chunks_recopied, mismatches;
	uint64_t hold_max_ns, age_ns;
	uint64_t bad_bytes;
	uint32_t kind;			/* enum adshard_kind */
	uint64_t offset;		/* bytes from the start of the segment */
	/*
	 * Events of this pool that were lost just before this one. With
	 * @overrun the socket ran full: nothing else in the event is valid, it
	 * stands for an unknown number of lost events of any pool. Either way
	 * the caller has to dump again.
	 */
	uint64_t lost;
	bool overrun;
};

struct ads_throttle {
	bool has_member;		/* else all members */
	uint32_t member;
	bool has_src_bps, has_dst_bps, has_src_max, has_dst_max;
	bool has_floor, has_latency;
	bool has_max_active, has_paused, has_slow;	/* only without a member */
	uint64_t src_bps, dst_bps, slow_ns, floor_bps, latency_ns;
	uint32_t src_active_max, dst_active_max, max_active;
	bool paused;
};

/* What to change of a member: all of it or nothing. */
struct ads_member_change {
	uint32_t state;			/* 0: stays as it is */
	bool has_class, has_cost, has_weight, has_spare;
	uint32_t class, cost, weight;
	bool spare;
	const char *domain, *location;	/* NULL: stay as they are */
};

/* Which segments a dump wants. All zero: every segment. */
struct ads_seg_filter {
	uint32_t first;
	uint32_t count;			/* 0: to the end */
	bool has_member;		/* only those with a leg on @member */
	uint32_t member;
};

struct ads_nl;

int ads_nl_open(struct ads_nl **nl, struct ads_err *err);
void ads_nl_close(struct ads_nl *nl);	/* NULL is fine */

/*
 * Dumps: *out is an array for the caller to free(), NULL if it is empty, and
 * the return value is 0. @pool may be NULL for all pools where it is said.
 */
int ads_nl_pools(struct ads_nl *nl, struct ads_pool **out, size_t *n,
		 struct ads_err *err);
int ads_nl_pool(struct ads_nl *nl, const uint8_t *pool, struct ads_pool *out,
		struct ads_err *err);
int ads_nl_members(struct ads_nl *nl, const uint8_t *pool_or_null,
		   struct ads_member **out, size_t *n, struct ads_err *err);
int ads_nl_segments(struct ads_nl *nl, const uint8_t *pool,
		    const struct ads_seg_filter *filter_or_null,
		    struct ads_segment **out, size_t *n, struct ads_err *err);
int ads_nl_migrations(struct ads_nl *nl, const uint8_t *pool_or_null,
		      struct ads_migration **out, size_t *n,
		      struct ads_err *err);
/*
 * Bad ranges, by segment and offset. Of @f only the range counts. A module that
 * does not know of them has none.
 */
int ads_nl_bad(struct ads_nl *nl, const uint8_t *pool,
	       const struct ads_seg_filter *f, struct ads_bad **out, size_t *n,
	       struct ads_err *err);

/* An operation on one segment. */
struct ads_op {
	uint32_t kind;			/* enum adshard_kind; MOVE, ADD (or RESYNC,
					 * if there is a stale leg) and SCRUB
					 * can be asked for */
	uint32_t segment;
	uint32_t dst;			/* member; not of a SCRUB */
	bool has_src;			/* MOVE: whose leg goes. Needed if there */
	uint32_t src;			/* are several */
	uint32_t priority;
	uint64_t cookie;
	bool warm;			/* wait in step SHIFT, with */
	uint32_t warmup;		/* so many percent of the reads */
};

int ads_nl_start(struct ads_nl *nl, const uint8_t *pool,
		 const struct ads_op *op, struct ads_err *err);
/* 0..100; 100 lets the operation commit. */
int ads_nl_shift(struct ads_nl *nl, const uint8_t *pool, uint32_t segment,
		 uint32_t percent, struct ads_err *err);
/* -ENOTEMPTY: the last one in sync; -ENOENT: there is none. */
int ads_nl_drop(struct ads_nl *nl, const uint8_t *pool, uint32_t segment,
		uint32_t member, struct ads_err *err);
/* A lost segment gets a place on @dst, all of it a bad range. */
int ads_nl_renew(struct ads_nl *nl, const uint8_t *pool, uint32_t segment,
		 uint32_t dst, struct ads_err *err);
/* Of @count segments from @first on; adds and drops none. */
int ads_nl_set_wanted(struct ads_nl *nl, const uint8_t *pool, uint32_t first,
		      uint32_t count, uint32_t wanted, struct ads_err *err);
int ads_nl_abort_segment(struct ads_nl *nl, const uint8_t *pool,
			 uint32_t segment, struct ads_err *err);
int ads_nl_abort_member(struct ads_nl *nl, const uint8_t *pool,
			uint32_t member, struct ads_err *err);
int ads_nl_abort_all(struct ads_nl *nl, const uint8_t *pool,
		     struct ads_err *err);
int ads_nl_throttle(struct ads_nl *nl, const uint8_t *pool,
		    const struct ads_throttle *t, struct ads_err *err);
int ads_nl_set_member(struct ads_nl *nl, const uint8_t *pool, uint32_t member,
		      uint32_t state, struct ads_err *err);
int ads_nl_change_member(struct ads_nl *nl, const uint8_t *pool,
			 uint32_t member, const struct ads_member_change *chg,
			 struct ads_err *err);

/*
 * Events. Subscribe before the first dump, so that nothing falls between the
 * two. ads_nl_read_events() hands every event that is there to @cb and returns
 * how many there were; a non-zero return of @cb stops it and is returned.
 */
typedef int (*ads_event_fn)(const struct ads_event *ev, void *arg);

int ads_nl_subscribe(struct ads_nl *nl, struct ads_err *err);
int ads_nl_event_fd(const struct ads_nl *nl);	/* -1 if not subscribed */
int ads_nl_read_events(struct ads_nl *nl, ads_event_fn cb, void *arg,
		       struct ads_err *err);

/*
 * Of a migration that has failed: was it the destination? There is no other sign
 * of it than the kernel's sentence, which then speaks of it.
 */
bool ads_event_blames_dst(const struct ads_event *ev);

/* Lower-case words for the enums, "unknown" for what this version can't name. */
const char *ads_pool_state_name(uint32_t state);
const char *ads_member_state_name(uint32_t state);
const char *ads_class_name(uint32_t class);
const char *ads_segment_state_name(uint32_t state);
const char *ads_leg_state_name(uint32_t state);
const char *ads_rate_by_name(uint32_t by);
const char *ads_step_name(uint32_t step);
const char *ads_kind_name(uint32_t kind);
const char *ads_event_name(uint32_t type);

#endif
