// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Offline metadata: the map. Every segment needs a leg in sync on a member that is
 * there; what a member that is missing holds besides is not looked at, nor what is
 * lost with one that failed, as the kernel does not.
 */
#include <stdlib.h>

#include "offline.h"

typedef unsigned long long ull;

/* By member. */
struct tally {
	bool found;		/* and has not failed */
	uint32_t legs;
	uint32_t needed;	/* segments that are nowhere else */
	uint32_t lost;		/* likewise, but it has failed */
};

struct placed {
	uint16_t member;
	uint32_t chunk, seg;
};

static bool has_failed(const struct ads_off *o, uint16_t member)
{
	return member < o->st.nr_members &&
	       o->member[member].state == ADSHARD_MEMBER_FAILED;
}

static int by_place(const void *a, const void *b)
{
	const struct placed *x = a, *y = b;

	if (x->member != y->member)
		return x->member < y->member ? -1 : 1;
	if (x->chunk != y->chunk)
		return x->chunk < y->chunk ? -1 : 1;
	return x->seg < y->seg ? -1 : x->seg > y->seg;
}

static void bad_map(struct ads_off *o, uint32_t seg, uint16_t member,
		    uint32_t chunk, const char *what)
{
	ads_off_say(o, ADS_OFF_FATAL, ADS_OFF_NOTHING, "map", NULL, -1,
		    "segment %u %s (member %u, chunk %u)", seg, what, member,
		    chunk);
}

/* *@here: it is in sync and can be read. False: it is on no member at all. */
static bool check_leg(struct ads_off *o, uint32_t seg,
		      const struct ads_fmt_leg *leg, const struct tally *t,
		      bool *here)
{
	unsigned int shift = o->geo.segment_shift - o->geo.chunk_shift;
	const struct adshard_member *m;

	if (leg->member >= o->st.nr_members ||
	    ads_fmt_member_free(&o->member[leg->member])) {
		bad_map(o, seg, leg->member, leg->chunk,
			"is on a member that does not exist");
		return false;
	}
	m = &o->member[leg->member];
	if (m->state == ADSHARD_MEMBER_DRAINED) {
		bad_map(o, seg, leg->member, leg->chunk,
			"is on a member that is drained");
		return true;
	}
	if (!t[leg->member].found)
		return true;
	if (leg->chunk & ((1U << shift) - 1) ||
		 leg->chunk >> shift >= ads_fmt_slots(&o->geo,
						le32toh(m->data_chunks)))
		bad_map(o, seg, leg->member, leg->chunk, "is not in a slot");
	*here |= leg->state == ADSHARD_LEG_SYNC;
	return true;
}

/*
 * None of a segment's legs can be read. It is lost if all in sync were on members
 * that have failed, and not while one of these is only missing.
 */
static void nowhere(const struct ads_off *o, const struct ads_fmt_seg *s,
		    struct tally *t)
{
	bool lost = true;

	for (unsigned int i = 0; i < s->nr_legs; i++)
		if (s->leg[i].state == ADSHARD_LEG_SYNC)
			lost &= has_failed(o, s->leg[i].member);
	for (unsigned int i = 0; i < s->nr_legs; i++) {
		uint16_t m = s->leg[i].member;

		if (s->leg[i].state != ADSHARD_LEG_SYNC ||
		    m >= o->st.nr_members)
			continue;
		if (lost)
			t[m].lost++;
		else if (!has_failed(o, m))
			t[m].needed++;
	}
}

static void check_segment(struct ads_off *o, uint32_t seg, struct tally *t)
{
	const struct ads_fmt_seg *s = &o->seg[seg];
	unsigned int good = 0;

	if (!s->nr_legs) {
		ads_off_say(o, ADS_OFF_FATAL, ADS_OFF_NOTHING, "map", NULL, -1,
			    "segment %u has no place", seg);
		return;
	}
	for (unsigned int i = 0; i < s->nr_legs; i++) {
		bool here = false;

		if (!check_leg(o, seg, &s->leg[i], t, &here))
			continue;
		t[s->leg[i].member].legs++;
		good += here;
		o->nr_stale += s->leg[i].state == ADSHARD_LEG_STALE;
	}
	o->nr_short += good < s->wanted;
	o->nr_intent += s->intent;
	if (!good)
		nowhere(o, s, t);
}

static void find_twice(struct ads_off *o, const struct tally *t)
{
	size_t nr = (size_t)o->st.nr_segments * ADSHARD_MAX_LEGS, n = 0;
	struct placed *p = malloc(nr * sizeof(*p));

	if (!p)
		abort();
	for (uint32_t i = 0; i < o->st.nr_segments; i++) {
		for (unsigned int k = 0; k < o->seg[i].nr_legs; k++) {
			const struct ads_fmt_leg *leg = &o->seg[i].leg[k];

			if (leg->member < o->st.nr_members &&
			    t[leg->member].found)
				p[n++] = (struct placed){ leg->member,
							  leg->chunk, i };
		}
	}
	if (n)
		qsort(p, n, sizeof(*p), by_place);
	for (size_t i = 1; i < n; i++)
		if (p[i].member == p[i - 1].member &&
		    p[i].chunk == p[i - 1].chunk)
			bad_map(o, p[i].seg, p[i].member, p[i].chunk,
				"is where another one is");
	free(p);
}

static struct ads_off_dev *lost_one(const struct ads_off *o, uint32_t member)
{
	for (size_t i = 0; i < o->nr; i++)
		if (o->dev[i]->lost && o->dev[i]->sb.index == member)
			return o->dev[i];
	return NULL;
}

static void say_missing(struct ads_off *o, uint32_t i, const struct tally *t)
{
	bool meta = ads_off_is_active(o, i);
	struct ads_off_dev *d = lost_one(o, i);

	/* By an activation that went on without it. */
	if (has_failed(o, i)) {
		if (t->lost)
			ads_off_say(o, ADS_OFF_NOTE, ADS_OFF_NOTHING, "lost",
				    NULL, i,
				    "%u segment%s on member %u, which has failed",
				    t->lost, t->lost == 1 ?
				    " is lost: it was" : "s are lost: they were",
				    i);
		return;
	}
	if (d && (t->needed || meta))
		ads_off_say(o, ADS_OFF_FATAL, ADS_OFF_REPAIR, "missing", d, i,
			    "%s is needed as member %u, but without a superblock it is not recognised",
			    d->b->path, i);
	else if (t->needed || meta)
		ads_off_say(o, ADS_OFF_FATAL, ADS_OFF_OPERATOR, "missing",
			    NULL, i,
			    "member %u (%llu sectors) is missing, and holds %s",
			    i, (ull)le64toh(o->member[i].sectors),
			    !t->needed ? "metadata" : meta ?
			    "segments and metadata" : "segments");
	else if (t->legs)
		ads_off_say(o, ADS_OFF_NOTE, ADS_OFF_OPERATOR, "missing", NULL,
			    i, "member %u is missing; the %u segment%s with a copy on it %s others",
			    i, t->legs, t->legs == 1 ? "" : "s",
			    t->legs == 1 ? "has" : "have");
	else
		ads_off_say(o, ADS_OFF_NOTE, ADS_OFF_NOTHING, "missing", NULL,
			    i, "member %u is missing, and is not needed", i);
}

static void say_copies(struct ads_off *o)
{
	if (o->nr_stale)
		ads_off_say(o, ADS_OFF_NOTE, ADS_OFF_OPERATOR, "copies", NULL,
			    -1, "%u cop%s of segments %s out of date, having missed a write: 'adshardctl rebuild' makes %s good once the pool is active",
			    o->nr_stale, o->nr_stale == 1 ? "y" : "ies",
			    o->nr_stale == 1 ? "is" : "are",
			    o->nr_stale == 1 ? "it" : "them");
	if (o->nr_short)
		ads_off_say(o, ADS_OFF_NOTE, ADS_OFF_OPERATOR, "copies", NULL,
			    -1, "%u segment%s %s fewer copies than %s should have: 'adshardctl rebuild' makes them once the pool is active",
			    o->nr_short, o->nr_short == 1 ? "" : "s",
			    o->nr_short == 1 ? "has" : "have",
			    o->nr_short == 1 ? "it" : "they");
	if (o->nr_intent)
		ads_off_say(o, ADS_OFF_NOTE, ADS_OFF_ACTIVATION, "copies",
			    NULL, -1, "%u segment%s %s a write intent: the copies may differ in what was being written, and are compared after activation",
			    o->nr_intent, o->nr_intent == 1 ? "" : "s",
			    o->nr_intent == 1 ? "has" : "have");
}

void ads_off_check_segments(struct ads_off *o)
{
	struct tally *t = calloc(o->st.nr_members, sizeof(*t));

	if (!t)
		abort();
	o->nr_stale = o->nr_short = o->nr_intent = 0;
	for (uint32_t i = 0; i < o->st.nr_members; i++)
		t[i].found = ads_off_find(o, i) && !has_failed(o, i);
	for (uint32_t i = 0; i < o->st.nr_segments; i++)
		check_segment(o, i, t);
	find_twice(o, t);
	for (uint32_t i = 0; i < o->st.nr_members; i++)
		if (!ads_fmt_member_free(&o->member[i]) && !t[i].found)
			say_missing(o, i, &t[i]);
	free(t);
	say_copies(o);
}
