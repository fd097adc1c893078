// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * adshardctl scan: which devices belong to which pool. Changes nothing.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "lib/units.h"

#include "found.h"
#include "table.h"
#include "verbs.h"

enum { C_POOL, C_MEMBER, C_DEVICE, C_STATE, C_SIZE, C_PROBLEM, C_POOL_UUID,
	C_UUID };

static const struct table_col cols[] = {
	[C_POOL] = { "POOL", "name of the pool", 0 },
	[C_MEMBER] = { "MEMBER", "index in the pool", TABLE_RIGHT },
	[C_DEVICE] = { "DEVICE", "block device, - if missing", 0 },
	[C_STATE] = { "STATE", "as the pool's metadata has it", 0 },
	[C_SIZE] = { "SIZE", "of the device", TABLE_RIGHT },
	[C_PROBLEM] = { "PROBLEM", "what is wrong with it", TABLE_TRUNC },
	[C_POOL_UUID] = { "POOL-UUID", "of the pool", TABLE_HIDDEN },
	[C_UUID] = { "UUID", "of the member", TABLE_HIDDEN },
	{ NULL, NULL, 0 },
};

static const char *state_of(const struct found *f, uint32_t index)
{
	if (!f->meta || index >= f->meta->nr_members ||
	    !f->meta->member[index].used)
		return "-";
	return ads_member_state_name(f->meta->member[index].state);
}

/* The device stands in its own column: its sentence needs no subject. */
static const char *problem_of(const struct found *f, size_t i)
{
	const struct ads_scan_dev *d = f->pool->dev[i];
	const char *s = f->problem[i] ? f->problem[i] : d->problem;

	if (!s)
		return "-";
	if (!strncmp(s, d->path, strlen(d->path)))
		s += strlen(d->path);
	return s + strspn(s, ": ");
}

static void rows(struct table *t, const struct found *f)
{
	char pool[ADS_UUID_STR], uuid[ADS_UUID_STR], buf[ADS_UUID_STR];
	const char *name = found_name(f, buf);

	ads_format_uuid(f->pool->uuid, pool);
	for (size_t i = 0; i < f->pool->nr_dev; i++) {
		const struct ads_scan_dev *d = f->pool->dev[i];

		table_row(t);
		table_set(t, C_POOL, "%s", name);
		table_set(t, C_MEMBER, "%u", d->sb.member_index);
		table_set(t, C_DEVICE, "%s", d->path);
		table_set(t, C_STATE, "%s", state_of(f, d->sb.member_index));
		table_size(t, C_SIZE, d->size);
		table_set(t, C_PROBLEM, "%s", problem_of(f, i));
		table_set(t, C_POOL_UUID, "%s", pool);
		table_set(t, C_UUID, "%s", ads_format_uuid(d->sb.member_uuid,
							   uuid));
	}
	for (size_t i = 0; i < f->nr_missing; i++) {
		table_row(t);
		table_set(t, C_POOL, "%s", name);
		table_set(t, C_MEMBER, "%u", f->missing[i].index);
		table_set(t, C_DEVICE, "-");
		table_set(t, C_STATE, "%s", state_of(f, f->missing[i].index));
		table_set(t, C_SIZE, "-");
		table_set(t, C_PROBLEM, "missing");
		table_set(t, C_POOL_UUID, "%s", pool);
		table_set(t, C_UUID, "-");
	}
}

static void json_pool(struct json_object *o, const struct found *f)
{
	struct json_object *list;

	ads_json_uuid(o, "uuid", f->pool->uuid);
	ads_json_str(o, "name", f->pool->name[0] ? f->pool->name : NULL);
	ads_json_str(o, "volume", f->volume[0] ? f->volume : NULL);
	ads_json_bool(o, "active", f->volume[0]);
	ads_json_u64(o, "segment_size", f->pool->segment_size);
	ads_json_u64(o, "chunk_size", f->pool->chunk_size);
	if (f->meta) {
		ads_json_u64(o, "size", f->meta->volume_sectors * 512);
		ads_json_u64(o, "record_sequence", f->meta->seq);
	} else {
		ads_json_null(o, "size");
		ads_json_null(o, "record_sequence");
	}
	list = ads_json_arr(o, "members");
	for (size_t i = 0; i < f->pool->nr_dev; i++) {
		const struct ads_scan_dev *d = f->pool->dev[i];
		struct json_object *e = ads_json_push(list);
		const char *state = state_of(f, d->sb.member_index);

		ads_json_u64(e, "member", d->sb.member_index);
		ads_json_uuid(e, "uuid", d->sb.member_uuid);
		ads_json_str(e, "device", d->path);
		ads_json_str(e, "state", *state == '-' ? NULL : state);
		ads_json_u64(e, "size", d->size);
		ads_json_str(e, "problem", f->problem[i] ? f->problem[i] :
			     d->problem);
	}
	list = ads_json_arr(o, "missing");
	for (size_t i = 0; i < f->nr_missing; i++) {
		struct json_object *e = ads_json_push(list);
		const char *state = state_of(f, f->missing[i].index);

		ads_json_u64(e, "member", f->missing[i].index);
		ads_json_str(e, "state", *state == '-' ? NULL : state);
	}
}

static bool denies(const struct ads_scan_dev *d)
{
	return d->rc == -EACCES || d->rc == -EPERM;
}

/* Devices that belong to no pool we can name. */
static void warn_rest(struct ctl *c, const struct ads_scan *s)
{
	size_t denied = 0;

	for (size_t i = 0; i < s->nr_dev; i++) {
		const struct ads_scan_dev *d = &s->dev[i];

		if (d->has_super || !d->problem)
			continue;
		if (denies(d)) {
			denied++;
			continue;
		}
		if (d->verdict == ADS_SCAN_DAMAGED ||
		    d->verdict == ADS_SCAN_ERROR)
			ctl_warn(c, "%s", d->problem);
	}
	if (denied)
		ctl_warn(c, "%zu device%s can't be opened: only root may scan them",
			 denied, denied == 1 ? "" : "s");
}

/* Not a single device could be looked at, for want of permission. */
static bool blind(const struct ads_scan *s)
{
	for (size_t i = 0; i < s->nr_dev; i++)
		if (!denies(&s->dev[i]))
			return false;
	return s->nr_dev;
}

static int show(struct ctl *c, struct ads_scan *s)
{
	struct json_object *list = NULL;
	struct table t;
	int rc = 0;

	if (c->doc)
		list = ads_json_arr(c->doc, "pools");
	else
		table_init(&t, c, cols);
	for (size_t i = 0; !rc && i < s->nr_pool; i++) {
		struct found f;

		rc = found_make(&s->pool[i], &f);
		if (rc)
			break;
		if (list)
			json_pool(ads_json_push(list), &f);
		else
			rows(&t, &f);
		found_free(&f);
	}
	if (!c->doc) {
		if (!rc && s->nr_pool)
			table_print(&t, "");
		else if (!rc)
			ctl_say(c, "no member of a pool found");
		table_free(&t);
	}
	return rc ? ctl_fail_err(c, rc, NULL) : CTL_OK;
}

static int run(struct ctl *c, int argc, char **argv)
{
	struct ads_err err = { "" };
	struct ads_scan *s;
	int rc;

	while (ctl_getopt(c, argc, argv) != -1)
		;
	rc = ads_scan((const char *const *)argv + optind, argc - optind, &s,
		      &err);
	if (rc)
		return ctl_fail_err(c, rc, &err);
	if (blind(s))
		rc = ctl_fail(c, CTL_UNREACHABLE,
			      "the devices can't be opened: only root may scan them");
	else
		rc = show(c, s);
	if (!rc)
		warn_rest(c, s);
	ads_scan_free(s);
	return rc;
}

const struct ctl_cmd ctl_scan = {
	.name = "scan",
	.args = "[DEVICE...]",
	.summary = "Look for members among the block devices",
	.flags = CTL_TABLE | CTL_NO_POOL,
	.run = run,
};
