// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * adshardctl check, dump and repair on images of pools that the kernel's metadata
 * code has made, damaged one way at a time and then at random: check must say
 * what the kernel does, and what repair has written must load with the same map.
 *
 *	sim-tools [TRIALS [SEED]] | make FOLDER
 *
 * Checked by letting check forget the veto, the lag, the sum of a predecessor, two
 * that disagree and segments that share a place, and repair seal with the source's
 * UUID, write the last record late, and keep a wrong sum: each fails here. (Taking
 * the lower of two terms does not.)
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim-tools/tools.h"

/*--- backup -----------------------------------------------------*/

static void patch(const char *path, off_t at)
{
	int fd = open(path, O_RDWR);
	uint8_t b;

	if (fd < 0 || pread(fd, &b, 1, at) != 1)
		exit(1);
	b ^= 4;
	if (pwrite(fd, &b, 1, at) != 1)
		exit(1);
	close(fd);
}

static void test_backup(void)
{
	char from[256], path[128];
	struct stat st;

	begin("backup");
	zero(1, 1, 3);
	flip(2, newest_area(2) + 5);
	to_files();
	ok(!repair(""), "repair");
	snprintf(from, sizeof(from), "--from %s", backup());
	path_of(1, path);
	patch(path, 4096 + 100);
	ok(tool("repair", from, false) == 5 &&
	   strstr(out, "not as the repair left it"),
	   "a block that has changed since is not overwritten");
	snprintf(from, sizeof(from), "--force --from %s", backup());
	ok(!tool("repair", from, false), "unless --force");
	ok(!tool("repair", from, false), "twice does no harm");
	snprintf(from, sizeof(from), "--from %s", backup());
	ok(!tool("repair", from, true), "the devices may be named");
	if (stat(backup(), &st))
		exit(1);
	for (off_t at = 100; at < st.st_size; at += st.st_size / 5) {
		patch(backup(), at);
		ok(tool("repair", from, false) == 5 &&
		   (strstr(out, "damaged") || strstr(out, "no backup")),
		   "a damaged backup is refused");
		patch(backup(), at);
	}
	truncate(backup(), st.st_size - 1);
	ok(tool("repair", from, false) == 5, "one that was cut off, too");
	snprintf(from, sizeof(from), "--backup %s --yes", backup());
	ok(tool("repair", from, true) == 5 && strstr(out, "exists"),
	   "a backup is not overwritten");
	snprintf(from, sizeof(from), "--backup %s/none/x --yes", dir);
	ok(tool("repair", from, true) == 1 &&
	   strstr(out, "nothing was repaired"), "no backup, no repair");
	ok(tool("check", "", true) == 10, "indeed");
	ok(tool("repair", "</dev/null", true) == 5 &&
	   strstr(out, "nothing was written"), "no answer is no");
}

/* The order of the writes, as the backup has it. */
struct block {
	__le64 block;
	__le32 dev, phase, was, is, flags, reserved;
};

/* A repair that is cut off after any of its writes can be done again. */
static void test_cuts(void)
{
	uint8_t *was[NR], *is[NR], head[4096];
	uint64_t map = 0, seq = 0;
	struct ads_super s = super_of(1);
	struct block *b;
	uint32_t nr, n = 0;
	bool good = true;
	int fd;

	begin("cut off");
	zero(1, 1, 3);
	flip(1, newest_area(1) + 5);
	zero(2, s.geo.journal_block, BLOCKS - s.geo.journal_block);
	for (uint32_t i = 0; i < s.geo.journal_blocks; i++)
		flip(0, s.geo.journal_block + i);
	to_files();
	for (int i = 0; i < NR; i++) {
		was[i] = malloc(META);
		is[i] = malloc(META);
		memcpy(was[i], img[i], META);
	}
	ok(!repair(""), "repair");
	from_files();
	for (int i = 0; i < NR; i++)
		memcpy(is[i], img[i], META);
	fd = open(backup(), O_RDONLY);
	if (fd < 0 || pread(fd, head, 4096, 0) != 4096)
		exit(1);
	nr = le32toh(*(uint32_t *)(head + 44));
	b = calloc(nr, sizeof(*b));
	if (pread(fd, b, nr * sizeof(*b), 4096 + NR * 512) !=
	    (ssize_t)(nr * sizeof(*b)))
		exit(1);
	close(fd);
	for (uint32_t k = 0; k <= nr && good;
	     k += k < 8 ? 1 : 1 + nr / 10) {
		for (int i = 0; i < NR; i++)
			memcpy(img[i], was[i], META);
		for (uint32_t i = 0; i < k; i++) {
			/* (no superblocks: devices as in the order given) */
			uint32_t d = le32toh(b[i].dev);
			uint64_t at = le64toh(b[i].block) * 4096;

			/* devices stand by index there, the lost one last */
			d = d == 3 ? 1 : d ? d + 1 : 0;
			memcpy(img[d] + at, is[d] + at, 4096);
		}
		lost[1] = k < nr - 1;
		good &= kernel(&map, &seq) || map == map_of[seq];
		to_files();
		good &= !repair("") || strstr(out, "nothing to repair");
		from_files();
		lost[1] = false;
		good &= !kernel(&map, &seq) && seq == base_seq &&
			map == map_of[seq];
		good &= !tool("check", "", true);
		n++;
	}
	printf("# %u of %u writes\n", n, nr);
	ok(good && n > 5, "after any write: as before, and repaired again");
	for (int i = 0; i < NR; i++) {
		free(was[i]);
		free(is[i]);
	}
	free(b);
}

/*--- dump -------------------------------------------------------*/

static void test_dump(void)
{
	begin("dump");
	to_files();
	ok(!tool("dump", "--segments", true) &&
	   strstr(out, "superblock copy 0, block 1: whole") &&
	   strstr(out, "segment 29: member") && strstr(out, "record "),
	   "of all");
	ok(!tool("dump", "--json --segments", true) &&
	   strstr(out, "\"adshardctl.dump\""), "as JSON");
	flip(0, 1);
	zero(0, 3, 1);
	flip(0, newest_area(0) + 3);
	flip(0, ring_block(0, base_seq));
	for (int i = 1; i < NR; i++)
		present[i] = false;
	to_files();
	ok(!tool("dump", "", true) && strstr(out, "block 1: damaged") &&
	   strstr(out, "is not whole") && strstr(out, ": damaged\n") &&
	   strstr(out, "record "), "of one damaged device");
	zero(0, 0, BLOCKS);
	to_files();
	ok(!tool("dump", "", true) && strstr(out, "block 1: blank"),
	   "of one without any");
	ok(!tool("dump", "--block 1", true) && strstr(out, "00001ff0  00"),
	   "of a raw block");
	ok(tool("dump", "--block 999999", true) == 1, "behind the end");
}

/*--- at random --------------------------------------------------*/

static void damage_once(void)
{
	int i = (int)(sim_random() % NR);
	struct ads_super s = super_of(i);
	uint64_t ring = s.geo.journal_block, k;
	unsigned int n;

	switch (sim_random() % 10) {
	case 0:			/* a superblock */
		flip(i, sim_random() % 2 ? 1 : 3);
		break;
	case 1:			/* both, sometimes */
		if (sim_random() % 3)
			break;
		zero(i, 1, 3);
		break;
	case 2:			/* one of the latest records */
		flip(i, ring_block(i, base_seq - sim_random() % 30));
		break;
	case 3:			/* many records */
		n = (unsigned int)(sim_random() % 100);
		k = sim_random() % (s.geo.journal_blocks - n);
		zero(i, ring + k, n);
		break;
	case 4:			/* a table's header */
		flip(i, s.geo.table_block[sim_random() % 2]);
		break;
	case 5:			/* a table's block */
		flip(i, s.geo.table_block[sim_random() % 2] + 1 +
		     sim_random() % ads_fmt_body_blocks(&s.geo));
		break;
	case 6:			/* the latest records as they were before */
		n = (unsigned int)(sim_random() % 12);
		for (k = 0; k < n; k++)
			memcpy(img[i] + ring_block(i, base_seq - k) * 4096,
			       snap[SNAPS - 1][i] +
			       ring_block(i, base_seq - k) * 4096, 4096);
		break;
	case 7:			/* a table as it was before */
		k = s.geo.table_block[sim_random() % 2];
		n = (unsigned int)(sim_random() % nr_snap);
		memcpy(img[i] + k * 4096, snap[n][i] + k * 4096,
		       (size_t)s.geo.table_blocks * 4096);
		break;
	case 8:			/* all of it as it was before */
		n = (unsigned int)(sim_random() % nr_snap);
		memcpy(img[i] + ring * 4096, snap[n][i] + ring * 4096,
		       (BLOCKS - ring) * 4096);
		break;
	case 9:			/* the last record on all: it never was */
		for (i = 0; i < NR; i++)
			flip(i, ring_block(i, base_seq));
		break;
	}
}

static bool recognised(int i)
{
	return !ads_fmt_super_check((void *)(img[i] + 4096), 0, NULL) ||
	       !ads_fmt_super_check((void *)(img[i] + 3 * 4096), 1, NULL);
}

/* What the tool says of a damage, what the kernel says, what repair makes of it. */
static const char *trial(unsigned int *repaired, unsigned int *dead)
{
	uint64_t map = 0, seq = 0, map2 = 0, seq2 = 0;
	int rc, err;

	reset();
	for (unsigned int n = 1 + (unsigned int)(sim_random() % 6); n; n--)
		damage_once();
	for (int i = 0; i < NR; i++)
		lost[i] = !recognised(i);
	to_files();
	rc = tool("check", "", true);
	if (rc != 0 && rc != 9 && rc != 10)
		return "check has another answer";
	err = kernel(&map, &seq);
	if (!err != (rc != 10))
		return "check and the kernel disagree";
	if (!err && map != map_of[seq])
		return "the kernel has another map";
	*dead += rc == 10;
	rc = repair("");
	if (rc != 0 && rc != 5)
		return "repair has another answer";
	if (rc)
		return err ? NULL : "repair refuses what the kernel loads";
	from_files();
	memset(lost, 0, sizeof(lost));
	if (kernel(&map2, &seq2))
		return "repaired, and the kernel refuses it";
	if (map2 != map_of[seq2])
		return "repaired, and another map";
	if (!err && seq2 != seq)
		return "repair has changed the state";
	++*repaired;
	return NULL;
}

static void test_random(unsigned int trials, uint64_t seed)
{
	unsigned int repaired = 0, dead = 0, bad = 0;

	begin("");
	for (unsigned int i = 0; i < trials; i++) {
		const char *wrong;

		sim_seed(seed + i);
		if (i % 50 == 0)
			make_base(i % 100 ? 600 : 90);
		sim_seed(seed + i);
		wrong = trial(&repaired, &dead);
		if (!wrong)
			continue;
		bad++;
		printf("# trial %u: %s\n# kernel: %s\n", i, wrong, sim_said());
		fprintf(stderr, "%s\n", out);
	}
	printf("# tools.trials %u\n# tools.disagreements %u\n", trials, bad);
	printf("# tools.refused %u\n# tools.repaired %u\n", dead, repaired);
	ok(!bad && (trials < 40 || (dead && repaired)),
	   "at random: check says what the kernel does, repair keeps the map");
}

/* Images for a test of the command line: one whole, one not, one unknown. */
static int make_images(const char *where)
{
	snprintf(dir, sizeof(dir), "%s", where);
	make_base(300);
	reset();
	flip(1, 1);
	flip(2, newest_area(2) + 5);
	flip(2, ring_block(2, base_seq - 1));
	zero(3, 1, 3);
	to_files();
	return 0;
}

int main(int argc, char **argv)
{
	unsigned int trials = argc > 1 ? (unsigned int)atoi(argv[1]) : 20;
	uint64_t seed = argc > 2 ? (uint64_t)atoll(argv[2]) : 1;
	char cmd[128];

	for (int i = 0; i < NR; i++) {
		base[i] = malloc(META);
		img[i] = malloc(META);
		dev[i] = sim_dev_new("x", SECTORS);
	}
	if (argc > 2 && !strcmp(argv[1], "make"))
		return make_images(argv[2]);
	if (!mkdtemp(dir))
		return 1;
	make_base(600);
	test_mends();
	test_stays();
	test_veto();
	test_fork();
	test_bad();
	test_backup();
	test_cuts();
	test_dump();
	test_random(trials, seed);
	sprintf(cmd, "rm -r %s", dir);
	if (system(cmd))
		failed++;
	printf("1..%u\n", count);
	return failed ? 1 : 0;
}
