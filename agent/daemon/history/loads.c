// SPDX-License-Identifier: GPL-2.0-or-later
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/history/loads.h"

void loads_free(struct loads *l)
{
	free(l->step);
	memset(l, 0, sizeof(*l));
}

static void push(struct loads *l, const struct load_step *s)
{
	if (l->nr == LOADS_MAX) {
		memmove(l->step, l->step + 1, (l->nr - 1) * sizeof(*s));
		l->nr--;
	} else if (l->nr == l->cap) {
		unsigned int cap = l->cap ? l->cap * 2 : 64;
		struct load_step *more;

		cap = cap > LOADS_MAX ? LOADS_MAX : cap;
		more = realloc(l->step, cap * sizeof(*more));
		/* no memory: begun anew, for steps must follow each other */
		if (!more) {
			l->nr = 0;
			return;
		}
		l->step = more;
		l->cap = cap;
	}
	l->step[l->nr++] = *s;
}

/* The step under way is over; those until @next are not known. */
static void finish(struct loads *l, int64_t next)
{
	struct load_step s;

	for (int i = 0; i < LOAD_WHAT; i++)
		s.v[i] = l->part[i].weight > 0 ?
			 (float)(l->part[i].sum / l->part[i].weight) : NAN;
	memset(l->part, 0, sizeof(l->part));
	if (next - l->now > LOADS_MAX) {
		l->nr = 0;
		l->now = next;
		return;
	}
	push(l, &s);
	for (int i = 0; i < LOAD_WHAT; i++)
		s.v[i] = NAN;
	while (++l->now < next)
		push(l, &s);
}

/* The clock was set back to before the step under way. */
static void turn_back(struct loads *l, int64_t to)
{
	int64_t gone = l->now - to;

	l->nr = gone < l->nr ? l->nr - (unsigned int)gone : 0;
	memset(l->part, 0, sizeof(l->part));
	l->now = to;
}

static void check_length(struct loads *l, long length)
{
	if (l->length == length)
		return;
	loads_free(l);
	l->length = length;
}

bool loads_add(struct loads *l, int64_t time, double seconds, long length,
	       const double v[LOAD_WHAT])
{
	int64_t now = time / length;
	bool whole = false;

	check_length(l, length);
	if (!l->now) {
		l->now = now;
	} else if (now > l->now) {
		finish(l, now);
		whole = true;
	} else if (now < l->now) {
		turn_back(l, now);
	}
	for (int i = 0; i < LOAD_WHAT; i++) {
		if (isnan(v[i]))
			continue;
		l->part[i].sum += v[i] * seconds;
		l->part[i].weight += seconds;
	}
	return whole;
}

void loads_load(struct loads *l, int64_t start, long length,
		const double v[LOAD_WHAT])
{
	int64_t at = start / length;
	double seconds = (double)length;

	check_length(l, length);
	if (l->now && at < l->now)
		return;
	loads_add(l, start, seconds, length, v);
}
