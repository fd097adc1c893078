// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One segment at a time goes to the member with the best mark; the mark is
 * computed anew as the plan fills the members. It is the share of free slots
 * that would be left, minus what load and score cost:
 *
 *	mark = free / slots - 0.3 * load - 0.5 * score / 100
 *
 * so that an idle, healthy and emptier member comes first, and a member with
 * a score of 40 is used only if the others have a fifth less of their room. An
 * unknown load or score counts like a middling one, not like a perfect one. A
 * spare is taken only if nobody else has room.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "place.h"

#define LOAD_WEIGHT	0.3
#define SCORE_WEIGHT	0.5
#define UNKNOWN_SCORE	10
#define UNKNOWN_LOAD	0.2

static const struct ads_place_opts defaults;

static int max_score(const struct ads_place_opts *o)
{
	return o->max_score ? o->max_score : ADS_PLACE_MAX_SCORE;
}

static uint32_t room(const struct ads_place_member *m)
{
	return m->nr_free > m->incoming ? m->nr_free - m->incoming : 0;
}

/* NULL if the member may take segments (if it has room), else why not. */
static const char *refused(const struct ads_place_member *m,
			   const struct ads_place_opts *o, char *buf,
			   size_t size)
{
	for (size_t i = 0; i < o->nr_exclude; i++)
		if (o->exclude[i] == m->index)
			return "is to be emptied";
	if (!m->present)
		return "is missing";
	switch (m->state) {
	case ADSHARD_MEMBER_ONLINE:
		break;
	case ADSHARD_MEMBER_DRAINING:
		return "is draining";
	case ADSHARD_MEMBER_DRAINED:
		return "is drained";
	case ADSHARD_MEMBER_FAILED:
		return "has failed";
	default:
		return "is in an unknown state";
	}
	if (m->score > max_score(o)) {
		snprintf(buf, size, "has a score of %d (limit %d)", m->score,
			 max_score(o));
		return buf;
	}
	return NULL;
}

static double mark(const struct ads_place_member *m, uint32_t left)
{
	double load = m->load < 0 ? UNKNOWN_LOAD : m->load;
	double score = m->score < 0 ? UNKNOWN_SCORE : m->score;

	return (double)left / (m->nr_slots ? m->nr_slots : 1) -
	       LOAD_WEIGHT * load - SCORE_WEIGHT * score / 100;
}

/* Is it the better choice, with its mark, than @b with @b_mark? */
static bool is_better(const struct ads_place_member *a, double a_mark,
		      const struct ads_place_member *b, double b_mark)
{
	if (a->spare != b->spare)
		return b->spare;
	return a_mark > b_mark || (a_mark == b_mark && a->index < b->index);
}

static const struct ads_place_member *
find(const struct ads_place_member *members, size_t nr, uint32_t index)
{
	for (size_t i = 0; i < nr; i++)
		if (members[i].index == index)
			return &members[i];
	return NULL;
}

static bool same_domain(const struct ads_place_member *a,
			const struct ads_place_member *b)
{
	return a->domain && b->domain && a->domain[0] &&
	       !strcmp(a->domain, b->domain);
}

/* Is a copy that stays in @m's failure domain? */
static bool meets(const struct ads_place_member *members, size_t nr,
		  const struct ads_place_segment *s,
		  const struct ads_place_member *m)
{
	for (uint32_t i = 0; i < s->nr_with && i < ADSHARD_MAX_LEGS; i++) {
		const struct ads_place_member *o = find(members, nr,
							s->with[i]);

		if (o && same_domain(o, m))
			return true;
	}
	return false;
}

static bool is_on(const struct ads_place_segment *s, uint32_t member)
{
	for (uint32_t i = 0; i < s->nr_on && i < ADSHARD_MAX_LEGS; i++)
		if (s->on[i] == member)
			return true;
	return false;
}

bool ads_place_apart(const struct ads_place_member *members, size_t nr,
		     const struct ads_place_segment *seg, uint32_t member)
{
	const struct ads_place_member *m = find(members, nr, member);

	return m && !is_on(seg, member) && !meets(members, nr, seg, m);
}

__attribute__((format(printf, 4, 5)))
static void append(char *buf, size_t size, size_t *len, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (*len >= size)
		return;
	va_start(ap, fmt);
	n = vsnprintf(buf + *len, size - *len, fmt, ap);
	va_end(ap);
	if (n > 0)
		*len += n;
}

/* "no member takes segments: sdb is draining, sdc has failed" */
static int no_member(const struct ads_place_member *members, size_t nr,
		     const struct ads_place_opts *o, struct ads_err *err)
{
	char text[440], why[64];
	size_t len = 0;

	text[0] = '\0';
	for (size_t i = 0; i < nr; i++) {
		const char *w = refused(&members[i], o, why, sizeof(why));

		append(text, sizeof(text), &len, "%s%s %s", i ? ", " : "",
		       members[i].name, w ? w : "is full");
	}
	return ads_err(err, -ENODEV, "no member can take a segment: %s", text);
}

/* "needs 12 slots, 9 free on sdb, sdc" */
static int no_room(const struct ads_place_member *members, size_t nr,
		   const struct ads_place_opts *o, size_t need, size_t placed,
		   struct ads_err *err)
{
	uint64_t have = ads_place_room(members, nr, o);
	char text[440], why[64];
	size_t len = 0, shown = 0;

	text[0] = '\0';
	for (size_t i = 0; i < nr; i++)
		if (!refused(&members[i], o, why, sizeof(why)))
			append(text, sizeof(text), &len, "%s%s",
			       shown++ ? ", " : "", members[i].name);
	if (have >= need)
		return ads_err(err, -ENOSPC,
			       "%zu of %zu segments find no member that doesn't hold them already (%llu slots free on %s)",
			       need - placed, need, (unsigned long long)have,
			       text);
	return ads_err(err, -ENOSPC, "needs %zu slot%s, %llu free on %s", need,
		       need == 1 ? "" : "s", (unsigned long long)have, text);
}

/* "3 of 5 segments have a copy in every failure domain that has room: ..." */
static int no_domain(const struct ads_place_member *members, size_t nr,
		     const struct ads_place_opts *o, const uint32_t *left,
		     size_t need, size_t blocked, struct ads_err *err)
{
	char text[300];
	size_t len = 0, shown = 0;

	text[0] = '\0';
	for (size_t i = 0; i < nr; i++)
		if (left[i])
			append(text, sizeof(text), &len, "%s%s (%s)",
			       shown++ ? ", " : "", members[i].name,
			       members[i].domain && members[i].domain[0] ?
			       members[i].domain : "its own");
	return ads_err(err, -EXDEV,
		       "%zu of %zu segments have a copy already in every failure domain with room (%s)%s%s%s",
		       blocked, need, text,
		       o->same_domain_how ? "; " : "",
		       o->same_domain_how ? o->same_domain_how : "",
		       o->same_domain_how ?
		       " puts two copies into one domain" : "");
}

uint64_t ads_place_room(const struct ads_place_member *members, size_t nr,
			const struct ads_place_opts *opts)
{
	const struct ads_place_opts *o = opts ? opts : &defaults;
	uint64_t sum = 0;
	char why[64];

	for (size_t i = 0; i < nr; i++)
		if (!refused(&members[i], o, why, sizeof(why)))
			sum += room(&members[i]);
	return sum;
}

/* The member with the best mark, @nr if there is none. */
static size_t choose(const struct ads_place_member *members, size_t nr,
		     const struct ads_place_segment *s, const uint32_t *left,
		     bool any_domain)
{
	size_t best = nr;
	double best_mark = 0;

	for (size_t i = 0; i < nr; i++) {
		double m;

		if (!left[i] || is_on(s, members[i].index) ||
		    (!any_domain && meets(members, nr, s, &members[i])))
			continue;
		m = mark(&members[i], left[i] - 1);
		if (best < nr && !is_better(&members[i], m, &members[best],
					    best_mark))
			continue;
		best = i;
		best_mark = m;
	}
	return best;
}

/* Can a copy there be read? */
static bool serves(const struct ads_place_member *members, size_t nr,
		   uint32_t index)
{
	const struct ads_place_member *m = find(members, nr, index);

	return m && m->present && m->state != ADSHARD_MEMBER_FAILED;
}

int ads_place(const struct ads_place_member *members, size_t nr,
	      const struct ads_place_segment *segs, size_t nr_segs,
	      const struct ads_place_opts *opts, uint32_t *dst,
	      struct ads_err *err)
{
	const struct ads_place_opts *o = opts ? opts : &defaults;
	size_t placed = 0, usable = 0, blocked = 0;
	uint32_t *left;
	char why[64];
	int rc;

	for (size_t i = 0; i < nr_segs; i++)
		dst[i] = ADS_PLACE_NONE;
	if (!nr_segs)
		return 0;
	left = calloc(nr ? nr : 1, sizeof(*left));
	if (!left)
		return -ENOMEM;
	/* What may not be used has no room. */
	for (size_t i = 0; i < nr; i++) {
		if (refused(&members[i], o, why, sizeof(why)))
			continue;
		usable++;
		left[i] = room(&members[i]);
	}
	for (size_t s = 0; s < nr_segs; s++) {
		size_t best = choose(members, nr, &segs[s], left, false);
		size_t any = best < nr ? best : choose(members, nr, &segs[s],
						       left, true);

		if (best == nr && o->same_domain)
			best = any;
		if (best == nr) {
			blocked += any < nr;
			continue;
		}
		left[best]--;
		dst[s] = members[best].index;
		placed++;
	}
	if (placed == nr_segs)
		rc = 0;
	else if (!usable)
		rc = no_member(members, nr, o, err);
	else if (blocked)
		rc = no_domain(members, nr, o, left, nr_segs, blocked, err);
	else
		rc = no_room(members, nr, o, nr_segs, placed, err);
	free(left);
	return rc;
}

/* How much there is to be said for letting go of a copy: the highest goes. */
static double burden(const struct ads_place_member *members, size_t nr,
		     const struct ads_place_leg *legs, size_t nr_legs,
		     size_t i, const struct ads_place_opts *o)
{
	const struct ads_place_member *m = find(members, nr, legs[i].member);
	char why[64];
	double sum;

	if (!legs[i].sync)
		return 1000;
	if (!m || refused(m, o, why, sizeof(why)))
		return !m || !m->present ||
		       m->state == ADSHARD_MEMBER_FAILED ? 500 :
		       100 + (m->score > 0 ? m->score : 0);
	/* Full and burdened: the reverse of where one would be put. */
	sum = -mark(m, m->nr_free);
	for (size_t k = 0; k < nr_legs; k++) {
		const struct ads_place_member *x =
			find(members, nr, legs[k].member);

		if (k != i && legs[k].sync && x && same_domain(x, m)) {
			sum += 10;
			break;
		}
	}
	return sum;
}

int ads_place_drop(const struct ads_place_member *members, size_t nr,
		   const struct ads_place_leg *legs, size_t nr_legs,
		   const struct ads_place_opts *opts)
{
	const struct ads_place_opts *o = opts ? opts : &defaults;
	size_t readable = 0;
	double most = 0;
	int best = -1;

	for (size_t i = 0; i < nr_legs; i++)
		readable += legs[i].sync && serves(members, nr, legs[i].member);
	for (size_t i = 0; i < nr_legs; i++) {
		double b = burden(members, nr, legs, nr_legs, i, o);

		/*
		 * What can't be read at the moment may be all that there is, and
		 * come back: only what is served without it may go.
		 */
		if (readable == (legs[i].sync &&
				 serves(members, nr, legs[i].member)))
			continue;
		/* Of equals the last one goes: the first is the primary. */
		if (best >= 0 && b < most)
			continue;
		best = (int)i;
		most = b;
	}
	return best;
}
