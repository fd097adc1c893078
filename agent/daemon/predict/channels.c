// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is measured beside the medium itself: the cable, the temperature, I/O
 * that fails, and I/O that takes too long.
 */
#include <limits.h>
#include <math.h>
#include <stdio.h>

#include "daemon/predict/predict.h"
#include "lib/units.h"

#define INTERFACE_CAP		50
#define INTERFACE_CAP_TIMEOUTS	60	/* commands time out as well */
#define THERMAL_CAP		60

struct link_rule {
	enum track track;
	bool days;		/* how many of the week it rose on counts, not by
				 * how much */
	struct {
		unsigned int from;
		int points;
	} step[4];		/* the first that is reached */
	const char *text;
};

static const struct link_rule link_rules[] = {
	/* hardly a sign of failure: 3.5 % of failed and 1.4 % of healthy drives
	 * have them. A cable wants to be looked at; data need not move */
	{ TRACK_CRC, false, { { 1000, 60 }, { 100, 50 }, { 10, 40 }, { 1, 25 } },
	  "errors on the cable or backplane" },
	/* one reset of a phy makes hundreds of them at once */
	{ TRACK_LINK_ERRORS, true, { { 5, 50 }, { 3, 45 }, { 2, 35 }, { 1, 15 } },
	  "errors between the disk and its controller or expander" },
	/* whoever pulls and plugs a disk makes one or two */
	{ TRACK_LINK_RESETS, false, { { 30, 50 }, { 10, 45 }, { 3, 35 }, { 1, 15 } },
	  "the link to it was reset" },
};

static void judge_link(struct risk *r, const struct predict_input *in,
		       const struct link_rule *rule, bool timeouts)
{
	const struct series *s = &in->drive->series[rule->track];
	uint64_t grown = series_grown(s, in->now, 7 * RISK_DAY), n;
	char value[48];
	int i = 0;

	if (!s->known)
		return;
	risk_judged(r, RISK_INTERFACE, in->sample->time);
	n = rule->days ? series_rises(s, in->now, 7 * RISK_DAY) : grown;
	if (!n)
		return;
	while (n < rule->step[i].from)
		i++;
	snprintf(value, sizeof(value), "%llu, rose by %llu in 7 days",
		 (unsigned long long)s->value, (unsigned long long)grown);
	risk_add(r, RISK_INTERFACE, rule->step[i].points + (timeouts ? 10 : 0),
		 series_last_rise(s), track_info[rule->track].name, value,
		 "%s%s", rule->text, timeouts ? ", and commands time out" : "");
}

void predict_interface(struct risk *r, const struct predict_input *in)
{
	const struct series *own = &in->drive->series[TRACK_TIMEOUT];
	const struct series *log = &in->drive->series[TRACK_LOG_TIMEOUTS];
	bool timeouts = series_rises(own, in->now, 7 * RISK_DAY) > 0 ||
			series_rises(log, in->now, 7 * RISK_DAY) > 0;

	for (size_t i = 0; i < sizeof(link_rules) / sizeof(link_rules[0]); i++)
		judge_link(r, in, &link_rules[i], timeouts);
	risk_cap(r, RISK_INTERFACE,
		 timeouts ? INTERFACE_CAP_TIMEOUTS : INTERFACE_CAP);
}

void predict_thermal(struct risk *r, const struct predict_input *in)
{
	const struct smart_sample *s = in->sample;
	const struct series *minutes = &in->drive->series[TRACK_CRITICAL_MINUTES];
	long limit = s->rotation > 0 ? in->config->thermal.hdd :
				       in->config->thermal.ssd;
	char value[48];

	if (s->protocol == SMART_NVME)
		risk_judged(r, RISK_THERMAL, s->time);
	if (series_rises(minutes, in->now, 7 * RISK_DAY)) {
		snprintf(value, sizeof(value), "%llu minutes",
			 (unsigned long long)minutes->value);
		risk_add(r, RISK_THERMAL, 60, series_last_rise(minutes),
			 track_info[TRACK_CRITICAL_MINUTES].name, value,
			 "was above its critical temperature in the last 7 days");
	}
	if (s->temperature != SMART_NONE) {
		risk_judged(r, RISK_THERMAL, s->time);
		snprintf(value, sizeof(value), "%lld C",
			 (long long)s->temperature);
		if (s->temperature >= limit + 10 ||
		    (s->trip != SMART_NONE && s->temperature >= s->trip))
			risk_add(r, RISK_THERMAL, 60, 0, "temperature", value,
				 "far too hot (limit %ld C)", limit);
		else if (s->temperature >= limit)
			risk_add(r, RISK_THERMAL, 45, 0, "temperature", value,
				 "too hot (limit %ld C)", limit);
		if (!isnan(in->peers) && (double)s->temperature >=
		    in->peers + (double)in->config->thermal.peers)
			risk_add(r, RISK_THERMAL, 30, 0, "temperature", value,
				 "hotter than its peers (%.0f C)", in->peers);
	}
	risk_cap(r, RISK_THERMAL, THERMAL_CAP);
}

static void age_buckets(struct errors *e, int64_t slot)
{
	if (slot - e->slot >= ERRORS_BUCKETS || slot < e->slot) {
		for (int i = 0; i < ERRORS_BUCKETS; i++)
			e->bucket[i] = 0;
	} else {
		for (int64_t i = e->slot + 1; i <= slot; i++)
			e->bucket[i % ERRORS_BUCKETS] = 0;
	}
	e->slot = slot;
}

unsigned int errors_in_window(const struct errors *e)
{
	unsigned int sum = 0;

	for (int i = 0; i < ERRORS_BUCKETS; i++)
		sum += e->bucket[i];
	return sum;
}

/* 30 for the first, 70 for one less than N, 75 for N and 10 for each doubling */
static double points_of(unsigned int n, long count)
{
	double x = (double)n / (double)count;

	if (!n)
		return 0;
	if (x < 1)
		return 30 + 40 * x;
	x = 75 + 10 * log2(x);
	return x > 95 ? 95 : x;
}

static double held_points(const struct errors *e, int64_t now, long half_life)
{
	double age = (double)(now - e->held_time);

	return age <= 0 ? e->held : e->held * exp2(-age / (double)half_life);
}

void errors_look(struct errors *e, int64_t now, uint64_t n,
		 const struct config *c)
{
	long width = c->errors.time / ERRORS_BUCKETS;
	long most = c->errors.count / 2 > 0 ? c->errors.count / 2 : 1;
	double points, held;

	age_buckets(e, now / (width ? width : 1));
	e->known = true;
	e->time = now;
	if (n) {
		e->last = now;
		e->total += n;
		e->bucket[e->slot % ERRORS_BUCKETS] += n > (uint64_t)most ?
						       most : (long)n;
	}
	points = points_of(errors_in_window(e), c->errors.count);
	held = held_points(e, now, c->errors.half_life);
	e->held = points > held ? points : held;
	e->held_time = now;
}

/*
 * One is a warning, two and it is no destination any more (plan.max_score); by
 * themselves they don't empty it, for what is on it can be read.
 */
#define REFUSED_FIRST	45
#define REFUSED_EACH	10
#define REFUSED_MOST	65

static double refused_points(const struct errors *e, int64_t now,
			     long half_life)
{
	double age = (double)(now - e->refused.last), points;

	if (!e->refused.n)
		return 0;
	points = REFUSED_FIRST + REFUSED_EACH * (double)(e->refused.n - 1);
	if (points > REFUSED_MOST)
		points = REFUSED_MOST;
	return age <= 0 ? points : points * exp2(-age / (double)half_life);
}

void errors_refused(struct errors *e, int64_t now, const char *why,
		    const struct config *c)
{
	if (refused_points(e, now, c->errors.half_life) < 1)
		e->refused.n = 0;
	if (e->refused.n < UINT_MAX)
		e->refused.n++;
	e->refused.last = now;
	snprintf(e->refused.why, sizeof(e->refused.why), "%s", why);
}

void predict_errors(struct risk *r, const struct predict_input *in)
{
	const struct errors *e = in->errors;
	unsigned int n;
	char value[48], span[32];
	int points;

	if (!e || !e->known)
		return;
	risk_judged(r, RISK_ERRORS, e->time);
	n = errors_in_window(e);
	points = (int)lround(held_points(e, in->now,
					 in->config->errors.half_life));
	snprintf(value, sizeof(value), "%llu, lately %u",
		 (unsigned long long)e->total, n);
	if (points > 0 && n)
		risk_add(r, RISK_ERRORS, points, e->last, "failed I/O", value,
			 "%u requests failed in the last %s", n,
			 ads_format_duration((double)in->config->errors.time,
					     span, sizeof(span)));
	else if (points > 0)
		risk_add(r, RISK_ERRORS, points, e->last, "failed I/O", value,
			 "requests failed %s ago",
			 ads_format_duration((double)(in->now - e->last), span,
					     sizeof(span)));
	points = (int)lround(refused_points(e, in->now,
					    in->config->errors.half_life));
	if (points > 0) {
		snprintf(value, sizeof(value), "%u", e->refused.n);
		risk_add(r, RISK_ERRORS, points, e->refused.last,
			 "failed copies", value,
			 "%u segment%s could not be moved to it: %s",
			 e->refused.n, e->refused.n == 1 ? "" : "s",
			 e->refused.why);
	}
	if (e->hung)
		risk_add(r, RISK_ERRORS, 60, e->hung, "patrol read", "hung",
			 "a read has not returned for %s",
			 ads_format_duration((double)(in->now - e->hung), span,
					     sizeof(span)));
}

#define SLOW_TODAY_POINTS	40	/* warns, and no more: it is one day */
#define SLOW_TODAY		1.5
#define SLOW_BASE		55	/* slow, but hardly: no new data */
#define SLOW_DOUBLING		40	/* and for each time that it takes twice as long */
#define SLOW_MOST		85

/* 1.16 times as long: 64, 1.3: 70, 1.5: 78; 1.7 times: 85 */
static int slow_points(double ratio)
{
	double points = SLOW_BASE + SLOW_DOUBLING * log2(ratio);

	return points > SLOW_MOST ? SLOW_MOST : (int)lround(points);
}

void predict_slow(struct risk *r, const struct predict_input *in)
{
	const struct slow *s = in->slow;
	bool peers;
	double today;
	char value[48];

	if (!s || !s->length)
		return;
	/* a day that is not over is a sample, and no evidence */
	if (s->evidence)
		risk_judged(r, RISK_SLOW, s->evidence);
	if (s->verdict) {
		peers = s->verdict == SLOW_OF_PEERS;
		snprintf(value, sizeof(value), "%.2f times as long", s->ratio);
		risk_add(r, RISK_SLOW, slow_points(s->ratio), s->since,
			 "latency", value, peers ?
			 "slower than the other disks of its model at the same load, on at least 3 of 5 days" :
			 "slower than it was in the weeks before at the same load, on at least 3 of 5 days");
	}
	peers = !isnan(s->today.peers);
	today = peers ? s->today.peers : s->today.self;
	if (!(today >= SLOW_TODAY) || s->verdict)
		return;
	if (!s->evidence)
		risk_judged(r, RISK_SLOW, s->day * s->length);
	snprintf(value, sizeof(value), "%.2f times as long", today);
	risk_add(r, RISK_SLOW, SLOW_TODAY_POINTS, s->day * s->length,
		 "latency", value, "slower today than %s at the same load",
		 peers ? "the other disks of its model" :
			 "it was in the weeks before");
}
