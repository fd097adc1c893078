/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Repair of metadata: a plan, made of changed blocks that have not been written
 * yet, and the file that keeps what they replace.
 */
#ifndef CTL_REPAIR_H
#define CTL_REPAIR_H

#include "gather.h"

/*
 * The order of writes; each phase is durable before the next one begins. A
 * crash between any two leaves a member that is damaged as before or less, and
 * never one that looks older than it is: its last record comes first. Its
 * superblocks come last: until then it belongs to no pool.
 */
enum repair_phase {
	REPAIR_LAST,			/* record */
	REPAIR_RING,
	REPAIR_OLDER_BODY,		/* of the table that did not count */
	REPAIR_OLDER_HEADER,
	REPAIR_BODY,
	REPAIR_HEADER,
	REPAIR_SUPER1,			/* as in the kernel: copy 1, then 0 */
	REPAIR_SUPER0,
	REPAIR_PHASES
};

/* One line of the plan. */
struct repair_step {
	struct ads_off_dev *dev;
	uint32_t member;
	size_t blocks;
	char what[96];			/* "both copies of the superblock" */
	char from[128];			/* where it comes from */
};

struct repair {
	struct ctl *c;
	struct gathered *p;
	struct repair_step *step;
	size_t nr_step, nr_block;
};

/*
 * Fills in the steps and changes the blocks of p->off, which is judged with the
 * changes in the end. 0, or an exit code; what stands against it was said.
 */
int repair_plan(struct repair *r);

/* backup.c */

/* Writes what the changes of @r replace to a new file, durably. */
int backup_make(struct repair *r, const char *path);
/*
 * Goes back: writes the blocks in @path to the devices they come from, or to those
 * of @argv which they fit. An exit code.
 */
int backup_restore(struct ctl *c, const char *path, char **argv, int argc,
		   bool force, bool dry);

#endif
