/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shared by the files of the netlink client only.
 */
#ifndef ADS_NL_PRIV_H
#define ADS_NL_PRIV_H

#include <netlink/attr.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>

#include "nl.h"

struct ads_nl_seen {
	uint8_t pool[ADS_UUID_LEN];
	uint64_t seq;
};

struct ads_nl {
	struct nl_sock *req;
	struct nl_sock *ev;		/* NULL: not subscribed */
	int family;
	void *buf;			/* of ADS_NL_BUF bytes, for both */
	struct ads_nl_seen *seen;	/* last event of each pool */
	size_t nr_seen;
};

#define ADS_NL_BUF	(256 * 1024)

/* A growing array. */
struct ads_vec {
	void *data;
	size_t n, cap, elem;
};

void *ads_vec_push(struct ads_vec *v);	/* a zeroed element, or NULL */

/* One parsed message; @arg as given to the request. 0 or -errno. */
typedef int (*ads_nl_msg_fn)(struct nlattr **attrs, void *arg);

/* A number in a request. */
struct ads_nl_attr {
	int type;
	int bytes;			/* 1, 4 or 8 */
	uint64_t value;
};

/* A string in a request. */
struct ads_nl_text {
	int type;
	const char *text;
};

struct ads_nl_request {
	uint8_t cmd;
	int flags;
	const uint8_t *pool;		/* NULL: none */
	const struct ads_nl_attr *attrs;
	size_t nr_attrs;
	const struct ads_nl_text *texts;
	size_t nr_texts;
};

/* Asks; *@intr is set if a dump's answers do not belong together. */
int ads_nl_request(struct ads_nl *nl, const struct ads_nl_request *r,
		   ads_nl_msg_fn fn, void *arg, bool *intr,
		   struct ads_err *err);

/* Dumps into @v, as often as it takes; on failure @v is empty. */
int ads_nl_dump(struct ads_nl *nl, struct ads_nl_request *r, ads_nl_msg_fn fn,
		struct ads_vec *v, struct ads_err *err);

int ads_nl_connect(struct nl_sock **out, struct ads_err *err);

/* Attribute table with the policy applied. -EPROTO. */
int ads_nl_parse_msg(struct nlmsghdr *nlh, struct nlattr **attrs);

/* Parsers: from attributes to plain structs. */
void ads_nl_parse_pool(struct nlattr **a, struct ads_pool *p);
void ads_nl_parse_member(struct nlattr **a, struct ads_member *m);
void ads_nl_parse_migration(struct nlattr **a, struct ads_migration *m);
int ads_nl_parse_segments(struct nlattr **a, struct ads_vec *out);
void ads_nl_parse_bad(struct nlattr **a, struct ads_bad *b);
void ads_nl_parse_event(struct nlattr **a, struct ads_event *ev);

#endif
