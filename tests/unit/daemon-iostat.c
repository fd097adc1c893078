// SPDX-License-Identifier: GPL-2.0-or-later
/* Rates out of counters, percentiles out of histograms. */
#include <errno.h>
#include <math.h>

#include "daemon.h"
#include "daemon/collect/iostat.h"

static bool near(double a, double b)
{
	return fabs(a - b) <= 1e-6 + 0.001 * fabs(b);
}

static void test_parse(void)
{
	struct iostat_raw r;

	is(iostat_parse("     100        2     3000       40      500        6"
			"     7000       80        9      110      120        0"
			"        0        0        0        1        2\n", &r), 0,
	   "the line of a new kernel");
	ok(r.reads == 100 && r.read_sectors == 3000 && r.read_ms == 40 &&
	   r.writes == 500 && r.write_sectors == 7000 && r.write_ms == 80 &&
	   r.busy_ms == 110, "its numbers");
	is(iostat_parse("1 2 3 4 5 6 7 8 9 10", &r), 0, "of an old one");
	is(iostat_parse("1 2 3", &r), -EBADMSG, "too short");
	is(iostat_parse("", &r), -EBADMSG, "empty");
}

static void test_rates(void)
{
	struct iostat s = { 0 };
	struct iostat_raw r = { .reads = 1000, .busy_ms = 5 };

	iostat_update(&s, &r, 100);
	ok(!s.known, "one look gives no rate");
	r.reads += 50;
	r.read_sectors += 100;
	r.read_ms += 500;
	r.busy_ms += 2500;
	iostat_update(&s, &r, 110);
	ok(s.known && near(s.read_rate, 5) && near(s.read_bytes, 5120) &&
	   near(s.read_wait, 0.01) && near(s.util, 0.25) && s.write_rate == 0,
	   "rates");
	r = (struct iostat_raw){ .reads = 1 };
	iostat_update(&s, &r, 120);
	ok(near(s.read_rate, 5), "counters that went back give none");
	r.reads = 11;
	iostat_update(&s, &r, 130);
	ok(near(s.read_rate, 1), "and then again");
	iostat_update(&s, &r, 130);
	ok(near(s.read_rate, 1), "no time has passed");
	r.busy_ms += 1000000;
	iostat_update(&s, &r, 140);
	ok(s.util == 1 && s.load < 1, "never more than all the time");
}

static void test_latency(void)
{
	uint64_t h[ADSHARD_HIST_BUCKETS] = { 0 };
	struct latency l = { 0 };

	ok(latency_quantile(h, 0.5) == 0, "empty");
	h[20] = 100;
	ok(near(latency_quantile(h, 0.5), 1.5 * (1 << 20) / 1e9),
	   "in the middle of a bucket");
	h[30] = 1;
	ok(latency_quantile(h, 0.5) < 0.0022 && latency_quantile(h, 1) > 2,
	   "the slow one is seen at the end only");
	latency_update(&l, h);
	ok(l.known && l.p50 == 0, "what was before is no news");
	h[10] += 50;
	latency_update(&l, h);
	ok(l.count == 50 && l.p99 < 3e-6, "only what is new counts");
	latency_update(&l, h);
	ok(l.count == 0 && l.p99 > 0, "nothing new: the last ones stay");
	memset(h, 0, sizeof(h));
	h[25] = 3;
	latency_update(&l, h);
	ok(l.count == 3, "activated anew");
	h[31] = UINT64_MAX / 2;
	latency_update(&l, h);
	ok(l.p99 > 4 && l.p99 < 5, "the last bucket");
}

int main(void)
{
	test_parse();
	test_rates();
	test_latency();
	return done_testing();
}
