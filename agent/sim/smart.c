// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/predict/predict.h"
#include "lib/model-file.h"
#include "sim/smart.h"
#include "train/fleet.h"
#include "train/rows.h"
#include "train/rules.h"

/* The last values up to @t. */
static bool rule_at(const struct life *l, int64_t t)
{
	double v[ADS_FEAT_ATTRS] = { 0 };

	for (int a = 0; a < ADS_FEAT_ATTRS; a++)
		for (uint32_t i = 0; i < l->nr[a] && l->point[a][i].time <= t;
		     i++)
			v[a] = l->point[a][i].value;
	return rules_fire(v) & 1U << RULE_SCRUTINY;
}

static int add_point(struct sim_life *out, int64_t time, int16_t score,
		     bool rule)
{
	void *p;

	if (out->nr && out->point[out->nr - 1].score == score &&
	    out->point[out->nr - 1].rule == rule)
		return 0;
	p = realloc(out->point, (out->nr + 1) * sizeof(*out->point));
	if (!p)
		return -ENOMEM;
	out->point = p;
	out->point[out->nr++] = (struct sim_point){ time, score, rule };
	return 0;
}

struct scorer {
	const struct fleet *f;
	const struct ads_model *m;
	int64_t from, to;
	struct score_time *times;
	uint32_t cap;
	struct config config;		/* nothing in it is asked of a record */
	struct errors errors;		/* a record has none */
};

/* What the agent would have read up to @t, and has not read yet. */
static void read_on(struct drive *d, const struct life *l,
		    uint32_t at[ADS_FEAT_ATTRS], int64_t t)
{
	for (int a = 0; a < ADS_FEAT_ATTRS; a++) {
		int track = track_by_code(ads_feat_attrs[a].id);

		for (; at[a] < l->nr[a] && l->point[a][at[a]].time <= t; at[a]++)
			if (track >= 0)
				drive_load(d, (enum track)track,
					   l->point[a][at[a]].time,
					   (uint64_t)l->point[a][at[a]].value);
	}
}

/* The score that the agent would have given: by all that it asks. */
static int16_t score_at(const struct scorer *s, const struct drive *d,
			const struct life *l, int64_t t)
{
	struct smart_sample sample = {
		.time = t, .health = true, .protocol = SMART_ATA, .passed = -1,
		.rotation = SMART_NONE, .temperature = SMART_NONE,
		.trip = SMART_NONE, .power_on = SMART_NONE,
		.power_cycles = SMART_NONE, .used = SMART_NONE,
		.spare = SMART_NONE, .spare_threshold = SMART_NONE,
		.grown_defects = SMART_NONE,
		.capacity = l->capacity > 0 ? (uint64_t)l->capacity : 0,
	};
	struct predict_input in = {
		.now = t, .config = &s->config, .drive = d, .sample = &sample,
		.peers = NAN, .errors = &s->errors, .model = s->m,
	};
	struct risk r;

	predict(&in, &r);
	return (int16_t)(r.score < 0 ? 0 : r.score);
}

static int score_life(struct scorer *s, const struct life *l,
		      struct sim_life *out)
{
	uint32_t nr, at[ADS_FEAT_ATTRS] = { 0 };
	struct drive *d;
	int r = life_times(l, s->from, s->to, &s->times, &nr, &s->cap);

	out->begin = l->first > s->from ? l->first - s->from : 0;
	out->dies = l->failed;
	out->fails = l->failed && l->last < s->to;
	out->end = (l->last < s->to ? l->last : s->to) - s->from;
	d = drive_new(s->f->model[l->model], l->serial, SMART_ATA);
	if (!d)
		return -ENOMEM;
	/* it had a past already when the simulation begins */
	for (uint32_t i = 0; i <= nr && !r; i++) {
		int64_t t = i ? s->times[i - 1].time : s->from;

		if (t < l->first)
			continue;
		read_on(d, l, at, t);
		r = add_point(out, t - s->from, score_at(s, d, l, t),
			      rule_at(l, t));
	}
	drive_free(d);
	return r;
}

static void shuffle(struct sim_life *l, uint32_t n, uint64_t seed)
{
	for (uint32_t i = n; i-- > 1;) {
		uint32_t k = (uint32_t)(sim_random(&seed) * (i + 1));
		struct sim_life t = l[i];

		l[i] = l[k];
		l[k] = t;
	}
}

/* The disks that are there at all, @most of them by chance. */
static uint32_t *pick(const struct fleet *f, const struct scorer *s,
		      uint64_t seed, uint32_t most, uint32_t *nr)
{
	uint32_t *list = calloc(f->nr + 1, sizeof(*list)), n = 0;

	if (!list)
		return NULL;
	for (uint32_t i = 0; i < f->nr; i++)
		if (f->life[i].last > s->from && f->life[i].first < s->to)
			list[n++] = i;
	for (uint32_t i = n; i-- > 1;) {
		uint32_t k = (uint32_t)(sim_random(&seed) * (i + 1));
		uint32_t t = list[i];

		list[i] = list[k];
		list[k] = t;
	}
	*nr = most && most < n ? most : n;
	return list;
}

int sim_fleet_read(const char *smart, const char *model, int64_t from,
		   int64_t to, uint64_t seed, uint32_t most,
		   struct sim_fleet *out, struct ads_err *err)
{
	struct fleet f = { 0 };
	struct ads_model *m = NULL;
	struct scorer s = { .f = &f, .from = from, .to = to };
	uint32_t *list = NULL, n = 0;
	int r = ads_model_read(model, &m, err);

	memset(out, 0, sizeof(*out));
	if (!r)
		r = fleet_read(&f, smart, err);
	if (!r)
		r = fleet_finish(&f, err);
	if (!r) {
		s.m = m;
		out->known_until = m->until;
		list = pick(&f, &s, seed, most, &n);
		out->life = calloc(n + 1, sizeof(*out->life));
		if (!list || !out->life)
			r = ads_err(err, -ENOMEM, "%s: no memory", smart);
	}
	for (uint32_t i = 0; i < n && !r; i++) {
		r = score_life(&s, &f.life[list[i]], &out->life[i]);
		out->nr++;
		if (r)
			ads_err(err, r, "%s: no memory", smart);
	}
	if (!r && !n)
		r = ads_err(err, -ENODATA,
			    "%s: no disk was seen in that time", smart);
	free(list);
	free(s.times);
	fleet_free(&f);
	ads_model_free(m);
	if (r)
		sim_fleet_free(out);
	else
		shuffle(out->life, out->nr, seed + 1);
	return r;
}

void sim_fleet_free(struct sim_fleet *f)
{
	for (uint32_t i = 0; i < f->nr; i++)
		free(f->life[i].point);
	free(f->life);
	memset(f, 0, sizeof(*f));
}
