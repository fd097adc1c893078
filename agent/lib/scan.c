// SPDX-License-Identifier: GPL-2.0-or-later
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/major.h>

#include "dev.h"
#include "dm.h"
#include "scan-priv.h"
#include "units.h"

void ads_scan_problem(struct ads_scan_dev *d, const char *fmt, ...)
{
	va_list ap;

	free(d->problem);
	va_start(ap, fmt);
	if (vasprintf(&d->problem, fmt, ap) < 0)
		d->problem = NULL;
	va_end(ap);
}

/* Devices that can't be members, or that one must not touch to find out. */
static bool skipped(const char *name)
{
	char path[PATH_MAX], v[160];
	unsigned int maj, min;

	snprintf(path, sizeof(path), "class/block/%s/dev", name);
	if (ads_sysfs_read(path, v, sizeof(v)) ||
	    sscanf(v, "%u:%u", &maj, &min) != 2)
		return true;
	if (maj == FLOPPY_MAJOR || maj == SCSI_CDROM_MAJOR)
		return true;
	snprintf(path, sizeof(path), "class/block/%s/size", name);
	if (ads_sysfs_read(path, v, sizeof(v)) ||
	    strtoull(v, NULL, 10) * 512 < ADS_SUPER_BYTES)
		return true;
	snprintf(path, sizeof(path), "class/block/%s/hidden", name);
	if (!ads_sysfs_read(path, v, sizeof(v)) && v[0] == '1')
		return true;
	snprintf(path, sizeof(path), "class/block/%s/dm/uuid", name);
	if (!ads_sysfs_read(path, v, sizeof(v)) &&
	    !strncmp(v, ADS_DM_UUID_PREFIX, strlen(ADS_DM_UUID_PREFIX)))
		return true;
	snprintf(path, sizeof(path), "class/block/%s/dm/suspended", name);
	return !ads_sysfs_read(path, v, sizeof(v)) && v[0] == '1';
}

static int add_dev(struct ads_scan *s, const char *path)
{
	struct ads_scan_dev *d;

	d = reallocarray(s->dev, s->nr_dev + 1, sizeof(*d));
	if (!d)
		return -ENOMEM;
	s->dev = d;
	d += s->nr_dev;
	memset(d, 0, sizeof(*d));
	d->path = strdup(path);
	if (!d->path)
		return -ENOMEM;
	s->nr_dev++;
	return 0;
}

static int by_path(const void *a, const void *b)
{
	return strverscmp(((const struct ads_scan_dev *)a)->path,
			  ((const struct ads_scan_dev *)b)->path);
}

static int list_all(struct ads_scan *s, struct ads_err *err)
{
	char path[PATH_MAX];
	struct dirent *d;
	int rc = 0;
	DIR *h;

	snprintf(path, sizeof(path), "%s/class/block", ads_sysfs());
	h = opendir(path);
	if (!h)
		return ads_err(err, -errno, "%s: %s", path, strerror(errno));
	while (!rc && (d = readdir(h))) {
		struct ads_dev_info info;
		unsigned int maj, min;
		char v[32];

		if (d->d_name[0] == '.' || skipped(d->d_name))
			continue;
		snprintf(path, sizeof(path), "class/block/%s/dev", d->d_name);
		if (ads_sysfs_read(path, v, sizeof(v)) ||
		    sscanf(v, "%u:%u", &maj, &min) != 2 ||
		    ads_dev_info(maj, min, &info))
			continue;
		rc = add_dev(s, info.path);
	}
	closedir(h);
	if (s->nr_dev)
		qsort(s->dev, s->nr_dev, sizeof(*s->dev), by_path);
	return rc;
}

/* Is @below a component of @above (a partition's mapping, a multipath leg)? */
static bool lies_under(const struct ads_scan_dev *below,
		       const struct ads_scan_dev *above)
{
	char path[PATH_MAX];
	struct ads_dev_info b, a;

	if (!below->major || !above->major ||
	    ads_dev_info(below->major, below->minor, &b) ||
	    ads_dev_info(above->major, above->minor, &a))
		return false;
	snprintf(path, sizeof(path), "%s/class/block/%s/holders/%s",
		 ads_sysfs(), b.name, a.name);
	return !access(path, F_OK);
}

static void find_duplicates(struct ads_scan *s)
{
	for (size_t i = 0; i < s->nr_dev; i++) {
		struct ads_scan_dev *a = &s->dev[i];

		for (size_t k = i + 1; a->has_super && k < s->nr_dev; k++) {
			struct ads_scan_dev *b = &s->dev[k];

			if (!b->has_super ||
			    memcmp(a->sb.member_uuid, b->sb.member_uuid,
				   ADSHARD_UUID_SIZE) ||
			    memcmp(a->sb.pool_uuid, b->sb.pool_uuid,
				   ADSHARD_UUID_SIZE))
				continue;
			if (a->major == b->major && a->minor == b->minor &&
			    (a->major || !strcmp(a->path, b->path))) {
				b->verdict = ADS_SCAN_NONE;
				b->has_super = false;
				ads_scan_problem(b, "%s is the same device as %s",
					    b->path, a->path);
				continue;
			}
			if (lies_under(a, b) || lies_under(b, a)) {
				struct ads_scan_dev *low =
					lies_under(a, b) ? a : b;

				low->verdict = ADS_SCAN_NONE;
				low->has_super = false;
				ads_scan_problem(low, "%s lies under %s", low->path,
					    low == a ? b->path : a->path);
				continue;
			}
			a->verdict = b->verdict = ADS_SCAN_DUPLICATE;
			ads_scan_problem(a, "%s is the same member as %s: one of them is a copy",
				    a->path, b->path);
			ads_scan_problem(b, "%s is the same member as %s: one of them is a copy",
				    b->path, a->path);
		}
	}
}

static struct ads_scan_pool *pool_of(struct ads_scan *s,
				     const struct ads_super *sb)
{
	struct ads_scan_pool *p;

	for (size_t i = 0; i < s->nr_pool; i++)
		if (!memcmp(s->pool[i].uuid, sb->pool_uuid,
			    ADSHARD_UUID_SIZE))
			return &s->pool[i];
	p = reallocarray(s->pool, s->nr_pool + 1, sizeof(*p));
	if (!p)
		return NULL;
	s->pool = p;
	p += s->nr_pool;
	memset(p, 0, sizeof(*p));
	p->dev = calloc(s->nr_dev, sizeof(*p->dev));
	if (!p->dev)
		return NULL;
	memcpy(p->uuid, sb->pool_uuid, ADSHARD_UUID_SIZE);
	memcpy(p->name, sb->pool_name, sizeof(p->name));
	p->segment_size = 512ULL << (sb->segment_shift & 31);
	p->chunk_size = 512ULL << (sb->chunk_shift & 31);
	s->nr_pool++;
	return p;
}

static int by_index(const void *a, const void *b)
{
	const struct ads_scan_dev *x = *(struct ads_scan_dev *const *)a;
	const struct ads_scan_dev *y = *(struct ads_scan_dev *const *)b;

	if (x->sb.member_index != y->sb.member_index)
		return x->sb.member_index < y->sb.member_index ? -1 : 1;
	return strverscmp(x->path, y->path);
}

/* Members from @first up to @end were not seen. */
static int add_missing(struct ads_scan_pool *p, uint32_t first, uint32_t end)
{
	uint32_t *m;

	if (first >= end)
		return 0;
	m = reallocarray(p->missing, p->nr_missing + end - first, sizeof(*m));
	if (!m)
		return -ENOMEM;
	p->missing = m;
	while (first < end)
		m[p->nr_missing++] = first++;
	return 0;
}

/* Gaps in the members' numbers, and metadata members that were not seen. */
static int find_missing(struct ads_scan_pool *p)
{
	const struct ads_super *newest = NULL;
	uint32_t next = 0;

	for (size_t i = 0; i < p->nr_dev; i++) {
		const struct ads_super *sb = &p->dev[i]->sb;
		int rc;

		if (p->dev[i]->verdict == ADS_SCAN_DUPLICATE)
			p->duplicate = true;
		/* What makes no sense anyway tells nothing of others. */
		if (sb->member_index >= ADSHARD_MAX_MEMBERS)
			continue;
		rc = add_missing(p, next, sb->member_index);
		if (rc)
			return rc;
		next = sb->member_index + 1;
		if (!newest || sb->sb_seq > newest->sb_seq)
			newest = sb;
	}
	for (uint32_t m = 0; newest && m < newest->nr_meta &&
	     m < ADSHARD_META_MEMBERS; m++) {
		bool seen = false;

		for (size_t i = 0; i < p->nr_dev; i++)
			seen |= !memcmp(newest->meta_uuid[m],
					p->dev[i]->sb.member_uuid,
					ADSHARD_UUID_SIZE);
		p->meta_missing += !seen;
	}
	return 0;
}

static int group(struct ads_scan *s)
{
	for (size_t i = 0; i < s->nr_dev; i++) {
		struct ads_scan_pool *p;

		if (!s->dev[i].has_super)
			continue;
		p = pool_of(s, &s->dev[i].sb);
		if (!p)
			return -ENOMEM;
		p->dev[p->nr_dev++] = &s->dev[i];
	}
	for (size_t i = 0; i < s->nr_pool; i++) {
		struct ads_scan_pool *p = &s->pool[i];
		int rc;

		qsort(p->dev, p->nr_dev, sizeof(*p->dev), by_index);
		rc = find_missing(p);
		if (rc)
			return rc;
	}
	return 0;
}

int ads_scan(const char *const *paths, size_t nr, struct ads_scan **out,
	     struct ads_err *err)
{
	struct ads_scan *s = calloc(1, sizeof(*s));
	int rc = 0;

	if (!s)
		return -ENOMEM;
	for (size_t i = 0; !rc && i < nr; i++)
		rc = add_dev(s, paths[i]);
	if (!nr)
		rc = list_all(s, err);
	if (!rc)
		rc = ads_scan_read(s->dev, s->nr_dev, err);
	if (!rc) {
		find_duplicates(s);
		rc = group(s);
	}
	if (rc) {
		ads_scan_free(s);
		return rc;
	}
	*out = s;
	return 0;
}

void ads_scan_free(struct ads_scan *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->nr_dev; i++) {
		free(s->dev[i].path);
		free(s->dev[i].problem);
	}
	for (size_t i = 0; i < s->nr_pool; i++) {
		free(s->pool[i].dev);
		free(s->pool[i].missing);
	}
	free(s->dev);
	free(s->pool);
	free(s);
}

int ads_scan_find(struct ads_scan *s, const char *what,
		  struct ads_scan_pool **out, struct ads_err *err)
{
	uint8_t uuid[ADSHARD_UUID_SIZE];
	bool is_uuid = !ads_parse_uuid(what, uuid);
	size_t found = 0;

	for (size_t i = 0; i < s->nr_pool; i++) {
		struct ads_scan_pool *p = &s->pool[i];

		if (is_uuid ? memcmp(p->uuid, uuid, sizeof(uuid)) :
			      strcmp(p->name, what))
			continue;
		if (found++)
			return ads_err(err, -ENOTUNIQ,
				       "two pools are called %s: say the UUID",
				       what);
		*out = p;
	}
	return found ? 0 : ads_err(err, -ENOENT,
				   "no device belongs to a pool called %s",
				   what);
}
