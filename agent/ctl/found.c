// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/dm.h"
#include "lib/units.h"

#include "found.h"

const char *found_name(const struct found *f, char buf[37])
{
	return f->pool->name[0] ? f->pool->name :
	       ads_format_uuid(f->pool->uuid, buf);
}

__attribute__((format(printf, 3, 4)))
static void set_problem(struct found *f, size_t i, const char *fmt, ...)
{
	va_list ap;

	if (f->problem[i])
		return;
	va_start(ap, fmt);
	if (vasprintf(&f->problem[i], fmt, ap) < 0)
		f->problem[i] = NULL;
	va_end(ap);
}

static struct ads_meta *read_meta(const struct ads_scan_dev *d,
				  struct ads_err *err)
{
	struct ads_meta *m = NULL;
	int fd;

	fd = open(d->path, O_RDONLY | O_NONBLOCK | O_DIRECT | O_CLOEXEC);
	if (fd < 0 && errno == EINVAL)
		fd = open(d->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0) {
		ads_err(err, 0, "%s: %s", d->path, strerror(errno));
		return NULL;
	}
	if (ads_meta_read(fd, d->path, &d->sb, &m, err))
		m = NULL;
	close(fd);
	return m;
}

static bool is_active_meta(const struct ads_meta *m, uint32_t index)
{
	for (int i = 0; i < ADSHARD_META_MEMBERS; i++)
		if (m->meta_active & 1U << i && m->meta_member[i] == index)
			return true;
	return false;
}

/* The newest metadata; its owner's place in *@best. */
static void newest(struct found *f, uint64_t *seq)
{
	struct ads_err err = { "" };

	for (size_t i = 0; i < f->pool->nr_dev; i++) {
		struct ads_scan_dev *d = f->pool->dev[i];
		struct ads_meta *m;

		seq[i] = 0;
		if (d->verdict != ADS_SCAN_MEMBER)
			continue;
		m = read_meta(d, &err);
		if (!m)
			continue;
		/*
		 * One without records or tables has lost them, which says
		 * nothing of its data: the kernel takes it.
		 */
		if (m->top_record)
			seq[i] = m->seq > m->top_record ? m->seq :
							  m->top_record;
		/* The later term first: another history may have more records. */
		if (!f->meta || m->term > f->meta->term ||
		    (m->term == f->meta->term && m->seq > f->meta->seq)) {
			ads_meta_free(f->meta);
			f->meta = m;
		} else {
			ads_meta_free(m);
		}
	}
	if (!f->meta)
		snprintf(f->no_meta, sizeof(f->no_meta), "%s", err.text);
}

/*
 * Records that a power cut in the middle of a commit may leave a member behind,
 * for the kernel to bring it up to date (ADS_META_SPARE there). One that is
 * further behind is an old copy.
 */
#define LAG_MAX	10

static void check_device(struct found *f, size_t i, uint64_t seq)
{
	const struct ads_scan_dev *d = f->pool->dev[i];
	const struct ads_meta_member *m;
	uint32_t index = d->sb.member_index;

	if (d->verdict != ADS_SCAN_MEMBER) {
		set_problem(f, i, "%s", d->problem ? d->problem : d->path);
		return;
	}
	if (!f->meta)
		return;
	m = index < f->meta->nr_members ? &f->meta->member[index] : NULL;
	if (!m || !m->used || memcmp(m->uuid, d->sb.member_uuid,
				     ADSHARD_UUID_SIZE))
		set_problem(f, i, "%s was member %u once, and is no longer",
			    d->path, index);
	else if (m->state == ADSHARD_MEMBER_FAILED)
		set_problem(f, i, "%s has failed and is not used any more",
			    d->path);
	else if (is_active_meta(f->meta, index) && seq &&
		 seq + LAG_MAX < f->meta->seq)
		set_problem(f, i,
			    "%s is stale: its metadata ends at record %llu, that of the pool at %llu",
			    d->path, (unsigned long long)seq,
			    (unsigned long long)f->meta->seq);
}

static int add_missing(struct found *f, uint32_t index, uint32_t state)
{
	struct found_missing *p = reallocarray(f->missing, f->nr_missing + 1,
					       sizeof(*p));

	if (!p)
		return -ENOMEM;
	f->missing = p;
	p[f->nr_missing].index = index;
	p[f->nr_missing++].state = state;
	if (state != ADSHARD_MEMBER_DRAINED && state != ADSHARD_MEMBER_FAILED)
		f->nr_needed++;
	return 0;
}

static int find_missing(struct found *f)
{
	int rc = 0;

	if (!f->meta) {
		for (size_t i = 0; !rc && i < f->pool->nr_missing; i++)
			rc = add_missing(f, f->pool->missing[i], 0);
		return rc;
	}
	for (uint32_t k = 0; !rc && k < f->meta->nr_members; k++) {
		const struct ads_meta_member *m = &f->meta->member[k];
		bool seen = false;

		if (!m->used)
			continue;
		for (size_t i = 0; i < f->pool->nr_dev; i++)
			seen |= !memcmp(f->pool->dev[i]->sb.member_uuid,
					m->uuid, ADSHARD_UUID_SIZE);
		if (!seen)
			rc = add_missing(f, k, m->state);
	}
	return rc;
}

/* Is it active? By the mapped device's UUID; quietly, for it needs root. */
static void find_volume(struct found *f)
{
	char uuid[ADS_UUID_STR], want[64];
	struct ads_dm_dev *list;
	size_t n;

	snprintf(want, sizeof(want), ADS_DM_UUID_PREFIX "%s",
		 ads_format_uuid(f->pool->uuid, uuid));
	if (ads_dm_list(&list, &n, NULL))
		return;
	for (size_t i = 0; i < n; i++)
		if (!strcmp(list[i].uuid, want))
			snprintf(f->volume, sizeof(f->volume), "%s",
				 list[i].name);
	free(list);
}

int found_make(struct ads_scan_pool *pool, struct found *f)
{
	uint64_t *seq = calloc(pool->nr_dev + 1, sizeof(*seq));
	int rc;

	memset(f, 0, sizeof(*f));
	f->pool = pool;
	f->problem = calloc(pool->nr_dev + 1, sizeof(*f->problem));
	if (!seq || !f->problem) {
		free(seq);
		found_free(f);
		return -ENOMEM;
	}
	newest(f, seq);
	for (size_t i = 0; i < pool->nr_dev; i++)
		check_device(f, i, seq[i]);
	free(seq);
	rc = find_missing(f);
	if (rc)
		found_free(f);
	else
		find_volume(f);
	return rc;
}

void found_free(struct found *f)
{
	for (size_t i = 0; f->problem && i < f->pool->nr_dev; i++)
		free(f->problem[i]);
	free(f->problem);
	free(f->missing);
	ads_meta_free(f->meta);
	memset(f, 0, sizeof(*f));
}
