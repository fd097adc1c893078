// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/predict/shared.h"

#define SHARE	50	/* percent of the disks */

const char *shared_warning_name(enum shared_by by)
{
	return by == SHARED_HOST ? "shared-host" : "shared-controller";
}

char *shared_text(const struct shared_cause *c, char *buf, size_t size)
{
	snprintf(buf, size, "%u of %u disks of %s%s", c->raised, c->of,
		 c->by == SHARED_HOST ? "this host" : "controller ", c->key);
	return buf;
}

static bool from_outside(enum risk_mode mode)
{
	return mode == RISK_INTERFACE || mode == RISK_THERMAL ||
	       mode == RISK_ERRORS || mode == RISK_SLOW;
}

/* Indexes of the disks of a group lie together, so do those of one disk. */
struct order {
	const struct shared_disk *d;
	unsigned int index;
};

static int compare(const void *a, const void *b)
{
	const struct shared_disk *x = ((const struct order *)a)->d;
	const struct shared_disk *y = ((const struct order *)b)->d;
	int r = strcmp(x->controller, y->controller);

	return r ? r : strcmp(x->disk, y->disk);
}

static bool another(const struct order *o, unsigned int i, unsigned int from)
{
	return i == from || strcmp(o[i].d->disk, o[i - 1].d->disk);
}

static int compare_time(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* One group, [from, to), one mode: the most that came within the window. */
static bool judge(const struct order *o, unsigned int from, unsigned int to,
		  enum risk_mode mode, const struct config *c, int64_t *time,
		  struct shared_cause *out)
{
	unsigned int n = 0, first = 0;
	bool counted = false;

	out->raised = out->of = 0;
	for (unsigned int i = from; i < to; i++) {
		int64_t t = o[i].d->since[mode];

		if (another(o, i, from)) {
			out->of++;
			counted = false;
		}
		if (!t)
			continue;
		/* of the members of a disk the earliest */
		if (!counted)
			time[n++] = t;
		else if (t < time[n - 1])
			time[n - 1] = t;
		counted = true;
	}
	qsort(time, n, sizeof(*time), compare_time);
	for (unsigned int i = 0; i < n; i++) {
		while (time[i] - time[first] > c->fleet.window)
			first++;
		if (i - first + 1 > out->raised) {
			out->raised = i - first + 1;
			out->since = time[first];
		}
	}
	return out->raised >= (unsigned int)c->fleet.minimum &&
	       out->raised * 100 >= out->of * SHARE;
}

static unsigned int add(const struct order *o, unsigned int from,
			unsigned int to, enum shared_by by,
			const struct config *c, int64_t *time,
			struct shared_member *out, struct shared_cause *cause,
			unsigned int nr)
{
	for (int mode = 0; mode < RISK_MODES && nr < SHARED_CAUSES; mode++) {
		struct shared_cause *k = &cause[nr];
		bool told = true;

		if (!from_outside(mode) || !judge(o, from, to, mode, c, time, k))
			continue;
		/* a host all of whose disks hang on one controller */
		for (unsigned int i = from; i < to; i++)
			told &= !o[i].d->since[mode] ||
				out[o[i].index].cause[mode];
		if (told)
			continue;
		k->mode = mode;
		k->by = by;
		snprintf(k->key, sizeof(k->key), "%s",
			 by == SHARED_HOST ? "" : o[from].d->controller);
		nr++;
		for (unsigned int i = from; i < to; i++)
			if (o[i].d->since[mode] &&
			    !out[o[i].index].cause[mode])
				out[o[i].index].cause[mode] = (int)nr;
	}
	return nr;
}

unsigned int shared_check(const struct shared_disk *disk, unsigned int n,
			  const struct config *c, struct shared_member *out,
			  struct shared_cause cause[SHARED_CAUSES])
{
	struct order *o = calloc(n ? n : 1, sizeof(*o));
	int64_t *time = calloc(n ? n : 1, sizeof(*time));
	unsigned int nr = 0, known = 0;

	memset(out, 0, n * sizeof(*out));
	for (unsigned int i = 0; o && time && i < n; i++)
		if (disk[i].disk[0])
			o[known++] = (struct order){ &disk[i], i };
	if (known)
		qsort(o, known, sizeof(*o), compare);
	for (unsigned int i = 0, k; i < known; i = k) {
		for (k = i + 1; k < known && !strcmp(o[k].d->controller,
						     o[i].d->controller); k++)
			;
		if (o[i].d->controller[0])
			nr = add(o, i, k, SHARED_CONTROLLER, c, time,
				 out, cause, nr);
	}
	nr = add(o, 0, known, SHARED_HOST, c, time, out, cause, nr);
	free(o);
	free(time);
	return nr;
}

void shared_relieve(struct risk *r, const struct shared_member *m,
		    const struct shared_cause *cause)
{
	char text[120];

	for (int mode = 0; mode < RISK_MODES; mode++)
		/* once for each judgement */
		if (m->cause[mode] && r->part[mode].known &&
		    !r->part[mode].shared[0])
			risk_share(r, mode, SHARED_BLAME,
				   shared_text(&cause[m->cause[mode] - 1],
					       text, sizeof(text)));
}
