/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where smartctl has to ask for a disk: behind a RAID controller it wants the
 * controller's device and a type, "-d megaraid,3 /dev/bus/0".
 *
 * They are said by smart.devices, "sdb=megaraid,3@/dev/bus/0 sdc=sat", or found:
 * with the word "auto" in it smartctl is asked now and then which disks there are
 * behind controllers, and each of these for its serial number and WWN; what the
 * kernel says of a member's disk is compared with them.
 */
#ifndef ADSHARDD_SMART_SCAN_H
#define ADSHARDD_SMART_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#include "daemon/ctx.h"

struct smart_target {
	char device[80];
	char type[48];		/* "" : smartctl knows by itself */
};

/* false: a word of it makes no sense, *bad. */
bool smart_devices_check(const char *devices, char *bad, size_t size);
bool smart_devices_auto(const char *devices);
/* What it says of "/dev/sdb": true, and *out. */
bool smart_devices_find(const char *devices, const char *disk,
			struct smart_target *out);

/* Disks behind controllers in the output of smartctl --scan; how many. */
size_t smart_scan_parse(const char *json, size_t len, struct smart_target *out,
			size_t max);

/* Of one of them. */
struct smart_found {
	struct smart_target target;
	char serial[64];
	char wwn[40];		/* "naa.5000c500a1b2c3d4", or "" */
};
/* Out of smartctl -i; false: it says neither. */
bool smart_scan_identity(const char *json, size_t len, struct smart_found *f);
/* Is it the disk of which sysfs says that? */
bool smart_scan_matches(const struct smart_found *f, const char *serial,
			const char *wwid);

struct smart_scan;

/* Where to ask for the member's disk. Starts a scan, if one is due. */
void smart_scan_target(struct member *m, struct smart_target *out);
void smart_scan_free(struct smart_scan *s);	/* NULL is fine */

#endif
