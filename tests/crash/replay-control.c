// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Is damage noticed? Four kinds, in turn, each a write that a flush had made durable
 * and that is taken off the disk again:
 *
 *	data		one of the user's, where nobody has written since: always
 *	record		the newest record, on all members: what it said is taken
 *			back, which is noticed if it was about a segment
 *	one record	the same on one member: never, it is healed from the others
 *	flush		all that was flushed lately on one disk: mostly
 */
#include <stdio.h>
#include <stdlib.h>

#include <linux/adshard-format.h>

#include "replay.h"

#define KINDS	4

static unsigned int nr_past(const struct image *im)
{
	return im->nr_past < NR_PAST ? im->nr_past : NR_PAST;
}

/* The @i-th newest. */
static const struct past *past(const struct image *im, unsigned int i)
{
	return &im->past[(im->nr_past - 1 - i) % NR_PAST];
}

/* What is still there of it goes. */
static void take_back(struct image *im, const struct past *p)
{
	uint32_t s;

	for (s = 0; s < p->w.sectors; s++) {
		uint64_t at = p->w.sector + s;

		if (!memcmp(im->disk[p->w.disk].bytes + at * 512,
			    p->w.data + (size_t)s * 512, 512))
			image_put(im, p->w.disk, at, p->was + (size_t)s * 512,
				  p->was_code[s]);
	}
}

/* Is it where the user reads, and the newest that is durable? */
static bool matters(const struct replay *r, const struct past *p,
		    const struct layout *l)
{
	uint32_t s;

	for (s = 0; s < p->w.sectors; s++) {
		uint64_t code = p->w.code[s], v = code_sector(code);
		uint64_t seg, off;

		if (code == CODE_ZERO || code == CODE_OTHER || v >= l->sectors)
			continue;
		seg = v >> l->shift;
		off = v & ((1ULL << l->shift) - 1);
		if (l->disk[seg] == p->w.disk &&
		    l->sector[seg] + off == p->w.sector + s &&
		    r->im.floor[v / 8] == code_gen(code) &&
		    r->im.disk[p->w.disk].code[p->w.sector + s] == code &&
		    p->was_code[s] != code)
			return true;
	}
	return false;
}

static bool damage_data(struct replay *r, const struct layout *l, uint64_t *rnd)
{
	unsigned int n = nr_past(&r->im), i, from;

	from = n ? (unsigned int)rnd_below(rnd, n) : 0;
	for (i = 0; i < n; i++) {
		const struct past *p = past(&r->im, (from + i) % n);

		if (!matters(r, p, l))
			continue;
		take_back(&r->im, p);
		return true;
	}
	return false;
}

static uint64_t record_seq(const struct past *p)
{
	const struct adshard_record *rec = (const void *)p->w.data;

	if (p->w.sector < ADSHARD_JOURNAL_BLOCK * 8 || p->w.sectors != 8 ||
	    p->w.sector >= (ADSHARD_JOURNAL_BLOCK + ADSHARD_JOURNAL_BLOCKS) * 8 ||
	    rec->magic != ADSHARD_RECORD_MAGIC)
		return 0;
	return rec->state.seq;
}

static bool damage_record(struct replay *r, bool one)
{
	uint64_t newest = 0;
	unsigned int i, n = 0, have = 0;

	for (i = 0; i < nr_past(&r->im); i++)
		if (record_seq(past(&r->im, i)) > newest)
			newest = record_seq(past(&r->im, i));
	for (i = 0; i < nr_past(&r->im); i++)
		have += newest && record_seq(past(&r->im, i)) == newest;
	/* One that the others don't have yet is no loss of one member's. */
	if (one && have < 2)
		return false;
	for (i = 0; newest && i < nr_past(&r->im); i++) {
		if (record_seq(past(&r->im, i)) != newest || (one && n))
			continue;
		take_back(&r->im, past(&r->im, i));
		n++;
	}
	return n;
}

static bool damage_flush(struct replay *r, uint64_t *rnd)
{
	unsigned int disk = (unsigned int)rnd_below(rnd, r->im.nr_disks), i, n = 0;

	for (i = 0; i < nr_past(&r->im); i++) {
		if (past(&r->im, i)->w.disk != disk)
			continue;
		take_back(&r->im, past(&r->im, i));
		n++;
	}
	return n;
}

static bool damage(struct replay *r, unsigned int kind, const struct layout *l,
		   uint64_t *rnd)
{
	switch (kind) {
	case 0:
		return damage_data(r, l, rnd);
	case 1:
	case 2:
		return damage_record(r, kind == 2);
	default:
		return damage_flush(r, rnd);
	}
}

/* The state is whole before, so what is found after is the damage. */
static bool is_noticed(struct replay *r, const struct layout *before, uint64_t rnd)
{
	struct layout after;
	bool same;

	if (!check_state(r, rnd, false))
		return true;
	same = activate_all(r, &after) && same_layout(before, &after);
	sim_rollback(r->dev, r->im.nr_disks);
	return !same;
}

bool controls(struct replay *r, uint64_t *points, unsigned int nr, uint64_t seed)
{
	static const char *const name[KINDS] = {
		"data", "record", "one_record", "flush"
	};
	unsigned int made[KINDS] = { 0 }, noticed[KINDS] = { 0 }, i, kind;
	bool good = true;

	for (i = 0; i < nr; i++) {
		uint64_t rnd = seed + i;
		struct layout before;

		kind = i % KINDS;
		image_to(&r->im, points[i]);
		if (!activate_all(r, &before)) {
			printf("# point %llu is not whole without damage\n",
			       (unsigned long long)points[i]);
			return false;
		}
		sim_rollback(r->dev, r->im.nr_disks);
		if (damage(r, kind, &before, &rnd)) {
			made[kind]++;
			noticed[kind] += is_noticed(r, &before, rnd);
		}
		image_undo(&r->im, 0);
	}
	memset(&r->f, 0, sizeof(r->f));
	for (kind = 0; kind < KINDS; kind++) {
		printf("crash.control_%s %u\n", name[kind], made[kind]);
		printf("crash.control_%s_noticed %u\n", name[kind], noticed[kind]);
		good &= made[kind] && (kind == 2 || noticed[kind]);
	}
	/* Nothing hides one of these. */
	return good && noticed[0] == made[0];
}
