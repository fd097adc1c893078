// SPDX-License-Identifier: GPL-2.0-or-later
/* The planner's settings, and pins. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/act.h"
#include "daemon/api/parts.h"
#include "daemon/cycle.h"
#include "daemon/planner.h"
#include "daemon/settings.h"
#include "lib/json.h"

static const char *type_name(enum plan_setting_type type)
{
	static const char *const names[] = {
		[PLAN_SET_NUMBER] = "number", [PLAN_SET_PERCENT] = "percent",
		[PLAN_SET_SECONDS] = "time", [PLAN_SET_BYTES] = "size",
		[PLAN_SET_BOOL] = "yes-no", [PLAN_SET_CLOCK] = "clock",
		[PLAN_SET_MODE] = "mode",
	};

	return names[type];
}

static void add_saved(struct json_object *o, struct adshardd *d)
{
	ads_json_bool(o, "saved", settings_saved(d->settings));
	part_text(o, "problem", settings_problem(d->settings));
	part_text(o, "doubt", settings_doubt(d->settings));
}

struct json_object *answer_policy(struct adshardd *d)
{
	struct json_object *o = ads_json_doc("adshardd.policy", 1), *list, *e;
	const struct plan_policy *now = &d->config->policy, *base;
	char value[32];

	if (!o)
		return NULL;
	base = settings_base(d->settings);
	add_saved(o, d);
	list = ads_json_arr(o, "settings");
	for (const struct plan_setting *s = plan_settings; s->name; s++) {
		e = ads_json_push(list);
		ads_json_str(e, "name", s->name);
		ads_json_str(e, "type", type_name(s->type));
		ads_json_str(e, "value", plan_policy_get(now, s, value,
							 sizeof(value)));
		ads_json_i64(e, "number", *(const long *)((const char *)now +
							  s->offset));
		ads_json_bool(e, "set", settings_is_set(d->settings, s->name));
		ads_json_str(e, "configured",
			     plan_policy_get(base, s, value, sizeof(value)));
		ads_json_str(e, "default", s->def);
		ads_json_i64(e, "min", s->min);
		ads_json_i64(e, "max", s->max);
		ads_json_str(e, "text", s->text);
	}
	return o;
}

struct json_object *answer_policy_set(struct adshardd *d,
				      struct json_object *req)
{
	const char *names[CONFIG_POLICY_MAX], *values[CONFIG_POLICY_MAX];
	struct json_object *set = ads_json_get(req, "set");
	struct ads_err err = { .text = "" };
	size_t n = 0;
	int r;

	if (!json_object_is_type(set, json_type_object) ||
	    !json_object_object_length(set))
		return part_error(EINVAL, "what? (\"set\": an object of names and values)");
	json_object_object_foreach(set, name, value) {
		if (n == CONFIG_POLICY_MAX ||
		    (value && !json_object_is_type(value, json_type_string)))
			return part_error(EINVAL, "a value is a string, or null for what is configured");
		names[n] = name;
		values[n++] = value ? json_object_get_string(value) : NULL;
	}
	r = settings_set(d, names, values, n, &err);
	if (r)
		return part_error(r, ads_err_text(&err, r));
	act_run(d);
	return answer_policy(d);
}

/* -- pins ------------------------------------------------------------------------------ */

static void add_pin(struct json_object *list, const struct pin *p)
{
	struct json_object *e = ads_json_push(list);

	ads_json_i64(e, "id", p->id);
	ads_json_uuid(e, "pool", p->pool);
	ads_json_i64(e, "first", p->first);
	ads_json_i64(e, "last", (int64_t)p->first + p->count - 1);
	ads_json_str(e, "kind", settings_pin_name(p->kind));
	part_text(e, "value", p->value);
}

struct json_object *answer_pins(struct adshardd *d)
{
	struct json_object *o = ads_json_doc("adshardd.pins", 1), *list;
	const struct pin *pin;
	size_t n;

	if (!o)
		return NULL;
	add_saved(o, d);
	pin = settings_pins(d->settings, &n);
	list = ads_json_arr(o, "pins");
	for (size_t i = 0; i < n; i++)
		add_pin(list, &pin[i]);
	return o;
}

/* What it names has to be there now; if it goes later the segments stay. */
static int check_value(struct adshardd *d, struct pool *p, struct pin *pin,
		       struct json_object *req, struct ads_err *err)
{
	char uuid[ADS_UUID_STR];
	const struct member *m;
	const char *value = "";

	ads_json_get_str(req, "value", &value);
	switch (pin->kind) {
	case PLAN_PIN_STAY:
		return 0;
	case PLAN_PIN_MEMBER:
		json_object_object_add(req, "member",
				       json_object_new_string(value));
		ads_json_str(req, "pool", ads_format_uuid(p->k.uuid, uuid));
		m = part_member(d, req);
		if (!m)
			return ads_err(err, -ENOENT, "%s is no member of this pool",
				       value);
		ads_format_uuid(m->k.uuid, pin->value);
		return 0;
	case PLAN_PIN_CLASS:
		if (strcmp(value, "nvme") && strcmp(value, "ssd") &&
		    strcmp(value, "hdd"))
			return ads_err(err, -EINVAL, "a class is nvme, ssd or hdd, not %s",
				       value);
		break;
	case PLAN_PIN_LOCATION:
		for (m = p->members; m && strcmp(m->k.location, value);
		     m = m->next)
			;
		if (!m)
			return ads_err(err, -ENOENT, "no member is at location %s ('adshardctl member set' says where they are)",
				       value);
		break;
	}
	snprintf(pin->value, sizeof(pin->value), "%s", value);
	return 0;
}

struct json_object *answer_pin(struct adshardd *d, struct json_object *req)
{
	struct ads_err err = { .text = "" };
	struct json_object *o, *list;
	struct pool *p = part_pool(d, req);
	struct pin pin = { .id = 0 };
	int64_t first = -1, last = -1;
	const char *kind = "";
	int r;

	if (!p)
		return part_error(ENOENT, d->pools ? "which pool? (--pool)" :
				  "no pool is active");
	ads_json_get_i64(req, "first", &first);
	ads_json_get_i64(req, "last", &last);
	if (first < 0 || last < first)
		return part_error(EINVAL, "which segments? (\"first\", \"last\")");
	if (last >= p->k.nr_segments) {
		ads_err(&err, 0, "the volume has segments 0 to %u",
			p->k.nr_segments - 1);
		return part_error(ENOENT, err.text);
	}
	ads_json_get_str(req, "kind", &kind);
	r = settings_pin_kind(kind);
	if (r < 0)
		return part_error(EINVAL, "\"kind\" is class, member, location or stay");
	pin.kind = (uint8_t)r;
	memcpy(pin.pool, p->k.uuid, ADS_UUID_LEN);
	pin.first = (uint32_t)first;
	pin.count = (uint32_t)(last - first + 1);
	r = check_value(d, p, &pin, req, &err);
	if (!r)
		r = settings_pin(d, &pin, &err);
	if (r)
		return part_error(r, ads_err_text(&err, r));
	planner_wish(p);
	act_run(d);
	o = ads_json_doc("adshardd.pin", 1);
	add_saved(o, d);
	list = ads_json_arr(o, "pins");
	add_pin(list, &pin);
	return o;
}

struct json_object *answer_unpin(struct adshardd *d, struct json_object *req)
{
	struct ads_err err = { .text = "" };
	struct json_object *o;
	int64_t id;
	int r;

	if (!ads_json_get_i64(req, "pin", &id) || id < 1 || id > UINT32_MAX)
		return part_error(EINVAL, "which pin? (\"pin\": number)");
	r = settings_unpin(d, (uint32_t)id, &err);
	if (r)
		return part_error(r, ads_err_text(&err, r));
	o = ads_json_doc("adshardd.unpin", 1);
	add_saved(o, d);
	ads_json_i64(o, "pin", id);
	return o;
}
