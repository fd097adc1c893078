/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pools as check and repair see them: the metadata of every device that belongs
 * to one, or that might.
 */
#ifndef CTL_GATHER_H
#define CTL_GATHER_H

#include "lib/offline.h"
#include "lib/scan.h"

#include "ctl.h"

struct gathered {
	struct ads_off *off;		/* judged */
	uint8_t uuid[ADSHARD_UUID_SIZE];
	char name[ADSHARD_NAME_SIZE];
	bool active;
	char volume[128];		/* of an active one, "" if not known */
};

struct gather {
	struct gathered *pool;
	size_t nr;
};

/*
 * @argv: devices (with a "/" in their name), or one pool, or nothing: all pools
 * that are found. Devices without a superblock are looked at if a pool lacks
 * a member. With @write they are held exclusively, and an active pool is refused.
 * An exit code.
 */
int gather(struct ctl *c, char **argv, int argc, bool write,
	   struct gather *out);
void gather_free(struct gather *g);

/* Judges again and, where superblocks are missing, says whose they are. */
void gather_judge(struct ads_off *o);
/* Is the pool active? @volume gets its name if that is known. */
bool gather_active(struct ctl *c, const uint8_t *uuid, char *volume,
		   size_t size, uint64_t *seq);
const char *gathered_name(const struct gathered *p, char buf[37]);

#endif
