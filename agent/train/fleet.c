// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/super.h"
#include "train/fleet-priv.h"

#define MAX_DRIVES	50000000U
#define RATIO_MIN	0.7	/* of power-on hours to calendar hours */
#define RATIO_MAX	1.15
#define SLACK_HOURS	72	/* of a drive that was there for a few days */

static int no_memory(struct ads_err *err)
{
	return ads_err(err, -ENOMEM, "the fleet: no memory");
}

static uint32_t hash(const char *a, uint32_t b)
{
	return ads_crc32c(b * 2654435761U ^ 0x5bd1e995, a, strlen(a));
}

/* Room for one more of @size at *p. */
static int grow(void *p, uint32_t nr, uint32_t *cap, size_t size,
		struct ads_err *err)
{
	void **array = p, *more;
	uint32_t n;

	if (nr < *cap)
		return 0;
	n = *cap ? *cap + *cap / 2 + 1 : 4;
	more = realloc(*array, n * size);
	if (!more)
		return no_memory(err);
	*array = more;
	*cap = n;
	return 0;
}

static int grow_slots(uint32_t **slots, uint32_t *nr, struct ads_err *err)
{
	uint32_t n = *nr ? *nr * 2 : 1024;
	uint32_t *more = calloc(n, sizeof(*more));

	if (!more)
		return no_memory(err);
	free(*slots);
	*slots = more;
	*nr = n;
	return 0;
}

int fleet_model(struct fleet *f, const char *name, uint32_t *out,
		struct ads_err *err)
{
	uint32_t i;
	int r;

	if (f->nr_models * 2 >= f->nr_model_slots) {
		r = grow_slots(&f->model_slots, &f->nr_model_slots, err);
		if (r)
			return r;
		for (uint32_t m = 0; m < f->nr_models; m++) {
			i = hash(f->model[m], 0) & (f->nr_model_slots - 1);
			while (f->model_slots[i])
				i = (i + 1) & (f->nr_model_slots - 1);
			f->model_slots[i] = m + 1;
		}
	}
	for (i = hash(name, 0) & (f->nr_model_slots - 1); f->model_slots[i];
	     i = (i + 1) & (f->nr_model_slots - 1)) {
		if (strcmp(f->model[f->model_slots[i] - 1], name) == 0) {
			*out = f->model_slots[i] - 1;
			return 0;
		}
	}
	r = grow(&f->model, f->nr_models, &f->cap_models, sizeof(*f->model),
		 err);
	if (r)
		return r;
	f->model[f->nr_models] = strdup(name);
	if (!f->model[f->nr_models])
		return no_memory(err);
	*out = f->nr_models++;
	f->model_slots[i] = *out + 1;
	return 0;
}

int fleet_life(struct fleet *f, const char *serial, uint32_t model,
	       struct life **out, uint32_t **slot, struct ads_err *err)
{
	uint32_t i;
	int r;

	if (f->nr * 2 >= f->nr_slots) {
		r = grow_slots(&f->slots, &f->nr_slots, err);
		if (r)
			return r;
		for (uint32_t l = 0; l < f->nr; l++) {
			const struct life *x = &f->life[l];

			i = hash(x->serial, x->model) & (f->nr_slots - 1);
			while (f->slots[i] &&
			       (f->life[f->slots[i] - 1].model != x->model ||
				strcmp(f->life[f->slots[i] - 1].serial,
				       x->serial)))
				i = (i + 1) & (f->nr_slots - 1);
			f->slots[i] = l + 1;
		}
	}
	*out = NULL;
	for (i = hash(serial, model) & (f->nr_slots - 1); f->slots[i];
	     i = (i + 1) & (f->nr_slots - 1)) {
		struct life *x = &f->life[f->slots[i] - 1];

		if (x->model == model && strcmp(x->serial, serial) == 0) {
			*out = x;
			break;
		}
	}
	*slot = &f->slots[i];
	return 0;
}

int fleet_new_life(struct fleet *f, const char *serial, uint32_t model,
		   uint32_t *slot, struct life **out, struct ads_err *err)
{
	struct life *l;
	int r;

	if (f->nr == MAX_DRIVES)
		return ads_err(err, -E2BIG, "the fleet: more than %u drives",
			       MAX_DRIVES);
	r = grow(&f->life, f->nr, &f->cap, sizeof(*f->life), err);
	if (r)
		return r;
	l = &f->life[f->nr];
	memset(l, 0, sizeof(*l));
	l->serial = strdup(serial);
	if (!l->serial)
		return no_memory(err);
	l->model = model;
	l->capacity = l->hours = NAN;
	l->hours_rate = 1 / 3600.0;
	l->first = INT64_MAX;
	l->last = INT64_MIN;
	*slot = ++f->nr;
	*out = l;
	return 0;
}

int life_add(struct life *l, int attr, int64_t time, double value,
	     struct ads_err *err)
{
	uint32_t n = l->nr[attr];
	struct ads_point *p = l->point[attr];

	if (n && p[n - 1].time > time)
		l->unsorted = true;
	else if (n && p[n - 1].value == value)
		return 0;
	if (grow(&l->point[attr], n, &l->cap[attr], sizeof(*p), err))
		return -ENOMEM;
	l->point[attr][n] = (struct ads_point){ time, value };
	l->nr[attr]++;
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct ads_point *x = a, *y = b;

	if (x->time != y->time)
		return x->time < y->time ? -1 : 1;
	return (x->value > y->value) - (x->value < y->value);
}

static void sort(struct life *l)
{
	for (int i = 0; i < ADS_FEAT_ATTRS; i++) {
		struct ads_point *p = l->point[i];
		uint32_t n = 0;

		if (l->unsorted && l->nr[i])
			qsort(p, l->nr[i], sizeof(*p), compare);
		/* of two at one time the second is what it was afterwards */
		for (uint32_t j = 0; j < l->nr[i]; j++) {
			if (n && p[n - 1].time == p[j].time)
				n--;
			if (!n || p[n - 1].value != p[j].value)
				p[n++] = p[j];
		}
		l->nr[i] = n;
	}
}

static bool plausible(const struct life *l)
{
	double days = (double)(l->last - l->first) / DAY, hours;

	if (isnan(l->hours))
		return true;
	hours = l->hours_rate * (double)(l->last - l->first);
	if (fabs(hours - days * 24) <= SLACK_HOURS)
		return true;
	return hours >= RATIO_MIN * 24 * days && hours <= RATIO_MAX * 24 * days;
}

static void free_life(struct life *l)
{
	free(l->serial);
	for (int i = 0; i < ADS_FEAT_ATTRS; i++)
		free(l->point[i]);
}

static int by_serial(const void *a, const void *b)
{
	const struct life *x = a, *y = b;
	int r = strcmp(x->serial, y->serial);

	if (r)
		return r;
	return x->first < y->first ? -1 : x->first > y->first;
}

int fleet_finish(struct fleet *f, struct ads_err *err)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < f->nr; i++) {
		struct life *l = &f->life[i];

		if (!plausible(l)) {
			free_life(l);
			f->dropped++;
			continue;
		}
		sort(l);
		l->last += DAY - 1;
		f->life[n++] = *l;
	}
	f->nr = n;
	/* the order of the files' rows must not matter */
	if (n)
		qsort(f->life, n, sizeof(*f->life), by_serial);
	free(f->slots);
	f->slots = NULL;
	f->nr_slots = 0;
	if (!n)
		return ads_err(err, -ENODATA, "the files have no usable drive in them");
	return 0;
}

void fleet_free(struct fleet *f)
{
	for (uint32_t i = 0; i < f->nr; i++)
		free_life(&f->life[i]);
	for (uint32_t i = 0; i < f->nr_models; i++)
		free(f->model[i]);
	free(f->life);
	free(f->model);
	free(f->slots);
	free(f->model_slots);
	memset(f, 0, sizeof(*f));
}

int64_t fleet_end(const struct fleet *f)
{
	int64_t end = INT64_MIN;

	for (uint32_t i = 0; i < f->nr; i++)
		if (f->life[i].last > end)
			end = f->life[i].last;
	return end;
}

double life_hours(const struct life *l, int64_t t)
{
	return l->hours + l->hours_rate * (double)(t - l->first);
}

void life_tracks(const struct life *l, struct ads_feat_in *in)
{
	for (int i = 0; i < ADS_FEAT_ATTRS; i++)
		in->track[i] = (struct ads_track){ l->point[i], l->nr[i] };
	in->capacity = l->capacity;
}
