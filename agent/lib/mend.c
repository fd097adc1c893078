// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>

#include "mend.h"

static struct ads_place_member *find(struct ads_place_member *members,
				     size_t nr, uint32_t index)
{
	for (size_t i = 0; i < nr; i++)
		if (members[i].index == index)
			return &members[i];
	return NULL;
}

static bool serves(const struct ads_place_member *members, size_t nr,
		   uint32_t index)
{
	for (size_t i = 0; i < nr; i++)
		if (members[i].index == index)
			return members[i].present &&
			       members[i].state != ADSHARD_MEMBER_FAILED;
	return false;
}

uint32_t ads_mend_good(const struct ads_place_member *members, size_t nr,
		       const struct ads_segment *seg)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < seg->nr_legs; i++)
		n += seg->leg[i].state == ADSHARD_LEG_SYNC &&
		     serves(members, nr, seg->leg[i].member);
	return n;
}

/*
 * The first leg of no use, NULL if there is none. @here: stale, on a member that
 * may be filled again. What is filling is seen to already.
 */
static const struct ads_leg *find_useless(struct ads_place_member *members,
					  size_t nr,
					  const struct ads_segment *seg,
					  const struct ads_place_opts *o,
					  bool here)
{
	for (uint32_t i = 0; i < seg->nr_legs; i++) {
		const struct ads_leg *leg = &seg->leg[i];
		const struct ads_place_member *m = find(members, nr,
							leg->member);
		bool usable = m && m->present &&
			      m->state == ADSHARD_MEMBER_ONLINE;

		for (size_t k = 0; o && k < o->nr_exclude; k++)
			usable &= o->exclude[k] != leg->member;
		if (leg->state == ADSHARD_LEG_FILLING ||
		    leg->state == ADSHARD_LEG_LAGGING)
			continue;
		if (here ? leg->state == ADSHARD_LEG_STALE && usable :
		    leg->state == ADSHARD_LEG_STALE ||
		    !serves(members, nr, leg->member))
			return leg;
	}
	return NULL;
}

static int place(struct ads_place_member *members, size_t nr,
		 const struct ads_segment *seg, uint32_t leaves,
		 const struct ads_place_opts *opts, uint32_t *dst,
		 struct ads_err *err)
{
	struct ads_place_segment s = { .segment = seg->index };
	struct ads_place_member *m;
	int rc;

	for (uint32_t i = 0; i < seg->nr_legs; i++) {
		s.on[s.nr_on++] = seg->leg[i].member;
		if (seg->leg[i].member != leaves)
			s.with[s.nr_with++] = seg->leg[i].member;
	}
	rc = ads_place(members, nr, &s, 1, opts, dst, err);
	if (rc)
		return rc;
	m = find(members, nr, *dst);
	if (m)
		m->incoming++;
	return 0;
}

int ads_mend(struct ads_place_member *members, size_t nr,
	     const struct ads_segment *seg, const struct ads_place_opts *opts,
	     struct ads_mend *out, struct ads_err *err)
{
	uint32_t good = ads_mend_good(members, nr, seg);
	const struct ads_leg *leg;

	*out = (struct ads_mend){ .segment = seg->index,
				  .src = ADS_PLACE_NONE,
				  .dst = ADS_PLACE_NONE };
	if (!good) {
		out->act = ADS_MEND_LOST;
		return 0;
	}
	if (seg->state != ADSHARD_SEGMENT_STABLE)
		return 0;
	if (good >= seg->wanted) {
		leg = find_useless(members, nr, seg, opts, false);
		if (leg) {
			out->act = ADS_MEND_DROP;
			out->src = leg->member;
		}
		return 0;
	}
	/* What it has missed is less than all, but not even that is known here. */
	leg = find_useless(members, nr, seg, opts, true);
	if (leg) {
		out->act = ADS_MEND_RESYNC;
		out->dst = leg->member;
		return 0;
	}
	leg = find_useless(members, nr, seg, opts, false);
	out->act = leg ? ADS_MEND_REPLACE : ADS_MEND_ADD;
	if (leg)
		out->src = leg->member;
	return place(members, nr, seg, out->src, opts, &out->dst, err);
}

static void drop(struct ads_segment *seg, uint32_t member)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < seg->nr_legs; i++)
		if (seg->leg[i].member != member)
			seg->leg[n++] = seg->leg[i];
	seg->nr_legs = n;
}

void ads_mend_apply(struct ads_segment *seg, const struct ads_mend *m)
{
	switch (m->act) {
	case ADS_MEND_DROP:
		drop(seg, m->src);
		break;
	case ADS_MEND_REPLACE:
		drop(seg, m->src);
		/* fall through */
	case ADS_MEND_RESYNC:
	case ADS_MEND_ADD:
		if (m->dst == ADS_PLACE_NONE)
			break;
		drop(seg, m->dst);
		if (seg->nr_legs < ADSHARD_MAX_LEGS)
			seg->leg[seg->nr_legs++] = (struct ads_leg){
				.member = m->dst, .state = ADSHARD_LEG_SYNC };
		break;
	case ADS_MEND_NOTHING:
	case ADS_MEND_LOST:
		break;
	}
}

uint32_t ads_mend_surplus(const struct ads_place_member *members, size_t nr,
			  const struct ads_segment *seg, uint32_t keep)
{
	struct ads_place_leg legs[ADSHARD_MAX_LEGS];
	uint32_t good = ads_mend_good(members, nr, seg);
	size_t n = 0;
	int i;

	for (uint32_t k = 0; k < seg->nr_legs; k++) {
		if (seg->leg[k].state == ADSHARD_LEG_FILLING)
			continue;
		legs[n].member = seg->leg[k].member;
		legs[n++].sync = seg->leg[k].state == ADSHARD_LEG_SYNC;
	}
	if (good < keep || n <= keep)
		return ADS_PLACE_NONE;
	i = ads_place_drop(members, nr, legs, n, NULL);
	return i < 0 ? ADS_PLACE_NONE : legs[i].member;
}

int ads_mend_compare(const void *a, const void *b)
{
	const struct ads_mend_rank *x = a, *y = b;

	if (x->good != y->good)
		return x->good < y->good ? -1 : 1;
	/* One of three is worse off than one of two. */
	if (x->wanted != y->wanted)
		return x->wanted > y->wanted ? -1 : 1;
	if (x->heat != y->heat)
		return x->heat > y->heat ? -1 : 1;
	return (x->segment > y->segment) - (x->segment < y->segment);
}
