// SPDX-License-Identifier: GPL-2.0-or-later
/* Lines of a fleet's files: which columns there are, and what drive was when. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "train/fleet-priv.h"

/* Columns by what they are; -1 where there is none. */
struct columns {
	int serial, model, attr[ADS_FEAT_ATTRS];
	int capacity;
	double capacity_unit;
	bool days;
	/* intervals */
	int min_date, max_date, min_hours, max_hours, from, fails;
	/* days */
	int date, failure, hours, evacuated;
};

static int find_columns(const struct csv *c, struct columns *k,
			struct ads_err *err)
{
	const char *file = stream_name(c->stream);
	char name[32];
	bool any = false;

	k->serial = csv_column(c, "serial_number");
	k->model = csv_column(c, "model");
	k->min_date = csv_column(c, "min_date");
	k->max_date = csv_column(c, "max_date");
	k->min_hours = csv_column(c, "min_hours");
	k->max_hours = csv_column(c, "max_hours");
	k->from = csv_column(c, "tstart");
	k->fails = csv_column(c, "fails");
	k->date = csv_column(c, "date");
	k->failure = csv_column(c, "failure");
	k->hours = csv_column(c, "smart_9_raw");
	k->evacuated = csv_column(c, "evacuated");
	k->capacity = csv_column(c, "size_tb");
	k->capacity_unit = 1e12;
	if (k->capacity < 0) {
		k->capacity = csv_column(c, "capacity_bytes");
		k->capacity_unit = 1;
	}
	k->days = k->from < 0;
	for (int i = 0; i < ADS_FEAT_ATTRS; i++) {
		snprintf(name, sizeof(name), "smart_%u%s",
			 ads_feat_attrs[i].id, k->days ? "_raw" : "");
		k->attr[i] = csv_column(c, name);
		any |= k->attr[i] >= 0;
	}
	if (k->serial < 0 || k->model < 0)
		return ads_err(err, -EBADMSG, "%s: has no columns serial_number and model",
			       file);
	if (!k->days && (k->min_date < 0 || k->max_date < 0 ||
			 k->min_hours < 0 || k->max_hours < 0 || k->fails < 0))
		return ads_err(err, -EBADMSG, "%s: has tstart, but not all of min_date, max_date, min_hours, max_hours and fails",
			       file);
	if (k->days && (k->date < 0 || k->failure < 0))
		return ads_err(err, -EBADMSG, "%s: has neither tstart and its columns nor date and failure",
			       file);
	if (!any)
		return ads_err(err, -EBADMSG, "%s: has no column of a SMART attribute",
			       file);
	return 0;
}

/* When a row was, and of what drive. */
struct when {
	int64_t time, first, last;
	bool failed;
	double hours, rate;	/* at @first */
};

static bool yes_or_no(const char *text, bool *out)
{
	int64_t n;

	*out = strcasecmp(text, "true") == 0;
	if (*out || strcasecmp(text, "false") == 0)
		return true;
	*out = csv_integer(text, &n) && n == 1;
	return *out || (csv_integer(text, &n) && n == 0);
}

static const char *interval_row(struct csv *c, const struct columns *k,
				struct when *w)
{
	int64_t h0, h1, h;
	bool fails;
	double span;

	if (!csv_date(c->field[k->min_date], &w->first) ||
	    !csv_date(c->field[k->max_date], &w->last) || w->last < w->first)
		return "min_date and max_date are no dates in order";
	if (!csv_integer(c->field[k->min_hours], &h0) ||
	    !csv_integer(c->field[k->max_hours], &h1) ||
	    !csv_integer(c->field[k->from], &h) || h0 < 0 || h1 > 1000000 ||
	    h0 > h || h > h1)
		return "tstart is not between min_hours and max_hours";
	if (!yes_or_no(c->field[k->fails], &fails))
		return "fails is neither 0 nor 1";
	span = (double)(w->last - w->first);
	w->time = h1 > h0 ? w->first + (int64_t)(span * (double)(h - h0) /
						  (double)(h1 - h0)) : w->first;
	w->failed = fails;
	w->hours = (double)h0;
	w->rate = span > 0 ? (double)(h1 - h0) / span : 1 / 3600.0;
	return NULL;
}

static const char *day_row(struct csv *c, const struct columns *k,
			   struct when *w)
{
	int64_t hours;
	bool failure;

	if (!csv_date(c->field[k->date], &w->time))
		return "date is no date";
	if (!yes_or_no(c->field[k->failure], &failure))
		return "failure is neither 0 nor 1";
	w->first = w->last = w->time;
	w->failed = failure;
	w->rate = 1 / 3600.0;
	w->hours = NAN;
	if (k->hours >= 0 && csv_integer(c->field[k->hours], &hours) &&
	    hours >= 0) {
		hours = ads_smart_unpack(9, hours);
		w->hours = hours < 1000000 ? (double)hours : NAN;
	}
	return NULL;
}

/* Its hours went far back: it is another drive, or another board on it. */
static bool swapped(const struct life *l, const struct when *w)
{
	return l && !isnan(w->hours) && !isnan(l->hours) &&
	       w->time >= l->last &&
	       w->hours + 24 * 30 < life_hours(l, l->last);
}

static int take_row(struct fleet *f, struct csv *c, const struct columns *k,
		    struct ads_err *err)
{
	const char *why, *serial = c->field[k->serial];
	struct when w = { 0 };
	struct life *l;
	bool evacuated;
	uint32_t model = 0, *slot;
	int64_t raw;
	double v;
	int r;

	why = !*serial || strlen(serial) > 63 ? "has no serial number" :
	      strlen(c->field[k->model]) > 63 ? "its model's name is too long" :
	      k->days ? day_row(c, k, &w) : interval_row(c, k, &w);
	if (why) {
		csv_bad(c, why);
		return 0;
	}
	r = fleet_model(f, c->field[k->model], &model, err);
	if (!r)
		r = fleet_life(f, serial, model, &l, &slot, err);
	if (!r && (!l || (k->days && swapped(l, &w))))
		r = fleet_new_life(f, serial, model, slot, &l, err);
	if (r)
		return r;
	if (w.first < l->first) {
		l->first = w.first;
		l->hours = w.hours;
		l->hours_rate = w.rate;
	}
	if (w.last > l->last)
		l->last = w.last;
	l->failed |= w.failed;
	if (k->evacuated >= 0 &&
	    yes_or_no(c->field[k->evacuated], &evacuated))
		l->evacuated |= evacuated;
	if (k->capacity >= 0 && csv_number(c->field[k->capacity], &v) && v > 0)
		l->capacity = v * k->capacity_unit;
	for (int i = 0; i < ADS_FEAT_ATTRS && !r; i++) {
		/* empty: unknown, or too large for whoever wrote the file */
		if (k->attr[i] < 0 ||
		    !csv_integer(c->field[k->attr[i]], &raw) || raw < 0)
			continue;
		r = life_add(l, i, w.time,
			      (double)ads_smart_unpack(ads_feat_attrs[i].id,
						       raw), err);
	}
	return r;
}

int fleet_read_csv(struct fleet *f, struct csv *c, struct ads_err *err)
{
	struct columns k;
	int r = find_columns(c, &k, err);

	if (r)
		return r;
	while ((r = csv_next(c, err)) > 0) {
		r = take_row(f, c, &k, err);
		if (r)
			break;
	}
	f->rows += c->rows;
	f->bad += c->bad;
	return r;
}

int fleet_read(struct fleet *f, const char *path, struct ads_err *err)
{
	struct stream *s;
	struct csv c;
	int r = stream_open(path, &s, err);

	if (!r)
		r = csv_open(&c, s, err);
	if (r)
		return r;
	r = fleet_read_csv(f, &c, err);
	csv_close(&c);
	return r;
}
