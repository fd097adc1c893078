// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/collect/kernel.h"
#include "daemon/log.h"
#include "daemon/unused.h"
#include "daemon/worker.h"

#define MAX_LOOKS	256	/* tasks that may wait */
#define MAX_COMMANDS	8192
#define PATIENCE_MS	2000	/* for a stuck thread, at the end */

/* A netlink handle that belongs to one worker. */
struct line {
	struct ads_nl *nl;
};

struct kernel {
	sd_event *event;
	struct kernel_calls calls;
	void *arg;
	struct worker *look, *act;
	struct line look_line, act_line;

	struct ads_nl *events;		/* subscribed; the loop's */
	sd_event_source *source;
	bool subscribing;
	unsigned int behind;		/* views in a row ahead of the events */

	bool viewing, again;
	uint64_t serial;		/* of the last answered command */
	struct {
		uint8_t pool[ADS_UUID_LEN];
		uint64_t seq;		/* last event seen */
	} seen[64];
	unsigned int nr_seen;
};

static int line_up(struct line *l, struct ads_err *err)
{
	return l->nl ? 0 : ads_nl_open(&l->nl, err);
}

/* The family has another number after the module was loaded again. */
static void line_check(struct line *l, int error)
{
	if (error == -EPROTONOSUPPORT || error == -ENOTCONN) {
		ads_nl_close(l->nl);
		l->nl = NULL;
	}
}

/* -- looking --------------------------------------------------------------- */

struct view_task {
	struct task task;
	struct kernel *k;
	struct kernel_view v;
};

static void view_free(struct kernel_view *v)
{
	free(v->pools);
	free(v->members);
	free(v->migrations);
	free(v->bad);
}

/* That there was none a moment ago says nothing: all pools are asked. */
static int look_bad(struct line *l, struct kernel_view *v)
{
	for (size_t i = 0; i < v->nr_pools; i++) {
		struct ads_bad *bad, *all;
		size_t n;
		int r;

		if (!v->pools[i].knows_bad)
			continue;
		r = ads_nl_bad(l->nl, v->pools[i].uuid, NULL, &bad, &n,
			       &v->err);
		if (r == -ENOENT)
			continue;	/* deactivated meanwhile */
		if (r)
			return r;
		all = n ? reallocarray(v->bad, v->nr_bad + n, sizeof(*all)) :
			  v->bad;
		if (n && !all) {
			free(bad);
			return -ENOMEM;
		}
		if (n)
			memcpy(all + v->nr_bad, bad, n * sizeof(*all));
		v->bad = all;
		v->nr_bad += n;
		free(bad);
	}
	return 0;
}

static void run_view(struct task *t, void *private)
{
	struct kernel_view *v = &((struct view_task *)t)->v;
	struct line *l = private;

	/* once more: the family may be a new one */
	for (int i = 0; i < 2; i++) {
		v->error = line_up(l, &v->err);
		if (!v->error)
			v->error = ads_nl_pools(l->nl, &v->pools, &v->nr_pools,
						&v->err);
		line_check(l, v->error);
		if (v->error != -EPROTONOSUPPORT)
			break;
	}
	if (!v->error)
		v->error = ads_nl_members(l->nl, NULL, &v->members,
					  &v->nr_members, &v->err);
	if (!v->error)
		v->error = ads_nl_migrations(l->nl, NULL, &v->migrations,
					     &v->nr_migrations, &v->err);
	/* behind the members: who is drained has left all of his by now */
	if (!v->error)
		v->error = look_bad(l, v);
	line_check(l, v->error);
}

static void drop_view(struct task *t)
{
	view_free(&((struct view_task *)t)->v);
	free(t);
}

static void subscribe(struct kernel *k);

static void unsubscribe(struct kernel *k)
{
	k->source = sd_event_source_disable_unref(k->source);
	ads_nl_close(k->events);
	k->events = NULL;
	k->nr_seen = 0;
	k->behind = 0;
}

static uint64_t *seen_seq(struct kernel *k, const uint8_t *pool, bool make)
{
	for (unsigned int i = 0; i < k->nr_seen; i++)
		if (memcmp(k->seen[i].pool, pool, ADS_UUID_LEN) == 0)
			return &k->seen[i].seq;
	if (!make || k->nr_seen == sizeof(k->seen) / sizeof(k->seen[0]))
		return NULL;
	memcpy(k->seen[k->nr_seen].pool, pool, ADS_UUID_LEN);
	return &k->seen[k->nr_seen++].seq;
}

/*
 * If the views know of events that did not arrive, twice in a row, the
 * subscription is to a group that is no more (the module was reloaded between
 * two views).
 */
static void check_events(struct kernel *k, const struct kernel_view *v)
{
	bool behind = false;

	if (v->error == -EPROTONOSUPPORT) {
		unsubscribe(k);
		return;
	}
	if (v->error)
		return;
	if (!k->events) {
		subscribe(k);
		return;
	}
	for (size_t i = 0; i < v->nr_pools; i++) {
		uint64_t *seq = seen_seq(k, v->pools[i].uuid, false);

		if (!seq) {
			seq = seen_seq(k, v->pools[i].uuid, true);
			if (seq)
				*seq = v->pools[i].event_seq;
			continue;
		}
		behind |= *seq < v->pools[i].event_seq;
	}
	k->behind = behind ? k->behind + 1 : 0;
	if (k->behind >= 3) {
		log_warn("kernel", "events do not arrive: subscribing again");
		unsubscribe(k);
		subscribe(k);
	}
}

static void done_view(struct task *t)
{
	struct view_task *vt = (struct view_task *)t;
	struct kernel *k = vt->k;

	k->viewing = false;
	check_events(k, &vt->v);
	k->calls.view(&vt->v, k->arg);
	drop_view(t);
	if (k->again) {
		k->again = false;
		kernel_refresh(k);
	}
}

void kernel_refresh(struct kernel *k)
{
	struct view_task *t;

	if (k->viewing) {
		k->again = true;
		return;
	}
	t = calloc(1, sizeof(*t));
	if (!t)
		return;
	t->task = (struct task){ .what = "dump of pools", .run = run_view,
				 .done = done_view, .drop = drop_view };
	t->k = k;
	t->v.serial = k->serial;
	if (worker_submit(k->look, &t->task))
		free(t);
	else
		k->viewing = true;
}

struct segments_task {
	struct task task;
	struct kernel *k;
	struct kernel_segments s;
};

static void run_segments(struct task *t, void *private)
{
	struct kernel_segments *s = &((struct segments_task *)t)->s;
	struct ads_seg_filter filter = {
		.has_member = s->has_member,
		.member = s->member,
	};
	struct line *l = private;

	s->error = line_up(l, &s->err);
	if (!s->error)
		s->error = ads_nl_segments(l->nl, s->pool, &filter,
					   &s->segments, &s->nr, &s->err);
	line_check(l, s->error);
}

static void drop_segments(struct task *t)
{
	free(((struct segments_task *)t)->s.segments);
	free(t);
}

static void done_segments(struct task *t)
{
	struct segments_task *st = (struct segments_task *)t;

	st->k->calls.segments(&st->s, st->k->arg);
	drop_segments(t);
}

int kernel_ask_segments(struct kernel *k, const uint8_t *pool, uint32_t member)
{
	struct segments_task *t = calloc(1, sizeof(*t));
	int r;

	if (!t)
		return -ENOMEM;
	t->task = (struct task){ .what = "dump of segments",
				 .run = run_segments, .done = done_segments,
				 .drop = drop_segments };
	t->k = k;
	memcpy(t->s.pool, pool, ADS_UUID_LEN);
	t->s.has_member = member != ADSHARD_NO_MEMBER;
	t->s.member = t->s.has_member ? member : 0;
	t->s.serial = k->serial;
	r = worker_submit(k->look, &t->task);
	if (r)
		free(t);
	return r;
}

/* -- events ---------------------------------------------------------------- */

struct subscribe_task {
	struct task task;
	struct kernel *k;
	int error;
	struct ads_err err;
	struct ads_nl *nl;
};

static void run_subscribe(struct task *t, void *private UNUSED)
{
	struct subscribe_task *s = (struct subscribe_task *)t;

	s->error = ads_nl_open(&s->nl, &s->err);
	if (!s->error)
		s->error = ads_nl_subscribe(s->nl, &s->err);
}

static void drop_subscribe(struct task *t)
{
	ads_nl_close(((struct subscribe_task *)t)->nl);
	free(t);
}

static int on_event(const struct ads_event *ev, void *arg)
{
	struct kernel *k = arg;
	uint64_t *seq;

	if (!ev->overrun) {
		seq = seen_seq(k, ev->pool_uuid, true);
		if (seq)
			*seq = ev->seq;
	}
	k->calls.event(ev, k->arg);
	return 0;
}

static int on_readable(sd_event_source *s UNUSED, int fd UNUSED,
		       uint32_t revents UNUSED, void *arg)
{
	struct kernel *k = arg;
	struct ads_err err = { .text = "" };
	int r;

	r = ads_nl_read_events(k->events, on_event, k, &err);
	if (r < 0) {
		log_warn("kernel", "events: %s", ads_err_text(&err, r));
		unsubscribe(k);		/* the next view subscribes again */
	}
	return 0;
}

static void done_subscribe(struct task *t)
{
	struct subscribe_task *s = (struct subscribe_task *)t;
	struct kernel *k = s->k;
	int r = s->error;

	k->subscribing = false;
	if (!r)
		r = sd_event_add_io(k->event, &k->source,
				    ads_nl_event_fd(s->nl), EPOLLIN,
				    on_readable, k);
	if (r < 0) {
		if (r != -EPROTONOSUPPORT)
			log_warn("kernel", "no events: %s",
				 ads_err_text(&s->err, r));
		drop_subscribe(t);
		return;
	}
	k->events = s->nl;
	s->nl = NULL;
	drop_subscribe(t);
	/* nothing may fall between the last view and the subscription */
	kernel_refresh(k);
}

static void subscribe(struct kernel *k)
{
	struct subscribe_task *t;

	if (k->subscribing)
		return;
	t = calloc(1, sizeof(*t));
	if (!t)
		return;
	t->task = (struct task){ .what = "subscription", .run = run_subscribe,
				 .done = done_subscribe,
				 .drop = drop_subscribe };
	t->k = k;
	if (worker_submit(k->look, &t->task))
		free(t);
	else
		k->subscribing = true;
}

/* -- acting ---------------------------------------------------------------- */

struct command_task {
	struct task task;
	struct kernel *k;
	struct kernel_command c;
};

static void run_command(struct task *t, void *private)
{
	struct kernel_command *c = &((struct command_task *)t)->c;
	struct line *l = private;

	c->error = line_up(l, &c->err);
	if (c->error)
		return;
	switch (c->verb) {
	case KERNEL_START:
		c->error = ads_nl_start(l->nl, c->pool, &c->op, &c->err);
		break;
	case KERNEL_ABORT_MEMBER:
		c->error = ads_nl_abort_member(l->nl, c->pool, c->member,
					       &c->err);
		break;
	case KERNEL_ABORT_SEGMENT:
		c->error = ads_nl_abort_segment(l->nl, c->pool,
						c->op.segment, &c->err);
		break;
	case KERNEL_SET_MEMBER:
		c->error = ads_nl_set_member(l->nl, c->pool, c->member,
					     c->state, &c->err);
		break;
	case KERNEL_THROTTLE:
		c->error = ads_nl_throttle(l->nl, c->pool, &c->throttle,
					   &c->err);
		break;
	case KERNEL_DROP:
		c->error = ads_nl_drop(l->nl, c->pool, c->op.segment,
				       c->member, &c->err);
		break;
	}
	line_check(l, c->error);
}

static void drop_command(struct task *t)
{
	free(t);
}

static void done_command(struct task *t)
{
	struct command_task *ct = (struct command_task *)t;
	struct kernel *k = ct->k;

	ct->c.serial = ++k->serial;
	k->calls.done(&ct->c, k->arg);
	free(t);
}

int kernel_do(struct kernel *k, const struct kernel_command *command)
{
	static const char *const what[] = {
		[KERNEL_START] = "operation",
		[KERNEL_ABORT_MEMBER] = "abort",
		[KERNEL_ABORT_SEGMENT] = "abort",
		[KERNEL_SET_MEMBER] = "member state",
		[KERNEL_THROTTLE] = "throttle",
		[KERNEL_DROP] = "drop",
	};
	struct command_task *t = calloc(1, sizeof(*t));
	int r;

	if (!t)
		return -ENOMEM;
	t->task = (struct task){ .what = what[command->verb],
				 .run = run_command, .done = done_command,
				 .drop = drop_command };
	t->k = k;
	t->c = *command;
	t->c.err.text[0] = 0;
	r = worker_submit(k->act, &t->task);
	if (r)
		free(t);
	return r;
}

double kernel_silent(const struct kernel *k, const char **what)
{
	const char *a = NULL, *b = NULL;
	double look = worker_busy(k->look, &a), act = worker_busy(k->act, &b);

	*what = look > act ? a : b;
	return look > act ? look : act;
}

int kernel_new(sd_event *event, const struct kernel_calls *calls, void *arg,
	       struct kernel **out)
{
	struct kernel *k = calloc(1, sizeof(*k));
	int r;

	if (!k)
		return -ENOMEM;
	k->event = event;
	k->calls = *calls;
	k->arg = arg;
	r = worker_new(event, "kernel-look", MAX_LOOKS, &k->look_line,
		       &k->look);
	if (!r)
		r = worker_new(event, "kernel-act", MAX_COMMANDS, &k->act_line,
			       &k->act);
	if (r) {
		worker_free(k->look, 0);
		free(k);
		return r;
	}
	*out = k;
	return 0;
}

bool kernel_free(struct kernel *k)
{
	bool look, act;

	if (!k)
		return true;
	unsubscribe(k);
	look = worker_free(k->look, PATIENCE_MS);
	act = worker_free(k->act, PATIENCE_MS);
	if (!look || !act)
		return false;
	ads_nl_close(k->look_line.nl);
	ads_nl_close(k->act_line.nl);
	free(k);
	return true;
}
