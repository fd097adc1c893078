// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Offline metadata: what is on a device.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "offline.h"

#define BATCH	256

struct ads_off *ads_off_new(void)
{
	struct ads_off *o = calloc(1, sizeof(*o));

	if (!o)
		abort();
	return o;
}

static void free_dev(struct ads_off_dev *d)
{
	ads_off_forget_meta(d);
	for (int i = 0; i < 2; i++)
		free(d->copy[i].raw);
	ads_blocks_close(d->b);
	free(d);
}

void ads_off_free(struct ads_off *o)
{
	if (!o)
		return;
	for (size_t i = 0; i < o->nr; i++)
		free_dev(o->dev[i]);
	for (size_t i = 0; i < o->nr_finding; i++)
		free(o->finding[i].text);
	free(o->finding);
	free(o->dev);
	free(o->member);
	free(o->seg);
	free(o->bad);
	free(o);
}

int ads_off_add(struct ads_off *o, const char *path, bool write,
		struct ads_err *err)
{
	struct ads_off_dev **p = reallocarray(o->dev, o->nr + 1, sizeof(*p));
	struct ads_off_dev *d;
	int rc;

	if (!p)
		return -ENOMEM;
	o->dev = p;
	d = calloc(1, sizeof(*d));
	if (!d)
		return -ENOMEM;
	rc = ads_blocks_open(path, write, &d->b, err);
	if (rc) {
		free(d);
		return rc;
	}
	o->dev[o->nr++] = d;
	ads_off_read_super(d);
	return 0;
}

void ads_off_drop_last(struct ads_off *o)
{
	free_dev(o->dev[--o->nr]);
}

static bool is_zero(const void *block)
{
	const uint8_t *p = block;

	return !p[0] && !memcmp(p, p + 1, ADSHARD_BLOCK_SIZE - 1);
}

static enum ads_off_block kind_of(const void *block, bool unreadable, int err)
{
	if (unreadable)
		return ADS_OFF_UNREADABLE;
	if (!err)
		return ADS_OFF_GOOD;
	if (err != -EBADMSG)
		return ADS_OFF_ODD;
	return is_zero(block) ? ADS_OFF_BLANK : ADS_OFF_BAD;
}

void ads_off_read_super(struct ads_off_dev *d)
{
	static const unsigned int block[2] = { ADSHARD_SB_BLOCK0,
					       ADSHARD_SB_BLOCK1 };
	const struct ads_off_copy *best = NULL;
	bool later = false;

	for (int i = 0; i < 2; i++) {
		struct ads_off_copy *c = &d->copy[i];
		bool unreadable;

		if (!c->raw)
			c->raw = ads_blocks_alloc(1);
		ads_blocks_read(d->b, block[i], 1, c->raw, &unreadable);
		c->why = "damaged superblock";
		c->err = ads_fmt_super_check(c->raw, i, &c->why);
		c->is = kind_of(c->raw, unreadable, c->err);
		c->magic = !memcmp(c->raw->magic, ADSHARD_SB_MAGIC,
				   sizeof(c->raw->magic));
		memset(&c->s, 0, sizeof(c->s));
		if (c->magic)
			ads_fmt_super_decode(c->raw, &c->s);
		later |= c->err == -EOPNOTSUPP;
		if (!c->err && (!best || c->s.seq > best->s.seq))
			best = c;
	}
	/* A copy with features of a later version forbids the other one, too. */
	d->has_sb = best && !later;
	if (best || later)
		d->lost = d->proven = false;
	if (d->has_sb)
		d->sb = best->s;
}

/*---------------------------------------------------------------------------*/

static void read_body(struct ads_off_dev *d, unsigned int area)
{
	const struct ads_geometry *geo = &d->sb.geo;
	struct ads_off_table *t = &d->table[area];
	uint32_t body = ads_fmt_body_blocks(geo), crc = ~0U, nr;
	char *buf = ads_blocks_alloc(BATCH);
	bool bad[BATCH];

	t->body_bad = t->body_unreadable = 0;
	for (uint32_t done = 0; done < body; done += nr) {
		nr = body - done < BATCH ? body - done : BATCH;
		ads_blocks_read(d->b, (uint64_t)geo->table_block[area] + 1 +
				done, nr, buf, bad);
		for (uint32_t i = 0; i < nr; i++) {
			const struct adshard_body *b = (const void *)
				(buf + (size_t)i * ADSHARD_BLOCK_SIZE);

			crc = ads_fmt_sum_add(crc, ads_fmt_body_sum(b));
			if (!ads_fmt_body_check(b, geo, d->sb.uuid, area,
						done + i))
				continue;
			if (!t->body_bad && !t->body_unreadable)
				t->first_bad = done + i;
			t->body_unreadable += bad[i];
			t->body_bad += !bad[i];
		}
	}
	free(buf);
	t->whole = !t->body_bad && !t->body_unreadable &&
		   crc == le32toh(t->raw->body_crc);
}

static void read_table(struct ads_off_dev *d, unsigned int area)
{
	const struct ads_geometry *geo = &d->sb.geo;
	struct ads_off_table *t = &d->table[area];
	bool unreadable;

	memset(t, 0, sizeof(*t));
	t->raw = ads_blocks_alloc(1);
	ads_blocks_read(d->b, geo->table_block[area], 1, t->raw, &unreadable);
	t->why = "damaged table header";
	t->err = ads_fmt_table_check(t->raw, geo, d->sb.uuid, area, &t->st,
				     &t->why);
	t->is = kind_of(t->raw, unreadable, t->err);
	if (t->is != ADS_OFF_GOOD)
		return;
	t->at.seq = t->st.seq;
	t->at.term = t->st.term;
	t->at.sum = le32toh(t->raw->last_crc);
	read_body(d, area);
}

static void read_ring(struct ads_off_dev *d)
{
	const struct ads_geometry *geo = &d->sb.geo;
	uint32_t nr = geo->journal_blocks;
	bool *bad = calloc(nr, sizeof(*bad));

	d->ring = calloc(nr, sizeof(*d->ring));
	if (!bad || !d->ring)
		abort();
	d->ring_raw = ads_blocks_alloc(nr);
	ads_blocks_read(d->b, geo->journal_block, nr, d->ring_raw, bad);
	for (uint32_t i = 0; i < nr; i++) {
		const struct adshard_record *raw = ads_off_record(d, i);
		struct ads_off_rec *r = &d->ring[i];
		struct ads_state st = { 0 };
		int err;

		r->why = "damaged record";
		err = ads_fmt_record_check(raw, geo, d->sb.uuid, i, &st,
					   &r->why);
		r->is = kind_of(raw, bad[i], err);
		if (err == -EBADMSG)
			continue;
		r->at.seq = st.seq;
		r->at.term = st.term;
		r->at.sum = ads_fmt_record_sum(raw);
		r->prev = le32toh(raw->prev_crc);
	}
	free(bad);
}

void ads_off_read_meta(struct ads_off_dev *d)
{
	ads_off_forget_meta(d);
	for (unsigned int area = 0; area < 2; area++) {
		read_table(d, area);
		d->probe |= d->table[area].is == ADS_OFF_GOOD;
	}
	read_ring(d);
}

void ads_off_forget_meta(struct ads_off_dev *d)
{
	for (int i = 0; i < 2; i++) {
		free(d->table[i].raw);
		memset(&d->table[i], 0, sizeof(d->table[i]));
	}
	free(d->ring);
	free(d->ring_raw);
	d->ring = NULL;
	d->ring_raw = NULL;
	d->probe = false;
}

const struct adshard_record *ads_off_record(const struct ads_off_dev *d,
					    uint32_t index)
{
	return (const void *)((const char *)d->ring_raw +
			      (size_t)index * ADSHARD_BLOCK_SIZE);
}

bool ads_off_named(const struct ads_off *o, const struct ads_off_dev *d)
{
	for (size_t i = 0; i < o->nr; i++) {
		const struct ads_fmt_super *s = &o->dev[i]->sb;

		if (!o->dev[i]->has_sb || o->dev[i]->lost)
			continue;
		for (uint32_t k = 0; k < s->nr_meta; k++)
			if (!memcmp(s->meta_uuid[k], d->sb.uuid,
				    ADSHARD_UUID_SIZE))
				return true;
	}
	return false;
}

struct ads_off_dev *ads_off_find(const struct ads_off *o, uint32_t member)
{
	for (size_t i = 0; i < o->nr; i++)
		if (o->dev[i]->has_sb && !o->dev[i]->excluded &&
		    o->dev[i]->sb.index == member)
			return o->dev[i];
	return NULL;
}
