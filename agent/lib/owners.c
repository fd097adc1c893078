// SPDX-License-Identifier: GPL-2.0-or-later
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/fiemap.h>
#include <linux/fs.h>

#include "owners.h"

#define EXTENTS		128
#define DEPTH_MAX	2000		/* a directory is open for each level */

struct walk {
	struct ads_owners *o;
	dev_t dev;
	bool (*stop)(void);
	struct fiemap *fm;
	char *path;			/* of what is looked at */
	size_t len, cap;
	unsigned int depth;
	bool answered;			/* some file has said where it lies */
};

static int by_start(const void *a, const void *b)
{
	const struct ads_owner_range *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

int ads_owners_init(struct ads_owners *o, const struct ads_owner_range *r,
		    size_t nr)
{
	struct ads_owner_range *p;

	memset(o, 0, sizeof(*o));
	p = calloc(nr ? nr : 1, sizeof(*p));
	if (!p)
		return -ENOMEM;
	if (nr)
		memcpy(p, r, nr * sizeof(*p));
	qsort(p, nr, sizeof(*p), by_start);
	for (size_t i = 0; i < nr; i++) {
		if (p[i].start >= p[i].end)
			continue;
		if (o->nr_range && p[i].start <= p[o->nr_range - 1].end) {
			if (p[i].end > p[o->nr_range - 1].end)
				p[o->nr_range - 1].end = p[i].end;
		} else {
			p[o->nr_range++] = p[i];
		}
	}
	o->range = p;
	return 0;
}

void ads_owners_free(struct ads_owners *o)
{
	for (size_t i = 0; i < o->nr_path; i++)
		free(o->path[i]);
	free(o->path);
	free(o->range);
	free(o->v);
	free(o->seen.ino);
	memset(o, 0, sizeof(*o));
}

/* The first range that ends behind @at; nr_range if there is none. */
static size_t range_at(const struct ads_owners *o, uint64_t at)
{
	size_t low = 0, high = o->nr_range;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (o->range[mid].end <= at)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/*--- inodes with more than one name: an open hash ---------------------------*/

static size_t ino_place(const uint64_t *t, size_t cap, uint64_t ino)
{
	size_t i = (ino * 0x9e3779b97f4a7c15ULL >> 20) & (cap - 1);

	while (t[i] && t[i] != ino)
		i = (i + 1) & (cap - 1);
	return i;
}

/* 1: it was there, 0: it is now. -ENOMEM. */
static int ino_seen(struct ads_owners *o, uint64_t ino)
{
	size_t i;

	if (o->seen.n * 2 >= o->seen.cap) {
		size_t cap = o->seen.cap ? o->seen.cap * 2 : 1024;
		uint64_t *t = calloc(cap, sizeof(*t));

		if (!t)
			return -ENOMEM;
		for (i = 0; i < o->seen.cap; i++)
			if (o->seen.ino[i])
				t[ino_place(t, cap, o->seen.ino[i])] =
					o->seen.ino[i];
		free(o->seen.ino);
		o->seen.ino = t;
		o->seen.cap = cap;
	}
	i = ino_place(o->seen.ino, o->seen.cap, ino);
	if (o->seen.ino[i])
		return 1;
	o->seen.ino[i] = ino;
	o->seen.n++;
	return 0;
}

/*--- one file ---------------------------------------------------------------*/

static void failure(struct walk *w, int error)
{
	if (!w->o->failed++)
		snprintf(w->o->why, sizeof(w->o->why), "%s: %s", w->path,
			 strerror(error));
}

static int keep(struct ads_owners *o, const struct ads_owner *p)
{
	if (o->nr == o->cap) {
		size_t cap = o->cap ? o->cap * 2 : 64;
		struct ads_owner *v = reallocarray(o->v, cap, sizeof(*v));

		if (!v)
			return -ENOMEM;
		o->v = v;
		o->cap = cap;
	}
	o->v[o->nr++] = *p;
	return 0;
}

/* Where it lies is told of another device than the volume. */
static bool elsewhere(int fd)
{
	struct fsxattr x;

	return !ioctl(fd, FS_IOC_FSGETXATTR, &x) &&
	       x.fsx_xflags & FS_XFLAG_REALTIME;
}

static const char *keep_path(struct walk *w)
{
	struct ads_owners *o = w->o;
	char **p = reallocarray(o->path, o->nr_path + 1, sizeof(*p));

	if (!p)
		return NULL;
	o->path = p;
	p[o->nr_path] = strdup(w->path);
	if (!p[o->nr_path])
		return NULL;
	return p[o->nr_path++];
}

/* 1: nothing more of this file is wanted. */
static int take_extent(struct walk *w, int fd, const struct fiemap_extent *e,
		       unsigned int flags, const char **path)
{
	struct ads_owners *o = w->o;
	uint64_t start = e->fe_physical, end = start + e->fe_length;

	if (e->fe_flags & (FIEMAP_EXTENT_UNKNOWN | FIEMAP_EXTENT_ENCODED) ||
	    end <= start)
		return 0;
	if (e->fe_flags & FIEMAP_EXTENT_SHARED)
		flags |= ADS_OWNER_SHARED;
	if (e->fe_flags & FIEMAP_EXTENT_UNWRITTEN)
		flags |= ADS_OWNER_UNWRITTEN;
	for (size_t i = range_at(o, start); i < o->nr_range &&
	     o->range[i].start < end; i++) {
		uint64_t from = o->range[i].start > start ?
				o->range[i].start : start;
		uint64_t to = o->range[i].end < end ? o->range[i].end : end;
		struct ads_owner p = {
			.offset = from, .length = to - from,
			.file_offset = e->fe_logical + (from - start),
			.flags = flags,
		};

		if (!*path && elsewhere(fd))
			return 1;
		if (!*path)
			*path = keep_path(w);
		p.path = *path;
		if (!p.path || keep(o, &p))
			return -ENOMEM;
	}
	return 0;
}

static int ask_file(struct walk *w, int fd, unsigned int flags)
{
	const char *path = NULL;
	uint64_t start = 0;
	bool last = false;

	w->o->files++;
	while (!last) {
		struct fiemap *fm = w->fm;
		uint64_t before = start;

		memset(fm, 0, sizeof(*fm));
		fm->fm_start = start;
		fm->fm_length = ~0ULL - start;
		fm->fm_flags = FIEMAP_FLAG_SYNC;
		fm->fm_extent_count = EXTENTS;
		if (ioctl(fd, FS_IOC_FIEMAP, fm)) {
			/* Of directories not every file system can tell. */
			if (flags & ADS_OWNER_DIRECTORY &&
			    (errno == EOPNOTSUPP || errno == ENOTTY))
				return 0;
			if ((errno == EOPNOTSUPP || errno == ENOTTY) &&
			    !w->answered)
				return -EOPNOTSUPP;
			failure(w, errno);
			return 0;
		}
		if (!(flags & ADS_OWNER_DIRECTORY))
			w->answered = true;
		for (uint32_t i = 0; i < fm->fm_mapped_extents; i++) {
			const struct fiemap_extent *e = &fm->fm_extents[i];
			int rc = take_extent(w, fd, e, flags, &path);

			if (rc)
				return rc < 0 ? rc : 0;
			last |= e->fe_flags & FIEMAP_EXTENT_LAST;
			start = e->fe_logical + e->fe_length;
		}
		last |= !fm->fm_mapped_extents || start <= before;
	}
	return 0;
}

/*--- the tree ---------------------------------------------------------------*/

static int walk_dir(struct walk *w, int fd);

/* Appends "/NAME"; the length before is the caller's to restore. */
static int push(struct walk *w, const char *name)
{
	size_t n = strlen(name);

	if (w->len + n + 2 > w->cap) {
		char *p = realloc(w->path, 2 * (w->len + n + 2));

		if (!p)
			return -ENOMEM;
		w->path = p;
		w->cap = 2 * (w->len + n + 2);
	}
	if (w->len && w->path[w->len - 1] != '/')
		w->path[w->len++] = '/';
	memcpy(w->path + w->len, name, n + 1);
	w->len += n;
	return 0;
}

static int visit(struct walk *w, int dir, const char *name)
{
	int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOATIME;
	struct stat st;
	int fd, rc;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT)) {
		if (errno != ENOENT)
			failure(w, errno);
		return 0;
	}
	/* Nothing else has data of its own that could be asked for. */
	if (st.st_dev != w->dev ||
	    (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)))
		return 0;
	if (S_ISREG(st.st_mode) && st.st_nlink > 1) {
		rc = ino_seen(w->o, st.st_ino);
		if (rc)
			return rc < 0 ? rc : 0;
	}
	if (S_ISDIR(st.st_mode) && w->depth >= DEPTH_MAX) {
		failure(w, ELOOP);
		return 0;
	}
	fd = openat(dir, name, flags);
	if (fd < 0 && errno == EPERM)
		fd = openat(dir, name, flags & ~O_NOATIME);
	if (fd < 0) {
		if (errno != ENOENT)
			failure(w, errno);
		return 0;
	}
	/* It may have been replaced meanwhile, by something mounted, too. */
	if (fstat(fd, &st) || st.st_dev != w->dev) {
		close(fd);
		return 0;
	}
	if (S_ISDIR(st.st_mode))
		return walk_dir(w, fd);
	rc = S_ISREG(st.st_mode) ? ask_file(w, fd, 0) : 0;
	close(fd);
	return rc;
}

/* Closes @fd. */
static int walk_dir(struct walk *w, int fd)
{
	struct dirent *e;
	size_t len = w->len;
	DIR *d;
	int rc;

	rc = ask_file(w, fd, ADS_OWNER_DIRECTORY);
	d = rc ? NULL : fdopendir(fd);
	if (!d) {
		if (!rc)
			failure(w, errno);
		close(fd);
		return rc;
	}
	w->depth++;
	while (!rc) {
		if (w->stop && w->stop()) {
			rc = -EINTR;
			break;
		}
		errno = 0;
		e = readdir(d);
		if (!e) {
			/* Its names may be what can't be read. */
			if (errno)
				failure(w, errno);
			break;
		}
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		rc = push(w, e->d_name);
		if (!rc)
			rc = visit(w, dirfd(d), e->d_name);
		w->len = len;
		w->path[len] = '\0';
	}
	w->depth--;
	closedir(d);
	return rc;
}

static int by_offset(const void *a, const void *b)
{
	const struct ads_owner *x = a, *y = b;

	if (x->offset != y->offset)
		return x->offset < y->offset ? -1 : 1;
	return strcmp(x->path, y->path);
}

int ads_owners_walk(struct ads_owners *o, int fd, const char *top,
		    bool (*stop)(void), struct ads_err *err)
{
	struct walk w = { .o = o, .stop = stop };
	struct stat st;
	int rc;

	w.fm = malloc(sizeof(*w.fm) + EXTENTS * sizeof(struct fiemap_extent));
	rc = w.fm ? push(&w, top) : -ENOMEM;
	if (!rc && fstat(fd, &st))
		rc = -errno;
	if (rc) {
		close(fd);
	} else {
		w.dev = st.st_dev;
		rc = walk_dir(&w, fd);
	}
	if (rc == -EOPNOTSUPP)
		ads_err(err, rc, "%s: its file system can't say where its files lie",
			top);
	if (rc == -EINTR)
		ads_err(err, rc, "interrupted");
	free(w.fm);
	free(w.path);
	if (o->nr)
		qsort(o->v, o->nr, sizeof(*o->v), by_offset);
	return rc;
}

void ads_owners_each(const struct ads_owners *o, uint64_t start, uint64_t end,
		     ads_owner_fn fn, void *arg)
{
	size_t r = range_at(o, start), low = 0, high = o->nr;
	uint64_t done = start;

	/* Nothing that was kept begins before its range does. */
	while (r < o->nr_range && low < high) {
		size_t mid = low + (high - low) / 2;

		if (o->v[mid].offset < o->range[r].start)
			low = mid + 1;
		else
			high = mid;
	}
	for (size_t i = low; i < o->nr && o->v[i].offset < end; i++) {
		const struct ads_owner *p = &o->v[i];
		uint64_t from = p->offset > start ? p->offset : start;
		uint64_t to = p->offset + p->length < end ?
			      p->offset + p->length : end;

		if (to <= from)
			continue;
		if (from > done)
			fn(done, from, NULL, arg);
		fn(from, to, p, arg);
		if (to > done)
			done = to;
	}
	if (done < end)
		fn(done, end, NULL, arg);
}
