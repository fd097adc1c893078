// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * adshardctl renew: a place for segments that are lost, with nothing in them.
 *
 * The kernel makes all of the new place a bad range, so that nobody takes for data
 * what isn't. With --zero the range is written over, through the volume, which must
 * have no other user then: what he writes must not be overwritten.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lib/dev.h"
#include "lib/units.h"

#include "mend.h"
#include "verbs.h"

#define AGENT_MS	2000

static const struct ctl_opt opts[] = {
	{ 't', "to", "MEMBER", "only there; without, wherever there is room" },
	{ 'z', "zero", NULL, "fill them with zeros; nobody may use the volume meanwhile" },
	{ 'N', "dry-run", NULL, "only say what would be done" },
	{ 0, NULL, NULL, NULL },
};

struct renew {
	struct job job;			/* members, for the placement */
	uint32_t *want;			/* ascending; NULL: all that are lost */
	size_t nr_want;
	struct ads_segment *seg;	/* those that are lost */
	size_t nr;
	uint32_t *dst;
	const char *to;
	bool zero, dry;
	size_t done;
	char what[64];
};

static bool is_wanted(const struct renew *r, uint32_t segment)
{
	for (size_t i = 0; i < r->nr_want; i++)
		if (r->want[i] == segment)
			return true;
	return !r->want;
}

/* Those that are lost of those that are named. An exit code. */
static int look(struct renew *r)
{
	struct ctl *c = r->job.c;
	const struct ads_seg_filter all = { .first = 0 };
	struct ads_err err = { "" };
	size_t n, kept = 0;
	int rc;

	rc = ads_nl_segments(c->nl, r->job.pool.uuid, &all, &r->seg, &n, &err);
	if (rc)
		return ctl_fail_err(c, rc, &err);
	if (r->nr_want && r->want[r->nr_want - 1] >= r->job.pool.nr_segments)
		return ctl_fail(c, CTL_NOENT, "no segment %u: the pool has %u",
				r->want[r->nr_want - 1],
				r->job.pool.nr_segments);
	for (size_t i = 0; i < n; i++) {
		if (!is_wanted(r, r->seg[i].index))
			continue;
		if (r->seg[i].state == ADSHARD_SEGMENT_LOST)
			r->seg[kept++] = r->seg[i];
		else if (r->want)
			return ctl_fail(c, CTL_REFUSED,
					"segment %u is not lost: nothing was done",
					r->seg[i].index);
	}
	r->nr = kept;
	return CTL_OK;
}

static int place(struct renew *r)
{
	struct job *j = &r->job;
	struct ads_agent_status *agent = NULL;
	struct ads_place_segment *ps = calloc(r->nr + 1, sizeof(*ps));
	uint32_t *others = calloc(j->nr_m + 1, sizeof(*others));
	struct ads_place_opts o = { .exclude = others };
	struct ads_place_member *pm;
	struct ads_err err = { "" };
	int rc = -ENOMEM, at = -1;

	ads_agent_status(AGENT_MS, &agent, NULL);
	pm = job_place_members(j, agent);
	r->dst = calloc(r->nr + 1, sizeof(*r->dst));
	if (!ps || !others || !pm || !r->dst)
		goto out;
	rc = 0;
	if (r->to) {
		at = ads_find_member(j->m, j->nr_m, r->to, &err);
		rc = at < 0 ? at : 0;
	}
	for (size_t i = 0; r->to && !rc && i < j->nr_m; i++)
		if ((int)i != at)
			others[o.nr_exclude++] = j->m[i].index;
	/* Copies that are out of date: they stay where they are. */
	for (size_t i = 0; i < r->nr; i++) {
		ps[i].segment = r->seg[i].index;
		for (uint32_t k = 0; k < r->seg[i].nr_legs; k++) {
			ps[i].on[ps[i].nr_on++] = r->seg[i].leg[k].member;
			ps[i].with[ps[i].nr_with++] = r->seg[i].leg[k].member;
		}
	}
	if (!rc)
		rc = ads_place(pm, j->nr_m, ps, r->nr, &o, r->dst, &err);
out:
	job_place_free(pm, j->nr_m);
	ads_agent_status_free(agent);
	free(others);
	free(ps);
	if (rc == -ENOSPC || rc == -EXDEV || rc == -ENODEV)
		return ctl_fail(j->c, CTL_REFUSED, "%s: %s; nothing was done",
				r->what, ads_err_text(&err, rc));
	return rc ? ctl_fail_err(j->c, rc, &err) : CTL_OK;
}

static void show_plan(const struct renew *r)
{
	const struct job *j = &r->job;
	char name[128], size[32];

	ctl_say(j->c, "%s: would give %zu lost segment%s a place", r->what,
		r->nr, r->nr == 1 ? "" : "s");
	for (size_t i = 0; i < j->nr_m; i++) {
		size_t n = 0;

		for (size_t k = 0; k < r->nr; k++)
			n += r->dst[k] == j->m[i].index;
		if (!n)
			continue;
		ads_member_name(&j->m[i], name, sizeof(name));
		ctl_say(j->c, "  %s: %zu segment%s (%s)", name, n,
			n == 1 ? "" : "s",
			ads_format_size(n * j->pool.segment_size, false, size,
					sizeof(size)));
	}
	ctl_say(j->c, "nothing was done");
}

/* The volume, for nobody else. -1: an exit code is in *@rc. */
static int open_volume(struct renew *r, int *rc)
{
	char path[128];
	int fd;

	ads_dev_path(r->job.pool.major, r->job.pool.minor, path, sizeof(path));
	fd = open(path, O_RDWR | O_EXCL | O_CLOEXEC);
	if (fd < 0)
		*rc = ctl_fail(r->job.c, errno == EBUSY ? CTL_BUSY : CTL_FAILED,
			       "%s: %s: %s; nothing was done", r->what, path,
			       errno == EBUSY ?
			       "it is in use, so it can't be filled with zeros" :
			       strerror(errno));
	return fd;
}

static int fill(struct renew *r, int fd, uint32_t segment)
{
	uint64_t size = r->job.pool.segment_size;
	uint64_t range[2] = { segment * size, size };

	/* The last one may be cut off by the end of the volume. */
	if (range[0] + size > r->job.pool.size)
		range[1] = r->job.pool.size - range[0];
	return ioctl(fd, BLKZEROOUT, range) ? -errno : 0;
}

static int renew_all(struct renew *r, int fd)
{
	struct json_object *list = r->job.c->doc ?
				   ads_json_arr(r->job.c->doc, "segments") : NULL;
	struct ctl *c = r->job.c;
	struct ads_err err;
	size_t failed = 0;
	int rc;

	for (size_t i = 0; i < r->nr && !ctl_interrupted(); i++) {
		uint32_t seg = r->seg[i].index;

		err.text[0] = '\0';
		rc = ads_nl_renew(c->nl, r->job.pool.uuid, seg, r->dst[i],
				  &err);
		if (!rc && r->zero)
			rc = fill(r, fd, seg);
		if (rc) {
			failed++;
			ctl_warn(c, "segment %u: %s", seg,
				 ads_err_text(&err, rc));
		} else {
			r->done++;
		}
		if (list) {
			struct json_object *o = ads_json_push(list);

			ads_json_u64(o, "segment", seg);
			ads_json_u64(o, "to", r->dst[i]);
			ads_json_str(o, "why", rc ? ads_err_text(&err, rc) :
				     NULL);
		}
	}
	if (r->zero && fsync(fd))
		return ctl_fail(c, CTL_FAILED, "%s: %s", r->what,
				strerror(errno));
	ctl_say(c, "%s: %zu segment%s %s a place again, %s", r->what, r->done,
		r->done == 1 ? "" : "s", r->done == 1 ? "has" : "have",
		r->zero ? "full of zeros" :
		"with nothing in it: reads fail until it is written");
	return failed || r->done < r->nr ? CTL_ERRORS : CTL_OK;
}

static int renew(struct renew *r)
{
	struct ctl *c = r->job.c;
	int fd = -1, rc;

	rc = look(r);
	if (rc)
		return rc;
	if (!r->nr) {
		ctl_say(c, "%s: nothing to do: no segment is lost", r->what);
		return CTL_OK;
	}
	rc = place(r);
	if (rc)
		return rc;
	if (r->dry) {
		show_plan(r);
		return CTL_OK;
	}
	if (r->zero)
		fd = open_volume(r, &rc);
	if (rc)
		return rc;
	ctl_catch_signals();
	rc = renew_all(r, fd);
	if (fd >= 0)
		close(fd);
	return rc;
}

static int run(struct ctl *c, int argc, char **argv)
{
	struct renew r = { .job = { .c = c } };
	char uuid[37];
	int val, rc = CTL_OK;

	while ((val = ctl_getopt(c, argc, argv)) != -1) {
		if (val == 't')
			r.to = optarg;
		r.zero |= val == 'z';
		r.dry |= val == 'N';
	}
	mend_take_pool(c, argc, argv);
	if (optind == argc)
		ctl_usage(c, "which segments? (5,7-12, or all that are lost)");
	if (argc - optind > 1 || strcmp(argv[optind], "all"))
		rc = ctl_parse_segments(c, argv + optind, argc - optind,
					&r.want, &r.nr_want);
	if (rc)
		rc = ctl_fail_err(c, rc, NULL);
	else
		rc = ctl_load_pool(c, &r.job.pool, &r.job.m, &r.job.nr_m);
	if (!rc) {
		snprintf(r.what, sizeof(r.what), "renew %.50s",
			 ctl_pool_name(&r.job.pool, uuid));
		rc = renew(&r);
		if (c->doc) {
			ads_json_u64(c->doc, "lost", r.nr);
			ads_json_u64(c->doc, "renewed", r.done);
			ads_json_bool(c->doc, "zeros", r.zero);
			ads_json_bool(c->doc, "dry_run", r.dry);
		}
	}
	free(r.want);
	free(r.seg);
	free(r.dst);
	job_free(&r.job);
	return rc;
}

const struct ctl_cmd ctl_renew = {
	.name = "renew",
	.args = "[POOL] SEGMENT...|all",
	.summary = "Give lost segments a place again, with nothing in them",
	.opts = opts,
	.run = run,
};
