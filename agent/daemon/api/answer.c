// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/act.h"
#include "daemon/api/api.h"
#include "daemon/api/foresight.h"
#include "daemon/api/parts.h"
#include "daemon/collect/collect.h"
#include "daemon/cycle.h"
#include "daemon/foresee.h"
#include "daemon/history/history.h"
#include "daemon/plan/jobs.h"
#include "daemon/reload.h"
#include "daemon/unused.h"
#include "lib/json.h"
#include "lib/units.h"

static void add_score(struct json_object *o, int score)
{
	if (score < 0)
		ads_json_null(o, "score");
	else
		ads_json_i64(o, "score", score);
}

void part_time(struct json_object *o, const char *key, int64_t t)
{
	if (t > 0)
		ads_json_i64(o, key, t);
	else
		ads_json_null(o, key);
}

void part_text(struct json_object *o, const char *key, const char *s)
{
	ads_json_str(o, key, s && s[0] ? s : NULL);
}

static void add_reasons(struct json_object *o, const struct member *m,
			unsigned int max)
{
	struct json_object *list = ads_json_arr(o, "reasons"), *r;

	for (unsigned int i = 0; i < m->risk.nr && i < max; i++) {
		const struct risk_reason *p = &m->risk.reason[i];

		r = ads_json_push(list);
		ads_json_str(r, "text", p->text);
		ads_json_i64(r, "points", p->points);
	}
}

static void add_identity(struct json_object *o, const struct member *m)
{
	const struct smart_sample *s = &m->smart.sample;

	ads_json_uuid(o, "pool", m->pool->k.uuid);
	ads_json_i64(o, "member", m->k.index);
	ads_json_uuid(o, "uuid", m->k.uuid);
	part_text(o, "pool_name", m->pool->k.name);
	part_text(o, "device", m->dev.path);
	part_text(o, "model", s->model[0] ? s->model : m->dev.model);
	part_text(o, "serial", s->serial[0] ? s->serial : m->dev.serial);
}

static void add_smart(struct json_object *o, const struct member *m,
		      int64_t now)
{
	int64_t age = smart_age(m, now);

	if (age < 0)
		ads_json_null(o, "smart_age");
	else
		ads_json_i64(o, "smart_age", age);
	part_text(o, "smart_problem", m->smart.problem);
	ads_json_bool(o, "asleep", m->smart.asleep);
}

static void add_load(struct json_object *o, const struct member *m)
{
	struct json_object *l;

	if (!m->io.known) {
		ads_json_null(o, "load");
		return;
	}
	l = ads_json_obj(o, "load");
	ads_json_double(l, "utilisation", m->io.util);
	ads_json_double(l, "queue", m->io.queue);
	ads_json_double(l, "reads_per_second", m->io.read_rate);
	ads_json_double(l, "writes_per_second", m->io.write_rate);
	ads_json_double(l, "read_bytes_per_second", m->io.read_bytes);
	ads_json_double(l, "write_bytes_per_second", m->io.write_bytes);
	ads_json_double(l, "read_size", m->io.read_rate > 0 ?
			m->io.read_bytes / m->io.read_rate : 0);
	ads_json_double(l, "write_size", m->io.write_rate > 0 ?
			m->io.write_bytes / m->io.write_rate : 0);
	ads_json_double(l, "read_latency_p50", m->read_latency.p50);
	ads_json_double(l, "read_latency_p99", m->read_latency.p99);
	ads_json_double(l, "write_latency_p50", m->write_latency.p50);
	ads_json_double(l, "write_latency_p99", m->write_latency.p99);
}

static void add_patrol(struct json_object *o, const struct member *m)
{
	const struct patrol_state *s;
	struct json_object *p;

	if (!m->patroller) {
		ads_json_null(o, "patrol");
		return;
	}
	s = patroller_state(m->patroller);
	p = ads_json_obj(o, "patrol");
	ads_json_u64(p, "position", s->position);
	ads_json_u64(p, "rounds", s->rounds);
	ads_json_u64(p, "errors", s->errors);
	if (s->errors)
		ads_json_u64(p, "last_error_at", s->error_at);
	else
		ads_json_null(p, "last_error_at");
	part_time(p, "hung_since", s->hung);
}

static void add_member(struct json_object *list, const struct member *m,
		       const struct act_wish *w, int64_t now)
{
	struct json_object *o = ads_json_push(list);

	add_identity(o, m);
	ads_json_str(o, "state", ads_member_state_name(m->k.state));
	add_score(o, m->risk.score);
	ads_json_bool(o, "stale", cycle_stale(m, now));
	if (m->risk.score > 0)
		ads_json_str(o, "mode", risk_mode_name(m->risk.mode));
	else
		ads_json_null(o, "mode");
	add_reasons(o, m, 3);
	ads_json_bool(o, "at_risk", m->track.at_risk);
	/* why it is not evacuated though it should be */
	part_text(o, "blocked", w->wanted ? w->why : NULL);
	add_smart(o, m, now);
	ads_json_u64(o, "io_errors", m->errors.total);
	add_load(o, m);
	add_patrol(o, m);
	api_foresight(o, m, false);
}

static void warn(struct json_object *list, const char *text)
{
	json_object_array_add(list, json_object_new_string(text));
}

static void add_warnings(struct json_object *o, struct adshardd *d)
{
	struct json_object *list = ads_json_arr(o, "warnings");
	const char *problem = history_problem(d->history), *what;
	int64_t leapt, leap;
	char text[400];
	double silent;

	if (d->view_error) {
		snprintf(text, sizeof(text), "kernel: %s", d->view_error < 0 ?
			 d->view_text : "has not been asked yet");
		warn(list, text);
	}
	silent = kernel_silent(d->kernel, &what);
	if (silent > 30) {
		snprintf(text, sizeof(text),
			 "kernel: has not answered a %s for %.0f s", what,
			 silent);
		warn(list, text);
	}
	if (problem) {
		snprintf(text, sizeof(text), "history: %s", problem);
		warn(list, text);
	}
	leapt = foresee_clock(d, &leap);
	if (leapt) {
		char span[32];

		snprintf(text, sizeof(text), "clock: was set %s by %s",
			 leap > 0 ? "forward" : "back",
			 ads_format_duration((double)llabs(leap), span,
					     sizeof(span)));
		warn(list, text);
	}
	if (!d->patrol && d->config->patrol.enable && !d->once)
		warn(list, "patrol: io_uring is not available");
	for (const struct pool *p = d->pools; p; p = p->next) {
		if (p->k.nr_bad) {
			char size[32];

			snprintf(text, sizeof(text),
				 "%s: %s in %u range%s could not be read when they were moved: reads of them fail",
				 p->object,
				 ads_format_size(p->k.bad_bytes, false, size,
						 sizeof(size)),
				 p->k.nr_bad, p->k.nr_bad == 1 ? "" : "s");
			warn(list, text);
		}
		for (const struct member *m = p->members; m; m = m->next) {
			if (!m->suspect)
				continue;
			snprintf(text, sizeof(text),
				 "%s: went bad together with many others of its model: not evacuated",
				 m->object);
			warn(list, text);
		}
	}
}

static const char *mode_name(long mode)
{
	return mode == MODE_AUTO ? "auto" : mode == MODE_ADVISE ? "advise" :
								  "off";
}

struct json_object *api_status(struct adshardd *d)
{
	struct json_object *o = ads_json_doc("adshardd.status", 1), *list;
	int64_t now = now_epoch();

	if (!o)
		return NULL;
	ads_json_str(o, "agent_mode", mode_name(d->config->mode));
	ads_json_i64(o, "started", d->started);
	list = ads_json_arr(o, "members");
	for (struct pool *p = d->pools; p; p = p->next)
		for (struct member *m = p->members; m; m = m->next) {
			struct act_wish w;

			act_wish(m, &w);
			add_member(list, m, &w, now);
		}
	part_jobs(o, d);
	api_causes(o, d);
	api_host(o, d);
	add_warnings(o, d);
	return o;
}

struct json_object *part_error(int code, const char *text)
{
	struct json_object *o = json_object_new_object();

	if (o) {
		ads_json_str(o, "error", text);
		ads_json_i64(o, "code", code < 0 ? -code : code);
	}
	return o;
}

struct pool *part_pool(struct adshardd *d, struct json_object *req)
{
	uint8_t uuid[ADS_UUID_LEN];
	const char *in = NULL;

	if (!ads_json_get_str(req, "pool", &in))
		/* the only one needs no name */
		return d->pools && !d->pools->next ? d->pools : NULL;
	if (!ads_parse_uuid(in, uuid))
		return model_pool(d, uuid);
	for (struct pool *p = d->pools; p; p = p->next)
		if (!strcmp(in, p->k.name))
			return p;
	return NULL;
}

struct member *part_member(struct adshardd *d, struct json_object *req)
{
	uint8_t uuid[ADS_UUID_LEN], pool[ADS_UUID_LEN];
	const char *text = NULL, *in = NULL;
	struct member *found = NULL;
	int64_t index = -1;
	uint64_t number;
	bool is_uuid;

	if (!ads_json_get_str(req, "member", &text) &&
	    !ads_json_get_i64(req, "member", &index))
		return NULL;
	if (!ads_json_get_str(req, "pool", &in) || ads_parse_uuid(in, pool))
		memset(pool, 0, sizeof(pool));	/* it is a name, then */
	if (text && ads_parse_u64(text, UINT32_MAX, &number) == 0) {
		index = (int64_t)number;
		text = NULL;
	}
	is_uuid = text && ads_parse_uuid(text, uuid) == 0;
	for (struct pool *p = d->pools; p; p = p->next) {
		if (in && memcmp(pool, p->k.uuid, ADS_UUID_LEN) &&
		    strcmp(in, p->k.name))
			continue;
		for (struct member *m = p->members; m; m = m->next) {
			bool is = is_uuid ? !memcmp(uuid, m->k.uuid,
						    ADS_UUID_LEN) :
				  text ? !strcmp(text, m->dev.path) ||
					 !strcmp(text, m->dev.name) :
					 index == m->k.index;

			if (is && found)
				return NULL;	/* which one? */
			if (is)
				found = m;
		}
	}
	return found;
}

static struct json_object *answer_risk(struct adshardd *d,
				       struct json_object *req)
{
	struct member *m = part_member(d, req);
	struct json_object *o;
	int64_t now = now_epoch();

	if (!m)
		return part_error(ENOENT, "there is no such member (or several): give its device or UUID");
	o = ads_json_doc("adshardd.risk", 1);
	if (!o)
		return NULL;
	add_identity(o, m);
	add_score(o, m->risk.score);
	ads_json_bool(o, "stale", cycle_stale(m, now));
	ads_json_bool(o, "at_risk", m->track.at_risk);
	part_time(o, "at_risk_since", m->track.at_risk);
	part_time(o, "quiet_since", m->track.quiet);
	api_foresight(o, m, true);
	add_smart(o, m, now);
	ads_json_u64(o, "io_errors", m->errors.total);
	add_load(o, m);
	add_patrol(o, m);
	return o;
}

static struct json_object *answer_history(struct adshardd *d,
					  struct json_object *req)
{
	struct member *m = part_member(d, req);

	return m ? api_history(m) :
		   part_error(ENOENT, "there is no such member (or several): give its device or UUID");
}

static struct json_object *answer_version(void)
{
	struct json_object *o = ads_json_doc("adshardd.version", 1);

	if (o)
		ads_json_str(o, "version", ADSHARD_VERSION);
	return o;
}

static struct json_object *answer_cancel(struct adshardd *d,
					 struct json_object *req)
{
	struct ads_err err = { .text = "" };
	struct json_object *o;
	int64_t id;
	int r;

	if (!ads_json_get_i64(req, "job", &id) || id < 1)
		return part_error(EINVAL, "which job? (\"job\": number)");
	r = act_cancel(d, id, &err);
	if (r)
		return part_error(r, ads_err_text(&err, r));
	o = ads_json_doc("adshardd.cancel", 1);
	if (o)
		ads_json_i64(o, "job", id);
	return o;
}

static struct json_object *answer_reload(struct adshardd *d)
{
	struct ads_err err = { .text = "" };
	int r = reload(d, &err);

	return r ? part_error(r, ads_err_text(&err, r)) :
		   ads_json_doc("adshardd.reload", 1);
}

static struct json_object *plain_version(struct adshardd *d UNUSED)
{
	return answer_version();
}

static const struct command {
	const char *name;
	bool root;			/* it changes something */
	struct json_object *(*plain)(struct adshardd *d);
	struct json_object *(*asked)(struct adshardd *d,
				     struct json_object *req);
} commands[] = {
	{ "status", false, api_status, NULL },
	{ "risk", false, NULL, answer_risk },
	{ "history", false, NULL, answer_history },
	{ "forecast", false, NULL, answer_forecast },
	{ "jobs", false, answer_jobs, NULL },
	{ "job", true, NULL, answer_job },
	{ "plan", false, NULL, answer_plan },
	{ "approve", true, NULL, answer_approve },
	{ "policy", false, answer_policy, NULL },
	{ "policy-set", true, NULL, answer_policy_set },
	{ "pins", false, answer_pins, NULL },
	{ "pin", true, NULL, answer_pin },
	{ "unpin", true, NULL, answer_unpin },
	{ "version", false, plain_version, NULL },
	{ "cancel", true, NULL, answer_cancel },
	{ "reload", true, answer_reload, NULL },
	{ NULL, false, NULL, NULL },
};

struct json_object *api_answer(struct adshardd *d, const char *line, size_t len,
			       bool root)
{
	struct json_tokener *tok = json_tokener_new();
	struct json_object *req, *o;
	const char *cmd = NULL;
	const struct command *c;
	size_t used = 0;

	if (!tok)
		return NULL;
	json_tokener_set_flags(tok, JSON_TOKENER_STRICT);
	req = json_tokener_parse_ex(tok, line, (int)len);
	if (req)
		used = json_tokener_get_parse_end(tok);
	/* what stands behind it was meant for something */
	while (req && used < len && strchr(" \t\r", line[used]))
		used++;
	json_tokener_free(tok);
	if (used < len || !json_object_is_type(req, json_type_object) ||
	    !ads_json_get_str(req, "cmd", &cmd)) {
		json_object_put(req);
		return part_error(EINVAL,
			     "a request is one line with a JSON object that has a \"cmd\"");
	}
	for (c = commands; c->name && strcmp(c->name, cmd); c++)
		;
	if (c->root && !root)
		o = part_error(EPERM, "only root may do this");
	else if (c->name)
		o = c->plain ? c->plain(d) : c->asked(d, req);
	else
		o = part_error(EINVAL, "there is no such command");
	json_object_put(req);
	return o;
}
