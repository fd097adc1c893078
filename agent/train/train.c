// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/super.h"
#include "train/rows.h"
#include "train/train.h"

#define ENOUGH_FAILURES	20
/*
 * Most rows are of drives that nothing has happened to. Of these one in so many
 * is taken, and counts for them all.
 */
#define ONE_OF_QUIET	12
#define ONE_OF_MARKED	2
/*
 * Rows of a day on which something changed count less: a drive with many changes
 * has many of them, and may alarm no more than once a month either way.
 */
#define WEIGHT_OF_CHANGE	0.25F

struct sample {
	uint32_t life;
	int64_t time;
	float weight;
};

struct samples {
	struct sample *s;
	size_t nr, cap;
	float *x, *label;
};

static int add(struct samples *a, uint32_t life, int64_t time, float weight,
	       const float *x, bool fails)
{
	if (a->nr == a->cap) {
		size_t n = a->cap ? a->cap + a->cap / 2 : 65536;
		struct sample *s = realloc(a->s, n * sizeof(*s));
		float *fx, *fl;

		if (s)
			a->s = s;
		fx = realloc(a->x, n * ADS_FEAT_NR * sizeof(*fx));
		if (fx)
			a->x = fx;
		fl = realloc(a->label, n * sizeof(*fl));
		if (fl)
			a->label = fl;
		if (!s || !fx || !fl)
			return -ENOMEM;
		a->cap = n;
	}
	a->s[a->nr] = (struct sample){ life, time, weight };
	memcpy(a->x + a->nr * ADS_FEAT_NR, x, ADS_FEAT_NR * sizeof(*x));
	a->label[a->nr++] = fails;
	return 0;
}

static void free_samples(struct samples *a)
{
	free(a->s);
	free(a->x);
	free(a->label);
}

/* The same rows for the same data, whatever else is in the files. */
static uint32_t dice(const struct life *l, int64_t t)
{
	uint32_t h = ads_crc32c(0x9e3779b9, l->serial, strlen(l->serial));

	h = ads_crc32c(h, &t, sizeof(t));
	h *= 2654435761U;
	return h ^ h >> 15;
}

static bool marked(const struct life *l, int64_t t)
{
	static const enum ads_feat_attr looked_at[] = {
		ADS_FEAT_5, ADS_FEAT_10, ADS_FEAT_187, ADS_FEAT_188,
		ADS_FEAT_196, ADS_FEAT_197, ADS_FEAT_198,
	};

	for (size_t i = 0; i < sizeof(looked_at) / sizeof(looked_at[0]); i++) {
		const struct ads_point *p = l->point[looked_at[i]];
		uint32_t n = l->nr[looked_at[i]];

		while (n && p[n - 1].time > t)
			n--;
		if (n && (p[n - 1].value > 0 ||
			  (n > 1 && p[n - 1].time > t - 90 * DAY)))
			return true;
	}
	return false;
}

static int collect(const struct fleet *f, const struct hazard_source *s,
		   const struct ads_hazards *h, struct samples *out)
{
	struct score_time *times = NULL;
	uint32_t nr, cap = 0;
	float x[ADS_FEAT_NR];
	int r = 0;

	for (uint32_t i = 0; i < f->nr && !r; i++) {
		const struct life *l = &f->life[i];

		if (l->model + 1 == s->without)
			continue;
		r = life_times(l, s->from, s->to, &times, &nr, &cap);
		for (uint32_t j = 0; j < nr && !r; j++) {
			int64_t t = times[j].time;
			bool fails = life_fails(l, t, LABEL_DAYS);
			uint32_t one_of = fails ? 1 : marked(l, t) ?
					  ONE_OF_MARKED : ONE_OF_QUIET;

			if (dice(l, t) % one_of ||
			    life_censored(l, t, LABEL_DAYS))
				continue;
			life_features(f, l, t, h, x);
			r = add(out, i, t, (float)one_of *
				(times[j].grid ? 1 : WEIGHT_OF_CHANGE), x,
				fails);
		}
	}
	free(times);
	return r;
}

/* Odd and even drives, by their serial number. */
static int half_of(const struct fleet *f, const struct sample *s)
{
	const char *serial = f->life[s->life].serial;

	return ads_crc32c(~0U, serial, strlen(serial)) >> 7 & 1;
}

/*
 * What the trees say of drives that they have not seen: each half is judged by
 * trees that grew of the other one, behind those of the base.
 */
static int unseen(const struct fleet *f, const struct samples *a,
		  const struct train_options *o, const float *before,
		  float *margin, struct ads_err *err)
{
	struct samples half = { 0 };
	struct ads_model *m = calloc(1, sizeof(*m));
	float *weight = calloc(2 * a->nr + 1, sizeof(*weight));
	float *start = weight ? weight + a->nr : NULL;
	int r = m && weight ? 0 : ads_err(err, -ENOMEM, "training: no memory");

	for (int side = 0; side < 2 && !r; side++) {
		struct gbdt_data d;

		half.nr = 0;
		for (size_t i = 0; i < a->nr && !r; i++) {
			const struct sample *s = &a->s[i];

			if (half_of(f, s) != side)
				continue;
			weight[half.nr] = s->weight;
			start[half.nr] = before ? before[i] : 0;
			r = add(&half, s->life, s->time, s->weight,
				a->x + i * ADS_FEAT_NR, a->label[i] > 0);
		}
		if (r) {
			ads_err(err, r, "training: no memory");
			break;
		}
		d = (struct gbdt_data){ half.x, half.label, weight,
					before ? start : NULL, half.nr };
		ads_model_free(m);
		m = calloc(1, sizeof(*m));
		r = m ? gbdt_grow(&d, &o->trees, m, NULL, err) :
			ads_err(err, -ENOMEM, "training: no memory");
		/* behind nothing: what they add, and not what they begin with */
		for (size_t i = 0; i < a->nr && !r; i++)
			if (half_of(f, &a->s[i]) != side)
				margin[i] = ads_model_margin(
					m, a->x + i * ADS_FEAT_NR) +
					(before ? before[i] - m->base : 0);
	}
	free_samples(&half);
	free(weight);
	ads_model_free(m);
	return r;
}

/* Each curve anew, or that of the base where it should be. */
static int fit_curves(const struct fleet *f, const struct samples *a,
		      const struct train_options *o, const float *margin,
		      struct ads_model *m, struct ads_err *err)
{
	struct seen_row *rows = calloc(a->nr + 1, sizeof(*rows));

	if (!rows)
		return ads_err(err, -ENOMEM, "training: no memory");
	for (int h = 0; h < ADS_HORIZONS; h++) {
		int days = ads_model_days[h];
		size_t n = 0;

		for (size_t i = 0; i < a->nr; i++) {
			const struct sample *s = &a->s[i];

			/* not known yet how it ended */
			if (s->time + days * DAY > o->until)
				continue;
			rows[n++] = (struct seen_row){
				margin[i], s->weight,
				life_fails(&f->life[s->life], s->time, days)
			};
		}
		if (o->base && m->failures < BASE_FAILURES_CURVES)
			shift_curve(m, h, rows, n);
		else
			m->nr_knots[h] = calibrate(rows, n, m->knot[h]);
	}
	free(rows);
	return 0;
}

static int fit_cold(const struct samples *a, struct ads_model *m,
		    struct ads_err *err)
{
	struct cold_row *rows = calloc(a->nr + 1, sizeof(*rows));
	int r;

	if (!rows)
		return ads_err(err, -ENOMEM, "training: no memory");
	for (size_t i = 0; i < a->nr; i++)
		rows[i] = (struct cold_row){
			ads_cold_states(a->x + i * ADS_FEAT_NR),
			a->s[i].weight, a->label[i] > 0
		};
	r = cold_fit(rows, a->nr, m->cold, err);
	free(rows);
	return r;
}

/* All of the base but its hazards, which were made before. */
static int begin_with(struct ads_model *m, const struct ads_model *base,
		      struct ads_err *err)
{
	m->root = malloc((base->nr_trees + 1) * sizeof(*m->root));
	m->node = malloc((base->nr_nodes + 1) * sizeof(*m->node));
	if (!m->root || !m->node)
		return ads_err(err, -ENOMEM, "training: no memory");
	memcpy(m->root, base->root, base->nr_trees * sizeof(*m->root));
	memcpy(m->node, base->node, base->nr_nodes * sizeof(*m->node));
	m->nr_trees = base->nr_trees;
	m->nr_nodes = base->nr_nodes;
	m->base = base->base;
	memcpy(m->nr_knots, base->nr_knots, sizeof(m->nr_knots));
	memcpy(m->knot, base->knot, sizeof(m->knot));
	memcpy(m->cold, base->cold, sizeof(m->cold));
	return 0;
}

static int fit(const struct fleet *f, const struct samples *a,
	       const struct train_options *o, struct ads_model *m,
	       struct ads_err *err)
{
	float *margin = calloc(3 * a->nr + 1, sizeof(*margin));
	float *weight = margin + a->nr, *before = NULL;
	struct gbdt_data d = { a->x, a->label, weight, NULL, a->nr };
	bool grow = !o->base || m->failures >= BASE_FAILURES_TREES;
	int r = margin ? 0 : ads_err(err, -ENOMEM, "training: no memory");

	for (size_t i = 0; i < a->nr && !r; i++)
		weight[i] = a->s[i].weight;
	if (!r && o->base) {
		r = begin_with(m, o->base, err);
		d.margin = before = weight + a->nr;
		for (size_t i = 0; i < a->nr && !r; i++)
			margin[i] = before[i] = ads_model_margin(
				o->base, a->x + i * ADS_FEAT_NR);
	}
	if (!r && grow)
		r = unseen(f, a, o, before, margin, err);
	if (!r && (!o->base || m->failures >= BASE_FAILURES_SHIFT))
		r = fit_curves(f, a, o, margin, m, err);
	if (!r && (!o->base || m->failures >= BASE_FAILURES_CURVES))
		r = fit_cold(a, m, err);
	if (!r && grow)
		r = gbdt_grow(&d, &o->trees, m, NULL, err);
	free(margin);
	return r;
}

/* Drives in the window, and how many of them fail in a month of it. */
static void count(const struct fleet *f, uint32_t without, struct ads_model *m)
{
	double months = 0;

	for (uint32_t i = 0; i < f->nr; i++) {
		const struct life *l = &f->life[i];
		int64_t b = l->first > m->from ? l->first : m->from;
		int64_t e = l->last < m->until ? l->last : m->until;

		if (b >= e || l->model + 1 == without)
			continue;
		m->drives++;
		m->failures += l->failed && l->last <= m->until;
		months += (double)(e - b) / (30.44 * DAY);
	}
	m->monthly = months > 0 ? (float)((double)m->failures / months) : 0;
	if (m->monthly > 1)
		m->monthly = 1;
}

int train_model(const struct fleet *f, const struct train_options *o,
		struct ads_model **out, struct ads_err *err)
{
	struct ads_model *m = calloc(1, sizeof(*m));
	struct hazard_source s = {
		.to = o->until - LABEL_DAYS * DAY,
		.without = o->without,
		.base = o->base ? &o->base->hazards : NULL,
	};
	struct train_options own = *o;
	struct samples a = { 0 };
	char date[16];
	int r;

	if (!m)
		return ads_err(err, -ENOMEM, "training: no memory");
	m->until = o->until;
	m->from = s.from = s.to - o->history * DAY;
	count(f, o->without, m);
	if (m->failures >= BASE_FAILURES_ALONE) {
		own.base = NULL;
		s.base = NULL;
	}
	r = hazards_make(f, &s, &m->hazards, err);
	if (!r && collect(f, &s, &m->hazards, &a))
		r = ads_err(err, -ENOMEM, "training: no memory");
	if (!r && !own.base && m->failures < ENOUGH_FAILURES)
		r = ads_err(err, -ENODATA, "training until %s: only %llu drives failed in the %d days before, %d are needed",
			    date_of(o->until, date),
			    (unsigned long long)m->failures, o->history,
			    ENOUGH_FAILURES);
	m->rows = a.nr;
	if (!r)
		r = fit(f, &a, &own, m, err);
	free_samples(&a);
	if (r)
		ads_model_free(m);
	else
		*out = m;
	return r;
}
