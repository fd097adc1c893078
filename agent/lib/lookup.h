/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From what people type to the kernel's objects.
 */
#ifndef ADS_LOOKUP_H
#define ADS_LOOKUP_H

#include "nl.h"

/*
 * An active pool by UUID, name, volume (/dev/mapper/NAME, dm name) or, with
 * NULL, the only one there is. -ENOENT, -ENOTUNIQ.
 */
int ads_find_pool(struct ads_nl *nl, const char *pool_or_null,
		  struct ads_pool *out, struct ads_err *err);

/*
 * A member by index, device path, kernel name of its device or UUID. Returns
 * its place in @members. -ENOENT.
 */
int ads_find_member(const struct ads_member *members, size_t nr,
		    const char *what, struct ads_err *err);

/* Place of the member with this index, -1 if there is none. */
int ads_member_by_index(const struct ads_member *members, size_t nr,
			uint32_t index);

/* "/dev/sdb", or "member 3 (missing)". Always terminated. */
void ads_member_name(const struct ads_member *m, char *buf, size_t size);

#endif
