// SPDX-License-Identifier: GPL-2.0-or-later
/* What the agent makes of a trained model, and of a file that is none. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include "daemon.h"
#include "daemon/log.h"
#include "daemon/predict/predict.h"
#include "daemon/trained.h"
#include "lib/model-file.h"

#define DAY	86400LL
#define START	(20000 * DAY)

static struct config config;
static struct errors errors;
static struct risk risk;

static int feature(const char *name)
{
	char buf[32];

	for (int i = 0; ads_feat_name(i, buf, sizeof(buf)); i++)
		if (!strcmp(buf, name))
			return i;
	abort();
}

/* Asks whether pending sectors grew by 4 in a month. */
static struct ads_model_node nodes[4];
static uint32_t roots[2] = { 0, 3 };
static struct ads_model_hazard_row rows[1] = { { "Made Up", -3 } };
static struct ads_model model = {
	.nr_trees = 2, .nr_nodes = 4, .root = roots, .node = nodes,
	.hazards = { -6, 1, rows }, .base = -1,
};

static void make_model(void)
{
	nodes[0] = (struct ads_model_node){
		.threshold = 4, .mean = -4, .left = 1,
		.feature = feature("197.grown30"), .missing_left = 1,
	};
	nodes[1] = (struct ads_model_node){ .leaf = -7 };
	nodes[2] = (struct ads_model_node){ .leaf = 1 };
	nodes[3] = (struct ads_model_node){ .leaf = 0.5F };
}

static struct smart_sample sample = {
	.health = true, .passed = 1, .protocol = SMART_ATA, .rotation = 7200,
	.temperature = SMART_NONE, .trip = SMART_NONE, .power_on = 1000,
	.used = SMART_NONE, .spare = SMART_NONE,
	.spare_threshold = SMART_NONE, .grown_defects = SMART_NONE,
	.uncorrected_read = SMART_NONE, .uncorrected_write = SMART_NONE,
	.uncorrected_verify = SMART_NONE,
	.nr_attrs = 2, .attr = { { .id = 5 }, { .id = 197 } },
};

static const struct risk_reason *ask(struct drive *d, int day, uint64_t pending,
				     const struct ads_model *m)
{
	struct drive_change changes[TRACK_NR];
	bool reset;

	sample.time = START + day * DAY;
	sample.attr[1].raw = pending;
	drive_add(d, &sample, changes, &reset);
	predict(&(struct predict_input){
		.now = sample.time, .config = &config, .drive = d,
		.sample = &sample, .peers = NAN, .errors = &errors,
		.model = m,
	}, &risk);
	for (unsigned int i = 0; i < risk.nr; i++)
		if (!strcmp(risk.reason[i].factor, "trained model"))
			return &risk.reason[i];
	return NULL;
}

static void test_score(void)
{
	struct drive *d = drive_new("Made Up", "1", SMART_ATA);
	const struct risk_reason *r;
	int alone;

	ok(!ask(d, 0, 0, &model), "a healthy disk: not worth telling");
	ok(!ask(d, 5, 3, &model), "nor are three sectors");
	r = ask(d, 10, 8, &model);
	if (ok(r, "eight are")) {
		/* margin 0.5: 62 % */
		is(r->points, risk_score_of(1 / (1 + exp(-0.5))),
		   "as many points as it is likely");
		has(r->value, "62.2 in 30", "with the probability");
		has(r->text, "pending sectors (197): 8 more in 30 days",
		    "and the reason");
		is(r->since, START + 10 * DAY, "since when");
	}
	ok(risk.score >= 90, "it counts");
	ok(!ask(d, 10, 8, NULL), "without a model nothing is said");
	alone = risk.score;
	ok(alone > 0 && alone < 90, "but by the rules");
	ok(!ask(d, 60, 8, &model), "two months later it is over");
	sample.rotation = 0;
	ask(d, 61, 100, &model);
	ok(!ask(d, 61, 100, &model), "never for a disk without platters");
	sample.rotation = 7200;
	drive_free(d);
}

/* The same answer as of the trainer's own tracks. */
static void test_same(void)
{
	static const struct ads_point points[] = {
		{ START, 0 }, { START + 5 * DAY, 3 }, { START + 10 * DAY, 9 },
	};
	struct ads_feat_in in = { .capacity = NAN, .hazard = -3 };
	static const struct ads_point zero[] = { { START, 0 } };
	struct drive *d = drive_new("Made Up", "1", SMART_ATA);
	const struct risk_reason *r;
	float x[ADS_FEAT_NR];
	char want[48];

	in.track[ADS_FEAT_197] = (struct ads_track){ points, 3 };
	in.track[ADS_FEAT_5] = (struct ads_track){ zero, 1 };
	nodes[0].threshold = 9;
	ads_feat(&in, START + 12 * DAY, x);
	nodes[3] = (struct ads_model_node){ .leaf = -2 };
	ask(d, 0, 0, &model);
	ask(d, 5, 3, &model);
	ask(d, 10, 9, &model);
	r = ask(d, 12, 9, &model);
	snprintf(want, sizeof(want), "%.1f in 30",
		 100 * ads_model_probability(&model,
					     ads_model_margin(&model, x),
					     ADS_WITHIN_30));
	if (ok(r, "the agent's rows and the trainer's"))
		has(r->value, want, "say the same");
	drive_free(d);
}

static void test_load(void)
{
	char path[] = "/tmp/predict-trees.XXXXXX";
	struct adshardd d = { .config = &config };
	const struct ads_model *before;
	struct ads_err err = { "" };
	int fd = mkstemp(path), other;

	log_init(LOG_EMERG);
	snprintf(config.score.model, sizeof(config.score.model), "%s", path);
	trained_load(&d);
	ok(!d.trained, "an empty file is no model");
	is(ads_model_write(&model, path, &err), 0, "a good one");
	trained_load(&d);
	ok(d.trained && d.trained->nr_trees == 2, "is taken");
	before = d.trained;
	other = open(path, O_WRONLY);
	is(pwrite(other, "\x63", 1, 8), 1, "one of another version");
	close(other);
	trained_load(&d);
	ok(d.trained == before, "is not taken");
	is(ftruncate(fd, 0), 0, "the old one's file");
	is(truncate(path, 100), 0, "is cut short");
	trained_load(&d);
	ok(d.trained == before, "the one in use stays");
	unlink(path);
	trained_load(&d);
	ok(d.trained == before, "also if it is gone");
	ads_model_free(d.trained);
	close(fd);
}

static void test_texts(void)
{
	char text[100], small[5];

	for (unsigned int i = 0; i < ADS_FEAT_NR; i++) {
		ads_feat_text(i, 17, text, sizeof(text));
		if (!text[0] || strchr(text, '%') || strstr(text, "  "))
			ok(false, "%u: \"%s\"", i, text);
		ads_feat_text(i, NAN, text, sizeof(text));
		ads_feat_text(i, 1e9F, small, sizeof(small));
	}
	ads_feat_text(feature("197.change30"), 8, text, sizeof(text));
	has(text, "pending sectors (197): +8 against", "a change");
	ads_feat_text(feature("nonzero"), 2, text, sizeof(text));
	has(text, "2 kinds of errors", "a count");
}

int main(void)
{
	config_defaults(&config);
	make_model();
	test_score();
	test_same();
	test_load();
	test_texts();
	return done_testing();
}
