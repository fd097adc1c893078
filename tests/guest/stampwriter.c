// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * stampwriter: a workload that knows what it wrote, and how long it had to wait.
 *
 *	stampwriter write DIR LEDGER LOG	until SIGTERM
 *	stampwriter verify DIR LEDGER
 *
 * write keeps changing files below DIR: parts of them in place, or whole ones by a new file that
 * is renamed over the old one. Everything is fsynced. Between writes it reads something back,
 * past the page cache, and compares it. The content of a block follows from its file, its number
 * and a sequence number, so nothing has to be remembered but the latter.
 *
 * LOG gets a line a second: uptime, operations, bytes written, blocks read back, and the longest
 * that one write and its fsync took in that second, in microseconds. LEDGER is written at the end:
 * path, sequence number of the last change, size, crc32, for each file, of what it should contain.
 * The first error or difference ends it with status 1 and a sentence.
 *
 * verify reads every file of a ledger and compares its size and crc32.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BLOCK		4096
#define FILES		160
#define FOLDERS		8
#define MAX_BLOCKS	192
#define RUN		16	/* blocks changed or read at once */
#define PAUSE_US	15000

struct file {
	unsigned int nr;
	uint64_t last;
	uint64_t seq[MAX_BLOCKS];
};

static struct file files[FILES];
static const char *dir;
static FILE *logfile;
static uint64_t sequence, rnd = 88172645463325252ULL;
static volatile sig_atomic_t stopped;

static uint64_t ops, bytes, checked, longest_us;

static void stop(int sig)
{
	stopped = 1;
}

static uint64_t step(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return *x;
}

static unsigned int below(unsigned int n)
{
	return (unsigned int)(step(&rnd) >> 16) % n;
}

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static uint32_t crc32(uint32_t crc, const void *data, size_t len)
{
	static uint32_t table[256];
	const uint8_t *p = data;

	for (uint32_t i = 0; !table[255] && i < 256; i++) {
		uint32_t c = i;

		for (int k = 0; k < 8; k++)
			c = c & 1 ? 0xedb88320 ^ c >> 1 : c >> 1;
		table[i] = c;
	}
	crc = ~crc;
	while (len--)
		crc = table[(crc ^ *p++) & 0xff] ^ crc >> 8;
	return ~crc;
}

static void stamp(uint64_t *block, unsigned int file, unsigned int nr, uint64_t seq)
{
	uint64_t x = seq * 0x9e3779b97f4a7c15ULL ^ (uint64_t)file << 32 ^ nr ^ 1;

	block[0] = file;
	block[1] = nr;
	block[2] = seq;
	for (size_t i = 3; i < BLOCK / sizeof(*block); i++)
		block[i] = step(&x);
}

static void path_of(char *path, size_t size, unsigned int file, const char *suffix)
{
	snprintf(path, size, "%s/d%u/f%03u%s", dir, file % FOLDERS, file, suffix);
}

static void must_sync(const char *path)
{
	int fd = open(path, O_RDONLY);

	if (fd < 0 || fsync(fd))
		err(1, "fsync %s", path);
	close(fd);
}

/* Blocks first.. of the file, with a new sequence number; timed, fsync included. */
static void put(unsigned int file, const char *path, int flags, unsigned int first, unsigned int nr)
{
	static uint64_t buf[MAX_BLOCKS * BLOCK / sizeof(uint64_t)];
	uint64_t seq = ++sequence, start, took;
	struct file *f = &files[file];
	size_t len = (size_t)nr * BLOCK;
	int fd;

	for (unsigned int i = 0; i < nr; i++)
		stamp(buf + i * (BLOCK / sizeof(*buf)), file, first + i, seq);
	start = now_us();
	fd = open(path, O_WRONLY | flags, 0644);
	if (fd < 0)
		err(1, "open %s", path);
	if (pwrite(fd, buf, len, (off_t)first * BLOCK) != (ssize_t)len)
		err(1, "write %s", path);
	if (fsync(fd))
		err(1, "fsync %s", path);
	took = now_us() - start;
	if (close(fd))
		err(1, "close %s", path);
	for (unsigned int i = 0; i < nr; i++)
		f->seq[first + i] = seq;
	f->last = seq;
	ops++;
	bytes += len;
	if (took > longest_us)
		longest_us = took;
}

static void replace(unsigned int file)
{
	char path[512], new[512], folder[512];

	path_of(path, sizeof(path), file, "");
	path_of(new, sizeof(new), file, ".new");
	put(file, new, O_CREAT | O_TRUNC, 0, files[file].nr);
	if (rename(new, path))
		err(1, "rename %s", new);
	snprintf(folder, sizeof(folder), "%s/d%u", dir, file % FOLDERS);
	must_sync(folder);
}

static void check(unsigned int file, unsigned int first, unsigned int nr)
{
	static uint64_t buf[RUN * BLOCK / sizeof(uint64_t)], want[BLOCK / sizeof(uint64_t)];
	size_t len = (size_t)nr * BLOCK;
	char path[512];
	int fd;

	path_of(path, sizeof(path), file, "");
	fd = open(path, O_RDONLY);
	if (fd < 0)
		err(1, "open %s", path);
	/* all of it is clean: this empties the cache of it */
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	if (pread(fd, buf, len, (off_t)first * BLOCK) != (ssize_t)len)
		err(1, "read %s", path);
	close(fd);
	for (unsigned int i = 0; i < nr; i++) {
		stamp(want, file, first + i, files[file].seq[first + i]);
		if (memcmp(buf + i * (BLOCK / sizeof(*buf)), want, BLOCK))
			errx(1, "%s: block %u is not what was written (sequence %llu)", path, first + i,
			     (unsigned long long)files[file].seq[first + i]);
	}
	checked += nr;
}

static void log_line(int last)
{
	static uint64_t next;
	uint64_t t = now_us();

	if (t < next && !last)
		return;
	next = t + 1000000;
	fprintf(logfile, "%.1f %llu %llu %llu %llu\n", (double)t / 1e6, (unsigned long long)ops,
		(unsigned long long)bytes, (unsigned long long)checked,
		(unsigned long long)longest_us);
	fflush(logfile);
	longest_us = 0;
}

static void write_ledger(const char *name)
{
	uint64_t block[BLOCK / sizeof(uint64_t)];
	FILE *f = fopen(name, "w");

	if (!f)
		err(1, "%s", name);
	for (unsigned int i = 0; i < FILES; i++) {
		uint32_t crc = 0;

		for (unsigned int b = 0; b < files[i].nr; b++) {
			stamp(block, i, b, files[i].seq[b]);
			crc = crc32(crc, block, BLOCK);
		}
		fprintf(f, "d%u/f%03u %llu %u %08x\n", i % FOLDERS, i,
			(unsigned long long)files[i].last, files[i].nr * BLOCK, crc);
	}
	if (fclose(f))
		err(1, "%s", name);
}

static int work(const char *ledger, const char *log)
{
	char folder[512];

	logfile = fopen(log, "w");
	if (!logfile)
		err(1, "%s", log);
	for (unsigned int i = 0; i < FOLDERS; i++) {
		snprintf(folder, sizeof(folder), "%s/d%u", dir, i);
		if (mkdir(folder, 0755) && errno != EEXIST)
			err(1, "mkdir %s", folder);
	}
	must_sync(dir);
	for (unsigned int i = 0; i < FILES; i++) {
		files[i].nr = 1 + below(MAX_BLOCKS);
		replace(i);
		log_line(0);
	}
	fprintf(logfile, "filled\n");
	while (!stopped) {
		unsigned int file = below(FILES), nr = files[file].nr, first = below(nr), run;
		char path[512];

		run = 1 + below(RUN);
		if (run > nr - first)
			run = nr - first;
		path_of(path, sizeof(path), file, "");
		if (below(20) == 0)
			replace(file);
		else
			put(file, path, 0, first, run);
		file = below(FILES);
		run = files[file].nr < RUN ? files[file].nr : RUN;
		check(file, below(files[file].nr - run + 1), run);
		log_line(0);
		usleep(PAUSE_US);
	}
	log_line(1);
	write_ledger(ledger);
	fclose(logfile);
	printf("%llu writes, %llu MiB, %llu blocks read back and compared\n",
	       (unsigned long long)ops, (unsigned long long)bytes >> 20,
	       (unsigned long long)checked);
	return 0;
}

static int verify(const char *ledger)
{
	unsigned long long total = 0, seq;
	unsigned int nr = 0, bad = 0, size, want;
	char name[256], path[600];
	FILE *f = fopen(ledger, "r");

	if (!f)
		err(1, "%s", ledger);
	while (fscanf(f, "%255s %llu %u %x", name, &seq, &size, &want) == 4) {
		static uint8_t buf[MAX_BLOCKS * BLOCK + 1];
		ssize_t len;
		uint32_t crc;
		int fd;

		snprintf(path, sizeof(path), "%s/%s", dir, name);
		fd = open(path, O_RDONLY);
		len = fd < 0 ? -1 : read(fd, buf, sizeof(buf));
		if (len < 0)
			warn("%s", path);
		crc = len < 0 ? 0 : crc32(0, buf, (size_t)len);
		if (len != (ssize_t)size || crc != want) {
			warnx("%s: %zd bytes with checksum %08x, not %u with %08x (sequence %llu)", path,
			      len, crc, size, want, seq);
			bad++;
		}
		if (fd >= 0)
			close(fd);
		nr++;
		total += size;
	}
	fclose(f);
	printf("%u files, %llu MiB, %u wrong\n", nr, total >> 20, bad);
	return bad || nr != FILES;
}

int main(int argc, char **argv)
{
	struct sigaction sa = { .sa_handler = stop };

	if (argc == 5 && !strcmp(argv[1], "write")) {
		dir = argv[2];
		sigaction(SIGTERM, &sa, NULL);
		return work(argv[3], argv[4]);
	}
	if (argc == 4 && !strcmp(argv[1], "verify")) {
		dir = argv[2];
		return verify(argv[3]);
	}
	fprintf(stderr, "usage: stampwriter write DIR LEDGER LOG | verify DIR LEDGER\n");
	return 2;
}
