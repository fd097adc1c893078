// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/ctx.h"
#include "daemon/log.h"
#include "lib/units.h"

struct pool *model_pool(struct adshardd *d, const uint8_t *uuid)
{
	struct pool *p;

	for (p = d->pools; p; p = p->next)
		if (memcmp(p->k.uuid, uuid, ADS_UUID_LEN) == 0)
			break;
	return p;
}

struct member *model_member(struct pool *p, uint32_t index)
{
	struct member *m;

	for (m = p->members; m; m = m->next)
		if (m->k.index == index)
			break;
	return m;
}

struct member *model_member_by_uuid(struct adshardd *d, const uint8_t *uuid)
{
	struct member *m;

	for (struct pool *p = d->pools; p; p = p->next)
		for (m = p->members; m; m = m->next)
			if (memcmp(m->k.uuid, uuid, ADS_UUID_LEN) == 0)
				return m;
	return NULL;
}

static void name_pool(struct pool *p)
{
	char uuid[ADS_UUID_STR];

	snprintf(p->object, sizeof(p->object), "pool %s",
		 p->k.name[0] ? p->k.name : ads_format_uuid(p->k.uuid, uuid));
}

static void name_member(struct member *m)
{
	if (m->dev.path[0])
		snprintf(m->object, sizeof(m->object), "%s (%s)", m->dev.path,
			 m->pool->object);
	else
		snprintf(m->object, sizeof(m->object), "member %u (%s)",
			 m->k.index, m->pool->object);
}

/* true if it is another device than before. */
static bool find_device(struct member *m, const struct ads_member *k)
{
	bool same = m->dev.path[0] && k->present && m->dev.major == k->major &&
		    m->dev.minor == k->minor;

	if (same || (!m->dev.path[0] && !k->present))
		return false;
	memset(&m->dev, 0, sizeof(m->dev));
	m->disk[0] = 0;
	if (k->present) {
		if (ads_dev_info(k->major, k->minor, &m->dev)) {
			/* it may just be going away */
			m->dev.major = k->major;
			m->dev.minor = k->minor;
			ads_dev_path(k->major, k->minor, m->dev.path,
				     sizeof(m->dev.path));
		}
		if (m->dev.parent[0])
			snprintf(m->disk, sizeof(m->disk), "/dev/%s",
				 m->dev.parent);
		else
			snprintf(m->disk, sizeof(m->disk), "%.79s",
				 m->dev.path);
	}
	return true;
}

static struct pool *take_pool(struct adshardd *d, const struct ads_pool *k,
			      const struct model_calls *calls)
{
	struct pool *p = model_pool(d, k->uuid), **end;

	if (p) {
		bool renamed = strcmp(p->k.name, k->name);

		p->k = *k;
		/* it has no name before it is loaded */
		if (renamed) {
			name_pool(p);
			for (struct member *m = p->members; m; m = m->next)
				name_member(m);
		}
		return p;
	}
	p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	p->daemon = d;
	p->k = *k;
	name_pool(p);
	for (end = &d->pools; *end; end = &(*end)->next)
		;
	*end = p;
	calls->pool_new(p);
	return p;
}

static struct member *find_in(struct pool *p, const struct ads_member *k)
{
	struct member *m;

	for (m = p->members; m; m = m->next)
		if (memcmp(m->k.uuid, k->uuid, ADS_UUID_LEN) == 0)
			break;
	return m;
}

static void take_member(struct pool *p, const struct ads_member *k,
			const struct model_calls *calls)
{
	struct member *m = find_in(p, k), **at;

	if (m) {
		bool other = find_device(m, k);

		m->k = *k;
		m->seen = true;
		if (other) {
			name_member(m);
			calls->member_device(m);
		}
		return;
	}
	m = calloc(1, sizeof(*m));
	if (!m)
		return;
	m->daemon = p->daemon;
	m->pool = p;
	m->k = *k;
	m->seen = true;
	m->found = now_epoch();
	m->told_score = -1;
	risk_init(&m->risk);
	find_device(m, k);
	name_member(m);
	for (at = &p->members; *at && (*at)->k.index < k->index;
	     at = &(*at)->next)
		;
	m->next = *at;
	*at = m;
	calls->member_new(m);
}

static void drop_members(struct pool *p, bool all,
			 const struct model_calls *calls)
{
	struct member **at = &p->members, *m;

	while ((m = *at)) {
		if (m->seen && !all) {
			at = &m->next;
			continue;
		}
		*at = m->next;
		calls->member_gone(m);
		free(m);
	}
}

static void drop_pool(struct pool *p, const struct model_calls *calls)
{
	drop_members(p, true, calls);
	calls->pool_gone(p);
	heat_free(p->heat);
	groups_free(p->groups);
	free(p->migrations);
	free(p->bad);
	free(p);
}

static int compare_migration(const void *a, const void *b)
{
	const struct ads_migration *x = a, *y = b;

	return (x->segment > y->segment) - (x->segment < y->segment);
}

static void take_migrations(struct pool *p, const struct kernel_view *v)
{
	size_t n = 0;

	free(p->migrations);
	p->nr_migrations = 0;
	p->migrations = calloc(v->nr_migrations ? v->nr_migrations : 1,
			       sizeof(*p->migrations));
	for (size_t i = 0; p->migrations && i < v->nr_migrations; i++)
		if (memcmp(v->migrations[i].pool_uuid, p->k.uuid,
			   ADS_UUID_LEN) == 0)
			p->migrations[n++] = v->migrations[i];
	if (n)
		qsort(p->migrations, n, sizeof(*p->migrations),
		      compare_migration);
	p->nr_migrations = n;
	p->view_serial = v->serial;
}

static void take_bad(struct pool *p, const struct kernel_view *v)
{
	free(p->bad);
	p->nr_bad = 0;
	p->bad = calloc(v->nr_bad ? v->nr_bad : 1, sizeof(*p->bad));
	for (size_t i = 0; p->bad && i < v->nr_bad; i++)
		if (memcmp(v->bad[i].pool_uuid, p->k.uuid, ADS_UUID_LEN) == 0)
			p->bad[p->nr_bad++] = v->bad[i];
}

void model_bad(const struct member *m, uint64_t *ranges, uint64_t *bytes)
{
	const struct pool *p = m->pool;

	*ranges = *bytes = 0;
	for (size_t i = 0; i < p->nr_bad; i++) {
		if (p->bad[i].from != m->k.index)
			continue;
		++*ranges;
		*bytes += p->bad[i].length;
	}
}

void model_take(struct adshardd *d, const struct kernel_view *v,
		const struct model_calls *calls)
{
	struct pool **at, *p;
	struct member *m;

	for (p = d->pools; p; p = p->next) {
		p->seen = false;
		for (m = p->members; m; m = m->next)
			m->seen = false;
	}
	for (size_t i = 0; i < v->nr_pools; i++) {
		p = take_pool(d, &v->pools[i], calls);
		if (!p)
			continue;
		p->seen = true;
		take_migrations(p, v);
		take_bad(p, v);
	}
	for (size_t i = 0; i < v->nr_members; i++) {
		p = model_pool(d, v->members[i].pool_uuid);
		if (p)
			take_member(p, &v->members[i], calls);
	}
	for (at = &d->pools; (p = *at);) {
		if (p->seen) {
			drop_members(p, false, calls);
			at = &p->next;
			continue;
		}
		*at = p->next;
		drop_pool(p, calls);
	}
}

void model_free(struct adshardd *d, const struct model_calls *calls)
{
	struct pool *p;

	while ((p = d->pools)) {
		d->pools = p->next;
		drop_pool(p, calls);
	}
}
