// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/history/history.h"
#include "daemon/log.h"
#include "daemon/worker.h"
#include "lib/json.h"

#define MAX_TASKS	4096
#define JOBS_LOADED	(JOBS_KEEP + 16)
#define PATIENCE_MS	3000
#define STALL_SECONDS	30

enum op {
	OPEN, ASK_DRIVE, ASK_MEMBER, ASK_LOADS,
	PUT_SAMPLE, PUT_MEMBER, PUT_LOAD, PUT_SLOW, PUT_FATE, PUT_SCORE, PUT_JOB, TRIM,
};

/* Belongs to the thread. */
struct private {
	char dir[512];
	struct store *store;
	int refused;		/* why there will be none */
};

struct history {
	struct worker *worker;
	struct private *private;
	struct history_calls calls;
	void *arg;
	bool readonly;
	unsigned long lost;	/* records */
	char problem[300];
};

struct op_task {
	struct task task;
	struct history *h;
	enum op op;
	int error;
	bool damaged;
	struct ads_err err;
	union {
		struct store_sample sample;
		struct store_member member;
		struct store_load load;
		struct store_score score;
		struct job job;
		struct { struct store_slow row; long length; } slow;
		struct store_fate fate;
		struct {
			struct store_loads loads;
			int64_t since;
			long step, length;
		} ask;
		struct { int64_t now; struct store_bounds bounds; } trim;
	} u;
	/* answers */
	struct store_row *rows;
	struct job *jobs;
	size_t nr, nr_days;
	int64_t power_on;
	struct drive_day *days;
};

static void reopen(struct op_task *t, struct private *p)
{
	store_close(p->store);
	p->store = NULL;
	t->error = store_open(p->dir, &p->store, &t->damaged, &t->err);
	if (t->error == -EPROTONOSUPPORT)
		p->refused = t->error;
}

static void execute(struct op_task *t, struct store *s)
{
	switch (t->op) {
	case OPEN:
		t->error = store_load_jobs(s, JOBS_LOADED, &t->jobs, &t->nr,
					   &t->err);
		break;
	case ASK_DRIVE:
		t->error = store_load_drive(s, t->u.sample.model,
					    t->u.sample.serial, &t->rows,
					    &t->nr, &t->power_on, &t->err);
		t->days = calloc(DRIVE_DAYS, sizeof(*t->days));
		if (!t->error && t->days)
			t->error = store_load_days(s, t->u.sample.model,
						   t->u.sample.serial, 0,
						   t->days, DRIVE_DAYS,
						   &t->nr_days, &t->err);
		break;
	case ASK_MEMBER:
		t->error = store_load_member(s, &t->u.member, &t->err);
		if (t->error == -ENOENT)
			t->error = 0;
		break;
	case ASK_LOADS:
		t->error = store_load_loads(s, &t->u.ask.loads, t->u.ask.since,
					    t->u.ask.step, t->u.ask.length,
					    &t->err);
		break;
	case PUT_SAMPLE:
		t->error = store_sample(s, &t->u.sample, &t->err);
		break;
	case PUT_MEMBER:
		t->error = store_member(s, &t->u.member, &t->err);
		break;
	case PUT_LOAD:
		t->error = store_load_row(s, &t->u.load, &t->err);
		break;
	case PUT_SLOW:
		t->error = store_slow(s, &t->u.slow.row, t->u.slow.length,
				      &t->err);
		break;
	case PUT_FATE:
		t->error = store_fate(s, &t->u.fate, &t->err);
		break;
	case PUT_SCORE:
		t->error = store_score(s, &t->u.score, &t->err);
		break;
	case PUT_JOB:
		t->error = store_job(s, &t->u.job, &t->err);
		break;
	case TRIM:
		t->error = store_trim(s, t->u.trim.now, &t->u.trim.bounds,
				      &t->err);
		break;
	}
}

static void run_op(struct task *task, void *private)
{
	struct op_task *t = (struct op_task *)task;
	struct private *p = private;

	if (p->refused) {
		t->error = p->refused;
		return;
	}
	if (!p->store)
		reopen(t, p);
	if (!p->store)
		return;
	execute(t, p->store);
	if (t->error == -EBADMSG) {
		t->damaged = true;
		t->error = store_begin_anew(&p->store, p->dir, &t->err);
		if (p->store)
			execute(t, p->store);
	}
}

static void drop_op(struct task *task)
{
	struct op_task *t = (struct op_task *)task;

	if (t->op == PUT_SAMPLE)
		free(t->u.sample.smart);
	if (t->op == ASK_LOADS) {
		free(t->u.ask.loads.row);
		free(t->u.ask.loads.day);
	}
	free(t->days);
	free(t->rows);
	free(t->jobs);
	free(t);
}

/* Says it once, and once when it is over. */
static void note_problem(struct history *h, const struct op_task *t)
{
	if (t->damaged)
		log_warn("history", "%s", ads_err_text(&t->err, 0));
	if (!t->error) {
		if (h->problem[0] && t->op >= PUT_SAMPLE) {
			log_notice("history", "is kept again");
			h->problem[0] = 0;
		}
		return;
	}
	if (!h->problem[0])
		log_error("history", "%s; going on without it",
			  ads_err_text(&t->err, t->error));
	snprintf(h->problem, sizeof(h->problem), "%s",
		 ads_err_text(&t->err, t->error));
}

static void done_op(struct task *task)
{
	struct op_task *t = (struct op_task *)task;
	struct history *h = t->h;

	if (t->error != -EPROTONOSUPPORT || !h->problem[0])
		note_problem(h, t);
	switch (t->op) {
	case OPEN:
		h->calls.ready(t->error, t->jobs, t->nr, h->arg);
		break;
	case ASK_DRIVE:
		h->calls.drive(t->u.sample.model, t->u.sample.serial, t->rows,
			       t->error ? 0 : t->nr, t->power_on, t->days,
			       t->error ? 0 : t->nr_days, h->arg);
		break;
	case ASK_MEMBER:
		h->calls.member(&t->u.member, h->arg);
		break;
	case ASK_LOADS:
		if (!t->error)
			h->calls.loads(&t->u.ask.loads, h->arg);
		break;
	default:
		break;
	}
	drop_op(task);
}

static struct op_task *new_op(struct history *h, enum op op, const char *what)
{
	struct op_task *t;

	if (!h || (h->readonly && op >= PUT_SAMPLE))
		return NULL;
	t = calloc(1, sizeof(*t));
	if (!t)
		return NULL;
	t->task = (struct task){ .what = what, .run = run_op, .done = done_op,
				 .drop = drop_op };
	t->h = h;
	t->op = op;
	return t;
}

static int submit(struct op_task *t)
{
	struct history *h;
	int r;

	if (!t)
		return -EAGAIN;
	h = t->h;
	r = worker_submit(h->worker, &t->task);
	if (!r)
		return 0;
	if (!h->lost++)
		log_warn("history", "is too slow: records are lost");
	drop_op(&t->task);
	return r;
}

int history_new(sd_event *event, const char *dir, bool readonly,
		const struct history_calls *calls, void *arg,
		struct history **out)
{
	struct history *h = calloc(1, sizeof(*h));
	struct private *p = calloc(1, sizeof(*p));
	int r = -ENOMEM;

	if (h && p) {
		snprintf(p->dir, sizeof(p->dir), "%s", dir);
		h->private = p;
		h->readonly = readonly;
		h->calls = *calls;
		h->arg = arg;
		r = worker_new(event, "history", MAX_TASKS, p, &h->worker);
	}
	if (!r) {
		r = submit(new_op(h, OPEN, "open"));
		if (r)
			worker_free(h->worker, 0);
	}
	if (r) {
		free(p);
		free(h);
		return r;
	}
	*out = h;
	return 0;
}

bool history_free(struct history *h)
{
	if (!h)
		return true;
	if (!worker_free(h->worker, PATIENCE_MS))
		return false;
	store_close(h->private->store);
	free(h->private);
	free(h);
	return true;
}

int history_ask_drive(struct history *h, const char *model, const char *serial)
{
	struct op_task *t = new_op(h, ASK_DRIVE, "read a drive");

	if (!t)
		return -EAGAIN;
	snprintf(t->u.sample.model, sizeof(t->u.sample.model), "%s", model);
	snprintf(t->u.sample.serial, sizeof(t->u.sample.serial), "%s", serial);
	t->power_on = SMART_NONE;
	return submit(t);
}

int history_ask_member(struct history *h, const uint8_t *uuid)
{
	struct op_task *t = new_op(h, ASK_MEMBER, "read a member");

	if (!t)
		return -EAGAIN;
	memcpy(t->u.member.uuid, uuid, ADS_UUID_LEN);
	return submit(t);
}

int history_ask_loads(struct history *h, const uint8_t *uuid,
		      const struct config *c)
{
	struct op_task *t = new_op(h, ASK_LOADS, "read loads");

	if (!t)
		return -EAGAIN;
	memcpy(t->u.ask.loads.uuid, uuid, ADS_UUID_LEN);
	t->u.ask.step = c->forecast.step;
	t->u.ask.length = c->slow.day;
	t->u.ask.since = time(NULL) - LOADS_MAX * c->forecast.step;
	return submit(t);
}

static void add_number(struct json_object *o, const char *key, int64_t v)
{
	if (v != SMART_NONE)
		ads_json_i64(o, key, v);
}

/* All that was read, for whoever trains a better model: {"5":[100,100,0],...} */
static char *smart_json(const struct smart_sample *s, const char *more)
{
	struct json_object *o = json_object_new_object(), *a;
	char key[8], *text;

	if (!o)
		return NULL;
	for (unsigned int i = 0; i < s->nr_attrs; i++) {
		snprintf(key, sizeof(key), "%u", s->attr[i].id);
		a = ads_json_arr(o, key);
		json_object_array_add(a, json_object_new_int(s->attr[i].value));
		json_object_array_add(a, json_object_new_int(s->attr[i].worst));
		json_object_array_add(a,
				      json_object_new_uint64(s->attr[i].raw));
	}
	if (s->passed >= 0)
		ads_json_bool(o, "passed", s->passed);
	add_number(o, "temperature", s->temperature);
	add_number(o, "power_on", s->power_on);
	add_number(o, "power_cycles", s->power_cycles);
	add_number(o, "used", s->used);
	if (s->protocol == SMART_NVME) {
		ads_json_u64(o, "warning", s->warning);
		add_number(o, "spare", s->spare);
		ads_json_u64(o, "media_errors", s->media_errors);
		ads_json_u64(o, "error_entries", s->error_entries);
		ads_json_u64(o, "unsafe_shutdowns", s->unsafe_shutdowns);
		ads_json_u64(o, "written", s->written);
	}
	if (s->protocol == SMART_SCSI) {
		add_number(o, "grown_defects", s->grown_defects);
		add_number(o, "uncorrected_read", s->uncorrected_read);
		add_number(o, "uncorrected_write", s->uncorrected_write);
		add_number(o, "pending_defects", s->pending_defects);
		if (s->has_links)
			ads_json_u64(o, "link_errors", s->link_errors);
	}
	if (more) {
		a = json_tokener_parse(more);
		if (a)
			json_object_object_add(o, "more", a);
	}
	text = strdup(json_object_to_json_string_ext(o,
						     JSON_C_TO_STRING_PLAIN));
	json_object_put(o);
	return text;
}

void history_sample(struct history *h, const struct smart_sample *s,
		    const char *more, int score,
		    const struct drive_change *changes, unsigned int nr)
{
	struct op_task *t = new_op(h, PUT_SAMPLE, "write a sample");
	struct store_sample *row;

	if (!t)
		return;
	row = &t->u.sample;
	snprintf(row->model, sizeof(row->model), "%s", s->model);
	snprintf(row->serial, sizeof(row->serial), "%s", s->serial);
	row->protocol = s->protocol;
	row->time = s->time;
	row->temperature = s->temperature;
	row->power_on = s->power_on;
	row->score = score;
	row->smart = smart_json(s, more);
	row->nr = nr;
	memcpy(row->change, changes, nr * sizeof(*changes));
	submit(t);
}

void history_member(struct history *h, const struct store_member *m)
{
	struct op_task *t = new_op(h, PUT_MEMBER, "write a member");

	if (!t)
		return;
	t->u.member = *m;
	submit(t);
}

void history_load(struct history *h, const struct store_load *row)
{
	struct op_task *t = new_op(h, PUT_LOAD, "write loads");

	if (!t)
		return;
	t->u.load = *row;
	submit(t);
}

void history_slow(struct history *h, const struct store_slow *row, long length)
{
	struct op_task *t = new_op(h, PUT_SLOW, "write a comparison");

	if (!t)
		return;
	t->u.slow.row = *row;
	t->u.slow.length = length;
	submit(t);
}

void history_fate(struct history *h, const struct store_fate *row)
{
	struct op_task *t = new_op(h, PUT_FATE, "write what became of a drive");

	if (!t)
		return;
	t->u.fate = *row;
	submit(t);
}

void history_score(struct history *h, const struct store_score *row)
{
	struct op_task *t = new_op(h, PUT_SCORE, "write a score");

	if (!t)
		return;
	t->u.score = *row;
	submit(t);
}

void history_job(struct history *h, const struct job *j)
{
	struct op_task *t = new_op(h, PUT_JOB, "write a job");

	if (!t)
		return;
	t->u.job = *j;
	submit(t);
}

void history_trim(struct history *h, int64_t now, const struct config *c)
{
	struct op_task *t = new_op(h, TRIM, "trim");

	if (!t)
		return;
	t->u.trim.now = now;
	t->u.trim.bounds = (struct store_bounds){
		.log = c->history.keep_log,
		.minutes = c->history.keep_minutes,
		.tens = c->history.keep_load,
		.hours = c->history.keep_hours,
		.size = c->history.max_size,
	};
	submit(t);
}

const char *history_problem(const struct history *h)
{
	if (h && worker_busy(h->worker, NULL) > STALL_SECONDS)
		return "its disk does not answer";
	return h && h->problem[0] ? h->problem : NULL;
}
