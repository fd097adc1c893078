// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "lib/blank.h"
#include "lib/dev.h"

#include "reverse.h"

#define MOUNTS	"/proc/self/mountinfo"

struct mount {
	char root[PATH_MAX], point[PATH_MAX], type[64], source[PATH_MAX];
	uint32_t major, minor;
};

/* "\040" is a blank */
static void unescape(char *s)
{
	char *to = s;

	for (; *s; s++) {
		if (s[0] == '\\' && strspn(s + 1, "01234567") >= 3) {
			*to++ = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 |
				       (s[3] - '0'));
			s += 3;
		} else {
			*to++ = *s;
		}
	}
	*to = '\0';
}

static bool parse_mount(const char *line, struct mount *m)
{
	const char *rest = strstr(line, " - ");
	char word[PATH_MAX];

	if (!rest ||
	    sscanf(line, "%*u %*u %" SCNu32 ":%" SCNu32 " %4095s %4095s",
		   &m->major, &m->minor, m->root, m->point) != 4 ||
	    sscanf(rest, " - %63s %4095s", m->type, word) != 2)
		return false;
	unescape(m->root);
	unescape(m->point);
	unescape(word);
	memcpy(m->source, word, sizeof(word));
	return true;
}

/*
 * A directory of the mount that shows all that the file system has: what is
 * mounted over its directories is not in there. Not every kernel can; then the
 * mount itself has to do.
 */
static int open_mount(const struct mount *m)
{
	int fd = open_tree(AT_FDCWD, m->point,
			   OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	struct stat st;
	int dir = -1;

	if (fd >= 0) {
		dir = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		close(fd);
	}
	if (dir < 0)
		dir = open(m->point, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* Something else may have been mounted there since. */
	if (dir >= 0 && (fstat(dir, &st) ||
			 st.st_dev != makedev(m->major, m->minor))) {
		close(dir);
		return -1;
	}
	return dir;
}

/* What stands between the volume and files, if anything does. */
static int no_mount(struct ctl *c, const char *dev, const struct mount *odd)
{
	struct ads_err err = { "" };
	struct ads_blank is;

	if (odd->type[0])
		return ctl_fail(c, CTL_NOENT,
				"%s is mounted on %s, but a %s does not tell where on its devices its files lie",
				dev, odd->point, odd->type);
	if (ads_blank_check(dev, &is, &err))
		return ctl_fail(c, CTL_NOENT,
				"no file system on %s is mounted (%s)", dev,
				err.text);
	switch (is.verdict) {
	case ADS_BLANK_CLEAN:
		return ctl_fail(c, CTL_NOENT,
				"there is no file system on %s", dev);
	case ADS_BLANK_DIRTY:
		return ctl_fail(c, CTL_NOENT,
				"no file system directly on %s is mounted: it %s",
				dev, is.what);
	default:
		return ctl_fail(c, CTL_NOENT,
				"no file system directly on %s is mounted: it %s, through which files can't be told",
				dev, is.what);
	}
}

/* The mount with the most of the file system in it; an open directory of it. */
static int find_mount(struct ctl *c, const struct ads_pool *p, const char *dev,
		      char *top, size_t size)
{
	struct mount *m = calloc(1, sizeof(*m)), *odd = calloc(1, sizeof(*odd));
	FILE *f = fopen(MOUNTS, "re");
	bool whole = false;
	char *line = NULL;
	size_t cap = 0;
	int dir = -1;

	while (m && odd && f && !whole && getline(&line, &cap, f) > 0) {
		struct stat st;
		int fd;

		if (!parse_mount(line, m))
			continue;
		if (m->major != p->major || m->minor != p->minor) {
			if (m->source[0] == '/' && !stat(m->source, &st) &&
			    S_ISBLK(st.st_mode) &&
			    st.st_rdev == makedev(p->major, p->minor))
				*odd = *m;
			continue;
		}
		whole = !strcmp(m->root, "/");
		if (dir >= 0 && !whole)
			continue;
		fd = open_mount(m);
		if (fd < 0) {
			whole = false;
			continue;
		}
		if (dir >= 0)
			close(dir);
		dir = fd;
		snprintf(top, size, "%s", m->point);
	}
	free(line);
	if (f)
		fclose(f);
	if (dir < 0 && odd)
		no_mount(c, dev, odd);
	else if (!whole)
		ctl_warn(c, "only a part of the file system on %s is mounted (%s): files elsewhere are not found",
			 dev, top);
	free(m);
	free(odd);
	return dir;
}

int reverse_find(struct ctl *c, const struct ads_pool *p,
		 const struct ads_owner_range *r, size_t nr,
		 struct ads_owners *o)
{
	struct ads_err err = { "" };
	char dev[128], top[PATH_MAX];
	struct rlimit files;
	int rc, dir;

	rc = ads_owners_init(o, r, nr);
	if (rc)
		return ctl_fail_err(c, rc, NULL);
	if (!o->nr_range)
		return CTL_OK;
	/* One directory is open for each level of the tree. */
	if (!getrlimit(RLIMIT_NOFILE, &files)) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	ads_dev_path(p->major, p->minor, dev, sizeof(dev));
	dir = find_mount(c, p, dev, top, sizeof(top));
	if (dir < 0)
		return CTL_NOENT;
	ctl_catch_signals();
	rc = ads_owners_walk(o, dir, top, ctl_interrupted, &err);
	if (rc == -EINTR)
		return ctl_fail(c, CTL_DETACHED, "interrupted");
	if (rc)
		return ctl_fail_err(c, rc, &err);
	if (o->failed)
		ctl_warn(c, "%llu of %llu files and directories could not be asked, so what lies in them counts as no file's (%s)",
			 (unsigned long long)o->failed,
			 (unsigned long long)(o->files + o->failed), o->why);
	return CTL_OK;
}

const char *reverse_kind(const struct ads_owner *p, char *buf, size_t size)
{
	if (!p)
		return "-";
	snprintf(buf, size, "%s%s%s",
		 p->flags & ADS_OWNER_DIRECTORY ? "directory" : "file",
		 p->flags & ADS_OWNER_SHARED ? ",shared" : "",
		 p->flags & ADS_OWNER_UNWRITTEN ? ",unwritten" : "");
	return buf;
}

void reverse_json(struct json_object *list, uint64_t start, uint64_t end,
		  const struct ads_owner *p)
{
	struct json_object *o = ads_json_push(list);

	ads_json_u64(o, "offset", start);
	ads_json_u64(o, "length", end - start);
	ads_json_str(o, "path", p ? p->path : NULL);
	if (p)
		ads_json_u64(o, "file_offset",
			     p->file_offset + (start - p->offset));
	else
		ads_json_null(o, "file_offset");
	ads_json_str(o, "kind", !p ? "none" :
		     p->flags & ADS_OWNER_DIRECTORY ? "directory" : "file");
	ads_json_bool(o, "shared", p && p->flags & ADS_OWNER_SHARED);
	ads_json_bool(o, "unwritten", p && p->flags & ADS_OWNER_UNWRITTEN);
}
