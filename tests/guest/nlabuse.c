// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nlabuse: says anything to the netlink family "adshard", also what no decent
 * client would say, and prints what comes back.
 *
 *	nlabuse [options] COMMAND [ATTRIBUTE[=[TYPE:]VALUE]...]
 *	nlabuse [options] listen COUNT SECONDS
 *
 *	COMMAND		get_pool, ..., set_member, or a number
 *	ATTRIBUTE	pool_uuid, segment, ... (as in the header, lower case), or a
 *			number; its own type, or
 *	TYPE		u8 u16 u32 u64 uuid str, hex (any bytes), none (no payload),
 *			nest (flagged as nested, value in hex),
 *			len (a length field that lies, no payload)
 *
 *	-d	a dump
 *	-f N	other message flags (beside NLM_F_REQUEST)
 *	-r N	the genl header's reserved field
 *	-T N	cut the message to N bytes
 *	-b N	bytes to receive at once [32768]
 *	-x CMD	run a shell command after the first buffer of a dump
 *	-s N	close the socket after N buffers
 *	-p	without CAP_SYS_ADMIN (but with all other capabilities)
 *	-o	with it, through a socket that was opened without it
 *	-n	in a network namespace of its own
 *	-u	in a user namespace of its own
 *	-c	print only how many objects there were
 *
 * Prints a line for each object or event, "interrupted" if a message had
 * NLM_F_DUMP_INTR, and at last "ok" or "ERRNO-NAME: sentence". Exit status: 0 if
 * that could be found out.
 */
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <linux/capability.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>

#include <linux/dm-adshard.h>

enum type { U8, U16, U32, U64, UUID, STR, HEX, NONE, NEST, LEN, SEGMENTS, LEGS };

static const char *const type_names[] = {
	"u8", "u16", "u32", "u64", "uuid", "str", "hex", "none", "nest", "len",
};

struct attr_info {
	const char *name;
	enum type type;
};

#define A(name, type) [ADSHARD_A_##name] = { #name, type }
static const struct attr_info attr_info[ADSHARD_A_MAX + 1] = {
	A(PAD, HEX), A(POOL_UUID, UUID), A(POOL_NAME, STR), A(POOL_STATE, U32),
	A(DEV_MAJOR, U32), A(DEV_MINOR, U32), A(SUSPENDED, U8), A(PAUSED, U8),
	A(SIZE, U64), A(SEGMENT_SIZE, U64), A(CHUNK_SIZE, U64),
	A(NR_SEGMENTS, U32), A(NR_MEMBERS, U32), A(SEQ, U64), A(TERM, U64),
	A(EVENT_SEQ, U64), A(GENERATION, U64), A(NR_ACTIVE, U32),
	A(NR_QUEUED, U32), A(NR_DONE, U64), A(NR_FAILED, U64),
	A(NR_ABORTED, U64), A(BYTES_COPIED, U64), A(CHUNKS_VERIFIED, U64),
	A(MISMATCHES, U64), A(MAX_ACTIVE, U32), A(HEAT_SAMPLE, U32),
	A(BYTES_PER_SEGMENT, U32), A(MEMBER, U32), A(MEMBER_UUID, UUID),
	A(MEMBER_STATE, U32), A(META, U8), A(NR_SLOTS, U32), A(NR_FREE, U32),
	A(DATA_START, U64), A(SRC_BPS, U64), A(DST_BPS, U64),
	A(SRC_ACTIVE_MAX, U32), A(DST_ACTIVE_MAX, U32), A(SRC_ACTIVE, U32),
	A(DST_ACTIVE, U32), A(READ_ERRORS, U64), A(WRITE_ERRORS, U64),
	A(FLUSH_ERRORS, U64), A(META_ERRORS, U64), A(COPY_ERRORS, U64),
	A(READ_HIST, HEX), A(WRITE_HIST, HEX), A(SEGMENT, U32), A(COUNT, U32),
	A(SEGMENTS, SEGMENTS), A(SRC_MEMBER, U32), A(DST_MEMBER, U32),
	A(STEP, U32), A(PRIORITY, U32), A(COOKIE, U64), A(CHUNKS, U32),
	A(CHUNKS_DONE, U32), A(CHUNKS_RECOPIED, U64), A(WRITES_HELD, U64),
	A(HOLD_MAX_NS, U64), A(AGE_NS, U64), A(EVENT, U32), A(TIME_NS, U64),
	A(ERROR, U32), A(TEXT, STR), A(CLASS, U32), A(DOMAIN, STR),
	A(LOCATION, STR), A(COST, U32), A(WEIGHT, U32), A(SPARE, U8),
	A(ASIDE, U8), A(SLOW_NS, U64),
	A(FLOOR_BPS, U64), A(LATENCY_NS, U64), A(LATENCY_NOW_NS, U64),
	A(SRC_RATE, U64), A(DST_RATE, U64), A(SRC_RATE_BY, U32),
	A(DST_RATE_BY, U32),
	A(NR_LOST, U32), A(KIND, U32), A(WANTED, U32), A(NR_STALE, U32),
	A(NR_SHORT, U32), A(NR_DOUBT, U32), A(RESYNC_BYTES, U64),
};

#define S(name, type) [ADSHARD_SEG_A_##name] = { #name, type }
static const struct attr_info seg_info[ADSHARD_SEG_A_MAX + 1] = {
	S(INDEX, U32), S(STATE, U32), S(READS, U32), S(WRITES, U32),
	S(LAST, U32), S(LEGS, LEGS), S(WANTED, U32), S(INTENT, U8),
};

#define L(name, type) [ADSHARD_LEG_A_##name] = { #name, type }
static const struct attr_info leg_info[ADSHARD_LEG_A_MAX + 1] = {
	L(MEMBER, U32), L(CHUNK, U32), L(STATE, U32),
};

static const char *const commands[ADSHARD_CMD_MAX + 1] = {
	[ADSHARD_CMD_GET_POOL] = "get_pool",
	[ADSHARD_CMD_GET_MEMBER] = "get_member",
	[ADSHARD_CMD_GET_SEGMENT] = "get_segment",
	[ADSHARD_CMD_GET_MIGRATION] = "get_migration",
	[ADSHARD_CMD_MIGRATE] = "migrate",
	[ADSHARD_CMD_ABORT] = "abort",
	[ADSHARD_CMD_THROTTLE] = "throttle",
	[ADSHARD_CMD_SET_MEMBER] = "set_member",
	[ADSHARD_CMD_EVENT] = "event",
};

static bool count_only, interrupted;
static unsigned long objects;

static void die(const char *what)
{
	fprintf(stderr, "nlabuse: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void usage(const char *what)
{
	fprintf(stderr, "nlabuse: what is \"%s\"?\n", what);
	exit(2);
}

/* Messages out -----------------------------------------------------------*/

struct msg {
	struct nlmsghdr nlh;
	struct genlmsghdr genl;
	unsigned char data[4096];
};

static void *put(struct msg *m, uint16_t type, unsigned int len, const void *data)
{
	struct nlattr *a = (void *)((char *)m + m->nlh.nlmsg_len);

	a->nla_type = type;
	a->nla_len = NLA_HDRLEN + len;
	if (len)
		memcpy(a + 1, data, len);
	m->nlh.nlmsg_len += NLA_ALIGN(a->nla_len);
	return a;
}

static unsigned int hex(const char *text, unsigned char *out, unsigned int max)
{
	unsigned int n = 0, byte;

	while (*text && n < max) {
		if (*text == '-') {
			text++;
			continue;
		}
		if (sscanf(text, "%2x", &byte) != 1 || !text[1])
			usage(text);
		out[n++] = byte;
		text += 2;
	}
	return n;
}

static int find(const char *name, const char *const *names, int nr)
{
	char *end;
	long n = strtol(name, &end, 0);

	if (!*end)
		return n;
	for (int i = 0; i < nr; i++)
		if (names[i] && !strcasecmp(names[i], name))
			return i;
	return -1;
}

static int find_attr(const char *name)
{
	const char *names[ADSHARD_A_MAX + 1];
	int n;

	for (int i = 0; i <= ADSHARD_A_MAX; i++)
		names[i] = attr_info[i].name;
	n = find(name, names, ADSHARD_A_MAX + 1);
	if (n < 0)
		usage(name);
	return n;
}

static void put_arg(struct msg *m, char *arg)
{
	char *value = strchr(arg, '='), *colon;
	unsigned char bytes[2048];
	struct nlattr *a;
	uint64_t n;
	int attr, type;

	if (value)
		*value++ = 0;
	attr = find_attr(arg);
	type = !value ? NONE : attr <= ADSHARD_A_MAX ? (int)attr_info[attr].type : U32;
	colon = value ? strchr(value, ':') : NULL;
	if (colon) {
		*colon = 0;
		type = find(value, type_names, sizeof(type_names) / sizeof(*type_names));
		if (type < 0)
			usage(value);
		value = colon + 1;
	}
	n = value ? strtoull(value, NULL, 0) : 0;
	switch (type) {
	case U8: case U16: case U32: case U64:
		put(m, attr, 1 << type, &n);	/* little endian only */
		break;
	case STR:
		put(m, attr, strlen(value) + 1, value);
		break;
	case NEST:
		attr |= NLA_F_NESTED;
		/* fall through */
	case UUID: case HEX:
		put(m, attr, hex(value, bytes, sizeof(bytes)), bytes);
		break;
	case LEN:
		a = put(m, attr, 0, NULL);
		a->nla_len = n;
		break;
	default:
		put(m, attr, 0, NULL);
	}
}

/* Messages in --------------------------------------------------------------*/

static void print_attrs(const void *data, int len, const struct attr_info *info,
			int max);

static void print_array(const struct nlattr *nest, const struct attr_info *info,
			int max, const char *before, const char *after)
{
	const struct nlattr *a = (const void *)(nest + 1);
	int left = nest->nla_len - NLA_HDRLEN;

	for (; left >= NLA_HDRLEN; left -= NLA_ALIGN(a->nla_len),
	     a = (const void *)((const char *)a + NLA_ALIGN(a->nla_len))) {
		printf("%s", before);
		print_attrs(a + 1, a->nla_len - NLA_HDRLEN, info, max);
		printf("%s", after);
	}
}

static unsigned long array_size(const struct nlattr *nest)
{
	const struct nlattr *a = (const void *)(nest + 1);
	int left = nest->nla_len - NLA_HDRLEN;
	unsigned long n = 0;

	for (; left >= NLA_HDRLEN; left -= NLA_ALIGN(a->nla_len),
	     a = (const void *)((const char *)a + NLA_ALIGN(a->nla_len)))
		n++;
	return n;
}

static void print_attr(const struct nlattr *a, const struct attr_info *info)
{
	const unsigned char *p = (const void *)(a + 1);
	int len = a->nla_len - NLA_HDRLEN;
	uint64_t n = 0;

	if (info->type == SEGMENTS) {
		print_array(a, seg_info, ADSHARD_SEG_A_MAX, "\n ", "");
		return;
	}
	if (info->type == LEGS) {
		print_array(a, leg_info, ADSHARD_LEG_A_MAX, " leg:", "");
		return;
	}
	printf(" ");
	for (const char *s = info->name; *s; s++)
		putchar(*s >= 'A' && *s <= 'Z' ? *s + 32 : *s);
	switch (info->type) {
	case U8: case U16: case U32: case U64:
		if (len != 1 << info->type)
			printf("=BAD-LENGTH-%d", len);
		memcpy(&n, p, len > 8 ? 8 : len);
		printf("=%llu", (unsigned long long)n);
		break;
	case STR:
		printf("=\"%.*s\"", len, p);
		break;
	default:
		printf("=");
		for (int i = 0; i < len && i < 16; i++)
			printf("%02x", p[i]);
		if (len > 16)
			printf("...(%d)", len);
	}
}

static void print_attrs(const void *data, int len, const struct attr_info *info,
			int max)
{
	const struct nlattr *a = data;

	for (; len >= NLA_HDRLEN; len -= NLA_ALIGN(a->nla_len),
	     a = (const void *)((const char *)a + NLA_ALIGN(a->nla_len))) {
		int type = a->nla_type & NLA_TYPE_MASK;

		if (a->nla_len < NLA_HDRLEN || a->nla_len > len) {
			printf(" BROKEN-ATTRIBUTE");
			return;
		}
		if (info == attr_info && type == ADSHARD_A_PAD)
			continue;
		if (type > max || !info[type].name)
			printf(" UNKNOWN-%d", type);
		else
			print_attr(a, &info[type]);
	}
}

static void take_object(const struct nlmsghdr *nlh)
{
	const struct genlmsghdr *g = NLMSG_DATA(nlh);
	const char *name = g->cmd <= ADSHARD_CMD_MAX ? commands[g->cmd] : NULL;
	const struct nlattr *a = (const void *)((const char *)g + GENL_HDRLEN);
	int len = nlh->nlmsg_len - NLMSG_HDRLEN - GENL_HDRLEN;

	if (!count_only) {
		printf("%s:", name ? name : "unknown-command");
		print_attrs(a, len, attr_info, ADSHARD_A_MAX);
		printf("\n");
	}
	if (g->cmd != ADSHARD_CMD_GET_SEGMENT) {
		objects++;
		return;
	}
	for (; len >= NLA_HDRLEN; len -= NLA_ALIGN(a->nla_len),
	     a = (const void *)((const char *)a + NLA_ALIGN(a->nla_len)))
		if ((a->nla_type & NLA_TYPE_MASK) == ADSHARD_A_SEGMENTS)
			objects += array_size(a);
}

/* The end of the answers. */
static void finish(const struct nlmsghdr *nlh, int error, size_t fixed)
{
	const char *end = (const char *)nlh + nlh->nlmsg_len;
	const char *pos = (const char *)NLMSG_DATA(nlh) + fixed;
	const char *text = "";
	int len = 0;

	if (nlh->nlmsg_flags & NLM_F_ACK_TLVS)
		while (pos + sizeof(struct nlattr) <= end) {
			const struct nlattr *a = (const void *)pos;

			if (a->nla_len < NLA_HDRLEN)
				break;
			if ((a->nla_type & NLA_TYPE_MASK) == NLMSGERR_ATTR_MSG) {
				text = (const char *)(a + 1);
				len = a->nla_len - NLA_HDRLEN;
			}
			pos += NLA_ALIGN(a->nla_len);
		}
	if (count_only)
		printf("%lu\n", objects);
	if (interrupted)
		printf("interrupted\n");
	if (error)
		printf("%s: %.*s\n", strerrorname_np(-error), len, text);
	else
		printf("ok\n");
	exit(0);
}

static void take_buffer(const void *buf, ssize_t len, int family)
{
	const struct nlmsghdr *nlh = buf;

	for (; NLMSG_OK(nlh, len); nlh = NLMSG_NEXT(nlh, len)) {
		if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
			interrupted = true;
		if (nlh->nlmsg_type == NLMSG_ERROR) {
			const struct nlmsgerr *e = NLMSG_DATA(nlh);

			/* NETLINK_CAP_ACK: the request is not repeated. */
			finish(nlh, e->error, sizeof(*e));
		} else if (nlh->nlmsg_type == NLMSG_DONE) {
			finish(nlh, *(int *)NLMSG_DATA(nlh), sizeof(int));
		} else if (nlh->nlmsg_type == family) {
			take_object(nlh);
		}
	}
}

/* Sockets and privileges -----------------------------------------------------*/

static int open_socket(void)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	struct timeval patience = { .tv_sec = 10 };
	int on = 1;

	if (fd < 0 || bind(fd, (void *)&addr, sizeof(addr)))
		die("socket");
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
	return fd;
}

/* Asks the controller; also the number of the group of events. */
static int family_id(int *group)
{
	struct msg m = {
		.nlh = { .nlmsg_len = NLMSG_LENGTH(GENL_HDRLEN),
			 .nlmsg_type = GENL_ID_CTRL,
			 .nlmsg_flags = NLM_F_REQUEST },
		.genl = { .cmd = CTRL_CMD_GETFAMILY, .version = 1 },
	};
	int fd = open_socket(), id = -1, left;
	char buf[8192];
	const struct nlmsghdr *nlh = (void *)buf;
	const struct nlattr *a, *g, *f;

	put(&m, CTRL_ATTR_FAMILY_NAME, sizeof(ADSHARD_GENL_NAME), ADSHARD_GENL_NAME);
	if (send(fd, &m, m.nlh.nlmsg_len, 0) < 0 || recv(fd, buf, sizeof(buf), 0) < 0)
		die("controller");
	close(fd);
	if (nlh->nlmsg_type == NLMSG_ERROR) {
		printf("no family\n");
		exit(1);
	}
#define EACH(a, data, len) \
	for (a = (const void *)(data), left = (len); left >= NLA_HDRLEN; \
	     left -= NLA_ALIGN(a->nla_len), \
	     a = (const void *)((const char *)a + NLA_ALIGN(a->nla_len)))
	*group = -1;
	g = NULL;
	EACH(a, buf + NLMSG_LENGTH(GENL_HDRLEN), (int)nlh->nlmsg_len - (int)NLMSG_LENGTH(GENL_HDRLEN)) {
		if (a->nla_type == CTRL_ATTR_FAMILY_ID)
			id = *(uint16_t *)(a + 1);
		if ((a->nla_type & NLA_TYPE_MASK) == CTRL_ATTR_MCAST_GROUPS)
			g = a;
	}
	if (g) {
		g = g + 1;	/* the first and only one of the array */
		EACH(f, g + 1, g->nla_len - NLA_HDRLEN)
			if (f->nla_type == CTRL_ATTR_MCAST_GRP_ID)
				*group = *(uint32_t *)(f + 1);
	}
	return id;
}

static void cap_sys_admin(bool effective, bool permitted)
{
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct d[2];
	unsigned int bit = 1U << CAP_SYS_ADMIN;

	if (syscall(SYS_capget, &h, d))
		die("capget");
	d[0].effective = effective ? d[0].effective | bit : d[0].effective & ~bit;
	if (!permitted)
		d[0].permitted &= ~bit;
	if (syscall(SYS_capset, &h, d))
		die("capset");
}

static int listen_events(int fd, int family, int group, int count, int seconds)
{
	static char buf[65536];
	struct pollfd p = { .fd = fd, .events = POLLIN };
	time_t end = time(NULL) + seconds;

	if (setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group))) {
		printf("%s:\n", strerrorname_np(errno));
		return 0;
	}
	printf("listening\n");
	fflush(stdout);
	while (objects < (unsigned long)count && time(NULL) < end) {
		ssize_t len;

		if (poll(&p, 1, 100) <= 0)
			continue;
		len = recv(fd, buf, sizeof(buf), 0);
		if (len < 0)
			die("recv");
		take_buffer(buf, len, family);
		fflush(stdout);
	}
	printf("ok\n");
	return 0;
}

int main(int argc, char **argv)
{
	struct msg m = {
		.nlh = { .nlmsg_len = NLMSG_LENGTH(GENL_HDRLEN),
			 .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK, .nlmsg_seq = 1 },
		.genl = { .version = ADSHARD_GENL_VERSION },
	};
	int opt, fd, family, group, cmd, buffers = 0;
	int cut = -1, size = 32768, stop = -1, namespaces = 0;
	bool unprivileged = false, opener = false;
	const char *run = NULL;
	char *buf;

	while ((opt = getopt(argc, argv, "df:r:T:b:x:s:ponuc")) != -1) {
		switch (opt) {
		case 'd': m.nlh.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP; break;
		case 'f': m.nlh.nlmsg_flags = NLM_F_REQUEST | strtol(optarg, NULL, 0); break;
		case 'r': m.genl.reserved = strtol(optarg, NULL, 0); break;
		case 'T': cut = atoi(optarg); break;
		case 'b': size = atoi(optarg); break;
		case 'x': run = optarg; break;
		case 's': stop = atoi(optarg); break;
		case 'p': unprivileged = true; break;
		case 'o': opener = true; break;
		case 'n': namespaces |= CLONE_NEWNET; break;
		case 'u': namespaces |= CLONE_NEWUSER; break;
		case 'c': count_only = true; break;
		default: return 2;
		}
	}
	family = family_id(&group);
	/* Where there is still one to ask. */
	if (namespaces && unshare(namespaces))
		die("unshare");
	if (optind >= argc)
		usage("nothing");
	buf = malloc(size);
	if (!buf)
		die("malloc");

	if (unprivileged)
		cap_sys_admin(false, false);
	if (opener)
		cap_sys_admin(false, true);
	fd = open_socket();
	if (opener)
		cap_sys_admin(true, true);

	if (!strcmp(argv[optind], "listen") && argc == optind + 3)
		return listen_events(fd, family, group, atoi(argv[optind + 1]),
				     atoi(argv[optind + 2]));

	cmd = find(argv[optind], commands, ADSHARD_CMD_MAX + 1);
	if (cmd < 0)
		usage(argv[optind]);
	m.genl.cmd = cmd;
	m.nlh.nlmsg_type = family;
	for (int i = optind + 1; i < argc; i++)
		put_arg(&m, argv[i]);
	if (cut >= 0)
		m.nlh.nlmsg_len = cut;
	if (send(fd, &m, m.nlh.nlmsg_len, 0) < 0)
		die("send");
	while (buffers != stop) {
		ssize_t len = recv(fd, buf, size, 0);

		if (len < 0)
			die("recv");
		take_buffer(buf, len, family);
		if (!buffers++ && run && system(run))
			fprintf(stderr, "nlabuse: the command failed: %s\n", run);
	}
	if (count_only)
		printf("%lu\n", objects);
	printf("closed\n");
	return 0;
}
