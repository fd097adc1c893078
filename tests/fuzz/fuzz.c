// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "fuzz.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
const char *__asan_default_options(void);

/*
 * What was freed is remembered for longer than an input takes, but not so long
 * that no cache holds it. Where it was allocated costs more than all the rest:
 * "run" asks for that when a crash is repeated. With one frame only, no leak
 * would be reported.
 */
const char *__asan_default_options(void)
{
	return "quarantine_size_mb=1:malloc_context_size=2:max_malloc_fill_size=64";
}

__attribute__((weak)) void fuzz_init(void)
{
}

__attribute__((weak)) void fuzz_seeds(void)
{
}

void fuzz_broken(const char *file, int line, const char *what)
{
	fprintf(stderr, "%s:%d: must hold: %s\n", file, line, what);
	abort();
}

bool fuzz_printable(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 127)
			return false;
	return true;
}

const char *fuzz_dir(void)
{
	return getenv("FUZZ_DIR") ?: "/tmp";
}

char *fuzz_text(const void *data, size_t size)
{
	char *text = malloc(size + 1);

	must(text);
	if (size)
		memcpy(text, data, size);
	text[size] = 0;
	return text;
}

void fuzz_seed(const char *name, const void *data, size_t size)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", getenv("FUZZ_SEEDS"), name);
	f = fopen(path, "w");
	must(f);
	must(fwrite(data, 1, size, f) == size);
	must(!fclose(f));
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	/* the same everywhere, or a crash might not come again */
	setenv("TZ", "UTC", 1);
	tzset();
	fuzz_init();
	if (getenv("FUZZ_SEEDS")) {
		fuzz_seeds();
		exit(0);
	}
	return 0;
}
