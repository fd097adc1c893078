/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From places in the volume back to the files that lie there.
 */
#ifndef CTL_REVERSE_H
#define CTL_REVERSE_H

#include "lib/owners.h"

#include "ctl.h"

/*
 * Finds the file system that lies directly on the volume and asks all its files.
 * CTL_NOENT with a sentence if there is none that is mounted, or something else
 * is in between. @o is to be freed in any case.
 */
int reverse_find(struct ctl *c, const struct ads_pool *p,
		 const struct ads_owner_range *r, size_t nr,
		 struct ads_owners *o);

/* "file", "directory, shared", "-" without one */
const char *reverse_kind(const struct ads_owner *p, char *buf, size_t size);
#define REVERSE_NONE	"no file (free space or metadata)"

/* One piece from @start to @end, as the documents have it. */
void reverse_json(struct json_object *list, uint64_t start, uint64_t end,
		  const struct ads_owner *p);

/* locate --reverse: PLACE..., or with @bad all bad ranges. An exit code. */
int reverse_locate(struct ctl *c, char **argv, int argc, bool bad);

/* segments --bad. @f: which segments; of @from only, unless that is NULL. */
int reverse_bad(struct ctl *c, const struct ads_seg_filter *f,
		const char *from, bool files);

#endif
