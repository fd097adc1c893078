// SPDX-License-Identifier: GPL-2.0-or-later
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <blkid.h>
#include <linux/fs.h>

#include "blank.h"
#include "dev.h"
#include "super.h"
#include "units.h"

/* The first thing below /sys/dev/block/M:m/@dir, or false. */
static bool first_entry(uint32_t maj, uint32_t min, const char *dir,
			char *buf, size_t size)
{
	char path[PATH_MAX];
	struct dirent *d;
	bool found = false;
	DIR *h;

	snprintf(path, sizeof(path), "%s/dev/block/%u:%u/%s", ads_sysfs(), maj,
		 min, dir);
	h = opendir(path);
	if (!h)
		return false;
	while (!found && (d = readdir(h))) {
		if (d->d_name[0] == '.')
			continue;
		snprintf(buf, size, "%s", d->d_name);
		found = true;
	}
	closedir(h);
	return found;
}

/* Mount point of the device itself, from the kernel's own list. */
static bool mounted_on(uint32_t maj, uint32_t min, char *buf, size_t size)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	char *line = NULL;
	size_t cap = 0;
	bool found = false;

	if (!f)
		return false;
	while (!found && getline(&line, &cap, f) > 0) {
		char where[PATH_MAX];
		unsigned int a, b;

		if (sscanf(line, "%*d %*d %u:%u %*s %4095s", &a, &b,
			   where) == 3 && a == maj && b == min) {
			snprintf(buf, size, "%s", where);
			found = true;
		}
	}
	free(line);
	fclose(f);
	return found;
}

static void say(struct ads_blank *out, enum ads_blank_verdict verdict,
		const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static void say(struct ads_blank *out, enum ads_blank_verdict verdict,
		const char *fmt, ...)
{
	va_list ap;

	out->verdict = verdict;
	va_start(ap, fmt);
	vsnprintf(out->what, sizeof(out->what), fmt, ap);
	va_end(ap);
}

static bool check_users(uint32_t maj, uint32_t min, struct ads_blank *out)
{
	char who[256], path[PATH_MAX], dm[160] = "";
	struct ads_dev_info info;

	if (mounted_on(maj, min, who, sizeof(who))) {
		say(out, ADS_BLANK_BUSY, "is mounted on %s", who);
		return true;
	}
	if (first_entry(maj, min, "holders", who, sizeof(who))) {
		snprintf(path, sizeof(path), "class/block/%s/dm/name", who);
		ads_sysfs_read(path, dm, sizeof(dm));
		say(out, ADS_BLANK_BUSY, "is in use by %s%s%s%s", who,
		    dm[0] ? " (" : "", dm, dm[0] ? ")" : "");
		return true;
	}
	if (!ads_dev_info(maj, min, &info) && info.readonly) {
		say(out, ADS_BLANK_BUSY, "is read-only");
		return true;
	}
	return false;
}

static const char *value(blkid_probe pr, const char *name)
{
	const char *v;

	return blkid_probe_lookup_value(pr, name, &v, NULL) ? NULL : v;
}

static int check_signatures(int fd, const char *dev, struct ads_blank *out,
			    struct ads_err *err)
{
	blkid_probe pr = blkid_new_probe();
	const char *type, *label, *usage;
	int rc;

	if (!pr || blkid_probe_set_device(pr, fd, 0, 0)) {
		blkid_free_probe(pr);
		return ads_err(err, -EIO, "%s: can't be probed", dev);
	}
	blkid_probe_enable_superblocks(pr, 1);
	blkid_probe_set_superblocks_flags(pr, BLKID_SUBLKS_TYPE |
					  BLKID_SUBLKS_LABEL |
					  BLKID_SUBLKS_USAGE |
					  BLKID_SUBLKS_BADCSUM);
	blkid_probe_enable_partitions(pr, 1);
	blkid_probe_set_partitions_flags(pr, BLKID_PARTS_FORCE_GPT);
	/*
	 * One signature at a time: the "safe" probe gives up, and says nothing,
	 * where it finds two.
	 */
	rc = blkid_do_probe(pr);
	if (rc < 0) {
		blkid_free_probe(pr);
		return ads_err(err, -EIO, "%s: can't be read", dev);
	}
	if (!rc) {
		type = value(pr, "PTTYPE");
		if (type) {
			say(out, ADS_BLANK_DIRTY, "has a partition table (%s)",
			    type);
		} else {
			type = value(pr, "TYPE");
			label = value(pr, "LABEL");
			usage = value(pr, "USAGE");
			say(out, ADS_BLANK_DIRTY, "holds %s%s%s%s%s",
			    type ? type : "an unknown signature",
			    usage && !strcmp(usage, "filesystem") ?
				    " (a file system)" :
			    usage && !strcmp(usage, "raid") ?
				    " (part of another volume)" : "",
			    label ? " labelled '" : "", label ? label : "",
			    label ? "'" : "");
		}
	}
	blkid_free_probe(pr);
	return 0;
}

static int check_head(int fd, const char *dev, struct ads_blank *out,
		      struct ads_err *err)
{
	char pool[ADS_UUID_STR];
	struct ads_super sb;
	uint8_t *head;
	ssize_t n;
	int rc = 0;

	head = aligned_alloc(4096, ADSHARD_BLANK_BYTES);
	if (!head)
		return -ENOMEM;
	n = pread(fd, head, ADSHARD_BLANK_BYTES, 0);
	if (n != ADSHARD_BLANK_BYTES) {
		rc = ads_err(err, n < 0 ? -errno : -ENOSPC, n < 0 ?
			     "%s: can't be read: %s" : "%s: is too small%s",
			     dev, n < 0 ? strerror(errno) : "");
		goto out;
	}
	rc = ads_super_parse(head, out->size, dev, &sb, NULL);
	if (rc == 0 || rc == -EINVAL || rc == -EPROTONOSUPPORT ||
	    rc == -ENOSPC) {
		ads_format_uuid(sb.pool_uuid, pool);
		say(out, ADS_BLANK_DIRTY,
		    "is member %u of the adshard pool %s%s%s%s",
		    sb.member_index,
		    sb.pool_name[0] ? sb.pool_name : pool,
		    sb.pool_name[0] ? " (" : "",
		    sb.pool_name[0] ? pool : "", sb.pool_name[0] ? ")" : "");
	} else if (rc == -EBADMSG) {
		say(out, ADS_BLANK_DIRTY,
		    "has a damaged adshard superblock");
	} else {
		for (size_t i = 0; i < ADSHARD_BLANK_BYTES; i++) {
			if (!head[i])
				continue;
			say(out, ADS_BLANK_DIRTY,
			    "has data in its first 128 KiB (no known signature)");
			break;
		}
	}
	rc = 0;
out:
	free(head);
	return rc;
}

/* Exclusive, so that nobody mounts it meanwhile; past the page cache. */
static int open_excl(const char *dev, int flags)
{
	int fd = open(dev, flags | O_EXCL | O_DIRECT | O_CLOEXEC);

	if (fd < 0 && errno == EINVAL)
		fd = open(dev, flags | O_EXCL | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int ads_blank_check(const char *dev, struct ads_blank *out,
		    struct ads_err *err)
{
	uint32_t maj, min;
	int fd, lbs = 512, rc;

	memset(out, 0, sizeof(*out));
	rc = ads_dev_id(dev, &maj, &min, err);
	if (rc)
		return rc;
	fd = open_excl(dev, O_RDONLY);
	if (fd == -EBUSY) {
		if (!check_users(maj, min, out))
			say(out, ADS_BLANK_BUSY, "is in use (by the kernel or another program)");
		return 0;
	}
	if (fd < 0)
		return ads_err(err, fd, "%s: can't be opened: %s", dev,
			       strerror(-fd));
	rc = ads_dev_size(fd, &out->size);
	if (rc || !out->size) {
		rc = ads_err(err, rc ? rc : -ENOMEDIUM, "%s: has no medium",
			     dev);
		goto out;
	}
	ioctl(fd, BLKSSZGET, &lbs);
	out->logical_block_size = lbs;
	if (check_users(maj, min, out))
		goto out;
	rc = check_head(fd, dev, out, err);
	/* What is ours is named by us; libblkid may not know it. */
	if (!rc && (out->verdict == ADS_BLANK_CLEAN ||
		    strstr(out->what, "no known signature"))) {
		int fd2 = open(dev, O_RDONLY | O_CLOEXEC);

		rc = fd2 < 0 ? -errno : check_signatures(fd2, dev, out, err);
		if (fd2 >= 0)
			close(fd2);
	}
out:
	close(fd);
	return rc;
}

static int wipe_signatures(const char *dev, int fd, struct ads_err *err)
{
	blkid_probe pr = blkid_new_probe();
	int rc = 0;

	if (!pr || blkid_probe_set_device(pr, fd, 0, 0)) {
		blkid_free_probe(pr);
		return ads_err(err, -EIO, "%s: can't be probed", dev);
	}
	blkid_probe_enable_superblocks(pr, 1);
	blkid_probe_set_superblocks_flags(pr, BLKID_SUBLKS_MAGIC |
					  BLKID_SUBLKS_BADCSUM);
	blkid_probe_enable_partitions(pr, 1);
	blkid_probe_set_partitions_flags(pr, BLKID_PARTS_MAGIC |
					 BLKID_PARTS_FORCE_GPT);
	while (!blkid_do_probe(pr)) {
		if (blkid_do_wipe(pr, 0)) {
			rc = ads_err(err, -EIO,
				     "%s: a signature can't be erased", dev);
			break;
		}
	}
	blkid_free_probe(pr);
	return rc;
}

int ads_blank_wipe(const char *dev, struct ads_err *err)
{
	void *zero;
	int fd, rc;

	fd = open(dev, O_RDWR | O_EXCL | O_CLOEXEC);
	if (fd < 0)
		return ads_err(err, -errno, "%s: can't be opened for writing: %s",
			       dev, strerror(errno));
	rc = wipe_signatures(dev, fd, err);
	if (rc)
		goto out;
	zero = calloc(1, ADSHARD_BLANK_BYTES);
	if (!zero) {
		rc = -ENOMEM;
		goto out;
	}
	if (pwrite(fd, zero, ADSHARD_BLANK_BYTES, 0) != ADSHARD_BLANK_BYTES ||
	    fsync(fd))
		rc = ads_err(err, -EIO, "%s: can't be written: %s", dev,
			     strerror(errno));
	free(zero);
	/* Partitions of the old table would otherwise stay until reboot. */
	if (!rc)
		ioctl(fd, BLKRRPART);
out:
	close(fd);
	return rc;
}
