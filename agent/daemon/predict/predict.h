/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stage "predict": how likely is it that a member fails soon, and why.
 *
 * Takes	the drive's series (history/drive.h), its last SMART sample, the
 *		record of failed I/O, the temperature of its peers, the time;
 * gives	a struct risk, and, over several scorings, whether the member is
 *		at risk (risk_track).
 *
 * Pure: no I/O, no clock, no memory of its own. Times are seconds since the
 * epoch.
 */
#ifndef ADSHARDD_PREDICT_H
#define ADSHARDD_PREDICT_H

#include "daemon/collect/smart.h"
#include "daemon/config.h"
#include "daemon/history/drive.h"
#include "daemon/predict/risk.h"
#include "daemon/predict/slow.h"

#define RISK_DAY	86400LL

/*
 * Failed I/O: N in T. The events of the last T seconds are counted in buckets;
 * the points that they were worth at their worst are kept and halve every
 * half-life, so that a drive which fell silent doesn't look well at once.
 */
#define ERRORS_BUCKETS	16

struct errors {
	bool known;		/* somebody looks */
	int64_t time;		/* of the last look */
	uint64_t total;		/* since the agent looks or the pool is active */
	int64_t last;		/* time of the last event, 0 none */
	uint32_t bucket[ERRORS_BUCKETS];
	int64_t slot;		/* number of the newest bucket */
	double held;		/* points at @held_time */
	int64_t held_time;
	int64_t hung;		/* since when a read doesn't return, 0 */
	struct {
		unsigned int n;		/* segments that could not be moved to
					 * it, through its own fault */
		int64_t last;		/* time of the last one */
		char why[64];
	} refused;
};

/*
 * @n more events since the last look. One look takes at most half of N: a
 * single burst (a cable that was touched) is not a pattern.
 */
void errors_look(struct errors *e, int64_t now, uint64_t n,
		 const struct config *c);
/* A segment that could not be written to it, as the kernel says why. */
void errors_refused(struct errors *e, int64_t now, const char *why,
		    const struct config *c);
unsigned int errors_in_window(const struct errors *e);

struct ads_model;

struct predict_input {
	int64_t now;
	const struct config *config;
	const struct drive *drive;		/* NULL: no SMART data yet */
	const struct smart_sample *sample;	/* last with health, or NULL */
	double peers;		/* median temperature of its peers, NaN: fewer
				 * than three */
	const struct errors *errors;
	const struct ads_model *model;	/* trained, or NULL */
	const struct slow *slow;	/* how it compares, or NULL */
};

void predict(const struct predict_input *in, struct risk *out);

/* Makes the score of the parts; again, if some have changed. */
void predict_fuse(struct risk *r);

/* The parts of predict(), each adding to @r. */
void predict_ata(struct risk *r, const struct predict_input *in);
void predict_trees(struct risk *r, const struct predict_input *in);
void predict_nvme(struct risk *r, const struct predict_input *in);
void predict_scsi(struct risk *r, const struct predict_input *in);
void predict_wear(struct risk *r, const struct predict_input *in);
void predict_interface(struct risk *r, const struct predict_input *in);
void predict_thermal(struct risk *r, const struct predict_input *in);
void predict_errors(struct risk *r, const struct predict_input *in);
void predict_slow(struct risk *r, const struct predict_input *in);

/*
 * From scores to "at risk", with hysteresis. Kept per member, also over a
 * restart.
 */
struct risk_track {
	int above;		/* scorings above drain, in a row */
	int64_t evidence;	/* time of the last one that counted */
	int64_t at_risk;	/* since when, 0: is not */
	int64_t quiet;		/* below release since when, 0: is not */
	int64_t rose;		/* when it last went above drain, 0: is not */
};

enum track_event {
	RISK_SAME,
	RISK_RAISED,		/* is at risk from now on */
	RISK_RELEASED,		/* is no more */
};

/*
 * @score and @evidence are those of risk_fresh(). A scoring whose evidence was
 * counted already does not count again; no fresh evidence (-1) changes nothing
 * but that the quiet time starts anew. It takes score.confirm scorings in a row
 * above score.drain, two if the last is above score.urgent; never one.
 */
enum track_event risk_track(struct risk_track *t, int score, int64_t evidence,
			    int64_t now, const struct config *c);

/*
 * Drives of one model that go bad at the same time are more likely misread than
 * failing: a collector or firmware fault, to be told, not acted on.
 */
struct fleet_entry {
	const char *model;	/* "" is nobody's peer */
	int64_t rose;		/* risk_track.rose */
	bool suspect;		/* out */
};

void fleet_check(struct fleet_entry *e, unsigned int n, const struct config *c);

#endif
