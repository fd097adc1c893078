/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bad ranges in words: what nobody could read when its segment was moved.
 */
#ifndef CTL_BAD_H
#define CTL_BAD_H

#include "ctl.h"

struct bad_sum {
	size_t ranges;
	uint64_t bytes;
};

/* Of what @mine says is wanted; NULL: of all. */
typedef bool (*bad_mine_fn)(const struct ads_bad *b, void *arg);
struct bad_sum bad_add_up(const struct ads_bad *bad, size_t nr,
			  bad_mine_fn mine, void *arg);

/* The same of the kernel's ranges of a pool. -errno. */
int bad_ask(struct ctl *c, const uint8_t *pool, bad_mine_fn mine, void *arg,
	    struct bad_sum *out, struct ads_err *err);

/* "12.0 KiB in 3 ranges" */
const char *bad_words(struct bad_sum sum, char *buf, size_t size);

/* "/dev/sdb, /dev/sdc": who could not read them. */
void bad_sources(const struct ads_bad *bad, size_t nr,
		 const struct ads_member *m, size_t nr_m, char *buf,
		 size_t size);

/*
 * A job that has left some behind: a sentence to stdout, "bad_ranges" and
 * "bad_bytes" to @o if there is a document. CTL_UNREAD if there are any.
 */
int bad_report(struct ctl *c, struct json_object *o, const char *what,
	       const char *done, struct bad_sum sum, const char *more);

#endif
