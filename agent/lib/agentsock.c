// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "agentsock.h"
#include "json.h"
#include "progress.h"
#include "units.h"

/* A thousand members with their reasons stay far below this. */
#define ANSWER_MAX	(16 << 20)

const char *ads_agent_socket(void)
{
	const char *s = getenv("ADSHARD_SOCKET");

	return s && *s ? s : ADS_AGENT_SOCKET;
}

static int wait_for(int fd, short events, double deadline)
{
	struct pollfd p = { .fd = fd, .events = events };

	for (;;) {
		double left = deadline - ads_now();
		int n;

		if (left <= 0)
			return -ETIMEDOUT;
		n = poll(&p, 1, (int)(left * 1000) + 1);
		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return -errno;
	}
}

static int dial(double deadline)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd, rc;

	if (strlen(ads_agent_socket()) >= sizeof(sa.sun_path))
		return -ENAMETOOLONG;
	strcpy(sa.sun_path, ads_agent_socket());
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	/* EAGAIN here: the agent's queue is full; not worth waiting for. */
	if (connect(fd, (struct sockaddr *)&sa, sizeof(sa))) {
		rc = -errno;
		if (rc == -EINPROGRESS)
			rc = wait_for(fd, POLLOUT, deadline);
		if (rc) {
			close(fd);
			return rc;
		}
	}
	return fd;
}

static int send_all(int fd, const char *text, size_t len, double deadline)
{
	while (len) {
		ssize_t n = send(fd, text, len, MSG_NOSIGNAL);
		int rc;

		if (n >= 0) {
			text += n;
			len -= n;
			continue;
		}
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
		rc = wait_for(fd, POLLOUT, deadline);
		if (rc)
			return rc;
	}
	return 0;
}

/* One line, without its newline; the caller frees it. */
static int read_line(int fd, char **line, double deadline)
{
	size_t cap = 0, len = 0;
	char *buf = NULL;
	int rc = 0;

	for (;;) {
		ssize_t n;

		if (len + 1 >= cap) {
			char *p;

			cap = cap ? cap * 2 : 16384;
			p = cap > ANSWER_MAX ? NULL : realloc(buf, cap);
			if (!p) {
				rc = cap > ANSWER_MAX ? -EPROTO : -ENOMEM;
				break;
			}
			buf = p;
		}
		n = recv(fd, buf + len, cap - len - 1, 0);
		if (n > 0) {
			char *nl = memchr(buf + len, '\n', n);

			len += n;
			if (!nl)
				continue;
			*nl = '\0';
			*line = buf;
			return 0;
		}
		if (!n) {
			rc = -EPROTO;
			break;
		}
		if (errno != EAGAIN && errno != EINTR) {
			rc = -errno;
			break;
		}
		rc = wait_for(fd, POLLIN, deadline);
		if (rc)
			break;
	}
	free(buf);
	return rc;
}

static int talk(struct json_object *request, double deadline, char **line)
{
	int fd = dial(deadline), rc, len;
	char *text;

	if (fd < 0)
		return fd;
	/* In one piece: an agent that hangs up between two would reset us. */
	len = asprintf(&text, "%s\n", ads_json_line(request));
	if (len < 0) {
		close(fd);
		return -ENOMEM;
	}
	rc = send_all(fd, text, len, deadline);
	if (!rc)
		rc = read_line(fd, line, deadline);
	free(text);
	close(fd);
	return rc;
}

/* *code: the agent's errno with -EREMOTEIO. */
static int call(struct json_object *req, int timeout_ms,
		struct json_object **answer, int *code, struct ads_err *err)
{
	struct json_object *a;
	const char *text;
	char *line = NULL;
	int64_t number;
	int rc;

	rc = talk(req, ads_now() + timeout_ms / 1000.0, &line);
	if (rc == -ECONNREFUSED || rc == -ENOENT || rc == -EAGAIN)
		return ads_err(err, rc, "the agent (adshardd) does not run");
	if (rc)
		return ads_err(err, rc, "no answer of the agent (adshardd): %s",
			       strerror(-rc));
	a = json_tokener_parse(line);
	free(line);
	if (!json_object_is_type(a, json_type_object)) {
		json_object_put(a);
		return ads_err(err, -EPROTO,
			       "the answer of the agent (adshardd) makes no sense");
	}
	if (ads_json_get_str(a, "error", &text)) {
		ads_err(err, 0, "agent: %s", text);
		*code = ads_json_get_i64(a, "code", &number) && number > 0 &&
			number < 4096 ? (int)number : EIO;
		json_object_put(a);
		return -EREMOTEIO;
	}
	*answer = a;
	return 0;
}

int ads_agent_call(const char *cmd, struct json_object *request,
		   int timeout_ms, struct json_object **answer,
		   struct ads_err *err)
{
	struct json_object *req = request;
	int rc, code;

	if (!req) {
		req = json_object_new_object();
		ads_json_str(req, "cmd", cmd);
	}
	rc = call(req, timeout_ms, answer, &code, err);
	if (!request)
		json_object_put(req);
	return rc;
}

int ads_agent_ask(struct json_object *request, int timeout_ms,
		  struct json_object **answer, struct ads_err *err)
{
	int code, rc = call(request, timeout_ms, answer, &code, err);

	if (rc == -EREMOTEIO)
		return -code;
	return rc && rc != -ENOMEM ? -ECONNREFUSED : rc;
}

static char *dup_str(struct json_object *o, const char *key)
{
	const char *s;

	return ads_json_get_str(o, key, &s) ? strdup(s) : NULL;
}

static uint64_t get_u64(struct json_object *o, const char *key)
{
	int64_t v;

	return ads_json_get_i64(o, key, &v) && v > 0 ? v : 0;
}

static size_t array_len(struct json_object *a)
{
	return json_object_is_type(a, json_type_array) ?
	       json_object_array_length(a) : 0;
}

static void decode_member(struct json_object *o, struct ads_agent_member *m)
{
	struct json_object *reasons = ads_json_get(o, "reasons");
	double score;

	m->member = -1;
	m->smart_age = -1;
	m->score = -1;
	m->pool = dup_str(o, "pool");
	ads_json_get_i64(o, "member", &m->member);
	m->uuid = dup_str(o, "uuid");
	m->device = dup_str(o, "device");
	m->model = dup_str(o, "model");
	m->serial = dup_str(o, "serial");
	m->mode = dup_str(o, "mode");
	m->blocked = dup_str(o, "blocked");
	if (ads_json_get_double(o, "score", &score) && score >= 0)
		m->score = score > 100 ? 100 : (int)(score + 0.5);
	ads_json_get_bool(o, "stale", &m->stale);
	ads_json_get_i64(o, "smart_age", &m->smart_age);
	m->reasons = calloc(array_len(reasons) + 1, sizeof(*m->reasons));
	for (size_t i = 0; m->reasons && i < array_len(reasons); i++) {
		struct json_object *r = json_object_array_get_idx(reasons, i);
		struct ads_agent_reason *out = &m->reasons[m->nr_reasons];

		out->text = dup_str(r, "text");
		if (!out->text)
			continue;
		ads_json_get_double(r, "points", &out->points);
		m->nr_reasons++;
	}
}

static void decode_job(struct json_object *o, struct ads_agent_job *j)
{
	j->member = -1;
	ads_json_get_i64(o, "id", &j->id);
	ads_json_get_i64(o, "member", &j->member);
	j->kind = dup_str(o, "kind");
	j->pool = dup_str(o, "pool");
	j->state = dup_str(o, "state");
	j->reason = dup_str(o, "reason");
	j->note = dup_str(o, "note");
	j->segments_total = get_u64(o, "segments_total");
	j->segments_done = get_u64(o, "segments_done");
	j->bytes_total = get_u64(o, "bytes_total");
	j->bytes_done = get_u64(o, "bytes_done");
	j->started = get_u64(o, "started");
	j->finished = get_u64(o, "finished");
	j->position = get_u64(o, "position");
	j->undecided = get_u64(o, "undecided");
	ads_json_get_bool(o, "paused", &j->paused);
}

int ads_agent_status_parse(struct json_object *answer,
			   struct ads_agent_status **out, struct ads_err *err)
{
	struct json_object *members = ads_json_get(answer, "members");
	struct json_object *jobs = ads_json_get(answer, "jobs");
	struct json_object *schema = ads_json_get(answer, "schema");
	struct ads_agent_status *st;
	const char *name;
	int64_t version;

	if (!ads_json_get_str(schema, "name", &name) ||
	    strcmp(name, "adshardd.status") ||
	    !ads_json_get_i64(schema, "version", &version) || version != 1)
		return ads_err(err, -EPROTO,
			       "the agent (adshardd) speaks another version: update agent and tools together");
	st = calloc(1, sizeof(*st));
	if (!st)
		return -ENOMEM;
	st->members = calloc(array_len(members) + 1, sizeof(*st->members));
	st->jobs = calloc(array_len(jobs) + 1, sizeof(*st->jobs));
	if (!st->members || !st->jobs) {
		ads_agent_status_free(st);
		return -ENOMEM;
	}
	for (size_t i = 0; i < array_len(members); i++)
		decode_member(json_object_array_get_idx(members, i),
			      &st->members[st->nr_members++]);
	for (size_t i = 0; i < array_len(jobs); i++)
		decode_job(json_object_array_get_idx(jobs, i),
			   &st->jobs[st->nr_jobs++]);
	*out = st;
	return 0;
}

int ads_agent_status(int timeout_ms, struct ads_agent_status **out,
		     struct ads_err *err)
{
	struct json_object *answer;
	int rc = ads_agent_call("status", NULL, timeout_ms, &answer, err);

	if (rc)
		return rc;
	rc = ads_agent_status_parse(answer, out, err);
	json_object_put(answer);
	return rc;
}

void ads_agent_status_free(struct ads_agent_status *st)
{
	if (!st)
		return;
	for (size_t i = 0; i < st->nr_members; i++) {
		struct ads_agent_member *m = &st->members[i];

		for (size_t k = 0; k < m->nr_reasons; k++)
			free(m->reasons[k].text);
		free(m->reasons);
		free(m->pool);
		free(m->uuid);
		free(m->device);
		free(m->model);
		free(m->serial);
		free(m->mode);
		free(m->blocked);
	}
	for (size_t i = 0; i < st->nr_jobs; i++) {
		free(st->jobs[i].kind);
		free(st->jobs[i].pool);
		free(st->jobs[i].state);
		free(st->jobs[i].reason);
		free(st->jobs[i].note);
	}
	free(st->members);
	free(st->jobs);
	free(st);
}

const struct ads_agent_member *
ads_agent_find(const struct ads_agent_status *st, const uint8_t *pool,
	       uint32_t member)
{
	char uuid[ADS_UUID_STR];

	if (!st)
		return NULL;
	ads_format_uuid(pool, uuid);
	for (size_t i = 0; i < st->nr_members; i++) {
		const struct ads_agent_member *m = &st->members[i];

		if (m->member == member && m->pool && !strcmp(m->pool, uuid))
			return m;
	}
	return NULL;
}
