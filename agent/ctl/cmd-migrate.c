// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * adshardctl migrate: segments, or one copy of each, to a member of the operator's
 * choice.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/units.h"

#include "job.h"
#include "verbs.h"

static const struct ctl_opt opts[] = {
	{ 't', "to", "MEMBER", "the destination: index, device or UUID" },
	{ 'f', "from", "MEMBER", "whose copy moves; needed if there are several" },
	{ 'w', "wait", NULL, "wait until they have moved" },
	{ 'P', "priority", "NUMBER", "higher goes first; default 0" },
	{ 'S', "same-domain", NULL, "even beside another copy in the same failure domain" },
	{ 'N', "dry-run", NULL, "only say what would be done" },
	{ 0, NULL, NULL, NULL },
};

/* Which copy moves: the one on @from, or the only one. NULL: it was said why. */
static const struct ads_leg *find_leg(struct job *j,
				      const struct ads_segment *seg,
				      const struct ads_member *from)
{
	const struct ads_leg *leg = NULL;
	uint32_t n = 0;
	char name[128];

	/* One that is filling is what a move that is under way makes. */
	for (uint32_t i = 0; i < seg->nr_legs; i++) {
		if (seg->leg[i].state == ADSHARD_LEG_FILLING ||
		    (from && seg->leg[i].member != from->index))
			continue;
		leg = &seg->leg[i];
		n++;
	}
	if (n == 1)
		return leg;
	if (from) {
		ads_member_name(from, name, sizeof(name));
		ctl_fail(j->c, CTL_NOENT, "segment %u has no copy on %s",
			 seg->index, name);
		return NULL;
	}
	ctl_fail(j->c, CTL_USAGE,
		 "segment %u has %u copies: which one moves? (--from MEMBER)",
		 seg->index, n);
	return NULL;
}

/* Beside another copy, or where what takes one away takes both. An exit code. */
static int check_place(struct job *j, const struct job_segment *s,
		       const struct ads_member *to)
{
	struct ads_place_member *pm = job_place_members(j, NULL);
	struct ads_place_segment ps;
	int rc = CTL_OK;
	char name[128];

	if (!pm)
		return ctl_fail_err(j->c, -ENOMEM, NULL);
	job_place_segment(s, &ps);
	ads_member_name(to, name, sizeof(name));
	for (uint32_t i = 0; !rc && i < s->nr_with; i++)
		if (s->with[i] == to->index)
			rc = ctl_fail(j->c, CTL_REFUSED,
				      "segment %u has another copy on %s: two on one member are no better than one",
				      s->segment, name);
	ps.nr_on = 0;
	if (!rc && !j->same_domain &&
	    !ads_place_apart(pm, j->nr_m, &ps, to->index))
		rc = ctl_fail(j->c, CTL_REFUSED,
			      "segment %u has another copy in the failure domain of %s (--same-domain puts both there)",
			      s->segment, name);
	job_place_free(pm, j->nr_m);
	return rc;
}

static int make_segment(struct job *j, const struct ads_segment *seg,
			const struct ads_member *from,
			const struct ads_member *to)
{
	struct job_segment *s = &j->seg[j->nr++];
	const struct ads_leg *leg = find_leg(j, seg, from);

	if (!leg)
		return from ? CTL_NOENT : CTL_USAGE;
	s->segment = seg->index;
	s->kind = ADSHARD_KIND_MOVE;
	s->src = leg->member;
	s->dst = to->index;
	/* What is filling is the move's own. */
	job_take_legs(s, seg, s->src);
	if (seg->state != ADSHARD_SEGMENT_STABLE)
		s->nr_with = 0;
	/* There already, and not on its way to somewhere else. */
	if (s->src == s->dst && seg->state == ADSHARD_SEGMENT_STABLE) {
		s->state = JOB_DONE;
		return CTL_OK;
	}
	return check_place(j, s, to);
}

static int make_job(struct job *j, const uint32_t *want, size_t nr,
		    const struct ads_member *from, const struct ads_member *to)
{
	struct ads_segment *seg;
	struct ads_err err = { "" };
	size_t n;
	int rc;

	rc = ads_nl_segments(j->c->nl, j->pool.uuid, NULL, &seg, &n, &err);
	if (rc)
		return ctl_fail_err(j->c, rc, &err);
	j->seg = calloc(nr, sizeof(*j->seg));
	if (!j->seg)
		rc = ctl_fail_err(j->c, -ENOMEM, NULL);
	for (size_t i = 0; !rc && i < nr; i++) {
		if (want[i] >= n)
			rc = ctl_fail(j->c, CTL_NOENT,
				      "the pool has no segment %u: they are 0 to %zu",
				      want[i], n - 1);
		else
			rc = make_segment(j, &seg[want[i]], from, to);
	}
	free(seg);
	return rc;
}

static void plan_json(struct job *j, uint32_t dst, size_t moves)
{
	struct json_object *o = ads_json_obj(j->c->doc, "plan");

	ads_json_u64(o, "destination", dst);
	ads_json_u64(o, "segments_to_move", moves);
	ads_json_u64(o, "bytes", moves * j->pool.segment_size);
}

static int dry_run(struct job *j, const struct ads_member *dst,
		   const char *name)
{
	size_t moves = job_count(j, JOB_PLANNED);
	char bytes[32], src[128];

	if (j->c->doc) {
		plan_json(j, dst->index, moves);
		job_json_segments(j, j->c->doc);
	}
	for (size_t i = 0; i < j->nr; i++) {
		const struct job_segment *s = &j->seg[i];

		ctl_member_name(j->m, j->nr_m, s->src, src, sizeof(src));
		ctl_say(j->c, s->state == JOB_DONE ?
			"segment %u: on %s already" :
			"segment %u: %s -> %s", s->segment, src, name);
	}
	ctl_say(j->c, "would move %zu segment%s (%s); nothing was done", moves,
		moves == 1 ? "" : "s",
		ads_format_size(moves * j->pool.segment_size, false, bytes,
				sizeof(bytes)));
	if (dst->state != ADSHARD_MEMBER_ONLINE)
		return ctl_fail(j->c, CTL_REFUSED,
				"%s takes no segments: it is %s", name,
				ads_member_state_name(dst->state));
	if (moves > dst->nr_free)
		return ctl_fail(j->c, CTL_REFUSED,
				"needs %zu slots, %u free on %s", moves,
				dst->nr_free, name);
	return CTL_OK;
}

static int queue_all(struct job *j, const char *name, uint32_t priority)
{
	size_t there = 0, queued = 0;
	int first = 0;

	for (size_t i = 0; i < j->nr; i++) {
		struct job_segment *s = &j->seg[i];
		uint32_t dst = s->dst;
		int rc;

		if (s->state == JOB_DONE) {
			there++;
			continue;
		}
		rc = job_queue(j, s, priority, 0);
		if (!rc && s->adopted && s->dst != dst) {
			char other[128];

			ctl_member_name(j->m, j->nr_m, s->dst, other,
					sizeof(other));
			snprintf(s->why, sizeof(s->why),
				 "it is on its way to %s (adshardctl abort %u stops that)",
				 other, s->segment);
			s->dst = dst;
			s->state = JOB_FAILED;
			rc = -EBUSY;
		}
		if (rc) {
			if (!first)
				first = rc;
			continue;
		}
		there += s->state == JOB_DONE;
		queued += s->state == JOB_PENDING;
	}
	if (there)
		ctl_say(j->c, "%zu segment%s on %s already", there,
			there == 1 ? " is" : "s are", name);
	if (queued)
		ctl_say(j->c, "%zu segment%s on the way to %s", queued,
			queued == 1 ? "" : "s", name);
	if (!first)
		return CTL_OK;
	/* Nothing at all went: the reason is the command's. */
	if (!queued && !there) {
		for (size_t i = 0; i < j->nr; i++)
			if (j->seg[i].state == JOB_FAILED)
				return ctl_fail(j->c, ctl_exit_code(first),
						"segment %u: %s",
						j->seg[i].segment,
						j->seg[i].why);
	}
	return CTL_ERRORS;
}

static int run(struct ctl *c, int argc, char **argv)
{
	const char *to = NULL, *from = NULL;
	bool wait = false, dry = false;
	struct job j = { .c = c };
	struct ads_err err = { "" };
	uint32_t priority = 0, *want;
	size_t nr;
	char name[128], what[64];
	int val, rc, dst, src = -1;

	while ((val = ctl_getopt(c, argc, argv)) != -1) {
		switch (val) {
		case 't':
			to = optarg;
			break;
		case 'f':
			from = optarg;
			break;
		case 'w':
			wait = true;
			break;
		case 'S':
			j.same_domain = true;
			break;
		case 'P':
			priority = ctl_parse_u64(c, "--priority", optarg,
						 UINT32_MAX);
			break;
		case 'N':
			dry = true;
			break;
		}
	}
	if (optind == argc)
		ctl_usage(c, "which segments? (5 or 5,7-12)");
	if (!to)
		ctl_usage(c, "where to? (--to MEMBER)");
	/* Wrong segments are wrong usage, with or without a pool. */
	rc = ctl_parse_segments(c, argv + optind, argc - optind, &want, &nr);
	if (rc)
		return ctl_fail_err(c, rc, NULL);
	rc = ctl_load_pool(c, &j.pool, &j.m, &j.nr_m);
	if (rc)
		goto out;
	dst = ads_find_member(j.m, j.nr_m, to, &err);
	if (dst >= 0 && from)
		src = ads_find_member(j.m, j.nr_m, from, &err);
	if (dst < 0 || (from && src < 0)) {
		rc = ctl_fail_err(c, dst < 0 ? dst : src, &err);
		goto out;
	}
	ads_member_name(&j.m[dst], name, sizeof(name));
	rc = make_job(&j, want, nr, from ? &j.m[src] : NULL, &j.m[dst]);
	if (rc)
		goto out;
	if (dry) {
		rc = dry_run(&j, &j.m[dst], name);
		goto out;
	}
	rc = ads_nl_subscribe(c->nl, &err);
	if (rc) {
		rc = ctl_fail_err(c, rc, &err);
		goto out;
	}
	if (wait)
		ctl_catch_signals();
	rc = queue_all(&j, name, priority);
	if (wait && job_count(&j, JOB_PENDING)) {
		snprintf(what, sizeof(what), "migrate to %s", name);
		val = job_wait(&j, what);
		if (val && (val != CTL_UNREAD || !rc))
			rc = val;
		if (!rc || rc == CTL_ERRORS || rc == CTL_UNREAD)
			job_summary(&j, what);
		bad_report(c, NULL, what, "moved", j.bad, "");
	}
	if (rc == CTL_ERRORS)
		job_report_failures(&j);
	if (c->doc)
		job_json_segments(&j, c->doc);
out:
	free(want);
	job_free(&j);
	return rc;
}

const struct ctl_cmd ctl_migrate = {
	.name = "migrate",
	.args = "SEGMENT... --to MEMBER",
	.summary = "Move segments to a member, live and verified",
	.opts = opts,
	.flags = CTL_PROGRESS,
	.run = run,
};
