// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * adshardctl member: a member's state, and what is known of it.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "verbs.h"

enum { O_CLASS = 256, O_DOMAIN, O_LOCATION, O_COST, O_WEIGHT, O_SPARE };

static const struct ctl_opt opts[] = {
	{ O_CLASS, "class", "CLASS", "set: nvme, ssd, hdd or unknown" },
	{ O_DOMAIN, "domain", "LABEL", "set: what fails together; \"\" for none" },
	{ O_LOCATION, "location", "LABEL", "set: where to find it; \"\" for none" },
	{ O_COST, "cost", "N", "set: for placement; 0 is the default" },
	{ O_WEIGHT, "weight", "N", "set: for reads; 0 is the default" },
	{ O_SPARE, "spare", "YES|NO", "set: takes data by name or as a last resort only" },
	{ 0, NULL, NULL, NULL },
};

/* What the words of the command line come to. */
struct request {
	const char *member;
	struct ads_member_change chg;
	bool any;			/* something to set was given */
};

static uint32_t parse_class(struct ctl *c, const char *s)
{
	for (uint32_t i = 0; i <= ADSHARD_CLASS_HDD; i++)
		if (!strcmp(s, ads_class_name(i)))
			return i;
	ctl_usage(c, "--class takes nvme, ssd, hdd or unknown, not %s", s);
}

static bool parse_yes(struct ctl *c, const char *s)
{
	if (strcmp(s, "yes") && strcmp(s, "no"))
		ctl_usage(c, "--spare takes yes or no, not %s", s);
	return !strcmp(s, "yes");
}

static void take_option(struct ctl *c, struct request *r, int val)
{
	struct ads_member_change *chg = &r->chg;

	r->any = true;
	switch (val) {
	case O_CLASS:
		chg->has_class = true;
		chg->class = parse_class(c, optarg);
		break;
	case O_DOMAIN:
		chg->domain = optarg;
		break;
	case O_LOCATION:
		chg->location = optarg;
		break;
	case O_COST:
		chg->has_cost = true;
		chg->cost = ctl_parse_u64(c, "--cost", optarg, UINT32_MAX);
		break;
	case O_WEIGHT:
		chg->has_weight = true;
		chg->weight = ctl_parse_u64(c, "--weight", optarg, UINT32_MAX);
		break;
	case O_SPARE:
		chg->has_spare = true;
		chg->spare = parse_yes(c, optarg);
		break;
	}
}

static uint32_t parse_state(struct ctl *c, const char *s)
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

/* "set MEMBER", "online MEMBER", "fail MEMBER", or "MEMBER STATE". */
static void take_words(struct ctl *c, struct request *r, int argc, char **argv)
{
	if (argc != 2)
		ctl_usage(c, "what to do, and a member");
	r->member = argv[1];
	if (!strcmp(argv[0], "set")) {
		if (!r->any)
			ctl_usage(c, "nothing to set");
		return;
	}
	if (r->any)
		ctl_usage(c, "only set takes these options");
	if (!strcmp(argv[0], "online")) {
		r->chg.state = ADSHARD_MEMBER_ONLINE;
	} else if (!strcmp(argv[0], "fail")) {
		r->chg.state = ADSHARD_MEMBER_FAILED;
	} else {
		r->member = argv[0];
		r->chg.state = parse_state(c, argv[1]);
	}
}

static int failed(struct ctl *c, const struct ads_member *m, const char *name,
		  int rc, struct ads_err *err)
{
	if (rc == -ENOTEMPTY)
		return ctl_fail(c, CTL_REFUSED,
				"%s holds the only copy of %u segment%s: evacuate it first (adshardctl evacuate %s)",
				name, m->nr_segments,
				m->nr_segments == 1 ? "" : "s", name);
	if (!err->text[0])
		ads_err(err, 0, "%s", strerror(-rc));
	ads_err_prefix(err, name);
	return ctl_fail_err(c, rc, err);
}

static void say(struct ctl *c, const struct request *r, const char *name)
{
	if (!r->chg.state)
		ctl_say(c, "%s: set", name);
	else if (r->chg.has_spare)
		ctl_say(c, "%s: %s, a spare no more", name,
			ads_member_state_name(r->chg.state));
	else
		ctl_say(c, "%s: %s", name,
			ads_member_state_name(r->chg.state));
}

static int run(struct ctl *c, int argc, char **argv)
{
	struct ads_err err = { "" };
	struct request r = { .member = NULL };
	struct ads_member *m = NULL;
	struct ads_pool p;
	char name[128];
	int rc, at, val;
	size_t nr;

	while ((val = ctl_getopt(c, argc, argv)) != -1)
		take_option(c, &r, val);
	take_words(c, &r, argc - optind, argv + optind);
	rc = ctl_load_pool(c, &p, &m, &nr);
	if (rc)
		return rc;
	at = ads_find_member(m, nr, r.member, &err);
	if (at < 0) {
		rc = ctl_fail_err(c, at, &err);
		goto out;
	}
	/* Online like any other. */
	if (r.chg.state == ADSHARD_MEMBER_ONLINE && m[at].spare)
		r.chg.has_spare = true;
	ads_member_name(&m[at], name, sizeof(name));
	rc = ads_nl_change_member(c->nl, p.uuid, m[at].index, &r.chg, &err);
	if (rc)
		rc = failed(c, &m[at], name, rc, &err);
	else
		say(c, &r, name);
	if (c->doc) {
		uint32_t state = rc || !r.chg.state ? m[at].state : r.chg.state;

		ads_json_u64(c->doc, "member", m[at].index);
		ads_json_str(c->doc, "state", ads_member_state_name(state));
	}
out:
	free(m);
	return rc;
}

const struct ctl_cmd ctl_member = {
	.name = "member",
	.args = "online|fail|set MEMBER",
	.summary = "Set the state of a member, or what is known of it",
	.opts = opts,
	.run = run,
};
