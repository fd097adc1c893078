/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Durable metadata of a pool.
 *
 * The state in core is what the last durable record says, and nothing else:
 * pool->map (places), member->disk. A change is a transaction; it becomes one
 * record, and it is in core only after the record is on stable media on every
 * active metadata member.
 */
#ifndef ADS_META_H
#define ADS_META_H

#include <linux/types.h>

#include <linux/adshard-format.h>

struct ads_pool;
struct ads_meta;

/* What a new pool is to look like (table line with "-"). */
struct ads_format {
	uuid_t uuid;
	char name[ADSHARD_NAME_SIZE];
	u8 segment_shift;
	u8 chunk_shift;
	u8 replicas;			/* legs of each segment; 0: one */
};

/* One change: the post-image of one entry. */
struct ads_change {
	u16 type;			/* enum adshard_entry_type */
	u32 index;
	union {
		struct adshard_seg seg;
		struct adshard_member member;
		struct adshard_bad bad;
	};
};

#define ADS_TXN_MAX	8

/* The same for segments, of which many may change at once. */
struct ads_seg_change {
	u32 seg;
	struct adshard_seg redo, undo;
};

#define ADS_TXN_SEGS	(sizeof_field(struct adshard_record, entries) / \
			 (sizeof(struct adshard_entry) + \
			  sizeof(struct adshard_seg)))

/**
 * struct ads_txn - one atomic change
 * @nr:		number of changes, up to ADS_TXN_MAX; 0 just writes a record
 * @nr_segs:	number of changes in @segs, up to ADS_TXN_SEGS; not together with
 *		@nr. Both may be set by @begin
 * @segs:	the caller's
 * @redo:	what is to become durable
 * @undo:	what takes it back, as durable a record, if after the first
 *		record it turns out that it must not stand: @apply refused, or
 *		@doomed couldn't take the record
 * @doomed:	a member without which @redo makes no sense (the destination of
 *		a migration), or ADSHARD_NO_MEMBER
 * @drop_meta:	a member that stops being a metadata member with this record,
 *		or ADSHARD_NO_MEMBER. Refused (-EBUSY) if it is the only active
 *		one. Stays so if @redo is taken back: recruit it again.
 * @nr_members, @nr_segments, @volume_sectors: what the state says from this
 *		record on; 0: what it says already. Not together with @doomed or an
 *		@apply that may refuse.
 * @begin:	called under the metadata lock right before the first record, when
 *		nobody else's commit is under way. A negative return ends the
 *		commit with it, and nothing is written. May be NULL; not together
 *		with @drop_meta. What it may do: as @apply.
 * @end:	called under the metadata lock if @begin was and returned 0, with
 *		what the commit is about to return
 * @apply:	called under the metadata lock once @redo is durable, to put it
 *		in core; process context, must not sleep on I/O or on bios.
 *		A negative return takes the change back. May be NULL. Changes
 *		of type ADSHARD_ENTRY_MEMBER and ADSHARD_ENTRY_BAD need no
 *		@apply: they are put into member->disk and member->state, and
 *		into pool->bads, by the commit itself. A segment's set is the
 *		business of @apply.
 */
struct ads_txn {
	unsigned int nr;
	struct ads_change redo[ADS_TXN_MAX];
	struct ads_change undo[ADS_TXN_MAX];
	unsigned int nr_segs;
	struct ads_seg_change *segs;
	u16 doomed;
	u16 drop_meta;
	u32 nr_members;
	u32 nr_segments;
	u64 volume_sectors;
	int (*begin)(struct ads_txn *txn);
	int (*apply)(struct ads_txn *txn);
	void (*end)(struct ads_txn *txn, int err);
};

void ads_txn_init(struct ads_txn *txn);

/* Fills in the post-image of a segment with one leg in sync. */
void ads_txn_place(struct ads_change *chg, u32 seg, u16 member, u32 chunk);

/*
 * Make @txn durable. Process context, sleeps on I/O; the caller holds neither
 * pool->lock nor any migration's lock. Allocates nothing that could wait for
 * I/O on this pool.
 *
 * 0		durable and applied
 * -ECANCELED	durably taken back (or @apply's own error)
 * -EROFS	the pool takes no changes any more; nothing was written
 * -EOWNERDEAD	no metadata member took the record: whether @redo is durable
 *		is unknown until the next activation. The pool is now readonly;
 *		the caller must keep both outcomes right for ever.
 */
int ads_meta_commit(struct ads_pool *pool, struct ads_txn *txn);

/*
 * Read and check a device's superblock into @sb (both copies, the newer valid
 * one). @why gets one sentence without the device's name.
 *
 * 0		a member
 * -ENODATA	blank: the first 128 KiB are zero
 * -EUCLEAN	something else is there, or the superblocks are damaged
 * -EOPNOTSUPP	a version or feature this module doesn't know
 * -EIO
 */
int ads_super_read(struct block_device *bdev, struct adshard_super *sb,
		   char *why, size_t len);

/*
 * Members that come and go while the pool is loaded; the volume is suspended.
 * A superblock for a new one, on stable media. @disk: what the record is to say.
 */
int ads_meta_new_super(struct ads_pool *pool, struct block_device *bdev,
		       u16 index, const struct adshard_member *disk);
/* Blank, as far as that is looked at. */
int ads_meta_wipe_super(struct ads_pool *pool, struct block_device *bdev);
/* Members have got other devices, or are none any more. */
void ads_meta_rebind(struct ads_pool *pool);

/* First sector of data for a new pool of @nr_segments. */
sector_t ads_layout_data_start(u32 nr_segments);

/*
 * Load (or with @format first make) the metadata of pool->present[]: fills in
 * the geometry, pool->members[], pool->map, rolls lagging members forward and
 * writes the activation record. All or nothing; says what is wrong with DMERR,
 * naming the device.
 *
 * @degraded: go on without metadata members and the only copies of segments that
 * are missing. Their members have failed then, by a record that begins another
 * history of the pool, which they can't come back to.
 */
int ads_meta_load(struct ads_pool *pool, const struct ads_format *format,
		  bool degraded);
void ads_meta_unload(struct ads_pool *pool);

/* For status: all under no lock, a snapshot. */
u64 ads_meta_seq(struct ads_pool *pool);
u64 ads_meta_term(struct ads_pool *pool);
/* 0: no metadata member, 1: dropped one, 2: active one */
unsigned int ads_meta_role(struct ads_pool *pool, u16 member);
/* There are less metadata members than there may be. */
bool ads_meta_wanting(struct ads_pool *pool);
/* A metadata member was dropped and nobody has taken its place. */
bool ads_meta_degraded(struct ads_pool *pool);
/* No metadata member takes records any more. */
bool ads_meta_readonly(struct ads_pool *pool);
/* Work function of pool->repair_work: find members in place of lost ones. */
void ads_meta_repair_work(struct work_struct *work);

/*
 * Make @member a metadata member again (an undone drain) or for the first
 * time, if the pool has fewer than ADSHARD_META_MEMBERS: full tables first,
 * then the record that says so. 0 also if it is one or there is no place.
 */
int ads_meta_recruit(struct ads_pool *pool, u16 member);

#endif /* ADS_META_H */
