// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>

#include "lib/units.h"

#include "limits.h"

void limits_json(struct json_object *o, const struct ads_member *m)
{
	ads_json_u64(o, "source_rate", m->src_bps);
	ads_json_u64(o, "destination_rate", m->dst_bps);
	ads_json_u64(o, "floor", m->floor_bps);
	ads_json_double(o, "latency_bound_seconds", (double)m->latency_ns / 1e9);
	if (m->latency_now_ns)
		ads_json_double(o, "latency_seconds",
				(double)m->latency_now_ns / 1e9);
	else
		ads_json_null(o, "latency_seconds");
	ads_json_u64(o, "source_rate_now", m->src_rate);
	ads_json_str(o, "source_rate_by", ads_rate_by_name(m->src_rate_by));
	ads_json_u64(o, "destination_rate_now", m->dst_rate);
	ads_json_str(o, "destination_rate_by",
		     ads_rate_by_name(m->dst_rate_by));
	ads_json_u64(o, "source_jobs_max", m->src_active_max);
	ads_json_u64(o, "destination_jobs_max", m->dst_active_max);
	ads_json_u64(o, "source_jobs", m->src_active);
	ads_json_u64(o, "destination_jobs", m->dst_active);
}

static bool is_limited(const struct ads_member *m)
{
	return m->src_bps || m->dst_bps || m->latency_ns;
}

static bool same(const struct ads_member *a, const struct ads_member *b)
{
	return a->src_bps == b->src_bps && a->dst_bps == b->dst_bps &&
	       a->latency_ns == b->latency_ns && a->floor_bps == b->floor_bps;
}

static const char *size(uint64_t bps, char *buf, size_t len)
{
	return ads_format_size(bps, false, buf, len);
}

/* "8 MiB/s from it, 4 MiB/s to it, less while I/O of users takes over 5 ms" */
static void print_set(const struct ads_member *m)
{
	const char *comma = "";
	char buf[32];

	if (m->src_bps && m->src_bps == m->dst_bps) {
		printf("%s/s from it and to it",
		       size(m->src_bps, buf, sizeof(buf)));
		comma = ", ";
	} else {
		if (m->src_bps)
			printf("%s/s from it",
			       size(m->src_bps, buf, sizeof(buf)));
		comma = m->src_bps ? ", " : "";
		if (m->dst_bps) {
			printf("%s%s/s to it", comma,
			       size(m->dst_bps, buf, sizeof(buf)));
			comma = ", ";
		}
	}
	if (!m->latency_ns)
		return;
	printf("%sless while I/O of users takes over %g ms", comma,
	       (double)m->latency_ns / 1e6);
	/* What the kernel takes if nothing is set. */
	printf(", but not below %s/s", m->floor_bps ?
	       size(m->floor_bps, buf, sizeof(buf)) : "1 MiB");
}

/* "now: 2 MiB/s from /dev/sda, by latency (7.5 ms)" */
static void print_now(const struct ads_member *m, bool from, bool *any)
{
	uint32_t by = from ? m->src_rate_by : m->dst_rate_by;
	uint32_t active = from ? m->src_active : m->dst_active;
	uint64_t rate = from ? m->src_rate : m->dst_rate;
	char name[128], buf[32];

	if (!active || !rate)
		return;
	ads_member_name(m, name, sizeof(name));
	printf("%s%s/s %s %s, by %s", *any ? "        " : "   now: ",
	       size(rate, buf, sizeof(buf)), from ? "from" : "to", name,
	       ads_rate_by_name(by));
	if (by != ADSHARD_RATE_CEILING && m->latency_now_ns)
		printf(": I/O of users takes %.3g ms",
		       (double)m->latency_now_ns / 1e6);
	putchar('\n');
	*any = true;
}

void limits_print(const struct view *v)
{
	bool all = v->nr_m, any = false;
	char name[128];

	for (size_t i = 0; i < v->nr_m; i++)
		all &= is_limited(&v->m[i]) && same(&v->m[i], &v->m[0]);
	for (size_t i = 0; i < v->nr_m && (!all || !i); i++) {
		if (!is_limited(&v->m[i]))
			continue;
		printf("%s", any ? "        " : "limits: ");
		any = true;
		ads_member_name(&v->m[i], name, sizeof(name));
		printf("%s: copying ", all ? "each member" : name);
		print_set(&v->m[i]);
		putchar('\n');
	}
	any = false;
	for (size_t i = 0; i < v->nr_m; i++) {
		print_now(&v->m[i], true, &any);
		print_now(&v->m[i], false, &any);
	}
}
