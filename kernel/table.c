// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table areas.
 *
 * There are two, and a checkpoint overwrites the older one. Its header is the
 * point of no return: until the new header is on stable media the old header
 * either still stands over a body that is partly new, which its body_crc tells,
 * or is torn, and both mean that this area doesn't count. The other area, with
 * the records after it, holds the same state, and is not touched. After the
 * header is there, this one is the newer, and complete.
 *
 * Header before body, or both in flight at once, could leave a valid header
 * over an older body after a power cut: body_crc would tell, but the records
 * since the older table would be gone from the ring by the next time around.
 */
#include <linux/bitmap.h>
#include <linux/blkdev.h>
#include <linux/device-mapper.h>
#include <linux/sched.h>

#include "pool.h"
#include "table.h"

/* The image of body block @nr, from the core. */
static void encode_body(struct ads_meta *meta, u32 nr, struct adshard_body *b)
{
	struct ads_pool *pool = meta->pool;
	struct ads_body_at at;
	u32 i, index;

	ads_fmt_body_init(b, &meta->geo, nr);
	ads_fmt_body_at(&meta->geo, nr, &at);
	for (i = 0; i < at.nr; i++) {
		index = at.first + i;
		if (at.kind == ADSHARD_BODY_MEMBERS) {
			if (index >= meta->st.nr_members)
				break;
			b->u.members[i] = pool->members[index].disk;
		} else if (at.kind == ADSHARD_BODY_BAD) {
			ads_bad_image(&pool->bads, index, &b->u.bad[i]);
		} else {
			/* With those of a growth under way: see resize.c. */
			if (index >= pool->nr_map)
				break;
			ads_seg_image(pool, index, &b->u.segments[i]);
		}
	}
}

/* Body blocks @first.. of @nr, one image for each member in @mask. */
static u8 write_body(struct ads_meta *meta, u8 mask, unsigned int area,
		     u32 first, unsigned int nr)
{
	unsigned int i, k, source = __ffs(mask);
	struct adshard_body *b;

	for (k = 0; k < nr; k++) {
		b = meta->slot[source].io->block[k];
		encode_body(meta, first + k, b);
		meta->sums[first + k] = ads_fmt_body_sum(b);
	}
	for (i = 0; i < ADSHARD_META_MEMBERS; i++) {
		if (!(mask & 1U << i))
			continue;
		for (k = 0; k < nr; k++) {
			b = meta->slot[i].io->block[k];
			if (i != source)
				memcpy(b, meta->slot[source].io->block[k],
				       sizeof(*b));
			ads_fmt_body_seal(b, &meta->geo, meta->slot[i].uuid,
					  area, first + k);
		}
	}
	return ads_meta_write(meta, mask,
			      (u64)meta->geo.table_block[area] + 1 + first, nr,
			      0);
}

static u8 write_header(struct ads_meta *meta, u8 mask, unsigned int area)
{
	u32 body_crc = ~0U;
	unsigned int i;
	u8 failed;

	for (i = 0; i < meta->nr_body; i++)
		body_crc = ads_fmt_sum_add(body_crc, meta->sums[i]);
	for (i = 0; i < ADSHARD_META_MEMBERS; i++) {
		struct adshard_table *t = meta->slot[i].io->block[0];

		if (!(mask & 1U << i))
			continue;
		ads_fmt_table_init(t, &meta->geo, &meta->st, body_crc,
				   meta->last_crc);
		ads_fmt_table_seal(t, &meta->geo, meta->slot[i].uuid, area);
	}
	/* The body has completed; the flush puts it on the media first. */
	failed = ads_meta_flush(meta, mask);
	if (mask == failed)
		return mask;
	return failed | ads_meta_write(meta, mask & ~failed,
				       meta->geo.table_block[area], 1, REQ_FUA);
}

static u8 write_table(struct ads_meta *meta, u8 mask, unsigned int area,
		      const unsigned long *dirty)
{
	u8 good = mask;
	u32 nr = 0, end;

	while (good) {
		if (dirty)
			nr = find_next_bit(dirty, meta->nr_body, nr);
		if (nr >= meta->nr_body)
			break;
		end = meta->nr_body;
		if (dirty)
			end = find_next_zero_bit(dirty, end, nr);
		end = min(end, nr + ADS_MIO_BATCH);
		good &= ~write_body(meta, good, area, nr, end - nr);
		nr = end;
		cond_resched();
	}
	if (good)
		good &= ~write_header(meta, good, area);
	return mask & ~good;
}

u8 ads_table_write(struct ads_meta *meta, u8 mask, unsigned int area,
		   const unsigned long *dirty)
{
	u32 before[ADSHARD_META_MEMBERS];
	u8 failed = 0, now, left = mask;
	unsigned int try;

	for (try = 0; left && try < ADS_META_TRIES; try++) {
		ads_meta_count_flushes(meta, left, before);
		now = write_table(meta, left, area, dirty);
		failed |= now;
		/* Anybody's: the body may have been in the cache it cost. */
		left = ads_meta_flushes_failed(meta, left & ~now, before);
	}
	return failed | left;
}

int ads_table_checkpoint(struct ads_meta *meta)
{
	unsigned int area = meta->area ^ 1;

	ads_meta_drop(meta, ads_table_write(meta, meta->active, area,
					    meta->dirty[area]));
	if (!meta->active)
		return -EROFS;
	/*
	 * Only now may the ring go on over the records up to here. A member that
	 * was dropped a moment ago is written no more at all, so what it has
	 * stays consistent: its newer area and the records after it.
	 */
	meta->area = area;
	meta->table_seq = meta->st.seq;
	bitmap_zero(meta->dirty[area], meta->nr_body);
	return 0;
}

void ads_table_mark(struct ads_meta *meta, u16 type, u32 index)
{
	u32 nr;

	switch (type) {
	case ADSHARD_ENTRY_MEMBER:
		nr = ads_fmt_member_block(index);
		break;
	case ADSHARD_ENTRY_BAD:
		nr = ads_fmt_bad_block(&meta->geo, index);
		break;
	default:
		nr = ads_fmt_segment_block(&meta->geo, index);
	}
	__set_bit(nr, meta->dirty[0]);
	__set_bit(nr, meta->dirty[1]);
}

/*---------------------------------------------------------------------------*/

int ads_table_probe(const struct ads_geometry *geo, struct ads_mio *io,
		    struct block_device *bdev, const u8 *uuid,
		    unsigned int area, struct ads_state *st,
		    struct ads_link *at)
{
	const struct adshard_table *t = io->block[0];
	int err;

	err = ads_mio_read(io, bdev, geo->table_block[area], 1);
	if (err)
		return err;
	err = ads_fmt_table_check(t, geo, uuid, area, st, NULL);
	if (err)
		return err;
	at->seq = st->seq;
	at->term = st->term;
	at->sum = le32_to_cpu(t->last_crc);
	return 0;
}

int ads_table_put_seg(struct ads_pool *pool, u32 index,
		      const struct adshard_seg *seg, const char **why)
{
	struct ads_fmt_seg s;
	int err;

	if (index >= pool->nr_segments)
		return 0;
	err = ads_fmt_seg_decode(seg, &s, why);
	if (err == -ENOENT) {
		ads_set_forget(pool, index);
		pool->map[index] = ADS_WORD_NONE;
		return 0;
	}
	if (err) {
		DMERR("segment %u: %s", index, *why);
		return err;
	}
	err = ads_set_put(pool, index, &s);
	if (err)
		*why = "out of memory";
	return err;
}

int ads_table_put_member(struct ads_pool *pool, const struct ads_geometry *geo,
			 u32 index, const struct adshard_member *member,
			 const char **why)
{
	int err;

	if (index >= pool->nr_members)
		return 0;
	err = ads_fmt_member_check(member, geo, why);
	if (err) {
		DMERR("member %u: %s", index, *why);
		return err;
	}
	pool->members[index].disk = *member;
	return 0;
}

static int put_body(struct ads_pool *pool, const struct ads_geometry *geo,
		    u32 nr, const struct adshard_body *b, const char **why)
{
	struct ads_body_at at;
	int err = 0;
	u32 i;

	ads_fmt_body_at(geo, nr, &at);
	for (i = 0; i < at.nr && !err; i++) {
		switch (at.kind) {
		case ADSHARD_BODY_MEMBERS:
			err = ads_table_put_member(pool, geo, at.first + i,
						   &b->u.members[i], why);
			break;
		case ADSHARD_BODY_BAD:
			err = ads_bad_put(pool, geo, at.first + i,
					  &b->u.bad[i], why);
			break;
		default:
			err = ads_table_put_seg(pool, at.first + i,
						&b->u.segments[i], why);
		}
	}
	return err;
}

int ads_table_load(struct ads_pool *pool, const struct ads_geometry *geo,
		   struct ads_mio *io, struct block_device *bdev,
		   const u8 *uuid, unsigned int area,
		   const struct ads_link *at, const char **why)
{
	u32 body = ads_fmt_body_blocks(geo), want, crc = ~0U, done, nr, i;
	const struct adshard_table *t = io->block[0];
	struct ads_state st;
	struct ads_link now;
	int err;

	*why = "its table header can't be read";
	err = ads_table_probe(geo, io, bdev, uuid, area, &st, &now);
	if (err)
		return err;
	if (now.seq != at->seq || now.sum != at->sum)
		return -EIO;
	want = le32_to_cpu(t->body_crc);

	for (done = 0; done < body; done += nr) {
		nr = min(body - done, io->nr_blocks);
		*why = "a table block can't be read";
		err = ads_mio_read(io, bdev, (u64)geo->table_block[area] + 1 +
				   done, nr);
		if (err)
			return err;
		for (i = 0; i < nr; i++) {
			const struct adshard_body *b = io->block[i];

			*why = "a table block is damaged";
			if (ads_fmt_body_check(b, geo, uuid, area, done + i))
				return -EBADMSG;
			crc = ads_fmt_sum_add(crc, ads_fmt_body_sum(b));
			if (pool)
				err = put_body(pool, geo, done + i, b, why);
			if (err)
				return err;
		}
		cond_resched();
	}
	if (crc != want) {
		*why = "its table blocks are not all of one checkpoint";
		return -EBADMSG;
	}
	return 0;
}
