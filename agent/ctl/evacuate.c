// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/units.h"

#include "evacuate.h"

struct heat {
	size_t at;		/* in job.seg */
	uint64_t accesses;
	uint32_t segment;
};

static bool is_from(const struct evac *e, uint32_t member)
{
	for (size_t i = 0; i < e->nr_from; i++)
		if (e->from[i] == member)
			return true;
	return false;
}

void evac_name(struct evac *e)
{
	char name[128];

	ctl_member_name(e->job.m, e->job.nr_m, e->from[0], name, sizeof(name));
	if (e->nr_from == 1)
		snprintf(e->what, sizeof(e->what), "evacuate %s", name);
	else
		snprintf(e->what, sizeof(e->what), "evacuate %s and %zu more",
			 name, e->nr_from - 1);
}

static int cmp_segment(const void *a, const void *b)
{
	const struct ads_segment *x = a, *y = b;

	return x->index < y->index ? -1 : x->index > y->index;
}

static int cmp_heat(const void *a, const void *b)
{
	const struct heat *x = a, *y = b;

	if (x->accesses != y->accesses)
		return x->accesses > y->accesses ? -1 : 1;
	return x->segment < y->segment ? -1 : x->segment > y->segment;
}

static bool of_members(const struct ads_bad *b, void *arg)
{
	return is_from(arg, b->from);
}

/* All segments on the members, ascending, into one array. */
static int load_segments(struct evac *e, struct ads_segment **out, size_t *nr,
			 struct ads_err *err)
{
	struct job *j = &e->job;
	struct ads_segment *all = NULL;
	size_t n = 0, k = 0;

	for (size_t i = 0; i < e->nr_from; i++) {
		struct ads_seg_filter f = { .has_member = true,
					    .member = e->from[i] };
		struct ads_segment *seg, *p;
		int rc;

		rc = ads_nl_segments(j->c->nl, j->pool.uuid, &f, &seg, &k,
				     err);
		if (rc) {
			free(all);
			return rc;
		}
		p = reallocarray(all, n + k + 1, sizeof(*all));
		if (!p) {
			free(seg);
			free(all);
			return -ENOMEM;
		}
		all = p;
		if (k)
			memcpy(all + n, seg, k * sizeof(*all));
		n += k;
		free(seg);
	}
	k = 0;
	qsort(all, n, sizeof(*all), cmp_segment);
	/* One with copies on several of the members is in several answers. */
	for (size_t i = 0; i < n; i++)
		if (!k || all[k - 1].index != all[i].index)
			all[k++] = all[i];
	*out = all;
	*nr = k;
	return 0;
}

/*
 * The leg to be moved. What is filling goes away by itself, for the kernel aborts
 * it, unless it is a stale leg that is filled again. One leg of a segment moves
 * at a time; others are for the next round.
 */
static const struct ads_leg *leg_of(const struct evac *e,
				    const struct ads_segment *s,
				    const struct ads_migration *mig, size_t n)
{
	for (uint32_t i = 0; i < s->nr_legs; i++) {
		const struct ads_leg *leg = &s->leg[i];

		if (!is_from(e, leg->member))
			continue;
		if (leg->state == ADSHARD_LEG_SYNC ||
		    leg->state == ADSHARD_LEG_STALE)
			return leg;
		for (size_t k = 0; k < n; k++)
			if (mig[k].segment == s->index &&
			    mig[k].kind == ADSHARD_KIND_RESYNC &&
			    mig[k].dst == leg->member)
				return leg;
	}
	return NULL;
}

/* The copies that stay: those on the members are all to go. */
static void take_legs(const struct evac *e, struct job_segment *s,
		      const struct ads_segment *seg)
{
	job_take_legs(s, seg, s->src);
	s->nr_with = 0;
	for (uint32_t i = 0; i < s->nr_on; i++)
		if (!is_from(e, s->on[i]))
			s->with[s->nr_with++] = s->on[i];
}

/*
 * Migrations that run already: those that leave the members are adopted. Their
 * cookies tell how many segments there were when the evacuation began.
 */
static void adopt(struct evac *e, const struct ads_migration *mig, size_t n)
{
	struct job *j = &e->job;

	for (size_t i = 0; i < n; i++) {
		struct job_segment *s;

		if (mig[i].kind != ADSHARD_KIND_MOVE ||
		    !is_from(e, mig[i].src) || is_from(e, mig[i].dst) ||
		    mig[i].step == ADSHARD_STEP_ABORT)
			continue;
		s = job_find(j, mig[i].segment);
		if (s) {
			s->src = mig[i].src;
			s->dst = mig[i].dst;
			s->state = JOB_PENDING;
			s->adopted = true;
			e->adopted++;
		}
		if (JOB_COOKIE_IS(mig[i].cookie) &&
		    JOB_COOKIE_TOTAL(mig[i].cookie) > e->total)
			e->total = JOB_COOKIE_TOTAL(mig[i].cookie);
	}
}

static int collect(struct evac *e)
{
	struct job *j = &e->job;
	struct ads_err err = { "" };
	struct ads_migration *mig = NULL;
	struct ads_segment *seg;
	struct heat *heat;
	size_t n, nr_mig;
	int rc;

	rc = load_segments(e, &seg, &n, &err);
	if (rc)
		return ctl_fail_err(j->c, rc, &err);
	rc = ads_nl_migrations(j->c->nl, j->pool.uuid, &mig, &nr_mig, &err);
	if (rc) {
		free(seg);
		return ctl_fail_err(j->c, rc, &err);
	}
	j->moved += job_count(j, JOB_DONE);
	job_free_segments(j);
	free(e->order);
	e->adopted = 0;
	j->mine = of_members;
	j->seg = calloc(n + 1, sizeof(*j->seg));
	e->order = calloc(n + 1, sizeof(*e->order));
	heat = calloc(n + 1, sizeof(*heat));
	if (!j->seg || !e->order || !heat) {
		free(heat);
		free(seg);
		free(mig);
		return ctl_fail_err(j->c, -ENOMEM, NULL);
	}
	for (size_t i = 0; i < n; i++) {
		const struct ads_leg *leg = leg_of(e, &seg[i], mig, nr_mig);

		if (!leg)
			continue;
		j->seg[j->nr].segment = seg[i].index;
		j->seg[j->nr].src = leg->member;
		j->seg[j->nr].dst = ADS_PLACE_NONE;
		take_legs(e, &j->seg[j->nr], &seg[i]);
		heat[j->nr].at = j->nr;
		heat[j->nr].segment = seg[i].index;
		heat[j->nr].accesses = (uint64_t)seg[i].reads + seg[i].writes;
		j->nr++;
	}
	free(seg);
	qsort(heat, j->nr, sizeof(*heat), cmp_heat);
	for (size_t i = 0; i < j->nr; i++)
		e->order[i] = heat[i].at;
	free(heat);
	adopt(e, mig, nr_mig);
	free(mig);
	if (e->total < j->nr)
		e->total = j->nr;
	j->before = e->total - j->nr;
	return CTL_OK;
}

/*
 * What is where, and what is on its way, are two answers. A move that ends in
 * between is in neither, and its segment would be taken for one without a place.
 */
int evac_collect(struct evac *e)
{
	struct job *j = &e->job;
	struct ads_pool before, after;
	struct ads_err err = { "" };
	int rc;

	for (unsigned int try = 0; ; try++) {
		rc = ads_nl_pool(j->c->nl, j->pool.uuid, &before, &err);
		if (rc)
			return ctl_fail_err(j->c, rc, &err);
		rc = collect(e);
		if (rc)
			return rc;
		rc = ads_nl_pool(j->c->nl, j->pool.uuid, &after, &err);
		if (rc)
			return ctl_fail_err(j->c, rc, &err);
		if (before.generation == after.generation || try == 20)
			return CTL_OK;
		usleep(10000);
	}
}

int evac_plan(struct evac *e)
{
	struct job *j = &e->job;
	struct ads_place_opts o = { .exclude = e->not_to,
				    .nr_exclude = e->nr_not_to,
				    .same_domain = j->same_domain,
				    .same_domain_how = "--same-domain" };
	struct ads_place_member *pm = job_place_members(j, e->agent);
	struct ads_place_segment *ps = calloc(j->nr + 1, sizeof(*ps));
	uint32_t *dst = calloc(j->nr + 1, sizeof(*dst));
	struct ads_err err = { "" };
	size_t n = 0;
	int rc = -ENOMEM;

	if (!pm || !ps || !dst)
		goto out;
	for (size_t i = 0; i < j->nr; i++) {
		const struct job_segment *s = &j->seg[e->order[i]];

		if (s->state != JOB_PLANNED)
			continue;
		job_place_segment(s, &ps[n++]);
	}
	rc = ads_place(pm, j->nr_m, ps, n, &o, dst, &err);
	n = 0;
	for (size_t i = 0; !rc && i < j->nr; i++) {
		struct job_segment *s = &j->seg[e->order[i]];

		if (s->state == JOB_PLANNED)
			s->dst = dst[n++];
	}
out:
	job_place_free(pm, j->nr_m);
	free(ps);
	free(dst);
	if (!rc)
		return CTL_OK;
	if (rc == -ENOSPC || rc == -ENODEV || rc == -EXDEV)
		return ctl_fail(j->c, CTL_REFUSED, "can't %s: %s", e->what,
				ads_err_text(&err, rc));
	return ctl_fail_err(j->c, rc, &err);
}

void evac_queue(struct evac *e)
{
	struct job *j = &e->job;

	for (size_t i = 0; i < j->nr; i++) {
		struct job_segment *s = &j->seg[e->order[i]];

		if (s->state == JOB_PLANNED &&
		    job_queue(j, s, (uint32_t)(j->nr - i),
			      JOB_COOKIE(e->total)))
			evac_again(j, s);
	}
}

/* Where it failed, and whose fault it was. -ENOMEM. */
static int note_failure(struct evac *e, struct job_segment *s)
{
	uint32_t *p = reallocarray(s->failed_dst, s->nr_failed_dst + 1,
				   sizeof(*p));

	if (!p)
		return -ENOMEM;
	s->failed_dst = p;
	p[s->nr_failed_dst++] = s->dst;
	if (!s->dst_fault || s->dst >= ADSHARD_MAX_MEMBERS) {
		s->tries++;
		return 0;
	}
	if (!e->fault)
		e->fault = calloc(ADSHARD_MAX_MEMBERS, sizeof(*e->fault));
	if (!e->fault)
		return -ENOMEM;
	e->fault[s->dst].segments++;
	snprintf(e->fault[s->dst].why, sizeof(e->fault->why), "%s", s->why);
	return 0;
}

/*
 * A destination for one that has failed elsewhere: never where it failed, and
 * with @careful not where another one did, either. ADS_PLACE_NONE.
 */
static uint32_t other_place(struct evac *e, const struct job_segment *s,
			    bool careful)
{
	struct job *j = &e->job;
	struct ads_place_segment ps;
	struct ads_place_member *pm = job_place_members(j, e->agent);
	uint32_t *exclude = calloc(e->nr_not_to + s->nr_failed_dst + j->nr_m,
				   sizeof(*exclude));
	struct ads_place_opts o = { .exclude = exclude,
				    .same_domain = j->same_domain };
	uint32_t dst = ADS_PLACE_NONE;

	job_place_segment(s, &ps);
	if (pm && exclude) {
		for (size_t i = 0; i < e->nr_not_to; i++)
			exclude[o.nr_exclude++] = e->not_to[i];
		for (size_t i = 0; i < s->nr_failed_dst; i++)
			exclude[o.nr_exclude++] = s->failed_dst[i];
		for (size_t i = 0; careful && e->fault && i < j->nr_m; i++)
			if (e->fault[j->m[i].index].segments)
				exclude[o.nr_exclude++] = j->m[i].index;
		if (ads_place(pm, j->nr_m, &ps, 1, &o, &dst, NULL))
			dst = ADS_PLACE_NONE;
	}
	job_place_free(pm, j->nr_m);
	free(exclude);
	return dst;
}

bool evac_again(struct job *j, struct job_segment *s)
{
	struct evac *e = (struct evac *)j;
	int at = ads_member_by_index(j->m, j->nr_m, s->dst);
	uint32_t dst;

	/* Aborted by hand: their will be done. */
	if (s->state == JOB_ABORTED && at >= 0 &&
	    j->m[at].state == ADSHARD_MEMBER_ONLINE)
		return false;
	if (s->given_up)
		return false;
	s->given_up = true;
	if (note_failure(e, s) || s->tries >= JOB_MAX_TRIES)
		return false;
	dst = other_place(e, s, true);
	if (dst == ADS_PLACE_NONE)
		dst = other_place(e, s, false);
	if (dst == ADS_PLACE_NONE)
		return false;
	s->given_up = false;
	s->dst = dst;
	return !job_queue(j, s, (uint32_t)j->nr, JOB_COOKIE(e->total));
}

void evac_report_faults(struct evac *e)
{
	struct job *j = &e->job;
	struct json_object *o = j->c->doc ? ads_json_get(j->c->doc, "result") :
					    NULL;
	struct json_object *list = o ? ads_json_arr(o, "destinations_failed") :
				       NULL;
	char name[128];

	for (uint32_t i = 0; e->fault && i < ADSHARD_MAX_MEMBERS; i++) {
		const struct evac_fault *f = &e->fault[i];

		if (!f->segments)
			continue;
		ctl_member_name(j->m, j->nr_m, i, name, sizeof(name));
		ctl_warn(j->c, "%u segment%s could not be written to %s: %s",
			 f->segments, f->segments == 1 ? "" : "s", name,
			 f->why);
		if (!list)
			continue;
		o = ads_json_push(list);
		ads_json_u64(o, "member", i);
		ads_json_str(o, "device", name);
		ads_json_u64(o, "segments", f->segments);
		ads_json_str(o, "reason", f->why);
	}
}

int evac_more(struct evac *e)
{
	int rc = evac_collect(e);

	if (!rc)
		rc = evac_plan(e);
	if (!rc)
		evac_queue(e);
	return rc;
}

/* @adopted: those whose slot is reserved already. */
static uint32_t count_to(const struct job *j, uint32_t member, bool adopted)
{
	uint32_t n = 0;

	for (size_t i = 0; i < j->nr; i++)
		n += j->seg[i].dst == member && j->seg[i].adopted == adopted;
	return n;
}

int evac_show_plan(struct evac *e)
{
	struct job *j = &e->job;
	struct json_object *plan = NULL, *list = NULL;
	uint64_t seg = j->pool.segment_size, limit = 0;
	char name[128], bytes[32], left[32];

	for (size_t i = 0; i < j->nr_m; i++)
		if (is_from(e, j->m[i].index) && j->m[i].src_bps)
			limit += j->m[i].src_bps;
	if (j->c->doc) {
		plan = ads_json_obj(j->c->doc, "plan");
		ads_json_u64(plan, "segments_to_move", j->nr);
		ads_json_u64(plan, "segments_on_the_way", e->adopted);
		ads_json_u64(plan, "bytes", j->nr * seg);
		if (limit)
			ads_json_double(plan, "seconds_at_limit",
					(double)(j->nr * seg) / (double)limit);
		else
			ads_json_null(plan, "seconds_at_limit");
		list = ads_json_arr(plan, "destinations");
	}
	ctl_say(j->c, "%s: would move %zu segments (%s)", e->what, j->nr,
		ads_format_size(j->nr * seg, false, bytes, sizeof(bytes)));
	for (size_t i = 0; i < j->nr_m; i++) {
		const struct ads_member *m = &j->m[i];
		uint32_t n = count_to(j, m->index, false);
		uint32_t after = m->nr_free > n ? m->nr_free - n : 0;

		n += count_to(j, m->index, true);
		if (!n)
			continue;
		ads_member_name(m, name, sizeof(name));
		ctl_say(j->c, "  %s: %u segments (%s), then %s free", name, n,
			ads_format_size(n * seg, false, bytes, sizeof(bytes)),
			ads_format_size(after * seg, false, left,
					sizeof(left)));
		if (list) {
			struct json_object *o = ads_json_push(list);

			ads_json_u64(o, "member", m->index);
			ads_json_str(o, "device", m->present ? name : NULL);
			ads_json_u64(o, "segments", n);
			ads_json_u64(o, "bytes", n * seg);
			ads_json_u64(o, "free_after", after * seg);
		}
	}
	if (limit)
		ctl_say(j->c, "  at least %s at the limit of %s/s",
			ads_format_duration((double)(j->nr * seg) /
					    (double)limit, left, sizeof(left)),
			ads_format_size(limit, false, bytes, sizeof(bytes)));
	ctl_say(j->c, "nothing was done");
	if (plan)
		job_json_segments(j, plan);
	return CTL_OK;
}

void evac_free(struct evac *e)
{
	ads_agent_status_free(e->agent);
	free(e->from);
	free(e->not_to);
	free(e->order);
	free(e->fault);
	job_free(&e->job);
}
