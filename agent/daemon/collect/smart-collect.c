// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/collect/collect.h"
#include "daemon/collect/smart-scan.h"
#include "daemon/cycle.h"
#include "daemon/log.h"
#include "daemon/unused.h"

#define MAX_OUTPUT	(4 << 20)
/* evidence counts seconds: a second reading must not fall into the first one's */
#define AGAIN_USEC	2000000
#define SPREAD_USEC	150000	/* between the first runs of two members */

static void arm(struct member *m, uint64_t usec)
{
	sd_event_source_set_time_relative(m->smart.timer, usec);
	sd_event_source_set_enabled(m->smart.timer, SD_EVENT_ONESHOT);
}

/* A new problem is told; the same one again only in the status. */
static void __attribute__((format(printf, 3, 4)))
problem(struct member *m, int priority, const char *fmt, ...)
{
	char text[sizeof(m->smart.problem)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	m->smart.failures++;
	if (strcmp(text, m->smart.problem) == 0)
		return;
	snprintf(m->smart.problem, sizeof(m->smart.problem), "%s", text);
	log_write(priority, m->object, "SMART: %s", text);
}

static void take(struct member *m, const struct child_result *res)
{
	struct ads_err err = { .text = "" };
	struct smart_sample sample;
	char bits[256];
	int r;

	r = smart_parse(res->output, res->len, now_epoch(), &sample, &err);
	if (r) {
		problem(m, LOG_WARNING, "%s (exit status %d)",
			ads_err_text(&err, r), res->status);
		return;
	}
	m->smart.asleep = res->status == SMARTCTL_ASLEEP && !sample.health;
	if (m->smart.asleep) {
		m->smart.failures = 0;
		m->smart.problem[0] = 0;
		return;
	}
	smart_exit_text(res->status & (SMARTCTL_USAGE | SMARTCTL_OPEN |
				       SMARTCTL_PARTIAL), bits, sizeof(bits));
	if (!sample.health) {
		/* virtual disks and the like: normal, but worth a line */
		problem(m, res->status & SMARTCTL_USAGE ? LOG_WARNING :
			LOG_INFO, "no health data%s%s", bits[0] ? ": " : "",
			bits);
		return;
	}
	if (m->smart.problem[0])
		log_info(m->object, "SMART: there is data again");
	m->smart.failures = 0;
	m->smart.problem[0] = 0;
	free(m->smart.more);
	m->smart.more = smart_unknown(res->output, res->len);
	cycle_sample(m, &sample);
}

static void on_done(const struct child_result *res, void *arg)
{
	struct member *m = arg;

	m->smart.running = false;
	if (res->error == -ETIMEDOUT)
		problem(m, LOG_WARNING, "%s did not answer within %ld s",
			m->daemon->config->smart.command,
			m->daemon->config->smart.timeout);
	else if (res->error)
		problem(m, LOG_WARNING, "%s: %s",
			m->daemon->config->smart.command,
			res->error == -EMSGSIZE ? "too much output" :
			strerror(-res->error));
	else if (res->status == 127 && !res->len)
		problem(m, LOG_WARNING, "%s can't be run",
			m->daemon->config->smart.command);
	else
		take(m, res);
	cycle_smart_tried(m);
}

static void ask(struct member *m)
{
	const struct config *c = m->daemon->config;
	char standby[24];
	char *argv[] = {
		(char *)c->smart.command, "--json",
		c->smart.extended ? "-x" : "-a", "-n", standby,
		NULL, NULL, NULL, NULL
	};
	struct smart_target target;
	int r, n = 5;

	smart_scan_target(m, &target);
	if (target.type[0]) {
		argv[n++] = "-d";
		argv[n++] = target.type;
	}
	argv[n] = target.device;

	/* 42: what it shall return if the drive sleeps */
	snprintf(standby, sizeof(standby), "standby,%d", SMARTCTL_ASLEEP);
	m->smart.tried = now_epoch();
	if (child_lingers(&m->smart.child)) {
		problem(m, LOG_WARNING, "the last %s still hangs in the kernel",
			c->smart.command);
		cycle_smart_tried(m);
		return;
	}
	r = child_start(m->daemon->event, argv, c->smart.timeout, MAX_OUTPUT,
			on_done, m, &m->smart.child);
	if (r) {
		problem(m, LOG_WARNING, "%s: %s", c->smart.command,
			strerror(-r));
		cycle_smart_tried(m);
		return;
	}
	m->smart.running = true;
}

static int on_timer(sd_event_source *s UNUSED, uint64_t usec UNUSED, void *arg)
{
	struct member *m = arg;

	arm(m, m->daemon->config->smart.interval * 1000000ULL);
	if (m->daemon->config->smart.enable && m->disk[0] && !m->smart.running)
		ask(m);
	return 0;
}

void smart_start(struct member *m)
{
	uint64_t delay = m->k.index * (uint64_t)SPREAD_USEC;
	uint64_t interval = m->daemon->config->smart.interval * 1000000ULL;

	if (delay > interval / 2)
		delay %= interval / 2;
	if (!m->smart.timer &&
	    sd_event_add_time_relative(m->daemon->event, &m->smart.timer,
				       CLOCK_MONOTONIC, delay, 0, on_timer,
				       m) < 0) {
		log_error(m->object, "SMART: no timer");
		return;
	}
	arm(m, delay);
}

void smart_again(struct member *m)
{
	if (m->smart.timer)
		arm(m, AGAIN_USEC);
}

void smart_stop(struct member *m)
{
	m->smart.timer = sd_event_source_disable_unref(m->smart.timer);
	child_forget(&m->smart.child);
	free(m->smart.more);
	m->smart.more = NULL;
	m->smart.running = false;
}

int64_t smart_age(const struct member *m, int64_t now)
{
	if (!m->smart.sample.time)
		return -1;
	return now > m->smart.sample.time ? now - m->smart.sample.time : 0;
}

int64_t smart_oldest(const struct adshardd *d, int64_t now)
{
	const struct config *c = d->config;

	return now - c->score.stale * c->smart.interval - c->smart.timeout;
}
