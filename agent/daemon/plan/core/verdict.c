// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * From scores to bands, with hysteresis, and from bands to who is emptied.
 *
 * A band is entered at once but for one thing: to be emptied takes several looks
 * in a row that agree, each with evidence of its own. It is left only after a time
 * of better scores, so that a score that flaps moves nothing. Without fresh
 * evidence everything stays as it was.
 */
#include <stdio.h>
#include <string.h>

#include "daemon/plan/core/priv.h"
#include "lib/units.h"

#define CLOCK_BACK	3600	/* evidence from a future further away is none */

static uint8_t band_of(const struct plan_policy *p, int score)
{
	if (score > p->score.rescue)
		return PLAN_RESCUE;
	if (score > p->score.drain)
		return PLAN_EMPTY;
	return score > p->score.watch ? PLAN_WATCH : PLAN_OK;
}

/* Has it been below @limit for @time? */
static bool quiet_enough(struct plan_track *t, int score, long limit, long time,
			 int64_t now)
{
	if (score >= limit) {
		t->quiet = 0;
		return false;
	}
	if (!t->quiet || t->quiet > now)
		t->quiet = now;
	return now - t->quiet >= time;
}

static uint8_t next_band(struct work *w, const struct plan_member *m,
			 struct plan_track *t)
{
	const struct plan_policy *p = w->p;
	int64_t now = w->s->now;
	uint8_t want;

	if (m->score < 0) {
		t->quiet = 0;
		return t->band;
	}
	if (t->evidence > now + CLOCK_BACK)
		t->evidence = 0;
	if (m->evidence > t->evidence) {
		t->evidence = m->evidence;
		if (m->score <= p->score.drain)
			t->above = 0;
		else if (t->above < UINT8_MAX)
			t->above++;
	}
	want = band_of(p, m->score);
	if (want >= PLAN_EMPTY && t->above < p->score.confirm)
		want = PLAN_WATCH;
	if (!m->suspect)
		t->suspect = 0;
	else if (!t->suspect)
		t->suspect = now;
	if (want >= PLAN_EMPTY && t->band < PLAN_EMPTY && m->suspect &&
	    now - t->suspect < p->score.suspect_time) {
		want = PLAN_WATCH;
		work_conflict(w, PLAN_RULE_SUSPECT, PLAN_BY_REPLICATE,
			      PLAN_BY_EVACUATE, m->index, PLAN_NO_SEG);
	}
	/* one month in thirty is little, but it stays the same each month */
	if (want == PLAN_WATCH && t->band == PLAN_WATCH && p->score.patience &&
	    !m->suspect && now - t->since >= p->score.patience)
		want = PLAN_EMPTY;
	if (want > t->band) {
		t->quiet = 0;
		return want;
	}
	if (t->band >= PLAN_EMPTY && want >= PLAN_EMPTY) {
		t->quiet = 0;
		return want;
	}
	if (t->band >= PLAN_EMPTY)
		return quiet_enough(t, m->score, p->score.release,
				    p->score.release_time, now) ? want :
				    (m->score > p->score.rescue ? PLAN_RESCUE :
								  PLAN_EMPTY);
	if (t->band == PLAN_WATCH && want < PLAN_WATCH)
		return quiet_enough(t, m->score, p->score.recover,
				    p->score.recover_time, now) ? want :
								  PLAN_WATCH;
	t->quiet = 0;
	return t->band;
}

static void judge(struct work *w, uint32_t i)
{
	const struct plan_member *m = &w->s->member[i];
	struct plan_verdict *v = &w->r->verdict[i];
	struct plan_track t = m->track;
	uint8_t before = t.band;

	if (m->state == PLAN_FAILED || m->state == PLAN_ABSENT) {
		t.band = PLAN_LOST;
		t.above = 0;
		t.quiet = 0;
	} else {
		if (t.band == PLAN_LOST)
			t.band = PLAN_OK;
		t.band = next_band(w, m, &t);
	}
	if (t.band != before || !t.since)
		t.since = w->s->now;
	if (t.band != before)
		t.quiet = 0;
	v->track = t;
	v->band = w->m[i].band = t.band;
}

static bool asked_to_leave(const struct work *w, const struct plan_member *m)
{
	for (uint32_t i = 0; i < w->s->nr_wishes; i++)
		if (w->s->wish[i].kind == PLAN_WISH_EVACUATE &&
		    w->s->wish[i].member == m->index)
			return true;
	return false;
}

static bool cancelled(const struct work *w, enum plan_cause c, uint16_t member)
{
	for (uint32_t i = 0; i < w->s->nr_orders; i++)
		if (w->s->order[i].cause == c && w->s->order[i].member == member &&
		    w->s->order[i].cancelled)
			return true;
	return false;
}

/* Somebody but the band says that it is emptied: true, and by what cause. */
static bool leaves_anyway(struct work *w, uint32_t i)
{
	struct work_member *wm = &w->m[i];
	const struct plan_member *m = wm->m;
	struct plan_verdict *v = &w->r->verdict[i];

	if (wm->band == PLAN_LOST)
		return false;
	if (asked_to_leave(w, m) ||
	    ((m->state == PLAN_DRAINING || m->state == PLAN_DRAINED) &&
	     !m->by_agent)) {
		wm->cause = wm->band == PLAN_RESCUE ? PLAN_BY_RESCUE :
						      PLAN_BY_PERSON;
		snprintf(v->why, sizeof(v->why), "%s is emptied: a person said so",
			 m->name);
		v->drain = m->state == PLAN_ONLINE;
		return true;
	}
	return false;
}

/* The sentence if it may not be emptied by itself, in v->why. */
static bool held_back(struct work *w, uint32_t i)
{
	const struct plan_member *m = w->m[i].m;
	struct plan_verdict *v = &w->r->verdict[i];
	enum plan_cause c = w->m[i].band == PLAN_RESCUE ? PLAN_BY_RESCUE :
							  PLAN_BY_EVACUATE;
	char span[32];

	if (m->hold_until > w->s->now ||
	    cancelled(w, PLAN_BY_EVACUATE, m->index) ||
	    cancelled(w, PLAN_BY_RESCUE, m->index)) {
		ads_format_duration((double)(m->hold_until - w->s->now), span,
				    sizeof(span));
		snprintf(v->why, sizeof(v->why),
			 "%s: score %d, but a person cancelled its evacuation%s%s",
			 m->name, m->score,
			 m->hold_until > w->s->now ? "; on hold for " : "",
			 m->hold_until > w->s->now ? span : "");
		work_conflict(w, PLAN_RULE_HOLD, PLAN_BY_PERSON, c, m->index,
			      PLAN_NO_SEG);
		return true;
	}
	return false;
}

static void say_band(struct work *w, uint32_t i)
{
	const struct plan_member *m = w->m[i].m;
	struct plan_verdict *v = &w->r->verdict[i];

	switch (v->band) {
	case PLAN_LOST:
		snprintf(v->why, sizeof(v->why), "%s %s", m->name,
			 m->state == PLAN_ABSENT ? "is missing" : "has failed");
		return;
	case PLAN_WATCH:
		snprintf(v->why, sizeof(v->why),
			 m->score < 0 ? "%s is watched: no fresh evidence" :
			 m->score > w->p->score.drain && !m->suspect ?
			 "%s is watched: score %d, seen once; another look decides" :
			 m->score > w->p->score.drain ?
			 "%s is watched: score %d, but many of its model rose at once" :
			 "%s is watched: score %d", m->name, m->score);
		return;
	case PLAN_OK:
		if (m->score < 0)
			snprintf(v->why, sizeof(v->why),
				 "%s: no fresh evidence, nothing is decided by it",
				 m->name);
		else if (m->slow)
			snprintf(v->why, sizeof(v->why),
				 "%s answers slowly: it gets no data", m->name);
		else
			snprintf(v->why, sizeof(v->why), "%s is well: score %d",
				 m->name, m->score);
	}
}

/* It is being emptied, and need not be. One that only was away for a while is not
 * well because of that. */
static bool is_well(const struct work *w, const struct plan_member *m)
{
	return m->by_agent &&
	       (m->state == PLAN_DRAINING || m->state == PLAN_DRAINED) &&
	       m->score >= 0 && m->score < w->p->score.release;
}

static void empty(struct work *w, uint32_t i)
{
	struct work_member *wm = &w->m[i];
	const struct plan_member *m = wm->m;
	struct plan_verdict *v = &w->r->verdict[i];

	wm->leaving = true;
	wm->cause = wm->band == PLAN_RESCUE ? PLAN_BY_RESCUE : PLAN_BY_EVACUATE;
	v->drain = m->state == PLAN_ONLINE;
	if (m->score < 0)
		snprintf(v->why, sizeof(v->why),
			 "%s is emptied, as was decided; no fresh evidence",
			 m->name);
	else if (wm->band == PLAN_RESCUE)
		snprintf(v->why, sizeof(v->why),
			 "%s fails: score %d above %ld, emptied whatever the load",
			 m->name, m->score, w->p->score.rescue);
	else if (m->score > w->p->score.drain)
		snprintf(v->why, sizeof(v->why),
			 "%s is likely to fail: score %d above %ld", m->name,
			 m->score, w->p->score.drain);
	else if (m->score > w->p->score.watch)
		snprintf(v->why, sizeof(v->why),
			 "%s is emptied: it was watched for too long, or its score (%d) is not below %ld yet",
			 m->name, m->score, w->p->score.release);
	else
		snprintf(v->why, sizeof(v->why),
			 "%s is emptied: score %d, not yet below %ld for long enough",
			 m->name, m->score, w->p->score.release);
}

/* Of those that should be emptied and are not yet, the one that is worst. */
static int worst(const struct work *w, const bool *asked)
{
	int best = -1;

	for (uint32_t i = 0; i < w->s->nr_members; i++) {
		const struct work_member *m = &w->m[i];

		if (!asked[i])
			continue;
		if (best < 0 || m->band > w->m[best].band ||
		    (m->band == w->m[best].band &&
		     m->m->score > w->m[best].m->score))
			best = (int)i;
	}
	return best;
}

void work_verdicts(struct work *w)
{
	bool asked[PLAN_MEMBERS] = { false };
	long busy = 0, limit = w->p->evacuate.members;
	int i;

	for (uint32_t k = 0; k < w->s->nr_members; k++) {
		struct work_member *wm = &w->m[k];
		const struct plan_member *m = wm->m;

		judge(w, k);
		say_band(w, k);
		if (leaves_anyway(w, k)) {
			wm->leaving = true;
			continue;
		}
		if (wm->band < PLAN_EMPTY || wm->band == PLAN_LOST) {
			w->r->verdict[k].release = is_well(w, m);
			/* the kernel was told: until it is told otherwise the
			 * member goes on leaving */
			if (w->r->verdict[k].release ||
			    m->state != PLAN_DRAINING)
				continue;
		}
		if (m->state == PLAN_ONLINE && held_back(w, k))
			continue;
		/* one that is at it goes on, and counts only while it has data */
		if (m->state == PLAN_ONLINE) {
			asked[k] = true;
		} else {
			empty(w, k);
			busy += wm->band <= PLAN_EMPTY && wm->legs > 0 &&
				!m->parked;
		}
	}
	while ((i = worst(w, asked)) >= 0) {
		struct plan_verdict *v = &w->r->verdict[i];

		asked[i] = false;
		if (w->m[i].band == PLAN_EMPTY && limit && busy >= limit) {
			v->waits = true;
			snprintf(v->why, sizeof(v->why),
				 "%s should be emptied (score %d), but waits: %ld others are",
				 w->m[i].m->name, w->m[i].m->score, busy);
			continue;
		}
		empty(w, (uint32_t)i);
		busy += w->m[i].band == PLAN_EMPTY;
	}
}
