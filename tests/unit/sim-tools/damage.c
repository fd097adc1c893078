// SPDX-License-Identifier: GPL-2.0-or-later
/* Damage to a pool, one way at a time: what check says of it, and what repair makes. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools.h"

/*--- damage -----------------------------------------------------*/

void zero(int i, uint64_t block, uint64_t nr)
{
	memset(img[i] + block * 4096, 0, nr * 4096);
}

void flip(int i, uint64_t block)
{
	img[i][block * 4096 + sim_random() % 4096] ^= 1U << sim_random() % 8;
}

struct ads_super super_of(int i)
{
	struct ads_super s;

	ads_fmt_super_decode((void *)(base[i] + 4096), &s);
	return s;
}

uint64_t ring_block(int i, uint64_t seq)
{
	struct ads_super s = super_of(i);

	return s.geo.journal_block + ads_fmt_ring_index(&s.geo, seq);
}

uint64_t newest_area(int i)
{
	struct ads_super s = super_of(i);
	const struct adshard_table *a, *b;

	a = (void *)(base[i] + (uint64_t)s.geo.table_block[0] * 4096);
	b = (void *)(base[i] + (uint64_t)s.geo.table_block[1] * 4096);
	return s.geo.table_block[le64toh(b->state.seq) >
				 le64toh(a->state.seq)];
}

static uint64_t other_area(int i)
{
	struct ads_super s = super_of(i);

	return s.geo.table_block[newest_area(i) == s.geo.table_block[0]];
}

/* The last record of member @i says something else, under a right checksum. */
static void forge_last(int i, void (*change)(struct adshard_record *r))
{
	struct adshard_record *r =
		(void *)(img[i] + ring_block(i, base_seq) * 4096);
	struct ads_super s = super_of(i);

	change(r);
	ads_fmt_record_seal(r, &s.geo, s.uuid);
}

static void other_time(struct adshard_record *r)
{
	r->state.time = htole64(le64toh(r->state.time) + 1);
}

static void two_in_one(struct adshard_record *r)
{
	struct adshard_seg seg;

	/* no change but two: segments 0 and 1 in the first slot of member 0 */
	r->nr_entries = 0;
	r->bytes = 0;
	memset(r->entries, 0, sizeof(r->entries));
	ads_fmt_seg_plain(&seg, 0, 0);
	ads_fmt_record_add(r, ADSHARD_ENTRY_SEG, 0, &seg, sizeof(seg));
	ads_fmt_record_add(r, ADSHARD_ENTRY_SEG, 1, &seg, sizeof(seg));
}

static void forge_history(int i)
{
	struct ads_super s = super_of(i);
	struct adshard_table *t = (void *)(img[i] + other_area(i) * 4096);

	t->state.history = ~t->state.history;
	/* Not one that the records lead on from: that would be our own past. */
	t->last_crc = ~t->last_crc;
	ads_fmt_table_seal(t, &s.geo, s.uuid,
			   other_area(i) == s.geo.table_block[1]);
}

/*--- one thing at a time ----------------------------------------*/

void check_is(int want, const char *word)
{
	uint64_t map = 0, seq = 0;
	int rc, err;

	to_files();
	rc = tool("check", "", true);
	if (!ok(rc == want && (!word || strstr(out, word)), "check"))
		fprintf(stderr, "# got %d, wanted %d and \"%s\"\n", rc, want,
			word ? word : "");
	err = kernel(&map, &seq);
	ok(!err == (rc != 10), "the kernel says the same");
}

/* The whole way: damage is found, refused or repaired, and undone. */
void mends(int want, const char *word, const char *more)
{
	uint8_t *was[NR];
	uint64_t map = 0, seq = 0;
	char args[256];
	bool same = true;

	check_is(want, word);
	for (int i = 0; i < NR; i++) {
		was[i] = malloc(META);
		memcpy(was[i], img[i], META);
	}
	snprintf(args, sizeof(args), "--dry-run %s", more);
	ok(!tool("repair", args, true) && strstr(out, "would write"),
	   "repair --dry-run");
	from_files();
	for (int i = 0; i < NR; i++)
		same &= !memcmp(was[i], img[i], META);
	ok(same, "wrote nothing");
	ok(!repair(more) && strstr(out, "written"), "repair");
	from_files();
	memset(lost, 0, sizeof(lost));
	ok(!tool("check", "", true), "check afterwards");
	ok(!kernel(&map, &seq) && seq == base_seq && map == map_of[seq],
	   "it loads with the same map");
	snprintf(args, sizeof(args), "--from %s", backup());
	ok(!tool("repair", args, false), "repair --from");
	from_files();
	for (int i = 0; i < NR; i++) {
		same &= !memcmp(was[i], img[i], META);
		free(was[i]);
	}
	ok(same, "is byte by byte what was there");
}

static void stays(int want, const char *word, const char *more)
{
	uint8_t *was[NR];
	bool same = true;

	check_is(want, word);
	for (int i = 0; i < NR; i++) {
		was[i] = malloc(META);
		memcpy(was[i], img[i], META);
	}
	ok(repair(more) == 5, "repair refuses");
	from_files();
	for (int i = 0; i < NR; i++) {
		same &= !memcmp(was[i], img[i], META);
		free(was[i]);
	}
	ok(same, "and has written nothing");
}

void begin(const char *name)
{
	snprintf(what, sizeof(what), "%s", name);
	reset();
}

void test_mends(void)
{
	struct ads_super s = super_of(1);

	begin("nothing is wrong");
	check_is(0, "would activate");
	ok(!repair("") && strstr(out, "nothing to repair"), "repair");
	ok(access(backup(), F_OK), "makes no backup");

	begin("copy 0 of a superblock");
	flip(1, 1);
	mends(9, "copy 0 of its superblock is damaged", "");
	begin("copy 1 of a superblock");
	zero(1, 3, 1);
	mends(9, "copy 1 of its superblock is zero", "");
	begin("both copies");
	zero(1, 1, 3);
	lost[1] = true;
	mends(10, "its own journal and tables say that it is member 1", "");
	begin("both copies on all but one");
	for (int i = 1; i < NR; i++) {
		zero(i, 0, 16);
		lost[i] = true;
	}
	mends(10, "is not recognised", "");
	begin("the header of the newest table");
	flip(1, newest_area(1));
	mends(9, "its header is not whole", "");
	begin("a block of the newest table");
	flip(2, newest_area(2) + 5);
	mends(9, "blocks of it are damaged", "");
	begin("a block of the older table");
	flip(2, other_area(2) + 70);
	mends(9, "blocks of it are damaged", "");
	begin("the last record");
	flip(0, ring_block(0, base_seq));
	mends(9, "gone or damaged", "");
	begin("half of a journal");
	zero(3, s.geo.journal_block, s.geo.journal_blocks / 2);
	mends(9, "gone or damaged", "");
	begin("journal and tables of a member");
	zero(2, s.geo.journal_block, BLOCKS - s.geo.journal_block);
	mends(9, "its header is not whole", "");
	begin("journal and tables of all but one");
	for (int i = 0; i < NR - 1; i++)
		zero(i, s.geo.journal_block, BLOCKS - s.geo.journal_block);
	mends(9, "its header is not whole", "");
	begin("everything of a member");
	zero(1, 0, BLOCKS);
	lost[1] = true;
	mends(10, "member 1 (", "--member 1");
}

void test_stays(void)
{
	struct ads_super s = super_of(1);
	uint8_t *p;

	begin("everything of a member, and nobody says whose");
	zero(1, 0, BLOCKS);
	lost[1] = true;
	stays(10, "missing", "");
	stays(10, "missing", "--member 0");
	size_of[1] += 4096;
	stays(10, "missing", "--member 1");

	begin("a superblock gone, and the wrong name for it");
	zero(1, 1, 3);
	lost[1] = true;
	stays(10, NULL, "--member 2");
	begin("a member is missing");
	present[2] = false;
	stays(10, "member 2 (", "");
	begin("all metadata");
	for (int i = 0; i < NR; i++)
		zero(i, s.geo.journal_block, BLOCKS - s.geo.journal_block);
	stays(10, "none of the 4 members", "");
	begin("all superblocks");
	for (int i = 0; i < NR; i++) {
		zero(i, 1, 3);
		lost[i] = true;
	}
	stays(10, "not a single whole superblock", "");
	begin("an old copy of a member");
	memcpy(img[3], snap[2][3], META);
	stays(10, "is stale", "");
	begin("a member twice");
	memcpy(img[3], img[0], META);
	stays(10, "are the same member 0", "");
	begin("a device that was cut off");
	size_of[2] -= 4096;
	stays(10, "has it been cut off", "");
	begin("two members disagree");
	forge_last(0, other_time);
	forge_last(1, other_time);
	to_files();
	ok(tool("check", "", true) == 9 && strstr(out, "can't be decided") &&
	   strstr(out, "Two members disagree"), "check");
	ok(repair("") == 5 && strstr(out, "can't be decided"),
	   "repair refuses");
	begin("another history");
	forge_history(1);
	stays(10, "another history", "");
	begin("two segments in one place");
	for (int i = 0; i < NR; i++)
		forge_last(i, two_in_one);
	stays(10, "is where another one is", "");
	begin("a later version");
	p = img[2] + 4096;
	p[12] = 2;
	ads_fmt_super_seal((void *)p, 0);
	to_files();
	ok(tool("check", "", true) == 10 && strstr(out, "later adshard"),
	   "check");
	ok(repair("") == 5, "repair refuses");
}

/*
 * A member that was dropped has a last word in which all are active; theirs is
 * gone. Only the superblocks tell that they went on without it.
 */
void test_veto(void)
{
	struct ads_super s = super_of(1);
	struct sim_pool *pool = activate();

	sim_dev_fail(dev[2], SIM_WRITE, 0, 1 << 20, ~0U, false);
	move_some(pool, 5);
	sim_pool_free(pool);
	sim_dev_fail(dev[2], SIM_WRITE, 0, 0, 0, false);
	for (int i = 0; i < NR; i++)
		memcpy(base[i], sim_dev_image(dev[i]), META);
	begin("a member was dropped");
	check_is(0, "was dropped from the metadata");
	begin("the word of a member that was dropped");
	for (int i = 0; i < NR; i++)
		if (i != 2)
			zero(i, s.geo.journal_block,
			     BLOCKS - s.geo.journal_block);
	stays(10, "that the newest superblock", "");
	begin("and their superblocks are gone as well");
	for (int i = 0; i < NR; i++) {
		if (i == 2)
			continue;
		zero(i, 0, BLOCKS);
		lost[i] = true;
	}
	stays(10, "is missing", "--member 0");
	make_base(600);
}

static void other_place(struct adshard_record *r)
{
	struct adshard_seg seg;

	r->nr_entries = 0;
	r->bytes = 0;
	memset(r->entries, 0, sizeof(r->entries));
	ads_fmt_seg_plain(&seg, 1, 16 * 16);
	ads_fmt_record_add(r, ADSHARD_ENTRY_SEG, 7, &seg, sizeof(seg));
}

/*
 * A member alone has a record that an activation didn't see; the others went on,
 * and so did it. Its record was given up.
 */
void test_fork(void)
{
	uint64_t first = base_seq + 1;
	struct sim_pool *pool = activate();
	struct ads_super s = super_of(2);
	struct adshard_record *r;

	move_some(pool, 5);
	base_seq = sim_pool_seq(pool);
	sim_pool_free(pool);
	for (int i = 0; i < NR; i++)
		memcpy(base[i], sim_dev_image(dev[i]), META);
	begin("a record that was given up");
	r = (void *)(img[2] + ring_block(2, first) * 4096);
	r->state.term = htole64(le64toh(r->state.term) - 1);
	other_place(r);
	ads_fmt_record_seal(r, &s.geo, s.uuid);
	check_is(0, "with a roll forward");
	ok(strstr(out, "was given up"), "is named");
	make_base(600);
}
