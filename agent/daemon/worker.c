// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "daemon/unused.h"
#include "daemon/worker.h"

struct queue {
	struct task *first, **last;
};

struct worker {
	sd_event_source *source;
	int fd;				/* eventfd: something is finished */
	void *private;
	unsigned int max;
	char name[16];
	pthread_t thread;

	pthread_mutex_t lock;		/* of all below */
	pthread_cond_t wake;		/* a task came, or @stop */
	pthread_cond_t idle;		/* a task ended */
	struct queue todo, finished;
	unsigned int waiting;		/* tasks in @todo */
	bool stop, running;
	const char *what;
	struct timespec since;
};

static void queue_init(struct queue *q)
{
	q->first = NULL;
	q->last = &q->first;
}

static void queue_add(struct queue *q, struct task *t)
{
	t->next = NULL;
	*q->last = t;
	q->last = &t->next;
}

static struct task *queue_take(struct queue *q)
{
	struct task *t = q->first;

	if (t) {
		q->first = t->next;
		if (!q->first)
			q->last = &q->first;
	}
	return t;
}

static void *work(void *arg)
{
	struct worker *w = arg;
	struct task *t;

	pthread_setname_np(pthread_self(), w->name);
	pthread_mutex_lock(&w->lock);
	for (;;) {
		uint64_t one = 1;
		ssize_t r;

		while (!w->todo.first && !w->stop)
			pthread_cond_wait(&w->wake, &w->lock);
		t = queue_take(&w->todo);
		if (!t)
			break;
		w->waiting--;
		w->running = true;
		w->what = t->what;
		clock_gettime(CLOCK_MONOTONIC, &w->since);
		pthread_mutex_unlock(&w->lock);
		t->run(t, w->private);
		pthread_mutex_lock(&w->lock);
		w->running = false;
		queue_add(&w->finished, t);
		pthread_cond_signal(&w->idle);
		r = write(w->fd, &one, sizeof(one));
		(void)r;
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

static void finish(struct worker *w)
{
	struct task *t;

	for (;;) {
		pthread_mutex_lock(&w->lock);
		t = queue_take(&w->finished);
		pthread_mutex_unlock(&w->lock);
		if (!t)
			return;
		t->done(t);
	}
}

static int on_finished(sd_event_source *s UNUSED, int fd,
		       uint32_t revents UNUSED, void *arg)
{
	uint64_t n;
	ssize_t r = read(fd, &n, sizeof(n));

	(void)r;
	finish(arg);
	return 0;
}

static int start(struct worker *w)
{
	sigset_t all, old;
	int r;

	/* signals are the event loop's */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	r = -pthread_create(&w->thread, NULL, work, w);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return r;
}

int worker_new(sd_event *event, const char *name, unsigned int max,
	       void *private, struct worker **out)
{
	struct worker *w = calloc(1, sizeof(*w));
	pthread_condattr_t attr;
	int r;

	if (!w)
		return -ENOMEM;
	w->private = private;
	w->max = max;
	strncpy(w->name, name, sizeof(w->name) - 1);
	queue_init(&w->todo);
	queue_init(&w->finished);
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->wake, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&w->idle, &attr);
	pthread_condattr_destroy(&attr);
	w->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (w->fd < 0) {
		r = -errno;
		free(w);
		return r;
	}
	r = sd_event_add_io(event, &w->source, w->fd, EPOLLIN, on_finished, w);
	if (r >= 0)
		r = start(w);
	if (r < 0) {
		sd_event_source_unref(w->source);
		close(w->fd);
		free(w);
		return r;
	}
	*out = w;
	return 0;
}

int worker_submit(struct worker *w, struct task *t)
{
	int r = 0;

	pthread_mutex_lock(&w->lock);
	if (w->waiting >= w->max) {
		r = -EAGAIN;
	} else {
		queue_add(&w->todo, t);
		w->waiting++;
		pthread_cond_signal(&w->wake);
	}
	pthread_mutex_unlock(&w->lock);
	return r;
}

double worker_busy(const struct worker *cw, const char **what)
{
	struct worker *w = (struct worker *)cw;
	struct timespec now;
	double busy = 0;

	clock_gettime(CLOCK_MONOTONIC, &now);
	pthread_mutex_lock(&w->lock);
	if (w->running) {
		busy = now.tv_sec - w->since.tv_sec +
		       (now.tv_nsec - w->since.tv_nsec) / 1e9;
		if (what)
			*what = w->what;
	}
	pthread_mutex_unlock(&w->lock);
	return busy;
}

unsigned int worker_waiting(const struct worker *cw)
{
	struct worker *w = (struct worker *)cw;
	unsigned int n;

	pthread_mutex_lock(&w->lock);
	n = w->waiting;
	pthread_mutex_unlock(&w->lock);
	return n;
}

bool worker_free(struct worker *w, int timeout_ms)
{
	struct timespec end;
	struct task *t;
	int r = 0;

	if (!w)
		return true;
	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += timeout_ms / 1000;
	end.tv_nsec += timeout_ms % 1000 * 1000000L;
	if (end.tv_nsec >= 1000000000L) {
		end.tv_sec++;
		end.tv_nsec -= 1000000000L;
	}
	pthread_mutex_lock(&w->lock);
	w->stop = true;
	pthread_cond_signal(&w->wake);
	while (r == 0 && (w->running || w->todo.first))
		r = pthread_cond_timedwait(&w->idle, &w->lock, &end);
	pthread_mutex_unlock(&w->lock);
	sd_event_source_disable_unref(w->source);
	if (r)
		return false;
	pthread_join(w->thread, NULL);
	while ((t = queue_take(&w->finished)))
		t->drop(t);
	close(w->fd);
	pthread_mutex_destroy(&w->lock);
	pthread_cond_destroy(&w->wake);
	pthread_cond_destroy(&w->idle);
	free(w);
	return true;
}
