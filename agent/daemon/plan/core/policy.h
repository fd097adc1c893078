/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The planner's settings: one table names each, with its default, its bounds and
 * what it does, and everybody who shows, sets, reads or documents a setting goes
 * through that table.
 *
 * Times are seconds, sizes bytes, shares percent, times of the day minutes.
 */
#ifndef PLAN_POLICY_H
#define PLAN_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"

enum plan_mode {
	PLAN_MODE_OFF,		/* plans nothing */
	PLAN_MODE_ADVISE,	/* plans; a person approves before it moves */
	PLAN_MODE_AUTO,
};

struct plan_policy {
	long mode;			/* enum plan_mode */
	struct {
		long watch, drain, rescue;	/* a band begins above these */
		long confirm;		/* looks that agree before it drains */
		long release, release_time;	/* out of drain and rescue */
		long recover, recover_time;	/* out of watch */
		long patience;		/* watched so long, it is emptied */
		long suspect_time;	/* before many of one model are believed */
	} score;
	struct {
		long members;		/* drained at once, 0 any number */
		long max_score;		/* of a destination */
		long max_load;		/* percent; a drain waits above it */
		long reserve;		/* percent of each member's slots */
		long window;		/* moves at once off a member */
		long same_domain;	/* two legs in one domain rather than none */
	} evacuate;
	struct {
		long enable;
		long window;		/* legs at once that are made anew */
	} rebuild;
	struct {
		long enable;
		long share;		/* percent of a member's segments */
		long free;		/* percent of the pool that stays free */
	} replicate;
	struct {
		long enable;
		long high, urgent;	/* percent of a member's capacity */
		long horizon;		/* how far ahead it looks */
		long quantile;		/* of a forecast: so often it is less */
		long payback, gain;
	} balance;
	struct {
		long enable;
		long fill;		/* percent of a class that may be used */
		long margin;		/* percent of heat, to either side */
		long payback;
		long cost;		/* what a unit of cost is worth */
	} tier;
	struct {
		long pool, member, link;	/* moves at once */
		long rate;		/* bytes per second for all, 0 any */
		long daily;		/* bytes a day that can wait, 0 any */
		long rest;		/* of a segment after a move */
		long quiet_from, quiet_to;	/* equal: always quiet */
		long bandit;		/* choose the pace by what it did */
	} pace;
	struct {
		long evacuate, replicate, pin, balance, tier;
	} share;			/* of the moves at once */
};

enum plan_setting_type {
	PLAN_SET_NUMBER, PLAN_SET_PERCENT, PLAN_SET_SECONDS, PLAN_SET_BYTES,
	PLAN_SET_BOOL, PLAN_SET_CLOCK, PLAN_SET_MODE,
};

struct plan_setting {
	const char *name;		/* "score.drain"; NULL ends the table */
	enum plan_setting_type type;
	size_t offset;			/* of a long in struct plan_policy */
	const char *def;
	long min, max;			/* inclusive */
	const char *text;		/* a sentence without its full stop */
};
extern const struct plan_setting plan_settings[];

const struct plan_setting *plan_setting_find(const char *name);	/* or NULL */

void plan_policy_defaults(struct plan_policy *p);

/*
 * Sets one by its name and in the syntax of the configuration file ("30m", "4G",
 * "yes", "22:00"). -ENOENT (no such setting), -EINVAL, -ERANGE, with a sentence; or
 * it contradicts another setting. On error nothing is changed.
 */
int plan_policy_set(struct plan_policy *p, const char *name, const char *value,
		    struct ads_err *err);

/* Do the settings go together? For several that were changed at once. */
int plan_policy_check(const struct plan_policy *p, struct ads_err *err);

/* The value, in the syntax that plan_policy_set() reads. Returns @buf. */
char *plan_policy_get(const struct plan_policy *p, const struct plan_setting *s,
		      char *buf, size_t size);

/*
 * Of a forecast with its middle and the value that nine of ten are below, the one
 * that balance.quantile of a hundred are below: what struct plan_member.load and
 * plan_seg.mibs_next are made of.
 */
double plan_quantile(const struct plan_policy *p, double middle, double ninth);

/* @minute of the day is in the quiet hours. */
bool plan_is_quiet(const struct plan_policy *p, unsigned int minute);

#endif
