/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every field of the on-disk format, by the kind of block that it is in. Of arrays, the first
 * element and the last; of reserved room, likewise.
 */
#ifndef BITFLIPS_FIELDS_H
#define BITFLIPS_FIELDS_H

enum block_kind { SUPER, LAST_RECORD, OLD_RECORD, TABLE, BODY_MEMBERS, BODY_SEGMENTS, BLOCK_KINDS };

static const char *const kind_names[BLOCK_KINDS] = {
	"superblock", "last record", "older record", "table header", "table of members",
	"table of segments",
};

struct field {
	const char *name;
	uint8_t kind;		/* enum block_kind, or RECORDS: both */
	uint16_t at;
	uint16_t bytes;
};

#define RECORDS	BLOCK_KINDS

#define SB(f)	{ #f, SUPER, offsetof(struct adshard_super, f), sizeof_field(struct adshard_super, f) }
#define REC(f)	{ #f, RECORDS, offsetof(struct adshard_record, f), sizeof_field(struct adshard_record, f) }
#define TAB(f)	{ #f, TABLE, offsetof(struct adshard_table, f), sizeof_field(struct adshard_table, f) }
#define MEM(f)	{ #f, BODY_MEMBERS, offsetof(struct adshard_body, f), sizeof_field(struct adshard_body, f) }
#define SEG(f)	{ #f, BODY_SEGMENTS, offsetof(struct adshard_body, f), sizeof_field(struct adshard_body, f) }

/* Of the entry at the start of a record; the payload is either of the two. */
#define ENTRY(f)	{ "entry." #f, RECORDS, 128 + offsetof(struct adshard_entry, f), \
			  sizeof_field(struct adshard_entry, f) }
#define PAYLOAD(n, at, bytes)	{ n, RECORDS, 136 + (at), bytes }

#define STATE(M) \
	M(state.seq), M(state.term), M(state.history), M(state.time), M(state.volume_sectors), \
	M(state.nr_segments), M(state.nr_members), M(state.meta_member[0]), M(state.meta_member[1]), \
	M(state.meta_member[7]), M(state.meta_active), M(state.flags), M(state.reserved[0]), \
	M(state.reserved[13])

static const struct field fields[] = {
	SB(magic), SB(crc), SB(version), SB(compat), SB(ro_compat), SB(incompat), SB(sb_seq),
	SB(pool_uuid), SB(member_uuid), SB(pool_name[0]), SB(pool_name[63]), SB(created),
	SB(member_sectors), SB(data_start), SB(data_chunks), SB(member_index), SB(segment_shift),
	SB(chunk_shift), SB(logical_block_size), SB(journal_block), SB(journal_blocks),
	SB(table_block[0]), SB(table_block[1]), SB(table_blocks), SB(max_members),
	SB(max_segments), SB(max_bad_blocks), SB(nr_meta), SB(reserved0), SB(meta_uuid[0]),
	SB(meta_uuid[2]), SB(meta_uuid[7]), SB(reserved[0]), SB(reserved[3751]),

	REC(magic), REC(crc), STATE(REC), REC(nr_entries), REC(bytes), REC(prev_crc),
	REC(reserved[0]), REC(reserved[31]), ENTRY(type), ENTRY(bytes), ENTRY(index),
	PAYLOAD("payload[0..7]", 0, 8), PAYLOAD("payload[8..11]", 8, 4),
	PAYLOAD("payload[12..15]", 12, 4), PAYLOAD("payload.sectors", 16, 8),
	PAYLOAD("payload.data_start", 24, 8), PAYLOAD("payload.data_chunks", 32, 4),
	PAYLOAD("payload.state", 36, 1), PAYLOAD("payload.flags", 38, 2), REC(entries[3967]),

	TAB(magic), TAB(crc), STATE(TAB), TAB(body_crc), TAB(body_blocks), TAB(last_crc),
	TAB(reserved[0]), TAB(reserved[3995]),

	MEM(magic), MEM(crc), MEM(kind), MEM(first), MEM(reserved[0]), MEM(reserved[79]),
	MEM(u.members[0].uuid), MEM(u.members[0].sectors), MEM(u.members[0].data_start),
	MEM(u.members[0].data_chunks), MEM(u.members[0].state), MEM(u.members[0].class),
	MEM(u.members[0].flags), MEM(u.members[0].weight), MEM(u.members[0].cost),
	MEM(u.members[0].domain), MEM(u.members[0].location), MEM(u.members[0].reserved[0]),
	MEM(u.members[1].uuid), MEM(u.members[1].state), MEM(u.members[1].data_chunks),
	MEM(u.members[2].reserved[143]), MEM(u.members[3].uuid), MEM(u.members[14].uuid),
	MEM(u.members[14].state), MEM(u.raw[3999]),

	SEG(magic), SEG(crc), SEG(kind), SEG(first), SEG(reserved[0]), SEG(reserved[79]),
	SEG(u.segments[0].kind), SEG(u.segments[0].flags), SEG(u.segments[0].nr_legs),
	SEG(u.segments[0].wanted), SEG(u.segments[0].aux), SEG(u.segments[0].leg[0].chunk),
	SEG(u.segments[0].leg[0].member), SEG(u.segments[0].leg[0].state),
	SEG(u.segments[0].leg[0].flags), SEG(u.segments[0].leg[1].chunk),
	SEG(u.segments[0].leg[1].member), SEG(u.segments[0].leg[1].state),
	SEG(u.segments[0].leg[3].state), SEG(u.segments[1].leg[0]), SEG(u.segments[11].kind),
	SEG(u.segments[11].leg[0].chunk), SEG(u.segments[11].leg[0].member),
	SEG(u.segments[12].kind), SEG(u.segments[12].leg[0]), SEG(u.segments[99].kind),
	SEG(u.segments[99].leg[3].flags),
};

#define FIELDS	(sizeof(fields) / sizeof(*fields))

#endif
