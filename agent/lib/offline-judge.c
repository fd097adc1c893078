// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Offline metadata: the judgement.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "offline.h"
#include "units.h"

void ads_off_say(struct ads_off *o, enum ads_off_level level,
		 enum ads_off_heal heal, const char *kind,
		 struct ads_off_dev *d, int64_t member, const char *fmt, ...)
{
	struct ads_off_finding *f = reallocarray(o->finding,
						 o->nr_finding + 1,
						 sizeof(*f));
	va_list ap;

	if (!f)
		abort();
	o->finding = f;
	f += o->nr_finding++;
	f->level = level;
	f->heal = heal;
	f->kind = kind;
	f->dev = d;
	f->member = member;
	va_start(ap, fmt);
	if (vasprintf(&f->text, fmt, ap) < 0)
		abort();
	va_end(ap);
	if (level > o->worst)
		o->worst = level;
}

static void reset(struct ads_off *o)
{
	for (size_t i = 0; i < o->nr_finding; i++)
		free(o->finding[i].text);
	o->nr_finding = 0;
	o->worst = ADS_OFF_NOTE;
	o->has_geo = o->forward = false;
	o->top = o->undecided = 0;
	o->nr_bad = o->nr_leftover = 0;
	o->bad_sectors = 0;
	o->chosen = NULL;
	o->newest = NULL;
	for (size_t i = 0; i < o->nr; i++) {
		struct ads_off_dev *d = o->dev[i];

		ads_off_forget_meta(d);
		ads_off_read_super(d);
		d->role = ADS_OFF_PLAIN;
		d->in_step = false;
		d->last = 0;
	}
}

static bool same_geo(const struct ads_geometry *a, const struct ads_geometry *b)
{
	return !memcmp(a, b, sizeof(*a));
}

/* What most of the superblocks say of the pool. */
static void find_geo(struct ads_off *o)
{
	size_t most = 0;

	for (size_t i = 0; i < o->nr; i++) {
		size_t n = 0;

		if (!o->dev[i]->has_sb || o->dev[i]->excluded)
			continue;
		for (size_t k = 0; k < o->nr; k++)
			n += o->dev[k]->has_sb && !o->dev[k]->excluded &&
			     same_geo(&o->dev[k]->sb.geo, &o->dev[i]->sb.geo);
		if (n <= most)
			continue;
		most = n;
		o->geo = o->dev[i]->sb.geo;
		o->has_geo = true;
	}
}

static void say_no_super(struct ads_off *o, struct ads_off_dev *d)
{
	const struct ads_off_copy *c = d->copy;

	if (d->lost)
		ads_off_say(o, ADS_OFF_DAMAGE, ADS_OFF_REPAIR, "super-lost", d,
			    d->sb.index,
			    d->proven ?
			    "%s has lost both copies of its superblock; its own journal and tables say that it is member %u" :
			    "%s has no superblock; said to be member %u",
			    d->b->path, d->sb.index);
	else if (c[0].err == -EOPNOTSUPP || c[1].err == -EOPNOTSUPP)
		ads_off_say(o, ADS_OFF_FATAL, ADS_OFF_OPERATOR, "version", d,
			    -1, "%s: its superblock has %s: it needs a later adshard",
			    d->b->path, c[0].err == -EOPNOTSUPP ? c[0].why :
			    c[1].why);
	else if (c[0].is == ADS_OFF_UNREADABLE || c[1].is == ADS_OFF_UNREADABLE)
		ads_off_say(o, ADS_OFF_DAMAGE, ADS_OFF_REPAIR, "super-lost", d,
			    -1, "%s: its superblocks can't be read, so whose member it is isn't known",
			    d->b->path);
	else if (c[0].magic || c[1].magic)
		ads_off_say(o, ADS_OFF_DAMAGE, ADS_OFF_REPAIR, "super-lost", d,
			    -1, "%s: both copies of its superblock are damaged (%s)",
			    d->b->path, c[0].magic ? c[0].why : c[1].why);
	else
		ads_off_say(o, ADS_OFF_NOTE, ADS_OFF_NOTHING, "no-super", d,
			    -1, "%s has no adshard superblock", d->b->path);
}

static void check_device(struct ads_off *o, size_t i)
{
	struct ads_off_dev *d = o->dev[i];
	const struct ads_fmt_super *s = &d->sb;

	if (!d->has_sb) {
		say_no_super(o, d);
		return;
	}
	if (d->excluded) {
		ads_off_say(o, ADS_OFF_NOTE, ADS_OFF_NOTHING, "foreign", d,
			    s->index,
			    "%s was member %u once, and is no longer: it is left out",
			    d->b->path, s->index);
		return;
	}
	if (!same_geo(&s->geo, &o->geo))
		ads_off_say(o, ADS_OFF_FATAL, ADS_OFF_NOTHING, "layout", d,
			    s->index,
			    "%s: the pool's layout in its superblock is another one than on the others",
			    d->b->path);
	if (d->b->size / 512 < s->sectors)
		ads_off_say(o, ADS_OFF_FATAL, ADS_OFF_OPERATOR, "size", d,
			    s->index,
			    "%s has %llu sectors, but member %u has %llu: has it been cut off?",
			    d->b->path, (unsigned long long)d->b->size / 512,
			    s->index, (unsigned long long)s->sectors);
	if (d->b->logical_block_size > s->geo.logical_block_size)
		ads_off_say(o, ADS_OFF_FATAL, ADS_OFF_OPERATOR, "size", d,
			    s->index,
			    "%s: its logical blocks of %u bytes are larger than the pool's, %u",
			    d->b->path, d->b->logical_block_size,
			    s->geo.logical_block_size);
	for (size_t k = 0; k < i; k++) {
		const struct ads_off_dev *e = o->dev[k];

		if (!e->has_sb || e->excluded ||
		    memcmp(e->sb.uuid, s->uuid, ADSHARD_UUID_SIZE))
			continue;
		ads_off_say(o, ADS_OFF_FATAL, ADS_OFF_OPERATOR, "duplicate", d,
			    s->index,
			    "%s and %s are the same member %u: one of them is a copy",
			    e->b->path, d->b->path, s->index);
	}
}

static void read_all(struct ads_off *o)
{
	for (size_t i = 0; i < o->nr; i++) {
		struct ads_off_dev *d = o->dev[i];

		if (!d->has_sb || d->excluded || !same_geo(&d->sb.geo, &o->geo))
			continue;
		ads_off_read_meta(d);
		d->probe |= ads_off_named(o, d);
		for (int a = 0; a < 2; a++) {
			if (d->table[a].is == ADS_OFF_GOOD &&
			    d->table[a].at.seq > o->top)
				o->top = d->table[a].at.seq;
			if (d->table[a].err == -EOPNOTSUPP)
				ads_off_say(o, ADS_OFF_FATAL, ADS_OFF_OPERATOR,
					    "version", d, d->sb.index,
					    "%s: table %d has %s: it needs a later adshard",
					    d->b->path, a, d->table[a].why);
		}
		for (uint32_t k = 0; d->probe && k < o->geo.journal_blocks; k++)
			if (d->ring[k].at.seq > o->top)
				o->top = d->ring[k].at.seq;
	}
}

static void say_no_state(struct ads_off *o)
{
	size_t n = 0;

	for (size_t i = 0; i < o->nr; i++) {
		struct ads_off_dev *d = o->dev[i];

		n += d->has_sb && !d->excluded;
		for (unsigned int a = 0; a < 2; a++)
			if (d->table[a].broken)
				ads_off_say(o, ADS_OFF_DAMAGE, ADS_OFF_NOTHING,
					    "table", d, d->sb.index,
					    "%s: table %u after record %llu is of no use: %s",
					    d->b->path, a, (unsigned long long)
					    d->table[a].at.seq,
					    d->table[a].broken);
	}
	if (!o->top)
		ads_off_say(o, ADS_OFF_FATAL, ADS_OFF_NOTHING, "no-metadata",
			    NULL, -1, "none of the %zu members found has metadata that can be read",
			    n);
	else
		ads_off_say(o, ADS_OFF_FATAL, ADS_OFF_NOTHING, "no-state",
			    NULL, -1, "no table and no chain of records that can be read lead to record %llu, the highest one found",
			    (unsigned long long)o->top);
}

/* Members of another time: activation leaves them out. True: judge anew. */
static bool exclude(struct ads_off *o)
{
	bool any = false;

	for (size_t i = 0; i < o->nr; i++) {
		struct ads_off_dev *d = o->dev[i];
		const struct adshard_member *m = NULL;

		if (!d->has_sb || d->excluded)
			continue;
		if (d->sb.index < o->st.nr_members)
			m = &o->member[d->sb.index];
		if (m && !memcmp(m->uuid, d->sb.uuid, ADSHARD_UUID_SIZE))
			continue;
		d->excluded = any = true;
	}
	return any;
}

static void judge(struct ads_off *o)
{
	reset(o);
	find_geo(o);
	for (size_t i = 0; i < o->nr; i++)
		check_device(o, i);
	if (!o->has_geo) {
		ads_off_say(o, ADS_OFF_FATAL, ADS_OFF_NOTHING, "no-super",
			    NULL, -1, "there is not a single whole superblock");
		return;
	}
	read_all(o);
	if (ads_off_load_state(o)) {
		say_no_state(o);
		return;
	}
	if (exclude(o)) {
		judge(o);
		return;
	}
	ads_off_check_members(o);
	ads_off_check_set(o);
	ads_off_check_segments(o);
	ads_off_check_bad(o);
	ads_off_check_copies(o);
}

void ads_off_judge(struct ads_off *o)
{
	for (size_t i = 0; i < o->nr; i++)
		o->dev[i]->excluded = false;
	judge(o);
	o->judged = true;
}

/*---------------------------------------------------------------------------*/

/* Blocks that are sealed with this UUID, each in its place. */
static unsigned int count_seals(struct ads_off_dev *d)
{
	unsigned int n = 0;

	ads_off_read_meta(d);
	for (int a = 0; a < 2; a++)
		n += d->table[a].is == ADS_OFF_GOOD;
	for (uint32_t i = 0; i < d->sb.geo.journal_blocks; i++)
		n += d->ring[i].is == ADS_OFF_GOOD;
	ads_off_forget_meta(d);
	return n;
}

/*
 * The superblock that member @index ought to have. The list of metadata
 * members, a veto at activation, is that of an active member which knows the
 * last record: a list that a dropped one has kept is not to be spread.
 */
static int make_super(struct ads_off *o, uint32_t index,
		      struct ads_fmt_super *s, struct ads_err *err)
{
	const struct adshard_member *m = &o->member[index];
	const struct ads_off_dev *from = NULL;

	for (size_t i = 0; i < o->nr; i++) {
		const struct ads_off_dev *d = o->dev[i];

		if (d->has_sb && !d->excluded && d->role == ADS_OFF_ACTIVE &&
		    d->last == o->end.seq &&
		    (!from || d->sb.seq > from->sb.seq))
			from = d;
	}
	if (!from)
		return ads_err(err, -EINVAL,
			       "no metadata member that knows record %llu has a superblock of its own: nobody can vouch for it",
			       (unsigned long long)o->end.seq);
	*s = from->sb;
	memcpy(s->uuid, m->uuid, sizeof(s->uuid));
	s->index = index;
	s->sectors = le64toh(m->sectors);
	s->data_start = le64toh(m->data_start);
	s->data_chunks = le32toh(m->data_chunks);
	return 0;
}

static bool is_missing(const struct ads_off *o, uint32_t index)
{
	if (index >= o->st.nr_members ||
	    ads_fmt_member_free(&o->member[index]))
		return false;
	for (size_t i = 0; i < o->nr; i++) {
		const struct ads_off_dev *d = o->dev[i];

		if (((d->has_sb && !d->excluded) || d->lost) &&
		    d->sb.index == index)
			return false;
	}
	return true;
}

static int take_for(struct ads_off *o, struct ads_off_dev *d, uint32_t index,
		    struct ads_err *err)
{
	struct ads_fmt_super s;
	int rc;

	if (!is_missing(o, index))
		return ads_err(err, -EINVAL,
			       "member %u is not missing: %s can't be it",
			       index, d->b->path);
	rc = make_super(o, index, &s, err);
	if (rc)
		return rc;
	if (d->b->size / 512 < s.sectors)
		return ads_err(err, -EINVAL,
			       "%s has %llu sectors, but member %u has %llu: it can't be it",
			       d->b->path, (unsigned long long)d->b->size / 512,
			       index, (unsigned long long)s.sectors);
	if (d->b->logical_block_size > s.geo.logical_block_size)
		return ads_err(err, -EINVAL,
			       "%s: its logical blocks are larger than the pool's",
			       d->b->path);
	d->sb = s;
	return 0;
}

int ads_off_identify(struct ads_off *o, struct ads_off_dev *dev,
		     int64_t member, struct ads_err *err)
{
	if (!o->chosen)
		return ads_err(err, -EINVAL,
			       "the pool's state can't be found, so it isn't known who its members are");
	for (size_t i = 0; i < o->nr; i++) {
		struct ads_off_dev *d = o->dev[i];

		if (d->has_sb || d->lost || (dev && d != dev) ||
		    d->copy[0].err == -EOPNOTSUPP ||
		    d->copy[1].err == -EOPNOTSUPP)
			continue;
		for (uint32_t k = 0; k < o->st.nr_members && !d->lost; k++) {
			if (!is_missing(o, k) || take_for(o, d, k, NULL))
				continue;
			d->lost = d->proven = count_seals(d) > 0;
		}
		if (d->lost || !dev || member < 0)
			continue;
		if (take_for(o, d, (uint32_t)member, err))
			return -EINVAL;
		if (d->b->size / 512 != d->sb.sectors)
			return ads_err(err, -EINVAL,
				       "%s has %llu sectors and member %u had %llu: without a trace of it on the device that is not enough to believe it",
				       d->b->path,
				       (unsigned long long)d->b->size / 512,
				       d->sb.index,
				       (unsigned long long)d->sb.sectors);
		d->lost = true;
	}
	return 0;
}
