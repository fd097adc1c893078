// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * adshardctl member: a member's state, and what is known of it.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "change.h"
#include "verbs.h"

enum { O_CLASS = 256, O_DOMAIN, O_LOCATION, O_COST, O_WEIGHT };

static const struct ctl_opt opts[] = {
	{ O_CLASS, "class", "CLASS", "add, set: nvme, ssd, hdd or unknown" },
	{ O_DOMAIN, "domain", "LABEL", "add, set: what fails together; \"\" for none" },
	{ O_LOCATION, "location", "LABEL", "add, set: where to find it; \"\" for none" },
	{ O_COST, "cost", "N", "add, set: for placement; 0 is the default" },
	{ O_WEIGHT, "weight", "N", "add, set: for reads; 0 is the default" },
	{ 's', "spare", "[=YES|NO]", "add, set: takes data by name or as a last resort only" },
	{ 'W', "wipe", NULL, "add, replace: erase what is on the devices" },
	{ 'R', "reuse", NULL, "add, replace: erase what was a member of this pool" },
	{ 'N', "dry-run", NULL, "add, remove, replace: only say what would be done" },
	{ 0, NULL, NULL, NULL },
};

/* What the words of the command line come to. */
struct request {
	const char *member;
	struct ads_member_change chg;
	bool any;			/* something to set was given */
	bool wipe, reuse, dry;
};

/* Those that make or take members, in files of their own. */
static const struct {
	const char *name;
	int (*run)(struct ctl *c, const struct member_args *a);
	bool sets, wipes;		/* what options they take */
} actions[] = {
	{ "add", member_add, true, true },
	{ "remove", member_remove, false, false },
	{ "replace", member_replace, true, true },
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
	if (!s)
		return true;
	if (strcmp(s, "yes") && strcmp(s, "no"))
		ctl_usage(c, "--spare takes yes or no, not %s", s);
	return !strcmp(s, "yes");
}

static void take_option(struct ctl *c, struct request *r, int val)
{
	struct ads_member_change *chg = &r->chg;

	switch (val) {
	case 'W':
		r->wipe = true;
		return;
	case 'R':
		r->reuse = true;
		return;
	case 'N':
		r->dry = true;
		return;
	}
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
	case 's':
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
	if (r->wipe || r->reuse || r->dry)
		ctl_usage(c, "--wipe, --reuse and --dry-run are for add, remove and replace");
	r->member = argv[1];
	if (!strcmp(argv[0], "set")) {
		if (!r->any)
			ctl_usage(c, "nothing to set");
		return;
	}
	if (r->any)
		ctl_usage(c, "only add, replace and set take these options");
	if (!strcmp(argv[0], "online")) {
		r->chg.state = ADSHARD_MEMBER_ONLINE;
	} else if (!strcmp(argv[0], "fail")) {
		r->chg.state = ADSHARD_MEMBER_FAILED;
	} else {
		r->member = argv[0];
		r->chg.state = parse_state(c, argv[1]);
	}
}

/* Segments that have no other copy in sync. */
static size_t only_there(struct ctl *c, const struct ads_member *m)
{
	struct ads_seg_filter f = { .has_member = true, .member = m->index };
	struct ads_segment *seg;
	size_t n, only = 0;

	if (ads_nl_segments(c->nl, m->pool_uuid, &f, &seg, &n, NULL))
		return m->nr_segments;
	for (size_t i = 0; i < n; i++) {
		bool other = false;

		for (uint32_t k = 0; k < seg[i].nr_legs; k++)
			other |= seg[i].leg[k].member != m->index &&
				 seg[i].leg[k].state == ADSHARD_LEG_SYNC;
		only += !other;
	}
	free(seg);
	return only;
}

static int failed(struct ctl *c, const struct ads_member *m, const char *name,
		  int rc, struct ads_err *err)
{
	if (rc == -ENOTEMPTY) {
		size_t only = only_there(c, m);

		return ctl_fail(c, CTL_REFUSED,
				"%s holds the only copy of %zu segment%s: evacuate it first (adshardctl evacuate %s)",
				name, only, only == 1 ? "" : "s", name);
	}
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

/* The place in @actions, or -1. */
static int find_action(const char *word)
{
	for (int i = 0; i < (int)(sizeof(actions) / sizeof(*actions)); i++)
		if (word && !strcmp(word, actions[i].name))
			return i;
	return -1;
}

static int act(struct ctl *c, const struct request *r, int i, char **argv,
	       int argc)
{
	const struct member_args a = { .arg = argv, .nr = argc, .dry = r->dry,
		.wipe = r->wipe, .reuse = r->reuse, .set = r->chg };

	if ((r->any && !actions[i].sets) ||
	    ((r->wipe || r->reuse) && !actions[i].wipes))
		ctl_usage(c, "%s does not take all of these options",
			  actions[i].name);
	return actions[i].run(c, &a);
}

static int run(struct ctl *c, int argc, char **argv)
{
	struct ads_err err = { "" };
	struct request r = { .member = NULL };
	struct ads_member *m = NULL;
	struct ads_pool p;
	char name[128];
	int rc, at, val, action;
	size_t nr;

	while ((val = ctl_getopt(c, argc, argv)) != -1)
		take_option(c, &r, val);
	action = find_action(argv[optind]);
	if (action >= 0)
		return act(c, &r, action, argv + optind + 1, argc - optind - 1);
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
	.args = "add DEVICE... | remove MEMBER | replace MEMBER DEVICE | online|fail|set MEMBER",
	.summary = "Members come, go, and get another state",
	.opts = opts,
	.flags = CTL_PROGRESS,
	.run = run,
};
