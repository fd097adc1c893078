// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * adshardctl member add: devices join an active pool.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/blank.h"
#include "lib/dev.h"
#include "lib/super.h"
#include "lib/units.h"

#include "change.h"

#define JOIN_MAX	8	/* of the kernel, at once */

struct add {
	struct ctl *c;
	const struct member_args *a;
	struct change ch;
	uint32_t slots[JOIN_MAX];
	uint32_t major[JOIN_MAX], minor[JOIN_MAX];
	bool erase[JOIN_MAX];
	uint32_t forget[JOIN_MAX];	/* members that were these devices */
	unsigned int nr_forget;
};

static int refuse(struct add *k, const char *dev, const char *what,
		  const char *option)
{
	return ctl_fail(k->c, CTL_REFUSED, "%s %s%s%s", dev, what, option[0] ?
			": " : "", option);
}

/* It has a superblock of this very pool. */
static int was_member(struct add *k, const char *dev,
		      const struct ads_super *sb)
{
	const struct ads_member *m = NULL;
	char what[160];

	for (size_t i = 0; i < k->ch.nr_m; i++)
		if (!memcmp(k->ch.m[i].uuid, sb->member_uuid, ADS_UUID_LEN))
			m = &k->ch.m[i];
	if (m && m->state != ADSHARD_MEMBER_FAILED && m->present)
		return ctl_fail(k->c, CTL_REFUSED,
				"%s is a copy of member %u, which is in use: not to be touched",
				dev, m->index);
	if (m && m->state != ADSHARD_MEMBER_FAILED) {
		snprintf(what, sizeof(what),
			 "is member %u of this pool, which is missing", m->index);
		return refuse(k, dev, what,
			      "deactivate the pool and activate it again, and it is back");
	}
	if (m)
		snprintf(what, sizeof(what),
			 "was member %u of this pool and has failed: what it holds is out of date",
			 m->index);
	else
		snprintf(what, sizeof(what),
			 "was a member of this pool, or was about to become one, and is none");
	if (!k->a->reuse)
		return refuse(k, dev, what,
			      "--reuse erases it and takes it as a new member");
	if (m && !m->nr_segments)
		k->forget[k->nr_forget++] = m->index;
	return CTL_OK;
}

/* Something is on it. */
static int look_closer(struct add *k, unsigned int i, const char *dev,
		       const struct ads_blank *b)
{
	struct ads_super sb;
	int fd, rc;

	k->erase[i] = true;
	fd = open(dev, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return ctl_fail_err(k->c, -errno, NULL);
	rc = ads_super_read(fd, dev, &sb, NULL);
	close(fd);
	if (!rc && !memcmp(sb.pool_uuid, k->ch.pool.uuid, ADS_UUID_LEN))
		return was_member(k, dev, &sb);
	return k->a->wipe ? CTL_OK :
	       refuse(k, dev, b->what, "--wipe erases what is on it");
}

static int look_at(struct add *k, unsigned int i)
{
	const char *dev = k->a->arg[i];
	struct ads_err err = { "" };
	struct ads_blank b;
	uint64_t start = k->ch.m[0].data_start;
	int rc;

	rc = ads_dev_id(dev, &k->major[i], &k->minor[i], &err);
	if (rc)
		return ctl_fail_err(k->c, rc, &err);
	for (size_t n = 0; n < k->ch.nr_m; n++)
		if (k->ch.m[n].present && k->ch.m[n].major == k->major[i] &&
		    k->ch.m[n].minor == k->minor[i])
			return ctl_fail(k->c, CTL_REFUSED,
					"%s is member %u of the pool already",
					dev, k->ch.m[n].index);
	for (unsigned int n = 0; n < i; n++)
		if (k->major[n] == k->major[i] && k->minor[n] == k->minor[i])
			return ctl_fail(k->c, CTL_USAGE, "%s is named twice",
					dev);
	rc = ads_blank_check(dev, &b, &err);
	if (rc)
		return ctl_fail_err(k->c, rc, &err);
	if (b.size > start)
		k->slots[i] = (b.size - start) / k->ch.pool.segment_size;
	if (!k->slots[i])
		return ctl_fail(k->c, CTL_REFUSED,
				"%s has no room for a single segment", dev);
	if (b.verdict == ADS_BLANK_BUSY)
		return refuse(k, dev, b.what, "");
	return b.verdict == ADS_BLANK_DIRTY ? look_closer(k, i, dev, &b) :
	       CTL_OK;
}

static int erase(struct add *k)
{
	struct ads_err err = { "" };

	for (int i = 0; i < k->a->nr; i++) {
		int rc = k->erase[i] ? ads_blank_wipe(k->a->arg[i], &err) : 0;

		if (rc)
			return ctl_fail_err(k->c, rc, &err);
	}
	return CTL_OK;
}

static int join(struct add *k)
{
	size_t nr = k->ch.nr_dev + (size_t)k->a->nr;
	char **dev = calloc(nr, sizeof(*dev)), text[JOIN_MAX][32];
	unsigned int args = 2 + 2 * k->nr_forget;
	char features[256];
	int n, rc;

	if (!dev)
		return ctl_fail_err(k->c, -ENOMEM, NULL);
	memcpy(dev, k->ch.dev, k->ch.nr_dev * sizeof(*dev));
	for (int i = 0; i < k->a->nr; i++) {
		snprintf(text[i], sizeof(text[i]), "%u:%u", k->major[i],
			 k->minor[i]);
		dev[k->ch.nr_dev + (size_t)i] = text[i];
	}
	if (k->a->set.spare)
		args += 2;
	n = snprintf(features, sizeof(features), "%u join %d", args, k->a->nr);
	if (k->a->set.spare)
		n += snprintf(features + n, sizeof(features) - n, " spares %d",
			      k->a->nr);
	for (unsigned int i = 0; i < k->nr_forget; i++)
		n += snprintf(features + n, sizeof(features) - n,
			      " forget %u", k->forget[i]);
	rc = change_apply(&k->ch, dev, nr, features, k->ch.sectors,
			  "it can't be added");
	free(dev);
	return rc;
}

static const struct ads_member *member_on(const struct change *ch,
					  uint32_t major, uint32_t minor)
{
	for (size_t i = 0; i < ch->nr_m; i++)
		if (ch->m[i].present && ch->m[i].major == major &&
		    ch->m[i].minor == minor)
			return &ch->m[i];
	return NULL;
}

static bool anything(const struct ads_member_change *set)
{
	return set->has_class || set->has_cost || set->has_weight ||
	       set->domain || set->location;
}

/* What they are, and what is known of them. */
static int introduce(struct add *k)
{
	struct json_object *list = k->c->doc ?
				   ads_json_arr(k->c->doc, "members") : NULL;
	struct ads_member_change set = k->a->set;
	struct ads_err err = { "" };
	int rc = CTL_OK;

	for (int i = 0; i < k->a->nr; i++) {
		const struct ads_member *m = member_on(&k->ch, k->major[i],
						       k->minor[i]);
		struct json_object *o;

		if (!m)
			return ctl_fail(k->c, CTL_FAILED,
					"%s did not become a member",
					k->a->arg[i]);
		if (anything(&set)) {
			int e = ads_nl_change_member(k->c->nl, k->ch.pool.uuid,
						     m->index, &set, &err);

			if (e)
				rc = ctl_fail_err(k->c, e, &err);
		}
		ctl_say(k->c, "%s: member %u, room for %u segments%s",
			k->a->arg[i], m->index, m->nr_slots,
			set.spare ? ", a spare" : "");
		if (!list)
			continue;
		o = ads_json_push(list);
		ads_json_u64(o, "member", m->index);
		ads_json_str(o, "device", k->a->arg[i]);
		ads_json_u64(o, "slots", m->nr_slots);
	}
	return rc;
}

static void show(struct add *k)
{
	for (int i = 0; i < k->a->nr; i++)
		ctl_say(k->c, "%s would become a member%s, with room for %u segments%s",
			k->a->arg[i], k->a->set.spare ? ", a spare" : "",
			k->slots[i], k->erase[i] ? "; what is on it would be erased"
			: "");
	ctl_say(k->c, "nothing was done");
}

int member_add(struct ctl *c, const struct member_args *a)
{
	struct add k = { .c = c, .a = a };
	int rc;

	if (!a->nr)
		ctl_usage(c, "which device?");
	if (a->nr > JOIN_MAX)
		ctl_usage(c, "at most %d devices at once", JOIN_MAX);
	rc = change_begin(&k.ch, c);
	/* Everything is looked at before anything is touched. */
	for (int i = 0; i < a->nr && !rc; i++)
		rc = look_at(&k, i);
	if (!rc && a->dry) {
		show(&k);
		change_free(&k.ch);
		return CTL_OK;
	}
	if (!rc)
		rc = erase(&k);
	if (!rc)
		rc = join(&k);
	if (!rc)
		rc = change_reread(&k.ch);
	if (!rc)
		rc = introduce(&k);
	change_free(&k.ch);
	return rc;
}
