// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>

#include "daemon/plan/plan.h"
#include "lib/units.h"

static void refuse(struct plan_candidate *c, const char *why)
{
	snprintf(c->why, sizeof(c->why), "%s", why);
}

/* All that speaks against it but the number of evacuations. */
static bool may_drain(struct plan_candidate *c, int64_t now,
		      const struct config *config)
{
	char span[32];

	if (c->score < 0) {
		refuse(c, "the evidence is stale");
		return false;
	}
	if (c->score < config->score.release) {
		snprintf(c->why, sizeof(c->why), "its score has fallen to %d",
			 c->score);
		return false;
	}
	if (c->suspect) {
		refuse(c, "too many drives of its model went bad at the same time: collector or firmware fault?");
		return false;
	}
	if (c->settling) {
		refuse(c, "its peers are asked first");
		return false;
	}
	if (c->hold_until > now) {
		ads_format_duration((double)(c->hold_until - now), span,
				    sizeof(span));
		snprintf(c->why, sizeof(c->why),
			 "an evacuation was cancelled: on hold for %s", span);
		return false;
	}
	if (!c->present) {
		refuse(c, "the member is missing");
		return false;
	}
	if (c->nr_segments && !c->room) {
		refuse(c, "no other member may take its segments");
		return false;
	}
	if (config->mode == MODE_ADVISE && !c->approved) {
		refuse(c, "the mode is advise: 'adshardctl plan --approve' lets it begin");
		return false;
	}
	if (config->mode == MODE_OFF) {
		refuse(c, "the mode is off");
		return false;
	}
	return true;
}

void plan_decide(struct plan_candidate *c, size_t n, int64_t now,
		 const struct config *config)
{
	long busy = 0;

	for (size_t i = 0; i < n; i++) {
		c[i].act = DECIDE_NOTHING;
		c[i].wanted = false;
		c[i].why[0] = 0;
		busy += c[i].busy;
	}
	for (size_t i = 0; i < n; i++) {
		bool drains = c[i].state == ADSHARD_MEMBER_DRAINING ||
			      c[i].state == ADSHARD_MEMBER_DRAINED;

		if (c[i].state == ADSHARD_MEMBER_ONLINE)
			/* busy: it has been told already */
			c[i].wanted = c[i].at_risk && !c[i].busy;
		else if (drains && !c[i].at_risk && c[i].by_agent &&
			 config->mode == MODE_AUTO)
			c[i].act = DECIDE_ONLINE;
	}
	for (;;) {
		struct plan_candidate *best = NULL;

		for (size_t i = 0; i < n; i++) {
			if (!c[i].wanted || c[i].act != DECIDE_NOTHING ||
			    c[i].why[0])
				continue;
			if (!best || c[i].score > best->score)
				best = &c[i];
		}
		if (!best)
			return;
		if (!may_drain(best, now, config))
			continue;
		if (busy >= config->plan.evacuations) {
			refuse(best, "another member is being evacuated");
			continue;
		}
		best->act = DECIDE_DRAIN;
		busy++;
	}
}
