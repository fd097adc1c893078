// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bad ranges, durably: removed after a move, healed by writes. Those of a move
 * are recorded in bad-move.c.
 *
 * One after the other, under bads->mutex, each a few records at a time. A crash
 * in between is harmless: what is recorded for a move that is not counts for
 * nothing, and the rest of a removal is a leftover. Both go with the next
 * activation. Healing takes out of a range what has data, and never more.
 */
#include <linux/device-mapper.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "meta-core.h"
#include "pool.h"

void ads_bad_add(struct ads_txn *txn, u32 index, const struct ads_range *r)
{
	struct ads_change *chg = &txn->redo[txn->nr++];

	chg->type = ADSHARD_ENTRY_BAD;
	chg->index = index;
	ads_fmt_range_encode(r, &chg->bad);
	/* Nothing of it depends on another member: it is never taken back. */
	txn->undo[txn->nr - 1] = *chg;
}

int ads_bad_commit(struct ads_pool *pool, struct ads_txn *txn)
{
	int r = txn->nr ? ads_meta_commit(pool, txn) : 0;

	ads_txn_init(txn);
	return r;
}

int ads_bad_forget_all(struct ads_pool *pool, struct ads_txn *txn, u32 seg,
		       u64 word)
{
	static const struct ads_range none;
	struct ads_range r[ADS_TXN_MAX];
	u32 index[ADS_TXN_MAX];
	unsigned int nr, i;
	int err;

	do {
		nr = ads_bad_list(&pool->bads, seg, word, 0, U32_MAX, index, r,
				  ADS_TXN_MAX);
		for (i = 0; i < nr; i++)
			ads_bad_add(txn, index[i], &none);
		err = ads_bad_commit(pool, txn);
	} while (nr && !err);
	return err;
}

int ads_bad_forget(struct ads_pool *pool, u32 seg, u64 word)
{
	struct ads_bads *bads = &pool->bads;
	struct ads_txn *txn;
	int err;

	if (!ads_bad_any(bads, seg, word))
		return 0;
	/*
	 * The slot may be taken by the same segment later, so there is no way to
	 * leave them.
	 */
	txn = kzalloc(sizeof(*txn), GFP_NOIO | __GFP_NOFAIL);
	ads_txn_init(txn);
	mutex_lock(&bads->mutex);
	err = ads_bad_forget_all(pool, txn, seg, word);
	mutex_unlock(&bads->mutex);
	kfree(txn);
	return err;
}

void ads_bad_forget_leftovers(struct ads_pool *pool)
{
	struct ads_bads *bads = &pool->bads;
	u32 i;

	for (i = 0; bads->place && i < bads->nr_places; i++) {
		struct ads_range r;
		u64 word;

		if (!bads->place[i])
			continue;
		r = bads->place[i]->r;
		word = ads_word(r.member, r.chunk);
		if (r.sectors && !ads_seg_is_at(pool, r.seg, word) &&
		    ads_bad_forget(pool, r.seg, word))
			return;		/* readonly: nothing moves any more */
	}
}

void ads_bad_forget_gone(struct ads_pool *pool, u16 member, u32 first_seg)
{
	struct ads_bads *bads = &pool->bads;
	u32 i;

	for (i = 0; bads->place && i < bads->nr_places; i++) {
		struct ads_range r;

		if (!bads->place[i])
			continue;
		r = bads->place[i]->r;
		if (r.sectors && (r.member == member || r.seg >= first_seg) &&
		    ads_bad_forget(pool, r.seg, ads_word(r.member, r.chunk)))
			return;		/* readonly: nothing moves any more */
	}
}

/* What is left of @r without [@first, @end): 0 to 2 pieces. */
static unsigned int rest_of(const struct ads_range *r, u32 first, u32 end,
			    struct ads_range *piece)
{
	u32 r_end = r->first + r->sectors;
	unsigned int nr = 0;

	if (r->first < first) {
		piece[nr] = *r;
		piece[nr++].sectors = first - r->first;
	}
	if (end < r_end) {
		piece[nr] = *r;
		piece[nr].first = end;
		piece[nr++].sectors = r_end - end;
	}
	return nr;
}

static int heal(struct ads_pool *pool, struct ads_txn *txn, u32 seg, u32 first,
		u32 sectors)
{
	static const struct ads_range none;
	struct ads_range r[ADS_TXN_MAX / 2], piece[2];
	u32 index[ADS_TXN_MAX / 2], other;
	unsigned int nr, i, left;
	int err;

	do {
		nr = ads_bad_list(&pool->bads, seg, ADS_BAD_ALL_PLACES, first,
				  sectors, index, r, ARRAY_SIZE(r));
		for (i = 0; i < nr; i++) {
			left = rest_of(&r[i], first, first + sectors, piece);
			if (left == 2) {
				err = ads_bad_reserve(&pool->bads, 0, GFP_NOIO,
						      &other);
				/* Those before are no worse for it. */
				if (err) {
					ads_bad_commit(pool, txn);
					return err;
				}
				ads_bad_add(txn, other, &piece[1]);
			}
			ads_bad_add(txn, index[i], left ? &piece[0] : &none);
		}
		err = ads_bad_commit(pool, txn);
	} while (nr && !err);
	return err;
}

int ads_bad_heal(struct ads_pool *pool, struct ads_txn *txn, u32 seg, u32 first,
		 u32 sectors)
{
	unsigned int flags;
	int err;

	ads_txn_init(txn);
	mutex_lock(&pool->bads.mutex);
	/* Writeback may wait for us: what memory there is left is ours, too. */
	flags = memalloc_noreclaim_save();
	err = heal(pool, txn, seg, first, sectors);
	memalloc_noreclaim_restore(flags);
	mutex_unlock(&pool->bads.mutex);
	return err;
}
