// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Tables that the trainer reads (plain, gzip, xz), and models that the agent does.
 *
 * Input: a byte that says what it is, then the file.
 *
 * Options: -max_len=8000
 * Words: agent/train/fleet-read.c agent/train/load.c agent/train/failslow.c
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"
#include "lib/model-priv.h"
#include "lib/super.h"
#include "train/fleet.h"
#include "train/rows.h"

static void check_life(const struct fleet *f, const struct life *l)
{
	struct score_time *times = NULL;
	struct ads_hazards none = { 0 };
	float x[ADS_FEAT_NR];
	uint32_t nr, cap = 0;

	must(l->first <= l->last);
	for (int a = 0; a < ADS_FEAT_ATTRS; a++)
		for (uint32_t i = 1; i < l->nr[a]; i++)
			must(l->point[a][i - 1].time < l->point[a][i].time);
	must(!life_times(l, l->last - 400 * DAY, l->last + DAY, &times, &nr,
			 &cap));
	for (uint32_t i = 0; i < nr && i < 20; i++)
		life_features(f, l, times[i].time, &none, x);
	free(times);
}

static void a_table(const uint8_t *data, size_t size)
{
	struct ads_err err = { "" };
	struct fleet f = { 0 };
	struct stream *s;
	struct csv c;
	int r = stream_open_memory(data, size, "it", &s, &err);

	must(r == 0 || err.text[0]);
	if (r)
		return;
	r = csv_open(&c, s, &err);
	must(r == 0 || err.text[0]);
	if (r)
		return;
	c.quiet = true;
	r = fleet_read_csv(&f, &c, &err);
	must(r == 0 || err.text[0]);
	csv_close(&c);
	if (!r)
		r = fleet_finish(&f, &err);
	for (uint32_t i = 0; i < f.nr && i < 50 && !r; i++)
		check_life(&f, &f.life[i]);
	fleet_free(&f);
}

static void a_model(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size + 1);
	struct ads_err err = { "" };
	struct ads_model *m = NULL;
	double part[ADS_FEAT_NR], rest;
	float x[ADS_FEAT_NR];
	int r;

	must(copy);
	memcpy(copy, data, size);
	/* else no input would get any further */
	if (size >= sizeof(struct ads_model_head)) {
		struct ads_model_head *h = (struct ads_model_head *)copy;
		const size_t begin = offsetof(struct ads_model_head, crc) + 4;

		h->size = htole64(size);
		h->schema = htole32(ads_feat_schema());
		h->crc = htole32(ads_crc32c(~0U, copy + begin, size - begin));
	}
	r = ads_model_parse(copy, size, "it", &m, &err);
	must(r ? err.text[0] : m != NULL);
	free(copy);
	if (r)
		return;
	for (int i = 0; i < ADS_FEAT_NR; i++)
		x[i] = i % 3 ? (float)i : NAN;
	ads_model_margin(m, x);
	ads_model_explain(m, x, part, &rest);
	for (int h = 0; h < ADS_HORIZONS; h++) {
		double p = ads_model_probability(m, 1, h);

		must(p >= 0 && p <= 1);
	}
	must(ads_model_cold(m, x) >= 0);
	ads_model_hazard(&m->hazards, "ST4000DM000-1F2168");
	ads_model_free(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	if (data[0] == 'm')
		a_model(data + 1, size - 1);
	else
		a_table(data + 1, size - 1);
	return 0;
}

void fuzz_seeds(void)
{
	static const char intervals[] =
		"tserial_number,model,size_tb,min_date,max_date,min_hours,"
		"max_hours,tstart,tstop,fails,smart_5,smart_188,smart_197\n"
		"A,M,4,2015-01-01,2015-04-11,100,2500,100,1300,0,0,65537,0\n"
		"A,M,4,2015-01-01,2015-04-11,100,2500,1300,2500,1,8,,16\n";
	static const char days[] =
		"tfailure,date,model,serial_number,smart_9_raw,smart_5_raw\n"
		"0,2020-01-01,T,A,1000,0\n1,2020-01-02,\"T\",A,3,7.0\n";
	struct ads_model_node node[3] = {
		{ .threshold = 1, .left = 1, .feature = 3 },
		{ .leaf = -1 }, { .leaf = 1 },
	};
	uint32_t root[1] = { 0 };
	struct ads_model_hazard_row row = { "ST4000DM000", -5 };
	struct ads_model m = {
		.nr_trees = 1, .nr_nodes = 3, .root = root, .node = node,
		.nr_knots = { 2 }, .knot = { { { 0, 0 }, { 1, 1 } } },
		.hazards = { -6, 1, &row },
	};
	struct ads_err err;
	void *data;
	size_t size;
	char *copy;

	fuzz_seed("intervals", intervals, sizeof(intervals) - 1);
	fuzz_seed("days", days, sizeof(days) - 1);
	must(!ads_model_pack(&m, &data, &size, &err));
	copy = malloc(size + 1);
	must(copy);
	copy[0] = 'm';
	memcpy(copy + 1, data, size);
	fuzz_seed("model", copy, size + 1);
	free(copy);
	free(data);
}
