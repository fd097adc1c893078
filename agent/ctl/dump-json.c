// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>
#include <string.h>

#include "dump.h"

static void json_super(struct json_object *o, const struct ads_off_copy *c,
		       int copy)
{
	const struct ads_fmt_super *s = &c->s;
	const struct ads_geometry *g = &s->geo;
	struct json_object *list;

	ads_json_u64(o, "block", copy ? ADSHARD_SB_BLOCK1 : ADSHARD_SB_BLOCK0);
	ads_json_str(o, "state", dump_block_word(c->is));
	ads_json_str(o, "why", c->is == ADS_OFF_ODD ? c->why : NULL);
	if (!c->magic) {
		ads_json_null(o, "fields");
		return;
	}
	o = ads_json_obj(o, "fields");
	ads_json_u64(o, "version", le32toh(c->raw->version));
	ads_json_u64(o, "compat", le64toh(c->raw->compat));
	ads_json_u64(o, "ro_compat", le64toh(c->raw->ro_compat));
	ads_json_u64(o, "incompat", le64toh(c->raw->incompat));
	ads_json_u64(o, "sequence", s->seq);
	ads_json_uuid(o, "pool_uuid", g->pool_uuid);
	ads_json_uuid(o, "member_uuid", s->uuid);
	ads_json_str(o, "pool_name", g->name);
	ads_json_u64(o, "created", g->created);
	ads_json_u64(o, "member", s->index);
	ads_json_u64(o, "member_sectors", s->sectors);
	ads_json_u64(o, "data_start", s->data_start);
	ads_json_u64(o, "data_chunks", s->data_chunks);
	ads_json_u64(o, "segment_shift", g->segment_shift);
	ads_json_u64(o, "chunk_shift", g->chunk_shift);
	ads_json_u64(o, "logical_block_size", g->logical_block_size);
	ads_json_u64(o, "journal_block", g->journal_block);
	ads_json_u64(o, "journal_blocks", g->journal_blocks);
	list = ads_json_arr(o, "table_block");
	for (int i = 0; i < 2; i++)
		json_object_array_add(list, json_object_new_int64(
						g->table_block[i]));
	ads_json_u64(o, "table_blocks", g->table_blocks);
	ads_json_u64(o, "max_members", g->max_members);
	ads_json_u64(o, "max_segments", g->max_segments);
	ads_json_u64(o, "max_bad_blocks", g->max_bad_blocks);
	list = ads_json_arr(o, "metadata_members");
	for (uint32_t i = 0; i < s->nr_meta && i < ADSHARD_META_MEMBERS; i++)
		ads_json_uuid(ads_json_push(list), "uuid", s->meta_uuid[i]);
}

static void json_state(struct json_object *o, const struct ads_state *st)
{
	struct json_object *list;

	ads_json_u64(o, "sequence", st->seq);
	ads_json_u64(o, "term", st->term);
	ads_json_u64(o, "history", st->history);
	ads_json_u64(o, "time", st->time);
	ads_json_u64(o, "volume_sectors", st->volume_sectors);
	ads_json_u64(o, "segments", st->nr_segments);
	ads_json_u64(o, "members", st->nr_members);
	list = ads_json_arr(o, "metadata_members");
	for (int i = 0; i < ADSHARD_META_MEMBERS; i++) {
		struct json_object *e;

		if (st->meta_member[i] == ADSHARD_NO_MEMBER)
			continue;
		e = ads_json_push(list);
		ads_json_u64(e, "member", st->meta_member[i]);
		ads_json_bool(e, "active", st->meta_active & 1U << i);
	}
}

static void json_member(struct json_object *o, uint32_t index,
			const struct adshard_member *m)
{
	ads_json_u64(o, "member", index);
	ads_json_uuid(o, "uuid", m->uuid);
	ads_json_str(o, "state", ads_member_state_name(m->state));
	ads_json_u64(o, "sectors", le64toh(m->sectors));
	ads_json_u64(o, "data_start", le64toh(m->data_start));
	ads_json_u64(o, "data_chunks", le32toh(m->data_chunks));
}

static void json_segment(struct json_object *o, uint32_t index,
			 const struct adshard_seg *seg)
{
	const char *why = NULL;
	struct ads_fmt_seg s;
	bool placed = !ads_fmt_seg_decode(seg, &s, &why);
	struct json_object *legs;

	ads_json_u64(o, "segment", index);
	if (placed)
		ads_json_u64(o, "member", s.leg[0].member);
	else
		ads_json_null(o, "member");
	if (placed)
		ads_json_u64(o, "chunk", s.leg[0].chunk);
	else
		ads_json_null(o, "chunk");
	ads_json_str(o, "why", why);
	legs = ads_json_arr(o, "legs");
	for (unsigned int i = 0; placed && i < s.nr_legs; i++) {
		struct json_object *l = ads_json_push(legs);

		ads_json_u64(l, "member", s.leg[i].member);
		ads_json_u64(l, "chunk", s.leg[i].chunk);
		ads_json_str(l, "state", ads_leg_state_name(s.leg[i].state));
	}
	if (placed)
		ads_json_u64(o, "wanted", s.wanted);
	else
		ads_json_null(o, "wanted");
	if (placed)
		ads_json_bool(o, "intent", s.intent);
	else
		ads_json_null(o, "intent");
}

static void json_bad(struct json_object *o, uint32_t index,
		     const struct adshard_bad *d,
		     const struct ads_geometry *geo)
{
	const char *why = NULL;
	struct ads_range r;

	ads_fmt_range_decode(d, geo, &r, &why);
	ads_json_u64(o, "place", index);
	ads_json_u64(o, "segment", r.seg);
	ads_json_u64(o, "member", r.member);
	ads_json_u64(o, "chunk", r.chunk);
	ads_json_u64(o, "first_sector", r.first);
	ads_json_u64(o, "sectors", r.sectors);
	ads_json_u64(o, "from", r.from);
	ads_json_str(o, "why", why);
}

static void json_body(struct json_object *o, struct ads_off_dev *d,
		      unsigned int area, bool segments)
{
	const struct ads_state *st = &d->table[area].st;
	struct adshard_body *b = ads_blocks_alloc(1);
	uint32_t nr = ads_fmt_body_blocks(&d->sb.geo);
	struct json_object *members = ads_json_arr(o, "members");
	struct json_object *map = segments ? ads_json_arr(o, "map") : NULL;
	struct json_object *damaged = ads_json_arr(o, "damaged_blocks");
	struct json_object *bad = ads_json_arr(o, "bad");
	char text[300];

	for (uint32_t k = 0; k < nr; k++) {
		struct ads_body_at at;

		ads_fmt_body_at(&d->sb.geo, k, &at);
		if (!dump_body(d, area, k, b)) {
			json_object_array_add(damaged, json_object_new_int64(
				(int64_t)d->sb.geo.table_block[area] + 1 + k));
			continue;
		}
		for (uint32_t i = 0; i < at.nr; i++) {
			uint32_t index = at.first + i;

			if (at.kind == ADSHARD_BODY_MEMBERS) {
				if (index < st->nr_members &&
				    !ads_fmt_member_free(&b->u.members[i]))
					json_member(ads_json_push(members),
						    index, &b->u.members[i]);
			} else if (at.kind == ADSHARD_BODY_BAD) {
				if (dump_bad(&b->u.bad[i], &d->sb.geo, text,
					     sizeof(text)))
					json_bad(ads_json_push(bad), index,
						 &b->u.bad[i], &d->sb.geo);
			} else if (map && index < st->nr_segments) {
				json_segment(ads_json_push(map), index,
					     &b->u.segments[i]);
			}
		}
	}
	if (!map)
		ads_json_null(o, "map");
	free(b);
}

static void json_table(struct json_object *o, struct ads_off_dev *d,
		       unsigned int area, bool segments)
{
	const struct ads_off_table *t = &d->table[area];

	ads_json_u64(o, "block", d->sb.geo.table_block[area]);
	ads_json_str(o, "state", dump_block_word(t->is));
	ads_json_str(o, "why", t->is == ADS_OFF_BLANK ? NULL :
		     ads_off_table_wrong(t));
	if (t->is != ADS_OFF_GOOD) {
		ads_json_null(o, "after");
		return;
	}
	ads_json_bool(o, "whole", t->whole);
	json_state(ads_json_obj(o, "after"), &t->st);
	json_body(o, d, area, segments);
}

static void json_record(struct json_object *o, const struct ads_off_dev *d,
			uint32_t i)
{
	const struct adshard_record *raw = ads_off_record(d, i);
	const struct ads_off_rec *r = &d->ring[i];
	struct json_object *list;
	struct ads_state st;
	struct ads_entry e;
	uint32_t pos = 0;

	ads_json_u64(o, "block", d->sb.geo.journal_block + i);
	ads_json_str(o, "state", dump_block_word(r->is));
	ads_json_str(o, "why", r->is == ADS_OFF_ODD ? r->why : NULL);
	if (r->is != ADS_OFF_GOOD) {
		ads_json_null(o, "after");
		return;
	}
	ads_fmt_state_decode(&raw->state, &d->sb.geo, &st, NULL);
	json_state(ads_json_obj(o, "after"), &st);
	ads_json_u64(o, "sum", r->at.sum);
	ads_json_u64(o, "previous_sum", r->prev);
	list = ads_json_arr(o, "entries");
	while (ads_fmt_record_next(raw, &pos, &e)) {
		struct json_object *j = ads_json_push(list);

		ads_json_str(j, "type", e.type == ADSHARD_ENTRY_SEG ?
			     "segment" : e.type == ADSHARD_ENTRY_BAD ?
			     "bad" : "member");
		if (e.type == ADSHARD_ENTRY_SEG)
			json_segment(j, e.index, e.seg);
		else if (e.type == ADSHARD_ENTRY_BAD)
			json_bad(j, e.index, e.bad, &d->sb.geo);
		else
			json_member(j, e.index, e.member);
	}
}

void dump_json(struct json_object *o, struct ads_off_dev *d, bool segments)
{
	struct json_object *list;

	ads_json_str(o, "device", d->b->path);
	ads_json_u64(o, "size", d->b->size);
	list = ads_json_arr(o, "superblocks");
	for (int i = 0; i < 2; i++)
		json_super(ads_json_push(list), &d->copy[i], i);
	list = ads_json_arr(o, "tables");
	for (unsigned int a = 0; d->ring && a < 2; a++)
		json_table(ads_json_push(list), d, a, segments);
	list = ads_json_arr(o, "journal");
	for (uint32_t i = 0; d->ring && i < d->sb.geo.journal_blocks; i++)
		if (d->ring[i].is != ADS_OFF_BLANK)
			json_record(ads_json_push(list), d, i);
}
