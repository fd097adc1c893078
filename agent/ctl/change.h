/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Changes of a pool that is active: another table for its volume.
 */
#ifndef CTL_CHANGE_H
#define CTL_CHANGE_H

#include "ctl.h"

struct change {
	struct ctl *c;
	struct ads_pool pool;
	struct ads_member *m;
	size_t nr_m;
	char dm[128];			/* name of the mapped device */
	char *line;			/* that it has */
	uint64_t sectors;
	char **dev;			/* "8:16", in the line's order */
	size_t nr_dev;
};

/* All return an exit code and have reported what is wrong. */

/* The pool (--pool), its members and its table. */
int change_begin(struct change *ch, struct ctl *c);
/*
 * Have a table of these devices, with feature arguments (or ""), and so long.
 * @what: for sentences, "sdb can't join".
 */
int change_apply(struct change *ch, char *const *dev, size_t nr,
		 const char *features, uint64_t sectors, const char *what);
/* The members as they are now, after a change. */
int change_reread(struct change *ch);
/* Place in @ch->dev of a member's device, @nr_dev if it has none. */
size_t change_device(const struct change *ch, const struct ads_member *m);
void change_free(struct change *ch);

/* member-add.c, member-remove.c: parts of the verb "member" */

struct member_args {
	char **arg;			/* devices or members */
	int nr;
	bool dry, wipe, reuse;
	struct ads_member_change set;	/* of new ones */
};

int member_add(struct ctl *c, const struct member_args *a);
int member_remove(struct ctl *c, const struct member_args *a);
int member_replace(struct ctl *c, const struct member_args *a);

#endif
