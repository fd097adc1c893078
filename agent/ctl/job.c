// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/units.h"

#include "health.h"
#include "job.h"

#define TICK_MS		500
#define PAUSE_US	100000	/* events may come faster than dumps are worth */
#define GIVE_WAY_TRIES	20
#define GIVE_WAY_US	50000

size_t job_count(const struct job *j, enum job_state state)
{
	size_t n = 0;

	for (size_t i = 0; i < j->nr; i++)
		n += j->seg[i].state == state;
	return n;
}

struct job_segment *job_find(struct job *j, uint32_t segment)
{
	size_t low = 0, high = j->nr;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (j->seg[mid].segment == segment)
			return &j->seg[mid];
		if (j->seg[mid].segment < segment)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

void job_take_legs(struct job_segment *s, const struct ads_segment *seg,
		   uint32_t leaves)
{
	s->nr_on = s->nr_with = 0;
	for (uint32_t i = 0; i < seg->nr_legs; i++) {
		s->on[s->nr_on++] = seg->leg[i].member;
		if (seg->leg[i].member != leaves)
			s->with[s->nr_with++] = seg->leg[i].member;
	}
}

void job_place_segment(const struct job_segment *s,
		       struct ads_place_segment *out)
{
	out->segment = s->segment;
	out->nr_on = s->nr_on;
	memcpy(out->on, s->on, sizeof(out->on));
	out->nr_with = s->nr_with;
	memcpy(out->with, s->with, sizeof(out->with));
}

/* A stale leg that is to be filled again is resynced, however it was asked for. */
static bool same_kind(uint32_t a, uint32_t b)
{
	if (a == ADSHARD_KIND_RESYNC)
		a = ADSHARD_KIND_ADD;
	if (b == ADSHARD_KIND_RESYNC)
		b = ADSHARD_KIND_ADD;
	return a == b;
}

/* The operation that is under way on the segment. 1, 0 if there is none, -errno. */
static int find_op(struct job *j, uint32_t segment, struct ads_migration *out)
{
	struct ads_migration *mig;
	int rc;
	size_t n;

	rc = ads_nl_migrations(j->c->nl, j->pool.uuid, &mig, &n, NULL);
	if (rc)
		return rc;
	for (size_t i = 0; i < n && !rc; i++) {
		if (mig[i].segment != segment)
			continue;
		*out = mig[i];
		rc = 1;
	}
	free(mig);
	return rc;
}

/*
 * The segment is busy. What aims at the same is adopted; another move to another
 * place too, for the caller to see; a scrub was told to stop; and behind anything
 * else it waits. 0: try again.
 */
static int give_way(struct job *j, struct job_segment *s)
{
	struct ads_migration op = { .segment = 0 };
	int rc = find_op(j, s->segment, &op);

	if (rc <= 0)
		return rc;
	if (op.kind == ADSHARD_KIND_SCRUB && s->kind != ADSHARD_KIND_SCRUB) {
		rc = ads_nl_abort_segment(j->c->nl, j->pool.uuid, s->segment,
					  NULL);
		return rc == -ENOENT ? 0 : rc;
	}
	if (!same_kind(op.kind, s->kind) ||
	    (s->kind == ADSHARD_KIND_MOVE && op.src != s->src) ||
	    (s->kind == ADSHARD_KIND_ADD && op.dst != s->dst)) {
		s->behind = true;
		return 1;
	}
	if (s->kind != ADSHARD_KIND_SCRUB) {
		s->src = op.src;
		s->dst = op.dst;
	}
	s->adopted = true;
	return 1;
}

static int start(struct job *j, struct job_segment *s, struct ads_err *err)
{
	const struct ads_op op = {
		.kind = s->kind,
		.segment = s->segment,
		.dst = s->dst,
		.has_src = s->src != ADS_PLACE_NONE && s->nr_on > 1,
		.src = s->src,
		.priority = s->priority,
		.cookie = s->cookie,
	};

	err->text[0] = '\0';
	return ads_nl_start(j->c->nl, j->pool.uuid, &op, err);
}

int job_queue(struct job *j, struct job_segment *s, uint32_t priority,
	      uint64_t cookie)
{
	struct ads_err err;
	int rc;

	s->adopted = s->dst_fault = s->behind = s->told_done = false;
	s->why[0] = '\0';
	s->priority = priority;
	s->cookie = cookie;
	/* A scrub that was told to stop is gone after the chunk in hand. */
	for (int try = 0; ; try++) {
		rc = start(j, s, &err);
		if (rc != -EBUSY || try == GIVE_WAY_TRIES)
			break;
		if (give_way(j, s) == 1) {
			rc = 0;
			break;
		}
		usleep(GIVE_WAY_US);
	}
	if (rc == -EALREADY) {
		s->state = JOB_DONE;
		return 0;
	}
	s->state = rc ? JOB_FAILED : JOB_PENDING;
	if (rc)
		snprintf(s->why, sizeof(s->why), "%s", ads_err_text(&err, rc));
	return rc;
}

static int on_event(const struct ads_event *ev, void *arg)
{
	struct job *j = arg;
	struct job_segment *s;

	if (ev->overrun || memcmp(ev->pool_uuid, j->pool.uuid, ADS_UUID_LEN))
		return 0;
	if (j->told)
		j->told(j, ev);
	if (!(ev->has & ADS_EV_SEGMENT))
		return 0;
	if (ev->type != ADSHARD_EVENT_MIGRATION_DONE &&
	    ev->type != ADSHARD_EVENT_MIGRATION_FAILED &&
	    ev->type != ADSHARD_EVENT_MIGRATION_ABORTED)
		return 0;
	s = job_find(j, ev->segment);
	/* Not of what it waited for, or what made way. */
	if (!s || s->behind || !same_kind(s->kind, ev->kind))
		return 0;
	if (ev->has & ADS_EV_COUNTERS) {
		j->bytes_copied += ev->bytes_copied;
		j->chunks_verified += ev->chunks_verified;
		j->chunks_recopied += ev->chunks_recopied;
		j->mismatches += ev->mismatches;
		if (ev->hold_max_ns > j->hold_max_ns)
			j->hold_max_ns = ev->hold_max_ns;
	}
	/* Only the reason: the outcome is read from the map. */
	if (ev->has & ADS_EV_TEXT)
		snprintf(s->why, sizeof(s->why), "%s", ev->text);
	else if (ev->has & ADS_EV_ERROR)
		snprintf(s->why, sizeof(s->why), "%s", strerror(ev->error));
	else if (ev->type == ADSHARD_EVENT_MIGRATION_ABORTED)
		snprintf(s->why, sizeof(s->why), "aborted");
	if (ev->type == ADSHARD_EVENT_MIGRATION_DONE) {
		s->bad_bytes = ev->bad_bytes;
		s->told_done = true;
	}
	if (ads_event_blames_dst(ev) && ev->dst == s->dst)
		s->dst_fault = true;
	if (ev->type == ADSHARD_EVENT_MIGRATION_ABORTED &&
	    s->state == JOB_PENDING)
		s->state = JOB_ABORTED;
	return 0;
}

static bool lives_on(const struct ads_segment *s, uint32_t member)
{
	for (uint32_t i = 0; i < s->nr_legs; i++)
		if (s->leg[i].member == member &&
		    s->leg[i].state == ADSHARD_LEG_SYNC)
			return true;
	return false;
}

/* Has it got where it should be? A scrub leaves no trace but its event. */
static bool arrived(const struct job_segment *s, const struct ads_segment *seg)
{
	switch (s->kind) {
	case ADSHARD_KIND_MOVE:
		return lives_on(seg, s->dst) && !lives_on(seg, s->src);
	case ADSHARD_KIND_SCRUB:
		return s->told_done;
	default:
		return lives_on(seg, s->dst);
	}
}

/* A pending segment that the kernel does nothing with any more: where is it? */
static int settle(struct job *j, struct job_segment *s, struct ads_err *err)
{
	struct ads_seg_filter f = { .first = s->segment, .count = 1 };
	struct ads_segment *seg;
	size_t n;
	int rc;

	if (s->behind) {
		job_queue(j, s, s->priority, s->cookie);
		return 0;
	}
	rc = ads_nl_segments(j->c->nl, j->pool.uuid, &f, &seg, &n, err);
	if (rc)
		return rc;
	if (n && arrived(s, &seg[0]))
		s->state = JOB_DONE;
	else
		s->state = JOB_FAILED;
	if (s->state == JOB_FAILED && !s->why[0])
		snprintf(s->why, sizeof(s->why),
			 s->kind == ADSHARD_KIND_MOVE ?
			 "its migration ended without it (see the kernel log)" :
			 "the kernel ended it without a word (see its log)");
	free(seg);
	return 0;
}

struct tally {
	uint64_t done_bytes;
	size_t done, active;
};

/* Reads the kernel's state, settles what has ended, counts. */
static int take_stock(struct job *j, struct tally *t, struct ads_err *err)
{
	struct ads_migration *mig;
	struct ads_member *m;
	bool *moving;
	size_t n, nr_m;
	int rc;

	memset(t, 0, sizeof(*t));
	rc = ads_nl_pool(j->c->nl, j->pool.uuid, &j->pool, err);
	if (!rc)
		rc = ads_nl_members(j->c->nl, j->pool.uuid, &m, &nr_m, err);
	if (rc)
		return rc;
	free(j->m);
	j->m = m;
	j->nr_m = nr_m;
	rc = ads_nl_migrations(j->c->nl, j->pool.uuid, &mig, &n, err);
	if (rc)
		return rc;
	moving = calloc(j->nr + 1, sizeof(*moving));
	if (!moving) {
		free(mig);
		return -ENOMEM;
	}
	for (size_t i = 0; i < n; i++) {
		struct job_segment *s = job_find(j, mig[i].segment);
		uint64_t part;

		if (!s)
			continue;
		moving[s - j->seg] = true;
		t->active += mig[i].step != ADSHARD_STEP_QUEUED;
		if (s->behind)
			continue;
		part = migration_done_bytes(&mig[i], j->pool.segment_size);
		if (part >= j->pool.segment_size)
			part = j->pool.segment_size - 1;
		t->done_bytes += part;
	}
	free(mig);
	/* Reasons before outcomes: an event is sent before its end is visible. */
	rc = ads_nl_read_events(j->c->nl, on_event, j, err);
	for (size_t i = 0; rc >= 0 && i < j->nr; i++) {
		struct job_segment *s = &j->seg[i];

		if (s->state == JOB_PENDING && !moving[i])
			rc = settle(j, s, err);
		if (rc >= 0 && !moving[i] && j->again &&
		    (s->state == JOB_FAILED || s->state == JOB_ABORTED))
			j->again(j, s);
		t->done += s->state == JOB_DONE;
	}
	free(moving);
	t->done += j->before;
	t->done_bytes += (uint64_t)t->done * j->pool.segment_size;
	return rc < 0 ? rc : 0;
}

static const char *note(const struct job *j, const struct tally *t, char *buf,
			size_t size)
{
	if (j->pool.suspended)
		return "the volume is suspended";
	if (j->pool.paused)
		return "copying is paused";
	if (j->pool.state == ADSHARD_POOL_READONLY)
		return "no metadata member takes records";
	if (j->pool.state == ADSHARD_POOL_STUCK)
		return "the outcome of a record is not known";
	snprintf(buf, size, "%zu active", t->active);
	return buf;
}

static bool of_segment(const struct ads_bad *b, void *arg)
{
	const struct job_segment *s = job_find(arg, b->segment);

	return s && s->state == JOB_DONE && s->src == b->from;
}

int job_count_bad(struct job *j, struct ads_err *err)
{
	return bad_ask(j->c, j->pool.uuid, j->mine ? j->mine : of_segment, j,
		       &j->bad, err);
}

static int finish(struct job *j, const struct tally *t, size_t total, int rc)
{
	struct ads_err err = { "" };
	bool failed = job_count(j, JOB_FAILED) || job_count(j, JOB_ABORTED);
	char text[64];

	/* There may be more to do: it isn't the last line yet. */
	if (!rc && !failed && j->more && j->more(j)) {
		ads_progress_clear(&j->progress);
		return CTL_OK;
	}
	ads_progress_finish(&j->progress, ads_now(), t->done_bytes,
			    total * j->pool.segment_size, t->done, total,
			    note(j, t, text, sizeof(text)));
	if (rc)
		return rc;
	rc = job_count_bad(j, &err);
	if (rc)
		return ctl_fail_err(j->c, rc, &err);
	return failed ? CTL_ERRORS : j->bad.ranges ? CTL_UNREAD : CTL_OK;
}

int job_wait(struct job *j, const char *what)
{
	struct ctl *c = j->c;
	size_t total = j->nr + j->before + j->later;
	struct pollfd p = { .fd = ads_nl_event_fd(c->nl), .events = POLLIN };

	/* In a later round the rate and the time of the last line still count. */
	if (!j->rounds++)
		ads_progress_init(&j->progress,
			  c->json && c->progress == ADS_PROGRESS_AUTO ?
			  ADS_PROGRESS_NONE : c->progress,
			  c->json ? stderr : stdout, what);
	for (;;) {
		struct ads_err err = { "" };
		struct tally t;
		char text[64];
		int rc;

		rc = take_stock(j, &t, &err);
		if (rc) {
			ads_progress_clear(&j->progress);
			return ctl_fail_err(c, rc, &err);
		}
		rc = j->check ? j->check(j) : 0;
		if (!rc && j->pool.state == ADSHARD_POOL_STUCK &&
		    job_count(j, JOB_PENDING)) {
			ads_progress_clear(&j->progress);
			return ctl_fail(c, CTL_ERRORS,
					"%s: the pool is stuck: what has moved is decided when it is deactivated and activated again",
					what);
		}
		if (rc)
			return finish(j, &t, total, rc);
		if (!job_count(j, JOB_PENDING) && !job_count(j, JOB_PLANNED))
			return finish(j, &t, total, 0);
		if (ctl_interrupted()) {
			ads_progress_clear(&j->progress);
			ctl_warn(c,
				 "interrupted; the kernel goes on with %s (adshardctl status shows it)",
				 what);
			return CTL_DETACHED;
		}
		ads_progress_update(&j->progress, ads_now(), t.done_bytes,
				    total * j->pool.segment_size, t.done,
				    total, note(j, &t, text, sizeof(text)));
		if (poll(&p, 1, TICK_MS) > 0)
			usleep(PAUSE_US);
	}
}

struct ads_place_member *job_place_members(const struct job *j,
					   const struct ads_agent_status *agent)
{
	struct ads_place_member *pm = calloc(j->nr_m + 1, sizeof(*pm));

	for (size_t i = 0; pm && i < j->nr_m; i++) {
		const struct ads_member *m = &j->m[i];
		const struct ads_agent_member *a =
			ads_agent_find(agent, m->pool_uuid, m->index);
		char name[128];

		ads_member_name(m, name, sizeof(name));
		pm[i].name = strdup(name);
		pm[i].index = m->index;
		pm[i].state = m->state;
		pm[i].present = m->present;
		pm[i].spare = m->spare;
		pm[i].domain = m->domain;	/* (of j->m) */
		pm[i].nr_slots = m->nr_slots;
		/* The kernel reserves the slot when a migration is queued. */
		pm[i].nr_free = m->nr_free;
		pm[i].score = a ? a->score : -1;
		pm[i].load = -1;
	}
	return pm;
}

void job_place_free(struct ads_place_member *pm, size_t nr)
{
	for (size_t i = 0; pm && i < nr; i++)
		free((char *)(uintptr_t)pm[i].name);
	free(pm);
}

void job_free_segments(struct job *j)
{
	for (size_t i = 0; i < j->nr; i++)
		free(j->seg[i].failed_dst);
	free(j->seg);
	j->seg = NULL;
	j->nr = 0;
}

void job_free(struct job *j)
{
	free(j->m);
	job_free_segments(j);
}
