// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/failslow.h"
#include "train/failslow.h"

struct tally {
	unsigned int found, missed, false_alarms;
};

static void count(struct tally *t, const struct slow_drive *d, bool slow)
{
	t->found += slow && d->labelled;
	t->missed += !slow && d->labelled;
	t->false_alarms += slow && !d->labelled;
}

static void figure(FILE *out, const char *name, double v, const char *unit)
{
	if (isnan(v))
		fprintf(out, "figure failslow.%s - %s\n", name, unit);
	else
		fprintf(out, "figure failslow.%s %.4g %s\n", name, v, unit);
}

static double precision(const struct tally *t)
{
	unsigned int n = t->found + t->false_alarms;

	return n ? (double)t->found / n : NAN;
}

static double recall(const struct tally *t)
{
	unsigned int n = t->found + t->missed;

	return n ? (double)t->found / n : NAN;
}

/* The days that it was judged on, up to the one of the verdict. */
static double day_number(const struct slow_drive *d, int verdict)
{
	double n = 0;

	for (int i = 0; i <= verdict; i++)
		n += !isnan(d->day[i]);
	return n;
}

/* The highest threshold at which the disk would still count as slow. */
static double strength(const struct slow_drive *d)
{
	double low = 0.1, high = 1000;

	for (int i = 0; i < 60; i++) {
		double mid = sqrt(low * high);

		if (ads_slow_verdict(d->day, d->nr, mid) >= 0)
			low = mid;
		else
			high = mid;
	}
	return low;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/*
 * Each cluster judged by a threshold that the others give: twice as far from
 * their peers as any healthy disk there.
 */
static void leave_one_out(const struct slow_study *s, const double *strengths,
			  FILE *out)
{
	struct tally t = { 0 };

	for (unsigned int c = 0; c < s->nr_clusters; c++) {
		double healthy = 1;

		for (size_t i = 0; i < s->nr; i++)
			if (s->drive[i].cluster != c && !s->drive[i].labelled)
				healthy = fmax(healthy, strengths[i]);
		for (size_t i = 0; i < s->nr; i++)
			if (s->drive[i].cluster == c)
				count(&t, &s->drive[i],
				      strengths[i] >= healthy * healthy);
	}
	figure(out, "left_out.precision", precision(&t), "ratio");
	figure(out, "left_out.recall", recall(&t), "ratio");
}

void slow_print(const struct slow_study *s, FILE *out)
{
	double *day = calloc(s->nr + 1, sizeof(*day));
	double *strengths = calloc(s->nr + 1, sizeof(*strengths));
	double healthy = 0, slow = INFINITY;
	struct tally t = { 0 };
	unsigned int n = 0;

	if (!day || !strengths)
		abort();
	for (size_t i = 0; i < s->nr; i++) {
		const struct slow_drive *d = &s->drive[i];
		int v = ads_slow_verdict(d->day, d->nr, ADS_SLOW_OF_PEERS);

		count(&t, d, v >= 0);
		strengths[i] = strength(d);
		if (d->labelled)
			slow = fmin(slow, strengths[i]);
		else
			healthy = fmax(healthy, strengths[i]);
		if (d->labelled && v >= 0)
			day[n++] = day_number(d, v);
	}
	qsort(day, n, sizeof(*day), compare);
	fprintf(out, "figure failslow.drives %zu drives\n", s->nr);
	figure(out, "slow", t.found + t.missed, "drives");
	figure(out, "found", t.found, "drives");
	figure(out, "false", t.false_alarms, "drives");
	figure(out, "precision", precision(&t), "ratio");
	figure(out, "recall", recall(&t), "ratio");
	figure(out, "median_day", n ? day[n / 2] : NAN, "days");
	figure(out, "last_day", n ? day[n - 1] : NAN, "days");
	figure(out, "healthy_max", healthy, "times");
	figure(out, "slow_min", isinf(slow) ? NAN : slow, "times");
	if (s->nr_clusters > 1)
		leave_one_out(s, strengths, out);
	free(day);
	free(strengths);
}

int verb_failslow(const struct train_args *a, struct ads_err *err)
{
	struct slow_study *s = calloc(1, sizeof(*s));
	char path[4096];
	int r = 0;

	if (!s)
		return ads_err(err, -ENOMEM, "evaluating: no memory");
	for (unsigned int i = 0; i < a->nr_files && !r; i++)
		r = slow_read(s, a->file[i], err);
	if (s->bad)
		fprintf(stderr, "adshard-train: %lu of %lu lines were bad and skipped\n",
			s->bad, s->rows + s->bad);
	if (!r && !a->labels) {
		/* beside the data */
		const char *slash = strrchr(a->file[0], '/');

		snprintf(path, sizeof(path), "%.*sslow_drive_info.csv",
			 slash ? (int)(slash + 1 - a->file[0]) : 0, a->file[0]);
	}
	if (!r)
		r = slow_labels(s, a->labels ? a->labels : path, err);
	if (!r && !s->labels)
		fprintf(stderr, "adshard-train: no disk of these clusters is labelled as slow: all count as healthy\n");
	if (!r)
		slow_print(s, stdout);
	slow_free(s);
	free(s);
	return r;
}
