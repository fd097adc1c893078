/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel's log says about a request that it refused: device-mapper
 * tells why only there.
 */
#ifndef ADS_KMSG_H
#define ADS_KMSG_H

#include <stdbool.h>
#include <stddef.h>

/* A descriptor that stands behind the last line of now, or -errno. */
int ads_kmsg_open(void);

/*
 * What adshard has reported as errors since then, joined by "; "; if that is
 * nothing, what device-mapper has against the table. Closes @fd (which may be
 * negative). False, and an empty text, if there is neither.
 */
bool ads_kmsg_reason(int fd, char *buf, size_t size);

enum ads_kmsg_kind {
	ADS_KMSG_OTHER,		/* nothing of ours */
	ADS_KMSG_REASON,	/* an error that adshard reports */
	ADS_KMSG_TABLE,		/* ti->error of a refused table */
};

/* One raw record, "<prio>,<seq>,<usec>,-;text", without its prefixes. */
enum ads_kmsg_kind ads_kmsg_parse(const char *record, char *buf, size_t size);

#endif
