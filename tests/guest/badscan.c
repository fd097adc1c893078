// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * badscan: which sectors of a device can't be read, and which hold something else than a model.
 *
 *	badscan DEVICE MODEL [FIRST COUNT]
 *
 * DEVICE is read past the page cache, sector by sector where a larger piece fails. Prints
 * "unreadable FIRST COUNT" and "wrong FIRST COUNT" lines, sectors of 512 bytes; nothing if all is
 * as in MODEL. Status 0: whatever was found, 1: an error that is none of the medium's.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECTOR	512
#define PIECE	256

static const char *what;		/* of the run that is not printed yet */
static unsigned long run_first, run_count;

static void print_run(void)
{
	if (run_count)
		printf("%s %lu %lu\n", what, run_first, run_count);
	run_count = 0;
}

static void found(const char *kind, unsigned long sector)
{
	if (run_count && what == kind && sector == run_first + run_count) {
		run_count++;
		return;
	}
	print_run();
	what = kind;
	run_first = sector;
	run_count = 1;
}

static bool get(int fd, void *buf, unsigned long sector, unsigned long count)
{
	size_t size = count * SECTOR;
	ssize_t n = pread(fd, buf, size, (off_t)(sector * SECTOR));

	if (n < 0 && errno != EIO && errno != ENODATA)
		err(1, "sector %lu", sector);
	return n == (ssize_t)size;
}

int main(int argc, char **argv)
{
	static const char unreadable[] = "unreadable", wrong[] = "wrong";
	unsigned long first = 0, end, at, n, i;
	char *buf, *want;
	int dev, model;

	if (argc != 3 && argc != 5)
		errx(1, "see the top of its source");
	dev = open(argv[1], O_RDONLY | O_DIRECT);
	model = open(argv[2], O_RDONLY);
	if (dev < 0 || model < 0)
		err(1, "%s, %s", argv[1], argv[2]);
	end = (unsigned long)lseek(dev, 0, SEEK_END) / SECTOR;
	if (argc == 5) {
		first = strtoul(argv[3], NULL, 10);
		end = first + strtoul(argv[4], NULL, 10);
	}
	if (posix_memalign((void **)&buf, 4096, (size_t)PIECE * SECTOR))
		errx(1, "out of memory");
	want = malloc((size_t)PIECE * SECTOR);
	if (!want)
		errx(1, "out of memory");
	for (at = first; at < end; at += n) {
		bool whole;

		n = end - at < PIECE ? end - at : PIECE;
		if (!get(model, want, at, n))
			errx(1, "the model ends before sector %lu", at + n);
		whole = get(dev, buf, at, n);
		for (i = 0; i < n; i++) {
			if (!whole && !get(dev, buf + i * SECTOR, at + i, 1))
				found(unreadable, at + i);
			else if (memcmp(buf + i * SECTOR, want + i * SECTOR, SECTOR))
				found(wrong, at + i);
		}
	}
	print_run();
	return 0;
}
