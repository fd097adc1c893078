// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nlfuzz: a great many netlink messages that are almost right.
 *
 *	nlfuzz [-n MESSAGES] [-t THREADS] [-s SEED] UUID SEGMENTS MEMBERS [SCRATCH-UUID]
 *
 * Each message is a valid one of a random command, and then, mostly, something is done to it: an
 * attribute is left out, doubled, of another length, type or number, of a length that lies, one
 * that the command doesn't take, garbage in a nest; the message is cut, its length lies, its
 * header says something else; the sender or the opener of the socket has no CAP_SYS_ADMIN.
 * Dumps are broken off by closing the socket or by the next message. Each thread has several
 * sockets, one of which gets events that it doesn't read.
 *
 * What is sent follows from the seed and the number of the thread alone, not from the answers.
 *
 * Nothing that would legitimately make the pool useless is said to UUID: no member is declared
 * failed. That, and all the rest, goes to the scratch pool too (one message in eight).
 *
 * Some of what is done to a message makes it wrong for certain; if such a message, with nothing
 * else done to it, is accepted, that counts as wrongly accepted, and the status is 1.
 */
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
	{ ADSHARD_CMD_MIGRATE, false, 14,
	  { POOL, A(SEGMENT, SEGMENT, 1), A(DST_MEMBER, MEMBER, 1), A(PRIORITY, PRIORITY, 2),
	    A(COOKIE, COOKIE, 2) } },
	{ ADSHARD_CMD_ABORT, false, 6, { POOL, A(SEGMENT, SEGMENT, 1) } },
	{ ADSHARD_CMD_ABORT, false, 1, { POOL, A(MEMBER, MEMBER, 2) } },
	{ ADSHARD_CMD_THROTTLE, false, 4,
	  { POOL, A(MEMBER, MEMBER, 1), A(SRC_BPS, RATE, 2), A(DST_BPS, RATE, 2),
	    A(SRC_ACTIVE_MAX, SMALL, 3), A(DST_ACTIVE_MAX, SMALL, 3) } },
	{ ADSHARD_CMD_THROTTLE, false, 4,
	  { POOL, A(PAUSED, FLAG, 2), A(MAX_ACTIVE, SMALL, 2), A(SRC_BPS, RATE, 4) } },
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

/* Privileges belong to the thread. */
static void cap_sys_admin(bool on)
{
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct d[2];
	uint32_t bit = 1U << CAP_SYS_ADMIN;

	if (syscall(SYS_capget, &h, d))
		abort();
	d[0].effective = on ? d[0].effective | bit : d[0].effective & ~bit;
	if (syscall(SYS_capset, &h, d))
		abort();
}

static void open_socket(struct thread *t, int i)
{
	int small = 4096;

	t->fd[i] = nl_open();
	if (i == 0 && t->f->group >= 0) {
		setsockopt(t->fd[i], SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
		setsockopt(t->fd[i], SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &t->f->group,
			   sizeof(t->f->group));
	}
}

static void reopen(struct thread *t, int i)
{
	close(t->fd[i]);
	open_socket(t, i);
}

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
		return !t->m.genl.cmd || t->m.genl.cmd >= ADSHARD_CMD_EVENT;
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

/* Answers ------------------------------------------------------------------*/

/* @seq: of the message that this is the answer to; a dump left over has an older one. */
static void take_error(struct thread *t, uint32_t seq, int error)
{
	if (!error) {
		t->accepted++;
		if (t->surely_wrong && seq == t->seq && t->wrongly++ < 5)
			fprintf(stderr, "nlfuzz: accepted: mutation %u: command %u flags %#x, %u bytes\n",
				t->what, t->m.genl.cmd, t->m.nlh.nlmsg_flags, t->m.nlh.nlmsg_len);
	} else {
		t->refused[-error < ERRNOS ? -error : 0]++;
	}
}

/* Returns how many final answers there were: errors, acknowledgments, ends of dumps. */
static int take_buffer(struct thread *t, ssize_t len)
{
	const struct nlmsghdr *nlh = (void *)t->buf;
	int finals = 0;

	for (; NLMSG_OK(nlh, len); nlh = NLMSG_NEXT(nlh, len)) {
		if (nlh->nlmsg_type == NLMSG_ERROR) {
			take_error(t, nlh->nlmsg_seq, ((struct nlmsgerr *)NLMSG_DATA(nlh))->error);
			finals++;
		} else if (nlh->nlmsg_type == NLMSG_DONE) {
			take_error(t, nlh->nlmsg_seq, *(int *)NLMSG_DATA(nlh));
			finals++;
		} else {
			t->data++;
		}
	}
	return finals;
}

/* The kernel has answered when send() returns; the rest of a dump is made as it is read. */
static void take_answers(struct thread *t, int max)
{
	static const uint32_t sizes[] = { 1024, 8192, 32768 };
	size_t size = sizes[rnd_below(&t->rnd, 3)];
	int finals = 0;
	ssize_t len;

	while (max--) {
		len = recv(t->fd[t->socket], t->buf, size, MSG_DONTWAIT);
		if (len < 0 && errno == ENOBUFS)
			continue;
		if (len < 0)
			break;
		finals += take_buffer(t, len);
	}
	if (!finals)
		t->silent++;
}

/* Sending ------------------------------------------------------------------*/

/* Without an address, or the kernel does not ask who opened the socket. */
static void send_it(struct thread *t, size_t len)
{
	if (send(t->fd[t->socket], &t->m, len, 0) < 0 && errno != ENOBUFS)
		t->refused[errno]++;
	t->sent++;
}

/* Several messages in one piece. */
static void send_train(struct thread *t)
{
	uint32_t n = 2 + rnd_below(&t->rnd, 7), len = NLMSG_ALIGN(t->m.nlh.nlmsg_len);
	char *to = (char *)&t->train;

	for (uint32_t i = 0; i < n && (i + 1) * len <= sizeof(t->train); i++) {
		memcpy(to + i * len, &t->m, t->m.nlh.nlmsg_len);
		t->sent++;
		if (send(t->fd[t->socket], to, (i + 1) * len, 0) < 0)
			break;
	}
}

static void one(struct thread *t)
{
	enum mutation what = rnd_one_in(&t->rnd, 4) ? NOTHING : rnd_below(&t->rnd, MUTATIONS);
	const struct template *tp = pick_template(t);
	bool again = what > DOUBLE && what < TRAIN && rnd_one_in(&t->rnd, 4);
	size_t len;

	t->use_scratch = t->f->scratch && rnd_one_in(&t->rnd, 8);
	t->socket = rnd_below(&t->rnd, SOCKETS);
	t->dump = tp->dump;
	t->surely_wrong = false;
	t->mutated[what]++;
	t->what = what;
	build(t, tp, what == DROP ? (int)rnd_below(&t->rnd, 3) : -1,
	      what == DOUBLE ? (int)rnd_below(&t->rnd, 3) : -1);
	t->m.nlh.nlmsg_seq = ++t->seq;
	if (what > DOUBLE) {
		t->surely_wrong = mutate(t, tp, what);
		if (again) {
			mutate(t, tp, GARBAGE);
			t->surely_wrong = false;
		}
	}
	len = t->m.nlh.nlmsg_len;
	if (what == MESSAGE_LENGTH)
		t->m.nlh.nlmsg_len = rnd_one_in(&t->rnd, 2) ? rnd_below(&t->rnd, 2 * len) :
				     odd_number(t);
	if (what == OPENER) {
		cap_sys_admin(false);
		reopen(t, t->socket);
		cap_sys_admin(true);
	}
	if (what == SENDER)
		cap_sys_admin(false);
	if (what == SENDER || what == OPENER) {
		t->unprivileged++;
		t->surely_wrong = true;
	}
	if (what == TRAIN)
		send_train(t);
	else
		send_it(t, len);
	if (what == SENDER)
		cap_sys_admin(true);

	if (what == OPENER || (t->dump && rnd_one_in(&t->rnd, 4))) {
		take_answers(t, 1 + rnd_below(&t->rnd, 3));
		reopen(t, t->socket);
		t->dumps_cut++;
	} else if (t->dump && rnd_one_in(&t->rnd, 3)) {
		/* The rest is left for the next message, and no verdict is due. */
		take_answers(t, 1);
	} else {
		take_answers(t, 1000);
	}
}

static void *thread_main(void *arg)
{
	struct thread *t = arg;

	for (int i = 0; i < SOCKETS; i++)
		open_socket(t, i);
	while (t->sent < t->messages)
		one(t);
	for (int i = 0; i < SOCKETS; i++)
		close(t->fd[i]);
	return NULL;
}

static int report(const struct thread *t, unsigned int nr)
{
	struct thread sum = { 0 };

	for (unsigned int i = 0; i < nr; i++) {
		sum.sent += t[i].sent;
		sum.accepted += t[i].accepted;
		sum.silent += t[i].silent;
		sum.dumps_cut += t[i].dumps_cut;
		sum.data += t[i].data;
		sum.unprivileged += t[i].unprivileged;
		sum.wrongly += t[i].wrongly;
		for (int k = 0; k < ERRNOS; k++)
			sum.refused[k] += t[i].refused[k];
		for (int k = 0; k < MUTATIONS; k++)
			sum.mutated[k] += t[i].mutated[k];
	}
#define PRINT(name, value) printf("nlfuzz.%s %llu\n", name, (unsigned long long)(value))
	PRINT("messages", sum.sent);
	PRINT("mutated", sum.sent - sum.mutated[NOTHING]);
	PRINT("unprivileged", sum.unprivileged);
	PRINT("accepted", sum.accepted);
	for (int k = 0; k < ERRNOS; k++)
		if (sum.refused[k])
			printf("nlfuzz.refused.%s %llu\n", k ? strerrorname_np(k) : "other",
			       (unsigned long long)sum.refused[k]);
	PRINT("no_answer", sum.silent);
	PRINT("answers_with_data", sum.data);
	PRINT("dumps_cut", sum.dumps_cut);
	PRINT("wrongly_accepted", sum.wrongly);
	return sum.wrongly || !sum.accepted || !sum.refused[EPERM] || !sum.refused[EINVAL];
}

int main(int argc, char **argv)
{
	struct fuzz f = { .seed = 1 };
	uint64_t messages = 10000;
	unsigned int nr = 3, i;
	struct thread *t;
	int opt;

	while ((opt = getopt(argc, argv, "n:t:s:")) != -1) {
		switch (opt) {
		case 'n': messages = strtoull(optarg, NULL, 10); break;
		case 't': nr = atoi(optarg); break;
		case 's': f.seed = strtoull(optarg, NULL, 10); break;
		default: return 2;
		}
	}
	argv += optind;
	argc -= optind;
	if (argc < 3 || !nr || !nl_uuid(argv[0], f.uuid[0]) ||
	    (argc > 3 && !nl_uuid(argv[3], f.uuid[1]))) {
		fprintf(stderr, "usage: nlfuzz [-n N] [-t N] [-s N] UUID SEGMENTS MEMBERS [SCRATCH-UUID]\n");
		return 2;
	}
	f.scratch = argc > 3;
	f.segments = atoi(argv[1]);
	f.members = atoi(argv[2]);
	f.family = nl_family(&f.group);
	if (f.family < 0)
		return 2;
	t = calloc(nr, sizeof(*t));
	for (i = 0; i < nr; i++) {
		t[i].f = &f;
		t[i].rnd = f.seed * 1000 + i;
		t[i].messages = messages / nr + (i < messages % nr);
		if (pthread_create(&t[i].thread, NULL, thread_main, &t[i]))
			return 2;
	}
	for (i = 0; i < nr; i++)
		pthread_join(t[i].thread, NULL);
	return report(t, nr);
}
