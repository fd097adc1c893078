// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Decisions in words.
 */
#include <stdio.h>

#include "daemon/plan/core/priv.h"

const char *plan_do_name(enum plan_do d)
{
	static const char *const names[] = {
		[PLAN_DO_MOVE] = "move", [PLAN_DO_REPLICATE] = "replicate",
		[PLAN_DO_DROP] = "drop", [PLAN_DO_ABORT] = "abort",
	};

	return d <= PLAN_DO_ABORT ? names[d] : "unknown";
}

const char *plan_hold_text(enum plan_hold h)
{
	static const char *const text[] = {
		[PLAN_START] = "starts now",
		[PLAN_HOLD_PACE_POOL] = "waits: as many moves as pace.pool allows are running",
		[PLAN_HOLD_PACE_MEMBER] = "waits: its members have as many moves as pace.member allows",
		[PLAN_HOLD_PACE_LINK] = "waits: the link has as many moves as pace.link and its bandwidth allow",
		[PLAN_HOLD_LOAD] = "waits: a member is busier than evacuate.max_load",
		[PLAN_HOLD_QUIET] = "waits for the quiet hours",
		[PLAN_HOLD_DAILY] = "waits for tomorrow: pace.daily is used up",
		[PLAN_HOLD_REBUILD] = "waits: rescue and rebuild go first",
		[PLAN_HOLD_PAUSED] = "is paused",
		[PLAN_HOLD_RATE] = "waits: pace.rate is used up",
	};

	return h < PLAN_HOLDS ? text[h] : "waits";
}

const char *plan_rule_text(enum plan_rule r)
{
	static const char *const text[] = {
		[PLAN_RULE_PERSON] = "a person's own move goes before the planner's",
		[PLAN_RULE_FLYING] = "what is on its way is not planned again",
		[PLAN_RULE_TURNED_BAD] = "a move to a member that turned bad is called back",
		[PLAN_RULE_PIN] = "data at risk leaves its pin until there is room",
		[PLAN_RULE_REST] = "a segment rests after a move",
		[PLAN_RULE_REBUILD] = "what can wait yields to rescue and rebuild",
		[PLAN_RULE_SUSPECT] = "many drives of one model at once are watched first, not emptied",
		[PLAN_RULE_HOLD] = "a person cancelled: not emptied for a while",
	};

	return r < PLAN_RULES ? text[r] : "unknown";
}

static const struct plan_member *member(const struct plan_state *s,
					uint16_t index)
{
	for (uint32_t i = 0; i < s->nr_members; i++)
		if (s->member[i].index == index)
			return &s->member[i];
	return NULL;
}

static const char *name(const struct plan_state *s, uint16_t index)
{
	const struct plan_member *m = member(s, index);

	return m ? m->name : "any member";
}

static void destination(const struct plan_state *s, uint16_t to, char *buf,
			size_t size)
{
	const struct plan_member *m = member(s, to);
	char score[16] = "unknown";

	if (!m) {
		snprintf(buf, size, "nowhere");
		return;
	}
	if (m->score >= 0)
		snprintf(score, sizeof(score), "%d", m->score);
	snprintf(buf, size, "%s (score %s, %u%% full)", m->name, score,
		 m->slots ? (unsigned int)(100ULL * m->used / m->slots) : 100);
}

/* Of the wish for which it is done. */
static void cause_text(const struct plan_state *s, const struct plan_policy *p,
		       const struct plan_action *a, char *buf, size_t size)
{
	const char *from = name(s, a->from);

	switch ((enum plan_cause)a->cause) {
	case PLAN_BY_RESCUE:
		snprintf(buf, size, "%s fails: score %.0f above %ld", from,
			 (double)a->was, p->score.rescue);
		return;
	case PLAN_BY_PERSON:
		snprintf(buf, size, "a person asked for it");
		return;
	case PLAN_BY_REBUILD:
		snprintf(buf, size, "it has fewer legs than it should");
		return;
	case PLAN_BY_EVACUATE:
		snprintf(buf, size, "%s is emptied: score %.0f, limit %ld", from,
			 (double)a->was, p->score.drain);
		return;
	case PLAN_BY_RECOVERED:
		snprintf(buf, size, "its members are well again: the extra leg is needed no more");
		return;
	case PLAN_BY_REPLICATE:
		snprintf(buf, size, "its only leg is on a member that is watched: a copy until that is well");
		return;
	case PLAN_BY_PIN:
		snprintf(buf, size, "it is pinned elsewhere");
		return;
	case PLAN_BY_BALANCE:
		snprintf(buf, size, "%s will be %.0f%% busy (limit %ld); gains %.0f s of waiting, costs %.0f s of copying",
			 from, 100 * (double)a->was, p->balance.high,
			 (double)a->gain, (double)a->cost);
		return;
	case PLAN_BY_TIER:
	case PLAN_BY_PLACE:
		snprintf(buf, size, "%.2f accesses a second, from %.2f to %.2f ms; gains %.0f s of waiting, costs %.0f s of copying",
			 (double)a->heat, (double)a->was, (double)a->becomes,
			 (double)a->gain, (double)a->cost);
		return;
	default:
		snprintf(buf, size, "unknown");
	}
}

char *plan_action_text(const struct plan_state *s, const struct plan_policy *p,
		       const struct plan_action *a, char *buf, size_t size)
{
	char why[160], to[80];

	cause_text(s, p, a, why, sizeof(why));
	destination(s, a->to, to, sizeof(to));
	switch ((enum plan_do)a->what) {
	case PLAN_DO_DROP:
		snprintf(buf, size, "%s; the leg on %s is dropped, others hold the data",
			 why, name(s, a->from));
		break;
	case PLAN_DO_ABORT:
		snprintf(buf, size, "called back: %s turned bad", to);
		break;
	default:
		snprintf(buf, size, "%s; to %s", why, to);
	}
	return buf;
}
