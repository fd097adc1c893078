// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * evaluate --load: forecasts of load, by volumes, on a rolling origin.
 *
 * A table has a line for each volume and time: volume (else it is the file that
 * names it), ts in microseconds, block_req_count, io_request_size_sum. Lines are
 * summed up by half hours. The last two days of a volume are forecast, each step
 * from what was known half an hour, three hours and a day before.
 *
 * MASE: the mean error over that of "as half an hour ago" in the days before the
 * first forecast; the mean over volumes.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/forecast.h"
#include "train/csv.h"
#include "train/load.h"

#define STEP		1800000000.0	/* microseconds */
#define SEASON		48		/* steps in a day */
#define TEST		(2 * SEASON)
#define MIN_STEPS	(6 * SEASON)	/* fewer and a volume is not judged */
#define FEW_STEPS	(3 * SEASON)	/* unless all are that short */
#define MAX_STEPS	100000

static const struct {
	const char *name;
	unsigned int steps;
} horizons[] = {
	{ "30min", 1 }, { "3h", 6 }, { "24h", SEASON },
};
#define HORIZONS	(sizeof(horizons) / sizeof(horizons[0]))

static const struct {
	const char *column, *suffix;
} loads[] = {
	{ "block_req_count", "" }, { "io_request_size_sum", "_bytes" },
};
#define LOADS		(sizeof(loads) / sizeof(loads[0]))

struct volume {
	char name[64];
	double *y[LOADS];
	size_t nr;
};

struct volumes {
	struct volume *v;
	size_t nr;
	unsigned long rows, bad;
};

static struct volume *volume_of(struct volumes *s, const char *name,
				size_t first)
{
	struct volume *v;

	/* mostly the one before */
	for (size_t i = s->nr; i-- > first;)
		if (!strncmp(s->v[i].name, name, sizeof(v->name) - 1))
			return &s->v[i];
	v = realloc(s->v, (s->nr + 1) * sizeof(*v));
	if (!v)
		return NULL;
	s->v = v;
	v = &s->v[s->nr++];
	memset(v, 0, sizeof(*v));
	snprintf(v->name, sizeof(v->name), "%s", name);
	return v;
}

static int add(struct volume *v, size_t step, const double value[LOADS])
{
	for (size_t l = 0; step >= v->nr && l < LOADS; l++) {
		double *more = realloc(v->y[l], (step + 1) * sizeof(*more));

		if (!more)
			return -ENOMEM;
		v->y[l] = more;
		for (size_t i = v->nr; i <= step; i++)
			more[i] = NAN;
	}
	if (step >= v->nr)
		v->nr = step + 1;
	for (size_t l = 0; l < LOADS; l++) {
		double *y = &v->y[l][step];

		if (!isnan(value[l]))
			*y = (isnan(*y) ? 0 : *y) + value[l];
	}
	return 0;
}

static int read_table(struct volumes *s, struct csv *c, struct ads_err *err)
{
	const char *file = stream_name(c->stream);
	int volume = csv_column(c, "volume"), ts = csv_column(c, "ts");
	int column[LOADS], r;
	size_t first = s->nr;
	double zero = -1;

	for (size_t l = 0; l < LOADS; l++)
		column[l] = csv_column(c, loads[l].column);
	if (ts < 0 || column[0] < 0)
		return ads_err(err, -EBADMSG, "%s: has not both of the columns ts and block_req_count",
			       file);
	while ((r = csv_next(c, err)) > 0) {
		double t, value[LOADS];
		struct volume *v;
		bool good = csv_number(c->field[ts], &t) && t >= 0;

		/* of the trace, or of the epoch: then it begins with the file */
		if (good && zero < 0)
			zero = t < STEP * MAX_STEPS ? 0 : STEP *
			       fmax(0, floor(t / STEP) - SEASON);
		t -= fmax(0, zero);
		good = good && t >= 0 && t < STEP * MAX_STEPS;

		for (size_t l = 0; l < LOADS && good; l++) {
			value[l] = NAN;
			/* empty: not known, of this load */
			if (column[l] >= 0 && *c->field[column[l]])
				good = csv_number(c->field[column[l]],
						  &value[l]) && value[l] >= 0;
		}
		if (!good) {
			csv_bad(c, "ts or a load is no number");
			continue;
		}
		v = volume_of(s, volume >= 0 ? c->field[volume] : file, first);
		if (!v || add(v, (size_t)(t / STEP), value))
			return ads_err(err, -ENOMEM, "%s: no memory", file);
	}
	return r;
}

static int read_file(struct volumes *s, const char *path, struct ads_err *err)
{
	struct stream *st;
	struct csv c;
	int r = stream_open(path, &st, err);

	if (!r)
		r = csv_open(&c, st, err);
	if (r)
		return r;
	r = read_table(s, &c, err);
	s->rows += c.rows;
	s->bad += c.bad;
	csv_close(&c);
	return r;
}

/* Sums over volumes of means over steps. */
struct score {
	double mase, naive, seasonal, pinball[3], covered;
	double *smape;
	size_t volumes;
};

static double pinball(double forecast, double y, double q)
{
	return y >= forecast ? q * (y - forecast) : (1 - q) * (forecast - y);
}

static double scale_of(const double *y, size_t nr)
{
	double sum = 0;
	size_t n = 0;

	for (size_t i = 1; i < nr; i++) {
		if (isnan(y[i]) || isnan(y[i - 1]))
			continue;
		sum += fabs(y[i] - y[i - 1]);
		n++;
	}
	return n ? sum / (double)n : 0;
}

static int judge(const double *y, size_t nr, unsigned int steps,
		 struct score *s)
{
	size_t from = nr - TEST, n = 0;
	double scale = scale_of(y, from), mase = 0, naive = 0, seasonal = 0;
	double smape = 0, pin[3] = { 0 }, covered = 0;
	struct ads_forecast *f;
	int r;

	/* nothing ever changed: there is no error to compare with */
	if (!(scale > 0))
		return 0;
	f = calloc(TEST + 1, sizeof(*f));
	if (!f)
		return -ENOMEM;
	r = ads_forecast_rolling(y, nr, SEASON, steps, from, f);
	for (size_t t = from; t + steps <= nr && !r; t++) {
		const struct ads_forecast *g = &f[t - from];
		double v = y[t + steps - 1];

		if (isnan(v) || isnan(g->member[ADS_FC_DAY]))
			continue;
		n++;
		mase += fabs(g->value - v);
		naive += fabs(g->member[ADS_FC_NAIVE] - v);
		seasonal += fabs(g->member[ADS_FC_DAY] - v);
		if (g->value + v > 0)
			smape += 2 * fabs(g->value - v) / (g->value + v);
		pin[0] += pinball(g->low, v, 0.1);
		pin[1] += pinball(g->value, v, 0.5);
		pin[2] += pinball(g->high, v, 0.9);
		covered += v >= g->low && v <= g->high;
	}
	free(f);
	if (r || !n)
		return r;
	s->mase += mase / (double)n / scale;
	s->naive += naive / (double)n / scale;
	s->seasonal += seasonal / (double)n / scale;
	for (int q = 0; q < 3; q++)
		s->pinball[q] += pin[q] / (double)n / scale;
	s->covered += covered / (double)n;
	s->smape[s->volumes++] = 100 * smape / (double)n;
	return 0;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void figure(const char *what, const char *suffix, const char *horizon,
		   double sum, size_t n, const char *unit)
{
	printf("figure load.%s%s.%s %.4g %s\n", what, suffix, horizon,
	       sum / (double)n, unit);
}

static void print(const struct score *s, const char *suffix,
		  const char *horizon)
{
	size_t n = s->volumes;

	qsort(s->smape, n, sizeof(*s->smape), compare);
	figure("mase", suffix, horizon, s->mase, n, "ratio");
	figure("mase_naive", suffix, horizon, s->naive, n, "ratio");
	figure("mase_seasonal_naive", suffix, horizon, s->seasonal, n, "ratio");
	figure("smape_median", suffix, horizon, s->smape[n / 2], 1, "percent");
	figure("pinball10", suffix, horizon, s->pinball[0], n, "ratio");
	figure("pinball50", suffix, horizon, s->pinball[1], n, "ratio");
	figure("pinball90", suffix, horizon, s->pinball[2], n, "ratio");
	figure("within_80", suffix, horizon, s->covered, n, "ratio");
}

/* Before its first value a volume was not there. */
static void trim(struct volume *v)
{
	size_t n = 0;

	while (n < v->nr && isnan(v->y[0][n]))
		n++;
	v->nr -= n;
	for (size_t l = 0; l < LOADS && n && v->nr; l++)
		memmove(v->y[l], v->y[l] + n, v->nr * sizeof(*v->y[l]));
}

static size_t count(const struct volumes *s, size_t steps)
{
	size_t n = 0;

	for (size_t i = 0; i < s->nr; i++)
		n += s->v[i].nr >= steps;
	return n;
}

static int evaluate_all(const struct volumes *s, struct ads_err *err)
{
	double *smape = calloc(s->nr + 1, sizeof(*smape));
	size_t least = MIN_STEPS, judged;
	int r = smape ? 0 : -ENOMEM;

	for (size_t i = 0; i < s->nr; i++)
		trim(&s->v[i]);
	judged = count(s, least);
	if (!judged) {
		least = FEW_STEPS;
		judged = count(s, least);
	}
	if (!judged)
		r = ads_err(err, -ENODATA, "none of the %zu volumes has %d days of load",
			    s->nr, FEW_STEPS / SEASON);
	else
		printf("figure load.volumes %zu volumes\n", judged);
	for (size_t l = 0; l < LOADS && !r; l++) {
		for (size_t h = 0; h < HORIZONS && !r; h++) {
			struct score score = { .smape = smape };

			for (size_t i = 0; i < s->nr && !r; i++)
				if (s->v[i].nr >= least)
					r = judge(s->v[i].y[l], s->v[i].nr,
						  horizons[h].steps, &score);
			if (!r && score.volumes)
				print(&score, loads[l].suffix,
				      horizons[h].name);
		}
	}
	if (r == -ENOMEM)
		ads_err(err, r, "evaluating: no memory");
	free(smape);
	return r;
}

int verb_load(const struct train_args *a, struct ads_err *err)
{
	struct volumes s = { 0 };
	int r = 0;

	for (unsigned int i = 0; i < a->nr_files && !r; i++)
		r = read_file(&s, a->file[i], err);
	if (s.bad)
		fprintf(stderr, "adshard-train: %lu of %lu lines were bad and skipped\n",
			s.bad, s.rows + s.bad);
	if (!r)
		r = evaluate_all(&s, err);
	for (size_t i = 0; i < s.nr; i++)
		for (size_t l = 0; l < LOADS; l++)
			free(s.v[i].y[l]);
	free(s.v);
	return r;
}
