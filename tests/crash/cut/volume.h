/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pool under test: what must be true of it after an activation, and what it is doing.
 */
#ifndef CUT_VOLUME_H
#define CUT_VOLUME_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/nl.h"
#include "oracle.h"

#define MAX_SEGMENTS	256
#define STEPS		(ADSHARD_STEP_ABORT + 1)

struct volume {
	struct ads_nl *nl;
	uint8_t uuid[ADS_UUID_LEN];
	unsigned int segments;
	unsigned int max_legs;		/* given: of a segment; 0 means 1 */
	struct ads_segment seg[MAX_SEGMENTS];			/* of the last volume_owners() */
	struct ads_migration *moving;				/* of the last volume_steps() */
	size_t nr_moving;
};

/* Opens the netlink socket and takes the first pool that there is. */
bool volume_open(struct volume *v);
void volume_close(struct volume *v);

/*
 * Every segment has its owners: one; or up to max_legs on as many members, the first of which is
 * in sync. No slot has two. Fills in who.
 */
bool volume_owners(struct volume *v);
/* Are the owners the same, and in sync or not, whatever their order? */
bool volume_same_owners(const struct ads_segment *a, const struct ads_segment *b);
/* The leg on a member, NULL: none. */
const struct ads_leg *volume_leg(const struct ads_segment *seg, uint32_t member);
/* How many migrations are in which step now, and all of them; false if the kernel does not say. */
bool volume_steps(struct volume *v, uint32_t steps[STEPS]);
/*
 * After a cut at one instant: is every leg of the last volume_steps() where its step says?
 * Counts the commits that had and had not become durable.
 */
bool volume_moved(const struct volume *v, unsigned long *new, unsigned long *old);

/* Forgets the events so far; prints those since then. */
void volume_events(struct volume *v, bool print);

/* Reads all of it into the oracle's check, or only into a sum. */
bool volume_check(const char *path, struct oracle *o, bool next_life, uint64_t *sum,
		  uint32_t *wrong);
bool volume_sum(const char *path, uint32_t nr_blocks, uint64_t *sum);
/* Prints where on a member the block can be found, and of which generation. */
void volume_find(const char *member, const struct oracle *o, uint32_t block);

#endif
