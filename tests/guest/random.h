/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A generator that gives the same series for the same seed: splitmix64. */
#ifndef GUEST_RANDOM_H
#define GUEST_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

static inline uint64_t rnd_next(uint64_t *s)
{
	uint64_t z = *s += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/* 0..n-1 */
static inline uint32_t rnd_below(uint64_t *s, uint32_t n)
{
	return (uint32_t)(rnd_next(s) >> 32) % n;
}

static inline bool rnd_one_in(uint64_t *s, uint32_t n)
{
	return !rnd_below(s, n);
}

#endif
