// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/act.h"
#include "daemon/cycle.h"
#include "daemon/keep.h"
#include "daemon/log.h"
#include "daemon/plan/core/state.h"
#include "daemon/settings.h"
#include "lib/json.h"
#include "lib/units.h"

#define FILE_NAME	"settings.json"
#define VALUE_MAX	32
#define PATIENCE	20	/* seconds until it is not waited for */

struct override {
	const struct plan_setting *setting;
	char value[VALUE_MAX];
};

struct settings {
	struct config base;		/* what the file says */
	struct override over[CONFIG_POLICY_MAX];
	size_t nr_over;
	struct pin *pin;
	size_t nr_pins;
	uint32_t next_pin;
	bool ready;
	unsigned int saving;		/* writes under way */
	char doubt[200], problem[200];
};

bool settings_ready(const struct settings *s)
{
	return !s || s->ready;
}

const char *settings_doubt(const struct settings *s)
{
	return s && s->doubt[0] ? s->doubt : NULL;
}

const char *settings_problem(const struct settings *s)
{
	return s && s->problem[0] ? s->problem : NULL;
}

bool settings_saved(const struct settings *s)
{
	return !s || (!s->saving && !s->problem[0]);
}

const struct plan_policy *settings_base(const struct settings *s)
{
	return &s->base.policy;
}

const char *settings_pin_name(uint8_t kind)
{
	static const char *const names[] = {
		[PLAN_PIN_CLASS] = "class", [PLAN_PIN_MEMBER] = "member",
		[PLAN_PIN_LOCATION] = "location", [PLAN_PIN_STAY] = "stay",
	};

	return kind <= PLAN_PIN_STAY ? names[kind] : "unknown";
}

int settings_pin_kind(const char *name)
{
	for (int i = 0; i <= PLAN_PIN_STAY; i++)
		if (!strcmp(settings_pin_name((uint8_t)i), name))
			return i;
	return -1;
}

/* -- over the configuration ------------------------------------------------------ */

static struct override *find(const struct settings *s, const char *name)
{
	for (size_t i = 0; s && i < s->nr_over; i++)
		if (!strcmp(s->over[i].setting->name, name))
			return (struct override *)&s->over[i];
	return NULL;
}

bool settings_is_set(const struct settings *s, const char *name)
{
	return find(s, name);
}

/* What is set, onto a copy of what the file says; 0 or the first error. */
static int lay_over(const struct settings *s, struct config *c,
		    struct ads_err *err)
{
	const char *names[CONFIG_POLICY_MAX], *values[CONFIG_POLICY_MAX];
	int r;

	for (size_t i = 0; i < s->nr_over; i++) {
		names[i] = s->over[i].setting->name;
		values[i] = s->over[i].value;
	}
	r = config_policy_set(&c->policy, names, values, s->nr_over, err);
	if (r)
		return r;
	config_policy_to_keys(c);
	r = config_check(c, "together with the configuration", err);
	return r;
}

struct config *settings_over(struct settings *s, const struct config *config)
{
	struct config *c = malloc(sizeof(*c));
	struct ads_err err = { .text = "" };
	int r;

	if (!c)
		return NULL;
	*c = *config;
	if (!s)
		return c;
	s->base = *config;
	r = lay_over(s, c, &err);
	if (r) {
		/* the file has changed so that they contradict it: the file it is */
		log_warn("policy", "what was set does not go with the configuration, and does not count: %s",
			 ads_err_text(&err, r));
		snprintf(s->doubt, sizeof(s->doubt),
			 "what was set by hand contradicts the configuration: %.120s",
			 ads_err_text(&err, r));
		*c = *config;
	}
	return c;
}

/* Everybody sees it from now on. */
static int use(struct adshardd *d, struct ads_err *err)
{
	struct settings *s = d->settings;
	const struct config *old = d->config;
	struct config *c = malloc(sizeof(*c));
	int r;

	if (!c)
		return -ENOMEM;
	*c = s->base;
	r = lay_over(s, c, err);
	if (r) {
		free(c);
		return r;
	}
	c->log_level = old->log_level;
	d->config = c;
	free((void *)old);
	s->doubt[0] = 0;
	return 0;
}

/* -- the file ---------------------------------------------------------------------- */

static struct json_object *to_json(const struct settings *s)
{
	struct json_object *o = ads_json_doc("adshardd.settings", 1), *list, *e;

	if (!o)
		return NULL;
	e = ads_json_obj(o, "policy");
	for (size_t i = 0; i < s->nr_over; i++)
		ads_json_str(e, s->over[i].setting->name, s->over[i].value);
	list = ads_json_arr(o, "pins");
	for (size_t i = 0; i < s->nr_pins; i++) {
		const struct pin *p = &s->pin[i];

		e = ads_json_push(list);
		ads_json_i64(e, "id", p->id);
		ads_json_uuid(e, "pool", p->pool);
		ads_json_i64(e, "first", p->first);
		ads_json_i64(e, "count", p->count);
		ads_json_str(e, "kind", settings_pin_name(p->kind));
		ads_json_str(e, "value", p->value);
	}
	ads_json_i64(o, "next_pin", s->next_pin);
	return o;
}

static void on_written(int error, const struct ads_err *err, const char *text,
		       void *arg)
{
	struct adshardd *d = arg;
	struct settings *s = d->settings;

	(void)text;
	if (!s)
		return;
	s->saving--;
	if (error && !s->problem[0])
		log_error("policy", "what was set is not kept: %s",
			  ads_err_text(err, error));
	s->problem[0] = 0;
	if (error)
		snprintf(s->problem, sizeof(s->problem), "%.180s",
			 ads_err_text(err, error));
}

static void save(struct adshardd *d)
{
	struct settings *s = d->settings;
	struct json_object *o = to_json(s);
	const char *text = o ? json_object_to_json_string_ext(o,
				JSON_C_TO_STRING_PRETTY |
				JSON_C_TO_STRING_NOSLASHESCAPE) : NULL;

	if (text && !keep_write(d->keep, FILE_NAME, text, on_written, d)) {
		s->saving++;
	} else {
		log_error("policy", "what was set is not kept: too much waits to be written");
		snprintf(s->problem, sizeof(s->problem),
			 "too much waits to be written");
	}
	json_object_put(o);
}

static bool take_pin(struct settings *s, struct json_object *o)
{
	const char *pool, *kind, *value = "";
	int64_t id, first, count;
	struct pin *p, *all;

	if (!ads_json_get_i64(o, "id", &id) || id < 1 || id > UINT32_MAX ||
	    !ads_json_get_i64(o, "first", &first) || first < 0 ||
	    !ads_json_get_i64(o, "count", &count) || count < 1 ||
	    first + count > UINT32_MAX || s->nr_pins == SETTINGS_PINS ||
	    !ads_json_get_str(o, "kind", &kind) ||
	    settings_pin_kind(kind) < 0 || !ads_json_get_str(o, "pool", &pool))
		return false;
	all = reallocarray(s->pin, s->nr_pins + 1, sizeof(*all));
	if (!all)
		return false;
	s->pin = all;
	p = &all[s->nr_pins];
	memset(p, 0, sizeof(*p));
	if (ads_parse_uuid(pool, p->pool))
		return false;
	ads_json_get_str(o, "value", &value);
	p->id = (uint32_t)id;
	p->first = (uint32_t)first;
	p->count = (uint32_t)count;
	p->kind = (uint8_t)settings_pin_kind(kind);
	snprintf(p->value, sizeof(p->value), "%s", value);
	s->nr_pins++;
	if (s->next_pin <= p->id)
		s->next_pin = p->id + 1;
	return true;
}

static bool take_policy(struct settings *s, struct json_object *policy)
{
	json_object_object_foreach(policy, name, value) {
		const struct plan_setting *setting = plan_setting_find(name);
		struct override *o;

		if (!setting || !json_object_is_type(value, json_type_string) ||
		    s->nr_over == CONFIG_POLICY_MAX)
			return false;
		o = &s->over[s->nr_over++];
		o->setting = setting;
		snprintf(o->value, sizeof(o->value), "%s",
			 json_object_get_string(value));
	}
	return true;
}

static bool take(struct settings *s, struct json_object *o)
{
	struct json_object *pins = ads_json_get(o, "pins");
	struct json_object *policy = ads_json_get(o, "policy");
	int64_t version, next;
	const char *name;

	if (!ads_json_get_str(ads_json_get(o, "schema"), "name", &name) ||
	    strcmp(name, "adshardd.settings") ||
	    !ads_json_get_i64(ads_json_get(o, "schema"), "version", &version) ||
	    version != 1 || !json_object_is_type(policy, json_type_object) ||
	    !json_object_is_type(pins, json_type_array) ||
	    !take_policy(s, policy))
		return false;
	for (size_t i = 0; i < json_object_array_length(pins); i++)
		if (!take_pin(s, json_object_array_get_idx(pins, i)))
			return false;
	if (ads_json_get_i64(o, "next_pin", &next) && next > s->next_pin &&
	    next <= UINT32_MAX)
		s->next_pin = (uint32_t)next;
	return true;
}

static void doubt(struct settings *s, const char *why)
{
	snprintf(s->doubt, sizeof(s->doubt), "%.180s", why);
	log_error("policy", "%s: nothing that can wait is moved until 'adshardctl policy set' or 'pin' writes it anew",
		  s->doubt);
}

static void on_read(int error, const struct ads_err *err, const char *text,
		    void *arg)
{
	struct adshardd *d = arg;
	struct settings *s = d->settings;
	struct ads_err why = { .text = "" };
	struct json_object *o = NULL;
	int r;

	/* it comes late, and the operator has begun anew */
	if (!s || (s->ready && (s->nr_over || s->nr_pins)))
		return;
	s->doubt[0] = 0;
	if (error) {
		doubt(s, ads_err_text(err, error));
	} else if (text[0]) {
		o = json_tokener_parse(text);
		if (!take(s, o)) {
			s->nr_over = s->nr_pins = 0;
			if (!d->once)
				keep_set_aside(d->keep, FILE_NAME);
			doubt(s, "settings.json makes no sense and was set aside");
		}
		json_object_put(o);
	}
	r = s->nr_over ? use(d, &why) : 0;
	if (r)
		doubt(s, ads_err_text(&why, r));
	if (s->nr_over || s->nr_pins)
		log_info("policy", "%zu settings and %zu pins by the operator",
			 s->nr_over, s->nr_pins);
	s->ready = true;
	act_run(d);
}

void settings_unblock(struct adshardd *d, int64_t now)
{
	struct settings *s = d->settings;

	if (!s || s->ready || now - d->started < PATIENCE)
		return;
	s->ready = true;
	doubt(s, "the settings can't be read: the disk does not answer");
}

int settings_new(struct adshardd *d, const struct config *config)
{
	struct settings *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	s->base = *config;
	s->next_pin = 1;
	d->settings = s;
	r = keep_read(d->keep, FILE_NAME, on_read, d);
	if (r) {
		s->ready = true;
		doubt(s, "the settings can't be read");
	}
	return 0;
}

void settings_free(struct settings *s)
{
	if (!s)
		return;
	free(s->pin);
	free(s);
}

/* -- the operator ----------------------------------------------------------------------- */

static int put(struct settings *s, const char *name, const char *value,
	       struct ads_err *err)
{
	const struct plan_setting *setting = plan_setting_find(name);
	struct override *o = find(s, name);

	if (!setting)
		return ads_err(err, -ENOENT, "%s: there is no such setting ('adshardctl policy show' lists them)",
			       name);
	if (!value) {
		if (o)
			*o = s->over[--s->nr_over];
		return 0;
	}
	if (strlen(value) >= VALUE_MAX)
		return ads_err(err, -EINVAL, "%s: '%.40s...' is too long", name,
			       value);
	if (!o && s->nr_over == CONFIG_POLICY_MAX)
		return ads_err(err, -ENOSPC, "too many settings");
	if (!o)
		o = &s->over[s->nr_over++];
	o->setting = setting;
	snprintf(o->value, sizeof(o->value), "%s", value);
	return 0;
}

int settings_set(struct adshardd *d, const char *const *names,
		 const char *const *values, size_t n, struct ads_err *err)
{
	struct settings *s = d->settings, *before;
	int r = 0;

	if (!s || !s->ready)
		return ads_err(err, -EAGAIN, "the agent has just started: try again in a moment");
	before = malloc(sizeof(*before));
	if (!before)
		return -ENOMEM;
	*before = *s;
	for (size_t i = 0; !r && i < n; i++)
		r = put(s, names[i], values[i], err);
	if (!r)
		r = use(d, err);
	if (r) {
		*s = *before;
	} else {
		for (size_t i = 0; i < n; i++)
			log_notice("policy", "%s %s%s by the operator", names[i],
				   values[i] ? "= " : "as configured",
				   values[i] ? values[i] : "");
		save(d);
	}
	free(before);
	return r;
}

int settings_pin(struct adshardd *d, struct pin *pin, struct ads_err *err)
{
	struct settings *s = d->settings;
	struct pin *all;

	if (!s || !s->ready)
		return ads_err(err, -EAGAIN, "the agent has just started: try again in a moment");
	if (s->nr_pins == SETTINGS_PINS)
		return ads_err(err, -ENOSPC, "there are %d pins already: take some away first",
			       SETTINGS_PINS);
	all = reallocarray(s->pin, s->nr_pins + 1, sizeof(*all));
	if (!all)
		return -ENOMEM;
	s->pin = all;
	pin->id = s->next_pin++;
	s->pin[s->nr_pins++] = *pin;
	log_notice("policy", "pin %u by the operator: segments %u to %u, %s %s",
		   pin->id, pin->first, pin->first + pin->count - 1,
		   settings_pin_name(pin->kind), pin->value);
	save(d);
	return 0;
}

int settings_unpin(struct adshardd *d, uint32_t id, struct ads_err *err)
{
	struct settings *s = d->settings;

	for (size_t i = 0; s && s->ready && i < s->nr_pins; i++) {
		if (s->pin[i].id != id)
			continue;
		memmove(&s->pin[i], &s->pin[i + 1],
			(--s->nr_pins - i) * sizeof(*s->pin));
		log_notice("policy", "pin %u is taken away by the operator",
			   id);
		save(d);
		return 0;
	}
	return ads_err(err, -ENOENT, "there is no pin %u", id);
}

const struct pin *settings_pins(const struct settings *s, size_t *n)
{
	*n = s ? s->nr_pins : 0;
	return s ? s->pin : NULL;
}
