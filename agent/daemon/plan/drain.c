// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/plan/plan.h"

struct drain *drain_new(void)
{
	return calloc(1, sizeof(struct drain));
}

void drain_free(struct drain *d)
{
	if (!d)
		return;
	free(d->seg);
	free(d->sent);
	free(d->retry);
	free(d);
}

static struct plan_sent *find_sent(const struct drain *d, uint32_t segment)
{
	for (size_t i = 0; i < d->nr_sent; i++)
		if (d->sent[i].segment == segment)
			return &d->sent[i];
	return NULL;
}

static void unsend(struct drain *d, struct plan_sent *s)
{
	*s = d->sent[--d->nr_sent];
}

static int send(struct drain *d, uint32_t segment, uint32_t dst)
{
	if (d->nr_sent == d->cap_sent) {
		size_t cap = d->cap_sent ? d->cap_sent * 2 : 8;
		struct plan_sent *s = realloc(d->sent, cap * sizeof(*s));

		if (!s)
			return -ENOMEM;
		d->sent = s;
		d->cap_sent = cap;
	}
	d->sent[d->nr_sent++] = (struct plan_sent){ segment, dst, 0 };
	return 0;
}

/* Place of the segment's entry, or where it would have to be. */
static size_t retry_place(const struct drain *d, uint32_t segment)
{
	size_t low = 0, high = d->nr_retry;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (d->retry[mid].segment < segment)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static struct plan_retry *find_retry(const struct drain *d, uint32_t segment)
{
	size_t i = retry_place(d, segment);

	return i < d->nr_retry && d->retry[i].segment == segment ?
	       &d->retry[i] : NULL;
}

static struct plan_retry *get_retry(struct drain *d, uint32_t segment)
{
	struct plan_retry *r = find_retry(d, segment);
	size_t i;

	if (r)
		return r;
	if (d->nr_retry == d->cap_retry) {
		size_t cap = d->cap_retry ? d->cap_retry * 2 : 8;

		r = realloc(d->retry, cap * sizeof(*r));
		if (!r)
			return NULL;
		d->retry = r;
		d->cap_retry = cap;
	}
	i = retry_place(d, segment);
	memmove(&d->retry[i + 1], &d->retry[i],
		(d->nr_retry - i) * sizeof(*r));
	d->nr_retry++;
	d->retry[i] = (struct plan_retry){ .segment = segment };
	return &d->retry[i];
}

static void forget_retry(struct drain *d, uint32_t segment)
{
	struct plan_retry *r = find_retry(d, segment);

	if (!r)
		return;
	d->nr_retry--;
	memmove(r, r + 1, (size_t)(&d->retry[d->nr_retry] - r) * sizeof(*r));
}

/*
 * An attempt that failed: later, elsewhere, at most plan.retries times. @dst
 * may be ADS_PLACE_NONE.
 */
static void failed(struct drain *d, uint32_t segment, uint32_t dst,
		   const char *why, int64_t now, const struct config *c)
{
	struct plan_retry *r = get_retry(d, segment);
	const unsigned int keep = sizeof(r->bad) / sizeof(r->bad[0]);
	long wait = c->plan.backoff;

	if (!r)
		return;
	for (unsigned int i = 0; i < r->attempts && wait < c->plan.backoff_max;
	     i++)
		wait *= 2;
	if (wait > c->plan.backoff_max)
		wait = c->plan.backoff_max;
	r->attempts++;
	r->next = now + wait;
	r->given_up = r->attempts >= (unsigned int)c->plan.retries;
	snprintf(r->why, sizeof(r->why), "%s", why);
	if (dst == ADS_PLACE_NONE)
		return;
	if (r->nr_bad == keep)
		memmove(r->bad, r->bad + 1, (--r->nr_bad) * sizeof(r->bad[0]));
	r->bad[r->nr_bad++] = dst;
}

static bool is_refused(const struct plan_retry *r, uint32_t member)
{
	return member < ADSHARD_MAX_MEMBERS &&
	       r->refused[member / 8] & 1U << member % 8;
}

/* The destination could not take it: elsewhere, and at once. */
static void refused(struct drain *d, uint32_t segment, uint32_t dst,
		    const char *why, int64_t now)
{
	struct plan_retry *r = get_retry(d, segment);

	d->nr_faulty += !d->faults[dst]++;
	if (!r)
		return;
	if (!is_refused(r, dst))
		r->nr_refused++;
	r->refused[dst / 8] |= 1U << dst % 8;
	r->next = now;
	snprintf(r->why, sizeof(r->why), "%s", why);
}

/* Nobody's fault (the pool is suspended): later, as if it had not been tried. */
static void postpone(struct drain *d, uint32_t segment, int64_t now,
		     const struct config *c)
{
	struct plan_retry *r = get_retry(d, segment);

	if (r && !r->given_up)
		r->next = now + c->plan.backoff;
}

void drain_answer(struct drain *d, uint32_t segment, int error,
		  const char *why, uint64_t serial, int64_t now,
		  const struct config *c)
{
	struct plan_sent *s = find_sent(d, segment);
	uint32_t dst;

	if (!s)
		return;
	if (!error) {
		s->serial = serial;
		return;
	}
	dst = s->dst;
	unsend(d, s);
	d->listed = false;
	switch (error) {
	case -EALREADY:
	case -ENOENT:
		break;		/* the next list says how it is */
	case -EBUSY:
	case -EAGAIN:
	case -EROFS:
	case -EPROTONOSUPPORT:
		postpone(d, segment, now, c);
		break;
	default:
		failed(d, segment, dst, why, now, c);
	}
}

void drain_event(struct drain *d, uint32_t segment, int error, const char *why,
		 uint32_t blame, int64_t now, const struct config *c)
{
	struct plan_sent *s = find_sent(d, segment);
	uint32_t dst = s ? s->dst : ADS_PLACE_NONE;

	if (s)
		unsend(d, s);
	if (error && blame < ADSHARD_MAX_MEMBERS)
		refused(d, segment, blame, why, now);
	else if (error)
		failed(d, segment, dst, why, now, c);
	else
		forget_retry(d, segment);
	for (size_t i = 0; i < d->nr; i++) {
		if (d->seg[i].index != segment || d->seg[i].gone)
			continue;
		d->seg[i].state = ADSHARD_SEGMENT_STABLE;
		d->seg[i].gone = !error;
		d->nr_gone += !error;
	}
}

/* Hottest first; the order must not depend on the dump's. */
static int compare(const void *a, const void *b)
{
	const struct plan_segment *x = a, *y = b;

	if (x->heat != y->heat)
		return x->heat < y->heat ? 1 : -1;
	return (x->index > y->index) - (x->index < y->index);
}

static int compare_index(const void *a, const void *b)
{
	const struct ads_segment *x = a, *y = b;

	return (x->index > y->index) - (x->index < y->index);
}

/* Moves of whose end no event told. */
static void settle_sent(struct drain *d, const struct kernel_segments *s,
			int64_t now, const struct config *c)
{
	for (size_t i = d->nr_sent; i--;) {
		struct ads_segment key = { .index = d->sent[i].segment };
		const struct ads_segment *seg;

		if (!d->sent[i].serial || d->sent[i].serial > s->serial)
			continue;
		seg = s->nr ? bsearch(&key, s->segments, s->nr, sizeof(key),
				      compare_index) : NULL;
		if (!seg) {
			forget_retry(d, key.index);
			unsend(d, &d->sent[i]);
		} else if (seg->state == ADSHARD_SEGMENT_STABLE) {
			failed(d, key.index, d->sent[i].dst,
			       "the migration ended without a result", now, c);
			unsend(d, &d->sent[i]);
		}
	}
}

int drain_list(struct drain *d, const struct kernel_segments *s,
	       const struct heat *heat, int64_t now, const struct config *c)
{
	struct plan_segment *seg = calloc(s->nr ? s->nr : 1, sizeof(*seg));

	if (!seg)
		return -ENOMEM;
	for (size_t i = 0; i < s->nr; i++) {
		const struct ads_segment *from = &s->segments[i];

		seg[i].index = from->index;
		seg[i].state = from->state;
		seg[i].heat = heat_of(heat, from);
		for (uint32_t j = 0; j < from->nr_legs; j++)
			if (seg[i].nr_on < ADSHARD_MAX_LEGS)
				seg[i].on[seg[i].nr_on++] = from->leg[j].member;
	}
	if (s->nr)
		qsort(s->segments, s->nr, sizeof(s->segments[0]),
		      compare_index);
	settle_sent(d, s, now, c);
	qsort(seg, s->nr, sizeof(*seg), compare);
	free(d->seg);
	d->seg = seg;
	d->nr = s->nr;
	d->nr_gone = 0;
	d->listed = true;
	d->serial = s->serial;
	return 0;
}

size_t drain_left(const struct drain *d)
{
	return d->nr - d->nr_gone;
}

size_t drain_given_up(const struct drain *d)
{
	size_t n = 0;

	for (size_t i = 0; i < d->nr; i++) {
		const struct plan_retry *r;

		if (d->seg[i].gone)
			continue;
		r = find_retry(d, d->seg[i].index);
		n += r && r->given_up;
	}
	return n;
}

bool drain_stuck(const struct drain *d)
{
	return d->listed && drain_left(d) && !d->nr_sent &&
	       drain_given_up(d) == drain_left(d);
}

static int compare_migration(const void *a, const void *b)
{
	const struct ads_migration *x = a, *y = b;

	return (x->segment > y->segment) - (x->segment < y->segment);
}

static bool migrating(const struct plan_input *in, uint32_t segment)
{
	struct ads_migration key = { .segment = segment };

	return in->nr_migrations &&
	       bsearch(&key, in->migrations, in->nr_migrations, sizeof(key),
		       compare_migration);
}

/* In the kernel or on the way there. */
static size_t in_flight(const struct drain *d, const struct plan_input *in)
{
	size_t n = 0;

	for (size_t i = 0; i < in->nr_migrations; i++)
		n += in->migrations[i].kind == ADSHARD_KIND_MOVE &&
		     in->migrations[i].src == in->source;
	for (size_t i = 0; i < d->nr_sent; i++)
		n += !migrating(in, d->sent[i].segment);
	return n;
}

/*
 * Who may not be the destination: whoever could not take it. With @careful also
 * those where it failed for other reasons, and whoever could not take another.
 */
static size_t exclude(const struct drain *d, const struct plan_input *in,
		      const struct plan_retry *r, bool careful, uint32_t *list)
{
	size_t n = 0;

	if (!d->nr_faulty && (!r || !r->nr_bad))
		return 0;
	for (size_t i = 0; i < in->nr_members; i++) {
		uint32_t index = in->members[i].index;
		bool no = r && is_refused(r, index);

		if (careful && index < ADSHARD_MAX_MEMBERS)
			no |= d->faults[index];
		for (unsigned int k = 0; careful && r && k < r->nr_bad; k++)
			no |= r->bad[k] == index;
		if (no && n < ADSHARD_MAX_MEMBERS)
			list[n++] = index;
	}
	return n;
}

/* -ENODEV or -ENOSPC with a sentence; -ECANCELED: all could not take it. */
static int place_one(const struct drain *d, const struct plan_input *in,
		     const struct plan_segment *seg, uint32_t *dst,
		     struct ads_err *err)
{
	const struct plan_retry *r = find_retry(d, seg->index);
	struct ads_place_segment what = { .segment = seg->index };
	uint32_t list[ADSHARD_MAX_MEMBERS];
	struct ads_place_opts opts = {
		.max_score = in->config->plan.max_score, .exclude = list,
	};
	int e;

	for (uint32_t i = 0; i < seg->nr_on; i++) {
		what.on[what.nr_on++] = seg->on[i];
		if (seg->on[i] != in->source)
			what.with[what.nr_with++] = seg->on[i];
	}
	opts.same_domain = in->config->plan.same_domain;
	opts.same_domain_how = "plan.same_domain = yes";
	opts.nr_exclude = exclude(d, in, r, true, list);
	if (opts.nr_exclude) {
		e = ads_place(in->members, in->nr_members, &what, 1, &opts,
			      dst, NULL);
		if (!e)
			return 0;
		/* all others are no better: again to where it failed */
		opts.nr_exclude = exclude(d, in, r, false, list);
	}
	e = ads_place(in->members, in->nr_members, &what, 1, &opts, dst, err);
	if (e != -ENODEV || !opts.nr_exclude)
		return e;
	/* Nobody is left. Because each has been tried, or may nobody take any? */
	opts.nr_exclude = 0;
	return ads_place(in->members, in->nr_members, &what, 1, &opts, dst,
			 NULL) == -ENODEV ? e : -ECANCELED;
}

static void count_incoming(const struct plan_input *in, uint32_t member)
{
	for (size_t i = 0; i < in->nr_members; i++)
		if (in->members[i].index == member)
			in->members[i].incoming++;
}

/*
 * @why: no member may take anything at all, and why each; or why @apart segments,
 * though there is room, find no place beside their other copies.
 */
static void say_what_is_left(struct drain *d, const struct plan_input *in,
			     size_t waiting, size_t apart, const char *why)
{
	struct ads_place_opts opts = {
		.max_score = in->config->plan.max_score,
	};
	uint64_t room = ads_place_room(in->members, in->nr_members, &opts);
	size_t given_up = drain_given_up(d);

	d->no_room = waiting > room ? waiting - room : 0;
	d->note[0] = 0;
	if (d->no_room)
		snprintf(d->note, sizeof(d->note),
			 "no room for %llu of %zu segments%s%s",
			 (unsigned long long)d->no_room, drain_left(d),
			 why[0] ? ": " : "", why);
	else if (apart)
		snprintf(d->note, sizeof(d->note), "%zu segments wait: %s",
			 apart, why);
	else if (given_up)
		snprintf(d->note, sizeof(d->note),
			 "%zu segments could not be moved", given_up);
}

size_t plan_moves(struct drain *d, const struct plan_input *in,
		  struct plan_move *out, size_t max)
{
	size_t flying = in_flight(d, in), window = in->config->plan.window;
	size_t n = 0, waiting = 0, apart = 0;
	struct ads_err err = { .text = "" };
	bool full = false, nobody = false;
	int r;

	for (size_t i = 0; i < d->nr; i++) {
		const struct plan_segment *s = &d->seg[i];
		struct plan_retry *retry = find_retry(d, s->index);
		uint32_t dst = ADS_PLACE_NONE;

		if (s->gone || s->state != ADSHARD_SEGMENT_STABLE ||
		    find_sent(d, s->index) || migrating(in, s->index) ||
		    (retry && retry->given_up))
			continue;
		if (full || n == max || flying >= window ||
		    (retry && retry->next > in->now)) {
			waiting++;
			continue;
		}
		r = place_one(d, in, s, &dst, &err);
		if (r == -ECANCELED) {
			retry->given_up = true;
			continue;
		}
		if (r) {
			nobody = r == -ENODEV;
			apart += !nobody && s->nr_on > 1;
			/* all are of one size: what fits not even one copy
			 * of this fits none of the others */
			full = s->nr_on <= 1 &&
			       !(retry && retry->nr_refused);
			waiting++;
			continue;
		}
		if (send(d, s->index, dst))
			break;
		count_incoming(in, dst);
		out[n++] = (struct plan_move){ s->index, dst };
		flying++;
	}
	say_what_is_left(d, in, waiting, apart,
			 nobody || apart ? err.text : "");
	return n;
}
