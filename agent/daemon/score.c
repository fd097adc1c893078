// SPDX-License-Identifier: GPL-2.0-or-later
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/act.h"
#include "daemon/collect/collect.h"
#include "daemon/cycle.h"
#include "daemon/foresee.h"
#include "daemon/log.h"
#include "daemon/plan/jobs.h"
#include "daemon/score.h"
#include "daemon/unused.h"

#define MAX_PEERS	1024
#define TELL_CHANGE	5	/* points */
#define PEERS_SLACK	10	/* seconds above smart.timeout, to ask peers */
#define FUTURE		60	/* seconds that a sample may be ahead */
#define HISTORY_PATIENCE	20	/* seconds */

static bool same_class(const struct member *a, const struct member *b)
{
	return a->dev.rotational == b->dev.rotational &&
	       a->smart.sample.protocol == b->smart.sample.protocol;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Median temperature of the others of its kind in the pool. */
static double peers(const struct member *m, int64_t oldest)
{
	double t[MAX_PEERS];
	unsigned int n = 0;

	for (const struct member *o = m->pool->members; o; o = o->next)
		if (o != m && same_class(o, m) && n < MAX_PEERS &&
		    o->smart.sample.time >= oldest &&
		    o->smart.sample.temperature != SMART_NONE)
			t[n++] = (double)o->smart.sample.temperature;
	if (n < 3)
		return NAN;
	qsort(t, n, sizeof(t[0]), compare);
	return n % 2 ? t[n / 2] : (t[n / 2 - 1] + t[n / 2]) / 2;
}

bool cycle_stale(const struct member *m, int64_t now)
{
	int64_t time = m->smart.sample.time;

	/* the clock was ahead when it was read: how old it is nobody knows */
	return time && (time < smart_oldest(m->daemon, now) ||
			time > now + FUTURE);
}

int cycle_fresh_score(const struct member *m, int64_t now, int64_t *evidence)
{
	const struct config *c = m->daemon->config;
	int64_t smart = smart_oldest(m->daemon, now), oldest[RISK_MODES];
	int score;

	for (int i = 0; i < RISK_MODES; i++)
		oldest[i] = cycle_stale(m, now) ? INT64_MAX : smart;
	oldest[RISK_ERRORS] = now - 3 * c->poll.interval - 60;
	/* its samples are days */
	oldest[RISK_SLOW] = now - (c->score.stale + 1) * c->slow.day;
	score = risk_fresh(&m->risk, oldest, evidence);
	/* half of the evidence may accuse a disk, it can't acquit one */
	if (score <= c->score.drain && cycle_stale(m, now))
		return -1;
	return score;
}

void cycle_save(struct member *m)
{
	struct store_member row = {
		.track = m->track,
		.patrol = m->patroller ?
			  patroller_state(m->patroller)->position :
			  m->patrol_start,
		.by_agent = m->by_agent,
		.hold_until = m->hold_until,
	};

	/* what has not been read yet must not be overwritten */
	if (!m->state_loaded || m->daemon->once)
		return;
	memcpy(row.uuid, m->k.uuid, ADS_UUID_LEN);
	history_member(m->daemon->history, &row);
}

static void tell(struct member *m, int64_t now)
{
	const struct risk *r = &m->risk;
	struct store_score row = { .time = now, .score = r->score };
	const char *text = r->nr ? r->reason[0].text : "nothing";

	if (r->score < 0 ||
	    (m->told_score >= 0 && abs(r->score - m->told_score) < TELL_CHANGE))
		return;
	/* that a healthy disk is healthy is not news */
	if (m->told_score >= 0 || r->score >= 25)
		log_write(r->score > m->daemon->config->score.drain ?
			  LOG_WARNING : LOG_NOTICE, m->object,
			  "score %d (%s): %s", r->score, risk_mode_name(r->mode),
			  text);
	m->told_score = r->score;
	memcpy(row.uuid, m->k.uuid, ADS_UUID_LEN);
	snprintf(row.mode, sizeof(row.mode), "%s", risk_mode_name(r->mode));
	snprintf(row.text, sizeof(row.text), "%s", text);
	history_score(m->daemon->history, &row);
}

static bool peer(const struct member *a, const struct member *b)
{
	return a != b && a->smart.sample.model[0] && b->disk[0] &&
	       strcmp(a->disk, b->disk) &&
	       strcmp(a->smart.sample.model, b->smart.sample.model) == 0;
}

/* One that goes bad alone is a failing drive; so the others are asked now. */
static void ask_peers(struct member *m)
{
	if (m->daemon->once)
		return;
	for (struct pool *p = m->daemon->pools; p; p = p->next)
		for (struct member *o = p->members; o; o = o->next)
			if (peer(m, o) && !o->smart.running)
				smart_start(o);
}

/* Since when it is worth a warning, whoever is to blame for it. */
static void note_warnings(struct member *m, int64_t now)
{
	for (int mode = 0; mode < RISK_MODES; mode++) {
		const struct risk_part *part = &m->risk.part[mode];

		if (!part->known || part->score < RISK_WARN)
			m->warns[mode] = 0;
		else if (!m->warns[mode] || m->warns[mode] > now)
			m->warns[mode] = now;
	}
}

void score_member(struct member *m, int64_t now)
{
	struct predict_input in = {
		.now = now,
		.config = m->daemon->config,
		.drive = m->drive,
		.sample = m->smart.sample.time ? &m->smart.sample : NULL,
		.peers = peers(m, smart_oldest(m->daemon, now)),
		.errors = &m->errors,
		.model = m->daemon->trained,
		.slow = &m->slow,
	};

	if (m->waiting || !m->state_loaded)
		return;
	predict(&in, &m->risk);
	note_warnings(m, now);
}

/* Whether it is at risk, by a score of which the others' share is taken off. */
static void track(struct member *m, int64_t now)
{
	struct risk_track before = m->track;
	int64_t evidence;
	int score;

	tell(m, now);
	score = cycle_fresh_score(m, now, &evidence);
	switch (risk_track(&m->track, score, evidence, now,
			   m->daemon->config)) {
	case RISK_RAISED:
		log_warn(m->object, "is at risk: score %d (%s)", score,
			 m->risk.nr ? m->risk.reason[0].text : "");
		break;
	case RISK_RELEASED:
		log_notice(m->object, "is no longer at risk");
		break;
	case RISK_SAME:
		break;
	}
	if (m->track.rose && !before.rose) {
		ask_peers(m);
		if (score > m->daemon->config->score.urgent &&
		    !m->daemon->once)
			smart_again(m);
	}
	if (memcmp(&before, &m->track, sizeof(before)))
		cycle_save(m);
}

/* Of many that have the same, each gets but a part of the blame. */
static void blame(struct adshardd *d)
{
	const struct shared_cause *cause;
	int64_t now = now_epoch();

	foresee_shared(d);
	foresee_causes(d, &cause);
	for (struct pool *p = d->pools; p; p = p->next)
		for (struct member *m = p->members; m; m = m->next) {
			if (m->waiting || !m->state_loaded)
				continue;
			shared_relieve(&m->risk, &m->shared, cause);
			predict_fuse(&m->risk);
			track(m, now);
		}
}

void score_fleet(struct adshardd *d)
{
	struct fleet_entry *e;
	struct member *m;
	unsigned int n = 0, i = 0;

	foresee_run(d);
	blame(d);
	for (struct pool *p = d->pools; p; p = p->next)
		for (m = p->members; m; m = m->next)
			n++;
	e = calloc(n ? n : 1, sizeof(*e));
	if (!e)
		return;
	for (struct pool *p = d->pools; p; p = p->next)
		for (m = p->members; m; m = m->next)
			e[i++] = (struct fleet_entry){
				.model = m->smart.sample.model,
				.rose = m->track.rose,
			};
	fleet_check(e, n, d->config);
	i = 0;
	for (struct pool *p = d->pools; p; p = p->next) {
		for (m = p->members; m; m = m->next, i++) {
			/*
			 * Those that were misread get well one after the other:
			 * the last of them must not be taken for failing.
			 */
			if (!e[i].suspect && m->suspect && m->track.rose &&
			    now_epoch() - m->track.rose < d->config->fleet.window)
				continue;
			if (e[i].suspect && !m->suspect)
				log_warn(m->object, "went bad together with many others of model %s: not evacuated, check the collector, firmware and cabling",
					 m->smart.sample.model);
			m->suspect = e[i].suspect;
		}
	}
	free(e);
}

bool score_settling(const struct member *m, int64_t now)
{
	const struct config *c = m->daemon->config;

	if (!c->smart.enable || !m->track.rose ||
	    now - m->track.rose > c->smart.timeout + PEERS_SLACK)
		return false;
	for (const struct pool *p = m->daemon->pools; p; p = p->next)
		for (const struct member *o = p->members; o; o = o->next)
			if (peer(m, o) && (o->smart.tried <= m->track.rose ||
					   o->smart.running || o->waiting))
				return true;
	return false;
}

/* -- identity -------------------------------------------------------------- */

/*
 * The serial number under which the drive is kept. Some enclosures give all
 * their drives the same one, or none.
 */
static void serial_of(struct member *m, const struct smart_sample *s,
		      char *buf, size_t size)
{
	bool twice = false;

	for (struct pool *p = m->daemon->pools; p; p = p->next)
		for (struct member *o = p->members; o; o = o->next)
			twice |= o != m && s->serial[0] && o->disk[0] &&
				 strcmp(o->disk, m->disk) &&
				 strcmp(o->smart.sample.serial, s->serial) == 0 &&
				 strcmp(o->smart.sample.model, s->model) == 0;
	if (s->serial[0] && !twice)
		snprintf(buf, size, "%s", s->serial);
	else
		snprintf(buf, size, "%.40s#%02x%02x%02x%02x%02x%02x",
			 s->serial, m->k.uuid[0], m->k.uuid[1], m->k.uuid[2],
			 m->k.uuid[3], m->k.uuid[4], m->k.uuid[5]);
}

/* Another drive carries the member now: what was thought of the old one goes. */
static void changed_drive(struct member *m, const struct drive *was,
			  const struct drive *is)
{
	log_notice(m->object, "is another drive now: %s %s, was %s %s",
		   is->model, is->serial, was->model, was->serial);
	memset(&m->track, 0, sizeof(m->track));
	memset(&m->band, 0, sizeof(m->band));
	/* what the planner has kept is of the old one, if it was not read yet */
	m->band_known = true;
	memset(&m->does, 0, sizeof(m->does));
	memset(&m->errors, 0, sizeof(m->errors));
	m->errors_based = false;
	m->told_score = -1;
	/* or is it? Whether the member takes data again is the operator's to say */
	m->by_agent = false;
	cycle_save(m);
}

/* The drive's log is there (or there is none): the sample goes its way. */
static void take_sample(struct member *m)
{
	struct drive_change changes[TRACK_NR];
	struct smart_sample *s = &m->smart.sample;
	int64_t now = now_epoch();
	unsigned int n;
	bool reset;

	m->waiting = false;
	m->drive->counting = foresee_counts(m->daemon);
	n = drive_add(m->drive, s, changes, &reset);
	/* a drive that lies does so each time */
	if (reset && now - m->told_reset > RISK_DAY) {
		log_warn(m->object, "counters of drive %s went back: taken as a new beginning",
			 m->drive->serial);
		m->told_reset = now;
	}
	score_member(m, now);
	score_fleet(m->daemon);
	drive_note_day(m->drive, &(struct drive_day){
		.day = (int32_t)(s->time / RISK_DAY),
		.score = (int16_t)m->risk.score,
		.temperature = (int16_t)(s->temperature == SMART_NONE ? -1 :
					 s->temperature),
	});
	if (!m->daemon->once) {
		struct smart_sample keep = *s;

		/* under the name that it is kept by */
		snprintf(keep.model, sizeof(keep.model), "%s", m->drive->model);
		snprintf(keep.serial, sizeof(keep.serial), "%s",
			 m->drive->serial);
		history_sample(m->daemon->history, &keep, m->smart.more,
			       m->risk.score, changes, n);
	}
	act_run(m->daemon);
}

void cycle_sample(struct member *m, const struct smart_sample *s)
{
	char serial[sizeof(s->serial)];
	struct drive *drive;

	drive = m->drive;
	/* the one that came first keeps the name if another has the same */
	if (!drive || strcmp(m->smart.sample.model, s->model) ||
	    strcmp(m->smart.sample.serial, s->serial)) {
		serial_of(m, s, serial, sizeof(serial));
		drive = cycle_drive(m->daemon, s->model, serial, s->protocol);
	}
	if (!drive)
		return;
	if (m->drive && m->drive != drive)
		changed_drive(m, m->drive, drive);
	m->drive = drive;
	m->smart.sample = *s;
	m->waiting = true;
	if (!drive->loaded && !history_ask_drive(m->daemon->history,
						 drive->model, drive->serial))
		return;
	drive->loaded = true;
	take_sample(m);
}

void score_unblock(struct adshardd *d, int64_t now)
{
	bool all = d->history_ready;

	if (!d->history_ready && now - d->started > HISTORY_PATIENCE)
		d->history_ready = true;
	for (struct pool *p = d->pools; p; p = p->next) {
		for (struct member *m = p->members; m; m = m->next) {
			if (!m->state_loaded &&
			    now - m->found > HISTORY_PATIENCE) {
				m->state_loaded = true;
				all = false;
				patrol_start(m);
			}
			if (m->waiting && m->smart.sample.time <
					  now - HISTORY_PATIENCE) {
				m->drive->loaded = true;
				all = false;
				take_sample(m);
			}
		}
	}
	if (!all && d->history_ready)
		log_warn("history", "does not answer: going on without it");
}

void cycle_smart_tried(struct member *m)
{
	if (m->daemon->once && cycle_complete(m->daemon))
		act_run(m->daemon);
}

static void on_drive(const char *model, const char *serial,
		     const struct store_row *rows, size_t nr, int64_t power_on,
		     const struct drive_day *days, size_t nr_days, void *arg)
{
	struct adshardd *d = arg;
	struct drive *drive = cycle_drive(d, model, serial, SMART_UNKNOWN);

	if (!drive)
		return;
	if (!drive->loaded) {
		for (size_t i = 0; i < nr; i++)
			drive_load(drive, rows[i].track, rows[i].time,
				   rows[i].value);
		for (size_t i = 0; i < nr_days; i++)
			drive_note_day(drive, &days[i]);
		drive->power_on = power_on;
		drive->loaded = true;
	}
	for (struct pool *p = d->pools; p; p = p->next)
		for (struct member *m = p->members; m; m = m->next)
			if (m->waiting && m->drive == drive)
				take_sample(m);
}

static void on_member(const struct store_member *row, void *arg)
{
	struct adshardd *d = arg;
	struct member *m = model_member_by_uuid(d, row->uuid);

	if (!m || m->state_loaded)
		return;
	m->state_loaded = true;
	m->track = row->track;
	m->by_agent = row->by_agent;
	m->hold_until = row->hold_until;
	m->patrol_start = row->patrol;
	patrol_start(m);
	history_ask_loads(d->history, row->uuid, d->config);
	if (!m->waiting) {
		score_member(m, now_epoch());
		score_fleet(d);
	}
}

static void on_loads(const struct store_loads *l, void *arg)
{
	struct member *m = model_member_by_uuid(arg, l->uuid);

	if (m)
		foresee_loads(m, l);
}

static void on_ready(int error UNUSED, const struct job *jobs, size_t nr,
		     void *arg)
{
	struct adshardd *d = arg;

	for (size_t i = 0; i < nr; i++)
		jobs_load(d->jobs, &jobs[i]);
	d->history_ready = true;
	act_run(d);
}

const struct history_calls score_history_calls = {
	.ready = on_ready,
	.drive = on_drive,
	.member = on_member,
	.loads = on_loads,
};
