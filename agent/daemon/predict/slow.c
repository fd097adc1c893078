// SPDX-License-Identifier: GPL-2.0-or-later
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/predict/slow.h"

#define FEWEST_IO	4	/* sampled, of an operation and step */
#define BASE_DAYS	7	/* that the own past has to have */

void slow_free(struct slow *s)
{
	free(s->step);
	memset(s, 0, sizeof(*s));
}

bool slow_due(const struct slow *s, int64_t now, long length)
{
	return s->day && s->length == length && now / length != s->day;
}

static void begin_day(struct slow *s, int64_t now, long length)
{
	s->length = length;
	s->day = now / length;
	s->at = 0;
	memset(&s->part, 0, sizeof(s->part));
	if (s->step)
		memset(s->step, 0, SLOW_STEPS * sizeof(*s->step));
	s->today = (struct slow_day){ s->day, NAN, NAN };
}

static void finish_step(struct slow *s)
{
	struct slow_step *t = &s->step[s->at];

	if (s->part.seconds > 0) {
		t->throughput = (float)(s->part.bytes / s->part.seconds);
		for (int op = 0; op < SLOW_OPS; op++)
			t->latency[op] = s->part.n[op] < FEWEST_IO ? 0 :
					 (float)exp(s->part.log[op] /
						    s->part.n[op]);
	}
	memset(&s->part, 0, sizeof(s->part));
}

void slow_add(struct slow *s, int64_t now, long length, double seconds,
	      double throughput, const uint64_t n[SLOW_OPS],
	      const double mean[SLOW_OPS], bool busy)
{
	unsigned int at;

	if (s->length != length) {
		slow_free(s);
		begin_day(s, now, length);
	}
	if (!s->day || slow_due(s, now, length))
		begin_day(s, now, length);
	if (!s->step)
		s->step = calloc(SLOW_STEPS, sizeof(*s->step));
	if (!s->step)
		return;
	at = (unsigned int)((now - s->day * length) * SLOW_STEPS / length);
	/* back within the day: what was there is written anew */
	if (at != s->at) {
		finish_step(s);
		s->at = at;
	}
	if (busy || !(seconds > 0))
		return;
	s->part.seconds += seconds;
	s->part.bytes += throughput * seconds;
	for (int op = 0; op < SLOW_OPS; op++) {
		if (!n[op] || !(mean[op] > 0))
			continue;
		s->part.n[op] += (double)n[op];
		s->part.log[op] += (double)n[op] * log(mean[op]);
	}
}

/* The slower of what is known. */
static float worse(float a, double b)
{
	return isnan(a) || b > a ? (float)b : a;
}

static unsigned int samples_of(const struct slow *s, enum slow_op op,
			       unsigned int disk, struct ads_slow_sample *out)
{
	unsigned int n = 0;

	for (unsigned int i = 0; s->step && i < SLOW_STEPS; i++)
		if (s->step[i].latency[op] > 0)
			out[n++] = (struct ads_slow_sample){
				.disk = disk,
				.throughput = s->step[i].throughput,
				.latency = s->step[i].latency[op],
			};
	return n;
}

static void compare_peers(struct slow *const *s, unsigned int nr)
{
	struct ads_slow_sample *all = calloc((size_t)nr * SLOW_STEPS,
					     sizeof(*all));
	double ratio[SLOW_PEERS_MAX + ADS_SLOW_MIN_PEERS + 1];

	for (int op = 0; all && op < SLOW_OPS; op++) {
		size_t n = 0;

		for (unsigned int d = 0; d < nr; d++)
			n += samples_of(s[d], op, d, all + n);
		if (!ads_slow_day(all, n, nr, ratio))
			break;
		for (unsigned int d = 0; d < nr; d++)
			if (!isnan(ratio[d]))
				s[d]->today.peers = worse(s[d]->today.peers,
							  ratio[d]);
	}
	free(all);
}

static bool was_slow(const struct slow *s, int64_t day)
{
	for (unsigned int i = 0; i < s->nr; i++)
		if (s->past[i].day == day)
			return s->past[i].self >= ADS_SLOW_OF_SELF;
	return false;
}

/*
 * Its own past: all that is known but for the days by which it is judged, and
 * those on which it was slow; else being slow would become usual. A disk that is
 * slow for longer than steps are kept goes on being compared with what it was.
 */
static void learn_usual(struct slow *s, const struct loads *l, enum slow_op op,
			struct ads_slow_sample *past)
{
	enum load_what what = op == SLOW_READ ? LOAD_READ_LATENCY :
						LOAD_WRITE_LATENCY;
	int64_t end = s->day - ADS_SLOW_WINDOW, last = 0;
	unsigned int n = 0, days = 0;

	for (unsigned int i = 0; i < l->nr; i++) {
		const float *v = l->step[i].v;
		int64_t day = (l->now - l->nr + i) * l->length / s->length;

		if (day >= end || isnan(v[what]) || isnan(v[LOAD_BYTES]) ||
		    was_slow(s, day))
			continue;
		days += day != last;
		last = day;
		past[n++] = (struct ads_slow_sample){
			.throughput = v[LOAD_BYTES], .latency = v[what],
		};
	}
	if (days >= BASE_DAYS && ads_slow_fit(past, n, &s->usual[op]))
		s->known[op] = true;
}

static void compare_self(struct slow *s, const struct loads *l)
{
	struct ads_slow_sample *past = calloc(l->nr + 1, sizeof(*past));
	struct ads_slow_sample *now = calloc(SLOW_STEPS, sizeof(*now));
	double ratio;

	for (int op = 0; past && now && op < SLOW_OPS; op++) {
		if (l->length)
			learn_usual(s, l, op, past);
		if (!s->known[op])
			continue;
		ratio = ads_slow_ratio(&s->usual[op], now,
				       samples_of(s, op, 0, now));
		if (!isnan(ratio))
			s->today.self = worse(s->today.self, ratio);
	}
	free(past);
	free(now);
}

void slow_compare(struct slow *const *s, const struct loads *const *loads,
		  unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++) {
		s[i]->today.peers = s[i]->today.self = NAN;
		if (s[i]->step)
			finish_step(s[i]);
	}
	for (unsigned int i = 0; i < nr;) {
		unsigned int n = nr - i;

		/* none stays behind with too few */
		if (n > SLOW_PEERS_MAX + ADS_SLOW_MIN_PEERS + 1)
			n = SLOW_PEERS_MAX;
		compare_peers(s + i, n);
		i += n;
	}
	for (unsigned int i = 0; i < nr; i++)
		if (isnan(s[i]->today.peers))
			compare_self(s[i], loads[i]);
}

static void remember(struct slow *s, const struct slow_day *d)
{
	/* the clock has gone back: what is to come is not past */
	while (s->nr && s->past[s->nr - 1].day >= d->day)
		s->nr--;
	if (s->nr == SLOW_KEEP) {
		memmove(s->past, s->past + 1,
			(s->nr - 1) * sizeof(s->past[0]));
		s->nr--;
	}
	s->past[s->nr++] = *d;
}

void slow_next(struct slow *s, int64_t now, long length)
{
	if (now / length < s->day) {
		/* set back: this day was not to its end */
		while (s->nr && s->past[s->nr - 1].day >= now / length)
			s->nr--;
	} else if (!isnan(s->today.peers) || !isnan(s->today.self)) {
		remember(s, &s->today);
	}
	begin_day(s, now, length);
}

void slow_load(struct slow *s, const struct slow_day *day, long length)
{
	if (s->length && s->length != length)
		return;
	if (!s->length)
		s->length = length;
	/* what was seen meanwhile is newer */
	if ((s->day && day->day >= s->day) ||
	    (s->nr && day->day <= s->past[s->nr - 1].day))
		return;
	remember(s, day);
}

/* The last days of one kind, as the rule wants them; NaN are passed over. */
static bool is_slow(struct slow *s, bool peers, double threshold)
{
	double day[ADS_SLOW_WINDOW], sum = 0;
	unsigned int n = 0, slow = 0, oldest = s->nr;

	for (unsigned int i = s->nr; i-- && n < ADS_SLOW_WINDOW;) {
		float v = peers ? s->past[i].peers : s->past[i].self;

		/* long ago says nothing of now */
		if (s->past[i].day < s->day - 2 * ADS_SLOW_WINDOW)
			break;
		if (!(v > 0))
			continue;
		day[ADS_SLOW_WINDOW - 1 - n++] = v;
		oldest = i;
		s->evidence = s->evidence > (s->past[i].day + 1) * s->length ?
			      s->evidence : (s->past[i].day + 1) * s->length;
	}
	if (ads_slow_verdict(day + ADS_SLOW_WINDOW - n, n, threshold) < 0)
		return false;
	for (unsigned int i = oldest; i < s->nr; i++) {
		float v = peers ? s->past[i].peers : s->past[i].self;

		if (!(v >= threshold))
			continue;
		if (!slow++ && !s->verdict)
			s->since = s->past[i].day * s->length;
		sum += log(v);
	}
	s->ratio = exp(sum / (slow ? slow : 1));
	return true;
}

void slow_judge(struct slow *s, const struct config *c)
{
	enum slow_verdict is = SLOW_NOT;
	int64_t since = s->since;

	s->evidence = 0;
	if (is_slow(s, true, 1 + (double)c->slow.peers / 100))
		is = SLOW_OF_PEERS;
	else if (is_slow(s, false, 1 + (double)c->slow.self / 100))
		is = SLOW_OF_SELF;
	/* it began when it was first found, not with the days still kept */
	if (s->verdict && is)
		s->since = since;
	s->verdict = is;
	if (!is)
		s->ratio = 0;
}
