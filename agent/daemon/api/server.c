// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/api/api.h"
#include "daemon/log.h"
#include "daemon/unused.h"
#include "lib/json.h"

#define BACKLOG		64

struct client {
	struct api *api;
	struct client *next, **at;
	int fd;
	bool root;
	bool ends;		/* close once all is sent */
	sd_event_source *io, *timer;
	char *in;		/* of max_request + 1 bytes */
	size_t in_len, in_max;
	char *out;
	size_t out_len, sent;
};

struct api {
	struct adshardd *daemon;
	int fd;
	char path[sizeof(((struct config *)0)->socket)];
	sd_event_source *source;
	struct client *clients;
	unsigned int nr;
};

static void client_free(struct client *c)
{
	*c->at = c->next;
	if (c->next)
		c->next->at = c->at;
	c->api->nr--;
	sd_event_source_disable_unref(c->io);
	sd_event_source_disable_unref(c->timer);
	close(c->fd);
	free(c->in);
	free(c->out);
	free(c);
}

/* From now on it has api.timeout to do something. */
static void breathe(struct client *c)
{
	uint64_t usec = c->api->daemon->config->api.timeout * 1000000ULL;

	sd_event_source_set_time_relative(c->timer, usec);
}

/* false: the client was freed. */
static bool flush(struct client *c)
{
	ssize_t n;

	while (c->sent < c->out_len) {
		n = send(c->fd, c->out + c->sent, c->out_len - c->sent,
			 MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			/* nothing is read before it takes the answer */
			sd_event_source_set_io_events(c->io, EPOLLOUT);
			return true;
		}
		if (n < 0) {
			client_free(c);
			return false;
		}
		c->sent += n;
		breathe(c);
	}
	free(c->out);
	c->out = NULL;
	c->out_len = c->sent = 0;
	if (c->ends) {
		client_free(c);
		return false;
	}
	sd_event_source_set_io_events(c->io, EPOLLIN);
	return true;
}

static bool answer(struct client *c, struct json_object *o)
{
	const char *line = o ? ads_json_line(o) : NULL;

	int n = line ? asprintf(&c->out, "%s\n", line) : -1;

	json_object_put(o);
	if (n < 0) {
		c->out = NULL;
		client_free(c);
		return false;
	}
	c->out_len = n;
	c->sent = 0;
	return flush(c);
}

static struct json_object *refusal(int code, const char *text)
{
	struct json_object *o = json_object_new_object();

	if (o) {
		ads_json_str(o, "error", text);
		ads_json_i64(o, "code", code);
	}
	return o;
}

/* Answers all whole lines, one at a time. false: freed. */
static bool serve(struct client *c)
{
	char *end;

	while (!c->out && (end = memchr(c->in, '\n', c->in_len))) {
		size_t len = end - c->in;
		struct json_object *o;

		o = api_answer(c->api->daemon, c->in, len, c->root);
		c->in_len -= len + 1;
		memmove(c->in, end + 1, c->in_len);
		if (!answer(c, o))
			return false;
	}
	if (!c->out && c->in_len == c->in_max) {
		c->ends = true;
		return answer(c, refusal(EMSGSIZE, "the request is too long"));
	}
	return true;
}

static bool receive(struct client *c)
{
	ssize_t n;

	n = recv(c->fd, c->in + c->in_len, c->in_max - c->in_len, MSG_DONTWAIT);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return true;
	if (n <= 0) {
		client_free(c);
		return false;
	}
	c->in_len += n;
	breathe(c);
	return serve(c);
}

static int on_client(sd_event_source *s UNUSED, int fd UNUSED, uint32_t revents,
		     void *arg)
{
	struct client *c = arg;

	if (c->out) {
		/* what came meanwhile is served when all is sent */
		if ((revents & (EPOLLERR | EPOLLHUP)) && !(revents & EPOLLOUT))
			client_free(c);
		else if (flush(c) && !c->out)
			serve(c);
		return 0;
	}
	receive(c);
	return 0;
}

static int on_idle(sd_event_source *s UNUSED, uint64_t usec UNUSED, void *arg)
{
	client_free(arg);
	return 0;
}

static void turn_away(int fd)
{
	static const char text[] =
		"{\"error\":\"too many clients\",\"code\":11}\n";
	ssize_t r = send(fd, text, sizeof(text) - 1,
			 MSG_NOSIGNAL | MSG_DONTWAIT);

	(void)r;
	close(fd);
}

static void welcome(struct api *a, int fd)
{
	const struct config *config = a->daemon->config;
	struct client *c = calloc(1, sizeof(*c));
	struct ucred who = { .uid = (uid_t)-1 };
	socklen_t len = sizeof(who);
	int r = -ENOMEM;

	if (!c) {
		close(fd);
		return;
	}
	c->api = a;
	c->fd = fd;
	c->at = &a->clients;
	c->next = a->clients;
	if (c->next)
		c->next->at = &c->next;
	a->clients = c;
	a->nr++;
	/* without credentials nobody is root */
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) == 0)
		c->root = who.uid == 0;
	c->in_max = config->api.max_request;
	c->in = malloc(c->in_max);
	if (c->in)
		r = sd_event_add_io(a->daemon->event, &c->io, fd, EPOLLIN,
				    on_client, c);
	if (r >= 0)
		r = sd_event_add_time_relative(a->daemon->event, &c->timer,
					       CLOCK_MONOTONIC,
					       config->api.timeout * 1000000ULL,
					       0, on_idle, c);
	if (r < 0)
		client_free(c);
}

static int on_connect(sd_event_source *s UNUSED, int fd,
		      uint32_t revents UNUSED, void *arg)
{
	struct api *a = arg;
	int client;

	client = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (client < 0)
		return 0;
	if (a->nr >= (unsigned int)a->daemon->config->api.clients)
		turn_away(client);
	else
		welcome(a, client);
	return 0;
}

/*
 * Whoever holds the lock of the daemon owns the path; a socket that is still
 * there is one of a daemon that was killed.
 */
int api_new(struct adshardd *d, struct api **out, struct ads_err *err)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct api *a = calloc(1, sizeof(*a));
	mode_t mask;
	int r;

	if (!a)
		return -ENOMEM;
	a->daemon = d;
	snprintf(a->path, sizeof(a->path), "%s", d->config->socket);
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", a->path);
	a->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (a->fd < 0) {
		r = -errno;
		free(a);
		return ads_err(err, r, "%s: %s", d->config->socket,
			       strerror(-r));
	}
	unlink(a->path);
	/* for everyone: reading is allowed, who may change things is looked at
	 * in each request */
	mask = umask(0111);
	r = bind(a->fd, (struct sockaddr *)&addr, sizeof(addr)) ? -errno : 0;
	umask(mask);
	if (!r && listen(a->fd, BACKLOG))
		r = -errno;
	if (!r)
		r = sd_event_add_io(d->event, &a->source, a->fd, EPOLLIN,
				    on_connect, a);
	if (r < 0) {
		ads_err(err, r, "%s: %s", a->path, strerror(-r));
		close(a->fd);
		free(a);
		return r;
	}
	*out = a;
	return 0;
}

void api_free(struct api *a)
{
	if (!a)
		return;
	while (a->clients)
		client_free(a->clients);
	sd_event_source_disable_unref(a->source);
	close(a->fd);
	unlink(a->path);
	free(a);
}
