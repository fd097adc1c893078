// SPDX-License-Identifier: GPL-2.0-or-later
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lib/smart-feat.h"
#include "lib/super.h"

/* To be raised when a feature means something else under its old name. */
#define MEANING		1

#define DAY		86400LL
#define LONG_AGO	400.0	/* days; what is longer ago is as if never */

const struct ads_feat_attr_info ads_feat_attrs[ADS_FEAT_ATTRS] = {
	[ADS_FEAT_5] = { 5, true, false },
	[ADS_FEAT_10] = { 10, false, false },
	[ADS_FEAT_187] = { 187, true, false },
	[ADS_FEAT_188] = { 188, true, false },
	[ADS_FEAT_189] = { 189, false, false },
	[ADS_FEAT_196] = { 196, true, false },
	[ADS_FEAT_197] = { 197, true, true },
	[ADS_FEAT_198] = { 198, true, true },
};

/* Of each attribute, of the critical ones, of the drive. */
static const char *const each[] = {
	"value", "grown7", "grown30", "grown90",
};
static const char *const critical[] = {
	"rises7", "rises30", "since", "change30", "max30",
};
static const char *const whole[] = {
	"nonzero", "rising7", "rising30", "since", "active30", "active90",
	"capacity", "hazard",
	"sectors", "sectors30", "first",
};

#define EACH		(sizeof(each) / sizeof(each[0]))
#define CRITICAL	(sizeof(critical) / sizeof(critical[0]))
#define WHOLE		(sizeof(whole) / sizeof(whole[0]))
#define NR_CRITICAL	6

_Static_assert(EACH * ADS_FEAT_ATTRS + CRITICAL * NR_CRITICAL + WHOLE ==
	       ADS_FEAT_NR, "number of features");

int ads_feat_attr_of(unsigned int id)
{
	for (int i = 0; i < ADS_FEAT_ATTRS; i++)
		if (ads_feat_attrs[i].id == id)
			return i;
	return -1;
}

uint64_t ads_smart_unpack(unsigned int id, uint64_t raw)
{
	uint64_t max = 0;

	switch (id) {
	case 188:
		for (int i = 0; i < 48; i += 16)
			if ((raw >> i & 0xffff) > max)
				max = raw >> i & 0xffff;
		return max;
	case 190:
	case 194:
		return raw & 0xff;
	case 9:
	case 240:
		return raw & 0xffffffff;
	case 5:
	case 196:
		return raw >> 32 ? raw & 0xffff : raw;
	default:
		return raw;
	}
}

/* What is known of one track at one time. */
struct view {
	bool known;
	double value, max30;
	double change30;	/* may be negative; the others sum up rises */
	double grown[3];	/* of 7, 30, 90 days */
	double rises7, rises30;
	double since;		/* days, NaN never */
	double first;		/* days since it was first not zero, NaN */
};

/* Points of the future are cut off here and nowhere else. */
static unsigned int up_to(const struct ads_track *t, int64_t now)
{
	unsigned int low = 0, high = t->nr;

	while (low < high) {
		unsigned int mid = low + (high - low) / 2;

		if (t->point[mid].time <= now)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static void look(const struct ads_track *t, int64_t now, struct view *v)
{
	static const int window[] = { 7, 30, 90 };
	unsigned int n = up_to(t, now);
	double then = NAN;

	*v = (struct view){ .since = NAN, .first = NAN };
	if (!n)
		return;
	v->known = true;
	v->value = v->max30 = then = t->point[n - 1].value;
	for (unsigned int i = n; i--;) {
		const struct ads_point *p = &t->point[i];
		double days = (double)(now - p->time) / DAY;
		double rise = i ? p->value - p[-1].value : 0;

		if (days > LONG_AGO)
			break;
		/* a counter that goes down was reset and counts from there */
		if (rise > 0) {
			if (isnan(v->since))
				v->since = days;
			for (int w = 0; w < 3; w++)
				if (days < window[w])
					v->grown[w] += rise;
			v->rises7 += days < 7;
			v->rises30 += days < 30;
		}
		/* what it was when the window began counts as well */
		if (i && days < 30) {
			then = p[-1].value;
			if (then > v->max30)
				v->max30 = then;
		}
		if (p->value > 0)
			v->first = days;
	}
	v->change30 = v->value - then;
}

static double least(double a, double b)
{
	return isnan(a) ? b : isnan(b) ? a : a < b ? a : b;
}

void ads_feat(const struct ads_feat_in *in, int64_t now,
	      float out[ADS_FEAT_NR])
{
	static const enum ads_feat_attr five[] = {
		ADS_FEAT_5, ADS_FEAT_187, ADS_FEAT_188, ADS_FEAT_197,
		ADS_FEAT_198,
	};
	struct view v[ADS_FEAT_ATTRS];
	double nonzero = 0, rising7 = 0, rising30 = 0, since = NAN;
	double active30 = 0, active90 = 0, first = NAN;
	float *o = out;

	for (int i = 0; i < ADS_FEAT_ATTRS; i++) {
		look(&in->track[i], now, &v[i]);
		*o++ = v[i].known ? (float)v[i].value : NAN;
		for (int w = 0; w < 3; w++)
			*o++ = v[i].known ? (float)v[i].grown[w] : NAN;
		if (!ads_feat_attrs[i].critical)
			continue;
		*o++ = v[i].known ? (float)v[i].rises7 : NAN;
		*o++ = v[i].known ? (float)v[i].rises30 : NAN;
		*o++ = (float)v[i].since;
		*o++ = v[i].known ? (float)v[i].change30 : NAN;
		*o++ = v[i].known ? (float)v[i].max30 : NAN;
		active30 += v[i].rises30;
		active90 += v[i].grown[2] > 0;
	}
	for (unsigned int i = 0; i < sizeof(five) / sizeof(five[0]); i++) {
		const struct view *f = &v[five[i]];

		nonzero += f->known && f->value > 0;
		rising7 += f->rises7 > 0;
		rising30 += f->rises30 > 0;
		since = least(since, f->since);
		/* the oldest of them: it is the largest number of days */
		if (!isnan(f->first) && !(f->first < first))
			first = f->first;
	}
	*o++ = (float)nonzero;
	*o++ = (float)rising7;
	*o++ = (float)rising30;
	*o++ = (float)since;
	*o++ = (float)active30;
	*o++ = (float)active90;
	*o++ = (float)(in->capacity / 1e12);
	*o++ = (float)in->hazard;
	*o++ = (float)(v[ADS_FEAT_5].value + v[ADS_FEAT_197].value);
	*o++ = (float)(v[ADS_FEAT_5].grown[1] + v[ADS_FEAT_197].grown[1] +
		       v[ADS_FEAT_187].grown[1]);
	*o++ = (float)first;
}

const char *ads_feat_name(unsigned int i, char *buf, size_t size)
{
	for (int a = 0; a < ADS_FEAT_ATTRS; a++) {
		if (i < EACH) {
			snprintf(buf, size, "%u.%s", ads_feat_attrs[a].id,
				 each[i]);
			return buf;
		}
		i -= EACH;
		if (!ads_feat_attrs[a].critical)
			continue;
		if (i < CRITICAL) {
			snprintf(buf, size, "%u.%s", ads_feat_attrs[a].id,
				 critical[i]);
			return buf;
		}
		i -= CRITICAL;
	}
	if (i >= WHOLE)
		return NULL;
	snprintf(buf, size, "%s", whole[i]);
	return buf;
}

static const char *attr_name(unsigned int id)
{
	static const struct { unsigned int id; const char *name; } names[] = {
		{ 5, "reallocated sectors" }, { 10, "spin retries" },
		{ 187, "uncorrectable errors" },
		{ 188, "command timeouts" }, { 189, "high fly writes" },
		{ 196, "reallocation events" }, { 197, "pending sectors" },
		{ 198, "offline uncorrectable sectors" },
	};

	for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].id == id)
			return names[i].name;
	return "attribute";
}

static const struct {
	const char *feature, *none, *text;	/* text has one %g */
} texts[] = {
	{ "value", "unknown", "%g" },
	{ "grown7", "unknown", "%g more in 7 days" },
	{ "grown30", "unknown", "%g more in 30 days" },
	{ "grown90", "unknown", "%g more in 90 days" },
	{ "rises7", "unknown", "rose on %g of 7 days" },
	{ "rises30", "unknown", "rose on %g of 30 days" },
	{ "since", "never rose", "rose %g days ago" },
	{ "change30", "unknown", "%+g against 30 days ago" },
	{ "max30", "unknown", "up to %g in 30 days" },
	{ "nonzero", "", "%g kinds of errors" },
	{ "rising7", "", "%g kinds of errors rose in 7 days" },
	{ "rising30", "", "%g kinds of errors rose in 30 days" },
	{ "active30", "", "%g rises of errors in 30 days" },
	{ "active90", "", "%g counters rose in 90 days" },
	{ "capacity", "capacity unknown", "%g TB" },
	{ "sectors", "", "%g bad sectors" },
	{ "sectors30", "", "%g errors and bad sectors in 30 days" },
	{ "first", "errors for long, or never", "errors since %g days" },
};

char *ads_feat_text(unsigned int i, float value, char *buf, size_t size)
{
	char name[32] = "", number[32];
	unsigned int id = 0;
	const char *what;
	int n = 0;

	ads_feat_name(i, name, sizeof(name));
	what = strchr(name, '.');
	if (what) {
		sscanf(name, "%u", &id);
		n = snprintf(buf, size, "%s (%u): ", attr_name(id), id);
	}
	what = what ? what + 1 : name;
	if (n < 0 || (size_t)n >= size)
		return buf;
	if (!strcmp(what, "hazard")) {
		snprintf(buf + n, size - n, "how often its model fails");
		return buf;
	}
	if (!id && !strcmp(what, "since")) {
		if (isnan(value))
			snprintf(buf, size, "no error rose");
		else
			snprintf(buf, size, "an error rose %.0f days ago", value);
		return buf;
	}
	snprintf(number, sizeof(number), fabs(value) >= 10 ? "%.0f" : "%.2g",
		 value);
	for (unsigned int k = 0; k < sizeof(texts) / sizeof(texts[0]); k++) {
		const char *gap = strstr(texts[k].text, "%");

		if (strcmp(texts[k].feature, what))
			continue;
		if (isnan(value)) {
			snprintf(buf + n, size - n, "%s", texts[k].none);
			return buf;
		}
		snprintf(buf + n, size - n, "%.*s%s%s%s",
			 (int)(gap - texts[k].text), texts[k].text,
			 gap[1] == '+' && value > 0 ? "+" : "", number,
			 strchr(gap, 'g') + 1);
		return buf;
	}
	snprintf(buf + n, size - n, "%s", number);
	return buf;
}

uint32_t ads_feat_schema(void)
{
	uint32_t crc = MEANING;
	char name[32];

	for (unsigned int i = 0; ads_feat_name(i, name, sizeof(name)); i++)
		crc = ads_crc32c(crc, name, strlen(name) + 1);
	return crc;
}
