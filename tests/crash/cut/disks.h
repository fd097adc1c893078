/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The disks under the pool: mapped devices "cut0"... of the target in ../disk/dm-volatile.c.
 */
#ifndef CUT_DISKS_H
#define CUT_DISKS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "load.h"

#define MAX_DISKS	8

enum how_to_cut {
	CUT_AT_ONCE,		/* all at one instant: I/O waits, then it fails */
	CUT_IN_TURN,		/* one after the other, and I/O goes on meanwhile */
	HOW_TO_CUT
};

struct disks {
	unsigned int nr, mib;
	unsigned int latency;		/* microseconds at most, of some of them; 0: none */
	unsigned int meta_sectors;	/* where the metadata ends, for faults */
	unsigned int sectors;		/* of each; filled in */
	bool lie;			/* negative control: one takes no flushes */
	dev_t dev[MAX_DISKS];
};

bool disks_make(struct disks *d, uint64_t *rnd);	/* new and zeroed, with power */
void disks_unmake(struct disks *d);			/* nobody may have them open */

/* Power off, of all at once: what is in a cache is lost, but for a random part. I/O waits. */
void disks_freeze(struct disks *d, uint64_t *rnd);
/* All I/O of the frozen disks fails; or: power off, in turn, and I/O fails. */
void disks_cut(struct disks *d, enum how_to_cut how, uint64_t *rnd);
void disks_power(struct disks *d, uint64_t *rnd);

/* No metadata of the disk can be written or read; nothing can be written; or all can, again. */
void disks_fault(void *arg, unsigned int disk, enum fault fault);

#endif
