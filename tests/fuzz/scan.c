// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a scan makes of the superblocks that it finds: pools, duplicates, gaps.
 *
 * Input: up to 12 devices of 17 bytes or 19, then the name or UUID to look for.
 *
 * Options: -max_len=300
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"
#include "lib/scan-priv.h"
#include "lib/units.h"

static struct fuzz_in in;

int __wrap_ads_scan_read(struct ads_scan_dev *dev, size_t nr,
			 struct ads_err *err);

/* Small numbers, so that they meet. */
static void small_uuid(uint8_t *uuid, uint8_t v)
{
	memset(uuid, 0, ADSHARD_UUID_SIZE);
	uuid[15] = v;
}

static void read_super(struct ads_super *sb)
{
	small_uuid(sb->pool_uuid, fuzz_u8(&in) % 4);
	small_uuid(sb->member_uuid, fuzz_u8(&in) % 16);
	sb->pool_name[0] = fuzz_u8(&in);
	sb->member_index = fuzz_u8(&in);
	if (sb->member_index > 250)
		sb->member_index = fuzz_u16(&in);
	else
		sb->member_index %= 16;
	sb->segment_shift = fuzz_u8(&in);
	sb->chunk_shift = fuzz_u8(&in);
	sb->sb_seq = fuzz_u16(&in);
	sb->nr_meta = fuzz_u8(&in);
	for (int i = 0; i < 6; i++)
		small_uuid(sb->meta_uuid[i], fuzz_u8(&in) % 16);
	sb->copies = 3;
}

int __wrap_ads_scan_read(struct ads_scan_dev *dev, size_t nr,
			 struct ads_err *err)
{
	for (size_t i = 0; i < nr; i++) {
		uint8_t what = fuzz_u8(&in);

		dev[i].verdict = what % 5;
		dev[i].has_super = dev[i].verdict == ADS_SCAN_MEMBER ||
				   (dev[i].verdict == ADS_SCAN_DAMAGED &&
				    what & 0x80);
		read_super(&dev[i].sb);
		/* the index is not checked if something else is wrong */
		if (dev[i].verdict == ADS_SCAN_MEMBER)
			dev[i].sb.member_index %= ADSHARD_MAX_MEMBERS;
	}
	return 0;
}

/* How many pools are called so. */
static size_t matches(const struct ads_scan *s, const char *what)
{
	bool is_uuid;
	uint8_t uuid[16];
	size_t n = 0;

	is_uuid = !ads_parse_uuid(what, uuid);
	for (size_t i = 0; i < s->nr_pool; i++)
		n += is_uuid ? !memcmp(s->pool[i].uuid, uuid, 16) :
			       !strcmp(s->pool[i].name, what);
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const paths[12] = {
		"/dev/a", "/dev/b", "/dev/c", "/dev/d", "/dev/e", "/dev/f",
		"/dev/g", "/dev/h", "/dev/i", "/dev/i", "/dev/a", "",
	};
	struct ads_scan_pool *found = NULL;
	struct ads_err err = { "" };
	struct ads_scan *s = NULL;
	size_t n = 0, with = 0;
	char *what;
	int r;

	in = (struct fuzz_in){ data, size };
	must(!ads_scan(paths, 1 + fuzz_u8(&in) % 12, &s, &err));
	for (size_t i = 0; i < s->nr_dev; i++)
		with += s->dev[i].has_super;
	for (size_t i = 0; i < s->nr_pool; i++) {
		struct ads_scan_pool *p = &s->pool[i];

		must(p->nr_dev);
		must(p->meta_missing <= ADSHARD_META_MEMBERS);
		n += p->nr_dev;
		for (size_t k = 0; k < p->nr_dev; k++)
			must(!memcmp(p->dev[k]->sb.pool_uuid, p->uuid, 16));
		for (size_t k = 1; k < p->nr_missing; k++)
			must(p->missing[k - 1] < p->missing[k]);
	}
	must(n == with);
	what = fuzz_text(in.at, in.left);
	r = ads_scan_find(s, what, &found, &err);
	n = matches(s, what);
	must(r == (n == 1 ? 0 : n ? -ENOTUNIQ : -ENOENT));
	must(r || found);
	free(what);
	ads_scan_free(s);
	return 0;
}

void fuzz_seeds(void)
{
	uint8_t buf[1 + 3 * 17 + 2] = { 2 };

	for (int i = 0; i < 3; i++) {
		const uint8_t dev[17] = { 0, 1, i, 'p', i, 21, 11, 7, 0, 3,
					  0, 1, 2, 3 };

		memcpy(buf + 1 + i * 17, dev, sizeof(dev));
	}
	buf[1 + 3 * 17] = 'p';
	fuzz_seed("three", buf, sizeof(buf) - 1);
	buf[19] = 2;
	fuzz_seed("other", buf, sizeof(buf) - 1);
	buf[19] = 1;
	buf[20] = 0;
	fuzz_seed("twice", buf, sizeof(buf) - 1);
}
