// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * crash-cut: power cuts, and whether anything is lost by them. For the guests.
 *
 *	crash-cut [option...] many	many trials in one boot
 *	crash-cut [option...] check | sum | load | figures	of a boot, see boot.c
 *
 *	-n N	trials [10]		-s SEED [1]
 *	-f N	number of the first one [0]
 *	-w US	latency of the slow disks [0: none are]
 *	-t S	seconds that one trial may take [120]
 *	-r N	legs that each segment gets at first [1]; of 2 and more they come and go, and miss writes
 *	-l, -p	negative controls: a disk lies about flushes; writes are only pretended.  They go on
 *		after a failure.
 *
 *	-m FILE	the oracle's memory, -M N: members of the pool (of boots)
 *
 * Prints what went wrong as lines with "#", then figures as "name value".
 * Status: 0 nothing was lost, 1 something was, 2 it could not be tried, 3 a trial hangs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "main.h"

int main(int argc, char **argv)
{
	struct options opt = { .seed = 1, .trials = 10, .limit = 120, .members = 4, .legs = 1 };
	int c;

	setvbuf(stdout, NULL, _IOLBF, 0);
	while ((c = getopt(argc, argv, "n:s:f:w:t:r:m:M:lp")) != -1)
		switch (c) {
		case 'n': opt.trials = strtoul(optarg, NULL, 10); break;
		case 's': opt.seed = strtoull(optarg, NULL, 10); break;
		case 'f': opt.first = strtoul(optarg, NULL, 10); break;
		case 'w': opt.latency = (unsigned int)strtoul(optarg, NULL, 10); break;
		case 't': opt.limit = (unsigned int)strtoul(optarg, NULL, 10); break;
		case 'r': opt.legs = (unsigned int)strtoul(optarg, NULL, 10); break;
		case 'M': opt.members = (unsigned int)strtoul(optarg, NULL, 10); break;
		case 'm': opt.memory = optarg; break;
		case 'l': opt.lie = true; break;
		case 'p': opt.pretend = true; break;
		default: return 2;
		}
	if (optind + 1 == argc && !strcmp(argv[optind], "many"))
		return cut_many(&opt);
	if (optind + 1 == argc && opt.memory)
		return cut_boot(&opt, argv[optind]);
	fprintf(stderr, "crash-cut: see the top of its source\n");
	return 2;
}
