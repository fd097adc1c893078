// SPDX-License-Identifier: GPL-2.0-only
/*
 * Activation: what the devices of a table line have on them.
 */
#include <linux/blkdev.h>
#include <linux/device-mapper.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "meta-load.h"
#include "pool.h"
#include "table.h"

/* Step 1: the superblock of every device. */
static int load_super(struct ads_load *l, unsigned int i)
{
	struct ads_seen *seen = &l->seen[i], *other;
	const struct ads_super *s = &seen->sb, *s0 = &l->seen[0].sb;
	struct ads_pool *pool = l->pool;
	char why[128];
	unsigned int k;
	int err;

	seen->bdev = pool->present[i];
	err = ads_super_read(seen->bdev, &l->raw, why, sizeof(why));
	if (err) {
		DMERR("%pg: %s", seen->bdev, why);
		return err;
	}
	ads_fmt_super_decode(&l->raw, &seen->sb);
	if (memcmp(s->geo.pool_uuid, pool->uuid.b, ADSHARD_UUID_SIZE)) {
		DMERR("%pg is a member of pool %pUb \"%s\", not of pool %pUb",
		      seen->bdev, s->geo.pool_uuid, s->geo.name, &pool->uuid);
		return -EINVAL;
	}
	if (memcmp(&s->geo, &s0->geo, sizeof(s->geo))) {
		DMERR("%pg: the pool's layout is another one than on %pg",
		      seen->bdev, l->seen[0].bdev);
		return -EINVAL;
	}
	if (bdev_nr_sectors(seen->bdev) < s->sectors) {
		DMERR("%pg has a wrong size: %llu sectors, but member %u has %llu",
		      seen->bdev, (u64)bdev_nr_sectors(seen->bdev), s->index,
		      s->sectors);
		return -EINVAL;
	}
	if (bdev_logical_block_size(seen->bdev) > s->geo.logical_block_size) {
		DMERR("%pg: logical block size %u is larger than the pool's, %u",
		      seen->bdev, bdev_logical_block_size(seen->bdev),
		      s->geo.logical_block_size);
		return -EINVAL;
	}
	for (k = 0; k < i; k++) {
		other = &l->seen[k];
		/* Two that claim one number: the records know which it is. */
		if (memcmp(other->sb.uuid, s->uuid, ADSHARD_UUID_SIZE))
			continue;
		DMERR("%pg and %pg are the same member %u (%pUb): is one a copy of the other?",
		      other->bdev, seen->bdev, s->index, s->uuid);
		return -EEXIST;
	}
	return 0;
}

/* Step 2: both table headers of every member; they may be anybody's past. */
static int load_headers(struct ads_load *l, struct ads_seen *seen)
{
	struct ads_state st;
	unsigned int area;
	int err;

	for (area = 0; area < 2; area++) {
		struct ads_try *t = &seen->try[area];

		err = ads_table_probe(&l->geo, l->io, seen->bdev,
				      seen->sb.uuid, area, &st, &t->table);
		/* Whole, and later than what this module can read. */
		if (err == -EOPNOTSUPP) {
			DMERR("%pg: table %u has features that this module does not know",
			      seen->bdev, area);
			return err;
		}
		t->valid = !err;
		if (err)
			continue;
		t->history = st.history;
		seen->probe = true;
		l->top = max(l->top, t->table.seq);
	}
	return 0;
}

/*
 * Step 3: the rings, once. Of members with a table, and of those that somebody
 * believes to be metadata members: one that lost both headers may still have
 * the highest record, and then nobody may do as if it didn't exist.
 */
static int load_rings(struct ads_load *l)
{
	unsigned int i, k, m;

	for (i = 0; i < l->nr; i++)
		for (m = 0; m < l->seen[i].sb.nr_meta; m++)
			for (k = 0; k < l->nr; k++)
				if (!memcmp(l->seen[k].sb.uuid,
					    l->seen[i].sb.meta_uuid[m],
					    ADSHARD_UUID_SIZE))
					l->seen[k].probe = true;

	for (i = 0; i < l->nr; i++) {
		struct ads_seen *seen = &l->seen[i];

		if (!seen->probe)
			continue;
		seen->ring = kvcalloc(l->geo.journal_blocks,
				      sizeof(*seen->ring), GFP_KERNEL);
		if (!seen->ring)
			return -ENOMEM;
		ads_journal_scan(&l->geo, l->io, seen->bdev, seen->sb.uuid,
				 seen->ring);
		for (k = 0; k < l->geo.journal_blocks; k++)
			l->top = max(l->top, seen->ring[k].at.seq);
	}
	return 0;
}

int ads_load_devices(struct ads_load *l)
{
	unsigned int i;
	int err;

	for (i = 0; i < l->nr; i++) {
		err = load_super(l, i);
		if (err)
			return err;
	}
	l->geo = l->seen[0].sb.geo;
	for (i = 0; i < l->nr; i++) {
		err = load_headers(l, &l->seen[i]);
		if (err)
			return err;
	}
	return load_rings(l);
}
