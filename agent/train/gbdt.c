// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <json-c/json.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xgboost/c_api.h>

#include "train/gbdt.h"

/*
 * One thread: sums of floats depend on how many there are, and the same data
 * shall give the same model everywhere.
 */
#define THREADS		"1"

const struct gbdt_params gbdt_defaults = {
	.rounds = 200, .depth = 5, .parallel = 1, .eta = 0.05, .lambda = 10,
	.gamma = 0, .min_weight = 20, .columns = 0.4, .rows = 0.7, .seed = 1,
};

static int failed(const char *doing, struct ads_err *err)
{
	return ads_err(err, -EIO, "xgboost: %s: %s", doing, XGBGetLastError());
}

static int set(BoosterHandle b, const char *name, double v,
	       struct ads_err *err)
{
	char text[40];

	snprintf(text, sizeof(text), "%.9g", v);
	if (XGBoosterSetParam(b, name, text))
		return failed(name, err);
	return 0;
}

static int set_all(BoosterHandle b, const struct gbdt_params *p,
		   struct ads_err *err)
{
	int r = set(b, "max_depth", p->depth, err);

	if (XGBoosterSetParam(b, "objective", "binary:logistic") ||
	    XGBoosterSetParam(b, "tree_method", "hist") ||
	    XGBoosterSetParam(b, "verbosity", "0") ||
	    XGBoosterSetParam(b, "nthread", THREADS))
		return failed("a parameter", err);
	r = r ? r : set(b, "eta", p->eta, err);
	r = r ? r : set(b, "lambda", p->lambda, err);
	r = r ? r : set(b, "gamma", p->gamma, err);
	r = r ? r : set(b, "min_child_weight", p->min_weight, err);
	r = r ? r : set(b, "colsample_bytree", p->columns, err);
	r = r ? r : set(b, "subsample", p->rows, err);
	r = r ? r : set(b, "num_parallel_tree", p->parallel, err);
	r = r ? r : set(b, "base_score", 0.01, err);
	return r ? r : set(b, "seed", p->seed, err);
}

/* The trees of @json behind those of @m. */
static int append(const char *json, size_t len, struct ads_model *m,
		  struct ads_err *err)
{
	struct ads_model *more = calloc(1, sizeof(*more));
	uint32_t nodes = m->nr_nodes, trees = m->nr_trees;
	void *p;
	int r = more ? gbdt_convert(json, len, more, err) :
		       ads_err(err, -ENOMEM, "the model: no memory");

	if (!r && (trees + more->nr_trees > ADS_MODEL_MAX_TREES ||
		   nodes + more->nr_nodes > ADS_MODEL_MAX_NODES))
		r = ads_err(err, -EFBIG, "the model: has grown too large; make a new one");
	if (r)
		goto out;
	p = realloc(m->root, (trees + more->nr_trees) * sizeof(*m->root));
	if (p)
		m->root = p;
	if (p)
		p = realloc(m->node, (nodes + more->nr_nodes) *
				     sizeof(*m->node));
	if (!p) {
		r = ads_err(err, -ENOMEM, "the model: no memory");
		goto out;
	}
	m->node = p;
	for (uint32_t i = 0; i < more->nr_trees; i++)
		m->root[trees + i] = more->root[i] + nodes;
	for (uint32_t i = 0; i < more->nr_nodes; i++) {
		m->node[nodes + i] = more->node[i];
		if (more->node[i].left)
			m->node[nodes + i].left += nodes;
	}
	m->nr_trees += more->nr_trees;
	m->nr_nodes += more->nr_nodes;
out:
	ads_model_free(more);
	return r;
}

static int run(BoosterHandle b, DMatrixHandle m, const struct gbdt_data *d,
	       const struct gbdt_params *p, struct ads_model *out,
	       float *predicted, struct ads_err *err)
{
	const char *json;
	const float *margin;
	bst_ulong len;
	int r = set_all(b, p, err);

	if (r)
		return r;
	for (int i = 0; i < p->rounds; i++)
		if (XGBoosterUpdateOneIter(b, i, m))
			return failed("growing", err);
	if (XGBoosterSaveModelToBuffer(b, "{\"format\": \"json\"}", &len, &json))
		return failed("saving", err);
	r = d->margin ? append(json, len, out, err) :
			gbdt_convert(json, len, out, err);
	if (r || !predicted)
		return r;
	/* 1: the margin */
	if (XGBoosterPredict(b, m, 1, 0, 0, &len, &margin) || len != d->nr)
		return failed("predicting", err);
	memcpy(predicted, margin, len * sizeof(*margin));
	return 0;
}

int gbdt_grow(const struct gbdt_data *d, const struct gbdt_params *p,
	      struct ads_model *out, float *predicted, struct ads_err *err)
{
	DMatrixHandle m;
	BoosterHandle b;
	int r;

	if (XGDMatrixCreateFromMat(d->x, d->nr, ADS_FEAT_NR, NAN, &m))
		return failed("taking the rows", err);
	if (XGDMatrixSetFloatInfo(m, "label", d->label, d->nr) ||
	    (d->weight &&
	     XGDMatrixSetFloatInfo(m, "weight", d->weight, d->nr)) ||
	    (d->margin &&
	     XGDMatrixSetFloatInfo(m, "base_margin", d->margin, d->nr)) ||
	    XGBoosterCreate(&m, 1, &b)) {
		r = failed("taking the labels", err);
		XGDMatrixFree(m);
		return r;
	}
	r = run(b, m, d, p, out, predicted, err);
	XGBoosterFree(b);
	XGDMatrixFree(m);
	return r;
}

static struct json_object *get(struct json_object *o, const char *key)
{
	struct json_object *v = NULL;

	json_object_object_get_ex(o, key, &v);
	return v;
}

static double at(struct json_object *array, size_t i)
{
	return json_object_get_double(json_object_array_get_idx(array, i));
}

static int at_int(struct json_object *array, size_t i)
{
	return json_object_get_int(json_object_array_get_idx(array, i));
}

struct tree {
	struct json_object *left, *right, *feature, *value, *missing, *weight;
	size_t nr;
};

/*
 * Node @from of the library becomes node @to; its children are put at the end,
 * side by side. Returns the mean of the leaves below.
 */
static double convert_node(const struct tree *t, struct ads_model *m,
			   int from, uint32_t to)
{
	struct ads_model_node *n = &m->node[to];
	int left = at_int(t->left, from), right = at_int(t->right, from);
	double a, b, wa, wb;
	uint32_t next;

	if (left < 0) {
		*n = (struct ads_model_node){ .leaf = (float)at(t->value, from) };
		return n->leaf;
	}
	next = m->nr_nodes;
	m->nr_nodes += 2;
	n->threshold = (float)at(t->value, from);
	n->feature = at_int(t->feature, from);
	n->missing_left = at_int(t->missing, from) != 0;
	n->left = next;
	a = convert_node(t, m, left, next);
	b = convert_node(t, m, right, next + 1);
	wa = at(t->weight, left);
	wb = at(t->weight, right);
	n = &m->node[to];
	n->mean = (float)(wa + wb > 0 ? (a * wa + b * wb) / (wa + wb) :
				       (a + b) / 2);
	return n->mean;
}

static bool sound(const struct tree *t)
{
	struct json_object *all[] = { t->left, t->right, t->feature, t->value,
				      t->missing, t->weight };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (!json_object_is_type(all[i], json_type_array) ||
		    json_object_array_length(all[i]) != t->nr)
			return false;
	for (size_t i = 0; i < t->nr; i++) {
		int l = at_int(t->left, i), r = at_int(t->right, i);

		if (l < 0)
			continue;
		if (l <= (int)i || r <= (int)i || l >= (int)t->nr ||
		    r >= (int)t->nr || at_int(t->feature, i) < 0 ||
		    at_int(t->feature, i) >= ADS_FEAT_NR)
			return false;
	}
	return t->nr > 0;
}

static int convert(struct json_object *root, struct ads_model *m,
		   struct ads_err *err)
{
	struct json_object *learner = get(root, "learner"), *trees, *base;
	size_t nr, nodes = 0;
	double p;

	trees = get(get(get(learner, "gradient_booster"), "model"), "trees");
	base = get(get(learner, "learner_model_param"), "base_score");
	if (!json_object_is_type(trees, json_type_array) || !base)
		return ads_err(err, -EBADMSG, "xgboost: its model has another form than expected");
	nr = json_object_array_length(trees);
	for (size_t i = 0; i < nr; i++)
		nodes += json_object_array_length(
			get(json_object_array_get_idx(trees, i),
			    "left_children"));
	if (nr > ADS_MODEL_MAX_TREES || nodes > ADS_MODEL_MAX_NODES)
		return ads_err(err, -EFBIG, "xgboost: its model is too large");
	free(m->root);
	free(m->node);
	m->nr_trees = nr;
	m->nr_nodes = 0;
	m->root = calloc(nr + 1, sizeof(*m->root));
	m->node = calloc(nodes + 1, sizeof(*m->node));
	if (!m->root || !m->node)
		return ads_err(err, -ENOMEM, "the model: no memory");
	for (size_t i = 0; i < nr; i++) {
		struct json_object *o = json_object_array_get_idx(trees, i);
		struct tree t = {
			.left = get(o, "left_children"),
			.right = get(o, "right_children"),
			.feature = get(o, "split_indices"),
			.value = get(o, "split_conditions"),
			.missing = get(o, "default_left"),
			.weight = get(o, "sum_hessian"),
		};

		t.nr = json_object_array_length(t.left);
		if (!sound(&t))
			return ads_err(err, -EBADMSG, "xgboost: tree %zu has another form than expected",
				       i);
		m->root[i] = m->nr_nodes++;
		convert_node(&t, m, 0, m->root[i]);
	}
	p = json_object_get_double(base);
	/* as the library does it, in single precision */
	m->base = -logf(1.0f / (float)p - 1.0f);
	return 0;
}

int gbdt_convert(const char *json, size_t len, struct ads_model *m,
		 struct ads_err *err)
{
	struct json_tokener *tok = json_tokener_new_ex(64);
	struct json_object *root;
	int r;

	if (!tok)
		return ads_err(err, -ENOMEM, "the model: no memory");
	root = json_tokener_parse_ex(tok, json, (int)len);
	json_tokener_free(tok);
	r = root ? convert(root, m, err) :
		   ads_err(err, -EBADMSG, "xgboost: its model can't be read");
	json_object_put(root);
	return r;
}
