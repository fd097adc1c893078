// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "daemon/collect/iostat.h"
#include "lib/dev.h"

#define LOAD_HALF_LIFE	300.0	/* seconds */

int iostat_parse(const char *line, struct iostat_raw *out)
{
	unsigned long long v[11] = { 0 };

	/* reads merged sectors ms, the same for writes, in flight, busy ms,
	 * and ms weighed with what was in flight */
	if (sscanf(line,
		   "%llu %llu %llu %llu %llu %llu %llu %llu %llu %llu %llu",
		   &v[0], &v[1], &v[2], &v[3], &v[4], &v[5], &v[6], &v[7],
		   &v[8], &v[9], &v[10]) < 10)
		return -EBADMSG;
	*out = (struct iostat_raw){
		.reads = v[0], .read_sectors = v[2], .read_ms = v[3],
		.writes = v[4], .write_sectors = v[6], .write_ms = v[7],
		.busy_ms = v[9], .queue_ms = v[10],
	};
	return 0;
}

int iostat_read(uint32_t major, uint32_t minor, struct iostat_raw *out)
{
	char path[64], line[512];
	int r;

	snprintf(path, sizeof(path), "dev/block/%u:%u/stat", major, minor);
	r = ads_sysfs_read(path, line, sizeof(line));
	return r < 0 ? r : iostat_parse(line, out);
}

static double per_second(uint64_t new, uint64_t old, double seconds)
{
	return new < old ? 0 : (double)(new - old) / seconds;
}

static double mean_wait(uint64_t ms, uint64_t old_ms, uint64_t n,
			uint64_t old_n)
{
	if (n <= old_n || ms < old_ms)
		return 0;
	return (double)(ms - old_ms) / (double)(n - old_n) / 1000;
}

void iostat_update(struct iostat *s, const struct iostat_raw *raw, double now)
{
	const struct iostat_raw *old = &s->raw;
	double dt = now - s->time, weight;

	if (s->time > 0 && dt > 0 && raw->reads >= old->reads &&
	    raw->writes >= old->writes) {
		s->read_rate = per_second(raw->reads, old->reads, dt);
		s->write_rate = per_second(raw->writes, old->writes, dt);
		s->read_bytes = 512 * per_second(raw->read_sectors,
						 old->read_sectors, dt);
		s->write_bytes = 512 * per_second(raw->write_sectors,
						  old->write_sectors, dt);
		s->read_wait = mean_wait(raw->read_ms, old->read_ms,
					 raw->reads, old->reads);
		s->write_wait = mean_wait(raw->write_ms, old->write_ms,
					  raw->writes, old->writes);
		s->util = per_second(raw->busy_ms, old->busy_ms, dt) / 1000;
		if (s->util > 1)
			s->util = 1;
		s->queue = per_second(raw->queue_ms, old->queue_ms, dt) / 1000;
		weight = s->known ? 1 - exp2(-dt / LOAD_HALF_LIFE) : 1;
		s->load += weight * (s->util - s->load);
		s->known = true;
	}
	s->raw = *raw;
	s->time = now;
}

double latency_quantile(const uint64_t *hist, double q)
{
	double total = 0, below = 0, want, low;

	for (int i = 0; i < ADSHARD_HIST_BUCKETS; i++)
		total += (double)hist[i];
	if (total <= 0)
		return 0;
	want = q * total;
	for (int i = 0; i < ADSHARD_HIST_BUCKETS; i++) {
		if (!hist[i])
			continue;
		if (below + (double)hist[i] >= want) {
			/* bucket i holds 2^i .. 2^(i+1) ns */
			low = exp2(i);
			return low * (1 + (want - below) / (double)hist[i]) /
			       1e9;
		}
		below += (double)hist[i];
	}
	return exp2(ADSHARD_HIST_BUCKETS) / 1e9;
}

/* Of the middles of the buckets; what they have in common cancels out between
 * disks. */
static double geometric_mean(const uint64_t *hist)
{
	double n = 0, sum = 0;

	for (int i = 0; i < ADSHARD_HIST_BUCKETS; i++) {
		n += (double)hist[i];
		sum += (double)hist[i] * (i + 0.5);
	}
	return n > 0 ? exp2(sum / n) / 1e9 : 0;
}

void latency_update(struct latency *l, const uint64_t *hist)
{
	uint64_t diff[ADSHARD_HIST_BUCKETS];

	l->count = 0;
	for (int i = 0; i < ADSHARD_HIST_BUCKETS; i++) {
		/* activated anew: all of it is new */
		diff[i] = hist[i] >= l->hist[i] ? hist[i] - l->hist[i] :
						  hist[i];
		l->count += diff[i];
	}
	if (l->known && l->count) {
		l->p50 = latency_quantile(diff, 0.5);
		l->p99 = latency_quantile(diff, 0.99);
		l->mean = geometric_mean(diff);
	}
	memcpy(l->hist, hist, sizeof(l->hist));
	l->known = true;
}
