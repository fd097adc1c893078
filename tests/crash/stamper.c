// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * stamper VOLUME ORACLE GEN SECONDS SEED: writes blocks that say what they are, and
 * keeps the account of what the volume has called durable on ORACLE (log.h).
 *
 * Six threads write 4 to 64 KiB at random, one of them with O_DSYNC; a seventh
 * flushes now and then. No two writes to a block are in flight at once. Prints
 * the first generation that was not used.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "log.h"

#define WRITERS		6
#define LEASE		512
#define MAX_BLOCKS	16
#define MAX_LIST	8192

struct list {
	struct account_write write[MAX_LIST];
	unsigned int nr;
};

static struct {
	pthread_mutex_t lock;
	pthread_cond_t leased;
	int fd, sync_fd, oracle;
	uint64_t blocks, gen, lease, seed, failed;
	bool *busy;
	struct list acked, durable;
	bool stop;
} st = {
	.lock = PTHREAD_MUTEX_INITIALIZER, .leased = PTHREAD_COND_INITIALIZER,
};

static void *aligned(size_t n)
{
	void *p;

	if (posix_memalign(&p, 4096, n))
		errx(1, "memory");
	memset(p, 0, n);
	return p;
}

static void add(struct list *list, const struct account_write *w)
{
	/* What is not accounted for is not looked for: no harm. */
	if (list->nr < MAX_LIST)
		list->write[list->nr++] = *w;
}

/* A place for a write that no other is going to; marks it. Lock held. */
static uint64_t claim(uint64_t *rnd, unsigned int *nr)
{
	uint64_t first;
	unsigned int i;

	do {
		*nr = rnd_below(rnd, 4) ? 1 + (unsigned int)rnd_below(rnd, 3) :
		      1 + (unsigned int)rnd_below(rnd, MAX_BLOCKS);
		first = rnd_below(rnd, st.blocks - *nr);
		for (i = 0; i < *nr && !st.busy[first + i]; i++)
			;
	} while (i < *nr);
	memset(st.busy + first, true, *nr);
	return first;
}

static void *writer(void *arg)
{
	unsigned long me = (unsigned long)arg;
	uint64_t rnd = st.seed * 16 + me;
	struct stamp *buf = aligned(MAX_BLOCKS * 4096);
	int fd = me ? st.fd : st.sync_fd;

	pthread_mutex_lock(&st.lock);
	while (!st.stop) {
		struct account_write w;
		unsigned int nr, i;
		uint64_t first;
		ssize_t n;

		if (st.gen >= st.lease) {
			pthread_cond_wait(&st.leased, &st.lock);
			continue;
		}
		first = claim(&rnd, &nr);
		w = (struct account_write){ st.gen++, (uint32_t)first * 8, nr * 8 };
		pthread_mutex_unlock(&st.lock);
		for (i = 0; i < nr * 8; i++)
			stamp_make(&buf[i], first * 8 + i, w.gen);
		n = pwrite(fd, buf, (size_t)nr * 4096, (off_t)first * 4096);
		pthread_mutex_lock(&st.lock);
		memset(st.busy + first, false, nr);
		if (n == (ssize_t)nr * 4096)
			add(me ? &st.acked : &st.durable, &w);
		else
			st.failed++;
	}
	pthread_mutex_unlock(&st.lock);
	free(buf);
	return NULL;
}

/* Tell the account of what is durable, and that there is more to write. */
static void account(struct account *a, struct list *list, uint64_t lease)
{
	unsigned int done = 0, n;

	do {
		n = list->nr - done < ACCOUNT_WRITES ? list->nr - done :
		    ACCOUNT_WRITES;
		a->magic = ACCOUNT_MAGIC;
		a->nr = n;
		a->lease = lease;
		memcpy(a->write, list->write + done, n * sizeof(a->write[0]));
		if (pwrite(st.oracle, a, 4096, ACCOUNT_SECTOR * 512) != 4096)
			err(1, "oracle");
		done += n;
	} while (done < list->nr);
	list->nr = 0;
}

static void flush_now_and_then(time_t end)
{
	static struct list before;
	struct account *a = aligned(4096);
	uint64_t rnd = st.seed ^ 77;

	do {
		uint64_t lease;
		unsigned int i;
		int status;

		pthread_mutex_lock(&st.lock);
		before = st.acked;
		st.acked.nr = 0;
		pthread_mutex_unlock(&st.lock);

		status = fsync(st.fd);

		pthread_mutex_lock(&st.lock);
		if (status) {
			/* Nobody knows of these any more. */
			before.nr = 0;
			st.failed++;
		}
		for (i = 0; i < st.durable.nr; i++)
			add(&before, &st.durable.write[i]);
		st.durable.nr = 0;
		lease = st.gen + LEASE;
		pthread_mutex_unlock(&st.lock);

		account(a, &before, lease);

		pthread_mutex_lock(&st.lock);
		st.lease = lease;
		pthread_cond_broadcast(&st.leased);
		pthread_mutex_unlock(&st.lock);
		usleep((useconds_t)rnd_below(&rnd, 30000));
	} while (time(NULL) < end);
	free(a);
}

int main(int argc, char **argv)
{
	pthread_t thread[WRITERS];
	unsigned long i;
	uint64_t bytes;

	if (argc != 6)
		errx(2, "usage: stamper VOLUME ORACLE GEN SECONDS SEED");
	st.fd = open(argv[1], O_RDWR | O_DIRECT);
	st.sync_fd = open(argv[1], O_RDWR | O_DIRECT | O_DSYNC);
	st.oracle = open(argv[2], O_RDWR | O_DIRECT);
	if (st.fd < 0 || st.sync_fd < 0 || st.oracle < 0 ||
	    ioctl(st.fd, BLKGETSIZE64, &bytes))
		err(1, "%s, %s", argv[1], argv[2]);
	st.blocks = bytes / 4096;
	st.busy = calloc(st.blocks, 1);
	st.gen = st.lease = strtoull(argv[3], NULL, 0);
	st.seed = strtoull(argv[5], NULL, 0);
	for (i = 0; i < WRITERS; i++)
		if (pthread_create(&thread[i], NULL, writer, (void *)i))
			errx(1, "thread");
	flush_now_and_then(time(NULL) + atoi(argv[4]));
	pthread_mutex_lock(&st.lock);
	st.stop = true;
	pthread_cond_broadcast(&st.leased);
	pthread_mutex_unlock(&st.lock);
	for (i = 0; i < WRITERS; i++)
		pthread_join(thread[i], NULL);
	if (st.failed)
		fprintf(stderr, "stamper: %llu writes or flushes failed\n",
			(unsigned long long)st.failed);
	printf("%llu\n", (unsigned long long)st.gen);
	return 0;
}
