// SPDX-License-Identifier: GPL-2.0-or-later
/* Figures of drives that were scored. */
#include <math.h>
#include <stdlib.h>

#include "train/evaluate-priv.h"

#define BIN_FULL	100	/* failing rows in a bin of probabilities */
#define BIN_LEAST	10	/* fewer say nothing, even when all are together */
#define P_DRAIN		0.105	/* score 70, above which the agent drains */
#define MOVE_RATE	50e6	/* bytes a second, of an evacuation */
#define MOVE_DEFAULT	4e12	/* bytes, if the capacity is not known */

const double evaluate_rates[EVALUATE_RATES] = { .001, .002, .005, .01, .02 };

const double evaluate_edges[EVALUATE_BINS + 1] = {
	0, .003, .01, .03, .1, .2, .3, .45, .65, .85, 1.0001,
};

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

/* From the first alarm to the end of those that were detected. */
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
		lead[n] = (double)(l->last + 1 - first) / DAY;
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

void evaluate_family(struct judge *j, struct family *k)
{
	struct judge own = *j;

	own.cases += k->first_case;
	own.nr -= k->first_case;
	for (size_t i = 0; i < own.nr; i++) {
		k->failures += own.cases[i].fails;
		k->good += !own.cases[i].fails;
	}
	if (own.nr)
		qsort(own.cases, own.nr, sizeof(*own.cases), by_trees);
	for (int i = 0; i < EVALUATE_RATES; i++) {
		struct at_rate r;

		at_rate(&own, false, evaluate_rates[i], k->failures, k->good,
			&r);
		k->fdr[i] = r.fdr;
	}
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

/*
 * Rows of a drive fail together: a hundred of them are some 25 drives, of which a
 * share is known to a fifth. Bins of fewer are joined with the next above.
 */
static void join_bins(struct judge *j)
{
	int last = -1;

	for (int b = 0; b < EVALUATE_BINS; b++) {
		int to = b + 1 < EVALUATE_BINS ? b + 1 : last;

		/* nobody asks how well next to nothing is known */
		if (evaluate_edges[b] < .01)
			continue;
		if (j->bin_y[b] >= BIN_FULL || to < 0) {
			last = b;
			continue;
		}
		j->bin_p[to] += j->bin_p[b];
		j->bin_y[to] += j->bin_y[b];
		j->bin_n[to] += j->bin_n[b];
		j->bin_p[b] = j->bin_y[b] = 0;
		j->bin_n[b] = 0;
	}
}

void evaluate_sum(struct judge *j, struct evaluation *e)
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
	join_bins(j);
	for (int b = 0; b < EVALUATE_BINS; b++) {
		double off;

		e->bin[b].nr = j->bin_n[b];
		e->bin[b].predicted = j->bin_p[b] / (double)j->bin_n[b];
		e->bin[b].observed = j->bin_y[b] / (double)j->bin_n[b];
		off = fabs(e->bin[b].predicted / e->bin[b].observed - 1);
		if (evaluate_edges[b] >= .01 && j->bin_y[b] >= BIN_LEAST &&
		    off > e->worst_bin)
			e->worst_bin = off;
	}
	base = j->failing / j->rows;
	e->brier = j->square / j->rows;
	e->log_loss = j->log_loss / j->rows;
	e->brier_base = base * (1 - base);
}
