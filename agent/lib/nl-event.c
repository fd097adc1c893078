// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Events of the kernel, with loss made visible.
 *
 * Two things lose events: the socket's buffer runs full (ENOBUFS on the next
 * read), or the kernel had no memory for one (a hole in the numbers). Both are
 * handed to the caller, who has to dump again.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "nl-priv.h"

/* Some thousand events: room for a large evacuation while the caller is busy. */
#define EVENT_BUFFER	(4 << 20)

int ads_nl_subscribe(struct ads_nl *nl, struct ads_err *err)
{
	struct nl_sock *sk;
	int size = EVENT_BUFFER, group, rc;

	if (nl->ev)
		return 0;
	rc = ads_nl_connect(&sk, err);
	if (rc)
		return rc;
	group = genl_ctrl_resolve_grp(sk, ADSHARD_GENL_NAME,
				      ADSHARD_GENL_EVENTS);
	if (group < 0) {
		rc = ads_err(err, -EPROTONOSUPPORT,
			     "the adshard kernel module is not loaded (modprobe dm-adshard)");
		goto fail;
	}
	if (setsockopt(nl_socket_get_fd(sk), SOL_SOCKET, SO_RCVBUFFORCE, &size,
		       sizeof(size)))
		setsockopt(nl_socket_get_fd(sk), SOL_SOCKET, SO_RCVBUF, &size,
			   sizeof(size));
	rc = nl_socket_add_membership(sk, group);
	if (rc) {
		rc = rc == -NLE_PERM || rc == -NLE_NOACCESS ? -EACCES : -EIO;
		ads_err(err, rc, rc == -EACCES ?
			"the adshard kernel module answers only to root (CAP_SYS_ADMIN)" :
			"can't subscribe to the events of the adshard kernel module");
		goto fail;
	}
	rc = nl_socket_set_nonblocking(sk);
	if (rc) {
		rc = -EIO;
		goto fail;
	}
	nl->ev = sk;
	return 0;
fail:
	nl_socket_free(sk);
	return rc;
}

int ads_nl_event_fd(const struct ads_nl *nl)
{
	return nl->ev ? nl_socket_get_fd(nl->ev) : -1;
}

/* Sets ev->lost from the number of the pool's event before this one. */
static int note_seq(struct ads_nl *nl, struct ads_event *ev)
{
	struct ads_nl_seen *s;
	size_t i;

	for (i = 0; i < nl->nr_seen; i++)
		if (!memcmp(nl->seen[i].pool, ev->pool_uuid, ADS_UUID_LEN))
			break;
	if (i == nl->nr_seen) {
		s = reallocarray(nl->seen, i + 1, sizeof(*s));
		if (!s)
			return -ENOMEM;
		nl->seen = s;
		nl->nr_seen++;
		memcpy(s[i].pool, ev->pool_uuid, ADS_UUID_LEN);
		s[i].seq = ev->seq;
		return 0;
	}
	s = &nl->seen[i];
	/* A lower number: the pool was activated anew and counts from the start. */
	if (ev->seq > s->seq + 1 && ev->type != ADSHARD_EVENT_POOL_ACTIVE)
		ev->lost = ev->seq - s->seq - 1;
	s->seq = ev->seq;
	return 0;
}

int ads_nl_read_events(struct ads_nl *nl, ads_event_fn cb, void *arg,
		       struct ads_err *err)
{
	struct nlattr *attrs[ADSHARD_A_MAX + 1];
	int count = 0, rc;

	if (!nl->ev)
		return -ENOTCONN;
	for (;;) {
		struct nlmsghdr *nlh = nl->buf;
		struct ads_event ev;
		ssize_t len;
		int left;

		len = recv(nl_socket_get_fd(nl->ev), nl->buf, ADS_NL_BUF, 0);
		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return count;
		if (len < 0 && errno == ENOBUFS) {
			memset(&ev, 0, sizeof(ev));
			ev.overrun = true;
			nl->nr_seen = 0;
			count++;
			rc = cb(&ev, arg);
			if (rc)
				return rc;
			continue;
		}
		if (len < 0)
			return ads_err(err, -errno, "can't read events: %s",
				       strerror(errno));
		for (left = len; nlmsg_ok(nlh, left);
		     nlh = nlmsg_next(nlh, &left)) {
			struct genlmsghdr *gh;

			/* Every other message on this socket is not ours. */
			if (nlh->nlmsg_type < NLMSG_MIN_TYPE ||
			    ads_nl_parse_msg(nlh, attrs))
				continue;
			gh = nlmsg_data(nlh);
			if (gh->cmd != ADSHARD_CMD_EVENT ||
			    !attrs[ADSHARD_A_POOL_UUID] ||
			    !attrs[ADSHARD_A_EVENT])
				continue;
			memset(&ev, 0, sizeof(ev));
			ads_nl_parse_event(attrs, &ev);
			rc = note_seq(nl, &ev);
			if (rc)
				return rc;
			count++;
			rc = cb(&ev, arg);
			if (rc)
				return rc;
		}
	}
}
