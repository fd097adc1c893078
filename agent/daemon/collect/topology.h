/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a disk hangs, out of sysfs.
 */
#ifndef ADSHARDD_TOPOLOGY_H
#define ADSHARDD_TOPOLOGY_H

#include <stddef.h>

/*
 * The device that the whole disk @name ("sdb") hangs on, such as "0000:03:00.0"
 * of PCI: several disks of a SAS or SATA controller have the same, NVMe disks are
 * their own. Empty if there is none, as of virtual disks.
 */
char *topology_controller(const char *name, char *buf, size_t size);

/* Its ATA port, "ata3", as the kernel's log names it; empty if there is none. */
char *topology_port(const char *name, char *buf, size_t size);

#endif
