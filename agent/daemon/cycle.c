// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/act.h"
#include "daemon/collect/collect.h"
#include "daemon/collect/smart-scan.h"
#include "daemon/cycle.h"
#include "daemon/foresee.h"
#include "daemon/history/history.h"
#include "daemon/log.h"
#include "daemon/planner-keep.h"
#include "daemon/planner.h"
#include "daemon/rebuild.h"
#include "daemon/score.h"
#include "daemon/settings.h"
#include "daemon/unused.h"
#include "lib/units.h"

#define SOON_USEC	200000	/* events of so long are taken together */
#define STEADY		12	/* times faster than heat is forgotten */
#define SILENT		30.0	/* seconds without an answer of the kernel */

int64_t now_epoch(void)
{
	return time(NULL);
}

double now_mono(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

struct drive *cycle_drive(struct adshardd *d, const char *model,
			  const char *serial, enum smart_protocol protocol)
{
	struct drive *dr;

	for (dr = d->drives; dr; dr = dr->next)
		if (strcmp(dr->model, model) == 0 &&
		    strcmp(dr->serial, serial) == 0)
			return dr;
	dr = drive_new(model, serial, protocol);
	if (dr) {
		dr->next = d->drives;
		d->drives = dr;
	}
	return dr;
}

/* -- members come and go ----------------------------------------------------- */

static void on_pool_new(struct pool *p)
{
	log_info(p->object, "found, %u members", p->k.nr_members);
}

static void on_pool_gone(struct pool *p)
{
	rebuild_gone(p);
	planner_free(p->planner);
	p->planner = NULL;
	if (p->daemon->stopping)
		return;
	log_info(p->object, "is no longer active");
}

static void on_member_new(struct member *m)
{
	log_info(m->object, "found: member %u, %s", m->k.index,
		 ads_member_state_name(m->k.state));
	if (history_ask_member(m->daemon->history, m->k.uuid)) {
		/* no history: nothing to wait for */
		m->state_loaded = true;
		patrol_start(m);
	}
	smart_start(m);
}

static void on_member_gone(struct member *m)
{
	if (!m->daemon->stopping)
		log_info(m->object, "is gone");
	act_member_gone(m);
	patrol_stop(m);
	cycle_save(m);
	smart_stop(m);
	foresee_member_gone(m);
}

static void on_member_device(struct member *m)
{
	patrol_stop(m);
	smart_stop(m);
	memset(&m->io, 0, sizeof(m->io));
	memset(&m->steady, 0, sizeof(m->steady));
	m->fed = 0;
	if (!m->dev.path[0]) {
		log_warn(m->object, "has lost its device");
		return;
	}
	log_notice(m->object, "has a device");
	smart_start(m);
	if (m->state_loaded)
		patrol_start(m);
}

static const struct model_calls model_calls = {
	.pool_new = on_pool_new,
	.pool_gone = on_pool_gone,
	.member_new = on_member_new,
	.member_gone = on_member_gone,
	.member_device = on_member_device,
};

/* -- the kernel ---------------------------------------------------------------- */

static void write_minute(struct member *m, int64_t now)
{
	struct load_minute l;
	struct store_load row;

	if (!collect_minute(m, now, &l))
		return;
	memcpy(row.uuid, m->k.uuid, ADS_UUID_LEN);
	row.minute = l.minute;
	row.load = (struct load_values){
		.read_rate = l.read_rate, .write_rate = l.write_rate,
		.read_bytes = l.read_bytes, .write_bytes = l.write_bytes,
		.read_wait = l.read_wait, .write_wait = l.write_wait,
		.util = l.util, .queue = l.queue,
		.read_latency = l.latency[SLOW_READ],
		.write_latency = l.latency[SLOW_WRITE],
		.read_p99 = m->read_latency.p99,
		.write_p99 = m->write_latency.p99,
		.errors = (double)m->errors.total,
	};
	history_load(m->daemon->history, &row);
	/* the patrol's position: a few minutes of it may be lost */
	if (m->patroller && l.minute % 10 == 0)
		cycle_save(m);
}

/* Big pools are looked at less often: 10,000 segments a second at most. */
double cycle_heat_interval(const struct pool *p)
{
	double least = p->k.nr_segments / 10000.0;
	double wanted = (double)p->daemon->config->heat.interval;

	return wanted > least ? wanted : least;
}

static void ask_heat(struct pool *p)
{
	double now = now_mono();

	if (p->k.state == ADSHARD_POOL_LOADING)
		return;
	if (p->heat_asked && now - (double)p->heat_asked < cycle_heat_interval(p))
		return;
	if (!kernel_ask_segments(p->daemon->kernel, p->k.uuid,
				 ADSHARD_NO_MEMBER))
		p->heat_asked = (int64_t)now;
}

/* The configured limits, for @m or, if it is NULL, for all. */
static void limit(const struct pool *p, const struct member *m)
{
	const struct config *c = p->daemon->config;
	struct kernel_command cmd = { .verb = KERNEL_THROTTLE };
	struct ads_throttle *t = &cmd.throttle;

	t->has_member = m;
	t->member = m ? m->k.index : 0;
	t->has_src_bps = c->throttle.source_rate;
	t->src_bps = c->throttle.source_rate;
	t->has_dst_bps = c->throttle.destination_rate;
	t->dst_bps = c->throttle.destination_rate;
	t->has_floor = c->throttle.floor;
	t->floor_bps = c->throttle.floor;
	t->has_latency = c->throttle.latency_ms;
	t->latency_ns = (uint64_t)c->throttle.latency_ms * 1000000;
	t->has_src_max = c->throttle.source_active;
	t->src_active_max = c->throttle.source_active;
	t->has_dst_max = c->throttle.destination_active;
	t->dst_active_max = c->throttle.destination_active;
	t->has_max_active = c->throttle.active && !m;
	t->max_active = c->throttle.active;
	if (!t->has_src_bps && !t->has_dst_bps && !t->has_src_max &&
	    !t->has_dst_max && !t->has_max_active && !t->has_floor &&
	    !t->has_latency)
		return;
	memcpy(cmd.pool, p->k.uuid, ADS_UUID_LEN);
	kernel_do(p->daemon->kernel, &cmd);
}

/*
 * Once, when a pool or a member appears: what the operator sets afterwards stays.
 * The kernel knows of no limits for one that joins.
 */
static void set_throttle(struct pool *p)
{
	bool all = !p->throttled;

	if (p->daemon->once || p->daemon->config->mode == MODE_OFF)
		return;
	p->throttled = true;
	if (all)
		limit(p, NULL);
	for (struct member *m = p->members; m; m = m->next) {
		if (!all && !m->throttled)
			limit(p, m);
		m->throttled = true;
	}
}

/* A load that was seen once says little: smoothed, and counted. */
static void look_at_load(struct member *m)
{
	double now = now_mono(), dt = now - m->steady.time, keep;

	if (!m->io.known || dt < 0.5)
		return;
	keep = exp2(-dt * STEADY / (double)m->daemon->config->heat.half_life);
	m->steady.sum = m->steady.sum * keep + m->io.util * (1 - keep);
	m->steady.bytes = m->steady.bytes * keep +
			  (m->io.read_bytes + m->io.write_bytes) * (1 - keep);
	m->steady.requests = m->steady.requests * keep +
			     (m->io.read_rate + m->io.write_rate) * (1 - keep);
	m->steady.weight = m->steady.weight * keep + 1 - keep;
	m->steady.time = now;
	m->steady.looks++;
}

static void view_failed(struct adshardd *d, const struct kernel_view *v)
{
	static const struct kernel_view nothing;
	const char *text = ads_err_text(&v->err, v->error);

	if (d->view_error != v->error)
		log_write(v->error == -EPROTONOSUPPORT ? LOG_NOTICE : LOG_WARNING,
			  "kernel", "%s; waiting", text);
	d->view_error = v->error;
	snprintf(d->view_text, sizeof(d->view_text), "%s", text);
	/* without the module there are no pools; else they are only unseen */
	if (v->error == -EPROTONOSUPPORT)
		model_take(d, &nothing, &model_calls);
}

static void on_view(const struct kernel_view *v, void *arg)
{
	struct adshardd *d = arg;
	int64_t now = now_epoch();
	struct member *m;

	if (v->error) {
		view_failed(d, v);
		return;
	}
	if (d->view_error < 0)
		log_notice("kernel", "answers");
	d->view_error = 0;
	d->view_text[0] = 0;
	model_take(d, v, &model_calls);
	for (struct pool *p = d->pools; p; p = p->next) {
		set_throttle(p);
		ask_heat(p);
		for (m = p->members; m; m = m->next) {
			collect_counters(m, now);
			look_at_load(m);
			write_minute(m, now);
			score_member(m, now);
		}
	}
	score_fleet(d);
	act_run(d);
}

static void on_segments(const struct kernel_segments *s, void *arg)
{
	struct adshardd *d = arg;
	struct pool *p = model_pool(d, s->pool);

	if (s->error) {
		log_warn(p ? p->object : "kernel", "segments: %s",
			 ads_err_text(&s->err, s->error));
		return;
	}
	if (s->has_member)
		return;
	if (p && heat_update(&p->heat, s->segments, s->nr,
				  p->k.nr_segments, now_mono(),
				  d->config->heat.half_life))
		log_warn(p->object, "no memory for the heat of segments");
	if (p) {
		foresee_segments(p, s);
		planner_list(p, s);
		act_run(d);
	}
}

static void on_answer(const struct kernel_command *c, void *arg)
{
	struct adshardd *d = arg;
	struct pool *p = model_pool(d, c->pool);

	if (c->verb == KERNEL_THROTTLE && c->error)
		log_warn(p ? p->object : "kernel", "limits: %s",
			 ads_err_text(&c->err, c->error));
	act_answer(d, c);
}

static void soon(struct adshardd *d)
{
	int on = SD_EVENT_OFF;

	sd_event_source_get_enabled(d->soon, &on);
	if (on != SD_EVENT_OFF)
		return;
	sd_event_source_set_time_relative(d->soon, SOON_USEC);
	sd_event_source_set_enabled(d->soon, SD_EVENT_ONESHOT);
}

static void on_event(const struct ads_event *ev, void *arg)
{
	struct adshardd *d = arg;
	struct pool *p;

	if (ev->overrun) {
		log_notice("kernel", "events were lost: looking at everything");
	} else {
		p = model_pool(d, ev->pool_uuid);
		log_debug(p ? p->object : "kernel", "event %llu: %s",
			  (unsigned long long)ev->seq,
			  ads_event_name(ev->type));
		if (ev->lost)
			log_notice(p ? p->object : "kernel",
				   "%llu events were lost: looking at everything",
				   (unsigned long long)ev->lost);
		act_event(d, ev);
	}
	soon(d);
}

static int on_soon(sd_event_source *s UNUSED, uint64_t usec UNUSED, void *arg)
{
	struct adshardd *d = arg;

	kernel_refresh(d->kernel);
	return 0;
}

static void check_silence(struct adshardd *d)
{
	const char *what = "request";
	double silent = kernel_silent(d->kernel, &what);

	if (silent > SILENT && !d->told_silent)
		log_warn("kernel", "has not answered a %s for %.0f s", what,
			 silent);
	else if (silent == 0 && d->told_silent)
		log_notice("kernel", "answers again");
	d->told_silent = silent > SILENT ||
			 (d->told_silent && silent > 0);
}

static int on_poll(sd_event_source *s, uint64_t usec UNUSED, void *arg)
{
	struct adshardd *d = arg;
	static const int64_t hour = 3600;
	int64_t now = now_epoch(), interval = d->config->poll.interval;

	sd_event_source_set_time_relative(s, interval * 1000000ULL);
	sd_event_source_set_enabled(s, SD_EVENT_ONESHOT);
	check_silence(d);
	score_unblock(d, now);
	settings_unblock(d, now);
	planner_keep_unblock(d, now);
	kernel_refresh(d->kernel);
	if (now / hour != (now - interval) / hour)
		history_trim(d->history, now, d->config);
	return 0;
}

int cycle_start(struct adshardd *d)
{
	static const struct kernel_calls calls = {
		.view = on_view,
		.segments = on_segments,
		.event = on_event,
		.done = on_answer,
	};
	int r;

	d->view_error = 1;
	r = kernel_new(d->event, &calls, d, &d->kernel);
	if (r)
		return r;
	r = sd_event_add_time_relative(d->event, &d->poll, CLOCK_MONOTONIC, 0,
				       0, on_poll, d);
	if (r >= 0)
		r = sd_event_add_time_relative(d->event, &d->soon,
					       CLOCK_MONOTONIC, 0, 0, on_soon,
					       d);
	if (r >= 0)
		r = sd_event_source_set_enabled(d->soon, SD_EVENT_OFF);
	return r < 0 ? r : 0;
}

void cycle_stop(struct adshardd *d)
{
	d->poll = sd_event_source_disable_unref(d->poll);
	d->soon = sd_event_source_disable_unref(d->soon);
	d->stopping = true;
	for (struct pool *p = d->pools; p; p = p->next)
		planner_keep_save(p, true);
	model_free(d, &model_calls);
	foresee_free(d);
	smart_scan_free(d->smart_scan);
	d->smart_scan = NULL;
}

void cycle_reconfigure(struct adshardd *d)
{
	sd_event_source_set_time_relative(d->poll, 0);
	sd_event_source_set_enabled(d->poll, SD_EVENT_ONESHOT);
	for (struct pool *p = d->pools; p; p = p->next) {
		p->throttled = false;
		for (struct member *m = p->members; m; m = m->next) {
			if (!m->smart.running)
				smart_start(m);
			/* the size of the blocks may be another one */
			patrol_stop(m);
			if (m->state_loaded)
				patrol_start(m);
		}
	}
}

bool cycle_complete(const struct adshardd *d)
{
	if (d->view_error == 1)
		return false;
	for (const struct pool *p = d->pools; p; p = p->next)
		for (const struct member *m = p->members; m; m = m->next)
			if (d->config->smart.enable && m->disk[0] &&
			    (!m->smart.tried || m->smart.running || m->waiting))
				return false;
	return true;
}
