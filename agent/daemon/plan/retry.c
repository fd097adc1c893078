// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/plan/retry.h"

#define LISTED	5	/* segments that a sentence names */

void retries_free(struct retries *r)
{
	free(r->retry);
	memset(r, 0, sizeof(*r));
}

/* Place of the segment's entry, or where it would have to be. */
static size_t place(const struct retries *r, uint32_t segment)
{
	size_t low = 0, high = r->nr;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (r->retry[mid].segment < segment)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static struct retry *find(const struct retries *r, uint32_t segment)
{
	size_t i = place(r, segment);

	return i < r->nr && r->retry[i].segment == segment ? &r->retry[i] :
							     NULL;
}

const struct retry *retries_find(const struct retries *r, uint32_t segment)
{
	return find(r, segment);
}

static struct retry *get(struct retries *r, uint32_t segment)
{
	struct retry *t = find(r, segment);
	size_t i;

	if (t)
		return t;
	if (r->nr == r->cap) {
		size_t cap = r->cap ? r->cap * 2 : 8;

		t = reallocarray(r->retry, cap, sizeof(*t));
		if (!t)
			return NULL;
		r->retry = t;
		r->cap = cap;
	}
	i = place(r, segment);
	memmove(&r->retry[i + 1], &r->retry[i], (r->nr - i) * sizeof(*t));
	r->nr++;
	r->retry[i] = (struct retry){ .segment = segment };
	return &r->retry[i];
}

void retries_forget(struct retries *r, uint32_t segment)
{
	struct retry *t = find(r, segment);

	if (!t)
		return;
	r->nr--;
	memmove(t, t + 1, (size_t)(&r->retry[r->nr] - t) * sizeof(*t));
}

void retries_failed(struct retries *r, uint32_t segment, uint16_t to,
		    const char *why, int64_t now, const struct config *c)
{
	struct retry *t = get(r, segment);
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
	t->given_up |= t->attempts >= (unsigned int)c->plan.retries;
	snprintf(t->why, sizeof(t->why), "%s", why);
	if (to == PLAN_NONE)
		return;
	if (t->nr_bad == RETRY_BAD)
		memmove(t->bad, t->bad + 1, --t->nr_bad * sizeof(t->bad[0]));
	t->bad[t->nr_bad++] = to;
}

void retries_refused(struct retries *r, uint32_t segment, uint16_t to,
		     const char *why, int64_t now)
{
	struct retry *t;

	if (to >= PLAN_MEMBERS)
		return;
	r->faulty[to / 8] |= (uint8_t)(1U << to % 8);
	t = get(r, segment);
	if (!t)
		return;
	t->nr_refused += !(t->refused[to / 8] & 1U << to % 8);
	t->refused[to / 8] |= (uint8_t)(1U << to % 8);
	t->next = now;
	snprintf(t->why, sizeof(t->why), "%s", why);
}

void retries_postpone(struct retries *r, uint32_t segment, int64_t now,
		      const struct config *c)
{
	struct retry *t = get(r, segment);

	if (t && !t->given_up)
		t->next = now + c->plan.backoff;
}

bool retries_give_up(struct retries *r, uint32_t segment)
{
	struct retry *t = find(r, segment);

	if (t)
		t->given_up = true;
	return t;
}

size_t retries_given_up(const struct retries *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->nr; i++)
		n += r->retry[i].given_up;
	return n;
}

void retries_text(const struct retries *r, char *buf, size_t size)
{
	size_t len = 0, n = 0;
	const char *why = "";

	buf[0] = 0;
	for (size_t i = 0; i < r->nr && len + 16 < size; i++) {
		if (!r->retry[i].given_up)
			continue;
		if (!n)
			why = r->retry[i].why;
		if (++n > LISTED) {
			len += (size_t)snprintf(buf + len, size - len, ", ...");
			break;
		}
		len += (size_t)snprintf(buf + len, size - len, "%s%u",
					n > 1 ? ", " : "can't be moved: ",
					r->retry[i].segment);
	}
	if (len < size && why[0])
		snprintf(buf + len, size - len, " (%s)", why);
}

size_t retries_count(const struct retries *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->nr; i++)
		n += 1 + r->retry[i].nr_bad + r->retry[i].nr_refused;
	return n;
}

static void add(struct plan_trouble *out, size_t *n, uint32_t segment,
		uint16_t to, int64_t until, bool soft)
{
	out[(*n)++] = (struct plan_trouble){
		.segment = segment, .to = to, .until = until, .soft = soft,
	};
}

size_t retries_troubles(const struct retries *r, int64_t now,
			struct plan_trouble *out)
{
	size_t n = 0;

	for (size_t i = 0; i < r->nr; i++) {
		const struct retry *t = &r->retry[i];

		if (t->given_up || t->next > now) {
			add(out, &n, t->segment, PLAN_NONE,
			    t->given_up ? INT64_MAX : t->next, false);
			continue;
		}
		for (unsigned int k = 0; k < t->nr_bad; k++)
			add(out, &n, t->segment, t->bad[k], INT64_MAX, true);
		for (uint16_t m = 0; t->nr_refused && m < PLAN_MEMBERS; m++)
			if (t->refused[m / 8] & 1U << m % 8)
				add(out, &n, t->segment, m, INT64_MAX, false);
	}
	return n;
}
