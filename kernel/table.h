/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The table areas: the whole state, written now and then.
 */
#ifndef ADS_TABLE_H
#define ADS_TABLE_H

#include "journal.h"
#include "meta-core.h"

/*
 * Write meta->st, the state in core, to @area of all members in @mask: the body
 * blocks in @dirty (all if NULL), then the header. Metadata lock held. Returns
 * the mask of those that failed, be it only a flush that somebody else sent.
 */
u8 ads_table_write(struct ads_meta *meta, u8 mask, unsigned int area,
		   const unsigned long *dirty);

/*
 * Checkpoint: the other area of all active members. Members that fail are
 * dropped. -EROFS if none is left. Metadata lock held.
 */
int ads_table_checkpoint(struct ads_meta *meta);

/*
 * Entry @index of @type (enum adshard_entry_type) is about to change. Metadata
 * lock held.
 */
void ads_table_mark(struct ads_meta *meta, u16 type, u32 index);

/* Read a header. @at gets the record that the table stands for. */
int ads_table_probe(const struct ads_geometry *geo, struct ads_mio *io,
		    struct block_device *bdev, const u8 *uuid,
		    unsigned int area, struct ads_state *st,
		    struct ads_link *at);

/*
 * Read the whole table of @area, which ads_table_probe() found to be @at, into
 * pool->map and ->members, or with @pool NULL just see whether it is whole.
 * *@why gets a phrase if it isn't, or is about a state that can't be served.
 */
int ads_table_load(struct ads_pool *pool, const struct ads_geometry *geo,
		   struct ads_mio *io, struct block_device *bdev,
		   const u8 *uuid, unsigned int area,
		   const struct ads_link *at, const char **why);

/* Entries into the core that is being loaded. */
int ads_table_put_seg(struct ads_pool *pool, u32 index,
		      const struct adshard_seg *seg, const char **why);
int ads_table_put_member(struct ads_pool *pool, const struct ads_geometry *geo,
			 u32 index, const struct adshard_member *member,
			 const char **why);

#endif /* ADS_TABLE_H */
