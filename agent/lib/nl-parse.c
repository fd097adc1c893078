// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * From netlink attributes to plain structs, and names for the enums.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dev.h"
#include "nl-priv.h"
#include "text.h"

#define U8	{ .type = NLA_U8 }
#define U32	{ .type = NLA_U32 }
#define U64	{ .type = NLA_U64 }
#define UUID	{ .type = NLA_UNSPEC, .minlen = ADS_UUID_LEN, \
		  .maxlen = ADS_UUID_LEN }
#define HIST	{ .type = NLA_UNSPEC, \
		  .minlen = ADSHARD_HIST_BUCKETS * sizeof(uint64_t) }
#define STRING	{ .type = NLA_STRING }

static const struct nla_policy policy[ADSHARD_A_MAX + 1] = {
	[ADSHARD_A_POOL_UUID] = UUID,
	[ADSHARD_A_POOL_NAME] = STRING,
	[ADSHARD_A_POOL_STATE] = U32,
	[ADSHARD_A_DEV_MAJOR] = U32,
	[ADSHARD_A_DEV_MINOR] = U32,
	[ADSHARD_A_SUSPENDED] = U8,
	[ADSHARD_A_PAUSED] = U8,
	[ADSHARD_A_SIZE] = U64,
	[ADSHARD_A_SEGMENT_SIZE] = U64,
	[ADSHARD_A_CHUNK_SIZE] = U64,
	[ADSHARD_A_NR_SEGMENTS] = U32,
	[ADSHARD_A_NR_MEMBERS] = U32,
	[ADSHARD_A_SEQ] = U64,
	[ADSHARD_A_TERM] = U64,
	[ADSHARD_A_EVENT_SEQ] = U64,
	[ADSHARD_A_GENERATION] = U64,
	[ADSHARD_A_NR_ACTIVE] = U32,
	[ADSHARD_A_NR_QUEUED] = U32,
	[ADSHARD_A_NR_DONE] = U64,
	[ADSHARD_A_NR_FAILED] = U64,
	[ADSHARD_A_NR_ABORTED] = U64,
	[ADSHARD_A_BYTES_COPIED] = U64,
	[ADSHARD_A_CHUNKS_VERIFIED] = U64,
	[ADSHARD_A_MISMATCHES] = U64,
	[ADSHARD_A_MAX_ACTIVE] = U32,
	[ADSHARD_A_HEAT_SAMPLE] = U32,
	[ADSHARD_A_BYTES_PER_SEGMENT] = U32,
	[ADSHARD_A_MEMBER] = U32,
	[ADSHARD_A_MEMBER_UUID] = UUID,
	[ADSHARD_A_MEMBER_STATE] = U32,
	[ADSHARD_A_META] = U8,
	[ADSHARD_A_NR_SLOTS] = U32,
	[ADSHARD_A_NR_FREE] = U32,
	[ADSHARD_A_DATA_START] = U64,
	[ADSHARD_A_SRC_BPS] = U64,
	[ADSHARD_A_DST_BPS] = U64,
	[ADSHARD_A_SRC_ACTIVE_MAX] = U32,
	[ADSHARD_A_DST_ACTIVE_MAX] = U32,
	[ADSHARD_A_SRC_ACTIVE] = U32,
	[ADSHARD_A_DST_ACTIVE] = U32,
	[ADSHARD_A_READ_ERRORS] = U64,
	[ADSHARD_A_WRITE_ERRORS] = U64,
	[ADSHARD_A_FLUSH_ERRORS] = U64,
	[ADSHARD_A_META_ERRORS] = U64,
	[ADSHARD_A_COPY_ERRORS] = U64,
	[ADSHARD_A_READ_HIST] = HIST,
	[ADSHARD_A_WRITE_HIST] = HIST,
	[ADSHARD_A_SEGMENT] = U32,
	[ADSHARD_A_COUNT] = U32,
	[ADSHARD_A_SEGMENTS] = { .type = NLA_NESTED },
	[ADSHARD_A_SRC_MEMBER] = U32,
	[ADSHARD_A_DST_MEMBER] = U32,
	[ADSHARD_A_STEP] = U32,
	[ADSHARD_A_PRIORITY] = U32,
	[ADSHARD_A_COOKIE] = U64,
	[ADSHARD_A_CHUNKS] = U32,
	[ADSHARD_A_CHUNKS_DONE] = U32,
	[ADSHARD_A_CHUNKS_RECOPIED] = U64,
	[ADSHARD_A_WRITES_HELD] = U64,
	[ADSHARD_A_HOLD_MAX_NS] = U64,
	[ADSHARD_A_AGE_NS] = U64,
	[ADSHARD_A_EVENT] = U32,
	[ADSHARD_A_TIME_NS] = U64,
	[ADSHARD_A_ERROR] = U32,
	[ADSHARD_A_TEXT] = STRING,
	[ADSHARD_A_NR_BAD] = U32,
	[ADSHARD_A_NR_BAD_FREE] = U32,
	[ADSHARD_A_BAD_BYTES] = U64,
	[ADSHARD_A_OFFSET] = U64,
	[ADSHARD_A_LENGTH] = U64,
	[ADSHARD_A_CLASS] = U32,
	[ADSHARD_A_DOMAIN] = STRING,
	[ADSHARD_A_LOCATION] = STRING,
	[ADSHARD_A_COST] = U32,
	[ADSHARD_A_WEIGHT] = U32,
	[ADSHARD_A_SPARE] = U8,
	[ADSHARD_A_ASIDE] = U8,
	[ADSHARD_A_SLOW_NS] = U64,
	[ADSHARD_A_FLOOR_BPS] = U64,
	[ADSHARD_A_LATENCY_NS] = U64,
	[ADSHARD_A_LATENCY_NOW_NS] = U64,
	[ADSHARD_A_SRC_RATE] = U64,
	[ADSHARD_A_DST_RATE] = U64,
	[ADSHARD_A_SRC_RATE_BY] = U32,
	[ADSHARD_A_DST_RATE_BY] = U32,
	[ADSHARD_A_NR_LOST] = U32,
	[ADSHARD_A_KIND] = U32,
	[ADSHARD_A_WANTED] = U32,
	[ADSHARD_A_WARMUP] = U32,
	[ADSHARD_A_PERCENT] = U32,
	[ADSHARD_A_NR_STALE] = U32,
	[ADSHARD_A_NR_SHORT] = U32,
	[ADSHARD_A_NR_DOUBT] = U32,
	[ADSHARD_A_RESYNC_BYTES] = U64,
	[ADSHARD_A_SCRUB_MISMATCHES] = U64,
	[ADSHARD_A_READ_REPAIRS] = U64,
};

static const struct nla_policy seg_policy[ADSHARD_SEG_A_MAX + 1] = {
	[ADSHARD_SEG_A_INDEX] = U32,
	[ADSHARD_SEG_A_STATE] = U32,
	[ADSHARD_SEG_A_READS] = U32,
	[ADSHARD_SEG_A_WRITES] = U32,
	[ADSHARD_SEG_A_LAST] = U32,
	[ADSHARD_SEG_A_LEGS] = { .type = NLA_NESTED },
	[ADSHARD_SEG_A_WANTED] = U32,
	[ADSHARD_SEG_A_INTENT] = U8,
};

static const struct nla_policy leg_policy[ADSHARD_LEG_A_MAX + 1] = {
	[ADSHARD_LEG_A_MEMBER] = U32,
	[ADSHARD_LEG_A_CHUNK] = U32,
	[ADSHARD_LEG_A_STATE] = U32,
};

int ads_nl_parse_msg(struct nlmsghdr *nlh, struct nlattr **attrs)
{
	if (!genlmsg_valid_hdr(nlh, 0) ||
	    genlmsg_parse(nlh, 0, attrs, ADSHARD_A_MAX, policy))
		return -EPROTO;
	return 0;
}

void *ads_vec_push(struct ads_vec *v)
{
	void *p;

	if (v->n == v->cap) {
		size_t cap = v->cap ? v->cap * 2 : 16;

		p = reallocarray(v->data, cap, v->elem);
		if (!p)
			return NULL;
		v->data = p;
		v->cap = cap;
	}
	p = (char *)v->data + v->n++ * v->elem;
	return memset(p, 0, v->elem);
}

static uint32_t u32(struct nlattr **a, int type)
{
	return a[type] ? nla_get_u32(a[type]) : 0;
}

static uint64_t u64(struct nlattr **a, int type)
{
	return a[type] ? nla_get_u64(a[type]) : 0;
}

static bool flag(struct nlattr **a, int type)
{
	return a[type] && nla_get_u8(a[type]);
}

static void string(struct nlattr **a, int type, char *out, size_t size)
{
	if (a[type])
		nla_strlcpy(out, a[type], size);
	ads_text_clean(out);
}

static void uuid(struct nlattr **a, int type, uint8_t *out)
{
	if (a[type])
		memcpy(out, nla_data(a[type]), ADS_UUID_LEN);
}

void ads_nl_parse_pool(struct nlattr **a, struct ads_pool *p)
{
	uuid(a, ADSHARD_A_POOL_UUID, p->uuid);
	if (a[ADSHARD_A_POOL_NAME])
		nla_strlcpy(p->name, a[ADSHARD_A_POOL_NAME], sizeof(p->name));
	ads_text_clean(p->name);
	p->major = u32(a, ADSHARD_A_DEV_MAJOR);
	p->minor = u32(a, ADSHARD_A_DEV_MINOR);
	p->state = u32(a, ADSHARD_A_POOL_STATE);
	p->suspended = flag(a, ADSHARD_A_SUSPENDED);
	p->paused = flag(a, ADSHARD_A_PAUSED);
	p->size = u64(a, ADSHARD_A_SIZE);
	p->segment_size = u64(a, ADSHARD_A_SEGMENT_SIZE);
	p->chunk_size = u64(a, ADSHARD_A_CHUNK_SIZE);
	p->nr_segments = u32(a, ADSHARD_A_NR_SEGMENTS);
	p->nr_members = u32(a, ADSHARD_A_NR_MEMBERS);
	p->seq = u64(a, ADSHARD_A_SEQ);
	p->term = u64(a, ADSHARD_A_TERM);
	p->event_seq = u64(a, ADSHARD_A_EVENT_SEQ);
	p->generation = u64(a, ADSHARD_A_GENERATION);
	p->nr_active = u32(a, ADSHARD_A_NR_ACTIVE);
	p->nr_queued = u32(a, ADSHARD_A_NR_QUEUED);
	p->nr_done = u64(a, ADSHARD_A_NR_DONE);
	p->nr_failed = u64(a, ADSHARD_A_NR_FAILED);
	p->nr_aborted = u64(a, ADSHARD_A_NR_ABORTED);
	p->bytes_copied = u64(a, ADSHARD_A_BYTES_COPIED);
	p->chunks_verified = u64(a, ADSHARD_A_CHUNKS_VERIFIED);
	p->mismatches = u64(a, ADSHARD_A_MISMATCHES);
	p->max_active = u32(a, ADSHARD_A_MAX_ACTIVE);
	p->slow_ns = u64(a, ADSHARD_A_SLOW_NS);
	p->heat_sample = u32(a, ADSHARD_A_HEAT_SAMPLE);
	p->bytes_per_segment = u32(a, ADSHARD_A_BYTES_PER_SEGMENT);
	p->knows_bad = a[ADSHARD_A_NR_BAD];
	p->nr_bad = u32(a, ADSHARD_A_NR_BAD);
	p->nr_bad_free = u32(a, ADSHARD_A_NR_BAD_FREE);
	p->bad_bytes = u64(a, ADSHARD_A_BAD_BYTES);
	p->nr_lost = u32(a, ADSHARD_A_NR_LOST);
	p->knows_legs = a[ADSHARD_A_NR_SHORT];
	p->nr_stale = u32(a, ADSHARD_A_NR_STALE);
	p->nr_short = u32(a, ADSHARD_A_NR_SHORT);
	p->nr_doubt = u32(a, ADSHARD_A_NR_DOUBT);
	p->resync_bytes = u64(a, ADSHARD_A_RESYNC_BYTES);
	p->scrub_mismatches = u64(a, ADSHARD_A_SCRUB_MISMATCHES);
	p->read_repairs = u64(a, ADSHARD_A_READ_REPAIRS);
}

/*
 * The pool holds on to a device that was pulled, and to its number, until the
 * pool is deactivated; sysfs knows the device no more.
 */
static bool was_pulled(const struct ads_member *m)
{
	char path[320];

	snprintf(path, sizeof(path), "%s/dev/block", ads_sysfs());
	if (access(path, F_OK))
		return false;
	snprintf(path, sizeof(path), "%s/dev/block/%u:%u", ads_sysfs(),
		 m->major, m->minor);
	return access(path, F_OK) && errno == ENOENT;
}

void ads_nl_parse_member(struct nlattr **a, struct ads_member *m)
{
	uuid(a, ADSHARD_A_POOL_UUID, m->pool_uuid);
	uuid(a, ADSHARD_A_MEMBER_UUID, m->uuid);
	m->index = u32(a, ADSHARD_A_MEMBER);
	m->major = u32(a, ADSHARD_A_DEV_MAJOR);
	m->minor = u32(a, ADSHARD_A_DEV_MINOR);
	m->present = a[ADSHARD_A_DEV_MAJOR] && a[ADSHARD_A_DEV_MINOR] &&
		     !was_pulled(m);
	m->state = u32(a, ADSHARD_A_MEMBER_STATE);
	m->meta = a[ADSHARD_A_META] ? nla_get_u8(a[ADSHARD_A_META]) : 0;
	m->size = u64(a, ADSHARD_A_SIZE);
	m->nr_slots = u32(a, ADSHARD_A_NR_SLOTS);
	m->nr_free = u32(a, ADSHARD_A_NR_FREE);
	m->nr_segments = u32(a, ADSHARD_A_NR_SEGMENTS);
	m->nr_lost = u32(a, ADSHARD_A_NR_LOST);
	m->data_start = u64(a, ADSHARD_A_DATA_START);
	m->class = u32(a, ADSHARD_A_CLASS);
	string(a, ADSHARD_A_DOMAIN, m->domain, sizeof(m->domain));
	string(a, ADSHARD_A_LOCATION, m->location, sizeof(m->location));
	m->cost = u32(a, ADSHARD_A_COST);
	m->weight = u32(a, ADSHARD_A_WEIGHT);
	m->spare = flag(a, ADSHARD_A_SPARE);
	m->src_bps = u64(a, ADSHARD_A_SRC_BPS);
	m->dst_bps = u64(a, ADSHARD_A_DST_BPS);
	m->src_active_max = u32(a, ADSHARD_A_SRC_ACTIVE_MAX);
	m->dst_active_max = u32(a, ADSHARD_A_DST_ACTIVE_MAX);
	m->src_active = u32(a, ADSHARD_A_SRC_ACTIVE);
	m->dst_active = u32(a, ADSHARD_A_DST_ACTIVE);
	m->floor_bps = u64(a, ADSHARD_A_FLOOR_BPS);
	m->latency_ns = u64(a, ADSHARD_A_LATENCY_NS);
	m->latency_now_ns = u64(a, ADSHARD_A_LATENCY_NOW_NS);
	m->src_rate = u64(a, ADSHARD_A_SRC_RATE);
	m->dst_rate = u64(a, ADSHARD_A_DST_RATE);
	m->src_rate_by = u32(a, ADSHARD_A_SRC_RATE_BY);
	m->dst_rate_by = u32(a, ADSHARD_A_DST_RATE_BY);
	m->read_errors = u64(a, ADSHARD_A_READ_ERRORS);
	m->write_errors = u64(a, ADSHARD_A_WRITE_ERRORS);
	m->flush_errors = u64(a, ADSHARD_A_FLUSH_ERRORS);
	m->meta_errors = u64(a, ADSHARD_A_META_ERRORS);
	m->copy_errors = u64(a, ADSHARD_A_COPY_ERRORS);
	if (a[ADSHARD_A_READ_HIST])
		memcpy(m->read_hist, nla_data(a[ADSHARD_A_READ_HIST]),
		       sizeof(m->read_hist));
	if (a[ADSHARD_A_WRITE_HIST])
		memcpy(m->write_hist, nla_data(a[ADSHARD_A_WRITE_HIST]),
		       sizeof(m->write_hist));
}

void ads_nl_parse_migration(struct nlattr **a, struct ads_migration *m)
{
	uuid(a, ADSHARD_A_POOL_UUID, m->pool_uuid);
	m->segment = u32(a, ADSHARD_A_SEGMENT);
	m->src = u32(a, ADSHARD_A_SRC_MEMBER);
	m->dst = u32(a, ADSHARD_A_DST_MEMBER);
	m->step = u32(a, ADSHARD_A_STEP);
	m->priority = u32(a, ADSHARD_A_PRIORITY);
	m->cookie = u64(a, ADSHARD_A_COOKIE);
	m->chunks = u32(a, ADSHARD_A_CHUNKS);
	m->chunks_done = u32(a, ADSHARD_A_CHUNKS_DONE);
	m->chunks_verified = u64(a, ADSHARD_A_CHUNKS_VERIFIED);
	m->chunks_recopied = u64(a, ADSHARD_A_CHUNKS_RECOPIED);
	m->mismatches = u64(a, ADSHARD_A_MISMATCHES);
	m->bytes_copied = u64(a, ADSHARD_A_BYTES_COPIED);
	m->writes_held = u64(a, ADSHARD_A_WRITES_HELD);
	m->hold_max_ns = u64(a, ADSHARD_A_HOLD_MAX_NS);
	m->age_ns = u64(a, ADSHARD_A_AGE_NS);
	m->bad_bytes = u64(a, ADSHARD_A_BAD_BYTES);
	m->aside = flag(a, ADSHARD_A_ASIDE);
	/* A module without kinds only moves. */
	m->kind = u32(a, ADSHARD_A_KIND);
	m->percent = u32(a, ADSHARD_A_PERCENT);
}

void ads_nl_parse_bad(struct nlattr **a, struct ads_bad *b)
{
	uuid(a, ADSHARD_A_POOL_UUID, b->pool_uuid);
	b->segment = u32(a, ADSHARD_A_SEGMENT);
	b->offset = u64(a, ADSHARD_A_OFFSET);
	b->length = u64(a, ADSHARD_A_LENGTH);
	b->from = u32(a, ADSHARD_A_SRC_MEMBER);
}

static int parse_legs(struct nlattr *nest, struct ads_segment *s)
{
	struct nlattr *a[ADSHARD_LEG_A_MAX + 1];
	struct nlattr *pos;
	int rem;

	nla_for_each_nested(pos, nest, rem) {
		struct ads_leg *leg;

		if (s->nr_legs == ADSHARD_MAX_LEGS)
			return -EPROTO;
		if (nla_parse_nested(a, ADSHARD_LEG_A_MAX, pos, leg_policy))
			return -EPROTO;
		leg = &s->leg[s->nr_legs++];
		leg->member = u32(a, ADSHARD_LEG_A_MEMBER);
		leg->chunk = u32(a, ADSHARD_LEG_A_CHUNK);
		leg->state = u32(a, ADSHARD_LEG_A_STATE);
	}
	return 0;
}

int ads_nl_parse_segments(struct nlattr **attrs, struct ads_vec *out)
{
	struct nlattr *a[ADSHARD_SEG_A_MAX + 1];
	struct nlattr *pos;
	int rem, rc;

	if (!attrs[ADSHARD_A_SEGMENTS])
		return 0;
	nla_for_each_nested(pos, attrs[ADSHARD_A_SEGMENTS], rem) {
		struct ads_segment *s;

		if (nla_parse_nested(a, ADSHARD_SEG_A_MAX, pos, seg_policy) ||
		    !a[ADSHARD_SEG_A_INDEX])
			return -EPROTO;
		s = ads_vec_push(out);
		if (!s)
			return -ENOMEM;
		s->index = u32(a, ADSHARD_SEG_A_INDEX);
		s->state = u32(a, ADSHARD_SEG_A_STATE);
		s->reads = u32(a, ADSHARD_SEG_A_READS);
		s->writes = u32(a, ADSHARD_SEG_A_WRITES);
		s->last = a[ADSHARD_SEG_A_LAST] ?
			  (int64_t)u32(a, ADSHARD_SEG_A_LAST) : -1;
		s->wanted = u32(a, ADSHARD_SEG_A_WANTED);
		if (!s->wanted)
			s->wanted = 1;
		s->intent = a[ADSHARD_SEG_A_INTENT] ?
			    nla_get_u8(a[ADSHARD_SEG_A_INTENT]) : 0;
		if (a[ADSHARD_SEG_A_LEGS]) {
			rc = parse_legs(a[ADSHARD_SEG_A_LEGS], s);
			if (rc)
				return rc;
		}
	}
	return 0;
}

void ads_nl_parse_event(struct nlattr **a, struct ads_event *ev)
{
	static const struct {
		int attr;
		unsigned int bit;
	} bits[] = {
		{ ADSHARD_A_SEGMENT, ADS_EV_SEGMENT },
		{ ADSHARD_A_SRC_MEMBER, ADS_EV_SRC },
		{ ADSHARD_A_DST_MEMBER, ADS_EV_DST },
		{ ADSHARD_A_COOKIE, ADS_EV_COOKIE },
		{ ADSHARD_A_ERROR, ADS_EV_ERROR },
		{ ADSHARD_A_MEMBER, ADS_EV_MEMBER },
		{ ADSHARD_A_MEMBER_STATE, ADS_EV_MEMBER_STATE },
		{ ADSHARD_A_TEXT, ADS_EV_TEXT },
		{ ADSHARD_A_BYTES_COPIED, ADS_EV_COUNTERS },
		{ ADSHARD_A_BAD_BYTES, ADS_EV_BAD },
		{ ADSHARD_A_KIND, ADS_EV_KIND },
		{ ADSHARD_A_OFFSET, ADS_EV_OFFSET },
	};

	for (size_t i = 0; i < sizeof(bits) / sizeof(*bits); i++)
		if (a[bits[i].attr])
			ev->has |= bits[i].bit;

	uuid(a, ADSHARD_A_POOL_UUID, ev->pool_uuid);
	ev->seq = u64(a, ADSHARD_A_EVENT_SEQ);
	ev->type = u32(a, ADSHARD_A_EVENT);
	ev->time_ns = u64(a, ADSHARD_A_TIME_NS);
	ev->segment = u32(a, ADSHARD_A_SEGMENT);
	ev->src = u32(a, ADSHARD_A_SRC_MEMBER);
	ev->dst = u32(a, ADSHARD_A_DST_MEMBER);
	ev->cookie = u64(a, ADSHARD_A_COOKIE);
	ev->error = u32(a, ADSHARD_A_ERROR);
	ev->member = u32(a, ADSHARD_A_MEMBER);
	ev->member_state = u32(a, ADSHARD_A_MEMBER_STATE);
	if (a[ADSHARD_A_TEXT])
		nla_strlcpy(ev->text, a[ADSHARD_A_TEXT], sizeof(ev->text));
	ads_text_clean(ev->text);
	ev->bytes_copied = u64(a, ADSHARD_A_BYTES_COPIED);
	ev->chunks_verified = u64(a, ADSHARD_A_CHUNKS_VERIFIED);
	ev->chunks_recopied = u64(a, ADSHARD_A_CHUNKS_RECOPIED);
	ev->mismatches = u64(a, ADSHARD_A_MISMATCHES);
	ev->hold_max_ns = u64(a, ADSHARD_A_HOLD_MAX_NS);
	ev->age_ns = u64(a, ADSHARD_A_AGE_NS);
	ev->bad_bytes = u64(a, ADSHARD_A_BAD_BYTES);
	ev->kind = u32(a, ADSHARD_A_KIND);
	ev->offset = u64(a, ADSHARD_A_OFFSET);
}

bool ads_event_blames_dst(const struct ads_event *ev)
{
	return ev->type == ADSHARD_EVENT_MIGRATION_FAILED &&
	       ev->has & ADS_EV_TEXT && ev->has & ADS_EV_DST &&
	       strstr(ev->text, "the destination");
}

#define NAME(names, i) \
	((i) < sizeof(names) / sizeof(*(names)) && (names)[i] ? (names)[i] : \
	 "unknown")

const char *ads_pool_state_name(uint32_t state)
{
	static const char *const names[] = {
		[ADSHARD_POOL_LOADING] = "loading",
		[ADSHARD_POOL_OK] = "ok",
		[ADSHARD_POOL_DEGRADED] = "degraded",
		[ADSHARD_POOL_READONLY] = "readonly",
		[ADSHARD_POOL_STUCK] = "stuck",
	};

	return NAME(names, state);
}

const char *ads_member_state_name(uint32_t state)
{
	static const char *const names[] = {
		[ADSHARD_MEMBER_ONLINE] = "online",
		[ADSHARD_MEMBER_DRAINING] = "draining",
		[ADSHARD_MEMBER_DRAINED] = "drained",
		[ADSHARD_MEMBER_FAILED] = "failed",
	};

	return NAME(names, state);
}

const char *ads_class_name(uint32_t class)
{
	static const char *const names[] = {
		[ADSHARD_CLASS_UNKNOWN] = "unknown",
		[ADSHARD_CLASS_NVME] = "nvme",
		[ADSHARD_CLASS_SSD] = "ssd",
		[ADSHARD_CLASS_HDD] = "hdd",
	};

	return NAME(names, class);
}

const char *ads_segment_state_name(uint32_t state)
{
	static const char *const names[] = {
		[ADSHARD_SEGMENT_STABLE] = "stable",
		[ADSHARD_SEGMENT_QUEUED] = "queued",
		[ADSHARD_SEGMENT_MIGRATING] = "migrating",
		[ADSHARD_SEGMENT_LOST] = "lost",
	};

	return NAME(names, state);
}

const char *ads_leg_state_name(uint32_t state)
{
	static const char *const names[] = {
		[ADSHARD_LEG_NONE] = "none",
		[ADSHARD_LEG_SYNC] = "sync",
		[ADSHARD_LEG_FILLING] = "filling",
		[ADSHARD_LEG_LAGGING] = "lagging",
		[ADSHARD_LEG_STALE] = "stale",
	};

	return NAME(names, state);
}

const char *ads_rate_by_name(uint32_t by)
{
	static const char *const names[] = {
		[ADSHARD_RATE_NONE] = "none",
		[ADSHARD_RATE_CEILING] = "ceiling",
		[ADSHARD_RATE_LATENCY] = "latency",
		[ADSHARD_RATE_FLOOR] = "floor",
	};

	return NAME(names, by);
}

const char *ads_step_name(uint32_t step)
{
	static const char *const names[] = {
		[ADSHARD_STEP_QUEUED] = "queued",
		[ADSHARD_STEP_TRACK] = "track",
		[ADSHARD_STEP_FILL] = "fill",
		[ADSHARD_STEP_VERIFY] = "verify",
		[ADSHARD_STEP_SHIFT] = "shift",
		[ADSHARD_STEP_COMMIT] = "commit",
		[ADSHARD_STEP_RELEASE] = "release",
		[ADSHARD_STEP_ABORT] = "abort",
	};

	return NAME(names, step);
}

const char *ads_kind_name(uint32_t kind)
{
	static const char *const names[] = {
		[ADSHARD_KIND_MOVE] = "move",
		[ADSHARD_KIND_ADD] = "add",
		[ADSHARD_KIND_RESYNC] = "resync",
		[ADSHARD_KIND_SCRUB] = "scrub",
		[ADSHARD_KIND_REPAIR] = "repair",
	};

	return NAME(names, kind);
}

const char *ads_event_name(uint32_t type)
{
	static const char *const names[] = {
		[ADSHARD_EVENT_POOL_ACTIVE] = "pool-active",
		[ADSHARD_EVENT_POOL_GONE] = "pool-gone",
		[ADSHARD_EVENT_POOL_STATE] = "pool-state",
		[ADSHARD_EVENT_MEMBER_STATE] = "member-state",
		[ADSHARD_EVENT_MEMBER_ERROR] = "member-error",
		[ADSHARD_EVENT_MIGRATION_START] = "migration-start",
		[ADSHARD_EVENT_MIGRATION_DONE] = "migration-done",
		[ADSHARD_EVENT_MIGRATION_FAILED] = "migration-failed",
		[ADSHARD_EVENT_MIGRATION_ABORTED] = "migration-aborted",
		[ADSHARD_EVENT_MEMBER_JOINED] = "member-joined",
		[ADSHARD_EVENT_MEMBER_LEFT] = "member-left",
		[ADSHARD_EVENT_POOL_RESIZED] = "pool-resized",
		[ADSHARD_EVENT_LEG_STALE] = "leg-stale",
		[ADSHARD_EVENT_SCRUB_MISMATCH] = "scrub-mismatch",
		[ADSHARD_EVENT_READ_REPAIR] = "read-repair",
	};

	return NAME(names, type);
}
