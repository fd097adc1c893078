// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon/history/store.h"
#include "daemon/lock.h"
#include "daemon/transfer.h"

static int fail(int r, const struct ads_err *err)
{
	fprintf(stderr, "adshardd: %s\n", ads_err_text(err, r));
	return 1;
}

int transfer_out(const struct config *c, const char *kind)
{
	struct ads_err err = { .text = "" };
	int k = store_csv_kind(kind), r;
	struct store *s;
	uint64_t rows;

	if (k < 0) {
		fprintf(stderr, "adshardd: --export %s: changes, days, loads, scores, slow or fleet\n",
			kind);
		return 2;
	}
	r = store_open_readonly(c->state_dir, &s, &err);
	if (r)
		return fail(r, &err);
	r = store_export(s, k, stdout, &rows, &err);
	store_close(s);
	return r ? fail(r, &err) : 0;
}

static int take(const struct config *c, FILE *f, const char *name)
{
	struct ads_err err = { .text = "" };
	enum store_csv kind;
	struct store *s;
	uint64_t rows;
	bool damaged;
	int r;

	r = store_open(c->state_dir, &s, &damaged, &err);
	if (r)
		return fail(r, &err);
	if (damaged)
		fprintf(stderr, "adshardd: %s\n", err.text);
	r = store_import(s, f, name, &rows, &kind, &err);
	store_close(s);
	if (r)
		return fail(r, &err);
	printf("%llu rows of %s\n", (unsigned long long)rows,
	       store_csv_name(kind));
	return fflush(stdout) ? 1 : 0;
}

int transfer_in(const struct config *c, const char *file)
{
	bool standard = !strcmp(file, "-");
	struct ads_err err = { .text = "" };
	FILE *f = standard ? stdin : fopen(file, "re");
	int lock, r;

	if (!f) {
		r = -errno;
		ads_err(&err, r, "%s: %s", file, strerror(errno));
		return fail(r, &err);
	}
	lock = lock_take(c->socket, &err);
	if (lock < 0) {
		r = fail(lock, &err);
	} else {
		r = take(c, f, standard ? "stdin" : file);
		close(lock);
	}
	if (!standard)
		fclose(f);
	return r;
}
