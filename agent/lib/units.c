// SPDX-License-Identifier: GPL-2.0-or-later
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include <uuid/uuid.h>

#include "units.h"

static const char prefixes[] = "KMGTPE";

int ads_parse_u64(const char *s, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;

	if (!*s)
		return -EINVAL;
	for (; *s; s++) {
		if (!isdigit((unsigned char)*s))
			return -EINVAL;
		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, *s - '0', &v))
			return -ERANGE;
	}
	if (v > max)
		return -ERANGE;
	*out = v;
	return 0;
}

int ads_parse_size(const char *s, uint64_t *bytes)
{
	uint64_t whole = 0, unit = 1, base = 1024;
	double fraction = 0, scale = 0.1, extra;
	const char *p;

	if (!isdigit((unsigned char)*s))
		return -EINVAL;
	for (; isdigit((unsigned char)*s); s++)
		if (__builtin_mul_overflow(whole, 10, &whole) ||
		    __builtin_add_overflow(whole, *s - '0', &whole))
			return -ERANGE;
	if (*s == '.') {
		if (!isdigit((unsigned char)*++s))
			return -EINVAL;
		for (; isdigit((unsigned char)*s); s++, scale /= 10)
			fraction += (*s - '0') * scale;
	}
	while (*s == ' ')
		s++;
	p = *s ? strchr(prefixes, toupper((unsigned char)*s)) : NULL;
	if (p) {
		s++;
		if (!strcasecmp(s, "B"))
			base = 1000;
		else if (*s && strcasecmp(s, "iB"))
			return -EINVAL;
		for (int i = 0; i <= p - prefixes; i++)
			unit *= base;
	} else if (*s && strcasecmp(s, "B")) {
		return -EINVAL;
	}
	extra = fraction * (double)unit;
	/* Half a byte is a slip of the pen. */
	if (fabs(extra - round(extra)) > 0.01 && unit == 1)
		return -EINVAL;
	if (__builtin_mul_overflow(whole, unit, bytes) ||
	    __builtin_add_overflow(*bytes, (uint64_t)llround(extra), bytes))
		return -ERANGE;
	return 0;
}

int ads_parse_duration(const char *s, double *seconds)
{
	double v;
	char *end;

	if (!isdigit((unsigned char)*s))
		return -EINVAL;
	v = strtod(s, &end);
	if (!strcmp(end, "ms")) {
		v /= 1000;
		end += 2;
	}
	if (*end && end[1])
		return -EINVAL;
	switch (*end) {
	case 'd':
		v *= 24;
		/* fallthrough */
	case 'h':
		v *= 60;
		/* fallthrough */
	case 'm':
		v *= 60;
		/* fallthrough */
	case 's':
	case '\0':
		break;
	default:
		return -EINVAL;
	}
	if (!isfinite(v) || v > 1e9)
		return -ERANGE;
	*seconds = v;
	return 0;
}

char *ads_format_size(uint64_t bytes, bool brief, char *buf, size_t size)
{
	int i = -1;
	double v = (double)bytes;
	const char *tail = brief ? "" : "iB";
	const char *gap = brief ? "" : " ";

	if (bytes < 1024) {
		snprintf(buf, size, "%llu%sB", (unsigned long long)bytes, gap);
		return buf;
	}
	while (v >= 1024 && i < 5) {
		v /= 1024;
		i++;
	}
	/* What would be shown as 1024.0 is 1 of the next unit. */
	if (v >= 1023.95 && i < 5) {
		v /= 1024;
		i++;
	}
	if (fabs(v - round(v)) < 0.05)
		snprintf(buf, size, "%.0f%s%c%s", v, gap, prefixes[i], tail);
	else
		snprintf(buf, size, "%.1f%s%c%s", v, gap, prefixes[i], tail);
	return buf;
}

char *ads_format_duration(double seconds, char *buf, size_t size)
{
	unsigned long long s;

	if (!(seconds >= 0) || seconds > 1e12) {
		snprintf(buf, size, "-");
		return buf;
	}
	s = (unsigned long long)seconds;
	if (s < 60)
		snprintf(buf, size, "%llus", s);
	else if (s < 3600)
		snprintf(buf, size, "%llum%02llus", s / 60, s % 60);
	else if (s < 86400)
		snprintf(buf, size, "%lluh%02llum", s / 3600, s / 60 % 60);
	else
		snprintf(buf, size, "%llud%lluh", s / 86400, s / 3600 % 24);
	return buf;
}

double ads_percent(uint64_t done, uint64_t total)
{
	double p;

	if (!total || done >= total)
		return total ? 100 : 0;
	if (!done)
		return 0;
	p = (double)done / (double)total * 100;
	if (p < 0.1)
		return 0.1;
	return p > 99.9 ? 99.9 : p;
}

char *ads_format_percent(uint64_t done, uint64_t total, char *buf, size_t size)
{
	if (!total)
		snprintf(buf, size, "-");
	else
		snprintf(buf, size, "%.1f%%", ads_percent(done, total));
	return buf;
}

char *ads_format_time(uint64_t seconds, char *buf, size_t size)
{
	time_t t = (time_t)seconds;
	struct tm tm;

	if (!gmtime_r(&t, &tm) || !strftime(buf, size, "%Y-%m-%dT%H:%M:%SZ",
					    &tm))
		snprintf(buf, size, "-");
	return buf;
}

char *ads_format_uuid(const uint8_t *uuid, char buf[ADS_UUID_STR])
{
	uuid_unparse_lower(uuid, buf);
	return buf;
}

int ads_parse_uuid(const char *s, uint8_t *uuid)
{
	return uuid_parse(s, uuid) ? -EINVAL : 0;
}
