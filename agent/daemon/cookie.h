/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the agent puts into the cookies of its migrations: a tag, and the job's
 * number below it. Whoever sees one in the kernel, after a restart too, knows whose
 * it is; what has another tag was begun by the operator.
 */
#ifndef ADSHARDD_COOKIE_H
#define ADSHARDD_COOKIE_H

#include <stdbool.h>
#include <stdint.h>

#define COOKIE_EVACUATE	0x4144ULL
#define COOKIE_PLAN	0x4150ULL
#define COOKIE_REBUILD	0x4152ULL

static inline uint64_t cookie_make(uint64_t tag, uint64_t job)
{
	return tag << 48 | (job & 0xffffffffffffULL);
}

static inline bool cookie_is(uint64_t cookie, uint64_t tag)
{
	return cookie >> 48 == tag;
}

static inline bool cookie_is_agent(uint64_t cookie)
{
	return cookie_is(cookie, COOKIE_EVACUATE) ||
	       cookie_is(cookie, COOKIE_PLAN) ||
	       cookie_is(cookie, COOKIE_REBUILD);
}

#endif
