// SPDX-License-Identifier: GPL-2.0-or-later
#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/forecast.h"
#include "sim/sim.h"
#include "train/csv.h"

#define MICROSECONDS	1e6
#define MOST_STEPS	100000

/* -- recorded -------------------------------------------------------------------- */

static int add_value(struct traces *t, uint32_t i, size_t step, double bytes)
{
	if (step >= MOST_STEPS)
		return 0;
	if (step >= t->nr[i]) {
		double *more = realloc(t->y[i], (step + 1) * sizeof(*more));

		if (!more)
			return -ENOMEM;
		for (size_t k = t->nr[i]; k <= step; k++)
			more[k] = 0;
		t->y[i] = more;
		t->nr[i] = step + 1;
	}
	t->y[i][step] += bytes;
	return 0;
}

static int new_trace(struct traces *t)
{
	void *y = realloc(t->y, (t->count + 1) * sizeof(*t->y)), *n;

	if (!y)
		return -ENOMEM;
	t->y = y;
	n = realloc(t->nr, (t->count + 1) * sizeof(*t->nr));
	if (!n)
		return -ENOMEM;
	t->nr = n;
	t->y[t->count] = NULL;
	t->nr[t->count++] = 0;
	return 0;
}

static int read_rows(struct traces *t, struct csv *c, struct ads_err *err)
{
	int volume = csv_column(c, "volume"), ts = csv_column(c, "ts");
	int bytes = csv_column(c, "io_request_size_sum"), r;
	char last[64] = "";
	bool any = false;

	if (ts < 0 || bytes < 0)
		return ads_err(err, -EBADMSG,
			       "%s: has not both of the columns ts and io_request_size_sum",
			       stream_name(c->stream));
	while ((r = csv_next(c, err)) > 0) {
		const char *name = volume < 0 ? "" : c->field[volume];
		double at, v;

		if (!csv_number(c->field[ts], &at) || at < 0 ||
		    !csv_number(c->field[bytes], &v) || v < 0) {
			csv_bad(c, "no time or no size");
			continue;
		}
		if (!any || strncmp(last, name, sizeof(last) - 1)) {
			if (new_trace(t))
				return ads_err(err, -ENOMEM, "no memory");
			snprintf(last, sizeof(last), "%s", name);
			any = true;
		}
		if (add_value(t, t->count - 1,
			      (size_t)(at / MICROSECONDS / SIM_STEP), v))
			return ads_err(err, -ENOMEM, "no memory");
	}
	return r;
}

static int read_file(struct traces *t, const char *path, struct ads_err *err)
{
	struct stream *s;
	struct csv c;
	int r = stream_open(path, &s, err);

	if (!r)
		r = csv_open(&c, s, err);
	if (r)
		return r;
	r = read_rows(t, &c, err);
	csv_close(&c);
	return r;
}

/* Those that are too short say too little of a day. */
static void keep_good(struct traces *t)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < t->count; i++) {
		double sum = 0;

		for (size_t k = 0; k < t->nr[i]; k++)
			sum += t->y[i][k];
		if (t->nr[i] < 5 * SIM_DAY_STEPS || sum <= 0) {
			free(t->y[i]);
			continue;
		}
		for (size_t k = 0; k < t->nr[i]; k++)
			t->y[i][k] *= (double)t->nr[i] / sum;
		t->y[n] = t->y[i];
		t->nr[n++] = t->nr[i];
	}
	t->count = n;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int traces_read(const char *path, struct traces *t, struct ads_err *err)
{
	DIR *d = opendir(path);
	char *name[256];
	size_t n = 0;
	int r = 0;

	memset(t, 0, sizeof(*t));
	if (!d) {
		r = errno == ENOTDIR ? read_file(t, path, err) :
		    ads_err(err, -errno, "%s: %s", path, strerror(errno));
	} else {
		struct dirent *e;

		while (n < 256 && (e = readdir(d)))
			if (e->d_name[0] != '.' &&
			    asprintf(&name[n], "%s/%s", path, e->d_name) > 0)
				n++;
		closedir(d);
		qsort(name, n, sizeof(name[0]), compare_names);
		for (size_t i = 0; i < n; i++) {
			if (!r)
				r = read_file(t, name[i], err);
			free(name[i]);
		}
	}
	if (!r) {
		keep_good(t);
		if (!t->count)
			r = ads_err(err, -ENODATA,
				    "%s: no volume in it has five days of load",
				    path);
	}
	if (r)
		traces_free(t);
	return r;
}

void traces_free(struct traces *t)
{
	for (uint32_t i = 0; i < t->count; i++)
		free(t->y[i]);
	free(t->y);
	free(t->nr);
	memset(t, 0, sizeof(*t));
}

/* -- made ------------------------------------------------------------------------- */

static double normal(uint64_t *random)
{
	double u = sim_random(random), v = sim_random(random);

	return sqrt(-2 * log(1 - u)) * cos(2 * M_PI * v);
}

static double shape_at(const struct sim_load *l, double seconds)
{
	double day = fmod(seconds, 86400), off;

	if (l->shape == SIM_FLAT)
		return l->mibs;
	off = fabs(day - l->peak);
	if (off > 43200)
		off = 86400 - off;
	return l->low + (l->mibs - l->low) *
	       exp(-0.5 * (off / (l->width / 2)) * (off / (l->width / 2)));
}

static size_t v_steps(const struct scenario *sc)
{
	return (size_t)(sc->length / SIM_STEP) + 2;
}

static int make_series(struct volume *v, const struct sim_load *l,
		       const struct scenario *sc, const double *trace,
		       size_t nr_trace, uint64_t *random)
{
	v->nr = v_steps(sc) + SIM_BEFORE;
	v->mibs = calloc(v->nr, sizeof(*v->mibs));
	if (!v->mibs)
		return -ENOMEM;
	for (size_t i = 0; i < v->nr; i++) {
		/* step 0 begins at midnight, seven days before */
		double noise = l->noise > 0 ? normal(random) : 0;

		if (!trace)
			v->mibs[i] = shape_at(l, (double)(i * SIM_STEP)) *
				     exp(l->noise * noise);
		/* the record ends with the simulation; never twice the same,
		 * or it would be foreseen too well */
		else if (i + nr_trace < v->nr)
			v->mibs[i] = NAN;
		else
			v->mibs[i] = l->mibs * trace[i + nr_trace - v->nr];
	}
	return 0;
}

static int make_shares(struct volume *v, const struct sim_load *l,
		       uint64_t *random)
{
	double sum = 0;

	v->share = calloc(v->count, sizeof(*v->share));
	if (!v->share)
		return -ENOMEM;
	for (uint32_t i = 0; i < v->count; i++) {
		v->share[i] = (float)pow(i + 1, -l->zipf);
		sum += v->share[i];
	}
	for (uint32_t i = v->count; i-- > 1;) {
		uint32_t k = (uint32_t)(sim_random(random) * (i + 1));
		float t = v->share[i];

		v->share[i] = v->share[k];
		v->share[k] = t;
	}
	for (uint32_t i = 0; i < v->count; i++)
		v->share[i] /= (float)sum;
	return 0;
}

static int foresee(struct volume *v, struct ads_err *err)
{
	static const unsigned int steps[FORECASTS] = { 1, 6, SIM_DAY_STEPS };
	struct ads_forecast *f = calloc(v->nr, sizeof(*f));
	int r = f ? 0 : -ENOMEM;

	for (int h = 0; h < FORECASTS && !r; h++) {
		size_t from = SIM_BEFORE - SIM_DAY_STEPS;

		v->middle[h] = calloc(v->nr + SIM_DAY_STEPS, sizeof(float));
		v->up[h] = calloc(v->nr + SIM_DAY_STEPS, sizeof(float));
		if (!v->middle[h] || !v->up[h]) {
			r = -ENOMEM;
			break;
		}
		r = ads_forecast_rolling(v->mibs, v->nr, SIM_DAY_STEPS, steps[h],
					 from, f);
		/* f[i] knows the first from + i steps and is of the one that
		 * comes steps[h] later, counted from the last of these */
		for (size_t i = 0; !r && from + i < v->nr; i++) {
			size_t of = from + i + steps[h] - 1;

			v->middle[h][of] = (float)f[i].value;
			v->up[h][of] = (float)(f[i].high - f[i].value);
		}
	}
	free(f);
	return r ? ads_err(err, r, "forecasts: %s", strerror(-r)) : 0;
}

static int add_volume(struct volumes *vs, const struct sim_load *l,
		      const struct scenario *sc, double first, double last,
		      uint32_t segs, const double *trace, size_t nr_trace,
		      uint64_t *random, struct ads_err *err)
{
	struct volume *v = realloc(vs->v, (vs->nr + 1) * sizeof(*v));
	int r;

	if (!v)
		return ads_err(err, -ENOMEM, "loads: no memory");
	vs->v = v;
	v = &vs->v[vs->nr];
	*v = (struct volume){ .first = (uint32_t)(first * segs) };
	v->count = (uint32_t)(last * segs) - v->first;
	v->per_mib = 1024 / l->kib;
	if (!v->count)
		return 0;
	vs->nr++;
	r = make_series(v, l, sc, trace, nr_trace, random);
	if (!r)
		r = make_shares(v, l, random);
	return r ? ads_err(err, r, "loads: no memory") : foresee(v, err);
}

int volumes_make(const struct scenario *sc, uint32_t segs,
		 const struct traces *t, struct volumes *v, struct ads_err *err)
{
	uint64_t random = sc->seed * 2654435761U + 17;
	int r = 0;

	memset(v, 0, sizeof(*v));
	for (uint32_t i = 0; i < sc->nr_loads && !r; i++) {
		const struct sim_load *l = &sc->load[i];
		uint32_t n = l->shape == SIM_TRACE ? t->count : 1;
		struct sim_load each = *l;
		double width = (l->last - l->first) / n;

		each.mibs /= n;
		for (uint32_t k = 0; k < n && !r; k++)
			if (l->shape == SIM_TRACE &&
			    t->nr[k] < v_steps(sc) + 3 * SIM_DAY_STEPS)
				continue;	/* too short to foresee it */
			else
				r = add_volume(v, &each, sc, l->first + k * width,
				       l->first + (k + 1) * width, segs,
				       l->shape == SIM_TRACE ? t->y[k] : NULL,
				       l->shape == SIM_TRACE ? t->nr[k] : 0,
				       &random, err);
	}
	if (r)
		volumes_free(v);
	return r;
}

void volumes_free(struct volumes *vs)
{
	for (uint32_t i = 0; i < vs->nr; i++) {
		free(vs->v[i].share);
		free(vs->v[i].mibs);
		for (int h = 0; h < FORECASTS; h++) {
			free(vs->v[i].middle[h]);
			free(vs->v[i].up[h]);
		}
	}
	free(vs->v);
	memset(vs, 0, sizeof(*vs));
}
