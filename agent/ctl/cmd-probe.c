// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * adshardctl probe: is a device a member? With --udev as udev wants to hear it.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/super.h"
#include "lib/units.h"

#include "verbs.h"

static const struct ctl_opt opts[] = {
	{ 'u', "udev", NULL, "print ID_FS_... for a udev rule" },
	{ 0, NULL, NULL, NULL },
};

/* What may stand in a symlink's name goes through, the rest becomes '_'. */
static void print_encoded(const char *key, const char *value)
{
	printf("%s=", key);
	for (; *value; value++)
		putchar(strchr("/ \\\"'", *value) || *value < ' ' ? '_' :
								     *value);
	putchar('\n');
}

static void print_udev(const struct ads_super *sb)
{
	char uuid[ADS_UUID_STR];

	puts("ID_FS_TYPE=adshard_member\nID_FS_USAGE=raid");
	printf("ID_FS_VERSION=%u\n", sb->version);
	printf("ID_FS_UUID=%s\n", ads_format_uuid(sb->pool_uuid, uuid));
	printf("ID_FS_UUID_ENC=%s\n", uuid);
	printf("ID_FS_UUID_SUB=%s\n", ads_format_uuid(sb->member_uuid, uuid));
	printf("ID_FS_UUID_SUB_ENC=%s\n", uuid);
	if (sb->pool_name[0]) {
		print_encoded("ID_FS_LABEL", sb->pool_name);
		print_encoded("ID_FS_LABEL_ENC", sb->pool_name);
	}
}

static void print_plain(struct ctl *c, const char *dev,
			const struct ads_super *sb)
{
	char pool[ADS_UUID_STR], member[ADS_UUID_STR], size[32];

	ads_format_uuid(sb->pool_uuid, pool);
	ads_format_uuid(sb->member_uuid, member);
	if (c->doc) {
		ads_json_str(c->doc, "device", dev);
		ads_json_str(c->doc, "pool", pool);
		ads_json_str(c->doc, "name",
			     sb->pool_name[0] ? sb->pool_name : NULL);
		ads_json_u64(c->doc, "member", sb->member_index);
		ads_json_str(c->doc, "uuid", member);
		ads_json_u64(c->doc, "version", sb->version);
		ads_json_u64(c->doc, "segment_size",
			     512ULL << sb->segment_shift);
		ads_json_u64(c->doc, "chunk_size", 512ULL << sb->chunk_shift);
		ads_json_u64(c->doc, "created", sb->created);
		ads_json_u64(c->doc, "copies", sb->copies == 3 ? 2 : 1);
		return;
	}
	ctl_say(c, "%s: member %u (%s) of pool %s%s%s%s, segments of %s", dev,
		sb->member_index, member, sb->pool_name,
		sb->pool_name[0] ? " (" : "", pool,
		sb->pool_name[0] ? ")" : "",
		ads_format_size(512ULL << sb->segment_shift, false, size,
				sizeof(size)));
}

static int run(struct ctl *c, int argc, char **argv)
{
	struct ads_err err = { "" };
	struct ads_super sb;
	bool udev = false;
	const char *dev;
	int val, fd, rc;

	while ((val = ctl_getopt(c, argc, argv)) != -1)
		udev |= val == 'u';
	if (argc - optind != 1)
		ctl_usage(c, "one device");
	dev = argv[optind];
	fd = open(dev, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0) {
		rc = -errno;
		ads_err(&err, 0, "%s: can't be opened: %s", dev,
			strerror(-rc));
		return ctl_fail_err(c, rc, &err);
	}
	rc = ads_super_read(fd, dev, &sb, &err);
	close(fd);
	if (rc == -ENODATA)
		return udev ? CTL_NOENT :
		       ctl_fail(c, CTL_NOENT, "%s", err.text);
	/* Of a later version, or cut short: still a member, and nobody else's. */
	if (udev && (!rc || rc == -EPROTONOSUPPORT || rc == -ENOSPC)) {
		print_udev(&sb);
		return CTL_OK;
	}
	if (rc)
		return ctl_fail(c, CTL_FAILED, "%s", err.text);
	print_plain(c, dev, &sb);
	if (sb.copies != 3)
		ctl_warn(c, "%s: one copy of the superblock is damaged", dev);
	return CTL_OK;
}

const struct ctl_cmd ctl_probe = {
	.name = "probe",
	.args = "DEVICE",
	.summary = "Say whether a device is a member, and of which pool",
	.opts = opts,
	.flags = CTL_NO_POOL,
	.run = run,
};
