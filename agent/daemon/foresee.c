// SPDX-License-Identifier: GPL-2.0-or-later
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/collect/kernlog.h"
#include "daemon/collect/topology.h"
#include "daemon/foresee.h"
#include "daemon/log.h"
#include "daemon/unused.h"
#include "lib/units.h"

#define TODAY_EVERY	24	/* times a day that the day so far is compared */
#define PAUSE_USEC	20000	/* between two forecasts */
#define CLOCK_LEAP	60	/* seconds off the other clock that are a leap */
#define CLOCK_TOLD	86400

struct foresee {
	sd_event_source *timer;		/* of forecasts */
	unsigned int nr_causes;
	struct shared_cause cause[SHARED_CAUSES];
	char told[SHARED_CAUSES][120];	/* causes in the log */
	struct kernlog *log;
	bool log_tried;
	struct host host;
	double host_time;		/* of the last look, monotonic */
	double clock;			/* wall minus monotonic, 0: not yet */
	int64_t leapt, leap;
};

static struct foresee *get(struct adshardd *d)
{
	if (!d->foresee)
		d->foresee = calloc(1, sizeof(*d->foresee));
	return d->foresee;
}

void foresee_free(struct adshardd *d)
{
	if (d->foresee) {
		sd_event_source_disable_unref(d->foresee->timer);
		kernlog_free(d->foresee->log);
	}
	free(d->foresee);
	d->foresee = NULL;
}

void foresee_member_gone(struct member *m)
{
	loads_free(&m->loads);
	slow_free(&m->slow);
}

/* -- the clock --------------------------------------------------------------- */

/* All that is kept has a time; so what happens to the clock is told. */
static void check_clock(struct foresee *f, int64_t now)
{
	double offset = (double)now - now_mono(), leap = offset - f->clock;
	char span[32];

	if (f->clock && fabs(leap) > CLOCK_LEAP) {
		f->leapt = now;
		f->leap = (int64_t)leap;
		log_warn("clock", "was set %s by %s: what is younger waits, what is older ages",
			 leap > 0 ? "forward" : "back",
			 ads_format_duration(fabs(leap), span, sizeof(span)));
	}
	f->clock = offset;
}

int64_t foresee_clock(const struct adshardd *d, int64_t *leap)
{
	const struct foresee *f = d->foresee;

	*leap = f ? f->leap : 0;
	return f && f->leapt && now_epoch() - f->leapt < CLOCK_TOLD ?
	       f->leapt : 0;
}

/* -- the kernel's log ----------------------------------------------------------- */

static void on_log(const struct kernlog_line *l, void *arg)
{
	static const enum track track[KERNLOG_KINDS] = {
		[KERNLOG_RESET] = TRACK_LINK_RESETS,
		[KERNLOG_TIMEOUT] = TRACK_LOG_TIMEOUTS,
		[KERNLOG_MEDIUM] = TRACK_LOG_MEDIUM,
	};
	struct adshardd *d = arg;
	const char *name;

	/* of other errors the target itself knows, if they are of a pool */
	if (l->kind == KERNLOG_ERROR)
		return;
	for (struct drive *dr = d->drives; dr; dr = dr->next)
		dr->noted = false;
	for (struct pool *p = d->pools; p; p = p->next)
		for (struct member *m = p->members; m; m = m->next) {
			name = strrchr(m->disk, '/');
			/* several members on one disk are one disk */
			if (!m->drive || m->drive->noted ||
			    !kernlog_is_of(l, name ? name + 1 : m->disk,
					   m->port))
				continue;
			m->drive->noted = true;
			drive_count(m->drive, track[l->kind]);
		}
}

static void start_log(struct adshardd *d)
{
	struct foresee *f = d->foresee;
	int r;

	if (f->log_tried || d->once)
		return;
	f->log_tried = true;
	r = kernlog_new(d->event, on_log, d, &f->log);
	if (r)
		log_notice("kernel", "its log can't be read (%s): resets of links are not counted",
			   strerror(-r));
}

bool foresee_counts(const struct adshardd *d)
{
	return d->foresee && d->foresee->log;
}

static void look_at_host(struct foresee *f)
{
	double now = now_mono();

	/* shares of less than this are noise */
	if (now - f->host_time < 1)
		return;
	f->host_time = now;
	host_look(&f->host);
}

const struct host *foresee_host(const struct adshardd *d)
{
	return d->foresee ? &d->foresee->host : NULL;
}

/* -- steps of load ----------------------------------------------------------- */

static double or_nan(const struct latency *l)
{
	return l->count && l->mean > 0 ? l->mean : NAN;
}

static void feed(struct member *m, int64_t now)
{
	const struct config *c = m->daemon->config;
	double seconds = m->looked - m->fed;
	double v[LOAD_WHAT] = {
		[LOAD_BYTES] = m->io.read_bytes + m->io.write_bytes,
		[LOAD_REQUESTS] = m->io.read_rate + m->io.write_rate,
		[LOAD_READ_LATENCY] = or_nan(&m->read_latency),
		[LOAD_WRITE_LATENCY] = or_nan(&m->write_latency),
	};
	uint64_t n[SLOW_OPS] = { m->read_latency.count, m->write_latency.count };
	double mean[SLOW_OPS] = { m->read_latency.mean, m->write_latency.mean };
	bool first = m->fed == 0;

	if (!m->io.known || m->looked == m->fed)
		return;
	m->fed = m->looked;
	/* the first look at a histogram is of all times */
	if (first || !(seconds > 0))
		return;
	loads_add(&m->loads, now, seconds, c->forecast.step, v);
	/* copying makes a disk slow without that it is; so does the host */
	slow_add(&m->slow, now, c->slow.day, seconds, v[LOAD_BYTES], n, mean,
		 m->k.src_active || m->k.dst_active ||
		 host_is_starved(&m->daemon->foresee->host,
				 (double)c->slow.starved / 100));
}

/*
 * What becomes of a drive is the label of what was seen of it. One that was
 * evacuated is neither good nor bad: nobody knows whether it would have failed.
 */
static void note_fate(struct member *m, int64_t now)
{
	struct store_fate row = {
		.time = now,
		.what = m->k.state == ADSHARD_MEMBER_FAILED ? FATE_FAILED :
							       FATE_EVACUATED,
	};

	if (!m->drive || (m->k.state != ADSHARD_MEMBER_FAILED &&
			  !(m->by_agent &&
			    m->k.state == ADSHARD_MEMBER_DRAINED)) ||
	    m->drive->fate == (int)row.what || m->drive->fate == FATE_FAILED)
		return;
	m->drive->fate = row.what;
	snprintf(row.model, sizeof(row.model), "%s", m->drive->model);
	snprintf(row.serial, sizeof(row.serial), "%s", m->drive->serial);
	history_fate(m->daemon->history, &row);
}

/* -- slow disks ---------------------------------------------------------------- */

static const char *model_of(const struct member *m)
{
	return m->smart.sample.model[0] ? m->smart.sample.model : m->dev.model;
}

static int by_model(const void *a, const void *b)
{
	const struct member *x = *(struct member *const *)a;
	const struct member *y = *(struct member *const *)b;
	int r = strcmp(model_of(x), model_of(y));

	return r ? r : strcmp(x->disk, y->disk);
}

/* Those of one model, or one of which that is not known. */
static void compare(struct member **m, unsigned int nr)
{
	struct slow **s = calloc(nr, sizeof(*s));
	const struct loads **l = calloc(nr, sizeof(*l));

	for (unsigned int i = 0; s && l && i < nr; i++) {
		s[i] = &m[i]->slow;
		l[i] = &m[i]->loads;
	}
	if (s && l)
		slow_compare(s, l, nr);
	free(s);
	free(l);
}

static void tell_slow(struct member *m, enum slow_verdict before)
{
	const struct slow *s = &m->slow;

	if (s->verdict && !before)
		log_warn(m->object, "is slow: requests take %.2f times as long as %s at the same load",
			 s->ratio, s->verdict == SLOW_OF_PEERS ?
			 "on the other disks of its model" :
			 "in the weeks before");
	else if (!s->verdict && before)
		log_notice(m->object, "is no longer slow");
}

static void close_day(struct member *m, int64_t now)
{
	const struct config *c = m->daemon->config;
	enum slow_verdict before = m->slow.verdict;
	struct store_slow row;

	memcpy(row.uuid, m->k.uuid, ADS_UUID_LEN);
	row.day = m->slow.today;
	if (now / c->slow.day > m->slow.day &&
	    (!isnan(row.day.peers) || !isnan(row.day.self)))
		history_slow(m->daemon->history, &row, c->slow.day);
	slow_next(&m->slow, now, c->slow.day);
	slow_judge(&m->slow, c);
	tell_slow(m, before);
}

static bool wants_comparison(const struct member *m, int64_t now)
{
	const struct config *c = m->daemon->config;

	return m->slow.day &&
	       (slow_due(&m->slow, now, c->slow.day) ||
		now / (c->slow.day / TODAY_EVERY) !=
		m->compared / (c->slow.day / TODAY_EVERY));
}

static void compare_all(struct adshardd *d, int64_t now)
{
	struct member **list, *m;
	unsigned int n = 0, nr = 0;

	for (struct pool *p = d->pools; p; p = p->next)
		for (m = p->members; m; m = m->next)
			n += wants_comparison(m, now);
	list = n ? calloc(n, sizeof(*list)) : NULL;
	if (!list)
		return;
	for (struct pool *p = d->pools; p; p = p->next)
		for (m = p->members; m; m = m->next)
			if (wants_comparison(m, now))
				list[nr++] = m;
	qsort(list, nr, sizeof(*list), by_model);
	for (unsigned int i = 0, k; i < nr; i = k) {
		for (k = i + 1; k < nr && model_of(list[i])[0] &&
		     !strcmp(model_of(list[i]), model_of(list[k])); k++)
			;
		compare(list + i, k - i);
	}
	for (unsigned int i = 0; i < nr; i++) {
		list[i]->compared = now;
		if (slow_due(&list[i]->slow, now, d->config->slow.day))
			close_day(list[i], now);
	}
	free(list);
}

/* -- forecasts ------------------------------------------------------------------ */

static void foresee_one(struct member *m)
{
	for (int of = 0; of < OUTLOOK_OF; of++)
		for (int k = 0; k < OUTLOOK_AHEAD; k++)
			outlook_make(&m->outlook, &m->loads, of, k,
				     m->daemon->config);
	m->outlook.time = m->loads.now * m->loads.length;
}

/* The next that is due, a member before a group. */
static bool foresee_next(struct adshardd *d)
{
	struct group *g;

	for (struct pool *p = d->pools; p; p = p->next)
		for (struct member *m = p->members; m; m = m->next)
			if (outlook_due(&m->outlook, &m->loads)) {
				foresee_one(m);
				return true;
			} else if (ahead_due(&m->ahead, &m->loads)) {
				ahead_make(&m->ahead, &m->loads, d->config);
				return true;
			}
	for (struct pool *p = d->pools; p; p = p->next) {
		g = groups_due(p->groups);
		if (g) {
			groups_foresee(g, d->config);
			return true;
		}
	}
	return false;
}

static int on_timer(sd_event_source *s, uint64_t usec UNUSED, void *arg)
{
	if (!foresee_next(arg))
		return 0;
	sd_event_source_set_time_relative(s, PAUSE_USEC);
	return sd_event_source_set_enabled(s, SD_EVENT_ONESHOT);
}

/* One after the other, behind whatever else there is to do. */
static void start_forecasts(struct adshardd *d)
{
	struct foresee *f = d->foresee;
	int on = SD_EVENT_OFF;

	if (!f->timer) {
		if (sd_event_add_time_relative(d->event, &f->timer,
					       CLOCK_MONOTONIC, 0, 0, on_timer,
					       d) < 0)
			return;
		sd_event_source_set_priority(f->timer, SD_EVENT_PRIORITY_IDLE);
		return;
	}
	sd_event_source_get_enabled(f->timer, &on);
	if (on != SD_EVENT_OFF)
		return;
	sd_event_source_set_time_relative(f->timer, 0);
	sd_event_source_set_enabled(f->timer, SD_EVENT_ONESHOT);
}

void foresee_run(struct adshardd *d)
{
	int64_t now = now_epoch();
	bool due = false;

	if (!get(d))
		return;
	check_clock(d->foresee, now);
	start_log(d);
	look_at_host(d->foresee);
	compare_all(d, now);
	for (struct pool *p = d->pools; p; p = p->next) {
		for (struct member *m = p->members; m; m = m->next) {
			feed(m, now);
			note_fate(m, now);
			due |= outlook_due(&m->outlook, &m->loads) ||
			       ahead_due(&m->ahead, &m->loads);
		}
		due |= groups_due(p->groups) != NULL;
	}
	if (due)
		start_forecasts(d);
}

void foresee_segments(struct pool *p, const struct kernel_segments *s)
{
	if (groups_add(&p->groups, s->segments, s->nr, p->k.nr_segments,
		       p->k.heat_sample, now_mono(), now_epoch(),
		       p->daemon->config))
		log_warn(p->object, "no memory for the loads of its segments");
}

void foresee_loads(struct member *m, const struct store_loads *l)
{
	const struct config *c = m->daemon->config;
	struct loads old = m->loads;
	int64_t open = old.now ? old.now * old.length : now_epoch();

	/* what was seen meanwhile goes behind it */
	memset(&m->loads, 0, sizeof(m->loads));
	for (size_t i = 0; i < l->nr; i++)
		if (l->row[i].start < open - open % c->forecast.step)
			loads_load(&m->loads, l->row[i].start,
				   c->forecast.step, l->row[i].v);
	for (unsigned int i = 0; i < old.nr; i++) {
		double v[LOAD_WHAT];

		for (int k = 0; k < LOAD_WHAT; k++)
			v[k] = (double)old.step[i].v[k];
		loads_load(&m->loads, (old.now - old.nr + i) * old.length,
			   old.length, v);
	}
	loads_free(&old);
	for (size_t i = 0; i < l->nr_days; i++)
		slow_load(&m->slow, &l->day[i], c->slow.day);
	slow_judge(&m->slow, c);
}

/* -- what several have in common ------------------------------------------------- */

static void find_controller(struct member *m)
{
	const char *name = strrchr(m->disk, '/');

	if (!strcmp(m->controller_of, m->disk))
		return;
	snprintf(m->controller_of, sizeof(m->controller_of), "%s", m->disk);
	name = name ? name + 1 : m->disk;
	topology_controller(name, m->controller, sizeof(m->controller));
	topology_port(name, m->port, sizeof(m->port));
}

static void tell_causes(struct foresee *f)
{
	char text[SHARED_CAUSES][120] = { { 0 } };

	for (unsigned int i = 0; i < f->nr_causes; i++) {
		bool told = false;

		shared_text(&f->cause[i], text[i], sizeof(text[i]));
		snprintf(text[i] + strlen(text[i]),
			 sizeof(text[i]) - strlen(text[i]), " have %s warnings",
			 risk_warning_name(f->cause[i].mode));
		for (unsigned int k = 0; k < SHARED_CAUSES; k++)
			told |= !strcmp(text[i], f->told[k]);
		if (!told)
			log_warn(shared_warning_name(f->cause[i].by),
				 "%s: look for what they have in common",
				 text[i]);
	}
	memcpy(f->told, text, sizeof(text));
}

void foresee_shared(struct adshardd *d)
{
	struct foresee *f = get(d);
	struct shared_member *out;
	struct shared_disk *disk;
	unsigned int n = 0, i = 0;
	struct member *m;

	for (struct pool *p = d->pools; p; p = p->next)
		for (m = p->members; m; m = m->next)
			n++;
	disk = calloc(n ? n : 1, sizeof(*disk));
	out = calloc(n ? n : 1, sizeof(*out));
	if (!f || !disk || !out)
		goto out;
	for (struct pool *p = d->pools; p; p = p->next)
		for (m = p->members; m; m = m->next, i++) {
			find_controller(m);
			disk[i].disk = m->disk;
			disk[i].controller = m->controller;
			memcpy(disk[i].since, m->warns, sizeof(m->warns));
		}
	f->nr_causes = shared_check(disk, n, d->config, out, f->cause);
	i = 0;
	for (struct pool *p = d->pools; p; p = p->next)
		for (m = p->members; m; m = m->next)
			m->shared = out[i++];
	tell_causes(f);
out:
	free(disk);
	free(out);
}

unsigned int foresee_causes(const struct adshardd *d,
			    const struct shared_cause **cause)
{
	*cause = d->foresee ? d->foresee->cause : NULL;
	return d->foresee ? d->foresee->nr_causes : 0;
}
