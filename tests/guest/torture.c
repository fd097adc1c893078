// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * torture: random I/O against a model while segments move at random.
 *
 *	torture NAME [moves [threads [seed [seconds [errors]]]]]
 *
 * NAME is an active adshard volume. Threads write, read, zero, discard and
 * flush random ranges of 4 KiB blocks, with and without RWF_NOWAIT and
 * RWF_DSYNC; no two touch the same block at once, so each knows what it must
 * read. One more thread has segments migrated to random members, aborts some,
 * and pauses the copying now and then, by dm messages. It ends when so many
 * moves are done, or at SIGTERM, reads everything once more, and prints one line
 * of counts.
 *
 * Status 0: no difference, no I/O error, no failed migration. With "errors", disks
 * are expected to fail: what a failed write leaves is undefined, a failed read or
 * migration is only counted. What can be read must be right all the same.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <libdevmapper.h>

#define BLOCK		4096
#define MAX_BLOCKS	512
#define UNDEFINED	UINT32_MAX	/* discarded: anything may be read */

struct torture {
	const char *name;
	int fd;
	uint32_t nr_blocks;
	uint32_t *gen;			/* 0: zeroes */
	bool *busy;
	pthread_mutex_t lock;
	uint64_t seed;
	volatile bool stop;
	bool hung;			/* migrations do not end */
	bool no_discard;
	bool expect_errors;
	unsigned long want_moves;
	time_t deadline;
	/* results */
	unsigned long writes, reads, zeroes, discards, flushes, errors, differ;
	unsigned long again;
	unsigned long done, failed, aborted, mismatches;
};

struct worker {
	struct torture *t;
	uint64_t rnd;
	char *buf;
};

static volatile sig_atomic_t terminated;

static void terminate(int sig)
{
	terminated = 1;
}

static uint64_t next(uint64_t *s)
{
	/* splitmix64 */
	uint64_t z = *s += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static void fill(struct torture *t, char *buf, uint32_t block, uint32_t gen)
{
	uint64_t s = t->seed ^ (uint64_t)block << 32 ^ gen, *p = (void *)buf;
	int i;

	if (!gen) {
		memset(buf, 0, BLOCK);
		return;
	}
	for (i = 0; i < BLOCK / 8; i++)
		p[i] = next(&s);
}

static unsigned long add(unsigned long *counter, unsigned long n)
{
	return __atomic_add_fetch(counter, n, __ATOMIC_RELAXED);
}

static void check(struct torture *t, const char *buf, uint32_t block)
{
	char want[BLOCK] __attribute__((aligned(8)));
	unsigned int i = 0;

	if (t->gen[block] == UNDEFINED)
		return;
	fill(t, want, block, t->gen[block]);
	if (!memcmp(want, buf, BLOCK))
		return;
	if (add(&t->differ, 1) > 10)
		return;
	while (want[i] == buf[i])
		i++;
	fprintf(stderr, "block %u generation %u differs from byte %u: %02x instead of %02x\n",
		block, t->gen[block], i, (unsigned char)buf[i],
		(unsigned char)want[i]);
}

static void io_error(struct torture *t, const char *what, uint32_t block)
{
	unsigned long nr = add(&t->errors, 1);

	if (t->expect_errors)
		return;
	if (nr <= 10)
		fprintf(stderr, "%s at block %u: %s\n", what, block,
			strerror(errno));
	t->stop = true;
}

static uint32_t take_range(struct worker *w, uint32_t *nr)
{
	struct torture *t = w->t;
	uint32_t block, i;

	for (;;) {
		uint64_t r = next(&w->rnd);

		switch (r % 20) {
		case 0:
			*nr = 1 + (r >> 8) % MAX_BLOCKS;
			break;
		case 1 ... 3:
			*nr = 1 + (r >> 8) % 128;
			break;
		case 4 ... 9:
			*nr = 1 + (r >> 8) % 16;
			break;
		default:
			*nr = 1;
		}
		block = (r >> 24) % t->nr_blocks;
		if (*nr > t->nr_blocks - block)
			*nr = t->nr_blocks - block;
		pthread_mutex_lock(&t->lock);
		for (i = 0; i < *nr && !t->busy[block + i]; i++)
			;
		if (i == *nr) {
			memset(t->busy + block, true, *nr);
			pthread_mutex_unlock(&t->lock);
			return block;
		}
		pthread_mutex_unlock(&t->lock);
	}
}

static void drop_range(struct torture *t, uint32_t block, uint32_t nr)
{
	pthread_mutex_lock(&t->lock);
	memset(t->busy + block, false, nr);
	pthread_mutex_unlock(&t->lock);
}

/* All of it, in one try without waiting if @nowait and it works. */
static bool transfer(struct worker *w, uint32_t block, uint32_t nr, bool write,
		     bool nowait, int flags)
{
	struct iovec iov = { w->buf, (size_t)nr * BLOCK };
	off_t off = (off_t)block * BLOCK;
	struct torture *t = w->t;
	int retries = 0;
	ssize_t n;

again:
	n = write ? pwritev2(t->fd, &iov, 1, off, flags | (nowait ? RWF_NOWAIT : 0)) :
		    preadv2(t->fd, &iov, 1, off, nowait ? RWF_NOWAIT : 0);
	if (n == (ssize_t)iov.iov_len)
		return true;
	if (n < 0 && errno == ENOMEM && t->expect_errors && retries++ < 100)
		goto again;
	if (nowait && (n >= 0 || errno == EAGAIN || errno == EOPNOTSUPP)) {
		add(&t->again, 1);
		nowait = false;
		goto again;
	}
	if (n >= 0)
		errno = EIO;
	return false;
}

static void do_write(struct worker *w, uint32_t block, uint32_t nr, uint64_t r)
{
	struct torture *t = w->t;
	uint32_t i;

	for (i = 0; i < nr; i++) {
		uint32_t gen = t->gen[block + i];

		gen = gen >= UNDEFINED - 1 ? (uint32_t)r | 1 : gen + 1;
		t->gen[block + i] = gen;
		fill(t, w->buf + (size_t)i * BLOCK, block + i, gen);
	}
	if (!transfer(w, block, nr, true, r % 8 == 0, r / 8 % 8 == 0 ? RWF_DSYNC : 0)) {
		io_error(t, "write", block);
		for (i = 0; i < nr; i++)
			t->gen[block + i] = UNDEFINED;
	}
	add(&t->writes, 1);
}

static void do_read(struct worker *w, uint32_t block, uint32_t nr, uint64_t r)
{
	uint32_t i;

	if (!transfer(w, block, nr, false, r % 8 == 0, 0))
		io_error(w->t, "read", block);
	else
		for (i = 0; i < nr; i++)
			check(w->t, w->buf + (size_t)i * BLOCK, block + i);
	add(&w->t->reads, 1);
}

static void do_range(struct worker *w, uint32_t block, uint32_t nr, bool discard)
{
	uint64_t range[2] = { (uint64_t)block * BLOCK, (uint64_t)nr * BLOCK };
	struct torture *t = w->t;
	uint32_t i;

	if (discard && t->no_discard)
		return;
	if (ioctl(t->fd, discard ? BLKDISCARD : BLKZEROOUT, range)) {
		if (discard && errno == EOPNOTSUPP)
			t->no_discard = true;
		else
			io_error(t, discard ? "discard" : "zeroout", block);
		for (i = 0; i < nr; i++)
			t->gen[block + i] = UNDEFINED;
		return;
	}
	for (i = 0; i < nr; i++)
		t->gen[block + i] = discard ? UNDEFINED : 0;
	add(discard ? &t->discards : &t->zeroes, 1);
}

static void *io_thread(void *arg)
{
	struct worker *w = arg;
	struct torture *t = w->t;

	while (!t->stop) {
		uint32_t nr, block = take_range(w, &nr);
		uint64_t r = next(&w->rnd);

		switch (r >> 32 & 31) {
		case 0:
			if (fdatasync(t->fd))
				io_error(t, "flush", 0);
			add(&t->flushes, 1);
			break;
		case 1:
			do_range(w, block, nr, true);
			break;
		case 2:
			do_range(w, block, nr, false);
			break;
		case 3 ... 17:
			do_write(w, block, nr, r);
			break;
		default:
			do_read(w, block, nr, r);
		}
		drop_range(t, block, nr);
	}
	return NULL;
}

static bool message(struct torture *t, const char *fmt, ...)
{
	struct dm_task *dmt = dm_task_create(DM_DEVICE_TARGET_MSG);
	char text[64];
	va_list ap;
	bool ok;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	ok = dmt && dm_task_set_name(dmt, t->name) && dm_task_set_sector(dmt, 0) &&
	     dm_task_set_message(dmt, text) && dm_task_run(dmt);
	if (dmt)
		dm_task_destroy(dmt);
	return ok;
}

struct counts {
	char state[16];
	unsigned int segments, members, active, queued;
	unsigned long done, failed, aborted, mismatches;
};

static bool status(struct torture *t, struct counts *c)
{
	struct dm_task *dmt = dm_task_create(DM_DEVICE_STATUS);
	char *type, *params;
	uint64_t start, length;
	bool ok = false;

	if (dmt && dm_task_set_name(dmt, t->name) && dm_task_run(dmt)) {
		dm_get_next_target(dmt, NULL, &start, &length, &type, &params);
		ok = params &&
		     sscanf(params, "%15s %u %*u %u %*u %u %u %lu %lu %lu %*u %*u %lu",
			    c->state, &c->segments, &c->members, &c->active,
			    &c->queued, &c->done, &c->failed, &c->aborted,
			    &c->mismatches) == 9;
	}
	if (dmt)
		dm_task_destroy(dmt);
	return ok;
}

static void quiet(int level, const char *file, int line, int err,
		  const char *fmt, ...)
{
}

static void *mover(void *arg)
{
	struct worker *w = arg;
	struct torture *t = w->t;
	struct counts c;

	while (!t->stop) {
		unsigned int i;
		uint64_t r;

		if (!status(t, &c)) {
			/* Of what fails on purpose the question may need something. */
			if (t->expect_errors && !terminated &&
			    (!t->deadline || time(NULL) < t->deadline)) {
				usleep(2000);
				continue;
			}
			fprintf(stderr, "no status of %s\n", t->name);
			t->errors++;
			break;
		}
		if (c.done >= t->want_moves || terminated ||
		    (c.failed && !t->expect_errors) ||
		    (t->deadline && time(NULL) >= t->deadline))
			break;
		/* Refusals (there already, migrating, no room) are no news. */
		for (i = c.queued + c.active; i < 12; i++) {
			r = next(&w->rnd);
			message(t, "migrate %u %u", (unsigned int)(r % c.segments),
				(unsigned int)(r >> 32) % c.members);
		}
		r = next(&w->rnd);
		if (r % 16 == 0)
			message(t, "abort %u", (unsigned int)(r >> 8) % c.segments);
		if (r % 256 == 1) {
			message(t, "pause");
			usleep(20000);
			message(t, "resume");
		}
		usleep(2000);
	}
	t->stop = true;
	return NULL;
}

static bool settle(struct torture *t)
{
	struct counts c = { .state = "" };
	int tries = 0;

	do {
		if (tries++ > 12000)
			return false;
		/* Each time: it is refused while somebody has the volume suspended. */
		message(t, "abort all");
		usleep(5000);
		if (!status(t, &c))
			return false;
		/* Then one of them stays until the volume is removed. */
	} while ((c.active || c.queued) && (!t->expect_errors || strcmp(c.state, "stuck")));
	t->done = c.done;
	t->failed = c.failed;
	t->aborted = c.aborted;
	t->mismatches = c.mismatches;
	return true;
}

static bool setup(struct torture *t)
{
	char path[256];
	uint64_t size;

	snprintf(path, sizeof(path), "/dev/mapper/%s", t->name);
	t->fd = open(path, O_RDWR | O_DIRECT);
	if (t->fd < 0 || ioctl(t->fd, BLKGETSIZE64, &size)) {
		perror(path);
		return false;
	}
	t->nr_blocks = size / BLOCK;
	t->gen = calloc(t->nr_blocks, sizeof(*t->gen));
	t->busy = calloc(t->nr_blocks, sizeof(*t->busy));
	if (!t->gen || !t->busy)
		return false;
	/* What is there now is nobody's: it may be read as anything. */
	memset(t->gen, 0xff, t->nr_blocks * sizeof(*t->gen));
	pthread_mutex_init(&t->lock, NULL);
	return true;
}

static void final_read(struct worker *w)
{
	struct torture *t = w->t;
	uint32_t block, nr;

	for (block = 0; block < t->nr_blocks; block += nr) {
		nr = t->nr_blocks - block;
		if (nr > MAX_BLOCKS)
			nr = MAX_BLOCKS;
		do_read(w, block, nr, 1);
	}
}

int main(int argc, char **argv)
{
	unsigned int i, nr_threads = argc > 3 ? atoi(argv[3]) : 8;
	struct torture t = {
		.name = argc > 1 ? argv[1] : "",
		.want_moves = argc > 2 ? strtoul(argv[2], NULL, 10) : 100,
		.seed = argc > 4 ? strtoull(argv[4], NULL, 10) : 1,
		.expect_errors = argc > 6 && !strcmp(argv[6], "errors"),
		.deadline = argc > 5 && atoi(argv[5]) ? time(NULL) + atoi(argv[5]) : 0,
	};
	struct worker w[nr_threads + 1];
	pthread_t thread[nr_threads + 1];

	if (argc < 2 || !setup(&t))
		return 2;
	dm_log_with_errno_init(quiet);
	signal(SIGTERM, terminate);
	for (i = 0; i <= nr_threads; i++) {
		w[i].t = &t;
		w[i].rnd = t.seed * 1000 + i;
		w[i].buf = aligned_alloc(BLOCK, (size_t)MAX_BLOCKS * BLOCK);
		if (!w[i].buf ||
		    pthread_create(&thread[i], NULL, i ? io_thread : mover, &w[i]))
			return 2;
	}
	for (i = 0; i <= nr_threads; i++)
		pthread_join(thread[i], NULL);
	if (!settle(&t))
		t.hung = true;
	final_read(&w[0]);

	printf("torture seed %" PRIu64 ": moves done %lu failed %lu aborted %lu mismatches %lu; writes %lu reads %lu zeroes %lu discards %lu flushes %lu again %lu; errors %lu differences %lu\n",
	       t.seed, t.done, t.failed, t.aborted, t.mismatches, t.writes,
	       t.reads, t.zeroes, t.discards, t.flushes, t.again, t.errors,
	       t.differ);
	if (t.hung)
		printf("migrations do not end\n");
	if (t.expect_errors)
		return t.hung || t.differ ? 1 : 0;
	return t.hung || t.errors || t.differ || t.failed || t.mismatches ? 1 : 0;
}
