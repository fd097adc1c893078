// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * adshardctl deactivate: the volume goes, the data stays.
 */
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/dev.h"
#include "lib/dm.h"
#include "lib/units.h"

#include "verbs.h"

static const struct ctl_opt opts[] = {
	{ 'a', "all", NULL, "every active pool" },
	{ 0, NULL, NULL, NULL },
};

static bool matches(const struct ads_dm_dev *d, const char *what,
		    const struct ads_pool *pools, size_t n)
{
	const char *uuid = d->uuid;
	char text[ADS_UUID_STR];

	if (!strncmp(uuid, ADS_DM_UUID_PREFIX, strlen(ADS_DM_UUID_PREFIX)))
		uuid += strlen(ADS_DM_UUID_PREFIX);
	if (!strcmp(what, d->name) || !strcasecmp(what, uuid))
		return true;
	if (!strncmp(what, "/dev/mapper/", 12) && !strcmp(what + 12, d->name))
		return true;
	/* The volume may carry another name than its pool. */
	for (size_t i = 0; i < n; i++)
		if (pools[i].major == d->major && pools[i].minor == d->minor &&
		    (!strcmp(what, pools[i].name) ||
		     !strcasecmp(what, ads_format_uuid(pools[i].uuid, text))))
			return true;
	return false;
}

/* Volumes that were made without us have another DM UUID; the kernel knows them. */
static int add_others(struct ads_dm_dev **list, size_t *n,
		      const struct ads_pool *pools, size_t np)
{
	for (size_t i = 0; i < np; i++) {
		struct ads_dev_info info;
		struct ads_dm_dev *p;
		bool known = false;

		for (size_t k = 0; k < *n; k++)
			known |= (*list)[k].major == pools[i].major &&
				 (*list)[k].minor == pools[i].minor;
		if (known || ads_dev_info(pools[i].major, pools[i].minor,
					  &info) || !info.dm_name[0])
			continue;
		p = reallocarray(*list, *n + 1, sizeof(*p));
		if (!p)
			return -ENOMEM;
		*list = p;
		if (ads_dm_info(info.dm_name, &p[*n], NULL) ||
		    !p[*n].exists)
			continue;
		++*n;
	}
	return 0;
}

/* Who keeps it open: a mount or a device on top, if that can be found. */
static void users(const struct ads_dm_dev *d, char *buf, size_t size)
{
	char path[PATH_MAX];
	FILE *f = fopen("/proc/self/mountinfo", "re");
	struct dirent *e;
	DIR *h;

	buf[0] = '\0';
	while (f && fgets(path, sizeof(path), f)) {
		unsigned int maj, min;
		char where[256];

		if (sscanf(path, "%*d %*d %u:%u %*s %255s", &maj, &min,
			   where) == 3 && maj == d->major && min == d->minor) {
			snprintf(buf, size, "mounted on %s", where);
			break;
		}
	}
	if (f)
		fclose(f);
	snprintf(path, sizeof(path), "%s/dev/block/%u:%u/holders", ads_sysfs(),
		 d->major, d->minor);
	h = buf[0] ? NULL : opendir(path);
	while (h && (e = readdir(h)))
		if (e->d_name[0] != '.')
			snprintf(buf, size, "used by %s", e->d_name);
	if (h)
		closedir(h);
	if (!buf[0])
		snprintf(buf, size, "open %u time%s", d->open_count,
			 d->open_count == 1 ? "" : "s");
}

static int stop(struct ctl *c, const struct ads_dm_dev *d,
		const struct ads_pool *pools, size_t n)
{
	struct ads_err err = { "" };
	uint32_t moving = 0;
	char who[300];
	int rc;

	if (d->open_count) {
		users(d, who, sizeof(who));
		return ctl_fail(c, CTL_BUSY, "%s is in use: %s", d->name, who);
	}
	for (size_t i = 0; i < n; i++)
		if (pools[i].major == d->major && pools[i].minor == d->minor)
			moving = pools[i].nr_active + pools[i].nr_queued;
	rc = ads_dm_remove(d->name, &err);
	if (rc)
		return ctl_fail_err(c, rc, &err);
	ctl_say(c, "%s: deactivated", d->name);
	if (moving)
		ctl_warn(c, "%s: %u migration%s stopped; their segments are whole where they were",
			 d->name, moving, moving == 1 ? " was" : "s were");
	return CTL_OK;
}

static int run(struct ctl *c, int argc, char **argv)
{
	struct ads_dm_dev *list = NULL;
	struct ads_pool *pools = NULL;
	struct ads_err err = { "" };
	const char *what = NULL;
	size_t n, np = 0, hits = 0;
	bool all = false;
	int val, rc;

	while ((val = ctl_getopt(c, argc, argv)) != -1)
		all |= val == 'a';
	if (argc - optind > 1 || (all && optind < argc))
		ctl_usage(c, "one pool, or --all");
	if (optind < argc)
		what = argv[optind];
	else if (c->pool)
		what = c->pool;
	rc = ads_dm_list(&list, &n, &err);
	if (rc)
		return ctl_fail_err(c, rc, &err);
	/* The names of pools, if the kernel tells; it works without. */
	if (!ads_nl_open(&c->nl, NULL))
		ads_nl_pools(c->nl, &pools, &np, NULL);
	rc = add_others(&list, &n, pools, np);
	if (rc)
		rc = ctl_fail_err(c, rc, NULL);
	if (!rc && !what && !all && n > 1)
		rc = ctl_fail(c, CTL_USAGE,
			      "%zu pools are active: say which one, or --all",
			      n);
	for (size_t i = 0; !rc && i < n; i++) {
		if (what && !matches(&list[i], what, pools, np))
			continue;
		hits++;
		rc = stop(c, &list[i], pools, np);
	}
	if (!rc && !hits && (what || !all))
		rc = ctl_fail(c, CTL_NOENT, what ? "no active pool is called %s"
			      : "no pool is active%s", what ? what : "");
	free(list);
	free(pools);
	return rc;
}

const struct ctl_cmd ctl_deactivate = {
	.name = "deactivate",
	.args = "[POOL | --all]",
	.summary = "Take the volume of a pool away",
	.opts = opts,
	.run = run,
};
