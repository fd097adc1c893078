// SPDX-License-Identifier: GPL-2.0-or-later
/* What is asked of a state. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "replay.h"

void blame(struct replay *r, const char *fmt, ...)
{
	va_list ap;

	if (*r->why)
		return;
	va_start(ap, fmt);
	vsnprintf(r->why, sizeof(r->why), fmt, ap);
	va_end(ap);
}

/*--- activation -------------------------------------------------*/

static uint8_t disk_of(const struct replay *r, const struct sim_dev *dev)
{
	unsigned int i;

	for (i = 0; i < r->im.nr_disks && r->dev[i] != dev; i++)
		;
	return (uint8_t)i;
}

static void look(const struct replay *r, const struct sim_pool *pool,
		 struct layout *l)
{
	uint32_t i;

	memset(l, 0, sizeof(*l));
	l->nr = sim_pool_segments(pool);
	l->shift = sim_pool_segment_shift(pool);
	l->sectors = sim_pool_sectors(pool);
	if (l->nr > MAX_SEGMENTS || sim_pool_members(pool) > MAX_DISKS)
		abort();
	for (i = 0; i < l->nr; i++) {
		l->member[i] = sim_pool_segment(pool, i).member;
		l->sector[i] = sim_pool_place(pool, i);
		l->disk[i] = disk_of(r, sim_pool_member(pool, l->member[i]).dev);
	}
	for (i = 0; i < sim_pool_members(pool); i++) {
		l->state[i] = sim_pool_member(pool, (uint16_t)i).state;
		l->role[i] = sim_pool_member(pool, (uint16_t)i).role;
	}
}

bool activate(struct replay *r, const uint8_t *order, unsigned int nr,
	      struct layout *l)
{
	struct sim_dev *dev[MAX_DISKS];
	struct sim_pool *pool;
	unsigned int i;
	int status;

	for (i = 0; i < nr; i++)
		dev[i] = r->dev[order[i]];
	sim_hush();
	r->f.activations++;
	pool = sim_pool_new(dev, nr, r->uuid, 0);
	status = sim_pool_load(pool, NULL);
	if (!status) {
		sim_run_works();
		look(r, pool, l);
	}
	sim_pool_free(pool);
	return !status;
}

bool activate_all(struct replay *r, struct layout *l)
{
	uint8_t order[MAX_DISKS];
	unsigned int i;

	for (i = 0; i < r->im.nr_disks; i++)
		order[i] = (uint8_t)i;
	return activate(r, order, r->im.nr_disks, l);
}

bool same_layout(const struct layout *a, const struct layout *b)
{
	return a->nr == b->nr && a->sectors == b->sectors &&
	       !memcmp(a->sector, b->sector, sizeof(a->sector)) &&
	       !memcmp(a->disk, b->disk, sizeof(a->disk)) &&
	       !memcmp(a->member, b->member, sizeof(a->member)) &&
	       !memcmp(a->state, b->state, sizeof(a->state));
}

/* An activation writes metadata, on disks that it was given. */
static bool check_writes(struct replay *r)
{
	const struct sim_write *w;
	unsigned int i, n = sim_recorded(&w);

	for (i = 0; i < n; i++) {
		if ((w[i].block + w[i].nr) * 8 <= r->data_start)
			continue;
		blame(r, "an activation wrote to the data of disk %u", w[i].dev);
		r->f.stray++;
		return false;
	}
	return true;
}

/*--- contents ---------------------------------------------------*/

static bool check_owners(struct replay *r, const struct layout *l)
{
	uint64_t size = 1ULL << l->shift;
	uint32_t i, k;

	for (i = 0; i < l->nr; i++)
		for (k = 0; k < i; k++)
			if (l->disk[i] == l->disk[k] &&
			    l->sector[i] < l->sector[k] + size &&
			    l->sector[k] < l->sector[i] + size) {
				blame(r, "segments %u and %u share a slot", k, i);
				return false;
			}
	return true;
}

enum verdict { FINE, LOST, FUTURE, FOREIGN };

static enum verdict judge(const struct replay *r, uint64_t sector, uint64_t code)
{
	uint64_t floor = r->im.floor[sector / 8];

	if (code == CODE_ZERO)
		return floor ? LOST : FINE;
	if (code == CODE_OTHER || code_sector(code) != sector)
		return FOREIGN;
	if (code_gen(code) < floor)
		return LOST;
	return code_gen(code) < r->im.lease ? FINE : FUTURE;
}

bool check_contents(struct replay *r, const struct layout *l)
{
	static const char *const name[] = {
		"fine", "an old write", "a write of the future", "foreign data"
	};
	bool found[4] = { false };
	uint64_t sector;

	if (!check_owners(r, l)) {
		r->f.owners++;
		return false;
	}
	for (sector = 0; sector < l->sectors; sector++) {
		uint32_t seg = (uint32_t)(sector >> l->shift);
		uint64_t at = l->sector[seg] +
			      (sector & ((1ULL << l->shift) - 1));
		uint64_t code = r->im.disk[l->disk[seg]].code[at];
		enum verdict v = judge(r, sector, code);

		if (v == FINE || found[v])
			continue;
		found[v] = true;
		blame(r, "%s in sector %llu (segment %u, disk %u, sector %llu): generation %llu of sector %lld, durable is %llu, lease %llu",
		      name[v], (unsigned long long)sector, seg, l->disk[seg],
		      (unsigned long long)at, (unsigned long long)code_gen(code),
		      (long long)code_sector(code),
		      (unsigned long long)r->im.floor[sector / 8],
		      (unsigned long long)r->im.lease);
	}
	r->f.lost += found[LOST];
	r->f.future += found[FUTURE];
	r->f.foreign += found[FOREIGN];
	return !found[LOST] && !found[FUTURE] && !found[FOREIGN];
}

/*--- more activations -------------------------------------------*/

/* All that was written since the state was made is gone again. */
static void rewind_all(struct replay *r)
{
	sim_rollback(r->dev, r->im.nr_disks);
}

static bool check_second(struct replay *r, const struct layout *first)
{
	struct layout again;

	if (activate_all(r, &again) && same_layout(first, &again) &&
	    check_writes(r) && check_contents(r, &again))
		return true;
	blame(r, "a second activation changed something: %s", sim_said());
	r->f.second++;
	return false;
}

/*
 * The power goes during the activation: of its writes those that were flushed
 * are there, of the rest of the first @n any sector or none.
 */
static void cut_activation(struct replay *r, struct sim_write *w, unsigned int nr,
			   unsigned int n, uint64_t *rnd)
{
	unsigned int i, k, s;

	for (i = 0; i < n; i++) {
		bool safe = w[i].fua && w[i].wait < w[n - 1].wait;

		for (k = i + 1; k < n && !safe; k++)
			safe = w[k].dev == w[i].dev && w[k].preflush &&
			       w[k].wait > w[i].wait &&
			       w[k].wait < w[n - 1].wait;
		for (s = 0; s < w[i].nr * 8; s++)
			if (safe || rnd_below(rnd, 2))
				image_put(&r->im, w[i].dev, w[i].block * 8 + s,
					  w[i].is + s * 512, CODE_OTHER);
	}
	for (i = 0; i < nr; i++)
		free(w[i].is);
	free(w);
}

/* The first @nr writes of those recorded are an activation's. */
static bool check_cut(struct replay *r, const struct layout *first,
		      unsigned int nr, uint64_t *rnd)
{
	size_t mark = r->im.nr_undo;
	const struct sim_write *now;
	struct sim_write *w;
	struct layout l;
	unsigned int i;
	bool good;

	if (!nr)
		return true;
	sim_recorded(&now);
	w = calloc(nr, sizeof(*w));
	for (i = 0; i < nr; i++) {
		w[i] = now[i];
		w[i].is = malloc((size_t)now[i].nr * 4096);
		memcpy(w[i].is, now[i].is, (size_t)now[i].nr * 4096);
	}
	rewind_all(r);
	cut_activation(r, w, nr, 1 + (unsigned int)rnd_below(rnd, nr), rnd);
	good = activate_all(r, &l) && same_layout(first, &l) && check_writes(r);
	if (!good) {
		blame(r, "an activation that was cut off changed something: %s",
		      sim_said());
		r->f.cut++;
	}
	rewind_all(r);
	image_undo(&r->im, mark);
	return good;
}

static bool check_subset(struct replay *r, const struct layout *first,
			 const uint8_t *order, unsigned int nr)
{
	struct layout l, all;
	const struct sim_write *w;
	bool has[MAX_DISKS] = { false };
	unsigned int i;

	for (i = 0; i < nr; i++)
		has[order[i]] = true;
	r->f.subsets++;
	if (!activate(r, order, nr, &l)) {
		if (!sim_recorded(&w) && strstr(sim_said(), "E: ") &&
		    nr < r->im.nr_disks)
			return true;
		blame(r, nr < r->im.nr_disks ?
		      "refused, but written to, or no word of why: %s" :
		      "refused in another order: %s", sim_said());
		return false;
	}
	r->f.subsets_served++;
	for (i = 0; i < l.nr; i++)
		if (!has[first->disk[i]]) {
			blame(r, "served without disk %u", first->disk[i]);
			return false;
		}
	if (memcmp(first->sector, l.sector, sizeof(l.sector)) ||
	    memcmp(first->member, l.member, sizeof(l.member))) {
		blame(r, "%u of the members have another map", nr);
		return false;
	}
	/* What they have written must not harm the whole. */
	if (check_writes(r) && activate_all(r, &all) &&
	    !memcmp(first->sector, all.sector, sizeof(all.sector)) &&
	    !memcmp(first->member, all.member, sizeof(all.member)))
		return true;
	blame(r, "all members after %u of them: %s", nr, sim_said());
	return false;
}

/* Subsets of the members, in any order: all of them if they are few. */
static bool check_subsets(struct replay *r, const struct layout *first,
			  uint64_t *rnd)
{
	unsigned int n = r->im.nr_disks, all = (1U << n) - 1, turn, mask, i, k;
	unsigned int turns = n <= 5 ? all : 40;
	uint8_t order[MAX_DISKS], swap;

	for (turn = 1; turn <= turns; turn++) {
		unsigned int nr = 0;

		mask = turns == all ? turn :
		       1 + (unsigned int)rnd_below(rnd, all);
		/* Large ones are the interesting ones. */
		if (turns != all && turn % 2)
			mask = all & ~(1U << rnd_below(rnd, n));
		for (i = 0; i < n; i++)
			if (mask & 1U << i)
				order[nr++] = (uint8_t)i;
		for (i = nr; i-- > 1;) {
			k = (unsigned int)rnd_below(rnd, i + 1);
			swap = order[i];
			order[i] = order[k];
			order[k] = swap;
		}
		rewind_all(r);
		if (!check_subset(r, first, order, nr)) {
			blame(r, "subset %#x", mask);
			r->f.subset++;
			return false;
		}
	}
	return true;
}

bool check_state(struct replay *r, uint64_t rnd, bool thorough)
{
	const struct sim_write *w;
	struct layout first;
	unsigned int nr;
	bool good;

	*r->why = 0;
	r->f.trials++;
	good = activate_all(r, &first);
	if (!good) {
		blame(r, "not activated: %s", sim_said());
		r->f.unassembled++;
	}
	nr = sim_recorded(&w);
	good = good && check_writes(r) && check_contents(r, &first) &&
	       check_second(r, &first);
	if (good && thorough)
		good = check_cut(r, &first, nr, &rnd) &&
		       check_subsets(r, &first, &rnd);
	rewind_all(r);
	return good;
}
