// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dev.h"
#include "lookup.h"
#include "units.h"

static bool pool_matches(const struct ads_pool *p, const char *what)
{
	struct ads_dev_info info;
	uint8_t uuid[ADS_UUID_LEN];
	uint32_t major, minor;

	if (!ads_parse_uuid(what, uuid))
		return !memcmp(uuid, p->uuid, ADS_UUID_LEN);
	if (p->name[0] && !strcmp(what, p->name))
		return true;
	if (what[0] == '/')
		return !ads_dev_id(what, &major, &minor, NULL) &&
		       major == p->major && minor == p->minor;
	return !ads_dev_info(p->major, p->minor, &info) && info.dm_name[0] &&
	       !strcmp(what, info.dm_name);
}

static const char *pool_name(const struct ads_pool *p, char buf[ADS_UUID_STR])
{
	return p->name[0] ? p->name : ads_format_uuid(p->uuid, buf);
}

int ads_find_pool(struct ads_nl *nl, const char *what, struct ads_pool *out,
		  struct ads_err *err)
{
	char a[ADS_UUID_STR], b[ADS_UUID_STR];
	struct ads_pool *pools;
	size_t n, found = 0;
	int rc;

	rc = ads_nl_pools(nl, &pools, &n, err);
	if (rc)
		return rc;
	for (size_t i = 0; i < n; i++) {
		if (what && !pool_matches(&pools[i], what))
			continue;
		if (!found++) {
			*out = pools[i];
			continue;
		}
		rc = ads_err(err, -ENOTUNIQ,
			     what ? "pools %s and %s both answer to that name: say the UUID" :
			     "more than one pool is active (%s, %s): say which one with --pool",
			     pool_name(out, a), pool_name(&pools[i], b));
		break;
	}
	if (!rc && !found)
		rc = what ?
		     ads_err(err, -ENOENT, "no active pool is called %s", what) :
		     ads_err(err, -ENOENT, "no pool is active (adshardctl activate)");
	free(pools);
	return rc;
}

int ads_find_member(const struct ads_member *members, size_t nr,
		    const char *what, struct ads_err *err)
{
	uint32_t major, minor;
	uint64_t index;
	uint8_t uuid[ADS_UUID_LEN];
	char path[128];
	int rc;

	if (!ads_parse_u64(what, UINT32_MAX, &index)) {
		rc = ads_member_by_index(members, nr, index);
		return rc >= 0 ? rc :
		       ads_err(err, -ENOENT, "the pool has no member %s", what);
	}
	if (!ads_parse_uuid(what, uuid)) {
		for (size_t i = 0; i < nr; i++)
			if (!memcmp(uuid, members[i].uuid, ADS_UUID_LEN))
				return i;
		return ads_err(err, -ENOENT,
			       "no member of the pool has the UUID %s", what);
	}
	snprintf(path, sizeof(path), "%s%s", what[0] == '/' ? "" : "/dev/",
		 what);
	rc = ads_dev_id(path, &major, &minor, err);
	if (rc)
		return rc;
	for (size_t i = 0; i < nr; i++)
		if (members[i].present && members[i].major == major &&
		    members[i].minor == minor)
			return i;
	return ads_err(err, -ENOENT, "%s is not a member of the pool", path);
}

int ads_member_by_index(const struct ads_member *members, size_t nr,
			uint32_t index)
{
	/* Nearly always at its own place. */
	if (index < nr && members[index].index == index)
		return index;
	for (size_t i = 0; i < nr; i++)
		if (members[i].index == index)
			return i;
	return -1;
}

void ads_member_name(const struct ads_member *m, char *buf, size_t size)
{
	if (m->present)
		ads_dev_path(m->major, m->minor, buf, size);
	else
		snprintf(buf, size, "member %u (missing)", m->index);
}
