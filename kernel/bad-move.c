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

/**
 * struct walk - over what a migration has found bad
 * @pos:	sector of the segment to go on with
 * @chunk:	whose bits are in @bits
 * @bits:	a bit per logical block, as in struct ads_chunk
 * @txn:	of the next record
 */
struct walk {
	u32 pos;
	u32 chunk;
	DECLARE_BITMAP(bits, 1 << ADSHARD_CHUNK_SHIFT_MAX);
	struct ads_txn txn;
};

/* The bits of the chunk at @w->pos. */
static void look(struct ads_mig *m, struct walk *w)
{
	u32 chunk = w->pos >> m->pool->chunk_shift;
	struct ads_chunk *c = &m->chunks[chunk];
	u32 nr = 1U << (m->pool->chunk_shift - m->block_shift);

	if (chunk == w->chunk)
		return;
	w->chunk = chunk;
	spin_lock_irq(&m->lock);
	if (c->bad)
		bitmap_copy(w->bits, c->bad, nr);
	else
		bitmap_zero(w->bits, nr);
	spin_unlock_irq(&m->lock);
}

/*
 * The bad piece at or after @w->pos in its chunk, all of one origin: what was bad
 * already keeps its own. False: there is none, and @w->pos is the next chunk.
 */
static bool next_piece(struct ads_mig *m, struct walk *w, struct ads_range *r)
{
	struct ads_pool *pool = m->pool;
	u32 base = round_down(w->pos, 1U << pool->chunk_shift);
	u32 nr = 1U << (pool->chunk_shift - m->block_shift), bit, end;
	u64 src = ads_word(m->src, m->src_chunk);
	struct ads_range old;

	look(m, w);
	bit = find_next_bit(w->bits, nr, (w->pos - base) >> m->block_shift);
	if (bit >= nr) {
		w->pos = base + (1U << pool->chunk_shift);
		return false;
	}
	end = find_next_zero_bit(w->bits, nr, bit);
	r->first = base + (bit << m->block_shift);
	r->sectors = (end - bit) << m->block_shift;
	r->from = m->src;
	if (ads_bad_find(&pool->bads, m->seg, src, r->first, r->sectors,
			 &old)) {
		if (old.first > r->first) {
			r->sectors = old.first - r->first;
		} else {
			r->from = old.from;
			r->sectors = min(r->sectors, old.first + old.sectors -
					 r->first);
		}
	}
	w->pos = r->first + r->sectors;
	return true;
}

/* The next range; false at the end. */
static bool next_range(struct ads_mig *m, struct walk *w, struct ads_range *r)
{
	u32 end = m->nr_chunks << m->pool->chunk_shift;
	struct ads_range more;
	u32 pos;

	memset(r, 0, sizeof(*r));
	while (w->pos < end && !next_piece(m, w, r))
		;
	if (!r->sectors)
		return false;
	/* It may go on in the next chunk. */
	while (w->pos < end && w->pos == r->first + r->sectors) {
		pos = w->pos;
		if (!next_piece(m, w, &more))
			continue;
		if (more.first != pos || more.from != r->from) {
			w->pos = pos;
			break;
		}
		r->sectors += more.sectors;
	}
	r->seg = m->seg;
	r->member = m->dst;
	r->chunk = m->dst_chunk;
	return true;
}

static int record(struct ads_mig *m, struct walk *w)
{
	struct ads_txn *txn = &w->txn;
	struct ads_pool *pool = m->pool;
	struct ads_bads *bads = &pool->bads;
	struct ads_range r;
	u32 index;
	int err;

	/*
	 * From here every write to a chunk with a bad block sees to the removal
	 * of what it covers, for which it waits for our mutex. Those that ended
	 * before have cleared their bits.
	 */
	spin_lock_irq(&m->lock);
	m->bad_recorded = true;
	spin_unlock_irq(&m->lock);

	while (next_range(m, w, &r)) {
		err = ads_bad_reserve(bads, ads_bad_spare(bads), GFP_NOIO,
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
	struct walk *w;
	bool none;
	int err;

	spin_lock_irq(&m->lock);
	none = !m->bad_blocks && !m->bad_recorded;
	spin_unlock_irq(&m->lock);
	if (none)
		return 0;

	w = kzalloc(sizeof(*w), GFP_NOIO);
	if (!w) {
		ads_mig_fail(m, -ENOMEM, "out of memory");
		return -ENOMEM;
	}
	w->chunk = U32_MAX;
	ads_txn_init(&w->txn);
	mutex_lock(&bads->mutex);
	/* Recorded before, and a chunk was copied again since. */
	err = ads_bad_forget_all(m->pool, &w->txn, m->seg, dst);
	if (!err)
		err = record(m, w);
	mutex_unlock(&bads->mutex);
	kfree(w);
	if (err)
		ads_mig_fail(m, err, err == -ENOSPC ?
			     "too many bad ranges: there is no room to record more" :
			     "its bad ranges could not be recorded");
	return err;
}
