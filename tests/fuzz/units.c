// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Numbers that people type, and those that are shown to them.
 *
 * Options: -max_len=60
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"
#include "lib/units.h"

static bool is_error(int r)
{
	return r == -EINVAL || r == -ERANGE;
}

static void show(uint64_t a, uint64_t b, double seconds)
{
	char buf[64];
	double p;

	for (int i = 0; i < 2; i++) {
		must(ads_format_size(a, i, buf, sizeof(buf)) == buf);
		must(buf[0] && strlen(buf) <= 10);
	}
	must(strlen(ads_format_duration(seconds, buf, sizeof(buf))) < 24);
	must(strlen(ads_format_percent(a, b, buf, sizeof(buf))) <= 6);
	p = ads_percent(a, b);
	must(p >= 0 && p <= 100);
	must((p == 0) == (!a || !b));
	must((p == 100) == (b && a >= b));
	must(strlen(ads_format_time(a, buf, sizeof(buf))) < 40);
	ads_format_size(a, false, buf, 4);
	must(strlen(buf) < 4);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_in in = { data, size };
	uint64_t a = fuzz_u64(&in), b = fuzz_u64(&in), v = 0, again = 0;
	char buf[64], *text = fuzz_text(in.at, in.left);
	double seconds = 0;
	uint8_t uuid[16], back[16];
	int r;

	r = ads_parse_size(text, &v);
	must(r == 0 || is_error(r));
	if (r == 0) {
		snprintf(buf, sizeof(buf), "%llu", (unsigned long long)v);
		must(!ads_parse_size(buf, &again) && again == v);
	}
	r = ads_parse_u64(text, a, &v);
	must(r == 0 ? v <= a : is_error(r));
	r = ads_parse_duration(text, &seconds);
	must(r == 0 ? seconds >= 0 && seconds <= 1e9 : is_error(r));
	if (!ads_parse_uuid(text, uuid)) {
		ads_format_uuid(uuid, buf);
		must(!ads_parse_uuid(buf, back) && !memcmp(uuid, back, 16));
	}
	memcpy(&seconds, &b, sizeof(seconds));
	show(a, b, seconds);
	free(text);
	return 0;
}

void fuzz_seeds(void)
{
	static const char *const texts[] = {
		"4096", "64K", "1.5GiB", "10GB", "16E", "0.3 TiB", "90s", "5m",
		"1.5h", "1d", "18446744073709551615", "15.99999999999999999E",
		"a0b1c2d3-e4f5-0617-2839-4a5b6c7d8e9f", "0x10", "1e5s",
	};
	static const uint64_t pairs[][2] = {
		{ 0, 0 }, { 1, 1000000 }, { 999999, 1000000 }, { 5, 5 },
		{ UINT64_MAX, 1ULL << 62 }, { 1023, 1024 }, { 1048575, 90 },
	};
	char buf[256], name[16];

	for (unsigned int i = 0; i < 15; i++) {
		memcpy(buf, pairs[i % 7], 16);
		strcpy(buf + 16, texts[i]);
		snprintf(name, sizeof(name), "%u", i);
		fuzz_seed(name, buf, 16 + strlen(texts[i]));
	}
}
