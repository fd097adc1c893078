// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * adshardctl resize: another length for the volume.
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/dev.h"
#include "lib/units.h"

#include "change.h"
#include "verbs.h"

static const struct ctl_opt opts[] = {
	{ 'y', "yes", NULL, "cut off what is beyond a smaller size" },
	{ 'N', "dry-run", NULL, "only say what would be done" },
	{ 0, NULL, NULL, NULL },
};

struct resize {
	struct ctl *c;
	struct change ch;
	uint64_t size;			/* bytes, to come */
	bool yes, dry;
};

/* File systems whose size stands in the first blocks, and who shrinks them. */
struct fs {
	const char *name, *tool;
	uint64_t bytes;			/* 0: not known */
};

static uint32_t le32_at(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return le32toh(v);
}

static uint64_t be64_at(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return be64toh(v);
}

static void look_for_ext(const uint8_t *sb, struct fs *fs)
{
	uint64_t blocks = le32_at(sb + 0x4);
	uint32_t shift = le32_at(sb + 0x18);

	if (sb[0x38] != 0x53 || sb[0x39] != 0xef || shift > 6)
		return;
	if (le32_at(sb + 0x60) & 0x80)		/* 64-bit block numbers */
		blocks |= (uint64_t)le32_at(sb + 0x150) << 32;
	fs->name = "an ext file system";
	fs->tool = "resize2fs";
	fs->bytes = blocks * (1024ULL << shift);
}

static void look_for_xfs(const uint8_t *sb, struct fs *fs)
{
	uint32_t size;

	if (memcmp(sb, "XFSB", 4))
		return;
	memcpy(&size, sb + 4, sizeof(size));
	fs->name = "an XFS file system";
	fs->tool = "nothing (XFS can't shrink)";
	fs->bytes = be64_at(sb + 8) * be32toh(size);
}

static void look_for_btrfs(const uint8_t *sb, struct fs *fs)
{
	uint64_t v;

	if (memcmp(sb + 0x40, "_BHRfS_M", 8))
		return;
	/* total_bytes of its entry for this very device */
	memcpy(&v, sb + 0xd1, sizeof(v));
	fs->name = "a btrfs";
	fs->tool = "btrfs filesystem resize";
	fs->bytes = le64toh(v);
}

/* What lies on the volume, if that can be told. */
static void find_fs(const struct resize *r, struct fs *fs)
{
	static uint8_t head[0x10000 + 4096];
	char path[160];
	ssize_t n;
	int fd;

	memset(fs, 0, sizeof(*fs));
	snprintf(path, sizeof(path), "/dev/mapper/%s", r->ch.dm);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	n = pread(fd, head, sizeof(head), 0);
	close(fd);
	if (n != (ssize_t)sizeof(head))
		return;
	look_for_ext(head + 1024, fs);
	look_for_xfs(head, fs);
	look_for_btrfs(head + 0x10000, fs);
}

static int check_shrink(struct resize *r)
{
	uint64_t old = r->ch.sectors * 512;
	char a[32], b[32], d[32];
	struct fs fs;

	find_fs(r, &fs);
	ads_format_size(r->size, false, a, sizeof(a));
	ads_format_size(old - r->size, false, b, sizeof(b));
	if (fs.bytes > r->size)
		return ctl_fail(r->c, CTL_REFUSED,
				"%s of %s is on the volume, and would lose its end: first make it smaller with %s",
				fs.name, ads_format_size(fs.bytes, false, d,
							 sizeof(d)), fs.tool);
	if (r->yes || r->dry)
		return CTL_OK;
	return ctl_fail(r->c, CTL_REFUSED,
			"the last %s of the volume would be gone for ever: what is on it has to fit %s first%s%s%s; then --yes",
			b, a, fs.tool ? " (" : "", fs.tool ? fs.tool : "",
			fs.tool ? ")" : "");
}

static uint64_t free_slots(const struct resize *r, uint32_t *largest)
{
	uint64_t sum = 0;

	*largest = 0;
	for (size_t i = 0; i < r->ch.nr_m; i++) {
		const struct ads_member *m = &r->ch.m[i];

		if (m->state != ADSHARD_MEMBER_ONLINE || !m->present ||
		    m->spare)
			continue;
		sum += m->nr_free;
		if (m->nr_slots > *largest)
			*largest = m->nr_slots;
	}
	return sum;
}

static int check_grow(struct resize *r)
{
	uint64_t seg = r->ch.pool.segment_size, have, need;
	char a[32], b[32];
	uint32_t largest;

	need = (r->size + seg - 1) / seg - r->ch.pool.nr_segments;
	have = free_slots(r, &largest);
	if (need > have)
		return ctl_fail(r->c, CTL_REFUSED,
				"%s need %llu more segments, %llu are free on members that take data (at most %s)",
				ads_format_size(r->size, false, a, sizeof(a)),
				(unsigned long long)need,
				(unsigned long long)have,
				ads_format_size((r->ch.pool.nr_segments + have) *
						seg, false, b, sizeof(b)));
	if (need && have - need < largest)
		ctl_warn(r->c, "only %llu segments stay free; emptying the largest member may take %u",
			 (unsigned long long)(have - need), largest);
	return CTL_OK;
}

/* "100G", "+10G", "-10G" */
static void parse(struct resize *r, const char *s)
{
	uint64_t old = r->ch.sectors * 512, n;

	n = ctl_parse_size(r->c, "the size", s + (*s == '+' || *s == '-'));
	if (*s == '-' && n >= old)
		ctl_usage(r->c, "that leaves nothing of the volume");
	r->size = *s == '+' ? old + n : *s == '-' ? old - n : n;
	if (!r->size || r->size % 4096)
		ctl_usage(r->c, "the size has to be a multiple of 4096 bytes");
}

static int apply(struct resize *r)
{
	char features[64] = "";

	if (r->size / 512 < r->ch.sectors)
		snprintf(features, sizeof(features), "2 shrink_from %llu",
			 (unsigned long long)r->ch.sectors);
	return change_apply(&r->ch, r->ch.dev, r->ch.nr_dev, features,
			    r->size / 512, "the volume can't get this size");
}

static int run(struct ctl *c, int argc, char **argv)
{
	struct resize r = { .c = c };
	char a[32], b[32];
	uint64_t old;
	int val, rc;

	/* "-10G" is a size, not options. */
	for (int i = 1; i < argc; i++)
		if (argv[i][0] == '-' && argv[i][1] >= '0' && argv[i][1] <= '9')
			argv[i][0] = '\001';
	while ((val = ctl_getopt(c, argc, argv)) != -1) {
		r.yes |= val == 'y';
		r.dry |= val == 'N';
	}
	if (argc - optind != 1)
		ctl_usage(c, "the size: SIZE, +SIZE or -SIZE");
	if (argv[optind][0] == '\001')
		argv[optind][0] = '-';
	rc = change_begin(&r.ch, c);
	if (rc)
		goto out;
	parse(&r, argv[optind]);
	old = r.ch.sectors * 512;
	ads_format_size(old, false, a, sizeof(a));
	ads_format_size(r.size, false, b, sizeof(b));
	if (r.size != old)
		rc = r.size < old ? check_shrink(&r) : check_grow(&r);
	if (!rc && r.size == old)
		ctl_say(c, "%s: %s already", r.ch.pool.name, a);
	else if (!rc && r.dry)
		ctl_say(c, "%s: would go from %s to %s; nothing was done",
			r.ch.pool.name, a, b);
	else if (!rc)
		rc = apply(&r);
	if (!rc && !r.dry && r.size != old)
		ctl_say(c, "%s: %s, had %s%s", r.ch.pool.name, b, a,
			r.size > old ? "; the file system does not know yet" :
			"");
	if (c->doc) {
		ads_json_bool(c->doc, "dry_run", r.dry);
		ads_json_u64(c->doc, "size", r.size);
		ads_json_u64(c->doc, "had", old);
	}
out:
	change_free(&r.ch);
	return rc;
}

const struct ctl_cmd ctl_resize = {
	.name = "resize",
	.args = "SIZE|+SIZE|-SIZE",
	.summary = "Make the volume longer or shorter",
	.opts = opts,
	.run = run,
};
