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
#define FAILURES_SHOWN	5

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

/* Where the segment is on its way to already; false if it isn't. */
static bool adopt(struct job *j, struct job_segment *s)
{
	struct ads_migration *mig;
	bool found = false;
	size_t n;

	if (ads_nl_migrations(j->c->nl, j->pool.uuid, &mig, &n, NULL))
		return false;
	for (size_t i = 0; i < n && !found; i++) {
		if (mig[i].segment != s->segment)
			continue;
		s->src = mig[i].src;
		s->dst = mig[i].dst;
		s->adopted = true;
		found = true;
	}
	free(mig);
	return found;
}

int job_queue(struct job *j, struct job_segment *s, uint32_t priority,
	      uint64_t cookie)
{
	struct ads_err err = { "" };
	int rc;

	s->adopted = s->dst_fault = false;
	s->why[0] = '\0';
	rc = ads_nl_migrate(j->c->nl, j->pool.uuid, s->segment, s->dst,
			    priority, cookie, &err);
	if (rc == -EALREADY) {
		s->state = JOB_DONE;
		return 0;
	}
	if (rc == -EBUSY && adopt(j, s))
		rc = 0;
	s->state = rc ? JOB_FAILED : JOB_PENDING;
	if (rc)
		snprintf(s->why, sizeof(s->why), "%s", ads_err_text(&err, rc));
	return rc;
}

static int on_event(const struct ads_event *ev, void *arg)
{
	struct job *j = arg;
	struct job_segment *s;

	if (ev->overrun || memcmp(ev->pool_uuid, j->pool.uuid, ADS_UUID_LEN) ||
	    !(ev->has & ADS_EV_SEGMENT))
		return 0;
	if (ev->type != ADSHARD_EVENT_MIGRATION_DONE &&
	    ev->type != ADSHARD_EVENT_MIGRATION_FAILED &&
	    ev->type != ADSHARD_EVENT_MIGRATION_ABORTED)
		return 0;
	s = job_find(j, ev->segment);
	if (!s)
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
	if (ev->type == ADSHARD_EVENT_MIGRATION_DONE)
		s->bad_bytes = ev->bad_bytes;
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

/* A pending segment that the kernel no longer moves: where is it? */
static int settle(struct job *j, struct job_segment *s, struct ads_err *err)
{
	struct ads_seg_filter f = { .first = s->segment, .count = 1 };
	struct ads_segment *seg;
	size_t n;
	int rc;

	rc = ads_nl_segments(j->c->nl, j->pool.uuid, &f, &seg, &n, err);
	if (rc)
		return rc;
	if (n && lives_on(&seg[0], s->dst) && !lives_on(&seg[0], s->src))
		s->state = JOB_DONE;
	else
		s->state = JOB_FAILED;
	if (s->state == JOB_FAILED && !s->why[0])
		snprintf(s->why, sizeof(s->why),
			 "its migration ended without it (see the kernel log)");
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
	size_t total = j->nr + j->before;
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
			ctl_warn(c, "interrupted; the kernel goes on with %s (adshardctl status shows it)",
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

void job_report_failures(struct job *j)
{
	size_t shown = 0, all = job_count(j, JOB_FAILED) +
				job_count(j, JOB_ABORTED);
	char src[128], dst[128];

	for (size_t i = 0; i < j->nr && shown < FAILURES_SHOWN; i++) {
		const struct job_segment *s = &j->seg[i];

		if (s->state != JOB_FAILED && s->state != JOB_ABORTED)
			continue;
		ctl_member_name(j->m, j->nr_m, s->src, src, sizeof(src));
		ctl_member_name(j->m, j->nr_m, s->dst, dst, sizeof(dst));
		ctl_warn(j->c, "segment %u stays on %s, did not go to %s: %s",
			 s->segment, src, dst,
			 s->why[0] ? s->why : "unknown reason");
		shown++;
	}
	if (all > shown)
		ctl_warn(j->c, "and %zu more", all - shown);
}

void job_summary(struct job *j, const char *what)
{
	size_t done = j->moved + job_count(j, JOB_DONE);
	char bytes[32], hold[32];
	struct json_object *o;

	if (!j->c->doc) {
		snprintf(hold, sizeof(hold), "%.1f ms", j->hold_max_ns / 1e6);
		ctl_say(j->c, "%s: %zu segment%s moved, %s copied, %llu chunks compared, %llu mismatches, longest wait of a write %s",
			what, done, done == 1 ? "" : "s",
			ads_format_size(j->bytes_copied, false, bytes,
					sizeof(bytes)),
			(unsigned long long)j->chunks_verified,
			(unsigned long long)j->mismatches, hold);
		return;
	}
	o = ads_json_obj(j->c->doc, "result");
	ads_json_u64(o, "segments_done", done);
	ads_json_u64(o, "segments_failed", job_count(j, JOB_FAILED));
	ads_json_u64(o, "segments_aborted", job_count(j, JOB_ABORTED));
	ads_json_u64(o, "segments_pending", job_count(j, JOB_PENDING));
	ads_json_u64(o, "bytes_copied", j->bytes_copied);
	ads_json_u64(o, "chunks_verified", j->chunks_verified);
	ads_json_u64(o, "chunks_recopied", j->chunks_recopied);
	ads_json_u64(o, "mismatches", j->mismatches);
	ads_json_double(o, "longest_hold_seconds", j->hold_max_ns / 1e9);
	ads_json_u64(o, "bad_ranges", j->bad.ranges);
	ads_json_u64(o, "bad_bytes", j->bad.bytes);
}

void job_json_segments(struct job *j, struct json_object *o)
{
	static const char *const states[] = {
		[JOB_PLANNED] = "planned", [JOB_PENDING] = "pending",
		[JOB_DONE] = "done", [JOB_FAILED] = "failed",
		[JOB_ABORTED] = "aborted",
	};
	struct json_object *list = ads_json_arr(o, "segments");

	for (size_t i = 0; i < j->nr; i++) {
		const struct job_segment *s = &j->seg[i];
		struct json_object *e = ads_json_push(list);

		ads_json_u64(e, "segment", s->segment);
		ads_json_u64(e, "source", s->src);
		ads_json_u64(e, "destination", s->dst);
		ads_json_str(e, "state", states[s->state]);
		ads_json_bool(e, "adopted", s->adopted);
		ads_json_str(e, "reason", s->why[0] && s->state != JOB_DONE ?
			     s->why : NULL);
		ads_json_u64(e, "bad_bytes", s->bad_bytes);
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
