// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The table line.
 *
 * Input: its text.
 *
 * Options: -max_len=300
 * Words: kernel/args.c
 */
#include <stdlib.h>

#include "../../kernel/target.h"
#include "fuzz.h"

static void check_format(const struct ads_format *f)
{
	must(f->segment_shift >= ADSHARD_SEGMENT_SHIFT_MIN &&
	     f->segment_shift <= ADSHARD_SEGMENT_SHIFT_MAX);
	must(f->chunk_shift >= ADSHARD_CHUNK_SHIFT_MIN &&
	     f->chunk_shift <= ADSHARD_CHUNK_SHIFT_MAX);
	must(f->chunk_shift <= f->segment_shift);
	must(strlen(f->name) < sizeof(f->name));
	for (const char *c = f->name; *c; c++)
		must(*c > ' ' && *c < 127 && *c != '/');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *line = fuzz_text(data, size), *save = NULL, *word, **argv;
	struct dm_target ti = { 0 };
	struct ads_args args;
	unsigned int argc = 0;
	int err;

	/* of its very size, so that reading beyond it is seen */
	for (const char *c = line; *c; c++)
		argc += *c == ' ';
	argv = malloc((argc + 1) * sizeof(*argv));
	argc = 0;
	for (word = strtok_r(line, " ", &save); word;
	     word = strtok_r(NULL, " ", &save))
		argv[argc++] = word;
	argv = realloc(argv, (argc ? argc : 1) * sizeof(*argv));
	err = ads_args_parse(&ti, argc, argv, &args);
	must(err == 0 || err == -EINVAL);
	must(!!err == !!ti.error);
	if (!err) {
		must(args.nr_devs && args.nr_devs <= ADSHARD_MAX_MEMBERS);
		must(args.devs >= argv && args.devs + args.nr_devs <= argv + argc);
		for (unsigned int i = 0; i < args.nr_devs; i++)
			must(args.devs[i][0]);
		check_format(&args.format);
	}
	free(argv);
	free(line);
	return 0;
}

void fuzz_seeds(void)
{
	static const char *const lines[] = {
		"- 2 /dev/sda /dev/sdb",
		"- 1 8:0 6 segment_size 2048 chunk_size 128 name tank",
		"- 2 a b 8 uuid a0b1c2d3-e4f5-0617-2839-4a5b6c7d8e9f name x segment_size 33554432 chunk_size 2048",
		"a0b1c2d3-e4f5-0617-2839-4a5b6c7d8e9f 2 a b",
		"a0b1c2d3-e4f5-0617-2839-4a5b6c7d8e9f 1 a 2 name x",
		"- 1025 a", "- 1 a 9 name", "- 1 a 1 name", "- 1 a 0 x",
	};
	char name[8];

	for (unsigned int i = 0; i < 9; i++) {
		snprintf(name, sizeof(name), "%u", i);
		fuzz_seed(name, lines[i], strlen(lines[i]));
	}
}
