// SPDX-License-Identifier: GPL-2.0-or-later
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image.h"

struct undo {
	unsigned int disk;
	uint64_t sector, code;
	uint8_t data[512];
};

static void *grow(void *p, size_t n, size_t size)
{
	p = realloc(p, n * size);
	if (!p)
		err(1, "memory");
	return p;
}

static void *zeroes(size_t n)
{
	void *p = mmap(NULL, n, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		err(1, "memory");
	return p;
}

static void index_log(struct image *im, uint64_t size)
{
	uint64_t at = 0, max = 0;

	while (at + sizeof(struct log_entry) <= size) {
		const struct log_entry *e = (const void *)(im->log + at);

		if (e->magic != LOG_MAGIC)
			errx(1, "the log is damaged at %llu",
			     (unsigned long long)at);
		at += sizeof(*e);
		if (e->type == LOG_WRITE)
			at += (uint64_t)e->sectors * 512;
		if (at > size)
			break;		/* it was killed */
		if (im->nr_entries == max) {
			max = max ? max * 2 : 4096;
			im->entry = grow(im->entry, max, sizeof(*im->entry));
		}
		im->entry[im->nr_entries++] = e;
	}
}

void image_open(struct image *im, const char *log, unsigned int nr_disks,
		uint64_t sectors)
{
	int fd = open(log, O_RDONLY);
	struct stat st;
	unsigned int i;

	memset(im, 0, sizeof(*im));
	if (fd < 0 || fstat(fd, &st) || !st.st_size)
		errx(1, "%s: no log", log);
	im->log = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (im->log == MAP_FAILED)
		err(1, "%s", log);
	close(fd);
	index_log(im, (uint64_t)st.st_size);
	im->nr_disks = nr_disks;
	for (i = 0; i < nr_disks; i++) {
		im->disk[i].sectors = sectors;
		im->disk[i].bytes = zeroes(sectors * 512 + 4096);
		im->disk[i].code = zeroes(sectors * sizeof(uint64_t));
	}
	/* More than any volume of these tests has. */
	im->blocks = nr_disks * sectors / 8;
	im->floor = zeroes(im->blocks * sizeof(uint64_t));
}

void image_close(struct image *im)
{
	unsigned int i;

	for (i = 0; i < im->nr_pending; i++)
		free(im->pending[i].code);
	for (i = 0; i < NR_PAST; i++) {
		free(im->past[i].was);
		free(im->past[i].was_code);
		free(im->past[i].w.code);
	}
	free(im->pending);
	free(im->undo);
	free(im->entry);
}

/*----------------------------------------------------------------*/

static uint64_t decode(const uint8_t *sector)
{
	static const uint8_t zero[512];
	const struct stamp *s = (const void *)sector;

	if (s->magic == STAMP_MAGIC && s->sum == stamp_sum(s))
		return code_of(s->sector, s->gen);
	return memcmp(sector, zero, 512) ? CODE_OTHER : CODE_ZERO;
}

static void arrived(struct image *im, const struct log_entry *e)
{
	struct write *w;
	uint32_t i;

	if (im->nr_pending == im->max_pending) {
		im->max_pending = im->max_pending ? im->max_pending * 2 : 256;
		im->pending = grow(im->pending, im->max_pending, sizeof(*w));
	}
	w = &im->pending[im->nr_pending++];
	*w = (struct write){
		.id = e->id, .disk = e->disk, .sector = e->sector,
		.sectors = e->sectors, .data = (const uint8_t *)(e + 1),
		.code = calloc(e->sectors, sizeof(uint64_t)),
	};
	if (w->disk >= im->nr_disks || !w->code)
		errx(1, "a log of other disks");
	for (i = 0; i < e->sectors; i++)
		w->code[i] = decode(w->data + (size_t)i * 512);
}

static void read_account(struct image *im, const struct log_entry *e)
{
	const struct account *a = (const void *)(e + 1);
	uint64_t i, b;

	if (e->sector != ACCOUNT_SECTOR || a->magic != ACCOUNT_MAGIC)
		return;
	im->lease = a->lease;
	for (i = 0; i < a->nr; i++) {
		const struct account_write *w = &a->write[i];

		for (b = w->sector / 8; b < (w->sector + w->sectors) / 8; b++)
			if (b < im->blocks && im->floor[b] < w->gen)
				im->floor[b] = w->gen;
	}
}

/* @w is on the disk for good. */
static void durable(struct image *im, struct write *w)
{
	struct image_disk *d = &im->disk[w->disk];
	struct past *p = &im->past[im->nr_past++ % NR_PAST];
	size_t bytes = (size_t)w->sectors * 512;

	free(p->was);
	free(p->was_code);
	free(p->w.code);
	p->w = *w;
	p->was = malloc(bytes + 1);
	p->was_code = calloc(w->sectors + 1, sizeof(uint64_t));
	if (!p->was || !p->was_code)
		err(1, "memory");
	memcpy(p->was, d->bytes + w->sector * 512, bytes);
	memcpy(p->was_code, d->code + w->sector, w->sectors * sizeof(uint64_t));

	memcpy(d->bytes + w->sector * 512, w->data, bytes);
	memcpy(d->code + w->sector, w->code, w->sectors * sizeof(uint64_t));
}

static void flushed(struct image *im, uint64_t id)
{
	unsigned int f, i, left = 0;

	for (f = 0; f < im->nr_flush && im->flush[f].id != id; f++)
		;
	if (f == im->nr_flush)
		return;
	for (i = 0; i < im->nr_pending; i++) {
		struct write *w = &im->pending[i];

		if (w->disk == im->flush[f].disk && w->done_at &&
		    w->done_at < im->flush[f].at)
			durable(im, w);
		else
			im->pending[left++] = *w;
	}
	im->nr_pending = left;
	im->flush[f] = im->flush[--im->nr_flush];
}

static void step(struct image *im)
{
	const struct log_entry *e = im->entry[im->at++];
	unsigned int i;

	if (e->disk == LOG_ORACLE) {
		if (e->type == LOG_WRITE)
			read_account(im, e);
		return;
	}
	switch (e->type) {
	case LOG_WRITE:
		arrived(im, e);
		break;
	case LOG_DONE:
		for (i = im->nr_pending; i--;)
			if (im->pending[i].id == e->id)
				im->pending[i].done_at = im->at;
		break;
	case LOG_FLUSH:
		if (im->nr_flush == 256)
			errx(1, "too many flushes");
		im->flush[im->nr_flush].id = e->id;
		im->flush[im->nr_flush].at = im->at;
		im->flush[im->nr_flush++].disk = e->disk;
		break;
	case LOG_FLUSHED:
		flushed(im, e->id);
	}
}

void image_to(struct image *im, uint64_t at)
{
	while (im->at < at && im->at < im->nr_entries)
		step(im);
}

/*----------------------------------------------------------------*/

void image_put(struct image *im, unsigned int disk, uint64_t sector,
	       const uint8_t *data, uint64_t code)
{
	struct image_disk *d = &im->disk[disk];
	struct undo *u;

	if (im->nr_undo == im->max_undo) {
		im->max_undo = im->max_undo ? im->max_undo * 2 : 4096;
		im->undo = grow(im->undo, im->max_undo, sizeof(*u));
	}
	u = &im->undo[im->nr_undo++];
	u->disk = disk;
	u->sector = sector;
	u->code = d->code[sector];
	memcpy(u->data, d->bytes + sector * 512, 512);
	memcpy(d->bytes + sector * 512, data, 512);
	d->code[sector] = code;
}

void image_keep(struct image *im, const struct write *w, const bool *bit)
{
	uint32_t i;

	for (i = 0; i < w->sectors; i++)
		if (!bit || bit[i])
			image_put(im, w->disk, w->sector + i,
				  w->data + (size_t)i * 512, w->code[i]);
}

void image_undo(struct image *im, size_t mark)
{
	while (im->nr_undo > mark) {
		struct undo *u = &im->undo[--im->nr_undo];
		struct image_disk *d = &im->disk[u->disk];

		memcpy(d->bytes + u->sector * 512, u->data, 512);
		d->code[u->sector] = u->code;
	}
}
