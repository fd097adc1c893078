// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Offline metadata: from tables and records to the state, as
 * kernel/meta-load.c does it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "offline.h"

#define BATCH	256

/*
 * The record after @at. If there are two that follow it, one was given up by
 * an activation that did not see it; the other one has the higher term. Two of
 * one term can't be told from each other.
 */
const struct ads_off_rec *ads_off_next(struct ads_off *o,
				       const struct ads_off_dev *only,
				       const struct ads_off_link *at,
				       struct ads_off_dev **where)
{
	uint32_t index = ads_fmt_ring_index(&o->geo, at->seq + 1);
	const struct ads_off_rec *best = NULL;

	for (size_t i = 0; i < o->nr; i++) {
		struct ads_off_dev *d = o->dev[i];
		const struct ads_off_rec *r;

		if (!d->ring || !d->probe || d->excluded ||
		    (only && d != only))
			continue;
		r = &d->ring[index];
		if (r->is != ADS_OFF_GOOD || r->at.seq != at->seq + 1 ||
		    r->prev != at->sum)
			continue;
		if (best && r->at.term == best->at.term &&
		    r->at.sum != best->at.sum)
			o->undecided = r->at.seq;
		if (best && r->at.term <= best->at.term)
			continue;
		best = r;
		if (where)
			*where = d;
	}
	return best;
}

struct ads_off_link ads_off_chain_end(struct ads_off *o,
				      const struct ads_off_dev *only,
				      struct ads_off_link at)
{
	const struct ads_off_rec *r;

	while ((r = ads_off_next(o, only, &at, NULL)))
		at = r->at;
	return at;
}

/*---------------------------------------------------------------------------*/

static const char *put_seg(struct ads_off *o, uint32_t index,
			   const struct adshard_seg *seg)
{
	const char *why = NULL;
	struct ads_fmt_seg s;
	int err;

	if (index >= o->st.nr_segments)
		return NULL;
	err = ads_fmt_seg_decode(seg, &s, &why);
	if (err && err != -ENOENT)
		return why;
	/* (without legs, if it is unused) */
	o->seg[index] = s;
	return NULL;
}

static const char *put_member(struct ads_off *o, uint32_t index,
			      const struct adshard_member *m)
{
	const char *why = NULL;

	if (index >= o->st.nr_members)
		return NULL;
	if (ads_fmt_member_check(m, &o->geo, &why))
		return why;
	o->member[index] = *m;
	return NULL;
}

static const char *put_bad(struct ads_off *o, uint32_t index,
			   const struct adshard_bad *d)
{
	const char *why = NULL;
	struct ads_range r;

	if (ads_fmt_range_decode(d, &o->geo, &r, &why))
		return why;
	/* The volume has become shorter since. */
	if (r.sectors && r.seg >= o->st.nr_segments)
		r = (struct ads_range){ .sectors = 0 };
	o->bad[index] = r;
	return NULL;
}

static const char *put_body(struct ads_off *o, uint32_t nr,
			    const struct adshard_body *b)
{
	struct ads_body_at at;
	const char *why = NULL;

	ads_fmt_body_at(&o->geo, nr, &at);
	for (uint32_t i = 0; i < at.nr && !why; i++)
		why = at.kind == ADSHARD_BODY_MEMBERS ?
		      put_member(o, at.first + i, &b->u.members[i]) :
		      at.kind == ADSHARD_BODY_BAD ?
		      put_bad(o, at.first + i, &b->u.bad[i]) :
		      put_seg(o, at.first + i, &b->u.segments[i]);
	return why;
}

static const char *load_table(struct ads_off *o, struct ads_off_dev *d,
			      unsigned int area)
{
	uint32_t body = ads_fmt_body_blocks(&o->geo), nr;
	const struct ads_off_table *t = &d->table[area];
	const char *why = NULL;
	char *buf;

	if (t->body_unreadable)
		return "a table block can't be read";
	if (t->body_bad)
		return "a table block is damaged";
	if (!t->whole)
		return "its table blocks are not all of one checkpoint";
	buf = ads_blocks_alloc(BATCH);
	for (uint32_t done = 0; done < body && !why; done += nr) {
		nr = body - done < BATCH ? body - done : BATCH;
		ads_blocks_read(d->b, (uint64_t)o->geo.table_block[area] + 1 +
				done, nr, buf, NULL);
		for (uint32_t i = 0; i < nr && !why; i++)
			why = put_body(o, done + i, (const void *)
				(buf + (size_t)i * ADSHARD_BLOCK_SIZE));
	}
	free(buf);
	return why;
}

static const char *apply(struct ads_off *o, const struct adshard_record *raw)
{
	struct ads_entry e;
	const char *why = NULL;
	uint32_t pos = 0;

	while (!why && ads_fmt_record_next(raw, &pos, &e))
		why = e.type == ADSHARD_ENTRY_SEG ?
		      put_seg(o, e.index, e.seg) :
		      e.type == ADSHARD_ENTRY_BAD ?
		      put_bad(o, e.index, e.bad) :
		      put_member(o, e.index, e.member);
	return why;
}

/* The state at the end of the records, which tells how many of all there are. */
static void end_state(struct ads_off *o, const struct ads_off_table *t)
{
	uint32_t index = ads_fmt_ring_index(&o->geo, t->end.seq);

	o->st = t->st;
	for (size_t i = 0; t->end.seq != t->at.seq && i < o->nr; i++) {
		const struct ads_off_dev *d = o->dev[i];

		if (!d->ring || !d->probe || d->excluded ||
		    d->ring[index].is != ADS_OFF_GOOD ||
		    !ads_off_same(&d->ring[index].at, &t->end))
			continue;
		ads_fmt_state_decode(&ads_off_record(d, index)->state, &o->geo,
				     &o->st, NULL);
		return;
	}
}

static const char *load_pair(struct ads_off *o, struct ads_off_dev *d,
			     unsigned int area)
{
	struct ads_off_table *t = &d->table[area];
	struct ads_off_link at = t->at;
	const struct ads_off_rec *r;
	struct ads_off_dev *where = NULL;
	const char *why;

	end_state(o, t);
	free(o->seg);
	free(o->member);
	free(o->bad);
	o->seg = calloc(o->st.nr_segments, sizeof(*o->seg));
	o->member = calloc(o->st.nr_members, sizeof(*o->member));
	o->bad = calloc(ads_fmt_bad_places(&o->geo) + 1, sizeof(*o->bad));
	if (!o->seg || !o->member || !o->bad)
		abort();
	why = load_table(o, d, area);
	while (!why && (r = ads_off_next(o, NULL, &at, &where))) {
		why = apply(o, ads_off_record(where, ads_fmt_ring_index(&o->geo,
							       r->at.seq)));
		at = r->at;
	}
	if (why)
		return why;
	o->end = t->end;
	o->chosen = d;
	o->area = area;
	return NULL;
}

/*---------------------------------------------------------------------------*/

static unsigned int nr_alike(const struct ads_off *o,
			     const struct ads_off_table *t, unsigned int area)
{
	unsigned int n = 0;

	for (size_t i = 0; i < o->nr; i++) {
		const struct ads_off_table *other = &o->dev[i]->table[area];

		n += !o->dev[i]->excluded && other->is == ADS_OFF_GOOD &&
		     ads_off_same(&other->at, &t->at);
	}
	return n;
}

static bool is_better(const struct ads_off *o, const struct ads_off_table *a,
		      unsigned int a_area, const struct ads_off_table *b,
		      unsigned int b_area)
{
	if (a->end.term != b->end.term)
		return a->end.term > b->end.term;
	if (a->at.seq != b->at.seq)
		return a->at.seq > b->at.seq;
	return nr_alike(o, a, a_area) >= nr_alike(o, b, b_area);
}

static struct ads_off_table *best_try(struct ads_off *o,
				      struct ads_off_dev **dev,
				      unsigned int *area)
{
	struct ads_off_table *best = NULL;

	for (size_t i = 0; i < o->nr; i++) {
		for (unsigned int a = 0; a < 2; a++) {
			struct ads_off_table *t = &o->dev[i]->table[a];

			if (o->dev[i]->excluded || t->is != ADS_OFF_GOOD ||
			    t->tried || t->end.seq != o->top)
				continue;
			if (best && is_better(o, best, *area, t, a))
				continue;
			best = t;
			*dev = o->dev[i];
			*area = a;
		}
	}
	return best;
}

/* Marks what the chosen state was made of. */
static void mark_used(struct ads_off *o)
{
	struct ads_off_link at = o->chosen->table[o->area].at;
	const struct ads_off_rec *r;

	while ((r = ads_off_next(o, NULL, &at, NULL))) {
		for (size_t i = 0; i < o->nr; i++) {
			struct ads_off_rec *same;

			if (!o->dev[i]->ring)
				continue;
			same = &o->dev[i]->ring[ads_fmt_ring_index(&o->geo,
								r->at.seq)];
			same->used |= same->is == ADS_OFF_GOOD &&
				      ads_off_same(&same->at, &r->at);
		}
		at = r->at;
	}
}

/*
 * Two that lead to different ends of the same sequence and term, or two whole
 * tables after the same record with different contents: nobody can say which.
 */
static void find_doubt(struct ads_off *o)
{
	const struct ads_off_table *c = &o->chosen->table[o->area];

	for (size_t i = 0; i < o->nr; i++) {
		for (unsigned int a = 0; a < 2; a++) {
			const struct ads_off_table *t = &o->dev[i]->table[a];

			if (o->dev[i]->excluded || t->is != ADS_OFF_GOOD ||
			    !t->whole)
				continue;
			if (t->end.seq == o->end.seq &&
			    t->end.term == o->end.term &&
			    t->end.sum != o->end.sum)
				o->undecided = t->end.seq;
			if (ads_off_same(&t->at, &c->at) &&
			    t->raw->body_crc != c->raw->body_crc)
				o->undecided = t->at.seq;
		}
	}
}

int ads_off_load_state(struct ads_off *o)
{
	struct ads_off_dev *d = NULL;
	struct ads_off_table *t;
	unsigned int area = 0;

	for (size_t i = 0; i < o->nr; i++)
		for (area = 0; area < 2; area++) {
			t = &o->dev[i]->table[area];
			if (t->is == ADS_OFF_GOOD)
				t->end = ads_off_chain_end(o, NULL, t->at);
		}
	o->undecided = 0;
	while ((t = best_try(o, &d, &area))) {
		t->tried = true;
		t->broken = load_pair(o, d, area);
		if (t->broken)
			continue;
		o->undecided = 0;
		mark_used(o);
		find_doubt(o);
		return 0;
	}
	free(o->seg);
	free(o->member);
	free(o->bad);
	o->seg = NULL;
	o->member = NULL;
	o->bad = NULL;
	return -ENODATA;
}
