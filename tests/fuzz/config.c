// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The configuration and its drop-ins. What was taken is printed, and taken again
 * it must be the same; what was refused must not spoil the next one.
 *
 * Input: the file, and behind bytes of 255 up to three drop-ins.
 *
 * Options: -max_len=1500
 * Words: agent/daemon/config.c
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/config.h"
#include "fuzz.h"

#define FILES	4

static struct {
	const uint8_t *at;
	size_t size;
} file[FILES];
static int nr_files;

FILE *__wrap_fopen64(const char *path, const char *mode);
FILE *__real_fopen64(const char *path, const char *mode);
int __wrap_scandir64(const char *dir, struct dirent64 ***list,
		     int (*want)(const struct dirent64 *),
		     int (*order)(const struct dirent64 **,
				  const struct dirent64 **));

FILE *__wrap_fopen64(const char *path, const char *mode)
{
	int i;

	if (!strcmp(path, "fuzz.conf"))
		i = 0;
	else if (!strncmp(path, "fuzz.conf.d/", 12))
		i = path[12] - '0';
	else
		return __real_fopen64(path, mode);
	must(i < nr_files);
	return fmemopen((void *)file[i].at, file[i].size, "r");
}

int __wrap_scandir64(const char *dir, struct dirent64 ***list,
		     int (*want)(const struct dirent64 *),
		     int (*order)(const struct dirent64 **,
				  const struct dirent64 **))
{
	struct dirent64 **out;

	if (nr_files == 1) {
		errno = ENOENT;
		return -1;
	}
	out = calloc(nr_files - 1, sizeof(*out));
	must(out);
	for (int i = 1; i < nr_files; i++) {
		out[i - 1] = calloc(1, sizeof(**out));
		must(out[i - 1]);
		snprintf(out[i - 1]->d_name, 16, "%d.conf", i);
		must(want(out[i - 1]));
	}
	*list = out;
	return nr_files - 1;
}

static void check_bounds(const struct config *c)
{
	for (const struct config_key *k = config_keys; k->name; k++) {
		const char *at = (const char *)c + k->offset;

		if (k->type == CONFIG_STRING)
			must((at[0] == '/' || !strcmp(k->name, "devices")) &&
			     strlen(at) < (size_t)k->max);
		else
			must(*(const long *)at >= k->min &&
			     *(const long *)at <= k->max);
	}
}

static bool same(const struct config *a, const struct config *b)
{
	for (const struct config_key *k = config_keys; k->name; k++) {
		const char *x = (const char *)a + k->offset;
		const char *y = (const char *)b + k->offset;

		if (k->type == CONFIG_STRING ? strcmp(x, y) :
		    *(const long *)x != *(const long *)y)
			return false;
	}
	return true;
}

/* A path may hold what has a meaning between quotation marks. */
static bool is_plain(const struct config *c)
{
	return !strpbrk(c->socket, "\"\\$\n") &&
	       !strpbrk(c->state_dir, "\"\\$\n") &&
	       !strpbrk(c->smart.command, "\"\\$\n");
}

static void check_print(const struct config *c)
{
	struct ads_err err = { "" };
	struct config *again = NULL;
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);

	must(f);
	config_print(c, f);
	fclose(f);
	if (is_plain(c)) {
		file[0].at = (uint8_t *)text;
		file[0].size = size;
		nr_files = 1;
		must(!config_load("fuzz.conf", true, &again, &err));
		must(same(c, again));
		free(again);
	}
	free(text);
}

static void check_next(void)
{
	static const uint8_t good[] = "# good\nplan { hold = 90s }\n";
	struct ads_err err = { "" };
	struct config *c = NULL;

	file[0].at = good;
	file[0].size = sizeof(good) - 1;
	nr_files = 1;
	must(!config_load("fuzz.conf", true, &c, &err));
	must(c->plan.hold == 90);
	free(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ads_err err = { "" };
	struct config *c = NULL;
	size_t sum = size ? size + data[0] + data[size / 2] : 0;
	int r;

	for (nr_files = 0; nr_files < FILES; nr_files++) {
		const uint8_t *end = size && nr_files < FILES - 1 ?
				     memchr(data, 255, size) : NULL;
		size_t n = end ? (size_t)(end - data) : size;

		file[nr_files].at = data;
		file[nr_files].size = n;
		data += n + !!end;
		size -= n + !!end;
		if (!end && ++nr_files)
			break;
	}
	r = config_load("fuzz.conf", true, &c, &err);
	must(!r == !!c && !!r == !!err.text[0]);
	if (r) {
		/* not always, it takes as long as all the rest */
		if (sum % 8 == 0)
			check_next();
		return 0;
	}
	check_bounds(c);
	check_print(c);
	free(c);
	return 0;
}

void fuzz_seeds(void)
{
	static const char small[] =
		"# a comment\nmode = off\nplan { hold = 90s }\xff"
		"/* another\n*/ score {\n\tdrain = 80 // x\n\turgent = 90\n}\n"
		"\xff\nsmart { command = '/bin/true' enable = no }\n";
	struct config c;
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);

	config_defaults(&c);
	config_print(&c, f);
	fclose(f);
	fuzz_seed("defaults", text, size);
	for (const struct config_key *k = config_keys; k->name; k++) {
		char line[400], name[80];

		snprintf(line, sizeof(line), "%s%s%s = %s%s%s%s",
			 k->section ? k->section : "", k->section ? " { " : "",
			 k->name, k->type == CONFIG_STRING ? "\"" : "", k->def,
			 k->type == CONFIG_STRING ? "\"" : "",
			 k->section ? " }" : "");
		snprintf(name, sizeof(name), "%s-%s",
			 k->section ? k->section : "", k->name);
		fuzz_seed(name, line, strlen(line));
	}
	fuzz_seed("open-comment", "mode = off /* so", 16);
	fuzz_seed("open-string", "socket = \"/x", 12);
	fuzz_seed("open-quote", "socket = '/x", 12);
	fuzz_seed("open-section", "plan {", 6);
	fuzz_seed("environment", "socket = \"/${HOME}/${x:-y}\"", 26);
	fuzz_seed("small", small, sizeof(small) - 1);
	free(text);
}
