// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * adshardctl segments: the map.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "lib/units.h"

#include "reverse.h"
#include "table.h"
#include "verbs.h"

static const struct ctl_opt opts[] = {
	{ 'm', "member", "MEMBER", "only segments with a leg on this member; with --bad: that it could not read" },
	{ 'R', "range", "FIRST-LAST", "only these segments" },
	{ 'H', "hot", "NUMBER", "only so many, the hottest first" },
	{ 's', "short", NULL, "only those with fewer copies than they should have" },
	{ 'B', "bad", NULL, "ranges that could not be read when they were moved" },
	{ 'F', "files", NULL, "with --bad: whose they are" },
	{ 0, NULL, NULL, NULL },
};

enum { C_SEGMENT, C_STATE, C_MEMBER, C_DEVICE, C_READS, C_WRITES, C_LAST,
	C_OFFSET, C_POSITION, C_LEGS, C_COPIES, C_INTENT };

static const struct table_col cols[] = {
	[C_SEGMENT] = { "SEGMENT", "its number", TABLE_RIGHT },
	[C_STATE] = { "STATE", "stable, queued, migrating", 0 },
	[C_MEMBER] = { "MEMBER", "where it is (in brackets: out of date; behind >: goes to)", 0 },
	[C_DEVICE] = { "DEVICE", "the same as devices", 0 },
	[C_READS] = { "READS", "sampled reads since the activation", TABLE_RIGHT },
	[C_WRITES] = { "WRITES", "sampled writes since the activation", TABLE_RIGHT },
	[C_LAST] = { "LAST", "time since the last sampled access", TABLE_RIGHT },
	[C_OFFSET] = { "OFFSET", "its start in the volume", TABLE_RIGHT | TABLE_HIDDEN },
	[C_POSITION] = { "POSITION", "its start on the device", TABLE_RIGHT | TABLE_HIDDEN },
	[C_LEGS] = { "LEGS", "states of its copies", TABLE_HIDDEN },
	[C_COPIES] = { "COPIES", "in sync, of how many it should have", TABLE_RIGHT },
	[C_INTENT] = { "INTENT", "none, recorded, doubt: may the copies differ after a power cut", TABLE_HIDDEN },
	{ NULL, NULL, 0 },
};

static uint64_t heat(const struct ads_segment *s)
{
	return (uint64_t)s->reads + s->writes;
}

static int cmp_heat(const void *a, const void *b)
{
	const struct ads_segment *x = a, *y = b;

	if (heat(x) != heat(y))
		return heat(x) > heat(y) ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

static uint64_t position(const struct ads_pool *p, const struct ads_member *m,
			 size_t nr, const struct ads_leg *leg)
{
	int at = ads_member_by_index(m, nr, leg->member);

	return (at < 0 ? 0 : m[at].data_start) +
	       (uint64_t)leg->chunk * p->chunk_size;
}

/* Copies in sync, and on a member that is there. */
static uint32_t good(const struct ads_member *m, size_t nr,
		     const struct ads_segment *s)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < s->nr_legs; i++) {
		int at = ads_member_by_index(m, nr, s->leg[i].member);

		n += s->leg[i].state == ADSHARD_LEG_SYNC && at >= 0 &&
		     m[at].present && m[at].state != ADSHARD_MEMBER_FAILED;
	}
	return n;
}

/* Appends to a list of a segment's legs: "0,2", "0,(2)", "0>1". */
static void add(char *list, size_t size, const char *text, uint32_t state)
{
	size_t len = strlen(list);

	if (state == ADSHARD_LEG_STALE)
		snprintf(list + len, size - len, "%s(%s)", len ? "," : "",
			 text);
	else
		snprintf(list + len, size - len, "%s%s", !len ? "" :
			 state == ADSHARD_LEG_FILLING ? ">" : ",", text);
}

static const char *intent_name(uint8_t intent)
{
	return intent == 2 ? "doubt" : intent == 1 ? "recorded" : "none";
}

static void row(struct table *t, const struct ads_pool *p,
		const struct ads_member *m, size_t nr,
		const struct ads_segment *s)
{
	char index[64] = "", dev[512] = "", state[64] = "", one[128];

	for (uint32_t i = 0; i < s->nr_legs; i++) {
		snprintf(one, sizeof(one), "%u", s->leg[i].member);
		add(index, sizeof(index), one, s->leg[i].state);
		ctl_member_name(m, nr, s->leg[i].member, one, sizeof(one));
		add(dev, sizeof(dev), one, s->leg[i].state);
		add(state, sizeof(state), ads_leg_state_name(s->leg[i].state),
		    s->leg[i].state == ADSHARD_LEG_FILLING ?
		    ADSHARD_LEG_FILLING : ADSHARD_LEG_SYNC);
	}
	table_row(t);
	table_set(t, C_SEGMENT, "%u", s->index);
	table_set(t, C_STATE, "%s", ads_segment_state_name(s->state));
	table_set(t, C_MEMBER, "%s", index);
	table_set(t, C_DEVICE, "%s", dev);
	table_set(t, C_COPIES, "%u/%u", good(m, nr, s), s->wanted);
	table_set(t, C_INTENT, "%s", intent_name(s->intent));
	table_set(t, C_READS, "%u", s->reads);
	table_set(t, C_WRITES, "%u", s->writes);
	table_set(t, C_LAST, "%s", ads_format_duration((double)s->last, one,
						       sizeof(one)));
	table_size(t, C_OFFSET, s->index * p->segment_size);
	if (s->nr_legs)
		table_size(t, C_POSITION, position(p, m, nr, &s->leg[0]));
	table_set(t, C_LEGS, "%s", state);
}

static void json(struct ctl *c, const struct ads_pool *p,
		 const struct ads_member *m, size_t nr,
		 const struct ads_segment *seg, size_t n)
{
	struct json_object *list;

	ads_json_uuid(c->doc, "pool", p->uuid);
	ads_json_u64(c->doc, "segment_size", p->segment_size);
	ads_json_u64(c->doc, "heat_sample", p->heat_sample);
	list = ads_json_arr(c->doc, "segments");
	for (size_t i = 0; i < n; i++) {
		const struct ads_segment *s = &seg[i];
		struct json_object *o = ads_json_push(list), *legs;

		ads_json_u64(o, "segment", s->index);
		ads_json_str(o, "state", ads_segment_state_name(s->state));
		ads_json_u64(o, "offset", s->index * p->segment_size);
		ads_json_u64(o, "reads_sampled", s->reads);
		ads_json_u64(o, "writes_sampled", s->writes);
		if (s->last >= 0)
			ads_json_i64(o, "last_access_seconds", s->last);
		else
			ads_json_null(o, "last_access_seconds");
		ads_json_u64(o, "wanted", s->wanted);
		ads_json_u64(o, "in_sync", good(m, nr, s));
		ads_json_str(o, "intent", intent_name(s->intent));
		legs = ads_json_arr(o, "legs");
		for (uint32_t k = 0; k < s->nr_legs; k++) {
			struct json_object *l = ads_json_push(legs);

			ads_json_u64(l, "member", s->leg[k].member);
			ads_json_u64(l, "position",
				     position(p, m, nr, &s->leg[k]));
			ads_json_str(l, "state",
				     ads_leg_state_name(s->leg[k].state));
		}
	}
}

static size_t keep_short(const struct ads_member *m, size_t nr,
			 struct ads_segment *seg, size_t n)
{
	size_t k = 0;

	for (size_t i = 0; i < n; i++)
		if (good(m, nr, &seg[i]) < seg[i].wanted)
			seg[k++] = seg[i];
	return k;
}

static void parse_range(struct ctl *c, char *s, struct ads_seg_filter *f)
{
	char *dash = strchr(s, '-');
	uint64_t last;

	if (dash)
		*dash = '\0';
	f->first = ctl_parse_u64(c, "--range", s, ADSHARD_MAX_SEGMENTS - 1);
	last = dash ? ctl_parse_u64(c, "--range", dash + 1,
				    ADSHARD_MAX_SEGMENTS - 1) : f->first;
	if (last < f->first)
		ctl_usage(c, "--range: the last segment comes before the first");
	f->count = last - f->first + 1;
}

static int run(struct ctl *c, int argc, char **argv)
{
	struct ads_seg_filter f = { 0 };
	bool bad = false, files = false, few = false;
	const char *member = NULL;
	struct ads_err err = { "" };
	struct ads_segment *seg;
	struct ads_member *m;
	struct ads_pool p;
	uint64_t hot = 0;
	struct table t;
	size_t nr, n;
	int val, rc;

	while ((val = ctl_getopt(c, argc, argv)) != -1) {
		if (val == 'm')
			member = optarg;
		else if (val == 'R')
			parse_range(c, optarg, &f);
		else if (val == 'H')
			hot = ctl_parse_u64(c, "--hot", optarg, UINT32_MAX);
		few |= val == 's';
		bad |= val == 'B';
		files |= val == 'F';
	}
	if (optind < argc)
		ctl_usage(c, "%s: say --range %s or --member %s", argv[optind],
			  argv[optind], argv[optind]);
	if (files && !bad)
		ctl_usage(c, "--files goes with --bad");
	if (bad && (hot || few))
		ctl_usage(c, "--%s does not go with --bad", hot ? "hot" :
			  "short");
	if (bad)
		return reverse_bad(c, &f, member, files);
	rc = ctl_load_pool(c, &p, &m, &nr);
	if (rc)
		return rc;
	if (member) {
		int at = ads_find_member(m, nr, member, &err);

		if (at < 0) {
			rc = ctl_fail_err(c, at, &err);
			goto out;
		}
		f.has_member = true;
		f.member = m[at].index;
	}
	if (f.first >= p.nr_segments) {
		rc = ctl_fail(c, CTL_NOENT,
			      "the pool has no segment %u: they are 0 to %u",
			      f.first, p.nr_segments - 1);
		goto out;
	}
	rc = ads_nl_segments(c->nl, p.uuid, &f, &seg, &n, &err);
	if (rc) {
		rc = ctl_fail_err(c, rc, &err);
		goto out;
	}
	if (few)
		n = keep_short(m, nr, seg, n);
	if (hot && n) {
		qsort(seg, n, sizeof(*seg), cmp_heat);
		n = n < hot ? n : hot;
	}
	if (c->doc) {
		json(c, &p, m, nr, seg, n);
	} else {
		table_init(&t, c, cols);
		for (size_t i = 0; i < n; i++)
			row(&t, &p, m, nr, &seg[i]);
		table_print(&t, "");
		table_free(&t);
	}
	free(seg);
out:
	free(m);
	return rc;
}

const struct ctl_cmd ctl_segments = {
	.name = "segments",
	.args = "",
	.summary = "List segments: where they are and how hot",
	.opts = opts,
	.flags = CTL_TABLE,
	.run = run,
};
