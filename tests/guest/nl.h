/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Raw generic netlink for test programs: nothing here keeps a message decent. */
#ifndef GUEST_NL_H
#define GUEST_NL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/genetlink.h>
#include <linux/netlink.h>

#include <linux/dm-adshard.h>

struct nl_msg {
	struct nlmsghdr nlh;
	struct genlmsghdr genl;
	unsigned char data[16384];
};

static inline void nl_begin(struct nl_msg *m, int family, uint8_t cmd, uint16_t flags)
{
	memset(&m->nlh, 0, sizeof(m->nlh) + sizeof(m->genl));
	m->nlh.nlmsg_len = NLMSG_LENGTH(GENL_HDRLEN);
	m->nlh.nlmsg_type = family;
	m->nlh.nlmsg_flags = flags;
	m->nlh.nlmsg_seq = 1;
	m->genl.cmd = cmd;
	m->genl.version = ADSHARD_GENL_VERSION;
}

static inline struct nlattr *nl_put(struct nl_msg *m, uint16_t type,
				    const void *data, unsigned int len)
{
	struct nlattr *a = (void *)((char *)m + m->nlh.nlmsg_len);

	if (m->nlh.nlmsg_len + NLA_HDRLEN + NLA_ALIGN(len) > sizeof(*m))
		abort();
	memset(a, 0, NLA_HDRLEN + NLA_ALIGN(len));
	a->nla_type = type;
	a->nla_len = NLA_HDRLEN + len;
	if (len)
		memcpy(a + 1, data, len);
	m->nlh.nlmsg_len += NLA_ALIGN(a->nla_len);
	return a;
}

static inline int nl_open(void)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	int on = 1;

	if (fd < 0 || bind(fd, (void *)&addr, sizeof(addr))) {
		perror("netlink socket");
		exit(2);
	}
	setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
	return fd;
}

static inline const struct nlattr *nl_find(const void *data, int len, int type)
{
	const struct nlattr *a = data;

	for (; len >= NLA_HDRLEN && a->nla_len >= NLA_HDRLEN;
	     len -= NLA_ALIGN(a->nla_len),
	     a = (const void *)((const char *)a + NLA_ALIGN(a->nla_len)))
		if ((a->nla_type & NLA_TYPE_MASK) == type)
			return a;
	return NULL;
}

/* An attribute of a genl message. */
static inline const struct nlattr *nl_attr(const struct nlmsghdr *nlh, int type)
{
	return nl_find((const char *)nlh + NLMSG_LENGTH(GENL_HDRLEN),
		       (int)nlh->nlmsg_len - (int)NLMSG_LENGTH(GENL_HDRLEN), type);
}

static inline uint32_t nl_u32(const struct nlmsghdr *nlh, int type, uint32_t none)
{
	const struct nlattr *a = nl_attr(nlh, type);

	if (a)
		memcpy(&none, a + 1, sizeof(none));
	return none;
}

/* The numbers of the family and of its group of events; -1: no such family. */
static inline int nl_family(int *group)
{
	struct nl_msg m;
	char buf[8192];
	const struct nlmsghdr *nlh = (void *)buf;
	const struct nlattr *a;
	int fd = nl_open(), id = -1;

	nl_begin(&m, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, NLM_F_REQUEST);
	nl_put(&m, CTRL_ATTR_FAMILY_NAME, ADSHARD_GENL_NAME, sizeof(ADSHARD_GENL_NAME));
	if (send(fd, &m, m.nlh.nlmsg_len, 0) < 0 || recv(fd, buf, sizeof(buf), 0) < 0)
		perror("controller");
	else if (nlh->nlmsg_type != NLMSG_ERROR && (a = nl_attr(nlh, CTRL_ATTR_FAMILY_ID)))
		id = *(const uint16_t *)(a + 1);
	a = id < 0 ? NULL : nl_attr(nlh, CTRL_ATTR_MCAST_GROUPS);
	if (a && group) {
		a++;	/* the first and only one of the array */
		a = nl_find(a + 1, a->nla_len - NLA_HDRLEN, CTRL_ATTR_MCAST_GRP_ID);
		*group = a ? (int)*(const uint32_t *)(a + 1) : -1;
	}
	close(fd);
	return id;
}

static inline bool nl_uuid(const char *text, uint8_t *uuid)
{
	unsigned int n = 0, byte;

	while (*text && n < 16) {
		if (*text == '-') {
			text++;
			continue;
		}
		if (sscanf(text, "%2x", &byte) != 1 || !text[1])
			return false;
		uuid[n++] = byte;
		text += 2;
	}
	return n == 16 && !*text;
}

#endif
