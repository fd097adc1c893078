// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/cookie.h"
#include "daemon/cycle.h"
#include "daemon/evacuate.h"
#include "daemon/history/history.h"
#include "daemon/log.h"
#include "daemon/plan/jobs.h"
#include "daemon/plan/rebuild.h"
#include "daemon/planner.h"
#include "lib/units.h"

#define MAX_MOVES	4096
#define LIST_AGE	30.0	/* seconds; events tell what happens between */
#define LIST_PAUSE	2.0
#define LIST_LOST	60.0	/* an answer that did not come */

static struct job *job_of(const struct member *m)
{
	return jobs_running(m->daemon->jobs, m->k.uuid);
}

static bool ended_with_errors(const struct member *m)
{
	const struct job *j = jobs_last(m->daemon->jobs, m->k.uuid);

	return j && j->state == JOB_WITH_ERRORS;
}

int evacuate_priority(const struct member *m, const struct job *j)
{
	if (j && j->priority != JOB_NO_PRIORITY)
		return j->priority;
	return m->risk.score > 0 ? m->risk.score : 0;
}

/* One that the operator has paused keeps no other from beginning. */
bool evacuate_busy(const struct member *m)
{
	const struct job *j = job_of(m);

	return !(j && j->paused) && m->k.state == ADSHARD_MEMBER_DRAINING &&
	       !(m->drain && ended_with_errors(m));
}

static bool counted(const struct pool *p, uint32_t segment)
{
	for (size_t i = 0; i < p->nr_migrations; i++)
		if (p->migrations[i].segment == segment)
			return true;
	return false;
}

uint32_t evacuate_incoming(const struct pool *p, uint32_t index)
{
	uint32_t n = 0;

	for (struct member *m = p->members; m; m = m->next) {
		const struct drain *d = m->drain;

		for (size_t i = 0; d && i < d->nr_sent; i++)
			n += d->sent[i].dst == index &&
			     (!d->sent[i].serial ||
			      d->sent[i].serial > p->view_serial) &&
			     !counted(p, d->sent[i].segment);
	}
	for (size_t i = 0; p->rebuild && i < p->rebuild->nr_sent; i++) {
		const struct rebuild_sent *s = &p->rebuild->sent[i];

		n += s->step.dst == index &&
		     (!s->serial || s->serial > p->view_serial) &&
		     !counted(p, s->step.segment);
	}
	return n + planner_incoming(p, index);
}

struct ads_place_member *evacuate_members(const struct pool *p, size_t *n)
{
	struct ads_place_member *list;
	size_t i = 0;

	*n = 0;
	for (struct member *m = p->members; m; m = m->next)
		++*n;
	list = calloc(*n ? *n : 1, sizeof(*list));
	if (!list)
		return NULL;
	for (struct member *m = p->members; m; m = m->next, i++) {
		list[i].index = m->k.index;
		list[i].name = m->dev.path[0] ? m->dev.path : "missing";
		list[i].state = m->k.state;
		list[i].present = m->k.present;
		list[i].spare = m->k.spare;
		list[i].domain = m->k.domain;
		list[i].nr_slots = m->k.nr_slots;
		list[i].nr_free = m->k.nr_free;
		list[i].incoming = evacuate_incoming(p, m->k.index);
		list[i].score = m->risk.score;
		/* one that is to go next is no place to go to */
		if (m->track.at_risk && list[i].score >= 0)
			list[i].score = 100;
		list[i].load = m->io.known ? m->io.load : -1;
	}
	return list;
}

uint64_t evacuate_room(const struct member *m)
{
	struct ads_place_opts opts = {
		.max_score = m->daemon->config->plan.max_score,
		.exclude = &m->k.index,
		.nr_exclude = 1,
	};
	struct ads_place_member *list;
	uint64_t room;
	size_t n;

	list = evacuate_members(m->pool, &n);
	if (!list)
		return 0;
	room = ads_place_room(list, n, &opts);
	free(list);
	return room;
}

/* -- the job -------------------------------------------------------------------- */

static void end(struct member *m, struct job *j, enum job_state state,
		int priority, const char *text)
{
	job_end(m->daemon->jobs, j, state, now_epoch());
	history_job(m->daemon->history, j);
	log_write(priority, m->object, "job %llu: %s: %llu of %llu segments moved%s%s",
		  (unsigned long long)j->id, job_state_name(j),
		  (unsigned long long)j->segments_done,
		  (unsigned long long)j->segments_total, text[0] ? "; " : "",
		  text);
}

static struct job *adopt(struct member *m)
{
	struct adshardd *d = m->daemon;
	struct job *j = job_of(m);

	if (j && j->started >= d->started)
		return j;
	if (j) {
		log_notice(m->object, "job %llu goes on: %u segments left, %zu on their way",
			   (unsigned long long)j->id, m->k.nr_segments,
			   m->pool->nr_migrations);
		return j;
	}
	j = jobs_add(d->jobs, m->pool->k.uuid, m->k.uuid, m->k.index,
		     m->by_agent ? "found draining" : "set draining by the operator",
		     m->by_agent, now_epoch());
	if (!j)
		return NULL;
	job_progress(j, m->k.nr_segments, m->pool->k.segment_size, 0);
	history_job(d->history, j);
	log_notice(m->object, "is draining: emptying it (job %llu), %u segments",
		   (unsigned long long)j->id, m->k.nr_segments);
	return j;
}

static void progress(struct member *m, struct job *j)
{
	const struct pool *p = m->pool;
	uint64_t copied = 0, one;

	for (size_t i = 0; i < p->nr_migrations; i++) {
		const struct ads_migration *g = &p->migrations[i];

		if (g->kind != ADSHARD_KIND_MOVE || g->src != m->k.index)
			continue;
		one = g->chunks_done * p->k.chunk_size;
		copied += one < p->k.segment_size ? one : p->k.segment_size;
	}
	job_progress(j, m->k.nr_segments, p->k.segment_size, copied);
	if (j->paused)
		snprintf(j->note, sizeof(j->note), "paused by the operator");
	else
		snprintf(j->note, sizeof(j->note), "%s", m->drain->note);
}

/* "12.0 KiB in 3 ranges could not be read", or "" */
static const char *unread(const struct member *m, char *buf, size_t size)
{
	uint64_t ranges, bytes;
	char text[32];

	model_bad(m, &ranges, &bytes);
	buf[0] = 0;
	if (ranges)
		snprintf(buf, size, "%s in %llu range%s could not be read",
			 ads_format_size(bytes, false, text, sizeof(text)),
			 (unsigned long long)ranges, ranges == 1 ? "" : "s");
	return buf;
}

/* It is empty. What could not be read is lost, but not a reason to stay. */
static void drained(struct member *m, struct job *j)
{
	char text[200];

	if (!unread(m, j->note, sizeof(j->note))[0]) {
		end(m, j, JOB_DRAINED, LOG_NOTICE,
		    "the member may be removed");
		return;
	}
	snprintf(text, sizeof(text), "%.150s; the member may be removed",
		 j->note);
	end(m, j, JOB_WITH_ERRORS, LOG_WARNING, text);
}

/* The first few that could not be moved, and why the first one. */
static void list_given_up(const struct drain *d, char *buf, size_t size)
{
	size_t len = 0, n = 0;
	const char *why = "";

	buf[0] = 0;
	for (size_t i = 0; i < d->nr_retry && len + 16 < size; i++) {
		if (!d->retry[i].given_up)
			continue;
		if (!n)
			why = d->retry[i].why;
		if (++n > 5) {
			len += snprintf(buf + len, size - len, ", ...");
			break;
		}
		len += snprintf(buf + len, size - len, "%s%u",
				n > 1 ? ", " : "can't be moved: ",
				d->retry[i].segment);
	}
	if (len < size && why[0])
		snprintf(buf + len, size - len, " (%s)", why);
}

/* -- moving ----------------------------------------------------------------------- */

static void ask_list(struct member *m)
{
	struct drain *d = m->drain;
	double now = now_mono(), age = now - d->listed_at;
	/* a big list is not made all the time */
	double pause = LIST_PAUSE + (double)d->nr / 20000;

	if (d->asked && now - d->asked < LIST_LOST)
		return;
	if (d->listed_at && age < pause)
		return;
	if (d->listed && age < LIST_AGE && m->k.nr_segments == drain_left(d))
		return;
	if (!kernel_ask_segments(m->daemon->kernel, m->pool->k.uuid,
				 m->k.index))
		d->asked = now;
}

static void send_moves(struct member *m, const struct job *j)
{
	struct adshardd *daemon = m->daemon;
	struct plan_input in = {
		.now = now_epoch(),
		.config = daemon->config,
		.source = m->k.index,
		.migrations = m->pool->migrations,
		.nr_migrations = m->pool->nr_migrations,
	};
	struct plan_move *moves;
	size_t n, max = daemon->config->plan.window;
	char text[300];

	if (max > MAX_MOVES)
		max = MAX_MOVES;
	moves = calloc(max, sizeof(*moves));
	in.members = evacuate_members(m->pool, &in.nr_members);
	n = moves && in.members ? plan_moves(m->drain, &in, moves, max) : 0;
	for (size_t i = 0; i < n; i++) {
		struct kernel_command cmd = {
			.verb = KERNEL_START,
			.op = {
				.kind = ADSHARD_KIND_MOVE,
				.segment = moves[i].segment,
				.dst = moves[i].dst,
				.has_src = m->pool->has_copies,
				.src = m->k.index,
				.priority = evacuate_priority(m, j),
				.cookie = cookie_make(COOKIE_EVACUATE, j->id),
			},
		};

		log_debug(m->object, "segment %u to member %u",
			  moves[i].segment, moves[i].dst);
		memcpy(cmd.pool, m->pool->k.uuid, ADS_UUID_LEN);
		if (kernel_do(daemon->kernel, &cmd)) {
			snprintf(text, sizeof(text), "too many requests wait");
			drain_answer(m->drain, moves[i].segment, -EAGAIN, text,
				     0, in.now, daemon->config);
		}
	}
	free(moves);
	free(in.members);
}

/* When room becomes short or shorter, not with each segment that moves. */
static void tell_room(struct member *m, uint64_t before)
{
	if (m->drain->no_room > before)
		log_warn(m->object, "%s", m->drain->note);
}

static void empty(struct member *m)
{
	uint64_t before;
	char text[200];
	struct job *j;

	if (!m->drain) {
		m->drain = drain_new();
		if (!m->drain)
			return;
		j = adopt(m);
	} else {
		/* given up for good; a restart or a new evacuation tries again */
		if (ended_with_errors(m))
			return;
		j = job_of(m);
		if (!j)
			j = adopt(m);
	}
	if (!j)
		return;
	ask_list(m);
	before = m->drain->no_room;
	if (m->drain->listed && !m->pool->k.suspended && !j->paused)
		send_moves(m, j);
	tell_room(m, before);
	progress(m, j);
	/* events run ahead of the view, by which progress is counted */
	if (drain_stuck(m->drain) &&
	    m->k.nr_segments == drain_left(m->drain)) {
		list_given_up(m->drain, text, sizeof(text));
		snprintf(j->note, sizeof(j->note), "%s", text);
		end(m, j, JOB_WITH_ERRORS, LOG_ERR, text);
	}
}

void evacuate_run(struct member *m)
{
	struct job *j;

	if (m->k.state == ADSHARD_MEMBER_DRAINING) {
		empty(m);
		return;
	}
	j = job_of(m);
	if (j) {
		job_progress(j, m->k.nr_segments, m->pool->k.segment_size, 0);
		j->note[0] = 0;
		switch (m->k.state) {
		case ADSHARD_MEMBER_DRAINED:
			drained(m, j);
			break;
		case ADSHARD_MEMBER_FAILED:
			end(m, j, JOB_FAILED, LOG_ERR,
			    "the member has failed");
			break;
		default:
			end(m, j, JOB_CANCELLED, LOG_NOTICE,
			    m->drain ? "the member was set online" :
				       "the member is not draining");
		}
	}
	drain_free(m->drain);
	m->drain = NULL;
	/* whoever drains it next is not known yet */
	if (m->by_agent && m->k.state == ADSHARD_MEMBER_ONLINE) {
		m->by_agent = false;
		cycle_save(m);
	}
}

void evacuate_list(struct member *m, const struct kernel_segments *s)
{
	m->drain->asked = 0;
	if (s->error)
		return;
	for (size_t i = 0; i < s->nr && !m->pool->has_copies; i++)
		m->pool->has_copies = s->segments[i].wanted > 1;
	if (drain_list(m->drain, s, m->pool->heat, now_epoch(),
		       m->daemon->config))
		log_error(m->object, "no memory for a list of %zu segments",
			  s->nr);
	m->drain->listed_at = now_mono();
}

void evacuate_answer(struct member *m, const struct kernel_command *c)
{
	const char *why = ads_err_text(&c->err, c->error);

	if (c->error && c->error != -EALREADY)
		log_info(m->object, "segment %u to member %u: %s",
			 c->op.segment, c->op.dst, why);
	drain_answer(m->drain, c->op.segment, c->error, why, c->serial,
		     now_epoch(), m->daemon->config);
}

/* A destination that can't be written is on its way to failing. */
static void blame(struct member *m, const struct ads_event *ev)
{
	struct member *dst = model_member(m->pool, ev->dst);

	if (!dst)
		return;
	errors_refused(&dst->errors, now_epoch(), ev->text,
		       m->daemon->config);
	log_warn(dst->object, "segment %u could not be moved to it: %s",
		 ev->segment, ev->text);
}

void evacuate_event(struct member *m, const struct ads_event *ev)
{
	uint32_t to_blame = ADS_PLACE_NONE;
	char bytes[32];
	const char *why = ev->has & ADS_EV_TEXT ? ev->text :
			  strerror((int)ev->error);
	int error;

	if (ev->lost) {
		m->drain->listed = false;
		m->drain->listed_at = 0;
	}
	if (!(ev->has & ADS_EV_SRC) || ev->src != m->k.index ||
	    ev->kind != ADSHARD_KIND_MOVE)
		return;
	switch (ev->type) {
	case ADSHARD_EVENT_MIGRATION_DONE:
		error = 0;
		break;
	case ADSHARD_EVENT_MIGRATION_FAILED:
		error = ev->error ? -(int)ev->error : -EIO;
		break;
	case ADSHARD_EVENT_MIGRATION_ABORTED:
		error = -ECANCELED;
		why = "aborted";
		break;
	default:
		return;
	}
	if (error)
		log_warn(m->object, "segment %u: not moved: %s", ev->segment,
			 why);
	else if (ev->bad_bytes)
		log_warn(m->object, "segment %u: %s of it could not be read: reads of them fail until they are written",
			 ev->segment, ads_format_size(ev->bad_bytes, false,
						      bytes, sizeof(bytes)));
	if (ads_event_blames_dst(ev)) {
		to_blame = ev->dst;
		blame(m, ev);
	}
	drain_event(m->drain, ev->segment, error, why, to_blame, now_epoch(),
		    m->daemon->config);
}
