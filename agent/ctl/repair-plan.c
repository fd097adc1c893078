// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a repair would write. Every block is one that another member has, or that
 * follows from what the pool's state says of the member, sealed for its new
 * place; nothing is invented. Superblocks come first, for they decide who takes
 * part in the judgement, then journals and tables, and the whole is judged
 * as the kernel would before anybody is asked.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "repair.h"

typedef unsigned long long ull;

__attribute__((format(printf, 4, 5)))
static void add_step(struct repair *r, struct ads_off_dev *d, size_t before,
		     const char *from, ...)
{
	struct repair_step *s;
	va_list ap;

	if (d->b->nr_change == before)
		return;
	s = reallocarray(r->step, r->nr_step + 1, sizeof(*s));
	if (!s)
		abort();
	r->step = s;
	s += r->nr_step++;
	memset(s, 0, sizeof(*s));
	s->dev = d;
	s->member = d->sb.index;
	s->blocks = d->b->nr_change - before;
	r->nr_block += s->blocks;
	va_start(ap, from);
	vsnprintf(s->from, sizeof(s->from), from, ap);
	va_end(ap);
}

static void name_step(struct repair *r, size_t steps, const char *what)
{
	if (r->nr_step > steps)
		snprintf(r->step[r->nr_step - 1].what,
			 sizeof(r->step->what), "%s", what);
}

/* Changes a block unless it is so already. */
static void change(struct ads_off_dev *d, uint64_t block, unsigned int phase,
		   const void *data)
{
	char *now = ads_blocks_alloc(1);
	bool bad;

	ads_blocks_read(d->b, block, 1, now, &bad);
	if (bad || memcmp(now, data, ADSHARD_BLOCK_SIZE))
		ads_blocks_change(d->b, block, phase, data);
	free(now);
}

/*---------------------------------------------------------------------------*/

static void put_super(struct ads_off_dev *d, const struct ads_fmt_super *s,
		      int copy)
{
	struct adshard_super *raw = ads_blocks_alloc(1);

	ads_fmt_super_encode(s, raw);
	ads_fmt_super_seal(raw, copy);
	change(d, copy ? ADSHARD_SB_BLOCK1 : ADSHARD_SB_BLOCK0,
	       copy ? REPAIR_SUPER1 : REPAIR_SUPER0, raw);
	free(raw);
}

static void plan_super(struct repair *r, struct ads_off_dev *d)
{
	size_t before = d->b->nr_change, steps = r->nr_step;

	if (d->lost) {
		put_super(d, &d->sb, 1);
		put_super(d, &d->sb, 0);
		add_step(r, d, before,
			 "the pool's tables and the others' superblocks");
		name_step(r, steps, "both copies of the superblock");
		return;
	}
	if (!d->has_sb || d->excluded)
		return;
	for (int i = 0; i < 2; i++) {
		/* The kernel mends a difference that a power cut has left. */
		if (d->copy[i].is == ADS_OFF_GOOD)
			continue;
		put_super(d, &d->sb, i);
		add_step(r, d, before, "its copy %d", !i);
		name_step(r, steps, i ? "copy 1 of the superblock" :
					"copy 0 of the superblock");
	}
}

/*---------------------------------------------------------------------------*/

/* Is it a table that the state can be had from? */
static bool serves(const struct ads_off *o, const struct ads_off_table *t)
{
	return !ads_off_table_wrong(t) && ads_off_same(&t->end, &o->end);
}

/* Who has a good table in this area: the one that was chosen, or another. */
static struct ads_off_dev *table_source(struct ads_off *o, unsigned int area,
					const struct ads_off_dev *not)
{
	struct ads_off_dev *best = NULL;

	if (area == o->area)
		return o->chosen == not ? NULL : o->chosen;
	for (size_t i = 0; i < o->nr; i++) {
		struct ads_off_dev *d = o->dev[i];

		if (d == not || !d->ring || d->excluded ||
		    d->role != ADS_OFF_ACTIVE || !serves(o, &d->table[area]))
			continue;
		if (!best || d->table[area].at.seq > best->table[area].at.seq)
			best = d;
	}
	return best;
}

static void copy_table(struct ads_off *o, struct ads_off_dev *d,
		       struct ads_off_dev *from, unsigned int area)
{
	uint32_t body = ads_fmt_body_blocks(&o->geo);
	bool newest = area == o->area;
	uint64_t at = o->geo.table_block[area];
	struct adshard_table *head = ads_blocks_alloc(1);
	struct adshard_body *b = ads_blocks_alloc(1);

	for (uint32_t i = 0; i < body; i++) {
		ads_blocks_read(from->b, at + 1 + i, 1, b, NULL);
		ads_fmt_body_seal(b, &o->geo, d->sb.uuid, area, i);
		change(d, at + 1 + i, newest ? REPAIR_BODY : REPAIR_OLDER_BODY,
		       b);
	}
	memcpy(head, from->table[area].raw, sizeof(*head));
	ads_fmt_table_seal(head, &o->geo, d->sb.uuid, area);
	change(d, at, newest ? REPAIR_HEADER : REPAIR_OLDER_HEADER, head);
	free(head);
	free(b);
}

static void plan_tables(struct repair *r, struct ads_off_dev *d,
			struct ads_off_link *oldest)
{
	struct ads_off *o = r->p->off;

	*oldest = o->chosen->table[o->area].at;
	for (unsigned int a = 0; a < 2; a++) {
		size_t before = d->b->nr_change, steps = r->nr_step;
		const struct ads_off_table *t = &d->table[a];
		struct ads_off_dev *from = NULL;
		char what[64];

		if (ads_off_table_wrong(t) &&
		    (a == o->area || ads_off_expects_both(o) ||
		     t->is == ADS_OFF_GOOD))
			from = table_source(o, a, d);
		if (from) {
			copy_table(o, d, from, a);
			add_step(r, d, before, "%s", from->b->path);
			snprintf(what, sizeof(what),
				 "table %u, of record %llu", a,
				 (ull)from->table[a].at.seq);
			name_step(r, steps, what);
			t = &from->table[a];
		}
		if (serves(o, t) && t->at.seq < oldest->seq)
			*oldest = t->at;
	}
}

/* Its records from @at to the end, from whoever has them. */
static void plan_ring(struct repair *r, struct ads_off_dev *d,
		      struct ads_off_link at)
{
	size_t before = d->b->nr_change, steps = r->nr_step;
	struct adshard_record *raw = ads_blocks_alloc(1);
	struct ads_off *o = r->p->off;
	struct ads_off_dev *from = NULL;
	const struct ads_off_rec *rec;

	while ((rec = ads_off_next(o, NULL, &at, &from))) {
		uint32_t i = ads_fmt_ring_index(&o->geo, rec->at.seq);

		if (d->ring[i].is != ADS_OFF_GOOD ||
		    !ads_off_same(&d->ring[i].at, &rec->at)) {
			memcpy(raw, ads_off_record(from, i), sizeof(*raw));
			ads_fmt_record_seal(raw, &o->geo, d->sb.uuid);
			change(d, (uint64_t)o->geo.journal_block + i,
			       rec->at.seq == o->end.seq ? REPAIR_LAST :
			       REPAIR_RING, raw);
		}
		at = rec->at;
	}
	free(raw);
	add_step(r, d, before, "the other metadata members");
	name_step(r, steps, "records of the journal");
}

static bool is_damaged(const struct ads_off *o, const struct ads_off_dev *d)
{
	for (size_t i = 0; i < o->nr_finding; i++)
		if (o->finding[i].dev == d &&
		    o->finding[i].level == ADS_OFF_DAMAGE &&
		    (!strcmp(o->finding[i].kind, "table") ||
		     !strcmp(o->finding[i].kind, "journal")))
			return true;
	return false;
}

/*---------------------------------------------------------------------------*/

static int refuse(struct repair *r, const char *why)
{
	for (size_t i = 0; i < r->p->off->nr; i++)
		ads_blocks_revert(r->p->off->dev[i]->b);
	return ctl_fail(r->c, CTL_REFUSED, "nothing can be repaired: %s", why);
}

/* What repairing can't decide or make good. */
static const char *obstacle(const struct ads_off *o, bool last)
{
	for (size_t i = 0; i < o->nr_finding; i++) {
		const struct ads_off_finding *f = &o->finding[i];

		if ((f->level == ADS_OFF_FATAL &&
		     (last || f->heal != ADS_OFF_REPAIR)) ||
		    !strcmp(f->kind, "disagree"))
			return f->text;
	}
	return NULL;
}

int repair_plan(struct repair *r)
{
	struct ads_off *o = r->p->off;
	struct ads_off_link end, oldest;
	const char *why;

	why = obstacle(o, false);
	if (why)
		return refuse(r, why);
	for (size_t i = 0; i < o->nr; i++)
		plan_super(r, o->dev[i]);
	gather_judge(o);
	why = obstacle(o, true);
	if (why)
		return refuse(r, why);
	end = o->end;
	for (size_t i = 0; i < o->nr; i++) {
		struct ads_off_dev *d = o->dev[i];

		if (!d->has_sb || d->excluded || d->role != ADS_OFF_ACTIVE ||
		    !is_damaged(o, d))
			continue;
		plan_tables(r, d, &oldest);
		plan_ring(r, d, oldest);
	}
	gather_judge(o);
	why = obstacle(o, true);
	if (!why && !ads_off_same(&o->end, &end))
		why = "the result would be another state of the pool";
	return why ? refuse(r, why) : CTL_OK;
}
