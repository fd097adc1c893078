/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the metadata on a member says of the pool as a whole: read only, and
 * only the state and the members, never the map.
 *
 * The kernel has the last word at activation; this is for finding the volume's
 * size and for telling people what is missing.
 */
#ifndef ADS_META_H
#define ADS_META_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "super.h"

struct ads_meta_member {
	bool used;			/* false: a free place */
	uint8_t uuid[ADSHARD_UUID_SIZE];
	uint64_t sectors;
	uint32_t state;			/* enum adshard_member_state */
	char domain[ADSHARD_LABEL_SIZE];
	char location[ADSHARD_LABEL_SIZE];
};

struct ads_meta {
	uint64_t seq, term, history;	/* of the last record */
	uint64_t top_record;		/* highest one in the journal; 0: none */
	uint64_t time;			/* seconds since the epoch */
	uint64_t volume_sectors;
	uint32_t nr_segments;
	uint32_t nr_members;		/* of @member */
	uint16_t meta_member[ADSHARD_META_MEMBERS];
	uint8_t meta_active;
	struct ads_meta_member *member;
};

/*
 * Reads table areas and journal of the member open as @fd, whose superblock is
 * @sb. -ENODATA: no valid table (not a metadata member); -EIO and the like.
 */
int ads_meta_read(int fd, const char *dev, const struct ads_super *sb,
		  struct ads_meta **out, struct ads_err *err);
void ads_meta_free(struct ads_meta *m);		/* NULL is fine */

#endif
