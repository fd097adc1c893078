// SPDX-License-Identifier: GPL-2.0-or-later
/* The thread of the load that has segments move, legs come and go, and members fail. */
#include <unistd.h>

#include "dm.h"
#include "lib/nl.h"
#include "load.h"

/* Refusals are no news: the segment is there already, or migrates, or there is no room. */
static void move(const struct load *l, struct ads_nl *nl, uint32_t seg, uint32_t src, uint32_t dst)
{
	struct ads_op op = { .kind = ADSHARD_KIND_MOVE, .segment = seg, .dst = dst,
			     .has_src = true, .src = src };
	struct ads_err err;

	if (nl)
		ads_nl_start(nl, l->pool, &op, &err);
	else
		dm_message(l->name, "migrate %u %u", seg, dst);
}

static void step(struct mover *w, struct ads_nl *nl)
{
	struct load *l = w->load;
	uint64_t q = random_step(&w->rnd);
	unsigned int seg = (unsigned int)(q % l->segments);
	unsigned int dst = (unsigned int)(q >> 32) % l->members;

	switch (nl ? (q >> 16) % 4 : 3) {
	case 0:
		if (!dm_message(l->name, "replicate %u %u", seg, dst))
			l->comes++;
		break;
	case 1:
		if (!dm_message(l->name, "drop %u %u", seg, dst))
			l->goes++;
		break;
	default:
		move(l, nl, seg, (unsigned int)(q >> 24) % l->members, dst);
	}
}

void *mover(void *arg)
{
	struct mover *w = arg;
	struct load *l = w->load;
	int draining = -1, faulty = -1;
	struct ads_nl *nl = NULL;
	struct ads_err err;
	unsigned int round = 0;

	if (l->legs > 1 && ads_nl_open(&nl, &err))
		return NULL;
	for (unsigned int m = 0; m < l->members; m++)
		dm_message(l->name, "member %u online", m);
	while (!l->stop) {
		uint64_t r = random_step(&w->rnd);

		for (int i = 0; i < 3; i++)
			step(w, nl);
		if (r % 8 == 0 && !dm_message(l->name, "abort %u",
					      (unsigned int)(r >> 8) % l->segments))
			l->aborts++;
		if (r % 64 == 1) {
			dm_message(l->name, "pause");
			usleep(3000);
			dm_message(l->name, "resume");
		}
		if (draining < 0 && (r >> 16) % 16 == 0) {
			draining = (int)((r >> 32) % l->members);
			if (!dm_message(l->name, "member %d draining", draining))
				l->drains++;
			/* so that it empties: everything must go */
			for (unsigned int s = 0; s < l->segments; s++)
				move(l, nl, s, (unsigned int)draining,
				     ((unsigned int)draining + 1 + s % (l->members - 1)) %
				     l->members);
		} else if (draining >= 0 && (r >> 16) % 24 == 1) {
			dm_message(l->name, "member %d online", draining);
			draining = -1;
		} else if (draining >= 0 && (r >> 16) % 24 > 20) {
			/* refused unless it is empty, or others have all that it has */
			if (!dm_message(l->name, "member %d failed", draining))
				l->fails++;
		}
		if (l->fault && faulty < 0 && round > 4 && (r >> 24) % (nl ? 16 : 64) == 0) {
			faulty = (int)((r >> 40) % l->members);
			/* a segment with one leg would have nowhere to write to */
			l->fault(l->fault_arg, (unsigned int)faulty,
				 nl && r >> 48 & 1 ? FAULT_WRITES : FAULT_METADATA);
			l->faults++;
		} else if (faulty >= 0 && (r >> 24) % 16 == 1) {
			l->fault(l->fault_arg, (unsigned int)faulty, FAULT_NONE);
			faulty = -1;
		}
		round++;
		usleep(1000 + (r >> 48) % 4000);
	}
	ads_nl_close(nl);
	return NULL;
}
