// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events: numbered, sent to the multicast group, and told to device-mapper for
 * "dmsetup wait".
 *
 * A number is taken for every event, also for one that can't be sent: then it
 * is the gap that tells the listeners. Number and message are made under
 * pool->event_lock, so that events arrive in the order of their numbers.
 */
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/workqueue.h>

#include "event.h"
#include "migrate.h"
#include "netlink.h"

/* Everything there is in an event but the text, with room to spare. */
#define EVENT_SIZE	512
#define TEXT_MAX	256		/* with its NUL */

/* Takes event_lock and a number. NULL: nobody listens, or there is no memory. */
static struct sk_buff *event_begin(struct ads_pool *pool,
				   enum adshard_event type, const char *text,
				   void **hdr)
{
	struct sk_buff *skb;
	char buf[TEXT_MAX];

	mutex_lock(&pool->event_lock);
	WRITE_ONCE(pool->event_seq, pool->event_seq + 1);
	if (!genl_has_listeners(&ads_genl_family, &init_net, ADS_MCGRP_EVENTS))
		return NULL;
	skb = genlmsg_new(EVENT_SIZE + TEXT_MAX, GFP_NOIO);
	if (!skb)
		return NULL;
	*hdr = genlmsg_put(skb, 0, 0, &ads_genl_family, 0, ADSHARD_CMD_EVENT);
	if (!*hdr || ads_nl_put_uuid(skb, pool) ||
	    ads_nl_put_u64(skb, ADSHARD_A_EVENT_SEQ, pool->event_seq) ||
	    nla_put_u32(skb, ADSHARD_A_EVENT, type) ||
	    ads_nl_put_u64(skb, ADSHARD_A_TIME_NS, ktime_get_real_ns()))
		goto fail;
	if (text) {
		strscpy(buf, text, sizeof(buf));
		if (nla_put_string(skb, ADSHARD_A_TEXT, buf))
			goto fail;
	}
	return skb;
fail:
	nlmsg_free(skb);
	return NULL;
}

/* Sends, unless @err or there is no @skb; lets go of event_lock. */
static void event_end(struct ads_pool *pool, enum adshard_event type,
		      struct sk_buff *skb, void *hdr, int err)
{
	if (skb && err) {
		WARN_ONCE(1, "adshard: event %d has outgrown its buffer", type);
		nlmsg_free(skb);
	} else if (skb) {
		genlmsg_end(skb, hdr);
		/* An error is the listener's: its socket says ENOBUFS. */
		genlmsg_multicast(&ads_genl_family, skb, 0, ADS_MCGRP_EVENTS,
				  GFP_NOIO);
	}
	mutex_unlock(&pool->event_lock);
	/* When the pool goes there is no table left to wait at. */
	if (type != ADSHARD_EVENT_POOL_GONE)
		schedule_work(&pool->table_work);
}

u64 ads_event_seq(struct ads_pool *pool)
{
	u64 seq;

	mutex_lock(&pool->event_lock);
	seq = pool->event_seq;
	mutex_unlock(&pool->event_lock);
	return seq;
}

void ads_event_pool(struct ads_pool *pool, enum adshard_event type,
		    const char *text)
{
	struct sk_buff *skb;
	void *hdr;

	skb = event_begin(pool, type, text, &hdr);
	event_end(pool, type, skb, hdr, 0);
	/* Errors that were met while it was being loaded. */
	if (type == ADSHARD_EVENT_POOL_ACTIVE)
		schedule_work(&pool->error_work);
}

void ads_event_member(struct ads_pool *pool, enum adshard_event type,
		      u16 member, const char *text)
{
	struct sk_buff *skb;
	void *hdr;
	int err = 0;

	skb = event_begin(pool, type, text, &hdr);
	if (skb)
		err = nla_put_u32(skb, ADSHARD_A_MEMBER, member) ||
		      nla_put_u32(skb, ADSHARD_A_MEMBER_STATE,
				  READ_ONCE(pool->members[member].state));
	event_end(pool, type, skb, hdr, err);
}

void ads_event_leg(struct ads_pool *pool, enum adshard_event type, u32 seg,
		   u16 member)
{
	struct sk_buff *skb;
	void *hdr;
	int err = 0;

	skb = event_begin(pool, type, NULL, &hdr);
	if (skb)
		err = nla_put_u32(skb, ADSHARD_A_SEGMENT, seg) ||
		      nla_put_u32(skb, ADSHARD_A_MEMBER, member);
	event_end(pool, type, skb, hdr, err);
}

static int put_mig(struct sk_buff *skb, struct ads_mig *m, int err)
{
	struct ads_mig_info info;

	ads_mig_info(m, &info);
	if (err && nla_put_u32(skb, ADSHARD_A_ERROR, abs(err)))
		return -EMSGSIZE;
	if (info.bad_bytes &&
	    ads_nl_put_u64(skb, ADSHARD_A_BAD_BYTES, info.bad_bytes))
		return -EMSGSIZE;
	return nla_put_u32(skb, ADSHARD_A_SEGMENT, m->seg) ||
	       nla_put_u32(skb, ADSHARD_A_KIND, m->kind) ||
	       nla_put_u32(skb, ADSHARD_A_SRC_MEMBER, m->src) ||
	       nla_put_u32(skb, ADSHARD_A_DST_MEMBER, m->dst) ||
	       ads_nl_put_u64(skb, ADSHARD_A_COOKIE, m->cookie) ||
	       ads_nl_put_u64(skb, ADSHARD_A_BYTES_COPIED,
			      info.bytes_copied) ||
	       ads_nl_put_u64(skb, ADSHARD_A_CHUNKS_VERIFIED,
			      info.chunks_verified) ||
	       ads_nl_put_u64(skb, ADSHARD_A_CHUNKS_RECOPIED,
			      info.chunks_recopied) ||
	       ads_nl_put_u64(skb, ADSHARD_A_MISMATCHES, info.mismatches) ||
	       ads_nl_put_u64(skb, ADSHARD_A_HOLD_MAX_NS, info.hold_max_ns) ||
	       ads_nl_put_u64(skb, ADSHARD_A_AGE_NS, info.age_ns);
}

void ads_event_mig(struct ads_mig *m, enum adshard_event type, int err,
		   const char *text)
{
	struct ads_pool *pool = m->pool;
	struct sk_buff *skb;
	void *hdr;

	skb = event_begin(pool, type, text, &hdr);
	event_end(pool, type, skb, hdr, skb ? put_mig(skb, m, err) : 0);
}

/* Errors of members --------------------------------------------------------*/

/*
 * member->error_pending: bit kind, set by ads_member_error(): to be reported;
 * bit REPORTED + kind: was once, so that it has to wait for its turn.
 */
#define REPORTED	8

static void error_retry(struct work_struct *work);
static DECLARE_DELAYED_WORK(error_retry_work, error_retry);

/* Errors that came too soon after an event of their member are due now. */
static void error_retry(struct work_struct *work)
{
	struct ads_pool *pool = NULL;

	while ((pool = ads_pool_next(pool))) {
		mutex_lock(&pool->lock);
		/* Once it is dead, error_work is cancelled for good. */
		if (!pool->dead)
			schedule_work(&pool->error_work);
		mutex_unlock(&pool->lock);
	}
}

static void error_text(struct ads_member *mb, char *buf, size_t size)
{
	static const char * const rare[ADS_ERR_KINDS] = {
		[ADS_ERR_FLUSH]	= "flush",
		[ADS_ERR_META]	= "metadata",
		[ADS_ERR_COPY]	= "copy",
	};
	char name[BDEVNAME_SIZE];
	int i, len;
	long n;

	len = scnprintf(buf, size, "%ld read errors, %ld write errors",
			atomic_long_read(&mb->errors[ADS_ERR_READ]),
			atomic_long_read(&mb->errors[ADS_ERR_WRITE]));
	for (i = 0; i < ADS_ERR_KINDS; i++) {
		n = atomic_long_read(&mb->errors[i]);
		if (rare[i] && n)
			len += scnprintf(buf + len, size - len,
					 ", %ld %s errors", n, rare[i]);
	}
	ads_member_name(mb, name, sizeof(name));
	scnprintf(buf + len, size - len, " on %s", name);
}

/* Returns false if the errors have to wait. */
static bool report_errors(struct ads_pool *pool, struct ads_member *mb,
			  unsigned long pending)
{
	unsigned long reported = READ_ONCE(mb->error_pending) >> REPORTED;
	char text[TEXT_MAX];
	int kind;

	if (!(pending & ~reported) &&
	    time_before(jiffies, mb->last_event + HZ))
		return false;

	for_each_set_bit(kind, &pending, ADS_ERR_KINDS) {
		clear_bit(kind, &mb->error_pending);
		set_bit(REPORTED + kind, &mb->error_pending);
	}
	/*
	 * The bits before the counters. Pairs with test_and_set_bit() in
	 * ads_member_error(), after its counter: no error falls in between.
	 */
	smp_mb__after_atomic();
	mb->last_event = jiffies;
	error_text(mb, text, sizeof(text));
	ads_event_member(pool, ADSHARD_EVENT_MEMBER_ERROR, mb->index, text);
	return true;
}

void ads_error_work(struct work_struct *work)
{
	struct ads_pool *pool = container_of(work, struct ads_pool, error_work);
	struct ads_member *mb;
	unsigned long pending;
	bool wait = false;
	u32 i;

	BUILD_BUG_ON(ADS_ERR_KINDS > REPORTED);

	/* While it is being loaded there are no members to rely on. */
	mutex_lock(&pool->lock);
	for (i = 0; pool->loaded && i < pool->nr_members; i++) {
		mb = &pool->members[i];
		pending = READ_ONCE(mb->error_pending) &
			  GENMASK(ADS_ERR_KINDS - 1, 0);
		if (pending && !report_errors(pool, mb, pending))
			wait = true;
	}
	mutex_unlock(&pool->lock);
	if (wait)
		schedule_delayed_work(&error_retry_work, HZ);
}

void ads_event_exit(void)
{
	cancel_delayed_work_sync(&error_retry_work);
}
