// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Offline metadata: bad ranges. Each one was looked at in itself when it was
 * read; here they are judged beside the map and each other.
 *
 * The kernel serves a pool whatever they say, for all that they can do is to have
 * reads fail; so nothing here is fatal.
 */
#include <stdlib.h>

#include "offline.h"
#include "units.h"

typedef unsigned long long ull;

bool ads_off_bad_counts(const struct ads_off *o, const struct ads_range *r)
{
	const struct ads_fmt_seg *s;

	if (!r->sectors || r->seg >= o->st.nr_segments)
		return false;
	s = &o->seg[r->seg];
	for (unsigned int i = 0; i < s->nr_legs; i++)
		if (s->leg[i].member == r->member &&
		    s->leg[i].chunk == r->chunk)
			return true;
	return false;
}

static void say(struct ads_off *o, const struct ads_range *r, const char *what)
{
	ads_off_say(o, ADS_OFF_DAMAGE, ADS_OFF_NOTHING, "bad-range", NULL, -1,
		    "the bad range of segment %u from sector %u on (%u sectors, at member %u, chunk %u) %s",
		    r->seg, r->first, r->sectors, r->member, r->chunk, what);
}

static int by_place(const void *a, const void *b)
{
	const struct ads_range *x = *(const struct ads_range *const *)a;
	const struct ads_range *y = *(const struct ads_range *const *)b;

	if (x->seg != y->seg)
		return x->seg < y->seg ? -1 : 1;
	if (x->member != y->member)
		return x->member < y->member ? -1 : 1;
	return x->first < y->first ? -1 : x->first > y->first;
}

static bool same_place(const struct ads_range *a, const struct ads_range *b)
{
	return a->seg == b->seg && a->member == b->member;
}

/* Of one segment at one place; it has no two on one member. */
static void find_overlaps(struct ads_off *o, const struct ads_range **r,
			  uint32_t nr)
{
	uint64_t end = 0;

	qsort(r, nr, sizeof(*r), by_place);
	for (uint32_t i = 0; i < nr; i++) {
		if (i && same_place(r[i], r[i - 1]) && r[i]->first < end)
			say(o, r[i], "overlaps another one");
		if (!i || !same_place(r[i], r[i - 1]))
			end = 0;
		if ((uint64_t)r[i]->first + r[i]->sectors > end)
			end = (uint64_t)r[i]->first + r[i]->sectors;
	}
}

static void check_range(struct ads_off *o, const struct ads_range *r)
{
	uint64_t start = (uint64_t)r->seg << o->geo.segment_shift;

	if (start + r->first + r->sectors > o->st.volume_sectors)
		say(o, r, "goes beyond the end of the volume");
	if (r->from >= o->st.nr_members)
		say(o, r, "comes from a member that does not exist");
}

void ads_off_check_bad(struct ads_off *o)
{
	uint32_t places = ads_fmt_bad_places(&o->geo), n = 0;
	const struct ads_range **r = calloc(places + 1, sizeof(*r));
	char size[32];

	if (!r)
		abort();
	for (uint32_t i = 0; i < places; i++) {
		const struct ads_range *b = &o->bad[i];

		if (!b->sectors)
			continue;
		if (!ads_off_bad_counts(o, b)) {
			o->nr_leftover++;
			continue;
		}
		check_range(o, b);
		o->bad_sectors += b->sectors;
		r[n++] = b;
	}
	o->nr_bad = n;
	find_overlaps(o, r, n);
	free(r);
	if (n)
		ads_off_say(o, ADS_OFF_NOTE, ADS_OFF_NOTHING, "bad-range",
			    NULL, -1,
			    "%s in %u range%s could not be read when %s segment was moved, and %s not been written since: reads of %s fail",
			    ads_format_size(o->bad_sectors * 512, false, size,
					    sizeof(size)), n,
			    n == 1 ? "" : "s", n == 1 ? "its" : "their",
			    n == 1 ? "has" : "have", n == 1 ? "it" : "them");
	if (o->nr_leftover)
		ads_off_say(o, ADS_OFF_NOTE, ADS_OFF_ACTIVATION, "bad-range",
			    NULL, -1,
			    "%u bad range%s of a place where the segment is not: %s count, and activation removes %s",
			    o->nr_leftover, o->nr_leftover == 1 ? " is" : "s are",
			    o->nr_leftover == 1 ? "it does not" : "they do not",
			    o->nr_leftover == 1 ? "it" : "them");
}
