// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "disks.h"
#include "dm.h"
#include "load.h"

static const char *name_of(unsigned int disk, char name[static 16])
{
	snprintf(name, 16, "cut%u", disk);
	return name;
}

static void choose_liar(struct disks *d, uint64_t *rnd)
{
	unsigned int liar = random_step(rnd) % d->nr;
	char name[16];

	for (unsigned int i = 0; d->lie && i < d->nr; i++)
		dm_message(name_of(i, name), "lie %u", i == liar);
}

bool disks_make(struct disks *d, uint64_t *rnd)
{
	char name[16], path[32], latency[16];

	d->sectors = d->mib * 2048;
	for (unsigned int i = 0; i < d->nr; i++) {
		int rc;

		name_of(i, name);
		snprintf(path, sizeof(path), "/dev/%s", name);
		snprintf(latency, sizeof(latency), "%u", random_step(rnd) & 1 ? d->latency : 0);
		rc = dm_create(name, path, &d->dev[i]);
		if (!rc)
			rc = dm_load(name, d->sectors, "volatile", latency);
		if (!rc)
			rc = dm_resume(name);
		if (rc) {
			printf("# can't make %s: %s\n", name, strerror(-rc));
			return false;
		}
	}
	choose_liar(d, rnd);
	return true;
}

void disks_unmake(struct disks *d)
{
	char name[16];

	for (unsigned int i = 0; i < d->nr; i++)
		dm_remove(name_of(i, name));
}

void disks_freeze(struct disks *d, uint64_t *rnd)
{
	dm_message("cut0", "cut %llu", (unsigned long long)random_step(rnd));
}

void disks_cut(struct disks *d, enum how_to_cut how, uint64_t *rnd)
{
	unsigned int order[MAX_DISKS];
	char name[16];

	if (how == CUT_AT_ONCE) {
		dm_message("cut0", "fail");
		return;
	}
	for (unsigned int i = 0; i < d->nr; i++) {
		unsigned int j = random_step(rnd) % (i + 1);

		order[i] = order[j];
		order[j] = i;
	}
	for (unsigned int i = 0; i < d->nr; i++) {
		uint64_t r = random_step(rnd);

		dm_message(name_of(order[i], name), "off %llu", (unsigned long long)r);
		if (i + 1 < d->nr)
			usleep((r >> 8) % 3000);
	}
}

void disks_power(struct disks *d, uint64_t *rnd)
{
	for (unsigned int i = 0; i < d->nr; i++)
		disks_fault(d, i, FAULT_NONE);
	choose_liar(d, rnd);
	dm_message("cut0", "power");
}

void disks_fault(void *arg, unsigned int disk, enum fault fault)
{
	struct disks *d = arg;
	char name[16];

	name_of(disk, name);
	dm_message(name, "bad %u", fault == FAULT_METADATA ? d->meta_sectors : 0);
	dm_message(name, "unwritable %u", fault == FAULT_WRITES ? d->sectors : 0);
}
