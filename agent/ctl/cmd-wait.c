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
};

/* An exit code, or -1: not yet. */
static int check_member(struct wait *w)
{
	struct ads_err err = { "" };
	struct ads_member *m;
	struct ads_pool p;
	int rc, at;
	size_t nr;

	rc = ctl_load_pool(w->c, &p, &m, &nr);
	if (rc)
		return rc;
	at = ads_find_member(m, nr, w->arg, &err);
	if (at < 0) {
		rc = ctl_fail_err(w->c, at, &err);
	} else if (m[at].state == ADSHARD_MEMBER_DRAINED) {
		rc = CTL_OK;
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

static int check_idle(struct wait *w)
{
	struct ads_pool p;
	int rc = ctl_load_pool(w->c, &p, NULL, NULL);

	if (rc)
		return rc;
	return p.nr_active || p.nr_queued ? -1 : CTL_OK;
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

static int nothing(const struct ads_event *ev, void *arg)
{
	return 0;
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
			ads_nl_read_events(w->c->nl, nothing, NULL, NULL);
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
	return wait_loop(&w, timeout);
}

const struct ctl_cmd ctl_wait = {
	.name = "wait",
	.args = "idle | drained MEMBER | active [POOL] | gone [POOL]",
	.summary = "Wait until something is so",
	.opts = opts,
	.run = run,
};
