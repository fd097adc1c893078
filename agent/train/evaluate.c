// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "train/evaluate-priv.h"

#define RUN_IN		2	/* months before, in which alarms may have begun */
#define FAMILY_FAILURES	20	/* fewer and a model of drives is not left out */

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

static void calibration(struct judge *j, const struct life *l, int64_t t,
			double p)
{
	bool fails = life_fails(l, t, LABEL_DAYS);
	int b = 0;

	/* emptied before its end: nobody knows what that would have been */
	if (life_censored(l, t, LABEL_DAYS))
		return;
	/*
	 * How it ends must be known, of those that fail too: taking these alone
	 * would make failures look more frequent.
	 */
	if (t + LABEL_DAYS * DAY > j->end)
		return;
	while (p >= evaluate_edges[b + 1])
		b++;
	j->bin_p[b] += p;
	j->bin_y[b] += fails;
	j->bin_n[b]++;
	j->square += (p - fails) * (p - fails);
	j->log_loss -= log(fails ? p : 1 - p);
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

/* With @marks_only nothing is counted: it is not judged yet. */
static int judge_drive(struct judge *j, const struct ads_model *m, uint32_t i,
		       int64_t from, int64_t to, bool marks_only)
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
	j->scored += marks_only ? 0 : nr;
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
		if (j->times[k].grid && !marks_only)
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
	if (marks_only)
		return 0;
	j->highest[i] = fmaxf(j->highest[i], c.trees);
	/* it fails soon after: an alarm is neither right nor wrong */
	if (!c.fails && (l->failed || l->evacuated) &&
	    l->last < to + LABEL_DAYS * DAY)
		return 0;
	p = more(j->cases, j->nr, &j->cap, sizeof(*j->cases));
	if (!p)
		return -ENOMEM;
	j->cases = p;
	j->cases[j->nr++] = c;
	return 0;
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* A model of what was known at @until, without one model of drives if asked. */
static int make_model(const struct judge *j, int64_t until, uint32_t without,
		      struct ads_model **out, struct evaluation *e,
		      struct ads_err *err)
{
	struct train_options t = j->o->train;
	double begun = seconds(), took;
	char date[16];
	int r;

	ads_model_free(*out);
	*out = NULL;
	t.until = until;
	t.without = without;
	/* before the period: it knows too much of that */
	if (t.base && until < j->o->from && t.base->until > until)
		t.base = NULL;
	r = train_model(j->f, &t, out, err);
	if (r)
		return r;
	took = seconds() - begun;
	e->models++;
	e->models_based += t.base && (*out)->failures < BASE_FAILURES_ALONE;
	e->training_seconds += took;
	if (j->o->verbose)
		fprintf(stderr, "adshard-train: until %s: %llu rows, %llu drives, %llu failures, %u nodes, %.1f s\n",
			date_of(until, date), (unsigned long long)(*out)->rows,
			(unsigned long long)(*out)->drives,
			(unsigned long long)(*out)->failures,
			(*out)->nr_nodes, took);
	return 0;
}

/*
 * Alarms that began before the period, of drives that fail in it: else a lead
 * could never be longer than the time that is judged. By models of their months.
 */
static int run_in(struct judge *j, struct ads_err *err)
{
	struct evaluation aside = { .models = 0 };
	struct ads_model *own = NULL;
	int64_t begin = j->o->from;
	int r = 0;

	for (int i = 0; i < RUN_IN; i++)
		begin = month_of(begin - 1).begin;
	while (begin < j->o->from && !r) {
		struct month m = month_of(begin);
		struct ads_err none = { "" };

		if (m.end > j->o->from)
			m.end = j->o->from;
		/* there may be too little of a past for that */
		if (!j->o->model)
			make_model(j, begin, 0, &own, &aside, &none);
		for (uint32_t i = 0; i < j->f->nr && (j->o->model || own); i++)
			if (in_period(j, &j->f->life[i]) &&
			    judge_drive(j, j->o->model ? j->o->model : own, i,
					begin, m.end, true))
				r = ads_err(err, -ENOMEM,
					    "evaluating: no memory");
		begin = m.end;
	}
	ads_model_free(own);
	return r;
}

static int judge_all(struct judge *j, struct evaluation *e, struct ads_err *err)
{
	const struct evaluate_options *o = j->o;
	struct ads_model *own = NULL;
	int r = run_in(j, err);
	double begun;

	for (int64_t t = o->from; t < o->to && !r;) {
		struct month m = month_of(t);

		if (m.end > o->to)
			m.end = o->to;
		if (!o->model && (!own || !o->train_until))
			r = make_model(j, o->train_until ? o->train_until : t,
				       0, &own, e, err);
		begun = seconds();
		for (uint32_t i = 0; i < j->f->nr && !r; i++)
			if (judge_drive(j, o->model ? o->model : own, i, t,
					m.end, false))
				r = ads_err(err, -ENOMEM,
					    "evaluating: no memory");
		e->scoring_seconds += seconds() - begun;
		t = m.end;
	}
	e->scored = j->scored;
	ads_model_free(own);
	return r;
}

/* The drives of one model of drives, by a model that has never seen such. */
static int judge_family(struct judge *j, uint32_t family, struct evaluation *e,
			struct ads_err *err)
{
	const struct evaluate_options *o = j->o;
	struct ads_model *own = NULL;
	int r = make_model(j, o->train_until ? o->train_until : o->from,
			   family + 1, &own, e, err);

	for (int64_t t = o->from; t < o->to && !r;) {
		struct month m = month_of(t);

		if (m.end > o->to)
			m.end = o->to;
		for (uint32_t i = 0; i < j->f->nr && !r; i++)
			if (j->f->life[i].model == family &&
			    judge_drive(j, own, i, t, m.end, false))
				r = ads_err(err, -ENOMEM,
					    "evaluating: no memory");
		t = m.end;
	}
	ads_model_free(own);
	return r;
}

static int judge_families(struct judge *j, struct evaluation *e,
			  struct ads_err *err)
{
	const struct fleet *f = j->f;
	uint32_t *failed = calloc(f->nr_models + 1, sizeof(*failed));
	int r = failed ? 0 : ads_err(err, -ENOMEM, "evaluating: no memory");

	for (uint32_t i = 0; i < f->nr && failed; i++)
		failed[f->life[i].model] += in_period(j, &f->life[i]);
	for (uint32_t m = 0; m < f->nr_models && !r; m++) {
		struct family *k = &e->family[e->families];

		if (failed[m] < FAMILY_FAILURES ||
		    e->families == EVALUATE_FAMILIES)
			continue;
		k->first_case = j->nr;
		snprintf(k->name, sizeof(k->name), "%s", f->model[m]);
		for (char *p = k->name; *p; p++)
			if (*p == ' ')
				*p = '_';
		r = judge_family(j, m, e, err);
		evaluate_family(j, k);
		e->families++;
	}
	if (!r && !e->families)
		r = ads_err(err, -ENODATA, "evaluating: of no model of drives %d fail in this time: there is none to leave out",
			    FAMILY_FAILURES);
	free(failed);
	return r;
}

int evaluate(const struct fleet *f, const struct evaluate_options *o,
	     struct evaluation *e, struct ads_err *err)
{
	struct judge j = { .f = f, .o = o, .end = fleet_end(f) };
	int r;

	memset(e, 0, sizeof(*e));
	if (j.end > o->to + LABEL_DAYS * DAY)
		j.end = o->to + LABEL_DAYS * DAY;
	j.highest = calloc(f->nr + 1, sizeof(*j.highest));
	if (!j.highest)
		return ads_err(err, -ENOMEM, "evaluating: no memory");
	for (uint32_t i = 0; i < f->nr; i++)
		j.highest[i] = -1;
	r = o->leave_family_out ? judge_families(&j, e, err) :
				  judge_all(&j, e, err);
	if (!r) {
		evaluate_sum(&j, e);
		if (!o->few && (!e->failures || !e->good))
			r = ads_err(err, -ENODATA, "evaluating: in this time %lu drives fail and %lu don't: nothing can be said",
				    e->failures, e->good);
	}
	free(j.cases);
	free(j.marks);
	free(j.highest);
	free(j.times);
	return r;
}
