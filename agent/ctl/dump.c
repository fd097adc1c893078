// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/units.h"

#include "dump.h"

typedef unsigned long long ull;

const char *dump_block_word(enum ads_off_block is)
{
	static const char *const words[] = {
		[ADS_OFF_BLANK] = "blank", [ADS_OFF_BAD] = "damaged",
		[ADS_OFF_UNREADABLE] = "unreadable", [ADS_OFF_ODD] = "odd",
		[ADS_OFF_GOOD] = "whole",
	};

	return words[is];
}

bool dump_body(struct ads_off_dev *d, unsigned int area, uint32_t nr,
	       struct adshard_body *b)
{
	const struct ads_geometry *geo = &d->sb.geo;
	bool bad;

	ads_blocks_read(d->b, (uint64_t)geo->table_block[area] + 1 + nr, 1, b,
			&bad);
	return !bad && !ads_fmt_body_check(b, geo, d->sb.uuid, area, nr);
}

const char *dump_segment(const struct adshard_seg *seg, char *buf, size_t size)
{
	const char *why = "?";
	struct ads_fmt_seg s;
	int err = ads_fmt_seg_decode(seg, &s, &why);

	if (err == -ENOENT)
		snprintf(buf, size, "unused");
	else if (err)
		snprintf(buf, size, "invalid: %s", why);
	if (err)
		return buf;
	for (unsigned int i = 0; i < s.nr_legs; i++) {
		size_t len = i ? strlen(buf) : 0;

		snprintf(buf + len, size - len, "%smember %u, chunk %u%s",
			 i ? "; " : "", s.leg[i].member, s.leg[i].chunk,
			 s.leg[i].state == ADSHARD_LEG_STALE ? " (stale)" : "");
	}
	if (s.wanted != 1 || s.nr_legs != 1)
		snprintf(buf + strlen(buf), size - strlen(buf),
			 "; %u wanted%s", s.wanted,
			 s.intent ? ", write intent" : "");
	return buf;
}

const char *dump_bad(const struct adshard_bad *d,
		     const struct ads_geometry *geo, char *buf, size_t size)
{
	const char *why = "?";
	struct ads_range r;

	if (ads_fmt_range_decode(d, geo, &r, &why))
		snprintf(buf, size, "invalid: %s", why);
	else if (!r.sectors)
		return NULL;
	else
		snprintf(buf, size,
			 "segment %u at member %u, chunk %u: %u sectors from %u on, unreadable on member %u",
			 r.seg, r.member, r.chunk, r.sectors, r.first, r.from);
	return buf;
}

static void print_super(const struct ads_off_dev *d, int copy)
{
	const struct ads_off_copy *c = &d->copy[copy];
	const struct ads_fmt_super *s = &c->s;
	const struct ads_geometry *g = &s->geo;
	char a[ADS_UUID_STR], b[ADS_UUID_STR], when[32];

	printf("  superblock copy %d, block %d: %s%s%s\n", copy,
	       copy ? ADSHARD_SB_BLOCK1 : ADSHARD_SB_BLOCK0,
	       dump_block_word(c->is),
	       c->is == ADS_OFF_ODD ? ": " : "",
	       c->is == ADS_OFF_ODD ? c->why : "");
	if (!c->magic)
		return;
	if (c->is != ADS_OFF_GOOD)
		printf("    (its fields all the same; do not trust them)\n");
	printf("    sequence %llu; version %u; features %llx, %llx, %llx\n",
	       (ull)s->seq, le32toh(c->raw->version),
	       (ull)le64toh(c->raw->compat), (ull)le64toh(c->raw->ro_compat),
	       (ull)le64toh(c->raw->incompat));
	printf("    pool %s \"%s\", made %s\n",
	       ads_format_uuid(g->pool_uuid, a), g->name,
	       ads_format_time(g->created, when, sizeof(when)));
	printf("    member %u, %s; %llu sectors, data from sector %llu, %u chunks\n",
	       s->index, ads_format_uuid(s->uuid, b), (ull)s->sectors,
	       (ull)s->data_start, s->data_chunks);
	printf("    segments of 2^%u sectors, chunks of 2^%u, logical blocks of %u bytes\n",
	       g->segment_shift, g->chunk_shift, g->logical_block_size);
	printf("    journal at %u (%u blocks), tables at %u and %u (%u blocks each)\n",
	       g->journal_block, g->journal_blocks, g->table_block[0],
	       g->table_block[1], g->table_blocks);
	printf("    room for %u members, %u segments, %u blocks of bad ranges\n",
	       g->max_members, g->max_segments, g->max_bad_blocks);
	for (uint32_t i = 0; i < s->nr_meta && i < ADSHARD_META_MEMBERS; i++)
		printf("    metadata member %s\n",
		       ads_format_uuid(s->meta_uuid[i], a));
}

static void print_state(const struct ads_state *st)
{
	char when[32];

	printf("    term %llu, history %016llx, %s, %llu sectors in %u segments, %u members\n",
	       (ull)st->term, (ull)st->history,
	       ads_format_time(st->time, when, sizeof(when)),
	       (ull)st->volume_sectors, st->nr_segments, st->nr_members);
	printf("    metadata members:");
	for (int i = 0; i < ADSHARD_META_MEMBERS; i++)
		if (st->meta_member[i] != ADSHARD_NO_MEMBER)
			printf(" %u%s", st->meta_member[i],
			       st->meta_active & 1U << i ? "" : " (dropped)");
	putchar('\n');
}

static void print_member(const char *indent, uint32_t index,
			 const struct adshard_member *m)
{
	char uuid[ADS_UUID_STR];

	if (ads_fmt_member_free(m))
		return;
	printf("%smember %u: %s, %s, %llu sectors, data from sector %llu, %u chunks\n",
	       indent, index, ads_format_uuid(m->uuid, uuid),
	       ads_member_state_name(m->state), (ull)le64toh(m->sectors),
	       (ull)le64toh(m->data_start), le32toh(m->data_chunks));
}

static void print_body(struct ads_off_dev *d, unsigned int area, bool segments)
{
	const struct ads_state *st = &d->table[area].st;
	struct adshard_body *b = ads_blocks_alloc(1);
	uint32_t nr = ads_fmt_body_blocks(&d->sb.geo);
	char text[300];

	for (uint32_t k = 0; k < nr; k++) {
		struct ads_body_at at;

		ads_fmt_body_at(&d->sb.geo, k, &at);
		if (!dump_body(d, area, k, b)) {
			printf("    block %u is not whole\n",
			       d->sb.geo.table_block[area] + 1 + k);
			continue;
		}
		for (uint32_t i = 0; i < at.nr; i++) {
			uint32_t index = at.first + i;

			if (at.kind == ADSHARD_BODY_MEMBERS) {
				if (index < st->nr_members)
					print_member("    ", index,
						     &b->u.members[i]);
			} else if (at.kind == ADSHARD_BODY_BAD) {
				if (dump_bad(&b->u.bad[i], &d->sb.geo, text,
					     sizeof(text)))
					printf("    bad range %u: %s\n",
					       index, text);
			} else if (segments && index < st->nr_segments) {
				printf("    segment %u: %s\n", index,
				       dump_segment(&b->u.segments[i], text,
						    sizeof(text)));
			}
		}
	}
	free(b);
}

static void print_table(struct ads_off_dev *d, unsigned int area, bool segments)
{
	const struct ads_off_table *t = &d->table[area];
	const char *wrong = ads_off_table_wrong(t);

	printf("  table %u, block %u: ", area, d->sb.geo.table_block[area]);
	if (t->is != ADS_OFF_GOOD) {
		printf("%s%s%s\n", dump_block_word(t->is),
		       t->is == ADS_OFF_ODD ? ": " : "",
		       t->is == ADS_OFF_ODD ? t->why : "");
		return;
	}
	printf("after record %llu%s%s\n", (ull)t->at.seq,
	       wrong ? "; of no use: " : ", whole", wrong ? wrong : "");
	print_state(&t->st);
	print_body(d, area, segments);
}

static void print_record(const struct ads_off_dev *d, uint32_t i)
{
	const struct adshard_record *raw = ads_off_record(d, i);
	const struct ads_off_rec *r = &d->ring[i];
	struct ads_state st;
	struct ads_entry e;
	char text[300], when[32];
	uint32_t pos = 0;

	printf("    block %u: ", d->sb.geo.journal_block + i);
	if (r->is == ADS_OFF_ODD)
		printf("record %llu, not understood: %s\n", (ull)r->at.seq,
		       r->why);
	else if (r->is != ADS_OFF_GOOD)
		printf("%s\n", dump_block_word(r->is));
	if (r->is != ADS_OFF_GOOD)
		return;
	ads_fmt_state_decode(&raw->state, &d->sb.geo, &st, NULL);
	printf("record %llu of term %llu, %s, sum %08x after %08x\n",
	       (ull)r->at.seq, (ull)r->at.term,
	       ads_format_time(st.time, when, sizeof(when)), r->at.sum,
	       r->prev);
	while (ads_fmt_record_next(raw, &pos, &e)) {
		if (e.type == ADSHARD_ENTRY_SEG)
			printf("      segment %u: %s\n", e.index,
			       dump_segment(e.seg, text, sizeof(text)));
		else if (e.type == ADSHARD_ENTRY_BAD)
			printf("      bad range %u: %s\n", e.index,
			       dump_bad(e.bad, &d->sb.geo, text,
					sizeof(text)) ? text : "none");
		else
			print_member("      ", e.index, e.member);
	}
}

void dump_print(struct ads_off_dev *d, bool segments)
{
	uint32_t nr = d->sb.geo.journal_blocks, blank = 0;
	char size[32];

	printf("%s: %s\n", d->b->path,
	       ads_format_size(d->b->size, false, size, sizeof(size)));
	print_super(d, 0);
	print_super(d, 1);
	if (!d->ring) {
		printf("  without a superblock it isn't known where journal and tables are\n");
		return;
	}
	for (unsigned int a = 0; a < 2; a++)
		print_table(d, a, segments);
	for (uint32_t i = 0; i < nr; i++)
		blank += d->ring[i].is == ADS_OFF_BLANK;
	printf("  journal, %u blocks from %u, %u of them blank:\n", nr,
	       d->sb.geo.journal_block, blank);
	for (uint32_t i = 0; i < nr; i++)
		if (d->ring[i].is != ADS_OFF_BLANK)
			print_record(d, i);
}
