/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Disks in memory that lose their cache with their power: null_blk, each under a linear device of
 * its own ("cut0"...), by which all of them can be made to hang at one instant.
 */
#ifndef CUT_NULLB_H
#define CUT_NULLB_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define MAX_DISKS	8

enum how_to_cut {
	CUT_AT_ONCE,		/* all at one instant: they hang, then they are gone */
	CUT_IN_TURN,		/* one after the other, and I/O goes on meanwhile */
	HOW_TO_CUT
};

struct disks {
	unsigned int nr, mib;
	unsigned int block;		/* bytes of a logical block */
	unsigned int slow_ns;		/* of some of them; 0: none */
	unsigned int meta_sectors;	/* where the metadata ends, for faults */
	bool lie;			/* negative control: one takes no flushes */
	dev_t dev[MAX_DISKS];		/* of the linear devices */
};

bool disks_make(struct disks *d, uint64_t *rnd);	/* new and zeroed, with power */
void disks_unmake(struct disks *d);

/* Nothing reaches the disks from here on; what has reached them has ended. */
void disks_freeze(struct disks *d);
/*
 * Power off: what is in a cache is lost. Of frozen disks some have written all of their cache
 * before, by chance. All I/O fails from here on.
 */
void disks_cut(struct disks *d, enum how_to_cut how, uint64_t *rnd);
/* Power on; nobody may have the disks open. With caches of random sizes. */
bool disks_power(struct disks *d, uint64_t *rnd);

/* All metadata of the disk can't be written or read (or can again). */
void disks_fault(void *arg, unsigned int disk, bool on);

#endif
