// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * adshardctl status: verdict, members, errors, jobs.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/dev.h"
#include "lib/units.h"

#include "bad.h"
#include "limits.h"
#include "table.h"
#include "verbs.h"
#include "view.h"

#define AGENT_MS	2000

static const struct ctl_opt opts[] = {
	{ 'c', "check", NULL, "for monitoring: one line, exit code 0 OK, 1 WARN, 2 CRIT, 3 UNKNOWN" },
	{ 'x', "unhealthy", NULL, "only pools that are not healthy" },
	{ 0, NULL, NULL, NULL },
};

enum { C_MEMBER, C_DEVICE, C_STATE, C_SIZE, C_FREE, C_SEGMENTS, C_SCORE,
	C_REASON, C_UUID, C_META, C_SLOTS, C_MODEL, C_SERIAL, C_ERRORS,
	C_CLASS, C_DOMAIN, C_LOCATION };

static const struct table_col cols[] = {
	[C_MEMBER] = { "MEMBER", "index in the pool", TABLE_RIGHT },
	[C_DEVICE] = { "DEVICE", "block device", 0 },
	[C_STATE] = { "STATE", "online, spare, draining, drained, failed", 0 },
	[C_SIZE] = { "SIZE", "of the device", TABLE_RIGHT },
	[C_FREE] = { "FREE", "room for segments", TABLE_RIGHT },
	[C_SEGMENTS] = { "SEGMENTS", "segments on it", TABLE_RIGHT },
	[C_SCORE] = { "SCORE", "0 healthy .. 100 failing, from the agent", TABLE_RIGHT },
	[C_REASON] = { "REASON", "what the score comes from", TABLE_TRUNC },
	[C_UUID] = { "UUID", "of the member", TABLE_HIDDEN },
	[C_META] = { "META", "part in the metadata: none, dropped, active", TABLE_HIDDEN },
	[C_SLOTS] = { "SLOTS", "segments it has room for", TABLE_HIDDEN | TABLE_RIGHT },
	[C_MODEL] = { "MODEL", "of the disk", TABLE_HIDDEN },
	[C_SERIAL] = { "SERIAL", "of the disk", TABLE_HIDDEN },
	[C_ERRORS] = { "ERRORS", "I/O errors since the activation", TABLE_HIDDEN | TABLE_RIGHT },
	[C_CLASS] = { "CLASS", "nvme, ssd, hdd, as it was set", TABLE_HIDDEN },
	[C_DOMAIN] = { "DOMAIN", "what fails together, as it was set", TABLE_HIDDEN },
	[C_LOCATION] = { "LOCATION", "where to find it, as it was set", TABLE_HIDDEN },
	{ NULL, NULL, 0 },
};

static const char *state_word(const struct ads_member *m)
{
	return m->spare && m->state == ADSHARD_MEMBER_ONLINE ? "spare" :
	       ads_member_state_name(m->state);
}

static enum ctl_color member_color(const struct ads_member *m)
{
	switch (m->state) {
	case ADSHARD_MEMBER_ONLINE:
		return m->present ? CTL_GOOD : CTL_BAD;
	case ADSHARD_MEMBER_FAILED:
		return CTL_BAD;
	default:
		return CTL_WARN;
	}
}

static void member_row(struct table *t, const struct view *v,
		       const struct ads_member *m)
{
	const struct ads_agent_member *a = ads_agent_find(v->agent,
							  m->pool_uuid,
							  m->index);
	char uuid[ADS_UUID_STR];
	struct ads_dev_info info = { .size = 0 };

	table_row(t);
	table_set(t, C_MEMBER, "%u", m->index);
	if (m->present) {
		char path[128];

		ads_dev_path(m->major, m->minor, path, sizeof(path));
		ads_dev_info(m->major, m->minor, &info);
		table_set(t, C_DEVICE, "%s", path);
	} else {
		table_set(t, C_DEVICE, "-");
	}
	table_set(t, C_STATE, "%s%s", state_word(m),
		  m->present || m->state == ADSHARD_MEMBER_FAILED ? "" :
		  ", missing");
	table_color(t, C_STATE, member_color(m));
	table_size(t, C_SIZE, m->size);
	table_size(t, C_FREE, (uint64_t)m->nr_free * v->pool->segment_size);
	table_set(t, C_SEGMENTS, "%u", m->nr_segments);
	if (a && a->score >= 0)
		table_set(t, C_SCORE, "%d%s", a->score, a->stale ? "?" : "");
	else
		table_set(t, C_SCORE, "-");
	if (a && a->score > HEALTH_SCORE_WARN)
		table_color(t, C_SCORE, CTL_BAD);
	table_set(t, C_REASON, "%s", a && a->nr_reasons ?
		  a->reasons[0].text : "-");
	table_set(t, C_UUID, "%s", ads_format_uuid(m->uuid, uuid));
	table_set(t, C_META, "%s", view_meta_name(m->meta));
	table_set(t, C_SLOTS, "%u", m->nr_slots);
	table_set(t, C_MODEL, "%s", info.model[0] ? info.model : "-");
	table_set(t, C_SERIAL, "%s", info.serial[0] ? info.serial : "-");
	table_set(t, C_ERRORS, "%llu", (unsigned long long)health_errors(m));
	table_set(t, C_CLASS, "%s", ads_class_name(m->class));
	table_set(t, C_DOMAIN, "%s", m->domain[0] ? m->domain : "-");
	table_set(t, C_LOCATION, "%s", m->location[0] ? m->location : "-");
}

static void print_errors(const struct view *v)
{
	bool any = false;

	for (size_t i = 0; i < v->nr_m; i++) {
		const struct ads_member *m = &v->m[i];
		char name[128];

		if (!health_errors(m))
			continue;
		ads_member_name(m, name, sizeof(name));
		printf("%s%s: read %llu, write %llu, flush %llu, metadata %llu, copy %llu\n",
		       any ? "        " : "errors: ", name,
		       (unsigned long long)m->read_errors,
		       (unsigned long long)m->write_errors,
		       (unsigned long long)m->flush_errors,
		       (unsigned long long)m->meta_errors,
		       (unsigned long long)m->copy_errors);
		any = true;
	}
}

/* Unless it is what the state is about. */
static void print_bad(const struct view *v)
{
	struct bad_sum sum = bad_add_up(v->bad, v->nr_bad, NULL, NULL);
	char words[64], from[256];

	if (!sum.ranges || !strcmp(v->health.state, "bad-ranges"))
		return;
	bad_sources(v->bad, v->nr_bad, v->m, v->nr_m, from, sizeof(from));
	printf("   bad: %s could not be read when they were moved (from %s); 'adshardctl segments --bad --files' lists the files\n",
	       bad_words(sum, words, sizeof(words)), from);
}

/* "copies: 2 are out of date, 17 chunks were repaired from another" */
static void print_legs(const struct view *v)
{
	const struct ads_pool *p = v->pool;
	const char *state = v->health.state;
	bool said = !strcmp(state, "short") || !strcmp(state, "rebuilding");
	const struct { uint64_t n; const char *one, *many; } what[] = {
		{ said ? 0 : p->nr_short, "segment has fewer than it should have",
		  "segments have fewer than they should have" },
		{ p->nr_stale, "is out of date", "are out of date" },
		{ p->nr_doubt, "segment's are compared",
		  "segments' are compared" },
		{ p->scrub_mismatches, "chunk differed", "chunks differed" },
		{ p->read_repairs, "chunk was repaired from another",
		  "chunks were repaired from another" },
	};
	bool any = false;

	for (size_t i = 0; i < sizeof(what) / sizeof(*what); i++) {
		if (!what[i].n)
			continue;
		printf("%s%llu %s", any ? ", " : "copies: ",
		       (unsigned long long)what[i].n,
		       what[i].n == 1 ? what[i].one : what[i].many);
		any = true;
	}
	if (any)
		putchar('\n');
}

static void print_job(const struct view *v, const struct ads_agent_job *j,
		      void *arg)
{
	char percent[16], name[128], a[32], b[32];
	uint64_t done = j->bytes_done;

	/* Until the kernel calls it drained it isn't finished. */
	if (done && done >= j->bytes_total &&
	    j->segments_done < j->segments_total)
		done = j->bytes_total - 1;
	if (j->member < 0)
		snprintf(name, sizeof(name), "in the pool");
	else
		ctl_member_name(v->m, v->nr_m, (uint32_t)j->member, name,
				sizeof(name));
	printf("   job: %s %s, %s: %s, %llu of %llu segments, %s of %s%s%s\n",
	       j->kind ? j->kind : "?", name, j->state ? j->state : "?",
	       ads_format_percent(done, j->bytes_total, percent,
				  sizeof(percent)),
	       (unsigned long long)j->segments_done,
	       (unsigned long long)j->segments_total,
	       ads_format_size(j->bytes_done, false, a, sizeof(a)),
	       ads_format_size(j->bytes_total, false, b, sizeof(b)),
	       j->reason && *j->reason ? ", because " : "",
	       j->reason && *j->reason ? j->reason : "");
	if (j->note && *j->note)
		printf("        %s\n", j->note);
}

/* What the agent would do, and why it doesn't. */
static void print_blocked(const struct view *v)
{
	char name[128];

	for (size_t i = 0; i < v->nr_m; i++) {
		const struct ads_agent_member *a =
			ads_agent_find(v->agent, v->m[i].pool_uuid,
				       v->m[i].index);

		if (!a || !a->blocked || !*a->blocked)
			continue;
		ads_member_name(&v->m[i], name, sizeof(name));
		printf(" agent: %s should be emptied, but: %s\n", name,
		       a->blocked);
	}
}

/* "/dev/sdb -> /dev/sdc", "new copy on /dev/sdc, from /dev/sdb", "scrub" */
static void operation_words(const struct view *v, const struct ads_migration *m,
			    char *buf, size_t size)
{
	char src[128], dst[128];

	ctl_member_name(v->m, v->nr_m, m->src, src, sizeof(src));
	ctl_member_name(v->m, v->nr_m, m->dst, dst, sizeof(dst));
	switch (m->kind) {
	case ADSHARD_KIND_MOVE:
		snprintf(buf, size, "%s -> %s", src, dst);
		break;
	case ADSHARD_KIND_ADD:
		snprintf(buf, size, "new copy on %s, from %s", dst, src);
		break;
	case ADSHARD_KIND_RESYNC:
		if (m->src == m->dst)	/* in doubt: the primary says how it is */
			snprintf(buf, size, "resync by %s", src);
		else
			snprintf(buf, size, "resync of %s, from %s", dst, src);
		break;
	default:
		snprintf(buf, size, "%s", ads_kind_name(m->kind));
	}
}

static void print_operation(const struct view *v, const struct ads_migration *m,
			    uint64_t done, uint64_t seg)
{
	char what[300], percent[16], rate[32], eta[32], bad[32], shift[48] = "";
	double r = migration_rate(m, seg);

	operation_words(v, m, what, sizeof(what));
	if (m->step == ADSHARD_STEP_SHIFT)
		snprintf(shift, sizeof(shift), " (%u%% of the reads)",
			 m->percent);
	printf("        segment %u: %s, %s%s%s %s, %s/s, ETA %s%s%s\n",
	       m->segment, what, ads_step_name(m->step), shift,
	       m->aside ? " (lets others go first)" : "",
	       ads_format_percent(done, seg, percent, sizeof(percent)),
	       ads_format_size((uint64_t)r, false, rate, sizeof(rate)),
	       ads_format_duration(r >= 1024 ? (double)(seg - done) / r : -1,
				   eta, sizeof(eta)),
	       m->bad_bytes ? ", can't be read: " : "",
	       m->bad_bytes ? ads_format_size(m->bad_bytes, false, bad,
					      sizeof(bad)) : "");
}

/* Of what there is the first: as a word. */
static const char *doing(const struct view *v)
{
	bool any[ADSHARD_KIND_REPAIR + 1] = { false };

	for (size_t i = 0; i < v->nr_mig; i++)
		if (v->mig[i].kind <= ADSHARD_KIND_REPAIR)
			any[v->mig[i].kind] = true;
	return any[ADSHARD_KIND_MOVE] ? "moving" :
	       any[ADSHARD_KIND_ADD] || any[ADSHARD_KIND_RESYNC] ? "copying" :
	       " scrub";
}

/* "moving: 3 active, 9 queued, 12.0 MiB/s, ETA 5m10s", then one line each. */
static void print_migrations(const struct view *v)
{
	uint64_t seg = v->pool->segment_size;
	char rate[32], eta[32];
	double sum, left;

	if (!v->nr_mig)
		return;
	left = view_time_left(v, &sum);
	printf("%s: %u active, %u queued%s, %s/s, ETA %s\n", doing(v),
	       v->pool->nr_active, v->pool->nr_queued,
	       v->pool->paused ? " (paused)" : "",
	       ads_format_size((uint64_t)sum, false, rate, sizeof(rate)),
	       ads_format_duration(left, eta, sizeof(eta)));
	for (size_t i = 0; i < v->nr_mig; i++) {
		const struct ads_migration *m = &v->mig[i];
		uint64_t done = migration_done_bytes(m, seg);

		if (m->step == ADSHARD_STEP_QUEUED)
			continue;
		/* Until it is committed it isn't finished. */
		if (done == seg)
			done--;
		print_operation(v, m, done, seg);
	}
}

static void print_view(struct ctl *c, const struct view *v)
{
	static const enum ctl_color colors[] = {
		[HEALTH_OK] = CTL_GOOD, [HEALTH_WARN] = CTL_WARN,
		[HEALTH_CRIT] = CTL_BAD, [HEALTH_UNKNOWN] = CTL_WARN,
	};
	const struct ads_pool *p = v->pool;
	char uuid[ADS_UUID_STR], dev[128], size[32], seg[32];
	struct table t;

	ads_dev_path(p->major, p->minor, dev, sizeof(dev));
	printf("  pool: %s (%s) on %s, %s in %u segments of %s\n",
	       p->name[0] ? p->name : "-", ads_format_uuid(p->uuid, uuid), dev,
	       ads_format_size(p->size, false, size, sizeof(size)),
	       p->nr_segments,
	       ads_format_size(p->segment_size, false, seg, sizeof(seg)));
	printf(" state: %s%s%s\n", ctl_color(c, colors[v->health.level]),
	       v->health.state, ctl_color(c, CTL_PLAIN));
	printf("   why: %s\n", v->health.why);
	printf("action: %s\n\n", v->health.action);
	table_init(&t, c, cols);
	for (size_t i = 0; i < v->nr_m; i++)
		member_row(&t, v, &v->m[i]);
	table_print(&t, "  ");
	table_free(&t);
	if (!v->agent)
		printf("\n agent: does not answer; scores are not known\n");
	else
		putchar('\n');
	print_errors(v);
	print_bad(v);
	print_legs(v);
	print_blocked(v);
	view_each_job(v, print_job, NULL);
	print_migrations(v);
	limits_print(v);
	if (p->nr_done || p->nr_failed || p->nr_aborted)
		printf(p->knows_legs ?
		       "  done: %llu operations since the activation (%llu failed, %llu aborted), %llu chunks compared, %llu mismatches\n" :
		       " moved: %llu segments since the activation (%llu failed, %llu aborted), %llu chunks compared, %llu mismatches\n",
		       (unsigned long long)p->nr_done,
		       (unsigned long long)p->nr_failed,
		       (unsigned long long)p->nr_aborted,
		       (unsigned long long)p->chunks_verified,
		       (unsigned long long)p->mismatches);
}

static void check_line(struct ctl *c, const struct view *v)
{
	static const char *const levels[] = { "OK", "WARN", "CRIT", "UNKNOWN" };
	char uuid[ADS_UUID_STR];

	ctl_say(c, "%s %s: %s: %s", levels[v->health.level],
		ctl_pool_name(v->pool, uuid), v->health.state, v->health.why);
}

/* CRIT is worse than UNKNOWN, which is worse than WARN. */
static int worse(int a, int b)
{
	static const int rank[] = { 0, 1, 3, 2 };

	return rank[a] > rank[b] ? a : b;
}

static int show(struct ctl *c, struct ads_pool *pools, size_t n,
		const struct ads_agent_status *agent, bool check,
		bool unhealthy)
{
	struct json_object *list = NULL;
	struct ads_err err = { "" };
	size_t shown = 0;
	int level = HEALTH_OK, rc;

	if (c->doc) {
		ads_json_bool(c->doc, "agent", agent);
		list = ads_json_arr(c->doc, "pools");
	}
	for (size_t i = 0; i < n; i++) {
		struct view v;

		rc = view_load(c, &pools[i], agent, &v, &err);
		if (rc && ctl_exit_code(rc) == CTL_NOENT)
			continue;	/* deactivated meanwhile */
		if (rc)
			return ctl_fail_err(c, rc, &err);
		level = worse(level, v.health.level);
		if (!unhealthy || v.health.level) {
			if (!c->doc && !check && shown)
				putchar('\n');
			if (c->doc)
				view_json(ads_json_push(list), &v);
			else if (check)
				check_line(c, &v);
			else
				print_view(c, &v);
			shown++;
		}
		view_free(&v);
	}
	if (!shown)
		ctl_say(c, "%s", n ? "all pools are healthy" :
			check ? "no pool is active" :
			"no pool is active (adshardctl activate)");
	return check ? level : CTL_OK;
}

static int status(struct ctl *c, int argc, char **argv)
{
	struct ads_agent_status *agent = NULL;
	bool check = false, unhealthy = false;
	struct ads_pool *pools = NULL, one;
	struct ads_err err = { "" };
	size_t n = 0;
	int val, rc;

	while ((val = ctl_getopt(c, argc, argv)) != -1) {
		check |= val == 'c';
		unhealthy |= val == 'x';
	}
	if (argc - optind > 1)
		ctl_usage(c, "one pool at most");
	if (optind < argc)
		c->pool = argv[optind];
	rc = ctl_connect(c);
	if (rc)
		return check ? HEALTH_UNKNOWN : rc;
	if (c->pool) {
		rc = ads_find_pool(c->nl, c->pool, &one, &err);
		pools = &one;
		n = 1;
	} else {
		rc = ads_nl_pools(c->nl, &pools, &n, &err);
	}
	if (rc) {
		rc = ctl_fail_err(c, rc, &err);
		return check ? HEALTH_UNKNOWN : rc;
	}
	ads_agent_status(AGENT_MS, &agent, NULL);
	rc = show(c, pools, n, agent, check, unhealthy);
	if (check && c->failed)
		rc = HEALTH_UNKNOWN;
	ads_agent_status_free(agent);
	if (pools != &one)
		free(pools);
	return rc;
}

const struct ctl_cmd ctl_status = {
	.name = "status",
	.args = "[POOL]",
	.summary = "Show pools: state, why, what to do; members; jobs",
	.opts = opts,
	.flags = CTL_TABLE,
	.run = status,
};
