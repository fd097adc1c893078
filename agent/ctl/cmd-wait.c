// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * adshardctl wait: until something is so.
 */
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "bad.h"
#include "verbs.h"

#define TICK_MS	1000

static const struct ctl_opt opts[] = {
	{ 't', "timeout", "TIME", "give up after so long (90, 5m, 2h); exit code 7" },
	{ 0, NULL, NULL, NULL },
};

enum what { IDLE, DRAINED, ACTIVE, GONE };

struct wait {
	struct ctl *c;
	enum what what;
	const char *arg;	/* the member, the pool, or NULL */
	struct ads_pool pool;	/* of IDLE and DRAINED, as last seen */
	uint32_t member;
	struct moved *moved;	/* since the waiting began, with bad ranges */
	size_t nr_moved;
};

struct moved {
	uint32_t segment, src;
};

static bool of_member(const struct ads_bad *b, void *arg)
{
	return b->from == ((struct wait *)arg)->member;
}

static bool of_moved(const struct ads_bad *b, void *arg)
{
	const struct wait *w = arg;

	for (size_t i = 0; i < w->nr_moved; i++)
		if (w->moved[i].segment == b->segment &&
		    w->moved[i].src == b->from)
			return true;
	return false;
}

/* It is over; was it well? */
static int unread(struct wait *w)
{
	struct ads_err err = { "" };
	struct bad_sum sum;
	int rc = bad_ask(w->c, w->pool.uuid, w->what == IDLE ? of_moved :
			 of_member, w, &sum, &err);

	if (rc)
		return ctl_fail_err(w->c, rc, &err);
	return bad_report(w->c, w->c->doc, w->what == IDLE ? "the pool" :
			  w->arg, w->what == IDLE ? "idle" : "drained", sum,
			  "");
}

/* An exit code, or -1: not yet. */
static int check_member(struct wait *w)
{
	struct ads_err err = { "" };
	struct ads_member *m;
	int rc, at;
	size_t nr;

	rc = ctl_load_pool(w->c, &w->pool, &m, &nr);
	if (rc)
		return rc;
	at = ads_find_member(m, nr, w->arg, &err);
	if (at < 0) {
		rc = ctl_fail_err(w->c, at, &err);
	} else if (m[at].state == ADSHARD_MEMBER_DRAINED) {
		w->member = m[at].index;
		rc = unread(w);
	} else if (m[at].state == ADSHARD_MEMBER_DRAINING) {
		rc = -1;
	} else {
		rc = ctl_fail(w->c, CTL_FAILED,
			      "%s is %s, not on its way to drained (adshardctl evacuate %s)",
			      w->arg, ads_member_state_name(m[at].state),
			      w->arg);
	}
	free(m);
	return rc;
}

static int on_event(const struct ads_event *ev, void *arg)
{
	struct wait *w = arg;
	struct moved *p;

	if (ev->overrun || ev->type != ADSHARD_EVENT_MIGRATION_DONE ||
	    !(ev->has & ADS_EV_BAD) || !ev->bad_bytes || w->what != IDLE ||
	    memcmp(ev->pool_uuid, w->pool.uuid, ADS_UUID_LEN))
		return 0;
	p = reallocarray(w->moved, w->nr_moved + 1, sizeof(*p));
	if (!p)
		return -ENOMEM;
	w->moved = p;
	p[w->nr_moved++] = (struct moved){ ev->segment, ev->src };
	return 0;
}

static int check_idle(struct wait *w)
{
	int rc = ctl_load_pool(w->c, &w->pool, NULL, NULL);

	if (rc)
		return rc;
	if (w->pool.nr_active || w->pool.nr_queued)
		return -1;
	/* Events come before what they tell of. */
	rc = ads_nl_read_events(w->c->nl, on_event, w, NULL);
	return rc < 0 ? ctl_fail_err(w->c, rc, NULL) : unread(w);
}

/* "active" waits for the module too; "gone" is content without it. */
static int check_pool(struct wait *w)
{
	struct ads_err err = { "" };
	struct ads_pool p;
	int rc = 0;

	if (!w->c->nl)
		rc = ads_nl_open(&w->c->nl, &err);
	if (!rc)
		rc = ads_find_pool(w->c->nl, w->arg ? w->arg : w->c->pool, &p,
				   &err);
	if (rc == -ENOENT || rc == -EPROTONOSUPPORT)
		return w->what == GONE ? CTL_OK : -1;
	if (rc)
		return ctl_fail_err(w->c, rc, &err);
	if (w->what == ACTIVE && p.state != ADSHARD_POOL_LOADING)
		return CTL_OK;
	return -1;
}

static int check(struct wait *w)
{
	switch (w->what) {
	case DRAINED:
		return check_member(w);
	case IDLE:
		return check_idle(w);
	default:
		return check_pool(w);
	}
}

static int wait_loop(struct wait *w, double timeout)
{
	double end = ads_now() + timeout;

	ctl_catch_signals();
	for (;;) {
		struct pollfd p = { .events = POLLIN };
		double left = (end - ads_now()) * 1000;
		int rc = check(w);

		if (rc >= 0)
			return rc;
		if (ctl_interrupted())
			return ctl_fail(w->c, CTL_DETACHED, "interrupted");
		if (left <= 0)
			return ctl_fail(w->c, CTL_DETACHED,
					"not yet, and the time is up");
		/* Events only wake us; what counts is the kernel's state. */
		p.fd = w->c->nl ? ads_nl_event_fd(w->c->nl) : -1;
		poll(&p, 1, left < TICK_MS ? (int)left + 1 : TICK_MS);
		if (w->c->nl)
			ads_nl_read_events(w->c->nl, on_event, w, NULL);
	}
}

static int run(struct ctl *c, int argc, char **argv)
{
	static const char *const names[] = {
		[IDLE] = "idle", [DRAINED] = "drained", [ACTIVE] = "active",
		[GONE] = "gone",
	};
	struct wait w = { .c = c };
	double timeout = INFINITY;
	unsigned int i;
	int val, rc;

	while ((val = ctl_getopt(c, argc, argv)) != -1)
		if (val == 't')
			timeout = ctl_parse_duration(c, "--timeout", optarg);
	if (optind == argc)
		ctl_usage(c, "for what? (idle, drained MEMBER, active, gone)");
	for (i = 0; i < 4; i++)
		if (!strcmp(argv[optind], names[i]))
			break;
	if (i == 4)
		ctl_usage(c, "%s: idle, drained MEMBER, active or gone",
			  argv[optind]);
	w.what = i;
	if (optind + 1 < argc)
		w.arg = argv[optind + 1];
	if (argc - optind > 2 || (w.what == IDLE && w.arg) ||
	    (w.what == DRAINED && !w.arg))
		ctl_usage(c, "idle, drained MEMBER, active [POOL] or gone [POOL]");
	if (w.what == IDLE || w.what == DRAINED) {
		struct ads_err err = { "" };

		rc = ctl_connect(c);
		if (!rc) {
			rc = ads_nl_subscribe(c->nl, &err);
			if (rc)
				rc = ctl_fail_err(c, rc, &err);
		}
		if (rc)
			return rc;
	}
	rc = wait_loop(&w, timeout);
	free(w.moved);
	return rc;
}

const struct ctl_cmd ctl_wait = {
	.name = "wait",
	.args = "idle | drained MEMBER | active [POOL] | gone [POOL]",
	.summary = "Wait until something is so",
	.opts = opts,
	.run = run,
};
