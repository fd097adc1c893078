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

/*---------------------------------------------------------------------------*/

/*
 * The record after @at, on any member or, with @only, on that one. Records are
 * the same on all members, so a bad block on one doesn't matter. If there are
 * two that both follow @at, one was given up by an activation that did not see
 * it; the other one has the higher term.
 */
static const struct ads_ring_rec *next_record(const struct ads_load *l,
					      const struct ads_seen *only,
					      const struct ads_link *at,
					      const struct ads_seen **where)
{
	const struct ads_ring_rec *best = NULL, *rec;
	unsigned int i;

	for (i = 0; i < l->nr; i++) {
		const struct ads_seen *seen = &l->seen[i];

		if (!seen->ring || (only && seen != only))
			continue;
		rec = ads_journal_next(&l->geo, seen->ring, at);
		if (!rec || (best && rec->at.term <= best->at.term))
			continue;
		best = rec;
		if (where)
			*where = seen;
	}
	return best;
}

/* The end of the chain from @at on @only. */
static struct ads_link chain_end(const struct ads_load *l,
				 const struct ads_seen *only,
				 struct ads_link at)
{
	const struct ads_ring_rec *rec;

	while ((rec = next_record(l, only, &at, NULL)))
		at = rec->at;
	return at;
}

/* Blocks of a ring that are tried twice and fail, before we give up on it. */
#define RESCANS_MAX	4

/*
 * A ring is read in one go, and what comes after a block that took too long to
 * fail was not tried. Try the places where record @seq would be.
 */
static void look_again(struct ads_load *l, u64 seq)
{
	u32 index = ads_fmt_ring_index(&l->geo, seq);
	unsigned int i;

	for (i = 0; i < l->nr; i++) {
		struct ads_seen *seen = &l->seen[i];

		if (!seen->ring || !seen->ring[index].unread ||
		    seen->rescans >= RESCANS_MAX)
			continue;
		ads_journal_rescan(&l->geo, l->io, seen->bdev, seen->sb.uuid,
				   seen->ring, index);
		if (seen->ring[index].unread)
			seen->rescans++;
		l->top = max(l->top, seen->ring[index].at.seq);
	}
}

/*
 * Records of one term are one writer's, who never uses a sequence twice. Another
 * one after @at than @rec, of the same term, means that two hosts have activated
 * the pool at once, or that somebody made it up; which of them counts is not for
 * us to say.
 */
static void check_fork(struct ads_load *l, const struct ads_link *at,
		       const struct ads_ring_rec *rec)
{
	const struct ads_ring_rec *other;
	unsigned int i;

	for (i = 0; i < l->nr && !l->forked; i++) {
		const struct ads_seen *seen = &l->seen[i];

		other = seen->ring ? ads_journal_next(&l->geo, seen->ring, at) :
				     NULL;
		if (!other || other->at.term != rec->at.term ||
		    other->at.sum == rec->at.sum)
			continue;
		l->forked = true;
		DMERR("%pg: record %llu is another one than on other members:",
		      seen->bdev, rec->at.seq);
		DMERR("was the pool active on two hosts at once?");
	}
}

/* The end of the chain from @at, on all members together. */
static struct ads_link find_end(struct ads_load *l, struct ads_link at)
{
	const struct ads_ring_rec *rec;

	for (;;) {
		look_again(l, at.seq + 1);
		rec = next_record(l, NULL, &at, NULL);
		if (!rec)
			return at;
		check_fork(l, &at, rec);
		at = rec->at;
	}
}

/* Read record @at from whoever has it, into l->io->block[0]. */
static int read_record(struct ads_load *l, const struct ads_link *at,
		       struct ads_state *st)
{
	unsigned int i;

	for (i = 0; i < l->nr; i++) {
		const struct ads_seen *seen = &l->seen[i];

		if (seen->ring &&
		    !ads_journal_read(&l->geo, l->io, seen->bdev, seen->sb.uuid,
				      at, st))
			return 0;
	}
	return -EIO;
}

/* Does it say the same as what was chosen? */
static bool is_chosen(const struct ads_load *l, const struct ads_link *at)
{
	return at->seq == l->end.seq && at->sum == l->end.sum;
}

/* One pair of member and area: table and records into the core. */
static int load_pair(struct ads_load *l, struct ads_seen *seen,
		     unsigned int area)
{
	struct ads_try *t = &seen->try[area];
	const struct ads_ring_rec *rec;
	struct ads_link at = t->table;
	const char *why = "a record can't be read";
	struct ads_state st;
	int err;

	/* The last state tells the sizes, so it comes before the table. */
	if (t->end.seq == at.seq)
		err = ads_table_probe(&l->geo, l->io, seen->bdev, seen->sb.uuid,
				      area, &l->st, &at);
	else
		err = read_record(l, &t->end, &l->st);
	if (err)
		goto fail;
	err = ads_core_alloc(l->pool, &l->st);
	if (err)
		return err;		/* no memory: the next one won't help */
	err = ads_table_load(l->pool, &l->geo, l->io, seen->bdev, seen->sb.uuid,
			     area, &t->table, &why);
	if (err)
		goto fail;
	why = "a record can't be read";
	while ((rec = next_record(l, NULL, &at, NULL))) {
		err = read_record(l, &rec->at, &st);
		if (!err)
			err = ads_journal_apply(l->pool, &l->geo,
						l->io->block[0], &why);
		if (err)
			goto fail;
		at = rec->at;
	}
	l->end = t->end;
	l->chosen = seen;
	l->area = area;
	return 0;
fail:
	ads_core_free(l->pool);
	DMWARN("%pg: table %u after record %llu not used: %s", seen->bdev, area,
	       t->table.seq, why);
	return err;
}

/* How many members have the same table in the same area. */
static unsigned int nr_alike(const struct ads_load *l, const struct ads_try *t,
			     unsigned int area)
{
	unsigned int i, n = 0;

	for (i = 0; i < l->nr; i++) {
		const struct ads_try *other = &l->seen[i].try[area];

		n += other->valid && other->table.seq == t->table.seq &&
		     other->table.sum == t->table.sum;
	}
	return n;
}

static bool is_better(const struct ads_load *l, const struct ads_try *a,
		      unsigned int a_area, const struct ads_try *b,
		      unsigned int b_area)
{
	if (a->end.term != b->end.term)
		return a->end.term > b->end.term;
	if (a->table.seq != b->table.seq)
		return a->table.seq > b->table.seq;
	return nr_alike(l, a, a_area) >= nr_alike(l, b, b_area);
}

/*
 * The best pair that was not tried yet and leads to the highest record: of the
 * latest term, with the newest table, in the area where most have it. The last
 * is not about the state, it spares the others being written anew.
 */
static struct ads_try *best_try(struct ads_load *l, struct ads_seen **seen,
				unsigned int *area)
{
	struct ads_try *best = NULL, *t;
	unsigned int i, a;

	for (i = 0; i < l->nr; i++) {
		for (a = 0; a < 2; a++) {
			t = &l->seen[i].try[a];
			if (!t->valid || t->tried || t->end.seq != l->top)
				continue;
			if (best && is_better(l, best, *area, t, a))
				continue;
			best = t;
			*seen = &l->seen[i];
			*area = a;
		}
	}
	return best;
}

/* Step 4: the state. */
static int load_state(struct ads_load *l)
{
	struct ads_seen *seen;
	unsigned int i, area;
	struct ads_try *t;
	int err = -ENODATA;

	for (i = 0; i < l->nr; i++) {
		for (area = 0; area < 2; area++) {
			t = &l->seen[i].try[area];
			if (t->valid)
				t->end = find_end(l, t->table);
		}
	}
	if (l->forked)
		return -EUCLEAN;
	while ((t = best_try(l, &seen, &area))) {
		t->tried = true;
		err = load_pair(l, seen, area);
		if (!err)
			return 0;
		t->broken = err != -ENOMEM;
		if (err == -ENOMEM)
			break;
	}
	if (!l->top)
		DMERR("pool %pUb: no metadata on any of the %u members given",
		      &l->pool->uuid, l->nr);
	else
		DMERR("record %llu of pool %pUb can be read on no member",
		      l->top, &l->pool->uuid);
	return err;
}

/*---------------------------------------------------------------------------*/

/* Has it got the last record or a table that contains it, by itself? */
static bool has_last(const struct ads_load *l, const struct ads_seen *seen)
{
	unsigned int area;
	u32 i;

	for (area = 0; area < 2; area++)
		if (seen->try[area].valid &&
		    is_chosen(l, &seen->try[area].table))
			return true;
	if (!seen->ring)
		return false;
	i = ads_fmt_ring_index(&l->geo, l->end.seq);
	return seen->ring[i].usable && is_chosen(l, &seen->ring[i].at);
}

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
	end = chain_end(l, seen, t->table);
	if (!is_chosen(l, &end))
		return false;
	if (seen == l->chosen ||
	    !ads_table_load(NULL, &l->geo, l->io, seen->bdev, seen->sb.uuid,
			    l->area, &t->table, &why))
		return true;
	DMWARN("%pg: table %u after record %llu: %s", seen->bdev, l->area,
	       t->table.seq, why);
	return false;
}

static struct ads_seen *find_seen(struct ads_load *l, u16 index)
{
	unsigned int i;

	for (i = 0; i < l->nr; i++)
		if (l->seen[i].sb.index == index)
			return &l->seen[i];
	return NULL;
}

/*
 * An active member has every record but those of the commit that was cut off.
 * One that is further behind is an old copy, put in the place of the disk that
 * took part: its data is as old. One without any table or any record has lost its
 * metadata, which says nothing of its data.
 */
static int check_lag(const struct ads_load *l, const struct ads_seen *seen)
{
	u64 table = 0, record = 0, last;
	u32 i;

	for (i = 0; i < 2; i++)
		if (seen->try[i].valid)
			table = max(table, seen->try[i].table.seq);
	for (i = 0; seen->ring && i < l->geo.journal_blocks; i++)
		record = max(record, seen->ring[i].at.seq);
	last = max(table, record);
	i = ads_fmt_ring_index(&l->geo, last + 1);
	/* What could not be read may be what it seems to lack. */
	if (seen->ring && seen->ring[i].unread)
		return 0;
	if (!table || !record || last + ADS_META_SPARE >= l->end.seq)
		return 0;
	DMERR("%pg is stale: the metadata of member %u ends at record %llu, the pool's at %llu",
	      seen->bdev, seen->sb.index, last, l->end.seq);
	return -ESTALE;
}

static const struct ads_seen *newest_super(const struct ads_load *l)
{
	const struct ads_seen *newest = &l->seen[0];
	unsigned int i;

	for (i = 1; i < l->nr; i++)
		if (l->seen[i].sb.seq > newest->sb.seq)
			newest = &l->seen[i];
	return newest;
}

/* Does the superblock of @newest call @seen a metadata member? */
static bool is_named(const struct ads_seen *newest, const struct ads_seen *seen)
{
	unsigned int k;

	for (k = 0; k < newest->sb.nr_meta; k++)
		if (!memcmp(newest->sb.meta_uuid[k], seen->sb.uuid,
			    ADSHARD_UUID_SIZE))
			return true;
	return false;
}

/*
 * The end that was found is the end only if somebody can say that no record
 * follows it. If the place where it would be can't be read on any active member,
 * the last change may be hidden there; what it freed may hold something else by
 * now, so going on without it is not an option. Who was dropped by that very
 * record is no witness: it never got it. (With one metadata member, and a disk
 * that can't read what a power cut has torn, this needs help: see the
 * administrator's guide.)
 */
static int check_end(struct ads_load *l)
{
	u32 next = ads_fmt_ring_index(&l->geo, l->end.seq + 1);
	const struct ads_seen *newest = newest_super(l), *blind = NULL, *seen;
	unsigned int i;

	for (i = 0; i < ADSHARD_META_MEMBERS; i++) {
		if (!(l->st.meta_active & 1U << i))
			continue;
		seen = find_seen(l, l->st.meta_member[i]);
		if (!is_named(newest, seen))
			continue;
		if (seen->ring && !seen->ring[next].unread)
			return 0;
		blind = seen;
	}
	DMERR("%pg: block %u can't be read, nor on any other metadata member:",
	      blind->bdev, l->geo.journal_block + next);
	DMERR("there may be a record after %llu", l->end.seq);
	return -EIO;
}

/*
 * Step 5: who must be here, is here. The last check is the veto: the newest
 * superblock names the metadata members of a time after which only those can
 * know the end. If none of them has what was chosen, it comes from members that
 * were dropped, and what the others have written since can't be read.
 */
static int check_set(struct ads_load *l)
{
	const struct ads_seen *newest = newest_super(l), *seen;
	bool vouched = false;
	unsigned int i, k;
	int err;

	for (i = 0; i < ADSHARD_META_MEMBERS; i++) {
		u16 index = l->st.meta_member[i];

		if (!(l->st.meta_active & 1U << i))
			continue;
		if (!l->pool->members[index].bdev) {
			ads_load_missing(l, index, "it holds metadata");
			return -ENODEV;
		}
		seen = find_seen(l, index);
		for (k = 0; k < 2; k++) {
			if (!seen->try[k].valid ||
			    seen->try[k].history == l->st.history)
				continue;
			DMERR("%pg: member %u went on by itself in another history of the pool",
			      seen->bdev, index);
			return -EINVAL;
		}
		err = check_lag(l, seen);
		if (err)
			return err;
		if (!has_last(l, seen))
			continue;
		vouched |= is_named(newest, seen);
	}
	if (vouched)
		return 0;
	DMERR("record %llu is the highest found, but none of the metadata members",
	      l->end.seq);
	DMERR("that the superblock of %pg names has it: theirs can't be read",
	      newest->bdev);
	return -EUCLEAN;
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
		seen = find_seen(l, meta->slot[i].member);
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

	mutex_lock(&meta->lock);
	err = roll_forward(l);
	if (!err)
		err = ads_meta_make_room(meta);
	if (!err)
		err = ads_meta_note(meta, 1);
	ads_meta_unlock(meta);
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

	err = ads_load_devices(l);
	if (!err)
		err = load_state(l);
	if (!err)
		err = ads_load_members(l);
	if (!err)
		err = check_set(l);
	if (!err)
		err = check_end(l);
	if (!err)
		err = ads_load_segments(l);
	if (!err)
		err = check_volume(l);
	if (!err)
		err = take_over(l);
	if (err)
		return err;

	pool->segment_shift = l->geo.segment_shift;
	pool->chunk_shift = l->geo.chunk_shift;
	pool->logical_block_size = l->geo.logical_block_size;
	pool->volume_sectors = l->st.volume_sectors;
	memcpy(pool->name, l->geo.name, sizeof(pool->name));
	pool->meta = l->meta;
	l->meta = NULL;
	ads_meta_repair(pool);
	return 0;
}

int ads_meta_load(struct ads_pool *pool, const struct ads_format *format)
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
	l->io = ads_mio_alloc(ADS_MIO_READ);
	l->seen = kvcalloc(l->nr, sizeof(*l->seen), GFP_KERNEL);
	if (!l->io || !l->seen)
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
		ads_mio_free(l->io);
	}
	kvfree(l);
	memalloc_noio_restore(noio);
	return err;
}
