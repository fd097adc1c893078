// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bad ranges in core: the table's places, and lookups by segment.
 *
 * A segment that has any is rare, and one that has thousands a ruin: a bucket
 * is a list that is walked.
 */
#include <linux/device-mapper.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "pool.h"

void ads_bad_init(struct ads_bads *bads)
{
	mutex_init(&bads->mutex);
	spin_lock_init(&bads->lock);
}

void ads_bad_exit(struct ads_bads *bads)
{
	u32 i;

	for (i = 0; bads->place && i < bads->nr_places; i++)
		kfree(bads->place[i]);
	kvfree(bads->place);
	bads->place = NULL;
	bads->used = 0;
	memset(bads->bucket, 0, sizeof(bads->bucket));
}

static struct ads_bad **bucket_of(struct ads_bads *bads, u32 seg)
{
	return &bads->bucket[seg % ADS_BAD_BUCKETS];
}

static u64 word_of(const struct ads_range *r)
{
	return ads_word(r->member, r->chunk);
}

static bool is_at(const struct ads_range *r, u32 seg, u64 word)
{
	return r->seg == seg &&
	       (word == ADS_BAD_ALL_PLACES || word_of(r) == ads_word_place(word));
}

static bool overlap(const struct ads_range *r, u32 first, u32 sectors)
{
	return r->first < first + sectors && first < r->first + r->sectors;
}

/* @bads->lock held. */
static void unlink_bad(struct ads_bads *bads, struct ads_bad *bad)
{
	struct ads_bad **pos;

	if (!bad->r.sectors)
		return;
	for (pos = bucket_of(bads, bad->r.seg); *pos; pos = &(*pos)->next) {
		if (*pos == bad) {
			*pos = bad->next;
			return;
		}
	}
}

/* The places themselves, when the first one is needed. */
static int need_places(struct ads_bads *bads, gfp_t gfp)
{
	struct ads_bad **place;
	unsigned long flags;

	if (bads->place)
		return 0;
	place = kvcalloc(bads->nr_places, sizeof(*place), gfp);
	if (!place)
		return -ENOMEM;
	/* A checkpoint may look at it from now on. */
	spin_lock_irqsave(&bads->lock, flags);
	bads->place = place;
	spin_unlock_irqrestore(&bads->lock, flags);
	return 0;
}

/* Have @bad say @r, which has a length or, if it goes, none. */
static void set_range(struct ads_bads *bads, struct ads_bad *bad,
		      const struct ads_range *r)
{
	struct ads_bad **bucket;
	unsigned long flags;

	spin_lock_irqsave(&bads->lock, flags);
	unlink_bad(bads, bad);
	bad->r = *r;
	if (r->sectors) {
		bucket = bucket_of(bads, r->seg);
		bad->next = *bucket;
		*bucket = bad;
	}
	spin_unlock_irqrestore(&bads->lock, flags);
}

void ads_bad_drop(struct ads_bads *bads, u32 index)
{
	struct ads_bad *bad = bads->place[index];
	unsigned long flags;

	spin_lock_irqsave(&bads->lock, flags);
	unlink_bad(bads, bad);
	bads->place[index] = NULL;
	bads->used--;
	spin_unlock_irqrestore(&bads->lock, flags);
	kfree(bad);
}

static int make_place(struct ads_bads *bads, u32 index, gfp_t gfp)
{
	struct ads_bad *bad = kzalloc(sizeof(*bad), gfp);
	unsigned long flags;

	if (!bad)
		return -ENOMEM;
	spin_lock_irqsave(&bads->lock, flags);
	bads->place[index] = bad;
	bads->used++;
	spin_unlock_irqrestore(&bads->lock, flags);
	return 0;
}

int ads_bad_put(struct ads_pool *pool, const struct ads_geometry *geo,
		u32 index, const struct adshard_bad *d, const char **why)
{
	struct ads_bads *bads = &pool->bads;
	struct ads_range r;
	int err;

	err = ads_fmt_range_decode(d, geo, &r, why);
	/* Of a segment that was cut off. */
	if (!err && r.sectors && r.seg >= pool->nr_segments)
		r.sectors = 0;
	if (err) {
		DMERR("bad range %u: %s", index, *why);
		return err;
	}
	bads->nr_places = ads_fmt_bad_places(geo);
	if (!r.sectors) {
		if (bads->place && bads->place[index])
			ads_bad_drop(bads, index);
		return 0;
	}
	err = need_places(bads, GFP_KERNEL);
	if (!err && !bads->place[index])
		err = make_place(bads, index, GFP_KERNEL);
	if (err)
		*why = "out of memory";
	else
		set_range(bads, bads->place[index], &r);
	return err;
}

void ads_bad_attach(struct ads_pool *pool, const struct ads_geometry *geo)
{
	struct ads_bads *bads = &pool->bads;
	u32 i;

	bads->nr_places = ads_fmt_bad_places(geo);
	for (i = 0; bads->place && i < bads->nr_places; i++) {
		const struct ads_bad *bad = bads->place[i];
		u64 *word;

		if (!bad)
			continue;
		word = &pool->map[bad->r.seg];
		if (ads_seg_is_at(pool, bad->r.seg, word_of(&bad->r)))
			*word |= ADS_WORD_BAD;
	}
}

void ads_bad_image(struct ads_bads *bads, u32 index, struct adshard_bad *d)
{
	unsigned long flags;

	spin_lock_irqsave(&bads->lock, flags);
	if (bads->place && bads->place[index])
		ads_fmt_range_encode(&bads->place[index]->r, d);
	spin_unlock_irqrestore(&bads->lock, flags);
}

void ads_bad_apply(struct ads_bads *bads, const struct ads_geometry *geo,
		   u32 index, const struct adshard_bad *d)
{
	struct ads_range r;

	/* We have made it ourselves. */
	if (WARN_ON_ONCE(ads_fmt_range_decode(d, geo, &r, NULL) ||
			 !bads->place || !bads->place[index]))
		return;
	if (r.sectors)
		set_range(bads, bads->place[index], &r);
	else
		ads_bad_drop(bads, index);
}

int ads_bad_reserve(struct ads_bads *bads, u32 spare, gfp_t gfp, u32 *index)
{
	int err = need_places(bads, gfp);
	u32 i;

	if (err)
		return err;
	if (bads->used + spare >= bads->nr_places)
		return -ENOSPC;
	/* There is one, so this ends. */
	for (i = bads->hint; bads->place[i]; i = (i + 1) % bads->nr_places)
		;
	bads->hint = i;
	*index = i;
	return make_place(bads, i, gfp);
}

bool ads_bad_find(struct ads_bads *bads, u32 seg, u64 word, u32 first,
		  u32 sectors, struct ads_range *found)
{
	const struct ads_bad *bad;
	unsigned long flags;

	found->sectors = 0;
	spin_lock_irqsave(&bads->lock, flags);
	for (bad = *bucket_of(bads, seg); bad; bad = bad->next)
		if (is_at(&bad->r, seg, word) &&
		    overlap(&bad->r, first, sectors) &&
		    (!found->sectors || bad->r.first < found->first))
			*found = bad->r;
	spin_unlock_irqrestore(&bads->lock, flags);
	return found->sectors;
}

bool ads_bad_any(struct ads_bads *bads, u32 seg, u64 word)
{
	const struct ads_bad *bad;
	unsigned long flags;

	spin_lock_irqsave(&bads->lock, flags);
	for (bad = *bucket_of(bads, seg); bad; bad = bad->next)
		if (is_at(&bad->r, seg, word))
			break;
	spin_unlock_irqrestore(&bads->lock, flags);
	return bad;
}

unsigned int ads_bad_list(struct ads_bads *bads, u32 seg, u64 word, u32 first,
			  u32 sectors, u32 *index, struct ads_range *r,
			  unsigned int max)
{
	unsigned int nr = 0;
	u32 i;

	lockdep_assert_held(&bads->mutex);
	for (i = 0; bads->place && i < bads->nr_places && nr < max; i++) {
		const struct ads_bad *bad = bads->place[i];

		if (!bad || !bad->r.sectors || !is_at(&bad->r, seg, word) ||
		    !overlap(&bad->r, first, sectors))
			continue;
		index[nr] = i;
		r[nr++] = bad->r;
	}
	return nr;
}

static bool counts(struct ads_pool *pool, const struct ads_range *r)
{
	return r->sectors && ads_seg_is_at(pool, r->seg, word_of(r));
}

int ads_bad_get(struct ads_pool *pool, u32 index, struct ads_range *r)
{
	struct ads_bads *bads = &pool->bads;
	unsigned long flags;
	int ret = -ENOENT;

	spin_lock_irqsave(&bads->lock, flags);
	if (!bads->place || index >= bads->nr_places) {
		ret = -ERANGE;
	} else if (bads->place[index] &&
		   counts(pool, &bads->place[index]->r)) {
		*r = bads->place[index]->r;
		ret = 0;
	}
	spin_unlock_irqrestore(&bads->lock, flags);
	return ret;
}

void ads_bad_count(struct ads_pool *pool, u32 *nr, u64 *sectors, u32 *free)
{
	struct ads_bads *bads = &pool->bads;
	const struct ads_bad *bad;
	unsigned long flags;
	unsigned int i;

	*nr = 0;
	*sectors = 0;
	spin_lock_irqsave(&bads->lock, flags);
	for (i = 0; i < ADS_BAD_BUCKETS; i++) {
		for (bad = bads->bucket[i]; bad; bad = bad->next) {
			if (!counts(pool, &bad->r))
				continue;
			++*nr;
			*sectors += bad->r.sectors;
		}
	}
	spin_unlock_irqrestore(&bads->lock, flags);
	*free = bads->nr_places - READ_ONCE(bads->used);
}
