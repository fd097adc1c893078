/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What must be true of segments with several legs after a power cut, beyond what is true of any.
 */
#ifndef CUT_LEGS_H
#define CUT_LEGS_H

#include "disks.h"
#include "volume.h"

struct legs_figures {
	unsigned long doubts;		/* activations with segments in doubt */
	unsigned long stale;		/* legs that were, at activations */
	unsigned long several;		/* segments with several legs in sync that were compared */
	unsigned long long resynced;	/* bytes */
	unsigned long unequal, unbounded, unclean;	/* what is wrong */
};

/*
 * After an activation and volume_owners(): waits until nothing is in doubt. No leg may have been
 * written more than once for that.
 */
bool legs_certain(struct volume *v, struct legs_figures *f);
/* On their disks, legs in sync hold the same. Nothing may be in doubt, or be written. */
bool legs_equal(struct volume *v, const struct disks *d, struct legs_figures *f);
/* After a deactivation that was none of a cut, with legs that were equal: nothing is in doubt. */
bool legs_clean(struct volume *v, struct legs_figures *f);

#endif
