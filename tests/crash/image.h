/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The disks as they may be after a power cut at some point of a log.
 *
 * A disk has on it what a flush has made durable, and of the rest, that is what is
 * pending, anything. image_to() goes forward in the log; image_keep() puts one
 * outcome for what is pending on top, image_undo() takes it and all else off again.
 */
#ifndef CRASH_IMAGE_H
#define CRASH_IMAGE_H

#include <stddef.h>

#include "log.h"

#define MAX_DISKS	16

/* What a sector is known to hold, without looking at it. */
#define CODE_ZERO	0ULL
#define CODE_OTHER	(~0ULL)

static inline uint64_t code_of(uint64_t sector, uint64_t gen)
{
	return gen << 24 | (sector + 1);
}

static inline uint64_t code_sector(uint64_t code)
{
	return (code & 0xffffff) - 1;
}

static inline uint64_t code_gen(uint64_t code)
{
	return code >> 24;
}

struct image_disk {
	uint8_t *bytes;
	uint64_t *code;			/* by sector */
	uint64_t sectors;
};

struct write {
	uint64_t id, done_at;		/* index of its DONE, 0: none yet */
	unsigned int disk;
	uint64_t sector;
	uint32_t sectors;
	const uint8_t *data;		/* in the log */
	uint64_t *code;
};

/* A write that was made durable lately, with what was there before. */
struct past {
	struct write w;
	uint8_t *was;
	uint64_t *was_code;
};

#define NR_PAST		256

struct undo;

struct image {
	/* the log */
	const uint8_t *log;
	const struct log_entry **entry;
	uint64_t nr_entries, at;

	unsigned int nr_disks;
	struct image_disk disk[MAX_DISKS];
	struct write *pending;
	unsigned int nr_pending, max_pending;
	struct { uint64_t id, at; unsigned int disk; } flush[256];
	unsigned int nr_flush;

	/* the account */
	uint64_t *floor;		/* by block of 4 KiB: generation */
	uint64_t blocks, lease;

	struct past past[NR_PAST];
	unsigned int nr_past;		/* ever */

	struct undo *undo;
	size_t nr_undo, max_undo;
};

/* Map the log; the disks are as before its first entry. */
void image_open(struct image *im, const char *log, unsigned int nr_disks,
		uint64_t sectors);
void image_close(struct image *im);
/* Go to before entry @at. */
void image_to(struct image *im, uint64_t at);

/*
 * Put the sectors of @w for which @bit is set on top; NULL: all. So that it can be
 * taken off again.
 */
void image_keep(struct image *im, const struct write *w, const bool *bit);
/* Likewise, bytes from anywhere. */
void image_put(struct image *im, unsigned int disk, uint64_t sector,
	       const uint8_t *data, uint64_t code);
/* Back to when im->nr_undo was @mark. */
void image_undo(struct image *im, size_t mark);

#endif
