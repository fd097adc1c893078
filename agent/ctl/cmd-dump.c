// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * adshardctl dump: the metadata of devices in full. Reads only; what is damaged
 * is marked, not skipped.
 */
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dump.h"
#include "verbs.h"

static const struct ctl_opt opts[] = {
	{ 's', "segments", NULL, "the tables' segments, too" },
	{ 'B', "block", "NUMBER", "only this block of 4096 bytes, raw" },
	{ 0, NULL, NULL, NULL },
};

static int dump_raw(struct ctl *c, struct ads_off_dev *d, uint64_t block)
{
	uint8_t *p = ads_blocks_alloc(1);
	char *hex = malloc(2 * ADSHARD_BLOCK_SIZE + 1);
	int rc = CTL_OK;

	if (!hex)
		abort();
	if (ads_blocks_read_device(d->b, block, p)) {
		rc = ctl_fail(c, CTL_FAILED, "%s: block %llu can't be read",
			      d->b->path, (unsigned long long)block);
		goto out;
	}
	for (int i = 0; i < ADSHARD_BLOCK_SIZE; i++)
		sprintf(hex + 2 * (size_t)i, "%02x", p[i]);
	if (c->doc) {
		ads_json_str(c->doc, "device", d->b->path);
		ads_json_u64(c->doc, "block", block);
		ads_json_str(c->doc, "bytes", hex);
		goto out;
	}
	for (int i = 0; i < ADSHARD_BLOCK_SIZE; i += 16) {
		printf("%08llx ", (unsigned long long)block *
		       ADSHARD_BLOCK_SIZE + i);
		for (int k = 0; k < 16; k++)
			printf("%s%.2s", k == 8 ? "  " : " ",
			       hex + 2 * (size_t)(i + k));
		printf("  |");
		for (int k = 0; k < 16; k++)
			putchar(isprint(p[i + k]) ? p[i + k] : '.');
		puts("|");
	}
out:
	free(hex);
	free(p);
	return rc;
}

/*
 * A copy whose checksum is wrong, but whose fields make sense: what it says of
 * journal and tables proves itself, for their checksums begin with its UUIDs.
 */
static bool try_damaged(struct ads_off_dev *d)
{
	struct adshard_super *raw = ads_blocks_alloc(1);
	bool good = false;

	for (int i = 0; !good && i < 2; i++) {
		if (!d->copy[i].magic || d->copy[i].is != ADS_OFF_BAD)
			continue;
		memcpy(raw, d->copy[i].raw, sizeof(*raw));
		ads_fmt_super_seal(raw, i);
		good = !ads_fmt_super_check(raw, i, NULL);
		if (good)
			ads_fmt_super_decode(raw, &d->sb);
	}
	free(raw);
	return good;
}

static int run(struct ctl *c, int argc, char **argv)
{
	bool segments = false, raw = false;
	struct json_object *list = NULL;
	struct ads_err err = { "" };
	struct ads_off *o;
	uint64_t block = 0;
	int val, rc = 0;

	while ((val = ctl_getopt(c, argc, argv)) != -1) {
		segments |= val == 's';
		if (val != 'B')
			continue;
		raw = true;
		block = ctl_parse_u64(c, "--block", optarg, UINT64_MAX >> 13);
	}
	if (optind == argc)
		ctl_usage(c, "which device or image?");
	if (raw && argc - optind > 1)
		ctl_usage(c, "--block is for one device");
	o = ads_off_new();
	for (int i = optind; !rc && i < argc; i++)
		rc = ads_off_add(o, argv[i], false, &err);
	if (rc) {
		rc = ctl_fail_err(c, rc, &err);
	} else if (raw) {
		rc = dump_raw(c, o->dev[0], block);
	} else {
		/* The others may tell whose a device without superblock is. */
		gather_judge(o);
		if (c->doc)
			list = ads_json_arr(c->doc, "devices");
		for (size_t i = 0; i < o->nr; i++) {
			struct ads_off_dev *d = o->dev[i];

			if (d->has_sb || d->lost || try_damaged(d))
				ads_off_read_meta(d);
			if (list)
				dump_json(ads_json_push(list), d, segments);
			else
				dump_print(d, segments);
		}
	}
	ads_off_free(o);
	return rc;
}

const struct ctl_cmd ctl_dump = {
	.name = "dump",
	.args = "DEVICE...",
	.summary = "Print the metadata of devices or images, damaged or not",
	.opts = opts,
	.flags = CTL_NO_POOL,
	.run = run,
};
