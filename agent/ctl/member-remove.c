// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * adshardctl member remove and member replace: everything off a member, then it
 * leaves the pool. Each part is whole by itself, so that the same command again
 * goes on where it was interrupted.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/blank.h"
#include "lib/dev.h"

#include "change.h"
#include "evacuate.h"

static bool has_left(const struct ads_member *m)
{
	return !m->nr_segments && (m->state == ADSHARD_MEMBER_DRAINED ||
				   m->state == ADSHARD_MEMBER_FAILED);
}

/* The member that @what names, or an exit code. */
static int find(struct ctl *c, const struct change *ch, const char *what,
		const struct ads_member **m)
{
	struct ads_err err = { "" };
	int at = ads_find_member(ch->m, ch->nr_m, what, &err);

	if (at < 0)
		return ctl_fail_err(c, at, &err);
	*m = &ch->m[at];
	return CTL_OK;
}

/* Nobody would know where they were. */
static int refuse_lost(struct ctl *c, const struct ads_member *m)
{
	char name[128];

	ads_member_name(m, name, sizeof(name));
	return ctl_fail(c, CTL_REFUSED,
			"%s has failed, and %u lost segment%s on it: 'adshardctl renew all' gives them a place elsewhere, with nothing in them; then it can be removed",
			name, m->nr_lost, m->nr_lost == 1 ? " was" : "s were");
}

static int evacuate(struct ctl *c, const struct ads_member *m, uint32_t only,
		    bool dry)
{
	char index[16], *list[] = { index };
	struct evac_args a = { .members = list, .nr = 1, .dry = dry,
			       .only = only };
	char name[128];

	ads_member_name(m, name, sizeof(name));
	if (m->state == ADSHARD_MEMBER_FAILED)
		return ctl_fail(c, CTL_REFUSED,
				"%s has failed and holds %u segment%s that no other member has",
				name, m->nr_segments,
				m->nr_segments == 1 ? "" : "s");
	snprintf(index, sizeof(index), "%u", m->index);
	return evac_main(c, &a);
}

/* A table without it. Its device is wiped by the kernel, if that can be. */
static int leave(struct ctl *c, uint32_t index, const char *name)
{
	struct change ch;
	const struct ads_member *m = NULL;
	char **dev = NULL, features[32] = "", what[192];
	size_t at, nr = 0;
	int rc;

	rc = change_begin(&ch, c);
	for (size_t i = 0; i < ch.nr_m && !rc; i++)
		if (ch.m[i].index == index)
			m = &ch.m[i];
	if (rc || !m)
		goto out;
	at = change_device(&ch, m);
	dev = calloc(ch.nr_dev, sizeof(*dev));
	if (!dev) {
		rc = ctl_fail_err(c, -ENOMEM, NULL);
		goto out;
	}
	for (size_t i = 0; i < ch.nr_dev; i++)
		if (i != at)
			dev[nr++] = ch.dev[i];
	if (at == ch.nr_dev)
		snprintf(features, sizeof(features), "2 forget %u", index);
	snprintf(what, sizeof(what), "%s can't be removed", name);
	if (nr)
		rc = change_apply(&ch, dev, nr, features, ch.sectors, what);
	else
		rc = ctl_fail(c, CTL_REFUSED, "%s is the only member", name);
	if (!rc)
		ctl_say(c, "%s: no member any more%s", name,
			at == ch.nr_dev ? "; its device was not there" : "");
out:
	free(dev);
	change_free(&ch);
	return rc;
}

static int remove_one(struct ctl *c, const char *what, uint32_t only, bool dry)
{
	const struct ads_member *m = NULL;
	struct change ch;
	char name[128];
	uint32_t index = 0;
	bool empty = false;
	int rc;

	rc = change_begin(&ch, c);
	if (!rc)
		rc = find(c, &ch, what, &m);
	if (!rc) {
		index = m->index;
		empty = has_left(m);
		ads_member_name(m, name, sizeof(name));
		if (ch.nr_m == 1)
			rc = ctl_fail(c, CTL_REFUSED, "%s is the only member",
				      name);
	}
	if (!rc && m->nr_lost)
		rc = refuse_lost(c, m);
	if (!rc && !empty)
		rc = evacuate(c, m, only, dry);
	change_free(&ch);
	if (rc == CTL_UNREAD)
		ctl_warn(c, "%s is empty, but not removed: what could not be read may still be had from it; the same command again removes it",
			 name);
	if (rc)
		return rc;
	if (dry) {
		ctl_say(c, "%s would leave the pool, and its superblock be wiped",
			name);
		return CTL_OK;
	}
	rc = leave(c, index, name);
	if (c->doc) {
		ads_json_u64(c->doc, "member", index);
		ads_json_bool(c->doc, "removed", !rc);
	}
	return rc;
}

int member_remove(struct ctl *c, const struct member_args *a)
{
	if (a->nr != 1)
		ctl_usage(c, "which member? (index, device or UUID)");
	return remove_one(c, a->arg[0], ADS_PLACE_NONE, a->dry);
}

/* Room on the new one, before anything is done. */
static int check_room(struct ctl *c, const struct change *ch,
		      const struct ads_member *old, const char *dev)
{
	struct ads_blank b = { .size = 0 };
	struct ads_err err = { "" };
	uint64_t slots;
	int rc;

	rc = ads_blank_check(dev, &b, &err);
	if (rc)
		return ctl_fail_err(c, rc, &err);
	slots = b.size > old->data_start ?
		(b.size - old->data_start) / ch->pool.segment_size : 0;
	if (slots >= old->nr_segments)
		return CTL_OK;
	return ctl_fail(c, CTL_REFUSED,
			"%s has room for %llu segments, and %u have to go there: use member add and member remove, and they are spread",
			dev, (unsigned long long)slots, old->nr_segments);
}

int member_replace(struct ctl *c, const struct member_args *a)
{
	struct member_args add = *a;
	const struct ads_member *old = NULL, *new;
	struct ads_err err = { "" };
	uint32_t index = 0;
	struct change ch;
	char name[128];
	int rc, at;

	if (a->nr != 2)
		ctl_usage(c, "the old member, and the new device");
	rc = change_begin(&ch, c);
	if (!rc)
		rc = find(c, &ch, a->arg[0], &old);
	if (rc)
		goto out;
	ads_member_name(old, name, sizeof(name));
	at = ads_find_member(ch.m, ch.nr_m, a->arg[1], &err);
	if (at >= 0 && &ch.m[at] == old) {
		rc = ctl_fail(c, CTL_USAGE, "%s can't replace itself", name);
		goto out;
	}
	if (at >= 0) {
		index = ch.m[at].index;
		ctl_say(c, "%s is member %u already: going on", a->arg[1],
			index);
	} else {
		rc = check_room(c, &ch, old, a->arg[1]);
		add.arg = a->arg + 1;
		add.nr = 1;
		if (!rc)
			rc = member_add(c, &add);
		if (!rc && !a->dry)
			rc = change_reread(&ch);
		if (!rc && !a->dry) {
			rc = find(c, &ch, a->arg[1], &new);
			index = rc ? 0 : new->index;
		}
	}
	/* Without the new member there is no plan to show. */
	if (!rc && a->dry && at < 0)
		ctl_say(c, "then the segments of %s would move there, and it would leave the pool",
			name);
	else if (!rc)
		rc = remove_one(c, a->arg[0], index, a->dry);
out:
	change_free(&ch);
	return rc;
}
