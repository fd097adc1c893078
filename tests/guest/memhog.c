// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * memhog: uses more memory than there is, and looks whether it keeps it.
 *
 *	memhog MIB SECONDS SEED
 *
 * Writes every page of so many MiB with what follows from its number and its round; then, for so
 * many seconds, reads and rewrites random pages; last, reads all of them. Prints counts.
 * Status 0: each page was what had been written to it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#include "random.h"

#define PAGE	4096
#define WORDS	(PAGE / 8)

static uint64_t seed, checked, wrong;
static uint32_t *rounds;

static uint64_t word(uint64_t page, unsigned int i)
{
	uint64_t s = seed ^ page << 20 ^ (uint64_t)rounds[page] << 44 ^ i;

	return rnd_next(&s);
}

/* A few words of each, which is as good as all: pages come and go as a whole. */
static void put(uint64_t *mem, uint64_t page)
{
	for (unsigned int i = 0; i < WORDS; i += 64)
		mem[page * WORDS + i] = word(page, i);
}

static void check(const uint64_t *mem, uint64_t page)
{
	checked++;
	for (unsigned int i = 0; i < WORDS; i += 64)
		if (mem[page * WORDS + i] != word(page, i)) {
			wrong++;
			return;
		}
}

int main(int argc, char **argv)
{
	uint64_t pages, i, *mem;
	time_t end;

	if (argc != 4) {
		fprintf(stderr, "usage: memhog MIB SECONDS SEED\n");
		return 2;
	}
	pages = strtoull(argv[1], NULL, 10) << 8;
	seed = strtoull(argv[3], NULL, 10);
	mem = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	rounds = calloc(pages, sizeof(*rounds));
	if (mem == MAP_FAILED || !rounds) {
		perror("memhog");
		return 2;
	}
	for (i = 0; i < pages; i++)
		put(mem, i);
	end = time(NULL) + atoi(argv[2]);
	for (uint64_t s = seed; time(NULL) < end;) {
		i = rnd_below(&s, pages);
		check(mem, i);
		rounds[i]++;
		put(mem, i);
	}
	for (i = 0; i < pages; i++)
		check(mem, i);
	printf("memhog.pages %llu\nmemhog.checked %llu\nmemhog.wrong %llu\n", (unsigned long long)pages,
	       (unsigned long long)checked, (unsigned long long)wrong);
	return wrong ? 1 : 0;
}
