// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * unpack STATES OFFSET DISK...: writes the state at OFFSET of a file that the replay
 * made to the disks, and prints where the next one is; nothing at the end.
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "log.h"

int main(int argc, char **argv)
{
	struct state_head head;
	struct state_index *index;
	uint64_t at, k, size;
	uint8_t *all;
	int from, to, d;

	if (argc < 4)
		errx(2, "usage: unpack STATES OFFSET DISK...");
	at = strtoull(argv[2], NULL, 0);
	from = open(argv[1], O_RDONLY);
	if (from < 0)
		err(1, "%s", argv[1]);
	if (pread(from, &head, sizeof(head), (off_t)at) != sizeof(head) ||
	    head.magic != STATE_MAGIC)
		return 0;
	if (head.disks != (uint64_t)argc - 3)
		errx(1, "a state of %llu disks", (unsigned long long)head.disks);
	at += sizeof(head);
	size = head.blocks * 4096;
	index = malloc(state_index_bytes(head.nr) + 1);
	all = calloc(head.disks, size);
	if (!index || !all || pread(from, index, state_index_bytes(head.nr), (off_t)at) < 0)
		err(1, "%s", argv[1]);
	at += state_index_bytes(head.nr);
	for (k = 0; k < head.nr; k++, at += 4096)
		if (index[k].disk >= head.disks || index[k].block >= head.blocks ||
		    pread(from, all + index[k].disk * size + index[k].block * 4096ULL,
			  4096, (off_t)at) != 4096)
			errx(1, "%s: damaged", argv[1]);
	for (d = 0; d < argc - 3; d++) {
		to = open(argv[d + 3], O_WRONLY);
		if (to < 0 || pwrite(to, all + d * size, size, 0) != (ssize_t)size ||
		    fsync(to) || close(to))
			err(1, "%s", argv[d + 3]);
	}
	printf("%llu\n", (unsigned long long)at);
	return 0;
}
