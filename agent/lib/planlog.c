// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/plan/core/cost.h"
#include "json.h"
#include "planlog.h"
#include "units.h"

#define NAME	"adshardd.decision"

uint64_t planlog_id(const struct plan_state *s, const struct plan_result *r)
{
	uint64_t h = 14695981039346656037ULL;

#define MIX(v)	(h = (h ^ (uint64_t)(v)) * 1099511628211ULL)
	for (size_t i = 0; i < r->nr_actions; i++) {
		const struct plan_action *a = &r->action[i];

		MIX(a->what << 8 | a->cause);
		MIX(a->segment);
		MIX((uint32_t)a->from << 16 | a->to);
	}
	for (uint32_t i = 0; i < s->nr_members; i++)
		MIX(r->verdict[i].drain << 1 | r->verdict[i].release);
#undef MIX
	return h >> 1;		/* fits into a number of JSON */
}

/* -- one table for both ways ------------------------------------------------------- */

enum type { T_U8, T_I8, T_BOOL, T_I16, T_U16, T_U32, T_U64, T_I64, T_FLOAT };

struct field {
	const char *name;
	size_t offset;
	uint8_t type;
};

#define F(of, field, type) { #field, offsetof(struct of, field), type }
#define END { NULL, 0, 0 }

static const struct field state_fields[] = {
	F(plan_state, now, T_I64), F(plan_state, minute, T_U32),
	F(plan_state, segment_size, T_U64), F(plan_state, spent, T_U64),
	F(plan_state, paused, T_BOOL), F(plan_state, pace, T_FLOAT), END
};
static const struct field member_fields[] = {
	F(plan_member, index, T_U16), F(plan_member, state, T_U8),
	F(plan_member, by_agent, T_BOOL), F(plan_member, spare, T_BOOL),
	F(plan_member, suspect, T_BOOL), F(plan_member, slow, T_BOOL),
	F(plan_member, refuses, T_BOOL), F(plan_member, parked, T_BOOL),
	F(plan_member, awaited, T_BOOL),
	F(plan_member, slots, T_U32), F(plan_member, used, T_U32),
	F(plan_member, reserved, T_U32), F(plan_member, score, T_I16),
	F(plan_member, evidence, T_I64), F(plan_member, fails, T_FLOAT),
	F(plan_member, hold_until, T_I64),
	F(plan_member, track.band, T_U8), F(plan_member, track.above, T_U8),
	F(plan_member, track.evidence, T_I64),
	F(plan_member, track.since, T_I64), F(plan_member, track.quiet, T_I64),
	F(plan_member, track.suspect, T_I64), F(plan_member, class, T_U16),
	F(plan_member, location, T_U16), F(plan_member, domain, T_U16),
	F(plan_member, cost, T_FLOAT), F(plan_member, weight, T_FLOAT),
	F(plan_member, load[0], T_FLOAT), F(plan_member, load[1], T_FLOAT),
	F(plan_member, load[2], T_FLOAT), F(plan_member, load[3], T_FLOAT),
	F(plan_member, mibs, T_FLOAT), F(plan_member, iops, T_FLOAT), END
};
static const struct field class_fields[] = {
	F(plan_class, latency_ms, T_FLOAT), F(plan_class, mibs, T_FLOAT),
	F(plan_class, iops, T_FLOAT), END
};
static const struct field location_fields[] = {
	F(plan_location, rtt_ms, T_FLOAT), END
};
static const struct field link_fields[] = {
	F(plan_link, a, T_U16), F(plan_link, b, T_U16),
	F(plan_link, mibs, T_FLOAT), F(plan_link, used, T_FLOAT), END
};
static const struct field seg_fields[] = {
	F(plan_seg, nr_legs, T_U8), F(plan_seg, leg[0], T_U16),
	F(plan_seg, leg[1], T_U16), F(plan_seg, leg[2], T_U16),
	F(plan_seg, leg[3], T_U16), F(plan_seg, nr_dead, T_U8),
	F(plan_seg, dead[0], T_U16), F(plan_seg, dead[1], T_U16),
	F(plan_seg, dead[2], T_U16), F(plan_seg, dead[3], T_U16),
	F(plan_seg, wanted, T_U8),
	F(plan_seg, extra, T_U8), F(plan_seg, flags, T_U8),
	F(plan_seg, heat_short, T_FLOAT), F(plan_seg, heat_long, T_FLOAT),
	F(plan_seg, mibs, T_FLOAT), F(plan_seg, mibs_next, T_FLOAT),
	F(plan_seg, rest_until, T_U32), END
};
static const struct field pin_fields[] = {
	F(plan_pin, id, T_U32), F(plan_pin, first, T_U32),
	F(plan_pin, count, T_U32), F(plan_pin, kind, T_U8),
	F(plan_pin, value, T_U16), END
};
static const struct field wish_fields[] = {
	F(plan_wish, id, T_U32), F(plan_wish, kind, T_U8),
	F(plan_wish, member, T_U16), F(plan_wish, to, T_U16),
	F(plan_wish, segment, T_U32), END
};
static const struct field flight_fields[] = {
	F(plan_flight, segment, T_U32), F(plan_flight, from, T_U16),
	F(plan_flight, to, T_U16), F(plan_flight, cause, T_U8),
	F(plan_flight, aborting, T_BOOL), F(plan_flight, bytes, T_U64),
	F(plan_flight, done, T_U64), F(plan_flight, started, T_I64), END
};
static const struct field trouble_fields[] = {
	F(plan_trouble, segment, T_U32), F(plan_trouble, to, T_U16),
	F(plan_trouble, until, T_I64), F(plan_trouble, soft, T_BOOL), END
};
static const struct field order_fields[] = {
	F(plan_order, cause, T_U8), F(plan_order, member, T_U16),
	F(plan_order, paused, T_BOOL), F(plan_order, cancelled, T_BOOL),
	F(plan_order, priority, T_I8), END
};

static const struct list {
	const char *name;
	size_t array, count;		/* in struct plan_state */
	size_t size;
	size_t label;			/* a name in front, or NO_LABEL */
	const struct field *fields;
} lists[] = {
#define NO_LABEL	SIZE_MAX
#define L(what, of, array, count, label) \
	{ what, offsetof(struct plan_state, array), \
	  offsetof(struct plan_state, count), sizeof(struct of), label, \
	  of ## _fields }
#define plan_member_fields	member_fields
#define plan_class_fields	class_fields
#define plan_location_fields	location_fields
#define plan_link_fields	link_fields
#define plan_seg_fields		seg_fields
#define plan_pin_fields		pin_fields
#define plan_wish_fields	wish_fields
#define plan_flight_fields	flight_fields
#define plan_trouble_fields	trouble_fields
#define plan_order_fields	order_fields
	L("members", plan_member, member, nr_members,
	  offsetof(struct plan_member, name)),
	L("classes", plan_class, class, nr_classes,
	  offsetof(struct plan_class, name)),
	L("locations", plan_location, location, nr_locations,
	  offsetof(struct plan_location, name)),
	L("links", plan_link, link, nr_links, NO_LABEL),
	L("segments", plan_seg, seg, nr_segs, NO_LABEL),
	L("pins", plan_pin, pin, nr_pins, NO_LABEL),
	L("wishes", plan_wish, wish, nr_wishes, NO_LABEL),
	L("flights", plan_flight, flight, nr_flights, NO_LABEL),
	L("troubles", plan_trouble, trouble, nr_troubles, NO_LABEL),
	L("orders", plan_order, order, nr_orders, NO_LABEL),
};

#define NR_LISTS	(sizeof(lists) / sizeof(lists[0]))

static struct json_object *get(const void *base, const struct field *f)
{
	const char *p = (const char *)base + f->offset;

	switch ((enum type)f->type) {
	case T_U8:
		return json_object_new_int(*(const uint8_t *)p);
	case T_I8:
		return json_object_new_int(*(const int8_t *)p);
	case T_BOOL:
		return json_object_new_int(*(const bool *)p);
	case T_I16:
		return json_object_new_int(*(const int16_t *)p);
	case T_U16:
		return json_object_new_int(*(const uint16_t *)p);
	case T_U32:
		return json_object_new_int64(*(const uint32_t *)p);
	case T_U64:
		return json_object_new_uint64(*(const uint64_t *)p);
	case T_I64:
		return json_object_new_int64(*(const int64_t *)p);
	case T_FLOAT:
		return json_object_new_double((double)*(const float *)p);
	}
	return NULL;
}

/* false: it is no number, or does not fit. */
static bool put(void *base, const struct field *f, struct json_object *v)
{
	char *p = (char *)base + f->offset;
	double d = json_object_get_double(v);
	int64_t i = json_object_get_int64(v);

	if (f->type == T_FLOAT) {
		*(float *)p = (float)d;
		return (json_object_is_type(v, json_type_double) ||
			json_object_is_type(v, json_type_int)) && isfinite(d);
	}
	if (!json_object_is_type(v, json_type_int))
		return false;
	switch ((enum type)f->type) {
	case T_U8:
		*(uint8_t *)p = (uint8_t)i;
		return i >= 0 && i <= UINT8_MAX;
	case T_I8:
		*(int8_t *)p = (int8_t)i;
		return i >= INT8_MIN && i <= INT8_MAX;
	case T_BOOL:
		*(bool *)p = i;
		return i == 0 || i == 1;
	case T_I16:
		*(int16_t *)p = (int16_t)i;
		return i >= INT16_MIN && i <= INT16_MAX;
	case T_U16:
		*(uint16_t *)p = (uint16_t)i;
		return i >= 0 && i <= UINT16_MAX;
	case T_U32:
		*(uint32_t *)p = (uint32_t)i;
		return i >= 0 && i <= UINT32_MAX;
	case T_U64:
		*(uint64_t *)p = json_object_get_uint64(v);
		return i >= 0;
	case T_I64:
		*(int64_t *)p = i;
		return true;
	case T_FLOAT:
		break;
	}
	return false;
}

static struct json_object *encode(const void *base, const struct field *f,
				  const char *label)
{
	struct json_object *a = json_object_new_array();

	if (label)
		json_object_array_add(a, json_object_new_string(label));
	for (; f->name; f++)
		json_object_array_add(a, get(base, f));
	return a;
}

static bool decode(void *base, const struct field *f, char *label,
		   struct json_object *a)
{
	size_t i = 0;

	if (!json_object_is_type(a, json_type_array))
		return false;
	if (label) {
		const char *s = json_object_get_string(
					json_object_array_get_idx(a, i++));

		if (!s || strlen(s) >= PLAN_NAME)
			return false;
		memcpy(label, s, strlen(s) + 1);
	}
	for (; f->name; f++)
		if (!put(base, f, json_object_array_get_idx(a, i++)))
			return false;
	return i == json_object_array_length(a);
}

/* -- there ------------------------------------------------------------------------------ */

static struct json_object *encode_state(const struct plan_state *s)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "plain", encode(s, state_fields, NULL));
	for (size_t l = 0; l < NR_LISTS; l++) {
		const char *base = *(char *const *)((const char *)s +
						    lists[l].array);
		uint32_t n = *(const uint32_t *)((const char *)s +
						 lists[l].count);
		struct json_object *list = json_object_new_array();

		for (uint32_t i = 0; i < n; i++, base += lists[l].size)
			json_object_array_add(list,
				encode(base, lists[l].fields,
				       lists[l].label == NO_LABEL ? NULL :
				       base + lists[l].label));
		json_object_object_add(o, lists[l].name, list);
	}
	json_object_object_add(o, "cost", planlog_cost(s->cost));
	return o;
}

struct json_object *planlog_actions(const struct plan_state *s,
				    const struct plan_policy *p,
				    const struct plan_result *r, size_t max)
{
	struct json_object *list = json_object_new_array(), *e;
	char text[300];

	for (size_t i = 0; i < r->nr_actions && i < max; i++) {
		const struct plan_action *a = &r->action[i];

		e = ads_json_push(list);
		ads_json_str(e, "do", plan_do_name(a->what));
		ads_json_str(e, "cause", plan_cause_name(a->cause));
		ads_json_i64(e, "segment", a->segment);
		if (a->from == PLAN_NONE)
			ads_json_null(e, "from");
		else
			ads_json_i64(e, "from", a->from);
		if (a->to == PLAN_NONE)
			ads_json_null(e, "to");
		else
			ads_json_i64(e, "to", a->to);
		ads_json_bool(e, "starts", a->hold == PLAN_START);
		ads_json_str(e, "waits", a->hold == PLAN_START ? NULL :
			     plan_hold_text(a->hold));
		ads_json_u64(e, "bytes", a->bytes);
		ads_json_double(e, "seconds", (double)a->seconds);
		ads_json_double(e, "gain", (double)a->gain);
		ads_json_double(e, "cost", (double)a->cost);
		ads_json_str(e, "why", plan_action_text(s, p, a, text,
							sizeof(text)));
	}
	return list;
}

struct json_object *planlog_encode(const uint8_t *pool,
				   const struct plan_state *s,
				   const struct plan_policy *p, size_t max,
				   const struct plan_result *r)
{
	struct json_object *o = ads_json_doc(NAME, 1), *e;
	char value[32];

	if (!o)
		return NULL;
	ads_json_i64(o, "time", s->now);
	ads_json_uuid(o, "pool", pool);
	ads_json_u64(o, "max", max);
	e = ads_json_obj(o, "policy");
	for (const struct plan_setting *t = plan_settings; t->name; t++)
		ads_json_str(e, t->name, plan_policy_get(p, t, value,
							 sizeof(value)));
	json_object_object_add(o, "state", s->nr_segs > PLANLOG_SEGMENTS ?
			       NULL : encode_state(s));
	e = ads_json_obj(o, "decided");
	ads_json_u64(e, "id", planlog_id(s, r));
	ads_json_u64(e, "actions", r->nr_all);
	ads_json_u64(e, "starting", r->nr_start);
	json_object_object_add(e, "started",
			       planlog_actions(s, p, r, r->nr_start));
	return o;
}

/* -- and back --------------------------------------------------------------------------- */

static bool decode_cost(struct plan_state *s, struct json_object *list)
{
	struct plan_cost *c = calloc(1, sizeof(*c));

	s->cost = c;
	return c && planlog_cost_take(c, list);
}

static bool decode_list(struct plan_state *s, const struct list *l,
			struct json_object *list)
{
	size_t n = json_object_is_type(list, json_type_array) ?
		   json_object_array_length(list) : SIZE_MAX;
	char *base;

	if (n > PLANLOG_SEGMENTS)
		return false;
	base = calloc(n + 1, l->size);
	if (!base)
		return false;
	*(char **)((char *)s + l->array) = base;
	*(uint32_t *)((char *)s + l->count) = (uint32_t)n;
	for (size_t i = 0; i < n; i++, base += l->size)
		if (!decode(base, l->fields, l->label == NO_LABEL ? NULL :
			    base + l->label,
			    json_object_array_get_idx(list, i)))
			return false;
	return true;
}

/*
 * Each is checked against the others as it is set: those that have to wait for
 * another one are tried again, as long as that helps.
 */
static bool decode_policy(struct plan_policy *p, struct json_object *o)
{
	int left = INT_MAX, before;

	plan_policy_defaults(p);
	if (!json_object_is_type(o, json_type_object))
		return false;
	do {
		before = left;
		left = 0;
		json_object_object_foreach(o, name, value) {
			const char *text = json_object_get_string(value);

			left += !text || plan_policy_set(p, name, text, NULL);
		}
	} while (left && left < before);
	return !left;
}

static int bad(struct planlog *l, struct ads_err *err, int code,
	       const char *why)
{
	planlog_free(l);
	return ads_err(err, code, "%s", why);
}

int planlog_decode(const char *line, struct planlog *l, struct ads_err *err)
{
	struct json_object *o = json_tokener_parse(line), *state;
	const char *name;
	int64_t v;

	memset(l, 0, sizeof(*l));
	l->line = o;
	if (!json_object_is_type(o, json_type_object) ||
	    !ads_json_get_str(ads_json_get(o, "schema"), "name", &name) ||
	    strcmp(name, NAME) ||
	    !ads_json_get_i64(ads_json_get(o, "schema"), "version", &v) ||
	    v != 1)
		return bad(l, err, -EBADMSG, "is no record of a decision");
	if (ads_json_get_i64(o, "time", &v))
		l->time = v;
	if (ads_json_get_str(o, "pool", &name))
		snprintf(l->pool, sizeof(l->pool), "%s", name);
	if (ads_json_get_i64(o, "max", &v) && v >= 0)
		l->max = (size_t)v;
	l->decided = ads_json_get(o, "decided");
	if (!ads_json_get_i64(l->decided, "id", &v))
		return bad(l, err, -EBADMSG, "does not say what was decided");
	l->id = (uint64_t)v;
	state = ads_json_get(o, "state");
	if (!state)
		return bad(l, err, -ENODATA,
			   "was recorded without its segments, for there are too many");
	if (!decode_policy(&l->policy, ads_json_get(o, "policy")))
		return bad(l, err, -EBADMSG, "its policy makes no sense");
	if (!decode(&l->s, state_fields, NULL, ads_json_get(state, "plain")) ||
	    !decode_cost(&l->s, ads_json_get(state, "cost")))
		return bad(l, err, -EBADMSG, "its state makes no sense");
	for (size_t i = 0; i < NR_LISTS; i++)
		if (!decode_list(&l->s, &lists[i],
				 ads_json_get(state, lists[i].name)))
			return bad(l, err, -EBADMSG,
				   "its state makes no sense");
	return 0;
}

void planlog_free(struct planlog *l)
{
	for (size_t i = 0; i < NR_LISTS; i++) {
		char **base = (char **)((char *)&l->s + lists[i].array);

		free(*base);
		*base = NULL;
	}
	free((void *)l->s.cost);
	l->s.cost = NULL;
	json_object_put(l->line);
	l->line = NULL;
}
