/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * dm-adshard: interface of the device-mapper target "adshard"
 *
 * 1. Table line
 *
 *	0 <sectors> adshard <pool uuid or -> <#members> <dev>...
 *		[<#feature args> <arg>...]
 *
 *	Members in any order. With "-" every member must be blank (its first
 *	128 KiB zero); a new pool is formatted at the first resume. Feature args:
 *
 *	uuid <uuid>		of the new pool; random without (only with "-")
 *	segment_size <sectors>	of the new pool, a power of two, 1 MiB..16 GiB;
 *				default 1 GiB (only with "-")
 *	chunk_size <sectors>	of the new pool, a power of two, 64 KiB..1 MiB;
 *				default 1 MiB or a sixteenth of a segment,
 *				whichever is less (only with "-")
 *	name <name>		of the new pool, up to 63 bytes of letters,
 *				digits, "-_.+" (only with "-")
 *	replicas <1..4>		legs that each segment of the new pool gets, on
 *				as many members; default 1 (only with "-")
 *
 *	of a table for a pool that is to be activated:
 *
 *	degraded		go on without metadata members and the only copies
 *				of segments that are missing. Their members have
 *				failed then for ever; I/O to these segments fails
 *
 *	of a table for a pool that is active (all that it changes happens at its
 *	resume; if that fails, the volume stays suspended with nothing changed,
 *	until the table that it had is loaded again and resumed):
 *
 *	join <n>		the last n devices, up to 8, are blank and join
 *	spares <n>		of these, the last n as spares
 *	forget <member>		a member without a device leaves; may be repeated
 *
 *	shrink_from <sectors>	the length that the volume has: it gets shorter, and
 *				what is beyond the new end is gone
 *
 *	Such a table names every member that has a device, but those that are
 *	drained or failed and hold nothing: who is left out leaves the pool, and
 *	its superblock is wiped. A longer one makes the volume longer.
 *
 *	"dmsetup table" prints the line with the pool's UUID and no feature args.
 *
 * 2. Status: one line of words and counters
 *
 *	<state> <segments> <segment sectors> <members> <members online>
 *	<migrations active> <queued> <done> <failed> <aborted>
 *	<bytes copied> <chunks verified> <mismatches> <record sequence>
 *	<event sequence> <kernel bytes per segment> <bad ranges> <bad sectors>
 *	<lost segments>
 *	<stale legs> <segments short of legs in sync> <segments in doubt>
 *
 *	state: "loading" (before the first resume), "ok", "degraded" (a member
 *	has failed), "readonly" (no metadata member takes records: I/O goes on,
 *	no migration can commit), "stuck" (a commit's outcome is unknown: both
 *	legs are written until the pool is deactivated).
 *
 * 3. Messages (dmsetup message <name> 0 ...), for those without the tools
 *
 *	migrate <segment> <member>	queue a migration (of a segment with one leg)
 *	replicate <segment> <member>	add a leg, or fill a stale one again
 *	drop <segment> <member>		have a leg no more
 *	abort <segment>|all		abort before the commit
 *	throttle <bytes per second>	for every member and direction; 0: none
 *	pause | resume			the copying
 *	member <member> online|draining|failed
 *	locate <segment>		answers "<member> <device> <sector> ..."
 *
 * 4. Generic netlink family "adshard", version 1
 *
 *	Needs CAP_SYS_ADMIN in the initial user namespace and the initial
 *	network namespace. A request names its pool by ADSHARD_A_POOL_UUID
 *	(binary, 16 bytes); a dump without it covers all pools. Numbers are in
 *	base units: bytes, nanoseconds, chunks where it says so. Errors are
 *	negative errno with a sentence in the extended acknowledgment:
 *
 *	ENOENT	no such pool, segment, member or migration
 *	EBUSY	the segment is migrating already; the pool is suspended
 *	ENOSPC	no free slot on the destination
 *	EROFS	the pool takes no metadata changes (see "readonly")
 *	EHOSTDOWN the member has failed
 *	EPERM	the member takes no new data (draining, drained)
 *	EALREADY nothing to do: the segment is there already
 *	ENOTEMPTY it is the only copy
 *
 *	A segment has 1..4 legs, each on another member. One *in sync* has every
 *	write. One that missed a write is *stale*: it was recorded as such before
 *	the write ended, is never read, and keeps its slot until it is filled
 *	again (REPLICATE) or dropped. Reads go to any leg in sync and, if that
 *	fails, to the others; an error means that none could return the data.
 *
 *	Before the first write to legs in sync an *intent* is recorded, and taken
 *	back when nobody has written for some seconds. Legs of a segment that has
 *	one at activation may differ in what was being written: the segment is in
 *	*doubt*, read from one leg only, the first, until the kernel has compared
 *	and made them equal (a resync that it queues itself).
 *
 *	An *operation* on a segment, of which there is one at a time, is what
 *	GET_MIGRATION shows, ABORT aborts, limits limit and events tell of:
 *	ADSHARD_A_KIND says what it does, see enum adshard_kind.
 *
 * ADSHARD_CMD_GET_POOL (do or dump): per pool
 *
 *	ADSHARD_A_POOL_UUID	binary 16
 *	ADSHARD_A_POOL_NAME	string
 *	ADSHARD_A_DEV_MAJOR, _MINOR	u32: the mapped device
 *	ADSHARD_A_POOL_STATE	u32 enum adshard_pool_state
 *	ADSHARD_A_SUSPENDED	u8 0/1
 *	ADSHARD_A_PAUSED	u8 0/1: copying is paused
 *	ADSHARD_A_SIZE		u64 bytes of the volume
 *	ADSHARD_A_SEGMENT_SIZE, ADSHARD_A_CHUNK_SIZE	u64 bytes
 *	ADSHARD_A_NR_SEGMENTS, ADSHARD_A_NR_MEMBERS	u32
 *	ADSHARD_A_SEQ, ADSHARD_A_TERM	u64 of the last record
 *	ADSHARD_A_EVENT_SEQ	u64 of the last event
 *	ADSHARD_A_GENERATION	u64: changes whenever a segment moved
 *	ADSHARD_A_NR_ACTIVE, _NR_QUEUED	u32 migrations; those that have
 *				stepped aside count as queued
 *	ADSHARD_A_NR_DONE, _NR_FAILED, _NR_ABORTED	u64 since activation
 *	ADSHARD_A_BYTES_COPIED, ADSHARD_A_CHUNKS_VERIFIED,
 *	ADSHARD_A_MISMATCHES	u64 since activation
 *	ADSHARD_A_MAX_ACTIVE	u32: migrations at once
 *	ADSHARD_A_SLOW_NS	u64: see THROTTLE
 *	ADSHARD_A_HEAT_SAMPLE	u32: 1 bio in so many is sampled
 *	ADSHARD_A_BYTES_PER_SEGMENT	u32: kernel memory of a plain segment
 *	ADSHARD_A_NR_BAD	u32 bad ranges of the volume, see GET_BAD
 *	ADSHARD_A_BAD_BYTES	u64 what they add up to
 *	ADSHARD_A_NR_LOST	u32 segments that were on members which have failed
 *	ADSHARD_A_NR_BAD_FREE	u32: room for so many more. The last eighth is for
 *				writes that make two of one
 *	ADSHARD_A_NR_STALE	u32 stale legs
 *	ADSHARD_A_NR_SHORT	u32 segments with fewer legs in sync than wanted
 *	ADSHARD_A_NR_DOUBT	u32 segments in doubt
 *	ADSHARD_A_RESYNC_BYTES	u64 what resyncs have written, since activation
 *
 * ADSHARD_CMD_GET_MEMBER (dump): per member
 *
 *	ADSHARD_A_POOL_UUID
 *	ADSHARD_A_MEMBER	u32 index
 *	ADSHARD_A_MEMBER_UUID	binary 16
 *	ADSHARD_A_DEV_MAJOR, _MINOR	u32; absent if the member is missing
 *	ADSHARD_A_MEMBER_STATE	u32 enum adshard_member_state
 *	ADSHARD_A_META		u8: of metadata; 0 none, 1 dropped, 2 active
 *	ADSHARD_A_SIZE		u64 bytes of the device
 *	ADSHARD_A_NR_SLOTS, ADSHARD_A_NR_FREE	u32 slots
 *	ADSHARD_A_NR_SEGMENTS	u32 segments with a leg here, stale ones too
 *	ADSHARD_A_DATA_START	u64 bytes
 *	ADSHARD_A_CLASS		u32 enum adshard_member_class
 *	ADSHARD_A_DOMAIN	string: what fails together, absent if unknown
 *	ADSHARD_A_LOCATION	string: where to find it, likewise
 *	ADSHARD_A_COST, _WEIGHT	u32, for placement and for reads; 0: the default
 *	ADSHARD_A_NR_LOST	u32 segments that were here when it failed
 *	ADSHARD_A_SPARE		u8 0/1: nothing is placed there but by name
 *	ADSHARD_A_SRC_BPS, _DST_BPS	u64 limit, 0 = none
 *	ADSHARD_A_SRC_ACTIVE_MAX, _DST_ACTIVE_MAX	u32 limit
 *	ADSHARD_A_SRC_ACTIVE, _DST_ACTIVE	u32 now
 *	ADSHARD_A_FLOOR_BPS, ADSHARD_A_LATENCY_NS	u64 as set by THROTTLE
 *	ADSHARD_A_LATENCY_NOW_NS	u64: the average of the users' I/O, as far
 *				as it is sampled, if LATENCY_NS is set; 0: none
 *	ADSHARD_A_SRC_RATE, _DST_RATE	u64: bytes per second that copying may
 *				reach at the moment, 0 = no limit
 *	ADSHARD_A_SRC_RATE_BY, _DST_RATE_BY	u32 enum adshard_rate_by: what
 *				sets that
 *	ADSHARD_A_READ_ERRORS, _WRITE_ERRORS, _FLUSH_ERRORS, _META_ERRORS,
 *	_COPY_ERRORS		u64 since activation
 *	ADSHARD_A_READ_HIST, ADSHARD_A_WRITE_HIST	binary: 32 __u64, sampled
 *		completions (multiply by ADSHARD_A_HEAT_SAMPLE) whose latency
 *		in ns has its highest set bit at the element's index
 *
 * ADSHARD_CMD_GET_SEGMENT (do or dump): several segments to a message
 *
 *	request: ADSHARD_A_POOL_UUID (required), ADSHARD_A_SEGMENT u32 (first;
 *	default 0), ADSHARD_A_COUNT u32 (default: to the end), ADSHARD_A_MEMBER
 *	u32 (only segments with a leg there). An interrupted dump is resumed by
 *	asking again from the last segment received; if the map changed while
 *	it ran, NLM_F_DUMP_INTR is set and the dump should be repeated.
 *
 *	answer: ADSHARD_A_POOL_UUID, ADSHARD_A_GENERATION, and
 *	ADSHARD_A_SEGMENTS nested array of nests:
 *		ADSHARD_SEG_A_INDEX	u32
 *		ADSHARD_SEG_A_STATE	u32 enum adshard_segment_state
 *		ADSHARD_SEG_A_READS, _WRITES	u32 sampled, wrap around
 *		ADSHARD_SEG_A_LAST	u32 seconds since the last sampled
 *					access, absent if never
 *		ADSHARD_SEG_A_LEGS	nested array of nests:
 *			ADSHARD_LEG_A_MEMBER	u32 index
 *			ADSHARD_LEG_A_CHUNK	u32 position in chunks
 *			ADSHARD_LEG_A_STATE	u32 enum adshard_leg_state
 *					(FILLING also of a stale leg that is
 *					being filled)
 *		ADSHARD_SEG_A_WANTED	u32 legs that it should have
 *		ADSHARD_SEG_A_INTENT	u8 0 none, 1 recorded, 2 and in doubt
 *	The first leg is the primary, which is read while in doubt.
 *
 * ADSHARD_CMD_GET_MIGRATION (do or dump): per queued or running operation
 *
 *	request: ADSHARD_A_POOL_UUID, ADSHARD_A_SEGMENT (do)
 *	ADSHARD_A_POOL_UUID
 *	ADSHARD_A_SEGMENT	u32
 *	ADSHARD_A_SRC_MEMBER, ADSHARD_A_DST_MEMBER	u32
 *	ADSHARD_A_STEP		u32 enum adshard_step
 *	ADSHARD_A_PRIORITY	u32, higher first
 *	ADSHARD_A_COOKIE	u64 as given
 *	ADSHARD_A_CHUNKS	u32 of the segment
 *	ADSHARD_A_CHUNKS_DONE	u32 clean now
 *	ADSHARD_A_CHUNKS_VERIFIED	u64 compared equal in VERIFY
 *	ADSHARD_A_CHUNKS_RECOPIED	u64
 *	ADSHARD_A_MISMATCHES	u64 read-back or compare differed
 *	ADSHARD_A_BYTES_COPIED	u64
 *	ADSHARD_A_WRITES_HELD	u64: writes that had to wait for a chunk
 *	ADSHARD_A_HOLD_MAX_NS	u64: the longest of these waits
 *	ADSHARD_A_AGE_NS	u64 since it was started (0: queued)
 *	ADSHARD_A_BAD_BYTES	u64: what can't be read so far, and becomes bad
 *				ranges if it stays so
 *	ADSHARD_A_ASIDE		u8 0/1: it has given its place to others, as its
 *				source can't read the rest, or takes too long; it
 *				goes on when nothing queued can start instead
 *	ADSHARD_A_KIND		u32 enum adshard_kind. SRC_MEMBER: of a MOVE the
 *				leg that goes, else the primary; DST_MEMBER:
 *				the leg that is filled, else the primary
 *
 * ADSHARD_CMD_GET_BAD (dump): per bad range, that is what no disk could return
 *	when its segment was moved. Reads of it fail with a medium error, until
 *	it is written (or discarded, or zeroed). In no order.
 *
 *	request: ADSHARD_A_POOL_UUID (required), ADSHARD_A_SEGMENT u32 (first;
 *	default 0), ADSHARD_A_COUNT u32 (segments; default: to the end)
 *	ADSHARD_A_POOL_UUID
 *	ADSHARD_A_SEGMENT	u32
 *	ADSHARD_A_OFFSET	u64 bytes from the start of the segment
 *	ADSHARD_A_LENGTH	u64 bytes
 *	ADSHARD_A_SRC_MEMBER	u32: who could not read it
 *
 * ADSHARD_CMD_MIGRATE: ADSHARD_A_POOL_UUID, _SEGMENT, _DST_MEMBER,
 *	optional _PRIORITY (default 0), _COOKIE (u64, for the caller),
 *	_SRC_MEMBER (whose leg is to go; required if the segment has several).
 *	Gives a leg in sync or a stale one a new place; the new leg is in sync.
 *	EALREADY: there is a leg on the destination.
 *
 * ADSHARD_CMD_REPLICATE: ADSHARD_A_POOL_UUID, _SEGMENT, _DST_MEMBER, optional
 *	_PRIORITY, _COOKIE. Adds a leg there (KIND_ADD); a stale leg that
 *	is there is filled again where it is (KIND_RESYNC). EALREADY: there is
 *	one in sync. ENOSPC: the segment has four, or no free slot there. Does not
 *	change what is wanted.
 *
 * ADSHARD_CMD_DROP: ADSHARD_A_POOL_UUID, _SEGMENT, _MEMBER: the segment has no
 *	leg there any more. Durable on return; the slot is free when the last
 *	write to it has ended, a moment later. ENOENT: there is none. ENOTEMPTY:
 *	it is the last one in sync. EBUSY: an operation on the segment is under
 *	way.
 *
 * ADSHARD_CMD_SET_SEGMENT: ADSHARD_A_POOL_UUID, _SEGMENT, optional _COUNT
 *	(segments, default 1), _WANTED u32 1..4: legs that they should have. Adds
 *	and drops none. Durable on return.
 *
 * ADSHARD_CMD_RENEW: ADSHARD_A_POOL_UUID, _SEGMENT, _DST_MEMBER: a segment that is
 *	lost (ADSHARD_SEGMENT_LOST) gets a place there, all of which is a bad range:
 *	reads fail until it is written. The member that it was on need not stay for
 *	it. Durable on return. EALREADY: it is not lost. EEXIST: there is a leg on
 *	the member, out of date. ENOSPC: no free slot there, or no room for one more
 *	bad range.
 *
 * ADSHARD_CMD_ABORT: ADSHARD_A_POOL_UUID and one of
 *	_SEGMENT	that segment's migration (ENOENT if there is none)
 *	_MEMBER		all migrations from or to the member
 *	neither		all migrations of the pool
 *	A migration that is past its commit ends as done. Returns once all are
 *	told to stop; their events follow.
 *
 * ADSHARD_CMD_THROTTLE: ADSHARD_A_POOL_UUID, optional _MEMBER (else all),
 *	any of
 *	_SRC_BPS, _DST_BPS	u64: at most so many bytes per second, 0 = any
 *	_LATENCY_NS	u64: copying from and to the member slows down as long
 *			as the users' reads and writes there take longer on the
 *			average; 0: never
 *	_FLOOR_BPS	u64: but not below this (or 1 MiB/s without). EINVAL if
 *			it is above _SRC_BPS or _DST_BPS
 *	_SRC_ACTIVE_MAX, _DST_ACTIVE_MAX	u32, at least 1
 *	and, without _MEMBER, _MAX_ACTIVE (u32, at least 1),
 *	_PAUSED (u8) and _SLOW_NS (u64: a migration whose source takes longer
 *	for a read lets others go before it; 0: none does; default 1 s).
 *	Not persistent: the agent's configuration is.
 *
 * ADSHARD_CMD_SET_MEMBER: ADSHARD_A_POOL_UUID, _MEMBER, and at least one of
 *	_MEMBER_STATE: ONLINE (undoes DRAINING and DRAINED), DRAINING (becomes
 *	DRAINED by itself when the last segment has left) or FAILED (legs of
 *	segments that have another in sync are dropped first; refused with
 *	ENOTEMPTY while it holds a segment's last one in sync)
 *	_CLASS u32, _DOMAIN, _LOCATION (up to 31 letters, digits, "-_.+:/"; an
 *	empty one takes it away), _COST, _WEIGHT u32, _SPARE u8 0/1
 *	All of it or nothing. Durable on return.
 *
 * ADSHARD_CMD_EVENT: multicast to group "events"
 *
 *	ADSHARD_A_POOL_UUID
 *	ADSHARD_A_EVENT_SEQ	u64, by pool, without gaps; a gap means that
 *				events were lost: dump again
 *	ADSHARD_A_EVENT		u32 enum adshard_event
 *	ADSHARD_A_TIME_NS	u64 since the epoch
 *	ADSHARD_A_SEGMENT, _SRC_MEMBER, _DST_MEMBER, _COOKIE, _ERROR (u32
 *	errno), _MEMBER, _MEMBER_STATE, _TEXT (string): as the event has them.
 *	MIGRATION_* also carry _BYTES_COPIED, _CHUNKS_VERIFIED,
 *	_CHUNKS_RECOPIED, _MISMATCHES, _HOLD_MAX_NS, _AGE_NS, _KIND, and
 *	_BAD_BYTES if the move left bad ranges.
 *	LEG_STALE carries _SEGMENT and _MEMBER, and is sent when it is recorded.
 *
 * Unknown attributes are refused. Commands and attributes are only ever added.
 */
#ifndef _UAPI_LINUX_DM_ADSHARD_H
#define _UAPI_LINUX_DM_ADSHARD_H

#include <linux/types.h>

#define ADSHARD_GENL_NAME	"adshard"
#define ADSHARD_GENL_VERSION	1
#define ADSHARD_GENL_EVENTS	"events"

#define ADSHARD_HIST_BUCKETS	32

enum adshard_cmd {
	ADSHARD_CMD_UNSPEC,
	ADSHARD_CMD_GET_POOL,
	ADSHARD_CMD_GET_MEMBER,
	ADSHARD_CMD_GET_SEGMENT,
	ADSHARD_CMD_GET_MIGRATION,
	ADSHARD_CMD_MIGRATE,
	ADSHARD_CMD_ABORT,
	ADSHARD_CMD_THROTTLE,
	ADSHARD_CMD_SET_MEMBER,
	ADSHARD_CMD_EVENT,
	ADSHARD_CMD_GET_BAD,
	ADSHARD_CMD_REPLICATE,
	ADSHARD_CMD_DROP,
	ADSHARD_CMD_SET_SEGMENT,
	ADSHARD_CMD_SCRUB,		/* reserved */
	ADSHARD_CMD_SHIFT,		/* reserved */
	ADSHARD_CMD_RENEW,
	__ADSHARD_CMD_MAX,
};

#define ADSHARD_CMD_MAX (__ADSHARD_CMD_MAX - 1)

enum adshard_attr {
	ADSHARD_A_UNSPEC,
	ADSHARD_A_PAD,
	ADSHARD_A_POOL_UUID,
	ADSHARD_A_POOL_NAME,
	ADSHARD_A_POOL_STATE,
	ADSHARD_A_DEV_MAJOR,
	ADSHARD_A_DEV_MINOR,
	ADSHARD_A_SUSPENDED,
	ADSHARD_A_PAUSED,
	ADSHARD_A_SIZE,
	ADSHARD_A_SEGMENT_SIZE,
	ADSHARD_A_CHUNK_SIZE,
	ADSHARD_A_NR_SEGMENTS,
	ADSHARD_A_NR_MEMBERS,
	ADSHARD_A_SEQ,
	ADSHARD_A_TERM,
	ADSHARD_A_EVENT_SEQ,
	ADSHARD_A_GENERATION,
	ADSHARD_A_NR_ACTIVE,
	ADSHARD_A_NR_QUEUED,
	ADSHARD_A_NR_DONE,
	ADSHARD_A_NR_FAILED,
	ADSHARD_A_NR_ABORTED,
	ADSHARD_A_BYTES_COPIED,
	ADSHARD_A_CHUNKS_VERIFIED,
	ADSHARD_A_MISMATCHES,
	ADSHARD_A_MAX_ACTIVE,
	ADSHARD_A_HEAT_SAMPLE,
	ADSHARD_A_BYTES_PER_SEGMENT,

	ADSHARD_A_MEMBER,
	ADSHARD_A_MEMBER_UUID,
	ADSHARD_A_MEMBER_STATE,
	ADSHARD_A_META,
	ADSHARD_A_NR_SLOTS,
	ADSHARD_A_NR_FREE,
	ADSHARD_A_DATA_START,
	ADSHARD_A_SRC_BPS,
	ADSHARD_A_DST_BPS,
	ADSHARD_A_SRC_ACTIVE_MAX,
	ADSHARD_A_DST_ACTIVE_MAX,
	ADSHARD_A_SRC_ACTIVE,
	ADSHARD_A_DST_ACTIVE,
	ADSHARD_A_READ_ERRORS,
	ADSHARD_A_WRITE_ERRORS,
	ADSHARD_A_FLUSH_ERRORS,
	ADSHARD_A_META_ERRORS,
	ADSHARD_A_COPY_ERRORS,
	ADSHARD_A_READ_HIST,
	ADSHARD_A_WRITE_HIST,

	ADSHARD_A_SEGMENT,
	ADSHARD_A_COUNT,
	ADSHARD_A_SEGMENTS,

	ADSHARD_A_SRC_MEMBER,
	ADSHARD_A_DST_MEMBER,
	ADSHARD_A_STEP,
	ADSHARD_A_PRIORITY,
	ADSHARD_A_COOKIE,
	ADSHARD_A_CHUNKS,
	ADSHARD_A_CHUNKS_DONE,
	ADSHARD_A_CHUNKS_RECOPIED,
	ADSHARD_A_WRITES_HELD,
	ADSHARD_A_HOLD_MAX_NS,
	ADSHARD_A_AGE_NS,

	ADSHARD_A_EVENT,
	ADSHARD_A_TIME_NS,
	ADSHARD_A_ERROR,
	ADSHARD_A_TEXT,

	ADSHARD_A_NR_BAD,
	ADSHARD_A_NR_BAD_FREE,
	ADSHARD_A_BAD_BYTES,
	ADSHARD_A_OFFSET,
	ADSHARD_A_LENGTH,

	ADSHARD_A_CLASS,
	ADSHARD_A_DOMAIN,
	ADSHARD_A_LOCATION,
	ADSHARD_A_COST,
	ADSHARD_A_WEIGHT,
	ADSHARD_A_SPARE,

	ADSHARD_A_ASIDE,
	ADSHARD_A_SLOW_NS,
	ADSHARD_A_FLOOR_BPS,
	ADSHARD_A_LATENCY_NS,
	ADSHARD_A_LATENCY_NOW_NS,
	ADSHARD_A_SRC_RATE,
	ADSHARD_A_DST_RATE,
	ADSHARD_A_SRC_RATE_BY,
	ADSHARD_A_DST_RATE_BY,
	ADSHARD_A_NR_LOST,
	ADSHARD_A_KIND,
	ADSHARD_A_WANTED,
	ADSHARD_A_WARMUP,		/* reserved */
	ADSHARD_A_PERCENT,		/* reserved */
	ADSHARD_A_NR_STALE,
	ADSHARD_A_NR_SHORT,
	ADSHARD_A_NR_DOUBT,
	ADSHARD_A_RESYNC_BYTES,
	ADSHARD_A_SCRUB_MISMATCHES,	/* reserved */
	ADSHARD_A_READ_REPAIRS,		/* reserved */
	__ADSHARD_A_MAX,
};

#define ADSHARD_A_MAX (__ADSHARD_A_MAX - 1)

enum adshard_seg_attr {
	ADSHARD_SEG_A_UNSPEC,
	ADSHARD_SEG_A_INDEX,
	ADSHARD_SEG_A_STATE,
	ADSHARD_SEG_A_READS,
	ADSHARD_SEG_A_WRITES,
	ADSHARD_SEG_A_LAST,
	ADSHARD_SEG_A_LEGS,
	ADSHARD_SEG_A_WANTED,
	ADSHARD_SEG_A_INTENT,
	__ADSHARD_SEG_A_MAX,
};

#define ADSHARD_SEG_A_MAX (__ADSHARD_SEG_A_MAX - 1)

enum adshard_leg_attr {
	ADSHARD_LEG_A_UNSPEC,
	ADSHARD_LEG_A_MEMBER,
	ADSHARD_LEG_A_CHUNK,
	ADSHARD_LEG_A_STATE,
	__ADSHARD_LEG_A_MAX,
};

#define ADSHARD_LEG_A_MAX (__ADSHARD_LEG_A_MAX - 1)

enum adshard_pool_state {
	ADSHARD_POOL_LOADING,
	ADSHARD_POOL_OK,
	ADSHARD_POOL_DEGRADED,
	ADSHARD_POOL_READONLY,
	ADSHARD_POOL_STUCK,
};

enum adshard_segment_state {
	ADSHARD_SEGMENT_STABLE,
	ADSHARD_SEGMENT_QUEUED,		/* waits for its migration to start */
	ADSHARD_SEGMENT_MIGRATING,
	ADSHARD_SEGMENT_LOST,		/* its member has failed: I/O fails */
};

/* What an operation does with a segment. */
enum adshard_kind {
	ADSHARD_KIND_MOVE,		/* one leg from a member to another */
	ADSHARD_KIND_ADD,		/* one more leg */
	ADSHARD_KIND_RESYNC,		/* a stale leg, or legs in doubt, equal */
	ADSHARD_KIND_SCRUB,		/* reserved */
	ADSHARD_KIND_REPAIR,		/* reserved */
};

/* Steps of an operation, in this order but for ABORT. */
enum adshard_step {
	ADSHARD_STEP_QUEUED,
	ADSHARD_STEP_TRACK,
	ADSHARD_STEP_FILL,
	ADSHARD_STEP_VERIFY,
	ADSHARD_STEP_SHIFT,		/* reserved */
	ADSHARD_STEP_COMMIT,
	ADSHARD_STEP_RELEASE,
	ADSHARD_STEP_ABORT,
};

/* What sets the rate of copying. */
enum adshard_rate_by {
	ADSHARD_RATE_NONE,		/* nothing */
	ADSHARD_RATE_CEILING,		/* _SRC_BPS, _DST_BPS */
	ADSHARD_RATE_LATENCY,		/* the users' I/O */
	ADSHARD_RATE_FLOOR,		/* likewise, but for the floor */
};

enum adshard_event {
	ADSHARD_EVENT_UNSPEC,
	ADSHARD_EVENT_POOL_ACTIVE,
	ADSHARD_EVENT_POOL_GONE,
	ADSHARD_EVENT_POOL_STATE,	/* TEXT says which and why */
	ADSHARD_EVENT_MEMBER_STATE,
	ADSHARD_EVENT_MEMBER_ERROR,	/* at most one a second and member */
	ADSHARD_EVENT_MIGRATION_START,
	ADSHARD_EVENT_MIGRATION_DONE,
	ADSHARD_EVENT_MIGRATION_FAILED,	/* ERROR and TEXT say why */
	ADSHARD_EVENT_MIGRATION_ABORTED,
	ADSHARD_EVENT_MEMBER_JOINED,
	ADSHARD_EVENT_MEMBER_LEFT,
	ADSHARD_EVENT_POOL_RESIZED,
	ADSHARD_EVENT_LEG_STALE,
	ADSHARD_EVENT_SCRUB_MISMATCH,	/* reserved */
	ADSHARD_EVENT_READ_REPAIR,	/* reserved */
};

#endif /* _UAPI_LINUX_DM_ADSHARD_H */
