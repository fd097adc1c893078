// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Children and threads that take long, hang, flood or die: the event loop must
 * not notice.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "daemon.h"
#include "daemon/collect/child.h"
#include "daemon/worker.h"

static sd_event *event;

struct run {
	struct child *child;
	bool done;
	int error, status;
	size_t len;
	char output[64];
	double time;
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void on_done(const struct child_result *res, void *arg)
{
	struct run *r = arg;

	r->done = true;
	r->error = res->error;
	r->status = res->status;
	r->len = res->len;
	r->time = now();
	snprintf(r->output, sizeof(r->output), "%s", res->output);
}

static int start(struct run *r, const char *script, unsigned int timeout,
		 size_t max)
{
	char *argv[] = { "/bin/sh", "-c", (char *)script, NULL };

	memset(r, 0, sizeof(*r));
	return child_start(event, argv, timeout, max, on_done, r, &r->child);
}

static void loop(const bool *until, double seconds)
{
	double end = now() + seconds;

	while (!*until && now() < end)
		sd_event_run(event, 50000);
}

static void test_children(void)
{
	struct run a, b;
	bool never = false;
	double begin;

	start(&a, "echo hello; exit 42", 10, 1000);
	loop(&a.done, 5);
	ok(!a.error && a.status == 42 && !strcmp(a.output, "hello\n"),
	   "output and status");
	ok(!child_lingers(&a.child) && !a.child, "it is gone");

	start(&a, "head -c 300000 /dev/zero | tr '\\0' x; echo end", 10, 1 << 20);
	loop(&a.done, 5);
	is(a.len, 300004, "more than a pipe holds");
	child_lingers(&a.child);

	start(&a, "yes", 10, 100000);
	loop(&a.done, 5);
	is(a.error, -EMSGSIZE, "one that floods is killed");
	ok(a.len < 200000, "and was not listened to for long");
	loop(&never, 0.2);
	ok(!child_lingers(&a.child), "and reaped");

	begin = now();
	start(&a, "trap '' TERM; sleep 100 & wait; sleep 100", 1, 1000);
	start(&b, "sleep 0.1; echo b", 10, 1000);
	loop(&b.done, 5);
	ok(b.done && b.time - begin < 1, "one that hangs delays no other");
	loop(&a.done, 5);
	is(a.error, -ETIMEDOUT, "and is killed in time");
	ok(a.time - begin < 3, "at its limit");
	loop(&never, 0.2);
	child_lingers(&a.child);
	child_lingers(&b.child);

	/* the pipe stays open in what it left behind */
	start(&a, "sleep 50 & echo started", 10, 1000);
	begin = now();
	loop(&a.done, 5);
	ok(!a.error && !strcmp(a.output, "started\n") && now() - begin < 3,
	   "a straggler with the pipe is not waited for");
	child_lingers(&a.child);

	start(&a, "kill -9 $$", 10, 1000);
	loop(&a.done, 5);
	is(a.error, -EINTR, "killed by somebody");
	child_lingers(&a.child);

	start(&a, "sleep 100", 10, 1000);
	child_forget(&a.child);
	loop(&never, 0.3);
	ok(!a.done && !a.child, "one that is forgotten says nothing");

	is(start(&a, "exit 3", 10, 1000), 0, "many");
	loop(&a.done, 5);
	is(a.status, 3, "after all of that");
	child_lingers(&a.child);
	is(child_start(event, (char *[]){ "/nonexistent", NULL }, 1, 1, on_done,
		       &a, &a.child), -ENOENT, "a program that there is not");
}

struct test_task {
	struct task task;
	unsigned int usec;
	int number;
};

static int order[8], nr_done, nr_dropped;
static bool all_done;

static void run_task(struct task *t, void *private)
{
	(void)private;
	usleep(((struct test_task *)t)->usec);
}

static void done_task(struct task *t)
{
	order[nr_done++] = ((struct test_task *)t)->number;
	all_done = nr_done == 3;
	free(t);
}

static void drop_task(struct task *t)
{
	nr_dropped++;
	free(t);
}

static int submit(struct worker *w, int number, unsigned int usec)
{
	struct test_task *t = calloc(1, sizeof(*t));
	int r;

	t->task = (struct task){ .what = "test", .run = run_task,
				 .done = done_task, .drop = drop_task };
	t->number = number;
	t->usec = usec;
	r = worker_submit(w, &t->task);
	if (r)
		free(t);
	return r;
}

static void test_worker(void)
{
	struct worker *w = NULL;
	const char *what = NULL;
	bool never = false;
	double begin = now();

	is(worker_new(event, "test", 3, NULL, &w), 0, "worker: starts");
	submit(w, 1, 300000);
	usleep(50000);
	submit(w, 2, 1000);
	submit(w, 3, 1000);
	ok(now() - begin < 0.2, "worker: nobody waits for it");
	is(worker_waiting(w), 2, "worker: two wait");
	ok(worker_busy(w, &what) > 0 && what && !strcmp(what, "test"),
	   "worker: says what it does");
	loop(&all_done, 5);
	ok(nr_done == 3 && order[0] == 1 && order[2] == 3, "worker: in order");
	is((long long)worker_busy(w, NULL), 0, "worker: is idle");
	submit(w, 4, 200000);
	usleep(50000);
	for (int i = 0; i < 3; i++)
		submit(w, 5, 1);
	is(submit(w, 6, 1), -EAGAIN, "worker: no more than so many");
	ok(worker_free(w, 2000), "worker: ends when all is done");
	is(nr_dropped, 4, "worker: and drops what nobody waits for any more");

	worker_new(event, "stuck", 3, NULL, &w);
	submit(w, 7, 3000000);
	usleep(50000);
	begin = now();
	ok(!worker_free(w, 200), "worker: one that is stuck is given up");
	ok(now() - begin < 1, "worker: soon");
	loop(&never, 0.1);
}

int main(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	sd_event_default(&event);
	test_children();
	test_worker();
	fflush(stdout);
	/* as the daemon does with a thread that is stuck */
	_exit(done_testing() | fflush(stdout));
}
