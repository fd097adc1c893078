// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/keep.h"
#include "daemon/worker.h"

#define MAX_TASKS	64
#define PATIENCE_MS	3000
#define FILE_MAX	(64 << 20)	/* more is none of ours */

enum op { READ, WRITE, APPEND, ASIDE };

struct keep {
	struct worker *worker;
	char dir[512];
};

struct keep_task {
	struct task task;
	enum op op;
	char dir[512];
	char name[64];
	char *text;			/* to be written, or what was read */
	size_t max;
	int error;
	struct ads_err err;
	keep_fn done;
	void *arg;
};

static void path_of(const struct keep_task *t, const char *suffix, char *buf,
		    size_t size)
{
	snprintf(buf, size, "%s/%s%s", t->dir, t->name, suffix);
}

static int fail(struct keep_task *t, const char *path)
{
	int r = -errno;

	return ads_err(&t->err, r, "%s: %s", path, strerror(-r));
}

static int write_all(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

static int read_file(struct keep_task *t)
{
	size_t len = 0, cap = 0;
	char path[640], *more;
	ssize_t n;
	int fd;

	path_of(t, "", path, sizeof(path));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT) {
		t->text = strdup("");
		return t->text ? 0 : -ENOMEM;
	}
	if (fd < 0)
		return fail(t, path);
	do {
		if (len + 1 >= cap) {
			cap = cap ? cap * 2 : 16384;
			more = cap > FILE_MAX ? NULL : realloc(t->text, cap);
			if (!more) {
				close(fd);
				return ads_err(&t->err, -EFBIG,
					       "%s: is too large", path);
			}
			t->text = more;
		}
		n = read(fd, t->text + len, cap - len - 1);
		if (n > 0)
			len += (size_t)n;
	} while (n > 0 || (n < 0 && errno == EINTR));
	if (n < 0)
		fail(t, path);
	close(fd);
	t->text[len] = 0;
	return n < 0 ? -EIO : 0;
}

/* The new name is durable only with its directory. */
static void sync_dir(const struct keep_task *t)
{
	int fd = open(t->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return;
	fsync(fd);
	close(fd);
}

static int write_file(struct keep_task *t)
{
	char path[640], temp[640];
	int fd, r = 0;

	mkdir(t->dir, 0750);
	path_of(t, "", path, sizeof(path));
	path_of(t, ".new", temp, sizeof(temp));
	fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	if (fd < 0)
		return fail(t, temp);
	/* else a power cut may leave the new name with nothing in it */
	if (write_all(fd, t->text, strlen(t->text)) || fsync(fd))
		r = fail(t, temp);
	if (close(fd) && !r)
		r = fail(t, temp);
	if (!r && rename(temp, path))
		r = fail(t, path);
	if (r)
		unlink(temp);
	else
		sync_dir(t);
	return r;
}

static int append(struct keep_task *t)
{
	char path[640], old[640];
	struct stat st;
	int fd, r = 0;

	mkdir(t->dir, 0750);
	path_of(t, "", path, sizeof(path));
	path_of(t, ".1", old, sizeof(old));
	if (!stat(path, &st) && (size_t)st.st_size >= t->max &&
	    rename(path, old))
		return fail(t, old);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
	if (fd < 0)
		return fail(t, path);
	if (write_all(fd, t->text, strlen(t->text)) || write_all(fd, "\n", 1))
		r = fail(t, path);
	close(fd);
	return r;
}

static int set_aside(struct keep_task *t)
{
	char path[640], to[640];

	path_of(t, "", path, sizeof(path));
	path_of(t, ".damaged", to, sizeof(to));
	return rename(path, to) ? fail(t, to) : 0;
}

static void run_keep(struct task *task, void *private)
{
	struct keep_task *t = (struct keep_task *)task;

	(void)private;
	switch (t->op) {
	case READ:
		t->error = read_file(t);
		break;
	case WRITE:
		t->error = write_file(t);
		break;
	case APPEND:
		t->error = append(t);
		break;
	case ASIDE:
		t->error = set_aside(t);
		break;
	}
}

static void drop_keep(struct task *task)
{
	free(((struct keep_task *)task)->text);
	free(task);
}

static void done_keep(struct task *task)
{
	struct keep_task *t = (struct keep_task *)task;

	if (t->done)
		t->done(t->error, &t->err, t->op == READ ? t->text : NULL,
			t->arg);
	drop_keep(task);
}

static int submit(struct keep *k, enum op op, const char *name,
		  const char *text, size_t max, keep_fn done, void *arg)
{
	static const char *const what[] = {
		[READ] = "read of the settings", [WRITE] = "write of the settings",
		[APPEND] = "record of a decision", [ASIDE] = "rename",
	};
	struct keep_task *t;

	if (!k)
		return -EAGAIN;
	t = calloc(1, sizeof(*t));
	if (!t)
		return -ENOMEM;
	t->task = (struct task){ .what = what[op], .run = run_keep,
				 .done = done_keep, .drop = drop_keep };
	t->op = op;
	snprintf(t->dir, sizeof(t->dir), "%s", k->dir);
	snprintf(t->name, sizeof(t->name), "%s", name);
	t->text = text ? strdup(text) : NULL;
	t->max = max;
	t->done = done;
	t->arg = arg;
	if ((text && !t->text) || worker_submit(k->worker, &t->task)) {
		drop_keep(&t->task);
		return -EAGAIN;
	}
	return 0;
}

int keep_new(sd_event *event, const char *dir, struct keep **out)
{
	struct keep *k = calloc(1, sizeof(*k));
	int r;

	if (!k)
		return -ENOMEM;
	snprintf(k->dir, sizeof(k->dir), "%s", dir);
	r = worker_new(event, "keep", MAX_TASKS, NULL, &k->worker);
	if (r) {
		free(k);
		return r;
	}
	*out = k;
	return 0;
}

bool keep_free(struct keep *k)
{
	if (!k)
		return true;
	if (!worker_free(k->worker, PATIENCE_MS))
		return false;
	free(k);
	return true;
}

int keep_read(struct keep *k, const char *name, keep_fn done, void *arg)
{
	return submit(k, READ, name, NULL, 0, done, arg);
}

int keep_write(struct keep *k, const char *name, const char *text,
	       keep_fn done, void *arg)
{
	return submit(k, WRITE, name, text, 0, done, arg);
}

int keep_append(struct keep *k, const char *name, const char *line, size_t max,
		keep_fn done, void *arg)
{
	return submit(k, APPEND, name, line, max, done, arg);
}

int keep_set_aside(struct keep *k, const char *name)
{
	return submit(k, ASIDE, name, NULL, 0, NULL, NULL);
}
