/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mapped devices by bare ioctls, because several threads have to talk to device-mapper at the same
 * instant, which libdevmapper is not made for. Node of a device: the path that was given.
 * 0 or -errno.
 */
#ifndef CUT_DM_H
#define CUT_DM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

int dm_open(void);			/* once */
int dm_create(const char *name, const char *path, dev_t *dev);
int dm_load(const char *name, uint64_t sectors, const char *target, const char *params);
int dm_resume(const char *name);
int dm_suspend(const char *name);	/* noflush, nolockfs: new I/O waits */
int dm_remove(const char *name);
int dm_message(const char *name, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
