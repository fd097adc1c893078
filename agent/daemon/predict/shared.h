/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Several disks that have the same at the same time have it of one cause: the
 * controller, the host, the model.
 *
 * Takes each disk's modes of failing and where it hangs; gives the causes, and
 * how much of the blame stays with each disk. Pure.
 *
 * Heat, cables, failing and slow I/O come from outside as well as from the disk:
 * if at least half of the disks of a controller or host (and fleet.minimum) have
 * them within fleet.window, each keeps half of the points, and the cause is told.
 * Media and wear stay what they are, whoever else is worn; those of one model are
 * fleet_check()'s.
 */
#ifndef ADSHARDD_SHARED_H
#define ADSHARDD_SHARED_H

#include <stdint.h>

#include "daemon/config.h"
#include "daemon/predict/risk.h"

enum shared_by { SHARED_CONTROLLER, SHARED_HOST, SHARED_BY };

#define SHARED_BLAME	50	/* percent that stays */
#define SHARED_CAUSES	32

struct shared_disk {
	const char *disk;	/* several members may lie on one; "" unknown */
	const char *controller;	/* "" unknown */
	int64_t since[RISK_MODES];	/* when it came to RISK_WARN, 0: has not */
};

struct shared_cause {
	enum risk_mode mode;
	enum shared_by by;
	char key[64];			/* "0000:03:00.0" */
	unsigned int raised, of;	/* disks */
	int64_t since;			/* of the first of them */
};

/* Of one member. */
struct shared_member {
	int cause[RISK_MODES];	/* 1 + index of it, 0: none */
};

/*
 * @out[i] is for @disk[i]. Returns how many causes there are in @cause, of at most
 * SHARED_CAUSES.
 */
unsigned int shared_check(const struct shared_disk *disk, unsigned int n,
			  const struct config *c, struct shared_member *out,
			  struct shared_cause cause[SHARED_CAUSES]);

/* "6 of 8 disks of controller 0000:03:00.0" */
char *shared_text(const struct shared_cause *c, char *buf, size_t size);

/* The type of its early warning: "shared-controller". */
const char *shared_warning_name(enum shared_by by);

/* Half the blame for what has a cause; before risk_fuse(). */
void shared_relieve(struct risk *r, const struct shared_member *m,
		    const struct shared_cause *cause);

#endif
