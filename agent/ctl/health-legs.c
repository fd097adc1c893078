// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The verdict on a pool: the copies of its segments.
 */
#include <stdio.h>
#include <string.h>

#include <linux/adshard-format.h>

#include "health.h"

static const struct ads_member *find(const struct health_in *in, uint32_t index)
{
	for (size_t i = 0; i < in->nr_m; i++)
		if (in->m[i].index == index)
			return &in->m[i];
	return NULL;
}

static bool serves(const struct health_in *in, const struct ads_leg *leg)
{
	const struct ads_member *m = find(in, leg->member);

	return leg->state == ADSHARD_LEG_SYNC && m && m->present &&
	       m->state != ADSHARD_MEMBER_FAILED;
}

static uint32_t count_good(const struct health_in *in,
			   const struct ads_segment *s)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < s->nr_legs; i++)
		n += serves(in, &s->leg[i]);
	return n;
}

bool health_wants_segments(const struct ads_pool *p, const struct ads_member *m,
			   size_t nr)
{
	if (!p->knows_legs)
		return false;
	for (size_t i = 0; i < nr; i++)
		if (m[i].nr_segments && (!m[i].present ||
					 m[i].state == ADSHARD_MEMBER_FAILED))
			return true;
	return p->nr_short || p->nr_stale;
}

size_t health_only_there(const struct health_in *in, uint32_t member)
{
	size_t n = 0;

	for (size_t i = 0; i < in->nr_seg; i++) {
		const struct ads_segment *s = &in->seg[i];

		for (uint32_t k = 0; k < s->nr_legs; k++)
			n += s->leg[k].member == member &&
			     s->leg[k].state == ADSHARD_LEG_SYNC &&
			     !count_good(in, s);
	}
	return n;
}

/* Those whose copies of segments are of no use. */
static void name_members(const struct health_in *in, struct health_legs *out)
{
	size_t len = 0, shown = 0;
	char name[128];

	for (size_t i = 0; i < in->nr_m && len + 40 < sizeof(out->members);
	     i++) {
		bool any = false;

		for (size_t k = 0; k < in->nr_seg && !any; k++)
			for (uint32_t l = 0; l < in->seg[k].nr_legs; l++)
				any |= in->seg[k].leg[l].member ==
				       in->m[i].index &&
				       in->seg[k].leg[l].state !=
				       ADSHARD_LEG_FILLING &&
				       !serves(in, &in->seg[k].leg[l]);
		if (!any)
			continue;
		ads_member_name(&in->m[i], name, sizeof(name));
		len += (size_t)snprintf(out->members + len,
					sizeof(out->members) - len, "%s%s",
					shown++ ? ", " : "", name);
	}
}

void health_count_legs(const struct health_in *in, struct health_legs *out)
{
	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < in->nr_seg; i++) {
		const struct ads_segment *s = &in->seg[i];
		uint32_t good = count_good(in, s);

		if (!good && !out->nr_lost++)
			out->first_lost = s->index;
		if (good >= s->wanted)
			continue;
		if (!out->nr_short++ || good < out->good ||
		    (good == out->good && s->wanted > out->wanted)) {
			out->good = good;
			out->wanted = s->wanted;
			out->nr_worst = 0;
		}
		out->nr_worst += good == out->good && s->wanted == out->wanted;
	}
	if (in->nr_seg)
		name_members(in, out);
}

/* Something makes copies just now. */
static size_t mending(const struct health_in *in)
{
	size_t n = 0;

	for (size_t i = 0; i < in->nr_mig; i++)
		n += in->mig[i].kind == ADSHARD_KIND_ADD ||
		     in->mig[i].kind == ADSHARD_KIND_RESYNC;
	return in->pool->paused ? 0 : n;
}

static void judge_short(const struct health_in *in,
			const struct health_legs *l, struct health *h)
{
	size_t busy = mending(in);
	char more[64] = "";

	if (!l->nr_short ||
	    !health_verdict(h, HEALTH_WARN, busy ? "rebuilding" : "short"))
		return;
	if (l->nr_short > l->nr_worst)
		snprintf(more, sizeof(more), ", %zu other%s lack%s one too",
			 l->nr_short - l->nr_worst,
			 l->nr_short - l->nr_worst == 1 ? "" : "s",
			 l->nr_short - l->nr_worst == 1 ? "s" : "");
	snprintf(h->why, sizeof(h->why),
		 "%zu segment%s %s %u of %u copies%s%s%s", l->nr_worst,
		 l->nr_worst == 1 ? "" : "s", l->nr_worst == 1 ? "has" : "have",
		 l->good, l->wanted, more,
		 l->members[0] ? "; of no use are those on " : "", l->members);
	if (busy)
		snprintf(h->action, sizeof(h->action),
			 "none: %zu cop%s being made", busy,
			 busy == 1 ? "y is" : "ies are");
	else
		snprintf(h->action, sizeof(h->action), in->pool->paused ?
			 "'adshardctl resume': copying is paused; then 'adshardctl rebuild%s%s' makes what is missing" :
			 "'adshardctl rebuild%s%s' makes them",
			 in->pool->name[0] ? " " : "", in->pool->name);
}

void health_judge_legs(const struct health_in *in, struct health *h)
{
	const struct ads_pool *p = in->pool;
	struct health_legs l;

	health_count_legs(in, &l);
	judge_short(in, &l, h);
	if (p->nr_stale && !l.nr_short && in->nr_seg &&
	    health_verdict(h, HEALTH_WARN, "stale")) {
		snprintf(h->why, sizeof(h->why),
			 "%u cop%s out of date, and not needed: %s",
			 p->nr_stale, p->nr_stale == 1 ? "y is" : "ies are",
			 l.members[0] ? l.members : "?");
		snprintf(h->action, sizeof(h->action),
			 "'adshardctl rebuild%s%s' drops them",
			 p->name[0] ? " " : "", p->name);
	}
	if (p->nr_doubt && health_verdict(h, HEALTH_OK, "resyncing")) {
		snprintf(h->why, sizeof(h->why),
			 "the copies of %u segment%s are compared, as after a power cut",
			 p->nr_doubt, p->nr_doubt == 1 ? "" : "s");
		snprintf(h->action, sizeof(h->action), "none");
	}
}
