// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Offline metadata: how each copy of it stands beside the state.
 */
#include "offline.h"

typedef unsigned long long ull;

static const char *how(enum ads_off_block is)
{
	switch (is) {
	case ADS_OFF_UNREADABLE:
		return "can't be read";
	case ADS_OFF_BLANK:
		return "is zero";
	default:
		return "is damaged";
	}
}

static void check_supers(struct ads_off *o, struct ads_off_dev *d)
{
	/* The kernel writes those of active metadata members anew. */
	enum ads_off_heal heal = d->role == ADS_OFF_ACTIVE ?
				 ADS_OFF_ACTIVATION : ADS_OFF_REPAIR;

	for (int i = 0; i < 2; i++) {
		const struct ads_off_copy *c = &d->copy[i];

		if (c->is == ADS_OFF_GOOD)
			continue;
		ads_off_say(o, ADS_OFF_DAMAGE, heal, "super", d, d->sb.index,
			    "%s: copy %d of its superblock %s; the other one is whole",
			    d->b->path, i, c->is == ADS_OFF_ODD ?
			    "makes no sense" : how(c->is));
	}
	if (d->copy[0].is == ADS_OFF_GOOD && d->copy[1].is == ADS_OFF_GOOD &&
	    d->copy[0].s.seq != d->copy[1].s.seq)
		ads_off_say(o, ADS_OFF_NOTE, heal, "super", d, d->sb.index,
			    "%s: copy %d of its superblock is the newer one, as a power cut leaves it",
			    d->b->path, d->copy[1].s.seq > d->copy[0].s.seq);
}

/* Once the first table has been replaced, both areas have been written. */
bool ads_off_expects_both(const struct ads_off *o)
{
	return o->chosen->table[o->area].at.seq > 1;
}

const char *ads_off_table_wrong(const struct ads_off_table *t)
{
	if (t->is == ADS_OFF_ODD)
		return t->why;
	if (t->is != ADS_OFF_GOOD)
		return "its header is not whole";
	if (t->body_unreadable)
		return "blocks of it can't be read";
	if (t->body_bad)
		return "blocks of it are damaged";
	if (!t->whole)
		return "its blocks are not all of one checkpoint";
	return t->broken;
}

static void check_tables(struct ads_off *o, struct ads_off_dev *d)
{
	const struct ads_off_table *c = &o->chosen->table[o->area];

	for (unsigned int a = 0; a < 2; a++) {
		const struct ads_off_table *t = &d->table[a];
		const char *wrong = ads_off_table_wrong(t);

		/* It still has what the pool was made with, and the records. */
		if (t->is == ADS_OFF_BLANK && d->table[a ^ 1].is == ADS_OFF_GOOD &&
		    d->table[a ^ 1].at.seq == 1)
			continue;
		if (wrong && (a == o->area || ads_off_expects_both(o) ||
			      t->is == ADS_OFF_GOOD))
			ads_off_say(o, ADS_OFF_DAMAGE, a == o->area ?
				    ADS_OFF_ACTIVATION : ADS_OFF_REPAIR,
				    "table", d, d->sb.index,
				    "%s: table %u is of no use: %s",
				    d->b->path, a, wrong);
		else if (!wrong && a == o->area && t->at.seq != c->at.seq)
			ads_off_say(o, ADS_OFF_NOTE, ADS_OFF_ACTIVATION,
				    "behind", d, d->sb.index,
				    "%s: table %u is of record %llu, the newest one is of record %llu",
				    d->b->path, a, (ull)t->at.seq,
				    (ull)c->at.seq);
	}
}

/* The first record that its tables need: of the older one, if that counts. */
static uint64_t first_needed(struct ads_off *o, const struct ads_off_dev *d)
{
	uint64_t first = o->chosen->table[o->area].at.seq + 1;

	for (int a = 0; a < 2; a++) {
		const struct ads_off_table *t = &d->table[a];

		if (!ads_off_table_wrong(t) && ads_off_same(&t->end, &o->end) &&
		    t->at.seq + 1 < first)
			first = t->at.seq + 1;
	}
	return first;
}

/*
 * Its own records up to the end. A tail that is missing but for what stood there
 * before is a member that is behind; anything else that is missing is damage.
 */
static void check_ring(struct ads_off *o, struct ads_off_dev *d)
{
	uint32_t nr = o->geo.journal_blocks, bad = 0, holes = 0, tail = 0;
	uint64_t first = first_needed(o, d), last_bad = 0;

	if (first + nr <= o->end.seq)
		first = o->end.seq - nr + 1;
	for (uint64_t s = first; s <= o->end.seq; s++) {
		const struct ads_off_rec *r =
			&d->ring[ads_fmt_ring_index(&o->geo, s)];

		if (r->is == ADS_OFF_GOOD && r->at.seq == s) {
			holes += tail;
			tail = 0;
			continue;
		}
		if (r->is == ADS_OFF_GOOD || r->is == ADS_OFF_BLANK) {
			tail++;
			continue;
		}
		bad++;
		last_bad = s;
	}
	if (bad + holes)
		ads_off_say(o, ADS_OFF_DAMAGE, ADS_OFF_REPAIR, "journal", d,
			    d->sb.index,
			    "%s: %u of the last %llu records in its journal %s gone or damaged%s%llu",
			    d->b->path, bad + holes,
			    (ull)(o->end.seq - first + 1),
			    bad + holes == 1 ? "is" : "are",
			    bad ? ", the latest of them record " :
			    ", before record ",
			    bad ? (ull)last_bad : (ull)o->end.seq);
	else if (tail && d->last < o->end.seq)
		ads_off_say(o, ADS_OFF_NOTE, ADS_OFF_ACTIVATION, "behind", d,
			    d->sb.index,
			    "%s: its metadata ends at record %llu, the pool's at %llu",
			    d->b->path, (ull)d->last, (ull)o->end.seq);
}

static bool in_step(struct ads_off *o, const struct ads_off_dev *d)
{
	const struct ads_off_table *c = &o->chosen->table[o->area];
	const struct ads_off_table *t = &d->table[o->area];
	const struct ads_off_table *other = &d->table[o->area ^ 1];
	struct ads_off_link end;

	if (t->is != ADS_OFF_GOOD || t->broken ||
	    !ads_off_same(&t->at, &c->at) ||
	    (other->is == ADS_OFF_GOOD && other->at.seq > c->at.seq))
		return false;
	end = ads_off_chain_end(o, d, t->at);
	return ads_off_same(&end, &o->end) && t->whole;
}

static void say_forks(struct ads_off *o, struct ads_off_dev *d)
{
	uint64_t from = o->chosen->table[o->area].at.seq;

	for (uint32_t i = 0; i < o->geo.journal_blocks; i++) {
		const struct ads_off_rec *r = &d->ring[i];

		if (r->is == ADS_OFF_ODD && d->role == ADS_OFF_ACTIVE)
			ads_off_say(o, ADS_OFF_DAMAGE, ADS_OFF_REPAIR,
				    "journal", d, d->sb.index,
				    "%s: record %llu in its journal is whole, but makes no sense: %s",
				    d->b->path, (ull)r->at.seq, r->why);
		if (r->is != ADS_OFF_GOOD || r->used || r->at.seq <= from ||
		    r->at.seq > o->end.seq)
			continue;
		ads_off_say(o, ADS_OFF_NOTE, d->role == ADS_OFF_ACTIVE ?
			    ADS_OFF_ACTIVATION : ADS_OFF_NOTHING, "fork", d,
			    d->sb.index,
			    "%s: its record %llu (term %llu) was given up: the others went on with another one",
			    d->b->path, (ull)r->at.seq, (ull)r->at.term);
	}
}

void ads_off_check_copies(struct ads_off *o)
{
	for (size_t i = 0; i < o->nr; i++) {
		struct ads_off_dev *d = o->dev[i];

		if (!d->has_sb || d->excluded || !d->ring)
			continue;
		check_supers(o, d);
		if (d->probe)
			say_forks(o, d);
		if (d->role != ADS_OFF_ACTIVE)
			continue;
		check_tables(o, d);
		check_ring(o, d);
		d->in_step = in_step(o, d);
		o->forward |= !d->in_step;
	}
	if (o->undecided)
		ads_off_say(o, ADS_OFF_DAMAGE, ADS_OFF_OPERATOR, "disagree",
			    NULL, -1,
			    "two members disagree about record %llu, both of the same term: which one is right can't be decided from what is there",
			    (ull)o->undecided);
}
