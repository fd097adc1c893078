// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * bitflips: damages metadata and has the kernel activate what is left.
 *
 *	bitflips [-n RANDOM] [-s SEED] [-v VALUES] [-t SECONDS] NAME DEVICE...
 *
 * NAME is an active volume of a pool on all these devices, of one metadata block of segments at
 * most; it is overwritten. The program stamps blocks of each segment, makes the journal go round,
 * deactivates the pool and keeps a copy of all metadata. Then, many times: damage, activate,
 * look, deactivate, activate once more, look again, deactivate, put the copy back.
 *
 * Every field is damaged in VALUES ways (of 4: lowest bit, highest bit, all ones, all zero)
 *	- as it is, on one member: the checksum tells. Nobody may notice but the log: the data, and
 *	  where it is, must be what it was (or the activation be refused, with a message);
 *	- with a right checksum, on one member or the same on all: forged. That may legitimately
 *	  change what the metadata means, so other data is only counted. But nothing may crash, two
 *	  segments may not share a place, and what was activated once can be again.
 * Then RANDOM times, or until SECONDS are over: random bits, garbage, zeroes, misplaced and
 * foreign blocks, one to four at a time on random members; held to the same as a field without a
 * right checksum.
 *
 * A refused activation must leave every block as it was, and the log must say something. After
 * one that went well, the next one must find nothing to repair. One damaged block must never lead
 * to a refusal: everything is there more than once. (But a whole superblock of another member: why,
 * unit/sim-flips says.)
 *
 * Last, a stamp is spoilt on its member, and it must be noticed: a program that can't fail proves
 * nothing. Status 0: nothing of this went wrong.
 */
#include "bitflips-pool.h"

/* Looking ---------------------------------------------------------------------*/

static void look(bool forged)
{
	struct place map[SEGMENTS];
	bool same = read_map(map) && !memcmp(map, b.map, sizeof(*map) * b.nr_segments);

	if (forged) {
		n.forged_elsewhere += !same || check_stamps();
		if (!same && read_map(map) && shares_a_place(map))
			complain(&n.shared, "two segments in one place");
		return;
	}
	if (!same || check_stamps())
		complain(&n.wrong_data, same ? "wrong data" : "segments are elsewhere");
}

static bool has_two_owners(const struct damage *d)
{
	const char *why = NULL;
	struct ads_super s;

	if (d->block != ADSHARD_SB_BLOCK0 || ads_fmt_super_check((void *)d->data, 0, &why))
		return false;
	ads_fmt_super_decode((void *)d->data, &s);
	return memcmp(s.uuid, b.sb[d->device].uuid, sizeof(s.uuid));
}

static void trial(bool forged, bool always_twice)
{
	unsigned int first;

	inflict();
	n.trials++;
	n.forged += forged;
	if (activate()) {
		n.refused++;
		if (b.nr_damage == 1 && !forged) {
			if (has_two_owners(&b.damage[0]))
				n.refused_two_owners++;
			else
				complain(&n.refused_one_block, "refused for one damaged block");
		}
		n.forged_refused += forged;
		if (!b.lines)
			complain(&n.silent, "refused without a word");
		dm_remove(b.name);
		if (!untouched())
			complain(&n.wrote, "refused, and yet something was written");
		put_back();
		return;
	}
	first = b.lines;
	n.forged_accepted += forged;
	if (!forged)
		*(first ? &n.repaired : &n.unnoticed) += 1;
	look(forged);
	deactivate();
	/* Of the random ones, some: this is most of the time that a trial takes. */
	if (!always_twice && n.trials % 4) {
		put_back();
		return;
	}
	if (activate()) {
		complain(&n.twice, "could be activated only once");
		dm_remove(b.name);
	} else {
		if (b.lines && !forged)
			complain(&n.not_healed, "not repaired for good");
		look(forged);
		deactivate();
	}
	put_back();
}

static void field_trials(const struct field *f, int kind, unsigned int value)
{
	unsigned int dev = rnd_below(&b.rnd, b.nr_devs), mode, k;
	struct damage *d;

	n.fields++;
	/* 0: as it is; 1: forged on one; 2: forged on all */
	for (mode = 0; mode < 3; mode++) {
		snprintf(b.what, sizeof(b.what), "%s.%s value %u mode %u member %u", kind_names[kind],
			 f->name, value, mode, dev);
		for (k = 0; k < b.nr_devs; k++) {
			if (mode < 2 && k != dev)
				continue;
			d = add_damage(k, kind_block(kind));
			change(d->data + f->at, f->bytes, value);
			if (mode)
				seal(kind, d);
			if (mode && (kind == BODY_MEMBERS || kind == BODY_SEGMENTS))
				forge_header(k, d);
			if (kind == SUPER) {
				d = add_damage(k, ADSHARD_SB_BLOCK1);
				change(d->data + f->at, f->bytes, value);
				if (mode)
					seal(kind, d);
			}
		}
		trial(mode > 0, true);
	}
}

static uint32_t random_block(void)
{
	const struct ads_geometry *geo = &b.sb[0].geo;
	uint32_t r = rnd_below(&b.rnd, 100);

	if (r < 10)
		return rnd_one_in(&b.rnd, 2) ? ADSHARD_SB_BLOCK0 : ADSHARD_SB_BLOCK1;
	if (r < 50)
		return geo->journal_block + rnd_below(&b.rnd, geo->journal_blocks);
	if (r < 60)
		return kind_block(rnd_below(&b.rnd, BLOCK_KINDS));
	return geo->table_block[rnd_below(&b.rnd, 2)] + rnd_below(&b.rnd, geo->table_blocks);
}

static void random_damage(void)
{
	unsigned int dev = rnd_below(&b.rnd, b.nr_devs), kind = rnd_below(&b.rnd, 8), i;
	uint32_t block = random_block(), other;
	struct damage *d = add_damage(dev, block);
	size_t len = strlen(b.what);

	snprintf(b.what + len, sizeof(b.what) - len, " [%u on %u.%u]", kind, dev, block);
	switch (kind) {
	case 0 ... 3:
		for (i = 0; i <= kind; i++)
			d->data[rnd_below(&b.rnd, BLOCK)] ^= 1U << rnd_below(&b.rnd, 8);
		break;
	case 4:
		for (i = 0; i < BLOCK; i++)
			d->data[i] = rnd_next(&b.rnd);
		break;
	case 5:
		memset(d->data, 0, BLOCK);
		break;
	case 6:
		other = random_block();
		memcpy(d->data, block_of(dev, other), BLOCK);
		break;
	default:
		memcpy(d->data, block_of((dev + 1) % b.nr_devs, block), BLOCK);
	}
}

/* The damage that must be noticed: to data. */
static bool control(void)
{
	off_t at = (off_t)b.map[1].sector * 512;
	uint64_t before = n.wrong_data;
	unsigned int i;

	snprintf(b.what, sizeof(b.what), "control");
	for (i = 0; i < b.nr_devs; i++)
		if (b.sb[i].index == b.map[1].member)
			break;
	if (pread(b.fd[i], b.scratch, BLOCK, at) != BLOCK)
		die("control");
	b.scratch[100] ^= 1;
	if (pwrite(b.fd[i], b.scratch, BLOCK, at) != BLOCK || activate())
		die("control");
	look(false);
	deactivate();
	b.scratch[100] ^= 1;
	return n.wrong_data == before + 1;
}

int main(int argc, char **argv)
{
	unsigned int values = 4, random = 100, i, k, nr;
	time_t end = 0;
	bool noticed;
	int opt;

	b.rnd = 1;
	while ((opt = getopt(argc, argv, "n:s:v:t:")) != -1) {
		switch (opt) {
		case 'n': random = atoi(optarg); break;
		case 's': b.rnd = strtoull(optarg, NULL, 10); break;
		case 't': end = time(NULL) + atoi(optarg); break;
		case 'v': values = atoi(optarg); break;
		default: return 2;
		}
	}
	if (argc - optind < 2 || argc - optind - 1 > DEVICES) {
		fprintf(stderr, "usage: bitflips [-n RANDOM] [-s SEED] [-v VALUES] [-t SECONDS] NAME DEVICE...\n");
		return 2;
	}
	b.name = argv[optind];
	b.dev = argv + optind + 1;
	b.nr_devs = argc - optind - 1;
	dm_quiet();
	setup();
	for (i = 0; i < FIELDS; i++)
		for (k = 0; k < values; k++) {
			if (fields[i].kind != RECORDS) {
				field_trials(&fields[i], fields[i].kind, k);
				continue;
			}
			field_trials(&fields[i], LAST_RECORD, k);
			field_trials(&fields[i], OLD_RECORD, k);
		}
	for (i = 0; i < random && !(end && time(NULL) >= end); i++) {
		snprintf(b.what, sizeof(b.what), "random %u", i);
		nr = rnd_one_in(&b.rnd, 2) ? 1 : 1 + rnd_below(&b.rnd, 4);
		for (k = 0; k < nr; k++)
			random_damage();
		trial(false, false);
	}
	random = i;
	noticed = control();
	n.wrong_data -= noticed;

#define PRINT(name) printf("bitflips.%s %llu\n", #name, (unsigned long long)n.name)
	PRINT(trials);
	PRINT(fields);
	printf("bitflips.random %u\n", random);
	PRINT(refused);
	PRINT(refused_one_block);
	PRINT(refused_two_owners);
	PRINT(repaired);
	PRINT(unnoticed);
	PRINT(wrong_data);
	PRINT(forged);
	PRINT(forged_refused);
	PRINT(forged_accepted);
	PRINT(forged_elsewhere);
	printf("bitflips.shared_places %llu\n", (unsigned long long)n.shared);
	printf("bitflips.refused_without_a_word %llu\n", (unsigned long long)n.silent);
	printf("bitflips.refused_but_written %llu\n", (unsigned long long)n.wrote);
	PRINT(not_healed);
	printf("bitflips.activated_only_once %llu\n", (unsigned long long)n.twice);
	printf("bitflips.control_noticed %d\n", noticed);
	return n.wrong_data || n.refused_one_block || n.shared || n.silent || n.wrote || n.twice || n.not_healed || !noticed;
}
