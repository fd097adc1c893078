// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "load.h"

struct worker {
	struct mover mover;		/* of the first */
	struct load *load;
	uint64_t rnd;
	char *buf;
	pthread_t thread;
	bool started;
};

struct threads {
	pthread_mutex_t lock;
	bool busy[MAX_BLOCKS];
	struct worker worker[MAX_THREADS + 1];
};

uint64_t random_step(uint64_t *s)
{
	uint64_t z = *s += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static uint32_t take_range(struct worker *w, uint32_t *nr)
{
	struct threads *t = w->load->threads_data;
	uint32_t total = w->load->oracle->nr_blocks, block, i;

	for (;;) {
		uint64_t r = random_step(&w->rnd);

		*nr = r % 4 ? 1 : 1 + (r >> 2) % MAX_RUN;
		/* half of it in an eighth of the volume, so that blocks are written again and again */
		block = (r >> 16) % (r >> 8 & 1 ? total : total / 8);
		if (*nr > total - block)
			*nr = total - block;
		pthread_mutex_lock(&t->lock);
		for (i = 0; i < *nr && !t->busy[block + i]; i++)
			;
		if (i == *nr)
			memset(t->busy + block, true, *nr);
		pthread_mutex_unlock(&t->lock);
		if (i == *nr)
			return block;
	}
}

static void drop_range(struct worker *w, uint32_t block, uint32_t nr)
{
	struct threads *t = w->load->threads_data;

	pthread_mutex_lock(&t->lock);
	memset(t->busy + block, false, nr);
	pthread_mutex_unlock(&t->lock);
}

static bool change(struct worker *w, enum kind kind, uint32_t block, uint32_t nr, bool fua)
{
	struct load *l = w->load;
	struct iovec iov = { w->buf, (size_t)nr * BLOCK };
	uint64_t range[2] = { (uint64_t)block * BLOCK, (uint64_t)nr * BLOCK };
	int op = oracle_intend(l->oracle, kind, block, nr, fua);
	bool done;

	if (op < 0)
		return false;
	if (l->pretend && kind == OP_WRITE && fua) {
		done = true;
	} else if (kind == OP_WRITE) {
		for (uint32_t i = 0; i < nr; i++)
			oracle_fill(l->oracle, op, block + i, w->buf + (size_t)i * BLOCK);
		done = pwritev2(l->fd, &iov, 1, (off_t)range[0], fua ? RWF_DSYNC : 0) ==
		       (ssize_t)iov.iov_len;
	} else {
		done = !ioctl(l->fd, kind == OP_DISCARD ? BLKDISCARD : BLKZEROOUT, range);
	}
	if (done)
		oracle_acked(l->oracle, op);
	else
		oracle_failed(l->oracle, op);
	return true;
}

static void flush(struct worker *w)
{
	uint32_t mark = oracle_flush_begin(w->load->oracle);

	if (!fdatasync(w->load->fd))
		oracle_flushed(w->load->oracle, mark);
}

static void look(struct worker *w, uint32_t block, uint32_t nr)
{
	if (pread(w->load->fd, w->buf, (size_t)nr * BLOCK, (off_t)block * BLOCK) !=
	    (ssize_t)nr * BLOCK)
		return;
	for (uint32_t i = 0; i < nr && !w->load->pretend; i++)
		if (!oracle_check_live(w->load->oracle, block + i, w->buf + (size_t)i * BLOCK))
			w->load->wrong = true;
}

static void *io_thread(void *arg)
{
	struct worker *w = arg;
	struct load *l = w->load;
	bool more = true;

	while (more && !l->stop) {
		uint64_t r = random_step(&w->rnd);
		uint32_t nr, block = take_range(w, &nr);

		switch (r % 32) {
		case 0 ... 1:
			flush(w);
			break;
		case 2:
			more = change(w, OP_ZERO, block, nr, false);
			break;
		case 3:
			more = change(w, OP_DISCARD, block, nr, false);
			break;
		case 4 ... 7:
			look(w, block, nr);
			break;
		default:
			more = change(w, OP_WRITE, block, nr, (r >> 8) % 8 == 0);
		}
		drop_range(w, block, nr);
	}
	return NULL;
}

bool load_start(struct load *l)
{
	struct threads *t = calloc(1, sizeof(*t));

	l->threads_data = t;
	l->stop = false;
	l->fd = open(l->path, O_RDWR | O_DIRECT | O_CLOEXEC);
	if (!t || l->fd < 0)
		return false;
	pthread_mutex_init(&t->lock, NULL);
	for (unsigned int i = 0; i <= l->threads && i <= MAX_THREADS; i++) {
		struct worker *w = &t->worker[i];

		if (!i && !l->move)
			continue;
		w->load = l;
		w->rnd = l->seed * 100 + i;
		w->mover = (struct mover){ .load = l, .rnd = w->rnd };
		w->buf = aligned_alloc(BLOCK, MAX_RUN * BLOCK);
		if (!w->buf || (i ? pthread_create(&w->thread, NULL, io_thread, w) :
				    pthread_create(&w->thread, NULL, mover, &w->mover)))
			return false;
		w->started = true;
	}
	return true;
}

void load_stop(struct load *l)
{
	l->stop = true;
}

void load_join(struct load *l)
{
	struct threads *t = l->threads_data;

	l->stop = true;
	for (unsigned int i = 0; i <= MAX_THREADS; i++) {
		if (t->worker[i].started)
			pthread_join(t->worker[i].thread, NULL);
		free(t->worker[i].buf);
	}
	close(l->fd);
	free(t);
}
