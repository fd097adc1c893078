// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "train/rows.h"

#define PRIOR		20000.0		/* weeks of drives that a guess is worth */

struct month month_of(int64_t t)
{
	struct month m;
	struct tm tm;
	time_t at = t;

	gmtime_r(&at, &tm);
	tm.tm_mday = 1;
	tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
	m.begin = timegm(&tm);
	tm.tm_mon++;
	m.end = timegm(&tm);
	return m;
}

char *date_of(int64_t t, char buf[16])
{
	struct tm tm;
	time_t at = t;

	gmtime_r(&at, &tm);
	snprintf(buf, 16, "%04d-%02d-%02d", (tm.tm_year + 1900) % 10000,
		 tm.tm_mon + 1, tm.tm_mday);
	return buf;
}

static int add(int64_t t, bool grid, struct score_time **times, uint32_t *nr,
	       uint32_t *cap)
{
	if (*nr == *cap) {
		uint32_t n = *cap ? *cap * 2 : 64;
		struct score_time *more = realloc(*times, n * sizeof(*more));

		if (!more)
			return -ENOMEM;
		*times = more;
		*cap = n;
	}
	(*times)[(*nr)++] = (struct score_time){ t, grid };
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct score_time *x = a, *y = b;

	if (x->time != y->time)
		return x->time < y->time ? -1 : 1;
	return y->grid - x->grid;
}

int life_times(const struct life *l, int64_t from, int64_t to,
	       struct score_time **times, uint32_t *nr, uint32_t *cap)
{
	int64_t begin = from > l->first ? from : l->first;
	/* nothing is known of the moment it failed itself */
	int64_t end = l->failed ? l->last : l->last + 1;
	uint32_t n = 0;
	int r = 0;

	*nr = 0;
	if (end > to)
		end = to;
	if (begin >= end)
		return 0;
	for (struct month m = month_of(begin); m.begin < end;
	     m = month_of(m.end))
		for (int64_t t = m.begin; t < m.end && !r; t += 7 * DAY)
			if (t >= begin && t < end)
				r = add(t, true, times, nr, cap);
	for (int a = 0; a < ADS_FEAT_ATTRS; a++)
		for (uint32_t i = 0; i < l->nr[a] && !r; i++)
			if (l->point[a][i].time >= begin &&
			    l->point[a][i].time < end)
				r = add(l->point[a][i].time, false, times, nr,
					cap);
	if (*nr)
		qsort(*times, *nr, sizeof(**times), compare);
	for (uint32_t i = 0; i < *nr; i++)
		if (!n || (*times)[i].time != (*times)[n - 1].time)
			(*times)[n++] = (*times)[i];
	*nr = n;
	return r;
}

void life_features(const struct fleet *f, const struct life *l, int64_t t,
		   const struct ads_hazards *h, float out[ADS_FEAT_NR])
{
	struct ads_feat_in in;

	life_tracks(l, &in);
	in.hazard = ads_model_hazard(h, f->model[l->model]);
	ads_feat(&in, t, out);
}

struct seen {
	char name[ADS_MODEL_NAME];
	double failed, all;
};

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct seen *)a)->name,
		      ((const struct seen *)b)->name);
}

/* Weeks of a drive in [from, to), and those at whose end it fails in 30 days. */
static void weeks(const struct life *l, int64_t from, int64_t to,
		  double *failed, double *all)
{
	const double week = 7 * DAY;
	int64_t begin = from > l->first ? from : l->first;
	int64_t end = to < l->last ? to : l->last;

	*failed = *all = 0;
	if (begin >= end)
		return;
	*all = (double)(end - begin) / week;
	if (l->failed && l->last - 30 * DAY < end) {
		int64_t b = l->last - 30 * DAY;

		*failed = (double)(end - (b > begin ? b : begin)) / week;
	}
}

static int row_by_name(const void *a, const void *b)
{
	return strcmp(((const struct ads_model_hazard_row *)a)->name,
		      ((const struct ads_model_hazard_row *)b)->name);
}

/* Adds up what the drives of each model did. */
static void count_models(const struct fleet *f, const struct hazard_source *s,
			 struct seen *model, struct seen *all)
{
	for (uint32_t i = 0; i < f->nr; i++) {
		uint32_t m = f->life[i].model;
		double x, n;

		if (m + 1 == s->without)
			continue;
		weeks(&f->life[i], s->from, s->to, &x, &n);
		model[m].failed += x;
		model[m].all += n;
		all->failed += x;
		all->all += n;
	}
}

/* Models of one maker are one. How many makers there are. */
static uint32_t count_makers(const struct fleet *f, const struct seen *model,
			     struct seen *maker)
{
	uint32_t nr = 0, n = 0;

	for (uint32_t i = 0; i < f->nr_models; i++) {
		struct seen *k = &maker[nr];

		ads_model_maker(f->model[i], k->name, sizeof(k->name));
		k->failed = model[i].failed;
		k->all = model[i].all;
		nr += k->all > 0;
	}
	if (nr)
		qsort(maker, nr, sizeof(*maker), by_name);
	for (uint32_t i = 0; i < nr; i++) {
		if (n && !strcmp(maker[n - 1].name, maker[i].name)) {
			maker[n - 1].failed += maker[i].failed;
			maker[n - 1].all += maker[i].all;
		} else {
			maker[n++] = maker[i];
		}
	}
	return n;
}

static bool has_row(const struct ads_hazards *h, const char *name)
{
	struct ads_model_hazard_row key = { .hazard = 0 };

	snprintf(key.name, sizeof(key.name), "%s", name);
	return h->nr && bsearch(&key, h->row, h->nr, sizeof(*h->row),
				row_by_name);
}

static void add_row(struct ads_hazards *h, const char *name, double hazard)
{
	struct ads_model_hazard_row *r = &h->row[h->nr];

	if (h->nr == ADS_MODEL_MAX_HAZARDS)
		return;
	h->nr++;
	snprintf(r->name, sizeof(r->name), "%s", name);
	r->hazard = (float)hazard;
}

/* Rows of the base whose models nobody has here. */
static void take_over(struct ads_hazards *h, const struct ads_hazards *base)
{
	uint32_t own = h->nr;

	for (uint32_t i = 0; i < base->nr; i++) {
		struct ads_hazards here = { .nr = own, .row = h->row };

		if (!has_row(&here, base->row[i].name))
			add_row(h, base->row[i].name, base->row[i].hazard);
	}
}

int hazards_make(const struct fleet *f, const struct hazard_source *s,
		 struct ads_hazards *h, struct ads_err *err)
{
	struct seen *model = calloc(f->nr_models + 1, sizeof(*model));
	struct seen *maker = calloc(f->nr_models + 1, sizeof(*maker));
	struct seen all = { .all = 0 };
	uint32_t makers;
	double fleet;

	memset(h, 0, sizeof(*h));
	h->row = calloc(2 * f->nr_models + (s->base ? s->base->nr : 0) + 1,
			sizeof(*h->row));
	if (!model || !maker || !h->row) {
		free(model);
		free(maker);
		return ads_err(err, -ENOMEM, "hazards: no memory");
	}
	count_models(f, s, model, &all);
	makers = count_makers(f, model, maker);
	/* half a failure, so that there is a logarithm of none */
	fleet = s->base ? (all.failed + PRIOR * exp(s->base->fleet)) /
			  (all.all + PRIOR) :
			  (all.failed + 0.5) / (all.all + 500);
	h->fleet = (float)log(fleet);
	for (uint32_t i = 0; i < makers; i++) {
		struct seen *k = &maker[i];
		double prior = s->base && has_row(s->base, k->name) ?
			       exp(ads_model_hazard(s->base, k->name)) : fleet;

		k->failed = (k->failed + PRIOR * prior) / (k->all + PRIOR);
		add_row(h, k->name, log(k->failed));
	}
	for (uint32_t i = 0; i < f->nr_models; i++) {
		struct seen key, *k, *m = &model[i];
		double prior;

		if (!(m->all > 0) || !f->model[i][0])
			continue;
		ads_model_maker(f->model[i], key.name, sizeof(key.name));
		k = bsearch(&key, maker, makers, sizeof(*maker), by_name);
		prior = s->base && has_row(s->base, f->model[i]) ?
			exp(ads_model_hazard(s->base, f->model[i])) : k->failed;
		add_row(h, f->model[i], log((m->failed + PRIOR * prior) /
					    (m->all + PRIOR)));
	}
	qsort(h->row, h->nr, sizeof(*h->row), row_by_name);
	if (s->base) {
		take_over(h, s->base);
		qsort(h->row, h->nr, sizeof(*h->row), row_by_name);
	}
	free(model);
	free(maker);
	return 0;
}
