/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For nlfuzz.c: valid messages, and what can be done to them. */
#ifndef NLFUZZ_MESSAGE_H
#define NLFUZZ_MESSAGE_H

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/syscall.h>

#include <linux/adshard-format.h>
#include <linux/capability.h>

#include "nl.h"
#include "random.h"

#define SOCKETS		4
#define MAX_ATTRS	12
#define ERRNOS		134

enum kind { UUID, SEGMENT, COUNT, MEMBER, PRIORITY, COOKIE, FLAG, SMALL, RATE, STATE };

struct template_attr {
	uint16_t type;
	uint8_t kind;
	uint8_t one_in;		/* 1: always there */
};

struct template {
	uint8_t cmd;
	bool dump;
	uint8_t weight;
	struct template_attr attr[MAX_ATTRS];
};

#define A(name, kind, one_in) { ADSHARD_A_##name, kind, one_in }
#define POOL A(POOL_UUID, UUID, 1)
static const struct template templates[] = {
	{ ADSHARD_CMD_GET_POOL, false, 6, { POOL } },
	{ ADSHARD_CMD_GET_POOL, true, 4, { A(POOL_UUID, UUID, 2) } },
	{ ADSHARD_CMD_GET_MEMBER, true, 6, { A(POOL_UUID, UUID, 2) } },
	{ ADSHARD_CMD_GET_SEGMENT, false, 8, { POOL, A(SEGMENT, SEGMENT, 1) } },
	{ ADSHARD_CMD_GET_SEGMENT, true, 10,
	  { POOL, A(SEGMENT, SEGMENT, 2), A(COUNT, COUNT, 3), A(MEMBER, MEMBER, 3) } },
	{ ADSHARD_CMD_GET_MIGRATION, false, 6, { POOL, A(SEGMENT, SEGMENT, 1) } },
	{ ADSHARD_CMD_GET_MIGRATION, true, 8, { A(POOL_UUID, UUID, 2) } },
	{ ADSHARD_CMD_GET_BAD, true, 6, { POOL, A(SEGMENT, SEGMENT, 2), A(COUNT, COUNT, 3) } },
	{ ADSHARD_CMD_MIGRATE, false, 14,
	  { POOL, A(SEGMENT, SEGMENT, 1), A(DST_MEMBER, MEMBER, 1), A(PRIORITY, PRIORITY, 2),
	    A(COOKIE, COOKIE, 2) } },
	{ ADSHARD_CMD_ABORT, false, 6, { POOL, A(SEGMENT, SEGMENT, 1) } },
	{ ADSHARD_CMD_ABORT, false, 1, { POOL, A(MEMBER, MEMBER, 2) } },
	{ ADSHARD_CMD_THROTTLE, false, 4,
	  { POOL, A(MEMBER, MEMBER, 1), A(SRC_BPS, RATE, 2), A(DST_BPS, RATE, 2),
	    A(SRC_ACTIVE_MAX, SMALL, 3), A(DST_ACTIVE_MAX, SMALL, 3), A(FLOOR_BPS, RATE, 3),
	    A(LATENCY_NS, RATE, 3) } },
	{ ADSHARD_CMD_THROTTLE, false, 4,
	  { POOL, A(PAUSED, FLAG, 2), A(MAX_ACTIVE, SMALL, 2), A(SRC_BPS, RATE, 4),
	    A(SLOW_NS, RATE, 4) } },
	{ ADSHARD_CMD_SET_MEMBER, false, 2, { POOL, A(MEMBER, MEMBER, 1), A(MEMBER_STATE, STATE, 1) } },
};

#define TEMPLATES (sizeof(templates) / sizeof(*templates))

enum mutation {
	NOTHING, DROP, DOUBLE, LENGTH, LIE, TYPE, NUMBER, OTHER_POOL, GARBAGE, CUT, MESSAGE_LENGTH,
	NEST, COMMAND, FLAGS, HEADER, TRAIN, FOREIGN, SENDER, OPENER, MUTATIONS,
};

struct fuzz {
	uint8_t uuid[2][ADSHARD_UUID_SIZE];	/* the pool's, the scratch pool's */
	bool scratch;
	uint32_t segments, members;
	int family, group;
	uint64_t seed;
};

struct thread {
	pthread_t thread;
	struct fuzz *f;
	uint64_t rnd;
	uint64_t messages;	/* to send */
	int fd[SOCKETS];
	struct nl_msg m;
	struct nl_msg train;
	char buf[32768];
	/* the message at hand */
	bool use_scratch, dump, surely_wrong;
	enum mutation what;
	uint32_t seq;
	int socket;
	/* results */
	uint64_t sent, accepted, silent, dumps_cut, data, unprivileged, wrongly, refused[ERRNOS];
	uint64_t mutated[MUTATIONS];
};

/* Messages -----------------------------------------------------------------*/

static uint64_t odd_number(struct thread *t)
{
	static const uint64_t odd[] = {
		0, 1, 2, 3, 4, 5, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x10000,
		0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff, 0x100000000, 0x7fffffffffffffff,
		0x8000000000000000, 0xffffffffffffffff,
	};
	uint32_t i = rnd_below(&t->rnd, sizeof(odd) / sizeof(*odd) + 4);

	switch (i) {
	case 0: return t->f->segments;
	case 1: return t->f->segments - 1;
	case 2: return t->f->members;
	case 3: return rnd_next(&t->rnd);
	default: return odd[i - 4];
	}
}

/* A state that makes no member of the pool useless. */
static uint32_t harmless(struct thread *t, uint64_t state)
{
	return !t->use_scratch && (uint32_t)state == ADSHARD_MEMBER_FAILED ?
	       ADSHARD_MEMBER_DRAINING : (uint32_t)state;
}

/* Rates and limits that stop all movement for good are no use, but for a few. */
static void put_value(struct thread *t, const struct template_attr *a)
{
	const struct fuzz *f = t->f;
	uint64_t *rnd = &t->rnd, n = 0;
	unsigned int len = 4;

	switch (a->kind) {
	case UUID:
		nl_put(&t->m, a->type, f->uuid[t->use_scratch], ADSHARD_UUID_SIZE);
		return;
	case SEGMENT: n = rnd_below(rnd, f->segments); break;
	case COUNT: n = 1 + rnd_below(rnd, f->segments); break;
	case MEMBER: n = rnd_below(rnd, f->members); break;
	case PRIORITY: n = rnd_below(rnd, 4); break;
	case COOKIE: n = rnd_next(rnd); len = 8; break;
	case FLAG: n = rnd_one_in(rnd, 4); len = 1; break;
	case SMALL: n = 1 + rnd_below(rnd, 8); break;
	case RATE: n = rnd_one_in(rnd, 2) ? 0 : 1000000 + rnd_below(rnd, 1U << 30); len = 8; break;
	case STATE:
		n = harmless(t, rnd_one_in(rnd, 8) ? ADSHARD_MEMBER_FAILED : 1 + rnd_below(rnd, 2));
		break;
	}
	nl_put(&t->m, a->type, &n, len);
}

static const struct template *pick_template(struct thread *t)
{
	uint32_t sum = 0, at, i;

	for (i = 0; i < TEMPLATES; i++)
		sum += templates[i].weight;
	at = rnd_below(&t->rnd, sum);
	for (i = 0; at >= templates[i].weight; i++)
		at -= templates[i].weight;
	return &templates[i];
}

static void build(struct thread *t, const struct template *tp, int skip, int twice)
{
	nl_begin(&t->m, t->f->family, tp->cmd,
		 NLM_F_REQUEST | (tp->dump ? NLM_F_DUMP : NLM_F_ACK));
	for (int i = 0; i < MAX_ATTRS && tp->attr[i].type; i++) {
		if (tp->attr[i].one_in > 1 && !rnd_one_in(&t->rnd, tp->attr[i].one_in))
			continue;
		if (i != skip)
			put_value(t, &tp->attr[i]);
		if (i == twice)
			put_value(t, &tp->attr[i]);
	}
}

/* A random attribute of the message, or NULL. */
static struct nlattr *pick_attr(struct thread *t)
{
	char *at = (char *)&t->m + NLMSG_LENGTH(GENL_HDRLEN);
	char *end = (char *)&t->m + t->m.nlh.nlmsg_len;
	struct nlattr *list[MAX_ATTRS * 2];
	uint32_t n = 0;

	for (; at < end && n < MAX_ATTRS * 2; at += NLA_ALIGN(((struct nlattr *)at)->nla_len))
		list[n++] = (void *)at;
	return n ? list[rnd_below(&t->rnd, n)] : NULL;
}

static bool takes(const struct template *tp, int type)
{
	for (uint32_t k = 0; k < TEMPLATES; k++)
		for (int i = 0; i < MAX_ATTRS; i++)
			if (templates[k].cmd == tp->cmd && templates[k].attr[i].type == type)
				return true;
	return false;
}

static void put_garbage(struct thread *t, uint16_t type, unsigned int len)
{
	uint64_t junk[64];

	for (unsigned int i = 0; i < 64; i++)
		junk[i] = rnd_next(&t->rnd);
	nl_put(&t->m, type, junk, len);
}

/* The last attribute grows a nest in a nest in a ... */
static void put_nests(struct thread *t, uint16_t type)
{
	unsigned int depth = 1 + rnd_below(&t->rnd, 60), len = 4 * depth;
	uint16_t nests[2 * 64];

	for (unsigned int i = 0; i < depth; i++) {
		nests[2 * i] = len - 4 * i;
		nests[2 * i + 1] = type | NLA_F_NESTED;
	}
	nl_put(&t->m, type | NLA_F_NESTED, nests, len);
}

/* Another length: what follows moves. */
static bool resize(struct thread *t, struct nlattr *a)
{
	char *end = (char *)&t->m + t->m.nlh.nlmsg_len;
	char *next = (char *)a + NLA_ALIGN(a->nla_len);
	static const uint16_t lens[] = { 0, 1, 2, 3, 4, 5, 8, 12, 15, 16, 17, 64, 255 };
	uint16_t len = lens[rnd_below(&t->rnd, sizeof(lens) / sizeof(*lens))];
	bool changed = len != a->nla_len - NLA_HDRLEN;
	char *new_next = (char *)a + NLA_ALIGN(NLA_HDRLEN + len);

	memmove(new_next, next, end - next);
	if (new_next > next)
		memset(next, 0xa5, new_next - next);
	t->m.nlh.nlmsg_len += new_next - next;
	a->nla_len = NLA_HDRLEN + len;
	return changed;
}

static void change_number(struct thread *t, struct nlattr *a)
{
	uint64_t n = odd_number(t);

	if (a->nla_type == ADSHARD_A_POOL_UUID)
		return;
	if (a->nla_type == ADSHARD_A_MEMBER_STATE)
		n = harmless(t, n);
	memcpy(a + 1, &n, a->nla_len - NLA_HDRLEN < 8 ? a->nla_len - NLA_HDRLEN : 8);
}

/* A pool that doesn't exist. */
static bool change_pool(struct thread *t, struct nlattr *a)
{
	if (a->nla_type != ADSHARD_A_POOL_UUID)
		return false;
	switch (rnd_below(&t->rnd, 3)) {
	case 0:
		memset(a + 1, 0, ADSHARD_UUID_SIZE);
		break;
	case 1:
		((uint8_t *)(a + 1))[rnd_below(&t->rnd, ADSHARD_UUID_SIZE)] ^= 1U << rnd_below(&t->rnd, 8);
		break;
	default:
		for (int i = 0; i < ADSHARD_UUID_SIZE; i++)
			((uint8_t *)(a + 1))[i] = rnd_next(&t->rnd);
	}
	return true;
}

/* Returns true if the message is now wrong for certain. */
static bool mutate(struct thread *t, const struct template *tp, enum mutation what)
{
	struct nlattr *a = pick_attr(t);
	uint16_t type = 1 + rnd_below(&t->rnd, ADSHARD_A_MAX + 8);

	switch (what) {
	case LENGTH:
		return a && resize(t, a);
	case LIE:
		if (a)
			a->nla_len = rnd_one_in(&t->rnd, 2) ? rnd_below(&t->rnd, 4) :
				     a->nla_len + 4 + rnd_below(&t->rnd, 65000);
		/* A doubled length may end where another attribute begins. */
		return a && a->nla_len < 4;
	case TYPE:
		if (a && a->nla_type != ADSHARD_A_MEMBER_STATE)
			a->nla_type = rnd_one_in(&t->rnd, 2) ? type :
				      a->nla_type | (1 + rnd_below(&t->rnd, 3)) << 14;
		/* A number must not become a state by chance. */
		if (a && a->nla_type == ADSHARD_A_MEMBER_STATE)
			a->nla_type = ADSHARD_A_TEXT;
		return false;
	case NUMBER:
		if (a)
			change_number(t, a);
		return false;
	case OTHER_POOL:
		return a && change_pool(t, a);
	case GARBAGE:
		put_garbage(t, rnd_next(&t->rnd), 1 + rnd_below(&t->rnd, 500));
		return false;
	case CUT:
		t->m.nlh.nlmsg_len -= rnd_below(&t->rnd, t->m.nlh.nlmsg_len - NLMSG_HDRLEN + 1);
		return false;
	case NEST:
		put_nests(t, type);
		return !takes(tp, type);
	case COMMAND:
		t->m.genl.cmd = rnd_one_in(&t->rnd, 2) ? rnd_below(&t->rnd, ADSHARD_CMD_MAX + 3) :
				rnd_next(&t->rnd);
		return !t->m.genl.cmd || t->m.genl.cmd == ADSHARD_CMD_EVENT ||
		       t->m.genl.cmd > ADSHARD_CMD_MAX;
	case FLAGS:
		t->m.nlh.nlmsg_flags = NLM_F_REQUEST | rnd_next(&t->rnd);
		return false;
	case HEADER:
		t->m.genl.version = rnd_next(&t->rnd);
		t->m.genl.reserved = rnd_one_in(&t->rnd, 2) ? 0 : rnd_next(&t->rnd);
		t->m.nlh.nlmsg_pid = rnd_one_in(&t->rnd, 2) ? 0 : rnd_next(&t->rnd);
		return t->m.genl.reserved;
	case FOREIGN:
		put_garbage(t, type, 4);
		return !takes(tp, type);
	default:
		return false;
	}
}

#endif
