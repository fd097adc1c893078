// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * adshardctl locate: where an offset of the volume, or a file, lies.
 * (The other way round: reverse-list.c.)
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <linux/fiemap.h>
#include <linux/fs.h>

#include "lib/dev.h"
#include "lib/units.h"

#include "reverse.h"
#include "table.h"
#include "verbs.h"

static const struct ctl_opt opts[] = {
	{ 'v', "reverse", NULL, "which files lie there" },
	{ 'B', "bad", NULL, "with --reverse: in what could not be read when it was moved" },
	{ 0, NULL, NULL, NULL },
};

enum { C_FILE, C_LENGTH, C_OFFSET, C_SEGMENT, C_MEMBER, C_DEVICE, C_POSITION,
	C_LEG };

static const struct table_col cols[] = {
	[C_FILE] = { "FILE-OFFSET", "in the file, - without one", TABLE_RIGHT },
	[C_LENGTH] = { "LENGTH", "of the piece", TABLE_RIGHT },
	[C_OFFSET] = { "OFFSET", "in the volume", TABLE_RIGHT },
	[C_SEGMENT] = { "SEGMENT", "its number", TABLE_RIGHT },
	[C_MEMBER] = { "MEMBER", "index in the pool", TABLE_RIGHT },
	[C_DEVICE] = { "DEVICE", "of the member", 0 },
	[C_POSITION] = { "POSITION", "on the device", TABLE_RIGHT },
	[C_LEG] = { "LEG", "sync, filling, ...", 0 },
	{ NULL, NULL, 0 },
};

struct locate {
	struct ctl *c;
	struct ads_pool pool;
	struct ads_member *m;
	size_t nr_m;
	struct ads_segment *seg;	/* all of them */
	size_t nr_seg;
	struct table t;
	struct json_object *list;
};

/* One piece within one segment, a line for each leg. @file < 0: no file. */
static void piece(struct locate *l, int64_t file, uint64_t offset,
		  uint64_t length)
{
	uint64_t index = offset / l->pool.segment_size;
	const struct ads_segment *s = &l->seg[index];
	struct json_object *o = NULL, *legs = NULL;

	if (l->list) {
		o = ads_json_push(l->list);
		if (file < 0)
			ads_json_null(o, "file_offset");
		else
			ads_json_i64(o, "file_offset", file);
		ads_json_u64(o, "length", length);
		ads_json_u64(o, "offset", offset);
		ads_json_u64(o, "segment", index);
		legs = ads_json_arr(o, "legs");
	}
	for (uint32_t i = 0; i < s->nr_legs; i++) {
		const struct ads_leg *leg = &s->leg[i];
		int at = ads_member_by_index(l->m, l->nr_m, leg->member);
		uint64_t pos = (at < 0 ? 0 : l->m[at].data_start) +
			       (uint64_t)leg->chunk * l->pool.chunk_size +
			       offset % l->pool.segment_size;
		char name[128];

		ctl_member_name(l->m, l->nr_m, leg->member, name,
				sizeof(name));
		if (legs) {
			o = ads_json_push(legs);
			ads_json_u64(o, "member", leg->member);
			ads_json_str(o, "device", name);
			ads_json_u64(o, "position", pos);
			ads_json_str(o, "state",
				     ads_leg_state_name(leg->state));
			continue;
		}
		table_row(&l->t);
		if (file < 0)
			table_set(&l->t, C_FILE, "-");
		else
			table_set(&l->t, C_FILE, "%lld", (long long)file);
		table_set(&l->t, C_LENGTH, "%llu", (unsigned long long)length);
		table_set(&l->t, C_OFFSET, "%llu", (unsigned long long)offset);
		table_set(&l->t, C_SEGMENT, "%llu", (unsigned long long)index);
		table_set(&l->t, C_MEMBER, "%u", leg->member);
		table_set(&l->t, C_DEVICE, "%s", name);
		table_set(&l->t, C_POSITION, "%llu", (unsigned long long)pos);
		table_set(&l->t, C_LEG, "%s", ads_leg_state_name(leg->state));
	}
}

/* Cut at segment boundaries. */
static void range(struct locate *l, int64_t file, uint64_t offset,
		  uint64_t length)
{
	while (length && offset / l->pool.segment_size < l->nr_seg) {
		uint64_t here = l->pool.segment_size -
				offset % l->pool.segment_size;

		if (here > length)
			here = length;
		piece(l, file, offset, here);
		offset += here;
		length -= here;
		if (file >= 0)
			file += here;
	}
}

static int load(struct locate *l, struct ads_err *err)
{
	int rc = ads_nl_members(l->c->nl, l->pool.uuid, &l->m, &l->nr_m, err);

	if (!rc)
		rc = ads_nl_segments(l->c->nl, l->pool.uuid, NULL, &l->seg,
				     &l->nr_seg, err);
	return rc;
}

static int find_pool_of(struct locate *l, const struct stat *st,
			const char *path)
{
	struct ads_err err = { "" };
	struct ads_pool *pools;
	bool found = false;
	size_t n;
	int rc;

	rc = ads_nl_pools(l->c->nl, &pools, &n, &err);
	if (rc)
		return ctl_fail_err(l->c, rc, &err);
	for (size_t i = 0; i < n; i++) {
		if (pools[i].major != major(st->st_dev) ||
		    pools[i].minor != minor(st->st_dev))
			continue;
		l->pool = pools[i];
		found = true;
	}
	free(pools);
	if (!found) {
		char dev[128];

		ads_dev_path(major(st->st_dev), minor(st->st_dev), dev,
			     sizeof(dev));
		return ctl_fail(l->c, CTL_NOENT,
				"%s lies on %s, which is not an adshard volume",
				path, dev);
	}
	rc = load(l, &err);
	return rc ? ctl_fail_err(l->c, rc, &err) : CTL_OK;
}

#define EXTENTS	128

static int walk_file(struct locate *l, int fd, const char *path)
{
	struct fiemap *fm = calloc(1, sizeof(*fm) +
				   EXTENTS * sizeof(struct fiemap_extent));
	uint64_t start = 0, unknown = 0;
	bool last = false;

	if (!fm)
		return ctl_fail_err(l->c, -ENOMEM, NULL);
	while (!last) {
		memset(fm, 0, sizeof(*fm));
		fm->fm_start = start;
		fm->fm_length = ~0ULL - start;
		fm->fm_flags = FIEMAP_FLAG_SYNC;
		fm->fm_extent_count = EXTENTS;
		if (ioctl(fd, FS_IOC_FIEMAP, fm)) {
			int e = errno;

			free(fm);
			return ctl_fail(l->c, CTL_FAILED,
					"%s: its file system can't say where it lies: %s",
					path, strerror(e));
		}
		if (!fm->fm_mapped_extents)
			break;
		for (uint32_t i = 0; i < fm->fm_mapped_extents; i++) {
			const struct fiemap_extent *e = &fm->fm_extents[i];

			last |= e->fe_flags & FIEMAP_EXTENT_LAST;
			start = e->fe_logical + e->fe_length;
			if (e->fe_flags & (FIEMAP_EXTENT_UNKNOWN |
					   FIEMAP_EXTENT_ENCODED))
				unknown += e->fe_length;
			else
				range(l, (int64_t)e->fe_logical,
				      e->fe_physical, e->fe_length);
		}
	}
	free(fm);
	if (unknown)
		ctl_warn(l->c, "%s: for %llu bytes the file system names no place",
			 path, (unsigned long long)unknown);
	return CTL_OK;
}

static int locate_file(struct locate *l, const char *path)
{
	struct stat st;
	int fd, rc;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return ctl_fail(l->c, errno == ENOENT ? CTL_NOENT : CTL_FAILED,
				"%s: %s", path, strerror(errno));
	if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		close(fd);
		return ctl_fail(l->c, CTL_USAGE,
				"%s is neither an offset nor a regular file",
				path);
	}
	rc = find_pool_of(l, &st, path);
	if (!rc)
		rc = walk_file(l, fd, path);
	close(fd);
	return rc;
}

static int locate_offset(struct locate *l, uint64_t offset, bool segment)
{
	struct ads_err err = { "" };
	int rc;

	rc = ads_find_pool(l->c->nl, l->c->pool, &l->pool, &err);
	if (!rc)
		rc = load(l, &err);
	if (rc)
		return ctl_fail_err(l->c, rc, &err);
	if (segment && offset >= l->nr_seg)
		return ctl_fail(l->c, CTL_NOENT,
				"the pool has no segment %llu: they are 0 to %zu",
				(unsigned long long)offset, l->nr_seg - 1);
	if (segment) {
		offset *= l->pool.segment_size;
	} else if (offset >= l->pool.size) {
		return ctl_fail(l->c, CTL_NOENT,
				"offset %llu is behind the end of the volume (%llu bytes)",
				(unsigned long long)offset,
				(unsigned long long)l->pool.size);
	}
	/* An offset is a point: the rest of its sector is shown. */
	range(l, -1, offset, segment ? l->pool.segment_size :
	      512 - offset % 512);
	return CTL_OK;
}

static int run(struct ctl *c, int argc, char **argv)
{
	struct locate l = { .c = c };
	bool reverse = false, bad = false, segment, is_offset;
	uint64_t offset;
	int val, rc;

	while ((val = ctl_getopt(c, argc, argv)) != -1) {
		reverse |= val == 'v';
		bad |= val == 'B';
	}
	if (bad && !reverse)
		ctl_usage(c, "--bad goes with --reverse");
	if (reverse)
		return reverse_locate(c, argv + optind, argc - optind, bad);
	if (argc - optind != 1)
		ctl_usage(c, "one offset (4096, 5G), segment (@5) or file");
	segment = argv[optind][0] == '@';
	if (segment)
		offset = ctl_parse_u64(c, "segment", argv[optind] + 1,
				       ADSHARD_MAX_SEGMENTS - 1);
	is_offset = segment || !ads_parse_size(argv[optind], &offset);
	rc = ctl_connect(c);
	if (rc)
		return rc;
	if (c->doc)
		l.list = ads_json_arr(c->doc, "pieces");
	else
		table_init(&l.t, c, cols);
	rc = is_offset ? locate_offset(&l, offset, segment) :
			 locate_file(&l, argv[optind]);
	if (!c->doc) {
		if (!rc)
			table_print(&l.t, "");
		table_free(&l.t);
	}
	free(l.m);
	free(l.seg);
	return rc;
}

const struct ctl_cmd ctl_locate = {
	.name = "locate",
	.args = "OFFSET | @SEGMENT | FILE | --reverse PLACE...",
	.summary = "Show where an offset, a segment or a file lies, or which files lie there",
	.opts = opts,
	.flags = CTL_TABLE,
	.run = run,
};
