// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <math.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "json.h"
#include "progress.h"
#include "units.h"

#define RATE_TAU	30.0	/* seconds that the rate remembers */
#define RATE_FLOOR	1024.0	/* bytes/s: below it no guess is worth its ink */
#define STALL		10.0	/* seconds without movement */
#define TTY_EVERY	0.5
#define PLAIN_EVERY	10.0
#define JSON_EVERY	1.0

double ads_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

int ads_progress_parse(const char *s, enum ads_progress_mode *mode)
{
	static const char *const names[] = {
		[ADS_PROGRESS_AUTO] = "auto",
		[ADS_PROGRESS_TTY] = "tty",
		[ADS_PROGRESS_PLAIN] = "plain",
		[ADS_PROGRESS_JSON] = "json",
		[ADS_PROGRESS_NONE] = "none",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (!strcmp(s, names[i])) {
			*mode = i;
			return 0;
		}
	}
	return -EINVAL;
}

/*
 * The weight of a sample grows with the time it covers, so that the rate does
 * not depend on how often it is sampled. The first seconds count in full.
 */
void ads_rate_sample(struct ads_rate *r, double now, uint64_t done)
{
	double dt = now - r->last_time, rate, weight;

	if (!r->started) {
		r->started = true;
		r->ewma = -1;
		r->last_time = r->moved_time = now;
		r->last_done = done;
		return;
	}
	if (dt < 0.05)
		return;
	/* A segment that starts again takes its bytes back: not a rate. */
	rate = done > r->last_done ? (double)(done - r->last_done) / dt : 0;
	if (done > r->last_done)
		r->moved_time = now;
	weight = 1 - exp(-dt / RATE_TAU);
	if (r->ewma >= 0)
		r->ewma += weight * (rate - r->ewma);
	else if (rate > 0)
		r->ewma = rate;
	r->last_time = now;
	r->last_done = done;
}

double ads_rate_stalled(const struct ads_rate *r, double now)
{
	double idle = now - r->moved_time;

	return r->started && idle > STALL ? idle : 0;
}

double ads_rate_eta(const struct ads_rate *r, double now, uint64_t done,
		    uint64_t total)
{
	if (done >= total)
		return 0;
	if (!r->started || r->ewma < RATE_FLOOR || ads_rate_stalled(r, now))
		return -1;
	return (double)(total - done) / r->ewma;
}

void ads_progress_init(struct ads_progress *p, enum ads_progress_mode mode,
		       FILE *out, const char *what)
{
	memset(p, 0, sizeof(*p));
	if (mode == ADS_PROGRESS_AUTO)
		mode = isatty(fileno(out)) ? ADS_PROGRESS_TTY :
					     ADS_PROGRESS_PLAIN;
	p->mode = mode;
	p->out = out;
	p->last_drawn = -1e9;
	snprintf(p->what, sizeof(p->what), "%s", what);
}

/* What matters most comes first: a narrow terminal cuts the end. */
void ads_progress_line(const struct ads_progress *p, double now, uint64_t done,
		       uint64_t total, uint64_t units_done, uint64_t units,
		       const char *note, char *buf, size_t size)
{
	char percent[16], did[32], all[32], rate[32], eta[32], speed[96] = "";
	double stalled = ads_rate_stalled(&p->rate, now);
	bool finished = total && done >= total;

	if (done > total)
		done = total;
	if (p->rate.ewma >= 0 && p->rate.started)
		ads_format_size((uint64_t)p->rate.ewma, false, rate,
				sizeof(rate));
	else
		strcpy(rate, "-");
	if (stalled > 0 && !finished)
		snprintf(speed, sizeof(speed), "stalled %s, ",
			 ads_format_duration(stalled, eta, sizeof(eta)));
	else if (!finished)
		snprintf(speed, sizeof(speed), "%s%s, ETA %s, ", rate,
			 rate[0] == '-' ? "" : "/s",
			 ads_format_duration(ads_rate_eta(&p->rate, now, done,
							  total),
					     eta, sizeof(eta)));
	snprintf(buf, size, "%s: %s, %s%s of %s, %llu of %llu segments%s%s%s",
		 p->what, ads_format_percent(done, total, percent,
					     sizeof(percent)),
		 speed, ads_format_size(done, false, did, sizeof(did)),
		 ads_format_size(total, false, all, sizeof(all)),
		 (unsigned long long)units_done, (unsigned long long)units,
		 note && !finished ? " (" : "", note && !finished ? note : "",
		 note && !finished ? ")" : "");
}

static void draw_json(struct ads_progress *p, double now, uint64_t done,
		      uint64_t total, uint64_t units_done, uint64_t units,
		      const char *note, bool finished)
{
	struct json_object *o = ads_json_doc("adshardctl.progress", 1);
	double eta = ads_rate_eta(&p->rate, now, done, total);

	if (!o)
		return;
	ads_json_str(o, "what", p->what);
	ads_json_u64(o, "bytes_done", done < total ? done : total);
	ads_json_u64(o, "bytes_total", total);
	ads_json_u64(o, "segments_done", units_done);
	ads_json_u64(o, "segments_total", units);
	if (p->rate.started && p->rate.ewma >= 0)
		ads_json_double(o, "bytes_per_second", p->rate.ewma);
	else
		ads_json_null(o, "bytes_per_second");
	if (eta >= 0)
		ads_json_double(o, "eta_seconds", eta);
	else
		ads_json_null(o, "eta_seconds");
	ads_json_double(o, "stalled_seconds", ads_rate_stalled(&p->rate, now));
	ads_json_str(o, "note", note);
	ads_json_bool(o, "finished", finished);
	fprintf(p->out, "%s\n", ads_json_line(o));
	fflush(p->out);
	json_object_put(o);
}

static void draw(struct ads_progress *p, double now, uint64_t done,
		 uint64_t total, uint64_t units_done, uint64_t units,
		 const char *note, bool finished)
{
	struct winsize ws;
	char line[512];
	int width = 80;

	p->last_drawn = now;
	if (p->mode == ADS_PROGRESS_JSON) {
		draw_json(p, now, done, total, units_done, units, note,
			  finished);
		return;
	}
	ads_progress_line(p, now, done, total, units_done, units, note, line,
			  sizeof(line));
	if (p->mode == ADS_PROGRESS_PLAIN) {
		fprintf(p->out, "%s\n", line);
	} else {
		/* A line that wraps could not be redrawn. */
		if (!ioctl(fileno(p->out), TIOCGWINSZ, &ws) && ws.ws_col > 1)
			width = ws.ws_col;
		fprintf(p->out, "\r%.*s\033[K%s", width - 1, line,
			finished ? "\n" : "");
		p->drawn = !finished;
	}
	fflush(p->out);
}

void ads_progress_update(struct ads_progress *p, double now, uint64_t done,
			 uint64_t total, uint64_t units_done, uint64_t units,
			 const char *note)
{
	double every = p->mode == ADS_PROGRESS_TTY ? TTY_EVERY :
		       p->mode == ADS_PROGRESS_JSON ? JSON_EVERY : PLAIN_EVERY;

	ads_rate_sample(&p->rate, now, done);
	if (p->mode == ADS_PROGRESS_NONE || now - p->last_drawn < every)
		return;
	draw(p, now, done, total, units_done, units, note, false);
}

void ads_progress_finish(struct ads_progress *p, double now, uint64_t done,
			 uint64_t total, uint64_t units_done, uint64_t units,
			 const char *note)
{
	ads_rate_sample(&p->rate, now, done);
	if (p->mode != ADS_PROGRESS_NONE)
		draw(p, now, done, total, units_done, units, note, true);
}

void ads_progress_clear(struct ads_progress *p)
{
	if (!p->drawn)
		return;
	fputs("\r\033[K", p->out);
	fflush(p->out);
	p->drawn = false;
}
