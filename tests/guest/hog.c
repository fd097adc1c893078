// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * hog: more memory than there is, used at random.
 *
 *	hog MIB SECONDS
 *
 * Fills MIB MiB, then reads and writes pages at random for so long, and checks what it reads: each
 * page says its number and how often it was written. Prints "hog.checked N"; status 0: no difference.
 */
#include <err.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#define PAGE		4096
#define WORDS		(PAGE / sizeof(uint64_t))

static uint64_t word(uint64_t page, uint64_t version, unsigned int i)
{
	return (page << 32 ^ version) * 0x9e3779b97f4a7c15 + i;
}

int main(int argc, char **argv)
{
	uint64_t rnd = 88172645463325252ULL, checked = 0, nr, p;
	uint32_t *version;
	uint64_t *mem;
	time_t end;
	unsigned int i;

	if (argc != 3)
		errx(2, "usage: hog MIB SECONDS");
	nr = strtoull(argv[1], NULL, 0) << 8;
	end = time(NULL) + atoi(argv[2]);
	mem = mmap(NULL, nr * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	version = calloc(nr, sizeof(*version));
	if (mem == MAP_FAILED || !version)
		err(1, "memory");
	for (p = 0; p < nr; p++)
		for (i = 0; i < WORDS; i++)
			mem[p * WORDS + i] = word(p, 0, i);
	while (time(NULL) < end) {
		rnd ^= rnd << 13;
		rnd ^= rnd >> 7;
		rnd ^= rnd << 17;
		p = rnd % nr;
		for (i = 0; i < WORDS; i++)
			if (mem[p * WORDS + i] != word(p, version[p], i))
				errx(1, "page %llu is another one", (unsigned long long)p);
		checked++;
		version[p]++;
		for (i = 0; i < WORDS; i++)
			mem[p * WORDS + i] = word(p, version[p], i);
	}
	printf("hog.checked %llu\n", (unsigned long long)checked);
	return 0;
}
