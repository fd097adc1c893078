// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * adshardctl abort: migrations back to their sources.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>

#include "verbs.h"

static const struct ctl_opt opts[] = {
	{ 'm', "member", "MEMBER", "all migrations from or to a member" },
	{ 'a', "all", NULL, "all migrations of the pool" },
	{ 0, NULL, NULL, NULL },
};

/* One by one: those that have none are named, the others are aborted. */
static int abort_segments(struct ctl *c, const struct ads_pool *p,
			  const uint32_t *seg, size_t nr)
{
	struct ads_err err = { "" };
	size_t told = 0;
	int worst = CTL_OK;

	for (size_t i = 0; i < nr; i++) {
		int rc = ads_nl_abort_segment(c->nl, p->uuid, seg[i], &err);

		if (!rc) {
			told++;
		} else if (rc == -ENOENT) {
			worst = ctl_fail(c, CTL_NOENT,
					 "segment %u is not being moved",
					 seg[i]);
		} else {
			return ctl_fail_err(c, rc, &err);
		}
	}
	if (told)
		ctl_say(c, "%zu migration%s told to stop", told,
			told == 1 ? "" : "s");
	return worst;
}

static int run(struct ctl *c, int argc, char **argv)
{
	const char *member = NULL;
	struct ads_err err = { "" };
	struct ads_member *m = NULL;
	uint32_t *seg = NULL;
	struct ads_pool p;
	bool all = false;
	size_t n, nr = 0;
	int val, rc, at;

	while ((val = ctl_getopt(c, argc, argv)) != -1) {
		if (val == 'm')
			member = optarg;
		else
			all = true;
	}
	if ((optind < argc) + !!member + all != 1)
		ctl_usage(c, "either segments, or --member, or --all");
	if (optind < argc) {
		rc = ctl_parse_segments(c, argv + optind, argc - optind, &seg,
					&nr);
		if (rc)
			return ctl_fail_err(c, rc, NULL);
	}
	rc = ctl_load_pool(c, &p, &m, &n);
	if (rc)
		goto out;
	if (nr) {
		rc = abort_segments(c, &p, seg, nr);
		goto out;
	}
	at = member ? ads_find_member(m, n, member, &err) : 0;
	if (at < 0)
		rc = at;
	else if (member)
		rc = ads_nl_abort_member(c->nl, p.uuid, m[at].index, &err);
	else
		rc = ads_nl_abort_all(c->nl, p.uuid, &err);
	if (rc)
		rc = ctl_fail_err(c, rc, &err);
	else
		ctl_say(c, "migrations told to stop");
out:
	free(m);
	free(seg);
	return rc;
}

const struct ctl_cmd ctl_abort = {
	.name = "abort",
	.args = "SEGMENT... | --member MEMBER | --all",
	.summary = "Abort migrations: their segments stay where they were",
	.opts = opts,
	.run = run,
};
