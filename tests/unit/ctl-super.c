// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Superblocks, metadata and scan, on images.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ctl-format.h"
#include "lib/meta.h"
#include "lib/scan.h"

static void crc_check_value(void **state)
{
	assert_int_equal(ads_crc32c(~0U, "123456789", 9), 0x1cf96d7c);
	/* in pieces, and of a length that no fast path likes */
	assert_int_equal(ads_crc32c(ads_crc32c(~0U, "1234567", 7), "89", 2),
			 0x1cf96d7c);
	assert_int_equal(ads_crc32c(~0U, "", 0), ~0U);
}

/* A bitwise crc32c: the formatter must not vouch for itself. */
static uint32_t slow_crc(uint32_t crc, const uint8_t *p, size_t n)
{
	while (n--) {
		crc ^= *p++;
		for (int i = 0; i < 8; i++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
	}
	return crc;
}

static void block_crc_seed(void **state)
{
	static uint8_t all[40 + 4096];
	uint8_t block[4096];

	for (int i = 0; i < 4096; i++)
		block[i] = i * 7;
	fill_uuid(all, 1);
	fill_uuid(all + 16, 99);
	all[32] = 3;			/* block number, little endian */
	memcpy(all + 40, block, 4096);
	memset(all + 40 + 8, 0, 4);
	assert_int_equal(ads_block_crc(all, all + 16, 3, block, 8),
			 slow_crc(~0U, all, sizeof(all)));
}

static int read_image(const struct image *im, struct ads_super *sb,
		      struct ads_err *err)
{
	int fd = open(im->path, O_RDONLY), rc;

	err->text[0] = '\0';
	rc = ads_super_read(fd, "sdx", sb, err);
	close(fd);
	return rc;
}

static void good(void **state)
{
	struct ads_err err;
	struct ads_super sb;
	struct image im;

	image_make(&im, 1, 0x40, 5);
	assert_int_equal(read_image(&im, &sb, &err), 0);
	assert_int_equal(sb.copies, 3);
	assert_int_equal(sb.member_index, 5);
	assert_string_equal(sb.pool_name, "tank");
	assert_int_equal(sb.segment_shift, 11);
	assert_memory_equal(sb.pool_uuid, im.pool, 16);
	unlink(im.path);
}

static void flip(const struct image *im, uint64_t offset)
{
	int fd = open(im->path, O_RDWR);
	uint8_t b;

	assert_int_equal(pread(fd, &b, 1, offset), 1);
	b ^= 0x10;
	assert_int_equal(pwrite(fd, &b, 1, offset), 1);
	close(fd);
}

static void damaged(void **state)
{
	struct ads_err err;
	struct ads_super sb;
	struct image im;

	image_make(&im, 1, 0x40, 0);
	flip(&im, 4096 + 4000);
	assert_int_equal(read_image(&im, &sb, &err), 0);
	assert_int_equal(sb.copies, 2);
	flip(&im, 3 * 4096 + 100);
	assert_int_equal(read_image(&im, &sb, &err), -EBADMSG);
	assert_non_null(strstr(err.text, "sdx"));
	assert_non_null(strstr(err.text, "checksum"));
	unlink(im.path);
}

static void newer_copy_wins(void **state)
{
	struct adshard_super d;
	struct ads_err err;
	struct ads_super sb;
	struct image im;

	image_make(&im, 1, 0x40, 0);
	im.sb_seq = 9;
	super_init(&d, &im);
	strcpy((char *)d.pool_name, "newer");
	super_write(&im, &d, 3);
	assert_int_equal(read_image(&im, &sb, &err), 0);
	assert_string_equal(sb.pool_name, "newer");
	/* the copy of block 3 in the place of block 1 is no copy */
	image_write(im.path, 1, &d);
	assert_int_equal(read_image(&im, &sb, &err), 0);
	assert_int_equal(sb.copies, 2);
	unlink(im.path);
}

static void rewrite(struct image *im, struct adshard_super *d)
{
	super_write(im, d, 1);
	super_write(im, d, 3);
}

static void refused(void **state)
{
	struct adshard_super d;
	struct ads_err err;
	struct ads_super sb;
	struct image im;

	image_make(&im, 1, 0x40, 0);
	super_init(&d, &im);
	d.version = htole32(2);
	rewrite(&im, &d);
	assert_int_equal(read_image(&im, &sb, &err), -EPROTONOSUPPORT);
	assert_non_null(strstr(err.text, "version 2"));

	super_init(&d, &im);
	d.incompat = htole64(4);
	rewrite(&im, &d);
	assert_int_equal(read_image(&im, &sb, &err), -EPROTONOSUPPORT);
	assert_non_null(strstr(err.text, "0x4"));

	/* unknown compatible features are nobody's business */
	super_init(&d, &im);
	d.compat = htole64(~0ULL);
	rewrite(&im, &d);
	assert_int_equal(read_image(&im, &sb, &err), 0);

	super_init(&d, &im);
	d.member_sectors = htole64(IMG_SIZE / 512 * 2);
	rewrite(&im, &d);
	assert_int_equal(read_image(&im, &sb, &err), -ENOSPC);
	unlink(im.path);
}

static void senseless(void **state)
{
	static const struct {
		size_t at;
		uint8_t value;
	} bad[] = {
		{ offsetof(struct adshard_super, segment_shift), 10 },
		{ offsetof(struct adshard_super, segment_shift), 60 },
		{ offsetof(struct adshard_super, chunk_shift), 6 },
		{ offsetof(struct adshard_super, chunk_shift), 12 },
		{ offsetof(struct adshard_super, nr_meta), 0 },
		{ offsetof(struct adshard_super, nr_meta), 9 },
		{ offsetof(struct adshard_super, member_index) + 1, 0xff },
		{ offsetof(struct adshard_super, table_blocks) + 2, 0xff },
		{ offsetof(struct adshard_super, journal_blocks) + 1, 0xff },
		{ offsetof(struct adshard_super, data_chunks) + 2, 0xff },
		{ offsetof(struct adshard_super, data_start), 1 },
	};
	struct adshard_super d;
	struct ads_err err;
	struct ads_super sb;
	struct image im;

	image_make(&im, 1, 0x40, 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		super_init(&d, &im);
		if (bad[i].at == offsetof(struct adshard_super, data_start))
			d.data_start = 0;
		((uint8_t *)&d)[bad[i].at] = bad[i].value;
		rewrite(&im, &d);
		assert_int_equal(read_image(&im, &sb, &err), -EINVAL);
	}
	unlink(im.path);
}

static void not_a_member(void **state)
{
	struct ads_err err;
	struct ads_super sb;
	struct image im;

	image_make(&im, 1, 0x40, 0);
	assert_int_equal(truncate(im.path, 0), 0);
	assert_int_equal(truncate(im.path, 1 << 20), 0);
	assert_int_equal(read_image(&im, &sb, &err), -ENODATA);
	assert_int_equal(truncate(im.path, 8192), 0);
	assert_int_equal(read_image(&im, &sb, &err), -ENODATA);
	unlink(im.path);
}

static int read_meta(const struct image *im, struct ads_meta **m)
{
	struct ads_err err = { "" };
	struct ads_super sb;
	int fd = open(im->path, O_RDONLY), rc;

	assert_int_equal(ads_super_read(fd, "sdx", &sb, &err), 0);
	rc = ads_meta_read(fd, "sdx", &sb, m, &err);
	close(fd);
	return rc;
}

static void metadata(void **state)
{
	struct ads_meta *m;
	struct image im;

	image_make(&im, 1, 0x40, 0);
	assert_int_equal(read_meta(&im, &m), -ENODATA);

	table_write(&im, 0, 10);
	table_write(&im, 1, 7);
	assert_int_equal(read_meta(&im, &m), 0);
	assert_int_equal(m->seq, 10);
	assert_int_equal(m->volume_sectors, 8192);
	assert_int_equal(m->nr_members, 2);
	assert_true(m->member[1].used);
	assert_int_equal(m->member[1].state, ADSHARD_MEMBER_ONLINE);
	assert_false(m->member[2].used);
	ads_meta_free(m);

	/* 11 and 12 follow; 14 does not, for 13 is missing; 9 is in the table */
	record_write(&im, 9, ADSHARD_MEMBER_FAILED);
	record_write(&im, 11, ADSHARD_MEMBER_DRAINING);
	record_write(&im, 12, ADSHARD_MEMBER_DRAINED);
	record_write(&im, 14, ADSHARD_MEMBER_FAILED);
	assert_int_equal(read_meta(&im, &m), 0);
	assert_int_equal(m->seq, 12);
	assert_int_equal(m->member[1].state, ADSHARD_MEMBER_DRAINED);
	ads_meta_free(m);

	/* a torn record ends the chain; a torn header leaves the other table */
	flip(&im, (16 + 12) * 4096 + 300);
	assert_int_equal(read_meta(&im, &m), 0);
	assert_int_equal(m->seq, 11);
	ads_meta_free(m);
	flip(&im, 256 * 4096 + 20);
	assert_int_equal(read_meta(&im, &m), 0);
	assert_int_equal(m->seq, 7);
	ads_meta_free(m);
	unlink(im.path);
}

static void scan_groups(void **state)
{
	struct ads_scan_pool *p;
	struct image im[5];
	const char *paths[7];
	struct ads_scan *s;
	struct ads_err err;

	image_make(&im[0], 1, 0x40, 0);
	image_make(&im[1], 1, 0x60, 3);		/* 1 and 2 are missing */
	image_make(&im[2], 2, 0x80, 0);		/* another pool */
	image_make(&im[3], 2, 0xa0, 1);
	image_make(&im[4], 2, 0xa0, 1);		/* a copy of that */
	for (int i = 0; i < 5; i++)
		paths[i] = im[i].path;
	paths[5] = "/nonexistent";
	paths[6] = im[0].path;			/* named twice */
	assert_int_equal(ads_scan(paths, 7, &s, &err), 0);
	assert_int_equal(s->nr_dev, 7);
	assert_int_equal(s->nr_pool, 2);
	assert_int_equal(s->dev[5].verdict, ADS_SCAN_ERROR);
	assert_int_equal(s->dev[5].rc, -ENOENT);
	assert_int_equal(s->dev[6].verdict, ADS_SCAN_NONE);

	p = &s->pool[0];
	assert_int_equal(p->nr_dev, 2);
	assert_int_equal(p->nr_missing, 2);
	assert_int_equal(p->missing[0], 1);
	assert_int_equal(p->missing[1], 2);
	assert_false(p->duplicate);
	assert_int_equal(p->segment_size, 1 << 20);

	p = &s->pool[1];
	assert_int_equal(p->nr_dev, 3);
	assert_true(p->duplicate);
	assert_int_equal(p->dev[1]->verdict, ADS_SCAN_DUPLICATE);
	assert_int_equal(p->dev[2]->verdict, ADS_SCAN_DUPLICATE);
	assert_non_null(strstr(p->dev[1]->problem, "copy"));

	/* both pools are called tank */
	assert_int_equal(ads_scan_find(s, "tank", &p, &err), -ENOTUNIQ);
	assert_int_equal(ads_scan_find(s, "nosuch", &p, &err), -ENOENT);
	assert_int_equal(ads_scan_find(s,
		"02030405-0607-0809-0a0b-0c0d0e0f1011", &p, &err), 0);
	assert_int_equal(p->nr_dev, 3);
	ads_scan_free(s);
	for (int i = 0; i < 5; i++)
		unlink(im[i].path);
}

static void scan_problems(void **state)
{
	const char *paths[2];
	struct ads_scan *s;
	struct image im[2];

	image_make(&im[0], 1, 0x40, 0);
	image_make(&im[1], 1, 0x60, 1);
	flip(&im[0], 4096 + 99);		/* one copy */
	flip(&im[1], 4096 + 99);		/* both */
	flip(&im[1], 3 * 4096 + 99);
	paths[0] = im[0].path;
	paths[1] = im[1].path;
	assert_int_equal(ads_scan(paths, 2, &s, NULL), 0);
	assert_int_equal(s->dev[0].verdict, ADS_SCAN_MEMBER);
	assert_non_null(strstr(s->dev[0].problem, "copy 0"));
	assert_int_equal(s->dev[1].verdict, ADS_SCAN_DAMAGED);
	assert_false(s->dev[1].has_super);
	ads_scan_free(s);
	unlink(im[0].path);
	unlink(im[1].path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(crc_check_value),
		cmocka_unit_test(block_crc_seed),
		cmocka_unit_test(good),
		cmocka_unit_test(damaged),
		cmocka_unit_test(newer_copy_wins),
		cmocka_unit_test(refused),
		cmocka_unit_test(senseless),
		cmocka_unit_test(not_a_member),
		cmocka_unit_test(metadata),
		cmocka_unit_test(scan_groups),
		cmocka_unit_test(scan_problems),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("super", tests, NULL, NULL);
}
