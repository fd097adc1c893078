// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/collect/child.h"
#include "daemon/log.h"
#include "daemon/unused.h"

#define CHUNK	16384

/*
 * Owned by the event loop until the process is reaped, then by whoever started
 * it, who asks by child_lingers(); or by nobody after child_forget().
 */
struct child {
	pid_t pid;
	int fd;			/* of the pipe, -1: at its end */
	bool reported;		/* done() was called */
	bool reaped;
	bool forgotten;
	sd_event_source *io, *end, *timer;
	child_fn done;
	void *arg;
	char *buf;
	size_t len, size, max;
	char name[64];
};

static void child_free(struct child *c)
{
	sd_event_source_disable_unref(c->io);
	sd_event_source_disable_unref(c->end);
	sd_event_source_disable_unref(c->timer);
	if (c->fd >= 0)
		close(c->fd);
	free(c->buf);
	free(c);
}

/* done() may free the child: nothing of it is touched afterwards. */
static void report(struct child *c, int error, int status)
{
	char *buf = c->buf;
	struct child_result result = {
		.error = error,
		.status = status,
		.output = buf ? buf : "",
		.len = c->len,
	};

	if (c->reported)
		return;
	c->reported = true;
	c->timer = sd_event_source_disable_unref(c->timer);
	c->io = sd_event_source_disable_unref(c->io);
	c->buf = NULL;
	c->len = c->size = 0;
	if (!c->forgotten)
		c->done(&result, c->arg);
	free(buf);
}

static void kill_all(const struct child *c)
{
	if (!c->reaped && kill(-c->pid, SIGKILL) < 0)
		kill(c->pid, SIGKILL);
}

/* false: there is nothing more to read. */
static bool read_some(struct child *c)
{
	ssize_t n;

	if (c->size - c->len < CHUNK + 1) {
		size_t size = c->size + CHUNK + 1 + c->size / 2;
		char *buf = realloc(c->buf, size);

		if (!buf)
			return false;
		c->buf = buf;
		c->size = size;
	}
	n = read(c->fd, c->buf + c->len, CHUNK);
	if (n < 0)
		return errno == EINTR;
	c->len += n;
	c->buf[c->len] = 0;
	return n > 0 && c->len <= c->max;
}

static int on_output(sd_event_source *s UNUSED, int fd UNUSED,
		     uint32_t revents UNUSED, void *arg)
{
	struct child *c = arg;

	if (read_some(c))
		return 0;
	if (c->len > c->max) {
		kill_all(c);
		report(c, -EMSGSIZE, 0);
	} else {
		c->io = sd_event_source_disable_unref(c->io);
	}
	return 0;
}

static int on_end(sd_event_source *s UNUSED, const siginfo_t *si, void *arg)
{
	struct child *c = arg;
	bool forgotten = c->forgotten;

	c->reaped = true;
	/* what it started and left behind */
	kill(-c->pid, SIGKILL);
	/* the rest of the output, but not that of a straggler with the pipe */
	for (int i = 0; !c->reported && i < 1024 && read_some(c);)
		i++;
	if (c->len > c->max)
		report(c, -EMSGSIZE, 0);
	else if (si->si_code == CLD_EXITED)
		report(c, 0, si->si_status);
	else
		report(c, -EINTR, 0);
	if (forgotten)
		child_free(c);
	return 0;
}

static int on_timeout(sd_event_source *s UNUSED, uint64_t usec UNUSED,
		      void *arg)
{
	struct child *c = arg;

	kill_all(c);
	report(c, -ETIMEDOUT, 0);
	return 0;
}

/* In the child, between fork and exec: nothing that takes a lock. */
static void __attribute__((noreturn)) become(char *const argv[], int out)
{
	sigset_t none;
	int null = open("/dev/null", O_RDWR);

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
#ifdef PR_SET_IO_FLUSHER
	/* is inherited, and is not for those who allocate as they like */
	prctl(PR_SET_IO_FLUSHER, 0, 0, 0, 0);
#endif
	for (int sig = 1; sig < 32; sig++)
		signal(sig, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	dup2(null, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	dup2(null, STDERR_FILENO);
	if (null > STDERR_FILENO)
		close(null);
	execv(argv[0], argv);
	_exit(127);
}

int child_start(sd_event *event, char *const argv[], unsigned int timeout,
		size_t max_output, child_fn done, void *arg, struct child **out)
{
	struct child *c;
	int fds[2], r;

	if (access(argv[0], X_OK) < 0)
		return -errno;
	c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	if (pipe2(fds, O_CLOEXEC) < 0) {
		r = -errno;
		free(c);
		return r;
	}
	c->fd = fds[0];
	fcntl(c->fd, F_SETFL, O_NONBLOCK);
	c->done = done;
	c->arg = arg;
	c->max = max_output;
	strncpy(c->name, argv[0], sizeof(c->name) - 1);

	c->pid = fork();
	if (c->pid == 0)
		become(argv, fds[1]);
	r = -errno;
	close(fds[1]);
	if (c->pid < 0) {
		child_free(c);
		return r;
	}
	setpgid(c->pid, c->pid);
	r = sd_event_add_child(event, &c->end, c->pid, WEXITED, on_end, c);
	if (r >= 0)
		r = sd_event_add_io(event, &c->io, c->fd, EPOLLIN, on_output, c);
	if (r >= 0)
		r = sd_event_add_time_relative(event, &c->timer, CLOCK_MONOTONIC,
					       timeout * 1000000ULL, 0,
					       on_timeout, c);
	if (r < 0) {
		kill_all(c);
		if (!c->end)
			waitpid(c->pid, NULL, 0);
		child_free(c);
		return r;
	}
	*out = c;
	return 0;
}

bool child_lingers(struct child **c)
{
	if (!*c)
		return false;
	if (!(*c)->reaped)
		return true;
	child_free(*c);
	*c = NULL;
	return false;
}

void child_forget(struct child **c)
{
	struct child *k = *c;

	if (!k)
		return;
	*c = NULL;
	if (k->reaped) {
		child_free(k);
		return;
	}
	k->forgotten = true;
	kill_all(k);
	report(k, -ECANCELED, 0);
}
