// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Counters of a disk as time goes by: the block layer's line, the histogram of
 * latencies, failed I/O; and what is made of them.
 *
 * Input: looks, each a byte of seconds, a byte of flags, a bucket and a count,
 * then, up to a newline, the line.
 *
 * Options: -max_len=400
 */
#include <math.h>
#include <stdlib.h>

#include "daemon/collect/iostat.h"
#include "daemon/predict/predict.h"
#include "fuzz.h"

static struct config config;

void fuzz_init(void)
{
	config_defaults(&config);
}

static void check_load(const struct iostat *s)
{
	must(s->util >= 0 && s->util <= 1 && s->load >= 0 && s->load <= 1.001);
	must(s->read_rate >= 0 && isfinite(s->read_rate));
	must(s->write_bytes >= 0 && isfinite(s->write_bytes));
	must(s->read_wait >= 0 && s->write_wait >= 0);
}

static void check_score(const struct errors *e, int64_t now)
{
	struct predict_input in = { .now = now, .config = &config,
				    .peers = NAN, .errors = e };
	struct risk r;

	predict(&in, &r);
	must(r.score >= -1 && r.score <= 100);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t hist[ADSHARD_HIST_BUCKETS] = { 0 };
	struct fuzz_in in = { data, size };
	struct latency l = { 0 };
	struct iostat s = { 0 };
	struct errors e = { 0 };
	double mono = 1;
	int64_t now = 1700000000;

	while (in.left) {
		uint8_t seconds = fuzz_u8(&in), flags = fuzz_u8(&in);
		uint8_t bucket = fuzz_u8(&in);
		uint64_t count = flags & 1 ? fuzz_u64(&in) : fuzz_u8(&in);
		const uint8_t *end = memchr(in.at, '\n', in.left);
		size_t n = end ? (size_t)(end - in.at) : in.left;
		char *line = fuzz_text(in.at, n);
		struct iostat_raw raw;

		in.at += n + !!end;
		in.left -= n + !!end;
		mono += seconds / 8.0;
		now += flags & 2 ? (int64_t)seconds * 3600 : seconds;
		/* clocks are set back */
		if (flags & 4)
			now -= 1000;
		if (!iostat_parse(line, &raw))
			iostat_update(&s, &raw, mono);
		free(line);
		check_load(&s);
		hist[bucket % ADSHARD_HIST_BUCKETS] = count;
		latency_update(&l, hist);
		must(l.p50 >= 0 && l.p50 <= l.p99 * 1.000001);
		errors_look(&e, now, flags & 8 ? count : count % 16, &config);
		check_score(&e, now);
	}
	return 0;
}

void fuzz_seeds(void)
{
	static const char line[] =
		"\x08\0\x05\x07 1 2 3 4 5 6 7 8 9 10 11 0 0 0 0 0 0\n"
		"\x10\0\x06\x09  1000000 20 3000000 4 5 60000 7 8 9 10000 11\n"
		"\xff\x03\x16\xff\xff\xff\xff\xff\xff\xff\x7f"
		" 18446744073709551615 2 3 4 5 6 7 8 9 10 11\n"
		"\x10\x0c\x06\x09" "5 20 30 4 5 60 7 8 9 10 11\n";

	fuzz_seed("looks", line, sizeof(line) - 1);
}
