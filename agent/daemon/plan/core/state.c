// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <math.h>

#include "daemon/plan/core/state.h"

const long plan_horizon_seconds[PLAN_HORIZONS] = { 0, 1800, 10800, 86400 };

const char *plan_band_name(enum plan_band b)
{
	static const char *const names[] = {
		[PLAN_OK] = "ok", [PLAN_WATCH] = "watch",
		[PLAN_EMPTY] = "drain", [PLAN_RESCUE] = "rescue",
		[PLAN_LOST] = "lost",
	};

	return b < PLAN_BANDS ? names[b] : "unknown";
}

const char *plan_cause_name(enum plan_cause c)
{
	static const char *const names[] = {
		[PLAN_BY_RESCUE] = "rescue", [PLAN_BY_PERSON] = "person",
		[PLAN_BY_REBUILD] = "rebuild",
		[PLAN_BY_EVACUATE] = "evacuate",
		[PLAN_BY_RECOVERED] = "recovered",
		[PLAN_BY_REPLICATE] = "replicate", [PLAN_BY_PIN] = "pin",
		[PLAN_BY_BALANCE] = "balance", [PLAN_BY_TIER] = "tier",
		[PLAN_BY_PLACE] = "place",
	};

	return c < PLAN_CAUSES ? names[c] : "unknown";
}

static int bad(struct ads_err *err, const char *what, uint32_t i,
	       const char *why)
{
	return ads_err(err, -EINVAL, "%s %u: %s", what, i, why);
}

static int check_member(const struct plan_state *s, uint32_t i,
			struct ads_err *err)
{
	const struct plan_member *m = &s->member[i];

	if (m->index >= PLAN_MEMBERS)
		return bad(err, "member", i, "its index is too high");
	if (i && m->index <= m[-1].index)
		return bad(err, "member", i, "the indexes don't ascend");
	if (m->state > PLAN_ABSENT)
		return bad(err, "member", i, "there is no such state");
	if (m->class >= s->nr_classes)
		return bad(err, "member", i, "there is no such class");
	if (m->location >= s->nr_locations)
		return bad(err, "member", i, "there is no such location");
	if (m->score < -1 || m->score > 100)
		return bad(err, "member", i, "its score is not -1..100");
	if (m->track.band >= PLAN_BANDS)
		return bad(err, "member", i, "there is no such band");
	if (!isfinite(m->cost) || !isfinite(m->weight) || m->weight < 0 ||
	    !isfinite(m->mibs) || !isfinite(m->iops) || isnan(m->fails))
		return bad(err, "member", i, "a number is none");
	for (int h = 0; h < PLAN_HORIZONS; h++)
		if (!isfinite(m->load[h]))
			return bad(err, "member", i, "its load is no number");
	return 0;
}

static bool has_member(const bool *known, uint16_t index)
{
	return index < PLAN_MEMBERS && known[index];
}

static int check_seg(const struct plan_state *s, uint32_t i, const bool *known,
		     struct ads_err *err)
{
	const struct plan_seg *g = &s->seg[i];

	if (g->nr_legs > PLAN_LEGS || g->wanted > PLAN_LEGS)
		return bad(err, "segment", i, "has too many legs");
	for (unsigned int l = 0; l < g->nr_legs; l++) {
		if (!has_member(known, g->leg[l]))
			return bad(err, "segment", i,
				   "is on a member that there isn't");
		for (unsigned int k = 0; k < l; k++)
			if (g->leg[k] == g->leg[l])
				return bad(err, "segment", i,
					   "has two legs on one member");
	}
	if (g->nr_legs + g->nr_dead > PLAN_LEGS)
		return bad(err, "segment", i, "has too many legs");
	for (unsigned int l = 0; l < g->nr_dead; l++) {
		if (!has_member(known, g->dead[l]))
			return bad(err, "segment", i,
				   "is on a member that there isn't");
		for (unsigned int k = 0; k < g->nr_legs; k++)
			if (g->leg[k] == g->dead[l])
				return bad(err, "segment", i,
					   "has two legs on one member");
	}
	/* NaN compares false */
	if (!(g->heat_short >= 0 && g->heat_long >= 0 && g->mibs >= 0) ||
	    !isfinite(g->heat_short) || !isfinite(g->heat_long) ||
	    !isfinite(g->mibs) || !isfinite(g->mibs_next))
		return bad(err, "segment", i, "a number is none");
	return 0;
}

static int check_rest(const struct plan_state *s, const bool *known,
		      struct ads_err *err)
{
	for (uint32_t i = 0; i < s->nr_classes; i++)
		if (!(s->class[i].latency_ms >= 0 && s->class[i].mibs > 0 &&
		      s->class[i].iops > 0) ||
		    !isfinite(s->class[i].latency_ms + s->class[i].mibs +
			      s->class[i].iops))
			return bad(err, "class", i, "a number is none");
	for (uint32_t i = 0; i < s->nr_locations; i++)
		if (!(s->location[i].rtt_ms >= 0) ||
		    !isfinite(s->location[i].rtt_ms))
			return bad(err, "location", i, "a number is none");
	for (uint32_t i = 0; i < s->nr_links; i++) {
		const struct plan_link *l = &s->link[i];

		if (l->a >= s->nr_locations || l->b >= s->nr_locations)
			return bad(err, "link", i, "there is no such location");
		if (!(l->mibs >= 0 && l->used >= 0) ||
		    !isfinite(l->mibs + l->used))
			return bad(err, "link", i, "a number is none");
	}
	for (uint32_t i = 0; i < s->nr_pins; i++) {
		const struct plan_pin *p = &s->pin[i];

		if (p->kind > PLAN_PIN_STAY ||
		    (p->kind == PLAN_PIN_CLASS && p->value >= s->nr_classes) ||
		    (p->kind == PLAN_PIN_LOCATION &&
		     p->value >= s->nr_locations) ||
		    (p->kind == PLAN_PIN_MEMBER && !has_member(known, p->value)))
			return bad(err, "pin", i, "it is to what there isn't");
	}
	for (uint32_t i = 0; i < s->nr_wishes; i++) {
		const struct plan_wish *w = &s->wish[i];

		if (w->kind > PLAN_WISH_MIGRATE ||
		    (w->kind == PLAN_WISH_MIGRATE && w->segment >= s->nr_segs) ||
		    (w->kind == PLAN_WISH_EVACUATE &&
		     !has_member(known, w->member)) ||
		    (w->to != PLAN_NONE && w->kind == PLAN_WISH_MIGRATE &&
		     !has_member(known, w->to)))
			return bad(err, "wish", i, "it names what there isn't");
	}
	for (uint32_t i = 0; i < s->nr_flights; i++) {
		const struct plan_flight *f = &s->flight[i];

		if (f->segment >= s->nr_segs || !has_member(known, f->to) ||
		    (f->from != PLAN_NONE && !has_member(known, f->from)) ||
		    f->cause >= PLAN_CAUSES)
			return bad(err, "flight", i, "it names what there isn't");
	}
	return 0;
}

int plan_state_check(const struct plan_state *s, struct ads_err *err)
{
	bool known[PLAN_MEMBERS] = { false };
	int r = 0;

	if (!s->segment_size)
		return ads_err(err, -EINVAL, "the segment size is zero");
	if (s->nr_members > PLAN_MEMBERS)
		return ads_err(err, -EINVAL, "%u members are too many",
			       s->nr_members);
	for (uint32_t i = 0; i < s->nr_members && !r; i++) {
		r = check_member(s, i, err);
		if (!r)
			known[s->member[i].index] = true;
	}
	for (uint32_t i = 0; i < s->nr_segs && !r; i++)
		r = check_seg(s, i, known, err);
	return r ? r : check_rest(s, known, err);
}
