// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/dev.h"
#include "lib/dm.h"
#include "lib/units.h"

#include "gather.h"

#define TRIES	5	/* of reading a pool that is being written to */

const char *gathered_name(const struct gathered *p, char buf[37])
{
	return p->name[0] ? p->name : ads_format_uuid(p->uuid, buf);
}

bool gather_active(struct ctl *c, const uint8_t *uuid, char *volume,
		   size_t size, uint64_t *seq)
{
	char text[ADS_UUID_STR], want[64];
	struct ads_dm_dev *list;
	struct ads_pool *pools;
	bool active = false;
	size_t n;

	*seq = 0;
	volume[0] = '\0';
	if ((c->nl || !ads_nl_open(&c->nl, NULL)) &&
	    !ads_nl_pools(c->nl, &pools, &n, NULL)) {
		for (size_t i = 0; i < n; i++) {
			if (memcmp(pools[i].uuid, uuid, ADS_UUID_LEN))
				continue;
			active = true;
			*seq = pools[i].seq;
			ads_dev_path(pools[i].major, pools[i].minor, volume,
				     size);
		}
		free(pools);
		return active;
	}
	/* The kernel doesn't tell: then the mapped device's UUID. */
	snprintf(want, sizeof(want), ADS_DM_UUID_PREFIX "%s",
		 ads_format_uuid(uuid, text));
	if (ads_dm_list(&list, &n, NULL))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (strcmp(list[i].uuid, want))
			continue;
		active = true;
		snprintf(volume, size, "/dev/mapper/%s", list[i].name);
	}
	free(list);
	return active;
}

void gather_judge(struct ads_off *o)
{
	bool lost = false;

	ads_off_judge(o);
	ads_off_identify(o, NULL, -1, NULL);
	for (size_t i = 0; i < o->nr; i++)
		lost |= o->dev[i]->lost;
	if (lost)
		ads_off_judge(o);
}

/* An active pool: what is read counts if nothing was written meanwhile. */
static int judge_active(struct ctl *c, struct gathered *p, uint64_t seq)
{
	uint64_t before;
	char buf[ADS_UUID_STR];

	for (int i = 0; i < TRIES; i++) {
		before = seq;
		gather_judge(p->off);
		p->active = gather_active(c, p->uuid, p->volume,
					  sizeof(p->volume), &seq);
		if (p->active && before == seq)
			return CTL_OK;
		usleep(100000);
	}
	return ctl_fail(c, CTL_BUSY,
			"%s is active, and its metadata changes faster than it can be read: try again when nothing moves",
			gathered_name(p, buf));
}

static bool needs_more(const struct ads_off *o)
{
	for (size_t i = 0; i < o->nr_finding; i++)
		if (!strcmp(o->finding[i].kind, "missing"))
			return true;
	return !o->chosen;
}

/*
 * Devices without a superblock that is of use: those that were asked for, and,
 * if a member is missing, those that turn out to be one.
 */
static void add_rest(struct gathered *p, const struct ads_scan *s,
		     bool asked_for, bool write)
{
	struct ads_off *o = p->off;

	for (size_t i = 0; i < s->nr_dev; i++) {
		const struct ads_scan_dev *d = &s->dev[i];

		if (d->has_super || d->rc == -ETIMEDOUT ||
		    ads_off_add(o, d->path, write, NULL))
			continue;
		/* (under another name, or a leg of what has been seen) */
		if (o->dev[o->nr - 1]->has_sb) {
			ads_off_drop_last(o);
			continue;
		}
		if (asked_for)
			continue;
		ads_off_identify(o, o->dev[o->nr - 1], -1, NULL);
		if (!o->dev[o->nr - 1]->lost)
			ads_off_drop_last(o);
	}
}

static int load(struct ctl *c, const struct ads_scan *s,
		const struct ads_scan_pool *sp, bool asked_for, bool write,
		struct gathered *p)
{
	char buf[ADS_UUID_STR];
	struct ads_err err = { "" };
	uint64_t seq;
	size_t n = sp ? sp->nr_dev : 0;

	p->off = ads_off_new();
	if (sp) {
		memcpy(p->uuid, sp->uuid, sizeof(p->uuid));
		memcpy(p->name, sp->name, sizeof(p->name));
	}
	p->active = sp && gather_active(c, p->uuid, p->volume,
					sizeof(p->volume), &seq);
	if (p->active && write)
		return ctl_fail(c, CTL_BUSY,
				"%s is active: adshardctl deactivate %s first",
				gathered_name(p, buf), gathered_name(p, buf));
	for (size_t i = 0; i < n; i++) {
		int rc = ads_off_add(p->off, sp->dev[i]->path, write, &err);

		if (rc)
			return ctl_fail_err(c, rc, &err);
	}
	if (p->active)
		return judge_active(c, p, seq);
	ads_off_judge(p->off);
	if (asked_for || needs_more(p->off))
		add_rest(p, s, asked_for, write);
	gather_judge(p->off);
	return CTL_OK;
}

static int scan(struct ctl *c, char **argv, int argc, bool devices,
		struct ads_scan **s, struct ads_scan_pool **one)
{
	struct ads_err err = { "" };
	int rc;

	*one = NULL;
	rc = ads_scan((const char *const *)argv, devices ? argc : 0, s, &err);
	if (!rc && !devices && argc) {
		rc = ads_scan_find(*s, argv[0], one, &err);
		if (rc)
			ads_scan_free(*s);
	}
	return rc ? ctl_fail_err(c, rc, &err) : CTL_OK;
}

/* A device that was asked for must at least be one. */
static int check_asked(struct ctl *c, const struct ads_scan *s)
{
	for (size_t i = 0; i < s->nr_dev; i++)
		if (s->dev[i].verdict == ADS_SCAN_ERROR && s->dev[i].rc &&
		    s->dev[i].rc != -EIO && s->dev[i].rc != -ETIMEDOUT)
			return ctl_fail(c, ctl_exit_code(s->dev[i].rc), "%s",
					s->dev[i].problem);
		else if (s->dev[i].rc == -ENOTBLK)
			return ctl_fail(c, CTL_NOENT, "%s", s->dev[i].problem);
	return CTL_OK;
}

int gather(struct ctl *c, char **argv, int argc, bool write, struct gather *g)
{
	struct ads_scan_pool *one;
	struct ads_scan *s;
	bool devices = false;
	size_t nr;
	int rc = CTL_OK;

	memset(g, 0, sizeof(*g));
	for (int i = 0; i < argc; i++)
		devices |= !!strchr(argv[i], '/');
	if (!devices && argc > 1)
		ctl_usage(c, "one pool, or devices (/dev/...)");
	rc = scan(c, argv, argc, devices, &s, &one);
	if (rc)
		return rc;
	if (devices)
		rc = check_asked(c, s);
	nr = one ? 1 : s->nr_pool;
	if (!rc && !nr && !devices)
		rc = ctl_fail(c, CTL_NOENT, "no member of a pool found");
	g->pool = calloc(nr + 1, sizeof(*g->pool));
	if (!g->pool)
		abort();
	for (size_t i = 0; !rc && i < nr; i++)
		rc = load(c, s, one ? one : &s->pool[i], devices && nr == 1,
			  write, &g->pool[g->nr++]);
	/* Not a single superblock: they are looked at all the same. */
	if (!rc && !nr)
		rc = load(c, s, NULL, true, write, &g->pool[g->nr++]);
	ads_scan_free(s);
	if (rc)
		gather_free(g);
	return rc;
}

void gather_free(struct gather *g)
{
	for (size_t i = 0; i < g->nr; i++)
		ads_off_free(g->pool[i].off);
	free(g->pool);
	memset(g, 0, sizeof(*g));
}
