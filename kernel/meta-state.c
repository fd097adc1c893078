// SPDX-License-Identifier: GPL-2.0-only
/*
 * Activation: the newest state. The records of all members make one chain, which
 * leads from a table to the end of the pool's history so far.
 */
#include <linux/device-mapper.h>
#include <linux/slab.h>

#include "journal.h"
#include "meta-core.h"
#include "meta-load.h"
#include "pool.h"
#include "table.h"

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

struct ads_link ads_load_chain_end(const struct ads_load *l,
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
	err = ads_core_alloc(l->pool, &l->geo, &l->st);
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

int ads_load_state(struct ads_load *l)
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
