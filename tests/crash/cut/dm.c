// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "dm.h"

struct request {
	struct dm_ioctl head;
	char data[3072];
};

static int control = -1;

int dm_open(void)
{
	control = open("/dev/mapper/control", O_RDWR | O_CLOEXEC);
	return control < 0 ? -errno : 0;
}

static void prepare(struct request *r, const char *name)
{
	memset(r, 0, sizeof(*r));
	r->head.version[0] = DM_VERSION_MAJOR;
	r->head.data_size = sizeof(*r);
	r->head.data_start = offsetof(struct request, data);
	snprintf(r->head.name, sizeof(r->head.name), "%s", name);
}

static int call(unsigned long command, struct request *r)
{
	return ioctl(control, command, r) ? -errno : 0;
}

static int simple(unsigned long command, const char *name, uint32_t flags)
{
	struct request r;

	prepare(&r, name);
	r.head.flags = flags;
	return call(command, &r);
}

int dm_create(const char *name, const char *path, dev_t *dev)
{
	struct request r;
	int rc;

	prepare(&r, name);
	rc = call(DM_DEV_CREATE, &r);
	if (rc)
		return rc;
	*dev = makedev((r.head.dev >> 8) & 0xfff, (r.head.dev & 0xff) | (r.head.dev >> 12 & 0xfff00));
	unlink(path);
	return mknod(path, S_IFBLK | 0600, *dev) ? -errno : 0;
}

int dm_load(const char *name, uint64_t sectors, const char *target, const char *params)
{
	struct dm_target_spec *spec;
	struct request r;

	prepare(&r, name);
	r.head.target_count = 1;
	spec = (void *)r.data;
	spec->length = sectors;
	snprintf(spec->target_type, sizeof(spec->target_type), "%s", target);
	snprintf((char *)(spec + 1), sizeof(r.data) - sizeof(*spec), "%s", params);
	return call(DM_TABLE_LOAD, &r);
}

int dm_resume(const char *name)
{
	return simple(DM_DEV_SUSPEND, name, 0);
}

int dm_suspend(const char *name)
{
	return simple(DM_DEV_SUSPEND, name, DM_SUSPEND_FLAG | DM_NOFLUSH_FLAG | DM_SKIP_LOCKFS_FLAG);
}

int dm_remove(const char *name)
{
	int rc = -EBUSY;

	/* somebody may still be closing it */
	for (int i = 0; rc == -EBUSY && i < 500; i++) {
		rc = simple(DM_DEV_REMOVE, name, 0);
		if (rc == -EBUSY)
			usleep(10000);
	}
	return rc;
}

int dm_message(const char *name, const char *fmt, ...)
{
	struct dm_target_msg *message;
	struct request r;
	va_list ap;

	prepare(&r, name);
	message = (void *)r.data;
	message->sector = 0;
	va_start(ap, fmt);
	vsnprintf(message->message, sizeof(r.data) - sizeof(*message), fmt, ap);
	va_end(ap);
	return call(DM_TARGET_MSG, &r);
}
