// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Requests to the kernel: connection, one request with its answers, dumps.
 *
 * Messages are received here and not by libnl's callbacks, because three things
 * have to be seen in one place: the extended acknowledgement, NLM_F_DUMP_INTR on
 * any message of a dump, and the error code inside NLMSG_DONE.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include <linux/netlink.h>

#include "nl-priv.h"

/* A dump that collides with changes is repeated so often, with longer pauses. */
#define DUMP_TRIES	12

#define MAX_ERRNO	4095		/* the kernel's */

static const char no_module[] =
	"the adshard kernel module is not loaded (modprobe dm-adshard)";
static const char no_root[] =
	"the adshard kernel module answers only to root (CAP_SYS_ADMIN)";

int ads_nl_connect(struct nl_sock **out, struct ads_err *err)
{
	struct nl_sock *sk = nl_socket_alloc();
	int on = 1, rc;

	if (!sk)
		return -ENOMEM;
	rc = genl_connect(sk);
	if (rc) {
		nl_socket_free(sk);
		return ads_err(err, -EPROTONOSUPPORT,
			       "no generic netlink socket: %s",
			       nl_geterror(rc));
	}
	/* Answers are taken past libnl, which would lose count of them. */
	nl_socket_disable_seq_check(sk);
	/* Without these there is merely no sentence; no reason to fail. */
	setsockopt(nl_socket_get_fd(sk), SOL_NETLINK, NETLINK_EXT_ACK, &on,
		   sizeof(on));
	setsockopt(nl_socket_get_fd(sk), SOL_NETLINK, NETLINK_CAP_ACK, &on,
		   sizeof(on));
	*out = sk;
	return 0;
}

int ads_nl_open(struct ads_nl **out, struct ads_err *err)
{
	struct ads_nl *nl = calloc(1, sizeof(*nl));
	int rc;

	if (!nl)
		return -ENOMEM;
	nl->buf = malloc(ADS_NL_BUF);
	rc = nl->buf ? ads_nl_connect(&nl->req, err) : -ENOMEM;
	if (!rc) {
		nl->family = genl_ctrl_resolve(nl->req, ADSHARD_GENL_NAME);
		if (nl->family < 0)
			rc = ads_err(err, -EPROTONOSUPPORT, "%s", no_module);
	}
	if (rc) {
		ads_nl_close(nl);
		return rc;
	}
	*out = nl;
	return 0;
}

void ads_nl_close(struct ads_nl *nl)
{
	if (!nl)
		return;
	nl_socket_free(nl->req);
	nl_socket_free(nl->ev);
	free(nl->buf);
	free(nl->seen);
	free(nl);
}

/* The sentence behind an error or the end of a dump, if the kernel sent one. */
static void take_extack(const struct nlmsghdr *nlh, size_t fixed,
			struct ads_err *err)
{
	const char *end = (const char *)nlh + nlh->nlmsg_len;
	const char *pos = (const char *)NLMSG_DATA(nlh) + NLMSG_ALIGN(fixed);

	if (!err || !(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	while (pos + sizeof(struct nlattr) <= end) {
		const struct nlattr *a = (const void *)pos;

		if (a->nla_len < sizeof(*a) || pos + a->nla_len > end)
			return;
		if ((a->nla_type & NLA_TYPE_MASK) == NLMSGERR_ATTR_MSG) {
			ads_err(err, 0, "%.*s", (int)(a->nla_len - sizeof(*a)),
				(const char *)(a + 1));
			return;
		}
		pos += NLA_ALIGN(a->nla_len);
	}
}

/* Callers take a positive number for a count, and any other for an errno. */
static int take_code(int code, struct ads_err *err)
{
	if (code <= 0 && code >= -MAX_ERRNO)
		return code;
	return ads_err(err, -EPROTO, "the kernel's answer makes no sense: "
		       "error %d", code);
}

static int take_error(const struct nlmsghdr *nlh, struct ads_err *err)
{
	const struct nlmsgerr *e = NLMSG_DATA(nlh);
	size_t fixed = sizeof(*e);

	if (nlh->nlmsg_len < NLMSG_LENGTH(sizeof(*e)))
		return -EPROTO;
	if (!e->error)
		return 0;
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED) &&
	    e->msg.nlmsg_len > NLMSG_HDRLEN)
		fixed += NLMSG_ALIGN(e->msg.nlmsg_len) - NLMSG_HDRLEN;
	take_extack(nlh, fixed, err);
	return take_code(e->error, err);
}

static int take_done(const struct nlmsghdr *nlh, struct ads_err *err)
{
	int rc;

	if (nlh->nlmsg_len < NLMSG_LENGTH(sizeof(int)))
		return 0;
	memcpy(&rc, NLMSG_DATA(nlh), sizeof(rc));
	if (rc >= 0)
		return 0;
	take_extack(nlh, sizeof(int), err);
	return take_code(rc, err);
}

static ssize_t receive(struct ads_nl *nl)
{
	ssize_t len;

	do {
		len = recv(nl_socket_get_fd(nl->req), nl->buf, ADS_NL_BUF,
			   MSG_TRUNC);
	} while (len < 0 && errno == EINTR);
	if (len < 0)
		return -errno;
	return len > ADS_NL_BUF ? -EMSGSIZE : len;
}

/*
 * Sends @msg and takes its answers up to the acknowledgement or the end of the
 * dump. All of them are read even after an error of @fn, so that the next
 * request finds the socket empty. *@intr: the dump is not consistent.
 */
static int talk(struct ads_nl *nl, struct nl_msg *msg, ads_nl_msg_fn fn,
		void *arg, bool *intr, struct ads_err *err)
{
	struct nlattr *attrs[ADSHARD_A_MAX + 1];
	uint32_t seq;
	int rc, ret = 0;

	rc = nl_send_auto(nl->req, msg);
	if (rc < 0)
		return ads_err(err, -EIO, "can't ask the kernel: %s",
			       nl_geterror(rc));
	seq = nlmsg_hdr(msg)->nlmsg_seq;

	for (;;) {
		struct nlmsghdr *nlh = nl->buf;
		ssize_t len = receive(nl);
		int left;

		if (len < 0)
			return ads_err(err, len, "no answer of the kernel: %s",
				       strerror(-len));
		for (left = len; nlmsg_ok(nlh, left);
		     nlh = nlmsg_next(nlh, &left)) {
			if (nlh->nlmsg_seq != seq)
				continue;
			if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
				*intr = true;
			if (nlh->nlmsg_type == NLMSG_ERROR) {
				rc = take_error(nlh, err);
				return rc ? rc : ret;
			}
			if (nlh->nlmsg_type == NLMSG_DONE) {
				rc = take_done(nlh, err);
				return rc ? rc : ret;
			}
			if (ret || nlh->nlmsg_type != nl->family || !fn)
				continue;
			ret = ads_nl_parse_msg(nlh, attrs);
			if (!ret)
				ret = fn(attrs, arg);
			if (ret == -EPROTO)
				ads_err(err, ret,
					"the kernel's answer makes no sense: "
					"module and tools don't fit");
		}
	}
}

static struct nl_msg *build(struct ads_nl *nl, const struct ads_nl_request *r)
{
	struct nl_msg *msg = nlmsg_alloc();
	int rc = 0;

	if (!msg)
		return NULL;
	if (!genlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, nl->family, 0,
			 NLM_F_REQUEST | r->flags, r->cmd,
			 ADSHARD_GENL_VERSION))
		rc = -1;
	if (!rc && r->pool)
		rc = nla_put(msg, ADSHARD_A_POOL_UUID, ADS_UUID_LEN, r->pool);
	for (size_t i = 0; !rc && i < r->nr_attrs; i++) {
		const struct ads_nl_attr *a = &r->attrs[i];

		if (a->bytes == 1)
			rc = nla_put_u8(msg, a->type, a->value);
		else if (a->bytes == 4)
			rc = nla_put_u32(msg, a->type, a->value);
		else
			rc = nla_put_u64(msg, a->type, a->value);
	}
	for (size_t i = 0; !rc && i < r->nr_texts; i++)
		rc = nla_put_string(msg, r->texts[i].type, r->texts[i].text);
	if (rc) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

/*
 * One request. The family's number changes when the module is reloaded; the
 * kernel then says ENOENT without a sentence, and the number is asked for again.
 */
int ads_nl_request(struct ads_nl *nl, const struct ads_nl_request *r,
		   ads_nl_msg_fn fn, void *arg, bool *intr, struct ads_err *err)
{
	struct ads_err e = { "" };
	int rc = -ENOENT;

	for (int try = 0; try < 2; try++) {
		struct nl_msg *msg = build(nl, r);
		int family;

		if (!msg)
			return -ENOMEM;
		rc = talk(nl, msg, fn, arg, intr, &e);
		nlmsg_free(msg);
		if (rc != -ENOENT || e.text[0])
			break;
		family = genl_ctrl_resolve(nl->req, ADSHARD_GENL_NAME);
		if (family < 0)
			return ads_err(err, -EPROTONOSUPPORT, "%s", no_module);
		if (family == nl->family)
			break;
		nl->family = family;
	}
	/* EPERM is also a member that takes no new data: tell them apart. */
	if (rc == -EPERM && (!e.text[0] || strstr(e.text, "CAP_SYS_ADMIN")))
		rc = ads_err(&e, -EACCES, "%s", no_root);
	if (rc && err)
		*err = e;
	return rc;
}

int ads_nl_dump(struct ads_nl *nl, struct ads_nl_request *r, ads_nl_msg_fn fn,
		struct ads_vec *v, struct ads_err *err)
{
	struct timespec pause = { 0, 1000000 };
	int rc;

	r->flags = NLM_F_DUMP;
	for (int try = 0; try < DUMP_TRIES; try++) {
		bool intr = false;

		v->n = 0;
		rc = ads_nl_request(nl, r, fn, v, &intr, err);
		if (rc && rc != -EINTR)
			goto fail;
		if (!rc && !intr)
			return 0;
		nanosleep(&pause, NULL);
		if (pause.tv_nsec < 200000000)
			pause.tv_nsec *= 2;
	}
	rc = ads_err(err, -EAGAIN, "the pool changes faster than it can be read");
fail:
	free(v->data);
	v->data = NULL;
	v->n = 0;
	return rc;
}
