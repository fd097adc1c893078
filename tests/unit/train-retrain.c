// SPDX-License-Identifier: GPL-2.0-or-later
/* A model that is corrected by another fleet, and what is left out of one. */
#include <errno.h>
#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

#include "train.h"
#include "train/verbs.h"

static struct ads_model *base;
static char dir[] = "/tmp/train-retrain.XXXXXX";

int read_fleet(const struct train_args *a, struct fleet *f,
	       struct ads_err *err)
{
	int r = fleet_read(f, a->file[0], err);

	return r ? r : fleet_finish(f, err);
}

static void options(struct train_options *o, int until)
{
	*o = (struct train_options){
		.until = day_at(until), .history = 365,
		.trees = gbdt_defaults,
	};
	o->trees.rounds = 10;
	o->trees.eta = 0.3;
	o->trees.min_weight = 1;
}

static struct ads_model *model_of(struct fleet *f, int until,
				  const struct ads_model *on)
{
	struct train_options o;
	struct ads_model *m = NULL;
	struct ads_err err = { "" };

	options(&o, until);
	o.base = on;
	if (train_model(f, &o, &m, &err))
		printf("# %s\n", err.text);
	return m;
}

static const float *row(void)
{
	static float x[ADS_FEAT_NR];

	for (int i = 0; i < ADS_FEAT_NR; i++)
		x[i] = 0;
	return x;
}

static void test_make(void)
{
	struct text t = { 0 };
	struct fleet f;

	make_fleet(&t, 4000, 700, 3, 100);
	fleet_of(&t, &f, NULL);
	base = model_of(&f, 600, NULL);
	ok(base && base->failures >= BASE_FAILURES_CURVES, "a base");
	fleet_free(&f);
	free(t.data);
}

/* What is made of the base depends on how many failures there are. */
static void test_steps(void)
{
	static const struct { uint32_t drives; int trees; } sizes[] = {
		{ 40, 0 }, { 150, 0 }, { 500, 10 }, { 2200, 10 },
	};
	int seen = 0;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct text t = { 0 };
		struct fleet f;
		struct ads_model *m;
		bool moved;

		make_fleet(&t, sizes[i].drives, 700, 21, 100);
		fleet_of(&t, &f, NULL);
		m = model_of(&f, 600, base);
		if (!m)
			break;
		is((int)(m->nr_trees - base->nr_trees), sizes[i].trees,
		   "%llu failures: trees", (unsigned long long)m->failures);
		moved = memcmp(m->knot, base->knot, sizeof(m->knot)) != 0;
		is(moved, m->failures >= BASE_FAILURES_SHIFT, "curves");
		is(memcmp(m->cold, base->cold, sizeof(m->cold)) != 0,
		   m->failures >= BASE_FAILURES_CURVES, "states");
		seen |= m->failures < BASE_FAILURES_SHIFT ? 1 :
			m->failures < BASE_FAILURES_TREES ? 2 :
			m->failures < BASE_FAILURES_CURVES ? 4 : 8;
		if (!sizes[i].trees)
			ok(ads_model_margin(m, row()) ==
			   ads_model_margin(base, row()), "the same trees");
		ads_model_free(m);
		fleet_free(&f);
		free(t.data);
	}
	is(seen, 15, "all steps were taken");
}

/* Added trees go on where the base ended, and the file of it is a good one. */
static void test_added(void)
{
	struct text t = { 0 };
	struct fleet f;
	struct ads_model *m, *again = NULL;
	struct ads_err err = { "" };
	char path[64];

	make_fleet(&t, 500, 700, 21, 100);
	fleet_of(&t, &f, NULL);
	m = model_of(&f, 600, base);
	snprintf(path, sizeof(path), "%s/added", dir);
	is(m ? ads_model_write(m, path, &err) : -1, 0, "written");
	is(ads_model_read(path, &again, &err), 0, "and read");
	ok(m && again && ads_model_margin(m, row()) ==
	   ads_model_margin(again, row()), "says the same");
	ok(m && m->base == base->base, "begins as the base does");
	ok(m && ads_model_hazard(&m->hazards, "HGST X1") !=
	   ads_model_hazard(&base->hazards, "HGST X1"), "hazards move");
	ads_model_free(m);
	ads_model_free(again);
	fleet_free(&f);
	free(t.data);
}

static void test_shift(void)
{
	struct ads_model m = { .nr_knots = { 0, 2, 0 } };
	struct seen_row rows[2000];
	double was, is_now;

	m.knot[1][0] = (struct ads_model_knot){ -10, -10 };
	m.knot[1][1] = (struct ads_model_knot){ 10, 10 };
	/* it says one in 12, and one in 4 is seen */
	for (int i = 0; i < 2000; i++)
		rows[i] = (struct seen_row){ -2.4F, 1, i % 4 == 0 };
	was = ads_model_on_curve(&m, -2.4F, ADS_WITHIN_30);
	shift_curve(&m, ADS_WITHIN_30, rows, 2000);
	is_now = ads_model_on_curve(&m, -2.4F, ADS_WITHIN_30);
	ok(fabs(was - 1 / 12.0) < 0.01 && fabs(is_now - 0.25) < 0.03,
	   "a curve goes where it should: %.3f, %.3f", was, is_now);
	m.knot[1][0].logit = -10;
	m.knot[1][1].logit = 10;
	shift_curve(&m, ADS_WITHIN_30, rows, 20);
	is_now = ads_model_on_curve(&m, -2.4F, ADS_WITHIN_30);
	ok(is_now > was + 0.001 && is_now < 0.15, "a few rows move it little: %.3f",
	   is_now);
}

static void put(const char *path, const struct text *t)
{
	FILE *f = fopen(path, "w");

	if (!f || fwrite(t->data, 1, t->len, f) != t->len || fclose(f))
		abort();
}

static bool there(const char *name, int n)
{
	char path[128];

	if (n)
		snprintf(path, sizeof(path), "%s.%d", name, n);
	return access(n ? path : name, F_OK) == 0;
}

static ino_t inode(const char *path)
{
	struct stat st;

	return stat(path, &st) ? 0 : st.st_ino;
}

static void test_gate(void)
{
	static struct train_args a = { .history = 365, .keep = 2 };
	struct text t = { 0 }, none = { 0 }, young = { 0 };
	char data[64], model[64], out[64], older[80];
	struct ads_err err = { "" };
	struct ads_model *m = NULL;
	ino_t first;

	snprintf(data, sizeof(data), "%s/data.csv", dir);
	snprintf(model, sizeof(model), "%s/base", dir);
	snprintf(out, sizeof(out), "%s/out", dir);
	snprintf(older, sizeof(older), "%s.1", out);
	is(ads_model_write(base, model, &err), 0, "the base is written");
	a.file[0] = data;
	a.nr_files = 1;
	a.base = model;
	a.out = out;

	/* a site where nothing ever fails: less is expected there */
	make_fleet(&t, 1500, 700, 31, 100);
	put(data, &t);
	is(verb_retrain(&a, &err), 0, "a site like the base's");
	text_add(&none, HEADING);
	for (int i = 0; i < 300; i++)
		text_add(&none, "Q%05d,ST4000,4,2014-01-01,2015-12-02,0,16800,0,16800,0,%d,3,0,0\n",
			 i, i % 5 ? 0 : 8);
	put(data, &none);
	is(verb_retrain(&a, &err), 0, "one where nothing fails");
	ok(there(out, 0), "its model is taken: it is no worse");
	is(ads_model_read(out, &m, &err), 0, "and can be read");
	ads_model_free(m);
	is(verb_retrain(&a, &err), 0, "a week later");
	is(verb_retrain(&a, &err), 0, "and another");
	is(verb_retrain(&a, &err), 0, "and another");
	ok(there(out, 1) && there(out, 2) && !there(out, 3),
	   "two older ones are kept");
	ok(inode(out) != inode(older), "the newest has the name");
	first = inode(older);
	a.rollback = true;
	is(verb_retrain(&a, &err), 0, "back");
	ok(inode(out) == first, "it is the one before");
	ok(there(out, 1) && !there(out, 2), "and so are the others");
	is(verb_retrain(&a, &err), 0, "back again");
	ok(verb_retrain(&a, &err) == -ENOENT, "until there is none");
	ok(there(out, 0), "which changes nothing");
	a.rollback = false;

	text_add(&young, HEADING "Y,ST4000,4,2015-10-01,2015-12-02,0,1488,0,1488,0,0,3,0,0\n");
	put(data, &young);
	is(verb_retrain(&a, &err), -ENODATA, "two months of history");
	has(err.text, "63 days of history", "are too few");
	free(t.data);
	free(none.data);
	free(young.data);
}

/* Where signs mean the opposite, what is learnt must show in the newest time. */
static void test_worse(void)
{
	static struct train_args a = { .history = 365, .keep = 2 };
	struct text t = { 0 }, late = { 0 };
	char data[64], model[64], out[64];
	struct ads_err err = { "" };
	const char *p;

	snprintf(data, sizeof(data), "%s/worse.csv", dir);
	snprintf(model, sizeof(model), "%s/base", dir);
	snprintf(out, sizeof(out), "%s/worse", dir);
	a.file[0] = data;
	a.nr_files = 1;
	a.base = model;
	a.out = out;
	/*
	 * Nothing foretells failures for most of the time; in the last months all
	 * is as the base knows it.
	 */
	make_fleet(&t, 3000, 700, 41, 100);
	for (p = t.data; *p;) {
		const char *end = strchr(p, '\n');
		char line[512];
		int first, from, last, fails, n = 0;

		snprintf(line, sizeof(line), "%.*s", (int)(end - p), p);
		p = end + 1;
		if (sscanf(line, "%*[^,],%*[^,],%*d,%*[^,],%*[^,],%d,%d,%d,%*d,%d%n",
			   &first, &last, &from, &fails, &n) == 4 &&
		    fails && last - first < 590 * 24)
			text_add(&late, "%.*s,0,3,0,0\n", n, line);
		else
			text_add(&late, "%s\n", line);
	}
	put(data, &late);
	is(verb_retrain(&a, &err), 0, "a site that was misleading");
	ok(!there(out, 0), "no model is made of it");
	free(t.data);
	free(late.data);
}

static void test_family(void)
{
	struct evaluate_options o = {
		.from = day_at(516), .to = day_at(638),
		.leave_family_out = true,
	};
	const struct family *k;
	struct text t = { 0 };
	struct evaluation e;
	struct ads_err err = { "" };
	struct fleet f;

	options(&o.train, 0);
	make_fleet(&t, 4000, 700, 3, 100);
	fleet_of(&t, &f, NULL);
	is(evaluate(&f, &o, &e, &err), 0, "each model by the others");
	is(e.families, 2, "those of which enough fail");
	k = &e.family[e.families > 0];
	ok(!strcmp(e.family[0].name, "ST4000") || !strcmp(k->name, "ST4000"),
	   "by their names");
	ok(!strcmp(e.family[0].name, "HGST_X1") || !strcmp(k->name, "HGST_X1"),
	   "as one word");
	ok(e.failures == e.family[0].failures + k->failures,
	   "together they are all that was judged");
	ok(e.family[0].fdr[4] > 0.8 && k->fdr[4] > 0.8,
	   "signs are the same everywhere: %.3f, %.3f", e.family[0].fdr[4],
	   k->fdr[4]);
	is(e.models, 2, "a model for each");
	fleet_free(&f);
	free(t.data);
}

/* What was emptied in time neither failed nor stayed well. */
static void test_evacuated(void)
{
	struct text t = { 0 };
	struct fleet f;

	text_add(&t, "date,serial_number,model,failure,smart_5_raw,evacuated\n"
		     "2020-01-03,A,T,0,0,0\n2020-01-17,A,T,0,4,0\n"
		     "2020-02-03,A,T,0,4,1\n2020-02-03,B,T,0,4,0\n");
	fleet_of(&t, &f, NULL);
	ok(f.life[0].evacuated && !f.life[1].evacuated, "it was emptied");
	ok(life_censored(&f.life[0], 18280 * DAY, 30) &&
	   !life_censored(&f.life[0], 18264 * DAY, 30) &&
	   !life_censored(&f.life[1], 18280 * DAY, 30),
	   "its last month says nothing");
	fleet_free(&f);
	free(t.data);
}

int main(void)
{
	if (!mkdtemp(dir))
		return 1;
	test_make();
	if (base) {
		test_steps();
		test_added();
		test_shift();
		test_gate();
		test_worse();
	}
	test_family();
	test_evacuated();
	ads_model_free(base);
	return done_testing();
}
