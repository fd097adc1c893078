// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The requests of the protocol, one function each.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "nl-priv.h"

static int on_pool(struct nlattr **attrs, void *arg)
{
	struct ads_pool *p = ads_vec_push(arg);

	if (!p)
		return -ENOMEM;
	ads_nl_parse_pool(attrs, p);
	return 0;
}

static int on_one_pool(struct nlattr **attrs, void *arg)
{
	memset(arg, 0, sizeof(struct ads_pool));
	ads_nl_parse_pool(attrs, arg);
	return 0;
}

static int on_member(struct nlattr **attrs, void *arg)
{
	struct ads_member *m = ads_vec_push(arg);

	if (!m)
		return -ENOMEM;
	ads_nl_parse_member(attrs, m);
	return 0;
}

static int on_segments(struct nlattr **attrs, void *arg)
{
	return ads_nl_parse_segments(attrs, arg);
}

static int on_migration(struct nlattr **attrs, void *arg)
{
	struct ads_migration *m = ads_vec_push(arg);

	if (!m)
		return -ENOMEM;
	ads_nl_parse_migration(attrs, m);
	return 0;
}

int ads_nl_pools(struct ads_nl *nl, struct ads_pool **out, size_t *n,
		 struct ads_err *err)
{
	struct ads_vec v = { .elem = sizeof(**out) };
	struct ads_nl_request r = { .cmd = ADSHARD_CMD_GET_POOL };
	int rc = ads_nl_dump(nl, &r, on_pool, &v, err);

	*out = v.data;
	*n = v.n;
	return rc;
}

int ads_nl_pool(struct ads_nl *nl, const uint8_t *pool, struct ads_pool *out,
		struct ads_err *err)
{
	struct ads_nl_request r = { .cmd = ADSHARD_CMD_GET_POOL, .flags = NLM_F_ACK,
			     .pool = pool };
	bool intr;

	return ads_nl_request(nl, &r, on_one_pool, out, &intr, err);
}

int ads_nl_members(struct ads_nl *nl, const uint8_t *pool,
		   struct ads_member **out, size_t *n, struct ads_err *err)
{
	struct ads_vec v = { .elem = sizeof(**out) };
	struct ads_nl_request r = { .cmd = ADSHARD_CMD_GET_MEMBER, .pool = pool };
	int rc = ads_nl_dump(nl, &r, on_member, &v, err);

	*out = v.data;
	*n = v.n;
	return rc;
}

int ads_nl_segments(struct ads_nl *nl, const uint8_t *pool,
		    const struct ads_seg_filter *f, struct ads_segment **out,
		    size_t *n, struct ads_err *err)
{
	struct ads_vec v = { .elem = sizeof(**out) };
	struct ads_nl_attr a[3];
	struct ads_nl_request r = { .cmd = ADSHARD_CMD_GET_SEGMENT, .pool = pool,
			     .attrs = a };
	int rc;

	if (f && f->first)
		a[r.nr_attrs++] = (struct ads_nl_attr){ ADSHARD_A_SEGMENT, 4,
						   f->first };
	if (f && f->count)
		a[r.nr_attrs++] = (struct ads_nl_attr){ ADSHARD_A_COUNT, 4,
						   f->count };
	if (f && f->has_member)
		a[r.nr_attrs++] = (struct ads_nl_attr){ ADSHARD_A_MEMBER, 4,
						   f->member };
	rc = ads_nl_dump(nl, &r, on_segments, &v, err);
	*out = v.data;
	*n = v.n;
	return rc;
}

int ads_nl_migrations(struct ads_nl *nl, const uint8_t *pool,
		      struct ads_migration **out, size_t *n,
		      struct ads_err *err)
{
	struct ads_vec v = { .elem = sizeof(**out) };
	struct ads_nl_request r = { .cmd = ADSHARD_CMD_GET_MIGRATION, .pool = pool };
	int rc = ads_nl_dump(nl, &r, on_migration, &v, err);

	*out = v.data;
	*n = v.n;
	return rc;
}

static int on_bad(struct nlattr **attrs, void *arg)
{
	struct ads_bad *b = ads_vec_push(arg);

	if (!b)
		return -ENOMEM;
	ads_nl_parse_bad(attrs, b);
	return 0;
}

static int by_place(const void *a, const void *b)
{
	const struct ads_bad *x = a, *y = b;
	int c = memcmp(x->pool_uuid, y->pool_uuid, ADS_UUID_LEN);

	if (c)
		return c;
	if (x->segment != y->segment)
		return x->segment < y->segment ? -1 : 1;
	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

int ads_nl_bad(struct ads_nl *nl, const uint8_t *pool,
	       const struct ads_seg_filter *f, struct ads_bad **out, size_t *n,
	       struct ads_err *err)
{
	struct ads_vec v = { .elem = sizeof(**out) };
	struct ads_err e = { "" };
	struct ads_nl_attr a[2];
	struct ads_nl_request r = { .cmd = ADSHARD_CMD_GET_BAD, .pool = pool,
			     .attrs = a };
	int rc;

	if (f && f->first)
		a[r.nr_attrs++] = (struct ads_nl_attr){ ADSHARD_A_SEGMENT, 4,
						   f->first };
	if (f && f->count)
		a[r.nr_attrs++] = (struct ads_nl_attr){ ADSHARD_A_COUNT, 4,
						   f->count };
	rc = ads_nl_dump(nl, &r, on_bad, &v, &e);
	if (rc == -EOPNOTSUPP)
		rc = 0;
	if (rc && err)
		*err = e;
	/* A dump has them in no order. */
	if (v.n)
		qsort(v.data, v.n, v.elem, by_place);
	*out = v.data;
	*n = v.n;
	return rc;
}

/* A request that is only acknowledged. */
static int command(struct ads_nl *nl, uint8_t cmd, const uint8_t *pool,
		   const struct ads_nl_attr *attrs, size_t nr, struct ads_err *err)
{
	struct ads_nl_request r = { .cmd = cmd, .flags = NLM_F_ACK, .pool = pool,
			     .attrs = attrs, .nr_attrs = nr };
	bool intr;

	return ads_nl_request(nl, &r, NULL, NULL, &intr, err);
}

int ads_nl_start(struct ads_nl *nl, const uint8_t *pool,
		 const struct ads_op *op, struct ads_err *err)
{
	struct ads_nl_attr a[6] = {
		{ ADSHARD_A_SEGMENT, 4, op->segment },
		{ ADSHARD_A_PRIORITY, 4, op->priority },
		{ ADSHARD_A_COOKIE, 8, op->cookie },
	};
	size_t n = 3;

	if (op->kind == ADSHARD_KIND_SCRUB)
		return command(nl, ADSHARD_CMD_SCRUB, pool, a, n, err);
	a[n++] = (struct ads_nl_attr){ ADSHARD_A_DST_MEMBER, 4, op->dst };
	if (op->kind == ADSHARD_KIND_MOVE && op->has_src)
		a[n++] = (struct ads_nl_attr){ ADSHARD_A_SRC_MEMBER, 4,
					  op->src };
	if (op->warm)
		a[n++] = (struct ads_nl_attr){ ADSHARD_A_WARMUP, 4,
					  op->warmup };
	return command(nl, op->kind == ADSHARD_KIND_MOVE ?
		       ADSHARD_CMD_MIGRATE : ADSHARD_CMD_REPLICATE, pool, a, n,
		       err);
}

int ads_nl_shift(struct ads_nl *nl, const uint8_t *pool, uint32_t segment,
		 uint32_t percent, struct ads_err *err)
{
	const struct ads_nl_attr a[] = {
		{ ADSHARD_A_SEGMENT, 4, segment },
		{ ADSHARD_A_PERCENT, 4, percent },
	};

	return command(nl, ADSHARD_CMD_SHIFT, pool, a, 2, err);
}

int ads_nl_drop(struct ads_nl *nl, const uint8_t *pool, uint32_t segment,
		uint32_t member, struct ads_err *err)
{
	const struct ads_nl_attr a[] = {
		{ ADSHARD_A_SEGMENT, 4, segment },
		{ ADSHARD_A_MEMBER, 4, member },
	};

	return command(nl, ADSHARD_CMD_DROP, pool, a, 2, err);
}

int ads_nl_renew(struct ads_nl *nl, const uint8_t *pool, uint32_t segment,
		 uint32_t dst, struct ads_err *err)
{
	const struct ads_nl_attr a[] = {
		{ ADSHARD_A_SEGMENT, 4, segment },
		{ ADSHARD_A_DST_MEMBER, 4, dst },
	};

	return command(nl, ADSHARD_CMD_RENEW, pool, a, 2, err);
}

int ads_nl_set_wanted(struct ads_nl *nl, const uint8_t *pool, uint32_t first,
		      uint32_t count, uint32_t wanted, struct ads_err *err)
{
	const struct ads_nl_attr a[] = {
		{ ADSHARD_A_SEGMENT, 4, first },
		{ ADSHARD_A_COUNT, 4, count },
		{ ADSHARD_A_WANTED, 4, wanted },
	};

	return command(nl, ADSHARD_CMD_SET_SEGMENT, pool, a, 3, err);
}

int ads_nl_abort_segment(struct ads_nl *nl, const uint8_t *pool,
			 uint32_t segment, struct ads_err *err)
{
	const struct ads_nl_attr a = { ADSHARD_A_SEGMENT, 4, segment };

	return command(nl, ADSHARD_CMD_ABORT, pool, &a, 1, err);
}

int ads_nl_abort_member(struct ads_nl *nl, const uint8_t *pool,
			uint32_t member, struct ads_err *err)
{
	const struct ads_nl_attr a = { ADSHARD_A_MEMBER, 4, member };

	return command(nl, ADSHARD_CMD_ABORT, pool, &a, 1, err);
}

int ads_nl_abort_all(struct ads_nl *nl, const uint8_t *pool,
		     struct ads_err *err)
{
	return command(nl, ADSHARD_CMD_ABORT, pool, NULL, 0, err);
}

int ads_nl_throttle(struct ads_nl *nl, const uint8_t *pool,
		    const struct ads_throttle *t, struct ads_err *err)
{
	struct ads_nl_attr a[10];
	size_t n = 0;

	if (t->has_member)
		a[n++] = (struct ads_nl_attr){ ADSHARD_A_MEMBER, 4, t->member };
	if (t->has_src_bps)
		a[n++] = (struct ads_nl_attr){ ADSHARD_A_SRC_BPS, 8, t->src_bps };
	if (t->has_dst_bps)
		a[n++] = (struct ads_nl_attr){ ADSHARD_A_DST_BPS, 8, t->dst_bps };
	if (t->has_src_max)
		a[n++] = (struct ads_nl_attr){ ADSHARD_A_SRC_ACTIVE_MAX, 4,
					  t->src_active_max };
	if (t->has_dst_max)
		a[n++] = (struct ads_nl_attr){ ADSHARD_A_DST_ACTIVE_MAX, 4,
					  t->dst_active_max };
	if (t->has_max_active)
		a[n++] = (struct ads_nl_attr){ ADSHARD_A_MAX_ACTIVE, 4,
					  t->max_active };
	if (t->has_floor)
		a[n++] = (struct ads_nl_attr){ ADSHARD_A_FLOOR_BPS, 8,
					  t->floor_bps };
	if (t->has_latency)
		a[n++] = (struct ads_nl_attr){ ADSHARD_A_LATENCY_NS, 8,
					  t->latency_ns };
	if (t->has_slow)
		a[n++] = (struct ads_nl_attr){ ADSHARD_A_SLOW_NS, 8, t->slow_ns };
	if (t->has_paused)
		a[n++] = (struct ads_nl_attr){ ADSHARD_A_PAUSED, 1, t->paused };
	return command(nl, ADSHARD_CMD_THROTTLE, pool, a, n, err);
}

int ads_nl_change_member(struct ads_nl *nl, const uint8_t *pool,
			 uint32_t member, const struct ads_member_change *chg,
			 struct ads_err *err)
{
	struct ads_nl_attr a[6] = { { ADSHARD_A_MEMBER, 4, member } };
	struct ads_nl_text t[2];
	struct ads_nl_request r = { .cmd = ADSHARD_CMD_SET_MEMBER,
		.flags = NLM_F_ACK, .pool = pool, .attrs = a, .nr_attrs = 1,
		.texts = t };
	bool intr;

	if (chg->state)
		a[r.nr_attrs++] = (struct ads_nl_attr){ ADSHARD_A_MEMBER_STATE,
						   4, chg->state };
	if (chg->has_class)
		a[r.nr_attrs++] = (struct ads_nl_attr){ ADSHARD_A_CLASS, 4,
						   chg->class };
	if (chg->has_cost)
		a[r.nr_attrs++] = (struct ads_nl_attr){ ADSHARD_A_COST, 4,
						   chg->cost };
	if (chg->has_weight)
		a[r.nr_attrs++] = (struct ads_nl_attr){ ADSHARD_A_WEIGHT, 4,
						   chg->weight };
	if (chg->has_spare)
		a[r.nr_attrs++] = (struct ads_nl_attr){ ADSHARD_A_SPARE, 1,
						   chg->spare };
	if (chg->domain)
		t[r.nr_texts++] = (struct ads_nl_text){ ADSHARD_A_DOMAIN,
						   chg->domain };
	if (chg->location)
		t[r.nr_texts++] = (struct ads_nl_text){ ADSHARD_A_LOCATION,
						   chg->location };
	return ads_nl_request(nl, &r, NULL, NULL, &intr, err);
}

int ads_nl_set_member(struct ads_nl *nl, const uint8_t *pool, uint32_t member,
		      uint32_t state, struct ads_err *err)
{
	const struct ads_member_change chg = { .state = state };

	return ads_nl_change_member(nl, pool, member, &chg, err);
}
