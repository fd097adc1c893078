// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A site's own model: that of the base, corrected by what the site has seen.
 *
 * It must first show what it is worth. A candidate is made of what was known when
 * the newest fifth of the time began, and judged by that fifth, beside the base.
 * Only if it is worse in nothing the real one is made, of all that is known, and
 * takes the name; the last few are kept beside it.
 *
 * The model in use is no rival: it may have been made of the very time by which
 * the two are judged.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "train/evaluate.h"
#include "train/rows.h"
#include "train/verbs.h"

#define LEAST_DAYS	90	/* of history; less has no newest fifth to speak of */
#define SLICE		0.2
#define FEW		5	/* failures in it: rates of fewer say nothing */
#define BY_CHANCE	1e-9	/* what is no difference */

static char *kept(const char *out, int n, char buf[4096])
{
	int len = n ? snprintf(buf, 4096, "%s.%d", out, n) :
		      snprintf(buf, 4096, "%s", out);

	return len < 4096 ? buf : NULL;
}

static int can_not(const char *path, struct ads_err *err)
{
	return ads_err(err, -errno, "%s: %s", path, strerror(errno));
}

/* @out becomes @out.1, but stays until the new one takes its name. */
static int keep(const char *out, int nr, struct ads_err *err)
{
	char from[4096], to[4096];

	if (access(out, F_OK))
		return errno == ENOENT ? 0 : can_not(out, err);
	if (!kept(out, nr, to))
		return ads_err(err, -ENAMETOOLONG, "%s: the name is too long",
			       out);
	for (int n = nr; n > 1; n--)
		if (rename(kept(out, n - 1, from), kept(out, n, to)) &&
		    errno != ENOENT)
			return can_not(from, err);
	if (nr && (unlink(kept(out, 1, to)) && errno != ENOENT))
		return can_not(to, err);
	return nr && link(out, to) ? can_not(to, err) : 0;
}

static int roll_back(const char *out, struct ads_err *err)
{
	char from[4096], to[4096];
	struct ads_model *m = NULL;
	int r;

	if (!kept(out, 1, from))
		return ads_err(err, -ENAMETOOLONG, "%s: the name is too long",
			       out);
	/* one that nobody can read would be no way back */
	r = ads_model_read(from, &m, err);
	ads_model_free(m);
	if (r)
		return r;
	for (int n = 1; kept(out, n, from) &&
			!rename(from, kept(out, n - 1, to)); n++)
		;
	printf("%s is the one before again\n", out);
	return 0;
}

static int judge(const struct fleet *f, const struct ads_model *m,
		 int64_t from, int64_t to, struct evaluation *e,
		 struct ads_err *err)
{
	struct evaluate_options o = {
		.from = from, .to = to, .model = m, .few = true,
	};

	return evaluate(f, &o, e, err);
}

static bool not_worse(const struct evaluation *was, const struct evaluation *is)
{
	bool good = is->log_loss <= was->log_loss + BY_CHANCE;

	if (was->failures < FEW)
		return good;
	/* at the rates at which it drains, and at which it warns */
	for (int i = 1; i < 4; i += 2)
		good &= is->trees[i].fdr >= was->trees[i].fdr - BY_CHANCE;
	return good;
}

static void tell(const struct evaluation *was, const struct evaluation *is,
		 bool good)
{
	static const char *const names[] = { "base", "new" };
	const struct evaluation *of[] = { was, is };

	printf("figure retrain.failures %lu drive-months\n", was->failures);
	for (int i = 0; i < 2; i++) {
		printf("figure retrain.%s.log_loss %.6g nats\n", names[i],
		       of[i]->log_loss);
		if (!was->failures)
			continue;
		printf("figure retrain.%s.fdr_at_far.0.002 %.4g ratio\n",
		       names[i], of[i]->trees[1].fdr);
		printf("figure retrain.%s.fdr_at_far.0.01 %.4g ratio\n",
		       names[i], of[i]->trees[3].fdr);
	}
	printf("figure retrain.accepted %d models\n", good);
}

static int64_t fleet_begin(const struct fleet *f)
{
	int64_t begin = INT64_MAX;

	for (uint32_t i = 0; i < f->nr; i++)
		if (f->life[i].first < begin)
			begin = f->life[i].first;
	return begin;
}

static int retrain(const struct train_args *a, const struct fleet *f,
		   const struct ads_model *base, struct ads_err *err)
{
	struct train_options t = {
		.history = a->history, .trees = gbdt_defaults, .base = base,
	};
	int64_t until = a->until ? a->until : fleet_end(f) + 1;
	int64_t closed = until - LABEL_DAYS * DAY, begin = fleet_begin(f);
	struct ads_model *m = NULL;
	struct evaluation was, is;
	bool good;
	int r;

	if (closed - begin > a->history * DAY)
		begin = closed - a->history * DAY;
	if (until - begin < LEAST_DAYS * DAY)
		return ads_err(err, -ENODATA, "retrain: there are %lld days of history, %d are needed",
			       (long long)((until - begin) / DAY), LEAST_DAYS);
	t.until = closed - (int64_t)(SLICE * (double)(closed - begin));
	r = train_model(f, &t, &m, err);
	r = r ? r : judge(f, base, t.until, closed, &was, err);
	r = r ? r : judge(f, m, t.until, closed, &is, err);
	ads_model_free(m);
	m = NULL;
	if (r)
		return r;
	good = not_worse(&was, &is);
	if (good) {
		t.until = until;
		r = train_model(f, &t, &m, err);
		r = r ? r : keep(a->out, a->keep, err);
		r = r ? r : ads_model_write(m, a->out, err);
	}
	ads_model_free(m);
	if (!r)
		tell(&was, &is, good);
	return r;
}

int verb_retrain(const struct train_args *a, struct ads_err *err)
{
	const char *path = a->base ? a->base : model_shipped();
	struct ads_model *base = NULL;
	struct fleet f = { 0 };
	int r;

	if (a->rollback)
		return roll_back(a->out, err);
	if (!path)
		return ads_err(err, -ENOENT, "retrain: the model to begin with is not installed; name one with --base");
	r = ads_model_read(path, &base, err);
	r = r ? r : read_fleet(a, &f, err);
	r = r ? r : retrain(a, &f, base, err);
	ads_model_free(base);
	fleet_free(&f);
	return r;
}
