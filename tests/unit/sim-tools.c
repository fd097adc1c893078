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

#include "format-host.h"
#include "../../kernel/format.h"
#include "../sim/sim.h"

#define NR	4
#define SECTORS	(20ULL << 11)
#define META	(3 << 20)		/* bytes before the data */
#define BLOCKS	(META / 4096)
#define CTL	"build/agent/bin/adshardctl"
#define SNAPS	8
#define MAX_SEQ	4096

static unsigned int count, failed;
/* in memory: a repair is full of fsyncs */
static char dir[64] = "/dev/shm/sim-tools-XXXXXX";
static uint8_t uuid[16];
static struct sim_dev *dev[NR];
static uint8_t *base[NR], *img[NR];	/* the pool as made; as damaged */
static uint8_t *snap[SNAPS][NR];
static unsigned int nr_snap;
static uint64_t map_of[MAX_SEQ];	/* by record */
static uint64_t base_seq;
static bool present[NR], lost[NR];
static uint64_t size_of[NR];
static char out[8 << 20];
static char what[128];			/* the case at hand */

static bool ok(bool good, const char *name)
{
	printf("%sok %u - %s%s%s\n", good ? "" : "not ", ++count, what,
	       *what ? ": " : "", name);
	if (!good)
		fprintf(stderr, "# %s\n%.2000s\n", sim_said(), out);
	failed += !good;
	return good;
}

/*--- the pool ---------------------------------------------------*/

static uint64_t map_sum(const struct sim_pool *pool)
{
	uint64_t sum = 1;

	for (uint32_t i = 0; i < sim_pool_segments(pool); i++)
		sum = sum * 1099511628211ULL + sim_pool_place(pool, i) * NR +
		      sim_pool_segment(pool, i).member;
	return sum;
}

static void keep(void)
{
	if (nr_snap == SNAPS)
		return;
	for (int i = 0; i < NR; i++) {
		snap[nr_snap][i] = malloc(META);
		memcpy(snap[nr_snap][i], sim_dev_image(dev[i]), META);
	}
	nr_snap++;
}

static void note(struct sim_pool *pool)
{
	if (sim_pool_seq(pool) < MAX_SEQ)
		map_of[sim_pool_seq(pool)] = map_sum(pool);
}

static void move_some(struct sim_pool *pool, unsigned int n)
{
	while (n--) {
		sim_pool_move(pool, (uint32_t)(sim_random() %
					       sim_pool_segments(pool)),
			      (uint16_t)(sim_random() % NR));
		note(pool);
	}
}

static struct sim_pool *activate(void)
{
	struct sim_pool *pool = sim_pool_new(dev, NR, uuid, 0);

	if (sim_pool_load(pool, NULL)) {
		fprintf(stderr, "%s", sim_said());
		exit(1);
	}
	note(pool);
	return pool;
}

/* Makes the pool, with moves and checkpoints; keeps pictures of its past. */
static void make_base(unsigned int moves)
{
	struct sim_format f = { .name = "tank", .segment_shift = 11,
				.chunk_shift = 7 };
	static const char *const name[NR] = { "a", "b", "c", "d" };
	struct sim_pool *pool;

	for (unsigned int s = 0; s < nr_snap; s++)
		for (int i = 0; i < NR; i++)
			free(snap[s][i]);
	nr_snap = 0;
	memset(map_of, 0, sizeof(map_of));
	for (unsigned int i = 0; i < NR; i++) {
		sim_dev_free(dev[i]);
		dev[i] = sim_dev_new(name[i], SECTORS);
	}
	pool = sim_pool_new(dev, NR, NULL, 30 << 11);
	if (sim_pool_load(pool, &f))
		exit(1);
	memcpy(uuid, sim_pool_uuid(pool), 16);
	note(pool);
	for (unsigned int i = 0; i < SNAPS; i++) {
		move_some(pool, moves / SNAPS);
		keep();
		if (i == SNAPS / 2) {
			sim_pool_free(pool);
			pool = activate();
		}
	}
	move_some(pool, 3);
	base_seq = sim_pool_seq(pool);
	sim_pool_free(pool);
	for (int i = 0; i < NR; i++)
		memcpy(base[i], sim_dev_image(dev[i]), META);
}

static void reset(void)
{
	for (int i = 0; i < NR; i++) {
		memcpy(img[i], base[i], META);
		present[i] = true;
		lost[i] = false;
		size_of[i] = SECTORS * 512;
	}
}

/*--- the kernel's word ------------------------------------------*/

/* Loads what is in @img; *map and *seq are those before the activation. */
static int kernel(uint64_t *map, uint64_t *seq)
{
	struct sim_dev *d[NR];
	struct sim_pool *pool;
	uint8_t *copy[NR];
	unsigned int n = 0;
	int err;

	for (int i = 0; i < NR; i++) {
		if (!present[i] || lost[i])
			continue;
		copy[n] = calloc(1, size_of[i]);
		memcpy(copy[n], img[i], META);
		d[n] = sim_dev_over("x", copy[n], size_of[i] / 512);
		n++;
	}
	sim_hush();
	err = -ENODEV;
	if (n) {
		pool = sim_pool_new(d, n, uuid, 0);
		err = sim_pool_load(pool, NULL);
		if (!err) {
			*map = map_sum(pool);
			*seq = sim_pool_seq(pool) - 1;
		}
		sim_pool_free(pool);
	}
	while (n--) {
		sim_dev_free(d[n]);
		free(copy[n]);
	}
	return err;
}

/*--- the tool's word --------------------------------------------*/

static void path_of(int i, char *path)
{
	sprintf(path, "%s/%d", dir, i);
}

static void to_files(void)
{
	char path[128];

	for (int i = 0; i < NR; i++) {
		int fd;

		path_of(i, path);
		unlink(path);
		if (!present[i])
			continue;
		fd = open(path, O_WRONLY | O_CREAT, 0600);
		if (fd < 0 || pwrite(fd, img[i], META, 0) != META ||
		    ftruncate(fd, (off_t)size_of[i]))
			exit(1);
		close(fd);
	}
}

static void from_files(void)
{
	char path[128];

	for (int i = 0; i < NR; i++) {
		int fd;

		path_of(i, path);
		fd = open(path, O_RDONLY);
		if (fd < 0)
			continue;
		if (pread(fd, img[i], META, 0) != META)
			exit(1);
		close(fd);
	}
}

/* Runs the tool on all files that are there; its output is in @out. */
static int tool(const char *verb, const char *args, bool files)
{
	char cmd[1024], path[128];
	size_t n;
	FILE *p;
	int rc;

	n = (size_t)snprintf(cmd, sizeof(cmd), CTL " %s %s", verb, args);
	for (int i = 0; files && i < NR; i++) {
		path_of(i, path);
		if (!access(path, F_OK))
			n += (size_t)sprintf(cmd + n, " %s", path);
	}
	sprintf(cmd + n, " 2>&1");
	p = popen(cmd, "r");
	if (!p)
		exit(1);
	n = fread(out, 1, sizeof(out) - 1, p);
	out[n] = '\0';
	rc = pclose(p);
	return WIFEXITED(rc) ? WEXITSTATUS(rc) : -1;
}

static const char *backup(void)
{
	static char path[128];

	sprintf(path, "%s/bak", dir);
	return path;
}

static int repair(const char *more)
{
	char args[256];

	unlink(backup());
	snprintf(args, sizeof(args), "--yes --backup %s %s", backup(), more);
	return tool("repair", args, true);
}

/*--- damage -----------------------------------------------------*/

static void zero(int i, uint64_t block, uint64_t nr)
{
	memset(img[i] + block * 4096, 0, nr * 4096);
}

static void flip(int i, uint64_t block)
{
	img[i][block * 4096 + sim_random() % 4096] ^= 1U << sim_random() % 8;
}

static struct ads_super super_of(int i)
{
	struct ads_super s;

	ads_fmt_super_decode((void *)(base[i] + 4096), &s);
	return s;
}

static uint64_t ring_block(int i, uint64_t seq)
{
	struct ads_super s = super_of(i);

	return s.geo.journal_block + ads_fmt_ring_index(&s.geo, seq);
}

static uint64_t newest_area(int i)
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
	ads_fmt_seg_encode(&seg, 0, 0);
	ads_fmt_record_add(r, ADSHARD_ENTRY_SEG, 0, &seg, sizeof(seg));
	ads_fmt_record_add(r, ADSHARD_ENTRY_SEG, 1, &seg, sizeof(seg));
}

static void forge_history(int i)
{
	struct ads_super s = super_of(i);
	struct adshard_table *t = (void *)(img[i] + other_area(i) * 4096);

	t->state.history = ~t->state.history;
	ads_fmt_table_seal(t, &s.geo, s.uuid,
			   other_area(i) == s.geo.table_block[1]);
}

/*--- one thing at a time ----------------------------------------*/

static void check_is(int want, const char *word)
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
static void mends(int want, const char *word, const char *more)
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

static void begin(const char *name)
{
	snprintf(what, sizeof(what), "%s", name);
	reset();
}

static void test_mends(void)
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

static void test_stays(void)
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
static void test_veto(void)
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
	ads_fmt_seg_encode(&seg, 1, 16 * 16);
	ads_fmt_record_add(r, ADSHARD_ENTRY_SEG, 7, &seg, sizeof(seg));
}

/*
 * A member alone has a record that an activation didn't see; the others went on,
 * and so did it. Its record was given up.
 */
static void test_fork(void)
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
