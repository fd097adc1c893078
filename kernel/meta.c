// SPDX-License-Identifier: GPL-2.0-only
/*
 * Durable metadata: the commit.
 *
 * Why a crash at any point leaves exactly one outcome. Say record s is the last
 * that everybody has, A is the set of active members that s names, and a commit
 * writes s+1 with the same set. Activation reads the rings of all members, takes
 * the highest record, insists on every member that this record calls active,
 * and brings all of them to it before anything else happens.
 *
 *  - Before s+1 is on any member: s is the highest; nobody was told otherwise.
 *  - s+1 is on some of A, the commit has not returned: whichever of s and s+1
 *    activation finds, it finds once, as it then makes it everybody's. The
 *    caller keeps both outcomes right until the commit returns, see meta.h.
 *    s+1 can't hide: s calls all of A active, so all of A is there to be read.
 *  - A write of s+1 failed on D. It may be on D's media or not. s+2 says the same
 *    (or takes it back) and that D is out, and goes to A without D. If we crash
 *    before it is complete, D is still called active by what is found, has to be
 *    there, and is brought to the same state. Once it is complete, D has at most
 *    s+1 and everybody else s+2: D's word is never the highest again. As
 *    sequences are never used twice in an activation, and a record names the
 *    checksum of its predecessor, D can't come to look like the others either:
 *    see journal.c.
 *  - Nothing that is undone comes back: the undo is a record of its own with a
 *    higher sequence, complete before the commit returns.
 *  - No member takes the record: whether s+1 stands is not known before the next
 *    activation. Nothing more is written: the next record could make a state
 *    durable that s+1 is not part of, and the caller's promise covers s and s+1.
 *
 * Why the ring never loses a record that no valid table contains: record s goes
 * over record s - journal_blocks. A commit starts only when all records it may
 * write (ADS_META_SPARE) go over records up to table_seq, which the table area
 * written last contains, durably, on every active member.
 */
#include <linux/bitmap.h>
#include <linux/blkdev.h>
#include <linux/device-mapper.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/random.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "journal.h"
#include "meta-core.h"
#include "pool.h"
#include "table.h"

void ads_txn_init(struct ads_txn *txn)
{
	memset(txn, 0, sizeof(*txn));
	txn->doomed = ADSHARD_NO_MEMBER;
	txn->drop_meta = ADSHARD_NO_MEMBER;
}

void ads_txn_place(struct ads_change *chg, u32 seg, u16 member, u32 chunk)
{
	chg->type = ADSHARD_ENTRY_SEG;
	chg->index = seg;
	ads_fmt_seg_plain(&chg->seg, member, chunk);
}

/*---------------------------------------------------------------------------*/

u8 ads_meta_write(struct ads_meta *meta, u8 mask, u64 first, unsigned int nr,
		  blk_opf_t opf)
{
	struct ads_mio_wait wait;
	unsigned int i;
	u8 failed = 0;
	int err;

	ads_mio_wait_init(&wait);
	for (i = 0; i < ADSHARD_META_MEMBERS; i++)
		if (mask & 1U << i)
			ads_mio_start(meta->slot[i].io, meta->slot[i].bdev,
				      first, nr, REQ_OP_WRITE | opf, &wait);
	ads_mio_wait_for(&wait);
	for (i = 0; i < ADSHARD_META_MEMBERS; i++) {
		struct ads_meta_slot *slot = &meta->slot[i];

		if (!(mask & 1U << i))
			continue;
		err = ads_mio_end(slot->io);
		if (!err)
			continue;
		failed |= 1U << i;
		/*
		 * Without FUA in the device it is a write and a flush, and what
		 * a disk says of a bad sector it says of the write.
		 */
		if (opf & (REQ_PREFLUSH | REQ_FUA))
			ads_flush_lost(&meta->pool->members[slot->member],
				       opf & REQ_PREFLUSH ||
				       (!bdev_fua(slot->bdev) &&
					err != -ENODATA));
	}
	return failed;
}

u8 ads_meta_flush(struct ads_meta *meta, u8 mask)
{
	return ads_meta_write(meta, mask, 0, 0, REQ_PREFLUSH);
}

void ads_meta_count_flushes(const struct ads_meta *meta, u8 mask, u32 *count)
{
	unsigned int i;

	for (i = 0; i < ADSHARD_META_MEMBERS; i++)
		if (mask & 1U << i)
			count[i] = READ_ONCE(meta->pool->members
				   [meta->slot[i].member].flushes_failed);
}

u8 ads_meta_flushes_failed(const struct ads_meta *meta, u8 mask,
			   const u32 *before)
{
	u32 now[ADSHARD_META_MEMBERS];
	unsigned int i;
	u8 failed = 0;

	ads_meta_count_flushes(meta, mask, now);
	for (i = 0; i < ADSHARD_META_MEMBERS; i++)
		if (mask & 1U << i && now[i] != before[i])
			failed |= 1U << i;
	return failed;
}

/* The place of @member in the metadata set, -1 if it has none. */
static int seat_of(const struct ads_meta *meta, u16 member)
{
	unsigned int i;

	for (i = 0; i < ADSHARD_META_MEMBERS; i++)
		if (meta->slot[i].member == member)
			return i;
	return -1;
}

void ads_meta_seat(struct ads_meta *meta, unsigned int i, u16 member)
{
	struct ads_meta_slot *slot = &meta->slot[i];

	WRITE_ONCE(slot->member, member);
	slot->bdev = NULL;
	if (member == ADSHARD_NO_MEMBER)
		return;
	slot->bdev = meta->pool->members[member].bdev;
	memcpy(slot->uuid, meta->pool->members[member].disk.uuid,
	       sizeof(slot->uuid));
}

void ads_meta_drop(struct ads_meta *meta, u8 failed)
{
	unsigned int i;

	for (i = 0; i < ADSHARD_META_MEMBERS; i++) {
		struct ads_meta_slot *slot = &meta->slot[i];

		if (!(failed & 1U << i))
			continue;
		DMERR("%pg: member %u takes no metadata any more", slot->bdev,
		      slot->member);
		ads_member_error(meta->pool, &meta->pool->members[slot->member],
				 ADS_ERR_META);
		/* A member is dropped once; only recruiting brings it back. */
		if (meta->nr_lost < ARRAY_SIZE(meta->lost))
			meta->lost[meta->nr_lost++] = slot->member;
	}
	WRITE_ONCE(meta->active, meta->active & ~failed);
	if (!meta->active)
		WRITE_ONCE(meta->readonly, true);
}

/*---------------------------------------------------------------------------*/

static void mark_all(struct ads_meta *meta, const struct ads_txn *txn)
{
	unsigned int i;

	for (i = 0; i < txn->nr; i++)
		ads_table_mark(meta, txn->redo[i].type, txn->redo[i].index);
	for (i = 0; i < txn->nr_segs; i++)
		ads_table_mark(meta, ADSHARD_ENTRY_SEG, txn->segs[i].seg);
}

/* The MEMBER and BAD changes of a record that is durable. */
static void apply_changes(struct ads_meta *meta, const struct ads_change *chg,
			  unsigned int nr)
{
	struct ads_pool *pool = meta->pool;
	unsigned int i;

	for (i = 0; i < nr; i++) {
		struct ads_member *mb;

		if (chg[i].type == ADSHARD_ENTRY_BAD)
			ads_bad_apply(&pool->bads, &meta->geo, chg[i].index,
				      &chg[i].bad);
		if (chg[i].type != ADSHARD_ENTRY_MEMBER)
			continue;
		mb = &pool->members[chg[i].index];
		mutex_lock(&pool->lock);
		mb->disk = chg[i].member;
		WRITE_ONCE(mb->state, chg[i].member.state);
		mutex_unlock(&pool->lock);
	}
}

/*
 * Is there still somebody who was active by the last complete record? If all of
 * those fail to take the one that calls a recruit active, none of them knows that
 * they are not enough by themselves; the recruit must not go on alone.
 */
static bool anybody_left(const struct ads_meta *meta, const struct ads_state *next)
{
	unsigned int i;

	for (i = 0; i < ADSHARD_META_MEMBERS; i++)
		if (next->meta_active & meta->st.meta_active & 1U << i &&
		    next->meta_member[i] == meta->st.meta_member[i])
			return true;
	return false;
}

/* Those in @failed are out. False if no record can be complete any more. */
static bool go_on_without(struct ads_meta *meta, struct ads_state *next, u8 failed)
{
	ads_meta_drop(meta, failed);
	next->meta_active &= ~failed;
	if (anybody_left(meta, next))
		return true;
	WRITE_ONCE(meta->active, 0);
	WRITE_ONCE(meta->readonly, true);
	return false;
}

/*
 * Write records until one is on all members that it calls active. @next is the
 * state to come but for sequence and time; it comes back as it became. Starts
 * with txn->redo unless *undone, and goes over to txn->undo (setting *undone)
 * when the doomed member is lost: then redo must not stand.
 */
static int write_records(struct ads_meta *meta, struct ads_state *next,
			 const struct ads_txn *txn, bool *undone)
{
	bool sent = *undone;		/* the redo is out already */
	int doomed = -1;
	u8 failed;

	if (txn->doomed != ADSHARD_NO_MEMBER)
		doomed = seat_of(meta, txn->doomed);
	for (;;) {
		/*
		 * Whoever recycles what this record frees relies on everything
		 * written to these members before. By itself, so that its
		 * failure is told from that of the record, and the record not
		 * sent if it is the doomed one's.
		 */
		failed = ads_meta_flush(meta, next->meta_active);
		if (failed) {
			if (!go_on_without(meta, next, failed))
				return sent ? -EOWNERDEAD : -EROFS;
			if (doomed >= 0 && failed & 1U << doomed)
				*undone = true;
		}
		sent = true;
		/*
		 * Up even when the write before has failed: that record may be
		 * on the media, and two different ones of one sequence would
		 * leave the choice to chance.
		 */
		WRITE_ONCE(meta->seq, meta->seq + 1);
		next->seq = meta->seq;
		next->time = ktime_get_real_seconds();
		failed = ads_journal_write(meta, next->meta_active, next, txn,
					   *undone);
		if (!failed)
			break;
		if (!go_on_without(meta, next, failed))
			return -EOWNERDEAD;
		if (doomed >= 0 && failed & 1U << doomed)
			*undone = true;
	}
	meta->st = *next;
	/*
	 * Before anybody is told: whoever was dropped may have nothing where the
	 * last record is on the others, and must not pass for a witness of that
	 * if they can't be read.
	 */
	ads_super_name(meta, meta->active);
	return 0;
}

/* The state after the next record, if nothing else happens. */
static struct ads_state next_state(struct ads_meta *meta)
{
	struct ads_state next = meta->st;
	unsigned int i;

	next.meta_active = meta->active;
	for (i = 0; i < ADSHARD_META_MEMBERS; i++)
		next.meta_member[i] = meta->slot[i].member;
	return next;
}

int ads_meta_make_room(struct ads_meta *meta)
{
	if (meta->readonly)
		return -EROFS;
	/*
	 * At half of the ring, so that it still has what follows the *older*
	 * table: either area is enough to get to the end.
	 */
	if (meta->seq + ADS_META_SPARE - meta->table_seq <=
	    meta->geo.journal_blocks / 2)
		return 0;
	/* Between commits the core is what record st.seq says: see table.c. */
	return ads_table_checkpoint(meta);
}

static int commit_locked(struct ads_meta *meta, struct ads_txn *txn,
			 struct ads_state *next)
{
	bool undone = false;
	int err, ret = 0;

	/* Set before the record: also after one whose outcome isn't known. */
	mark_all(meta, txn);
	err = write_records(meta, next, txn, &undone);
	if (err)
		return err;
	if (undone)
		return -ECANCELED;

	apply_changes(meta, txn->redo, txn->nr);
	if (txn->apply)
		ret = txn->apply(txn);
	if (ret >= 0)
		return 0;

	/*
	 * Refused. Until the undo is durable a crash still finds redo, so
	 * nothing that only undo allows may happen before.
	 */
	undone = true;
	err = write_records(meta, next, txn, &undone);
	apply_changes(meta, txn->undo, txn->nr);
	return err ?: ret;
}

/* A member leaves with this record; the state without it. */
static int leave(struct ads_meta *meta, u16 member)
{
	int seat = member == ADSHARD_NO_MEMBER ? -1 : seat_of(meta, member);

	if (seat < 0)
		return 0;
	if (meta->active == 1U << seat)
		return -EBUSY;
	/*
	 * Takes part in no record from here on. It keeps its last one, which
	 * calls it active, and so can't be used without the others, who know
	 * better. No way back but recruiting, even if the record is undone.
	 */
	WRITE_ONCE(meta->active, meta->active & ~(1U << seat));
	ads_meta_seat(meta, seat, ADSHARD_NO_MEMBER);
	return 0;
}

/*
 * Report the members lost in a commit. Without the metadata lock: an event
 * takes pool->lock, and its listener may ask for the metadata's state.
 */
static void report(struct ads_pool *pool, const u16 *lost, unsigned int nr,
		   bool readonly)
{
	char why[80];

	if (!nr || !READ_ONCE(pool->loaded))
		return;			/* activation: ads_meta_degraded() */
	mutex_lock(&pool->lock);
	if (readonly) {
		ads_pool_set_state(pool, ADSHARD_POOL_READONLY,
				   "no member takes metadata any more");
	} else if (pool->state == ADSHARD_POOL_OK) {
		snprintf(why, sizeof(why),
			 "member %u takes no metadata any more", lost[nr - 1]);
		ads_pool_set_state(pool, ADSHARD_POOL_DEGRADED, why);
	}
	mutex_unlock(&pool->lock);
}

void ads_meta_unlock(struct ads_meta *meta)
{
	struct ads_pool *pool = meta->pool;
	u16 lost[ADSHARD_META_MEMBERS];
	unsigned int nr = meta->nr_lost;
	bool readonly = meta->readonly;

	/* If no record was written; else it has done so. */
	if (!readonly)
		ads_super_name(meta, meta->active);
	memcpy(lost, meta->lost, sizeof(lost));
	meta->nr_lost = 0;
	mutex_unlock(&meta->lock);
	report(pool, lost, nr, readonly);
}

int ads_meta_commit(struct ads_pool *pool, struct ads_txn *txn)
{
	struct ads_meta *meta = pool->meta;
	unsigned int noio = memalloc_noio_save();
	struct ads_state next;
	u8 before;
	bool shrunk;
	int err;

	mutex_lock(&meta->lock);
	before = meta->st.meta_active;
	err = ads_meta_make_room(meta);
	if (!err)
		err = leave(meta, txn->drop_meta);
	if (!err && txn->begin)
		err = txn->begin(txn);
	if (!err) {
		next = next_state(meta);
		if (txn->nr_members)
			next.nr_members = txn->nr_members;
		if (txn->nr_segments)
			next.nr_segments = txn->nr_segments;
		if (txn->volume_sectors)
			next.volume_sectors = txn->volume_sectors;
		err = commit_locked(meta, txn, &next);
		if (txn->end)
			txn->end(txn, err);
	}
	shrunk = meta->active != before && !meta->readonly;
	ads_meta_unlock(meta);

	/* By and by: it writes whole tables, and our caller has writes waiting. */
	if (shrunk)
		queue_work(pool->ctl_wq, &pool->repair_work);
	memalloc_noio_restore(noio);
	return err;
}

int ads_meta_new_history(struct ads_meta *meta, u64 terms,
			 const struct ads_txn *txn)
{
	struct ads_state next = next_state(meta);
	bool undone = false;
	int err;

	next.term += terms;
	next.history = get_random_u64();
	mark_all(meta, txn);
	err = write_records(meta, &next, txn, &undone);
	if (!err)
		apply_changes(meta, txn->redo, txn->nr);
	return err;
}

int ads_meta_note(struct ads_meta *meta, u64 terms)
{
	/* Too large for the stack, and never written. */
	static const struct ads_txn nothing = {
		.doomed = ADSHARD_NO_MEMBER,
		.drop_meta = ADSHARD_NO_MEMBER,
	};
	struct ads_state next = next_state(meta);
	bool undone = false;

	next.term += terms;
	return write_records(meta, &next, &nothing, &undone);
}
