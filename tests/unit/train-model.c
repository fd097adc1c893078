// SPDX-License-Identifier: GPL-2.0-or-later
/* The file of a model, and whether it says what the trees' own library says. */
#include <errno.h>
#include <math.h>
#include <unistd.h>

#include "lib/model-priv.h"
#include "lib/super.h"
#include "train.h"

#define ROWS	10000

static struct ads_model *trained;
static void *packed;
static size_t size;

static int parse(const void *data, size_t n, struct ads_err *err)
{
	struct ads_model *m = NULL;
	int r = ads_model_parse(data, n, "it", &m, err);

	ads_model_free(m);
	return r;
}

/* Rows in which one feature or another tells, with gaps. */
static void make_rows(float *x, float *label)
{
	for (int i = 0; i < ROWS; i++) {
		float *row = x + (size_t)i * ADS_FEAT_NR;

		for (int k = 0; k < ADS_FEAT_NR; k++) {
			uint32_t d = dice_of(k, i);

			row[k] = d % 5 ? (float)(d % 1000) / 10 : NAN;
		}
		label[i] = (row[3] > 80 && !(row[7] < 50)) ||
			   dice_of(99, i) % 50 == 0;
	}
}

static void test_equal(void)
{
	float *x = calloc(ROWS, ADS_FEAT_NR * sizeof(*x));
	float *label = calloc(ROWS, sizeof(*label));
	float *said = calloc(ROWS, sizeof(*said));
	struct gbdt_data d = { x, label, NULL, NULL, ROWS };
	struct gbdt_params p = gbdt_defaults;
	struct ads_model *m = calloc(1, sizeof(*m));
	struct ads_err err = { "" };
	double most = 0, part[ADS_FEAT_NR], rest, off = 0;

	p.rounds = 40;
	make_rows(x, label);
	is(gbdt_grow(&d, &p, m, said, &err), 0, "trees grow");
	is(m->nr_trees, 40, "as many as asked for");
	for (int i = 0; i < ROWS; i++) {
		const float *row = x + (size_t)i * ADS_FEAT_NR;
		float margin = ads_model_margin(m, row);
		double sum;

		most = fmax(most, fabs((double)margin - said[i]));
		ads_model_explain(m, row, part, &rest);
		sum = rest;
		for (int k = 0; k < ADS_FEAT_NR; k++)
			sum += part[k];
		off = fmax(off, fabs(sum - margin));
	}
	printf("# at most %g apart in %d rows\n", most, ROWS);
	ok(most < 1e-5, "the evaluator says what the library says");
	ok(said[0] != said[1] || said[1] != said[2], "which is not one number");
	ok(off < 1e-3, "the reasons add up to it");
	ads_model_free(m);
	free(x);
	free(label);
	free(said);
}

static void test_train(void)
{
	struct train_options o = {
		.until = day_at(500), .history = 365, .trees = gbdt_defaults,
	};
	struct text t = { 0 };
	struct fleet f;
	struct ads_err err = { "" };
	struct ads_model *again = NULL;
	void *bytes = NULL;
	size_t n = 0;

	o.trees.rounds = 10;
	o.trees.min_weight = 1;
	make_fleet(&t, 2000, 600, 7, 80);
	fleet_of(&t, &f, NULL);
	is(train_model(&f, &o, &trained, &err), 0, "a model of a fleet");
	is(train_model(&f, &o, &again, &err), 0, "again");
	if (trained && again) {
		ads_model_pack(trained, &packed, &size, &err);
		ads_model_pack(again, &bytes, &n, &err);
	}
	ok(size && n == size && !memcmp(packed, bytes, n),
	   "the same data, the same bytes");
	o.until = day_at(60);
	ads_model_free(again);
	again = NULL;
	is(train_model(&f, &o, &again, &err), -ENODATA,
	   "not of a handful of failures");
	has(err.text, "only", "which is said");
	ads_model_free(again);
	free(bytes);
	fleet_free(&f);
	free(t.data);
}

static void test_file(void)
{
	char path[] = "/tmp/train-model.XXXXXX";
	struct ads_model *m = NULL;
	struct ads_err err = { "" };
	float x[ADS_FEAT_NR];
	bool same = true, ordered = true;
	int fd = mkstemp(path);

	is(ads_model_write(trained, path, &err), 0, "written");
	is(ads_model_read(path, &m, &err), 0, "read");
	for (int i = 0; i < 1000 && m; i++) {
		for (int k = 0; k < ADS_FEAT_NR; k++)
			x[k] = dice_of(k, i) % 3 ? dice_of(k, i) % 40 : NAN;
		same &= ads_model_margin(m, x) == ads_model_margin(trained, x);
		same &= ads_model_cold(m, x) == ads_model_cold(trained, x);
		for (int h = 0; h < ADS_HORIZONS; h++)
			same &= ads_model_probability(m, 3 - i / 100.0f, h) ==
				ads_model_probability(trained, 3 - i / 100.0f,
						      h);
		for (int h = 1; h < ADS_HORIZONS; h++)
			ordered &= ads_model_probability(m, 5 - i / 50.0f, h) >=
				   ads_model_probability(m, 5 - i / 50.0f,
							 h - 1);
	}
	ok(same, "says the same");
	ok(ordered, "the longer, the likelier");
	ads_model_free(m);
	close(fd);
	unlink(path);
	is(ads_model_read(path, &m, &err), -ENOENT, "one that is not there");
	is(ads_model_read("/dev/zero", &m, &err), -EBADMSG, "no file");
	has(err.text, "/dev/zero", "is named");
}

/* A model with its checksum made right again. */
static int parse_forged(uint8_t *data, size_t n)
{
	struct ads_model_head *h = (struct ads_model_head *)data;
	const size_t begin = offsetof(struct ads_model_head, crc) + 4;
	struct ads_err err = { "" };
	int r;

	h->size = htole64(n);
	h->crc = htole32(ads_crc32c(~0U, data + begin, n - begin));
	r = parse(data, n, &err);
	if (r && !err.text[0])
		ok(false, "an error without a sentence");
	return r;
}

static void test_bad(void)
{
	uint8_t *data = malloc(size + 16);
	struct ads_err err = { "" };
	unsigned int taken = 0;
	struct ads_model_head *h = (struct ads_model_head *)data;
	const size_t nodes = sizeof(*h) + 4 * trained->nr_trees;

	memcpy(data, packed, size);
	is(parse(data, size, &err), 0, "the whole file");
	for (size_t n = 0; n < size; n += n < 200 ? 1 : 997)
		taken += parse(data, n, &err) == 0;
	is(taken, 0, "cut short anywhere: refused");
	for (size_t i = 0; i < size; i += i < 300 ? 1 : 101) {
		data[i] ^= 0x10;
		taken += parse(data, size, &err) == 0;
		data[i] ^= 0x10;
	}
	is(taken, 0, "one bit wrong: refused");
	has(err.text, "it: is damaged", "with the name of the file");

	h->version = htole32(2);
	is(parse(data, size, &err), -EPROTONOSUPPORT, "another version");
	has(err.text, "version 2", "which is said");
	h->version = htole32(1);
	h->schema ^= 1;
	is(parse_forged(data, size), -EPROTONOSUPPORT, "other features");
	memcpy(data, packed, size);
	h->nr_nodes = htole32(0xffffffff);
	is(parse_forged(data, size), -EBADMSG, "more nodes than may be");
	memcpy(data, packed, size);
	h->nr_trees = htole32(le32toh(h->nr_trees) + 1);
	is(parse_forged(data, size), -EBADMSG, "more trees than there are");
	memcpy(data, packed, size);
	data[nodes + 8] = 0;
	memcpy(data + nodes + 8, "\1\0\0\0", 4);
	memcpy(data + nodes + 16 + 8, "\1\0\0\0", 4);
	is(parse_forged(data, size), -EBADMSG, "a node below itself");
	memcpy(data, packed, size);
	memcpy(data + nodes, "\0\0\xc0\x7f", 4);
	is(parse_forged(data, size), -EBADMSG, "not a number");
	memcpy(data, packed, size);
	memcpy(data + nodes + 12, "\xff\xff", 2);
	is(parse_forged(data, size), -EBADMSG, "a feature that there is not");
	free(data);
	data = calloc(1, ADS_MODEL_MAX_SIZE + 1);
	is(parse(data, ADS_MODEL_MAX_SIZE + 1, &err), -EFBIG, "too large");
	free(data);
}

static void test_hazards(void)
{
	struct ads_model_hazard_row rows[] = {
		{ "HGST*", -7 }, { "HGST HDN724040", -8 }, { "ST*", -5 },
		{ "ST4000DM000", -6 }, { "ST4000DM0001", -1 },
	};
	struct ads_hazards h = { -9, 5, rows };
	char maker[ADS_MODEL_NAME];

	qsort(rows, 5, sizeof(rows[0]),
	      (int (*)(const void *, const void *))strcmp);
	ok(ads_model_hazard(&h, "ST4000DM000") == -6, "by its name");
	ok(ads_model_hazard(&h, "ST4000DM000-1F2168") == -6,
	   "by what its name begins with");
	ok(ads_model_hazard(&h, "ST4000DM00") == -5, "by its maker");
	ok(ads_model_hazard(&h, "HGST HUS1") == -7, "who is the first word");
	ok(ads_model_hazard(&h, "Nobody's 1") == -9, "of all");
	ok(ads_model_hazard(&h, "") == -9, "without a name");
	ok(!strcmp(ads_model_maker("WDC WD30", maker, sizeof(maker)), "WDC*"),
	   "makers");
	ok(!strcmp(ads_model_maker("ST500LM012 HN", maker, sizeof(maker)),
		   "ST*"), "who are not models");
}

static void test_calibration(void)
{
	struct seen_row *rows = calloc(20000, sizeof(*rows));
	struct ads_model_knot k[ADS_MODEL_MAX_KNOTS];
	struct ads_model m = { 0 };
	bool rising = true;
	uint32_t n;

	/* at margin x one in 100 / (x + 1) fails */
	for (int i = 0; i < 20000; i++)
		rows[i] = (struct seen_row){ (float)(i % 50), 1,
			dice_of(5, i) % 5000 < (uint32_t)(i % 50 + 1) * 50 };
	n = calibrate(rows, 20000, k);
	ok(n > 5 && n <= ADS_MODEL_MAX_KNOTS, "a curve");
	for (uint32_t i = 1; i < n; i++)
		rising &= k[i].margin > k[i - 1].margin &&
			  k[i].logit >= k[i - 1].logit;
	ok(rising, "that rises");
	m.nr_knots[1] = n;
	memcpy(m.knot[1], k, sizeof(k));
	ok(fabs(ads_model_probability(&m, 25, ADS_WITHIN_30) - 0.26) < 0.05,
	   "and is right");
	ok(calibrate(rows, 10, k) == 0, "none of a few rows");
	ok(fabs(ads_model_probability(&m, 0, ADS_WITHIN_90) - 0.5) < 1e-9,
	   "without a curve it is the margin itself");
	free(rows);
}

int main(void)
{
	test_equal();
	test_train();
	if (trained && packed) {
		test_file();
		test_bad();
	}
	test_hazards();
	test_calibration();
	ads_model_free(trained);
	free(packed);
	return done_testing();
}
