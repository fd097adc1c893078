// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "legs.h"

#define SEGMENT		1048576
#define CHUNK		65536
#define ROUNDS		20000		/* of 3 ms */

static bool ask(struct volume *v, struct ads_pool *p)
{
	struct ads_err err = { 0 };

	if (!ads_nl_pool(v->nl, v->uuid, p, &err))
		return true;
	printf("# the pool: %s\n", err.text);
	return false;
}

bool legs_certain(struct volume *v, struct legs_figures *f)
{
	unsigned long long bound = 0;
	bool in_doubt = false;
	struct ads_pool p;

	for (unsigned int i = 0; i < v->segments; i++) {
		in_doubt |= v->seg[i].intent == 2;
		for (unsigned int j = 0; j < v->seg[i].nr_legs; j++) {
			bool sync = v->seg[i].leg[j].state == ADSHARD_LEG_SYNC;

			f->stale += !sync;
			/* all but the first, which is what the others are made of */
			bound += sync && j ? SEGMENT : 0;
		}
	}
	f->doubts += in_doubt;
	for (unsigned int n = 0; ; n++) {
		if (!ask(v, &p))
			return false;
		if (!p.nr_doubt && !p.nr_active && !p.nr_queued)
			break;
		if (n == ROUNDS) {
			printf("# %u segments stay in doubt; %u operations\n", p.nr_doubt,
			       p.nr_active + p.nr_queued);
			f->unbounded++;
			return false;
		}
		usleep(3000);
	}
	f->resynced += p.resync_bytes;
	if (p.resync_bytes <= bound)
		return true;
	printf("# resyncs have written %llu bytes; the legs have %llu\n",
	       (unsigned long long)p.resync_bytes, bound);
	f->unbounded++;
	return false;
}

static bool read_leg(const struct ads_leg *leg, const struct disks *d, char *buf)
{
	off_t at = (off_t)d->meta_sectors * SECTOR + (off_t)leg->chunk * CHUNK;
	char name[16];
	bool good;
	int fd;

	snprintf(name, sizeof(name), "/dev/cut%u", leg->member);
	fd = open(name, O_RDONLY | O_DIRECT | O_CLOEXEC);
	good = fd >= 0 && pread(fd, buf, SEGMENT, at) == SEGMENT;
	if (!good)
		perror(name);
	if (fd >= 0)
		close(fd);
	return good;
}

static bool segment_equal(const struct ads_segment *seg, const struct disks *d, char *first,
			  char *other, struct legs_figures *f)
{
	unsigned int compared = 0;

	for (unsigned int i = 1; i < seg->nr_legs; i++) {
		if (seg->leg[i].state != ADSHARD_LEG_SYNC)
			continue;
		if ((!compared++ && !read_leg(&seg->leg[0], d, first)) ||
		    !read_leg(&seg->leg[i], d, other))
			return false;
		for (unsigned int at = 0; at < SEGMENT; at += SECTOR) {
			if (!memcmp(first + at, other + at, SECTOR))
				continue;
			printf("# segment %u: members %u and %u differ at sector %u of it\n",
			       seg->index, seg->leg[0].member, seg->leg[i].member, at / SECTOR);
			return false;
		}
	}
	f->several += compared > 0;
	return true;
}

bool legs_equal(struct volume *v, const struct disks *d, struct legs_figures *f)
{
	char *first = aligned_alloc(BLOCK, SEGMENT), *other = aligned_alloc(BLOCK, SEGMENT);
	bool good = first && other;

	for (unsigned int i = 0; good && i < v->segments; i++)
		good = segment_equal(&v->seg[i], d, first, other, f);
	f->unequal += !good;
	free(first);
	free(other);
	return good;
}

bool legs_clean(struct volume *v, struct legs_figures *f)
{
	struct ads_pool p;

	if (!ask(v, &p))
		return false;
	if (!p.nr_doubt && !p.resync_bytes)
		return true;
	printf("# %u segments are in doubt after a deactivation\n", p.nr_doubt);
	f->unclean++;
	return false;
}
