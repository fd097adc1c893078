// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lists of files by place: locate --reverse, and of bad ranges: segments --bad.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/units.h"

#include "reverse.h"
#include "table.h"

typedef unsigned long long ull;

struct list {
	struct ctl *c;
	struct ads_pool pool;
	struct ads_member *m;
	size_t nr_m;
	struct ads_bad *bad;
	size_t nr_bad;
	struct ads_owner_range *range;
	size_t nr_range;
	struct ads_owners owners;
	struct table t;
	struct json_object *json;
	size_t at;			/* the bad range at hand */
};

static void list_free(struct list *l)
{
	ads_owners_free(&l->owners);
	free(l->m);
	free(l->bad);
	free(l->range);
}

static int add_range(struct list *l, uint64_t start, uint64_t end)
{
	struct ads_owner_range *p = reallocarray(l->range, l->nr_range + 1,
						 sizeof(*p));

	if (!p)
		return -ENOMEM;
	l->range = p;
	p[l->nr_range++] = (struct ads_owner_range){ start, end };
	return 0;
}

static uint64_t start_of(const struct list *l, const struct ads_bad *b)
{
	return b->segment * l->pool.segment_size + b->offset;
}

static int add_bad(struct list *l, const struct ads_seg_filter *f,
		   const char *from)
{
	struct ads_err err = { "" };
	int at = -1, rc = 0;
	size_t n = 0;

	if (from) {
		at = ads_find_member(l->m, l->nr_m, from, &err);
		if (at < 0)
			return ctl_fail_err(l->c, at, &err);
	}
	rc = ads_nl_bad(l->c->nl, l->pool.uuid, f, &l->bad, &l->nr_bad, &err);
	if (rc)
		return ctl_fail_err(l->c, rc, &err);
	for (size_t i = 0; i < l->nr_bad; i++)
		if (at < 0 || l->bad[i].from == l->m[at].index)
			l->bad[n++] = l->bad[i];
	l->nr_bad = n;
	for (size_t i = 0; !rc && i < n; i++)
		rc = add_range(l, start_of(l, &l->bad[i]),
			       start_of(l, &l->bad[i]) + l->bad[i].length);
	return rc ? ctl_fail_err(l->c, rc, NULL) : CTL_OK;
}

/*--- locate --reverse -------------------------------------------------------*/

enum { L_OFFSET, L_LENGTH, L_SEGMENT, L_FILE_OFFSET, L_KIND, L_FILE };

static const struct table_col locate_cols[] = {
	[L_OFFSET] = { "OFFSET", "in the volume", TABLE_RIGHT },
	[L_LENGTH] = { "LENGTH", "of the piece", TABLE_RIGHT },
	[L_SEGMENT] = { "SEGMENT", "that it begins in", TABLE_RIGHT },
	[L_FILE_OFFSET] = { "FILE-OFFSET", "in the file, - without one", TABLE_RIGHT },
	[L_KIND] = { "KIND", "file or directory; shared: with others; unwritten: set aside only", 0 },
	[L_FILE] = { "FILE", "whose it is", 0 },
	{ NULL, NULL, 0 },
};

static void locate_piece(uint64_t start, uint64_t end,
			 const struct ads_owner *p, void *arg)
{
	struct list *l = arg;
	char kind[48];

	if (l->json) {
		reverse_json(l->json, start, end, p);
		return;
	}
	table_row(&l->t);
	table_set(&l->t, L_OFFSET, "%llu", (ull)start);
	table_set(&l->t, L_LENGTH, "%llu", (ull)(end - start));
	table_set(&l->t, L_SEGMENT, "%llu",
		  (ull)(start / l->pool.segment_size));
	table_set(&l->t, L_KIND, "%s", reverse_kind(p, kind, sizeof(kind)));
	table_set(&l->t, L_FILE, "%s", p ? p->path : REVERSE_NONE);
	if (p)
		table_set(&l->t, L_FILE_OFFSET, "%llu",
			  (ull)(p->file_offset + (start - p->offset)));
	else
		table_set(&l->t, L_FILE_OFFSET, "-");
}

/* OFFSET, OFFSET+LENGTH or @SEGMENT; it ends the program if it is neither. */
static struct ads_owner_range parse_place(struct ctl *c, const char *arg,
					  bool *segment)
{
	struct ads_owner_range r = { 0 };
	char *text = strdup(arg), *plus = text ? strchr(text, '+') : NULL;

	if (!text)
		abort();
	*segment = arg[0] == '@';
	if (*segment) {
		r.start = ctl_parse_u64(c, "segment", arg + 1,
					ADSHARD_MAX_SEGMENTS - 1);
		r.end = r.start + 1;
		free(text);
		return r;
	}
	if (plus)
		*plus++ = '\0';
	if (ads_parse_size(text, &r.start) ||
	    (plus && ads_parse_size(plus, &r.end)))
		ctl_usage(c, "%s: an offset (5G), a piece (5G+64K) or a segment (@5)",
			  arg);
	/* An offset is a point: it stands for the rest of its sector. */
	if (!plus)
		r.end = 512 - r.start % 512;
	if (!r.end)
		ctl_usage(c, "%s: has no length", arg);
	r.end = r.end > UINT64_MAX - r.start ? UINT64_MAX : r.start + r.end;
	free(text);
	return r;
}

static int add_place(struct list *l, const char *arg)
{
	bool segment;
	struct ads_owner_range r = parse_place(l->c, arg, &segment);

	if (segment && r.start >= l->pool.nr_segments)
		return ctl_fail(l->c, CTL_NOENT,
				"the pool has no segment %llu: they are 0 to %u",
				(ull)r.start, l->pool.nr_segments - 1);
	if (segment) {
		r.start *= l->pool.segment_size;
		r.end *= l->pool.segment_size;
	}
	if (r.start >= l->pool.size)
		return ctl_fail(l->c, CTL_NOENT,
				"offset %llu is behind the end of the volume (%llu bytes)",
				(ull)r.start, (ull)l->pool.size);
	if (r.end > l->pool.size)
		r.end = l->pool.size;
	return add_range(l, r.start, r.end) ?
	       ctl_fail_err(l->c, -ENOMEM, NULL) : CTL_OK;
}

int reverse_locate(struct ctl *c, char **argv, int argc, bool bad)
{
	struct list l = { .c = c };
	bool segment;
	int rc;

	if (bad ? argc : !argc)
		ctl_usage(c, bad ? "--bad, or places: not both" :
			  "which places? (5G, 5G+64K, @5, or --bad)");
	/* What makes no sense is wrong usage, with or without a pool. */
	for (int i = 0; i < argc; i++)
		parse_place(c, argv[i], &segment);
	rc = ctl_load_pool(c, &l.pool, &l.m, &l.nr_m);
	if (!rc && bad)
		rc = add_bad(&l, NULL, NULL);
	for (int i = 0; !rc && i < argc; i++)
		rc = add_place(&l, argv[i]);
	if (!rc)
		rc = reverse_find(c, &l.pool, l.range, l.nr_range, &l.owners);
	if (!rc && c->doc)
		l.json = ads_json_arr(c->doc, "owners");
	else if (!rc)
		table_init(&l.t, c, locate_cols);
	/* What overlaps has become one. */
	for (size_t i = 0; !rc && i < l.owners.nr_range; i++)
		ads_owners_each(&l.owners, l.owners.range[i].start,
				l.owners.range[i].end, locate_piece, &l);
	if (!rc && !l.json) {
		table_print(&l.t, "");
		table_free(&l.t);
	}
	list_free(&l);
	return rc;
}

/*--- segments --bad ---------------------------------------------------------*/

enum { B_SEGMENT, B_OFFSET, B_LENGTH, B_FROM, B_MEMBER, B_FILE_OFFSET, B_KIND,
	B_FILE };

static const struct table_col bad_cols[] = {
	[B_SEGMENT] = { "SEGMENT", "its number", TABLE_RIGHT },
	[B_OFFSET] = { "OFFSET", "in the volume", TABLE_RIGHT },
	[B_LENGTH] = { "LENGTH", "in bytes", TABLE_RIGHT },
	[B_FROM] = { "FROM", "who could not read it", 0 },
	[B_MEMBER] = { "FROM-MEMBER", "its index", TABLE_RIGHT | TABLE_HIDDEN },
	[B_FILE_OFFSET] = { "FILE-OFFSET", "with --files", TABLE_RIGHT | TABLE_HIDDEN },
	[B_KIND] = { "KIND", "file or directory; shared: with others; unwritten: set aside only", TABLE_HIDDEN },
	[B_FILE] = { "FILE", "with --files", TABLE_HIDDEN },
	{ NULL, NULL, 0 },
};

/* A line of the table: the range, or a piece of it. */
static void bad_row(uint64_t start, uint64_t end, const struct ads_owner *p,
		    void *arg)
{
	struct list *l = arg;
	const struct ads_bad *b = &l->bad[l->at];
	char name[128], kind[48];

	ctl_member_name(l->m, l->nr_m, b->from, name, sizeof(name));
	table_row(&l->t);
	table_set(&l->t, B_SEGMENT, "%u", b->segment);
	table_set(&l->t, B_OFFSET, "%llu", (ull)start);
	table_set(&l->t, B_LENGTH, "%llu", (ull)(end - start));
	table_set(&l->t, B_FROM, "%s", name);
	table_set(&l->t, B_MEMBER, "%u", b->from);
	if (!l->owners.range)
		return;
	table_set(&l->t, B_KIND, "%s", reverse_kind(p, kind, sizeof(kind)));
	table_set(&l->t, B_FILE, "%s", p ? p->path : REVERSE_NONE);
	if (p)
		table_set(&l->t, B_FILE_OFFSET, "%llu",
			  (ull)(p->file_offset + (start - p->offset)));
	else
		table_set(&l->t, B_FILE_OFFSET, "-");
}

static void json_piece(uint64_t start, uint64_t end, const struct ads_owner *p,
		       void *arg)
{
	reverse_json(arg, start, end, p);
}

static void bad_json(struct list *l)
{
	struct json_object *list = ads_json_arr(l->c->doc, "bad");

	for (size_t i = 0; i < l->nr_bad; i++) {
		const struct ads_bad *b = &l->bad[i];
		struct json_object *o = ads_json_push(list);
		uint64_t start = start_of(l, b);
		char name[128];

		ctl_member_name(l->m, l->nr_m, b->from, name, sizeof(name));
		ads_json_u64(o, "segment", b->segment);
		ads_json_u64(o, "offset", start);
		ads_json_u64(o, "length", b->length);
		ads_json_u64(o, "from", b->from);
		ads_json_str(o, "from_device", name);
		if (l->owners.range)
			ads_owners_each(&l->owners, start, start + b->length,
					json_piece, ads_json_arr(o, "files"));
		else
			ads_json_null(o, "files");
	}
}

static void bad_print(struct list *l, bool files)
{
	struct table_col cols[sizeof(bad_cols) / sizeof(*bad_cols)];

	memcpy(cols, bad_cols, sizeof(cols));
	if (files) {
		cols[B_FILE_OFFSET].flags &= ~TABLE_HIDDEN;
		cols[B_FILE].flags &= ~TABLE_HIDDEN;
	}
	table_init(&l->t, l->c, cols);
	for (l->at = 0; l->at < l->nr_bad; l->at++) {
		const struct ads_bad *b = &l->bad[l->at];
		uint64_t start = start_of(l, b);

		/* One line each, or with --files one for each piece. */
		if (l->owners.range)
			ads_owners_each(&l->owners, start, start + b->length,
					bad_row, l);
		else
			bad_row(start, start + b->length, NULL, l);
	}
	if (l->nr_bad)
		table_print(&l->t, "");
	else
		ctl_say(l->c, "everything that was moved could be read, or has been written since");
	table_free(&l->t);
}

int reverse_bad(struct ctl *c, const struct ads_seg_filter *f,
		const char *from, bool files)
{
	struct list l = { .c = c };
	int rc, found = CTL_OK;

	rc = ctl_load_pool(c, &l.pool, &l.m, &l.nr_m);
	if (!rc)
		rc = add_bad(&l, f, from);
	if (rc)
		goto out;
	/* Without files the list is still worth having. */
	if (files && l.nr_bad) {
		found = reverse_find(c, &l.pool, l.range, l.nr_range,
				     &l.owners);
		if (found)
			ads_owners_free(&l.owners);
	}
	if (c->doc) {
		ads_json_uuid(c->doc, "pool", l.pool.uuid);
		ads_json_u64(c->doc, "segment_size", l.pool.segment_size);
		bad_json(&l);
	} else {
		bad_print(&l, files);
	}
	rc = found;
out:
	list_free(&l);
	return rc;
}
