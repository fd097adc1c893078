// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Answers and events of the kernel, and what the agent makes of the segments in
 * them.
 *
 * Input: a byte that says what is asked, then datagrams of messages: a byte of
 * the kind, one of flags, two of length, the content.
 *
 * Options: -max_len=2000
 */
#include <errno.h>
#include <sanitizer/asan_interface.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#include <linux/netlink.h>

#include "daemon/collect/kernel.h"
#include "daemon/model.h"
#include "daemon/plan/heat.h"
#include "daemon/planner-priv.h"
#include "fuzz.h"
#include "lib/nl-priv.h"

#define FAMILY	29
#define SEQ	77

/* flags of a message */
#define MORE		1	/* another one in the same datagram */
#define RAW		2	/* leave the lengths of attributes */
#define INTERRUPTED	4	/* NLM_F_DUMP_INTR */
#define TLVS		8	/* NLM_F_ACK_TLVS */
#define CAPPED		16
#define LONG		32	/* says that it is longer than it is */

static struct fuzz_in in;
static struct ads_nl nl;
static unsigned int asked, family;
static uint8_t dgram[65536 + 4096];

ssize_t __wrap_recv(int fd, void *buf, size_t size, int flags);
int __wrap_nl_send_auto(struct nl_sock *sk, struct nl_msg *msg);
int __wrap_genl_ctrl_resolve(struct nl_sock *sk, const char *name);
int __wrap_nanosleep(const struct timespec *t, struct timespec *left);
int __wrap_access(const char *path, int mode);

int __wrap_nl_send_auto(struct nl_sock *sk, struct nl_msg *msg)
{
	nlmsg_hdr(msg)->nlmsg_seq = SEQ;
	asked++;
	return nlmsg_hdr(msg)->nlmsg_len;
}

/* The module may have been loaded anew. */
int __wrap_genl_ctrl_resolve(struct nl_sock *sk, const char *name)
{
	uint8_t v = fuzz_u8(&in);

	return v & 1 ? -NLE_OBJ_NOTFOUND : FAMILY + (v & 2);
}

int __wrap_nanosleep(const struct timespec *t, struct timespec *left)
{
	return 0;
}

int __wrap_access(const char *path, int mode)
{
	errno = ENOENT;
	return strstr(path, ":") ? -1 : 0;
}

/* Makes attributes fit into what is around them. */
static void repair(uint8_t *at, size_t left, int depth)
{
	while (left >= NLA_HDRLEN) {
		struct nlattr *a = (void *)at;
		size_t step;

		if (a->nla_len < NLA_HDRLEN)
			a->nla_len = NLA_HDRLEN + a->nla_len % 2 * 4;
		if (a->nla_len > left)
			a->nla_len = left;
		a->nla_type &= NLA_F_NESTED | 0x7f;
		if (depth && a->nla_len > 2 * NLA_HDRLEN &&
		    (depth < 5 || a->nla_type == ADSHARD_A_SEGMENTS))
			repair(at + NLA_HDRLEN, a->nla_len - NLA_HDRLEN,
			       depth - 1);
		step = NLA_ALIGN(a->nla_len);
		if (step >= left)
			break;
		at += step;
		left -= step;
	}
}

/* Puts one message at @at; returns its length. */
static size_t put_message(uint8_t *at, bool *more)
{
	struct nlmsghdr *h = (void *)at;
	uint8_t kind = fuzz_u8(&in), flags = fuzz_u8(&in);
	size_t n = fuzz_u16(&in) % 4096;
	uint8_t *body = at + NLMSG_HDRLEN;

	if (n > in.left)
		n = in.left;
	fuzz_take(&in, body, n);
	memset(body + n, 0, 16);
	if (!(flags & RAW) && kind % 8 < 3 && n > GENL_HDRLEN)
		repair(body + GENL_HDRLEN, n - GENL_HDRLEN, 5);
	*h = (struct nlmsghdr){
		.nlmsg_len = NLMSG_HDRLEN + n + (flags & LONG ? 4000 : 0),
		.nlmsg_type = family, .nlmsg_seq = SEQ,
		.nlmsg_flags = (flags & INTERRUPTED ? NLM_F_DUMP_INTR : 0) |
			       (flags & TLVS ? NLM_F_ACK_TLVS : 0) |
			       (flags & CAPPED ? NLM_F_CAPPED : 0),
	};
	switch (kind % 8) {
	case 3:
		h->nlmsg_type = NLMSG_ERROR;
		break;
	case 4:
		h->nlmsg_type = NLMSG_DONE;
		break;
	case 5:
		h->nlmsg_type = kind;
		break;
	case 6:
		h->nlmsg_seq = kind;
		break;
	case 7:
		h->nlmsg_len = n;
		break;
	}
	*more = flags & MORE;
	return NLMSG_ALIGN(NLMSG_HDRLEN + n);
}

ssize_t __wrap_recv(int fd, void *buf, size_t size, int flags)
{
	size_t n = 0;
	bool more = true;

	must(buf == nl.buf && size == ADS_NL_BUF);
	ASAN_UNPOISON_MEMORY_REGION(buf, size);
	if (!in.left) {
		struct nlmsghdr *h = buf;

		if (!flags) {
			errno = EAGAIN;
			return -1;
		}
		*h = (struct nlmsghdr){ .nlmsg_len = NLMSG_LENGTH(4),
					.nlmsg_type = NLMSG_DONE,
					.nlmsg_seq = SEQ };
		memset(NLMSG_DATA(h), 0, 4);
		return NLMSG_LENGTH(4);
	}
	if (*in.at == 255) {
		static const int codes[] = { ENOBUFS, EINTR, ENOMEM, 0 };

		fuzz_u8(&in);
		errno = codes[fuzz_u8(&in) % 4];
		return errno ? -1 : (ssize_t)size + 100;
	}
	while (more && in.left && n < sizeof(dgram) - 4200)
		n += put_message(dgram + n, &more);
	memcpy(buf, dgram, n);
	/* whoever reads beyond what came is to be seen */
	ASAN_POISON_MEMORY_REGION((char *)buf + (n + 7) / 8 * 8,
				  size - (n + 7) / 8 * 8);
	return n;
}

void fuzz_init(void)
{
	nl.req = nl_socket_alloc();
	nl.ev = nl_socket_alloc();
	nl.buf = malloc(ADS_NL_BUF);
	must(nl.req && nl.ev && nl.buf);
}

static void use_segments(struct ads_segment *segs, size_t n)
{
	struct kernel_segments list = { .segments = segs, .nr = n };
	struct pool pool = { .k.nr_segments = 1000 };
	struct heat *h = NULL;

	must(!heat_update(&h, segs, n, 1000, 10, 3600));
	must(!heat_update(&h, segs, n, 1000, 20, 3600));
	planner_list(&pool, &list);
	must(pool.planner && pool.planner->nr == 1000);
	for (size_t i = 0; i < n; i++) {
		must(segs[i].nr_legs <= ADSHARD_MAX_LEGS);
		must(heat_rate(h, segs[i].index) >= 0);
		must(heat_slow(h, segs[i].index) >= 0);
		ads_segment_state_name(segs[i].state);
		must(segs[i].wanted);
		ads_leg_state_name(segs[i].leg[0].state);
		planner_is_on(&pool, segs[i].index, segs[i].leg[0].member);
		planner_changed(pool.planner, segs[i].index,
				(uint16_t)segs[i].leg[0].member, 7);
	}
	planner_free(pool.planner);
	heat_free(h);
}

static int on_event(const struct ads_event *ev, void *arg)
{
	must(strlen(ev->text) < sizeof(ev->text) && fuzz_printable(ev->text));
	must(ads_event_name(ev->type)[0]);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t pool[ADS_UUID_LEN] = { 1 };
	struct ads_err err = { "" };
	struct ads_migration *migs = NULL;
	struct ads_bad *bad = NULL;
	struct ads_segment *segs = NULL;
	struct ads_member *members = NULL;
	struct ads_pool *pools = NULL, one;
	struct ads_op op = { .kind = ADSHARD_KIND_ADD, .segment = 1, .dst = 2,
			     .priority = 3, .cookie = 4, .warm = true };
	size_t n = 0;
	int r = 0;

	in = (struct fuzz_in){ data, size };
	nl.family = family = FAMILY;
	nl.nr_seen = 0;
	switch (fuzz_u8(&in) % 9) {
	case 0:
		r = ads_nl_pools(&nl, &pools, &n, &err);
		for (size_t i = 0; i < n; i++)
			must(strlen(pools[i].name) < sizeof(pools[i].name) &&
			     fuzz_printable(pools[i].name));
		break;
	case 1:
		r = ads_nl_pool(&nl, pool, &one, &err);
		break;
	case 2:
		r = ads_nl_members(&nl, NULL, &members, &n, &err);
		for (size_t i = 0; i < n; i++)
			ads_member_state_name(members[i].state);
		break;
	case 3:
	case 4:
		r = ads_nl_segments(&nl, pool, NULL, &segs, &n, &err);
		if (!r)
			use_segments(segs, n);
		break;
	case 5:
		r = ads_nl_migrations(&nl, pool, &migs, &n, &err);
		for (size_t i = 0; i < n; i++)
			must(ads_step_name(migs[i].step)[0] &&
			     ads_kind_name(migs[i].kind)[0]);
		break;
	case 6:
		r = ads_nl_start(&nl, pool, &op, &err);
		break;
	case 7:
		r = ads_nl_read_events(&nl, on_event, NULL, &err);
		must(r >= 0 || err.text[0]);
		if (r > 0)
			r = 0;
		break;
	case 8:
		r = ads_nl_bad(&nl, pool, NULL, &bad, &n, &err);
		for (size_t i = 1; i < n; i++)
			must(memcmp(bad[i - 1].pool_uuid, bad[i].pool_uuid,
				    ADS_UUID_LEN) <= 0);
		must(!r || !n);
		break;
	}
	must(r <= 0 && r >= -4095);
	must(ads_err_text(&err, r)[0]);
	free(migs);
	free(bad);
	free(segs);
	free(members);
	free(pools);
	ASAN_UNPOISON_MEMORY_REGION(nl.buf, ADS_NL_BUF);
	return 0;
}

/* --- seeds ----------------------------------------------------------------- */

struct maker {
	uint8_t buf[4096];
	size_t n;
};

static void add(struct maker *m, uint8_t kind, uint8_t flags, const void *data,
		uint16_t size)
{
	m->buf[m->n++] = kind;
	m->buf[m->n++] = flags;
	memcpy(m->buf + m->n, &size, 2);
	memcpy(m->buf + m->n + 2, data, size);
	m->n += 2 + size;
}

/* A message of libnl's without its netlink header. */
static void add_msg(struct maker *m, uint8_t flags, struct nl_msg *msg)
{
	struct nlmsghdr *h = nlmsg_hdr(msg);

	add(m, 0, flags, NLMSG_DATA(h), h->nlmsg_len - NLMSG_HDRLEN);
	nlmsg_free(msg);
}

static struct nl_msg *start(uint8_t cmd)
{
	struct nl_msg *msg = nlmsg_alloc();

	genlmsg_put(msg, 0, 0, FAMILY, 0, 0, cmd, 1);
	nla_put(msg, ADSHARD_A_POOL_UUID, 16, "0123456789abcdef");
	return msg;
}

static struct nl_msg *with_numbers(uint8_t cmd, int first, int last)
{
	static const int u64s[] = {
		ADSHARD_A_SIZE, ADSHARD_A_SEGMENT_SIZE, ADSHARD_A_CHUNK_SIZE,
		ADSHARD_A_SEQ, ADSHARD_A_TERM, ADSHARD_A_EVENT_SEQ,
		ADSHARD_A_GENERATION, ADSHARD_A_COOKIE, ADSHARD_A_TIME_NS,
		ADSHARD_A_DATA_START, ADSHARD_A_AGE_NS, ADSHARD_A_BAD_BYTES,
		ADSHARD_A_OFFSET, ADSHARD_A_LENGTH, ADSHARD_A_RESYNC_BYTES,
		ADSHARD_A_SCRUB_MISMATCHES, ADSHARD_A_READ_REPAIRS,
	};
	struct nl_msg *msg = start(cmd);

	for (int i = first; i <= last; i++) {
		bool wide = false;

		if (i == ADSHARD_A_POOL_UUID || i == ADSHARD_A_MEMBER_UUID ||
		    i == ADSHARD_A_READ_HIST || i == ADSHARD_A_WRITE_HIST ||
		    i == ADSHARD_A_SEGMENTS)
			continue;
		for (size_t k = 0; k < sizeof(u64s) / sizeof(*u64s); k++)
			wide |= u64s[k] == i;
		if (i == ADSHARD_A_POOL_NAME || i == ADSHARD_A_TEXT)
			nla_put_string(msg, i, "tank");
		else if (wide)
			nla_put_u64(msg, i, i * 1000);
		else
			nla_put_u32(msg, i, i);
	}
	return msg;
}

static struct nl_msg *with_segments(void)
{
	struct nl_msg *msg = start(ADSHARD_CMD_GET_SEGMENT);
	struct nlattr *list = nla_nest_start(msg, ADSHARD_A_SEGMENTS);

	for (int i = 0; i < 3; i++) {
		struct nlattr *seg = nla_nest_start(msg, 1), *legs, *leg;

		nla_put_u32(msg, ADSHARD_SEG_A_INDEX, i);
		nla_put_u32(msg, ADSHARD_SEG_A_STATE, 0);
		nla_put_u32(msg, ADSHARD_SEG_A_READS, 7);
		nla_put_u32(msg, ADSHARD_SEG_A_LAST, 9);
		legs = nla_nest_start(msg, ADSHARD_SEG_A_LEGS);
		leg = nla_nest_start(msg, 1);
		nla_put_u32(msg, ADSHARD_LEG_A_MEMBER, 1);
		nla_put_u32(msg, ADSHARD_LEG_A_CHUNK, 64);
		nla_put_u32(msg, ADSHARD_LEG_A_STATE, 1);
		nla_nest_end(msg, leg);
		nla_nest_end(msg, legs);
		nla_put_u32(msg, ADSHARD_SEG_A_WANTED, 2);
		nla_put_u8(msg, ADSHARD_SEG_A_INTENT, i);
		nla_nest_end(msg, seg);
	}
	nla_nest_end(msg, list);
	return msg;
}

static void seed(const char *name, int what, struct maker *m)
{
	m->buf[0] = what;
	fuzz_seed(name, m->buf, m->n);
	m->n = 1;
}

void fuzz_seeds(void)
{
	struct {
		struct nlmsgerr e;
		struct nlattr a;
		char text[16];
	} error = {
		.e = { .error = -ENOENT, .msg = { .nlmsg_len = 16 } },
		.a = { .nla_len = 20, .nla_type = NLMSGERR_ATTR_MSG },
		.text = "no such member",
	};
	struct maker m = { .n = 1 };
	int done = 0;

	for (int i = 0; i < 3; i++)
		add_msg(&m, i ? MORE : 0, with_numbers(ADSHARD_CMD_GET_POOL, 1,
						       ADSHARD_A_MAX / 2));
	add(&m, 4, 0, &done, sizeof(done));
	seed("pools", 0, &m);
	add_msg(&m, MORE, with_numbers(ADSHARD_CMD_GET_POOL, 1, 27));
	add(&m, 3, 0, &error, sizeof(error));
	seed("pool", 1, &m);
	add_msg(&m, INTERRUPTED, with_numbers(ADSHARD_CMD_GET_MEMBER, 1,
					      ADSHARD_A_MAX));
	add(&m, 4, 0, &done, sizeof(done));
	add_msg(&m, 0, with_numbers(ADSHARD_CMD_GET_MEMBER, 1, 50));
	seed("members", 2, &m);
	add_msg(&m, MORE, with_segments());
	add_msg(&m, 0, with_segments());
	add(&m, 4, 0, &done, sizeof(done));
	seed("segments", 3, &m);
	add_msg(&m, 0, with_numbers(ADSHARD_CMD_GET_MIGRATION, 30,
				    ADSHARD_A_MAX));
	seed("migrations", 5, &m);
	for (int i = 0; i < 3; i++)
		add_msg(&m, i ? MORE : 0, with_numbers(ADSHARD_CMD_GET_BAD, 30,
						       ADSHARD_A_MAX));
	add(&m, 4, 0, &done, sizeof(done));
	seed("bad", 8, &m);
	error.e.error = -EOPNOTSUPP;	/* an older module */
	add(&m, 3, 0, &error, sizeof(error));
	seed("no-bad", 8, &m);
	error.e.error = -ENOENT;
	add(&m, 3, TLVS, &error, sizeof(error));
	seed("error", 6, &m);
	error.e.error = 0;
	add(&m, 3, CAPPED, &error, sizeof(error));
	seed("ack", 6, &m);
	for (int i = 0; i < 3; i++)
		add_msg(&m, MORE, with_numbers(ADSHARD_CMD_EVENT, 1,
					       ADSHARD_A_MAX));
	seed("events", 7, &m);
}
