// SPDX-License-Identifier: GPL-2.0-only
/*
 * Activation: from the devices of a table line to a pool in core.
 *
 * The superblocks say who is who, and nothing else is believed of them but
 * their list of metadata members, as a veto. What the pool looks like is in the
 * records: the highest one found anywhere is the state, its own list says which
 * metadata members must be here, and all of them are brought to it before the
 * record that opens the new term.
 *
 * Whatever is in doubt is refused with the name of the device or the member it
 * depends on. An activation that is refused before step 6 has written nothing,
 * and one that fails in it nothing that changes what the next one finds.
 */
#include <linux/bitmap.h>
#include <linux/blkdev.h>
#include <linux/device-mapper.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "journal.h"
#include "meta-core.h"
#include "meta-load.h"
#include "pool.h"
#include "table.h"

/*
 * Is it where a member would be that took part in everything? Its newest table
 * is the one that was chosen, in the same area, so that the next checkpoint may
 * go over the other one; it is whole, so that one more member with damage does
 * not go unnoticed until it is the only one; and its own ring leads from there
 * to the end.
 */
static bool in_step(const struct ads_load *l, const struct ads_seen *seen)
{
	const struct ads_try *t = &seen->try[l->area];
	const struct ads_try *other = &seen->try[l->area ^ 1];
	const struct ads_link *table = &l->chosen->try[l->area].table;
	struct ads_link end;
	const char *why;

	if (!t->valid || t->broken || t->table.seq != table->seq ||
	    t->table.sum != table->sum ||
	    (other->valid && other->table.seq > table->seq))
		return false;
	end = ads_load_chain_end(l, seen, t->table);
	if (!ads_load_chosen(l, &end))
		return false;
	if (seen == l->chosen ||
	    !ads_table_load(NULL, &l->geo, l->io, seen->bdev, seen->sb.uuid,
			    l->area, &t->table, &why))
		return true;
	DMWARN("%pg: table %u after record %llu: %s", seen->bdev, l->area,
	       t->table.seq, why);
	return false;
}

/*
 * Step 6: everybody to the same state, by a checkpoint of all. It goes over the
 * area that is the older one on members in step. If it is the newer one of a
 * member that is not, that one gets its older one written first, so that at any
 * moment a whole table of its own stands on it, old or new.
 */
static int roll_forward(struct ads_load *l)
{
	struct ads_meta *meta = l->meta;
	unsigned int i, next = l->area ^ 1;
	u8 behind = 0;
	int err;

	for (i = 0; i < ADSHARD_META_MEMBERS; i++) {
		const struct ads_seen *seen;
		const struct ads_try *t;

		if (!(meta->active & 1U << i))
			continue;
		seen = ads_load_find(l, meta->slot[i].member);
		if (in_step(l, seen))
			continue;
		behind |= 1U << i;
		t = seen->try;
		if (t[next].valid && (!t[l->area].valid ||
				      t[l->area].table.seq < t[next].table.seq))
			ads_meta_drop(meta, ads_table_write(meta, 1U << i,
							    l->area, NULL));
	}
	if (!behind)
		return 0;
	err = meta->active ? ads_table_checkpoint(meta) : -EROFS;
	for (i = 0; i < ADSHARD_META_MEMBERS; i++)
		if (behind & meta->active & 1U << i)
			DMINFO("%pg: metadata brought up to record %llu",
			       meta->slot[i].bdev, meta->seq);
	return err;
}

/*---------------------------------------------------------------------------*/

/*
 * How much the new term is above that of the state. An activation that was cut
 * off may have left its first record in a place that can't be read just now, and
 * ours, which follows the same one, must not be of its term: see check_fork().
 */
static u64 new_terms(const struct ads_load *l)
{
	u32 next = ads_fmt_ring_index(&l->geo, l->end.seq + 1);
	unsigned int i;

	for (i = 0; i < l->nr; i++)
		if (l->seen[i].ring && l->seen[i].ring[next].unread)
			return 2;
	return 1;
}

/* The next members that are gone, as many as a record takes, as failed. */
static void fill_gone(struct ads_load *l, struct ads_txn *txn)
{
	u32 max = l->pool->nr_members, i = 0;

	ads_txn_init(txn);
	while (txn->nr < ADS_TXN_MAX &&
	       (i = find_next_bit(l->gone, max, i)) < max) {
		struct ads_change *chg = &txn->redo[txn->nr];

		chg->type = ADSHARD_ENTRY_MEMBER;
		chg->index = i;
		chg->member = l->pool->members[i].disk;
		chg->member.state = ADSHARD_MEMBER_FAILED;
		txn->undo[txn->nr++] = *chg;
		__test_and_clear_bit(i, l->gone);
	}
}

/*
 * Step 7 of an activation without members that are needed. With this very record
 * another history begins: what those members have, or come to have if somebody
 * activates the pool with them elsewhere, is never again taken for ours.
 */
static int go_on_without(struct ads_load *l)
{
	struct ads_txn *txn = kzalloc(sizeof(*txn), GFP_KERNEL);
	int err;

	if (!txn)
		return -ENOMEM;
	fill_gone(l, txn);
	err = ads_meta_new_history(l->meta, new_terms(l), txn);
	kfree(txn);
	if (!err)
		DMWARN("pool %pUb: goes on without %u members, in another history",
		       &l->pool->uuid, l->nr_gone);
	return err;
}

/*
 * Those for whom the first record had no room. A crash before leaves them
 * missing, and the next activation has to be told once more to do without.
 */
static int declare_rest(struct ads_load *l)
{
	struct ads_pool *pool = l->pool;
	struct ads_txn *txn;
	int err = 0;

	if (l->nr_gone <= ADS_TXN_MAX)
		return 0;
	txn = kzalloc(sizeof(*txn), GFP_KERNEL);
	if (!txn)
		return -ENOMEM;
	pool->meta = l->meta;
	for (;;) {
		fill_gone(l, txn);
		if (err || !txn->nr)
			break;
		err = ads_meta_commit(pool, txn);
	}
	pool->meta = NULL;
	kfree(txn);
	return err;
}

/* From the state in core to one that takes records. */
static int take_over(struct ads_load *l)
{
	struct ads_meta *meta;
	unsigned int i;
	int err;

	meta = ads_meta_alloc(l->pool, &l->geo);
	if (!meta)
		return -ENOMEM;
	l->meta = meta;
	meta->st = l->st;
	meta->seq = l->end.seq;
	meta->last_crc = l->end.sum;
	meta->area = l->area;
	meta->table_seq = l->chosen->try[l->area].table.seq;
	for (i = 0; i < l->nr; i++)
		meta->sb_seq = max(meta->sb_seq, l->seen[i].sb.seq);
	for (i = 0; i < ADSHARD_META_MEMBERS; i++) {
		ads_meta_seat(meta, i, l->st.meta_member[i]);
		/* Written anew at each activation: a crash may have left any. */
		meta->named[i] = l->st.meta_member[i] ^ 1;
	}
	meta->active = l->st.meta_active;
	for (i = 0; i < ADSHARD_META_MEMBERS; i++)
		if (meta->active & 1U << i && !meta->slot[i].bdev)
			meta->active &= ~(1U << i);

	mutex_lock(&meta->lock);
	err = roll_forward(l);
	if (!err)
		err = ads_meta_make_room(meta);
	if (!err)
		err = l->nr_gone ? go_on_without(l) :
		      ads_meta_note(meta, new_terms(l));
	ads_meta_unlock(meta);
	if (!err)
		err = declare_rest(l);
	if (err)
		DMERR("pool %pUb: no member takes metadata", &l->pool->uuid);
	return err;
}

/* The table line's length, if there is one, must be the volume's. */
static int check_volume(struct ads_load *l)
{
	const struct ads_pool *pool = l->pool;

	if (!pool->volume_sectors ||
	    pool->volume_sectors == l->st.volume_sectors)
		return 0;
	DMERR("the table has %llu sectors, pool %pUb \"%s\" has %llu",
	      (u64)pool->volume_sectors, &pool->uuid, l->geo.name,
	      l->st.volume_sectors);
	return -EINVAL;
}

static int load(struct ads_load *l)
{
	struct ads_pool *pool = l->pool;
	int err;

	/* 1..3. What is on the devices. */
	err = ads_load_devices(l);
	/* 4. The newest state. */
	if (!err)
		err = ads_load_state(l);
	/* 5. Is it the newest, and is everything here that it needs? */
	if (!err)
		err = ads_load_members(l);
	if (!err)
		err = ads_load_check_set(l);
	if (!err)
		err = ads_load_check_end(l);
	if (!err)
		err = ads_load_segments(l);
	if (!err)
		err = check_volume(l);
	/* 6. Everybody to that state. 7. The record that opens the new term. */
	if (!err)
		err = take_over(l);
	if (err)
		return err;

	pool->segment_shift = l->geo.segment_shift;
	pool->segment_mask = (1U << l->geo.segment_shift) - 1;
	pool->chunk_shift = l->geo.chunk_shift;
	pool->logical_block_size = l->geo.logical_block_size;
	pool->volume_sectors = l->st.volume_sectors;
	/* Pools that are not loaded yet are asked for their name as well. */
	mutex_lock(&pool->lock);
	memcpy(pool->name, l->geo.name, sizeof(pool->name));
	mutex_unlock(&pool->lock);
	pool->meta = l->meta;
	l->meta = NULL;
	ads_sets_attach(pool);
	ads_bad_attach(pool, &l->geo);
	if (pool->nr_lost)
		DMWARN("pool %s: %u segments are lost: they were on members that have failed",
		       pool->name, pool->nr_lost);
	ads_bad_forget_leftovers(pool);
	ads_meta_repair(pool);
	return 0;
}

int ads_meta_load(struct ads_pool *pool, const struct ads_format *format,
		  bool degraded)
{
	unsigned int noio = memalloc_noio_save();
	struct ads_load *l = kvzalloc(sizeof(*l), GFP_KERNEL);
	uuid_t uuid = pool->uuid;
	unsigned int i;
	int err = -ENOMEM;

	if (!l)
		goto out;
	l->pool = pool;
	l->nr = pool->nr_present;
	l->degraded = degraded;
	l->io = ads_mio_alloc(ADS_MIO_READ);
	l->seen = kvcalloc(l->nr, sizeof(*l->seen), GFP_KERNEL);
	l->gone = kvcalloc(BITS_TO_LONGS(ADSHARD_MAX_MEMBERS), sizeof(long),
			   GFP_KERNEL);
	if (!l->io || !l->seen || !l->gone)
		goto out;
	if (!l->nr || l->nr > ADSHARD_MAX_MEMBERS) {
		err = -EINVAL;
		goto out;
	}
	if (format) {
		pool->uuid = format->uuid;
		err = ads_meta_format(pool, format);
		if (err)
			goto out;
	}
	/* A new pool is read back like any other: no trust in what was meant. */
	err = load(l);
out:
	if (err) {
		/* An error that was counted may be about to be reported. */
		cancel_work_sync(&pool->error_work);
		ads_core_free(pool);
		pool->uuid = uuid;
	}
	if (l) {
		ads_meta_free(l->meta);
		for (i = 0; l->seen && i < l->nr; i++)
			kvfree(l->seen[i].ring);
		kvfree(l->seen);
		kvfree(l->gone);
		ads_mio_free(l->io);
	}
	kvfree(l);
	memalloc_noio_restore(noio);
	return err;
}
