/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A score with its reasons.
 *
 * Every finding belongs to a mode of failing and is worth points: the score
 * that it alone would give. A mode's score is that of its strongest finding;
 * the score is that of the strongest mode, plus 3 for each further mode of 50
 * or more, at most 100. So each score can be explained by what it is made of.
 */
#ifndef ADSHARDD_RISK_H
#define ADSHARDD_RISK_H

#include <stdbool.h>
#include <stdint.h>

enum risk_mode {
	RISK_MEDIA,	/* sectors, cells: data is being lost */
	RISK_WEAR,	/* endurance and spare run out */
	RISK_INTERFACE,	/* cable, backplane; never a reason to move alone */
	RISK_THERMAL,
	RISK_ERRORS,	/* I/O that failed, seen by the kernel or the patrol */
	RISK_SLOW,	/* answers, but slower than its peers or than it did */
	RISK_MODES
};

#define RISK_MAX_REASONS	24
#define RISK_WARN		25	/* a mode of so many points is told of */

enum risk_horizon { RISK_7_DAYS, RISK_30_DAYS, RISK_90_DAYS, RISK_HORIZONS };

struct risk_reason {
	enum risk_mode mode;
	int points;		/* 0..100, that it alone would give */
	int counted;		/* of the score, once fused */
	int64_t since;		/* seconds since the epoch, 0 unknown */
	char factor[48];	/* "pending sectors (197)" */
	char value[48];		/* "24, was 0" */
	char text[192];		/* a sentence without its full stop */
};

struct risk_part {
	bool known;		/* there was something to judge */
	int score;
	int64_t time;		/* of the evidence */
	double p[RISK_HORIZONS];	/* of failing by it, once fused */
	bool measured;		/* @p: how such disks fared; else what the points
				 * would mean if they were such */
	char shared[120];	/* what it has in common with others, or "" */
};

struct risk {
	int score;		/* 0..100, -1 unknown */
	int base;		/* of it that no reason accounts for: what disks
				 * without any finding are worth */
	enum risk_mode mode;	/* that dominates, if score > 0 */
	struct risk_part part[RISK_MODES];
	unsigned int nr;
	struct risk_reason reason[RISK_MAX_REASONS];	/* most points first,
							 * once fused */
};

const char *risk_mode_name(enum risk_mode mode);
/* The type of its early warning: "wear-out", "fail-slow". */
const char *risk_warning_name(enum risk_mode mode);

void risk_init(struct risk *r);

/* A mode was judged by evidence of that time, whatever was found. */
void risk_judged(struct risk *r, enum risk_mode mode, int64_t time);

/*
 * Adds a finding. With RISK_MAX_REASONS there already the one with the fewest
 * points goes. @text is a format.
 */
void risk_add(struct risk *r, enum risk_mode mode, int points, int64_t since,
	      const char *factor, const char *value, const char *text, ...)
	__attribute__((format(printf, 7, 8)));

/* No finding of the mode is worth more than @cap. */
void risk_cap(struct risk *r, enum risk_mode mode, int cap);

/* How likely the mode ends the disk within 7, 30, 90 days; the most counts. */
void risk_likely(struct risk *r, enum risk_mode mode,
		 const double p[RISK_HORIZONS]);

/*
 * Others have the same at the same time: @percent of the points stay, for it is
 * hardly the disk. @what says with whom.
 */
void risk_share(struct risk *r, enum risk_mode mode, int percent,
		const char *what);

/* Sets score and mode, sorts the reasons, and says how much each counts. */
void risk_fuse(struct risk *r);

/*
 * The score of those modes alone whose evidence is not older than @oldest[mode];
 * -1 if there is none. *evidence: time of what dominates it. This is what may
 * start an evacuation.
 */
int risk_fresh(const struct risk *r, const int64_t oldest[RISK_MODES],
	       int64_t *evidence);

/* Probability of failing within 30 days -> score; monotone, 0..100. */
int risk_score_of(double p);
/* And back. */
double risk_p_of(int score);

/* What 7 and 90 days are like for disks that fail within 30 with @p30. */
void risk_horizons(double p30, double p[RISK_HORIZONS]);

#endif
