// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <linux/fs.h>

#include "dev.h"

const char *ads_sysfs(void)
{
	const char *s = getenv("ADSHARD_SYSFS");

	return s && *s ? s : "/sys";
}

int ads_sysfs_read(const char *path, char *buf, size_t size)
{
	char full[PATH_MAX];
	ssize_t n;
	int fd;

	buf[0] = '\0';
	snprintf(full, sizeof(full), "%s/%s", ads_sysfs(), path);
	fd = open(full, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, buf, size - 1);
	if (n < 0)
		n = -errno;
	close(fd);
	if (n < 0) {
		buf[0] = '\0';
		return n;
	}
	buf[n] = '\0';
	/* SCSI pads model and serial with blanks. */
	while (n > 0 && (buf[n - 1] == '\n' || buf[n - 1] == ' '))
		buf[--n] = '\0';
	return 0;
}

int ads_dev_id(const char *path, uint32_t *maj, uint32_t *min,
	       struct ads_err *err)
{
	struct stat st;

	if (stat(path, &st))
		return ads_err(err, -errno, "%s: %s", path, strerror(errno));
	if (!S_ISBLK(st.st_mode))
		return ads_err(err, -ENOTBLK, "%s is not a block device", path);
	*maj = major(st.st_rdev);
	*min = minor(st.st_rdev);
	return 0;
}

static bool read_bool(const char *dir, const char *attr)
{
	char path[PATH_MAX], v[8];

	snprintf(path, sizeof(path), "%s/%s", dir, attr);
	return !ads_sysfs_read(path, v, sizeof(v)) && v[0] == '1';
}

/* "serial" is in device/ for SCSI and virtio, one level up for NVMe. */
static void read_identity(const char *disk, struct ads_dev_info *info)
{
	static const char *const serials[] = { "device/serial", "serial" };
	static const char *const wwids[] = { "wwid", "device/wwid" };
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "block/%s/device/model", disk);
	ads_sysfs_read(path, info->model, sizeof(info->model));
	for (int i = 0; i < 2 && !info->serial[0]; i++) {
		snprintf(path, sizeof(path), "block/%s/%s", disk, serials[i]);
		ads_sysfs_read(path, info->serial, sizeof(info->serial));
	}
	for (int i = 0; i < 2 && !info->wwid[0]; i++) {
		snprintf(path, sizeof(path), "block/%s/%s", disk, wwids[i]);
		ads_sysfs_read(path, info->wwid, sizeof(info->wwid));
	}
}

int ads_dev_info(uint32_t maj, uint32_t min, struct ads_dev_info *info)
{
	char dir[64], path[PATH_MAX], link[PATH_MAX], text[64];
	char *name, *up;
	ssize_t n;

	memset(info, 0, sizeof(*info));
	info->major = maj;
	info->minor = min;
	snprintf(dir, sizeof(dir), "dev/block/%u:%u", maj, min);
	snprintf(path, sizeof(path), "%s/%s", ads_sysfs(), dir);
	n = readlink(path, link, sizeof(link) - 1);
	if (n < 0)
		return -ENODEV;
	link[n] = '\0';
	name = strrchr(link, '/');
	if (!name)
		return -ENODEV;
	*name++ = '\0';
	snprintf(info->name, sizeof(info->name), "%s", name);
	/* sysfs writes cciss!c0d0 for cciss/c0d0 */
	for (char *c = info->name; *c; c++)
		if (*c == '!')
			*c = '/';
	snprintf(info->path, sizeof(info->path), "/dev/%s", info->name);

	snprintf(path, sizeof(path), "%s/size", dir);
	if (!ads_sysfs_read(path, text, sizeof(text)))
		info->size = strtoull(text, NULL, 10) * 512;
	info->readonly = read_bool(dir, "ro");
	snprintf(path, sizeof(path), "%s/partition", dir);
	info->partition = !ads_sysfs_read(path, text, sizeof(text));
	up = info->partition ? strrchr(link, '/') : NULL;
	if (up)
		snprintf(info->parent, sizeof(info->parent), "%s", up + 1);
	else
		snprintf(info->parent, sizeof(info->parent), "%s", name);
	snprintf(path, sizeof(path), "block/%s", info->parent);
	info->removable = read_bool(path, "removable");
	info->rotational = read_bool(path, "queue/rotational");
	read_identity(info->parent, info);
	snprintf(path, sizeof(path), "%s/dm/name", dir);
	if (!ads_sysfs_read(path, info->dm_name, sizeof(info->dm_name)))
		snprintf(info->path, sizeof(info->path), "/dev/mapper/%s",
			 info->dm_name);
	snprintf(path, sizeof(path), "%s/dm/uuid", dir);
	ads_sysfs_read(path, info->dm_uuid, sizeof(info->dm_uuid));
	for (char *c = info->parent; *c; c++)
		if (*c == '!')
			*c = '/';
	return 0;
}

void ads_dev_path(uint32_t maj, uint32_t min, char *buf, size_t size)
{
	struct ads_dev_info info;

	if (ads_dev_info(maj, min, &info))
		snprintf(buf, size, "%u:%u", maj, min);
	else
		snprintf(buf, size, "%s", info.path);
}

int ads_dev_size(int fd, uint64_t *size)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	if (S_ISREG(st.st_mode)) {
		*size = st.st_size;
		return 0;
	}
	if (!S_ISBLK(st.st_mode))
		return -ENOTBLK;
	return ioctl(fd, BLKGETSIZE64, size) ? -errno : 0;
}
