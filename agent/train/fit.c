// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Small fits: a rising curve, and a logistic score of states.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "train/train.h"

#define CURVE_FAILURES	12.0	/* in a step of a curve, at least */
#define CURVE_STEPS	40	/* and at most */
#define LEAST_SLOPE	0.05	/* of a curve: two margins are never the same */
#define SHIFT_SD	0.5	/* of how far other sites are from the base */
#define ALIKE		6.0	/* rows of a drive that say the same thing */
#define RIDGE		2.0	/* pull of the cold weights towards zero */
#define NEWTON		30
#define NC		(ADS_COLD_STATES + 1)

static int by_margin(const void *a, const void *b)
{
	const struct seen_row *x = a, *y = b;

	if (x->margin != y->margin)
		return x->margin < y->margin ? -1 : 1;
	return 0;
}

struct step {
	double margin, failed, all;
};

/* Neighbours that fall are one (pool adjacent violators). */
static unsigned int pool(struct step *s, unsigned int nr)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < nr; i++) {
		s[n++] = s[i];
		while (n > 1 && s[n - 2].failed * s[n - 1].all >=
				s[n - 1].failed * s[n - 2].all) {
			struct step *a = &s[n - 2], *b = &s[n - 1];

			a->margin = (a->margin * a->all + b->margin * b->all) /
				    (a->all + b->all);
			a->failed += b->failed;
			a->all += b->all;
			n--;
		}
	}
	return n;
}

uint32_t calibrate(struct seen_row *rows, size_t nr,
		   struct ads_model_knot knot[ADS_MODEL_MAX_KNOTS])
{
	struct step s[CURVE_STEPS + 1] = { 0 };
	double failures = 0, each;
	unsigned int n = 0, out = 0;

	for (size_t i = 0; i < nr; i++)
		failures += rows[i].fails;
	if (failures < 2 * CURVE_FAILURES)
		return 0;
	each = failures / CURVE_STEPS;
	if (each < CURVE_FAILURES)
		each = CURVE_FAILURES;
	qsort(rows, nr, sizeof(*rows), by_margin);
	for (size_t i = 0; i < nr; i++) {
		struct step *t = &s[n];

		t->margin += (double)rows[i].margin * rows[i].weight;
		t->all += rows[i].weight;
		t->failed += rows[i].fails ? rows[i].weight : 0;
		if (t->failed >= each && n < CURVE_STEPS &&
		    (i + 1 == nr || rows[i + 1].margin > rows[i].margin))
			n++;
	}
	/* the last one has the rest, which may be without a failure */
	n += s[n].all > 0;
	for (unsigned int i = 0; i < n; i++)
		s[i].margin /= s[i].all;
	n = pool(s, n);
	for (unsigned int i = 0; i < n; i++) {
		/* none of ten is not never */
		double p = (s[i].failed + 0.5) / (s[i].all + 1);
		struct ads_model_knot k = { (float)s[i].margin,
					    (float)log(p / (1 - p)) };

		if (out) {
			const struct ads_model_knot *last = &knot[out - 1];
			float least = last->logit + (float)LEAST_SLOPE *
				      (k.margin - last->margin);

			if (k.margin <= last->margin)
				continue;
			if (k.logit < least)
				k.logit = least;
		}
		knot[out++] = k;
	}
	return out;
}

void shift_curve(struct ads_model *m, enum ads_model_horizon h,
		 const struct seen_row *rows, size_t nr)
{
	double shift = 0;

	if (!m->nr_knots[h])
		return;
	for (int round = 0; round < NEWTON; round++) {
		double up = -shift / (SHIFT_SD * SHIFT_SD);
		double down = 1 / (SHIFT_SD * SHIFT_SD), step;

		for (size_t i = 0; i < nr; i++) {
			double p = ads_model_on_curve(m, rows[i].margin, h);
			double q = 1 / (1 + (1 / p - 1) * exp(-shift));

			up += rows[i].weight * (rows[i].fails - q) / ALIKE;
			down += rows[i].weight * q * (1 - q) / ALIKE;
		}
		step = up / down;
		shift += step > 1 ? 1 : step < -1 ? -1 : step;
		if (fabs(step) < 1e-6)
			break;
	}
	if (!isfinite(shift))
		return;
	for (uint32_t i = 0; i < m->nr_knots[h]; i++)
		m->knot[h][i].logit += (float)shift;
}

/* Solves a positive definite system in place, by Cholesky. */
static bool solve(double a[NC][NC], double b[NC])
{
	for (int i = 0; i < NC; i++) {
		for (int j = 0; j <= i; j++) {
			double sum = a[i][j];

			for (int k = 0; k < j; k++)
				sum -= a[i][k] * a[j][k];
			if (i == j && sum <= 0)
				return false;
			a[i][j] = i == j ? sqrt(sum) : sum / a[j][j];
		}
	}
	for (int i = 0; i < NC; i++) {
		for (int k = 0; k < i; k++)
			b[i] -= a[i][k] * b[k];
		b[i] /= a[i][i];
	}
	for (int i = NC; i--;) {
		for (int k = i + 1; k < NC; k++)
			b[i] -= a[k][i] * b[k];
		b[i] /= a[i][i];
	}
	return true;
}

static int by_bits(const void *a, const void *b)
{
	const struct cold_row *x = a, *y = b;

	return x->bits < y->bits ? -1 : x->bits > y->bits;
}

/* All rows in one state count as one. */
struct group {
	uint32_t bits;
	double failed, all;
};

static void newton(const struct group *g, size_t nr, double w[NC])
{
	for (int round = 0; round < NEWTON; round++) {
		double a[NC][NC] = { { 0 } }, b[NC], most = 0;

		for (int i = 0; i < NC; i++) {
			/* the last is for all drives and is free */
			a[i][i] = i < ADS_COLD_STATES ? RIDGE : 1e-6;
			b[i] = i < ADS_COLD_STATES ? -RIDGE * w[i] : 0;
		}
		for (size_t k = 0; k < nr; k++) {
			double z = w[ADS_COLD_STATES], p, v;
			uint32_t bits = g[k].bits | 1U << ADS_COLD_STATES;

			for (int i = 0; i < ADS_COLD_STATES; i++)
				z += bits >> i & 1 ? w[i] : 0;
			p = 1 / (1 + exp(-z));
			v = g[k].all * p * (1 - p);
			for (int i = 0; i < NC; i++) {
				if (!(bits >> i & 1))
					continue;
				b[i] += g[k].failed - g[k].all * p;
				for (int j = 0; j <= i; j++)
					a[i][j] += bits >> j & 1 ? v : 0;
			}
		}
		if (!solve(a, b))
			return;
		for (int i = 0; i < NC; i++) {
			/* no leaps: far from the end they lead astray */
			double d = b[i] > 2 ? 2 : b[i] < -2 ? -2 : b[i];

			w[i] += d;
			most = fabs(d) > most ? fabs(d) : most;
		}
		if (most < 1e-7)
			return;
	}
}

int cold_fit(struct cold_row *rows, size_t nr, float cold[NC],
	     struct ads_err *err)
{
	struct group *g = calloc(nr + 1, sizeof(*g));
	double w[NC] = { 0 };
	size_t n = 0;

	_Static_assert(NC <= 32, "a bit for each");
	if (!g)
		return ads_err(err, -ENOMEM, "training: no memory");
	if (nr)
		qsort(rows, nr, sizeof(*rows), by_bits);
	for (size_t i = 0; i < nr; i++) {
		if (!n || g[n - 1].bits != rows[i].bits)
			g[n++].bits = rows[i].bits;
		g[n - 1].all += rows[i].weight;
		g[n - 1].failed += rows[i].fails ? rows[i].weight : 0;
	}
	w[ADS_COLD_STATES] = -6;
	newton(g, n, w);
	free(g);
	for (int i = 0; i < NC; i++)
		cold[i] = isfinite(w[i]) ? (float)w[i] : 0;
	return 0;
}
