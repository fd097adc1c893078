// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sets: lookup, and what a record says of them. See set.h.
 */
#include <linux/device-mapper.h>
#include <linux/rcupdate.h>

#include "meta-core.h"
#include "pool.h"

void ads_sets_init(struct ads_sets *sets)
{
	xa_init(&sets->by_seg);
	spin_lock_init(&sets->lock);
	INIT_LIST_HEAD(&sets->todo);
	INIT_LIST_HEAD(&sets->intents);
	bio_list_init(&sets->bios);
	bio_list_init(&sets->flushes);
}

struct ads_set *ads_set_of(struct ads_pool *pool, u32 seg)
{
	return xa_load(&pool->sets.by_seg, seg);
}

void ads_set_init(struct ads_set *set, struct ads_pool *pool, u32 seg)
{
	set->pool = pool;
	set->seg = seg;
	set->owner = -1;
	spin_lock_init(&set->lock);
	INIT_LIST_HEAD(&set->writes);
	bio_list_init(&set->held);
	bio_list_init(&set->stalled);
	INIT_LIST_HEAD(&set->todo);
	INIT_LIST_HEAD(&set->in_intents);
}

/*----------------------------------------------------------------*/

u8 ads_set_mask(const struct ads_set *set, enum ads_leg_core state)
{
	unsigned int i;
	u8 mask = 0;

	for (i = 0; i < ADS_SET_LEGS; i++)
		if (set->leg[i].state == state)
			mask |= 1U << i;
	return mask;
}

int ads_set_leg_on(const struct ads_set *set, u16 member)
{
	unsigned int i;

	for (i = 0; i < ADS_SET_LEGS; i++)
		if (set->leg[i].state != ADS_LEG_FREE &&
		    set->leg[i].state != ADS_LEG_GONE &&
		    set->leg[i].member == member)
			return i;
	return -1;
}

struct ads_member *ads_set_member(const struct ads_set *set, unsigned int leg)
{
	return &set->pool->members[set->leg[leg].member];
}

sector_t ads_set_sector(const struct ads_set *set, unsigned int leg,
			sector_t volume)
{
	const struct ads_pool *pool = set->pool;

	return ads_set_member(set, leg)->data_start +
		((sector_t)set->leg[leg].chunk << pool->chunk_shift) +
		(volume & ((1ULL << pool->segment_shift) - 1));
}

static u32 flushes_failed(const struct ads_set *set, unsigned int leg)
{
	return READ_ONCE(ads_set_member(set, leg)->flushes_failed);
}

bool ads_set_leg_lost(const struct ads_set *set, unsigned int leg)
{
	/*
	 * Without an intent all that it has is durable. (Read without a lock by
	 * readers, who are no worse off for a moment's difference.)
	 */
	return READ_ONCE(set->intent) >= ADS_INTENT_SET &&
	       flushes_failed(set, leg) != READ_ONCE(set->leg[leg].flushes);
}

/* What the record is to call a leg; NONE: it isn't in it. */
static u8 leg_image(const struct ads_set_leg *leg, bool add)
{
	switch (leg->state) {
	case ADS_LEG_SYNC:
		return ADSHARD_LEG_SYNC;
	case ADS_LEG_OUT:
	case ADS_LEG_STALE:
		return ADSHARD_LEG_STALE;
	case ADS_LEG_FILLING:
		if (add)
			return ADSHARD_LEG_SYNC;
		return leg->stale ? ADSHARD_LEG_STALE : ADSHARD_LEG_NONE;
	}
	return ADSHARD_LEG_NONE;
}

static void add_image(const struct ads_set *set, struct ads_fmt_seg *s,
		      unsigned int i, u8 state)
{
	struct ads_fmt_leg *leg = &s->leg[s->nr_legs];

	if (WARN_ON_ONCE(s->nr_legs == ADSHARD_MAX_LEGS))
		return;
	leg->member = set->leg[i].member;
	leg->chunk = set->leg[i].chunk;
	leg->state = state;
	s->nr_legs++;
	s->in_sync += state == ADSHARD_LEG_SYNC;
}

void ads_set_image(const struct ads_set *set, struct ads_fmt_seg *s, int add,
		   int drop)
{
	u8 state[ADS_SET_LEGS];
	int i, first = -1;

	/* Nothing changes there: who knows, somebody may get it back. */
	if (set->lost) {
		*s = set->disk;
		s->wanted = set->wanted;
		return;
	}
	memset(s, 0, sizeof(*s));
	s->wanted = set->wanted;
	for (i = 0; i < ADS_SET_LEGS; i++) {
		state[i] = i == drop ? ADSHARD_LEG_NONE :
			   leg_image(&set->leg[i], i == add);
		/* In the place of one that goes, the one that comes. */
		if (state[i] == ADSHARD_LEG_SYNC &&
		    (first < 0 || i == set->primary ||
		     (i == add && drop == set->primary)))
			first = i;
	}
	/* A record without any would be the end of it: rather the old one. */
	if (WARN_ON_ONCE(first < 0)) {
		*s = set->disk;
		return;
	}
	add_image(set, s, first, state[first]);
	for (i = 0; i < ADS_SET_LEGS; i++)
		if (i != first && state[i] == ADSHARD_LEG_SYNC)
			add_image(set, s, i, state[i]);
	for (i = 0; i < ADS_SET_LEGS; i++)
		if (state[i] == ADSHARD_LEG_STALE)
			add_image(set, s, i, state[i]);
	/*
	 * With one that comes there are writes under way, to it and to the
	 * others, that wait for no intent.
	 */
	s->intent = s->in_sync > 1 &&
		    (set->intent != ADS_INTENT_NONE || add >= 0);
}

/* How @s calls the leg; NONE: it doesn't. */
static u8 state_in(const struct ads_fmt_seg *s, const struct ads_set_leg *leg)
{
	unsigned int i;

	for (i = 0; i < s->nr_legs; i++)
		if (s->leg[i].member == leg->member &&
		    s->leg[i].chunk == leg->chunk)
			return s->leg[i].state;
	return ADSHARD_LEG_NONE;
}

static void leg_apply(struct ads_set_leg *leg, u8 state)
{
	if (leg->state == ADS_LEG_FREE || leg->state == ADS_LEG_GONE)
		return;
	if (state == ADSHARD_LEG_NONE) {
		if (leg->state != ADS_LEG_FILLING)
			WRITE_ONCE(leg->state, ADS_LEG_GONE);
		return;
	}
	if (state == ADSHARD_LEG_STALE) {
		if (leg->state != ADS_LEG_FILLING)
			WRITE_ONCE(leg->state, ADS_LEG_STALE);
		return;
	}
	/* One that is out by now has a record of its own to come. */
	if (leg->state == ADS_LEG_FILLING) {
		/* Who reads from it sees what was written to it: a record ago. */
		smp_store_release(&leg->state, ADS_LEG_SYNC);
		leg->stale = false;
	}
}

void ads_set_list_intent(struct ads_set *set, bool on)
{
	struct ads_sets *sets = &set->pool->sets;
	unsigned long flags;

	spin_lock_irqsave(&sets->lock, flags);
	if (on == list_empty(&set->in_intents)) {
		WRITE_ONCE(sets->nr_intents, sets->nr_intents + (on ? 1 : -1));
		if (on)
			list_add_tail(&set->in_intents, &sets->intents);
		else
			list_del_init(&set->in_intents);
	}
	spin_unlock_irqrestore(&sets->lock, flags);
}

static void intent_apply(struct ads_set *set, bool intent)
{
	unsigned int i;

	if (!intent) {
		WRITE_ONCE(set->intent, ADS_INTENT_NONE);
		WRITE_ONCE(set->doubt, false);
		ads_set_list_intent(set, false);
		return;
	}
	/* Nothing was sent since the last flush: all are as good as new. */
	for (i = 0; i < ADS_SET_LEGS; i++) {
		struct ads_set_leg *leg = &set->leg[i];

		if (set->intent == ADS_INTENT_SETTING &&
		    leg->state == ADS_LEG_SYNC)
			leg->flushes = flushes_failed(set, i);
	}
	if (set->intent != ADS_INTENT_CLEARING)
		WRITE_ONCE(set->intent, ADS_INTENT_SET);
	ads_set_list_intent(set, true);
}

void ads_set_apply(struct ads_set *set, const struct ads_fmt_seg *s)
{
	unsigned int i;
	int first;
	u8 sync;

	lockdep_assert_held(&set->lock);
	if (set->lost) {
		set->wanted = s->wanted;
		set->disk = *s;
		return;
	}
	for (i = 0; i < ADS_SET_LEGS; i++)
		leg_apply(&set->leg[i], state_in(s, &set->leg[i]));
	sync = ads_set_mask(set, ADS_LEG_SYNC);
	first = ads_set_leg_on(set, s->leg[0].member);
	if (first < 0 || !(sync & 1U << first))
		first = sync && !(sync & 1U << set->primary) ? __ffs(sync) :
			set->primary;
	if (first != set->primary) {
		WRITE_ONCE(set->primary, first);
		/* What was made equal was so with another one. */
		set->doubts++;
		set->aligned = 0;
	}
	set->wanted = s->wanted;
	intent_apply(set, s->intent);
	set->disk = *s;
	ads_set_account(set);
}

static void count_owner(struct ads_set *set, int owner, int n)
{
	struct ads_member *mb;
	unsigned long flags;

	if (owner < 0)
		return;
	mb = ads_set_member(set, owner);
	spin_lock_irqsave(&mb->flush_lock, flags);
	mb->nr_owned += n;
	spin_unlock_irqrestore(&mb->flush_lock, flags);
}

void ads_set_account(struct ads_set *set)
{
	struct ads_sets *sets = &set->pool->sets;
	unsigned int i, in_sync = 0, stale = 0;
	bool missing;
	int owner = -1;

	for (i = 0; i < ADS_SET_LEGS; i++) {
		const struct ads_set_leg *leg = &set->leg[i];

		if (leg->state == ADS_LEG_SYNC && !set->lost) {
			in_sync++;
			owner = i;
		}
		stale += leg->state == ADS_LEG_OUT ||
			 leg->state == ADS_LEG_STALE ||
			 (leg->state == ADS_LEG_FILLING && leg->stale);
	}
	missing = in_sync < set->wanted;
	if (in_sync != 1)
		owner = -1;
	if (owner != set->owner) {
		/* The new one first: a flush that fails now must find it. */
		count_owner(set, owner, 1);
		count_owner(set, set->owner, -1);
		set->owner = owner;
	}
	atomic_add(stale - set->counted_stale, &sets->stale);
	atomic_add(missing - set->counted_short, &sets->missing);
	atomic_add(set->doubt - set->counted_doubt, &sets->doubt);
	set->counted_stale = stale;
	set->counted_short = missing;
	set->counted_doubt = set->doubt;
}

/*----------------------------------------------------------------*/

void ads_seg_image(struct ads_pool *pool, u32 seg, struct adshard_seg *d)
{
	/*
	 * The place in a word, and what a set has for its record, change only
	 * under the metadata lock, which we hold; flags may at any time.
	 */
	struct ads_set *set = NULL;
	u64 word;

	/* A set goes after a drain of its lane without the flag: see lane.c. */
	rcu_read_lock();
	word = READ_ONCE(pool->map[seg]);
	if (word != ADS_WORD_NONE && word & ADS_WORD_SET)
		set = ads_set_of(pool, seg);
	if (set)
		ads_fmt_seg_encode(&set->disk, d);
	else if (word != ADS_WORD_NONE)
		ads_fmt_seg_plain(d, ads_word_member(word),
				  ads_word_chunk(word));
	rcu_read_unlock();
}

bool ads_seg_is_at(struct ads_pool *pool, u32 seg, u64 word)
{
	struct ads_set *set = NULL;
	unsigned long flags;
	unsigned int i;
	bool at = false;
	u64 now;

	/* As above. */
	rcu_read_lock();
	now = READ_ONCE(pool->map[seg]);
	if (now != ADS_WORD_NONE && now & ADS_WORD_SET)
		set = ads_set_of(pool, seg);
	if (!set) {
		rcu_read_unlock();
		return ads_word_place(now) == ads_word_place(word);
	}
	spin_lock_irqsave(&set->lock, flags);
	for (i = 0; i < set->disk.nr_legs; i++)
		at |= set->disk.leg[i].state == ADSHARD_LEG_SYNC &&
		      ads_word(set->disk.leg[i].member,
			       set->disk.leg[i].chunk) == ads_word_place(word);
	spin_unlock_irqrestore(&set->lock, flags);
	rcu_read_unlock();
	return at;
}

bool ads_seg_lost(struct ads_pool *pool, u32 seg)
{
	struct ads_set *set = NULL;
	bool lost;
	u64 word;

	rcu_read_lock();
	word = READ_ONCE(pool->map[seg]);
	if (word & ADS_WORD_SET)
		set = ads_set_of(pool, seg);
	lost = set ? set->lost :
	       READ_ONCE(pool->members[ads_word_member(word)].state) ==
	       ADSHARD_MEMBER_FAILED;
	rcu_read_unlock();
	return lost;
}
