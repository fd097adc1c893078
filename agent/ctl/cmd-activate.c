// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * adshardctl activate: scan, put the table together, resume.
 *
 * What is missing or odd is named, but whether the pool can be had without it is
 * the kernel's decision: it knows where every segment lives.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/dm.h"
#include "lib/kmsg.h"
#include "lib/offline.h"
#include "lib/units.h"

#include "found.h"
#include "verbs.h"

static const struct ctl_opt opts[] = {
	{ 'a', "all", NULL, "every pool that is found" },
	{ 'd', "device", "DEVICE", "look only at these (repeatable)" },
	{ 'D', "degraded", NULL, "go on for ever without members that are missing and needed" },
	{ 'N', "dry-run", NULL, "only print the table" },
	{ 0, NULL, NULL, NULL },
};

struct activate {
	struct ctl *c;
	struct json_object *list;
	bool dry, degraded;
};

/* Is there a copy that can be read? */
static bool has_copy(const struct ads_off *o, const struct ads_fmt_seg *s)
{
	for (uint32_t i = 0; i < s->nr_legs; i++) {
		uint16_t m = s->leg[i].member;

		if (s->leg[i].state == ADSHARD_LEG_SYNC &&
		    m < o->st.nr_members && ads_off_find(o, m) &&
		    o->member[m].state != ADSHARD_MEMBER_FAILED)
			return true;
	}
	return false;
}

/* By member that is missing and not given up yet; returns the sum. */
static uint32_t count_lost(const struct ads_off *o, uint32_t *on,
			   uint32_t *copies)
{
	uint32_t sum = 0;

	for (uint32_t i = 0; o->chosen && i < o->st.nr_segments; i++) {
		const struct ads_fmt_seg *s = &o->seg[i];
		bool ok = has_copy(o, s), lost = false;

		for (uint32_t k = 0; k < s->nr_legs; k++) {
			uint16_t m = s->leg[k].member;

			if (m >= o->st.nr_members || ads_off_find(o, m) ||
			    o->member[m].state == ADSHARD_MEMBER_FAILED)
				continue;
			if (ok)
				copies[m]++;
			else if (s->leg[k].state == ADSHARD_LEG_SYNC)
				on[m]++, lost = true;
		}
		sum += lost;
	}
	return sum;
}

/* What would be lost: to be read before it is. */
static void say_what_is_lost(struct activate *a, const struct found *f,
			     const char *pool)
{
	uint32_t on[ADSHARD_MAX_MEMBERS] = { 0 }, sum;
	uint32_t copies[ADSHARD_MAX_MEMBERS] = { 0 };
	struct ads_off *o = ads_off_new();

	for (size_t i = 0; i < f->pool->nr_dev; i++)
		if (!f->problem[i])
			ads_off_add(o, f->pool->dev[i]->path, false, NULL);
	ads_off_judge(o);
	sum = count_lost(o, on, copies);
	for (size_t i = 0; i < f->nr_missing; i++) {
		const struct found_missing *m = &f->missing[i];
		const char *becomes = a->dry ? "is missing" :
				      "is missing, and declared failed";
		uint32_t index = m->index;

		if (index >= ADSHARD_MAX_MEMBERS ||
		    m->state == ADSHARD_MEMBER_FAILED)
			continue;
		if (on[index])
			ctl_warn(a->c, "%s: member %u %s: %u segment%s can't be read or written without it",
				 pool, index, becomes, on[index],
				 on[index] == 1 ? "" : "s");
		if (copies[index])
			ctl_warn(a->c, "%s: member %u is missing: %u segment%s another copy",
				 pool, index, copies[index],
				 copies[index] == 1 ? " of its has" : "s of its have");
	}
	if (sum)
		ctl_warn(a->c, "%s: %u of %u segments are lost; the missing members can't come back with them",
			 pool, sum, o->st.nr_segments);
	else if (o->chosen)
		ctl_say(a->c, "%s: no segment is lost", pool);
	ads_off_free(o);
}

static void warn_of(struct ctl *c, const struct found *f, const char *name)
{
	for (size_t i = 0; i < f->pool->nr_dev; i++)
		if (f->problem[i])
			ctl_warn(c, "%s: %s", name, f->problem[i]);
		else if (f->pool->dev[i]->problem)
			ctl_warn(c, "%s: %s", name, f->pool->dev[i]->problem);
	for (size_t i = 0; i < f->nr_missing; i++) {
		const struct found_missing *m = &f->missing[i];

		ctl_warn(c, "%s: member %u is missing%s%s%s", name, m->index,
			 m->state ? " (" : "",
			 m->state ? ads_member_state_name(m->state) : "",
			 m->state ? ")" : "");
	}
}

/* "<uuid> <n> <dev>..." of the devices without a problem, by index. */
static char *table_params(const struct found *f, bool degraded, size_t *used)
{
	char uuid[ADS_UUID_STR], *text = NULL;
	size_t size, n = 0;
	FILE *m = open_memstream(&text, &size);

	if (!m)
		return NULL;
	for (size_t i = 0; i < f->pool->nr_dev; i++)
		n += !f->problem[i];
	fprintf(m, "%s %zu", ads_format_uuid(f->pool->uuid, uuid), n);
	for (size_t i = 0; i < f->pool->nr_dev; i++) {
		const struct ads_scan_dev *d = f->pool->dev[i];

		if (!f->problem[i])
			fprintf(m, " %u:%u", d->major, d->minor);
	}
	if (degraded)
		fprintf(m, " 1 degraded");
	fclose(m);
	*used = n;
	return text;
}

/* The pool's name may be taken by another device: then its UUID has to do. */
static int choose_name(struct ctl *c, const struct found *f, char *buf,
		       size_t size)
{
	struct ads_err err = { "" };
	struct ads_dm_dev old;
	char uuid[ADS_UUID_STR];
	int rc;

	ads_format_uuid(f->pool->uuid, uuid);
	if (f->pool->name[0])
		snprintf(buf, size, "%s", f->pool->name);
	else
		snprintf(buf, size, "adshard-%s", uuid);
	rc = ads_dm_info(buf, &old, &err);
	if (rc)
		return ctl_fail_err(c, rc, &err);
	if (old.exists) {
		ctl_warn(c, "there is another mapped device called %s: taking adshard-%s",
			 buf, uuid);
		snprintf(buf, size, "adshard-%s", uuid);
	}
	return CTL_OK;
}

static int start(struct activate *a, struct found *f, const char *pool)
{
	char name[128], uuid[ADS_UUID_STR], dm_uuid[64], why[512];
	struct ads_err err = { "" };
	char *params;
	size_t used;
	int rc, log;

	rc = choose_name(a->c, f, name, sizeof(name));
	if (rc)
		return rc;
	params = table_params(f, a->degraded, &used);
	if (!params)
		return ctl_fail_err(a->c, -ENOMEM, NULL);
	if (a->dry) {
		ctl_say(a->c, "%s: 0 %llu adshard %s", name,
			(unsigned long long)f->meta->volume_sectors, params);
		free(params);
		return CTL_OK;
	}
	snprintf(dm_uuid, sizeof(dm_uuid), ADS_DM_UUID_PREFIX "%s",
		 ads_format_uuid(f->pool->uuid, uuid));
	log = ads_kmsg_open();
	rc = ads_dm_create(name, dm_uuid, f->meta->volume_sectors, params,
			   false, &err);
	free(params);
	if (ads_kmsg_reason(log, why, sizeof(why)) && rc)
		return ctl_fail(a->c, rc == -EBUSY ? CTL_BUSY : CTL_REFUSED,
				"%s: the kernel refused: %s%s", pool, why,
				rc == -ENODEV && !a->degraded ?
				" (adshardctl activate --degraded --dry-run says what would be lost)"
				: "");
	if (rc)
		return ctl_fail_err(a->c, rc, &err);
	ctl_say(a->c, "%s: active with %zu member%s on /dev/mapper/%s", pool,
		used, used == 1 ? "" : "s", name);
	snprintf(f->volume, sizeof(f->volume), "%s", name);
	return CTL_OK;
}

static int activate(struct activate *a, struct ads_scan_pool *pool)
{
	char buf[ADS_UUID_STR], name[ADSHARD_NAME_SIZE];
	struct json_object *o;
	struct found f;
	int rc;

	rc = found_make(pool, &f);
	if (rc)
		return ctl_fail_err(a->c, rc, NULL);
	snprintf(name, sizeof(name), "%s", found_name(&f, buf));
	if (f.volume[0]) {
		ctl_say(a->c, "%s: active already on /dev/mapper/%s", name,
			f.volume);
	} else if (!f.meta) {
		warn_of(a->c, &f, name);
		rc = ctl_fail(a->c, CTL_FAILED,
			      "%s: none of its members has metadata that can be read: %s",
			      name, f.no_meta);
	} else {
		warn_of(a->c, &f, name);
		if (a->degraded)
			say_what_is_lost(a, &f, name);
		rc = start(a, &f, name);
	}
	if (a->list) {
		o = ads_json_push(a->list);
		ads_json_uuid(o, "uuid", pool->uuid);
		ads_json_str(o, "name", pool->name[0] ? pool->name : NULL);
		ads_json_bool(o, "active", f.volume[0]);
		ads_json_str(o, "volume", f.volume[0] ? f.volume : NULL);
		ads_json_u64(o, "missing", f.nr_missing);
	}
	found_free(&f);
	return rc;
}

static int check_module(struct activate *a)
{
	struct ads_err err = { "" };
	int rc = a->dry ? 1 : ads_dm_target_present(&err);

	if (rc < 0)
		return ctl_fail_err(a->c, rc, &err);
	return rc ? CTL_OK : ctl_fail(a->c, CTL_UNREACHABLE,
		"the adshard kernel module is not loaded (modprobe dm-adshard)");
}

static int run(struct ctl *c, int argc, char **argv)
{
	struct activate a = { .c = c };
	struct ads_scan_pool *one = NULL;
	struct ads_err err = { "" };
	struct ads_scan *s = NULL;
	const char **dev;
	bool all = false;
	size_t nr = 0;
	int val, rc;

	dev = calloc(argc + 1, sizeof(*dev));
	if (!dev)
		return ctl_fail_err(c, -ENOMEM, NULL);
	while ((val = ctl_getopt(c, argc, argv)) != -1) {
		if (val == 'a')
			all = true;
		else if (val == 'd')
			dev[nr++] = optarg;
		else if (val == 'D')
			a.degraded = true;
		else if (val == 'N')
			a.dry = true;
	}
	if (a.degraded && (all || optind == argc))
		ctl_usage(c, "--degraded takes the name of one pool");
	if (argc - optind > 1 || (all && optind < argc))
		ctl_usage(c, "one pool, or --all");
	rc = check_module(&a);
	if (rc)
		goto out;
	rc = ads_scan(dev, nr, &s, &err);
	if (!rc && optind < argc)
		rc = ads_scan_find(s, argv[optind], &one, &err);
	else if (!rc && !s->nr_pool && !all)
		rc = ads_err(&err, -ENOENT, "no member of a pool found");
	else if (!rc && !all && s->nr_pool > 1)
		rc = ads_err(&err, -ENOTUNIQ,
			     "%zu pools are there: say which one, or --all",
			     s->nr_pool);
	if (rc) {
		rc = ctl_fail_err(c, rc, &err);
		goto out;
	}
	if (c->doc)
		a.list = ads_json_arr(c->doc, "pools");
	/* With --all each gets its chance, and the worst is the exit code. */
	for (size_t i = 0; i < s->nr_pool; i++) {
		int one_rc;

		if (one && one != &s->pool[i])
			continue;
		one_rc = activate(&a, &s->pool[i]);
		if (one_rc)
			rc = one_rc;
	}
out:
	ads_scan_free(s);
	free(dev);
	return rc;
}

const struct ctl_cmd ctl_activate = {
	.name = "activate",
	.args = "[POOL | --all]",
	.summary = "Find the members of a pool and make its volume",
	.opts = opts,
	.flags = CTL_NO_POOL,
	.run = run,
};
