// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/plan/rebuild.h"

struct rebuild *rebuild_new(void)
{
	return calloc(1, sizeof(struct rebuild));
}

void rebuild_free(struct rebuild *r)
{
	if (!r)
		return;
	free(r->seg);
	free(r->sent);
	free(r->retry);
	free(r);
}

static struct rebuild_sent *find_sent(const struct rebuild *r, uint32_t segment)
{
	for (size_t i = 0; i < r->nr_sent; i++)
		if (r->sent[i].step.segment == segment)
			return &r->sent[i];
	return NULL;
}

static int send(struct rebuild *r, const struct ads_mend *step)
{
	if (r->nr_sent == r->cap_sent) {
		size_t cap = r->cap_sent ? r->cap_sent * 2 : 8;
		struct rebuild_sent *s = realloc(r->sent, cap * sizeof(*s));

		if (!s)
			return -ENOMEM;
		r->sent = s;
		r->cap_sent = cap;
	}
	r->sent[r->nr_sent++] = (struct rebuild_sent){ *step, 0 };
	return 0;
}

static struct rebuild_retry *find_retry(const struct rebuild *r,
					uint32_t segment)
{
	for (size_t i = 0; i < r->nr_retry; i++)
		if (r->retry[i].segment == segment)
			return &r->retry[i];
	return NULL;
}

static struct rebuild_retry *get_retry(struct rebuild *r, uint32_t segment)
{
	struct rebuild_retry *t = find_retry(r, segment);

	if (t)
		return t;
	if (r->nr_retry == r->cap_retry) {
		size_t cap = r->cap_retry ? r->cap_retry * 2 : 8;

		t = realloc(r->retry, cap * sizeof(*t));
		if (!t)
			return NULL;
		r->retry = t;
		r->cap_retry = cap;
	}
	t = &r->retry[r->nr_retry++];
	*t = (struct rebuild_retry){ .segment = segment };
	return t;
}

/* Later, elsewhere, at most plan.retries times. */
static void failed(struct rebuild *r, uint32_t segment, uint32_t dst,
		   const char *why, int64_t now, const struct config *c)
{
	struct rebuild_retry *t = get_retry(r, segment);
	long wait = c->plan.backoff;

	if (!t)
		return;
	for (unsigned int i = 0; i < t->attempts && wait < c->plan.backoff_max;
	     i++)
		wait *= 2;
	if (wait > c->plan.backoff_max)
		wait = c->plan.backoff_max;
	t->attempts++;
	t->next = now + wait;
	t->given_up = t->attempts >= (unsigned int)c->plan.retries;
	snprintf(t->why, sizeof(t->why), "%s", why);
	if (dst == ADS_PLACE_NONE)
		return;
	if (t->nr_bad == REBUILD_BAD)
		memmove(t->bad, t->bad + 1, --t->nr_bad * sizeof(t->bad[0]));
	t->bad[t->nr_bad++] = dst;
}

/* Nobody's fault: later, as if it had not been tried. */
static void postpone(struct rebuild *r, uint32_t segment, int64_t now,
		     const struct config *c)
{
	struct rebuild_retry *t = get_retry(r, segment);

	if (t && !t->given_up)
		t->next = now + c->plan.backoff;
}

/* Has it copies of no use? */
static bool has_useless(const struct ads_segment *s, uint32_t good)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < s->nr_legs; i++)
		n += s->leg[i].state != ADSHARD_LEG_FILLING;
	return n > good;
}

/* A step is done: so the list need not be made anew for each. */
static void apply(struct rebuild *r, const struct ads_mend *step,
		  const struct rebuild_input *in)
{
	for (size_t i = 0; i < r->nr; i++) {
		struct ads_segment *s = &r->seg[i];
		uint32_t before, good;

		if (s->index != step->segment)
			continue;
		before = ads_mend_good(in->members, in->nr_members, s);
		ads_mend_apply(s, step);
		good = ads_mend_good(in->members, in->nr_members, s);
		if (good >= s->wanted && before < s->wanted && r->nr_short)
			r->nr_short--;
		if (good >= s->wanted && !has_useless(s, good))
			memmove(s, s + 1, (--r->nr - i) * sizeof(*s));
		return;
	}
}

void rebuild_answer(struct rebuild *r, uint32_t segment, int error,
		    const char *why, uint64_t serial,
		    const struct rebuild_input *in)
{
	struct rebuild_sent *s = find_sent(r, segment);
	struct ads_mend step;

	if (!s)
		return;
	if (!error && s->step.act != ADS_MEND_DROP) {
		s->serial = serial;
		return;
	}
	step = s->step;
	*s = r->sent[--r->nr_sent];
	/* A drop is done with its answer. */
	if (!error) {
		apply(r, &step, in);
		return;
	}
	r->listed = false;
	switch (error) {
	case -EALREADY:
	case -ENOENT:
		break;		/* the next list says how it is */
	case -EBUSY:
	case -EAGAIN:
	case -EROFS:
	case -EPROTONOSUPPORT:
		postpone(r, segment, in->now, in->config);
		break;
	default:
		failed(r, segment, step.dst, why, in->now, in->config);
	}
}

void rebuild_event(struct rebuild *r, uint32_t segment, int error,
		   const char *why, const struct rebuild_input *in)
{
	struct rebuild_sent *s = find_sent(r, segment);
	struct ads_mend step;

	if (!s) {
		r->listed = false;	/* by another hand */
		return;
	}
	step = s->step;
	*s = r->sent[--r->nr_sent];
	if (error)
		failed(r, segment, step.dst, why, in->now, in->config);
	else
		apply(r, &step, in);
}

static int compare_migration(const void *a, const void *b)
{
	const struct ads_migration *x = a, *y = b;

	return (x->segment > y->segment) - (x->segment < y->segment);
}

static const struct ads_migration *migrating(const struct rebuild_input *in,
					     uint32_t segment)
{
	struct ads_migration key = { .segment = segment };

	return in->nr_migrations ?
	       bsearch(&key, in->migrations, in->nr_migrations, sizeof(key),
		       compare_migration) : NULL;
}

/* Operations of whose end no event told. */
static void settle_sent(struct rebuild *r, const struct kernel_segments *s,
			const struct rebuild_input *in)
{
	for (size_t i = r->nr_sent; i--;) {
		struct rebuild_sent one = r->sent[i];

		if (!one.serial || one.serial > s->serial)
			continue;
		for (size_t k = 0; k < s->nr; k++) {
			if (s->segments[k].index != one.step.segment ||
			    s->segments[k].state != ADSHARD_SEGMENT_STABLE)
				continue;
			/* with success or without: the list tells */
			r->sent[i] = r->sent[--r->nr_sent];
			postpone(r, one.step.segment, in->now, in->config);
			break;
		}
	}
}

int rebuild_list(struct rebuild *r, const struct kernel_segments *s,
		 const struct heat *heat, const struct rebuild_input *in)
{
	struct ads_mend_rank *rank = calloc(s->nr + 1, sizeof(*rank));
	struct ads_segment *seg = NULL;
	size_t n = 0;

	r->nr_short = 0;
	for (size_t i = 0; rank && i < s->nr; i++) {
		const struct ads_segment *one = &s->segments[i];
		uint32_t good = ads_mend_good(in->members, in->nr_members,
					      one);

		r->nr_short += good < one->wanted;
		if (good >= one->wanted && !has_useless(one, good))
			continue;
		rank[n++] = (struct ads_mend_rank){
			.good = good, .wanted = one->wanted,
			.heat = heat_of(heat, one), .segment = (uint32_t)i,
		};
	}
	if (rank)
		seg = calloc(n + 1, sizeof(*seg));
	if (!seg) {
		free(rank);
		return -ENOMEM;
	}
	if (n)
		qsort(rank, n, sizeof(*rank), ads_mend_compare);
	for (size_t i = 0; i < n; i++)
		seg[i] = s->segments[rank[i].segment];
	free(rank);
	settle_sent(r, s, in);
	free(r->seg);
	r->seg = seg;
	r->nr = n;
	r->listed = true;
	r->serial = s->serial;
	return 0;
}

size_t rebuild_given_up(const struct rebuild *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->nr; i++) {
		const struct rebuild_retry *t = find_retry(r, r->seg[i].index);

		n += t && t->given_up;
	}
	return n;
}

bool rebuild_stuck(const struct rebuild *r)
{
	return r->listed && r->nr && !r->nr_sent && !r->nr_waiting &&
	       r->nr_lost + rebuild_given_up(r) >= r->nr;
}

static bool is_awaited(const struct rebuild_input *in, uint32_t member)
{
	for (size_t i = 0; i < in->nr_awaited; i++)
		if (in->awaited[i] == member)
			return true;
	return false;
}

static void say_what_is_left(struct rebuild *r, const char *why)
{
	size_t given_up = rebuild_given_up(r);

	r->note[0] = 0;
	if (r->nr_lost)
		snprintf(r->note, sizeof(r->note),
			 "%zu segments have no copy that can be read",
			 r->nr_lost);
	else if (r->nr_placeless)
		snprintf(r->note, sizeof(r->note),
			 "no place for %zu copies: %.150s", r->nr_placeless,
			 why);
	else if (given_up)
		snprintf(r->note, sizeof(r->note),
			 "%zu segments got no copy", given_up);
	else if (r->nr_waiting)
		snprintf(r->note, sizeof(r->note),
			 "%zu segments wait for a missing member to come back",
			 r->nr_waiting);
}

/* The next step for one. 0, 1: nothing now, -ENOMEM. */
static int step(struct rebuild *r, const struct rebuild_input *in,
		const struct ads_segment *seg, struct ads_mend *out,
		struct ads_err *err)
{
	const struct rebuild_retry *t = find_retry(r, seg->index);
	struct ads_place_opts opts = {
		.max_score = in->config->plan.max_score,
		.exclude = t ? t->bad : NULL,
		.nr_exclude = t ? t->nr_bad : 0,
		.same_domain = in->config->plan.same_domain,
		.same_domain_how = "plan.same_domain = yes",
	};
	const struct ads_migration *op = migrating(in, seg->index);
	struct ads_segment s = *seg;
	int e;

	if (find_sent(r, s.index) || op || (t && (t->given_up ||
						  t->next > in->now)))
		return 1;
	/* the view that has no operation is the newer one */
	s.state = ADSHARD_SEGMENT_STABLE;
	e = ads_mend(in->members, in->nr_members, &s, &opts, out, err);
	/* all others failed: again where it did */
	if (e && opts.nr_exclude) {
		opts.nr_exclude = 0;
		e = ads_mend(in->members, in->nr_members, &s, &opts, out, err);
	}
	if (e) {
		r->nr_placeless++;
		return 1;
	}
	r->nr_lost += out->act == ADS_MEND_LOST;
	if (out->act == ADS_MEND_LOST || out->act == ADS_MEND_NOTHING)
		return 1;
	if (out->src != ADS_PLACE_NONE && is_awaited(in, out->src)) {
		r->nr_waiting++;
		return 1;
	}
	return send(r, out);
}

size_t rebuild_plan(struct rebuild *r, const struct rebuild_input *in,
		    struct ads_mend *out, size_t max)
{
	/* What others queue, the kernel its resyncs, counts for nothing here. */
	size_t flying = r->nr_sent, window = in->config->rebuild.window;
	struct ads_err err = { .text = "" };
	size_t n = 0;

	r->nr_waiting = r->nr_placeless = r->nr_lost = 0;
	for (size_t i = 0; i < r->nr && n < max && flying < window; i++) {
		if (step(r, in, &r->seg[i], &out[n], &err))
			continue;
		n++;
		flying++;
	}
	say_what_is_left(r, err.text);
	return n;
}
