// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "train/evaluate.h"
#include "train/rows.h"

#define P_DRAIN		0.105	/* score 70, above which the agent drains */
#define MOVE_RATE	50e6	/* bytes a second, of an evacuation */
#define MOVE_DEFAULT	4e12	/* bytes, if the capacity is not known */

const double evaluate_rates[EVALUATE_RATES] = { .001, .002, .005, .01, .02 };

static const double edges[EVALUATE_BINS + 1] = {
	0, .003, .01, .03, .1, .2, .3, .45, .65, .85, 1.0001,
};

/* A drive in a month. */
struct case_ {
	float trees, cold;	/* the highest score */
	unsigned int rules;
	uint32_t life;
	bool fails;
};

/* A score of a drive that fails in the period, for lead times. */
struct mark {
	uint32_t life;
	int64_t time;
	float trees, cold;
};

struct judge {
	const struct fleet *f;
	const struct evaluate_options *o;
	struct case_ *cases;
	struct mark *marks;
	size_t nr, cap, nr_marks, cap_marks;
	float *highest;			/* of each drive, in the period */
	double bin_p[EVALUATE_BINS], bin_y[EVALUATE_BINS];
	unsigned long bin_n[EVALUATE_BINS];
	double square, rows, failing;
	struct score_time *times;
	uint32_t cap_times;
	int64_t end;			/* of what is known at all */
};

static void *more(void *array, size_t nr, size_t *cap, size_t size)
{
	size_t n = *cap ? *cap * 2 : 4096;
	void *p;

	if (nr < *cap)
		return array;
	p = realloc(array, n * size);
	if (p)
		*cap = n;
	return p;
}

static bool in_period(const struct judge *j, const struct life *l)
{
	return l->failed && l->last >= j->o->from && l->last < j->o->to;
}

static void calibration(struct judge *j, const struct life *l, int64_t t,
			double p)
{
	bool fails = life_fails(l, t, LABEL_DAYS);
	int b = 0;

	/*
	 * How it ends must be known, of those that fail too: taking these alone
	 * would make failures look more frequent.
	 */
	if (t + LABEL_DAYS * DAY > j->end)
		return;
	while (p >= edges[b + 1])
		b++;
	j->bin_p[b] += p;
	j->bin_y[b] += fails;
	j->bin_n[b]++;
	j->square += (p - fails) * (p - fails);
	j->rows++;
	j->failing += fails;
}

static unsigned int rules_at(const struct life *l, int64_t t)
{
	double v[ADS_FEAT_ATTRS] = { 0 };

	for (int a = 0; a < ADS_FEAT_ATTRS; a++)
		for (uint32_t i = 0; i < l->nr[a] && l->point[a][i].time <= t;
		     i++)
			v[a] = l->point[a][i].value;
	return rules_fire(v);
}

static int judge_drive(struct judge *j, const struct ads_model *m, uint32_t i,
		       int64_t from, int64_t to)
{
	const struct life *l = &j->f->life[i];
	struct case_ c = { .life = i };
	float x[ADS_FEAT_NR];
	uint32_t nr;
	void *p;

	if (life_times(l, from, to, &j->times, &nr, &j->cap_times))
		return -ENOMEM;
	c.fails = l->failed && l->last >= from && l->last < to;
	if (!nr && !c.fails)
		return 0;
	for (uint32_t k = 0; k < nr; k++) {
		int64_t t = j->times[k].time;
		float trees, cold;

		life_features(j->f, l, t, &m->hazards, x);
		trees = (float)ads_model_probability(
			m, ads_model_margin(m, x), ADS_WITHIN_30);
		cold = (float)ads_model_cold(m, x);
		c.trees = fmaxf(c.trees, trees);
		c.cold = fmaxf(c.cold, cold);
		c.rules |= rules_at(l, t);
		if (j->times[k].grid)
			calibration(j, l, t, trees);
		if (!in_period(j, l))
			continue;
		p = more(j->marks, j->nr_marks, &j->cap_marks,
			 sizeof(*j->marks));
		if (!p)
			return -ENOMEM;
		j->marks = p;
		j->marks[j->nr_marks++] = (struct mark){ i, t, trees, cold };
	}
	j->highest[i] = fmaxf(j->highest[i], c.trees);
	/* it fails soon after: an alarm is neither right nor wrong */
	if (!c.fails && l->failed && l->last < to + LABEL_DAYS * DAY)
		return 0;
	p = more(j->cases, j->nr, &j->cap, sizeof(*j->cases));
	if (!p)
		return -ENOMEM;
	j->cases = p;
	j->cases[j->nr++] = c;
	return 0;
}

static int by_trees(const void *a, const void *b)
{
	const struct case_ *x = a, *y = b;

	return (x->trees < y->trees) - (x->trees > y->trees);
}

static int by_cold(const void *a, const void *b)
{
	const struct case_ *x = a, *y = b;

	return (x->cold < y->cold) - (x->cold > y->cold);
}

static float score_of(const struct case_ *c, bool cold)
{
	return cold ? c->cold : c->trees;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* From the first alarm of the period to the end of those that were detected. */
static void leads(const struct judge *j, bool cold, struct at_rate *r)
{
	size_t n = 0, early = 0;
	double *lead = calloc(j->nr_marks + 1, sizeof(*lead));

	r->lead = r->early = NAN;
	if (!lead)
		return;
	for (size_t i = 0; i < j->nr; i++) {
		const struct case_ *c = &j->cases[i];
		const struct life *l = &j->f->life[c->life];
		int64_t first = INT64_MAX;

		if (!c->fails || score_of(c, cold) < r->threshold)
			continue;
		for (size_t k = 0; k < j->nr_marks; k++) {
			const struct mark *m = &j->marks[k];

			if (m->life == c->life && m->time < first &&
			    (cold ? m->cold : m->trees) >= r->threshold)
				first = m->time;
		}
		lead[n] = (double)(l->last - first) / DAY;
		early += lead[n++] >= 3;
	}
	if (n) {
		qsort(lead, n, sizeof(*lead), compare);
		r->lead = n % 2 ? lead[n / 2] :
				  (lead[n / 2 - 1] + lead[n / 2]) / 2;
		r->early = (double)early / (double)n;
	}
	free(lead);
}

/*
 * The lowest threshold at which no more than @rate of the good are alarmed;
 * those of one score fall together. The cases are sorted, highest first.
 */
static void at_rate(const struct judge *j, bool cold, double rate,
		    unsigned long failures, unsigned long good,
		    struct at_rate *r)
{
	unsigned long f = 0, g = 0;
	size_t i = 0;

	*r = (struct at_rate){ .threshold = INFINITY };
	while (i < j->nr) {
		float score = score_of(&j->cases[i], cold);
		unsigned long nf = f, ng = g;

		for (; i < j->nr && score_of(&j->cases[i], cold) == score; i++) {
			nf += j->cases[i].fails;
			ng += !j->cases[i].fails;
		}
		if ((double)ng > rate * (double)good || score <= 0)
			break;
		f = nf;
		g = ng;
		r->threshold = score;
	}
	r->fdr = failures ? (double)f / (double)failures : NAN;
	r->far = good ? (double)g / (double)good : NAN;
	leads(j, cold, r);
}

static void at_threshold(const struct judge *j, double threshold,
			 const struct evaluation *e, struct at_rate *r)
{
	unsigned long f = 0, g = 0;

	r->threshold = threshold;
	for (size_t i = 0; i < j->nr; i++) {
		if (j->cases[i].trees < threshold)
			continue;
		f += j->cases[i].fails;
		g += !j->cases[i].fails;
	}
	r->fdr = e->failures ? (double)f / (double)e->failures : NAN;
	r->far = e->good ? (double)g / (double)e->good : NAN;
	leads(j, false, r);
}

/* Cases sorted by the trees, highest first; equal ones count half. */
static double auc(const struct judge *j, const struct evaluation *e)
{
	double sum = 0, good = 0;
	size_t i = 0;

	while (i < j->nr) {
		float s = j->cases[i].trees;
		double f = 0, g = 0;

		for (; i < j->nr && j->cases[i].trees == s; i++) {
			f += j->cases[i].fails;
			g += !j->cases[i].fails;
		}
		sum += f * ((double)e->good - good - g / 2);
		good += g;
	}
	return sum / ((double)e->failures * (double)e->good);
}

static void migrations(const struct judge *j, struct evaluation *e)
{
	unsigned long failed = 0, moved = 0, good = 0, vain = 0;

	for (uint32_t i = 0; i < j->f->nr; i++) {
		const struct life *l = &j->f->life[i];
		double bytes = l->capacity > 0 ? l->capacity : MOVE_DEFAULT;
		int64_t first = INT64_MAX;

		if (l->failed && l->last < j->o->from)
			continue;
		if (!in_period(j, l)) {
			if (l->failed && l->last < j->o->to + LABEL_DAYS * DAY)
				continue;
			good += j->highest[i] >= 0;
			vain += j->highest[i] >= P_DRAIN;
			continue;
		}
		failed++;
		if (j->highest[i] < P_DRAIN)
			continue;
		for (size_t k = 0; k < j->nr_marks; k++)
			if (j->marks[k].life == i && j->marks[k].time < first &&
			    j->marks[k].trees >= P_DRAIN)
				first = j->marks[k].time;
		moved += (double)(l->last - first) * MOVE_RATE >= bytes;
	}
	e->migrated = failed ? (double)moved / (double)failed : NAN;
	e->migrated_in_vain = good ? (double)vain / (double)good : NAN;
}

static void sum_up(struct judge *j, struct evaluation *e)
{
	double base;

	for (size_t i = 0; i < j->nr; i++) {
		const struct case_ *c = &j->cases[i];

		e->failures += c->fails;
		e->good += !c->fails;
		for (int r = 0; r < RULES; r++) {
			if (!(c->rules >> r & 1))
				continue;
			e->rule[r].fdr += c->fails;
			e->rule[r].far += !c->fails;
		}
	}
	for (int r = 0; r < RULES; r++) {
		e->rule[r].fdr /= (double)e->failures;
		e->rule[r].far /= (double)e->good;
	}
	for (size_t i = 0; i < j->nr; i++) {
		const struct case_ *c = &j->cases[i];

		if (c->trees < P_DRAIN && c->cold < P_DRAIN)
			continue;
		e->either70.fdr += c->fails;
		e->either70.far += !c->fails;
	}
	e->either70.fdr /= (double)e->failures;
	e->either70.far /= (double)e->good;
	qsort(j->cases, j->nr, sizeof(*j->cases), by_cold);
	for (int i = 0; i < EVALUATE_RATES; i++)
		at_rate(j, true, evaluate_rates[i], e->failures, e->good,
			&e->cold[i]);
	qsort(j->cases, j->nr, sizeof(*j->cases), by_trees);
	for (int i = 0; i < EVALUATE_RATES; i++)
		at_rate(j, false, evaluate_rates[i], e->failures, e->good,
			&e->trees[i]);
	at_threshold(j, P_DRAIN, e, &e->score70);
	e->auc = auc(j, e);
	migrations(j, e);
	for (int b = 0; b < EVALUATE_BINS; b++) {
		double off;

		e->bin[b].nr = j->bin_n[b];
		e->bin[b].predicted = j->bin_p[b] / (double)j->bin_n[b];
		e->bin[b].observed = j->bin_y[b] / (double)j->bin_n[b];
		off = fabs(e->bin[b].predicted / e->bin[b].observed - 1);
		if (edges[b] >= .01 && j->bin_y[b] >= 10 && off > e->worst_bin)
			e->worst_bin = off;
	}
	base = j->failing / j->rows;
	e->brier = j->square / j->rows;
	e->brier_base = base * (1 - base);
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int judge_month(struct judge *j, int64_t from, int64_t to,
		       struct ads_model **own, struct evaluation *e,
		       struct ads_err *err)
{
	const struct ads_model *m = j->o->model ? j->o->model : *own;
	struct train_options t = j->o->train;
	char date[16];
	int r = 0;

	if (!j->o->model && (!*own || !j->o->train_until)) {
		double begun = seconds();

		ads_model_free(*own);
		*own = NULL;
		t.until = j->o->train_until ? j->o->train_until : from;
		r = train_model(j->f, &t, own, err);
		if (r)
			return r;
		m = *own;
		e->models++;
		e->training_seconds += seconds() - begun;
		if (j->o->verbose)
			fprintf(stderr, "adshard-train: until %s: %llu rows, %llu drives, %llu failures, %u nodes, %.1f s\n",
				date_of(t.until, date),
				(unsigned long long)m->rows,
				(unsigned long long)m->drives,
				(unsigned long long)m->failures, m->nr_nodes,
				seconds() - begun);
	}
	for (uint32_t i = 0; i < j->f->nr && !r; i++)
		r = judge_drive(j, m, i, from, to);
	return r ? ads_err(err, r, "evaluating: no memory") : 0;
}

int evaluate(const struct fleet *f, const struct evaluate_options *o,
	     struct evaluation *e, struct ads_err *err)
{
	struct judge j = { .f = f, .o = o, .end = fleet_end(f) };
	struct ads_model *own = NULL;
	int r = 0;

	memset(e, 0, sizeof(*e));
	if (j.end > o->to + LABEL_DAYS * DAY)
		j.end = o->to + LABEL_DAYS * DAY;
	j.highest = calloc(f->nr + 1, sizeof(*j.highest));
	if (!j.highest)
		return ads_err(err, -ENOMEM, "evaluating: no memory");
	for (uint32_t i = 0; i < f->nr; i++)
		j.highest[i] = -1;
	for (int64_t t = o->from; t < o->to && !r;) {
		struct month m = month_of(t);

		if (m.end > o->to)
			m.end = o->to;
		r = judge_month(&j, t, m.end, &own, e, err);
		t = m.end;
	}
	if (!r) {
		sum_up(&j, e);
		if (!e->failures || !e->good)
			r = ads_err(err, -ENODATA, "evaluating: in this time %lu drives fail and %lu don't: nothing can be said",
				    e->failures, e->good);
	}
	ads_model_free(own);
	free(j.cases);
	free(j.marks);
	free(j.highest);
	free(j.times);
	return r;
}
