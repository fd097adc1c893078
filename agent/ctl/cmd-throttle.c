// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * adshardctl throttle, pause, resume: how hard the copying may work.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/units.h"

#include "limits.h"
#include "table.h"
#include "verbs.h"

static const struct ctl_opt opts[] = {
	{ 'R', "rate", "SIZE", "bytes per second, for both directions; 0: no limit" },
	{ 's', "source-rate", "SIZE", "the same, for reading from the member" },
	{ 'd', "destination-rate", "SIZE", "the same, for writing to it" },
	{ 'f', "floor", "SIZE", "bytes per second that the copying gets in any case" },
	{ 'l', "latency", "TIME", "slow down as long as I/O of users takes longer; 0: never" },
	{ 'S', "source-jobs", "NUMBER", "segments at once that leave the member" },
	{ 'D', "destination-jobs", "NUMBER", "segments at once that come to it" },
	{ 'J', "jobs", "NUMBER", "segments at once in the whole pool" },
	{ 'w', "slow", "TIME", "a segment lets others go first if a read of it takes longer; 0: never" },
	{ 0, NULL, NULL, NULL },
};

enum {
	C_MEMBER, C_DEVICE, C_SRC_RATE, C_DST_RATE, C_FLOOR, C_LATENCY, C_NOW,
	C_SRC_NOW, C_DST_NOW, C_SRC_JOBS, C_DST_JOBS
};

static const struct table_col cols[] = {
	[C_MEMBER] = { "MEMBER", "index in the pool", TABLE_RIGHT },
	[C_DEVICE] = { "DEVICE", "block device", 0 },
	[C_SRC_RATE] = { "SOURCE-RATE", "bytes per second from it, - for no limit", TABLE_RIGHT },
	[C_DST_RATE] = { "DEST-RATE", "bytes per second to it, - for no limit", TABLE_RIGHT },
	[C_FLOOR] = { "FLOOR", "bytes per second in any case", TABLE_RIGHT },
	[C_LATENCY] = { "LATENCY", "bound for I/O of users, - for none", TABLE_RIGHT },
	[C_NOW] = { "LATENCY-NOW", "of I/O of users, as far as it is known", TABLE_RIGHT | TABLE_HIDDEN },
	[C_SRC_NOW] = { "SOURCE-NOW", "bytes per second allowed at the moment, and by what", TABLE_RIGHT },
	[C_DST_NOW] = { "DEST-NOW", "the same for writing to it", TABLE_RIGHT },
	[C_SRC_JOBS] = { "SOURCE-JOBS", "segments leaving it, and how many may", TABLE_RIGHT },
	[C_DST_JOBS] = { "DEST-JOBS", "segments coming to it, and how many may", TABLE_RIGHT },
	{ NULL, NULL, 0 },
};

static void rate(struct table *t, size_t col, uint64_t bps)
{
	if (bps)
		table_size(t, col, bps);
	else
		table_set(t, col, "-");
}

static void latency(struct table *t, size_t col, uint64_t ns)
{
	if (ns)
		table_set(t, col, "%gms", (double)ns / 1e6);
	else
		table_set(t, col, "-");
}

static void rate_now(struct table *t, size_t col, uint64_t bps, uint32_t by)
{
	char size[32];

	if (!bps || by == ADSHARD_RATE_CEILING) {
		rate(t, col, bps);
		return;
	}
	if (t->c->table.bytes)
		snprintf(size, sizeof(size), "%llu", (unsigned long long)bps);
	else
		ads_format_size(bps, true, size, sizeof(size));
	table_set(t, col, "%s (%s)", size, ads_rate_by_name(by));
}

static void show(struct ctl *c, const struct ads_pool *p,
		 const struct ads_member *m, size_t nr)
{
	struct json_object *list;
	struct table t;
	char name[128];

	if (c->doc) {
		ads_json_uuid(c->doc, "pool", p->uuid);
		ads_json_u64(c->doc, "max_active", p->max_active);
		ads_json_bool(c->doc, "paused", p->paused);
		ads_json_double(c->doc, "slow_seconds", p->slow_ns / 1e9);
		list = ads_json_arr(c->doc, "members");
		for (size_t i = 0; i < nr; i++) {
			struct json_object *o = ads_json_push(list);

			ads_json_u64(o, "member", m[i].index);
			limits_json(o, &m[i]);
		}
		return;
	}
	if (!c->table.noheadings)
		ctl_say(c, "%u segments at once in the pool%s", p->max_active,
			p->paused ? "; copying is paused" : "");
	table_init(&t, c, cols);
	for (size_t i = 0; i < nr; i++) {
		ads_member_name(&m[i], name, sizeof(name));
		table_row(&t);
		table_set(&t, C_MEMBER, "%u", m[i].index);
		table_set(&t, C_DEVICE, "%s", name);
		rate(&t, C_SRC_RATE, m[i].src_bps);
		rate(&t, C_DST_RATE, m[i].dst_bps);
		rate(&t, C_FLOOR, m[i].floor_bps);
		latency(&t, C_LATENCY, m[i].latency_ns);
		latency(&t, C_NOW, m[i].latency_now_ns);
		rate_now(&t, C_SRC_NOW, m[i].src_rate, m[i].src_rate_by);
		rate_now(&t, C_DST_NOW, m[i].dst_rate, m[i].dst_rate_by);
		table_set(&t, C_SRC_JOBS, "%u of %u", m[i].src_active,
			  m[i].src_active_max);
		table_set(&t, C_DST_JOBS, "%u of %u", m[i].dst_active,
			  m[i].dst_active_max);
	}
	table_print(&t, "");
	table_free(&t);
}

static bool take(struct ctl *c, int val, struct ads_throttle *t)
{
	switch (val) {
	case 'R':
		t->has_src_bps = t->has_dst_bps = true;
		t->src_bps = ctl_parse_size(c, "--rate", optarg);
		t->dst_bps = t->src_bps;
		return true;
	case 's':
		t->has_src_bps = true;
		t->src_bps = ctl_parse_size(c, "--source-rate", optarg);
		return true;
	case 'd':
		t->has_dst_bps = true;
		t->dst_bps = ctl_parse_size(c, "--destination-rate", optarg);
		return true;
	case 'f':
		t->has_floor = true;
		t->floor_bps = ctl_parse_size(c, "--floor", optarg);
		return true;
	case 'l':
		t->has_latency = true;
		t->latency_ns = (uint64_t)(1e9 *
				ctl_parse_duration(c, "--latency", optarg));
		return true;
	case 'S':
		t->has_src_max = true;
		t->src_active_max = ctl_parse_u64(c, "--source-jobs", optarg,
						  65535);
		return true;
	case 'D':
		t->has_dst_max = true;
		t->dst_active_max = ctl_parse_u64(c, "--destination-jobs",
						  optarg, 65535);
		return true;
	case 'J':
		t->has_max_active = true;
		t->max_active = ctl_parse_u64(c, "--jobs", optarg, 65535);
		return true;
	case 'w':
		t->has_slow = true;
		t->slow_ns = (uint64_t)(1e9 * ctl_parse_duration(c, "--slow",
								 optarg));
		return true;
	}
	return false;
}

static int throttle(struct ctl *c, int argc, char **argv)
{
	struct ads_throttle t = { 0 };
	struct ads_member *m = NULL;
	struct ads_err err = { "" };
	struct ads_pool p;
	bool set = false;
	int val, rc, at = -1;
	size_t nr;

	while ((val = ctl_getopt(c, argc, argv)) != -1)
		set |= take(c, val, &t);
	if (argc - optind > 1)
		ctl_usage(c, "one member at most");
	if (optind < argc && (t.has_max_active || t.has_slow))
		ctl_usage(c, "--jobs and --slow are of the whole pool, not of a member");
	if ((t.has_src_max && !t.src_active_max) ||
	    (t.has_dst_max && !t.dst_active_max) ||
	    (t.has_max_active && !t.max_active))
		ctl_usage(c, "at least one segment at once; 'adshardctl pause' stops the copying");
	rc = ctl_load_pool(c, &p, &m, &nr);
	if (rc)
		return rc;
	if (optind < argc) {
		at = ads_find_member(m, nr, argv[optind], &err);
		if (at < 0) {
			rc = at;
			goto out;
		}
		t.has_member = true;
		t.member = m[at].index;
	}
	if (set) {
		rc = ads_nl_throttle(c->nl, p.uuid, &t, &err);
		if (!rc) {
			free(m);
			m = NULL;
			rc = ctl_load_pool(c, &p, &m, &nr);
			if (rc)
				return rc;
		}
	}
	if (!rc)
		show(c, &p, at < 0 ? m : &m[at], at < 0 ? nr : 1);
out:
	if (rc)
		rc = ctl_fail_err(c, rc, &err);
	free(m);
	return rc;
}

static int set_paused(struct ctl *c, int argc, char **argv, bool paused)
{
	struct ads_throttle t = { .has_paused = true, .paused = paused };
	struct ads_err err = { "" };
	struct ads_pool p;
	int rc;

	while (ctl_getopt(c, argc, argv) != -1)
		;
	if (optind < argc)
		ctl_usage(c, "%s: no arguments, please", argv[optind]);
	rc = ctl_load_pool(c, &p, NULL, NULL);
	if (rc)
		return rc;
	rc = ads_nl_throttle(c->nl, p.uuid, &t, &err);
	if (rc)
		return ctl_fail_err(c, rc, &err);
	ctl_say(c, paused ? "copying is paused; 'adshardctl resume' lets it go on" :
		"copying goes on");
	return CTL_OK;
}

static int pause_run(struct ctl *c, int argc, char **argv)
{
	return set_paused(c, argc, argv, true);
}

static int resume_run(struct ctl *c, int argc, char **argv)
{
	return set_paused(c, argc, argv, false);
}

const struct ctl_cmd ctl_throttle = {
	.name = "throttle",
	.args = "[MEMBER]",
	.summary = "Show or set the limits of the copying, until deactivation",
	.opts = opts,
	.flags = CTL_TABLE,
	.run = throttle,
};

const struct ctl_cmd ctl_pause = {
	.name = "pause",
	.args = "",
	.summary = "Pause all copying of a pool",
	.run = pause_run,
};

const struct ctl_cmd ctl_resume = {
	.name = "resume",
	.args = "",
	.summary = "Let the copying of a pool go on",
	.run = resume_run,
};
