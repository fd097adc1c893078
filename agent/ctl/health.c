// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>

#include <linux/adshard-format.h>

#include "bad.h"
#include "health.h"

uint64_t health_errors(const struct ads_member *m)
{
	return m->read_errors + m->write_errors + m->flush_errors +
	       m->meta_errors + m->copy_errors;
}

uint64_t migration_done_bytes(const struct ads_migration *m,
			      uint64_t segment_size)
{
	double copied, compared;

	if (!m->chunks)
		return 0;
	copied = m->chunks_done < m->chunks ?
		 (double)m->chunks_done / m->chunks : 1;
	compared = m->chunks_verified < m->chunks ?
		   (double)m->chunks_verified / m->chunks : 1;
	if (m->step < ADSHARD_STEP_VERIFY)
		compared = 0;
	return (uint64_t)((0.6 * copied + 0.4 * compared) *
			  (double)segment_size);
}

double migration_rate(const struct ads_migration *m, uint64_t segment_size)
{
	if (!m->age_ns)
		return 0;
	return (double)migration_done_bytes(m, segment_size) /
	       ((double)m->age_ns / 1e9);
}

/* False if there is one already that is at least as bad: that one stays. */
bool health_verdict(struct health *h, enum health_level level,
		    const char *state)
{
	if (h->state && h->level >= level)
		return false;
	h->level = level;
	h->state = state;
	return true;
}

static void judge_pool(const struct ads_pool *p, struct health *h)
{
	switch (p->state) {
	case ADSHARD_POOL_OK:
	case ADSHARD_POOL_DEGRADED:	/* the members tell more */
		break;
	case ADSHARD_POOL_LOADING:
		health_verdict(h, HEALTH_WARN, "loading");
		snprintf(h->why, sizeof(h->why),
			 "the volume has not been started yet");
		snprintf(h->action, sizeof(h->action),
			 "none if somebody is activating it; otherwise 'adshardctl deactivate' and 'adshardctl activate'");
		break;
	case ADSHARD_POOL_READONLY:
		health_verdict(h, HEALTH_CRIT, "readonly");
		snprintf(h->why, sizeof(h->why),
			 "no metadata member takes records: data is served, but nothing can be moved any more");
		snprintf(h->action, sizeof(h->action),
			 "save the data; see the kernel log for the members' errors; deactivate and activate once they are repaired");
		break;
	case ADSHARD_POOL_STUCK:
		health_verdict(h, HEALTH_CRIT, "stuck");
		snprintf(h->why, sizeof(h->why),
			 "the outcome of a record is not known: both copies of a segment are written");
		snprintf(h->action, sizeof(h->action),
			 "deactivate and activate the pool");
		break;
	default:
		health_verdict(h, HEALTH_UNKNOWN, "unknown");
		snprintf(h->why, sizeof(h->why),
			 "the kernel reports state %u, which this adshardctl does not know",
			 p->state);
		snprintf(h->action, sizeof(h->action),
			 "update the tools");
		break;
	}
	if (p->suspended && health_verdict(h, HEALTH_WARN, "suspended")) {
		snprintf(h->why, sizeof(h->why),
			 "the volume is suspended: its I/O waits");
		snprintf(h->action, sizeof(h->action),
			 "resume it (dmsetup resume)");
	}
}

/* Lost data comes before disks that may yet lose some. */
static void judge_bad(const struct ads_pool *p, const struct ads_member *m,
		      size_t nr, const struct ads_bad *bad, size_t nr_bad,
		      struct health *h)
{
	struct bad_sum sum = { .ranges = p->nr_bad, .bytes = p->bad_bytes };
	char words[64], from[256];

	/* What was written since the pool was asked is no longer bad. */
	if (nr_bad)
		sum = bad_add_up(bad, nr_bad, NULL, NULL);
	if (!sum.ranges || !health_verdict(h, HEALTH_WARN, "bad-ranges"))
		return;
	bad_sources(bad, nr_bad, m, nr, from, sizeof(from));
	snprintf(h->why, sizeof(h->why),
		 "%s could not be read when they were moved%s%s%s; reads of them fail",
		 bad_words(sum, words, sizeof(words)),
		 from[0] ? " (from " : "", from, from[0] ? ")" : "");
	snprintf(h->action, sizeof(h->action),
		 "'adshardctl segments --bad --files' lists the files: restore them from a backup; what is written is good again");
}

static void judge_failed(const struct ads_member *m, struct health *h)
{
	char name[128];

	ads_member_name(m, name, sizeof(name));
	if (m->nr_segments + m->nr_lost) {
		uint32_t n = m->nr_segments + m->nr_lost;

		if (!health_verdict(h, HEALTH_CRIT, "degraded"))
			return;
		snprintf(h->why, sizeof(h->why),
			 "%s has failed with %u segment%s on it", name, n,
			 n == 1 ? "" : "s");
		snprintf(h->action, sizeof(h->action),
			 "'adshardctl renew all' lets these segments be written again: then restore their data from a backup ('adshardctl segments --member %u' lists them)",
			 m->index);
	} else if (health_verdict(h, HEALTH_WARN, "degraded")) {
		snprintf(h->why, sizeof(h->why),
			 "%s has failed; it holds no data", name);
		snprintf(h->action, sizeof(h->action),
			 "take it out and replace it when convenient");
	}
}

static void judge_draining(const struct ads_member *m, size_t moving,
			   bool paused, struct health *h)
{
	char name[128];

	ads_member_name(m, name, sizeof(name));
	if (moving && !paused) {
		/* As it should be: a word, not a warning. */
		if (!health_verdict(h, HEALTH_OK, "evacuating"))
			return;
		snprintf(h->why, sizeof(h->why),
			 "%s is being emptied: %u segment%s left", name,
			 m->nr_segments, m->nr_segments == 1 ? "" : "s");
		snprintf(h->action, sizeof(h->action),
			 "none; 'adshardctl wait drained %s' tells when it may be pulled",
			 name);
		return;
	}
	if (!health_verdict(h, HEALTH_WARN, "waiting"))
		return;
	snprintf(h->why, sizeof(h->why),
		 paused ? "%s is to be emptied (%u segments left), but copying is paused" :
		 "%s is to be emptied (%u segments left), but nothing moves",
		 name, m->nr_segments);
	snprintf(h->action, sizeof(h->action),
		 paused ? "'adshardctl resume' lets it go on" :
		 "'adshardctl evacuate %s' plans the rest", name);
}

static void judge_score(const struct ads_member *m,
			const struct ads_agent_status *agent, struct health *h)
{
	const struct ads_agent_member *a = ads_agent_find(agent, m->pool_uuid,
							  m->index);
	char name[128];

	/* One that is being emptied says so itself. */
	if (!a || a->score <= HEALTH_SCORE_WARN || !m->nr_segments ||
	    m->state != ADSHARD_MEMBER_ONLINE)
		return;
	ads_member_name(m, name, sizeof(name));
	if (!health_verdict(h, HEALTH_WARN, "at-risk"))
		return;
	snprintf(h->why, sizeof(h->why), "%s has a score of %d%s%s", name,
		 a->score, a->nr_reasons ? ": " : "",
		 a->nr_reasons ? a->reasons[0].text : "");
	if (a->score > HEALTH_SCORE_CRIT)
		snprintf(h->action, sizeof(h->action),
			 "none if the agent evacuates it; otherwise 'adshardctl evacuate %s'",
			 name);
	else
		snprintf(h->action, sizeof(h->action),
			 "have a replacement ready; 'adshardctl evacuate %s' empties it",
			 name);
}

static void judge_missing(const struct health_in *in,
			  const struct ads_member *m, struct health *h)
{
	size_t only = m->nr_segments;

	if (m->present || !m->nr_segments)
		return;
	if (in->nr_seg)
		only = health_only_there(in, m->index);
	if (!only) {
		if (!health_verdict(h, HEALTH_WARN, "degraded"))
			return;
		snprintf(h->why, sizeof(h->why),
			 "member %u is missing with %u cop%s on it; their segments have others",
			 m->index, m->nr_segments,
			 m->nr_segments == 1 ? "y" : "ies");
		snprintf(h->action, sizeof(h->action),
			 "bring the device back, or make the copies elsewhere: 'adshardctl rebuild'");
		return;
	}
	if (!health_verdict(h, HEALTH_CRIT, "degraded"))
		return;
	snprintf(h->why, sizeof(h->why),
		 "member %u is missing with the only copy of %zu segment%s on it",
		 m->index, only, only == 1 ? "" : "s");
	snprintf(h->action, sizeof(h->action),
		 "bring the device back and activate the pool again");
}

static void judge_errors(const struct ads_member *m, struct health *h)
{
	char name[128];

	if (!health_errors(m) || !health_verdict(h, HEALTH_WARN, "errors"))
		return;
	ads_member_name(m, name, sizeof(name));
	snprintf(h->why, sizeof(h->why),
		 "%s has had %llu I/O errors since the activation", name,
		 (unsigned long long)health_errors(m));
	if (m->nr_segments && m->state == ADSHARD_MEMBER_ONLINE)
		snprintf(h->action, sizeof(h->action),
			 "'adshardctl evacuate %s' empties it; the kernel log has the errors",
			 name);
	else
		snprintf(h->action, sizeof(h->action),
			 "replace it when convenient; the kernel log has the errors");
}

/* The kernel says degraded, and nothing of the above tells why. */
static void judge_degraded(const struct ads_member *m, size_t nr,
			   struct health *h)
{
	char name[128];

	if (!health_verdict(h, HEALTH_WARN, "degraded"))
		return;
	snprintf(h->why, sizeof(h->why),
		 "a member was dropped from the metadata since the activation");
	snprintf(h->action, sizeof(h->action),
		 "the kernel log has its error; the next activation takes it back if it works again");
	for (size_t i = 0; i < nr; i++) {
		if (m[i].meta != 1)
			continue;
		ads_member_name(&m[i], name, sizeof(name));
		snprintf(h->why, sizeof(h->why),
			 "%s takes no metadata any more", name);
		if (m[i].present && m[i].nr_segments)
			snprintf(h->action, sizeof(h->action),
				 "'adshardctl evacuate %s' empties it; the kernel log has the error",
				 name);
		return;
	}
}

static void judge_healthy(const struct ads_member *m, size_t nr,
			  size_t nr_mig, struct health *h)
{
	char name[128];

	snprintf(h->why, sizeof(h->why),
		 nr_mig ? "every member works; %zu segment%s on the move" :
		 "every member works", nr_mig, nr_mig == 1 ? "" : "s");
	snprintf(h->action, sizeof(h->action), "none");
	for (size_t i = 0; i < nr; i++) {
		if (m[i].state != ADSHARD_MEMBER_DRAINED || !m[i].present)
			continue;
		ads_member_name(&m[i], name, sizeof(name));
		snprintf(h->why, sizeof(h->why),
			 "%s is drained: it holds no data any more", name);
		snprintf(h->action, sizeof(h->action),
			 "pull it, or take it back with 'adshardctl member online %s'",
			 name);
		return;
	}
}

void health_judge(const struct health_in *in, struct health *h)
{
	const struct ads_pool *p = in->pool;
	size_t moves = 0;

	memset(h, 0, sizeof(*h));
	for (size_t i = 0; i < in->nr_mig; i++)
		moves += in->mig[i].kind == ADSHARD_KIND_MOVE;
	judge_pool(p, h);
	judge_bad(p, in->m, in->nr_m, in->bad, in->nr_bad, h);
	health_judge_legs(in, h);
	for (size_t i = 0; i < in->nr_m; i++) {
		const struct ads_member *m = &in->m[i];
		size_t moving = 0;

		if (m->state == ADSHARD_MEMBER_FAILED) {
			judge_failed(m, h);
			continue;
		}
		judge_missing(in, m, h);
		judge_errors(m, h);
		judge_score(m, in->agent, h);
		for (size_t k = 0; k < in->nr_mig; k++)
			moving += in->mig[k].kind == ADSHARD_KIND_MOVE &&
				  in->mig[k].src == m->index;
		if (m->state == ADSHARD_MEMBER_DRAINING && m->nr_segments)
			judge_draining(m, moving, p->paused, h);
	}
	if (p->state == ADSHARD_POOL_DEGRADED)
		judge_degraded(in->m, in->nr_m, h);
	if (health_verdict(h, HEALTH_OK, "healthy"))
		judge_healthy(in->m, in->nr_m, moves, h);
}
