// SPDX-License-Identifier: GPL-2.0-or-later
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/failslow.h"
#include "train/csv.h"
#include "train/failslow.h"

/* A sample as read; names are indexes into tables of names. */
struct raw {
	uint32_t host, day, disk;
	float throughput, latency;
};

struct names {
	char (*name)[32];
	uint32_t nr, cap;
	uint32_t last;		/* that was found: mostly the same again */
};

struct table {
	struct raw *raw;
	size_t nr, cap;
	struct names hosts, days, disks;
};

static int name_index(struct names *n, const char *name, uint32_t *out)
{
	if (n->last < n->nr && !strcmp(n->name[n->last], name)) {
		*out = n->last;
		return 0;
	}
	for (*out = 0; *out < n->nr; ++*out)
		if (!strcmp(n->name[*out], name))
			break;
	if (*out == n->nr) {
		if (n->nr == n->cap) {
			uint32_t cap = n->cap ? n->cap * 2 : 16;
			void *more = realloc(n->name, cap * sizeof(*n->name));

			if (!more)
				return -ENOMEM;
			n->name = more;
			n->cap = cap;
		}
		snprintf(n->name[n->nr++], sizeof(*n->name), "%s", name);
	}
	n->last = *out;
	return 0;
}

/* "cluster_A", "Cluster-A" and "A" are one. */
static bool same_cluster(const char *a, const char *b)
{
	static const char word[] = "cluster";
	const char *name[] = { a, b };

	for (int i = 0; i < 2; i++) {
		if (!strncasecmp(name[i], word, strlen(word)))
			name[i] += strlen(word);
		name[i] += strspn(name[i], "_- ");
	}
	return strcasecmp(name[0], name[1]) == 0;
}

/* "host_22", "disk11", "22": the number is the name. */
static const char *bare(const char *name)
{
	const char *p = name;

	while (*p && !isdigit((unsigned char)*p))
		p++;
	return *p ? p : name;
}

static void cluster_of(const char *path, char out[64])
{
	const char *base = strrchr(path, '/');

	base = base ? base + 1 : path;
	snprintf(out, 64, "%.*s", (int)strcspn(base, "."), base);
}

static int any_column(const struct csv *c, const char *a, const char *b)
{
	int i = csv_column(c, a);

	return i >= 0 ? i : csv_column(c, b);
}

static int by_place(const void *a, const void *b)
{
	const struct raw *x = a, *y = b;

	if (x->host != y->host)
		return x->host < y->host ? -1 : 1;
	if (x->day != y->day)
		return x->day < y->day ? -1 : 1;
	return x->disk < y->disk ? -1 : x->disk > y->disk;
}

static int read_table(struct csv *c, struct table *t, struct ads_err *err)
{
	int host = any_column(c, "host", "host_name");
	int disk = any_column(c, "disk", "disk_id");
	int day = csv_column(c, "day"), ts = any_column(c, "ts", "timestamp");
	int tput = any_column(c, "tput_kib", "throughput");
	int lat = any_column(c, "lat", "latency");
	char date[32];
	int r;

	if (host < 0 || disk < 0 || (day < 0 && ts < 0) || tput < 0 || lat < 0)
		return ads_err(err, -EBADMSG, "%s: has not all of the columns host, disk, day or ts, tput_kib and lat",
			       stream_name(c->stream));
	while ((r = csv_next(c, err)) > 0) {
		double x, y;
		int64_t at;
		struct raw *w;

		if (!csv_number(c->field[tput], &x) || x < 0 ||
		    !csv_number(c->field[lat], &y) || y < 0) {
			csv_bad(c, "throughput or latency is no number");
			continue;
		}
		if (day >= 0 ? !csv_date(c->field[day], &at) :
			       !csv_integer(c->field[ts], &at) || at < 0) {
			csv_bad(c, "has no date");
			continue;
		}
		snprintf(date, sizeof(date), "%012lld",
			 (long long)(at / 86400));
		if (t->nr == t->cap) {
			size_t cap = t->cap ? t->cap * 2 : 65536;

			w = realloc(t->raw, cap * sizeof(*w));
			if (!w)
				return -ENOMEM;
			t->raw = w;
			t->cap = cap;
		}
		w = &t->raw[t->nr];
		if (name_index(&t->hosts, bare(c->field[host]), &w->host) ||
		    name_index(&t->disks, bare(c->field[disk]), &w->disk) ||
		    name_index(&t->days, date, &w->day))
			return -ENOMEM;
		w->throughput = (float)x;
		w->latency = (float)y;
		t->nr++;
	}
	return r;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Days come in any order: by_date[index] is the how-manieth it is. */
static int order_days(const struct table *t, uint32_t *by_date)
{
	char **sorted = calloc(t->days.nr + 1, sizeof(*sorted));

	if (!sorted)
		return -ENOMEM;
	for (uint32_t i = 0; i < t->days.nr; i++)
		sorted[i] = t->days.name[i];
	qsort(sorted, t->days.nr, sizeof(*sorted), by_text);
	for (uint32_t i = 0; i < t->days.nr; i++)
		for (uint32_t k = 0; k < t->days.nr; k++)
			if (sorted[k] == t->days.name[i])
				by_date[i] = k;
	free(sorted);
	return 0;
}

static struct slow_drive *drive_of(struct slow_study *s, const struct table *t,
				   size_t first, uint32_t host, uint32_t disk)
{
	struct slow_drive *d;

	for (size_t i = first; i < s->nr; i++)
		if (!strcmp(s->drive[i].host, t->hosts.name[host]) &&
		    !strcmp(s->drive[i].disk, t->disks.name[disk]))
			return &s->drive[i];
	if (s->nr == s->cap) {
		size_t cap = s->cap ? s->cap * 2 : 256;

		d = realloc(s->drive, cap * sizeof(*d));
		if (!d)
			return NULL;
		s->drive = d;
		s->cap = cap;
	}
	d = &s->drive[s->nr];
	memset(d, 0, sizeof(*d));
	d->cluster = s->nr_clusters;
	memcpy(d->host, t->hosts.name[host], sizeof(d->host));
	memcpy(d->disk, t->disks.name[disk], sizeof(d->disk));
	d->nr = t->days.nr;
	d->day = malloc((d->nr + 1) * sizeof(*d->day));
	if (!d->day)
		return NULL;
	for (unsigned int i = 0; i < d->nr; i++)
		d->day[i] = NAN;
	s->nr++;
	return d;
}

/* raw[0..nr) is one host and day, by disk. */
static int host_day(struct slow_study *s, const struct table *t, size_t first,
		    const struct raw *raw, size_t nr, uint32_t day)
{
	struct ads_slow_sample *sample = malloc((nr + 1) * sizeof(*sample));
	double *ratio = malloc((nr + 1) * sizeof(*ratio));
	uint32_t *disk = malloc((nr + 1) * sizeof(*disk)), disks = 0;
	int r = sample && ratio && disk ? 0 : -ENOMEM;

	for (size_t i = 0; i < nr && !r; i++) {
		if (!disks || disk[disks - 1] != raw[i].disk)
			disk[disks++] = raw[i].disk;
		sample[i] = (struct ads_slow_sample){
			disks - 1, raw[i].throughput, raw[i].latency
		};
	}
	if (!r && !ads_slow_day(sample, nr, disks, ratio))
		r = -ENOMEM;
	for (uint32_t i = 0; i < disks && !r; i++) {
		struct slow_drive *d = drive_of(s, t, first, raw[0].host,
						disk[i]);

		if (d)
			d->day[day] = ratio[i];
		else
			r = -ENOMEM;
	}
	free(sample);
	free(ratio);
	free(disk);
	return r;
}

static int work_out(struct slow_study *s, struct table *t)
{
	uint32_t *by_date = calloc(t->days.nr + 1, sizeof(*by_date));
	size_t first = s->nr, next;
	int r = by_date ? order_days(t, by_date) : -ENOMEM;

	if (t->nr)
		qsort(t->raw, t->nr, sizeof(*t->raw), by_place);
	for (size_t i = 0; i < t->nr && !r; i = next) {
		for (next = i; next < t->nr &&
			       t->raw[next].host == t->raw[i].host &&
			       t->raw[next].day == t->raw[i].day; next++)
			;
		r = host_day(s, t, first, t->raw + i, next - i,
			     by_date[t->raw[i].day]);
	}
	free(by_date);
	return r;
}

int slow_read(struct slow_study *s, const char *path, struct ads_err *err)
{
	struct table t = { 0 };
	struct stream *st;
	struct csv c;
	int r;

	if (s->nr_clusters == TRAIN_MAX_FILES)
		return ads_err(err, -E2BIG, "%s: too many files", path);
	r = stream_open(path, &st, err);
	if (!r)
		r = csv_open(&c, st, err);
	if (r)
		return r;
	cluster_of(path, s->cluster[s->nr_clusters]);
	r = read_table(&c, &t, err);
	if (!r)
		r = work_out(s, &t);
	if (r == -ENOMEM)
		ads_err(err, r, "%s: no memory", path);
	s->nr_clusters++;
	s->rows += c.rows;
	s->bad += c.bad;
	csv_close(&c);
	free(t.raw);
	free(t.hosts.name);
	free(t.days.name);
	free(t.disks.name);
	return r;
}

int slow_labels(struct slow_study *s, const char *path, struct ads_err *err)
{
	int cluster, host, disk, r;
	struct stream *st;
	struct csv c;

	r = stream_open(path, &st, err);
	if (!r)
		r = csv_open(&c, st, err);
	if (r)
		return r;
	cluster = csv_column(&c, "cluster");
	host = any_column(&c, "host_name", "host");
	disk = any_column(&c, "disk_id", "disk");
	if (cluster < 0 || host < 0 || disk < 0)
		r = ads_err(err, -EBADMSG, "%s: has not all of the columns cluster, host_name and disk_id",
			    path);
	while (!r && (r = csv_next(&c, err)) > 0) {
		r = 0;
		for (size_t i = 0; i < s->nr; i++) {
			struct slow_drive *d = &s->drive[i];

			if (same_cluster(s->cluster[d->cluster],
					 c.field[cluster]) &&
			    !strcmp(d->host, bare(c.field[host])) &&
			    !strcmp(d->disk, bare(c.field[disk])))
				d->labelled = true;
		}
		for (unsigned int i = 0; i < s->nr_clusters; i++)
			s->labels += same_cluster(s->cluster[i],
						  c.field[cluster]);
	}
	csv_close(&c);
	return r;
}

void slow_free(struct slow_study *s)
{
	for (size_t i = 0; i < s->nr; i++)
		free(s->drive[i].day);
	free(s->drive);
	memset(s, 0, sizeof(*s));
}
