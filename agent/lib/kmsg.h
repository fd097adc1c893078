/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel's log says about a request that it refused: device-mapper
 * tells why only there.
 */
#ifndef ADS_KMSG_H
#define ADS_KMSG_H

#include <stddef.h>

/* A descriptor that stands behind the last line of now, or -errno. */
int ads_kmsg_open(void);

/*
 * The last line since then that speaks of adshard, without the prefixes of
 * device-mapper. Closes @fd (which may be negative). False if there is none.
 */
_Bool ads_kmsg_reason(int fd, char *buf, size_t size);

/* The same for one raw record, "<prio>,<seq>,<usec>,-;text": for the tests. */
_Bool ads_kmsg_parse(const char *record, char *buf, size_t size);

#endif
