/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How busy the host itself is: a slow answer of a starved host is not the disk's.
 */
#ifndef ADSHARDD_HOST_H
#define ADSHARDD_HOST_H

#include <stdbool.h>

enum host_what { HOST_CPU, HOST_MEMORY, HOST_IO, HOST_WHAT };

struct host {
	bool pressure;			/* the kernel tells */
	double some[HOST_WHAT];		/* share of the last minute in which some
					 * task waited for it, 0..1 */
	double full[HOST_WHAT];		/* all tasks */
	bool known;			/* there was a look before this one */
	double busy, steal, iowait;	/* of all processors' time since then */
	double available;		/* memory, 0..1; negative: not known */
	unsigned long long total_ticks, ticks[3];	/* as last seen */
};

const char *host_what_name(enum host_what what);	/* "cpu" */

/* The two lines of /proc/pressure/X. */
bool host_parse_pressure(const char *text, double *some, double *full);
/* The first line of /proc/stat: @h's shares since the last call. */
bool host_parse_stat(const char *text, struct host *h);
/* /proc/meminfo; negative: it does not say. */
double host_parse_memory(const char *text);

/* Looks at all of it. */
void host_look(struct host *h);

/*
 * It waits for processors or memory for more than @share of a minute: latencies say
 * little.
 */
bool host_is_starved(const struct host *h, double share);

#endif
