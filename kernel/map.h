/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The segment map (SMT): one word per segment, and what it takes to change
 * one under I/O.
 *
 *	bit 63		ADS_WORD_SLOW: a migration is under way; reads go where
 *			the word says, all else through ads_write_slow()
 *	bit 62		ADS_WORD_BAD: the segment has bad ranges at this place
 *			(bad.c); may be set without need, never the other way
 *	bit 61		ADS_WORD_SET: the segment has a set (set.h), which says where
 *			its legs are; the place in the word is one of them
 *	bit 48..60	zero
 *	bit 32..47	member
 *	bit  0..31	position on the member, in chunks
 *
 * The place in the word is always the durable one: what the last record on
 * stable media says. (With a set, what it said when the word was made.)
 */
#ifndef ADS_MAP_H
#define ADS_MAP_H

#include <linux/bits.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/types.h>

#define ADS_WORD_SLOW	BIT_ULL(63)
#define ADS_WORD_BAD	BIT_ULL(62)
#define ADS_WORD_SET	BIT_ULL(61)
/* Any of these, or of what else may come there: not the plain way. */
#define ADS_WORD_FLAGS	GENMASK_ULL(63, 48)

static inline u64 ads_word(u16 member, u32 chunk)
{
	return (u64)member << 32 | chunk;
}

static inline u16 ads_word_member(u64 word)
{
	return word >> 32;
}

static inline u32 ads_word_chunk(u64 word)
{
	return word;
}

/* Without the flags. */
static inline u64 ads_word_place(u64 word)
{
	return ads_word(ads_word_member(word), ads_word_chunk(word));
}

#define ADS_LANES	64

/*
 * In-flight bios of one CPU, by slot: lane * 2 + epoch. They may wrap below
 * zero.
 */
struct ads_inflight {
	unsigned long n[ADS_LANES * 2];
};

/**
 * struct ads_lanes - in-flight bios, so that a change of a word can wait for
 *		      every bio that used the old one
 *
 * The scheme and its proof are at the top of lane.c.
 */
struct ads_lanes {
	u32 slot[ADS_LANES];		/* of the epoch; read by every bio */
	struct ads_inflight __percpu *inflight;
	struct mutex drain[ADS_LANES] ____cacheline_aligned;
};

int ads_lanes_init(struct ads_lanes *lanes);
void ads_lanes_exit(struct ads_lanes *lanes);

static inline unsigned int ads_lane(u32 seg)
{
	return seg % ADS_LANES;
}

/*
 * Wait for every bio that was mapped in @seg's lane before the call. The
 * caller has changed the word (WRITE_ONCE) before. May sleep for as long as
 * the slowest of these bios takes; needs no lock and must hold none that a
 * bio's completion or a held bio's release takes.
 */
void ads_lane_drain(struct ads_lanes *lanes, u32 seg);

/* Sampled heat of a segment. Racy on purpose: a lost bump costs nothing. */
struct ads_heat {
	u32 reads;
	u32 writes;
	u32 last;			/* seconds of ktime_get, 0: never */
};

#endif /* ADS_MAP_H */
