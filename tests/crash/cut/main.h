/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CUT_MAIN_H
#define CUT_MAIN_H

#include <stdbool.h>
#include <stdint.h>

struct options {
	uint64_t seed;
	unsigned long first, trials;
	unsigned int latency;		/* of some disks, at most, in microseconds */
	unsigned int legs;		/* of each segment */
	unsigned int limit;		/* seconds for one trial, against hangs */
	bool lie;			/* negative control: a disk that takes no flushes */
	bool pretend;			/* negative control: writes that are not sent */
	unsigned int members;		/* of the pool of boot */
	const char *memory;		/* boot: of the oracle */
};

int cut_many(const struct options *opt);
int cut_boot(const struct options *opt, const char *what);

#endif
