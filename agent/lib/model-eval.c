// SPDX-License-Identifier: GPL-2.0-or-later
#include <ctype.h>
#include <math.h>
#include <string.h>

#include "lib/model-file.h"

/* Outside of its curve a margin goes on to mean more, but with caution. */
#define BEYOND		0.2

const int ads_model_days[ADS_HORIZONS] = { 7, 30, 90 };

static const struct ads_model_node *down(const struct ads_model *m,
					 const struct ads_model_node *n,
					 const float *feature)
{
	float v = feature[n->feature];
	bool left = isnan(v) ? n->missing_left : v < n->threshold;

	return &m->node[n->left + !left];
}

/*
 * In single precision and in the order of the trees: so does the library that
 * grew them, and the agent shall say what the trainer has measured.
 */
float ads_model_margin(const struct ads_model *m,
		       const float feature[ADS_FEAT_NR])
{
	float sum = m->base;

	for (uint32_t t = 0; t < m->nr_trees; t++) {
		const struct ads_model_node *n = &m->node[m->root[t]];

		while (n->left)
			n = down(m, n, feature);
		sum += n->leaf;
	}
	return sum;
}

double ads_model_on_curve(const struct ads_model *m, float margin,
			  enum ads_model_horizon h)
{
	const struct ads_model_knot *k = m->knot[h];
	uint32_t n = m->nr_knots[h], i = 1;
	double logit;

	if (!n) {
		logit = margin;
	} else if (margin <= k[0].margin) {
		logit = k[0].logit + BEYOND * (margin - k[0].margin);
	} else if (margin >= k[n - 1].margin) {
		logit = k[n - 1].logit + BEYOND * (margin - k[n - 1].margin);
	} else {
		while (k[i].margin < margin)
			i++;
		logit = k[i - 1].logit +
			(double)(k[i].logit - k[i - 1].logit) *
			(margin - k[i - 1].margin) /
			(k[i].margin - k[i - 1].margin);
	}
	return 1 / (1 + exp(-logit));
}

/* The curves are fitted one by one; what fails in a week fails in a month. */
double ads_model_probability(const struct ads_model *m, float margin,
			     enum ads_model_horizon h)
{
	double p = ads_model_on_curve(m, margin, ADS_WITHIN_30);

	if (h == ADS_WITHIN_7)
		return fmin(p, ads_model_on_curve(m, margin, h));
	return h == ADS_WITHIN_90 ? fmax(p, ads_model_on_curve(m, margin, h)) : p;
}

double ads_model_cold(const struct ads_model *m,
		      const float feature[ADS_FEAT_NR])
{
	uint32_t bits = ads_cold_states(feature);
	double sum = m->cold[ADS_COLD_STATES];

	for (int s = 0; s < ADS_COLD_STATES; s++)
		if (bits >> s & 1)
			sum += m->cold[s];
	return 1 / (1 + exp(-sum));
}

void ads_model_explain(const struct ads_model *m,
		       const float feature[ADS_FEAT_NR],
		       double part[ADS_FEAT_NR], double *rest)
{
	for (int i = 0; i < ADS_FEAT_NR; i++)
		part[i] = 0;
	*rest = m->base;
	for (uint32_t t = 0; t < m->nr_trees; t++) {
		const struct ads_model_node *n = &m->node[m->root[t]], *next;

		*rest += n->left ? n->mean : n->leaf;
		for (; n->left; n = next) {
			next = down(m, n, feature);
			part[n->feature] += (double)(next->left ? next->mean :
							     next->leaf) -
					    n->mean;
		}
	}
}

static const struct ads_model_hazard_row *find(const struct ads_hazards *h,
					       const char *name, size_t len)
{
	uint32_t low = 0, high = h->nr;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		int r = strncmp(h->row[mid].name, name, len);

		if (!r && h->row[mid].name[len])
			r = 1;
		if (!r)
			return &h->row[mid];
		if (r < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

char *ads_model_maker(const char *model, char *buf, size_t size)
{
	size_t n = 0;

	/* "HGST HUS724040", "ST4000DM000", "ST500LM012 HN": what is before it */
	while (isalpha((unsigned char)model[n]))
		n++;
	snprintf(buf, size, "%.*s*", n > 50 ? 50 : (int)n, model);
	return buf;
}

double ads_model_hazard(const struct ads_hazards *h, const char *model)
{
	const struct ads_model_hazard_row *row;
	char maker[ADS_MODEL_NAME];
	size_t len = strlen(model);

	if (len >= ADS_MODEL_NAME)
		len = ADS_MODEL_NAME - 1;
	for (size_t n = len; n > 3; n--) {
		if (n < len && model[n] != '-' && model[n] != ' ')
			continue;
		row = find(h, model, n);
		if (row)
			return row->hazard;
	}
	ads_model_maker(model, maker, sizeof(maker));
	row = find(h, maker, strlen(maker));
	return row ? row->hazard : h->fleet;
}
