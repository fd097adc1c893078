// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bad ranges of a move: what could not be read is recorded for the destination,
 * before the record that makes it the owner.
 */
#include <linux/bitmap.h>
#include <linux/device-mapper.h>
#include <linux/slab.h>

#include "migrate.h"
#include "pool.h"

/*
 * Places that moves leave: a write into the middle of a range makes two of it,
 * and it can't wait until there is room.
 */
static u32 spare_places(const struct ads_bads *bads)
{
	return bads->nr_places / 8;
}

/*
 * The next of what @m has found bad, from sector *@pos of the segment on; false
 * at the end. Of one origin: what was bad already keeps its own.
 */
static bool next_range(struct ads_mig *m, u32 *pos, struct ads_range *r)
{
	struct ads_pool *pool = m->pool;
	u64 src = ads_word(m->src, m->src_chunk);
	u32 end = m->nr_chunks << pool->chunk_shift;
	u32 block = 1U << m->block_shift;
	struct ads_range old;

	memset(r, 0, sizeof(*r));
	spin_lock_irq(&m->lock);
	while (*pos < end) {
		struct ads_chunk *c = &m->chunks[*pos >> pool->chunk_shift];
		u32 bit = (*pos & ((1U << pool->chunk_shift) - 1)) >>
			  m->block_shift;

		if (!c->bad) {
			if (r->sectors)
				break;
			*pos = round_down(*pos, 1U << pool->chunk_shift) +
			       (1U << pool->chunk_shift);
			continue;
		}
		if (!test_bit(bit, c->bad)) {
			if (r->sectors)
				break;
			*pos += block;
			continue;
		}
		if (!ads_bad_find(&pool->bads, m->seg, src, *pos, block, &old))
			old.from = m->src;
		if (r->sectors && old.from != r->from)
			break;
		if (!r->sectors) {
			r->from = old.from;
			r->first = *pos;
		}
		r->sectors += block;
		*pos += block;
	}
	spin_unlock_irq(&m->lock);
	r->seg = m->seg;
	r->member = m->dst;
	r->chunk = m->dst_chunk;
	return r->sectors;
}

static int record(struct ads_mig *m, struct ads_txn *txn)
{
	struct ads_pool *pool = m->pool;
	struct ads_bads *bads = &pool->bads;
	struct ads_range r;
	u32 pos = 0, index;
	int err;

	/*
	 * From here a write that covers one of them must see to its removal. The
	 * bit is cleared under the same lock, before or after it is looked at; if
	 * after, the write waits for our mutex.
	 */
	spin_lock_irq(&m->lock);
	m->bad_recorded = true;
	spin_unlock_irq(&m->lock);

	while (next_range(m, &pos, &r)) {
		err = ads_bad_reserve(bads, spare_places(bads), GFP_NOIO,
				      &index);
		if (err) {
			while (txn->nr)
				ads_bad_drop(bads, txn->redo[--txn->nr].index);
			return err;
		}
		ads_bad_add(txn, index, &r);
		if (txn->nr < ADS_TXN_MAX)
			continue;
		err = ads_bad_commit(pool, txn);
		if (err)
			return err;
	}
	return ads_bad_commit(pool, txn);
}

int ads_bad_record(struct ads_mig *m)
{
	struct ads_bads *bads = &m->pool->bads;
	u64 dst = ads_word(m->dst, m->dst_chunk);
	struct ads_txn *txn;
	bool none;
	int err;

	spin_lock_irq(&m->lock);
	none = !m->bad_blocks && !m->bad_recorded;
	spin_unlock_irq(&m->lock);
	if (none)
		return 0;

	txn = kzalloc(sizeof(*txn), GFP_NOIO);
	if (!txn) {
		ads_mig_fail(m, -ENOMEM, "out of memory");
		return -ENOMEM;
	}
	ads_txn_init(txn);
	mutex_lock(&bads->mutex);
	/* Recorded before, and a chunk was copied again since. */
	err = ads_bad_forget_all(m->pool, txn, m->seg, dst);
	if (!err)
		err = record(m, txn);
	mutex_unlock(&bads->mutex);
	kfree(txn);
	if (err)
		ads_mig_fail(m, err, err == -ENOSPC ?
			     "too many bad ranges: there is no room to record more" :
			     "its bad ranges could not be recorded");
	return err;
}
