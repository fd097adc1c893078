// SPDX-License-Identifier: GPL-2.0-only
/*
 * Members: changes of their state and of what is known of them, durably.
 */
#include <linux/ctype.h>
#include <linux/device-mapper.h>
#include <linux/slab.h>

#include "event.h"
#include "migrate.h"
#include "pool.h"

bool ads_label_ok(const char *label)
{
	/* "rack-2", "0:0:12", "enclosure/7"; none at all takes it away. */
	if (strlen(label) >= ADSHARD_LABEL_SIZE)
		return false;
	for (; *label; label++)
		if (!isascii(*label) ||
		    (!isalnum(*label) && !strchr("-_.+:/", *label)))
			return false;
	return true;
}

/* @old with what @chg changes. */
static void change_image(struct adshard_member *disk,
			 const struct adshard_member *old,
			 const struct ads_member_change *chg)
{
	u16 flags = le16_to_cpu(old->flags);

	*disk = *old;
	if (chg->state)
		disk->state = chg->state;
	if (chg->has_class)
		disk->class = chg->class;
	if (chg->has_cost)
		disk->cost = cpu_to_le32(chg->cost);
	if (chg->has_weight)
		disk->weight = cpu_to_le32(chg->weight);
	if (chg->has_spare) {
		flags &= ~ADSHARD_MEMBER_F_SPARE;
		if (chg->spare)
			flags |= ADSHARD_MEMBER_F_SPARE;
		disk->flags = cpu_to_le16(flags);
	}
	if (chg->domain)
		strscpy_pad(disk->domain, chg->domain, sizeof(disk->domain));
	if (chg->location)
		strscpy_pad(disk->location, chg->location,
			    sizeof(disk->location));
}

/* pool->admin held; entered. */
static int commit_member(struct ads_pool *pool, u16 member,
			 const struct ads_member_change *chg)
{
	struct ads_member *mb = &pool->members[member];
	struct ads_txn *txn = kzalloc(sizeof(*txn), GFP_NOIO);
	u8 old = mb->state, state;
	int r;

	if (!txn)
		return -ENOMEM;
	ads_txn_init(txn);
	txn->nr = 1;
	txn->redo[0].type = ADSHARD_ENTRY_MEMBER;
	txn->redo[0].index = member;
	change_image(&txn->redo[0].member, &mb->disk, chg);
	txn->undo[0] = txn->redo[0];
	txn->undo[0].member = mb->disk;
	state = txn->redo[0].member.state;
	/* Nothing of it is needed any more, so it need not be asked. */
	if (state == ADSHARD_MEMBER_DRAINED || state == ADSHARD_MEMBER_FAILED)
		txn->drop_meta = member;
	r = 0;
	if (memcmp(&txn->redo[0].member, &mb->disk, sizeof(mb->disk)))
		r = ads_meta_commit(pool, txn);
	kfree(txn);
	if (r || old == state)
		return r;

	mutex_lock(&pool->lock);
	if (state != ADSHARD_MEMBER_ONLINE)
		ads_mig_stop_to(pool, member);
	if (state == ADSHARD_MEMBER_FAILED)
		ads_pool_set_state(pool, ADSHARD_POOL_DEGRADED,
				   "a member has failed");
	ads_event_member(pool, ADSHARD_EVENT_MEMBER_STATE, member, NULL);
	mutex_unlock(&pool->lock);
	return 0;
}

static int set_online(struct ads_pool *pool, u16 member,
		      const struct ads_member_change *chg)
{
	struct ads_member *mb = &pool->members[member];
	int r;

	if (!mb->bdev)
		return -ENODEV;
	r = commit_member(pool, member, chg);
	/* Online it is, whether it can hold metadata or not. */
	if (!r && ads_meta_recruit(pool, member))
		DMWARN("%pg: member %u can't hold metadata", mb->bdev, member);
	return r;
}

static int set_failed(struct ads_pool *pool, u16 member,
		      const struct ads_member_change *chg)
{
	struct ads_member *mb = &pool->members[member];
	int r;

	mutex_lock(&pool->lock);
	mb->closing = true;
	mutex_unlock(&pool->lock);
	/* It takes no new leg now. Those with copies elsewhere go first. */
	r = ads_set_drop_all(pool, member);
	if (!r)
		r = commit_member(pool, member, chg);
	mutex_lock(&pool->lock);
	mb->closing = false;
	mutex_unlock(&pool->lock);
	return r;
}

static int set_member(struct ads_pool *pool, u16 member,
		      struct ads_member_change *chg)
{
	u8 old = pool->members[member].state;

	/* It has been, and is empty. */
	if (old == ADSHARD_MEMBER_DRAINED &&
	    chg->state == ADSHARD_MEMBER_DRAINING)
		chg->state = 0;
	if (!chg->state || chg->state == old)
		return commit_member(pool, member, chg);
	switch (chg->state) {
	case ADSHARD_MEMBER_ONLINE:
		return old == ADSHARD_MEMBER_FAILED ? -EHOSTDOWN :
		       set_online(pool, member, chg);
	case ADSHARD_MEMBER_DRAINING:
		return old == ADSHARD_MEMBER_FAILED ? -EHOSTDOWN :
		       commit_member(pool, member, chg);
	case ADSHARD_MEMBER_FAILED:
		return set_failed(pool, member, chg);
	default:
		return -EINVAL;
	}
}

int ads_pool_set_member(struct ads_pool *pool, u16 member,
			const struct ads_member_change *chg)
{
	struct ads_member_change c = *chg;
	int r = ads_pool_enter(pool);

	if (r)
		return r;
	mutex_lock(&pool->admin);
	if (member >= pool->nr_members || !pool->members[member].state)
		r = -ENOENT;
	else
		r = set_member(pool, member, &c);
	mutex_unlock(&pool->admin);
	ads_pool_leave(pool);
	if (!r && c.state == ADSHARD_MEMBER_DRAINING)
		ads_pool_check_drained(pool, member);
	return r;
}

void ads_pool_check_drained(struct ads_pool *pool, u16 member)
{
	static const struct ads_member_change drained = {
		.state = ADSHARD_MEMBER_DRAINED,
	};
	struct ads_member *mb;
	bool empty;

	if (ads_pool_enter(pool))
		return;
	mutex_lock(&pool->admin);
	mutex_lock(&pool->lock);
	mb = &pool->members[member];
	/* It takes no new data, so 0 stays 0 until it is online again. */
	empty = mb->state == ADSHARD_MEMBER_DRAINING && !mb->nr_legs;
	mutex_unlock(&pool->lock);
	if (empty && commit_member(pool, member, &drained))
		DMWARN("member %u holds nothing any more, but that could not be recorded",
		       member);
	mutex_unlock(&pool->admin);
	ads_pool_leave(pool);
}
