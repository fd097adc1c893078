/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the fuzz targets share.
 *
 * A target is a program of libFuzzer's: LLVMFuzzerTestOneInput() gets an input
 * and must come back, whatever is in it. A sanitizer that complains, a must()
 * that does not hold, a leak and a hang are crashes.
 *
 *	fuzz_init()	once, at the start
 *	fuzz_seeds()	calls fuzz_seed() for each input to begin with; called
 *			instead of fuzzing if $FUZZ_SEEDS names a directory
 *
 * Both may be left out. Seeds that are text, and inputs that once crashed a target
 * (crash-*), are in seeds/<target>/.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

void fuzz_init(void);
void fuzz_seeds(void);
void fuzz_seed(const char *name, const void *data, size_t size);

#define must(cond) \
	((cond) ? (void)0 : fuzz_broken(__FILE__, __LINE__, #cond))
__attribute__((noreturn))
void fuzz_broken(const char *file, int line, const char *what);

/* Takes the input apart; at its end everything is zero. */
struct fuzz_in {
	const uint8_t *at;
	size_t left;
};

static inline size_t fuzz_take(struct fuzz_in *in, void *out, size_t size)
{
	size_t n = size < in->left ? size : in->left;

	memset(out, 0, size);
	if (n)
		memcpy(out, in->at, n);
	in->at += n;
	in->left -= n;
	return n;
}

static inline uint8_t fuzz_u8(struct fuzz_in *in)
{
	uint8_t v;

	fuzz_take(in, &v, sizeof(v));
	return v;
}

static inline uint16_t fuzz_u16(struct fuzz_in *in)
{
	uint16_t v;

	fuzz_take(in, &v, sizeof(v));
	return v;
}

static inline uint32_t fuzz_u32(struct fuzz_in *in)
{
	uint32_t v;

	fuzz_take(in, &v, sizeof(v));
	return v;
}

static inline uint64_t fuzz_u64(struct fuzz_in *in)
{
	uint64_t v;

	fuzz_take(in, &v, sizeof(v));
	return v;
}

/* For what can't be in memory. */
const char *fuzz_dir(void);

/* Nothing that would do something to a terminal. */
bool fuzz_printable(const char *text);

/* A copy with a NUL behind it, in memory of its very size: free() it. */
char *fuzz_text(const void *data, size_t size);

#endif
