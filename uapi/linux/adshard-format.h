/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * On-disk format of adshard members, version 1.
 *
 * Everything is little endian. The unit is the metadata block of 4 KiB,
 * numbered from the start of the member:
 *
 *	block 0		never written (boot code, foreign labels)
 *	block 1		superblock, copy 0
 *	block 2		reserved, zero
 *	block 3		superblock, copy 1
 *	block 4..15	reserved, zero
 *	journal_block	journal ring, journal_blocks record blocks
 *	table_block[0]	table area 0, table_blocks blocks
 *	table_block[1]	table area 1, table_blocks blocks
 *	data_start	first chunk of data (a 512-byte sector number)
 *
 * Every member reserves room for all areas, so that any member can become a
 * metadata member later; only the metadata members' journal and tables are
 * ever read or written.
 *
 * Checksums: crc32c (Castagnoli, reflected, initial value 0xffffffff, no final
 * inversion: "123456789" gives 0x1cf96d7c) over a 40-byte seed followed by the
 * whole 4 KiB block with its crc field taken as zero. The seed is the pool
 * UUID, the member UUID and the block number (__le64): a block of another
 * pool, of another member or of another place never passes.
 *
 * Order of metadata: see Documentation/on-disk-format.rst. In short:
 *	1. the table area with the highest valid header sequence T holds the
 *	   state after record T;
 *	2. records T+1, T+2, ... stand at ring index (sequence % journal_blocks)
 *	   and carry post-images, so that applying one twice changes nothing;
 *	3. a table area may be overwritten only if the other one is valid, and a
 *	   ring block only if its record is contained in a valid table.
 */
#ifndef _UAPI_LINUX_ADSHARD_FORMAT_H
#define _UAPI_LINUX_ADSHARD_FORMAT_H

#include <linux/types.h>

#define ADSHARD_FORMAT_VERSION		1
#define ADSHARD_BLOCK_SIZE		4096
#define ADSHARD_BLOCK_SECTORS		8	/* of 512 bytes */

#define ADSHARD_SB_MAGIC		"ADSHARD"	/* with its NUL: 8 bytes */
#define ADSHARD_SB_BLOCK0		1
#define ADSHARD_SB_BLOCK1		3
/* Of the superblocks; nothing else lies in there. */
#define ADSHARD_HEAD_BYTES		65536
/*
 * A device is blank, and may be formatted, only if this much is zero: a btrfs
 * leaves the first 64 KiB alone.
 */
#define ADSHARD_BLANK_BYTES		131072

#define ADSHARD_JOURNAL_BLOCK		16
#define ADSHARD_JOURNAL_BLOCKS		240

#define ADSHARD_RECORD_MAGIC		0x72736461	/* "adsr" */
#define ADSHARD_TABLE_MAGIC		0x74736461	/* "adst" */

#define ADSHARD_MAX_MEMBERS		1024
#define ADSHARD_MAX_SEGMENTS		(1U << 24)
#define ADSHARD_MAX_LEGS		4
#define ADSHARD_META_MEMBERS		8
#define ADSHARD_NO_MEMBER		0xffff

#define ADSHARD_UUID_SIZE		16
#define ADSHARD_NAME_SIZE		64	/* NUL-terminated, UTF-8 */
#define ADSHARD_LABEL_SIZE		32	/* likewise */

/* Limits of the two sizes, as log2 of 512-byte sectors. */
#define ADSHARD_CHUNK_SHIFT_MIN		7	/* 64 KiB */
#define ADSHARD_CHUNK_SHIFT_MAX		11	/* 1 MiB */
#define ADSHARD_SEGMENT_SHIFT_MIN	11	/* 1 MiB */
#define ADSHARD_SEGMENT_SHIFT_MAX	25	/* 16 GiB */
#define ADSHARD_SEGMENT_SHIFT_DEFAULT	21	/* 1 GiB */

/*
 * Feature words. A bit that is not known here
 *	compat:		is ignored,
 *	ro_compat:	allows reading the metadata, never activating,
 *	incompat:	means that nothing below the superblock may be read.
 * Version 1 defines none.
 */
#define ADSHARD_COMPAT_KNOWN		0ULL
#define ADSHARD_RO_COMPAT_KNOWN		0ULL
#define ADSHARD_INCOMPAT_KNOWN		0ULL

/*
 * struct adshard_super - blocks 1 and 3 of every member
 *
 * The two copies are equal but for @crc (their block numbers differ). Copy 1 is
 * written and flushed before copy 0; a reader takes the valid copy with the
 * higher @sb_seq.
 */
struct adshard_super {
	__u8	magic[8];		/*   0 */
	__le32	crc;			/*   8 */
	__le32	version;		/*  12 */
	__le64	compat;			/*  16 */
	__le64	ro_compat;		/*  24 */
	__le64	incompat;		/*  32 */
	__le64	sb_seq;			/*  40  goes up with each rewrite */
	__u8	pool_uuid[ADSHARD_UUID_SIZE];	/*  48 */
	__u8	member_uuid[ADSHARD_UUID_SIZE];	/*  64 */
	__u8	pool_name[ADSHARD_NAME_SIZE];	/*  80 */
	__le64	created;		/* 144  seconds since the epoch */
	__le64	member_sectors;		/* 152  size of the device when formatted */
	__le64	data_start;		/* 160  sector of chunk 0 */
	__le32	data_chunks;		/* 168  chunks that hold data */
	__le16	member_index;		/* 172  its number in the pool */
	__u8	segment_shift;		/* 174  log2 of sectors */
	__u8	chunk_shift;		/* 175  log2 of sectors */
	__le32	logical_block_size;	/* 176  of the volume, bytes */
	__le32	journal_block;		/* 180 */
	__le32	journal_blocks;		/* 184 */
	__le32	table_block[2];		/* 188 */
	__le32	table_blocks;		/* 196  of one area */
	__le32	max_members;		/* 200  room in the table areas */
	__le32	max_segments;		/* 204  likewise */
	__le32	max_bad_blocks;		/* 208  blocks for bad ranges */
	__le16	nr_meta;		/* 212  1..ADSHARD_META_MEMBERS */
	__le16	reserved0;		/* 214 */
	/* The metadata members when @sb_seq was written, by UUID. */
	__u8	meta_uuid[ADSHARD_META_MEMBERS][ADSHARD_UUID_SIZE]; /* 216 */
	__u8	reserved[3752];		/* 344  zero */
};

/* States of a member, persistent. */
enum adshard_member_state {
	ADSHARD_MEMBER_ONLINE	= 1,	/* takes new data */
	ADSHARD_MEMBER_DRAINING	= 2,	/* takes no new data; being emptied */
	ADSHARD_MEMBER_DRAINED	= 3,	/* empty, no metadata: may be pulled */
	ADSHARD_MEMBER_FAILED	= 4,	/* never read again */
};

/* What a member is made of, as far as anybody has said. */
enum adshard_member_class {
	ADSHARD_CLASS_UNKNOWN	= 0,
	ADSHARD_CLASS_NVME	= 1,
	ADSHARD_CLASS_SSD	= 2,
	ADSHARD_CLASS_HDD	= 3,
};

/* Takes no data but what is sent to it by name. */
#define ADSHARD_MEMBER_F_SPARE	0x0001
#define ADSHARD_MEMBER_F_KNOWN	ADSHARD_MEMBER_F_SPARE

/*
 * States of a leg, persistent. A filling leg is thrown away at activation. A stale
 * one keeps its slot, for the resync that fills it again; it is never read.
 */
enum adshard_leg_state {
	ADSHARD_LEG_NONE	= 0,
	ADSHARD_LEG_SYNC	= 1,	/* has every write */
	ADSHARD_LEG_FILLING	= 2,
	ADSHARD_LEG_LAGGING	= 3,	/* reserved: dirty chunks on purpose (shadow) */
	ADSHARD_LEG_STALE	= 4,	/* has missed a write */
};

/* Kinds of a segment entry. */
enum adshard_seg_kind {
	ADSHARD_SEG_UNUSED	= 0,	/* beyond the end of the volume */
	ADSHARD_SEG_LEGS	= 1,	/* nr_legs legs */
	ADSHARD_SEG_SPLIT	= 2,	/* reserved: split into smaller ones */
};

#define ADSHARD_SEG_F_UNWRITTEN	0x01	/* reserved: never written */
/*
 * Write intent: the legs in sync may differ, in what was being written when the
 * power went. Only with more than one in sync. Until they were compared, leg[0]
 * is the one that is read.
 */
#define ADSHARD_SEG_F_INTENT	0x02

/* One copy of one segment: 8 bytes. */
struct adshard_leg {
	__le32	chunk;			/* 0  position on the member, in chunks */
	__le16	member;			/* 4  index */
	__u8	state;			/* 6  enum adshard_leg_state */
	__u8	flags;			/* 7  zero */
};

/*
 * One segment: 40 bytes. Unused legs are all zero. Of legs that are in sync or
 * stale no two are on one member, and at least one is in sync; leg[0] is one in
 * sync.
 */
struct adshard_seg {
	__u8	kind;			/* 0  enum adshard_seg_kind */
	__u8	flags;			/* 1  ADSHARD_SEG_F_* */
	__u8	nr_legs;		/* 2 */
	__u8	wanted;			/* 3  legs that it should have, 0: one */
	__le32	aux;			/* 4  reserved: index of a split entry */
	struct adshard_leg leg[ADSHARD_MAX_LEGS];	/* 8 */
};

/*
 * A bad range: 24 bytes. Sectors of a segment whose data nobody could read when
 * the segment was copied: reads of them fail, until somebody writes them.
 *
 * It counts only while the segment has its leg at the place that is named here.
 * So those of a move are recorded before the move is, and count from when it is;
 * those of the old place, or of a move that came to nothing, count no more, and
 * are removed by and by, at the next activation at the latest, and in any case
 * before the segment can come to that place again. Ranges of one segment at one
 * place do not overlap.
 */
struct adshard_bad {
	__le32	seg;			/*  0 */
	__le32	chunk;			/*  4  the place: of the leg, in chunks */
	__le16	member;			/*  8  likewise */
	__le16	from;			/* 10  the member that could not read it */
	__le32	first;			/* 12  sector within the segment */
	__le32	sectors;		/* 16  0: a free place, all else is zero */
	__le32	reserved;		/* 20  zero */
};

/* One member in the table: 256 bytes. An all-zero UUID is a free place. */
struct adshard_member {
	__u8	uuid[ADSHARD_UUID_SIZE];	/*   0 */
	__le64	sectors;		/*  16 */
	__le64	data_start;		/*  24 */
	__le32	data_chunks;		/*  32 */
	__u8	state;			/*  36  enum adshard_member_state */
	__u8	class;			/*  37  enum adshard_member_class */
	__le16	flags;			/*  38  ADSHARD_MEMBER_F_* */
	__le32	weight;			/*  40  for reads, 0 default */
	__le32	cost;			/*  44  for placement, 0 default */
	__u8	domain[ADSHARD_LABEL_SIZE];	/*  48  failure domain */
	__u8	location[ADSHARD_LABEL_SIZE];	/*  80  where to find it */
	__u8	reserved[144];		/* 112 */
};

/*
 * struct adshard_state - what the record or table header says of the whole
 *
 * @seq:	sequence of the (last) record; strictly increasing, never reused
 * @term:	goes up with each activation: fencing token
 * @history:	random; a forced degraded activation starts a new one, which
 *		members of the old one can't rejoin
 * @meta_member: index of the metadata members, ADSHARD_NO_MEMBER for none
 * @meta_active: bit i: meta_member[i] must take every record. Activation
 *		insists on all of them.
 */
struct adshard_state {
	__le64	seq;			/*  0 */
	__le64	term;			/*  8 */
	__le64	history;		/* 16 */
	__le64	time;			/* 24  seconds since the epoch */
	__le64	volume_sectors;		/* 32 */
	__le32	nr_segments;		/* 40 */
	__le32	nr_members;		/* 44  highest member index + 1 */
	__le16	meta_member[ADSHARD_META_MEMBERS];	/* 48 */
	__u8	meta_active;		/* 64 */
	__u8	flags;			/* 65  zero */
	__u8	reserved[14];		/* 66 */
};

/*
 * struct adshard_record - one journal block: one atomic change
 *
 * @nr_entries entries follow the header, each a struct adshard_entry and its
 * payload, 8-byte aligned. An entry of an unknown type makes the record
 * unreadable: new types come with an incompat feature.
 *
 * @prev_crc is the unseeded checksum (see struct adshard_table) of the record
 * before, so that a record which was given up can't be continued.
 */
struct adshard_record {
	__le32	magic;			/*   0  ADSHARD_RECORD_MAGIC */
	__le32	crc;			/*   4 */
	struct adshard_state state;	/*   8 */
	__le16	nr_entries;		/*  88 */
	__le16	bytes;			/*  90  of all entries */
	__le32	prev_crc;		/*  92 */
	__u8	reserved[32];		/*  96 */
	__u8	entries[3968];		/* 128 */
};

enum adshard_entry_type {
	ADSHARD_ENTRY_SEG	= 1,	/* struct adshard_seg, of segment @index */
	ADSHARD_ENTRY_MEMBER	= 2,	/* struct adshard_member, member @index */
	ADSHARD_ENTRY_BAD	= 3,	/* struct adshard_bad, place @index */
	ADSHARD_ENTRY_INTENT	= 4,	/* reserved: write intent */
	ADSHARD_ENTRY_SPLIT	= 5,	/* reserved: a split segment */
};

struct adshard_entry {
	__le16	type;			/* 0  enum adshard_entry_type */
	__le16	bytes;			/* 2  of the payload */
	__le32	index;			/* 4 */
};

/*
 * Table area: one header block, then max_members, max_segments and
 * max_bad_blocks worth of body blocks, in this order. Body blocks are written
 * and flushed before the header (PREFLUSH|FUA).
 *
 * The unseeded checksum of a block is its crc32c with the initial value ~0 and
 * its crc field taken as zero: that of the content, equal on all members.
 *
 * @body_crc is the crc32c, initial value ~0, of the unseeded checksums of all
 * body blocks in order, each as __le32: a body block of another checkpoint
 * can't go unnoticed.
 * @last_crc is the unseeded checksum of record state.seq, which record
 * state.seq + 1 has as its @prev_crc. 0 if there was no such record (a new
 * pool's first table).
 */
struct adshard_table {
	__le32	magic;			/*   0  ADSHARD_TABLE_MAGIC */
	__le32	crc;			/*   4 */
	struct adshard_state state;	/*   8  after record state.seq */
	__le32	body_crc;		/*  88 */
	__le32	body_blocks;		/*  92  member + segment + bad blocks */
	__le32	last_crc;		/*  96 */
	__u8	reserved[3996];		/* 100 */
};

enum adshard_body_kind {
	ADSHARD_BODY_MEMBERS	= 1,
	ADSHARD_BODY_SEGMENTS	= 2,
	ADSHARD_BODY_BAD	= 3,
};

#define ADSHARD_MEMBERS_PER_BLOCK	15
#define ADSHARD_SEGMENTS_PER_BLOCK	100
#define ADSHARD_BAD_PER_BLOCK		166

struct adshard_body {
	__le32	magic;			/*   0  ADSHARD_TABLE_MAGIC */
	__le32	crc;			/*   4 */
	__le32	kind;			/*   8  enum adshard_body_kind */
	__le32	first;			/*  12  index of the first entry */
	__u8	reserved[80];		/*  16 */
	union {
		struct adshard_member members[ADSHARD_MEMBERS_PER_BLOCK];
		struct adshard_seg segments[ADSHARD_SEGMENTS_PER_BLOCK];
		struct adshard_bad bad[ADSHARD_BAD_PER_BLOCK];
		__u8 raw[4000];
	} u;	/*  96 */
};

#endif /* _UAPI_LINUX_ADSHARD_FORMAT_H */
