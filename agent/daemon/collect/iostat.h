/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Load and latency of a member, out of counters that only grow: the block
 * layer's statistics (/sys/dev/block/M:m/stat) and the kernel's latency
 * histograms. Pure but for iostat_read().
 */
#ifndef ADSHARDD_IOSTAT_H
#define ADSHARDD_IOSTAT_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/dm-adshard.h>

struct iostat_raw {
	uint64_t reads, read_sectors, read_ms;
	uint64_t writes, write_sectors, write_ms;
	uint64_t busy_ms;
	uint64_t queue_ms;	/* sum of what all requests took so far */
};

struct iostat {
	bool known;		/* there are rates */
	double time;		/* of @raw, monotonic seconds; 0: none yet */
	struct iostat_raw raw;
	double read_rate, write_rate;	/* requests per second */
	double read_bytes, write_bytes;	/* bytes per second */
	double read_wait, write_wait;	/* seconds, mean; 0 if none */
	double util;		/* 0..1, time with something in flight */
	double queue;		/* requests in flight, mean */
	double load;		/* @util, smoothed over five minutes */
};

/* One line of the statistics file. -EBADMSG. */
int iostat_parse(const char *line, struct iostat_raw *out);
/* -ENOENT if the device is gone. */
int iostat_read(uint32_t major, uint32_t minor, struct iostat_raw *out);

/* Rates since the last call. Counters that went down start anew. */
void iostat_update(struct iostat *s, const struct iostat_raw *raw, double now);

struct latency {
	bool known;
	uint64_t hist[ADSHARD_HIST_BUCKETS];	/* as last seen */
	uint64_t count;		/* sampled completions of the last interval */
	double p50, p99;	/* seconds, of the last interval with any */
	double mean;		/* geometric, likewise */
};

/* Takes the histogram as it stands, keeps the percentiles of what is new. */
void latency_update(struct latency *l, const uint64_t *hist);

/* Quantile 0..1 in seconds; 0 if the histogram is empty. */
double latency_quantile(const uint64_t *hist, double q);

#endif
