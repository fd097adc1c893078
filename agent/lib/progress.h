/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Progress of a job: rate, time left, and one line on a terminal or in a log.
 *
 * The arithmetic takes the time as an argument (seconds of a monotonic clock),
 * so that it can be tested.
 */
#ifndef ADS_PROGRESS_H
#define ADS_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum ads_progress_mode {
	ADS_PROGRESS_AUTO,	/* TTY on a terminal, PLAIN elsewhere */
	ADS_PROGRESS_TTY,	/* one line that is redrawn */
	ADS_PROGRESS_PLAIN,	/* a line every 10 s */
	ADS_PROGRESS_JSON,	/* NDJSON, one object a second */
	ADS_PROGRESS_NONE,
};

/* "auto", "tty", "plain", "json", "none"; -EINVAL. */
int ads_progress_parse(const char *s, enum ads_progress_mode *mode);

struct ads_rate {
	double ewma;		/* bytes/s, < 0: nothing known yet */
	double last_time;	/* of the last sample */
	uint64_t last_done;
	double moved_time;	/* when @last_done last grew */
	bool started;
};

void ads_rate_sample(struct ads_rate *r, double now, uint64_t done);
double ads_rate_eta(const struct ads_rate *r, double now, uint64_t done,
		    uint64_t total);	/* seconds; < 0: can't say */
double ads_rate_stalled(const struct ads_rate *r, double now); /* 0 if not */

struct ads_progress {
	enum ads_progress_mode mode;
	FILE *out;
	char what[64];		/* "evacuate /dev/sdb" */
	struct ads_rate rate;
	double last_drawn;
	bool drawn;		/* a line stands on the terminal */
};

void ads_progress_init(struct ads_progress *p, enum ads_progress_mode mode,
		       FILE *out, const char *what);

/*
 * Takes the state now and draws if it is time to. @done of @total bytes,
 * @units_done of @units segments; @note (may be NULL) says why it stalls or
 * what happens now.
 */
void ads_progress_update(struct ads_progress *p, double now, uint64_t done,
			 uint64_t total, uint64_t units_done, uint64_t units,
			 const char *note);

/* Draws the last state and ends the line. */
void ads_progress_finish(struct ads_progress *p, double now, uint64_t done,
			 uint64_t total, uint64_t units_done, uint64_t units,
			 const char *note);

/* Clears the line on a terminal, so that something else may be printed. */
void ads_progress_clear(struct ads_progress *p);

/* The line itself, without a newline. */
void ads_progress_line(const struct ads_progress *p, double now, uint64_t done,
		       uint64_t total, uint64_t units_done, uint64_t units,
		       const char *note, char *buf, size_t size);

double ads_now(void);		/* CLOCK_MONOTONIC in seconds */

#endif
