// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * adshardctl member: a member's state by hand.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "verbs.h"

static int parse_state(struct ctl *c, const char *s)
{
	if (!strcmp(s, "online"))
		return ADSHARD_MEMBER_ONLINE;
	if (!strcmp(s, "draining"))
		return ADSHARD_MEMBER_DRAINING;
	if (!strcmp(s, "failed"))
		return ADSHARD_MEMBER_FAILED;
	ctl_usage(c, "a member can be set online, draining or failed, not %s",
		  s);
}

static int run(struct ctl *c, int argc, char **argv)
{
	struct ads_err err = { "" };
	struct ads_member *m = NULL;
	struct ads_pool p;
	char name[128];
	int rc, at, state;
	size_t nr;

	while (ctl_getopt(c, argc, argv) != -1)
		;
	if (argc - optind != 2)
		ctl_usage(c, "a member and a state (online, draining, failed)");
	state = parse_state(c, argv[optind + 1]);
	rc = ctl_load_pool(c, &p, &m, &nr);
	if (rc)
		return rc;
	at = ads_find_member(m, nr, argv[optind], &err);
	if (at < 0) {
		rc = ctl_fail_err(c, at, &err);
		goto out;
	}
	ads_member_name(&m[at], name, sizeof(name));
	rc = ads_nl_set_member(c->nl, p.uuid, m[at].index, state, &err);
	if (rc == -ENOTEMPTY) {
		rc = ctl_fail(c, CTL_REFUSED,
			      "%s holds the only copy of %u segment%s: evacuate it first (adshardctl evacuate %s)",
			      name, m[at].nr_segments,
			      m[at].nr_segments == 1 ? "" : "s", name);
	} else if (rc) {
		if (!err.text[0])
			ads_err(&err, 0, "%s", strerror(-rc));
		ads_err_prefix(&err, name);
		rc = ctl_fail_err(c, rc, &err);
	} else {
		ctl_say(c, "%s: %s", name, ads_member_state_name(state));
	}
	if (c->doc) {
		ads_json_u64(c->doc, "member", m[at].index);
		ads_json_str(c->doc, "state",
			     ads_member_state_name(rc ? m[at].state :
						   (uint32_t)state));
	}
out:
	free(m);
	return rc;
}

const struct ctl_cmd ctl_member = {
	.name = "member",
	.args = "MEMBER online|draining|failed",
	.summary = "Set the state of a member",
	.run = run,
};
