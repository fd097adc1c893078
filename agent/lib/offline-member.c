// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Offline metadata: members, and which of them tell the state.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "offline.h"

typedef unsigned long long ull;

void ads_off_check_members(struct ads_off *o)
{
	for (size_t i = 0; i < o->nr; i++) {
		struct ads_off_dev *d = o->dev[i];
		const struct ads_fmt_super *s = &d->sb;
		const struct adshard_member *m;

		if (!d->has_sb || d->excluded)
			continue;
		m = &o->member[s->index];
		if (le64toh(m->sectors) == s->sectors &&
		    le64toh(m->data_start) == s->data_start &&
		    le32toh(m->data_chunks) == s->data_chunks)
			continue;
		ads_off_say(o, ADS_OFF_FATAL, ADS_OFF_NOTHING, "identity", d,
			    s->index,
			    "%s: where member %u has its data is not what its superblock says",
			    d->b->path, s->index);
	}
}

bool ads_off_is_active(const struct ads_off *o, uint32_t member)
{
	for (int i = 0; i < ADSHARD_META_MEMBERS; i++)
		if (o->st.meta_active & 1U << i &&
		    o->st.meta_member[i] == member)
			return true;
	return false;
}

static bool has_last(const struct ads_off *o, const struct ads_off_dev *d)
{
	uint32_t i = ads_fmt_ring_index(&o->geo, o->end.seq);

	for (int a = 0; a < 2; a++)
		if (d->table[a].is == ADS_OFF_GOOD &&
		    ads_off_same(&d->table[a].at, &o->end))
			return true;
	return d->probe && d->ring[i].is == ADS_OFF_GOOD &&
	       ads_off_same(&d->ring[i].at, &o->end);
}

/*
 * One that is further behind than a power cut can leave it is an old copy, and
 * its data is as old. One without any table or any record has lost its
 * metadata, which says nothing of its data.
 */
static void check_lag(struct ads_off *o, struct ads_off_dev *d)
{
	uint64_t table = 0, record = 0;

	for (int a = 0; a < 2; a++)
		if (d->table[a].is == ADS_OFF_GOOD &&
		    d->table[a].at.seq > table)
			table = d->table[a].at.seq;
	for (uint32_t i = 0; d->probe && i < o->geo.journal_blocks; i++)
		if (d->ring[i].at.seq > record)
			record = d->ring[i].at.seq;
	d->last = table > record ? table : record;
	if (!table || !record || d->last + ADS_FMT_LAG_MAX >= o->end.seq)
		return;
	/* What can't be read may be what it seems to lack. */
	if (d->ring[ads_fmt_ring_index(&o->geo, d->last + 1)].is ==
	    ADS_OFF_UNREADABLE)
		return;
	ads_off_say(o, ADS_OFF_FATAL, ADS_OFF_OPERATOR, "stale", d,
		    d->sb.index,
		    "%s is stale: the metadata of member %u ends at record %llu, the pool's at %llu; likely it is an old copy of the disk, with old data",
		    d->b->path, d->sb.index, (ull)d->last, (ull)o->end.seq);
}

static void check_history(struct ads_off *o, struct ads_off_dev *d)
{
	for (int a = 0; a < 2; a++) {
		/* Or it changed since, on the way to the end. */
		if (d->table[a].is != ADS_OFF_GOOD ||
		    d->table[a].st.history == o->st.history ||
		    ads_off_same(&d->table[a].end, &o->end))
			continue;
		ads_off_say(o, ADS_OFF_FATAL, ADS_OFF_OPERATOR, "history", d,
			    d->sb.index,
			    "%s: member %u went on by itself in another history of the pool",
			    d->b->path, d->sb.index);
		return;
	}
}

static bool names(const struct ads_fmt_super *s, const uint8_t *uuid)
{
	for (uint32_t k = 0; k < s->nr_meta; k++)
		if (!memcmp(s->meta_uuid[k], uuid, ADSHARD_UUID_SIZE))
			return true;
	return false;
}

/* By the newest superblock; by all of them, if there are several. */
static bool is_named(const struct ads_off *o, const uint8_t *uuid)
{
	for (size_t i = 0; i < o->nr; i++)
		if (o->dev[i]->has_sb && !o->dev[i]->excluded &&
		    o->dev[i]->sb.seq == o->newest->sb.seq &&
		    !names(&o->dev[i]->sb, uuid))
			return false;
	return true;
}

/*
 * If nobody can read the place of the next record, the last change may be hidden
 * there, and what it freed may hold something else by now.
 */
static void check_end(struct ads_off *o)
{
	uint32_t next = ads_fmt_ring_index(&o->geo, o->end.seq + 1);

	for (size_t i = 0; i < o->nr; i++)
		/* Who was dropped by that very record never got it. */
		if (o->dev[i]->role == ADS_OFF_ACTIVE &&
		    is_named(o, o->dev[i]->sb.uuid) &&
		    o->dev[i]->ring[next].is != ADS_OFF_UNREADABLE)
			return;
	ads_off_say(o, ADS_OFF_FATAL, ADS_OFF_OPERATOR, "end", NULL, -1,
		    "block %u can't be read on any metadata member: there may be a record after %llu",
		    o->geo.journal_block + next, (ull)o->end.seq);
}

/* Who must be here; and the veto of the newest superblock. */
void ads_off_check_set(struct ads_off *o)
{
	bool vouched = false, missing = false;

	for (size_t i = 0; i < o->nr; i++)
		if (o->dev[i]->has_sb && !o->dev[i]->excluded &&
		    (!o->newest || o->dev[i]->sb.seq > o->newest->sb.seq))
			o->newest = o->dev[i];
	for (int i = 0; i < ADSHARD_META_MEMBERS; i++) {
		uint16_t index = o->st.meta_member[i];
		struct ads_off_dev *d = ads_off_find(o, index);

		if (index == ADSHARD_NO_MEMBER)
			continue;
		if (!(o->st.meta_active & 1U << i)) {
			if (d)
				d->role = ADS_OFF_DROPPED;
			ads_off_say(o, ADS_OFF_NOTE, ADS_OFF_NOTHING,
				    "dropped", d, index,
				    "member %u was dropped from the metadata: what it has is out of date, and is not used",
				    index);
			continue;
		}
		if (!d) {
			missing = true;	/* said with the segments */
			continue;
		}
		d->role = ADS_OFF_ACTIVE;
		check_history(o, d);
		check_lag(o, d);
		if (has_last(o, d)) {
			d->last = o->end.seq;
			vouched |= is_named(o, d->sb.uuid);
		}
	}
	if (missing)
		return;
	check_end(o);
	if (vouched)
		return;
	ads_off_say(o, ADS_OFF_FATAL, ADS_OFF_NOTHING, "veto", NULL, -1,
		    "record %llu is the highest one found, but none of the metadata members that the newest superblock (%s) names has it: what they wrote since can't be read",
		    (ull)o->end.seq, o->newest->b->path);
}
