// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <linux/ioprio.h>
#include <liburing.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "daemon/collect/patrol.h"
#include "daemon/log.h"
#include "daemon/unused.h"

#define RING_ENTRIES	256
#define ALIGNMENT	4096
#define RETRY_OPEN	60	/* seconds */
#define TELL_AGAIN	60	/* seconds; a dead disk fails every read */

struct patrol {
	sd_event *event;
	struct io_uring ring;
	int fd;			/* eventfd that the ring signals */
	sd_event_source *source;
	struct patroller *list;
};

enum request { NOTHING, OPENING, READING, CLOSING };

/*
 * Lives until its member is gone *and* nothing of it is in the ring. What the
 * kernel may still write into (@buf, @path) is freed no earlier.
 */
struct patroller {
	struct patrol *patrol;		/* NULL: the ring is gone */
	struct patroller *next;
	const struct config *const *config;
	char *path;
	uint64_t start, end;
	int fd;				/* -1: not open */
	void *buf;
	unsigned int size;		/* of the buffer */
	enum request request;
	int64_t since;			/* when @request went out */
	bool orphan;			/* nobody wants it any more */
	double load;
	sd_event_source *timer;
	struct patrol_state state;
	int told;			/* the error that was logged */
	int64_t told_at;
	unsigned int untold;		/* since then */
};

static int64_t now_seconds(void)
{
	return time(NULL);
}

static void unlink_patroller(struct patroller *r)
{
	struct patroller **p;

	if (!r->patrol)
		return;
	for (p = &r->patrol->list; *p; p = &(*p)->next) {
		if (*p == r) {
			*p = r->next;
			return;
		}
	}
}

static void destroy(struct patroller *r)
{
	unlink_patroller(r);
	sd_event_source_disable_unref(r->timer);
	if (r->fd >= 0)
		close(r->fd);
	free(r->buf);
	free(r->path);
	free(r);
}

static void arm(struct patroller *r, uint64_t usec)
{
	sd_event_source_set_time_relative(r->timer, usec);
	sd_event_source_set_enabled(r->timer, SD_EVENT_ONESHOT);
}

static struct io_uring_sqe *prepare(struct patroller *r, enum request request)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&r->patrol->ring);

	if (!sqe)
		return NULL;
	r->request = request;
	r->since = now_seconds();
	return sqe;
}

static void submit(struct patroller *r, struct io_uring_sqe *sqe)
{
	int n;

	io_uring_sqe_set_data(sqe, r);
	n = io_uring_submit(&r->patrol->ring);
	/* stays in the queue and goes with the next one */
	if (n < 0 && n != -EBUSY && n != -EAGAIN)
		log_warn(r->path, "patrol: %s", strerror(-n));
}

static void go_open(struct patroller *r)
{
	struct io_uring_sqe *sqe = prepare(r, OPENING);

	if (!sqe) {
		arm(r, 1000000);
		return;
	}
	io_uring_prep_openat(sqe, AT_FDCWD, r->path,
			     O_RDONLY | O_DIRECT | O_CLOEXEC, 0);
	/* in a worker from the start: opening takes locks that others hold */
	io_uring_sqe_set_flags(sqe, IOSQE_ASYNC);
	submit(r, sqe);
}

static void go_close(struct patroller *r)
{
	struct io_uring_sqe *sqe = prepare(r, CLOSING);

	if (!sqe)
		return;
	io_uring_prep_close(sqe, r->fd);
	io_uring_sqe_set_flags(sqe, IOSQE_ASYNC);
	r->fd = -1;
	submit(r, sqe);
}

static unsigned int next_length(const struct patroller *r)
{
	uint64_t left = r->end - r->state.position;

	return left < r->size ? left : r->size;
}

static void go_read(struct patroller *r)
{
	struct io_uring_sqe *sqe = prepare(r, READING);

	if (!sqe) {
		arm(r, 1000000);
		return;
	}
	io_uring_prep_read(sqe, r->fd, r->buf, next_length(r),
			   r->state.position);
	sqe->ioprio = IOPRIO_PRIO_VALUE(IOPRIO_CLASS_IDLE, 0);
	submit(r, sqe);
}

/* Bytes per second: as is said, or what reads all of it in the days. */
static double rate_of(const struct patroller *r)
{
	const struct config *c = *r->config;

	return c->patrol.rate ? (double)c->patrol.rate :
	       (double)(r->end - r->start) / ((double)c->patrol.days * 86400);
}

static uint64_t pause_of(const struct patroller *r)
{
	return (uint64_t)((double)next_length(r) / rate_of(r) * 1e6);
}

static void step(struct patroller *r)
{
	const struct config *c = *r->config;

	if (r->request != NOTHING || !r->patrol)
		return;
	if (r->orphan) {
		if (r->fd < 0)
			destroy(r);
		else
			go_close(r);
		return;
	}
	if (!c->patrol.enable || r->load * 100 > (double)c->patrol.max_load)
		arm(r, 1000000);
	else if (r->fd < 0)
		go_open(r);
	else
		go_read(r);
}

static int on_timer(sd_event_source *s UNUSED, uint64_t usec UNUSED, void *arg)
{
	step(arg);
	return 0;
}

static void opened(struct patroller *r, int res)
{
	if (res >= 0) {
		r->fd = res;
		r->state.stopped = false;
		step(r);
		return;
	}
	if (!r->state.stopped && !r->orphan)
		log_warn(r->path, "patrol: can't be opened: %s",
			 strerror(-res));
	r->state.stopped = true;
	if (r->orphan)
		step(r);
	else
		arm(r, RETRY_OPEN * 1000000ULL);
}

/* The device went away, rather than that it could not read. */
static bool is_gone(int res)
{
	return res == -ENODEV || res == -ENXIO || res == -ENOMEDIUM ||
	       res == -ESHUTDOWN;
}

static void failed(struct patroller *r, unsigned int len, int error)
{
	int64_t now = now_seconds();
	char more[48] = "";

	r->state.errors++;
	r->state.error_at = r->state.position;
	r->state.error = error;
	if (error == r->told && now - r->told_at < TELL_AGAIN) {
		r->untold++;
		return;
	}
	if (r->untold)
		snprintf(more, sizeof(more), " (and %u others before)",
			 r->untold);
	log_warn(r->path, "patrol: %u bytes at %llu can't be read: %s%s", len,
		 (unsigned long long)r->state.position, strerror(error), more);
	r->told = error;
	r->told_at = now;
	r->untold = 0;
}

static void finished(struct patroller *r, int res)
{
	unsigned int len = next_length(r);
	unsigned int whole = res > 0 ? res - res % ALIGNMENT : 0;

	if (r->orphan) {
		step(r);
		return;
	}
	if (res == -EAGAIN || res == -EINTR || res == -ENOMEM) {
		arm(r, 1000000);
		return;
	}
	if (is_gone(res)) {
		r->state.stopped = true;
		go_close(r);
		arm(r, RETRY_OPEN * 1000000ULL);
		return;
	}
	if (res < 0)
		failed(r, len, -res);
	else
		r->state.bytes += res;
	/* a short read: what comes next may be what can't be read */
	r->state.position += whole && whole < len ? whole : len;
	if (r->state.position >= r->end || res == 0) {
		r->state.position = r->start;
		r->state.bytes = 0;
		r->state.rounds++;
	}
	arm(r, pause_of(r));
}

static void complete(struct patroller *r, int res)
{
	enum request request = r->request;

	r->request = NOTHING;
	if (r->state.hung) {
		log_notice(r->path, "patrol: answers again after %lld s",
			   (long long)(now_seconds() - r->since));
		r->state.hung = 0;
	}
	switch (request) {
	case OPENING:
		opened(r, res);
		break;
	case READING:
		finished(r, res);
		break;
	default:
		if (r->orphan)
			step(r);
		break;
	}
}

static int on_completions(sd_event_source *s UNUSED, int fd,
			  uint32_t revents UNUSED,
			  void *arg)
{
	struct patrol *p = arg;
	struct io_uring_cqe *cqe;
	uint64_t n;
	ssize_t got = read(fd, &n, sizeof(n));

	(void)got;
	while (io_uring_peek_cqe(&p->ring, &cqe) == 0) {
		struct patroller *r = io_uring_cqe_get_data(cqe);
		int res = cqe->res;

		io_uring_cqe_seen(&p->ring, cqe);
		complete(r, res);
	}
	return 0;
}

int patrol_new(sd_event *event, struct patrol **out)
{
	struct patrol *p = calloc(1, sizeof(*p));
	int r;

	if (!p)
		return -ENOMEM;
	p->event = event;
	r = io_uring_queue_init(RING_ENTRIES, &p->ring, 0);
	if (r < 0) {
		free(p);
		return r;
	}
	/*
	 * No child has a use for it, and one that hangs would keep it. (And with
	 * it mapped a fork damages user-mode Linux 6.12: its set_ptes() gives the
	 * child pages of others when there are more than two in a row.)
	 */
	io_uring_ring_dontfork(&p->ring);
	p->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r = p->fd < 0 ? -errno : io_uring_register_eventfd(&p->ring, p->fd);
	if (r >= 0)
		r = sd_event_add_io(event, &p->source, p->fd, EPOLLIN,
				    on_completions, p);
	if (r < 0) {
		io_uring_queue_exit(&p->ring);
		if (p->fd >= 0)
			close(p->fd);
		free(p);
		return r;
	}
	/* after what somebody waits for */
	sd_event_source_set_priority(p->source, SD_EVENT_PRIORITY_IDLE);
	*out = p;
	return 0;
}

void patrol_free(struct patrol *p)
{
	struct patroller *r, *next;

	if (!p)
		return;
	sd_event_source_disable_unref(p->source);
	/*
	 * Requests that are out are cancelled or left to the kernel, which
	 * keeps pages of the buffers, not the addresses.
	 */
	io_uring_queue_exit(&p->ring);
	for (r = p->list; r; r = next) {
		next = r->next;
		r->patrol = NULL;
		r->timer = sd_event_source_disable_unref(r->timer);
		r->state.stopped = true;
		r->request = NOTHING;
		if (r->orphan)
			destroy(r);
	}
	close(p->fd);
	free(p);
}

int patroller_new(struct patrol *p, const char *path, uint64_t start,
		  uint64_t end, uint64_t position,
		  const struct config *const *config, struct patroller **out)
{
	struct patroller *r = calloc(1, sizeof(*r));
	int e;

	if (!r)
		return -ENOMEM;
	r->fd = -1;
	r->patrol = p;
	r->config = config;
	r->start = start;
	r->end = end;
	r->size = (*config)->patrol.block;
	r->path = strdup(path);
	if (!r->path || posix_memalign(&r->buf, ALIGNMENT, r->size)) {
		free(r->path);
		free(r);
		return -ENOMEM;
	}
	position -= position % ALIGNMENT;
	r->state.position = position >= start && position < end ? position :
								  start;
	e = sd_event_add_time_relative(p->event, &r->timer, CLOCK_MONOTONIC,
				       pause_of(r), 0, on_timer, r);
	if (e < 0) {
		free(r->buf);
		free(r->path);
		free(r);
		return e;
	}
	sd_event_source_set_priority(r->timer, SD_EVENT_PRIORITY_IDLE);
	r->next = p->list;
	p->list = r;
	*out = r;
	return 0;
}

void patroller_free(struct patroller *r)
{
	if (!r)
		return;
	r->orphan = true;
	r->timer = sd_event_source_disable_unref(r->timer);
	if (!r->patrol)
		destroy(r);
	else
		step(r);
}

void patroller_load(struct patroller *r, double load)
{
	const struct config *c = *r->config;

	r->load = load;
	if (r->request != NOTHING && !r->state.hung &&
	    now_seconds() - r->since >= c->patrol.hung) {
		r->state.hung = r->since;
		log_warn(r->path, "patrol: no answer for %lld s",
			 (long long)(now_seconds() - r->since));
	}
}

const struct patrol_state *patroller_state(const struct patroller *r)
{
	return &r->state;
}
