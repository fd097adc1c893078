// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Where a pool's segments are, as of the last list and the events since.
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/cycle.h"
#include "daemon/log.h"
#include "daemon/planner-priv.h"

void planner_free(struct planner *pl)
{
	if (!pl)
		return;
	free(pl->seg);
	free(pl->hands_off);
	free(pl->trouble);
	free(pl->sent);
	free(pl->approved);
	free(pl);
}

struct planner *planner_of(struct pool *p)
{
	if (!p->planner)
		p->planner = calloc(1, sizeof(*p->planner));
	return p->planner;
}

/* -- what is known of segments ----------------------------------------------------- */

static void take_legs(struct plan_seg *g, const struct ads_segment *from)
{
	for (uint32_t l = 0; l < from->nr_legs && l < PLAN_LEGS; l++) {
		uint16_t member = (uint16_t)from->leg[l].member;

		if (from->leg[l].state == ADSHARD_LEG_SYNC)
			g->leg[g->nr_legs++] = member;
		else
			g->dead[g->nr_dead++] = member;
		/* it is being filled: the kernel has it in hand */
		if (from->leg[l].state == ADSHARD_LEG_FILLING ||
		    from->leg[l].state == ADSHARD_LEG_LAGGING)
			g->flags |= PLAN_SEG_BUSY;
	}
	if (from->state != ADSHARD_SEGMENT_STABLE)
		g->flags |= PLAN_SEG_BUSY;
	g->wanted = (uint8_t)(from->wanted < PLAN_LEGS ? from->wanted :
							 PLAN_LEGS);
}

void planner_list(struct pool *p, const struct kernel_segments *s)
{
	struct planner *pl = planner_of(p);
	uint32_t *hands_off;
	struct plan_seg *seg;

	if (!pl || s->error)
		return;
	seg = calloc((size_t)p->k.nr_segments + 1, sizeof(*seg));
	hands_off = calloc((size_t)p->k.nr_segments + 1, sizeof(*hands_off));
	if (!seg || !hands_off) {
		free(seg);
		free(hands_off);
		log_warn(p->object, "no memory to plan for %u segments",
			 p->k.nr_segments);
		return;
	}
	for (size_t i = 0; i < s->nr; i++) {
		const struct ads_segment *from = &s->segments[i];
		struct plan_seg *g;

		if (from->index >= p->k.nr_segments)
			continue;
		g = &seg[from->index];
		take_legs(g, from);
		p->has_copies |= from->wanted > 1;
		if (from->index >= pl->nr)
			continue;
		g->rest_until = pl->seg[from->index].rest_until;
		g->extra = pl->seg[from->index].extra;
		hands_off[from->index] = pl->hands_off[from->index];
	}
	free(pl->seg);
	free(pl->hands_off);
	pl->seg = seg;
	pl->hands_off = hands_off;
	pl->nr = p->k.nr_segments;
	pl->listed = now_mono();
	pl->soon = true;
}

static void remove_from(uint16_t *list, uint8_t *nr, uint32_t member)
{
	for (unsigned int l = 0; l < *nr; l++)
		if (list[l] == member)
			list[l--] = list[--*nr];
}

void planner_changed(struct planner *pl, uint32_t segment, uint16_t from,
		     uint16_t to)
{
	struct plan_seg *g;
	bool there = false;

	if (segment >= pl->nr)
		return;
	g = &pl->seg[segment];
	remove_from(g->dead, &g->nr_dead, to);
	remove_from(g->dead, &g->nr_dead, from);
	remove_from(g->leg, &g->nr_legs, from);
	for (unsigned int l = 0; l < g->nr_legs; l++)
		there |= g->leg[l] == to;
	if (to != PLAN_NONE && !there && g->nr_legs + g->nr_dead < PLAN_LEGS)
		g->leg[g->nr_legs++] = to;
	if (g->extra > g->nr_legs)
		g->extra = g->nr_legs;
	g->flags &= (uint8_t)~PLAN_SEG_BUSY;
}

bool planner_is_on(const struct pool *p, uint32_t segment, uint32_t member)
{
	const struct planner *pl = p->planner;
	const struct plan_seg *g = pl && segment < pl->nr ? &pl->seg[segment] :
							    NULL;
	bool is = false;

	for (unsigned int l = 0; g && l < g->nr_legs; l++)
		is |= g->leg[l] == member;
	for (unsigned int l = 0; g && l < g->nr_dead; l++)
		is |= g->dead[l] == member;
	return is;
}
