// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/plan/core/policy.h"
#include "lib/units.h"

#define MINUTE	60L
#define HOUR	(60 * MINUTE)
#define DAY	(24 * HOUR)
#define GiB	(1L << 30)

#define TOP(field, type, def, min, max, text) \
	{ #field, PLAN_SET_##type, offsetof(struct plan_policy, field), \
	  def, min, max, text }
#define KEY(section, field, type, def, min, max, text) \
	{ #section "." #field, PLAN_SET_##type, \
	  offsetof(struct plan_policy, section.field), def, min, max, text }

const struct plan_setting plan_settings[] = {
	TOP(mode, MODE, "auto", PLAN_MODE_OFF, PLAN_MODE_AUTO,
	    "off plans nothing, advise asks before it moves, auto moves"),

	KEY(score, watch, NUMBER, "50", 1, 98,
	    "above this score a member gets no new data, and single segments on it get a copy"),
	KEY(score, drain, NUMBER, "70", 2, 99,
	    "above this score a member is emptied, as the load allows"),
	KEY(score, rescue, NUMBER, "90", 3, 100,
	    "above this score a member is emptied whatever the load"),
	KEY(score, confirm, NUMBER, "2", 2, 100,
	    "looks in a row that must say so before a member is emptied"),
	KEY(score, release, NUMBER, "50", 0, 98,
	    "a member that is being emptied must fall below this score to stay"),
	KEY(score, release_time, SECONDS, "14d", 0, 10000 * DAY,
	    "and stay below it for so long"),
	KEY(score, recover, NUMBER, "40", 0, 98,
	    "a member that is watched must fall below this score to be well again"),
	KEY(score, recover_time, SECONDS, "7d", 0, 10000 * DAY,
	    "and stay below it for so long"),
	KEY(score, patience, SECONDS, "14d", 0, 10000 * DAY,
	    "a member that is watched for so long is emptied: a small risk that stays adds up; 0 never"),
	KEY(score, suspect_time, SECONDS, "3d", 0, 365 * DAY,
	    "when many drives of one model rise at once they are only watched for so long: a misreading would pass"),

	KEY(evacuate, members, NUMBER, "4", 0, 1024,
	    "members that are emptied at once, 0 any number; a rescue does not wait for it"),
	KEY(evacuate, max_score, NUMBER, "50", 0, 98,
	    "no data goes to a member with a higher score"),
	KEY(evacuate, max_load, PERCENT, "80", 1, 100,
	    "while source or destination is busier a member is emptied by one move at a time; a rescue does not care"),
	KEY(evacuate, reserve, PERCENT, "2", 0, 50,
	    "of each member's room that only emptying a member may use"),

	KEY(evacuate, window, NUMBER, "4", 1, 4096,
	    "moves at once off a member that is emptied"),
	KEY(evacuate, same_domain, BOOL, "no", 0, 1,
	    "two legs of a segment in one failure domain if there is no other way, rather than none"),

	KEY(rebuild, enable, BOOL, "yes", 0, 1,
	    "segments with fewer legs than they should have get new ones"),
	KEY(rebuild, window, NUMBER, "4", 1, 4096,
	    "legs of a pool that are made anew at once"),

	KEY(replicate, enable, BOOL, "yes", 0, 1,
	    "single segments of watched members get a second leg until the member is well again, the hottest first"),
	KEY(replicate, share, PERCENT, "50", 1, 100,
	    "of a watched member's segments get one when its score is at score.drain; fewer below"),
	KEY(replicate, free, PERCENT, "25", 0, 100,
	    "of the pool's room that such legs leave free"),

	KEY(balance, enable, BOOL, "yes", 0, 1,
	    "segments leave members whose load will be too high"),
	KEY(balance, high, PERCENT, "70", 10, 99,
	    "a member whose forecast is above this is relieved until it is not"),
	KEY(balance, urgent, PERCENT, "90", 11, 100,
	    "above this it does not wait for quiet hours"),
	KEY(balance, horizon, SECONDS, "1d", 0, 365 * DAY,
	    "how far ahead the highest forecast is looked for"),
	KEY(balance, quantile, PERCENT, "75", 50, 99,
	    "how careful it is: the load will be less than what it reckons with so often"),
	KEY(balance, payback, SECONDS, "12h", 60, 365 * DAY,
	    "a move must gain what it costs within this time"),
	KEY(balance, gain, PERCENT, "150", 100, 10000,
	    "what a move must gain, of what it costs"),

	KEY(tier, enable, BOOL, "yes", 0, 1,
	    "hot segments go to fast members and near locations, cold ones to cheap members"),
	KEY(tier, fill, PERCENT, "85", 1, 100,
	    "of a class's room that is filled with the hottest segments"),
	KEY(tier, margin, PERCENT, "30", 0, 90,
	    "how much hotter or colder than the border a segment must be to move"),
	KEY(tier, payback, SECONDS, "7d", 60, 3650 * DAY,
	    "a move must gain what it costs within this time"),
	KEY(tier, cost, NUMBER, "0", 0, 1000000000,
	    "seconds of waiting that saving one unit of the members' cost is worth"),

	KEY(pace, pool, NUMBER, "16", 1, 4096,
	    "moves at once in a pool; a rescue does not count"),
	KEY(pace, member, NUMBER, "4", 1, 4096,
	    "moves at once to or from a member"),
	KEY(pace, link, NUMBER, "4", 1, 4096,
	    "moves at once between two locations"),
	KEY(pace, rate, BYTES, "0", 0, 1024 * GiB,
	    "bytes a second of all moves together that are expected, 0 any"),
	KEY(pace, daily, BYTES, "0", 0, 1024 * 1024 * GiB,
	    "bytes a day of moves that can wait, 0 any"),
	KEY(pace, rest, SECONDS, "1d", 0, 365 * DAY,
	    "a moved segment stays for so long, unless its member is at risk"),
	KEY(pace, quiet_from, CLOCK, "00:00", 0, 1439,
	    "what can wait, waits for the quiet hours; they begin here"),
	KEY(pace, quiet_to, CLOCK, "00:00", 0, 1439,
	    "and end here; if both are the same all hours are quiet"),
	KEY(pace, bandit, BOOL, "no", 0, 1,
	    "vary the moves at once between half and twice, by what it did to speed and latency"),

	KEY(share, evacuate, NUMBER, "60", 1, 1000,
	    "share of the moves at once that emptying members gets"),
	KEY(share, replicate, NUMBER, "15", 1, 1000, "share that second legs get"),
	KEY(share, pin, NUMBER, "10", 1, 1000, "share that pins get"),
	KEY(share, balance, NUMBER, "30", 1, 1000, "share that balancing gets"),
	KEY(share, tier, NUMBER, "5", 1, 1000, "share that tiers and places get"),
	{ NULL, 0, 0, NULL, 0, 0, NULL },
};

static const char *const modes[] = { "off", "advise", "auto" };

static long *field(struct plan_policy *p, const struct plan_setting *s)
{
	return (long *)((char *)p + s->offset);
}

const struct plan_setting *plan_setting_find(const char *name)
{
	for (const struct plan_setting *s = plan_settings; s->name; s++)
		if (!strcmp(s->name, name))
			return s;
	return NULL;
}

static int parse_clock(const char *text, long *out)
{
	unsigned int h, m;
	int end = -1;

	if (sscanf(text, "%2u:%2u%n", &h, &m, &end) != 2 || end < 0 ||
	    text[end] || h > 23 || m > 59)
		return -EINVAL;
	*out = (long)(h * 60 + m);
	return 0;
}

static int parse_bool(const char *text, long *out)
{
	if (!strcmp(text, "yes") || !strcmp(text, "on") ||
	    !strcmp(text, "true") || !strcmp(text, "1"))
		*out = 1;
	else if (!strcmp(text, "no") || !strcmp(text, "off") ||
		 !strcmp(text, "false") || !strcmp(text, "0"))
		*out = 0;
	else
		return -EINVAL;
	return 0;
}

static int parse(const struct plan_setting *s, const char *text, long *out)
{
	uint64_t u = 0;
	double d;
	int r;

	switch (s->type) {
	case PLAN_SET_SECONDS:
		r = ads_parse_duration(text, &d);
		if (!r && d > (double)s->max)
			return -ERANGE;
		if (!r)
			*out = (long)d;
		return r;
	case PLAN_SET_BYTES:
		r = ads_parse_size(text, &u);
		break;
	case PLAN_SET_BOOL:
		return parse_bool(text, out);
	case PLAN_SET_CLOCK:
		return parse_clock(text, out);
	case PLAN_SET_MODE:
		for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
			if (!strcmp(modes[i], text)) {
				*out = (long)i;
				return 0;
			}
		return -EINVAL;
	default:
		r = ads_parse_u64(text, INT64_MAX, &u);
	}
	if (!r && u > (uint64_t)s->max)
		return -ERANGE;
	if (!r)
		*out = (long)u;
	return r;
}

static const char *expects(enum plan_setting_type type)
{
	static const char *const text[] = {
		[PLAN_SET_NUMBER] = "a number",
		[PLAN_SET_PERCENT] = "a number of percent",
		[PLAN_SET_SECONDS] = "a time like 30m",
		[PLAN_SET_BYTES] = "a size like 4G",
		[PLAN_SET_BOOL] = "yes or no",
		[PLAN_SET_CLOCK] = "a time of the day like 22:00",
		[PLAN_SET_MODE] = "off, advise or auto",
	};

	return text[type];
}

static char *format(const struct plan_setting *s, long v, char *buf,
		    size_t size)
{
	static const struct { char unit; long seconds; } units[] = {
		{ 'd', DAY }, { 'h', HOUR }, { 'm', MINUTE },
	};

	switch (s->type) {
	case PLAN_SET_SECONDS:
		for (size_t i = 0; i < 3 && v; i++)
			if (v % units[i].seconds == 0) {
				snprintf(buf, size, "%ld%c",
					 v / units[i].seconds, units[i].unit);
				return buf;
			}
		snprintf(buf, size, "%lds", v);
		return buf;
	case PLAN_SET_BYTES:
		for (int i = 4; i > 0 && v; i--)
			if (v % (1L << 10 * i) == 0) {
				snprintf(buf, size, "%ld%c", v >> 10 * i,
					 " KMGT"[i]);
				return buf;
			}
		break;
	case PLAN_SET_BOOL:
		snprintf(buf, size, "%s", v ? "yes" : "no");
		return buf;
	case PLAN_SET_CLOCK:
		snprintf(buf, size, "%02ld:%02ld", v / 60, v % 60);
		return buf;
	case PLAN_SET_MODE:
		snprintf(buf, size, "%s", modes[v]);
		return buf;
	default:
		break;
	}
	snprintf(buf, size, "%ld", v);
	return buf;
}

void plan_policy_defaults(struct plan_policy *p)
{
	memset(p, 0, sizeof(*p));
	for (const struct plan_setting *s = plan_settings; s->name; s++)
		if (parse(s, s->def, field(p, s)))
			abort();	/* the table is wrong */
}

int plan_policy_check(const struct plan_policy *p, struct ads_err *err)
{
	if (p->score.watch >= p->score.drain)
		return ads_err(err, -EINVAL,
			       "score.watch (%ld) must be below score.drain (%ld)",
			       p->score.watch, p->score.drain);
	if (p->score.drain >= p->score.rescue)
		return ads_err(err, -EINVAL,
			       "score.drain (%ld) must be below score.rescue (%ld)",
			       p->score.drain, p->score.rescue);
	if (p->score.release > p->score.drain)
		return ads_err(err, -EINVAL,
			       "score.release (%ld) is above score.drain (%ld)",
			       p->score.release, p->score.drain);
	if (p->score.recover > p->score.watch)
		return ads_err(err, -EINVAL,
			       "score.recover (%ld) is above score.watch (%ld)",
			       p->score.recover, p->score.watch);
	if (p->evacuate.max_score > p->score.watch)
		return ads_err(err, -EINVAL,
			       "evacuate.max_score (%ld) is above score.watch (%ld): data would go to members that are emptied next",
			       p->evacuate.max_score, p->score.watch);
	if (p->balance.urgent <= p->balance.high)
		return ads_err(err, -EINVAL,
			       "balance.urgent (%ld) must be above balance.high (%ld)",
			       p->balance.urgent, p->balance.high);
	return 0;
}

int plan_policy_set(struct plan_policy *p, const char *name, const char *value,
		    struct ads_err *err)
{
	const struct plan_setting *s = plan_setting_find(name);
	struct plan_policy changed = *p;
	char min[32], max[32];
	long v = 0;
	int r;

	if (!s)
		return ads_err(err, -ENOENT, "%s: there is no such setting",
			       name);
	r = parse(s, value, &v);
	if (!r && (v < s->min || v > s->max))
		r = -ERANGE;
	if (r == -ERANGE)
		return ads_err(err, r, "%s: %s is not between %s and %s", name,
			       value, format(s, s->min, min, sizeof(min)),
			       format(s, s->max, max, sizeof(max)));
	if (r)
		return ads_err(err, -EINVAL, "%s: '%s' is not %s", name, value,
			       expects(s->type));
	*field(&changed, s) = v;
	r = plan_policy_check(&changed, err);
	if (!r)
		*p = changed;
	return r;
}

char *plan_policy_get(const struct plan_policy *p, const struct plan_setting *s,
		      char *buf, size_t size)
{
	return format(s, *(const long *)((const char *)p + s->offset), buf,
		      size);
}

double plan_quantile(const struct plan_policy *p, double middle, double ninth)
{
	/* of the normal distribution, in units of its deviation */
	static const struct { double percent, z; } at[] = {
		{ 50, 0 }, { 60, .2533 }, { 70, .5244 }, { 75, .6745 },
		{ 80, .8416 }, { 90, 1.2816 }, { 95, 1.6449 }, { 99, 2.3263 },
	};
	const size_t n = sizeof(at) / sizeof(at[0]);
	double q = (double)p->balance.quantile, z = at[n - 1].z;

	for (size_t i = 1; i < n; i++)
		if (q <= at[i].percent) {
			z = at[i - 1].z + (at[i].z - at[i - 1].z) *
			    (q - at[i - 1].percent) /
			    (at[i].percent - at[i - 1].percent);
			break;
		}
	return middle + (ninth - middle) * z / at[5].z;
}

bool plan_is_quiet(const struct plan_policy *p, unsigned int minute)
{
	long from = p->pace.quiet_from, to = p->pace.quiet_to, m = minute;

	if (from == to)
		return true;
	return from < to ? m >= from && m < to : m >= from || m < to;
}
