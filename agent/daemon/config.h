/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Configuration: adshardd.conf(5).
 *
 * Times are seconds, sizes bytes, shares percent. A struct config is read only
 * once loaded; a reload makes a new one and swaps the pointer.
 */
#ifndef ADSHARDD_CONFIG_H
#define ADSHARDD_CONFIG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "daemon/plan/core/policy.h"
#include "lib/err.h"

#define CONFIG_FILE	"/etc/adshard/adshardd.conf"
#define CONFIG_PATH_MAX	256

enum agent_mode {
	MODE_OFF,	/* collects and scores */
	MODE_ADVISE,	/* also empties members that the operator drains */
	MODE_AUTO,	/* also drains members by itself */
};

struct config {
	long mode;			/* enum agent_mode */
	char socket[100];		/* fits into sun_path */
	char state_dir[CONFIG_PATH_MAX];
	long log_level;			/* LOG_* of syslog.h */

	struct {
		long interval;
	} poll;
	struct {
		long enable;
		char command[CONFIG_PATH_MAX];
		long interval, timeout;
		long extended;		/* -x, else -a */
		char devices[1024];	/* where disks are asked for */
	} smart;
	struct {
		long enable;
		long days;		/* that a round takes ... */
		long rate;		/* ... or bytes per second and member */
		long block;		/* bytes of one read */
		long max_load;		/* percent busy above which it waits */
		long hung;		/* seconds until a read counts as hung */
	} patrol;
	struct {
		long enable;
		long keep_log;			/* seconds */
		long keep_minutes, keep_load, keep_hours;
		long max_size;		/* bytes of the database */
	} history;
	struct {
		long drain, urgent, release;	/* scores */
		long confirm;		/* scorings above drain */
		long release_time;
		long stale;		/* intervals */
		char model[CONFIG_PATH_MAX];
	} score;
	struct {
		long count;		/* N errors ... */
		long time;		/* ... in T */
		long half_life;
	} errors;
	struct {
		long hdd, ssd;		/* degrees Celsius */
		long peers;		/* degrees above the peers' median */
	} thermal;
	struct {
		long peers, self;	/* percent slower than these */
		long day;		/* seconds */
		long starved;		/* percent of a minute, see collect/host.h */
	} slow;
	struct {
		long step, season;	/* seconds */
		long near, middle, far;	/* ahead */
		long groups;		/* of segments in a volume at most, 0: none */
	} forecast;
	struct {
		long share;		/* percent of same-model drives */
		long minimum;		/* drives */
		long window;
	} fleet;
	struct {
		long window;		/* migrations in the kernel per member */
		long evacuations;	/* members drained at once per pool */
		long retries;		/* attempts per segment */
		long backoff, backoff_max;
		long hold;		/* after a cancel */
		long max_score;		/* of a destination */
		long same_domain;	/* two copies in one, if it must be */
	} plan;
	struct {
		long enable;
		long window;		/* operations in the kernel per pool */
		long delay;		/* a missing member may come back */
	} rebuild;
	struct {
		long source_rate, destination_rate;	/* 0: the kernel's */
		long floor, latency_ms;
		long source_active, destination_active, active;
	} throttle;
	struct {
		long interval;
		long half_life;
	} heat;
	struct {
		long clients;
		long timeout;
		long max_request;	/* bytes */
	} api;
	struct plan_policy policy;	/* of the planner; its table has the keys */
};

enum config_type {
	CONFIG_SECONDS,		/* "30m" */
	CONFIG_SIZE,		/* "4M" */
	CONFIG_NUMBER,
	CONFIG_BOOL,		/* "yes", "no" */
	CONFIG_MODE,
	CONFIG_LEVEL,
	CONFIG_STRING,		/* max: size of the array */
};

/* One row for every key there is: the single place with names, defaults and
 * bounds. Ends with a row without a name. */
struct config_key {
	const char *section;	/* NULL: top level */
	const char *name;
	enum config_type type;
	size_t offset;
	const char *def;
	long min, max;		/* inclusive */
};
extern const struct config_key config_keys[];

/*
 * Reads @path and then @path.d/[*].conf in the order of their names, all onto
 * the defaults. A missing @path is an error only if @must_exist.
 *
 * 0, or -EINVAL (unknown key, bad value), -ENOENT or another -errno; @err then
 * says "file:line: what is wrong" for the first one. *out belongs to the caller
 * (free()) and is not touched on error.
 */
int config_load(const char *path, bool must_exist, struct config **out,
		struct ads_err *err);

/* -- the planner's settings, keys "SECTION.NAME" of plan_settings ------------- */

#define CONFIG_POLICY_MAX	128	/* more than there are */

/* It has a key in config_keys, too. */
bool config_policy_shared(const char *setting);
/* Those are made the same: what the keys say; what the settings say. */
void config_policy_from_keys(struct config *c);
void config_policy_to_keys(struct config *c);

/* Several at once, in whatever order: all, or -errno and none. */
int config_policy_set(struct plan_policy *p, const char *const *names,
		      const char *const *values, size_t n, struct ads_err *err);

/* What no single key can be judged by; "@where: sentence". */
int config_check(const struct config *c, const char *where,
		 struct ads_err *err);

/* All defaults; for tests and for a missing file. */
void config_defaults(struct config *c);

/* In the syntax of the file, with every key. */
void config_print(const struct config *c, FILE *f);

#endif
