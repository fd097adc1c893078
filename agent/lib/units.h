/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers for people, and back.
 */
#ifndef ADS_UNITS_H
#define ADS_UNITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * "4096", "64K", "1.5GiB", "10GB": suffixes K M G T P E are powers of 1024, with
 * "iB" too; with "B" alone (KB, MB) powers of 1000. -EINVAL, -ERANGE.
 */
int ads_parse_size(const char *s, uint64_t *bytes);

/* Plain decimal number up to @max. -EINVAL, -ERANGE. */
int ads_parse_u64(const char *s, uint64_t max, uint64_t *out);

/* "90", "90s", "5m", "2h", "1d", "1.5h", "20ms" in seconds. */
int ads_parse_duration(const char *s, double *seconds);

/* "1.5 GiB" (or "1.5G" with @brief); exact if it is a whole number of units. */
char *ads_format_size(uint64_t bytes, bool brief, char *buf, size_t size);

/* "45s", "2m05s", "3h12m", "2d4h"; "-" for a negative number. */
char *ads_format_duration(double seconds, char *buf, size_t size);

/*
 * "12.3%". 100.0% only if done == total, 0.0% only if done == 0; "-" if total
 * is 0. More done than total counts as total.
 */
char *ads_format_percent(uint64_t done, uint64_t total, char *buf, size_t size);
double ads_percent(uint64_t done, uint64_t total);	/* same rule, 0..100 */

/* "2026-03-01T12:00:00Z" of seconds since the epoch. */
char *ads_format_time(uint64_t seconds, char *buf, size_t size);

/* 36 characters and a NUL. */
#define ADS_UUID_STR	37
char *ads_format_uuid(const uint8_t *uuid, char buf[ADS_UUID_STR]);
int ads_parse_uuid(const char *s, uint8_t *uuid);	/* -EINVAL */

#endif
