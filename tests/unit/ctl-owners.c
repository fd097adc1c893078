// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Files by place: a tree of real files, each asked where it lies, and then found
 * again by that. Where the file system can't say so that is skipped.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <linux/fiemap.h>
#include <linux/fs.h>

#include "lib/owners.h"

static char top[64] = "build/owners-XXXXXX";

struct place {
	uint64_t logical, physical, length;
};

static void make(const char *name, off_t at, size_t bytes)
{
	char path[256], *buf = malloc(bytes);
	int fd;

	snprintf(path, sizeof(path), "%s/%s", top, name);
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	memset(buf, 'x', bytes);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, buf, bytes, at), bytes);
	assert_int_equal(fsync(fd), 0);
	close(fd);
	free(buf);
}

/* Up to @max extents of a file; 0: it can't be said. */
static size_t places(const char *name, struct place *p, size_t max)
{
	struct fiemap *fm = calloc(1, sizeof(*fm) +
				   max * sizeof(struct fiemap_extent));
	char path[256];
	size_t n = 0;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", top, name);
	fd = open(path, O_RDONLY);
	fm->fm_length = ~0ULL;
	fm->fm_flags = FIEMAP_FLAG_SYNC;
	fm->fm_extent_count = max;
	if (fd >= 0 && !ioctl(fd, FS_IOC_FIEMAP, fm))
		for (; n < fm->fm_mapped_extents; n++) {
			const struct fiemap_extent *e = &fm->fm_extents[n];

			if (e->fe_flags & (FIEMAP_EXTENT_UNKNOWN |
					   FIEMAP_EXTENT_ENCODED))
				break;
			p[n] = (struct place){ e->fe_logical, e->fe_physical,
					       e->fe_length };
		}
	close(fd);
	free(fm);
	return n;
}

static int walk(struct ads_owners *o, const struct ads_owner_range *r,
		size_t nr, bool (*stop)(void))
{
	struct ads_err err = { "" };
	int fd = open(top, O_RDONLY | O_DIRECTORY);

	assert_true(fd >= 0);
	assert_int_equal(ads_owners_init(o, r, nr), 0);
	return ads_owners_walk(o, fd, top, stop, &err);
}

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), k = strlen(end);

	return n >= k && !strcmp(s + n - k, end);
}

static int setup(void **state)
{
	char path[128], other[128];
	struct place p;

	mkdir("build", 0755);
	if (!mkdtemp(top))
		return -1;
	make("big", 0, 3 << 20);
	make("sparse", 1 << 20, 65536);
	make("small", 0, 10);
	snprintf(path, sizeof(path), "%s/sub", top);
	mkdir(path, 0700);
	make("sub/deep", 0, 100000);
	snprintf(path, sizeof(path), "%s/big", top);
	snprintf(other, sizeof(other), "%s/sub/other-name", top);
	assert_int_equal(link(path, other), 0);
	snprintf(other, sizeof(other), "%s/loop", top);
	assert_int_equal(symlink("..", other), 0);
	snprintf(other, sizeof(other), "%s/fifo", top);
	assert_int_equal(mkfifo(other, 0600), 0);
	*state = (void *)(uintptr_t)places("big", &p, 1);
	return 0;
}

static int teardown(void **state)
{
	char cmd[128];

	snprintf(cmd, sizeof(cmd), "rm -rf %s", top);
	return system(cmd);
}

static void finds_each(void **state)
{
	static const char *const name[] = { "big", "sparse", "sub/deep" };

	if (!*state)
		skip();
	for (size_t i = 0; i < 3; i++) {
		struct ads_owner_range r;
		struct ads_owners o;
		struct place p[16];
		size_t n = places(name[i], p, 16);

		assert_true(n > 0);
		/* a piece from the middle of its last extent */
		p[0] = p[n - 1];
		r.start = p[0].physical + 4096;
		r.end = r.start + 8192;
		assert_int_equal(walk(&o, &r, 1, NULL), 0);
		assert_int_equal(o.nr, 1);
		assert_int_equal(o.v[0].offset, r.start);
		assert_int_equal(o.v[0].length, 8192);
		assert_int_equal(o.v[0].file_offset, p[0].logical + 4096);
		/* of a file with two names it is either */
		assert_true(ends_with(o.v[0].path, name[i]) ||
			    (!i && ends_with(o.v[0].path, "/other-name")));
		assert_int_equal(o.failed, 0);
		assert_true(o.files >= 6);	/* with its directories */
		ads_owners_free(&o);
	}
}

/* Two files and nothing in between, asked for in one go. */
static void several(void **state)
{
	struct ads_owner_range r[3];
	struct ads_owners o;
	struct place a[16], b[16];
	bool big = false, deep = false;

	if (!*state)
		skip();
	assert_true(places("big", a, 16) && places("sub/deep", b, 16));
	r[0] = (struct ads_owner_range){ a[0].physical, a[0].physical + 512 };
	r[1] = (struct ads_owner_range){ b[0].physical, b[0].physical + 512 };
	r[2] = (struct ads_owner_range){ a[0].physical + 256,
					 a[0].physical + 1024 };
	assert_int_equal(walk(&o, r, 3, NULL), 0);
	assert_int_equal(o.nr_range, 2);
	assert_int_equal(o.nr, 2);
	for (size_t i = 0; i < o.nr; i++) {
		big |= o.v[i].offset == a[0].physical && o.v[i].length == 1024;
		deep |= o.v[i].offset == b[0].physical && o.v[i].length == 512;
	}
	assert_true(big && deep);
	ads_owners_free(&o);
}

static bool stop_now(void)
{
	return true;
}

static void interrupted(void **state)
{
	struct ads_owner_range r = { 0, 4096 };
	struct ads_owners o;

	if (!*state)
		skip();
	assert_int_equal(walk(&o, &r, 1, stop_now), -EINTR);
	ads_owners_free(&o);
}

/* --- what comes out, without files ----------------------------------------- */

static char text[512];

static void note(uint64_t start, uint64_t end, const struct ads_owner *p,
		 void *arg)
{
	size_t n = strlen(text);

	snprintf(text + n, sizeof(text) - n, "%llu-%llu:%s@%lld ",
		 (unsigned long long)start, (unsigned long long)end,
		 p ? p->path : "-",
		 p ? (long long)(p->file_offset + (start - p->offset)) : -1LL);
}

static void gaps(void **state)
{
	static const struct ads_owner_range r[] = {
		{ 500, 600 }, { 100, 200 }, { 200, 300 }, { 590, 590 },
	};
	struct ads_owner v[] = {
		{ .offset = 120, .length = 30, .file_offset = 1000, .path = "a" },
		{ .offset = 140, .length = 100, .file_offset = 0, .path = "b" },
		{ .offset = 520, .length = 80, .file_offset = 7, .path = "a" },
	};
	struct ads_owners o;

	assert_int_equal(ads_owners_init(&o, r, 4), 0);
	assert_int_equal(o.nr_range, 2);
	assert_int_equal(o.range[0].start, 100);
	assert_int_equal(o.range[0].end, 300);
	o.v = v;
	o.nr = 3;
	text[0] = '\0';
	ads_owners_each(&o, 100, 300, note, NULL);
	assert_string_equal(text, "100-120:-@-1 120-150:a@1000 140-240:b@0 240-300:-@-1 ");
	text[0] = '\0';
	ads_owners_each(&o, 145, 160, note, NULL);
	assert_string_equal(text, "145-150:a@1025 145-160:b@5 ");
	text[0] = '\0';
	ads_owners_each(&o, 500, 600, note, NULL);
	assert_string_equal(text, "500-520:-@-1 520-600:a@7 ");
	text[0] = '\0';
	ads_owners_each(&o, 250, 260, note, NULL);
	assert_string_equal(text, "250-260:-@-1 ");
	o.v = NULL;
	o.nr = 0;
	ads_owners_free(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_each),
		cmocka_unit_test(several),
		cmocka_unit_test(interrupted),
		cmocka_unit_test(gaps),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("owners", tests, setup, teardown);
}
