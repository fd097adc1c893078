/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The metadata of a pool that is not active, as it lies on its devices: all of
 * it, whole or not, and what the kernel would make of it.
 *
 * The judgement follows kernel/meta-scan.c, meta-load.c and meta-check.c step
 * by step; a guest test compares the two. Nothing is written here.
 */
#ifndef ADS_OFFLINE_H
#define ADS_OFFLINE_H

#include "blocks.h"
#include "codec.h"

/* What identifies the state after a record: the record itself. */
struct ads_off_link {
	uint64_t seq, term;
	uint32_t sum;
};

enum ads_off_block {
	ADS_OFF_BLANK,			/* zero */
	ADS_OFF_BAD,			/* not such a block, or damaged */
	ADS_OFF_UNREADABLE,
	ADS_OFF_ODD,			/* whole, but not understood */
	ADS_OFF_GOOD,
};

struct ads_off_copy {
	enum ads_off_block is;
	int err;			/* of ads_fmt_super_check() */
	const char *why;
	bool magic;			/* it looks like a superblock */
	struct adshard_super *raw;
	struct ads_fmt_super s;		/* if it has the magic */
};

struct ads_off_table {
	enum ads_off_block is;		/* the header */
	int err;			/* of ads_fmt_table_check() */
	const char *why;
	struct adshard_table *raw;
	struct ads_state st;
	struct ads_off_link at, end;	/* @end: where the records lead */
	bool whole;			/* the body is what the header says */
	uint32_t body_bad, body_unreadable, first_bad;
	bool tried;
	const char *broken;		/* why it couldn't be loaded */
};

struct ads_off_rec {
	enum ads_off_block is;
	const char *why;
	struct ads_off_link at;
	uint32_t prev;
	bool used;			/* it is a step of the chain that counts */
};

enum ads_off_role {
	ADS_OFF_PLAIN,			/* no metadata */
	ADS_OFF_DROPPED,		/* was left out: out of date for ever */
	ADS_OFF_ACTIVE,
};

struct ads_off_dev {
	struct ads_blocks *b;
	struct ads_off_copy copy[2];
	bool has_sb;			/* @sb is what the kernel would take */
	bool lost;			/* it has none; @sb is what it ought to be */
	bool proven;			/* ... and blocks on it say so */
	struct ads_fmt_super sb;
	bool probe;			/* may have journal and tables */
	struct ads_off_table table[2];
	struct ads_off_rec *ring;	/* journal_blocks; NULL if not read */
	void *ring_raw;

	/* the judgement */
	bool excluded;			/* not a member any more */
	enum ads_off_role role;
	bool in_step;
	uint64_t last;			/* highest record it stands for */
};

enum ads_off_level { ADS_OFF_NOTE, ADS_OFF_DAMAGE, ADS_OFF_FATAL };
/* What makes it good again. */
enum ads_off_heal { ADS_OFF_NOTHING, ADS_OFF_ACTIVATION, ADS_OFF_REPAIR,
	ADS_OFF_OPERATOR };

struct ads_off_finding {
	enum ads_off_level level;
	enum ads_off_heal heal;
	const char *kind;		/* a word for programs and the guide */
	struct ads_off_dev *dev;	/* NULL: the pool */
	int64_t member;			/* -1: none */
	char *text;
};

struct ads_off {
	struct ads_off_dev **dev;
	size_t nr;

	/* the judgement */
	bool has_geo, judged;
	struct ads_geometry geo;
	uint64_t top;			/* highest sequence seen anywhere */
	struct ads_off_dev *chosen;	/* its table in @area is the state; or NULL */
	unsigned int area;
	struct ads_state st;		/* after record @end */
	struct ads_off_link end;
	const struct ads_off_dev *newest;	/* superblock: the veto's */
	struct adshard_member *member;	/* st.nr_members */
	struct ads_fmt_seg *seg;	/* st.nr_segments; without legs: no place */
	uint32_t nr_stale, nr_short;	/* legs; segments with fewer in sync, on
					 * members that are there, than wanted */
	uint32_t nr_intent;		/* segments whose legs may differ */
	struct ads_range *bad;		/* ads_fmt_bad_places(geo) */
	uint32_t nr_bad, nr_leftover;	/* that count, and that don't */
	uint64_t bad_sectors;		/* of those that count */
	uint64_t undecided;		/* record on which members disagree; 0 */
	bool forward;			/* some member would be brought up to date */
	struct ads_off_finding *finding;
	size_t nr_finding;
	enum ads_off_level worst;
};

struct ads_off *ads_off_new(void);
void ads_off_free(struct ads_off *o);

/* Opens a device as ads_blocks_open() and looks at its superblocks. */
int ads_off_add(struct ads_off *o, const char *path, bool write,
		struct ads_err *err);
/* Closes the last one that was added. */
void ads_off_drop_last(struct ads_off *o);

/* offline-read.c */

/* Superblocks of a device, (again,) as the kernel reads them. */
void ads_off_read_super(struct ads_off_dev *d);
/* Headers, bodies and ring, by the geometry and UUIDs of @d->sb. */
void ads_off_read_meta(struct ads_off_dev *d);
/* Forgets what ads_off_read_meta() has read. */
void ads_off_forget_meta(struct ads_off_dev *d);
/* Is it one of the members that any superblock names as a metadata member? */
bool ads_off_named(const struct ads_off *o, const struct ads_off_dev *d);

/* offline-chain.c: the state. 0, or a finding has been made. */
int ads_off_load_state(struct ads_off *o);
/* The end of the chain from @at, on all members or, with @only, on one. */
struct ads_off_link ads_off_chain_end(struct ads_off *o,
				      const struct ads_off_dev *only,
				      struct ads_off_link at);
const struct ads_off_rec *ads_off_next(struct ads_off *o,
				       const struct ads_off_dev *only,
				       const struct ads_off_link *at,
				       struct ads_off_dev **where);
/* Raw record @index of a ring that was read. */
const struct adshard_record *ads_off_record(const struct ads_off_dev *d,
					    uint32_t index);

/* offline-judge.c */

/*
 * Reads everything and fills in the judgement. May be called again, after
 * changes to the blocks.
 */
void ads_off_judge(struct ads_off *o);
/*
 * Devices without a superblock: whose journal or tables are sealed with the
 * UUID of a member that is missing gets a superblock put together, marked
 * @lost and @proven. With @dev and @member >= 0 that one is taken for that
 * member without proof. -EINVAL with a sentence if it can't be. The next
 * judgement takes them as they are marked.
 */
int ads_off_identify(struct ads_off *o, struct ads_off_dev *dev,
		     int64_t member, struct ads_err *err);
/* offline-member.c, -segment.c, -bad.c, -copies.c: parts of the judgement */
void ads_off_check_members(struct ads_off *o);
void ads_off_check_set(struct ads_off *o);
void ads_off_check_segments(struct ads_off *o);
void ads_off_check_bad(struct ads_off *o);
void ads_off_check_copies(struct ads_off *o);

/* Must it take every record? */
bool ads_off_is_active(const struct ads_off *o, uint32_t member);

void ads_off_say(struct ads_off *o, enum ads_off_level level,
		 enum ads_off_heal heal, const char *kind,
		 struct ads_off_dev *d, int64_t member, const char *fmt, ...)
	__attribute__((format(printf, 7, 8)));

/* What is wrong with a table that was read, NULL if nothing is. */
const char *ads_off_table_wrong(const struct ads_off_table *t);
/* Both table areas of a metadata member have been written. */
bool ads_off_expects_both(const struct ads_off *o);

/* Has the segment a leg where the range says, so that it counts? */
bool ads_off_bad_counts(const struct ads_off *o, const struct ads_range *r);

struct ads_off_dev *ads_off_find(const struct ads_off *o, uint32_t member);
static inline bool ads_off_same(const struct ads_off_link *a,
				const struct ads_off_link *b)
{
	return a->seq == b->seq && a->sum == b->sum;
}

#endif
